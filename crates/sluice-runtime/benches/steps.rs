//! Durable steps per second, CPU and commits per step, with 1, 16 and 64 runs in flight, beside bare SQLite.
//!
//! `cargo bench -p sluice-runtime`. A step is one effect: gate asked, decision and intent durable, call made, outcome
//! durable with the next step's decision. All is production code but the connectors, which answer from memory. The
//! bare loop writes one row of as many bytes for each step, and as many rows per commit as the steps shared.
//! CPU and commits per step carry over to other machines; steps per second do not.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use futures_executor::block_on;
use rusqlite::Connection;
use serde_json::json;
use sluice_connectors::secret::{SecretStore, WorkspaceKey};
use sluice_core::contract::key::SecretKey;
use sluice_core::label::Name;
use sluice_engine::{Call, CallOutcome, GateAnswer, Permitted, Question, Record, Resolution, Status, ValueQuestion};
use sluice_policy::Acting;
use sluice_runtime::admit::{Proposed, Runnable};
use sluice_runtime::connect::Connectors;
use sluice_runtime::driver::{Host, NotCommitted, drive};
use sluice_runtime::gate::{Asker, RunGate};
use sluice_runtime::host::{HostError, LedgerEvidence, LiveHost};
use sluice_runtime::init;
use sluice_runtime::ledger::{Ledger, random};
use sluice_runtime::run::{Admission, Executor};
use sluice_runtime::run_log::RunLog;
use sluice_runtime::workspace::{SECRETS_FILE, Workspace};
use sluice_store::Epoch;

type Answer<T> = Result<T, Box<dyn Error + Send + Sync>>;

const ROUNDS: usize = 3;
const STEPS_PER_RUN: u64 = 10;
const HOME: &str = "SLUICE_HOME";
const CHILD: &str = "SLUICE_BENCH_CHILD";

fn main() -> Answer<()> {
    if std::env::var_os(CHILD).is_none() {
        return again_with_a_home_of_its_own();
    }
    println!("{STEPS_PER_RUN} effects per run, medians of {ROUNDS} rounds");
    println!(
        "runs in   steps    CPU µs    commits   entries    bytes    in the gate | bare SQLite        CPU µs | CPU ratio"
    );
    println!(
        "flight      /s    per step   per step  per step  per step   µs per step |  rows/s  per commit  per row |"
    );
    for (flight, each) in [(1, 30), (16, 6), (64, 3)] {
        let rounds = (0..ROUNDS).map(|_| measure(flight, each)).collect::<Answer<Vec<_>>>()?;
        let of = |pick: fn(&Figures) -> f64| median(rounds.iter().map(pick).collect());
        println!(
            "{flight:>6} {:>8.0} {:>10.0} {:>10.3} {:>9.1} {:>9.0} {:>13.0} | {:>7.0}  {:>10.0} {:>8.1} | {:>6.1}×",
            of(|f| f.steps_per_second),
            of(|f| f.cpu_micros),
            of(|f| f.commits),
            of(|f| f.entries),
            of(|f| f.bytes),
            of(|f| f.gate_micros),
            of(|f| f.bare.rows_per_second),
            of(|f| f.bare.rows_per_commit),
            of(|f| f.bare.cpu_micros),
            of(|f| f.cpu_micros / f.bare.cpu_micros),
        );
    }
    Ok(())
}

/// Keys belong outside the workspace, and where is said by the environment: this process starts itself once more.
fn again_with_a_home_of_its_own() -> Answer<()> {
    let home = tempfile::tempdir()?;
    let mut again = Command::new(std::env::current_exe()?);
    let status = again.env(HOME, home.path()).env(CHILD, "1").status()?;
    if status.success() { Ok(()) } else { Err("the bench failed".into()) }
}

struct Figures {
    steps_per_second: f64,
    cpu_micros: f64,
    commits: f64,
    entries: f64,
    bytes: f64,
    gate_micros: f64,
    bare: BareFigures,
}

