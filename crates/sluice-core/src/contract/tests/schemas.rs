//! The published JSON Schemas and the readers agree.
//!
//! The checker below knows the part of JSON Schema that ours use, and fails on any other keyword: a validator crate
//! would be the largest dependency of this one.

use std::path::Path;

use serde_json::Value as Json;

use super::*;
use crate::document;
use crate::text::Text;

/// The schema of a file of a workspace.
fn schema(file: &str) -> Json {
    let name = match file {
        _ if file.starts_with("connectors/") => "contract",
        _ => Path::new(file).file_stem().and_then(|s| s.to_str()).unwrap(),
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schemas").join(name).with_extension("json");
    #[expect(clippy::disallowed_methods, reason = "a test reads the published schema")]
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Checks values against one schema document, and notes which properties were seen.
struct Checker<'s> {
    root: &'s Json,
    seen: Vec<String>,
}

impl<'s> Checker<'s> {
    fn fits(&mut self, schema: &'s Json, value: &Json, at: &str) -> bool {
        schema.as_object().unwrap().iter().all(|(keyword, rule)| self.keyword(schema, keyword, rule, value, at))
    }

    fn keyword(&mut self, schema: &'s Json, keyword: &str, rule: &'s Json, value: &Json, at: &str) -> bool {
        let limit = rule.as_u64().map(|n| usize::try_from(n).unwrap());
        match keyword {
            "$schema" | "title" | "description" | "default" | "$defs" => true,
            "$ref" => {
                let pointer = rule.as_str().unwrap().trim_start_matches('#');
                self.fits(self.root.pointer(pointer).unwrap(), value, pointer)
            }
            "type" => match rule.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "integer" => value.is_i64(),
                other => panic!("type {other}"),
            },
            "const" => value == rule,
            "enum" => rule.as_array().unwrap().contains(value),
            "minimum" => value.as_u64() >= rule.as_u64(),
            "minLength" => value.as_str().is_some_and(|s| s.len() >= limit.unwrap()),
            "minItems" => value.as_array().is_none_or(|a| a.len() >= limit.unwrap()),
            "minProperties" => value.as_object().is_none_or(|o| o.len() >= limit.unwrap()),
            "maxProperties" => value.as_object().is_none_or(|o| o.len() <= limit.unwrap()),
            "required" => names(rule).all(|name| value.get(name).is_some()),
            "items" => value.as_array().is_none_or(|a| a.iter().all(|v| self.fits(rule, v, at))),
            "oneOf" => rule.as_array().unwrap().iter().filter(|s| self.fits(s, value, at)).count() == 1,
            "propertyNames" => {
                value.as_object().is_none_or(|o| o.keys().all(|k| self.fits(rule, &k.as_str().into(), at)))
            }
            "properties" => value.as_object().is_none_or(|o| {
                o.iter().all(|(key, v)| match rule.get(key) {
                    Some(schema) => {
                        let at = format!("{at}/{key}");
                        self.seen.push(at.clone());
                        self.fits(schema, v, &at)
                    }
                    None => true,
                })
            }),
            "additionalProperties" => value.as_object().is_none_or(|o| {
                let listed = |key: &str| schema.get("properties").is_some_and(|p| p.get(key).is_some());
                o.iter()
                    .filter(|(key, _)| !listed(key))
                    .all(|(_, v)| *rule != Json::Bool(false) && self.fits(rule, v, at))
            }),
            "pattern" => pattern(rule.as_str().unwrap(), value.as_str().unwrap_or_default()),
            other => panic!("keyword {other}"),
        }
    }
}

fn names(list: &Json) -> impl Iterator<Item = &str> {
    list.as_array().unwrap().iter().map(|name| name.as_str().unwrap())
}

/// The patterns that the schemas use, each read by hand.
fn pattern(pattern: &str, text: &str) -> bool {
    let hex = |s: &str| s.len() == 64 && s.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let quantity = |units: &[&str]| {
        units.iter().any(|unit| {
            let number = text.strip_suffix(unit).map(|n| n.strip_suffix(' ').unwrap_or(n));
            number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
        })
    };
    match pattern {
        "^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$" => crate::contract::read::is_id(text),
        "^[A-Za-z_][A-Za-z0-9_]*$" => crate::contract::read::is_variable(text),
        "^[A-Za-z0-9_-]+$" => !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)),
        "^(/.*)?$" => text.is_empty() || text.starts_with('/'),
        "^/" => text.starts_with('/'),
        "^[^\\\\]+$" => !text.is_empty() && !text.contains('\\'),
        "^https?://[^?#@{}%\\\\ ]+$" => {
            text.starts_with("http") && !text.contains(['?', '#', '@', '{', '}', '%', '\\', ' '])
        }
        "^[^ @<>,]+@[^ @<>,]+$" => {
            let parts: Vec<&str> = text.split('@').collect();
            parts.len() == 2 && parts.iter().all(|part| !part.is_empty() && !part.contains([' ', '<', '>', ',']))
        }
        "^sha256:[0-9a-f]{64}$" => text.strip_prefix("sha256:").is_some_and(hex),
        "^[0-9]+ ?(B|kB|MB|KiB|MiB|GiB)$" => quantity(&["KiB", "MiB", "GiB", "kB", "MB", "B"]),
        "^[0-9]+ ?(ms|s|m|h)$" => quantity(&["ms", "s", "m", "h"]),
        "^sluice-public-key-1 [^ ]+ ed25519 [0-9a-f]{64}$" => text.split(' ').nth(3).is_some_and(hex),
        other => panic!("pattern {other}"),
    }
}

