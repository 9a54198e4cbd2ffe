//! From states and their transitions to the one program.
//!
//! Each machine has one place for the data that moves through it (and one for each name that a `ResultPath` writes), each
//! state places for what it works on. A `Choice` may take any of its ways; a `Map` runs its machine any number of times;
//! the branches of a `Parallel` run one after another, which tells the same, since none sees another's data.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sluice_core::document::Node as Tree;
use sluice_core::expression::Expression;
use sluice_core::label::{Label, Name};
pub(super) use sluice_core::program::assemble::Label as Goto;
use sluice_core::program::{Document, NodeKind, PlaceId, Step, StepId};
use sluice_core::text::Span;

use super::link::{self, Files, Waits};
use super::path;
use super::read::{Machine, State, StateKind, entries};
use super::resource::{Target, target};
use super::scope::{Data, Ground, Scope};
use crate::catalogues::{by_own_entry, by_own_words};
use crate::import::{Format, Import, Linked, Observed};
use crate::links::LinkKind;
use crate::services::{Found, Services};
use crate::wiring::{Wiring, place_variable};

/// Most names that are kept apart in one machine's data; the rest are one thing.
const NAMES_MAX: usize = 64;

/// The step that stands for whoever starts the machine.
pub(super) const CALLER: &str = "execution input";

/// What is known of a state beside the file.
pub(super) struct Room {
    pub(super) step: StepId,
    /// Unique in the file.
    pub(super) name: Name,
    pub(super) target: Target,
    pub(super) found: Found,
    /// The machine that it starts, and how it goes on.
    pub(super) starts: Option<(usize, Waits)>,
    pub(super) reachable: bool,
    /// Whether a machine around it catches its errors.
    pub(super) is_sheltered: bool,
}

/// A machine while its states are written.
pub(super) struct Frame {
    pub(super) data: Data,
    /// The item of the `Map` around it.
    pub(super) item: Option<PlaceId>,
    entries: BTreeMap<Arc<str>, Goto>,
    /// Where it ends.
    pub(super) done: Goto,
    /// Where an error of it goes that no state catches, and what is known of the error.
    pub(super) raised: Option<(PlaceId, Goto)>,
}

/// The machine of a file, which any state may start.
pub(super) struct Routine {
    /// What it is given: `$$.Execution.Input`.
    pub(super) given: PlaceId,
    /// What it makes of that.
    pub(super) out: PlaceId,
    /// What is known of an error that it does not catch.
    pub(super) told: PlaceId,
    pub(super) entry: Goto,
    done: Goto,
    /// Where those go on that wait for it.
    pub(super) returns: Vec<Goto>,
    variables: Arc<BTreeMap<Arc<str>, PlaceId>>,
}

pub(super) struct Lowering<'t> {
    pub(super) wires: Wiring,
    pub(super) files: &'t Files<'t>,
    /// By file.
    pub(super) routines: Vec<Routine>,
    /// The file that is looked at.
    pub(super) at: usize,
    pub(super) rooms: Vec<Room>,
    /// What whoever starts the first machine gives it.
    pub(super) execution: PlaceId,
    /// Anything made from all that came back so far: what an expression that is not understood is made from.
    pub(super) seen: PlaceId,
    pub(super) caller: StepId,
    /// Whether any state speaks JSONata.
    is_flat: bool,
    pub(super) services: &'t Services,
    /// Expressions that are made from what they name.
    pub(super) opaque: usize,
}

/// Lowers a machine with those that it starts.
pub(super) fn lower<'t>(files: &'t Files<'t>, services: &'t Services) -> Import {
    prepared(files, services).write()
}

