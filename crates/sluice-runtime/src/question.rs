//! A question that a person types or fills in: what would the gate say to such a call? What is not said is taken from the registers and
//! contracts of the workspace. Answering it asks policy alone: nothing is recorded, and nothing is called.

use std::collections::{BTreeMap, BTreeSet};

use sluice_core::catalogue::{Action, Resource as Target};
use sluice_core::contract::bundle::BundleFiles;
use sluice_core::contract::registers::Category as Registered;
use sluice_core::contract::{Governance, Located};
use sluice_core::document::closest;
use sluice_core::gate::{Effect, Role};
use sluice_core::label::Name;
use sluice_policy::Acting;
use sluice_policy::cases::{Case, is_given, is_requirement};
use sluice_policy::{Answer, AtomSet, Bundle, Category, Facts, GateRequest, Resource, Rule, Standing};
use sluice_verify::principal;
use sluice_verify::question::destination;

use crate::clock::now_ms;
use crate::policy_tests::of_bundle;
use crate::workspace::OpenError;

/// A question as somebody asks it.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    /// What is done: `export`.
    pub effect: Option<String>,
    /// The call, as a contract has it: `mail.send`.
    pub call: Option<String>,
    /// On whose behalf.
    pub principal: Option<String>,
    /// Who wrote the definition.
    pub author: Option<Acting>,
    /// Where it goes.
    pub to: Option<String>,
    /// What it reads or writes.
    pub dataset: Option<String>,
    /// For what.
    pub purpose: Option<String>,
    /// How far the workflow has come; verified if it is not said.
    pub standing: Option<String>,
    /// What parts of the call carry: `payload=phi`.
    pub carries: Vec<String>,
    /// Whose words are in them: `control=tickets`.
    pub origin: Vec<String>,
    /// Classes of what the arguments refer to.
    pub reference: Vec<String>,
    /// Whether it hands out rights or runs code, whatever its effect.
    pub privileged: bool,
    /// What was counted, and how much it is about.
    pub facts: Facts,
    /// What people agreed to: `owner-of:payload/1`.
    pub approval: Vec<String>,
}

/// Why a question is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unasked {
    /// Something must be said first: in words, and with which option of the command line.
    Missing(&'static str, String),
    /// A name or word that there is not.
    Wrong(String),
}

impl Unasked {
    /// In words.
    #[must_use]
    pub fn words(&self) -> &str {
        match self {
            Self::Missing(words, _) => words,
            Self::Wrong(words) => words,
        }
    }

    /// In words, with the option that says it.
    #[must_use]
    pub fn with_option(&self) -> String {
        match self {
            Self::Missing(words, option) => format!("{words}: {option}"),
            Self::Wrong(words) => words.clone(),
        }
    }
}

/// A question, and what people have agreed to.
#[derive(Clone, Debug)]
pub enum Asked {
    /// As somebody asked it.
    Typed {
        /// The gate's request.
        request: Box<GateRequest>,
        /// What people have agreed to.
        approved: BTreeSet<Name>,
    },
    /// The question of a test.
    OfTest(Box<Case>),
}

impl Asked {
    /// What a gate would say.
    #[must_use]
    pub fn answer(&self, policies: &Bundle) -> Answer {
        match self {
            Self::OfTest(case) => case.judge(policies).answer,
            Self::Typed { request, approved } => {
                policies.decide_with_approvals(request, |remedy| is_given(approved, remedy))
            }
        }
    }
}

/// The question of a test, by its name; `None` if no test is called so, with the nearest name.
///
/// # Errors
/// [`OpenError`] if the tests cannot be read.
pub fn of_test(name: &str, files: &BundleFiles, policies: &Bundle) -> Result<Result<Asked, Unasked>, OpenError> {
    let cases: Vec<Case> = of_bundle(files, policies)?.into_iter().flat_map(|file| file.suite.cases).collect();
    let found = cases.iter().find(|case| *case.name == *name);
    Ok(found.map(|case| Asked::OfTest(Box::new(case.clone()))).ok_or_else(|| {
        let near = nearest(name, cases.iter().map(|case| case.name.as_ref()));
        Unasked::Wrong(format!("no test is called `{name}`{near}"))
    }))
}

/// A question that somebody asks.
///
/// # Errors
/// [`Unasked`] if something is not said, or is not there.
pub fn of(typed: &Typed, governance: &Governance) -> Result<Asked, Unasked> {
    if let Some(word) = typed.approval.iter().find(|word| !is_requirement(word)) {
        let message =
            format!("`{word}` is nothing that people can agree to: write who and how many, as `owner-of:payload/1`");
        return Err(Unasked::Wrong(message));
    }
    let approved = typed.approval.iter().map(|word| word.as_str().into()).collect();
    Ok(Asked::Typed { request: Box::new(Asker { typed, governance }.request()?), approved })
}

