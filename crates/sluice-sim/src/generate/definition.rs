//! Random definitions: a tree of steps with every construct that can run.

use proptest::prelude::*;

use super::expression::{Expr, VARIABLES, expression, secret, secret_list};

/// A workflow.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Its steps.
    pub steps: Vec<Step>,
    /// `input.from`.
    pub input: bool,
    /// `output.as`.
    pub output: Option<Expr>,
    /// `timeout` of the whole.
    pub timeout: Option<u16>,
}

/// A step with what every step may have.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it does.
    pub task: Task,
    /// `if`.
    pub guard: Option<Expr>,
    /// `input.from`: the input keeps its variables and gets this one.
    pub input: Option<(usize, Expr)>,
    /// `output.as`.
    pub output: Output,
    /// `export.as`: the variable of `$context` and its value.
    pub export: Option<(usize, Expr)>,
    /// `timeout`.
    pub timeout: Option<Length>,
    /// `then`.
    pub then: Target,
}

/// What becomes of a step's raw output.
#[derive(Clone, Copy, Debug)]
pub enum Output {
    /// It is the data.
    Raw,
    /// It is a variable of the data.
    Into(usize),
}

/// Where control goes.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// Nothing is said.
    Next,
    /// To a later step of the list, this many further on.
    Forward(usize),
    /// `exit`.
    Exit,
    /// `end`.
    End,
}

