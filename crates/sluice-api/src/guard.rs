//! What every request passes before anybody answers it: who it is for, where it was made, who makes it.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts, Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, HOST, HeaderName, HeaderValue, ORIGIN,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::house::House;
use crate::rest::problem::Problem;
use crate::session::Caller;
use crate::token::is_same;

/// Everything that a page may be made of comes from here, and nothing in it runs but our own script.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Refuses what is not meant for this console or was not made at it, and says to browsers what they may do with the answer.
pub async fn guard(State(house): State<Arc<House>>, request: Request, next: Next) -> Response {
    let is_api = ["/api", "/access/"].iter().any(|path| request.uri().path().starts_with(path));
    let refusal = is_for_us(&house, request.headers()).err().or_else(|| {
        let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
        // What changes something through the API shows a token; without one it is told so.
        let is_programs = is_programs(request.headers()) || (is_api && !request.headers().contains_key(AUTHORIZATION));
        (changes && !is_programs).then(|| is_from_us(&house, request.headers()).err()).flatten()
    });
    let mut response = match refusal {
        Some(why) if is_api => Problem::told(StatusCode::FORBIDDEN, 461, why).into_response(),
        Some(why) => (StatusCode::FORBIDDEN, why).into_response(),
        None => next.run(request).await,
    };
    let fixed = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        // A form that is sent from a page without one has no origin that could be compared.
        (REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=()"),
    ];
    let headers = response.headers_mut();
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Nothing of it stays in a browser, unless it says so itself.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// A name that somebody let point here would make their page a part of ours.
fn is_for_us(house: &House, headers: &HeaderMap) -> Result<(), &'static str> {
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok());
    let ours = house.party().origin.split_once("://").map(|(_, authority)| authority);
    let is_ours = host.is_some() && host == ours && hosts.next().is_none();
    is_ours.then_some(()).ok_or("SL460: this is not the address of the console; `sluice serve --origin` says which is")
}

/// Another site's page cannot act here with the cookies of who looks at it.
fn is_from_us(house: &House, headers: &HeaderMap) -> Result<(), &'static str> {
    let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
    let is_ours = origin == Some(house.party().origin.as_str()) && headers.get_all(ORIGIN).iter().count() == 1;
    is_ours.then_some(()).ok_or("SL461: this was not sent from a page of the console")
}

/// Whether a request acts by a token that it shows, and by nothing that a browser adds unasked: no page of another site could
/// have made it.
fn is_programs(headers: &HeaderMap) -> bool {
    headers.contains_key(AUTHORIZATION) && !headers.contains_key(COOKIE)
}

/// The name of the cookie. With its prefix no other name of the domain can set it; on this machine, where it has none,
/// consoles at several ports would share one.
#[must_use]
pub fn cookie_name(house: &House) -> String {
    match house.party().origin.strip_prefix("http://localhost:") {
        Some(port) => format!("sluice-{port}"),
        None => "__Host-sluice".to_owned(),
    }
}

/// The name of the cookie by which a browser that went to the identity provider is known again.
#[must_use]
pub fn login_cookie_name(house: &House) -> String {
    cookie_name(house).replacen("sluice", "sluice-login", 1)
}

/// The header that gives it to a browser, or takes it away.
#[must_use]
pub fn set_login_cookie(house: &House, text: Option<&str>) -> String {
    let age = if text.is_some() { 600 } else { 0 };
    format!("{}={}; Max-Age={age}; {}", login_cookie_name(house), text.unwrap_or_default(), attributes(house))
}

/// For our pages and no script of theirs; sent along when somebody comes back from another site, and not with its forms.
fn attributes(house: &House) -> &'static str {
    if house.party().origin.starts_with("https://") {
        "Path=/; HttpOnly; SameSite=Lax; Secure"
    } else {
        "Path=/; HttpOnly; SameSite=Lax"
    }
}

/// The header that gives a browser its session, or takes it away.
#[must_use]
pub fn set_cookie(house: &House, cookie: Option<&str>) -> String {
    let (value, age) = cookie.map_or(("", "; Max-Age=0"), |cookie| (cookie, ""));
    format!("{}={value}; {}{age}", cookie_name(house), attributes(house))
}

/// Who is asking, if somebody is logged in.
pub struct Visitor(pub Option<Caller>);

impl<S> FromRequestParts<S> for Visitor
where
    S: Send + Sync,
    Arc<House>: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let house = Arc::<House>::from_ref(state);
        let cookie = cookie_of(&parts.headers, &cookie_name(&house));
        let caller = cookie.and_then(|cookie| house.sessions.caller(cookie));
        // Who left the register, or stands there as something else than a person, is nobody here.
        let is_person = |caller: &Caller| {
            house.workspace().is_ok_and(|open| open.principals().persons.entries.contains_key(&caller.person))
        };
        Ok(Self(caller.filter(is_person)))
    }
}

/// The one value of a cookie; with two of them it is not clear whose they are.
#[must_use]
pub fn cookie_of<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let pairs = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(';'));
    let mut values = pairs.filter_map(|pair| pair.trim().split_once('=').filter(|(key, _)| *key == name));
    let (_, value) = values.next()?;
    values.next().is_none().then_some(value)
}

/// Whether a form is one that was shown to its sender.
///
/// # Errors
/// SL462, in words.
pub fn is_their_form(caller: &Caller, form_token: &str) -> Result<(), &'static str> {
    let is_theirs = is_same(&caller.form_token, form_token);
    is_theirs
        .then_some(())
        .ok_or("SL462: this form is not one that was shown to you in this session; open the page again")
}
