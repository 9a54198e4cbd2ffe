//! What an agent says it will call, before it has read a word of anybody else's.
//!
//! A plan fixes tools, how often each is called, the set of arguments, and their values but for its holes. What fills a hole
//! later may be anybody's words; what it may decide is the contract's role of that argument to say, and policy's.

mod hole;
mod workflow;

use std::collections::BTreeMap;

use serde_json::Value as Json;
use sluice_core::catalogue::{Action, Catalogue};
use sluice_core::gate::Role;
use sluice_core::label::{Label, Name};
use sluice_core::value::Value;
use thiserror::Error;

use self::hole::Hole;
use super::Given;

/// Most calls that a plan lists.
const CALLS_MAX: usize = 200;
/// How often one of them may be made at most.
const TIMES_MAX: u64 = 1_000;

/// How the tools of an agent are named, and which actions they are: connector and action.
pub struct Tools<'t> {
    /// By the name under which the agent calls one.
    pub by_name: &'t dyn Fn(&str) -> (Name, Name),
    /// By its connector and its name there.
    pub of_connector: &'t dyn Fn(&str, &str) -> (Name, Name),
}

/// A plan that was accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    calls: Vec<Planned>,
}

#[derive(Clone, Debug, PartialEq)]
struct Planned {
    connector: Name,
    action: Name,
    arguments: BTreeMap<String, Slot>,
    /// How often it may still be made.
    left: u64,
}

/// What a plan says of one argument.
#[derive(Clone, Debug, PartialEq)]
enum Slot {
    /// This very value.
    Given(Json),
    /// Whatever the agent finds, within bounds.
    Hole(Hole),
    /// A record with these very fields, of which some are left open.
    Record(BTreeMap<String, Slot>),
    /// A list of so many elements, of which some are left open.
    List(Vec<Slot>),
}

/// Where in a plan something is wrong: the call's number from 1, and the argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Where {
    /// From 1; 0 for the plan as a whole.
    pub call: usize,
    /// The argument, if it is one.
    pub argument: Option<String>,
}

/// Why a plan is not accepted. Nothing in it comes from labels or policies: an agent may be told all of it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PlanError {
    /// SL920. The agent has read words of others already: a plan would be theirs.
    #[error("SL920: a plan is laid down before anything is read, and this session has read something")]
    TooLate,
    /// SL921. There is one.
    #[error("SL921: this session has a plan, and it stands")]
    Standing,
    /// SL922. It is written wrongly.
    #[error("SL922: {}: {why}", told(at))]
    Malformed {
        /// Where.
        at: Where,
        /// In words.
        why: String,
    },
    /// SL923. A hole without a bound that it must have.
    #[error("SL923: {}: an amount that is found later needs a `max`", told(at))]
    Unbounded {
        /// Where.
        at: Where,
    },
    /// SL924. Policy would refuse a call of it, whatever fills its holes.
    #[error("SL924: {}: denied by policy ({code})", told(at))]
    Refused {
        /// Where.
        at: Where,
        /// The code of the refusal.
        code: String,
    },
}

fn told(at: &Where) -> String {
    match (at.call, &at.argument) {
        (0, _) => "the plan".to_owned(),
        (call, None) => format!("call {call}"),
        (call, Some(argument)) => format!("`{argument}` of call {call}"),
    }
}

impl Plan {
    /// Reads a plan: `{"calls": [{"tool": …, "times": 1, "arguments": {name: value or {"hole": "…"}}}]}`, or
    /// `{"workflow": "…"}`, the text of a definition.
    ///
    /// # Errors
    /// [`PlanError`]: the first thing that is wrong with it.
    pub fn read(written: &Json, catalogue: &Catalogue, tools: &Tools<'_>) -> Result<Self, PlanError> {
        let bad = |why: &str| PlanError::Malformed { at: Where { call: 0, argument: None }, why: why.to_owned() };
        known(written, &["calls", "workflow"])
            .map_err(|key| bad(&format!("it has no `{key}`; it has `calls` or `workflow`")))?;
        let calls = match (written.get("calls"), written.get("workflow")) {
            (Some(Json::Array(listed)), None) if (1..=CALLS_MAX).contains(&listed.len()) => {
                let read = |(at, call)| planned(call, at + 1, catalogue, tools.by_name);
                listed.iter().enumerate().map(read).collect::<Result<_, _>>()?
            }
            (Some(_), None) => return Err(bad(&format!("`calls` lists 1 to {CALLS_MAX} calls"))),
            (None, Some(Json::String(text))) => workflow::planned(text, catalogue, tools)?,
            (None, Some(_)) => return Err(bad("`workflow` is the text of a definition")),
            _ => return Err(bad("it has either `calls` or `workflow`")),
        };
        Ok(Self { calls })
    }

