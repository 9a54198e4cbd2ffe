//! What every importer writes with: places, assignments, forks, calls and replies of the one program.
//!
//! A call and its reply are two nodes: what an outsider wrote can choose what is looked up, but the reply of a service is
//! the service's own word, or that of whoever the catalogue says. Which way a run takes is not carried as a label: a fork
//! tells nothing. An imported program is verified and never run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sluice_core::catalogue::{
    Action, Argument, CallLimits, Catalogue, Idempotency, LabelTree, Pattern, ReplyRule, Resource, Segment, Usage,
};
use sluice_core::expression::{Base, Expression, Path};
use sluice_core::gate::Effect;
use sluice_core::label::{Atom, Label, Name};
use sluice_core::program::assemble::{Ends, Graph, Label as Goto};
use sluice_core::program::{Arm, CallTarget, Document, NodeId, NodeKind, PlaceId, Program, StepId, Use};
use sluice_core::text::Span;

use crate::guard::{Guard, Guards, Known, Past};
use crate::import::{Calls, Catalogued, Format, Import, Linked, Observation, Observed};
use crate::links::{Link, LinkKind};

/// Atoms that are given out one by one; what comes later shares one for its kind.
const ATOMS_KEPT: usize = 240;

/// Most checks of one workflow; further ones count as none.
const CHECKS_MAX: usize = 10_000;

/// Most steps where a person is asked while others run.
const GATES_MAX: usize = 100;

/// A part of a place.
pub(crate) type Part = (PlaceId, Path);

/// The part that an expression reads, if it does nothing else.
pub(crate) fn part_of(expression: &Expression) -> Option<Part> {
    let (base, path) = expression.path()?;
    match base {
        Base::Variable(name) => Some((variable_place(&name)?, path)),
        Base::Input => None,
    }
}

/// One thing that a call sends.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// The parameter, as its author knows it.
    pub(crate) name: Arc<str>,
    pub(crate) usage: Usage,
    pub(crate) value: Expression,
}

/// What a call does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Does {
    pub(crate) effect: Effect,
    pub(crate) privileged: bool,
}

/// The program so far.
pub(crate) struct Wiring {
    /// The graph.
    pub(crate) code: Graph,
    /// What calls write that nobody reads, and what expressions read that read nothing.
    pub(crate) nowhere: PlaceId,
    pub(crate) steps: BTreeMap<StepId, Catalogued>,
    pub(crate) observations: Vec<Observation>,
    pub(crate) assumed: BTreeSet<String>,
    /// Texts that are made from what they name, because nothing better is known.
    pub(crate) opaque: usize,
    links: BTreeSet<Link>,
    guards: Guards,
    format: Format,
    made: Catalogue,
}

impl Wiring {
    pub(crate) fn new(format: Format) -> Self {
        let mut code = Graph::new();
        let nowhere = code.place("nothing");
        Self {
            code,
            nowhere,
            steps: BTreeMap::new(),
            observations: Vec::new(),
            assumed: BTreeSet::new(),
            opaque: 0,
            links: BTreeSet::new(),
            guards: Guards::default(),
            format,
            made: Catalogue::default(),
        }
    }

    /// New labels and places for the run itself.
    pub(crate) fn ends(&mut self) -> Ends {
        Ends {
            entry: self.code.label(),
            exit: self.code.label(),
            input: self.code.place("input"),
            output: self.code.place("output"),
            context: self.code.place("context"),
            workflow: self.code.place("workflow"),
        }
    }

    /// Any of `targets`, or `otherwise`: data decides, and nothing is told by it.
    pub(crate) fn fork(&mut self, targets: &[Goto], otherwise: Goto, span: Span) {
        if targets.is_empty() {
            self.code.goto(otherwise);
            return;
        }
        let whichever = || Use {
            expression: Arc::new(Expression::opaque(Vec::new(), span)),
            input: self.nowhere,
            variables: BTreeMap::new(),
        };
        let arms = targets.iter().map(|to| Arm { guard: whichever(), to: *to }).collect();
        self.code.emit(NodeKind::Branch { arms, otherwise }, span);
    }

    /// An expression with the places that its variables name; `.` is `input`. It never fails: other languages shrug where
    /// jq would not.
    pub(crate) fn sees(&self, expression: Expression, input: PlaceId) -> Use {
        let expression = expression.lenient();
        let places = expression.variables().into_iter();
        let variables = places.filter_map(|(name, _)| Some((name.clone(), variable_place(&name)?))).collect();
        Use { expression: Arc::new(expression), input, variables }
    }