/// What is known of each state before anything is written.
pub(super) fn prepared<'t>(files: &'t Files<'t>, services: &'t Services) -> Lowering<'t> {
    let mut wires = Wiring::new(Format::StepFunctions);
    let span = files.all.first().map(|file| file.machine.start.1).unwrap_or_default();
    let name = Name::from(CALLER);
    let step = Step { name: name.clone(), path: name, kind: "trigger", span, purpose: None };
    let caller = wires.code.step(step);
    let execution = wires.code.place(CALLER);
    let seen = wires.code.place("all that came back");
    let mut lowering = Lowering {
        wires,
        files,
        routines: Vec::new(),
        at: 0,
        rooms: Vec::new(),
        execution,
        seen,
        caller,
        is_flat: false,
        services,
        opaque: 0,
    };
    let mut names = BTreeSet::from([Name::from(CALLER)]);
    for (at, file) in files.all.iter().enumerate() {
        lowering.at = at;
        lowering.routine(&file.name);
        lowering.furnish(&file.machine, &mut names, (true, false));
    }
    for (at, file) in files.all.iter().enumerate() {
        let starts = |room: &Room| room.starts.is_some_and(|(started, _)| started == at);
        let mut before: Vec<StepId> = lowering.rooms.iter().filter(|room| starts(room)).map(|room| room.step).collect();
        before.extend((at == 0).then_some(caller));
        lowering.link(&file.machine, &before, &[]);
    }
    lowering.describe();
    if services.has_own_words() {
        lowering.wires.assumed.insert(by_own_words(Format::StepFunctions));
    }
    lowering
}

impl<'t> Lowering<'t> {
    fn routine(&mut self, file: &str) {
        let code = &mut self.wires.code;
        let [out, told] = ["output", "error"].map(|what| code.place(format!("{what} of {file}")));
        let given = if self.at == 0 { self.execution } else { code.place(format!("input of {file}")) };
        let (entry, done) = (code.label(), code.label());
        self.routines.push(Routine { given, out, told, entry, done, returns: Vec::new(), variables: Arc::default() });
    }

    /// Steps and variables, in the order of the file.
    fn furnish(&mut self, machine: &Machine<'_>, names: &mut BTreeSet<Name>, (runs, is_sheltered): (bool, bool)) {
        let reachable = reachable(machine);
        for state in &machine.states {
            let mut name = match self.files.all.get(self.at).filter(|_| self.at > 0) {
                Some(file) => format!("{}: {}", file.name, state.name).into(),
                None => state.name.clone(),
            };
            if !names.insert(name.clone()) {
                name = format!("{name} #{}", state.index).into();
                names.insert(name.clone());
            }
            let parameters = state.get("Parameters").or_else(|| state.get("Arguments"));
            let target = match state.kind {
                StateKind::Task => target(state.text("Resource").map(AsRef::as_ref), parameters),
                _ => Target { service: "state".into(), operation: format!("{:?}", state.kind), is_callback: false },
            };
            let found = self.services.look_up(&target.service, &target.operation);
            if let Some(entry) = self.services.own_entry(&target.service) {
                self.wires.assumed.insert(by_own_entry(entry));
            }
            let kind = word(state.kind);
            let step = Step { name: name.clone(), path: name.clone(), kind, span: state.span, purpose: None };
            let step = self.wires.code.step(step);
            let runs = runs && reachable.contains(&state.name);
            let starts = link::call(state).and_then(|(name, waits)| Some((self.files.of(&name)?, waits)));
            self.rooms.push(Room { step, name, target, found, starts, reachable: runs, is_sheltered });
            self.is_flat |= state.is_jsonata;
            self.declare(state);
            let shelters = is_sheltered || !state.list("Catch").is_empty();
            for inner in &state.inner {
                self.furnish(inner, names, (runs, shelters));
            }
        }
    }

    /// The transitions: a machine is entered from `before`; where it ends, the run goes on with `after`.
    fn link(&mut self, machine: &Machine<'_>, before: &[StepId], after: &[StepId]) {
        let by_name: BTreeMap<&str, StepId> =
            machine.states.iter().filter_map(|s| Some((&*s.name, self.rooms.get(s.index)?.step))).collect();
        let step_of = |tree: &Tree| by_name.get(&**tree.as_text()?).copied();
        if let Some(first) = by_name.get(&*machine.start.0) {
            before.iter().for_each(|from| self.wires.link(*from, *first, LinkKind::Next));
        }
        for state in &machine.states {
            let Some(step) = by_name.get(&*state.name).copied() else { continue };
            let named: Vec<StepId> = state.targets().into_iter().filter_map(step_of).collect();
            let next = if named.is_empty() && state.kind != StateKind::Fail { after } else { &named };
            if state.inner.is_empty() {
                next.iter().for_each(|to| self.wires.link(step, *to, LinkKind::Next));
            }
            for handler in state.handlers().into_iter().filter_map(step_of) {
                self.wires.link(step, handler, LinkKind::OnError);
            }
            for inner in &state.inner {
                self.link(inner, &[step], next);
            }
        }
    }

