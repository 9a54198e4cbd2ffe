//! Native definitions of apps: nodes as tasks, in an order in which each comes after what leads to it.
//!
//! What a node puts out is kept in `$context` under the node's name: `{{#1700.text#}}` is `$context["Summary"].text`. A node
//! that decides keeps the way that it took; a node behind it runs where one of its ways was taken. Dify runs branches side by
//! side, a definition runs them one after the other.

mod condition;
mod http;
mod inner;
mod model;
mod node;
mod refer;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::Node as Tree;
use sluice_core::text::{Span, Text};

use super::lower::{Lowering, prepared};
use super::nodes::Is;
use super::read::{self, text_at};
use crate::native::{Definition, Refused, Task, TaskKind, Writing, member, quoted, start_of};
use crate::order::each_before_what_follows;
use crate::refusal;

/// The names of what starts an app, in the order of the file.
pub(crate) fn starts(text: &Text, tree: &Tree) -> Vec<Arc<str>> {
    let Ok(app) = read::app(tree) else { return Vec::new() };
    let (low, _) = prepared(text, &app);
    low.entries().into_iter().map(|i| low.name(i)).collect()
}

/// Translates an app.
///
/// # Errors
/// Those of reading it; that nothing starts it, or several nodes do and `start` names none of them; that it lies too deep.
pub(crate) fn definition(text: &Text, tree: &Tree, start: Option<&str>) -> Result<Definition, Vec<Diagnostic>> {
    let app = read::app(tree)?;
    let (low, _) = prepared(text, &app);
    let entries = low.entries();
    let names: Vec<Arc<str>> = entries.iter().map(|i| low.name(*i)).collect();
    let at = start_of(tree, &names, start, "add a start node")?;
    let Some(entry) = entries.get(at).copied() else { return Err(Vec::new()) };
    let desk = Writing::new(text, app.nodes.iter().map(|node| node.name.clone()));
    let mut writer = Writer { low: &low, desk, entry, decided: BTreeMap::new() };
    let tasks = writer.level(&[entry], &Sight::default());
    let title = if app.name.trim().is_empty() { "app" } else { &app.name };
    writer.desk.finish(title, tasks, app.span)
}

/// Most ways that are told apart before a node; a run is decided once, and read by whoever comes to it.
const WAYS_MAX: usize = 100;

/// When a node runs.
#[derive(Clone, Debug, PartialEq, Eq)]
enum When {
    Always,
    /// Where one of these nodes took this way.
    Ways(BTreeSet<(usize, Arc<str>)>),
}

/// What the nodes of a level see.
#[derive(Clone, Debug, Default)]
struct Sight {
    /// The iterations around, with the variables of their items; outermost first.
    items: Vec<(usize, String)>,
}

struct Writer<'a, 't> {
    low: &'a Lowering<'a, 't>,
    desk: Writing<'t>,
    /// The start that is meant.
    entry: usize,
    /// Where it is kept which way a node took that goes on after an error of its own.
    decided: BTreeMap<usize, String>,
}

