//! What gates count, and how it is compared when a permit is committed.
//!
//! Between a gate's answer and its commit other runs, in this process or another, may call the same action. The
//! receipt says what the gate had counted; the store takes permit and intent only if that still holds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sluice_engine::{Fact, GateAnswer, Record};
use sluice_store::{Count, FactExpect, FactIs};

const HOUR_MS: u64 = 3_600_000;

/// What the gate had counted when it permitted a call, as its receipt has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// Calls of the action in that hour: those in the ledger, and those permitted but not yet written.
    pub calls_this_hour: u64,
    /// How many the contract allows.
    pub per_hour: Option<u64>,
    /// Whether the workflow never called the action before.
    pub first_seen: bool,
    /// Whether a policy reads such counts: then any change of them is a reason to ask again.
    pub is_read_by_policy: bool,
}

impl Counted {
    fn of(receipt: &serde_json::Value) -> Option<Self> {
        receipt.pointer("/more/counted").and_then(|counted| Self::deserialize(counted).ok())
    }
}

/// The count of calls of an action in the hour of `time_ms`, over all runs.
pub(crate) fn hourly(action: &str, time_ms: u64) -> String {
    format!("per-hour/{action}/{}", time_ms / HOUR_MS)
}

/// The count of calls of an action by a workflow.
pub(crate) fn seen(workflow: &str, action: &str) -> String {
    format!("seen/{workflow}/{action}")
}

/// What an intent adds to the counts.
pub(crate) fn added(workflow: &str, action: &str, time_ms: u64) -> Vec<Count> {
    [hourly(action, time_ms), seen(workflow, action)].map(|key| Count { key, add: 1 }).into()
}

/// What must still hold for the permits among these records, all of them together.
pub(crate) fn expected(records: &[Record], workflow: &str) -> Vec<FactExpect> {
    let mut counted = BTreeMap::new();
    let mut intended: BTreeMap<String, u64> = BTreeMap::new();
    let mut expects: BTreeMap<(String, bool), FactIs> = BTreeMap::new();
    for record in records {
        match &record.fact {
            Fact::Decided { token, answer: GateAnswer::Permit { receipt }, .. } => {
                counted.insert(*token, Counted::of(receipt));
            }
            Fact::Intended { token, action, .. } => {
                // A permit that is not of these records was compared with those that it came with.
                let Some(Some(counted)) = counted.get(token) else { continue };
                let hour = hourly(action, record.time_ms);
                let calls = intended.entry(hour.clone()).or_default();
                *calls += 1;
                if let Some(limit) = counted.per_hour {
                    // The last one has the least room; the gate has counted those before it.
                    expects.insert((hour, false), FactIs::AtMost(limit.saturating_sub(*calls)));
                }
                if counted.is_read_by_policy {
                    // The first one counted nothing but what is in the ledger.
                    let hour = hourly(action, counted.at_ms);
                    expects.entry((hour, true)).or_insert(FactIs::Exactly(counted.calls_this_hour));
                }
                if counted.is_read_by_policy && counted.first_seen {
                    expects.entry((seen(workflow, action), true)).or_insert(FactIs::Exactly(0));
                }
            }
            _ => {}
        }
    }
    expects.into_iter().map(|((key, _), is)| FactExpect { key, is }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sluice_core::subject::Subjects;
    use sluice_engine::TokenId;
    use sluice_ledger::RunId;

    use super::*;

    /// The records of one permitted call.
    fn permitted(token: u32, counted: &Counted) -> [Record; 2] {
        let (token, key, action) = (TokenId(token), String::new(), "bank.pay".to_owned());
        let receipt = json!({ "more": { "counted": counted } });
        let answer = GateAnswer::Permit { receipt };
        let decided = Fact::Decided { token, node: 1, action: action.clone(), key: key.clone(), answer };
        let intended = Fact::Intended { token, node: 1, action, key, arguments: json!({}) };
        [decided, intended].map(|fact| Record {
            run: RunId::from_bytes([1; 16]),
            time_ms: 2 * HOUR_MS,
            fact,
            subjects: Subjects::NOBODY,
        })
    }

    fn counted(calls_this_hour: u64, per_hour: Option<u64>, is_read_by_policy: bool) -> Counted {
        // Asked at the very end of the hour before: the call counts for the hour of its intent.
        Counted { at_ms: 2 * HOUR_MS - 1, calls_this_hour, per_hour, first_seen: true, is_read_by_policy }
    }

    #[test]
    fn permits_of_one_commit_share_what_room_is_left() {
        let at_most = |n| FactExpect { key: "per-hour/bank.pay/2".to_owned(), is: FactIs::AtMost(n) };
        let exactly = |key: &str, n| FactExpect { key: key.to_owned(), is: FactIs::Exactly(n) };
        for (counts, expects) in [
            (vec![], vec![]),
            (vec![counted(3, None, false)], vec![]),
            (vec![counted(3, Some(5), false)], vec![at_most(4)]),
            (vec![counted(3, Some(5), false), counted(4, Some(5), false)], vec![at_most(3)]),
            (
                vec![counted(3, Some(5), true), counted(4, Some(5), true)],
                vec![exactly("per-hour/bank.pay/1", 3), at_most(3), exactly("seen/w/bank.pay", 0)],
            ),
        ] {
            let records: Vec<Record> =
                (0..).zip(&counts).flat_map(|(token, counted)| permitted(token, counted)).collect();
            assert_eq!(expected(&records, "w"), expects, "{counts:?}");
        }
    }

    #[test]
    fn a_receipt_without_counts_expects_nothing() {
        let mut records = permitted(1, &counted(0, Some(1), true)).to_vec();
        if let Fact::Decided { answer, .. } = &mut records[0].fact {
            *answer = GateAnswer::Permit { receipt: json!({}) };
        }
        assert_eq!(expected(&records, "w"), []);
    }
}
