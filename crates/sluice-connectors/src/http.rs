//! The HTTP transport: an action's arguments become one request, and what comes back becomes an outcome.
//!
//! The outcome is about the *effect*, not about the status: what surely did not happen may be tried again, what may have
//! happened may not be repeated under another key.
//!
//! | what came back | outcome |
//! |---|---|
//! | nothing left this machine | [`Outcome::NotSent`] |
//! | 2xx with a body as the contract says | [`Outcome::Reply`] |
//! | 4xx | [`Outcome::Rejected`] |
//! | 409 to a keyed request | [`Outcome::InDoubt`]: it may say that the first attempt is still at work |
//! | redirect 307 or 308 | [`Outcome::Rejected`], with where it leads |
//! | another redirect | [`Outcome::InDoubt`]: many services answer a successful `POST` so |
//! | 5xx, other statuses, no reply, a reply that cannot be read | [`Outcome::InDoubt`] |
//! | any of these, where the contract says that the action only reads | [`Outcome::Rejected`]: nothing changed |

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use sluice_core::diagnostic::Code;
use sluice_core::program::Handle;
use thiserror::Error;

use crate::address::{Host, HostFault};
use crate::egress::{
    Body, Credential, EgressClient, EgressError, EgressReply, EgressRequest, EgressRule, Method, Scheme,
};
use crate::json::{self, JsonFault};
use crate::path::{PathFault, PathTemplate};
use crate::secret::{Secret, SecretStore};
use crate::tls::CertificatePin;
use crate::{ConnectorError, Outcome, Prepared};

/// Where a service is, from the `base` of its contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// How requests travel.
    pub scheme: Scheme,
    /// To whom.
    pub host: Host,
    /// To which port.
    pub port: u16,
    /// Below which path.
    pub path: PathTemplate,
}

impl Base {
    /// Reads `https://crm.example.com:8443/api`.
    ///
    /// # Errors
    /// [`EgressError::OddAddress`], or [`EgressError::NotAHost`] for whatever else is no such address: other schemes, user
    /// names, queries and fragments included.
    pub fn parse(text: &str) -> Result<Self, EgressError> {
        let malformed = || EgressError::NotAHost { text: text.to_owned() };
        let (scheme, rest) = match text.split_once("://") {
            Some(("http", rest)) => (Scheme::Http, rest),
            Some(("https", rest)) => (Scheme::Https, rest),
            _ => return Err(malformed()),
        };
        let (authority, path) = rest.find('/').and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, ""));
        let after_bracket = authority.rfind(']').unwrap_or(0);
        let port_at = authority.rfind(':').filter(|at| *at > after_bracket);
        let (host, port) = match port_at.and_then(|at| authority.split_at_checked(at)) {
            Some((host, port)) => (host, parse_port(port).ok_or_else(malformed)?),
            None => (authority, scheme.default_port()),
        };
        let host = Host::parse(host).map_err(|fault| match fault {
            HostFault::OddAddress => EgressError::OddAddress { text: host.to_owned() },
            HostFault::Malformed => malformed(),
        })?;
        let path = path.strip_suffix('/').unwrap_or(path);
        let path = PathTemplate::parse(if path.is_empty() { "/" } else { path }).map_err(|_| malformed())?;
        if path.holes().next().is_some() {
            return Err(malformed());
        }
        Ok(Self { scheme, host, port, path })
    }
}

fn parse_port(text: &str) -> Option<u16> {
    let digits = text.strip_prefix(':')?;
    let port = digits.parse().ok().filter(|port: &u16| *port != 0)?;
    (port.to_string() == digits).then_some(port)
}

/// Where an argument goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Into the path's hole of the argument's name.
    Path,
    /// Into the query; a list becomes the same name several times.
    Query,
    /// Into the query as one value, separated by commas; an item with a comma is refused.
    QueryList,
    /// Into this header.
    Header(String),
    /// Into this key of a JSON body.
    Field(String),
    /// It is the JSON body.
    Body,
}

/// One argument of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Where it goes.
    pub place: Place,
    /// Whether a call without it is refused.
    pub required: bool,
    /// The secret that fills it. A call only says that it is meant, by its handle; this is what is opened.
    pub secret: Option<String>,
}

