//! `Choice`: rules as jq.

use serde_json::Value as Json;
use sluice_core::document::{Data, Node as Tree};

use super::super::read::{State, entries, list};
use super::path::{self, Sight, atom};
use super::{Refused, Writer};
use crate::native::{Case, Task, TaskKind, Then, Value, quoted};
use crate::refusal;

/// Keys of a rule that are no operator.
const BESIDE: [&str; 3] = ["Variable", "Next", "Comment"];

/// Deepest rules inside of rules.
const DEPTH_MAX: usize = 16;

impl<'t> Writer<'_, 't> {
    pub(super) fn choice(&mut self, state: &State<'t>, sight: &Sight) -> Result<Vec<Task>, Refused> {
        let input = self.input(state, sight)?;
        let mut cases = Vec::new();
        let mut refused = false;
        for rule in state.list("Choices") {
            match (self.rule(state, rule, &input, 0), rule.get("Next").and_then(Tree::as_text)) {
                (Ok(when), Some(next)) => {
                    let when = Some(self.short_enough(state, when, rule.span)?);
                    cases.push(Case { when, then: Then::To(next.clone()) });
                }
                (Ok(_), None) => {
                    self.untold(state, rule, "a rule that leads nowhere");
                    refused = true;
                }
                (Err(Refused), _) => refused = true,
            }
        }
        if refused {
            return Err(Refused);
        }
        let mut none = None;
        let then = match state.text("Default") {
            Some(next) => Then::To(next.clone()),
            None => {
                let name = self.free(format!("{} (no choice)", state.name));
                let title = Value::Constant("States.NoChoiceMatched".into());
                none = Some(Task::new(name.clone(), TaskKind::Raise { title, detail: None }));
                Then::To(name)
            }
        };
        cases.push(Case { when: None, then });
        let output = self.passed(state, sight, "$input")?;
        let mut task = Task::new(self.name(state), TaskKind::Switch(cases));
        task.output = output;
        Ok(std::iter::once(task).chain(none).collect())
    }

    fn untold(&mut self, state: &State<'_>, tree: &Tree, what: &str) -> Refused {
        let help = "compare in another way, or write the condition by hand";
        self.gap(state, &refusal::EXPRESSION_WITHOUT_EQUIVALENT, tree.span, what, help)
    }

    /// When a rule is taken.
    fn rule(&mut self, state: &State<'t>, rule: &Tree, sight: &Sight, depth: usize) -> Result<String, Refused> {
        if depth > DEPTH_MAX {
            return Err(self.untold(state, rule, "a rule that lies too deep in others"));
        }
        let operators: Vec<_> = entries(Some(rule)).iter().filter(|e| !BESIDE.contains(&e.key.as_ref())).collect();
        let [only] = operators.as_slice() else {
            return Err(self.untold(state, rule, "a rule without one operator"));
        };
        match only.key.as_ref() {
            word @ ("And" | "Or") => {
                let parts: Result<Vec<String>, Refused> =
                    list(Some(&only.value)).iter().map(|inner| self.rule(state, inner, sight, depth + 1)).collect();
                let parts: Vec<String> = parts?.iter().map(|part| format!("({part})")).collect();
                Ok(parts.join(if word == "And" { " and " } else { " or " }))
            }
            "Not" => Ok(format!("({}) | not", self.rule(state, &only.value, sight, depth + 1)?)),
            operator => self.compared(state, rule, (operator, &only.value), sight),
        }
    }

    fn compared(
        &mut self,
        state: &State<'t>,
        rule: &Tree,
        (operator, with): (&str, &Tree),
        sight: &Sight,
    ) -> Result<String, Refused> {
        let Some(variable) = rule.get("Variable").filter(|tree| tree.as_text().is_some()) else {
            return Err(self.untold(state, rule, "a rule that compares nothing"));
        };
        if operator == "IsPresent" {
            let told = path::present(variable.as_text().map_or("", |text| text), sight)
                .map_err(|what| self.untold(state, variable, &what))?;
            self.read.extend(told.reads);
            return Ok(if with.value == Data::Bool(false) { format!("({}) | not", told.jq) } else { told.jq });
        }
        let subject = atom(&self.path(state, variable, sight)?);
        if let Some(kind) = kind_of(operator) {
            let test = format!("{subject} | type == \"{kind}\"");
            return Ok(if with.value == Data::Bool(false) { format!("({test}) | not") } else { test });
        }
        if let Some(jq) = constant(operator, &subject, with) {
            return Ok(jq);
        }
        match operator.strip_suffix("Path").and_then(numeric) {
            Some((kind, sign)) => {
                let other = atom(&self.path(state, with, sight)?);
                let is = |value: &str| format!("({value} | type == \"{kind}\")");
                Ok(format!("{} and {} and {subject} {sign} {other}", is(&subject), is(&other)))
            }
            None => Err(self.untold(state, rule, &format!("a comparison by `{operator}` with this value"))),
        }
    }
}

/// What an operator asks the type of a value to be.
fn kind_of(operator: &str) -> Option<&'static str> {
    Some(match operator {
        "IsNull" => "null",
        "IsString" => "string",
        "IsNumeric" => "number",
        "IsBoolean" => "boolean",
        _ => return None,
    })
}

/// The type and the sign of operators that compare alike in jq. Orders of texts and times are others.
fn numeric(operator: &str) -> Option<(&'static str, &'static str)> {
    Some(match operator {
        "NumericEquals" => ("number", "=="),
        "NumericLessThan" => ("number", "<"),
        "NumericLessThanEquals" => ("number", "<="),
        "NumericGreaterThan" => ("number", ">"),
        "NumericGreaterThanEquals" => ("number", ">="),
        "StringEquals" => ("string", "=="),
        "BooleanEquals" => ("boolean", "=="),
        _ => return None,
    })
}

/// A comparison with a constant. A value of another type is another value, and greater or less than none.
fn constant(operator: &str, subject: &str, with: &Tree) -> Option<String> {
    let json = with.to_json();
    if let (true, Json::String(pattern)) = (operator == "StringMatches", &json) {
        return matched(subject, pattern);
    }
    let (kind, sign) = numeric(operator)?;
    let fits =
        matches!((kind, &json), ("number", Json::Number(_)) | ("string", Json::String(_)) | ("boolean", Json::Bool(_)));
    if !fits {
        return None;
    }
    let value = json.as_str().map_or_else(|| json.to_string(), quoted);
    Some(match sign {
        "==" => format!("{subject} == {value}"),
        sign => format!("({subject} | type == \"number\") and {subject} {sign} {value}"),
    })
}

/// A pattern in which `*` is any characters: with one at its ends.
fn matched(subject: &str, pattern: &str) -> Option<String> {
    let inner = pattern.trim_matches('*');
    if inner.contains(['*', '\\']) || inner.is_empty() {
        return None;
    }
    let test = match (pattern.starts_with('*'), pattern.ends_with('*')) {
        (false, false) => return Some(format!("{subject} == {}", quoted(pattern))),
        (true, true) => "contains",
        (true, false) => "endswith",
        (false, true) => "startswith",
    };
    Some(format!("({subject} | type == \"string\") and ({subject} | {test}({}))", quoted(inner)))
}
