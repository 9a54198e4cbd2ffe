//! The machine's clock: the one place where production reads it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970-01-01T00:00:00Z; zero for a clock that is set before that.
#[must_use]
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

/// The machine's clock as a ledger takes it: never earlier than what the ledger was told before.
///
/// A clock that jumps back would bring an expired approval back to life, and give an hour's calls a second time.
#[derive(Debug)]
pub struct LedgerClock {
    latest_ms: AtomicU64,
}

impl LedgerClock {
    /// A clock that goes on from `latest_ms`.
    #[must_use]
    pub const fn not_before(latest_ms: u64) -> Self {
        Self { latest_ms: AtomicU64::new(latest_ms) }
    }

    /// The machine's time, or the latest known one while the machine is behind it.
    pub fn now_ms(&self) -> u64 {
        self.at_least(now_ms())
    }

    /// How far the machine's clock is behind the latest known time.
    #[must_use]
    pub fn is_behind_by_ms(&self) -> u64 {
        self.latest_ms.load(Ordering::Relaxed).saturating_sub(now_ms())
    }

    fn at_least(&self, machine_ms: u64) -> u64 {
        self.latest_ms.fetch_max(machine_ms, Ordering::Relaxed).max(machine_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::LedgerClock;

    #[test]
    fn time_stands_still_while_the_machine_is_behind() {
        let clock = LedgerClock::not_before(100);
        let machine = [40, 90, 120, 60, 119, 121];
        assert_eq!(machine.map(|ms| clock.at_least(ms)), [100, 100, 120, 120, 120, 121]);
    }
}
