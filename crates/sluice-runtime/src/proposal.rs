//! Proposals: a definition in the ledger, with who wrote it and on whose behalf.

use serde::{Deserialize, Serialize};
use sluice_core::contract::Digest;
use sluice_core::contract::closure::ClosureDigest;
use sluice_core::label::Name;
use sluice_ledger::EntryKind;
use sluice_ledger::cbor::Map;
use sluice_policy::Acting;
use sluice_store::{FIELD_APPROVAL, NewRecord, Payload};
use thiserror::Error;

use crate::admit::Proposed;
use crate::ledger::{Ledger, LedgerError};
use crate::workspace::Workspace;

/// A recorded proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// `P-…`.
    pub id: String,
    /// What people sign.
    pub closure: ClosureDigest,
    /// The file's name, for people.
    pub name: String,
    /// The definition.
    pub text: String,
    /// Who wrote it.
    pub author: Acting,
    /// On whose behalf.
    pub requester: Name,
}

/// Why a proposal cannot be recorded or read.
#[derive(Debug, Error)]
pub enum ProposalError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// SL443. It was sealed and cannot be opened.
    #[error("SL443: the proposal `{id}` cannot be opened: its payload is missing, erased or under another key")]
    Unreadable {
        /// The id.
        id: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    version: u32,
    name: String,
    text: String,
    author: Acting,
    prompt: Option<String>,
    requester: Name,
}

/// The id of the proposal of a closure on somebody's behalf: a signature counts for one requester only.
#[must_use]
pub fn proposal_id(closure: ClosureDigest, requester: &str) -> String {
    let both = [closure.0.0.as_slice(), requester.as_bytes()].concat();
    let hex: String = Digest::of(&both).0.iter().take(5).map(|b| format!("{b:02x}")).collect();
    format!("P-{hex}")
}

/// May put definitions before people. Cannot approve.
pub struct Proposer<'a> {
    workspace: &'a Workspace,
    ledger: &'a Ledger,
}

impl<'a> Proposer<'a> {
    /// For whoever may write to the ledger.
    #[must_use]
    pub const fn new(workspace: &'a Workspace, ledger: &'a Ledger) -> Self {
        Self { workspace, ledger }
    }

    /// Records a definition as proposed, once. `prompt` is the digest of what the model was asked, if a model wrote it.
    ///
    /// # Errors
    /// [`ProposalError::Ledger`].
    pub fn propose(
        &self,
        proposed: &Proposed,
        author: &Acting,
        prompt: Option<String>,
        requester: &Name,
    ) -> Result<Proposal, ProposalError> {
        let closure = proposed.closure(self.workspace).digest();
        let id = proposal_id(closure, requester);
        if let Some(known) = Proposal::find(self.ledger, &id)? {
            return Ok(known);
        }
        let (name, text) = (proposed.text().name.to_string(), proposed.text().content.to_string());
        let sealed = Sealed {
            version: 1,
            name: name.clone(),
            text: text.clone(),
            author: author.clone(),
            prompt,
            requester: requester.clone(),
        };
        let body = Map::new().with(FIELD_APPROVAL, id.as_str()).with("closure", closure.0.0.to_vec());
        let bytes = serde_json::to_vec(&sealed).map_err(|_| ProposalError::Unreadable { id: id.clone() })?;
        let now_ms = self.ledger.clock().now_ms();
        let mut records =
            vec![NewRecord::new(EntryKind::PROPOSAL, now_ms, body.clone()).with_payload(Payload::of_run(bytes))];
        if crate::approvals::definition_requirement(self.workspace).is_some() {
            records.push(NewRecord::new(EntryKind::APPROVAL_REQUESTED, now_ms, body));
        }
        self.ledger.append(records)?;
        Ok(Proposal { id, closure, name, text, author: author.clone(), requester: requester.clone() })
    }
}

impl Proposal {
    /// The proposal with this id.
    ///
    /// # Errors
    /// [`ProposalError::Unreadable`] if it is there and cannot be opened.
    pub fn find(ledger: &Ledger, id: &str) -> Result<Option<Self>, ProposalError> {
        let entries = ledger.about(id)?;
        let Some(recorded) = entries.iter().find(|r| r.entry.kind == EntryKind::PROPOSAL) else { return Ok(None) };
        let unreadable = || ProposalError::Unreadable { id: id.to_owned() };
        let sealed: Sealed =
            recorded.payload.opened().and_then(|bytes| serde_json::from_slice(bytes).ok()).ok_or_else(unreadable)?;
        let closure = recorded.entry.body.get("closure").and_then(|v| v.as_bytes()).and_then(|b| b.try_into().ok());
        Ok(Some(Self {
            id: id.to_owned(),
            closure: ClosureDigest(Digest(closure.ok_or_else(unreadable)?)),
            name: sealed.name,
            text: sealed.text,
            author: sealed.author,
            requester: sealed.requester,
        }))
    }
}

/// Who wrote a definition, for people.
#[must_use]
pub fn author_in_words(author: &Acting) -> String {
    match author {
        Acting::Person { id } => format!("{id} (a person)"),
        Acting::Model { id } => format!("{id} (a model)"),
        Acting::Unknown => "nobody said who".to_owned(),
    }
}
