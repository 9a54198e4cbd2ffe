//! Approvals count for one digest, role, requester, person and time, once; and for nothing else.

use sluice_passkey::RelyingParty;
use sluice_passkey::device::Device;

use super::*;
use crate::contract::bundle::BundleDigest;
use crate::contract::closure::{Closure, ConnectorElement, StepElement, TicketElement};
use crate::contract::key::{PublicKey, SecretKey, Signature};
use crate::document;
use crate::label::{Atom, Label, Universe};
use crate::text::Text;
use crate::value::Value;

const NOW: u64 = 1_800_000_000_000;

fn key(name: &str) -> SecretKey {
    let seed = name.bytes().fold(0, u8::wrapping_add);
    SecretKey::from_seed(name, [seed; 32])
}

/// `ana` asks, `cleo` manages her; `it` holds ben and dora, `owners` holds ben and eve.
fn principals() -> Principals {
    let person =
        |name: &str, more: &str| format!("  {name}: {{ {more}keys: [\"{}\"] }}\n", key(name).public().to_line(name));
    let text = [
        "version: 1\npersons:\n".to_owned(),
        person("ana", "manager: cleo, "),
        ["ben", "cleo", "dora", "eve"].map(|name| person(name, "")).concat(),
        "groups:\n  it: { members: [ana, ben, dora, robot] }\n  owners: { members: [ben, eve] }\n".to_owned(),
        "services:\n  robot: {}\nmodels:\n  gpt: {}\n".to_owned(),
    ];
    let node = document::read(&Text::new("p", text.concat())).unwrap();
    let mut out = Vec::new();
    let principals = Principals::read(&"p".into(), &node, &mut out).unwrap();
    assert_eq!(out, []);
    principals
}

fn labelled() -> Value {
    Value::object(
        Label::BOTTOM,
        [("to".into(), Value::text(universe().label(&Atom::Origin("tickets".into())), "readers"))],
    )
}

fn universe() -> Universe {
    let mut universe = Universe::new();
    universe.intern(Atom::Origin("tickets".into())).unwrap();
    universe.intern(Atom::Origin("crm".into())).unwrap();
    universe
}

/// Everything filled in, so that every element can be changed.
fn closure() -> Closure {
    let digest = |n| Digest([n; 32]);
    let element =
        |n| ConnectorElement { contract: digest(n), connector: digest(n + 1), scopes: ["r".into(), "w".into()].into() };
    let (name, value) = ("group".into(), labelled());
    Closure {
        definition: digest(1),
        sub_workflows: [("child".into(), digest(2))].into(),
        connectors: [("crm".into(), element(3)), ("sheets".into(), element(5))].into(),
        bundle: BundleDigest(digest(7)),
        template: Some(digest(8)),
        ticket: Some(TicketElement { id: "T-1042".into(), content: digest(9) }),
        step: Some(StepElement {
            run: "run-1".into(),
            node: 4,
            visits: vec![1, 2],
            action: "directory.members.add".into(),
            arguments: StepElement::arguments([(&name, &value)], &universe()).unwrap(),
            control: StepElement::control(universe().label(&Atom::Origin("tickets".into())), &universe()),
            references: [("readers".into(), "7".into())].into(),
        }),
    }
}

fn statement(approver: &str) -> Statement {
    Statement {
        decision: Decision::Approve,
        closure: closure().digest(),
        role: "group:it".into(),
        requester: "ana".into(),
        approver: approver.into(),
        instead_of: None,
        expiry_ms: NOW + 1,
        nonce: Nonce([approver.len() as u8 + approver.as_bytes()[0]; 16]),
    }
}

fn requirement(role: &str, quorum: usize, parties: &[&str]) -> Requirement {
    let party = |name: &&str| match name.strip_prefix("manager-of:") {
        Some(person) => Party::ManagerOf(person.into()),
        None => Party::Principal((*name).into()),
    };
    Requirement { role: role.into(), quorum, parties: parties.iter().map(party).collect() }
}

