//! A fake world that answers calls, the same every time, and keeps the word of the contracts.
//!
//! Two worlds with one `seed` and different `hidden` ones differ only in what carries the secret atom: every part of a
//! reply, every failure and every delay is a function of the parts of the call that are not secret, unless its contract
//! says that it is. What the contract says is read from the generated specification, not through the code under test.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Value as Json, json};
use sluice_core::catalogue::ReplyRule;
use sluice_core::label::{Atom, Label};
use sluice_core::program::NodeId;
use sluice_core::transfer::Prepared;
use sluice_core::value::{Data, Value};
use sluice_engine::{CallOutcome, Question};

use crate::generate::{ActionSpec, Atoms, Bits, CatalogueSpec};

/// What an observer is not cleared for.
#[derive(Clone, Debug)]
pub struct Secret {
    /// Its one atom, as a label.
    pub label: Label,
    bits: Bits,
    is_origin: bool,
}

impl Secret {
    /// The atom of that index; beyond those of contracts, the origin of the run's input.
    #[must_use]
    pub fn of(index: u8) -> Self {
        let atoms = Atoms::new();
        let atom = Atoms::list().into_iter().nth(index.into()).unwrap_or_else(Atoms::requester);
        Self {
            label: atoms.universe.label(&atom),
            bits: if index < Atoms::COUNT { 1 << index } else { 0 },
            is_origin: matches!(atom, Atom::Origin(_)),
        }
    }

    /// Whether a label has it.
    #[must_use]
    pub fn is_in(&self, label: Label) -> bool {
        self.label.flows_to(label)
    }

    /// Whether the run's input is secret.
    #[must_use]
    pub const fn is_input(&self) -> bool {
        self.is_origin && self.bits == 0
    }

    /// A value with its secret parts taken out.
    #[must_use]
    pub fn shown(&self, value: &Value) -> Json {
        if self.is_in(value.label) {
            return Json::from("\u{0}secret");
        }
        match &value.data {
            Data::Array(items) => items.iter().map(|v| self.shown(v)).collect(),
            Data::Object(fields) => Json::Object(fields.iter().map(|(k, v)| (k.to_string(), self.shown(v))).collect()),
            _ => value.to_json().unwrap_or_default(),
        }
    }
}

/// The world of one run.
#[derive(Clone, Debug)]
pub struct World<'a> {
    spec: &'a CatalogueSpec,
    secret: Secret,
    seed: u64,
    hidden: u64,
    /// Whether what is stored can be read back. Not where branches run at once: who was first is a matter of time.
    keeps: bool,
    stored: u64,
    stored_in_secret: u64,
    visits: BTreeMap<NodeId, u64>,
}

impl<'a> World<'a> {
    /// A world.
    #[must_use]
    pub const fn new(spec: &'a CatalogueSpec, secret: Secret, seed: u64, hidden: u64, keeps: bool) -> Self {
        Self { spec, secret, seed, hidden, keeps, stored: 0, stored_in_secret: 0, visits: BTreeMap::new() }
    }

    /// The run's input.
    #[must_use]
    pub fn input(&self) -> Json {
        let hidden = if self.secret.is_input() { self.hidden } else { 0 };
        let part = |name: &str| random(&mut vec![name.to_owned()], &|path| hash(&(self.seed, hidden, path)));
        json!({ "v0": part("v0"), "v1": part("v1"), "v2": part("v2") })
    }

    /// The outcome of a permitted call, and how many milliseconds it takes.
    pub fn call(&mut self, question: &Question) -> (CallOutcome, u64) {
        let prepared = &question.prepared;
        let found = prepared.action.as_ref().and_then(|(c, a)| self.spec.action(c, a));
        let Some(action) = found else {
            return (CallOutcome::Failed { detail: Json::from("there is no such action") }, 0);
        };
        let visits = self.visits.entry(question.node).or_default();
        *visits += 1;
        let call = (question.node.0, *visits, action.full_name());
        let shown = hash(&(&call, self.seed, self.secret.shown(&prepared.arguments).to_string(), self.kept(action)));
        let all = prepared.arguments.to_json().unwrap_or_default().to_string();
        let given = hash(&(shown, all));
        let whole = hash(&(given, self.hidden, self.stored_in_secret));
        let base = self.is_base_secret(action, prepared);
        if action.is_store() {
            self.keep(action, prepared, shown, given);
        }
        let failing = self.is_failure_secret(action, prepared);
        let chance = if failing { whole } else { shown };
        let takes_ms = hash(&(chance, "delay")) % 8;
        if hash(&(chance, "failure")).is_multiple_of(9) {
            return (CallOutcome::Failed { detail: Json::from(chance % 3) }, takes_ms);
        }
        let part = |path: &[String]| {
            let secret = base || secret_on(action, path, self.secret.bits);
            hash(&(if secret { whole } else { shown }, path))
        };
        (CallOutcome::replied(random(&mut Vec::new(), &part)), takes_ms)
    }

