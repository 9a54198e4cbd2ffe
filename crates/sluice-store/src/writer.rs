//! Group commit: one thread owns the connection, and all runs that are in flight share its waits.
//!
//! While one commit waits for the disk, other runs hand in their batches; the next commit takes all
//! that are there. A batch that comes alone is committed at once: nobody waits for company. Only one that nobody waits
//! for does, for a moment.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::error::AppendError;
use crate::record::{Appended, Batch};
use crate::records::Records;

/// The most records in one commit: more would only make those who came first wait longer.
const GROUP_RECORDS_MAX: usize = 256;

/// How long a batch that nobody waits for waits for one that somebody does, to share its commit.
const LATER: Duration = Duration::from_millis(5);

type Answer = Box<dyn FnOnce(Result<Appended, AppendError>) + Send>;

enum Job {
    Append(Batch, Answer),
    Later(Batch, Answer),
    With(Box<dyn FnOnce(&mut Records) + Send>),
    Close,
}

/// The thread that writes. Share it behind an `Arc`; dropping it writes what was handed in, and stops.
pub struct Writer {
    queue: Sender<Job>,
    thread: Option<JoinHandle<Records>>,
    commits: Arc<AtomicU64>,
}

impl Writer {
    /// Gives the ledger to a thread of its own.
    ///
    /// # Errors
    /// The operating system's, if it has no thread to give.
    pub fn start(records: Records) -> io::Result<Self> {
        let (queue, jobs) = mpsc::channel();
        let commits = Arc::new(AtomicU64::new(records.commits()));
        let counter = Arc::clone(&commits);
        let thread = thread::Builder::new().name("ledger".to_owned()).spawn(move || serve(records, &jobs, &counter))?;
        Ok(Self { queue, thread: Some(thread), commits })
    }

    /// Hands in a batch; the receipt waits for its commit.
    #[must_use]
    pub fn submit(&self, batch: Batch) -> Receipt {
        let (tell, answer) = mpsc::sync_channel(1);
        self.submit_with(batch, move |result| {
            // Nobody listens any more: the batch is written all the same.
            let _ = tell.send(result);
        });
        Receipt { answer }
    }

    /// Hands in a batch; `answer` is called on the writer's thread, and must be quick.
    pub fn submit_with(&self, batch: Batch, answer: impl FnOnce(Result<Appended, AppendError>) + Send + 'static) {
        let job = Job::Append(batch, Box::new(answer));
        if let Err(mpsc::SendError(Job::Append(_, answer))) = self.queue.send(job) {
            answer(Err(AppendError::Stopped));
        }
    }

    /// Hands in a batch that nobody waits for. It keeps its place before all that is handed in after it, and is committed
    /// with the next batch that is waited for, or after a few milliseconds. `answer` is as for [`Writer::submit_with`].
    pub fn submit_later(&self, batch: Batch, answer: impl FnOnce(Result<Appended, AppendError>) + Send + 'static) {
        let job = Job::Later(batch, Box::new(answer));
        if let Err(mpsc::SendError(Job::Later(_, answer))) = self.queue.send(job) {
            answer(Err(AppendError::Stopped));
        }
    }

    /// Does something else with the ledger, after all that was handed in before, and waits for it.
    ///
    /// # Errors
    /// [`AppendError::Stopped`] if the thread is gone.
    pub fn with<R: Send + 'static>(
        &self,
        deed: impl FnOnce(&mut Records) -> R + Send + 'static,
    ) -> Result<R, AppendError> {
        let (tell, answer) = mpsc::sync_channel(1);
        let job = Job::With(Box::new(move |records| {
            let _ = tell.send(deed(records));
        }));
        self.queue.send(job).map_err(|_| AppendError::Stopped)?;
        answer.recv().map_err(|_| AppendError::Stopped)
    }

    /// How many commits were made: with several runs in flight fewer than batches were handed in.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Writes what was handed in, stops, and gives the ledger back; `None` if the thread panicked.
    #[must_use]
    pub fn close(mut self) -> Option<Records> {
        self.stop()
    }

    fn stop(&mut self) -> Option<Records> {
        let thread = self.thread.take()?;
        // An error means that the thread has ended already.
        let _ = self.queue.send(Job::Close);
        thread.join().ok()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Writer({} commits)", self.commits())
    }
}

