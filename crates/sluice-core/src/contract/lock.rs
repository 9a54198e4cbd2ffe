//! `sluice.lock`: what people have seen of the tools that a server offers.
//!
//! A contract says what a tool may do; its pin says which tool that is: the whole definition, with the words that a model
//! reads. A server that says something else tomorrow is drift, and whoever signs the bundle sees in a difference of this
//! file what it says now. JSON, one entry per connector and tool, keys in order, one value per line.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};

use crate::contract::codes::BAD_PIN;
use crate::contract::digest::Digest;
use crate::contract::read::{check_id, text, version};
use crate::diagnostic::Diagnostic;
use crate::document::{self, Data, Entry, Fields, Node};
use crate::label::Name;
use crate::text::{Text, is_unseen};

/// The file in a workspace.
pub const LOCK_FILE: &str = "sluice.lock";
/// Before the digits of a digest.
const SHA256: &str = "sha256:";

/// Every pin of a workspace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lock {
    /// By connector.
    pub connectors: BTreeMap<Name, Pins>,
}

/// The pins of one connector.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pins {
    /// What the server said of itself when it was pinned. For people: nothing is decided by it.
    pub server: Server,
    /// By the tool's name there.
    pub tools: BTreeMap<Name, Pin>,
}

/// What a server says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Server {
    /// Its name.
    pub name: Option<Name>,
    /// Its version.
    pub version: Option<Name>,
    /// The revision of the protocol that it spoke.
    pub protocol: Option<Name>,
}

/// A tool as people have seen it.
#[derive(Clone, Debug, PartialEq)]
pub struct Pin {
    definition: Json,
    digest: Digest,
}

impl Pin {
    /// Of a definition.
    #[must_use]
    pub fn of(definition: &Json) -> Self {
        Self { digest: digest_of(definition), definition: sorted(definition) }
    }

    /// All that the server said of it, keys in order.
    #[must_use]
    pub const fn definition(&self) -> &Json {
        &self.definition
    }

    /// The digest of it.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }
}

/// The digest of a definition, in whatever order its keys stand: SHA-256 of its JSON with keys in order and no spaces.
#[must_use]
pub fn digest_of(definition: &Json) -> Digest {
    Digest::of(sorted(definition).to_string().as_bytes())
}

/// The same value with its keys in order.
#[must_use]
pub fn sorted(value: &Json) -> Json {
    match value {
        Json::Array(items) => items.iter().map(sorted).collect(),
        Json::Object(fields) => {
            let fields: BTreeMap<&String, Json> = fields.iter().map(|(key, value)| (key, sorted(value))).collect();
            fields.into_iter().map(|(key, value)| (key.clone(), value)).collect()
        }
        other => other.clone(),
    }
}

impl Lock {
    /// Reads a lock.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place; `SL787` where a digest is not that of its definition.
    pub fn parse(text: &Text) -> Result<Self, Vec<Diagnostic>> {
        let root = document::read_json(text)?;
        let mut out = Vec::new();
        let lock = Fields::of(&root, "a lock", &mut out).map(|fields| Self::read(fields, &mut out));
        match lock {
            Some(lock) if out.is_empty() => Ok(lock),
            _ => Err(out),
        }
    }

    fn read(mut fields: Fields<'_>, out: &mut Vec<Diagnostic>) -> Self {
        if !version(&mut fields, out) {
            return Self::default();
        }
        let entries = fields.required("connectors", out).and_then(|n| n.expect_map("connectors", out));
        let mut connectors = BTreeMap::new();
        for entry in entries.unwrap_or_default() {
            check_id(&entry.key, entry.key_span, out);
            connectors.extend(pins(&entry.value, out).map(|pins| (entry.key.clone(), pins)));
        }
        fields.finish(out);
        Self { connectors }
    }

    /// The file: JSON with its keys in order, in which every character that nobody sees is spelled out.
    #[must_use]
    pub fn to_text(&self) -> String {
        let connectors: Map<String, Json> =
            self.connectors.iter().map(|(name, pins)| (name.to_string(), pins.to_json())).collect();
        let lock = json!({ "version": 1, "connectors": connectors });
        // Only a key that is no text could fail, and there is none.
        let written = serde_json::to_string_pretty(&lock).unwrap_or_default();
        let mut text = String::with_capacity(written.len());
        for c in written.chars() {
            if is_unseen(c) && c != '\n' {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing into a String cannot fail.
                    let _ = write!(text, "\\u{unit:04x}");
                }
            } else {
                text.push(c);
            }
        }
        text + "\n"
    }
}

impl Pins {
    fn to_json(&self) -> Json {
        let Server { name, version, protocol } = &self.server;
        let said = [("name", name), ("protocol", protocol), ("version", version)];
        let server: Map<String, Json> =
            said.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.as_deref()?.into()))).collect();
        let pin = |(name, pin): (&Name, &Pin)| {
            let digest = format!("{SHA256}{}", pin.digest);
            (name.to_string(), json!({ "digest": digest, "definition": pin.definition }))
        };
        json!({ "server": server, "tools": self.tools.iter().map(pin).collect::<Map<String, Json>>() })
    }
}

fn pins(node: &Node, out: &mut Vec<Diagnostic>) -> Option<Pins> {
    let mut fields = Fields::of(node, "a pinned connector", out)?;
    let server = fields.optional("server").and_then(|node| server(node, out)).unwrap_or_default();
    let entries = fields.required("tools", out).and_then(|n| n.expect_map("tools", out)).unwrap_or_default();
    let tools = entries.iter().filter_map(|entry| Some((entry.key.clone(), pin(entry, out)?))).collect();
    fields.finish(out);
    Some(Pins { server, tools })
}

