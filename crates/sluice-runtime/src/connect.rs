//! From signed contracts to connectors, and from the engine's permits to their calls.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sluice_connectors::egress::{EgressClient, EgressError, Method, REPLY_BYTES_DEFAULT, TIMEOUT_DEFAULT};
use sluice_connectors::files::{Deed, FilesAction, FilesConnector, FilesError, Format, Formulas};
use sluice_connectors::http::{
    Base, CredentialKind, Effect as HttpEffect, HttpAction, HttpConnector, Parameter, Place, ReplyFormat,
};
use sluice_connectors::path::PathTemplate;
use sluice_connectors::secret::SecretStore;
use sluice_connectors::sql::SqlError;
use sluice_connectors::sql::{Access, SqlConnector, SqlStatement};
use sluice_connectors::tls::CertificatePin;
use sluice_connectors::{Connector, ConnectorError, IdempotencyKey, Outcome, Prepared};
use sluice_core::catalogue::Idempotency;
use sluice_core::contract::connector::{
    ActionContract, FileFormat, FileOperation, HttpRequest, HttpTransport, Placement, Request, RowLayout, Transport,
};
use sluice_core::contract::{self, Contract};
use sluice_core::gate::Effect;
use sluice_core::label::Name;
use sluice_engine::{Call, CallOutcome, Permitted, Resolution};
use thiserror::Error;

use crate::incident::Broken;

/// Most rows that a statement or a file gives.
const ROWS_MAX: usize = 100_000;

/// Why a contract cannot be put to work.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// SL540. Its address is not one.
    #[error("SL540: the contract of `{connector}` cannot be used: {source}")]
    Address {
        /// The connector.
        connector: Name,
        /// What is wrong.
        source: EgressError,
    },
    /// SL541. A path template is not one.
    #[error("SL541: the path of `{connector}.{action}` cannot be used: `{path}` is not a plain template")]
    Path {
        /// The connector.
        connector: Name,
        /// The action.
        action: Name,
        /// The template.
        path: Name,
    },
    /// SL542. The folder or a file of it cannot be used.
    #[error("SL542: the folder of `{connector}` cannot be used: {source}")]
    Files {
        /// The connector.
        connector: Name,
        /// What is wrong.
        source: FilesError,
    },
    /// SL543. The method is no HTTP method.
    #[error("SL543: `{method}` is not a method that `{connector}.{action}` can use")]
    Method {
        /// The connector.
        connector: Name,
        /// The action.
        action: Name,
        /// The word.
        method: Name,
    },
}

/// Every connector of a workspace.
pub struct Connectors {
    by_name: BTreeMap<Name, Connector>,
    /// By connector and action.
    bounds: BTreeMap<(Name, Name), Bounds>,
}

/// What became of a call, and how the connector broke its contract in it, if it did.
#[derive(Debug)]
pub struct Performed {
    /// What the engine is told.
    pub outcome: CallOutcome,
    /// What people are told.
    pub broken: Option<Broken>,
}

/// What a contract says of where replies come from and how large they are.
struct Bounds {
    base: Option<Base>,
    bytes: Option<u64>,
}

impl Bounds {
    fn of(contract: &Contract, action: &ActionContract) -> Self {
        let base = contract.transport.http().and_then(|http| Base::parse(&http.base.value).ok());
        Self { base, bytes: action.limits.bytes }
    }

    /// A service that leads to another host, shows another key than its own, or sends more than the contract allows.
    fn broken_by(&self, came: &Outcome) -> Option<Broken> {
        let (Outcome::Rejected { why, .. } | Outcome::InDoubt { why } | Outcome::NotSent { why }) = came else {
            return None;
        };
        match why {
            ConnectorError::Egress(EgressError::Redirect { to, .. }) => {
                self.leads_elsewhere(to).then_some(Broken::Elsewhere)
            }
            ConnectorError::Egress(EgressError::Pin { .. }) => Some(Broken::Elsewhere),
            ConnectorError::Egress(EgressError::ReplyTooLarge { .. })
            | ConnectorError::Sql(SqlError::Bound { what: "bytes", .. })
            | ConnectorError::Files(FilesError::Bytes { .. }) => self.bytes.map(|limit| Broken::Volume { limit }),
            ConnectorError::Egress(EgressError::SecretEchoed { .. }) => Some(Broken::Secret),
            _ => None,
        }
    }

