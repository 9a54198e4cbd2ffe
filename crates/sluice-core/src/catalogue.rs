//! The catalogue: contracts and registers of one signed bundle, resolved to labels.
//!
//! Lowering looks up names here, the transfer table looks up what a call does to labels, the gate looks
//! up destinations and groups. Built once per bundle by [`crate::contract`]; pure data afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::found::Findings;
use crate::gate::{Effect, Role};
use crate::label::{Atom, AtomId, Label, Name, TooManyAtoms, Universe};
use crate::subject::Subjects;
use crate::ticket::Ticket;
use crate::value::{Kinds, Rest, Shape, Value};

/// Everything that the bundle vouches for.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// Every atom that contracts and registers can produce. Analyses intern theirs after these.
    pub universe: Universe,
    /// Actions by connector and action name.
    pub actions: BTreeMap<(Name, Name), Action>,
    /// The destinations register.
    pub destinations: BTreeMap<Name, Destination>,
    /// The regions register.
    pub regions: BTreeSet<Name>,
    /// The purposes register.
    pub purposes: BTreeSet<Name>,
    /// Entries that `redact`, `release` and `endorse` may name.
    pub releases: BTreeMap<Name, Release>,
    /// What inspection's findings are labelled.
    pub findings: Findings,
    /// The actions that show a ticket, and how.
    pub tickets: BTreeMap<(Name, Name), Ticket>,
}

/// One operation of a connector.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    /// The connector.
    pub connector: Name,
    /// The operation.
    pub name: Name,
    /// What it does to the world.
    pub effect: Effect,
    /// Whether it hands out rights or runs code, by effect or by the contract's word.
    pub privileged: bool,
    /// By name.
    pub arguments: BTreeMap<Name, Argument>,
    /// How `call: http` finds it.
    pub endpoint: Option<Endpoint>,
    /// What the reply keeps of the arguments.
    pub reply: ReplyRule,
    /// Labels of the reply by path.
    pub labels: LabelTree,
    /// `src_k`: what every reply carries wherever it is read: lineage, the model's origin.
    pub source: Label,
    /// Where a reply names whose data it is; `None` if it is nobody's.
    pub subject: Option<Pattern>,
    /// How a repeated call behaves.
    pub idempotency: Idempotency,
    /// What the effect is about.
    pub resource: Resource,
    /// Where the connector's data lies.
    pub region: Option<Name>,
    /// What its dataset may hold already: a write above it is an excess.
    pub stored: Label,
    /// Bounds.
    pub limits: CallLimits,
}

impl Action {
    /// `connector.action`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.connector, self.name)
    }

    /// Whose data a reply is.
    #[must_use]
    pub fn subjects_of(&self, reply: &serde_json::Value) -> Subjects {
        self.subject.as_ref().map_or(Subjects::NOBODY, |pattern| Subjects::at(pattern, reply))
    }

    /// The label of "did it fail": what the reply's shape would have told.
    #[must_use]
    pub fn fault_label(&self) -> Label {
        self.labels.at(&[]).join(self.source)
    }
}

/// One argument of an action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Argument {
    /// What it decides; `None` for one that decides nothing that policy asks about (a page size).
    pub role: Option<Role>,
    /// Whether a call without it is a breach of contract.
    pub required: bool,
    /// The only values (of a list: of its elements) that it may take.
    pub allow: Option<BTreeSet<Name>>,
    /// What kind of object a reference names: approvals bind to that object's version.
    pub reference: Option<Name>,
    /// The read action of the same connector whose reply is that object's version.
    pub version: Option<Name>,
    /// Recipients resolve to ids of this directory.
    pub resolve: Option<Name>,
    /// The secret that fills it: a definition may write this one's handle here, and nothing else.
    pub secret: Option<Name>,
    /// What the other side does with it, finer than the role: what the rules on imported formats ask.
    pub usage: Option<Usage>,
}

/// What the other side of a call does with an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Usage {
    /// Sends to it: an address, a chat, a phone number.
    Recipient,
    /// Connects to it: a whole URL, of which scheme and host decide where, the rest what.
    Url,
    /// Connects to it: a host alone.
    Host,
    /// Pastes it into the path or the query of a URL whose host is fixed.
    Path,
    /// Parses it as a query: SQL, GraphQL, a search language.
    Query,
    /// Hands it to a shell.
    Command,
    /// Evaluates it as a program.
    Code,
    /// Reads it as part of a model's prompt.
    Prompt,
    /// What a model that read it may make of it: the words of an agent in its tool's arguments.
    Agent,
    /// Opens, changes or deletes the object that it names.
    Object,
    /// Calls, starts or fills what it names: a function, a queue, a bucket, a workflow.
    Resource,
    /// How much, how many.
    Amount,
    /// Sends or stores it.
    Payload,
    /// Renders it as HTML.
    Html,
    /// Pastes it into a JSON or XML document as text.
    Document,
    /// That the call is made now: what the event that started the run carries.
    Trigger,
}

