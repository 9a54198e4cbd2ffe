//! `sluice approvals` and `propose`: asked, signed, counted.

use insta::assert_snapshot;

use crate::sandbox::Sandbox;

/// A run of ben's that waits for an owner, and the approval it waits for.
fn held(sandbox: &Sandbox) -> (String, String) {
    let held = sandbox.sluice(&["run", "workflows/hello.yaml", "--as", "ben", "--format", "json"]).with(4).json();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    (text(&held["run"]), text(&held["held"][0]["approval"]))
}

#[test]
fn an_approved_step_goes_on() {
    let sandbox = Sandbox::with_two_people();
    let (run, approval) = held(&sandbox);
    assert_snapshot!(sandbox.redacted(&sandbox.sluice(&["approvals", "list"]).with(0).out), @r"
    A-HEX  greetings.append in run HEX
        asked by  ben
        why       whoever reads the dataset later would not see that author wrote to
                  it; needs approval by the data owner `owners`
        needs     `owners`
    ");
    assert_snapshot!(sandbox.redacted(&sandbox.sluice(&["approvals", "show", &approval]).with(0).out), @r#"
    A-HEX  greetings.append  in run HEX
      asked by  ben
      why       whoever reads the dataset later would not see that author wrote to
                it; needs approval by the data owner `owners`
      needs     `owners`
      signs     HEX
      state     waits

    what would be sent
      {
        "rows": [
          {
            "greeting": "Hello, world!"
          }
        ]
      }

    solo workspace: one person alone may change its rules
    "#);
    sandbox.sluice(&["resume", &run]).with(4);
    let approve =
        ["approvals", "approve", &approval, "--as", "ana", "--key", &sandbox.key(), "--reason", "it is a greeting"];
    sandbox.sluice(&approve).with(0);
    sandbox.sluice(&["resume", &run]).with(0);
    let verified = sandbox.sluice(&["audit", "verify", "--format", "json"]).with(0).json();
    assert_eq!(verified["agrees"], true);
}

#[test]
fn a_denied_step_is_refused() {
    let sandbox = Sandbox::with_two_people();
    let (run, approval) = held(&sandbox);
    sandbox.sluice(&["approvals", "deny", &approval, "--as", "ana", "--key", &sandbox.key()]).with(0);
    let ended = sandbox.sluice(&["resume", &run, "--format", "json"]).with(5).json();
    assert_eq!(ended["status"], "refused");
}

#[test]
fn signatures_that_would_not_count_are_not_recorded() {
    let sandbox = Sandbox::with_two_people();
    sandbox.edit("ws/registers/principals.yaml", |text| text.replace("members: [ana]", "members: [ana, ben]"));
    let own = sandbox.sluice(&["run", "workflows/hello.yaml", "--as", "ana", "--format", "json"]).with(4).json();
    let approval = own["held"][0]["approval"].as_str().unwrap();
    let refused = sandbox.sluice(&["approvals", "approve", approval, "--as", "ana", "--key", &sandbox.key()]).with(5);
    assert!(refused.err.contains("SL4"), "{}", refused.err);
    let other = sandbox.sluice(&["approvals", "approve", approval, "--as", "ben", "--key", &sandbox.key()]).with(2);
    assert!(other.err.contains("is the key of `ana`, not of `ben`"), "{}", other.err);
    let unknown = sandbox.sluice(&["approvals", "show", "A-0000000000"]).with(2);
    assert!(unknown.err.contains("SL4"), "{}", unknown.err);
}

#[test]
fn a_proposal_is_recorded_once_with_its_author_and_one_that_is_refused_is_not() {
    let sandbox = Sandbox::with_two_people();
    let propose = ["propose", "workflows/hello.yaml", "--as", "ben", "--format", "json"];
    let first = sandbox.sluice(&propose).with(0).json();
    assert_eq!(first["proposal"], sandbox.sluice(&propose).with(0).json()["proposal"]);
    let fetch = sandbox
        .workflow("fetch.yaml", "  - fetch: { call: http, with: { method: get, endpoint: https://x.example/n } }\n");
    sandbox.sluice(&["propose", &fetch, "--as", "ben"]).with(5);
    let model = sandbox.sluice(&["propose", "workflows/hello.yaml", "--as", "ben", "--model", "gpt"]).with(2);
    assert!(model.err.contains("`gpt` is no model"), "{}", model.err);
}
