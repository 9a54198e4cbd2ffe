//! What every definition is lowered to: one control-flow graph that verifier and engine both walk.
//!
//! A program is a list of nodes over a flat list of places. A place holds one labelled value; every
//! scope of the definition (the current data of a `do` list, `$context`, a loop variable, an error) is a
//! place of its own, so the graph needs no environment. Branching, loops, gotos, error handlers and
//! retries are edges; nothing of the source format is left to interpret.
//!
//! Not here: what an action means ([`crate::catalogue`]), what a node does to labels
//! ([`crate::transfer`]).

pub mod assemble;
mod render;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::control::Control;
use crate::expression::Expression;
use crate::hole::Holes;
use crate::label::Name;
use crate::text::Span;

/// The index of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// The index of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlaceId(pub u32);

/// The index of a step: a task of the definition, as its author sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(pub u32);

/// The index of an error handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HandlerId(pub u32);

/// The index of a timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeadlineId(pub u32);

/// A lowered definition.
#[derive(Clone, Debug)]
pub struct Program {
    /// What the definition says of itself.
    pub document: Document,
    /// Steps in the order of the text.
    pub steps: Vec<Step>,
    /// Places, by [`PlaceId`].
    pub places: Vec<Place>,
    /// Nodes, by [`NodeId`].
    pub nodes: Vec<Node>,
    /// Error handlers, by [`HandlerId`].
    pub handlers: Vec<Handler>,
    /// Timeouts, by [`DeadlineId`].
    pub deadlines: Vec<Deadline>,
    /// Where a run starts.
    pub entry: NodeId,
    /// The one [`NodeKind::Exit`] node.
    pub exit: NodeId,
    /// Holds the run's raw input at the start.
    pub input: PlaceId,
    /// Holds the run's output at the exit.
    pub output: PlaceId,
    /// `$context`.
    pub context: PlaceId,
    /// `$workflow`: id, definition's document, raw input.
    pub workflow: PlaceId,
    /// Post-dominators, regions and write sets, computed once by [`Control::of`].
    pub control: Control,
}

/// What a definition says of itself. Claims, until its digest is signed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// `document.dsl`.
    pub dsl: String,
    /// `document.namespace`.
    pub namespace: String,
    /// `document.name`.
    pub name: String,
    /// `document.version`.
    pub version: String,
    /// `document.title`.
    pub title: Option<String>,
    /// `document.metadata.purpose`: why the data is used.
    pub purpose: Option<(Name, Span)>,
    /// `document.metadata.ticket`: the id of the ticket that a run is for, or where its input has it.
    pub ticket: Option<Expression>,
    /// `document.metadata.holes`: what its input must be, of a template.
    pub holes: Holes,
    /// Where `document` stands.
    pub span: Span,
}

/// A task, as its author sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name in its `do` list.
    pub name: Arc<str>,
    /// Its path in the definition: `do/0/fetch`.
    pub path: Arc<str>,
    /// What kind of task it is: `call`, `set`, `for`, …
    pub kind: &'static str,
    /// The whole task.
    pub span: Span,
    /// `metadata.purpose` of the task, where it differs from the document's.
    pub purpose: Option<Name>,
}

/// A place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// For people: `$context`, `output of fetch`, `$item`.
    pub name: Arc<str>,
}

/// One node.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it does.
    pub kind: NodeKind,
    /// The step it belongs to.
    pub step: StepId,
    /// Where in the text.
    pub span: Span,
    /// Where an error raised here goes; `None` ends the run.
    pub handler: Option<HandlerId>,
    /// The innermost timeout that covers it.
    pub deadline: Option<DeadlineId>,
}

/// An error handler: the error goes to a place, control to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handler {
    /// Receives `{type, status, title, detail, instance}`.
    pub error: PlaceId,
    /// The first node of the handler.
    pub entry: NodeId,
}

