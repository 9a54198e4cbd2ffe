//! What checking a folder of exports costs, beside `serde_json::from_str::<Value>` of the same files in the same run.
//!
//! `cargo bench -p sluice --bench folder [-- FOLDER]`. The whole program is measured: its start, the walk, the check on two
//! cores, the JSON that it writes. Read the ratio and the processor time; files/s belong to this machine. Processor time and
//! peak memory come from `/proc`, and are left out where there is none.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

type Answer<T> = Result<T, Box<dyn Error>>;

const ROUNDS: usize = 5;
const JOBS: &str = "2";
/// `/proc` counts processor time in these on every Linux that there is a build for.
const TICKS_PER_SECOND: f64 = 100.0;

/// One run of the program.
struct Run {
    seconds: f64,
    processor_seconds: Option<f64>,
    peak_kib: Option<u64>,
}

#[expect(clippy::cast_precision_loss, reason = "rates for people")]
fn main() -> Answer<()> {
    let folder = folder();
    let texts = texts(&folder)?;
    let files = checked(&folder)? as f64;
    let (mut runs, mut parses) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        runs.push(run(&folder)?);
        parses.push(parse(&texts)?);
    }
    let seconds = median(runs.iter().map(|run| run.seconds).collect());
    let bare = median(parses);
    println!("{files} files, {} bytes, {JOBS} jobs, medians of {ROUNDS}", texts.iter().map(String::len).sum::<usize>());
    println!("files/s                  {:>10.0}", files / seconds);
    let processor: Option<Vec<f64>> = runs.iter().map(|run| run.processor_seconds).collect();
    if let Some(processor) = processor.map(median) {
        println!("processor ms per file    {:>10.3}", processor * 1e3 / files);
        println!("  / bare serde_json      {:>9.1}×", processor / bare);
    }
    println!("serde_json ms per file   {:>10.3}", bare * 1e3 / files);
    if let Some(peak) = runs.iter().filter_map(|run| run.peak_kib).max() {
        println!("peak memory, MiB         {:>10.0}", peak as f64 / 1024.0);
    }
    Ok(())
}

/// The folder that was named; the corpus beside the repository if it is there; our own examples.
fn folder() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let named = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).map(PathBuf::from);
    let corpus = root.join("../shared/corpus/n8n");
    named.unwrap_or_else(|| if corpus.is_dir() { corpus } else { root.join("examples") })
}

/// How many files the program says that it has checked. Warms the cache too.
fn checked(folder: &Path) -> Answer<usize> {
    let output = Command::new(env!("CARGO_BIN_EXE_sluice")).args(["check", "--format", "json"]).arg(folder).output()?;
    let report: Value = serde_json::from_slice(&output.stdout)?;
    let files = report.get("files").and_then(Value::as_array).map_or(0, Vec::len);
    if files == 0 { Err(format!("`{}` holds no workflow", folder.display()).into()) } else { Ok(files) }
}

fn run(folder: &Path) -> Answer<Run> {
    let before = children_seconds();
    let started = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_sluice"))
        .args(["check", "--format", "json", "--jobs", JOBS])
        .arg(folder)
        .stdout(Stdio::null())
        .spawn()?;
    let peak_kib = peak_until_end(&mut child)?;
    let seconds = started.elapsed().as_secs_f64();
    let processor_seconds = children_seconds().zip(before).map(|(after, before)| after - before);
    Ok(Run { seconds, processor_seconds, peak_kib })
}

/// The largest resident size that was seen: it is read every few milliseconds, for an ended process has none.
fn peak_until_end(child: &mut Child) -> Answer<Option<u64>> {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = None;
    while child.try_wait()?.is_none() {
        let said = std::fs::read_to_string(&status).unwrap_or_default();
        let line = said.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = peak.max(line.and_then(|line| line.split_whitespace().next()?.parse().ok()));
        std::thread::sleep(Duration::from_millis(3));
    }
    Ok(peak)
}

/// The processor time of all children that have ended.
fn children_seconds() -> Option<f64> {
    let said = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, behind_name) = said.rsplit_once(") ")?;
    // proc(5): `cutime` and `cstime` are fields 16 and 17, and the state, behind the name, is field 3.
    let ticks = behind_name.split(' ').skip(13).take(2).map(|field| field.parse::<f64>().ok());
    Some(ticks.sum::<Option<f64>>()? / TICKS_PER_SECOND)
}

/// Every JSON text of the folder itself, as many as its files are: what any reader of them has to do at least.
fn texts(folder: &Path) -> Answer<Vec<String>> {
    let mut texts = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(at)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "json") {
                texts.push(std::fs::read_to_string(path)?);
            }
        }
    }
    Ok(texts)
}

fn parse(texts: &[String]) -> Answer<f64> {
    let started = Instant::now();
    for text in texts {
        std::hint::black_box(serde_json::from_str::<Value>(text)?);
    }
    Ok(started.elapsed().as_secs_f64())
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or_default()
}
