//! The gate request: everything that a decision depends on, typed, with canonical bytes.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sluice_core::gate::{Effect, Role};
use sluice_core::label::Name;
use thiserror::Error;

use crate::atoms::{AtomSet, Rule};
use crate::remedy::{Holder, Remedy, RemedyKind};

/// The version that [`GateRequest::to_bytes`] writes.
pub const REQUEST_VERSION: u32 = 1;

/// The largest amount or count, either way, that a request may carry. Larger ones are refused: a policy that multiplies
/// by a thousand must not overflow, since Cedar skips what errs.
pub const FACT_MAX: i64 = 1_000_000_000_000_000;

/// On whose behalf a call is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Principal {
    /// Person or service.
    pub kind: PrincipalKind,
    /// Id in the principals register.
    pub id: Name,
    /// Every group it is in, also through other groups.
    pub groups: BTreeSet<Name>,
}

/// What a principal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PrincipalKind {
    /// A human being.
    Person,
    /// A machine with an identity of its own.
    Service,
}

/// Who wrote a definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Acting {
    /// A person of the register.
    Person {
        /// Id in the register.
        id: Name,
    },
    /// A model.
    Model {
        /// Name of the model.
        id: Name,
    },
    /// Nobody said.
    Unknown,
}

/// What a call acts on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Resource {
    /// A place that data is sent to.
    Destination {
        /// Id in the destinations register, or the name that was asked for.
        id: Name,
        /// Who answers for it; empty if nobody is known.
        owner: Name,
        /// Where it is.
        region: Option<Name>,
        /// The classes it may receive.
        cleared: BTreeSet<Name>,
        /// Whether the register knows it.
        registered: bool,
    },
    /// A store that keeps data.
    Dataset {
        /// Id in its connector's contract.
        id: Name,
        /// Who answers for it; empty if nobody is known.
        owner: Name,
        /// Where it is.
        region: Option<Name>,
    },
}

impl Resource {
    /// Its id.
    #[must_use]
    pub const fn id(&self) -> &Name {
        match self {
            Self::Destination { id, .. } | Self::Dataset { id, .. } => id,
        }
    }

    /// Who answers for it; empty if nobody is known.
    #[must_use]
    pub const fn owner(&self) -> &Name {
        match self {
            Self::Destination { owner, .. } | Self::Dataset { owner, .. } => owner,
        }
    }

    /// Where it is.
    #[must_use]
    pub const fn region(&self) -> Option<&Name> {
        match self {
            Self::Destination { region, .. } | Self::Dataset { region, .. } => region.as_ref(),
        }
    }
}

/// How far a workflow has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Parsed only.
    Proposed,
    /// Analysed, with its report.
    Verified,
    /// Signed by as many people as policy asks.
    Approved,
    /// No definition: an agent calls what it likes.
    Session,
    /// No definition, but the plan that an agent laid down before it read anything foresaw this call.
    Planned,
}

impl Standing {
    /// The word in policies.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Verified => "verified",
            Self::Approved => "approved",
            Self::Session => "session",
            Self::Planned => "planned",
        }
    }
}

/// What is known of the run at this moment. Numbers beyond [`FACT_MAX`] are refused at the gate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// Calls of this action in this run, before this one.
    pub calls_this_run: i64,
    /// Calls of this action in the last hour, in the whole workspace, before this one.
    pub calls_this_hour: i64,
    /// Whether this workflow never called this action on this resource before.
    pub first_seen: bool,
    /// The value of the argument with role `amount`, in its smallest unit.
    pub amount: Option<i64>,
}

