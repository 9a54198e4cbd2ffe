//! The definition as a whole: its document, its components, its data at both ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::document::{BAD_VALUE, Data, Entry, Fields, Node};
use crate::dsl::Lowered;
use crate::dsl::codes::{
    AUTHENTICATION, CATALOG, DSL_VERSION, EVALUATE, EXTENSION, FUNCTION, SCHEDULE, SCHEMA, TOO_MANY_STEPS,
};
use crate::dsl::expression::Sight;
use crate::dsl::task::{End, Scope};
use crate::limits::STEPS_MAX;
use crate::program::assemble::{Ends, Graph, Label};
use crate::program::{DeadlineId, Document, NodeKind, PlaceId, Program, Step};
use crate::text::{Span, Text};

/// What the workflow defines under `use` for reference by name.
#[derive(Default)]
pub(super) struct Components<'t> {
    pub(super) errors: &'t [Entry],
    pub(super) retries: &'t [Entry],
    pub(super) timeouts: &'t [Entry],
    pub(super) functions: &'t [Entry],
    pub(super) secrets: BTreeSet<Arc<str>>,
}

/// A definition that is being lowered.
pub(super) struct Lower<'t> {
    pub(super) text: &'t Text,
    pub(super) components: Components<'t>,
    pub(super) graph: Graph,
    pub(super) out: Vec<Diagnostic>,
    /// `$context`.
    pub(super) context: PlaceId,
    /// The timeout of the whole workflow, which only its end disarms.
    pub(super) whole: Option<DeadlineId>,
}

pub(super) fn lower(text: &Text, tree: &Node) -> Lowered {
    let mut lower = Lower {
        text,
        components: Components::default(),
        graph: Graph::new(),
        out: Vec::new(),
        context: PlaceId(0),
        whole: None,
    };
    let program = lower.workflow(tree);
    if lower.out.is_empty() && program.as_ref().is_some_and(|p| p.steps.len() > STEPS_MAX) {
        let message = format!("the definition has more than {STEPS_MAX} steps");
        lower.out.push(TOO_MANY_STEPS.at(tree.span, message));
    }
    let mut diagnostics = lower.out;
    diagnostics.sort_by_key(|d| (d.span.start, d.span.end, d.code));
    // A component is read wherever it is named, and reports the same each time.
    diagnostics.dedup_by(|a, b| (a.code, a.span, &a.message) == (b.code, b.span, &b.message));
    Lowered { program: program.filter(|_| diagnostics.is_empty()), diagnostics }
}

/// The top-level keys, read before anything is lowered.
struct Parts<'t> {
    document: Document,
    from: Option<&'t Node>,
    as_: Option<&'t Node>,
    timeout: Option<&'t Node>,
    tasks: Option<&'t Node>,
}

impl<'t> Lower<'t> {
    fn workflow(&mut self, tree: &'t Node) -> Option<Program> {
        let parts = self.parts(tree)?;
        self.components_checked();
        let name: Arc<str> = parts.document.name.as_str().into();
        let span = parts.document.span;
        self.graph.step =
            self.graph.step(Step { name, path: "workflow".into(), kind: "workflow", span: tree.span, purpose: None });
        let input = self.graph.place("workflow input");
        let output = self.graph.place("workflow output");
        self.context = self.graph.place("$context");
        let workflow = self.graph.place("$workflow");
        let data = self.graph.place("data");
        let (entry, end) = (self.graph.label(), self.graph.label());
        self.graph.bind(entry);

        let descriptors = BTreeMap::from([("workflow".into(), workflow)]);
        let mut sight = Sight { input, variables: descriptors };
        sight = self.runtime(sight, span);
        let from = self.transformed(parts.from, "input.from", &sight, span);
        self.graph.assign(data, from, parts.from.map_or(span, |n| n.span));
        self.graph.assign(self.context, Self::identity(data, span), span);
        sight = sight.and("context", self.context);
        if let Some(node) = parts.timeout {
            self.whole = self.arm(node, &sight.of(data));
        }

        let ends = Ends { entry, exit: self.graph.label(), input, output, context: self.context, workflow };
        let scope = Scope { sight: sight.of(data), data, end: End::Workflow { label: end, data } };
        if let Some(tasks) = parts.tasks {
            self.list(tasks, "do", &scope, end);
        }
        self.graph.bind(end);
        self.workflow_end(&parts, &sight.of(data), &ends, span);
        let graph = std::mem::take(&mut self.graph);
        // Without errors only: the graph of a broken definition has holes.
        self.out.is_empty().then(|| graph.finish(parts.document, &ends))
    }

