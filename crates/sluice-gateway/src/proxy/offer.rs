//! What an agent may call of a server: what the signed contract names, or else what a draft makes of the server's list.

use std::collections::{BTreeMap, BTreeSet};

use sluice_core::contract::connector::{Request, Transport};
use sluice_core::contract::lock::Pins;
use sluice_core::contract::{Contract, Digest};
use sluice_core::label::Name;
use sluice_runtime::drift::Drift;
use sluice_runtime::workspace::Workspace;
use thiserror::Error;

use crate::tools::Tool;
use crate::{draft, planning, scan};

/// Most tools of one server.
pub(super) const TOOLS_MAX: usize = 2_000;

/// What is offered of a server.
pub(super) struct Offer {
    connector: Name,
    /// As a contract writes it.
    transport: String,
    /// By the tool's name there: the action of the signed contract. `None` without a contract.
    signed: Option<BTreeMap<String, Name>>,
    /// What people have seen of its tools; `None` if nothing of it is pinned.
    pins: Option<Pins>,
    /// The first definition of each tool, and whether it is offered: a second one is another tool under an old name.
    seen: BTreeMap<String, Seen>,
}

struct Seen {
    digest: Digest,
    withheld: Option<Withheld>,
    /// Whether it was told why it is withheld.
    is_told: bool,
    /// What it says instead of what people have seen, until that was recorded.
    drift: Option<Drift>,
}

/// Why a tool is not offered.
#[derive(Clone, Debug)]
pub(super) struct Withheld {
    /// What the agent is told: a code, if there is one for this.
    pub(super) code: Option<&'static str>,
    /// For people.
    pub(super) why: String,
}

/// SL930. A tool is not the one that people have seen.
const DRIFTED: &str = "SL930";
/// SL976. A tool wants arguments in the head of requests, and says so as nobody can follow.
const UNFOLLOWED: &str = "SL976";
/// SL931. A tool's words hold instructions that nobody has seen.
pub(super) const HIDDEN: &str = "SL931";

impl Withheld {
    fn plain(why: impl Into<String>) -> Self {
        Self { code: None, why: why.into() }
    }
}

/// Why it is not known what a server offers.
#[derive(Debug, Error)]
pub(super) enum OfferError {
    /// SL909. It gave no list, or none that is one.
    #[error("SL909: the server does not list its tools")]
    NotListed,
    /// SL912. There are too many.
    #[error("SL912: the server lists more tools than {TOOLS_MAX}")]
    TooMany,
    /// SL913. The draft is no contract.
    #[error("SL913: no contract can be drafted of the server's tools: {0}")]
    NotDrafted(String),
    /// SL906. The ledger takes no session.
    #[error("SL906: the session cannot be recorded: {0}")]
    NotRecorded(String),
}

impl OfferError {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::NotListed => "SL909",
            Self::TooMany => "SL912",
            Self::NotDrafted(_) => "SL913",
            Self::NotRecorded(_) => "SL906",
        }
    }
}

impl Offer {
    /// Of a server under the name of a connector.
    pub(super) fn of(workspace: &Workspace, connector: &Name, transport: String) -> Self {
        let contracts = &workspace.governance().contracts;
        let contract = contracts.iter().find(|contract| contract.connector.value == *connector);
        let pins = workspace.governance().lock.connectors.get(connector).cloned();
        Self { connector: connector.clone(), transport, signed: contract.map(actions), pins, seen: BTreeMap::new() }
    }

    /// Its name in contracts.
    pub(super) const fn connector(&self) -> &Name {
        &self.connector
    }

    /// Whether people have seen its tools.
    pub(super) const fn is_pinned(&self) -> bool {
        self.pins.is_some()
    }

    /// Every tool that was listed, offered or not.
    pub(super) fn known(&self) -> impl Iterator<Item = &str> {
        self.seen.keys().map(String::as_str)
    }

    /// Whether a tool was listed, offered or not.
    pub(super) fn knows(&self, tool: &str) -> bool {
        self.seen.contains_key(tool)
    }

    /// Offers a tool no longer, unless it is withheld already.
    pub(super) fn withhold(&mut self, tool: &str, withheld: Withheld) {
        if let Some(seen) = self.seen.get_mut(tool).filter(|seen| seen.withheld.is_none()) {
            (seen.withheld, seen.is_told) = (Some(withheld), false);
        }
    }

    /// Looks at a tool as it was listed; whether it is the first of its name.
    pub(super) fn see(&mut self, tool: &Tool) -> bool {
        let digest = tool.digest();
        match self.seen.get_mut(&tool.name) {
            Some(seen) if seen.digest == digest => false,
            Some(seen) if seen.withheld.is_none() => {
                let why = "its definition changed while the agent worked with it".to_owned();
                (seen.withheld, seen.is_told) = (Some(Withheld { code: Some(DRIFTED), why }), false);
                let nothing = Pins::default();
                let pins = self.pins.as_ref().unwrap_or(&nothing);
                seen.drift = Some(Drift::of(&self.connector, &tool.name, &tool.definition, pins));
                false
            }
            Some(_) => false,
            None => {
                let withheld = self.judge(tool, digest);
                let drifted = withheld.as_ref().filter(|withheld| withheld.code == Some(DRIFTED));
                let pins = self.pins.as_ref().filter(|_| drifted.is_some());
                let drift = pins.map(|pins| Drift::of(&self.connector, &tool.name, &tool.definition, pins));
                self.seen.insert(tool.name.clone(), Seen { digest, withheld, is_told: false, drift });
                true
            }
        }
    }

