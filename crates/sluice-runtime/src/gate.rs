//! The gate of one run: the engine's question becomes policy's request, the recorded approvals are counted, and the
//! answer goes back with all that it depends on.
//!
//! There is no way to not answer: whatever cannot be evaluated is a `Forbid`.

mod budget;
mod ticket;
mod version;
mod word;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use sluice_core::catalogue::{Action, Catalogue};
use sluice_core::contract::approval::{
    Delegated, Enrolled, Known, Nonce, Party as Signer, Question as Asked, Requirement, SignedStatement,
};
use sluice_core::contract::closure::{Closure, ClosureDigest, StepElement};
use sluice_core::gate::Role;
use sluice_core::label::{Name, Universe};
use sluice_core::program::Program;
use sluice_core::transfer::Prepared;
use sluice_core::value::{Data, Value};
use sluice_engine::{EffectKey, GateAnswer, Hold, Question};
use sluice_ledger::RunId;
use sluice_policy::{Acting, Answer, Decision, Facts, GateRequest, Standing};
use sluice_verify::question::{
    Circumstances, Objects, classes_of, destination, is_satisfiable, request, requirement, resource,
};

pub use ticket::TicketNamed;
use ticket::TicketSeen;
use version::Referred;
pub use version::{ReadOf, VersionRead, Versions};

use crate::admit::Runnable;
use crate::counts::Counted;
use crate::stop::{OfCall, Stop};
use crate::workspace::Workspace;

/// What the gate looks up outside the run.
pub trait Evidence {
    /// Every statement recorded about a digest.
    fn statements(&self, digest: ClosureDigest) -> Vec<SignedStatement>;
    /// Whose passkeys count now.
    fn passkeys(&self) -> Vec<Enrolled>;
    /// Who may speak in whose place, and until when.
    fn delegations(&self, known: &Known<'_>) -> Vec<Delegated>;
    /// Calls of an action in the hour of `now_ms`, in the whole workspace.
    fn calls_this_hour(&self, action: &str, now_ms: u64) -> u64;
    /// What was stopped that this call is of.
    fn stopped(&self, call: &OfCall<'_>) -> Option<Stop>;
    /// Whether this workflow called this action on this resource before.
    fn was_seen(&self, workflow: &str, action: &str, resource: &str) -> bool;
    /// How far a budget's count has come: as far as it goes, if that cannot be read.
    fn spent(&self, key: &str) -> u64;
    /// What stands for a person in the open log; `None` if that cannot be told.
    fn pseudonym(&self, person: &str) -> Option<String>;
}

/// In whose name calls are made, and how far what makes them has come.
#[derive(Clone, Copy)]
pub struct Asker<'a> {
    /// On whose behalf: policy's principal.
    pub principal: &'a Name,
    /// Who asked, and so never approves: the principal, or an agent of theirs.
    pub requester: &'a Name,
    /// Who wrote what makes the calls.
    pub author: &'a Acting,
    /// How far it has come.
    pub standing: Standing,
    /// All that it depends on.
    pub closure: &'a Closure,
    /// The definition, if there is one.
    pub program: Option<&'a Program>,
    /// The name under which "called before" counts.
    pub workflow: &'a str,
    /// The ticket that it is for.
    pub ticket: Option<&'a TicketNamed>,
}

impl<'a> Asker<'a> {
    /// A run of a definition.
    #[must_use]
    pub fn of(runnable: &'a Runnable, workflow: &'a str, ticket: Option<&'a TicketNamed>) -> Self {
        Self {
            principal: runnable.requester(),
            requester: runnable.requester(),
            author: runnable.author(),
            standing: if runnable.is_signed() { Standing::Approved } else { Standing::Verified },
            closure: runnable.closure(),
            program: Some(runnable.verified().program()),
            workflow,
            ticket,
        }
    }
}

/// What was said about a digest, and by what it is judged.
#[derive(Default)]
struct Said {
    statements: Vec<SignedStatement>,
    passkeys: Vec<Enrolled>,
    delegations: Vec<Delegated>,
}

/// The gate of one run.
pub struct RunGate<'a, E> {
    /// The workspace whose bundle decides.
    pub workspace: &'a Workspace,
    /// What can be called.
    pub catalogue: &'a Catalogue,
    /// In whose name.
    pub asker: Asker<'a>,
    /// The atoms of the run.
    pub universe: &'a Universe,
    /// The run.
    pub run: RunId,
    /// What is recorded.
    pub evidence: E,
}

