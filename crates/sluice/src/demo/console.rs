//! The console over both stories: each stands where a person must decide.

use std::net::TcpListener;
use std::sync::Arc;

use sluice_api::engine::work;
use sluice_api::house::{House as Served, Origin};
use sluice_core::contract::key::SecretKey;
use tokio::sync::{mpsc, watch};

use super::house::{House, Keys, name_of};
use super::report;
use super::services::Services;
use super::services::tickets::{INJECTED, ORDINARY};
use super::stage::Stage;
use super::ticket::{self, CONTRACTOR};
use super::told::expect;
use crate::commands::serve::serve;
use crate::failure::Failure;
use crate::render::{Part, Tone};

/// Who is asked in the first story, and what they find.
const OF_REPORT: [(&str, &str); 5] = [
    ("ines.moreau", "owns balances: two reports wait for her"),
    ("tomas.hruby", "owns health notes: one of them would take those along"),
    ("marc.dubois", "owns who customers are and where"),
    ("lena.fischer", "asked for both, so she decides neither"),
    ("sofia.lindqvist", "signs the rules: sees the whole ledger"),
];
const OF_TICKET: [(&str, &str); 3] = [
    ("marc.dubois", "manages who asks: a grant waits for him"),
    ("priya.nair", "asked for it, so she does not decide it"),
    ("sofia.lindqvist", "signs the rules: sees what was refused, and why"),
];

/// Brings both stories to where people decide, and serves the console until somebody ends it.
///
/// # Errors
/// [`Failure`] if a story goes otherwise than it should, or the console cannot listen.
pub(super) async fn stand(
    stage: &Stage,
    reports: House<'_>,
    tickets: House<'_>,
    keys: &Keys,
    gated: &Services,
) -> Result<(), Failure> {
    for workflow in ["report", "report-reduced"] {
        reports.sign_definition(workflow, report::REQUESTER)?;
        let held = reports.run(workflow, report::input(), report::REQUESTER).await?;
        expect(!held.held.is_empty(), "a report waits")?;
    }
    for (ticket, requester) in [(INJECTED, CONTRACTOR), (ORDINARY, ticket::REQUESTER)] {
        ticket::signed(&tickets, requester)?;
        ticket::handle(&tickets, ticket, requester).await?;
    }
    let (stop, stopping) = watch::channel(false);
    let mut page = stage.page();
    page.gap();
    page.line([Part::new("The console. ", Tone::Strong), Part::plain("Come in as one of these; Ctrl-C ends it.")]);
    let mut answering = Vec::new();
    for (title, house, people) in [("The report", reports, &OF_REPORT[..]), ("The ticket", tickets, &OF_TICKET[..])] {
        let open = open(house, keys, stopping.clone())?;
        page.gap();
        page.line([Part::new(title, Tone::Accent)]);
        for (person, words) in people {
            let link = open.house.demo_links().find(|(_, whose)| ***whose == **person);
            let (text, _) = link.ok_or_else(|| Failure::unexpected(format!("`{person}` has a link")))?;
            page.hang(
                [Part::plain("  ")],
                &[Part::new(name_of(person), Tone::Strong), Part::new(format!("  {words}"), Tone::Faint)],
            );
            page.hang(
                [Part::plain("    ")],
                &[Part::new(format!("{}/login/demo/{text}", open.house.party().origin), Tone::Accent)],
            );
        }
        answering.push(open.answering);
    }
    stage.show(page);
    // Until the process is told to end, which whoever waits for this sees to.
    let ended = answering.pop().zip(answering.pop());
    let ended = ended.ok_or_else(|| Failure::unexpected("both consoles answer"))?;
    let (one, other) = tokio::join!(ended.0, ended.1);
    let _ = (stop, gated);
    one.and(other).map_err(|error| Failure::internal(&error))?.map_err(|error| Failure::internal(&error))
}

struct Open {
    house: Arc<Served>,
    answering: tokio::task::JoinHandle<std::io::Result<()>>,
}

fn open(house: House<'_>, keys: &Keys, mut stopping: watch::Receiver<bool>) -> Result<Open, Failure> {
    let failed = |error: std::io::Error| Failure::internal(&error);
    let listener = TcpListener::bind("127.0.0.1:0").map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
    let origin = Origin::parse(&format!("http://localhost:{port}")).map_err(Failure::broken)?;
    let (engine, deeds) = mpsc::unbounded_channel();
    let people: Vec<SecretKey> = keys.copies()?;
    let served = Served::new(house.workspace, house.ledger, &origin, engine)?.with_demo(people)?;
    let served = Arc::new(served);
    let working = Arc::clone(&served);
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(work(working, deeds, async move {
            // Its end is the demo's.
            let _ = stopping.wait_for(|stop| *stop).await;
        }));
    });
    let answering = tokio::spawn(serve(Arc::clone(&served), listener, std::future::pending()));
    Ok(Open { house: served, answering })
}
