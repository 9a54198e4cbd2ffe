//! What a prediction takes for given, and says so.

use std::collections::BTreeSet;

use sluice_core::catalogue::Catalogue;
use sluice_core::contract::principals::{Kind, Principals};
use sluice_core::label::{Atom, Label, Name, TooManyAtoms};
use sluice_core::program::Program;
use sluice_core::value::{Kinds, Value};
use sluice_policy::{Acting, Principal, PrincipalKind, Standing};

use crate::analysis::Entry;

/// The symbolic requester: anybody who may start a run.
pub const REQUESTER: &str = "requester";

/// What a prediction takes for given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assumptions {
    /// On whose behalf the run goes; `None` for anybody of the register.
    pub requester: Option<Name>,
    /// Who wrote the definition.
    pub author: Acting,
    /// Whether policy asks a person to sign the definition. If so the prediction takes the signature for given, and
    /// the definition's own words are trusted; if not, they keep their author as origin.
    pub signed: bool,
    /// One person alone may change the workspace's bundle.
    pub solo: bool,
}

impl Default for Assumptions {
    fn default() -> Self {
        Self { requester: None, author: Acting::Unknown, signed: true, solo: false }
    }
}

impl Assumptions {
    /// The origin of the definition's own words, unless a person signs it.
    #[must_use]
    pub fn author_origin(&self) -> Atom {
        Atom::Origin(match &self.author {
            Acting::Model { id } => format!("model:{id}").into(),
            Acting::Person { .. } | Acting::Unknown => "author".into(),
        })
    }

    /// The origin of the run's input.
    #[must_use]
    pub fn requester_origin(&self) -> Atom {
        Atom::Origin(format!("person:{}", self.requester.as_deref().unwrap_or(REQUESTER)).into())
    }

    /// What the run starts with, before anything of it is known.
    ///
    /// # Errors
    /// [`TooManyAtoms`] if author and requester do not fit beside the catalogue's atoms.
    pub fn entry(&self, catalogue: &Catalogue, program: &Program) -> Result<Entry, TooManyAtoms> {
        let mut universe = catalogue.universe.clone();
        let mut requester = Label::of(universe.intern(self.requester_origin())?);
        // What a model may write into a template is the model's, whoever starts the run.
        for model in program.document.holes.models() {
            requester = requester.join(Label::of(universe.intern(Atom::Origin(model.clone()))?));
        }
        let author = Label::of(universe.intern(self.author_origin())?);
        Ok(Entry {
            universe,
            input: Value::unknown(requester, Kinds::ALL),
            id: Value::unknown(Label::BOTTOM, Kinds::TEXT),
            base: if self.signed { Label::BOTTOM } else { author },
        })
    }

    /// How far the workflow has come when its gates are asked.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        if self.signed { Standing::Approved } else { Standing::Verified }
    }
}

/// A principal of the register, with all its groups. One that the register does not know is a person without groups.
#[must_use]
pub fn principal(principals: &Principals, id: &str) -> Principal {
    let kind = match principals.kind(id) {
        Some(Kind::Service) => PrincipalKind::Service,
        _ => PrincipalKind::Person,
    };
    Principal { kind, id: id.into(), groups: principals.groups_of(id) }
}

/// Everybody that a question must be asked for.
pub(crate) fn askers(principals: &Principals, assumptions: &Assumptions) -> Vec<Principal> {
    if let Some(id) = &assumptions.requester {
        return vec![principal(principals, id)];
    }
    let persons = principals.persons.entries.keys();
    let all = persons.chain(principals.services.entries.keys()).map(|id| principal(principals, id));
    let symbolic = Principal { kind: PrincipalKind::Person, id: REQUESTER.into(), groups: BTreeSet::new() };
    std::iter::once(symbolic).chain(all).collect()
}

/// The purpose that a step states, as far as the register knows it.
pub(crate) fn purpose_of(program: &Program, step: sluice_core::program::StepId) -> Option<Name> {
    program.purpose_of(step).cloned()
}
