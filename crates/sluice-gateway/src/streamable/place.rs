//! What an endpoint is of: one server, or all that its caller may call.

use std::collections::BTreeSet;

use hyper::Uri;
use sluice_core::contract::connector::Transport;
use sluice_core::contract::{Contract, Governance};
use sluice_core::label::Name;

use crate::http::caller::Caller;

/// The endpoint that a request is for, whoever makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// `/<connector>/mcp`.
    Connector(Name),
    /// `/mcp`.
    All,
}

/// What stands behind it for its caller. A session is of one place: whoever may call something else has another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// This server.
    One(Name),
    /// These, under names that say whose each is.
    All(BTreeSet<Name>),
}

impl At {
    /// The endpoint of an address, if it is one.
    pub(super) fn of(uri: &Uri, governance: &Governance) -> Option<Self> {
        if uri.path() == "/mcp" {
            return Some(Self::All);
        }
        let named = uri.path().strip_prefix('/')?.strip_suffix("/mcp")?;
        servers(governance).find(|contract| *contract.connector.value == *named).map(named_by).map(Self::Connector)
    }

    /// What its caller finds there; `None` if they may call nothing of it.
    pub(super) fn place(&self, governance: &Governance, caller: &Caller) -> Option<Place> {
        match self {
            Self::Connector(connector) => caller.may_call(connector).then(|| Place::One(connector.clone())),
            Self::All => {
                let all: BTreeSet<Name> =
                    servers(governance).map(named_by).filter(|connector| caller.may_call(connector)).collect();
                (!all.is_empty()).then_some(Place::All(all))
            }
        }
    }
}

impl Place {
    /// The connectors that stand behind it.
    pub(super) fn connectors(&self) -> Vec<&Name> {
        match self {
            Self::One(connector) => vec![connector],
            Self::All(all) => all.iter().collect(),
        }
    }
}

fn servers(governance: &Governance) -> impl Iterator<Item = &Contract> {
    governance.contracts.iter().filter(|contract| matches!(contract.transport, Transport::Mcp(_)))
}

fn named_by(contract: &Contract) -> Name {
    contract.connector.value.clone()
}
