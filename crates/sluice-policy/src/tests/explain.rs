//! Policies in words, and how they stand to a question.

use super::*;
use crate::{DEFAULT_SOURCES, PACKS, PolicyId, Stand};

fn in_words(bundle: &Bundle, ids: &[&str]) -> String {
    let words = ids.iter().map(|id| {
        let words = bundle.in_words(&PolicyId(Name::from(*id))).expect("a policy");
        format!(
            "{id} {}\n  {}\n{}",
            words.does,
            words.why,
            words.lifted_by.map(|by| format!("  {by}")).unwrap_or_default()
        )
    });
    words.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_policy_says_in_words_what_it_does_and_who_lifts_it() {
    let packs = PACKS.iter().map(|pack| (pack.name, pack.policies));
    let sources: Vec<(&str, &str)> = DEFAULT_SOURCES.into_iter().chain(packs).collect();
    let bundle = Bundle::load(&sources).expect("the policies load");
    insta::assert_snapshot!(in_words(&bundle, &[
        "analysed-workflows-may-read", "destination-not-cleared", "unregistered-destination", "untrusted-query",
        "untrusted-origin-decides-privileged-step", "write-drops-origins", "grants-of-power-need-two",
        "grants-not-by-services", "untrusted-command",
    ]), @"
    analysed-workflows-may-read permits read
      reading is allowed to every workflow that was analysed

    destination-not-cleared forbids export and notify
      the destination or dataset is not cleared for the kinds of data at issue in the payload
      the agreement of every owner of what is at issue in the payload
    unregistered-destination forbids export and notify
      data leaves only to a destination that the register knows, and the destination or dataset is not in it
      nothing lifts it
    untrusted-query forbids every action
      what is looked up was written by outsiders with a part in the query
      a catalogued endorsement, by which somebody vouches for the value
    untrusted-origin-decides-privileged-step forbids every action
      outsiders with a part in the arguments or what decides that the step runs had a part in a step that hands out rights or runs code
      the agreement of the manager of whoever asked, who vouches for the outsiders whose words these are
    write-drops-origins forbids write
      whoever reads the dataset later would not see that outsiders with a part in what the dataset does not declare wrote to it
      the agreement of whoever answers for the destination or dataset
    grants-of-power-need-two forbids grant
      this makes somebody a member of a group that has power over systems
      the agreement of 2 different members of `security`
    grants-not-by-services forbids grant in the name of services
      rights are handed out in the name of a person, and whoever asks is a service
      nothing lifts it
    untrusted-command forbids every action
      what is executed was written by outsiders with a part in the command
      nothing lifts it
    ");
    for info in bundle.policies() {
        let words = bundle.in_words(&info.id).expect("a policy");
        assert!(!words.why.contains(['{', '}']), "{}: {}", info.id, words.why);
        assert_eq!(words.lifted_by.is_none(), info.permits, "{}", info.id);
    }
}

#[test]
fn scopes_are_told() {
    let policy = |scope: &str| format!("@id(\"x\") @why(\"y\")\nforbid ({scope});");
    for (scope, told) in [
        ("principal == Person::\"ana\", action, resource", "forbids every action in the name of `ana`"),
        (
            "principal in Group::\"support\", action == Action::\"read\", resource",
            "forbids read in the name of whoever is in `support`",
        ),
        (
            "principal is Service in Group::\"bots\", action == Action::\"read\", resource is Destination",
            "forbids read in the name of services in `bots` on destinations",
        ),
        ("principal, action == Action::\"read\", resource == Dataset::\"crm\"", "forbids read on `crm`"),
    ] {
        let words = bundle(&policy(scope)).in_words(&PolicyId("x".into())).expect("a policy");
        assert_eq!(words.does, told);
    }
}

/// How policies stand, one line each, the first of them.
fn stands(bundle: &Bundle, request: &GateRequest, most: usize) -> String {
    let standing = bundle.standing(&bundle.decide(request)).expect("a question");
    let line = |stood: &crate::Stood| match &stood.stand {
        Stand::Misses { wrong, condition } => format!("{} misses by {wrong}: {condition}", stood.policy),
        other => format!("{} {other:?}", stood.policy),
    };
    standing.iter().take(most).map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_decides_comes_first_and_then_what_nearly_did() {
    let export = call(Effect::Export).arg(Role::Payload, category("phi", "health-lead"));
    insta::assert_snapshot!(stands(&default_bundle(), &export, 9), @r#"
    destination-not-cleared Decides
    analysed-workflows-may-act Applies
    uncleared-data-decides-what-leaves misses by 1: !context.control.uncleared.isEmpty()
    untrusted-command misses by 1: !context.roles.command.outside.isEmpty()
    untrusted-query misses by 1: !context.roles.query.outside.isEmpty()
    untrusted-origin-chooses-receiver misses by 1: !context.roles.recipient.outside.isEmpty() || !context.roles.destination.outside.isEmpty()
    uncleared-data-beside-the-payload misses by 1: !context.roles.recipient.uncleared.isEmpty() || !context.roles.destination.uncleared.isEmpty() || !context.roles.query.uncleared.isEmpty() || !context.roles.command.uncleared.isEmpty() || !context.roles.amount.uncleared.isEmpty() || !context.roles.reference.uncleared.isEmpty()
    unclassified-data-leaves misses by 1: context.arguments.unknown || context.control.unknown
    export-without-purpose misses by 1: context.purpose == ""
    "#);
}

#[test]
fn every_policy_about_the_action_stands_somewhere() {
    let bundle = default_bundle();
    for effect in Effect::ALL {
        let standing = bundle.standing(&bundle.decide(&call(effect))).expect("a question");
        let about = bundle.policies().filter(|info| info.effects.contains(&effect)).count();
        assert_eq!(standing.len(), about, "{effect}");
        let decides = standing.iter().filter(|stood| stood.stand == Stand::Decides).count();
        assert_eq!(decides, 1, "{effect}");
    }
}

#[test]
fn scopes_that_do_not_cover_a_question_are_the_farthest() {
    let own = bundle(
        "@id(\"a\") @why(\"y\")\npermit (principal == Person::\"ben\", action, resource);\n\
         @id(\"b\") @why(\"y\")\npermit (principal, action, resource == Dataset::\"x\");\n\
         @id(\"c\") @why(\"y\")\npermit (principal, action, resource) when { context.solo } when { context.privileged };\n\
         @id(\"d\") @why(\"y\")\nforbid (principal, action, resource) when { context.standing == \"verified\" };\n\
         @id(\"e\") @why(\"y\")\npermit (principal, action, resource);",
    );
    insta::assert_snapshot!(stands(&own, &call(Effect::Read), 9), @"
    d Decides
    e Applies
    c misses by 2: context.solo
    b OtherResource
    a OtherPrincipal
    ");
}
