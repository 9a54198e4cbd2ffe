//! `sluice gateway`: what happens to an agent, what its server sees and what the ledger keeps, whatever either of them does.

mod agent;
mod agents;
mod approvals;
mod confined;
mod server;
mod servers;

use agent::Agent;
