//! One file per target.

pub mod entry;
pub mod note;
pub mod proof;
