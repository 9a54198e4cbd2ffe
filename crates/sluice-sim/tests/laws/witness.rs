//! Small programs, one per rule: what a random program meets once in a thousand, each of these meets in every run.
//!
//! Each is a law held against one text. Where a label rule is broken (a mutant of `crates/xtask/mutants`), or was once,
//! the test says which.

use sluice_sim::generate::CatalogueSpec;
use sluice_sim::world::Secret;

use crate::case::Case;
use crate::interference::pair;
use crate::releases::clears_only_what_it_may;
use crate::soundness::stays_below;

const PII: u8 = 0;
const WEB: u8 = 2;

/// A definition around these steps. The first reads `src.read`, whose part `sec` is secret, into `v0`.
pub(crate) fn text(steps: &str) -> String {
    format!(
        "document: {{dsl: '1.0.1', namespace: laws, name: witness, version: '0.1.0'}}\ndo:\n\
         - read: {{call: src.read, output: {{as: '${{ {{v0: .}} }}'}}}}\n{steps}"
    )
}

fn plain(secret: u8) -> CatalogueSpec {
    CatalogueSpec::plain().labelled("src.read", "/sec", Some(1 << secret))
}

/// Holds non-interference in many pairs of worlds, and soundness. Says that the pairs could have differed.
fn hold(spec: &CatalogueSpec, secret: u8, steps: &str) {
    let case = Case::from_text(text(steps), spec);
    let mut complete = 0;
    for seed in 0..60 {
        match pair(&case, spec, &Secret::of(secret), seed, 4) {
            Ok(found) => complete += u32::from(found.contains(&"both complete")),
            Err(why) => panic!("{why}"),
        }
    }
    if let Err(why) = stays_below(&case, spec, 0..60) {
        panic!("{why}");
    }
    assert!(complete > 5, "too few pairs of runs come to their ends: {complete}");
}

pub(crate) const SEND: &str = "- send: {call: out.send, with: {body: '${ .v1 }'}}\n";
const IS_RED: &str = "(.v0?.sec? // 0) == \"red\"";

#[test]
fn a_value_written_in_a_secret_branch_is_secret() {
    // Constants: what was there before, and is secret by now, is not in them.
    let steps = format!(
        "- which: {{switch: [{{a: {{when: '${{ {IS_RED} }}', then: one}}}}, {{b: {{then: two}}}}]}}\n\
         - one: {{set: {{v1: 1}}, then: send}}\n- two: {{set: {{v1: 2}}}}\n{SEND}"
    );
    hold(&plain(PII), PII, &steps);
}

#[test]
fn a_value_that_a_secret_branch_could_have_written_is_secret() {
    let steps = format!(
        "- before: {{set: '${{ . + {{v1: 1}} }}'}}\n- maybe: {{if: '${{ {IS_RED} }}', set: '${{ . + {{v1: 2}} }}'}}\n{SEND}"
    );
    hold(&plain(PII), PII, &steps);
}

#[test]
fn the_number_of_a_secret_lists_elements_is_secret() {
    let spec = CatalogueSpec::plain().labelled("src.read", "/list", Some(1));
    let steps = format!(
        "- before: {{set: '${{ . + {{v1: 0}} }}'}}\n\
         - count: {{for: {{each: item, in: '${{ .v0?.list? | if type == \"array\" then . else [] end }}'}}, \
           do: [{{more: {{set: '${{ . + {{v1: ((.v1? // 0) + 1)}} }}'}}}}]}}\n{SEND}"
    );
    hold(&spec, PII, &steps);
}

#[test]
fn that_a_call_is_made_in_a_secret_branch_is_secret() {
    let steps = format!("- maybe: {{if: '${{ {IS_RED} }}', call: out.send, with: {{body: constant}}}}\n");
    hold(&plain(PII), PII, &steps);
}

#[test]
fn what_comes_back_in_a_secret_branch_is_secret() {
    let steps = format!(
        "- which: {{switch: [{{a: {{when: '${{ {IS_RED} }}', then: one}}}}, {{b: {{then: two}}}}]}}\n\
         - one: {{call: src.find, then: send}}\n- two: {{call: src.find, with: {{n: 1}}}}\n\
         - send: {{call: out.send, with: {{body: '${{ .pub? // 0 }}'}}}}\n"
    );
    hold(&plain(PII), PII, &steps);
}

