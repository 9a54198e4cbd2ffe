//! `sluice policy replay` over a ledger with many decisions: how many are asked again in a second.
//!
//! `cargo bench -p sluice --bench replay`. Two real runs, one that a gate let pass and one that it held, are repeated until
//! the ledger is full; then the whole program is asked which of their decisions the rules that lie there would take
//! otherwise, with start, opening of the ledger and output. `SLUICE_BENCH_ENTRIES` takes another number of entries.

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

#[path = "filled/mod.rs"]
mod filled;

type Answer<T> = Result<T, Box<dyn Error + Send + Sync>>;

const ENTRIES: u64 = 400_000;
const ROUNDS: usize = 5;

fn main() -> Answer<()> {
    if filled::is_asked()? {
        return Ok(());
    }
    let entries = std::env::var("SLUICE_BENCH_ENTRIES").ok().and_then(|text| text.parse().ok()).unwrap_or(ENTRIES);
    let folder = tempfile::tempdir()?;
    let at = folder.path();
    std::fs::create_dir(at.join("ws"))?;
    sluice(at, &["init", ".", "--as", "ana"])?;
    let register = at.join("ws/registers/principals.yaml");
    let text = std::fs::read_to_string(&register)?;
    std::fs::write(&register, text.replacen("\npersons:\n", "\npersons:\n  ben: { name: Ben }\n", 1))?;
    sluice(at, &["run", "workflows/hello.yaml", "--as", "ana", "--author", "ana"])?;
    sluice(at, &["run", "workflows/hello.yaml", "--as", "ben"])?;
    let arguments = filled::arguments(&at.join("ws"), entries, 2);
    let mut fill = command(at, &std::env::current_exe()?, &arguments.each_ref().map(String::as_str));
    if !fill.status()?.success() {
        return Err("the ledger could not be filled".into());
    }
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let told = sluice(at, &["policy", "replay", "--bundle", ".", "--since", "30d", "--format", "json"])?;
        let seconds = started.elapsed().as_secs_f64();
        let told: serde_json::Value = serde_json::from_str(&told)?;
        let number = |name: &str| told.get(name).and_then(serde_json::Value::as_u64);
        let (asked, changed) = (number("asked").unwrap_or_default(), number("changed"));
        if asked == 0 || changed != Some(0) {
            return Err(format!("the same rules say the same of every decision: {told}").into());
        }
        println!("{entries} entries, {asked} decisions in {seconds:.2} s: {:.0} decisions/s", asked as f64 / seconds);
        rates.push(asked as f64 / seconds);
    }
    rates.sort_by(f64::total_cmp);
    println!("median: {:.0} decisions/s", rates.get(ROUNDS / 2).copied().unwrap_or_default());
    Ok(())
}

fn command(at: &Path, program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(at.join("ws")).env("SLUICE_HOME", at.join("home"));
    command
}

fn sluice(at: &Path, arguments: &[&str]) -> Answer<String> {
    let output = command(at, Path::new(env!("CARGO_BIN_EXE_sluice")), arguments).output()?;
    // Held is no error.
    if matches!(output.status.code(), Some(0 | 4)) {
        return Ok(String::from_utf8(output.stdout)?);
    }
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    Err(format!("{arguments:?}: {said}").into())
}
