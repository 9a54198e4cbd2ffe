//! Answers to requests, as HTTP has them.

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

use super::events::Events;
use super::{SESSION_HEADER, WITHOUT_SESSIONS};
use crate::frame::{Frame, Id};
use crate::reply;
use crate::several::NamesError;

/// An answer: whole, or a stream of events.
pub(crate) type Reply = Response<Either<Full<Bytes>, Events>>;

/// JSON-RPC's own codes, and those that the protocol without sessions adds.
const PARSE_ERROR: i64 = -32_700;
pub(super) const INVALID_REQUEST: i64 = -32_600;
const METHOD_NOT_FOUND: i64 = -32_601;
const INVALID_PARAMS: i64 = -32_602;
const SERVER_ERROR: i64 = -32_000;
const HEADER_MISMATCH: i64 = -32_020;
const MISSING_CAPABILITY: i64 = -32_021;
const UNSUPPORTED_VERSION: i64 = -32_022;

/// Asks whoever stands between not to keep events back.
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

/// A request that is not taken, and why.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    id: Option<Id>,
    code: i64,
    why: String,
    data: Option<Box<serde_json::Value>>,
}

impl Refusal {
    fn new(status: StatusCode, code: i64, why: impl Into<String>) -> Self {
        Self { status, id: None, code, why: why.into(), data: None }
    }

    /// Under the id of the request.
    pub(super) fn to(self, id: &Id) -> Self {
        Self { id: Some(id.clone()), ..self }
    }

    /// SL970. From where nobody may call.
    pub(super) fn foreign() -> Self {
        let why =
            "SL970: the request comes from another site, or asks for a host that this is not; `--host` names others";
        Self::new(StatusCode::FORBIDDEN, INVALID_REQUEST, why)
    }

    /// SL971. No session of this caller.
    pub(super) fn no_session() -> Self {
        let why = "SL971: there is no such session; it may be over. `initialize` begins one";
        Self::new(StatusCode::NOT_FOUND, SERVER_ERROR, why)
    }

    /// SL971. No session is named.
    pub(super) fn unnamed() -> Self {
        let why = format!("SL971: `{SESSION_HEADER}` must name the session; `initialize` begins one");
        Self::new(StatusCode::BAD_REQUEST, SERVER_ERROR, why)
    }

