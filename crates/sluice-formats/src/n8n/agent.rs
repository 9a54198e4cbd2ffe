//! Models and agents, and the parts that hang on them: tools, memory, stores.
//!
//! An agent's *words* are anything made from its prompt, its memory, the documents that it retrieves and the replies of
//! the tools that it has called; its tools are called with its words, in any order, any number of times.

use std::sync::Arc;

use sluice_core::catalogue::{ReplyRule, Usage};
use sluice_core::expression::Expression;
use sluice_core::program::PlaceId;

use super::lower::{Lowering, Sight};
use super::parameters::{is_expression, text_at};
use crate::import::{Kind, Observed};
use crate::wiring::{Sent, place_variable};

/// Deepest nesting of agents in agents.
const AGENTS_DEEP_MAX: usize = 8;

impl Lowering<'_, '_> {
    /// A model or an agent: its prompt, its tools, what it says.
    pub(super) fn model(&mut self, i: usize, sight: Sight) {
        let span = self.span(i);
        let words = self.wires.code.place(format!("words of {}", self.name(i)));
        let mut prompt = self.prompt(i, sight);
        prompt.extend(self.retrieved(i, sight));
        self.assign(words, Expression::opaque(prompt, span), sight);
        self.inside.push(i);
        self.tools(i, words, sight);
        self.inside.pop();
        self.remember(i, words, sight);
        let said = place_variable(words, span);
        let usage = if self.only_writes_down(i) { Usage::Payload } else { Usage::Prompt };
        let mut sent = vec![Sent { name: "prompt".into(), usage, value: said.clone() }];
        sent.extend(self.sent(i, sight).into_iter().filter(|s| !matches!(s.usage, Usage::Prompt | Usage::Payload)));
        self.call(i, sent, sight);
        let out = self.room(i).out;
        let said = Expression::opaque(vec![said], span);
        let from = self.known(i).map_or(ReplyRule::Replace, |known| known.output);
        let value = match from {
            // It only says by which port its item goes on.
            ReplyRule::Echo => Expression::input(span),
            ReplyRule::Merge => Expression::input(span).merged(Expression::one_of(vec![said], span)),
            ReplyRule::Replace => said,
        };
        self.assign(out, value, sight);
    }

    /// What stands in the prompt: every text that is evaluated, and the item itself where no text is given.
    fn prompt(&mut self, i: usize, sight: Sight) -> Vec<Expression> {
        let mut parts = Vec::new();
        let mut is_said = false;
        for leaf in self.leaves_of(i).iter() {
            let Some(text) = leaf.text() else { continue };
            let usage = self.usage(i, leaf);
            is_said |= usage == Some(Usage::Prompt) && is_main(leaf.key());
            // A picture or a document of the item is asked about.
            if matches!((leaf.key(), text.as_ref()), ("messageType", "imageBinary") | ("inputType", "binary")) {
                parts.push(Expression::opaque(vec![Expression::input(self.span(i))], self.span(i)));
            }
            if is_expression(text) && usage.is_some() {
                parts.push(self.translate(i, leaf.tree, false, sight).expression);
            }
        }
        let automatic = text_at(self.parameters(i), "promptType").is_none_or(|p| p != "define");
        if automatic && !is_said {
            parts.push(Expression::opaque(vec![Expression::input(self.span(i))], self.span(i)));
        }
        let parsers = self.graph.parts_of(i, "ai_outputParser").to_vec();
        for part in parsers.into_iter().chain(self.graph.parts_of(i, "ai_document").to_vec()) {
            parts.extend(self.expressions(part, sight));
        }
        parts
    }

    /// What memory and stores bring in.
    fn retrieved(&mut self, i: usize, sight: Sight) -> Vec<Expression> {
        let span = self.span(i);
        let mut parts = Vec::new();
        for kind in ["ai_memory", "ai_vectorStore", "ai_retriever"] {
            for part in self.graph.parts_of(i, kind).to_vec() {
                if self.is_off(part) {
                    continue;
                }
                self.tell(part, true);
                parts.extend(self.expressions(part, sight));
                let place = if kind == "ai_memory" { self.memory(part) } else { self.store(part) };
                parts.push(place_variable(place, span));
                if kind == "ai_retriever" {
                    parts.extend(self.retrieved(part, sight));
                }
            }
        }
        parts
    }

