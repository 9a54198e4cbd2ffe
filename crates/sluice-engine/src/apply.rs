//! The one function of the engine.

use std::collections::BTreeMap;

use sluice_core::catalogue::Idempotency;
use sluice_core::found::Found;
use sluice_core::label::Label;
use sluice_core::program::{DeadlineId, NodeId, NodeKind};
use sluice_core::subject::Subjects;
use sluice_core::transfer::{self, Moves, Prepared, ReplyValue, State, Step};
use sluice_core::value::Value;
use sluice_ledger::RunId;

use crate::key::EffectKey;
use crate::plan::Plan;
use crate::record::{Fact, Record};
use crate::state::{
    About, Call, CallOutcome, Command, Event, ForkFrame, GateAnswer, Hold, OutOfOrder, Permitted, Phase, Question,
    Resolution, RunState, Start, Status, Token, TokenId, ValueQuestion,
};

/// How often a call in doubt is repeated under its key before a person is asked.
const REPEATS_MAX: u32 = 3;

/// What one event led to.
#[derive(Debug)]
pub struct Applied {
    /// The state after it.
    pub state: RunState,
    /// What must happen outside, in this order.
    pub commands: Vec<Command>,
}

/// Advances a run by one event. Pure: the same plan, state, time and event give the same result.
///
/// `now_ms` is the driver's clock in milliseconds since 1970; a clock that jumps back is ignored here
/// (the driver reports it). The driver performs the commands in order and answers each with its event.
///
/// # Errors
/// [`OutOfOrder`] if the event does not fit the state. The state is lost: it was not this run's event.
pub fn apply(plan: &Plan, state: RunState, now_ms: u64, event: Event) -> Result<Applied, OutOfOrder> {
    let mut machine = Machine { plan, state, commands: Vec::new() };
    machine.state.now_ms = machine.state.now_ms.max(now_ms);
    machine.event(event)?;
    machine.advance();
    Ok(Applied { state: machine.state, commands: machine.commands })
}

impl RunState {
    /// A run that has not started.
    #[must_use]
    pub const fn new(run: RunId) -> Self {
        Self {
            run,
            status: Status::Running,
            tokens: BTreeMap::new(),
            forks: BTreeMap::new(),
            next_token: 0,
            next_fork: 0,
            visits: BTreeMap::new(),
            generation: 0,
            calls: BTreeMap::new(),
            subjects: Subjects::NOBODY,
            is_raised: false,
            now_ms: 0,
        }
    }
}

struct Machine<'a> {
    plan: &'a Plan,
    state: RunState,
    commands: Vec<Command>,
}

pub(crate) const fn out_of_order(event: &'static str, why: &'static str) -> OutOfOrder {
    OutOfOrder { event, why }
}

