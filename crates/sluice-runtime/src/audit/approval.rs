//! One file that shows a stranger, without a network, what people said about one approval, and with which devices.
//!
//! It has every entry with somebody's word, and the enrolment of each passkey that answered: each with its way up to a
//! signed checkpoint, and what they say in the clear, with the salts under which the entries commit to it. All that is
//! needed besides is the log's public key. Nothing in the file counts before [`verify_approval`] has said so.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sluice_core::contract::approval::{Decision, Nonce, Proof, SignedStatement, Statement};
use sluice_core::contract::closure::ClosureDigest;
use sluice_core::contract::digest::to_hex;
use sluice_core::label::Name;
use sluice_ledger::note::VerifierKey;
use sluice_ledger::{Entry, EntryKind, Evidence, EvidenceError, LeafIndex, Salt};
use sluice_store::{FIELD_APPROVAL, Opening};
use thiserror::Error;

use super::{AuditError, prove};
use crate::approvals::unhex;
use crate::enrolment::{self, Listed};
use crate::gate::approval_id;
use crate::ledger::Ledger;

/// The longest file: a few hundred entries with their proofs.
pub const APPROVAL_PROOF_BYTES_MAX: usize = 16 << 20;

const FORMAT: &str = "sluice approval proof 1";

/// The parts of the file, as they are written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalProof {
    format: String,
    /// The approval's id.
    approval: String,
    entries: Vec<Shown>,
}

/// An entry with its proof, and its payload in the clear.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shown {
    /// A C2SP tlog-proof file with the entry.
    proof: String,
    /// Hexadecimal.
    salt: String,
    payload: String,
}

/// What such a file shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenApproval {
    /// The approval's id.
    pub id: String,
    /// The log, and how many entries the smallest of the checkpoints covers.
    pub log: (String, u64),
    /// What was said, in the log's order.
    pub words: Vec<ProvenWord>,
}

/// A word of somebody that the log has, and that its proof fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenWord {
    /// Its entry.
    pub entry: u64,
    /// When it was recorded, in milliseconds since 1970.
    pub time_ms: u64,
    /// What was signed.
    pub statement: Statement,
    /// What shows that they said it.
    pub shown_by: ShownBy,
    /// The entry with which the same person took it back, if the file has one.
    pub withdrawn_by: Option<u64>,
}

/// What shows that somebody said something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShownBy {
    /// Their device answered for this very statement, with its user verified.
    Passkey {
        /// Its enrolment.
        enrolment: Box<Listed>,
    },
    /// A key file. Whose it is stands in the principals register, not in the log.
    KeyFile {
        /// The key, in hexadecimal as the register writes it.
        key: String,
    },
}

/// Why there is no such file, or why it shows nothing.
#[derive(Debug, Error)]
pub enum ApprovalProofError {
    /// The ledger, or no checkpoint yet.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// SL691.
    #[error(
        "SL691: nobody has said anything about an approval `{0}` in this ledger that can still be opened; \
         `sluice audit log --kind approved` has the ids"
    )]
    Nothing(String),
    /// SL692. Help: take the file as `sluice audit prove --approval` wrote it.
    #[error("SL692: this is no file of `sluice audit prove --approval`: {0}; take it as it was written")]
    Form(String),
    /// SL693. Help: ask whoever made it for another one, and believe nothing of this one.
    #[error("SL693: {what} {number} of the file does not hold: {why}")]
    Wrong {
        /// `entry`.
        what: &'static str,
        /// Which of them, counted from one.
        number: usize,
        /// What is wrong.
        why: String,
    },
}

/// Makes the file about one approval.
///
/// # Errors
/// [`ApprovalProofError`] if nobody said anything, or no checkpoint covers it yet.
pub fn prove_approval(ledger: &Ledger, id: &str) -> Result<ApprovalProof, ApprovalProofError> {
    let mut places = BTreeSet::new();
    let mut passkeys = BTreeSet::new();
    for recorded in ledger.about(id).map_err(AuditError::from)? {
        if let Some(signed) = recorded.payload.opened().filter(|_| is_word(recorded.entry.kind)).and_then(signed) {
            places.insert(recorded.entry.log.get());
            if let Proof::Passkey { id, .. } = signed.proof {
                passkeys.insert(to_hex(&id));
            }
        }
    }
    if places.is_empty() {
        return Err(ApprovalProofError::Nothing(id.to_owned()));
    }
    for recorded in ledger.about(enrolment::TOPIC).map_err(AuditError::from)? {
        let said: Option<Json> = recorded.payload.opened().and_then(|bytes| serde_json::from_slice(bytes).ok());
        let passkey = said.as_ref().and_then(|said| said.get("passkey")?.as_str());
        if passkey.is_some_and(|passkey| passkeys.contains(passkey)) {
            places.insert(recorded.entry.log.get());
        }
    }
    let entries = places.into_iter().map(|index| shown(ledger, index)).collect::<Result<_, _>>()?;
    Ok(ApprovalProof { format: FORMAT.to_owned(), approval: id.to_owned(), entries })
}

