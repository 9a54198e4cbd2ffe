//! What entries tell, in words. Values in them are whatever they are: who shows the words escapes them.

use serde_json::Value as Json;
use sluice_core::contract::approval::{Act, Delegation, SignedStatement, Statement};
use sluice_core::contract::digest::to_hex;
use sluice_engine::{CallOutcome, Fact, GateAnswer, Resolution, Start};
use sluice_ledger::cbor::Value;

use crate::approvals::unhex;
use crate::audit::Line;
use crate::delegation::signed_in;

/// How what is told should be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// It is what it is.
    Plain,
    /// Something is done.
    Doing,
    /// It went well.
    Good,
    /// Somebody should look.
    Warn,
    /// It was stopped, or failed.
    Bad,
    /// Of little weight.
    Faint,
}

/// What an entry tells, in words, and whether that is good.
#[must_use]
pub fn told(line: &Line) -> (String, Mood) {
    if let Some(why) = line.sealed {
        return (format!("(its payload is {why})"), Mood::Faint);
    }
    if let Some(incident) = &line.incident {
        return (incident.to_string(), Mood::Bad);
    }
    let fact = line.payload.clone().and_then(|payload| serde_json::from_value::<Fact>(payload).ok());
    fact.as_ref().map_or_else(|| (other(line), Mood::Plain), of_run)
}

/// The same without any value that a run read, sent or made: for whoever may know what happened, and not the data in it.
#[must_use]
pub fn told_without_data(line: &Line) -> (String, Mood) {
    let whole = told(line);
    let fact = line.payload.clone().and_then(|payload| serde_json::from_value::<Fact>(payload).ok());
    let Some(fact) = fact else { return whole };
    let words = match &fact {
        Fact::Started(start) => requester(start),
        Fact::Planned { .. } => "lays down a plan".to_owned(),
        Fact::Intended { action, .. } => action.clone(),
        Fact::Finished { outcome, .. } => match outcome {
            CallOutcome::Replied { .. } => "replied".to_owned(),
            CallOutcome::Failed { .. } => "failed".to_owned(),
            CallOutcome::InDoubt { .. } | CallOutcome::Breach { .. } => return whole,
        },
        Fact::Resolved { resolution, by, .. } => match resolution {
            Resolution::Happened { .. } => {
                format!("{} says that it happened", by.as_deref().unwrap_or("a look-up"))
            }
            Resolution::Repeat | Resolution::Abandon => return whole,
        },
        Fact::Completed { .. } => "reached its end".to_owned(),
        Fact::Faulted { error } => {
            error.get("title").and_then(Json::as_str).unwrap_or("an error that nothing caught").to_owned()
        }
        _ => return whole,
    };
    (words, whole.1)
}

fn of_run(fact: &Fact) -> (String, Mood) {
    match fact {
        Fact::Started(start) => (format!("{}, with {}", requester(start), start.input), Mood::Doing),
        Fact::Planned { plan } => (format!("plans {plan}"), Mood::Doing),
        Fact::Decided { action, answer, .. } => decided(action, answer),
        Fact::ApprovalRequested { approval, .. } => (format!("{approval} waits for people"), Mood::Warn),
        Fact::Resumed { .. } => ("its gate is asked again".to_owned(), Mood::Plain),
        Fact::Intended { action, arguments, .. } => (format!("{action} with {arguments}"), Mood::Doing),
        Fact::Finished { outcome, .. } => finished(outcome),
        Fact::Resolved { resolution, by, .. } => (resolution_in_words(resolution, by.as_deref()), Mood::Plain),
        Fact::Denied { why, .. } => (why.clone(), Mood::Bad),
        Fact::Time => (String::new(), Mood::Faint),
        Fact::Recovered => ("another process goes on".to_owned(), Mood::Plain),
        Fact::Cancelled { why } => (why.clone(), Mood::Warn),
        Fact::Completed { output } => (output.to_string(), Mood::Good),
        Fact::Refused { code, why, .. } => (format!("{code}: {why}"), Mood::Bad),
        Fact::Faulted { error } => (error.to_string(), Mood::Bad),
    }
}

/// On whose behalf, and how they came in.
fn requester(start: &Start) -> String {
    let how = start.login.as_ref().map(|login| match login.acr.as_str() {
        "" => format!(", who came in by {}", login.by),
        // Whatever a provider writes stays one word of one line.
        level => format!(", who came in by {} at level {level:?}", login.by),
    });
    format!("on behalf of {}{}", start.requester, how.unwrap_or_default())
}

