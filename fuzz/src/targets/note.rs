//! Signed notes, checkpoints and key texts: nothing is opened but what was signed.

use sluice_ledger::note::{KeyName, SignerKey, VerifierKey, WitnessKey, cosign, open, sign};
use sluice_ledger::{Checkpoint, TreeHead, TreeSize, leaf_hash};

use crate::Target;

/// See the module.
pub const TARGET: Target = Target { name: "note", run, seeds, tokens: TOKENS };

const TOKENS: &[&[u8]] = &[
    b"\n\n",
    "\u{2014} ".as_bytes(),
    b"log.example",
    b"=",
    b"==",
    b"+",
    b"\r",
    b"\xc2\xa0",
    b"0",
    b"18446744073709551616",
    "\u{2014} a AAAAAAA=\n".as_bytes(),
    b"PRIVATE+KEY+",
];

fn run(data: &[u8]) -> String {
    let signer = signer();
    let trusted = [signer.verifier().clone(), witness().verifier().clone()];
    if let Ok(text) = std::str::from_utf8(data) {
        if let Ok(key) = text.parse::<VerifierKey>() {
            assert_eq!(key.to_string(), text, "a key has a second spelling");
        }
        if let Ok(key) = text.parse::<SignerKey>() {
            assert_eq!(key.to_secret_text(), text, "a key has a second spelling");
        }
        if let Ok(note) = sign(text, &[&signer]) {
            let opened = open(note.as_bytes(), &trusted);
            assert_eq!(opened.as_ref().map(|note| note.text()), Ok(text), "a signed text does not open to itself");
        }
    }
    if let Ok(note) = open(data, &trusted) {
        let signed = texts().iter().any(|text| text == note.text());
        assert!(signed, "a text was opened that nobody signed: {:?}", note.text());
        let times = note.signers().iter().filter_map(|signer| signer.witnessed_at_s);
        assert!(times.into_iter().all(|time_s| time_s == SEEN_AT_S), "a time that no witness stated");
    }
    match Checkpoint::open(data, &trusted) {
        Ok(checkpoint) => format!("opened {}", checkpoint.signers().len()),
        Err(error) => format!("{} {error}", error.code()),
    }
}

fn signer() -> SignerKey {
    key("log.example", 1)
}

fn key(name: &str, seed: u8) -> SignerKey {
    KeyName::new(name).and_then(|name| SignerKey::from_seed(name, &[seed; 32])).expect("the seed gives a key")
}

fn witness() -> WitnessKey {
    KeyName::new("witness.example")
        .and_then(|name| WitnessKey::from_seed(name, &[3; 32]))
        .expect("the seed gives a key")
}

/// The only time that the witness has ever stated.
const SEEN_AT_S: u64 = 1_790_000_000;

/// All that the trusted key has ever signed.
fn texts() -> Vec<String> {
    let origin = signer().verifier().name().clone();
    let head = |size| TreeHead { origin: origin.clone(), size: TreeSize::new(size), root: leaf_hash(b"a") }.to_string();
    vec![head(1), head(20_852_163), format!("{}more\n", head(1)), "a text\n\nin two parts\n".to_owned()]
}

fn seeds() -> Vec<Vec<u8>> {
    let (log, stranger) = (signer(), key("stranger.example", 2));
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    for text in texts() {
        seeds.extend(sign(&text, &[&log]).map(String::into_bytes));
        seeds.extend(sign(&text, &[&stranger, &log]).map(String::into_bytes));
        seeds.push(text.into_bytes());
    }
    let seen = texts().into_iter().filter_map(|text| cosign(&sign(&text, &[&log]).ok()?, &witness(), SEEN_AT_S).ok());
    seeds.extend(seen.map(String::into_bytes));
    seeds.push(log.verifier().to_string().into_bytes());
    seeds.push(log.to_secret_text().into_bytes());
    seeds
}