fn shown(ledger: &Ledger, index: u64) -> Result<Shown, ApprovalProofError> {
    let proof = prove(ledger, index)?.to_string();
    let opening = ledger.look(|records| records.opening(LeafIndex::new(index))).map_err(AuditError::from)?;
    let nothing = || ApprovalProofError::Nothing(index.to_string());
    let Opening { salt, bytes } = opening.ok_or_else(nothing)?;
    let payload = String::from_utf8(bytes).map_err(|_| nothing())?;
    Ok(Shown { proof, salt: to_hex(salt.as_bytes()), payload })
}

/// Reads a file. Nothing in it is true yet.
///
/// # Errors
/// [`ApprovalProofError::Form`].
pub fn read_approval_proof(bytes: &[u8]) -> Result<ApprovalProof, ApprovalProofError> {
    let form = |why: String| ApprovalProofError::Form(why);
    if bytes.len() > APPROVAL_PROOF_BYTES_MAX {
        return Err(form(format!("it is longer than {APPROVAL_PROOF_BYTES_MAX} bytes")));
    }
    let proof: ApprovalProof = serde_json::from_slice(bytes).map_err(|error| form(error.to_string()))?;
    if proof.format == FORMAT { Ok(proof) } else { Err(form(format!("its format is not `{FORMAT}`"))) }
}

/// Checks everything that the file says against the log's public key.
///
/// # Errors
/// [`ApprovalProofError::Wrong`]: the first thing that does not hold; then nothing of the file counts.
pub fn verify_approval(file: &ApprovalProof, trusted: &[VerifierKey]) -> Result<ProvenApproval, ApprovalProofError> {
    let mut proven = ProvenApproval { id: file.approval.clone(), log: (String::new(), u64::MAX), words: Vec::new() };
    let mut passkeys: BTreeMap<String, Listed> = BTreeMap::new();
    let mut last = None;
    for (place, shown) in file.entries.iter().enumerate() {
        let wrong = |why: String| ApprovalProofError::Wrong { what: "entry", number: place.saturating_add(1), why };
        let (entry, log) = entry_of(shown, trusted).map_err(&wrong)?;
        // One of another log, or one more often, would let another story be told.
        if proven.log.0.is_empty() {
            proven.log.0.clone_from(&log.0);
        }
        if proven.log.0 != log.0 || last.is_some_and(|last| last >= entry.log) {
            return Err(wrong("the entries are not of one log, in its order".to_owned()));
        }
        last = Some(entry.log);
        proven.log.1 = proven.log.1.min(log.1);
        let topic = entry.body.get(FIELD_APPROVAL).and_then(|value| value.as_text()).unwrap_or_default();
        match entry.kind {
            EntryKind::PASSKEY_ENROLLED if topic == enrolment::TOPIC => {
                let said: Json = serde_json::from_str(&shown.payload).map_err(|error| wrong(error.to_string()))?;
                let listed = enrolment::listed(&entry, &said).ok_or_else(|| wrong("it is no enrolment".to_owned()))?;
                passkeys.insert(to_hex(&listed.enrolled.passkey.id), listed);
            }
            EntryKind::PASSKEY_REMOVED if topic == enrolment::TOPIC => {
                let said: Json = serde_json::from_str(&shown.payload).map_err(|error| wrong(error.to_string()))?;
                match said.get("passkey").and_then(Json::as_str) {
                    Some(id) => drop(passkeys.remove(id)),
                    None => passkeys.clear(),
                }
            }
            kind if is_word(kind) && topic == file.approval => {
                let word = word(&entry, &shown.payload, &passkeys, &file.approval).map_err(&wrong)?;
                if let Decision::Withdraw { of } = word.statement.decision {
                    take_back(&mut proven.words, &word.statement.approver, of, word.entry);
                }
                proven.words.push(word);
            }
            kind => return Err(wrong(format!("an entry `{kind}` about `{topic}` says nothing about this approval"))),
        }
    }
    if proven.words.is_empty() {
        return Err(ApprovalProofError::Form("it has no word of anybody".to_owned()));
    }
    Ok(proven)
}

