//! What was written, read again and asked the questions that the original is asked.
//!
//! The definition and its contracts are read as any workspace's are. What comes out is written once more with the same
//! [`Wiring`] as every import, under the same reading of a workflow: which way a run takes tells nothing, and a service's
//! reply is the service's own word. (`sluice check` of the native definition reads it more strictly.) What the steps are is
//! taken from the original; what they send, and what comes back, from what was written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use sluice_core::catalogue::{Action, ReplyRule, Usage};
use sluice_core::contract::{Governance, Problem};
use sluice_core::control::Control;
use sluice_core::diagnostic::Diagnostic;
use sluice_core::dsl;
use sluice_core::expression::Expression;
use sluice_core::label::{Atom, Label, Name};
use sluice_core::program::assemble::{Ends, Label as Goto};
use sluice_core::program::{CallTarget, Document, HandlerId, Node, NodeId, NodeKind, PlaceId, Program, StepId, Use};
use sluice_core::text::{Span, Text};

use super::{Definition, Files, Told};
use crate::import::{Catalogued, Import, Kind};
use crate::wiring::{Does, Sent, Wiring, place_variable};

/// What was written and cannot be read: a fault of this program, told with what it stumbled over.
#[derive(Clone, Debug)]
pub enum Unreadable {
    /// The definition.
    Definition(Vec<Diagnostic>),
    /// The contracts.
    Contracts(Vec<Problem>),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, first) = match self {
            Self::Definition(found) => ("the definition".to_owned(), found.first()),
            Self::Contracts(found) => (
                found.first().map_or_else(String::new, |problem| format!("`{}`", problem.file)),
                found.first().map(|problem| &problem.diagnostic),
            ),
        };
        match first {
            Some(found) => write!(f, "{what}, line {}: {} ({})", found.span.line, found.message, found.code),
            None => f.write_str(&what),
        }
    }
}

/// Reads what was written; `original` says what the steps are.
///
/// # Errors
/// [`Unreadable`], which is a fault of the writer.
pub fn read_back(definition: &Definition, files: &Files, original: &Import) -> Result<Import, Unreadable> {
    let lowered = dsl::lower(&Text::new("definition.yaml", files.definition.as_str()));
    let program = lowered.program.ok_or(Unreadable::Definition(lowered.diagnostics))?;
    let governance = governance(files).map_err(Unreadable::Contracts)?;
    let facts = original.program.steps.iter().zip(0..).filter_map(|(step, id)| {
        let fact = original.steps.get(&StepId(id))?;
        Some((step.name.clone(), fact))
    });
    let mut again = Again {
        program: &program,
        governance: &governance,
        told: &definition.told,
        facts: facts.collect(),
        wires: Wiring::new(original.format),
        places: Vec::new(),
        labels: Vec::new(),
        handlers: Vec::new(),
        events: Vec::new(),
    };
    Ok(again.import())
}

/// The contracts in the smallest workspace that can hold them.
fn governance(files: &Files) -> Result<Governance, Vec<Problem>> {
    let mut all: BTreeMap<String, String> = files.contracts.clone();
    all.insert("workspace.yaml".into(), "version: 1\nname: import\nmode: test\n".into());
    all.insert(
        "registers/principals.yaml".into(),
        "version: 1\npersons: { you: {} }\ngroups: { owners: { members: [you] } }\n".into(),
    );
    all.insert("registers/regions.yaml".into(), "version: 1\nregions: { here: {} }\n".into());
    for (path, entries) in files.register_entries() {
        all.insert(path.into(), format!("version: 1\n{entries}"));
    }
    Governance::read(all.iter().map(|(path, text)| (path.as_str(), text.as_bytes())))
}

struct Again<'a> {
    program: &'a Program,
    governance: &'a Governance,
    told: &'a BTreeMap<Arc<str>, Told>,
    /// What the original's steps are, by name.
    facts: BTreeMap<Arc<str>, &'a Catalogued>,
    wires: Wiring,
    places: Vec<PlaceId>,
    labels: Vec<Goto>,
    handlers: Vec<HandlerId>,
    /// Where the events that start a run are kept.
    events: Vec<(Name, PlaceId)>,
}

