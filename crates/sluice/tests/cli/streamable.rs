//! `sluice gateway http` for agents: the protocol over streamable HTTP, in both of its eras.

mod all;
mod alone;
mod client;
mod parameters;
mod refusals;
mod remote;
mod sessions;
mod upstream;

use client::{Agent, Face};
