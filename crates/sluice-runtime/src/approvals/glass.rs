//! Break-glass: somebody whom the rules name lets one held step pass at once, two people are told, and until somebody else
//! has looked at it nobody does so again.
//!
//! What is open follows from the entries alone: [`Reviews`] folds them, here as in an audit.

use std::collections::BTreeSet;

use serde_json::json;
use sluice_core::contract::approval::{Decision, GLASS_ROLE, Nonce, REVIEW_ROLE, Refusal, SignedStatement, Statement};
use sluice_core::contract::key::SecretKey;
use sluice_core::label::Name;
use sluice_ledger::EntryKind;
use sluice_store::{
    AppendError, Conflict, Count, FIELD_APPROVAL, FactExpect, FactIs, NewRecord, Page, Query, Recorded,
};

use super::{About, ApprovalError, Approver, Beside, Heard, Waiting, opened, statement_in};
use crate::ledger::{Ledger, LedgerError, random};

/// How long broken glass lets its step through: it is for what cannot wait.
pub const GLASS_MS: u64 = 60 * 60 * 1_000;
/// How many people are told.
const TOLD: usize = 2;
/// Counted up whenever the glass is broken or a review closed, so that of two who do so at once one is told no.
const TURNS: &str = "break-glass/turns";
/// Entries that are read at once.
const PAGE: u64 = 500;

/// The glass, broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// For what.
    pub approval: String,
    /// What was signed.
    pub statement: Statement,
    /// Why, in their own words.
    pub reason: String,
    /// Who was told.
    pub told: Vec<Name>,
    /// Everybody who would have had to approve.
    pub asked: BTreeSet<Name>,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// The entry that says so.
    pub entry: u64,
    /// Who looked at it, if somebody did.
    pub review: Option<Review>,
}

/// What somebody found who looked at what was let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Who.
    pub by: Name,
    /// What they say of it.
    pub finding: String,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
}

/// How the glass was broken and looked at, folded over entries in the order of the log.
#[derive(Clone, Debug, Default)]
pub struct Reviews {
    all: Vec<Broken>,
    /// The entry of one that cannot be read: it blocks all the same.
    unreadable: Option<u64>,
}

impl Reviews {
    /// Of these entries; those of other kinds are left out.
    #[must_use]
    pub fn of(entries: &[Recorded]) -> Self {
        let mut reviews = Self::default();
        for recorded in entries {
            // Whoever asks how it stands is told how it stands; an audit tells what should not have been.
            let _ = reviews.after(recorded);
        }
        reviews
    }

    /// Goes on by an entry, and says what of it should not be.
    pub fn after(&mut self, recorded: &Recorded) -> Option<String> {
        match recorded.entry.kind {
            EntryKind::BREAK_GLASS => self.broken(recorded),
            EntryKind::REVIEWED => self.reviewed(recorded),
            _ => None,
        }
    }

    /// The last time that the glass was broken.
    #[must_use]
    pub fn latest(&self) -> Option<Broken> {
        self.all.last().cloned()
    }

    /// What nobody has looked at.
    #[must_use]
    pub fn open(&self) -> Option<&Broken> {
        self.all.last().filter(|broken| broken.review.is_none())
    }

    fn broken(&mut self, recorded: &Recorded) -> Option<String> {
        let before = self.open().map(|open| open.entry).or(self.unreadable);
        let Some(broken) = broken(recorded) else {
            self.unreadable = Some(recorded.entry.log.get());
            return None;
        };
        let Statement { approver, requester, .. } = &broken.statement;
        let told: BTreeSet<&Name> = broken.told.iter().filter(|who| *who != approver && *who != requester).collect();
        let wrong = match before {
            Some(entry) => Some(format!("the glass was broken before anybody had reviewed entry {entry}")),
            None if approver == requester => Some("the glass was broken by whoever asked".to_owned()),
            None if told.len() < TOLD => Some("the glass was broken, and fewer than two were told".to_owned()),
            None => None,
        };
        self.all.push(broken);
        wrong
    }

