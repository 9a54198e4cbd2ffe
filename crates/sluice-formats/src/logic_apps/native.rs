//! Native definitions of Logic Apps and flows: actions as tasks, in an order that `runAfter` allows.
//!
//! What an action puts out is kept in `$context` under the action's own name: `body('Get order')?['id']` is
//! `$context["Get order"].id`. Variables are kept there, too. Blocks are lists inside. What runs after a failure runs where
//! the action before it was tried and failed; only in such blocks it is kept how each action ended.

mod action;
mod after;
mod block;
mod call;
mod condition;
mod function;
mod http;
mod jq;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::{Data, Node as Tree};
use sluice_core::text::{Span, Text};

use super::blocks::is_chain;
use super::expression::is_expression;
use super::lower::{Lowering, prepared};
use super::read::{self, Action, key};
use crate::native::{Definition, Refused, Value, Writing, member, start_of};
use crate::refusal;
use jq::Root;

/// The names of the triggers, in the order of the file.
pub(crate) fn starts(tree: &Tree) -> Vec<Arc<str>> {
    let Ok(workflow) = read::workflow(tree) else { return Vec::new() };
    let (low, _) = prepared(&workflow, super::built_in());
    workflow.triggers.iter().filter_map(|trigger| Some(low.room(trigger)?.name.clone())).collect()
}

/// Translates a workflow definition.
///
/// # Errors
/// Those of reading it; that nothing starts it, or several triggers do and `start` names none of them; that it lies too deep.
pub(crate) fn definition(text: &Text, tree: &Tree, start: Option<&str>) -> Result<Definition, Vec<Diagnostic>> {
    let workflow = read::workflow(tree)?;
    let (low, _) = prepared(&workflow, super::built_in());
    let names: Vec<Arc<str>> = low.rooms.iter().map(|room| room.name.clone()).collect();
    let starts: Vec<Arc<str>> =
        workflow.triggers.iter().filter_map(|trigger| Some(low.room(trigger)?.name.clone())).collect();
    let at = start_of(workflow.definition, &starts, start, "add a trigger")?;
    let Some(trigger) = workflow.triggers.get(at) else { return Err(Vec::new()) };
    let mut desk = Writing::new(text, names);
    let slots = low.variables.keys().map(|name| (name.clone(), desk.free(&format!("variable {name}")).to_string()));
    let slots = slots.collect();
    let mut writer = Writer { low: &low, desk, trigger, event: Err(String::new()), slots };
    let mut tasks = writer.start();
    let sight = Sight { is_alone: is_chain(&workflow.block), ..Sight::default() };
    tasks.extend(writer.block(&workflow.block, &sight));
    if workflow.further > 0 {
        let words = format!("of {} further workflows of the template nothing is written", workflow.further);
        writer.desk.note(words);
    }
    let title = workflow.title.map_or("workflow", |title| title);
    writer.desk.finish(title, tasks, workflow.definition.span)
}

/// What the actions of a block see.
#[derive(Clone, Debug, Default)]
struct Sight {
    /// The loops around, by what expressions call them, with their variables; outermost first.
    items: Vec<(String, String)>,
    /// The variable of the list that an expression goes through.
    row: Option<String>,
    /// Whether a loop is around.
    is_repeated: bool,
    /// Whether nothing else runs beside it.
    is_alone: bool,
    /// Whether a failure of it is handled somewhere around.
    is_tried: bool,
}

struct Writer<'a, 't> {
    low: &'a Lowering<'t>,
    desk: Writing<'t>,
    trigger: &'a Action<'t>,
    /// The name of `$context` that holds the event, or why nothing does.
    event: Result<String, String>,
    /// Where `$context` keeps each variable.
    slots: BTreeMap<String, String>,
}

