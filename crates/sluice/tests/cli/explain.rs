//! `sluice explain`: every code that a check can give has a page.

use crate::sandbox::Sandbox;

#[test]
fn every_rule_text_code_and_policy_has_a_page() {
    let sandbox = Sandbox::new();
    for rule in sluice_verify::rules::all() {
        let page = sandbox.sluice(&["explain", &rule.code.to_string()]).with(0);
        assert!(page.out.contains(rule.name), "{}", page.out);
    }
    for (code, words) in [
        ("SL101", "text-syntax"),
        ("sl762", "contract-version"),
        ("unknown-target", "SL125"),
        ("destination-not-cleared", "SL203"),
        ("write-drops-origins", "forbids"),
    ] {
        let page = sandbox.sluice(&["explain", code]).with(0);
        assert!(page.out.contains(words), "{code}: {}", page.out);
    }
    assert!(sandbox.sluice(&["explain"]).with(0).out.contains("SL201"));
}

#[test]
fn an_unknown_code_is_usage() {
    let ended = Sandbox::new().sluice(&["explain", "SL000"]).with(2);
    assert!(ended.err.contains("nothing is called `SL000`"), "{}", ended.err);
}
