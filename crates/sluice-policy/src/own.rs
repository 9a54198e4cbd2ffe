//! Who may do what with Sluice itself: policies of the workspace about the console and the API.
//!
//! They have a schema of their own, so that a policy about calls can never open a page, nor the other way round. What errs is
//! a refusal, and what nobody permits too.

use std::collections::BTreeSet;
use std::str::FromStr;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicyId, PolicySet, Request,
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
/// Holds beside whatever a workspace says: who is at hand when something goes wrong stops it, and of what somebody starts the
/// gate judges each step. Policies of a workspace can only forbid it; letting go on they must permit.
const EVERYBODYS: &str = r#"permit (principal, action in [Action::"stop", Action::"start"], resource);"#;
/// The annotation of a policy that forbids to decide or to start: the levels of a login at which it does not.
const STEP_UP: &str = "step_up";
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
    /// Give one's word on one thing, where the gate asks for it.
    Decide,
    /// Start a run of what one asked for.
    Start,
}

impl Deed {
    const fn name(self) -> &'static str {
        match self {
            Self::See => "see",
            Self::SeeLedger => "see-ledger",
            Self::ManagePeople => "manage-people",
            Self::Stop => "stop",
            Self::GoOn => "go-on",
            Self::Decide => "decide",
            Self::Start => "start",
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

/// How somebody who wants to decide or to start something has come in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// `passkey`, `provider`, `demo` or `token`.
    pub login: &'static str,
    /// The level that the identity provider said (`acr`); empty if it said none, or was not asked.
    pub acr: String,
    /// How they showed it there (`amr`).
    pub amr: BTreeSet<String>,
}

/// Whether somebody who has come in like that may do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deciding {
    /// They may.
    Yes,
    /// Once they logged in at one of these levels.
    StepUp(BTreeSet<String>),
    /// They may not.
    No,
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
        let mut all = format!("{EVERYBODYS}\n");
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
        let answer = self.answer(asking, deed, concerned, Context::empty());
        answer.is_some_and(|answer| answer.decision() == Decision::Allow)
    }

    /// Whether somebody who has come in like that may do something with what concerns these people, and what would let them
    /// if they may not. For [`Deed::Decide`] and [`Deed::Start`].
    ///
    /// Levels are told only where each policy that forbids it names some: another one would forbid it at any level.
    #[must_use]
    pub fn allow_as(&self, asking: Asking<'_>, deed: Deed, entry: &Entry, concerned: &BTreeSet<Name>) -> Deciding {
        let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
        let amr = RestrictedExpression::new_set(entry.amr.iter().map(|method| text(method)));
        let pairs = [("login", text(entry.login)), ("acr", text(&entry.acr)), ("amr", amr)];
        let context = Context::from_pairs(pairs.map(|(name, value)| (name.to_owned(), value))).ok();
        let answer = context.and_then(|context| self.answer(asking, deed, concerned, context));
        let Some(answer) = answer else { return Deciding::No };
        if answer.decision() == Decision::Allow {
            return Deciding::Yes;
        }
        let named = |id: &PolicyId| {
            let levels = self.policies.policy(id)?.annotation(STEP_UP)?;
            Some(levels.split_whitespace().map(ToOwned::to_owned).collect::<Vec<_>>())
        };
        let levels: Option<Vec<Vec<String>>> = answer.diagnostics().reason().map(named).collect();
        let levels: BTreeSet<String> = levels.into_iter().flatten().flatten().collect();
        if levels.is_empty() { Deciding::No } else { Deciding::StepUp(levels) }
    }

    /// What Cedar says; `None` if something could not be evaluated.
    fn answer(
        &self,
        asking: Asking<'_>,
        deed: Deed,
        concerned: &BTreeSet<Name>,
        context: Context,
    ) -> Option<cedar_policy::Response> {
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
        let request = Request::new(person, uid("Action", deed.name())?, thing, context, None).ok()?;
        let answer = Authorizer::new().is_authorized(&request, &self.policies, &entities);
        // A policy that errs is skipped by Cedar; it may have been one that forbids.
        let is_sound = answer.diagnostics().errors().next().is_none();
        is_sound.then_some(answer)
    }
}

