//! What one of several servers says, with its names as they are outside.
//!
//! Names are put before what stands there; nothing else of the bytes changes. What a tool replied as data
//! (`structuredContent`) is never touched.

use sluice_core::document::{Data, Node};

use super::names::Names;
use super::splice::Splice;
use crate::frame::Frame;

/// Under this key stands the task that a message belongs to.
pub(super) const RELATED_TASK: &str = "io.modelcontextprotocol/related-task";

/// A list that servers give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Tools,
    Prompts,
    Resources,
    Templates,
    Tasks,
}

impl List {
    /// The list that a request asks for.
    pub(super) fn asked(method: &str) -> Option<Self> {
        Some(match method {
            "tools/list" => Self::Tools,
            "prompts/list" => Self::Prompts,
            "resources/list" => Self::Resources,
            "resources/templates/list" => Self::Templates,
            "tasks/list" => Self::Tasks,
            _ => return None,
        })
    }

    /// The member of the answer that holds it.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources => "resources",
            Self::Templates => "resourceTemplates",
            Self::Tasks => "tasks",
        }
    }
}

/// One of several servers.
#[derive(Clone, Copy)]
pub(super) struct Outward<'n> {
    pub(super) names: &'n Names,
    pub(super) server: usize,
}

impl Outward<'_> {
    /// Its answer to a request that was its alone.
    pub(super) fn answer(self, frame: &Frame) -> String {
        let mut splice = Splice::of(frame);
        if let Some(result) = frame.member("result") {
            self.result(result, &mut splice);
        }
        splice.message()
    }

    /// One entry of a list.
    pub(super) fn entry(self, list: List, frame: &Frame, entry: &Node) -> String {
        let mut splice = Splice::of(frame);
        match list {
            List::Tools | List::Prompts => self.name(entry.get("name"), &mut splice),
            List::Resources => self.uri(entry.get("uri"), &mut splice),
            List::Templates => self.uri(entry.get("uriTemplate"), &mut splice),
            List::Tasks => self.name(entry.get("taskId"), &mut splice),
        }
        splice.part(entry)
    }

    /// What stands in the parameters of what it tells or asks by itself.
    pub(super) fn told(self, frame: &Frame, method: &str, splice: &mut Splice<'_>) {
        let Some(params) = frame.member("params") else { return };
        self.related(params, splice);
        match method {
            "notifications/resources/updated" => self.uri(params.get("uri"), splice),
            "notifications/tasks/status" => self.name(params.get("taskId"), splice),
            _ => {}
        }
    }

    fn result(self, result: &Node, splice: &mut Splice<'_>) {
        self.related(result, splice);
        self.content(result.get("content"), splice);
        self.name(result.get("taskId"), splice);
        self.name(result.get("task").and_then(|task| task.get("taskId")), splice);
        for message in items(result.get("messages")) {
            self.content(message.get("content"), splice);
        }
        for content in items(result.get("contents")) {
            self.uri(content.get("uri"), splice);
        }
        // A task that is done holds what its call would have answered.
        if let Some(done) = result.get("result") {
            self.result(done, splice);
        }
    }

    /// Links to resources, and resources themselves, among what is shown.
    fn content(self, content: Option<&Node>, splice: &mut Splice<'_>) {
        let Some(content) = content else { return };
        if let Data::List(items) = &content.value {
            return items.iter().for_each(|item| self.content(Some(item), splice));
        }
        match content.get("type").and_then(Node::as_text).map(AsRef::as_ref) {
            Some("resource_link") => self.uri(content.get("uri"), splice),
            Some("resource") => self.uri(content.get("resource").and_then(|held| held.get("uri")), splice),
            Some("tool_result") => self.content(content.get("content"), splice),
            _ => {}
        }
    }

    fn related(self, holder: &Node, splice: &mut Splice<'_>) {
        let related = holder.get("_meta").and_then(|meta| meta.get(RELATED_TASK));
        self.name(related.and_then(|task| task.get("taskId")), splice);
    }

    fn name(self, node: Option<&Node>, splice: &mut Splice<'_>) {
        if let Some(node) = node {
            splice.begin(node, self.names.prefix(self.server));
        }
    }

    fn uri(self, node: Option<&Node>, splice: &mut Splice<'_>) {
        if let Some(node) = node {
            splice.begin(node, self.names.scheme(self.server));
        }
    }
}

pub(super) fn items(node: Option<&Node>) -> &[Node] {
    match node.map(|node| &node.value) {
        Some(Data::List(items)) => items,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use sluice_core::label::Name;

    use super::*;

    fn names() -> Names {
        Names::of(["files", "my_mail"].map(Name::from)).unwrap()
    }

    #[test]
    fn an_answer_keeps_every_byte_but_for_names_that_lead_to_its_server() {
        let names = names();
        let outward = Outward { names: &names, server: 1 };
        for (said, shown) in [
            (
                r#"{"content": [{"uri":"f\u003ax","type":"resource_link"},{"type":"text","text":"uri"}], "structuredContent":{"uri":"a:b","content":[{"type":"resource_link","uri":"a:b"}]}}"#,
                r#"{"content": [{"uri":"my-mail+f\u003ax","type":"resource_link"},{"type":"text","text":"uri"}], "structuredContent":{"uri":"a:b","content":[{"type":"resource_link","uri":"a:b"}]}}"#,
            ),
            (
                r#"{"messages":[{"content":{"type":"resource","resource":{"uri":"a:b","text":"x"}}}]}"#,
                r#"{"messages":[{"content":{"type":"resource","resource":{"uri":"my-mail+a:b","text":"x"}}}]}"#,
            ),
            (
                r#"{"contents":[{"uri":"a:b"}],"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"t"}}}"#,
                r#"{"contents":[{"uri":"my-mail+a:b"}],"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"my_mail__t"}}}"#,
            ),
            (r#"{"task":{"taskId":"t","status":"working"}}"#, r#"{"task":{"taskId":"my_mail__t","status":"working"}}"#),
            (
                r#"{"resultType":"task","taskId":"t","result":{"content":[{"type":"resource_link","uri":"a:b"}]}}"#,
                r#"{"resultType":"task","taskId":"my_mail__t","result":{"content":[{"type":"resource_link","uri":"my-mail+a:b"}]}}"#,
            ),
            (
                r#"{"content":7,"contents":{"uri":"a:b"},"taskId":9}"#,
                r#"{"content":7,"contents":{"uri":"a:b"},"taskId":9}"#,
            ),
        ] {
            let whole = |result: &str| format!(r#"{{"jsonrpc":"2.0", "id":1,"result":{result} }}"#);
            let frame = Frame::read(whole(said).as_bytes()).unwrap();
            assert_eq!(outward.answer(&frame), whole(shown));
        }
    }
}
