//! Errors: what a handler sees, and what it learns.

use std::sync::Arc;

use crate::label::Label;
use crate::program::{DeadlineId, HandlerId, NodeId, Program, StepId};
use crate::transfer::state::{Moves, State};
use crate::value::Value;

/// The DSL's standard error types that Sluice raises itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// An expression could not be evaluated.
    Expression,
    /// A value is not what the construct needs.
    Validation,
    /// A connector's answer was a refusal or could not be had.
    Communication,
    /// A timeout.
    Timeout,
}

impl FaultKind {
    /// The DSL's type URI.
    #[must_use]
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Expression => "https://serverlessworkflow.io/spec/1.0.0/errors/expression",
            Self::Validation => "https://serverlessworkflow.io/spec/1.0.0/errors/validation",
            Self::Communication => "https://serverlessworkflow.io/spec/1.0.0/errors/communication",
            Self::Timeout => "https://serverlessworkflow.io/spec/1.0.0/errors/timeout",
        }
    }

    /// The DSL's default status.
    #[must_use]
    pub const fn status(self) -> i64 {
        match self {
            Self::Expression | Self::Validation => 400,
            Self::Communication => 500,
            Self::Timeout => 408,
        }
    }

    /// What it is, in a few words: the same for every error of its kind.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Expression => "Expression failed",
            Self::Validation => "Data not valid",
            Self::Communication => "Communication failed",
            Self::Timeout => "Timed out",
        }
    }

    /// The error object that a handler sees; `instance` is the task's path.
    ///
    /// `detail` keeps its own labels; the rest is the same whenever it happens there, and tells only that it did.
    #[must_use]
    pub fn error(self, label: Label, detail: Value, instance: &str) -> Value {
        let fields: [(Arc<str>, Value); 5] = [
            ("type".into(), Value::text(label, self.uri())),
            ("status".into(), Value::int(label, self.status())),
            ("title".into(), Value::text(label, self.title())),
            ("detail".into(), detail),
            ("instance".into(), Value::text(label, instance)),
        ];
        Value::object(label, fields)
    }
}

/// `/do/0/fetch`, the JSON Pointer of a step's task; the workflow itself is the whole document.
pub(super) fn instance(program: &Program, step: StepId) -> String {
    match program.steps.get(step.0 as usize) {
        Some(step) if step.kind != "workflow" => format!("/{}", step.path),
        _ => String::new(),
    }
}

/// Goes to a handler with an error, or ends the run.
pub(super) fn raise(program: &Program, state: &State, handler: Option<HandlerId>, error: Value, told: Label) -> Moves {
    match handler.and_then(|id| program.handler(id)) {
        Some(handler) => {
            let mut state = state.clone();
            state.set(handler.error, error.raised(told));
            Moves::to(handler.entry, state)
        }
        None => Moves { edges: Vec::new(), fault: Some(error.raised(told)) },
    }
}

/// An error of `kind` at `at`, raised to that node's own handler.
///
/// `told` is the label of what decided that it happened; the state must already know it
/// (`State::decide`), since it was told whether or not the error came.
pub(super) fn raise_at(
    program: &Program,
    state: &State,
    at: NodeId,
    kind: FaultKind,
    detail: Value,
    told: Label,
) -> Moves {
    let Some(node) = program.node(at) else { return Moves::default() };
    let error = kind.error(told, detail, &instance(program, node.step));
    raise(program, state, node.handler, error, told)
}

/// A timeout fires while control stands at `at`.
#[must_use]
pub fn timeout(program: &Program, state: &State, at: NodeId, deadline: DeadlineId, told: Label) -> Moves {
    let Some(deadline) = program.deadline(deadline) else { return Moves::default() };
    let told = told.join(state.control(program, at));
    let mut state = state.clone();
    state.decide(program, at, told);
    let step = program.steps.get(deadline.step.0 as usize).map_or("", |s| &s.name);
    let detail = Value::text(told, format!("`{step}` took longer than its timeout"));
    let error = FaultKind::Timeout.error(told, detail, &instance(program, deadline.step));
    raise(program, &state, deadline.handler, error, told)
}

/// A fault that the driver reports for a node that was waiting, such as a connector that is gone.
#[must_use]
pub fn fault(program: &Program, state: &State, at: NodeId, kind: FaultKind, detail: Value, told: Label) -> Moves {
    let told = told.join(state.control(program, at));
    let mut state = state.clone();
    state.decide(program, at, told);
    raise_at(program, &state, at, kind, detail, told)
}
