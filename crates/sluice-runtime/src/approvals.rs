//! What waits for people, and what they say: recorded statements over digests.
//!
//! An approval is never a flag. It is a signature over one exact digest; whether it counts is judged each
//! time it is used, against the principals of that moment.

mod glass;
mod heard;
mod stands;
mod word;

use std::collections::{BTreeMap, BTreeSet};

use sluice_core::contract::Digest;
use sluice_core::contract::approval::{Decision, Question, Refusal, Requirement, SignedStatement};
use sluice_core::contract::closure::ClosureDigest;
use sluice_core::label::Name;
use sluice_engine::{Fact, GateAnswer, Record};
use sluice_ledger::{EntryKind, RunId};
use sluice_store::{PayloadState, Recorded};
use thiserror::Error;

use crate::difference::difference;
use crate::gate::requirement_from;
use crate::ledger::{Ledger, LedgerError};
use crate::proposal::{Proposal, ProposalError};
use crate::session::is_session;
use crate::workspace::Workspace;

pub use glass::{Broken, GLASS_MS, Review, Reviews, open_review};
use heard::Heard;
pub use word::{Beside, Word};

/// How long a signature counts if its signer says nothing else.
pub const EXPIRY_MS_DEFAULT: u64 = 8 * 60 * 60 * 1_000;

/// Something that waits for people.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// The id under which they find it.
    pub id: String,
    /// What it is about.
    pub about: About,
    /// What they would sign.
    pub digest: ClosureDigest,
    /// On whose behalf.
    pub requester: Name,
    /// Who must agree.
    pub needs: Vec<Requirement>,
    /// In words.
    pub why: String,
    /// When it was first asked, in milliseconds since 1970.
    pub asked_ms: u64,
    /// Everybody whose word counts, their own or in the place of somebody who delegated to them.
    pub asked: BTreeSet<Name>,
    /// Who approved so far, and who denied.
    pub said: Vec<(Name, Decision)>,
    /// Who of those spoke in whose place.
    pub in_place_of: BTreeMap<Name, Name>,
    /// How the glass was broken for it, if it was.
    pub glass: Option<Broken>,
    /// Whether everything needed was said.
    pub is_satisfied: bool,
    /// Whether a denial stands.
    pub is_denied: bool,
    /// Whether an agent asked, which calls again by itself; a run must be resumed.
    pub is_agents: bool,
    /// Whether its time ran out before enough was said.
    pub is_expired: bool,
    /// Whether something else took its place: the id of that, if it is still asked.
    pub superseded: Option<Option<String>>,
}

/// What an approval is about.
#[derive(Clone, Debug)]
pub enum About {
    /// A definition.
    Definition {
        /// Its file's name.
        name: String,
        /// Its text.
        text: String,
        /// Who wrote it, in words.
        author: String,
    },
    /// One step of a run.
    Step {
        /// The run.
        run: RunId,
        /// `connector.action`.
        action: String,
        /// The gate's request, whole.
        request: String,
        /// What would be sent.
        arguments: serde_json::Value,
        /// Origins that the approval vouches for, at this gate only.
        clears: Vec<String>,
        /// What the arguments refer to.
        references: Vec<Referred>,
        /// What of it changed since the same step was asked about under another id: one line each.
        changed: Vec<String>,
    },
    /// One value of a run.
    Value {
        /// The run.
        run: RunId,
        /// `release` or `endorse`.
        function: String,
        /// The entry of the releases register.
        entry: String,
        /// The value, whole.
        value: serde_json::Value,
        /// What it carries, and the decision to pass it on.
        labels: Vec<String>,
        /// What it no longer carries, if somebody vouches for it.
        clears: Vec<String>,
    },
}

/// An object that an argument of a held step refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referred {
    /// The argument.
    pub argument: String,
    /// What kind of object.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Its version, and who told it; `None` if no version is known.
    pub version: Option<(String, String)>,
    /// What was told, if it is small enough to keep.
    content: Option<serde_json::Value>,
}

