//! Who calls: the one place where a bearer's token becomes a name.

use std::collections::BTreeSet;
use std::path::Path;

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;

use super::answer::Refusal;
use super::token::{Token, Tokens};

/// Whoever shows a token that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The workflow or agent.
    pub(crate) name: String,
    /// In whose name it calls.
    pub(crate) principal: String,
    /// What it may call; everything if there is none.
    connectors: BTreeSet<String>,
}

impl Caller {
    /// Whether it may call a connector at all.
    pub(crate) fn may_call(&self, connector: &str) -> bool {
        self.connectors.is_empty() || self.connectors.contains(connector)
    }
}

impl From<&Token> for Caller {
    fn from(token: &Token) -> Self {
        let Token { name, principal, connectors, .. } = token;
        Self { name: name.clone(), principal: principal.clone(), connectors: connectors.clone() }
    }
}

/// Who is this bearer? The file of tokens is read each time: a revoked one opens nothing more.
///
/// # Errors
/// [`Refusal::Token`] if it shows none that counts, or more than one; [`Refusal::Ledger`] if the file cannot be read.
pub(crate) fn of(headers: &HeaderMap, tokens: &Path, now_ms: u64) -> Result<Caller, Refusal> {
    let mut shown = headers.get_all(AUTHORIZATION).iter();
    let (Some(shown), None) = (shown.next(), shown.next()) else { return Err(Refusal::Token) };
    let bearer = shown.to_str().ok().and_then(|value| value.strip_prefix("Bearer ")).ok_or(Refusal::Token)?;
    let tokens = Tokens::read(tokens).map_err(|error| Refusal::Ledger(error.to_string()))?;
    tokens.find(bearer, now_ms).map(Caller::from).ok_or(Refusal::Token)
}