    fn workflow_end(&mut self, parts: &Parts<'t>, sight: &Sight, ends: &Ends, span: Span) {
        if let Some(deadline) = self.whole {
            self.graph.deadline = None;
            self.graph.then(span, |next| NodeKind::Disarm { deadline, next });
        }
        let as_ = self.transformed(parts.as_, "output.as", sight, span);
        self.graph.assign(ends.output, as_, parts.as_.map_or(span, |n| n.span));
        self.graph.bind(ends.exit);
        self.graph.emit(NodeKind::Exit, span);
    }

    /// A transformation, or the identity where the text has none (or a broken one, which is reported).
    pub(super) fn transformed(
        &mut self,
        node: Option<&Node>,
        what: &str,
        sight: &Sight,
        span: Span,
    ) -> crate::program::Use {
        let value = node.and_then(|node| self.transform(node, what, sight));
        value.unwrap_or_else(|| Self::identity(sight.input, span))
    }

    /// `$runtime`, where the text mentions it.
    fn runtime(&mut self, sight: Sight, span: Span) -> Sight {
        if !self.text.content.contains("$runtime") {
            return sight;
        }
        let place = self.graph.place("$runtime");
        let value = serde_json::json!({ "name": "sluice", "version": env!("CARGO_PKG_VERSION") });
        self.graph.assign(place, Self::constant(&value, sight.input, span), span);
        sight.and("runtime", place)
    }

