//! A server that does what a script says: this test program once more, started by the gateway.
//!
//! A script has a line `tools NAME…`, which it lists, and for what it does otherwise than a plain server `on METHOD [TOOL]`
//! with lines below it: `say FRAME`, `part BYTES` (without the end of the line), `die`, `sleep MS`, `flood N FRAME`,
//! `big MIB` (an answer of that size), `deep`, `retool NAME…`, `keep`, `complain WORDS`. `on =ID` is an answer to its own question. In a frame
//! `$ID` is the id of what it answers, `$N` counts what it was asked of that kind, `$KEPT` is the id that it kept, and `$SECRET` a variable
//! of its environment.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, Write as _};
use std::time::Duration;

use serde_json::{Value as Json, json};

#[test]
#[ignore = "the server of the other tests, which start it"]
fn plays() {
    let Some(path) = std::env::args().next_back().filter(|argument| argument.ends_with(".script")) else { return };
    let script = fs::read_to_string(&path).unwrap();
    let mut server = Server::of(&script);
    let mut seen = fs::File::create(format!("{path}.seen")).unwrap();
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        writeln!(seen, "{line}").unwrap();
        server.hears(&serde_json::from_str(&line).unwrap());
    }
    std::process::exit(0);
}

#[derive(Default)]
struct Server {
    tools: Vec<String>,
    rules: BTreeMap<String, Vec<String>>,
    asked: BTreeMap<String, usize>,
    kept: String,
}

impl Server {
    fn of(script: &str) -> Self {
        let mut server = Self::default();
        let mut rule = None;
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match line.split_once(' ') {
                Some(("tools", names)) if rule.is_none() => server.tools = words(names),
                Some(("on", what)) => rule = Some(server.rules.entry(what.to_owned()).or_default()),
                _ => rule.as_mut().unwrap().push(line.to_owned()),
            }
        }
        server
    }

    fn hears(&mut self, message: &Json) {
        let method = message["method"].as_str().map_or_else(|| format!("={}", message["id"]), str::to_owned);
        let kind = match message["params"]["name"].as_str() {
            Some(tool) if method == "tools/call" => format!("{method} {tool}"),
            _ => method.clone(),
        };
        let count = self.asked.entry(kind.clone()).or_default();
        *count += 1;
        let count = count.to_string();
        if let Some(rule) = self.rules.get(&kind).cloned() {
            for deed in rule {
                let deed = deed.replace("$ID", &message["id"].to_string()).replace("$N", &count);
                let secret = std::env::var("SECRET").unwrap_or_default();
                self.does(&deed.replace("$KEPT", &self.kept).replace("$SECRET", &secret), &message["id"]);
            }
        } else if message.get("id").is_some() && message.get("method").is_some() {
            let result = match method.as_str() {
                "initialize" => json!({
                    "protocolVersion": "2025-11-25",
                    "capabilities": { "tools": { "listChanged": true } },
                    "serverInfo": { "name": "scripted", "version": "1" },
                }),
                "tools/list" => json!({ "tools": self.tools.iter().map(|name| tool(name)).collect::<Vec<_>>() }),
                "tools/call" => json!({ "content": [{ "type": "text", "text": "done" }] }),
                _ => json!({}),
            };
            say(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": result }).to_string());
        }
    }

    fn does(&mut self, deed: &str, id: &Json) {
        match deed.split_once(' ').unwrap_or((deed, "")) {
            ("say", frame) => say(frame),
            ("part", bytes) => write(bytes),
            ("die", _) => std::process::exit(3),
            ("sleep", ms) => std::thread::sleep(Duration::from_millis(ms.parse().unwrap())),
            ("flood", rest) => {
                let (times, frame) = rest.split_once(' ').unwrap();
                (0..times.parse().unwrap()).for_each(|_| say(frame));
            }
            ("big", mib) => {
                let text = "x".repeat(mib.parse::<usize>().unwrap() << 20);
                say(&format!(
                    r#"{{"result":{{"content":[{{"type":"text","text":"{text}"}}]}},"jsonrpc":"2.0","id":{id}}}"#
                ));
            }
            ("deep", _) => {
                let (open, close) = ("[".repeat(9_000), "]".repeat(9_000));
                say(&format!(r#"{{"jsonrpc":"2.0","result":{{"content":[],"x":{open}{close}}},"id":{id}}}"#));
            }
            ("complain", words) => eprintln!("{words}"),
            ("retool", names) => self.tools = words(names),
            ("keep", _) => self.kept = id.to_string(),
            ("nothing", _) => {}
            other => panic!("no such deed: {other:?}"),
        }
    }
}

/// `NAME`, or `NAME=DESCRIPTION`.
fn tool(name: &str) -> Json {
    let (name, description) = name.split_once('=').unwrap_or((name, "A tool"));
    let schema =
        json!({ "type": "object", "properties": { "to": { "type": "string" }, "text": { "type": "string" } } });
    json!({ "name": name, "description": description, "inputSchema": schema })
}

fn words(names: &str) -> Vec<String> {
    names.split(' ').map(str::to_owned).collect()
}

fn say(frame: &str) {
    write(&format!("{frame}\n"));
}

/// Whoever reads may have gone.
fn write(bytes: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(bytes.as_bytes()).and_then(|()| out.flush());
}
