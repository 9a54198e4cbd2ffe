//! Approvals: signed statements over a closure digest, and when they count.
//!
//! A statement counts only for the very digest, role and requester that are asked about, signed by a person who is
//! entitled and not the requester, before its expiry, once. Anything else is a refusal with its reason.
//! Pure: time and the nonces seen before are arguments.

mod delegation;
mod proof;
mod voices;

use std::collections::{BTreeMap, BTreeSet};

use sluice_passkey::PasskeyError;
use thiserror::Error;

use crate::contract::canonical::{Decoder, Encoder};
use crate::contract::closure::ClosureDigest;
use crate::contract::digest::Digest;
use crate::contract::principals::{Kind, Principals};
use crate::contract::workspace::Mode;
use crate::diagnostic::Code;
use crate::label::Name;
pub use delegation::{
    Act, DELEGATION_DOMAIN, DELEGATION_MS_MAX, Delegated, Delegation, PASSKEY_DELEGATION_DOMAIN,
    SIGNED_DELEGATION_DOMAIN, SignedDelegation,
};
pub use proof::{Enrolled, Known, PASSKEY_STATEMENT_DOMAIN, Proof, SignedStatement};

/// The text that starts a statement's canonical bytes: what is signed.
pub const STATEMENT_DOMAIN: &str = "sluice approval statement 1";
/// The same of a statement that somebody makes in another person's place.
pub const DELEGATED_STATEMENT_DOMAIN: &str = "sluice delegated statement 1";
/// The text that starts the bytes of a statement with its signature: what is stored.
pub const SIGNED_STATEMENT_DOMAIN: &str = "sluice signed approval 1";

/// The role in which the glass is broken. Policies name theirs as `kind:whom`, so none is called so.
pub const GLASS_ROLE: &str = "break-glass";
/// The role in which it is looked at afterwards.
pub const REVIEW_ROLE: &str = "review";

/// Makes every statement unlike every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nonce(pub [u8; 16]);

/// What somebody says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may happen.
    Approve,
    /// It must not happen, whoever else approves.
    Deny,
    /// An earlier statement of the same person no longer holds.
    Withdraw {
        /// The nonce of that statement.
        of: Nonce,
    },
    /// It may happen at once, without those who would have had to approve: the glass is broken.
    BreakGlass,
    /// Somebody looked at what was done through broken glass.
    Review {
        /// The nonce of the statement that broke it.
        of: Nonce,
    },
}

/// What somebody signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What they say.
    pub decision: Decision,
    /// Of what.
    pub closure: ClosureDigest,
    /// In which role, as the policy names it: `owner-of:payload`, `group:it`, `manager-of:requester`.
    pub role: Name,
    /// On whose behalf it was asked.
    pub requester: Name,
    /// Who says it.
    pub approver: Name,
    /// In whose place, if it is not in their own: somebody who delegated to them.
    pub instead_of: Option<Name>,
    /// Milliseconds since 1970; from then on an approval no longer counts. A denial or withdrawal stays.
    pub expiry_ms: u64,
    /// Used once.
    pub nonce: Nonce,
}

impl Statement {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = match &self.instead_of {
            None => Encoder::new(STATEMENT_DOMAIN),
            Some(_) => Encoder::new(DELEGATED_STATEMENT_DOMAIN),
        };
        if let Some(whom) = &self.instead_of {
            out.text(whom);
        }
        match &self.decision {
            Decision::Approve => _ = out.text("approve"),
            Decision::Deny => _ = out.text("deny"),
            Decision::Withdraw { of } => _ = out.text("withdraw").bytes(&of.0),
            Decision::BreakGlass => _ = out.text("break-glass"),
            Decision::Review { of } => _ = out.text("review").bytes(&of.0),
        }
        out.bytes(&self.closure.0.0).text(&self.role).text(&self.requester).text(&self.approver);
        out.number(self.expiry_ms).bytes(&self.nonce.0);
        out.finish()
    }

    /// Reads the canonical bytes; `None` if they are none.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (mut input, instead_of) = match Decoder::new(STATEMENT_DOMAIN, bytes) {
            Some(input) => (input, None),
            None => {
                let mut input = Decoder::new(DELEGATED_STATEMENT_DOMAIN, bytes)?;
                let whom = input.text()?.into();
                (input, Some(whom))
            }
        };
        let decision = match input.text()? {
            "approve" => Decision::Approve,
            "deny" => Decision::Deny,
            "withdraw" => Decision::Withdraw { of: Nonce(input.array()?) },
            "break-glass" => Decision::BreakGlass,
            "review" => Decision::Review { of: Nonce(input.array()?) },
            _ => return None,
        };
        let closure = ClosureDigest(Digest(input.array()?));
        let (role, requester, approver) = (input.text()?.into(), input.text()?.into(), input.text()?.into());
        let (expiry_ms, nonce) = (input.number()?, Nonce(input.array()?));
        input.end()?;
        Some(Self { decision, closure, role, requester, approver, instead_of, expiry_ms, nonce })
    }
}

