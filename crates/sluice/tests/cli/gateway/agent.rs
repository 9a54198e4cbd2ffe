//! An agent at the gateway, with a scripted server behind it.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::sandbox::Sandbox;

/// Longer than anything takes on a machine that does something else besides.
const HEARS_WITHIN: Duration = Duration::from_secs(40);

pub(crate) struct Agent<'s> {
    sandbox: &'s Sandbox,
    child: Child,
    stdin: Option<ChildStdin>,
    heard: Receiver<String>,
    /// What was heard while something else was waited for.
    pub(crate) beside: VecDeque<Json>,
    errors: JoinHandle<String>,
    seen: PathBuf,
    next: i64,
}

/// What is left when the gateway has ended.
pub(crate) struct Left {
    pub(crate) code: Option<i32>,
    pub(crate) errors: String,
    /// Methods that the server saw, and ids of answers.
    pub(crate) seen: Vec<String>,
    /// What was heard last.
    pub(crate) heard: Vec<Json>,
}

impl<'s> Agent<'s> {
    /// One that has said nothing yet.
    pub(crate) fn silent(sandbox: &'s Sandbox, script: &str) -> Self {
        Self::with(sandbox, script, &[])
    }

    /// One that has begun as the protocol says.
    pub(crate) fn of(sandbox: &'s Sandbox, script: &str) -> Self {
        Self::silent(sandbox, script).begun()
    }

    pub(crate) fn with(sandbox: &'s Sandbox, script: &str, options: &[&str]) -> Self {
        let mut command = sandbox.command(&["gateway", "--connector", "tools"]);
        command.args(options).arg("--").args(server(sandbox, "server", script));
        Self::started(sandbox, command, "server")
    }

    /// One before servers that contracts name, in this order.
    pub(super) fn before(sandbox: &'s Sandbox, connectors: &[&str], options: &[&str]) -> Self {
        let mut command = sandbox.command(&["gateway"]);
        for connector in connectors {
            command.args(["--connector", connector]);
        }
        command.args(options);
        let agent = Self::started(sandbox, command, connectors[0]);
        agent.begun_with("sluice")
    }

    /// One before the one server that a contract names.
    pub(super) fn alone(sandbox: &'s Sandbox, connector: &str) -> Self {
        Self::started(sandbox, sandbox.command(&["gateway", "--connector", connector]), connector).begun()
    }

    /// One at the gateway that a command starts, before a server of the contract `world`.
    pub(super) fn at(sandbox: &'s Sandbox, command: Command) -> Self {
        Self::started(sandbox, command, "world")
    }

    fn started(sandbox: &'s Sandbox, mut command: Command, server: &str) -> Self {
        let seen = sandbox.path(&format!("{server}.script.seen"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (tell, heard) = channel();
        std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        let mut err = child.stderr.take().unwrap();
        let errors = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            err.read_to_end(&mut bytes).unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        });
        Self { sandbox, child, stdin, heard, beside: VecDeque::new(), errors, seen, next: 1 }
    }

    /// How the scripted server is started.
    pub(crate) fn command(sandbox: &Sandbox) -> Vec<String> {
        started_by(sandbox, "server")
    }

    pub(crate) fn begun(self) -> Self {
        self.begun_with("scripted")
    }

