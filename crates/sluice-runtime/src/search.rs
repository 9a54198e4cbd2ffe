//! Looks for entries by what only their sealed parts say: people, workflows, and the data that a decision was about.
//!
//! The open log names nobody, so nothing of this can be indexed. Whoever has the keys opens entry after entry, from the newest
//! on, and rests after so many. What was erased is found no more.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use sluice_core::contract::approval::SignedStatement;
use sluice_ledger::RunId;
use sluice_policy::{Acting, GateRequest, Resource};
use sluice_store::{Page, Query, Recorded};

use crate::approvals::unhex;
use crate::ledger::{Ledger, LedgerError};
use crate::run::about;

/// Entries that are opened before a search rests: a page is not waited for.
const OPENED_MAX: u64 = 4_000;
/// Entries that are opened at a time: others need the reader too.
const AT_ONCE: u64 = 200;

/// What the sealed part of an entry must say; what is `None` is not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inside {
    /// Somebody who asked, wrote, approved or stopped: a person, service or model.
    pub person: Option<String>,
    /// The workflow of the run, or of the proposal.
    pub workflow: Option<String>,
    /// A dataset that was read, written, or had a part in the arguments.
    pub dataset: Option<String>,
    /// A class of data in the arguments.
    pub category: Option<String>,
    /// Where data was to go.
    pub destination: Option<String>,
}

/// From where on, and in which direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// The newest first, before this entry; before none all of them.
    Before(Option<u64>),
    /// The oldest first, from this entry on.
    At(u64),
}

impl Begin {
    /// Where it goes on behind an entry.
    const fn behind(self, index: u64) -> Self {
        match self {
            Self::Before(_) => Self::Before(Some(index)),
            Self::At(_) => Self::At(index.saturating_add(1)),
        }
    }
}

/// What was found so far.
#[derive(Debug)]
pub struct Found {
    /// In the order that was asked for.
    pub entries: Vec<Recorded>,
    /// Where the search goes on; `None` if it went through all of them.
    pub go_on: Option<Begin>,
}

/// Finds up to `count` entries. It may rest with fewer, and say where it goes on.
///
/// # Errors
/// [`LedgerError`] if the ledger cannot be read.
pub fn find(ledger: &Ledger, query: &Query, inside: &Inside, from: Begin, count: u64) -> Result<Found, LedgerError> {
    if *inside == Inside::default() {
        let mut entries = some(ledger, query, from, count.saturating_add(1))?;
        let has_more = entries.len() as u64 > count;
        entries.truncate(usize::try_from(count).unwrap_or(usize::MAX));
        let go_on = entries.last().filter(|_| has_more).map(|last| from.behind(last.entry.log.get()));
        return Ok(Found { entries, go_on });
    }
    let mut runs = BTreeMap::new();
    let mut found = Found { entries: Vec::new(), go_on: Some(from) };
    let mut opened = 0;
    while let Some(at) = found.go_on.filter(|_| opened < OPENED_MAX) {
        let some = some(ledger, query, at, AT_ONCE)?;
        let is_last = (some.len() as u64) < AT_ONCE;
        opened += AT_ONCE;
        for recorded in some {
            found.go_on = Some(from.behind(recorded.entry.log.get()));
            if inside.fits(&recorded, |run| workflow_of(ledger, run, &mut runs)) {
                found.entries.push(recorded);
                if found.entries.len() as u64 >= count {
                    return Ok(found);
                }
            }
        }
        if is_last {
            found.go_on = None;
        }
    }
    Ok(found)
}

fn some(ledger: &Ledger, query: &Query, from: Begin, count: u64) -> Result<Vec<Recorded>, LedgerError> {
    ledger.look(|records| match from {
        Begin::Before(before) => records.find_page(query, Page { before, count }),
        Begin::At(index) => records.find_upwards(query, index, count),
    })
}

fn workflow_of(ledger: &Ledger, run: RunId, known: &mut BTreeMap<RunId, Option<String>>) -> Option<String> {
    // A run whose beginning cannot be read any more is of no workflow that anybody could look for.
    known
        .entry(run)
        .or_insert_with(|| about(ledger, run).ok().flatten().and_then(|about| about.workflow.clone()))
        .clone()
}

impl Inside {
    fn fits(&self, recorded: &Recorded, workflow_of: impl FnOnce(RunId) -> Option<String>) -> bool {
        let payload: Option<Json> = recorded.payload.opened().and_then(|bytes| serde_json::from_slice(bytes).ok());
        let Some(payload) = payload else { return false };
        let named = Named::in_payload(&payload);
        let is_there = |wanted: &Option<String>, named: &BTreeSet<String>| {
            wanted.as_ref().is_none_or(|wanted| named.contains(wanted))
        };
        is_there(&self.person, &named.people)
            && is_there(&self.dataset, &named.datasets)
            && is_there(&self.category, &named.categories)
            && is_there(&self.destination, &named.destinations)
            && self.workflow.as_ref().is_none_or(|wanted| {
                let of_run = recorded.entry.run.and_then(|link| workflow_of(link.id()));
                of_run.as_ref() == Some(wanted) || named.workflow.as_ref() == Some(wanted)
            })
    }
}

/// What a payload names.
#[derive(Debug, Default)]
struct Named {
    people: BTreeSet<String>,
    workflow: Option<String>,
    datasets: BTreeSet<String>,
    categories: BTreeSet<String>,
    destinations: BTreeSet<String>,
}

impl Named {
    fn in_payload(payload: &Json) -> Self {
        let mut named = Self::default();
        for key in ["person", "requester", "by", "principal", "approver"] {
            named.person(payload.get(key).and_then(Json::as_str));
        }
        for kind in ["person", "model"] {
            named.person(payload.pointer(&format!("/author/{kind}/id")).and_then(Json::as_str));
        }
        // A proposal is named after its file, a run after its document.
        named.workflow = payload.get("name").and_then(Json::as_str).map(str::to_owned);
        let statement = payload.get("statement").and_then(Json::as_str).and_then(unhex);
        if let Some(signed) = statement.and_then(|bytes| SignedStatement::from_bytes(&bytes).ok()) {
            named.person(Some(&signed.statement.approver));
            named.person(Some(&signed.statement.requester));
        }
        let request = payload.pointer("/answer/receipt/request").and_then(Json::as_str);
        if let Some(request) = request.and_then(|text| GateRequest::from_bytes(text.as_bytes()).ok()) {
            named.request(&request);
        }
        named
    }

    fn request(&mut self, request: &GateRequest) {
        self.person(Some(&request.principal.id));
        if let Acting::Person { id } | Acting::Model { id } = &request.author {
            self.person(Some(id));
        }
        request.acting_models.iter().for_each(|model| self.person(Some(model)));
        match &request.resource {
            Resource::Destination { id, .. } => self.destinations.insert(id.to_string()),
            Resource::Dataset { id, .. } => self.datasets.insert(id.to_string()),
        };
        for atoms in request.roles.values().chain([&request.control, &request.write_excess]) {
            self.datasets.extend(atoms.datasets.iter().map(ToString::to_string));
            self.categories.extend(atoms.categories.iter().map(|category| category.class.to_string()));
        }
    }

    /// An agent asks under its person's name.
    fn person(&mut self, name: Option<&str>) {
        if let Some(name) = name {
            self.people.insert(name.strip_prefix("agent:").unwrap_or(name).to_owned());
        }
    }
}
