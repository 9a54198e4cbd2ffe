//! `sluice gateway`: between an agent and a server of the Model Context Protocol.

mod http;
mod token;
mod until;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use sluice_connectors::mcp::{Program, Variable};
use sluice_connectors::secret::{SecretStore, WorkspaceKey};
use sluice_core::contract::Contract;
use sluice_core::contract::connector::{McpTransport, Transport, Variable as Named};
use sluice_core::label::Name;
use sluice_gateway::proxy::{self, ProxyError, Setup, Terms};
use sluice_gateway::several;
use sluice_runtime::session::Mandate;
use sluice_runtime::workspace::{SECRETS_FILE, Workspace};
use tokio::io::BufReader;

use crate::cli::{Face, Gateway, Stdio};
use crate::commands::run::requester;
use crate::failure::{Exit, Failure};
use crate::place::{known, read};
use until::{Until, asked_to_end};

/// Runs until the agent or the server leaves.
///
/// # Errors
/// [`Failure`] if it cannot begin, or the ledger takes no more entries.
pub fn run(arguments: &Gateway) -> Result<Exit, Failure> {
    match &arguments.face {
        None => stdio(&arguments.stdio),
        Some(Face::Http(arguments)) => http::run(arguments),
        Some(Face::Token(command)) => token::run(command),
    }
}

fn stdio(arguments: &Stdio) -> Result<Exit, Failure> {
    let opened = arguments.place.open_with_ledger()?;
    let workspace = &opened.workspace;
    let request = match &arguments.request {
        Some(file) => Some(text(&read(file, "request")?, file)?),
        None => None,
    };
    let principal = requester(workspace, arguments.principal.as_deref())?;
    let principal = known(workspace.principals(), &principal)?;
    let servers = servers(workspace, arguments)?;
    let mandate = Mandate { principal, request, client: None };
    let key = WorkspaceKey::read(&workspace.home().workspace_key(), workspace.folder())?;
    let secrets = SecretStore::new(workspace.folder().join(SECRETS_FILE), key);
    let (ledger, console) = (&opened.ledger, arguments.console.clone());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::internal(&error))?;
    let ended = runtime.block_on(async {
        let input = Until::new(BufReader::new(tokio::io::stdin()), asked_to_end());
        match <[(Name, Program); 1]>::try_from(servers) {
            Ok([(connector, program)]) => {
                let setup = Setup { workspace, ledger, connector, program, mandate, console };
                proxy::run(setup, &secrets, input, tokio::io::stdout()).await
            }
            Err(servers) => {
                let terms = Terms { workspace, ledger, mandate, console };
                several::run(terms, servers, &secrets, (input, tokio::io::stdout())).await
            }
        }
    });
    // A thread may still wait for input that never comes.
    runtime.shutdown_background();
    match ended {
        Ok(()) => Ok(Exit::Fine),
        Err(error @ (ProxyError::Start(_) | ProxyError::Names(_))) => Err(Failure::usage(error.to_string())),
        Err(error) => Err(Failure::internal(&error)),
    }
}

fn text(bytes: &[u8], file: &Path) -> Result<String, Failure> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Failure::usage(format!("the request `{}` is no UTF-8 text", file.display())))?;
    Ok(text.to_owned())
}

/// The servers by their names: the one that the command starts, or those that contracts do.
fn servers(workspace: &Workspace, arguments: &Stdio) -> Result<Vec<(Name, Program)>, Failure> {
    match (arguments.command.as_slice(), arguments.connector.as_slice()) {
        ([], names) => names.iter().map(|name| contracted(workspace, name)).collect(),
        (command, []) => Ok(vec![server(workspace, command, None)?]),
        (command, [name]) => Ok(vec![server(workspace, command, Some(name))?]),
        _ => Err(Failure::usage("a command starts one server; of several name the connectors and no command")),
    }
}

/// A server as its contract starts it.
fn contracted(workspace: &Workspace, name: &str) -> Result<(Name, Program), Failure> {
    let contracts = &workspace.governance().contracts;
    let Some(contract) = contracts.iter().find(|contract| contract.connector.value.as_ref() == name) else {
        return Err(Failure::usage(format!(
            "no contract says how `{name}` is started; draft one with `sluice connector add mcp {name} -- CMD`, or give the \
             command after `--`"
        )));
    };
    let program =
        program(contract).ok_or_else(|| Failure::usage(format!("the contract of `{name}` is of no mcp server")))?;
    Ok((contract.connector.value.clone(), program))
}

