//! Which messages bring an agent words that an outsider may have written. Whatever is not known here is taken for the
//! most it could be: something to read.

use sluice_core::document::{Data, Node};

use crate::frame::Frame;
use crate::pending::Awaited;

/// JSON-RPC's code for a method that a server does not have.
const METHOD_NOT_FOUND: i64 = -32_601;

/// What the answer to a request can be; `None` for a method that the protocol does not have.
pub(super) fn awaited(method: &str) -> Option<Awaited> {
    Some(match method {
        "tools/list" => Awaited::Tools,
        // Names of resources and what completes an argument are data of the service: subjects of mails, names of files.
        "resources/list" | "completion/complete" | "tasks/list" => Awaited::Listed,
        "initialize"
        | "server/discover"
        | "ping"
        | "logging/setLevel"
        | "prompts/list"
        | "resources/templates/list"
        | "resources/subscribe"
        | "resources/unsubscribe"
        | "subscriptions/listen"
        | "tasks/cancel" => Awaited::Plain,
        "tasks/get" | "tasks/result" | "tasks/update" => Awaited::Words,
        _ => return None,
    })
}

/// Whether a notification tells more than the protocol needs: a log line, a word about how a call goes on.
pub(super) fn are_told(method: &str, frame: &Frame) -> bool {
    let has = |key: &str| frame.member("params").is_some_and(|params| params.get(key).is_some());
    match method {
        "notifications/progress"
        | "notifications/cancelled"
        | "notifications/tasks/status"
        | "notifications/elicitation/complete"
        | "notifications/subscriptions/acknowledged"
        | "notifications/tools/list_changed"
        | "notifications/prompts/list_changed"
        | "notifications/resources/list_changed"
        | "notifications/resources/updated" => ["message", "reason", "statusMessage"].into_iter().any(has),
        _ => true,
    }
}

/// Whether an answer lists anything, or says why it does not.
pub(super) fn are_listed(answer: &Frame) -> bool {
    if let Some(error) = answer.member("error") {
        return error.get("code").is_none_or(|code| code.value != Data::Int(METHOD_NOT_FOUND));
    }
    let lists = |node: &Node| match &node.value {
        Data::List(items) => !items.is_empty(),
        _ => false,
    };
    let Some(Data::Map(members)) = answer.member("result").map(|result| &result.value) else { return true };
    members.iter().any(|member| lists(&member.value) || member.value.get("values").is_some_and(lists))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_list_brings_no_words_and_everything_else_does() {
        for (answer, listed) in [
            (r#""result":{"resources":[]}"#, false),
            (r#""result":{"resources":[{"name":"x"}]}"#, true),
            (r#""result":{"completion":{"values":[],"total":0}}"#, false),
            (r#""result":{"completion":{"values":["x"]}}"#, true),
            (r#""result":[]"#, true),
            (r#""error":{"code":-32601,"message":"x"}"#, false),
            (r#""error":{"code":-32000,"message":"x"}"#, true),
        ] {
            let frame = Frame::read(format!(r#"{{"jsonrpc":"2.0","id":1,{answer}}}"#).as_bytes()).unwrap();
            assert_eq!(are_listed(&frame), listed, "{answer}");
        }
        for (method, params, told) in [
            ("notifications/progress", r#"{"progressToken":1,"progress":1}"#, false),
            ("notifications/progress", r#"{"progressToken":1,"progress":1,"message":"x"}"#, true),
            ("notifications/tools/list_changed", "{}", false),
            ("notifications/message", r#"{"level":"info","data":"x"}"#, true),
            ("notifications/anything", "{}", true),
        ] {
            let frame = format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{params}}}"#);
            assert_eq!(are_told(method, &Frame::read(frame.as_bytes()).unwrap()), told, "{frame}");
        }
    }
}
