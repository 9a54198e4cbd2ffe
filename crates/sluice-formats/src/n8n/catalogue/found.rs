//! What the catalogue says of one node.

use std::collections::BTreeSet;
use std::sync::Arc;

use sluice_core::catalogue::{ReplyRule, Segment, Usage};
use sluice_core::gate::Effect;
use sluice_core::label::Name;

use crate::import::{Confidence, Entrance, Kind, Source};

/// One node type with one action chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// What kind of node it is.
    pub kind: Kind,
    /// Which part of an agent, of a part.
    pub part: Option<Part>,
    /// The service behind it: nodes that share it talk to the same people.
    pub service: Option<Name>,
    /// `message/send`; empty where a node has but one.
    pub action: Name,
    /// What it does to the world.
    pub effect: Effect,
    /// The class of system outside the engine that gets the arguments.
    pub sink: Option<Name>,
    /// Whether it changes rights, money, accounts or infrastructure, or deletes for good.
    pub privileged: bool,
    /// Whether it deletes for good.
    pub destructive: bool,
    /// Whether a person answers before the run goes on.
    pub human_gate: bool,
    /// What parameters decide, `None` for one that decides nothing; ask with [`Found::usage`].
    pub arguments: Arc<[(ParameterPattern, Option<Usage>)]>,
    /// What a parameter decides that no pattern covers.
    pub unnamed: Option<Usage>,
    /// What the items that come out keep of those that went in.
    pub output: ReplyRule,
    /// Whose words its reply carries, if an outsider's.
    pub source: Option<Source>,
    /// Kinds of sensitive data in its reply.
    pub labels: BTreeSet<Name>,
    /// Whether field and table names tell more kinds: [`super::Lexicon`].
    pub classify_fields: bool,
    /// How outsiders start it over the network.
    pub entrance: Option<Entrance>,
    /// How well it is known.
    pub confidence: Confidence,
}

impl Found {
    /// What the parameter at `path` decides; list indexes are segments too.
    ///
    /// The longest pattern that covers it counts, of two equally long ones the first: an action's own stand before
    /// those of its node.
    #[must_use]
    pub fn usage(&self, path: &[&str]) -> Option<Usage> {
        let mut best: Option<&(ParameterPattern, Option<Usage>)> = None;
        for candidate in self.arguments.iter().filter(|(pattern, _)| pattern.covers(path)) {
            if best.is_none_or(|(pattern, _)| pattern.0.len() < candidate.0.0.len()) {
                best = Some(candidate);
            }
        }
        best.map_or(self.unnamed, |(_, usage)| *usage)
    }

    /// Whether it changes anything outside the workflow.
    #[must_use]
    pub fn has_side_effect(&self) -> bool {
        self.effect != Effect::Read
    }
}

/// What is known of a host that generic HTTP nodes talk to; it says more than the node's own entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Whose it is.
    pub service: Name,
    /// The class of what is sent there; `http` where it is not said.
    pub sink: Option<Name>,
    /// Whose words its replies carry, if others' than its own.
    pub source: Option<Source>,
    /// Kinds of sensitive data in its replies.
    pub labels: BTreeSet<Name>,
}

/// Which part of an agent a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The model.
    Model,
    /// What it remembers.
    Memory,
    /// A vector store.
    Store,
    /// What makes its words a structure.
    Parser,
    /// What makes vectors of texts.
    Embedding,
    /// What cuts texts.
    Splitter,
    /// What reads documents.
    Loader,
    /// What finds documents.
    Retriever,
    /// What it may call.
    Tool,
}

/// Words of [`Part`].
pub(super) const PARTS: [(&str, Part); 9] = [
    ("model", Part::Model),
    ("memory", Part::Memory),
    ("store", Part::Store),
    ("parser", Part::Parser),
    ("embedding", Part::Embedding),
    ("splitter", Part::Splitter),
    ("loader", Part::Loader),
    ("retriever", Part::Retriever),
    ("tool", Part::Tool),
];

/// `options.ccList`, `fields.*.value`: covers what lies at and under it. `*` is any key or index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ParameterPattern(Vec<Segment>);

impl ParameterPattern {
    /// Reads a dotted path; `None` if a segment is empty.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let segment = |key: &str| match key {
            "" => None,
            "*" => Some(Segment::Any),
            key => Some(Segment::Key(key.into())),
        };
        text.split('.').map(segment).collect::<Option<_>>().map(Self)
    }

    /// Whether `path` lies at or under it.
    #[must_use]
    pub fn covers(&self, path: &[&str]) -> bool {
        let fits = |(segment, key): (&Segment, &&str)| match segment {
            Segment::Any => true,
            Segment::Key(name) => name.as_ref() == *key,
        };
        self.0.len() <= path.len() && self.0.iter().zip(path).all(fits)
    }
}
