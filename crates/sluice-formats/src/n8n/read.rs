//! An export as it lies in the file: nodes, connections, settings.
//!
//! Exports vary: a workflow alone, in a list, under `workflow`; connections that name nodes which are not there. What
//! cannot be read as a workflow is refused with its place; what is merely odd is kept and, where it matters, told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::{Data, Node as Tree};
use sluice_core::text::Span;

use crate::refusal;

/// Most nodes of one workflow. The largest seen has 176; the analysis stays quick up to here.
pub const NODES_MAX: usize = 2_000;
/// Most connections of one workflow.
pub const CONNECTIONS_MAX: usize = 20_000;

/// A workflow of n8n.
#[derive(Debug)]
pub(super) struct Workflow<'t> {
    pub(super) name: Arc<str>,
    pub(super) span: Span,
    /// Of every file, one file after another.
    pub(super) nodes: Vec<Node<'t>>,
    /// The file that was asked about, then those of the workflows that are called.
    pub(super) files: Vec<File>,
    pub(super) connections: Vec<Connection>,
    /// `settings.errorWorkflow`.
    pub(super) error_workflow: bool,
    pub(super) pinned: BTreeSet<Arc<str>>,
    /// References that several files answer to.
    pub(super) ambiguous: BTreeMap<Arc<str>, Vec<Arc<str>>>,
    /// Files that are called and not followed, because together they are too many nodes.
    pub(super) too_large: BTreeSet<Arc<str>>,
}

/// What is a file's own.
#[derive(Debug)]
pub(super) struct File {
    pub(super) id: Option<Arc<str>>,
    /// Nodes by name; of two nodes with one name, the last, as n8n has it.
    pub(super) by_name: BTreeMap<Arc<str>, usize>,
}

impl Workflow<'_> {
    /// The node that another one means by a name.
    pub(super) fn named(&self, from: usize, name: &str) -> Option<usize> {
        named(&self.file_of(from)?.by_name, name)
    }

    /// The file of a node.
    pub(super) fn file_of(&self, node: usize) -> Option<&File> {
        self.files.get(self.nodes.get(node)?.file)
    }

    /// The nodes of the file that a node stands in.
    pub(super) fn beside(&self, node: usize) -> impl Iterator<Item = usize> {
        let file = self.nodes.get(node).map(|n| n.file);
        let nodes = self.nodes.iter().enumerate();
        nodes.filter(move |(_, n)| Some(n.file) == file).map(|(i, _)| i)
    }

    /// Whether a node stands in the file that was asked about.
    pub(super) fn is_own(&self, node: usize) -> bool {
        self.nodes.get(node).is_none_or(|n| n.file == 0)
    }
}

/// A node.
#[derive(Debug)]
pub(super) struct Node<'t> {
    /// Of another file's node, behind the name of that file.
    pub(super) name: Arc<str>,
    /// The name that it has in its own file.
    pub(super) short: Arc<str>,
    /// The file that it stands in.
    pub(super) file: usize,
    pub(super) node_type: Arc<str>,
    pub(super) version: f64,
    pub(super) parameters: Option<&'t Tree>,
    pub(super) disabled: bool,
    pub(super) errors: Errors,
    /// The accounts that it acts with: type and id, or name, of each.
    pub(super) credentials: BTreeSet<String>,
    /// `alwaysOutputData`: where no item is left it puts out an empty one.
    pub(super) never_empty: bool,
    /// `executeOnce`: it runs for the first item alone.
    pub(super) once: bool,
    pub(super) span: Span,
}

/// What a node does about its own errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Errors {
    /// `onError: continueErrorOutput`: the last port is that of errors.
    pub(super) has_port: bool,
    /// It goes on, or tries again.
    pub(super) handled: bool,
    /// It goes on by its usual port.
    pub(super) goes_on: bool,
    /// It is tried so often, with so many milliseconds in between.
    pub(super) tries: Option<(u64, u64)>,
}

/// One edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Connection {
    pub(super) from: usize,
    /// `main`, `ai_tool`, …
    pub(super) kind: Arc<str>,
    pub(super) port: usize,
    pub(super) to: usize,
    pub(super) input: usize,
}

/// Whether a tree looks like n8n's.
pub(super) fn is_workflow(tree: &Tree) -> bool {
    unwrapped(tree).is_some()
}

/// The object that has `nodes` and `connections`.
fn unwrapped(tree: &Tree) -> Option<&Tree> {
    let inner = match &tree.value {
        Data::List(items) => items.first()?,
        _ => tree,
    };
    let inner =
        if inner.get("nodes").is_some() { inner } else { inner.get("workflow").or_else(|| inner.get("data"))? };
    let nodes = inner.get("nodes")?;
    let Data::List(list) = &nodes.value else { return None };
    let typed = |node: &Tree| node.get("type").is_some_and(|t| t.as_text().is_some());
    let fits = inner.get("connections").is_some() || list.iter().any(|n| typed(n) && n.get("typeVersion").is_some());
    (fits && list.iter().all(|n| typed(n) || n.get("type").is_none())).then_some(inner)
}

