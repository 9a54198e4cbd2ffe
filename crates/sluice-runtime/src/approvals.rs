//! What waits for people, and what they say: recorded statements over digests.
//!
//! An approval is never a flag. It is a signature over one exact digest; whether it counts is judged each
//! time it is used, against the principals of that moment.

mod glass;
mod heard;
mod recalled;
mod stands;
mod word;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sluice_core::contract::approval::{Decision, Question, Refusal, Requirement, SignedStatement};
use sluice_core::contract::closure::ClosureDigest;
use sluice_core::label::Name;
use sluice_ledger::{EntryKind, RunId};
use sluice_store::Recorded;
use thiserror::Error;

use crate::ledger::{Ledger, LedgerError};
use crate::proposal::ProposalError;
use crate::workspace::Workspace;

pub use glass::{Broken, GLASS_MS, Review, Reviews, open_review};
pub(crate) use heard::Heard;
pub(crate) use recalled::Recalled;
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
    pub asked: Arc<BTreeSet<Name>>,
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

/// Who is asked for such needs on somebody's behalf.
type AskedBefore = Vec<(Vec<Requirement>, Name, Arc<BTreeSet<Name>>)>;

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
        let rows = self.ledger.look(|records| records.held_approvals())?;
        let shown = self.show_each(rows.iter().map(|row| row.id.as_str()))?.into_iter();
        let shown = shown.filter(|shown| !matches!(shown, Err(ApprovalError::Erased { .. })));
        shown.filter(|shown| !matches!(shown, Ok(waiting) if waiting.superseded.is_some())).collect()
    }

    /// Several of them, decided or not, each as [`Approver::show`] has it.
    ///
    /// # Errors
    /// [`ApprovalError::Ledger`].
    pub fn show_each<'i>(
        &self,
        ids: impl IntoIterator<Item = &'i str>,
    ) -> Result<Vec<Result<Waiting, ApprovalError>>, ApprovalError> {
        // Who has which passkey is read once for all of them, and who is asked once for all that ask the same people.
        let heard = Heard::kept(self.workspace, self.ledger)?;
        let mut asked = Vec::new();
        Ok(ids.into_iter().map(|id| Ok(self.shown(&*self.recalled(id)?, &heard, &mut asked))).collect())
    }

    /// One of them, decided or not.
    ///
    /// # Errors
    /// [`ApprovalError::Unknown`] or [`ApprovalError::Unreadable`].
    pub fn show(&self, id: &str) -> Result<Waiting, ApprovalError> {
        Ok(self.shown(&*self.recalled(id)?, &*Heard::kept(self.workspace, self.ledger)?, &mut Vec::new()))
    }

    /// The same for whoever decides on it: read anew, whatever is kept.
    pub(super) fn show_anew(&self, id: &str) -> Result<Waiting, ApprovalError> {
        Ok(self.shown(&self.recall(id)?, &Heard::now(self.workspace, self.ledger)?, &mut Vec::new()))
    }

    /// How it stands at this moment. `asked` is who was found to be asked about others.
    fn shown(&self, recalled: &Recalled, heard: &Heard, asked: &mut AskedBefore) -> Waiting {
        let Recalled { statements, .. } = recalled;
        let mut waiting = recalled.waiting.clone();
        if matches!(waiting.about, About::Definition { .. }) {
            waiting.needs = definition_requirement(self.workspace).into_iter().collect();
        }
        let count = self.question(&waiting, heard).count(statements, &waiting.needs);
        waiting.is_satisfied =
            !waiting.needs.is_empty() && waiting.needs.iter().all(|n| count.satisfied.contains(&n.id()));
        waiting.is_denied = !count.denied_by.is_empty();
        waiting.asked = self.asked(heard, &waiting, asked);
        let places = statements.iter().filter_map(|s| Some((&s.statement.approver, s.statement.instead_of.as_ref()?)));
        waiting.in_place_of = places.map(|(to, by)| (to.clone(), by.clone())).collect();
        waiting.said = statements.iter().map(|s| (s.statement.approver.clone(), s.statement.decision)).collect();
        waiting
    }

    fn asked(&self, heard: &Heard, waiting: &Waiting, before: &mut AskedBefore) -> Arc<BTreeSet<Name>> {
        let same = before.iter().find(|(needs, who, _)| *needs == waiting.needs && *who == waiting.requester);
        if let Some((.., asked)) = same {
            return Arc::clone(asked);
        }
        let asked = Arc::new(heard.asked(self.workspace, self.ledger, waiting));
        before.push((waiting.needs.clone(), waiting.requester.clone(), Arc::clone(&asked)));
        asked
    }

    fn question<'q>(&'q self, waiting: &'q Waiting, heard: &'q Heard) -> Question<'q> {
        let asked = heard.asking(self.workspace, self.ledger, waiting.digest, &waiting.requester);
        // Of a run's step or an agent's call; what a definition or a value is worth is nothing that cannot wait.
        let glass = self.workspace.bundle().workspace().break_glass.as_ref();
        Question { glass: glass.filter(|_| matches!(waiting.about, About::Step { .. })), ..asked }
    }
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