impl<E: Evidence> RunGate<'_, E> {
    /// Answers one question at `now_ms`. `versions` are the replies to all of [`RunGate::reads`].
    pub fn answer(&self, question: &Question, versions: &Versions, now_ms: u64) -> GateAnswer {
        let catalogue = self.catalogue;
        let action = question.prepared.action.as_ref().and_then(|(c, a)| catalogue.action(c, a));
        let Some(action) = action else {
            return forbid(json!({}), "SL505", "no contract covers the call".to_owned());
        };
        let call = OfCall {
            connector: &action.connector,
            action: &action.name,
            principal: self.asker.principal,
            workflow: self.asker.workflow,
            author: self.asker.author,
        };
        if let Some(stop) = self.evidence.stopped(&call) {
            return forbid(json!({}), "SL518", format!("{stop} was stopped, by a person or for an incident"));
        }
        let hourly = self.evidence.calls_this_hour(&action.full_name(), now_ms);
        if let Some(limit) = action.limits.per_hour.filter(|limit| hourly >= *limit) {
            let why = format!(
                "`{}` was called {hourly} times in the last hour; its contract allows {limit}",
                action.full_name()
            );
            return forbid(json!({}), "SL515", why);
        }
        let referred = match self.referred(question, action, versions) {
            Ok(referred) => referred,
            Err(why) => return forbid(json!({}), "SL517", why),
        };
        let asked = self.request(question, action, hourly, now_ms);
        let ticket = self.tickets_seen(versions);
        let digest = self.step_closure(question, action, &referred, ticket.as_ref()).digest();
        let Said { statements, passkeys, delegations } = self.said(digest);
        let glass = self.workspace.bundle().workspace().break_glass.as_ref();
        let asking = Asked { glass, ..self.asking(digest, &passkeys, &delegations, now_ms) };
        let answer = self.workspace.policies().decide_with_approvals(&asked, |remedy| {
            if let Some(rule) = &remedy.ticket {
                return self.opens(rule, question, action, versions).is_ok();
            }
            requirement(remedy).is_some_and(|needed| {
                asking.count(&statements, std::slice::from_ref(&needed)).satisfied.contains(&needed.id())
            })
        });
        let glass_by: BTreeSet<&Name> = statements
            .iter()
            .filter(|said| asking.judge_glass(said).is_ok())
            .map(|said| &said.statement.approver)
            .collect();
        let mut permit = json!({
            "uses": if statements.is_empty() { Vec::new() } else { vec![approval_id(digest)] },
            "counted": Counted {
                at_ms: now_ms,
                calls_this_hour: hourly,
                per_hour: action.limits.per_hour,
                first_seen: asked.facts.first_seen,
                is_read_by_policy: !self.workspace.policies().reads_run_facts(action.effect).is_empty(),
            },
        });
        if let (false, Some(fields)) = (glass_by.is_empty(), permit.as_object_mut()) {
            fields.insert("glass".to_owned(), json!(glass_by));
        }
        let answer = match self.closed(&answer, question, action, versions) {
            Some(why) => forbid(receipt_of(self.workspace, &answer, json!({}), ticket.as_ref()), "SL418", why),
            None => self.answered(&answer, question, &referred, ticket.as_ref(), digest, permit),
        };
        self.within_budgets(answer, question, action, now_ms)
    }

    /// Policy's question about a call of an action that was called `hourly` times in the last hour.
    fn request(&self, question: &Question, action: &Action, hourly: u64, now_ms: u64) -> GateRequest {
        let objects = self.objects(action, &question.prepared);
        let circumstances = self.circumstances(question, action, &objects, hourly, now_ms);
        request(self.universe, action, &question.prepared, &objects, &circumstances)
    }

    /// What was said about a digest. What stands for people is read only if somebody said something.
    fn said(&self, digest: ClosureDigest) -> Said {
        let statements = self.evidence.statements(digest);
        if statements.is_empty() {
            return Said::default();
        }
        let passkeys = self.evidence.passkeys();
        let (mode, principals) = (self.workspace.bundle().workspace().mode, self.workspace.principals());
        let delegations = if statements.iter().any(|said| said.statement.instead_of.is_some()) {
            self.evidence.delegations(&Known { mode, principals, passkeys: &passkeys })
        } else {
            Vec::new()
        };
        Said { statements, passkeys, delegations }
    }

    /// By what statements about a step are judged.
    fn asking<'q>(
        &'q self,
        closure: ClosureDigest,
        passkeys: &'q [Enrolled],
        delegations: &'q [Delegated],
        now_ms: u64,
    ) -> Asked<'q> {
        const NOBODY: &BTreeSet<Nonce> = &BTreeSet::new();
        Asked {
            closure,
            requester: self.asker.requester,
            mode: self.workspace.bundle().workspace().mode,
            principals: self.workspace.principals(),
            passkeys,
            delegations,
            glass: None,
            seen: NOBODY,
            now_ms,
        }
    }

    /// Why the ticket of this run leaves the gate closed, if policy asks for one and it does.
    fn closed(&self, answer: &Answer, question: &Question, action: &Action, versions: &Versions) -> Option<String> {
        let Decision::Hold { remedies, .. } = &answer.decision else { return None };
        let rules = remedies.iter().filter_map(|remedy| remedy.ticket.as_ref());
        let faults: BTreeSet<String> =
            rules.filter_map(|rule| self.opens(rule, question, action, versions).err()).collect();
        let mut words: Vec<&str> = answer.reasons.iter().map(|reason| reason.words.as_str()).collect();
        words.extend(faults.iter().map(String::as_str));
        (!faults.is_empty()).then(|| words.join("; "))
    }

    fn answered(
        &self,
        answer: &Answer,
        question: &Question,
        referred: &[Referred],
        ticket: Option<&TicketSeen>,
        digest: ClosureDigest,
        permit: serde_json::Value,
    ) -> GateAnswer {
        let requester = self.asker.requester;
        let receipt = |extra: serde_json::Value| receipt_of(self.workspace, answer, extra, ticket);
        let words = || answer.reasons.iter().map(|r| r.words.as_str()).collect::<Vec<_>>().join("; ");
        match &answer.decision {
            Decision::Permit { .. } => GateAnswer::Permit { receipt: receipt(permit) },
            Decision::Hold { remedies, .. } if !is_satisfiable(self.workspace.principals(), requester, remedies) => {
                let why = format!("{}. not enough different people exist who could approve it", words());
                forbid(receipt(json!({})), "SL333", why)
            }
            Decision::Hold { remedies, .. } if answer.decision.can_be_approved() => {
                let needs: Vec<_> = remedies.iter().filter_map(requirement).map(|r| requirement_json(&r)).collect();
                let clears: BTreeSet<&Name> = remedies.iter().flat_map(|r| &r.clears).collect();
                let extra = json!({
                    "needs": needs,
                    "clears": clears,
                    "requester": requester,
                    "arguments": question.prepared.arguments.to_json(),
                    "references": referred.iter().map(|r| &r.told).chain(ticket.iter().flat_map(|t| &t.told)).collect::<Vec<_>>(),
                });
                let hold = held(question.before.as_ref(), digest, words());
                GateAnswer::Hold { receipt: receipt(extra), hold }
            }
            Decision::Hold { .. } => {
                let why = format!("{}. nobody can approve this: the workflow must change", words());
                forbid(receipt(json!({})), "SL331", why)
            }
            Decision::Forbid { errors, .. } => {
                let code = if errors.is_empty() { "SL330" } else { "SL332" };
                forbid(receipt(json!({ "errors": errors })), code, words())
            }
        }
    }

    fn objects(&self, action: &Action, prepared: &Prepared) -> Objects {
        let catalogue = self.catalogue;
        let classes = prepared.references.iter().flat_map(|reference| {
            // What is referred to must be known in a run; an id that is no text may be anything.
            classes_of(self.workspace.principals(), &reference.kind, reference.id.as_deref().unwrap_or(""))
        });
        Objects {
            resource: resource(catalogue, action, prepared).unwrap_or_else(|| destination(catalogue, &Name::from(""))),
            classes: classes.collect(),
        }
    }

    fn circumstances(
        &self,
        question: &Question,
        action: &Action,
        objects: &Objects,
        hourly: u64,
        now_ms: u64,
    ) -> Circumstances {
        let asker = self.asker;
        let purpose = asker.program.and_then(|program| program.purpose_of(program.node(question.node)?.step).cloned());
        let seen = self.evidence.was_seen(asker.workflow, &action.full_name(), objects.resource.id());
        Circumstances {
            principal: sluice_verify::principal(self.workspace.principals(), asker.principal),
            author: asker.author.clone(),
            purpose,
            standing: asker.standing,
            facts: Facts {
                calls_this_run: signed(question.calls),
                calls_this_hour: signed(hourly),
                first_seen: !seen,
                amount: amount(action, &question.prepared),
            },
            now_ms: signed(now_ms),
            solo: self.workspace.is_solo(),
        }
    }

    /// What a person signs who approves this very step.
    fn step_closure(
        &self,
        question: &Question,
        action: &Action,
        referred: &[Referred],
        ticket: Option<&TicketSeen>,
    ) -> Closure {
        let arguments: BTreeMap<Name, Value> = match &question.prepared.arguments.data {
            Data::Object(fields) => fields
                .iter()
                .map(|(name, value)| (name.clone(), value.clone().raised(question.prepared.arguments.label)))
                .collect(),
            _ => BTreeMap::new(),
        };
        let step = StepElement {
            run: self.run.to_string().into(),
            node: u64::from(question.node.0),
            // The effect key already tells visits and generation apart; its bytes stand in for the counters.
            visits: key_words(question.key),
            action: action.full_name().into(),
            arguments: StepElement::arguments(arguments.iter(), self.universe).unwrap_or_default(),
            control: StepElement::control(question.prepared.control, self.universe),
            references: referred.iter().map(|r| (r.argument.clone(), r.version.clone())).collect(),
        };
        let ticket = ticket.map(|seen| seen.element.clone());
        Closure { step: Some(step), ticket, ..self.asker.closure.clone() }
    }
}

