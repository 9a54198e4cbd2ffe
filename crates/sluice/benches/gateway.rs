//! What one call of a tool takes more with the gateway before its server: p50 and p99, gate, entries and durable write
//! included, and once more where the write costs nothing.
//!
//! `cargo bench -p sluice --bench gateway`. An agent (this process) writes a call to a pipe and waits for its answer, one at a
//! time; the server (this program, started again) answers at once. Between them stands nothing, or the `sluice gateway` of the
//! same build. "On disk" is a workspace in the temporary folder: before each call its permit and intent are one commit, synced.
//! "In memory" is the same workspace under `/dev/shm`: the same code, transactions and calls of `fsync`, which a file system
//! in memory answers at once. All ways take turns, so that what else the machine does falls on each of them; nothing else
//! should run all the same.
//!
//! `SLUICE_BENCH_BESIDE` names other proxies to measure in the same run, one command a line, to which the server's is
//! appended. `typed/` is one, of typed messages with rmcp at both ends, a workspace of its own for what it takes to build:
//! `cargo build --release --manifest-path crates/sluice/benches/typed/Cargo.toml --target-dir target/typed`, and then
//! `SLUICE_BENCH_BESIDE=target/typed/release/typed-proxy` with its whole path.

use std::error::Error;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use serde_json::{Value as Json, json};

type Answer<T> = Result<T, Box<dyn Error>>;

const WARM_UP: usize = 200;
const TURNS: usize = 30;
const CALLS_PER_TURN: usize = 100;
const SERVE: &str = "--serve";

fn main() -> Answer<()> {
    if std::env::args().any(|argument| argument == SERVE) {
        return serve();
    }
    let server = vec![std::env::current_exe()?.into_os_string(), SERVE.into()];
    let (disk, memory) = (tempfile::tempdir()?, in_memory()?);
    let mut paths = vec![Route::open("nothing between", &server)?];
    paths.push(Route::open("sluice, on disk", &gateway(disk.path(), &server)?)?);
    match &memory {
        Some(memory) => paths.push(Route::open("sluice, in memory", &gateway(memory.path(), &server)?)?),
        None => println!("there is no /dev/shm: the cost without the durable write is not measured"),
    }
    let beside = std::env::var("SLUICE_BENCH_BESIDE").unwrap_or_default();
    for command in beside.lines().filter(|line| !line.trim().is_empty()) {
        let words = command.split_whitespace().map(OsString::from).chain(server.iter().cloned());
        paths.push(Route::open(command, &words.collect::<Vec<_>>())?);
    }
    for path in &mut paths {
        path.call_often(WARM_UP)?;
        path.micros.clear();
    }
    for _ in 0..TURNS {
        paths.iter_mut().try_for_each(|path| path.call_often(CALLS_PER_TURN))?;
    }
    tell(&mut paths);
    Ok(())
}

fn tell(paths: &mut [Route]) {
    println!("{} calls each, one at a time; µs", TURNS * CALLS_PER_TURN);
    println!("{:<40} {:>9} {:>9} {:>11} {:>11}", "between agent and server", "p50", "p99", "added p50", "added p99");
    let mut bare = None;
    for path in paths {
        path.micros.sort_by(f64::total_cmp);
        let (p50, p99) = (path.at(50), path.at(99));
        let (base50, base99) = *bare.get_or_insert((p50, p99));
        println!("{:<40} {p50:>9.0} {p99:>9.0} {:>11.0} {:>11.0}", path.name, p50 - base50, p99 - base99);
    }
}

/// One way from the agent to the server.
struct Route {
    name: String,
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    next: u64,
    micros: Vec<f64>,
}

