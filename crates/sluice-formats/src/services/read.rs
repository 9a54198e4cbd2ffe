//! Reading a service catalogue, with a located error for whatever it cannot mean.

use std::collections::{BTreeMap, BTreeSet};

use sluice_core::catalogue::Usage;
use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::{BAD_VALUE, Data, Entry, Fields, Node as Tree};
use sluice_core::gate::Effect;

use super::{Argument, Operation, Reply, Service, Services, Verb};
use crate::import::{Kind, Source, Tier};

const EFFECTS: [(&str, Effect); 6] = [
    ("read", Effect::Read),
    ("write", Effect::Write),
    ("export", Effect::Export),
    ("grant", Effect::Grant),
    ("execute", Effect::Execute),
    ("notify", Effect::Notify),
];

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

type Errors<'a> = &'a mut Vec<Diagnostic>;

impl Services {
    /// Adds what a file says.
    pub(super) fn add(&mut self, tree: &Tree, format: &'static str, out: Errors<'_>) {
        let Some(mut fields) = Fields::of(tree, "a service catalogue", out) else { return };
        if let Some(version) = fields.required("version", out)
            && version.value != Data::Int(1)
        {
            out.push(BAD_VALUE.at(version.span, "`version` must be `1`, the one that this release reads"));
        }
        if let Some(found) = fields.required("format", out) {
            found.expect_word("format", &[(format, ())], out);
        }
        for item in fields.optional("verbs").and_then(|v| v.expect_list("verbs", out)).unwrap_or_default() {
            self.verb_entry(item, out);
        }
        for entry in entries(fields.optional("services"), "services", out) {
            self.service_entry(entry, out);
        }
        fields.finish(out);
    }

    fn verb_entry(&mut self, item: &Tree, out: Errors<'_>) {
        let Some(mut fields) = Fields::of(item, "a verb", out) else { return };
        let words = fields.required("words", out).and_then(|v| v.expect_texts("words", out)).unwrap_or_default();
        let effect = fields.required("effect", out).and_then(|v| v.expect_word("effect", &EFFECTS, out));
        let destructive = flag(&mut fields, "destructive", out).unwrap_or_default();
        let privileged = flag(&mut fields, "privileged", out).unwrap_or_default();
        fields.finish(out);
        let Some(effect) = effect else { return };
        for word in words {
            if self.verbs.insert(word.to_lowercase().into(), Verb { effect, destructive, privileged }).is_some() {
                out.push(BAD_VALUE.at(item.span, format!("`{word}` is in the list twice")));
            }
        }
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

fn flag(fields: &mut Fields<'_>, key: &'static str, out: Errors<'_>) -> Option<bool> {
    fields.optional(key).and_then(|v| v.expect_bool(key, out))
}

fn entries<'t>(tree: Option<&'t Tree>, what: &str, out: Errors<'_>) -> &'t [Entry] {
    tree.and_then(|tree| tree.expect_map(what, out)).unwrap_or_default()
}
