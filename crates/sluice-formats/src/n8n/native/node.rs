//! What each node becomes, and what follows it.

use super::super::parameters::text_at;
use super::{Known, Refused, State, Writer};
use crate::import::Kind;
use crate::native::{Task, TaskKind, Value};
use crate::refusal;

/// What comes after a node.
pub(super) enum Follows {
    /// Whatever its ports lead to, one after the other.
    One(State),
    /// Each port only where its condition holds.
    Ports(Vec<Port>),
    /// All of it, once for each item.
    Each { items: Known, each: String, state: State },
}

/// A port with a condition.
pub(super) struct Port {
    pub(super) port: usize,
    pub(super) name: String,
    pub(super) condition: String,
    pub(super) state: State,
    /// The loops around the node itself.
    pub(super) loops: Vec<usize>,
    /// The items that it is done for one by one, and the name of each.
    pub(super) each: Option<(Known, String)>,
}

impl Writer<'_, '_> {
    /// Writes the tasks of a node.
    pub(super) fn node(&mut self, i: usize, state: &State, out: &mut Vec<Task>) -> Follows {
        if self.low.is_off(i) {
            return self.passes(i, state);
        }
        if self.order.turns_to(i) && self.low.short_type(i) != "splitInBatches" {
            let span = self.low.span(i);
            let message =
                format!("the workflow comes back to `{}`, in a circle that is no loop over items", self.short(i));
            let help = "repeat with a loop node, or write it as a task with `then`";
            self.gap(i, &refusal::ORDER_WITHOUT_EQUIVALENT, span, message, help);
            let task = self.missing(i);
            out.push(Task { name: format!("circle to {}", self.short(i)).into(), ..task });
        }
        match self.kind_of_node(i, state, out) {
            Ok(follows) => follows,
            Err(Refused) => self.unwritten(i, state, out),
        }
    }

    /// A node without an equivalent: what comes after it is written as if somebody had put its tasks there.
    fn unwritten(&mut self, i: usize, state: &State, out: &mut Vec<Task>) -> Follows {
        let name = self.short(i);
        let task = self.missing(i).kept_as(&name);
        out.push(task);
        let ports: Vec<usize> = self.ports(i).into_keys().collect();
        if ports.len() < 2 {
            if matches!(self.kind(i), Kind::Code) || self.is_many(i) {
                return self.each(i, state);
            }
            let mut state = state.clone();
            state.item = Ok(self.keep(i, &mut state));
            return Follows::One(state);
        }
        let kept = self.keep(i, &mut state.clone());
        let way = |port: usize| {
            let mut state = state.clone();
            state.choices.insert(i, port);
            state.item = Ok(kept.clone());
            let condition = format!("{}.way == {port}", kept.jq);
            Port { port, name: format!("{name} ({port})"), condition, loops: state.loops.clone(), state, each: None }
        };
        self.note_read(&kept);
        Follows::Ports(ports.into_iter().map(way).collect())
    }