/// Somebody who must agree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    /// A person, or any member of a group.
    Principal(Name),
    /// The person who manages this one.
    ManagerOf(Name),
    /// Whoever answers for what is done in the name of this person or service.
    InChargeOf(Name),
}

/// What policy asks for before a gate opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The role, as the policy names it and statements repeat it.
    pub role: Name,
    /// Different people needed of **each** party.
    pub quorum: usize,
    /// Who that is here. Nobody means that nobody can satisfy it.
    pub parties: BTreeSet<Party>,
}

impl Requirement {
    /// The text that policies look for among the satisfied requirements: `group:it/2`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/{}", self.role, self.quorum)
    }

    /// The persons who may speak for each party, the requester left out.
    fn entitled(&self, principals: &Principals, requester: &Name) -> Vec<BTreeSet<Name>> {
        let people = |party: &Party| {
            let mut people = match party {
                Party::Principal(id) => principals.persons_of(id),
                Party::ManagerOf(person) => principals.manager_of(person).cloned().into_iter().collect(),
                Party::InChargeOf(id) => principals.in_charge_of(id),
            };
            people.remove(requester);
            people
        };
        self.parties.iter().map(people).collect()
    }

    /// Whether somebody's own word counts for any party.
    #[must_use]
    pub fn asks(&self, principals: &Principals, requester: &Name, person: &Name) -> bool {
        self.entitled(principals, requester).iter().any(|people| people.contains(person))
    }

    /// Everybody whose own word counts, party by party.
    #[must_use]
    pub fn people(&self, principals: &Principals, requester: &Name) -> Vec<BTreeSet<Name>> {
        self.entitled(principals, requester)
    }

    /// Whether enough different people exist at all. Delegates make nobody more: who speaks in another's place is that one's
    /// voice, and not a second one.
    #[must_use]
    pub fn is_satisfiable(&self, principals: &Principals, requester: &Name) -> bool {
        let people = self.entitled(principals, requester);
        !people.is_empty() && people.iter().all(|party| party.len() >= self.quorum)
    }
}

