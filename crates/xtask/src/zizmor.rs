//! `compare-zizmor FOLDER`: what zizmor finds with high confidence in workflows of GitHub Actions, and whether we say it too; both
//! timed in one run.
//!
//! zizmor is the program that `ZIZMOR` names, or the one of that name on the path; sluice the one that `SLUICE` names, or that of
//! this tree, built for release. zizmor names actions by their file, so
//! each is copied to an `action.yml` of its own; a file that it cannot read by itself is left out for both. A file counts
//! as found if the same thing is said of the same file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::root::root;

/// Audits of zizmor and the codes that say the same.
const SAME: [(&str, &[&str]); 18] = [
    ("artipacked", &["SL273"]),
    ("bot-conditions", &["SL279"]),
    ("cache-poisoning", &["SL278"]),
    ("dangerous-triggers", &["SL274"]),
    ("excessive-permissions", &["SL264", "SL265", "SL277"]),
    ("github-env", &["SL272"]),
    ("hardcoded-container-credentials", &["SL251"]),
    ("insecure-commands", &["SL271"]),
    ("overprovisioned-secrets", &["SL267"]),
    ("secrets-inherit", &["SL268"]),
    ("self-hosted-runner", &["SL270"]),
    ("template-injection", &["SL260"]),
    ("unpinned-images", &["SL276"]),
    ("unpinned-uses", &["SL262", "SL263"]),
    ("unredacted-secrets", &["SL275"]),
    ("unsound-condition", &["SL279"]),
    ("unsound-contains", &["SL279"]),
    ("use-trusted-publishing", &[]),
];
/// Runs of each that are timed; the median counts.
const RUNS: usize = 9;

/// Compares both on the files of a folder.
///
/// # Errors
/// A program or folder that is missing, or an output that is no JSON.
pub(crate) fn run(folder: &str) -> Result<(), String> {
    let zizmor = PathBuf::from(std::env::var_os("ZIZMOR").unwrap_or_else(|| "zizmor".into()));
    let version = output(Command::new(&zizmor).arg("--version"))?;
    let sluice = built()?;
    let copies = Copies::of(Path::new(folder))?;
    let all = copies.files.len();
    let files = copies.files.iter().filter(|file| output(&mut zizmor_on(&zizmor, [file.as_path()])).is_ok());
    let files: Vec<&Path> = files.map(PathBuf::as_path).collect();
    println!("{}; it reads {} of {all} files by themselves\n", String::from_utf8_lossy(&version).trim(), files.len());

    let theirs = zizmors(&output(&mut zizmor_on(&zizmor, files.iter().copied()))?)?;
    let ours = sluices(&sluice_on(&sluice, &files).output().map_err(|e| format!("cannot run sluice: {e}"))?.stdout)?;
    print_table(&theirs, &ours);

    let median = |command: &dyn Fn() -> Command| -> Result<Duration, String> {
        let mut times = Vec::new();
        for _ in 0..RUNS {
            let start = Instant::now();
            command().output().map_err(|e| e.to_string())?;
            times.push(start.elapsed());
        }
        times.sort();
        Ok(times.get(RUNS / 2).copied().unwrap_or_default())
    };
    let (one, other) =
        (median(&|| zizmor_on(&zizmor, files.iter().copied()))?, median(&|| sluice_on(&sluice, &files))?);
    let ratio = one.as_secs_f64() / other.as_secs_f64();
    println!("\nzizmor {} ms, sluice {} ms: {ratio:.1} times as fast", one.as_millis(), other.as_millis());
    println!("(whole programs on the same {} files, the median of {RUNS} runs each)", files.len());
    Ok(())
}