/// Waits for one batch.
#[derive(Debug)]
pub struct Receipt {
    answer: Receiver<Result<Appended, AppendError>>,
}

impl Receipt {
    /// Waits until the batch is durable or refused.
    ///
    /// # Errors
    /// As [`Records::append`]; [`AppendError::Unknown`] too if the writer's thread is gone.
    pub fn wait(self) -> Result<Appended, AppendError> {
        self.answer.recv().unwrap_or(Err(AppendError::Unknown))
    }
}

fn serve(mut records: Records, jobs: &Receiver<Job>, commits: &AtomicU64) -> Records {
    let mut group = Group::default();
    while let Some(job) = group.next_job(jobs) {
        match job {
            Next::Later(batch, answer) => group.push(batch, answer),
            Next::Append(batch, answer) => {
                group.push(batch, answer);
                group.gather(jobs);
                group.commit(&mut records, commits);
            }
            Next::Commit => group.commit(&mut records, commits),
            Next::With(deed) => {
                group.commit(&mut records, commits);
                deed(&mut records);
            }
        }
        commits.store(records.commits(), Ordering::Relaxed);
    }
    group.commit(&mut records, commits);
    records
}

/// What goes into the next commit.
#[derive(Default)]
struct Group {
    batches: Vec<Batch>,
    answers: Vec<Answer>,
    records: usize,
    /// When the first came, if nobody waits for any of them.
    since: Option<Instant>,
    /// A job that was taken from the queue and did not fit in.
    after: Option<Job>,
}

/// What to do next.
enum Next {
    Append(Batch, Answer),
    Later(Batch, Answer),
    With(Box<dyn FnOnce(&mut Records) + Send>),
    /// What is there has waited long enough, or is enough.
    Commit,
}

impl Group {
    fn push(&mut self, batch: Batch, answer: Answer) {
        self.since.get_or_insert_with(Instant::now);
        self.records = self.records.saturating_add(batch.records.len());
        self.batches.push(batch);
        self.answers.push(answer);
    }

    /// `None` once there will be no more.
    fn next_job(&mut self, jobs: &Receiver<Job>) -> Option<Next> {
        if self.records >= GROUP_RECORDS_MAX {
            return Some(Next::Commit);
        }
        let job = match (self.after.take(), self.since) {
            (Some(job), _) => job,
            (None, None) => jobs.recv().ok()?,
            (None, Some(since)) => match jobs.recv_timeout(LATER.saturating_sub(since.elapsed())) {
                Ok(job) => job,
                Err(RecvTimeoutError::Timeout) => return Some(Next::Commit),
                Err(RecvTimeoutError::Disconnected) => return None,
            },
        };
        match job {
            Job::Append(batch, answer) => Some(Next::Append(batch, answer)),
            Job::Later(batch, answer) => Some(Next::Later(batch, answer)),
            Job::With(deed) => Some(Next::With(deed)),
            Job::Close => None,
        }
    }

    /// Takes what is waiting already, up to the job that does not fit in any more.
    fn gather(&mut self, jobs: &Receiver<Job>) {
        while let Ok(job) = jobs.try_recv() {
            match job {
                Job::Append(batch, answer) | Job::Later(batch, answer)
                    if self.records.saturating_add(batch.records.len()) <= GROUP_RECORDS_MAX =>
                {
                    self.push(batch, answer);
                }
                other => {
                    self.after = Some(other);
                    return;
                }
            }
        }
    }

    fn commit(&mut self, records: &mut Records, commits: &AtomicU64) {
        let (batches, answers) = (std::mem::take(&mut self.batches), std::mem::take(&mut self.answers));
        (self.records, self.since) = (0, None);
        if batches.is_empty() {
            return;
        }
        let results = records.append_all(&batches);
        commits.store(records.commits(), Ordering::Relaxed);
        for (answer, result) in answers.into_iter().zip(results) {
            answer(result);
        }
    }
}
