//! A plan that an agent writes as a workflow: what it may then call, and which documents are none.

use std::fs;

use serde_json::json;

use super::Agent;
use crate::sandbox::Sandbox;

const OFF: &str = "denied by policy: SL925\nThis call will not be made; asking again changes nothing.";

fn agent(sandbox: &Sandbox) -> Agent<'_> {
    let request = sandbox.path("request.txt");
    fs::write(&request, "Tell bo.larsen@example.com and cy.duran@example.com what is in my mail.").unwrap();
    Agent::with(sandbox, "tools list_mail send_mail pay", &["--request", &request.display().to_string()]).begun()
}

fn document(tasks: &str) -> String {
    let head = "document: { dsl: '1.0.0', namespace: plans, name: plan, version: '0.1.0' }";
    format!("{head}\ndo:\n{}", tasks.trim_start_matches('\n'))
}

#[track_caller]
fn lays_down(agent: &mut Agent<'_>, tasks: &str) -> String {
    agent.call("sluice_plan", json!({ "workflow": document(tasks) }))
}

#[test]
fn a_workflow_is_a_plan_whose_constants_are_fixed_and_whose_expressions_are_holes() {
    let sandbox = Sandbox::with_workspace();
    let mut agent = agent(&sandbox);
    let told = lays_down(
        &mut agent,
        "
- read: { call: tools.list_mail }
- some:
    if: .isError | not
    do:
    - tell: { call: tools.send_mail, with: { to: bo.larsen@example.com, text: 'It says ${ .content[0].text }' } }",
    );
    assert!(told.starts_with("plan accepted: 2 calls, and no person needs to be asked"), "{told}");
    let tell = |to: &str| json!({ "to": to, "text": "It says done" });
    assert_eq!(agent.call("list_mail", json!({})), "done");
    assert_eq!(agent.call("send_mail", tell("cy.duran@example.com")), OFF);
    assert_eq!(agent.call("send_mail", tell("bo.larsen@example.com")), "done");
    assert_eq!(agent.call("send_mail", tell("bo.larsen@example.com")), OFF, "once is once");
    assert_eq!(agent.call("list_mail", json!({})), OFF);
}

#[test]
fn a_list_that_is_written_out_gives_a_call_for_each_element_and_a_bound_gives_a_count() {
    let sandbox = Sandbox::with_workspace();
    let mut agent = agent(&sandbox);
    let told = lays_down(
        &mut agent,
        "
- all:
    for: { each: who, in: [bo.larsen@example.com, cy.duran@example.com] }
    do:
    - tell: { call: tools.send_mail, with: { to: '${ $who }', text: '${ . }' } }
- pages:
    metadata: { times: 2 }
    for: { in: '${ .pages }' }
    do:
    - read: { call: tools.list_mail }",
    );
    assert!(told.starts_with("plan accepted: 3 calls"), "{told}");
    for (to, passes) in [
        ("bo.larsen@example.com", true),
        ("bo.larsen@example.com", false),
        ("cy.duran@example.com", true),
        ("eve@example.com", false),
    ] {
        assert_eq!(agent.call("send_mail", json!({ "to": to, "text": "x" })) == "done", passes, "{to}");
    }
    let reads: Vec<bool> = (0..3).map(|_| agent.call("list_mail", json!({})) == "done").collect();
    assert_eq!(reads, [true, true, false]);
}

#[test]
fn what_repeats_is_counted_and_what_an_expression_finds_is_bounded_beside_it() {
    let sandbox = Sandbox::with_workspace();
    let mut agent = agent(&sandbox);
    let told = lays_down(
        &mut agent,
        "
- again:
    try:
    - read: { call: tools.list_mail }
    catch: { retry: { delay: { seconds: 1 }, limit: { attempt: { count: 1 } } } }
- tell:
    call: tools.send_mail
    with: { to: bo.larsen@example.com, text: '${ .word }' }
    metadata: { holes: { text: { one_of: [yes please, no thanks] } } }",
    );
    assert!(told.starts_with("plan accepted: 2 calls"), "{told}");
    let reads: Vec<bool> = (0..3).map(|_| agent.call("list_mail", json!({})) == "done").collect();
    assert_eq!(reads, [true, true, false]);
    for (text, passes) in [("perhaps", false), ("no thanks", true)] {
        let call = json!({ "to": "bo.larsen@example.com", "text": text });
        assert_eq!(agent.call("send_mail", call) == "done", passes, "{text}");
    }
}

#[test]
fn what_has_no_meaning_in_a_plan_is_refused_at_its_place() {
    let sandbox = Sandbox::with_workspace();
    let mut agent = agent(&sandbox);
    for (tasks, told) in [
        (
            "- a: { for: { in: '${ .x }' }, do: [ { b: { call: tools.list_mail } } ] }",
            "line 3, column 3: nobody knows how often",
        ),
        ("- a: { call: tools.list_mail }\n- b: { call: tools.list_mail, then: a }", "it leads back"),
        ("- a: { call: http, with: { method: get, endpoint: 'https://x.example/' } }", "an agent calls tools"),
        ("- a: { call: redact, with: { entry: e, value: 1 } }", "`redact` changes labels"),
        ("- a: { call: tools.nothing }", "there is no tool `tools.nothing`"),
        ("- a: { call: other.list_mail }", "there is no tool `other.list_mail`"),
        ("- a: { call: list_mail }", "no action `connector.action`"),
        ("- a: { call: tools.send_mail, with: { to: x, bcc: eve } }", "`bcc` of call 1"),
        (
            "- a: { call: tools.send_mail, with: { to: x }, metadata: { holes: { to: { one_of: [x] } } } }",
            "`to` is written out",
        ),
        ("- a: { call: tools.send_mail, with: { to: { hole: x } } }", "`to` has a field `hole`"),
        ("- a: { set: { x: 1 } }", "it calls nothing"),
        (
            "- a: { metadata: { times: 2000 }, for: { in: '${ .x }' }, do: [ { b: { call: tools.list_mail } } ] }",
            "2000 times",
        ),
        ("- a: { for: { in: '${ [range(300)] }' }, do: [ { b: { call: tools.list_mail } } ] }", "at most 200 calls"),
        ("- a: [", "the workflow: line"),
    ] {
        let answer = lays_down(&mut agent, tasks);
        assert!(answer.starts_with("plan refused: SL922") && answer.contains(told), "{tasks}: {answer}");
    }
    let both = json!({ "workflow": document("- a: { call: tools.list_mail }"), "calls": [{ "tool": "list_mail" }] });
    assert!(agent.call("sluice_plan", both).contains("either"));
    // None of these stands.
    assert!(lays_down(&mut agent, "- a: { call: tools.list_mail }").starts_with("plan accepted"));
}
