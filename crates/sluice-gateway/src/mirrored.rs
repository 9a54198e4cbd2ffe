//! Arguments that a tool wants to see in the head of a request too: `x-mcp-header` in its schema, `Mcp-Param-*` in the head.
//!
//! Whoever stands between may route by the head, and the server acts on the body: so both must say the same. A schema whose
//! marks nobody could follow is refused as a whole, since two readers would make different things of it.
//! Source: Model Context Protocol 2026-07-28, streamable HTTP, custom headers from tool parameters.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use hyper::HeaderMap;
use serde_json::Value as Json;
use sluice_core::document::{Data, Node};

use crate::frame::Id;
use crate::streamable::headers::{decoded, encoded, one};

/// How these headers begin.
const PREFIX: &str = "mcp-param-";
/// The mark in a schema.
const MARK: &str = "x-mcp-header";
/// Parts of a schema that hold values, not schemas.
const VALUES: [&str; 4] = ["default", "const", "enum", "examples"];
/// Up to where whole numbers are exact in every reader.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
/// Requests whose heads are kept until they are looked at.
const HEADS_MAX: usize = 10_000;

/// An argument that stands in the head too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mirrored {
    /// The header's name.
    header: String,
    /// Where it stands among the arguments.
    path: Vec<String>,
}

/// What a schema wants to see in the head.
///
/// # Errors
/// Why nobody could follow it, in words.
pub(crate) fn of_schema(schema: &Json) -> Result<Vec<Mirrored>, String> {
    let mut found = Vec::new();
    walk(schema, &mut Vec::new(), true, &mut found)?;
    let mut names = BTreeSet::new();
    match found.iter().find(|mirrored| !names.insert(&mirrored.header)) {
        Some(twice) => Err(format!("two arguments want the header `{}`", twice.header)),
        None => Ok(found),
    }
}

