//! A message to an address: a service of the operator's passes it on.

use serde_json::json;
use sluice_connectors::egress::{Body, Credential, EgressClient, Method, Named};
use sluice_connectors::http::Base;
use sluice_connectors::secret::Secret;

use super::{Event, Notice, Unsent, link};
use crate::house::House;

/// Where messages go, and what they are shown.
pub(super) struct Hook {
    at: Base,
    http: EgressClient,
    secret: Option<String>,
}

impl Hook {
    pub(super) fn new(url: &str, secret: Option<String>) -> Result<Self, String> {
        let at = Base::parse(url).map_err(|error| format!("messages cannot go to `{url}`: {error}"))?;
        Ok(Self { at, http: EgressClient::default(), secret })
    }

    pub(super) async fn send(&self, house: &House, event: Event, notice: &Notice<'_>) -> Result<(), Unsent> {
        let message = json!({
            "version": 1,
            "event": event.word(),
            "approval": notice.about.id,
            "link": link(house, notice.about),
            "asked_by": notice.about.requester,
            "asked": notice.people,
            "asked_ms": notice.about.asked_ms,
        });
        let secret = self.secret.as_ref().map(|secret| Credential::Bearer(Secret::new(secret.clone().into_bytes())));
        let body = Body { content_type: "application/json", bytes: message.to_string().into_bytes() };
        let named = Named {
            method: Method::Post,
            at: &self.at,
            credentials: secret.into_iter().collect(),
            body: Some(body),
            allow_private: true,
            run: "notices",
        };
        let reply = self.http.send_named(named).await.map_err(|error| Unsent::ForNow(error.to_string()))?;
        match reply.status {
            200..300 => Ok(()),
            status => Err(Unsent::ForNow(format!("the answer was {status}"))),
        }
    }
}
