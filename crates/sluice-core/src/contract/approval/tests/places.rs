//! Who speaks in another's place: one voice, until a date, and never the requester's.

use proptest::prelude::*;

use super::*;

fn delegated(by: &str, to: &str) -> Delegated {
    let role = Some("group:it".into());
    Delegated { by: by.into(), to: to.into(), role, from_ms: 0, until_ms: NOW + 1, nonce: Nonce([7; 16]) }
}

/// What `to` says in the place of `by`.
fn for_other(to: &str, by: &str) -> SignedStatement {
    let nonce = Nonce([to.as_bytes()[0], by.as_bytes()[0], 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3]);
    Statement { instead_of: Some(by.into()), nonce, ..statement(to) }.sign(&key(to))
}

fn counted(statements: &[SignedStatement], quorum: usize, delegations: &[Delegated]) -> Count {
    let (principals, seen) = (principals(), BTreeSet::new());
    let question = Question {
        closure: closure().digest(),
        requester: &"ana".into(),
        mode: Mode::Test,
        principals: &principals,
        passkeys: &[],
        delegations,
        glass: None,
        seen: &seen,
        now_ms: NOW,
    };
    question.count(statements, &[requirement("group:it", quorum, &["it"])])
}

fn refused(signed: SignedStatement, delegations: &[Delegated]) -> u16 {
    let count = counted(&[signed], 1, delegations);
    assert!(count.satisfied.is_empty() && count.denied_by.is_empty());
    count.refused[0].1.code().0
}

#[test]
fn a_delegate_speaks_for_whoever_delegated() {
    let count = counted(&[for_other("cleo", "ben")], 1, &[delegated("ben", "cleo")]);
    assert_eq!(count.satisfied, ["group:it/1".to_owned()].into());
    let all = Delegated { role: None, ..delegated("ben", "cleo") };
    assert_eq!(counted(&[for_other("cleo", "ben")], 1, &[all]).satisfied.len(), 1);
}

#[test]
fn each_way_to_speak_for_somebody_who_did_not_let_one_is_refused() {
    let bens = delegated("ben", "cleo");
    assert_eq!(refused(for_other("cleo", "ben"), &[]), 417, "never made");
    assert_eq!(refused(for_other("cleo", "dora"), std::slice::from_ref(&bens)), 417, "another's");
    assert_eq!(refused(for_other("eve", "ben"), std::slice::from_ref(&bens)), 417, "to another");
    let lapsed = Delegated { until_ms: NOW, ..bens.clone() };
    assert_eq!(refused(for_other("cleo", "ben"), &[lapsed]), 417, "ran out");
    let early = Delegated { from_ms: NOW + 1, until_ms: NOW + 9, ..bens.clone() };
    assert_eq!(refused(for_other("cleo", "ben"), &[early]), 417, "not yet");
    let other = Delegated { role: Some("owner-of:payload".into()), ..bens };
    assert_eq!(refused(for_other("cleo", "ben"), &[other]), 417, "of another role");
    let chain = [delegated("ben", "cleo"), delegated("cleo", "eve")];
    assert_eq!(refused(for_other("eve", "ben"), &chain), 417, "it goes no further");
    assert_eq!(refused(for_other("eve", "cleo"), &chain), 405, "cleo is not asked herself");
    assert_eq!(
        refused(for_other("dora", "eve"), &[delegated("eve", "dora")]),
        405,
        "eve left the group, or never was in"
    );
    assert_eq!(refused(for_other("gpt", "ben"), &[delegated("ben", "gpt")]), 404, "to a model");
}

#[test]
fn who_asked_approves_through_nobody() {
    assert_eq!(refused(for_other("ana", "ben"), &[delegated("ben", "ana")]), 403, "as a delegate");
    assert_eq!(refused(for_other("cleo", "ana"), &[delegated("ana", "cleo")]), 403, "by a delegate");
    let there_and_back = [delegated("ana", "cleo"), delegated("cleo", "ana")];
    assert_eq!(refused(for_other("ana", "cleo"), &there_and_back), 403);
}

#[test]
fn a_delegate_and_who_delegated_are_one_voice_and_nobody_is_two() {
    let all = [delegated("ben", "cleo"), delegated("dora", "cleo"), delegated("ben", "dora"), delegated("dora", "eve")];
    let is_two = |statements: &[SignedStatement]| !counted(statements, 2, &all).satisfied.is_empty();
    assert!(!is_two(&[signed("ben"), for_other("cleo", "ben")]), "ben twice");
    assert!(!is_two(&[for_other("cleo", "ben"), for_other("cleo", "dora")]), "cleo twice");
    assert!(!is_two(&[signed("dora"), for_other("dora", "ben")]), "dora twice");
    assert!(!is_two(&[for_other("cleo", "dora"), for_other("eve", "dora")]), "dora is spoken for twice");
    assert!(is_two(&[signed("dora"), for_other("cleo", "ben")]));
    assert!(is_two(&[for_other("eve", "dora"), for_other("cleo", "ben")]), "two people, two voices");
}

#[test]
fn what_a_delegate_denied_stays_denied_when_the_delegation_is_over() {
    let deny = Statement { decision: Decision::Deny, ..for_other("cleo", "ben").statement }.sign(&key("cleo"));
    let lapsed = Delegated { until_ms: NOW, ..delegated("ben", "cleo") };
    let count = counted(&[signed("dora"), deny], 1, &[lapsed]);
    assert_eq!((count.satisfied, count.denied_by), (BTreeSet::new(), ["cleo".into()].into()));
}

