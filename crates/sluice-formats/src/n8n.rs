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
mod fields;
mod graph;
mod guard;
mod link;
mod lists;
mod lower;
mod native;
mod parameters;
mod read;
mod reshape;
mod shell;
mod sight;
mod system;
mod validator;

use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::Node as Tree;
use sluice_core::text::Text;

pub use catalogue::NodeCatalogue;
pub(crate) use native::{definition, starts};
pub use read::{CONNECTIONS_MAX, NODES_MAX};

use crate::import::Import;
use crate::siblings::Siblings;

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
    import_with(text, tree, catalogue, &Siblings::default())
}

/// Lowers an export together with those that it calls, where they are among `siblings`.
///
/// # Errors
/// Those of [`import`].
pub fn import_with(
    text: &Text,
    tree: &Tree,
    catalogue: &NodeCatalogue,
    siblings: &Siblings,
) -> Result<Import, Vec<Diagnostic>> {
    let (workflow, others) = link::link(read::workflow(tree)?, siblings);
    let mut import = lower::lower(text, &others, &workflow, catalogue);
    import.calls = link::calls(&workflow);
    import.assumed.extend(link::not_followed(&workflow));
    Ok(import)
}
