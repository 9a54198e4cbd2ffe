//! Texts that look like credentials: what must not stand in a definition, whatever its format.

use std::collections::BTreeSet;

/// What well-known credentials start with, and how long they are at least.
const PREFIXES: [(&str, usize); 30] = [
    ("AKIA", 20),
    ("ASIA", 20),
    ("ghp_", 30),
    ("gho_", 30),
    ("ghs_", 30),
    ("github_pat_", 40),
    ("glpat-", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("xapp-", 20),
    ("sk_live_", 20),
    ("sk_test_", 20),
    ("rk_live_", 20),
    ("sk-", 24),
    ("gsk_", 30),
    ("AIza", 35),
    ("ya29.", 30),
    ("eyJ", 40),
    ("pat-na1-", 30),
    ("SG.", 40),
    ("key-", 36),
    ("apify_api_", 30),
    ("fc-", 30),
    ("tvly-", 24),
    ("pplx-", 30),
    ("r8_", 30),
    ("hf_", 30),
    ("-----BEGIN ", 20),
    ("Bearer ", 20),
    ("Basic ", 20),
];

/// Keys under which credentials are kept.
const KEYS: [&str; 14] = [
    "password",
    "passwd",
    "secret",
    "token",
    "apikey",
    "xapi",
    "privatekey",
    "accesskey",
    "secretkey",
    "authkey",
    "subscriptionkey",
    "clientsecret",
    "authorization",
    "credential",
];

/// Shortest text under a telling key that counts, if it also looks random.
const SECRET_CHARS_MIN: usize = 12;

/// Words of texts that stand for a credential that somebody has still to write.
const PLACEHOLDERS: [&str; 12] =
    ["your", "<", "xxxx", "****", "example", "placeholder", "replace", "insert", "changeme", "{", "dummy", "•"];

/// Why `text`, kept under `key`, looks like a credential; `None` if it does not.
#[must_use]
pub fn suspicion(key: &str, text: &str) -> Option<String> {
    let known = PREFIXES.iter().find(|(prefix, length)| text.len() >= *length && text.starts_with(prefix));
    if known.is_none() && !(text.len() >= SECRET_CHARS_MIN && is_telling(key) && looks_random(text)) {
        return None;
    }
    let lower = text.to_lowercase();
    if PLACEHOLDERS.iter().any(|word| lower.contains(word)) {
        return None;
    }
    if let Some((prefix, _)) = known {
        let rest = text.strip_prefix(prefix).unwrap_or_default();
        // `Bearer` and `Basic` are words too: what follows must look like a credential itself.
        let is_word = prefix.ends_with(' ') && !prefix.starts_with('-');
        return (!is_word || looks_random(rest)).then(|| format!("it starts with `{}`", prefix.trim()));
    }
    Some(format!("a value under `{key}`"))
}

fn is_telling(key: &str) -> bool {
    let plain: String = key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    KEYS.iter().any(|known| plain.ends_with(known))
}

/// Letters and digits mixed, no spaces, and few repetitions: what people do not write as a name or a sentence.
fn looks_random(text: &str) -> bool {
    let kinds = [
        text.bytes().any(|b| b.is_ascii_lowercase()),
        text.bytes().any(|b| b.is_ascii_uppercase()),
        text.bytes().any(|b| b.is_ascii_digit()),
    ];
    let distinct: BTreeSet<u8> = text.bytes().collect();
    let mixed = kinds.iter().filter(|k| **k).count() >= 2 && kinds.last() == Some(&true);
    let unspeakable = kinds.first() == Some(&true) && kinds.get(1) == Some(&true) && consonant_runs(text) >= 2;
    (mixed || unspeakable) && !text.contains(char::is_whitespace) && distinct.len() * 2 >= text.len().min(24)
}

/// How often four consonants follow each other: no words have that twice.
fn consonant_runs(text: &str) -> usize {
    let is_consonant = |b: u8| b.is_ascii_alphabetic() && !b"aeiouyAEIOUY".contains(&b);
    text.as_bytes().split(|b| !is_consonant(*b)).filter(|run| run.len() >= 4).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_sentences_are_no_secrets() {
        for (key, text) in [
            ("token", "crm-token"),
            ("secret", "the secret of good soup"),
            ("password", "to be chosen by the user"),
            ("id", "q9Xc2Lr8Vt5Zw1Bn7Km4"),
            ("tokens", "AAAAAAAAAAAAAAAA1"),
            ("greeting", "sk-i-p"),
            ("X-Api-Key", "TheKeyThatOpensEveryDoor"),
            ("X-Api-Key", "TheKeyOfTheHouse"),
            ("Authorization", "Bearer YOUR_API_KEY_1234567890"),
            ("Authorization", "Bearer of good news and more"),
        ] {
            assert_eq!(suspicion(key, text), None, "{key}: {text}");
        }
    }

    #[test]
    fn known_prefixes_are_secrets_under_any_key() {
        assert!(suspicion("x", &format!("ghp_{}", "a1B2".repeat(9))).is_some());
        assert!(suspicion("note", "-----BEGIN RSA PRIVATE KEY-----").is_some());
        assert!(suspicion("X-Api-Key", "CqvrUtfgkz-NAE-Iob").is_some(), "letters alone, of no word");
        assert!(suspicion("client_secret", "d41d8cd98f00b204").is_some());
        assert!(suspicion("Authorization", "Bearer q9Xc2Lr8Vt5Zw1Bn7Km4").is_some());
        assert!(suspicion("x-api-key", "0b7c1d9e-52aa-4b1f-9c3d-7e5f8a6b4c2d").is_some());
    }
}
