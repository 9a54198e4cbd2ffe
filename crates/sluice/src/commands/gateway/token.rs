//! `sluice gateway token`: who may call the HTTP face.

use std::path::PathBuf;

use serde_json::json;
use sluice_core::contract::Contract;
use sluice_core::contract::connector::Transport;
use sluice_runtime::clock::now_ms;
use sluice_runtime::ledger::random;
use sluice_runtime::tokens::{GATEWAY, Token, Tokens};
use sluice_runtime::workspace::Workspace;

use crate::cli::{AddToken, Format, List, RevokeToken, Token as Command};
use crate::commands::run::requester;
use crate::failure::{Exit, Failure};
use crate::place::known;
use crate::render::time::span;
use crate::render::{Page, Part, Tone, json as out};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// Adds, lists or revokes.
///
/// # Errors
/// [`Failure`] if a name is none, or the file of tokens cannot be used.
pub(super) fn run(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Add(arguments) => add(arguments),
        Command::List(arguments) => list(arguments),
        Command::Revoke(arguments) => revoke(arguments),
    }
}

/// The tokens of a workspace, and where they are: outside of it, as its keys are.
pub(super) fn tokens(workspace: &Workspace) -> Result<(Tokens, PathBuf), Failure> {
    let file = workspace.home().file(GATEWAY.file);
    let tokens = Tokens::read(&GATEWAY, &file).map_err(|error| Failure::usage(error.to_string()))?;
    Ok((tokens, file))
}

fn add(arguments: &AddToken) -> Result<Exit, Failure> {
    let workspace = arguments.place.open()?;
    let principal = requester(&workspace, arguments.principal.as_deref())?;
    let principal = known(workspace.principals(), &principal)?;
    let contracts = &workspace.governance().contracts;
    for name in &arguments.connector {
        let contract = contracts.iter().find(|contract| contract.connector.value.as_ref() == name);
        let is_reached = |contract: &Contract| {
            matches!(contract.transport, Transport::Mcp(_)) || contract.transport.http().is_some()
        };
        if !contract.is_some_and(is_reached) {
            return Err(Failure::usage(format!(
                "`{name}` is no connector of this workspace that HTTP calls or agents reach"
            )));
        }
    }
    let (mut tokens, file) = tokens(&workspace)?;
    let expires_ms = now_ms().saturating_add(arguments.days.saturating_mul(DAY_MS));
    let connectors = arguments.connector.iter().cloned().collect();
    let (token, shown) = Token::new(&GATEWAY, &arguments.name, &principal, connectors, expires_ms, &random()?);
    tokens.add(token).and_then(|()| tokens.write(&file)).map_err(|error| Failure::usage(error.to_string()))?;
    if arguments.format == Format::Json {
        out::print(
            &json!({ "name": arguments.name, "principal": principal, "token": shown, "expires_ms": expires_ms }),
        )?;
        return Ok(Exit::Fine);
    }
    let mut page = Page::of_stdout();
    page.line([Part::new(shown, Tone::Strong)]);
    page.gap();
    page.hang(
        Vec::<Part>::new(),
        &[Part::new(
            format!(
                "for `{}`, in the name of `{principal}`, for {} days. It is shown this once",
                arguments.name, arguments.days
            ),
            Tone::Faint,
        )],
    );
    page.print();
    Ok(Exit::Fine)
}

fn list(arguments: &List) -> Result<Exit, Failure> {
    let (tokens, _) = tokens(&arguments.place.open()?)?;
    let now_ms = now_ms();
    if arguments.format == Format::Json {
        let wire = tokens.iter().map(|token| {
            json!({ "name": token.name, "principal": token.principal, "connectors": token.grants, "expires_ms": token.expires_ms })
        });
        out::print(&wire.collect::<Vec<_>>())?;
        return Ok(Exit::Fine);
    }
    let mut page = Page::of_stdout();
    let rows: Vec<Vec<Part>> = tokens
        .iter()
        .map(|token| {
            let connectors: Vec<&str> = token.grants.iter().map(String::as_str).collect();
            let connectors = if connectors.is_empty() { "every connector".to_owned() } else { connectors.join(", ") };
            let ends = match token.expires_ms.checked_sub(now_ms) {
                Some(left) if left > 0 => Part::new(format!("for {} more", span(left)), Tone::Faint),
                _ => Part::new("expired", Tone::Bad),
            };
            vec![
                Part::new(token.name.clone(), Tone::Strong),
                Part::new(token.principal.clone(), Tone::Plain),
                Part::new(connectors, Tone::Accent),
                ends,
            ]
        })
        .collect();
    if rows.is_empty() {
        page.line(["nobody has a token; `sluice gateway token add NAME` gives one out"]);
    }
    page.table(0, &rows);
    page.print();
    Ok(Exit::Fine)
}

fn revoke(arguments: &RevokeToken) -> Result<Exit, Failure> {
    let (mut tokens, file) = tokens(&arguments.place.open()?)?;
    tokens
        .revoke(&arguments.name)
        .and_then(|()| tokens.write(&file))
        .map_err(|error| Failure::usage(error.to_string()))?;
    let mut page = Page::of_stdout();
    page.line([Part::new("revoked ", Tone::Good), Part::new(arguments.name.clone(), Tone::Strong)]);
    page.print();
    Ok(Exit::Fine)
}
