//! When the signed rules of a workspace are others.

use std::path::PathBuf;
use std::time::Duration;

use sluice_core::contract::Digest;
use sluice_runtime::home::Home;
use sluice_runtime::workspace::{OpenError, Workspace, stamp};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The files that rules were read from, as they were before that.
pub(super) struct Rules {
    folder: PathBuf,
    home: Home,
    /// Those that hold. `None` if they could not be read then: whatever can be read is another state.
    holding: Option<Digest>,
    /// What was looked at last.
    seen: Option<Digest>,
}

impl Rules {
    /// As they are now. To be taken before they are opened, so that nothing changes unseen in between.
    pub(super) fn of(folder: PathBuf, home: Home) -> Self {
        let holding = stamp(&folder, &home).ok();
        Self { folder, home, seen: holding, holding }
    }

    /// Waits until other rules count. Files that were changed and are not signed yet, or hold mistakes, count nothing: so long
    /// those of before hold, and the operator is told once.
    pub(super) async fn changed(mut self) {
        let mut every = tokio::time::interval(LOOK_EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            let looked = tokio::task::spawn_blocking(move || {
                let found = self.look();
                (self, found)
            });
            // A look that panicked tells nothing: those of before hold.
            let Ok((rules, found)) = looked.await else { return std::future::pending().await };
            self = rules;
            match found {
                None => {}
                Some(Ok(())) => return,
                Some(Err(error)) => {
                    eprintln!("sluice gateway: the rules were changed and do not count; those of before hold: {error}");
                }
            }
        }
    }

    /// Whether there is something new, and whether it counts.
    fn look(&mut self) -> Option<Result<(), OpenError>> {
        let now = match stamp(&self.folder, &self.home) {
            Ok(now) if Some(now) == self.seen => return None,
            Ok(now) => now,
            // In the middle of being written; if it stays so, the next start tells.
            Err(_) => return None,
        };
        self.seen = Some(now);
        // What was tried and taken back changes nothing: a session, and what it has read, goes on.
        if self.seen == self.holding {
            return None;
        }
        Some(Workspace::open_with(&self.folder, self.home.clone()).map(drop))
    }
}