/// Why something cannot be approved.
#[derive(Debug, Error)]
pub enum ApprovalError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The proposal behind it.
    #[error(transparent)]
    Proposal(#[from] ProposalError),
    /// SL440. No such id.
    #[error("SL440: nothing called `{id}` waits for approval; `sluice approvals list` shows what does")]
    Unknown {
        /// The id.
        id: String,
    },
    /// A signature that would not count.
    #[error("{}: this approval would not count: {source}", source.code())]
    Refused {
        /// Why not.
        source: Refusal,
    },
    /// SL441. Nobody asked this person.
    #[error("SL441: `{person}` is not among those who may decide `{id}`: it needs {needs}")]
    NotAsked {
        /// Who tried.
        person: Name,
        /// What.
        id: String,
        /// Who may.
        needs: String,
    },
    /// SL445. The step is asked about under another id by now, or not at all.
    #[error(
        "SL445: `{id}` is no longer asked: {}",
        by.as_ref().map_or_else(|| "its run went on without it, or is over".to_owned(), |by| format!("what it refers to changed, and `{by}` took its place"))
    )]
    Superseded {
        /// The id.
        id: String,
        /// What took its place.
        by: Option<String>,
    },
    /// SL442. The stored question cannot be read.
    #[error("SL442: the question behind `{id}` cannot be opened: {why}")]
    Unreadable {
        /// The id.
        id: String,
        /// Why.
        why: String,
    },
    /// SL446. Somebody broke the glass before, and nobody looked at it yet.
    #[error(
        "SL446: `{by}` broke the glass for `{open}`, and nobody has reviewed that yet: until somebody closes the review (`sluice approvals review {open}`), nobody breaks it again"
    )]
    ReviewOpen {
        /// For what.
        open: String,
        /// Who did.
        by: Name,
    },
    /// SL447. There is no glass here to break.
    #[error("SL447: the glass is not broken for `{id}`: {why}")]
    NoGlass {
        /// The id.
        id: String,
        /// Why not.
        why: &'static str,
    },
    /// SL448. Nobody would know.
    #[error(
        "SL448: the glass is not broken for `{id}`: two people must be told who would have had to approve, and there are {found}"
    )]
    TooFewToTell {
        /// The id.
        id: String,
        /// How many there are, beside whoever breaks it and whoever asked.
        found: usize,
    },
    /// SL449. Nothing is to be reviewed.
    #[error("SL449: no review of `{id}` is open; `sluice approvals reviews` shows what is")]
    NoReview {
        /// The id.
        id: String,
    },
    /// SL450. Somebody else must look.
    #[error(
        "SL450: `{person}` cannot close the review of `{id}`: that takes somebody who would have had to approve it or signs the rules, and who neither asked for it nor broke the glass"
    )]
    NotReviewer {
        /// Who tried.
        person: Name,
        /// What.
        id: String,
    },
    /// SL452. No such delegation.
    #[error("SL452: `{by}` has no delegation `{id}` in force; `sluice approvals delegations` shows them")]
    NoDelegation {
        /// Whose it would be.
        by: Name,
        /// What was asked for.
        id: String,
    },
    /// SL444. Data in the stored question was erased: nobody can see any more what they would sign.
    #[error("SL444: the question behind `{id}` was erased with somebody's data, and nobody can decide it any more")]
    Erased {
        /// The id.
        id: String,
    },
}

/// What may be done with approvals by somebody who signs.
pub struct Approver<'a> {
    workspace: &'a Workspace,
    ledger: &'a Ledger,
}

impl<'a> Approver<'a> {
    /// For a person with a key. Whether their signature counts is judged with each statement.
    #[must_use]
    pub const fn new(workspace: &'a Workspace, ledger: &'a Ledger) -> Self {
        Self { workspace, ledger }
    }

    /// Everything that waits, oldest first. What was erased or superseded is left out: it waits for nobody.
    ///
    /// # Errors
    /// [`ApprovalError::Ledger`].
    pub fn list(&self) -> Result<Vec<Waiting>, ApprovalError> {
        let rows = self.ledger.read(|records| records.held_approvals())?;
        // Who has which passkey is read once for all of them.
        let heard = Heard::now(self.workspace, self.ledger)?;
        let rows = rows.into_iter().map(|row| self.shown(&row.id, &heard));
        let shown = rows.filter(|shown| !matches!(shown, Err(ApprovalError::Erased { .. })));
        shown.filter(|shown| !matches!(shown, Ok(waiting) if waiting.superseded.is_some())).collect()
    }