    /// A conversation is kept for the next run.
    fn remember(&mut self, i: usize, words: PlaceId, sight: Sight) {
        let span = self.span(i);
        for part in self.graph.parts_of(i, "ai_memory").to_vec() {
            let place = self.memory(part);
            let both = Expression::opaque(vec![place_variable(place, span), place_variable(words, span)], span);
            self.assign(place, both, sight);
        }
    }

    /// An entrance that offers tools: whoever calls it is the agent, and chooses what the tools are given.
    pub(super) fn offered(&mut self, i: usize, sight: Sight) {
        if self.graph.parts_of(i, "ai_tool").is_empty() {
            return;
        }
        let span = self.span(i);
        let words = self.wires.code.place(format!("words of {}", self.name(i)));
        let asked = Expression::opaque(vec![place_variable(self.room(i).out, span)], span);
        self.assign(words, asked, sight);
        self.inside.push(i);
        self.tools(i, words, sight);
        self.inside.pop();
    }

    /// Any tool may be called, again and again; what comes back is read too.
    fn tools(&mut self, i: usize, words: PlaceId, sight: Sight) {
        let span = self.span(i);
        let tools: Vec<usize> =
            self.graph.parts_of(i, "ai_tool").iter().copied().filter(|t| !self.is_off(*t)).collect();
        if tools.is_empty() {
            return;
        }
        let (head, done) = (self.wires.code.label(), self.wires.code.label());
        self.wires.code.bind(head);
        let starts: Vec<_> = tools.iter().map(|_| self.wires.code.label()).collect();
        self.wires.fork(&starts, done, span);
        for (tool, start) in tools.into_iter().zip(starts) {
            self.wires.code.bind(start);
            let own = self.room(tool).step;
            let step = std::mem::replace(&mut self.wires.code.step, own);
            self.tool(tool, Sight { item: sight.item, words: Some(words) });
            self.wires.code.step = step;
            let heard = place_variable(self.room(tool).out, span);
            let both = Expression::opaque(vec![place_variable(words, span), heard], span);
            self.assign(words, both, sight);
            self.wires.code.goto(head);
        }
        self.wires.code.bind(done);
    }

    fn tool(&mut self, i: usize, sight: Sight) {
        if self.inside.contains(&i) || self.inside.len() > AGENTS_DEEP_MAX {
            return;
        }
        self.tell(i, true);
        match self.kind(i) {
            _ if self.is_store(i) => self.store_tool(i, sight),
            Kind::Agent | Kind::Model => self.model(i, sight),
            Kind::SubWorkflow => self.sub_workflow(i, sight),
            Kind::Code => self.code_node(i, sight),
            _ => self.effect(i, sight),
        }
    }

    /// A store as a tool: what is in it comes back.
    fn store_tool(&mut self, i: usize, sight: Sight) {
        let span = self.span(i);
        let mut parts = vec![place_variable(self.store(i), span)];
        parts.extend(self.retrieved(i, sight));
        let out = self.room(i).out;
        self.assign(out, Expression::opaque(parts, span), sight);
    }

    /// A store in the way of items: documents go in, or come out.
    pub(super) fn part(&mut self, i: usize, sight: Sight) {
        let span = self.span(i);
        let out = self.room(i).out;
        if !self.is_store(i) {
            self.reshape(i, sight);
            return;
        }
        let place = self.store(i);
        let mode = text_at(self.parameters(i), "mode").unwrap_or_else(|| self.default_mode(i));
        if mode.starts_with("insert") || mode.starts_with("update") || mode.starts_with("upsert") {
            let documents = self.documents(i, sight);
            let written = Expression::opaque(documents, span);
            let sent = vec![Sent { name: "documents".into(), usage: Usage::Payload, value: written.clone() }];
            self.call(i, sent, sight);
            let both = Expression::opaque(vec![place_variable(place, span), written], span);
            self.assign(place, both, sight);
            self.assign(out, Expression::input(span), sight);
            return;
        }
        let sent = self.sent(i, sight);
        self.call(i, sent, sight);
        self.assign(out, Expression::opaque(vec![place_variable(place, span)], span), sight);
    }

