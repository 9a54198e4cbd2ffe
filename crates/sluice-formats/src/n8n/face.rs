//! What an export shows on its face, without following data.

use sluice_core::credential::suspicion;
use sluice_core::document::Data;

use super::lower::Lowering;
use super::parameters::{Leaf, is_expression};
use crate::import::{Confidence, Kind, Observed};

impl Lowering<'_, '_> {
    /// Looks at one node.
    pub(super) fn look_at(&mut self, i: usize) {
        let Some(node) = self.workflow.nodes.get(i) else { return };
        let (span, errors, name) = (node.span, node.errors, node.name.clone());
        if self.short_type(i) == "stickyNote" {
            return;
        }
        if errors.handled || self.short_type(i) == "errorTrigger" {
            let what = if errors.handled { Observed::HandlesErrors } else { Observed::ErrorWorkflow };
            self.observe(i, what, None, span);
        }
        if self.workflow.pinned.contains(&name) {
            self.observe(i, Observed::PinnedData, None, span);
        }
        if self.known(i).is_some_and(|k| k.confidence == Confidence::Assumed) {
            self.observe(i, Observed::UnknownNodeType, None, span);
        }
        for leaf in self.leaves_of(i).iter() {
            self.look_at_leaf(i, leaf);
        }
    }

    fn look_at_leaf(&mut self, i: usize, leaf: &Leaf<'_>) {
        if leaf.key() == "allowUnauthorizedCerts" && matches!(leaf.tree.value, Data::Bool(true)) {
            self.observe(i, Observed::TlsOff, Some(&leaf.path), leaf.tree.span);
        }
        let Some(text) = leaf.text() else { return };
        if is_inert(text) && !self.is_always_evaluated(i, leaf) && !is_program(leaf.key()) {
            self.observe(i, Observed::InertExpression, Some(&leaf.path), leaf.tree.span);
        }
        if self.holds_secret(i, leaf, text) {
            self.observe(i, Observed::HardCodedSecret, Some(&leaf.path), leaf.tree.span);
        }
    }

    fn holds_secret(&self, i: usize, leaf: &Leaf<'_>, text: &str) -> bool {
        if is_program(leaf.key()) {
            return quoted(text).any(|(before, part)| suspicion(before, part).is_some());
        }
        if is_expression(text) {
            return quoted(text).any(|(_, part)| suspicion("", part).is_some()) || in_query(text);
        }
        // `{name, value}` pairs: the name says what the value is.
        let named = leaf.path.strip_suffix("value").map(|before| format!("{before}name"));
        let leaves = self.leaves_of(i);
        let name = named.and_then(|path| leaves.iter().find(|l| l.path.as_ref() == path.as_str())).and_then(Leaf::text);
        suspicion(name.map_or(leaf.key(), AsRef::as_ref), text).is_some() || in_query(text) || in_json(text)
    }
}

/// `?api_key=…` of a URL.
fn in_query(text: &str) -> bool {
    let Some((_, query)) = text.split_once('?') else { return false };
    query.split('&').filter_map(|pair| pair.split_once('=')).any(|(key, value)| {
        let value = value.split(['&', ' ', '#', '"', '\'']).next().unwrap_or_default();
        let key = if key.eq_ignore_ascii_case("key") { "apikey" } else { key };
        suspicion(key, value).is_some()
    })
}

/// `"api_key": "…"` of a JSON body.
fn in_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[']) && quoted(text).any(|(before, part)| suspicion(before, part).is_some())
}

/// Every quoted part of a text, and the last word before it.
fn quoted(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text;
    let mut word = "";
    std::iter::from_fn(move || {
        let at = rest.find(['"', '\'', '`'])?;
        let quote = rest.get(at..=at)?;
        let before = rest.get(..at).unwrap_or_default();
        let inside = rest.get(at + 1..)?;
        let end = inside.find(quote)?;
        let part = inside.get(..end)?;
        rest = inside.get(end + 1..).unwrap_or_default();
        let last = before.rsplit(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'))).find(|w| !w.is_empty());
        let key = if before.trim_matches([' ', ':', '=']).is_empty() { word } else { last.unwrap_or("") };
        word = part;
        Some((key, part))
    })
}

fn is_inert(text: &str) -> bool {
    !is_expression(text) && text.split_once("{{").is_some_and(|(_, rest)| rest.contains("}}"))
}

fn is_program(key: &str) -> bool {
    matches!(key, "jsCode" | "functionCode" | "pythonCode" | "code")
}

/// A shell command that deletes what cannot be brought back, as far as its text shows.
pub(super) fn is_destructive_command(lowering: &Lowering<'_, '_>, i: usize) -> bool {
    const DELETES: [&str; 12] = [
        "drop database",
        "drop table",
        "drop user",
        "dropdb",
        "dropuser",
        "rm -rf",
        "rm -r ",
        "rm -f ",
        "mkfs",
        "userdel",
        "terraform destroy",
        "kubectl delete",
    ];
    let leaves = lowering.leaves_of(i);
    let commands = leaves.iter().filter(|leaf| leaf.key() == "command");
    let mut texts = commands.filter_map(|leaf| leaf.text().map(|t| t.to_lowercase()));
    lowering.kind(i) == Kind::Command && texts.any(|text| DELETES.iter().any(|word| text.contains(word)))
}

/// SQL that changes or deletes many rows at once, as far as its text shows.
pub(super) fn is_bulk_change(lowering: &Lowering<'_, '_>, i: usize) -> bool {
    if lowering.kind(i) == Kind::Trigger {
        return false;
    }
    let leaves = lowering.leaves_of(i);
    let queries = leaves.iter().filter(|leaf| leaf.key() == "query");
    queries.filter_map(|leaf| leaf.text().map(|t| t.to_uppercase())).any(|sql| {
        let sql = sql.trim_start_matches('=').trim_start();
        let deletes = ["DROP ", "TRUNCATE "].iter().any(|word| sql.starts_with(word));
        let changes = ["DELETE ", "UPDATE "].iter().any(|word| sql.starts_with(word));
        deletes || changes
    })
}