    /// Whether a redirect names another host. One without a host stays where it is; one that cannot be read does not.
    fn leads_elsewhere(&self, to: &str) -> bool {
        let Some(base) = &self.base else { return true };
        let (scheme, rest) = match to.split_once("//") {
            Some((scheme, rest)) if scheme.is_empty() || scheme.ends_with(':') => (scheme.trim_end_matches(':'), rest),
            _ => return to.contains('\\') || to.split('/').next().is_some_and(|first| first.contains(':')),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let scheme = if scheme.is_empty() { "https" } else { scheme };
        let host = Base::parse(&format!("{}://{authority}", scheme.to_ascii_lowercase()));
        host.map_or(true, |other| other.host != base.host)
    }
}

impl Connectors {
    /// Puts the contracts of a signed bundle to work. `folder` is the workspace: databases and file folders lie below it.
    ///
    /// # Errors
    /// [`ConnectError`] at the first contract that cannot be used.
    pub fn of(contracts: &[Contract], folder: &Path, secrets: &Arc<SecretStore>) -> Result<Self, ConnectError> {
        let egress = Arc::new(EgressClient::default());
        let mut by_name = BTreeMap::new();
        let mut bounds = BTreeMap::new();
        for contract in contracts {
            for (name, action) in &contract.actions {
                bounds.insert((contract.connector.value.clone(), name.clone()), Bounds::of(contract, action));
            }
            let made = match &contract.transport {
                Transport::Http(transport) | Transport::Model { http: transport, .. } => {
                    Connector::Http(Arc::new(http(contract, transport, &egress, secrets)?))
                }
                Transport::Sql { database } => Connector::Sql(Arc::new(sql(contract, folder, database))),
                Transport::Files { folder: files_folder, .. } => {
                    Connector::Files(Arc::new(files(contract, &folder.join(files_folder.as_ref()))?))
                }
                // Its tools are reached through the gateway alone.
                Transport::Mcp(_) => continue,
            };
            by_name.insert(contract.connector.value.clone(), made);
        }
        Ok(Self { by_name, bounds })
    }

    /// Performs a permitted call, once.
    pub async fn perform(&self, call: Permitted<Call>) -> Performed {
        let call = call.take();
        match self.by_name.get(&call.connector) {
            Some(connector) => {
                let came = connector.call(prepared(&call)).await;
                let broken = self.bounds.get(&(call.connector, call.action)).and_then(|bounds| bounds.broken_by(&came));
                Performed { outcome: outcome(came), broken }
            }
            None => {
                let detail = serde_json::json!("the connector is gone");
                Performed { outcome: CallOutcome::Failed { detail }, broken: None }
            }
        }
    }

    /// Reads the version of an object. The gate has asked policy about this very call.
    ///
    /// # Errors
    /// In words: there was no reply.
    pub async fn read(&self, call: &Call) -> Result<serde_json::Value, String> {
        let Some(connector) = self.by_name.get(&call.connector) else { return Err("the connector is gone".to_owned()) };
        match connector.call(prepared(call)).await {
            Outcome::Reply { value, .. } => Ok(value),
            Outcome::Rejected { why, .. } => Err(why.to_string()),
            Outcome::InDoubt { why } => Err(why.to_string()),
            Outcome::NotSent { why } => Err(why.to_string()),
        }
    }