/// A timeout over every node that names it (or a timeout inside it).
#[derive(Clone, Debug)]
pub struct Deadline {
    /// How long.
    pub after: Duration,
    /// The next enclosing timeout.
    pub outer: Option<DeadlineId>,
    /// Where the timeout error goes; `None` ends the run.
    pub handler: Option<HandlerId>,
    /// The node that starts it.
    pub start: NodeId,
    /// The step it covers.
    pub step: StepId,
}

/// A duration: a constant or an expression that gives an ISO 8601 duration or an object of units.
#[derive(Clone, Debug)]
pub enum Duration {
    /// Milliseconds.
    Millis(u64),
    /// Evaluated where it is needed.
    Expression(Use),
}

/// An expression with the places it reads.
#[derive(Clone, Debug)]
pub struct Use {
    /// The expression.
    pub expression: Arc<Expression>,
    /// What `.` is.
    pub input: PlaceId,
    /// What its free variables are; a name that is not here is an error at lowering.
    pub variables: BTreeMap<Arc<str>, PlaceId>,
}

impl Use {
    /// Every place it can read.
    pub fn reads(&self) -> impl Iterator<Item = PlaceId> {
        std::iter::once(self.input).chain(self.variables.values().copied())
    }
}

/// One arm of a branch.
#[derive(Clone, Debug)]
pub struct Arm {
    /// Taken when this is true.
    pub guard: Use,
    /// Where it goes.
    pub to: NodeId,
}

/// What a node does.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// `target := value`.
    Assign {
        /// Written.
        target: PlaceId,
        /// Evaluated; an error raises.
        value: Use,
        /// Next.
        next: NodeId,
    },
    /// The first arm whose guard is true, else `otherwise`.
    Branch {
        /// In the author's order.
        arms: Vec<Arm>,
        /// If no guard is true.
        otherwise: NodeId,
    },
    /// The head of a `for`: takes the next element or leaves.
    Next {
        /// Holds the array. Anything else raises.
        items: PlaceId,
        /// Counts from zero; set to zero by an [`NodeKind::Assign`] before the loop.
        cursor: PlaceId,
        /// Receives the element.
        item: PlaceId,
        /// Receives its index.
        index: PlaceId,
        /// If there is one.
        body: NodeId,
        /// If there is none.
        done: NodeId,
    },
    /// An effect, or a built-in catalogued function.
    Call {
        /// What is called.
        target: CallTarget,
        /// An object: one field per argument.
        arguments: Use,
        /// Which of them are handles of secrets.
        handles: Vec<Handle>,
        /// Receives the reply.
        reply: PlaceId,
        /// Next.
        next: NodeId,
    },
    /// Starts every branch. Branches write disjoint places, `$context` included.
    Fork {
        /// First node of each branch.
        branches: Vec<NodeId>,
        /// Where they meet.
        join: NodeId,
    },
    /// Waits for every branch of its fork. Errors of branches arrive as values in places of their own.
    Join {
        /// Next.
        next: NodeId,
    },
    /// Lets time pass.
    Wait {
        /// How long.
        duration: Duration,
        /// Next.
        next: NodeId,
    },
    /// Raises an error.
    Raise {
        /// Evaluates to the error object.
        error: Use,
    },
    /// Counts an attempt: waits and goes `again` under a new generation, or gives up.
    Retry {
        /// When to give up, how long to wait.
        policy: RetryPolicy,
        /// Counts attempts; set to zero before the block.
        attempts: PlaceId,
        /// The first node of the block.
        again: NodeId,
        /// When the policy gives up.
        exhausted: NodeId,
    },
    /// Starts a timeout.
    Arm {
        /// Which.
        deadline: DeadlineId,
        /// Next.
        next: NodeId,
    },
    /// Ends a timeout.
    Disarm {
        /// Which.
        deadline: DeadlineId,
        /// Next.
        next: NodeId,
    },
    /// The end of the run.
    Exit,
}

/// An argument that the definition's own text fills with `${ $secrets.NAME }`.
///
/// This is what makes it a handle. The argument's value only shows the name; a value that looks the same and came from
/// data is data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handle {
    /// The argument, as the contract names it.
    pub argument: Name,
    /// The secret's name in the store.
    pub secret: Name,
    /// Where it is written.
    pub span: Span,
}

