//! Every node but calls: assignments, guards, loops, forks, waits, errors, retries.

use crate::expression::Evaluated;
use crate::label::Label;
use crate::program::{Arm, Duration, Node, NodeId, NodeKind, PlaceId, Program, RetryPolicy, Use};
use crate::transfer::call;
use crate::transfer::error::{FaultKind, instance, raise, raise_at, timeout};
use crate::transfer::state::{Edge, Moves, State, Step};
use crate::value::{Data, Kinds, Value};

use crate::catalogue::Catalogue;
use crate::label::Universe;

/// What happens at node `at`.
///
/// `universe` is that of the analysis or run: the catalogue's, and the atoms of its author and requester.
#[must_use]
pub fn step(program: &Program, catalogue: &Catalogue, universe: &Universe, state: &State, at: NodeId) -> Step {
    let Some(node) = program.node(at) else { return Step::Moves(Moves::default()) };
    let walk = Walk { program, node, at, state, control: state.control(program, at) };
    match &node.kind {
        NodeKind::Assign { target, value, next } => Step::Moves(walk.assign(*target, value, *next)),
        NodeKind::Branch { arms, otherwise } => Step::Moves(walk.branch(arms, *otherwise)),
        NodeKind::Next { items, cursor, item, index, body, done } => {
            Step::Moves(walk.next(&Loop { items: *items, cursor: *cursor, item: *item, index: *index }, *body, *done))
        }
        NodeKind::Call { target, arguments, handles, reply, next } => {
            let site = call::Site { target, arguments, handles, reply: *reply, next: *next };
            call::prepare(&walk, catalogue, universe, &site)
        }
        NodeKind::Fork { branches, join } => {
            Step::Forks { branches: branches.clone(), join: *join, state: state.clone() }
        }
        NodeKind::Join { next } => Step::Moves(walk.join(*next)),
        NodeKind::Disarm { next, .. } => Step::Moves(Moves::to(*next, state.clone())),
        NodeKind::Wait { duration, next } => walk.wait(duration, *next),
        NodeKind::Raise { error } => Step::Moves(walk.raise(error)),
        NodeKind::Retry { policy, attempts, again, exhausted } => walk.retry(policy, *attempts, *again, *exhausted),
        NodeKind::Arm { deadline, next } => match program.deadline(*deadline).map(|d| &d.after) {
            Some(after) => walk.arm(after, *next),
            None => Step::Moves(Moves::default()),
        },
        NodeKind::Exit => Step::Exits { output: state.get(program.output).raised(walk.control) },
    }
}

/// One node under one state.
pub(super) struct Walk<'a> {
    pub(super) program: &'a Program,
    pub(super) node: &'a Node,
    pub(super) at: NodeId,
    pub(super) state: &'a State,
    /// `pc`.
    pub(super) control: Label,
}

struct Loop {
    items: PlaceId,
    cursor: PlaceId,
    item: PlaceId,
    index: PlaceId,
}

/// What an expression did, every label raised by `pc`.
pub(super) struct Computed {
    pub(super) value: Option<Value>,
    pub(super) error: Option<Value>,
    pub(super) told: Label,
    /// The part of `told` that decided whether it failed.
    pub(super) fallible: Label,
    /// The error ends the run: a bound was met, and no label covers how much work was done.
    pub(super) uncaught: bool,
}

