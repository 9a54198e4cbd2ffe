//! What would lift a forbid, as its annotations say it.
//!
//! ```cedar
//! @remedy("approval") @approvers("owner-of:payload") @quorum("1")
//! @remedy("approval") @approvers("manager-of:requester") @quorum("1") @clears("origins")
//! @remedy("redact")
//! @remedy("endorse")
//! @remedy("ticket") @ticket("tickets.show") @names("recipient")
//! ```

use std::collections::BTreeSet;
use std::fmt;

use sluice_core::gate::Role;
use sluice_core::label::Name;

use crate::request::{AtomsOf, GateRequest};

/// Most people that one remedy may ask for.
pub(crate) const QUORUM_MAX: u8 = 9;

/// What must be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RemedyKind {
    /// People agree to this very call.
    Approval,
    /// The author takes the data out with a catalogued redaction.
    Redact,
    /// The author has somebody vouch for the value with a catalogued endorsement.
    Endorse,
    /// The run is for a ticket that is open, about this, and raised by whoever asks.
    Ticket,
}

impl RemedyKind {
    /// Every kind.
    pub(crate) const ALL: [Self; 4] = [Self::Approval, Self::Redact, Self::Endorse, Self::Ticket];

    /// The word in `@remedy`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approval => "approval",
            Self::Redact => "redact",
            Self::Endorse => "endorse",
            Self::Ticket => "ticket",
        }
    }
}

/// What somebody owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// The data in a part of the call.
    Atoms(AtomsOf),
    /// The destination or dataset.
    Resource,
}

impl Holder {
    /// The word after `owner-of:`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Atoms(AtomsOf::Role(role)) => role.name(),
            Self::Atoms(AtomsOf::Arguments) => "arguments",
            Self::Atoms(AtomsOf::Control) => "control",
            Self::Atoms(AtomsOf::WriteExcess) => "write_excess",
            Self::Resource => "resource",
        }
    }

    /// Every holder, by the word for it.
    pub(crate) fn named(word: &str) -> Option<Self> {
        let roles = Role::ALL.into_iter().map(AtomsOf::Role);
        let parts = [AtomsOf::Arguments, AtomsOf::Control, AtomsOf::WriteExcess];
        roles.chain(parts).map(Self::Atoms).chain([Self::Resource]).find(|holder| holder.name() == word)
    }
}

/// Who may approve.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Approvers {
    /// Every owner of what is at issue there.
    OwnerOf(Holder),
    /// Members of a group.
    Group(Name),
    /// Whoever manages the person on whose behalf the call is made.
    ManagerOfRequester,
    /// Whoever answers for what is done in the name of the principal: the person or their manager, a service's owner.
    InChargeOfRequester,
    /// One person.
    Person(Name),
}

impl Approvers {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        let named = |id: &str| Some(Name::from(id)).filter(|id| !id.is_empty() && !id.contains('/'));
        if word == "manager-of:requester" {
            return Some(Self::ManagerOfRequester);
        }
        if word == "in-charge-of:requester" {
            return Some(Self::InChargeOfRequester);
        }
        match word.split_once(':')? {
            ("owner-of", holder) => Holder::named(holder).map(Self::OwnerOf),
            ("group", id) => named(id).map(Self::Group),
            ("person", id) => named(id).map(Self::Person),
            _ => None,
        }
    }
}

impl Approvers {
    /// Who that is and how many, as people say it of no call in particular.
    pub(crate) fn in_words(&self, quorum: u8) -> String {
        let who = match self {
            Self::Group(id) if quorum > 1 => return format!("{quorum} different members of `{id}`"),
            Self::OwnerOf(Holder::Resource) => "whoever answers for the destination or dataset".to_owned(),
            Self::OwnerOf(Holder::Atoms(of)) => format!("every owner of what is at issue in {}", of.in_words()),
            Self::Group(id) => format!("a member of `{id}`"),
            Self::ManagerOfRequester => "the manager of whoever asked".to_owned(),
            Self::InChargeOfRequester => "whoever answers for the one who asked".to_owned(),
            Self::Person(id) => format!("`{id}`"),
        };
        if quorum > 1 { format!("{who} ({quorum} different people of each)") } else { who }
    }
}

impl AtomsOf {
    /// The part of a call, as people say it.
    pub(crate) fn in_words(self) -> String {
        match self {
            Self::Role(role) => format!("the {role}"),
            Self::Arguments => "the arguments".to_owned(),
            Self::Control => "what decides that the step runs".to_owned(),
            Self::WriteExcess => "what the dataset does not declare".to_owned(),
        }
    }
}

impl fmt::Display for Approvers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OwnerOf(holder) => write!(f, "owner-of:{}", holder.name()),
            Self::Group(id) => write!(f, "group:{id}"),
            Self::ManagerOfRequester => f.write_str("manager-of:requester"),
            Self::InChargeOfRequester => f.write_str("in-charge-of:requester"),
            Self::Person(id) => write!(f, "person:{id}"),
        }
    }
}

