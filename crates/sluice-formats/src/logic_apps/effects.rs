//! What triggers and actions send, and what comes back.

use sluice_core::catalogue::Usage;
use sluice_core::document::{Data, Node as Tree};
use sluice_core::expression::Expression;
use sluice_core::label::Label;
use sluice_core::program::PlaceId;

use super::expression::{Reading, is_expression};
use super::lower::Lowering;
use super::read::Action;
use crate::wiring::{Does, Sent, place_variable};

/// Deepest nesting of inputs that is looked at; the reader's own bound is larger.
const DEPTH_MAX: usize = 60;

/// Most bytes times names that are searched in a program.
const SEARCHED_BYTES_MAX: usize = 4 << 20;

/// One scalar of the inputs.
pub(super) struct Leaf<'t> {
    /// `body.message.to`, `parameters.emailMessage/To`.
    pub(super) path: String,
    pub(super) tree: &'t Tree,
}

/// Every scalar of an action's inputs.
pub(super) fn leaves<'t>(action: &Action<'t>) -> Vec<Leaf<'t>> {
    let mut found = Vec::new();
    if let Some(inputs) = action.inputs() {
        collect(inputs, String::new(), 0, &mut found);
    }
    found
}

fn collect<'t>(tree: &'t Tree, path: String, depth: usize, found: &mut Vec<Leaf<'t>>) {
    match &tree.value {
        _ if depth > DEPTH_MAX => {}
        Data::Map(entries) => {
            for entry in entries {
                let path = if path.is_empty() { entry.key.to_string() } else { format!("{path}.{}", entry.key) };
                collect(&entry.value, path, depth + 1, found);
            }
        }
        Data::List(items) => {
            for (i, item) in items.iter().enumerate() {
                collect(item, format!("{path}[{i}]"), depth + 1, found);
            }
        }
        _ => found.push(Leaf { path, tree }),
    }
}

/// What says how a call is made, not what it carries.
pub(super) fn is_plumbing(path: &str) -> bool {
    let first = path.split(['.', '[']).next().unwrap_or_default();
    matches!(first, "host" | "authentication" | "serviceProviderConfiguration" | "schema" | "retryPolicy" | "method")
}

/// Whether a URL's host is written in the text itself.
pub(super) fn has_fixed_host(text: &str) -> bool {
    let head = text.split('@').next().unwrap_or_default();
    let whole = !is_expression(text);
    head.split_once("://").is_some_and(|(_, rest)| whole || rest.contains(['/', '?', '#']))
}

impl<'t> Lowering<'t> {
    pub(super) fn trigger(&mut self, action: &'t Action<'t>) {
        let Some(room) = self.room(action) else { return };
        self.wires.code.step = room.step;
        let (outputs, body) = self.trigger;
        let sent = self.sent(action);
        self.call(action, sent);
        self.receive(action, body);
        let whole = self.outputs_with(body, action);
        self.set(outputs, whole);
    }

    /// An action that calls a service.
    pub(super) fn effect(&mut self, action: &'t Action<'t>) {
        let Some((out, body, made_from_sent)) =
            self.room(action).map(|r| (r.out, r.body, r.found.reply.made_from_sent))
        else {
            return;
        };
        let span = action.span;
        let sent = self.sent(action);
        let fetches = self.fetches(action);
        let is_made_of = |s: &&Sent| made_from_sent || (fetches && s.usage == Usage::Url);
        let values: Vec<Expression> = sent.iter().filter(is_made_of).map(|s| s.value.clone()).collect();
        self.call(action, sent);
        self.receive(action, body);
        if !values.is_empty() {
            let made = Expression::opaque(values, span);
            let came = vec![place_variable(body, span), made];
            let value = if made_from_sent { Expression::opaque(came, span) } else { Expression::one_of(came, span) };
            self.set(body, value);
        }
        let whole = self.outputs_with(body, action);
        self.set(out, whole);
    }

    /// `{body, headers, …}` of a reply.
    fn outputs_with(&self, body: PlaceId, action: &Action<'_>) -> Expression {
        let span = action.span;
        let word = || place_variable(body, span);
        let rest = || Expression::opaque(vec![word()], span);
        let names = ["headers", "queries", "statusCode", "relativePathParameters"];
        let rest = names.into_iter().map(|name| (name.into(), rest()));
        Expression::object(std::iter::once(("body".into(), word())).chain(rest).collect(), span)
    }

