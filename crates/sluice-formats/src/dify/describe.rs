//! What the report knows of each node beside the program, and what the file shows on its face.

use sluice_core::credential::suspicion;
use sluice_core::document::{Data, Node as Tree};
use sluice_core::gate::Effect;

use super::effects::{Program, fetches, method_effect, tool_of};
use super::lower::Lowering;
use super::nodes::{self, Is};
use super::read::{at, text_at, word};
use crate::import::{Catalogued, Confidence, Entrance, Kind, Observed};

impl Lowering<'_, '_> {
    /// Describes every node, and looks at its face.
    pub(super) fn describe(&mut self, order: &[usize]) {
        let app = self.app;
        for (i, node) in app.nodes.iter().enumerate() {
            let fact = Catalogued {
                node_type: node.node_type.clone(),
                reachable: order.contains(&i),
                source: self.source(i),
                confidence: Confidence::Known,
                ..self.what_it_does(i)
            };
            if fact.confidence == Confidence::Assumed {
                let tool = node.data.get("tool_name").and_then(word).unwrap_or_else(|| node.node_type.to_string());
                self.wires.assumed.insert(format!("what `{tool}` does: the catalogue does not know it"));
            }
            let step = self.room(i).step;
            self.wires.steps.insert(step, fact);
            self.look_at(i, node.data);
        }
        if app.nodes.iter().any(|node| node.node_type.as_ref() == "start") {
            let who = "who may open the app: its address and keys are set outside of the file, and whoever uses it counts as an outsider";
            self.wires.assumed.insert(who.to_owned());
        }
        self.look_at_variables();
    }

    fn what_it_does(&self, i: usize) -> Catalogued {
        let Some(data) = self.data(i) else { return Catalogued::default() };
        let kind = nodes::of_rules(self.is(i));
        let known = Catalogued { kind, confidence: Confidence::Known, ..Catalogued::default() };
        match self.is(i) {
            _ if self.is_model(i) => Catalogued { sink: Some("llm".into()), ..known },
            Is::Trigger => {
                let open = self.node(i).is_some_and(|node| node.node_type.as_ref() == "trigger-webhook");
                Catalogued { entrance: open.then_some(Entrance { open, leads: true }), ..known }
            }
            Is::Start => Catalogued {
                categories: self.secret_classes(),
                entrance: Some(Entrance { open: false, leads: true }),
                ..known
            },
            Is::Http => Catalogued {
                sink: Some("http".into()),
                side_effect: method_effect(data) != Effect::Read,
                destructive: text_at(data, &["method"]).is_some_and(|m| m.eq_ignore_ascii_case("delete")),
                fetches: fetches(data),
                ..known
            },
            Is::Code => {
                let program = Program::of(text_at(data, &["code"]).map_or("", AsRef::as_ref));
                let sink = program.calls.then(|| "http".into());
                Catalogued { side_effect: program.calls || program.commands, sink, ..known }
            }
            Is::Tool => {
                let tool = tool_of(data);
                let kind = if tool.kind == Kind::Command { Kind::Command } else { kind };
                let is_workflow = super::effects::is_workflow(data);
                Catalogued {
                    kind: if is_workflow { Kind::SubWorkflow } else { kind },
                    side_effect: tool.changes(),
                    privileged: tool.privileged,
                    sink: tool.sink,
                    categories: tool.labels.into_iter().collect(),
                    confidence: if is_workflow { Confidence::Known } else { tool.confidence },
                    ..known
                }
            }
            Is::Human => Catalogued { human_gate: true, ..known },
            Is::Unknown => Catalogued { confidence: Confidence::Assumed, ..known },
            _ => known,
        }
    }

    fn secret_classes(&self) -> std::collections::BTreeSet<std::sync::Arc<str>> {
        self.app.environment.iter().filter(|v| v.is_secret).map(|_| "credential".into()).collect()
    }