/// How `call: http` finds an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `GET`, `POST`, …
    pub method: Name,
    /// `https://crm.example.com`, without a trailing slash.
    pub base: Name,
    /// `/accounts/{id}`.
    pub path: Name,
}

/// What a reply keeps of its arguments' labels: `f_k`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyRule {
    /// The reply repeats its arguments: everything stays.
    Echo,
    /// The reply is the connector's own: argument categories drop, **argument origins stay** (a look-up by an
    /// attacker's text is the attacker's choice).
    Replace,
    /// The reply mixes both: everything stays.
    Merge,
}

impl ReplyRule {
    /// `f_k(a)`.
    #[must_use]
    pub fn keeps(self, universe: &Universe, arguments: Label) -> Label {
        match self {
            Self::Echo | Self::Merge => arguments,
            Self::Replace => universe.origins(arguments),
        }
    }
}

/// How a repeated call behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// Repeating it changes nothing.
    Natural,
    /// The target drops repetitions that carry the same key in this header or argument.
    Key(Name),
    /// This action of the same connector tells by key whether the effect happened.
    Lookup(Name),
    /// Nothing is known: a call in doubt waits for a person.
    None,
}

/// What an effect is about: the resource of the gate question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// A destination of the register, named by the contract.
    Destination(Name),
    /// The argument that names the destination.
    DestinationArgument(Name),
    /// A dataset.
    Dataset {
        /// `crm.accounts`.
        name: Name,
        /// Who owns it.
        owner: Option<Name>,
        /// Where it lies.
        region: Option<Name>,
    },
}

/// Bounds of one action; absent means the default of [`crate::limits`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallLimits {
    /// Calls per hour, over all runs.
    pub per_hour: Option<u64>,
    /// Largest payload.
    pub bytes: Option<u64>,
    /// Longest call.
    pub timeout_ms: Option<u64>,
}

/// A destination of the register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Its id.
    pub id: Name,
    /// Who answers for it.
    pub owner: Name,
    /// Where it lies.
    pub region: Name,
    /// Classes of data it may receive.
    pub cleared: BTreeSet<Name>,
}

/// An entry that `redact`, `release` or `endorse` may name.
#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    /// Its name.
    pub name: Name,
    /// Who vouches: must own every atom that is cleared.
    pub by: Name,
    /// Atoms cleared if allowed: categories, purposes, regions, or origins.
    pub clears: Label,
    /// Atoms that `by` owns, or (of origins) may vouch for: the authority.
    pub authority: Label,
    /// Origins that `by` accepts as having steered what is released: robustness.
    pub accepts: Label,
    /// What `by` may read: transparency.
    pub readable: Label,
    /// What the function does to the value.
    pub kind: ReleaseKind,
}

/// What a catalogued function does to a value.
#[derive(Clone, Debug, PartialEq)]
pub enum ReleaseKind {
    /// Removes the parts at these paths.
    Drop(Vec<Pattern>),
    /// Replaces the parts at these paths by a constant.
    Mask(Vec<Pattern>),
    /// Passes only a text that is in the list; anything else raises.
    AllowList(BTreeSet<Name>),
    /// Passes anything; a person of `by` looks at each value before it loses a label.
    Approval,
}

impl Release {
    /// DESIGN §3 `Allow(D, ℓ, pc)`, judged on the labels **before** the step.
    #[must_use]
    pub fn allows(&self, universe: &Universe, value: Label, control: Label) -> bool {
        let seen = value.join(control);
        let of = |keep: fn(&Atom) -> bool| universe.select(keep);
        let origins = of(|a| matches!(a, Atom::Origin(_))).join(Label::UNKNOWN);
        let lineage = of(|a| matches!(a, Atom::Dataset(_)));
        let secrecy = Label::TOP.without(origins).without(lineage);
        let authority = self.clears.flows_to(self.authority) && self.clears.meet(lineage) == Label::BOTTOM;
        let releases = self.clears.meet(secrecy) != Label::BOTTOM;
        let robust = !releases || seen.meet(origins).flows_to(self.accepts);
        let vouches = self.clears.meet(origins) != Label::BOTTOM;
        let categories = of(|a| matches!(a, Atom::Category { .. })).join(Label::UNKNOWN);
        let transparent = !vouches || seen.meet(categories).flows_to(self.readable);
        authority && robust && transparent
    }
}

