//! What the arguments of a tool decide, also those deep inside others.

use serde_json::Value as Json;
use sluice_core::gate::Role;

use super::guess::words;
use super::lexicon::{AMOUNT, COMMAND, DESTINATION, List, PLACES, QUERY, RECIPIENT, REFERENCE, STATEMENT, TELLS, TEXT};
use crate::tools::Tool;

/// Deepest schema that is looked into, and most of them.
const DEPTH_MAX: usize = 6;
const SCHEMAS_MAX: usize = 400;

/// An argument of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Argument {
    /// Its name.
    pub(super) name: String,
    /// What it decides.
    pub(super) role: Role,
    /// Whether something inside it decides that.
    pub(super) is_deep: bool,
    /// The name, in it or its own, by which somebody else is told.
    pub(super) tells: Option<String>,
    /// Whether it says yes or no.
    pub(super) is_switch: bool,
}

impl Argument {
    /// Whether it is a text in a language that can do anything.
    pub(super) fn is_statement(&self) -> bool {
        self.has(STATEMENT)
    }

    /// Whether it is words for people.
    pub(super) fn is_text(&self) -> bool {
        self.has(TEXT)
    }

    fn has(&self, list: List) -> bool {
        words(&self.name).iter().any(|word| list.has(word))
    }
}

/// The arguments of a tool.
pub(super) fn of(tool: &Tool) -> Vec<Argument> {
    tool.arguments().map(|(name, schema)| argument(tool, name, schema)).collect()
}

fn argument(tool: &Tool, name: &str, schema: &Json) -> Argument {
    let inside = inside(tool, schema);
    let own = role(name, schema);
    let deep = inside.iter().map(|(name, schema)| role(name, schema));
    // Whom something in it names is whom it names.
    let deep = deep.filter(|role| rank(*role) > rank(own)).max_by_key(|role| rank(*role));
    let tells = |name: &&str| words(name).iter().any(|word| TELLS.has(word));
    let told = std::iter::once(name).chain(inside.iter().map(|(name, _)| *name)).find(tells);
    Argument {
        name: name.to_owned(),
        role: deep.unwrap_or(own),
        is_deep: deep.is_some(),
        tells: told.map(str::to_owned),
        is_switch: kind(schema) == Some("boolean"),
    }
}

/// How much hangs on what decides this.
fn rank(role: Role) -> u8 {
    match role {
        Role::Payload => 0,
        Role::Query => 1,
        // An amount in a list has no largest, so each of them is looked at.
        Role::Reference | Role::Amount => 2,
        Role::Command => 3,
        Role::Recipient => 4,
        Role::Destination => 5,
    }
}

/// The names and schemas of everything inside a schema.
fn inside<'t>(tool: &'t Tool, schema: &'t Json) -> Vec<(&'t str, &'t Json)> {
    let mut found = Vec::new();
    let mut open = vec![(schema, 0)];
    while let Some((schema, depth)) = open.pop() {
        if depth >= DEPTH_MAX || found.len() >= SCHEMAS_MAX {
            continue;
        }
        let schema = resolved(tool, schema);
        let parts = ["items", "additionalProperties", "prefixItems", "anyOf", "oneOf", "allOf"];
        for part in parts.iter().filter_map(|key| schema.get(key)) {
            match part {
                Json::Array(several) => open.extend(several.iter().map(|part| (part, depth + 1))),
                one => open.push((one, depth + 1)),
            }
        }
        let properties = schema.get("properties").and_then(Json::as_object).into_iter().flatten();
        for (name, property) in properties {
            found.push((name.as_str(), property));
            open.push((property, depth + 1));
        }
    }
    found
}

/// What a schema refers to in the tool's own.
fn resolved<'t>(tool: &'t Tool, schema: &'t Json) -> &'t Json {
    let pointer = schema.get("$ref").and_then(Json::as_str).and_then(|text| text.strip_prefix('#'));
    let whole = tool.definition.get("inputSchema");
    pointer.zip(whole).and_then(|(pointer, whole)| whole.pointer(pointer)).unwrap_or(schema)
}

fn kind(schema: &Json) -> Option<&str> {
    schema.get("type").and_then(Json::as_str)
}

fn role(name: &str, schema: &Json) -> Role {
    let name = words(name);
    let has = |list: List| name.iter().any(|word| list.has(word));
    let kind = kind(schema);
    let is_url = schema.get("format").and_then(Json::as_str).is_some_and(|format| format.starts_with("uri"));
    // A day, or whether something is so, is no person and no place.
    let description = words(schema.get("description").and_then(Json::as_str).unwrap_or_default());
    let is_place = description.iter().any(|word| PLACES.has(word));
    let is_plain = matches!(kind, Some("boolean"))
        || schema.get("format").and_then(Json::as_str).is_some_and(|format| format.starts_with("date"));
    if is_plain {
        Role::Payload
    } else if has(DESTINATION) || is_url || is_place {
        Role::Destination
    } else if has(RECIPIENT) {
        Role::Recipient
    } else if has(COMMAND) {
        Role::Command
    } else if has(AMOUNT) && matches!(kind, Some("integer" | "number")) {
        Role::Amount
    } else if has(QUERY) {
        Role::Query
    } else if has(REFERENCE) {
        Role::Reference
    } else {
        Role::Payload
    }
}
