//! How often somebody may ask: a bucket of tokens for each principal.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sluice_core::label::Name;

/// How many requests a minute are answered, if nothing else is said.
pub const PER_MINUTE: u32 = 1_200;
/// What one request takes of a bucket that fills by `per_minute` a millisecond: sixty thousandths of a minute.
const COST: u64 = 60_000;

/// The buckets of everybody who has asked. Only principals of the register have one.
pub struct Pace {
    per_minute: u64,
    buckets: Mutex<HashMap<Name, Bucket>>,
}

struct Bucket {
    left: u64,
    at_ms: u64,
}

impl Pace {
    /// So many a minute, a tenth of them at once.
    #[must_use]
    pub fn new(per_minute: u32) -> Self {
        Self { per_minute: u64::from(per_minute.max(1)), buckets: Mutex::default() }
    }

    /// Takes one request out of somebody's bucket.
    ///
    /// # Errors
    /// After how many seconds there is one again.
    pub fn take(&self, principal: &Name, now_ms: u64) -> Result<(), u64> {
        let full = (self.per_minute / 10).max(1).saturating_mul(COST);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(principal.clone()).or_insert(Bucket { left: full, at_ms: now_ms });
        // A clock that jumps back fills nothing.
        let passed_ms = now_ms.saturating_sub(bucket.at_ms);
        bucket.left = bucket.left.saturating_add(passed_ms.saturating_mul(self.per_minute)).min(full);
        bucket.at_ms = bucket.at_ms.max(now_ms);
        match bucket.left.checked_sub(COST) {
            Some(left) => {
                bucket.left = left;
                Ok(())
            }
            None => Err((COST - bucket.left).div_ceil(self.per_minute).div_ceil(1_000).max(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_and_is_nobody_elses() {
        let pace = Pace::new(60);
        let (ana, ben) = (Name::from("ana"), Name::from("ben"));
        assert!((0..6).all(|_| pace.take(&ana, 0).is_ok()), "a tenth at once");
        assert_eq!(pace.take(&ana, 0), Err(1));
        assert!(pace.take(&ben, 0).is_ok());
        assert_eq!(pace.take(&ana, 999), Err(1));
        assert!(pace.take(&ana, 1_000).is_ok() && pace.take(&ana, 1_000).is_err());
        assert!((0..6).all(|_| pace.take(&ana, 3_600_000).is_ok()) && pace.take(&ana, 3_600_000).is_err());
        assert!(pace.take(&ana, 0).is_err(), "a clock that jumps back");
    }
}
