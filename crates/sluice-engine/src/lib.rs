//! The run state machine: `apply(state, event) → (state, commands)`.
//!
//! A run is a fold over events. Everything that comes from outside (the gate's answer, a reply, the
//! time, a person's approval) arrives as an [`Event`]; everything that must happen outside leaves as a
//! [`Command`]. Production, crash recovery and the simulator run this very function.
//!
//! Invariants, held by the crash simulation and the laws in `sluice-sim`:
//! - A [`Permitted`] call is minted only when told [`Event::Committed`], so an effect never precedes
//!   the durable record of its permission.
//! - A decision is recorded and never recomputed on replay; after a wait it is taken again.
//! - A call without a recorded outcome is *in doubt* after a crash. It is repeated only under the same
//!   key and only where the contract says that this is harmless.
//! - A value loses labels by somebody's word only where a recorded answer says so; the engine never concludes it.
//! - A refusal by the gate cannot be caught by the workflow.
//! - A run that leaves its prediction stops.
//!
//! Not here: what policy says (`sluice-policy`; the driver asks it), where entries are kept
//! (`sluice-store`), how a connector talks (`sluice-connectors`), clocks and random sources anywhere.

mod apply;
mod key;
mod plan;
mod record;
mod replay;
mod session;
mod state;

pub use apply::{Applied, apply};
pub use key::EffectKey;
pub use plan::{INTERPRETER_VERSION, Plan, Prediction};
pub use record::{Fact, Record, RecordError};
pub use replay::{ReplayError, replay};
pub use session::Session;
pub use state::{
    Call, CallOutcome, Command, Event, GateAnswer, Hold, Login, OutOfOrder, Permitted, Question, Resolution, RunState,
    Start, Status, TokenId, ValueQuestion,
};
