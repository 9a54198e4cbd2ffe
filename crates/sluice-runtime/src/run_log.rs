//! The entries of one run: each in its place, under the claim that its driver holds.

use std::cell::{Cell, RefCell};

use sluice_core::subject::Subjects;
use sluice_engine::{Fact, GateAnswer, Record, RecordError};
use sluice_ledger::cbor::Map;
use sluice_ledger::{EntryKind, RunId};
use sluice_store::{
    AppendError, Appended, Batch, Epoch, Expect, FIELD_APPROVAL, FactExpect, NewRecord, Payload, Subjects as SealedFor,
};

use crate::budgets;
use crate::counts::{added, expected};
use crate::host::HostError;
use crate::ledger::Ledger;

/// Where the entries of one run go.
pub struct RunLog<'a> {
    ledger: &'a Ledger,
    run: RunId,
    /// The name under which "seen before" counts.
    workflow: String,
    /// How many entries the run has.
    next_seq: Cell<u64>,
    /// Under which claim it is driven.
    epoch: Epoch,
    /// Approvals whose time ran out, to be told with what is written next.
    expired: RefCell<Vec<String>>,
}

impl<'a> RunLog<'a> {
    /// The log of a run that has `next_seq` entries.
    #[must_use]
    pub const fn new(ledger: &'a Ledger, run: RunId, workflow: String, next_seq: u64, epoch: Epoch) -> Self {
        Self { ledger, run, workflow, next_seq: Cell::new(next_seq), epoch, expired: RefCell::new(Vec::new()) }
    }

    /// Tells with the next entries that the time of these approvals ran out: in one commit with what the run then does, so
    /// that a crash loses neither.
    pub(crate) fn tell_expired(&self, approvals: Vec<String>) {
        self.expired.borrow_mut().extend(approvals);
    }

    /// The ledger that they go to.
    #[must_use]
    pub const fn ledger(&self) -> &'a Ledger {
        self.ledger
    }

    /// The run.
    #[must_use]
    pub const fn run(&self) -> RunId {
        self.run
    }

    /// The name under which "seen before" counts.
    #[must_use]
    pub fn workflow(&self) -> &str {
        &self.workflow
    }

    /// Writes records, durably and whole, or none of them.
    ///
    /// # Errors
    /// [`HostError`]; a [`sluice_store::Conflict::Fact`] if what a gate counted has moved since.
    pub async fn write(&self, records: &[Record]) -> Result<(), HostError> {
        self.write_if(records, Vec::new()).await
    }

    /// The same, if `facts` hold as well.
    ///
    /// # Errors
    /// As [`RunLog::write`].
    pub async fn write_if(&self, records: &[Record], facts: Vec<FactExpect>) -> Result<(), HostError> {
        let (tell, told) = futures_channel::oneshot::channel();
        let batch = self.batch(records, facts)?;
        self.ledger.writer().submit_with(batch, move |result| {
            // Nobody listens any more: the entries are written all the same.
            let _ = tell.send(result);
        });
        told.await.unwrap_or(Err(AppendError::Unknown))?;
        self.expired.borrow_mut().clear();
        self.count(records);
        Ok(())
    }

    /// Hands records to the writer and does not wait. They keep their place before all that is handed in later, and share
    /// the commit of what comes next, if it comes within a few milliseconds.
    ///
    /// # Errors
    /// [`HostError`] if a record cannot be written at all; what the ledger says comes to `answer`.
    pub fn write_later(
        &self,
        records: &[Record],
        answer: impl FnOnce(Result<Appended, AppendError>) + Send + 'static,
    ) -> Result<(), HostError> {
        let batch = self.batch(records, Vec::new())?;
        self.ledger.writer().submit_later(batch, answer);
        self.count(records);
        Ok(())
    }

    fn count(&self, records: &[Record]) {
        let count = u64::try_from(records.len()).unwrap_or(u64::MAX);
        self.next_seq.set(self.next_seq.get().saturating_add(count));
    }

    fn batch(&self, records: &[Record], facts: Vec<FactExpect>) -> Result<Batch, HostError> {
        let ends = records.iter().any(|r| {
            matches!(r.fact, Fact::Completed { .. } | Fact::Refused { .. } | Fact::Faulted { .. } | Fact::Recovered)
        });
        let mut expect = Expect::run(self.run, self.next_seq.get(), self.epoch);
        expect.facts = expected(records, &self.workflow);
        expect.facts.extend(budgets::expected(records));
        expect.facts.extend(facts);
        let mut records = records.iter().map(|r| self.new_record(r)).collect::<Result<Vec<_>, _>>()?;
        let expired = |approval: &String| {
            let body = Map::new().with(FIELD_APPROVAL, approval.as_str());
            NewRecord::new(EntryKind::EXPIRED, self.ledger.clock().now_ms(), body)
        };
        records.extend(self.expired.borrow().iter().map(expired));
        if ends {
            self.ledger.want_checkpoint();
        }
        Ok(Batch { records, expect })
    }

    /// Who resolved a call stands in the open body by pseudonym: their name is in the sealed payload alone.
    fn new_record(&self, record: &Record) -> Result<NewRecord, HostError> {
        let mut new = new_record(record, &self.workflow)?;
        if let Fact::Resolved { by: Some(person), .. } = &record.fact {
            let person = person.clone();
            let pseudonym = self.ledger.read(move |records| records.keys().pseudonym(&person))?;
            new.body = new.body.with("person", pseudonym.as_bytes().to_vec());
        }
        Ok(new)
    }
}

/// A record of the engine as the store takes it, but for the pseudonyms of people.
///
/// # Errors
/// [`RecordError`] if a value cannot be written.
pub fn new_record(record: &Record, workflow: &str) -> Result<NewRecord, RecordError> {
    let mut new = NewRecord::new(record.fact.kind(), record.time_ms, record.fact.body())
        .of_run(record.run)
        .with_payload(Payload { bytes: record.fact.to_bytes()?, subjects: sealed_for(&record.subjects) });
    match &record.fact {
        Fact::Intended { action, .. } => {
            new.counts = added(workflow, action, record.time_ms);
        }
        Fact::Decided { answer, .. } => {
            let receipt = match answer {
                GateAnswer::Permit { receipt } => receipt,
                _ => &serde_json::Value::Null,
            };
            new.counts = budgets::added(answer).collect();
            let uses = receipt.pointer("/more/uses").and_then(|u| u.as_array()).cloned().unwrap_or_default();
            new.uses = uses.iter().filter_map(|u| u.as_str().map(str::to_owned)).collect();
        }
        _ => {}
    }
    Ok(new)
}

fn sealed_for(subjects: &Subjects) -> SealedFor {
    match subjects {
        Subjects::Named(named) => SealedFor::Named(named.iter().map(ToString::to_string).collect()),
        Subjects::Anybody => SealedFor::Anybody,
    }
}