    fn kind_of_node(&mut self, i: usize, state: &State, out: &mut Vec<Task>) -> Result<Follows, Refused> {
        let short = self.low.short_type(i);
        if self.low.workflow.named(i, &self.short(i)).is_some_and(|named| named != i) {
            let what = "another node has the same name, and the original means the later one by it";
            return Err(self.refuse(i, what, "give each node a name of its own"));
        }
        let flags = self.low.workflow.nodes.get(i).map(|node| (node.once, node.never_empty)).unwrap_or_default();
        match flags {
            (true, _) if !state.loops.is_empty() => {
                let what = "a step that runs once for all items (`executeOnce`)";
                return Err(self.refuse(i, what, "put the step before the loop, or behind it"));
            }
            (_, true) if self.is_many(i) || short == "filter" => {
                let what = "an empty item where none comes (`alwaysOutputData`)";
                return Err(self.refuse(i, what, "switch it off, or decide about the missing item with a condition"));
            }
            _ => {}
        }
        match short {
            "noOp" | "merge" => return Ok(self.passes(i, state)),
            "splitInBatches" => return self.batches(i, state),
            "if" => return self.branch(i, state),
            "filter" => return self.filter(i, state),
            "switch" => return self.switch(i, state, out),
            "set" => return self.set(i, state, out),
            "splitOut" => return self.split_out(i, state, out),
            "wait" => return self.wait(i, state, out),
            "stopAndError" => return self.stop(i, state, out),
            "respondToWebhook" => return self.service(i, state, out),
            _ => {}
        }
        match self.kind(i) {
            _ if self.low.is_store(i) => self.part(i),
            Kind::Trigger => self.trigger(i, state, out),
            Kind::Action | Kind::Command => {
                if super::super::effects::is_http(self.low, i) {
                    self.http(i, state, out)
                } else {
                    self.service(i, state, out)
                }
            }
            Kind::Model => self.model(i, state, out),
            Kind::Code => Err(self.refuse(
                i,
                "a program",
                "write what it computes as jq in a `set`, or as an action of a service of yours",
            )),
            Kind::Agent => Err(self.refuse(
                i,
                "an agent, which chooses its tools while it runs",
                "decide in the definition which actions are called, and ask a model for values alone",
            )),
            Kind::SubWorkflow => Err(self.refuse(
                i,
                "a call of another workflow",
                "import that workflow, and put its tasks in the place of the call",
            )),
            Kind::Flow => {
                let what = format!("the node type `{short}`");
                Err(self.refuse(i, &what, "write what it makes of an item as jq in a `set`"))
            }
            Kind::Part => {
                Err(self.refuse(i, "a store or another part of an agent", "call the store as an action of a connector"))
            }
        }
    }

    fn part(&mut self, i: usize) -> Result<Follows, Refused> {
        Err(self.refuse(i, "a store or another part of an agent", "call the store as an action of a connector"))
    }

    /// The step as a whole has no equivalent.
    pub(super) fn refuse(&mut self, i: usize, what: &str, help: &str) -> Refused {
        let span = self.low.span(i);
        let message = format!("`{}` has no equivalent: {what}", self.short(i));
        self.gap(i, &refusal::STEP_WITHOUT_EQUIVALENT, span, message, help);
        Refused
    }

    /// A node that gives its item on.
    pub(super) fn passes(&mut self, i: usize, state: &State) -> Follows {
        let mut state = state.clone();
        if let Ok(item) = &state.item {
            let item = item.clone();
            self.kept.insert(i, (item.clone(), state.loops.clone()));
            state.seen.insert(i, item);
        }
        Follows::One(state)
    }

    /// What starts a run: by hand, with nothing; else with an event, which is read of the connector that keeps it.
    fn trigger(&mut self, i: usize, state: &State, out: &mut Vec<Task>) -> Result<Follows, Refused> {
        let short = self.low.short_type(i);
        let mut state = state.clone();
        let by_itself = matches!(short, "manualTrigger" | "start" | "scheduleTrigger" | "cron" | "interval");
        if !by_itself {
            return self.event(i, &state, out);
        }
        if short == "manualTrigger" || short == "start" {
            state.item = Ok(Known { jq: "{}".to_owned(), name: None });
        } else {
            let name = self.short(i);
            self.notes.push(format!(
                "`{name}` starts the original by the clock; a definition does not say when it runs: start it with `sluice run`"
            ));
            state.item = Err("the time at which the workflow was started".to_owned());
        }
        out.push(Task::new(self.short(i), TaskKind::Set(Value::Map(Vec::new()))));
        Ok(Follows::One(state))
    }

    /// A loop node: what is around it goes through the items one by one already.
    fn batches(&mut self, i: usize, state: &State) -> Result<Follows, Refused> {
        let version = self.low.version(i);
        let done = match version {
            v if v >= 3.0 => 0,
            v if v >= 2.0 => 1,
            _ => return Ok(self.passes(i, state)),
        };
        let leads_on = self.low.graph.targets(i).any(|(port, _)| port == done);
        if leads_on {
            let span = self.low.span(i);
            let message = format!(
                "what follows `{}` when all items are done, with all of them, has no equivalent",
                self.short(i)
            );
            let help = "take what follows the loop out, or write it behind the `for` by hand";
            self.gap(i, &refusal::ORDER_WITHOUT_EQUIVALENT, span, message, help);
            return Err(Refused);
        }
        Ok(self.passes(i, state))
    }

    /// A parameter that is a word of n8n's, not an expression.
    pub(super) fn word(&self, i: usize, path: &str) -> Option<String> {
        text_at(self.low.parameters(i), path)
    }
}
