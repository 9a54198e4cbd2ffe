//! Approvals: signed statements over a closure digest, and when they count.
//!
//! A statement counts only for the very digest, role and requester that are asked about, signed by a person who is
//! entitled and not the requester, before its expiry, once. Anything else is a refusal with its reason.
//! Pure: time and the nonces seen before are arguments.

mod proof;

use std::collections::{BTreeMap, BTreeSet};

use sluice_passkey::{Assertion, PasskeyError};
use thiserror::Error;

use crate::contract::canonical::{Decoder, Encoder};
use crate::contract::closure::ClosureDigest;
use crate::contract::digest::Digest;
use crate::contract::key::{PublicKey, Signature};
use crate::contract::principals::{Kind, Principals};
use crate::contract::workspace::Mode;
use crate::diagnostic::Code;
use crate::label::Name;
pub use proof::{Enrolled, PASSKEY_STATEMENT_DOMAIN, Proof, SignedStatement};

/// The text that starts a statement's canonical bytes: what is signed.
pub const STATEMENT_DOMAIN: &str = "sluice approval statement 1";
/// The text that starts the bytes of a statement with its signature: what is stored.
pub const SIGNED_STATEMENT_DOMAIN: &str = "sluice signed approval 1";

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
    /// Milliseconds since 1970; from then on an approval no longer counts. A denial or withdrawal stays.
    pub expiry_ms: u64,
    /// Used once.
    pub nonce: Nonce,
}

impl Statement {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Encoder::new(STATEMENT_DOMAIN);
        match &self.decision {
            Decision::Approve => _ = out.text("approve"),
            Decision::Deny => _ = out.text("deny"),
            Decision::Withdraw { of } => _ = out.text("withdraw").bytes(&of.0),
        }
        out.bytes(&self.closure.0.0).text(&self.role).text(&self.requester).text(&self.approver);
        out.number(self.expiry_ms).bytes(&self.nonce.0);
        out.finish()
    }

    /// Reads the canonical bytes; `None` if they are none.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut input = Decoder::new(STATEMENT_DOMAIN, bytes)?;
        let decision = match input.text()? {
            "approve" => Decision::Approve,
            "deny" => Decision::Deny,
            "withdraw" => Decision::Withdraw { of: Nonce(input.array()?) },
            _ => return None,
        };
        let closure = ClosureDigest(Digest(input.array()?));
        let (role, requester, approver) = (input.text()?.into(), input.text()?.into(), input.text()?.into());
        let (expiry_ms, nonce) = (input.number()?, Nonce(input.array()?));
        input.end()?;
        Some(Self { decision, closure, role, requester, approver, expiry_ms, nonce })
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

    /// Whether somebody's word counts for any party.
    #[must_use]
    pub fn asks(&self, principals: &Principals, requester: &Name, person: &Name) -> bool {
        self.entitled(principals, requester).iter().any(|people| people.contains(person))
    }

    /// Whether enough different people exist at all.
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
    /// Statements that do not count, by their index, and why.
    pub refused: Vec<(usize, Refusal)>,
}

