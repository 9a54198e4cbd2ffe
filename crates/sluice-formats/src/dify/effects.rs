//! Calls: HTTP, tools, programs.

use sluice_core::catalogue::Usage;
use sluice_core::document::{Data, Node as Tree};
use sluice_core::expression::Expression;
use sluice_core::gate::Effect;
use sluice_core::label::Label;

use super::lower::{Lowering, fact};
use super::nodes::Is;
use super::read::{at, list, text_at, word};
use super::refer::refers;
use super::tools::{self, Known};
use crate::import::{Observed, Source, Tier};
use crate::wiring::{Does, Sent, place_variable};

/// Words of a program that evaluates text as a program.
const EVALUATES: [&str; 4] = ["eval(", "exec(", "new Function(", "__import__("];
/// Words of a program that starts commands.
const COMMANDS: [&str; 5] = ["os.system(", "subprocess.", "os.popen(", "child_process", "pty.spawn("];
/// Words of a program that calls hosts.
const CALLS: [&str; 7] = ["requests.", "httpx.", "urllib", "aiohttp", "fetch(", "axios", "smtplib"];

pub(super) const READS: Does = Does { effect: Effect::Read, privileged: false };

/// What a program shows of what it does.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Program {
    pub(super) evaluates: bool,
    pub(super) commands: bool,
    pub(super) calls: bool,
}

impl Program {
    pub(super) fn of(code: &str) -> Self {
        let any = |words: &[&str]| words.iter().any(|word| names(code, word));
        Self { evaluates: any(&EVALUATES), commands: any(&COMMANDS), calls: any(&CALLS) }
    }
}

/// Whether a program has the word, not as the end of another name.
fn names(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code.get(..at).and_then(|s| s.chars().next_back());
        before.is_none_or(|c| !(c.is_alphanumeric() || matches!(c, '_' | '.')))
    })
}

impl Lowering<'_, '_> {
    /// Writes the call of a node.
    pub(super) fn call(&mut self, i: usize, does: Does, sent: Vec<Sent>) {
        let (action, span) = (self.action(i), self.span(i));
        let nowhere = self.wires.nowhere;
        self.wires.call(&action, does, sent, nowhere, span);
    }

    /// A program: each of its outputs is anything made from its inputs, but numbers and truth values carry no words.
    pub(super) fn code(&mut self, i: usize) {
        let Some(node) = self.app.nodes.get(i) else { return };
        let (data, span) = (node.data, node.span);
        let inputs = self.declared(i, data.get("variables")).into_iter().map(|(_, value)| value).collect();
        let made = self.hold(&format!("made by {}", node.name), Expression::opaque(inputs, span));
        self.wires.opaque += 1;
        let program = Program::of(text_at(data, &["code"]).map_or("", AsRef::as_ref));
        let mut sent = Vec::new();
        let mut send = |is: bool, name: &str, usage: Usage| {
            if is {
                sent.push(Sent { name: name.into(), usage, value: made.clone() });
            }
        };
        send(program.evaluates, "evaluated", Usage::Code);
        send(program.commands, "command", Usage::Command);
        send(program.calls, "inputs", Usage::Payload);
        self.call(i, READS, sent);
        let mut fields = Vec::new();
        if let Some(Data::Map(outputs)) = data.get("outputs").map(|o| &o.value) {
            for output in outputs {
                let kind = text_at(&output.value, &["type"]).map(AsRef::as_ref);
                let is_plain = matches!(kind, Some("number" | "boolean" | "array[number]" | "array[boolean]"));
                fields.push((output.key.as_ref(), if is_plain { fact(span) } else { made.clone() }));
            }
        }
        self.put(i, fields);
    }

    /// A template that writes HTML renders what it is given.
    pub(super) fn rendered(&mut self, i: usize, template: &Tree, output: Expression) {
        let is_html = template.as_text().is_some_and(|text| has_tag(text));
        let sent = is_html.then(|| Sent { name: "template".into(), usage: Usage::Html, value: output });
        self.call(i, READS, sent.into_iter().collect());
    }