impl<'t> Writer<'_, 't> {
    /// The nodes that lie beside each other, from those on that it begins with.
    fn level(&mut self, entries: &[usize], sight: &Sight) -> Vec<Task> {
        let app = self.low.app;
        let parent = |i: usize| app.nodes.get(i).and_then(|node| node.parent.as_ref());
        let beside = entries.first().and_then(|i| parent(*i));
        let next = |i| self.low.targets(i).into_iter().filter(|to| parent(*to) == beside).collect();
        let mut order = each_before_what_follows(entries, &next);
        // Nothing comes after an end, and what a run leaves is what its last task puts out.
        order.sort_by_key(|i| self.node_type(*i) == "end");
        let mut when: BTreeMap<usize, When> = BTreeMap::new();
        let mut tasks = Vec::new();
        for i in &order {
            let own = if entries.contains(i) { When::Always } else { self.when(*i, &when) };
            let name = self.low.name(*i);
            self.desk.reach(&name);
            let turns = self
                .low
                .app
                .edges
                .iter()
                .any(|edge| edge.to == *i && order.contains(&edge.from) && !when.contains_key(&edge.from));
            let leaves = self.low.targets(*i).into_iter().any(|to| parent(to) != beside);
            let made = match (turns, leaves) {
                (true, _) => Err(self.strays(*i, "a way that leads back to it", "repeat with an iteration")),
                (_, true) => Err(self.strays(*i, "a way into a loop, or out of one,", "lead on from the loop itself")),
                _ => self.node(*i, sight),
            };
            let mut made = match made {
                Ok(made) => made,
                Err(Refused) => vec![self.desk.missing(&name, &self.node_type(*i))],
            };
            if let When::Ways(ways) = &own {
                let taken = self.taken(ways);
                let condition = match self.desk.short_enough(&name, taken, self.low.span(*i)) {
                    Ok(condition) if ways.len() <= WAYS_MAX => condition,
                    _ => {
                        self.strays(*i, &format!("more than {WAYS_MAX} ways that lead to it"), "decide in fewer steps");
                        made = vec![self.desk.missing(&name, &self.node_type(*i))];
                        "false".to_owned()
                    }
                };
                match made.as_mut_slice() {
                    [only] => only.condition = Some(condition),
                    [] => {}
                    _ => {
                        let all = self.desk.free(&format!("all of {name}"));
                        made = vec![Task::new(all, TaskKind::Do(made)).only_if(condition)];
                    }
                }
            }
            when.insert(*i, own);
            tasks.extend(made);
        }
        if order.iter().any(|i| self.low.targets(*i).len() > 1 && !self.decides(*i)) {
            self.desk.note("branches that the original runs side by side run one after the other here");
        }
        tasks
    }

    fn strays(&mut self, i: usize, what: &str, help: &str) -> Refused {
        let (name, span) = (self.low.name(i), self.low.span(i));
        self.desk.gap(&name, &refusal::ORDER_WITHOUT_EQUIVALENT, span, what, help)
    }

    /// When a node runs, of what leads to it.
    fn when(&self, i: usize, known: &BTreeMap<usize, When>) -> When {
        let mut all = BTreeSet::new();
        for edge in self.low.app.edges.iter().filter(|edge| edge.to == i) {
            let Some(before) = known.get(&edge.from) else { continue };
            match before {
                // Further ones are told by the one more.
                _ if all.len() > WAYS_MAX => break,
                _ if self.decides(edge.from) => {
                    all.insert((edge.from, edge.handle.clone()));
                }
                When::Always => return When::Always,
                When::Ways(ways) => all.extend(ways.iter().cloned()),
            }
        }
        self.without_choice(all, known)
    }

    /// Where each way of an `if-else` leads to a node, it is no choice of that one.
    fn without_choice(&self, mut all: BTreeSet<(usize, Arc<str>)>, known: &BTreeMap<usize, When>) -> When {
        let deciders: BTreeSet<usize> = all.iter().map(|(decider, _)| *decider).collect();
        for decider in deciders.into_iter().rev().filter(|i| self.node_type(*i) == "if-else") {
            let ways: BTreeSet<(usize, Arc<str>)> =
                self.ways(decider).into_iter().map(|way| (decider, way.into())).collect();
            if ways.is_subset(&all) {
                all.retain(|way| !ways.contains(way));
                match known.get(&decider) {
                    Some(When::Ways(before)) => all.extend(before.iter().cloned()),
                    Some(When::Always) | None => return When::Always,
                }
            }
        }
        When::Ways(all)
    }

    /// Whether a node has several ways out, of which it takes one.
    fn decides(&self, i: usize) -> bool {
        let Some(data) = self.low.data(i) else { return false };
        let strategy = text_at(data, &["error_strategy"]).map(AsRef::as_ref);
        matches!(self.node_type(i).as_str(), "if-else" | "question-classifier") || strategy == Some("fail-branch")
    }

    /// That one of these ways was taken, as jq.
    fn taken(&mut self, ways: &BTreeSet<(usize, Arc<str>)>) -> String {
        let each: Vec<String> = ways.iter().map(|(i, way)| format!("{} == {}", self.way(*i), quoted(way))).collect();
        if each.is_empty() { "false".to_owned() } else { each.join(" or ") }
    }

    /// The way that a node took, as jq.
    fn way(&mut self, i: usize) -> String {
        let name = self.low.name(i);
        if matches!(self.node_type(i).as_str(), "if-else" | "question-classifier") {
            return format!("{}.way", self.reads(&name));
        }
        let slot = self.slot(i);
        self.reads(&slot)
    }

    /// Where it is kept which way a node took that goes on after an error of its own.
    fn slot(&mut self, i: usize) -> String {
        let name = self.low.name(i);
        if let Some(slot) = self.decided.get(&i) {
            return slot.clone();
        }
        let slot = self.desk.free(&format!("way of {name}")).to_string();
        self.decided.insert(i, slot.clone());
        slot
    }

    fn reads(&mut self, name: &str) -> String {
        self.desk.read.insert(name.to_owned());
        member("$context", name)
    }

    fn node_type(&self, i: usize) -> String {
        self.low.node(i).map(|node| node.node_type.to_string()).unwrap_or_default()
    }

    fn is(&self, i: usize) -> Is {
        self.low.is(i)
    }

    fn data(&self, i: usize) -> Result<&'t Tree, Refused> {
        self.low.node(i).map(|node| node.data).ok_or(Refused)
    }

    fn refuse(&mut self, i: usize, what: &str, help: &str) -> Refused {
        let (name, span) = (self.low.name(i), self.low.span(i));
        self.desk.refuse(&name, span, what, help)
    }

    fn unlike(&mut self, i: usize, span: Span, what: &str, help: &str) -> Refused {
        let name = self.low.name(i);
        self.desk.gap(&name, &refusal::PARAMETER_WITHOUT_EQUIVALENT, span, what, help)
    }
}
