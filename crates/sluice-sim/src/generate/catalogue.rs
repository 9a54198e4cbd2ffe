//! Random contracts and releases.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sluice_core::catalogue::{
    Action, Argument, CallLimits, Catalogue, Destination, Endpoint, Idempotency, LabelTree, Pattern, Release,
    ReleaseKind, ReplyRule, Resource,
};
use sluice_core::found::Findings;
use sluice_core::gate::{Effect, Role};
use sluice_core::label::{Atom, Label, Name, Universe};

use super::expression::WORDS;

/// Some of [`Atoms`], by index.
pub type Bits = u8;

/// The atoms that generated labels are made of.
#[derive(Clone, Debug)]
pub struct Atoms {
    /// The universe of every generated catalogue, the requester's origin included.
    pub universe: Universe,
}

impl Atoms {
    /// How many there are that contracts may name.
    pub const COUNT: u8 = 4;
    const CATEGORIES: Bits = 0b0011;
    const ORIGINS: Bits = 0b0100;

    /// The atoms by index: two categories, an origin, an owner's rule on regions.
    #[must_use]
    pub fn list() -> [Atom; 4] {
        [
            Atom::Category { owner: "sales".into(), class: "pii".into() },
            Atom::Category { owner: "health".into(), class: "phi".into() },
            Atom::Origin("web".into()),
            Atom::RegionsOnly { owner: "sales".into(), allowed: ["eu".into()].into() },
        ]
    }

    /// The origin of a run's input.
    #[must_use]
    pub fn requester() -> Atom {
        Atom::Origin("person:requester".into())
    }

    /// All of them, the dataset and the requester's origin.
    #[must_use]
    pub fn new() -> Self {
        let mut universe = Universe::new();
        for atom in Self::list().into_iter().chain([Atom::Dataset("db.rows".into()), Self::requester()]) {
            let _ = universe.intern(atom);
        }
        Self { universe }
    }

    /// The label of some atoms.
    #[must_use]
    pub fn label(&self, bits: Bits) -> Label {
        let named = Self::list().into_iter().enumerate().filter(|(i, _)| bits >> i & 1 == 1);
        Label::join_all(named.map(|(_, atom)| self.universe.label(&atom)))
    }
}

impl Default for Atoms {
    fn default() -> Self {
        Self::new()
    }
}

/// Paths that labels are given to, as JSON Pointers with `*`.
const PATHS: [&str; 6] = ["", "/pub", "/sec", "/list", "/list/*", "/list/*/sec"];

