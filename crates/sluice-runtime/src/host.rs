//! The world of one run in production: the ledger, the gate, the connectors, the clock.

use std::cell::Cell;
use std::time::Duration;

use futures_util::future::FutureExt as _;
use sluice_core::contract::approval::SignedStatement;
use sluice_core::contract::closure::ClosureDigest;
use sluice_core::label::Name;
use sluice_engine::{
    Call, CallOutcome, Fact, GateAnswer, Permitted, Question, Record, RecordError, Resolution, ValueQuestion,
};
use sluice_store::{AppendError, Batch, Count, Epoch, Expect, NewRecord, Payload};
use thiserror::Error;

use crate::approvals::statements;
use crate::clock::now_ms;
use crate::connect::Connectors;
use crate::driver::Host;
use crate::gate::{Evidence, RunGate, Versions, approval_id};
use crate::ledger::Ledger;

const HOUR_MS: u64 = 3_600_000;

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
    /// A record that cannot be written.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl Host for LiveHost<'_> {
    type Error = HostError;

    fn now_ms(&self) -> u64 {
        now_ms()
    }

    fn ask(&self, question: &Question) -> Option<GateAnswer> {
        let now_ms = now_ms();
        let needs_nothing = self.gate.reads(question, now_ms).is_empty();
        needs_nothing.then(|| self.gate.answer(question, &Versions::default(), now_ms))
    }

    async fn read_and_ask(&self, question: &Question) -> GateAnswer {
        let mut versions = Versions::default();
        for read in self.gate.reads(question, now_ms()) {
            let reply = match read.call {
                Ok(call) => self.connectors.read(&call).await,
                Err(why) => Err(why),
            };
            versions.add(read.argument, reply);
        }
        self.gate.answer(question, &versions, now_ms())
    }

    fn ask_for_word(&self, question: &ValueQuestion) -> GateAnswer {
        self.gate.word(question, now_ms())
    }

    async fn commit(&self, records: Vec<Record>) -> Result<(), HostError> {
        let run = self.gate.run;
        let ends = records.iter().any(|r| {
            matches!(r.fact, Fact::Completed { .. } | Fact::Refused { .. } | Fact::Faulted { .. } | Fact::Recovered)
        });
        let count = u64::try_from(records.len()).unwrap_or(u64::MAX);
        let records = records.iter().map(|r| new_record(r, &self.workflow)).collect::<Result<Vec<_>, _>>()?;
        if ends {
            self.ledger.want_checkpoint();
        }
        let expect = Expect::run(run, self.next_seq.get(), self.epoch);
        let (tell, told) = futures_channel::oneshot::channel();
        self.ledger.writer().submit_with(Batch { records, expect }, move |result| {
            // Nobody listens any more: the entries are written all the same.
            let _ = tell.send(result);
        });
        told.map(|answer| answer.unwrap_or(Err(AppendError::Unknown))).await?;
        self.next_seq.set(self.next_seq.get().saturating_add(count));
        Ok(())
    }

    async fn call(&self, call: Permitted<Call>) -> CallOutcome {
        self.connectors.perform(call).await
    }

    async fn look_up(&self, action: Name, call: Call) -> Option<Resolution> {
        self.connectors.look_up(&action, &call).await
    }

    async fn sleep_until(&self, at_ms: u64) {
        tokio::time::sleep(Duration::from_millis(at_ms.saturating_sub(now_ms()))).await;
    }
}

/// A record of the engine as the store takes it.
///
/// # Errors
/// [`RecordError`] if a value cannot be written.
pub fn new_record(record: &Record, workflow: &str) -> Result<NewRecord, RecordError> {
    let mut new = NewRecord::new(record.fact.kind(), record.time_ms, record.fact.body())
        .of_run(record.run)
        .with_payload(Payload::of_run(record.fact.to_bytes()?));
    match &record.fact {
        Fact::Intended { action, .. } => {
            new.counts.push(Count { key: hourly(action, record.time_ms), add: 1 });
            new.counts.push(Count { key: seen(workflow, action), add: 1 });
        }
        Fact::Decided { answer: GateAnswer::Permit { receipt }, .. } => {
            let uses = receipt.pointer("/more/uses").and_then(|u| u.as_array()).cloned().unwrap_or_default();
            new.uses = uses.iter().filter_map(|u| u.as_str().map(str::to_owned)).collect();
        }
        _ => {}
    }
    Ok(new)
}

fn hourly(action: &str, time_ms: u64) -> String {
    format!("per-hour/{action}/{}", time_ms / HOUR_MS)
}

fn seen(workflow: &str, action: &str) -> String {
    format!("seen/{workflow}/{action}")
}

/// What is recorded, read from the ledger.
pub struct LedgerEvidence<'a>(pub &'a Ledger);

impl Evidence for LedgerEvidence<'_> {
    fn statements(&self, digest: ClosureDigest) -> Vec<SignedStatement> {
        // What cannot be read counts for nothing.
        statements(self.0, &approval_id(digest)).unwrap_or_default()
    }

    fn calls_this_hour(&self, action: &str) -> u64 {
        let key = hourly(action, now_ms());
        // Unreadable counts as too many.
        self.0.look(|records| records.fact(&key)).unwrap_or(u64::MAX)
    }

    fn was_seen(&self, workflow: &str, action: &str, _resource: &str) -> bool {
        let key = seen(workflow, action);
        self.0.look(|records| records.fact(&key)).is_ok_and(|count| count > 0)
    }
}
