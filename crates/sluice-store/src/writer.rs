//! Group commit: one thread owns the connection, and all runs that are in flight share its waits.
//!
//! While one commit waits for the disk, other runs hand in their batches; the next commit takes all
//! that are there. A batch that comes alone is committed at once: nobody waits for company.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use crate::error::AppendError;
use crate::record::{Appended, Batch};
use crate::records::Records;

/// The most records in one commit: more would only make those who came first wait longer.
const GROUP_RECORDS_MAX: usize = 256;

type Answer = Box<dyn FnOnce(Result<Appended, AppendError>) + Send>;

enum Job {
    Append(Batch, Answer),
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
    let mut next = jobs.recv().ok();
    while let Some(job) = next.take() {
        match job {
            Job::Close => break,
            Job::With(deed) => deed(&mut records),
            Job::Append(batch, answer) => {
                let (batches, answers, after) = gather(batch, answer, jobs);
                let results = records.append_all(&batches);
                commits.store(records.commits(), Ordering::Relaxed);
                for (answer, result) in answers.into_iter().zip(results) {
                    answer(result);
                }
                next = after;
            }
        }
        commits.store(records.commits(), Ordering::Relaxed);
        next = next.or_else(|| jobs.recv().ok());
    }
    records
}

/// Takes what is waiting already, and the job that did not fit in any more.
fn gather(first: Batch, answer: Answer, jobs: &Receiver<Job>) -> (Vec<Batch>, Vec<Answer>, Option<Job>) {
    let mut count = first.records.len();
    let mut batches = vec![first];
    let mut answers = vec![answer];
    while let Ok(job) = jobs.try_recv() {
        match job {
            Job::Append(batch, answer) if count + batch.records.len() <= GROUP_RECORDS_MAX => {
                count += batch.records.len();
                batches.push(batch);
                answers.push(answer);
            }
            other => return (batches, answers, Some(other)),
        }
    }
    (batches, answers, None)
}