/// The entry, once its proof and its payload hold, with the log and the size of the tree that it is in.
fn entry_of(shown: &Shown, trusted: &[VerifierKey]) -> Result<(Entry, (String, u64)), String> {
    let words = |error: EvidenceError| format!("{}: {error}", error.code());
    let evidence: Evidence = shown.proof.parse().map_err(words)?;
    let (checkpoint, bytes) = evidence.open(trusted).map_err(words)?;
    let entry = Entry::decode(bytes).map_err(|error| error.to_string())?;
    if entry.log != evidence.index {
        return Err("the entry names another place than its proof".to_owned());
    }
    let salt = unhex(&shown.salt).and_then(|salt| salt.try_into().ok()).ok_or("its salt is none")?;
    let opening = Opening { salt: Salt::from_bytes(salt), bytes: shown.payload.clone().into_bytes() };
    if !opening.fits(&entry) {
        return Err("the log was not written with this payload".to_owned());
    }
    Ok((entry, (checkpoint.origin().to_string(), checkpoint.size().get())))
}

fn word(
    entry: &Entry,
    payload: &str,
    passkeys: &BTreeMap<String, Listed>,
    approval: &str,
) -> Result<ProvenWord, String> {
    let SignedStatement { statement, proof } = signed(payload.as_bytes()).ok_or("it has no signed statement")?;
    if approval_id(statement.closure) != approval {
        return Err(format!("what was signed is about {}, another approval", statement.closure));
    }
    let kind = match statement.decision {
        Decision::Approve => EntryKind::APPROVED,
        Decision::Deny => EntryKind::DENIED,
        Decision::Withdraw { .. } => EntryKind::WITHDRAWN,
        Decision::BreakGlass => EntryKind::BREAK_GLASS,
        Decision::Review { .. } => EntryKind::REVIEWED,
    };
    if kind != entry.kind {
        return Err(format!("the entry says `{}`, and what was signed `{kind}`", entry.kind));
    }
    let shown_by = match proof {
        Proof::KeyFile { key, signature } => {
            if !key.verifies(&statement.to_bytes(), &signature) {
                return Err("the signature does not fit".to_owned());
            }
            ShownBy::KeyFile { key: to_hex(&key.0) }
        }
        Proof::Passkey { id, answer } => {
            let listed = passkeys.get(&to_hex(&id)).filter(|listed| listed.enrolled.person == statement.approver);
            let listed =
                listed.ok_or_else(|| format!("no passkey of `{}` was enrolled before it", statement.approver))?;
            let party = &listed.enrolled.party;
            party
                .verify(&listed.enrolled.passkey, &answer, &statement.challenge())
                .map_err(|error| format!("the passkey's answer does not fit: {}", error.why()))?;
            ShownBy::Passkey { enrolment: Box::new(listed.clone()) }
        }
    };
    let (place, time_ms) = (entry.log.get(), entry.time_ms);
    Ok(ProvenWord { entry: place, time_ms, statement, shown_by, withdrawn_by: None })
}

fn take_back(words: &mut [ProvenWord], approver: &Name, of: Nonce, by: u64) {
    let theirs = |word: &&mut ProvenWord| word.statement.approver == *approver && word.statement.nonce == of;
    for word in words.iter_mut().filter(theirs) {
        word.withdrawn_by = Some(by);
    }
}

fn is_word(kind: EntryKind) -> bool {
    let words =
        [EntryKind::APPROVED, EntryKind::DENIED, EntryKind::WITHDRAWN, EntryKind::BREAK_GLASS, EntryKind::REVIEWED];
    words.contains(&kind)
}

fn signed(payload: &[u8]) -> Option<SignedStatement> {
    let payload: Json = serde_json::from_slice(payload).ok()?;
    SignedStatement::from_bytes(&unhex(payload.get("statement")?.as_str()?)?).ok()
}

impl ProvenApproval {
    /// The digests that were spoken of: one, unless somebody approved what others did not see.
    #[must_use]
    pub fn closures(&self) -> Vec<ClosureDigest> {
        let mut closures: Vec<ClosureDigest> = Vec::new();
        for word in &self.words {
            if !closures.contains(&word.statement.closure) {
                closures.push(word.statement.closure);
            }
        }
        closures
    }
}
