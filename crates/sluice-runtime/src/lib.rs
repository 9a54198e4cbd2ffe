//! Drives the engine in the world: the workspace, its gate, proposals, approvals, runs and the audit of them.
//!
//! Callers are handed what they may do: a proposer cannot approve, an approver cannot run.
//! The loop in [`driver`] is the one that production and the simulator share; what differs is the
//! [`driver::Host`].

pub mod driver;
