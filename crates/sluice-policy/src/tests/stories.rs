//! The two stories that the demo plays.

use super::*;

/// The AI-written report: balance, precise position and a health note to a spreadsheet in another region.
fn report() -> GateRequest {
    let payload = category("financial", "finance-lead")
        .join(&category("location", "privacy-lead"))
        .join(&category("phi", "health-lead"))
        .join(&only_regions("health-lead", &["eu"]))
        .join(&from("crm"));
    call(Effect::Export).arg(Role::Payload, payload)
}

#[test]
fn the_report_is_held_for_the_owners_of_what_may_not_go_there() {
    let answer = default_bundle().decide(&report());
    insta::assert_snapshot!(told(&answer), @r#"
    hold: destination-not-cleared, region-forbidden
    - `sheets` is not cleared for location, phi
    - an owner of the data keeps it out of this region
    - needs approval by the data owner `health-lead` and the data owner `privacy-lead`
    "#);
    let Decision::Hold { remedies, .. } = &answer.decision else { panic!("held") };
    assert_eq!(remedies.len(), 1, "clearance and region ask the same people");
    assert!(answer.decision.can_be_approved());
}

#[test]
fn the_report_passes_once_that_very_requirement_is_recorded() {
    let bundle = default_bundle();
    let Decision::Hold { remedies, .. } = bundle.decide(&report()).decision else { panic!("held") };
    let approved = report().with_approval(&remedies[0]);
    assert!(bundle.decide(&approved).decision.is_permit());
    let other = report().with(|r| r.satisfied = ["owner-of:arguments/1".to_owned()].into());
    assert!(!bundle.decide(&other).decision.is_permit());
}

#[test]
fn the_report_without_the_fields_is_the_balance_owners_alone() {
    let payload = category("financial", "finance-lead").join(&only_regions("finance-lead", &["eu"]));
    let answer = default_bundle().decide(&call(Effect::Export).arg(Role::Payload, payload));
    insta::assert_snapshot!(told(&answer), @r#"
    hold: region-forbidden
    - an owner of the data keeps it out of this region
    - needs approval by the data owner `finance-lead`
    "#);
}

/// The ticket: its text, through a model, chooses the group and the subject.
fn ticket(group_classes: &[&str]) -> GateRequest {
    let words = from("tickets").join(&from("model:assistant"));
    call(Effect::Grant)
        .arg(Role::Reference, words.clone())
        .arg(Role::Recipient, words)
        .with(|r| r.control = from("tickets"))
        .with(|r| r.reference = names(group_classes))
}

#[test]
fn a_ticket_never_chooses_domain_admins() {
    let answer = default_bundle().decide(&ticket(&["privileged-group"]));
    insta::assert_snapshot!(told(&answer), @r#"
    forbid: outsider-chooses-privileged-group
    - a privileged group was chosen under the influence of model:assistant, tickets
    "#);
}

#[test]
fn no_recorded_approval_lets_a_ticket_choose_domain_admins() {
    let bundle = default_bundle();
    let approved = ticket(&["privileged-group"]).with(|r| {
        r.satisfied = ["manager-of:requester/9".to_owned()].into();
        r.cleared = names(&["tickets", "model:assistant"]);
    });
    let Decision::Forbid { policies, .. } = bundle.decide(&approved).decision else { panic!("forbidden") };
    assert!(policies.iter().any(|p| &*p.0 == "outsider-chooses-privileged-group"));
}

#[test]
fn a_ticket_for_an_ordinary_group_waits_for_the_manager_who_vouches_for_named_origins() {
    let bundle = default_bundle();
    let answer = bundle.decide(&ticket(&["ordinary-group"]));
    insta::assert_snapshot!(told(&answer), @r#"
    hold: untrusted-origin-decides-privileged-step
    - model:assistant, tickets had a part in a step that hands out rights or runs code
    - needs approval by the manager of `ana`, who vouches for model:assistant, tickets
    "#);
    let Decision::Hold { remedies, .. } = answer.decision else { panic!("held") };
    assert!(bundle.decide(&ticket(&["ordinary-group"]).with_approval(&remedies[0])).decision.is_permit());
}

#[test]
fn an_approval_vouches_only_for_the_origins_it_names() {
    let bundle = default_bundle();
    let Decision::Hold { remedies, .. } = bundle.decide(&ticket(&[])).decision else { panic!("held") };
    let another = ticket(&[]).arg(Role::Reference, from("mail")).with_approval(&remedies[0]);
    let answer = bundle.decide(&another);
    assert!(matches!(&answer.decision, Decision::Hold { remedies, .. } if remedies[0].clears == names(&["mail"])));
    let top = ticket(&[]).arg(Role::Reference, unknown()).with_approval(&remedies[0]);
    assert!(matches!(bundle.decide(&top).decision, Decision::Forbid { .. }), "nobody vouches for what has no name");
}

#[test]
fn a_privileged_group_chosen_by_a_person_is_no_outsiders_choice() {
    let asked = call(Effect::Grant)
        .arg(Role::Reference, from("person:ana"))
        .with(|r| r.reference = names(&["privileged-group"]));
    assert!(default_bundle().decide(&asked).decision.is_permit());
}

#[test]
fn an_unsigned_definition_speaks_for_whoever_wrote_it() {
    let bundle = default_bundle();
    let unsigned = || call(Effect::Grant).with(|r| r.control = from("author"));
    assert!(matches!(bundle.decide(&unsigned()).decision, Decision::Hold { .. }), "a model wrote it");
    let person = unsigned().with(|r| r.author = Acting::Person { id: "ana".into() });
    assert!(bundle.decide(&person).decision.is_permit());
}

#[test]
fn only_the_approvals_that_this_very_call_needs_count() {
    let bundle = default_bundle();
    let forged = report().with(|r| r.satisfied = ["owner-of:payload/1".to_owned()].into());
    assert!(matches!(bundle.decide_with_approvals(&forged, |_| false).decision, Decision::Hold { .. }));
    let answer = bundle.decide_with_approvals(&report(), |remedy| remedy.parties.len() == 2);
    assert!(answer.decision.is_permit());
    let recorded = GateRequest::from_bytes(&answer.request_bytes).unwrap();
    assert!(bundle.decide(&recorded).decision.is_permit(), "asked again from its bytes it says the same");
}

#[test]
fn one_of_two_approvals_leaves_a_hold_for_the_other() {
    let both = report().arg(Role::Recipient, from("tickets"));
    let bundle = default_bundle();
    let Decision::Hold { remedies, .. } = bundle.decide(&both).decision else { panic!("held") };
    assert_eq!(remedies.len(), 2);
    for remedy in &remedies {
        let answer = bundle.decide_with_approvals(&both, |r| r == remedy);
        let Decision::Hold { remedies: left, .. } = answer.decision else { panic!("held") };
        assert!(left.len() == 1 && &left[0] != remedy);
    }
    assert!(bundle.decide_with_approvals(&both, |_| true).decision.is_permit());
}
