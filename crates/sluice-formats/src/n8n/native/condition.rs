//! `if`, `filter` and `switch`: conditions as jq.

use sluice_core::document::{Data, Node as Tree};

use super::super::parameters::{at, text_at};
use super::node::{Follows, Port};
use super::{EXPRESSION_MAX, Refused, State, Writer, as_jq};
use crate::javascript::jq::truthy;
use crate::native::{Task, TaskKind, Value, member, quoted};
use crate::refusal;

/// Rules of one switch: each is a level of an expression.
const RULES_MAX: usize = 40;

/// How a node compares.
#[derive(Clone, Copy)]
struct How {
    /// Capitals matter.
    exact: bool,
}

impl Writer<'_, '_> {
    pub(super) fn branch(&mut self, i: usize, state: &State) -> Result<Follows, Refused> {
        let condition = self.conditions(i, state)?;
        let condition = self.short_enough(i, condition)?;
        let name = self.short(i);
        let port = |port: usize, word: &str, condition: String| {
            let mut state = state.clone();
            state.choices.insert(i, port);
            Port { port, name: format!("{name} ({word})"), condition, loops: state.loops.clone(), state, each: None }
        };
        let ports = vec![port(0, "true", condition.clone()), port(1, "false", format!("{condition} | not"))];
        Ok(self.ways(i, ports))
    }

    pub(super) fn filter(&mut self, i: usize, state: &State) -> Result<Follows, Refused> {
        let condition = self.conditions(i, state)?;
        let condition = self.short_enough(i, condition)?;
        let ports = vec![Port {
            port: 0,
            name: format!("{} (kept)", self.short(i)),
            condition,
            state: state.clone(),
            loops: state.loops.clone(),
            each: None,
        }];
        Ok(self.ways(i, ports))
    }

    /// The first rule that holds says where an item goes.
    pub(super) fn switch(&mut self, i: usize, state: &State, out: &mut Vec<Task>) -> Result<Follows, Refused> {
        let parameters = self.low.parameters(i);
        let is_plain = self.word(i, "mode").is_none_or(|mode| mode == "rules")
            && self.word(i, "options.allMatchingOutputs").is_none_or(|all| all == "false");
        if !is_plain || self.low.version(i) < 2.0 {
            return Err(self.refuse(
                i,
                "a switch that computes its output, or takes several",
                "let the first rule that holds decide",
            ));
        }
        let is_old = self.low.version(i) < 3.0;
        let rules = list(at(parameters, if is_old { "rules.rules" } else { "rules.values" })).to_vec();
        let mut conditions = Vec::new();
        for rule in &rules {
            conditions.push(match is_old {
                true => self.old_rule(i, rule, state)?,
                false => self.new_conditions(i, rule.get("conditions"), state)?,
            });
        }
        let count = conditions.len();
        let fallback = ["options.fallbackOutput", "fallbackOutput"].iter().find_map(|path| self.word(i, path));
        let otherwise = match fallback.as_deref() {
            None | Some("none" | "-1") => None,
            Some("extra") => Some(count),
            Some(port) => match port.parse::<usize>() {
                Ok(port) if port < count => Some(port),
                _ => return Err(self.refuse(i, "a fallback that is computed", "name the output that takes the rest")),
            },
        };
        let last = otherwise.map_or_else(|| "null".to_owned(), |port| port.to_string());
        let chosen = conditions
            .iter()
            .enumerate()
            .rev()
            .fold(last, |rest, (n, condition)| format!("if {condition} then {n} else {rest} end"));
        if conditions.len() > RULES_MAX {
            return Err(self.refuse(i, "a switch with too many rules", "split it into several"));
        }
        let chosen = self.short_enough(i, chosen)?;
        let name = self.short(i);
        let kept = format!("{name} (way)");
        out.push(
            Task::new(kept.clone(), TaskKind::Set(Value::Map(vec![("way".to_owned(), Value::jq(chosen))])))
                .kept_as(&kept),
        );
        self.read.borrow_mut().insert(kept.clone());
        let last = otherwise.map_or(count, |port| count.max(port + 1));
        let ports = (0..last).map(|port| {
            let word =
                rules.get(port).and_then(|rule| text_at(Some(rule), "outputKey")).filter(|word| !word.is_empty());
            let mut state = state.clone();
            state.choices.insert(i, port);
            let word = word.map_or_else(|| port.to_string(), |word| format!("{port}: {word}"));
            let condition = format!("{}.way == {port}", member("$context", &kept));
            Port { port, name: format!("{name} ({word})"), condition, loops: state.loops.clone(), state, each: None }
        });
        let ports = ports.collect();
        Ok(self.ways(i, ports))
    }

