//! `Task`: a call of a drafted contract.

use std::collections::BTreeSet;

use sluice_core::catalogue::Usage;
use sluice_core::document::{Data, Node as Tree};

use super::super::lower::Room;
use super::super::read::{State, entries};
use super::path::Sight;
use super::state::next;
use super::{Refused, Writer};
use crate::import::Kind;
use crate::native::{ActionDraft, Reached, Sending, Task, TaskKind, Value, slug, words_of};
use crate::refusal;

impl<'t> Writer<'_, 't> {
    pub(super) fn task(&mut self, state: &State<'t>, sight: &Sight) -> Result<Vec<Task>, Refused> {
        let Some(room) = self.room(state) else { return Err(Refused) };
        self.callable(state, room)?;
        self.has_not(state, "Credentials", "say in the contract who calls")?;
        let help = "let the task end in time, or fail";
        for key in ["TimeoutSecondsPath", "HeartbeatSeconds", "HeartbeatSecondsPath"] {
            self.has_not(state, key, help)?;
        }
        let (connector, action) = self.called(state, room)?;
        let sight = self.input(state, sight)?;
        let sending = self.sending(state, room, &sight)?;
        let output = self.left(state, sight.in_map, (".", "$input"))?;
        let draft = self.draft(room, &sending);
        let action = self.contracts.add(&connector, &Reached::Unknown, true, &action, draft);
        let name = self.name(state);
        self.told.insert(name.clone(), sending.told);
        let mut task = Task::new(name, TaskKind::Call { action, with: sending.with });
        task.output = output;
        task.timeout_ms = self.timeout(state)?;
        task.then = Some(next(state));
        if room.target.service == "lambda" {
            task.comments = vec![
                "What the function does stands in its code, which is not in the original: read it before you sign the contract.".to_owned(),
            ];
        }
        let outer = Sight { input: ".".to_owned(), ..sight };
        self.guarded(state, &outer, task)
    }

    /// Whether a connector can do what the state does: call, and get the answer.
    fn callable(&mut self, state: &State<'t>, room: &Room) -> Result<(), Refused> {
        let resource = state.text("Resource").map_or("", |text| text);
        let (what, help) = if room.target.is_callback {
            (
                "a task that waits until somebody calls back",
                "ask a person by an approval, or look for the answer in a step of its own",
            )
        } else if room.target.service == "unknown" {
            ("a service that the file does not name", "write the resource's ARN, or the call by hand")
        } else if room.target.service == "activity" {
            ("an activity, which a worker fetches", "let the worker be called")
        } else if resource.contains(".sync") {
            ("a task that waits for a job to end", "start the job in one step, and ask for it in another")
        } else if room.found.kind == Kind::SubWorkflow && room.target.operation.contains("ync") {
            ("another state machine that is waited for", "import it too, and put its tasks in this one's place")
        } else {
            return Ok(());
        };
        let span = state.get("Resource").map_or(state.span, |tree| tree.span);
        Err(self.gap(state, &refusal::STEP_WITHOUT_EQUIVALENT, span, what, help))
    }

    /// Connector and action, as ids. Each function of Lambda is an action of its own: what it does is its own, too.
    fn called(&mut self, state: &State<'t>, room: &Room) -> Result<(String, String), Refused> {
        let id = |words: &str, usual: &str| {
            let made = slug(&words_of(words));
            if made.is_empty() { usual.to_owned() } else { made }
        };
        let connector = id(&room.target.service, "service");
        if room.target.service != "lambda" || !room.target.operation.eq_ignore_ascii_case("invoke") {
            return Ok((connector, id(&room.target.operation, "call")));
        }
        let parameters = state.get("Parameters");
        if let Some(tree) = parameters.and_then(|tree| tree.get("FunctionName.$")) {
            let help = "name the function, or choose between calls by a `Choice`";
            return Err(self.gap(
                state,
                &refusal::PARAMETER_WITHOUT_EQUIVALENT,
                tree.span,
                "a function that is computed",
                help,
            ));
        }
        let named = parameters.and_then(|tree| tree.get("FunctionName")).and_then(Tree::as_text);
        let named = named.or_else(|| state.text("Resource").filter(|text| !text.contains(":states:")));
        Ok((connector, named.map_or_else(|| "invoke".to_owned(), |text| id(function(text), "invoke"))))
    }

    /// What a task sends: each scalar of its parameters under its path, or all that it was given.
    fn sending(&mut self, state: &State<'t>, room: &Room, sight: &Sight) -> Result<Sending, Refused> {
        let mut sending = Sending::default();
        match state.get("Parameters") {
            Some(tree) => {
                let mut leaves = Vec::new();
                leaves_of(tree, String::new(), false, &mut leaves);
                let mut refused = false;
                for leaf in leaves {
                    let path = if leaf.path.is_empty() { "Arguments" } else { &leaf.path };
                    let value = match leaf.is_expression {
                        true => self.path(state, leaf.tree, sight).map(Value::jq),
                        false => Ok(Value::Constant(leaf.tree.to_json())),
                    };
                    match value {
                        Ok(value) => {
                            let name = path.replace('[', ".").replace(']', "");
                            sending.add(&name, room.found.usage(path), value);
                        }
                        Err(Refused) => refused = true,
                    }
                }
                if refused {
                    return Err(Refused);
                }
            }
            None => {
                let usage = room.found.usage("input").unwrap_or(Usage::Payload);
                sending.add("input", Some(usage), Value::jq(sight.input.clone()));
            }
        }
        sending.told.powerful = room.found.is_powerful();
        sending.told.exact = true;
        Ok(sending)
    }

    fn draft(&self, room: &Room, sending: &Sending) -> ActionDraft {
        let fact = self.low.wires.steps.get(&room.step).cloned().unwrap_or_default();
        ActionDraft {
            description: room.target.node_type(),
            effect: room.found.effect,
            privileged: fact.privileged,
            method: "POST".to_owned(),
            path: String::new(),
            query: BTreeSet::new(),
            headers: std::collections::BTreeMap::new(),
            body: None,
            arguments: sending.roles.clone(),
            outsiders: fact.source.is_some(),
            labels: fact.categories.iter().map(ToString::to_string).collect(),
            leaves: fact.sink.is_some(),
            keeps: room.found.reply.made_from_sent,
        }
    }

    fn timeout(&mut self, state: &State<'t>) -> Result<Option<u64>, Refused> {
        let Some(tree) = state.get("TimeoutSeconds") else { return Ok(None) };
        let ms = match tree.value {
            Data::Int(seconds) => u64::try_from(seconds).ok().and_then(|seconds| seconds.checked_mul(1_000)),
            _ => None,
        };
        match ms {
            Some(ms) => Ok(Some(ms)),
            None => {
                let what = "a `TimeoutSeconds` that is no number";
                Err(self.gap(state, &refusal::PARAMETER_WITHOUT_EQUIVALENT, tree.span, what, ""))
            }
        }
    }
}

/// A scalar of a template, an empty map or list too, under its path without the `.$` of its keys.
struct Leaf<'t> {
    path: String,
    tree: &'t Tree,
    is_expression: bool,
}

fn leaves_of<'t>(tree: &'t Tree, path: String, is_expression: bool, found: &mut Vec<Leaf<'t>>) {
    match &tree.value {
        Data::Map(fields) if !fields.is_empty() => {
            for entry in entries(Some(tree)) {
                let key = entry.key.strip_suffix(".$");
                let name = key.unwrap_or(&entry.key);
                let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                leaves_of(&entry.value, path, key.is_some(), found);
            }
        }
        Data::List(items) if !items.is_empty() => {
            for (n, item) in items.iter().enumerate() {
                leaves_of(item, format!("{path}[{n}]"), false, found);
            }
        }
        _ => found.push(Leaf { path, tree, is_expression }),
    }
}

/// The name of a function: of an ARN, what stands behind `function:`; of a substitution, what is in it.
fn function(text: &str) -> &str {
    let name = text.rsplit_once("function:").map_or(text, |(_, name)| name);
    match name.strip_prefix("${") {
        Some(rest) => rest.split('}').next().unwrap_or(rest),
        None => name.split(':').next().unwrap_or(name),
    }
}
