//! The demo: two stories played against local services of its own.
//!
//! The services are real HTTP servers on this machine, so that what "leaves" in a story crosses a
//! real connection and can be read from the receiver's side.

mod console;
pub mod crash;
mod directly;
mod house;
pub mod play;
mod report;
pub mod serve;
pub mod services;
mod stage;
mod tampering;
mod ticket;
mod told;
mod trail;
mod visitor;
pub mod workspaces;
