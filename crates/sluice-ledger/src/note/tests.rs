//! Published notes are opened, and nothing but what was signed is.

use proptest::prelude::*;

use super::*;

/// The example of Go's `sumdb/note`, where the format comes from.
const GO_SIGNER: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const GO_VERIFIER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_TEXT: &str =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const GO_SIGNATURE: &str =
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";

/// The example of the C2SP specification.
const C2SP_VERIFIER: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const C2SP_NOTE: &str = "This is an example message.\n\n\
    — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

fn key(name: &str, seed: u8) -> SignerKey {
    SignerKey::from_seed(KeyName::new(name).unwrap(), &[seed; 32]).unwrap()
}

fn go_note() -> String {
    format!("{GO_TEXT}\n— PeterNeumann {GO_SIGNATURE}\n")
}

#[test]
fn the_examples_of_go_and_c2sp_are_opened_and_signed_alike() {
    let signer: SignerKey = GO_SIGNER.parse().unwrap();
    let verifier: VerifierKey = GO_VERIFIER.parse().unwrap();
    assert_eq!(signer.verifier(), &verifier);
    assert_eq!(signer.to_secret_text(), GO_SIGNER);
    assert_eq!(verifier.to_string(), GO_VERIFIER);
    assert_eq!(sign(GO_TEXT, &[&signer]), Ok(go_note()));
    assert_eq!(open(go_note().as_bytes(), &[verifier]).unwrap().text(), GO_TEXT);

    let verifier: VerifierKey = C2SP_VERIFIER.parse().unwrap();
    let note = open(C2SP_NOTE.as_bytes(), &[verifier]).unwrap();
    assert_eq!(note.text(), "This is an example message.\n");
    assert_eq!(note.signers()[0].name.as_str(), "example.com/foo");
}

#[test]
fn unknown_signatures_are_passed_over_and_false_ones_refused() {
    let (ours, theirs) = (key("log.example", 1), key("witness.example", 2));
    let trusted = |key: &SignerKey| vec![key.verifier().clone()];
    let both = sign("text\n", &[&ours, &theirs, &ours]).unwrap();
    assert_eq!(open(both.as_bytes(), &trusted(&ours)).unwrap().signers().len(), 1, "counted once");
    assert!(open(both.as_bytes(), &trusted(&theirs)).is_ok());
    let stranger = key("stranger.example", 3);
    assert_eq!(open(both.as_bytes(), &trusted(&stranger)), Err(NoteError::NoTrustedSignature));
    assert_eq!(open(both.as_bytes(), &[]), Err(NoteError::NoTrustedSignature));
    // The same name with another key is another signer.
    let namesake = key("log.example", 4);
    assert_eq!(open(both.as_bytes(), &trusted(&namesake)), Err(NoteError::NoTrustedSignature));
    let changed = both.replace("text", "test");
    let name = ours.verifier().name().clone();
    assert_eq!(open(changed.as_bytes(), &trusted(&ours)), Err(NoteError::FalseSignature { name }));
}

fn witness(name: &str, seed: u8) -> WitnessKey {
    WitnessKey::from_seed(KeyName::new(name).unwrap(), &[seed; 32]).unwrap()
}

#[test]
fn a_witness_says_when_it_saw_a_note() {
    let (log, witness) = (key("log.example", 1), witness("witness.example", 2));
    let note = cosign(&sign("text\n", &[&log]).unwrap(), &witness, 1_790_000_000).unwrap();
    let later = cosign(&note, &witness, 1_790_000_060).unwrap();
    let again = cosign(&later, &witness, 1_790_000_030).unwrap();
    let trusted = [log.verifier().clone(), witness.verifier().clone()];
    let times = |note: &str| -> Vec<_> {
        open(note.as_bytes(), &trusted).unwrap().signers().iter().map(|signer| signer.witnessed_at_s).collect()
    };
    assert_eq!(times(&note), [None, Some(1_790_000_000)]);
    assert_eq!(times(&again), [None, Some(1_790_000_060)], "the latest counts");
    assert_eq!(cosign(&note, &witness, TIME_S_MAX + 1), Err(NoteError::Time));
    assert_eq!(cosign("text\n", &witness, 1), Err(NoteError::NoSignatures));
}

