//! The law of broken glass over whatever entries there are: the fold says what should not be, as a plain reading of it does.

use proptest::prelude::*;
use sluice_core::contract::Digest;
use sluice_core::contract::closure::ClosureDigest;
use sluice_core::contract::digest::to_hex;
use sluice_ledger::cbor::Map;
use sluice_ledger::{Entry, Hash, LeafIndex};
use sluice_store::PayloadState;

use super::*;

const PEOPLE: [&str; 4] = ["ana", "ben", "cleo", "eve"];

/// What somebody does: breaks the glass for what another asked and tells some, or closes a review, of the last one or another.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Break { by: usize, requester: usize, told: usize },
    Close { by: usize, is_of_last: bool },
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let broke =
        (0..4_usize, 0..4_usize, 0..4_usize).prop_map(|(by, requester, told)| Deed::Break { by, requester, told });
    let closed = (0..4_usize, any::<bool>()).prop_map(|(by, is_of_last)| Deed::Close { by, is_of_last });
    prop::collection::vec(prop_oneof![broke, closed], 0..12)
}

fn recorded(at: usize, kind: EntryKind, statement: Statement, told: &[&str]) -> Recorded {
    let signed = statement.sign(&SecretKey::from_seed("x", [1; 32]));
    let said = json!({ "statement": to_hex(&signed.to_bytes()), "reason": "r", "told": told, "asked": PEOPLE });
    let (log, body) = (LeafIndex::new(at as u64), Map::new().with(FIELD_APPROVAL, "A-1"));
    let entry = Entry { log, run: None, time_ms: 1, kind, body, payload: None };
    Recorded { entry, leaf: Hash::from_bytes([0; 32]), payload: PayloadState::Opened(said.to_string().into_bytes()) }
}

fn statement(decision: Decision, by: usize, requester: usize, nonce: usize) -> Statement {
    Statement {
        decision,
        closure: ClosureDigest(Digest([1; 32])),
        role: GLASS_ROLE.into(),
        requester: PEOPLE[requester].into(),
        approver: PEOPLE[by].into(),
        instead_of: None,
        expiry_ms: 1,
        nonce: Nonce([u8::try_from(nonce).unwrap(); 16]),
    }
}

proptest! {
    #[test]
    fn no_glass_is_broken_twice_without_somebody_elses_look_in_between(deeds in deeds()) {
        let mut reviews = Reviews::default();
        // What is open: who broke it, who asked, its nonce.
        let mut open: Option<(usize, usize, usize)> = None;
        for (at, deed) in deeds.into_iter().enumerate() {
            let (entry, is_wrong) = match deed {
                Deed::Break { by, requester, told } => {
                    let told = &PEOPLE[..told];
                    let others = told.iter().filter(|who| **who != PEOPLE[by] && **who != PEOPLE[requester]).count();
                    let is_wrong = open.is_some() || by == requester || others < 2;
                    open = Some((by, requester, at));
                    (recorded(at, EntryKind::BREAK_GLASS, statement(Decision::BreakGlass, by, requester, at), told), is_wrong)
                }
                Deed::Close { by, is_of_last } => {
                    let last = open.map_or(200, |(_, _, nonce)| nonce);
                    let of = if is_of_last { last } else { 201 };
                    let decision = Decision::Review { of: Nonce([u8::try_from(of).unwrap(); 16]) };
                    let entry = recorded(at, EntryKind::REVIEWED, statement(decision, by, 0, 100 + at), &[]);
                    let closes = is_of_last && open.is_some_and(|(who, requester, _)| by != who && by != requester);
                    if closes {
                        open = None;
                    }
                    (entry, !closes)
                }
            };
            prop_assert_eq!(reviews.after(&entry).is_some(), is_wrong, "{:?}", deed);
            let who = reviews.open().map(|open| open.statement.approver.to_string());
            prop_assert_eq!(who, open.map(|(by, ..)| PEOPLE[by].to_owned()));
        }
    }
}

#[test]
fn an_entry_that_cannot_be_read_keeps_it_broken() {
    let mut entry = recorded(0, EntryKind::BREAK_GLASS, statement(Decision::BreakGlass, 3, 0, 0), &["ben", "cleo"]);
    entry.payload = PayloadState::Erased;
    let mut reviews = Reviews::of(&[entry]);
    assert!(reviews.open().is_none() && reviews.unreadable == Some(0));
    let next = recorded(1, EntryKind::BREAK_GLASS, statement(Decision::BreakGlass, 3, 0, 1), &["ben", "cleo"]);
    assert!(reviews.after(&next).is_some());
}