fn check(file: &str, text: &str) -> (bool, Vec<String>) {
    let schema = schema(file);
    let value = document::read(&Text::new(file, text)).unwrap().to_json();
    let mut checker = Checker { root: &schema, seen: Vec::new() };
    let fits = checker.fits(&schema, &value, "");
    (fits, checker.seen)
}

/// Every key that the schema of a contract knows, beside those of the page.
const FULL: &str = r#"
version: 1
connector: full
transport: { http: { base: "http://10.0.0.7:8080/api", pin: "sha256:0000000000000000000000000000000000000000000000000000000000000000", allow_private: true } }
credential: { secret: s, scopes: [a] }
region: eu
owner: it
actions:
  act:
    effect: notify
    privileged: true
    description: "everything at once"
    request: { method: PUT, path: "/{id}", query: [q], headers: { X-Tenant: t, X-Key: k }, body: doc }
    idempotency: { lookup: find }
    arguments:
      id: { role: reference, reference: thing, version: find, required: true }
      q: { allow: [a, b] }
      t: { role: destination }
      k: { secret: s2 }
      doc: { role: payload, resolve: directory }
    output: { from: echo, trust: { "": origin }, dataset: d, labels: { "": [] }, subject: "/id", regions: { only: [eu] }, purposes: { only: [care] }, undeclared: raise }
    destination: { argument: t }
    limits: { per_hour: 1, bytes: 1MiB, timeout: 30s }
  find: { effect: read, request: { method: GET, path: /find }, arguments: { id: {} }, idempotency: natural }
"#;

/// The keys that only a writer of CSV has.
const TABLE: &str = r#"
version: 1
connector: table
transport: { files: { folder: data, format: csv } }
actions:
  write:
    effect: write
    request: { file: a.csv, operation: replace, columns: [id], formulas: keep }
    arguments: { rows: { role: payload } }
    output: { dataset: d }
"#;

/// A server that is reached by its URL.
const REMOTE: &str = r#"
version: 1
connector: remote
transport:
  mcp:
    url: "http://127.0.0.1:3001/mcp"
    headers: { Authorization: { secret: remote-token }, X-Team: sales }
    pin: "sha256:0000000000000000000000000000000000000000000000000000000000000000"
    allow_private: true
actions:
  search: { effect: read, request: { tool: search }, arguments: { query: { role: query } } }
"#;

#[test]
fn every_file_of_the_page_fits_its_schema() {
    for (file, text) in workspace() {
        assert!(check(&file, &text).0, "{file}");
    }
}

#[test]
fn a_contract_with_every_key_is_read_and_fits() {
    let mut files = workspace();
    for (file, text) in
        [("connectors/full.yaml", FULL), ("connectors/table.yaml", TABLE), ("connectors/remote.yaml", REMOTE)]
    {
        files.insert(file.to_owned(), text.to_owned());
        assert!(check(file, text).0, "{file}");
    }
    assert_eq!(problems(&files), "no problem");
}

