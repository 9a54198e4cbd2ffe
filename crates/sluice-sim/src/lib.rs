//! Generated workflows and worlds, the laws that every run of them obeys, and the production driver under faults.

pub mod simulator;
