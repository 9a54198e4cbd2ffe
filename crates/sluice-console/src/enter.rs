//! Coming in: with a passkey, by a one-time code that makes the first one, by a demo's link.

use std::sync::Arc;

use axum::extract::{Form, Path, State};
use axum::http::header::SET_COOKIE;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use maud::{Markup, html};
use serde::Deserialize;
use sluice_api::House;
use sluice_api::door::{Asked, Purpose};
use sluice_api::guard::{Visitor, is_their_form, set_cookie};
use sluice_api::session::{Login, Proofs};
use sluice_core::contract::Digest;
use sluice_core::contract::approval::Enrolled;
use sluice_core::label::Name;
use sluice_passkey::Registration;
use sluice_render::markup::Seen;
use sluice_runtime::enrolment::{Known, enrol as record, passkeys};

use crate::page::{Shown, aside, bare};
use crate::problem::Problem;
use crate::signing::{Answer, answer_fields};

/// The one answer to everything that opens nothing: it tells nobody why.
pub(crate) fn closed() -> Problem {
    Problem::Refused(
        "SL465: this opens nothing here. It may have been used, or be too old; ask for a new one".to_owned(),
    )
}

pub(crate) async fn login(State(house): State<Arc<House>>, visitor: Visitor) -> Result<Response, Problem> {
    if visitor.0.is_some() {
        return Ok(Redirect::to("/").into_response());
    }
    let (text, asked) = house.door.ask(Purpose::Login)?;
    let page = bare(
        "Log in",
        html! {
            h1 { "Log in" }
        @if let Some(provider) = house.provider() {
            p { a.button href="/login/provider" { "Log in at " (Seen(provider.issuer().split("://").last().unwrap_or_default())) } }
            p.faint { "or" }
        }
            form method="post" action="/login/passkey" data-passkey="get" data-challenge=(challenge(&asked)) data-domain=(house.party().id) data-passkeys="" {
                input type="hidden" name="ask" value=(text);
                (answer_fields())
                button.good type="submit" { "Log in with a passkey" }
            }
            p.told role="status" aria-live="polite" {}
            p.faint { "No passkey yet? Whoever runs this console gives you a link that makes one." }
        },
    );
    Ok(Html(page.into_string()).into_response())
}

pub(crate) fn challenge(asked: &Asked) -> String {
    URL_SAFE_NO_PAD.encode(asked.challenge)
}

#[derive(Deserialize)]
pub(crate) struct WithPasskey {
    ask: String,
    #[serde(flatten)]
    answer: Answer,
}

pub(crate) async fn with_passkey(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Form(said): Form<WithPasskey>,
) -> Result<Response, Problem> {
    aside(move || {
        let (id, answer) = said.answer.read()?;
        let asked =
            house.door.answered(&said.ask).filter(|asked| asked.purpose == Purpose::Login).ok_or_else(closed)?;
        let listed = passkeys(house.ledger())?.into_iter().map(|listed| listed.enrolled);
        let theirs = listed.into_iter().find(|one| one.passkey.id == id).ok_or_else(closed)?;
        let counts =
            theirs.party == *house.party() && theirs.party.verify(&theirs.passkey, &answer, &asked.challenge).is_ok();
        if counts { come_in(&house, visitor, &theirs.person, Coming::by(Login::Passkey)) } else { Err(closed()) }
    })
    .await
}

/// How somebody comes in, and where they go on.
pub(crate) struct Coming<'a> {
    pub(crate) login: Login,
    pub(crate) proofs: Proofs,
    /// A page of ours.
    pub(crate) to: &'a str,
}

impl Coming<'static> {
    /// To the inbox, in a way of which no provider says anything.
    pub(crate) fn by(login: Login) -> Self {
        Self { login, proofs: Proofs::default(), to: "/" }
    }
}

/// Begins a session; the one before ends.
pub(crate) fn come_in(house: &House, visitor: Visitor, person: &Name, coming: Coming<'_>) -> Result<Response, Problem> {
    let workspace = house.workspace()?;
    if !workspace.principals().persons.entries.contains_key(person) {
        return Err(closed());
    }
    if let Some(before) = visitor.0 {
        house.sessions.end(&before);
    }
    let cookie = house.sessions.begin(person, coming.login, coming.proofs)?;
    Ok(([(SET_COOKIE, set_cookie(house, Some(&cookie)))], Redirect::to(coming.to)).into_response())
}

#[derive(Deserialize)]
pub(crate) struct Logout {
    form: String,
}

pub(crate) async fn logout(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Form(asked): Form<Logout>,
) -> Result<Response, Problem> {
    let caller = visitor.0.ok_or(Problem::LoggedOut)?;
    is_their_form(&caller, &asked.form).map_err(|why| Problem::Refused(why.to_owned()))?;
    house.sessions.end(&caller);
    Ok(([(SET_COOKIE, set_cookie(&house, None))], Redirect::to("/login")).into_response())
}

