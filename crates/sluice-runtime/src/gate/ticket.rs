//! The ticket gate: a policy lets a step pass only for a ticket that is open, about the step, and raised by whoever asks.
//!
//! The ticket is read each time the gate is asked, and what it says is part of what people sign: one that changed since
//! is another digest. Whatever keeps it from being read keeps the step from being taken.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};
use sluice_core::catalogue::Action;
use sluice_core::contract::Digest;
use sluice_core::contract::closure::{StepElement, TicketElement};
use sluice_core::expression::{Environment, evaluate};
use sluice_core::gate::Role;
use sluice_core::label::{Label, Name, Universe};
use sluice_core::program::Program;
use sluice_core::subject::Subjects;
use sluice_core::transfer::Prepared;
use sluice_core::value::Value;
use sluice_engine::{Call, Question};
use sluice_policy::{Remedy, TicketRule};

use super::version::{KEPT_BYTES_MAX, ReadOf, VersionRead, Versions};
use super::{Evidence, RunGate};
use crate::stop::OfCall;

/// Longest id of a ticket.
const ID_BYTES_MAX: usize = 200;

/// The ticket that a run is for.
#[derive(Clone, Debug)]
pub struct TicketNamed {
    /// Its id, or why there is none.
    id: Result<Name, String>,
    /// What the id carries.
    label: Label,
}

impl TicketNamed {
    /// What a definition names for a run with this input; `None` if it names none.
    #[must_use]
    pub fn of(program: &Program, input: &Json, label: Label) -> Option<Self> {
        let named = program.document.ticket.as_ref()?;
        let input = Value::from_json(input, label);
        let found = evaluate(named, &Environment { input: &input, variables: &|_| None });
        let label = found.value.as_ref().map_or(found.fallible, Value::deep_label).join(found.fallible).join(label);
        let id = match found.value.and_then(|value| value.to_json()) {
            Some(Json::String(id)) if !id.is_empty() && id.len() <= ID_BYTES_MAX => Ok(id.into()),
            Some(Json::Number(id)) => Ok(id.to_string().into()),
            _ => Err("what `metadata.ticket` names is no ticket's id in this run's input".to_owned()),
        };
        Some(Self { id, label })
    }
}

/// What the ticket systems said that a gate asked, together.
pub(super) struct TicketSeen {
    pub(super) element: TicketElement,
    /// As people are told.
    pub(super) told: Vec<Json>,
}

