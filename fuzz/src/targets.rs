//! One file per target.

pub mod contract;
pub mod definition;
pub mod dify;
pub mod entry;
pub mod expression;
pub mod json;
pub mod note;
pub mod proof;
