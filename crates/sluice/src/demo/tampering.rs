//! The second act: a byte of the log is flipped, and a run is killed where it hurts most.

use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use sluice_engine::Fact;
use sluice_ledger::RunId;
use sluice_runtime::audit::verify_with;
use sluice_runtime::run;
use sluice_runtime::workspace::LEDGER_FILE;

use super::house::House;
use super::stage::Stage;
use super::told::{detail, does, expect};
use crate::failure::Failure;
use crate::render::{Page, Part, Tone};

/// Flips a byte in a copy of the log and has it checked. `run` is one whose export is in the log.
///
/// # Errors
/// [`Failure`] if the check does not find it, or finds something in the original.
pub(super) fn play(stage: &Stage, house: &House<'_>, folder: &Path, run: RunId) -> Result<(), Failure> {
    let mut page = stage.page();
    original(&mut page, house)?;
    let entry = intent(house, run)?;
    let database = copy(house, folder)?;
    flip(&database, entry)?;
    let words = format!("flips one bit in a copy of the log, in entry {entry}, which says what was sent");
    does(&mut page, "somebody", &[words.into()]);
    let report = verify_with(folder, house.workspace.home())?;
    let misfit = report.store.first_misfit.as_ref();
    let misfit = misfit.ok_or_else(|| Failure::unexpected("a flipped bit is found"))?;
    does(&mut page, "sluice audit verify", &[Part::new("the log does not agree", Tone::Bad)]);
    detail(&mut page, &format!("entry {}", misfit.index.get()), format!("{} {}", misfit.why.code(), misfit.why));
    expect(!report.agrees() && misfit.index.get() == entry, "the check names the entry that was changed")?;
    stage.show(page);
    Ok(())
}

fn original(page: &mut Page, house: &House<'_>) -> Result<(), Failure> {
    let report = verify_with(house.workspace.folder(), house.workspace.home())?;
    expect(report.agrees() && report.store.checkpoints > 0, "the log agrees before anybody touches it")?;
    let words = format!(
        ": {} entries under signed checkpoints, {} decisions asked again with the same answer",
        report.store.entries, report.decisions.agree
    );
    does(page, "sluice audit verify", &[Part::new("everything agrees", Tone::Good), Part::plain(words)]);
    Ok(())
}

/// Where the log says what the run's export was about to send.
fn intent(house: &House<'_>, id: RunId) -> Result<u64, Failure> {
    let entries = house.ledger.run(id)?;
    let facts = run::facts(&entries)?;
    let is_export = |fact: &Fact| matches!(fact, Fact::Intended { action, .. } if action == "sheets.rows.write");
    let found = entries.iter().zip(&facts).find(|(_, record)| is_export(&record.fact));
    found.map(|(entry, _)| entry.entry.log.get()).ok_or_else(|| Failure::unexpected("the log holds the export"))
}

/// A copy of the workspace as it lies on the disk, its log in one file.
fn copy(house: &House<'_>, to: &Path) -> Result<PathBuf, Failure> {
    let internal = |error: std::io::Error| Failure::internal(&error);
    copy_folder(house.workspace.folder(), to).map_err(internal)?;
    let database = to.join(LEDGER_FILE);
    // What SQLite still keeps beside the file goes into it: the byte is to be flipped in what is read.
    let connection = Connection::open(&database).map_err(|error| Failure::internal(&error))?;
    let merged = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    merged.map_err(|error| Failure::internal(&error))?;
    connection.close().map_err(|(_, error)| Failure::internal(&error))?;
    Ok(database)
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?
        } else {
            fs::copy(entry.path(), target).map(drop)?
        }
    }
    Ok(())
}

/// Flips the lowest bit of the last byte of an entry, in the file itself.
fn flip(database: &Path, entry: u64) -> Result<(), Failure> {
    let internal = |error: rusqlite::Error| Failure::internal(&error);
    let connection = Connection::open(database).map_err(internal)?;
    let index = i64::try_from(entry).unwrap_or(i64::MAX);
    let bytes: Vec<u8> = connection
        .query_row("SELECT entry FROM entries WHERE log = ?1", [index], |row| row.get(0))
        .map_err(internal)?;
    connection.close().map_err(|(_, error)| Failure::internal(&error))?;
    let io = |error: std::io::Error| Failure::internal(&error);
    let file = fs::read(database).map_err(io)?;
    let at = file.windows(bytes.len()).position(|window| window == bytes);
    let offset = at.ok_or_else(|| Failure::unexpected("the entry lies in the file in one piece"))? + bytes.len() - 1;
    let last = file.get(offset).copied().unwrap_or_default();
    let mut opened = fs::OpenOptions::new().write(true).open(database).map_err(io)?;
    opened.seek(SeekFrom::Start(offset as u64)).map_err(io)?;
    opened.write_all(&[last ^ 1]).map_err(io)
}