pub(crate) async fn enrol(State(house): State<Arc<House>>, Path(code): Path<String>) -> Shown {
    let person = house.door.whose(&code).ok_or_else(closed)?;
    let workspace = house.workspace()?;
    let name =
        workspace.principals().persons.get(&person).and_then(|p| p.name.clone()).unwrap_or_else(|| person.clone());
    let form = creation(&house, Purpose::Enrol(person.clone()), &name, &format!("/enrol/{code}"), None)?;
    let page = bare(
        "Make a passkey",
        html! {
            h1 { "Welcome, " (Seen(&name)) }
            p { "With a passkey you log in here, and sign what you approve. Your device asks for your finger, face or PIN each time." }
            (form)
            p.told role="status" aria-live="polite" {}
        },
    );
    Ok(Html(page.into_string()))
}

/// A form that makes a passkey; the script fills in what the device answers.
pub(crate) fn creation(
    house: &House,
    purpose: Purpose,
    name: &str,
    action: &str,
    form_token: Option<&str>,
) -> Result<Markup, Problem> {
    let person = match &purpose {
        Purpose::Enrol(person) | Purpose::Another(person) | Purpose::First(person) => person.clone(),
        Purpose::Login | Purpose::Confirm(_) => return Err(closed()),
    };
    let (text, asked) = house.door.ask(purpose)?;
    // What a device keeps for somebody must not tell their name to whoever finds it.
    let handle = URL_SAFE_NO_PAD.encode(Digest::of(format!("sluice person {person}").as_bytes()).0);
    Ok(html! {
        form method="post" action=(action) data-passkey="create" data-challenge=(challenge(&asked))
            data-domain=(house.party().id) data-handle=(handle) data-person=(Seen(&person)) data-name=(Seen(name)) {
            @if let Some(token) = form_token { input type="hidden" name="form" value=(token); }
            input type="hidden" name="ask" value=(text);
            @for name in ["client", "attestation"] { input type="hidden" name=(name); }
            button.good type="submit" { "Make a passkey" }
        }
    })
}

#[derive(Deserialize)]
pub(crate) struct Made {
    pub(crate) ask: String,
    client: String,
    attestation: String,
}

pub(crate) async fn enrolled(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Path(code): Path<String>,
    Form(made): Form<Made>,
) -> Result<Response, Problem> {
    aside(move || {
        let person = house.door.whose(&code).ok_or_else(closed)?;
        let asked = house.door.answered(&made.ask).ok_or_else(closed)?;
        if asked.purpose != Purpose::Enrol(person.clone()) {
            return Err(closed());
        }
        // Used up before it is recorded: two answers at once make one passkey. A device that failed needs a new code.
        let person = house.door.take(&code).filter(|whose| *whose == person).ok_or_else(closed)?;
        take_passkey(&house, &person, &made, &asked, &Known::ByCode)?;
        come_in(&house, visitor, &person, Coming::by(Login::Passkey))
    })
    .await
}

/// Takes what a device answered, and records the passkey.
pub(crate) fn take_passkey(
    house: &House,
    person: &Name,
    made: &Made,
    asked: &Asked,
    known: &Known,
) -> Result<(), Problem> {
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
    let parts = bytes(&made.client).zip(bytes(&made.attestation));
    let (client_data, attestation_object) = parts.ok_or(Problem::Malformed("the device's answer is missing"))?;
    let registration = Registration { client_data, attestation_object };
    let passkey = house.party().register(&registration, &asked.challenge);
    let passkey = passkey.map_err(|error| Problem::Refused(error.to_string()))?;
    if passkeys(house.ledger())?.iter().any(|known| known.enrolled.passkey.id == passkey.id) {
        return Err(Problem::Refused("SL466: this passkey is somebody's already".to_owned()));
    }
    let enrolled = Enrolled { person: person.clone(), passkey, party: house.party().clone() };
    Ok(record(house.ledger(), &enrolled, known)?)
}

pub(crate) async fn demo(State(house): State<Arc<House>>, Path(code): Path<String>) -> Shown {
    let person = house.demo_visitor(&code).ok_or_else(closed)?;
    let workspace = house.workspace()?;
    let name = workspace.principals().persons.get(person).and_then(|p| p.name.clone());
    Ok(Html(bare("Come in", welcome(&code, name.as_deref().unwrap_or(person))).into_string()))
}

fn welcome(code: &str, name: &str) -> Markup {
    html! {
        h1 { "Come in as " (Seen(name)) }
        p { "This is the demo: its people come in by links, and sign with key files that live as long as it does." }
        form method="post" action={ "/login/demo/" (code) } { button.good type="submit" { "Come in" } }
    }
}

pub(crate) async fn with_demo(
    State(house): State<Arc<House>>,
    visitor: Visitor,
    Path(code): Path<String>,
) -> Result<Response, Problem> {
    let person = house.demo_visitor(&code).cloned().ok_or_else(closed)?;
    come_in(&house, visitor, &person, Coming::by(Login::DemoLink))
}
