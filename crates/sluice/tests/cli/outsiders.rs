//! Words of outsiders do nothing to a terminal, whichever way they come.

use crate::sandbox::Sandbox;

#[test]
fn control_characters_and_turned_words_are_shown_for_what_they_are() {
    let sandbox = Sandbox::with_two_people();
    let evil = "\\e[2J\\e[31mfine \\u202eevil\\u202c \\x07";
    let file = sandbox.workflow("evil.yaml", &format!(
        "  - \"a{evil}b\": {{ call: \"x{evil}\", with: {{}} }}\n  - fetch: {{ call: http, with: {{ method: get, endpoint: \"https://x.example/{evil}\" }} }}\n  - keep: {{ call: greetings.append, with: {{ rows: [\"{evil}\"] }} }}\n"
    ));
    let raw = sandbox.write("ws/raw\u{202e}.yaml", "document: { dsl: '1.0.3', namespace: \u{202e}t, name: [\x1b[2J\n");
    for arguments in [
        vec!["check", file.as_str()],
        vec!["check", raw.as_str()],
        vec!["check", "--format", "json", file.as_str()],
        vec!["run", raw.as_str()],
        vec!["run", file.as_str()],
    ] {
        let ended = sandbox.sluice(&arguments);
        for c in ended.out.chars().chain(ended.err.chars()) {
            assert!(c == '\n' || !c.is_control() && !('\u{202a}'..='\u{202e}').contains(&c), "{c:?} in {ended:?}");
        }
    }
    let keep = sandbox
        .workflow("keep.yaml", &format!("  - keep: {{ call: greetings.append, with: {{ rows: [\"{evil}\"] }} }}\n"));
    let held = sandbox.sluice(&["run", &keep, "--as", "ben"]).with(4);
    let shown = sandbox
        .sluice(&["approvals", "show", held.out.split_whitespace().find(|w| w.starts_with("A-")).unwrap()])
        .with(0);
    assert!(!shown.out.contains(['\x1b', '\u{202e}']) && shown.out.contains("\\u{202e}"), "{}", shown.out);
}
