//! A server at a URL, which answers each call as a test says.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};

/// A request as it came: its first line and headers in lower case, and its body.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) head: String,
    pub(super) body: Json,
}

impl Request {
    pub(super) fn is(&self, method: &str) -> bool {
        self.head.starts_with(&format!("{method} ")) || self.body["method"] == method
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }
}

pub(super) struct Remote {
    pub(super) port: u16,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Remote {
    /// Shakes hands and lists its tools as any server; `answers` says what comes to everything else, as raw bytes of HTTP.
    pub(super) fn start(answers: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let tool = |name: &str| json!({ "name": name, "description": "A tool", "inputSchema": { "type": "object" } });
        Self::of_tools(json!([tool("list_mail"), tool("send_mail")]), answers)
    }

    /// The same with these tools.
    pub(super) fn of_tools(tools: Json, answers: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (told, answers) = (Arc::clone(&seen), Arc::new(answers));
        let tools = Arc::new(tools);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (told, answers, tools) = (Arc::clone(&told), Arc::clone(&answers), Arc::clone(&tools));
                std::thread::spawn(move || serve(stream, &told, &tools, &*answers));
            }
        });
        Self { port, seen }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/mcp", self.port)
    }

    pub(super) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve(stream: TcpStream, told: &Mutex<Vec<Request>>, tools: &Json, answers: &dyn Fn(&Request) -> Vec<u8>) {
    let mut from = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if from.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((_, value)) = line.to_lowercase().split_once("content-length:") {
            length = value.trim().parse().unwrap();
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        head.push_str(&if value.is_empty() { line.clone() } else { format!("{}:{value}", name.to_lowercase()) });
    }
    let mut body = vec![0; length];
    if from.read_exact(&mut body).is_err() {
        return;
    }
    let request = Request { head: head.replace("\r\n", "\n"), body: serde_json::from_slice(&body).unwrap_or_default() };
    told.lock().unwrap().push(request.clone());
    let bytes = match request.body["method"].as_str() {
        Some("initialize") => with_lines(
            "mcp-session-id: s-1\r\n",
            &result(
                &request,
                &json!({
                    "protocolVersion": "2025-06-18",
                    "capabilities": { "tools": {} },
                    "serverInfo": { "name": "scripted", "version": "1" },
                }),
            ),
        ),
        Some("tools/list") => whole(&result(&request, &json!({ "tools": tools }))),
        _ => answers(&request),
    };
    // Whoever asked may have gone.
    let _ = from.get_mut().write_all(&bytes);
}

pub(super) fn result(request: &Request, result: &Json) -> String {
    json!({ "jsonrpc": "2.0", "id": request.body["id"], "result": result }).to_string()
}

pub(super) fn text(request: &Request, text: &str) -> String {
    result(request, &json!({ "content": [{ "type": "text", "text": text }] }))
}

pub(super) fn whole(json: &str) -> Vec<u8> {
    with_lines("", json)
}

fn with_lines(lines: &str, json: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{lines}content-length: {}\r\n\r\n{json}", json.len())
        .into_bytes()
}

/// A stream that ends where its connection does.
pub(super) fn events(events: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n{events}").into_bytes()
}

pub(super) fn status(status: u16) -> Vec<u8> {
    format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n").into_bytes()
}
