//! What would fail open without care.

use super::*;
use crate::{FACT_MAX, RequestBytesError};

const PERMIT: &str = r#"@id("all") @why("everything") permit (principal, action, resource);"#;

fn over_limit() -> Bundle {
    bundle(&format!(
        r#"{PERMIT}
        @id("large") @why("a large amount")
        forbid (principal, action, resource)
        when {{ context.facts has amount && context.facts.amount * 1000000 > 1000000000 }};"#
    ))
}

#[test]
fn an_overflowing_forbid_forbids() {
    let amount = |n| call(Effect::Read).with(|r| r.facts.amount = Some(n));
    let bundle = over_limit();
    assert!(bundle.decide(&amount(1)).decision.is_permit());
    assert!(matches!(bundle.decide(&amount(2000)).decision, Decision::Forbid { errors, .. } if errors.is_empty()));
    let answer = bundle.decide(&amount(FACT_MAX));
    assert!(matches!(&answer.decision, Decision::Forbid { errors, .. } if errors.len() == 1));
    insta::assert_snapshot!(told(&answer), @r#"
    forbid: 1 errors
    - policy could not be evaluated: error while evaluating policy `large`: integer overflow while attempting to multiply the values `1000000000000000` and `1000000`
    "#);
}

#[test]
fn cedar_alone_would_have_let_it_through() {
    let request = call(Effect::Read).with(|r| r.facts.amount = Some(FACT_MAX));
    let response = ask_cedar(&over_limit(), &request);
    assert_eq!(response.decision(), cedar_policy::Decision::Allow, "the trap that the gate closes");
}

#[test]
fn numbers_beyond_the_bound_forbid_before_any_policy_computes() {
    for facts in [
        Facts { amount: Some(FACT_MAX + 1), ..Facts::default() },
        Facts { amount: Some(i64::MIN), ..Facts::default() },
        Facts { calls_this_hour: i64::MAX, ..Facts::default() },
        Facts { calls_this_run: FACT_MAX + 1, ..Facts::default() },
    ] {
        let answer = bundle(PERMIT).decide(&call(Effect::Read).with(|r| r.facts = facts));
        assert!(matches!(answer.decision, Decision::Forbid { errors, .. } if errors.len() == 1));
    }
}

#[test]
fn an_empty_bundle_permits_nothing() {
    let answer = bundle("").decide(&call(Effect::Read));
    insta::assert_snapshot!(told(&answer), @r#"
    forbid by default
    - no policy permits any `read`
    "#);
}

#[test]
fn every_request_fits_the_schema() {
    let (schema, _) = cedar_policy::Schema::from_cedarschema_str(crate::SCHEMA).unwrap();
    for effect in Effect::ALL {
        for amount in [None, Some(7)] {
            let asked = call(effect)
                .arg(Role::Payload, unknown().join(&category("pii", "o")))
                .with(|r| r.facts.amount = amount);
            let question = crate::Question::of(&asked).unwrap();
            let request = cedar_policy::Request::from(question.request);
            let (p, a, r) = (request.principal(), request.action(), request.resource());
            let (p, a, r) = (p.unwrap().clone(), a.unwrap().clone(), r.unwrap().clone());
            let context = request.context().unwrap().clone();
            cedar_policy::Request::new(p, a, r, context, Some(&schema)).unwrap();
            let entities = cedar_policy::Entities::from(question.entities);
            cedar_policy::Entities::from_entities(entities, Some(&schema)).unwrap();
        }
    }
}

#[test]
fn more_approvals_than_asked_are_enough() {
    let bundle = default_bundle();
    let asked = |n| {
        call(Effect::Export)
            .arg(Role::Payload, category("phi", "h"))
            .with(|r| r.satisfied = [format!("owner-of:payload/{n}")].into())
    };
    assert!(bundle.decide(&asked("3")).decision.is_permit());
    assert!(!bundle.decide(&asked("0")).decision.is_permit());
}

#[test]
fn a_hold_that_approvals_cannot_lift_is_a_forbid() {
    // The second policy looks for a requirement that the first never asks for, in a way the loader cannot see.
    let bundle = bundle(&format!(
        r#"{PERMIT}
        @id("a") @why("a") @remedy("approval") @approvers("group:x") @quorum("1")
        forbid (principal, action, resource)
        when {{ !context.satisfied.contains("group:x/1") || context.solo == false }};"#
    ));
    let answer = bundle.decide(&call(Effect::Read));
    assert!(matches!(answer.decision, Decision::Forbid { .. }));
}

#[test]
fn a_remedy_that_nobody_can_give_is_a_forbid() {
    let bundle = bundle(&format!(
        r#"{PERMIT}
        @id("a") @why("a") @remedy("approval") @approvers("owner-of:payload") @quorum("1")
        forbid (principal, action, resource) unless {{ context.satisfied.contains("owner-of:payload/1") }};"#
    ));
    assert!(matches!(bundle.decide(&call(Effect::Read)).decision, Decision::Forbid { .. }), "nobody owns public data");
    let owned = call(Effect::Read).arg(Role::Payload, category("phi", "h"));
    assert!(matches!(bundle.decide(&owned).decision, Decision::Hold { .. }));
}

#[test]
fn one_forbid_without_remedy_ends_a_hold() {
    let both = call(Effect::Export).arg(Role::Payload, category("phi", "h")).with(|r| r.purpose = None);
    let Decision::Forbid { policies, .. } = default_bundle().decide(&both).decision else { panic!("forbidden") };
    assert_eq!(policies.len(), 1);
}

#[test]
fn an_endorsement_is_work_for_the_author_and_not_an_approval() {
    let answer = default_bundle().decide(&call(Effect::Read).arg(Role::Query, from("tickets")));
    assert!(matches!(&answer.decision, Decision::Hold { .. }) && !answer.decision.can_be_approved());
    let Decision::Hold { remedies, .. } = &answer.decision else { panic!("held") };
    let asked = call(Effect::Read).arg(Role::Query, from("tickets"));
    assert_eq!(asked.with_approval(&remedies[0]), asked, "there is nothing to record");
}

#[test]
fn request_bytes_come_back_and_other_spellings_do_not() {
    let request = call(Effect::Export).arg(Role::Payload, category("phi", "h").join(&only_regions("h", &["eu"])));
    let bytes = request.to_bytes();
    assert_eq!(GateRequest::from_bytes(&bytes).unwrap(), request);
    let spaced = [&b" "[..], &bytes].concat();
    assert!(matches!(GateRequest::from_bytes(&spaced), Err(RequestBytesError::NotCanonical)));
    let text = String::from_utf8(bytes).unwrap();
    let later = text.replacen("\"version\":1", "\"version\":2", 1);
    assert!(matches!(GateRequest::from_bytes(later.as_bytes()), Err(RequestBytesError::Version(2))));
    let more = text.replacen("\"solo\":", "\"more\":1,\"solo\":", 1);
    assert!(matches!(GateRequest::from_bytes(more.as_bytes()), Err(RequestBytesError::Unreadable(_))));
}

#[test]
fn an_answer_carries_the_bytes_of_its_question() {
    let request = call(Effect::Export);
    let answer = default_bundle().decide(&request);
    assert_eq!(GateRequest::from_bytes(&answer.request_bytes).unwrap(), request);
    insta::assert_snapshot!(String::from_utf8(answer.entities_bytes).unwrap(), @r#"{"version":1,"principal":{"kind":"person","id":"ana","groups":["support"]},"resource":{"destination":{"id":"sheets","owner":"finance-lead","region":"us","cleared":["financial"],"registered":true}}}"#);
}
