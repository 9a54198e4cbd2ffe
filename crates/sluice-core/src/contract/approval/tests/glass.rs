//! Broken glass: named people let one question pass at once, and somebody else looks at it afterwards.

use super::*;

/// `eve` breaks the glass over what ana asked.
fn broken(edit: impl FnOnce(&mut Statement)) -> SignedStatement {
    let mut statement = Statement {
        decision: Decision::BreakGlass,
        role: GLASS_ROLE.into(),
        nonce: Nonce([5; 16]),
        ..statement("eve")
    };
    edit(&mut statement);
    let name = statement.approver.clone();
    statement.sign(&key(&name))
}

/// What statements come to where `glass` may break it.
fn counted(statements: &[SignedStatement], needed: &[Requirement], glass: Option<&str>) -> Count {
    let (principals, seen, glass) = (principals(), BTreeSet::new(), glass.map(Name::from));
    let question = Question {
        closure: closure().digest(),
        requester: &"ana".into(),
        mode: Mode::Test,
        principals: &principals,
        passkeys: &[],
        delegations: &[],
        glass: glass.as_ref(),
        seen: &seen,
        now_ms: NOW,
    };
    question.count(statements, needed)
}

#[test]
fn broken_glass_satisfies_the_whole_quorum_at_once() {
    let needed = [requirement("group:it", 2, &["it"]), requirement("owner-of:payload", 1, &["owners"])];
    let count = counted(&[broken(|_| {})], &needed, Some("owners"));
    assert_eq!(count.satisfied, ["group:it/2".to_owned(), "owner-of:payload/1".to_owned()].into());
    assert_eq!((count.glass_by, count.used), (["eve".into()].into(), [Nonce([5; 16])].into()));
    assert!(count.refused.is_empty());
}

#[test]
fn nobody_breaks_it_but_those_whom_the_rules_name() {
    let refused = |signed: SignedStatement, glass: Option<&str>| {
        let count = counted(&[signed], &[requirement("group:it", 1, &["it"])], glass);
        assert!(count.satisfied.is_empty() && count.glass_by.is_empty());
        count.refused[0].1.code().0
    };
    assert_eq!(refused(broken(|_| {}), None), 416, "by default nobody may");
    assert_eq!(refused(broken(|_| {}), Some("it")), 416);
    assert_eq!(refused(broken(|_| {}), Some("gpt")), 416);
    assert_eq!(refused(broken(|s| s.approver = "gpt".into()), Some("gpt")), 404, "a model never does");
    assert_eq!(refused(broken(|s| s.approver = "robot".into()), Some("it")), 404);
    assert_eq!(refused(broken(|s| s.approver = "ana".into()), Some("it")), 403, "nor who asked");
    assert_eq!(refused(broken(|s| s.approver = "nobody".into()), Some("owners")), 410);
    assert_eq!(refused(broken(|s| s.closure.0.0[0] ^= 1), Some("owners")), 401, "nor over anything else");
    assert_eq!(refused(broken(|s| s.requester = "dora".into()), Some("owners")), 411);
    assert_eq!(refused(broken(|s| s.expiry_ms = NOW), Some("owners")), 402);
    assert_eq!(refused(broken(|s| s.role = "group:it".into()), Some("owners")), 416);
    assert_eq!(refused(broken(|s| s.instead_of = Some("ben".into())), Some("owners")), 416, "nor in another's place");
    let by_approval = edited(|s| s.role = GLASS_ROLE.into());
    assert_eq!(refused(by_approval, Some("owners")), 405, "an approval is none");
}

#[test]
fn a_denial_outweighs_broken_glass_and_nobody_to_ask_stays_nobody() {
    let needed = [requirement("group:it", 1, &["it"])];
    let deny = Statement { decision: Decision::Deny, ..statement("dora") }.sign(&key("dora"));
    assert!(counted(&[broken(|_| {}), deny], &needed, Some("owners")).satisfied.is_empty());
    for needed in [requirement("group:it", 1, &[]), requirement("group:it", 0, &["it"])] {
        assert!(counted(&[broken(|_| {})], &[needed], Some("owners")).satisfied.is_empty());
    }
}

#[test]
fn what_was_let_through_is_reviewed_by_somebody_else() {
    let glass = broken(|_| {}).statement;
    let judged = |approver: &str, edit: &dyn Fn(&mut Statement)| {
        let decision = Decision::Review { of: glass.nonce };
        let mut said = Statement { decision, role: REVIEW_ROLE.into(), ..statement(approver) };
        edit(&mut said);
        let (principals, seen, ana) = (principals(), BTreeSet::new(), "ana".into());
        let question = Question {
            closure: closure().digest(),
            requester: &ana,
            mode: Mode::Test,
            principals: &principals,
            passkeys: &[],
            delegations: &[],
            glass: None,
            seen: &seen,
            now_ms: NOW,
        };
        question.judge_review(&said.sign(&key(approver)), &glass).map_err(|refusal| refusal.code().0)
    };
    assert_eq!(judged("ben", &|_| {}), Ok(()));
    assert_eq!(judged("eve", &|_| {}), Err(405), "who broke it");
    assert_eq!(judged("ana", &|_| {}), Err(403), "who asked");
    assert_eq!(judged("gpt", &|_| {}), Err(404), "a model");
    assert_eq!(judged("ben", &|s| s.decision = Decision::Review { of: Nonce([6; 16]) }), Err(405));
    assert_eq!(judged("ben", &|s| s.decision = Decision::Approve), Err(405));
    assert_eq!(judged("ben", &|s| s.closure.0.0[0] ^= 1), Err(401));
    assert_eq!(judged("ben", &|s| s.instead_of = Some("dora".into())), Err(405));
}
