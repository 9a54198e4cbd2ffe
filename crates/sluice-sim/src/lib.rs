//! Generated workflows and worlds, the laws that every run of them obeys, and the production driver under faults.
//!
//! Three laws stand behind every label that Sluice shows: a run stays below its prediction, a predicted permit is not
//! refused for labels, and data that an observer may not see changes nothing that they can see. `tests/laws` holds
//! them against random programs with every construct; here are the programs ([`generate`]), the world that answers
//! them ([`world`]), and what runs them through the engine's own `apply` ([`run`]). The [`simulator`] runs the
//! production driver instead, and lets it crash.

pub mod generate;
pub mod run;
pub mod simulator;
pub mod world;
