//! What people were shown and would sign: each statement is made when its page is, and serves once, in the session it was made for.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sluice_core::contract::approval::Statement;
use sluice_runtime::clock::now_ms;
use sluice_runtime::ledger::LedgerError;

use crate::session::Caller;
use crate::token::{Kept, fresh, kept};

/// How long a page may be read before it must be opened again.
const DRAFT_MS: u64 = 60 * 60 * 1_000;
/// Most drafts at once; pages that were opened long ago make room.
const DRAFTS_MAX: usize = 20_000;

/// A statement that waits to be signed: about an approval, or about who speaks in whose place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft<S = Statement> {
    /// What it is about.
    pub approval: String,
    /// What would be signed.
    pub statement: S,
    /// When its page was made, in milliseconds since 1970.
    pub opened_ms: u64,
}

/// Statements that wait to be signed.
pub struct Drafts<S = Statement>(Mutex<HashMap<Kept, (Kept, Draft<S>)>>);

impl<S> Default for Drafts<S> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<S> Drafts<S> {
    /// Keeps a statement for this session, and gives the text under which it is signed.
    ///
    /// # Errors
    /// [`LedgerError::Random`] without random bytes.
    pub fn keep(&self, caller: &Caller, approval: &str, statement: S) -> Result<String, LedgerError> {
        self.keep_for(caller.session, approval, statement)
    }

    /// The same for whoever holds a session or a token.
    pub(crate) fn keep_for(&self, holder: Kept, approval: &str, statement: S) -> Result<String, LedgerError> {
        let (text, now) = (fresh()?, now_ms());
        let draft = Draft { approval: approval.to_owned(), statement, opened_ms: now };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= DRAFTS_MAX {
            all.retain(|_, (_, draft)| now.saturating_sub(draft.opened_ms) < DRAFT_MS);
            let oldest = all.iter().min_by_key(|(_, (_, draft))| draft.opened_ms).map(|(key, _)| *key);
            oldest.filter(|_| all.len() >= DRAFTS_MAX).map(|key| all.remove(&key));
        }
        all.insert(kept(&text), (holder, draft));
        Ok(text)
    }

    /// The statement that was kept for this session under a text, about this very thing.
    #[must_use]
    pub fn take(&self, caller: &Caller, approval: &str, text: &str) -> Option<Draft<S>> {
        self.take_for(caller.session, approval, text)
    }

    /// The same for whoever holds a session or a token.
    pub(crate) fn take_for(&self, holder: Kept, approval: &str, text: &str) -> Option<Draft<S>> {
        let (whose, draft) = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&kept(text))?;
        let is_alive = now_ms().saturating_sub(draft.opened_ms) < DRAFT_MS;
        (whose == holder && draft.approval == approval && is_alive).then_some(draft)
    }
}
