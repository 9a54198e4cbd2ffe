//! Native definitions of foreign workflows: what `sluice import` writes.
//!
//! An importer makes a [`Definition`] of a text: tasks that a person reads, the contracts of what they call, and a
//! [`gap`](Definition::gaps) for everything that the Open Workflow DSL, or a run of Sluice, has no equivalent for. A step
//! with a gap stands in the definition as a call of no contract, so that a definition with gaps is refused before it starts.
//! [`read_back`] makes an [`Import`](crate::Import) of what was written, for the same questions as the original is asked.
//!
//! In scope: the tree of tasks, its YAML, contracts as they are written.
//! Out of scope: what a foreign node means (each importer's own folder), comparing the flows (`sluice-verify`), files.

mod contract;
mod read_back;
mod request;
mod sending;
mod task;
mod writing;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sluice_core::catalogue::Usage;
use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::Node;
use sluice_core::limits::TEXT_BYTES_MAX;
use sluice_core::text::{Span, Text};

pub use read_back::{Unreadable, read_back};

pub(crate) use contract::{ActionDraft, Contracts, Reached, role_of};
pub(crate) use request::{Header, Request, Untold, is_method, name_of};
pub(crate) use sending::Sending;
pub(crate) use task::{Case, Catch, Piece, Retry, Task, TaskKind, Then, Value, member, quoted, with_own_names};
pub(crate) use writing::{Refused, Writing, start_of};
pub(crate) use yaml::{slug, words_of};

use crate::import::Format;
use crate::refusal;

/// The connector of steps that have no equivalent. No contract may have its name, so nothing that calls it is admitted.
pub const NO_EQUIVALENT: &str = "no-equivalent";

/// Longer expressions are no longer read by anybody, nor by the reader of definitions.
pub(crate) const EXPRESSION_MAX: usize = 12_000;

/// Lists inside of each other: the reader of definitions counts three levels of its own for each.
pub(crate) const DEPTH_MAX: usize = 18;

/// A native definition of a foreign workflow.
#[derive(Clone, Debug)]
pub struct Definition {
    title: String,
    tasks: Vec<Task>,
    contracts: Contracts,
    /// What the original file is called.
    file: Arc<str>,
    /// Names that tasks read of each other: only these are kept in `$context`.
    read: BTreeSet<String>,
    /// What each call sends and gets, by the name of its task.
    pub(crate) told: BTreeMap<Arc<str>, Told>,
    /// What has no equivalent: which step, where, why, what to do.
    pub gaps: Vec<Diagnostic>,
    /// What is equivalent, but not the same: to be read by a person.
    pub notes: Vec<String>,
    /// The steps of the original that a run from this start can get to.
    pub(crate) reached: BTreeSet<Arc<str>>,
    /// How many there are.
    pub steps: usize,
    /// How many of them have an equivalent.
    pub equivalent: usize,
}

/// What the call of a step sends and gets, finer than its contract says it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    /// What the other side does with each argument.
    pub(crate) usages: BTreeMap<String, Usage>,
    /// What else it does with some of them.
    pub(crate) also: BTreeMap<String, Usage>,
    /// Whether an outsider must not be the one who sets it off.
    pub(crate) powerful: bool,
    /// Whether its reply is made from all that was sent.
    pub(crate) speaks: bool,
    /// Whether each argument does what its usage says and nothing else: elsewhere what is pasted somewhere travels, too.
    pub(crate) exact: bool,
}

/// Files that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The definition.
    pub definition: String,
    /// Contracts, by their path in a workspace.
    pub contracts: BTreeMap<String, String>,
    /// Classes of data that the contracts name.
    pub classes: BTreeSet<String>,
    /// Destinations that the contracts name.
    pub destinations: BTreeSet<String>,
}

/// Translates a tree of a format that [`recognise`](crate::recognise) named. `start`: the one of several starts that is meant.
///
/// # Errors
/// Why the text is no workflow of that format, or which start is meant.
pub fn definition(
    format: Format,
    text: &Text,
    tree: &Node,
    start: Option<&str>,
) -> Result<Definition, Vec<Diagnostic>> {
    match format {
        Format::N8n => crate::n8n::definition(text, tree, start),
        Format::StepFunctions => crate::step_functions::definition(text, tree, start),
        Format::LogicApps => crate::logic_apps::definition(text, tree, start),
        Format::Dify => crate::dify::definition(text, tree, start),
        Format::GithubActions => crate::github_actions::definition(text, tree, start),
    }
}

