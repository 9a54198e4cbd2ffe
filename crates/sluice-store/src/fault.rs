//! Where the simulator lets a write fail.
//!
//! A driver that loses its store in the middle of a commit cannot know whether the entries are there.
//! The simulator needs both halves: a crash before they are durable, and one after.

/// Asked around each commit of the log.
pub trait Durability: Send {
    /// Just before: a crash here loses the entries.
    fn before_commit(&mut self, commit: Commit) -> Fault;
    /// Just after: a crash here leaves the entries durable, and nobody told.
    fn after_commit(&mut self, commit: Commit) -> Fault;
}

/// What is being committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commit {
    /// How many commits came before, since this store was opened.
    pub number: u64,
    /// How many entries it writes.
    pub entries: u64,
}

/// What happens at a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The process is gone: the append ends with `AppendError::Unknown`, and the store takes no more
    /// until it is opened again.
    Crash,
}
