//! Dify's apps, as its DSL exports them.
//!
//! Semantics, and what stays opaque: `docs/formats-dify.md`. What tools do is data in `connectors/dify`.

mod describe;
mod effects;
mod guard;
mod jinja;
mod lower;
mod model;
mod native;
mod nodes;
mod read;
mod refer;
mod tools;

use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::Node as Tree;
use sluice_core::text::Text;

pub(crate) use native::{definition, starts};
pub use read::{EDGES_MAX, NODES_MAX};

use crate::import::Import;

/// Whether a tree is an app of Dify.
#[must_use]
pub fn is_app(tree: &Tree) -> bool {
    read::is_app(tree)
}

/// Lowers an app.
///
/// # Errors
/// `SL801`, `SL802`: it is no app, or too large. `SL830`: an app without a graph. `SL831`: a node without an id or type.
pub fn import(text: &Text, tree: &Tree) -> Result<Import, Vec<Diagnostic>> {
    let app = read::app(tree)?;
    Ok(lower::lower(text, &app))
}
