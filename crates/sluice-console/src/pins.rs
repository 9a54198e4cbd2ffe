//! What people have seen of a connector's server, and what it did since that its contract does not say.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use serde_json::Value as Json;
use similar::{ChangeTag, TextDiff};
use sluice_core::contract::connector::{ActionContract, Contract, McpTransport, Request, Transport};
use sluice_core::contract::lock::{Pin, Pins, sorted};
use sluice_core::label::Name;
use sluice_ledger::EntryKind;
use sluice_render::markup::{Message, Seen};
use sluice_runtime::drift::{Drift, Drifts};
use sluice_runtime::incident::{Broken, Incident};
use sluice_runtime::stop::Stop;
use sluice_store::{Page, Query};

use crate::page::Asking;
use crate::problem::Problem;
use crate::words::ago;

/// Incidents that are looked through for the last one of each connector.
const LATELY: u64 = 500;

/// How a connector stands beside what was pinned and promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stands {
    /// It broke its contract, lately.
    Broken,
    /// Its server says something else of a tool than what is pinned.
    Drifted,
    /// A server says what its tools are, and nobody pinned that.
    Unpinned,
    /// Its tools are pinned.
    Pinned,
    /// It has nothing that changes by itself.
    Fixed,
}

impl Stands {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Drifted => "drifted",
            Self::Unpinned => "unpinned",
            Self::Pinned => "pinned",
            Self::Fixed => "fixed",
        }
    }

    const fn tone(self) -> &'static str {
        match self {
            Self::Broken | Self::Drifted => "bad",
            Self::Unpinned => "warn",
            Self::Pinned => "good",
            Self::Fixed => "",
        }
    }
}

/// What connectors did lately that was not agreed.
pub(crate) struct Lately {
    /// The last incident of each: when, which entry, what.
    incidents: BTreeMap<Name, (u64, u64, String)>,
    /// The last that each said of a tool which nobody pinned so.
    drifts: Drifts,
}

impl Lately {
    pub(crate) fn of(asking: &Asking) -> Result<Self, Problem> {
        let ledger = asking.house.ledger();
        let wanted = Query { kind: Some(EntryKind::INCIDENT), ..Query::default() };
        let found = ledger.look(|records| records.find_page(&wanted, Page { before: None, count: LATELY }))?;
        let mut incidents = BTreeMap::new();
        for recorded in &found {
            let Some(incident) = Incident::of(&recorded.entry) else { continue };
            let told = (recorded.entry.time_ms, recorded.entry.log.get(), words(&incident.broken));
            // The newest come first.
            incidents.entry(incident.connector).or_insert(told);
        }
        Ok(Self { incidents, drifts: Drift::lately(ledger)? })
    }

    /// What was said of the tools of a connector beside the pins that it has now.
    fn open<'a>(&'a self, name: &'a Name, pins: &'a Pins) -> impl Iterator<Item = &'a (u64, u64, Drift)> {
        let of_it = self.drifts.iter().filter(move |((connector, _), _)| connector == name);
        of_it.map(|(_, seen)| seen).filter(|(_, _, drift)| drift.is_open(pins))
    }
}

