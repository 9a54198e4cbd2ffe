//! A contract drafted from an OpenAPI description: its operations as actions of an HTTP service.
//!
//! The description is the service's own word, and whoever wrote it had other readers in mind. So everything unknown is taken
//! at its most careful, each guess is explained, and what a contract cannot write is told and left out.

mod operation;
mod reference;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use sluice_core::document::{self, Data, JsonRules, Node};
use sluice_core::text::Text;
use thiserror::Error;

use self::operation::{Operation, Place};
use self::reference::Document;
use super::{Guess, quoted};

/// Most operations of one description.
const OPERATIONS_MAX: usize = 2_000;
/// Methods that a contract can write.
const METHODS: [&str; 6] = ["get", "head", "post", "put", "patch", "delete"];

/// A contract and what it leaves out.
#[derive(Clone, Debug)]
pub struct Described {
    /// The contract.
    pub text: String,
    /// Its actions, each with what was guessed.
    pub actions: Vec<(String, Guess)>,
    /// Operations that it cannot describe, with why not.
    pub withheld: Vec<(String, String)>,
    /// What else of the description it does not say.
    pub notes: Vec<String>,
}

/// Why nothing can be drafted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DescriptionError {
    /// SL937. It is no such description.
    #[error("SL937: this is no OpenAPI description of version 3.0 or 3.1: {0}")]
    None(String),
    /// SL938. Nobody knows where the service is.
    #[error("SL938: the description does not say where the service is: {0}; say it with `--base https://HOST/PATH`")]
    NoBase(String),
    /// SL912. There is no end of it.
    #[error("SL912: the description has more operations than {OPERATIONS_MAX}")]
    TooMany,
}

/// Reads a description, YAML or JSON.
///
/// # Errors
/// Everything that is wrong with the text.
pub fn read(text: &Text) -> Result<Node, Vec<sluice_core::diagnostic::Diagnostic>> {
    if text.content.trim_start_matches('\u{feff}').trim_start().starts_with('{') {
        let rules = JsonRules { duplicates: document::Duplicates::Refuse, ..JsonRules::IMPORT };
        return document::read_json_with(text, rules).map(|(root, _)| root);
    }
    // A status of HTTP is written as a number in many descriptions, and keys are text to every reader of them.
    let lines = text.content.split_inclusive('\n').map(|line| {
        let inner = line.trim_start_matches(' ');
        match inner.split_once(':') {
            Some((status, rest)) if status.len() == 3 && status.bytes().all(|b| b.is_ascii_digit()) => {
                let indent = line.len() - inner.len();
                format!("{}\"{status}\":{rest}", " ".repeat(indent))
            }
            _ => line.to_owned(),
        }
    });
    document::read(&Text::new(text.name.clone(), lines.collect::<String>()))
}

/// Drafts the contract of a connector; `base` is where the service is, if somebody knows better than the description.
///
/// # Errors
/// [`DescriptionError`].
pub fn contract(connector: &str, root: &Node, base: Option<&str>) -> Result<Described, DescriptionError> {
    let version = root.get("openapi").and_then(Node::as_text).ok_or_else(|| {
        let is_older = root.get("swagger").is_some();
        let why = if is_older { "it is of version 2; convert it first" } else { "it has no key `openapi`" };
        DescriptionError::None(why.to_owned())
    })?;
    if !["3.0.", "3.1."].iter().any(|known| version.starts_with(known)) {
        return Err(DescriptionError::None(format!("its version is `{version}`")));
    }
    let mut draft = Draft { document: Document::new(root), withheld: Vec::new(), notes: Vec::new() };
    let base = match base {
        Some(base) => base.trim_end_matches('/').to_owned(),
        None => draft.base(root)?,
    };
    let operations = draft.operations(root)?;
    let credential = draft.credential(connector, &operations);
    let title = root.get("info").and_then(|info| info.get("title")?.as_text()).map_or("", AsRef::as_ref);
    let text = written(connector, title, &base, credential.as_deref(), &operations);
    let actions = operations.into_iter().map(|operation| (operation.name, operation.guess)).collect();
    Ok(Described { text, actions, withheld: draft.withheld, notes: draft.notes })
}

struct Draft<'n> {
    document: Document<'n>,
    withheld: Vec<(String, String)>,
    notes: Vec<String>,
}