/// One step of a path pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Segment {
    /// This key.
    Key(Name),
    /// Any key or index.
    Any,
}

/// `/accounts/*/name`: labels the subtree under it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern(pub Vec<Segment>);

impl Pattern {
    /// Reads `""` (the root) or `/a/*/b`; `~1` and `~0` as in JSON Pointer. `None` if it does not start with `/`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::default());
        }
        let rest = text.strip_prefix('/')?;
        let segment = |s: &str| match s {
            "*" => Segment::Any,
            key => Segment::Key(key.replace("~1", "/").replace("~0", "~").into()),
        };
        Some(Self(rest.split('/').map(segment).collect()))
    }

    /// Whether `path` lies at or under it.
    #[must_use]
    pub fn covers(&self, path: &[Arc<str>]) -> bool {
        self.0.len() <= path.len() && self.0.iter().zip(path).all(|(s, key)| s.fits(key))
    }

    /// Whether `path` is exactly one that it names.
    #[must_use]
    pub fn names(&self, path: &[Arc<str>]) -> bool {
        self.0.len() == path.len() && self.covers(path)
    }

    /// The key that it names right below `path`, if it leads on from there by a key.
    #[must_use]
    pub fn key_below(&self, path: &[Arc<str>]) -> Option<&Name> {
        let leads_on = self.0.iter().zip(path).all(|(s, key)| s.fits(key));
        match self.0.get(path.len()).filter(|_| leads_on)? {
            Segment::Key(name) => Some(name),
            Segment::Any => None,
        }
    }

    /// Longest first, then the one with more literal segments.
    pub(crate) fn weight(&self) -> (usize, usize) {
        (self.0.len(), self.0.iter().filter(|s| matches!(s, Segment::Key(_))).count())
    }
}

/// As [`Pattern::parse`] reads it. A key `*` is read as any key: what it names is then more, never less.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|segment| match segment {
            Segment::Any => f.write_str("/*"),
            Segment::Key(key) => write!(f, "/{}", key.replace('~', "~0").replace('/', "~1")),
        })
    }
}

impl Segment {
    fn fits(&self, key: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Key(name) => name.as_ref() == key,
        }
    }
}

/// Labels by path. A pattern labels its subtree, shape included; the longest match wins; what none covers is ⊤.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LabelTree {
    /// Categories and owners' rules by path; uncovered is ⊤.
    pub labels: Vec<(Pattern, Label)>,
    /// Origins by path.
    pub trust: Vec<(Pattern, Label)>,
    /// The origin of what no trust pattern covers.
    pub origin: Label,
}

impl LabelTree {
    /// The own label of the node at `path`.
    #[must_use]
    pub fn at(&self, path: &[Arc<str>]) -> Label {
        let best = |patterns: &[(Pattern, Label)]| {
            let fits = patterns.iter().filter(|(p, _)| p.covers(path));
            fits.max_by_key(|(p, _)| p.weight()).map(|(_, label)| *label)
        };
        best(&self.labels).unwrap_or(Label::TOP).join(best(&self.trust).unwrap_or(self.origin))
    }

    /// What any reply is admitted by, every node raised by `base`.
    #[must_use]
    pub fn predicted(&self, base: Label) -> Value {
        self.predicted_at(&mut Vec::new(), base)
    }

    fn predicted_at(&self, path: &mut Vec<Arc<str>>, base: Label) -> Value {
        // A key that no pattern names: it meets `*` only.
        const OTHER: &str = "\u{0}other";
        let own = self.at(path).join(base);
        let patterns = || self.labels.iter().chain(&self.trust).map(|(p, _)| &p.0);
        let deeper: Vec<&Segment> = patterns()
            .filter(|p| p.iter().zip(path.iter()).all(|(s, k)| s.fits(k)))
            .filter_map(|p| p.get(path.len()))
            .collect();
        if deeper.is_empty() {
            return Value::unknown(own, Kinds::ALL);
        }
        let mut child = |key: Arc<str>| {
            path.push(key);
            let value = self.predicted_at(path, base);
            path.pop();
            value
        };
        let keys: BTreeSet<&Name> =
            deeper.iter().filter_map(|s| if let Segment::Key(name) = s { Some(name) } else { None }).collect();
        let fields = keys.into_iter().map(|k| (k.clone(), child(k.clone()))).collect();
        let rest = Rest::Each(Box::new(child(OTHER.into())));
        let shape = Shape { kinds: Kinds::ALL, head: None, fields, rest };
        Value::new(own, crate::value::Data::Unknown(Arc::new(shape)))
    }

