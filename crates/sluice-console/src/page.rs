//! The frame of every page: where one is, where one can go, who one is.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Html;
use axum::response::sse::{Event, Sse};
use futures_util::Stream;
use maud::{DOCTYPE, Markup, html};
use sluice_api::House;
use sluice_api::guard::Visitor;
use sluice_api::session::Caller;
use sluice_render::markup::Seen;
use sluice_runtime::workspace::Workspace;

use crate::assets::{CSS, ICON, JS};
use crate::problem::Problem;

/// What a page handler gives.
pub(crate) type Shown = Result<Html<String>, Problem>;

/// Where one can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    Inbox,
    Workflows,
    Runs,
    Ledger,
    Policies,
    Connectors,
    People,
    Health,
}

impl Room {
    const ALL: [(Self, &'static str, &'static str); 8] = [
        (Self::Inbox, "Inbox", "/"),
        (Self::Workflows, "Workflows", "/workflows"),
        (Self::Runs, "Runs", "/runs"),
        (Self::Ledger, "Ledger", "/ledger"),
        (Self::Policies, "Policies", "/policies"),
        (Self::Connectors, "Connectors", "/connectors"),
        (Self::People, "People", "/people"),
        (Self::Health, "Health", "/health"),
    ];
}

/// A request of somebody who is logged in, with the rules that hold for it.
pub(crate) struct Asking {
    pub(crate) house: Arc<House>,
    pub(crate) workspace: Arc<Workspace>,
    pub(crate) caller: Caller,
}

impl Asking {
    /// Who asks, under the rules of this moment.
    pub(crate) fn of(house: Arc<House>, visitor: Visitor) -> Result<Self, Problem> {
        let workspace = house.workspace()?;
        let caller = visitor.0.ok_or(Problem::LoggedOut)?;
        Ok(Self { house, workspace, caller })
    }
}

/// Does what reads the ledger where it holds nobody up.
pub(crate) async fn aside<T: Send + 'static>(
    deed: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(deed).await;
    done.unwrap_or_else(|_| {
        Err(Problem::Broken("the page could not be made; what was tried has changed nothing".to_owned()))
    })
}

/// A page of somebody who is logged in.
pub(crate) fn framed(asking: &Asking, room: Room, title: &str, live: bool, content: &Markup) -> Html<String> {
    let person = asking.workspace.principals().persons.get(&asking.caller.person);
    let name = person.and_then(|person| person.name.as_deref()).unwrap_or(&asking.caller.person);
    let place = &asking.workspace.bundle().workspace().name.value;
    let mode = asking.workspace.bundle().workspace().mode.name();
    let solo = asking.workspace.is_solo();
    let page = html! {
        (head(title))
        body {
            a.skip href="#main" { "To the content" }
            header.top {
                div.brand {
                    a href="/" { img src={ "/assets/" (ICON.name) } alt="" width="26" height="26"; "Sluice" }
                    span.place title="The workspace" { (Seen(place)) }
                    @if mode != "production" { span.tag.warn title="Key files approve here" { (mode) } }
                    @if solo { span.tag title="One person alone may change the rules" { "solo" } }
                }
                nav aria-label="Main" {
                    ul {
                        @for (which, word, path) in Room::ALL {
                            li { a href=(path) aria-current=[(which == room).then_some("page")] { (word) } }
                        }
                    }
                }
                form.me method="post" action="/logout" {
                    input type="hidden" name="form" value=(asking.caller.form_token);
                    span title={ "Logged in with " (asking.caller.login.in_words()) } { (Seen(name)) }
                    button.quiet type="submit" { "Log out" }
                }
            }
            main id="main" tabindex="-1" data-live[live] { (content) }
        }
    };
    Html(format!("{}{}", DOCTYPE.into_string(), with_root(page)))
}

/// A page of nobody in particular.
pub(crate) fn bare(title: &str, content: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(title))
            body.bare {
                main id="main" { div.card { p.brand { img src={ "/assets/" (ICON.name) } alt="" width="30" height="30"; "Sluice" } (content) } }
            }
        }
    }
}

fn with_root(content: Markup) -> String {
    html! { html lang="en" { (content) } }.into_string()
}

fn head(title: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (Seen(title)) " · Sluice" }
            link rel="icon" href={ "/assets/" (ICON.name) };
            link rel="stylesheet" href={ "/assets/" (CSS.name) };
            script defer src={ "/assets/" (JS.name) } {}
        }
    }
}

/// Says when the log has grown, so that open pages can ask again. It says nothing else.
pub(crate) async fn changes(
    State(house): State<Arc<House>>,
    visitor: Visitor,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    const LOOK_EVERY: Duration = Duration::from_secs(1);
    visitor.0.ok_or(Problem::LoggedOut)?;
    let grown = futures_util::stream::unfold((house, None), async |(house, before)| {
        loop {
            let asked = Arc::clone(&house);
            let size =
                tokio::task::spawn_blocking(move || asked.ledger().look(|records| Ok(records.head()?.size.get())));
            let size = size.await.ok().and_then(Result::ok);
            if size != before {
                let event = Event::default().data(size.unwrap_or_default().to_string());
                return Some((Ok(event), (house, size)));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    });
    Ok(Sse::new(grown))
}
