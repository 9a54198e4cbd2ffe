//! What was read of the ledger, kept for whoever only looks, until what it was read from is another.
//!
//! Nothing here ages: each value is asked for with how its entries stand at that moment, and is read again if they stand
//! otherwise. A value says what entries say and nothing of who may see it; that is judged for each person, each time. Whoever
//! decides reads anew.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sluice_ledger::RunId;
use sluice_store::Stand;

use crate::approvals::{Heard, Recalled};
use crate::enrolment::Listed;
use crate::run::About;

/// Most bytes of payloads of which one kind of values was read that are kept.
const BYTES_MAX: usize = 32 << 20;

/// What is kept of a ledger.
#[derive(Default)]
pub(crate) struct KeptOf {
    /// What it says of something that waits, by its id.
    pub(crate) approvals: Kept<String, Recalled>,
    /// Whose word counts, by the workspace's serial.
    pub(crate) heard: Kept<u64, Heard>,
    /// Which passkeys count, under their topic.
    pub(crate) passkeys: Kept<&'static str, Vec<Listed>>,
    /// What runs are of.
    pub(crate) runs: Kept<RunId, About>,
}

/// Values of one kind.
pub(crate) struct Kept<K, V>(Mutex<Table<K, V>>);

struct Table<K, V> {
    all: HashMap<K, (Vec<Stand>, Arc<V>)>,
    bytes: usize,
}

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self(Mutex::new(Table { all: HashMap::new(), bytes: 0 }))
    }
}

impl<K: Hash + Eq, V> Kept<K, V> {
    /// What was read when its entries stood as they do now.
    pub(crate) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q, stands: &[Stand]) -> Option<Arc<V>>
    where
        K: Borrow<Q>,
    {
        let mut table = self.table();
        let (before, value) = table.all.get(key)?;
        if before.as_slice() == stands {
            return Some(Arc::clone(value));
        }
        // What was erased goes on living nowhere, whosever it was.
        if before.iter().zip(stands).any(|(before, now)| now.is_erased_since(before)) {
            table.clear();
        }
        None
    }

    /// Keeps what was read after its entries were seen to stand so: what came in between only makes it be read again.
    pub(crate) fn put(&self, key: K, stands: &[Stand], value: &Arc<V>, bytes: usize) {
        let mut table = self.table();
        if table.bytes.saturating_add(bytes) > BYTES_MAX {
            table.clear();
        }
        if bytes <= BYTES_MAX {
            table.bytes += bytes;
            table.all.insert(key, (stands.to_vec(), Arc::clone(value)));
        }
    }

    fn table(&self) -> MutexGuard<'_, Table<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> Table<K, V> {
    fn clear(&mut self) {
        self.all.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use sluice_ledger::EntryKind;
    use sluice_ledger::cbor::Map;
    use sluice_store::{Expect, FIELD_APPROVAL, Mode, NewRecord, OsRandom, Payload, PayloadKeys, Records};

    use super::*;

    fn said(records: &mut Records, about: &str) {
        let record = NewRecord::new(EntryKind::APPROVED, 0, Map::new().with(FIELD_APPROVAL, about))
            .of_run(RunId::from_bytes([1; 16]))
            .with_payload(Payload::of_run(b"x".to_vec()));
        records.append(&[record], &Expect::ANYTHING).unwrap();
    }

    #[test]
    fn what_is_kept_is_what_was_read_of_the_same_entries_and_goes_with_whatever_is_erased() {
        let folder = tempfile::tempdir().unwrap();
        let keys = |mode| PayloadKeys::open(&folder.path().join("keys"), mode, Box::new(OsRandom)).unwrap();
        let mut records = Records::open(&folder.path().join("log"), keys(Mode::Create), Mode::Create).unwrap();
        let kept: Kept<String, &str> = Kept::default();
        let stand = |records: &Records, about: &str| [records.stand(None, Some(about)).unwrap()];
        for about in ["a", "b"] {
            said(&mut records, about);
            kept.put(about.to_owned(), &stand(&records, about), &Arc::new("once"), 1);
        }
        assert_eq!(kept.get("a", &stand(&records, "a")).as_deref(), Some(&"once"));
        said(&mut records, "a");
        assert_eq!(kept.get("a", &stand(&records, "a")), None);
        assert_eq!(kept.get("b", &stand(&records, "b")).as_deref(), Some(&"once"));
        assert!(keys(Mode::Existing).erase_run(RunId::from_bytes([1; 16])).unwrap() > 0);
        assert_eq!(kept.get("a", &stand(&records, "a")), None);
        assert!(kept.table().all.is_empty(), "whoever asked, nothing of before is left in memory");
    }

    #[test]
    fn no_more_is_kept_than_fits() {
        let folder = tempfile::tempdir().unwrap();
        let keys = PayloadKeys::open(&folder.path().join("keys"), Mode::Create, Box::new(OsRandom)).unwrap();
        let records = Records::open(&folder.path().join("log"), keys, Mode::Create).unwrap();
        let stand = [records.stand(None, None).unwrap()];
        let kept: Kept<usize, ()> = Kept::default();
        for number in 0..10 {
            kept.put(number, &stand, &Arc::new(()), BYTES_MAX / 4);
        }
        assert!(kept.table().all.len() <= 4);
        kept.put(10, &stand, &Arc::new(()), BYTES_MAX + 1);
        assert!(kept.get(&10, &stand).is_none());
    }
}
