//! The laws of the evaluator, over generated programs.

use proptest::prelude::*;
use serde_json::Value as Json;

use super::generated::{abstracted, atoms, json, labelled, program, varied};
use super::{Evaluated, jaq, parsed, result, run};
use crate::label::Label;
use crate::value::{Data, Value};

/// Inputs for each program.
const TRIES: usize = 8;

/// So many times the usual number of cases, which the environment can set.
fn times(factor: u32) -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases * factor, max_shrink_iters: 20_000, failure_persistence: None, ..usual }
}

/// Whether someone who may not see `secret` cannot tell the two apart: nodes that one of the two shows are the same.
fn alike(a: &Value, b: &Value, secret: Label) -> bool {
    if secret.flows_to(a.label) && secret.flows_to(b.label) {
        return true;
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
        inputs in proptest::collection::vec((labelled(), labelled(), proptest::collection::vec(0_u8..16, 12)), TRIES),
    ) {
        let expression = parsed(&program).unwrap();
        for (input, other, choices) in inputs {
            let wide = abstracted(&input, &choices, &mut 0, &other);
            prop_assert!(wide.admits(&input));
            let actual = run(&expression, &input);
            let predicted = run(&expression, &wide);
            if !actual.exhausted {
                admitted(&actual, &predicted).map_err(|why| TestCaseError::fail(format!("{why}\nfor {wide:?}\nand {input:?}")))?;
            }
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
        inputs in proptest::collection::vec((labelled(), proptest::collection::vec(labelled(), 3)), TRIES),
    ) {
        let [secret, ..] = atoms();
        let expression = parsed(&program).unwrap();
        for (input, others) in inputs {
            let varied = varied(&input, secret, &others, &mut 0);
            let (a, b) = (run(&expression, &input), run(&expression, &varied));
            if !a.exhausted && !b.exhausted {
                indistinguishable(&a, &b, secret)
                    .map_err(|why| TestCaseError::fail(format!("{why}: {a:?}\n{b:?}\nfor {input:?}\nand {varied:?}")))?;
            }
        }
    }
}

/// Whether what a run gave was predicted.
fn admitted(actual: &Evaluated, predicted: &Evaluated) -> Result<(), String> {
    let among = |some: &Option<Value>, all: &Option<Value>| match (some, all) {
        (Some(value), Some(all)) => value.is_concrete() && all.admits(value),
        (Some(_), None) => false,
        (None, _) => true,
    };
    if actual.value.is_some() == actual.error.is_some() {
        return Err(format!("a value or an error: {actual:?}"));
    }
    if !actual.fallible.flows_to(predicted.fallible) {
        return Err(format!("fallible {:?}, predicted {:?}", actual.fallible, predicted.fallible));
    }
    if !among(&actual.value, &predicted.value) || !among(&actual.error, &predicted.error) {
        return Err(format!("{actual:?}\npredicted {predicted:?}"));
    }
    Ok(())
}

/// Whether someone who may not see `secret` can tell the two results apart.
fn indistinguishable(a: &Evaluated, b: &Evaluated, secret: Label) -> Result<(), &'static str> {
    let known_to_fail = !secret.flows_to(a.fallible) || !secret.flows_to(b.fallible);
    if known_to_fail && a.error.is_some() != b.error.is_some() {
        return Err("only one fails");
    }
    match ((&a.value, &b.value), (&a.error, &b.error)) {
        ((Some(x), Some(y)), _) if !alike(x, y, secret) => Err("the values differ"),
        (_, (Some(x), Some(y))) if known_to_fail && !alike(x, y, secret) => Err("the errors differ"),
        _ => Ok(()),
    }
}
