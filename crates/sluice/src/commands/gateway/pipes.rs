//! The agent's two pipes.
//!
//! Where the system can say when a pipe is ready, nothing stands between it and the gateway; otherwise a thread waits for it,
//! and each message is handed from thread to thread.

use tokio::io::{AsyncRead, AsyncWrite};

/// What the agent says.
pub(super) type FromAgent = Box<dyn AsyncRead + Unpin>;
/// What the agent is told.
pub(super) type ToAgent = Box<dyn AsyncWrite + Unpin>;

/// Standard input and output. A runtime must be there.
pub(super) fn of_agent() -> (FromAgent, ToAgent) {
    let from = ready::input().unwrap_or_else(|| Box::new(tokio::io::stdin()));
    let to = ready::output().unwrap_or_else(|| Box::new(tokio::io::stdout()));
    (from, to)
}

#[cfg(target_os = "linux")]
mod ready {
    use tokio::net::unix::pipe::OpenOptions;

    use super::{FromAgent, ToAgent};

    // Opened once more, since whether a read waits belongs to what was opened: whoever else has the same standard input
    // or output (a shell that started us) must not find it changed.
    pub(super) fn input() -> Option<FromAgent> {
        Some(Box::new(OpenOptions::new().open_receiver("/proc/self/fd/0").ok()?))
    }

    pub(super) fn output() -> Option<ToAgent> {
        Some(Box::new(OpenOptions::new().open_sender("/proc/self/fd/1").ok()?))
    }
}

#[cfg(not(target_os = "linux"))]
mod ready {
    use super::{FromAgent, ToAgent};

    pub(super) fn input() -> Option<FromAgent> {
        None
    }

    pub(super) fn output() -> Option<ToAgent> {
        None
    }
}