    /// An HTTP request.
    pub(super) fn http(&mut self, i: usize) {
        let Some(node) = self.app.nodes.get(i) else { return };
        let (data, span) = (node.data, node.span);
        let mut sent = Vec::new();
        let url = data.get("url").map(|url| self.text(i, url));
        if let Some(value) = url.clone() {
            sent.push(Sent { name: "url".into(), usage: Usage::Url, value });
        }
        for name in ["params", "headers"] {
            if let Some(tree) = data.get(name) {
                let value = Expression::opaque(self.all_references(i, tree), span);
                sent.push(Sent { name: name.into(), usage: Usage::Payload, value });
            }
        }
        self.send_body(i, data, &mut sent);
        let does = Does { effect: method_effect(data), privileged: false };
        self.call(i, does, sent);
        let name = self.name(i);
        let is_open = fetches(data);
        let origin = if is_open { self.wires.origin(&name) } else { Label::BOTTOM };
        self.receive(i, origin);
        let mut came = vec![place_variable(self.room(i).out, span)];
        // Whoever chooses the host writes the reply.
        came.extend(url.filter(|_| is_open));
        let came = self.hold(&format!("reply to {name}"), Expression::opaque(came, span));
        let fields =
            vec![("status_code", fact(span)), ("body", came.clone()), ("headers", came.clone()), ("files", came)];
        self.put(i, fields);
    }

    fn send_body(&mut self, i: usize, data: &Tree, sent: &mut Vec<Sent>) {
        let Some(body) = at(data, &["body", "data"]) else { return };
        let is_document = text_at(data, &["body", "type"]).is_some_and(|t| t.as_ref() == "json");
        let mut texts: Vec<&Tree> = list(Some(body)).iter().filter_map(|item| item.get("value")).collect();
        texts.extend(body.as_text().map(|_| body));
        for (n, text) in texts.into_iter().enumerate() {
            // A reference alone is the whole document, and not pasted into one.
            let pasted = text.as_text().is_some_and(|t| refers(t) && !is_reference(t));
            let value = self.text(i, text);
            let name = if n == 0 { "body".to_owned() } else { format!("body {n}") };
            if is_document && pasted {
                let value = value.clone();
                sent.push(Sent { name: format!("{name} (as text)").into(), usage: Usage::Document, value });
            }
            sent.push(Sent { name: name.into(), usage: Usage::Payload, value });
        }
    }

    /// A tool.
    pub(super) fn tool(&mut self, i: usize) {
        let Some(node) = self.app.nodes.get(i) else { return };
        let (data, span) = (node.data, node.span);
        let known = tool_of(data);
        let mut sent = Vec::new();
        for key in ["tool_parameters", "tool_configurations"] {
            let Some(Data::Map(entries)) = data.get(key).map(|p| &p.value) else { continue };
            for entry in entries {
                let Some(usage) = known.usage(&entry.key) else { continue };
                let value = self.argument(i, &entry.value);
                sent.push(Sent { name: entry.key.clone(), usage, value });
            }
        }
        self.call(i, Does { effect: known.effect, privileged: known.privileged }, sent);
        if is_workflow(data) {
            self.observe(i, Observed::UnresolvedSubWorkflow, None, span);
        }
        self.come_back(i, &known);
        let came = place_variable(self.room(i).out, span);
        let came = self.hold(&format!("reply of {}", node.name), Expression::opaque(vec![came], span));
        self.put(i, vec![("text", came.clone()), ("json", came.clone()), ("files", came)]);
    }

    /// What a tool answers: its own word, or that of outsiders.
    pub(super) fn come_back(&mut self, i: usize, known: &Known) {
        let name = self.name(i);
        let classes = known.labels.iter().cloned().collect();
        let categories = self.wires.categories(&name, &classes);
        let origin = if known.source.is_some() { self.wires.origin(&name) } else { Label::BOTTOM };
        let (action, out, span) = (self.action(i), self.room(i).out, self.span(i));
        self.wires.receive(&action, (categories, origin), out, span);
    }

    /// `{type: mixed | constant | variable, value}`, or the value itself.
    fn argument(&mut self, i: usize, tree: &Tree) -> Expression {
        let value = tree.get("value").filter(|_| tree.get("type").is_some()).unwrap_or(tree);
        match &value.value {
            Data::List(_) => match self.selected(i, value) {
                Some(selected) if text_at(tree, &["type"]).is_some_and(|t| t.as_ref() == "variable") => selected,
                _ => Expression::opaque(self.all_references(i, value), value.span),
            },
            Data::Map(_) => Expression::opaque(self.all_references(i, value), value.span),
            _ => self.text(i, value),
        }
    }

