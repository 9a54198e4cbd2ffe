//! `sluice draw`.

use crate::sandbox::Sandbox;

const REPORT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/report/workflows/report.yaml");

#[test]
fn the_picture_has_a_box_per_step_and_says_what_each_carries() {
    let sandbox = Sandbox::new();
    let svg = sandbox.sluice(&["draw", REPORT]).with(0).out;
    assert!(
        svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\"") && svg.trim_end().ends_with("</svg>"),
        "{svg}"
    );
    for words in
        ["aria-label=\"step do/0/", "; carries ", "class=\"badge\"", "class=\"legend\"", "prefers-color-scheme"]
    {
        assert!(svg.contains(words), "{words} in {svg}");
    }
    assert_eq!(svg, sandbox.sluice(&["draw", REPORT]).with(0).out, "the same picture each time");
    let dark = sandbox.sluice(&["draw", REPORT, "--theme", "dark"]).with(0).out;
    assert!(!dark.contains("prefers-color-scheme"), "{dark}");
}

#[test]
fn names_of_outsiders_are_no_markup() {
    let sandbox = Sandbox::with_workspace();
    let file = sandbox.workflow("a.yaml", "  - \"</svg><script>\\u202e\\e\": { set: { a: 1 } }\n");
    let svg = sandbox.sluice(&["draw", &file]).with(0).out;
    assert!(!svg.contains("<script") && !svg.contains(['\u{202e}', '\x1b']), "{svg}");
    assert_eq!(svg.matches("</svg>").count(), 1);
}

#[test]
fn sixty_steps_are_drawn_and_too_many_are_refused() {
    let sandbox = Sandbox::with_workspace();
    let tasks = |count: usize| (0..count).map(|n| format!("  - s{n}: {{ set: {{ a: {n} }} }}\n")).collect::<String>();
    let file = sandbox.workflow("sixty.yaml", &tasks(60));
    let svg = sandbox.sluice(&["draw", &file]).with(0).out;
    assert_eq!(svg.matches("<g class=\"step\"").count(), 60);
    let file = sandbox.workflow("many.yaml", &tasks(401));
    assert!(sandbox.sluice(&["draw", &file]).with(2).err.contains("more than 400 steps"));
    let file = sandbox.write("ws/bad.yaml", "document: [\n");
    assert!(sandbox.sluice(&["draw", &file]).with(1).err.contains("[SL101]"));
}