    /// `f_k(a) | src_k | pc`.
    fn is_base_secret(&self, action: &ActionSpec, prepared: &Prepared) -> bool {
        let arguments = match action.rule {
            ReplyRule::Echo | ReplyRule::Merge => self.secret.is_in(prepared.joined),
            ReplyRule::Replace => self.secret.is_origin && self.secret.is_in(prepared.joined),
        };
        arguments || action.source & self.secret.bits != 0 || self.secret.is_in(prepared.control)
    }

    /// Whether a call fails may depend on its arguments, and on what its reply's shape would have told.
    fn is_failure_secret(&self, action: &ActionSpec, prepared: &Prepared) -> bool {
        self.secret.is_in(prepared.joined)
            || self.is_base_secret(action, prepared)
            || secret_on(action, &[], self.secret.bits)
    }

    fn kept(&self, action: &ActionSpec) -> u64 {
        if self.keeps && action.is_store() { self.stored } else { 0 }
    }

    /// A dataset that may hold the secret keeps it apart; any other holds what it is given.
    fn keep(&mut self, action: &ActionSpec, prepared: &Prepared, shown: u64, given: u64) {
        if action.name != "put" {
            return;
        }
        self.stored_in_secret = hash(&(self.stored_in_secret, given));
        if action.stored & self.secret.bits == 0 {
            self.stored = hash(&(self.stored, given));
        } else if !self.secret.is_in(prepared.control) {
            self.stored = hash(&(self.stored, shown));
        }
    }
}

/// Whether some part on the way to `path` is secret; what no pattern covers is.
fn secret_on(action: &ActionSpec, path: &[String], secret: Bits) -> bool {
    (0..=path.len()).any(|n| action.bits_at(path.get(..n).unwrap_or(path)).is_none_or(|bits| bits & secret != 0))
}

fn hash(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// A value in which every part is a function of what `at` gives for its path.
fn random(path: &mut Vec<String>, at: &dyn Fn(&[String]) -> u64) -> Json {
    let h = at(path);
    if path.len() <= 1 && !h.is_multiple_of(4) && path.last().is_none_or(|k| k.starts_with('v')) {
        return object(&["pub", "sec", "list", "n"], path, at);
    }
    if path.last().is_some_and(|k| k == "list") && !h.is_multiple_of(6) {
        let items = (0..h % 4).map(|i| {
            path.push(i.to_string());
            let item = object(&["sec", "n"], path, at);
            path.pop();
            item
        });
        return items.collect();
    }
    scalar(h / 7)
}

fn object(keys: &[&str], path: &mut Vec<String>, at: &dyn Fn(&[String]) -> u64) -> Json {
    let mut fields = serde_json::Map::new();
    let h = at(path);
    for (i, key) in keys.iter().enumerate() {
        // Which keys there are is the object's own to tell.
        if h >> (8 + i * 3) & 7 != 0 {
            path.push((*key).to_owned());
            fields.insert((*key).to_owned(), random(path, at));
            path.pop();
        }
    }
    Json::Object(fields)
}

fn scalar(h: u64) -> Json {
    match h % 9 {
        0 | 1 => Json::from("red"),
        2 => Json::from("blue"),
        3 => Json::from("green"),
        4 => Json::from(h / 9 % 4),
        5 | 6 => Json::from((h / 9).is_multiple_of(2)),
        7 => Json::Null,
        _ => json!({ "sec": h / 9 % 2, "pub": "red" }),
    }
}
