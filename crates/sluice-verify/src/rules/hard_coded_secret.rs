//! A credential stands in the definition.
//!
//! Definitions are stored, shown, logged and sent to models. A secret belongs in the secret store, from where only a
//! connector takes it.
//! ```bad
//! do:
//!   - login: { set: { api_key: "q9Xc2Lr8Vt5Zw1Bn7Km4" } }
//! ```
//! ```good
//! do:
//!   - login: { set: { api_key_name: "crm-token" } }
//! ```

use std::collections::BTreeSet;

use sluice_core::program::{NodeId, NodeKind, PlaceId};
use sluice_core::value::{Data, Value};

use super::{Code, Context, Diagnostic, RuleMeta, Severity};

pub(super) const META: RuleMeta = RuleMeta {
    code: Code(211),
    name: "hard-coded-secret",
    severity: Severity::High,
    page: include_str!("hard_coded_secret.rs"),
};

/// What well-known credentials start with, and how long they are at least.
const PREFIXES: [(&str, usize); 14] = [
    ("AKIA", 20),
    ("ASIA", 20),
    ("ghp_", 30),
    ("gho_", 30),
    ("github_pat_", 40),
    ("glpat-", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("sk_live_", 20),
    ("sk-", 24),
    ("AIza", 35),
    ("eyJ", 40),
    ("-----BEGIN ", 20),
    ("Bearer ", 20),
];

/// Keys under which credentials are kept.
const KEYS: [&str; 10] = [
    "password",
    "passwd",
    "secret",
    "token",
    "apikey",
    "privatekey",
    "accesskey",
    "clientsecret",
    "authorization",
    "credential",
];

/// Shortest text under a telling key that counts, if it also looks random.
const SECRET_CHARS_MIN: usize = 12;

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for (id, node) in cx.world.program.nodes() {
        for value in known_values(cx, id) {
            let mut found = Vec::new();
            look(&value, "", &mut found);
            for (text, why) in found {
                let path = cx.world.program.step_of(id).map_or_else(String::new, |s| s.path.to_string());
                if seen.insert(text) {
                    // The secret itself is not repeated: findings are logged.
                    let message = format!("a credential stands in the text: {why}");
                    let help = "store it with `sluice secret set`, and let a contract name it as its credential";
                    findings.push(META.finding(node.span, message, help).at_step(path));
                }
            }
        }
    }
}

/// What a node computes from constants alone. Nothing else is known before the run, so every known text was written
/// by the author.
fn known_values(cx: &Context<'_>, id: NodeId) -> Vec<Value> {
    let analysis = cx.world.analysis;
    let written = |target: PlaceId| {
        analysis.successors(id).filter_map(|to| analysis.state(to)).map(move |state| state.get(target)).collect()
    };
    match cx.world.program.node(id).map(|n| &n.kind) {
        Some(NodeKind::Assign { target, .. }) => written(*target),
        Some(NodeKind::Call { .. }) => {
            cx.sites.iter().filter(|s| s.id == id).map(|s| s.prepared.arguments.clone()).collect()
        }
        _ => Vec::new(),
    }
}

fn look(value: &Value, key: &str, found: &mut Vec<(String, String)>) {
    match &value.data {
        Data::Text(text) => {
            if let Some(why) = suspicion(key, text) {
                found.push((text.to_string(), why));
            }
        }
        Data::Array(items) => items.iter().for_each(|item| look(item, key, found)),
        Data::Object(fields) => fields.iter().for_each(|(key, field)| look(field, key, found)),
        Data::Unknown(shape) => shape.fields.iter().for_each(|(key, field)| look(field, key, found)),
        Data::Null | Data::Bool(_) | Data::Int(_) | Data::Float(_) => {}
    }
}

fn suspicion(key: &str, text: &str) -> Option<String> {
    let known = PREFIXES.iter().find(|(prefix, length)| text.starts_with(prefix) && text.len() >= *length);
    if let Some((prefix, _)) = known {
        return Some(format!("it starts with `{}`", prefix.trim()));
    }
    let plain: String = key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    let telling = KEYS.iter().any(|known| plain.ends_with(known));
    (telling && text.len() >= SECRET_CHARS_MIN && looks_random(text)).then(|| format!("a value under `{key}`"))
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
    mixed && !text.contains(char::is_whitespace) && distinct.len() * 2 >= text.len().min(24)
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
        ] {
            assert_eq!(suspicion(key, text), None, "{key}: {text}");
        }
    }

    #[test]
    fn known_prefixes_are_secrets_under_any_key() {
        assert!(suspicion("x", &format!("ghp_{}", "a1B2".repeat(9))).is_some());
        assert!(suspicion("note", "-----BEGIN RSA PRIVATE KEY-----").is_some());
        assert!(suspicion("client_secret", "d41d8cd98f00b204").is_some());
    }
}
