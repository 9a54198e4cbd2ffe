//! GitHub Actions: workflows and composite actions.
//!
//! Semantics: `docs/formats-github-actions.md`. What events, contexts and actions mean is data in
//! `connectors/github-actions`.

mod actions;
mod admits;
mod expression;
mod face;
mod knowledge;
mod lower;
mod read;
mod scope;
mod script;
mod template;

#[cfg(test)]
mod tests;

use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::Node as Tree;
use sluice_core::text::Text;

pub use face::ActionsFace;
pub use read::{JOBS_MAX, STEPS_MAX};
pub use template::TEMPLATES_MAX;

use crate::import::Import;
use knowledge::Knowledge;

/// Whether a tree is a workflow or a composite action.
#[must_use]
pub fn is_workflow(tree: &Tree) -> bool {
    read::is_workflow(tree)
}

/// Lowers a workflow.
///
/// # Errors
/// `SL801`, `SL802`, `SL820`, `SL821`: it is no workflow, is too large, has a part of the wrong shape, or jobs that wait
/// for each other in a circle.
pub fn import(text: &Text, tree: &Tree) -> Result<Import, Vec<Diagnostic>> {
    let workflow = read::workflow(tree)?;
    template::within_bounds(tree)?;
    Ok(lower::lower(text, &workflow, Knowledge::built_in()))
}
