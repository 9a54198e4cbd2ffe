//! State machines that start each other: all of them in one program, each once, however many states start it.
//!
//! A machine is called by the name in an ARN, or by that of the deployment's substitution; its own is that of its file.
//! Both are compared without case, punctuation and the words that say only that it is one: `${OrdersStateMachineArn}`,
//! `stateMachine:orders` and `orders.asl.json` are the same.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use sluice_core::document::Node as Tree;
use sluice_core::text::Text;

use super::read::{self, Machine, State};
use super::resource::target;
use crate::import::Calls;
use crate::siblings::{Sibling, Siblings};

/// Most states of all files together, for a machine that starts others: each is analysed with all that it starts.
const STATES_LINKED_MAX: usize = 500;

/// The machines of a program; the first is that of the file that was asked about.
#[derive(Debug)]
pub(super) struct Files<'t> {
    pub(super) all: Vec<File<'t>>,
    /// What several files answer to.
    pub(super) ambiguous: BTreeMap<Arc<str>, Vec<Arc<str>>>,
    /// Files that are not followed although they are at hand.
    too_large: BTreeSet<Arc<str>>,
}

#[derive(Debug)]
pub(super) struct File<'t> {
    /// Its path.
    pub(super) name: Arc<str>,
    /// What others call it by.
    pub(super) id: Option<Arc<str>>,
    pub(super) machine: Machine<'t>,
}

/// How a state that starts another machine goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// At once.
    Not,
    /// When it has ended; its output is a text.
    ForText,
    /// When it has ended; its output is a value.
    ForValue,
}

/// A machine with those that it starts.
pub(super) fn link<'t>(name: &Arc<str>, root: Machine<'t>, count: usize, siblings: &'t Siblings) -> Files<'t> {
    let mut open = VecDeque::from(references(&root));
    let mut count = count;
    let root = File { name: name.clone(), id: id(name), machine: root };
    let mut files = Files { all: vec![root], ambiguous: BTreeMap::new(), too_large: BTreeSet::new() };
    while let Some(reference) = open.pop_front() {
        if files.of(&reference).is_some() {
            continue;
        }
        match siblings.get(&reference) {
            Some(Sibling::One { text, tree }) => files.add(reference, (text, tree), &mut count, &mut open),
            Some(Sibling::Several(names)) => {
                files.ambiguous.insert(reference, names.clone());
            }
            None => {}
        }
    }
    files
}