#[test]
fn a_witness_signs_the_message_of_the_specification() {
    use ed25519_dalek::Signer as _;
    let witness = witness("witness.example", 2);
    let note = cosign(&sign("text\n", &[&key("log.example", 1)]).unwrap(), &witness, 1_679_315_147).unwrap();
    let line = note.lines().last().unwrap().rsplit(' ').next().unwrap();
    let message = b"cosignature/v1\ntime 1679315147\ntext\n";
    let signature = ed25519_dalek::SigningKey::from_bytes(&[2; 32]).sign(message).to_bytes();
    let id = witness.verifier().id().get().to_be_bytes();
    let time = 1_679_315_147_u64.to_be_bytes();
    assert_eq!(STANDARD.decode(line).unwrap(), [&id[..], &time, &signature].concat());
}

#[test]
fn a_changed_time_and_a_key_of_the_other_type_are_refused() {
    let (log, witness) = (key("log.example", 1), witness("witness.example", 2));
    let note = cosign(&sign("text\n", &[&log]).unwrap(), &witness, 1_790_000_000).unwrap();
    let line = note.lines().last().unwrap().rsplit(' ').next().unwrap();
    let mut bytes = STANDARD.decode(line).unwrap();
    bytes[11] ^= 1;
    let backdated = note.replace(line, &STANDARD.encode(&bytes));
    let name = witness.verifier().name().clone();
    let trusted = [witness.verifier().clone()];
    assert_eq!(open(backdated.as_bytes(), &trusted), Err(NoteError::FalseSignature { name: name.clone() }));
    let as_a_log = VerifierKey::new(name, witness.verifier().as_bytes()).unwrap();
    assert_ne!(as_a_log.id(), witness.verifier().id());
    assert_eq!(open(note.as_bytes(), &[as_a_log]), Err(NoteError::NoTrustedSignature));
}

#[test]
fn keys_of_both_types_have_texts_that_are_not_mixed_up() {
    let (log, witness) = (key("log.example", 1), witness("witness.example", 2));
    let text = witness.verifier().to_string();
    assert_eq!(text.parse(), Ok(witness.verifier().clone()));
    let secret = witness.to_secret_text();
    assert_eq!(secret.parse::<WitnessKey>().unwrap().verifier(), witness.verifier());
    assert_eq!(secret.parse::<SignerKey>().unwrap_err(), KeyTextError::Type);
    assert_eq!(log.to_secret_text().parse::<WitnessKey>().unwrap_err(), KeyTextError::Type);
    assert!(!format!("{witness:?}").contains(secret.rsplit('+').next().unwrap()));
}

#[test]
fn a_text_may_have_empty_lines_but_must_end_its_last_line() {
    let signer = key("log.example", 1);
    let trusted = [signer.verifier().clone()];
    for text in ["a\n", "a\n\nb\n", "\n", "a\n\n", "— a b\n"] {
        let note = sign(text, &[&signer]).unwrap();
        assert_eq!(open(note.as_bytes(), &trusted).unwrap().text(), text, "{text:?}");
    }
    for text in ["", "a", "a\nb", "a\tb\n", "a\r\n", "\0\n"] {
        assert_eq!(sign(text, &[&signer]).unwrap_err().code(), "SL620", "{text:?}");
    }
    assert_eq!(sign("a\n", &[]).unwrap_err().code(), "SL620");
}

#[test]
fn size_and_number_of_signatures_have_limits() {
    let signer = key("log.example", 1);
    let most = vec![&signer; NOTE_SIGNATURES_MAX];
    assert!(sign("a\n", &most).is_ok());
    assert_eq!(sign("a\n", &[most, vec![&signer]].concat()), Err(NoteError::TooManySignatures));
    let long = format!("{}\n", "a".repeat(NOTE_BYTES_MAX));
    assert_eq!(sign(&long, &[&signer]), Err(NoteError::TooLong));
}

