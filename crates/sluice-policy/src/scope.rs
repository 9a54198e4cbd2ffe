//! Which policies can concern a call at all: an index over their scopes.
//!
//! Cedar walks every policy for every question, and a thousand that miss cost as much as a thousand that hit. A scope is
//! a conjunct of its policy and only compares ids, so one that does not match can neither determine an answer nor fail:
//! leaving it out changes nothing. What is left is the slice, of which only the conditions are evaluated.
//!
//! Slices are not kept. Every policy stands in one list for each of principal, action and resource; a slice is a few
//! words of bits joined and intersected, which takes less time than finding a kept one under a lock, cannot grow with
//! the names that outsiders choose, and is never stale.

use std::collections::BTreeMap;

use cedar_policy_core::ast::{self, ActionConstraint, EntityReference, PrincipalOrResourceConstraint};
use sluice_core::gate::Effect;
use sluice_core::label::Name;

use crate::answer::PolicyId;
use crate::cedar::{self, Kind};
use crate::condition::{Condition, Parts};
use crate::request::GateRequest;

/// One policy, ready to be evaluated for a request that its scope covers.
pub(crate) struct Indexed {
    pub(crate) id: PolicyId,
    pub(crate) permits: bool,
    /// What must hold besides the scope.
    pub(crate) condition: Condition,
}

/// How much of a policy's scope covers a request. The order is that of a near miss: the later, the farther.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cover {
    /// All of it.
    Whole,
    /// The principal and the action, not the resource.
    NotResource,
    /// The action, not the principal.
    NotPrincipal,
}

/// Policies by what their scopes ask for.
pub(crate) struct Index {
    policies: Vec<Indexed>,
    effects: BTreeMap<Effect, Places>,
    principals: End,
    resources: End,
}

impl Index {
    /// Takes policies in the order in which answers name them.
    pub(crate) fn of<'a>(policies: impl IntoIterator<Item = (&'a PolicyId, &'a ast::Policy)>) -> Self {
        let mut index = Self {
            policies: Vec::new(),
            effects: BTreeMap::new(),
            principals: End::default(),
            resources: End::default(),
        };
        let mut parts = Parts::default();
        for (id, policy) in policies {
            index.add(id, policy, &mut parts);
        }
        let count = index.policies.len();
        index.effects.values_mut().for_each(|places| places.pack(count));
        index.principals.pack(count);
        index.resources.pack(count);
        index
    }

    fn add(&mut self, id: &PolicyId, policy: &ast::Policy, parts: &mut Parts) {
        let place = self.policies.len();
        for effect in Effect::ALL.into_iter().filter(|effect| covers(policy.action_constraint(), *effect)) {
            self.effects.entry(effect).or_default().push(place);
        }
        self.principals.add(policy.principal_constraint().as_inner(), place);
        self.resources.add(policy.resource_constraint().as_inner(), place);
        let permits = policy.effect() == ast::Effect::Permit;
        let condition = parts.condition(policy.non_scope_constraints());
        self.policies.push(Indexed { id: id.clone(), permits, condition });
    }

    /// The policies that can concern a request, in order.
    pub(crate) fn slice(&self, request: &GateRequest) -> impl Iterator<Item = &Indexed> {
        self.covering(request, Cover::Whole)
    }

    /// The policies whose scope covers just so much of a request, in order.
    pub(crate) fn covering(&self, request: &GateRequest, cover: Cover) -> impl Iterator<Item = &Indexed> {
        let mut marks = self.none();
        if let Some(places) = self.effects.get(&request.effect) {
            places.mark(&mut marks);
        }
        let mut principals = self.none();
        let own = (Kind::of(request.principal.kind), &*request.principal.id);
        self.principals.mark(own, request.principal.groups.iter().map(AsRef::as_ref), &mut principals);
        let mut resources = self.none();
        let own = (Kind::of_resource(&request.resource), &**request.resource.id());
        self.resources.mark(own, std::iter::empty(), &mut resources);
        for ((marks, principal), resource) in marks.iter_mut().zip(principals).zip(resources) {
            *marks &= match cover {
                Cover::Whole => principal & resource,
                Cover::NotResource => principal & !resource,
                Cover::NotPrincipal => !principal,
            };
        }
        marks.into_iter().zip(self.policies.chunks(WORD)).filter(|(word, _)| *word != 0).flat_map(|(word, policies)| {
            policies.iter().enumerate().filter(move |(bit, _)| word >> bit & 1 == 1).map(|(_, policy)| policy)
        })
    }

    fn none(&self) -> Vec<u64> {
        vec![0; self.policies.len().div_ceil(WORD)]
    }
}

