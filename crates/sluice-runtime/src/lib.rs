//! Drives the engine in the world: the workspace, its gate, proposals, approvals, runs and the audit of them.
//!
//! Callers are handed what they may do: a [`proposal::Proposer`] cannot approve, an
//! [`approvals::Approver`] cannot run, an [`run::Executor`] cannot approve. The loop in [`driver`] is the
//! one that production and the simulator share; what differs is the [`driver::Host`].

pub mod admit;
pub mod approvals;
pub mod audit;
pub mod budgets;
pub mod check;
pub mod clock;
pub mod connect;
pub mod counts;
pub mod delegation;
mod difference;
pub mod drift;
pub mod driver;
pub mod enrolment;
pub mod gate;
pub mod home;
pub mod host;
pub mod incident;
pub mod init;
mod inspection;
mod kept;
pub mod ledger;
pub mod memberships;
pub mod policy_tests;
pub mod proposal;
pub mod question;
pub mod rules;
pub mod run;
pub mod run_log;
pub mod search;
pub mod session;
pub mod signing;
pub mod stop;
pub mod template;
pub mod tokens;
pub mod told;
pub mod what_if;
pub mod workspace;