    /// Whether it reads whatever lies at a URL that its text does not name.
    pub(super) fn fetches(&self, action: &Action<'_>) -> bool {
        action.kind == "http" && action.text(&["inputs", "uri"]).is_some_and(|uri| !has_fixed_host(uri))
    }

    /// Everything that an action sends, by parameter.
    fn sent(&mut self, action: &'t Action<'t>) -> Vec<Sent> {
        let Some(found) = self.room(action).map(|room| room.found.clone()) else { return Vec::new() };
        let span = action.span;
        let mut sent = Vec::new();
        for leaf in leaves(action).into_iter().filter(|leaf| !is_plumbing(&leaf.path)) {
            let Some(text) = leaf.tree.as_text().filter(|text| is_expression(text)) else { continue };
            let whole = self.read(text, Reading::Whole, leaf.tree.span);
            let name = if leaf.path.is_empty() { "inputs".to_owned() } else { leaf.path };
            let is_path = name == "path" && action.kind.starts_with("apiconnection");
            let usage = if is_path { Some(Usage::Path) } else { found.usage(&name) };
            let Some(usage) = usage else { continue };
            if carries_as_it_is(usage) {
                sent.push(Sent { name: name.into(), usage, value: whole });
                continue;
            }
            let injected = self.read(text, Reading::Injectable, leaf.tree.span);
            sent.push(Sent { name: format!("{name} (as text)").into(), usage, value: injected });
            // Encoded or not, it chooses what is opened.
            let usage = if is_path { Usage::Object } else { Usage::Payload };
            sent.push(Sent { name: name.into(), usage, value: whole });
        }
        if let Some(words) = self.words.last().copied().filter(|_| found.changes()) {
            sent.push(Sent { name: "agent".into(), usage: Usage::Agent, value: place_variable(words, span) });
        }
        if found.is_powerful() {
            let event = Expression::opaque(vec![place_variable(self.trigger.1, span)], span);
            sent.push(Sent { name: "trigger".into(), usage: Usage::Trigger, value: event });
        }
        sent
    }

    fn call(&mut self, action: &Action<'_>, sent: Vec<Sent>) {
        let Some(room) = self.room(action) else { return };
        let found = &room.found;
        let does = Does { effect: found.effect, privileged: found.privileged || found.effect.is_privileged() };
        let (name, nowhere) = (room.name.clone(), self.wires.nowhere);
        self.wires.call(&name, does, sent, nowhere, action.span);
    }

    /// What comes back: the service's own word, or that of whoever the facts name.
    fn receive(&mut self, action: &Action<'_>, place: PlaceId) {
        let Some((step, name)) = self.room(action).map(|room| (room.step, room.name.clone())) else { return };
        let told = self.wires.steps.get(&step).map(|f| (f.source.is_some(), f.categories.clone()));
        let (has_source, classes) = told.unwrap_or_default();
        let categories = self.wires.categories(&name, &classes);
        let origin = if has_source { self.wires.origin(&name) } else { Label::BOTTOM };
        self.wires.receive(&name, (categories, origin), place, action.span);
        let span = action.span;
        let both = vec![place_variable(self.seen, span), place_variable(place, span)];
        self.set(self.seen, Expression::opaque(both, span));
    }

    // Actions that call nobody.

    pub(super) fn compose(&mut self, action: &Action<'_>) {
        let Some((out, body)) = self.room(action).map(|r| (r.out, r.body)) else { return };
        let Some(inputs) = action.inputs() else { return };
        let value = self.template(inputs, Reading::Whole);
        self.set(out, value);
        self.set(body, place_variable(out, action.span));
    }

    /// Its result is anything made from its inputs.
    pub(super) fn reshape(&mut self, action: &Action<'_>) {
        let mut parts = Vec::new();
        for leaf in leaves(action) {
            if let Some(text) = leaf.tree.as_text().filter(|t| is_expression(t) && !is_plumbing(&leaf.path)) {
                parts.push(self.read(text, Reading::Whole, leaf.tree.span));
            }
        }
        self.give(action, parts);
    }

