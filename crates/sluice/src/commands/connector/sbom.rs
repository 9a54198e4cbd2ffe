//! `sluice connector sbom`: what a workspace's contracts call and what they are made of, as CycloneDX 1.6.
//!
//! The same files give the same bytes: no time, no random serial number. Source: ECMA-424, CycloneDX 1.6, JSON.

use serde_json::{Map, Value as Json, json};
use sluice_core::contract::bundle::BundleFiles;
use sluice_core::contract::connector::{HttpTransport, McpTransport, Transport};
use sluice_core::contract::lock::Pins;
use sluice_core::contract::{Contract, Digest, Governance};
use sluice_core::label::Name;
use sluice_runtime::workspace::{Workspace, read_bundle, read_governance, read_principals};

use super::package;
use crate::cli::Place;
use crate::failure::{Exit, Failure};
use crate::render::json as out;

/// Writes the bill of materials of the workspace as it is on the disk, signed or not.
pub(super) fn run(place: &Place) -> Result<Exit, Failure> {
    let folder = place.folder()?;
    let files = read_bundle(&folder)?;
    let governance = read_governance(&files, &read_principals(&folder)?)?;
    out::print(&bill(&files, &governance, Workspace::open(&folder).is_ok()))?;
    Ok(Exit::Fine)
}

fn bill(files: &BundleFiles, governance: &Governance, is_signed: bool) -> Json {
    let (mut components, mut services) = (Vec::new(), Vec::new());
    for contract in &governance.contracts {
        match &contract.transport {
            Transport::Mcp(McpTransport::Command { command, .. }) => {
                let pins = governance.lock.connectors.get(&contract.connector.value);
                components.push(server(contract, command, pins));
            }
            Transport::Mcp(McpTransport::Url { http, headers }) => {
                let pins = governance.lock.connectors.get(&contract.connector.value);
                services.push(remote(contract, http, !headers.is_empty(), pins));
            }
            Transport::Http(http) | Transport::Model { http, .. } => services.push(service(contract, http)),
            Transport::Sql { database } => components.push(data(contract, database)),
            Transport::Files { folder, .. } => components.push(data(contract, folder)),
        }
    }
    components.extend(files.iter().map(|(path, bytes)| {
        let hashes = json!([{ "alg": "SHA-256", "content": Digest::of(bytes).to_string() }]);
        json!({ "type": "file", "bom-ref": format!("file/{path}"), "name": path, "hashes": hashes })
    }));
    let connectors: Vec<String> = governance.contracts.iter().map(reference).collect();
    let contains =
        |contract: &Contract| json!({ "ref": reference(contract), "dependsOn": [format!("file/{}", contract.file)] });
    let mut dependencies = vec![json!({ "ref": "workspace", "dependsOn": connectors })];
    dependencies.extend(governance.contracts.iter().map(contains));
    let properties = [("sluice:bundle", files.digest().to_string()), ("sluice:signed", is_signed.to_string())];
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": { "components": [{ "type": "application", "name": "sluice", "version": env!("CARGO_PKG_VERSION") }] },
            "component": {
                "type": "application",
                "bom-ref": "workspace",
                "name": governance.workspace.name.value.as_ref(),
                "properties": named(properties),
            },
        },
        "components": components,
        "services": services,
        "dependencies": dependencies,
    })
}

fn reference(contract: &Contract) -> String {
    format!("connector/{}", contract.connector.value)
}

/// A server that is started: the package that its launcher fetches, or else its program.
fn server(contract: &Contract, command: &[Name], pins: Option<&Pins>) -> Json {
    // Not what it is given: that may hold secrets, and a bill of materials is for others to read.
    let program = command.first().map_or("", AsRef::as_ref);
    let mut said = Map::new();
    match package::of(command) {
        Some(package) => {
            said.insert("purl".to_owned(), package.url().into());
            said.insert("name".to_owned(), package.name.into());
            said.extend(package.version.map(|version| ("version".to_owned(), version.into())));
        }
        None => {
            said.insert("name".to_owned(), program.into());
            let version = pins.and_then(|pins| pins.server.version.as_deref());
            said.extend(version.map(|version| ("version".to_owned(), version.into())));
        }
    }
    let properties = named([("sluice:program".to_owned(), program.to_owned())].into_iter().chain(tools(pins)));
    said.insert("type".to_owned(), "application".into());
    said.insert("bom-ref".to_owned(), reference(contract).into());
    said.insert("properties".to_owned(), properties);
    said.into()
}

/// What is pinned of a server's tools.
fn tools(pins: Option<&Pins>) -> impl Iterator<Item = (String, String)> {
    let tools = pins.into_iter().flat_map(|pins| &pins.tools);
    tools.map(|(name, pin)| (format!("sluice:tool:{name}"), format!("sha256:{}", pin.digest())))
}

/// A server that is reached by its address.
fn remote(contract: &Contract, http: &HttpTransport, is_authenticated: bool, pins: Option<&Pins>) -> Json {
    json!({
        "bom-ref": reference(contract),
        "name": contract.connector.value.as_ref(),
        "endpoints": [http.base.value.as_ref()],
        "authenticated": is_authenticated,
        "x-trust-boundary": true,
        "properties": named(tools(pins)),
    })
}

fn service(contract: &Contract, http: &HttpTransport) -> Json {
    let scopes = contract.credential.iter().flat_map(|credential| &credential.scopes);
    json!({
        "bom-ref": reference(contract),
        "name": contract.connector.value.as_ref(),
        "endpoints": [http.base.value.as_ref()],
        "authenticated": contract.credential.is_some(),
        "x-trust-boundary": true,
        "properties": named(scopes.map(|scope| ("sluice:scope", scope.to_string()))),
    })
}

fn data(contract: &Contract, name: &str) -> Json {
    json!({ "type": "data", "bom-ref": reference(contract), "name": name })
}

fn named<K: Into<String>>(properties: impl IntoIterator<Item = (K, String)>) -> Json {
    properties.into_iter().map(|(name, value)| json!({ "name": name.into(), "value": value })).collect()
}
