//! Which values an importer's checks vouch for where they are used.
//!
//! A check holds of a place from one node on. It goes with the value through assignments that copy, and ends where the
//! place is written. At a node that several ways lead to, only what holds on each of them is known. So a check counts for
//! an action only where every way to it passes a check of that very value. Labels stay as they are: an outsider's words
//! that were checked are an outsider's words.

use std::collections::{BTreeMap, BTreeSet};

use sluice_core::control::normal_successors;
use sluice_core::control::writes_of;
use sluice_core::expression::{Base, Environment, Path, Used, evaluate};
use sluice_core::label::Label;
use sluice_core::program::{NodeId, NodeKind, PlaceId, StepId, Use};
use sluice_core::value::Value;
use sluice_formats::Import;
use sluice_formats::guard::{Admits, Guard, Text};

use super::FlowKind;
use crate::analysis::Analysis;

/// By part of a place: the checks of which one has surely been made.
type Facts = BTreeMap<(PlaceId, Path), BTreeSet<usize>>;

/// Most facts of all nodes together. What a text can list is copied along every way: those beyond count as not known, which
/// only tells more.
const FACTS_MAX: usize = 1_000_000;

/// What is known at every node.
pub(super) struct Guarded<'a> {
    import: &'a Import,
    analysis: &'a Analysis,
    /// The checks that are made once a node is done.
    checks: BTreeMap<NodeId, Vec<usize>>,
    /// Before each node that some run gets to.
    facts: BTreeMap<NodeId, Facts>,
    /// Most facts of one node.
    most: usize,
}

/// What is left of an argument without what was checked.
pub(super) struct Rest {
    /// Whose words are still in it.
    pub(super) label: Label,
    /// Who checked the others.
    pub(super) by: BTreeSet<StepId>,
}

impl<'a> Guarded<'a> {
    pub(super) fn of(import: &'a Import, analysis: &'a Analysis) -> Self {
        let mut checks: BTreeMap<NodeId, Vec<usize>> = BTreeMap::new();
        for (n, (node, _)) in import.guards.checks.iter().enumerate() {
            checks.entry(*node).or_default().push(n);
        }
        let most = FACTS_MAX / import.program.nodes().count().max(1);
        let mut guarded = Self { import, analysis, checks, facts: BTreeMap::new(), most };
        if !import.guards.checks.is_empty() {
            guarded.settle();
        }
        guarded
    }

    /// The greatest solution: facts only go as further ways to a node are seen.
    fn settle(&mut self) {
        let entry = self.import.program.entry;
        self.facts.insert(entry, Facts::new());
        let mut open = BTreeSet::from([entry]);
        while let Some(at) = open.pop_first() {
            let known = self.facts.get(&at).cloned().unwrap_or_default();
            let after = self.after(at, &known);
            let normal = self.import.program.node(at).map(|n| normal_successors(&n.kind)).unwrap_or_default();
            for next in self.analysis.successors(at) {
                // What a node that failed has written is not known.
                let came = if normal.contains(&next) { after.clone() } else { Facts::new() };
                let met = match self.facts.get(&next) {
                    Some(known) => meet(known, &came),
                    None => came,
                };
                if self.facts.get(&next) != Some(&met) {
                    self.facts.insert(next, met);
                    open.insert(next);
                }
            }
        }
    }

    /// What holds behind a node, if it did not fail.
    fn after(&self, at: NodeId, known: &Facts) -> Facts {
        let Some(node) = self.import.program.node(at) else { return Facts::new() };
        let written = writes_of(&node.kind);
        let mut facts = known.clone();
        facts.retain(|(place, _), _| !written.contains(place));
        if let NodeKind::Assign { target, value, .. } = &node.kind
            && self.import.guards.copies.contains(&at)
        {
            let of = |base: &Base| self.of_place(known, value, base);
            let either = |a: &BTreeSet<usize>, b: &BTreeSet<usize>| a | b;
            let copied = value.expression.carried(&of, &either);
            facts.extend(copied.into_iter().map(|(path, by)| ((*target, path), by)));
        }
        for n in self.checks.get(&at).into_iter().flatten() {
            if let Some(guard) = self.guard(*n) {
                facts.insert((guard.place, guard.path.clone()), [*n].into());
            }
        }
        while facts.len() > self.most {
            facts.pop_last();
        }
        facts
    }

    fn of_place(&self, known: &Facts, value: &Use, base: &Base) -> BTreeMap<Path, BTreeSet<usize>> {
        let Some(place) = place_of(value, base) else { return BTreeMap::new() };
        let from = known.range((place, Path::new())..).take_while(|((other, _), _)| *other == place);
        from.map(|((_, path), by)| (path.clone(), by.clone())).collect()
    }

