//! Runs: started, held, resumed, listed.

mod about;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;
use sluice_connectors::secret::{SecretError, SecretStore, WorkspaceKey};
use sluice_core::contract::closure::Closure;
use sluice_core::label::Name;
use sluice_core::program::{NodeId, Program};
use sluice_core::subject::Subjects;
use sluice_engine::{
    Event, Fact, Login, Plan, Record, RecordError, ReplayError, Resolution, RunState, Status, TokenId, replay,
};
use sluice_ledger::RunId;
use sluice_policy::Acting;
use sluice_store::{Epoch, Recorded};
use sluice_verify::{Assumptions, Report};
use thiserror::Error;

use crate::admit::{Proposed, Runnable};
use crate::approvals::{definition_requirement, denial, is_signed};
use crate::clock::now_ms;
use crate::connect::{ConnectError, Connectors};
use crate::driver::{DriveError, drive};
use crate::gate::{Asker, RunGate, TicketNamed};
use crate::host::{HostError, LedgerEvidence, LiveHost};
use crate::inspection::found_in;
use crate::ledger::{Ledger, LedgerError, random};
use crate::proposal::{Proposal, ProposalError, Proposer, proposal_id};
use crate::run_log::RunLog;
use crate::stop::Stop;
use crate::template::{closure_of, filled, in_words};
use crate::workspace::{SECRETS_FILE, Workspace};

pub use about::{About, about, about_each, find};

/// May start and resume runs. Cannot approve.
pub struct Executor<'a> {
    workspace: &'a Workspace,
    ledger: &'a Ledger,
    connectors: Connectors,
}

/// How a run stands after it was driven as far as it goes.
#[derive(Clone, Debug)]
pub struct RunOutcome {
    /// The run; `None` if it did not start.
    pub run: Option<RunId>,
    /// How it stands.
    pub status: RunStatus,
    /// What it waits for.
    pub held: Vec<HeldFor>,
    /// What became of calls in doubt, if the run is only looked at.
    pub resolved: Vec<Resolved>,
    /// The verifier's report, if it was made now.
    pub report: Option<Report>,
}

/// Whether a definition may run now.
pub enum Admission {
    /// It may; with what the verifier said.
    Runnable(Box<Runnable>, Box<Report>),
    /// It may not, or not yet.
    Not(Box<RunOutcome>),
}

/// How a run stands towards whoever started it.
#[derive(Clone, Debug, PartialEq)]
pub enum RunStatus {
    /// It reached its end.
    Completed {
        /// What it computed.
        output: Json,
    },
    /// It waits for people.
    Held,
    /// It was stopped, or did not start.
    Refused {
        /// Stable code.
        code: String,
        /// In words.
        why: String,
        /// The step where it happened.
        step: Option<String>,
    },
    /// An error that nothing caught.
    Faulted {
        /// The error object.
        error: Json,
    },
}

impl RunStatus {
    /// The word people and machines read.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Completed { .. } => "completed",
            Self::Held => "held",
            Self::Refused { .. } => "refused",
            Self::Faulted { .. } => "faulted",
        }
    }
}

/// Something that a run waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldFor {
    /// The approval's id, or the id of a call in doubt.
    pub approval: String,
    /// In words.
    pub why: String,
    /// The step.
    pub step: String,
}

/// What was said of a call in doubt.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// The id of the call in doubt.
    pub call: String,
    /// The step.
    pub step: String,
    /// What was found.
    pub resolution: Resolution,
    /// Who said so; nobody if a look-up told.
    pub by: Option<String>,
}