    /// `place := expression`.
    pub(crate) fn assign(&mut self, place: PlaceId, expression: Expression, input: PlaceId) {
        let span = expression.span;
        let value = self.sees(expression, input);
        self.code.assign(place, value, span);
    }

    /// The label of one atom; once there are too many, one that the others share.
    pub(crate) fn atom(&mut self, atom: Atom) -> Label {
        let full = self.made.universe.all().count() >= ATOMS_KEPT;
        let atom = match atom {
            atom if !full || self.made.universe.id(&atom).is_some() => atom,
            Atom::Category { .. } => Atom::Category { owner: "several steps".into(), class: "data".into() },
            _ => Atom::Origin("several steps".into()),
        };
        self.made.universe.intern(atom).map_or(Label::UNKNOWN, Label::of)
    }

    /// The label of an outsider's words that come in at the step of this name.
    pub(crate) fn origin(&mut self, step: &Name) -> Label {
        self.atom(Atom::Origin(step.clone()))
    }

    /// The label of words that a condition on their sender has let pass; `None` if there are too many to tell apart.
    pub(crate) fn past(&mut self, name: &Name, past: Past) -> Option<Label> {
        let atom = Atom::Origin(name.clone());
        let is_new = self.made.universe.id(&atom).is_none();
        if is_new && self.made.universe.all().count() >= ATOMS_KEPT {
            return None;
        }
        self.guards.past.insert(name.clone(), past);
        Some(self.atom(atom))
    }

    /// The label of sensitive data that the step of this name reads.
    pub(crate) fn categories(&mut self, step: &Name, classes: &BTreeSet<Name>) -> Label {
        let atoms = classes.iter().map(|class| Atom::Category { owner: step.clone(), class: class.clone() });
        let labels: Vec<Label> = atoms.map(|atom| self.atom(atom)).collect();
        Label::join_all(labels)
    }

    /// Writes a call of the current step; its reply goes nowhere.
    pub(crate) fn call(&mut self, action: &Name, does: Does, sent: Vec<Sent>, input: PlaceId, span: Span) {
        let mut arguments = BTreeMap::new();
        let mut fields: Vec<(Arc<str>, Expression)> = Vec::new();
        for Sent { name, usage, value } in sent {
            if !arguments.contains_key(&name) {
                arguments.insert(name.clone(), Argument { usage: Some(usage), ..Argument::default() });
                fields.push((name, value.lenient()));
            }
        }
        let plain = plain_action(self.connector(), action, Label::BOTTOM, Label::BOTTOM);
        let made = Action { effect: does.effect, privileged: does.privileged, arguments, ..plain };
        let place = self.nowhere;
        self.emit_call(made, Expression::object(fields, span), (input, place), span);
    }

    /// Writes what comes back to the current step: with these labels, whatever was sent.
    pub(crate) fn receive(&mut self, action: &Name, labels: (Label, Label), place: PlaceId, span: Span) {
        let (categories, origin) = labels;
        let made = plain_action(self.connector(), &format!("{action} (reply)").into(), categories, origin);
        self.emit_reply(made, place, span);
    }

    /// Writes that an object comes back to the current step, as it always does where items are objects: nobody chooses that it
    /// is one, and so a constant that is put into it stays one. `parts` are labels of some of its fields, beside `labels`.
    pub(crate) fn receive_object(
        &mut self,
        action: &Name,
        (categories, origin): (Label, Label),
        parts: Vec<(Pattern, Label)>,
        place: PlaceId,
        span: Span,
    ) {
        let mut made =
            plain_action(self.connector(), &format!("{action} (reply)").into(), Label::BOTTOM, Label::BOTTOM);
        let fields = Pattern(vec![Segment::Any]);
        made.labels.labels.push((fields.clone(), categories));
        made.labels.labels.extend(parts.into_iter().map(|(part, label)| (part, label.join(categories))));
        made.labels.trust.push((fields, origin));
        made.labels.origin = origin;
        self.emit_reply(made, place, span);
    }

    fn emit_reply(&mut self, made: Action, place: PlaceId, span: Span) {
        let nowhere = self.nowhere;
        self.emit_call(made, Expression::object(Vec::new(), span), (nowhere, place), span);
    }