    /// One of them, decided or not.
    ///
    /// # Errors
    /// [`ApprovalError::Unknown`] or [`ApprovalError::Unreadable`].
    pub fn show(&self, id: &str) -> Result<Waiting, ApprovalError> {
        self.shown(id, &Heard::now(self.workspace, self.ledger)?)
    }

    fn shown(&self, id: &str, heard: &Heard) -> Result<Waiting, ApprovalError> {
        let mut waiting = if id.starts_with("P-") { self.definition(id)? } else { self.step(id)? };
        let about = self.ledger.about(id)?;
        waiting.asked_ms = about.first().map_or(0, |first| first.entry.time_ms);
        let statements = said_in(&about);
        let count = self.question(&waiting, heard).count(&statements, &waiting.needs);
        waiting.is_satisfied =
            !waiting.needs.is_empty() && waiting.needs.iter().all(|n| count.satisfied.contains(&n.id()));
        waiting.is_denied = !count.denied_by.is_empty();
        waiting.asked = heard.asked(self.workspace, self.ledger, &waiting);
        let places = statements.iter().filter_map(|s| Some((&s.statement.approver, s.statement.instead_of.as_ref()?)));
        waiting.in_place_of = places.map(|(to, by)| (to.clone(), by.clone())).collect();
        waiting.said = statements.into_iter().map(|s| (s.statement.approver, s.statement.decision)).collect();
        waiting.glass = Reviews::of(&about).latest();
        waiting.is_expired = about.iter().any(|recorded| recorded.entry.kind == EntryKind::EXPIRED);
        if waiting.is_expired {
            waiting.superseded.get_or_insert(None);
        }
        Ok(waiting)
    }

