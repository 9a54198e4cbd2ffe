//! What a person says about something that waits: drafted for them, signed by them, recorded if it counts.

use sluice_core::contract::approval::{Decision, Delegated, Nonce, Refusal, SignedStatement, Statement};
use sluice_core::contract::digest::to_hex;
use sluice_core::contract::key::SecretKey;
use sluice_core::label::Name;
use sluice_ledger::EntryKind;
use sluice_ledger::cbor::Map;
use sluice_store::{FIELD_APPROVAL, NewRecord, Payload, Recorded};

use super::{ApprovalError, Approver, EXPIRY_MS_DEFAULT, Heard, Waiting, in_words, opened, statement_in, statements};
use crate::ledger::random;

/// What is recorded beside a statement, and signed by nobody.
#[derive(Clone, Debug, Default)]
pub struct Beside<'a> {
    /// Why, in their own words.
    pub reason: &'a str,
    /// How long they had the page open, in milliseconds.
    pub read_ms: Option<u64>,
    /// How they had come in, if it was at a page.
    pub login: Option<serde_json::Value>,
}

/// What somebody said, as it is recorded. Whether it counts is another question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Who.
    pub approver: Name,
    /// How long they had the page open, in milliseconds; nobody knows if it was no page.
    pub read_ms: Option<u64>,
}

impl Word {
    /// Of an entry that tells what somebody said; `None` if it is no such, or cannot be opened.
    #[must_use]
    pub fn of(recorded: &Recorded) -> Option<Self> {
        let payload = opened(recorded)?;
        let signed = statement_in(&payload)?;
        let read_ms = payload.get("read_ms").and_then(serde_json::Value::as_u64);
        Some(Self { approver: signed.statement.approver, read_ms })
    }
}

