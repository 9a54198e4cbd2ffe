//! The world of one run in production: the ledger, the gate, the connectors, the clock.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::FutureExt as _;
use sluice_core::contract::approval::SignedStatement;
use sluice_core::contract::closure::ClosureDigest;
use sluice_core::label::Name;
use sluice_core::subject::Subjects;
use sluice_engine::{
    Call, CallOutcome, Fact, GateAnswer, Permitted, Question, Record, RecordError, Resolution, ValueQuestion,
};
use sluice_store::{AppendError, Batch, Conflict, Epoch, Expect, NewRecord, Payload, Subjects as SealedFor};
use thiserror::Error;

use crate::approvals::statements;
use crate::clock::now_ms;
use crate::connect::Connectors;
use crate::counts::{added, expected, hourly, seen};
use crate::driver::{Host, NotCommitted};
use crate::gate::{Evidence, RunGate, Versions, approval_id};
use crate::ledger::{Ledger, LedgerError};

/// The host of one run.
pub struct LiveHost<'a> {
    /// Answers for policy.
    pub gate: RunGate<'a, LedgerEvidence<'a>>,
    /// Where entries go.
    pub ledger: &'a Ledger,
    /// The only way out.
    pub connectors: &'a Connectors,
    /// The name under which "seen before" counts.
    pub workflow: String,
    /// How many entries the run has.
    pub next_seq: Cell<u64>,
    /// Under which claim it is driven.
    pub epoch: Epoch,
}

/// Why entries were not taken.
#[derive(Debug, Error)]
pub enum HostError {
    /// The ledger.
    #[error("{code}: {0}", code = .0.code())]
    Append(#[from] AppendError),
    /// The pseudonym of a person.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A record that cannot be written.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl Host for LiveHost<'_> {
    type Error = HostError;

    fn now_ms(&self) -> u64 {
        self.ledger.clock().now_ms()
    }

    fn ask(&self, question: &Question) -> Option<GateAnswer> {
        let now_ms = self.now_ms();
        let needs_nothing = self.gate.reads(question, now_ms).is_empty();
        needs_nothing.then(|| self.answer(question, &Versions::default(), now_ms))
    }

    async fn read_and_ask(&self, question: &Question) -> GateAnswer {
        let mut versions = Versions::default();
        for read in self.gate.reads(question, self.now_ms()) {
            let reply = match read.call {
                Ok(call) => self.connectors.read(&call).await,
                Err(why) => Err(why),
            };
            versions.add(read.argument, reply);
        }
        self.answer(question, &versions, self.now_ms())
    }

    fn ask_for_word(&self, question: &ValueQuestion) -> GateAnswer {
        self.gate.word(question, self.now_ms())
    }

    async fn commit(&self, records: &[Record]) -> Result<(), NotCommitted<HostError>> {
        let written = self.write(records).await;
        self.gate.evidence.forget_permitted();
        written.map_err(|error| match error {
            HostError::Append(AppendError::Conflict(Conflict::Fact { .. })) => NotCommitted::Moved(error),
            error => NotCommitted::Failed(error),
        })
    }

    async fn call(&self, call: Permitted<Call>) -> CallOutcome {
        self.connectors.perform(call).await
    }

    async fn look_up(&self, action: Name, call: Call) -> Option<Resolution> {
        self.connectors.look_up(&action, &call).await
    }

    async fn sleep_until(&self, at_ms: u64) {
        // The machine's own clock: while it is behind, the ledger's stands still.
        tokio::time::sleep(Duration::from_millis(at_ms.saturating_sub(now_ms()))).await;
    }
}

impl LiveHost<'_> {
    /// The gate's answer; a permit counts at once for the next question.
    fn answer(&self, question: &Question, versions: &Versions, now_ms: u64) -> GateAnswer {
        let answer = self.gate.answer(question, versions, now_ms);
        if let (GateAnswer::Permit { .. }, Some((connector, action))) = (&answer, &question.prepared.action) {
            self.gate.evidence.permitted(&format!("{connector}.{action}"));
        }
        answer
    }

    async fn write(&self, records: &[Record]) -> Result<(), HostError> {
        let ends = records.iter().any(|r| {
            matches!(r.fact, Fact::Completed { .. } | Fact::Refused { .. } | Fact::Faulted { .. } | Fact::Recovered)
        });
        let mut expect = Expect::run(self.gate.run, self.next_seq.get(), self.epoch);
        expect.facts = expected(records, &self.workflow);
        let count = u64::try_from(records.len()).unwrap_or(u64::MAX);
        let records = records.iter().map(|r| self.new_record(r)).collect::<Result<Vec<_>, _>>()?;
        if ends {
            self.ledger.want_checkpoint();
        }
        let (tell, told) = futures_channel::oneshot::channel();
        self.ledger.writer().submit_with(Batch { records, expect }, move |result| {
            // Nobody listens any more: the entries are written all the same.
            let _ = tell.send(result);
        });
        told.map(|answer| answer.unwrap_or(Err(AppendError::Unknown))).await?;
        self.next_seq.set(self.next_seq.get().saturating_add(count));
        Ok(())
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
        Fact::Decided { answer: GateAnswer::Permit { receipt }, .. } => {
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

/// What is recorded, read from the ledger; and what this run was permitted since its last commit.
pub struct LedgerEvidence<'a> {
    ledger: &'a Ledger,
    permitted: RefCell<BTreeMap<String, u64>>,
}

impl<'a> LedgerEvidence<'a> {
    /// For one run.
    #[must_use]
    pub const fn new(ledger: &'a Ledger) -> Self {
        Self { ledger, permitted: RefCell::new(BTreeMap::new()) }
    }

    /// Counts a call whose intent is not in the ledger yet: a branch of the same run may ask for the next one before.
    fn permitted(&self, action: &str) {
        *self.permitted.borrow_mut().entry(action.to_owned()).or_default() += 1;
    }

    /// They are in the ledger now, or will be asked for again.
    fn forget_permitted(&self) {
        self.permitted.borrow_mut().clear();
    }
}

impl Evidence for LedgerEvidence<'_> {
    fn statements(&self, digest: ClosureDigest) -> Vec<SignedStatement> {
        // What cannot be read counts for nothing.
        statements(self.ledger, &approval_id(digest)).unwrap_or_default()
    }

    fn calls_this_hour(&self, action: &str, now_ms: u64) -> u64 {
        let key = hourly(action, now_ms);
        // Unreadable counts as too many.
        let recorded = self.ledger.look(|records| records.fact(&key)).unwrap_or(u64::MAX);
        recorded.saturating_add(self.permitted.borrow().get(action).copied().unwrap_or_default())
    }

    fn was_seen(&self, workflow: &str, action: &str, _resource: &str) -> bool {
        let key = seen(workflow, action);
        self.ledger.look(|records| records.fact(&key)).is_ok_and(|count| count > 0)
    }
}
