//! One operation of a description.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};
use sluice_core::document::Node;

use super::reference::Document;
use super::{list, map};
use crate::draft::guess::SAID_TO_READ;
use crate::draft::{Guess, guess, is_id};
use crate::tools::Tool;

/// Schemas that are made of others, one in the other.
const NESTED_MAX: usize = 8;

/// An operation as a contract writes it.
pub(super) struct Operation {
    pub(super) name: String,
    /// In capitals.
    pub(super) method: String,
    pub(super) path: String,
    pub(super) guess: Guess,
    pub(super) places: BTreeMap<String, Place>,
    pub(super) required: BTreeSet<String>,
    pub(super) scopes: Vec<String>,
}

/// Where an argument goes.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Place {
    Path,
    Query,
    Header(String),
    Field,
    Body,
}

/// What it is called with.
#[derive(Default)]
struct Arguments {
    places: BTreeMap<String, Place>,
    required: BTreeSet<String>,
    /// What is known of each: its type and format.
    schemas: Map<String, Json>,
    notes: Vec<String>,
}

impl Operation {
    /// Reads it; beside it stands what of it the contract does not say.
    pub(super) fn read<'n>(
        document: &Document<'n>,
        method: &str,
        path: &str,
        item: &'n Node,
        node: &'n Node,
    ) -> Result<(Self, Vec<String>), String> {
        if node.get("servers").is_some() || item.get("servers").is_some() {
            return Err("it is at a server of its own: a contract has one".to_owned());
        }
        check_path(path)?;
        let mut arguments = Arguments::default();
        // What the operation says of a parameter counts before what its path says.
        for parameter in list(node.get("parameters")).iter().chain(list(item.get("parameters"))) {
            arguments.parameter(document, parameter)?;
        }
        for name in parameters(path) {
            arguments.places.entry(name.to_owned()).or_insert(Place::Path);
            arguments.schemas.entry(name.to_owned()).or_insert_with(|| json!({}));
        }
        if let Some(body) = node.get("requestBody") {
            arguments.body(document, document.resolved(body)?)?;
        }
        if matches!(method, "get" | "head")
            && arguments.places.values().any(|p| matches!(p, Place::Field | Place::Body))
        {
            return Err("it sends a body with a method that has none".to_owned());
        }
        let unplaced = parameters(path).find(|name| arguments.places.get(*name) != Some(&Place::Path));
        if let Some(name) = unplaced {
            return Err(format!("`{name}` is in its path and elsewhere"));
        }
        if let Some(stray) =
            arguments.places.iter().find(|(name, p)| **p == Place::Path && !parameters(path).any(|n| n == *name))
        {
            return Err(format!("`{}` is said to be in its path, and is not", stray.0));
        }
        let name = name(method, path, node);
        let guess = guessed(method, &name, arguments.schemas);
        if node.get("callbacks").is_some() {
            arguments.notes.push("its callbacks are calls of the service: no contract writes them".to_owned());
        }
        let Arguments { places, required, notes, .. } = arguments;
        let (method, path) = (method.to_uppercase(), path.to_owned());
        Ok((Self { name, method, path, guess, places, required, scopes: scopes(node) }, notes))
    }
}

impl Arguments {
    fn parameter<'n>(&mut self, document: &Document<'n>, node: &'n Node) -> Result<(), String> {
        let node = document.resolved(node)?;
        let said = |key: &str| node.get(key).and_then(Node::as_text).map(AsRef::as_ref);
        let (Some(name), Some(place)) = (said("name"), said("in")) else {
            return Err("one of its parameters has no name or place".to_owned());
        };
        let is_required = is_true(node.get("required"));
        let place = match place {
            "path" => Place::Path,
            "query" => Place::Query,
            "header" if is_header(name) => Place::Header(name.to_owned()),
            "header" if ["authorization", "accept", "content-type"].contains(&name.to_lowercase().as_str()) => {
                return Ok(());
            }
            "header" | "cookie" if is_required => {
                return Err(format!("it needs the {place} `{name}`, which no argument may fill"));
            }
            _ => {
                self.notes.push(format!("`{name}` ({place}) is left out"));
                return Ok(());
            }
        };
        if self.places.get(name) == Some(&place) {
            return Ok(());
        }
        let schema = node.get("schema").map(|schema| document.resolved(schema)).transpose()?;
        self.put(name, place, is_required, schema)
    }

    fn put(&mut self, name: &str, place: Place, is_required: bool, schema: Option<&Node>) -> Result<(), String> {
        if !is_id(name) {
            return Err(format!("its argument `{name}` has a name that no contract can write"));
        }
        if self.places.insert(name.to_owned(), place).is_some() {
            return Err(format!("two of its arguments have the name `{name}`"));
        }
        if is_required {
            self.required.insert(name.to_owned());
        }
        let said = |key: &str| Some((key.to_owned(), schema?.get(key)?.as_text()?.as_ref().into()));
        let known: Map<String, Json> = ["type", "format"].into_iter().filter_map(said).collect();
        self.schemas.insert(name.to_owned(), known.into());
        Ok(())
    }

    fn body<'n>(&mut self, document: &Document<'n>, body: &'n Node) -> Result<(), String> {
        let is_required = is_true(body.get("required"));
        let contents = map(body.get("content"));
        let is_json = |kind: &str| {
            let kind = kind.split(';').next().unwrap_or_default().trim();
            kind == "application/json" || kind.ends_with("+json") || kind == "*/*"
        };
        let Some(content) = contents.iter().find(|entry| is_json(&entry.key)) else {
            let kinds: Vec<&str> = contents.iter().map(|entry| entry.key.as_ref()).collect();
            return Err(format!("its body is no JSON: {}", kinds.join(", ")));
        };
        let schema = content.value.get("schema");
        let mut fields = BTreeMap::new();
        let is_whole = match schema {
            Some(schema) => !properties(document, schema, 0, &mut fields)? || fields.is_empty(),
            None => true,
        };
        let fits = |name: &&str| is_id(name) && !self.places.contains_key(*name);
        if is_whole || !fields.keys().all(fits) {
            let name = if self.places.contains_key("body") { "request-body" } else { "body" };
            return self.put(name, Place::Body, is_required, None);
        }
        for (name, (property, is_needed)) in fields {
            self.put(name, Place::Field, is_required && is_needed, Some(property))?;
        }
        Ok(())
    }
}