    /// Asks a look-up action by key whether an effect happened. `None` if that cannot be told now.
    pub async fn look_up(&self, action: &Name, call: &Call) -> Option<Resolution> {
        let connector = self.by_name.get(&call.connector)?;
        let mut question = prepared(call);
        question.action = action.to_string();
        question.arguments = serde_json::json!({ "key": call.key.to_string() });
        match connector.call(question).await {
            // The contract's look-up answers `{"applied": true, "reply": …}`, or that it knows no such key.
            Outcome::Reply { value, .. } => match value.get("applied").and_then(serde_json::Value::as_bool) {
                Some(true) => Some(Resolution::happened(value.get("reply").cloned().unwrap_or_default())),
                Some(false) => Some(Resolution::Repeat),
                None => None,
            },
            Outcome::Rejected { status: Some(404), .. } => Some(Resolution::Repeat),
            Outcome::Rejected { .. } | Outcome::InDoubt { .. } | Outcome::NotSent { .. } => None,
        }
    }
}

fn prepared(call: &Call) -> Prepared {
    Prepared {
        connector: call.connector.to_string(),
        action: call.action.to_string(),
        arguments: call.arguments.clone(),
        idempotency_key: IdempotencyKey(*call.key.as_bytes()),
        run: call.run.to_string(),
    }
}

fn outcome(outcome: Outcome) -> CallOutcome {
    let detail = |status: Option<u16>, why: &dyn std::fmt::Display| serde_json::json!({ "status": status, "message": why.to_string() });
    match outcome {
        Outcome::Reply { value, .. } => CallOutcome::replied(value),
        Outcome::Rejected { status, why } => CallOutcome::Failed { detail: detail(status, &why) },
        Outcome::NotSent { why } => CallOutcome::Failed { detail: detail(None, &why) },
        Outcome::InDoubt { why } => CallOutcome::InDoubt { why: why.to_string() },
    }
}

fn http(
    contract: &Contract,
    transport: &HttpTransport,
    egress: &Arc<EgressClient>,
    secrets: &Arc<SecretStore>,
) -> Result<HttpConnector, ConnectError> {
    let connector = &contract.connector.value;
    let base = Base::parse(&transport.base.value)
        .map_err(|source| ConnectError::Address { connector: connector.clone(), source })?;
    let mut actions = BTreeMap::new();
    for (name, action) in &contract.actions {
        if let Some(Request::Http(request)) = action.request.as_ref().map(|r| &r.value) {
            actions.insert(name.to_string(), http_action(connector, name, action, request)?);
        }
    }
    Ok(HttpConnector {
        base,
        allow_private: transport.allow_private,
        pin: transport.pin.as_ref().map(|digest| CertificatePin(digest.0)),
        credential: contract.credential.as_ref().map(|c| (CredentialKind::Bearer, c.secret.value.to_string())),
        actions,
        egress: Arc::clone(egress),
        secrets: Arc::clone(secrets),
    })
}

fn http_action(
    connector: &Name,
    name: &Name,
    action: &ActionContract,
    request: &HttpRequest,
) -> Result<HttpAction, ConnectError> {
    let path = PathTemplate::parse(&request.path).map_err(|_| ConnectError::Path {
        connector: connector.clone(),
        action: name.clone(),
        path: request.path.clone(),
    })?;
    let method = Method::parse(&request.method).ok_or_else(|| ConnectError::Method {
        connector: connector.clone(),
        action: name.clone(),
        method: request.method.clone(),
    })?;
    let parameter = |(argument, placement): (&Name, &Placement)| {
        let place = match placement {
            Placement::Path => Place::Path,
            Placement::Query => Place::QueryList,
            Placement::Body => Place::Field(argument.to_string()),
            Placement::WholeBody => Place::Body,
            Placement::Header(header) => Place::Header(header.to_string()),
        };
        let declared = action.arguments.get(argument).map(|a| &a.value);
        let required = declared.is_some_and(|a| a.required);
        let secret = declared.and_then(|a| a.secret.as_ref()).map(ToString::to_string);
        (argument.to_string(), Parameter { place, required, secret })
    };
    Ok(HttpAction {
        effect: if action.effect == Effect::Read { HttpEffect::Read } else { HttpEffect::Change },
        method,
        path,
        parameters: request.placement.iter().map(parameter).collect(),
        idempotency_header: match &action.idempotency.value {
            Idempotency::Key(header) => Some(header.to_string()),
            Idempotency::Natural | Idempotency::Lookup(_) | Idempotency::None => None,
        },
        reply: ReplyFormat::Json,
        reply_bytes_max: bytes_max(action, REPLY_BYTES_DEFAULT),
        timeout: timeout(action),
    })
}

fn bytes_max(action: &ActionContract, default: usize) -> usize {
    action.limits.bytes.and_then(|b| usize::try_from(b).ok()).unwrap_or(default)
}

fn timeout(action: &ActionContract) -> Duration {
    action.limits.timeout_ms.map_or(TIMEOUT_DEFAULT, Duration::from_millis)
}

/// A database of the contract's name is the file `data/<name>.db` of the workspace: a definition never names a path.
fn sql(contract: &Contract, folder: &Path, database: &Name) -> SqlConnector {
    let statement = |(name, action): (&Name, &ActionContract)| {
        let Some(Request::Sql { statement }) = action.request.as_ref().map(|r| &r.value) else { return None };
        let access = if action.effect == Effect::Read { Access::Read } else { Access::Write };
        Some((
            name.to_string(),
            SqlStatement {
                sql: statement.to_string(),
                access,
                rows_max: ROWS_MAX,
                bytes_max: bytes_max(action, REPLY_BYTES_DEFAULT),
                timeout: timeout(action),
            },
        ))
    };
    SqlConnector {
        database: folder.join("data").join(format!("{database}.db")),
        statements: contract.actions.iter().filter_map(statement).collect(),
    }
}

fn files(contract: &Contract, folder: &Path) -> Result<FilesConnector, ConnectError> {
    let action = |(name, action): (&Name, &ActionContract)| {
        let Some(Request::Files { file, operation }) = action.request.as_ref().map(|r| &r.value) else { return None };
        let (deed, format) = match operation {
            FileOperation::Read(format) => (Deed::Read, read_format(*format)),
            FileOperation::Append(layout) => (Deed::Append, write_format(layout)),
            FileOperation::Replace(layout) => (Deed::Write, write_format(layout)),
        };
        let bytes_max = bytes_max(action, sluice_core::limits::REPLY_BYTES_MAX);
        Some((name.to_string(), FilesAction { deed, path: file.to_string(), format, bytes_max, rows_max: ROWS_MAX }))
    };
    FilesConnector::open(folder, contract.actions.iter().filter_map(action).collect())
        .map_err(|source| ConnectError::Files { connector: contract.connector.value.clone(), source })
}

/// A file that is read says itself which columns it has.
const fn read_format(format: FileFormat) -> Format {
    match format {
        FileFormat::Csv => Format::Csv { columns: Vec::new(), formulas: Formulas::Quote },
        FileFormat::JsonLines => Format::JsonLines,
    }
}

fn write_format(layout: &RowLayout) -> Format {
    match layout {
        RowLayout::Csv { columns, formulas } => Format::Csv {
            columns: columns.iter().map(ToString::to_string).collect(),
            formulas: match formulas {
                contract::connector::Formulas::Quote => Formulas::Quote,
                contract::connector::Formulas::Keep => Formulas::Keep,
            },
        },
        RowLayout::JsonLines => Format::JsonLines,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::{Value, json};
    use sluice_core::text::Text;

    use super::*;

    /// A workspace with a contract that writes CSV and one that reads it.
    fn calls(folder: &Path) -> impl Fn(&str, Value) -> Result<Value, String> {
        let text = "version: 1\nconnector: notes\ntransport: { files: { folder: notes, format: csv } }\nactions:\n  \
                    append:\n    effect: write\n    arguments: { rows: { role: payload } }\n    \
                    request: { file: a.csv, operation: append, columns: [id, name] }\n  \
                    replace:\n    effect: write\n    arguments: { rows: { role: payload } }\n    \
                    request: { file: a.csv, operation: replace, columns: [id, name], formulas: keep }\n  \
                    read: { effect: read, request: { file: a.csv, operation: read } }\n";
        let contract = Contract::parse(&Text::new("connectors/notes.yaml", text)).unwrap();
        fs::create_dir(folder.join("notes")).unwrap();
        let connector = files(&contract, &folder.join("notes")).unwrap();
        move |action, arguments| {
            let call = Prepared {
                connector: "notes".into(),
                action: action.into(),
                arguments,
                idempotency_key: IdempotencyKey([1; 32]),
                run: "run-1".into(),
            };
            match connector.call(&call) {
                Outcome::Reply { value, .. } => Ok(value),
                Outcome::NotSent { why } => Err(why.to_string()),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_service_that_leads_to_another_host_or_sends_too_much_breaks_its_contract() {
        let bounds = |bytes| Bounds { base: Some(Base::parse("https://crm.example.com/v2").unwrap()), bytes };
        for (to, is_elsewhere) in [
            ("", false),
            ("/v3/accounts", false),
            ("accounts?next=2", false),
            ("https://crm.example.com/v3?a=//b", false),
            ("http://crm.example.com:8080/", false),
            ("//crm.example.com/x", false),
            ("https://crm.example.com.evil.example/", true),
            ("//evil.example/x", true),
            ("https://user@crm.example.com/", true),
            ("https://169.254.169.254/", true),
            ("HTTPS://evil.example", true),
            ("javascript:alert(1)", true),
            ("\\\\evil.example", true),
        ] {
            let why = EgressError::Redirect { status: 307, to: to.to_owned() }.into();
            let came = Outcome::Rejected { status: Some(307), why };
            assert_eq!(bounds(None).broken_by(&came), is_elsewhere.then_some(Broken::Elsewhere), "{to}");
        }
        let large = || Outcome::InDoubt { why: EgressError::ReplyTooLarge { status: 200, bytes_max: 7 }.into() };
        assert_eq!(bounds(Some(7)).broken_by(&large()), Some(Broken::Volume { limit: 7 }));
        assert_eq!(bounds(None).broken_by(&large()), None, "our own bound is no contract's");
        let echo = Outcome::InDoubt { why: EgressError::SecretEchoed { status: 200 }.into() };
        assert_eq!(bounds(None).broken_by(&echo), Some(Broken::Secret));
        let fine = Outcome::Reply { status: Some(200), value: json!(1) };
        assert_eq!(bounds(Some(1)).broken_by(&fine), None);
    }

    #[test]
    fn csv_is_written_under_the_columns_of_the_contract_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let call = calls(folder.path());
        let rows = json!({"rows": [{"name": "=1+1", "id": 7}]});
        assert_eq!(call("append", rows.clone()).unwrap(), json!({"rows": 1, "added": true}));
        assert_eq!(call("append", rows.clone()).unwrap(), json!({"rows": 1, "added": false}), "the same effect");
        assert_eq!(call("read", json!({})).unwrap(), json!([{"id": "7", "name": "'=1+1"}]));
        assert_eq!(call("replace", rows).unwrap()["rows"], 1);
        assert_eq!(fs::read_to_string(folder.path().join("notes/a.csv")).unwrap(), "id,name\n7,=1+1\n");
        assert_eq!(call("replace", json!({"rows": [{"id": 7}]})).unwrap_err(), "row 1 has no column `name`");
        assert_eq!(fs::read_to_string(folder.path().join("notes/a.csv")).unwrap(), "id,name\n7,=1+1\n", "untouched");
    }
}