impl<'n> Draft<'n> {
    /// The first server, with its variables as they are without anybody's choice.
    fn base(&mut self, root: &'n Node) -> Result<String, DescriptionError> {
        let servers = list(root.get("servers"));
        let Some(first) = servers.first() else {
            return Err(DescriptionError::NoBase("it names no server".to_owned()));
        };
        let mut url = first.get("url").and_then(Node::as_text).map_or_else(String::new, ToString::to_string);
        for variable in map(first.get("variables")) {
            let default = variable.value.get("default").and_then(Node::as_text);
            url = url.replace(&format!("{{{}}}", variable.key), default.map_or("", AsRef::as_ref));
        }
        if servers.len() > 1 {
            self.notes.push(format!("of {} servers the first one is meant: `{url}`", servers.len()));
        }
        match url.strip_prefix("https://") {
            Some(_) => Ok(url.trim_end_matches('/').to_owned()),
            None => Err(DescriptionError::NoBase(format!("`{url}` is no `https` address"))),
        }
    }

    fn operations(&mut self, root: &'n Node) -> Result<Vec<Operation>, DescriptionError> {
        let mut operations: Vec<Operation> = Vec::new();
        for entry in map(root.get("paths")) {
            let item = match self.document.resolved(&entry.value) {
                Ok(item) => item,
                Err(why) => {
                    self.withheld.push((entry.key.to_string(), why));
                    continue;
                }
            };
            for entry_of in map(Some(item)) {
                let method = entry_of.key.as_ref();
                let told = format!("{} {}", method.to_uppercase(), entry.key);
                if matches!(method, "options" | "trace") {
                    self.withheld.push((told, "no contract writes this method".to_owned()));
                    continue;
                }
                if !METHODS.contains(&method) {
                    continue;
                }
                if operations.len() + self.withheld.len() >= OPERATIONS_MAX {
                    return Err(DescriptionError::TooMany);
                }
                match Operation::read(&self.document, method, &entry.key, item, &entry_of.value) {
                    Ok((operation, notes)) => match clash(&operations, &operation) {
                        None => {
                            self.notes.extend(notes.into_iter().map(|note| format!("{told}: {note}")));
                            operations.push(operation);
                        }
                        Some(why) => self.withheld.push((told, why)),
                    },
                    Err(why) => self.withheld.push((told, why)),
                }
            }
        }
        if root.get("webhooks").is_some() {
            self.notes.push("its webhooks are calls of the service: no contract writes them".to_owned());
        }
        Ok(operations)
    }

    /// The secret that every call takes along, if there is one of a kind that a contract writes.
    fn credential(&mut self, connector: &str, operations: &[Operation]) -> Option<String> {
        let schemes = self.document.root().get("components").and_then(|components| components.get("securitySchemes"));
        let mut is_bearer = false;
        for entry in map(schemes) {
            let Ok(scheme) = self.document.resolved(&entry.value) else { continue };
            let said = |key: &str| scheme.get(key).and_then(Node::as_text).map_or("", AsRef::as_ref);
            match (said("type"), said("scheme").to_lowercase().as_str()) {
                ("oauth2" | "openIdConnect", _) | ("http", "bearer") => is_bearer = true,
                ("apiKey", _) => self.notes.push(format!(
                    "the scheme `{}` puts a key into the {} `{}`: give the actions an argument with `secret` for it, placed there by \
                     `request.headers` (a key in a query or a cookie cannot be written)",
                    entry.key,
                    said("in"),
                    said("name")
                )),
                (kind, scheme) => self.notes.push(format!("no contract writes the scheme `{}` ({kind} {scheme})", entry.key)),
            }
        }
        if !is_bearer {
            return None;
        }
        let scopes: BTreeSet<String> = self
            .required_scopes(self.document.root())
            .chain(operations.iter().flat_map(|operation| operation.scopes.iter().cloned()))
            .collect();
        let scopes: Vec<String> = scopes.iter().map(|scope| quoted(scope)).collect();
        Some(format!("credential: {{ secret: {connector}-token, scopes: [{}] }}", scopes.join(", ")))
    }

    fn required_scopes(&self, node: &Node) -> impl Iterator<Item = String> + use<> {
        operation::scopes(node).into_iter()
    }
}

