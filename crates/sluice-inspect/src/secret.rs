//! Keys, tokens and passwords, by rules as data: `rules/secrets.yaml`.
//!
//! One pass over a text looks for the words of all rules at once; only the rules whose word is there are compiled, once, and
//! asked. A text without such a word costs that one pass.

use std::sync::OnceLock;

use aho_corasick::AhoCorasick;
use regex::bytes::{Regex, RegexBuilder};
use sluice_core::document::{self, Fields, Node};
use sluice_core::found::Finder;
use sluice_core::text::Text;

use crate::Tell;
use crate::digits::is_word;

/// Bytes of the shortest text that can hold one.
pub(crate) const BYTES_MIN: usize = 16;
/// Largest pattern, compiled: rules with counted repetitions of classes stay far below.
const COMPILED_BYTES_MAX: usize = 1 << 20;

const FILE: &str = include_str!("../rules/secrets.yaml");

struct Rules {
    words: AhoCorasick,
    /// The rule of each word.
    rule_of: Vec<usize>,
    rules: Vec<Rule>,
}

struct Rule {
    name: String,
    pattern: String,
    /// What stands in examples and placeholders, and in no secret.
    except: Vec<String>,
    compiled: OnceLock<Option<Regex>>,
}

pub(crate) fn look(text: &str, tell: &mut Tell<'_>) {
    let Some(rules) = rules() else { return };
    let mut is_asked = vec![false; rules.rules.len()];
    for found in rules.words.find_overlapping_iter(text) {
        if let Some(rule) = rules.rule_of.get(found.pattern().as_usize()).and_then(|rule| is_asked.get_mut(*rule)) {
            *rule = true;
        }
    }
    for (rule, _) in rules.rules.iter().zip(is_asked).filter(|(_, is_asked)| *is_asked) {
        rule.look(text, tell);
    }
}

impl Rule {
    fn look(&'static self, text: &str, tell: &mut Tell<'_>) {
        let Some(pattern) = self.compiled.get_or_init(|| compiled(&self.pattern)) else { return };
        let bytes = text.as_bytes();
        for found in pattern.find_iter(bytes) {
            let leads_in = found.start().checked_sub(1).and_then(|at| bytes.get(at)).is_some_and(|b| is_word(*b));
            let Some(found) = text.get(found.range()).filter(|_| !leads_in) else { continue };
            if !self.except.iter().any(|word| found.contains(word.as_str())) {
                tell(Finder::Secret, &self.name, found);
            }
        }
    }
}

/// The rules of the file. They are the crate's own text, and a test reads them.
fn rules() -> Option<&'static Rules> {
    static RULES: OnceLock<Option<Rules>> = OnceLock::new();
    RULES.get_or_init(|| read(FILE).ok()).as_ref()
}

fn read(file: &str) -> Result<Rules, String> {
    let text = Text::new("secrets.yaml", file);
    let root = document::read(&text).map_err(|found| format!("{found:?}"))?;
    let mut out = Vec::new();
    let mut rules = Vec::new();
    let (mut words, mut rule_of) = (Vec::new(), Vec::new());
    if let Some(mut fields) = Fields::of(&root, "the rules", &mut out) {
        let listed = fields.required("rules", &mut out).and_then(|node| node.expect_list("rules", &mut out));
        fields.finish(&mut out);
        for node in listed.unwrap_or_default() {
            let Some((rule, own)) = rule(node, &mut out) else { continue };
            rule_of.extend(own.iter().map(|_| rules.len()));
            words.extend(own);
            rules.push(rule);
        }
    }
    if let Some(first) = out.first() {
        return Err(first.message.clone());
    }
    let words = AhoCorasick::new(words).map_err(|error| error.to_string())?;
    Ok(Rules { words, rule_of, rules })
}

/// A rule, and its words.
fn rule(node: &Node, out: &mut Vec<sluice_core::diagnostic::Diagnostic>) -> Option<(Rule, Vec<String>)> {
    let mut fields = Fields::of(node, "a rule", out)?;
    let name = fields.required("name", out).and_then(|node| node.expect_name("name", out));
    let words = texts(fields.required("words", out), "words", out);
    let pattern = fields.required("pattern", out).and_then(|node| node.expect_name("pattern", out));
    let except = texts(fields.optional("except"), "except", out);
    // For people.
    fields.required("source", out).and_then(|node| node.expect_name("source", out));
    fields.finish(out);
    let rule = Rule { name: name?.to_string(), pattern: pattern?.to_string(), except, compiled: OnceLock::new() };
    Some((rule, words))
}

fn texts(node: Option<&Node>, what: &str, out: &mut Vec<sluice_core::diagnostic::Diagnostic>) -> Vec<String> {
    let items = node.and_then(|node| node.expect_list(what, out)).unwrap_or_default();
    items.iter().filter_map(|item| item.expect_name(what, out)).map(|text| text.to_string()).collect()
}

fn compiled(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern).unicode(false).size_limit(COMPILED_BYTES_MAX).build().ok()
}

#[cfg(test)]
mod tests;
