//! What the report knows of each state beside the program, and what a machine shows on its face.

use std::collections::BTreeSet;

use sluice_core::credential::suspicion;
use sluice_core::document::{Data, Node as Tree};
use sluice_core::label::Name;
use sluice_core::program::StepId;
use sluice_core::text::Span;

use super::link;
use super::lower::Lowering;
use super::read::{Machine, State, StateKind};
use crate::import::{Catalogued, Confidence, Kind, Observed, Source, Tier};
use crate::n8n::NodeCatalogue;

/// Words of a name that tell that a person holds the task's token.
const PERSON_WORDS: [&str; 8] = ["approv", "human", "manual", "review", "reject", "confirm", "operator", "decision"];

impl<'t> Lowering<'t> {
    /// Describes every state, and looks at its face. What another file shows is told there.
    pub(super) fn describe(&mut self) {
        let caller = Catalogued {
            node_type: "caller".into(),
            kind: Kind::Trigger,
            source: Some(Source { kind: "caller".into(), tier: Tier::Conditional }),
            reachable: true,
            confidence: Confidence::Known,
            ..Catalogued::default()
        };
        self.wires.steps.insert(self.caller, caller);
        let files = self.files;
        for (at, file) in files.all.iter().enumerate() {
            self.at = at;
            let mut uncaught = Vec::new();
            self.describe_states(&file.machine, &mut uncaught);
            if let Some((index, span)) = uncaught.first() {
                let others = uncaught.len() - 1;
                self.observe(*index, Observed::UncaughtEffect { others }, None, *span);
            }
        }
        for (at, file) in files.all.iter().enumerate() {
            // Whether whoever starts a machine waits for it is not asked: who is asked in it holds nobody else up.
            let mut outside = BTreeSet::new();
            let others = files.all.iter().enumerate().filter(|(other, _)| at > 0 && *other != at);
            others.for_each(|(_, other)| self.steps_of(&other.machine, &mut outside));
            self.set_apart(&file.machine, &outside);
        }
    }

    /// Who is asked in one branch of a `Parallel` holds no other one up.
    fn set_apart(&mut self, machine: &Machine<'_>, outside: &BTreeSet<StepId>) {
        for state in &machine.states {
            if self.asks(state) {
                let gate = self.rooms.get(state.index).map(|room| room.step);
                gate.into_iter().for_each(|gate| self.wires.beside(gate, outside.clone()));
            }
            for (at, branch) in
                state.inner.iter().enumerate().filter(|(_, branch)| self.asks_inside(branch)).collect::<Vec<_>>()
            {
                let mut beside = outside.clone();
                let others = state.inner.iter().enumerate().filter(|(other, _)| *other != at);
                others.for_each(|(_, other)| self.steps_with_started(other, &mut beside));
                self.set_apart(branch, &beside);
            }
        }
    }

    fn asks(&self, state: &State<'_>) -> bool {
        let step = self.rooms.get(state.index).map(|room| room.step);
        step.and_then(|step| self.wires.steps.get(&step)).is_some_and(|fact| fact.human_gate)
    }

    fn asks_inside(&self, machine: &Machine<'_>) -> bool {
        machine.states.iter().any(|state| self.asks(state) || state.inner.iter().any(|inner| self.asks_inside(inner)))
    }

    /// The steps of a machine, and of those that they start.
    fn steps_with_started(&self, machine: &Machine<'_>, steps: &mut BTreeSet<StepId>) {
        let mut open = vec![machine];
        while let Some(machine) = open.pop() {
            for state in &machine.states {
                open.extend(&state.inner);
                let Some(room) = self.rooms.get(state.index) else { continue };
                if steps.insert(room.step) {
                    open.extend(room.starts.and_then(|(file, _)| self.files.all.get(file)).map(|file| &file.machine));
                }
            }
        }
    }

    pub(super) fn steps_of(&self, machine: &Machine<'_>, steps: &mut BTreeSet<StepId>) {
        for state in &machine.states {
            steps.extend(self.rooms.get(state.index).map(|room| room.step));
            state.inner.iter().for_each(|inner| self.steps_of(inner, steps));
        }
    }

    fn describe_states(&mut self, machine: &Machine<'t>, uncaught: &mut Vec<(usize, Span)>) {
        for state in &machine.states {
            let fact = self.fact(state);
            let is_task = state.kind == StateKind::Task;
            let handles = !state.list("Catch").is_empty() || !state.list("Retry").is_empty();
            let Some(room) = self.rooms.get(state.index) else { continue };
            let acts = is_task && fact.side_effect && fact.reachable;
            if acts && state.list("Catch").is_empty() && !room.is_sheltered {
                uncaught.push((state.index, state.span));
            }
            if handles {
                self.observe(state.index, Observed::HandlesErrors, None, state.span);
            }
            if is_task && fact.confidence == Confidence::Assumed && self.at == 0 {
                self.wires.assumed.insert(format!("what `{}` does: the catalogue does not know it", fact.node_type));
                self.observe(state.index, Observed::UnknownNodeType, None, state.span);
            }
            if fact.kind == Kind::SubWorkflow {
                self.look_at_started(state);
            }
            if let Some(room) = self.rooms.get(state.index) {
                self.wires.steps.insert(room.step, fact);
            }
            self.look_at(state);
            for inner in &state.inner {
                self.describe_states(inner, uncaught);
            }
        }
    }

