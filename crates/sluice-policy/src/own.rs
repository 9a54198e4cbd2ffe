//! Who may do what with Sluice itself: policies of the workspace about the console and the API.
//!
//! They have a schema of their own, so that a policy about calls can never open a page, nor the other way round. What errs is
//! a refusal, and what nobody permits too.

use std::collections::BTreeSet;
use std::str::FromStr;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, Request,
    RestrictedExpression, Schema, ValidationMode, Validator,
};
use sluice_core::label::Name;
use sluice_core::text::{Span, Text};

use crate::flaw::{Flaw, MISFIT, UNREADABLE, flaw};

/// Where a workspace keeps policies about Sluice itself, among its other files.
pub const CONSOLE_FOLDER: &str = "policies/console/";
/// The policies where a workspace has none of its own.
pub const CONSOLE_DEFAULT: (&str, &str) =
    ("policies/console/default.cedar", include_str!("../../../policies/console/default.cedar"));
/// Holds beside whatever a workspace says: who is at hand when something goes wrong stops it. Policies of a workspace can only
/// forbid it; letting go on they must permit.
const STOPPING: &str = r#"permit (principal, action == Action::"stop", resource);"#;
const SCHEMA: &str = include_str!("../../../policies/console.cedarschema");

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// See one thing.
    See,
    /// See the whole ledger.
    SeeLedger,
    /// Invite people, see who has which passkey, remove one.
    ManagePeople,
    /// Stop calls.
    Stop,
    /// Let calls go on that were stopped.
    GoOn,
}

impl Deed {
    const fn name(self) -> &'static str {
        match self {
            Self::See => "see",
            Self::SeeLedger => "see-ledger",
            Self::ManagePeople => "manage-people",
            Self::Stop => "stop",
            Self::GoOn => "go-on",
        }
    }
}

/// Who wants to do it.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// A person of the register.
    pub person: &'a Name,
    /// Every group they are in, also through other groups.
    pub groups: &'a BTreeSet<Name>,
    /// Whether they sign the rules.
    pub signs: bool,
}

/// The policies about Sluice itself.
#[derive(Debug)]
pub struct OwnRules {
    policies: PolicySet,
}

impl OwnRules {
    /// Reads and validates policies; the default ones if there are none.
    ///
    /// # Errors
    /// SL301 and SL302, each with its text.
    pub fn load(sources: &[(&str, String)]) -> Result<Self, Vec<Flaw>> {
        let (name, text) = CONSOLE_DEFAULT;
        let default = [(name, text.to_owned())];
        let sources = if sources.is_empty() { &default } else { sources };
        let mut all = format!("{STOPPING}\n");
        for (name, text) in sources {
            let text = Text::new(*name, text.as_str());
            let at = |message: String| vec![flaw(&text, UNREADABLE, Span::default(), message, HELP)];
            let read = PolicySet::from_str(&text.content).map_err(|error| at(in_words(&error)))?;
            let schema = Schema::from_str(SCHEMA).map_err(|error| at(in_words(&error)))?;
            let judged = Validator::new(schema).validate(&read, ValidationMode::Strict);
            if let Some(error) = judged.validation_errors().next() {
                return Err(vec![flaw(&text, MISFIT, Span::default(), in_words(error), HELP)]);
            }
            all.push_str(&text.content);
            all.push('\n');
        }
        let policies = PolicySet::from_str(&all).map_err(|error| {
            let text = Text::new(name, "");
            vec![flaw(&text, UNREADABLE, Span::default(), in_words(&error), HELP)]
        })?;
        Ok(Self { policies })
    }

    /// Whether somebody may do something with what concerns these people.
    #[must_use]
    pub fn allow(&self, asking: Asking<'_>, deed: Deed, concerned: &BTreeSet<Name>) -> bool {
        self.decide(asking, deed, concerned).unwrap_or(false)
    }

    fn decide(&self, asking: Asking<'_>, deed: Deed, concerned: &BTreeSet<Name>) -> Option<bool> {
        let uid = |kind: &str, id: &str| {
            Some(EntityUid::from_type_name_and_id(EntityTypeName::from_str(kind).ok()?, EntityId::new(id)))
        };
        let (person, thing) = (uid("Person", asking.person)?, uid("Thing", "it")?);
        let groups = asking.groups.iter().map(|group| uid("Group", group)).collect::<Option<_>>()?;
        let signs = [("signs".to_owned(), RestrictedExpression::new_bool(asking.signs))];
        let people = concerned.iter().map(|person| uid("Person", person)).collect::<Option<Vec<_>>>()?;
        let people = RestrictedExpression::new_set(people.into_iter().map(RestrictedExpression::new_entity_uid));
        let entities = [
            Entity::new(person.clone(), signs.into(), groups).ok()?,
            Entity::new(thing.clone(), [("concerned".to_owned(), people)].into(), [].into()).ok()?,
        ];
        let entities = Entities::from_entities(entities, None).ok()?;
        let request = Request::new(person, uid("Action", deed.name())?, thing, Context::empty(), None).ok()?;
        let answer = Authorizer::new().is_authorized(&request, &self.policies, &entities);
        // A policy that errs is skipped by Cedar; it may have been one that forbids.
        let is_sound = answer.diagnostics().errors().next().is_none();
        Some(is_sound && answer.decision() == Decision::Allow)
    }
}

