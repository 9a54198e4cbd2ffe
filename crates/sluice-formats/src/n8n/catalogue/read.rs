//! Reading a catalogue file, with a located error for whatever it cannot mean.

use std::collections::{BTreeMap, BTreeSet};

use sluice_core::catalogue::Usage;
use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::{BAD_VALUE, Data, Entry, Fields, Node as Tree};
use sluice_core::label::Name;
use sluice_core::text::Span;

use super::found::{Host, PARTS, ParameterPattern};
use super::node::{ActionSpec, Arguments, EntranceSpec, Node, NodeSpec, Reply};
use super::patterns::{Patterns, REPLIES};
use crate::catalogues::words::{self, EFFECTS, Errors, Verb, entries, flag};
use crate::import::{Kind, Source, Tier};

const KINDS: [(&str, Kind); 9] = [
    ("trigger", Kind::Trigger),
    ("action", Kind::Action),
    ("flow", Kind::Flow),
    ("model", Kind::Model),
    ("agent", Kind::Agent),
    ("code", Kind::Code),
    ("command", Kind::Command),
    ("sub-workflow", Kind::SubWorkflow),
    ("part", Kind::Part),
];

const USAGES: [(&str, Option<Usage>); 16] = [
    ("none", None),
    ("recipient", Some(Usage::Recipient)),
    ("url", Some(Usage::Url)),
    ("host", Some(Usage::Host)),
    ("path", Some(Usage::Path)),
    ("query", Some(Usage::Query)),
    ("command", Some(Usage::Command)),
    ("code", Some(Usage::Code)),
    ("prompt", Some(Usage::Prompt)),
    ("agent", Some(Usage::Agent)),
    ("object", Some(Usage::Object)),
    ("amount", Some(Usage::Amount)),
    ("payload", Some(Usage::Payload)),
    ("html", Some(Usage::Html)),
    ("document", Some(Usage::Document)),
    ("trigger", Some(Usage::Trigger)),
];

/// `trusted` is the word for a reply that carries nobody's words but the service's own.
const TIERS: [(&str, Option<Tier>); 5] = [
    ("trusted", None),
    ("internal", Some(Tier::Internal)),
    ("conditional", Some(Tier::Conditional)),
    ("indirect", Some(Tier::Indirect)),
    ("direct", Some(Tier::Direct)),
];

const CATEGORIES: [&str; 13] = [
    "contact_pii",
    "hr",
    "health",
    "financial",
    "payment_customer",
    "credentials",
    "communications",
    "location",
    "calendar",
    "source_code",
    "infra_telemetry",
    "internal_docs",
    "customer_records",
];

/// What one file adds.
#[derive(Debug)]
pub(super) struct File {
    pub nodes: Vec<(Name, Node)>,
    pub fields: BTreeMap<Name, Vec<Name>>,
    pub patterns: Patterns,
    pub hosts: BTreeMap<Name, Host>,
}

impl File {
    /// Reads a file; `seen` tells which file named a node type first.
    pub(super) fn read(
        name: &Name,
        tree: &Tree,
        seen: &mut BTreeMap<Name, Name>,
        out: &mut Vec<Diagnostic>,
    ) -> Option<Self> {
        let mut fields = Fields::of(tree, "a node catalogue", out)?;
        words::head(&mut fields, "n8n", out);
        let nodes = entries(fields.optional("nodes"), "nodes", out);
        let nodes = nodes.iter().filter_map(|entry| {
            if let Some(first) = seen.insert(entry.key.clone(), name.clone()) {
                out.push(BAD_VALUE.at(entry.key_span, format!("`{}` is in `{first}` already", entry.key)));
            }
            Some((entry.key.clone(), Node::new(node(&entry.value, out)?)))
        });
        let nodes = nodes.collect();
        let lexicon = lexicon(fields.optional("fields"), out);
        let patterns = Patterns {
            verbs: verbs(fields.optional("verbs"), "verbs", out),
            statements: verbs(fields.optional("statements"), "statements", out),
            types: keyed(fields.optional("types"), "types", out, |_, value, out| node(value, out)),
            credentials: keyed(fields.optional("credentials"), "credentials", out, |_, value, out| {
                value.expect_name("credentials", out)
            }),
        };
        let hosts = keyed(fields.optional("hosts"), "hosts", out, |_, value, out| host(value, out));
        fields.finish(out);
        Some(Self { nodes, fields: lexicon, patterns, hosts })
    }
}