    fn fact(&self, state: &State<'_>) -> Catalogued {
        let Some(room) = self.rooms.get(state.index) else { return Catalogued::default() };
        if state.kind != StateKind::Task {
            let source =
                state.get("ItemReader").map(|_| Source { kind: "shared_docs".into(), tier: Tier::Conditional });
            let kind = Kind::Flow;
            let confidence = Confidence::Known;
            let node_type = format!("{:?}", state.kind).into();
            return Catalogued { node_type, kind, source, reachable: room.reachable, confidence, ..Default::default() };
        }
        let mut fact = room.found.facts(&room.target.node_type());
        fact.reachable = room.reachable;
        if room.found.reply.classify {
            fact.categories.extend(categories(state));
        }
        if room.target.is_callback {
            fact.human_gate |= room.target.service == "sns" || speaks_of_person(state);
            let tier = if fact.human_gate { Tier::Internal } else { Tier::Conditional };
            fact.source = Some(Source { kind: "callback".into(), tier });
        }
        fact
    }

    /// Tells of a state that starts a machine which is not followed.
    fn look_at_started(&mut self, state: &State<'_>) {
        if self.rooms.get(state.index).is_some_and(|room| room.starts.is_some()) {
            return;
        }
        let several = link::call(state).and_then(|(name, _)| self.files.ambiguous.get(&name));
        let what = match several {
            Some(files) => Observed::AmbiguousSubWorkflow { files: files.clone() },
            None => Observed::UnresolvedSubWorkflow,
        };
        self.observe(state.index, what, None, state.span);
    }

    /// Looks at one state.
    fn look_at(&mut self, state: &State<'_>) {
        let has_limit = ["TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds", "HeartbeatSecondsPath"];
        let is_callback = self.rooms.get(state.index).is_some_and(|room| room.target.is_callback);
        if state.kind == StateKind::Task && is_callback && !has_limit.iter().any(|key| state.get(key).is_some()) {
            self.observe(state.index, Observed::EndlessCallback, None, state.span);
        }
        for key in ["Parameters", "Arguments", "Result", "ResultSelector", "Output", "Assign", "ItemSelector"] {
            if let Some(tree) = state.get(key) {
                self.look_below(state.index, key, tree, &mut String::from(key));
            }
        }
    }

    fn look_below(&mut self, index: usize, key: &str, tree: &Tree, path: &mut String) {
        let length = path.len();
        match &tree.value {
            Data::Map(entries) => {
                for entry in entries {
                    path.push('.');
                    path.push_str(&entry.key);
                    self.look_below(index, &entry.key, &entry.value, path);
                    path.truncate(length);
                }
            }
            Data::List(items) => {
                for (i, item) in items.iter().enumerate() {
                    path.push_str(&format!("[{i}]"));
                    self.look_below(index, key, item, path);
                    path.truncate(length);
                }
            }
            Data::Text(text) => {
                if suspicion(key, text).is_some() && !key.ends_with(".$") && !text.trim_start().starts_with("{%") {
                    self.observe(index, Observed::HardCodedSecret, Some(path), tree.span);
                }
                if is_wide(key, text) {
                    self.observe(index, Observed::WideResource, Some(path), tree.span);
                }
            }
            _ => {}
        }
    }

    pub(super) fn observe(&mut self, index: usize, what: Observed, parameter: Option<&str>, span: Span) {
        if let Some(room) = self.rooms.get(index).filter(|_| self.at == 0) {
            let step = room.step;
            self.wires.observe(step, what, parameter, span);
        }
    }
}

/// Whether a `*` stands where a resource, an action or a principal should be named; a policy may be a text of JSON.
fn is_wide(key: &str, text: &str) -> bool {
    let named = |key: &str| {
        key.ends_with("Arn") || matches!(key, "Resource" | "Action" | "Principal" | "AWS" | "FunctionName" | "Bucket")
    };
    if named(key) {
        let text = text.trim();
        return text == "*" || text.ends_with(":*") || (text.starts_with("arn:") && text.contains(":*:"));
    }
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    plain.starts_with('{')
        && [
            "\"Action\":\"*\"",
            "\"Resource\":\"*\"",
            "\"Principal\":\"*\"",
            "\"Action\":[\"*\"]",
            "\"Resource\":[\"*\"]",
        ]
        .iter()
        .any(|wide| plain.contains(wide))
}

/// Kinds of sensitive data that the names in a reading state tell.
fn categories(state: &State<'_>) -> BTreeSet<Name> {
    let mut words = Vec::new();
    for key in ["Parameters", "Arguments", "ResultSelector"] {
        collect_words(state.get(key), &mut words);
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    NodeCatalogue::built_in().lexicon().classify(&words)
}

fn collect_words(tree: Option<&Tree>, words: &mut Vec<String>) {
    match tree.map(|t| &t.value) {
        Some(Data::Map(entries)) => {
            for entry in entries {
                words.push(entry.key.strip_suffix(".$").unwrap_or(&entry.key).to_owned());
                collect_words(Some(&entry.value), words);
            }
        }
        Some(Data::List(items)) => items.iter().for_each(|item| collect_words(Some(item), words)),
        Some(Data::Text(text)) => {
            words.extend(text.split(|c: char| !(c.is_alphanumeric() || c == '_')).map(str::to_owned));
        }
        _ => {}
    }
}

/// Whether a state that waits for a callback says that a person answers: in its name, or in what it sends.
fn speaks_of_person(state: &State<'_>) -> bool {
    let mut words = vec![state.name.to_string()];
    collect_words(state.get("Parameters").or_else(|| state.get("Arguments")), &mut words);
    words.iter().any(|word| {
        let word = word.to_lowercase();
        PERSON_WORDS.iter().any(|known| word.contains(known))
    })
}
