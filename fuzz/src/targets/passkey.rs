//! Answers of passkeys: whatever a browser sends, nothing counts but what the device said about this statement.

use sluice_passkey::device::Device;
use sluice_passkey::{Assertion, PasskeyKey, Registration, RelyingParty};

use crate::Target;

/// See the module.
pub const TARGET: Target = Target { name: "passkey", run, seeds, tokens: TOKENS };

/// The digest of the statement that is asked about.
const STATEMENT: &[u8] = b"the digest of one statement, 32b";
/// What stands between the parts of an input.
const BETWEEN: &[u8] = b"\n--\n";

const TOKENS: &[&[u8]] = &[
    BETWEEN,
    br#""type":"webauthn.get""#,
    br#""type":"webauthn.create""#,
    br#""crossOrigin":false"#,
    br#""topOrigin":"https://sluice.example""#,
    br#""origin":"https://sluice.example""#,
    br#""challenge":""#,
    b"authData",
    b"attStmt",
    b"fmt",
    b"\x05",
    b"\x45",
    b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20",
    b"\xa4\x01\x01\x03\x27\x20\x06\x21\x58\x20",
];

fn party() -> RelyingParty {
    RelyingParty { id: "sluice.example".to_owned(), origin: "https://sluice.example".to_owned() }
}

fn device() -> Device {
    Device::of_seed([7; 32], party()).expect("the seed gives a key")
}

fn run(data: &[u8]) -> String {
    let mut parts = split(data).into_iter();
    let mut part = || parts.next().unwrap_or_default().to_vec();
    let (first, second, third) = (part(), part(), part());
    if let Ok(key) = PasskeyKey::parse(&second) {
        assert_eq!(PasskeyKey::parse(&key.to_cose()), Ok(key), "a key is another once it is written");
    }
    let registration = Registration { client_data: first.clone(), attestation_object: second.clone() };
    let registered = party().register(&registration, STATEMENT);
    let (device, answer) =
        (device(), Assertion { client_data: first, authenticator_data: second, signature: third });
    let passkey = device.passkey(0).expect("the device has a passkey");
    let said = party().verify(&passkey, &answer, STATEMENT);
    if said.is_ok() {
        let genuine = device.answer(STATEMENT);
        let is_genuine = (&answer.client_data, &answer.authenticator_data)
            == (&genuine.client_data, &genuine.authenticator_data);
        assert!(is_genuine, "an answer counts that the device never gave");
    }
    let word = |error: sluice_passkey::PasskeyError| error.why();
    format!("{} / {}", registered.map_or_else(word, |_| "registered"), said.map_or_else(word, |_| "counts"))
}

fn split(data: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut rest = data;
    while let Some(at) = rest.windows(BETWEEN.len()).position(|window| window == BETWEEN) {
        parts.push(&rest[..at]);
        rest = &rest[at + BETWEEN.len()..];
    }
    parts.push(rest);
    parts
}

fn seeds() -> Vec<Vec<u8>> {
    let device = device();
    let of = |answer: Assertion| {
        [answer.client_data.as_slice(), BETWEEN, &answer.authenticator_data, BETWEEN, &answer.signature].concat()
    };
    let mut seeds = vec![
        of(device.answer(STATEMENT)),
        of(device.answer(b"the digest of another statement!")),
        of(device.answer_unverified(STATEMENT)),
    ];
    if let Some(made) = device.register(STATEMENT) {
        seeds.push([made.client_data.as_slice(), BETWEEN, &made.attestation_object].concat());
    }
    seeds
}