    /// What is found in the author's own documents.
    pub(super) fn knowledge(&mut self, i: usize) {
        let Some(node) = self.app.nodes.get(i) else { return };
        let (data, span) = (node.data, node.span);
        let query = data.get("query_variable_selector").and_then(|selector| self.selected(i, selector));
        let sent = query.map(|value| Sent { name: "query".into(), usage: Usage::Payload, value });
        self.call(i, READS, sent.into_iter().collect());
        self.receive(i, Label::BOTTOM);
        let found = place_variable(self.room(i).out, span);
        let found = self.hold(&format!("found by {}", node.name), found);
        self.put(i, vec![("result", found)]);
    }

    /// A node of a kind that is not known: anything made from all that it names.
    pub(super) fn unknown(&mut self, i: usize) {
        let Some(node) = self.app.nodes.get(i) else { return };
        let (data, span) = (node.data, node.span);
        let named = Expression::opaque(self.all_references(i, data), span);
        let sent = vec![Sent { name: "inputs".into(), usage: Usage::Payload, value: named.clone() }];
        self.call(i, READS, sent);
        let nowhere = self.wires.nowhere;
        self.wires.assign(self.room(i).out, named, nowhere);
    }

    /// Whose words a node brings in.
    pub(super) fn source(&self, i: usize) -> Option<Source> {
        let data = self.data(i)?;
        let source = |kind: &str, tier: Tier| Some(Source { kind: kind.into(), tier });
        match self.is(i) {
            Is::Start if self.app.is_chat => source("chat", Tier::Direct),
            Is::Start => source("form", Tier::Direct),
            Is::Trigger => match self.node(i).map(|n| n.node_type.as_ref()) {
                Some("trigger-webhook") => source("webhook", Tier::Direct),
                Some("trigger-plugin") => source("saas", Tier::Indirect),
                Some("datasource") => source("shared_document", Tier::Internal),
                _ => None,
            },
            Is::Http if fetches(data) => source("web_content", Tier::Indirect),
            Is::Tool => tool_of(data).source,
            _ => None,
        }
    }
}

/// What is known of the tool of a node.
pub(super) fn tool_of(data: &Tree) -> Known {
    let named = |keys: &[&str]| keys.iter().find_map(|key| data.get(key).and_then(word)).unwrap_or_default();
    tools::look_up(&named(&["provider_name", "provider_id"]), &named(&["tool_name", "tool_label"]))
}

/// Whether a tool is another workflow.
pub(super) fn is_workflow(data: &Tree) -> bool {
    text_at(data, &["provider_type"]).is_some_and(|t| t.as_ref() == "workflow")
}

/// Whether a request goes to a host that its text does not name.
pub(super) fn fetches(data: &Tree) -> bool {
    let Some(url) = text_at(data, &["url"]) else { return false };
    let head = url.split("{{#").next().unwrap_or_default();
    let is_whole = head.len() == url.len();
    let host = head.split_once("://").is_some_and(|(_, rest)| is_whole || rest.contains(['/', '?', '#']));
    refers(url) && !host
}

pub(super) fn method_effect(data: &Tree) -> Effect {
    let method = text_at(data, &["method"]).map(|m| m.to_lowercase()).unwrap_or_default();
    if matches!(method.as_str(), "post" | "put" | "patch" | "delete") { Effect::Write } else { Effect::Read }
}

pub(super) fn is_reference(text: &str) -> bool {
    let text = text.trim();
    text.starts_with("{{#") && text.find("#}}").is_some_and(|end| end + 3 == text.len())
}

/// `<` and the name of an element.
pub(super) fn has_tag(text: &str) -> bool {
    const TAGS: [&str; 12] = ["a", "b", "body", "br", "div", "form", "html", "img", "p", "script", "span", "table"];
    text.split('<').skip(1).any(|after| {
        let name = after.trim_start_matches('/').split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        TAGS.contains(&name.to_ascii_lowercase().as_str())
    })
}
