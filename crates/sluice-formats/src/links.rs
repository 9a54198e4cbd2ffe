//! How the steps of a file hang together as its author sees them: what a picture shows.
//!
//! The program has other edges: hubs, orders that any run could take, nodes that only receive. Nobody drew those.

use sluice_core::program::StepId;

/// From one step to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// Where it starts; of a part, the part.
    pub from: StepId,
    /// Where it ends; of a part, what it hangs on.
    pub to: StepId,
    /// What it means.
    pub kind: LinkKind,
}

/// What a link means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkKind {
    /// The run goes on there.
    Next,
    /// The run goes on there when something fails.
    OnError,
    /// A model, memory or tool of an agent.
    Part,
}