/// Why an operation cannot stand beside the earlier ones: one call must mean one action.
fn clash(operations: &[Operation], new: &Operation) -> Option<String> {
    if let Some(other) = operations.iter().find(|other| other.name == new.name) {
        return Some(format!("`{} {}` has the same name", other.method, other.path));
    }
    let parameter = |segment: &str| segment.starts_with('{');
    let meets = |other: &&Operation| {
        let (ours, theirs): (Vec<&str>, Vec<&str>) = (new.path.split('/').collect(), other.path.split('/').collect());
        let each = |(a, b): (&&str, &&str)| a == b || parameter(a) || parameter(b);
        new.method == other.method && ours.len() == theirs.len() && ours.iter().zip(&theirs).all(each)
    };
    let other = operations.iter().find(meets)?;
    Some(format!(
        "one call could mean it and `{} {}` as well; rename or remove one in the description",
        other.method, other.path
    ))
}

fn written(connector: &str, title: &str, base: &str, credential: Option<&str>, operations: &[Operation]) -> String {
    let mut text = String::from(
        "# Drafted from an OpenAPI description: every line is a guess. Read it, correct it, and sign it (`sluice policy\n\
         # sign`). Replies count as an outsider's words and as data of every kind until `output` says otherwise.\n",
    );
    // Writing into a String cannot fail.
    if !title.is_empty() {
        let _ = writeln!(text, "# {}", quoted(title));
    }
    let _ = writeln!(text, "version: 1\nconnector: {connector}\ntransport: {{ http: {{ base: {} }} }}", quoted(base));
    if let Some(credential) = credential {
        let _ = writeln!(text, "{credential}");
    }
    text.push_str(if operations.is_empty() { "actions: {}\n" } else { "actions:\n" });
    for operation in operations {
        write_action(&mut text, operation);
    }
    text
}

fn write_action(out: &mut String, operation: &Operation) {
    let guess = &operation.guess;
    let _ = writeln!(out, "  {}:\n    # {}", quoted(&operation.name), guess.why);
    let _ = writeln!(out, "    effect: {}", guess.effect.name());
    if guess.privileged && !guess.effect.is_privileged() {
        out.push_str("    privileged: true\n");
    }
    let mut request = format!("method: {}, path: {}", operation.method, quoted(&operation.path));
    let named = |place: Place| {
        let placed = operation.places.iter().filter(move |(_, at)| **at == place);
        placed.map(|(name, _)| quoted(name)).collect::<Vec<_>>()
    };
    let (query, fields, whole) = (named(Place::Query), named(Place::Field), named(Place::Body));
    if !query.is_empty() {
        let _ = write!(request, ", query: [{}]", query.join(", "));
    }
    let headers: BTreeMap<&str, &str> = operation
        .places
        .iter()
        .filter_map(
            |(name, place)| {
                if let Place::Header(header) = place { Some((header.as_str(), name.as_str())) } else { None }
            },
        )
        .collect();
    if !headers.is_empty() {
        let pairs: Vec<String> =
            headers.iter().map(|(header, name)| format!("{}: {}", quoted(header), quoted(name))).collect();
        let _ = write!(request, ", headers: {{ {} }}", pairs.join(", "));
    }
    if let Some(body) = whole.first() {
        let _ = write!(request, ", body: {body}");
    } else if !fields.is_empty() {
        let _ = write!(request, ", body: [{}]", fields.join(", "));
    }
    let _ = writeln!(out, "    request: {{ {request} }}");
    if !guess.arguments.is_empty() {
        out.push_str("    arguments:\n");
        for (name, role) in &guess.arguments {
            let required = if operation.required.contains(name) { ", required: true" } else { "" };
            let _ = writeln!(out, "      {}: {{ role: {}{required} }}", quoted(name), role.name());
        }
    }
    if let Some(argument) = &guess.destination {
        let _ = writeln!(out, "    destination: {{ argument: {} }}", quoted(argument));
    }
    out.push_str("    output: { from: merge, trust: { \"\": origin } }\n");
}

/// The entries of a map; none if it is no map.
fn map(node: Option<&Node>) -> &[document::Entry] {
    match node.map(|node| &node.value) {
        Some(Data::Map(entries)) => entries,
        _ => &[],
    }
}

/// The items of a list; none if it is no list.
fn list(node: Option<&Node>) -> &[Node] {
    match node.map(|node| &node.value) {
        Some(Data::List(items)) => items,
        _ => &[],
    }
}

#[cfg(test)]
mod tests;
