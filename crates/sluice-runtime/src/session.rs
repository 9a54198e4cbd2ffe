//! An agent's session at the gateway: what it has read, what it may therefore call, and the entries of both.
//!
//! Without a plan there is one label for all of it: whatever the agent read may have decided whatever it does next. The
//! one thing that takes this back is a call of which every argument stands in the person's own request.

mod call;
mod given;
mod inspect;
mod lay_down;
mod leads;
mod plan;
mod story;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};
use sluice_core::catalogue::Catalogue;
use sluice_core::contract::approval::Decision;
use sluice_core::contract::closure::Closure;
use sluice_core::contract::{Digest, Governance};
use sluice_core::gate::Role;
use sluice_core::label::{Atom, Label, Name, Universe};
use sluice_core::subject::Subjects;
use sluice_core::transfer::{Prepared, prepare_action};
use sluice_core::value::Value;
use sluice_engine::{
    Call, CallOutcome, GateAnswer, INTERPRETER_VERSION, OutOfOrder, Permitted, Question, Session, Start, TokenId,
};
use sluice_policy::{Acting, Standing};
use sluice_store::{AppendError, Conflict, Epoch};
use thiserror::Error;

use crate::approvals::statements;
use crate::gate::{Asker, RunGate, Versions};
use crate::host::{HostError, LedgerEvidence};
use crate::incident::{Broken, Incident};
use crate::ledger::{Ledger, LedgerError, random};
use crate::run_log::RunLog;
use crate::workspace::Workspace;

use call::{call_digest, closure, read, uncatalogued, with_reads};
pub use given::Given;
pub use lay_down::Foreseen;
pub use plan::{Plan, PlanError, Tools, Where};
pub use story::{CallState, CallStory, Story, is_session, story};

/// How often in a row a gate is asked again because others were faster.
const ASKED_AGAIN_MAX: u32 = 64;
/// Calls of one session that wait for people: an agent that asks for more gets refusals.
const HELD_MAX: usize = 100;
/// The origin of what an agent's model made up.
const MODEL: &str = "model:agent";
/// The name under which the calls of agents count as "called before".
const WORKFLOW: &str = "agents";

/// For whom an agent works, and what it was told by them.
#[derive(Clone, Debug)]
pub struct Mandate {
    /// The person or service in whose name it calls.
    pub principal: Name,
    /// The person's own request, if they gave one: text that is trusted.
    pub request: Option<String>,
    /// What the agent's host calls itself: not checked, for people.
    pub client: Option<String>,
}

/// A session of an agent.
pub struct AgentSession<'a> {
    workspace: &'a Workspace,
    catalogue: Catalogue,
    universe: Universe,
    log: RunLog<'a>,
    session: Session,
    closure: Closure,
    principal: Name,
    /// What can be called.
    connectors: BTreeSet<Name>,
    requester: Name,
    /// What the agent has read so far.
    label: Label,
    given: Given,
    /// What it laid down before it read anything.
    plan: Option<Plan>,
    /// Calls that wait for people, by what they are.
    held: BTreeMap<Digest, Waiting>,
    /// Calls that a person denied, and how that was said: nobody is asked twice about the same one.
    refused: BTreeMap<Digest, String>,
}

/// A call that waits for people.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    token: TokenId,
    /// Which call of the plan it is.
    planned: Option<usize>,
}

/// A call that stands at its gate.
struct Asked {
    question: Question,
    what: Digest,
    planned: Option<usize>,
}

/// What is said of a call.
#[derive(Debug)]
pub enum Verdict {
    /// It may be made, once, and is in the ledger.
    Permitted(Permitted<Call>),
    /// A person must decide.
    Held {
        /// The approval's id.
        approval: String,
        /// In words, for the person and never for the agent.
        why: String,
    },
    /// No.
    Denied {
        /// Stable code.
        code: String,
        /// In words, for the person and never for the agent.
        why: String,
    },
}

/// What came back from a call.
#[derive(Clone, Debug)]
pub struct CameBack {
    /// The whole of it, for the entry.
    pub outcome: CallOutcome,
    /// The part that the contract's paths speak of, if the reply is nothing else; else every path counts.
    pub labelled: Option<Json>,
    /// How the connector broke its contract, if that is known without a look at the reply.
    pub broken: Option<Broken>,
}

