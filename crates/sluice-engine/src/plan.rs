//! What a run is pinned to: the program it walks and the catalogue it was verified against.

use std::sync::Arc;

use sluice_core::catalogue::Catalogue;
use sluice_core::label::{Label, Universe};
use sluice_core::program::{NodeId, PlaceId, Program};
use sluice_core::transfer::State;

/// The version of [`crate::apply`]. A run pins it; an entry written by another version is not replayed by this one.
pub const INTERPRETER_VERSION: u32 = 1;

/// What the verifier said about every point of the program: the bound that a run must stay below.
pub trait Prediction: Send + Sync {
    /// The first place where `state` is not admitted at `node`; `None` if all is well.
    fn breach(&self, node: NodeId, state: &State) -> Option<PlaceId>;
}

/// Everything a run reads besides its events. Made by the runtime from an approved workflow.
#[derive(Clone)]
pub struct Plan {
    /// What is walked.
    pub program: Arc<Program>,
    /// What its calls mean.
    pub catalogue: Arc<Catalogue>,
    /// The catalogue's atoms, and those of author and requester.
    pub universe: Arc<Universe>,
    /// The control label of the entry.
    pub base: Label,
    /// The label of the raw input: its giver's origin.
    pub input_label: Label,
    /// The verifier's word.
    pub prediction: Arc<dyn Prediction>,
}
