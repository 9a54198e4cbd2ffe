//! The gateway with a scripted server behind it, and agents that speak HTTP to it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Child;

use reqwest::{Method, Response};
use serde_json::{Value as Json, json};

use crate::sandbox::Sandbox;

/// The gateway while it runs.
pub(super) struct Face {
    child: Child,
    pub(super) address: String,
    pub(super) sandbox: Sandbox,
}

impl Drop for Face {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Face {
    /// In front of a server that does as `script` says, under a signed contract of its tools.
    pub(super) fn of(script: &str) -> Self {
        let sandbox = Sandbox::with_workspace();
        let at = sandbox.path("server.script");
        fs::write(&at, script).unwrap();
        let exe = std::env::current_exe().unwrap();
        let words = ["--ignored", "--exact", "--nocapture", "gateway::server::plays"];
        let command: Vec<&str> =
            [exe.to_str().unwrap()].into_iter().chain(words).chain([at.to_str().unwrap()]).collect();
        sandbox.write("ws/connectors/tools.yaml", contract(&json!({ "command": command }), script));
        sandbox.sign("ana").with(0);
        Self::start(sandbox)
    }

    pub(super) fn start(sandbox: Sandbox) -> Self {
        let first = token(&sandbox, "first");
        let mut child = sandbox.start(&["gateway", "http", "--listen", "127.0.0.1:0", "--host", "gateway.example.com"]);
        fs::write(sandbox.path("token"), first).unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        let mut errors = child.stderr.take().unwrap();
        std::thread::spawn(move || errors.read_to_end(&mut Vec::new()));
        Self { child, address, sandbox }
    }

    /// An agent with the first token.
    pub(super) fn agent(&self) -> Agent {
        self.agent_with(&fs::read_to_string(self.sandbox.path("token")).unwrap())
    }

    pub(super) fn agent_with(&self, token: &str) -> Agent {
        let lines = [("authorization", format!("Bearer {token}")), ("content-type", "application/json".to_owned())];
        Agent {
            url: format!("{}/tools/mcp", self.address),
            lines: lines.map(|(name, value)| (name.to_owned(), value)).into(),
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            next: 1,
        }
    }