    /// Why a tool is not offered, if it is not: it has drifted from its pin, nobody has said what it may do, or its words
    /// hold what nobody has seen.
    fn judge(&self, tool: &Tool, digest: Digest) -> Option<Withheld> {
        let pinned = self.pins.as_ref().map(|pins| pins.tools.get(tool.name.as_str()));
        let is_named = self.signed.as_ref().is_none_or(|actions| actions.contains_key(&tool.name));
        if let Err(why) = tool.mirrored() {
            return Some(Withheld { code: Some(UNFOLLOWED), why });
        }
        match pinned {
            _ if tool.name.starts_with(planning::OWN) => Some(Withheld::plain("its name is the gateway's own")),
            _ if !is_named => Some(Withheld::plain("the contract does not name it")),
            Some(Some(pin)) if pin.digest() == digest => {
                draft::unfit(tool).filter(|_| self.signed.is_none()).map(Withheld::plain)
            }
            Some(Some(_)) => Some(self.drifted("its definition is not the one that was pinned")),
            Some(None) => Some(self.drifted("nobody pinned it")),
            None => match scan::withheld(tool) {
                Some(why) => Some(Withheld { code: Some(HIDDEN), why }),
                None => draft::unfit(tool).filter(|_| self.signed.is_none()).map(Withheld::plain),
            },
        }
    }

    fn drifted(&self, why: &str) -> Withheld {
        let why = format!("{why}; `sluice connector diff {}` shows what it says now", self.connector);
        Withheld { code: Some(DRIFTED), why }
    }

    /// Whether a tool that was listed is offered.
    pub(super) fn has(&self, tool: &str) -> bool {
        self.seen.get(tool).is_some_and(|seen| seen.withheld.is_none())
    }

    /// What is not offered and was not told yet, and why.
    pub(super) fn untold(&mut self) -> Vec<String> {
        let told = self.seen.iter_mut().filter_map(|(name, seen)| {
            if std::mem::replace(&mut seen.is_told, true) {
                return None;
            }
            let Withheld { code, why } = seen.withheld.as_ref()?;
            let code = code.map_or_else(String::new, |code| format!("{code}: "));
            Some(format!("`{name}` is not offered: {code}{why}"))
        });
        told.collect()
    }

    /// What the server says instead of what people have seen, and was not recorded yet.
    pub(super) fn unrecorded(&mut self) -> impl Iterator<Item = Drift> {
        self.seen.values_mut().filter_map(|seen| seen.drift.take())
    }

    /// The code of its own under which a call of a tool is denied, and why.
    pub(super) fn refusal(&self, tool: &str) -> Option<(String, String)> {
        let withheld = self.seen.get(tool)?.withheld.as_ref()?;
        Some((withheld.code?.to_owned(), withheld.why.clone()))
    }

    /// The action that stands for a tool. One that is not offered gets a name that no contract has.
    pub(super) fn action_of(&self, tool: &str) -> String {
        let action = if self.has(tool) { self.signed.as_ref().and_then(|actions| actions.get(tool)) } else { None };
        match action {
            Some(action) => action.to_string(),
            None if self.has(tool) => tool.to_owned(),
            None => format!("{tool} (not offered)"),
        }
    }

    /// The drafted contract of those of these tools that are offered: its file and its text. `None` if there is a signed one.
    pub(super) fn draft(&self, tools: &[Tool]) -> Option<(String, String)> {
        if self.signed.is_some() {
            return None;
        }
        // A server may list one tool twice; a second definition of it is withheld with the first.
        let mut names = BTreeSet::new();
        let offered = tools.iter().filter(|tool| self.has(&tool.name) && names.insert(&tool.name));
        let offered: Vec<Tool> = offered.cloned().collect();
        let draft = draft::contract(&self.connector, &self.transport, &offered);
        Some((format!("connectors/{}.drafted.yaml", self.connector), draft.text))
    }
}

/// By the tool's name at its server: the action.
fn actions(contract: &Contract) -> BTreeMap<String, Name> {
    let Transport::Mcp(_) = &contract.transport else { return BTreeMap::new() };
    let of = |(name, action): (&Name, &sluice_core::contract::connector::ActionContract)| match action
        .request
        .as_ref()
        .map(|request| &request.value)
    {
        Some(Request::Tool { name: tool }) => Some((tool.to_string(), name.clone())),
        _ => None,
    };
    contract.actions.iter().filter_map(of).collect()
}