struct Asker<'a> {
    typed: &'a Typed,
    governance: &'a Governance,
}

impl Asker<'_> {
    fn request(&self) -> Result<GateRequest, Unasked> {
        let typed = self.typed;
        let principals = &self.governance.registers.principals;
        let action = typed.call.as_deref().map(|call| self.action(call)).transpose()?;
        let effect = match (&typed.effect, action) {
            (Some(word), _) => word_of(word, "action", &Effect::ALL.map(|effect| (effect.name(), effect)))?,
            (None, Some(action)) => action.effect,
            (None, None) => {
                return Err(Unasked::Missing(
                    "say what is done",
                    "--action EFFECT, or --call CONNECTOR.ACTION".to_owned(),
                ));
            }
        };
        let asker = match &typed.principal {
            Some(id) => principal(principals, &self.known(id)?),
            None => principal(principals, "somebody"),
        };
        let (roles, control, write_excess) = self.carried()?;
        let acting_models = roles.values().chain([&control]).flat_map(|atoms: &AtomSet| &atoms.origins);
        let acting_models = acting_models.filter_map(|origin| origin.strip_prefix("model:").map(Name::from)).collect();
        Ok(GateRequest {
            principal: asker,
            author: typed.author.clone().unwrap_or(Acting::Unknown),
            acting_models,
            connector: action.map_or_else(|| "connector".into(), |action| action.connector.clone()),
            action: action.map_or_else(|| "action".into(), |action| action.name.clone()),
            effect,
            privileged: typed.privileged || effect.is_privileged() || action.is_some_and(|action| action.privileged),
            resource: self.resource(effect, action)?,
            reference: typed.reference.iter().map(|class| class.as_str().into()).collect(),
            roles,
            control,
            write_excess,
            purpose: self.purpose()?,
            region: action.and_then(|action| action.region.clone()),
            standing: self.standing()?,
            satisfied: BTreeSet::new(),
            cleared: BTreeSet::new(),
            facts: typed.facts.clone(),
            now_ms: i64::try_from(now_ms()).unwrap_or(i64::MAX),
            solo: self.governance.workspace.solo,
        })
    }

    /// A principal of the register.
    fn known(&self, id: &str) -> Result<Name, Unasked> {
        let principals = &self.governance.registers.principals;
        if principals.kind(id).is_some() {
            return Ok(id.into());
        }
        let near =
            nearest(id, principals.persons.entries.keys().chain(principals.services.entries.keys()).map(AsRef::as_ref));
        Err(Unasked::Wrong(format!("`{id}` is not in `registers/principals.yaml`{near}")))
    }

    fn action(&self, call: &str) -> Result<&Action, Unasked> {
        let actions = &self.governance.catalogue.actions;
        let found =
            call.split_once('.').and_then(|(connector, action)| actions.get(&(connector.into(), action.into())));
        found.ok_or_else(|| {
            let all: Vec<String> = actions.values().map(Action::full_name).collect();
            let near = nearest(call, all.iter().map(String::as_str));
            Unasked::Wrong(format!("no contract has a call `{call}`{near}"))
        })
    }

    fn resource(&self, effect: Effect, action: Option<&Action>) -> Result<Resource, Unasked> {
        let catalogue = &self.governance.catalogue;
        if let Some(id) = &self.typed.to {
            return Ok(destination(catalogue, &id.as_str().into()));
        }
        if let Some(id) = &self.typed.dataset {
            return Ok(self.dataset(id));
        }
        match action.map(|action| &action.resource) {
            Some(Target::Destination(id)) => Ok(destination(catalogue, id)),
            Some(Target::Dataset { name, .. }) => Ok(self.dataset(name)),
            Some(Target::DestinationArgument(name)) => {
                Err(Unasked::Missing("say where it goes", format!("its argument `{name}` says it, --to DESTINATION")))
            }
            None if effect.is_outbound() => Err(Unasked::Missing("say where it goes", "--to DESTINATION".to_owned())),
            None => Ok(self.dataset("dataset")),
        }
    }

    /// A dataset as a contract knows it.
    fn dataset(&self, id: &str) -> Resource {
        let known = self.governance.catalogue.actions.values().find_map(|action| match &action.resource {
            Target::Dataset { name, owner, region } if **name == *id => Some((owner.clone(), region.clone())),
            _ => None,
        });
        let (owner, region) = known.unwrap_or_default();
        Resource::Dataset { id: id.into(), owner: owner.unwrap_or_default(), region }
    }

    fn purpose(&self) -> Result<Option<Name>, Unasked> {
        let Some(purpose) = &self.typed.purpose else { return Ok(None) };
        let known = &self.governance.catalogue.purposes;
        if known.contains(purpose.as_str()) {
            return Ok(Some(purpose.as_str().into()));
        }
        let near = nearest(purpose, known.iter().map(AsRef::as_ref));
        Err(Unasked::Wrong(format!("`{purpose}` is not in `registers/purposes.yaml`{near}")))
    }

    fn standing(&self) -> Result<Standing, Unasked> {
        let all = [Standing::Proposed, Standing::Verified, Standing::Approved, Standing::Session, Standing::Planned];
        let word = self.typed.standing.as_deref();
        word.map_or(Ok(Standing::Verified), |word| word_of(word, "standing", &all.map(|s| (s.name(), s))))
    }

    /// What the parts of the call carry.
    fn carried(&self) -> Result<(BTreeMap<Role, AtomSet>, AtomSet, AtomSet), Unasked> {
        let mut parts: BTreeMap<String, AtomSet> = BTreeMap::new();
        for said in &self.typed.carries {
            let (part, class) = part_of(said, "--carries", "payload=phi")?;
            let atoms = self.class(class)?;
            let all = parts.entry(part.to_owned()).or_default();
            *all = all.join(&atoms);
        }
        for said in &self.typed.origin {
            let (part, origin) = part_of(said, "--origin", "control=tickets")?;
            let atoms = parts.entry(part.to_owned()).or_default();
            if origin == "unknown" {
                atoms.unknown = true;
            } else {
                atoms.origins.insert(origin.into());
            }
        }
        let mut take = |part: &str| parts.remove(part).unwrap_or_default();
        let (control, write_excess) = (take("control"), take("write_excess"));
        let roles = Role::ALL.into_iter().map(|role| (role, take(role.name()))).collect();
        Ok((roles, control, write_excess))
    }

    /// Data of a class, with whose it is and what its owner allows.
    fn class(&self, class: &str) -> Result<AtomSet, Unasked> {
        let register = &self.governance.registers.classification;
        let Some(Registered { owner, regions, purposes, .. }) = register.get(class) else {
            let near = nearest(class, register.entries.keys().map(AsRef::as_ref));
            return Err(Unasked::Wrong(format!("`{class}` is not in `registers/classification.yaml`{near}")));
        };
        let owner = &owner.value;
        let rule = |allowed: &Option<Vec<Located<Name>>>| {
            let allowed = allowed.as_ref()?.iter().map(|name| name.value.clone()).collect();
            Some(Rule { owner: owner.clone(), allowed })
        };
        Ok(AtomSet {
            categories: [Category { class: class.into(), owner: owner.clone() }].into(),
            purposes: rule(purposes).into_iter().collect(),
            regions: rule(regions).into_iter().collect(),
            ..AtomSet::default()
        })
    }
}

