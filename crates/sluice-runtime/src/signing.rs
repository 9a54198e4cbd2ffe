//! Who has signed the rules as they are on the disk, and who may: the pinned signers, and how they change.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::json;
use sluice_core::contract::bundle::{BundleDigest, Signers, signed_by};
use sluice_core::contract::key::SecretKey;
use sluice_core::contract::signers::{SIGNERS_CHANGE_FILE, SignersChange, SignersError};
use sluice_core::label::Name;
use sluice_ledger::EntryKind;
use sluice_ledger::cbor::Map;
use sluice_store::{NewRecord, Payload, Query};
use thiserror::Error;

use crate::audit::AuditError;
use crate::home::Home;
use crate::ledger::{Ledger, LedgerError, open_records};
use crate::workspace::{OpenError, read_bundle, read_file, read_signatures, read_signers, replace};

/// Whose word the rules on the disk have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// What is signed.
    pub digest: BundleDigest,
    /// Pinned people who signed it.
    pub by: BTreeSet<Name>,
    /// Pinned people who did not.
    pub not_by: BTreeSet<Name>,
    /// How many must.
    pub needed: usize,
}

impl Signed {
    /// How many are still missing.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.needed.saturating_sub(self.by.len())
    }
}

/// Whose word the rules in `folder` have. Signatures that do not hold are nobody's.
///
/// # Errors
/// [`OpenError`] if a file cannot be read.
pub fn signed(folder: &Path) -> Result<Signed, OpenError> {
    let signers = pinned(folder)?;
    let files = read_bundle(folder)?;
    let by = signed_by(&files, &read_signatures(folder)?, &signers);
    let not_by = signers.names().filter(|name| !by.contains(*name)).cloned().collect();
    Ok(Signed { digest: files.digest(), by, not_by, needed: signers.needed() })
}

/// Who may sign, as it is pinned outside of `folder`.
///
/// # Errors
/// [`OpenError::NoSigners`], or [`OpenError::Bundle`] if the file cannot be read.
pub fn pinned(folder: &Path) -> Result<Signers, OpenError> {
    read_signers(&Home::of(folder)?)
}

/// The signers as the ledger has them: those of its first entry, and every change since that counted. `None` if an entry
/// cannot be opened, or tells of a change that does not follow from those before.
///
/// # Errors
/// [`AuditError`] if the ledger cannot be read.
pub fn recorded(folder: &Path) -> Result<Option<Signers>, AuditError> {
    let records = open_records(folder, &Home::of(folder)?)?;
    let payload = |index| -> Result<Option<String>, AuditError> {
        let recorded = records.entry(index)?;
        Ok(recorded.payload.opened().map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
    };
    let of = |kind| records.find(&Query { kind: Some(kind), ..Query::default() });
    let Some(first) = of(EntryKind::WORKSPACE_CREATED)?.first().copied() else { return Ok(None) };
    let mut signers = payload(first)?.and_then(|text| Signers::parse(&text).ok());
    for index in of(EntryKind::SIGNERS_CHANGED)? {
        let change = payload(index)?.and_then(|text| {
            let said: serde_json::Value = serde_json::from_str(&text).ok()?;
            SignersChange::parse(said.get("change")?.as_str()?).ok()
        });
        let (Some(now), Some(change)) = (signers.take(), change) else { return Ok(None) };
        // Written again where the machine stopped between the entry and the file.
        signers = if now == *change.to() { Some(now) } else { change.accepted(&now).ok().cloned() };
    }
    Ok(signers)
}

/// Why the signers were not changed.
#[derive(Debug, Error)]
pub enum ChangeError {
    /// The change does not count.
    #[error("{code}: {0}", code = .0.code())]
    Change(#[from] SignersError),
    /// SL438. Another one waits.
    #[error(
        "SL438: a change of the signers waits already: sign it with `sluice policy signers sign`, or remove `{SIGNERS_CHANGE_FILE}`"
    )]
    Waiting,
    /// SL439. None waits.
    #[error("SL439: no change of the signers waits: `sluice policy signers propose` makes one")]
    None,
    /// Files of the workspace.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It waits for the word of so many more, of these.
    Waits {
        /// How many.
        missing: usize,
        /// Who could.
        of: BTreeSet<Name>,
    },
    /// It is in force here.
    InForce,
}

