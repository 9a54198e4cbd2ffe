//! One JSON-RPC message, read once and strictly.
//!
//! Whatever two readers could take for different things is refused: a key that stands twice, numbers that do not fit, too
//! much depth, several messages in one frame. Source: JSON-RPC 2.0; Model Context Protocol 2025-11-25 and 2026-07-28, which
//! have no batches.

use std::sync::Arc;

use sluice_core::document::{Data, Duplicates, JsonRules, Node, read_json_with};
use sluice_core::text::Text;
use thiserror::Error;

use crate::stray::Stray;

/// Most bytes of one frame.
pub const FRAME_BYTES_MAX: usize = 16 << 20;
/// Most values and keys of one frame.
const FRAME_NODES_MAX: usize = 1_000_000;

/// Where a request that stands alone says which revision it is of, in the `_meta` of its parameters.
pub(crate) const VERSION_FIELD: &str = "io.modelcontextprotocol/protocolVersion";
/// Where it says what its client can do.
pub(crate) const CAPABILITIES_FIELD: &str = "io.modelcontextprotocol/clientCapabilities";

/// Decimal digits that tell any two numbers of 64 bits apart that have no more of them.
const DIGITS_KEPT: usize = 15;

/// A message.
#[derive(Clone, Debug)]
pub struct Frame {
    text: Text,
    root: Node,
    /// What it is.
    pub kind: Kind,
}

/// What a message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It wants an answer.
    Request {
        /// Under which id.
        id: Id,
        /// What is asked.
        method: String,
    },
    /// It wants none.
    Notification {
        /// What is told.
        method: String,
    },
    /// It is an answer.
    Response {
        /// To which request.
        id: Id,
        /// Whether it says that something went wrong.
        is_error: bool,
    },
}

/// The id of a request: what it is, however its sender spelled it. Whoever answers may spell it otherwise.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Id {
    /// A whole number.
    Number(i64),
    /// A text.
    Text(Arc<str>),
}

impl Id {
    /// The id of a request that the gateway itself makes: a name that no client may use.
    #[must_use]
    pub fn own(number: u64) -> Self {
        Self::Text(format!("{OWN}{number}").into())
    }

    /// Whether it is one of those.
    #[must_use]
    pub fn is_own(&self) -> bool {
        matches!(self, Self::Text(text) if text.starts_with(OWN))
    }

    /// As JSON.
    #[must_use]
    pub fn as_json(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => serde_json::Value::from(&**text).to_string(),
        }
    }

    /// What JSON alone says; `None` if that can be no id.
    pub(crate) fn from_json(json: &[u8]) -> Option<Self> {
        match serde_json::from_slice(json).ok()? {
            serde_json::Value::Number(number) => number.as_i64().map(Self::Number),
            serde_json::Value::String(text) => Some(Self::Text(text.into())),
            _ => None,
        }
    }

    /// What a part of a message says.
    pub(crate) fn of(node: &Node) -> Option<Self> {
        match &node.value {
            Data::Int(number) => Some(Self::Number(*number)),
            Data::Text(text) => Some(Self::Text(text.clone())),
            _ => None,
        }
    }
}

/// How the ids of the gateway's own requests begin.
const OWN: &str = "sluice:";

/// SL900. Bytes that are no message.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("SL900: this is no message of the protocol: {why}")]
pub struct FrameError {
    /// What is wrong.
    pub why: String,
    /// What it was meant to be, as far as that could be read.
    pub stray: Stray,
    /// Whether it is JSON all the same.
    pub is_json: bool,
}

impl Frame {
    /// Reads one message.
    ///
    /// # Errors
    /// [`FrameError`].
    pub fn read(bytes: &[u8]) -> Result<Self, FrameError> {
        let refuse = |why: String| FrameError { why, stray: Stray::of(bytes), is_json: false };
        let text = std::str::from_utf8(bytes).map_err(|_| refuse("it is not UTF-8".to_owned()))?;
        let rules =
            JsonRules { bytes_max: FRAME_BYTES_MAX, nodes_max: FRAME_NODES_MAX, duplicates: Duplicates::Refuse };
        let text = Text::new("frame", text);
        let (root, _) = read_json_with(&text, rules).map_err(|problems| {
            refuse(problems.first().map_or_else(|| "it is not JSON".to_owned(), |problem| problem.message.clone()))
        })?;
        let kind = kind(&root).map_err(|why| FrameError { is_json: true, ..refuse(why.to_owned()) })?;
        Ok(Self { text, root, kind })
    }