    /// SL972. Head and body say different things.
    pub(super) fn mismatch(why: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, HEADER_MISMATCH, format!("SL972: {why}"))
    }

    /// SL972. The session is of another revision.
    pub(super) fn other_version() -> Self {
        let why = "SL972: `mcp-protocol-version` is not the revision that the session agreed on";
        Self::new(StatusCode::BAD_REQUEST, INVALID_REQUEST, why)
    }

    /// SL972. A revision that is not spoken here.
    pub(super) fn unsupported(asked: &str) -> Self {
        let data = serde_json::json!({ "supported": [WITHOUT_SESSIONS], "requested": asked });
        let refusal = Self::new(StatusCode::BAD_REQUEST, UNSUPPORTED_VERSION, "SL972: unsupported protocol version");
        Self { data: Some(Box::new(data)), ..refusal }
    }

    /// SL978. A request that stands alone does not say what it must say of itself.
    pub(super) fn no_envelope(why: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, INVALID_PARAMS, format!("SL978: {why}"))
    }

    /// SL978. There are no sessions to begin.
    pub(super) fn no_handshake() -> Self {
        let why = "SL978: every request stands alone in this revision: `initialize` begins nothing";
        Self::new(StatusCode::NOT_FOUND, METHOD_NOT_FOUND, why)
    }

    /// SL973. What is sent is no JSON.
    pub(super) fn not_json() -> Self {
        let why = "SL973: the body must be `application/json`, not compressed";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, INVALID_REQUEST, why)
    }

    /// SL973. No kind of answer is accepted.
    pub(super) fn not_acceptable() -> Self {
        let why = "SL973: an answer is `application/json` or `text/event-stream`, and `accept` takes neither";
        Self::new(StatusCode::NOT_ACCEPTABLE, INVALID_REQUEST, why)
    }

    /// SL955. The body is too long, or takes too long.
    pub(super) fn body(status: StatusCode, why: &str) -> Self {
        Self::new(status, INVALID_REQUEST, why)
    }

    /// SL900. The body is no message, or none that may be sent.
    pub(super) fn no_message(why: &str, is_json: bool) -> Self {
        Self::new(StatusCode::BAD_REQUEST, if is_json { INVALID_REQUEST } else { PARSE_ERROR }, why)
    }

    /// SL904. The id is in use.
    pub(super) fn in_use() -> Self {
        let why = "SL904: a request with this id has no answer yet";
        Self::new(StatusCode::BAD_REQUEST, INVALID_REQUEST, why)
    }

    /// SL905, SL956. Too much at once.
    pub(super) fn busy(why: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, SERVER_ERROR, why)
    }

    /// SL906. Nothing can be recorded.
    pub(super) fn unrecorded() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, SERVER_ERROR, "SL906: nothing can be recorded, so nothing is called")
    }

    /// SL916. The servers cannot be told apart.
    pub(super) fn alike(why: &NamesError) -> Self {
        Self::new(StatusCode::CONFLICT, SERVER_ERROR, why.to_string())
    }

    /// SL908. The server has left.
    pub(super) fn ended() -> Self {
        let why = "SL908: the server ended before it answered";
        Self::new(StatusCode::BAD_GATEWAY, SERVER_ERROR, why)
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let mut text = reply::error(refusal.id.as_ref(), refusal.code, &refusal.why);
        if let Some(data) = refusal.data {
            let error = serde_json::json!({ "code": refusal.code, "message": refusal.why, "data": data });
            let id = refusal.id.map_or_else(|| "null".to_owned(), |id| id.as_json());
            text = format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#);
        }
        whole(refusal.status, text.into())
    }
}

/// One message.
pub(super) fn whole(status: StatusCode, text: Bytes) -> Reply {
    let mut reply = Response::new(Either::Left(Full::new(text)));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

/// A stream of messages.
pub(super) fn events(events: Events) -> Reply {
    let mut reply = Response::new(Either::Right(events));
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply.headers_mut().insert(UNBUFFERED, HeaderValue::from_static("no"));
    reply
}

/// Nothing but a status.
pub(super) fn bare(status: StatusCode) -> Reply {
    let mut reply = Response::new(Either::Left(Full::default()));
    *reply.status_mut() = status;
    reply
}

/// Another method would be taken.
pub(super) fn not_allowed() -> Reply {
    let mut reply = bare(StatusCode::METHOD_NOT_ALLOWED);
    reply.headers_mut().insert(ALLOW, HeaderValue::from_static("POST, GET, DELETE"));
    reply
}

/// With the session that the answer began.
pub(super) fn with_session(mut reply: Reply, session: &str) -> Reply {
    if let Ok(value) = HeaderValue::from_str(session) {
        reply.headers_mut().insert(SESSION_HEADER, value);
    }
    reply
}

/// The status of an answer where every request stands alone: what the protocol itself refuses has one of its own.
pub(super) fn status_of(answer: &[u8]) -> StatusCode {
    match error_code(answer) {
        Some(METHOD_NOT_FOUND) => StatusCode::NOT_FOUND,
        Some(HEADER_MISMATCH | MISSING_CAPABILITY | UNSUPPORTED_VERSION) => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    }
}

/// The code of the error that an answer is.
pub(super) fn error_code(answer: &[u8]) -> Option<i64> {
    let frame = Frame::read(answer).ok()?;
    match frame.member("error")?.get("code")?.value {
        sluice_core::document::Data::Int(code) => Some(code),
        _ => None,
    }
}
