//! The version of whatever a held step refers to, read from the system of record.
//!
//! A person who approves "add eve to `readers`" approves it of the group as it is. Where the contract names an action that
//! shows the object, its reply is the version: read when the step is held, and again each time the gate is asked whether
//! what was said still counts.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use sluice_core::catalogue::Action;
use sluice_core::contract::Digest;
use sluice_core::contract::closure::StepElement;
use sluice_core::label::{Label, Name, Universe};
use sluice_core::subject::Subjects;
use sluice_core::transfer::{Reference, prepare_action};
use sluice_core::value::Value;
use sluice_engine::{Call, Question};
use sluice_policy::{Answer, Decision, Remedy, RemedyKind};
use sluice_verify::question::is_satisfiable;

use super::{Evidence, RunGate};

/// Largest reply that is kept to show what changed. Of a larger one only the digest is.
pub(super) const KEPT_BYTES_MAX: usize = 64 * 1024;

/// What a gate reads before it answers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReadOf {
    /// The version of what this argument refers to.
    Argument(Name),
    /// The ticket, as this action of this connector shows it.
    Ticket(Name, Name),
}

/// A read that the answer needs.
#[derive(Debug)]
pub struct VersionRead {
    /// What is read.
    pub of: ReadOf,
    /// The call, or why it may not be made.
    pub call: Result<Call, String>,
}

/// What the systems of record said.
#[derive(Debug, Default)]
pub struct Versions(BTreeMap<ReadOf, Result<Json, String>>);

impl Versions {
    /// Adds what came back, or why nothing did.
    pub fn add(&mut self, of: ReadOf, reply: Result<Json, String>) {
        self.0.insert(of, reply);
    }

    fn of(&self, argument: &Name) -> Option<&Result<Json, String>> {
        self.0.get(&ReadOf::Argument(argument.clone()))
    }

    pub(super) fn ticket(&self, connector: &Name, action: &Name) -> Option<&Result<Json, String>> {
        self.0.get(&ReadOf::Ticket(connector.clone(), action.clone()))
    }

    /// Every ticket that was asked for, by the action that shows it.
    pub(super) fn tickets(&self) -> impl Iterator<Item = ((&Name, &Name), &Result<Json, String>)> {
        self.0.iter().filter_map(|(of, reply)| match of {
            ReadOf::Ticket(connector, action) => Some(((connector, action), reply)),
            ReadOf::Argument(_) => None,
        })
    }
}

/// An object that a step refers to, at its version.
pub(super) struct Referred {
    pub(super) argument: Name,
    /// As the closure names it.
    pub(super) version: Name,
    /// As people are told.
    pub(super) told: Json,
}

