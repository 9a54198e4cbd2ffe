//! A ticket as a gate judges it: it is open, names whom or what the step is about, and was raised by whoever asks.
//!
//! Which action shows one, and where in its reply these stand, is the contract's word. Texts are compared letter by
//! letter: a ticket "about" somebody is one that names them as the step does, not one that mentions them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value as Json;
use thiserror::Error;

use crate::catalogue::{Pattern, Segment};
use crate::contract::Principals;
use crate::label::Name;

/// Most texts of a reply that are compared: a ticket that names more names nobody.
pub const NAMED_MAX: usize = 1_000;

/// Of a text that the ticket system sent, as much as a reason repeats.
const TOLD_CHARS_MAX: usize = 80;

/// How an action shows a ticket, by its contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The argument that takes the ticket's id.
    pub argument: Name,
    /// Where its state stands.
    pub status: Pattern,
    /// The states in which it counts.
    pub open: BTreeSet<Name>,
    /// Where it names whom or what it is about.
    pub subject: Pattern,
    /// Where it names who raised it.
    pub requester: Pattern,
    /// The identity provider whose names for people these are; without one they are the register's own.
    pub issuer: Option<Name>,
}

/// Why a ticket opens no gate.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TicketFault {
    /// A part that must be one text is none, or several.
    #[error("it does not say `{0}` in one text")]
    Unreadable(&'static str),
    /// Its state is none of those in which it counts.
    #[error("it is `{0}`, and not open")]
    NotOpen(String),
    /// Somebody else raised it.
    #[error("it was raised by `{raised_by}`, and `{asker}` asks")]
    OtherRequester {
        /// As the ticket names them.
        raised_by: String,
        /// In whose name the step is taken.
        asker: Name,
    },
    /// It is about something else.
    #[error("it does not name `{0}`, which the step is about")]
    OtherSubject(String),
    /// The step names nothing that a ticket could be about.
    #[error("the step names nothing that it could be about")]
    NoSubject,
}

impl Ticket {
    /// Judges what the ticket system said. `asker` is in whose name the step is taken, `subjects` what it is about.
    ///
    /// # Errors
    /// [`TicketFault`]: the first reason why it does not count.
    pub fn judge(
        &self,
        reply: &Json,
        principals: &Principals,
        asker: &Name,
        subjects: &[String],
    ) -> Result<(), TicketFault> {
        let status = one(&self.status, reply).ok_or(TicketFault::Unreadable("status"))?;
        if !self.open.contains(&*status) {
            return Err(TicketFault::NotOpen(cut(&status)));
        }
        let raised_by = one(&self.requester, reply).ok_or(TicketFault::Unreadable("requester"))?;
        let is_theirs = match &self.issuer {
            Some(issuer) => principals.identified(issuer, &raised_by) == Some(asker),
            None => *raised_by == **asker,
        };
        if !is_theirs {
            return Err(TicketFault::OtherRequester { raised_by: cut(&raised_by), asker: asker.clone() });
        }
        let named = texts(&self.subject, reply);
        let missing = subjects.iter().find(|subject| !named.contains(subject.as_str()));
        match missing {
            Some(subject) => Err(TicketFault::OtherSubject(cut(subject))),
            None if subjects.is_empty() => Err(TicketFault::NoSubject),
            None => Ok(()),
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(TOLD_CHARS_MAX).collect()
}

/// The one text at a place; `None` if there is none, or another beside it.
fn one<'j>(pattern: &Pattern, reply: &'j Json) -> Option<Cow<'j, str>> {
    let mut found = Vec::new();
    collect(&pattern.0, reply, &mut found);
    match found.as_slice() {
        [Some(text)] => Some(text.clone()),
        _ => None,
    }
}

/// Every text at the places of a pattern; none if they are too many.
fn texts<'j>(pattern: &Pattern, reply: &'j Json) -> BTreeSet<Cow<'j, str>> {
    let mut found = Vec::new();
    collect(&pattern.0, reply, &mut found);
    if found.len() > NAMED_MAX { BTreeSet::new() } else { found.into_iter().flatten().collect() }
}

