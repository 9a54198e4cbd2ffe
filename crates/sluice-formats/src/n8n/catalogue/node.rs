//! One node type: its entry as read, and its actions resolved.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sluice_core::catalogue::{ReplyRule, Usage};
use sluice_core::gate::Effect;
use sluice_core::label::Name;

use super::found::{Found, ParameterPattern, Part};
use super::patterns::{Patterns, unnamed};
use crate::catalogues::words::Verb;
use crate::import::{Confidence, Entrance, Kind, Source, Tier};

/// What parameters decide, in the order of their entry.
pub(super) type Arguments = Vec<(ParameterPattern, Option<Usage>)>;

/// A node type.
#[derive(Clone, Debug)]
pub(super) struct Node {
    spec: NodeSpec,
    /// Those of the entry itself, shared by every action without some of its own.
    arguments: Arc<[(ParameterPattern, Option<Usage>)]>,
    /// What the entry spells out, with all that it leaves to the node and to verbs filled in.
    actions: BTreeMap<Name, Arc<Found>>,
}

/// The entry of a node type.
#[derive(Clone, Debug, Default)]
pub(super) struct NodeSpec {
    pub kind: Kind,
    pub part: Option<Part>,
    pub service: Option<Name>,
    /// Of every action that changes something, and of models and agents.
    pub sink: Option<Name>,
    /// The effect of actions whose verb says nothing.
    pub effect: Option<Effect>,
    /// Whether every change that it makes is privileged.
    pub privileged: bool,
    /// Parameters that choose the action, each with its older names.
    pub select: Vec<Vec<Name>>,
    /// The action when none of them is there.
    pub default: Option<Name>,
    /// The default below a type version.
    pub older: Vec<(f64, Name)>,
    /// The default operation of each resource.
    pub defaults: BTreeMap<Name, Name>,
    pub arguments: Arguments,
    pub unnamed: Option<Option<Usage>>,
    /// Parameters whose SQL decides the effect.
    pub statement: Vec<Name>,
    /// What every reply is like.
    pub output: Reply,
    /// What the replies of its reads are like.
    pub read: Reply,
    pub entrance: Option<EntranceSpec>,
    pub actions: BTreeMap<Name, ActionSpec>,
}

/// The entry of an action; what it leaves out is the node's, or its verb's.
#[derive(Clone, Debug, Default)]
pub(super) struct ActionSpec {
    pub kind: Option<Kind>,
    pub part: Option<Part>,
    pub effect: Option<Effect>,
    /// `Some(None)`: data goes nowhere, whatever the node says.
    pub sink: Option<Option<Name>>,
    pub privileged: Option<bool>,
    pub destructive: Option<bool>,
    pub human_gate: bool,
    pub arguments: Arguments,
    pub unnamed: Option<Option<Usage>>,
    pub output: Reply,
}

/// What a reply is like; what is left out is said elsewhere.
#[derive(Clone, Debug, Default)]
pub(super) struct Reply {
    pub from: Option<ReplyRule>,
    /// `Some(None)`: nobody's but the service's own.
    pub source: Option<Option<Source>>,
    pub labels: Option<BTreeSet<Name>>,
    pub classify: Option<bool>,
    /// Where a read sends its arguments.
    pub sink: Option<Name>,
}

/// How outsiders start a node.
#[derive(Clone, Debug)]
pub(super) struct EntranceSpec {
    /// The parameter that says how callers show who they are; absent, n8n asks nothing of them.
    pub authentication: Name,
    /// Its values that ask nothing.
    pub open: BTreeSet<Name>,
    /// The parameter without whose `true` there is no entrance.
    pub only: Option<Name>,
    /// The tier of what comes in where anybody may.
    pub exposed: Option<Tier>,
    /// The tier where callers show who they are.
    pub guarded: Option<Tier>,
}

impl NodeSpec {
    /// Of a node about which nothing is known: what goes in may leave, and what comes out may be anybody's.
    pub(super) fn unknown() -> Self {
        let source = Source { kind: "api_reply".into(), tier: Tier::Conditional };
        let output = Reply { from: Some(ReplyRule::Merge), source: Some(Some(source)), ..Reply::default() };
        Self { sink: Some("http".into()), output, ..Self::default() }
    }
}

