//! Nodes that act on items alone: set, split, wait, stop.

use sluice_core::document::{Data, Node as Tree};

use super::super::parameters::{at, is_expression};
use super::super::reshape::{assignments, keeps_item};
use super::node::Follows;
use super::{Known, Refused, State, Writer, as_jq};
use crate::native::{Task, TaskKind, Value, member, quoted};
use crate::refusal;

impl Writer<'_, '_> {
    /// `set`, in each of its versions.
    pub(super) fn set(&mut self, i: usize, state: &State, out: &mut Vec<Task>) -> Result<Follows, Refused> {
        let parameters = self.low.parameters(i);
        let made = self.fields(i, state)?;
        let keeps = parameters.is_none_or(|p| keeps_item(p, self.low.version(i)));
        let value = match (keeps, &state.item) {
            (false, _) => made,
            (true, Ok(item)) if item.jq == "{}" => made,
            (true, Ok(item)) => {
                self.note_read(item);
                Value::jq(format!("{} + {}", item.jq, as_jq(&made)))
            }
            (true, Err(what)) => {
                let message = format!("in `{}`, {what} has no equivalent", self.short(i));
                let info = &refusal::EXPRESSION_WITHOUT_EQUIVALENT;
                self.gap(i, info, self.low.span(i), message, info.help);
                return Err(Refused);
            }
        };
        Ok(self.made(i, value, state, out))
    }

    fn fields(&mut self, i: usize, state: &State) -> Result<Value, Refused> {
        let Some(parameters) = self.low.parameters(i) else { return Ok(Value::Map(Vec::new())) };
        let raw = self.word(i, "mode").is_some_and(|mode| mode == "raw" || mode == "json");
        let whole = ["jsonOutput", "jsonObject"].iter().find_map(|key| parameters.get(key));
        let given = assignments(parameters);
        if let Some(tree) = whole.filter(|_| raw || given.is_empty()) {
            return self.json(i, tree, state);
        }
        let mut fields = Vec::new();
        let kinds = kinds(parameters);
        for (name, value) in given {
            if is_expression(&name) {
                let message = format!("in `{}`, a field whose name is computed has no equivalent", self.short(i));
                let info = &refusal::PARAMETER_WITHOUT_EQUIVALENT;
                self.gap(i, info, value.span, message, "write the field under each name that it can have");
                return Err(Refused);
            }
            let kind = kinds.iter().find(|(place, _)| *place == value.span).map(|(_, kind)| kind.as_str());
            let value = typed(self.value(i, value, false, state)?, kind.unwrap_or_default());
            nest(&mut fields, &name, value);
        }
        Ok(Value::Map(fields))
    }

    /// A JSON text: constant, or one expression; one with expressions pasted into it is read as JSON when it is whole.
    pub(super) fn json(&mut self, i: usize, tree: &Tree, state: &State) -> Result<Value, Refused> {
        let constant = tree.as_text().filter(|t| !is_expression(t)).map(|t| serde_json::from_str(t));
        match constant {
            Some(Ok(json)) => return Ok(Value::Constant(json)),
            Some(Err(_)) => {
                let message = format!("in `{}`, a text that should be JSON is none", self.short(i));
                self.gap(i, &refusal::PARAMETER_WITHOUT_EQUIVALENT, tree.span, message, "correct the JSON");
                return Err(Refused);
            }
            None => {}
        }
        let value = self.value(i, tree, false, state)?;
        let is_whole = tree.as_text().is_some_and(|t| t.trim().starts_with("={{") && t.trim().ends_with("}}"));
        Ok(match value {
            Value::Constant(serde_json::Value::String(text)) => match serde_json::from_str(&text) {
                Ok(json) => Value::Constant(json),
                Err(_) => Value::jq(format!("{} | fromjson", quoted(&text))),
            },
            value if is_whole => {
                let jq = value.to_jq();
                Value::jq(format!("{jq} | if type == \"string\" then fromjson else . end"))
            }
            value => Value::jq(format!("{} | fromjson", value.to_jq())),
        })
    }

    /// A value that is the node's item from here on.
    fn made(&mut self, i: usize, value: Value, state: &State, out: &mut Vec<Task>) -> Follows {
        let mut state = state.clone();
        let name = self.short(i);
        out.push(Task::new(name.clone(), TaskKind::Set(value)).kept_as(&name));
        state.item = Ok(self.keep(i, &mut state));
        Follows::One(state)
    }

