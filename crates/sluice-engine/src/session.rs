//! An agent's session: calls that no program foresaw, one after another, each gated and recorded as a step of a run is.
//!
//! The same order holds as in a run: question, answer, permit and intent in one commit, then the call, then its outcome.
//! What a session may do next is not decided by it: an agent decides, and the gate.

use std::collections::BTreeMap;

use sluice_core::label::Name;
use sluice_core::program::NodeId;
use sluice_core::subject::Subjects;
use sluice_core::transfer::Prepared;
use sluice_ledger::RunId;

use crate::apply::{action_name, arguments_of, out_of_order};
use crate::key::EffectKey;
use crate::record::{Fact, Record};
use crate::state::{Call, CallOutcome, GateAnswer, Hold, OutOfOrder, Permitted, Question, Start, TokenId};

/// No program has it: what it would say stands in the session's own question.
const NODE: NodeId = NodeId(0);

/// The calls of one session that are not over.
#[derive(Debug)]
pub struct Session {
    run: RunId,
    next: u32,
    calls: BTreeMap<(Name, Name), u64>,
    open: BTreeMap<TokenId, Open>,
    subjects: Subjects,
}

#[derive(Debug)]
struct Open {
    prepared: Prepared,
    key: EffectKey,
    phase: Phase,
}

#[derive(Debug, PartialEq)]
enum Phase {
    Asking { before: Option<Hold> },
    Held { hold: Hold },
    Committing,
    Calling,
}

impl Session {
    /// Begins a session, and says what is recorded of it.
    #[must_use]
    pub fn begin(start: Start, now_ms: u64) -> (Self, Record) {
        let run = RunId::from_bytes(start.run);
        let (calls, open) = (BTreeMap::new(), BTreeMap::new());
        let session = Self { run, next: 0, calls, open, subjects: Subjects::NOBODY };
        let record = session.record(Fact::Started(Box::new(start)), now_ms);
        (session, record)
    }

    /// Which run of the ledger it is.
    #[must_use]
    pub const fn run(&self) -> RunId {
        self.run
    }

    /// An agent lays down what it will call: what is recorded of that.
    #[must_use]
    pub fn planned(&self, plan: serde_json::Value, now_ms: u64) -> Record {
        self.record(Fact::Planned { plan }, now_ms)
    }

    /// The question about a new call.
    pub fn ask(&mut self, prepared: Prepared) -> Question {
        let token = TokenId(self.next);
        self.next = self.next.saturating_add(1);
        let key = EffectKey::of(self.run, NODE, u64::from(token.0), 0);
        self.open.insert(token, Open { prepared: prepared.clone(), key, phase: Phase::Asking { before: None } });
        self.question(token, prepared, key, None)
    }

    /// The same question again: of a call that is held.
    ///
    /// # Errors
    /// [`OutOfOrder`] if the call waits for nothing.
    pub fn ask_again(&mut self, token: TokenId) -> Result<Question, OutOfOrder> {
        let open = self.open.get_mut(&token).ok_or_else(|| out_of_order("ask again", "there is no such call"))?;
        let before = match &open.phase {
            Phase::Held { hold } => Some(hold.clone()),
            Phase::Asking { before } => before.clone(),
            Phase::Committing => return Err(out_of_order("ask again", "its permit is being made durable")),
            Phase::Calling => return Err(out_of_order("ask again", "the call is under way")),
        };
        open.phase = Phase::Asking { before: before.clone() };
        let (prepared, key) = (open.prepared.clone(), open.key);
        Ok(self.question(token, prepared, key, before))
    }

    /// The same question once more: what was decided could not be written, because what the gate counted had moved.
    /// `before` is what the call waits for in the ledger.
    ///
    /// # Errors
    /// [`OutOfOrder`] if nothing of the call was to be written.
    pub fn not_written(&mut self, token: TokenId, before: Option<Hold>) -> Result<Question, OutOfOrder> {
        let open = self.open.get_mut(&token).ok_or_else(|| out_of_order("not written", "there is no such call"))?;
        if !matches!(open.phase, Phase::Held { .. } | Phase::Committing) {
            return Err(out_of_order("not written", "nothing was decided"));
        }
        open.phase = Phase::Asking { before: before.clone() };
        let (prepared, key) = (open.prepared.clone(), open.key);
        Ok(self.question(token, prepared, key, before))
    }

    fn question(&self, token: TokenId, prepared: Prepared, key: EffectKey, before: Option<Hold>) -> Question {
        let made = prepared.action.as_ref().and_then(|action| self.calls.get(action));
        Question { token, node: NODE, calls: made.copied().unwrap_or_default(), prepared, key, before }
    }

