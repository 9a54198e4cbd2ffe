//! What the files of every catalogue have in common: their head, the words for effects, and what verbs say.

use std::collections::BTreeMap;

use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::{BAD_VALUE, Data, Entry, Fields, Node as Tree};
use sluice_core::gate::Effect;
use sluice_core::label::Name;

pub(crate) type Errors<'a> = &'a mut Vec<Diagnostic>;

pub(crate) const EFFECTS: [(&str, Effect); 6] = [
    ("read", Effect::Read),
    ("write", Effect::Write),
    ("export", Effect::Export),
    ("grant", Effect::Grant),
    ("execute", Effect::Execute),
    ("notify", Effect::Notify),
];

/// What a word says of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verb {
    pub(crate) effect: Effect,
    /// Whether something is gone afterwards.
    pub(crate) destructive: bool,
    /// Whether rights, money or infrastructure change.
    pub(crate) privileged: bool,
}

/// `version` and `format`.
pub(crate) fn head(fields: &mut Fields<'_>, format: &'static str, out: Errors<'_>) {
    if let Some(version) = fields.required("version", out)
        && version.value != Data::Int(1)
    {
        out.push(BAD_VALUE.at(version.span, "`version` must be `1`, the one that this release reads"));
    }
    if let Some(found) = fields.required("format", out) {
        found.expect_word("format", &[(format, ())], out);
    }
}

/// Adds a list of verbs; each word is written as `spelt` has it.
pub(crate) fn verbs(
    tree: Option<&Tree>,
    what: &'static str,
    spelt: fn(&Name) -> Name,
    into: &mut BTreeMap<Name, Verb>,
    out: Errors<'_>,
) {
    for item in tree.and_then(|tree| tree.expect_list(what, out)).unwrap_or_default() {
        let Some(mut fields) = Fields::of(item, "a verb", out) else { continue };
        let words = fields.required("words", out).and_then(|v| v.expect_texts("words", out)).unwrap_or_default();
        let effect = fields.required("effect", out).and_then(|v| v.expect_word("effect", &EFFECTS, out));
        let destructive = flag(&mut fields, "destructive", out).unwrap_or_default();
        let privileged = flag(&mut fields, "privileged", out).unwrap_or_default();
        fields.finish(out);
        let Some(effect) = effect else { continue };
        for word in words {
            if into.insert(spelt(&word), Verb { effect, destructive, privileged }).is_some() {
                out.push(BAD_VALUE.at(item.span, format!("`{word}` is in the list twice")));
            }
        }
    }
}

pub(crate) fn flag(fields: &mut Fields<'_>, key: &'static str, out: Errors<'_>) -> Option<bool> {
    fields.optional(key).and_then(|v| v.expect_bool(key, out))
}

pub(crate) fn entries<'t>(tree: Option<&'t Tree>, what: &str, out: Errors<'_>) -> &'t [Entry] {
    tree.and_then(|tree| tree.expect_map(what, out)).unwrap_or_default()
}