fn node(tree: &Tree, out: Errors<'_>) -> Option<NodeSpec> {
    let mut fields = Fields::of(tree, "a node type", out)?;
    let kind = fields.required("kind", out).and_then(|v| v.expect_word("kind", &KINDS, out)).unwrap_or_default();
    let part = fields.optional("part").and_then(|v| v.expect_word("part", &PARTS, out));
    if part.is_some() != (kind == Kind::Part) {
        out.push(BAD_VALUE.at(tree.span, "`part` and `kind: part` belong together"));
    }
    let select = fields.optional("select").map(|v| select(v, out));
    let spec = NodeSpec {
        kind,
        part,
        service: fields.optional("service").and_then(|v| v.expect_name("service", out)),
        sink: fields.optional("sink").and_then(|v| v.expect_name("sink", out)),
        effect: fields.optional("effect").and_then(|v| v.expect_word("effect", &EFFECTS, out)),
        privileged: flag(&mut fields, "privileged", out).unwrap_or_default(),
        select: select.unwrap_or_else(|| vec![vec!["resource".into()], vec!["operation".into()]]),
        default: fields.optional("default").and_then(|v| v.expect_name("default", out)),
        older: fields.optional("older").map(|v| older(v, out)).unwrap_or_default(),
        defaults: keyed(fields.optional("defaults"), "defaults", out, |_, v, out| v.expect_name("defaults", out)),
        arguments: arguments(fields.optional("arguments"), out),
        unnamed: fields.optional("unnamed").and_then(|v| v.expect_word("unnamed", &USAGES, out)),
        statement: fields.optional("statement").map(|v| alternatives(v, out)).unwrap_or_default(),
        output: fields.optional("output").map(|v| reply(v, out)).unwrap_or_default(),
        read: fields.optional("read").map(|v| reply(v, out)).unwrap_or_default(),
        entrance: fields.optional("entrance").and_then(|v| entrance(v, out)),
        actions: keyed(fields.optional("actions"), "actions", out, |_, value, out| action(value, out)),
    };
    fields.finish(out);
    Some(spec)
}

fn action(tree: &Tree, out: Errors<'_>) -> Option<ActionSpec> {
    let mut fields = Fields::of(tree, "an action", out)?;
    let sink = fields.optional("sink").and_then(|v| v.expect_name("sink", out));
    let spec = ActionSpec {
        kind: fields.optional("kind").and_then(|v| v.expect_word("kind", &KINDS, out)),
        part: fields.optional("part").and_then(|v| v.expect_word("part", &PARTS, out)),
        effect: fields.optional("effect").and_then(|v| v.expect_word("effect", &EFFECTS, out)),
        sink: sink.map(|name| Some(name).filter(|name| name.as_ref() != "none")),
        privileged: flag(&mut fields, "privileged", out),
        destructive: flag(&mut fields, "destructive", out),
        human_gate: flag(&mut fields, "human_gate", out).unwrap_or_default(),
        arguments: arguments(fields.optional("arguments"), out),
        unnamed: fields.optional("unnamed").and_then(|v| v.expect_word("unnamed", &USAGES, out)),
        output: fields.optional("output").map(|v| reply(v, out)).unwrap_or_default(),
    };
    fields.finish(out);
    Some(spec)
}

fn host(tree: &Tree, out: Errors<'_>) -> Option<Host> {
    let mut fields = Fields::of(tree, "a host", out)?;
    let service = fields.required("service", out).and_then(|v| v.expect_name("service", out));
    let sink = fields.optional("sink").and_then(|v| v.expect_name("sink", out));
    let reply = fields.optional("output").map(|v| reply(v, out)).unwrap_or_default();
    fields.finish(out);
    let labels = reply.labels.unwrap_or_default();
    Some(Host { service: service?, sink, source: reply.source.flatten(), labels })
}

fn reply(tree: &Tree, out: Errors<'_>) -> Reply {
    let Some(mut fields) = Fields::of(tree, "a reply", out) else { return Reply::default() };
    let from = fields.optional("from").and_then(|v| v.expect_word("from", &REPLIES, out));
    let kind = fields.optional("source").and_then(|v| v.expect_name("source", out));
    let tier = fields.optional("trust").and_then(|v| v.expect_word("trust", &TIERS, out));
    let source = match (kind, tier) {
        (None, None) => None,
        (None, Some(None)) => Some(None),
        (Some(kind), Some(Some(tier))) => Some(Some(Source { kind, tier })),
        _ => {
            out.push(
                BAD_VALUE.at(tree.span, "`source` and `trust` belong together, and `trust: trusted` has no source"),
            );
            None
        }
    };
    let labels = fields.optional("labels").map(|v| categories(v, out));
    let classify = fields.optional("classify").and_then(|v| v.expect_word("classify", &[("fields", true)], out));
    let sink = fields.optional("sink").and_then(|v| v.expect_name("sink", out));
    fields.finish(out);
    Reply { from, source, labels, classify, sink }
}

