//! The evaluator against jaq, its laws over generated programs, and the expressions of real files.

mod corpus;
mod generated;
mod jaq;
mod laws;
mod table;
mod translation;

use serde_json::Value as Json;

use super::{Environment, Evaluated, Expression, Problem, evaluate, parse};
use crate::label::Label;
use crate::text::Text;
use crate::value::Value;

/// The expression of a program text, with spans into that text.
fn parsed(program: &str) -> Result<Expression, Vec<Problem>> {
    let text = Text::new("test", program);
    parse(program, &|start, end| text.span(start, end))
}

/// Runs an expression on a value, without variables.
fn run(expression: &Expression, input: &Value) -> Evaluated {
    evaluate(expression, &Environment { input, variables: &|_| None })
}

/// What a program gives on unlabelled input; none if it fails.
fn result(program: &str, input: &Json) -> Option<Json> {
    let expression = parsed(program).unwrap_or_else(|problems| panic!("{program}: {problems:?}"));
    let result = run(&expression, &Value::from_json(input, Label::BOTTOM));
    assert!(result.value.is_some() != result.error.is_some(), "{program}: a run gives a value or an error");
    result.value.map(|v| v.to_json().unwrap_or_else(|| panic!("{program}: a run gives a known value")))
}
