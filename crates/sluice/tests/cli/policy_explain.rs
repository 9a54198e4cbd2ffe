//! `sluice policy explain`: policies in words, and why a question is answered as it is.

use insta::assert_snapshot;

use crate::sandbox::Sandbox;

#[test]
fn policies_are_told_in_words_with_whoever_must_agree() {
    let sandbox = Sandbox::with_workspace();
    let all = sandbox.sluice(&["policy", "explain"]).with(0).out;
    assert!(all.contains("policies/leaving.cedar") && !all.contains(['{', '}']), "{all}");
    assert_snapshot!(sandbox.sluice(&["policy", "explain", "destination-not-cleared"]).with(0).out, @r#"
    policies/leaving.cedar
      destination-not-cleared forbids export and notify
        the destination or dataset is not cleared for the kinds of data at issue in
        the payload
        lifted by the agreement of every owner of what is at issue in the payload

        @id("destination-not-cleared")
        @why("`{resource}` is not cleared for {payload.uncleared}")
        @remedy("approval")
        @approvers("owner-of:payload")
        @quorum("1")
        forbid (principal, action in [Action::"export", Action::"notify"], resource)
        when { !context.roles.payload.uncleared.isEmpty() }
        unless { context.satisfied.contains("owner-of:payload/1") };
    "#);
    let told = sandbox.sluice(&["policy", "explain", "--format", "json"]).with(0).json();
    assert_eq!(told["policies"].as_array().unwrap().len(), 25);
    let unknown = sandbox.sluice(&["policy", "explain", "destination-not-clear"]).with(2).err;
    assert!(unknown.replace('\n', " ").contains("do you mean `destination-not-cleared`?"), "{unknown}");
    sandbox.write(
        "ws/policies/mine.cedar",
        "@id(\"mine\") @why(\"x\") @remedy(\"approval\") @approvers(\"group:owners\") @quorum(\"2\")\nforbid (principal, action, \
         resource) when { context.solo } unless { context.satisfied.contains(\"group:owners/2\") };\n",
    );
    let mine = sandbox.sluice(&["policy", "explain", "mine"]).with(0).out;
    assert!(mine.contains("the agreement of 2 different members of `owners` (now ana)"), "{mine}");
}

#[test]
fn a_question_is_answered_with_what_decides_it_and_what_nearly_did() {
    let sandbox = Sandbox::with_workspace();
    let ask = |arguments: &[&str], code| {
        let all = [&["policy", "explain"], arguments].concat();
        sandbox.sluice(&all).with(code)
    };
    let export = ["--action", "export", "--principal", "ana", "--to", "nowhere", "--purpose", "operations"];
    assert_snapshot!(ask(&export, 0).out, @r#"
    forbid  export on `nowhere` in the name of `ana`
      unregistered-destination: data leaves only to a destination that the register
      knows, and `nowhere` is not in it
      beside it `analysed-workflows-may-act`: what they say counts for nothing here,
                since a forbid wins

    what did not decide it, the nearest first
      forbid  uncleared-data-decides-what-leaves
              not so: !context.control.uncleared.isEmpty()
      forbid  untrusted-command
              not so: !context.roles.command.outside.isEmpty()
      forbid  destination-not-cleared
              not so: !context.roles.payload.uncleared.isEmpty()
      forbid  untrusted-query
              not so: !context.roles.query.outside.isEmpty()
      forbid  untrusted-origin-chooses-receiver
              not so: !context.roles.recipient.outside.isEmpty() ||
                      !context.roles.destination.outside.isEmpty()
      forbid  uncleared-data-beside-the-payload
              not so: !context.roles.recipient.uncleared.isEmpty() ||
                      !context.roles.destination.uncleared.isEmpty() ||
                      !context.roles.query.uncleared.isEmpty() ||
                      !context.roles.command.uncleared.isEmpty() ||
                      !context.roles.amount.uncleared.isEmpty() ||
                      !context.roles.reference.uncleared.isEmpty()
      forbid  unclassified-data-leaves
              not so: context.arguments.unknown || context.control.unknown
      forbid  export-without-purpose
              not so: context.purpose == ""
      and 9 more: --format json has them all

    6 policies are about other actions
    "#);
    let default_deny = ask(&["--action", "read", "--standing", "proposed", "--format", "json"], 0).json();
    assert_eq!((&default_deny["decision"], &default_deny["by"]), (&"forbid".into(), &serde_json::json!([])));
    let near = default_deny["policies"].as_array().unwrap();
    let read = near.iter().find(|policy| policy["policy"] == "analysed-workflows-may-read").unwrap();
    assert_eq!(
        (&read["stands"], &read["first_false"]),
        (&"misses".into(), &"context.standing == \"verified\" || context.standing == \"approved\"".into())
    );
    // A contract knows effect, dataset and owner.
    let call = ["--call", "greetings.append", "--origin", "payload=tickets", "--format", "json"];
    let told = ask(&call, 0).json();
    assert_eq!((&told["asked"]["effect"], &told["decision"]), (&"write".into(), &"permit".into()));
    let excess = ["--call", "greetings.append", "--origin", "write_excess=tickets", "--format", "json"];
    assert_eq!(ask(&excess, 0).json()["needs"], serde_json::json!(["owner-of:resource/1"]));
    let agreed = [&excess[..], &["--approval", "owner-of:resource/2"]].concat();
    assert_eq!(ask(&agreed, 0).json()["decision"], "permit");
    // The question of a test.
    let tested = ask(&["--test", "an export states its purpose", "--format", "json"], 0).json();
    assert_eq!(tested["by"], serde_json::json!(["export-without-purpose"]));
}

#[test]
fn a_question_about_what_is_not_there_is_told_the_right_word() {
    let sandbox = Sandbox::with_workspace();
    for (arguments, said) in [
        (&["--action", "exprot"][..], "`exprot` is no action; do you mean `export`?"),
        (&["--action", "export"], "say where it goes: --to DESTINATION"),
        (
            &["--action", "read", "--principal", "anna"],
            "`anna` is not in `registers/principals.yaml`; do you mean `ana`?",
        ),
        (&["--action", "read", "--purpose", "operation"], "do you mean `operations`?"),
        (&["--action", "read", "--standing", "approve"], "do you mean `approved`?"),
        (&["--action", "read", "--carries", "paylod=pii"], "`paylod` is no part of a call; do you mean `payload`?"),
        (&["--action", "read", "--carries", "payload"], "as `payload=phi`"),
        (&["--action", "read", "--carries", "payload=internl"], "do you mean `internal`?"),
        (&["--call", "greetings.apend"], "do you mean `greetings.append`?"),
        (
            &["--action", "read", "--approval", "owner-of:paylod/1"],
            "`owner-of:paylod/1` is nothing that people can agree to",
        ),
        (&["--test", "no such"], "no test is called `no such`"),
        (&["--action", "read", "--amount", "9000000000000000"], "beyond what a gate compares"),
    ] {
        let ended = sandbox.sluice(&[&["policy", "explain"], arguments].concat()).with(2);
        let words = ended.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(said), "{arguments:?}: {words}");
    }
}
