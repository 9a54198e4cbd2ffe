//! Models and agents: what they are told, and what they say.

use sluice_core::catalogue::Usage;
use sluice_core::document::{Data, Node as Tree};
use sluice_core::expression::Expression;
use sluice_core::program::{PlaceId, Step, StepId};

use super::effects::READS;
use super::lower::{Lowering, fact};
use super::nodes::Is;
use super::read::{at, is_on, list, text_at, word};
use super::refer::one_of;
use super::tools;
use crate::import::{Catalogued, Kind};
use crate::wiring::{Does, Sent, place_variable};

impl Lowering<'_, '_> {
    /// A model: anything made from its prompt, its context and what it remembers.
    pub(super) fn model(&mut self, i: usize) {
        let said = self.told(i, &["prompt_template", "context", "vision", "memory"]);
        let span = self.span(i);
        let fields = ["text", "reasoning_content", "structured_output", "files"];
        let mut fields: Vec<_> = fields.iter().map(|name| (*name, said.clone())).collect();
        fields.push(("usage", fact(span)));
        self.put(i, fields);
    }

    /// It says one of the author's classes.
    pub(super) fn classifier(&mut self, i: usize) {
        self.told(i, &["query_variable_selector", "instruction", "instructions", "classes", "vision", "memory"]);
        let span = self.span(i);
        let classes = self.data(i).map(|data| list(data.get("classes"))).unwrap_or_default();
        let named = |key: &str| -> Vec<Expression> {
            classes.iter().filter_map(|c| Some(Expression::literal(&c.get(key)?.to_json(), span))).collect()
        };
        let (names, ids) = (named("name"), named("id"));
        let fields = vec![("class_name", one_of(names, span)), ("class_id", one_of(ids, span)), ("usage", fact(span))];
        self.put(i, fields);
    }

    /// It says a value for each parameter; numbers and truth values carry no words.
    pub(super) fn extractor(&mut self, i: usize) {
        let said = self.told(i, &["query", "instruction", "vision", "memory"]);
        let Some(node) = self.app.nodes.get(i) else { return };
        let span = node.span;
        let mut fields: Vec<(std::sync::Arc<str>, Expression)> = Vec::new();
        for parameter in list(node.data.get("parameters")) {
            let Some(name) = parameter.get("name").and_then(word) else { continue };
            let kind = text_at(parameter, &["type"]).map(AsRef::as_ref);
            let is_plain = matches!(kind, Some("number" | "bool" | "boolean" | "array[number]"));
            fields.push((name.into(), if is_plain { fact(span) } else { said.clone() }));
        }
        fields.push(("__is_success".into(), fact(span)));
        fields.push(("__reason".into(), said));
        let (out, nowhere) = (self.room(i).out, self.wires.nowhere);
        self.wires.assign(out, Expression::object(fields, span), nowhere);
    }

    /// What a model says: anything made from what stands under the keys, which is its prompt.
    fn told(&mut self, i: usize, keys: &[&str]) -> Expression {
        let span = self.span(i);
        let parts = self.prompt(i, keys);
        let words = Expression::opaque(parts, span);
        let said = self.hold(&format!("words of {}", self.name(i)), words);
        self.remember(i, &said);
        self.call(i, READS, vec![Sent { name: "prompt".into(), usage: Usage::Prompt, value: said.clone() }]);
        said
    }

    fn prompt(&mut self, i: usize, keys: &[&str]) -> Vec<Expression> {
        let Some(node) = self.app.nodes.get(i) else { return Vec::new() };
        let data = node.data;
        self.is_prompt = true;
        let mut parts = Vec::new();
        for tree in keys.iter().filter_map(|key| data.get(key)) {
            // A switch that is off leaves its settings behind.
            let is_off = at(tree, &["enabled"]).is_some_and(|t| matches!(t.value, Data::Bool(false)));
            if !is_off {
                parts.extend(self.all_references(i, tree));
            }
        }
        for message in list(data.get("prompt_template")).iter().chain(data.get("prompt_template")) {
            if text_at(message, &["edition_type"]).is_some_and(|t| t.as_ref() == "jinja2")
                && let Some(template) = message.get("jinja2_text")
            {
                parts.push(self.template(i, template, at(data, &["prompt_config", "jinja2_variables"])));
            }
        }
        parts.extend(self.recalled(i));
        self.is_prompt = false;
        parts
    }

