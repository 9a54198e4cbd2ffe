//! Between agents and their tools.
//!
//! An agent speaks the Model Context Protocol to the gateway, the gateway to the server behind it, in raw JSON-RPC frames:
//! each frame is read once, strictly, and what was judged is what is forwarded, byte for byte. A call of a tool passes only
//! once its permit is in the ledger; what comes back is labelled before the agent sees it. The gateway asks and proposes:
//! it cannot approve, and no answer of a client is a person's consent. Agents and servers that speak HTTP are brought to the same
//! pair of pipes; engines that speak HTTP have a face of their own.
//!
//! Not here: what a call may do (`sluice-runtime`'s session and gate), and where entries are kept.

mod codes;
pub mod confined;
pub mod draft;
pub mod frame;
pub mod http;
pub mod lines;
pub mod listing;
mod mirrored;
mod note;
mod pending;
mod planning;
pub mod proxy;
mod reply;
pub mod scan;
pub mod several;
pub mod stray;
mod streamable;
pub mod tools;
pub mod upstream;

pub use codes::CODES;
