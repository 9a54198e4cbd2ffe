//! A checkpoint is what its own log signed, in its only spelling.

use super::*;
use crate::merkle::{Frontier, leaf_hash};

fn key(name: &str, seed: u8) -> SignerKey {
    SignerKey::from_seed(KeyName::new(name).unwrap(), &[seed; 32]).unwrap()
}

fn trusted(keys: &[&SignerKey]) -> Vec<VerifierKey> {
    keys.iter().map(|key| key.verifier().clone()).collect()
}

fn head(size: u64) -> TreeHead {
    TreeHead { origin: KeyName::new("log.example").unwrap(), size: TreeSize::new(size), root: leaf_hash(b"a") }
}

#[test]
fn a_head_that_its_log_signed_opens_to_itself() {
    let log = key("log.example", 1);
    let note = head(1).sign(&log).unwrap();
    insta::assert_snapshot!(note, @"
    log.example
    1
    Aippeebat6pa5MPl5F9+l3ESp+Y1k4INvsHsc4ok+Tw=

    — log.example HMdY+Rki9V7S8KjV185EcstQcCHTuYx7QXwyftV/k0110tzP7FBswiw/xvHVXUn82plRoB3fwIZyGBW70nlcoOx2qwM=
    ");
    let checkpoint = Checkpoint::open(note.as_bytes(), &trusted(&[&log])).unwrap();
    assert_eq!((checkpoint.origin().as_str(), checkpoint.size()), ("log.example", TreeSize::new(1)));
    assert_eq!(checkpoint.root(), &leaf_hash(b"a"));
    assert!(checkpoint.extensions().is_empty());
    let signers: Vec<_> = checkpoint.signers().iter().map(|signer| (&signer.name, signer.id)).collect();
    assert_eq!(signers, [(log.verifier().name(), log.verifier().id())]);
    assert_eq!(checkpoint.witnesses().count(), 0);
}

#[test]
fn a_witness_alone_makes_no_checkpoint() {
    let (log, witness) = (key("log.example", 1), key("witness.example", 2));
    let note = note::sign(&head(1).to_string(), &[&witness]).unwrap();
    let opened = Checkpoint::open(note.as_bytes(), &trusted(&[&log, &witness]));
    assert_eq!(opened, Err(CheckpointError::Signer));
    assert_eq!(opened.unwrap_err().code(), "SL631");
    assert_eq!(head(1).sign(&witness), Err(CheckpointError::Signer));
    let both = note::sign(&head(1).to_string(), &[&log, &witness]).unwrap();
    assert_eq!(Checkpoint::open(both.as_bytes(), &trusted(&[&log, &witness])).unwrap().signers().len(), 2);
}

#[test]
fn a_witness_with_the_name_of_the_log_is_still_a_witness() {
    let (log, name) = (key("log.example", 1), KeyName::new("log.example").unwrap());
    let namesake = note::WitnessKey::from_seed(name, &[2; 32]).unwrap();
    let note = note::cosign(&head(1).sign(&log).unwrap(), &namesake, 1_790_000_000).unwrap();
    let opened = Checkpoint::open(note.as_bytes(), &[namesake.verifier().clone()]);
    assert_eq!(opened, Err(CheckpointError::Signer));
    let both = [log.verifier().clone(), namesake.verifier().clone()];
    let opened = Checkpoint::open(note.as_bytes(), &both).unwrap();
    let witnesses: Vec<_> = opened.witnesses().collect();
    assert_eq!(witnesses, [(namesake.verifier().name(), 1_790_000_000)]);
}

#[test]
fn a_checkpoint_of_an_unknown_key_is_refused() {
    let (log, other) = (key("log.example", 1), key("log.example", 2));
    let note = head(1).sign(&other).unwrap();
    let opened = Checkpoint::open(note.as_bytes(), &trusted(&[&log]));
    assert_eq!(opened.unwrap_err().code(), "SL623");
}

#[test]
fn a_signed_text_that_is_no_checkpoint_is_refused() {
    let log = key("log.example", 1);
    let root = leaf_hash(b"a").to_base64();
    let loose_root = root.replace('=', "");
    let texts = [
        "log.example\n".to_owned(),
        "log.example\n1\n".to_owned(),
        format!("\n1\n{root}\n"),
        format!("log.example\n\n{root}\n"),
        format!("log.example\n01\n{root}\n"),
        format!("log.example\n+1\n{root}\n"),
        format!("log.example\n-1\n{root}\n"),
        format!("log.example\n1 \n{root}\n"),
        format!("log.example\n18446744073709551616\n{root}\n"),
        format!("log.example\n1\n{loose_root}\n"),
        format!("log.example\n1\n{root}\n\n"),
        format!("log.example\n1\n{root}\nx\n\ny\n"),
    ];
    for text in texts {
        let note = note::sign(&text, &[&log]).unwrap();
        assert_eq!(Checkpoint::open(note.as_bytes(), &trusted(&[&log])), Err(CheckpointError::Body), "{text:?}");
    }
    let extended = note::sign(&format!("log.example\n1\n{root}\nmore\n"), &[&log]).unwrap();
    assert_eq!(Checkpoint::open(extended.as_bytes(), &trusted(&[&log])).unwrap().extensions(), ["more"]);
}

#[test]
fn growth_between_two_checkpoints_is_checked() {
    let log = key("log.example", 1);
    let mut frontier = Frontier::new();
    let mut checkpoints = Vec::new();
    let leaves = [b"a", b"b", b"c"].map(|entry| leaf_hash(entry));
    for leaf in leaves {
        frontier.append(leaf).unwrap();
        let head = TreeHead { size: frontier.size(), root: frontier.root(), ..head(0) };
        checkpoints.push(Checkpoint::open(head.sign(&log).unwrap().as_bytes(), &trusted(&[&log])).unwrap());
    }
    let [one, _, three] = &checkpoints[..] else { panic!("three checkpoints") };
    let path = [leaves[1], leaves[2]];
    assert_eq!(three.verify_growth_from(one, &path), Ok(()));
    assert_eq!(three.verify_growth_from(one, &[leaves[2], leaves[1]]), Err(ProofError::Mismatch));
    assert_eq!(one.verify_growth_from(three, &path), Err(ProofError::SizesReversed));
}