fn entrance(tree: &Tree, out: Errors<'_>) -> Option<EntranceSpec> {
    let mut fields = Fields::of(tree, "an entrance", out)?;
    let authentication = fields.required("authentication", out).and_then(|v| v.expect_name("authentication", out));
    let open = fields.required("open", out).and_then(|v| v.expect_texts("open", out));
    let mut tier = |key, out: Errors<'_>| fields.optional(key).and_then(|v| v.expect_word(key, &TIERS, out)).flatten();
    let (exposed, guarded) = (tier("exposed", out), tier("guarded", out));
    let only = fields.optional("only").and_then(|v| v.expect_name("only", out));
    fields.finish(out);
    Some(EntranceSpec { authentication: authentication?, open: open?.into_iter().collect(), only, exposed, guarded })
}

fn arguments(tree: Option<&Tree>, out: Errors<'_>) -> Arguments {
    let mut arguments = Vec::new();
    for entry in entries(tree, "arguments", out) {
        let usage = entry.value.expect_word("arguments", &USAGES, out);
        match (ParameterPattern::parse(&entry.key), usage) {
            (Some(pattern), Some(usage)) => arguments.push((pattern, usage)),
            (None, _) => out.push(BAD_VALUE.at(entry.key_span, format!("`{}` is no dotted path", entry.key))),
            (_, None) => {}
        }
    }
    arguments
}

fn select(tree: &Tree, out: Errors<'_>) -> Vec<Vec<Name>> {
    let items = tree.expect_list("select", out).unwrap_or_default();
    if items.len() > 2 {
        out.push(BAD_VALUE.at(tree.span, "`select` names at most two parameters"));
    }
    items.iter().map(|item| alternatives(item, out)).collect()
}

/// One name or, with the names of older versions, several.
fn alternatives(tree: &Tree, out: Errors<'_>) -> Vec<Name> {
    match &tree.value {
        Data::List(_) => tree.expect_texts("names of a parameter", out).unwrap_or_default(),
        _ => tree.expect_name("name of a parameter", out).into_iter().collect(),
    }
}

fn older(tree: &Tree, out: Errors<'_>) -> Vec<(f64, Name)> {
    let mut older = Vec::new();
    for item in tree.expect_list("older", out).unwrap_or_default() {
        let Some(mut fields) = Fields::of(item, "an older default", out) else { continue };
        let below = fields.required("below", out).and_then(|v| v.expect_count("below", out));
        let default = fields.required("default", out).and_then(|v| v.expect_name("default", out));
        fields.finish(out);
        if let (Some(below), Some(default)) = (below.and_then(|n| u32::try_from(n).ok()), default) {
            older.push((f64::from(below), default));
        }
    }
    older
}

fn verbs(tree: Option<&Tree>, what: &'static str, out: Errors<'_>) -> BTreeMap<Name, Verb> {
    let mut verbs = BTreeMap::new();
    words::verbs(tree, what, Name::clone, &mut verbs, out);
    verbs
}

fn lexicon(tree: Option<&Tree>, out: Errors<'_>) -> BTreeMap<Name, Vec<Name>> {
    keyed(tree, "fields", out, |entry, value, out| {
        category(&entry.key, entry.key_span, out)?;
        value.expect_texts("fields", out)
    })
}

fn categories(tree: &Tree, out: Errors<'_>) -> BTreeSet<Name> {
    let items = tree.expect_list("labels", out).unwrap_or_default();
    let names = items.iter().filter_map(|item| Some((item.expect_name("labels", out)?, item.span)));
    let names: Vec<(Name, Span)> = names.collect();
    names.into_iter().filter_map(|(name, span)| category(&name, span, out)).collect()
}

fn category(name: &Name, span: Span, out: Errors<'_>) -> Option<Name> {
    if CATEGORIES.contains(&name.as_ref()) {
        return Some(name.clone());
    }
    let known = CATEGORIES.join("`, `");
    out.push(BAD_VALUE.at(span, format!("`{name}` is no category; there are `{known}`")));
    None
}

fn keyed<T>(
    tree: Option<&Tree>,
    what: &str,
    out: Errors<'_>,
    mut read: impl FnMut(&Entry, &Tree, Errors<'_>) -> Option<T>,
) -> BTreeMap<Name, T> {
    let mut map = BTreeMap::new();
    for entry in entries(tree, what, out) {
        if let Some(value) = read(entry, &entry.value, out) {
            map.insert(entry.key.clone(), value);
        }
    }
    map
}