/// How a service lets us in: the kind of header, and the secret's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// `Authorization: Bearer …`
    Bearer,
    /// `Authorization: Basic …` with this user's name.
    Basic(String),
    /// A header of the service's own.
    Header(String),
}

/// How a reply's body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyFormat {
    /// Strict JSON; an empty body is `null`.
    Json,
    /// UTF-8 text, as one string.
    Text,
    /// It does not matter: always `null`.
    Ignored,
}

/// Whether an action leaves the service as it was. The contract says so, not the method: searches are often `POST`, and
/// some services act on `GET`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It only reads.
    Read,
    /// It may change, send, grant or start something.
    Change,
}

/// One operation of a service, from its contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAction {
    /// Whether it leaves the service as it was.
    pub effect: Effect,
    /// The method.
    pub method: Method,
    /// The path below the base, with a hole for each argument placed in it.
    pub path: PathTemplate,
    /// The arguments by name: a call may give these and no others.
    pub parameters: BTreeMap<String, Parameter>,
    /// The header that carries the idempotency key, if the service knows one.
    pub idempotency_header: Option<String>,
    /// How the reply is read.
    pub reply: ReplyFormat,
    /// The largest reply.
    pub reply_bytes_max: usize,
    /// The time for all of it.
    pub timeout: Duration,
}

/// A service behind HTTP.
#[derive(Debug)]
pub struct HttpConnector {
    /// Where it is.
    pub base: Base,
    /// Whether its contract names host and port as inside the network.
    pub allow_private: bool,
    /// The certificate that it must show.
    pub pin: Option<CertificatePin>,
    /// How it lets us in, and the name of the secret.
    pub credential: Option<(CredentialKind, String)>,
    /// Its actions by name.
    pub actions: BTreeMap<String, HttpAction>,
    /// The way out.
    pub egress: Arc<EgressClient>,
    /// Where the secret is.
    pub secrets: Arc<SecretStore>,
}

/// Why a call could not be put into a request, or what a service made of it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HttpError {
    /// SL720.
    #[error("the argument `{}` {why}", .name.escape_debug())]
    Argument {
        /// Its name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// SL721.
    #[error("the contract of this action contradicts itself: {why}")]
    Contract {
        /// What does not fit.
        why: &'static str,
    },
    /// SL722.
    #[error("the reply (status {status}) cannot be read: {fault}")]
    Unreadable {
        /// The HTTP status.
        status: u16,
        /// What is wrong.
        fault: JsonFault,
    },
    /// SL723.
    #[error("the reply (status {status}) is not text in UTF-8")]
    NotText {
        /// The HTTP status.
        status: u16,
    },
    /// SL724.
    #[error("the service refused the request (status {status})")]
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// SL725.
    #[error("the service failed or answered unexpectedly (status {status})")]
    Failed {
        /// The HTTP status.
        status: u16,
    },
    /// SL726.
    #[error("the service answered 409 to a repeatable request: an earlier attempt may still be at work")]
    Conflict,
}

impl HttpError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        Code(match self {
            Self::Argument { .. } => 720,
            Self::Contract { .. } => 721,
            Self::Unreadable { .. } => 722,
            Self::NotText { .. } => 723,
            Self::Refused { .. } => 724,
            Self::Failed { .. } => 725,
            Self::Conflict => 726,
        })
    }

    /// What to do.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Argument { .. } => "give the arguments that the contract of the action names, in the form it names",
            Self::Contract { .. } => "correct the contract; two people sign the change",
            Self::Unreadable { .. } | Self::NotText { .. } => "look at the service: it answered, so it may have acted",
            Self::Refused { .. } => "the service did not act; its own log, under the run's id, says why",
            Self::Failed { .. } | Self::Conflict => {
                "look at the service before the call is repeated: it may have acted"
            }
        }
    }
}

impl HttpConnector {
    /// Performs one call.
    pub async fn call(&self, call: &Prepared) -> Outcome {
        let Some(action) = self.actions.get(&call.action) else {
            return Outcome::NotSent { why: call.unknown_action() };
        };
        let request = match self.request(action, call) {
            Ok(request) => request,
            Err(why) => return Outcome::NotSent { why },
        };
        let result = self.egress.send(request, &self.rule(action)).await;
        classify(action, result)
    }

