//! What names alone tell: verbs of operations, suffixes of types, credentials, first words of SQL.

use std::collections::BTreeMap;

use sluice_core::catalogue::{ReplyRule, Usage};
use sluice_core::gate::Effect;
use sluice_core::label::Name;

use super::found::Found;
use super::lexicon::words;
use super::node::{ActionSpec, Node, NodeSpec};
use crate::catalogues::words::Verb;

/// What names tell of nodes that no entry names.
#[derive(Clone, Debug, Default)]
pub(super) struct Patterns {
    /// What an operation does, by a word of its name.
    pub verbs: BTreeMap<Name, Verb>,
    /// What a statement does, by its first word.
    pub statements: BTreeMap<Name, Verb>,
    /// Node types by how their name ends, or contains.
    pub types: BTreeMap<Name, NodeSpec>,
    /// Services by the beginning of a credential type.
    pub credentials: BTreeMap<Name, Name>,
}

impl Patterns {
    pub(super) fn add(&mut self, other: Self) {
        self.verbs.extend(other.verbs);
        self.statements.extend(other.statements);
        self.types.extend(other.types);
        self.credentials.extend(other.credentials);
    }

    /// What the first known word of an operation's name says.
    pub(super) fn verb(&self, operation: &str) -> Option<Verb> {
        words(operation).iter().find_map(|word| self.verbs.get(word.as_str()).copied())
    }

    /// The word of an endpoint's name, perhaps in the plural, that destroys, pays or hands out rights.
    pub(super) fn grave(&self, endpoint: &str) -> Option<Verb> {
        let verb = |word: &str| self.verbs.get(word).or_else(|| self.verbs.get(word.strip_suffix('s')?)).copied();
        let is_grave = |verb: &Verb| verb.destructive || verb.privileged || verb.effect == Effect::Grant;
        words(endpoint).iter().filter_map(|word| verb(word)).find(is_grave)
    }

    /// What the gravest word of some SQL says: a statement may follow another, or hide in a `WITH`.
    pub(super) fn statement(&self, sql: &str) -> Option<Verb> {
        let words = words(sql);
        let found = words.iter().filter_map(|word| self.statements.get(word.as_str()).copied());
        found.max_by_key(|verb| (verb.destructive, verb.privileged, verb.effect != Effect::Read))
    }

    /// The service that a credential type opens: the longest known beginning.
    pub(super) fn service_of_credential(&self, credential: &str) -> Option<Name> {
        let fits = self.credentials.iter().filter(|(start, _)| credential.starts_with(start.as_ref()));
        fits.max_by_key(|(start, _)| start.len()).map(|(_, service)| service.clone())
    }

    /// A node that no entry names.
    pub(super) fn guess(&self, node_type: &str, parameter: &dyn Fn(&str) -> Option<String>) -> Found {
        let short = super::short_name(node_type);
        let fits = self.types.iter().filter(|(end, _)| short.ends_with(end.as_ref()));
        let spec = fits.max_by_key(|(end, _)| end.len()).map(|(_, spec)| spec.clone());
        let node = Node::new(spec.unwrap_or_else(NodeSpec::unknown));
        let action = ["resource", "operation"].iter().filter_map(|name| parameter(name)).collect::<Vec<_>>().join("/");
        node.resolve(&action, &ActionSpec::default(), self)
    }
}

impl Verb {
    /// What is assumed of an operation whose name says nothing.
    pub(super) const UNKNOWN: Self = Self { effect: Effect::Write, destructive: false, privileged: false };
}

/// What a parameter decides that nobody named: what goes out is payload.
pub(super) const fn unnamed(effect: Effect) -> Option<Usage> {
    if matches!(effect, Effect::Read) { None } else { Some(Usage::Payload) }
}

/// Words of [`ReplyRule`].
pub(super) const REPLIES: [(&str, ReplyRule); 3] =
    [("replace", ReplyRule::Replace), ("echo", ReplyRule::Echo), ("merge", ReplyRule::Merge)];
