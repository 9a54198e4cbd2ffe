//! The pure core of Sluice: what a workflow definition *is*, and how labels move through it.
//!
//! Everything here is a function of its arguments. The crate reads no clock, file, socket, environment
//! or random source; the verifier and the engine both stand on it and neither keeps a second copy of
//! any rule written here.
//!
//! In scope: text and spans, diagnostics, labels, labelled values, expressions, contracts and
//! registers, the [`program`] that every definition is lowered to, the lowering of the native DSL, and
//! the one transfer table.
//! Out of scope: what policy says of a call (`sluice-policy`), what a whole program could do
//! (`sluice-verify`), what a run has done (`sluice-engine`).

pub mod catalogue;
pub mod contract;
pub mod control;
pub mod credential;
pub mod diagnostic;
pub mod document;
pub mod dsl;
pub mod duration;
pub mod edit;
pub mod expression;
pub mod found;
pub mod gate;
pub mod hole;
pub mod label;
pub mod limits;
pub mod program;
pub mod subject;
pub mod text;
pub mod ticket;
pub mod transfer;
pub mod value;
