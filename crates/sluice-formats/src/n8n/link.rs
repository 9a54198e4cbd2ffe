//! Workflows that call each other: the nodes of all of them, one file after another, in one program.
//!
//! Each file is there once, however many nodes call it and whoever calls whom in a circle. What its callers give it comes
//! together at its entry, and what it makes of that goes back to all of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use sluice_core::text::Text;

use super::parameters::text_at;
use super::read::{self, Connection, Node, Workflow};
use crate::import::Calls;
use crate::siblings::{Sibling, Siblings};

/// Most nodes of all files together, for a workflow that calls others. The largest workflow seen alone has 176; a folder
/// may hold many callers, and each is analysed with all that it calls.
const NODES_LINKED_MAX: usize = 500;

/// A workflow with those that it calls, and the texts of the others' files.
pub(super) fn link<'t>(root: Workflow<'t>, siblings: &'t Siblings) -> (Workflow<'t>, Vec<&'t Text>) {
    let (mut all, mut texts) = (root, Vec::new());
    let mut looked_at = 0;
    while let Some(node) = all.nodes.get(looked_at) {
        looked_at += 1;
        let Some(reference) = reference(node) else { continue };
        if all.files.iter().any(|file| file.id.as_ref() == Some(&reference)) {
            continue;
        }
        match siblings.get(&reference) {
            Some(Sibling::One { text, tree }) => {
                let Ok(called) = read::workflow(tree) else { continue };
                if all.nodes.len() + called.nodes.len() > NODES_LINKED_MAX {
                    all.too_large.insert(text.name.clone());
                } else {
                    append(&mut all, called, text, reference);
                    texts.push(text);
                }
            }
            Some(Sibling::Several(files)) => {
                all.ambiguous.insert(reference, files.clone());
            }
            None => {}
        }
    }
    (all, texts)
}

fn append<'t>(all: &mut Workflow<'t>, called: Workflow<'t>, text: &Text, reference: Arc<str>) {
    let (first, index) = (all.nodes.len(), all.files.len());
    all.nodes.extend(called.nodes.into_iter().map(|node| Node {
        name: format!("{}: {}", text.name, node.short).into(),
        file: index,
        ..node
    }));
    let moved = |c: Connection| Connection { from: c.from + first, to: c.to + first, ..c };
    all.connections.extend(called.connections.into_iter().map(moved));
    all.files.extend(called.files.into_iter().map(|mut file| {
        file.by_name.values_mut().for_each(|node| *node += first);
        file.id = Some(reference.clone());
        file
    }));
}

/// What the file that was asked about is called by, and what it calls.
pub(super) fn calls(workflow: &Workflow<'_>) -> Calls {
    let id = workflow.files.first().and_then(|file| file.id.clone()).filter(|id| !id.is_empty());
    let own = workflow.nodes.iter().filter(|node| node.file == 0);
    let calls: BTreeSet<Arc<str>> = own.filter_map(reference).filter(|called| Some(called) != id.as_ref()).collect();
    Calls { id, calls, ..Calls::default() }
}

/// What is said of files that were not followed although they are at hand.
pub(super) fn not_followed(workflow: &Workflow<'_>) -> impl Iterator<Item = String> {
    let words = |file| {
        format!("what `{file}` does when it is called: it and its callers are more than {NODES_LINKED_MAX} nodes")
    };
    workflow.too_large.iter().map(words)
}

/// The id of the workflow that a node calls, where its text says it. A file or an address is on the host of the engine.
pub(super) fn reference(node: &Node<'_>) -> Option<Arc<str>> {
    let short = node.node_type.rsplit('.').next().unwrap_or_default();
    let calls = matches!(short, "executeWorkflow" | "executeWorkflowTool" | "toolWorkflow") && !node.disabled;
    let parameters = node.parameters.filter(|_| calls);
    if text_at(parameters, "source").is_some_and(|source| source != "database") {
        return None;
    }
    let written = ["workflowId", "workflowId.value"].iter().find_map(|path| text_at(parameters, path))?;
    let constant = written.strip_prefix('=').unwrap_or(&written).trim();
    (!constant.is_empty() && !constant.contains("{{")).then(|| constant.into())
}
