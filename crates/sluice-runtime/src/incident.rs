//! A connector that broke its contract: what everybody may read of that, and that it is called no more until a person
//! lets it go on.

use std::fmt;

use serde_json::{Value as Json, json};
use sluice_core::found::Finder;
use sluice_core::label::Name;
use sluice_ledger::cbor::{Map, Value};
use sluice_ledger::{Entry, EntryKind, RunId};
use sluice_store::NewRecord;

use crate::ledger::{Ledger, LedgerError};
use crate::stop::Stop;

/// How a contract was broken. No variant holds anything of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Inspection found a class of data that the contract does not declare.
    Undeclared {
        /// What was looked for.
        finder: Finder,
        /// By which of the finder's rules it was found.
        rule: Name,
        /// The contract's own path for that place: keys of a reply may be somebody's data.
        at: String,
        /// How often.
        count: u64,
    },
    /// More came than the contract allows.
    Volume {
        /// Bytes that it allows.
        limit: u64,
    },
    /// The reply leads to another host, or comes from one, or a confined server tried to reach one.
    Elsewhere,
    /// The reply repeats a secret of the store.
    Secret,
}

impl Broken {
    /// The word in entries.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Undeclared { .. } => "undeclared",
            Self::Volume { .. } => "volume",
            Self::Elsewhere => "elsewhere",
            Self::Secret => "secret",
        }
    }

    /// As programs read it.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut json = json!({ "what": self.name() });
        let more = match self {
            Self::Undeclared { finder, rule, at, count } => {
                json!({ "finder": finder, "rule": rule, "at": at, "count": count })
            }
            Self::Volume { limit } => json!({ "limit": limit }),
            Self::Elsewhere | Self::Secret => json!({}),
        };
        if let (Json::Object(json), Json::Object(more)) = (&mut json, more) {
            json.extend(more);
        }
        json
    }

    fn of(body: &Map) -> Option<Self> {
        let text = |key: &str| body.get(key).and_then(Value::as_text);
        let number = |key: &str| body.get(key).and_then(Value::as_u64);
        Some(match text("what")? {
            "undeclared" => Self::Undeclared {
                finder: Finder::ALL.into_iter().find(|finder| Some(finder.name()) == text("finder"))?,
                rule: text("rule")?.into(),
                at: text("at")?.to_owned(),
                count: number("count")?,
            },
            "volume" => Self::Volume { limit: number("limit")? },
            "elsewhere" => Self::Elsewhere,
            "secret" => Self::Secret,
            _ => return None,
        })
    }

    fn body(&self) -> Map {
        let map = Map::new().with("what", self.name());
        match self {
            Self::Undeclared { finder, rule, at, count } => {
                map.with("finder", finder.name()).with("rule", &**rule).with("at", at.as_str()).with("count", *count)
            }
            Self::Volume { limit } => map.with("limit", *limit),
            Self::Elsewhere | Self::Secret => map,
        }
    }
}

/// For people.
impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undeclared { finder, rule, at, count } => {
                let at = if at.is_empty() { "the reply" } else { at };
                write!(f, "what looks like {count} of `{finder}` ({rule}) in {at}, which the contract does not declare")
            }
            Self::Volume { limit } => write!(f, "a reply of more than the {limit} bytes that the contract allows"),
            Self::Elsewhere => f.write_str("another host than the contract's: a reply leads there or comes from it, or the server tried to reach it"),
            Self::Secret => f.write_str("a reply that repeats a secret"),
        }
    }
}

/// One call in which a connector broke its contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// The connector, which is stopped.
    pub connector: Name,
    /// The action that was called.
    pub action: Name,
    /// By which run or session.
    pub run: RunId,
    /// How; at least one.
    pub broken: Vec<Broken>,
}

impl Incident {
    /// The one that an entry tells. What a later version writes there, and this one does not know, is left out.
    #[must_use]
    pub fn of(entry: &Entry) -> Option<Self> {
        let text = |key: &str| Some(Name::from(entry.body.get(key)?.as_text()?));
        let run = entry.body.get("run").and_then(|run| <[u8; RunId::BYTES]>::try_from(run.as_bytes()?).ok());
        let broken = entry.body.get("broken").and_then(Value::as_array).unwrap_or_default();
        let read = |one: &Value| if let Value::Map(body) = one { Broken::of(body) } else { None };
        let incident = Self {
            connector: text("connector")?,
            action: text("action")?,
            run: RunId::from_bytes(run?),
            broken: broken.iter().filter_map(read).collect(),
        };
        (entry.kind == EntryKind::INCIDENT).then_some(incident)
    }

    /// As programs read it.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let broken: Vec<Json> = self.broken.iter().map(Broken::to_json).collect();
        let (connector, action, run) = (&self.connector, &self.action, self.run.to_string());
        json!({ "connector": connector, "action": action, "run": run, "broken": broken })
    }

    /// Records it and stops the connector, in one commit. It is durable when this returns.
    ///
    /// # Errors
    /// [`LedgerError`] if it cannot be recorded: nothing of the reply may be used then.
    pub fn record(&self, ledger: &Ledger) -> Result<(), LedgerError> {
        let broken: Vec<Value> = self.broken.iter().map(|one| Value::Map(one.body())).collect();
        let body = Map::new()
            .with("connector", &*self.connector)
            .with("action", &*self.action)
            .with("run", self.run.as_bytes().to_vec())
            .with("broken", broken);
        let entry = NewRecord::new(EntryKind::INCIDENT, ledger.clock().now_ms(), body);
        let why = json!({ "person": null, "reason": format!("incident: {self}") });
        Stop::Connector(self.connector.clone()).set_with(ledger, true, vec![entry], why)?;
        Ok(())
    }
}

/// For people.
impl fmt::Display for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how: Vec<String> = self.broken.iter().map(ToString::to_string).collect();
        write!(f, "`{}.{}` broke its contract: {}", self.connector, self.action, how.join("; "))
    }
}