    /// A list in an item becomes items.
    pub(super) fn split_out(&mut self, i: usize, state: &State, out: &mut Vec<Task>) -> Result<Follows, Refused> {
        let field = self.word(i, "fieldToSplitOut").unwrap_or_default();
        let include = self.word(i, "include").unwrap_or_else(|| "noOtherFields".to_owned());
        let plain = !field.is_empty() && !field.contains(',') && !is_expression(&field) && include == "noOtherFields";
        if !plain {
            return Err(self.refuse(
                i,
                "a split of several or computed fields, or one that keeps others",
                "split one field into items of its own",
            ));
        }
        let item = match &state.item {
            Ok(item) => item.clone(),
            Err(what) => {
                let what = what.clone();
                return Err(self.refuse(i, &format!("it splits {what}"), "split a field of an item that is known"));
            }
        };
        self.note_read(&item);
        let list = field.split('.').fold(item.jq, |base, key| member(&base, key));
        let to = self.word(i, "options.destinationFieldName").filter(|to| !to.is_empty() && !is_expression(to));
        let key = to.unwrap_or_else(|| field.rsplit('.').next().unwrap_or(&field).to_owned());
        let jq = format!("{list} | map(if type == \"object\" then . else {{{}: .}} end)", quoted(&key));
        let name = self.short(i);
        out.push(Task::new(name.clone(), TaskKind::Set(Value::jq(jq))).kept_as(&name));
        Ok(self.each(i, state))
    }

    /// What follows goes through the items of a node.
    pub(super) fn each(&mut self, i: usize, state: &State) -> Follows {
        let mut state = state.clone();
        let items = self.keep(i, &mut state);
        let each = self.variable(i, &state);
        let item = Known { jq: format!("${each}"), name: None };
        state.loops.push(i);
        state.seen.insert(i, item.clone());
        state.item = Ok(item);
        self.kept.insert(i, (items.clone(), state.loops.clone()));
        Follows::Each { items, each, state }
    }

    pub(super) fn wait(&mut self, i: usize, state: &State, out: &mut Vec<Task>) -> Result<Follows, Refused> {
        let resume = self.word(i, "resume").unwrap_or_else(|| "timeInterval".to_owned());
        let unit = match self.word(i, "unit").as_deref() {
            Some("seconds") => 1_000,
            None if self.low.version(i) >= 1.1 => 1_000,
            Some("minutes") => 60_000,
            None | Some("hours") => 3_600_000,
            Some("days") => 86_400_000,
            Some(_) => 0,
        };
        let amount = self.low.parameters(i).and_then(|p| p.get("amount")).map(|tree| &tree.value);
        let amount = match amount {
            Some(Data::Int(n)) => u64::try_from(*n).ok(),
            None => Some(if self.low.version(i) >= 1.1 { 5 } else { 1 }),
            _ => None,
        };
        let ms = amount.and_then(|n| n.checked_mul(unit)).filter(|ms| *ms > 0);
        match (resume.as_str(), ms) {
            ("timeInterval", Some(ms)) => {
                out.push(Task::new(self.short(i), TaskKind::Wait(ms)));
                Ok(self.passes(i, state))
            }
            _ => Err(self.refuse(
                i,
                "a wait for a call, a form or a moment that is computed",
                "where a person must look first, let policy hold the step: `sluice approvals`",
            )),
        }
    }

    pub(super) fn stop(&mut self, i: usize, state: &State, out: &mut Vec<Task>) -> Result<Follows, Refused> {
        let parameters = self.low.parameters(i);
        let tree = parameters.and_then(|p| p.get("errorMessage"));
        let title = match tree {
            Some(tree) => self.value(i, tree, false, state)?,
            None if self.word(i, "errorType").is_none() => Value::Constant("".into()),
            None => {
                return Err(self.refuse(
                    i,
                    "an error that is an object",
                    "write its fields as `title` and `detail` of a `raise`",
                ));
            }
        };
        out.push(Task::new(self.short(i), TaskKind::Raise { title, detail: None }));
        Ok(self.passes(i, state))
    }
}

/// Which type each value of the current version is given.
fn kinds(parameters: &Tree) -> Vec<(sluice_core::text::Span, String)> {
    let list = at(Some(parameters), "assignments.assignments");
    let Some(Data::List(items)) = list.map(|list| &list.value) else { return Vec::new() };
    let of = |item: &Tree| Some((item.get("value")?.span, item.get("type")?.as_text()?.to_string()));
    items.iter().filter_map(of).collect()
}

/// A constant that stands as text where another type is meant.
fn typed(value: Value, kind: &str) -> Value {
    let Value::Constant(serde_json::Value::String(text)) = &value else { return value };
    let read = || serde_json::from_str::<serde_json::Value>(text.trim()).ok();
    let fits = |json: &serde_json::Value| match kind {
        "number" => json.is_number(),
        "boolean" => json.is_boolean(),
        "array" => json.is_array(),
        "object" => json.is_object(),
        _ => false,
    };
    read().filter(fits).map_or(value, Value::Constant)
}

/// Adds a field; `a.b` is a field of a field.
fn nest(fields: &mut Vec<(String, Value)>, name: &str, value: Value) {
    match name.split_once('.') {
        Some((outer, inner)) if !inner.is_empty() && !outer.is_empty() => {
            let at = fields.iter().position(|(n, _)| n == outer);
            let mut below = match at.map(|at| fields.remove(at)) {
                Some((_, Value::Map(below))) => below,
                _ => Vec::new(),
            };
            nest(&mut below, inner, value);
            fields.push((outer.to_owned(), Value::Map(below)));
        }
        _ => {
            fields.retain(|(n, _)| n != name);
            fields.push((name.to_owned(), value));
        }
    }
}