/// `payload=phi`: a part of a call, and what it carries.
fn part_of<'t>(said: &'t str, flag: &str, example: &str) -> Result<(&'t str, &'t str), Unasked> {
    let parts = Role::ALL.map(Role::name).into_iter().chain(["control", "write_excess"]);
    let Some((part, what)) = said.split_once('=').filter(|(_, what)| !what.is_empty()) else {
        return Err(Unasked::Wrong(format!("{flag} takes a part of the call and what it carries, as `{example}`")));
    };
    if parts.clone().any(|known| known == part) {
        return Ok((part, what));
    }
    let near = nearest(part, parts.clone());
    let all: Vec<&str> = parts.collect();
    Err(Unasked::Wrong(format!("`{part}` is no part of a call{near}; there are {}", all.join(", "))))
}

fn word_of<T: Copy>(word: &str, what: &str, words: &[(&str, T)]) -> Result<T, Unasked> {
    words.iter().find(|(known, _)| *known == word).map(|(_, value)| *value).ok_or_else(|| {
        let all: Vec<&str> = words.iter().map(|(known, _)| *known).collect();
        let near = nearest(word, all.iter().copied());
        Unasked::Wrong(format!("`{word}` is no {what}{near}; there are {}", all.join(", ")))
    })
}

fn nearest<'n>(word: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    closest(word, known).map_or_else(String::new, |near| format!("; do you mean `{near}`?"))
}