/// Why a run could not be driven.
#[derive(Debug, Error)]
pub enum RunError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The proposal behind it.
    #[error(transparent)]
    Proposal(#[from] ProposalError),
    /// A contract that cannot be put to work.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The secrets.
    #[error("{code}: {0}", code = .0.code())]
    Secrets(#[from] SecretError),
    /// The loop.
    #[error(transparent)]
    Drive(#[from] DriveError<HostError>),
    /// The records.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// A stored record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// SL520. No such run.
    #[error("SL520: there is no run `{run}` in this ledger; `sluice runs list` shows them")]
    Unknown {
        /// What was asked for.
        run: String,
    },
    /// SL521. What it depends on has changed.
    #[error(
        "SL521: what run `{run}` was started with has changed since ({what}). it stays held; start it anew, or restore what changed"
    )]
    Drifted {
        /// The run.
        run: String,
        /// What changed, as far as it is known.
        what: String,
    },
    /// SL522. A payload is gone.
    #[error("SL522: entry {entry} of the run cannot be opened: its payload is missing, erased or under another key")]
    Sealed {
        /// Its place in the log.
        entry: u64,
    },
    /// SL523. It is no longer what the verifier admits.
    #[error("SL523: the workflow of run `{run}` is not verified any more: {why}")]
    NotVerified {
        /// The run.
        run: String,
        /// Why not.
        why: String,
    },
    /// SL524. Nobody needs to say what became of a call.
    #[error(
        "SL524: {}",
        if *several { format!("run `{run}` has several calls in doubt: name one; `sluice runs show {run}` lists them") }
        else { format!("run `{run}` has no such call in doubt; after a crash, `sluice resume {run}` finds them first") }
    )]
    NotInDoubt {
        /// The run.
        run: String,
        /// Whether more than one is.
        several: bool,
    },
    /// SL110. Too many atoms.
    #[error("SL110: {0}")]
    TooManyAtoms(#[from] sluice_core::label::TooManyAtoms),
}

impl<'a> Executor<'a> {
    /// Opens the connectors of the workspace.
    ///
    /// # Errors
    /// [`RunError::Connect`] or [`RunError::Secrets`].
    pub fn open(workspace: &'a Workspace, ledger: &'a Ledger) -> Result<Self, RunError> {
        let key = WorkspaceKey::read(&workspace.home().workspace_key(), workspace.folder())?;
        let secrets = Arc::new(SecretStore::new(workspace.folder().join(SECRETS_FILE), key));
        let connectors = Connectors::of(&workspace.governance().contracts, workspace.folder(), &secrets)?;
        Ok(Self { workspace, ledger, connectors })
    }

    /// Verifies, admits and drives a definition as far as it goes.
    ///
    /// # Errors
    /// [`RunError`] if work was not done; a refusal is an outcome, not an error.
    pub async fn start(
        &self,
        proposed: Proposed,
        input: Json,
        requester: &Name,
        author: Acting,
    ) -> Result<RunOutcome, RunError> {
        self.start_as(RunId::from_bytes(random()?), proposed, input, requester, author, None).await
    }

    /// The same under an id that the caller made, for a requester who came in like that. If a run has the id already,
    /// nothing is written.
    ///
    /// # Errors
    /// As [`Executor::start`].
    pub async fn start_as(
        &self,
        run: RunId,
        proposed: Proposed,
        input: Json,
        requester: &Name,
        author: Acting,
        login: Option<Login>,
    ) -> Result<RunOutcome, RunError> {
        let input = match filled(proposed.program(), input) {
            Ok(input) => input,
            Err(faults) => {
                let status = RunStatus::Refused { code: "SL454".to_owned(), why: in_words(&faults), step: None };
                return Ok(RunOutcome { run: None, status, held: Vec::new(), resolved: Vec::new(), report: None });
            }
        };
        let (runnable, report) = match self.admit(proposed, requester, author)? {
            Admission::Runnable(runnable, report) => (runnable, report),
            Admission::Not(outcome) => return Ok(*outcome),
        };
        let plan = runnable.plan()?;
        let about = Circumstances::of(&plan, &runnable, &input);
        let (state, events) = runnable.begin(*run.as_bytes(), input, login);
        let state = self.drive(&plan, &about, state, events, 0, Epoch::FIRST).await?;
        Ok(RunOutcome { report: Some(*report), ..outcome(&plan, &state) })
    }

