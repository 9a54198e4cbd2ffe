//! A confined server: what it can reach, whatever it tries.

use std::io::Write as _;
use std::net::TcpListener;

use serde_json::{Value as Json, json};

use super::Agent;
use crate::sandbox::Sandbox;

/// A server with one tool, which tries all that it is told and says what came of each.
const SERVER: &str = r#"
import json, os, socket, sys

def through(proxy, target):
    host, port = proxy.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as way:
        way.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        answer = way.recv(4096).decode()
        status = answer.split(" ")[1]
        if status != "200":
            return status
        body = answer.split("\r\n\r\n", 1)[1]
        while not body.endswith("\n"):
            body += way.recv(4096).decode()
        return status + " " + body.strip()

def read(path):
    return "read " + str(len(open(path).read()))

def write(path):
    with open(path, "w") as file:
        file.write("words")
    return "written"

def connect(target):
    host, port = target.split(":")
    with socket.create_connection((host, int(port)), timeout=10):
        return "connected"

def proxied(target):
    return through(os.environ["HTTPS_PROXY"], target)

def proxied_each(targets):
    return " ".join(proxied(target) for target in targets.split(" "))

def lists(path):
    return " ".join(sorted(os.listdir(path)))

def variables(_):
    return " ".join(sorted(os.environ))

def attempt(deed, what):
    try:
        return globals()[deed](what)
    except Exception as error:
        return type(error).__name__

for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        continue
    if message["method"] == "initialize":
        result = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "scripted", "version": "1"}}
    elif message["method"] == "tools/list":
        schema = {"type": "object", "properties": {"deed": {"type": "string"}, "what": {"type": "string"}}}
        result = {"tools": [{"name": "look", "inputSchema": schema}]}
    else:
        arguments = message["params"]["arguments"]
        text = attempt(arguments["deed"], arguments["what"])
        result = {"content": [{"type": "text", "text": text}]}
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
"#;

/// A service on this machine that greets whoever connects.
fn service() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // A caller that is refused elsewhere may be gone.
            let _ = stream.unwrap().write_all(b"hello\n");
        }
    });
    address
}

/// A workspace with the server under a contract with these bounds, in which `SERVER` and `DATA` are its folders; signed.
fn workspace(bounds: &str) -> Sandbox {
    let sandbox = Sandbox::with_workspace();
    sandbox.write("server/server.py", SERVER);
    sandbox.write("data/kept", "kept");
    sandbox.write("secret", "hidden");
    let path = |name: &str| sandbox.path(name).display().to_string();
    let bounds = bounds.replace("SERVER", &path("server")).replace("DATA", &path("data"));
    let contract = format!(
        "version: 1\nconnector: world\nowner: ana\ntransport:\n  mcp:\n    command: [python3, {}]\n{bounds}actions:\n  look:\n    \
         effect: read\n    request: {{ tool: look }}\n    arguments: {{ deed: {{ role: query }}, what: {{ role: query }} }}\n    \
         output: {{ trust: {{ \"\": trusted }}, labels: {{ \"\": [] }} }}\n",
        path("server/server.py")
    );
    sandbox.write("ws/connectors/world.yaml", contract);
    sandbox.sign("ana").with(0);
    sandbox
}

fn agent(sandbox: &Sandbox) -> Agent<'_> {
    let mut command = sandbox.command(&["gateway", "--connector", "world", "--", "python3"]);
    command.arg(sandbox.path("server/server.py"));
    Agent::at(sandbox, command)
}

#[test]
fn a_confined_server_reaches_what_its_contract_names_and_nothing_else() {
    let (named, other) = (service(), service());
    let hosts = format!("hosts: [\"{named}\"], allow_private: true");
    let sandbox = workspace(&format!("    sandbox: {{ {hosts}, read: [SERVER], write: [DATA] }}\n"));
    let path = |name: &str| sandbox.path(name).display().to_string();
    let mut agent = agent(&sandbox).begun();
    let (home, root) = (path("home"), path(""));
    for (deed, what, came) in [
        ("read", path("server/server.py").as_str(), format!("read {}", SERVER.len()).as_str()),
        ("write", &path("server/server.py"), "OSError"),
        ("write", &path("data/new"), "written"),
        ("read", &path("secret"), "FileNotFoundError"),
        ("lists", &root, "data server"),
        ("lists", &home, "FileNotFoundError"),
        ("read", "/etc/passwd", "FileNotFoundError"),
        ("lists", "/tmp", ""),
        ("connect", &named, "ConnectionRefusedError"),
        ("connect", "1.1.1.1:443", "OSError"),
        ("proxied", &named, "200 hello"),
        ("variables", "", "ALL_PROXY HOME HTTPS_PROXY LC_CTYPE NODE_USE_ENV_PROXY PWD all_proxy https_proxy"),
        ("proxied_each", &format!("{other} 169.254.169.254:80 2130706433:443"), "403 403 403"),
    ] {
        let told = agent.call("look", json!({ "deed": deed, "what": what }));
        let is_tmp = deed == "lists" && what == "/tmp";
        assert!(told == came || (is_tmp && !told.contains("sluice-")), "{deed} {what}: {told}");
    }
    assert_eq!(std::fs::read_to_string(sandbox.path("data/new")).unwrap(), "words");
    // The first attempt broke the contract, and stopped the connector.
    let told = agent.call("look", json!({ "deed": "lists", "what": "/tmp" }));
    assert!(told.starts_with("denied by policy: SL518"), "{told}");
    let log = sandbox.sluice(&["audit", "log", "--last", "200", "--format", "json"]).with(0).json();
    let kinds: Vec<&str> = log["entries"].as_array().unwrap().iter().filter_map(|e| e["kind"].as_str()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "incident").count(), 1, "{kinds:?}");
    let left = agent.leave();
    assert_eq!(left.code, Some(0), "{}", left.errors);
    for attempt in [&other, "169.254.169.254:80", "2130706433:443"] {
        let said = format!("SL949: `world` tried to reach {attempt}, which its contract does not name");
        assert!(left.errors.contains(&said), "{}", left.errors);
    }
    assert!(!left.errors.contains(&named), "{}", left.errors);
}

#[test]
fn a_server_that_cannot_be_confined_is_not_started() {
    let sandbox = workspace("    sandbox: { read: [/no/such/folder] }\n");
    let left = agent(&sandbox).leave();
    assert_eq!(left.code, Some(2), "{}", left.errors);
    assert!(left.errors.contains("SL948") && left.errors.contains("`/no/such/folder` is not there"), "{}", left.errors);
    assert_eq!(left.heard, [Json::Null; 0]);
}

#[test]
fn without_a_host_there_is_no_network_at_all() {
    let sandbox = workspace("    sandbox: { read: [SERVER] }\n");
    let mut agent = agent(&sandbox).begun();
    for (deed, what, came) in
        [("connect", service().as_str(), "ConnectionRefusedError"), ("variables", "", "HOME LC_CTYPE PWD")]
    {
        assert_eq!(agent.call("look", json!({ "deed": deed, "what": what })), came, "{deed} {what}");
    }
    assert_eq!(agent.leave().code, Some(0));
}