/// Reads a workflow.
///
/// # Errors
/// `SL802` where it has too many nodes or connections, `SL803` where a node has no name or type.
pub(super) fn workflow(tree: &Tree) -> Result<Workflow<'_>, Vec<Diagnostic>> {
    let Some(root) = unwrapped(tree) else {
        return Err(vec![refusal::not_this_format(tree.span, "n8n", "`nodes` and `connections`")]);
    };
    let listed = list(root.get("nodes"));
    if listed.len() > NODES_MAX {
        return Err(vec![refusal::too_many(root.span, "nodes", NODES_MAX)]);
    }
    let mut problems = Vec::new();
    let mut nodes = Vec::with_capacity(listed.len());
    for tree in listed {
        match node(tree) {
            Ok(node) => nodes.push(node),
            Err(problem) => problems.push(*problem),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let by_name: BTreeMap<Arc<str>, usize> = nodes.iter().enumerate().map(|(i, n)| (n.name.clone(), i)).collect();
    let connections = connections(root, &by_name);
    if connections.len() > CONNECTIONS_MAX {
        return Err(vec![refusal::too_many(root.span, "connections", CONNECTIONS_MAX)]);
    }
    let text = |key: &str| root.get(key).and_then(Tree::as_text).cloned();
    let settings = root.get("settings");
    let error_workflow = settings.and_then(|s| s.get("errorWorkflow")).and_then(Tree::as_text);
    let pinned = match root.get("pinData").map(|p| &p.value) {
        Some(Data::Map(entries)) => entries.iter().map(|e| e.key.clone()).collect(),
        _ => BTreeSet::new(),
    };
    Ok(Workflow {
        name: text("name").unwrap_or_else(|| "".into()),
        span: root.span,
        nodes,
        files: vec![File { id: text("id"), by_name }],
        connections,
        error_workflow: error_workflow.is_some_and(|e| !e.is_empty()),
        pinned,
        ambiguous: BTreeMap::new(),
        too_large: BTreeSet::new(),
    })
}

fn node(tree: &Tree) -> Result<Node<'_>, Box<Diagnostic>> {
    let text = |key: &str| tree.get(key).and_then(Tree::as_text).cloned();
    let (Some(name), Some(node_type)) = (text("name"), text("type")) else {
        return Err(Box::new(
            refusal::NODE_WITHOUT_NAME.at(tree.span, "a node of the workflow has no name or no type"),
        ));
    };
    let version = match tree.get("typeVersion").map(|v| &v.value) {
        #[expect(clippy::cast_precision_loss, reason = "versions are small numbers")]
        Some(Data::Int(n)) => *n as f64,
        Some(Data::Float(x)) => *x,
        _ => 1.0,
    };
    let is_on = |key: &str| matches!(tree.get(key).map(|v| &v.value), Some(Data::Bool(true)));
    let number = |key: &str, usual: u64| match tree.get(key).map(|v| &v.value) {
        Some(Data::Int(n)) => u64::try_from(*n).unwrap_or(usual),
        _ => usual,
    };
    let on_error = text("onError").unwrap_or_else(|| "".into());
    Ok(Node {
        node_type: node_type.trim().into(),
        version,
        parameters: tree.get("parameters"),
        disabled: is_on("disabled"),
        errors: Errors {
            has_port: on_error.as_ref() == "continueErrorOutput",
            handled: on_error.starts_with("continue") || is_on("continueOnFail") || is_on("retryOnFail"),
            goes_on: on_error.as_ref() == "continueRegularOutput" || on_error.is_empty() && is_on("continueOnFail"),
            tries: is_on("retryOnFail").then(|| (number("maxTries", 3), number("waitBetweenTries", 1_000))),
        },
        credentials: credentials(tree),
        never_empty: is_on("alwaysOutputData"),
        once: is_on("executeOnce"),
        span: tree.get("name").map_or(tree.span, |n| n.span),
        short: name.clone(),
        name,
        file: 0,
    })
}

/// `credentials: {gmailOAuth2: {id, name}}`; older exports have the name alone.
fn credentials(tree: &Tree) -> BTreeSet<String> {
    let Some(Data::Map(entries)) = tree.get("credentials").map(|c| &c.value) else { return BTreeSet::new() };
    let account = |key: &str, value: &Tree| {
        let named = |part: &str| value.get(part).and_then(Tree::as_text).filter(|text| !text.is_empty());
        let which = named("id").or_else(|| named("name")).or_else(|| value.as_text())?;
        Some(format!("{key} {which}"))
    };
    entries.iter().filter_map(|entry| account(&entry.key, &entry.value)).collect()
}

fn list(tree: Option<&Tree>) -> &[Tree] {
    match tree.map(|t| &t.value) {
        Some(Data::List(items)) => items,
        _ => &[],
    }
}

/// `{name: {kind: [[{node, type, index}]]}}`; edges of nodes that are not there are dropped, as n8n drops them.
fn connections(root: &Tree, by_name: &BTreeMap<Arc<str>, usize>) -> Vec<Connection> {
    let mut found = Vec::new();
    let Some(Data::Map(sources)) = root.get("connections").map(|c| &c.value) else { return found };
    for source in sources {
        let (Some(from), Data::Map(kinds)) = (named(by_name, &source.key), &source.value.value) else { continue };
        for kind in kinds {
            for (port, targets) in list(Some(&kind.value)).iter().enumerate() {
                for target in list(Some(targets)) {
                    let Some(to) = target.get("node").and_then(Tree::as_text).and_then(|n| named(by_name, n)) else {
                        continue;
                    };
                    let input = match target.get("index").map(|i| &i.value) {
                        Some(Data::Int(n)) => usize::try_from(*n).unwrap_or_default(),
                        _ => 0,
                    };
                    found.push(Connection { from, kind: kind.key.clone(), port, to, input });
                }
            }
        }
    }
    found
}

/// A node by its name; names differ in trailing spaces only by mistake.
fn named(by_name: &BTreeMap<Arc<str>, usize>, name: &str) -> Option<usize> {
    by_name.get(name).or_else(|| by_name.iter().find(|(n, _)| n.trim() == name.trim()).map(|(_, i)| i)).copied()
}
