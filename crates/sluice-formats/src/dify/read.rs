//! An app as it lies in the file: nodes, edges, variables.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::{Data, Node as Tree};
use sluice_core::text::Span;

use crate::refusal;

/// Most nodes of one app. The largest seen has 71.
pub const NODES_MAX: usize = 2_000;
/// Most edges of one app.
pub const EDGES_MAX: usize = 20_000;

/// Most tools of all agents of one app: each is a step of its own.
const TOOLS_MAX: usize = 1_000;

/// An app.
#[derive(Debug)]
pub(super) struct App<'t> {
    pub(super) name: Arc<str>,
    pub(super) span: Span,
    /// Whether it talks: `sys.query` is there, and variables outlive a run.
    pub(super) is_chat: bool,
    pub(super) nodes: Vec<Node<'t>>,
    pub(super) by_id: BTreeMap<Arc<str>, usize>,
    pub(super) edges: Vec<Edge>,
    pub(super) environment: Vec<Variable<'t>>,
    pub(super) conversation: Vec<Variable<'t>>,
}

/// A node.
#[derive(Debug)]
pub(super) struct Node<'t> {
    pub(super) id: Arc<str>,
    /// As people see it; the id is added where several have one title.
    pub(super) name: Arc<str>,
    pub(super) node_type: Arc<str>,
    pub(super) data: &'t Tree,
    /// The loop that it stands in.
    pub(super) parent: Option<Arc<str>>,
    pub(super) span: Span,
}

/// From one node to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The way out of a node that has several: `true`, `false`, the id of a case.
    pub(super) handle: Arc<str>,
}

/// A variable of the app.
#[derive(Debug)]
pub(super) struct Variable<'t> {
    pub(super) name: Arc<str>,
    pub(super) is_secret: bool,
    pub(super) value: Option<&'t Tree>,
    pub(super) span: Span,
}

/// Whether a tree looks like Dify's.
pub(super) fn is_app(tree: &Tree) -> bool {
    let app = tree.get("app").is_some_and(|app| app.get("mode").is_some());
    let is_own = |n: &Tree| n.get("data").is_some_and(|data| data.get("type").is_some());
    app && (tree.get("workflow").is_some() || tree.get("model_config").is_some())
        || list(graph(tree).and_then(|graph| graph.get("nodes"))).iter().any(is_own)
}

fn graph(tree: &Tree) -> Option<&Tree> {
    tree.get("workflow")?.get("graph")
}

/// Reads an app.
///
/// # Errors
/// `SL830` without a graph, `SL802` with too large a one, `SL831` where a node has no id or type.
pub(super) fn app(tree: &Tree) -> Result<App<'_>, Vec<Diagnostic>> {
    if !is_app(tree) {
        return Err(vec![refusal::not_this_format(tree.span, "Dify", "`workflow.graph`")]);
    }
    let Some(graph) = graph(tree).filter(|graph| graph.get("nodes").is_some()) else {
        let at = tree.entry("app").map_or(tree.span, |app| app.key_span);
        return Err(vec![without_graph(at)]);
    };
    let listed = list(graph.get("nodes"));
    if listed.len() > NODES_MAX {
        return Err(vec![refusal::too_many(graph.span, "nodes", NODES_MAX)]);
    }
    let (mut nodes, mut problems) = (Vec::with_capacity(listed.len()), Vec::new());
    for tree in listed.iter().filter(|tree| !is_note(tree)) {
        match node(tree) {
            Some(node) => nodes.push(node),
            None => problems.push(without_id(tree.span)),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let tools =
        nodes.iter().map(|node| list(at(node.data, &["agent_parameters", "tools", "value"])).len()).sum::<usize>();
    if tools > TOOLS_MAX {
        return Err(vec![refusal::too_many(graph.span, "tools of agents", TOOLS_MAX)]);
    }
    name_apart(&mut nodes);
    let by_id: BTreeMap<Arc<str>, usize> = nodes.iter().enumerate().map(|(i, n)| (n.id.clone(), i)).collect();
    let edges = edges(graph, &by_id);
    if edges.len() > EDGES_MAX {
        return Err(vec![refusal::too_many(graph.span, "edges", EDGES_MAX)]);
    }
    let app = tree.get("app");
    let mode = app.and_then(|app| app.get("mode")).and_then(Tree::as_text);
    let is_chat =
        mode.is_some_and(|mode| mode.contains("chat")) || nodes.iter().any(|node| node.node_type.as_ref() == "answer");
    let variables = |key: &str| list(tree.get("workflow").and_then(|w| w.get(key))).iter().filter_map(variable);
    Ok(App {
        name: app.and_then(|app| app.get("name")).and_then(Tree::as_text).cloned().unwrap_or_else(|| "".into()),
        span: graph.span,
        is_chat,
        nodes,
        by_id,
        edges,
        environment: variables("environment_variables").collect(),
        conversation: variables("conversation_variables").collect(),
    })
}

/// Notes for people.
fn is_note(tree: &Tree) -> bool {
    let own = tree.get("type").and_then(Tree::as_text);
    own.is_some_and(|t| t.as_ref() == "custom-note")
}

fn node(tree: &Tree) -> Option<Node<'_>> {
    let data = tree.get("data")?;
    let id: Arc<str> = word(tree.get("id")?)?.into();
    let node_type = data.get("type").and_then(Tree::as_text).filter(|t| !t.is_empty())?.clone();
    let title = data.get("title").and_then(|title| Some((word(title)?, title.span)));
    let title = title.filter(|(title, _)| !title.trim().is_empty());
    let parent = ["parentId", "iteration_id", "loop_id"];
    let parent = parent.iter().find_map(|key| word(tree.get(key).or_else(|| data.get(key))?));
    Some(Node {
        name: title.as_ref().map_or_else(|| id.clone(), |(title, _)| title.trim().into()),
        span: title.map_or(tree.span, |(_, span)| span),
        id,
        node_type,
        data,
        parent: parent.map(Into::into),
    })
}

