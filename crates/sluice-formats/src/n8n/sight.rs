//! What the texts of a node read: expressions and programs, with the places that their roots stand for.

use std::collections::BTreeSet;
use std::sync::Arc;

use sluice_core::document::Node as Tree;
use sluice_core::expression::Expression;
use sluice_core::text::Span;

use super::classify::fields_behind;
use super::lower::{Lowering, Sight};
use super::read::named;
use crate::import::Observed;
use crate::javascript::{self, Mode, Root, Translated};
use crate::locate::Locator;
use crate::wiring::place_variable;

impl Lowering<'_, '_> {
    /// A parameter's text as n8n evaluates it; `always`: also where no `=` says so.
    pub(super) fn translate(&mut self, i: usize, tree: &Tree, always: bool, sight: Sight) -> Translated {
        let text = tree.as_text().cloned().unwrap_or_default();
        let locator = Locator::new(self.text, tree.span);
        let locate = |start: usize, end: usize| locator.at(start, end);
        let translated = javascript::parameter(&text, always, &locate, &|root| self.stands_for(root, sight, tree.span));
        self.note_reads(i, &translated);
        translated
    }

    /// A program of a code node.
    pub(super) fn program(&mut self, i: usize, tree: &Tree, mode: Option<Mode>, sight: Sight) -> Translated {
        let text = tree.as_text().cloned().unwrap_or_default();
        let locator = Locator::new(self.text, tree.span);
        let locate = |start: usize, end: usize| locator.at(start, end);
        let resolve = |root: &Root| self.stands_for(root, sight, tree.span);
        let translated = match mode {
            Some(mode) => javascript::program(&text, mode, &locate, &resolve),
            None => javascript::opaque_text(&text, &locate, &resolve),
        };
        self.note_reads(i, &translated);
        translated
    }

    /// What a root of an expression is; `None` of a node that is not there.
    pub(super) fn stands_for(&self, root: &Root, sight: Sight, span: Span) -> Option<Expression> {
        Some(match root {
            Root::Item => Expression::input(span),
            // Its fields are others than the item's, under whatever names.
            Root::Binary => Expression::opaque(vec![Expression::input(span)], span),
            Root::Node(name) => match named(&self.workflow.by_name, name) {
                Some(node) => place_variable(self.room(node).out, span),
                None => self.renamed(name, span),
            },
            Root::FromAi(_) => match sight.words {
                Some(words) => place_variable(words, span),
                None => Expression::literal(&serde_json::Value::Null, span),
            },
            Root::Unknown => {
                let all = (0..self.workflow.nodes.len()).filter(|n| !self.graph.is_part(*n));
                let all = all.map(|n| place_variable(self.room(n).out, span)).chain([Expression::input(span)]);
                Expression::opaque(all.collect(), span)
            }
            // Facts of the engine and of the host: nobody outside writes them.
            _ => Expression::opaque(Vec::new(), span),
        })
    }

    /// A name that is not there: that of a node which was renamed since, or anything that comes in.
    fn renamed(&self, name: &str, span: Span) -> Expression {
        let alike = |other: &&Arc<str>| name.starts_with(other.as_ref()) || other.starts_with(name);
        let nodes = self.workflow.by_name.keys().filter(alike).filter_map(|n| named(&self.workflow.by_name, n));
        let mut all: Vec<Expression> = nodes.map(|n| place_variable(self.room(n).out, span)).collect();
        all.push(Expression::input(span));
        Expression::opaque(all, span)
    }

    fn note_reads(&mut self, i: usize, translated: &Translated) {
        for reading in &translated.reads {
            if let Root::Node(name) = &reading.root
                && named(&self.workflow.by_name, name).is_none()
            {
                self.observe(i, Observed::DanglingReference { name: name.to_string() }, None, reading.span);
            }
        }
    }

    /// Notes which fields the texts of all nodes read of which node: what kind of data it puts out may show only there.
    pub(super) fn note_fields(&mut self) {
        for i in 0..self.workflow.nodes.len() {
            let texts: Vec<_> = self.leaves_of(i).iter().filter_map(|leaf| leaf.text().cloned()).collect();
            let mut item = Vec::new();
            for text in texts.iter().filter(|text| text.contains('$') || text.contains("json")) {
                for name in names_in(text) {
                    if let Some(node) = named(&self.workflow.by_name, name) {
                        self.note(node, fields_behind(text, name));
                    }
                }
                item.extend(["$json", ".json", "$input"].iter().flat_map(|root| fields_behind(text, root)));
            }
            if !item.is_empty() {
                for before in self.sources_of(i) {
                    self.note(before, item.clone());
                }
            }
        }
    }

    fn note(&mut self, node: usize, names: Vec<String>) {
        if let Some(fields) = self.read_fields.get_mut(node) {
            fields.extend(names);
        }
    }

    /// The nodes whose items `$json` of a node can be: its predecessors, through those that pass items on.
    fn sources_of(&self, i: usize) -> Vec<usize> {
        let (mut found, mut seen, mut open) = (Vec::new(), BTreeSet::new(), vec![i]);
        while let Some(at) = open.pop() {
            for before in self.before(at) {
                if seen.insert(before) {
                    if self.passes_on(before) {
                        open.push(before);
                    }
                    if !self.passes_item(before) {
                        found.push(before);
                    }
                }
            }
        }
        found
    }
}

/// Every quoted name behind `$(`, `$node[`, `$items(`.
fn names_in(text: &str) -> impl Iterator<Item = &str> {
    text.split('$').skip(1).filter_map(|after| {
        let inside = ["(", "node[", "items("].iter().find_map(|open| after.strip_prefix(open))?;
        let quote = inside.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
        inside.get(1..)?.split(quote).next()
    })
}