    fn reviewed(&mut self, recorded: &Recorded) -> Option<String> {
        let said = opened(recorded);
        let signed = said.as_ref().and_then(statement_in);
        let (Some(said), Some(SignedStatement { statement, .. })) = (said, signed) else {
            // What was opened with it cannot be told either; what is readable and open stays so.
            self.unreadable = None;
            return None;
        };
        let Some(open) = self.all.last_mut().filter(|open| open.review.is_none()) else {
            return (self.unreadable.take().is_none()).then(|| "it reviews what was not open".to_owned());
        };
        let Statement { decision, approver, .. } = &statement;
        let is_of_it = *decision == Decision::Review { of: open.statement.nonce };
        if !is_of_it || *approver == open.statement.approver || is_requester(approver, &open.statement.requester) {
            return Some(format!("`{approver}` cannot close the review of entry {}", open.entry));
        }
        let finding = said.get("reason").and_then(|text| text.as_str()).unwrap_or_default().to_owned();
        open.review = Some(Review { by: approver.clone(), finding, at_ms: recorded.entry.time_ms });
        None
    }
}

/// Whether somebody asked, themselves or through their agent.
fn is_requester(person: &Name, requester: &Name) -> bool {
    person == requester || requester.strip_prefix("agent:") == Some(person)
}

fn broken(recorded: &Recorded) -> Option<Broken> {
    let said = opened(recorded)?;
    let statement = statement_in(&said)?.statement;
    let names = |key: &str| {
        let listed = said.get(key).and_then(|list| list.as_array()).into_iter().flatten();
        listed.filter_map(|name| name.as_str()).map(Name::from).collect::<Vec<_>>()
    };
    Some(Broken {
        approval: recorded.entry.body.get(FIELD_APPROVAL)?.as_text()?.to_owned(),
        reason: said.get("reason").and_then(|text| text.as_str()).unwrap_or_default().to_owned(),
        told: names("told"),
        asked: names("asked").into_iter().collect(),
        at_ms: recorded.entry.time_ms,
        entry: recorded.entry.log.get(),
        review: None,
        statement,
    })
}

/// The review that is open, if one is.
///
/// # Errors
/// [`LedgerError`]; [`ApprovalError::Unreadable`] if the glass was broken by an entry that cannot be read.
pub fn open_review(ledger: &Ledger) -> Result<Option<Broken>, ApprovalError> {
    let mut entries = Vec::new();
    for kind in [EntryKind::BREAK_GLASS, EntryKind::REVIEWED] {
        let wanted = Query { kind: Some(kind), ..Query::default() };
        let mut before = None;
        loop {
            let found = ledger.look(|records| records.find_page(&wanted, Page { before, count: PAGE }))?;
            before = found.last().map(|last| last.entry.log.get());
            let is_last = (found.len() as u64) < PAGE;
            entries.extend(found);
            if is_last {
                break;
            }
        }
    }
    entries.sort_by_key(|recorded| recorded.entry.log.get());
    let reviews = Reviews::of(&entries);
    match (reviews.open(), reviews.unreadable) {
        (None, Some(entry)) => Err(ApprovalError::Unreadable {
            id: format!("entry {entry}"),
            why: "it broke the glass, and its payload cannot be opened".to_owned(),
        }),
        (open, _) => Ok(open.cloned()),
    }
}

