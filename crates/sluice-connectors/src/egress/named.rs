//! A request that no contract describes: to an address that the operator of this machine named.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Body, Credential, EgressClient, EgressError, EgressReply, EgressRequest, EgressRule, Method};
use crate::http::Base;

const REPLY_BYTES_MAX: usize = 1 << 20;
const WITHIN: Duration = Duration::from_secs(10);

/// A request, complete but for the rule that admits it: the rule is this very request.
pub struct Named<'a> {
    /// What is asked.
    pub method: Method,
    /// Where.
    pub at: &'a Base,
    /// What is shown.
    pub credentials: Vec<Credential>,
    /// What is sent along.
    pub body: Option<Body>,
    /// Whether the operator named this very host: then it may be inside a private network.
    pub allow_private: bool,
    /// For the log of whoever answers.
    pub run: &'static str,
}

impl EgressClient {
    /// Sends it, once. Redirects are not followed.
    ///
    /// # Errors
    /// [`EgressError`].
    pub async fn send_named(&self, named: Named<'_>) -> Result<EgressReply, EgressError> {
        let Named { method, at, credentials, body, allow_private, run } = named;
        let malformed = |_| EgressError::NotAdmitted { what: "an address with open places".to_owned() };
        let path = at.path.fill(&BTreeMap::new()).map_err(malformed)?;
        let rule = EgressRule {
            scheme: at.scheme,
            host: at.host.clone(),
            port: at.port,
            method,
            path: at.path.clone(),
            allow_private,
            pin: None,
            reply_bytes_max: REPLY_BYTES_MAX,
            timeout: WITHIN,
        };
        let request = EgressRequest {
            scheme: at.scheme,
            host: at.host.clone(),
            port: at.port,
            method,
            path,
            query: Vec::new(),
            headers: vec![("accept".to_owned(), "application/json".to_owned())],
            body,
            credentials,
            idempotency: None,
            run: run.to_owned(),
        };
        self.send(request, &rule).await
    }
}
