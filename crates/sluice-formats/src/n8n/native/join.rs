//! Nodes that several ways lead to.
//!
//! Each way leaves its item in `$context`; the node stands behind all of them, under a condition that one, or each, has come.

use std::collections::{BTreeMap, BTreeSet};

use super::super::graph::Target;
use super::super::parameters::text_at;
use super::{Arrival, Known, State, Writer};
use crate::native::{Task, TaskKind, Value, member};
use crate::refusal;

impl Writer<'_, '_> {
    /// One of several ways gets to a node: its item waits for it.
    pub(super) fn arrive(&mut self, i: usize, port: usize, target: Target, state: &State, out: &mut Vec<Task>) {
        let name = self.waiting(target.node, target.input);
        let item = match &state.item {
            Ok(known) => {
                self.note_read(known);
                Value::jq(format!("{{\"json\": {}}}", known.jq))
            }
            Err(_) => Value::jq("{\"json\": {}}"),
        };
        let behind = if port > 0 { format!(" ({port})") } else { String::new() };
        let task = format!("{}{behind} to {}", self.short(i), self.short(target.node));
        out.push(Task::new(task, TaskKind::Set(item)).kept_as(&name));
        self.read.borrow_mut().insert(name);
        self.arrivals.entry(target.node).or_default().push(Arrival { input: target.input, state: state.clone() });
    }

    /// Under which name an item waits for a node that several lead to.
    pub(super) fn waiting(&self, node: usize, input: usize) -> String {
        let inputs = self.low.graph.inputs.get(node).map_or(0, BTreeSet::len);
        if inputs > 1 { format!("to {} {input}", self.short(node)) } else { format!("to {}", self.short(node)) }
    }

    /// The nodes that several ways lead to, all of them from here.
    pub(super) fn joins(&mut self, i: usize, loops: &[usize], out: &mut Vec<Task>) {
        for join in self.order.joins_of(i) {
            let arrivals = self.arrivals.remove(&join).unwrap_or_default();
            if arrivals.is_empty() {
                continue;
            }
            let mut tasks = Vec::new();
            let waiting: BTreeSet<String> = arrivals.iter().map(|a| self.waiting(join, a.input)).collect();
            let waiting: Vec<String> = waiting.into_iter().collect();
            let task = match self.joined(join, &arrivals, loops, &mut tasks) {
                Some((mut state, all)) => {
                    state.choices = common_choices(&arrivals);
                    self.chain(join, &state, &mut tasks);
                    let come = waiting.iter().map(|name| format!("{} != null", member("$context", name)));
                    let come: Vec<String> = come.collect();
                    let condition = come.join(if all { " and " } else { " or " });
                    Task::new(format!("{} then", self.short(join)), TaskKind::Do(tasks)).only_if(condition)
                }
                None => self.gathered(join, &arrivals, &waiting, loops),
            };
            out.push(task);
            // In a loop the next item has not come here yet.
            if !loops.is_empty() {
                let mut task = Task::new(format!("leave {}", self.short(join)), TaskKind::Set(Value::Map(Vec::new())));
                task.export = waiting.iter().map(|name| (name.clone(), "null".to_owned())).collect();
                out.push(task);
            }
        }
    }

    /// A node that runs once for each way that is taken: the items of all of them, one after the other.
    fn gathered(&mut self, join: usize, arrivals: &[Arrival], waiting: &[String], loops: &[usize]) -> Task {
        let mut state = common(arrivals).unwrap_or_default();
        state.loops = loops.to_vec();
        state.choices = common_choices(arrivals);
        let inside = |known: &Known| known.jq.starts_with('$') && !known.jq.starts_with("$context");
        let outer: Vec<usize> = state.seen.iter().filter(|(_, known)| !inside(known)).map(|(node, _)| *node).collect();
        state.seen.retain(|node, _| outer.contains(node) || loops.contains(node));
        let each = self.variable(join, &state);
        state.item = Ok(Known { jq: format!("${each}.json"), name: None });
        state.loops.push(join);
        self.gathers.extend(waiting.iter().cloned());
        let mut tasks = Vec::new();
        if self.low.short_type(join) == "merge" && !self.low.is_off(join) && !self.appends(join) {
            let span = self.low.span(join);
            let message =
                format!("`{}` merges items of several steps by what is in them, or waits for some", self.short(join));
            let help = "merge by position where each input has one item, or append";
            self.gap(join, &refusal::ORDER_WITHOUT_EQUIVALENT, span, message, help);
            let task = self.missing(join);
            tasks.push(Task { name: format!("ways to {}", self.short(join)).into(), ..task });
        }
        self.chain(join, &state, &mut tasks);
        let lists: Vec<String> = waiting.iter().map(|name| format!("({} // [])", member("$context", name))).collect();
        Task::new(format!("{} for each", self.short(join)), TaskKind::For { each, items: lists.join(" + "), tasks })
    }

