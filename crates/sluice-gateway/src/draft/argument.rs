//! What the arguments of a tool decide, also those deep inside others.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use sluice_core::gate::Role;

use super::guess::words;
use super::lexicon::{
    AMOUNT, COMMAND, DESTINATION, List, OUTPUT, PATHS, PLACES, QUERY, RECIPIENT, REFERENCE, STATEMENT, TELLS,
    TELLS_INSIDE, TEXT,
};
use crate::tools::Tool;

/// Most schemas of a tool that are looked into. A listing is somebody else's: what lies behind may be anything.
const SCHEMAS_MAX: usize = 4_000;

/// An argument of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Argument {
    /// Its name.
    pub(super) name: String,
    /// What it decides, or something inside it.
    pub(super) role: Role,
    /// Its own name and those inside it.
    parts: Vec<Part>,
    /// Whether not all of it could be read.
    is_open: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    words: Vec<String>,
    is_inside: bool,
    is_switch: bool,
    takes_words: bool,
}

impl Part {
    fn has(&self, list: List) -> bool {
        self.words.iter().any(|word| list.has(word))
    }
}

impl Argument {
    /// Whether it is, or holds, a text in a language that can do anything.
    pub(super) fn is_statement(&self) -> bool {
        self.parts.iter().any(|part| part.has(STATEMENT))
    }

    /// Whether it is, or holds, words for people.
    pub(super) fn is_text(&self) -> bool {
        self.parts.iter().any(|part| part.has(TEXT))
    }

    /// Whether it names somebody who is told, or a place where what is read is written.
    pub(super) fn tells(&self) -> bool {
        let is_id = |part: &Part| part.words.last().is_some_and(|word| matches!(word.as_str(), "id" | "ids"));
        let tells = |part: &Part| {
            part.has(TELLS) || part.is_inside && part.has(TELLS_INSIDE) || part.has(OUTPUT) && part.has(PATHS)
        };
        self.is_open || self.parts.iter().any(|part| tells(part) && !is_id(part))
    }

    /// Whether its caller can write into it what they like.
    pub(super) fn takes_words(&self) -> bool {
        self.is_open || self.parts.iter().any(|part| part.takes_words)
    }

    /// The words of each switch that it is or holds, and of everything else that may be one.
    pub(super) fn switches(&self) -> impl Iterator<Item = (&[String], bool)> {
        self.parts.iter().map(|part| (part.words.as_slice(), part.is_switch))
    }
}

/// The arguments of a tool.
pub(super) fn of(tool: &Tool) -> Vec<Argument> {
    let mut left = SCHEMAS_MAX;
    tool.arguments().map(|(name, schema)| argument(tool, name, schema, &mut left)).collect()
}

fn argument(tool: &Tool, name: &str, schema: &Json, left: &mut usize) -> Argument {
    let (inside, is_open) = inside(tool, schema, left);
    let own = role(name, schema);
    let deep = inside.iter().map(|(name, schema)| match role(name, schema) {
        // An amount in a list has no largest.
        Role::Amount => Role::Reference,
        other => other,
    });
    // Whom something in it names is whom it names.
    let role = deep.filter(|role| rank(*role) > rank(own)).max_by_key(|role| rank(*role)).unwrap_or(own);
    let part = |name: &str, schema: &Json, is_inside| Part {
        words: words(name),
        is_inside,
        is_switch: is_switch(schema),
        takes_words: takes_words(schema),
    };
    let parts = std::iter::once(part(name, schema, false));
    Argument {
        name: name.to_owned(),
        role: if is_open { Role::Destination } else { role },
        parts: parts.chain(inside.iter().map(|(name, schema)| part(name, schema, true))).collect(),
        is_open,
    }
}

/// How much hangs on what decides this.
fn rank(role: Role) -> u8 {
    match role {
        Role::Payload => 0,
        Role::Query => 1,
        Role::Reference | Role::Amount => 2,
        Role::Command => 3,
        Role::Recipient => 4,
        Role::Destination => 5,
    }
}

