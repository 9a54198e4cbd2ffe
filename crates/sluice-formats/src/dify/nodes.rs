//! What each kind of node is written as.

use std::sync::Arc;

use sluice_core::document::{Data, Node as Tree};
use sluice_core::expression::Expression;
use sluice_core::label::Label;

use super::lower::{Lowering, fact};
use super::read::{Node, at, list, text_at, word};
use super::refer::one_of;
use crate::import::Kind;
use crate::wiring::place_variable;

/// Kinds of node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Is {
    Start,
    Trigger,
    End,
    Model,
    Classifier,
    Extractor,
    Agent,
    Knowledge,
    Code,
    Template,
    Http,
    Tool,
    Loop,
    Assigner,
    Aggregator,
    Document,
    List,
    Human,
    /// Decides, begins or ends a loop: puts nothing out.
    Flow,
    Unknown,
}

/// The kind of a node type.
pub(super) fn kind(node_type: &str) -> Is {
    match node_type {
        "start" => Is::Start,
        "trigger-webhook" | "trigger-plugin" | "trigger-schedule" | "datasource" => Is::Trigger,
        "end" | "answer" => Is::End,
        "llm" => Is::Model,
        "question-classifier" => Is::Classifier,
        "parameter-extractor" => Is::Extractor,
        "agent" => Is::Agent,
        "knowledge-retrieval" => Is::Knowledge,
        "code" => Is::Code,
        "template-transform" => Is::Template,
        "http-request" => Is::Http,
        "tool" => Is::Tool,
        "iteration" | "loop" => Is::Loop,
        "assigner" => Is::Assigner,
        // The old name of the aggregator.
        "variable-aggregator" | "variable-assigner" => Is::Aggregator,
        "document-extractor" => Is::Document,
        "list-operator" => Is::List,
        "human-input" => Is::Human,
        "if-else" | "iteration-start" | "loop-start" | "loop-end" => Is::Flow,
        _ => Is::Unknown,
    }
}

/// Whether a run can start at it.
pub(super) fn is_entry(node_type: &str) -> bool {
    matches!(kind(node_type), Is::Start | Is::Trigger)
}

/// The word for rules.
pub(super) const fn of_rules(is: Is) -> Kind {
    match is {
        Is::Start | Is::Trigger => Kind::Trigger,
        Is::Model | Is::Classifier | Is::Extractor => Kind::Model,
        Is::Agent => Kind::Agent,
        Is::Code => Kind::Code,
        Is::Knowledge | Is::Http | Is::Tool | Is::Unknown => Kind::Action,
        _ => Kind::Flow,
    }
}

/// The word in reports.
pub(super) const fn word_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Trigger => "trigger",
        Kind::Model => "model",
        Kind::Agent => "agent",
        Kind::Code => "code",
        Kind::Flow => "flow",
        _ => "action",
    }
}

/// The names of the variables that a loop keeps between its rounds.
pub(super) fn loop_variables(node: &Node<'_>) -> Vec<Arc<str>> {
    let of_loop = (node.node_type.as_ref() == "loop").then(|| node.data.get("loop_variables")).flatten();
    list(of_loop).iter().filter_map(|v| word(v.get("label")?)).map(Into::into).collect()
}

impl Lowering<'_, '_> {
    /// Writes a node.
    pub(super) fn body(&mut self, i: usize) {
        match self.is(i) {
            Is::Start => self.start(i),
            Is::Trigger => self.trigger(i),
            Is::End => self.answer(i),
            Is::Model => self.model(i),
            Is::Classifier => self.classifier(i),
            Is::Extractor => self.extractor(i),
            Is::Agent => self.agent(i),
            Is::Knowledge => self.knowledge(i),
            Is::Code => self.code(i),
            Is::Template => self.template_node(i),
            Is::Http => self.http(i),
            Is::Tool => self.tool(i),
            Is::Loop => self.loop_node(i),
            Is::Assigner => self.assigner(i),
            Is::Aggregator => self.aggregator(i),
            Is::Document => self.taken(i, "variable_selector", &["text"]),
            Is::List => self.taken(i, "variable", &["result", "first_record", "last_record"]),
            Is::Human => self.receive(i, Label::BOTTOM),
            Is::Flow => self.decides(i),
            Is::Unknown => self.unknown(i),
        }
    }

