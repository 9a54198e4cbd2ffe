//! What several servers ask the agent, each under an id that says whose question it is.

use std::collections::BTreeMap;

use crate::frame::Id;
use crate::pending::OPEN_MAX;

/// Their open questions, by the ids that the agent knows.
#[derive(Debug, Default)]
pub(super) struct Asking {
    open: BTreeMap<Id, Question>,
    /// The same by who asked under which id.
    by_server: BTreeMap<(usize, Id), Id>,
    next: u64,
}

#[derive(Debug)]
struct Question {
    server: usize,
    id: Id,
    /// Under which it wants to hear how it goes on, as it wrote that.
    token: Option<String>,
}

impl Asking {
    /// Remembers a question; `None` if the server asked that already, or there are too many.
    pub(super) fn open(&mut self, server: usize, prefix: &str, id: Id, token: Option<String>) -> Option<Id> {
        let key = (server, id.clone());
        if self.open.len() >= OPEN_MAX || self.by_server.contains_key(&key) {
            return None;
        }
        let outer = Id::Text(format!("{prefix}{}", self.next).into());
        self.next = self.next.saturating_add(1);
        self.by_server.insert(key, outer.clone());
        self.open.insert(outer.clone(), Question { server, id, token });
        Some(outer)
    }

    /// Whose question an answer is to, and its id there.
    pub(super) fn close(&mut self, outer: &Id) -> Option<(usize, Id)> {
        let Question { server, id, .. } = self.open.remove(outer)?;
        self.by_server.remove(&(server, id.clone()));
        Some((server, id))
    }

    /// Who hears how it goes on, and under which token.
    pub(super) fn token(&self, outer: &Id) -> Option<(usize, String)> {
        let question = self.open.get(outer)?;
        Some((question.server, question.token.clone()?))
    }

    /// A server takes its question back.
    pub(super) fn withdraw(&mut self, server: usize, id: &Id) -> Option<Id> {
        let outer = self.by_server.remove(&(server, id.clone()))?;
        self.open.remove(&outer);
        Some(outer)
    }

    /// All questions of a server: it is gone.
    pub(super) fn forget(&mut self, server: usize) -> Vec<Id> {
        let of = |(outer, question): (&Id, &Question)| (question.server == server).then(|| outer.clone());
        let outers: Vec<Id> = self.open.iter().filter_map(of).collect();
        for outer in &outers {
            self.close(outer);
        }
        outers
    }
}
