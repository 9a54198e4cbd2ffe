//! Nodes that call a service, and the events that start a run.

use std::collections::{BTreeMap, BTreeSet};

use sluice_core::catalogue::{ReplyRule, Usage};
use sluice_core::gate::{Effect, Role};

use super::super::agent::is_main;
use super::super::catalogue::Found;
use super::super::parameters::{Leaf, text_at};
use super::node::{Follows, Port};
use super::{Known, Refused, State, Writer};
use crate::native::{ActionDraft, Catch, Reached, Retry, Sending, Task, TaskKind, Value, member, slug, words_of};

impl Writer<'_, '_> {
    /// A node whose parameters are the arguments of one action.
    pub(super) fn service(&mut self, i: usize, state: &State, out: &mut Vec<Task>) -> Result<Follows, Refused> {
        let Some(known) = self.low.known.get(i).cloned() else { return Err(Refused) };
        let sending = self.parameters(i, state)?;
        let answers = self.low.short_type(i) == "respondToWebhook";
        let (connector, action) =
            if answers { ("webhook".to_owned(), "respond".to_owned()) } else { self.names(i, &known) };
        let effect = if answers { Effect::Export } else { known.effect };
        let draft = self.draft(i, &known, effect, &sending);
        let call = self.contracts.add(&connector, &Reached::Unknown, self.has_credential(i), &action, draft);
        self.call(i, call, sending, state, out)
    }

    /// The event that started the run, read of the connector that keeps it.
    pub(super) fn event(&mut self, i: usize, state: &State, out: &mut Vec<Task>) -> Result<Follows, Refused> {
        let Some(known) = self.low.known.get(i).cloned() else { return Err(Refused) };
        let mut sending = self.parameters(i, state)?;
        sending.add("event", None, Value::jq("$workflow.input.event"));
        if let Some(role) = sending.roles.get_mut("event") {
            *role = Some(Role::Reference);
        }
        let (connector, _) = self.names(i, &known);
        let connector =
            connector.strip_suffix("trigger").map_or(connector.as_str(), |c| c.trim_end_matches('-')).to_owned();
        let connector = if connector.is_empty() { "events".to_owned() } else { connector };
        let draft = ActionDraft { method: "GET".to_owned(), ..self.draft(i, &known, Effect::Read, &sending) };
        let call = self.contracts.add(&connector, &Reached::Unknown, self.has_credential(i), "event", draft);
        self.notes.push(format!(
            "`{}` starts the original; a definition is started by `sluice run`, and reads the event that its input names, as `event`, \
             of the connector `{connector}`",
            self.short(i)
        ));
        self.call(i, call, sending, state, out)
    }

    /// One call of a model.
    pub(super) fn model(&mut self, i: usize, state: &State, out: &mut Vec<Task>) -> Result<Follows, Refused> {
        let Some(known) = self.low.known.get(i).cloned() else { return Err(Refused) };
        let parts = self.low.graph.parts.get(i).cloned().unwrap_or_default();
        let others = parts.keys().any(|kind| kind != "ai_languageModel");
        let models: Vec<usize> = parts.get("ai_languageModel").cloned().unwrap_or_default();
        let several = models.len() > 1 || self.low.graph.targets(i).any(|(port, _)| port > 0);
        if others || several {
            let what = "a call of a model with a memory, a parser, tools, several models or several outputs";
            return Err(self.refuse(i, what, "ask one model for one value, and decide about it in the definition"));
        }
        let mut sending = self.parameters(i, state)?;
        let said = |(name, usage): (&String, &Usage)| {
            *usage == Usage::Prompt && is_main(name.rsplit('.').next().unwrap_or_default())
        };
        let automatic = self.word(i, "promptType").is_none_or(|p| p != "define");
        if automatic && !sending.told.usages.iter().any(said) {
            let item = match &state.item {
                Ok(item) => item.clone(),
                Err(what) => {
                    let what = format!("its prompt is {what}");
                    return Err(self.refuse(i, &what, "give it a prompt of its own"));
                }
            };
            self.note_read(&item);
            let field = member(&item.jq, "chatInput");
            sending.add(
                "prompt",
                Some(Usage::Prompt),
                Value::jq(format!("if {field} == null then {} else {field} end", item.jq)),
            );
        }
        sending.told.speaks = true;
        let part = models.first().copied();
        let (connector, _) = match part.and_then(|part| self.low.known.get(part).cloned()) {
            Some(found) => self.names(part.unwrap_or(i), &found),
            None => self.names(i, &known),
        };
        let parameters = self.low.parameters(part.unwrap_or(i));
        let named =
            ["model", "modelName", "modelId", "options.model"].iter().find_map(|path| text_at(parameters, path));
        let name =
            named.map(|name| model_id(&name)).filter(|name| !name.is_empty()).unwrap_or_else(|| connector.clone());
        let draft = self.draft(i, &known, known.effect, &sending);
        let draft = ActionDraft { path: "/answer".to_owned(), ..draft };
        let has_credential = self.has_credential(i) || part.is_some_and(|part| self.has_credential(part));
        let call = self.contracts.add(&connector, &Reached::Model(name), has_credential, "answer", draft);
        self.call(i, call, sending, state, out)
    }