    /// The data of a node.
    pub(super) fn data(&self, i: usize) -> Option<&'_ Tree> {
        self.node(i).map(|node| node.data)
    }

    /// What users send. Numbers and choices among the author's own words carry no words of theirs.
    fn start(&mut self, i: usize) {
        let span = self.span(i);
        let name = self.name(i);
        let label = self.wires.origin(&name);
        self.receive(i, label);
        let sent = place_variable(self.room(i).out, span);
        let sent = self.hold("what users send", sent);
        let sys = Expression::object(vec![("query".into(), sent.clone()), ("files".into(), sent.clone())], span);
        let sys = place_variable(self.sys, span).merged(sys);
        self.wires.assign(self.sys, sys, self.wires.nowhere);
        let secret = self.wires.categories(&name, &["credential".into()].into());
        self.wires.receive(&format!("{name} (secrets)").into(), (secret, Label::BOTTOM), self.secrets, span);
        let mut fields: Vec<(Arc<str>, Expression)> = Vec::new();
        let Some(node) = self.app.nodes.get(i) else { return };
        for tree in list(node.data.get("variables")) {
            let Some(name) = tree.get("variable").and_then(word) else { continue };
            let options =
                || list(tree.get("options")).iter().map(|o| Expression::literal(&o.to_json(), span)).collect();
            let value = match text_at(tree, &["type"]).map(AsRef::as_ref) {
                Some("number" | "checkbox" | "boolean") => fact(span),
                Some("select") => one_of(options(), span),
                _ => sent.clone(),
            };
            fields.push((name.into(), value));
        }
        let is_chat = self.app.is_chat;
        if is_chat {
            // Old exports name what the system is told through the node.
            let sys = Expression::object(vec![("query".into(), sent.clone()), ("files".into(), sent.clone())], span);
            fields.extend([
                ("query".into(), sent.clone()),
                ("sys.query".into(), sent.clone()),
                ("sys.files".into(), sent),
            ]);
            fields.push(("sys".into(), sys));
        }
        self.wires.assign(self.room(i).out, Expression::object(fields, span), self.wires.nowhere);
    }

    /// A webhook, another service's event, or the clock.
    fn trigger(&mut self, i: usize) {
        let is_clock = self.node(i).is_some_and(|node| node.node_type.as_ref() == "trigger-schedule");
        let name = self.name(i);
        let label = if is_clock { Label::BOTTOM } else { self.wires.origin(&name) };
        self.receive(i, label);
    }

    /// What comes back to a node, under the label of whoever wrote it.
    pub(super) fn receive(&mut self, i: usize, origin: Label) {
        let (action, out, span) = (self.action(i), self.room(i).out, self.span(i));
        self.wires.receive(&action, (Label::BOTTOM, origin), out, span);
    }

    pub(super) fn action(&self, i: usize) -> Arc<str> {
        self.name(i)
    }

    /// What the user is answered; it goes back to whoever asked.
    fn answer(&mut self, i: usize) {
        let Some(node) = self.app.nodes.get(i) else { return };
        let span = node.span;
        if let Some(answer) = node.data.get("answer") {
            let text = self.text(i, answer);
            self.put(i, vec![("answer", text), ("files", fact(span))]);
            return;
        }
        let mut fields: Vec<(Arc<str>, Expression)> = Vec::new();
        for (name, value) in self.declared(i, node.data.get("outputs")) {
            fields.push((name.into(), value));
        }
        self.wires.assign(self.room(i).out, Expression::object(fields, span), self.wires.nowhere);
    }

    /// Reads what it decides by; which way is taken is not followed as data.
    fn decides(&mut self, i: usize) {
        if let Some(node) = self.app.nodes.get(i) {
            self.all_references(i, node.data);
        }
    }

    fn template_node(&mut self, i: usize) {
        let Some(node) = self.app.nodes.get(i) else { return };
        let Some(template) = node.data.get("template") else { return };
        let value = self.template(i, template, node.data.get("variables"));
        let output = self.hold(&format!("text of {}", node.name), value);
        self.rendered(i, template, output.clone());
        self.put(i, vec![("output", output)]);
    }

    /// Anything made from what a selector names.
    fn taken(&mut self, i: usize, selector: &str, names: &[&str]) {
        let Some(node) = self.app.nodes.get(i) else { return };
        let span = node.span;
        let value = node.data.get(selector).and_then(|selector| self.selected(i, selector));
        let made = Expression::opaque(value.into_iter().collect(), span);
        let made = self.hold(&format!("made by {}", node.name), made);
        self.put(i, names.iter().map(|name| (*name, made.clone())).collect());
    }

    fn loop_node(&mut self, i: usize) {
        let Some(node) = self.app.nodes.get(i) else { return };
        let (data, span) = (node.data, node.span);
        let items = data.get("iterator_selector").and_then(|selector| self.selected(i, selector));
        let item = Expression::opaque(items.into_iter().collect(), span);
        let item = self.hold(&format!("item of {}", node.name), item);
        self.put(i, vec![("item", item.clone()), ("index", fact(span))]);
        for variable in list(data.get("loop_variables")) {
            self.loop_variable(i, variable);
        }
        self.repeat(i);
        let mut output = Vec::new();
        output.extend(data.get("output_selector").and_then(|selector| self.selected(i, selector)));
        output.extend(
            list(data.get("outputs"))
                .iter()
                .filter_map(|o| o.get("value_selector"))
                .filter_map(|s| self.selected(i, s)),
        );
        let output = Expression::opaque(output, span);
        self.put(i, vec![("item", item), ("index", fact(span)), ("output", output)]);
    }

    /// What a variable of a loop is before its first round.
    fn loop_variable(&mut self, i: usize, tree: &Tree) {
        let (Some(node), Some(name)) = (self.app.nodes.get(i), tree.get("label").and_then(word)) else { return };
        let Some(place) = self.variables.get(&(node.id.clone(), name.as_str().into())).copied() else { return };
        let span = node.span;
        let value = match (text_at(tree, &["value_type"]).map(AsRef::as_ref), tree.get("value")) {
            (Some("variable"), Some(selector)) => self.selected(i, selector),
            (_, Some(value)) => Some(self.text(i, value)),
            _ => None,
        };
        self.wires.assign(place, value.unwrap_or_else(|| fact(span)), self.wires.nowhere);
    }

    /// Writes to variables of the conversation or of a loop, in the layout of either version.
    fn assigner(&mut self, i: usize) {
        let Some(node) = self.app.nodes.get(i) else { return };
        let data = node.data;
        if let Some(target) = data.get("assigned_variable_selector") {
            let value = data.get("input_variable_selector").and_then(|selector| self.selected(i, selector));
            self.write_to(i, target, value);
        }
        for item in list(data.get("items")) {
            let Some(target) = item.get("variable_selector") else { continue };
            let value = match (text_at(item, &["input_type"]).map(AsRef::as_ref), item.get("value")) {
                (Some("variable"), Some(value)) if matches!(value.value, Data::List(_)) => self.selected(i, value),
                (_, Some(value)) => Some(self.text(i, value)),
                _ => None,
            };
            self.write_to(i, target, value);
        }
    }

    /// It may overwrite, append or clear: afterwards the variable is what it was, what was written, or made of both.
    fn write_to(&mut self, i: usize, target: &Tree, value: Option<Expression>) {
        let span = target.span;
        let words: Vec<String> = list(Some(target)).iter().filter_map(word).collect();
        let [root, name, ..] = words.as_slice() else { return };
        let key = (root.as_str().into(), name.as_str().into());
        let Some(place) = self.variables.get(&key).copied() else {
            let name = format!("{root}.{name}");
            self.observe(i, crate::import::Observed::DanglingReference { name }, None, span);
            return;
        };
        let Some(value) = value else { return };
        let old = place_variable(place, span);
        let both = Expression::opaque(vec![old.clone(), value.clone()], span);
        let is_over = self.data(i).is_some_and(is_overwriting);
        let alternatives = if is_over { vec![old, value] } else { vec![both] };
        self.wires.assign(place, one_of(alternatives, span), self.wires.nowhere);
    }

    /// The one of its variables that a branch has filled.
    fn aggregator(&mut self, i: usize) {
        let Some(node) = self.app.nodes.get(i) else { return };
        let (data, span) = (node.data, node.span);
        let output = self.any_of(i, data.get("variables"));
        let mut fields = vec![("output".into(), output)];
        for group in list(at(data, &["advanced_settings", "groups"])) {
            let Some(name) = group.get("group_name").and_then(word) else { continue };
            let value = self.any_of(i, group.get("variables"));
            fields.push((name.into(), Expression::object(vec![("output".into(), value)], span)));
        }
        self.wires.copies();
        self.wires.assign(self.room(i).out, Expression::object(fields, span), self.wires.nowhere);
    }

    fn any_of(&mut self, i: usize, selectors: Option<&Tree>) -> Expression {
        let values = list(selectors).iter().filter_map(|selector| self.selected(i, selector)).collect();
        one_of(values, self.span(i))
    }
}

/// Whether every item of an assigner replaces what was there.
fn is_overwriting(data: &Tree) -> bool {
    let old = text_at(data, &["write_mode"]).is_none_or(|mode| matches!(mode.as_ref(), "over-write" | "clear"));
    let replaces = |item: &Tree| {
        text_at(item, &["operation"]).is_none_or(|o| matches!(o.as_ref(), "over-write" | "clear" | "set"))
    };
    old && list(data.get("items")).iter().all(replaces)
}
