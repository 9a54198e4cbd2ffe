//! Two people change the rules, and only those who may change them say who may.

use insta::assert_snapshot;

use crate::sandbox::{Ended, Sandbox};

/// The line of a new person's public key, in a workspace of their own.
fn key_line(sandbox: &Sandbox, person: &str) -> String {
    sandbox.sluice(&["init", &format!("../of-{person}"), "--as", person]).with(0);
    let register = std::fs::read_to_string(sandbox.path(&format!("of-{person}/registers/principals.yaml"))).unwrap();
    register.split('"').find(|text| text.starts_with("sluice-public-key-1 ")).unwrap().to_owned()
}

fn signers(sandbox: &Sandbox, arguments: &[&str], person: &str) -> Ended {
    let key = sandbox.key_of(person);
    sandbox.sluice(&[&["policy", "signers"], arguments, &["--as", person, "--key", &key]].concat())
}

fn names(sandbox: &Sandbox) -> Vec<String> {
    let listed = sandbox.sluice(&["policy", "signers", "list", "--format", "json"]).with(0).json();
    listed["signers"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_second_signer_sees_what_changed_and_each_is_told_whose_word_is_missing() {
    let sandbox = Sandbox::signed_by_two();
    sandbox.edit("ws/connectors/greetings.yaml", |text| text.replace("per_hour: 1000", "per_hour: 2000"));
    let checked = sandbox.sluice(&["policy", "check"]).with(1).out;
    assert!(checked.contains("missing: the word of `ana` and `ben`"), "{checked}");
    assert_snapshot!(sandbox.redacted(&sandbox.sign("ana").with(0).out), @"
    signed HEX
    not in force yet: 1 of 2 needed people signed the bundle
    missing: the word of `ben`
    ");
    let told = sandbox.sluice(&["policy", "check", "--format", "json"]).with(1).json();
    let whose = (&told["signed_by"], &told["not_signed_by"], &told["missing"]);
    assert_eq!(whose, (&serde_json::json!(["ana"]), &serde_json::json!(["ben"]), &1.into()));
    assert_snapshot!(sandbox.redacted(&sandbox.sign("ben").with(0).out), @"
    signed by `ana`; what it changes

    contract greetings  changed
      allows more  `limits per_hour` of `append` was 1000, and is 2000

    1 difference, which allows more
    files: connectors/greetings.yaml (changed)

    signed HEX
    these rules are in force now
    ");
    assert_snapshot!(sandbox.sluice(&["policy", "signers", "list"]).with(0).out, @"
    ana  signed the rules on the disk
    ben  signed the rules on the disk

    2 of them sign the rules
    ");
}

#[test]
fn tests_that_fail_are_told_to_whoever_signs() {
    let sandbox = Sandbox::with_workspace();
    sandbox.edit("ws/policies/storing.cedar", |text| {
        text.replace("!context.write_excess.outside.isEmpty()", "context.write_excess.unknown")
    });
    let told = sandbox.sign("ana").with(0).out;
    assert!(told.contains("1 of 29 tests of these policies fail"), "{told}");
}

#[test]
fn nobody_signs_tests_that_cannot_be_read() {
    let sandbox = Sandbox::with_workspace();
    sandbox.write(
        "ws/policies/tests/mine.yaml",
        "version: 1\ncases: [{ case: a, ask: { action: raed }, expect: permit }]\n",
    );
    for ended in [sandbox.sign("ana"), sandbox.sluice(&["policy", "check"])] {
        assert!(ended.code == 2 && ended.err.contains("SL119"), "{ended:?}");
    }
}

#[test]
fn two_of_the_signers_say_who_comes_and_who_goes() {
    let sandbox = Sandbox::signed_by_two();
    let eve = key_line(&sandbox, "eve");
    let proposed = signers(&sandbox, &["propose", "--add", &eve, "--remove", "ben"], "ana").with(0).out;
    assert!(proposed.contains("not in force yet: it waits for the word of `ben`"), "{proposed}");
    assert_eq!(names(&sandbox), ["ana", "ben"]);
    assert_snapshot!(sandbox.redacted(&sandbox.sluice(&["policy", "signers", "list"]).with(0).out), @"
    ana  signed the rules on the disk
    ben  signed the rules on the disk

    2 of them sign the rules

    a change waits
      eve comes
        sluice-public-key-1 eve ed25519 HEX
      ben goes
      agreed to by `ana`
    ");
    // Neither again nor by one who would come.
    signers(&sandbox, &["sign"], "ana").with(0);
    assert!(signers(&sandbox, &["sign"], "eve").with(2).err.contains("SL421"));
    assert!(sandbox.sluice(&["policy", "signers", "apply"]).with(0).out.contains("not in force yet"));
    assert!(signers(&sandbox, &["propose", "--remove", "ben", "--solo", "true"], "ana").with(2).err.contains("SL438"));
    signers(&sandbox, &["sign"], "ben").with(0);
    assert_eq!(names(&sandbox), ["ana", "eve"]);
    // What ben signed counts no longer; what ana and eve sign does.
    assert!(sandbox.sluice(&["check", "workflows"]).with(2).err.contains("SL421"));
    let waits = sandbox.sign("ana").with(0).out;
    assert!(waits.contains("missing: the word of `eve`"), "{waits}");
    sandbox.sign("eve").with(0);
    sandbox.sluice(&["check", "workflows"]).with(0);
    assert!(sandbox.sign("ben").with(2).err.contains("SL421"));
    let log = sandbox.sluice(&["audit", "log", "--format", "json"]).with(0).json();
    let kinds: Vec<&str> = log["entries"].as_array().unwrap().iter().map(|e| e["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "signers-changed").count(), 2);
}

#[test]
fn a_change_counts_once_and_never_when_its_signers_come_back() {
    let sandbox = Sandbox::signed_by_two();
    let eve = key_line(&sandbox, "eve");
    let file = sandbox.path("ws/signers.change");
    let both = |arguments: &[&str]| {
        signers(&sandbox, arguments, "ana").with(0);
        signers(&sandbox, &["sign"], "ben").with(0);
    };
    both(&["propose", "--add", &eve]);
    let came = std::fs::read(&file).unwrap();
    both(&["propose", "--remove", "eve"]);
    assert_eq!(names(&sandbox), ["ana", "ben"]);
    std::fs::write(&file, came).unwrap();
    let replayed = sandbox.sluice(&["policy", "signers", "apply"]).with(2).err;
    assert!(replayed.contains("SL433"), "{replayed}");
    assert_eq!(names(&sandbox), ["ana", "ben"]);
}

#[test]
fn signers_that_somebody_wrote_into_the_file_are_told_for_what_they_are() {
    let sandbox = Sandbox::signed_by_two();
    let as_recorded =
        || sandbox.sluice(&["policy", "signers", "list", "--format", "json"]).with(0).json()["as_recorded"] == true;
    assert!(as_recorded());
    let file = sandbox.keys().join("signers");
    let before = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{before}{}\n", key_line(&sandbox, "eve"))).unwrap();
    assert!(!as_recorded());
    let shown = sandbox.sluice(&["policy", "signers", "list"]).with(0).out;
    assert!(shown.contains("not the signers that follow from the ledger"), "{shown}");
}

#[test]
fn a_solo_workspace_becomes_one_of_two_and_nobody_is_locked_out() {
    let sandbox = Sandbox::with_workspace();
    let ben = key_line(&sandbox, "ben");
    for (arguments, code) in [
        (&["propose", "--solo", "false"][..], "SL435"),
        (&["propose", "--remove", "ana"], "SL435"),
        (&["propose"], "SL434"),
        (&["propose", "--add", "key"], "SL430"),
        (&["propose", "--remove", "anna"], "do you mean `ana`?"),
        (&["sign"], "SL439"),
    ] {
        let refused = signers(&sandbox, arguments, "ana").with(2).err;
        assert!(refused.contains(code), "{arguments:?}: {refused}");
    }
    signers(&sandbox, &["propose", "--add", &ben, "--solo", "false"], "ana").with(0);
    assert!(sandbox.sluice(&["check", "workflows"]).with(2).err.contains("SL423"));
    sandbox.edit("ws/workspace.yaml", |text| text.replace("\nsolo: true", "\nsolo: false"));
    sandbox.sign("ana").with(0);
    sandbox.sign("ben").with(0);
    assert!(!sandbox.sluice(&["check", "workflows"]).with(0).out.contains("solo"));
    sandbox.write("ws/signers.change", "nonsense");
    assert!(sandbox.sluice(&["policy", "signers", "apply"]).with(2).err.contains("SL436"));
}

#[test]
fn a_slip_in_policies_about_the_console_is_told_before_anybody_signs_it() {
    let sandbox = Sandbox::with_workspace();
    let slip = r#"permit (principal, action == Action::"see-legder", resource);"#;
    sandbox.write("ws/policies/console/own.cedar", slip);
    let before = std::fs::read(sandbox.path("ws/bundle.signatures")).ok();
    for refused in [sandbox.sluice(&["policy", "check"]), sandbox.sign("ana")] {
        let refused = refused.with(2);
        assert!(refused.err.contains("SL302") && refused.err.contains("policies/console/own.cedar:1:1"), "{refused:?}");
    }
    assert_eq!(std::fs::read(sandbox.path("ws/bundle.signatures")).ok(), before);
}