    /// Each item of a list, as a template makes it.
    pub(super) fn select(&mut self, action: &Action<'_>) {
        let Some(item) = self.room(action).map(|room| room.own) else { return };
        let Some(inputs) = action.inputs() else { return };
        let span = action.span;
        let from = match inputs.get("from") {
            Some(from) => self.template(from, Reading::Whole),
            None => Expression::opaque(Vec::new(), span),
        };
        self.set(item, Expression::opaque(vec![from], span));
        self.items.push(item);
        let made = inputs.get("select").map(|select| self.template(select, Reading::Whole));
        self.items.pop();
        self.give(action, made.into_iter().collect());
    }

    fn give(&mut self, action: &Action<'_>, parts: Vec<Expression>) {
        let Some((out, body)) = self.room(action).map(|r| (r.out, r.body)) else { return };
        self.set(body, Expression::opaque(parts, action.span));
        let whole = self.outputs_with(body, action);
        self.set(out, whole);
    }

    /// A program: anything made from the actions that its text names, and the trigger if it names that.
    pub(super) fn code(&mut self, action: &'t Action<'t>) {
        let span = action.span;
        let texts: Vec<String> =
            leaves(action).iter().filter_map(|l| l.tree.as_text().map(|t| t.to_lowercase())).collect();
        let mut parts = Vec::new();
        // Searching for every name is work for each of them: a huge program may read all.
        let length: usize = texts.iter().map(String::len).sum();
        let is_huge = length.saturating_mul(self.rooms.len()) > SEARCHED_BYTES_MAX;
        if is_huge {
            parts.push(place_variable(self.seen, span));
        }
        for room in self.rooms.iter().filter(|_| !is_huge) {
            let name = room.name.to_lowercase();
            let written = [name.replace(' ', "_"), name];
            if texts.iter().any(|text| written.iter().any(|name| text.contains(name.as_str()))) {
                parts.push(place_variable(room.out, span));
            }
        }
        if texts.iter().any(|text| text.contains("trigger")) {
            parts.push(place_variable(self.trigger.0, span));
        }
        let sent = self.sent(action);
        parts.extend(sent.iter().map(|s| s.value.clone()));
        self.call(action, sent);
        self.give(action, parts);
    }

    /// A model that may call its tools, in any order, any number of times, with its own words.
    pub(super) fn agent(&mut self, action: &'t Action<'t>, skips: bool) {
        let Some((step, words, body, out)) = self.room(action).map(|r| (r.step, r.own, r.body, r.out)) else { return };
        let span = action.span;
        let sent = self.sent(action);
        let prompt: Vec<Expression> = sent.iter().map(|s| s.value.clone()).collect();
        self.set(words, Expression::opaque(prompt, span));
        let (head, done) = (self.wires.code.label(), self.wires.code.label());
        self.wires.code.bind(head);
        let starts: Vec<_> = action.blocks.iter().map(|_| self.wires.code.label()).collect();
        self.wires.fork(&starts, done, span);
        self.words.push(words);
        let was_alone = std::mem::replace(&mut self.is_alone, false);
        for (tool, start) in action.blocks.iter().zip(starts) {
            self.wires.code.bind(start);
            self.block(tool, skips);
            self.wires.code.step = step;
            let outs = tool.iter().filter_map(|a| self.room(a)).map(|room| place_variable(room.out, span));
            let heard = std::iter::once(place_variable(words, span)).chain(outs).collect();
            self.set(words, Expression::opaque(heard, span));
            self.wires.code.goto(head);
        }
        self.is_alone = was_alone;
        self.words.pop();
        self.wires.code.bind(done);
        self.wires.code.step = step;
        let mut said = sent;
        said.push(Sent { name: "words".into(), usage: Usage::Prompt, value: place_variable(words, span) });
        self.call(action, said);
        self.set(body, Expression::opaque(vec![place_variable(words, span)], span));
        let whole = self.outputs_with(body, action);
        self.set(out, whole);
    }
}

/// Whether an encoding on the way changes nothing about what a parameter does.
const fn carries_as_it_is(usage: Usage) -> bool {
    matches!(
        usage,
        Usage::Payload
            | Usage::Prompt
            | Usage::Recipient
            | Usage::Agent
            | Usage::Object
            | Usage::Resource
            | Usage::Amount
    )
}
