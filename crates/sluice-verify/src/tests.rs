//! Labels, verdicts and reports of whole programs, as people read them.

mod labels;
mod size;
mod standing;
mod stories;
