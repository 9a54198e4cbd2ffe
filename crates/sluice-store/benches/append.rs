//! Durable appends per second beside bare SQLite, and how fast a ledger is checked beside bare reading and hashing.
//!
//! `cargo bench -p sluice-store`. Milliseconds belong to the disk of this machine; commits per step
//! and the ratio to the bare loops carry over to others. The bare loops do the least that could be asked: one row of
//! as many bytes for each step and as many rows per commit as the steps shared; reading every row, and SHA-256 over it.

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use rusqlite::Connection;
use sha2::{Digest, Sha256};
use sluice_ledger::cbor::Map;
use sluice_ledger::{EntryKind, RunId};
use sluice_store::{
    Batch, Epoch, Expect, Mode, NewRecord, OsRandom, Payload, PayloadKeys, Records, Writer, verify_all,
};

type Answer<T> = Result<T, Box<dyn Error + Send + Sync>>;

const ROUNDS: usize = 3;
const PAYLOAD_BYTES: usize = 400;

fn main() -> Answer<()> {
    println!("a step: outcome, decision and intent; medians of {ROUNDS} rounds");
    println!("runs in flight   steps/s   commits/step | bare SQLite rows/s   rows per commit | steps / rows");
    for runs in [1, 16, 64] {
        let rounds = (0..ROUNDS).map(|_| round(runs)).collect::<Answer<Vec<_>>>()?;
        let of = |pick: fn(&Round) -> f64| median(rounds.iter().map(pick).collect());
        println!(
            "{runs:>14}   {:>7.0}   {:>12.3} | {:>18.0}   {:>15.0} | {:>11.2}×",
            of(|r| r.per_second),
            of(|r| r.commits),
            of(|r| r.bare),
            of(|r| r.group),
            of(|r| r.per_second / r.bare),
        );
        if runs == 64
            && let Some(last) = rounds.last()
        {
            verify(last.folder.path())?;
        }
    }
    Ok(())
}

struct Round {
    folder: tempfile::TempDir,
    per_second: f64,
    commits: f64,
    bare: f64,
    group: f64,
}

fn round(runs: u8) -> Answer<Round> {
    let folder = tempfile::tempdir()?;
    let (per_second, commits) = steps(folder.path(), runs)?;
    let group = (1.0 / commits).round().max(1.0);
    let bare = bare(folder.path(), each(runs) * u64::from(runs), group)?;
    Ok(Round { folder, per_second, commits, bare, group })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Steps of each run: a lone run waits for the disk at each of them.
fn each(runs: u8) -> u64 {
    if runs == 1 { 400 } else { 60 }
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
    let each = each(runs);
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

fn bare(folder: &Path, steps: u64, group: f64) -> Answer<f64> {
    let ledger = Connection::open(folder.join("ledger.db"))?;
    let sum = "SELECT (SELECT sum(length(entry)) FROM entries) + (SELECT sum(length(sealed)) FROM payloads)";
    let bytes = ledger.query_row(sum, (), |row| row.get::<_, i64>(0))?;
    let bytes = usize::try_from(bytes)? / usize::try_from(steps)?;
    let conn = Connection::open(folder.join("bare.db"))?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.execute_batch("CREATE TABLE rows (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL)")?;
    let mut insert = conn.prepare("INSERT INTO rows (bytes) VALUES (?1)")?;
    let mut rows = 0.0;
    let start = Instant::now();
    while rows < steps as f64 {
        conn.execute_batch("BEGIN IMMEDIATE")?;
        let end = rows + group;
        while rows < end {
            insert.execute([vec![7_u8; bytes]])?;
            rows += 1.0;
        }
        conn.execute_batch("COMMIT")?;
    }
    Ok(rows / start.elapsed().as_secs_f64())
}

fn verify(folder: &Path) -> Answer<()> {
    let keys = PayloadKeys::open(&folder.join("keys.db"), Mode::Existing, Box::new(OsRandom))?;
    let path = folder.join("ledger.db");
    println!("re-verify                      entries/s   µs per entry | ratio to reading and hashing");
    let mut rates: [Vec<f64>; 4] = Default::default();
    for _ in 0..ROUNDS {
        let [read, hashed, sealed, opened] = &mut rates;
        read.push(rate(|| rows(&path, |_| ()))?);
        hashed.push(rate(|| rows(&path, |bytes| _ = black_box(Sha256::digest(bytes))))?);
        sealed.push(rate(|| Ok(verify_all(&path, None, &[])?.entries))?);
        opened.push(rate(|| Ok(verify_all(&path, Some(&keys), &[])?.entries))?);
    }
    let [read, hashed, sealed, opened] = rates.map(median);
    for (what, rate) in [
        ("bare SQLite, read", read),
        ("bare SQLite, read and SHA-256", hashed),
        ("verify without keys", sealed),
        ("verify with payloads", opened),
    ] {
        println!("{what:<30} {rate:>9.0}   {:>12.1} | {:>6.1}×", 1e6 / rate, hashed / rate);
    }
    Ok(())
}

fn rate(deed: impl FnOnce() -> Answer<u64>) -> Answer<f64> {
    let start = Instant::now();
    let entries = deed()?;
    Ok(entries as f64 / start.elapsed().as_secs_f64())
}

/// Every entry and payload, in order.
fn rows(path: &Path, each: impl Fn(&[u8])) -> Answer<u64> {
    let conn = Connection::open(path)?;
    let mut select =
        conn.prepare("SELECT entry, sealed FROM entries LEFT JOIN payloads USING (log) ORDER BY entries.log")?;
    let mut found = select.query(())?;
    let mut count = 0;
    while let Some(row) = found.next()? {
        each(row.get_ref(0)?.as_blob()?);
        if let Some(sealed) = row.get_ref(1)?.as_blob_or_null()? {
            each(sealed);
        }
        count += 1;
    }
    Ok(count)
}