    /// What a store is given: by its loader, from the item.
    fn documents(&mut self, i: usize, sight: Sight) -> Vec<Expression> {
        let span = self.span(i);
        let mut parts = self.expressions(i, sight);
        let loaders = self.graph.parts_of(i, "ai_document").to_vec();
        let mut is_chosen = false;
        for loader in loaders {
            self.tell(loader, true);
            let chosen = self.expressions(loader, sight);
            is_chosen |= text_at(self.parameters(loader), "jsonMode").is_some_and(|m| m == "expressionData");
            parts.extend(chosen);
        }
        if !is_chosen {
            parts.push(Expression::input(span));
        }
        parts
    }

    /// The place of what a store holds; stores of one type and one name are one.
    pub(super) fn store(&mut self, i: usize) -> PlaceId {
        let named = |key: &str| {
            let key = key.to_lowercase();
            ["index", "collection", "table", "memorykey", "namespace", "database"].iter().any(|w| key.contains(w))
        };
        let mut key = self.store_type(i);
        for leaf in self.leaves_of(i).iter() {
            if leaf.segments().into_iter().any(named)
                && let Some(text) = leaf.text()
                && !matches!(leaf.key(), "mode" | "cachedResultName" | "__rl")
            {
                key.push('|');
                key.push_str(text);
            }
        }
        self.kept(key)
    }

    fn memory(&mut self, i: usize) -> PlaceId {
        self.kept(format!("memory {i}"))
    }

    fn kept(&mut self, key: String) -> PlaceId {
        if let Some(place) = self.stores.get(&key) {
            return *place;
        }
        let place = self.wires.code.place(Arc::<str>::from(key.as_str()));
        self.stores.insert(key, place);
        place
    }

    /// Another workflow: this one, where it calls itself, or one that is at hand; else nobody knows what.
    pub(super) fn sub_workflow(&mut self, i: usize, sight: Sight) {
        let span = self.span(i);
        let out = self.room(i).out;
        let mut sent = self.sent(i, sight);
        let mut given: Vec<Expression> = sent.iter().map(|s| s.value.clone()).collect();
        match sight.words {
            Some(words) => given.push(place_variable(words, span)),
            None => given.push(Expression::input(span)),
        }
        if sight.words.is_none() && !sent.iter().any(|s| s.usage == Usage::Payload) {
            sent.push(Sent { name: "item".into(), usage: Usage::Payload, value: Expression::input(span) });
        }
        self.call(i, sent, sight);
        let Some(entry) = self.entry_called(i) else {
            match self.could_be(i) {
                Some(files) => self.observe(i, Observed::AmbiguousSubWorkflow { files }, None, span),
                None if self.calls_inline(i) => {}
                None => self.observe(i, Observed::UnresolvedSubWorkflow, None, span),
            }
            self.receive(i, out, span);
            return;
        };
        let called = self.kept(format!("called {entry}"));
        let both = Expression::one_of(vec![place_variable(called, span), Expression::opaque(given, span)], span);
        self.assign(called, both, sight);
        let ends = self.ends_behind(entry).into_iter().map(|n| place_variable(self.room(n).out, span)).collect();
        self.assign(out, Expression::opaque(ends, span), sight);
    }

    /// What an entry that is called is given.
    pub(super) fn called(&mut self, entry: usize) -> PlaceId {
        self.kept(format!("called {entry}"))
    }
}

pub(super) fn is_main(key: &str) -> bool {
    matches!(key, "text" | "prompt" | "content" | "inputText" | "message" | "input" | "query")
}