fn decided(action: &str, answer: &GateAnswer) -> (String, Mood) {
    // The policies, or the entry of the releases register.
    let by = |receipt: &Json| -> String {
        let items = receipt.get("policies").and_then(Json::as_array).into_iter().flatten();
        items.chain(receipt.get("release")).filter_map(Json::as_str).collect::<Vec<_>>().join(", ")
    };
    match answer {
        GateAnswer::Permit { receipt } => match receipt.pointer("/more/glass").and_then(Json::as_array) {
            Some(who) => {
                let who: Vec<&str> = who.iter().filter_map(Json::as_str).collect();
                (format!("permit {action} ({}): {} broke the glass", by(receipt), who.join(", ")), Mood::Warn)
            }
            None => (format!("permit {action} ({})", by(receipt)), Mood::Good),
        },
        GateAnswer::Hold { receipt, hold } => (format!("hold {action} ({}): {}", by(receipt), hold.why), Mood::Warn),
        GateAnswer::Unchanged { receipt, why } => (format!("unchanged {action} ({}): {why}", by(receipt)), Mood::Warn),
        GateAnswer::Forbid { code, why, .. } => (format!("forbid {action} ({code}): {why}"), Mood::Bad),
    }
}

fn finished(outcome: &CallOutcome) -> (String, Mood) {
    match outcome {
        CallOutcome::Replied { reply, .. } => (format!("replied {reply}"), Mood::Plain),
        CallOutcome::Failed { detail } => (format!("failed: {detail}"), Mood::Warn),
        CallOutcome::InDoubt { .. } => ("nobody knows whether it took effect".to_owned(), Mood::Bad),
        CallOutcome::Breach { why } => (format!("the reply breaks its contract: {why}"), Mood::Bad),
    }
}

/// Entries outside of runs.
fn other(line: &Line) -> String {
    let Some(payload) = &line.payload else { return String::new() };
    let text = |key: &str| payload.get(key).and_then(Json::as_str).filter(|text| !text.is_empty());
    let reason = text("reason").map(|reason| format!("because: {reason}"));
    if let Some(signed) = text("statement").and_then(unhex).and_then(|b| SignedStatement::from_bytes(&b).ok()) {
        let Statement { approver, role, instead_of, .. } = &signed.statement;
        let said = match instead_of {
            Some(whom) => format!("{approver} for {whom} as {role}"),
            None => format!("{approver} as {role}"),
        };
        return reason.map_or_else(|| said.clone(), |reason| format!("{said}, {reason}"));
    }
    if let Some(signed) = signed_in(payload) {
        let Delegation { by, act, .. } = &signed.delegation;
        let said = match act {
            Act::Give { to, role, .. } => {
                format!("{to} speaks for {by}, of {}", role.as_deref().unwrap_or("all that they are asked"))
            }
            Act::End { .. } => format!("nobody speaks for {by} by this any more"),
        };
        return reason.map_or_else(|| said.clone(), |reason| format!("{said}, {reason}"));
    }
    if let (Some(tool), Some(_)) = (text("tool"), payload.get("definition")) {
        return format!("a server says something else of `{tool}` than people have seen");
    }
    match (text("name"), text("requester"), text("person"), text("known")) {
        (Some(name), Some(requester), ..) => format!("`{name}` on behalf of {requester}"),
        (_, _, Some(person), Some(known)) => format!("of {person}, known by {known}"),
        _ => reason.unwrap_or_default(),
    }
}

/// What was found of a call in doubt, in words.
#[must_use]
pub fn resolution_in_words(resolution: &Resolution, by: Option<&str>) -> String {
    let by = by.unwrap_or("a look-up");
    match resolution {
        Resolution::Happened { reply, .. } => format!("{by} says that it happened: {reply}"),
        Resolution::Repeat => format!("{by} says that it did not happen: done now"),
        Resolution::Abandon => format!("{by} says that it did not happen: left undone"),
    }
}

/// A field of an entry's body, in words.
#[must_use]
pub fn field_in_words(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Bytes(bytes) => to_hex(bytes),
        Value::Int(number) => number.get().to_string(),
        Value::Array(items) => items.iter().map(field_in_words).collect::<Vec<_>>().join(", "),
        Value::Map(fields) => {
            fields.iter().map(|(key, value)| format!("{key}: {}", field_in_words(value))).collect::<Vec<_>>().join(", ")
        }
        Value::Bool(is) => is.to_string(),
        Value::Null => "nothing".to_owned(),
    }
}
