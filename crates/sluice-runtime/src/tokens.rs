//! Tokens that Sluice gave out, each to one holder and for a time. Only their digests are kept.
//!
//! A token is of one kind: what the gateway gave out opens no API, and the other way round. Each kind has a file of its own
//! beside the workspace's keys, a beginning of its own, and its own word for what a token is good for.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value as Json, json};
use sluice_core::contract::Digest;
use sluice_core::contract::digest::to_hex;
use thiserror::Error;

/// What tokens are for.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// How every one of them begins, so that scanners for secrets know it.
    pub prefix: &'static str,
    /// The file in the workspace's home.
    pub file: &'static str,
    /// What the file calls the things that a token is good for.
    grants: &'static str,
}

/// Of engines and agents that call through the gateway: good for connectors, for all of them if none is named.
pub const GATEWAY: Kind = Kind { prefix: "slt_", file: "tokens", grants: "connectors" };
/// Of programs that call the API: good for scopes, and for nothing without one.
pub const API: Kind = Kind { prefix: "sla_", file: "api-tokens", grants: "scopes" };

/// What is known of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Who or what has it.
    pub name: String,
    /// In whose name it calls.
    pub principal: String,
    /// What it is good for.
    pub grants: BTreeSet<String>,
    /// Until when it counts, in milliseconds since 1970.
    pub expires_ms: u64,
    digest: Digest,
}

impl Token {
    /// A new token, and the text by which its holder shows it. The text is kept nowhere.
    #[must_use]
    pub fn new(
        kind: &Kind,
        name: &str,
        principal: &str,
        grants: BTreeSet<String>,
        expires_ms: u64,
        secret: &[u8; 32],
    ) -> (Self, String) {
        let text = format!("{}{}", kind.prefix, to_hex(secret));
        let digest = Digest::of(text.as_bytes());
        (Self { name: name.to_owned(), principal: principal.to_owned(), grants, expires_ms, digest }, text)
    }

    /// The digest of its text: tells it from every other one.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }
}

/// The tokens of one kind in a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    kind: &'static Kind,
    all: Vec<Token>,
}

/// Why the tokens cannot be used.
#[derive(Debug, Error)]
pub enum TokenError {
    /// SL959. The file.
    #[error("SL959: cannot use the tokens in `{file}`: {why}")]
    File {
        /// Where they are.
        file: String,
        /// Why not.
        why: String,
    },
    /// SL960. The name is taken.
    #[error("SL960: there is a token `{0}` already; revoke it first")]
    Exists(String),
    /// SL961. No such token.
    #[error("SL961: there is no token `{0}`")]
    Unknown(String),
}

impl Tokens {
    /// Reads the tokens of a kind in a file; there are none if it is not there.
    ///
    /// # Errors
    /// [`TokenError::File`].
    pub fn read(kind: &'static Kind, file: &Path) -> Result<Self, TokenError> {
        let error = |why: String| TokenError::File { file: file.display().to_string(), why };
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self { kind, all: Vec::new() });
            }
            Err(other) => return Err(error(other.to_string())),
        };
        let token =
            |(at, line): (usize, &str)| parsed(kind, line).ok_or_else(|| error(format!("line {} is no token", at + 1)));
        Ok(Self { kind, all: text.lines().enumerate().map(token).collect::<Result<_, _>>()? })
    }

    /// Writes them.
    ///
    /// # Errors
    /// [`TokenError::File`].
    pub fn write(&self, file: &Path) -> Result<(), TokenError> {
        let text: String = self.all.iter().map(|token| line(self.kind, token) + "\n").collect();
        crate::workspace::replace(file, text.as_bytes())
            .map_err(|error| TokenError::File { file: file.display().to_string(), why: error.to_string() })
    }

    /// Adds one.
    ///
    /// # Errors
    /// [`TokenError::Exists`].
    pub fn add(&mut self, token: Token) -> Result<(), TokenError> {
        if self.all.iter().any(|known| known.name == token.name) {
            return Err(TokenError::Exists(token.name));
        }
        self.all.push(token);
        Ok(())
    }

    /// Takes one back.
    ///
    /// # Errors
    /// [`TokenError::Unknown`].
    pub fn revoke(&mut self, name: &str) -> Result<(), TokenError> {
        let before = self.all.len();
        self.all.retain(|token| token.name != name);
        if self.all.len() == before { Err(TokenError::Unknown(name.to_owned())) } else { Ok(()) }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Token> {
        self.all.iter()
    }

    /// The token that a caller shows, if it still counts. What is compared are digests: how long it takes tells nothing.
    #[must_use]
    pub fn find(&self, shown: &str, now_ms: u64) -> Option<&Token> {
        let digest = Digest::of(shown.as_bytes());
        self.all.iter().find(|token| token.digest == digest && now_ms < token.expires_ms)
    }
}

fn line(kind: &Kind, token: &Token) -> String {
    let Token { name, principal, grants, expires_ms, digest } = token;
    let mut fields = Map::new();
    fields.insert("name".to_owned(), json!(name));
    fields.insert("principal".to_owned(), json!(principal));
    fields.insert(kind.grants.to_owned(), json!(grants));
    fields.insert("expires".to_owned(), json!(expires_ms));
    fields.insert("sha256".to_owned(), json!(digest.to_string()));
    Json::Object(fields).to_string()
}

fn parsed(kind: &Kind, line: &str) -> Option<Token> {
    let json: Json = serde_json::from_str(line).ok()?;
    let text = |key: &str| json.get(key)?.as_str().map(str::to_owned);
    let grants = json.get(kind.grants)?.as_array()?.iter().map(|name| name.as_str().map(str::to_owned));
    Some(Token {
        name: text("name")?,
        principal: text("principal")?,
        grants: grants.collect::<Option<_>>()?,
        expires_ms: json.get("expires")?.as_u64()?,
        digest: Digest::parse(&text("sha256")?)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_counts_until_it_expires_or_is_revoked_and_for_its_own_kind() {
        let folder = tempfile::tempdir().unwrap();
        for kind in [&GATEWAY, &API] {
            let file = folder.path().join(kind.file);
            let (token, shown) = Token::new(kind, "report", "ana", ["crm".to_owned()].into(), 1_000, &[7; 32]);
            let mut tokens = Tokens::read(kind, &file).unwrap();
            tokens.add(token).unwrap();
            tokens.write(&file).unwrap();
            assert!(!std::fs::read_to_string(&file).unwrap().contains(&shown), "only the digest is kept");
            let mut tokens = Tokens::read(kind, &file).unwrap();
            assert!(tokens.find(&shown, 999).unwrap().grants.contains("crm"));
            assert!(tokens.find(&shown, 1_000).is_none() && tokens.find("slt_00", 0).is_none());
            let (again, _) = Token::new(kind, "report", "ana", BTreeSet::new(), 1_000, &[8; 32]);
            assert!(matches!(tokens.add(again), Err(TokenError::Exists(_))));
            tokens.revoke("report").unwrap();
            assert!(tokens.find(&shown, 0).is_none() && matches!(tokens.revoke("report"), Err(TokenError::Unknown(_))));
        }
        assert!(Tokens::read(&API, &folder.path().join(GATEWAY.file)).is_err(), "one kind is not the other");
    }
}