impl Node {
    pub(super) fn new(spec: NodeSpec) -> Self {
        let arguments = spec.arguments.iter().cloned().collect();
        Self { spec, arguments, actions: BTreeMap::new() }
    }

    /// With every action that the entry spells out resolved.
    pub(super) fn resolved(&self, patterns: &Patterns) -> Self {
        let mut actions: BTreeMap<Name, Arc<Found>> = (self.spec.actions.iter())
            .map(|(name, action)| (name.clone(), Arc::new(self.resolve(name, action, patterns))))
            .collect();
        let default = self.spec.default.clone().unwrap_or_else(|| Name::from(""));
        let usual = || Arc::new(self.unspelled(&default, patterns));
        actions.entry(default.clone()).or_insert_with(usual);
        Self { spec: self.spec.clone(), arguments: self.arguments.clone(), actions }
    }

    /// The node with its parameters.
    pub(super) fn found(
        &self,
        patterns: &Patterns,
        type_version: f64,
        parameter: &dyn Fn(&str) -> Option<String>,
    ) -> Arc<Found> {
        let action = self.action(type_version, parameter);
        let known = self.actions.get(action.as_str()).cloned();
        let mut found = known.unwrap_or_else(|| Arc::new(self.unspelled(&action, patterns)));
        if let Some(verb) = self.statement(patterns, &found, parameter) {
            let found = Arc::make_mut(&mut found);
            found.effect = verb.effect;
            found.destructive = verb.destructive;
            found.privileged = verb.privileged;
        }
        if let Some(entrance) = &self.spec.entrance {
            entrance.apply(Arc::make_mut(&mut found), parameter);
        }
        found
    }

    /// `message/send`, of what the parameters say and n8n leaves out.
    fn action(&self, type_version: f64, parameter: &dyn Fn(&str) -> Option<String>) -> String {
        let older = self.spec.older.iter().find(|(bound, _)| type_version > 0.0 && type_version < *bound);
        let default = older.map(|(_, default)| default).or(self.spec.default.as_ref());
        let default = default.map_or("", AsRef::as_ref);
        let value = |names: &Vec<Name>| names.iter().find_map(|name| parameter(name));
        match self.spec.select.as_slice() {
            [only] => value(only).unwrap_or_else(|| default.to_owned()),
            [first, second] => {
                let (resource, operation) = default.split_once('/').unwrap_or(("", default));
                let chosen = value(first).unwrap_or_else(|| resource.to_owned());
                let usual = || match chosen == resource {
                    true => operation.to_owned(),
                    false => self.spec.defaults.get(chosen.as_str()).map_or_else(String::new, ToString::to_string),
                };
                let does = value(second).unwrap_or_else(usual);
                if chosen.is_empty() { does } else { format!("{chosen}/{does}") }
            }
            _ => default.to_owned(),
        }
    }

    /// An action without an entry of its own: that of its operation under any resource, or its verb.
    fn unspelled(&self, action: &str, patterns: &Patterns) -> Found {
        let operation = action.rsplit('/').next().unwrap_or(action);
        match self.spec.actions.get(operation) {
            Some(spec) => self.resolve(action, spec, patterns),
            None => self.resolve(action, &ActionSpec::default(), patterns),
        }
    }

    /// What the gravest word of the SQL says, where there is some.
    fn statement(
        &self,
        patterns: &Patterns,
        found: &Found,
        parameter: &dyn Fn(&str) -> Option<String>,
    ) -> Option<Verb> {
        let spelled = |name: &Name| found.usage(&[name]) == Some(Usage::Query);
        let sql = self.spec.statement.iter().filter(|name| spelled(name)).find_map(|name| parameter(name))?;
        patterns.statement(&sql)
    }