    /// A condition that nobody reads any more is no condition.
    fn short_enough(&mut self, i: usize, jq: String) -> Result<String, Refused> {
        if jq.len() > EXPRESSION_MAX {
            return Err(self.refuse(i, "a condition that is too long", "decide in several steps"));
        }
        Ok(jq)
    }

    fn ways(&mut self, i: usize, mut ports: Vec<Port>) -> Follows {
        for port in &mut ports {
            if let Follows::One(state) = self.passes(i, &port.state) {
                port.state = state;
            }
        }
        Follows::Ports(ports)
    }

    fn conditions(&mut self, i: usize, state: &State) -> Result<String, Refused> {
        let parameters = self.low.parameters(i);
        if self.low.version(i) >= 2.0 {
            return self.new_conditions(i, parameters.and_then(|p| p.get("conditions")), state);
        }
        let mut each = Vec::new();
        for kind in ["string", "number", "boolean", "dateTime"] {
            for condition in list(at(parameters, &format!("conditions.{kind}"))) {
                each.push(self.old_condition(i, kind, condition.get("value1"), condition, state)?);
            }
        }
        let how = ["combineOperation", "combineConditions"].iter().find_map(|key| self.word(i, key));
        Ok(joined(each, how.is_none_or(|how| how == "all" || how == "AND")))
    }

    fn old_rule(&mut self, i: usize, rule: &Tree, state: &State) -> Result<String, Refused> {
        let kind = self.word(i, "dataType").unwrap_or_else(|| "number".to_owned());
        let value = self.low.parameters(i).and_then(|p| p.get("value1"));
        self.old_condition(i, &kind, value, rule, state)
    }

    fn old_condition(
        &mut self,
        i: usize,
        kind: &str,
        value: Option<&Tree>,
        condition: &Tree,
        state: &State,
    ) -> Result<String, Refused> {
        let usual = if kind == "number" { "smaller" } else { "equal" };
        let operation = text_at(Some(condition), "operation").unwrap_or_else(|| usual.to_owned());
        let operation = match operation.as_str() {
            "equal" => "equals",
            "notEqual" => "notEquals",
            "larger" => "gt",
            "largerEqual" => "gte",
            "smaller" => "lt",
            "smallerEqual" => "lte",
            "isEmpty" => "empty",
            "isNotEmpty" => "notEmpty",
            other => other,
        };
        let left = self.side(i, value, kind, state)?;
        let right = self.side(i, condition.get("value2"), kind, state)?;
        self.compared(i, (kind, operation), (&left, &right), How { exact: true }, condition)
    }

    fn new_conditions(&mut self, i: usize, conditions: Option<&Tree>, state: &State) -> Result<String, Refused> {
        let options = conditions.and_then(|c| c.get("options"));
        let sensitive = text_at(options, "caseSensitive").is_none_or(|found| found == "true");
        let ignores = self.word(i, "options.ignoreCase").is_some_and(|found| found != "false");
        let how = How { exact: sensitive && !ignores };
        let mut each = Vec::new();
        for condition in list(conditions.and_then(|c| c.get("conditions"))) {
            let kind = text_at(Some(condition), "operator.type").unwrap_or_else(|| "string".to_owned());
            let operation = text_at(Some(condition), "operator.operation").unwrap_or_else(|| "equals".to_owned());
            let left = self.side(i, condition.get("leftValue"), &kind, state)?;
            let right = self.side(i, condition.get("rightValue"), &kind, state)?;
            each.push(self.compared(i, (&kind, &operation), (&left, &right), how, condition)?);
        }
        let all = text_at(conditions, "combinator").is_none_or(|word| word == "and");
        Ok(joined(each, all))
    }

