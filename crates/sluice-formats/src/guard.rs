//! What conditions hold back: facts that a verifier may rely on where every way to an action passes them.
//!
//! A check says that, once a node of the program is done, a part of a place holds nothing but what the check admits. It
//! is a fact of the engine's own semantics and changes no label: what an outsider wrote stays an outsider's.

mod condition;
mod pattern;

pub use pattern::{Characters, Text};

use std::collections::{BTreeMap, BTreeSet};

use sluice_core::expression::Path;
use sluice_core::label::Name;
use sluice_core::program::{NodeId, PlaceId, StepId};

pub(crate) use condition::{Condition, InOrder, Known, both, either};
pub(crate) use pattern::{is_of_one, read as read_pattern};

/// The checks of a workflow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guards {
    /// What holds once a node is done.
    pub checks: Vec<(NodeId, Guard)>,
    /// By step where a person is asked: the steps that it does not hold up. They run beside it, though the program has them
    /// in a row.
    pub beside: BTreeMap<StepId, BTreeSet<StepId>>,
    /// Assignments that copy as the engine does. At any other, what was checked of a value is not known of the copy.
    pub copies: BTreeSet<NodeId>,
    /// Origins of words that get on only where a condition on who sent them holds. What comes from the same source past no
    /// such condition has the source's own origin.
    pub past: BTreeMap<Name, Past>,
}

/// What a condition on the sender has let pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// Where it comes in.
    pub source: StepId,
    /// The step with the condition.
    pub by: StepId,
    /// Who is left.
    pub who: Who,
}

/// Who is left behind a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// Anybody, but a person with rights has asked for this very run.
    Asked,
    /// Somebody with rights.
    Insider,
}

/// A part of a place that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// The step that checks it.
    pub step: StepId,
    /// The place.
    pub place: PlaceId,
    /// The part of it.
    pub path: Path,
    /// What can be there.
    pub admits: Admits,
}

/// What a check lets pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admits {
    /// One of the author's own constants.
    Listed,
    /// One of them, in capitals or not.
    ListedInAnyCase,
    /// A number.
    Number,
    /// A text of a known form.
    Text(Text),
}

impl Admits {
    /// What is left if either holds.
    pub(crate) fn or(self, other: Self) -> Option<Self> {
        use Admits::{Listed, ListedInAnyCase, Number};
        Some(match (self, other) {
            (a, b) if a == b => a,
            (Listed, ListedInAnyCase) | (ListedInAnyCase, Listed) => ListedInAnyCase,
            (Listed, Number) | (Number, Listed) => return None,
            (Listed, text @ Self::Text(_)) | (text @ Self::Text(_), Listed) => text,
            _ => return None,
        })
    }
}
