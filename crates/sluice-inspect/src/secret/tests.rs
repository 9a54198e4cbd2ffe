//! One secret of each rule, made here: what stands in a file of tests would be found by others.

use super::*;

fn secrets(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    look(text, &mut |_, rule, text| found.push(format!("{rule} {text}")));
    found
}

/// Letters and digits that look drawn, as many as asked for, of an alphabet.
fn drawn(alphabet: &str, count: usize) -> String {
    let chars: Vec<char> = alphabet.chars().collect();
    (0..count).map(|at| chars[(at * 7 + at / 3) % chars.len()]).collect()
}

const WORD: &str = "aZ3kQ9xLmB7tYw2Rv5Hs8";
const UPPER: &str = "Q3X7LMB2TYW5RVHS6";
const HEX: &str = "9f3ac7e10b5d2468";

/// One of each.
fn samples() -> Vec<(&'static str, String)> {
    let word = |head: &str, count| format!("{head}{}", drawn(WORD, count));
    let hex = |head: &str, count| format!("{head}{}", drawn(HEX, count));
    vec![
        ("age-secret-key", format!("AGE-SECRET-KEY-1{}", drawn("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58))),
        ("anthropic-key", word("sk-ant-api03-", 90)),
        ("aws-access-key", format!("AKIA{}", drawn(UPPER, 16))),
        ("azure-storage-key", format!("AccountKey={}==", drawn(WORD, 86))),
        ("crates-io-token", word("cio", 32)),
        ("digitalocean-token", hex("dop_v1_", 64)),
        ("docker-token", word("dckr_pat_", 27)),
        ("github-token", word("ghp_", 36)),
        ("github-fine-grained-token", format!("github_pat_{}_{}", drawn(WORD, 22), drawn(WORD, 59))),
        ("gitlab-token", word("glpat-", 20)),
        ("google-api-key", word("AIza", 35)),
        ("google-client-secret", word("GOCSPX-", 28)),
        ("google-access-token", word("ya29.", 60)),
        ("hashicorp-vault-token", word("hvs.", 90)),
        ("hugging-face-token", word("hf_", 34)),
        ("json-web-token", format!("eyJ{}.eyJ{}.{}", drawn(WORD, 30), drawn(WORD, 40), drawn(WORD, 43))),
        ("linear-key", word("lin_api_", 40)),
        ("npm-token", word("npm_", 36)),
        ("openai-key", format!("sk-proj-{}T3BlbkFJ{}", drawn(WORD, 40), drawn(WORD, 40))),
        ("private-key", format!("-----BEGIN {} KEY-----", "EC PRIVATE")),
        ("pypi-token", word("pypi-AgEI", 60)),
        ("rubygems-key", hex("rubygems_", 48)),
        ("sendgrid-key", format!("SG.{}.{}", drawn(WORD, 22), drawn(WORD, 43))),
        ("shopify-token", hex("shpat_", 32)),
        ("slack-token", format!("xoxb-{}-{}", drawn("0123456789", 12), drawn(WORD, 24))),
        (
            "slack-webhook",
            format!("https://hooks.slack.com/services/T{}/B{}/{}", drawn(UPPER, 8), drawn(UPPER, 8), drawn(WORD, 24)),
        ),
        ("sluice-key", hex("sluice-secret-key-1 ana ed25519 ", 64)),
        ("sluice-token", hex("slt_", 64)),
        ("stripe-key", word("sk_live_", 24)),
        ("telegram-bot-token", format!("{}:AA{}", drawn("1234567890", 10), drawn(WORD, 33))),
        ("url-password", format!("postgres://app:{}@db.example.com/app", drawn(WORD, 12))),
    ]
}

#[test]
fn the_rules_are_readable_named_once_and_each_compiles() {
    let rules = read(FILE).unwrap();
    let names: std::collections::BTreeSet<&str> = rules.rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names.len(), rules.rules.len());
    for (at, rule) in rules.rules.iter().enumerate() {
        assert!(compiled(&rule.pattern).is_some(), "{}", rule.name);
        assert!(rules.rule_of.contains(&at), "{} has no word", rule.name);
        assert!(FILE.contains(&format!("name: {}", rule.name)));
    }
}

#[test]
fn every_rule_finds_its_secret_in_any_sentence_and_no_other() {
    let samples = samples();
    let named: Vec<&str> = samples.iter().map(|(name, _)| *name).collect();
    let rules = read(FILE).unwrap();
    for rule in &rules.rules {
        assert!(named.contains(&rule.name.as_str()), "{} has no sample", rule.name);
    }
    for (name, secret) in &samples {
        for text in [secret.clone(), format!("token=\"{secret}\""), format!("use {secret}\nto sign in")] {
            let found = secrets(&text);
            assert!(found.len() == 1 && found[0].starts_with(&format!("{name} ")), "{name}: {found:?}");
        }
        // The name of a scheme may have any letters.
        if *name != "url-password" {
            assert_eq!(secrets(&format!("x{secret}")), [""; 0], "{name} as part of a word");
        }
        let short = secret.get(..secret.len().min(12)).unwrap();
        assert_eq!(secrets(&format!("{short} and more words of text")), [""; 0], "{name} cut short");
    }
}

#[test]
fn placeholders_and_look_alikes_are_none() {
    for text in [
        "AKIAIOSFODNN7EXAMPLE",
        "https://user:password@example.com/",
        "https://example.com:8080/a@b",
        "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
        "550e8400-e29b-41d4-a716-446655440000",
        "-----BEGIN PUBLIC KEY-----",
        "-----BEGIN CERTIFICATE-----",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "eyJhbGciOiJIUzI1NiJ9 is the head of a token",
        "specifications and conditions of 1234567890 words",
        "npm_config_registry=https://registry.example.com/",
    ] {
        assert_eq!(secrets(text), [""; 0], "{text}");
    }
}
