//! Random workflows, as text in the native DSL, with random contracts for what they call.
//!
//! A definition is generated as a small tree of its own and rendered to YAML, so that reader and lowering are exercised
//! too. Every program ends: backward gotos and `while` loops count, arrays are short, retries are few.

mod catalogue;
mod coverage;
mod definition;
mod expression;
mod render;

pub use catalogue::{ActionSpec, Atoms, Bits, CatalogueSpec, LabelSpec, ReleaseSpec, catalogue};
pub use coverage::Coverage;
pub use definition::{Definition, definition};
pub use render::render;
