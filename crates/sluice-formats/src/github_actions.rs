//! GitHub Actions: workflows and composite actions.
//!
//! Semantics: `docs/formats-github-actions.md`. What events, contexts and actions mean is data in
//! `connectors/github-actions`.

mod actions;
mod admits;
mod call;
mod enter;
mod expression;
mod face;
mod holds;
mod knowledge;
mod lower;
mod mend;
mod native;
mod outsiders;
mod pass;
mod read;
mod scope;
mod script;
mod start;
mod steps;
mod template;

#[cfg(test)]
mod tests;

use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::Node as Tree;
use sluice_core::text::Text;

pub use face::ActionsFace;
pub(crate) use native::{definition, starts};
pub use read::{JOBS_MAX, STEPS_MAX};
pub use template::TEMPLATES_MAX;

use crate::import::Import;
use crate::siblings::Siblings;
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
    import_with(text, tree, &Siblings::default())
}

/// Lowers a workflow together with the workflows and actions of its repository that it calls, where they are among
/// `siblings`.
///
/// # Errors
/// Those of [`import`].
pub fn import_with(text: &Text, tree: &Tree, siblings: &Siblings) -> Result<Import, Vec<Diagnostic>> {
    let workflow = read::workflow(tree)?;
    template::within_bounds(tree)?;
    let files = call::Files::of(&workflow, siblings);
    let calls = call::calls(&text.name, &workflow);
    let import = lower::lower(text, &workflow, (&files, &calls), Knowledge::built_in());
    Ok(Import { calls, ..import })
}
