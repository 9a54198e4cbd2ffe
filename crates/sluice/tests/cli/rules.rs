//! The rules of a workspace count with the word of two people, or of one who says so everywhere.

use insta::assert_snapshot;
use serde_json::Value as Json;

use crate::sandbox::Sandbox;

/// Rules that changed since everybody signed them: one more comment in a policy.
fn changed(sandbox: &Sandbox) {
    sandbox.edit("ws/policies/permits.cedar", |text| format!("{text}\n// reviewed\n"));
}

/// What is read from rules says this, and nothing is done under them.
#[track_caller]
fn not_in_force(sandbox: &Sandbox, code: &str) {
    for arguments in [
        ["check", "workflows"].as_slice(),
        &["run", "workflows/hello.yaml", "--as", "ana"],
        &["propose", "workflows/hello.yaml", "--as", "ana"],
        &["approvals", "list"],
    ] {
        let ended = sandbox.sluice(arguments).with(2);
        assert!(ended.err.starts_with(&format!("error[{code}]")), "{arguments:?}: {}", ended.err);
    }
    let checked = sandbox.sluice(&["policy", "check", "--format", "json"]).with(1).json();
    assert_eq!(checked["signed"], false);
}

fn entries(sandbox: &Sandbox, kind: &str) -> Vec<Json> {
    let log = sandbox.sluice(&["audit", "log", "--last", "100", "--format", "json"]).with(0).json();
    let entries = log["entries"].as_array().cloned().unwrap_or_default();
    entries.into_iter().filter(|entry| entry["kind"] == kind).collect()
}

#[test]
fn the_word_of_one_of_two_is_not_enough() {
    let sandbox = Sandbox::signed_by_two();
    let before = entries(&sandbox, "bundle-changed").len();
    changed(&sandbox);
    not_in_force(&sandbox, "SL420");
    assert_snapshot!(sandbox.redacted(&sandbox.sign("ana").with(0).out), @r"
    signed HEX
    not in force yet: 1 of 2 needed people signed the bundle
    missing: the word of `ben`
    ");
    not_in_force(&sandbox, "SL423");
    // Saying it twice makes no second person.
    sandbox.sign("ana").with(0);
    not_in_force(&sandbox, "SL423");
    assert_snapshot!(sandbox.redacted(&sandbox.sign("ben").with(0).out), @r"
    signed by `ana`; what it changes

    no difference that counts
    files: policies/permits.cedar (changed)

    signed HEX
    these rules are in force now
    ");
    sandbox.sluice(&["check", "workflows"]).with(0);
    let checked = sandbox.sluice(&["policy", "check"]).with(0);
    assert!(checked.out.contains("signed by ana and ben"), "{}", checked.out);
    assert_eq!(entries(&sandbox, "bundle-changed").len(), before + 1);
}

#[test]
fn a_key_that_is_not_pinned_does_not_sign() {
    let sandbox = Sandbox::signed_by_two();
    let signatures = || std::fs::read(sandbox.path("ws/bundle.signatures")).unwrap();
    let before = signatures();
    sandbox.sluice(&["init", "../third", "--as", "eve"]).with(0);
    assert_snapshot!(sandbox.sign("eve").with(2).err, @r"
    error[SL421]: the bundle of this workspace does not count: `eve` is no pinned
    signer of this workspace, or signed with another key. `sluice policy sign` signs
    what is there now
    ");
    assert_eq!(signatures(), before);

    // A key of her own under a pinned name.
    std::fs::remove_file(sandbox.key_of("ben")).unwrap();
    sandbox.sluice(&["init", "../fourth", "--as", "ben"]).with(0);
    changed(&sandbox);
    sandbox.sign("ana").with(0);
    let forged = sandbox.sign("ben");
    assert!(forged.out.contains("not in force yet"), "{forged:?}");
    not_in_force(&sandbox, "SL421");
}

#[test]
fn nobody_makes_a_workspace_solo_from_inside() {
    let sandbox = Sandbox::signed_by_two();
    sandbox.edit("ws/workspace.yaml", |text| text.replace("solo: false", "solo: true"));
    sandbox.sign("ana").with(0);
    sandbox.sign("ben").with(0);
    not_in_force(&sandbox, "SL424");
}

#[test]
fn a_solo_workspace_says_so_wherever_its_rules_count() {
    let sandbox = Sandbox::with_workspace();
    let says = |arguments: &[&str], code: i32| {
        let ended = sandbox.sluice(arguments).with(code);
        assert!(ended.out.contains("solo"), "{arguments:?}: {}", ended.out);
    };
    says(&["check", "workflows"], 0);
    says(&["policy", "check"], 0);
    says(&["propose", "workflows/hello.yaml", "--as", "ana", "--author", "ana"], 0);
    says(&["run", "workflows/hello.yaml", "--as", "ana", "--author", "ana"], 0);
    says(&["runs", "list"], 0);
    let decision = &entries(&sandbox, "decision")[0];
    assert_eq!(decision["payload"]["answer"]["receipt"]["solo"], true, "{decision}");

    let two = Sandbox::signed_by_two();
    let checked = two.sluice(&["check", "workflows"]).with(0);
    assert!(!checked.out.contains("solo"), "{}", checked.out);
}
