//! More label never helps, wherever the check says so.

use proptest::prelude::*;

use super::*;
use crate::Polarity;

fn some(list: &'static [&'static str]) -> impl Strategy<Value = BTreeSet<Name>> {
    proptest::sample::subsequence(list, 0..=list.len()).prop_map(|picked| names(&picked))
}

fn rules() -> impl Strategy<Value = BTreeSet<Rule>> {
    let rule = (prop_oneof![Just("o1"), Just("o2")], some(&["eu", "us", "monthly-report", "billing"]));
    proptest::collection::btree_set(rule.prop_map(|(owner, allowed)| Rule { owner: owner.into(), allowed }), 0..2)
}

fn atoms() -> impl Strategy<Value = AtomSet> {
    let categories = proptest::collection::btree_set(
        (prop_oneof![Just("phi"), Just("financial")], prop_oneof![Just("o1"), Just("o2")])
            .prop_map(|(class, owner)| Category { class: class.into(), owner: owner.into() }),
        0..2,
    );
    let origins = some(&["tickets", "model:m", "person:ana", "author"]);
    (categories, origins, some(&["d"]), rules(), rules(), proptest::bool::weighted(0.1)).prop_map(
        |(categories, origins, datasets, purposes, regions, unknown)| AtomSet {
            categories,
            origins,
            datasets,
            purposes,
            regions,
            unknown,
        },
    )
}

/// Mostly bottom, so that permits are reached.
fn sparse() -> impl Strategy<Value = AtomSet> {
    prop_oneof![4 => Just(AtomSet::default()), 1 => atoms()]
}

pub(super) fn request() -> impl Strategy<Value = GateRequest> {
    let labels = proptest::collection::vec(sparse(), Role::ALL.len() + 2);
    let satisfied = proptest::sample::subsequence(
        &["owner-of:payload/1", "owner-of:arguments/1", "owner-of:control/1", "owner-of:write_excess/1", "group:g/1"],
        0..=5,
    );
    let facts = (any::<bool>(), proptest::option::of(prop_oneof![0..10_i64, Just(crate::FACT_MAX)]));
    let known = (some(&["privileged-group"]), some(&["tickets", "model:m"]), any::<bool>());
    (proptest::sample::select(&Effect::ALL[..]), labels, satisfied, facts, known).prop_map(
        |(effect, labels, satisfied, (first_seen, amount), (reference, cleared, person))| {
            let mut labels = labels.into_iter();
            let mut next = || labels.next().unwrap_or_default();
            call(effect).with(|r| {
                r.roles = Role::ALL.into_iter().map(|role| (role, next())).collect();
                r.control = next();
                r.write_excess = next();
                r.satisfied = satisfied.into_iter().map(ToOwned::to_owned).collect();
                r.facts = Facts { first_seen, amount, ..Facts::default() };
                r.reference = reference;
                r.cleared = cleared;
                r.author = if person { Acting::Person { id: "ana".into() } } else { Acting::Unknown };
            })
        },
    )
}

/// The same request with more label everywhere that `more` has some.
fn raised(request: &GateRequest, more: &[AtomSet]) -> GateRequest {
    let mut next = request.clone();
    let mut more = more.iter().cloned().chain(std::iter::repeat_with(AtomSet::default));
    for atoms in next.roles.values_mut().chain([&mut next.control, &mut next.write_excess]) {
        *atoms = atoms.join(&more.next().unwrap_or_default());
    }
    next
}

/// Small conditions over labels and facts, antitone or not.
pub(super) fn condition() -> impl Strategy<Value = String> {
    let part =
        proptest::sample::select(&["roles.payload", "roles.reference", "control", "arguments", "write_excess"][..]);
    let set = proptest::sample::select(&["categories", "outside", "persons", "uncleared", "rule_owners"][..]);
    let flag = proptest::sample::select(&["unknown", "purpose_forbidden", "region_forbidden"][..]);
    let leaf = prop_oneof![
        (part.clone(), set.clone()).prop_map(|(p, s)| format!("context.{p}.{s}.isEmpty()")),
        (part.clone(), set.clone()).prop_map(|(p, s)| format!("context.{p}.{s}.containsAny([\"phi\", \"tickets\"])")),
        (part.clone(), set).prop_map(|(p, s)| format!("[\"phi\", \"tickets\"].containsAll(context.{p}.{s})")),
        (part, flag).prop_map(|(p, f)| format!("context.{p}.{f}")),
        Just("context.facts.first_seen".to_owned()),
        Just("(context.facts has amount && context.facts.amount * 1000000 > 5)".to_owned()),
        Just("context.satisfied.contains(\"group:g/1\")".to_owned()),
    ];
    leaf.prop_recursive(3, 12, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|e| format!("!({e})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} && {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
            (inner.clone(), inner.clone(), inner).prop_map(|(c, a, b)| format!("(if {c} then {a} else {b})")),
        ]
    })
}