    fn question<'q>(&'q self, waiting: &'q Waiting, heard: &'q Heard) -> Question<'q> {
        let asked = heard.asking(self.workspace, self.ledger, waiting.digest, &waiting.requester);
        // Of a run's step or an agent's call; what a definition or a value is worth is nothing that cannot wait.
        let glass = self.workspace.bundle().workspace().break_glass.as_ref();
        Question { glass: glass.filter(|_| matches!(waiting.about, About::Step { .. })), ..asked }
    }

    fn definition(&self, id: &str) -> Result<Waiting, ApprovalError> {
        let proposal = Proposal::find(self.ledger, id)?.ok_or_else(|| ApprovalError::Unknown { id: id.to_owned() })?;
        Ok(Waiting {
            id: id.to_owned(),
            digest: proposal.closure,
            requester: proposal.requester.clone(),
            needs: definition_requirement(self.workspace).into_iter().collect(),
            why: "the workspace asks people to sign definitions".to_owned(),
            asked_ms: 0,
            asked: BTreeSet::new(),
            said: Vec::new(),
            in_place_of: BTreeMap::new(),
            glass: None,
            is_satisfied: false,
            is_denied: false,
            is_agents: false,
            is_expired: false,
            superseded: None,
            about: About::Definition {
                author: crate::proposal::author_in_words(&proposal.author),
                name: proposal.name,
                text: proposal.text,
            },
        })
    }

    /// The held step behind an id: its question is in the entry before the request.
    fn step(&self, id: &str) -> Result<Waiting, ApprovalError> {
        let unknown = || ApprovalError::Unknown { id: id.to_owned() };
        let row = {
            let id = id.to_owned();
            self.ledger.read(move |records| records.approval(&id))?.ok_or_else(unknown)?
        };
        let run = row.run.ok_or_else(unknown)?;
        let unreadable = |why: &str| ApprovalError::Unreadable { id: id.to_owned(), why: why.to_owned() };
        let entries = self.ledger.run(run)?;
        if entries.iter().any(|recorded| recorded.payload == PayloadState::Erased) {
            return Err(ApprovalError::Erased { id: id.to_owned() });
        }
        let facts = crate::run::facts(&entries).map_err(|e| unreadable(&e.to_string()))?;
        let held = facts.iter().enumerate().rev().find_map(|(at, record)| match &record.fact {
            Fact::Decided { action, key, answer: GateAnswer::Hold { receipt, hold }, .. } if hold.approval == id => {
                Some((at, action.clone(), key.clone(), receipt.clone(), hold.clone()))
            }
            _ => None,
        });
        let (at, action, key, receipt, hold) = held.ok_or_else(|| unreadable("the run does not hold it"))?;
        let (earlier, later) = facts.split_at(at);
        let more = receipt.get("more").cloned().unwrap_or_default();
        let needs = more.get("needs").and_then(|n| n.as_array()).cloned().unwrap_or_default();
        let text = |key: &str| receipt.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
        let list = |key: &str| -> Vec<String> {
            let items = more.get(key).and_then(|v| v.as_array()).cloned().unwrap_or_default();
            items.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect()
        };
        Ok(Waiting {
            id: id.to_owned(),
            digest: ClosureDigest(Digest(hold.digest)),
            requester: more.get("requester").and_then(|v| v.as_str()).unwrap_or_default().into(),
            needs: needs.iter().filter_map(requirement_from).collect(),
            why: hold.why.clone(),
            asked_ms: 0,
            asked: BTreeSet::new(),
            said: Vec::new(),
            in_place_of: BTreeMap::new(),
            glass: None,
            is_satisfied: false,
            is_denied: false,
            is_expired: false,
            is_agents: matches!(facts.first().map(|first| &first.fact), Some(Fact::Started(start)) if is_session(start)),
            superseded: superseded(later, &key, id),
            about: match more.get("entry").and_then(|v| v.as_str()) {
                Some(entry) => About::Value {
                    run,
                    function: action,
                    entry: entry.to_owned(),
                    value: more.get("value").cloned().unwrap_or_default(),
                    labels: list("labels"),
                    clears: list("clears"),
                },
                None => About::Step {
                    run,
                    action,
                    request: text("request"),
                    arguments: more.get("arguments").cloned().unwrap_or_default(),
                    clears: list("clears"),
                    changed: changed(&references(&before(earlier, &key)), &references(&receipt)),
                    references: references(&receipt),
                },
            },
        })
    }
}

/// Whether a later answer about the same visit of the same step made a question void; an approval that was used did not.
fn superseded(later: &[Record], key: &str, id: &str) -> Option<Option<String>> {
    let answer = later.iter().rev().find_map(|record| match &record.fact {
        Fact::Decided { key: other, answer, .. } if other == key => Some(answer),
        _ => None,
    })?;
    let is_over = later.iter().any(|record| {
        matches!(
            record.fact,
            Fact::Completed { .. } | Fact::Refused { .. } | Fact::Faulted { .. } | Fact::Cancelled { .. }
        )
    });
    match answer {
        GateAnswer::Hold { hold, .. } if hold.approval != id => Some(Some(hold.approval.clone())),
        // Nobody goes on with a run that is over.
        GateAnswer::Hold { .. } if is_over => Some(None),
        GateAnswer::Forbid { .. } | GateAnswer::Unchanged { .. } => Some(None),
        GateAnswer::Hold { .. } | GateAnswer::Permit { .. } => None,
    }
}

/// The receipt of the question that was asked about the same visit of the same step before.
fn before(earlier: &[Record], key: &str) -> serde_json::Value {
    let held = earlier.iter().rev().find_map(|record| match &record.fact {
        Fact::Decided { key: other, answer: GateAnswer::Hold { receipt, .. }, .. } if other == key => Some(receipt),
        _ => None,
    });
    held.cloned().unwrap_or_default()
}

fn references(receipt: &serde_json::Value) -> Vec<Referred> {
    let listed = receipt.pointer("/more/references").and_then(|v| v.as_array()).into_iter().flatten();
    let read = |told: &serde_json::Value| {
        let text = |key: &str| told.get(key).and_then(|v| v.as_str()).map(str::to_owned);
        Referred {
            argument: text("argument").unwrap_or_default(),
            kind: text("kind").unwrap_or_default(),
            id: text("id").unwrap_or_default(),
            version: text("version").zip(text("from")),
            content: told.get("content").filter(|c| !c.is_null()).cloned(),
        }
    };
    listed.map(read).collect()
}

