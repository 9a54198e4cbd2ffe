//! What a state works on and what it leaves behind, as jq.

use serde_json::Value as Json;
use sluice_core::document::{Data, Node as Tree};

use super::super::path::reference;
use super::super::read::State;
use super::path::{self, Sight, atom};
use super::{Refused, Writer};
use crate::native::{Value, member, quoted};
use crate::refusal;

impl<'t> Writer<'_, 't> {
    /// What `$` is in a state: its input, or what `InputPath` picks of it.
    pub(super) fn input(&mut self, state: &State<'t>, sight: &Sight) -> Result<Sight, Refused> {
        let input = self.picked(state, "InputPath", sight)?.unwrap_or_else(|| sight.input.clone());
        Ok(Sight { input, ..sight.clone() })
    }

    /// What a path field picks; `null` picks nothing.
    pub(super) fn picked(&mut self, state: &State<'t>, key: &str, sight: &Sight) -> Result<Option<String>, Refused> {
        match state.get(key) {
            None => Ok(None),
            Some(tree) if tree.as_text().is_some_and(|text| text.trim() == "$") => Ok(None),
            Some(tree) if matches!(tree.value, Data::Null) => Ok(Some("{}".to_owned())),
            Some(tree) => self.path(state, tree, sight).map(Some),
        }
    }

    /// The jq of a path or a call of intrinsic functions.
    pub(super) fn path(&mut self, state: &State<'t>, tree: &Tree, sight: &Sight) -> Result<String, Refused> {
        let text = tree.as_text().map_or("", |text| text);
        match path::jq(text, sight) {
            Ok(told) => {
                for note in told.notes {
                    self.note(note);
                }
                self.read.extend(told.reads);
                self.short_enough(state, told.jq, tree.span)
            }
            Err(what) => Err(self.gap(state, &refusal::EXPRESSION_WITHOUT_EQUIVALENT, tree.span, &what, "")),
        }
    }

    /// After a state that makes a result: what `output` says of it. `made` and `given` are the jq of the result and of what
    /// the state was given.
    pub(super) fn left(
        &mut self,
        state: &State<'t>,
        in_map: bool,
        (made, given): (&str, &str),
    ) -> Result<Option<String>, Refused> {
        let mut result = made.to_owned();
        if let Some(selector) = state.get("ResultSelector") {
            let sight = Sight { input: made.to_owned(), in_map, state: state.name.to_string() };
            result = self.template(state, selector, &sight)?.to_jq();
        }
        let placed = self.placed(state, state.get("ResultPath"), (&result, given))?;
        let sight = Sight { input: ".".to_owned(), in_map, state: state.name.to_string() };
        let output = match self.picked(state, "OutputPath", &sight)? {
            Some(picked) if placed == "." => picked,
            Some(picked) => format!("{} | {picked}", atom(&placed)),
            None => placed,
        };
        let output = self.short_enough(state, output, state.span)?;
        Ok((output != ".").then_some(output))
    }

    /// After a state that passes its input on; `given` is the jq of it.
    pub(super) fn passed(&mut self, state: &State<'t>, sight: &Sight, given: &str) -> Result<Option<String>, Refused> {
        let sight = Sight { input: given.to_owned(), ..sight.clone() };
        let input = self.input(state, &sight)?;
        let output = self.picked(state, "OutputPath", &input)?.unwrap_or_else(|| input.input.clone());
        Ok((output != given).then_some(output))
    }

    /// `ResultPath`: the result in place of what was given, beside it, inside it, or nowhere.
    pub(super) fn placed(
        &mut self,
        state: &State<'t>,
        path: Option<&Tree>,
        (result, given): (&str, &str),
    ) -> Result<String, Refused> {
        let Some(tree) = path else { return Ok(result.to_owned()) };
        let Some(text) = tree.as_text() else { return Ok(given.to_owned()) };
        match reference(text) {
            Some(names) => Ok(inserted(given, &names, result)),
            None => {
                let what = "a `ResultPath` that names no field";
                Err(self.gap(state, &refusal::PARAMETER_WITHOUT_EQUIVALENT, tree.span, what, ""))
            }
        }
    }

    /// A template: what has `.$` behind its name is an expression.
    pub(super) fn template(&mut self, state: &State<'t>, tree: &Tree, sight: &Sight) -> Result<Value, Refused> {
        match &tree.value {
            Data::Map(entries) => {
                let mut fields = Vec::new();
                let mut refused = false;
                for entry in entries {
                    match self.field(state, &entry.key, &entry.value, sight) {
                        Ok(field) => fields.push(field),
                        Err(Refused) => refused = true,
                    }
                }
                if refused { Err(Refused) } else { Ok(Value::Map(fields)) }
            }
            Data::List(items) => {
                let made: Result<Vec<Value>, Refused> =
                    items.iter().map(|item| self.template(state, item, sight)).collect();
                let made = made?;
                let jq = |value: &Value| atom(&value.to_jq());
                let is_constant = made.iter().all(|value| matches!(value, Value::Constant(_)));
                Ok(match is_constant {
                    true => Value::Constant(tree.to_json()),
                    false => Value::jq(format!("[{}]", made.iter().map(jq).collect::<Vec<_>>().join(", "))),
                })
            }
            _ => Ok(Value::Constant(tree.to_json())),
        }
    }

    fn field(&mut self, state: &State<'t>, key: &str, tree: &Tree, sight: &Sight) -> Result<(String, Value), Refused> {
        match key.strip_suffix(".$") {
            Some(name) => Ok((name.to_owned(), Value::jq(atom(&self.path(state, tree, sight)?)))),
            None => Ok((key.to_owned(), self.template(state, tree, sight)?)),
        }
    }
}

/// A constant, objects field by field.
pub(super) fn constant(json: &Json) -> Value {
    match json {
        Json::Object(fields) => {
            Value::Map(fields.iter().map(|(name, value)| (name.clone(), constant(value))).collect())
        }
        other => Value::Constant(other.clone()),
    }
}

/// `base` with a value at some names below it.
fn inserted(base: &str, names: &[String], value: &str) -> String {
    let Some((first, rest)) = names.split_first() else { return value.to_owned() };
    let below = if base == "." { path::field(first) } else { member(base, first) };
    format!("{base} + {{{}: {}}}", quoted(first), atom(&inserted(&below, rest, value)))
}
