//! `sluice token`: who may call the API, and for what. What all tokens have in common is here too.

use std::path::PathBuf;

use serde_json::json;
use sluice_api::rest::scope::{Scope, is_for};
use sluice_runtime::clock::now_ms;
use sluice_runtime::ledger::random;
use sluice_runtime::tokens::{API, Kind, Token, Tokens};
use sluice_runtime::workspace::Workspace;

use crate::cli::{AddApiToken, ApiToken, Format, List, RevokeToken};
use crate::failure::{Exit, Failure};
use crate::place::known;
use crate::render::time::span;
use crate::render::{Page, Part, Tone, json as out};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// Adds, lists or revokes.
///
/// # Errors
/// [`Failure`] if a name or scope is none, or the file of tokens cannot be used.
pub fn run(command: &ApiToken) -> Result<Exit, Failure> {
    match command {
        ApiToken::Add(arguments) => add(arguments),
        ApiToken::List(arguments) => {
            let grants = |token: &Token| token.grants.iter().cloned().collect::<Vec<_>>().join(", ");
            list(&API, "scopes", arguments, grants, "nobody has a token; `sluice token add NAME` gives one out")
        }
        ApiToken::Revoke(arguments) => revoke(&API, arguments),
    }
}

fn add(arguments: &AddApiToken) -> Result<Exit, Failure> {
    let workspace = arguments.place.open()?;
    let principal = known(workspace.principals(), &arguments.principal)?;
    let kind = workspace.principals().kind(&principal);
    let scopes = arguments.scopes.iter().map(|word| {
        let scope = Scope::named(word).ok_or_else(|| {
            let all: Vec<&str> = Scope::ALL.iter().map(|scope| scope.name()).collect();
            Failure::usage(format!("SL480: there is no scope `{word}`; there are {}", all.join(", ")))
        })?;
        match kind {
            Some(kind) if is_for(scope, kind) => Ok(scope.name().to_owned()),
            Some(kind) => {
                let why = format!(
                    "SL480: `{principal}` is {}, and the scope `{word}` is not for such a principal",
                    kind.name()
                );
                Err(Failure::usage(why))
            }
            None => Err(Failure::usage(format!("`{principal}` is nobody of the register"))),
        }
    });
    let scopes = scopes.collect::<Result<_, _>>()?;
    let given = Given { name: &arguments.name, principal: &principal, days: arguments.days, format: arguments.format };
    give(&API, &workspace, &given, scopes)
}

/// What is asked for where a token is given out.
pub(super) struct Given<'a> {
    pub(super) name: &'a str,
    pub(super) principal: &'a str,
    pub(super) days: u64,
    pub(super) format: Format,
}

/// Gives one out, and shows it this once.
pub(super) fn give(
    kind: &'static Kind,
    workspace: &Workspace,
    given: &Given<'_>,
    grants: std::collections::BTreeSet<String>,
) -> Result<Exit, Failure> {
    let Given { name, principal, days, format } = given;
    let (mut tokens, file) = tokens(kind, workspace)?;
    let expires_ms = now_ms().saturating_add(days.saturating_mul(DAY_MS));
    let (token, shown) = Token::new(kind, name, principal, grants, expires_ms, &random()?);
    tokens.add(token).and_then(|()| tokens.write(&file)).map_err(|error| Failure::usage(error.to_string()))?;
    if *format == Format::Json {
        out::print(&json!({ "name": name, "principal": principal, "token": shown, "expires_ms": expires_ms }))?;
        return Ok(Exit::Fine);
    }
    let mut page = Page::of_stdout();
    page.line([Part::new(shown, Tone::Strong)]);
    page.gap();
    let words = format!("for `{name}`, in the name of `{principal}`, for {days} days. It is shown this once");
    page.hang(Vec::<Part>::new(), &[Part::new(words, Tone::Faint)]);
    page.print();
    Ok(Exit::Fine)
}

/// The tokens of a workspace, and where they are: outside of it, as its keys are.
pub(super) fn tokens(kind: &'static Kind, workspace: &Workspace) -> Result<(Tokens, PathBuf), Failure> {
    let file = workspace.home().file(kind.file);
    let tokens = Tokens::read(kind, &file).map_err(|error| Failure::usage(error.to_string()))?;
    Ok((tokens, file))
}

/// Which there are. `word` is what programs find their grants under, `grants` says them to people.
pub(super) fn list(
    kind: &'static Kind,
    word: &str,
    arguments: &List,
    grants: impl Fn(&Token) -> String,
    nobody: &'static str,
) -> Result<Exit, Failure> {
    let (tokens, _) = tokens(kind, &arguments.place.open()?)?;
    let now_ms = now_ms();
    if arguments.format == Format::Json {
        let wire = tokens.iter().map(|token| {
            json!({ "name": token.name, "principal": token.principal, word: token.grants, "expires_ms": token.expires_ms })
        });
        out::print(&wire.collect::<Vec<_>>())?;
        return Ok(Exit::Fine);
    }
    let row = |token: &Token| {
        let ends = match token.expires_ms.checked_sub(now_ms) {
            Some(left) if left > 0 => Part::new(format!("for {} more", span(left)), Tone::Faint),
            _ => Part::new("expired", Tone::Bad),
        };
        vec![
            Part::new(token.name.clone(), Tone::Strong),
            Part::new(token.principal.clone(), Tone::Plain),
            Part::new(grants(token), Tone::Accent),
            ends,
        ]
    };
    let mut page = Page::of_stdout();
    let rows: Vec<Vec<Part>> = tokens.iter().map(row).collect();
    if rows.is_empty() {
        page.line([nobody]);
    }
    page.table(0, &rows);
    page.print();
    Ok(Exit::Fine)
}

/// Takes one back.
pub(super) fn revoke(kind: &'static Kind, arguments: &RevokeToken) -> Result<Exit, Failure> {
    let (mut tokens, file) = tokens(kind, &arguments.place.open()?)?;
    tokens
        .revoke(&arguments.name)
        .and_then(|()| tokens.write(&file))
        .map_err(|error| Failure::usage(error.to_string()))?;
    let mut page = Page::of_stdout();
    page.line([Part::new("revoked ", Tone::Good), Part::new(arguments.name.clone(), Tone::Strong)]);
    page.print();
    Ok(Exit::Fine)
}