/// The binary that is named, or that of this tree.
fn built() -> Result<PathBuf, String> {
    if let Some(named) = std::env::var_os("SLUICE") {
        return Ok(PathBuf::from(named));
    }
    let done = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(["build", "--quiet", "--release", "-p", "sluice"])
        .status();
    if !done.map_err(|e| format!("cannot run cargo: {e}"))?.success() {
        return Err("sluice cannot be built".to_owned());
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    Ok(target.join("release").join("sluice"))
}

/// Copies of the files of a folder, by names that zizmor knows them by.
struct Copies {
    folder: PathBuf,
    files: Vec<PathBuf>,
}

impl Copies {
    fn of(folder: &Path) -> Result<Self, String> {
        let cannot = |path: &Path, e: &std::io::Error| format!("cannot read or write `{}`: {e}", path.display());
        let to = std::env::temp_dir().join(format!("sluice-compare-{}", std::process::id()));
        std::fs::create_dir(&to).map_err(|e| cannot(&to, &e))?;
        let mut copies = Self { folder: to, files: Vec::new() };
        let entries = std::fs::read_dir(folder).map_err(|e| cannot(folder, &e))?;
        let mut names: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
        names.sort();
        for path in names.iter().filter(|path| path.extension().is_some_and(|end| end == "yml" || end == "yaml")) {
            let bytes = std::fs::read(path).map_err(|e| cannot(path, &e))?;
            let name = path.file_name().unwrap_or_default();
            let is_action = String::from_utf8_lossy(&bytes).lines().any(|line| line.trim_end() == "runs:");
            let copy = match is_action {
                true => copies.folder.join(name).join("action.yml"),
                false => copies.folder.join(name),
            };
            if let Some(above) = copy.parent() {
                std::fs::create_dir_all(above).map_err(|e| cannot(above, &e))?;
            }
            std::fs::write(&copy, bytes).map_err(|e| cannot(&copy, &e))?;
            copies.files.push(copy);
        }
        if copies.files.is_empty() { Err(format!("`{}` has no workflows", folder.display())) } else { Ok(copies) }
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// zizmor without a network and without what files ask it to overlook: they are judged, not obeyed.
fn zizmor_on<'f>(program: &Path, files: impl IntoIterator<Item = &'f Path>) -> Command {
    let mut command = Command::new(program);
    command.args(["--offline", "--no-config", "--no-ignores", "--no-exit-codes", "--no-progress", "--quiet"]);
    command.args(["--format", "json"]).args(files);
    command
}

fn sluice_on(program: &Path, files: &[&Path]) -> Command {
    let mut command = Command::new(program);
    command.args(["check", "--format", "json"]).args(files);
    command
}

fn output(command: &mut Command) -> Result<Vec<u8>, String> {
    let Output { status, stdout, stderr } =
        command.output().map_err(|e| format!("cannot run `{}`: {e}", command.get_program().display()))?;
    if status.success() { Ok(stdout) } else { Err(String::from_utf8_lossy(&stderr).into_owned()) }
}

/// What is said, by what says it: the files.
type Said = BTreeMap<String, BTreeSet<String>>;

/// What zizmor is sure of, by audit.
fn zizmors(json: &[u8]) -> Result<Said, String> {
    let findings: Vec<Json> = serde_json::from_slice(json).map_err(|e| format!("zizmor gave no JSON: {e}"))?;
    let mut said = Said::new();
    for found in findings {
        let text = |pointer: &str| found.pointer(pointer).and_then(Json::as_str).unwrap_or_default().to_owned();
        if text("/determinations/confidence") == "High" {
            said.entry(text("/ident")).or_default().insert(text("/locations/0/symbolic/key/Local/verbatim_path"));
        }
    }
    Ok(said)
}

/// What sluice says, by code.
fn sluices(json: &[u8]) -> Result<Said, String> {
    let report: Json = serde_json::from_slice(json).map_err(|e| format!("sluice gave no JSON: {e}"))?;
    let list = |value: &Json, key: &str| value.get(key).and_then(Json::as_array).cloned().unwrap_or_default();
    let mut said = Said::new();
    for file in list(&report, "files") {
        let text = |value: &Json, key: &str| value.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
        let path = text(&file, "path");
        for found in list(&file, "findings") {
            said.entry(text(&found, "code")).or_default().insert(path.clone());
        }
    }
    Ok(said)
}

fn print_table(theirs: &Said, ours: &Said) {
    println!("| audit | files with a high-confidence finding | also ours | code |\n|---|---|---|---|");
    let mut missed = Vec::new();
    for (audit, files) in theirs {
        let codes = SAME.iter().find(|(name, _)| name == audit).map_or(&[] as &[&str], |(_, codes)| *codes);
        let said: BTreeSet<&String> = codes.iter().filter_map(|code| ours.get(*code)).flatten().collect();
        let both = files.iter().filter(|file| said.contains(file)).count();
        println!("| {audit} | {} | {both} | {} |", files.len(), codes.join(", "));
        missed.extend(files.iter().filter(|file| !said.contains(file)).map(|file| format!("{audit}: {}", short(file))));
    }
    println!("\nnot said by us:");
    for line in missed {
        println!("- {line}");
    }
}

/// A copy's name without the folder of the copies.
fn short(path: &str) -> &str {
    let name = path.strip_suffix("/action.yml").unwrap_or(path);
    name.rsplit('/').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_say_is_read_by_file() {
        let theirs = br#"[
            {"ident": "a", "determinations": {"confidence": "High"}, "locations": [{"symbolic": {"key": {"Local": {"verbatim_path": "x/f.yml"}}}}]},
            {"ident": "b", "determinations": {"confidence": "Low"}, "locations": []}]"#;
        assert_eq!(zizmors(theirs).unwrap(), Said::from([("a".to_owned(), ["x/f.yml".to_owned()].into())]));
        let ours =
            br#"{"files": [{"path": "x/f.yml", "findings": [{"code": "SL260"}]}, {"path": "y", "findings": []}]}"#;
        assert_eq!(sluices(ours).unwrap(), Said::from([("SL260".to_owned(), ["x/f.yml".to_owned()].into())]));
        assert!(zizmors(b"no").is_err() && sluices(b"").is_err());
        assert_eq!((short("/t/a.yml/action.yml"), short("/t/b.yml")), ("a.yml", "b.yml"));
    }
}