impl<E: Evidence> RunGate<'_, E> {
    /// The reads without which the question cannot be answered. Only what people are asked about has a digest that names
    /// versions, so nothing is read for any other.
    pub fn reads(&self, question: &Question, now_ms: u64) -> Vec<VersionRead> {
        let catalogue = self.catalogue;
        let prepared = &question.prepared;
        let Some(action) = prepared.action.as_ref().and_then(|(c, a)| catalogue.action(c, a)) else {
            return Vec::new();
        };
        let named: Vec<(&Reference, &Name)> = prepared
            .references
            .iter()
            .filter_map(|reference| Some((reference, action.arguments.get(&reference.argument)?.version.as_ref()?)))
            .collect();
        if named.is_empty() && !self.workspace.policies().asks_for_tickets(action.effect) {
            return Vec::new();
        }
        let answer = self.asked(question, action, now_ms);
        let Decision::Hold { remedies, .. } = &answer.decision else { return Vec::new() };
        let mut reads = self.ticket_reads(question, remedies, now_ms);
        if self.waits_for_people(remedies) {
            reads.extend(named.into_iter().map(|(reference, name)| VersionRead {
                of: ReadOf::Argument(reference.argument.clone()),
                call: self.read(question, action, name, now_ms),
            }));
        }
        reads
    }

    /// Whether people are asked, once there is the ticket that policy asks for.
    fn waits_for_people(&self, remedies: &[Remedy]) -> bool {
        let mut of_people = remedies.iter().filter(|remedy| remedy.kind != RemedyKind::Ticket).peekable();
        of_people.peek().is_some()
            && of_people.all(|remedy| remedy.kind == RemedyKind::Approval)
            && is_satisfiable(self.workspace.principals(), self.asker.requester, remedies)
    }

    /// What policy says without any approval.
    fn asked(&self, question: &Question, action: &Action, now_ms: u64) -> Answer {
        let hourly = self.evidence.calls_this_hour(&action.full_name(), now_ms);
        self.workspace.policies().decide(&self.request(question, action, hourly, now_ms))
    }

    /// The call that shows the object. It reaches a connector before anybody approved anything, so policy must permit it
    /// as it stands, with the labels that the arguments have.
    fn read(&self, question: &Question, action: &Action, name: &Name, now_ms: u64) -> Result<Call, String> {
        let catalogue = self.catalogue;
        let shows = catalogue.action(&action.connector, name).ok_or_else(|| format!("there is no action `{name}`"))?;
        let given = &question.prepared.arguments;
        // What a secret fills is named by a definition's text, and no text names it for this call.
        let valued = shows.arguments.iter().filter(|(_, argument)| argument.secret.is_none());
        let taken = valued.filter_map(|(name, _)| Some((name.clone(), given.child(name)?)));
        self.permitted_read(question, shows, Value::object(given.label, taken), now_ms)
    }

    /// A read beside the question, if policy permits it as it stands.
    pub(super) fn permitted_read(
        &self,
        question: &Question,
        shows: &Action,
        arguments: Value,
        now_ms: u64,
    ) -> Result<Call, String> {
        let prepared = prepare_action(self.universe, shows, arguments, question.prepared.control);
        if !prepared.breaches.is_empty() {
            return Err(format!("the call does not fit the contract of `{}`", shows.full_name()));
        }
        let asked = Question { prepared, ..question.clone() };
        if !self.asked(&asked, shows, now_ms).decision.is_permit() {
            return Err(format!("policy does not permit `{}` here", shows.full_name()));
        }
        Ok(Call {
            run: self.run,
            token: question.token,
            connector: shows.connector.clone(),
            action: shows.name.clone(),
            arguments: asked.prepared.arguments.to_json().unwrap_or_default(),
            key: question.key,
            repeated: false,
        })
    }

    /// Everything that the step refers to, at its version.
    ///
    /// # Errors
    /// In words: a version that could not be read.
    pub(super) fn referred(
        &self,
        question: &Question,
        action: &Action,
        versions: &Versions,
    ) -> Result<Vec<Referred>, String> {
        let catalogue = self.catalogue;
        let of = |reference: &Reference| {
            let named = action.arguments.get(&reference.argument).and_then(|a| a.version.as_ref());
            match (named, versions.of(&reference.argument)) {
                (Some(name), Some(Ok(reply))) => {
                    let shows = catalogue.action(&action.connector, name);
                    let kept = shows.filter(|shows| shows.subjects_of(reply) == Subjects::NOBODY).map(|_| reply);
                    Ok(read_version(reference, &format!("{}.{name}", action.connector), reply, kept))
                }
                (Some(name), Some(Err(why))) => Err(format!(
                    "the version of what `{}` names cannot be read with `{}.{name}`: {why}",
                    reference.argument, action.connector
                )),
                // Nobody is asked about this call: no digest of it is looked up.
                (Some(_), None) => Ok(unread(reference)),
                (None, _) => Ok(self.registered(reference)),
            }
        };
        question.prepared.references.iter().map(of).collect()
    }

    /// The version of a group as the register has it: its members and class. Of anything else none is known.
    fn registered(&self, reference: &Reference) -> Referred {
        let id = reference.id.as_deref().unwrap_or("");
        match (reference.kind.as_ref(), self.workspace.principals().groups.get(id)) {
            ("group", Some(group)) => {
                let members: Vec<&str> = group.members.iter().map(|m| m.value.as_ref()).collect();
                let text = format!("{id}\n{}\n{}", group.privileged, members.join("\n"));
                let version = Digest::of(text.as_bytes()).to_string();
                let reply = json!({ "privileged": group.privileged, "members": members });
                refers(reference, &version, Some("the principals register"), Some(&reply))
            }
            _ => refers(reference, "unregistered", None, None),
        }
    }
}

/// The digest of the reply is the version: whatever of it changes, it is another. Of data subjects no more than that is
/// `kept`: the run has not read of them, so that nothing in it is sealed as theirs.
fn read_version(reference: &Reference, from: &str, reply: &Json, kept: Option<&Json>) -> Referred {
    let value = Value::from_json(reply, Label::BOTTOM);
    let name = Name::from("reply");
    let bytes = StepElement::arguments([(&name, &value)], &Universe::new()).unwrap_or_default();
    let digest = bytes.values().next().map_or_else(String::new, |bytes| Digest::of(bytes).to_string());
    refers(reference, &digest, Some(from), kept)
}

fn unread(reference: &Reference) -> Referred {
    refers(reference, "unread", None, None)
}

fn refers(reference: &Reference, version: &str, from: Option<&str>, reply: Option<&Json>) -> Referred {
    let kept = reply.filter(|reply| reply.to_string().len() <= KEPT_BYTES_MAX);
    let told = json!({
        "argument": reference.argument,
        "kind": reference.kind,
        "id": reference.id,
        "version": from.map(|_| version),
        "from": from,
        "content": kept,
    });
    Referred { argument: reference.argument.clone(), version: version.into(), told }
}