/// What is kept of an answer, with what else it depends on.
fn receipt_of(
    workspace: &Workspace,
    answer: &Answer,
    mut more: serde_json::Value,
    ticket: Option<&TicketSeen>,
) -> serde_json::Value {
    if let (Some(seen), Some(fields)) = (ticket, more.as_object_mut()) {
        fields.insert("tickets".to_owned(), json!(seen.told));
    }
    json!({
        "request": String::from_utf8_lossy(&answer.request_bytes),
        "entities": String::from_utf8_lossy(&answer.entities_bytes),
        "bundle": workspace.bundle().digest().to_string(),
        "solo": workspace.is_solo(),
        "policies": answer.decision.policies().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "reasons": answer.reasons.iter().map(|r| r.words.clone()).collect::<Vec<_>>(),
        "more": more,
    })
}

/// What a step waits for. Of one run's question everything but the versions stays as it was, so another digest than
/// before means that what the step refers to has changed; that is said as long as this question waits.
fn held(before: Option<&Hold>, digest: ClosureDigest, words: String) -> Hold {
    let approval = approval_id(digest);
    let why = match before {
        Some(before) if before.digest == digest.0.0 => before.why.clone(),
        Some(before) => format!(
            "what it refers to has changed since `{}` was asked, so what was said there does not count: \
             `sluice approvals show {approval}` shows the difference. {words}",
            before.approval
        ),
        None => words,
    };
    Hold { approval, why, digest: digest.0.0, salt: None }
}