/// What stands at the places: a text, a number as JSON writes it, or `None` for anything else.
fn collect<'j>(rest: &[Segment], value: &'j Json, found: &mut Vec<Option<Cow<'j, str>>>) {
    if found.len() > NAMED_MAX {
        return;
    }
    let Some((segment, rest)) = rest.split_first() else {
        found.push(match value {
            Json::String(text) => Some(Cow::Borrowed(text)),
            Json::Number(number) => Some(Cow::Owned(number.to_string())),
            _ => None,
        });
        return;
    };
    match (segment, value) {
        (Segment::Any, Json::Array(items)) => items.iter().for_each(|item| collect(rest, item, found)),
        (Segment::Any, Json::Object(fields)) => fields.values().for_each(|field| collect(rest, field, found)),
        (Segment::Key(key), Json::Object(fields)) => {
            if let Some(field) = fields.get(key.as_ref()) {
                collect(rest, field, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ticket(subject: &str) -> Ticket {
        let pattern = |text| Pattern::parse(text).unwrap();
        Ticket {
            argument: "id".into(),
            status: pattern("/fields/status"),
            open: ["open".into(), "in progress".into()].into(),
            subject: pattern(subject),
            requester: pattern("/fields/reporter"),
            issuer: None,
        }
    }

    fn judged(reply: &Json, subjects: &[&str]) -> Result<(), String> {
        let subjects: Vec<String> = subjects.iter().map(ToString::to_string).collect();
        let judged = ticket("/fields/about/*").judge(reply, &Principals::default(), &"ben".into(), &subjects);
        judged.map_err(|fault| fault.to_string())
    }

    fn reply(status: &Json, reporter: &Json, about: &Json) -> Json {
        json!({ "fields": { "status": status, "reporter": reporter, "about": about } })
    }

    #[test]
    fn an_open_ticket_of_the_requester_about_the_subject_counts() {
        let said = reply(&json!("open"), &json!("ben"), &json!(["eve", 7]));
        assert_eq!(judged(&said, &["eve"]), Ok(()));
        assert_eq!(judged(&said, &["eve", "7"]), Ok(()));
    }

    #[test]
    fn any_other_ticket_says_why_it_does_not() {
        let (open, ben, eve) = (json!("open"), json!("ben"), json!(["eve"]));
        let not_said = |what: &str| format!("it does not say `{what}` in one text");
        for (said, subjects, why) in [
            (reply(&json!("closed"), &ben, &eve), &["eve"][..], "it is `closed`, and not open".to_owned()),
            (reply(&json!("Open"), &ben, &eve), &["eve"], "it is `Open`, and not open".to_owned()),
            (reply(&json!(true), &ben, &eve), &["eve"], not_said("status")),
            (reply(&open, &json!("Ben"), &eve), &["eve"], "it was raised by `Ben`, and `ben` asks".to_owned()),
            (reply(&open, &Json::Null, &eve), &["eve"], not_said("requester")),
            (reply(&open, &ben, &json!(["eve2"])), &["eve"], "it does not name `eve`, which the step is about".into()),
            (reply(&open, &ben, &json!("eve")), &["eve"], "it does not name `eve`, which the step is about".into()),
            (reply(&open, &ben, &eve), &["eve", "fay"], "it does not name `fay`, which the step is about".into()),
            (reply(&open, &ben, &eve), &[], "the step names nothing that it could be about".into()),
            (json!({}), &["eve"], not_said("status")),
            (Json::Null, &["eve"], not_said("status")),
        ] {
            assert_eq!(judged(&said, subjects), Err(why), "{said}");
        }
    }

    #[test]
    fn one_that_names_everybody_names_nobody() {
        let all: Vec<String> = (0..=NAMED_MAX).map(|n| format!("p{n}")).collect();
        let said = reply(&json!("open"), &json!("ben"), &json!(all));
        assert_eq!(judged(&said, &["p1"]), Err("it does not name `p1`, which the step is about".into()));
    }
}