/// Labels by path, as a contract would say them.
#[derive(Clone, Debug)]
pub struct LabelSpec {
    /// Categories and rules by path; what none covers is unknown.
    pub labels: Vec<(&'static str, Bits)>,
    /// The paths that the origin `web` wrote (or surely did not).
    pub trust: Vec<(&'static str, bool)>,
}

/// One action.
#[derive(Clone, Debug)]
pub struct ActionSpec {
    /// `connector.action`.
    pub connector: &'static str,
    /// The action.
    pub name: &'static str,
    /// What it does.
    pub effect: Effect,
    /// Its arguments' names, in the order in which calls give them.
    pub arguments: [&'static str; 3],
    roles: [Role; 3],
    /// `f_k`.
    pub rule: ReplyRule,
    /// The reply's labels.
    pub labels: LabelSpec,
    /// `src_k`.
    pub source: Bits,
    /// What its dataset may hold.
    pub stored: Bits,
    endpoint: Option<&'static str>,
}

impl ActionSpec {
    /// `connector.action`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.connector, self.name)
    }

    /// Whether it works on the dataset.
    #[must_use]
    pub fn is_store(&self) -> bool {
        self.connector == "db"
    }

    /// The own label of the reply's part at `path`, as its contract says: written a second time, so that a defect of
    /// the first does not hide here. `None` is ⊤.
    #[must_use]
    pub fn bits_at(&self, path: &[String]) -> Option<Bits> {
        fn best<T: Copy>(of: &[(&'static str, T)], path: &[String]) -> Option<T> {
            let mut found: Option<((usize, usize), T)> = None;
            for (pattern, value) in of {
                let parts: Vec<&str> = pattern.split('/').skip(1).collect();
                let fits = parts.len() <= path.len() && parts.iter().zip(path).all(|(p, k)| *p == "*" || p == k);
                let weight = (parts.len(), parts.iter().filter(|p| **p != "*").count());
                if fits && found.is_none_or(|(known, _)| known <= weight) {
                    found = Some((weight, *value));
                }
            }
            found.map(|(_, value)| value)
        }
        let trusted = best(&self.labels.trust, path).unwrap_or(false);
        Some(best(&self.labels.labels, path)? | if trusted { 0 } else { Atoms::ORIGINS })
    }
}

/// The kind of release that leaves each value to a person.
pub(super) const APPROVAL: u8 = 5;

/// One entry that `redact`, `release` or `endorse` may name.
#[derive(Clone, Debug)]
pub struct ReleaseSpec {
    /// Its name.
    pub name: String,
    /// What it does: drop, mask, pass what is in a list, or what a person vouches for.
    pub kind: u8,
    /// What it clears.
    pub clears: Bits,
    /// Whether its voucher owns what it clears.
    pub owns: bool,
    /// The origins that its voucher accepts.
    pub accepts: Bits,
    /// What its voucher may read.
    pub readable: Bits,
}

impl ReleaseSpec {
    /// Whether it passes only what is in its list.
    #[must_use]
    pub const fn is_list(&self) -> bool {
        self.kind > 1 && self.kind != APPROVAL
    }

    /// What it is called by.
    #[must_use]
    pub fn function(&self) -> &'static str {
        match self.kind {
            0 | 1 => "redact",
            _ if self.clears & Atoms::ORIGINS != 0 => "endorse",
            _ => "release",
        }
    }

    fn resolved(&self, atoms: &Atoms) -> Release {
        let patterns = |paths: &[&str]| paths.iter().filter_map(|p| Pattern::parse(p)).collect::<Vec<_>>();
        let clears = atoms.label(self.clears);
        Release {
            name: self.name.as_str().into(),
            by: "sales".into(),
            clears,
            authority: if self.owns { clears } else { Label::BOTTOM },
            accepts: atoms.label(self.accepts).join(atoms.universe.label(&Atoms::requester())),
            readable: atoms.label(self.readable),
            kind: match self.kind {
                0 => ReleaseKind::Drop(patterns(&["/sec", "/list/*/sec"])),
                1 => ReleaseKind::Mask(patterns(&["/sec", "/list/*/sec"])),
                APPROVAL => ReleaseKind::Approval,
                _ => ReleaseKind::AllowList(WORDS.iter().take(2).map(|w| Name::from(*w)).collect()),
            },
        }
    }
}

/// The contracts of one case.
#[derive(Clone, Debug)]
pub struct CatalogueSpec {
    /// Its actions.
    pub actions: Vec<ActionSpec>,
    /// Its releases.
    pub releases: Vec<ReleaseSpec>,
}

impl CatalogueSpec {
    /// The action of that name.
    #[must_use]
    pub fn action(&self, connector: &str, name: &str) -> Option<&ActionSpec> {
        self.actions.iter().find(|a| a.connector == connector && a.name == name)
    }

    /// Both readers give something that carries the atom of that index.
    #[must_use]
    pub fn with_secret(self, index: u8) -> Self {
        match 1_u8.checked_shl(index.into()).filter(|_| index < Atoms::COUNT) {
            Some(bit) => self.labelled("src.read", "/sec", Some(bit)).labelled("src.find", "/list", Some(bit)),
            None => self,
        }
    }

    /// The catalogue that the transfer table reads.
    #[must_use]
    pub fn resolved(&self) -> Catalogue {
        let atoms = Atoms::new();
        let destination = |id: &str, region: &str, cleared: &[&str]| Destination {
            id: id.into(),
            owner: "ops".into(),
            region: region.into(),
            cleared: cleared.iter().map(|c| Name::from(*c)).collect(),
        };
        let destinations = [destination("inside", "eu", &["pii", "phi"]), destination("outside", "us", &[])];
        Catalogue {
            universe: atoms.universe.clone(),
            actions: self.actions.iter().map(|a| ((a.connector.into(), a.name.into()), resolved(a, &atoms))).collect(),
            destinations: destinations.into_iter().map(|d| (d.id.clone(), d)).collect(),
            regions: ["eu".into(), "us".into()].into(),
            purposes: ["reporting".into()].into(),
            releases: self.releases.iter().map(|r| (r.name.as_str().into(), r.resolved(&atoms))).collect(),
            // The simulated services say what they hold: nothing looks through their replies.
            findings: Findings::default(),
            tickets: std::collections::BTreeMap::new(),
        }
    }
}

fn resolved(spec: &ActionSpec, atoms: &Atoms) -> Action {
    let argument =
        |(name, role): (&&str, &Role)| (Name::from(*name), Argument { role: Some(*role), ..Argument::default() });
    let pattern = |path: &str| Pattern::parse(path).unwrap_or_default();
    let web = atoms.label(Atoms::ORIGINS);
    let lineage = atoms.universe.label(&Atom::Dataset("db.rows".into()));
    Action {
        connector: spec.connector.into(),
        name: spec.name.into(),
        effect: spec.effect,
        region: Some("eu".into()),
        privileged: spec.effect.is_privileged(),
        arguments: spec.arguments.iter().zip(&spec.roles).map(argument).collect::<BTreeMap<_, _>>(),
        endpoint: spec.endpoint.map(|method| Endpoint {
            method: method.into(),
            base: "https://web.example".into(),
            path: "/items/{id}".into(),
        }),
        reply: spec.rule,
        labels: LabelTree {
            labels: spec.labels.labels.iter().map(|(p, bits)| (pattern(p), atoms.label(*bits))).collect(),
            trust: spec
                .labels
                .trust
                .iter()
                .map(|(p, trusted)| (pattern(p), if *trusted { Label::BOTTOM } else { web }))
                .collect(),
            origin: web,
        },
        source: atoms.label(spec.source).join(if spec.is_store() { lineage } else { Label::BOTTOM }),
        subject: None,
        idempotency: Idempotency::Natural,
        resource: match (spec.connector, spec.effect) {
            ("db", _) => {
                Resource::Dataset { name: "db.rows".into(), owner: Some("sales".into()), region: Some("eu".into()) }
            }
            ("out", _) => Resource::Destination("outside".into()),
            _ => Resource::Destination("inside".into()),
        },
        stored: atoms.label(spec.stored),
        limits: CallLimits::default(),
    }
}

/// An action's connector, name, effect, arguments with their roles, and HTTP method.
type Signature = (&'static str, &'static str, Effect, [(&'static str, Role); 3], Option<&'static str>);

/// Two readers, two sinks, a grant, a dataset, two endpoints.
const SIGNATURES: [Signature; 9] = [
    ("src", "read", Effect::Read, [("q", Role::Query), ("n", Role::Amount), ("id", Role::Reference)], None),
    ("src", "find", Effect::Read, [("q", Role::Query), ("n", Role::Amount), ("id", Role::Reference)], None),
    ("out", "send", Effect::Export, [("body", Role::Payload), ("to", Role::Recipient), ("n", Role::Amount)], None),
    ("own", "tell", Effect::Notify, [("body", Role::Payload), ("to", Role::Recipient), ("n", Role::Amount)], None),
    ("iam", "grant", Effect::Grant, [("to", Role::Recipient), ("group", Role::Reference), ("n", Role::Amount)], None),
    ("db", "put", Effect::Write, [("row", Role::Payload), ("id", Role::Reference), ("n", Role::Amount)], None),
    ("db", "get", Effect::Read, [("id", Role::Reference), ("q", Role::Query), ("n", Role::Amount)], None),
    ("web", "get", Effect::Read, [("q", Role::Query), ("id", Role::Reference), ("n", Role::Amount)], Some("GET")),
    (
        "web",
        "post",
        Effect::Export,
        [("body", Role::Payload), ("id", Role::Reference), ("n", Role::Amount)],
        Some("POST"),
    ),
];

fn action(signature: Signature, rule: ReplyRule, labels: LabelSpec, source: Bits, stored: Bits) -> ActionSpec {
    let (connector, name, effect, arguments, endpoint) = signature;
    ActionSpec {
        connector,
        name,
        effect,
        arguments: arguments.map(|(name, _)| name),
        roles: arguments.map(|(_, role)| role),
        rule,
        labels,
        source,
        stored,
        endpoint,
    }
}

/// Random contracts for [`SIGNATURES`], and five releases.
pub fn catalogue() -> impl Strategy<Value = CatalogueSpec> {
    let random = |signature: Signature| {
        let rule = prop_oneof![
            3 => Just(ReplyRule::Replace),
            1 => Just(ReplyRule::Echo),
            1 => Just(ReplyRule::Merge),
        ];
        (rule, labels(), prop_oneof![6 => Just(0), 1 => bits()], bits())
            .prop_map(move |(rule, labels, source, stored)| action(signature, rule, labels, source, stored))
    };
    let actions: Vec<_> = SIGNATURES.into_iter().map(random).collect();
    let releases = prop::collection::vec(release(), 5);
    (actions, releases).prop_map(|(mut actions, mut releases)| {
        same_dataset(&mut actions);
        for (i, release) in releases.iter_mut().enumerate() {
            release.name = format!("r{i}");
        }
        CatalogueSpec { actions, releases }
    })
}

impl CatalogueSpec {
    /// Contracts that say of everything that it is public and trusted, and replace what they are given; `r0` drops,
    /// `r1` masks, `r2` passes a list, `r5` what a person vouches for, all of them clear both categories and accept no
    /// origin but the requester's.
    #[must_use]
    pub fn plain() -> Self {
        let labels = || LabelSpec { labels: vec![("", 0)], trust: vec![("", true)] };
        let actions = SIGNATURES.into_iter().map(|s| action(s, ReplyRule::Replace, labels(), 0, 0)).collect();
        let release = |kind: u8| ReleaseSpec {
            name: format!("r{kind}"),
            kind,
            clears: Atoms::CATEGORIES,
            owns: true,
            accepts: 0,
            readable: 0,
        };
        Self { actions, releases: [0, 1, 2, APPROVAL].map(release).into() }
    }

    /// The same, but `path` of what `connector.name` replies has these atoms; `None` is a path that no pattern covers.
    #[must_use]
    pub fn labelled(mut self, action: &str, path: &'static str, bits: Option<Bits>) -> Self {
        for action in self.actions.iter_mut().filter(|a| a.full_name() == action) {
            action.labels.labels.retain(|(p, _)| *p != path);
            action.labels.labels.extend(bits.map(|bits| (path, bits & !Atoms::ORIGINS)));
            action.labels.trust.retain(|(p, _)| *p != path);
            action.labels.trust.push((path, bits.is_some_and(|bits| bits & Atoms::ORIGINS == 0)));
        }
        self
    }
}

/// Both actions of the dataset say the same of what it holds.
fn same_dataset(actions: &mut [ActionSpec]) {
    let stored = actions.iter().find(|a| a.is_store()).map_or(0, |a| a.stored);
    for action in actions.iter_mut().filter(|a| a.is_store()) {
        action.stored = stored;
        action.source |= stored;
    }
}

fn bits() -> impl Strategy<Value = Bits> {
    prop_oneof![3 => Just(0_u8), 4 => (0..Atoms::COUNT).prop_map(|i| 1_u8 << i), 1 => 0..(1_u8 << Atoms::COUNT)]
        .prop_map(|bits: u8| bits & !Atoms::ORIGINS)
}

fn labels() -> impl Strategy<Value = LabelSpec> {
    let path = 1..PATHS.len();
    let labels = prop::collection::btree_map(path.clone(), bits(), 1..4);
    let root = prop::option::weighted(0.9, prop_oneof![4 => Just(0), 1 => bits()]);
    let trust = prop::collection::btree_map(path, any::<bool>(), 0..3);
    (root, labels, prop::bool::weighted(0.8), trust).prop_map(|(root, labels, trusted, trust)| {
        let at = |i: usize| PATHS.get(i).copied().unwrap_or("");
        let root = root.map(|bits| ("", bits));
        LabelSpec {
            labels: root.into_iter().chain(labels.into_iter().map(|(i, bits)| (at(i), bits))).collect(),
            trust: [("", trusted)].into_iter().chain(trust.into_iter().map(|(i, t)| (at(i), t))).collect(),
        }
    })
}

fn release() -> impl Strategy<Value = ReleaseSpec> {
    let clears = prop_oneof![
        3 => Just(Atoms::CATEGORIES),
        1 => Just(1),
        1 => Just(Atoms::ORIGINS),
        2 => Just(Atoms::CATEGORIES | Atoms::ORIGINS),
        1 => 0..(1_u8 << Atoms::COUNT),
    ];
    let part = |most: Bits| prop_oneof![1 => Just(0), 2 => Just(most)];
    (0..=APPROVAL, clears, prop::bool::weighted(0.9), part(Atoms::ORIGINS), part(Atoms::CATEGORIES)).prop_map(
        |(kind, clears, owns, accepts, readable)| ReleaseSpec {
            name: String::new(),
            kind,
            clears,
            owns,
            accepts,
            readable,
        },
    )
}