impl Definition {
    /// A definition of a workflow of this title, which `file` holds.
    pub(crate) fn new(title: &str, file: &Arc<str>) -> Self {
        Self {
            title: title.to_owned(),
            tasks: Vec::new(),
            contracts: Contracts::default(),
            file: file.clone(),
            read: BTreeSet::new(),
            told: BTreeMap::new(),
            gaps: Vec::new(),
            notes: Vec::new(),
            reached: BTreeSet::new(),
            steps: 0,
            equivalent: 0,
        }
    }

    /// The same with what was made of the workflow.
    pub(crate) fn filled(self, tasks: Vec<Task>, contracts: Contracts, read: BTreeSet<String>) -> Self {
        Self { tasks, contracts, read, ..self }
    }

    /// Whether a step of the original is one of those that the definition is about.
    #[must_use]
    pub fn has_step(&self, name: &str) -> bool {
        self.reached.contains(name)
    }

    /// That a flow of the original would be hidden: told at the step where it ends.
    #[must_use]
    pub fn hides(&self, original: &crate::Import, source: &str, sink: &str, kind: &str) -> Diagnostic {
        let steps = &original.program.steps;
        let span = steps.iter().find(|step| step.name.as_ref() == sink).map(|step| step.span).unwrap_or_default();
        let message = format!("the definition would hide that data of `{source}` gets to `{sink}` ({kind})");
        refusal::SAYS_LESS.at(span, message).at_step(sink)
    }

    /// Whether what is written is no larger than what is read.
    fn is_readable(&self, at: Span) -> Result<(), Vec<Diagnostic>> {
        let files = self.files();
        let sizes = files.contracts.values().chain([&files.definition]).map(String::len);
        if sizes.max().unwrap_or_default() <= TEXT_BYTES_MAX {
            return Ok(());
        }
        let message = format!("the definition would be larger than the {TEXT_BYTES_MAX} bytes that are read");
        Err(vec![refusal::TOO_LARGE.at(at, message)])
    }

    /// Its files, as they are written.
    #[must_use]
    pub fn files(&self) -> Files {
        Files {
            definition: yaml::definition(self),
            contracts: self.contracts.files(),
            classes: self.contracts.classes(),
            destinations: self.contracts.destinations(),
        }
    }
}

impl Files {
    /// The entries that the registers of a workspace need before the contracts mean something, as `sluice init` lays them
    /// out: who answers for each is for a person to say.
    #[must_use]
    pub fn register_entries(&self) -> Vec<(&'static str, String)> {
        let mut entries = Vec::new();
        let list = |names: &BTreeSet<String>, rest: &str| {
            names.iter().map(|name| format!("  {}: {{ owner: owners{rest} }}\n", yaml::key(name))).collect::<String>()
        };
        if !self.classes.is_empty() {
            entries.push(("registers/classification.yaml", format!("categories:\n{}", list(&self.classes, ""))));
        }
        if !self.destinations.is_empty() {
            let rest = ", region: here, cleared: []";
            entries.push(("registers/destinations.yaml", format!("destinations:\n{}", list(&self.destinations, rest))));
        }
        entries
    }
}

/// A workflow of another engine, and what was made of it.
#[derive(Debug)]
pub struct Opened {
    /// Its text.
    pub text: Text,
    /// What it says.
    pub tree: Node,
    /// Which engine's it is.
    pub format: Format,
    /// What starts it, by name; a definition has one start.
    pub starts: Vec<Arc<str>>,
    /// The workflow as it is, and its native definition.
    pub result: Result<Box<(crate::Import, Definition)>, Vec<Diagnostic>>,
}

/// Reads bytes and translates them; `None` of what is no workflow of another engine.
#[must_use]
pub fn open(name: &str, bytes: &[u8], start: Option<&str>) -> Option<Opened> {
    let crate::Read { text, tree, problems, .. } = crate::read(name, bytes)?;
    let format = crate::recognise(&tree)?;
    let both = || {
        if !problems.is_empty() {
            return Err(problems);
        }
        let original = crate::import(format, &text, &tree)?;
        let definition = definition(format, &text, &tree, start)?;
        definition.is_readable(tree.span)?;
        Ok(Box::new((original, definition)))
    };
    let result = both();
    let starts = match format {
        Format::N8n => crate::n8n::starts(&text, &tree),
        Format::StepFunctions => crate::step_functions::starts(&tree),
        Format::LogicApps => crate::logic_apps::starts(&tree),
        Format::Dify => crate::dify::starts(&text, &tree),
        Format::GithubActions => crate::github_actions::starts(&tree),
    };
    Some(Opened { text, tree, format, starts, result })
}