const HELP: &str = "policies/console.cedarschema of Sluice's sources says what they can speak of: `see`, `see-ledger`, `manage-people`, `decide`, `start`, `stop` and \
                    `go-on`";

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

    #[test]
    fn deciding_can_need_a_level_and_says_which_one_would_do() {
        let decides = |rules: &OwnRules, person: &str, login: &'static str, acr: &str| {
            let entry = Entry { login, acr: acr.to_owned(), amr: BTreeSet::new() };
            let asking = Asking { person: &person.into(), groups: &BTreeSet::new(), signs: false };
            rules.allow_as(asking, Deed::Decide, &entry, &["ana".into()].into())
        };
        let default = OwnRules::load(&[]).unwrap();
        assert_eq!(decides(&default, "ana", "token", ""), Deciding::Yes);
        assert_eq!(decides(&default, "dora", "passkey", ""), Deciding::No);
        let demands = r#"
            permit (principal, action == Action::"decide", resource) when { resource.concerned.contains(principal) };
            @step_up("gold platinum")
            forbid (principal, action == Action::"decide", resource)
            unless { context.login == "passkey" || ["gold", "platinum"].contains(context.acr) };"#;
        let own = |text: &str| OwnRules::load(&[("policies/console/own.cedar", text.to_owned())]).unwrap();
        let rules = own(demands);
        let levels = Deciding::StepUp(["gold".into(), "platinum".into()].into());
        for (login, acr, expected) in [
            ("passkey", "", Deciding::Yes),
            ("provider", "gold", Deciding::Yes),
            ("provider", "silver", levels.clone()),
            ("provider", "", levels.clone()),
            ("demo", "", levels),
        ] {
            assert_eq!(decides(&rules, "ana", login, acr), expected, "{login} {acr}");
        }
        let never = own(&format!("{demands} forbid (principal, action == Action::\"decide\", resource);"));
        assert_eq!(decides(&never, "ana", "provider", "silver"), Deciding::No, "no level helps");
    }
    #[test]
    fn anybody_starts_what_they_asked_for_unless_a_policy_wants_to_know_them_better() {
        let starts = |rules: &OwnRules, login: &'static str, acr: &str| {
            let entry = Entry { login, acr: acr.to_owned(), amr: BTreeSet::new() };
            let asking = Asking { person: &"dora".into(), groups: &BTreeSet::new(), signs: false };
            rules.allow_as(asking, Deed::Start, &entry, &["dora".into()].into())
        };
        let own = |text: &str| OwnRules::load(&[("policies/console/own.cedar", text.to_owned())]).unwrap();
        assert_eq!(starts(&OwnRules::load(&[]).unwrap(), "token", ""), Deciding::Yes);
        let silent = own(r#"permit (principal in Group::"auditors", action == Action::"see-ledger", resource);"#);
        assert_eq!(starts(&silent, "provider", ""), Deciding::Yes, "who says nothing of it does not forbid it");
        let demands = own(r#"@step_up("gold") forbid (principal, action == Action::"start", resource)
               unless { context.acr == "gold" };"#);
        assert_eq!(starts(&demands, "provider", "gold"), Deciding::Yes);
        for login in ["provider", "passkey", "token"] {
            assert_eq!(starts(&demands, login, ""), Deciding::StepUp(["gold".into()].into()), "{login}");
        }
        let tokens =
            own(r#"forbid (principal, action == Action::"start", resource) when { context.login == "token" };"#);
        assert_eq!(starts(&tokens, "token", ""), Deciding::No);
        assert_eq!(starts(&tokens, "passkey", ""), Deciding::Yes);
    }
}