/// The properties of an object, also of one that is made of several; whether the schema is of an object with no others.
fn properties<'n>(
    document: &Document<'n>,
    schema: &'n Node,
    depth: usize,
    out: &mut BTreeMap<&'n str, (&'n Node, bool)>,
) -> Result<bool, String> {
    let schema = document.resolved(schema)?;
    if depth > NESTED_MAX {
        return Ok(false);
    }
    if ["oneOf", "anyOf", "not", "patternProperties"].iter().any(|key| schema.get(key).is_some()) {
        return Ok(false);
    }
    // Fields that have no name here would have no place in the contract.
    let is_open = schema.get("additionalProperties").is_some_and(|more| more.to_json() != json!(false));
    let mut is_object = !is_open;
    for part in list(schema.get("allOf")) {
        is_object &= properties(document, part, depth + 1, out)?;
    }
    let required: Vec<&str> =
        list(schema.get("required")).iter().filter_map(|name| Some(name.as_text()?.as_ref())).collect();
    for entry in map(schema.get("properties")) {
        let property = document.resolved(&entry.value)?;
        if is_true(property.get("readOnly")) {
            continue;
        }
        out.insert(entry.key.as_ref(), (property, required.contains(&entry.key.as_ref())));
    }
    let kind = schema.get("type").and_then(Node::as_text).map(AsRef::as_ref);
    Ok(is_object && kind.is_none_or(|kind| kind == "object"))
}

/// What it probably does: by its method, where its name says nothing else.
fn guessed(method: &str, name: &str, schemas: Map<String, Json>) -> Guess {
    let hints = match method {
        "get" | "head" => json!({ "readOnlyHint": true }),
        "delete" => json!({ "destructiveHint": true }),
        _ => json!({}),
    };
    let definition = json!({ "annotations": hints, "inputSchema": { "properties": schemas } });
    let mut guess = guess(&Tool { name: name.to_owned(), definition });
    if guess.why == SAID_TO_READ {
        guess.why = format!("{} only reads", method.to_uppercase());
    } else if method == "delete" && !guess.privileged {
        // Whatever its name says.
        (guess.privileged, guess.why) = (true, "DELETE destroys something".to_owned());
    }
    guess
}

/// Its own name, or else one of its method and path.
fn name(method: &str, path: &str, node: &Node) -> String {
    let own = node.get("operationId").and_then(Node::as_text).map(AsRef::as_ref);
    let of_path = || {
        let words =
            path.split('/').map(|segment| segment.trim_matches(['{', '}'])).filter(|segment| !segment.is_empty());
        std::iter::once(method).chain(words).collect::<Vec<_>>().join("_")
    };
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let name: String = own.map_or_else(of_path, str::to_owned).chars().map(plain).take(80).collect();
    let name = name.trim_start_matches(['-', '_', '.']);
    if name.is_empty() { method.to_owned() } else { name.to_owned() }
}

/// The scopes that it, or the whole service, asks for.
pub(super) fn scopes(node: &Node) -> Vec<String> {
    let schemes = list(node.get("security")).iter().flat_map(|security| map(Some(security)));
    let scopes = schemes.flat_map(|scheme| list(Some(&scheme.value)));
    scopes.filter_map(|scope| Some(scope.as_text()?.to_string())).filter(|scope| !scope.trim().is_empty()).collect()
}

fn check_path(path: &str) -> Result<(), String> {
    let fits = |segment: &str| match segment.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')) {
        Some(name) => is_id(name),
        None => {
            segment.chars().all(|c| c.is_ascii_graphic() && !"{}?#\\%".contains(c)) && segment != "." && segment != ".."
        }
    };
    let inner = path.strip_prefix('/').unwrap_or(path);
    if path.starts_with('/')
        && (inner.is_empty() || inner.split('/').all(|segment| !segment.is_empty() && fits(segment)))
    {
        Ok(())
    } else {
        Err("its path is none that a contract can write: parameters are whole segments".to_owned())
    }
}

fn parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

/// A header that carries data, as contracts take them.
fn is_header(name: &str) -> bool {
    const RESERVED: [&str; 11] = [
        "authorization",
        "connection",
        "content-length",
        "cookie",
        "host",
        "proxy-authorization",
        "te",
        "transfer-encoding",
        "upgrade",
        "accept",
        "content-type",
    ];
    is_id(name)
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !RESERVED.contains(&name.to_lowercase().as_str())
}

fn is_true(node: Option<&Node>) -> bool {
    node.is_some_and(|node| node.to_json() == json!(true))
}