fn walk(schema: &Json, path: &mut Vec<String>, is_reached: bool, found: &mut Vec<Mirrored>) -> Result<(), String> {
    match schema {
        Json::Array(parts) => parts.iter().try_for_each(|part| walk(part, path, false, found)),
        Json::Object(keys) => {
            if let Some(mark) = keys.get(MARK) {
                found.push(marked(mark, keys.get("type"), path, is_reached)?);
            }
            for (key, inner) in keys.iter().filter(|(key, _)| !VALUES.contains(&key.as_str())) {
                match (key.as_str(), inner) {
                    ("properties", Json::Object(properties)) => {
                        for (name, property) in properties {
                            path.push(name.clone());
                            let walked = walk(property, path, is_reached, found);
                            path.pop();
                            walked?;
                        }
                    }
                    (MARK, _) => {}
                    _ => walk(inner, path, false, found)?,
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn marked(mark: &Json, kind: Option<&Json>, path: &[String], is_reached: bool) -> Result<Mirrored, String> {
    let name = mark.as_str().filter(|name| !name.is_empty() && name.bytes().all(is_token));
    let name = name.ok_or_else(|| format!("`{MARK}` is no name of a header: {mark}"))?;
    if !is_reached || path.is_empty() {
        return Err(format!("`{MARK}: {name}` stands where no argument is sure to be"));
    }
    let is_plain = |kind: &Json| matches!(kind.as_str(), Some("string" | "integer" | "boolean"));
    let fits = match kind {
        Some(Json::Array(kinds)) => kinds.iter().all(|kind| is_plain(kind) || kind == "null"),
        Some(kind) => is_plain(kind),
        None => false,
    };
    if !fits {
        return Err(format!("`{MARK}: {name}` is of an argument that is no text, whole number or truth value"));
    }
    Ok(Mirrored { header: format!("{PREFIX}{}", name.to_ascii_lowercase()), path: path.to_vec() })
}

/// A character of a header's name. Source: RFC 9110 §5.6.2.
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

/// The lines of a head that show these arguments.
pub(crate) fn lines(mirrored: &[Mirrored], arguments: Option<&Node>) -> Vec<(String, String)> {
    let line = |mirrored: &Mirrored| {
        let shown = match &value(mirrored, arguments)?.value {
            Data::Text(text) if text.is_empty() => String::new(),
            Data::Text(text) => encoded(text),
            Data::Bool(truth) => truth.to_string(),
            Data::Int(number) => number.to_string(),
            Data::Float(number) if number.fract() == 0.0 && number.abs() <= EXACT_MAX => format!("{number:.0}"),
            // The server refuses what its schema does not allow.
            _ => return None,
        };
        Some((mirrored.header.clone(), shown))
    };
    mirrored.iter().filter_map(line).collect()
}

/// Whether a head shows these arguments as they are.
///
/// # Errors
/// What does not agree, in words.
pub(crate) fn agree(head: &HeaderMap, mirrored: &[Mirrored], arguments: Option<&Node>) -> Result<(), String> {
    for mirrored in mirrored {
        let name = &mirrored.header;
        let differs = || format!("`{name}` does not say what the body says");
        match (one(head, name)?, value(mirrored, arguments)) {
            (None, None) => {}
            (None, Some(_)) => return Err(format!("`{name}` is missing")),
            (Some(_), None) => return Err(differs()),
            (Some(shown), Some(argument)) => {
                let shown = decoded(shown).ok_or_else(|| format!("`{name}` cannot be read"))?;
                if !is_shown(&shown, argument) {
                    return Err(differs());
                }
            }
        }
    }
    Ok(())
}

fn is_shown(shown: &str, argument: &Node) -> bool {
    let number = || shown.parse::<f64>().ok().filter(|number| number.fract() == 0.0 && number.abs() <= EXACT_MAX);
    match &argument.value {
        Data::Text(text) => **text == *shown,
        Data::Bool(truth) => shown == if *truth { "true" } else { "false" },
        // However a whole number is written, it is the same.
        Data::Int(whole) => {
            shown.parse::<i64>().is_ok_and(|shown| shown == *whole)
                || number().is_some_and(|number| format!("{number:.0}") == whole.to_string())
        }
        #[expect(clippy::float_cmp, reason = "both are whole and exact")]
        Data::Float(float) => number().is_some_and(|number| number == *float),
        _ => false,
    }
}

/// The argument; none is as good as `null`.
fn value<'n>(mirrored: &Mirrored, arguments: Option<&'n Node>) -> Option<&'n Node> {
    let found = mirrored.path.iter().try_fold(arguments?, |node, name| node.get(name))?;
    (found.value != Data::Null).then_some(found)
}

/// The heads of calls on their way to where their tools are known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heads(Rc<RefCell<BTreeMap<Id, HeaderMap>>>);

impl Heads {
    /// Keeps what a head says of arguments.
    pub(crate) fn keep(&self, id: &Id, head: &HeaderMap) {
        let mut heads = self.0.borrow_mut();
        // Of calls that were taken back: one that has no head here is refused if its tool wants one.
        if heads.len() >= HEADS_MAX {
            heads.clear();
        }
        let of_arguments = head.iter().filter(|(name, _)| name.as_str().starts_with(PREFIX));
        let mut kept = HeaderMap::new();
        for (name, value) in of_arguments {
            kept.append(name.clone(), value.clone());
        }
        if !kept.is_empty() {
            heads.insert(id.clone(), kept);
        }
    }

    /// Gives it away.
    pub(crate) fn take(&self, id: &Id) -> HeaderMap {
        self.0.borrow_mut().remove(id).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};
    use serde_json::json;

    use super::*;
    use crate::frame::Frame;

    fn schema() -> Json {
        json!({ "type": "object", "properties": {
            "region": { "type": "string", "x-mcp-header": "Region" },
            "limits": { "type": "object", "properties": { "rows": { "type": ["integer", "null"], "x-mcp-header": "Rows" } } },
            "sure": { "type": "boolean", "x-mcp-header": "Sure" },
            "x-mcp-header": { "type": "string", "default": { "x-mcp-header": "Value" } },
        } })
    }

    fn call(arguments: &str) -> Frame {
        let call = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"arguments":{arguments}}}}}"#);
        Frame::read(call.as_bytes()).unwrap()
    }

    fn head(lines: &[(&str, &str)]) -> HeaderMap {
        let mut head = HeaderMap::new();
        for (name, value) in lines {
            head.append(HeaderName::try_from(*name).unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        head
    }

    #[test]
    fn what_is_written_into_a_head_agrees_with_its_body() {
        let mirrored = of_schema(&schema()).unwrap();
        for (arguments, shown) in [
            ("{}", vec![]),
            (r#"{"region":null,"limits":{"rows":null}}"#, vec![]),
            (r#"{"region":"eu"}"#, vec![("mcp-param-region", "eu")]),
            (r#"{"region":""}"#, vec![("mcp-param-region", "")]),
            (r#"{"region":"größe"}"#, vec![("mcp-param-region", "=?base64?Z3LDtsOfZQ==?=")]),
            (r#"{"region":"=?base64?ZXU=?="}"#, vec![("mcp-param-region", "=?base64?PT9iYXNlNjQ/WlhVPT89?=")]),
            (r#"{"limits":{"rows":-42}}"#, vec![("mcp-param-rows", "-42")]),
            (r#"{"limits":{"rows":42.0}}"#, vec![("mcp-param-rows", "42")]),
            (r#"{"limits":{"rows":9223372036854775807}}"#, vec![("mcp-param-rows", "9223372036854775807")]),
            (r#"{"sure":true}"#, vec![("mcp-param-sure", "true")]),
        ] {
            let frame = call(arguments);
            let arguments_of = frame.member("params").and_then(|params| params.get("arguments"));
            let lines = lines(&mirrored, arguments_of);
            let expected: Vec<_> =
                shown.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            assert_eq!(lines, expected, "{arguments}");
            assert_eq!(agree(&head(&shown), &mirrored, arguments_of), Ok(()), "{arguments}");
        }
    }

    #[test]
    fn a_head_that_says_something_else_than_the_body_is_seen() {
        let mirrored = of_schema(&schema()).unwrap();
        for (arguments, shown, agrees) in [
            (r#"{"region":"eu"}"#, vec![], false),
            (r#"{"region":"eu"}"#, vec![("mcp-param-region", "us")], false),
            (r#"{"region":"eu"}"#, vec![("mcp-param-region", "EU")], false),
            (r#"{"region":"eu"}"#, vec![("mcp-param-region", "eu"), ("mcp-param-region", "eu")], false),
            (r#"{"region":"eu"}"#, vec![("mcp-param-region", "=?base64?ZXU=?=")], true),
            (r#"{"region":"eu"}"#, vec![("mcp-param-region", "=?base64?ZX!?=")], false),
            (r#"{"region":"eu"}"#, vec![("mcp-param-region", "eu"), ("mcp-param-other", "x")], true),
            ("{}", vec![("mcp-param-region", "eu")], false),
            (r#"{"region":null}"#, vec![("mcp-param-region", "null")], false),
            (r#"{"region":["eu"]}"#, vec![("mcp-param-region", "eu")], false),
            (r#"{"limits":{"rows":42}}"#, vec![("mcp-param-rows", "42.0")], true),
            (r#"{"limits":{"rows":42}}"#, vec![("mcp-param-rows", "43")], false),
            (r#"{"limits":{"rows":9007199254740993}}"#, vec![("mcp-param-rows", "9007199254740992.0")], false),
            (r#"{"sure":false}"#, vec![("mcp-param-sure", "0")], false),
        ] {
            let frame = call(arguments);
            let arguments_of = frame.member("params").and_then(|params| params.get("arguments"));
            assert_eq!(agree(&head(&shown), &mirrored, arguments_of).is_ok(), agrees, "{arguments} {shown:?}");
        }
    }

    #[test]
    fn a_mark_that_nobody_could_follow_is_refused() {
        let of = |property: Json| json!({ "type": "object", "properties": { "a": property } });
        let marked = |name: &str| json!({ "type": "string", "x-mcp-header": name });
        for schema in [
            of(marked("")),
            of(marked("a b")),
            of(marked("a\r\nx: y")),
            of(marked("größe")),
            of(json!({ "type": "string", "x-mcp-header": 7 })),
            of(json!({ "type": "number", "x-mcp-header": "A" })),
            of(json!({ "type": "object", "x-mcp-header": "A" })),
            of(json!({ "x-mcp-header": "A" })),
            of(json!({ "type": "array", "items": marked("A") })),
            of(json!({ "anyOf": [marked("A")] })),
            marked("A"),
            json!({ "$defs": { "x": marked("A") } }),
            json!({ "properties": { "a": marked("A"), "b": marked("a") } }),
        ] {
            assert!(of_schema(&schema).is_err(), "{schema}");
        }
        assert_eq!(of_schema(&json!({})), Ok(vec![]));
        assert_eq!(of_schema(&json!(true)), Ok(vec![]));
    }
}