    fn begun_with(mut self, server: &str) -> Self {
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "a", "version": "1" } });
        assert_eq!(self.ask("initialize", params)["result"]["serverInfo"]["name"], server);
        self.say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        self
    }

    pub(crate) fn say(&mut self, line: &str) {
        // The gateway may have gone.
        let _ = self.stdin.as_mut().unwrap().write_all(format!("{line}\n").as_bytes());
    }

    /// The next message.
    #[track_caller]
    pub(crate) fn hear(&mut self) -> Json {
        self.beside.pop_front().unwrap_or_else(|| self.hear_next())
    }

    #[track_caller]
    fn hear_next(&self) -> Json {
        serde_json::from_str(&self.heard.recv_timeout(HEARS_WITHIN).unwrap()).unwrap()
    }

    /// The answer to a request.
    #[track_caller]
    pub(crate) fn hear_answer(&mut self, id: &Json) -> Json {
        let is_it = |message: &Json| message["id"] == *id && message.get("method").is_none();
        if let Some(at) = self.beside.iter().position(is_it) {
            return self.beside.remove(at).unwrap();
        }
        loop {
            let message = self.hear_next();
            if is_it(&message) {
                return message;
            }
            self.beside.push_back(message);
        }
    }

    pub(crate) fn asks(&mut self, method: &str, params: Json) -> Json {
        let id = Json::from(self.next);
        self.next += 1;
        self.say(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string());
        id
    }

    #[track_caller]
    pub(crate) fn ask(&mut self, method: &str, params: Json) -> Json {
        let id = self.asks(method, params);
        self.hear_answer(&id)
    }

    /// Calls a tool, and gives the text of its result or error.
    #[track_caller]
    pub(crate) fn call(&mut self, tool: &str, arguments: Json) -> String {
        let answer = self.ask("tools/call", json!({ "name": tool, "arguments": arguments }));
        text(&answer)
    }

    /// The calls of the one session, as `sluice runs show` tells them: `tool: state [entries]`.
    #[track_caller]
    pub(crate) fn calls(&self) -> Vec<String> {
        calls(self.sandbox)
    }

    pub(crate) fn kill(&mut self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(
            std::process::Command::new("/bin/sh")
                .args(["-c", &format!("kill -{signal} {pid}")])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Stays until the gateway ends by itself.
    pub(crate) fn left_alone(mut self) -> Left {
        self.child.wait().unwrap();
        self.leave()
    }

    /// Leaves, and waits for the gateway to end.
    pub(crate) fn leave(mut self) -> Left {
        self.stdin.take();
        let code = self.child.wait().unwrap().code();
        let seen = fs::read_to_string(&self.seen).unwrap_or_default();
        let heard = self.beside.into_iter().chain(self.heard.iter().map(|line| serde_json::from_str(&line).unwrap()));
        Left {
            code,
            heard: heard.collect(),
            errors: self.errors.join().unwrap(),
            seen: seen.lines().map(|line| in_short(&serde_json::from_str(line).unwrap())).collect(),
        }
    }
}

/// The command of a server that does what a script says.
pub(super) fn server(sandbox: &Sandbox, name: &str, script: &str) -> Vec<String> {
    let at = sandbox.path(&format!("{name}.script"));
    fs::write(&at, script).unwrap();
    let _ = fs::remove_file(sandbox.path(&format!("{name}.script.seen")));
    started_by(sandbox, name)
}

fn started_by(sandbox: &Sandbox, name: &str) -> Vec<String> {
    let exe = std::env::current_exe().unwrap().display().to_string();
    let at = sandbox.path(&format!("{name}.script")).display().to_string();
    let words = ["--ignored", "--exact", "--nocapture", "gateway::server::plays"].map(str::to_owned);
    [exe].into_iter().chain(words).chain([at]).collect()
}

pub(crate) fn calls(sandbox: &Sandbox) -> Vec<String> {
    let runs = sandbox.sluice(&["runs", "list", "--format", "json"]).with(0).json();
    let runs = runs.as_array().unwrap();
    assert!(runs.len() <= 1, "{runs:?}");
    let Some(run) = runs.first() else { return Vec::new() };
    let shown = sandbox.sluice(&["runs", "show", run["run"].as_str().unwrap(), "--format", "json"]).with(0).json();
    let one = |call: &Json| {
        let entries: Vec<&str> = call["entries"].as_array().unwrap().iter().map(|e| e.as_str().unwrap()).collect();
        let action = call["action"].as_str().unwrap().trim_start_matches("tools.");
        format!("{action}: {} [{}]", call["state"].as_str().unwrap(), entries.join(" "))
    };
    shown["calls"].as_array().unwrap().iter().map(one).collect()
}

/// The text of a result or an error.
pub(crate) fn text(answer: &Json) -> String {
    let text = answer["error"]["message"].as_str().or_else(|| answer["result"]["content"][0]["text"].as_str());
    text.unwrap_or_else(|| panic!("{answer}")).to_owned()
}

fn in_short(message: &Json) -> String {
    let method = message["method"].as_str().map_or_else(|| format!("={}", message["id"]), str::to_owned);
    match message["params"]["name"].as_str() {
        Some(tool) => format!("{method} {tool}"),
        None => method,
    }
}
