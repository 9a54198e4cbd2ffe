//! Where a place is in the tree: what tells places of a minified file apart.

use std::fmt::Write as _;

use super::{Data, Node};

/// The path of the innermost key or value at a byte offset: `nodes[3].parameters.url`; empty for the root.
///
/// Keys that are no plain words are quoted: `["a b"]`. An offset between two children is their parent's.
#[must_use]
pub fn path_at(root: &Node, offset: usize) -> String {
    let mut path = String::new();
    let mut node = root;
    while let Some(child) = step(node, offset, &mut path) {
        node = child;
    }
    path
}

/// The child at the offset, its step added to the path.
fn step<'n>(node: &'n Node, offset: usize, path: &mut String) -> Option<&'n Node> {
    match &node.value {
        Data::List(items) => {
            let (i, item) = items.iter().enumerate().find(|(_, n)| covers(n.span.start, n.span.end, offset))?;
            // Writing to a text cannot fail.
            let _ = write!(path, "[{i}]");
            Some(item)
        }
        Data::Map(entries) => {
            let entry = entries.iter().find(|e| covers(e.key_span.start, e.value.span.end, offset))?;
            push_key(path, &entry.key);
            Some(&entry.value)
        }
        _ => None,
    }
}

fn covers(start: usize, end: usize, offset: usize) -> bool {
    start <= offset && (offset < end || start == offset)
}

fn push_key(path: &mut String, key: &str) {
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '$');
    if key.is_empty() || !key.chars().all(word) {
        let quoted = serde_json::Value::from(key);
        let _ = write!(path, "[{quoted}]");
        return;
    }
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(key);
}
