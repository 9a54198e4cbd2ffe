//! Delegations, in the ledger: who lets whom speak in their place, of what, until when.
//!
//! Each is a statement that its person signed. Whether it counts is judged each time, by the register and the passkeys of that
//! moment, and what it gives is what its person has then.

use serde_json::{Value as Json, json};
use sluice_core::contract::approval::{Act, Delegated, Delegation, Enrolled, Known, Nonce, Refusal, SignedDelegation};
use sluice_core::contract::digest::to_hex;
use sluice_core::label::Name;
use sluice_ledger::EntryKind;
use sluice_ledger::cbor::Map;
use sluice_store::{FIELD_APPROVAL, NewRecord, Payload, Recorded};

use crate::approvals::{ApprovalError, unhex};
use crate::enrolment::passkeys;
use crate::ledger::{Ledger, LedgerError, random};
use crate::workspace::Workspace;

/// The name under which entries about delegations are found.
pub(crate) const TOPIC: &str = "delegations";

/// A delegation of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Who lets whom speak.
    pub delegated: Delegated,
    /// Why, in their own words.
    pub reason: String,
    /// The entry that says so.
    pub entry: u64,
}

impl Given {
    /// The id under which people find it.
    #[must_use]
    pub fn id(&self) -> String {
        id_of(self.delegated.nonce)
    }
}

/// The first 40 bits of a delegation's nonce.
fn id_of(nonce: Nonce) -> String {
    format!("G-{}", to_hex(nonce.0.get(..5).unwrap_or_default()))
}

/// Every delegation that its person made and still could, with those that are over.
///
/// # Errors
/// [`LedgerError`] if the ledger cannot be read.
pub fn given(ledger: &Ledger, known: &Known<'_>) -> Result<Vec<Given>, LedgerError> {
    let mut all: Vec<Given> = Vec::new();
    for recorded in ledger.about(TOPIC)? {
        match recorded.entry.kind {
            EntryKind::DELEGATED => all.extend(read(&recorded, known)),
            EntryKind::DELEGATION_ENDED => end(&mut all, &recorded),
            _ => {}
        }
    }
    Ok(all)
}

/// The same for whoever counts statements.
pub(crate) fn delegated(ledger: &Ledger, known: &Known<'_>) -> Result<Vec<Delegated>, LedgerError> {
    Ok(given(ledger, known)?.into_iter().map(|one| one.delegated).collect())
}

/// Those that are in force in a workspace, oldest first.
///
/// # Errors
/// [`LedgerError`] if the ledger cannot be read.
pub fn in_force(workspace: &Workspace, ledger: &Ledger) -> Result<Vec<Given>, LedgerError> {
    let now_ms = ledger.clock().now_ms();
    let mut all = with_known(workspace, ledger, |known| given(ledger, known))??;
    all.retain(|one| one.delegated.is_in_force(now_ms));
    Ok(all)
}

/// What `by` would sign to let `to` speak in their place from now until `until_ms`.
///
/// # Errors
/// [`ApprovalError::Refused`] if it would not count, whoever signed it.
pub fn draft(
    workspace: &Workspace,
    ledger: &Ledger,
    by: &Name,
    to: &Name,
    role: Option<Name>,
    until_ms: u64,
) -> Result<Delegation, ApprovalError> {
    let refused = |source| Err(ApprovalError::Refused { source });
    let persons = &workspace.principals().persons.entries;
    for person in [by, to] {
        match workspace.principals().kind(person) {
            Some(_) if persons.contains_key(person) => {}
            Some(kind) => return refused(Refusal::NotAPerson { approver: person.clone(), kind }),
            None => return refused(Refusal::Nobody(person.clone())),
        }
    }
    if role.as_ref().is_some_and(|role| role.is_empty()) {
        return refused(Refusal::Delegation("it names no role"));
    }
    let act = Act::Give { to: to.clone(), role, from_ms: ledger.clock().now_ms(), until_ms };
    let delegation = Delegation { by: by.clone(), act, nonce: Nonce(random()?) };
    match delegation.fits() {
        Ok(()) => Ok(delegation),
        Err(source) => refused(source),
    }
}

