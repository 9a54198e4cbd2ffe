//! The question that a command line asks, with what the registers and contracts of the workspace know of its names.

use std::collections::{BTreeMap, BTreeSet};

use sluice_core::catalogue::{Action, Resource as Target};
use sluice_core::contract::bundle::BundleFiles;
use sluice_core::contract::registers::Category as Registered;
use sluice_core::contract::{Governance, Located};
use sluice_core::document::closest;
use sluice_core::gate::{Effect, Role};
use sluice_core::label::Name;
use sluice_policy::cases::{Case, is_given, is_requirement};
use sluice_policy::{Answer, AtomSet, Bundle, Category, Facts, GateRequest, Resource, Rule, Standing};
use sluice_runtime::policy_tests::of_bundle;
use sluice_verify::principal;
use sluice_verify::question::destination;

use crate::cli::ExplainPolicy;
use crate::failure::Failure;
use crate::place::known;

/// A question, and what people have agreed to.
pub(super) enum Asked {
    Typed { request: Box<GateRequest>, approved: BTreeSet<Name> },
    OfTest(Box<Case>),
}

impl Asked {
    /// What a gate would say.
    pub(super) fn answer(&self, policies: &Bundle) -> Answer {
        match self {
            Self::OfTest(case) => case.judge(policies).answer,
            Self::Typed { request, approved } => {
                policies.decide_with_approvals(request, |remedy| is_given(approved, remedy))
            }
        }
    }
}

/// The question of a command line.
pub(super) fn of(
    arguments: &ExplainPolicy,
    governance: &Governance,
    files: &BundleFiles,
    policies: &Bundle,
) -> Result<Asked, Failure> {
    if let Some(name) = &arguments.test {
        let cases: Vec<Case> = of_bundle(files, policies)?.into_iter().flat_map(|file| file.suite.cases).collect();
        let found = cases.iter().find(|case| *case.name == **name);
        return found.map(|case| Asked::OfTest(Box::new(case.clone()))).ok_or_else(|| {
            let near = nearest(name, cases.iter().map(|case| case.name.as_ref()));
            Failure::usage(format!("no test is called `{name}`{near}"))
        });
    }
    let asker = Asker { arguments, governance };
    if let Some(word) = arguments.approval.iter().find(|word| !is_requirement(word)) {
        let message =
            format!("`{word}` is nothing that people can agree to: write who and how many, as `owner-of:payload/1`");
        return Err(Failure::usage(message));
    }
    let approved = arguments.approval.iter().map(|word| word.as_str().into()).collect();
    Ok(Asked::Typed { request: Box::new(asker.request()?), approved })
}

struct Asker<'a> {
    arguments: &'a ExplainPolicy,
    governance: &'a Governance,
}