impl Walk<'_> {
    pub(super) fn compute(&self, what: &Use) -> Computed {
        let computed = self.compute_apart(what);
        Computed { value: computed.value.map(|v| v.raised(self.control)), ..computed }
    }

    /// As [`Walk::compute`], but the value without `pc`: a gate asks about what is said and why it is said apart.
    pub(super) fn compute_apart(&self, what: &Use) -> Computed {
        let Evaluated { value, error, fallible, exhausted } = self.state.evaluate(what);
        let uncaught = exhausted && value.is_none();
        Computed { value, error, told: fallible.join(self.control), fallible, uncaught }
    }

    /// The state in which everyone knows what the outcome of this node tells.
    pub(super) fn decided(&self, told: Label) -> State {
        let mut state = self.state.clone();
        state.decide(self.program, self.at, told);
        state
    }

    /// What a value written on success tells beside itself: where an error is caught, that there was none.
    pub(super) fn learnt(&self, told: Label) -> Label {
        if self.program.control.decides(self.at) { told } else { Label::BOTTOM }
    }

    /// The error edge of a computation, if it has one.
    pub(super) fn failing(&self, state: &State, computed: &Computed) -> Moves {
        let told = computed.told;
        match &computed.error {
            None => Moves::default(),
            Some(error) if computed.uncaught => {
                let fault = FaultKind::Expression.error(told, error.clone(), &instance(self.program, self.node.step));
                Moves { edges: Vec::new(), fault: Some(fault) }
            }
            Some(error) => raise_at(self.program, state, self.at, FaultKind::Expression, error.clone(), told),
        }
    }

    fn assign(&self, target: PlaceId, value: &Use, next: NodeId) -> Moves {
        let computed = self.compute(value);
        let state = self.decided(computed.told);
        let fails = self.failing(&state, &computed);
        let Some(value) = computed.value else { return fails };
        let mut state = state;
        state.set(target, value.raised(self.learnt(computed.told)));
        Moves::to(next, state).and(fails)
    }

    fn branch(&self, arms: &[Arm], otherwise: NodeId) -> Moves {
        let mut told = self.control;
        let mut targets = Vec::new();
        let mut errors: Option<Value> = None;
        let mut uncaught = false;
        let mut falls_through = true;
        for arm in arms {
            let computed = self.compute(&arm.guard);
            told = told.join(computed.told);
            if let Some(error) = computed.error {
                errors = Some(errors.map_or_else(|| error.clone(), |e: Value| e.join(&error)));
            }
            uncaught |= computed.uncaught;
            let Some(value) = computed.value else {
                falls_through = false;
                break;
            };
            told = told.join(value.label);
            let truth = truth(&value);
            if truth.may_be_true {
                targets.push(arm.to);
            }
            if !truth.may_be_false {
                falls_through = false;
                break;
            }
        }
        if falls_through {
            targets.push(otherwise);
        }
        let state = self.decided(told);
        let fails = self.failing(&state, &Computed { value: None, error: errors, told, fallible: told, uncaught });
        let edges = targets.into_iter().map(|to| Edge { to, state: state.clone() }).collect();
        Moves { edges, fault: None }.and(fails)
    }

    fn next(&self, head: &Loop, body: NodeId, done: NodeId) -> Moves {
        let (items, cursor) = (self.state.get(head.items), self.state.get(head.cursor));
        let told = self.control.join(items.label).join(cursor.label);
        let state = self.decided(told);
        let mut moves = Moves::default();
        if !Kinds::ARRAY.has(items.kinds()) {
            let detail = Value::text(told, "`for.in` needs an array");
            moves = moves.and(raise_at(self.program, &state, self.at, FaultKind::Validation, detail, told));
        }
        if items.kinds().and(Kinds::ARRAY).is_empty() {
            return moves;
        }
        let position = if let Data::Int(i) = cursor.data { usize::try_from(i).ok() } else { None };
        let (element, may_end) = match (&items.data, position) {
            (Data::Array(list), Some(i)) => (list.get(i).map(|v| v.clone().raised(items.label)), i >= list.len()),
            _ => (items.any_child(), true),
        };
        if let Some(element) = element {
            let mut state = state.clone();
            state.set(head.item, element.raised(told));
            state.set(head.index, cursor.clone().raised(told));
            state.set(head.cursor, successor(&cursor).raised(told));
            moves = moves.and(Moves::to(body, state));
        }
        if may_end {
            moves = moves.and(Moves::to(done, state));
        }
        moves
    }

    /// A join under a caught timeout decides: how long the branches took is what they saw.
    fn join(&self, next: NodeId) -> Moves {
        let told = self.control.join(latency(self.program, self.state, self.at));
        Moves::to(next, self.decided(told))
    }

    fn raise(&self, error: &Use) -> Moves {
        let computed = self.compute(error);
        let state = self.decided(computed.told);
        let fails = self.failing(&state, &computed);
        // The handler sees this error or that of computing it: either tells which of them it was.
        let raised = computed
            .value
            .map_or_else(Moves::default, |error| raise(self.program, &state, self.node.handler, error, computed.told));
        raised.and(fails)
    }

    /// The length of a wait, what it tells, and the error edge of computing it.
    fn duration(&self, duration: &Duration) -> Length {
        let what = match duration {
            Duration::Millis(ms) => {
                return Length { millis: Some(*ms), possible: true, told: self.control, failing: None };
            }
            Duration::Expression(what) => what,
        };
        let mut computed = self.compute(what);
        let told = computed.value.as_ref().map_or(Label::BOTTOM, Value::deep_label).join(computed.told);
        computed.told = told;
        let Some(value) = &computed.value else {
            return Length { millis: None, possible: false, told, failing: Some(computed) };
        };
        match value.to_json().map(|json| (crate::duration::millis(&json), json)) {
            None => {
                // Any text: what a run's own error says differs from what can be said here.
                let label = computed.error.as_ref().map_or(told, |e| e.deep_label().join(told));
                let failing = Computed { error: Some(Value::unknown(label, Kinds::ALL)), ..computed };
                Length { millis: None, possible: true, told, failing: Some(failing) }
            }
            Some((Some(ms), _)) => Length { millis: Some(ms), possible: true, told, failing: Some(computed) },
            Some((None, json)) => {
                let error = Some(Value::text(told, format!("`{json}` is no duration")));
                Length { millis: None, possible: false, told, failing: Some(Computed { error, ..computed }) }
            }
        }
    }

    fn wait(&self, duration: &Duration, next: NodeId) -> Step {
        let Length { millis, possible, told, failing } = self.duration(duration);
        let state = self.decided(told);
        let instead = failing.map_or_else(Moves::default, |computed| self.failing(&state, &computed));
        if !possible {
            return Step::Moves(instead);
        }
        Step::Waits { millis, after: Moves::to(next, state), instead, told }
    }

    fn arm(&self, duration: &Duration, next: NodeId) -> Step {
        match self.wait(duration, next) {
            Step::Waits { millis, after, instead, told } => Step::Arms { millis, after, instead, told },
            other => other,
        }
    }

    fn retry(&self, policy: &RetryPolicy, attempts: PlaceId, again: NodeId, exhausted: NodeId) -> Step {
        let count = self.state.get(attempts);
        let told = self.control.join(count.label);
        let state = self.decided(told);
        let mut repeated = state.clone();
        repeated.set(attempts, successor(&count).raised(told));
        match count.data {
            Data::Int(n) if n >= i64::from(policy.attempts_max) => Step::Moves(Moves::to(exhausted, state)),
            Data::Int(n) => {
                let attempt = u32::try_from(n.saturating_add(1)).unwrap_or(u32::MAX);
                let after = Moves::to(again, repeated);
                Step::Waits { millis: Some(policy.delay_before(attempt)), after, instead: Moves::default(), told }
            }
            _ => {
                let (after, instead) = (Moves::to(again, repeated), Moves::to(exhausted, state));
                Step::Waits { millis: None, after, instead, told }
            }
        }
    }
}

