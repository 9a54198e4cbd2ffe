//! A thousand agents at once: each with a session of its own at one `sluice gateway http`, all calling at the same time.
//!
//! `cargo bench -p sluice --bench sessions`. The agents and the server of tools are this process, over HTTP on the loopback
//! device; the gateway is the `sluice` of the same build, with its ledger on disk. Every call must be answered with what the
//! server said: one that is not ends the bench. `SLUICE_BENCH_SESSIONS` takes another number of sessions. What one session
//! takes by itself is printed beside it, from the same run.

use std::error::Error;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use serde_json::{Value as Json, json};
use tokio::sync::Barrier;

type Answer<T> = Result<T, Box<dyn Error + Send + Sync>>;

const SESSIONS: usize = 1_000;
const CALLS: usize = 10;
const SAID: &str = "the note of monday";

fn main() -> Answer<()> {
    let sessions = std::env::var("SLUICE_BENCH_SESSIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(SESSIONS);
    tokio::runtime::Runtime::new()?.block_on(async {
        let folder = tempfile::tempdir()?;
        let gateway = Gateway::start(folder.path(), &serve().await?)?;
        println!(
            "{:>9} {:>7} {:>9} {:>9} {:>9} {:>9} {:>12}",
            "sessions", "calls", "calls/s", "p50 ms", "p99 ms", "begin s", "memory MB"
        );
        for sessions in [1, sessions] {
            let told = Told::of(&gateway, sessions).await?;
            println!(
                "{:>9} {:>7} {:>9.0} {:>9.2} {:>9.2} {:>9.2} {:>12.0}",
                sessions,
                told.calls.len(),
                told.calls.len() as f64 / told.all.as_secs_f64(),
                told.at(50),
                told.at(99),
                told.begun.as_secs_f64(),
                gateway.memory_mb()
            );
        }
        Ok(())
    })
}

/// How long it took.
struct Told {
    begun: Duration,
    all: Duration,
    calls: Vec<Duration>,
}

impl Told {
    async fn of(gateway: &Gateway, sessions: usize) -> Answer<Self> {
        let begun = Instant::now();
        // One more waits: whoever looks at the clock.
        let ready = Arc::new(Barrier::new(sessions + 1));
        let agents: Vec<_> = (0..sessions)
            .map(|_| tokio::spawn(agent(gateway.url.clone(), gateway.token.clone(), ready.clone())))
            .collect();
        ready.wait().await;
        let (begun, started) = (begun.elapsed(), Instant::now());
        let mut calls = Vec::new();
        for agent in agents {
            calls.extend(agent.await??);
        }
        calls.sort();
        Ok(Self { begun, all: started.elapsed(), calls })
    }

    fn at(&self, percent: usize) -> f64 {
        self.calls.get(self.calls.len() * percent / 100).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    }
}

/// Begins a session, waits for all others, and calls one time after another.
async fn agent(url: String, token: String, ready: Arc<Barrier>) -> Answer<Vec<Duration>> {
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(300)).build()?;
    let begun = begin(&client, &url, &token).await;
    // Also one that could not begin is waited for.
    ready.wait().await;
    let session = begun?;
    let mut calls = Vec::new();
    for id in 0..CALLS {
        let params = json!({ "name": "read_note", "arguments": { "name": "monday", "lines": 10 } });
        let call = json!({ "jsonrpc": "2.0", "id": id + 1, "method": "tools/call", "params": params });
        let started = Instant::now();
        let request = client.post(&url).bearer_auth(&token).header("mcp-session-id", &session);
        let answer = request.header("accept", ACCEPT).json(&call).send().await?.text().await?;
        calls.push(started.elapsed());
        if !answer.contains(SAID) {
            return Err(answer.into());
        }
    }
    client.delete(&url).bearer_auth(&token).header("mcp-session-id", &session).send().await?;
    Ok(calls)
}

const ACCEPT: &str = "application/json, text/event-stream";

async fn begin(client: &reqwest::Client, url: &str, token: &str) -> Answer<String> {
    let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "bench", "version": "1" } });
    let hello = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params });
    let told = client.post(url).bearer_auth(token).header("accept", ACCEPT).json(&hello).send().await?;
    let session = told.headers().get("mcp-session-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let text = told.text().await?;
    let session = session.ok_or(text)?;
    let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let request = client.post(url).bearer_auth(token).header("mcp-session-id", &session);
    request.header("accept", ACCEPT).json(&ready).send().await?.error_for_status()?;
    Ok(session)
}

/// The gateway of this build before the server at `url`, under a drafted and signed contract.
struct Gateway {
    child: Child,
    url: String,
    token: String,
}

impl Gateway {
    fn start(folder: &Path, url: &str) -> Answer<Self> {
        let sluice = |arguments: &[&str]| {
            let mut command = Command::new(PathBuf::from(env!("CARGO_BIN_EXE_sluice")));
            command.args(arguments).current_dir(folder.join("ws")).env("SLUICE_HOME", folder.join("home"));
            command.stderr(Stdio::inherit());
            command
        };
        std::fs::create_dir(folder.join("ws"))?;
        let run = |arguments: &[&str]| {
            let output = sluice(arguments).output()?;
            let text = String::from_utf8(output.stdout)?;
            if output.status.success() { Ok(text) } else { Answer::Err(format!("{arguments:?}: {text}").into()) }
        };
        run(&["init", ".", "--as", "ana"])?;
        run(&["connector", "add", "mcp", "notes", "--url", url, "--allow-private"])?;
        let keys = folder.join("home").join("keys").join("ana.key");
        run(&["policy", "sign", "--as", "ana", "--key", &keys.display().to_string()])?;
        let token = run(&["gateway", "token", "add", "bench", "--connector", "notes"])?;
        let token = token.split_whitespace().find(|word| word.starts_with("slt_")).ok_or("no token")?.to_owned();
        let mut child = sluice(&["gateway", "http", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no pipe")?).read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening on ").ok_or("it does not listen")?;
        Ok(Self { url: format!("{address}/notes/mcp"), child, token })
    }

    /// The most that it had in memory.
    fn memory_mb(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kb = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        kb.unwrap_or_default() / 1024.0
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // Whatever became of it, nobody needs to know any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The server of tools, which answers at once; gives its URL.
async fn serve() -> Answer<String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/mcp", listener.local_addr()?);
    let server = Router::new().route("/mcp", post(answer).delete(async || StatusCode::NO_CONTENT));
    tokio::spawn(async { axum::serve(listener, server).await });
    Ok(url)
}

async fn answer(axum::Json(message): axum::Json<Json>) -> Response {
    let Some(id) = message.get("id") else { return StatusCode::ACCEPTED.into_response() };
    let result = match message.get("method").and_then(Json::as_str) {
        Some("initialize") => json!({
            "protocolVersion": "2025-11-25",
            "capabilities": { "tools": {} },
            "serverInfo": { "name": "notes", "version": "1" },
        }),
        Some("tools/list") => json!({ "tools": [{
            "name": "read_note",
            "annotations": { "readOnlyHint": true },
            "inputSchema": { "type": "object", "properties": { "name": { "type": "string" }, "lines": { "type": "integer" } } },
        }] }),
        Some("tools/call") => json!({ "content": [{ "type": "text", "text": SAID }] }),
        _ => json!({}),
    };
    axum::Json(json!({ "jsonrpc": "2.0", "id": id, "result": result })).into_response()
}
