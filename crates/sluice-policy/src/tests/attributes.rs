//! What each attribute of the context says.

use super::*;

/// Whether a condition holds of a request, asked through a policy like any other.
fn says(request: &GateRequest, condition: &str) -> bool {
    let text = format!("@id(\"x\") @why(\"y\") permit (principal, action, resource) when {{ {condition} }};");
    bundle(&text).decide(request).decision.is_permit()
}

fn all_say(request: &GateRequest, conditions: &[&str]) {
    for condition in conditions {
        assert!(says(request, condition), "{condition}");
        assert!(!says(request, &format!("!({condition})")), "not {condition}");
    }
}

#[test]
fn unknown_data_answers_yes_to_every_question_about_it() {
    let asked = call(Effect::Export).arg(Role::Payload, unknown());
    for part in ["roles.payload", "arguments"] {
        for condition in [
            "unknown",
            "purpose_forbidden",
            "region_forbidden",
            "categories.contains(\"unknown\")",
            "uncleared.contains(\"unknown\")",
            "outside.contains(\"unknown\")",
            "datasets.contains(\"unknown\")",
        ] {
            all_say(&asked, &[&format!("context.{part}.{condition}")]);
        }
    }
    all_say(&asked, &["!context.control.unknown", "context.roles.query.outside.isEmpty()"]);
}

#[test]
fn unknown_control_stops_a_privileged_step_for_good() {
    let asked = call(Effect::Grant).with(|r| r.control = unknown());
    let Decision::Forbid { policies, .. } = default_bundle().decide(&asked).decision else { panic!("forbidden") };
    assert_eq!(policies.len(), 1);
}

#[test]
fn a_rule_refuses_where_nobody_knows_the_region_or_the_purpose() {
    let ruled = |atoms: AtomSet| call(Effect::Write).arg(Role::Payload, atoms);
    let regions = only_regions("o", &["eu"]);
    let nowhere = Resource::Dataset { id: "d".into(), owner: "o".into(), region: None };
    let forbidden = ["context.roles.payload.region_forbidden"];
    all_say(&ruled(regions.clone()).with(|r| r.resource = nowhere.clone()), &forbidden);
    all_say(&ruled(regions.clone()).with(|r| r.region = Some("us".into())), &forbidden);
    let in_region = ruled(regions).with(|r| {
        r.resource = nowhere;
        r.region = Some("eu".into());
    });
    all_say(&in_region, &["!context.roles.payload.region_forbidden"]);
    let purposes = ruled(only_purposes("o", &["monthly-report"]));
    all_say(&purposes, &["!context.roles.payload.purpose_forbidden", "context.roles.payload.rule_owners == [\"o\"]"]);
    all_say(
        &purposes.with(|r| r.purpose = None),
        &["context.roles.payload.purpose_forbidden", "context.purpose == \"\""],
    );
}

#[test]
fn origins_are_split_into_outside_models_and_persons() {
    let words = from("tickets").join(&from("model:m")).join(&from("person:ana")).join(&from("author"));
    let asked = call(Effect::Read).with(|r| r.control = words);
    all_say(
        &asked,
        &[
            "context.control.outside == [\"tickets\", \"model:m\", \"author\"]",
            "context.control.models == [\"model:m\", \"author\"]",
            "context.control.persons == [\"person:ana\"]",
        ],
    );
    all_say(&asked.clone().with(|r| r.author = Acting::Unknown), &["context.control.models == [\"model:m\"]"]);
    let by_person = asked.with(|r| r.author = Acting::Person { id: "bo".into() });
    all_say(
        &by_person,
        &[
            "context.control.outside == [\"tickets\", \"model:m\"]",
            "context.control.persons == [\"person:ana\", \"person:bo\"]",
        ],
    );
}

#[test]
fn a_dataset_is_cleared_for_nothing_and_a_destination_for_what_the_register_says() {
    let payload = category("financial", "f").join(&category("phi", "h"));
    let sent = call(Effect::Export).arg(Role::Payload, payload.clone());
    all_say(&sent, &["context.roles.payload.uncleared == [\"phi\"]", "context.roles.payload.owners == [\"f\", \"h\"]"]);
    let stored = call(Effect::Write).arg(Role::Payload, payload);
    all_say(&stored, &["context.roles.payload.uncleared == [\"financial\", \"phi\"]"]);
}

#[test]
fn who_asks_and_for_what_is_there() {
    let asked = call(Effect::Export).with(|r| {
        r.acting_models = names(&["m"]);
        r.facts = Facts { calls_this_run: 3, calls_this_hour: 4, first_seen: true, amount: Some(-5) };
    });
    all_say(
        &asked,
        &[
            "principal is Person && principal in Group::\"support\" && principal == Person::\"ana\"",
            "resource is Destination && resource.registered && resource.region == \"us\"",
            "context.connector == \"crm\" && context.operation == \"accounts.use\"",
            "context.author.kind == \"model\" && context.author.id == \"m\" && context.acting_models.contains(\"m\")",
            "context.facts.calls_this_run == 3 && context.facts.calls_this_hour == 4 && context.facts.first_seen",
            "context.facts has amount && context.facts.amount == -5",
            "context.standing == \"verified\" && !context.solo && context.now_ms == 1700000000000",
        ],
    );
}

#[test]
fn grants_and_executions_are_privileged_whatever_the_contract_says() {
    for effect in Effect::ALL {
        let asked = |privileged| call(effect).with(|r| r.privileged = privileged);
        assert_eq!(says(&asked(false), "context.privileged"), effect.is_privileged(), "{effect}");
        assert!(says(&asked(true), "context.privileged"), "{effect}");
    }
}

#[test]
fn whoever_owns_what_is_at_issue_is_asked_and_nobody_else() {
    let held = |asked: &GateRequest| match default_bundle().decide(asked).decision {
        Decision::Hold { remedies, .. } => remedies.iter().flat_map(|r| &r.parties).map(ToString::to_string).collect(),
        other => vec![format!("{other:?}")],
    };
    let both = category("financial", "f").join(&category("phi", "h"));
    assert_eq!(held(&call(Effect::Export).arg(Role::Payload, both.clone())), ["the data owner `h`"]);
    let lost = call(Effect::Write).with(|r| r.write_excess = both.join(&only_purposes("p", &["monthly-report"])));
    assert_eq!(held(&lost), ["the data owner `f`", "the data owner `h`", "the data owner `p`"]);
    let tainted = call(Effect::Write).with(|r| r.write_excess = from("tickets"));
    assert_eq!(held(&tainted), ["the data owner `crm-owner`"]);
}

#[test]
fn known_owners_cannot_approve_what_is_partly_unknown() {
    let bundle = bundle(
        "@id(\"all\") @why(\"y\") permit (principal, action, resource);
         @id(\"x\") @why(\"y\") @remedy(\"approval\") @approvers(\"owner-of:payload\") @quorum(\"1\")
         forbid (principal, action, resource) unless { context.satisfied.contains(\"owner-of:payload/1\") };",
    );
    let owned = call(Effect::Read).arg(Role::Payload, category("phi", "h"));
    assert!(bundle.decide(&owned).decision.can_be_approved());
    let partly = owned.arg(Role::Payload, unknown());
    assert!(matches!(bundle.decide(&partly).decision, Decision::Forbid { .. }));
}
