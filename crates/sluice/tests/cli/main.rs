//! The whole program, as a person or a script meets it: what is printed, and with which exit code it ends.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot go on fails"
)]

mod api;
mod approvals;
mod audit;
mod authzen;
mod bad_input;
mod budgets;
mod catalogues;
mod check;
mod clock;
#[cfg(unix)]
mod connectors;
mod console;
mod contracts;
mod definitions;
mod delegations;
mod doubt;
mod draw;
mod erasure;
mod expiry;
mod explain;
mod fix;
mod fix_actions;
#[cfg(unix)]
mod full_disk;
mod gateway;
mod gateway_http;
mod glass;
mod hooks;
mod import;
mod imported;
mod init_from;
mod inspection;
mod limits;
mod linked;
mod linked_actions;
mod linked_machines;
mod operations;
mod outputs;
mod outsiders;
mod policy_diff;
mod policy_explain;
mod policy_packs;
mod policy_replay;
mod policy_signers;
mod policy_test;
mod rules;
mod run;
mod sandbox;
mod secrets;
mod served;
mod stop;
mod streamable;
mod templates;
mod tickets;
mod versions;
mod vouching;
