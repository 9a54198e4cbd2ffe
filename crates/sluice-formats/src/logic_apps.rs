//! Azure Logic Apps and Power Automate: the workflow definition language, in each of the shapes around it.
//!
//! Semantics: `docs/formats-logic-apps.md`. What connectors do is data in `connectors/logic-apps`.

mod blocks;
mod connector;
mod describe;
mod effects;
mod expression;
mod gate;
mod guard;
mod lower;
mod native;
mod read;

use std::sync::OnceLock;

use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::Node as Tree;

pub(crate) use native::{definition, starts};
pub use read::ACTIONS_MAX;

use crate::import::Import;
use crate::services::Services;

const FILES: &[(&str, &str)] =
    &[("connectors/logic-apps/connectors.yaml", include_str!("../../../connectors/logic-apps/connectors.yaml"))];

/// Whether a tree is a workflow definition, or one of the shapes around it.
#[must_use]
pub fn is_workflow(tree: &Tree) -> bool {
    read::definition(tree).is_some()
}

/// Lowers a workflow definition.
///
/// # Errors
/// `SL801`, `SL802`, `SL823`: it is no workflow, is too large, or has an action of no type.
pub fn import(tree: &Tree) -> Result<Import, Vec<Diagnostic>> {
    import_with(tree, built_in())
}

/// The same, by what a catalogue says of its connectors.
pub(crate) fn import_with(tree: &Tree, services: &Services) -> Result<Import, Vec<Diagnostic>> {
    let workflow = read::workflow(tree)?;
    Ok(lower::lower(&workflow, services))
}

/// The catalogue of this release, read once.
#[expect(clippy::expect_used, reason = "the files are part of the program, and a test reads each of them")]
pub(crate) fn built_in() -> &'static Services {
    static BUILT_IN: OnceLock<Services> = OnceLock::new();
    BUILT_IN.get_or_init(|| Services::of(FILES, "logic-apps").expect("the files of this release have no error"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_catalogue_of_this_release_has_no_error() {
        assert!(super::built_in().knows("office365") && super::built_in().knows("shared_office365"));
    }
}
