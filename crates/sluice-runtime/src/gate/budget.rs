//! Whether budgets have room for one more call, or for one more question to people.

use std::collections::{BTreeMap, BTreeSet};

use sluice_core::catalogue::{Action, Resource};
use sluice_core::contract::budgets::{self, ASKS_PER_HOUR, Kind, Use, Window};
use sluice_core::gate::Effect;
use sluice_core::label::{Atom, Name};
use sluice_engine::{GateAnswer, Question};
use sluice_policy::Standing;

use super::{Evidence, RunGate, forbid};
use crate::budgets::{Charge, key};

/// The name under which calls count whose labels nobody vouched for. No register has it.
const UNKNOWN: &str = "(unknown)";
/// The name of every destination that the register does not know.
const UNREGISTERED: &str = "(unregistered)";
/// How the origin begins that is a person's words: their name is not for the open log.
const PERSON: &str = "person:";

impl<E: Evidence> RunGate<'_, E> {
    /// The same answer with what it takes from budgets, or a denial if one of them is spent. A question that waits
    /// already takes nothing again.
    pub(super) fn within_budgets(
        &self,
        mut answer: GateAnswer,
        question: &Question,
        action: &Action,
        now_ms: u64,
    ) -> GateAnswer {
        let (of, receipt) = match &mut answer {
            GateAnswer::Permit { receipt } => (Use::Call, receipt),
            GateAnswer::Hold { receipt, hold } => {
                if question.before.as_ref().is_some_and(|before| before.digest == hold.digest) {
                    return answer;
                }
                (Use::Ask, receipt)
            }
            GateAnswer::Forbid { .. } | GateAnswer::Unchanged { .. } => return answer,
        };
        match self.charge(of, question, action, now_ms) {
            Ok(charges) => {
                if let Some(more) = receipt.get_mut("more").and_then(serde_json::Value::as_object_mut) {
                    more.insert("budgets".to_owned(), serde_json::json!(charges));
                }
                answer
            }
            Err(why) => forbid(serde_json::json!({}), "SL525", why),
        }
    }

    /// What one more use takes, or which budget has no room for it.
    fn charge(&self, of: Use, question: &Question, action: &Action, now_ms: u64) -> Result<Vec<Charge>, String> {
        let mut charges = Vec::new();
        for kind in Kind::ALL {
            for name in self.names(of, kind, question, action) {
                for (window, limit) in self.limits(of, kind, &name) {
                    let charge = Charge { key: self.key(of, kind, &name, window, now_ms)?, limit };
                    if self.evidence.spent(&charge.key) >= limit {
                        return Err(spent(of, kind, &name, window, limit));
                    }
                    charges.push(charge);
                }
            }
        }
        Ok(charges)
    }

    /// What is said of this name; else, of an agent's questions, what bounds a flood.
    fn limits(&self, of: Use, kind: Kind, name: &str) -> BTreeMap<Window, u64> {
        let register = &self.workspace.governance().registers.budgets;
        let limits = budgets::limits(register, of, kind, name);
        let is_agent = matches!(self.asker.standing, Standing::Session | Standing::Planned);
        if limits.is_empty() && of == Use::Ask && kind == Kind::Origin && is_agent {
            return [(Window::Hour, ASKS_PER_HOUR)].into();
        }
        limits
    }

    /// What reached the call, or where it goes. What nobody vouched for may be of each that has a budget of its own.
    fn names(&self, of: Use, kind: Kind, question: &Question, action: &Action) -> BTreeSet<Name> {
        if kind == Kind::Destination {
            return self.goes_to(question, action).into_iter().collect();
        }
        let joined = question.prepared.joined;
        if joined.is_unknown() {
            let register = &self.workspace.governance().registers.budgets;
            return budgets::named(register, of, kind).cloned().chain([UNKNOWN.into()]).collect();
        }
        let name = |atom: &Atom| match (kind, atom) {
            (Kind::Origin, Atom::Origin(name))
            | (Kind::Class, Atom::Category { class: name, .. })
            | (Kind::Dataset, Atom::Dataset(name)) => Some(name.clone()),
            _ => None,
        };
        self.universe.atoms(joined).filter_map(name).collect()
    }

    fn goes_to(&self, question: &Question, action: &Action) -> Option<Name> {
        let registered = |id: &Name| {
            let is_known = self.catalogue.destinations.contains_key(id);
            if is_known { id.clone() } else { UNREGISTERED.into() }
        };
        match &action.resource {
            Resource::Destination(id) => Some(registered(id)),
            Resource::DestinationArgument(_) => {
                Some(question.prepared.resource.as_ref().map_or_else(|| UNREGISTERED.into(), registered))
            }
            Resource::Dataset { name, .. } => (action.effect != Effect::Read).then(|| name.clone()),
        }
    }

    fn key(&self, of: Use, kind: Kind, name: &str, window: Window, now_ms: u64) -> Result<String, String> {
        let pseudonym = |person: &str| {
            self.evidence.pseudonym(person).ok_or_else(|| "what budgets have counted cannot be told".to_owned())
        };
        let who = match of {
            Use::Ask => Some(pseudonym(self.asker.requester)?),
            Use::Call => None,
        };
        let name = match name.strip_prefix(PERSON) {
            Some(person) => format!("{PERSON}{}", pseudonym(person)?),
            None => name.to_owned(),
        };
        Ok(key(of, kind, &name, who.as_deref(), window, now_ms))
    }
}

fn spent(of: Use, kind: Kind, name: &str, window: Window, limit: u64) -> String {
    let (kind, window) = (kind.name(), window.name());
    match of {
        Use::Ask => format!("people were asked {limit} times this {window} about calls of {kind} `{name}`: its budget"),
        Use::Call => format!("{limit} calls of {kind} `{name}` passed this {window}: its budget"),
    }
}