/// How long a wait is.
struct Length {
    millis: Option<u64>,
    /// Whether it can be waited for at all.
    possible: bool,
    told: Label,
    failing: Option<Computed>,
}

struct Truth {
    may_be_true: bool,
    may_be_false: bool,
}

/// jq's truth: everything but `false` and `null`.
fn truth(value: &Value) -> Truth {
    match &value.data {
        Data::Null | Data::Bool(false) => Truth { may_be_true: false, may_be_false: true },
        Data::Unknown(shape) => Truth {
            may_be_true: !shape.kinds.without(Kinds::NULL).is_empty(),
            may_be_false: !shape.kinds.and(Kinds::NULL.or(Kinds::BOOL)).is_empty(),
        },
        _ => Truth { may_be_true: true, may_be_false: false },
    }
}

fn successor(count: &Value) -> Value {
    match count.data {
        Data::Int(i) => Value::int(count.label, i.saturating_add(1)),
        _ => Value::unknown(count.label, Kinds::NUMBER),
    }
}

/// The state after a join: of each place, that of the branch which writes it.
///
/// `ends` are the states of the branches at the join, in their order; `fork` the state they started with.
#[must_use]
pub fn join_branches(program: &Program, join: NodeId, fork: &State, ends: &[State]) -> State {
    let Some((_, writes)) = program.control.fork_of(join) else { return fork.clone() };
    let mut state = fork.clone();
    for (end, places) in ends.iter().zip(writes) {
        for place in places {
            state.set(*place, end.get(*place));
        }
        state = state.knowing(end);
    }
    state
}

/// What the latency of the branches before `join` may tell: everything they have seen.
#[must_use]
pub fn latency(program: &Program, state: &State, join: NodeId) -> Label {
    let Some((_, writes)) = program.control.fork_of(join) else { return Label::BOTTOM };
    let written = writes.iter().flatten().map(|place| state.get(*place).deep_label());
    Label::join_all(written).join(state.all_guards())
}

/// Every timeout that may fire while control waits at `at`: the edges that a prediction adds there.
///
/// `told` is the label of what the wait depends on: of a call, its arguments and its connector.
#[must_use]
pub fn timeouts(program: &Program, state: &State, at: NodeId, told: Label) -> Moves {
    let Some(node) = program.node(at) else { return Moves::default() };
    let told = told.join(latency(program, state, at));
    program.deadlines_of(node).map(|(id, _)| timeout(program, state, at, id, told)).fold(Moves::default(), Moves::and)
}
