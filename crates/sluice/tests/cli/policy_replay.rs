//! `sluice policy replay`: other rules are asked about what was decided, before anybody signs them.

use crate::sandbox::Sandbox;

const QUIET: &str = "@id(\"quiet\")\n@why(\"nothing is written here any more\")\nforbid (principal, action == \
                     Action::\"write\", resource);\n";

#[test]
fn decisions_that_other_rules_would_have_taken_otherwise_are_listed() {
    let sandbox = Sandbox::with_workspace();
    sandbox.write("ws/input.json", r#"{"name": "Ada"}"#);
    for _ in 0..2 {
        sandbox.sluice(&["run", "workflows/hello.yaml", "--input", "input.json", "--author", "ana"]).with(0);
    }
    let same = sandbox.sluice(&["policy", "replay", "--format", "json"]).with(0).json();
    assert_eq!((&same["asked"], &same["changed"], &same["changes"]), (&2.into(), &0.into(), &serde_json::json!([])));

    // Rules that nobody has signed yet, where they lie.
    sandbox.write("ws/policies/quiet.cedar", QUIET);
    let shown = sandbox.sluice(&["policy", "replay"]).with(1).out;
    assert!(shown.contains("2 greetings") && shown.contains("permit would be forbid"), "{shown}");
    assert!(shown.contains("nothing is written here any more"), "{shown}");
    let told = sandbox.sluice(&["policy", "replay", "--since", "1h", "--format", "json"]).with(1).json();
    assert_eq!((&told["asked"], &told["changed"]), (&2.into(), &2.into()));
    let change = &told["changes"][0];
    assert_eq!((&change["was"], &change["would_be"]), (&"permit".into(), &"forbid".into()));
    assert!(change["run"].is_string() && change["index"].is_u64(), "{change}");

    // The rules of another folder; what they are is not mixed with those here.
    let other = Sandbox::with_workspace();
    let folder = other.path("ws").display().to_string();
    let elsewhere = sandbox.sluice(&["policy", "replay", "--bundle", &folder, "--format", "json"]).with(0).json();
    assert_eq!(elsewhere["changed"], 0);
}

#[test]
fn what_cannot_be_asked_is_said() {
    let sandbox = Sandbox::with_workspace();
    let nothing = sandbox.sluice(&["policy", "replay"]).with(0).out;
    assert!(nothing.contains("0 decisions"), "{nothing}");
    for (arguments, said) in
        [(["--since", "soon"], "write a number of days, hours or minutes"), (["--bundle", "nowhere"], "nowhere")]
    {
        let refused = sandbox.sluice(&["policy", "replay", arguments[0], arguments[1]]).with(2);
        assert!(refused.err.contains(said), "{}", refused.err);
    }
    sandbox.write("ws/policies/bad.cedar", "forbid (principal,");
    sandbox.sluice(&["policy", "replay"]).with(2);
}
