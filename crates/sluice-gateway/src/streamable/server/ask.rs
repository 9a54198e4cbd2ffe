//! Requests to a service.

use std::collections::BTreeMap;
use std::time::Duration;

use sluice_connectors::egress::{Body, Credential, EgressError, EgressRequest, EgressRule, EgressStream, Method};
use sluice_connectors::secret::SecretError;

use super::super::{LAST_EVENT_HEADER, METHOD_HEADER, NAME_HEADER, SESSION_HEADER, VERSION_HEADER, headers};
use super::{Line, Shown};
use crate::frame::{FRAME_BYTES_MAX, Frame, Kind};
use crate::mirrored;

/// For how long a server may say nothing: it may be at work, but it may also be gone.
const SILENT_FOR: Duration = Duration::from_secs(600);

/// A request without an answer.
pub(super) struct Fault {
    /// Whether it may have arrived.
    pub(super) is_sent: bool,
    /// For the agent.
    pub(super) code: String,
    /// For people.
    pub(super) why: String,
}

impl From<EgressError> for Fault {
    fn from(error: EgressError) -> Self {
        Self {
            is_sent: !error.nothing_left(),
            code: error.code().to_string(),
            why: format!("{}: {error}", error.code()),
        }
    }
}

impl From<SecretError> for Fault {
    fn from(error: SecretError) -> Self {
        Self { is_sent: false, code: error.code().to_string(), why: format!("{}: {error}", error.code()) }
    }
}

impl Line<'_> {
    /// Sends a request, with what its head says of its body, and gives its reply as soon as that begins.
    pub(super) async fn open(
        &self,
        method: Method,
        body: Option<&Frame>,
        last: Option<&str>,
    ) -> Result<EgressStream, Fault> {
        let base = &self.service.base;
        let path = base.path.fill(&BTreeMap::new()).map_err(|_| unwritten("the path of the URL"))?;
        let mut credentials = Vec::new();
        let mut lines = self.own_lines(method, body, last);
        for (name, shown) in &self.service.headers {
            match shown {
                Shown::Text(text) => lines.push((name.clone(), text.clone())),
                Shown::Secret(secret) => credentials.push(Credential::Header(name.clone(), self.secrets.open(secret)?)),
            }
        }
        let body = body.map(|frame| Body { content_type: "application/json", bytes: frame.raw().as_bytes().to_vec() });
        let request = EgressRequest {
            scheme: base.scheme,
            host: base.host.clone(),
            port: base.port,
            method,
            path,
            query: Vec::new(),
            headers: lines,
            body,
            credentials,
            idempotency: None,
            run: "gateway".to_owned(),
        };
        let rule = EgressRule {
            scheme: base.scheme,
            host: base.host.clone(),
            port: base.port,
            method,
            path: base.path.clone(),
            allow_private: self.service.allow_private,
            pin: self.service.pin,
            reply_bytes_max: FRAME_BYTES_MAX,
            timeout: SILENT_FOR,
        };
        Ok(self.client.open(request, &rule).await?)
    }

    /// The protocol's own headers.
    fn own_lines(&self, method: Method, body: Option<&Frame>, last: Option<&str>) -> Vec<(String, String)> {
        let accepts = if method == Method::Get { "text/event-stream" } else { "application/json, text/event-stream" };
        let mut lines = vec![("accept", accepts.to_owned())];
        let mut of_arguments = Vec::new();
        lines.extend(last.map(|id| (LAST_EVENT_HEADER, id.to_owned())));
        let asked = body.and_then(|frame| match &frame.kind {
            Kind::Request { method, .. } => Some((frame, method.as_str())),
            _ => None,
        });
        match (asked, body.and_then(headers::version)) {
            (asked, Some(version)) => {
                lines.push((VERSION_HEADER, version.to_owned()));
                if let Some((frame, method)) = asked {
                    lines.push((METHOD_HEADER, headers::encoded(method)));
                    let name = headers::name_field(method).and_then(|field| headers::text_of(frame, field));
                    lines.extend(name.map(|name| (NAME_HEADER, headers::encoded(name))));
                    if method == "tools/call" {
                        let known = self.mirrored.borrow();
                        let mirrored = name.and_then(|name| known.get(name)).map(Vec::as_slice).unwrap_or_default();
                        let arguments = frame.member("params").and_then(|params| params.get("arguments"));
                        of_arguments = mirrored::lines(mirrored, arguments);
                    }
                }
            }
            // It begins another session.
            (Some((_, "initialize")), None) => {}
            (_, None) => {
                lines.extend(self.session.borrow().clone().map(|id| (SESSION_HEADER, id)));
                lines.extend(self.version.borrow().clone().map(|version| (VERSION_HEADER, version)));
            }
        }
        lines.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(of_arguments).collect()
    }
}

fn unwritten(what: &str) -> Fault {
    EgressError::NotAdmitted { what: what.to_owned() }.into()
}