/// A duration.
#[derive(Clone, Debug)]
pub enum Length {
    /// So many milliseconds.
    Fixed(u16),
    /// Ten milliseconds if it holds, else two.
    Computed(Expr),
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Task {
    /// `set`, on top of the data.
    Set(usize, Expr),
    /// `set` of a whole map.
    Replace(Vec<(usize, Expr)>),
    /// `call` of an action of the catalogue; each argument may be missing.
    Call(usize, [Option<Expr>; 3]),
    /// `call: http`.
    Http {
        /// Which action's endpoint.
        post: bool,
        /// Its path parameter.
        id: Option<Expr>,
        /// `query` or `body`.
        sent: Option<Expr>,
    },
    /// `call: redact`, `release` or `endorse`; whether a value that the entry's list lacks is replaced by one that it has.
    Release(usize, Expr, bool),
    /// `switch`.
    Switch(Vec<(Expr, Target)>, Target),
    /// `for`.
    For {
        /// `in`.
        list: Expr,
        /// `while`.
        condition: Option<Expr>,
        /// `do`.
        body: Vec<Step>,
    },
    /// `try`.
    Try {
        /// `try`.
        body: Vec<Step>,
        /// `errors.with.status`.
        filter: Option<u16>,
        /// `when`.
        when: Option<Expr>,
        /// `retry`: its limit, and its `when`.
        retry: Option<(u8, Option<Expr>)>,
        /// `catch.do`.
        handler: Option<Vec<Step>>,
    },
    /// `raise` with a status and a detail.
    Raise(u16, Expr),
    /// `fork`.
    Fork(Vec<Vec<Step>>),
    /// `wait`.
    Wait(Length),
    /// `do`.
    Do(Vec<Step>),
    /// Back to an earlier step, as long as a counter and a condition allow.
    Back(usize, Option<Expr>),
}

/// The statuses of raised errors and of filters.
const STATUSES: [u16; 4] = [400, 408, 500, 418];

/// Workflows of about `size` steps that call `actions` actions and name `releases` releases.
pub fn definition(size: usize, actions: usize, releases: usize) -> impl Strategy<Value = Definition> {
    (
        steps(size, actions, releases),
        prop::bool::weighted(0.2),
        prop::option::weighted(0.3, expression()),
        prop::option::weighted(0.05, 1..40_u16),
        prop::option::weighted(0.6, (0..releases, secret(), prop::bool::weighted(0.9))),
    )
        .prop_map(|(rest, input, output, timeout, release)| {
            let plain = |task, variable| plain(task, Output::Into(variable));
            let reading = |action| plain(Task::Call(action, [None, None, None]), action);
            let mut steps = vec![reading(0), reading(1)];
            steps.extend(release.map(|(entry, value, fits)| plain(Task::Release(entry, value, fits), 2)));
            steps.extend(rest);
            Definition { steps, input, output, timeout }
        })
}

/// A step that nothing decides about. Programs start with two reads and often a release: without them, most have nothing
/// that is worth hiding.
const fn plain(task: Task, output: Output) -> Step {
    Step { task, guard: None, input: None, output, export: None, timeout: None, then: Target::Next }
}

fn steps(size: usize, actions: usize, releases: usize) -> impl Strategy<Value = Vec<Step>> {
    let leaf = step(simple(actions, releases).boxed());
    let nested = leaf.prop_recursive(3, u32::try_from(size).unwrap_or(16), 4, move |inner| {
        let list = prop::collection::vec(inner.clone(), 1..4);
        let body = prop_oneof![2 => simple(actions, releases).boxed(), 3 => compound(list.boxed()).boxed()];
        step(body.boxed()).boxed()
    });
    prop::collection::vec(nested, 1..size.max(3))
}

fn step(task: BoxedStrategy<Task>) -> BoxedStrategy<Step> {
    let variable = 0..VARIABLES;
    (
        task,
        prop::option::weighted(0.15, expression()),
        prop::option::weighted(0.08, (variable.clone(), expression())),
        prop_oneof![1 => Just(Output::Raw), 4 => variable.clone().prop_map(Output::Into)],
        prop::option::weighted(0.2, (variable, expression())),
        prop::option::weighted(0.12, length()),
        prop_oneof![12 => Just(Target::Next), 2 => target()],
    )
        .prop_map(|(task, guard, input, output, export, timeout, then)| Step {
            task,
            guard,
            input,
            output,
            export,
            timeout,
            then,
        })
        .boxed()
}

fn target() -> impl Strategy<Value = Target> {
    prop_oneof![
        1 => Just(Target::Next),
        5 => (1..4_usize).prop_map(Target::Forward),
        1 => Just(Target::Exit),
        1 => Just(Target::End),
    ]
}

fn length() -> impl Strategy<Value = Length> {
    prop_oneof![1 => (0..12_u16).prop_map(Length::Fixed), 2 => expression().prop_map(Length::Computed)]
}

fn simple(actions: usize, releases: usize) -> impl Strategy<Value = Task> {
    let argument = || prop::option::weighted(0.8, expression());
    let status = || (0..STATUSES.len()).prop_map(|i| STATUSES.get(i).copied().unwrap_or(500));
    prop_oneof![
        3 => (0..VARIABLES, expression()).prop_map(|(v, e)| Task::Set(v, e)),
        1 => prop::collection::vec((0..VARIABLES, expression()), 0..3).prop_map(Task::Replace),
        9 => (0..actions, [argument(), argument(), argument()]).prop_map(|(action, with)| Task::Call(action, with)),
        1 => (any::<bool>(), prop::option::of(expression()), prop::option::of(expression()))
            .prop_map(|(post, id, sent)| Task::Http { post, id, sent }),
        4 => (0..releases, prop_oneof![secret().boxed(), expression().boxed()], prop::bool::weighted(0.8))
            .prop_map(|(entry, value, fits)| Task::Release(entry, value, fits)),
        2 => (prop::collection::vec((expression(), target()), 1..3), target())
            .prop_map(|(cases, default)| Task::Switch(cases, default)),
        1 => (status(), expression()).prop_map(|(status, detail)| Task::Raise(status, detail)),
        1 => length().prop_map(Task::Wait),
        1 => (1..4_usize, prop::option::of(expression())).prop_map(|(back, when)| Task::Back(back, when)),
    ]
}

fn compound(list: BoxedStrategy<Vec<Step>>) -> impl Strategy<Value = Task> {
    let status = (0..STATUSES.len()).prop_map(|i| STATUSES.get(i).copied().unwrap_or(500));
    prop_oneof![
        3 => (prop_oneof![secret_list().boxed(), expression().boxed()], prop::option::weighted(0.3, expression()), list.clone())
            .prop_map(|(list, condition, body)| Task::For { list, condition, body }),
        5 => (
            list.clone(),
            prop::option::weighted(0.3, status),
            prop::option::weighted(0.3, expression()),
            prop::option::weighted(0.35, (1..3_u8, prop::option::weighted(0.3, expression()))),
            prop::option::weighted(0.7, list.clone()),
        )
            .prop_map(|(body, filter, when, retry, handler)| Task::Try { body, filter, when, retry, handler }),
        3 => prop::collection::vec(list.clone(), 1..4).prop_map(Task::Fork),
        1 => list.prop_map(Task::Do),
    ]
}
