//! What inspection costs, beside reading the same reply with `serde_json` in the same run.
//!
//! `cargo bench -p sluice-inspect`. Read the ratios; MB/s belong to this machine.

#![expect(clippy::disallowed_methods, reason = "a bench reads the clock; the crate that it measures does not")]

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use serde_json::{Value, json};
use sluice_inspect::inspect;

type Answer<T> = Result<T, Box<dyn Error>>;

fn main() -> Answer<()> {
    println!("reply                bytes | inspect µs       MB/s | serde_json µs | inspect / serde_json | found");
    for bytes in [1_000, 100_000, 1_000_000] {
        measure("rows, public", &rows(bytes, false))?;
        measure("rows, personal", &rows(bytes, true))?;
        measure("one text", &prose(bytes))?;
    }
    Ok(())
}

/// Rows as a service gives them: ids, times, numbers and a sentence.
fn rows(bytes: usize, is_personal: bool) -> Value {
    let row = |i: usize| {
        json!({
            "id": format!("b5c0de00-{:04x}-4d2f-9a7c-{i:012x}", i % 65_536),
            "at": format!("2026-11-{:02}T15:54:{:02}Z", i % 28 + 1, i % 60),
            "name": format!("Account {i}"),
            "balance": i * 125,
            "mail": if is_personal { format!("user{i}@example.com") } else { "none".to_owned() },
            "note": "Dobrý den, děkujeme za zprávu; we answer within 2 days.",
        })
    };
    let one = row(1).to_string().len() + 1;
    json!({ "accounts": (0..bytes.div_ceil(one)).map(row).collect::<Vec<_>>() })
}

/// One long text: a file, a mail, a page.
fn prose(bytes: usize) -> Value {
    let line =
        "The pump of unit 17 was replaced on 2026-11-27 (order 4500012345); see section 3.2.1, or ask the desk.\n";
    json!({ "content": [{ "type": "text", "text": line.repeat(bytes.div_ceil(line.len())) }] })
}

fn measure(name: &str, reply: &Value) -> Answer<()> {
    let text = reply.to_string();
    let found = inspect(reply, &mut |_| false).len();
    let rounds = (20_000_000 / text.len()).clamp(10, 2_000);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        ours.push(timed(|| inspect(reply, &mut |_| false).len() == found));
        theirs.push(timed(|| serde_json::from_str::<Value>(&text).is_ok()));
    }
    let (ours, theirs) = (median(ours), median(theirs));
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = text.len() as f64 / ours / 1e6;
    let (ours, theirs, ratio) = (ours * 1e6, theirs * 1e6, ours / theirs);
    println!("{name:<14} {:>11} | {ours:>10.1} {rate:>10.0} | {theirs:>13.1} | {ratio:>19.2}× | {found}", text.len());
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
