//! What was handed in to the writer and is not done, in its order; and how long the thread may sleep.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::error::AppendError;
use crate::record::{Appended, Batch};
use crate::records::Records;

/// The most records in one commit: more would only make those who came first wait longer.
const GROUP_RECORDS_MAX: usize = 256;

/// How long a batch that nobody waits for waits for one that somebody does, to share its commit.
const LATER: Duration = Duration::from_millis(5);

/// How often in a row the thread looks for such a batch in vain before it sleeps until it is woken: as long as one comes
/// after another, handing one in need not wake it.
const LOOKS_MAX: u32 = 20;

pub(super) type Answer = Box<dyn FnOnce(Result<Appended, AppendError>) + Send>;
pub(super) type Deed = Box<dyn FnOnce(&mut Records) + Send>;

/// Something that was handed in.
pub(super) enum Job {
    Append(Batch, Answer),
    /// A batch that nobody waits for.
    Later(Batch, Answer),
    With(Deed),
}

impl Job {
    /// Tells whoever handed it in that it is not done.
    pub(super) fn refuse(self) {
        match self {
            Self::Append(_, answer) | Self::Later(_, answer) => answer(Err(AppendError::Stopped)),
            // Its end of the channel tells.
            Self::With(_) => {}
        }
    }

    const fn records(&self) -> usize {
        match self {
            Self::Append(batch, _) | Self::Later(batch, _) => batch.records.len(),
            Self::With(_) => 0,
        }
    }
}

/// What goes into one commit.
#[derive(Default)]
pub(super) struct Group {
    pub(super) batches: Vec<Batch>,
    pub(super) answers: Vec<Answer>,
}

/// What is done next.
pub(super) enum Turn {
    Commit(Group),
    With(Deed),
}

/// How long the thread sleeps.
pub(super) enum Wait {
    /// There is something to do.
    Not,
    For(Duration),
    UntilWoken,
    /// There is nothing to do, and will not be.
    End,
}

pub(super) struct Queue {
    jobs: VecDeque<Job>,
    records: usize,
    /// Whether somebody waits for a job in it.
    is_awaited: bool,
    /// When the first came, if nobody waits for any.
    since: Option<Instant>,
    is_closed: bool,
    /// Whether the thread sleeps until it is woken.
    is_asleep: bool,
    /// How often it has looked in vain since a batch came that nobody waits for.
    looks: u32,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            jobs: VecDeque::new(),
            records: 0,
            is_awaited: false,
            since: None,
            is_closed: false,
            is_asleep: false,
            looks: LOOKS_MAX,
        }
    }
}

impl Queue {
    /// Puts a job behind all others. Says whether the thread must be woken for it; a queue that is closed gives it back.
    pub(super) fn push(&mut self, job: Job) -> Result<bool, Job> {
        let is_later = matches!(job, Job::Later(..));
        self.push_quietly(job)?;
        if is_later {
            self.looks = 0;
        }
        Ok(!is_later || self.is_asleep || self.records >= GROUP_RECORDS_MAX)
    }

    /// The same of a job for which nobody need be woken: whoever hands it in does it.
    pub(super) fn push_quietly(&mut self, job: Job) -> Result<(), Job> {
        if self.is_closed {
            return Err(job);
        }
        self.records = self.records.saturating_add(job.records());
        self.is_awaited |= !matches!(job, Job::Later(..));
        self.since.get_or_insert_with(Instant::now);
        self.jobs.push_back(job);
        Ok(())
    }

    /// What is done next, in the order of the queue: the batches at its front together, as many as fit into one commit.
    pub(super) fn take(&mut self) -> Option<Turn> {
        let mut group = Group::default();
        let mut size = 0_usize;
        while let Some(job) = self.jobs.pop_front() {
            let records = job.records();
            let fits = group.batches.is_empty() || size.saturating_add(records) <= GROUP_RECORDS_MAX;
            match job {
                Job::Append(batch, answer) | Job::Later(batch, answer) if fits => {
                    size = size.saturating_add(records);
                    group.batches.push(batch);
                    group.answers.push(answer);
                }
                Job::With(deed) if group.batches.is_empty() => {
                    self.taken(0);
                    return Some(Turn::With(deed));
                }
                other => {
                    self.jobs.push_front(other);
                    break;
                }
            }
        }
        self.taken(size);
        (!group.batches.is_empty()).then_some(Turn::Commit(group))
    }

    fn taken(&mut self, records: usize) {
        self.records = self.records.saturating_sub(records);
        if self.jobs.is_empty() {
            (self.is_awaited, self.since) = (false, None);
        }
    }

    /// How long the thread may sleep now.
    pub(super) fn waits(&mut self) -> Wait {
        self.is_asleep = false;
        let waited = self.since.map(|since| since.elapsed());
        match waited {
            Some(waited) if self.is_awaited || self.is_closed || self.is_due(waited) => Wait::Not,
            Some(waited) => Wait::For(LATER.saturating_sub(waited)),
            None if self.is_closed => Wait::End,
            None if self.looks < LOOKS_MAX => {
                self.looks = self.looks.saturating_add(1);
                Wait::For(LATER)
            }
            None => {
                self.is_asleep = true;
                Wait::UntilWoken
            }
        }
    }

    fn is_due(&self, waited: Duration) -> bool {
        waited >= LATER || self.records >= GROUP_RECORDS_MAX
    }

    /// Takes no more; what is in it is still done.
    pub(super) const fn close(&mut self) {
        self.is_closed = true;
    }

    /// Takes no more, and gives up what is in it.
    pub(super) fn abandon(&mut self) -> VecDeque<Job> {
        self.is_closed = true;
        (self.records, self.is_awaited, self.since) = (0, false, None);
        std::mem::take(&mut self.jobs)
    }
}
