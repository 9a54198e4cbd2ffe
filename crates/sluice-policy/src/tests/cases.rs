//! Tests of policies as data: what they ask, what they expect, what is wrong with them.

use sluice_core::text::Text;

use super::*;
use crate::DEFAULT_TESTS;
use crate::cases::{CODES, Suite, untested};

fn suite(text: &str) -> Suite {
    Suite::read(&Text::new("t.yaml", text), &default_bundle()).expect("tests that can be read")
}

/// Every flaw: code, place, message.
fn flaws(text: &str) -> String {
    let flaws = Suite::read(&Text::new("t.yaml", text), &default_bundle()).expect_err("a flaw");
    let line =
        |d: &sluice_core::diagnostic::Diagnostic| format!("{} {}:{} {}", d.code, d.span.line, d.span.column, d.message);
    flaws.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What is missed by one case: its question, and what it expects.
fn misses(ask: &str, expect: &str) -> String {
    let text = format!("version: 1\ncases:\n- case: one\n  ask: {ask}\n  {expect}\n");
    suite(&text).cases[0].judge(&default_bundle()).misses.join("; ")
}

#[test]
fn the_default_policies_pass_their_tests_and_each_of_them_decides_one() {
    let bundle = default_bundle();
    let cases = suite(DEFAULT_TESTS.1).cases;
    let judged: Vec<_> = cases.iter().map(|case| (case, case.judge(&bundle))).collect();
    for (case, judged) in &judged {
        assert!(judged.misses.is_empty(), "{}: {:?}\n{}", case.name, judged.misses, told(&judged.answer));
    }
    assert_eq!(untested(&bundle, judged.iter().map(|(_, judged)| &judged.answer)), []);
}

#[test]
fn a_policy_that_decides_no_case_is_named() {
    let answers = suite("version: 1\ncases: [{ case: a, ask: { action: read }, expect: permit }]").cases[0]
        .judge(&default_bundle())
        .answer;
    let untested = untested(&default_bundle(), [&answers]);
    assert_eq!(untested.len(), default_bundle().policies().count() - 1);
    assert!(!untested.iter().any(|id| &*id.0 == "analysed-workflows-may-read"));
}

#[test]
fn an_answer_that_is_another_one_is_told() {
    let phi = "{ action: export, to: sheets, purpose: p, carries: { payload: { categories: { phi: lead } } } }";
    for (ask, expect, told) in [
        ("{ action: read }", "expect: permit", ""),
        (
            "{ action: read }",
            "expect: permit\n  by: [agents-may-read]",
            "`agents-may-read` is not among those that decide it",
        ),
        (phi, "expect: permit", "expected `permit`, and it is `hold`"),
        (phi, "expect: hold\n  needs: [owner-of:payload/1]", ""),
        (
            phi,
            "expect: hold\n  needs: [manager-of:requester/1]",
            "it does not need `manager-of:requester/1`; it also needs `owner-of:payload/1`",
        ),
        ("{ action: read, standing: proposed }", "expect: forbid\n  by: []", ""),
        (
            "{ action: notify, to: x, carries: { payload: { unknown: true } } }",
            "expect: forbid\n  by: []",
            "expected that no permit covers it, and a policy forbids it",
        ),
    ] {
        assert_eq!(misses(ask, expect), told, "{ask} {expect}");
    }
}

#[test]
fn more_people_than_a_policy_asks_for_are_enough() {
    let ask = |approvals: &str| {
        format!(
            "{{ action: notify, to: x, carries: {{ payload: {{ categories: [phi] }} }}, approvals: [{approvals}] }}"
        )
    };
    assert_eq!(misses(&ask("owner-of:payload/3"), "expect: permit"), "");
    assert_eq!(misses(&ask("owner-of:arguments/1"), "expect: permit"), "expected `permit`, and it is `hold`");
}

#[test]
fn a_question_is_what_its_words_say() {
    let text = "version: 1
common: { person: ana, groups: [support], dataset: notes }
cases:
- case: all of it
  ask:
    service: nightly
    author: { model: m }
    models: [m]
    action: export
    call: bank.transfers.send
    privileged: true
    to: { id: bank, owner: finance, region: eu, cleared: [pii], registered: false }
    reference: [privileged-group]
    purpose: billing
    region: us
    standing: planned
    solo: true
    amount: 12
    calls: { this_run: 1, this_hour: 2 }
    first_seen: true
    now_ms: 5
    carries:
      payload: { categories: { phi: lead }, origins: [mail], datasets: [d], purposes: { lead: [care] }, regions: [eu], unknown: true }
      control: { origins: [tickets] }
      write_excess: { categories: [pii] }
  expect: forbid
  by: []
- case: what is common
  ask: { action: write }
  expect: permit
";
    let [all, common] = &suite(text).cases[..] else { panic!("two") };
    insta::assert_snapshot!(String::from_utf8_lossy(&all.ask.to_bytes()), @r#"{"version":1,"request":{"principal":{"kind":"service","id":"nightly","groups":["support"]},"author":{"model":{"id":"m"}},"acting_models":["m"],"connector":"bank","action":"transfers.send","effect":"export","privileged":true,"resource":{"destination":{"id":"bank","owner":"finance","region":"eu","cleared":["pii"],"registered":false}},"reference":["privileged-group"],"roles":{"payload":{"categories":[{"class":"phi","owner":"lead"}],"origins":["mail"],"datasets":["d"],"purposes":[{"owner":"lead","allowed":["care"]}],"regions":[{"owner":"data-owner","allowed":["eu"]}],"unknown":true}},"control":{"categories":[],"origins":["tickets"],"datasets":[],"purposes":[],"regions":[],"unknown":false},"write_excess":{"categories":[{"class":"pii","owner":"data-owner"}],"origins":[],"datasets":[],"purposes":[],"regions":[],"unknown":false},"purpose":"billing","region":"us","standing":"planned","satisfied":[],"cleared":[],"facts":{"calls_this_run":1,"calls_this_hour":2,"first_seen":true,"amount":12},"now_ms":5,"solo":true}}"#);
    assert_eq!((&*common.ask.principal.id, &**common.ask.resource.id()), ("ana", "notes"));
    assert_eq!(common.ask.principal.groups, names(&["support"]));
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_its_place_and_the_right_word() {
    insta::assert_snapshot!(flaws("version: 1
cases:
- case: a
  ask: { action: exprot, dataste: x }
  expect: permit
- case: a
  ask: { person: a, service: b, action: export, amount: 1.5, author: {} }
  expect: hold
- case: b
  ask: { action: read, approvals: [manager-of:requestor/1, redact], call: crm }
  expect: forbid
- case: c
  ask: {}
  expect: forbid
  by: [untrusted-qery, agents-may-read]
  needs: [endorse, owner-of:payload/0]
- case: d
  ask: { action: read, carries: { paylod: {}, control: { origin: [x] } } }
  expect: maybe
"), @"
    SL119 4:18 `action` is `exprot`; allowed are `read`, `write`, `export`, `grant`, `execute`, `notify`
    SL117 4:26 unknown key `dataste` in a question; did you mean `dataset`?
    SL313 7:21 there can be `person` or `service`, not both
    SL313 7:70 an author is a `person` or a `model`; leave it out where nobody knows
    SL119 7:57 `amount` is a whole number of at most 1000000000000000 either way
    SL313 7:8 the `export` does not say where it goes: `to: DESTINATION`
    SL313 8:11 say what would lift it: `needs: [owner-of:payload/1]`, or `[redact]` or `[endorse]`
    SL119 10:75 `crm` is no call: write `connector.action`
    SL312 10:36 `manager-of:requestor/1` is nothing that people can be asked for; did you mean `manager-of:requester/1`?
    SL312 10:60 `redact` is nothing that people can be asked for
    SL313 11:11 say which policy forbids it: `by: [ID]`, or `by: []` if no permit covers it
    SL313 13:8 the question does not say its `action`: read, write, export, …
    SL311 15:8 no policy is called `untrusted-qery`; did you mean `untrusted-query`?
    SL311 15:24 `agents-may-read` permits: it never determines a `forbid`
    SL312 16:20 `owner-of:payload/0` is nothing that people can be asked for; did you mean `owner-of:payload/1`?
    SL313 16:3 nothing lifts a `forbid`, so it needs nothing; only a hold does
    SL117 18:58 unknown key `origin` in what a part carries; did you mean `origins`?
    SL117 18:35 unknown key `paylod` in `carries`; did you mean `payload`?
    SL119 19:11 `expect` is `maybe`; allowed are `permit`, `hold`, `forbid`
    ");
    insta::assert_snapshot!(flaws("version: 2\ncases: []"), @"SL119 1:10 this release reads `version: 1`");
    insta::assert_snapshot!(flaws("cases: {}"), @"SL116 1:1 a file of tests has no `version`");
    let twice = "version: 1\ncases:\n".to_owned() + &"- { case: a, ask: { action: read }, expect: permit }\n".repeat(2);
    insta::assert_snapshot!(flaws(&twice), @"SL313 4:3 another case is called `a`");
    let many = "version: 1\ncases:\n".to_owned() + &"- {}\n".repeat(1_001);
    insta::assert_snapshot!(flaws(&many), @"SL313 1003:3 a file has at most 1000 cases");
}

#[test]
fn the_codes_of_tests_follow_those_of_policies() {
    assert_eq!(CODES.map(|info| info.code), [311, 312, 313]);
    let page = include_str!("../../../../docs/policy.md");
    for info in CODES {
        assert!(page.contains(&format!("SL{}", info.code)), "docs/policy.md does not have SL{}", info.code);
    }
}