    /// One side of a comparison, as jq. A constant that stands as text where a number or truth value is meant is one.
    fn side(&mut self, i: usize, tree: Option<&Tree>, kind: &str, state: &State) -> Result<String, Refused> {
        let Some(tree) = tree else { return Ok("null".to_owned()) };
        let value = self.value(i, tree, false, state)?;
        let constant = match &value {
            Value::Constant(serde_json::Value::String(text)) => Some(text.trim().to_owned()),
            _ => None,
        };
        Ok(match (kind, constant) {
            ("number", Some(text)) if text.parse::<i64>().is_ok() => text,
            ("boolean", Some(text)) if text == "true" || text == "false" => text,
            _ => as_jq(&value),
        })
    }

    fn compared(
        &mut self,
        i: usize,
        (kind, operation): (&str, &str),
        (left, right): (&str, &str),
        how: How,
        condition: &Tree,
    ) -> Result<String, Refused> {
        let folded = |jq: &str| {
            if how.exact || kind != "string" {
                jq.to_owned()
            } else {
                format!("([{jq}] | join(\"\") | ascii_downcase)")
            }
        };
        let (l, r) = (folded(left), folded(right));
        // Nothing is the empty text here, as it is for the original.
        let text = folded(&format!("([{left}] | join(\"\"))"));
        let side = |jq: &str| if jq.parse::<f64>().is_ok() { jq.to_owned() } else { format!("({jq} | tonumber)") };
        let number = |operator: &str| format!("({} {operator} {})", side(left), side(right));
        let empty = format!("({left} | . == null or . == \"\" or . == [] or . == {{}})");
        Ok(match (kind, operation) {
            (_, "exists") => format!("({left} != null)"),
            (_, "notExists") => format!("({left} == null)"),
            (_, "empty") => empty,
            (_, "notEmpty") => format!("({empty} | not)"),
            ("boolean", "true") => truthy(left),
            ("boolean", "false") => format!("({} | not)", truthy(left)),
            ("boolean" | "number" | "string", "equals") => format!("({l} == {r})"),
            ("boolean" | "number" | "string", "notEquals") => format!("({l} != {r})"),
            ("number", "gt") => number(">"),
            ("number", "gte") => number(">="),
            ("number", "lt") => number("<"),
            ("number", "lte") => number("<="),
            ("string", "contains") => format!("(({text} | index({r})) != null)"),
            ("string", "notContains") => format!("(({text} | index({r})) == null)"),
            ("string", "startsWith") => format!("({text} | startswith({r}))"),
            ("string", "notStartsWith") => format!("({text} | startswith({r}) | not)"),
            ("string", "endsWith") => format!("({text} | endswith({r}))"),
            ("string", "notEndsWith") => format!("({text} | endswith({r}) | not)"),
            ("array", "contains") => format!("(({left} | index({right})) != null)"),
            ("array", "notContains") => format!("(({left} | index({right})) == null)"),
            _ => {
                let message = format!(
                    "in `{}`, the comparison {} has no equivalent",
                    self.short(i),
                    quoted(&format!("{kind} {operation}"))
                );
                let info = &refusal::PARAMETER_WITHOUT_EQUIVALENT;
                self.gap(i, info, condition.span, message, "compare in another way, or write the condition in jq");
                return Err(Refused);
            }
        })
    }
}

fn joined(each: Vec<String>, all: bool) -> String {
    match each.as_slice() {
        [] => "true".to_owned(),
        [only] => only.clone(),
        _ => format!("({})", each.join(if all { " and " } else { " or " })),
    }
}

fn list(tree: Option<&Tree>) -> &[Tree] {
    match tree.map(|t| &t.value) {
        Some(Data::List(items)) => items,
        _ => &[],
    }
}