    /// The variables that a state assigns, anywhere in it.
    fn declare(&mut self, state: &State<'_>) {
        let below = state.list("Choices").iter().chain(state.list("Catch")).filter_map(|t| t.get("Assign"));
        for assign in below.chain(state.get("Assign")) {
            for entry in entries(Some(assign)) {
                let name: Arc<str> = entry.key.strip_suffix(".$").unwrap_or(&entry.key).into();
                let Some(routine) = self.routines.get_mut(self.at) else { continue };
                if !routine.variables.contains_key(&name) {
                    let place = self.wires.code.place(format!("variable {name}"));
                    Arc::make_mut(&mut routine.variables).insert(name, place);
                }
            }
        }
    }

    fn write(mut self) -> Import {
        let ends = self.wires.ends();
        let files = self.files;
        let root = files.all.first().map(|file| &file.machine);
        let span = root.map(|machine| machine.start.1).unwrap_or_default();
        self.wires.code.bind(ends.entry);
        self.wires.code.step = self.caller;
        let origin = self.wires.origin(&CALLER.into());
        self.wires.receive(&CALLER.into(), (Label::BOTTOM, origin), self.execution, span);
        self.see(self.execution, span);
        let made: Vec<Data> = files.all.iter().enumerate().map(|(at, file)| self.file(at, &file.machine)).collect();
        let firsts: Vec<StepId> = files.all.iter().map(|file| self.first(&file.machine)).collect();
        for ((routine, data), first) in std::mem::take(&mut self.routines).into_iter().zip(made).zip(firsts) {
            self.wires.code.step = first;
            self.wires.code.bind(routine.done);
            self.set(routine.out, data.all(span));
            self.wires.fork(&routine.returns, ends.exit, span);
        }
        self.wires.code.bind(ends.exit);
        self.wires.code.emit(NodeKind::Exit, span);
        self.wires.opaque = self.opaque;
        if self.opaque > 0 {
            let said = format!("{} expressions: they count as anything made from what they name", self.opaque);
            self.wires.assumed.insert(said);
        }
        self.wires.assumed.extend(files.not_followed());
        let linked = self.linked();
        let name = root.and_then(|root| root.tree.get("Comment")).and_then(Tree::as_text);
        let name = name.map(ToString::to_string).unwrap_or_default();
        let whole = root.map(|root| root.tree.span).unwrap_or_default();
        let document = Document { name, span: whole, ..Document::default() };
        Import { linked, calls: files.calls(), ..self.wires.finish(document, &ends) }
    }

    /// Writes the machine of a file: whoever starts it goes to its entry.
    fn file(&mut self, at: usize, machine: &'t Machine<'t>) -> Data {
        self.at = at;
        let is_started = self.rooms.iter().any(|room| room.starts.is_some_and(|(started, _)| started == at));
        let routine = self.routines.get(at).map(|r| (r.given, r.entry, r.done, is_started.then_some((r.told, r.done))));
        let span = machine.start.1;
        let (given, entry, done, raised) =
            routine.unwrap_or((self.execution, self.wires.code.label(), self.wires.code.label(), None));
        self.wires.code.step = if at == 0 { self.caller } else { self.first(machine) };
        self.wires.code.bind(entry);
        self.machine(machine, place_variable(given, span), None, done, raised)
    }

    /// The step that a machine begins with.
    fn first(&self, machine: &Machine<'_>) -> StepId {
        let state = machine.states.iter().find(|state| state.name == machine.start.0);
        state.and_then(|state| self.rooms.get(state.index)).map_or(self.caller, |room| room.step)
    }

