//! One open workspace for many people at once: who is asking, what they may do, and the engine that goes on with runs.
//!
//! Everything here answers for somebody: people at the console's pages (`sluice-console`) with a [`session::Caller`], programs at
//! [`rest`] with a token that was given out for a principal of the register. Nobody is answered without.

mod authzen;
mod codes;
pub mod door;
pub mod drafts;
pub mod engine;
pub mod guard;
pub mod health;
pub mod house;
pub mod notify;
pub mod rest;
pub mod rights;
pub mod session;
pub mod sight;
pub mod starting;
mod token;

pub use codes::CODES;
pub use house::House;
