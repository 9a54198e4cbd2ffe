//! The world of one run in production: the ledger, the gate, the connectors, the clock.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use sluice_core::contract::approval::{Delegated, Enrolled, Known, SignedStatement};
use sluice_core::contract::closure::ClosureDigest;
use sluice_core::label::{Label, Name};
use sluice_engine::{
    Call, CallOutcome, Event, GateAnswer, Permitted, Question, Record, RecordError, Resolution, TokenId, ValueQuestion,
};
use sluice_ledger::LeafIndex;
use sluice_store::{AppendError, Conflict};
use thiserror::Error;

use crate::approvals::{denial, statements};
use crate::budgets::charges;
use crate::clock::now_ms;
use crate::connect::{Connectors, Performed};
use crate::counts::{hourly, seen};
use crate::delegation::delegated;
use crate::driver::{Host, NotCommitted};
use crate::enrolment::passkeys;
use crate::gate::{Evidence, RunGate, Versions, approval_id};
use crate::incident::{Broken, Incident};
use crate::inspection::{Judged, Looked};
use crate::ledger::{Ledger, LedgerError};
use crate::run_log::RunLog;
use crate::stop::{OfCall, Stop};

/// How often it is looked for what people said, while something else is waited for.
const HEAR_EVERY: Duration = Duration::from_millis(250);

/// The host of one run.
pub struct LiveHost<'a> {
    /// Answers for policy.
    pub gate: RunGate<'a, LedgerEvidence<'a>>,
    /// Where entries go.
    pub log: &'a RunLog<'a>,
    /// The only way out.
    pub connectors: &'a Connectors,
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
        self.log.ledger().clock().now_ms()
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
                Ok(call) => self.connectors.read(&call).await.and_then(|reply| self.kept(&call, reply)),
                Err(why) => Err(why),
            };
            versions.add(read.of, reply);
        }
        self.answer(question, &versions, self.now_ms())
    }

    fn ask_for_word(&self, question: &ValueQuestion) -> GateAnswer {
        self.gate.word(question, self.now_ms())
    }

    fn ran_out(&self, approvals: Vec<String>) {
        self.log.tell_expired(approvals);
    }

    async fn commit(&self, records: &[Record]) -> Result<(), NotCommitted<HostError>> {
        let written = self.log.write(records).await;
        self.gate.evidence.forget_permitted();
        written.map_err(|error| match error {
            HostError::Append(AppendError::Conflict(Conflict::Fact { .. })) => NotCommitted::Moved(error),
            error => NotCommitted::Failed(error),
        })
    }

    async fn call(&self, call: Permitted<Call>) -> CallOutcome {
        let of = Called::of(call.peek());
        let Performed { outcome, broken } = self.connectors.perform(call).await;
        let mut broken: Vec<Broken> = broken.into_iter().collect();
        let outcome = match outcome {
            CallOutcome::Replied { reply, .. } => {
                let judged = self.judge(&of, &reply);
                broken.extend(judged.broken);
                match broken.first() {
                    Some(first) => CallOutcome::Breach { why: first.to_string() },
                    None => CallOutcome::Replied { reply, found: judged.found },
                }
            }
            other => other,
        };
        match self.tell(&of, broken) {
            Ok(()) => outcome,
            Err(why) => CallOutcome::Breach { why },
        }
    }

    async fn look_up(&self, action: Name, call: Call) -> Option<Resolution> {
        match self.connectors.look_up(&action, &call).await? {
            Resolution::Happened { reply, .. } => {
                // It is the reply of the call that it is about.
                let of = Called::of(&call);
                let Judged { found, broken } = self.judge(&of, &reply);
                self.tell(&of, broken).ok()?;
                Some(Resolution::Happened { reply, found })
            }
            other => Some(other),
        }
    }

    async fn sleep_until(&self, at_ms: u64) {
        // The machine's own clock: while it is behind, the ledger's stands still.
        tokio::time::sleep(Duration::from_millis(at_ms.saturating_sub(now_ms()))).await;
    }

    async fn hear(&self, held: &[(TokenId, String)]) -> Event {
        loop {
            if let Some((token, approval)) = held.iter().find(|(_, approval)| self.gate.evidence.is_news(approval)) {
                let denial = denial(self.log.ledger(), approval).unwrap_or_default();
                return match denial {
                    Some(why) => Event::Denied { token: *token, why },
                    None => Event::Recheck { token: *token },
                };
            }
            tokio::time::sleep(HEAR_EVERY).await;
        }
    }
}

/// What is kept of a call beside its permit, which is used up.
struct Called {
    connector: Name,
    action: Name,
    arguments: serde_json::Value,
}

impl Called {
    fn of(call: &Call) -> Self {
        Self { connector: call.connector.clone(), action: call.action.clone(), arguments: call.arguments.clone() }
    }
}