    /// Whether a merge node gives on what comes, input after input.
    fn appends(&self, join: usize) -> bool {
        text_at(self.low.parameters(join), "mode").is_none_or(|mode| mode == "append")
    }

    /// The item of a node that several ways lead to, and whether all of them are waited for; `None` where it would run
    /// more than once.
    pub(super) fn joined(
        &mut self,
        join: usize,
        arrivals: &[Arrival],
        loops: &[usize],
        out: &mut Vec<Task>,
    ) -> Option<(State, bool)> {
        if arrivals.iter().any(|a| a.state.loops != loops) {
            return None;
        }
        let exclusive = |a: &Arrival, b: &Arrival| {
            a.state.choices.iter().any(|(node, port)| b.state.choices.get(node).is_some_and(|other| other != port))
        };
        let all_exclusive =
            arrivals.iter().enumerate().all(|(n, a)| arrivals.iter().skip(n + 1).all(|b| exclusive(a, b)));
        let is_merge = self.low.short_type(join) == "merge" && !self.low.is_off(join);
        let mut state = common(arrivals)?;
        let names = self.waiting_of(join, arrivals);
        if all_exclusive {
            let jq = match names.as_slice() {
                [only] => format!("{only}.json"),
                names => format!("[{}] | map(select(. != null)) | first | .json", names.join(", ")),
            };
            state.item =
                if names.len() > 1 { self.made_here(join, jq, &mut state, out) } else { Ok(Known { jq, name: None }) };
            return Some((state, false));
        }
        if is_merge && names.len() == arrivals.len() {
            let names: Vec<String> = names.iter().map(|name| format!("{name}.json")).collect();
            state.item = match self.merged(join, &names)? {
                Ok(jq) => self.made_here(join, jq, &mut state, out),
                Err(what) => Err(what),
            };
            return Some((state, true));
        }
        None
    }

    /// The item of several ways as a task of its own, under the node's name.
    pub(super) fn made_here(
        &mut self,
        join: usize,
        jq: String,
        state: &mut State,
        out: &mut Vec<Task>,
    ) -> Result<Known, String> {
        let is_own = matches!(self.low.short_type(join), "merge" | "noOp");
        let name = if is_own { self.short(join).to_string() } else { format!("into {}", self.short(join)) };
        out.push(Task::new(name.as_str(), TaskKind::Set(Value::jq(jq))).kept_as(&name));
        if is_own {
            return Ok(self.keep(join, state));
        }
        Ok(Known { jq: member("$context", &name), name: Some(name) })
    }

    /// The items that wait for a node, as jq.
    pub(super) fn waiting_of(&self, join: usize, arrivals: &[Arrival]) -> Vec<String> {
        let names: BTreeSet<String> = arrivals.iter().map(|a| self.waiting(join, a.input)).collect();
        names.iter().map(|name| member("$context", name)).collect()
    }

    /// What a merge node makes of one item from each of its inputs.
    pub(super) fn merged(&self, join: usize, names: &[String]) -> Option<Result<String, String>> {
        let text = |path: &str| text_at(self.low.parameters(join), path);
        let mode = text("mode").unwrap_or_else(|| "append".to_owned());
        let by = text("combineBy").or_else(|| text("combinationMode")).unwrap_or_default();
        match (mode.as_str(), by.as_str()) {
            ("combine", "combineByPosition" | "mergeByPosition" | "combineAll" | "multiplex")
            | ("mergeByIndex" | "multiplex", _) => Some(Ok(names.join(" + "))),
            ("chooseBranch" | "wait", _) => {
                let output = text("useDataOfInput").or_else(|| text("output")).unwrap_or_else(|| "1".to_owned());
                let index = match output.as_str() {
                    "2" | "input2" => 1,
                    "empty" => return Some(Err("an item of a merge that gives an empty one".to_owned())),
                    _ => 0,
                };
                Some(Ok(names.get(index)?.clone()))
            }
            _ => None,
        }
    }
}

/// The choices that all ways share.
fn common_choices(arrivals: &[Arrival]) -> BTreeMap<usize, usize> {
    let mut choices = arrivals.first().map(|a| a.state.choices.clone()).unwrap_or_default();
    choices.retain(|node, port| arrivals.iter().all(|a| a.state.choices.get(node) == Some(port)));
    choices
}

/// What holds on each of several ways.
fn common(arrivals: &[Arrival]) -> Option<State> {
    let mut state = arrivals.first()?.state.clone();
    state.seen.retain(|node, _| arrivals.iter().all(|a| a.state.seen.contains_key(node)));
    Some(state)
}