fn key_words(key: EffectKey) -> Vec<u64> {
    let chunk = |c: &[u8]| c.iter().fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
    key.as_bytes().chunks(8).map(chunk).collect()
}

fn forbid(receipt: serde_json::Value, code: &str, why: String) -> GateAnswer {
    GateAnswer::Forbid { receipt, code: code.to_owned(), why }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The value of the argument with role `amount`, the next whole number.
fn amount(action: &Action, prepared: &Prepared) -> Option<i64> {
    let (name, _) = action.arguments.iter().find(|(_, a)| a.role == Some(Role::Amount))?;
    match prepared.arguments.child(name)?.data {
        Data::Int(amount) => Some(amount),
        Data::Float(amount) => Some(rounded_up(amount)),
        // Not a number: larger than any policy allows, so that a limit refuses it.
        Data::Null => None,
        _ => Some(i64::MAX),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "what no integer holds becomes the nearest one, beyond any limit")]
fn rounded_up(amount: f64) -> i64 {
    amount.ceil() as i64
}

/// The id under which people find an approval: the first 40 bits of the digest that they sign.
#[must_use]
pub fn approval_id(digest: ClosureDigest) -> String {
    let hex: String = digest.0.0.iter().take(5).map(|b| format!("{b:02x}")).collect();
    format!("A-{hex}")
}

/// The form in which a requirement stands in a receipt.
#[must_use]
pub fn requirement_json(requirement: &Requirement) -> serde_json::Value {
    let party = |p: &Signer| match p {
        Signer::Principal(id) => json!({ "principal": id }),
        Signer::ManagerOf(id) => json!({ "manager-of": id }),
        Signer::InChargeOf(id) => json!({ "in-charge-of": id }),
    };
    json!({
        "role": requirement.role,
        "quorum": requirement.quorum,
        "parties": requirement.parties.iter().map(party).collect::<Vec<_>>(),
    })
}

/// Reads it back; `None` if it is not one.
#[must_use]
pub fn requirement_from(json: &serde_json::Value) -> Option<Requirement> {
    let party = |p: &serde_json::Value| {
        let text = |key: &str| p.get(key).and_then(serde_json::Value::as_str).map(Name::from);
        let named = text("principal").map(Signer::Principal).or_else(|| text("manager-of").map(Signer::ManagerOf));
        named.or_else(|| text("in-charge-of").map(Signer::InChargeOf))
    };
    Some(Requirement {
        role: json.get("role")?.as_str()?.into(),
        quorum: usize::try_from(json.get("quorum")?.as_u64()?).ok()?,
        parties: json.get("parties")?.as_array()?.iter().map(party).collect::<Option<_>>()?,
    })
}
