//! Amazon States Language: the state machines of Step Functions.
//!
//! Semantics: `docs/formats-step-functions.md`. What services do is data in `connectors/step-functions`.

mod assign;
mod choice;
mod condition;
mod container;
mod describe;
mod jsonata;
mod link;
mod lower;
mod native;
mod path;
mod read;
mod resource;
mod scope;
mod task;

use std::sync::OnceLock;

use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::{Data, Node as Tree};
use sluice_core::text::Text;

pub(crate) use native::{definition, starts};
pub use read::STATES_MAX;

use crate::import::Import;
use crate::services::Services;
use crate::siblings::Siblings;

const FILES: &[(&str, &str)] =
    &[("connectors/step-functions/services.yaml", include_str!("../../../connectors/step-functions/services.yaml"))];

/// Whether a tree is a state machine.
#[must_use]
pub fn is_machine(tree: &Tree) -> bool {
    let states = tree.get("States").is_some_and(|states| matches!(states.value, Data::Map(_)));
    states && tree.get("StartAt").is_some_and(|start| start.as_text().is_some())
}

/// Lowers a state machine.
///
/// # Errors
/// `SL801`, `SL802`, `SL822`: it is no state machine, is too large, or has a state of no known type.
pub fn import(text: &Text, tree: &Tree) -> Result<Import, Vec<Diagnostic>> {
    import_with(text, tree, &Siblings::default(), built_in())
}

/// Lowers a state machine together with those that it starts, where they are at hand.
///
/// # Errors
/// Those of [`import`]; what is wrong with another file is told there.
pub(crate) fn import_with(
    text: &Text,
    tree: &Tree,
    siblings: &Siblings,
    services: &Services,
) -> Result<Import, Vec<Diagnostic>> {
    let (machine, count) = read::machine(tree, 0)?;
    let files = link::link(&text.name, machine, count, siblings);
    Ok(lower::lower(&files, services))
}

/// The catalogue of this release, read once.
#[expect(clippy::expect_used, reason = "the files are part of the program, and a test reads each of them")]
pub(crate) fn built_in() -> &'static Services {
    static BUILT_IN: OnceLock<Services> = OnceLock::new();
    BUILT_IN.get_or_init(|| Services::of(FILES, "step-functions").expect("the files of this release have no error"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_catalogue_of_this_release_has_no_error() {
        assert!(super::built_in().knows("lambda") && super::built_in().knows("sfn"));
    }
}
