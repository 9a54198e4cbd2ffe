//! Writes the program's graph in the order of the text, like an assembler: nodes go to labels, and a label is
//! bound to whatever node comes next. Gotos in both directions need nothing else. Every importer writes with it.

use std::sync::Arc;

use crate::control::Control;
use crate::program::{
    Deadline, DeadlineId, Document, Duration, Handler, HandlerId, Node, NodeId, NodeKind, Place, PlaceId, Program,
    Step, StepId, Use,
};
use crate::text::Span;

/// A place in the code that may not be written yet. Until [`Graph::finish`] every `NodeId` in the graph is one.
pub type Label = NodeId;

#[derive(Clone, Copy)]
enum Target {
    Unbound,
    Node(u32),
    Same(Label),
}

/// The graph so far, and what the next node belongs to.
pub struct Graph {
    /// Steps so far.
    pub steps: Vec<Step>,
    places: Vec<Place>,
    nodes: Vec<Node>,
    handlers: Vec<Handler>,
    deadlines: Vec<Deadline>,
    labels: Vec<Target>,
    /// Labels that the next node binds.
    pending: Vec<Label>,
    /// The step of the next node.
    pub step: StepId,
    /// Its handler.
    pub handler: Option<HandlerId>,
    /// Its innermost timeout.
    pub deadline: Option<DeadlineId>,
}

/// The places and labels that the run itself needs.
pub struct Ends {
    /// Where a run starts.
    pub entry: Label,
    /// Where it ends.
    pub exit: Label,
    /// The raw input.
    pub input: PlaceId,
    /// The output.
    pub output: PlaceId,
    /// `$context`.
    pub context: PlaceId,
    /// `$workflow`.
    pub workflow: PlaceId,
}

impl Default for Graph {
    fn default() -> Self {
        Self::new()
    }
}

impl Graph {
    /// An empty graph.
    #[must_use]
    pub fn new() -> Self {
        Self {
            steps: Vec::new(),
            places: Vec::new(),
            nodes: Vec::new(),
            handlers: Vec::new(),
            deadlines: Vec::new(),
            labels: Vec::new(),
            pending: Vec::new(),
            step: StepId(0),
            handler: None,
            deadline: None,
        }
    }

    /// A new place.
    pub fn place(&mut self, name: impl Into<Arc<str>>) -> PlaceId {
        self.places.push(Place { name: name.into() });
        PlaceId(index(self.places.len()))
    }

    /// A label that nothing is bound to yet.
    pub fn label(&mut self) -> Label {
        self.labels.push(Target::Unbound);
        NodeId(index(self.labels.len()))
    }

    /// A new step.
    pub fn step(&mut self, step: Step) -> StepId {
        self.steps.push(step);
        StepId(index(self.steps.len()))
    }

    /// A new error handler.
    pub fn handler(&mut self, error: PlaceId, entry: Label) -> HandlerId {
        self.handlers.push(Handler { error, entry });
        HandlerId(index(self.handlers.len()))
    }

    /// A timeout over what follows, inside the current one; its error goes to the current handler.
    pub fn deadline(&mut self, after: Duration, start: Label) -> DeadlineId {
        let (outer, handler, step) = (self.deadline, self.handler, self.step);
        self.deadlines.push(Deadline { after, outer, handler, start, step });
        DeadlineId(index(self.deadlines.len()))
    }

    /// The timeout around a timeout.
    #[must_use]
    pub fn outer(&self, deadline: DeadlineId) -> Option<DeadlineId> {
        self.deadlines.get(deadline.0 as usize)?.outer
    }

    /// The next node is what `label` means.
    pub fn bind(&mut self, label: Label) {
        self.pending.push(label);
    }

    /// Control goes from here to `label`.
    pub fn goto(&mut self, label: Label) {
        for from in std::mem::take(&mut self.pending) {
            self.set(from, Target::Same(label));
        }
    }

    /// Writes a node; what follows it is reached only by labels.
    pub fn emit(&mut self, kind: NodeKind, span: Span) {
        let (step, handler, deadline) = (self.step, self.handler, self.deadline);
        let id = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        self.nodes.push(Node { kind, step, span, handler, deadline });
        for label in std::mem::take(&mut self.pending) {
            self.set(label, Target::Node(id));
        }
    }

