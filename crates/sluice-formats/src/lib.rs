//! Importers: workflows of other engines, lowered to the one [`Program`](sluice_core::program::Program).
//!
//! Most workflows that a model wrote do not live in our language. Each importer reads one foreign format into an
//! [`Import`]: a program whose calls name one action each of a catalogue made for this very text, and what the text shows
//! on its face. The verifier then follows data through it with the same fixpoint, evaluator and transfer table as
//! through a native definition.
//!
//! In scope: recognising a format by its content, reading it, the catalogues of what foreign nodes do, translating
//! foreign expressions.
//! Out of scope: running anything (an imported program is verified and never run), rules (`sluice-verify`), output.
//! What an importer does not understand is *opaque*: anything at all, made from everything that it names.
//! Nothing here reads a clock, file, network or random source.

pub mod dify;
mod import;
pub mod javascript;
mod locate;
pub mod n8n;
mod refusal;
mod wiring;

use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::Node;
use sluice_core::text::Text;

pub use import::{Catalogued, Confidence, Entrance, Format, Import, Kind, Observation, Observed, Source, Tier};

/// The format of a tree, by its content.
#[must_use]
pub fn recognise(tree: &Node) -> Option<Format> {
    if dify::is_app(tree) {
        return Some(Format::Dify);
    }
    n8n::is_workflow(tree).then_some(Format::N8n)
}

/// Lowers a tree of a format that [`recognise`] named.
///
/// # Errors
/// Why it is no workflow of that format, or cannot be analysed; each with its place.
pub fn import(format: Format, text: &Text, tree: &Node) -> Result<Import, Vec<Diagnostic>> {
    match format {
        Format::N8n => n8n::import(text, tree, n8n::NodeCatalogue::built_in()),
        Format::Dify => dify::import(text, tree),
        Format::GithubActions | Format::StepFunctions | Format::LogicApps => {
            Err(vec![refusal::not_yet(tree.span, format.name())])
        }
    }
}