impl Approver<'_> {
    /// Whom somebody would have told who breaks the glass for something that waits.
    ///
    /// # Errors
    /// [`ApprovalError`]: the first reason why they may not.
    pub fn may_break_glass(&self, waiting: &Waiting, person: &Name) -> Result<Vec<Name>, ApprovalError> {
        let none = |why| Err(ApprovalError::NoGlass { id: waiting.id.clone(), why });
        let refused = |source| Err(ApprovalError::Refused { source });
        let people = self.workspace.bundle().workspace().break_glass.as_ref();
        if !people.is_some_and(|people| self.workspace.principals().persons_of(people).contains(person)) {
            return refused(Refusal::NotForGlass(person.clone()));
        }
        if is_requester(person, &waiting.requester) {
            return refused(Refusal::Requester(person.clone()));
        }
        if !matches!(waiting.about, About::Step { .. }) {
            return none("that is for a step of a run and for an agent's call; definitions and values wait");
        }
        if waiting.is_satisfied {
            return none("everything that it needs was said");
        }
        if waiting.said.iter().any(|(_, decision)| *decision == Decision::Deny) {
            return none("somebody denied it, and nothing overrides that");
        }
        let told = self.told(waiting, person);
        if told.len() < TOLD {
            return Err(ApprovalError::TooFewToTell { id: waiting.id.clone(), found: told.len() });
        }
        match open_review(self.ledger)? {
            Some(open) => Err(ApprovalError::ReviewOpen { by: open.statement.approver, open: open.approval }),
            None => Ok(told),
        }
    }

    /// Those who would have had to approve, party by party.
    fn parties(&self, waiting: &Waiting) -> Vec<Vec<Name>> {
        let principals = self.workspace.principals();
        let parties = waiting.needs.iter().flat_map(|needed| needed.people(principals, &waiting.requester));
        parties.map(|party| party.into_iter().collect()).collect()
    }

    /// Two of those who would have had to approve, of different parties where there are several.
    fn told(&self, waiting: &Waiting, person: &Name) -> Vec<Name> {
        let parties = self.parties(waiting);
        let longest = parties.iter().map(Vec::len).max().unwrap_or_default();
        let mut told: Vec<Name> = Vec::new();
        for one in (0..longest).flat_map(|place| parties.iter().filter_map(move |party| party.get(place))) {
            if one != person && !told.contains(one) && told.len() < TOLD {
                told.push(one.clone());
            }
        }
        told
    }

    /// What `person` would sign to break the glass for something that waits.
    ///
    /// # Errors
    /// [`ApprovalError`]: the first reason why they may not.
    pub fn draft_glass(&self, id: &str, person: &Name) -> Result<Statement, ApprovalError> {
        let waiting = self.seen_open(id)?;
        self.may_break_glass(&waiting, person)?;
        Ok(Statement {
            decision: Decision::BreakGlass,
            closure: waiting.digest,
            role: GLASS_ROLE.into(),
            requester: waiting.requester,
            approver: person.clone(),
            instead_of: None,
            expiry_ms: self.ledger.clock().now_ms().saturating_add(GLASS_MS),
            nonce: Nonce(random()?),
        })
    }

    /// Signs with a key file and records that the glass is broken.
    ///
    /// # Errors
    /// [`ApprovalError`]: the first reason why it would not count.
    pub fn break_glass_with(&self, id: &str, key: &SecretKey, reason: &str) -> Result<Waiting, ApprovalError> {
        let signed = self.draft_glass(id, key.name())?.sign(key);
        self.break_glass(id, &signed, &Beside { reason, read_ms: None, login: None })
    }

    /// Records that the glass is broken, by whom two people are told.
    ///
    /// # Errors
    /// [`ApprovalError`]: the first reason why it would not count.
    pub(super) fn break_glass(
        &self,
        id: &str,
        signed: &SignedStatement,
        beside: &Beside<'_>,
    ) -> Result<Waiting, ApprovalError> {
        let turn = self.turn()?;
        let waiting = self.open(id)?;
        if beside.reason.trim().is_empty() {
            return Err(ApprovalError::NoGlass { id: id.to_owned(), why: "nobody said why" });
        }
        if signed.statement.expiry_ms > self.ledger.clock().now_ms().saturating_add(GLASS_MS) {
            return Err(ApprovalError::NoGlass {
                id: id.to_owned(),
                why: "it would stay open for longer than an hour",
            });
        }
        let told = self.may_break_glass(&waiting, &signed.statement.approver)?;
        let heard = Heard::now(self.workspace, self.ledger)?;
        let judged = self.question(&waiting, &heard).judge_glass(signed);
        judged.map_err(|source| ApprovalError::Refused { source })?;
        // Themselves, and not who speaks for them: whoever broke it may have delegated.
        let asked: BTreeSet<Name> = self.parties(&waiting).into_iter().flatten().collect();
        let more = vec![("told", json!(told)), ("asked", json!(asked))];
        self.take_turn(turn, self.entry(id, signed, beside, more))?;
        self.show(id)
    }

    /// Whether somebody may close a review.
    ///
    /// # Errors
    /// [`ApprovalError::NotReviewer`].
    pub fn may_review(&self, broken: &Broken, person: &Name) -> Result<(), ApprovalError> {
        let signs = self.workspace.bundle().signers().iter().any(|signer| signer == person);
        let is_known = self.workspace.principals().persons.entries.contains_key(person);
        let has_part = *person == broken.statement.approver || is_requester(person, &broken.statement.requester);
        if is_known && !has_part && (signs || broken.asked.contains(person)) {
            return Ok(());
        }
        Err(ApprovalError::NotReviewer { person: person.clone(), id: broken.approval.clone() })
    }

    fn reviewable(&self, id: &str, person: &Name) -> Result<Broken, ApprovalError> {
        let open = open_review(self.ledger)?.filter(|open| open.approval == id);
        let open = open.ok_or_else(|| ApprovalError::NoReview { id: id.to_owned() })?;
        self.may_review(&open, person)?;
        Ok(open)
    }

    /// What `person` would sign to close the review of what passed through broken glass.
    ///
    /// # Errors
    /// [`ApprovalError::NoReview`] or [`ApprovalError::NotReviewer`].
    pub fn draft_review(&self, id: &str, person: &Name) -> Result<Statement, ApprovalError> {
        let Broken { statement: broken, .. } = self.reviewable(id, person)?;
        Ok(Statement {
            decision: Decision::Review { of: broken.nonce },
            role: REVIEW_ROLE.into(),
            approver: person.clone(),
            expiry_ms: self.ledger.clock().now_ms().saturating_add(GLASS_MS),
            nonce: Nonce(random()?),
            ..broken
        })
    }

    /// Signs with a key file that somebody looked at what was let through, and records it.
    ///
    /// # Errors
    /// [`ApprovalError`]: the first reason why it would not count.
    pub fn review_with(&self, id: &str, key: &SecretKey, finding: &str) -> Result<(), ApprovalError> {
        let signed = self.draft_review(id, key.name())?.sign(key);
        self.review(id, &signed, &Beside { reason: finding, read_ms: None, login: None })
    }

    /// Closes a review.
    ///
    /// # Errors
    /// [`ApprovalError`]: the first reason why it would not count.
    pub fn review(&self, id: &str, signed: &SignedStatement, beside: &Beside<'_>) -> Result<(), ApprovalError> {
        let turn = self.turn()?;
        let open = self.reviewable(id, &signed.statement.approver)?;
        let heard = Heard::now(self.workspace, self.ledger)?;
        let asked = heard.asking(self.workspace, self.ledger, open.statement.closure, &open.statement.requester);
        asked.judge_review(signed, &open.statement).map_err(|source| ApprovalError::Refused { source })?;
        self.take_turn(turn, self.entry(id, signed, beside, Vec::new()))
    }

    fn turn(&self) -> Result<u64, LedgerError> {
        self.ledger.look(|records| records.fact(TURNS))
    }

    /// Writes an entry if nobody broke the glass or closed a review meanwhile.
    fn take_turn(&self, turn: u64, mut record: NewRecord) -> Result<(), ApprovalError> {
        record.counts.push(Count { key: TURNS.to_owned(), add: 1 });
        let expect = FactExpect { key: TURNS.to_owned(), is: FactIs::Exactly(turn) };
        match self.ledger.append_if(vec![record], vec![expect]) {
            Ok(_) => Ok(()),
            Err(LedgerError::Append(AppendError::Conflict(Conflict::Fact { .. }))) => {
                Err(match open_review(self.ledger)? {
                    Some(open) => ApprovalError::ReviewOpen { by: open.statement.approver, open: open.approval },
                    None => ApprovalError::NoReview { id: "it".to_owned() },
                })
            }
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests;