struct BareFigures {
    rows_per_second: f64,
    rows_per_commit: f64,
    cpu_micros: f64,
}

fn measure(flight: u64, runs_each: u64) -> Answer<Figures> {
    let folder = tempfile::tempdir()?;
    let key = SecretKey::from_seed("ben", random()?);
    let (workspace, ledger) = init::create(folder.path(), &files()?, &[key], true)?;
    let world = World::new(&workspace, &ledger)?;
    let before = (ledger.writer().commits(), ledger.read(|r| r.head())?.size.get());
    let (start, cpu) = (Instant::now(), cpu_micros()?);
    thread::scope(|scope| {
        let threads: Vec<_> =
            (0..flight).map(|_| scope.spawn(|| (0..runs_each).try_for_each(|_| world.run()))).collect();
        threads.into_iter().try_for_each(|t| t.join().map_err(|_| "a run panicked")?)
    })?;
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), cpu_micros()? - cpu);
    let steps = (flight * runs_each * STEPS_PER_RUN) as f64;
    let commits = (ledger.writer().commits() - before.0) as f64;
    let entries = (ledger.read(|r| r.head())?.size.get() - before.1) as f64;
    let bytes = stored_bytes(&workspace.ledger_file())? / steps;
    let bare = bare(folder.path(), bytes, (steps / commits).max(1.0))?;
    Ok(Figures {
        steps_per_second: steps / seconds,
        cpu_micros: cpu / steps,
        commits: commits / steps,
        entries: entries / steps,
        bytes,
        gate_micros: world.gate_nanos.load(Ordering::Relaxed) as f64 / 1e3 / steps,
        bare,
    })
}

/// What every run of a round shares.
struct World<'a> {
    workspace: &'a Workspace,
    ledger: &'a Ledger,
    connectors: Connectors,
    runnable: Box<Runnable>,
    gate_nanos: AtomicU64,
}

impl<'a> World<'a> {
    fn new(workspace: &'a Workspace, ledger: &'a Ledger) -> Answer<Self> {
        let requester = Name::from("ana");
        let text = definition();
        let proposed = Proposed::read("bench.yaml", text.as_bytes()).map_err(|(_, why)| format!("{why:?}"))?;
        let author = Acting::Person { id: requester.clone() };
        let Admission::Runnable(runnable, _) =
            Executor::open(workspace, ledger)?.admit(proposed, &requester, author)?
        else {
            return Err("the definition is not admitted".into());
        };
        let key = WorkspaceKey::read(&workspace.home().workspace_key(), workspace.folder())?;
        let secrets = Arc::new(SecretStore::new(workspace.folder().join(SECRETS_FILE), key));
        let connectors = Connectors::of(&workspace.governance().contracts, workspace.folder(), &secrets)?;
        Ok(Self { workspace, ledger, connectors, runnable, gate_nanos: AtomicU64::new(0) })
    }

    fn run(&self) -> Answer<()> {
        let plan = self.runnable.plan()?;
        let (state, events) = self.runnable.begin(random()?, json!({}), None);
        let log = RunLog::new(self.ledger, state.run(), "basics/bench".to_owned(), 0, Epoch::FIRST);
        let live = LiveHost {
            gate: RunGate {
                workspace: self.workspace,
                catalogue: &plan.catalogue,
                asker: Asker::of(&self.runnable, log.workflow(), None),
                universe: &plan.universe,
                run: state.run(),
                evidence: LedgerEvidence::new(self.ledger),
            },
            log: &log,
            connectors: &self.connectors,
        };
        let host = InMemory { live, gate_nanos: &self.gate_nanos };
        match block_on(drive(&plan, state, events, &host))?.status() {
            Status::Completed { .. } => Ok(()),
            other => Err(format!("a run ended {other:?}").into()),
        }
    }
}

