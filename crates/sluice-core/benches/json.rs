//! What reading JSON with places costs, beside `serde_json::from_str::<Value>` on the same texts in the same run.
//!
//! `cargo bench -p sluice-core`. Read the ratios; MB/s belong to this machine.

#![expect(clippy::disallowed_methods, reason = "a bench reads the clock; the crate that it measures does not")]

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use serde_json::{Value, json};
use sluice_core::document::{self, JsonRules};
use sluice_core::text::Text;

type Answer<T> = Result<T, Box<dyn Error>>;

const ROUNDS: usize = 200;

fn main() -> Answer<()> {
    let export = export(160);
    println!("text            bytes | read_json MB/s   serde_json MB/s | serde_json / read_json, time");
    for (name, text) in
        [("minified", serde_json::to_string(&export)?), ("pretty", serde_json::to_string_pretty(&export)?)]
    {
        measure(name, &Text::new(name, text))?;
    }
    Ok(())
}

/// An export as automation tools write it: nodes with parameters, some code and prose, connections.
fn export(nodes: usize) -> Value {
    let node = |i: usize| {
        json!({
            "parameters": {
                "url": format!("https://api.example.com/v1/customers/{i}"),
                "sendHeaders": true,
                "options": {"timeout": 10_000, "retry": {"maxTries": 3, "wait": 1.5}},
                "jsCode": "const items = $input.all();\nreturn items.map(i => ({json: {\"id\": i.json.id}}));\n",
                "text": "Dobrý den, děkujeme za zprávu. {{ $json.name }}",
            },
            "id": format!("b5c0de-{i:08x}"),
            "name": format!("HTTP Request {i}"),
            "type": "n8n-nodes-base.httpRequest",
            "typeVersion": 4.2,
            "position": [i * 220, 300],
            "credentials": null,
        })
    };
    let next = |i: usize| json!({"main": [[{"node": format!("HTTP Request {}", i + 1), "type": "main", "index": 0}]]});
    let connections = (0..nodes).map(|i| (format!("HTTP Request {i}"), next(i))).collect();
    json!({
        "name": "export",
        "nodes": (0..nodes).map(node).collect::<Vec<_>>(),
        "connections": Value::Object(connections),
    })
}

fn measure(name: &str, text: &Text) -> Answer<()> {
    let (read, _) = document::read_json_with(text, JsonRules::IMPORT).map_err(|d| format!("{d:?}"))?;
    if read.to_json() != serde_json::from_str::<Value>(&text.content)? {
        return Err(format!("{name}: the two readers disagree").into());
    }
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(timed(|| document::read_json_with(text, JsonRules::IMPORT).is_ok()));
        theirs.push(timed(|| serde_json::from_str::<Value>(&text.content).is_ok()));
    }
    let (ours, theirs) = (median(ours), median(theirs));
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = |seconds: f64| text.content.len() as f64 / seconds / 1e6;
    let bytes = text.content.len();
    println!("{name:<10} {bytes:>10} | {:>14.0}   {:>15.0} | {:.2}×", rate(ours), rate(theirs), theirs / ours);
    Ok(())
}

fn timed(work: impl Fn() -> bool) -> f64 {
    let start = Instant::now();
    black_box(work());
    start.elapsed().as_secs_f64()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}
