//! The demo's services, over real HTTP: what they give, what they refuse, and what they never do twice.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod client;
mod crm;
mod directory;
mod door;
mod model;
mod sheets;
mod tickets;
