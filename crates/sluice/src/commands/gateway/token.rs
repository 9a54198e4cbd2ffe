//! `sluice gateway token`: who may call the HTTP face.

use sluice_core::contract::Contract;
use sluice_core::contract::connector::Transport;
use sluice_runtime::tokens::{GATEWAY, Token};

use crate::cli::{AddToken, Token as Command};
use crate::commands::run::requester;
use crate::commands::token::{Given, give, list, revoke};
use crate::failure::{Exit, Failure};
use crate::place::known;

/// Adds, lists or revokes.
///
/// # Errors
/// [`Failure`] if a name is none, or the file of tokens cannot be used.
pub(super) fn run(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Add(arguments) => add(arguments),
        Command::List(arguments) => {
            let nobody = "nobody has a token; `sluice gateway token add NAME` gives one out";
            list(&GATEWAY, "connectors", arguments, connectors, nobody)
        }
        Command::Revoke(arguments) => revoke(&GATEWAY, arguments),
    }
}

fn connectors(token: &Token) -> String {
    let names: Vec<&str> = token.grants.iter().map(String::as_str).collect();
    if names.is_empty() { "every connector".to_owned() } else { names.join(", ") }
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
    let given = Given { name: &arguments.name, principal: &principal, days: arguments.days, format: arguments.format };
    give(&GATEWAY, &workspace, &given, arguments.connector.iter().cloned().collect())
}
