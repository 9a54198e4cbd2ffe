//! What the gateway itself says to an agent. Agents get a code and an id, never the reasons: they would learn labels
//! from them, and whoever wrote the words that they read would too.

use serde_json::{Value as Json, json};

use crate::frame::{Frame, Id};

/// The call waits for a person, who decides at `link` if there is one.
pub(crate) fn held(request: &Frame, id: &Id, approval: &str, link: Option<&str>) -> String {
    let text = format!("{} Call again with the same arguments once they have approved it.", waits(approval, link));
    result(request, id, &text, true)
}

/// That a person must decide, and where.
pub(crate) fn waits(approval: &str, link: Option<&str>) -> String {
    let place = link.map_or_else(|| format!("`sluice approvals show {approval}`"), str::to_owned);
    format!(
        "approval required: approval_id={approval}\nA person must decide about this call. Tell them the id ({place})."
    )
}

/// The call is refused.
pub(crate) fn denied(request: &Frame, id: &Id, code: &str) -> String {
    result(request, id, &denial(code), true)
}

/// That a call is not made.
pub(crate) fn denial(code: &str) -> String {
    format!("denied by policy: {code}\nThis call will not be made; asking again changes nothing.")
}

/// The result of a tool: what a model reads, where an error of the protocol would be its host's.
pub(crate) fn result(request: &Frame, id: &Id, text: &str, is_error: bool) -> String {
    let result = tool_result(is_stateless(request), text, is_error);
    format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#, id.as_json())
}

/// The same without its envelope.
pub(crate) fn tool_result(is_stateless: bool, text: &str, is_error: bool) -> Json {
    let mut result = json!({ "content": [{ "type": "text", "text": text }], "isError": is_error });
    if let (true, Json::Object(fields)) = (is_stateless, &mut result) {
        fields.insert("resultType".to_owned(), json!("complete"));
    }
    result
}

/// An error of the protocol.
pub(crate) fn error(id: Option<&Id>, code: i64, message: &str) -> String {
    let error = json!({ "code": code, "message": message });
    format!(r#"{{"jsonrpc":"2.0","id":{},"error":{error}}}"#, id.map_or_else(|| "null".to_owned(), Id::as_json))
}

/// Whether a request is of the protocol without sessions, 2026-07-28 or later: each says so itself.
fn is_stateless(request: &Frame) -> bool {
    let meta = request.member("params").and_then(|params| params.get("_meta"));
    meta.is_some_and(|meta| meta.get("io.modelcontextprotocol/protocolVersion").is_some())
}
