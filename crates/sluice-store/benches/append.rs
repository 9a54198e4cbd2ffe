//! Durable appends per second beside bare SQLite, and how fast a ledger is checked.
//!
//! `cargo bench -p sluice-store`. Milliseconds belong to the disk of this machine; commits per step
//! and the ratio to the bare loop carry over to others.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use rusqlite::Connection;
use sluice_ledger::cbor::Map;
use sluice_ledger::{EntryKind, RunId};
use sluice_store::{
    Batch, Epoch, Expect, Mode, NewRecord, OsRandom, Payload, PayloadKeys, Records, Writer, verify_all,
};

type Answer<T> = Result<T, Box<dyn Error + Send + Sync>>;

const STEPS: u64 = 4_000;
const PAYLOAD_BYTES: usize = 400;

fn main() -> Answer<()> {
    println!("runs in flight   steps/s   commits/step   bare SQLite rows/s (one row per commit)");
    for runs in [1, 16, 64] {
        let folder = tempfile::tempdir()?;
        let bare = bare(folder.path())?;
        let (per_second, commits) = steps(folder.path(), runs)?;
        println!("{runs:>14}   {per_second:>7.0}   {commits:>12.3}   {bare:>18.0}");
        if runs == 64 {
            verify(folder.path())?;
        }
    }
    Ok(())
}

/// A step is what the engine commits at once: an outcome, a decision and the next intent.
fn step(run: RunId, seq: u64) -> Batch {
    let record = |kind, payload| {
        let body = Map::new().with("action", "mail.send").with("node", seq);
        let record = NewRecord::new(kind, seq, body).of_run(run);
        match payload {
            true => record.with_payload(Payload::of_run(vec![7; PAYLOAD_BYTES])),
            false => record,
        }
    };
    Batch {
        records: vec![
            record(EntryKind::OUTCOME, true),
            record(EntryKind::DECISION, true),
            record(EntryKind::INTENT, false),
        ],
        expect: Expect::run(run, 3 * seq, Epoch::FIRST),
    }
}

fn steps(folder: &Path, runs: u8) -> Answer<(f64, f64)> {
    let keys = PayloadKeys::open(&folder.join("keys.db"), Mode::Create, Box::new(OsRandom))?;
    let records = Records::open(&folder.join("ledger.db"), keys, Mode::Create)?;
    let writer = Arc::new(Writer::start(records)?);
    let each = STEPS / u64::from(runs);
    let start = Instant::now();
    let threads: Vec<_> = (0..runs)
        .map(|number| {
            let writer = Arc::clone(&writer);
            thread::spawn(move || -> Answer<()> {
                for seq in 0..each {
                    let batch = step(RunId::from_bytes([number; 16]), seq);
                    writer.submit(batch).wait()?;
                }
                Ok(())
            })
        })
        .collect();
    for thread in threads {
        thread.join().map_err(|_| "a run panicked")??;
    }
    let steps = (each * u64::from(runs)) as f64;
    let per_second = steps / start.elapsed().as_secs_f64();
    Ok((per_second, writer.commits() as f64 / steps))
}

fn bare(folder: &Path) -> Answer<f64> {
    let conn = Connection::open(folder.join("bare.db"))?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.execute_batch("CREATE TABLE rows (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL)")?;
    let mut insert = conn.prepare("INSERT INTO rows (bytes) VALUES (?1)")?;
    let rows = 1_000;
    let start = Instant::now();
    for _ in 0..rows {
        insert.execute([vec![7u8; 3 * 300 + 2 * PAYLOAD_BYTES]])?;
    }
    Ok(f64::from(rows) / start.elapsed().as_secs_f64())
}

fn verify(folder: &Path) -> Answer<()> {
    let keys = PayloadKeys::open(&folder.join("keys.db"), Mode::Existing, Box::new(OsRandom))?;
    let path = folder.join("ledger.db");
    for (what, keys) in [("with payloads", Some(&keys)), ("without keys", None)] {
        let start = Instant::now();
        let report = verify_all(&path, keys, &[])?;
        let seconds = start.elapsed().as_secs_f64();
        let per_second = report.entries as f64 / seconds;
        println!("verify {what}: {per_second:.0} entries/s over {}", report.entries);
    }
    Ok(())
}