/// Why a session cannot go on.
#[derive(Debug, Error)]
pub enum SessionError {
    /// The ledger did not take an entry: nothing that depended on it was done.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// An answer to nothing, or a second one.
    #[error(transparent)]
    OutOfOrder(#[from] OutOfOrder),
}

/// A list of what can be called that was made from other rules than the session's.
#[derive(Clone, Copy, Debug, Error)]
#[error("the rules changed under a session")]
pub struct Renamed;

impl<'a> AgentSession<'a> {
    /// Begins a session and records it. `governance` is the workspace's, with the contracts of the tools that are offered
    /// in the session and are not in its bundle; `connectors` are those that can be called.
    ///
    /// # Errors
    /// [`SessionError`] if it cannot be recorded.
    pub async fn begin(
        workspace: &'a Workspace,
        ledger: &'a Ledger,
        governance: &Governance,
        connectors: &BTreeSet<Name>,
        mandate: Mandate,
    ) -> Result<Self, SessionError> {
        ledger.keep_bundle(workspace.bundle())?;
        let catalogue = with_reads(governance.catalogue.clone(), connectors);
        let offered = governance.contracts.iter().filter(|c| connectors.contains(&c.connector.value));
        let closure = closure(workspace, offered, mandate.request.as_deref());
        let requester: Name = format!("agent:{}", mandate.principal).into();
        let start = Start {
            run: random()?,
            input: json!({ "request": mandate.request, "client": mandate.client, "for": mandate.principal }),
            definition: json!({ "session": connectors }),
            closure: closure.digest().0.0,
            interpreter: INTERPRETER_VERSION,
            requester: requester.to_string(),
            login: None,
        };
        let (session, record) = Session::begin(start, ledger.clock().now_ms());
        let log = RunLog::new(ledger, session.run(), WORKFLOW.to_owned(), 0, Epoch::FIRST);
        log.write(&[record]).await?;
        Ok(Self {
            workspace,
            universe: universe(&catalogue),
            catalogue,
            log,
            session,
            closure,
            principal: mandate.principal,
            connectors: connectors.clone(),
            requester,
            label: Label::BOTTOM,
            given: mandate.request.as_deref().map(Given::of).unwrap_or_default(),
            plan: None,
            held: BTreeMap::new(),
            refused: BTreeMap::new(),
        })
    }

    /// Asks whether a call may be made. A permit is durable when this returns.
    ///
    /// # Errors
    /// [`SessionError`] if the answer cannot be recorded: then nothing may be called.
    pub async fn ask(&mut self, connector: &str, action: &str, arguments: &Json) -> Result<Verdict, SessionError> {
        let what = call_digest(connector, action, arguments);
        if let Some(Waiting { token, planned }) = self.held.get(&what).copied() {
            if let Some(verdict) = self.denied(token, what).await? {
                return Ok(verdict);
            }
            let question = self.session.ask_again(token)?;
            return self.decide(Asked { question, what, planned }).await;
        }
        let planned = self.plan.as_ref().and_then(|plan| plan.find(connector, action, arguments));
        let prepared = self.prepare(connector, action, arguments, planned);
        let question = self.session.ask(prepared);
        self.decide(Asked { question, what, planned }).await
    }

    /// Takes what came back from a permitted call. From here on the agent counts as having read it.
    ///
    /// Gives what people must know: that the connector broke its contract, and is stopped.
    ///
    /// # Errors
    /// [`SessionError::OutOfOrder`] if the call is not under way; others if an incident cannot be recorded.
    pub fn finished(&mut self, token: TokenId, mut came: CameBack) -> Result<Option<Incident>, SessionError> {
        let now_ms = self.log.ledger().clock().now_ms();
        let action = self.session.action_of(token).and_then(|(c, a)| self.catalogue.action(c, a));
        let subjects = match (&came.labelled, action) {
            (Some(reply), Some(action)) => action.subjects_of(reply),
            (None, Some(action)) if action.subject.is_none() => Subjects::NOBODY,
            _ => Subjects::Anybody,
        };
        let judged = self.inspect(token, &mut came);
        let (prepared, record) = self.session.finished(token, came.outcome, subjects, now_ms)?;
        let action = prepared.action.as_ref().and_then(|(c, a)| self.catalogue.action(c, a));
        let read = read(&self.universe, action, &prepared, came.labelled.as_ref());
        if let (Some(reply), true) = (&came.labelled, self.universe.origins(read) == Label::BOTTOM) {
            self.given.learn(reply);
        }
        let raised = judged.found.iter().filter_map(|found| self.catalogue.findings.raises(found.finder));
        self.label = Label::join_all(raised).join(self.label).join(read);
        // The next intent is written after it in any case: the agent need not wait for the disk to read a reply.
        self.log.write_later(&[record], |_| {})?;
        let broken: Vec<Broken> = came.broken.into_iter().chain(judged.broken).collect();
        let Some((connector, action)) = prepared.action.filter(|_| !broken.is_empty()) else { return Ok(None) };
        let incident = Incident { connector, action, run: self.log.run(), broken };
        incident.record(self.log.ledger())?;
        Ok(Some(incident))
    }

