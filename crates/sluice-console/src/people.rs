//! People and their passkeys: one's own, and for whoever signs the rules those of all, with links that invite.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Form, Query as Asked, State};
use axum::response::Redirect;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use maud::{Markup, html};
use serde::Deserialize;
use sluice_api::House;
use sluice_api::door::Purpose;
use sluice_api::guard::{Visitor, is_their_form};
use sluice_api::rights::may_manage_people;
use sluice_api::session::Login;
use sluice_core::label::Name;
use sluice_ledger::EntryKind;
use sluice_render::markup::Seen;
use sluice_render::time;
use sluice_runtime::approvals::Word;
use sluice_runtime::enrolment::{Known, Listed, passkeys, passkeys_seen, remove as forget};
use sluice_store::{Page, Query};

use crate::delegations;
use crate::enter::{Made, challenge, closed, creation, take_passkey};
use crate::page::{Asking, Room, Shown, aside, framed};
use crate::problem::Problem;
use crate::signing::{Answer, answer_fields};
use crate::sort::Sorting;
use crate::words::{ago, who};

/// How many words of each kind are looked at.
const LATELY: u64 = 500;

#[derive(Deserialize)]
pub(crate) struct Filter {
    /// By what everybody is sorted.
    #[serde(default)]
    sort: String,
}

/// What everybody can be sorted by.
const COLUMNS: [&str; 7] = ["person", "groups", "manager", "passkeys", "decided", "denied", "reads"];

pub(crate) async fn page(State(house): State<Arc<House>>, visitor: Visitor, Asked(filter): Asked<Filter>) -> Shown {
    aside(move || shown(&Asking::of(house, visitor)?, None, false, &filter.sort)).await
}

/// A link that was made for somebody just now.
struct Invited {
    person: Name,
    link: String,
}

/// `confirmed`: they showed just now, with a device that verified them, that it is them.
fn shown(asking: &Asking, invited: Option<&Invited>, confirmed: bool, sort: &str) -> Shown {
    let (house, workspace, person) = (&asking.house, &asking.workspace, &asking.caller.person);
    let listed = passkeys_seen(house.ledger())?;
    let theirs: Vec<&Listed> = listed.iter().filter(|one| one.enrolled.person == *person).collect();
    let content = html! {
        h1 { "People" }
        section aria-labelledby="yours" {
            h2 id="yours" { "Your passkeys " span.count { (theirs.len()) } }
            @if theirs.is_empty() { p { "You have none yet. With one you log in here, and sign what you decide." } }
            @else { (table(asking, &theirs)) }
            (making(asking, &theirs, confirmed)?)
            p.told role="status" aria-live="polite" {}
        }
        (delegations::section(asking)?)
        @if may_manage_people(workspace, person) {
            section aria-labelledby="all" {
                h2 id="all" { "Everybody" }
                p.faint { "Who there is stands in " code { "registers/principals.yaml" } ". Whoever signs the rules can invite them: a link makes one passkey, once, within an hour." }
                @if let Some(Invited { person, link }) = invited {
                    div.note role="status" { p { "For " (who(workspace, person)) ", to be given to them and nobody else:" } pre.listing tabindex="0" { (link) } }
                }
                (everybody(asking, &listed, &habits(asking)?, &Sorting::of("/people", sort, &COLUMNS, [])))
            }
        }
    };
    Ok(framed(asking, Room::People, "People", false, &content))
}