#[test]
fn delegating_makes_nobody_more() {
    let needed = |quorum| requirement("group:it", quorum, &["it"]);
    assert!(needed(2).is_satisfiable(&principals(), &"ana".into()), "ben and dora");
    assert!(!needed(3).is_satisfiable(&principals(), &"ana".into()), "whoever speaks for them beside");
}

#[test]
fn a_delegation_is_made_by_its_own_person_to_another_for_a_while() {
    let (principals, passkeys) = (principals(), [enrolled("ben")]);
    let judged = |signed: &SignedDelegation, mode: Mode| {
        signed.judge(&Known { mode, principals: &principals, passkeys: &passkeys }).map_err(|refusal| refusal.code().0)
    };
    let give = |by: &str, to: &str, span_ms: u64| Delegation {
        by: by.into(),
        act: Act::Give { to: to.into(), role: None, from_ms: NOW, until_ms: NOW + span_ms },
        nonce: Nonce([8; 16]),
    };
    let by_key = |delegation: Delegation| {
        let name = delegation.by.clone();
        judged(&delegation.sign(&key(&name)), Mode::Test)
    };
    assert_eq!(by_key(give("ben", "cleo", DELEGATION_MS_MAX)), Ok(()));
    assert_eq!(by_key(give("ben", "cleo", DELEGATION_MS_MAX + 1)), Err(451));
    assert_eq!(by_key(give("ben", "cleo", 0)), Err(451));
    assert_eq!(by_key(give("ben", "ben", 1)), Err(451));
    assert_eq!(by_key(give("ben", "gpt", 1)), Err(404));
    assert_eq!(by_key(give("ben", "robot", 1)), Err(404));
    assert_eq!(by_key(give("ben", "nobody", 1)), Err(410));
    assert_eq!(by_key(give("gpt", "ben", 1)), Err(404));
    assert_eq!(judged(&give("ben", "cleo", 1).sign(&key("dora")), Mode::Test), Err(406));
    assert_eq!(judged(&give("ben", "cleo", 1).sign(&key("ben")), Mode::Production), Err(409));
    let answer = device("ben").answer(&give("ben", "cleo", 1).challenge());
    let proof = Proof::Passkey { id: device("ben").passkey(0).unwrap().id, answer };
    let by_passkey = |delegation| SignedDelegation { delegation, proof: proof.clone() };
    assert_eq!(judged(&by_passkey(give("ben", "cleo", 1)), Mode::Production), Ok(()));
    assert_eq!(judged(&by_passkey(give("ben", "eve", 1)), Mode::Production), Err(415), "another one");
    let end = Delegation { by: "ben".into(), act: Act::End { of: Nonce([8; 16]) }, nonce: Nonce([9; 16]) };
    assert_eq!(by_key(end.clone()), Ok(()));
    let named = Delegation {
        act: Act::Give { to: "cleo".into(), role: Some("group:it".into()), from_ms: 1, until_ms: 2 },
        ..end.clone()
    };
    for signed in [end.sign(&key("ben")), named.sign(&key("ben")), by_passkey(give("ben", "cleo", 1))] {
        let bytes = signed.to_bytes();
        assert_eq!(SignedDelegation::from_bytes(&bytes), Ok(signed));
        for end in 0..bytes.len() {
            assert_eq!(SignedDelegation::from_bytes(&bytes[..end]), Err(Refusal::Malformed));
        }
        assert_eq!(SignedStatement::from_bytes(&bytes), Err(Refusal::Malformed), "one is not the other");
    }
}

const PEOPLE: [&str; 5] = ["ana", "ben", "cleo", "dora", "eve"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whoever says whatever in whosever place: a quorum is of so many different people, none of whom asked, and they speak for
    /// so many different members, none of whom asked either.
    #[test]
    fn a_quorum_is_of_distinct_people_with_distinct_voices(
        said in prop::collection::vec((0_usize..5, 0_usize..5), 0..7),
        given in prop::collection::vec((0_usize..5, 0_usize..5), 0..7),
        quorum in 1_usize..4,
    ) {
        let delegations: Vec<Delegated> = given.iter().map(|(by, to)| delegated(PEOPLE[*by], PEOPLE[*to])).collect();
        let speak = |(to, by): &(usize, usize)| {
            if to == by { signed(PEOPLE[*to]) } else { for_other(PEOPLE[*to], PEOPLE[*by]) }
        };
        let statements: Vec<SignedStatement> = said.iter().map(speak).collect();
        let count = counted(&statements, quorum, &delegations);
        if !count.satisfied.is_empty() {
            let refused: BTreeSet<usize> = count.refused.iter().map(|(at, _)| *at).collect();
            let counted = said.iter().enumerate().filter(|(at, _)| !refused.contains(at)).map(|(_, pair)| *pair);
            let (speakers, voices): (BTreeSet<usize>, BTreeSet<usize>) = counted.unzip();
            prop_assert!(speakers.len() >= quorum && voices.len() >= quorum);
            prop_assert!(!speakers.contains(&0) && !voices.contains(&0), "ana asked");
            prop_assert!(voices.iter().all(|voice| ["ben", "dora"].contains(&PEOPLE[*voice])));
        }
    }
}
