//! Requests without an answer yet, in both directions.

use std::collections::BTreeMap;

use sluice_engine::TokenId;
use tokio::sync::oneshot;

use crate::frame::{Frame, Id};

/// Requests of one side that may be open at once: more are a flood.
pub(crate) const OPEN_MAX: usize = 10_000;

/// What becomes of the answer to a request.
#[derive(Debug)]
pub(crate) enum Awaited {
    /// A permitted call of a tool.
    Call(TokenId),
    /// The same in the gateway's own name, for a task of this name.
    Task(TokenId, String),
    /// The list of tools, for the agent.
    Tools,
    /// Something of the server's that the agent will read: a resource, a prompt.
    Words,
    /// A list that says something unless it is empty: names of resources are data, too.
    Listed,
    /// Nothing but what the protocol needs.
    Plain,
    /// The gateway's own request.
    Own(oneshot::Sender<Frame>),
}

/// The open requests of one side.
#[derive(Debug, Default)]
pub(crate) struct Pending(BTreeMap<Id, Awaited>);

/// Why a request is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Another request of that id has no answer yet.
    InUse,
    /// Too many have none.
    TooMany,
}

impl Pending {
    /// Remembers a request.
    ///
    /// # Errors
    /// [`Refused`].
    pub(crate) fn open(&mut self, id: Id, awaited: Awaited) -> Result<(), Refused> {
        if self.is_full() {
            return Err(Refused::TooMany);
        }
        if self.0.contains_key(&id) {
            return Err(Refused::InUse);
        }
        self.0.insert(id, awaited);
        Ok(())
    }

    /// Whether no more can be remembered.
    pub(crate) fn is_full(&self) -> bool {
        self.0.len() >= OPEN_MAX
    }

    /// Gives up on what the gateway itself wants to know.
    pub(crate) fn forget_own(&mut self) {
        self.0.retain(|_, awaited| !matches!(awaited, Awaited::Own(_)));
    }

    /// Whether a request of that id has no answer yet.
    pub(crate) fn is_open(&self, id: &Id) -> bool {
        self.0.contains_key(id)
    }

    /// The request that an answer is to; `None` if it is to none, or a second one.
    pub(crate) fn close(&mut self, id: &Id) -> Option<Awaited> {
        self.0.remove(id)
    }

    /// All of them: nobody answers any more.
    pub(crate) fn drain(&mut self) -> BTreeMap<Id, Awaited> {
        std::mem::take(&mut self.0)
    }
}
