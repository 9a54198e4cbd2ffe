//! `Retry` and `Catch`: a `try` around the task.
//!
//! The original names errors of its own services, a run of Sluice has types of errors: what catches all errors, those of a
//! time that ran out or all others is the same here, and what a service's transport fails with. Any other name is a gap.

use sluice_core::document::{Data, Node as Tree};

use super::super::read::{State, list};
use super::path::Sight;
use super::{Refused, Writer};
use crate::native::{Catch, Retry, Task, TaskKind, Then, Value};
use crate::refusal;

/// What says that a service could not be reached or asked to be left alone, and not that it refused.
const TRANSPORT: [&str; 7] = [
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "DynamoDb.ProvisionedThroughputExceededException",
    "DynamoDb.RequestLimitExceeded",
    "DynamoDb.ThrottlingException",
];

const TIMEOUT: &str = "($error.type | endswith(\"/timeout\"))";

const UNREACHED: &str = "($error.type | endswith(\"/communication\"))";

impl<'t> Writer<'_, 't> {
    /// A state's task, with what is done where it fails.
    pub(super) fn guarded(&mut self, state: &State<'t>, sight: &Sight, mut task: Task) -> Result<Vec<Task>, Refused> {
        let retry = self.retry(state)?;
        let catch = self.catch(state, sight)?;
        if retry.is_none() && catch.is_none() {
            return Ok(vec![task]);
        }
        let then = task.then.take();
        let mut retry = retry;
        // What a `catch` does not catch it does not try again either: two rules on different errors are two of them.
        if retry.is_some() && catch.as_ref().is_some_and(|catch| catch.when.is_some()) {
            let name = self.free(format!("try {} again", state.name));
            task = Task::new(name, TaskKind::Try { tasks: vec![task], retry: retry.take(), catch: None });
        }
        let name = self.free(format!("try {}", state.name));
        let mut tried = Task::new(name, TaskKind::Try { tasks: vec![task], retry, catch });
        tried.then = then;
        Ok(vec![tried])
    }

    fn retry(&mut self, state: &State<'t>) -> Result<Option<Retry>, Refused> {
        let retriers = state.list("Retry");
        if let [_, second, ..] = retriers {
            let help = "try again by one rule";
            return Err(self.unlike(state, second, "a second rule of `Retry`", help));
        }
        let Some(retrier) = retriers.first() else { return Ok(None) };
        for key in ["MaxDelaySeconds", "JitterStrategy"] {
            if let Some(tree) = retrier.get(key) {
                return Err(self.unlike(state, tree, &format!("`{key}` of a `Retry`"), ""));
            }
        }
        let when = self.errors(state, retrier)?;
        let number = |key: &str, usual: f64| match retrier.get(key).map(|tree| &tree.value) {
            None => Some(usual),
            Some(Data::Int(n)) => i32::try_from(*n).ok().map(f64::from),
            Some(Data::Float(n)) => Some(*n),
            Some(_) => None,
        };
        let whole = |key: &str, usual: u64| match retrier.get(key).map(|tree| &tree.value) {
            None => Some(usual),
            Some(Data::Int(n)) => u64::try_from(*n).ok(),
            Some(_) => None,
        };
        let times = whole("MaxAttempts", 3);
        let delay_ms = whole("IntervalSeconds", 1).and_then(|seconds| seconds.checked_mul(1_000));
        let doubles = match number("BackoffRate", 2.0) {
            Some(2.0) => Some(true),
            Some(1.0) => Some(false),
            // Of one repetition there is no second delay.
            _ if times == Some(1) => Some(false),
            _ => None,
        };
        let (Some(times), Some(delay_ms), Some(doubles)) = (times, delay_ms, doubles) else {
            let help = "let each delay be as long as the one before (`BackoffRate` 1), or twice as long (2)";
            return Err(self.unlike(state, retrier, "a `Retry` with these numbers", help));
        };
        Ok((times > 0).then_some(Retry { times, delay_ms, doubles, when }))
    }

    fn catch(&mut self, state: &State<'t>, sight: &Sight) -> Result<Option<Catch>, Refused> {
        let catchers = state.list("Catch");
        if let [_, second, ..] = catchers {
            let help = "catch all errors by one rule, and decide about them in a `Choice` behind it";
            return Err(self.unlike(state, second, "a second rule of `Catch`", help));
        }
        let Some(catcher) = catchers.first() else { return Ok(None) };
        if let Some(assign) = catcher.get("Assign") {
            return Err(self.unlike(state, assign, "`Assign`", "put the value into the data with `ResultPath`"));
        }
        let when = self.errors(state, catcher)?;
        let error = "{Error: $error.title, Cause: $error.detail}";
        let made = self.placed(state, catcher.get("ResultPath"), (error, &sight.input))?;
        let mut tasks = Vec::new();
        if made != "." {
            let name = self.free(format!("{} (failed)", state.name));
            tasks.push(Task::new(name, TaskKind::Set(Value::jq(made))));
        }
        self.note("the name and the words of an error that is caught are those of a run of Sluice");
        let then = catcher.get("Next").and_then(Tree::as_text).map_or(Then::Exit, |name| Then::To(name.clone()));
        Ok(Some(Catch { when, tasks, then: Some(then) }))
    }

    /// Of which errors a rule speaks, as jq; `None`: of all.
    fn errors(&mut self, state: &State<'t>, rule: &Tree) -> Result<Option<String>, Refused> {
        let named: Vec<&str> = list(rule.get("ErrorEquals")).iter().filter_map(|t| t.as_text().map(|t| &**t)).collect();
        let has = |name: &str| named.contains(&name);
        if has("States.ALL") || has("States.TaskFailed") && has("States.Timeout") {
            return Ok(None);
        }
        let other = named
            .iter()
            .find(|name| !TRANSPORT.contains(name) && !matches!(**name, "States.TaskFailed" | "States.Timeout"));
        if let Some(other) = other.filter(|_| !has("States.TaskFailed")) {
            let help = "name `States.ALL`, or decide about the error in the definition";
            return Err(self.unlike(state, rule, &format!("the error `{other}`"), help));
        }
        if named.is_empty() {
            return Err(self.unlike(state, rule, "a rule of no error", ""));
        }
        if has("States.TaskFailed") {
            return Ok(Some(format!("{TIMEOUT} | not")));
        }
        let transport = named.iter().any(|name| TRANSPORT.contains(name));
        if transport {
            self.note("errors that say that a service cannot be reached are those of the type `communication` here, which may be more of them");
        }
        let tests = [has("States.Timeout").then_some(TIMEOUT), transport.then_some(UNREACHED)];
        Ok(Some(tests.into_iter().flatten().collect::<Vec<_>>().join(" or ")))
    }

    fn unlike(&mut self, state: &State<'_>, tree: &Tree, what: &str, help: &str) -> Refused {
        self.gap(state, &refusal::PARAMETER_WITHOUT_EQUIVALENT, tree.span, what, help)
    }
}