/// One question to the gate. It holds all that the answer depends on besides the bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateRequest {
    /// On whose behalf.
    pub principal: Principal,
    /// Who wrote the definition.
    pub author: Acting,
    /// Models that take part in this step.
    pub acting_models: BTreeSet<Name>,
    /// The connector.
    pub connector: Name,
    /// Its action.
    pub action: Name,
    /// What the action does to the world.
    pub effect: Effect,
    /// The contract says so, or the effect does.
    pub privileged: bool,
    /// What it acts on.
    pub resource: Resource,
    /// Known classes of the objects that arguments refer to, such as `privileged-group`.
    pub reference: BTreeSet<Name>,
    /// Per role, the join of its arguments. A role that is missing counts as public and trusted.
    pub roles: BTreeMap<Role, AtomSet>,
    /// What decided that this step runs at all.
    pub control: AtomSet,
    /// What the values carry and the dataset written to does not declare.
    pub write_excess: AtomSet,
    /// The purpose that the workflow states.
    pub purpose: Option<Name>,
    /// The region of the connector.
    pub region: Option<Name>,
    /// How far the workflow has come.
    pub standing: Standing,
    /// Requirements that recorded approvals satisfy, by id: `owner-of:payload/1`.
    pub satisfied: BTreeSet<String>,
    /// Origins that a recorded step approval vouches for, at this gate only.
    pub cleared: BTreeSet<Name>,
    /// Facts of the run.
    pub facts: Facts,
    /// When, in milliseconds since 1970.
    pub now_ms: i64,
    /// One person alone may change the bundle of this workspace.
    pub solo: bool,
}

/// A part of a request that carries a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AtomsOf {
    /// One role's arguments.
    Role(Role),
    /// All arguments.
    Arguments,
    /// The control label.
    Control,
    /// What a write would lose.
    WriteExcess,
}

/// Bytes that are no gate request of this version.
#[derive(Debug, Error)]
pub enum RequestBytesError {
    /// SL320. Not the encoding this version writes.
    #[error("cannot read the recorded gate request")]
    Unreadable(#[source] serde_json::Error),
    /// SL321. Written by another version.
    #[error("the recorded gate request has version {0}, this program reads {REQUEST_VERSION}")]
    Version(u32),
    /// SL322. It says the same in other bytes than this program writes: two spellings of one request would have two digests.
    #[error("the recorded gate request is not in canonical form")]
    NotCanonical,
}

#[derive(Serialize)]
struct Sealed<'a> {
    version: u32,
    request: &'a GateRequest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opened {
    version: u32,
    request: GateRequest,
}