    /// A reply with every node's label, raised by `base`.
    #[must_use]
    pub fn labelled(&self, reply: &serde_json::Value, base: Label) -> Value {
        self.labelled_with(reply, base, &[])
    }

    /// The same, with what lies under each of these patterns raised further.
    #[must_use]
    pub fn labelled_with(&self, reply: &serde_json::Value, base: Label, raised: &[(Pattern, Label)]) -> Value {
        Value::from_json_with(reply, &mut Vec::new(), &|path| {
            let further = raised.iter().filter(|(pattern, _)| pattern.covers(path)).map(|(_, label)| *label);
            self.at(path).join(base).join(Label::join_all(further))
        })
    }

    /// The pattern whose label the node at `path` has, if there is one: the contract's own words for that place.
    #[must_use]
    pub fn pattern_of(&self, path: &[Arc<str>]) -> Option<&Pattern> {
        let fits = self.labels.iter().map(|(pattern, _)| pattern).filter(|pattern| pattern.covers(path));
        fits.max_by_key(|pattern| pattern.weight())
    }
}

impl Catalogue {
    /// The action of a connector.
    #[must_use]
    pub fn action(&self, connector: &str, action: &str) -> Option<&Action> {
        self.actions.get(&(connector.into(), action.into()))
    }

    /// How an action shows a ticket; `None` if it shows none.
    #[must_use]
    pub fn ticket(&self, connector: &str, action: &str) -> Option<&Ticket> {
        self.tickets.get(&(connector.into(), action.into()))
    }

    /// The atom of a person on whose behalf a run goes.
    ///
    /// # Errors
    /// [`TooManyAtoms`] at the bound.
    pub fn person_origin(universe: &mut Universe, person: &str) -> Result<AtomId, TooManyAtoms> {
        universe.intern(Atom::Origin(format!("person:{person}").into()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tree() -> (Universe, LabelTree) {
        let mut universe = Universe::new();
        let mut atom = |a| Label::of(universe.intern(a).unwrap());
        let pii = atom(Atom::Category { owner: "sales".into(), class: "pii".into() });
        let phi = atom(Atom::Category { owner: "health".into(), class: "phi".into() });
        let crm = atom(Atom::Origin("crm".into()));
        let pattern = |p| Pattern::parse(p).unwrap();
        let tree = LabelTree {
            labels: vec![
                (pattern(""), Label::BOTTOM),
                (pattern("/*/name"), pii),
                (pattern("/*/note"), phi),
                (pattern("/*/note/author"), pii),
            ],
            trust: vec![(pattern(""), Label::BOTTOM), (pattern("/*/note"), crm)],
            origin: crm,
        };
        (universe, tree)
    }

    fn path(text: &str) -> Vec<Arc<str>> {
        text.split('/').filter(|s| !s.is_empty()).map(Arc::from).collect()
    }

    #[test]
    fn the_longest_pattern_labels_the_subtree() {
        let (universe, tree) = tree();
        let names = |p| universe.names(tree.at(&path(p)));
        assert_eq!(names("0/name/first"), ["category:pii@sales"]);
        assert_eq!(names("0/note/text"), ["category:phi@health", "origin:crm"]);
        assert_eq!(names("0/note/author"), ["category:pii@sales", "origin:crm"]);
        assert_eq!(names("0"), [""; 0]);
    }

    #[test]
    fn what_no_pattern_covers_is_top() {
        let tree = LabelTree { labels: vec![(Pattern::parse("/a").unwrap(), Label::BOTTOM)], ..LabelTree::default() };
        assert_eq!(tree.at(&path("b")), Label::TOP);
        assert_eq!(tree.at(&path("a/b")), Label::BOTTOM);
    }

    #[test]
    fn the_prediction_admits_every_reply() {
        let (_, tree) = tree();
        let replies = [
            json!([{"name": "Ana", "note": {"author": "x", "text": "y"}, "other": [1, {"deep": null}]}]),
            json!({"k": {"name": 1}}),
            json!("error"),
            json!([[{"name": {"name": 2}}]]),
        ];
        for reply in replies {
            assert!(tree.predicted(Label::BOTTOM).admits(&tree.labelled(&reply, Label::BOTTOM)), "{reply}");
        }
    }
}
