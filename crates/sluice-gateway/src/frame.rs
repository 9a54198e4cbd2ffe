//! One JSON-RPC message, read once and strictly.
//!
//! Whatever two readers could take for different things is refused: a key that stands twice, numbers that do not fit, too
//! much depth, several messages in one frame. Source: JSON-RPC 2.0; Model Context Protocol 2025-11-25 and 2026-07-28, which
//! have no batches.

use sluice_core::document::{Data, Duplicates, JsonRules, Node, read_json_with};
use sluice_core::text::Text;
use thiserror::Error;

/// Most bytes of one frame.
pub const FRAME_BYTES_MAX: usize = 16 << 20;
/// Most values and keys of one frame.
const FRAME_NODES_MAX: usize = 1_000_000;

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

/// The id of a request, as its sender wrote it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(String);

impl Id {
    /// The id of a request that the gateway itself makes: a name that no client may use.
    #[must_use]
    pub fn own(number: u64) -> Self {
        Self(format!("\"{OWN}{number}\""))
    }

    /// Whether it is one of those.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.0.trim_start_matches('"').starts_with(OWN)
    }

    /// As JSON.
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.0
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
    /// The id of the request that it was meant to be, if that much could be read.
    pub id: Option<Id>,
}

impl Frame {
    /// Reads one message.
    ///
    /// # Errors
    /// [`FrameError`].
    pub fn read(bytes: &[u8]) -> Result<Self, FrameError> {
        let refuse = |why: String| FrameError { why, id: None };
        let text = std::str::from_utf8(bytes).map_err(|_| refuse("it is not UTF-8".to_owned()))?;
        let rules =
            JsonRules { bytes_max: FRAME_BYTES_MAX, nodes_max: FRAME_NODES_MAX, duplicates: Duplicates::Refuse };
        let text = Text::new("frame", text);
        let (root, _) = read_json_with(&text, rules).map_err(|problems| {
            refuse(problems.first().map_or_else(|| "it is not JSON".to_owned(), |problem| problem.message.clone()))
        })?;
        let kind = kind(&text, &root)?;
        Ok(Self { text, root, kind })
    }

    /// The bytes, as they came.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.text.content
    }

    /// A member of the message: `params`, `result`, `error`.
    #[must_use]
    pub fn member(&self, key: &str) -> Option<&Node> {
        self.root.get(key)
    }

    /// The bytes of a part, as they came.
    #[must_use]
    pub fn slice(&self, node: &Node) -> &str {
        self.text.content.get(node.span.start..node.span.end).unwrap_or_default()
    }
}

fn kind(text: &Text, root: &Node) -> Result<Kind, FrameError> {
    let id = root.get("id").map(|node| id(text, node));
    let known = id.clone().and_then(Result::ok);
    let refuse = |why: &str| Err(FrameError { why: why.to_owned(), id: known.clone() });
    let Data::Map(_) = &root.value else { return refuse("it is not one object") };
    if root.get("jsonrpc").and_then(Node::as_text).map(AsRef::as_ref) != Some("2.0") {
        return refuse("`jsonrpc` is not \"2.0\"");
    }
    let (method, result, error) = (root.get("method"), root.get("result"), root.get("error"));
    let params = root.get("params");
    if params.is_some_and(|params| !matches!(params.value, Data::Map(_))) {
        return refuse("`params` is no object");
    }
    match (method, result.is_some(), error.is_some(), id.transpose()?) {
        (Some(method), false, false, id) => match (method.as_text(), id) {
            (Some(method), Some(id)) => Ok(Kind::Request { id, method: method.to_string() }),
            (Some(method), None) => Ok(Kind::Notification { method: method.to_string() }),
            (None, _) => refuse("`method` is no text"),
        },
        (None, true, false, Some(id)) if params.is_none() => Ok(Kind::Response { id, is_error: false }),
        (None, false, true, Some(id)) if params.is_none() => Ok(Kind::Response { id, is_error: true }),
        _ => refuse("it is neither a request nor a notification nor an answer"),
    }
}

fn id(text: &Text, node: &Node) -> Result<Id, FrameError> {
    match &node.value {
        Data::Text(_) | Data::Int(_) => {
            Ok(Id(text.content.get(node.span.start..node.span.end).unwrap_or_default().to_owned()))
        }
        _ => Err(FrameError { why: "`id` is neither a text nor a whole number".to_owned(), id: None }),
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
            Kind::Request { id: Id("1".to_owned()), method: "tools/call".to_owned() }
        );
        assert_eq!(
            kind_of(r#"{"method":"notifications/initialized","jsonrpc":"2.0"}"#),
            Kind::Notification { method: "notifications/initialized".to_owned() }
        );
        assert_eq!(
            kind_of(r#"{"jsonrpc":"2.0","id":"a","result":{}}"#),
            Kind::Response { id: Id("\"a\"".to_owned()), is_error: false }
        );
        assert_eq!(
            kind_of(r#"{"jsonrpc":"2.0","id":"a","error":{"code":1,"message":"x"}}"#),
            Kind::Response { id: Id("\"a\"".to_owned()), is_error: true }
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
        assert_eq!(error.id.as_ref().map(Id::as_json), Some("7"));
    }
}
