//! `corpus DIR [BINARY]`: what becomes of the workflows of each folder of a corpus, as the rows of a table.
//!
//! Folders in which `sluice check` finds no workflow of another engine have no row. Counts are of files, but for steps, steps of a
//! kind that no catalogue knows, and texts that are anything made from what they name (*opaque*).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

use crate::root::root;

/// The format of a text that is no workflow of another engine.
const NATIVE: &str = "open-workflow";

/// What became of the files of one folder.
#[derive(Default)]
struct Row {
    files: usize,
    lowered: usize,
    /// By code and name.
    refused: BTreeMap<String, usize>,
    steps: u64,
    unknown: usize,
    opaque: u64,
}

/// Prints the table of a corpus.
///
/// # Errors
/// A folder that cannot be read, or a check that did not run.
pub(crate) fn run(corpus: &str, binary: Option<&str>) -> Result<(), String> {
    let mut table = "| folder | files | lowered | refused | steps | of unknown type | opaque |\n".to_owned();
    table.push_str("|---|---|---|---|---|---|---|\n");
    for folder in folders(Path::new(corpus))? {
        if let Some(row) = row(&folder, binary)? {
            let name = folder.file_name().unwrap_or_default().to_string_lossy();
            let refused: usize = row.refused.values().sum();
            let reasons: Vec<String> = row.refused.iter().map(|(why, count)| format!("{why} {count}")).collect();
            let reasons = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join(", ")) };
            let Row { files, lowered, steps, unknown, opaque, .. } = row;
            let _ = writeln!(
                table,
                "| `{name}` | {files} | {lowered} | {refused}{reasons} | {steps} | {unknown} | {opaque} |"
            );
        }
    }
    print!("{table}");
    Ok(())
}

fn folders(corpus: &Path) -> Result<Vec<PathBuf>, String> {
    let listed = std::fs::read_dir(corpus).map_err(|e| format!("cannot read `{}`: {e}", corpus.display()))?;
    let mut folders: Vec<PathBuf> = listed.flatten().map(|e| e.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    Ok(folders)
}

fn row(folder: &Path, binary: Option<&str>) -> Result<Option<Row>, String> {
    let reports = check(folder, binary)?;
    if reports.iter().all(|file| text(file, "format") == NATIVE) {
        return Ok(None);
    }
    let mut row = Row { files: reports.len(), ..Row::default() };
    for file in &reports {
        if text(file, "status") != "checked" {
            let first = file.get("findings").and_then(|found| found.get(0)).unwrap_or(&Json::Null);
            *row.refused.entry(format!("{} {}", text(first, "code"), text(first, "name"))).or_default() += 1;
            continue;
        }
        row.lowered += 1;
        let fact = |name: &str| file.get("facts").and_then(|facts| facts.get(name)).unwrap_or(&Json::Null);
        row.steps += fact("steps").as_u64().unwrap_or_default();
        row.opaque += fact("opaque_expressions").as_u64().unwrap_or_default();
        row.unknown += fact("unknown_node_types").as_array().map_or(0, Vec::len);
    }
    Ok(Some(row))
}

/// The report of each file of a folder.
fn check(folder: &Path, binary: Option<&str>) -> Result<Vec<Json>, String> {
    let folder = folder.canonicalize().map_err(|e| format!("cannot read `{}`: {e}", folder.display()))?;
    let mut command = match binary {
        Some(binary) => Command::new(binary),
        None => {
            let mut cargo = Command::new("cargo");
            cargo.current_dir(root()).args(["run", "--quiet", "--release", "-p", "sluice", "--"]);
            cargo
        }
    };
    let output = command.args(["check", "--facts", "--format", "json"]).arg(&folder).output();
    let output = output.map_err(|e| format!("cannot run the check: {e}"))?;
    let report: Json = serde_json::from_slice(&output.stdout)
        .map_err(|e| format!("the check gave no JSON: {e}\n{}", String::from_utf8_lossy(&output.stderr)))?;
    Ok(report.get("files").and_then(Json::as_array).cloned().unwrap_or_default())
}

fn text<'v>(value: &'v Json, key: &str) -> &'v str {
    value.get(key).and_then(Json::as_str).unwrap_or_default()
}