/// The names and schemas of everything inside a schema, each once, and whether some could not be read.
fn inside<'t>(tool: &'t Tool, schema: &'t Json, left: &mut usize) -> (Vec<(&'t str, &'t Json)>, bool) {
    const ONE: [&str; 8] = [
        "items",
        "additionalProperties",
        "contains",
        "if",
        "then",
        "else",
        "unevaluatedProperties",
        "unevaluatedItems",
    ];
    const LISTED: [&str; 4] = ["prefixItems", "anyOf", "oneOf", "allOf"];
    const NAMED: [&str; 3] = ["properties", "patternProperties", "dependentSchemas"];
    let (mut found, mut seen, mut open) = (Vec::new(), BTreeSet::new(), vec![schema]);
    let mut is_cut = false;
    while let Some(schema) = open.pop() {
        if !seen.insert(std::ptr::from_ref(schema)) {
            continue;
        }
        let Some(rest) = left.checked_sub(1) else { return (found, true) };
        *left = rest;
        open.extend(ONE.iter().filter_map(|key| schema.get(key)));
        open.extend(schema.get("items").and_then(Json::as_array).into_iter().flatten());
        open.extend(LISTED.iter().filter_map(|key| schema.get(key)).filter_map(Json::as_array).flatten());
        for (name, property) in NAMED.iter().filter_map(|key| schema.get(key)).filter_map(Json::as_object).flatten() {
            found.push((name.as_str(), property));
            open.push(property);
        }
        if let Some(reference) = schema.get("$ref") {
            match referred(tool, reference) {
                Some(schema) => open.push(schema),
                None => is_cut = true,
            }
        }
    }
    (found, is_cut)
}

/// What a schema refers to in the tool's own.
fn referred<'t>(tool: &'t Tool, reference: &Json) -> Option<&'t Json> {
    tool.definition.get("inputSchema")?.pointer(reference.as_str()?.strip_prefix('#')?)
}

/// The kinds of values that a schema takes, but for none.
fn kinds(schema: &Json) -> Vec<&str> {
    let own = match schema.get("type") {
        Some(Json::Array(several)) => several.iter().filter_map(Json::as_str).collect(),
        one => one.and_then(Json::as_str).into_iter().collect::<Vec<_>>(),
    };
    let either = ["anyOf", "oneOf"].iter().filter_map(|key| schema.get(key)).filter_map(Json::as_array).flatten();
    let of_either = either.filter_map(|schema| schema.get("type").and_then(Json::as_str));
    own.into_iter().chain(of_either).filter(|kind| *kind != "null").collect()
}

/// Whether a schema takes any text, or says nothing of what it takes.
fn takes_words(schema: &Json) -> bool {
    let kinds = kinds(schema);
    let is_text = kinds.is_empty() && schema.get("properties").is_none() || kinds.contains(&"string");
    let format = schema.get("format").and_then(Json::as_str).unwrap_or_default();
    is_text && schema.get("enum").is_none() && schema.get("const").is_none() && !format.starts_with("date")
}

fn is_switch(schema: &Json) -> bool {
    let kinds = kinds(schema);
    !kinds.is_empty() && kinds.iter().all(|kind| *kind == "boolean")
}

fn role(name: &str, schema: &Json) -> Role {
    let name = words(name);
    let has = |list: List| name.iter().any(|word| list.has(word));
    let format = schema.get("format").and_then(Json::as_str).unwrap_or_default();
    let is_number = kinds(schema).iter().any(|kind| matches!(*kind, "integer" | "number"));
    let description = words(schema.get("description").and_then(Json::as_str).unwrap_or_default());
    // A day, or whether something is so, is no person and no place.
    if is_switch(schema) || format.starts_with("date") {
        Role::Payload
    } else if has(DESTINATION) || format.starts_with("uri") {
        Role::Destination
    } else if has(RECIPIENT) {
        Role::Recipient
    } else if has(COMMAND) {
        Role::Command
    } else if has(AMOUNT) && is_number {
        Role::Amount
    } else if has(QUERY) {
        Role::Query
    } else if has(REFERENCE) || has(AMOUNT) {
        Role::Reference
    } else if description.iter().any(|word| PLACES.has(word)) {
        Role::Destination
    } else {
        Role::Payload
    }
}
