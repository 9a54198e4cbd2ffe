//! What is known at one point of a program, and where it can go from there.

use crate::expression::{Environment, Evaluated, evaluate};
use crate::label::Label;
use crate::program::{NodeId, PlaceId, Program, Use};
use crate::transfer::call::Prepared;
use crate::transfer::shared::{Joined, Shared};
use crate::transfer::told::Told;
use crate::transfer::vouching::Vouching;
use crate::value::Value;

/// Every place's value, and what has been learnt from guards so far.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    places: Shared<Value>,
    /// By deciding node: the join of what its outcomes have told, over all visits.
    guards: Told,
    /// The control label of the entry: ⊥ for a definition whose digest a person signed, else its author's origin.
    base: Label,
}

/// One way to go.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// The next node.
    pub to: NodeId,
    /// What is known there.
    pub state: State,
}

/// The ways to go from a node: one of them in a run, all of them in a prediction.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moves {
    /// Edges of the graph.
    pub edges: Vec<Edge>,
    /// An error that nothing catches: the run ends with it.
    pub fault: Option<Value>,
}

impl Moves {
    pub(super) fn to(to: NodeId, state: State) -> Self {
        Self { edges: vec![Edge { to, state }], fault: None }
    }

    /// Both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.edges.extend(other.edges);
        self.fault = match (self.fault, other.fault) {
            (Some(a), Some(b)) => Some(a.join(&b)),
            (a, b) => a.or(b),
        };
        self
    }
}

/// What happens at a node.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Control moves on at once.
    Moves(Moves),
    /// A call stands at its gate; [`crate::transfer::reply`] goes on.
    Calls(Box<Prepared>),
    /// A value waits for the word of a person; [`Vouching`] has both ways to go on.
    Vouches(Box<Vouching>),
    /// Time passes first.
    Waits {
        /// For how long; `None` if that is not known.
        millis: Option<u64>,
        /// Then.
        after: Moves,
        /// What may happen instead: an expression that fails. Empty in a run.
        instead: Moves,
        /// What the length of the wait tells.
        told: Label,
    },
    /// Every branch starts with this state.
    Forks {
        /// Their first nodes.
        branches: Vec<NodeId>,
        /// Where they meet.
        join: NodeId,
        /// What is known.
        state: State,
    },
    /// A timeout starts; then control moves on.
    Arms {
        /// How long; `None` if that is not known.
        millis: Option<u64>,
        /// Then.
        after: Moves,
        /// As in [`Step::Waits`].
        instead: Moves,
        /// As in [`Step::Waits`].
        told: Label,
    },
    /// The run is complete.
    Exits {
        /// Its output.
        output: Value,
    },
}

impl State {
    /// The state at the entry of a run.
    ///
    /// `workflow` is `$workflow`: id, definition's document, raw input.
    #[must_use]
    pub fn start(program: &Program, input: Value, workflow: Value, base: Label) -> Self {
        let places = Shared::of(program.places.len(), &Value::null(Label::BOTTOM));
        let guards = Told::new(program.nodes.len());
        let mut state = Self { places, guards, base };
        state.set(program.input, input.raised(base));
        state.set(program.workflow, workflow.raised(base));
        state
    }

    /// The value at a place.
    #[must_use]
    pub fn get(&self, place: PlaceId) -> Value {
        // A place outside the program cannot be made by lowering; reading ⊤ keeps even that sound.
        self.places.get(place.0 as usize).cloned().unwrap_or_else(|| Value::null(Label::TOP))
    }

    pub(super) fn set(&mut self, place: PlaceId, value: Value) {
        self.places.set(place.0 as usize, value);
    }

    /// The control label of a node: the join of the guards that it depends on.
    #[must_use]
    pub fn control(&self, program: &Program, node: NodeId) -> Label {
        self.base.join(self.guards.about(&program.control, node))
    }

    /// Records what the outcome of a deciding node tells, and raises what its region could have written.
    pub(super) fn decide(&mut self, program: &Program, node: NodeId, told: Label) {
        // What tells nothing raises nothing: the outcome of every node of an imported workflow.
        if told == Label::BOTTOM || !program.control.decides(node) {
            return;
        }
        self.guards.raise(node, told);
        for place in program.control.writes(node) {
            // Most of them know it already, and need no copy.
            let value = self.places.get(place.0 as usize).filter(|value| !value.is_raised(told));
            if let Some(raised) = value.map(|value| value.clone().raised(told)) {
                self.set(place, raised);
            }
        }
    }

    pub(super) fn evaluate(&self, what: &Use) -> Evaluated {
        let input = self.get(what.input);
        let variables = |name: &str| what.variables.get(name).map(|place| self.get(*place));
        evaluate(&what.expression, &Environment { input: &input, variables: &variables })
    }

    /// The least state that admits both.
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        let mut joined = self.clone();
        joined.grow(other);
        joined
    }

    /// Becomes the join of both, and says whether that is more than it was.
    ///
    /// What is equal in both is shared from then on: the next time the two meet, nothing of it is looked at.
    pub fn grow(&mut self, other: &Self) -> bool {
        let base = self.base.join(other.base);
        let is_below = base != self.base;
        self.base = base;
        let (places, guards) = (self.places.grow(&other.places, joined), self.guards.grow(&other.guards));
        places || guards || is_below
    }

    pub(super) fn all_guards(&self) -> Label {
        self.guards.all()
    }

    /// The same places, with what another state's guards have told as well.
    pub(super) fn knowing(mut self, other: &Self) -> Self {
        self.guards.grow(&other.guards);
        self
    }

    /// Every place summarized by one label: what widening falls back to when a fixpoint takes too many rounds.
    #[must_use]
    pub fn widened(&self) -> Self {
        let places = self.places.map(|v| Value::unknown(v.deep_label(), crate::value::Kinds::ALL));
        Self { places, guards: self.guards.clone(), base: self.base }
    }

    /// The first place where the run's state is not admitted by this prediction; `None` if all is well.
    #[must_use]
    pub fn breach(&self, run: &Self) -> Option<PlaceId> {
        let mut differing = self.places.differing(&run.places);
        let (index, _, _) = differing.find(|(_, predicted, actual)| !predicted.admits(actual))?;
        u32::try_from(index).ok().map(PlaceId)
    }
}

fn joined(a: &Value, b: &Value) -> Joined<Value> {
    if a.is_same(b) {
        return Joined::Same;
    }
    match a.grown_by(b) {
        // Equal but for the order of keys, or deeper than a join keeps: it is what it was.
        Some(_) if a == b => Joined::Kept,
        Some(grown) => Joined::Grown(grown),
        None if a == b => Joined::Equal,
        None => Joined::Kept,
    }
}