    /// Which steps stand in other files.
    fn linked(&self) -> Linked {
        let mut linked = Linked::default();
        for (at, file) in self.files.all.iter().enumerate() {
            if at == 0 {
                linked.root = file.name.clone();
                continue;
            }
            let mut steps = BTreeSet::new();
            self.steps_of(&file.machine, &mut steps);
            linked.steps.extend(steps.into_iter().map(|step| (step, file.name.clone())));
        }
        linked
    }

    /// Writes a machine that is given a value; its data is the place that its result is in.
    pub(super) fn machine(
        &mut self,
        machine: &'t Machine<'t>,
        given: Expression,
        item: Option<PlaceId>,
        done: Goto,
        raised: Option<(PlaceId, Goto)>,
    ) -> Data {
        let whole = self.wires.code.place("data");
        let fields =
            written_names(machine).into_iter().map(|n| (n.clone(), self.wires.code.place(format!("data.{n}"))));
        let data = Data { whole, fields: fields.collect() };
        let names = machine.states.iter().map(|s| (s.name.clone(), self.wires.code.label()));
        let entries = names.collect();
        let frame = Frame { data: data.clone(), item, entries, done, raised };
        self.replace(&frame.data, given);
        self.go(&frame, &machine.start.0, machine.start.1, self.caller);
        for state in &machine.states {
            self.state(state, &frame);
        }
        data
    }

    fn state(&mut self, state: &'t State<'t>, frame: &Frame) {
        if let Some(entry) = frame.entries.get(&state.name) {
            self.wires.code.bind(*entry);
        }
        let Some((step, found)) = self.rooms.get(state.index).map(|room| (room.step, room.found.clone())) else {
            return;
        };
        self.wires.code.step = step;
        let span = state.span;
        let input = self.input(state, frame);
        match state.kind {
            StateKind::Task => self.task(state, frame, &input, &found),
            StateKind::Pass => {
                let result = self.result_of_pass(state, frame, &input);
                self.settle(state, frame, &input, Some(result));
                self.go_on(state, frame, step);
            }
            StateKind::Map | StateKind::Parallel => self.container(state, frame, &input),
            StateKind::Choice => self.choice(state, frame, &input),
            StateKind::Wait | StateKind::Succeed => {
                self.settle_input(state, frame, &input);
                self.go_on(state, frame, step);
            }
            StateKind::Fail => self.fail(state, frame, &input, span),
        }
    }

    /// What a state works on: the data, or what `InputPath` picks of it.
    fn input(&mut self, state: &State<'_>, frame: &Frame) -> Ground {
        let whole = Ground::Data(frame.data.clone());
        let Some(path) = state.get("InputPath").filter(|_| !state.is_jsonata) else { return whole };
        if path.as_text().is_some_and(|text| text.trim() == "$") {
            return whole;
        }
        let picked = self.picked(path, &self.scope(state, frame, whole.clone()));
        let place = self.wires.code.place(format!("input of {}", state.name));
        self.set(place, picked);
        Ground::Place(place)
    }

    /// What a path field picks; `null` picks nothing.
    pub(super) fn picked(&mut self, path: &Tree, scope: &Scope) -> Expression {
        let Some(text) = path.as_text() else {
            return Expression::literal(&serde_json::Value::Object(serde_json::Map::new()), path.span);
        };
        let read = scope.read(text, path.span);
        self.note(read.is_opaque);
        read.expression
    }

    pub(super) fn note(&mut self, is_opaque: bool) {
        self.opaque += usize::from(is_opaque);
    }

    /// What the expressions of a state see.
    pub(super) fn scope(&self, state: &State<'_>, frame: &Frame, input: Ground) -> Scope {
        Scope {
            input,
            result: None,
            error: None,
            execution: self.routines.get(self.at).map_or(self.execution, |routine| routine.given),
            item: frame.item,
            seen: self.seen,
            variables: self.routines.get(self.at).map(|routine| Arc::clone(&routine.variables)).unwrap_or_default(),
            is_jsonata: state.is_jsonata,
            is_flat: self.is_flat,
        }
    }

    fn result_of_pass(&mut self, state: &State<'_>, frame: &Frame, input: &Ground) -> PlaceId {
        let scope = self.scope(state, frame, input.clone());
        let made = match (state.get("Result"), state.get("Parameters")) {
            (Some(result), _) if !state.is_jsonata => Expression::literal(&result.to_json(), result.span),
            (_, Some(parameters)) if !state.is_jsonata => scope.template(parameters),
            _ => input.all(state.span),
        };
        let place = self.wires.code.place(format!("result of {}", state.name));
        self.set(place, made);
        place
    }