impl<'t> Writer<'_, 't> {
    /// The name of an action's own task: what the flows of both are compared by.
    fn name(&self, action: &Action<'_>) -> Arc<str> {
        self.low.room(action).map_or_else(|| action.name.clone(), |room| room.name.clone())
    }

    fn refuse(&mut self, action: &Action<'_>, span: Span, what: &str, help: &str) -> Refused {
        let name = self.name(action);
        self.desk.refuse(&name, span, what, help)
    }

    fn unlike(&mut self, action: &Action<'_>, span: Span, what: &str, help: &str) -> Refused {
        let name = self.name(action);
        self.desk.gap(&name, &refusal::PARAMETER_WITHOUT_EQUIVALENT, span, what, help)
    }

    /// The value of a text.
    fn text(&mut self, action: &Action<'_>, text: &str, span: Span, sight: &Sight) -> Result<Value, Refused> {
        let name = self.name(action);
        if text.starts_with('[') && text.ends_with(']') && text.contains('(') {
            self.desk.note(
                "what stands in `[…]` is put there by a deployment, which this file does not show: it is carried over as it is, and its \
                 value is yours to write",
            );
        }
        let found = jq::value(text, &|function, named| self.root(function, named, sight));
        match found {
            Ok(told) => {
                for note in told.notes {
                    self.desk.note(note);
                }
                self.desk.read.extend(told.reads);
                self.desk.short_enough(&name, told.value.to_jq(), span)?;
                Ok(told.value)
            }
            Err(what) => {
                let given = what.starts_with("the parameter");
                let help = if given { "write its value as `defaultValue` in the file that is imported" } else { "" };
                Err(self.desk.gap(&name, &refusal::EXPRESSION_WITHOUT_EQUIVALENT, span, &what, help))
            }
        }
    }

    /// The value of a template.
    fn template(&mut self, action: &Action<'_>, tree: &Tree, sight: &Sight) -> Result<Value, Refused> {
        match &tree.value {
            Data::Map(fields) => {
                let mut made = Vec::new();
                let mut refused = None;
                for field in fields {
                    if is_expression(&field.key) {
                        let help = "name each field";
                        refused = Some(self.unlike(action, field.key_span, "a field whose name is computed", help));
                        continue;
                    }
                    match self.template(action, &field.value, sight) {
                        Ok(value) => made.push((field.key.to_string(), value)),
                        Err(gone) => refused = Some(gone),
                    }
                }
                refused.map_or(Ok(Value::Map(made)), Err)
            }
            Data::List(items) => {
                let made: Result<Vec<Value>, Refused> =
                    items.iter().map(|item| self.template(action, item, sight)).collect();
                let made = made?;
                Ok(match made.iter().all(|value| matches!(value, Value::Constant(_))) {
                    true => Value::Constant(made.iter().map(constant).collect()),
                    false => Value::jq(format!("[{}]", made.iter().map(Value::to_jq).collect::<Vec<_>>().join(", "))),
                })
            }
            Data::Text(text) => self.text(action, text, tree.span, sight),
            _ => Ok(Value::Constant(tree.to_json())),
        }
    }

    /// The same as one jq expression, which may stand in a larger one: whatever is made of several parts is in brackets.
    fn jq(&mut self, action: &Action<'_>, tree: &Tree, sight: &Sight) -> Result<String, Refused> {
        Ok(self.template(action, tree, sight)?.to_jq())
    }

    /// What a function reads of the run.
    fn root(&self, function: &str, name: Option<&str>, sight: &Sight) -> Result<Root, String> {
        let event = || self.event.clone().map(|name| (member("$context", &name), Some(name)));
        match (function, name) {
            ("triggerbody", None) => event().map(|(jq, name)| Root::Value(member(&jq, "body"), name)),
            ("triggeroutputs", None) => event().map(|(jq, name)| Root::Value(jq, name)),
            ("body" | "actionbody", Some(name)) => match self.output(name)? {
                Root::Value(jq, name) | Root::Reply(jq, name) => Ok(Root::Value(jq, name)),
            },
            ("outputs" | "actionoutputs", Some(name)) => self.output(name),
            ("items", Some(name)) => {
                let found = sight.items.iter().find(|(loop_key, _)| *loop_key == key(name));
                let (_, variable) =
                    found.ok_or_else(|| format!("the item of `{name}`, which is no loop around it,"))?;
                Ok(Root::Value(format!("${variable}"), None))
            }
            ("item", None) => {
                let found = sight.row.as_ref().or_else(|| sight.items.last().map(|(_, variable)| variable));
                let found = found.ok_or_else(|| "an item where no loop is around".to_owned())?;
                Ok(Root::Value(format!("${found}"), None))
            }
            ("variables", Some(name)) => {
                let slot = self.slots.get(&name.trim().to_lowercase());
                let slot = slot.ok_or_else(|| format!("the variable `{name}`, which nothing sets,"))?;
                Ok(Root::Value(member("$context", slot), Some(slot.clone())))
            }
            ("parameters", Some(name)) => self.parameter(name).map(|jq| Root::Value(jq, None)),
            ("result", _) => Err("how the actions of a block ended (`result`)".to_owned()),
            ("agentparameters", _) => Err("a value that a model chooses".to_owned()),
            (function, _) => Err(format!("a call of `{function}` like this one")),
        }
    }

    /// What an action put out.
    fn output(&self, name: &str) -> Result<Root, String> {
        let room = self.low.by_key.get(&key(name)).and_then(|index| self.low.rooms.get(*index));
        let room = room.ok_or_else(|| format!("a reference to `{name}`, which is no action of this file,"))?;
        let kept = room.name.to_string();
        let jq = member("$context", &kept);
        match (room.called.service.as_str(), room.called.operation.as_str()) {
            ("built-in", "compose") => Ok(Root::Value(jq, Some(kept))),
            ("built-in", "foreach" | "until" | "scope" | "if" | "switch" | "wait" | "terminate" | "response") => {
                Err(format!("what `{name}` puts out, which is no value,"))
            }
            _ => Ok(Root::Reply(jq, Some(kept))),
        }
    }

    /// A parameter's default: what else a deployment gives does not stand in the file.
    fn parameter(&self, name: &str) -> Result<String, String> {
        let declared = read::entries(self.low.workflow.definition.get("parameters"));
        let entry = declared.iter().find(|entry| entry.key.eq_ignore_ascii_case(name)).map(|entry| &entry.value);
        let kind = entry.and_then(|entry| entry.get("type")).and_then(Tree::as_text);
        if kind.is_some_and(|kind| kind.to_lowercase().starts_with("secure")) {
            return Err(format!("the secret parameter `{name}`, which belongs into the credential of a connector,"));
        }
        match entry.and_then(|entry| entry.get("defaultValue")) {
            Some(default) if !name.starts_with('$') => Ok(Value::Constant(default.to_json()).to_jq()),
            _ => Err(format!("the parameter `{name}`, whose value does not stand in the file,")),
        }
    }

    /// Writes down that something will be read of `$context`.
    fn reads(&mut self, name: &str) -> String {
        self.desk.read.insert(name.to_owned());
        member("$context", name)
    }
}

fn constant(value: &Value) -> serde_json::Value {
    match value {
        Value::Constant(json) => json.clone(),
        _ => serde_json::Value::Null,
    }
}

/// The names of statuses, in small letters.
fn words(tree: Option<&Tree>) -> BTreeSet<String> {
    read::list(tree).iter().filter_map(Tree::as_text).map(|word| word.to_lowercase()).collect()
}