    /// Records that the session is over, and calls without an answer as being in doubt.
    ///
    /// # Errors
    /// [`SessionError`] if it cannot be recorded.
    pub async fn end(mut self) -> Result<(), SessionError> {
        let now_ms = self.log.ledger().clock().now_ms();
        let mut records = Vec::new();
        for token in self.session.under_way().collect::<Vec<_>>() {
            let why = "the session ended before the reply came".to_owned();
            let (_, record) = self.session.finished(token, CallOutcome::InDoubt { why }, Subjects::NOBODY, now_ms)?;
            records.push(record);
        }
        let read: Vec<String> = self.universe.names(self.label);
        records.push(self.session.ended(json!({ "read": read }), now_ms));
        Ok(self.log.write(&records).await?)
    }

    /// Takes another list of what can be called. Atoms keep their places, so that what was read stays what it was.
    ///
    /// # Errors
    /// [`Renamed`] if the list was made from other rules.
    pub fn offer(&mut self, governance: &Governance) -> Result<(), Renamed> {
        let catalogue = with_reads(governance.catalogue.clone(), &self.connectors);
        if !self.universe.all().eq(universe(&catalogue).all()) {
            return Err(Renamed);
        }
        self.catalogue = catalogue;
        Ok(())
    }

    /// The agent has read words of this connector that are no reply to a call: a resource, a prompt, a question.
    pub fn has_read(&mut self, connector: &str) {
        self.label = self.label.join(self.universe.label(&Atom::Origin(connector.into())));
    }

    /// Whether the agent has read something that an outsider wrote.
    #[must_use]
    pub fn is_tainted(&self) -> bool {
        self.universe.origins(self.label) != Label::BOTTOM
    }

    /// The call with its labels. What the agent read decided it, unless the person's own request has every word of it.
    fn prepare(&self, connector: &str, action: &str, arguments: &Json, planned: Option<usize>) -> Prepared {
        let Some(action) = self.catalogue.action(connector, action) else {
            return uncatalogued(connector, action, arguments, self.label);
        };
        if let (Some(plan), Some(index)) = (&self.plan, planned) {
            // That it is made was laid down before anything was read.
            let labelled = plan.labelled(index, arguments, &self.given, self.model(), self.label);
            let mut prepared = prepare_action(&self.universe, action, labelled, Label::BOTTOM);
            self.note_leads(arguments, &mut prepared);
            return prepared;
        }
        let names_one = |name: &str| {
            let role = action.arguments.get(name).and_then(|argument| argument.role);
            matches!(role, Some(Role::Reference | Role::Recipient))
        };
        let is_given = !action.privileged && self.given.has_all(arguments, names_one);
        let label = if is_given { self.label.without(self.universe.origins(Label::TOP)) } else { self.label };
        prepare_action(&self.universe, action, Value::from_json(arguments, label), label)
    }

    /// Words that load something from a host, or link to one that nobody named, tell that host something: it receives them,
    /// too.
    fn note_leads(&self, arguments: &Json, prepared: &mut Prepared) {
        if leads::hosts(arguments).iter().any(|host| !self.given.names_host(host)) {
            let label = prepared.arguments.deep_label();
            let receivers = prepared.roles.entry(Role::Destination).or_default();
            *receivers = receivers.join(label);
        }
    }

