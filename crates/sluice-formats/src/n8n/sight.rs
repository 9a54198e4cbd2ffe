//! What the texts of a node read: expressions and programs, with the places that their roots stand for.

use std::collections::BTreeSet;
use std::sync::Arc;

use sluice_core::document::Node as Tree;
use sluice_core::expression::Expression;
use sluice_core::text::{Span, Text};

use super::fields::{Field, fields_behind};
use super::lower::{Lowering, Sight};
use crate::import::Observed;
use crate::javascript::{self, Mode, Root, Translated};
use crate::locate::Locator;
use crate::wiring::place_variable;

impl<'t> Lowering<'_, 't> {
    fn text(&self, i: usize) -> &'t Text {
        let other = self.workflow.nodes.get(i).and_then(|node| node.file.checked_sub(1));
        other.and_then(|other| self.others.get(other).copied()).unwrap_or(self.text)
    }

    /// A parameter's text as n8n evaluates it; `always`: also where no `=` says so.
    pub(super) fn translate(&mut self, i: usize, tree: &Tree, always: bool, sight: Sight) -> Translated {
        let text = tree.as_text().cloned().unwrap_or_default();
        let locator = Locator::new(self.text(i), tree.span);
        let locate = |start: usize, end: usize| locator.at(start, end);
        let translated =
            javascript::parameter(&text, always, &locate, &|root| self.stands_for(i, root, sight, tree.span));
        self.note_reads(i, &translated);
        self.note_opaque(i, tree, &translated);
        translated
    }

    /// A program of a code node.
    pub(super) fn program(&mut self, i: usize, tree: &Tree, mode: Option<Mode>, sight: Sight) -> Translated {
        let text = tree.as_text().cloned().unwrap_or_default();
        let locator = Locator::new(self.text(i), tree.span);
        let locate = |start: usize, end: usize| locator.at(start, end);
        let resolve = |root: &Root| self.stands_for(i, root, sight, tree.span);
        let translated = match mode {
            Some(mode) => javascript::program(&text, mode, &locate, &resolve),
            None => javascript::opaque_text(&text, &locate, &resolve),
        };
        self.note_reads(i, &translated);
        self.note_opaque(i, tree, &translated);
        translated
    }

    /// What a root of an expression is; `None` of a node that is not there.
    pub(super) fn stands_for(&self, i: usize, root: &Root, sight: Sight, span: Span) -> Option<Expression> {
        Some(match root {
            Root::Item => Expression::input(span),
            // Its fields are others than the item's, under whatever names.
            Root::Binary => Expression::opaque(vec![Expression::input(span)], span),
            Root::Node(name) => match self.workflow.named(i, name) {
                Some(node) => place_variable(self.room(node).out, span),
                None => self.renamed(i, name, span),
            },
            Root::FromAi(_) => match sight.words {
                Some(words) => place_variable(words, span),
                None => Expression::literal(&serde_json::Value::Null, span),
            },
            Root::Unknown => {
                let all = self.workflow.beside(i).filter(|n| !self.graph.is_part(*n));
                let all = all.map(|n| place_variable(self.room(n).out, span)).chain([Expression::input(span)]);
                Expression::opaque(all.collect(), span)
            }
            Root::ParametersOf(name) => match self.workflow.named(i, name) {
                Some(node) if !self.has_expressions(node) => Expression::opaque(Vec::new(), span),
                Some(node) => place_variable(self.room(node).out, span),
                None => self.renamed(i, name, span),
            },
            // Facts of the engine and of the host: nobody outside writes them.
            _ => Expression::opaque(Vec::new(), span),
        })
    }

    fn has_expressions(&self, node: usize) -> bool {
        self.leaves_of(node).iter().any(|leaf| leaf.text().is_some_and(|text| text.starts_with('=')))
    }

    /// A name that is not there: that of a node which was renamed since, or anything that comes in.
    fn renamed(&self, i: usize, name: &str, span: Span) -> Expression {
        let alike = |other: &&Arc<str>| name.starts_with(other.as_ref()) || other.starts_with(name);
        let names = self.workflow.file_of(i).into_iter().flat_map(|file| file.by_name.keys());
        let nodes = names.filter(alike).filter_map(|n| self.workflow.named(i, n));
        let mut all: Vec<Expression> = nodes.map(|n| place_variable(self.room(n).out, span)).collect();
        all.push(Expression::input(span));
        Expression::opaque(all, span)
    }

    fn note_opaque(&mut self, i: usize, tree: &Tree, translated: &Translated) {
        if translated.opaque && self.workflow.is_own(i) {
            self.opaque.insert((i, tree.span.start));
        }
    }

    fn note_reads(&mut self, i: usize, translated: &Translated) {
        for reading in &translated.reads {
            if let Root::Node(name) = &reading.root
                && self.workflow.named(i, name).is_none()
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
                    if let Some(node) = self.workflow.named(i, name) {
                        let fields = fields_behind(text, name);
                        if self.passes_on(node) {
                            self.note_before(node, fields.clone());
                        }
                        self.note(node, fields);
                    }
                }
                let text = without_names(text);
                item.extend(["$json", ".json", "$input"].iter().flat_map(|root| fields_behind(&text, root)));
            }
            self.note_before(i, item);
        }
    }

    fn note(&mut self, node: usize, fields: Vec<Field>) {
        if let Some(known) = self.read_fields.get_mut(node) {
            known.extend(fields);
        }
    }

    /// Notes fields of the item of a node with its predecessors, through those that pass items on. A field that a node on
    /// the way has set is its own.
    fn note_before(&mut self, i: usize, fields: Vec<Field>) {
        let (mut seen, mut open) = (BTreeSet::new(), vec![(i, fields)]);
        while let Some((at, fields)) = open.pop() {
            if fields.is_empty() {
                continue;
            }
            for before in self.before(at) {
                if !seen.insert(before) {
                    continue;
                }
                if self.passes_on(before) {
                    let own = self.set_fields(before);
                    let of_earlier = |field: &&Field| own.as_ref().is_none_or(|own| !own.contains(field.outermost()));
                    let is_whole = self.sets_whole_item(before);
                    let earlier = fields.iter().filter(of_earlier).filter(|_| !is_whole).cloned().collect();
                    open.push((before, earlier));
                }
                if !self.passes_item(before) {
                    self.note(before, fields.clone());
                }
            }
        }
    }
}

/// A text without what it reads of nodes by their names, so that what is left is read of the item.
fn without_names(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, after) = rest.split_at(at);
        kept.push_str(before);
        let open = ["$(", "$node[", "$items("].iter().find(|open| after.starts_with(**open));
        let Some((open, inside)) = open.and_then(|open| Some((open, after.get(open.len()..)?))) else {
            kept.push('$');
            rest = after.get(1..).unwrap_or_default();
            continue;
        };
        let quote = inside.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'));
        let end = quote.and_then(|quote| inside.get(1..)?.find(quote).map(|end| end + 2));
        let Some(behind) = end.and_then(|end| inside.get(end..)) else {
            kept.push_str(open);
            rest = inside;
            continue;
        };
        let is_chain =
            |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '(' | ')' | '[' | ']' | '?' | '"' | '\'');
        rest = behind.trim_start_matches(is_chain);
    }
    kept.push_str(rest);
    kept
}

/// Every quoted name behind `$(`, `$node[`, `$items(`.
fn names_in(text: &str) -> impl Iterator<Item = &str> {
    text.split('$').skip(1).filter_map(|after| {
        let inside = ["(", "node[", "items("].iter().find_map(|open| after.strip_prefix(open))?;
        let quote = inside.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
        inside.get(1..)?.split(quote).next()
    })
}