impl Handle {
    /// What stands for a secret in the arguments that gates, approvals and the ledger are shown.
    #[must_use]
    pub fn shown(secret: &str) -> serde_json::Value {
        serde_json::json!({ "$secret": secret })
    }
}

/// What a call names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallTarget {
    /// `call: crm.accounts.list`.
    Action {
        /// The connector.
        connector: Name,
        /// The action.
        action: Name,
    },
    /// `call: http`: the contract action is found by method and endpoint, which constant propagation must know.
    /// Arguments: `{method, endpoint, parameters?, headers?, query?, body?}`; `parameters` are the values of an
    /// endpoint that is a template, each a text.
    Http,
    /// `call: redact`, `release` or `endorse`. Arguments: `{entry, value}`; `entry` is a constant.
    Builtin(Builtin),
}

/// The catalogued functions that change labels. Each call names an entry of the signed bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Builtin {
    /// Drops or masks parts of a value, and with them their categories.
    Redact,
    /// Lowers categories, purposes or regions of a value.
    Release,
    /// Vouches for a value: clears origins.
    Endorse,
}

impl Builtin {
    /// The name in `call:`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Redact => "redact",
            Self::Release => "release",
            Self::Endorse => "endorse",
        }
    }
}

/// The DSL's retry policy, its durations in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Wait before the first repetition.
    pub delay_ms: u64,
    /// How the wait grows.
    pub backoff: Backoff,
    /// Repetitions at most. Absent in the text means [`RetryPolicy::ATTEMPTS_DEFAULT`].
    pub attempts_max: u32,
    /// Where the policy stands.
    pub span: Span,
}

impl RetryPolicy {
    /// A policy without a limit would be an unbounded loop; this one is documented instead.
    pub const ATTEMPTS_DEFAULT: u32 = 5;

    /// The wait before repetition `attempt` (the first is 1), capped at a day.
    #[must_use]
    pub fn delay_before(&self, attempt: u32) -> u64 {
        const DAY_MS: u64 = 86_400_000;
        let factor = match self.backoff {
            Backoff::Constant => 1,
            Backoff::Linear => u64::from(attempt),
            Backoff::Exponential => 1_u64.checked_shl(attempt.saturating_sub(1)).unwrap_or(u64::MAX),
        };
        self.delay_ms.saturating_mul(factor).min(DAY_MS)
    }
}

/// How a retry's wait grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backoff {
    /// Always the same.
    Constant,
    /// By one delay each time.
    Linear,
    /// Doubles each time.
    Exponential,
}

impl Program {
    /// A node by its id.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.0 as usize)
    }

    /// The step that a node belongs to.
    #[must_use]
    pub fn step_of(&self, id: NodeId) -> Option<&Step> {
        self.steps.get(self.node(id)?.step.0 as usize)
    }

    /// Every node with its id.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        (0..).map(NodeId).zip(self.nodes.iter())
    }

    /// A handler by its id.
    #[must_use]
    pub fn handler(&self, id: HandlerId) -> Option<&Handler> {
        self.handlers.get(id.0 as usize)
    }

    /// A timeout by its id.
    #[must_use]
    pub fn deadline(&self, id: DeadlineId) -> Option<&Deadline> {
        self.deadlines.get(id.0 as usize)
    }

    /// The timeouts that cover a node, innermost first.
    pub fn deadlines_of(&self, node: &Node) -> impl Iterator<Item = (DeadlineId, &Deadline)> {
        std::iter::successors(node.deadline, |id| self.deadline(*id)?.outer)
            .filter_map(|id| Some((id, self.deadline(id)?)))
    }

    /// The purpose that a step's calls state: the task's own, else the document's.
    #[must_use]
    pub fn purpose_of(&self, step: StepId) -> Option<&Name> {
        let own = self.steps.get(step.0 as usize).and_then(|s| s.purpose.as_ref());
        own.or(self.document.purpose.as_ref().map(|(name, _)| name))
    }
}