/// How one more passkey is made: a session alone makes none, for whoever took it would stay in for good.
fn making(asking: &Asking, theirs: &[&Listed], confirmed: bool) -> Result<Markup, Problem> {
    let (house, caller) = (&asking.house, &asking.caller);
    let make = |purpose: Purpose| {
        creation(house, purpose, name_of(asking, &caller.person), "/people/passkey", Some(&caller.form_token))
    };
    if confirmed {
        return make(Purpose::Another(caller.person.clone()));
    }
    if theirs.is_empty() {
        return match caller.login {
            Login::DemoLink => make(Purpose::First(caller.person.clone())),
            Login::Provider if caller.is_fresh => make(Purpose::First(caller.person.clone())),
            _ if house.provider().is_some() => Ok(html! {
                p { "To make your first passkey, show once more who you are." }
                p { a.button href="/people/again" { "Log in again, and make a passkey" } }
            }),
            _ => Ok(html! { p { "Ask whoever runs this console for a link that makes one." } }),
        };
    }
    let (text, asked) = house.door.ask(Purpose::Confirm(caller.person.clone()))?;
    let ids: Vec<String> = theirs.iter().map(|one| URL_SAFE_NO_PAD.encode(&one.enrolled.passkey.id)).collect();
    Ok(html! {
        form method="post" action="/people/confirm" data-passkey="get" data-challenge=(challenge(&asked))
            data-domain=(house.party().id) data-passkeys=(ids.join(",")) {
            input type="hidden" name="form" value=(caller.form_token);
            input type="hidden" name="ask" value=(text);
            (answer_fields())
            button type="submit" { "Make another passkey" }
            p.faint { "First answer with one that you have." }
        }
    })
}

#[derive(Deserialize)]
pub(crate) struct Confirm {
    form: String,
    ask: String,
    #[serde(flatten)]
    answer: Answer,
}

/// Takes the answer of a passkey that they have, and shows how another one is made.
pub(crate) async fn confirm(State(house): State<Arc<House>>, visitor: Visitor, Form(said): Form<Confirm>) -> Shown {
    aside(move || {
        let asking = Asking::of(house, visitor)?;
        is_their_form(&asking.caller, &said.form).map_err(|why| Problem::Refused(why.to_owned()))?;
        let (id, answer) = said.answer.read()?;
        let (house, person) = (&asking.house, &asking.caller.person);
        let asked = house.door.answered(&said.ask).ok_or_else(closed)?;
        if asked.purpose != Purpose::Confirm(person.clone()) {
            return Err(closed());
        }
        let listed = passkeys(house.ledger())?.into_iter().map(|listed| listed.enrolled);
        let theirs = listed.filter(|one| one.person == *person).find(|one| one.passkey.id == id).ok_or_else(closed)?;
        let counts =
            theirs.party == *house.party() && theirs.party.verify(&theirs.passkey, &answer, &asked.challenge).is_ok();
        if counts { shown(&asking, None, true, "") } else { Err(closed()) }
    })
    .await
}

fn name_of<'a>(asking: &'a Asking, person: &'a str) -> &'a str {
    asking.workspace.principals().persons.get(person).and_then(|person| person.name.as_deref()).unwrap_or(person)
}