/// Whether an action's scope names an effect. Actions have no groups: the schema is ours.
fn covers(scope: &ActionConstraint, effect: Effect) -> bool {
    let is = |uid: &ast::EntityUID| *uid == **cedar::action(effect);
    match scope {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(uid) => is(uid),
        ActionConstraint::In(uids) => uids.iter().any(|uid| is(uid)),
    }
}

/// The policies by what they ask of one end of a call: its principal or its resource.
#[derive(Default)]
struct End {
    any: Places,
    kinds: BTreeMap<String, OfKind>,
}

/// The policies that ask for entities of one type.
#[derive(Default)]
struct OfKind {
    all: Places,
    ids: BTreeMap<Name, OfId>,
}

/// The policies that ask for one entity.
#[derive(Default)]
struct OfId {
    itself: Places,
    inside: Places,
    /// `is T in`, by the type.
    inside_and_is: BTreeMap<String, Places>,
}

impl End {
    fn add(&mut self, scope: &PrincipalOrResourceConstraint, place: usize) {
        use EntityReference::EUID;
        use PrincipalOrResourceConstraint::{Any, Eq, In, Is, IsIn};
        let places = match scope {
            // The loader refuses templates, so no slot gets here; a policy with one is in every slice, where it fails.
            Any | Eq(EntityReference::Slot(_)) | In(EntityReference::Slot(_)) | IsIn(_, EntityReference::Slot(_)) => {
                &mut self.any
            }
            Is(kind) => &mut self.kinds.entry(kind.to_string()).or_default().all,
            Eq(EUID(uid)) => &mut self.id(uid).itself,
            In(EUID(uid)) => &mut self.id(uid).inside,
            IsIn(kind, EUID(uid)) => self.id(uid).inside_and_is.entry(kind.to_string()).or_default(),
        };
        places.push(place);
    }

    fn id(&mut self, uid: &ast::EntityUID) -> &mut OfId {
        let kind = self.kinds.entry(uid.entity_type().to_string()).or_default();
        kind.ids.entry(Name::from(AsRef::<str>::as_ref(uid.eid()))).or_default()
    }

    /// Marks the policies that an entity in these groups fits.
    fn mark<'a>(&self, own: (Kind, &str), groups: impl Iterator<Item = &'a str>, marks: &mut [u64]) {
        let (kind, id) = (own.0.name(), own.1);
        self.any.mark(marks);
        if let Some(of) = self.kinds.get(kind) {
            of.all.mark(marks);
            if let Some(of) = of.ids.get(id) {
                of.itself.mark(marks);
                of.mark_inside(kind, marks);
            }
        }
        if let Some(of) = self.kinds.get(Kind::Group.name()) {
            groups.filter_map(|group| of.ids.get(group)).for_each(|of| of.mark_inside(kind, marks));
        }
    }

    fn pack(&mut self, count: usize) {
        self.any.pack(count);
        for of in self.kinds.values_mut() {
            of.all.pack(count);
            of.ids.values_mut().for_each(|of| of.pack(count));
        }
    }
}

impl OfId {
    fn mark_inside(&self, kind: &str, marks: &mut [u64]) {
        self.inside.mark(marks);
        if let Some(places) = self.inside_and_is.get(kind) {
            places.mark(marks);
        }
    }

    fn pack(&mut self, count: usize) {
        self.itself.pack(count);
        self.inside.pack(count);
        self.inside_and_is.values_mut().for_each(|places| places.pack(count));
    }
}

/// Bits of a word.
const WORD: usize = u64::BITS as usize;

/// Places of policies: one by one while they are few, else as bits. So all lists together take a few bytes per policy,
/// and marking any of them a few words.
enum Places {
    Few(Vec<usize>),
    Bits(Vec<u64>),
}

impl Default for Places {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Places {
    fn push(&mut self, place: usize) {
        match self {
            Self::Few(places) => places.push(place),
            Self::Bits(bits) => set(bits, place),
        }
    }

    fn mark(&self, marks: &mut [u64]) {
        match self {
            Self::Few(places) => places.iter().for_each(|place| set(marks, *place)),
            Self::Bits(bits) => marks.iter_mut().zip(bits).for_each(|(mark, bits)| *mark |= bits),
        }
    }

    /// Turns a long list into bits, for `count` policies in all.
    fn pack(&mut self, count: usize) {
        if let Self::Few(places) = self
            && places.len() > count.div_ceil(WORD)
        {
            let mut bits = vec![0; count.div_ceil(WORD)];
            places.iter().for_each(|place| set(&mut bits, *place));
            *self = Self::Bits(bits);
        }
    }
}

fn set(bits: &mut [u64], place: usize) {
    if let Some(word) = bits.get_mut(place / WORD) {
        *word |= 1 << (place % WORD);
    }
}