    /// One action with all that its entry leaves to the node and to its verb.
    pub(super) fn resolve(&self, name: &str, action: &ActionSpec, patterns: &Patterns) -> Found {
        let node = &self.spec;
        let kind = action.kind.unwrap_or(node.kind);
        let operation = name.rsplit('/').next().unwrap_or(name);
        let verb = if calls_somebody(kind) { patterns.verb(operation) } else { None };
        let guessed = action.effect.is_none() && verb.is_none() && node.effect.is_none() && calls_somebody(kind);
        let said = verb.unwrap_or(Verb {
            effect: node.effect.unwrap_or(if calls_somebody(kind) { Verb::UNKNOWN.effect } else { Effect::Read }),
            ..Verb::UNKNOWN
        });
        let chosen = action.effect.unwrap_or(said.effect);
        let destructive = action.destructive.unwrap_or(action.effect.is_none() && said.destructive);
        let reads = chosen == Effect::Read;
        let sink = self.sink(action, kind, reads, destructive);
        let effect = if chosen == Effect::Write && sink.is_some() && !destructive { Effect::Export } else { chosen };
        let privileged = action.privileged.unwrap_or_else(|| {
            effect.is_privileged() || (!reads && (node.privileged || destructive || said.privileged))
        });
        let arguments = match action.arguments.is_empty() {
            true => self.arguments.clone(),
            false => action.arguments.iter().chain(&node.arguments).cloned().collect(),
        };
        let reply = Reply::layered([&action.output, if reads { &node.read } else { &EMPTY }, &node.output]);
        Found {
            kind,
            part: action.part.or(node.part),
            service: node.service.clone(),
            action: name.into(),
            effect,
            sink,
            privileged,
            destructive,
            human_gate: action.human_gate,
            arguments,
            unnamed: action.unnamed.or(node.unnamed).unwrap_or_else(|| unnamed(effect)),
            output: reply.from.unwrap_or_else(|| usual_reply(kind)),
            source: reply.source.flatten(),
            labels: reply.labels.unwrap_or_default(),
            classify_fields: reply.classify.unwrap_or_default(),
            entrance: None,
            confidence: if guessed { Confidence::Assumed } else { Confidence::Known },
        }
    }

    fn sink(&self, action: &ActionSpec, kind: Kind, reads: bool, destructive: bool) -> Option<Name> {
        if let Some(own) = &action.sink {
            return own.clone();
        }
        let always = matches!(kind, Kind::Model | Kind::Agent | Kind::Command);
        match reads && !always {
            true => self.spec.read.sink.clone(),
            false => self.spec.sink.clone().filter(|_| !destructive || always),
        }
    }
}

const EMPTY: Reply = Reply { from: None, source: None, labels: None, classify: None, sink: None };

impl Reply {
    /// What the first of some says of each question.
    fn layered<const N: usize>(replies: [&Self; N]) -> Self {
        Self {
            from: replies.iter().find_map(|r| r.from),
            source: replies.iter().find_map(|r| r.source.clone()),
            labels: replies.iter().find_map(|r| r.labels.clone()),
            classify: replies.iter().find_map(|r| r.classify),
            sink: None,
        }
    }
}

impl EntranceSpec {
    fn apply(&self, found: &mut Found, parameter: &dyn Fn(&str) -> Option<String>) {
        if self.only.as_ref().is_some_and(|only| parameter(only).as_deref() != Some("true")) {
            return;
        }
        let open = parameter(&self.authentication).is_none_or(|value| self.open.contains(value.as_str()));
        found.entrance = Some(Entrance { open, leads: true });
        let tier = if open { self.exposed } else { self.guarded };
        if let (Some(tier), Some(source)) = (tier, &mut found.source) {
            source.tier = tier;
        }
    }
}

/// Whether what it does depends on an operation at all.
const fn calls_somebody(kind: Kind) -> bool {
    matches!(kind, Kind::Action | Kind::Command | Kind::SubWorkflow)
}

/// What the items that come out keep where no entry says it.
const fn usual_reply(kind: Kind) -> ReplyRule {
    match kind {
        Kind::Flow => ReplyRule::Echo,
        Kind::Trigger | Kind::Action => ReplyRule::Replace,
        // Words of a model, and whatever a program makes, carry all that went in.
        Kind::Model | Kind::Agent | Kind::Code | Kind::Command | Kind::SubWorkflow | Kind::Part => ReplyRule::Merge,
    }
}