impl Asker<'_> {
    fn request(&self) -> Result<GateRequest, Failure> {
        let typed = self.arguments;
        let principals = &self.governance.registers.principals;
        let action = typed.call.as_deref().map(|call| self.action(call)).transpose()?;
        let effect = match (&typed.action, action) {
            (Some(word), _) => word_of(word, "action", &Effect::ALL.map(|effect| (effect.name(), effect)))?,
            (None, Some(action)) => action.effect,
            (None, None) => {
                return Err(Failure::usage("say what is done: --action EFFECT, or --call CONNECTOR.ACTION"));
            }
        };
        let asker = match &typed.principal {
            Some(id) => principal(principals, &known(principals, id)?),
            None => principal(principals, "somebody"),
        };
        let (roles, control, write_excess) = self.carried()?;
        let acting_models = roles.values().chain([&control]).flat_map(|atoms: &AtomSet| &atoms.origins);
        let acting_models = acting_models.filter_map(|origin| origin.strip_prefix("model:").map(Name::from)).collect();
        Ok(GateRequest {
            principal: asker,
            author: typed.author.acting(principals)?,
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
            facts: Facts {
                calls_this_run: typed.calls_this_run,
                calls_this_hour: typed.calls_this_hour,
                first_seen: typed.first_seen,
                amount: typed.amount,
            },
            now_ms: now_ms(),
            solo: self.governance.workspace.solo,
        })
    }

    fn action(&self, call: &str) -> Result<&Action, Failure> {
        let actions = &self.governance.catalogue.actions;
        let found =
            call.split_once('.').and_then(|(connector, action)| actions.get(&(connector.into(), action.into())));
        found.ok_or_else(|| {
            let all: Vec<String> = actions.values().map(Action::full_name).collect();
            let near = nearest(call, all.iter().map(String::as_str));
            Failure::usage(format!("no contract has a call `{call}`{near}"))
        })
    }

    fn resource(&self, effect: Effect, action: Option<&Action>) -> Result<Resource, Failure> {
        let catalogue = &self.governance.catalogue;
        if let Some(id) = &self.arguments.to {
            return Ok(destination(catalogue, &id.as_str().into()));
        }
        if let Some(id) = &self.arguments.dataset {
            return Ok(self.dataset(id));
        }
        match action.map(|action| &action.resource) {
            Some(Target::Destination(id)) => Ok(destination(catalogue, id)),
            Some(Target::Dataset { name, .. }) => Ok(self.dataset(name)),
            Some(Target::DestinationArgument(name)) => {
                Err(Failure::usage(format!("its argument `{name}` says where it goes: --to DESTINATION")))
            }
            None if effect.is_outbound() => Err(Failure::usage("say where it goes: --to DESTINATION")),
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

    fn purpose(&self) -> Result<Option<Name>, Failure> {
        let Some(purpose) = &self.arguments.purpose else { return Ok(None) };
        let known = &self.governance.catalogue.purposes;
        if known.contains(purpose.as_str()) {
            return Ok(Some(purpose.as_str().into()));
        }
        let near = nearest(purpose, known.iter().map(AsRef::as_ref));
        Err(Failure::usage(format!("`{purpose}` is not in `registers/purposes.yaml`{near}")))
    }

    fn standing(&self) -> Result<Standing, Failure> {
        let all = [Standing::Proposed, Standing::Verified, Standing::Approved, Standing::Session, Standing::Planned];
        let word = self.arguments.standing.as_deref();
        word.map_or(Ok(Standing::Verified), |word| word_of(word, "standing", &all.map(|s| (s.name(), s))))
    }

    /// What the parts of the call carry.
    fn carried(&self) -> Result<(BTreeMap<Role, AtomSet>, AtomSet, AtomSet), Failure> {
        let mut parts: BTreeMap<String, AtomSet> = BTreeMap::new();
        for said in &self.arguments.carries {
            let (part, class) = part_of(said, "--carries", "payload=phi")?;
            let atoms = self.class(class)?;
            let all = parts.entry(part.to_owned()).or_default();
            *all = all.join(&atoms);
        }
        for said in &self.arguments.origin {
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
    fn class(&self, class: &str) -> Result<AtomSet, Failure> {
        let register = &self.governance.registers.classification;
        let Some(Registered { owner, regions, purposes, .. }) = register.get(class) else {
            let near = nearest(class, register.entries.keys().map(AsRef::as_ref));
            return Err(Failure::usage(format!("`{class}` is not in `registers/classification.yaml`{near}")));
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
fn part_of<'t>(said: &'t str, flag: &str, example: &str) -> Result<(&'t str, &'t str), Failure> {
    let parts = Role::ALL.map(Role::name).into_iter().chain(["control", "write_excess"]);
    let Some((part, what)) = said.split_once('=').filter(|(_, what)| !what.is_empty()) else {
        return Err(Failure::usage(format!("{flag} takes a part of the call and what it carries, as `{example}`")));
    };
    if parts.clone().any(|known| known == part) {
        return Ok((part, what));
    }
    let near = nearest(part, parts.clone());
    let all: Vec<&str> = parts.collect();
    Err(Failure::usage(format!("`{part}` is no part of a call{near}; there are {}", all.join(", "))))
}

fn word_of<T: Copy>(word: &str, what: &str, words: &[(&str, T)]) -> Result<T, Failure> {
    words.iter().find(|(known, _)| *known == word).map(|(_, value)| *value).ok_or_else(|| {
        let all: Vec<&str> = words.iter().map(|(known, _)| *known).collect();
        let near = nearest(word, all.iter().copied());
        Failure::usage(format!("`{word}` is no {what}{near}; there are {}", all.join(", ")))
    })
}

fn nearest<'n>(word: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    closest(word, known).map_or_else(String::new, |near| format!("; do you mean `{near}`?"))
}

fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