impl Question<'_> {
    /// Whether one statement counts towards one requirement.
    ///
    /// # Errors
    /// [`Refusal`]: the first reason why it does not.
    pub fn judge(&self, signed: &SignedStatement, requirement: &Requirement) -> Result<(), Refusal> {
        let Statement { decision, closure, role, requester, approver, expiry_ms, nonce } = &signed.statement;
        self.judge_identity(signed)?;
        if *closure != self.closure {
            return Err(Refusal::OtherDigest { signed: *closure, asked: self.closure });
        }
        if requester != self.requester {
            return Err(Refusal::OtherRequester { signed: requester.clone(), asked: self.requester.clone() });
        }
        if approver == self.requester {
            return Err(Refusal::Requester(approver.clone()));
        }
        let entitled = requirement.entitled(self.principals, self.requester);
        if *role != requirement.role || !entitled.iter().any(|people| people.contains(approver)) {
            return Err(Refusal::WrongRole { approver: approver.clone(), role: role.clone() });
        }
        // A denial or withdrawal that lapsed, or was served before, would bring an approval back to life.
        if *decision != Decision::Approve {
            return Ok(());
        }
        if *expiry_ms <= self.now_ms {
            return Err(Refusal::Expired);
        }
        if self.seen.contains(nonce) {
            return Err(Refusal::ReusedNonce);
        }
        Ok(())
    }

    /// Whether a person of this workspace said it.
    fn judge_identity(&self, signed: &SignedStatement) -> Result<(), Refusal> {
        let approver = &signed.statement.approver;
        if matches!(signed.proof, Proof::KeyFile { .. }) && !self.mode.accepts_key_files() {
            return Err(Refusal::KeyFileInProduction(self.mode));
        }
        match self.principals.kind(approver) {
            None => return Err(Refusal::Nobody(approver.clone())),
            Some(Kind::Person) => {}
            Some(kind) => return Err(Refusal::NotAPerson { approver: approver.clone(), kind }),
        }
        match &signed.proof {
            Proof::KeyFile { key, signature } => self.judge_key(&signed.statement, *key, signature),
            Proof::Passkey { id, answer } => self.judge_passkey(&signed.statement, id, answer),
        }
    }

    fn judge_key(&self, statement: &Statement, key: PublicKey, signature: &Signature) -> Result<(), Refusal> {
        let person = self.principals.persons.get(&statement.approver);
        if !person.is_some_and(|p| p.keys.iter().any(|known| known.value == key)) {
            return Err(Refusal::UnknownKey(statement.approver.clone()));
        }
        if !key.verifies(&statement.to_bytes(), signature) {
            return Err(Refusal::BadSignature);
        }
        Ok(())
    }

    fn judge_passkey(&self, statement: &Statement, id: &[u8], answer: &Assertion) -> Result<(), Refusal> {
        let is_theirs = |e: &&Enrolled| e.person == statement.approver && e.passkey.id == id;
        let unknown = || Refusal::UnknownPasskey(statement.approver.clone());
        let enrolled = self.passkeys.iter().find(is_theirs).ok_or_else(unknown)?;
        let counter = enrolled.party.verify(&enrolled.passkey, answer, &statement.challenge());
        counter.map(drop).map_err(Refusal::Passkey)
    }

    /// Counts statements towards requirements.
    ///
    /// A statement goes to the requirement of its role. Every party of a requirement needs its quorum of different
    /// people; a person in two parties counts for both. A denial leaves nothing satisfied.
    #[must_use]
    pub fn count(&self, statements: &[SignedStatement], requirements: &[Requirement]) -> Count {
        let mut count = Count::default();
        let standing = self.standing(statements, requirements, &mut count);
        for requirement in requirements {
            let said: Vec<&Statement> = standing.iter().copied().filter(|s| s.role == requirement.role).collect();
            let entitled = requirement.entitled(self.principals, self.requester);
            let agreed = |party: &BTreeSet<Name>| {
                let people: BTreeSet<&Name> = said.iter().map(|s| &s.approver).filter(|a| party.contains(*a)).collect();
                people.len() >= requirement.quorum
            };
            let asks_somebody = requirement.quorum > 0 && !entitled.is_empty();
            if asks_somebody && count.denied_by.is_empty() && entitled.iter().all(agreed) {
                count.satisfied.insert(requirement.id());
                count.used.extend(said.iter().map(|s| s.nonce));
            }
        }
        count
    }

    /// The approvals that count and were not withdrawn; fills in denials and refusals.
    fn standing<'s>(
        &self,
        statements: &'s [SignedStatement],
        requirements: &[Requirement],
        count: &mut Count,
    ) -> Vec<&'s Statement> {
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
                (Ok(()), Decision::Approve | Decision::Deny) => {
                    standing.insert((&statement.approver, statement.nonce), statement);
                }
            }
        }
        for (index, of, approver) in withdrawn {
            if standing.remove(&(approver, of)).is_none() {
                count.refused.push((index, Refusal::NothingToWithdraw(approver.clone())));
            }
        }
        let (approvals, denials): (Vec<_>, Vec<_>) =
            standing.into_values().partition(|s| s.decision == Decision::Approve);
        count.denied_by.extend(denials.into_iter().map(|s| s.approver.clone()));
        approvals
    }

    /// Judges by the requirements of the statement's role: it counts if it counts for one.
    fn judge_any(&self, signed: &SignedStatement, requirements: &[Requirement]) -> Result<(), Refusal> {
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