#[test]
fn no_schema_lists_a_key_that_no_reader_knows() {
    let mut files = edited(&[
        (
            "connectors/assistant.yaml",
            "name: recorded-1, ",
            "name: recorded-1, allow_private: false, pin: \"sha256:0000000000000000000000000000000000000000000000000000000000000000\", ",
        ),
        ("registers/principals.yaml", "cleo: { ", "cleo: { vouches: [author], mail: cleo@example.com, "),
        ("registers/principals.yaml", "it: { members", "it: { description: x, members"),
        (
            "registers/principals.yaml",
            "backup: { ",
            "backup: { identities: [{ issuer: \"https://login.example.com\", subject: x }], ",
        ),
        (
            "connectors/tickets.yaml",
            "output: { from: replace, trust: { ",
            "ticket: { id: id, status: /status, open: [open], subject: /about, requester: /by, issuer: \"https://login.example.com\" }\n    \
             output: { from: replace, trust: { \"/by\": trusted, ",
        ),
        ("registers/releases.yaml", "drop: ", "description: x\n    drop: "),
        ("registers/regions.yaml", "us: {}", "us: {}\n  apac: {}"),
    ]);
    let key = format!("keys: [\"{}\"], ", key::SecretKey::from_seed("ana", [1; 32]).public().to_line("ana"));
    let principals = files.get_mut("registers/principals.yaml").unwrap();
    *principals = principals.replacen("ana: { ", &format!("ana: {{ {key}"), 1);
    let releases = files.get_mut("registers/releases.yaml").unwrap();
    releases.push_str("  masked: { by: sales, clears: { categories: [pii] }, mask: [\"/*/name\"] }\n");
    files.insert("connectors/full.yaml".to_owned(), FULL.to_owned());
    files.insert("connectors/table.yaml".to_owned(), TABLE.to_owned());
    files.insert("connectors/remote.yaml".to_owned(), REMOTE.to_owned());
    assert_eq!(problems(&files), "no problem");

    let mut unseen: std::collections::BTreeMap<String, Vec<String>> = std::collections::BTreeMap::new();
    for (file, text) in &files {
        let name = schema(file)["title"].as_str().unwrap().to_owned();
        let listed = unseen.entry(name).or_insert_with(|| {
            let schema = schema(file);
            let mut listed = Vec::new();
            list(&schema, &schema, "", &mut listed);
            listed
        });
        let (_, seen) = check(file, text);
        listed.retain(|at| !seen.contains(at));
    }
    unseen.retain(|_, keys| !keys.is_empty());
    assert!(unseen.is_empty(), "no example uses {unseen:?}");
}

/// Every property of a schema, by the same paths as [`Checker::seen`].
fn list(root: &Json, schema: &Json, at: &str, out: &mut Vec<String>) {
    if let Some(pointer) = schema.get("$ref").and_then(Json::as_str) {
        let pointer = pointer.trim_start_matches('#');
        return list(root, root.pointer(pointer).unwrap(), pointer, out);
    }
    for (key, inner) in schema.get("properties").and_then(Json::as_object).into_iter().flatten() {
        let at = format!("{at}/{key}");
        if !out.contains(&at) {
            out.push(at.clone());
            list(root, inner, &at, out);
        }
    }
    let inner = ["additionalProperties", "items"].into_iter().filter_map(|k| schema.get(k)).filter(|s| s.is_object());
    for schema in inner.chain(schema.get("oneOf").and_then(Json::as_array).into_iter().flatten()) {
        list(root, schema, at, out);
    }
}

#[test]
fn what_a_reader_refuses_for_its_form_the_schema_refuses_too() {
    for (file, from, to) in [
        ("connectors/crm.yaml", "allow: [id", "alow: [id"),
        ("connectors/crm.yaml", "version: 1", "version: 2"),
        ("connectors/crm.yaml", "effect: read", "effect: reed"),
        ("connectors/crm.yaml", "connector: crm", "connector: \"c rm\""),
        ("connectors/crm.yaml", "transport: { http:", "transport: { sql: { database: d }, http:"),
        ("connectors/crm.yaml", "request: { method: GET, path: /accounts }", "request: { method: GET }"),
        ("connectors/crm.yaml", "\"/accounts/*/name\"", "\"accounts/*/name\""),
        ("connectors/archive.yaml", "operation: append", "operation: append, columns: []"),
        ("connectors/sheets.yaml", "bytes: 1MiB", "bytes: 1 mile"),
        ("connectors/sheets.yaml", "{ key: Idempotency-Key }", "{ key: K, lookup: L }"),
        ("registers/releases.yaml", "drop: [\"/*/health_note\"]", "drop: [\"\"]\n    mask: [\"\"]"),
        ("registers/releases.yaml", "kind: approval", "kind: approval\n    allow: [readers]"),
        ("registers/releases.yaml", "kind: approval", "kind: aproval"),
        ("registers/classification.yaml", "only: [eu, us]", "only: []"),
        ("registers/classification.yaml", "email: [pii]", "e-mail: [pii]"),
        ("connectors/mailbox.yaml", "undeclared: raise", "undeclared: ignore"),
        ("registers/principals.yaml", "class: privileged", "class: mighty"),
        ("registers/budgets.yaml", "each: origin", "each: person"),
        ("registers/budgets.yaml", "per: minute", "per: moment"),
        ("registers/budgets.yaml", "asks: 20", "asks: -1"),
        ("registers/budgets.yaml", ", per: hour }", " }"),
        ("workspace.yaml", "mode: test", "mode: prod"),
    ] {
        let files = edited(&[(file, from, to)]);
        assert_ne!(problems(&files), "no problem", "{file} {to}");
        assert!(!check(file, &files[file]).0, "{file} {to}");
    }
}