const HELP: &str = "policies/console.cedarschema of Sluice's sources says what they can speak of: `see`, `see-ledger`, `manage-people`, `stop` and `go-on`";

fn in_words(error: &(dyn std::error::Error + '_)) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(lower) = cause {
        words = format!("{words}: {lower}");
        cause = lower.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(rules: &OwnRules, person: &str, groups: &[&str], signs: bool, deed: Deed, concerned: &[&str]) -> bool {
        let groups = groups.iter().map(|group| (*group).into()).collect();
        let concerned = concerned.iter().map(|person| (*person).into()).collect();
        rules.allow(Asking { person: &person.into(), groups: &groups, signs }, deed, &concerned)
    }

    #[test]
    fn by_default_people_see_what_concerns_them_and_signers_everything() {
        let rules = OwnRules::load(&[]).unwrap();
        assert!(allows(&rules, "ana", &[], false, Deed::See, &["ana", "ben"]));
        assert!(!allows(&rules, "dora", &[], false, Deed::See, &["ana", "ben"]));
        assert!(!allows(&rules, "ana", &[], false, Deed::SeeLedger, &["ana"]));
        assert!(!allows(&rules, "ana", &[], false, Deed::ManagePeople, &["ana"]));
        for deed in [Deed::See, Deed::SeeLedger, Deed::ManagePeople, Deed::Stop, Deed::GoOn] {
            assert!(allows(&rules, "ana", &[], true, deed, &[]), "{deed:?}");
        }
    }

    #[test]
    fn anybody_stops_unless_it_is_forbidden_and_nobody_lets_go_on_unless_it_is_permitted() {
        let default = OwnRules::load(&[]).unwrap();
        assert!(allows(&default, "dora", &[], false, Deed::Stop, &[]));
        assert!(!allows(&default, "dora", &[], false, Deed::GoOn, &["dora"]));
        let own = |text: &str| OwnRules::load(&[("policies/console/own.cedar", text.to_owned())]).unwrap();
        let silent = own(r#"permit (principal in Group::"auditors", action == Action::"see-ledger", resource);"#);
        assert!(allows(&silent, "dora", &[], false, Deed::Stop, &[]), "who says nothing of it does not forbid it");
        assert!(!allows(&silent, "ana", &[], true, Deed::GoOn, &["ana"]));
        let narrow = own(r#"forbid (principal in Group::"guests", action == Action::"stop", resource);
               permit (principal, action == Action::"go-on", resource) when { resource.concerned.contains(principal) };"#);
        assert!(!allows(&narrow, "gus", &["guests"], false, Deed::Stop, &[]));
        assert!(allows(&narrow, "dora", &[], false, Deed::Stop, &[]));
        assert!(allows(&narrow, "ben", &[], false, Deed::GoOn, &["ben"]), "whoever answers for it");
        assert!(!allows(&narrow, "ana", &[], true, Deed::GoOn, &["ben"]));
    }

    #[test]
    fn a_workspace_says_otherwise_and_what_errs_or_fits_nothing_opens_nothing() {
        let auditors = r#"permit (principal in Group::"auditors", action == Action::"see-ledger", resource);"#;
        let rules = OwnRules::load(&[("policies/console/own.cedar", auditors.to_owned())]).unwrap();
        assert!(allows(&rules, "eve", &["auditors"], false, Deed::SeeLedger, &[]));
        assert!(!allows(&rules, "eve", &[], true, Deed::SeeLedger, &[]), "the default ones are gone");
        let flaws = |text: &str| OwnRules::load(&[("policies/console/own.cedar", text.to_owned())]).unwrap_err();
        assert_eq!(flaws("permit (principal, action, ")[0].diagnostic.code.0, 301);
        let calls = r#"permit (principal, action == Action::"export", resource);"#;
        assert_eq!(flaws(calls)[0].diagnostic.code.0, 302);
        assert_eq!(flaws("permit (principal, action, resource) when { principal.age > 3 };")[0].diagnostic.code.0, 302);
    }
}
