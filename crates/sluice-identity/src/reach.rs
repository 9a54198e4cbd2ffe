//! How a provider is asked: only at its own address, or at one that it names itself, under the rules of all egress.

use std::collections::BTreeMap;

use sluice_connectors::egress::{Body, Credential, EgressClient, EgressReply, Method, Named, Scheme};
use sluice_connectors::http::Base;

use crate::issuer::IssuerError;

/// A provider that can be asked.
pub(crate) struct Reach {
    base: Base,
    http: EgressClient,
}

impl Reach {
    /// A provider by its address. Nothing is asked yet.
    pub(crate) fn of(name: &str, http: EgressClient) -> Result<Self, IssuerError> {
        let wrong = || IssuerError::Address(name.to_owned());
        let base = Base::parse(name).map_err(|_| wrong())?;
        if base.scheme == Scheme::Http && !is_here(&base) {
            return Err(wrong());
        }
        Ok(Self { base, http })
    }

    /// The path of its address, without a slash at the end.
    pub(crate) fn path(&self) -> String {
        let path = self.base.path.fill(&BTreeMap::new()).unwrap_or_default();
        path.strip_suffix('/').unwrap_or(&path).to_owned()
    }

    /// Asks at an address that the provider named.
    pub(crate) async fn ask(
        &self,
        method: Method,
        url: &str,
        credentials: Vec<Credential>,
        body: Option<Body>,
    ) -> Result<EgressReply, IssuerError> {
        let answer = |why: &str| IssuerError::Answer { url: url.to_owned(), why: why.to_owned() };
        let egress = |source| IssuerError::Egress { url: url.to_owned(), source };
        let at = Base::parse(url).map_err(egress)?;
        let is_same = (at.scheme, &at.host, at.port) == (self.base.scheme, &self.base.host, self.base.port);
        if at.scheme == Scheme::Http && !is_same {
            return Err(answer("its keys would come over plain HTTP"));
        }
        // The operator named this host; what it names itself must be of the public internet.
        let named = Named { method, at: &at, credentials, body, allow_private: is_same, run: "identity" };
        self.http.send_named(named).await.map_err(egress)
    }
}

/// Whether it is this very machine, to which nobody stands between.
fn is_here(base: &Base) -> bool {
    use sluice_connectors::address::Host;
    match &base.host {
        Host::Name(name) => name == "localhost",
        Host::Address(address) => address.is_loopback(),
    }
}
