//! `if-else`: which way is taken, as jq.

use sluice_core::document::{Data, Node as Tree};

use super::super::read::{handle, list, text_at};
use super::{Sight, Writer};
use crate::native::{Refused, Task, TaskKind, Value, quoted};

impl<'t> Writer<'_, 't> {
    /// The ways out of an `if-else`.
    pub(super) fn ways(&self, i: usize) -> Vec<String> {
        let Some(data) = self.low.data(i) else { return Vec::new() };
        cases(data).into_iter().map(|(way, _)| way).chain(["false".to_owned()]).collect()
    }

    /// Which way it takes is decided once, and kept as `way`.
    pub(super) fn branch(&mut self, i: usize, sight: &Sight) -> Result<Vec<Task>, Refused> {
        let (name, data) = (self.low.name(i), self.data(i)?);
        let mut jq = String::new();
        let mut refused = None;
        for (way, case) in cases(data) {
            match self.case(i, case, sight) {
                Ok(holds) => {
                    let word = if jq.is_empty() { "if" } else { "elif" };
                    jq.push_str(&format!("{word} {holds} then {} ", quoted(&way)));
                }
                Err(gone) => refused = Some(gone),
            }
        }
        if let Some(gone) = refused {
            return Err(gone);
        }
        let jq = if jq.is_empty() { quoted("false") } else { format!("({jq}else \"false\" end)") };
        let jq = self.desk.short_enough(&name, jq, self.low.span(i))?;
        let value = Value::Map(vec![("way".to_owned(), Value::jq(jq))]);
        Ok(vec![Task::new(name.clone(), TaskKind::Set(value)).kept_as(&name)])
    }

    fn case(&mut self, i: usize, case: &Tree, sight: &Sight) -> Result<String, Refused> {
        let mut each = Vec::new();
        let mut refused = None;
        for condition in list(case.get("conditions")) {
            match self.condition(i, condition, sight) {
                Ok(holds) => each.push(holds),
                Err(gone) => refused = Some(gone),
            }
        }
        if let Some(gone) = refused {
            return Err(gone);
        }
        let is_all = text_at(case, &["logical_operator"]).is_none_or(|word| word.as_ref() == "and");
        Ok(match each.as_slice() {
            [] => "false".to_owned(),
            [only] => only.clone(),
            _ => format!("({})", each.join(if is_all { " and " } else { " or " })),
        })
    }

    fn condition(&mut self, i: usize, condition: &Tree, sight: &Sight) -> Result<String, Refused> {
        let operator = text_at(condition, &["comparison_operator"]).map_or("", AsRef::as_ref);
        if condition.get("sub_variable_condition").is_some_and(|sub| !matches!(sub.value, Data::Null)) {
            let help = "write the condition in jq";
            return Err(self.unlike(i, condition.span, "a condition of a list's items", help));
        }
        let Some(left) = self.selected(i, condition.get("variable_selector"), sight)? else {
            return Err(self.unlike(i, condition.span, "a condition of nothing", ""));
        };
        let right = match condition.get("value") {
            Some(value) => self.argument(i, value, sight)?,
            None => Value::Constant("".into()),
        };
        let text = |value: &Value| match value {
            Value::Constant(serde_json::Value::String(text)) => quoted(text),
            other => format!("([{}] | join(\"\"))", other.to_jq()),
        };
        let number = |value: &Value| match value {
            Value::Constant(serde_json::Value::Number(number)) => number.to_string(),
            Value::Constant(serde_json::Value::String(text))
                if text.trim().parse::<f64>().is_ok_and(f64::is_finite) =>
            {
                text.trim().to_owned()
            }
            other => format!("({} | tonumber)", other.to_jq()),
        };
        let empty = format!("({left} | . == null or . == \"\" or . == [] or . == {{}})");
        let has = |word: &str| {
            format!(
                "({} as $part | {left} | if type == \"array\" then any(.[]; . == $part) else [.] | join(\"\") | {word}($part) end)",
                text(&right)
            )
        };
        let compared = |sign: &str| format!("(({left} | tonumber) {sign} {})", number(&right));
        let listed = |value: &Value| match value {
            Value::Constant(serde_json::Value::Array(items)) => {
                Some(serde_json::Value::from(items.clone()).to_string())
            }
            _ => None,
        };
        Ok(match operator {
            "empty" => empty,
            "not empty" => format!("({empty} | not)"),
            "null" | "not exists" => format!("({left} == null)"),
            "not null" | "exists" => format!("({left} != null)"),
            "contains" => has("contains"),
            "not contains" => format!("({} | not)", has("contains")),
            "start with" => format!("([{left}] | join(\"\") | startswith({}))", text(&right)),
            "end with" => format!("([{left}] | join(\"\") | endswith({}))", text(&right)),
            "is" | "is not" => {
                let sign = if operator == "is" { "==" } else { "!=" };
                match &right {
                    Value::Constant(serde_json::Value::Bool(holds)) => format!("({left} {sign} {holds})"),
                    _ => format!("([{left}] | join(\"\") {sign} {})", text(&right)),
                }
            }
            "=" => compared("=="),
            "≠" => compared("!="),
            ">" => compared(">"),
            "<" => compared("<"),
            "≥" => compared(">="),
            "≤" => compared("<="),
            "in" | "not in" if listed(&right).is_some() => {
                let list = listed(&right).unwrap_or_default();
                let holds = format!("({left} as $value | {list} | any(.[]; . == $value))");
                if operator == "in" { holds } else { format!("({holds} | not)") }
            }
            other => {
                let what = format!("the comparison `{other}` with this value");
                return Err(self.unlike(
                    i,
                    condition.span,
                    &what,
                    "compare in another way, or write the condition in jq",
                ));
            }
        })
    }
}

/// The cases, each with its way out. The first versions had one case, and its conditions stood in the node.
fn cases(data: &Tree) -> Vec<(String, &Tree)> {
    match list(data.get("cases")) {
        [] => vec![("true".to_owned(), data)],
        cases => cases.iter().map(|case| (case.get("case_id").and_then(handle).unwrap_or_default(), case)).collect(),
    }
}