    /// What a model remembers of the conversation: what users said, and what it answered.
    fn recalled(&mut self, i: usize) -> Vec<Expression> {
        let span = self.span(i);
        let Some(memory) = self.memory(i) else { return Vec::new() };
        let query = Expression::member(place_variable(self.sys, span), "query");
        vec![place_variable(memory, span), query]
    }

    fn remember(&mut self, i: usize, said: &Expression) {
        let Some(memory) = self.memory(i) else { return };
        let both = Expression::opaque(vec![place_variable(memory, said.span), said.clone()], said.span);
        let nowhere = self.wires.nowhere;
        self.wires.assign(memory, both, nowhere);
    }

    /// The memory of a node that has one.
    fn memory(&mut self, i: usize) -> Option<PlaceId> {
        let node = self.node(i)?;
        let has = self.app.is_chat && node.data.get("memory").is_some_and(|m| !matches!(m.value, Data::Null));
        if !has {
            return None;
        }
        let key = ("memory".into(), node.id.clone());
        if let Some(place) = self.variables.get(&key) {
            return Some(*place);
        }
        let place = self.wires.code.place(format!("memory of {}", node.name));
        self.variables.insert(key, place);
        Some(place)
    }

    /// An agent: its words are made from its prompt and from what its tools answer; any tool may be called with them, in any
    /// order, any number of times.
    pub(super) fn agent(&mut self, i: usize) {
        let span = self.span(i);
        let mut told = self.prompt(i, &["agent_parameters", "memory"]);
        told.extend(self.is_chat_agent(i).then(|| Expression::member(place_variable(self.sys, span), "query")));
        let words = self.wires.code.place(format!("words of {}", self.name(i)));
        let nowhere = self.wires.nowhere;
        self.wires.assign(words, Expression::opaque(told, span), nowhere);
        self.tools(i, words);
        let said = place_variable(words, span);
        self.remember(i, &said);
        self.call(i, READS, vec![Sent { name: "prompt".into(), usage: Usage::Prompt, value: said.clone() }]);
        self.put(i, vec![("text", said.clone()), ("json", said.clone()), ("files", said)]);
    }

    /// Whether the strategy reads the message although nothing names it: one with memory does.
    fn is_chat_agent(&self, i: usize) -> bool {
        self.app.is_chat && self.data(i).is_some_and(|data| data.get("memory").is_some())
    }

    fn tools(&mut self, i: usize, words: PlaceId) {
        let Some(node) = self.app.nodes.get(i) else { return };
        let listed = list(at(node.data, &["agent_parameters", "tools", "value"]));
        let is_off = |tool: &Tree| tool.get("enabled").is_some_and(|t| matches!(t.value, Data::Bool(false)));
        let tools: Vec<&Tree> = listed.iter().filter(|tool| !is_off(tool)).collect();
        let mut servers: Vec<&Tree> = Vec::new();
        // A strategy that speaks MCP names its servers, not their tools.
        let agent_parameters = node.data.get("agent_parameters").map(|p| &p.value);
        if let Some(Data::Map(entries)) = agent_parameters {
            servers
                .extend(entries.iter().filter(|e| e.key.contains("server") || e.key.contains("mcp")).map(|e| &e.value));
        }
        if tools.is_empty() && servers.is_empty() {
            return;
        }
        let span = node.span;
        let [head, done] = [self.wires.code.label(), self.wires.code.label()];
        self.wires.code.goto(head);
        self.wires.code.bind(head);
        let starts: Vec<_> = tools.iter().chain(&servers).map(|_| self.wires.code.label()).collect();
        self.wires.fork(&starts, done, span);
        let own = self.wires.code.step;
        let mut steps = Vec::new();
        for (tool, start) in tools.into_iter().chain(servers).zip(starts) {
            self.wires.code.bind(start);
            steps.push(self.agent_tool(i, tool, words));
            self.wires.code.step = own;
            self.wires.code.goto(head);
        }
        self.wires.code.bind(done);
        if let Some(fact) = self.wires.steps.get_mut(&own) {
            fact.tools = steps;
        }
    }