#[test]
fn a_failure_tells_what_the_reply_would_have_told() {
    let spec = CatalogueSpec::plain().labelled("src.find", "", Some(1));
    let steps =
        "- attempt: {try: [{find: {call: src.find}}], catch: {do: [{tell: {call: out.send, with: {body: failed}}}]}}\n";
    hold(&spec, PII, steps);
}

#[test]
fn a_look_up_by_an_outsiders_words_is_the_outsiders_choice() {
    let steps = format!(
        "- find: {{call: src.find, with: {{q: '${{ .v0?.sec? // 0 }}'}}, output: {{as: '${{ {{v1: .}} }}'}}}}\n{SEND}"
    );
    hold(&plain(WEB), WEB, &steps);
}

#[test]
fn what_no_contract_speaks_of_is_unknown() {
    let spec = CatalogueSpec::plain().labelled("src.read", "", None);
    let steps = format!("- pick: {{set: '${{ {{v1: (.v0?.pub? // 0)}} }}'}}\n{SEND}");
    hold(&spec, PII, &steps);
}

#[test]
fn a_store_does_not_launder() {
    let steps = format!(
        "- put: {{call: db.put, with: {{row: '${{ .v0?.sec? // 0 }}'}}, output: {{as: '${{ $input }}'}}}}\n\
         - get: {{call: db.get, output: {{as: '${{ {{v1: .}} }}'}}}}\n{SEND}"
    );
    let spec = plain(PII);
    let case = Case::from_text(text(&steps), &spec);
    for seed in 0..60 {
        if let Err(why) = pair(&case, &spec, &Secret::of(PII), seed, 4) {
            panic!("{why}");
        }
    }
}

#[test]
fn a_loop_is_predicted_to_its_fixpoint() {
    let steps = format!(
        "- before: {{set: '${{ . + {{v1: 0, v2: 0}} }}'}}\n\
         - pass: {{for: {{each: item, in: '${{ [1, 2, 3] }}'}}, do: [{{shift: {{set: '${{ . + {{v1: .v2, v2: (.v0?.sec? // 0)}} }}'}}}}]}}\n{SEND}"
    );
    hold(&plain(PII), PII, &steps);
}

#[test]
fn a_release_is_judged_before_it_clears() {
    let mut spec = CatalogueSpec::plain().labelled("src.read", "/sec", Some(1 << PII | 1 << WEB));
    for release in &mut spec.releases {
        release.clears |= 1 << WEB;
    }
    for entry in ["r2", "r5"] {
        let steps = format!(
            "- out: {{call: endorse, with: {{entry: {entry}, value: '${{ if {IS_RED} then \"red\" else \"blue\" end }}'}}}}\n"
        );
        let case = Case::from_text(text(&steps), &spec);
        for seed in 0..20 {
            assert_eq!(clears_only_what_it_may(&case, &spec, seed), Ok(0));
        }
    }
}

#[test]
fn a_value_that_a_person_vouches_for_is_cleared_and_was_predicted_as_if_not() {
    let spec = plain(PII);
    let steps = format!(
        "- out: {{call: release, with: {{entry: r5, value: '${{ .v0?.sec? // 0 }}'}}, output: {{as: '${{ {{v1: .}} }}'}}}}\n{SEND}"
    );
    let case = Case::from_text(text(&steps), &spec);
    let cleared: u32 = (0..20).map(|seed| clears_only_what_it_may(&case, &spec, seed).unwrap()).sum();
    assert!(cleared > 5, "only {cleared} values were cleared");
    let analysis = case.analysis();
    let sends = case.program.nodes().filter_map(|(id, _)| analysis.prepared(id));
    assert!(sends.last().unwrap().joined != sluice_core::label::Label::BOTTOM, "the prediction keeps the label");
    hold(&spec, PII, &steps);
}

#[test]
fn that_a_timeout_comes_before_a_persons_word_tells_of_the_value() {
    let steps = "- attempt: {try: [{slow: {do: [{out: {call: release, with: {entry: r5, value: '${ .v0?.sec? // 0 }'}}}], \
                 timeout: {after: {milliseconds: 5}}}}], catch: {do: [{tell: {call: out.send, with: {body: late}}}]}}\n";
    let spec = plain(PII);
    let case = Case::from_text(text(steps), &spec);
    let analysis = case.analysis();
    let told = case.program.nodes().filter_map(|(id, _)| analysis.prepared(id)).last();
    assert!(Secret::of(PII).is_in(told.unwrap().control), "the handler runs because of the value");
}