    /// Proposes, verifies and admits a definition, without starting it.
    ///
    /// # Errors
    /// [`RunError`] if work was not done; a refusal is an [`Admission`], not an error.
    pub fn admit(&self, proposed: Proposed, requester: &Name, author: Acting) -> Result<Admission, RunError> {
        self.ledger.keep_bundle(self.workspace.bundle())?;
        let workflow = workflow_name(proposed.program());
        if let Some(stop) = Stop::of_workflow(self.ledger, &workflow, &author) {
            let why = format!("{stop} was stopped, by a person or for an incident: no run of it begins");
            let status = RunStatus::Refused { code: "SL518".to_owned(), why, step: None };
            let (held, resolved) = (Vec::new(), Vec::new());
            return Ok(Admission::Not(Box::new(RunOutcome { run: None, status, held, resolved, report: None })));
        }
        let proposal = Proposer::new(self.workspace, self.ledger).propose(&proposed, &author, None, requester)?;
        let signed = is_signed(self.workspace, self.ledger, &proposal.id, proposal.closure, requester)?;
        let checked = proposed.verify(self.workspace, &self.assumptions(&proposal, signed));
        let report = checked.report;
        let not = |status, held, report| {
            Admission::Not(Box::new(RunOutcome { run: None, status, held, resolved: Vec::new(), report }))
        };
        let verified = match checked.standing {
            Ok(verified) => verified,
            Err(refused) => {
                let why = refused.to_string();
                let status = RunStatus::Refused { code: refused.code().to_string(), why, step: None };
                return Ok(not(status, Vec::new(), Some(report)));
            }
        };
        if let (Some(needed), false) = (definition_requirement(self.workspace), signed) {
            let why = format!("the definition must be signed by {}", crate::approvals::in_words(&needed));
            let held = vec![HeldFor { approval: proposal.id, why, step: "the definition".to_owned() }];
            return Ok(not(RunStatus::Held, held, Some(report)));
        }
        let runnable = Runnable::new(verified, checked.closure, self.workspace, requester.clone(), signed);
        Ok(Admission::Runnable(Box::new(runnable), Box::new(report)))
    }

    /// Goes on with a run: after an approval, after a crash.
    ///
    /// # Errors
    /// [`RunError::Drifted`] if anything it depends on has changed; it is left as it was.
    pub async fn resume(&self, run: RunId) -> Result<RunOutcome, RunError> {
        self.go_on(run, |state| {
            let mut events = Vec::new();
            if !state.is_waiting_for_people() {
                events.push(Event::Recovered);
            }
            for (token, _, hold) in state.held() {
                events.push(match denial(self.ledger, &hold.approval)? {
                    Some(why) => Event::Denied { token, why },
                    None => Event::Recheck { token },
                });
            }
            Ok(events)
        })
        .await
    }

    /// Ends a run, whoever drives it: from then on nothing of it is called.
    ///
    /// # Errors
    /// As [`Executor::resume`].
    pub async fn cancel(&self, run: RunId, why: String) -> Result<RunOutcome, RunError> {
        self.go_on(run, |_| Ok(vec![Event::Cancelled { why }])).await
    }

    /// Records what `person` found that became of a call in doubt, and goes on. `doubt` is its id; `None` if there is
    /// only one.
    ///
    /// # Errors
    /// [`RunError::NotInDoubt`] if the run waits for no such word; else as [`Executor::resume`].
    pub async fn resolve(
        &self,
        run: RunId,
        doubt: Option<&str>,
        resolution: Resolution,
        person: &Name,
    ) -> Result<RunOutcome, RunError> {
        let resolution = match resolution {
            Resolution::Happened { reply, .. } => {
                let found = found_in(&reply);
                Resolution::Happened { reply, found }
            }
            other => other,
        };
        self.go_on(run, |state| {
            let fits = |id: &str| doubt.is_none_or(|wanted| wanted == id);
            let mut fitting = state.in_doubt().filter(|(token, _, key)| fits(&doubt_id(*token, &key.to_string())));
            match (fitting.next(), fitting.next()) {
                (Some((token, ..)), None) => {
                    let by = Some(person.to_string());
                    Ok(vec![Event::Resolved { token, resolution, by }])
                }
                (found, _) => Err(RunError::NotInDoubt { run: run.to_string(), several: found.is_some() }),
            }
        })
        .await
    }

