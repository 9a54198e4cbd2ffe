//! What events, contexts and actions mean: data under `connectors/github-actions`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use sluice_core::document::{self, Data, Node as Tree};
use sluice_core::text::Text;

use crate::import::Tier;

const EVENTS: &str = include_str!("../../../../connectors/github-actions/events.yaml");
const CONTEXTS: &str = include_str!("../../../../connectors/github-actions/contexts.yaml");
const ACTIONS: &str = include_str!("../../../../connectors/github-actions/actions.yaml");

/// Everything that the files say.
#[derive(Debug, Default)]
pub(super) struct Knowledge {
    events: BTreeMap<String, Event>,
    actions: BTreeMap<String, Action>,
    words: BTreeMap<String, BTreeSet<String>>,
}

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) tier: Tier,
    /// Whether `github.ref` names what somebody chose.
    pub(super) refs: bool,
    /// Whether it can be about an outsider's commit while the run has the repository's rights.
    pub(super) head: bool,
    /// Whether anybody can start a run.
    pub(super) open: bool,
}

/// What an action's outputs are made from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Outputs {
    /// Fixed words of its own.
    Nothing,
    /// What it is given.
    #[default]
    Inputs,
    /// What it is given, the event, and files that an outsider may have written.
    Event,
}

/// What an action does besides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Does {
    #[default]
    Nothing,
    Checkout,
    Upload,
    Download,
    Cache,
    /// Builds or runs what lies in the workspace.
    Runs,
}

/// One action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Action {
    pub(super) outputs: Outputs,
    pub(super) does: Does,
    /// Whether it needs no credentials of a checkout, and no right but to read the repository.
    pub(super) quiet: bool,
    pub(super) code: BTreeSet<String>,
    pub(super) command: BTreeSet<String>,
    pub(super) prompt: BTreeSet<String>,
}

impl Knowledge {
    /// That of this release, read once.
    #[expect(clippy::expect_used, reason = "the files are part of the program, and a test reads each of them")]
    pub(super) fn built_in() -> &'static Self {
        static BUILT_IN: OnceLock<Knowledge> = OnceLock::new();
        BUILT_IN.get_or_init(|| Self::read().expect("the files of this release have no error"))
    }

    /// `None` if a file is no YAML or a word in it has no meaning.
    pub(super) fn read() -> Option<Self> {
        let tree = |content: &str| document::read(&Text::new("connectors/github-actions", content)).ok();
        let (events, contexts, actions) = (tree(EVENTS)?, tree(CONTEXTS)?, tree(ACTIONS)?);
        let mut knowledge = Self::default();
        for (name, entry) in entries(events.get("events")?) {
            knowledge.events.insert(name, event(entry)?);
        }
        for (name, entry) in entries(&contexts) {
            knowledge.words.insert(name, words(Some(entry)));
        }
        for (name, entry) in entries(actions.get("actions")?) {
            knowledge.actions.insert(name.to_lowercase(), action(entry)?);
        }
        Some(knowledge)
    }

    /// An event; one that no file names can be anything.
    pub(super) fn event(&self, name: &str) -> Event {
        let unknown = Event { tier: Tier::Conditional, refs: true, head: false, open: false };
        self.events.get(name).copied().unwrap_or(unknown)
    }

    pub(super) fn action(&self, name: &str) -> Option<&Action> {
        self.actions.get(&name.to_lowercase())
    }

    /// Whether the list of this name has the word.
    pub(super) fn lists(&self, list: &str, word: &str) -> bool {
        self.words.get(list).is_some_and(|words| words.contains(word))
    }

    /// Whether the text holds a word of the list.
    pub(super) fn mentions(&self, list: &str, text: &str) -> bool {
        self.words.get(list).is_some_and(|words| words.iter().any(|word| text.contains(word.as_str())))
    }

    /// Whether the host or people with rights write this path under `github.event`.
    pub(super) fn is_fixed(&self, path: &[String]) -> bool {
        let last = path.last().is_some_and(|key| self.lists("fixed", key));
        let whole = path.join(".");
        let ends = |end: &String| whole == *end || whole.ends_with(&format!(".{end}"));
        last || self.words.get("fixed_paths").is_some_and(|ends_of| ends_of.iter().any(ends))
    }
}

fn event(entry: &Tree) -> Option<Event> {
    let tier = match entry.get("tier")?.as_text()?.as_ref() {
        "direct" => Tier::Direct,
        "indirect" => Tier::Indirect,
        "conditional" => Tier::Conditional,
        "internal" => Tier::Internal,
        _ => return None,
    };
    Some(Event { tier, refs: is_true(entry, "refs"), head: is_true(entry, "head"), open: is_true(entry, "open") })
}

fn action(entry: &Tree) -> Option<Action> {
    let word = |key: &str| entry.get(key).and_then(Tree::as_text).map(AsRef::as_ref);
    let outputs = match word("outputs") {
        Some("none") => Outputs::Nothing,
        Some("inputs") | None => Outputs::Inputs,
        Some("event") => Outputs::Event,
        Some(_) => return None,
    };
    let does = match word("does") {
        None => Does::Nothing,
        Some("checkout") => Does::Checkout,
        Some("upload") => Does::Upload,
        Some("download") => Does::Download,
        Some("cache") => Does::Cache,
        Some("runs") => Does::Runs,
        Some(_) => return None,
    };
    let list = |key: &str| words(entry.get(key));
    Some(Action {
        outputs,
        does,
        quiet: is_true(entry, "quiet"),
        code: list("code"),
        command: list("command"),
        prompt: list("prompt"),
    })
}

fn entries(tree: &Tree) -> Vec<(String, &Tree)> {
    match &tree.value {
        Data::Map(entries) => entries.iter().map(|e| (e.key.to_string(), &e.value)).collect(),
        _ => Vec::new(),
    }
}

fn words(tree: Option<&Tree>) -> BTreeSet<String> {
    match tree.map(|t| &t.value) {
        Some(Data::List(items)) => items.iter().filter_map(Tree::as_text).map(ToString::to_string).collect(),
        _ => BTreeSet::new(),
    }
}

fn is_true(tree: &Tree, key: &str) -> bool {
    matches!(tree.get(key).map(|t| &t.value), Some(Data::Bool(true)))
}
