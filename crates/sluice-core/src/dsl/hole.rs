//! `document.metadata.holes`: what makes a definition a template.

use std::collections::BTreeSet;

use crate::document::{BAD_VALUE, Data, Entry, Fields, Node};
use crate::dsl::workflow::Lower;
use crate::hole::{HOLES_MAX, Hole, Holes, Kind, TEXT_CHARS_DEFAULT, TEXT_CHARS_MAX};
use crate::label::Name;

impl Lower<'_> {
    /// The holes of a template.
    pub(super) fn holes(&mut self, node: &Node) -> Holes {
        let entries = node.expect_map("holes", &mut self.out).unwrap_or_default();
        if entries.is_empty() || entries.len() > HOLES_MAX {
            self.out.push(BAD_VALUE.at(node.span, format!("a template has from 1 to {HOLES_MAX} holes")));
        }
        Holes(entries.iter().filter_map(|entry| Some((entry.key.clone(), self.hole(entry)?))).collect())
    }

    fn hole(&mut self, entry: &Entry) -> Option<Hole> {
        let is_name = entry.key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !entry.key.is_empty();
        if !is_name {
            let message = format!("`{}` is no name of a hole: letters, digits and `_`", entry.key);
            self.out.push(BAD_VALUE.at(entry.key_span, message));
        }
        let mut fields = Fields::of(&entry.value, "a hole", &mut self.out)?;
        let types = [("text", Type::Text), ("integer", Type::Integer), ("boolean", Type::Boolean)];
        let of = fields.required("type", &mut self.out).and_then(|n| n.expect_word("type", &types, &mut self.out));
        let kind = match of? {
            Type::Text => self.text_hole(&mut fields),
            Type::Integer => self.integer_hole(&mut fields, entry),
            Type::Boolean => Some(Kind::Boolean),
        };
        let models = fields.optional("by").map_or(Some(BTreeSet::new()), |n| self.fillers(n));
        let default = fields.optional("default").map(|n| (n.span, n.to_json()));
        let description = fields.optional("description").and_then(|n| n.expect_text("description", &mut self.out));
        fields.finish(&mut self.out);
        let kind = kind?;
        if let Some((span, _)) = default.as_ref().filter(|(_, value)| !kind.takes(value)) {
            let message = format!("`default` is not what the hole takes: {}", kind.in_words());
            self.out.push(BAD_VALUE.at(*span, message));
        }
        Some(Hole { kind, models: models?, default: default.map(|(_, value)| value), description })
    }

    fn text_hole(&mut self, fields: &mut Fields<'_>) -> Option<Kind> {
        let words = fields.optional("enum").map(|n| {
            let items = n.expect_list("enum", &mut self.out)?;
            let words: Option<BTreeSet<Name>> =
                items.iter().map(|item| item.expect_text("enum", &mut self.out)).collect();
            words.filter(|words| !words.is_empty()).or_else(|| {
                self.out.push(BAD_VALUE.at(n.span, "`enum` lists the texts that the hole takes"));
                None
            })
        });
        let chars = fields.optional("max_chars");
        let chars_max = chars.map_or(Some(TEXT_CHARS_DEFAULT), |n| {
            let count = usize::try_from(n.expect_count("max_chars", &mut self.out)?).ok();
            count.filter(|count| (1..=TEXT_CHARS_MAX).contains(count)).or_else(|| {
                self.out.push(BAD_VALUE.at(n.span, format!("`max_chars` is a number from 1 to {TEXT_CHARS_MAX}")));
                None
            })
        });
        let pattern = fields.optional("pattern").map(|n| {
            let text = n.expect_text("pattern", &mut self.out)?;
            let read = Kind::pattern(&text);
            read.map_err(|why| self.out.push(BAD_VALUE.at(n.span, format!("`pattern` is none: {why}")))).ok()
        });
        match (words, pattern) {
            (Some(words), None) if chars.is_none() => words.map(Kind::OneOf),
            (Some(_), _) => {
                let span = fields.optional("enum").map_or_else(Default::default, |n| n.span);
                self.out.push(BAD_VALUE.at(span, "a hole has either `enum` or `pattern` and `max_chars`"));
                None
            }
            (None, None) => Some(Kind::Text { chars_max: chars_max?, pattern: None }),
            (None, Some(pattern)) => Some(Kind::Text { chars_max: chars_max?, pattern: Some(pattern?) }),
        }
    }

    /// Both ends must be there: a number without them would be any amount.
    fn integer_hole(&mut self, fields: &mut Fields<'_>, entry: &Entry) -> Option<Kind> {
        let mut bound = |key: &'static str, lower: &mut Self| {
            let node = fields.required(key, &mut lower.out)?;
            if let Data::Int(number) = node.value {
                return Some(number);
            }
            lower.out.push(BAD_VALUE.at(node.span, format!("`{key}` is a whole number")));
            None
        };
        let (minimum, maximum) = (bound("minimum", self), bound("maximum", self));
        let (minimum, maximum) = (minimum?, maximum?);
        if minimum > maximum {
            self.out.push(BAD_VALUE.at(entry.key_span, "`minimum` is above `maximum`: nothing would fit"));
            return None;
        }
        Some(Kind::Integer { minimum, maximum })
    }

    /// `requester`, and the models beside them.
    fn fillers(&mut self, node: &Node) -> Option<BTreeSet<Name>> {
        let mut models = BTreeSet::new();
        for item in node.expect_list("by", &mut self.out)? {
            let word = item.expect_text("by", &mut self.out)?;
            match word.split_once(':') {
                None if &*word == "requester" => {}
                Some(("model", name)) if !name.is_empty() => drop(models.insert(word.clone())),
                _ => {
                    let message = format!("`{word}` fills no hole: there are `requester` and `model:NAME`");
                    self.out.push(BAD_VALUE.at(item.span, message));
                    return None;
                }
            }
        }
        Some(models)
    }
}

#[derive(Clone, Copy)]
enum Type {
    Text,
    Integer,
    Boolean,
}
