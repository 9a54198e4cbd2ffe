//! The tools of a server, as it lists them.

use serde_json::Value as Json;
use sluice_core::contract::{Digest, lock};
use sluice_core::document::{Data, Node};

use crate::frame::Frame;
use crate::mirrored::{self, Mirrored};

/// A tool as its server defines it.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// All that the server says of it: schemas, descriptions, hints.
    pub definition: Json,
}

impl Tool {
    /// Of everything that the server says of it, in whatever order its keys stand.
    #[must_use]
    pub fn digest(&self) -> Digest {
        lock::digest_of(&self.definition)
    }

    /// What the server hints at: `readOnlyHint`, `destructiveHint`.
    #[must_use]
    pub fn hint(&self, name: &str) -> Option<bool> {
        self.definition.get("annotations")?.get(name)?.as_bool()
    }

    /// Its arguments that stand in the head of requests too.
    ///
    /// # Errors
    /// Why that cannot be, in words.
    pub(crate) fn mirrored(&self) -> Result<Vec<Mirrored>, String> {
        self.definition.get("inputSchema").map_or(Ok(Vec::new()), mirrored::of_schema)
    }

    /// The names of its arguments with their schemas, as far as the schema says.
    pub fn arguments(&self) -> impl Iterator<Item = (&str, &Json)> {
        let properties = self.definition.pointer("/inputSchema/properties").and_then(Json::as_object);
        properties.into_iter().flatten().map(|(name, schema)| (name.as_str(), schema))
    }
}

/// One page of a list of tools.
#[derive(Debug)]
pub struct Page {
    /// In the server's order.
    pub tools: Vec<Tool>,
    /// Where the next page begins, as JSON.
    pub next: Option<String>,
}

/// Reads the answer to `tools/list`; `None` if it is none.
#[must_use]
pub fn page(answer: &Frame) -> Option<Page> {
    let result = answer.member("result")?;
    let Data::List(items) = &result.get("tools")?.value else { return None };
    let tools = items.iter().map(tool).collect::<Option<_>>()?;
    let next = result.get("nextCursor").filter(|node| !matches!(node.value, Data::Null));
    Some(Page { tools, next: next.map(|node| answer.slice(node).to_owned()) })
}

fn tool(node: &Node) -> Option<Tool> {
    Some(Tool { name: node.get("name")?.as_text()?.to_string(), definition: node.to_json() })
}

/// The same answer with only those tools that `is_offered` says, and `own` after the last of them; the very same bytes if
/// nothing is to be changed.
#[must_use]
pub fn offered(answer: &Frame, is_offered: impl Fn(&str) -> bool, own: Option<&Json>) -> String {
    let raw = answer.raw();
    let Some(list) = answer.member("result").and_then(|result| result.get("tools")) else { return raw.to_owned() };
    let Data::List(items) = &list.value else { return raw.to_owned() };
    let name = |node: &Node| node.get("name").and_then(Node::as_text).cloned().unwrap_or_default();
    let kept: Vec<&str> = items.iter().filter(|node| is_offered(&name(node))).map(|node| answer.slice(node)).collect();
    let own = own.map(Json::to_string);
    if kept.len() == items.len() && own.is_none() {
        return raw.to_owned();
    }
    let kept: Vec<&str> = kept.into_iter().chain(own.as_deref()).collect();
    let (before, after) = (raw.get(..list.span.start), raw.get(list.span.end..));
    format!("{}[{}]{}", before.unwrap_or_default(), kept.join(","), after.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = r#"{"jsonrpc": "2.0", "id": 1, "result": {"tools": [ {"name": "a", "x": 1}, {"x":2,"name":"b"} ], "nextCursor": "c\u0032"} }"#;

    #[test]
    fn a_page_is_read_and_what_is_not_offered_is_cut_out_of_the_bytes() {
        let answer = Frame::read(LIST.as_bytes()).unwrap();
        let page = page(&answer).unwrap();
        assert_eq!(page.tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(page.next.as_deref(), Some(r#""c\u0032""#));
        assert_eq!(offered(&answer, |_| true, None), LIST);
        let cut = offered(&answer, |name| name == "b", None);
        assert_eq!(
            cut,
            r#"{"jsonrpc": "2.0", "id": 1, "result": {"tools": [{"x":2,"name":"b"}], "nextCursor": "c\u0032"} }"#
        );
    }
}
