//! n8n's JSON exports.
//!
//! Semantics: `docs/formats-n8n.md`. The catalogue of node types is data in `connectors/n8n`.

mod agent;
mod body;
pub mod catalogue;
mod classify;
mod describe;
mod effects;
mod face;
mod graph;
mod guard;
mod lower;
mod parameters;
mod read;
mod reshape;
mod sight;

use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::Node as Tree;
use sluice_core::text::Text;

pub use catalogue::NodeCatalogue;
pub use read::{CONNECTIONS_MAX, NODES_MAX};

use crate::import::Import;

/// Whether a tree is an export of n8n.
#[must_use]
pub fn is_workflow(tree: &Tree) -> bool {
    read::is_workflow(tree)
}

/// Lowers an export.
///
/// # Errors
/// `SL801`–`SL803`: it is no workflow, is too large, or has nodes without a name.
pub fn import(text: &Text, tree: &Tree, catalogue: &NodeCatalogue) -> Result<Import, Vec<Diagnostic>> {
    let workflow = read::workflow(tree)?;
    Ok(lower::lower(text, &workflow, catalogue))
}