/// Why a statement does not count.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// SL401. Help: something changed since it was signed; show the difference and ask again.
    #[error("it is about {signed}, and the digest is now {asked}")]
    OtherDigest {
        /// What was signed.
        signed: ClosureDigest,
        /// What is asked about.
        asked: ClosureDigest,
    },
    /// SL402. Help: ask again.
    #[error("it expired")]
    Expired,
    /// SL403. Help: somebody else must approve.
    #[error("`{0}` asked for it and cannot approve it")]
    Requester(Name),
    /// SL404. Help: a person must approve.
    #[error("`{approver}` is {}, and only a person approves", kind.name())]
    NotAPerson {
        /// Who signed.
        approver: Name,
        /// What that is.
        kind: Kind,
    },
    /// SL405. Help: `sluice approvals show` names who may approve.
    #[error("`{approver}` does not hold the role `{role}` here")]
    WrongRole {
        /// Who signed.
        approver: Name,
        /// The role they signed in.
        role: Name,
    },
    /// SL406. Help: add the key to the person in the principals register.
    #[error("the key is not one of `{0}`")]
    UnknownKey(Name),
    /// SL407. Help: sign again.
    #[error("the signature does not fit")]
    BadSignature,
    /// SL408. Help: sign again; a statement is used once.
    #[error("its nonce was used before")]
    ReusedNonce,
    /// SL409. Help: in production, people approve with a strong identity, not with a key file.
    #[error("key files approve only in workspaces marked `demo` or `test`, this one is `{}`", .0.name())]
    KeyFileInProduction(Mode),
    /// SL410. Help: add the person to the principals register.
    #[error("`{0}` is not in the principals register")]
    Nobody(Name),
    /// SL411. Help: ask again on behalf of this requester.
    #[error("it was asked on behalf of `{signed}`, not of `{asked}`")]
    OtherRequester {
        /// Who the statement names.
        signed: Name,
        /// Who asks.
        asked: Name,
    },
    /// SL412. Help: the stored approval is damaged; sign again.
    #[error("these bytes are no signed statement")]
    Malformed,
    /// SL414. Help: enrol the passkey at the console first.
    #[error("the passkey is not one of `{0}`")]
    UnknownPasskey(Name),
    /// SL415. Help: ask the person again, at the console's own address.
    #[error("its passkey's answer does not count: {}", .0.why())]
    Passkey(PasskeyError),
    /// SL413. Help: withdraw with the nonce of one's own statement.
    #[error("`{0}` made no statement that this withdraws")]
    NothingToWithdraw(Name),
    /// SL416. Help: `break_glass` in `workspace.yaml` says who may; the rules' signers change it.
    #[error("`{0}` is not among those who may break the glass here")]
    NotForGlass(Name),
    /// SL417. Help: `sluice approvals delegations` lists which are in force.
    #[error("`{approver}` speaks in the place of `{instead_of}`, who has not delegated this to them, or no longer")]
    NotDelegated {
        /// Who signed.
        approver: Name,
        /// In whose place.
        instead_of: Name,
    },
    /// SL451. Help: the message says which.
    #[error("this delegation does not count: {0}")]
    Delegation(&'static str),
}

impl Refusal {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        Code(match self {
            Self::OtherDigest { .. } => 401,
            Self::Expired => 402,
            Self::Requester(_) => 403,
            Self::NotAPerson { .. } => 404,
            Self::WrongRole { .. } => 405,
            Self::UnknownKey(_) => 406,
            Self::BadSignature => 407,
            Self::ReusedNonce => 408,
            Self::KeyFileInProduction(_) => 409,
            Self::Nobody(_) => 410,
            Self::OtherRequester { .. } => 411,
            Self::Malformed => 412,
            Self::NothingToWithdraw(_) => 413,
            Self::UnknownPasskey(_) => 414,
            Self::Passkey(_) => 415,
            Self::NotForGlass(_) => 416,
            Self::NotDelegated { .. } => 417,
            Self::Delegation(_) => 451,
        })
    }
}

/// What approvals are asked about, and by what they are judged.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What would run.
    pub closure: ClosureDigest,
    /// On whose behalf.
    pub requester: &'a Name,
    /// How serious the workspace is.
    pub mode: Mode,
    /// Who there is.
    pub principals: &'a Principals,
    /// Whose passkeys count.
    pub passkeys: &'a [Enrolled],
    /// Who may speak in whose place, and until when. One that has run out still carries the denials that were made under it.
    pub delegations: &'a [Delegated],
    /// The person or group who may break the glass for this; nobody if there is none.
    pub glass: Option<&'a Name>,
    /// Nonces of statements that served before.
    pub seen: &'a BTreeSet<Nonce>,
    /// Milliseconds since 1970.
    pub now_ms: u64,
}

/// What the statements about one question come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Ids of the satisfied requirements.
    pub satisfied: BTreeSet<String>,
    /// Nonces of the approvals that satisfied them: seen, from now on.
    pub used: BTreeSet<Nonce>,
    /// Who denied. One denial outweighs every approval.
    pub denied_by: BTreeSet<Name>,
    /// Who broke the glass, if somebody did, and so satisfied what others would have had to.
    pub glass_by: BTreeSet<Name>,
    /// Statements that do not count, by their index, and why.
    pub refused: Vec<(usize, Refusal)>,
}