    fn rule(&self, action: &HttpAction) -> EgressRule {
        EgressRule {
            scheme: self.base.scheme,
            host: self.base.host.clone(),
            port: self.base.port,
            method: action.method,
            path: action.path.under(&self.base.path),
            allow_private: self.allow_private,
            pin: self.pin,
            reply_bytes_max: action.reply_bytes_max,
            timeout: action.timeout,
        }
    }

    fn request(&self, action: &HttpAction, call: &Prepared) -> Result<EgressRequest, ConnectorError> {
        let parts = Parts::of(action, &call.arguments)?;
        let path = action.path.under(&self.base.path).fill(&parts.path).map_err(path_error)?;
        let idempotency = action.idempotency_header.clone().map(|header| (header, call.idempotency_key.to_string()));
        Ok(EgressRequest {
            scheme: self.base.scheme,
            host: self.base.host.clone(),
            port: self.base.port,
            method: action.method,
            path,
            query: parts.query,
            headers: parts.headers,
            body: parts
                .body
                .map(|body| Body { content_type: "application/json", bytes: body.to_string().into_bytes() }),
            // Last, so that a malformed call never opens one.
            credentials: self.credentials(&parts.secrets)?,
            idempotency,
            run: call.run.clone(),
        })
    }

    /// What lets us in, and the arguments that are secrets.
    fn credentials(&self, arguments: &[(SecretPlace, String)]) -> Result<Vec<Credential>, ConnectorError> {
        let mut credentials = Vec::new();
        if let Some((kind, name)) = &self.credential {
            let secret: Secret = self.secrets.open(name)?;
            credentials.push(match kind {
                CredentialKind::Bearer => Credential::Bearer(secret),
                CredentialKind::Basic(user) => Credential::Basic(user.clone(), secret),
                CredentialKind::Header(header) => Credential::Header(header.clone(), secret),
            });
        }
        for (place, name) in arguments {
            let secret: Secret = self.secrets.open(name)?;
            credentials.push(match place {
                SecretPlace::Header(header) => Credential::Header(header.clone(), secret),
                SecretPlace::Field(field) => Credential::Field(field.clone(), secret),
            });
        }
        Ok(credentials)
    }
}

fn path_error(fault: PathFault) -> HttpError {
    match fault {
        PathFault::Missing(name) => HttpError::Argument { name, why: "is missing" },
        PathFault::Shape(name) => HttpError::Argument { name, why: "would change the shape of the path" },
        PathFault::TooLong => HttpError::Argument { name: "path".to_owned(), why: "makes the path too long" },
        PathFault::Template => HttpError::Contract { why: "its path is malformed" },
    }
}

/// Where an argument that is a secret goes.
#[derive(Debug, PartialEq, Eq)]
enum SecretPlace {
    Header(String),
    Field(String),
}

/// The arguments, each where it belongs.
#[derive(Default)]
struct Parts {
    path: BTreeMap<String, String>,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Option<Value>,
    /// Secrets by name, still closed.
    secrets: Vec<(SecretPlace, String)>,
}

impl Parts {
    fn of(action: &HttpAction, arguments: &Value) -> Result<Self, HttpError> {
        check_contract(action)?;
        let given = match arguments {
            Value::Object(given) => given,
            _ => return Err(HttpError::Argument { name: "arguments".to_owned(), why: "are not an object" }),
        };
        if let Some(name) = given.keys().find(|name| !action.parameters.contains_key(*name)) {
            return Err(HttpError::Argument { name: name.clone(), why: "is not one of this action" });
        }
        let mut parts = Self::default();
        for (name, parameter) in &action.parameters {
            match given.get(name) {
                Some(value) => match &parameter.secret {
                    Some(secret) => parts.put_secret(name, &parameter.place, secret, value)?,
                    None => parts.put(name, &parameter.place, value)?,
                },
                None if parameter.required => {
                    return Err(HttpError::Argument { name: name.clone(), why: "is missing" });
                }
                None => {}
            }
        }
        Ok(parts)
    }