    /// The planned call that this one is, if it is one that may still be made.
    pub(super) fn find(&self, connector: &str, action: &str, arguments: &Json) -> Option<usize> {
        let Json::Object(arguments) = arguments else { return None };
        self.calls.iter().position(|call| {
            call.left > 0
                && *call.connector == *connector
                && *call.action == *action
                && call.arguments.len() == arguments.len()
                && call.arguments.iter().all(|(name, slot)| arguments.get(name).is_some_and(|value| slot.takes(value)))
        })
    }

    /// Whether a planned call may still be made.
    pub(super) fn has_left(&self, index: usize) -> bool {
        self.calls.get(index).is_some_and(|call| call.left > 0)
    }

    /// One of them was made.
    pub(super) fn made(&mut self, index: usize) {
        if let Some(call) = self.calls.get_mut(index) {
            call.left = call.left.saturating_sub(1);
        }
    }

    /// The arguments of a planned call with their labels: of what stands in the request nothing is known against; another
    /// value of the plan is the model's; what fills a hole is the model's and of all that it has `read`.
    pub(super) fn labelled(&self, index: usize, arguments: &Json, given: &Given, model: Label, read: Label) -> Value {
        let Some((call, Json::Object(arguments))) = self.calls.get(index).map(|call| (call, arguments)) else {
            return Value::from_json(arguments, read.join(model));
        };
        let labelled = |(name, value): (&String, &Json)| {
            let label = match call.arguments.get(name) {
                _ if given.has(value) => Label::BOTTOM,
                Some(Slot::Given(_)) => model,
                Some(Slot::Hole(_) | Slot::Record(_) | Slot::List(_)) | None => model.join(read),
            };
            (Name::from(name.as_str()), Value::from_json(value, label))
        };
        Value::object(Label::BOTTOM, arguments.iter().map(labelled))
    }

    /// Every planned call as it would be made with something in its holes: connector, action, arguments.
    pub(super) fn calls(&self) -> impl Iterator<Item = (&Name, &Name, Json)> {
        self.calls.iter().map(|call| {
            let arguments = call.arguments.iter().map(|(name, slot)| (name.clone(), slot.example()));
            (&call.connector, &call.action, Json::Object(arguments.collect()))
        })
    }
}

impl Slot {
    fn takes(&self, value: &Json) -> bool {
        match self {
            Self::Given(given) => given == value,
            Self::Hole(hole) => hole.takes(value),
            Self::Record(fields) => value.as_object().is_some_and(|value| {
                let takes = |(name, slot): (&String, &Self)| value.get(name).is_some_and(|value| slot.takes(value));
                value.len() == fields.len() && fields.iter().all(takes)
            }),
            Self::List(items) => value.as_array().is_some_and(|value| {
                value.len() == items.len() && items.iter().zip(value).all(|(slot, value)| slot.takes(value))
            }),
        }
    }

    fn example(&self) -> Json {
        match self {
            Self::Given(value) => value.clone(),
            Self::Hole(hole) => hole.example(),
            Self::Record(fields) => fields.iter().map(|(name, slot)| (name.clone(), slot.example())).collect(),
            Self::List(items) => items.iter().map(Self::example).collect(),
        }
    }

    /// Whether something in it is found later that nothing bounds from above.
    fn is_unbounded(&self) -> bool {
        match self {
            Self::Given(_) => false,
            Self::Hole(hole) => !hole.is_bounded_above(),
            Self::Record(fields) => fields.values().any(Self::is_unbounded),
            Self::List(items) => items.iter().any(Self::is_unbounded),
        }
    }
}

fn planned(
    written: &Json,
    at: usize,
    catalogue: &Catalogue,
    action_of: &dyn Fn(&str) -> (Name, Name),
) -> Result<Planned, PlanError> {
    let bad = |why: String| PlanError::Malformed { at: Where { call: at, argument: None }, why };
    known(written, &["tool", "times", "arguments"])
        .map_err(|key| bad(format!("it has no `{key}`; it has `tool`, `times` and `arguments`")))?;
    let tool = written.get("tool").and_then(Json::as_str).ok_or_else(|| bad("`tool` names one".to_owned()))?;
    let times = written.get("times").map_or(Some(1), Json::as_u64).filter(|times| (1..=TIMES_MAX).contains(times));
    let left = times.ok_or_else(|| bad(format!("`times` is a whole number from 1 to {TIMES_MAX}")))?;
    let (connector, name) = action_of(tool);
    let action = catalogue.action(&connector, &name).ok_or_else(|| bad(format!("there is no tool `{tool}`")))?;
    let none = serde_json::Map::new();
    let given = match written.get("arguments") {
        None => &none,
        Some(Json::Object(given)) => given,
        Some(_) => return Err(bad("`arguments` is an object".to_owned())),
    };
    let arguments = slots(given, at, tool, action)?;
    Ok(Planned { connector, action: name, arguments, left })
}