    fn emit_call(&mut self, action: Action, arguments: Expression, (input, reply): (PlaceId, PlaceId), span: Span) {
        let target = CallTarget::Action { connector: action.connector.clone(), action: action.name.clone() };
        self.made.actions.insert((action.connector.clone(), action.name.clone()), action);
        let arguments = self.sees(arguments, input);
        self.code.then(span, |next| NodeKind::Call { target, arguments, handles: Vec::new(), reply, next });
    }

    fn connector(&self) -> Name {
        self.format.name().into()
    }

    pub(crate) fn observe(&mut self, step: StepId, what: Observed, parameter: Option<&str>, span: Span) {
        self.observations.push(Observation { what, step, parameter: parameter.map(str::to_owned), span });
    }

    /// Notes what the author sees between two steps.
    pub(crate) fn link(&mut self, from: StepId, to: StepId, kind: LinkKind) {
        self.links.insert(Link { from, to, kind });
    }

    /// The next node is an assignment that copies as the engine does: what was checked of a value holds of the copy, too.
    pub(crate) fn copies(&mut self) {
        let next = self.next_node();
        self.guards.copies.insert(next);
    }

    /// Once the next node is done, these have been checked.
    pub(crate) fn checked(&mut self, guards: impl IntoIterator<Item = Guard>) {
        let next = self.next_node();
        let left = CHECKS_MAX.saturating_sub(self.guards.checks.len());
        self.guards.checks.extend(guards.into_iter().take(left).map(|guard| (next, guard)));
    }

    /// From here on these hold, as the current step has found out.
    pub(crate) fn check(&mut self, known: Known<Part>, span: Span) {
        if known.is_empty() {
            return;
        }
        let step = self.code.step;
        let guard = |((place, path), admits)| Guard { step, place, path, admits };
        self.checked(known.into_iter().map(guard));
        let nowhere = self.nowhere;
        self.assign(nowhere, Expression::opaque(Vec::new(), span), nowhere);
    }

    /// Some steps run beside one where a person is asked.
    pub(crate) fn beside(&mut self, gate: StepId, steps: BTreeSet<StepId>) {
        if steps.is_empty() {
            return;
        }
        if self.guards.beside.len() < GATES_MAX {
            self.guards.beside.insert(gate, steps);
        } else if let Some(fact) = self.steps.get_mut(&gate) {
            fact.human_gate = false;
            self.assumed.insert(format!(
                "who is asked beside other steps, but for the first {GATES_MAX}: they count as nobody"
            ));
        }
    }

    fn next_node(&self) -> NodeId {
        NodeId(u32::try_from(self.code.length()).unwrap_or(u32::MAX))
    }

    /// The whole import.
    pub(crate) fn finish(self, document: Document, ends: &Ends) -> Import {
        let program: Program = self.code.finish(document, ends);
        Import {
            format: self.format,
            program,
            catalogue: self.made,
            steps: self.steps,
            observations: self.observations,
            links: self.links.into_iter().collect(),
            guards: self.guards,
            assumed: self.assumed.into_iter().collect(),
            opaque: self.opaque,
            allows: Vec::new(),
            warnings: Vec::new(),
            calls: Calls::default(),
            linked: Linked::default(),
            mends: BTreeMap::new(),
        }
    }
}

/// The variable that stands for a place.
pub(crate) fn place_variable(place: PlaceId, span: Span) -> Expression {
    Expression::variable(&format!("place {}", place.0), span)
}

pub(crate) fn variable_place(name: &str) -> Option<PlaceId> {
    name.strip_prefix("place ")?.parse().ok().map(PlaceId)
}

/// An action that sends nothing; what comes back has these labels.
fn plain_action(connector: Name, name: &Name, labels: Label, origin: Label) -> Action {
    Action {
        connector,
        name: name.clone(),
        effect: Effect::Read,
        privileged: false,
        arguments: BTreeMap::new(),
        endpoint: None,
        reply: ReplyRule::Replace,
        labels: LabelTree {
            labels: vec![(Pattern::default(), labels)],
            trust: vec![(Pattern::default(), origin)],
            origin,
        },
        source: Label::BOTTOM,
        idempotency: Idempotency::None,
        resource: Resource::Dataset { name: name.clone(), owner: None, region: None },
        region: None,
        stored: Label::BOTTOM,
        limits: CallLimits::default(),
        subject: None,
    }
}