    /// What the server saw.
    pub(super) fn seen(&self) -> Vec<Json> {
        let text = fs::read_to_string(self.sandbox.path("server.script.seen")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Waits until the server has seen something.
    pub(super) async fn until_seen(&self, is_it: impl Fn(&Json) -> bool) {
        for _ in 0..1_000 {
            if self.seen().iter().any(&is_it) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("the server never saw it: {:?}", self.seen());
    }

    /// Ends the gateway as the system would.
    #[cfg(unix)]
    pub(super) fn ends(&mut self) {
        let pid = self.child.id().to_string();
        let mut kill = std::process::Command::new("/bin/sh");
        assert!(kill.args(["-c", &format!("kill -TERM {pid}")]).status().unwrap().success());
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

/// The calls of all sessions, each as `tool: state`.
pub(super) fn calls(face: &Face) -> Vec<String> {
    let runs = face.sandbox.sluice(&["runs", "list", "--format", "json"]).with(0).json();
    let mut calls = Vec::new();
    for run in runs.as_array().unwrap() {
        let shown =
            face.sandbox.sluice(&["runs", "show", run["run"].as_str().unwrap(), "--format", "json"]).with(0).json();
        for call in shown["calls"].as_array().unwrap() {
            let action = call["action"].as_str().unwrap().trim_start_matches("tools.");
            calls.push(format!("{action}: {}", call["state"].as_str().unwrap()));
        }
    }
    calls
}

/// A contract of the tools of a script: what is listed is read, what is sent is written, and every answer is an outsider's.
pub(super) fn contract(transport: &Json, script: &str) -> String {
    let tools = script.lines().next().unwrap().split(' ').skip(1);
    let action = |tool: &str| {
        let effect = if tool.starts_with("send") { "write" } else { "read" };
        format!(
            "  {tool}:\n    effect: {effect}\n    request: {{ tool: {tool} }}\n    \
             arguments: {{ to: {{ role: recipient }}, text: {{ role: payload }}, id: {{ role: reference }} }}\n    \
             output: {{ from: merge, trust: {{ \"\": origin }}, labels: {{ \"\": [] }} }}\n"
        )
    };
    let actions: String = tools.map(action).collect();
    format!("version: 1\nconnector: tools\ntransport: {{ mcp: {transport} }}\nactions:\n{actions}")
}

pub(super) fn token(sandbox: &Sandbox, name: &str) -> String {
    let made = sandbox.sluice(&["gateway", "token", "add", name, "--connector", "tools", "--format", "json"]);
    made.with(0).json()["token"].as_str().unwrap().to_owned()
}

/// An agent: all that it puts into the head of each request, and how it counts.
#[derive(Clone)]
pub(super) struct Agent {
    pub(super) url: String,
    pub(super) lines: Vec<(String, String)>,
    client: reqwest::Client,
    next: i64,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) status: u16,
    pub(super) session: Option<String>,
    pub(super) kind: String,
    pub(super) text: String,
}

impl Told {
    /// The messages of it, whether it is one or a stream.
    pub(super) fn messages(&self) -> Vec<Json> {
        if self.kind == "text/event-stream" { messages(&self.text) } else { vec![self.json()] }
    }

    #[track_caller]
    pub(super) fn json(&self) -> Json {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The text of the result or error that it ends with.
    pub(super) fn said(&self) -> String {
        let messages = self.messages();
        let last = messages.last().unwrap();
        let text = last["error"]["message"].as_str().or_else(|| last["result"]["content"][0]["text"].as_str());
        text.unwrap_or_else(|| panic!("{self:?}")).to_owned()
    }
}

/// The messages of a stream.
pub(super) fn messages(text: &str) -> Vec<Json> {
    let data = text.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| !data.is_empty());
    data.map(|data| serde_json::from_str(data).unwrap()).collect()
}

impl Agent {
    /// With another line in the head, in place of one of its name.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.lines.retain(|(known, _)| known != name);
        if !value.is_empty() {
            self.lines.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    pub(super) async fn send(&self, method: Method, body: impl Into<reqwest::Body>) -> Response {
        let lines = self.lines.iter();
        let request =
            lines.fold(self.client.request(method, &self.url), |request, (name, value)| request.header(name, value));
        request.body(body).send().await.unwrap()
    }

    pub(super) async fn post(&self, body: impl Into<reqwest::Body>) -> Told {
        read(self.send(Method::POST, body).await).await
    }

    pub(super) fn request(&mut self, method: &str, params: Json) -> String {
        let id = self.next;
        self.next += 1;
        json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string()
    }

    pub(super) async fn ask(&mut self, method: &str, params: Json) -> Told {
        let body = self.request(method, params);
        self.post(body).await
    }

    /// Begins a session.
    pub(super) async fn begun(mut self) -> Self {
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "a", "version": "1" } });
        let told = self.ask("initialize", params).await;
        assert_eq!((told.status, told.json()["result"]["serverInfo"]["name"].as_str()), (200, Some("scripted")));
        let version = told.json()["result"]["protocolVersion"].as_str().unwrap().to_owned();
        let begun = self.with("mcp-session-id", &told.session.unwrap()).with("mcp-protocol-version", &version);
        let told = begun.post(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).await;
        assert_eq!((told.status, told.text.as_str()), (202, ""));
        begun
    }

    pub(super) async fn call(&mut self, tool: &str, arguments: Json) -> Told {
        self.ask("tools/call", json!({ "name": tool, "arguments": arguments })).await
    }

    /// The same in the era in which every request stands alone: head and body say so.
    pub(super) fn alone(self, method: &str, name: &str) -> Self {
        self.with("mcp-protocol-version", "2026-07-28").with("mcp-method", method).with("mcp-name", name)
    }
}

pub(super) async fn read(response: Response) -> Told {
    let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let (status, session) = (response.status().as_u16(), header("mcp-session-id"));
    let kind = header("content-type").unwrap_or_default();
    Told { status, session, kind, text: response.text().await.unwrap() }
}

/// Reads a stream until what was read fits.
pub(super) async fn read_until(response: &mut Response, is_enough: impl Fn(&str) -> bool) -> String {
    let mut text = String::new();
    while !is_enough(&text) {
        let chunk = tokio::time::timeout(std::time::Duration::from_secs(40), response.chunk()).await.unwrap();
        text.push_str(std::str::from_utf8(&chunk.unwrap().expect("the stream goes on")).unwrap());
    }
    text
}
