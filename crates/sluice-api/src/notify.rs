//! Tells people that something waits for them: a message to an address that the operator named, as soon as it is asked and
//! again while nobody has decided.
//!
//! A message says who is asked and where to look; why, and with which data, is on the page and nowhere else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use sluice_connectors::egress::{Body, Credential, EgressClient, Method, Named};
use sluice_connectors::http::Base;
use sluice_connectors::secret::Secret;
use sluice_core::label::Name;
use sluice_runtime::approvals::{Approver, Waiting, open_review};
use sluice_runtime::clock::now_ms;

use crate::house::House;

/// How often it is looked for what waits.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Messages that are sent in one look: a flood of questions is no flood of messages.
const AT_ONCE_MAX: usize = 20;

/// Where messages go.
pub struct Notices {
    at: Base,
    http: EgressClient,
    secret: Option<String>,
    remind: Duration,
}

impl Notices {
    /// Messages to `url`, shown `secret` as a bearer's token, again after `remind` while nobody has decided.
    ///
    /// # Errors
    /// What is wrong with the address, in words.
    pub fn new(url: &str, secret: Option<String>, remind: Duration) -> Result<Self, String> {
        let at = Base::parse(url).map_err(|error| format!("messages cannot go to `{url}`: {error}"))?;
        Ok(Self { at, http: EgressClient::default(), secret, remind })
    }

    /// Sends until it is dropped. What was asked before it began counts as told: people are reminded of it.
    pub async fn run(self, house: Arc<House>) {
        let mut told: BTreeMap<String, u64> = BTreeMap::new();
        let mut is_first = true;
        let mut tick = tokio::time::interval(LOOK_EVERY);
        loop {
            tick.tick().await;
            let waiting = {
                let house = Arc::clone(&house);
                tokio::task::spawn_blocking(move || open(&house)).await
            };
            let Ok(Ok(waiting)) = waiting else { continue };
            told.retain(|id, _| waiting.iter().any(|(waiting, _)| key(waiting) == *id));
            let mut sent = 0;
            for (one, people) in &waiting {
                let last = told.get(&key(one)).copied();
                let remind_ms = u64::try_from(self.remind.as_millis()).unwrap_or(u64::MAX);
                let is_due = last.is_none_or(|last| now_ms().saturating_sub(last) >= remind_ms);
                if !is_due || sent == AT_ONCE_MAX {
                    continue;
                }
                // That the glass was broken is told again rather than not at all.
                if !(is_first && last.is_none()) || (last.is_none() && is_unreviewed(one)) {
                    let event = match (last, is_unreviewed(one)) {
                        (None, true) => "glass-broken",
                        (None, false) => "asked",
                        (Some(_), _) => "reminder",
                    };
                    // Who cannot be reached is tried again with the next look.
                    if let Err(why) = self.send(&house, event, one, people).await {
                        eprintln!("sluice serve: nobody was told of {}: {why}", one.id);
                        break;
                    }
                    sent += 1;
                }
                told.insert(key(one), now_ms());
            }
            is_first = false;
        }
    }

    async fn send(&self, house: &House, event: &str, one: &Waiting, people: &BTreeSet<Name>) -> Result<(), String> {
        let message = json!({
            "version": 1,
            "event": event,
            "approval": one.id,
            "link": format!("{}/approvals/{}", house.party().origin, one.id),
            "asked_by": one.requester,
            "asked": people,
            "asked_ms": one.asked_ms,
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
        let reply = self.http.send_named(named).await.map_err(|error| error.to_string())?;
        if (200..300).contains(&reply.status) { Ok(()) } else { Err(format!("the answer was {}", reply.status)) }
    }
}

/// Under what it is remembered that people were told: that the glass was broken for something is news about it.
fn key(one: &Waiting) -> String {
    if is_unreviewed(one) { format!("{}/review", one.id) } else { one.id.clone() }
}

/// Whether the glass was broken for it, and nobody has looked at that yet.
fn is_unreviewed(one: &Waiting) -> bool {
    one.glass.as_ref().is_some_and(|broken| broken.review.is_none())
}

/// What waits, with everybody who has not spoken yet; and for what the glass was broken, with those who are told.
fn open(house: &House) -> Result<Vec<(Waiting, BTreeSet<Name>)>, String> {
    let workspace = house.workspace()?;
    let approver = Approver::new(&workspace, house.ledger());
    let all = approver.list().map_err(|error| error.to_string())?;
    let open = all.into_iter().filter(|waiting| !waiting.is_satisfied && !is_unreviewed(waiting));
    let mut open: Vec<(Waiting, BTreeSet<Name>)> = open
        .map(|waiting| {
            let mut people = (*waiting.asked).clone();
            people.retain(|person| !waiting.said.iter().any(|(who, _)| who == person));
            (waiting, people)
        })
        .collect();
    if let Some(broken) = open_review(house.ledger()).map_err(|error| error.to_string())?
        // What was erased meanwhile has no page to look at; the inbox still has the review.
        && let Ok(waiting) = approver.show(&broken.approval)
    {
        open.push((waiting, broken.told.into_iter().collect()));
    }
    Ok(open)
}
