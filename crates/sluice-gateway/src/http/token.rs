//! Tokens that the gateway gave out, each to one workflow or agent. Only their digests are kept.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value as Json, json};
use sluice_core::contract::Digest;
use thiserror::Error;

/// How every token begins, so that scanners for secrets know it.
pub(super) const PREFIX: &str = "slt_";

/// What is known of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The workflow or agent that has it.
    pub name: String,
    /// In whose name it calls.
    pub principal: String,
    /// What it may call; everything if there is none.
    pub connectors: BTreeSet<String>,
    /// Until when it counts, in milliseconds since 1970.
    pub expires_ms: u64,
    digest: Digest,
}

impl Token {
    /// A new token, and the text by which its holder shows it. The text is kept nowhere.
    #[must_use]
    pub fn new(
        name: &str,
        principal: &str,
        connectors: BTreeSet<String>,
        expires_ms: u64,
        secret: &[u8; 32],
    ) -> (Self, String) {
        let mut text = PREFIX.to_owned();
        for byte in secret {
            // Writing into a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        let digest = Digest::of(text.as_bytes());
        (Self { name: name.to_owned(), principal: principal.to_owned(), connectors, expires_ms, digest }, text)
    }

    /// Whether it is for this connector.
    #[must_use]
    pub fn may_call(&self, connector: &str) -> bool {
        self.connectors.is_empty() || self.connectors.contains(connector)
    }
}

/// The tokens of a workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens(Vec<Token>);

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
    /// Reads the tokens in a file; there are none if it is not there.
    ///
    /// # Errors
    /// [`TokenError::File`].
    pub fn read(file: &Path) -> Result<Self, TokenError> {
        let error = |why: String| TokenError::File { file: file.display().to_string(), why };
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(other) => return Err(error(other.to_string())),
        };
        let token =
            |(at, line): (usize, &str)| parsed(line).ok_or_else(|| error(format!("line {} is no token", at + 1)));
        Ok(Self(text.lines().enumerate().map(token).collect::<Result<_, _>>()?))
    }

    /// Writes them.
    ///
    /// # Errors
    /// [`TokenError::File`].
    pub fn write(&self, file: &Path) -> Result<(), TokenError> {
        let text: String = self.0.iter().map(|token| line(token) + "\n").collect();
        sluice_runtime::workspace::replace(file, text.as_bytes())
            .map_err(|error| TokenError::File { file: file.display().to_string(), why: error.to_string() })
    }

    /// Adds one.
    ///
    /// # Errors
    /// [`TokenError::Exists`].
    pub fn add(&mut self, token: Token) -> Result<(), TokenError> {
        if self.0.iter().any(|known| known.name == token.name) {
            return Err(TokenError::Exists(token.name));
        }
        self.0.push(token);
        Ok(())
    }

    /// Takes one back.
    ///
    /// # Errors
    /// [`TokenError::Unknown`].
    pub fn revoke(&mut self, name: &str) -> Result<(), TokenError> {
        let before = self.0.len();
        self.0.retain(|token| token.name != name);
        if self.0.len() == before { Err(TokenError::Unknown(name.to_owned())) } else { Ok(()) }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Token> {
        self.0.iter()
    }

    /// The token that a caller shows, if it still counts. What is compared are digests: how long it takes tells nothing.
    #[must_use]
    pub fn find(&self, shown: &str, now_ms: u64) -> Option<&Token> {
        let digest = Digest::of(shown.as_bytes());
        self.0.iter().find(|token| token.digest == digest && now_ms < token.expires_ms)
    }
}

fn line(token: &Token) -> String {
    let Token { name, principal, connectors, expires_ms, digest } = token;
    json!({ "name": name, "principal": principal, "connectors": connectors, "expires": expires_ms, "sha256": digest.to_string() })
        .to_string()
}

fn parsed(line: &str) -> Option<Token> {
    let json: Json = serde_json::from_str(line).ok()?;
    let text = |key: &str| json.get(key)?.as_str().map(str::to_owned);
    let connectors = json.get("connectors")?.as_array()?.iter().map(|name| name.as_str().map(str::to_owned));
    Some(Token {
        name: text("name")?,
        principal: text("principal")?,
        connectors: connectors.collect::<Option<_>>()?,
        expires_ms: json.get("expires")?.as_u64()?,
        digest: Digest::parse(&text("sha256")?)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_counts_until_it_expires_or_is_revoked_and_only_for_its_connectors() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens");
        let (token, shown) = Token::new("report", "ana", ["crm".to_owned()].into(), 1_000, &[7; 32]);
        let mut tokens = Tokens::read(&file).unwrap();
        tokens.add(token).unwrap();
        tokens.write(&file).unwrap();
        assert!(!std::fs::read_to_string(&file).unwrap().contains(&shown), "only the digest is kept");
        let mut tokens = Tokens::read(&file).unwrap();
        let found = tokens.find(&shown, 999).unwrap();
        assert!(found.may_call("crm") && !found.may_call("sheets"));
        assert!(tokens.find(&shown, 1_000).is_none() && tokens.find("slt_00", 0).is_none());
        let (again, _) = Token::new("report", "ana", BTreeSet::new(), 1_000, &[8; 32]);
        assert!(matches!(tokens.add(again), Err(TokenError::Exists(_))));
        tokens.revoke("report").unwrap();
        assert!(tokens.find(&shown, 0).is_none() && matches!(tokens.revoke("report"), Err(TokenError::Unknown(_))));
    }
}
