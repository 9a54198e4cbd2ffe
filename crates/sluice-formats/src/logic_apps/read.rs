//! A workflow definition as it lies in the file: triggers, and actions in blocks.

use std::sync::Arc;

use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::{Data, Entry, Node as Tree};
use sluice_core::text::Span;

use crate::refusal;

/// Most actions of one file, those of inner blocks too.
pub const ACTIONS_MAX: usize = 2_000;

/// A workflow.
#[derive(Debug)]
pub(super) struct Workflow<'t> {
    pub(super) definition: &'t Tree,
    /// `connectionReferences` of a flow, where the file has them.
    pub(super) references: Option<&'t Tree>,
    pub(super) triggers: Vec<Action<'t>>,
    pub(super) block: Vec<Action<'t>>,
    /// What it is called, where the file says so.
    pub(super) title: Option<&'t Arc<str>>,
    /// Definitions of the same file that are not read.
    pub(super) further: usize,
}

/// A trigger or an action.
#[derive(Debug)]
pub(super) struct Action<'t> {
    pub(super) index: usize,
    pub(super) name: Arc<str>,
    /// Where the name stands.
    pub(super) span: Span,
    pub(super) tree: &'t Tree,
    /// Its type, in lower case.
    pub(super) kind: String,
    pub(super) is_trigger: bool,
    /// What it runs after: names, and whether it wants nothing but success.
    pub(super) after: Vec<(Arc<str>, bool)>,
    /// The actions inside: of an `If` both arms, of an agent each tool.
    pub(super) blocks: Vec<Vec<Action<'t>>>,
    /// What each block is.
    pub(super) arms: Vec<Arm<'t>>,
}

/// When a block is run.
#[derive(Clone, Copy, Debug)]
pub(super) enum Arm<'t> {
    /// `actions`: of an `If` where its condition is true.
    Body,
    /// Where it is false.
    Else,
    /// Of a `Switch`, where no case is.
    Default,
    /// Of a `Switch`, where its value is this.
    Case(Option<&'t Tree>),
    /// Where an agent calls it.
    Tool,
}

impl<'t> Action<'t> {
    pub(super) fn get(&self, key: &str) -> Option<&'t Tree> {
        self.tree.get(key)
    }

    pub(super) fn inputs(&self) -> Option<&'t Tree> {
        self.get("inputs")
    }

    /// The text at a path of keys.
    pub(super) fn text(&self, path: &[&str]) -> Option<&'t Arc<str>> {
        at(self.tree, path).and_then(Tree::as_text)
    }
}

pub(super) fn at<'t>(tree: &'t Tree, path: &[&str]) -> Option<&'t Tree> {
    path.iter().try_fold(tree, |tree, key| tree.get(key))
}

pub(super) fn entries(tree: Option<&Tree>) -> &[Entry] {
    match tree.map(|t| &t.value) {
        Some(Data::Map(entries)) => entries,
        _ => &[],
    }
}

pub(super) fn list(tree: Option<&Tree>) -> &[Tree] {
    match tree.map(|t| &t.value) {
        Some(Data::List(items)) => items,
        _ => &[],
    }
}

/// A name as expressions write it: spaces are `_`, case does not matter.
pub(super) fn key(name: &str) -> String {
    name.trim().replace(' ', "_").to_lowercase()
}

/// The definitions of a file: it alone, a logic app's, a flow's, or those among the resources of a template.
fn definitions(tree: &Tree) -> Vec<(&Tree, &Tree)> {
    let direct = [Some(tree), tree.get("definition"), at(tree, &["properties", "definition"])];
    if let Some(found) = direct.into_iter().flatten().find(|t| is_definition(t)) {
        return vec![(found, tree)];
    }
    let resources = list(tree.get("resources")).iter();
    let inside = resources.filter_map(|r| Some((at(r, &["properties", "definition"])?, r)));
    inside.filter(|(definition, _)| is_definition(definition)).collect()
}