impl Question<'_> {
    /// Whether one statement counts towards one requirement.
    ///
    /// # Errors
    /// [`Refusal`]: the first reason why it does not.
    pub fn judge(&self, signed: &SignedStatement, requirement: &Requirement) -> Result<(), Refusal> {
        let Statement { decision, role, approver, instead_of, .. } = &signed.statement;
        self.judge_subject(signed)?;
        let voice = instead_of.as_ref().unwrap_or(approver);
        if voice == self.requester {
            return Err(Refusal::Requester(voice.clone()));
        }
        let is_a_word = matches!(decision, Decision::Approve | Decision::Deny | Decision::Withdraw { .. });
        let entitled = requirement.entitled(self.principals, self.requester);
        if !is_a_word || *role != requirement.role || !entitled.iter().any(|people| people.contains(voice)) {
            return Err(Refusal::WrongRole { approver: voice.clone(), role: role.clone() });
        }
        if let Some(instead_of) = instead_of {
            self.judge_place(signed, instead_of)?;
        }
        // A denial or withdrawal that lapsed, or was served before, would bring an approval back to life.
        if *decision == Decision::Approve { self.judge_time(&signed.statement) } else { Ok(()) }
    }

    /// Whether one statement breaks the glass for this very question.
    ///
    /// # Errors
    /// [`Refusal`]: the first reason why it does not.
    pub fn judge_glass(&self, signed: &SignedStatement) -> Result<(), Refusal> {
        let Statement { decision, role, approver, instead_of, .. } = &signed.statement;
        self.judge_subject(signed)?;
        let may = self.glass.is_some_and(|people| self.principals.persons_of(people).contains(approver));
        // In nobody's place: whoever may break it is named by the rules.
        if *decision != Decision::BreakGlass || **role != *GLASS_ROLE || instead_of.is_some() || !may {
            return Err(Refusal::NotForGlass(approver.clone()));
        }
        self.judge_time(&signed.statement)
    }

    /// Whether one statement closes the review of what `broken` let through. Who may is the caller's to say; never who broke the
    /// glass, nor who asked.
    ///
    /// # Errors
    /// [`Refusal`]: the first reason why it does not.
    pub fn judge_review(&self, signed: &SignedStatement, broken: &Statement) -> Result<(), Refusal> {
        let Statement { decision, role, approver, instead_of, .. } = &signed.statement;
        self.judge_subject(signed)?;
        let of_it = *decision == Decision::Review { of: broken.nonce } && **role == *REVIEW_ROLE;
        if !of_it || instead_of.is_some() || *approver == broken.approver {
            return Err(Refusal::WrongRole { approver: approver.clone(), role: role.clone() });
        }
        self.judge_time(&signed.statement)
    }

    /// Whether a person other than the requester said it, about what is asked.
    fn judge_subject(&self, signed: &SignedStatement) -> Result<(), Refusal> {
        let Statement { closure, requester, approver, .. } = &signed.statement;
        let known = Known { mode: self.mode, principals: self.principals, passkeys: self.passkeys };
        known.judge(approver, &signed.statement.to_bytes(), &signed.proof)?;
        if *closure != self.closure {
            return Err(Refusal::OtherDigest { signed: *closure, asked: self.closure });
        }
        if requester != self.requester {
            return Err(Refusal::OtherRequester { signed: requester.clone(), asked: self.requester.clone() });
        }
        if approver == self.requester { Err(Refusal::Requester(approver.clone())) } else { Ok(()) }
    }

    /// Whether they speak in somebody's place who let them. What a lapsed delegation denied stays denied.
    fn judge_place(&self, signed: &SignedStatement, instead_of: &Name) -> Result<(), Refusal> {
        let Statement { decision, role, approver, .. } = &signed.statement;
        let carries = |one: &&Delegated| {
            let is_theirs = one.by == *instead_of && one.to == *approver && one.covers(role);
            is_theirs && (*decision != Decision::Approve || one.is_in_force(self.now_ms))
        };
        match self.delegations.iter().find(carries) {
            Some(_) => Ok(()),
            None => Err(Refusal::NotDelegated { approver: approver.clone(), instead_of: instead_of.clone() }),
        }
    }

    fn judge_time(&self, statement: &Statement) -> Result<(), Refusal> {
        if statement.expiry_ms <= self.now_ms {
            return Err(Refusal::Expired);
        }
        if self.seen.contains(&statement.nonce) { Err(Refusal::ReusedNonce) } else { Ok(()) }
    }

    /// Counts statements towards requirements.
    ///
    /// A statement goes to the requirement of its role. Every party of a requirement needs its quorum of different
    /// people; a person in two parties counts for both. Whoever delegated and who speaks in their place are one voice, and
    /// nobody speaks with two. Broken glass satisfies what somebody could have satisfied. A denial leaves nothing satisfied.
    #[must_use]
    pub fn count(&self, statements: &[SignedStatement], requirements: &[Requirement]) -> Count {
        let mut count = Count::default();
        let (standing, glass) = self.standing(statements, requirements, &mut count);
        count.glass_by = glass.iter().map(|statement| statement.approver.clone()).collect();
        for requirement in requirements {
            let said: Vec<&Statement> = standing.iter().copied().filter(|s| s.role == requirement.role).collect();
            let entitled = requirement.entitled(self.principals, self.requester);
            let agreed = |party: &BTreeSet<Name>| {
                let spoke = said.iter().map(|s| (&s.approver, s.instead_of.as_ref().unwrap_or(&s.approver)));
                voices::are_distinct(spoke.filter(|(_, voice)| party.contains(*voice)).collect(), requirement.quorum)
            };
            let asks_somebody = requirement.quorum > 0 && !entitled.is_empty();
            if asks_somebody && count.denied_by.is_empty() && (!glass.is_empty() || entitled.iter().all(agreed)) {
                count.satisfied.insert(requirement.id());
                count.used.extend(said.iter().chain(&glass).map(|s| s.nonce));
            }
        }
        count
    }

    /// The approvals that count and were not withdrawn, and what broke the glass; fills in denials and refusals.
    fn standing<'s>(
        &self,
        statements: &'s [SignedStatement],
        requirements: &[Requirement],
        count: &mut Count,
    ) -> (Vec<&'s Statement>, Vec<&'s Statement>) {
        // By approver too: nobody can void somebody else's denial by copying its nonce.
        let mut standing: BTreeMap<(&Name, Nonce), &Statement> = BTreeMap::new();
        let mut nonces = BTreeSet::new();
        let mut withdrawn = Vec::new();
        for (index, signed) in statements.iter().enumerate() {
            let statement = &signed.statement;
            let verdict = self.judge_any(signed, requirements).and_then(|()| {
                if nonces.insert((&statement.approver, statement.nonce)) { Ok(()) } else { Err(Refusal::ReusedNonce) }
            });
            match (verdict, statement.decision) {
                (Err(refusal), _) => count.refused.push((index, refusal)),
                (Ok(()), Decision::Withdraw { of }) => withdrawn.push((index, of, &statement.approver)),
                (Ok(()), Decision::Approve | Decision::Deny | Decision::BreakGlass) => {
                    standing.insert((&statement.approver, statement.nonce), statement);
                }
                // It is judged by itself, and opens nothing.
                (Ok(()), Decision::Review { .. }) => {}
            }
        }
        for (index, of, approver) in withdrawn {
            if standing.remove(&(approver, of)).is_none() {
                count.refused.push((index, Refusal::NothingToWithdraw(approver.clone())));
            }
        }
        let (mut approvals, mut glass) = (Vec::new(), Vec::new());
        for statement in standing.into_values() {
            match statement.decision {
                Decision::Approve => approvals.push(statement),
                Decision::BreakGlass => glass.push(statement),
                Decision::Deny | Decision::Withdraw { .. } | Decision::Review { .. } => {
                    count.denied_by.insert(statement.approver.clone());
                }
            }
        }
        (approvals, glass)
    }

    /// Judges by the requirements of the statement's role: it counts if it counts for one.
    fn judge_any(&self, signed: &SignedStatement, requirements: &[Requirement]) -> Result<(), Refusal> {
        if signed.statement.decision == Decision::BreakGlass {
            return self.judge_glass(signed);
        }
        let mut verdict = Err(Refusal::WrongRole {
            approver: signed.statement.approver.clone(),
            role: signed.statement.role.clone(),
        });
        for requirement in requirements {
            let judged = self.judge(signed, requirement);
            let about_this_role = requirement.role == signed.statement.role;
            match judged {
                Ok(()) => return Ok(()),
                Err(refusal) if about_this_role => verdict = Err(refusal),
                Err(Refusal::WrongRole { .. }) => {}
                Err(refusal) => verdict = Err(refusal),
            }
        }
        verdict
    }
}

#[cfg(test)]
mod tests;
