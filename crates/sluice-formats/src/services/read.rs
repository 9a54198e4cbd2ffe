//! Reading a service catalogue, with a located error for whatever it cannot mean.

use std::collections::{BTreeMap, BTreeSet};

use sluice_core::catalogue::Usage;
use sluice_core::document::{BAD_VALUE, Entry, Fields, Node as Tree};

use super::{Argument, Operation, Reply, Service, Services};
use crate::catalogues::words::{self, EFFECTS, Errors, entries, flag};
use crate::import::{Kind, Source, Tier};

const KINDS: [(&str, Kind); 7] = [
    ("action", Kind::Action),
    ("flow", Kind::Flow),
    ("model", Kind::Model),
    ("agent", Kind::Agent),
    ("code", Kind::Code),
    ("command", Kind::Command),
    ("sub-workflow", Kind::SubWorkflow),
];

const USAGES: [(&str, Option<Usage>); 16] = [
    ("none", None),
    ("recipient", Some(Usage::Recipient)),
    ("resource", Some(Usage::Resource)),
    ("url", Some(Usage::Url)),
    ("host", Some(Usage::Host)),
    ("path", Some(Usage::Path)),
    ("query", Some(Usage::Query)),
    ("command", Some(Usage::Command)),
    ("code", Some(Usage::Code)),
    ("prompt", Some(Usage::Prompt)),
    ("object", Some(Usage::Object)),
    ("amount", Some(Usage::Amount)),
    ("payload", Some(Usage::Payload)),
    ("html", Some(Usage::Html)),
    ("document", Some(Usage::Document)),
    ("trigger", Some(Usage::Trigger)),
];

const TIERS: [(&str, Tier); 4] = [
    ("internal", Tier::Internal),
    ("conditional", Tier::Conditional),
    ("indirect", Tier::Indirect),
    ("direct", Tier::Direct),
];

impl Services {
    /// Adds what a file says.
    pub(super) fn add(&mut self, tree: &Tree, format: &'static str, out: Errors<'_>) {
        let Some(mut fields) = Fields::of(tree, "a service catalogue", out) else { return };
        words::head(&mut fields, format, out);
        words::verbs(fields.optional("verbs"), "verbs", |word| word.to_lowercase().into(), &mut self.verbs, out);
        for entry in entries(fields.optional("services"), "services", out) {
            self.service_entry(entry, out);
        }
        fields.finish(out);
    }

    fn service_entry(&mut self, entry: &Entry, out: Errors<'_>) {
        let Some(mut fields) = Fields::of(&entry.value, "a service", out) else { return };
        let names = fields.optional("names").and_then(|v| v.expect_texts("names", out)).unwrap_or_default();
        let service = Service {
            name: Some(entry.key.clone()),
            sink: fields.optional("sink").and_then(|v| v.expect_name("sink", out)),
            privileged: flag(&mut fields, "privileged", out).unwrap_or_default(),
            arguments: arguments(fields.optional("arguments"), out),
            read: fields.optional("read").map(|v| reply(v, out)).unwrap_or_default(),
            operations: operations(fields.optional("operations"), out),
        };
        fields.finish(out);
        for name in std::iter::once(&entry.key).chain(&names) {
            if self.services.insert(name.to_lowercase().into(), service.clone()).is_some() {
                out.push(BAD_VALUE.at(entry.key_span, format!("`{name}` is in the catalogue already")));
            }
        }
    }
}

fn operations(tree: Option<&Tree>, out: Errors<'_>) -> BTreeMap<sluice_core::label::Name, Operation> {
    let mut found = BTreeMap::new();
    for entry in entries(tree, "operations", out) {
        let Some(operation) = operation(&entry.value, out) else { continue };
        if found.insert(entry.key.to_lowercase().into(), operation).is_some() {
            out.push(BAD_VALUE.at(entry.key_span, format!("`{}` is in the list twice", entry.key)));
        }
    }
    found
}

fn operation(tree: &Tree, out: Errors<'_>) -> Option<Operation> {
    let mut fields = Fields::of(tree, "an operation", out)?;
    let sink = fields.optional("sink").and_then(|v| v.expect_name("sink", out));
    let operation = Operation {
        kind: fields.optional("kind").and_then(|v| v.expect_word("kind", &KINDS, out)),
        effect: fields.optional("effect").and_then(|v| v.expect_word("effect", &EFFECTS, out)),
        sink: sink.map(|name| Some(name).filter(|name| name.as_ref() != "none")),
        privileged: flag(&mut fields, "privileged", out),
        destructive: flag(&mut fields, "destructive", out),
        human_gate: flag(&mut fields, "human_gate", out).unwrap_or_default(),
        arguments: arguments(fields.optional("arguments"), out),
        output: fields.optional("output").map(|v| reply(v, out)),
    };
    fields.finish(out);
    Some(operation)
}

fn reply(tree: &Tree, out: Errors<'_>) -> Reply {
    let Some(mut fields) = Fields::of(tree, "a reply", out) else { return Reply::default() };
    let kind = fields.optional("source").and_then(|v| v.expect_name("source", out));
    let tier = fields.optional("trust").and_then(|v| v.expect_word("trust", &TIERS, out));
    if kind.is_some() != tier.is_some() {
        out.push(BAD_VALUE.at(tree.span, "`source` and `trust` belong together"));
    }
    let labels: BTreeSet<_> =
        fields.optional("labels").and_then(|v| v.expect_texts("labels", out)).unwrap_or_default().into_iter().collect();
    let classify = fields.optional("classify").and_then(|v| v.expect_word("classify", &[("fields", true)], out));
    let from = fields.optional("from").and_then(|v| v.expect_word("from", &[("sent", true), ("service", false)], out));
    fields.finish(out);
    Reply {
        source: kind.zip(tier).map(|(kind, tier)| Source { kind, tier }),
        labels,
        classify: classify.unwrap_or_default(),
        made_from_sent: from.unwrap_or_default(),
    }
}

fn arguments(tree: Option<&Tree>, out: Errors<'_>) -> Vec<Argument> {
    let mut arguments = Vec::new();
    for entry in entries(tree, "arguments", out) {
        if let Some(usage) = entry.value.expect_word("arguments", &USAGES, out) {
            let path = entry.key.split(['.', '/']).filter(|part| !part.is_empty());
            arguments.push(Argument { path: path.map(|part| part.to_lowercase().into()).collect(), usage });
        }
    }
    arguments
}