/// The change that waits in `folder`.
///
/// # Errors
/// [`ChangeError`] if its file cannot be read.
pub fn waiting(folder: &Path) -> Result<Option<SignersChange>, ChangeError> {
    let path = folder.join(SIGNERS_CHANGE_FILE);
    if !path.exists() {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&read_file(&path)?).into_owned();
    Ok(Some(SignersChange::parse(&text)?))
}

/// Proposes other signers, with the word of one who is pinned.
///
/// # Errors
/// [`ChangeError`] if another change waits, or this one would not count.
pub fn propose(folder: &Path, to: Signers, key: &SecretKey) -> Result<Outcome, ChangeError> {
    let pinned = pinned(folder)?;
    // One that came into force stays for other machines; a new one takes its place.
    if waiting(folder)?.is_some_and(|change| *change.to() != pinned) {
        return Err(ChangeError::Waiting);
    }
    let change = SignersChange::new(&pinned, to)?;
    agree(folder, &pinned, change, key)
}

/// Adds the word of another who is pinned to the change that waits.
///
/// # Errors
/// [`ChangeError`] if none waits, or the signer is not one of those who are asked.
pub fn sign_change(folder: &Path, key: &SecretKey) -> Result<Outcome, ChangeError> {
    let change = waiting(folder)?.ok_or(ChangeError::None)?;
    agree(folder, &pinned(folder)?, change, key)
}

fn agree(folder: &Path, pinned: &Signers, mut change: SignersChange, key: &SecretKey) -> Result<Outcome, ChangeError> {
    change.sign(pinned, key)?;
    let path = folder.join(SIGNERS_CHANGE_FILE);
    replace(&path, change.to_text().as_bytes()).map_err(|source| OpenError::Io { path, source })?;
    apply(folder)
}

/// Brings the change that waits into force here, if as many agreed as must.
///
/// # Errors
/// [`ChangeError`] if none waits, or it does not count.
pub fn apply(folder: &Path) -> Result<Outcome, ChangeError> {
    let change = waiting(folder)?.ok_or(ChangeError::None)?;
    let home = Home::of(folder)?;
    let pinned = read_signers(&home)?;
    if *change.to() == pinned {
        return Ok(Outcome::InForce);
    }
    let to = match change.accepted(&pinned) {
        Ok(to) => to,
        Err(SignersError::Unsigned { found, needed }) => {
            let agreed: BTreeSet<&Name> = change.signed_by().collect();
            let of = pinned.names().filter(|name| !agreed.contains(name)).cloned().collect();
            return Ok(Outcome::Waits { missing: needed.saturating_sub(found), of });
        }
        Err(error) => return Err(error.into()),
    };
    // In the log before it counts: a crash here leaves an entry about signers who are pinned when it is applied again.
    record(&Ledger::open(folder, &home)?, &pinned, to, &change)?;
    let path = home.signers();
    replace(&path, to.to_text().as_bytes()).map_err(|source| OpenError::Io { path, source })?;
    Ok(Outcome::InForce)
}

fn record(ledger: &Ledger, from: &Signers, to: &Signers, change: &SignersChange) -> Result<(), LedgerError> {
    let count = u64::try_from(to.names().count()).unwrap_or(u64::MAX);
    let body = Map::new().with("signers", count).with("solo", to.is_solo());
    let payload = json!({ "version": 1, "from": from.to_text(), "to": to.to_text(), "change": change.to_text() });
    let record = NewRecord::new(EntryKind::SIGNERS_CHANGED, ledger.clock().now_ms(), body)
        .with_payload(Payload::of_run(payload.to_string().into_bytes()));
    ledger.append(vec![record]).map(|_| ())
}

impl From<crate::home::HomeError> for ChangeError {
    fn from(error: crate::home::HomeError) -> Self {
        Self::Open(error.into())
    }
}
