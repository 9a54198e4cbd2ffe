//! What an agent may call of all servers behind the gateway: of one under its tools' own names, of several under names that
//! say whose each is.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use sluice_core::contract::Governance;
use sluice_core::label::Name;
use sluice_runtime::drift::Drift;
use sluice_runtime::workspace::{OpenError, Workspace};

use super::offer::{HIDDEN, Offer, OfferError, TOOLS_MAX, Withheld};
use crate::mirrored::Mirrored;
use crate::several::Names;
use crate::tools::Tool;
use crate::{planning, scan};

/// SL918. A tool could be taken for one of another server.
const SHADOWS: &str = "SL918";

/// What is offered of each server.
pub(super) struct Offers {
    servers: Vec<Offer>,
    /// What their names are outside, if there are several.
    names: Option<Names>,
    /// The first definition of each tool that no person has seen, by its server and its name there.
    unseen: BTreeMap<(usize, String), Tool>,
    /// Tools that their servers call as tasks and not otherwise, as the agent names them.
    only_tasks: BTreeSet<String>,
    /// Arguments that stand in the head of requests too, by the tool as the agent names it.
    mirrored: BTreeMap<String, Vec<Mirrored>>,
}

impl Offers {
    /// Of servers under the names of their connectors.
    pub(super) fn of(workspace: &Workspace, servers: Vec<(Name, String)>, names: Option<Names>) -> Self {
        let offer = |(connector, transport): (Name, String)| Offer::of(workspace, &connector, transport);
        Self {
            servers: servers.into_iter().map(offer).collect(),
            names,
            unseen: BTreeMap::new(),
            only_tasks: BTreeSet::new(),
            mirrored: BTreeMap::new(),
        }
    }

    /// The connectors that can be called.
    pub(super) fn connectors(&self) -> BTreeSet<Name> {
        self.servers.iter().map(|offer| offer.connector().clone()).collect()
    }

    /// The gateway's own tool, as it is listed.
    pub(super) fn plan(&self) -> Json {
        let connectors: Vec<&str> = self.servers.iter().map(|offer| offer.connector().as_ref()).collect();
        planning::definition(&connectors)
    }