impl LiveHost<'_> {
    /// Looks through a reply. What its arguments' labels are is the engine's to join.
    fn judge(&self, of: &Called, reply: &serde_json::Value) -> Judged {
        let action = self.gate.catalogue.action(&of.connector, &of.action);
        let looked = Looked {
            signed: self.gate.workspace.governance(),
            catalogue: self.gate.catalogue,
            action,
            arguments: &of.arguments,
            base: action.map_or(Label::TOP, |action| action.source),
            has_places: true,
        };
        looked.judge(reply)
    }

    /// The version of an object, if what came breaks no contract. It reaches nobody but who approves.
    fn kept(&self, call: &Call, reply: serde_json::Value) -> Result<serde_json::Value, String> {
        let of = Called::of(call);
        let Judged { broken, .. } = self.judge(&of, &reply);
        match broken.first().map(ToString::to_string) {
            None => Ok(reply),
            Some(why) => {
                self.tell(&of, broken)?;
                Err(why)
            }
        }
    }

    /// Records how a contract was broken, if it was, and stops the connector.
    fn tell(&self, of: &Called, broken: Vec<Broken>) -> Result<(), String> {
        if broken.is_empty() {
            return Ok(());
        }
        let (connector, action) = (of.connector.clone(), of.action.clone());
        let incident = Incident { connector, action, run: self.log.run(), broken };
        incident.record(self.log.ledger()).map_err(|error| format!("{incident}; and that cannot be recorded: {error}"))
    }

    /// The gate's answer; what it counts counts at once for the next question.
    fn answer(&self, question: &Question, versions: &Versions, now_ms: u64) -> GateAnswer {
        let answer = self.gate.answer(question, versions, now_ms);
        if let (GateAnswer::Permit { .. }, Some((connector, action))) = (&answer, &question.prepared.action) {
            self.gate.evidence.permitted(format!("{connector}.{action}"));
        }
        charges(&answer).into_iter().for_each(|charge| self.gate.evidence.permitted(charge.key));
        answer
    }
}

/// What is recorded, read from the ledger; and what this run was permitted since its last commit.
pub struct LedgerEvidence<'a> {
    ledger: &'a Ledger,
    permitted: RefCell<BTreeMap<String, u64>>,
    /// The last entry about each approval that was heard.
    heard: RefCell<BTreeMap<String, LeafIndex>>,
}

impl<'a> LedgerEvidence<'a> {
    /// For one run.
    #[must_use]
    pub const fn new(ledger: &'a Ledger) -> Self {
        Self { ledger, permitted: RefCell::new(BTreeMap::new()), heard: RefCell::new(BTreeMap::new()) }
    }

    /// Whether something was said about an approval that was not heard yet; once for each time.
    fn is_news(&self, approval: &str) -> bool {
        // What cannot be read now is looked for again.
        let Ok(Some(row)) = self.ledger.look(|records| records.approval(approval)) else { return false };
        let mut heard = self.heard.borrow_mut();
        let before = heard.insert(approval.to_owned(), row.last).or(row.requested);
        before.is_some_and(|before| before != row.last)
    }

    /// Counts a call whose intent is not in the ledger yet, or its use of a budget: a branch of the same run may ask for
    /// the next one before.
    fn permitted(&self, what: String) {
        *self.permitted.borrow_mut().entry(what).or_default() += 1;
    }

    fn not_written(&self, what: &str) -> u64 {
        self.permitted.borrow().get(what).copied().unwrap_or_default()
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

    fn passkeys(&self) -> Vec<Enrolled> {
        let listed = passkeys(self.ledger).unwrap_or_default();
        listed.into_iter().map(|listed| listed.enrolled).collect()
    }

    fn delegations(&self, known: &Known<'_>) -> Vec<Delegated> {
        delegated(self.ledger, known).unwrap_or_default()
    }

    fn calls_this_hour(&self, action: &str, now_ms: u64) -> u64 {
        let key = hourly(action, now_ms);
        // Unreadable counts as too many.
        let recorded = self.ledger.look(|records| records.fact(&key)).unwrap_or(u64::MAX);
        recorded.saturating_add(self.not_written(action))
    }

    fn stopped(&self, call: &OfCall<'_>) -> Option<Stop> {
        Stop::of_call(self.ledger, call)
    }

    fn was_seen(&self, workflow: &str, action: &str, _resource: &str) -> bool {
        let key = seen(workflow, action);
        self.ledger.look(|records| records.fact(&key)).is_ok_and(|count| count > 0)
    }

    fn spent(&self, key: &str) -> u64 {
        let recorded = self.ledger.look(|records| records.fact(key)).unwrap_or(u64::MAX);
        recorded.saturating_add(self.not_written(key))
    }

    fn pseudonym(&self, person: &str) -> Option<String> {
        let person = person.to_owned();
        let pseudonym = self.ledger.read(move |records| records.keys().pseudonym(&person)).ok()?;
        Some(pseudonym.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}
