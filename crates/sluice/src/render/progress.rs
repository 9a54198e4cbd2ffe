//! How far a long check is: one line on a terminal, gone when the check has ended.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// Before this much time nothing is drawn: most checks have ended by then.
const QUIET: Duration = Duration::from_millis(300);
/// Between two drawings.
const STEP: Duration = Duration::from_millis(100);
/// How many characters the bar has.
const BAR: usize = 30;

/// A line on the standard error, if that is a terminal. It has no colour.
pub(crate) struct Progress {
    all: usize,
    done: usize,
    /// When it is drawn next; `None`: never.
    next: Option<Instant>,
    is_drawn: bool,
}

impl Progress {
    /// For so many files. Nothing is ever drawn where nobody looks, or where the cursor cannot be moved.
    pub(crate) fn of(all: usize) -> Self {
        let is_shown = io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        Self { all, done: 0, next: is_shown.then(|| Instant::now() + QUIET), is_drawn: false }
    }

    /// One more is done.
    pub(crate) fn step(&mut self) {
        self.done += 1;
        let Some(next) = self.next else { return };
        let now = Instant::now();
        if now >= next {
            self.next = Some(now + STEP);
            self.is_drawn = true;
            let _ = write!(io::stderr(), "\r{}\x1b[K", line(self.done, self.all));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_drawn {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

fn line(done: usize, all: usize) -> String {
    let full = (done * BAR / all.max(1)).min(BAR);
    format!("[{}{}] {done} of {all} files", "=".repeat(full), " ".repeat(BAR - full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_it_is() {
        assert_eq!(line(5, 10), format!("[{}{}] 5 of 10 files", "=".repeat(15), " ".repeat(15)));
        assert_eq!(line(0, 0), format!("[{}] 0 of 0 files", " ".repeat(30)));
    }
}
