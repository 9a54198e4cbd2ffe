//! Labels, verdicts and reports of whole programs, as people read them.

mod labels;
mod standing;
mod stories;
