//! A slice says what the whole bundle says.

use proptest::prelude::*;

use super::laws::{condition, request};
use super::*;
use crate::Said;

/// Scopes of each form, over few names: so that they meet.
fn scope() -> impl Strategy<Value = String> {
    let principal = proptest::sample::select(
        &[
            "principal",
            "principal is Person",
            "principal is Service",
            "principal == Person::\"ana\"",
            "principal == Person::\"support\"",
            "principal == Service::\"ana\"",
            "principal in Person::\"ana\"",
            "principal in Group::\"support\"",
            "principal in Group::\"ana\"",
            "principal in Group::\"finance\"",
            "principal is Person in Group::\"support\"",
            "principal is Service in Group::\"support\"",
            "principal is Person in Group::\"finance\"",
            "principal is Service in Service::\"bot\"",
        ][..],
    );
    let action = proptest::sample::select(
        &[
            "action",
            "action == Action::\"read\"",
            "action == Action::\"export\"",
            "action in Action::\"write\"",
            "action in [Action::\"read\", Action::\"export\", Action::\"grant\"]",
            "action in [Action::\"write\", Action::\"notify\", Action::\"execute\"]",
        ][..],
    );
    let resource = proptest::sample::select(
        &[
            "resource",
            "resource is Destination",
            "resource is Dataset",
            "resource == Destination::\"sheets\"",
            "resource == Dataset::\"sheets\"",
            "resource == Dataset::\"crm.accounts\"",
            "resource in Destination::\"sheets\"",
            "resource is Dataset in Dataset::\"crm.accounts\"",
            "resource is Destination in Destination::\"mail\"",
        ][..],
    );
    let principal = prop_oneof![Just("principal"), principal];
    let action = prop_oneof![Just("action"), action];
    let resource = prop_oneof![Just("resource"), resource];
    (principal, action, resource).prop_map(|(p, a, r)| format!("{p}, {a}, {r}"))
}

/// Conditions about ids and attributes beside those about labels, and one that fails on large amounts.
fn about_ids() -> impl Strategy<Value = String> {
    proptest::sample::select(
        &[
            "true",
            "principal in Group::\"finance\"",
            "Group::\"support\" in Group::\"finance\"",
            "[Group::\"support\", Person::\"ana\"].contains(principal)",
            "resource.owner == \"finance-lead\"",
            "resource.region like \"e*\"",
            "resource is Destination && resource.registered",
            "principal is Person || resource is Dataset",
            "[\"session\", \"verified\"].contains(context.standing)",
            "[].contains(context.standing)",
            "[\"crm\", \"mail\"].contains(context.connector) && [1, 2].contains(context.facts.calls_this_run)",
            "context.arguments.categories.containsAny([\"phi\", \"pii\"])",
            "context.arguments.categories.containsAll([\"phi\", \"financial\"])",
            "[context.purpose, \"x\"].contains(context.connector)",
            "context.facts.calls_this_run < 1 && !(context.now_ms <= 5)",
            "context.author == {\"kind\": \"unknown\", \"id\": \"\"}",
            "context.satisfied == context.acting_models || context.purpose != context.region",
            "if context.solo then context.privileged else context.purpose == \"monthly-report\"",
            "context.facts has amount && context.facts.amount * 1000000 > 5",
            "!(context.facts has amount) || context.facts.amount * 1000000 > 5",
            "{\"a\": context.connector}.a == \"crm\"",
        ][..],
    )
    .prop_map(ToOwned::to_owned)
}

fn policies() -> impl Strategy<Value = Vec<String>> {
    let conditions = proptest::collection::vec(prop_oneof![about_ids(), condition()], 0..3);
    let policy = (any::<bool>(), scope(), conditions);
    // More than one word of the index, sometimes.
    proptest::collection::vec(policy, 1..80).prop_map(|policies| {
        let texts = policies.into_iter().enumerate().map(|(i, (permits, scope, conditions))| {
            let word = if permits { "permit" } else { "forbid" };
            let when = |(i, condition): (usize, String)| {
                format!(" {} {{ {condition} }}", if i % 2 == 0 { "when" } else { "unless" })
            };
            let conditions: String = conditions.into_iter().enumerate().map(when).collect();
            format!("@id(\"p{i}\") @why(\"y\") {word} ({scope}){conditions};")
        });
        texts.collect()
    })
}

/// Leaves out what strict validation refuses.
fn valid(policies: &[String]) -> Bundle {
    let valid = policies.iter().filter(|text| Bundle::load(&[("one", text)]).is_ok());
    bundle(&valid.cloned().collect::<String>())
}

