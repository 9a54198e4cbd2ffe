//! What checking one definition costs, from its text to its report, beside a bare parse of the same text.
//!
//! `cargo bench -p sluice-verify`. The bare loop reads every event of the same YAML library and drops it. Read the
//! ratios and the time per step; milliseconds belong to this machine.

#![expect(
    clippy::disallowed_methods,
    reason = "a bench reads files and the clock; the crate that it measures does not"
)]

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use granit_parser::Parser;
use sluice_core::contract::closure::ClosureDigest;
use sluice_core::contract::{Digest, Governance};
use sluice_core::document;
use sluice_core::dsl;
use sluice_core::program::Program;
use sluice_core::text::Text;
use sluice_policy::Bundle;
use sluice_verify::{Assumptions, verify};

type Answer<T> = Result<T, Box<dyn Error>>;

const ROUNDS: usize = 5;

fn main() -> Answer<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/report");
    let workspace = Workspace::read(&folder)?;
    let report = fs::read_to_string(folder.join("workflows/report.yaml"))?;
    println!("workspace examples/report, anybody of its register as requester; medians of {ROUNDS} rounds, ms");
    println!(
        "definition      bytes   events   nodes   gates | bare parse   document   lower   verify    total | total / bare   µs per node"
    );
    for (name, text) in [("report.yaml", report), ("200 steps", generated(200)?), ("1,000 steps", generated(1_000)?)] {
        workspace.measure(name, &Text::new(name, text))?;
    }
    Ok(())
}

struct Workspace {
    governance: Governance,
    bundle: Bundle,
}

impl Workspace {
    fn read(folder: &Path) -> Answer<Self> {
        let mut files = Vec::new();
        for inner in ["connectors", "registers"] {
            for entry in fs::read_dir(folder.join(inner))? {
                let path = entry?.path();
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                files.push((format!("{inner}/{name}"), fs::read(&path)?));
            }
        }
        files.push(("workspace.yaml".to_owned(), fs::read(folder.join("workspace.yaml"))?));
        let governance = Governance::read(files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())))
            .map_err(|problems| format!("{problems:?}"))?;
        Ok(Self { governance, bundle: Bundle::default_bundle().map_err(|flaws| format!("{flaws:?}"))? })
    }

    fn measure(&self, name: &str, text: &Text) -> Answer<()> {
        let Some(program) = dsl::lower(text).program else { return Err(format!("{name} is no program").into()) };
        let mut rounds: [Vec<f64>; 4] = Default::default();
        let gates = self.verify(text, &program);
        for _ in 0..ROUNDS {
            let [bare, read, lower, check] = &mut rounds;
            bare.push(timed(|| events(text))?);
            read.push(timed(|| document::read(text).map_err(|d| format!("{d:?}").into()))?);
            // Reads the document again: what is left is lowering alone.
            lower.push(timed(|| Ok(dsl::lower(text)))? - read.last().copied().unwrap_or_default());
            check.push(timed(|| Ok(self.verify(text, &program)))?);
        }
        let [bare, read, lower, check] = rounds.map(median);
        let total = read + lower + check;
        println!(
            "{name:<12} {:>8}  {:>7} {:>7} {gates:>7} |   {bare:>8.3}   {read:>8.3}   {lower:>5.2}  {check:>7.2}  {total:>7.2} |      {:>6.1}×   {:>8.1}",
            text.content.len(),
            events(text)?,
            program.nodes.len(),
            total / bare,
            total * 1e3 / program.nodes.len() as f64,
        );
        Ok(())
    }

    /// How many calls some run may get to.
    fn verify(&self, text: &Text, program: &Program) -> usize {
        let digest = ClosureDigest(Digest::of(text.content.as_bytes()));
        let Governance { catalogue, registers, .. } = &self.governance;
        let checked = verify(program, catalogue, &registers.principals, &self.bundle, &Assumptions::default(), digest);
        black_box(checked).report.steps.len()
    }
}

fn events(text: &Text) -> Answer<usize> {
    let mut parser = Parser::new_from_str(&text.content);
    let mut count = 0;
    while let Some(event) = parser.next_event() {
        black_box(event?);
        count += 1;
    }
    Ok(count)
}

/// A definition of about `steps` steps: reads, sets, branches, loops, handlers and exports, each block on the data of
/// the block before it.
fn generated(steps: usize) -> Answer<String> {
    let mut text = String::from(
        "document: { dsl: '1.0.3', namespace: bench, name: generated, version: '1.0.0', metadata: { purpose: reporting } }\ndo:\n",
    );
    const STEPS_PER_BLOCK: usize = 10;
    for n in 0..steps / STEPS_PER_BLOCK {
        write!(
            text,
            "
  - read{n}:
      call: crm.accounts.list
      with: {{ fields: [id, name, balance], month: '2026-10', limit: {limit} }}
  - shape{n}: {{ set: {{ rows: '${{ .accounts | map({{ id, name, balance }}) }}', total: 0 }} }}
  - choose{n}:
      switch:
        - many: {{ when: '${{ (.rows | length) > {n} }}', then: each{n} }}
        - few: {{ then: each{n} }}
  - each{n}:
      for: {{ each: row, in: '${{ .rows }}' }}
      do:
        - add{n}: {{ set: {{ rows: '${{ .rows }}', total: '${{ .total + 1 }}' }} }}
  - guard{n}:
      try:
        - inner{n}: {{ set: {{ rows: '${{ .rows }}', total: '${{ .total + 1 }}' }} }}
        - fail{n}: {{ if: '${{ .total < 0 }}', raise: {{ error: {{ type: 'https://example.com/no', status: 503 }} }} }}
      catch: {{ do: [ {{ mend{n}: {{ set: {{ rows: [], total: 0 }} }} }} ] }}
  - export{n}:
      call: sheets.rows.write
      with: {{ sheet: monthly-balances, rows: '${{ .rows | map({{ id, name }}) }}' }}
",
            limit = 100 + n,
        )?;
    }
    Ok(text)
}

fn timed<T>(deed: impl FnOnce() -> Answer<T>) -> Answer<f64> {
    let start = Instant::now();
    black_box(deed()?);
    Ok(start.elapsed().as_secs_f64() * 1e3)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