impl GateRequest {
    /// The canonical bytes: JSON without white space, fields in the order of the type, sets and maps sorted.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        #[expect(clippy::expect_used, reason = "every map key is a string and no field can fail to serialize")]
        serde_json::to_vec(&Sealed { version: REQUEST_VERSION, request: self }).expect("a gate request serializes")
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote, and nothing else.
    ///
    /// # Errors
    /// [`RequestBytesError`] for other bytes, also for the same request in another spelling.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RequestBytesError> {
        let opened: Opened = serde_json::from_slice(bytes).map_err(RequestBytesError::Unreadable)?;
        if opened.version != REQUEST_VERSION {
            return Err(RequestBytesError::Version(opened.version));
        }
        if opened.request.to_bytes() != bytes {
            return Err(RequestBytesError::NotCanonical);
        }
        Ok(opened.request)
    }

    /// The atoms of one part.
    #[must_use]
    pub fn atoms(&self, of: AtomsOf) -> AtomSet {
        self.atoms_of(of).into_owned()
    }

    /// The atoms of one part, copied only where they are those of several arguments together.
    pub(crate) fn atoms_of(&self, of: AtomsOf) -> Cow<'_, AtomSet> {
        match of {
            AtomsOf::Role(role) => self.roles.get(&role).map(Cow::Borrowed).unwrap_or_default(),
            AtomsOf::Arguments => self.roles.values().fold(Cow::default(), join),
            AtomsOf::Control => Cow::Borrowed(&self.control),
            AtomsOf::WriteExcess => Cow::Borrowed(&self.write_excess),
        }
    }

    /// This request once `remedy` is really recorded, or the ticket that it asks for was seen: its requirement is satisfied, and the origins it clears are vouched
    /// for at this gate. Redactions and endorsements change the workflow instead, so they change nothing here.
    #[must_use]
    pub fn with_approval(&self, remedy: &Remedy) -> Self {
        let mut next = self.clone();
        if matches!(remedy.kind, RemedyKind::Approval | RemedyKind::Ticket) {
            next.satisfied.extend(remedy.requirement.clone());
            next.cleared.extend(remedy.clears.iter().cloned());
        }
        next
    }

    /// The request that the second question is about: as if `remedy` had been applied, whatever its kind.
    pub(crate) fn assuming(&self, remedy: &Remedy) -> Self {
        let mut next = self.with_approval(remedy);
        match remedy.kind {
            RemedyKind::Approval | RemedyKind::Ticket => {}
            RemedyKind::Redact => {
                for atoms in next.roles.values_mut() {
                    atoms.categories.clear();
                    atoms.purposes.clear();
                    atoms.regions.clear();
                }
            }
            RemedyKind::Endorse => next.roles.values_mut().for_each(|atoms| atoms.origins.clear()),
        }
        next
    }

    /// This request after the approved origins were taken out of arguments and control. Lineage, categories and what a
    /// write would lose stay.
    pub(crate) fn after_clearing(&self) -> Cow<'_, Self> {
        if self.cleared.is_empty() {
            return Cow::Borrowed(self);
        }
        let mut next = self.clone();
        for atoms in next.roles.values_mut() {
            *atoms = atoms.without_origins(&self.cleared);
        }
        next.control = next.control.without_origins(&self.cleared);
        Cow::Owned(next)
    }

    /// The origins that a step approval for this request would name: all of arguments and control but persons.
    pub(crate) fn outside_origins(&self) -> BTreeSet<Name> {
        let all = self.atoms_of(AtomsOf::Arguments).join(&self.control);
        all.origins.into_iter().filter(|origin| !self.is_person(origin)).collect()
    }

    /// Whether an origin is an authenticated person. An unsigned definition counts as the word of the person who wrote it.
    pub(crate) fn is_person(&self, origin: &str) -> bool {
        origin.starts_with("person:") || (origin == "author" && matches!(self.author, Acting::Person { .. }))
    }

    /// Who must agree for `owner-of:<holder>`, each of them. `None` if nobody can say who that is.
    ///
    /// Owners of the categories that the destination is not cleared for and of the rules that refuse this purpose or
    /// region; if nothing of that kind is at issue, every owner of a category or rule.
    pub(crate) fn owners(&self, holder: Holder) -> Option<BTreeSet<Name>> {
        let of = match holder {
            Holder::Resource => {
                return Some(self.resource.owner().clone()).filter(|o| !o.is_empty()).map(|o| [o].into());
            }
            Holder::Atoms(of) => of,
        };
        let atoms = self.atoms_of(of);
        if atoms.unknown {
            return None;
        }
        let mut owners: BTreeSet<Name> = atoms
            .categories
            .iter()
            .filter(|c| self.effect.is_outbound() && !self.is_cleared(&c.class))
            .map(|c| c.owner.clone())
            .collect();
        owners.extend(atoms.purposes.iter().filter(|r| self.refuses_purpose(r)).map(|r| r.owner.clone()));
        owners.extend(atoms.regions.iter().filter(|r| self.refuses_region(r)).map(|r| r.owner.clone()));
        if owners.is_empty() || of == AtomsOf::WriteExcess {
            owners.extend(atoms.categories.iter().map(|c| c.owner.clone()));
            owners.extend(atoms.purposes.iter().chain(&atoms.regions).map(|r| r.owner.clone()));
        }
        Some(owners).filter(|o| !o.is_empty())
    }

    /// Whether the resource may receive this class.
    pub(crate) fn is_cleared(&self, class: &str) -> bool {
        matches!(&self.resource, Resource::Destination { cleared, .. } if cleared.contains(class))
    }

    /// Whether a rule refuses the stated purpose. None stated: refused.
    pub(crate) fn refuses_purpose(&self, rule: &Rule) -> bool {
        self.purpose.as_ref().is_none_or(|purpose| !rule.allowed.contains(purpose))
    }

    /// Whether a rule refuses the region of the resource or of the connector. None known: refused.
    pub(crate) fn refuses_region(&self, rule: &Rule) -> bool {
        let mut known = self.resource.region().into_iter().chain(&self.region).peekable();
        known.peek().is_none() || known.any(|region| !rule.allowed.contains(region))
    }
}

fn join<'a>(all: Cow<'a, AtomSet>, one: &'a AtomSet) -> Cow<'a, AtomSet> {
    if one.is_bottom() || *all == *one {
        all
    } else if all.is_bottom() {
        Cow::Borrowed(one)
    } else {
        Cow::Owned(all.join(one))
    }
}