    fn look_at(&mut self, i: usize, data: &Tree) {
        let span = self.span(i);
        if self.is(i) == Is::Unknown {
            self.observe(i, Observed::UnknownNodeType, None, span);
        }
        if self.handles_errors(i) {
            self.observe(i, Observed::HandlesErrors, None, span);
        }
        if let Some(verify) = data.get("ssl_verify").filter(|v| matches!(v.value, Data::Bool(false))) {
            self.observe(i, Observed::TlsOff, Some("ssl_verify"), verify.span);
        }
        // Neither a program nor a template is a text whose references are filled in.
        for key in ["code", "template"] {
            let is_kind = matches!(self.is(i), Is::Code | Is::Template);
            if let Some(tree) =
                data.get(key).filter(|t| is_kind && t.as_text().is_some_and(|t| super::refer::refers(t)))
            {
                self.observe(i, Observed::InertExpression, Some(key), tree.span);
            }
        }
        self.look_for_secrets(i, data);
    }

    fn look_for_secrets(&mut self, i: usize, data: &Tree) {
        if let Some(key) = at(data, &["authorization", "config", "api_key"])
            && key.as_text().is_some_and(|text| suspicion("apikey", text).is_some())
        {
            self.observe(i, Observed::HardCodedSecret, Some("authorization.config.api_key"), key.span);
        }
        let mut open: Vec<(&str, &Tree)> =
            ["headers", "params", "body", "tool_parameters", "tool_configurations", "url"]
                .iter()
                .filter_map(|key| Some((*key, data.get(key)?)))
                .collect();
        if let Some(code) = data.get("code").filter(|_| self.is(i) == Is::Code) {
            open.push(("code", code));
        }
        while let Some((key, tree)) = open.pop() {
            match &tree.value {
                Data::Text(text) if holds_secret(key, text) => {
                    self.observe(i, Observed::HardCodedSecret, Some(key), tree.span);
                }
                Data::List(items) => open.extend(items.iter().map(|item| (key, item))),
                Data::Map(entries) => open.extend(entries.iter().map(|e| {
                    // `{type, value}` and `{key, value}` belong to the key outside or beside.
                    let beside = text_at(tree, &["key"]).map(AsRef::as_ref);
                    (if e.key.as_ref() == "value" { beside.unwrap_or(key) } else { e.key.as_ref() }, &e.value)
                })),
                _ => {}
            }
        }
    }

    /// Variables that are marked secret and still have a value in the file, and those that should be marked.
    fn look_at_variables(&mut self) {
        let app = self.app;
        let first = self.entries().first().copied().unwrap_or_default();
        for variable in &app.environment {
            let Some(text) = variable.value.and_then(Tree::as_text) else { continue };
            let is_filled = variable.is_secret && !text.trim().is_empty() && !is_masked(text);
            if is_filled || suspicion(&variable.name, text).is_some() {
                let parameter = format!("environment_variables.{}", variable.name);
                self.observe(first, Observed::HardCodedSecret, Some(&parameter), variable.span);
            }
        }
    }
}

/// What Dify and people write where a secret was.
fn is_masked(text: &str) -> bool {
    let lower = text.to_lowercase();
    text.contains("***") || ["your", "placeholder", "changeme", "xxxx", "<"].iter().any(|word| lower.contains(word))
}

/// A text, or a line of one, that holds a credential under its key.
fn holds_secret(key: &str, text: &str) -> bool {
    let in_line = |line: &str| {
        let (name, value) = line.split_once([':', '=']).unwrap_or((key, line));
        let value = value.trim().trim_matches(['"', '\'', ',', ';']);
        suspicion(name.trim().trim_matches(['"', '\'']), value).is_some()
    };
    let in_query = |text: &str| text.split_once('?').is_some_and(|(_, query)| query.split('&').any(in_line));
    suspicion(key, text).is_some() || text.lines().any(in_line) || in_query(text)
}
