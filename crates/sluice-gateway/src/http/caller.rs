//! Who calls: the one place where a bearer's token becomes a name.

use std::collections::BTreeSet;
use std::path::Path;

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;

use sluice_core::contract::Principals;
use sluice_identity::{AccessError, AccessTokens};
use sluice_runtime::tokens::{GATEWAY, Token, Tokens};

use super::answer::Refusal;
use super::resource::EVERYTHING;
use crate::note::note;

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
        let Token { name, principal, grants, .. } = token;
        Self { name: name.clone(), principal: principal.clone(), connectors: grants.clone() }
    }
}

/// Whose tokens count.
pub(crate) struct Bearers<'a> {
    /// The file of the tokens that the gateway gave out. It is read each time: a revoked one opens nothing more.
    pub(crate) tokens: &'a Path,
    /// Those of an identity provider, if one is named.
    pub(crate) access: Option<&'a AccessTokens>,
    /// Whom they mean.
    pub(crate) register: &'a Principals,
}

impl Bearers<'_> {
    /// Who is this bearer?
    ///
    /// # Errors
    /// [`Refusal::Token`] if it shows none that counts, or more than one; [`Refusal::Connector`] if one counts and is for no
    /// connector; [`Refusal::Ledger`] if it cannot be known.
    pub(crate) async fn of(&self, headers: &HeaderMap, now_ms: u64) -> Result<Caller, Refusal> {
        let mut shown = headers.get_all(AUTHORIZATION).iter();
        let (Some(shown), None) = (shown.next(), shown.next()) else { return Err(Refusal::Token) };
        let bearer = shown.to_str().ok().and_then(|value| value.strip_prefix("Bearer ")).ok_or(Refusal::Token)?;
        match self.access {
            Some(access) if !bearer.starts_with(GATEWAY.prefix) => self.provided(access, bearer).await,
            _ => {
                let tokens = Tokens::read(&GATEWAY, self.tokens).map_err(|error| Refusal::Ledger(error.to_string()))?;
                tokens.find(bearer, now_ms).map(Caller::from).ok_or(Refusal::Token)
            }
        }
    }

    async fn provided(&self, access: &AccessTokens, bearer: &str) -> Result<Caller, Refusal> {
        let read = access.read(bearer).await;
        let found = read.and_then(|read| Ok((access.principal(&read, self.register)?.to_string(), read)));
        let (principal, read) = found.map_err(|error| {
            // Callers learn only that it does not count.
            note(&error.to_string());
            match error {
                AccessError::Issuer(_) => Refusal::Unknowable,
                AccessError::Token(_) | AccessError::Nobody { .. } => Refusal::Token,
            }
        })?;
        let client = read.client.as_deref().unwrap_or("a client");
        // No token of ours has such a name.
        let name = format!("{client} for {principal} ({})", read.subject);
        let named = read.scopes.iter().filter_map(|scope| scope.strip_prefix(EVERYTHING)?.strip_prefix(':'));
        let connectors: BTreeSet<String> = named.map(str::to_owned).collect();
        if read.scopes.contains(EVERYTHING) {
            return Ok(Caller { name, principal, connectors: BTreeSet::new() });
        }
        // No scope at all is not every one.
        if connectors.is_empty() { Err(Refusal::Connector) } else { Ok(Caller { name, principal, connectors }) }
    }
}