/// What changed of what is referred to, one line each.
fn changed(before: &[Referred], now: &[Referred]) -> Vec<String> {
    let mut lines = Vec::new();
    for new in now {
        let Some(old) = before.iter().find(|old| old.argument == new.argument && old.version != new.version) else {
            continue;
        };
        let what = format!("{} `{}`", new.kind, new.id);
        match (&old.content, &new.content) {
            (Some(old), Some(new)) => {
                lines.extend(difference(old, new).into_iter().map(|line| format!("{what} {line}")));
            }
            _ => lines
                .push(format!("{what} is another; its difference is not kept, for it is too large or data of people")),
        }
    }
    lines
}

/// Every statement recorded under an id. One that cannot be opened counts for nothing.
///
/// # Errors
/// [`LedgerError`] if the ledger cannot be read.
pub fn statements(ledger: &Ledger, id: &str) -> Result<Vec<SignedStatement>, LedgerError> {
    Ok(said_in(&ledger.about(id)?))
}

/// Why a person said no, if one did.
///
/// # Errors
/// [`LedgerError`] if the ledger cannot be read.
pub(crate) fn denial(ledger: &Ledger, id: &str) -> Result<Option<String>, LedgerError> {
    let said = statements(ledger, id)?;
    let denied = said.iter().find(|s| s.statement.decision == Decision::Deny);
    Ok(denied.map(|s| format!("denied by `{}`", s.statement.approver)))
}

fn said_in(entries: &[Recorded]) -> Vec<SignedStatement> {
    let said =
        |kind| matches!(kind, EntryKind::APPROVED | EntryKind::DENIED | EntryKind::WITHDRAWN | EntryKind::BREAK_GLASS);
    let entries = entries.iter().filter(|recorded| said(recorded.entry.kind));
    entries.filter_map(|recorded| statement_in(&opened(recorded)?)).collect()
}

/// What an entry's payload says, if it can be opened.
fn opened(recorded: &Recorded) -> Option<serde_json::Value> {
    serde_json::from_slice(recorded.payload.opened()?).ok()
}

fn statement_in(payload: &serde_json::Value) -> Option<SignedStatement> {
    SignedStatement::from_bytes(&unhex(payload.get("statement")?.as_str()?)?).ok()
}

/// Who must sign definitions in this workspace; `None` if nobody is asked.
#[must_use]
pub fn definition_requirement(workspace: &Workspace) -> Option<Requirement> {
    workspace.bundle().workspace().definitions.clone()
}

/// Whether a definition's closure was signed by as many people as the workspace asks, and by at least one.
///
/// # Errors
/// [`LedgerError`] if the ledger cannot be read.
pub fn is_signed(
    workspace: &Workspace,
    ledger: &Ledger,
    id: &str,
    closure: ClosureDigest,
    requester: &Name,
) -> Result<bool, LedgerError> {
    let Some(needed) = definition_requirement(workspace) else { return Ok(false) };
    let statements = statements(ledger, id)?;
    let heard = Heard::now(workspace, ledger)?;
    let question = heard.asking(workspace, ledger, closure, requester);
    Ok(question.count(&statements, std::slice::from_ref(&needed)).satisfied.contains(&needed.id()))
}

/// A requirement in words.
#[must_use]
pub fn in_words(requirement: &Requirement) -> String {
    use sluice_core::contract::approval::Party;
    let party = |p: &Party| match p {
        Party::Principal(id) => format!("`{id}`"),
        Party::ManagerOf(id) => format!("the manager of `{id}`"),
        Party::InChargeOf(id) => format!("whoever answers for `{id}`"),
    };
    let parties: Vec<String> = requirement.parties.iter().map(party).collect();
    let who = parties.join(" and ");
    if requirement.quorum > 1 { format!("{} of {who}", requirement.quorum) } else { who }
}

/// Bytes from hexadecimal digits; `None` if they are none.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(text.get(i..i + 2)?, 16).ok()).collect()
}
