//! The parameters of a node: every text in them, under the path that it has there.

use std::sync::Arc;

use sluice_core::document::{Data, Node as Tree};

/// Deepest nesting of parameters that is looked at; the reader's own bound is larger.
const DEPTH_MAX: usize = 40;

/// One scalar of the parameters.
#[derive(Clone, Debug)]
pub(super) struct Leaf<'t> {
    /// `headerParameters.parameters[0].value`.
    pub(super) path: Arc<str>,
    pub(super) tree: &'t Tree,
}

impl Leaf<'_> {
    /// Its text, if it is one.
    pub(super) fn text(&self) -> Option<&Arc<str>> {
        self.tree.as_text()
    }

    /// The last key of its path.
    pub(super) fn key(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or_default()
    }

    /// The path as keys and indexes: what patterns of the catalogue speak of.
    pub(super) fn segments(&self) -> Vec<&str> {
        self.path.split(['.', '[', ']']).filter(|part| !part.is_empty()).collect()
    }
}

/// Whether a text is evaluated.
pub(super) fn is_expression(text: &str) -> bool {
    text.starts_with('=')
}

/// Every scalar below the parameters, in the order of the text.
pub(super) fn leaves(parameters: Option<&Tree>) -> Vec<Leaf<'_>> {
    let mut found = Vec::new();
    if let Some(tree) = parameters {
        collect(tree, &mut String::new(), 0, &mut found);
    }
    found
}

fn collect<'t>(tree: &'t Tree, path: &mut String, depth: usize, found: &mut Vec<Leaf<'t>>) {
    let length = path.len();
    match &tree.value {
        _ if depth > DEPTH_MAX => {}
        Data::Map(entries) => {
            for entry in entries {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&entry.key);
                collect(&entry.value, path, depth + 1, found);
                path.truncate(length);
            }
        }
        Data::List(items) => {
            for (i, item) in items.iter().enumerate() {
                path.push_str(&format!("[{i}]"));
                collect(item, path, depth + 1, found);
                path.truncate(length);
            }
        }
        _ => found.push(Leaf { path: path.as_str().into(), tree }),
    }
}

/// The parameter at a path of keys: `options.systemMessage`.
pub(super) fn at<'t>(parameters: Option<&'t Tree>, path: &str) -> Option<&'t Tree> {
    path.split('.').try_fold(parameters?, |tree, key| tree.get(key))
}

/// A scalar parameter as text, resource locators (`{ __rl, value }`) opened.
pub(super) fn text_at(parameters: Option<&Tree>, path: &str) -> Option<String> {
    let found = at(parameters, path)?;
    let found = if found.get("__rl").is_some() { found.get("value")? } else { found };
    match &found.value {
        Data::Text(text) => Some(text.to_string()),
        Data::Bool(b) => Some(b.to_string()),
        Data::Int(n) => Some(n.to_string()),
        Data::Float(x) => Some(x.to_string()),
        _ => None,
    }
}