    /// The call's value only says that the secret is meant: nothing else is taken for it, and it names nothing.
    fn put_secret(&mut self, name: &str, place: &Place, secret: &str, value: &Value) -> Result<(), HttpError> {
        if *value != Handle::shown(secret) {
            let why = "is not the handle of the secret that the contract names";
            return Err(HttpError::Argument { name: name.to_owned(), why });
        }
        let place = match place {
            Place::Header(header) => SecretPlace::Header(header.clone()),
            Place::Field(key) => {
                // A body that is nothing but secrets is an object all the same.
                self.body.get_or_insert_with(|| Value::Object(Map::new()));
                SecretPlace::Field(key.clone())
            }
            Place::Path | Place::Query | Place::QueryList | Place::Body => {
                return Err(HttpError::Contract { why: "a secret fills a header or a field of the body" });
            }
        };
        self.secrets.push((place, secret.to_owned()));
        Ok(())
    }

    fn put(&mut self, name: &str, place: &Place, value: &Value) -> Result<(), HttpError> {
        let refuse = |why| HttpError::Argument { name: name.to_owned(), why };
        let scalar = |value| as_text(value).ok_or_else(|| refuse("is not a text, a number or a truth value"));
        match (place, value) {
            (Place::Path, _) => {
                self.path.insert(name.to_owned(), scalar(value)?);
            }
            (Place::Query, Value::Array(items)) => {
                for item in items {
                    self.query.push((name.to_owned(), scalar(item)?));
                }
            }
            (Place::QueryList, Value::Array(items)) => {
                let texts = items.iter().map(scalar).collect::<Result<Vec<_>, _>>()?;
                if texts.iter().any(|text| text.contains(',')) {
                    return Err(refuse("has an item with a comma, which would become two"));
                }
                self.query.push((name.to_owned(), texts.join(",")));
            }
            (Place::Query | Place::QueryList, _) => self.query.push((name.to_owned(), scalar(value)?)),
            (Place::Header(header), _) => self.headers.push((header.clone(), scalar(value)?)),
            (Place::Field(key), _) => {
                let body = self.body.get_or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(fields) = body {
                    fields.insert(key.clone(), value.clone());
                }
            }
            (Place::Body, _) => self.body = Some(value.clone()),
        }
        Ok(())
    }
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Refuses contracts in which an argument would be lost, or would take another's place.
fn check_contract(action: &HttpAction) -> Result<(), HttpError> {
    let refuse = |why| Err(HttpError::Contract { why });
    let placed = |wanted: fn(&Place) -> bool| action.parameters.iter().filter(move |(_, p)| wanted(&p.place));
    let in_path: BTreeSet<&str> = placed(|place| *place == Place::Path).map(|(name, _)| name.as_str()).collect();
    if in_path != action.path.holes().collect() {
        return refuse("its path has other holes than arguments");
    }
    let bodies = placed(|place| *place == Place::Body).count();
    let fields: Vec<_> = action
        .parameters
        .values()
        .filter_map(|parameter| match &parameter.place {
            Place::Field(key) => Some(key),
            _ => None,
        })
        .collect();
    if bodies > 1 || (bodies == 1 && !fields.is_empty()) {
        return refuse("more than one argument is the body");
    }
    if fields.iter().collect::<BTreeSet<_>>().len() != fields.len() {
        return refuse("two arguments go into the same field");
    }
    if action.method.is_safe() && bodies + fields.len() > 0 {
        return refuse("a request that only reads has no body");
    }
    Ok(())
}

/// What a result means for the effect; the table in the module's documentation.
fn classify(action: &HttpAction, result: Result<EgressReply, EgressError>) -> Outcome {
    // Reading changes nothing: whatever became of it, it may be read again.
    let may_have_acted = |status, why: ConnectorError| match action.effect {
        Effect::Read => Outcome::Rejected { status, why },
        Effect::Change => Outcome::InDoubt { why },
    };
    let reply = match result {
        Ok(reply) => reply,
        Err(error) if error.nothing_left() => return Outcome::NotSent { why: error.into() },
        Err(EgressError::Redirect { status: status @ (307 | 308), to }) => {
            return Outcome::Rejected { status: Some(status), why: EgressError::Redirect { status, to }.into() };
        }
        Err(error) => return may_have_acted(None, error.into()),
    };
    let status = reply.status;
    match status {
        200..=299 => match read(action.reply, &reply) {
            Ok(value) => Outcome::Reply { status: Some(status), value },
            Err(error) => may_have_acted(Some(status), error.into()),
        },
        409 if action.idempotency_header.is_some() => may_have_acted(Some(status), HttpError::Conflict.into()),
        400..=499 => Outcome::Rejected { status: Some(status), why: HttpError::Refused { status }.into() },
        _ => may_have_acted(Some(status), HttpError::Failed { status }.into()),
    }
}

fn read(format: ReplyFormat, reply: &EgressReply) -> Result<Value, HttpError> {
    let status = reply.status;
    match format {
        ReplyFormat::Ignored => Ok(Value::Null),
        ReplyFormat::Json if reply.body.is_empty() => Ok(Value::Null),
        ReplyFormat::Json => json::parse(&reply.body).map_err(|fault| HttpError::Unreadable { status, fault }),
        ReplyFormat::Text => std::str::from_utf8(&reply.body)
            .map(|text| Value::String(text.to_owned()))
            .map_err(|_| HttpError::NotText { status }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn action(method: Method, path: &str, parameters: &[(&str, Place)]) -> HttpAction {
        let parameter = |place: &Place| Parameter { place: place.clone(), required: true, secret: None };
        HttpAction {
            effect: if method.is_safe() { Effect::Read } else { Effect::Change },
            method,
            path: PathTemplate::parse(path).unwrap(),
            parameters: parameters.iter().map(|(name, place)| ((*name).to_owned(), parameter(place))).collect(),
            idempotency_header: None,
            reply: ReplyFormat::Json,
            reply_bytes_max: 100,
            timeout: Duration::from_secs(1),
        }
    }

    fn reply(status: u16, body: &'static str) -> Result<EgressReply, EgressError> {
        Ok(EgressReply { status, body: body.into(), address: "192.0.2.1:443".parse().unwrap() })
    }

    fn shown(outcome: &Outcome) -> String {
        match outcome {
            Outcome::Reply { value, .. } => format!("reply {value}"),
            Outcome::Rejected { why, .. } => format!("rejected {}", why.code()),
            Outcome::InDoubt { why } => format!("in doubt {}", why.code()),
            Outcome::NotSent { why } => format!("not sent {}", why.code()),
        }
    }

    #[test]
    fn a_base_is_scheme_host_port_and_plain_path() {
        for (text, expected) in [
            ("https://crm.example.com", "https crm.example.com 443 /"),
            ("https://crm.example.com/", "https crm.example.com 443 /"),
            ("http://127.0.0.1:8080/api/v1/", "http 127.0.0.1 8080 /api/v1"),
            ("http://[::1]:80/a", "http [::1] 80 /a"),
            ("https://[::1]", "https [::1] 443 /"),
        ] {
            let base = Base::parse(text).unwrap();
            assert_eq!(format!("{} {} {} {}", base.scheme, base.host, base.port, base.path), expected);
        }
        for text in [
            "",
            "crm",
            "ftp://a",
            "file:///etc/passwd",
            "https://",
            "https://user@a",
            "https://user:pw@a",
            "https://a:0",
            "https://a:",
            "https://a:99999",
            "https://a:080",
            "https://a?x",
            "https://a/?x",
            "https://a/#x",
            "https://a/{id}",
            "HTTPS://a",
            "https://A",
            "https://a/../b",
            "https://a\\@b",
            "https://a/%2e%2e",
        ] {
            assert_eq!(Base::parse(text).unwrap_err().code().0, 705, "{text}");
        }
        for text in ["http://2130706433", "http://0x7f.1:80", "http://127.1/", "http://0177.0.0.1"] {
            assert_eq!(Base::parse(text).unwrap_err().code().0, 703, "{text}");
        }
    }

    #[test]
    fn each_argument_goes_where_the_contract_says() {
        let action = action(
            Method::Post,
            "/lists/{id}",
            &[
                ("id", Place::Path),
                ("q", Place::Query),
                ("fields", Place::QueryList),
                ("tag", Place::Header("X-Tag".into())),
                ("subject", Place::Field("title".into())),
                ("count", Place::Field("n".into())),
            ],
        );
        let arguments =
            json!({"id": 7, "q": ["a", true], "fields": ["x", "y"], "tag": "t", "subject": {"a": [1]}, "count": 2});
        let parts = Parts::of(&action, &arguments).unwrap();
        assert_eq!(parts.path, BTreeMap::from([("id".into(), "7".into())]));
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(parts.query, [pair("fields", "x,y"), pair("q", "a"), pair("q", "true")]);
        assert_eq!(parts.headers, [pair("X-Tag", "t")]);
        assert_eq!(parts.body, Some(json!({"title": {"a": [1]}, "n": 2})));
    }

    #[test]
    fn arguments_that_the_contract_does_not_name_are_refused() {
        let action = action(Method::Get, "/a/{id}", &[("id", Place::Path), ("fields", Place::QueryList)]);
        for arguments in [
            json!({"id": "1", "fields": [], "admin": true}),
            json!({"id": "1"}),
            json!({"fields": []}),
            json!({"id": null, "fields": []}),
            json!({"id": ["1"], "fields": []}),
            json!({"id": "1", "fields": ["a,secret"]}),
            json!({"id": "1", "fields": [{}]}),
            json!([]),
            json!(null),
        ] {
            assert_eq!(Parts::of(&action, &arguments).err().unwrap().code().0, 720, "{arguments}");
        }
    }

    #[test]
    fn a_contract_that_contradicts_itself_is_refused() {
        for action in [
            action(Method::Get, "/a/{id}", &[]),
            action(Method::Get, "/a", &[("id", Place::Path)]),
            action(Method::Get, "/a", &[("b", Place::Body)]),
            action(Method::Post, "/a", &[("a", Place::Body), ("b", Place::Body)]),
            action(Method::Post, "/a", &[("a", Place::Body), ("b", Place::Field("x".into()))]),
            action(Method::Post, "/a", &[("a", Place::Field("x".into())), ("b", Place::Field("x".into()))]),
        ] {
            assert_eq!(Parts::of(&action, &json!({})).err().unwrap().code().0, 721, "{action:?}");
        }
    }

    #[test]
    fn an_outcome_is_about_the_effect() {
        let lost = || Err(EgressError::ReplyLost { why: "closed".into() });
        let redirect = |status| Err(EgressError::Redirect { status, to: "/login".into() });
        let unresolved = || Err(EgressError::Unresolved { host: "a".into(), why: "no".into() });
        let keyed = HttpAction { idempotency_header: Some("k".into()), ..action(Method::Post, "/a", &[]) };
        let (get, post) = (action(Method::Get, "/a", &[]), action(Method::Post, "/a", &[]));
        let cases = [
            (&post, reply(200, r#"{"a":1}"#), r#"reply {"a":1}"#),
            (&post, reply(204, ""), "reply null"),
            (&post, reply(200, r#"{"a":1,"a":2}"#), "in doubt SL722"),
            (&get, reply(200, r#"{"a":1,"a":2}"#), "rejected SL722"),
            (&post, reply(404, "{"), "rejected SL724"),
            (&post, reply(409, ""), "rejected SL724"),
            (&keyed, reply(409, ""), "in doubt SL726"),
            (&post, reply(500, ""), "in doubt SL725"),
            (&post, reply(304, ""), "in doubt SL725"),
            (&get, reply(503, ""), "rejected SL725"),
            (&post, lost(), "in doubt SL713"),
            (&get, lost(), "rejected SL713"),
            (&post, redirect(307), "rejected SL710"),
            (&post, redirect(303), "in doubt SL710"),
            (&get, redirect(302), "rejected SL710"),
            (&post, unresolved(), "not sent SL706"),
            (&get, unresolved(), "not sent SL706"),
        ];
        for (action, result, expected) in cases {
            let asked = format!("{:?}", result);
            assert_eq!(shown(&classify(action, result)), expected, "{asked}");
        }
        let text = HttpAction { reply: ReplyFormat::Text, ..post.clone() };
        assert_eq!(shown(&classify(&text, reply(200, "hi"))), r#"reply "hi""#);
        let bytes = Ok(EgressReply { status: 200, body: vec![0xff].into(), address: "192.0.2.1:1".parse().unwrap() });
        assert_eq!(shown(&classify(&text, bytes)), "in doubt SL723");
        let acting_get = HttpAction { effect: Effect::Change, ..get.clone() };
        assert_eq!(shown(&classify(&acting_get, lost())), "in doubt SL713");
        let search = HttpAction { effect: Effect::Read, ..post.clone() };
        assert_eq!(shown(&classify(&search, lost())), "rejected SL713");
        let ignored = HttpAction { reply: ReplyFormat::Ignored, ..post };
        assert_eq!(shown(&classify(&ignored, reply(200, "<html>"))), "reply null");
    }
}
