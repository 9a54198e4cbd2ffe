//! The kill switch: what was stopped is called by nobody, from the next gate on, in every process. A person stops, or an
//! incident does; only a person lets go on.

use std::fmt;

use serde_json::json;
use sluice_core::label::Name;
use sluice_ledger::EntryKind;
use sluice_ledger::cbor::Map;
use sluice_store::{AppendError, Conflict, Count, FactExpect, FactIs, NewRecord, Payload};

use crate::ledger::{Ledger, LedgerError};

/// How often in a row others may be faster.
const TRIES_MAX: u32 = 64;

/// What can be stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Every call.
    Everything,
    /// Calls of a connector.
    Connector(Name),
    /// Calls of one action of it.
    Action(Name, Name),
    /// Calls in the name of a person or service.
    Principal(Name),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => f.write_str("everything"),
            Self::Connector(connector) => write!(f, "connector {connector}"),
            Self::Action(connector, action) => write!(f, "action {connector}.{action}"),
            Self::Principal(principal) => write!(f, "calls in the name of {principal}"),
        }
    }
}

impl Stop {
    /// Counted up with every stop and every release: what is odd is stopped.
    fn key(&self) -> String {
        match self {
            Self::Everything => "stop/everything".to_owned(),
            Self::Connector(connector) => format!("stop/connector/{connector}"),
            Self::Action(connector, action) => format!("stop/action/{connector}/{action}"),
            Self::Principal(principal) => format!("stop/principal/{principal}"),
        }
    }

    /// Whether it is stopped now. What cannot be read counts as stopped.
    #[must_use]
    pub fn holds(&self, ledger: &Ledger) -> bool {
        self.count(ledger).map_or(true, is_odd)
    }

    fn count(&self, ledger: &Ledger) -> Result<u64, LedgerError> {
        let key = self.key();
        ledger.look(|records| records.fact(&key))
    }

    /// Stops it, or lets it go on, on somebody's word; `false` if it stands so already.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be recorded.
    pub fn set(&self, ledger: &Ledger, is_stopped: bool, person: &str, reason: &str) -> Result<bool, LedgerError> {
        self.set_with(ledger, is_stopped, Vec::new(), json!({ "person": person, "reason": reason }))
    }

    /// The same with entries that are written in any case, in the same commit, and `why` in the payload.
    pub(crate) fn set_with(
        &self,
        ledger: &Ledger,
        is_stopped: bool,
        beside: Vec<NewRecord>,
        mut why: serde_json::Value,
    ) -> Result<bool, LedgerError> {
        let kind = if is_stopped { EntryKind::STOPPED } else { EntryKind::GOES_ON };
        if let Some(fields) = why.as_object_mut() {
            fields.insert("what".to_owned(), self.to_string().into());
        }
        let payload = Payload::of_run(why.to_string().into_bytes());
        let mut tries = 0;
        loop {
            let count = self.count(ledger)?;
            let mut records = beside.clone();
            if is_odd(count) != is_stopped {
                let mut record =
                    NewRecord::new(kind, ledger.clock().now_ms(), Map::new()).with_payload(payload.clone());
                record.counts.push(Count { key: self.key(), add: 1 });
                records.push(record);
            }
            let is_news = records.len() > beside.len();
            if records.is_empty() {
                return Ok(false);
            }
            // Two that stop it at once must not let it go on.
            let expect = FactExpect { key: self.key(), is: FactIs::Exactly(count) };
            tries += 1;
            match ledger.append_if(records, vec![expect]) {
                Err(LedgerError::Append(AppendError::Conflict(Conflict::Fact { .. }))) if tries < TRIES_MAX => {}
                written => return written.map(|_| is_news),
            }
        }
    }

    /// What stops a call now, if anything does, from the most to the least. What cannot be read counts as stopped.
    pub(crate) fn of_call(ledger: &Ledger, connector: &Name, action: &Name, principal: &Name) -> Option<Self> {
        let all = [
            Self::Everything,
            Self::Connector(connector.clone()),
            Self::Action(connector.clone(), action.clone()),
            Self::Principal(principal.clone()),
        ];
        let keys = all.each_ref().map(Self::key);
        let Ok(counts) = ledger.look(|records| records.facts(&keys)) else { return Some(Self::Everything) };
        all.into_iter().zip(counts).find(|(_, count)| count % 2 == 1).map(|(stop, _)| stop)
    }
}

/// Counted up with every stop and every release.
const fn is_odd(count: u64) -> bool {
    count % 2 == 1
}
