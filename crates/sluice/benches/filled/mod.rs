//! A ledger with a long past: real runs, recorded once and repeated under other ids.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

use sluice_ledger::RunId;
use sluice_runtime::home::Home;
use sluice_runtime::ledger::Ledger;
use sluice_store::{FIELD_APPROVAL, FIELD_COUNTS, FIELD_USES, NewRecord, Payload, Recorded};

type Answer<T> = Result<T, Box<dyn Error + Send + Sync>>;

const FILL: &str = "--fill";

/// Whether this process was started to fill a ledger, which it has then: only a new process can be told where the home is.
pub(crate) fn is_asked() -> Answer<bool> {
    let arguments: Vec<String> = std::env::args().collect();
    let Some(at) = arguments.iter().position(|argument| argument == FILL) else { return Ok(false) };
    let after = |place: usize| arguments.get(at + place).ok_or("too few arguments");
    fill(&PathBuf::from(after(1)?), after(2)?.parse()?, after(3)?.parse()?)?;
    Ok(true)
}

/// What this program is started with to fill the ledger of a workspace with so many entries, by repeating its first runs.
pub(crate) fn arguments(workspace: &Path, entries: u64, runs: usize) -> [String; 4] {
    [FILL.to_owned(), workspace.display().to_string(), entries.to_string(), runs.to_string()]
}

fn fill(folder: &Path, entries: u64, runs: usize) -> Answer<()> {
    let ledger = Ledger::open(folder, &Home::of(folder)?)?;
    let size = ledger.read(|records| Ok(records.head()?.size.get()))?;
    let all = ledger.read(move |records| records.entries(0..size))?;
    let mut stories: BTreeMap<u64, Vec<&Recorded>> = BTreeMap::new();
    let mut first = BTreeMap::new();
    for one in &all {
        let Some(run) = one.entry.run.map(|link| link.id()) else { continue };
        let began = *first.entry(run).or_insert_with(|| one.entry.log.get());
        stories.entry(began).or_default().push(one);
    }
    let stories: Vec<Vec<&Recorded>> = stories.into_values().take(runs).collect();
    let (mut batch, mut written, mut number) = (Vec::new(), size, 0_u64);
    while written < entries {
        let story = stories.get(usize::try_from(number)? % stories.len().max(1)).ok_or("no run")?;
        let mut id = [0; RunId::BYTES];
        id[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
        id[8..].copy_from_slice(&number.to_be_bytes());
        batch.extend(story.iter().map(|one| again(one, RunId::from_bytes(id), ledger.clock().now_ms())));
        (written, number) = (written + u64::try_from(story.len())?, number + 1);
        if batch.len() >= 4_000 {
            ledger.append(std::mem::take(&mut batch))?;
        }
    }
    ledger.want_checkpoint();
    ledger.append(batch)?;
    Ok(())
}

fn again(recorded: &Recorded, run: RunId, time_ms: u64) -> NewRecord {
    let mut body = recorded.entry.body.clone();
    // What was asked of people was asked once.
    for reserved in [FIELD_COUNTS, FIELD_USES, FIELD_APPROVAL] {
        body.remove(reserved);
    }
    let record = NewRecord::new(recorded.entry.kind, time_ms, body).of_run(run);
    match recorded.payload.opened() {
        Some(bytes) => record.with_payload(Payload::of_run(bytes.to_vec())),
        None => record,
    }
}
