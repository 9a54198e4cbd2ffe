//! The second act: a process is killed after its effect and before it knows, and another one goes on.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sluice_core::contract::approval::Decision;
use sluice_ledger::RunId;
use sluice_runtime::home::Home;
use sluice_runtime::ledger::Ledger;
use sluice_runtime::run::{Executor, RunStatus, find};
use sluice_runtime::workspace::Workspace;
use tokio::time::{Instant, sleep};

use super::house::{House, name_of};
use super::report::input;
use super::services::Services;
use super::stage::Stage;
use super::told::{does, expect, held_for, outcome};
use crate::failure::Failure;
use crate::render::{Part, Tone};

/// Longer than the whole act: no reply gets through before the kill.
const HOLD: Duration = Duration::from_secs(30);

/// How long the other process may take to its effect.
const EFFECT_WAIT: Duration = Duration::from_secs(20);

/// `sluice demo-resume`, which the demo starts in order to kill it.
#[derive(clap::Args)]
pub struct Arguments {
    /// The workspace.
    #[arg(long)]
    folder: PathBuf,
    /// Where its keys are.
    #[arg(long)]
    base: PathBuf,
    /// The run to go on with.
    run: String,
}

/// Goes on with a run of the demo, in a process of its own.
///
/// # Errors
/// [`Failure`] if it cannot.
pub fn resume(arguments: &Arguments) -> Result<(), Failure> {
    let home = Home::under(&arguments.base, &arguments.folder)?;
    let workspace = Workspace::open_with(&arguments.folder, home)?;
    let ledger = Ledger::open(&arguments.folder, workspace.home())?;
    let run = find(&ledger, &arguments.run)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::internal(&error))?;
    let executor = Executor::open(&workspace, &ledger)?;
    runtime.block_on(executor.resume(run))?;
    Ok(())
}

/// A process that does not outlive its owner.
struct Doomed(Child);

impl Doomed {
    /// Kills it, if it still runs. Nothing of it can run on: no handler, no destructor.
    fn kill(mut self) -> Result<(), Failure> {
        let io = |error: std::io::Error| Failure::internal(&error);
        expect(self.0.try_wait().map_err(io)?.is_none(), "the other process still waits for its reply")?;
        self.0.kill().and_then(|()| self.0.wait()).map(drop).map_err(io)
    }
}

impl Drop for Doomed {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Plays it with one more run of the reduced report.
///
/// # Errors
/// [`Failure`] if an effect is lost or repeated.
pub(super) async fn play(stage: &Stage, gated: &Services, house: &House<'_>, base: &Path) -> Result<(), Failure> {
    let mut page = stage.page();
    let sheets = gated.sheets.server();
    let run = approved(house).await?;
    let before = sheets.effects();
    sheets.hold_replies(HOLD);
    let doomed = spawn(house, base, run)?;
    applied(gated, before.applied + 1).await?;
    doomed.kill()?;
    does(
        &mut page,
        "another process",
        &["runs the approved report; the spreadsheet service writes the rows and keeps its reply back".into()],
    );
    does(
        &mut page,
        "SIGKILL",
        &[
            Part::new("the process is gone", Tone::Bad),
            Part::plain(": the rows are written, and nobody on this side knows"),
        ],
    );
    sheets.hold_replies(Duration::ZERO);
    let done = house.resume(run).await?;
    does(
        &mut page,
        "this process",
        &["finds an intent without an outcome in the log, and asks again under the same key".into()],
    );
    outcome(&mut page, &done);
    let after = sheets.effects();
    expect(matches!(done.status, RunStatus::Completed { .. }), "the run completes after the crash")?;
    let (applied, repeated) = (after.applied - before.applied, after.repeated - before.repeated);
    let words = format!("applied {applied}, asked again {repeated} and answered with the first reply");
    does(&mut page, "spreadsheet service", &[Part::new(words, Tone::Good)]);
    expect(applied == 1 && repeated == 1, "the effect is there once, and was recognised when asked again")?;
    stage.show(page);
    Ok(())
}

/// A run that waits for nobody any more.
async fn approved(house: &House<'_>) -> Result<RunId, Failure> {
    let held = house.run("report-reduced", input(), "lena.fischer").await?;
    let approval = held_for(&held)?;
    house.decide(&approval, "ines.moreau", Decision::Approve, "once more")?;
    held.run.ok_or_else(|| Failure::unexpected(format!("{} approved a run", name_of("ines.moreau"))))
}

fn spawn(house: &House<'_>, base: &Path, run: RunId) -> Result<Doomed, Failure> {
    let this = std::env::current_exe().map_err(|error| Failure::internal(&error))?;
    let child = Command::new(this)
        .args(["demo-resume", "--folder"])
        .arg(house.workspace.folder())
        .arg("--base")
        .arg(base)
        .arg(run.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn();
    child.map(Doomed).map_err(|error| Failure::internal(&error))
}

async fn applied(gated: &Services, count: u64) -> Result<(), Failure> {
    let start = Instant::now();
    while gated.sheets.server().effects().applied < count {
        expect(start.elapsed() < EFFECT_WAIT, "the other process gets to its effect")?;
        sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}