/// What `by` would sign to take a delegation back.
///
/// # Errors
/// [`ApprovalError::NoDelegation`] if they have none in force under this id.
pub fn draft_end(workspace: &Workspace, ledger: &Ledger, by: &Name, id: &str) -> Result<Delegation, ApprovalError> {
    let theirs = in_force(workspace, ledger)?.into_iter().find(|one| one.delegated.by == *by && one.id() == id);
    let one = theirs.ok_or_else(|| ApprovalError::NoDelegation { by: by.clone(), id: id.to_owned() })?;
    Ok(Delegation { by: by.clone(), act: Act::End { of: one.delegated.nonce }, nonce: Nonce(random()?) })
}

/// Records what somebody signed about their own word. What would not count is not recorded.
///
/// # Errors
/// [`ApprovalError`]: the first reason why it would not count.
pub fn record(
    workspace: &Workspace,
    ledger: &Ledger,
    signed: &SignedDelegation,
    reason: &str,
) -> Result<String, ApprovalError> {
    let Delegation { by, act, nonce } = &signed.delegation;
    let judged = with_known(workspace, ledger, |known| signed.judge(known))?;
    judged.map_err(|source| ApprovalError::Refused { source })?;
    let (kind, of) = match act {
        Act::Give { .. } => {
            let is_used = with_known(workspace, ledger, |known| given(ledger, known))??;
            if is_used.iter().any(|one| one.delegated.nonce == *nonce) {
                return Err(ApprovalError::Refused { source: Refusal::ReusedNonce });
            }
            (EntryKind::DELEGATED, *nonce)
        }
        Act::End { of } => {
            let id = id_of(*of);
            let theirs = in_force(workspace, ledger)?;
            if !theirs.iter().any(|one| one.delegated.by == *by && one.delegated.nonce == *of) {
                return Err(ApprovalError::NoDelegation { by: by.clone(), id });
            }
            (EntryKind::DELEGATION_ENDED, *of)
        }
    };
    let said = json!({ "version": 1, "delegation": to_hex(&signed.to_bytes()), "reason": reason });
    let body = Map::new().with(FIELD_APPROVAL, TOPIC);
    let record = NewRecord::new(kind, ledger.clock().now_ms(), body)
        .with_payload(Payload::of_run(said.to_string().into_bytes()));
    ledger.append(vec![record])?;
    Ok(id_of(of))
}

fn with_known<R>(workspace: &Workspace, ledger: &Ledger, deed: impl FnOnce(&Known<'_>) -> R) -> Result<R, LedgerError> {
    let passkeys: Vec<Enrolled> = passkeys(ledger)?.into_iter().map(|listed| listed.enrolled).collect();
    let (mode, principals) = (workspace.bundle().workspace().mode, workspace.principals());
    Ok(deed(&Known { mode, principals, passkeys: &passkeys }))
}

/// What an entry's payload says of a delegation, if it can be opened.
pub(crate) fn signed_in(payload: &Json) -> Option<SignedDelegation> {
    SignedDelegation::from_bytes(&unhex(payload.get("delegation")?.as_str()?)?).ok()
}

fn opened(recorded: &Recorded) -> Option<Json> {
    serde_json::from_slice(recorded.payload.opened()?).ok()
}

fn read(recorded: &Recorded, known: &Known<'_>) -> Option<Given> {
    let said = opened(recorded)?;
    let signed = signed_in(&said).filter(|signed| signed.judge(known).is_ok())?;
    let Delegation { by, act: Act::Give { to, role, from_ms, until_ms }, nonce } = signed.delegation else {
        return None;
    };
    let reason = said.get("reason").and_then(Json::as_str).unwrap_or_default().to_owned();
    let delegated = Delegated { by, to, role, from_ms, until_ms, nonce };
    Some(Given { delegated, reason, entry: recorded.entry.log.get() })
}

/// Ends what an entry takes back. It was judged when it was recorded; one that cannot be read may have meant any of them.
fn end(all: &mut [Given], recorded: &Recorded) {
    let signed = opened(recorded).as_ref().and_then(signed_in);
    let meant = signed.and_then(|signed| match signed.delegation {
        Delegation { by, act: Act::End { of }, .. } => Some((by, of)),
        Delegation { act: Act::Give { .. }, .. } => None,
    });
    let is_meant =
        |one: &&mut Given| meant.as_ref().is_none_or(|(by, of)| one.delegated.by == *by && one.delegated.nonce == *of);
    for one in all.iter_mut().filter(is_meant) {
        one.delegated.until_ms = one.delegated.until_ms.min(recorded.entry.time_ms);
    }
}
