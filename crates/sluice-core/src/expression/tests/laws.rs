//! The laws of the evaluator, over generated programs.

use proptest::prelude::*;
use serde_json::Value as Json;

use super::generated::{abstracted, atoms, json, labelled, program, varied};
use super::{jaq, parsed, result, run};
use crate::label::Label;
use crate::value::{Data, Value};

/// So many times the usual number of cases, which the environment can set.
fn times(factor: u32) -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases * factor, max_shrink_iters: 20_000, failure_persistence: None, ..usual }
}

/// Whether someone who may not see `secret` cannot tell the two apart.
fn alike(a: &Value, b: &Value, secret: Label) -> bool {
    match (secret.flows_to(a.label), secret.flows_to(b.label)) {
        (true, true) => return true,
        (false, false) => {}
        _ => return false,
    }
    match (&a.data, &b.data) {
        (Data::Array(x), Data::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y.iter()).all(|(x, y)| alike(x, y, secret))
        }
        (Data::Object(x), Data::Object(y)) => {
            x.keys().eq(y.keys()) && x.values().zip(y.values()).all(|(x, y)| alike(x, y, secret))
        }
        (x, y) => x == y,
    }
}

proptest! {
    #![proptest_config(times(4))]

    #[test]
    fn a_run_gives_what_jaq_gives(program in program(), input in json()) {
        if let Some(theirs) = jaq::first(&program, &input) {
            let ours = result(&program, &input);
            let agrees = match (&ours, &theirs) {
                (Some(a), Ok(b)) => jaq::same(a, b),
                (a, b) => a.is_none() && b.is_err(),
            };
            prop_assert!(agrees, "ours {:?}, jaq {:?}", ours.map(|v: Json| v.to_string()), theirs.map(|v| v.to_string()));
        }
    }
}

proptest! {
    #![proptest_config(times(8))]

    #[test]
    fn the_prediction_admits_the_run(
        program in program(),
        input in labelled(),
        other in labelled(),
        choices in proptest::collection::vec(0_u8..16, 12),
    ) {
        let expression = parsed(&program).unwrap();
        let wide = abstracted(&input, &choices, &mut 0, &other);
        prop_assert!(wide.admits(&input));
        let actual = run(&expression, &input);
        let predicted = run(&expression, &wide);
        prop_assume!(!actual.exhausted);
        prop_assert!(actual.value.is_some() != actual.error.is_some());
        prop_assert!(actual.fallible.flows_to(predicted.fallible), "fallible {:?} {:?}", actual.fallible, predicted.fallible);
        if let Some(value) = &actual.value {
            prop_assert!(value.is_concrete());
            prop_assert!(predicted.value.as_ref().is_some_and(|p| p.admits(value)), "{value:?}\npredicted {predicted:?}\nfor {wide:?}");
        }
        if let Some(error) = &actual.error {
            prop_assert!(predicted.error.as_ref().is_some_and(|p| p.admits(error)), "{error:?}\npredicted {predicted:?}\nfor {wide:?}");
        }
    }

    #[test]
    fn what_is_known_stays_known(program in program(), input in labelled()) {
        let plain = run(&parsed(&program).unwrap(), &input.map_labels(&|_| Label::BOTTOM));
        let labelled = run(&parsed(&program).unwrap(), &input);
        let json = |v: Option<Value>| v.map(|v| v.to_json().map(|j| j.to_string()));
        prop_assert_eq!(json(plain.value), json(labelled.value));
        prop_assert_eq!(json(plain.error), json(labelled.error));
        prop_assert_eq!(plain.fallible, Label::BOTTOM);
    }

    #[test]
    fn nobody_learns_what_the_label_does_not_show(
        program in program(),
        input in labelled(),
        others in proptest::collection::vec(labelled(), 3),
    ) {
        let [secret, ..] = atoms();
        let expression = parsed(&program).unwrap();
        let varied = varied(&input, secret, &others, &mut 0);
        let (a, b) = (run(&expression, &input), run(&expression, &varied));
        prop_assume!(!a.exhausted && !b.exhausted);
        if !secret.flows_to(a.fallible) || !secret.flows_to(b.fallible) {
            prop_assert_eq!(a.error.is_some(), b.error.is_some(), "whether it fails: {:?} {:?}", a, b);
            prop_assert_eq!(secret.flows_to(a.fallible), secret.flows_to(b.fallible));
        }
        if let (Some(x), Some(y)) = (&a.value, &b.value) {
            prop_assert!(alike(x, y, secret), "{x:?}\n{y:?}\nfor {input:?}\nand {varied:?}");
        }
        if let (Some(x), Some(y), false) = (&a.error, &b.error, secret.flows_to(a.fallible)) {
            prop_assert!(alike(x, y, secret), "errors {x:?}\n{y:?}");
        }
    }
}
