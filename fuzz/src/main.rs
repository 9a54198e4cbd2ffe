//! Drives a target on stable Rust: seeded mutations of its seeds, for as long as asked.
//!
//! An input that breaks a law is written to `fuzz/artifacts/`, and named; `--replay FILE` runs it again.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use sluice_fuzz::mutate::{Dice, mutate};
use sluice_fuzz::{TARGETS, Target};

const USAGE: &str = "usage: sluice-fuzz TARGET|all [--seconds N] [--seed N] [--replay FILE] [--careful]
  --seconds  how long each target runs (10)
  --seed     other numbers, other inputs (1)
  --careful  writes each input down before it runs: for those that end the process";

/// How many seeds the driver remembers; the oldest that it found give way.
const SEEDS_MAX: usize = 4096;

/// An input that takes longer is a finding: the readers are meant to be linear.
const SLOW: Duration = Duration::from_secs(2);

struct Options {
    targets: Vec<&'static Target>,
    seconds: u64,
    seed: u64,
    replay: Option<PathBuf>,
    is_careful: bool,
}

fn main() -> ExitCode {
    let Some(options) = options(std::env::args().skip(1)) else {
        let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
        eprintln!("{USAGE}\ntargets: {}", names.join(" "));
        return ExitCode::from(2);
    };
    let is_clean = options.targets.iter().fold(true, |is_clean, target| match &options.replay {
        Some(file) => replay(target, file) && is_clean,
        None => fuzz(target, &options) && is_clean,
    });
    if is_clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn options(mut args: impl Iterator<Item = String>) -> Option<Options> {
    let name = args.next()?;
    let targets: Vec<_> = TARGETS.iter().filter(|target| name == "all" || target.name == name).collect();
    let mut options = Options { targets, seconds: 10, seed: 1, replay: None, is_careful: false };
    while let Some(option) = args.next() {
        match option.as_str() {
            "--seconds" => options.seconds = args.next()?.parse().ok()?,
            "--seed" => options.seed = args.next()?.parse().ok()?,
            "--replay" => options.replay = Some(args.next()?.into()),
            "--careful" => options.is_careful = true,
            _ => return None,
        }
    }
    (!options.targets.is_empty()).then_some(options)
}

fn replay(target: &Target, file: &Path) -> bool {
    match std::fs::read(file) {
        Ok(input) => {
            println!("{}: {}", target.name, (target.run)(&input));
            true
        }
        Err(error) => {
            eprintln!("cannot read {}: {error}", file.display());
            false
        }
    }
}

fn fuzz(target: &Target, options: &Options) -> bool {
    let mut dice = Dice::new(options.seed);
    let mut seeds = (target.seeds)();
    let own = seeds.len();
    let mut answers = BTreeSet::new();
    for seed in &seeds {
        answers.insert((target.run)(seed));
    }
    let end = Instant::now() + Duration::from_secs(options.seconds);
    let mut inputs = 0_u64;
    while Instant::now() < end {
        let input = mutate(&mut dice, &seeds, target.tokens);
        if options.is_careful {
            keep(target, "running", &input);
        }
        let start = spent();
        let answer = catch_unwind(AssertUnwindSafe(|| (target.run)(&input)));
        inputs += 1;
        match answer {
            Ok(_) if spent().saturating_sub(start) > SLOW => return found(target, "slow", &input, options.seed),
            Ok(answer) if answers.insert(answer.clone()) => {
                if seeds.len() >= SEEDS_MAX {
                    seeds.remove(own);
                }
                seeds.push(input);
            }
            Ok(_) => {}
            Err(_) => return found(target, "panic", &input, options.seed),
        }
    }
    println!(
        "{}: {inputs} inputs, {} different answers, nothing found (seed {})",
        target.name,
        answers.len(),
        options.seed
    );
    true
}

/// The processor time of this thread, where the system tells it: a busy machine makes no input slow.
fn spent() -> Duration {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|text| text.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

fn found(target: &Target, what: &str, input: &[u8], seed: u64) -> bool {
    let file = keep(target, what, input);
    eprintln!("{}: {what} (seed {seed}); again with: {} --replay {}", target.name, target.name, file.display());
    false
}

fn keep(target: &Target, what: &str, input: &[u8]) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("artifacts");
    let file = folder.join(format!("{}.{what}", target.name));
    let written = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&file, input));
    if let Err(error) = written {
        eprintln!("cannot write {}: {error}", file.display());
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_passes_its_target_and_names_differ() {
        let names: BTreeSet<_> = TARGETS.iter().map(|target| target.name).collect();
        assert_eq!(names.len(), TARGETS.len());
        for target in TARGETS {
            let seeds = (target.seeds)();
            assert!(!seeds.is_empty(), "{}", target.name);
            let answers: BTreeSet<_> = seeds.iter().map(|seed| (target.run)(seed)).collect();
            assert!(answers.len() > 1, "{}: all seeds go the same way: {answers:?}", target.name);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_inputs() {
        let inputs = |seed| {
            let mut dice = Dice::new(seed);
            (0..50).map(|_| mutate(&mut dice, &[b"some text".to_vec()], &[b"token"])).collect::<Vec<_>>()
        };
        assert_eq!(inputs(1), inputs(1));
        assert_ne!(inputs(1), inputs(2));
    }
}