    /// Whose a tool is, and its name there.
    fn place<'t>(&self, outside: &'t str) -> Option<(usize, &'t str)> {
        match &self.names {
            Some(names) => names.split(outside),
            None => Some((0, outside)),
        }
    }

    /// The arguments of a tool that stand in the head of requests too.
    pub(super) fn mirrored(&self, outside: &str) -> &[Mirrored] {
        self.mirrored.get(outside).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a tool's server calls it as a task and not otherwise.
    pub(super) fn is_only_a_task(&self, outside: &str) -> bool {
        self.only_tasks.contains(outside)
    }

    fn offer<'t>(&self, outside: &'t str) -> Option<(&Offer, &'t str)> {
        let (server, tool) = self.place(outside)?;
        Some((self.servers.get(server)?, tool))
    }

    /// Looks at tools as they were listed; whether one is the first of its name.
    pub(super) fn see(&mut self, listed: &[Tool]) -> bool {
        let mut is_new = false;
        for tool in listed {
            let Some((server, inside)) = self.place(&tool.name) else { continue };
            is_new |= self.see_one(server, inside_of(tool, inside));
        }
        if is_new {
            self.refuse_shadows();
        }
        is_new
    }

    fn see_one(&mut self, server: usize, tool: Tool) -> bool {
        let outside = self.names.as_ref().map(|names| names.join(server, &tool.name));
        let outside = outside.unwrap_or_else(|| tool.name.clone());
        // One whose definition changes later is not offered any more.
        if let Some(mirrored) = tool.mirrored().ok().filter(|mirrored| !mirrored.is_empty()) {
            self.mirrored.entry(outside.clone()).or_insert(mirrored);
        }
        if tool.definition.pointer("/execution/taskSupport").and_then(Json::as_str) == Some("required") {
            self.only_tasks.insert(outside);
        }
        let Some(offer) = self.servers.get_mut(server) else { return false };
        let is_new = offer.see(&tool);
        if let Some(other) = self.names.as_ref().and_then(|names| names.passes_for(&tool.name)) {
            let why = format!("its name would pass for that of a tool of `{other}`");
            offer.withhold(&tool.name, Withheld { code: Some(SHADOWS), why });
        }
        if is_new && self.names.is_some() && !offer.is_pinned() {
            self.unseen.insert((server, tool.name.clone()), tool);
        }
        is_new
    }

    /// A tool that no person has seen does not speak of another server's tools: what it says of them is not for it to say.
    fn refuse_shadows(&mut self) {
        let Some(names) = &self.names else { return };
        let mut found = Vec::new();
        for ((server, name), tool) in &self.unseen {
            let own = self.servers.get(*server);
            let others = self.servers.iter().enumerate().filter(|(other, _)| other != server);
            let others: BTreeMap<String, &Name> = others
                .flat_map(|(other, offer)| {
                    let inside = offer.known().filter(|name| !own.is_some_and(|own| own.knows(name)));
                    let outside = offer.known().map(move |name| names.join(other, name));
                    inside.map(str::to_owned).chain(outside).map(|name| (name, offer.connector()))
                })
                .collect();
            let mentions = scan::mentions(tool, others.keys().map(String::as_str));
            if let Some(mention) = mentions.first() {
                let whose = others.get(&mention.excerpt).map_or("another server", |name| name);
                let why = format!("in its `{}` it speaks of `{}`, a tool of `{whose}`", mention.place, mention.excerpt);
                found.push((*server, name.clone(), Withheld { code: Some(HIDDEN), why }));
            }
        }
        for (server, name, withheld) in found {
            if let Some(offer) = self.servers.get_mut(server) {
                offer.withhold(&name, withheld);
            }
        }
    }

    /// Whether a tool that was listed is offered.
    pub(super) fn has(&self, outside: &str) -> bool {
        self.offer(outside).is_some_and(|(offer, tool)| offer.has(tool))
    }

    /// What is not offered and was not told yet, and why.
    pub(super) fn untold(&mut self) -> Vec<String> {
        let is_one = self.names.is_none();
        let told = self.servers.iter_mut().flat_map(|offer| {
            let of = if is_one { String::new() } else { format!("of `{}`: ", offer.connector()) };
            offer.untold().into_iter().map(move |text| format!("{of}{text}"))
        });
        told.collect()
    }

    /// What servers say instead of what people have seen, and was not recorded yet.
    pub(super) fn unrecorded(&mut self) -> Vec<Drift> {
        self.servers.iter_mut().flat_map(Offer::unrecorded).collect()
    }

    /// The code of its own under which a call of a tool is denied, and why.
    pub(super) fn refusal(&self, outside: &str) -> Option<(String, String)> {
        let (offer, tool) = self.offer(outside)?;
        offer.refusal(tool)
    }

    /// Connector and action that stand for a tool. One that is not offered gets a name that no contract has.
    pub(super) fn action_of(&self, outside: &str) -> (Name, Name) {
        match self.offer(outside) {
            Some((offer, tool)) => (offer.connector().clone(), offer.action_of(tool).into()),
            None => ("sluice".into(), format!("{outside} (not offered)").into()),
        }
    }

    /// The same of a tool by its connector and its name there, or the name of its action.
    pub(super) fn action_at(&self, connector: &str, tool: &str) -> (Name, Name) {
        match self.servers.iter().find(|offer| **offer.connector() == *connector) {
            Some(offer) if offer.has(tool) => (offer.connector().clone(), offer.action_of(tool).into()),
            Some(offer) => (offer.connector().clone(), tool.into()),
            None => ("sluice".into(), format!("{connector}.{tool} (not offered)").into()),
        }
    }

    /// Whose a resource or prompt is, and what is asked of it there.
    pub(super) fn read_of(&self, method: &str, mut asked: Json) -> Option<(Name, Json)> {
        let Some(names) = &self.names else { return Some((self.servers.first()?.connector().clone(), asked)) };
        let key = if method == "resources/read" { "uri" } else { "name" };
        let outside = asked.get(key)?.as_str()?;
        let split = if key == "uri" { names.split_uri(outside) } else { names.split(outside) };
        let (server, inside) = split.map(|(server, inside)| (server, Json::from(inside)))?;
        asked.as_object_mut()?.insert(key.to_owned(), inside);
        Some((names.connector(server)?.clone(), asked))
    }

    /// Takes the whole list, and gives the rules under which these tools can be called.
    pub(super) fn list(&mut self, workspace: &Workspace, listed: &[Tool]) -> Result<Governance, OfferError> {
        let mut of_each = vec![Vec::new(); self.servers.len()];
        for tool in listed {
            let Some((server, inside)) = self.place(&tool.name) else { continue };
            if let Some(tools) = of_each.get_mut(server) {
                tools.push(inside_of(tool, inside));
            }
        }
        for tools in &mut of_each {
            if tools.len() > TOOLS_MAX {
                if self.names.is_none() {
                    return Err(OfferError::TooMany);
                }
                // The others are as good as they were.
                tools.clear();
            }
        }
        for (server, tools) in of_each.iter().enumerate() {
            for tool in tools {
                self.see_one(server, tool.clone());
            }
        }
        self.refuse_shadows();
        let drafts: Vec<_> =
            self.servers.iter().zip(&of_each).filter_map(|(offer, tools)| offer.draft(tools)).collect();
        if drafts.is_empty() {
            return Ok(workspace.governance().clone());
        }
        match workspace.governance_with(&drafts) {
            Ok(governance) => Ok(governance),
            Err(error) if drafts.len() == 1 => Err(OfferError::NotDrafted(in_words(&error))),
            // One of them is none: the others are as good as they were.
            Err(_) => self.without_misfits(workspace, drafts),
        }
    }

    fn without_misfits(
        &self,
        workspace: &Workspace,
        mut drafts: Vec<(String, String)>,
    ) -> Result<Governance, OfferError> {
        let unsigned = self.servers.iter().filter_map(|offer| offer.draft(&[]));
        for (draft, empty) in drafts.iter_mut().zip(unsigned) {
            if let Err(error) = workspace.governance_with(std::slice::from_ref(draft)) {
                super::note(&format!("SL913: {}: {}", draft.0, in_words(&error)));
                *draft = empty;
            }
        }
        workspace.governance_with(&drafts).map_err(|error| OfferError::NotDrafted(in_words(&error)))
    }
}

/// A tool as its own server defines it.
fn inside_of(tool: &Tool, inside: &str) -> Tool {
    let mut tool = tool.clone();
    if tool.name != inside {
        tool.name = inside.to_owned();
        if let Some(name) = tool.definition.get_mut("name") {
            *name = Json::from(inside);
        }
    }
    tool
}

/// With the first problem of the draft, which no person has seen.
fn in_words(error: &OpenError) -> String {
    let first = match error {
        OpenError::Files { problems } => problems.first(),
        _ => None,
    };
    first.map_or_else(|| error.to_string(), |problem| problem.diagnostic.message.clone())
}
