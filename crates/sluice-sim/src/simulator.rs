//! The production driver under a seeded world: a clock that jumps, a store that loses commits, connectors that
//! lose, delay and double, a process that dies at any moment.
//!
//! What is real: [`sluice_runtime::driver::drive`], the engine, the store on SQLite with its sealing and its
//! chain. What is a fake, and its limits: services live in memory and forget nothing; time moves only when
//! somebody waits; a dropped future stands for a killed process, so nothing of it can act later.

mod services;
mod world;

pub use services::{Effect, Kind, Services};
pub use world::{Coverage, Ended, Faults, Finding, Simulation, Story};
