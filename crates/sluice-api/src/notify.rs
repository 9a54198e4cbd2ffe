//! Tells people that something waits for them, as soon as it is asked and again while nobody has decided: by a message to
//! an address that the operator named, and by a letter to each of them.
//!
//! A message says who is asked and where to look; why, and with which data, is on the page and nowhere else.

mod hook;
mod letters;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use sluice_connectors::mail::Relay;
use sluice_core::label::Name;
use sluice_runtime::approvals::{Approver, Waiting, open_review};
use sluice_runtime::clock::now_ms;

use self::hook::Hook;
use crate::house::House;

/// How often it is looked for what waits.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Messages that are sent in one look: a flood of questions is no flood of messages.
const AT_ONCE_MAX: usize = 20;
/// How long it waits at most once nobody took a message.
const PAUSE_MAX: Duration = Duration::from_secs(300);

/// Where messages go.
pub struct Notices {
    by: Way,
    remind: Duration,
}

enum Way {
    Hook(Hook),
    Letters(Relay),
}

/// Why something waits for people.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Event {
    Asked,
    Reminder,
    GlassBroken,
}

impl Event {
    const fn word(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Reminder => "reminder",
            Self::GlassBroken => "glass-broken",
        }
    }
}

/// Why a message did not arrive.
enum Unsent {
    /// It never will: it is not tried again before the next reminder.
    ForGood(String),
    /// It is tried again.
    ForNow(String),
}

/// One message: about what, and for whom.
struct Notice<'a> {
    about: &'a Waiting,
    /// All who have not spoken, for a hook; one of them, for a letter.
    people: BTreeSet<&'a Name>,
    /// Under what it is remembered that it was sent.
    key: String,
}

impl Notices {
    /// Messages to `url`, shown `secret` as a bearer's token, again after `remind` while nobody has decided.
    ///
    /// # Errors
    /// What is wrong with the address, in words.
    pub fn to_hook(url: &str, secret: Option<String>, remind: Duration) -> Result<Self, String> {
        Ok(Self { by: Way::Hook(Hook::new(url, secret)?), remind })
    }

    /// A letter to everybody who is asked and whose address the register knows, again after `remind` while nobody has decided.
    #[must_use]
    pub const fn by_letter(relay: Relay, remind: Duration) -> Self {
        Self { by: Way::Letters(relay), remind }
    }

    /// Sends until it is dropped. What was asked before it began counts as told: people are reminded of it.
    pub async fn run(self, house: Arc<House>) {
        let mut told: BTreeMap<String, u64> = BTreeMap::new();
        let (mut is_first, mut pause) = (true, LOOK_EVERY);
        loop {
            let waiting = {
                let house = Arc::clone(&house);
                tokio::task::spawn_blocking(move || open(&house)).await
            };
            let Ok(Ok(waiting)) = waiting else {
                tokio::time::sleep(LOOK_EVERY).await;
                continue;
            };
            let notices: Vec<Notice<'_>> = waiting.iter().flat_map(|(one, people)| self.notices(one, people)).collect();
            told.retain(|key, _| notices.iter().any(|notice| notice.key == *key));
            pause = match self.round(&house, &notices, &mut told, is_first).await {
                Ok(()) => LOOK_EVERY,
                Err(()) => (pause * 2).min(PAUSE_MAX),
            };
            is_first = false;
            tokio::time::sleep(pause).await;
        }
    }

    /// Sends what is due; says whether whoever takes messages could be reached.
    async fn round(
        &self,
        house: &House,
        notices: &[Notice<'_>],
        told: &mut BTreeMap<String, u64>,
        is_first: bool,
    ) -> Result<(), ()> {
        let remind_ms = u64::try_from(self.remind.as_millis()).unwrap_or(u64::MAX);
        let is_due = |last: Option<u64>| last.is_none_or(|last| now_ms().saturating_sub(last) >= remind_ms);
        let mut sent = 0;
        for notice in notices {
            let last = told.get(&notice.key).copied();
            if !is_due(last) || sent == AT_ONCE_MAX {
                continue;
            }
            let event = match (last, is_unreviewed(notice.about)) {
                (None, true) => Event::GlassBroken,
                (None, false) => Event::Asked,
                (Some(_), _) => Event::Reminder,
            };
            // That the glass was broken is told again rather than not at all.
            if !(is_first && event == Event::Asked) {
                match self.send(house, event, notice).await {
                    Ok(()) => sent += 1,
                    Err(Unsent::ForGood(why)) => eprintln!("sluice serve: {}: {why}", unheard(notice)),
                    Err(Unsent::ForNow(why)) => {
                        eprintln!("sluice serve: {}: {why}; it is tried again", unheard(notice));
                        return Err(());
                    }
                }
            }
            told.insert(notice.key.clone(), now_ms());
        }
        Ok(())
    }

    fn notices<'a>(&self, about: &'a Waiting, people: &'a BTreeSet<Name>) -> Vec<Notice<'a>> {
        match self.by {
            Way::Hook(_) => vec![Notice { about, people: people.iter().collect(), key: key(about) }],
            Way::Letters(_) => {
                let of = |person| Notice { about, people: [person].into(), key: format!("{}/{person}", key(about)) };
                people.iter().map(of).collect()
            }
        }
    }

    async fn send(&self, house: &House, event: Event, notice: &Notice<'_>) -> Result<(), Unsent> {
        match &self.by {
            Way::Hook(hook) => hook.send(house, event, notice).await,
            Way::Letters(relay) => letters::send(relay, house, event, notice).await,
        }
    }
}

/// Who was not told of what.
fn unheard(notice: &Notice<'_>) -> String {
    let people: Vec<&str> = notice.people.iter().map(|name| &***name).collect();
    match people.as_slice() {
        [person] => format!("{person} was not told of {}", notice.about.id),
        _ => format!("nobody was told of {}", notice.about.id),
    }
}

/// The page to look at.
fn link(house: &House, about: &Waiting) -> String {
    format!("{}/approvals/{}", house.party().origin, about.id)
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
