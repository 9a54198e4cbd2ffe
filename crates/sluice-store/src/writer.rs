//! Group commit: all runs that are in flight share its waits.
//!
//! One thread commits. While one commit waits for the disk, other runs hand in their batches; the next commit takes all
//! that are there. A batch that comes alone is committed at once: nobody waits for company. Only one that nobody waits
//! for does, for a moment.
//!
//! A process that does one thing at a time has nobody to share with. There whoever hands in a batch commits it, with all
//! that was handed in before it: to hand it over to a thread, and to be woken by it, takes longer than to write it.

mod queue;

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::error::AppendError;
use crate::record::{Appended, Batch};
use crate::records::Records;
use queue::{Group, Job, Queue, Turn, Wait};

/// Who writes. Share it behind an `Arc`; dropping it writes what was handed in, and stops.
pub struct Writer {
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Takes the ledger, and a thread of its own.
    ///
    /// # Errors
    /// The operating system's, if it has no thread to give.
    pub fn start(records: Records) -> io::Result<Self> {
        let desk = Arc::new(Desk::of(records));
        let of_thread = Arc::clone(&desk);
        let thread = thread::Builder::new().name("ledger".to_owned()).spawn(move || serve(&of_thread))?;
        Ok(Self { desk, thread: Some(thread) })
    }

    /// From here on whoever hands in a batch commits it, and waits for the disk: for a process in which nobody else would
    /// hand in another one meanwhile. What nobody waits for is still the thread's.
    pub fn commit_in_place(&self) {
        self.desk.is_in_place.store(true, Ordering::Release);
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

    /// Hands in a batch; `answer` is called by whoever commits, must be quick, and must ask nothing of this writer.
    pub fn submit_with(&self, batch: Batch, answer: impl FnOnce(Result<Appended, AppendError>) + Send + 'static) {
        self.desk.hand_in(Job::Append(batch, Box::new(answer)));
    }

    /// Hands in a batch that nobody waits for. It keeps its place before all that is handed in after it, and is committed
    /// with the next batch that is waited for, or after a few milliseconds. `answer` is as for [`Writer::submit_with`].
    pub fn submit_later(&self, batch: Batch, answer: impl FnOnce(Result<Appended, AppendError>) + Send + 'static) {
        self.desk.put(Job::Later(batch, Box::new(answer)));
    }

    /// Does something else with the ledger, after all that was handed in before, and waits for it.
    ///
    /// # Errors
    /// [`AppendError::Stopped`] if the ledger is closed, or whoever wrote panicked.
    pub fn with<R: Send + 'static>(
        &self,
        deed: impl FnOnce(&mut Records) -> R + Send + 'static,
    ) -> Result<R, AppendError> {
        let (tell, answer) = mpsc::sync_channel(1);
        self.desk.hand_in(Job::With(Box::new(move |records| {
            let _ = tell.send(deed(records));
        })));
        answer.recv().map_err(|_| AppendError::Stopped)
    }

    /// Looks something up in what is committed, where that takes no waiting for others; else gives the deed back.
    ///
    /// # Errors
    /// The deed, if batches are not committed in place.
    pub fn look<R, F: FnOnce(&Records) -> R>(&self, deed: F) -> Result<R, F> {
        if !self.desk.is_in_place.load(Ordering::Acquire) {
            return Err(deed);
        }
        match self.desk.records.lock() {
            Ok(held) => match held.as_ref() {
                Some(records) => Ok(deed(records)),
                None => Err(deed),
            },
            Err(_) => Err(deed),
        }
    }

    /// How many commits were made: with several runs in flight fewer than batches were handed in.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.desk.commits.load(Ordering::Relaxed)
    }

    /// Writes what was handed in, stops, and gives the ledger back; `None` if the thread panicked.
    #[must_use]
    pub fn close(mut self) -> Option<Records> {
        self.stop()
    }

    fn stop(&mut self) -> Option<Records> {
        let thread = self.thread.take()?;
        self.desk.queue().close();
        self.desk.news.notify_all();
        thread.join().ok()?;
        self.desk.records.lock().ok()?.take()
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
    /// As [`Records::append`]; [`AppendError::Unknown`] too if whoever wrote it panicked.
    pub fn wait(self) -> Result<Appended, AppendError> {
        self.answer.recv().unwrap_or(Err(AppendError::Unknown))
    }
}

/// What the thread and those who hand in share.
struct Desk {
    queue: Mutex<Queue>,
    /// Tells the thread that there is something to do.
    news: Condvar,
    /// Whoever holds it does all that is in the queue, in its order. None once the writer is closed.
    records: Mutex<Option<Records>>,
    is_in_place: AtomicBool,
    commits: AtomicU64,
}

impl Desk {
    fn of(records: Records) -> Self {
        let commits = AtomicU64::new(records.commits());
        let (queue, news) = (Mutex::default(), Condvar::new());
        Self { queue, news, records: Mutex::new(Some(records)), is_in_place: AtomicBool::new(false), commits }
    }

    /// No code that can panic runs while it is held.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a job behind all others, and wakes the thread if it would not look by itself.
    fn put(&self, job: Job) {
        let mut queue = self.queue();
        match queue.push(job) {
            Ok(true) => self.news.notify_one(),
            Ok(false) => {}
            Err(job) => {
                drop(queue);
                job.refuse();
            }
        }
    }

    /// The same for a job that somebody waits for, where it may be done at once.
    fn hand_in(&self, job: Job) {
        if !self.is_in_place.load(Ordering::Acquire) {
            return self.put(job);
        }
        // Of one who panicked in the middle of a commit nobody knows what was written.
        let Ok(mut held) = self.records.lock() else { return job.refuse() };
        let Some(records) = held.as_mut() else { return job.refuse() };
        let pushed = self.queue().push_quietly(job);
        match pushed {
            Ok(()) => self.work(records),
            Err(job) => job.refuse(),
        }
    }

    /// Does all that is in the queue, in its order.
    fn work(&self, records: &mut Records) {
        loop {
            let turn = self.queue().take();
            match turn {
                None => return,
                Some(Turn::Commit(group)) => self.commit(records, group),
                Some(Turn::With(deed)) => deed(records),
            }
            self.commits.store(records.commits(), Ordering::Relaxed);
        }
    }

    fn commit(&self, records: &mut Records, group: Group) {
        let results = records.append_all(&group.batches);
        self.commits.store(records.commits(), Ordering::Relaxed);
        for (answer, result) in group.answers.into_iter().zip(results) {
            answer(result);
        }
    }

    /// Waits until there is something to do for the thread; `false` once there will be no more.
    fn wait(&self) -> bool {
        let mut queue = self.queue();
        loop {
            queue = match queue.waits() {
                Wait::Not => return true,
                Wait::End => return false,
                Wait::UntilWoken => self.news.wait(queue).unwrap_or_else(PoisonError::into_inner),
                Wait::For(time) => self.news.wait_timeout(queue, time).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
    }
}

fn serve(desk: &Desk) {
    let _nobody = NobodyServes(desk);
    while desk.wait() {
        let Ok(mut held) = desk.records.lock() else { return };
        let Some(records) = held.as_mut() else { return };
        desk.work(records);
    }
}

/// When the thread ends, however it ends, nobody waits for it in vain.
struct NobodyServes<'a>(&'a Desk);

impl Drop for NobodyServes<'_> {
    fn drop(&mut self) {
        let left = self.0.queue().abandon();
        // Outside of the lock: whoever is told may do anything.
        drop(left);
    }
}