impl Approver<'_> {
    /// Signs with a key file and records a decision. A statement that would not count is not recorded.
    ///
    /// # Errors
    /// [`ApprovalError`]: the first reason why it would not count.
    pub fn decide(
        &self,
        id: &str,
        decision: Decision,
        key: &SecretKey,
        reason: &str,
    ) -> Result<Waiting, ApprovalError> {
        let waiting = self.open(id)?;
        let signed = self.drafts(&waiting, decision, key.name())?.into_iter().map(|draft| draft.sign(key));
        self.take(&waiting, signed.collect(), key.name(), &Beside { reason, ..Beside::default() })
    }

    /// What `person` would sign to decide something: one statement, in the role in which their word counts, in their own name if
    /// they are asked themselves, else in the place of somebody who delegated to them. To break the glass, or to close the
    /// review of that, is a word too.
    ///
    /// # Errors
    /// [`ApprovalError::NotAsked`] if nobody asked them; [`ApprovalError::Refused`] if it is their own request.
    pub fn draft(&self, id: &str, decision: Decision, person: &Name) -> Result<Statement, ApprovalError> {
        match decision {
            Decision::BreakGlass => return self.draft_glass(id, person),
            Decision::Review { .. } => return self.draft_review(id, person),
            Decision::Approve | Decision::Deny | Decision::Withdraw { .. } => {}
        }
        self.draft_of(&self.seen_open(id)?, decision, person)
    }

    /// The same of what was read before: a page is made of one reading, and what happened meanwhile is found when it is said.
    ///
    /// # Errors
    /// As [`Approver::draft`]; glass is not broken, nor a review closed, by this.
    pub fn draft_of(&self, waiting: &Waiting, decision: Decision, person: &Name) -> Result<Statement, ApprovalError> {
        if let Some(by) = &waiting.superseded {
            return Err(ApprovalError::Superseded { id: waiting.id.clone(), by: by.clone() });
        }
        if matches!(decision, Decision::BreakGlass | Decision::Review { .. }) {
            return Err(not_asked(waiting, person));
        }
        if *person == waiting.requester {
            return Err(ApprovalError::Refused { source: Refusal::Requester(person.clone()) });
        }
        let principals = self.workspace.principals();
        let is_asked = |draft: &Statement| {
            let voice = draft.instead_of.as_ref().unwrap_or(person);
            let needed = waiting.needs.iter().find(|needed| needed.role == draft.role);
            needed.is_some_and(|needed| needed.asks(principals, &waiting.requester, voice))
        };
        let draft = self.drafts(waiting, decision, person)?.into_iter().find(is_asked);
        draft.ok_or_else(|| not_asked(waiting, person))
    }

    /// What somebody would say to take back the last word that they said, while nothing has used it.
    ///
    /// # Errors
    /// [`ApprovalError::Refused`] if they have said none that stands, [`ApprovalError::Superseded`] if a run went on with it.
    pub fn taking_back(&self, id: &str, person: &Name) -> Result<Decision, ApprovalError> {
        let row = self.ledger.look(|records| records.approval(id))?;
        if row.is_some_and(|row| row.used_by.is_some()) {
            return Err(ApprovalError::Superseded { id: id.to_owned(), by: None });
        }
        let said = statements(self.ledger, id)?;
        let last = said.into_iter().map(|signed| signed.statement).rfind(|statement| statement.approver == *person);
        match last {
            Some(Statement { decision: Decision::Approve | Decision::Deny, nonce, .. }) => {
                Ok(Decision::Withdraw { of: nonce })
            }
            _ => Err(ApprovalError::Refused { source: Refusal::NothingToWithdraw(person.clone()) }),
        }
    }

    /// Records what a person signed. A statement that would not count is not recorded.
    ///
    /// # Errors
    /// [`ApprovalError`]: the first reason why it would not count.
    pub fn say(&self, id: &str, signed: SignedStatement, beside: &Beside<'_>) -> Result<Waiting, ApprovalError> {
        if signed.statement.decision == Decision::BreakGlass {
            return self.break_glass(id, &signed, beside);
        }
        let waiting = self.open(id)?;
        let person = signed.statement.approver.clone();
        self.take(&waiting, vec![signed], &person, beside)
    }

    /// What is still asked, read anew for whoever decides on it.
    pub(super) fn open(&self, id: &str) -> Result<Waiting, ApprovalError> {
        still_asked(self.show_anew(id)?)
    }

    /// The same for whoever is shown what they could say. What they then say is judged anew.
    pub(super) fn seen_open(&self, id: &str) -> Result<Waiting, ApprovalError> {
        still_asked(self.show(id)?)
    }

    /// One statement for each role that is asked for, and one more for each that somebody delegated to them.
    fn drafts(&self, waiting: &Waiting, decision: Decision, person: &Name) -> Result<Vec<Statement>, ApprovalError> {
        let now_ms = self.ledger.clock().now_ms();
        let draft = |role: &Name, instead_of: Option<&Name>| {
            Ok(Statement {
                decision,
                closure: waiting.digest,
                role: role.clone(),
                requester: waiting.requester.clone(),
                approver: person.clone(),
                instead_of: instead_of.cloned(),
                expiry_ms: now_ms.saturating_add(EXPIRY_MS_DEFAULT),
                nonce: Nonce(random()?),
            })
        };
        let heard = Heard::kept(self.workspace, self.ledger)?;
        let own = waiting.needs.iter().map(|needed| draft(&needed.role, None));
        let theirs = |one: &Delegated, role: &Name| one.is_in_force(now_ms) && one.to == *person && one.covers(role);
        let of_others = waiting.needs.iter().flat_map(|needed| {
            let given = heard.delegations.iter().filter(move |one| theirs(one, &needed.role));
            given.map(move |one| draft(&needed.role, Some(&one.by)))
        });
        own.chain(of_others).collect()
    }

    /// Records the first statement that counts.
    fn take(
        &self,
        waiting: &Waiting,
        signed: Vec<SignedStatement>,
        person: &Name,
        beside: &Beside<'_>,
    ) -> Result<Waiting, ApprovalError> {
        let heard = Heard::now(self.workspace, self.ledger)?.in_force(self.ledger.clock().now_ms());
        let question = self.question(waiting, &heard);
        let mut refusal = None;
        for statement in &signed {
            for requirement in waiting.needs.iter().filter(|needed| needed.role == statement.statement.role) {
                match question.judge(statement, requirement) {
                    Ok(()) => {
                        self.record(&waiting.id, statement, beside)?;
                        return self.show(&waiting.id);
                    }
                    Err(source) => refusal = Some(source),
                }
            }
        }
        match refusal {
            Some(Refusal::WrongRole { .. }) | None => Err(not_asked(waiting, person)),
            Some(source) => Err(ApprovalError::Refused { source }),
        }
    }

    fn record(&self, id: &str, signed: &SignedStatement, beside: &Beside<'_>) -> Result<(), ApprovalError> {
        self.ledger.append(vec![self.entry(id, signed, beside, Vec::new())])?;
        Ok(())
    }

    /// The entry of a word; `more` is told in its payload.
    pub(super) fn entry(
        &self,
        id: &str,
        signed: &SignedStatement,
        beside: &Beside<'_>,
        more: Vec<(&str, serde_json::Value)>,
    ) -> NewRecord {
        let kind = match signed.statement.decision {
            Decision::Approve => EntryKind::APPROVED,
            Decision::Deny => EntryKind::DENIED,
            Decision::Withdraw { .. } => EntryKind::WITHDRAWN,
            Decision::BreakGlass => EntryKind::BREAK_GLASS,
            Decision::Review { .. } => EntryKind::REVIEWED,
        };
        let body = Map::new().with(FIELD_APPROVAL, id).with("closure", signed.statement.closure.0.0.to_vec());
        let mut payload = serde_json::json!({ "statement": to_hex(&signed.to_bytes()), "reason": beside.reason });
        if let Some(fields) = payload.as_object_mut() {
            fields.extend(beside.read_ms.map(|read_ms| ("read_ms".to_owned(), read_ms.into())));
            fields.extend(beside.login.clone().map(|login| ("login".to_owned(), login)));
        }
        if let Some(fields) = payload.as_object_mut() {
            fields.extend(more.into_iter().map(|(key, value)| (key.to_owned(), value)));
        }
        let payload = Payload::of_run(payload.to_string().into_bytes());
        NewRecord::new(kind, self.ledger.clock().now_ms(), body).with_payload(payload)
    }
}

fn still_asked(waiting: Waiting) -> Result<Waiting, ApprovalError> {
    match waiting.superseded {
        Some(by) => Err(ApprovalError::Superseded { id: waiting.id, by }),
        None => Ok(waiting),
    }
}

fn not_asked(waiting: &Waiting, person: &Name) -> ApprovalError {
    let needs: Vec<String> = waiting.needs.iter().map(in_words).collect();
    ApprovalError::NotAsked { person: person.clone(), id: waiting.id.clone(), needs: needs.join(" and ") }
}
