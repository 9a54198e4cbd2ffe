//! The workspaces in which the stories play: those of `examples/`, with the addresses and keys of one demo filled in.
//!
//! The examples are complete as they stand, so `sluice check` reads them; they name fixed ports and no keys, because
//! both are made anew each time the demo starts.

use std::collections::BTreeMap;

use sluice_policy::DEFAULT_SOURCES;

/// One of the two stories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Story {
    /// The report that takes along more than was asked for.
    Report,
    /// The ticket whose text asks for more than its author may have.
    Ticket,
}

/// The services, and the addresses that stand for them in the examples' contracts.
pub const PLACEHOLDERS: [(&str, &str); 5] = [
    ("crm", "http://127.0.0.1:7001"),
    ("sheets", "http://127.0.0.1:7002"),
    ("directory", "http://127.0.0.1:7003"),
    ("tickets", "http://127.0.0.1:7004"),
    ("model", "http://127.0.0.1:7005"),
];

/// The services, and the secrets under which the contracts expect their tokens.
pub const SECRETS: [(&str, &str); 5] = [
    ("crm", "crm-token"),
    ("sheets", "sheets-token"),
    ("directory", "directory-token"),
    ("tickets", "tickets-token"),
    ("model", "model-token"),
];

macro_rules! example {
    ($story:literal, $path:literal) => {
        ($path, include_str!(concat!("../../../../examples/", $story, "/", $path)))
    };
}

const REPORT: [(&str, &str); 12] = [
    example!("report", "connectors/crm.yaml"),
    example!("report", "connectors/sheets.yaml"),
    example!("report", "registers/classification.yaml"),
    example!("report", "registers/destinations.yaml"),
    example!("report", "registers/principals.yaml"),
    example!("report", "registers/purposes.yaml"),
    example!("report", "registers/regions.yaml"),
    example!("report", "registers/releases.yaml"),
    example!("report", "workflows/report-redacted.yaml"),
    example!("report", "workflows/report-reduced.yaml"),
    example!("report", "workflows/report.yaml"),
    example!("report", "workspace.yaml"),
];

const TICKET: [(&str, &str); 11] = [
    example!("ticket", "connectors/assistant.yaml"),
    example!("ticket", "connectors/directory.yaml"),
    example!("ticket", "connectors/tickets.yaml"),
    example!("ticket", "registers/classification.yaml"),
    example!("ticket", "registers/destinations.yaml"),
    example!("ticket", "registers/principals.yaml"),
    example!("ticket", "registers/purposes.yaml"),
    example!("ticket", "registers/regions.yaml"),
    example!("ticket", "registers/releases.yaml"),
    example!("ticket", "workflows/ticket.yaml"),
    example!("ticket", "workspace.yaml"),
];

impl Story {
    /// Every file of the workspace, as it stands in `examples/`: its path and its content.
    #[must_use]
    pub fn files(self) -> Vec<(String, &'static str)> {
        let own: &[(&str, &str)] = match self {
            Self::Report => &REPORT,
            Self::Ticket => &TICKET,
        };
        let policies = DEFAULT_SOURCES.into_iter().map(|(name, text)| (format!("policies/{name}"), text));
        own.iter().map(|(path, text)| ((*path).to_owned(), *text)).chain(policies).collect()
    }

    /// The files with the services' addresses (`crm`: `http://127.0.0.1:40123`) and people's public key lines in place.
    #[must_use]
    pub fn filled(self, addresses: &BTreeMap<&str, String>, keys: &BTreeMap<&str, String>) -> Vec<(String, String)> {
        let files = self.files().into_iter();
        files.map(|(path, text)| (path, with_keys(with_addresses(text.to_owned(), addresses), keys))).collect()
    }
}

fn with_addresses(text: String, addresses: &BTreeMap<&str, String>) -> String {
    PLACEHOLDERS.into_iter().fold(text, |text, (service, placeholder)| match addresses.get(service) {
        Some(address) => text.replace(placeholder, address),
        None => text,
    })
}

/// In the principals register each person's line ends in a comment that says where their key goes.
fn with_keys(text: String, keys: &BTreeMap<&str, String>) -> String {
    keys.iter().fold(text, |text, (person, key)| {
        text.replace(&format!(" }} # key of {person}\n"), &format!(", keys: [\"{key}\"] }}\n"))
    })
}