    /// The bytes, as they came.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.text.content
    }

    /// Whether a text in it holds half a character (`\\ud83d` alone): readers make different things of it.
    #[must_use]
    pub fn has_half_characters(&self) -> bool {
        let mut rest = self.raw();
        while let Some(at) = rest.find('\\') {
            let escape = rest.get(at..).unwrap_or_default();
            let long = match (unit(escape), escape.get(6..).and_then(unit)) {
                (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
                (Some(0xd800..=0xdfff), _) => return true,
                (Some(_), _) => 6,
                (None, _) => 2,
            };
            rest = escape.get(long..).unwrap_or_default();
        }
        false
    }

    /// Whether a number below `node` has more digits than a reader may keep: two of them could pass for one.
    #[must_use]
    pub fn has_longer_numbers(&self, node: &Node) -> bool {
        match &node.value {
            Data::Float(_) => {
                let mantissa = self.slice(node).split(['e', 'E']).next().unwrap_or_default();
                let digits = mantissa.bytes().filter(u8::is_ascii_digit).skip_while(|digit| *digit == b'0');
                digits.count() > DIGITS_KEPT
            }
            Data::List(items) => items.iter().any(|item| self.has_longer_numbers(item)),
            Data::Map(entries) => entries.iter().any(|entry| self.has_longer_numbers(&entry.value)),
            _ => false,
        }
    }

    /// A member of the message: `params`, `result`, `error`.
    #[must_use]
    pub fn member(&self, key: &str) -> Option<&Node> {
        self.root.get(key)
    }

    /// Whether a test holds for the message's bytes, or for a text or key of it as it is meant: `\u0041` is an A.
    #[must_use]
    pub fn any_text(&self, test: &dyn Fn(&[u8]) -> bool) -> bool {
        fn below(node: &Node, test: &dyn Fn(&[u8]) -> bool) -> bool {
            match &node.value {
                Data::Text(text) => test(text.as_bytes()),
                Data::List(items) => items.iter().any(|item| below(item, test)),
                Data::Map(entries) => entries.iter().any(|e| test(e.key.as_bytes()) || below(&e.value, test)),
                _ => false,
            }
        }
        test(self.raw().as_bytes()) || self.raw().contains('\\') && below(&self.root, test)
    }

    /// The bytes of a part, as they came.
    #[must_use]
    pub fn slice(&self, node: &Node) -> &str {
        self.text.content.get(node.span.start..node.span.end).unwrap_or_default()
    }
}

/// What `\uXXXX` stands for.
fn unit(escape: &str) -> Option<u16> {
    let digits = escape.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}