impl Machine<'_> {
    fn event(&mut self, event: Event) -> Result<(), OutOfOrder> {
        if self.state.status != Status::Running {
            return Err(out_of_order("any", "the run is over"));
        }
        match event {
            Event::Started(start) => self.start(start),
            Event::Decided { token, answer } => self.decided(token, answer),
            Event::Committed => {
                self.committed();
                Ok(())
            }
            Event::Finished { token, key, outcome } => self.finished(token, key, outcome),
            Event::Resolved { token, resolution, by } => self.resolved(token, resolution, by),
            Event::Recheck { token } => self.recheck(token),
            Event::Moved { token } => self.moved(token),
            Event::HoldMoved { token, before } => self.hold_moved(token, before),
            Event::Denied { token, why } => self.denied(token, why),
            Event::Time => {
                self.time();
                Ok(())
            }
            Event::Recovered => {
                self.recovered();
                Ok(())
            }
            Event::Cancelled { why } => {
                self.append(Fact::Cancelled { why: why.clone() });
                self.refuse("SL507", why, self.plan.program.entry);
                Ok(())
            }
        }
    }

    fn start(&mut self, start: Box<Start>) -> Result<(), OutOfOrder> {
        if !self.state.tokens.is_empty() || self.state.next_token != 0 {
            return Err(out_of_order("started", "the run has started before"));
        }
        if start.run != *self.state.run.as_bytes() {
            return Err(out_of_order("started", "it is another run's"));
        }
        let plan = self.plan;
        let input = Value::from_json(&start.input, plan.input_label);
        let hex: String = start.run.iter().map(|b| format!("{b:02x}")).collect();
        let workflow = Value::object(
            Label::BOTTOM,
            [
                ("id".into(), Value::text(Label::BOTTOM, hex)),
                ("definition".into(), Value::from_json(&start.definition, Label::BOTTOM)),
                ("input".into(), input.clone()),
            ],
        );
        let values = State::start(&plan.program, input, workflow, plan.base);
        self.append(Fact::Started(start));
        self.spawn(plan.program.entry, values, Vec::new(), None);
        Ok(())
    }

    fn decided(&mut self, id: TokenId, answer: GateAnswer) -> Result<(), OutOfOrder> {
        let token = self.token(id, "decided")?;
        // A held token accepts an answer too: on replay, the question that led to it left no record.
        let (about, key, before) = match token.phase {
            Phase::Asking { about, key, again } => (about, key, again),
            Phase::Held { about, key, hold } => (about, key, Some(hold)),
            _ => return Err(out_of_order("decided", "nothing was asked")),
        };
        let node = token.node;
        // The same question once more leaves no trace: waiting for a person costs O(1) entries.
        let is_news = !matches!(&answer, GateAnswer::Hold { hold, .. } if before.as_ref() == Some(hold));
        if is_news {
            self.append(Fact::Decided {
                token: id,
                node: node.0,
                action: about.name(),
                key: key.to_string(),
                answer: answer.clone(),
            });
        }
        match (answer, about) {
            (GateAnswer::Hold { hold, .. }, about) => {
                if is_news {
                    self.append(Fact::ApprovalRequested { token: id, approval: hold.approval.clone() });
                    self.commands.push(Command::Commit);
                }
                self.set_phase(id, Phase::Held { about, key, hold });
            }
            (GateAnswer::Forbid { code, why, .. }, _) => self.refuse_as(code, why, node),
            (GateAnswer::Permit { .. }, About::Call(prepared)) => {
                self.resumed(id, before.as_ref());
                self.intend(id, node, prepared, key, before);
            }
            (GateAnswer::Permit { .. }, About::Value(vouching)) => {
                self.resumed(id, before.as_ref());
                self.spoken(id, vouching.told, vouching.vouched);
            }
            (GateAnswer::Unchanged { .. }, About::Value(vouching)) => {
                self.resumed(id, before.as_ref());
                self.spoken(id, vouching.told, vouching.unchanged);
            }
            (GateAnswer::Unchanged { .. }, About::Call(_)) => {
                return Err(out_of_order("decided", "a call is permitted or not"));
            }
        }
        Ok(())
    }

    fn resumed(&mut self, id: TokenId, before: Option<&Hold>) {
        if before.is_some() {
            self.append(Fact::Resumed { token: id });
        }
    }

    fn intend(&mut self, id: TokenId, node: NodeId, prepared: Box<Prepared>, key: EffectKey, before: Option<Hold>) {
        self.append(Fact::Intended {
            token: id,
            node: node.0,
            action: action_name(&prepared),
            key: key.to_string(),
            arguments: arguments_of(&prepared),
        });
        self.commands.push(Command::Commit);
        if let Some(action) = &prepared.action {
            *self.state.calls.entry(action.clone()).or_default() += 1;
        }
        self.set_phase(id, Phase::Committing { prepared, key, repeats: 0, again: before });
    }

    /// Goes on with a value that somebody has spoken of, unless a timeout ran out first.
    fn spoken(&mut self, id: TokenId, told: Label, moves: Moves) {
        let Some(token) = self.state.tokens.get(&id) else { return };
        let moves = match expired(token, self.state.now_ms) {
            Some((deadline, _)) => transfer::timeout(&self.plan.program, &token.values, token.node, deadline, told),
            None => moves,
        };
        self.follow(id, moves);
    }

    /// What was appended is durable: the calls whose intent it holds may be made, now and only now.
    fn committed(&mut self) {
        let ready: Vec<TokenId> = self.tokens_where(|p| matches!(p, Phase::Committing { .. }));
        for id in ready {
            if let Some(Token { phase: Phase::Committing { prepared, key, repeats, .. }, .. }) =
                self.state.tokens.get(&id).cloned()
            {
                self.call(id, prepared, key, repeats);
            }
        }
    }

    fn call(&mut self, id: TokenId, prepared: Box<Prepared>, key: EffectKey, repeats: u32) {
        let call = self.call_of(id, &prepared, key, repeats > 0);
        self.set_phase(id, Phase::Calling { prepared, key, repeats });
        self.commands.push(Command::Call(Permitted::mint(call)));
    }

    fn call_of(&self, id: TokenId, prepared: &Prepared, key: EffectKey, repeated: bool) -> Call {
        let (connector, action) = prepared.action.clone().unwrap_or_else(|| ("".into(), "".into()));
        Call { run: self.state.run, token: id, connector, action, arguments: arguments_of(prepared), key, repeated }
    }

    fn finished(&mut self, id: TokenId, key: EffectKey, outcome: CallOutcome) -> Result<(), OutOfOrder> {
        let token = self.token(id, "finished")?;
        let Phase::Calling { prepared, key: own, repeats } = token.phase else {
            return Err(out_of_order("finished", "no call is under way"));
        };
        if own != key {
            return Err(out_of_order("finished", "it answers another call"));
        }
        if let CallOutcome::Replied { reply, .. } = &outcome {
            self.read_of(&prepared, reply);
        }
        self.append(Fact::Finished { token: id, key: key.to_string(), outcome: outcome.clone() });
        match outcome {
            CallOutcome::Replied { reply, found } => self.came(id, &prepared, reply, found),
            CallOutcome::Failed { detail } => self.replied(id, &prepared, &ReplyValue::Failed { detail }),
            CallOutcome::InDoubt { .. } => {
                self.commands.push(Command::Commit);
                self.doubt(id, prepared, key, repeats + 1);
            }
            CallOutcome::Breach { why } => self.refuse("SL508", why, token.node),
        }
        Ok(())
    }

    /// Nobody knows whether the effect happened. The contract says what is harmless; else a person says.
    fn doubt(&mut self, id: TokenId, prepared: Box<Prepared>, key: EffectKey, repeats: u32) {
        let action = prepared.action.as_ref().and_then(|(c, a)| self.plan.catalogue.action(c, a));
        match action.map(|a| &a.idempotency) {
            Some(Idempotency::Natural | Idempotency::Key(_)) if repeats <= REPEATS_MAX => {
                self.call(id, prepared, key, repeats);
            }
            Some(Idempotency::Lookup(action)) if repeats <= REPEATS_MAX => {
                let call = Box::new(self.call_of(id, &prepared, key, true));
                self.commands.push(Command::LookUp { token: id, action: action.clone(), call });
                self.set_phase(id, Phase::InDoubt { prepared, key });
            }
            _ => self.set_phase(id, Phase::InDoubt { prepared, key }),
        }
    }

    fn resolved(&mut self, id: TokenId, resolution: Resolution, by: Option<String>) -> Result<(), OutOfOrder> {
        let token = self.token(id, "resolved")?;
        let Phase::InDoubt { prepared, key } = token.phase else {
            return Err(out_of_order("resolved", "the call is not in doubt"));
        };
        if let Resolution::Happened { reply, .. } = &resolution {
            self.read_of(&prepared, reply);
        }
        self.append(Fact::Resolved { token: id, resolution: resolution.clone(), by });
        match resolution {
            Resolution::Happened { reply, found } => self.came(id, &prepared, reply, found),
            Resolution::Repeat => self.set_phase(id, Phase::Committing { prepared, key, repeats: 1, again: None }),
            Resolution::Abandon => {
                let detail = serde_json::json!("the call was abandoned");
                self.replied(id, &prepared, &ReplyValue::Failed { detail });
            }
        }
        self.commands.push(Command::Commit);
        Ok(())
    }

    fn recheck(&mut self, id: TokenId) -> Result<(), OutOfOrder> {
        let token = self.token(id, "recheck")?;
        let Phase::Held { about, key, hold } = token.phase else {
            return Err(out_of_order("recheck", "it is not held"));
        };
        self.ask(id, token.node, about, key, Some(hold));
        Ok(())
    }

    /// Takes back a permit that never became durable, as if it had not been given.
    fn moved(&mut self, id: TokenId) -> Result<(), OutOfOrder> {
        let token = self.token(id, "moved")?;
        let Phase::Committing { prepared, key, repeats: 0, again } = token.phase else {
            return Err(out_of_order("moved", "no permit is being made durable"));
        };
        if let Some(action) = &prepared.action
            && let Some(calls) = self.state.calls.get_mut(action)
        {
            *calls = calls.saturating_sub(1);
        }
        self.ask(id, token.node, About::Call(prepared), key, again);
        Ok(())
    }

    fn hold_moved(&mut self, id: TokenId, before: Option<Hold>) -> Result<(), OutOfOrder> {
        let token = self.token(id, "hold moved")?;
        let Phase::Held { about, key, .. } = token.phase else {
            return Err(out_of_order("hold moved", "no hold is being made durable"));
        };
        self.ask(id, token.node, about, key, before);
        Ok(())
    }

    fn denied(&mut self, id: TokenId, why: String) -> Result<(), OutOfOrder> {
        let token = self.token(id, "denied")?;
        if !matches!(token.phase, Phase::Held { .. }) {
            return Err(out_of_order("denied", "it is not held"));
        }
        self.append(Fact::Denied { token: id, why: why.clone() });
        self.refuse("SL506", why, token.node);
        Ok(())
    }

    /// Timers and timeouts that are due.
    fn time(&mut self) {
        let now = self.state.now_ms;
        let due = |t: &Token| match &t.phase {
            Phase::Sleeping { until_ms, .. } => *until_ms <= now || expired(t, now).is_some(),
            Phase::Held { .. } => expired(t, now).is_some(),
            _ => false,
        };
        let ids: Vec<TokenId> = self.state.tokens.iter().filter(|(_, t)| due(t)).map(|(id, _)| *id).collect();
        if ids.is_empty() {
            return;
        }
        self.append(Fact::Time);
        for id in ids {
            let Some(token) = self.state.tokens.get(&id).cloned() else { continue };
            match &token.phase {
                Phase::Sleeping { until_ms, after, told } => match expired(&token, now) {
                    Some((deadline, at)) if at < *until_ms => {
                        let moves = transfer::timeout(&self.plan.program, &token.values, token.node, deadline, *told);
                        self.follow(id, moves);
                    }
                    _ => self.follow(id, after.clone()),
                },
                Phase::Held { about, .. } => {
                    if let Some((deadline, _)) = expired(&token, now) {
                        let told = match about {
                            About::Call(prepared) => prepared.joined.join(self.fault_label(prepared)),
                            About::Value(vouching) => vouching.told,
                        };
                        let moves = transfer::timeout(&self.plan.program, &token.values, token.node, deadline, told);
                        self.follow(id, moves);
                    }
                }
                _ => {}
            }
        }
    }

    /// After a replay: what was under way when the process ended.
    fn recovered(&mut self) {
        self.append(Fact::Recovered);
        let tokens: Vec<(TokenId, Token)> = self.state.tokens.iter().map(|(id, t)| (*id, t.clone())).collect();
        for (id, token) in tokens {
            match token.phase {
                Phase::Calling { prepared, key, .. } => self.doubt(id, prepared, key, 1),
                Phase::InDoubt { prepared, key } => self.doubt(id, prepared, key, 1),
                Phase::Asking { about, key, again } => self.ask(id, token.node, about, key, again),
                Phase::Ready | Phase::Held { .. } | Phase::Committing { .. } | Phase::Sleeping { .. } => {}
            }
        }
        self.commands.push(Command::Commit);
    }

    fn came(&mut self, id: TokenId, prepared: &Prepared, reply: serde_json::Value, found: Vec<Found>) {
        self.state.is_raised |= !found.is_empty();
        self.replied(id, prepared, &ReplyValue::Came { reply, found });
    }

    fn replied(&mut self, id: TokenId, prepared: &Prepared, came: &ReplyValue) {
        let Some(token) = self.state.tokens.get(&id).cloned() else { return };
        let plan = self.plan;
        // A timeout that ran out while the connector was at work takes effect when its answer is known:
        // an effect that happened is never forgotten.
        let moves = match expired(&token, self.state.now_ms) {
            Some((deadline, _)) => {
                let told = prepared.joined.join(self.fault_label(prepared));
                transfer::timeout(&plan.program, &token.values, token.node, deadline, told)
            }
            None => transfer::reply(
                &plan.program,
                &plan.catalogue,
                &plan.universe,
                &token.values,
                token.node,
                prepared,
                came,
            ),
        };
        self.follow(id, moves);
    }

    /// From here on the run may hold data of whoever a reply is about: its record is the first that is sealed as theirs.
    fn read_of(&mut self, prepared: &Prepared, reply: &serde_json::Value) {
        let action = prepared.action.as_ref().and_then(|(c, a)| self.plan.catalogue.action(c, a));
        let subjects = action.map_or(Subjects::Anybody, |action| action.subjects_of(reply));
        self.state.subjects = std::mem::take(&mut self.state.subjects).join(subjects);
    }

    fn fault_label(&self, prepared: &Prepared) -> Label {
        let action = prepared.action.as_ref().and_then(|(c, a)| self.plan.catalogue.action(c, a));
        action.map_or(Label::TOP, sluice_core::catalogue::Action::fault_label)
    }

    /// Steps every ready token until each waits for something.
    fn advance(&mut self) {
        while self.state.status == Status::Running {
            let Some(id) = self.tokens_where(|p| matches!(p, Phase::Ready)).first().copied() else { break };
            self.step(id);
        }
        if self.state.status != Status::Running {
            return;
        }
        if let Some(at_ms) = self.state.wakes_at() {
            self.commands.push(Command::WakeAt { at_ms });
        }
    }

    fn step(&mut self, id: TokenId) {
        let Some(token) = self.state.tokens.get(&id).cloned() else { return };
        let plan = self.plan;
        let (node, values) = (token.node, &token.values);
        let visits = self.state.visits.entry(node).or_default();
        *visits += 1;
        let visit = *visits;
        if visit > sluice_core::limits::VISITS_MAX {
            self.refuse("SL504", "the run came to one step more often than any run may".to_owned(), node);
            return;
        }
        if let Some(place) = plan.prediction.breach(node, values) {
            let name = plan.program.places.get(place.0 as usize).map_or("?", |p| &p.name);
            let (code, why) = if self.state.is_raised {
                (
                    "SL519",
                    "is labelled above what the verifier predicted, for a reply holds what its contract does not say",
                )
            } else {
                ("SL502", "is not what the verifier predicted; this is a defect of Sluice")
            };
            self.refuse(code, format!("`{name}` {why}"), node);
            return;
        }
        match transfer::step(&plan.program, &plan.catalogue, &plan.universe, values, node) {
            Step::Moves(moves) => self.follow(id, moves),
            Step::Calls(prepared) => {
                if let Some(breach) = prepared.breaches.first() {
                    self.refuse("SL505", breach.to_string(), node);
                    return;
                }
                let key = EffectKey::of(self.state.run, node, visit, self.state.generation);
                self.ask(id, node, About::Call(prepared), key, None);
            }
            Step::Vouches(vouching) => {
                let key = EffectKey::of(self.state.run, node, visit, self.state.generation);
                self.ask(id, node, About::Value(vouching), key, None);
            }
            Step::Waits { millis: Some(millis), after, told, .. } => self.sleep(id, node, millis, after, told),
            Step::Arms { millis: Some(millis), after, .. } => self.arm(id, node, millis, after),
            Step::Waits { millis: None, .. } | Step::Arms { millis: None, .. } => {
                self.refuse("SL509", "a duration is not known in a run; this is a defect of Sluice".to_owned(), node);
            }
            Step::Forks { branches, join, state } => self.fork(id, &branches, join, &state),
            Step::Exits { output } => {
                let output = output.to_json().unwrap_or_default();
                self.append(Fact::Completed { output: output.clone() });
                self.end(Status::Completed { output });
            }
        }
    }

    fn sleep(&mut self, id: TokenId, node: NodeId, millis: u64, after: Moves, told: Label) {
        if matches!(self.plan.program.node(node).map(|n| &n.kind), Some(NodeKind::Retry { .. })) {
            self.state.generation += 1;
        }
        if millis == 0 {
            self.follow(id, after);
        } else {
            let until_ms = self.state.now_ms.saturating_add(millis);
            self.set_phase(id, Phase::Sleeping { until_ms, after, told });
        }
    }

    fn arm(&mut self, id: TokenId, node: NodeId, millis: u64, after: Moves) {
        if let Some(NodeKind::Arm { deadline, .. }) = self.plan.program.node(node).map(|n| &n.kind) {
            let at = self.state.now_ms.saturating_add(millis);
            if let Some(token) = self.state.tokens.get_mut(&id) {
                token.deadlines.retain(|(d, _)| d != deadline);
                token.deadlines.push((*deadline, at));
            }
        }
        self.follow(id, after);
    }

    fn ask(&mut self, id: TokenId, node: NodeId, about: About, key: EffectKey, again: Option<Hold>) {
        self.commands.push(match &about {
            About::Call(prepared) => {
                let calls = prepared.action.as_ref().and_then(|a| self.state.calls.get(a)).copied().unwrap_or_default();
                let (prepared, before) = ((**prepared).clone(), again.clone());
                Command::Ask(Box::new(Question { token: id, node, prepared, key, calls, before }))
            }
            About::Value(vouching) => Command::AskForWord(Box::new(ValueQuestion {
                token: id,
                node,
                vouching: (**vouching).clone(),
                key,
                before: again.clone(),
            })),
        });
        self.set_phase(id, Phase::Asking { about, key, again });
    }

    /// Takes the one way that a run has.
    fn follow(&mut self, id: TokenId, moves: Moves) {
        if let Some(edge) = moves.edges.into_iter().next() {
            let program = &self.plan.program;
            let covered: Vec<DeadlineId> =
                program.node(edge.to).map(|n| program.deadlines_of(n).map(|(d, _)| d).collect()).unwrap_or_default();
            if let Some(token) = self.state.tokens.get_mut(&id) {
                token.node = edge.to;
                token.values = edge.state;
                token.phase = Phase::Ready;
                token.deadlines.retain(|(d, _)| covered.contains(d));
            }
            self.arrive(id);
        } else if let Some(error) = moves.fault {
            let error = error.to_json().unwrap_or_default();
            self.append(Fact::Faulted { error: error.clone() });
            self.end(Status::Faulted { error });
        } else {
            let node = self.state.tokens.get(&id).map_or(self.plan.program.entry, |t| t.node);
            self.refuse("SL509", "a step leads nowhere; this is a defect of Sluice".to_owned(), node);
        }
    }

    fn fork(&mut self, id: TokenId, branches: &[NodeId], join: NodeId, start: &State) {
        let Some(parent) = self.state.tokens.remove(&id) else { return };
        let frame = self.state.next_fork;
        self.state.next_fork += 1;
        self.state.forks.insert(
            frame,
            ForkFrame {
                join,
                start: start.clone(),
                ends: vec![None; branches.len()],
                deadlines: parent.deadlines,
                branch: parent.branch,
            },
        );
        for (i, node) in branches.iter().enumerate() {
            let child = self.spawn(*node, start.clone(), Vec::new(), Some((frame, i)));
            self.arrive(child);
        }
        if branches.is_empty() {
            self.meet(frame);
        }
    }

    /// Ends a branch that has come to its join; the last one goes on for all.
    fn arrive(&mut self, id: TokenId) {
        let Some(token) = self.state.tokens.get(&id) else { return };
        let Some((frame_id, index)) = token.branch else { return };
        if self.state.forks.get(&frame_id).is_none_or(|f| f.join != token.node) {
            return;
        }
        let Some(token) = self.state.tokens.remove(&id) else { return };
        if let Some(slot) = self.state.forks.get_mut(&frame_id).and_then(|f| f.ends.get_mut(index)) {
            *slot = Some(token.values);
        }
        self.meet(frame_id);
    }

    fn meet(&mut self, frame_id: u32) {
        let all_here = self.state.forks.get(&frame_id).is_some_and(|f| f.ends.iter().all(Option::is_some));
        if !all_here {
            return;
        }
        let Some(frame) = self.state.forks.remove(&frame_id) else { return };
        let ends: Vec<State> = frame.ends.into_iter().flatten().collect();
        let values = transfer::join_branches(&self.plan.program, frame.join, &frame.start, &ends);
        let late = frame.deadlines.iter().copied().find(|(_, at)| *at <= self.state.now_ms);
        let id = self.spawn(frame.join, values.clone(), frame.deadlines, frame.branch);
        if let Some((deadline, _)) = late {
            let told = transfer::latency(&self.plan.program, &values, frame.join);
            let moves = transfer::timeout(&self.plan.program, &values, frame.join, deadline, told);
            self.follow(id, moves);
        }
    }

    fn spawn(
        &mut self,
        node: NodeId,
        values: State,
        deadlines: Vec<(DeadlineId, u64)>,
        branch: Option<(u32, usize)>,
    ) -> TokenId {
        let id = TokenId(self.state.next_token);
        self.state.next_token += 1;
        self.state.tokens.insert(id, Token { node, values, phase: Phase::Ready, deadlines, branch });
        id
    }

    fn refuse(&mut self, code: &'static str, why: String, node: NodeId) {
        self.refuse_as(code.to_owned(), why, node);
    }

    /// The end by refusal. It is no edge of the graph: a workflow that could catch it would learn labels from it.
    fn refuse_as(&mut self, code: String, why: String, node: NodeId) {
        self.append(Fact::Refused { code: code.clone(), why: why.clone(), node: node.0 });
        self.end(Status::Refused { code, why, node });
    }

    fn end(&mut self, status: Status) {
        self.state.status = status;
        self.state.tokens.clear();
        self.state.forks.clear();
        self.commands.push(Command::Commit);
        self.commands.push(Command::Ended);
    }

    fn append(&mut self, fact: Fact) {
        let subjects = if fact.holds_values() { self.state.subjects.clone() } else { Subjects::NOBODY };
        let record = Record { run: self.state.run, time_ms: self.state.now_ms, fact, subjects };
        self.commands.push(Command::Append(Box::new(record)));
    }

    fn token(&self, id: TokenId, event: &'static str) -> Result<Token, OutOfOrder> {
        self.state.tokens.get(&id).cloned().ok_or(out_of_order(event, "there is no such line of control"))
    }

    fn set_phase(&mut self, id: TokenId, phase: Phase) {
        if let Some(token) = self.state.tokens.get_mut(&id) {
            token.phase = phase;
        }
    }

    fn tokens_where(&self, keep: impl Fn(&Phase) -> bool) -> Vec<TokenId> {
        self.state.tokens.iter().filter(|(_, t)| keep(&t.phase)).map(|(id, _)| *id).collect()
    }
}

/// The first timeout of a token that has run out, with its end.
fn expired(token: &Token, now_ms: u64) -> Option<(DeadlineId, u64)> {
    token.deadlines.iter().copied().filter(|(_, at)| *at <= now_ms).min_by_key(|(_, at)| *at)
}

impl About {
    /// `connector.action`, or `release` or `endorse`.
    fn name(&self) -> String {
        match self {
            Self::Call(prepared) => action_name(prepared),
            Self::Value(vouching) => vouching.function.name().to_owned(),
        }
    }
}

pub(crate) fn action_name(prepared: &Prepared) -> String {
    prepared.action.as_ref().map_or_else(String::new, |(c, a)| format!("{c}.{a}"))
}

pub(crate) fn arguments_of(prepared: &Prepared) -> serde_json::Value {
    prepared.arguments.to_json().unwrap_or_default()
}

#[cfg(test)]
mod tests;
