//! The files of a new workspace, as `sluice init` writes them.
//!
//! They are commented defaults that a check accepts: nothing leaves, nobody but one person owns anything, and one
//! workflow runs without a network. Editors find the schemas of the YAML files under `.sluice/schemas`.

use sluice_policy::{DEFAULT_SOURCES, DEFAULT_TESTS};

macro_rules! template {
    ($path:literal) => {
        ($path, include_str!(concat!("../templates/init/", $path)))
    };
}

macro_rules! schema {
    ($name:literal) => {
        (concat!(".sluice/schemas/", $name), include_str!(concat!("../../../docs/schemas/", $name)))
    };
}

const TEMPLATES: [(&str, &str); 12] = [
    template!("workspace.yaml"),
    template!("registers/classification.yaml"),
    template!("registers/purposes.yaml"),
    template!("registers/regions.yaml"),
    template!("registers/destinations.yaml"),
    template!("registers/releases.yaml"),
    template!("registers/budgets.yaml"),
    template!("registers/principals.yaml"),
    template!("connectors/greetings.yaml"),
    template!("connectors/service-desk.yaml"),
    template!("workflows/hello.yaml"),
    template!("data/.gitignore"),
];

const SCHEMAS: [(&str, &str); 10] = [
    schema!("budgets.json"),
    schema!("classification.json"),
    schema!("contract.json"),
    schema!("destinations.json"),
    schema!("policy-test.json"),
    schema!("principals.json"),
    schema!("purposes.json"),
    schema!("regions.json"),
    schema!("releases.json"),
    schema!("workspace.json"),
];

/// Every file of a new workspace: its path with `/` between the parts, and its content.
///
/// Not among them: keys, signatures and the id, which are made on the spot.
#[must_use]
pub fn files() -> Vec<(String, &'static str)> {
    let policies =
        DEFAULT_SOURCES.into_iter().chain([DEFAULT_TESTS]).map(|(name, text)| (format!("policies/{name}"), text));
    let named = TEMPLATES.into_iter().chain(SCHEMAS).map(|(path, text)| (path.to_owned(), text));
    named.chain(policies).collect()
}