impl Again<'_> {
    fn import(&mut self) -> Import {
        let program = self.program;
        self.places = program.places.iter().map(|place| self.wires.code.place(place.name.clone())).collect();
        self.labels = program.nodes.iter().map(|_| self.wires.code.label()).collect();
        for step in &program.steps {
            let id = self.wires.code.step(step.clone());
            let fact = self.facts.get(&step.name).filter(|_| step.kind == "call" || step.kind == "set");
            self.wires.steps.insert(id, fact.map(|fact| (*fact).clone()).unwrap_or_default());
        }
        self.handlers = program
            .handlers
            .iter()
            .map(|h| self.wires.code.handler(self.place(h.error), self.label(h.entry.0)))
            .collect();
        for (name, _) in self.facts.iter().filter(|(_, fact)| fact.kind == Kind::Trigger) {
            let place = self.wires.code.place(format!("event of {name}"));
            self.events.push((name.clone(), place));
        }
        let ends = Ends {
            entry: self.label(program.entry.0),
            exit: self.label(program.exit.0),
            input: self.place(program.input),
            output: self.place(program.output),
            context: self.place(program.context),
            workflow: self.place(program.workflow),
        };
        for (id, node) in program.nodes() {
            self.wires.code.bind(self.label(id.0));
            self.wires.code.step = node.step;
            self.wires.code.handler = node.handler.and_then(|h| self.handlers.get(h.0 as usize).copied());
            self.node(node);
        }
        let wires = std::mem::replace(&mut self.wires, Wiring::new(crate::Format::N8n));
        let mut import = wires.finish(Document::default(), &ends);
        // Which way is taken, how often a loop is done and whether a call fails tells nothing.
        import.program.control = Control::default();
        import
    }

    fn place(&self, place: PlaceId) -> PlaceId {
        self.places.get(place.0 as usize).copied().unwrap_or(self.wires.nowhere)
    }

    fn label(&self, node: u32) -> Goto {
        // Every node of a program names nodes of it.
        self.labels.get(node as usize).copied().unwrap_or(NodeId(u32::MAX))
    }

    fn sees(&self, value: &Use) -> Use {
        Use {
            expression: value.expression.clone(),
            input: self.place(value.input),
            variables: value.variables.iter().map(|(name, place)| (name.clone(), self.place(*place))).collect(),
        }
    }

    fn node(&mut self, node: &Node) {
        let span = node.span;
        match &node.kind {
            NodeKind::Assign { target, value, next } => {
                let value = self.sees(value);
                let target = self.place(*target);
                self.wires.code.assign(target, value, span);
                self.goto(next.0);
            }
            NodeKind::Branch { arms, otherwise } => {
                let to: Vec<Goto> = arms.iter().map(|arm| self.label(arm.to.0)).collect();
                let otherwise = self.label(otherwise.0);
                self.wires.fork(&to, otherwise, span);
            }
            NodeKind::Next { items, cursor, item, index, body, done } => {
                let [items, cursor, item, index] = [items, cursor, item, index].map(|place| self.place(*place));
                let (body, done) = (self.label(body.0), self.label(done.0));
                self.wires.code.emit(NodeKind::Next { items, cursor, item, index, body, done }, span);
            }
            NodeKind::Call { target, arguments, reply, next, .. } => {
                if let CallTarget::Action { connector, action } = target {
                    self.call(node, (connector, action), arguments, self.place(*reply));
                }
                self.goto(next.0);
            }
            NodeKind::Fork { branches, join } => {
                let to: Vec<Goto> = branches.iter().map(|b| self.label(b.0)).collect();
                let join = self.label(join.0);
                self.wires.fork(&to, join, span);
            }
            NodeKind::Raise { error } => self.raise(node, error),
            NodeKind::Retry { again, exhausted, .. } => {
                let (again, exhausted) = (self.label(again.0), self.label(exhausted.0));
                self.wires.fork(&[again], exhausted, span);
            }
            NodeKind::Join { next }
            | NodeKind::Wait { next, .. }
            | NodeKind::Arm { next, .. }
            | NodeKind::Disarm { next, .. } => self.goto(next.0),
            NodeKind::Exit => self.wires.code.emit(NodeKind::Exit, span),
        }
    }

    fn goto(&mut self, node: u32) {
        let label = self.label(node);
        self.wires.code.goto(label);
    }

    fn raise(&mut self, node: &Node, error: &Use) {
        let Some(handler) = node.handler.and_then(|h| self.program.handler(h)) else {
            self.goto(self.program.exit.0);
            return;
        };
        let (value, place) = (self.sees(error), self.place(handler.error));
        self.wires.code.assign(place, value, node.span);
        self.goto(handler.entry.0);
    }

    fn call(&mut self, node: &Node, (connector, action): (&Name, &Name), arguments: &Use, reply: PlaceId) {
        let Some(action) = self.governance.catalogue.action(connector, action) else { return };
        let step = self.program.steps.get(node.step.0 as usize).map(|s| s.name.clone()).unwrap_or_default();
        let told = self.told.get(&step).cloned().unwrap_or_default();
        let span = node.span;
        let given = self.wires.code.place(format!("arguments of {step}"));
        let value = self.sees(arguments);
        self.wires.code.assign(given, value, span);
        let mut sent = sent(&told, given, span);
        if told.powerful {
            let events = self.events.iter().map(|(_, place)| place_variable(*place, span)).collect();
            sent.push(Sent { name: "trigger".into(), usage: Usage::Trigger, value: Expression::opaque(events, span) });
        }
        let does = Does { effect: action.effect, privileged: action.privileged };
        self.wires.call(&step, does, sent, given, span);
        if told.speaks {
            let said = Expression::opaque(vec![place_variable(given, span)], span);
            self.wires.assign(reply, said, given);
        } else {
            let labels = self.labels_of(&step, action);
            self.wires.receive(&step, labels, reply, span);
            if action.reply != ReplyRule::Replace {
                let both = [reply, given].map(|place| place_variable(place, span));
                self.wires.assign(reply, Expression::opaque(both.into(), span), given);
            }
        }
        if let Some((_, event)) = self.events.iter().find(|(name, _)| *name == step) {
            self.wires.assign(*event, place_variable(reply, span), reply);
        }
    }

    /// What comes back: kinds of data, and whether an outsider wrote it, by the contract.
    fn labels_of(&mut self, step: &Name, action: &Action) -> (Label, Label) {
        let universe = &self.governance.catalogue.universe;
        let label = action.labels.at(&[]);
        let class = |atom: &Atom| if let Atom::Category { class, .. } = atom { Some(class.clone()) } else { None };
        let classes: BTreeSet<Name> = universe.atoms(label).filter_map(class).collect();
        let categories = self.wires.categories(step, &classes);
        let is_outsiders = universe.origins(label) != Label::BOTTOM;
        let origin = if is_outsiders { self.wires.origin(step) } else { Label::BOTTOM };
        (categories, origin)
    }
}

/// Each argument under what the other side does with it; what is pasted somewhere travels, too.
fn sent(told: &Told, given: PlaceId, span: Span) -> Vec<Sent> {
    let mut sent = Vec::new();
    for (name, usage) in &told.also {
        let value = Expression::member(place_variable(given, span), name);
        sent.push(Sent { name: format!("{name} (as a name)").into(), usage: *usage, value });
    }
    for (name, usage) in &told.usages {
        let value = || Expression::member(place_variable(given, span), name);
        if told.exact || matches!(usage, Usage::Payload | Usage::Prompt | Usage::Recipient | Usage::Agent) {
            sent.push(Sent { name: name.as_str().into(), usage: *usage, value: value() });
        } else {
            sent.push(Sent { name: format!("{name} (as text)").into(), usage: *usage, value: value() });
            sent.push(Sent { name: name.as_str().into(), usage: Usage::Payload, value: value() });
        }
    }
    sent
}
