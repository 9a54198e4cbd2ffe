//! One open workspace for many people at once: who is asking, what they may do, and the engine that goes on with runs.
//!
//! Everything here answers for a person: a [`house::House`] is asked with a [`session::Caller`], never without. Pages over it
//! are `sluice-console`'s.

mod codes;
pub mod door;
pub mod drafts;
pub mod engine;
pub mod guard;
pub mod house;
pub mod notify;
pub mod rights;
pub mod session;
mod token;

pub use codes::CODES;
pub use house::House;