impl Route {
    fn open(name: &str, command: &[OsString]) -> Answer<Self> {
        let (program, arguments) = command.split_first().ok_or("no command")?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let to = child.stdin.take();
        let from = BufReader::new(child.stdout.take().ok_or("no pipe")?);
        let mut route = Self { name: name.to_owned(), child, to, from, next: 0, micros: Vec::new() };
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "bench", "version": "1" } });
        route.ask("initialize", &params)?;
        route.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string())?;
        Ok(route)
    }

    fn call_often(&mut self, times: usize) -> Answer<()> {
        for _ in 0..times {
            let params = json!({ "name": "read_note", "arguments": { "name": "monday", "lines": 10 } });
            let started = Instant::now();
            let answer = self.ask("tools/call", &params)?;
            self.micros.push(started.elapsed().as_secs_f64() * 1e6);
            if !answer.contains("the note of monday") {
                return Err(format!("{}: {answer}", self.name).into());
            }
        }
        Ok(())
    }

    fn ask(&mut self, method: &str, params: &Json) -> Answer<String> {
        self.next += 1;
        let id = self.next;
        self.say(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string())?;
        let mut answer = String::new();
        if self.from.read_line(&mut answer)? == 0 {
            return Err(format!("{}: it ended", self.name).into());
        }
        Ok(answer)
    }

    fn say(&mut self, line: &str) -> Answer<()> {
        let to = self.to.as_mut().ok_or("no pipe")?;
        to.write_all(format!("{line}\n").as_bytes())?;
        Ok(to.flush()?)
    }

    fn at(&self, percent: usize) -> f64 {
        self.micros.get(self.micros.len() * percent / 100).copied().unwrap_or_default()
    }
}

impl Drop for Route {
    fn drop(&mut self) {
        self.to.take();
        // Whatever became of it, nobody needs to know any more.
        let _ = self.child.wait();
    }
}

/// The gateway of this build, in a new workspace below `folder`. Without a contract the tool is a read of an outsider's words.
fn gateway(folder: &Path, server: &[OsString]) -> Answer<Vec<OsString>> {
    let sluice = PathBuf::from(env!("CARGO_BIN_EXE_sluice"));
    let (workspace, home) = (folder.join("ws"), folder.join("home"));
    let made = Command::new(&sluice)
        .args(["init".into(), workspace.clone().into_os_string(), "--as".into(), "ana".into()])
        .env("SLUICE_HOME", &home)
        .stdout(Stdio::null())
        .status()?;
    if !made.success() {
        return Err("no workspace could be made".into());
    }
    let home = [OsString::from("SLUICE_HOME="), home.into_os_string()].into_iter().collect::<OsString>();
    let mut command: Vec<OsString> = vec!["env".into(), home, sluice.into(), "gateway".into(), "--workspace".into()];
    command.extend([workspace.into_os_string(), "--connector".into(), "notes".into(), "--".into()]);
    command.extend(server.iter().cloned());
    Ok(command)
}

fn in_memory() -> Answer<Option<tempfile::TempDir>> {
    let shm = Path::new("/dev/shm");
    Ok(if shm.is_dir() { Some(tempfile::tempdir_in(shm)?) } else { None })
}

/// The server.
fn serve() -> Answer<()> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let message: Json = serde_json::from_str(&line?)?;
        let Some(id) = message.get("id") else { continue };
        let result = match message.get("method").and_then(Json::as_str) {
            Some("initialize") => json!({
                "protocolVersion": "2025-11-25",
                "capabilities": { "tools": {} },
                "serverInfo": { "name": "notes", "version": "1" },
            }),
            Some("tools/list") => json!({ "tools": [{
                "name": "read_note",
                "inputSchema": { "type": "object", "properties": { "name": { "type": "string" }, "lines": { "type": "integer" } } },
            }] }),
            Some("tools/call") => json!({ "content": [{ "type": "text", "text": "the note of monday" }] }),
            _ => json!({}),
        };
        writeln!(out, "{}", json!({ "jsonrpc": "2.0", "id": id, "result": result }))?;
        out.flush()?;
    }
    Ok(())
}
