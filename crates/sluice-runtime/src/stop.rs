//! The kill switch: what was stopped is called by nobody, from the next gate on, in every process. A person stops, or an
//! incident does; only a person lets go on.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::json;
use sluice_core::label::Name;
use sluice_ledger::EntryKind;
use sluice_ledger::cbor::Map;
use sluice_policy::Acting;
use sluice_store::{AppendError, Conflict, Count, FIELD_COUNTS, FactExpect, FactIs, NewRecord, Page, Payload, Query};

use crate::ledger::{Ledger, LedgerError};

/// How often in a row others may be faster.
const TRIES_MAX: u32 = 64;
/// Entries that are read at once.
const PAGE: u64 = 500;

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
    /// Runs of a workflow, by its name: `namespace/name`.
    Workflow(Name),
    /// Runs of whatever this person or model wrote.
    Author(Name),
}

/// What a call is of: what could have been stopped.
#[derive(Clone, Copy)]
pub struct OfCall<'a> {
    /// Whom it calls.
    pub connector: &'a Name,
    /// What of it.
    pub action: &'a Name,
    /// In whose name.
    pub principal: &'a Name,
    /// The workflow that it is a step of; a word without `/` if it is none's.
    pub workflow: &'a str,
    /// Who wrote that.
    pub author: &'a Acting,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => f.write_str("everything"),
            Self::Connector(connector) => write!(f, "connector {connector}"),
            Self::Action(connector, action) => write!(f, "action {connector}.{action}"),
            Self::Principal(principal) => write!(f, "calls in the name of {principal}"),
            Self::Workflow(workflow) => write!(f, "workflow {workflow}"),
            Self::Author(author) => write!(f, "workflows that {author} wrote"),
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
            Self::Workflow(workflow) => format!("stop/workflow/{workflow}"),
            Self::Author(author) => format!("stop/author/{author}"),
        }
    }

    /// What a key is of.
    fn of_key(key: &str) -> Option<Self> {
        let (what, name) = key.strip_prefix("stop/").map(|rest| rest.split_once('/').unwrap_or((rest, "")))?;
        Some(match what {
            "everything" => Self::Everything,
            "connector" => Self::Connector(name.into()),
            "action" => {
                name.split_once('/').map(|(connector, action)| Self::Action(connector.into(), action.into()))?
            }
            "principal" => Self::Principal(name.into()),
            "workflow" => Self::Workflow(name.into()),
            "author" => Self::Author(name.into()),
            _ => return None,
        })
    }

    /// All that is stopped now, as far as entries tell.
    ///
    /// # Errors
    /// [`LedgerError`] if the ledger cannot be read.
    pub fn all(ledger: &Ledger) -> Result<Vec<Self>, LedgerError> {
        let wanted = Query { kind: Some(EntryKind::STOPPED), ..Query::default() };
        let (mut keys, mut before) = (BTreeSet::new(), None);
        loop {
            let found = ledger.look(|records| records.find_page(&wanted, Page { before, count: PAGE }))?;
            before = found.last().map(|last| last.entry.log.get());
            let counted = found.iter().filter_map(|recorded| recorded.entry.body.get(FIELD_COUNTS)?.as_map());
            keys.extend(counted.flat_map(|counts| counts.iter().map(|(key, _)| key.to_string())));
            if (found.len() as u64) < PAGE {
                break;
            }
        }
        let stops = keys.iter().filter_map(|key| Self::of_key(key));
        Ok(stops.filter(|stop| stop.holds(ledger)).collect())
    }

    /// What stops a run of this workflow from starting, if anything does. What cannot be read counts as stopped.
    #[must_use]
    pub fn of_workflow(ledger: &Ledger, workflow: &str, author: &Acting) -> Option<Self> {
        let all = [Self::Everything, Self::Workflow(workflow.into()), Self::Author(author_of(author))];
        all.into_iter().find(|stop| stop.holds(ledger))
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
    pub(crate) fn of_call(ledger: &Ledger, call: &OfCall<'_>) -> Option<Self> {
        let all = [
            Self::Everything,
            Self::Connector(call.connector.clone()),
            Self::Action(call.connector.clone(), call.action.clone()),
            Self::Principal(call.principal.clone()),
            Self::Workflow(call.workflow.into()),
            Self::Author(author_of(call.author)),
        ];
        let keys = all.each_ref().map(Self::key);
        let Ok(counts) = ledger.look(|records| records.facts(&keys)) else { return Some(Self::Everything) };
        all.into_iter().zip(counts).find(|(_, count)| count % 2 == 1).map(|(stop, _)| stop)
    }
}

/// The name by which an author is stopped; nobody's if nobody said who wrote it.
fn author_of(author: &Acting) -> Name {
    match author {
        Acting::Person { id } | Acting::Model { id } => id.clone(),
        Acting::Unknown => "".into(),
    }
}

/// Counted up with every stop and every release.
const fn is_odd(count: u64) -> bool {
    count % 2 == 1
}
