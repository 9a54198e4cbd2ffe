//! The closure digest: one hash over all that a run, or one held step, depends on.
//!
//! A person approves a digest and nothing else. So whatever could change what happens is an element here;
//! one changed byte anywhere gives another digest, and the approval no longer counts. Format and vectors:
//! `docs/closure-digest.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::contract::bundle::BundleDigest;
use crate::contract::canonical::{Encoder, labelled_value};
use crate::contract::digest::Digest;
use crate::label::{Label, Name, Universe};
use crate::value::Value;

/// The text that starts the canonical bytes.
pub const CLOSURE_DOMAIN: &str = "sluice closure 1";

/// The digest of a [`Closure`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClosureDigest(pub Digest);

impl fmt::Display for ClosureDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ClosureDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClosureDigest({})", self.0)
    }
}

/// All that a run depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closure {
    /// Of the definition's bytes, as the author wrote them.
    pub definition: Digest,
    /// Of the bytes of every workflow that it runs, by name.
    pub sub_workflows: BTreeMap<Name, Digest>,
    /// Every connector that the program can call.
    pub connectors: BTreeMap<Name, ConnectorElement>,
    /// Of the signed bundle.
    pub bundle: BundleDigest,
    /// Of the template that a proposal fills.
    pub template: Option<Digest>,
    /// The ticket that it is for: its id and what it said when it was read.
    pub ticket: Option<TicketElement>,
    /// The held step, where one step is approved and not a whole definition.
    pub step: Option<StepElement>,
}

/// What a connector contributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectorElement {
    /// Of the contract's bytes.
    pub contract: Digest,
    /// Of the connector: the build that speaks its transport, or what `sluice.lock` pins.
    pub connector: Digest,
    /// Scopes of its credential.
    pub scopes: BTreeSet<Name>,
}

/// What a ticket contributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketElement {
    /// Its id.
    pub id: Name,
    /// Of its content.
    pub content: Digest,
}

/// What a held step contributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepElement {
    /// The run.
    pub run: Name,
    /// The node.
    pub node: u64,
    /// How often each enclosing loop went round: another round is another question.
    pub visits: Vec<u64>,
    /// `connector.action`.
    pub action: Name,
    /// Resolved arguments with the labels of every part, as [`labelled_value`] writes them.
    pub arguments: BTreeMap<Name, Vec<u8>>,
    /// Atoms of the control label, by name.
    pub control: BTreeSet<String>,
    /// The version of whatever a reference argument names: a group's members, a file's digest.
    pub references: BTreeMap<Name, Name>,
}

impl StepElement {
    /// Canonical bytes of resolved arguments; `None` if a part of one is not known yet.
    #[must_use]
    pub fn arguments<'v>(
        values: impl IntoIterator<Item = (&'v Name, &'v Value)>,
        universe: &Universe,
    ) -> Option<BTreeMap<Name, Vec<u8>>> {
        values.into_iter().map(|(name, value)| Some((name.clone(), labelled_value(value, universe)?))).collect()
    }

    /// The control label by names.
    #[must_use]
    pub fn control(label: Label, universe: &Universe) -> BTreeSet<String> {
        universe.names(label).into_iter().collect()
    }
}

impl Closure {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.encoded().finish()
    }

    /// What people sign.
    #[must_use]
    pub fn digest(&self) -> ClosureDigest {
        ClosureDigest(self.encoded().digest())
    }

    fn encoded(&self) -> Encoder {
        let mut out = Encoder::new(CLOSURE_DOMAIN);
        out.bytes(&self.definition.0).list(self.sub_workflows.len());
        for (name, digest) in &self.sub_workflows {
            out.text(name).bytes(&digest.0);
        }
        out.list(self.connectors.len());
        for (name, element) in &self.connectors {
            out.text(name).bytes(&element.contract.0).bytes(&element.connector.0);
            out.texts(element.scopes.iter().map(AsRef::as_ref));
        }
        out.bytes(&self.bundle.0.0);
        out.optional(self.template, |out, digest| _ = out.bytes(&digest.0));
        out.optional(self.ticket.as_ref(), |out, ticket| _ = out.text(&ticket.id).bytes(&ticket.content.0));
        out.optional(self.step.as_ref(), write_step);
        out
    }
}

fn write_step(out: &mut Encoder, step: &StepElement) {
    out.text(&step.run).number(step.node).list(step.visits.len());
    for visit in &step.visits {
        out.number(*visit);
    }
    out.text(&step.action).list(step.arguments.len());
    for (name, bytes) in &step.arguments {
        out.text(name).bytes(bytes);
    }
    out.texts(step.control.iter().map(String::as_str)).list(step.references.len());
    for (name, version) in &step.references {
        out.text(name).text(version);
    }
}
