//! The vectors of W3C Web Authentication Level 3 §16, a device of our own, and whatever is changed in its answers.

use proptest::prelude::*;

use super::device::Device;
use super::*;

fn hex(text: &str) -> Vec<u8> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    text.as_bytes().chunks(2).map(byte).collect()
}

fn party() -> RelyingParty {
    RelyingParty { id: "example.org".to_owned(), origin: "https://example.org".to_owned() }
}

fn device() -> Device {
    Device::of_seed([7; 32], party()).unwrap()
}

/// The device's answer over `challenge`, the ninth that it gives.
fn ninth(device: &Device, challenge: &[u8]) -> Assertion {
    let client_data = device.client_data("webauthn.get", challenge, r#","crossOrigin":false"#);
    device.sign(client_data, device.data(0x05, 9, &[]))
}

#[test]
fn a_passkey_is_registered_and_vouches_for_one_statement() {
    let (device, party) = (device(), party());
    let passkey = party.register(&device.register(b"hello").unwrap(), b"hello").unwrap();
    assert_eq!(passkey, device.passkey(0).unwrap());
    assert_eq!(PasskeyKey::parse(&passkey.key.to_cose()), Ok(passkey.key.clone()));
    assert_eq!(party.verify(&passkey, &ninth(&device, b"statement"), b"statement"), Ok(9));
    // The same once more: somebody kept a copy.
    let later = Passkey { counter: 9, ..passkey };
    assert!(party.verify(&later, &ninth(&device, b"statement"), b"statement").is_err());
}

#[test]
fn the_vectors_of_the_specification_are_read_and_refused_for_their_own_reason_only() {
    // §16.2 and §16.11 have devices that did not verify their users, §16.4 a page within a page.
    for (object, challenge, data, client, signature, why) in VECTORS {
        let data = AuthenticatorData::read(&authenticator_data::of_attestation(&hex(object)).unwrap())
            .map(|read| (read, data));
        let (registered, data) = data.unwrap();
        let (id, key) = registered.credential.unwrap();
        assert_eq!(id.len(), 32);
        let answer = Assertion { client_data: hex(client), authenticator_data: hex(data), signature: hex(signature) };
        key.verify(&signed(&answer), &answer.signature).unwrap();
        let mut other = signed(&answer);
        other[0] ^= 1;
        key.verify(&other, &answer.signature).unwrap_err();
        let passkey = Passkey { id, key, counter: 0 };
        assert_eq!(party().verify(&passkey, &answer, &hex(challenge)), Err(PasskeyError(why)));
    }
}

#[test]
fn an_answer_to_something_else_does_not_count() {
    let (device, party) = (device(), party());
    let passkey = device.passkey(0).unwrap();
    let get = |more: &str| device.client_data("webauthn.get", b"statement", more);
    let data = |flags: u8| device.data(flags, 9, &[]);
    let framed = "it was given in a page within another's page";
    let unreadable = "the device's part cannot be read";
    for (client, data, why) in [
        (device.client_data("webauthn.create", b"statement", ""), data(0x05), "it is an answer to something else"),
        (device.client_data("payment.get", b"statement", ""), data(0x05), "it is an answer to something else"),
        (device.client_data("webauthn.get", b"statement2", ""), data(0x05), "it is a word over another statement"),
        (get(r#","crossOrigin":true"#), data(0x05), framed),
        (get(r#","topOrigin":"https://example.com""#), data(0x05), framed),
        (get(r#","origin":"https://example.org""#), data(0x05), "the browser's part cannot be read"),
        (get(r#","type":"webauthn.get""#), data(0x05), "the browser's part cannot be read"),
        (b"{}".to_vec(), data(0x05), "the browser's part cannot be read"),
        (get(""), data(0x04), "nobody touched the device"),
        (get(""), data(0x01), "the device did not verify who used it"),
        (get(""), data(0x15), "its device says that it is backed up and cannot be"),
        (get(""), data(0x85), unreadable),
        (get(""), device.data(0x05, 9, &[0xa0]), unreadable),
        (get(""), data(0x45), unreadable),
        (get(""), data(0x05)[..36].to_vec(), unreadable),
        (get(""), Vec::new(), unreadable),
        (get(""), vec![0x05; 20_000], "it is too long"),
    ] {
        let answer = device.sign(client, data);
        assert_eq!(party.verify(&passkey, &answer, b"statement"), Err(PasskeyError(why)), "{answer:?}");
    }
    let with_extensions = device.sign(get(""), device.data(0x85, 9, &[0xa0]));
    assert_eq!(party.verify(&passkey, &with_extensions, b"statement"), Ok(9));
    let elsewhere = RelyingParty { origin: "https://example.org:8443".to_owned(), ..party.clone() };
    let other = RelyingParty { id: "example.com".to_owned(), ..party };
    let answer = ninth(&device, b"statement");
    let at = |party: &RelyingParty| party.verify(&passkey, &answer, b"statement").unwrap_err().0;
    assert_eq!((at(&elsewhere), at(&other)), ("it was given at another address", "it is for another domain"));
}

#[test]
fn a_registration_without_a_verified_user_or_a_known_key_is_refused() {
    let (device, party) = (device(), party());
    let refused = |answer: &Registration| party.register(answer, b"hello").unwrap_err().0;
    assert_eq!(refused(&device.register_with(b"hello", 0x41).unwrap()), "the device did not verify who used it");
    assert_eq!(refused(&device.register_with(b"other", 0x45).unwrap()), "it is a word over another statement");
    let mut without = device.register_with(b"hello", 0x05).unwrap();
    assert_eq!(refused(&without), "the device's part cannot be read");
    without.attestation_object = Vec::new();
    assert_eq!(refused(&without), "the device's part cannot be read");
    let off_curve = PasskeyKey::Es256([1; 32], [1; 32]);
    let weak = PasskeyKey::EdDsa([0; 32]);
    let known = device.passkey(0).unwrap().key;
    let longer = [known.to_cose(), vec![0]].concat();
    let twice = [&[0xa6, 0x01, 0x02], &known.to_cose()[1..]].concat();
    // ES256 under the label of ES384.
    let renamed = {
        let mut bytes = known.to_cose();
        bytes[4] = 0x38;
        bytes.insert(5, 0x22);
        bytes
    };
    for bytes in [off_curve.to_cose(), weak.to_cose(), longer, twice, renamed, vec![0xa0], Vec::new()] {
        assert!(PasskeyKey::parse(&bytes).is_err(), "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn no_answer_with_a_changed_bit_counts(part in 0..3usize, at in any::<prop::sample::Index>(), bit in 0..8u32) {
        let (device, party) = (device(), party());
        let mut answer = ninth(&device, b"statement");
        let bytes = match part {
            0 => &mut answer.client_data,
            1 => &mut answer.authenticator_data,
            _ => &mut answer.signature,
        };
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(party.verify(&device.passkey(0).unwrap(), &answer, b"statement").is_err());
    }

    #[test]
    fn whatever_comes_is_refused_and_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let (device, party) = (device(), party());
        let client_data = device.client_data("webauthn.create", b"hello", "");
        let answer = Registration { client_data, attestation_object: bytes.clone() };
        prop_assert!(party.register(&answer, b"hello").is_err());
        let _ = PasskeyKey::parse(&bytes);
        let answer = Assertion { client_data: bytes.clone(), authenticator_data: bytes.clone(), signature: bytes };
        prop_assert!(party.verify(&device.passkey(0).unwrap(), &answer, b"statement").is_err());
    }
}

/// Attestation object, challenge of the assertion, its device's part, browser's part and signature; why it is refused here.
const VECTORS: [(&str, &str, &str, &str, &str, &str); 3] = [
    // §16.2
    (
        "a363666d74646e6f6e656761747453746d74a068617574684461746158a4bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b559000000008446ccb9ab1db374750b2367ff6f3a1f0020f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4a5010203262001215820afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df61225820930a56b87a2fca66334b03458abf879717c12cc68ed73290af2e2664796b9220",
        "39c0e7521417ba54d43e8dc95174f423dee9bf3cd804ff6d65c857c9abf4d408",
        "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b51900000000",
        "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a224f63446e55685158756c5455506f334a5558543049393770767a7a59425039745a63685879617630314167222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73657d",
        "3046022100f50a4e2e4409249c4a853ba361282f09841df4dd4547a13a87780218deffcd380221008480ac0f0b93538174f575bf11a1dd5d78c6e486013f937295ea13653e331e87",
        "the device did not verify who used it",
    ),
    // §16.4
    (
        "a363666d74646e6f6e656761747453746d74a068617574684461746158a4bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b54500000000883f4f6014f19c09d87aa38123be48d000206e1050c0d2ca2f07c755cb2c66a74c64fa43065c18f938354d9915db2bd5ce57a501020326200121582022200a473f90b11078851550d03b4e44a2279f8c4eca27b3153dedfe03e4e97d225820cbd0be95e746ad6f5a8191be11756e4c0420e72f65b466d39bc56b8b123a9c6e",
        "876aa517ba83fdee65fcffdbca4c84eeae5d54f8041a1fc85c991e5bbb273137",
        "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b50500000000",
        "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a226832716c463771445f65356c5f505f62796b7945377135645650674547685f49584a6b655737736e4d5463222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a747275652c22657874726144617461223a22636c69656e74446174614a534f4e206d617920626520657874656e6465642077697468206164646974696f6e616c206669656c647320696e20746865206675747572652c207375636820617320746869733a2039327063545644304162792d713464746d6a36656667227d",
        "3046022100eb12fcf23b12764c0f122e22371fab92e283879fd798f38ee1841c951b6e40e7022100c76237ff9db77b3c56f30837cda6a09acfa2e915544e609c0733b1184036d1cf",
        "it was given in a page within another's page",
    ),
    // §16.11
    (
        EDDSA_OBJECT,
        "895957e01c633a698348a2d8a31a54b7db27e8c1c43b2080d79ae2190267bfd2",
        "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b50100000000",
        "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a2269566c583442786a4f6d6d44534b4c596f7870557439736e364d48454f7943413135726947514a6e763949222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73657d",
        "f5c59c7e46c34f6f8cc197101ddf9934fa2595f68eb1913a637e8419eb9ba4cfdfc48f85393bc0d40b011f0d6fecb097d6607525713223a0dc0d453993dae00b",
        "the device did not verify who used it",
    ),
];

/// Of §16.11, whose statement with a certificate is left out here: it is not looked at.
const EDDSA_OBJECT: &str = "a363666d74646e6f6e656761747453746d74a06861757468446174615881bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b54100000000d5aa33581e8ca478e20fe713f5d32ff20020ce9f840ed96599580cd140fbc7bb3230633f50f61041aff73308ae71caa8a2bda401010327200621582044e06ddd331c36a8dc667bab52bcae63486c916aa5e339e6acebaa84934bf832";
