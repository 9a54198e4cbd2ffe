//! `sluice gateway`: between an agent and a server of the Model Context Protocol.

mod http;
mod pipes;
mod rules;
mod token;
pub(crate) mod until;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use sluice_connectors::egress::Scheme;
use sluice_connectors::mcp::Program;
use sluice_connectors::secret::{SecretStore, WorkspaceKey};
use sluice_core::contract::Contract;
use sluice_core::contract::connector::{McpTransport, Transport};
use sluice_core::label::Name;
use sluice_gateway::proxy::{self, ProxyError, Setup, Terms};
use sluice_gateway::several;
use sluice_gateway::upstream::{Shown, Upstream};
use sluice_runtime::home::Home;
use sluice_runtime::session::Mandate;
use sluice_runtime::workspace::{OpenError, SECRETS_FILE, Workspace};
use tokio::io::BufReader;

use crate::cli::{Face, Gateway, Stdio};
use crate::commands::run::requester;
use crate::failure::{Exit, Failure};
use crate::place::{known, read};
use rules::Rules;
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
    let folder = arguments.place.folder()?;
    let rules = Rules::of(folder.clone(), Home::of(&folder).map_err(OpenError::from)?);
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
    // One session, of which one call at a time is asked about.
    ledger.commit_in_place();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::internal(&error))?;
    let ended = runtime.block_on(async {
        let (from, output) = pipes::of_agent();
        let input = Until::new(BufReader::new(from), over(rules));
        match <[(Name, Upstream); 1]>::try_from(servers) {
            Ok([(connector, upstream)]) => {
                let setup = Setup { workspace, ledger, connector, upstream, mandate, console };
                proxy::run(setup, &secrets, input, output).await
            }
            Err(servers) => {
                let terms = Terms { workspace, ledger, mandate, console };
                several::run(terms, servers, &secrets, (input, output)).await
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

/// Done when the session is over before its agent leaves: the process is asked to end, or other rules count. A right that was
/// taken away does not stay until somebody thinks of it.
async fn over(rules: Rules) {
    tokio::select! {
        () = asked_to_end() => {}
        () = rules.changed() => {
            eprintln!("sluice gateway: the rules are others now, and this session was under those of before: start it again");
        }
    }
}

fn text(bytes: &[u8], file: &Path) -> Result<String, Failure> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Failure::usage(format!("the request `{}` is no UTF-8 text", file.display())))?;
    Ok(text.to_owned())
}

/// The servers by their names: the one that is given, or those that contracts name.
fn servers(workspace: &Workspace, arguments: &Stdio) -> Result<Vec<(Name, Upstream)>, Failure> {
    let is_given = !arguments.command.is_empty() || arguments.url.is_some();
    match arguments.connector.as_slice() {
        names if !is_given => names.iter().map(|name| contracted(workspace, name)).collect(),
        [] => Ok(vec![server(workspace, arguments, None)?]),
        [name] => Ok(vec![server(workspace, arguments, Some(name))?]),
        _ => Err(Failure::usage(
            "a command or URL is of one server; of several name the connectors and neither command nor URL",
        )),
    }
}

/// A server as its contract has it.
fn contracted(workspace: &Workspace, name: &str) -> Result<(Name, Upstream), Failure> {
    let contracts = &workspace.governance().contracts;
    let Some(contract) = contracts.iter().find(|contract| contract.connector.value.as_ref() == name) else {
        return Err(Failure::usage(format!(
            "no contract says how `{name}` is started; draft one with `sluice connector add mcp {name} -- CMD`, or give the \
             command after `--`"
        )));
    };
    let upstream = Upstream::of(contract)
        .ok_or_else(|| Failure::usage(format!("the contract of `{name}` is of no mcp server")))?;
    Ok((contract.connector.value.clone(), upstream))
}

/// The name of the server, and how it is reached: as its contract says, or bare if none does.
fn server(workspace: &Workspace, arguments: &Stdio, named: Option<&str>) -> Result<(Name, Upstream), Failure> {
    let contracts = &workspace.governance().contracts;
    let found = match named {
        Some(name) => contracts.iter().find(|contract| contract.connector.value.as_ref() == name),
        None => contracts.iter().find(|contract| mcp(contract).is_some_and(|mcp| is_meant(mcp, arguments))),
    };
    let Some(contract) = found else {
        let name = named.map_or_else(|| name_of(arguments), str::to_owned);
        if contracts.iter().any(|contract| contract.connector.value.as_ref() == name) {
            return Err(Failure::usage(format!(
                "`{name}` is a connector of this workspace with another server; name this one with --connector"
            )));
        }
        return Ok((name.as_str().into(), bare(arguments)?));
    };
    let name = contract.connector.value.clone();
    let no_server = || Failure::usage(format!("the contract of `{name}` is of no mcp server"));
    let mcp = mcp(contract).ok_or_else(no_server)?;
    if !is_meant(mcp, arguments) {
        let pinned = match mcp {
            McpTransport::Command { command, .. } => command.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(" "),
            McpTransport::Url { http, .. } => http.base.value.to_string(),
        };
        return Err(Failure::usage(format!("the contract of `{name}` pins another command: {pinned}")));
    }
    let upstream = Upstream::of(contract).ok_or_else(no_server)?;
    Ok((name, upstream))
}

const fn mcp(contract: &Contract) -> Option<&McpTransport> {
    match &contract.transport {
        Transport::Mcp(mcp) => Some(mcp),
        _ => None,
    }
}

/// Whether a contract is of the server that is meant.
fn is_meant(mcp: &McpTransport, arguments: &Stdio) -> bool {
    match (mcp, &arguments.url) {
        (McpTransport::Command { command, .. }, None) => {
            let given = &arguments.command;
            command.len() == given.len() && command.iter().zip(given).all(|(word, given)| given == word.as_ref())
        }
        (McpTransport::Url { http, .. }, Some(url)) => *http.base.value == *url.trim_end_matches('/'),
        _ => false,
    }
}

/// A server that no contract describes: it is shown no secret.
fn bare(arguments: &Stdio) -> Result<Upstream, Failure> {
    match &arguments.url {
        None => Ok(Upstream::Program(Program::bare(arguments.command.clone()))),
        Some(url) => service(url, arguments.allow_private, BTreeMap::new()),
    }
}

/// A server at a URL, which has the form that contracts give it.
pub(super) fn service(url: &str, allow_private: bool, headers: BTreeMap<String, Shown>) -> Result<Upstream, Failure> {
    let service = Upstream::service(url.trim_end_matches('/'), allow_private, headers)
        .map_err(|error| Failure::usage(format!("{}: {error}; {}", error.code(), error.help())))?;
    if service.base.scheme == Scheme::Http && !allow_private {
        return Err(Failure::usage(format!(
            "`{url}`: plain `http` reaches private addresses only; see --allow-private"
        )));
    }
    Ok(Upstream::Service(Box::new(service)))
}

/// A name for a server that has none.
fn name_of(arguments: &Stdio) -> String {
    arguments.url.as_deref().map_or_else(|| name_of_command(&arguments.command), name_of_url)
}

/// The part of a host that tells it from others: `linear` of `https://mcp.linear.app/mcp`.
fn name_of_url(url: &str) -> String {
    const PLAIN: [&str; 4] = ["mcp", "api", "www", "localhost"];
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest).split('/').next().unwrap_or_default();
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let mut labels: Vec<&str> = host.split('.').collect();
    if labels.len() > 1 {
        labels.pop();
    }
    let is_telling = |label: &&&str| !PLAIN.contains(*label) && label.starts_with(|c: char| c.is_ascii_alphabetic());
    labels.iter().rfind(is_telling).map_or_else(|| "tools".to_owned(), |label| (*label).to_owned())
}

/// The first word of a command that is neither a launcher nor an option.
fn name_of_command(command: &[OsString]) -> String {
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
    fn a_server_at_a_url_is_named_after_its_host() {
        for (name, url) in [
            ("linear", "https://mcp.linear.app/mcp"),
            ("githubcopilot", "https://api.githubcopilot.com/mcp"),
            ("example", "https://example.com:8443"),
            ("intranet", "http://intranet:3001/mcp"),
            ("tools", "http://127.0.0.1:3001/mcp"),
            ("tools", "http://localhost:3001/mcp"),
            ("tools", "http://[::1]:3001/mcp"),
        ] {
            assert_eq!(name_of_url(url), name);
        }
    }

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
            assert_eq!(name_of_command(&command), name);
        }
    }
}