impl<'t> Files<'t> {
    fn add(&mut self, id: Arc<str>, (text, tree): (&Text, &'t Tree), count: &mut usize, open: &mut VecDeque<Arc<str>>) {
        let Ok((machine, states)) = read::machine(tree, *count) else { return };
        if *count + states > STATES_LINKED_MAX {
            self.too_large.insert(text.name.clone());
            return;
        }
        *count += states;
        open.extend(references(&machine));
        self.all.push(File { name: text.name.clone(), id: Some(id), machine });
    }

    /// Which file a reference stands for.
    pub(super) fn of(&self, reference: &Arc<str>) -> Option<usize> {
        self.all.iter().position(|file| file.id.as_ref() == Some(reference))
    }

    /// What the file that was asked about is called by, and what it starts.
    pub(super) fn calls(&self) -> Calls {
        let Some(root) = self.all.first() else { return Calls::default() };
        let calls = references(&root.machine).into_iter().filter(|called| Some(called) != root.id.as_ref());
        Calls { id: root.id.clone(), calls: calls.collect(), ..Calls::default() }
    }

    /// What is said of files that were not followed.
    pub(super) fn not_followed(&self) -> impl Iterator<Item = String> {
        let words = |file| {
            format!(
                "what `{file}` does when it is started: it and its callers are more than {STATES_LINKED_MAX} states"
            )
        };
        self.too_large.iter().map(words)
    }
}

/// What the states of a machine start, those of inner machines too.
fn references(machine: &Machine<'_>) -> Vec<Arc<str>> {
    let mut found: Vec<Arc<str>> = machine.states.iter().filter_map(|state| Some(call(state)?.0)).collect();
    found.extend(machine.states.iter().flat_map(|state| &state.inner).flat_map(references));
    found
}

/// The machine that a state starts, where its text names one, and whether it waits for it.
pub(super) fn call(state: &State<'_>) -> Option<(Arc<str>, Waits)> {
    let arguments = state.get(if state.is_jsonata { "Arguments" } else { "Parameters" });
    let resource = state.text("Resource")?;
    let called = target(Some(resource), arguments);
    let is_sync = called.operation.eq_ignore_ascii_case("startSyncExecution");
    let starts = is_sync || called.operation.eq_ignore_ascii_case("startExecution");
    if !starts || !matches!(called.service.as_str(), "states" | "sfn") {
        return None;
    }
    let waits = match resource.split_once(".sync") {
        Some((_, rest)) if rest.starts_with(":2") => Waits::ForValue,
        Some(_) => Waits::ForText,
        None if is_sync => Waits::ForText,
        None => Waits::Not,
    };
    Some((named(arguments?.get("StateMachineArn")?.as_text()?)?, waits))
}

/// The name in an ARN: behind `stateMachine:`, without an alias or version; or the substitution that is all of it.
fn named(arn: &str) -> Option<Arc<str>> {
    let name = match arn.split_once(":stateMachine:") {
        Some((_, name)) => name,
        None => arn.strip_prefix("${").map(|_| arn)?,
    };
    let name = match name.strip_prefix("${") {
        Some(rest) => {
            let (name, behind) = rest.split_once('}')?;
            (behind.is_empty() || behind.starts_with(':')).then_some(name)?
        }
        None => name.split(':').next()?,
    };
    (!name.contains(['$', '{', '*', '%'])).then(|| bare(name))?
}

/// What a file is called by.
fn id(path: &str) -> Option<Arc<str>> {
    let name = path.rsplit(['/', '\\']).next()?;
    let stem = [".json", ".yaml", ".yml"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    bare(stem.strip_suffix(".asl").unwrap_or(stem))
}

/// A name without case, punctuation and what says only that it is a machine's.
fn bare(name: &str) -> Option<Arc<str>> {
    let name: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let name = name.strip_suffix("arn").unwrap_or(&name);
    let name = name.strip_suffix("statemachine").unwrap_or(name);
    (!name.is_empty()).then(|| name.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_known_by_the_name_in_its_arn_and_by_that_of_its_file() {
        for (arn, name) in [
            ("arn:aws:states:us-east-1:123456789012:stateMachine:Orders", Some("orders")),
            ("arn:aws:states:us-east-1:123456789012:stateMachine:Orders:PROD", Some("orders")),
            ("arn:aws:states:${AWS::Region}:${AWS::AccountId}:stateMachine:order-check", Some("ordercheck")),
            ("arn:aws:states:us-east-1:123456789012:stateMachine:${Orders}", Some("orders")),
            ("${OrdersStateMachineArn}", Some("orders")),
            ("${OrdersArn}", Some("orders")),
            ("${StateMachineArn}", None),
            ("arn:aws:states:us-east-1:123456789012:stateMachine:${Stage}-orders", None),
            ("arn:aws:states:us-east-1:123456789012:stateMachine:${Stage", None),
            ("arn:aws:states:us-east-1:123456789012:stateMachine:*", None),
            ("{% $states.input.arn %}", None),
            ("orders", None),
        ] {
            assert_eq!(named(arn).as_deref(), name, "{arn}");
        }
        for (path, name) in [
            ("machines/orders.asl.json", Some("orders")),
            ("machines\\Order_State_Machine.yaml", Some("order")),
            ("statemachine.asl.json", None),
            ("orders", Some("orders")),
        ] {
            assert_eq!(id(path).as_deref(), name, "{path}");
        }
    }
}