    /// The parameters of a node as arguments, each under its path.
    pub(super) fn parameters(&mut self, i: usize, state: &State) -> Result<Sending, Refused> {
        let mut sending = Sending::default();
        let mut refused = false;
        let leaves = self.low.leaves_of(i);
        let locators: BTreeSet<String> =
            leaves.iter().filter_map(|leaf| leaf.path.strip_suffix(".__rl").map(str::to_owned)).collect();
        for leaf in leaves.iter() {
            let Some(name) = argument(leaf, &locators) else { continue };
            let usage = self.low.usage(i, leaf).map(|usage| self.low.within_host(i, leaf, usage));
            let always = self.low.is_always_evaluated(i, leaf);
            match self.value(i, leaf.tree, always, state) {
                Ok(value) => {
                    sending.add(&name, usage, value);
                }
                Err(Refused) => refused = true,
            }
        }
        if self.low.sends_item(i) {
            match &state.item {
                Ok(item) => {
                    self.note_read(item);
                    sending.add("item", Some(Usage::Payload), Value::jq(item.jq.clone()));
                }
                Err(what) => {
                    let what = format!("it sends {what}");
                    return Err(self.refuse(i, &what, "name the values that it sends"));
                }
            }
        }
        sending.told.powerful = self.low.is_powerful(i);
        if refused { Err(Refused) } else { Ok(sending) }
    }

    /// Connector and action, as ids.
    fn names(&self, i: usize, known: &Found) -> (String, String) {
        let short = self.low.short_type(i);
        let short = slug(&words_of(short.strip_suffix("Tool").unwrap_or(short)));
        let service = known.service.as_deref().map_or_else(|| short.clone(), slug);
        let connector = if service.is_empty() { "service".to_owned() } else { service };
        let parts = known.action.split('/').map(|part| slug(&words_of(part))).filter(|part| !part.is_empty());
        let action = parts.collect::<Vec<_>>().join(".");
        let action = match (action.is_empty(), short.is_empty()) {
            (false, _) => action,
            (true, false) => short,
            (true, true) => "call".to_owned(),
        };
        (connector, action)
    }

    pub(super) fn draft(&self, i: usize, known: &Found, effect: Effect, sending: &Sending) -> ActionDraft {
        let node_type = self.low.workflow.nodes.get(i).map(|node| node.node_type.to_string()).unwrap_or_default();
        let words = if known.action.is_empty() { node_type } else { format!("{node_type}, {}", known.action) };
        ActionDraft {
            description: words,
            effect,
            privileged: known.privileged || effect.is_privileged(),
            method: "POST".to_owned(),
            path: String::new(),
            query: BTreeSet::new(),
            headers: BTreeMap::new(),
            body: None,
            arguments: sending.roles.clone(),
            outsiders: self.low.source(i).is_some(),
            labels: self.low.categories(i).iter().map(ToString::to_string).collect(),
            leaves: known.sink.is_some(),
            keeps: false,
        }
    }

    pub(super) fn has_credential(&self, i: usize) -> bool {
        self.low.workflow.nodes.get(i).is_some_and(|node| !node.credentials.is_empty())
    }