/// What a call of a plan, the `at`-th, says of each argument.
fn slots(
    written: &serde_json::Map<String, Json>,
    at: usize,
    tool: &str,
    action: &Action,
) -> Result<BTreeMap<String, Slot>, PlanError> {
    let mut arguments = BTreeMap::new();
    for (name, value) in written {
        let place = || Where { call: at, argument: Some(name.clone()) };
        let bad = |why: String| PlanError::Malformed { at: place(), why };
        if !action.arguments.contains_key(name.as_str()) {
            return Err(bad(format!("`{tool}` has no such argument")));
        }
        let slot = slot(value, DEPTH_MAX).map_err(bad)?;
        if is_unbounded(&slot, action, name) {
            return Err(PlanError::Unbounded { at: place() });
        }
        arguments.insert(name.clone(), slot);
    }
    Ok(arguments)
}

/// How much is never left open.
fn is_unbounded(slot: &Slot, action: &Action, argument: &str) -> bool {
    let is_amount = action.arguments.get(argument).is_some_and(|argument| argument.role == Some(Role::Amount));
    is_amount && slot.is_unbounded()
}

/// Deepest that a hole stands in an argument.
const DEPTH_MAX: usize = 16;

/// An argument as it is written: a value, a hole, or a record or list in which some parts are holes.
fn slot(value: &Json, depth: usize) -> Result<Slot, String> {
    if !has_hole(value) {
        return Ok(Slot::Given(value.clone()));
    }
    let Some(left) = depth.checked_sub(1) else {
        return Err(format!("a hole stands at most {DEPTH_MAX} levels deep"));
    };
    match value {
        Json::Object(fields) if fields.contains_key("hole") => Ok(Slot::Hole(Hole::read(value)?)),
        Json::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| Ok((name.clone(), slot(value, left)?)));
            fields.collect::<Result<_, String>>().map(Slot::Record)
        }
        Json::Array(items) => items.iter().map(|item| slot(item, left)).collect::<Result<_, _>>().map(Slot::List),
        other => Ok(Slot::Given(other.clone())),
    }
}

fn has_hole(value: &Json) -> bool {
    match value {
        Json::Object(fields) => fields.contains_key("hole") || fields.values().any(has_hole),
        Json::Array(items) => items.iter().any(has_hole),
        _ => false,
    }
}

/// The first key that is none of `keys`.
fn known(value: &Json, keys: &[&str]) -> Result<(), String> {
    let unknown = value.as_object().and_then(|fields| fields.keys().find(|key| !keys.contains(&key.as_str())));
    unknown.map_or(Ok(()), |key| Err(key.clone()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_hole_in_a_part_of_an_argument_leaves_the_rest_as_it_is_written() {
        let rents = json!([{ "lease": "L-1", "rent": { "hole": "the rent", "max": 900 } }, "as agreed"]);
        let slot = slot(&rents, DEPTH_MAX).unwrap();
        assert!(slot.takes(&slot.example()));
        for (value, expected) in [
            (json!([{ "lease": "L-1", "rent": 850 }, "as agreed"]), true),
            (json!([{ "lease": "L-1", "rent": 950 }, "as agreed"]), false),
            (json!([{ "lease": "L-2", "rent": 850 }, "as agreed"]), false),
            (json!([{ "lease": "L-1", "rent": 850, "from": "now" }, "as agreed"]), false),
            (json!([{ "rent": 850 }, "as agreed"]), false),
            (json!([{ "lease": "L-1", "rent": 850 }]), false),
            (json!([{ "lease": "L-1", "rent": 850 }, "as agreed", { "lease": "L-2", "rent": 1 }]), false),
            (json!({ "lease": "L-1", "rent": 850 }), false),
        ] {
            assert_eq!(slot.takes(&value), expected, "{value}");
        }
    }

    #[test]
    fn a_part_that_is_left_open_is_as_unbounded_as_a_whole() {
        let is_unbounded = |written: Json| slot(&written, DEPTH_MAX).unwrap().is_unbounded();
        assert!(is_unbounded(json!({ "value": { "hole": "how much" }, "currency": "EUR" })));
        assert!(!is_unbounded(json!({ "value": { "hole": "how much", "max": 5 }, "currency": "EUR" })));
        assert!(!is_unbounded(json!({ "value": 5 })));
    }

    #[test]
    fn a_part_that_is_no_hole_though_it_looks_like_one_is_told() {
        assert!(slot(&json!({ "a": [{ "hole": 7 }] }), DEPTH_MAX).is_err());
        assert!(slot(&json!({ "a": { "hole": "x", "depth": 3 } }), DEPTH_MAX).is_err());
        let deep = (0..=DEPTH_MAX).fold(json!({ "hole": "x" }), |inner, _| json!([inner]));
        assert!(slot(&deep, DEPTH_MAX).is_err());
    }
}
