//! What each kind of node becomes.

use std::collections::{BTreeMap, BTreeSet};

use sluice_core::catalogue::Usage;
use sluice_core::document::{Data, Node as Tree};
use sluice_core::gate::{Effect, Role};

use super::super::effects::{has_tag, is_workflow, tool_of};
use super::super::nodes::Is;
use super::super::read::{at, is_on, list, text_at, word};
use super::{Sight, Writer};
use crate::native::{
    ActionDraft, Catch, Reached, Refused, Retry, Sending, Task, TaskKind, Value, quoted, slug, words_of,
};

impl<'t> Writer<'_, 't> {
    /// The tasks of a node.
    pub(super) fn node(&mut self, i: usize, sight: &Sight) -> Result<Vec<Task>, Refused> {
        let (what, help) = match self.is(i) {
            Is::Start | Is::Trigger => return self.start(i),
            Is::End => return self.answer(i, sight),
            Is::Model => return self.model(i, sight),
            Is::Knowledge => return self.knowledge(i, sight),
            Is::Template => return self.template_node(i, sight),
            Is::Http => return self.http(i, sight),
            Is::Tool => return self.tool(i, sight),
            Is::Aggregator => return self.aggregator(i, sight),
            Is::Loop => return self.iteration(i, sight),
            Is::Flow if self.node_type(i) == "if-else" => return self.branch(i, sight),
            Is::Flow => return Ok(Vec::new()),
            Is::Classifier => {
                ("a model that chooses the way on", "ask a model for one word, and decide about it in an `if-else`")
            }
            Is::Extractor => {
                ("a model that fills parameters", "ask a model for a JSON text, and read it in the definition")
            }
            Is::Agent => (
                "an agent, which chooses its tools while it runs",
                "decide in the definition which actions are called, and ask a model for values alone",
            ),
            Is::Code => ("a program", "write what it computes as jq in a `set`, or as an action of a service of yours"),
            Is::Assigner => (
                "it writes what is kept from message to message, or from round to round",
                "keep it in a service of yours, by an action of its connector",
            ),
            Is::Document => ("a text that is taken out of a file", "let a service of yours read the file"),
            Is::List => ("a list that is filtered or ordered", "write it as jq in a `set`"),
            Is::Human => {
                ("it asks a person, and waits", "ask for an approval by policy: a gate before a call holds the run")
            }
            Is::Unknown => ("its node type is not known", "write what it does as a call of a connector"),
        };
        Err(self.refuse(i, what, help))
    }

    /// What starts a run: the clock, with nothing; else what somebody sent, which is read of the connector that keeps it.
    fn start(&mut self, i: usize) -> Result<Vec<Task>, Refused> {
        let name = self.low.name(i);
        if self.node_type(i) == "trigger-schedule" {
            self.desk.note(format!(
                "`{name}` starts the original by the clock; a definition does not say when it runs: start it with `sluice run`"
            ));
            return Ok(vec![Task::new(name, TaskKind::Set(Value::Map(Vec::new())))]);
        }
        let (connector, what) = match self.node_type(i).as_str() {
            "start" => ("app", "what a user sends to the app"),
            "trigger-webhook" => ("webhook", "the call of a webhook"),
            _ => ("events", "an event of another service"),
        };
        let mut sending = Sending::default();
        sending.add("event", None, Value::jq("$workflow.input.event"));
        sending.roles.insert("event".to_owned(), Some(Role::Reference));
        let draft = ActionDraft {
            description: format!("{what}, as it came"),
            method: "GET".to_owned(),
            effect: Effect::Read,
            leaves: false,
            // A secret of the app is a connector's credential here, and comes in with nothing.
            labels: BTreeSet::new(),
            ..self.draft(i, Effect::Read, &sending)
        };
        let action = self.desk.contracts.add(connector, &Reached::Unknown, false, "event", draft);
        let chat =
            if self.low.app.is_chat { "its fields, and `query` and `files` of the message" } else { "its fields" };
        self.desk.note(format!(
            "`{name}` starts the original; a definition is started by `sluice run`, and reads the event that its input names, as `event`, \
             of the connector `{connector}`: {chat}"
        ));
        self.desk.told.insert(name.clone(), sending.told);
        Ok(vec![Task::new(name.clone(), TaskKind::Call { action, with: sending.with }).kept_as(&name)])
    }

    /// `answer` tells the user; `end` is what a run leaves.
    fn answer(&mut self, i: usize, sight: &Sight) -> Result<Vec<Task>, Refused> {
        let (name, data) = (self.low.name(i), self.data(i)?);
        let Some(answer) = data.get("answer") else {
            let mut fields = Vec::new();
            for output in list(data.get("outputs")) {
                let Some(name) = output.get("variable").and_then(word) else { continue };
                let jq = self.selected(i, output.get("value_selector"), sight)?;
                fields.push((name, jq.map_or(Value::Constant(serde_json::Value::Null), Value::jq)));
            }
            return Ok(vec![Task::new(name, TaskKind::Set(Value::Map(fields)))]);
        };
        let mut sending = Sending::default();
        let value = self.text(i, answer, sight)?;
        sending.add("answer", Some(Usage::Payload), value);
        sending.told.exact = true;
        let draft = self.draft(i, Effect::Export, &sending);
        let action = self.desk.contracts.add("app", &Reached::Unknown, false, "answer", draft);
        self.call(i, action, sending, sight)
    }

    fn knowledge(&mut self, i: usize, sight: &Sight) -> Result<Vec<Task>, Refused> {
        let data = self.data(i)?;
        let mut sending = Sending::default();
        let query = self.selected(i, data.get("query_variable_selector"), sight)?;
        let Some(query) = query else { return Err(self.unlike(i, self.low.span(i), "a search for nothing", "")) };
        sending.add("query", Some(Usage::Payload), Value::jq(query));
        if let Some(ids) = data.get("dataset_ids") {
            sending.add("datasets", None, Value::Constant(ids.to_json()));
        }
        sending.told.exact = true;
        let draft = self.draft(i, Effect::Read, &sending);
        let action = self.desk.contracts.add("knowledge", &Reached::Unknown, true, "search", draft);
        self.call(i, action, sending, sight)
    }

    fn template_node(&mut self, i: usize, sight: &Sight) -> Result<Vec<Task>, Refused> {
        let (name, data) = (self.low.name(i), self.data(i)?);
        let Some(template) = data.get("template") else {
            return Err(self.unlike(i, self.low.span(i), "a template of nothing", ""));
        };
        if template.as_text().is_some_and(|text| has_tag(text)) {
            let help = "write the text without elements of HTML, or let a service of yours render it";
            return Err(self.unlike(
                i,
                template.span,
                "a template of HTML, which shows what it is given as it is,",
                help,
            ));
        }
        let value = self.template(i, template, data.get("variables"), sight)?;
        let value = Value::Map(vec![("output".to_owned(), value)]);
        Ok(vec![Task::new(name.clone(), TaskKind::Set(value)).kept_as(&name)])
    }

    fn tool(&mut self, i: usize, sight: &Sight) -> Result<Vec<Task>, Refused> {
        let data = self.data(i)?;
        if is_workflow(data) {
            let help = "import that workflow, and put its tasks in the place of the call";
            return Err(self.refuse(i, "a call of another workflow", help));
        }
        let known = tool_of(data);
        let mut sending = Sending::default();
        let mut refused = None;
        for key in ["tool_parameters", "tool_configurations"] {
            let Some(Data::Map(entries)) = data.get(key).map(|parameters| &parameters.value) else { continue };
            for entry in entries {
                match self.argument(i, &entry.value, sight) {
                    Ok(value) => {
                        sending.add(&entry.key, known.usage(&entry.key), value);
                    }
                    Err(gone) => refused = Some(gone),
                }
            }
        }
        if let Some(gone) = refused {
            return Err(gone);
        }
        sending.told.exact = true;
        let named = |keys: [&str; 2], usual: &str| {
            let words = keys.iter().find_map(|key| data.get(key).and_then(word)).unwrap_or_default();
            let made = slug(&words_of(words.rsplit('/').next().unwrap_or_default()));
            if made.is_empty() { usual.to_owned() } else { made }
        };
        let connector = named(["provider_name", "provider_id"], "tools");
        let tool = named(["tool_name", "tool_label"], "call");
        let draft = self.draft(i, known.effect, &sending);
        let action = self.desk.contracts.add(&connector, &Reached::Unknown, true, &tool, draft);
        self.call(i, action, sending, sight)
    }

    /// The first of its variables that a branch has filled.
    fn aggregator(&mut self, i: usize, sight: &Sight) -> Result<Vec<Task>, Refused> {
        let (name, data) = (self.low.name(i), self.data(i)?);
        let mut fields = vec![("output".to_owned(), self.first_of(i, data.get("variables"), sight)?)];
        for group in list(at(data, &["advanced_settings", "groups"])) {
            let Some(name) = group.get("group_name").and_then(word) else { continue };
            let output = self.first_of(i, group.get("variables"), sight)?;
            fields.push((name, Value::Map(vec![("output".to_owned(), output)])));
        }
        Ok(vec![Task::new(name.clone(), TaskKind::Set(Value::Map(fields))).kept_as(&name)])
    }

    fn first_of(&mut self, i: usize, variables: Option<&Tree>, sight: &Sight) -> Result<Value, Refused> {
        let mut all = Vec::new();
        for selector in list(variables) {
            all.extend(self.selected(i, Some(selector), sight)?);
        }
        let name = self.low.name(i);
        let jq = match all.as_slice() {
            [] => "null".to_owned(),
            [only] => only.clone(),
            _ => format!("([{}] | map(select(. != null)) | first)", all.join(", ")),
        };
        Ok(Value::jq(self.desk.short_enough(&name, jq, self.low.span(i))?))
    }

    pub(super) fn draft(&self, i: usize, effect: Effect, sending: &Sending) -> ActionDraft {
        let fact = self.low.wires.steps.get(&self.low.room(i).step).cloned().unwrap_or_default();
        let tool = self.low.data(i).and_then(|data| data.get("tool_name")).and_then(word);
        ActionDraft {
            description: tool.unwrap_or_else(|| fact.node_type.to_string()),
            effect,
            privileged: fact.privileged,
            method: "POST".to_owned(),
            path: String::new(),
            query: BTreeSet::new(),
            headers: BTreeMap::new(),
            body: None,
            arguments: sending.roles.clone(),
            outsiders: fact.source.is_some(),
            labels: fact.categories.iter().map(ToString::to_string).collect(),
            leaves: fact.sink.is_some(),
            keeps: false,
        }
    }

    /// The task of a call, with what is done where it fails.
    pub(super) fn call(
        &mut self,
        i: usize,
        action: String,
        sending: Sending,
        sight: &Sight,
    ) -> Result<Vec<Task>, Refused> {
        let (name, data) = (self.low.name(i), self.data(i)?);
        let retry = self.retry(i, data)?;
        let mut task = Task::new(name.clone(), TaskKind::Call { action, with: sending.with }).kept_as(&name);
        self.desk.told.insert(name.clone(), sending.told);
        let catch = match text_at(data, &["error_strategy"]).map(AsRef::as_ref) {
            None | Some("none" | "") => None,
            Some("fail-branch") => {
                let slot = self.slot(i);
                task.export.push((slot.clone(), quoted("success-branch")));
                let error = [("error_message", "$error.title"), ("error_type", "$error.type")];
                let error = error.map(|(name, jq)| (name.to_owned(), Value::jq(jq)));
                let mut failed = self.failed(i, Value::Map(error.into()));
                failed.export.push((slot, quoted("fail-branch")));
                self.desk.note("the name and the words of an error that is caught are those of a run of Sluice");
                Some(failed)
            }
            Some("default-value") => {
                let mut fields = Vec::new();
                for field in list(data.get("default_value")) {
                    let Some(name) = field.get("key").and_then(word) else { continue };
                    let value = field.get("value").map(|value| self.text(i, value, sight)).transpose()?;
                    fields.push((name, value.unwrap_or(Value::Constant(serde_json::Value::Null))));
                }
                // Of a request only the body is read, and it stands for the reply.
                let body = fields.iter().find(|(name, _)| name == "body").map(|(_, body)| body.clone());
                let value = body.filter(|_| self.is(i) == Is::Http).unwrap_or(Value::Map(fields));
                Some(self.failed(i, value))
            }
            Some(_) => return Err(self.unlike(i, self.low.span(i), "this way to go on after an error", "")),
        };
        if retry.is_none() && catch.is_none() {
            return Ok(vec![task]);
        }
        let catch = catch.map(|failed| Catch { tasks: vec![failed], ..Catch::default() });
        let tried = self.desk.free(&format!("try {name}"));
        Ok(vec![Task::new(tried, TaskKind::Try { tasks: vec![task], retry, catch })])
    }

    /// What a node puts out where it failed.
    fn failed(&mut self, i: usize, value: Value) -> Task {
        let name = self.low.name(i);
        Task::new(self.desk.free(&format!("{name} (failed)")), TaskKind::Set(value)).kept_as(&name)
    }

    fn retry(&mut self, i: usize, data: &Tree) -> Result<Option<Retry>, Refused> {
        if !is_on(data, &["retry_config", "retry_enabled"]) {
            return Ok(None);
        }
        let number = |key: &str| match at(data, &["retry_config", key]).map(|tree| &tree.value) {
            Some(Data::Int(n)) => u64::try_from(*n).ok(),
            _ => None,
        };
        match (number("max_retries"), number("retry_interval")) {
            (Some(0), _) => Ok(None),
            (Some(times), Some(delay_ms)) => Ok(Some(Retry { times, delay_ms, ..Retry::default() })),
            _ => Err(self.unlike(i, self.low.span(i), "a `retry_config` without numbers", "")),
        }
    }
}
