//! Contracts, registers and the lines beside them: damaged ones are problems with places, and nothing has two spellings.

use sluice_core::contract::approval::{Act, Delegation, Nonce, SignedDelegation, SignedStatement};
use sluice_core::contract::bundle::{BundleSignature, Signers};
use sluice_core::contract::key::{PublicKey, SecretKey};
use sluice_core::contract::signers::SignersChange;
use sluice_core::contract::{Contract, Governance, resolve};
use sluice_core::text::Text;

use crate::Target;

/// See the module.
pub const TARGET: Target = Target { name: "contract", run, seeds, tokens: TOKENS };

const PAGE: &str = include_str!("../../../docs/contracts.md");

const TOKENS: &[&[u8]] = &[
    b"version: 1\n",
    b"effect: ",
    b"request: { ",
    b"path: \"/{a}/{b}\"",
    b"statement: \"SELECT :a\"",
    b"file: \"{a}.csv\"",
    b"only: []",
    b"labels: { \"/*/a\": [",
    b"trust: { \"\": trusted }",
    b"destination: { argument: ",
    b"&a ",
    b"*a",
    b"model:",
    b"1MiB",
    b"99999999999999999999GiB",
];

fn run(data: &[u8]) -> String {
    lines(data);
    let Ok(content) = std::str::from_utf8(data) else { return "no text".to_owned() };
    let (path, content) = content.split_once('\n').unwrap_or(("connectors/a.yaml", content));
    if let Ok(contract) = Contract::parse(&Text::new("a", content)) {
        let resolved = resolve(std::slice::from_ref(&contract), &Default::default());
        assert!(resolved.is_ok() || resolved.is_err_and(|problems| !problems.is_empty()));
    }
    let mut files = page();
    files.retain(|(other, _)| *other != path);
    files.push((path, content));
    match Governance::read(files.iter().map(|(path, content)| (*path, content.as_bytes()))) {
        Ok(governance) => format!("{} actions", governance.catalogue.actions.len()),
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a reason");
            assert!(problems.iter().all(|problem| problem.diagnostic.span.line > 0), "a problem without a place");
            problems.iter().map(|problem| problem.diagnostic.code.to_string()).collect::<Vec<_>>().join(" ")
        }
    }
}

/// Stored statements, keys and signatures: what is read is written the same.
fn lines(data: &[u8]) {
    if let Ok(signed) = SignedStatement::from_bytes(data) {
        assert_eq!(signed.to_bytes(), data, "a statement has a second spelling");
    }
    if let Ok(signed) = SignedDelegation::from_bytes(data) {
        assert_eq!(signed.to_bytes(), data);
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok((name, key)) = PublicKey::from_line(text) {
        assert_eq!(PublicKey::from_line(&key.to_line(&name)), Ok((name, key)));
    }
    if let Ok(key) = SecretKey::from_line(text) {
        assert_eq!(SecretKey::from_line(&key.to_line()).map(|k| k.public()), Ok(key.public()));
    }
    if let Ok(signers) = Signers::parse(text) {
        assert_eq!(Signers::parse(&signers.to_text()), Ok(signers));
    }
    if let Ok(change) = SignersChange::parse(text) {
        assert_eq!(SignersChange::parse(&change.to_text()), Ok(change));
    }
    if let Ok(signatures) = BundleSignature::from_lines(text) {
        let written: String = signatures.iter().map(|s| s.to_line() + "\n").collect();
        assert_eq!(BundleSignature::from_lines(&written), Ok(signatures));
    }
}

/// The files of the reference page.
fn page() -> Vec<(&'static str, &'static str)> {
    let blocks = PAGE.split("```yaml file=").skip(1);
    blocks.filter_map(|block| block.split_once("```")?.0.split_once('\n')).collect()
}

fn seeds() -> Vec<Vec<u8>> {
    let key = SecretKey::from_seed("ana", [1; 32]);
    let signature = BundleSignature::sign(sluice_core::contract::bundle::BundleFiles::default().digest(), &key);
    let statement = sluice_core::contract::approval::Statement {
        decision: sluice_core::contract::approval::Decision::Approve,
        closure: sluice_core::contract::closure::ClosureDigest(sluice_core::contract::Digest::of(b"closure")),
        role: "group:it".into(),
        requester: "ana".into(),
        approver: "ben".into(),
        instead_of: None,
        expiry_ms: 1,
        nonce: Nonce([1; 16]),
    };
    let in_place = sluice_core::contract::approval::Statement { instead_of: Some("ana".into()), ..statement.clone() };
    let act = Act::Give { to: "ben".into(), role: Some("group:it".into()), from_ms: 1, until_ms: 2 };
    let delegation = Delegation { by: "ana".into(), act, nonce: Nonce([2; 16]) };
    let mut seeds: Vec<Vec<u8>> =
        page().iter().map(|(path, content)| format!("{path}\n{content}").into_bytes()).collect();
    seeds.push(key.to_line().into_bytes());
    seeds.push(key.public().to_line("ana").into_bytes());
    seeds.push(format!("solo\n{}\n", key.public().to_line("ana")).into_bytes());
    let signers = |solo| Signers::new([("ana".into(), key.public())], solo).expect("one name has one key");
    let mut change = SignersChange::new(&signers(true), {
        let ben = SecretKey::from_seed("ben", [2; 32]).public();
        Signers::new([("ana".into(), key.public()), ("ben".into(), ben)], false).expect("two names, two keys")
    })
    .expect("two can sign");
    change.sign(&signers(true), &key).expect("she is pinned");
    seeds.push(change.to_text().into_bytes());
    seeds.push(signature.to_line().into_bytes());
    seeds.push(statement.sign(&key).to_bytes());
    seeds.push(in_place.sign(&key).to_bytes());
    seeds.push(delegation.sign(&key).to_bytes());
    seeds
}