    fn parts(&mut self, tree: &'t Node) -> Option<Parts<'t>> {
        let mut fields = Fields::of(tree, "a definition", &mut self.out)?;
        let document = fields.required("document", &mut self.out);
        let input = fields.optional("input");
        let components = fields.optional("use");
        let tasks = fields.required("do", &mut self.out);
        let timeout = fields.optional("timeout");
        let output = fields.optional("output");
        if let Some(entry) = fields.entry("schedule") {
            self.out.push(SCHEDULE.at(entry.key_span, "`schedule` is not supported"));
        }
        let evaluate = fields.optional("evaluate");
        fields.finish(&mut self.out);

        let document = document.map(|node| self.document(node)).unwrap_or_default();
        if let Some(node) = components {
            self.read_components(node);
        }
        if let Some(node) = evaluate {
            self.evaluate(node);
        }
        let from = input.and_then(|node| self.filtered(node, "an input", "from"));
        let as_ = output.and_then(|node| self.filtered(node, "an output", "as"));
        Some(Parts { document, from, as_, timeout, tasks })
    }

    /// `input`, `output` or `export`: a transformation under `key`, and a schema.
    pub(super) fn filtered(&mut self, node: &'t Node, what: &'static str, key: &'static str) -> Option<&'t Node> {
        let mut fields = Fields::of(node, what, &mut self.out)?;
        if let Some(entry) = fields.entry("schema") {
            self.out.push(SCHEMA.at(entry.key_span, format!("`schema` of {what} is not supported")));
        }
        let found = fields.optional(key);
        fields.finish(&mut self.out);
        found
    }

    fn document(&mut self, node: &Node) -> Document {
        let mut document = Document { span: node.span, ..Document::default() };
        let Some(mut fields) = Fields::of(node, "a document", &mut self.out) else { return document };
        for (key, slot) in [
            ("dsl", &mut document.dsl),
            ("namespace", &mut document.namespace),
            ("name", &mut document.name),
            ("version", &mut document.version),
        ] {
            let found = fields.required(key, &mut self.out).and_then(|n| n.expect_name(key, &mut self.out));
            *slot = found.map(|text| text.to_string()).unwrap_or_default();
        }
        if let Some(dsl) = node.get("dsl").filter(|n| n.as_text().is_some_and(|v| !is_supported(v))) {
            self.out.push(DSL_VERSION.at(dsl.span, format!("DSL version `{}` is not supported", document.dsl)));
        }
        document.title =
            fields.optional("title").and_then(|n| n.expect_text("title", &mut self.out)).map(|text| text.to_string());
        fields.optional("summary").map(|n| n.expect_text("summary", &mut self.out));
        fields.optional("tags").map(|n| n.expect_map("tags", &mut self.out));
        if let Some(metadata) = fields.optional("metadata") {
            document.purpose = self.purpose(metadata);
            document.ticket = metadata.get("ticket").and_then(|node| {
                let written = node.expect_name("ticket", &mut self.out)?;
                self.text(node, &written)
            });
            document.holes = metadata.get("holes").map(|node| self.holes(node)).unwrap_or_default();
        }
        fields.finish(&mut self.out);
        document
    }

    /// `purpose` of some metadata; its other keys are the author's own.
    pub(super) fn purpose(&mut self, metadata: &Node) -> Option<(Arc<str>, Span)> {
        metadata.expect_map("metadata", &mut self.out)?;
        let node = metadata.get("purpose")?;
        Some((node.expect_name("purpose", &mut self.out)?, node.span))
    }

    fn read_components(&mut self, node: &'t Node) {
        let Some(mut fields) = Fields::of(node, "`use`", &mut self.out) else { return };
        for (key, code) in [("authentications", &AUTHENTICATION), ("extensions", &EXTENSION), ("catalogs", &CATALOG)] {
            if let Some(entry) = fields.entry(key) {
                self.out.push(code.at(entry.key_span, format!("`use.{key}` is not supported")));
            }
        }
        for (key, slot) in [
            ("errors", &mut self.components.errors),
            ("retries", &mut self.components.retries),
            ("timeouts", &mut self.components.timeouts),
            ("functions", &mut self.components.functions),
        ] {
            let found = fields.optional(key).and_then(|n| n.expect_map(key, &mut self.out));
            *slot = found.unwrap_or_default();
        }
        for function in self.components.functions {
            self.out.push(FUNCTION.at(function.key_span, format!("function `{}` is not supported", function.key)));
        }
        let secrets = fields.optional("secrets").and_then(|n| n.expect_texts("secrets", &mut self.out));
        self.components.secrets = secrets.into_iter().flatten().collect();
        fields.finish(&mut self.out);
    }

    /// Reads the components that nothing may name, so that their errors are reported too.
    fn components_checked(&mut self) {
        for entry in self.components.retries {
            self.retry_policy(&entry.value);
        }
        for entry in self.components.errors {
            if let Some(mut fields) = Fields::of(&entry.value, "an error", &mut self.out) {
                fields.required("type", &mut self.out);
                fields.required("status", &mut self.out);
                let _ = ["title", "detail", "instance"].map(|key| fields.optional(key));
                fields.finish(&mut self.out);
            }
        }
        for entry in self.components.timeouts {
            if let Some(mut fields) = Fields::of(&entry.value, "a timeout", &mut self.out) {
                fields.required("after", &mut self.out);
                fields.finish(&mut self.out);
            }
        }
    }

    fn evaluate(&mut self, node: &Node) {
        let Some(mut fields) = Fields::of(node, "`evaluate`", &mut self.out) else { return };
        for (key, only) in [("language", "jq"), ("mode", "strict")] {
            let Some(node) = fields.optional(key) else { continue };
            if let Some(text) = node.expect_text(key, &mut self.out).filter(|t| t.as_ref() != only) {
                self.out.push(EVALUATE.at(node.span, format!("{key} `{text}` is not supported")));
            }
        }
        fields.finish(&mut self.out);
    }

    /// The component that a text names, or the node itself.
    pub(super) fn referenced(&mut self, node: &'t Node, among: &'t [Entry], what: &str) -> Option<&'t Node> {
        let Data::Text(name) = &node.value else { return Some(node) };
        if let Some(entry) = among.iter().find(|e| e.key == *name) {
            return Some(&entry.value);
        }
        let mut message = format!("{what} `{name}` is not defined");
        if let Some(word) = crate::document::closest(name, among.iter().map(|e| e.key.as_ref())) {
            message.push_str(&format!("; did you mean `{word}`?"));
        }
        self.out.push(crate::dsl::codes::UNKNOWN_REFERENCE.at(node.span, message));
        None
    }

    /// A value of the right kind that is not allowed.
    pub(super) fn bad(&mut self, span: Span, message: impl Into<String>) {
        self.out.push(BAD_VALUE.at(span, message));
    }

    /// A label that the next node binds.
    pub(super) fn here(&mut self) -> Label {
        let label = self.graph.label();
        self.graph.bind(label);
        label
    }
}

/// `1.0.3`, and the alphas of 1.0.0, which differ in nothing that is read here.
fn is_supported(version: &str) -> bool {
    let Some(patch) = version.strip_prefix("1.0.") else { return false };
    let (number, pre) = patch.split_once('-').unwrap_or((patch, "x"));
    let word = |s: &str| !s.is_empty() && s.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-');
    !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()) && word(pre)
}