/// Somebody who must agree, for one request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    /// An owner from a contract or register: a person or a group.
    Owner(Name),
    /// Members of this group.
    Group(Name),
    /// Whoever manages this principal.
    ManagerOf(Name),
    /// Whoever answers for this principal.
    InChargeOf(Name),
    /// This person.
    Person(Name),
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner(id) => write!(f, "the data owner `{id}`"),
            Self::Group(id) => write!(f, "a member of `{id}`"),
            Self::ManagerOf(id) => write!(f, "the manager of `{id}`"),
            Self::InChargeOf(id) => write!(f, "whoever answers for `{id}`"),
            Self::Person(id) => write!(f, "`{id}`"),
        }
    }
}

/// Which ticket a policy asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TicketRule {
    /// The connector of the action that shows it.
    pub connector: Name,
    /// That action.
    pub action: Name,
    /// The arguments that it must name: all of this role.
    pub names: Role,
}

impl TicketRule {
    /// Reads `@ticket("connector.action") @names("role")`.
    pub(crate) fn parse(shown_by: &str, names: &str) -> Option<Self> {
        let (connector, action) = shown_by.split_once('.').filter(|(c, a)| !c.is_empty() && !a.is_empty())?;
        let names = Role::ALL.into_iter().find(|role| role.name() == names)?;
        // A slash would let one requirement's id pass for another's.
        (!shown_by.contains('/')).then(|| Self { connector: connector.into(), action: action.into(), names })
    }
}

/// The id that policies look for in `context.satisfied`.
impl fmt::Display for TicketRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ticket:{}.{}/{}", self.connector, self.action, self.names.name())
    }
}

/// What a policy's annotations ask for, whatever the request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RemedyRule {
    pub(crate) kind: RemedyKind,
    pub(crate) approvers: Option<Approvers>,
    pub(crate) quorum: u8,
    pub(crate) clears_origins: bool,
    pub(crate) ticket: Option<TicketRule>,
}

impl RemedyRule {
    /// The id that policies look for in `context.satisfied`.
    pub(crate) fn requirement(&self) -> Option<String> {
        let ticket = self.ticket.as_ref().map(ToString::to_string);
        ticket.or_else(|| self.approvers.as_ref().map(|approvers| format!("{approvers}/{}", self.quorum)))
    }

    /// What it asks for in this request; `None` if nobody is there to ask.
    pub(crate) fn resolve(&self, request: &GateRequest) -> Option<Remedy> {
        let parties = match &self.approvers {
            None => BTreeSet::new(),
            Some(Approvers::OwnerOf(holder)) => request.owners(*holder)?.into_iter().map(Party::Owner).collect(),
            Some(Approvers::Group(id)) => [Party::Group(id.clone())].into(),
            Some(Approvers::ManagerOfRequester) => [Party::ManagerOf(request.principal.id.clone())].into(),
            Some(Approvers::InChargeOfRequester) => [Party::InChargeOf(request.principal.id.clone())].into(),
            Some(Approvers::Person(id)) => [Party::Person(id.clone())].into(),
        };
        Some(Remedy {
            kind: self.kind,
            approvers: self.approvers.clone(),
            quorum: self.quorum,
            parties,
            requirement: self.requirement(),
            ticket: self.ticket.clone(),
            clears: if self.clears_origins { request.outside_origins() } else { BTreeSet::new() },
        })
    }
}

/// What would lift one or more forbids, for one request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remedy {
    /// What must be done.
    pub kind: RemedyKind,
    /// Who may approve, as the policy says it. Only approvals have it.
    pub approvers: Option<Approvers>,
    /// How many different people of **each** party.
    pub quorum: u8,
    /// Who that is here. Every party must reach the quorum before the requirement is satisfied.
    pub parties: BTreeSet<Party>,
    /// The id to add to `satisfied` once they did, or once the ticket was seen.
    pub requirement: Option<String>,
    /// Which ticket it asks for.
    pub ticket: Option<TicketRule>,
    /// The origins that the approval vouches for, at this gate only.
    pub clears: BTreeSet<Name>,
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            RemedyKind::Redact => return f.write_str("a catalogued redaction of the data"),
            RemedyKind::Endorse => return f.write_str("a catalogued endorsement of the value"),
            RemedyKind::Ticket => {
                let Some(TicketRule { connector, action, names }) = &self.ticket else {
                    return f.write_str("a ticket");
                };
                let names = names.name();
                return write!(
                    f,
                    "an open ticket of whoever asks that names the {names}, as {connector}.{action} shows it"
                );
            }
            RemedyKind::Approval => f.write_str("approval by ")?,
        }
        for (i, party) in self.parties.iter().enumerate() {
            write!(f, "{}{party}", if i == 0 { "" } else { " and " })?;
        }
        if self.quorum > 1 {
            write!(f, " ({} people each)", self.quorum)?;
        }
        if !self.clears.is_empty() {
            let names: Vec<&str> = self.clears.iter().map(AsRef::as_ref).collect();
            write!(f, ", who vouches for {}", names.join(", "))?;
        }
        Ok(())
    }
}