/// Production, but for what lies behind the connectors.
struct InMemory<'a> {
    live: LiveHost<'a>,
    gate_nanos: &'a AtomicU64,
}

impl Host for InMemory<'_> {
    type Error = HostError;

    fn now_ms(&self) -> u64 {
        self.live.now_ms()
    }

    fn ask(&self, question: &Question) -> Option<GateAnswer> {
        let start = Instant::now();
        let answer = self.live.ask(question);
        let nanos = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.gate_nanos.fetch_add(nanos, Ordering::Relaxed);
        answer
    }

    async fn read_and_ask(&self, question: &Question) -> GateAnswer {
        self.live.read_and_ask(question).await
    }

    fn ask_for_word(&self, question: &ValueQuestion) -> GateAnswer {
        self.live.ask_for_word(question)
    }

    async fn commit(&self, records: &[Record]) -> Result<(), NotCommitted<HostError>> {
        self.live.commit(records).await
    }

    async fn call(&self, call: Permitted<Call>) -> CallOutcome {
        drop(call);
        CallOutcome::replied(json!({ "added": 1 }))
    }

    async fn look_up(&self, action: Name, call: Call) -> Option<Resolution> {
        self.live.look_up(action, call).await
    }

    async fn sleep_until(&self, at_ms: u64) {
        self.live.sleep_until(at_ms).await;
    }
}

fn definition() -> String {
    let head = "document: { dsl: '1.0.3', namespace: basics, name: bench, version: '1.0.0', metadata: { purpose: operations } }\ndo:\n";
    let step = |n| {
        format!(
            "  - add{n}: {{ call: notes.append, with: {{ book: house, rows: [ {{ text: 'a note of some length, number {n}' }} ] }} }}\n"
        )
    };
    head.to_owned() + &(0..STEPS_PER_RUN).map(step).collect::<String>()
}

/// The bundle of `examples/basics`.
fn files() -> Answer<Vec<(String, String)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/basics");
    let mut files = vec![("workspace.yaml".to_owned(), fs::read_to_string(root.join("workspace.yaml"))?)];
    for inner in ["connectors", "policies", "registers", "data"] {
        for entry in fs::read_dir(root.join(inner))? {
            let path: PathBuf = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            files.push((format!("{inner}/{name}"), fs::read_to_string(&path)?));
        }
    }
    Ok(files)
}

fn stored_bytes(ledger: &Path) -> Answer<f64> {
    let conn = Connection::open(ledger)?;
    let sum = "SELECT (SELECT sum(length(entry)) FROM entries) + (SELECT sum(length(sealed)) FROM payloads)";
    Ok(conn.query_row(sum, (), |row| row.get::<_, i64>(0))? as f64)
}

fn bare(folder: &Path, bytes: f64, rows_per_commit: f64) -> Answer<BareFigures> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
    let (bytes, group) = (bytes as usize, rows_per_commit.round() as u32);
    let commits = 2_000 / group.max(1);
    let conn = Connection::open(folder.join("bare.db"))?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.execute_batch("CREATE TABLE rows (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL)")?;
    let mut insert = conn.prepare("INSERT INTO rows (bytes) VALUES (?1)")?;
    let (start, cpu) = (Instant::now(), cpu_micros()?);
    for _ in 0..commits {
        conn.execute_batch("BEGIN IMMEDIATE")?;
        for _ in 0..group {
            insert.execute([vec![7_u8; bytes]])?;
        }
        conn.execute_batch("COMMIT")?;
    }
    let rows = f64::from(commits * group);
    Ok(BareFigures {
        rows_per_second: rows / start.elapsed().as_secs_f64(),
        rows_per_commit: f64::from(group),
        cpu_micros: (cpu_micros()? - cpu) / rows,
    })
}

/// What this process used so far, in user and kernel mode; the kernel counts hundredths of a second.
fn cpu_micros() -> Answer<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(ticks * 10_000.0)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