fn kind(root: &Node) -> Result<Kind, &'static str> {
    let Data::Map(_) = &root.value else { return Err("it is not one object") };
    if root.get("jsonrpc").and_then(Node::as_text).map(AsRef::as_ref) != Some("2.0") {
        return Err("`jsonrpc` is not \"2.0\"");
    }
    let (method, result, error) = (root.get("method"), root.get("result"), root.get("error"));
    let params = root.get("params");
    if params.is_some_and(|params| !matches!(params.value, Data::Map(_))) {
        return Err("`params` is no object");
    }
    let id = match root.get("id") {
        Some(node) => Some(Id::of(node).ok_or("`id` is neither a text nor a whole number")?),
        None => None,
    };
    match (method, result.is_some(), error.is_some(), id) {
        (Some(method), false, false, id) => match (method.as_text(), id) {
            (Some(method), Some(id)) => Ok(Kind::Request { id, method: method.to_string() }),
            (Some(method), None) => Ok(Kind::Notification { method: method.to_string() }),
            (None, _) => Err("`method` is no text"),
        },
        (None, true, false, Some(id)) if params.is_none() => Ok(Kind::Response { id, is_error: false }),
        (None, false, true, Some(id)) if params.is_none() => Ok(Kind::Response { id, is_error: true }),
        _ => Err("it is neither a request nor a notification nor an answer"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(text: &str) -> Kind {
        Frame::read(text.as_bytes()).unwrap().kind
    }

    #[test]
    fn messages_are_told_apart_by_their_members() {
        assert_eq!(
            kind_of(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}"#),
            Kind::Request { id: Id::Number(1), method: "tools/call".to_owned() }
        );
        assert_eq!(
            kind_of(r#"{"method":"notifications/initialized","jsonrpc":"2.0"}"#),
            Kind::Notification { method: "notifications/initialized".to_owned() }
        );
        assert_eq!(
            kind_of(r#"{"jsonrpc":"2.0","id":"a","result":{}}"#),
            Kind::Response { id: Id::Text("a".into()), is_error: false }
        );
        assert_eq!(
            kind_of(r#"{"jsonrpc":"2.0","id":"a","error":{"code":1,"message":"x"}}"#),
            Kind::Response { id: Id::Text("a".into()), is_error: true }
        );
    }

    #[test]
    fn what_two_readers_could_take_for_different_things_is_refused() {
        let deep = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"m","params":{{"a":{}1{}}}}}"#,
            "[".repeat(5_000),
            "]".repeat(5_000)
        );
        for text in [
            r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"m"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"name":"read","name":"delete"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"name":"read","n\u0061me":"delete"}}"#,
            r#"[{"jsonrpc":"2.0","id":1,"method":"m"}]"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"m"}{"jsonrpc":"2.0","id":2,"method":"m"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"m","result":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#,
            r#"{"jsonrpc":"2.0","id":null,"method":"m"}"#,
            r#"{"jsonrpc":"2.0","id":1.5,"method":"m"}"#,
            r#"{"jsonrpc":"2.0","id":{},"method":"m"}"#,
            r#"{"jsonrpc":"1.0","id":1,"method":"m"}"#,
            r#"{"id":1,"method":"m"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":7}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"m","params":[1]}"#,
            r#"{"jsonrpc":"2.0","result":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":NaN}}"#,
            "",
            "null",
            &deep,
        ] {
            assert!(Frame::read(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Frame::read(b"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}").is_err());
    }

    #[test]
    fn a_refused_request_can_still_be_answered_if_its_id_could_be_read() {
        let error = Frame::read(br#"{"jsonrpc":"2.0","id":7,"method":"m","params":[]}"#).unwrap_err();
        assert_eq!((error.stray.ids.as_slice(), error.stray.asks), (&[Id::Number(7)][..], true));
    }

    #[test]
    fn an_id_is_what_it_is_however_it_is_spelled() {
        let id = |id: &str| match kind_of(&format!(r#"{{"jsonrpc":"2.0","id":{id},"result":1}}"#)) {
            Kind::Response { id, .. } => id,
            other => panic!("{other:?}"),
        };
        assert_eq!(id(r#""\u0061\/""#), id(r#""a/""#));
        assert_ne!(id("1"), id(r#""1""#));
        assert!(id(r#""\u0073luice:1""#).is_own());
        assert_eq!(id(r#""\u0022\u000a""#).as_json(), r#""\"\n""#);
    }

    #[test]
    fn a_number_that_readers_would_round_is_seen() {
        let has = |number: &str| {
            let text = format!(r#"{{"jsonrpc":"2.0","method":"m","params":{{"a":[{{"b":{number}}}]}}}}"#);
            let frame = Frame::read(text.as_bytes()).unwrap();
            frame.has_longer_numbers(frame.member("params").unwrap())
        };
        for number in ["99999999999999999999", "0.1000000000000000055", "-1234567890.1234567", "1234567890123456.0e3"] {
            assert!(has(number), "{number}");
        }
        for number in ["9223372036854775807", "0.1", "0.000000000000000000001", "-1.5e300", "123456789012.345"] {
            assert!(!has(number), "{number}");
        }
    }

    #[test]
    fn half_a_character_is_seen() {
        let has = |text: &str| {
            let text = format!(r#"{{"jsonrpc":"2.0","method":"m","params":{{"a":"{text}"}}}}"#);
            Frame::read(text.as_bytes()).unwrap().has_half_characters()
        };
        for text in [r"\ud83d", r"\ude00", r"\uD83D\n\uDE00", r"\\\ud83d", r"\ud83d\ud83d\ude00", r"\ud83dx"] {
            assert!(has(text), "{text}");
        }
        for text in ["😀", r"\ud83d\ude00", r"\\ud83d", r"\u00e4\\\\", r"\n\u0041"] {
            assert!(!has(text), "{text}");
        }
    }
}
