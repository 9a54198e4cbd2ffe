//! Who asks: whoever a token was given out for, or, to look only, whoever is logged in at the console.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::Method;
use axum::http::header::{AUTHORIZATION, HeaderMap};
use axum::http::request::Parts;
use sluice_core::contract::principals::Kind;
use sluice_core::label::Name;
use sluice_policy::own::Entry;
use sluice_runtime::clock::now_ms;
use sluice_runtime::tokens::{API, Tokens};

use super::problem::Problem;
use super::scope::{Scope, is_for};
use crate::guard::Visitor;
use crate::house::House;
use crate::token::Kept;

/// Who asks, for the time of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asker {
    /// In the register.
    pub(crate) principal: Name,
    /// What that is.
    pub(crate) kind: Kind,
    scopes: BTreeSet<Scope>,
    /// What tells this token or session from every other one.
    pub(crate) holder: Kept,
}

impl Asker {
    /// How they have come in, where they want something done: by a token, with which nobody shows how surely they are known.
    pub(crate) fn entry() -> Entry {
        Entry { login: "token", ..Entry::default() }
    }

    /// Who shows a token or, to look only, a session.
    pub(crate) async fn of(house: &Arc<House>, parts: &mut Parts) -> Result<Self, Problem> {
        if parts.headers.contains_key(AUTHORIZATION) {
            return Self::by_token(house, bearer(&parts.headers)?);
        }
        let visitor = Visitor::from_request_parts(parts, house).await;
        let caller = visitor.ok().and_then(|visitor| visitor.0);
        let Some(caller) = caller else {
            return Err(Problem::nobody(
                "a token is needed: `Authorization: Bearer …`; `sluice token add` gives one out",
            ));
        };
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            return Err(Problem::nobody(
                "a session of the console is for looking; what changes something needs a token",
            ));
        }
        Ok(Self { principal: caller.person, kind: Kind::Person, scopes: [Scope::Read].into(), holder: caller.session })
    }

    fn by_token(house: &House, shown: &str) -> Result<Self, Problem> {
        let workspace = house.workspace().map_err(|why| Problem::broken(&why))?;
        // Read each time: a revoked one opens nothing more.
        let tokens = Tokens::read(&API, &workspace.home().file(API.file));
        let tokens = tokens.map_err(|error| Problem::broken(&error.to_string()))?;
        let none = || Problem::nobody("this token opens nothing: it is none of ours, expired, or was revoked");
        let token = tokens.find(shown, now_ms()).ok_or_else(none)?;
        // What the register says now, and not what it said when the token was given out.
        let kind = workspace.principals().kind(&token.principal).ok_or_else(none)?;
        let scopes = token.grants.iter().filter_map(|word| Scope::named(word)).filter(|scope| is_for(*scope, kind));
        let holder = token.digest().0;
        Ok(Self { principal: token.principal.as_str().into(), kind, scopes: scopes.collect(), holder })
    }

    /// Whether this may be asked with it.
    pub(crate) fn may(&self, scope: Scope) -> Result<(), Problem> {
        if self.scopes.contains(&scope) {
            return Ok(());
        }
        let why = if is_for(scope, self.kind) {
            format!("this token has no scope `{}`", scope.name())
        } else {
            format!("`{}` is {}, and `{}` is not for such a principal", self.principal, self.kind.name(), scope.name())
        };
        Err(Problem::not_for_that(why))
    }

    /// Whether a person asks.
    pub(crate) const fn is_person(&self) -> bool {
        matches!(self.kind, Kind::Person)
    }
}

/// The one token that is shown.
fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut shown = headers.get_all(AUTHORIZATION).iter();
    let one = shown.next().filter(|_| shown.next().is_none()).and_then(|value| value.to_str().ok());
    let token = one.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    token.map(|(_, token)| token.trim()).ok_or_else(|| Problem::nobody("one token is shown: `Authorization: Bearer …`"))
}

impl<S: Send + Sync> FromRequestParts<S> for Asker {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Problem::nobody("nobody asks"))
    }
}