/// Facts and findings name steps: two of one name would be one.
fn name_apart(nodes: &mut [Node<'_>]) {
    let mut seen: BTreeMap<Arc<str>, usize> = BTreeMap::new();
    for node in nodes.iter() {
        *seen.entry(node.name.clone()).or_default() += 1;
    }
    for node in nodes.iter_mut() {
        if seen.get(&node.name).is_some_and(|count| *count > 1) {
            node.name = format!("{} ({})", node.name, node.id).into();
        }
    }
}

fn edges(graph: &Tree, by_id: &BTreeMap<Arc<str>, usize>) -> Vec<Edge> {
    let end = |tree: &Tree, key: &str| by_id.get(word(tree.get(key)?)?.as_str()).copied();
    let edge = |tree: &Tree| {
        let handle = tree.get("sourceHandle").and_then(handle).unwrap_or_default();
        Some(Edge { from: end(tree, "source")?, to: end(tree, "target")?, handle: handle.into() })
    };
    let found: BTreeSet<Edge> = list(graph.get("edges")).iter().filter_map(edge).collect();
    found.into_iter().collect()
}

fn variable(tree: &Tree) -> Option<Variable<'_>> {
    let name = word(tree.get("name")?)?;
    let kind = tree.get("value_type").and_then(Tree::as_text);
    let value = tree.get("value").filter(|v| !matches!(v.value, Data::Null));
    Some(Variable {
        name: name.into(),
        is_secret: kind.is_some_and(|k| k.as_ref() == "secret"),
        span: value.map_or(tree.span, |v| v.span),
        value,
    })
}

/// A word that YAML may take for a number.
pub(super) fn word(tree: &Tree) -> Option<String> {
    match &tree.value {
        Data::Text(text) => Some(text.to_string()),
        Data::Int(n) => Some(n.to_string()),
        _ => None,
    }
}

/// What names a way out: a word that YAML may take for a truth value.
pub(super) fn handle(tree: &Tree) -> Option<String> {
    match tree.value {
        Data::Bool(holds) => Some(holds.to_string()),
        _ => word(tree),
    }
}

/// The items of a list, of anything else none.
pub(super) fn list(tree: Option<&Tree>) -> &[Tree] {
    match tree.map(|t| &t.value) {
        Some(Data::List(items)) => items,
        _ => &[],
    }
}

/// The value behind a path of keys.
pub(super) fn at<'t>(tree: &'t Tree, path: &[&str]) -> Option<&'t Tree> {
    path.iter().try_fold(tree, |tree, key| tree.get(key))
}

/// The text behind a path of keys.
pub(super) fn text_at<'t>(tree: &'t Tree, path: &[&str]) -> Option<&'t Arc<str>> {
    at(tree, path).and_then(Tree::as_text)
}

/// Whether the switch behind a path of keys is on.
pub(super) fn is_on(tree: &Tree, path: &[&str]) -> bool {
    at(tree, path).is_some_and(|t| matches!(t.value, Data::Bool(true)))
}

fn without_graph(at: Span) -> Diagnostic {
    refusal::APP_WITHOUT_GRAPH.at(at, "the app has no `workflow.graph`: it is a prompt with settings, not a workflow")
}

fn without_id(at: Span) -> Diagnostic {
    refusal::NODE_WITHOUT_ID.at(at, "a node of the app has no `id` or no `data.type`")
}