    /// An argument of a call without what was checked well enough for this kind of use; `None` where nothing was.
    pub(super) fn rest(&self, at: NodeId, argument: &str, kind: FlowKind) -> Option<Rest> {
        let known = self.facts.get(&at).filter(|facts| !facts.is_empty())?;
        let NodeKind::Call { arguments, .. } = &self.import.program.node(at)?.kind else { return None };
        let state = self.analysis.state(at)?;
        let mut by = BTreeSet::new();
        let expression = arguments.expression.field_alone(argument)?.without(&mut |base, path, used| {
            let Some(place) = place_of(arguments, base) else { return false };
            let Some(checks) = known.get(&(place, path.clone())) else { return false };
            let guards: Vec<&Guard> = checks.iter().filter_map(|n| self.guard(*n)).collect();
            let is_enough = guards.iter().all(|guard| suffices(&guard.admits, kind, used));
            if is_enough {
                by.extend(guards.iter().map(|guard| guard.step));
            }
            is_enough
        });
        if by.is_empty() {
            return None;
        }
        let variable = |name: &str| arguments.variables.get(name).map(|place| state.get(*place).clone());
        let environment = Environment { input: &state.get(arguments.input), variables: &variable };
        let value: Value = evaluate(&expression, &environment).value?;
        Some(Rest { label: value.deep_label(), by })
    }

    fn guard(&self, n: usize) -> Option<&'a Guard> {
        self.import.guards.checks.get(n).map(|(_, guard)| guard)
    }
}

fn place_of(value: &Use, base: &Base) -> Option<PlaceId> {
    match base {
        Base::Input => Some(value.input),
        Base::Variable(name) => value.variables.get(name).copied(),
    }
}

/// What holds on both ways; whichever of the checks was made.
fn meet(a: &Facts, b: &Facts) -> Facts {
    a.iter().filter_map(|(part, by)| Some((part.clone(), by | b.get(part)?))).collect()
}

/// Whether a value that was checked so can do nothing where it is used so.
fn suffices(admits: &Admits, kind: FlowKind, used: Used) -> bool {
    use FlowKind::{
        AgentTool, BodyInject, Code, Command, Egress, Html, ObjectRef, Privileged, Prompt, QueryInjection, Recipient,
        Resource, UrlHost, UrlPath,
    };
    if matches!(kind, AgentTool | Egress) {
        return false;
    }
    match admits {
        Admits::Listed => true,
        // Names of objects and programs can differ in capitals alone.
        Admits::ListedInAnyCase => !matches!(kind, Code | ObjectRef | Resource | Privileged),
        // Which account, chat or host a number is, is a choice. What is made from a checked value need not have its form.
        Admits::Number | Admits::Text(_) if used == Used::Made => false,
        Admits::Number => matches!(kind, Prompt | QueryInjection | UrlPath | Code | Command | Html | BodyInject),
        Admits::Text(text) => match kind {
            QueryInjection | UrlPath | Command => text.between.all(is_word),
            Html | BodyInject => text.between.all(|c| is_word(c) || " .,:;@+/=!?#%()*".contains(c)),
            UrlHost => is_on_host(text) || is_below_domain(text),
            Recipient => is_address_at(text),
            _ => false,
        },
    }
}

const fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

/// `https://host/` is the author's, and what follows is one word of a path.
fn is_on_host(text: &Text) -> bool {
    let behind = ["https://", "http://"].iter().find_map(|scheme| text.prefix.strip_prefix(scheme));
    let host = behind.and_then(|rest| rest.split_once('/')).map(|(host, _)| host);
    host.is_some_and(|host| !host.is_empty() && !host.contains(['@', '\\', '?', '#'])) && text.between.all(is_word)
}

/// A name below a domain of the author's.
fn is_below_domain(text: &Text) -> bool {
    let is_domain = text.suffix.strip_prefix('.').is_some_and(is_domain);
    text.prefix.chars().all(is_word) && is_domain && text.between.all(|c| is_word(c) || c == '.')
}

/// One mailbox at a domain of the author's.
fn is_address_at(text: &Text) -> bool {
    let stays = |c: char| c.is_ascii_graphic() && !"@,;:<>\"()[]\\".contains(c);
    text.prefix.chars().all(stays) && text.suffix.strip_prefix('@').is_some_and(is_domain) && text.between.all(stays)
}

fn is_domain(text: &str) -> bool {
    text.contains('.')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
        && !text.ends_with('.')
}
