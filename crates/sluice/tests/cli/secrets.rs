//! `sluice secret`: a value goes in and is seen nowhere again.

use crate::sandbox::{Sandbox, holds};

const CANARY: &str = "canary-7f3a91c2-do-not-show";

#[test]
fn a_secret_is_in_no_file_output_or_payload() {
    let sandbox = Sandbox::with_workspace();
    let mut seen = String::new();
    let mut keep = |ended: crate::sandbox::Ended| {
        seen.push_str(&ended.out);
        seen.push_str(&ended.err);
        ended
    };
    keep(sandbox.sluice_with(&["secret", "set", "desk-token"], &format!("{CANARY}\n"))).with(0);
    assert_eq!(keep(sandbox.sluice(&["secret", "list"])).with(0).out, "desk-token\n");
    // A call that takes the credential along, to where nobody answers.
    sandbox.edit("ws/connectors/service-desk.yaml", |text| {
        text.replace("base: \"https://desk.example.com\"", "base: \"http://127.0.0.1:9\", allow_private: true")
    });
    keep(sandbox.sluice(&["policy", "sign", "--as", "ana", "--key", &sandbox.key()])).with(0);
    let call = sandbox.workflow("call.yaml", "  - ask: { call: service-desk.tickets.show, with: { id: T-1 } }\n");
    let ran = keep(sandbox.sluice(&["run", &call, "--author", "ana", "--format", "json"]));
    assert!(ran.code == 6, "the call itself is made and fails: {ran:?}");
    keep(sandbox.sluice(&["audit", "log", "--last", "100", "--format", "json"])).with(0);
    keep(sandbox.sluice(&["secret", "set", "Bad Name"])).with(2);
    assert!(!seen.contains(CANARY), "{seen}");
    for file in sandbox.files("ws").into_iter().chain(sandbox.files("home")) {
        assert!(!holds(&file, CANARY), "{}", file.display());
    }
    assert!(sandbox.path("ws/.sluice/secrets.sealed").exists());
}
