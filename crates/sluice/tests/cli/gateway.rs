//! `sluice gateway`: what happens to an agent, what its server sees and what the ledger keeps, whatever either of them does.

mod agent;
mod agents;
mod approvals;
mod confined;
mod ladder;
mod plans;
mod server;
mod servers;
mod several;
mod tasks;

pub(crate) use agent::{Agent, text};