    /// Drives a run on with what `events` finds to say about the state it was left in.
    async fn go_on(
        &self,
        run: RunId,
        events: impl FnOnce(&RunState) -> Result<Vec<Event>, RunError>,
    ) -> Result<RunOutcome, RunError> {
        let (plan, runnable, records) = self.reopen(run)?;
        let state = replay(&plan, run, &records)?;
        if *state.status() != Status::Running {
            return Ok(outcome(&plan, &state));
        }
        let events = events(&state)?;
        let owner = format!("process {}", std::process::id());
        let epoch = self.ledger.read(move |r| r.claim(run, &owner))?;
        let next_seq = u64::try_from(records.len()).unwrap_or(u64::MAX);
        let input = match records.first().map(|first| &first.fact) {
            Some(Fact::Started(start)) => &start.input,
            _ => &Json::Null,
        };
        let about = Circumstances::of(&plan, &runnable, input);
        let state = self.drive(&plan, &about, state, events, next_seq, epoch).await?;
        Ok(outcome(&plan, &state))
    }

    /// A run as it stands, without going on.
    ///
    /// # Errors
    /// As [`Executor::resume`].
    pub fn look(&self, run: RunId) -> Result<RunOutcome, RunError> {
        let (plan, _, records) = self.reopen(run)?;
        let outcome = outcome(&plan, &replay(&plan, run, &records)?);
        Ok(RunOutcome { resolved: resolved(&plan, &records), ..outcome })
    }

    /// Earns a run's standing again from what is stored: nothing of it is believed because it ran before.
    fn reopen(&self, run: RunId) -> Result<(Plan, Runnable, Vec<Record>), RunError> {
        let records = facts(&self.ledger.run(run)?)?;
        let unknown = || RunError::Unknown { run: run.to_string() };
        let Some(Fact::Started(start)) = records.first().map(|r| &r.fact) else { return Err(unknown()) };
        let requester: Name = start.requester.as_str().into();
        let closure = sluice_core::contract::closure::ClosureDigest(sluice_core::contract::Digest(start.closure));
        let id = proposal_id(closure, &requester);
        let proposal = Proposal::find(self.ledger, &id)?.ok_or_else(unknown)?;
        let drifted = |what: &str| RunError::Drifted { run: run.to_string(), what: what.to_owned() };
        let proposed = Proposed::read(&proposal.name, proposal.text.as_bytes())
            .map_err(|_| drifted("the definition cannot be read by this version"))?;
        if proposed.closure(self.workspace).digest() != closure {
            return Err(drifted("the signed bundle, a contract or this program"));
        }
        let signed = is_signed(self.workspace, self.ledger, &id, closure, &requester)?;
        if definition_requirement(self.workspace).is_some() && !signed {
            return Err(drifted("the signature on the definition expired or was withdrawn"));
        }
        let checked = proposed.verify(self.workspace, &self.assumptions(&proposal, signed));
        let verified = checked
            .standing
            .map_err(|refused| RunError::NotVerified { run: run.to_string(), why: refused.to_string() })?;
        let runnable = Runnable::new(verified, checked.closure, self.workspace, requester, signed);
        Ok((runnable.plan()?, runnable, records))
    }

    fn assumptions(&self, proposal: &Proposal, signed: bool) -> Assumptions {
        Assumptions {
            requester: Some(proposal.requester.clone()),
            author: proposal.author.clone(),
            // Before the signature is there, the prediction takes it for given where the workspace asks for one.
            signed: signed || definition_requirement(self.workspace).is_some(),
            solo: self.workspace.is_solo(),
        }
    }

    async fn drive(
        &self,
        plan: &Plan,
        about: &Circumstances<'_>,
        state: RunState,
        events: Vec<Event>,
        next_seq: u64,
        epoch: Epoch,
    ) -> Result<RunState, RunError> {
        let log = RunLog::new(self.ledger, state.run(), workflow_name(&plan.program), next_seq, epoch);
        let host = LiveHost {
            gate: RunGate {
                workspace: self.workspace,
                catalogue: &plan.catalogue,
                asker: Asker {
                    closure: &about.closure,
                    ..Asker::of(about.runnable, log.workflow(), about.ticket.as_ref())
                },
                universe: &plan.universe,
                run: state.run(),
                evidence: LedgerEvidence::new(self.ledger),
            },
            log: &log,
            connectors: &self.connectors,
        };
        Ok(drive(plan, state, events, &host).await?)
    }
}