    /// Writes a node that goes on to whatever comes next.
    pub fn then(&mut self, span: Span, kind: impl FnOnce(Label) -> NodeKind) {
        let next = self.label();
        self.emit(kind(next), span);
        self.bind(next);
    }

    /// `target := value`.
    pub fn assign(&mut self, target: PlaceId, value: Use, span: Span) {
        self.then(span, |next| NodeKind::Assign { target, value, next });
    }

    /// How many nodes are written.
    #[must_use]
    pub fn length(&self) -> usize {
        self.nodes.len()
    }

    /// The nodes written since the graph had `length` of them.
    #[must_use]
    pub fn since(&self, length: usize) -> &[Node] {
        self.nodes.get(length..).unwrap_or_default()
    }

    fn set(&mut self, label: Label, target: Target) {
        if let Some(slot) = self.labels.get_mut(label.0 as usize) {
            *slot = target;
        }
    }

    /// The node that a label means; one that no node follows means the exit.
    fn resolve(&self, label: Label, exit: NodeId) -> NodeId {
        let mut label = label;
        // Each alias is followed at most once: a circle of gotos without any node does not end otherwise.
        for _ in 0..=self.labels.len() {
            match self.labels.get(label.0 as usize) {
                Some(Target::Node(id)) => return NodeId(*id),
                Some(Target::Same(other)) => label = *other,
                Some(Target::Unbound) | None => return exit,
            }
        }
        exit
    }

    /// The program, with labels replaced by nodes.
    #[must_use]
    pub fn finish(mut self, document: Document, ends: &Ends) -> Program {
        let exit = self.resolve(ends.exit, NodeId(0));
        let mut nodes = std::mem::take(&mut self.nodes);
        for node in &mut nodes {
            for_each_target(&mut node.kind, &mut |id| *id = self.resolve(*id, exit));
        }
        let mut handlers = std::mem::take(&mut self.handlers);
        for handler in &mut handlers {
            handler.entry = self.resolve(handler.entry, exit);
        }
        let mut deadlines = std::mem::take(&mut self.deadlines);
        for deadline in &mut deadlines {
            deadline.start = self.resolve(deadline.start, exit);
        }
        let mut program = Program {
            document,
            entry: self.resolve(ends.entry, exit),
            steps: self.steps,
            places: self.places,
            nodes,
            handlers,
            deadlines,
            exit,
            input: ends.input,
            output: ends.output,
            context: ends.context,
            workflow: ends.workflow,
            control: Control::default(),
        };
        program.control = Control::of(&program);
        program
    }
}

/// The index of the last of `length` elements.
fn index(length: usize) -> u32 {
    u32::try_from(length.saturating_sub(1)).unwrap_or(u32::MAX)
}

fn for_each_target(kind: &mut NodeKind, visit: &mut dyn FnMut(&mut NodeId)) {
    match kind {
        NodeKind::Assign { next, .. }
        | NodeKind::Call { next, .. }
        | NodeKind::Join { next }
        | NodeKind::Wait { next, .. }
        | NodeKind::Arm { next, .. }
        | NodeKind::Disarm { next, .. } => visit(next),
        NodeKind::Branch { arms, otherwise } => {
            arms.iter_mut().for_each(|arm| visit(&mut arm.to));
            visit(otherwise);
        }
        NodeKind::Next { body, done, .. } => {
            visit(body);
            visit(done);
        }
        NodeKind::Fork { branches, join } => {
            branches.iter_mut().for_each(&mut *visit);
            visit(join);
        }
        NodeKind::Retry { again, exhausted, .. } => {
            visit(again);
            visit(exhausted);
        }
        NodeKind::Raise { .. } | NodeKind::Exit => {}
    }
}

/// The expressions that a node evaluates.
#[must_use]
pub fn uses(node: &Node) -> Vec<&Use> {
    match &node.kind {
        NodeKind::Assign { value, .. } => vec![value],
        NodeKind::Branch { arms, .. } => arms.iter().map(|arm| &arm.guard).collect(),
        NodeKind::Call { arguments, .. } => vec![arguments],
        NodeKind::Raise { error } => vec![error],
        NodeKind::Wait { duration: Duration::Expression(value), .. } => vec![value],
        _ => Vec::new(),
    }
}
