//! What budgets count, and how it is compared when a permit or a hold is committed.
//!
//! A gate's answer carries in its receipt what it takes from budgets. Each count is a fact of the ledger, whose key holds
//! the window: what is past frees itself. The store takes the answer only if there is still room.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sluice_core::contract::budgets::{Kind, Use, Window};
use sluice_engine::{Fact, GateAnswer, Record};
use sluice_store::{Count, FactExpect, FactIs};

/// One use of one budget, as receipts have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// The count.
    pub key: String,
    /// How far it may go.
    pub limit: u64,
}

/// The count of one window. `who` is the pseudonym of whoever people are asked for: the log is open, and names nobody.
pub(crate) fn key(of: Use, kind: Kind, name: &str, who: Option<&str>, window: Window, time_ms: u64) -> String {
    let of = match of {
        Use::Ask => "asks",
        Use::Call => "calls",
    };
    let who = who.map(|who| format!("/{who}")).unwrap_or_default();
    format!("budget/{of}/{}/{}/{}/{name}{who}", window.name(), window.of(time_ms), kind.name())
}

/// What an answer takes from budgets.
pub(crate) fn charges(answer: &GateAnswer) -> Vec<Charge> {
    match answer {
        GateAnswer::Permit { receipt } | GateAnswer::Hold { receipt, .. } => {
            let listed = receipt.pointer("/more/budgets").map(Vec::deserialize);
            listed.and_then(Result::ok).unwrap_or_default()
        }
        GateAnswer::Forbid { .. } | GateAnswer::Unchanged { .. } => Vec::new(),
    }
}

/// What it adds to the counts.
pub(crate) fn added(answer: &GateAnswer) -> impl Iterator<Item = Count> {
    charges(answer).into_iter().map(|charge| Count { key: charge.key, add: 1 })
}

/// What must still hold for the answers among these records, all of them together.
pub(crate) fn expected(records: &[Record]) -> Vec<FactExpect> {
    let mut taken: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for record in records {
        let Fact::Decided { answer, .. } = &record.fact else { continue };
        for Charge { key, limit } in charges(answer) {
            let (uses, least) = taken.entry(key).or_insert((0, limit));
            *uses += 1;
            *least = limit.min(*least);
        }
    }
    // The last one has the least room; the gate has counted those before it.
    let expect =
        |(key, (uses, limit)): (String, (u64, u64))| FactExpect { key, is: FactIs::AtMost(limit.saturating_sub(uses)) };
    taken.into_iter().map(expect).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sluice_core::subject::Subjects;
    use sluice_engine::{Hold, TokenId};
    use sluice_ledger::RunId;

    use super::*;

    fn decided(answer: GateAnswer) -> Record {
        let (token, key, action) = (TokenId(1), String::new(), "mail.send".to_owned());
        let fact = Fact::Decided { token, node: 0, action, key, answer };
        Record { run: RunId::from_bytes([1; 16]), time_ms: 1, fact, subjects: Subjects::NOBODY }
    }

    fn receipt(keys: &[&str], limit: u64) -> serde_json::Value {
        let charges = keys.iter().map(|key| Charge { key: (*key).to_owned(), limit }).collect::<Vec<_>>();
        json!({ "more": { "budgets": charges } })
    }

    fn permit(keys: &[&str], limit: u64) -> Record {
        decided(GateAnswer::Permit { receipt: receipt(keys, limit) })
    }

    fn hold(keys: &[&str], limit: u64) -> Record {
        let hold = Hold { approval: "A-1".to_owned(), why: String::new(), digest: [1; 32], salt: None };
        decided(GateAnswer::Hold { receipt: receipt(keys, limit), hold })
    }

    fn forbid(keys: &[&str]) -> Record {
        let code = "SL525".to_owned();
        decided(GateAnswer::Forbid { receipt: receipt(keys, 1), code, why: String::new() })
    }

    #[test]
    fn answers_of_one_commit_share_what_room_is_left() {
        for (records, expects) in [
            (vec![], vec![]),
            (vec![permit(&[], 5), hold(&[], 5), forbid(&["a"])], vec![]),
            (vec![permit(&["a"], 5)], vec![("a", 4)]),
            (vec![hold(&["a", "b"], 5), permit(&["b"], 3)], vec![("a", 4), ("b", 1)]),
            (vec![hold(&["a"], 1), hold(&["a"], 1)], vec![("a", 0)]),
        ] {
            let expects: Vec<FactExpect> = expects
                .into_iter()
                .map(|(key, n): (&str, u64)| FactExpect { key: key.to_owned(), is: FactIs::AtMost(n) })
                .collect();
            assert_eq!(expected(&records), expects, "{records:?}");
        }
    }

    #[test]
    fn a_key_tells_what_is_counted_and_when() {
        let hour = 3_600_000;
        for (of, who, window, time_ms, expected) in [
            (Use::Ask, Some("7f"), Window::Hour, 2 * hour, "budget/asks/hour/2/origin/mail/7f"),
            (Use::Ask, Some("7f"), Window::Hour, 3 * hour - 1, "budget/asks/hour/2/origin/mail/7f"),
            (Use::Ask, Some("7f"), Window::Hour, 3 * hour, "budget/asks/hour/3/origin/mail/7f"),
            (Use::Call, None, Window::Day, 24 * hour, "budget/calls/day/1/origin/mail"),
            (Use::Call, None, Window::Minute, hour, "budget/calls/minute/60/origin/mail"),
        ] {
            assert_eq!(key(of, Kind::Origin, "mail", who, window, time_ms), expected);
        }
    }
}