    /// Takes the gate's answer, and says what is recorded of it. Of a permit the intent is among it: nothing is called
    /// before it is durable.
    ///
    /// # Errors
    /// [`OutOfOrder`] if the call's gate was not asked, or the answer is about a value.
    pub fn decided(&mut self, token: TokenId, answer: GateAnswer, now_ms: u64) -> Result<Vec<Record>, OutOfOrder> {
        let open = self.open.get_mut(&token).ok_or_else(|| out_of_order("decided", "there is no such call"))?;
        let Phase::Asking { before } = &open.phase else {
            return Err(out_of_order("decided", "its gate was not asked"));
        };
        let before = before.clone();
        let (action, key) = (action_name(&open.prepared), open.key.to_string());
        let decided = |answer| Fact::Decided { token, node: NODE.0, action: action.clone(), key: key.clone(), answer };
        let facts = match answer {
            GateAnswer::Hold { receipt, hold } => {
                open.phase = Phase::Held { hold: hold.clone() };
                if before.as_ref() == Some(&hold) {
                    return Ok(Vec::new());
                }
                let approval = hold.approval.clone();
                vec![decided(GateAnswer::Hold { receipt, hold }), Fact::ApprovalRequested { token, approval }]
            }
            GateAnswer::Forbid { .. } => {
                self.open.remove(&token);
                vec![decided(answer)]
            }
            GateAnswer::Permit { .. } => {
                open.phase = Phase::Committing;
                let arguments = arguments_of(&open.prepared);
                let mut facts = vec![decided(answer)];
                facts.extend(before.map(|_| Fact::Resumed { token }));
                facts.push(Fact::Intended { token, node: NODE.0, action, key, arguments });
                facts
            }
            GateAnswer::Unchanged { .. } => return Err(out_of_order("decided", "a call is permitted or not")),
        };
        Ok(facts.into_iter().map(|fact| self.record(fact, now_ms)).collect())
    }

    /// The permit and the intent of a call are durable: it may be made, once.
    ///
    /// # Errors
    /// [`OutOfOrder`] if they were not asked to be.
    pub fn committed(&mut self, token: TokenId) -> Result<Permitted<Call>, OutOfOrder> {
        let open = self.open.get_mut(&token).filter(|open| open.phase == Phase::Committing);
        let open = open.ok_or_else(|| out_of_order("committed", "no intent of the call was handed in"))?;
        open.phase = Phase::Calling;
        let (connector, action) = open.prepared.action.clone().unwrap_or_else(|| ("".into(), "".into()));
        *self.calls.entry((connector.clone(), action.clone())).or_default() += 1;
        let arguments = arguments_of(&open.prepared);
        Ok(Permitted::mint(Call { run: self.run, token, connector, action, arguments, key: open.key, repeated: false }))
    }

    /// A call is over. `read_of` is whose data the reply is: what is recorded from here on is sealed as theirs.
    ///
    /// # Errors
    /// [`OutOfOrder`] if it was not under way: an answer to nothing, or a second one.
    pub fn finished(
        &mut self,
        token: TokenId,
        outcome: CallOutcome,
        read_of: Subjects,
        now_ms: u64,
    ) -> Result<(Prepared, Record), OutOfOrder> {
        let is_calling = self.open.get(&token).is_some_and(|open| open.phase == Phase::Calling);
        let open = if is_calling { self.open.remove(&token) } else { None };
        let open = open.ok_or_else(|| out_of_order("finished", "no call is under way"))?;
        self.subjects = std::mem::take(&mut self.subjects).join(read_of);
        let record = self.record(Fact::Finished { token, key: open.key.to_string(), outcome }, now_ms);
        Ok((open.prepared, record))
    }

    /// A person denied what a call waits for: what is recorded of that.
    ///
    /// # Errors
    /// [`OutOfOrder`] if it waits for nobody.
    pub fn denied(&mut self, token: TokenId, why: String, now_ms: u64) -> Result<Record, OutOfOrder> {
        let is_held = self.open.get(&token).is_some_and(|open| matches!(open.phase, Phase::Held { .. }));
        if !is_held {
            return Err(out_of_order("denied", "the call waits for nobody"));
        }
        self.open.remove(&token);
        Ok(self.record(Fact::Denied { token, why }, now_ms))
    }

    /// A call that is not over, as its gate saw it.
    #[must_use]
    pub fn prepared(&self, token: TokenId) -> Option<&Prepared> {
        self.open.get(&token).map(|open| &open.prepared)
    }

    /// Connector and action of a call that is not over.
    #[must_use]
    pub fn action_of(&self, token: TokenId) -> Option<(&Name, &Name)> {
        self.open.get(&token)?.prepared.action.as_ref().map(|(connector, action)| (connector, action))
    }

    /// What a call waits for.
    #[must_use]
    pub fn held(&self, token: TokenId) -> Option<&Hold> {
        match &self.open.get(&token)?.phase {
            Phase::Held { hold } => Some(hold),
            _ => None,
        }
    }

    /// The calls that are under way.
    pub fn under_way(&self) -> impl Iterator<Item = TokenId> {
        self.open.iter().filter(|(_, open)| open.phase == Phase::Calling).map(|(token, _)| *token)
    }

    /// The session is over: what is recorded of that.
    #[must_use]
    pub fn ended(&self, output: serde_json::Value, now_ms: u64) -> Record {
        self.record(Fact::Completed { output }, now_ms)
    }

    fn record(&self, fact: Fact, time_ms: u64) -> Record {
        let subjects = if fact.holds_values() { self.subjects.clone() } else { Subjects::NOBODY };
        Record { run: self.run, time_ms, fact, subjects }
    }
}
