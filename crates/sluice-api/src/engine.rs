//! The engine of a served workspace: goes on with runs when somebody has decided, whoever it was and in whichever process.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use sluice_ledger::{EntryKind, RunId};
use sluice_runtime::admit::Proposed;
use sluice_runtime::clock::now_ms;
use sluice_runtime::ledger::LedgerError;
use sluice_runtime::proposal::Proposal;
use sluice_runtime::run::{Executor, RunError, facts};
use sluice_runtime::session::is_session;
use sluice_store::RunStatus;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::LocalSet;

use crate::house::{Beginning, Deed, House};

/// How often the ledger is asked for what others wrote.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A run that nobody wrote to for this long is not driven by another process any more.
const LEFT_ALONE_MS: u64 = 2 * 60 * 1_000;
/// Entries that are read at once.
const PAGE: u64 = 500;

/// Which runs are being driven: again at once when it is over, if something was decided meanwhile.
type Driven = Rc<RefCell<BTreeMap<RunId, bool>>>;

/// Drives runs until `stop` is done. Runs that were cut off go on first.
pub async fn work(house: Arc<House>, mut deeds: UnboundedReceiver<Deed>, stop: impl Future<Output = ()>) {
    let (local, driven) = (LocalSet::new(), Driven::default());
    local
        .run_until(async {
            let mut stop = std::pin::pin!(stop);
            let mut seen = start(&house, &driven);
            let mut tick = tokio::time::interval(LOOK_EVERY);
            loop {
                tokio::select! {
                    () = &mut stop => break,
                    Some(deed) = deeds.recv() => match deed {
                        Deed::GoOn(run) => go_on(&house, &driven, run),
                        Deed::Start(wanted) => start_anew(&house, &driven, *wanted),
                    },
                    _ = tick.tick() => {
                        for run in decided(&house, &mut seen).unwrap_or_default() {
                            go_on(&house, &driven, run);
                        }
                    }
                }
            }
        })
        .await;
}

/// Goes on with what a process before this one left; gives how far the log has been read.
fn start(house: &Arc<House>, driven: &Driven) -> u64 {
    let found = house.ledger().look(|records| Ok((records.head()?.size.get(), records.runs()?)));
    // What cannot be read now is found by the next look.
    let Ok((size, runs)) = found else { return 0 };
    for row in runs {
        let is_left = now_ms().saturating_sub(row.updated_ms) > LEFT_ALONE_MS;
        if row.status == RunStatus::Held || (row.status == RunStatus::Running && is_left) {
            go_on(house, driven, row.run);
        }
    }
    size
}

/// Runs about which something was said since the log was read last.
fn decided(house: &House, seen: &mut u64) -> Result<Vec<RunId>, LedgerError> {
    let from = *seen;
    let (runs, now) = house.ledger().look(|records| {
        let to = records.head()?.size.get().min(from.saturating_add(PAGE));
        let mut runs = Vec::new();
        for recorded in records.entries(from..to)? {
            let entry = &recorded.entry;
            let is_word = matches!(
                entry.kind,
                EntryKind::APPROVED | EntryKind::DENIED | EntryKind::WITHDRAWN | EntryKind::BREAK_GLASS
            );
            if !is_word {
                continue;
            }
            let id = entry.body.get(sluice_store::FIELD_APPROVAL).and_then(|id| id.as_text());
            let row = id.map(|id| records.approval(id)).transpose()?.flatten();
            runs.extend(row.and_then(|row| row.run));
        }
        Ok((runs, to))
    })?;
    *seen = now;
    Ok(runs)
}

/// Starts a run that nobody has started, and from then on drives it like every other.
fn start_anew(house: &Arc<House>, driven: &Driven, wanted: Beginning) {
    let run = wanted.run;
    driven.borrow_mut().insert(run, false);
    let (house, driven) = (Arc::clone(house), Rc::clone(driven));
    tokio::task::spawn_local(async move {
        let proposal = wanted.proposal.clone();
        if let Err(why) = begin(&house, wanted).await {
            eprintln!("sluice serve: run {run} of {proposal} does not go on: {why}");
        }
        // Somebody may have decided while it was driven.
        if driven.borrow_mut().remove(&run) == Some(true) {
            go_on(&house, &driven, run);
        }
    });
}

async fn begin(house: &House, wanted: Beginning) -> Result<(), String> {
    let Beginning { run, proposal, input, login } = wanted;
    let in_words = |error: RunError| error.to_string();
    let workspace = house.workspace()?;
    let found = Proposal::find(house.ledger(), &proposal).map_err(|error| error.to_string())?;
    let found = found.ok_or("there is no such proposal")?;
    let proposed = Proposed::read(&found.name, found.text.as_bytes()).map_err(|_| "it cannot be read any more")?;
    let executor = Executor::open(&workspace, house.ledger()).map_err(in_words)?;
    let started = executor.start_as(run, proposed, input, &found.requester, found.author, Some(login)).await;
    started.map(drop).map_err(in_words)
}

fn go_on(house: &Arc<House>, driven: &Driven, run: RunId) {
    if let Some(again) = driven.borrow_mut().get_mut(&run) {
        *again = true;
        return;
    }
    driven.borrow_mut().insert(run, false);
    let (house, driven) = (Arc::clone(house), Rc::clone(driven));
    tokio::task::spawn_local(async move {
        loop {
            if let Err(why) = drive(&house, run).await {
                eprintln!("sluice serve: run {run} stays as it is: {why}");
            }
            let mut driven = driven.borrow_mut();
            match driven.get_mut(&run) {
                Some(again) if *again => *again = false,
                _ => {
                    driven.remove(&run);
                    return;
                }
            }
        }
    });
}

async fn drive(house: &House, run: RunId) -> Result<(), String> {
    let in_words = |error: RunError| error.to_string();
    // An agent's session is the gateway's to go on with.
    let entries = house.ledger().run(run).map_err(|error| error.to_string())?;
    let first = facts(entries.get(..1).unwrap_or_default()).map_err(in_words)?;
    if let Some(sluice_engine::Fact::Started(start)) = first.first().map(|record| &record.fact)
        && is_session(start)
    {
        return Ok(());
    }
    let workspace = house.workspace()?;
    let executor = Executor::open(&workspace, house.ledger()).map_err(in_words)?;
    executor.resume(run).await.map(drop).map_err(in_words)
}
