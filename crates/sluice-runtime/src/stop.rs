//! The kill switch: whatever a person stopped is called by nobody, from the next gate on, in every process.

use std::fmt;

use serde_json::json;
use sluice_core::label::Name;
use sluice_ledger::EntryKind;
use sluice_ledger::cbor::Map;
use sluice_store::{Count, NewRecord, Payload};

use crate::ledger::{Ledger, LedgerError};

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
        let key = self.key();
        ledger.look(|records| records.fact(&key)).map_or(true, |count| count % 2 == 1)
    }

    /// Stops it, or lets it go on, on somebody's word; `false` if it stands so already.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be recorded.
    pub fn set(&self, ledger: &Ledger, is_stopped: bool, person: &str, reason: &str) -> Result<bool, LedgerError> {
        if self.holds(ledger) == is_stopped {
            return Ok(false);
        }
        let kind = if is_stopped { EntryKind::STOPPED } else { EntryKind::GOES_ON };
        let payload = json!({ "what": self.to_string(), "person": person, "reason": reason }).to_string();
        let mut record = NewRecord::new(kind, ledger.clock().now_ms(), Map::new())
            .with_payload(Payload::of_run(payload.into_bytes()));
        record.counts.push(Count { key: self.key(), add: 1 });
        ledger.append(vec![record])?;
        Ok(true)
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
