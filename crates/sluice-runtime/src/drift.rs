//! A server that says something else of a tool than people have seen: what it said, for whoever compares the two. The tool
//! is not offered while that is so; nothing is decided by these entries.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use sluice_core::contract::Digest;
use sluice_core::contract::lock::{Pin, Pins, digest_of};
use sluice_core::label::Name;
use sluice_ledger::EntryKind;
use sluice_ledger::cbor::{Map, Value};
use sluice_store::{NewRecord, Page, Payload, Query, Recorded};

use crate::ledger::{Ledger, LedgerError};

/// Entries that are looked through for the last one about each tool.
const LATELY: u64 = 500;
/// Most bytes of a definition that an entry keeps; of a longer one it keeps the digest.
const DEFINITION_BYTES_MAX: usize = 16 << 10;
/// Most entries in an hour: a server that says something new each time fills no disk.
const PER_HOUR_MAX: usize = 100;
const HOUR_MS: u64 = 3_600_000;

/// What a server said of a tool that nobody pinned so.
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    /// The server.
    pub connector: Name,
    /// The tool, by its name there.
    pub tool: String,
    /// The digest of what people have seen, if they have seen anything of it.
    pub pinned: Option<Digest>,
    /// The digest of what the server said.
    pub said: Digest,
    /// That itself, unless it is too long for an entry.
    pub definition: Option<Json>,
}

/// The last of each tool, and where and when it was recorded: (log index, ms since 1970).
pub type Drifts = BTreeMap<(Name, String), (u64, u64, Drift)>;

impl Drift {
    /// Of a tool as it was listed, beside the pins of its server.
    #[must_use]
    pub fn of(connector: &Name, tool: &str, definition: &Json, pins: &Pins) -> Self {
        Self {
            connector: connector.clone(),
            tool: tool.to_owned(),
            pinned: pins.tools.get(tool).map(Pin::digest),
            said: digest_of(definition),
            definition: Some(definition.clone()).filter(|json| json.to_string().len() <= DEFINITION_BYTES_MAX),
        }
    }

    /// Whether it is still news: the pin is the one beside which it was seen.
    #[must_use]
    pub fn is_open(&self, pins: &Pins) -> bool {
        pins.tools.get(self.tool.as_str()).map(Pin::digest) == self.pinned
    }

    /// The one that an entry tells. What cannot be opened any more, and what a later version writes there, is left out.
    #[must_use]
    pub fn read(recorded: &Recorded) -> Option<Self> {
        let entry = &recorded.entry;
        let digest = |key: &str| {
            let bytes = entry.body.get(key).and_then(Value::as_bytes)?;
            Some(Digest(<[u8; 32]>::try_from(bytes).ok()?))
        };
        let payload: Json = serde_json::from_slice(recorded.payload.opened()?).ok()?;
        let drift = Self {
            connector: entry.body.get("connector")?.as_text()?.into(),
            tool: payload.get("tool")?.as_str()?.to_owned(),
            pinned: digest("pinned"),
            said: digest("said")?,
            definition: payload.get("definition").filter(|definition| !definition.is_null()).cloned(),
        };
        (entry.kind == EntryKind::DRIFTED).then_some(drift)
    }

    /// The last one of each tool, of what was recorded lately.
    ///
    /// # Errors
    /// [`LedgerError`] if the ledger cannot be read.
    pub fn lately(ledger: &Ledger) -> Result<Drifts, LedgerError> {
        Ok(last_of_each(&recorded(ledger)?))
    }

    /// Records those that were not the last to be said of their tools: a server that starts every minute says the same each
    /// time. Of more than a hundred an hour the rest is left out.
    ///
    /// # Errors
    /// [`LedgerError`] if the ledger cannot be read or written.
    pub fn record(drifts: &[Self], ledger: &Ledger) -> Result<(), LedgerError> {
        if drifts.is_empty() {
            return Ok(());
        }
        let before = recorded(ledger)?;
        let since_ms = ledger.clock().now_ms().saturating_sub(HOUR_MS);
        let lately = before.iter().filter(|recorded| recorded.entry.time_ms >= since_ms).count();
        let last = last_of_each(&before);
        let is_news = |drift: &&Self| {
            let before = last.get(&(drift.connector.clone(), drift.tool.clone()));
            before.is_none_or(|(_, _, before)| (before.pinned, before.said) != (drift.pinned, drift.said))
        };
        let news = drifts.iter().filter(is_news).take(PER_HOUR_MAX.saturating_sub(lately));
        let records: Vec<NewRecord> = news.map(|drift| drift.entry(ledger)).collect();
        if !records.is_empty() {
            ledger.append(records)?;
        }
        Ok(())
    }

    /// A tool's name and words are the server's own, so they lie in the payload.
    fn entry(&self, ledger: &Ledger) -> NewRecord {
        let body = Map::new().with("connector", &*self.connector).with("said", self.said.0.to_vec());
        let body = match self.pinned {
            Some(pinned) => body.with("pinned", pinned.0.to_vec()),
            None => body,
        };
        let payload = json!({ "tool": self.tool, "definition": self.definition });
        let payload = Payload::of_run(payload.to_string().into_bytes());
        NewRecord::new(EntryKind::DRIFTED, ledger.clock().now_ms(), body).with_payload(payload)
    }
}

/// What was recorded lately, the newest first.
fn recorded(ledger: &Ledger) -> Result<Vec<Recorded>, LedgerError> {
    let wanted = Query { kind: Some(EntryKind::DRIFTED), ..Query::default() };
    ledger.look(|records| records.find_page(&wanted, Page { before: None, count: LATELY }))
}

fn last_of_each(newest_first: &[Recorded]) -> Drifts {
    let mut last = Drifts::new();
    for recorded in newest_first {
        let Some(drift) = Drift::read(recorded) else { continue };
        let (index, time_ms) = (recorded.entry.log.get(), recorded.entry.time_ms);
        last.entry((drift.connector.clone(), drift.tool.clone())).or_insert((index, time_ms, drift));
    }
    last
}
