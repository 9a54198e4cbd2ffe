//! What people see: one way from text to terminal, which escapes everything that it did not make itself.

pub mod check;
pub mod diagnostic;
pub mod github;
pub mod html;
pub mod json;
pub mod page;
pub(crate) mod progress;
pub mod sarif;

pub use sluice_render::{draw, escape, markup, time};

pub use page::{Page, Part, Tone};
