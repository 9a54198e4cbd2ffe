//! `sluice policy test`: what policies say is shown by questions that are signed with them.

use insta::assert_snapshot;
use sluice_policy::{DEFAULT_TESTS, PACKS};

use crate::sandbox::Sandbox;

#[test]
fn a_new_workspace_has_tests_that_all_pass_and_are_signed() {
    let sandbox = Sandbox::with_workspace();
    assert_snapshot!(sandbox.sluice(&["policy", "test"]).with(0).out, @"
    policies/tests/default.yaml  what the default policies say
      29 pass

    29 tests of 25 policies: all pass
    ");
    let told = sandbox.sluice(&["policy", "test", "--format", "json"]).with(0).json();
    assert_eq!((&told["failed"], &told["untested"]), (&0.into(), &serde_json::json!([])));
    assert_eq!(told["cases"][0]["said"]["by"], serde_json::json!(["analysed-workflows-may-read"]));
    sandbox.edit("ws/policies/tests/default.yaml", |text| text.replace("reads\n", "reads on\n"));
    let unsigned = sandbox.sluice(&["policy", "check"]).with(1).out;
    assert!(unsigned.contains("not in force"), "{unsigned}");
}

#[test]
fn a_change_that_breaks_a_promise_is_told_by_the_test_that_made_it() {
    let sandbox = Sandbox::with_workspace();
    sandbox.edit("ws/policies/leaving.cedar", |text| {
        text.replace("!context.roles.payload.uncleared.isEmpty()", "context.roles.payload.uncleared.contains(\"pii\")")
    });
    sandbox.write(
        "ws/policies/more.cedar",
        "@id(\"nobody-at-night\")\n@why(\"later\")\nforbid (principal, action, resource)\nwhen { context.now_ms < 5 };\n",
    );
    assert_snapshot!(sandbox.sluice(&["policy", "test"]).with(1).out, @"
    policies/tests/default.yaml  what the default policies say
      fails data that the destination is not cleared for waits for its owner (line
            43)
            expected `hold`, and it is `permit`
            said permit by `analysed-workflows-may-act`
              acting is allowed to every workflow that was analysed, within the
              rules below
      28 pass

    29 tests of 26 policies: 1 fails
    note: no test makes `destination-not-cleared`, `nobody-at-night` decide
    ");
    let told = sandbox.sluice(&["policy", "test", "--format", "json"]).with(1).json();
    assert_eq!(
        (&told["failed"], &told["untested"]),
        (&1.into(), &serde_json::json!(["destination-not-cleared", "nobody-at-night"]))
    );
}

#[test]
fn tests_that_cannot_be_asked_are_no_success() {
    let sandbox = Sandbox::with_workspace();
    let bad = sandbox.write(
        "ws/mine/bad.yaml",
        "version: 1\ncases:\n- case: a\n  ask: { action: read }\n  expect: forbid\n  by: [untrusted-qery]\n",
    );
    let refused = sandbox.sluice(&["policy", "test", &bad]).with(2).err;
    assert!(refused.contains("SL311") && refused.contains("bad.yaml:6:8"), "{refused}");
    assert!(refused.replace('\n', " ").contains("did you mean `untrusted-query`?"), "{refused}");
    sandbox.write("ws/empty/none.yaml", "version: 1\ncases: []\n");
    for (path, said) in [("empty", "there are no tests in `empty`"), ("nowhere", "`nowhere` is missing")] {
        let refused = sandbox.sluice(&["policy", "test", path]).with(2).err;
        assert!(refused.contains(said), "{refused}");
    }
    let explained = sandbox.sluice(&["explain", "SL312"]).with(0).out;
    assert!(explained.contains("owner-of:payload/1"), "{explained}");
}

#[test]
fn the_schema_takes_every_test_that_comes_with_the_program_and_refuses_slips() {
    let text = include_str!("../../../../docs/schemas/policy-test.json");
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    compiler.add_resource("https://schemas.example/policy-test.json", serde_json::from_str(text).unwrap()).unwrap();
    let index = compiler.compile("https://schemas.example/policy-test.json", &mut schemas).unwrap();
    let fits = |text: &str| {
        let (_, node) = sluice_core::document::read_bytes("t.yaml", text.as_bytes()).unwrap();
        schemas.validate(&node.to_json(), index).map_err(|error| format!("{error:#}"))
    };
    for (name, text) in PACKS.map(|pack| (pack.name, pack.tests)).into_iter().chain([DEFAULT_TESTS]) {
        assert_eq!(fits(text), Ok(()), "{name}");
    }
    let case = |ask: &str, rest: &str| format!("version: 1\ncases:\n- {{ case: a, ask: {ask}, {rest} }}\n");
    assert_eq!(fits(&case("{ action: read }", "expect: permit")), Ok(()));
    for (ask, rest) in [
        ("{ action: raed }", "expect: permit"),
        ("{ action: read, carries: { paylod: {} } }", "expect: permit"),
        ("{ action: read, approvals: [owner-of:paylod/1] }", "expect: permit"),
        ("{ action: read }", "expect: hold"),
        ("{ action: read }", "expect: forbid"),
        ("{ action: read }", "expect: permit, needs: [endorse]"),
        ("{ action: read }", "expect: permit, why: x"),
    ] {
        assert!(fits(&case(ask, rest)).is_err(), "{ask} {rest}");
    }
}