/// Counts statements about `closure`, on behalf of ana.
fn count_of(closure: &Closure, statements: &[SignedStatement], requirements: &[Requirement]) -> Count {
    let (principals, seen) = (principals(), BTreeSet::new());
    let question = Question {
        closure: closure.digest(),
        requester: &"ana".into(),
        mode: Mode::Test,
        principals: &principals,
        passkeys: &[],
        delegations: &[],
        glass: None,
        seen: &seen,
        now_ms: NOW,
    };
    question.count(statements, requirements)
}

fn count(statements: &[SignedStatement], requirements: &[Requirement]) -> Count {
    count_of(&closure(), statements, requirements)
}

fn satisfied(statements: &[SignedStatement], requirements: &[Requirement]) -> String {
    count(statements, requirements).satisfied.into_iter().collect::<Vec<_>>().join(" ")
}

fn signed(approver: &str) -> SignedStatement {
    statement(approver).sign(&key(approver))
}

fn edited(edit: impl FnOnce(&mut Statement)) -> SignedStatement {
    let mut statement = statement("ben");
    edit(&mut statement);
    let name = statement.approver.clone();
    statement.sign(&key(&name))
}

/// The code of the one refusal, when `edit` changes the question.
fn refused_when(signed: SignedStatement, edit: impl FnOnce(&mut Question<'_>)) -> u16 {
    let (principals, seen, ana) = (principals(), BTreeSet::new(), "ana".into());
    let mut question = Question {
        closure: closure().digest(),
        requester: &ana,
        mode: Mode::Demo,
        principals: &principals,
        passkeys: &[],
        delegations: &[],
        glass: None,
        seen: &seen,
        now_ms: NOW,
    };
    edit(&mut question);
    let count = question.count(&[signed], &[requirement("group:it", 1, &["it"])]);
    assert!(count.satisfied.is_empty() && count.used.is_empty() && count.denied_by.is_empty());
    assert_eq!(count.refused.len(), 1);
    count.refused[0].1.code().0
}

fn refused(signed: SignedStatement) -> u16 {
    refused_when(signed, |_| {})
}

fn signature_of(signed: &SignedStatement) -> Signature {
    match &signed.proof {
        Proof::KeyFile { signature, .. } => *signature,
        Proof::Passkey { .. } => unreachable!("it was signed with a key file"),
    }
}

#[test]
fn a_good_approval_counts() {
    let count = count(&[signed("ben")], &[requirement("group:it", 1, &["it"])]);
    assert_eq!(count.satisfied, ["group:it/1".to_owned()].into());
    assert_eq!(count.used, [statement("ben").nonce].into());
    assert!(count.refused.is_empty() && count.denied_by.is_empty());
}

/// A change of a closure, and what it changes.
type Change = (&'static str, fn(&mut Closure));

/// One change per element. [`every_element_is_changed_here`] keeps the list complete.
const CHANGES: [Change; 21] = [
    ("definition", |c| c.definition.0[31] ^= 1),
    ("sub-workflow", |c| c.sub_workflows.get_mut("child").unwrap().0[0] ^= 1),
    ("sub-workflow name", |c| _ = c.sub_workflows.insert("chilD".into(), c.sub_workflows["child"])),
    ("contract", |c| c.connectors.get_mut("crm").unwrap().contract.0[7] ^= 1),
    ("connector", |c| c.connectors.get_mut("sheets").unwrap().connector.0[7] ^= 1),
    ("scope", |c| c.connectors.get_mut("crm").unwrap().scopes = ["r".into(), "x".into()].into()),
    ("fewer scopes", |c| c.connectors.get_mut("crm").unwrap().scopes = ["r".into()].into()),
    ("fewer connectors", |c| _ = c.connectors.remove("sheets")),
    ("bundle", |c| c.bundle.0.0[3] ^= 0x80),
    ("template", |c| c.template.as_mut().unwrap().0[1] ^= 1),
    ("no template", |c| c.template = None),
    ("ticket", |c| c.ticket.as_mut().unwrap().id = "T-1041".into()),
    ("ticket content", |c| c.ticket.as_mut().unwrap().content.0[1] ^= 1),
    ("run", |c| step(c).run = "run-2".into()),
    ("node", |c| step(c).node += 1),
    ("visit", |c| step(c).visits[1] += 1),
    ("action", |c| step(c).action = "directory.members.del".into()),
    ("argument", |c| *step(c).arguments.get_mut("group").unwrap().last_mut().unwrap() ^= 1),
    ("control label", |c| step(c).control = ["origin:crm".to_owned()].into()),
    ("reference version", |c| step(c).references = [("readers".into(), "8".into())].into()),
    ("no step", |c| c.step = None),
];

fn step(closure: &mut Closure) -> &mut StepElement {
    closure.step.as_mut().unwrap()
}

#[test]
fn one_changed_byte_in_any_element_makes_an_approval_not_count() {
    let requirements = [requirement("group:it", 1, &["it"])];
    for (element, change) in CHANGES {
        let mut changed = closure();
        change(&mut changed);
        let count = count_of(&changed, &[signed("ben")], &requirements);
        assert!(count.satisfied.is_empty(), "{element}");
        assert!(matches!(count.refused[..], [(0, Refusal::OtherDigest { .. })]), "{element}");
    }
}

#[test]
fn every_byte_of_the_canonical_form_is_part_of_the_digest() {
    let bytes = closure().to_bytes();
    assert_eq!(closure().digest().0, Digest::of(&bytes));
    for index in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[index] ^= 1;
        assert_ne!(Digest::of(&changed), closure().digest().0, "byte {index}");
    }
}

#[test]
fn a_label_or_value_of_an_argument_is_part_of_the_digest() {
    let digest = |value: &Value| {
        let mut closure = closure();
        step(&mut closure).arguments = StepElement::arguments([(&"group".into(), value)], &universe()).unwrap();
        closure.digest()
    };
    let with = |origin: &str, text: &str| {
        let label = universe().label(&Atom::Origin(origin.into()));
        digest(&Value::object(Label::BOTTOM, [("to".into(), Value::text(label, text))]))
    };
    assert_eq!(with("tickets", "readers"), closure().digest());
    assert_ne!(with("crm", "readers"), closure().digest());
    assert_ne!(with("tickets", "readerz"), closure().digest());
}

/// Fails to compile when a field is added: add its change to [`CHANGES`].
#[test]
fn every_element_is_changed_here() {
    let Closure { definition: _, sub_workflows: _, connectors: _, bundle: _, template: _, ticket: _, step } = closure();
    let ConnectorElement { contract: _, connector: _, scopes: _ } = closure().connectors["crm"].clone();
    let TicketElement { id: _, content: _ } = closure().ticket.unwrap();
    let StepElement { run: _, node: _, visits: _, action: _, arguments: _, control: _, references: _ } = step.unwrap();
}

#[test]
fn each_thing_that_can_be_wrong_with_an_approval_is_refused_by_its_code() {
    assert_eq!(refused(edited(|s| s.closure.0.0[0] ^= 1)), 401);
    assert_eq!(refused(edited(|s| s.expiry_ms = NOW)), 402);
    assert_eq!(refused(edited(|s| s.approver = "ana".into())), 403);
    assert_eq!(refused(edited(|s| s.approver = "gpt".into())), 404);
    assert_eq!(refused(edited(|s| s.approver = "robot".into())), 404);
    assert_eq!(refused(edited(|s| s.approver = "it".into())), 404);
    assert_eq!(refused(edited(|s| s.role = "group:owners".into())), 405);
    assert_eq!(refused(edited(|s| s.approver = "cleo".into())), 405);
    assert_eq!(refused(statement("ben").sign(&key("dora"))), 406);
    assert_eq!(refused(edited(|s| s.approver = "nobody".into())), 410);
    assert_eq!(refused(edited(|s| s.requester = "dora".into())), 411);
    let forged = |edit: &dyn Fn(&mut SignedStatement)| {
        let mut signed = signed("ben");
        edit(&mut signed);
        refused(signed)
    };
    let signature = |s: &mut SignedStatement, change: fn(&mut PublicKey, &mut Signature)| match &mut s.proof {
        Proof::KeyFile { key, signature } => change(key, signature),
        Proof::Passkey { .. } => unreachable!("it was signed with a key file"),
    };
    assert_eq!(forged(&|s| signature(s, |_, signature| signature.0[9] ^= 1)), 407);
    assert_eq!(forged(&|s| s.statement.expiry_ms += 1), 407);
    assert_eq!(forged(&|s| s.statement.nonce.0[0] ^= 1), 407);
    assert_eq!(forged(&|s| s.statement.decision = Decision::Deny), 407);
    assert_eq!(forged(&|s| signature(s, |known, _| *known = key("dora").public())), 406);
}

#[test]
fn a_key_file_is_no_person_in_production() {
    assert_eq!(refused_when(signed("ben"), |q| q.mode = Mode::Production), 409);
}

fn console() -> RelyingParty {
    RelyingParty { id: "sluice.example".into(), origin: "https://sluice.example".into() }
}

fn device(of: &str) -> Device {
    Device::of_seed([of.as_bytes()[0]; 32], console()).unwrap()
}

fn enrolled(person: &str) -> Enrolled {
    Enrolled { person: person.into(), passkey: device(person).passkey(0).unwrap(), party: console() }
}

/// What `approver` says, with the answer of the device `of` somebody.
fn with_passkey(approver: &str, of: &str, edit: impl FnOnce(&mut Statement)) -> SignedStatement {
    let mut statement = statement(approver);
    let answer = device(of).answer(&statement.challenge());
    edit(&mut statement);
    SignedStatement { statement, proof: Proof::Passkey { id: device(of).passkey(0).unwrap().id, answer } }
}

#[test]
fn a_passkey_counts_for_its_person_and_for_the_very_statement_in_every_workspace() {
    let known = [enrolled("ben"), enrolled("dora"), enrolled("gpt"), enrolled("ana")];
    let needed = requirement("group:it", 1, &["it"]);
    let judged = |signed: &SignedStatement, passkeys: &[Enrolled], mode: Mode| {
        let (principals, seen, ana) = (principals(), BTreeSet::new(), "ana".into());
        let closure = closure().digest();
        let (delegations, glass, requester): (&[_], _, _) = (&[], None, &ana);
        let (principals, seen, now_ms) = (&principals, &seen, NOW);
        let question = Question { closure, requester, mode, principals, passkeys, delegations, glass, seen, now_ms };
        question.judge(signed, &needed).map_err(|refusal| refusal.code().0)
    };
    let bens = with_passkey("ben", "ben", |_| {});
    for mode in [Mode::Demo, Mode::Test, Mode::Production] {
        assert_eq!(judged(&bens, &known, mode), Ok(()));
        assert_eq!(judged(&bens, &[], mode), Err(414));
        assert_eq!(judged(&with_passkey("ben", "dora", |_| {}), &known, mode), Err(414));
        assert_eq!(judged(&with_passkey("ana", "ana", |_| {}), &known, mode), Err(403));
        assert_eq!(judged(&with_passkey("gpt", "gpt", |_| {}), &known, mode), Err(404));
        for edit in [
            (|s: &mut Statement| s.expiry_ms += 1) as fn(&mut Statement),
            |s| s.nonce.0[0] ^= 1,
            |s| s.closure.0.0[31] ^= 1,
            |s| s.decision = Decision::Deny,
            |s| s.role = "group:owners".into(),
        ] {
            assert_eq!(judged(&with_passkey("ben", "ben", edit), &known, mode), Err(415));
        }
        let mut elsewhere = enrolled("ben");
        elsewhere.party.origin = "https://sluice.example.evil".into();
        assert_eq!(judged(&bens, &[elsewhere], mode), Err(415));
    }
}

#[test]
fn a_nonce_serves_once() {
    let seen = [statement("ben").nonce].into();
    let (principals, ana) = (principals(), "ana".into());
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
    let refusal = question.judge(&signed("ben"), &requirement("group:it", 1, &["it"]));
    assert_eq!(refusal, Err(Refusal::ReusedNonce));
    let twice = [signed("ben"), signed("ben")];
    assert_eq!(count(&twice, &[requirement("group:it", 1, &["it"])]).refused, [(1, Refusal::ReusedNonce)]);
}

#[test]
fn nobody_voids_a_denial_by_copying_its_nonce() {
    let deny = Statement { decision: Decision::Deny, ..statement("dora") };
    let copy = Statement { nonce: deny.nonce, ..statement("ben") }.sign(&key("ben"));
    let denied = count(&[copy, deny.sign(&key("dora"))], &[requirement("group:it", 1, &["it"])]);
    assert_eq!(denied.denied_by, ["dora".into()].into());
    assert!(denied.satisfied.is_empty());
}

#[test]
fn a_denial_or_withdrawal_outlives_its_expiry() {
    let requirements = [requirement("group:it", 1, &["it"])];
    let deny = Statement { decision: Decision::Deny, expiry_ms: 0, ..statement("dora") }.sign(&key("dora"));
    assert_eq!(satisfied(&[signed("ben"), deny], &requirements), "");
    let withdraw =
        edited(|s| (s.decision, s.nonce, s.expiry_ms) = (Decision::Withdraw { of: s.nonce }, Nonce([2; 16]), 0));
    assert_eq!(satisfied(&[signed("ben"), withdraw], &requirements), "");
}

#[test]
fn a_quorum_is_of_different_people() {
    let two = [requirement("group:it", 2, &["it"])];
    let again = edited(|s| s.nonce = Nonce([0; 16]));
    assert_eq!(satisfied(&[signed("ben"), again], &two), "");
    assert_eq!(satisfied(&[signed("ben"), signed("dora")], &two), "group:it/2");
    assert_eq!(
        satisfied(&[signed("ben"), signed("ana")], &two),
        "",
        "the requester is in the group and does not count"
    );
}

#[test]
fn every_party_needs_its_quorum() {
    let requirement = || [requirement("group:it", 1, &["owners", "manager-of:ana"])];
    assert_eq!(satisfied(&[signed("ben")], &requirement()), "");
    assert_eq!(satisfied(&[signed("ben"), signed("cleo")], &requirement()), "group:it/1");
    assert_eq!(satisfied(&[signed("dora"), signed("cleo")], &requirement()), "", "dora owns nothing");
}

#[test]
fn a_statement_counts_for_its_own_role_only() {
    let requirements = [requirement("group:it", 1, &["it"]), requirement("owner-of:payload", 1, &["owners"])];
    assert_eq!(satisfied(&[signed("ben")], &requirements), "group:it/1");
    let owner = edited(|s| (s.role, s.nonce) = ("owner-of:payload".into(), Nonce([1; 16])));
    assert_eq!(satisfied(&[signed("ben"), owner], &requirements), "group:it/1 owner-of:payload/1");
}

#[test]
fn nobody_to_ask_is_nobody_who_agreed() {
    assert_eq!(satisfied(&[signed("ben")], &[requirement("group:it", 1, &[])]), "");
    assert_eq!(satisfied(&[signed("ben")], &[requirement("group:it", 0, &["it"])]), "");
    let satisfiable =
        |quorum, parties: &[&str]| requirement("r", quorum, parties).is_satisfiable(&principals(), &"ana".into());
    assert!(satisfiable(2, &["it"]) && satisfiable(1, &["it", "manager-of:ana"]));
    assert!(!satisfiable(3, &["it"]), "ana asks, and a robot is no person");
    assert!(!satisfiable(1, &["ana"]) && !satisfiable(1, &["manager-of:ben"]) && !satisfiable(1, &[]));
}

#[test]
fn a_denial_outweighs_every_approval_until_it_is_withdrawn() {
    let requirements = [requirement("group:it", 1, &["it"])];
    let deny = Statement { decision: Decision::Deny, ..statement("dora") };
    let denied = count(&[signed("ben"), deny.clone().sign(&key("dora"))], &requirements);
    assert_eq!((denied.satisfied, denied.denied_by), (BTreeSet::new(), ["dora".into()].into()));
    let withdraw = |by: &str| {
        Statement { decision: Decision::Withdraw { of: deny.nonce }, nonce: Nonce([2; 16]), ..statement(by) }
            .sign(&key(by))
    };
    let statements = |by| [signed("ben"), deny.clone().sign(&key("dora")), withdraw(by)];
    assert_eq!(satisfied(&statements("dora"), &requirements), "group:it/1");
    let foreign = count(&statements("ben"), &requirements);
    assert_eq!(foreign.refused, [(2, Refusal::NothingToWithdraw("ben".into()))]);
    assert!(foreign.satisfied.is_empty());
}

#[test]
fn an_approval_can_be_withdrawn() {
    let withdraw = edited(|s| (s.decision, s.nonce) = (Decision::Withdraw { of: s.nonce }, Nonce([2; 16])));
    assert_eq!(satisfied(&[signed("ben"), withdraw], &[requirement("group:it", 1, &["it"])]), "");
}

#[test]
fn a_denial_of_somebody_without_the_role_is_noise() {
    let deny = edited(|s| (s.decision, s.approver) = (Decision::Deny, "eve".into()));
    let count = count(&[signed("ben"), deny], &[requirement("group:it", 1, &["it"])]);
    assert_eq!(count.satisfied.len(), 1);
    assert_eq!(count.refused[0].1.code(), Code(405));
}

#[test]
fn stored_bytes_are_read_as_written_and_nothing_else() {
    let withdraw = edited(|s| s.decision = Decision::Withdraw { of: Nonce([3; 16]) });
    let passkey = with_passkey("ben", "ben", |_| {});
    let in_place = edited(|s| s.instead_of = Some("dora".into()));
    let glass = edited(|s| s.decision = Decision::BreakGlass);
    let review = edited(|s| s.decision = Decision::Review { of: Nonce([4; 16]) });
    let denied = edited(|s| s.decision = Decision::Deny);
    for signed in [signed("ben"), denied, withdraw, passkey, in_place, glass, review] {
        let bytes = signed.to_bytes();
        assert_eq!(SignedStatement::from_bytes(&bytes), Ok(signed));
        for end in 0..bytes.len() {
            assert_eq!(SignedStatement::from_bytes(&bytes[..end]), Err(Refusal::Malformed));
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert_eq!(SignedStatement::from_bytes(&longer), Err(Refusal::Malformed));
    }
}

mod glass;
mod places;

mod vectors {
    //! The vectors of `docs/closure-digest.md`.

    use super::*;
    use crate::contract::bundle::{BundleFiles, BundleSignature};
    use crate::contract::canonical::labelled_value;
    use crate::contract::digest::to_hex;

    const PAGE: &str = include_str!("../../../../../docs/closure-digest.md");

    /// Every vector of the page has to be one of these, and the other way round.
    #[test]
    fn the_page_says_what_the_code_does() {
        let minimal = Closure {
            sub_workflows: [].into(),
            connectors: [].into(),
            template: None,
            ticket: None,
            step: None,
            ..closure()
        };
        let file = |path: &str, text: &str| (Name::from(path), text.as_bytes().to_vec());
        let files = BundleFiles::of([
            file("workspace.yaml", "version: 1\nname: w\nmode: test\n"),
            file("policies/a.cedar", ""),
            file("registers/principals.yaml", "outside the bundle"),
        ]);
        let signer = SecretKey::from_seed("ben", [7; 32]);
        let signed = statement("ben").sign(&signer);
        let in_place = Statement { instead_of: Some("dora".into()), ..signed.statement.clone() };
        let act = Act::Give { to: "ben".into(), role: Some("group:it".into()), from_ms: NOW, until_ms: NOW + 1 };
        let delegation = Delegation { by: "dora".into(), act, nonce: signed.statement.nonce };
        let vectors = [
            ("labelled value, bytes", to_hex(&labelled_value(&labelled(), &universe()).unwrap())),
            ("minimal closure, bytes", to_hex(&minimal.to_bytes())),
            ("minimal closure, digest", minimal.digest().to_string()),
            ("full closure, bytes", to_hex(&closure().to_bytes())),
            ("full closure, digest", closure().digest().to_string()),
            ("bundle, digest", files.digest().to_string()),
            ("bundle, signature line", BundleSignature::sign(files.digest(), &signer).to_line()),
            ("statement, bytes", to_hex(&signed.statement.to_bytes())),
            ("statement, signature", to_hex(&signature_of(&signed).0)),
            ("delegated statement, bytes", to_hex(&in_place.to_bytes())),
            ("delegation, bytes", to_hex(&delegation.to_bytes())),
            ("public key, line", signer.public().to_line("ben")),
        ];
        let expected: String = vectors.iter().map(|(name, value)| format!("{name}\n  {value}\n")).collect();
        let found = PAGE.split_once("```vectors\n").and_then(|(_, rest)| rest.split_once("```")).unwrap().0;
        assert_eq!(found, expected, "\n{expected}");
    }
}