    /// The task of a call, with what is done where it fails, and what its reply is.
    pub(super) fn call(
        &mut self,
        i: usize,
        action: String,
        sending: Sending,
        state: &State,
        out: &mut Vec<Task>,
    ) -> Result<Follows, Refused> {
        let name = self.short(i);
        self.told.insert(name.clone(), sending.told);
        let known = self.low.known.get(i).cloned();
        let rule = match self.low.short_type(i) {
            "respondToWebhook" => ReplyRule::Echo,
            _ => known.as_ref().map_or(ReplyRule::Replace, |known| known.output),
        };
        let speaks = self.told.get(&name).is_some_and(|told| told.speaks);
        let mut task = Task::new(name.clone(), TaskKind::Call { action, with: sending.with });
        match (rule, &state.item) {
            (ReplyRule::Echo, _) => {}
            (ReplyRule::Merge, Ok(item)) if !speaks => {
                self.note_read(item);
                task.export = vec![(name.to_string(), format!("({} + .)", item.jq))];
            }
            _ => task = task.kept_as(&name),
        }
        let errors = self.low.workflow.nodes.get(i).map(|node| node.errors).unwrap_or_default();
        let failed = format!("{name} (failed)");
        let retry = errors.tries.filter(|(times, _)| *times > 1).map(|(times, delay_ms)| Retry {
            times: times - 1,
            delay_ms,
            ..Retry::default()
        });
        let catch = (errors.goes_on || errors.has_port).then(|| {
            let error = Value::Map(vec![("error".to_owned(), Value::jq("$error.title"))]);
            let kept = if errors.has_port { failed.clone() } else { name.to_string() };
            let tasks = vec![Task::new(failed.clone(), TaskKind::Set(error)).kept_as(&kept)];
            Catch { tasks, ..Catch::default() }
        });
        if errors.has_port && !state.loops.is_empty() {
            let mut task = Task::new(format!("{name} (not failed yet)"), TaskKind::Set(Value::Map(Vec::new())));
            task.export = vec![(failed.clone(), "null".to_owned())];
            out.push(task);
        }
        match (&retry, &catch) {
            (None, None) => out.push(task),
            _ => out.push(Task::new(format!("try {name}"), TaskKind::Try { tasks: vec![task], retry, catch })),
        }
        let after = match rule {
            ReplyRule::Echo => self.passes(i, state),
            _ if self.is_many(i) => self.each(i, state),
            _ => {
                let mut state = state.clone();
                state.item = Ok(self.keep(i, &mut state));
                Follows::One(state)
            }
        };
        if errors.has_port { Ok(self.either(i, &failed, after, state)) } else { Ok(after) }
    }

    /// The last port is that of errors.
    fn either(&mut self, i: usize, failed: &str, after: Follows, before: &State) -> Follows {
        self.read.borrow_mut().insert(failed.to_owned());
        let name = self.short(i);
        let last = self.ports(i).keys().max().copied().unwrap_or_default().max(1);
        let kept = member("$context", failed);
        let (mut state, each) = match after {
            Follows::One(state) => (state, None),
            Follows::Each { items, each, state } => (state, Some((items, each))),
            Follows::Ports(ports) => return Follows::Ports(ports),
        };
        state.choices.insert(i, 0);
        let usual = (0..last).map(|port| Port {
            port,
            name: if port == 0 { format!("{name} (done)") } else { format!("{name} (done, {port})") },
            condition: format!("{kept} == null"),
            loops: before.loops.clone(),
            state: state.clone(),
            each: each.clone(),
        });
        let mut ports: Vec<Port> = usual.collect();
        let mut state = before.clone();
        let item = match &before.item {
            Ok(item) => {
                self.note_read(item);
                format!("({} + {kept})", item.jq)
            }
            Err(_) => kept.clone(),
        };
        state.item = Ok(Known { jq: item, name: Some(failed.to_owned()) });
        state.choices.insert(i, 1);
        let condition = format!("{kept} != null");
        let loops = before.loops.clone();
        ports.push(Port { port: last, name: format!("{name} (error)"), condition, loops, state, each: None });
        Follows::Ports(ports)
    }
}

/// The name of a parameter as an argument; `None` of what says nothing of the call.
fn argument(leaf: &Leaf<'_>, locators: &BTreeSet<String>) -> Option<String> {
    const ASIDE: [&str; 8] = [
        "__rl",
        "cachedResultName",
        "cachedResultUrl",
        "resource",
        "operation",
        "authentication",
        "nodeCredentialType",
        "genericAuthType",
    ];
    if ASIDE.contains(&leaf.key()) || leaf.segments().contains(&"schema") {
        return None;
    }
    let (outer, key) = leaf.path.rsplit_once('.').unwrap_or(("", &leaf.path));
    let name = match locators.contains(outer) {
        true if key == "value" => outer,
        true => return None,
        false => &*leaf.path,
    };
    Some(name.replace('[', ".").replace(']', ""))
}

/// The name of a model as an id.
fn model_id(name: &str) -> String {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' }).collect();
    plain.trim_start_matches(|c: char| !c.is_ascii_alphanumeric()).chars().take(80).collect()
}