fn asked() -> impl Strategy<Value = GateRequest> {
    let groups = proptest::sample::subsequence(&["support", "finance", "ana"], 0..=3);
    let id = proptest::sample::select(&["ana", "bot", "support"][..]);
    let resource = proptest::sample::select(&["sheets", "mail", "crm.accounts", "elsewhere"][..]);
    let kinds = (any::<bool>(), any::<bool>());
    (request(), groups, id, resource, kinds).prop_map(|(request, groups, id, resource, (person, destination))| {
        request.with(|r| {
            r.principal = Principal {
                kind: if person { PrincipalKind::Person } else { PrincipalKind::Service },
                id: id.into(),
                groups: names(&groups),
            };
            let (id, owner, region) = (resource.into(), "finance-lead".into(), Some("eu".into()));
            r.resource = if destination {
                Resource::Destination {
                    id,
                    owner,
                    region,
                    cleared: names(&["financial"]),
                    registered: resource == "mail",
                }
            } else {
                Resource::Dataset { id, owner, region }
            };
        })
    })
}

/// What the gate makes of Cedar's answer about the whole bundle.
fn by_the_whole(bundle: &Bundle, request: &GateRequest) -> Said {
    let response = ask_cedar(bundle, request);
    let mut errors: Vec<String> = response.diagnostics().errors().map(ToString::to_string).collect();
    errors.sort();
    let ids = response.diagnostics().reason().map(|id| crate::PolicyId(Name::from(AsRef::<str>::as_ref(id))));
    let mut ids: Vec<_> = ids.collect();
    ids.sort();
    match response.decision() {
        _ if !errors.is_empty() => Said::Failed(errors),
        cedar_policy::Decision::Allow => Said::Allow(ids),
        cedar_policy::Decision::Deny => Said::Deny(ids),
    }
}

fn by_the_slice(bundle: &Bundle, request: &GateRequest) -> Said {
    bundle.evaluate(&crate::Question::of(request).expect("a question"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_slice_and_the_whole_bundle_say_the_same_name_the_same_policies_and_fail_alike(
        policies in policies(),
        asked in proptest::collection::vec(asked(), 1..20),
    ) {
        let bundle = valid(&policies);
        for request in asked {
            prop_assert_eq!(by_the_slice(&bundle, &request), by_the_whole(&bundle, &request), "{:#?}", policies);
        }
    }

    #[test]
    fn under_the_default_bundle_slice_and_whole_agree(asked in proptest::collection::vec(asked(), 1..20)) {
        let bundle = default_bundle();
        for request in asked {
            prop_assert_eq!(by_the_slice(&bundle, &request), by_the_whole(&bundle, &request));
        }
    }
}

/// The generators must reach each kind of answer, and policies outside the slice, or the laws say nothing.
#[test]
fn the_generators_reach_every_answer_and_leave_policies_out() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut allowed, mut forbidden, mut by_default, mut failed, mut inside, mut outside) = (0, 0, 0, 0, 0, 0);
    for _ in 0..15 {
        let bundle = valid(&policies().new_tree(&mut runner).unwrap().current());
        for _ in 0..20 {
            let request = asked().new_tree(&mut runner).unwrap().current();
            match by_the_slice(&bundle, &request) {
                Said::Allow(_) => allowed += 1,
                Said::Deny(forbids) if forbids.is_empty() => by_default += 1,
                Said::Deny(_) => forbidden += 1,
                Said::Failed(_) => failed += 1,
            }
            let size = bundle.index.slice(&request).count();
            inside += size;
            outside += bundle.rules.len() - size;
        }
    }
    let reached = [allowed, forbidden, by_default, failed, inside, outside];
    assert!(reached.iter().all(|count| *count > 5), "{reached:?}");
}

/// An error counts only where the policy would have been asked.
#[test]
fn a_policy_whose_scope_misses_cannot_fail_the_gate() {
    let bundle = bundle(
        r#"@id("all") @why("y") permit (principal, action, resource);
        @id("overflows") @why("y") forbid (principal, action, resource == Dataset::"crm.accounts")
        when { context.facts has amount && context.facts.amount * 1000000 > 5 };"#,
    );
    let amount = |effect| call(effect).with(|r| r.facts.amount = Some(crate::FACT_MAX));
    assert!(matches!(by_the_slice(&bundle, &amount(Effect::Read)), Said::Failed(_)), "the dataset");
    assert!(matches!(by_the_slice(&bundle, &amount(Effect::Export)), Said::Allow(_)), "another resource");
}

#[test]
fn near_misses_are_told_from_the_nearest_on() {
    let bundle = bundle(
        r#"@id("a-other-person") @why("y") permit (principal == Person::"bo", action, resource);
        @id("b-other-store") @why("y") permit (principal, action, resource == Dataset::"crm.other");
        @id("c-first-condition") @why("y") permit (principal, action, resource) when { context.solo };
        @id("d-second-condition") @why("y") permit (principal, action, resource)
        when { !context.solo } when { context.purpose == "billing" };
        @id("e-other-action") @why("y") permit (principal, action == Action::"export", resource);"#,
    );
    insta::assert_snapshot!(told(&bundle.decide(&call(Effect::Read))), @r#"
    forbid by default
    - `d-second-condition` does not permit it: it asks that `context.purpose == "billing"`
    - `c-first-condition` does not permit it: it asks that `context.solo`
    - `b-other-store` does not permit it: it does not cover the resource
    "#);
}
