//! Large definitions are analysed to the end, in time that people wait for.

use std::fmt::Write as _;

use crate::workspace::check;

/// Steps of every common kind, with a guard on data at every fourth.
fn definition(steps: usize) -> String {
    let mut text = "do:\n".to_owned();
    for i in 0..steps {
        let body = match i % 4 {
            0 => "{ call: crm.accounts.list, with: {} }".to_owned(),
            1 => "{ set: { a: \"${ map(.balance) }\" } }".to_owned(),
            2 => format!("{{ switch: [ {{ x: {{ when: \"${{ .a | length > {i} }}\", then: end }} }} ] }}"),
            _ => "{ if: \"${ .a != null }\", set: { b: 1 }, export: { as: \"${ . }\" } }".to_owned(),
        };
        writeln!(text, "  - s{i}: {body}").expect("a string takes everything");
    }
    text
}

#[test]
fn hundreds_of_guarded_steps_are_analysed_to_the_end() {
    // States share what they do not change; when each was a copy of its own, this took minutes.
    let report = check(&definition(800)).report;
    assert_eq!(report.steps.len(), 200);
    let last = report.steps.last().expect("a step");
    assert!(last.labels.contains(&"category:internal@it".to_owned()), "{:?}", last.labels);
    assert!(report.findings.is_empty(), "{:?}", report.findings);
}
