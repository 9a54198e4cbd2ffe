//! `sluice approvals delegate`: somebody speaks in another's place, as one voice with them, until a date.

use insta::assert_snapshot;

use crate::sandbox::{Ended, Sandbox};

fn held(sandbox: &Sandbox) -> (String, String) {
    let held = sandbox.sluice(&["run", "workflows/hello.yaml", "--as", "ben", "--format", "json"]).with(4).json();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    (text(&held["run"]), text(&held["held"][0]["approval"]))
}

fn delegate(sandbox: &Sandbox, by: &str, to: &str, until: &str) -> Ended {
    let key = sandbox.key_of(by);
    sandbox.sluice(&["approvals", "delegate", "--as", by, "--key", &key, "--to", to, "--until", until])
}

fn approve(sandbox: &Sandbox, person: &str, id: &str) -> Ended {
    sandbox.sluice(&["approvals", "approve", id, "--as", person, "--key", &sandbox.key_of(person)])
}

#[track_caller]
fn refused(ended: Ended, exit: i32, code: &str) {
    let ended = ended.with(exit);
    assert!(ended.err.contains(code), "{code}: {}", ended.err);
}

fn in_force(sandbox: &Sandbox) -> Vec<String> {
    let listed = sandbox.sluice(&["approvals", "delegations", "--format", "json"]).with(0).json();
    listed.as_array().unwrap().iter().map(|one| one["delegation"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_delegate_is_heard_in_the_place_of_whoever_delegated() {
    let sandbox = Sandbox::with_five_people();
    let (run, id) = held(&sandbox);
    refused(approve(&sandbox, "dora", &id), 5, "SL441");
    delegate(&sandbox, "ana", "dora", "14d").with(0);
    approve(&sandbox, "dora", &id).with(0);
    let shown = sandbox.sluice(&["approvals", "show", &id]).with(0).out;
    assert!(shown.contains("dora for ana: approved"), "{shown}");
    sandbox.sluice(&["resume", &run]).with(0);
    let listed = sandbox.sluice(&["approvals", "delegations"]).with(0).out;
    assert!(listed.contains("dora for ana") && listed.contains("all that they are asked"), "{listed}");
    assert_eq!(sandbox.sluice(&["audit", "verify", "--format", "json"]).with(0).json()["agrees"], true);
}

#[test]
fn it_ends_when_it_is_taken_back_or_its_giver_leaves() {
    let sandbox = Sandbox::with_five_people();
    let (run, id) = held(&sandbox);
    delegate(&sandbox, "ana", "dora", "14d").with(0);
    approve(&sandbox, "dora", &id).with(0);
    let given = in_force(&sandbox).remove(0);
    let back = |person: &str| {
        let key = sandbox.key_of(person);
        sandbox.sluice(&["approvals", "undelegate", &given, "--as", person, "--key", &key])
    };
    refused(back("dora"), 2, "SL452");
    back("ana").with(0);
    refused(back("ana"), 2, "SL452");
    assert!(in_force(&sandbox).is_empty());
    // What was said in her place counts no more, and nobody says anything else there.
    sandbox.sluice(&["resume", &run]).with(4);
    refused(approve(&sandbox, "dora", &id), 5, "SL441");

    delegate(&sandbox, "ana", "dora", "14d").with(0);
    let register = "ws/registers/principals.yaml";
    sandbox.edit(register, |text| text.replace("members: [ana, cleo]", "members: [cleo]"));
    refused(approve(&sandbox, "dora", &id), 5, "SL441");
    sandbox.sluice(&["resume", &run]).with(4);
}

#[test]
fn who_asked_gets_no_voice_by_it_nor_a_model_nor_a_third() {
    let sandbox = Sandbox::with_five_people();
    let (_, id) = held(&sandbox);
    delegate(&sandbox, "ana", "ben", "1d").with(0);
    refused(approve(&sandbox, "ben", &id), 5, "SL403");
    delegate(&sandbox, "cleo", "dora", "1d").with(0);
    delegate(&sandbox, "dora", "eve", "1d").with(0);
    refused(approve(&sandbox, "eve", &id), 5, "SL441");
    // Ben asked, and owns nothing: what he gives is nothing.
    delegate(&sandbox, "ben", "eve", "1d").with(0);
    refused(approve(&sandbox, "eve", &id), 5, "SL403");
    refused(delegate(&sandbox, "ana", "gpt", "1d"), 5, "SL404");
    refused(delegate(&sandbox, "ana", "ana", "1d"), 5, "SL451");
    refused(delegate(&sandbox, "ana", "dora", "93d"), 5, "SL451");
    refused(delegate(&sandbox, "ana", "dora", "2001-01-01"), 5, "SL451");
    refused(delegate(&sandbox, "ana", "dora", "soon"), 2, "2027-01-31");
}

#[test]
fn a_delegate_is_no_second_voice_in_a_quorum() {
    let sandbox = Sandbox::with_five_people();
    sandbox.edit("ws/workspace.yaml", |text| text + "definitions: { approvers: owners, quorum: 2 }\n");
    sandbox.sign("ana").with(0);
    let propose = ["propose", "workflows/hello.yaml", "--as", "ben", "--author", "ben", "--format", "json"];
    let id = sandbox.sluice(&propose).with(0).json()["proposal"].as_str().unwrap().to_owned();
    delegate(&sandbox, "ana", "dora", "1d").with(0);
    delegate(&sandbox, "cleo", "dora", "1d").with(0);
    approve(&sandbox, "ana", &id).with(0);
    assert_snapshot!(sandbox.redacted(&approve(&sandbox, "dora", &id).with(0).out), @r"
    approved  P-HEX  the definition `workflows/hello.yaml`
      more people must agree: `sluice approvals show` lists who
    ");
    let run = ["run", "workflows/hello.yaml", "--as", "ben", "--author", "ben"];
    sandbox.sluice(&run).with(4);
    approve(&sandbox, "cleo", &id).with(0);
    sandbox.sluice(&run).with(0);
}