/// The last step of a branch leads to the join whether it fails or not: its failure was no decision once.
#[test]
fn a_branch_of_a_fork_that_fails_tells_why() {
    let spec = CatalogueSpec::plain().labelled("src.find", "", Some(1));
    let steps = "- attempt: {try: [{both: {fork: {branches: [{find: {call: src.find}}, {idle: {set: {x: 1}}}]}}}], \
                 catch: {do: [{tell: {call: out.send, with: {body: failed}}}]}}\n";
    hold(&spec, PII, steps);
}

/// Whether an error's own text could be computed was no secret once.
#[test]
fn an_error_that_may_fail_to_be_raised_tells_why() {
    let steps = "- attempt: {try: [{no: {raise: {error: {type: 'https://x.example/e', status: 418, \
                 detail: '${ ({a: (.v0.sec.x == 0)} == 0) | tostring }'}}}}], \
                 catch: {errors: {with: {status: 418}}, do: [{tell: {call: out.send, with: {body: raised}}}]}}\n";
    hold(&plain(PII), PII, &format!("- outer: {{try: [{}], catch: {{}}}}\n", flow(steps)));
}

#[test]
fn a_timeout_tells_its_length() {
    let steps = format!(
        "- attempt: {{try: [{{slow: {{do: [{{rest: {{wait: {{milliseconds: 5}}}}}}], \
           timeout: {{after: '${{ {{milliseconds: (if {IS_RED} then 2 else 9 end)}} }}'}}}}}}], \
           catch: {{do: [{{tell: {{call: out.send, with: {{body: late}}}}}}]}}}}\n"
    );
    hold(&plain(PII), PII, &steps);
}

/// An argument that is `null` counted as absent, and absent ones told nothing.
#[test]
fn an_argument_that_is_null_tells_why() {
    let steps =
        format!("- send: {{call: out.send, with: {{to: ana, body: '${{ if {IS_RED} then null else null end }}'}}}}\n");
    hold(&plain(PII), PII, &steps);
    let steps = format!("- send: {{call: out.send, with: {{body: '${{ if {IS_RED} then null else 1 end }}'}}}}\n");
    hold(&plain(PII), PII, &steps);
}

/// The fields of a query told what they are, and an empty one nothing.
#[test]
fn a_query_without_fields_tells_why() {
    let steps = format!(
        "- get: {{call: http, with: {{method: GET, endpoint: 'https://web.example/items/1', \
           query: '${{ if {IS_RED} then {{}} else {{q: 1}} end }}'}}}}\n"
    );
    hold(&plain(PII), PII, &steps);
}

/// A body of `null` gave its label to all arguments, any other to itself alone.
#[test]
fn a_body_has_its_label_whatever_it_is() {
    let steps = "- post: {call: http, with: {method: POST, endpoint: 'https://web.example/items/1', body: '${ .v0?.sec? }'}}\n\
                 - send: {call: out.send, with: {body: '${ .pub? // 0 }'}}\n";
    hold(&plain(PII), PII, steps);
}

/// A call under a `try` was made, or not, by whether its arguments could be computed: no argument told so.
#[test]
fn a_call_whose_arguments_may_fail_tells_why() {
    let steps =
        "- attempt: {try: [{send: {call: out.send, with: {body: '${ ({a: (.v0.sec.x == 0)} == 0) }'}}}], catch: {}}\n";
    hold(&plain(PII), PII, steps);
}

/// As above, of a redaction: what came after it was no longer under that condition.
#[test]
fn a_redaction_whose_arguments_may_fail_tells_why() {
    let steps = "- attempt: {try: [{cut: {call: redact, with: {entry: r0, value: '${ ({a: (.v0.sec.x == 0)} == 0) }'}}}, \
                 {tell: {call: out.send, with: {body: done}}}], catch: {}}\n";
    hold(&plain(PII), PII, steps);
}

/// A part that is masked under a key not known before the run was not admitted by its prediction.
#[test]
fn a_mask_under_a_computed_key_was_predicted() {
    let key = "(if (.v0?.pub? // 0) == \"red\" then \"sec\" else \"pub\" end)";
    for release in ["r0", "r1"] {
        let steps = format!("- cut: {{call: redact, with: {{entry: {release}, value: '${{ {{({key}): 1}} }}'}}}}\n");
        hold(&plain(PII), PII, &steps);
    }
}

/// Block text in a list as flow text.
fn flow(steps: &str) -> String {
    steps.lines().map(|l| format!("{{{}}}", l.trim_start_matches("- "))).collect::<Vec<_>>().join(", ")
}