fn server(node: &Node, out: &mut Vec<Diagnostic>) -> Option<Server> {
    let mut fields = Fields::of(node, "a server", out)?;
    let mut said = |key| fields.optional(key).and_then(|node| Some(text(node, key, out)?.value));
    let server = Server { name: said("name"), version: said("version"), protocol: said("protocol") };
    fields.finish(out);
    Some(server)
}

fn pin(entry: &Entry, out: &mut Vec<Diagnostic>) -> Option<Pin> {
    let mut fields = Fields::of(&entry.value, "a pin", out)?;
    let digest = fields.required("digest", out);
    let written = digest.and_then(|node| node.expect_text("digest", out));
    let definition = fields.required("definition", out);
    fields.finish(out);
    let (digest, written, definition) = (digest?, written?, definition?);
    if !matches!(definition.value, Data::Map(_)) {
        out.push(BAD_PIN.at(definition.span, format!("the definition of `{}` is no map", entry.key)));
        return None;
    }
    let name = definition.get("name");
    if name.and_then(Node::as_text) != Some(&entry.key) {
        let span = name.map_or(definition.span, |name| name.span);
        out.push(BAD_PIN.at(span, format!("the definition of `{}` is of a tool with another name", entry.key)));
        return None;
    }
    let pin = Pin::of(&definition.to_json());
    if written.strip_prefix(SHA256).and_then(Digest::parse) != Some(pin.digest) {
        let message = format!("the definition of `{}` has the digest {SHA256}{}", entry.key, pin.digest);
        out.push(BAD_PIN.at(digest.span, message));
        return None;
    }
    Some(pin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(definitions: &[Json]) -> Lock {
        let name = |definition: &Json| Name::from(definition["name"].as_str().unwrap());
        let tools = definitions.iter().map(|definition| (name(definition), Pin::of(definition))).collect();
        let server = Server { name: Some("mail".into()), version: None, protocol: Some("2025-11-25".into()) };
        Lock { connectors: [("mailbox".into(), Pins { server, tools })].into() }
    }

    fn read(text: &str) -> Result<Lock, Vec<String>> {
        let said = |d: Diagnostic| format!("{} {}:{} {}", d.code, d.span.line, d.span.column, d.message);
        Lock::parse(&Text::new(LOCK_FILE, text)).map_err(|found| found.into_iter().map(said).collect())
    }

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let numbers = json!([1.0, 1e300, -0.25, 9_007_199_254_740_993_i64, 1e-7]);
        let lock = lock(&[
            json!({ "name": "send", "inputSchema": { "type": "object", "z": 1, "a": numbers }, "description": "Sends\nmail." }),
            json!({ "name": "odd \u{202e}name", "description": "see\u{200b}n \u{e0041} \"\\" }),
            json!({ "name": "" }),
        ]);
        assert_eq!(read(&lock.to_text()), Ok(lock));
        assert_eq!(read(&Lock::default().to_text()), Ok(Lock::default()));
    }

    #[test]
    fn people_see_every_character_and_every_key_in_order() {
        let text =
            lock(&[json!({ "name": "b\u{202e}", "description": "x\u{200b}y" }), json!({ "name": "a" })]).to_text();
        assert!(text.is_ascii(), "{text}");
        let at = |word: &str| text.find(word).unwrap_or_else(|| panic!("{word} in {text}"));
        assert!(at("\"a\": {") < at("\"b\\u202e\": {") && at("x\\u200by") < at("\"name\": \"b\\u202e\""), "{text}");
    }

    #[test]
    fn a_digest_sees_every_word_and_no_order() {
        let of = |text: &str| digest_of(&serde_json::from_str(text).unwrap());
        let digest = of(r#"{"name":"a","schema":{"x":1,"y":[{"b":1,"a":2}]}}"#);
        assert_eq!(digest, of(r#"{"schema":{"y":[{"a":2,"b":1}],"x":1},"name":"a"}"#));
        assert_ne!(digest, of(r#"{"name":"a","schema":{"x":1,"y":[{"b":1,"a":3}]}}"#));
    }

    #[test]
    fn what_a_lock_cannot_mean_is_an_error_at_its_place() {
        let good = lock(&[json!({ "name": "a" })]).to_text();
        let digest = digest_of(&json!({ "name": "a" })).to_string();
        let wrong = format!("SL787 11:21 the definition of `a` has the digest sha256:{digest}");
        for (from, to, said) in [
            ("\"version\": 1", "\"version\": 2", "SL762 2:14 this release reads version 1, found version 2"),
            ("\"mailbox\"", "\"mail box\"", "SL763 4:5 `mail box` cannot be a name"),
            ("\"a\": {", "\"b\": {", "SL787 13:21 the definition of `b` is of a tool with another name"),
            ("\"protocol\"", "\"protokol\"", "SL117 7:9 unknown key `protokol` in a server; did you mean `protocol`?"),
            (digest.as_str(), "00", wrong.as_str()),
            ("\"tools\"", "\"tolls\"", "SL116 4:16 a pinned connector has no `tools`"),
        ] {
            let found = read(&good.replace(from, to)).unwrap_err();
            assert_eq!(found.first().map(String::as_str), Some(said), "{from}");
        }
        assert!(read("{\"version\": 1, \"connectors\": {}, \"connectors\": {}}").is_err(), "a key twice");
        assert!(read("version: 1\nconnectors: {}\n").is_err(), "another reader's YAML");
    }
}