impl<E: Evidence> RunGate<'_, E> {
    /// The reads without which it cannot be said whether a ticket opens the gate.
    pub(super) fn ticket_reads(&self, question: &Question, remedies: &[Remedy], now_ms: u64) -> Vec<VersionRead> {
        let Some(TicketNamed { id: Ok(id), label }) = self.asker.ticket else { return Vec::new() };
        let rules = remedies.iter().filter_map(|remedy| remedy.ticket.as_ref());
        let shown_by: BTreeSet<(&Name, &Name)> = rules.map(|rule| (&rule.connector, &rule.action)).collect();
        let read = |(connector, action): (&Name, &Name)| VersionRead {
            of: ReadOf::Ticket(connector.clone(), action.clone()),
            call: self.ticket_read(question, (connector, action), id, *label, now_ms),
        };
        shown_by.into_iter().map(read).collect()
    }

    fn ticket_read(
        &self,
        question: &Question,
        (connector, name): (&Name, &Name),
        id: &Name,
        label: Label,
        now_ms: u64,
    ) -> Result<Call, String> {
        let none = || format!("no contract says how `{connector}.{name}` shows a ticket");
        let shows = self.catalogue.action(connector, name).ok_or_else(none)?;
        let ticket = self.catalogue.ticket(connector, name).ok_or_else(none)?;
        let call = OfCall {
            connector,
            action: name,
            principal: self.asker.principal,
            workflow: self.asker.workflow,
            author: self.asker.author,
        };
        if let Some(stop) = self.evidence.stopped(&call) {
            return Err(format!("{stop} was stopped"));
        }
        let arguments = Value::object(label, [(ticket.argument.clone(), Value::text(label, id.clone()))]);
        self.permitted_read(question, shows, arguments, now_ms)
    }

    /// What was read, if anything was.
    pub(super) fn tickets_seen(&self, versions: &Versions) -> Option<TicketSeen> {
        let Some(TicketNamed { id: Ok(id), .. }) = self.asker.ticket else { return None };
        let mut told = Vec::new();
        let mut content = Vec::new();
        for ((connector, action), reply) in versions.tickets() {
            let from = format!("{connector}.{action}");
            let bytes = canonical(reply.as_ref().ok());
            content.extend_from_slice(from.as_bytes());
            content.extend_from_slice(&bytes);
            // Of data subjects no more than the digest is kept: the run has not read of them.
            let shows = self.catalogue.action(connector, action);
            let is_kept = |reply: &&Json| {
                let is_nobodys = shows.is_some_and(|shows| shows.subjects_of(reply) == Subjects::NOBODY);
                is_nobodys && reply.to_string().len() <= KEPT_BYTES_MAX
            };
            told.push(json!({
                "argument": "ticket",
                "kind": "ticket",
                "id": id,
                "version": reply.as_ref().ok().map(|_| Digest::of(&bytes).to_string()),
                "from": from,
                "content": reply.as_ref().ok().filter(is_kept),
            }));
        }
        let element = TicketElement { id: id.clone(), content: Digest::of(&content) };
        (!told.is_empty()).then_some(TicketSeen { element, told })
    }

    /// Whether the ticket of the run opens the gate for this step.
    ///
    /// # Errors
    /// In words, why it does not.
    pub(super) fn opens(
        &self,
        rule: &TicketRule,
        question: &Question,
        action: &Action,
        versions: &Versions,
    ) -> Result<(), String> {
        let named = self.asker.ticket.ok_or_else(|| {
            "it is for no ticket: `document.metadata.ticket` names the one that a run is for".to_owned()
        })?;
        let id = named.id.as_ref().map_err(Clone::clone)?;
        let (connector, name) = (&rule.connector, &rule.action);
        let ticket = self.catalogue.ticket(connector, name);
        let reply = versions.ticket(connector, name);
        let (Some(ticket), Some(reply)) = (ticket, reply) else {
            return Err(format!("ticket `{id}` was not read: no contract says how `{connector}.{name}` shows one"));
        };
        let reply = reply.as_ref().map_err(|why| {
            format!("ticket `{id}` cannot be read with `{connector}.{name}`, so it does not count: {why}")
        })?;
        let subjects = subjects(action, &question.prepared, rule.names);
        let judged = ticket.judge(reply, self.workspace.principals(), self.asker.principal, &subjects);
        judged.map_err(|fault| format!("ticket `{id}` does not count: {fault}"))
    }
}

/// What the arguments of a role name, each; nothing if one of them names what no ticket could.
fn subjects(action: &Action, prepared: &Prepared, role: Role) -> Vec<String> {
    let of_role = action.arguments.iter().filter(|(_, argument)| argument.role == Some(role));
    let mut named = Vec::new();
    for (name, _) in of_role {
        let Some(value) = prepared.arguments.child(name) else { continue };
        match value.to_json() {
            Some(Json::Null) => {}
            Some(Json::String(text)) => named.push(text),
            Some(Json::Number(number)) => named.push(number.to_string()),
            Some(Json::Array(items)) if items.iter().all(Json::is_string) => {
                named.extend(items.iter().filter_map(Json::as_str).map(str::to_owned));
            }
            _ => return Vec::new(),
        }
    }
    named
}

fn canonical(reply: Option<&Json>) -> Vec<u8> {
    let Some(reply) = reply else { return Vec::new() };
    let (name, value) = (Name::from("reply"), Value::from_json(reply, Label::BOTTOM));
    let bytes: BTreeMap<Name, Vec<u8>> =
        StepElement::arguments([(&name, &value)], &Universe::new()).unwrap_or_default();
    bytes.into_values().next().unwrap_or_default()
}