fn policies() -> impl Strategy<Value = String> {
    proptest::collection::vec((0..3_u8, condition()), 1..4).prop_map(|rules| {
        let texts = rules.into_iter().enumerate().map(|(i, (kind, condition))| {
            let (remedy, word) = match kind {
                0 => ("", "permit"),
                1 => ("", "forbid"),
                _ => ("@remedy(\"approval\") @approvers(\"group:g\") @quorum(\"1\") @clears(\"origins\")", "forbid"),
            };
            format!(
                "@id(\"p{i}\") @why(\"y\") {remedy}\n{word} (principal, action, resource) when {{ {condition} }};\n"
            )
        });
        let all = "@id(\"all\") @why(\"y\") permit (principal, action, resource) when { !context.control.unknown };\n";
        texts.chain([all.to_owned()]).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn under_the_default_bundle_more_label_never_helps(
        low in request(),
        more in proptest::collection::vec(sparse(), 9),
    ) {
        thread_local! { static BUNDLE: Bundle = default_bundle(); }
        BUNDLE.with(|bundle| {
            let high = raised(&low, &more);
            prop_assert!(!bundle.decide(&high).decision.is_permit() || bundle.decide(&low).decision.is_permit());
            Ok(())
        })?;
    }

    #[test]
    fn wherever_the_check_says_so_more_label_never_helps(
        text in policies(),
        low in request(),
        more in proptest::collection::vec(atoms(), 9),
    ) {
        // Some generated policies can never match; the loader refuses those.
        if let Ok(bundle) = Bundle::load(&[("test.cedar", &text)])
            && bundle.antitone(low.effect) == Polarity::Antitone
        {
            let high = raised(&low, &more);
            prop_assert!(
                !bundle.decide(&high).decision.is_permit() || bundle.decide(&low).decision.is_permit(),
                "{text}"
            );
        }
    }

    #[test]
    fn a_hold_permits_once_its_approvals_are_recorded(asked in request()) {
        thread_local! { static BUNDLE: Bundle = default_bundle(); }
        BUNDLE.with(|bundle| {
            let answer = bundle.decide(&asked);
            if let Decision::Hold { remedies, .. } = &answer.decision
                && answer.decision.can_be_approved()
            {
                let approved = remedies.iter().fold(asked.clone(), |next, remedy| next.with_approval(remedy));
                prop_assert!(bundle.decide(&approved).decision.is_permit());
            }
            Ok(())
        })?;
    }

    #[test]
    fn requests_come_back_from_their_bytes(asked in request()) {
        prop_assert_eq!(GateRequest::from_bytes(&asked.to_bytes()).unwrap(), asked);
    }
}

/// The generators must reach what the laws are about, or the laws say nothing.
#[test]
fn the_generators_reach_permits_holds_and_both_polarities() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let bundle = default_bundle();
    let (mut permits, mut holds, mut shown, mut not_shown) = (0, 0, 0, 0);
    for _ in 0..200 {
        let asked = request().new_tree(&mut runner).unwrap().current();
        match bundle.decide(&asked).decision {
            Decision::Permit { .. } => permits += 1,
            Decision::Hold { .. } => holds += 1,
            Decision::Forbid { .. } => {}
        }
        let text = policies().new_tree(&mut runner).unwrap().current();
        if let Ok(bundle) = Bundle::load(&[("test.cedar", &text)]) {
            match bundle.antitone(asked.effect) {
                Polarity::Antitone => shown += 1,
                Polarity::NotShown { .. } => not_shown += 1,
            }
        }
    }
    assert!(permits > 5 && holds > 5 && shown > 5 && not_shown > 5, "{permits} {holds} {shown} {not_shown}");
}
