//! Workflow definitions of Logic Apps: whatever the bytes, reading and importing end with a survey or with places.

use std::collections::BTreeSet;

use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::{self, JsonRules};
use sluice_core::text::Text;
use sluice_verify::survey::survey;

use crate::Target;

/// See the module.
pub const TARGET: Target = Target { name: "logic_apps", run, seeds, tokens: TOKENS };

const TOKENS: &[&[u8]] = &[
    b"\"runAfter\": {\"A\": [\"Failed\"]}",
    b"\"type\": \"Foreach\"",
    b"\"type\": \"SetVariable\"",
    b"\"actions\": {",
    b"\"else\": {",
    b"@triggerBody()",
    b"@{",
    b"@@",
    b"}",
    b"body('A')",
    b"?['a']",
    b"concat(",
    b"''",
    b")",
    b"items('A')",
    b"@parameters('$connections')['office365']['connectionId']",
    "š".as_bytes(),
];

fn run(data: &[u8]) -> String {
    surveyed(data)
}

/// Bytes to a survey, and how far that came.
pub(crate) fn surveyed(data: &[u8]) -> String {
    let Ok(text) = document::decode("foreign", data) else { return "no text".to_owned() };
    let is_json = text.content.trim_start().starts_with(['{', '[']);
    let tree = if is_json {
        document::read_json_with(&text, JsonRules::IMPORT).map(|(tree, _)| tree)
    } else {
        document::read(&text)
    };
    let tree = match tree {
        Ok(tree) => tree,
        Err(found) => return told(&found, &text),
    };
    let Some(format) = sluice_formats::recognise(&tree) else { return "no known format".to_owned() };
    match sluice_formats::import(format, &text, &tree) {
        Err(found) => told(&found, &text),
        Ok(import) => {
            let survey = survey(&import);
            survey.findings.iter().for_each(|found| stands_in(found, &text));
            let kinds: BTreeSet<_> = survey.flows.iter().map(|flow| flow.kind.name()).collect();
            format!("{format} {kinds:?} {}", import.program.nodes.len().checked_ilog2().unwrap_or_default())
        }
    }
}

fn told(found: &[Diagnostic], text: &Text) -> String {
    assert!(!found.is_empty(), "refused without a word");
    found.iter().for_each(|d| stands_in(d, text));
    found.iter().map(|d| d.code.to_string()).collect::<Vec<_>>().join(" ")
}

fn stands_in(found: &Diagnostic, text: &Text) {
    let span = found.span;
    assert!(span.start <= span.end && span.end <= text.content.len(), "outside the text: {found:?}");
}

fn seeds() -> Vec<Vec<u8>> {
    [
        r#"{"definition": {"triggers": {"t": {"type": "Request", "kind": "Http", "inputs": {}}}, "actions": {
            "A": {"type": "InitializeVariable", "inputs": {"variables": [{"name": "v", "value": "@triggerBody()?['x']"}]}},
            "L": {"type": "Foreach", "foreach": "@variables('v')", "runAfter": {"A": ["Succeeded", "Failed"]}, "actions": {
                "H": {"type": "Http", "inputs": {"method": "GET", "uri": "https://a/@{items('L')['id']}"}},
                "S": {"type": "SetVariable", "inputs": {"name": "v", "value": "@concat('a', body('H'))"}}}},
            "M": {"type": "ApiConnection", "inputs": {"host": {"connection": {"referenceName": "office365"}}, "method": "post",
                "path": "/v2/Mail", "body": {"To": "@triggerBody()['to']"}}}}}}"#,
        r#"{"triggers": {}, "actions": {"C": {"type": "If", "expression": {}, "actions": {"J": {"type": "JavaScriptCode",
            "inputs": {"code": "return workflowContext.actions.C"}}}, "else": {"actions": {"G": {"type": "Agent", "inputs": {},
            "tools": {"T": {"actions": {"X": {"type": "Compose", "inputs": ["@agentParameters('x')"]}}}}}}}}}}"#,
        r#"{"triggers": {}, "actions": {"A": {}}}"#,
        r#"{"properties": {"definition": {"triggers": {}, "actions": {"A": {"type": "Compose", "inputs": "@@{x"}}}}}"#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