fn words(broken: &[Broken]) -> String {
    broken.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// How it stands. What broke its contract is stopped, until somebody who looked into it lets it go on.
pub(crate) fn stands(asking: &Asking, contract: &Contract, lately: &Lately) -> Stands {
    let name = &contract.connector.value;
    let is_server =
        matches!(contract.transport, Transport::Mcp(McpTransport::Command { .. } | McpTransport::Url { .. }));
    let is_broken = lately.incidents.contains_key(name) && Stop::Connector(name.clone()).holds(asking.house.ledger());
    match (is_broken, is_server, asking.workspace.governance().lock.connectors.get(name)) {
        (true, ..) => Stands::Broken,
        (false, _, Some(pins)) if lately.open(name, pins).next().is_some() => Stands::Drifted,
        (false, true, None) => Stands::Unpinned,
        (false, _, Some(_)) => Stands::Pinned,
        (false, false, None) => Stands::Fixed,
    }
}

/// How it stands, in a word.
pub(crate) fn tag(stands: Stands) -> Markup {
    html! { @if stands != Stands::Fixed { span class={ "tag " (stands.tone()) } { (stands.word()) } } }
}

/// What is pinned, what is not, what it did, and how to see what it says now.
pub(crate) fn about(asking: &Asking, contract: &Contract, lately: &Lately) -> Markup {
    let name = &contract.connector.value;
    let pins = asking.workspace.governance().lock.connectors.get(name);
    html! {
        @if let Some((time_ms, entry, what)) = lately.incidents.get(name) {
            p.note {
                "It broke its contract " (ago(*time_ms)) ": " (Message(what)) " (" a href={ "/ledger/" (entry) } { "entry " (entry) } "). "
                "It was stopped then, and stays so until somebody who has looked into it lets it go on."
            }
        }
        @match (pins, stands(asking, contract, lately)) {
            (Some(pins), _) => {
                @for (entry, time_ms, drift) in lately.open(name, pins) { (said(*entry, *time_ms, drift, pins)) }
                (pinned(name, contract, pins))
            }
            (None, Stands::Unpinned) => p {
                "Nobody pinned what its server says of its tools, so a changed description would go unnoticed. "
                code { "sluice connector pin " (Seen(name)) } " takes what it says now into " code { "sluice.lock" } ", to be signed with the rules."
            },
            (None, _) => {},
        }
    }
}

/// What a server said of a tool, beside what people have seen.
fn said(entry: u64, time_ms: u64, drift: &Drift, pins: &Pins) -> Markup {
    let seen = pins.tools.get(drift.tool.as_str()).map(Pin::definition);
    html! {
        p.note.bad {
            "Its server said something else of " code { (Seen(&drift.tool)) } " " (ago(time_ms))
            @if seen.is_none() { ": a tool that nobody pinned" }
            " (" a href={ "/ledger/" (entry) } { "entry " (entry) } "). It is not offered to agents. If it should be, "
            code { "sluice connector pin " (Seen(&drift.connector)) } " takes what it says now into " code { "sluice.lock" } ", to be signed with the rules."
        }
        @match &drift.definition {
            Some(definition) => details {
                summary { "What changed" span.sr { " in " (Seen(&drift.tool)) } }
                (difference(seen.unwrap_or(&Json::Null), definition))
            },
            None => p.faint { "What it said is too long to be kept here: " code { "sluice connector diff " (Seen(&drift.connector)) } " shows it." },
        }
    }
}

/// Line by line, with a sign and a word for whoever sees no colours.
fn difference(seen: &Json, said: &Json) -> Markup {
    let lines = |json: &Json| match json {
        Json::Null => String::new(),
        json => serde_json::to_string_pretty(&sorted(json)).unwrap_or_default(),
    };
    let (before, after) = (lines(seen), lines(said));
    let changes = TextDiff::from_lines(&before, &after);
    html! {
        pre.listing.diff tabindex="0" {
            @for change in changes.iter_all_changes() {
                @let (sign, tone) = match change.tag() { ChangeTag::Delete => ("-", "gone"), ChangeTag::Insert => ("+", "new"), ChangeTag::Equal => (" ", "") };
                span class={ "line " (tone) } { (sign) " " (Seen(change.value().trim_end_matches('\n'))) } "\n"
            }
        }
    }
}

/// The server's tool that an action calls.
fn tool(action: &ActionContract) -> Option<&Name> {
    match &action.request.as_ref()?.value {
        Request::Tool { name } => Some(name),
        _ => None,
    }
}

fn pinned(name: &Name, contract: &Contract, pins: &Pins) -> Markup {
    let server: Vec<&str> =
        [&pins.server.name, &pins.server.version].into_iter().flatten().map(AsRef::as_ref).collect();
    let called: BTreeSet<&Name> = contract.actions.values().filter_map(tool).collect();
    let unpinned: Vec<&str> =
        called.iter().filter(|tool| !pins.tools.contains_key(**tool)).map(|tool| tool.as_ref()).collect();
    html! {
        details.pins {
            summary {
                (pins.tools.len()) @if pins.tools.len() == 1 { " tool is pinned" } @else { " tools are pinned" }
                @if !server.is_empty() { " as " (Seen(&server.join(" "))) " said them" }
                @if let Some(protocol) = &pins.server.protocol { " (protocol " (Seen(protocol)) ")" }
            }
            ul.found {
                @for (tool, pin) in &pins.tools {
                    li { code { (Seen(tool)) } " " span.digest { (short(&pin.digest().to_string())) }
                        @if !called.contains(tool) { " " span.tag { "not in the contract" } } }
                }
            }
        }
        @if !unpinned.is_empty() {
            p { "In the contract and not pinned: " span.faint { (Seen(&unpinned.join(", "))) } "." }
        }
        p.faint {
            "A tool that says something else than its pin is not offered (SL930). What the server says now, beside what was pinned: "
            code { "sluice connector diff " (Seen(name)) } "; the console starts no server to ask."
        }
    }
}

/// The beginning of a digest.
fn short(digest: &str) -> String {
    let cut: String = digest.chars().take(19).collect();
    format!("{cut}…")
}
