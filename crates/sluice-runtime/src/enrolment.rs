//! Passkeys of people, in the ledger: who has which, since when, and how it was known that it was them.
//!
//! An enrolment is an entry like any other, so whoever audits an approval finds the key that it was checked with, and when it
//! came to stand for its person.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use sluice_core::contract::approval::Enrolled;
use sluice_core::contract::digest::to_hex;
use sluice_core::label::Name;
use sluice_ledger::cbor::Map;
use sluice_ledger::{Entry, EntryKind};
use sluice_passkey::{Passkey, PasskeyKey, RelyingParty};
use sluice_store::{FIELD_APPROVAL, NewRecord, Payload, Recorded};

use crate::approvals::unhex;
use crate::ledger::{Ledger, LedgerError};

/// The name under which entries about passkeys are found.
pub(crate) const TOPIC: &str = "passkeys";

/// How it was known that a passkey is somebody's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// They had the one-time code that the operator printed.
    ByCode,
    /// They were logged in, in this way.
    ByLogin(String),
}

/// A passkey of the list, with when it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Whose it is, and what its answers are checked with.
    pub enrolled: Enrolled,
    /// When, in milliseconds since 1970.
    pub since_ms: u64,
    /// The entry that says so.
    pub entry: u64,
    /// How it was known to be theirs, in words.
    pub known: String,
}

/// The passkeys that count now. What cannot be opened stands for nobody.
///
/// # Errors
/// [`LedgerError`] if the ledger cannot be read.
pub fn passkeys(ledger: &Ledger) -> Result<Vec<Listed>, LedgerError> {
    let mut listed: Vec<Listed> = Vec::new();
    for recorded in ledger.about(TOPIC)? {
        match recorded.entry.kind {
            EntryKind::PASSKEY_ENROLLED => listed.extend(read(&recorded)),
            EntryKind::PASSKEY_REMOVED => {
                let removed = payload(&recorded).and_then(|said| unhex(said.get("passkey")?.as_str()?));
                // A removal that cannot be read may have meant any of them.
                match removed {
                    Some(id) => listed.retain(|one| one.enrolled.passkey.id != id),
                    None => listed.clear(),
                }
            }
            _ => {}
        }
    }
    Ok(listed)
}

/// The same for whoever only looks at the list: it is read again once another entry tells of passkeys, or a key is destroyed.
///
/// # Errors
/// [`LedgerError`] if the ledger cannot be read.
pub fn passkeys_seen(ledger: &Ledger) -> Result<Arc<Vec<Listed>>, LedgerError> {
    let stand = ledger.look(|records| records.stand(None, Some(TOPIC)))?;
    let kept = &ledger.kept().passkeys;
    if let Some(listed) = kept.get(TOPIC, &[stand]) {
        return Ok(listed);
    }
    let listed = Arc::new(passkeys(ledger)?);
    kept.put(TOPIC, &[stand], &listed, 512 * listed.len());
    Ok(listed)
}

/// Records that a passkey stands for a person from now on.
///
/// # Errors
/// [`LedgerError`] if it cannot be recorded.
pub fn enrol(ledger: &Ledger, enrolled: &Enrolled, known: &Known) -> Result<(), LedgerError> {
    let known = match known {
        Known::ByCode => "a one-time code".to_owned(),
        Known::ByLogin(how) => format!("a login by {how}"),
    };
    let said = json!({
        "version": 1,
        "person": enrolled.person,
        "passkey": to_hex(&enrolled.passkey.id),
        "key": to_hex(&enrolled.passkey.key.to_cose()),
        "counter": enrolled.passkey.counter,
        "domain": enrolled.party.id,
        "origin": enrolled.party.origin,
        "known": known,
    });
    write(ledger, EntryKind::PASSKEY_ENROLLED, &said)
}

/// Records that a passkey stands for nobody any more, on `by`'s word.
///
/// # Errors
/// [`LedgerError`] if it cannot be recorded.
pub fn remove(ledger: &Ledger, id: &[u8], by: &Name) -> Result<(), LedgerError> {
    write(ledger, EntryKind::PASSKEY_REMOVED, &json!({ "version": 1, "passkey": to_hex(id), "by": by }))
}

fn write(ledger: &Ledger, kind: EntryKind, said: &Json) -> Result<(), LedgerError> {
    let body = Map::new().with(FIELD_APPROVAL, TOPIC);
    let record = NewRecord::new(kind, ledger.clock().now_ms(), body)
        .with_payload(Payload::of_run(said.to_string().into_bytes()));
    ledger.append(vec![record])?;
    Ok(())
}

fn payload(recorded: &Recorded) -> Option<Json> {
    serde_json::from_slice(recorded.payload.opened()?).ok()
}

fn read(recorded: &Recorded) -> Option<Listed> {
    listed(&recorded.entry, &payload(recorded)?)
}

/// What an entry of an enrolment says, with its payload.
pub(crate) fn listed(entry: &Entry, said: &Json) -> Option<Listed> {
    let text = |key: &str| said.get(key).and_then(Json::as_str);
    let enrolled = Enrolled {
        person: text("person")?.into(),
        passkey: Passkey {
            id: unhex(text("passkey")?)?,
            key: PasskeyKey::parse(&unhex(text("key")?)?).ok()?,
            counter: u32::try_from(said.get("counter")?.as_u64()?).ok()?,
        },
        party: RelyingParty { id: text("domain")?.to_owned(), origin: text("origin")?.to_owned() },
    };
    let (since_ms, entry) = (entry.time_ms, entry.log.get());
    Some(Listed { enrolled, since_ms, entry, known: text("known").unwrap_or_default().to_owned() })
}