    fn fail(&mut self, state: &State<'_>, frame: &Frame, input: &Ground, span: Span) {
        let scope = self.scope(state, frame, input.clone());
        let said = |key: &str, is_expression: bool| {
            let tree = state.get(key)?;
            let text = tree.as_text()?;
            let is_query = state.is_jsonata && super::jsonata::inside(text).is_some();
            (is_expression || is_query).then(|| scope.read(text, tree.span).expression)
        };
        let parts = [said("CausePath", true), said("ErrorPath", true), said("Cause", false), said("Error", false)];
        self.raise(frame, Expression::opaque(parts.into_iter().flatten().collect(), span));
    }

    /// An error that this machine does not catch.
    pub(super) fn raise(&mut self, frame: &Frame, error: Expression) {
        match frame.raised {
            Some((place, label)) => {
                let span = error.span;
                self.set(place, Expression::opaque(vec![place_variable(place, span), error], span));
                self.wires.code.goto(label);
            }
            None => self.wires.code.goto(frame.done),
        }
    }

    /// To the next state, or to the end.
    pub(super) fn go_on(&mut self, state: &State<'_>, frame: &Frame, step: StepId) {
        match state.get("Next").filter(|_| state.kind != StateKind::Succeed) {
            Some(next) => self.go_to(frame, next, step),
            None => self.wires.code.goto(frame.done),
        }
    }

    pub(super) fn go_to(&mut self, frame: &Frame, next: &Tree, step: StepId) {
        match next.as_text() {
            Some(name) => self.go(frame, name, next.span, step),
            None => self.wires.code.goto(frame.done),
        }
    }

    fn go(&mut self, frame: &Frame, name: &Arc<str>, span: Span, step: StepId) {
        match frame.entries.get(name) {
            Some(entry) => self.wires.code.goto(*entry),
            None => {
                // What another file shows is told there.
                if self.at == 0 {
                    self.wires.observe(step, Observed::DanglingReference { name: name.to_string() }, None, span);
                }
                self.wires.code.goto(frame.done);
            }
        }
    }

    /// What came back counts among all that did.
    pub(super) fn see(&mut self, place: PlaceId, span: Span) {
        let both = vec![place_variable(self.seen, span), place_variable(place, span)];
        self.set(self.seen, Expression::opaque(both, span));
    }

    /// `place := expression`. What is read exactly is copied so.
    pub(super) fn set(&mut self, place: PlaceId, expression: Expression) {
        let nowhere = self.wires.nowhere;
        self.wires.copies();
        self.wires.assign(place, expression, nowhere);
    }
}

/// The states that a run of a machine can get to.
fn reachable(machine: &Machine<'_>) -> BTreeSet<Arc<str>> {
    let mut seen = BTreeSet::new();
    let mut stack = vec![machine.start.0.clone()];
    while let Some(name) = stack.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        for state in machine.states.iter().filter(|s| s.name == name) {
            let next = state.targets().into_iter().chain(state.handlers());
            stack.extend(next.filter_map(|tree| tree.as_text().cloned()));
        }
    }
    seen
}

/// The names of the data that some `ResultPath` of a machine writes.
fn written_names(machine: &Machine<'_>) -> BTreeSet<Arc<str>> {
    let mut names = BTreeSet::new();
    for state in machine.states.iter().filter(|s| !s.is_jsonata) {
        let own = state.get("ResultPath").into_iter();
        for path in own.chain(state.list("Catch").iter().filter_map(|c| c.get("ResultPath"))) {
            let first = path.as_text().and_then(|text| path::reference(text)).and_then(|n| n.into_iter().next());
            if let Some(name) = first.filter(|_| names.len() < NAMES_MAX) {
                names.insert(Arc::from(name));
            }
        }
    }
    names
}

const fn word(kind: StateKind) -> &'static str {
    match kind {
        StateKind::Task => "action",
        _ => "flow",
    }
}