    async fn decide(&mut self, asked: Asked) -> Result<Verdict, SessionError> {
        let Asked { mut question, what, planned } = asked;
        let token = question.token;
        let before = question.before.clone();
        for _ in 0..ASKED_AGAIN_MAX {
            let answer = match (&self.plan, planned) {
                _ if self.refused.contains_key(&what) => forbid("SL911", self.refused_before(what)),
                (None, _) => self.answer(&question, Standing::Session),
                (Some(plan), Some(index)) if plan.has_left(index) => self.answer(&question, Standing::Planned),
                // Asking a person would make them read an attacker's wishes.
                (Some(_), _) => forbid("SL925", "the plan of this session does not foresee this call".to_owned()),
            };
            let told = told(&answer);
            let records = self.session.decided(token, answer, self.log.ledger().clock().now_ms())?;
            match self.log.write(&records).await {
                Ok(()) => return self.settled(Waiting { token, planned }, what, told),
                // Another session called the same action meanwhile, or asked people: what the gate counted is no longer so.
                Err(HostError::Append(AppendError::Conflict(Conflict::Fact { .. }))) => {
                    question = self.session.not_written(token, before.clone())?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        let why = "others called the same action at every moment".to_owned();
        Ok(Verdict::Denied { code: "SL515".to_owned(), why })
    }

    fn settled(&mut self, call: Waiting, what: Digest, told: Told) -> Result<Verdict, SessionError> {
        match told {
            Told::Permit => {
                self.held.remove(&what);
                if let (Some(plan), Some(index)) = (&mut self.plan, call.planned) {
                    plan.made(index);
                }
                Ok(Verdict::Permitted(self.session.committed(call.token)?))
            }
            Told::Hold { approval, why } => {
                self.held.insert(what, call);
                Ok(Verdict::Held { approval, why })
            }
            Told::Forbid { code, why } => {
                self.held.remove(&what);
                Ok(Verdict::Denied { code, why })
            }
        }
    }

    fn answer(&self, question: &Question, standing: Standing) -> GateAnswer {
        if let Some(breach) = question.prepared.breaches.first() {
            return forbid("SL505", breach.to_string());
        }
        let gate = RunGate {
            workspace: self.workspace,
            catalogue: &self.catalogue,
            asker: Asker {
                principal: &self.principal,
                requester: &self.requester,
                author: &Acting::Unknown,
                standing,
                closure: &self.closure,
                program: None,
                workflow: WORKFLOW,
                // Nobody would have named it but the agent.
                ticket: None,
            },
            universe: &self.universe,
            run: self.session.run(),
            evidence: LedgerEvidence::new(self.log.ledger()),
        };
        let answer = gate.answer(question, &Versions::default(), self.log.ledger().clock().now_ms());
        if matches!(answer, GateAnswer::Hold { .. }) && question.before.is_none() && self.held.len() >= HELD_MAX {
            return forbid("SL910", format!("{HELD_MAX} calls of this session wait for people already"));
        }
        answer
    }

    fn refused_before(&self, what: Digest) -> String {
        let said = self.refused.get(&what).map_or("denied", String::as_str);
        format!("{said}, when this very call was asked about before")
    }

    /// What a person said against a held call.
    async fn denied(&mut self, token: TokenId, what: Digest) -> Result<Option<Verdict>, SessionError> {
        let Some(hold) = self.session.held(token) else { return Ok(None) };
        let said = statements(self.log.ledger(), &hold.approval)?;
        let Some(denial) = said.iter().find(|s| s.statement.decision == Decision::Deny) else { return Ok(None) };
        let why = format!("denied by `{}`", denial.statement.approver);
        let record = self.session.denied(token, why.clone(), self.log.ledger().clock().now_ms())?;
        self.held.remove(&what);
        self.refused.insert(what, why.clone());
        self.log.write(&[record]).await?;
        Ok(Some(Verdict::Denied { code: "SL911".to_owned(), why }))
    }
}

/// What becomes of a call once its answer is durable.
enum Told {
    Permit,
    Hold { approval: String, why: String },
    Forbid { code: String, why: String },
}

fn told(answer: &GateAnswer) -> Told {
    match answer {
        GateAnswer::Permit { .. } => Told::Permit,
        GateAnswer::Hold { hold, .. } => Told::Hold { approval: hold.approval.clone(), why: hold.why.clone() },
        GateAnswer::Forbid { code, why, .. } => Told::Forbid { code: code.clone(), why: why.clone() },
        GateAnswer::Unchanged { why, .. } => Told::Forbid { code: "SL330".to_owned(), why: why.clone() },
    }
}

fn forbid(code: &str, why: String) -> GateAnswer {
    GateAnswer::Forbid { receipt: json!({}), code: code.to_owned(), why }
}

/// The atoms of a catalogue, and the model's own.
fn universe(catalogue: &Catalogue) -> Universe {
    let mut universe = catalogue.universe.clone();
    // One too many is ⊤ wherever it is asked for: nothing that has it passes.
    let _ = universe.intern(Atom::Origin(MODEL.into()));
    universe
}
