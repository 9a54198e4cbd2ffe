//! The one transfer table: what each node does to values and labels.
//!
//! The engine calls it with concrete values and gets one way to go; the verifier calls it with abstract
//! ones and gets every way. Both read the rules of DESIGN §3 from here and nowhere else:
//!
//! ```text
//! x := e           G(x) = pc | G(e)
//! x := call_k(e…)  a = pc | G(e₁)|…;  G(x) = pc | f_k(a) | src_k
//! guard b          pc of its region = pc | G(b);  every place of W(region) rises, taken or not
//! a person's word  G(x) = pc | G(e) without D where Allow(D, G(e), pc) and they vouch; in a prediction with D
//! error            the handler's pc and $error carry argument, reply and expression labels
//! ```
//!
//! What policy says of a prepared call is asked by the caller between [`step`] and [`reply`]; a refusal
//! is not an edge of the graph, for a workflow that could catch it would learn labels from it.

mod builtin;
mod call;
mod error;
mod flow;
mod http;
mod shared;
mod state;
mod told;
mod vouching;

pub use call::{Breach, Prepared, Reference, ReplyValue, arguments, prepare_action, reply};
pub use error::{FaultKind, fault, timeout};
pub use flow::{join_branches, latency, step, timeouts};
pub use state::{Edge, Moves, State, Step};
pub use vouching::Vouching;

#[cfg(test)]
pub(crate) use http::tests::names_of_matching;