fn table(asking: &Asking, listed: &[&Listed]) -> Markup {
    html! {
        div.scroll tabindex="0" role="group" aria-label="Passkeys" {
            table {
                thead { tr { th scope="col" { "Whose" } th scope="col" { "Since" } th scope="col" { "Known by" } th scope="col" { span.sr { "Remove" } } } }
                tbody {
                    @for one in listed {
                        tr {
                            td { (who(&asking.workspace, &one.enrolled.person)) }
                            td { (ago(one.since_ms)) }
                            td { (Seen(&one.known)) }
                            td {
                                form method="post" action="/people/remove" {
                                    input type="hidden" name="form" value=(asking.caller.form_token);
                                    input type="hidden" name="passkey" value=(URL_SAFE_NO_PAD.encode(&one.enrolled.passkey.id));
                                    button.quiet type="submit" { "Remove" span.sr { " the passkey of " (Seen(name_of(asking, &one.enrolled.person))) ", enrolled " (ago(one.since_ms)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// How somebody has decided lately.
#[derive(Default)]
struct Habit {
    approved: usize,
    denied: usize,
    read_ms: Vec<u64>,
}

impl Habit {
    /// Half of the pages were open no longer than this.
    fn median_ms(&self) -> Option<u64> {
        let mut all = self.read_ms.clone();
        all.sort_unstable();
        all.get(all.len() / 2).copied()
    }
}

/// What people said lately, and how long they had the page open: whoever approves everything at once reads nothing.
fn habits(asking: &Asking) -> Result<BTreeMap<Name, Habit>, Problem> {
    let mut habits: BTreeMap<Name, Habit> = BTreeMap::new();
    for kind in [EntryKind::APPROVED, EntryKind::DENIED] {
        let wanted = Query { kind: Some(kind), ..Query::default() };
        let page = Page { before: None, count: LATELY };
        for recorded in asking.house.ledger().look(|records| records.find_page(&wanted, page))? {
            let Some(word) = Word::of(&recorded) else { continue };
            let habit = habits.entry(word.approver).or_default();
            *(if kind == EntryKind::DENIED { &mut habit.denied } else { &mut habit.approved }) += 1;
            habit.read_ms.extend(word.read_ms);
        }
    }
    Ok(habits)
}

/// One person as the list has them.
struct Row<'a> {
    person: &'a Name,
    groups: String,
    manager: Option<&'a Name>,
    passkeys: usize,
    decided: usize,
    denied: usize,
    reads_ms: Option<u64>,
}

impl Row<'_> {
    fn key(&self, column: &'static str) -> (u64, String) {
        let count = |count: usize| (count as u64, String::new());
        match column {
            "groups" => (0, self.groups.clone()),
            "manager" => (0, self.manager.map(ToString::to_string).unwrap_or_default()),
            "passkeys" => count(self.passkeys),
            "decided" => count(self.decided),
            "denied" => count(self.denied),
            "reads" => (self.reads_ms.unwrap_or_default(), String::new()),
            _ => (0, self.person.to_string()),
        }
    }
}

fn rows<'a>(asking: &'a Asking, listed: &[Listed], habits: &BTreeMap<Name, Habit>) -> Vec<Row<'a>> {
    let principals = asking.workspace.principals();
    let row = |person: &'a Name| {
        let (groups, habit) = (principals.groups_of(person), habits.get(person));
        Row {
            person,
            groups: groups.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(", "),
            manager: principals.manager_of(person),
            passkeys: listed.iter().filter(|one| one.enrolled.person == *person).count(),
            decided: habit.map_or(0, |habit| habit.approved + habit.denied),
            denied: habit.map_or(0, |habit| habit.denied),
            reads_ms: habit.and_then(Habit::median_ms),
        }
    };
    principals.persons.entries.keys().map(row).collect()
}

fn everybody(asking: &Asking, listed: &[Listed], habits: &BTreeMap<Name, Habit>, sorting: &Sorting<'_>) -> Markup {
    let mut rows = rows(asking, listed, habits);
    sorting.sort(&mut rows, Row::key);
    html! {
        div.scroll tabindex="0" role="group" aria-label="Everybody" {
            table {
                thead { tr {
                    (sorting.heading("person", "Person")) (sorting.heading("groups", "Groups")) (sorting.heading("manager", "Manager"))
                    (sorting.heading("passkeys", "Passkeys")) (sorting.heading("decided", "Decided")) (sorting.heading("denied", "Denied"))
                    (sorting.heading("reads", "Reads for")) th scope="col" { span.sr { "Invite" } }
                } }
                tbody {
                    @for row in &rows {
                        tr {
                            td { (who(&asking.workspace, row.person)) " " span.faint { (Seen(row.person)) } }
                            td.faint { (Seen(&row.groups)) }
                            td { @if let Some(manager) = row.manager { (who(&asking.workspace, manager)) } }
                            td.number { (row.passkeys) }
                            td.number { (row.decided) }
                            td.number { (row.denied) }
                            td.number title="Half of their decisions took no longer" { @if let Some(ms) = row.reads_ms { (time::span(ms)) } }
                            td {
                                form method="post" action="/people/invite" {
                                    input type="hidden" name="form" value=(asking.caller.form_token);
                                    input type="hidden" name="person" value=(Seen(row.person));
                                    button.quiet type="submit" { "Invite" span.sr { " " (Seen(name_of(asking, row.person))) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Another {
    form: String,
    #[serde(flatten)]
    made: Made,
}

/// One more passkey of somebody who is logged in.
pub(crate) async fn add(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Form(another): Form<Another>,
) -> Result<Redirect, Problem> {
    aside(move || {
        let asking = Asking::of(house, visitor)?;
        is_their_form(&asking.caller, &another.form).map_err(|why| Problem::Refused(why.to_owned()))?;
        let person = asking.caller.person.clone();
        let asked = asking.house.door.answered(&another.made.ask).ok_or_else(closed)?;
        let is_first = asked.purpose == Purpose::First(person.clone());
        let has_some = || -> Result<bool, Problem> {
            Ok(passkeys(asking.house.ledger())?.iter().any(|one| one.enrolled.person == person))
        };
        // Of two pages that were opened for a first passkey only one makes it.
        if (is_first && has_some()?) || !(is_first || asked.purpose == Purpose::Another(person.clone())) {
            return Err(closed());
        }
        let how = if is_first { asking.caller.login.in_words() } else { Login::Passkey.in_words() };
        let known = Known::ByLogin(how.to_owned());
        take_passkey(&asking.house, &person, &another.made, &asked, &known)?;
        Ok(Redirect::to("/people"))
    })
    .await
}

#[derive(Deserialize)]
pub(crate) struct Remove {
    form: String,
    passkey: String,
}

/// A passkey stands for nobody any more: one's own, or on the word of who signs the rules.
pub(crate) async fn remove(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Form(asked): Form<Remove>,
) -> Result<Redirect, Problem> {
    aside(move || {
        let asking = Asking::of(house, visitor)?;
        is_their_form(&asking.caller, &asked.form).map_err(|why| Problem::Refused(why.to_owned()))?;
        let id = URL_SAFE_NO_PAD.decode(&asked.passkey).map_err(|_| Problem::Malformed("that is no passkey's name"))?;
        let (house, person) = (&asking.house, &asking.caller.person);
        let listed = passkeys(house.ledger())?;
        let one = listed.iter().find(|one| one.enrolled.passkey.id == id);
        let one = one.filter(|one| one.enrolled.person == *person || may_manage_people(&asking.workspace, person));
        let one = one.ok_or(Problem::NotFound)?;
        forget(house.ledger(), &id, person)?;
        // Whoever had the device is logged out with it, everywhere else.
        if one.enrolled.person != *person {
            house.sessions.end_all_of(&one.enrolled.person);
        }
        Ok(Redirect::to("/people"))
    })
    .await
}

#[derive(Deserialize)]
pub(crate) struct Invite {
    form: String,
    person: String,
}

/// A link by which somebody makes a passkey.
pub(crate) async fn invite(State(house): State<Arc<House>>, visitor: Visitor, Form(asked): Form<Invite>) -> Shown {
    aside(move || {
        let asking = Asking::of(house, visitor)?;
        is_their_form(&asking.caller, &asked.form).map_err(|why| Problem::Refused(why.to_owned()))?;
        let persons = &asking.workspace.principals().persons.entries;
        let known = persons.get_key_value(asked.person.as_str()).map(|(name, _)| name.clone());
        let person =
            known.filter(|_| may_manage_people(&asking.workspace, &asking.caller.person)).ok_or(Problem::NotFound)?;
        let code = asking.house.door.invite(&person)?;
        let link = format!("{}/enrol/{code}", asking.house.party().origin);
        shown(&asking, Some(&Invited { person, link }), false, "")
    })
    .await
}