fn is_definition(tree: &Tree) -> bool {
    let is_map = |key: &str| tree.get(key).is_some_and(|t| matches!(t.value, Data::Map(_)));
    let schema = tree.get("$schema").and_then(Tree::as_text);
    let is_named = schema.is_some_and(|s| s.to_lowercase().contains("workflowdefinition.json"));
    (is_map("triggers") && is_map("actions")) || (is_named && (is_map("triggers") || is_map("actions")))
}

/// The definition of a file, if it has one.
pub(super) fn definition(tree: &Tree) -> Option<&Tree> {
    definitions(tree).first().map(|(definition, _)| *definition)
}

/// Reads the workflow of a file.
pub(super) fn workflow(tree: &Tree) -> Result<Workflow<'_>, Vec<Diagnostic>> {
    let found = definitions(tree);
    let Some((definition, around)) = found.first().copied() else {
        return Err(vec![refusal::not_this_format(tree.span, "Logic Apps", "`triggers` and `actions`")]);
    };
    let mut reading = Reading { count: 0, problems: Vec::new() };
    let triggers = entries(definition.get("triggers")).iter().filter_map(|e| reading.action(e, true)).collect();
    let block = reading.block(definition.get("actions"));
    if reading.count > ACTIONS_MAX {
        return Err(vec![refusal::too_many(definition.span, "actions", ACTIONS_MAX)]);
    }
    if !reading.problems.is_empty() {
        return Err(reading.problems);
    }
    let references = [
        around.get("connectionReferences"),
        at(around, &["properties", "connectionReferences"]),
        at(around, &["properties", "parameters", "$connections", "value"]),
    ];
    let titles = [at(around, &["properties", "displayName"]), around.get("name")];
    let titles = titles.into_iter().flatten().filter_map(Tree::as_text);
    Ok(Workflow {
        definition,
        title: titles.into_iter().find(|title| !title.starts_with(['[', '@'])),
        references: references.into_iter().flatten().next(),
        triggers,
        block,
        further: found.len().saturating_sub(1),
    })
}

struct Reading {
    count: usize,
    problems: Vec<Diagnostic>,
}

impl Reading {
    fn block<'t>(&mut self, actions: Option<&'t Tree>) -> Vec<Action<'t>> {
        entries(actions).iter().filter_map(|entry| self.action(entry, false)).collect()
    }

    fn action<'t>(&mut self, entry: &'t Entry, is_trigger: bool) -> Option<Action<'t>> {
        let index = self.count;
        self.count += 1;
        let tree = &entry.value;
        let Some(kind) = tree.get("type").and_then(Tree::as_text) else {
            self.problems.push(no_type(entry.key_span, &entry.key));
            return None;
        };
        let (mut blocks, mut arms) = (Vec::new(), Vec::new());
        let mut inner = |arm: Arm<'t>, actions: Option<&'t Tree>| {
            if actions.is_some() {
                blocks.push(self.block(actions));
                arms.push(arm);
            }
        };
        inner(Arm::Body, tree.get("actions"));
        inner(Arm::Else, at(tree, &["else", "actions"]));
        inner(Arm::Default, at(tree, &["default", "actions"]));
        for case in entries(tree.get("cases")) {
            inner(Arm::Case(case.value.get("case")), case.value.get("actions"));
        }
        for tool in entries(tree.get("tools")) {
            inner(Arm::Tool, tool.value.get("actions"));
        }
        let after = entries(tree.get("runAfter")).iter().map(|e| (e.key.clone(), wants_success(&e.value))).collect();
        let kind = kind.to_lowercase();
        Some(Action {
            index,
            name: entry.key.clone(),
            span: entry.key_span,
            tree,
            kind,
            is_trigger,
            after,
            blocks,
            arms,
        })
    }
}

fn wants_success(statuses: &Tree) -> bool {
    let texts = list(Some(statuses)).iter().filter_map(Tree::as_text);
    texts.into_iter().all(|status| status.eq_ignore_ascii_case("succeeded"))
}

/// `SL823`: an action has no type.
fn no_type(span: Span, name: &str) -> Diagnostic {
    refusal::ACTION_WITHOUT_TYPE.at(span, format!("`{name}` has no type"))
}
