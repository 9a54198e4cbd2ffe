//! `raise`: an error of the author's, described as RFC 7807 does.

use std::sync::Arc;

use serde_json::Value;

use crate::document::{Data, Fields, Node};
use crate::dsl::task::Task;
use crate::dsl::workflow::Lower;
use crate::expression::Expression;
use crate::program::NodeKind;

impl<'t> Lower<'t> {
    pub(super) fn raise(&mut self, task: &Task<'_, 't>, node: &'t Node) {
        self.check_then(task);
        let Some(mut fields) = Fields::of(node, "`raise`", &mut self.out) else { return };
        let error = fields.required("error", &mut self.out);
        fields.finish(&mut self.out);
        let Some(found) = error.and_then(|node| self.referenced(node, self.components.errors, "error")) else { return };
        let Some(fields) = self.error(task, found) else { return };
        if let Some(error) = self.bound(Expression::object(fields, found.span), &task.sight) {
            self.graph.emit(NodeKind::Raise { error }, task.span);
        }
    }

    /// The properties of an error; `instance` is the task that raises it, if the author names none.
    fn error(&mut self, task: &Task<'_, 't>, node: &'t Node) -> Option<Vec<(Arc<str>, Expression)>> {
        let mut fields = Fields::of(node, "an error", &mut self.out)?;
        let mut found = Vec::new();
        for key in ["type", "status", "title", "detail", "instance"] {
            let required = matches!(key, "type" | "status");
            let value = if required { fields.required(key, &mut self.out) } else { fields.optional(key) };
            if value.is_none() && key == "instance" {
                let reference = Value::from(format!("/{}", task.path));
                found.push(Some((key.into(), Expression::literal(&reference, task.span))));
            }
            let Some(value) = value else { continue };
            let fits = matches!((&value.value, key), (Data::Text(_), _) | (Data::Int(_), "status"));
            if !fits || (key == "status" && value.as_text().is_some_and(|t| !t.contains("${"))) {
                self.bad(
                    value.span,
                    format!("`{key}` of an error is {}", if key == "status" { "a whole number" } else { "text" }),
                );
                continue;
            }
            found.push(self.value(value).map(|expression| (key.into(), expression)));
        }
        fields.finish(&mut self.out);
        found.into_iter().collect()
    }
}

/// The ways to write one of the DSL's standard error types: the project was renamed, and its examples use both
/// names and two paths. What Sluice raises itself matches any of them. Other types are only themselves.
pub(super) fn standard_types(text: &str) -> Vec<Value> {
    const BASES: [&str; 4] = [
        "https://serverlessworkflow.io/spec/1.0.0/errors/",
        "https://serverlessworkflow.io/dsl/errors/types/",
        "https://open-workflow-specification.org/spec/1.0.0/errors/",
        "https://open-workflow-specification.org/dsl/errors/types/",
    ];
    const KINDS: [&str; 8] = [
        "configuration",
        "validation",
        "expression",
        "authentication",
        "authorization",
        "timeout",
        "communication",
        "runtime",
    ];
    let kind = BASES.iter().find_map(|base| text.strip_prefix(base)).filter(|kind| KINDS.contains(kind));
    match kind {
        Some(kind) => BASES.iter().map(|base| Value::from(format!("{base}{kind}"))).collect(),
        None => vec![Value::from(text)],
    }
}
