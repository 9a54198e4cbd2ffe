//! `sluice demo`: both stories and the second act, from the first service to the last removed folder.

use std::cell::Cell;
use std::path::Path;

use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::house::{House, Keys, name_of};
use super::services::Services;
use super::stage::Stage;
use super::workspaces::Story;
use super::{console, crash, report, serve, tampering, ticket, visitor};
use crate::failure::Failure;
use crate::render::{Part, Tone};

/// What the command line says.
#[derive(clap::Args)]
pub struct Arguments {
    /// Only the console, with both stories where a person must decide.
    #[arg(long)]
    console: bool,
}

/// Plays the demo. Whatever it started has ended when this returns, also if it was interrupted.
///
/// # Errors
/// [`Failure`] if anything went otherwise than the story says.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let internal = |error: std::io::Error| Failure::internal(&error);
    let runtime = Runtime::new().map_err(internal)?;
    let stop = {
        let _inside = runtime.enter();
        serve::Stop::listen().map_err(internal)?
    };
    let folder = tempfile::Builder::new().prefix("sluice-demo-").tempdir().map_err(internal)?;
    let mut stage = Stage::of_terminal();
    let mut stopped = false;
    // From there on an end is what it waits for.
    let stands = Cell::new(false);
    let done = runtime.block_on(async {
        tokio::select! {
            done = play(&mut stage, folder.path(), arguments.console, &stands) => done,
            asked = stop.asked() => {
                stopped = true;
                match asked {
                    Ok(()) if stands.get() => Ok(()),
                    Ok(()) => Err(Failure::stopped()),
                    Err(error) => Err(Failure::internal(&error)),
                }
            }
        }
    });
    if stopped {
        stage.leave_line();
    }
    // Services and processes are gone with what held them; then what they had written goes.
    drop(runtime);
    removed(folder)?;
    done
}

fn removed(folder: TempDir) -> Result<(), Failure> {
    folder.close().map_err(|error| Failure::internal(&error))
}

async fn play(stage: &mut Stage, folder: &Path, console_only: bool, stands: &Cell<bool>) -> Result<(), Failure> {
    let started = |error| Failure::internal(&error);
    let crm = folder.join("crm.sqlite");
    let open = Services::start(&crm).await.map_err(started)?;
    let gated = Services::start(&crm).await.map_err(started)?;
    let (keys, base) = (Keys::new()?, folder.join("home"));
    let reports = House::build(Story::Report, &folder.join("report"), &base, &gated, &keys)?;
    let tickets = House::build(Story::Ticket, &folder.join("ticket"), &base, &gated, &keys)?;
    if console_only {
        stands.set(true);
        return console::stand(stage, reports, tickets, &keys, &gated).await;
    }

    opening(stage);
    stage.pause().await;
    let told = report::play(stage, &open, &gated, &reports).await?;
    ticket::play(stage, &open, &gated, &tickets).await?;
    visitor::play(stage, &gated, &tickets).await?;
    in_a_sentence(stage, told.rows);
    stage.pause().await;
    stage.heading("Second act: the log and the crash");
    tampering::play(stage, &reports, &folder.join("copy"), told.run)?;
    stage.pause().await;
    crash::play(stage, &gated, &reports, &base).await?;
    next(stage);
    if stage.is_attended() {
        stands.set(true);
        console::stand(stage, reports, tickets, &keys, &gated).await?;
    } else {
        drop((reports, tickets));
    }
    tokio::join!(open.stop(), gated.stop());
    Ok(())
}

fn opening(stage: &Stage) {
    let mut page = stage.page();
    page.gap();
    page.hang(
        Vec::<Part>::new(),
        &[
            Part::new("Sluice ", Tone::Accent),
            Part::new(
                "makes workflows that an AI wrote safe to run. Two of them play here, each without it and with it.",
                Tone::Strong,
            ),
        ],
    );
    page.hang(Vec::<Part>::new(), &[Part::new(
        "CRM, spreadsheet service, directory, ticket desk and model are real HTTP servers on this machine, with made-up \
         people in them; nothing goes anywhere else. There is no model behind the model: its answers to the tickets, and \
         both workflows, are recordings written by hand in the shape of what a model writes.",
        Tone::Faint,
    )]);
    stage.show(page);
}

fn in_a_sentence(stage: &Stage, rows: usize) {
    let mut page = stage.page();
    let words = format!(
        "{rows} names with their balances left, since {} asked and {} agreed; their positions and health notes stayed, stopped \
         by `destination-not-cleared` and `region-forbidden`; and the administrator that {}'s ticket asked for was never \
         made, stopped by `{}`.",
        name_of("lena.fischer"),
        name_of("ines.moreau"),
        name_of("jonas.weber"),
        ticket::REFUSING_POLICY,
    );
    page.hang(Vec::<Part>::new(), &[Part::new("In a sentence: ", Tone::Strong), words.into()]);
    stage.show(page);
}

/// Commands that work from where the visitor stands.
fn next(stage: &Stage) {
    let program = program();
    let example = "examples/ticket/workflows/ticket.yaml";
    let look = if Path::new(example).is_file() {
        format!("{program} check --workspace examples/ticket {example}")
    } else {
        format!("{program} explain SL204")
    };
    let mut page = stage.page();
    page.line([Part::new("Next", Tone::Strong)]);
    for command in [
        look,
        format!("{program} init tryout"),
        format!("{program} run --workspace tryout tryout/workflows/hello.yaml --author you"),
    ] {
        page.line([Part::plain("  "), Part::new(command, Tone::Accent)]);
    }
    page.hang(
        Vec::<Part>::new(),
        &[
            Part::new(format!("{program} demo --console"), Tone::Accent),
            Part::plain(" serves the console, with both stories where a person decides."),
        ],
    );
    stage.show(page);
}

/// How the visitor starts this program.
fn program() -> String {
    // Cargo says so to what it runs.
    if std::env::var_os("CARGO").is_some() {
        return "cargo run --release --".to_owned();
    }
    std::env::args().next().unwrap_or_else(|| "sluice".to_owned())
}