/// A run's standing, and what its input decides about its gates.
struct Circumstances<'a> {
    runnable: &'a Runnable,
    /// The ticket that it is for.
    ticket: Option<TicketNamed>,
    /// All that its steps depend on: of a template, what fills it.
    closure: Closure,
}

impl<'a> Circumstances<'a> {
    fn of(plan: &Plan, runnable: &'a Runnable, input: &Json) -> Self {
        Self {
            runnable,
            ticket: TicketNamed::of(&plan.program, input, plan.input_label.join(plan.base)),
            closure: closure_of(&plan.program, runnable.closure(), input),
        }
    }
}

/// The engine's records in a run's entries. Whose data they hold is not in them: [`replay`] finds it.
///
/// # Errors
/// [`RunError::Sealed`] if a payload cannot be opened, [`RunError::Record`] if it is not one.
pub fn facts(entries: &[Recorded]) -> Result<Vec<Record>, RunError> {
    let record = |recorded: &Recorded| {
        let entry = &recorded.entry;
        let run = entry.run.as_ref().map(sluice_ledger::RunLink::id);
        let sealed = || RunError::Sealed { entry: entry.log.get() };
        let fact = Fact::from_bytes(recorded.payload.opened().ok_or_else(sealed)?)?;
        Ok(Record { run: run.ok_or_else(sealed)?, time_ms: entry.time_ms, fact, subjects: Subjects::NOBODY })
    };
    entries.iter().map(record).collect()
}

/// The name under which "called before" counts, and a workflow is stopped.
#[must_use]
pub fn workflow_name(program: &Program) -> String {
    format!("{}/{}", program.document.namespace, program.document.name)
}

fn outcome(plan: &Plan, state: &RunState) -> RunOutcome {
    let step = |node| step_name(plan, node);
    let mut held: Vec<HeldFor> = state
        .held()
        .map(|(_, node, hold)| HeldFor { approval: hold.approval.clone(), why: hold.why.clone(), step: step(node) })
        .collect();
    held.extend(state.in_doubt().map(|(token, node, key)| HeldFor {
        approval: doubt_id(token, &key.to_string()),
        why: "nobody knows whether this call took effect; `sluice runs resolve` says what was found".to_owned(),
        step: step(node),
    }));
    let status = match state.status() {
        Status::Running => RunStatus::Held,
        Status::Completed { output } => RunStatus::Completed { output: output.clone() },
        Status::Refused { code, why, node } => {
            RunStatus::Refused { code: code.clone(), why: why.clone(), step: Some(step(*node)) }
        }
        Status::Faulted { error } => RunStatus::Faulted { error: error.clone() },
    };
    RunOutcome { run: Some(state.run()), status, held, resolved: Vec::new(), report: None }
}

fn step_name(plan: &Plan, node: NodeId) -> String {
    plan.program.step_of(node).map_or_else(|| "?".to_owned(), |step| step.path.to_string())
}

/// What the records say of calls in doubt: a line of control has one call at a time, so each is about the latest.
fn resolved(plan: &Plan, records: &[Record]) -> Vec<Resolved> {
    let mut calls: BTreeMap<TokenId, (NodeId, &str)> = BTreeMap::new();
    let mut all = Vec::new();
    for record in records {
        match &record.fact {
            Fact::Intended { token, node, key, .. } => {
                calls.insert(*token, (NodeId(*node), key));
            }
            Fact::Resolved { token, resolution, by } => {
                let Some((node, key)) = calls.get(token) else { continue };
                let (call, step) = (doubt_id(*token, key), step_name(plan, *node));
                all.push(Resolved { call, step, resolution: resolution.clone(), by: by.clone() });
            }
            _ => {}
        }
    }
    all
}

/// The id under which people find a call in doubt.
fn doubt_id(token: TokenId, key: &str) -> String {
    format!("D-{}-{}", token.0, key.get(..10).unwrap_or_default())
}

/// How long ago something was, for lists.
#[must_use]
pub fn age_ms(then_ms: u64) -> u64 {
    now_ms().saturating_sub(then_ms)
}
