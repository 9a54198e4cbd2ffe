//! Which of several servers a request of the agent is for, and the request as that server knows it.

use sluice_core::document::Node;

use super::names::Names;
use super::outward::RELATED_TASK;
use super::splice::Splice;
use crate::frame::Frame;

/// How the agent says which server it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    Name,
    Uri,
    Task,
}

/// The server that a request names and the request as it is sent there; `None` if it names none of them.
pub(super) fn routed(names: &Names, frame: &Frame, method: &str) -> Option<(usize, String)> {
    let params = frame.member("params")?;
    let (node, says) = named(method, params)?;
    let outside = node.as_text()?;
    let (server, inside) = match says {
        Says::Uri => names.split_uri(outside)?,
        Says::Name | Says::Task => names.split(outside)?,
    };
    let mut splice = Splice::of(frame);
    splice.say(node, inside);
    related(names, server, params, &mut splice);
    Some((server, splice.message()))
}

/// Where it stands.
fn named<'n>(method: &str, params: &'n Node) -> Option<(&'n Node, Says)> {
    match method {
        "tools/call" | "prompts/get" => Some((params.get("name")?, Says::Name)),
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => Some((params.get("uri")?, Says::Uri)),
        "completion/complete" => {
            let reference = params.get("ref")?;
            let name = reference.get("name").map(|name| (name, Says::Name));
            // A reference to a template is a URI.
            reference.get("uri").map(|uri| (uri, Says::Uri)).or(name)
        }
        "tasks/get" | "tasks/result" | "tasks/update" | "tasks/cancel" => Some((params.get("taskId")?, Says::Task)),
        _ => None,
    }
}

/// The task that a request belongs to, if it is one of that server.
fn related(names: &Names, server: usize, params: &Node, splice: &mut Splice<'_>) {
    let task = params.get("_meta").and_then(|meta| meta.get(RELATED_TASK)?.get("taskId"));
    let Some((node, outside)) = task.and_then(|node| Some((node, node.as_text()?))) else { return };
    if let Some((_, inside)) = names.split(outside).filter(|(of, _)| *of == server) {
        splice.say(node, inside);
    }
}

#[cfg(test)]
mod tests {
    use sluice_core::label::Name;

    use super::*;

    #[test]
    fn a_request_goes_to_the_server_that_it_names_with_every_other_byte_as_it_came() {
        let names = Names::of(["files", "mail"].map(Name::from)).unwrap();
        for (method, params, sent) in [
            (
                "tools/call",
                r#"{"arguments" : {"name":"mail__x","n":1.50,"é":"\u00e9"}, "name":"ma\u0069l__send"}"#,
                Some((1, r#"{"arguments" : {"name":"mail__x","n":1.50,"é":"\u00e9"}, "name":"send"}"#)),
            ),
            ("prompts/get", r#"{"name":"files__files__x"}"#, Some((0, r#"{"name":"files__x"}"#))),
            ("resources/read", r#"{"uri":"Mail+a:b"}"#, Some((1, r#"{"uri":"a:b"}"#))),
            (
                "completion/complete",
                r#"{"ref":{"type":"ref/resource","uri":"files+a:{b}"},"argument":{"name":"b","value":""}}"#,
                Some((0, r#"{"ref":{"type":"ref/resource","uri":"a:{b}"},"argument":{"name":"b","value":""}}"#)),
            ),
            ("tasks/get", r#"{"taskId":"mail__7"}"#, Some((1, r#"{"taskId":"7"}"#))),
            (
                "tasks/result",
                r#"{"taskId":"mail__7","_meta":{"io.modelcontextprotocol/related-task":{"taskId":"mail__7"}}}"#,
                Some((1, r#"{"taskId":"7","_meta":{"io.modelcontextprotocol/related-task":{"taskId":"7"}}}"#)),
            ),
            ("tools/call", r#"{"name":"send"}"#, None),
            ("tools/call", r#"{"name":"web__send"}"#, None),
            ("tools/call", r#"{"name":7}"#, None),
            ("resources/read", r#"{"uri":"a:b"}"#, None),
            ("resources/read", r#"{"uri":"mail__a:b"}"#, None),
            ("tasks/get", r#"{"name":"mail__7"}"#, None),
        ] {
            let whole = |params: &str| format!(r#"{{"id":1, "jsonrpc":"2.0","method":"{method}","params":{params}}}"#);
            let frame = Frame::read(whole(params).as_bytes()).unwrap();
            let sent = sent.map(|(server, params)| (server, whole(params)));
            assert_eq!(routed(&names, &frame, method), sent, "{params}");
        }
    }
}