#[test]
fn a_malformed_signature_line_refuses_the_note_even_beside_a_good_one() {
    let trusted: [VerifierKey; 1] = [GO_VERIFIER.parse().unwrap()];
    let lines = [
        "- PeterNeumann AAAAAAA=",
        "— PeterNeumann",
        "— PeterNeumann ",
        "— PeterNeumann AAAA",     // no id
        "— PeterNeumann AAAAAA==", // an id, no signature
        "—  AAAAAAA=",             // no name
        "— a+b AAAAAAA=",
        "— a\u{a0}b AAAAAAA=",
        "— PeterNeumann AAAAAAA",  // no padding
        "— PeterNeumann AAAAAAB=", // spare bits
        "— PeterNeumann AAAAAAA= ",
        "words",
    ];
    for line in lines {
        let note = format!("{}{line}\n", go_note());
        assert_eq!(open(note.as_bytes(), &trusted), Err(NoteError::SignatureLine), "{line:?}");
    }
    for note in ["", "\n", "\n\n", "a\n", "a\n\n", "a\n\nb", "\n\n\n"] {
        assert_eq!(open(note.as_bytes(), &trusted).unwrap_err().code(), "SL620", "{note:?}");
    }
    assert_eq!(open(b"\xff\n\n", &trusted), Err(NoteError::Text));
}

#[test]
fn key_texts_have_one_spelling() {
    let refused = [
        ("", KeyTextError::Form),
        ("PeterNeumann", KeyTextError::Form),
        ("PeterNeumann+c74f20a3", KeyTextError::Form),
        ("+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", KeyTextError::Name),
        ("Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", KeyTextError::Name),
        ("PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", KeyTextError::Id),
        ("PeterNeumann+0+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", KeyTextError::Id),
        ("PeterNeuman+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", KeyTextError::Id),
        ("PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", KeyTextError::Type),
        ("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10", KeyTextError::Form),
        ("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy", KeyTextError::Key),
    ];
    for (text, error) in refused {
        assert_eq!(text.parse::<VerifierKey>(), Err(error), "{text:?}");
    }
    let renamed = GO_SIGNER.replace("PeterNeumann", "PeterNeuman");
    assert_eq!(renamed.parse::<SignerKey>().unwrap_err(), KeyTextError::Id);
    let long = KeyName::new(&"a".repeat(KEY_NAME_BYTES_MAX + 1));
    assert_eq!(long, Err(KeyTextError::Name));
    assert_eq!(GO_VERIFIER.parse::<SignerKey>().unwrap_err(), KeyTextError::Form);
}

#[test]
fn a_key_under_which_anybody_can_sign_is_refused() {
    let mut identity = [0; 32];
    identity[0] = 1;
    let name = KeyName::new("log.example").unwrap();
    assert_eq!(VerifierKey::new(name, &identity), Err(KeyTextError::Key));
}

#[test]
fn a_private_key_is_not_printed() {
    assert_eq!(format!("{:?}", GO_SIGNER.parse::<SignerKey>().unwrap()), "SignerKey(PeterNeumann c74f20a3, secret)");
}

proptest! {
    #[test]
    fn a_note_with_one_changed_byte_is_refused(place in 0..go_note().len(), mask in 1_u8..) {
        let mut note = go_note().into_bytes();
        note[place] ^= mask;
        let trusted: [VerifierKey; 1] = [GO_VERIFIER.parse().unwrap()];
        prop_assert!(open(&note, &trusted).is_err());
    }

    #[test]
    fn every_signed_text_opens_to_itself(text in "[^\\x00-\\x09\\x0b-\\x1f]{0,80}\n", seed in 1_u8..) {
        let signer = key("log.example", seed);
        let note = sign(&text, &[&signer]).unwrap();
        let opened = open(note.as_bytes(), &[signer.verifier().clone()]).unwrap();
        prop_assert_eq!(opened.text(), text);
    }
}
