//! Which constructs generated programs have.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::definition::{Definition, Length, Output, Step, Target, Task};

/// Counts programs by construct.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    programs: usize,
    by_construct: BTreeMap<&'static str, usize>,
}

impl Coverage {
    /// Every construct that a definition can have.
    pub const CONSTRUCTS: [&'static str; 31] = [
        "call: action",
        "call: http",
        "call: release",
        "catch.do",
        "catch.errors",
        "catch.retry",
        "catch.when",
        "catch without do",
        "do",
        "export.as",
        "for",
        "for.while",
        "fork",
        "goto back",
        "goto forward",
        "if",
        "input.from",
        "output.as",
        "raise",
        "retry.when",
        "set",
        "switch",
        "then: end",
        "then: exit",
        "timeout",
        "timeout, computed",
        "try",
        "wait",
        "wait, computed",
        "workflow output.as",
        "workflow timeout",
    ];

    /// Adds one program.
    pub fn add(&mut self, definition: &Definition) {
        let mut found = BTreeSet::new();
        if definition.timeout.is_some() {
            found.insert("workflow timeout");
        }
        if definition.output.is_some() {
            found.insert("workflow output.as");
        }
        definition.steps.iter().for_each(|step| add_step(step, &mut found));
        self.add_found(found);
    }

    /// Adds what one program was found to have.
    pub fn add_found(&mut self, found: impl IntoIterator<Item = &'static str>) {
        self.programs += 1;
        for name in found {
            *self.by_construct.entry(name).or_default() += 1;
        }
    }

    /// The share of programs that have `construct`, in percent.
    #[must_use]
    pub fn percent(&self, construct: &str) -> usize {
        self.by_construct.get(construct).map_or(0, |n| n * 100 / self.programs.max(1))
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<40} {:>8}  share", format!("of {} programs", self.programs), "number")?;
        self.by_construct.iter().try_for_each(|(name, n)| writeln!(f, "{name:<40} {n:>8}  {:>3} %", self.percent(name)))
    }
}

fn add_target(target: Target, found: &mut BTreeSet<&'static str>) {
    match target {
        Target::Next => false,
        Target::Forward(_) => found.insert("goto forward"),
        Target::Exit => found.insert("then: exit"),
        Target::End => found.insert("then: end"),
    };
}

fn add_step(step: &Step, found: &mut BTreeSet<&'static str>) {
    let mut add = |name, there: bool| {
        if there {
            found.insert(name);
        }
    };
    add("if", step.guard.is_some());
    add("input.from", step.input.is_some());
    add("output.as", matches!(step.output, Output::Into(_)));
    add("export.as", step.export.is_some());
    add("timeout", matches!(step.timeout, Some(Length::Fixed(_))));
    add("timeout, computed", matches!(step.timeout, Some(Length::Computed(_))));
    add_target(step.then, found);
    add_task(&step.task, found);
}

fn add_task(task: &Task, found: &mut BTreeSet<&'static str>) {
    let name = match task {
        Task::Set(..) | Task::Replace(_) => "set",
        Task::Call(..) => "call: action",
        Task::Http { .. } => "call: http",
        Task::Release(..) => "call: release",
        Task::Switch(..) => "switch",
        Task::For { .. } => "for",
        Task::Try { .. } => "try",
        Task::Raise(..) => "raise",
        Task::Fork(_) => "fork",
        Task::Wait(Length::Fixed(_)) => "wait",
        Task::Wait(Length::Computed(_)) => "wait, computed",
        Task::Do(_) => "do",
        Task::Back(..) => "goto back",
    };
    found.insert(name);
    match task {
        Task::Switch(cases, default) => {
            cases.iter().map(|(_, target)| *target).chain([*default]).for_each(|target| add_target(target, found));
        }
        Task::For { condition, body, .. } => {
            if condition.is_some() {
                found.insert("for.while");
            }
            body.iter().for_each(|step| add_step(step, found));
        }
        Task::Try { body, filter, when, retry, handler } => {
            let parts = [
                ("catch.errors", filter.is_some()),
                ("catch.when", when.is_some()),
                ("catch.retry", retry.is_some()),
                ("retry.when", matches!(retry, Some((_, Some(_))))),
                ("catch.do", handler.is_some()),
                ("catch without do", handler.is_none()),
            ];
            found.extend(parts.into_iter().filter(|(_, there)| *there).map(|(name, _)| name));
            body.iter().chain(handler.iter().flatten()).for_each(|step| add_step(step, found));
        }
        Task::Fork(branches) => branches.iter().flatten().for_each(|step| add_step(step, found)),
        Task::Do(steps) => steps.iter().for_each(|step| add_step(step, found)),
        _ => {}
    }
}