/// The name of the server, and how it is started: as its contract says, or bare if none does.
fn server(workspace: &Workspace, command: &[OsString], named: Option<&str>) -> Result<(Name, Program), Failure> {
    let contracts = &workspace.governance().contracts;
    let found = match named {
        Some(name) => contracts.iter().find(|contract| contract.connector.value.as_ref() == name),
        None => contracts.iter().find(|contract| mcp(contract).is_some_and(|mcp| is_command(mcp, command))),
    };
    let Some(contract) = found else {
        let name = named.map_or_else(|| name_of(command), str::to_owned);
        if contracts.iter().any(|contract| contract.connector.value.as_ref() == name) {
            return Err(Failure::usage(format!(
                "`{name}` is a connector of this workspace with another command; name this server with --connector"
            )));
        }
        return Ok((name.as_str().into(), Program::bare(command.to_vec())));
    };
    let name = contract.connector.value.clone();
    let mcp = mcp(contract).ok_or_else(|| Failure::usage(format!("the contract of `{name}` is of no mcp server")))?;
    if !is_command(mcp, command) {
        let words: Vec<&str> = mcp.command.iter().map(AsRef::as_ref).collect();
        return Err(Failure::usage(format!("the contract of `{name}` pins another command: {}", words.join(" "))));
    }
    Ok((name, Program { command: command.to_vec(), environment: environment(mcp) }))
}

/// The program of a contract, as it is started for its connector; `None` if it is of no server.
pub(super) fn program(contract: &Contract) -> Option<Program> {
    let mcp = mcp(contract)?;
    let command = mcp.command.iter().map(|word| OsString::from(word.as_ref())).collect();
    Some(Program { command, environment: environment(mcp) })
}

const fn mcp(contract: &Contract) -> Option<&McpTransport> {
    match &contract.transport {
        Transport::Mcp(mcp) => Some(mcp),
        _ => None,
    }
}

fn is_command(mcp: &McpTransport, command: &[OsString]) -> bool {
    mcp.command.len() == command.len() && mcp.command.iter().zip(command).all(|(word, given)| given == word.as_ref())
}

/// What the contract names, and the search path: nothing else of the gateway's own.
fn environment(mcp: &McpTransport) -> BTreeMap<String, Variable> {
    let inherited = |name: &str| std::env::var_os(name).map(Variable::Plain);
    let mut environment: BTreeMap<String, Variable> = BTreeMap::new();
    environment.extend(inherited("PATH").map(|path| ("PATH".to_owned(), path)));
    for (name, variable) in &mcp.environment {
        let value = match variable {
            Named::Text(text) => Some(Variable::Plain(OsString::from(text.as_ref()))),
            Named::Inherited => inherited(name),
            Named::Secret(secret) => Some(Variable::Secret(secret.to_string())),
        };
        environment.extend(value.map(|value| (name.to_string(), value)));
    }
    environment
}

/// A name for a server that has none: the first word of its command that is neither a launcher nor an option.
fn name_of(command: &[OsString]) -> String {
    const LAUNCHERS: [&str; 12] =
        ["npx", "node", "npm", "exec", "bunx", "bun", "deno", "run", "python", "python3", "uvx", "uv"];
    // What half of all programs are called.
    const PLAIN: [&str; 6] = ["index", "main", "dist", "build", "src", "bin"];
    let is_telling = |part: &String| !part.is_empty() && !PLAIN.contains(&part.as_str());
    let words = command.iter().map(|word| word.to_string_lossy()).filter(|word| !word.starts_with('-'));
    let parts = words.map(|word| {
        let mut parts = word.rsplit(['/', '\\']).map(stem).peekable();
        let is_launcher = parts.peek().is_some_and(|last| LAUNCHERS.contains(&last.as_str()));
        if is_launcher { String::new() } else { parts.find(is_telling).unwrap_or_default() }
    });
    let found = parts.into_iter().find(is_telling);
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' };
    let name: String = found.unwrap_or_default().chars().map(plain).take(60).collect();
    let name = name.trim_start_matches(['-', '_']);
    if name.is_empty() { "tools".to_owned() } else { name.to_owned() }
}

/// A part of a path without its ending, a package without its version.
fn stem(part: &str) -> String {
    let package = part.split('@').next().unwrap_or_default();
    package.split('.').next().unwrap_or_default().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_without_a_contract_is_named_after_its_program() {
        for (name, command) in [
            ("server-filesystem", "npx -y @modelcontextprotocol/server-filesystem /srv"),
            ("server-filesystem", "npx -y @modelcontextprotocol/server-filesystem@2026.8.31 /srv"),
            ("server-filesystem", "node node_modules/server-filesystem/dist/index.js /srv"),
            ("world", "/usr/bin/python3 /tmp/world.py --mail"),
            ("tools", "node --inspect"),
            ("my-server", "/opt/My-Server.exe"),
        ] {
            let command: Vec<OsString> = command.split(' ').map(OsString::from).collect();
            assert_eq!(name_of(&command), name);
        }
    }
}