    /// A tool in the hand of an agent: a step of its own.
    fn agent_tool(&mut self, i: usize, tool: &Tree, words: PlaceId) -> StepId {
        let named = |key: &str| tool.get(key).and_then(word).unwrap_or_default();
        let (provider, name) = (named("provider_name"), named("tool_name"));
        let name = if name.is_empty() { "tools of MCP servers".to_owned() } else { name };
        let known = tools::look_up(if provider.is_empty() { "mcp" } else { &provider }, &name);
        let mut whole: std::sync::Arc<str> = format!("{} / {name}", self.name(i)).into();
        while !self.names.insert(whole.clone()) {
            whole = format!("{whole}'").into();
        }
        let span = self.span(i);
        let step = Step { name: whole.clone(), path: whole.clone(), kind: "action", span: tool.span, purpose: None };
        let step = self.wires.code.step(step);
        self.wires.code.step = step;
        let fact = Catalogued {
            node_type: format!("{provider}/{name}").into(),
            kind: if known.kind == Kind::Command { Kind::Command } else { Kind::Action },
            sink: known.sink.clone(),
            source: known.source.clone(),
            side_effect: known.changes(),
            privileged: known.privileged,
            reachable: true,
            confidence: known.confidence,
            categories: known.labels.iter().cloned().collect(),
            ..Catalogued::default()
        };
        self.wires.steps.insert(step, fact);
        let said = place_variable(words, span);
        let mut sent = vec![Sent { name: "agent".into(), usage: Usage::Agent, value: said.clone() }];
        sent.extend(self.chosen_by_model(tool, &known, &said));
        let nowhere = self.wires.nowhere;
        self.wires.call(&whole, Does { effect: known.effect, privileged: known.privileged }, sent, nowhere, span);
        let classes = known.labels.iter().cloned().collect();
        let categories = self.wires.categories(&whole, &classes);
        let origin = known.source.as_ref().map(|_| self.wires.origin(&whole)).unwrap_or_default();
        let heard = self.wires.code.place(format!("reply of {whole}"));
        self.wires.receive(&whole, (categories, origin), heard, span);
        let both = Expression::opaque(vec![said, place_variable(heard, span)], span);
        self.wires.assign(words, both, nowhere);
        step
    }

    /// The parameters that the model fills, as the tool declares them.
    fn chosen_by_model(&self, tool: &Tree, known: &tools::Known, said: &Expression) -> Vec<Sent> {
        let mut sent = Vec::new();
        for schema in list(tool.get("schemas")) {
            let is_form = text_at(schema, &["form"]).is_some_and(|form| form.as_ref() == "form");
            let Some(name) = schema.get("name").and_then(word).filter(|_| !is_form) else { continue };
            if let Some(usage) = known.usage(&name) {
                sent.push(Sent { name: name.into(), usage, value: said.clone() });
            }
        }
        sent
    }

    /// Whether a node is shown what a model says.
    pub(super) fn is_model(&self, i: usize) -> bool {
        matches!(self.is(i), Is::Model | Is::Classifier | Is::Extractor | Is::Agent)
    }

    /// Whether a node handles its own errors.
    pub(super) fn handles_errors(&self, i: usize) -> bool {
        let Some(data) = self.data(i) else { return false };
        let strategy = text_at(data, &["error_strategy"]).is_some_and(|s| s.as_ref() != "none");
        let mode = text_at(data, &["error_handle_mode"]).is_some_and(|m| m.as_ref() != "terminated");
        strategy || mode || is_on(data, &["retry_config", "retry_enabled"])
    }
}
