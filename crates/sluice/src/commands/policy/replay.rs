//! `sluice policy replay`: which recorded decisions other rules would have taken otherwise.

use std::collections::BTreeMap;

use serde_json::json;
use sluice_runtime::what_if::{Change, WhatIf, what_if};
use sluice_runtime::workspace::{read_bundle, read_policies};

use crate::cli::{Format, Replay};
use crate::failure::{Exit, Failure};
use crate::render::{Page, Part, Tone, json as out, time};

/// Entries that are named of each kind of change.
const NAMED_MAX: usize = 5;

/// Asks, and shows what would change. Exit code 1 if something does.
///
/// # Errors
/// [`Failure`] if the policies or the ledger cannot be read.
pub(super) fn run(arguments: &Replay) -> Result<Exit, Failure> {
    let folder = arguments.place.folder()?;
    let rules = arguments.bundle.as_deref().unwrap_or(&folder);
    if !rules.join("policies").is_dir() {
        return Err(Failure::usage(format!(
            "`{}` is no workspace: there is no folder `policies` in it",
            rules.display()
        )));
    }
    let files = read_bundle(rules)?;
    let policies = read_policies(&files)?;
    let since_ms = arguments.since.map_or(0, |span| now_ms().saturating_sub(span.0));
    let found = what_if(&folder, &policies, since_ms)?;
    match arguments.format {
        Format::Json => out::print(&wire(&found, &files.digest().to_string()))?,
        Format::Text => {
            let mut page = Page::of_stdout();
            told(&mut page, &found, &format!("the policies in {}", rules.display()));
            page.print();
        }
    }
    Ok(if found.changed == 0 { Exit::Fine } else { Exit::Findings })
}

pub(super) fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

pub(super) fn wire(found: &WhatIf, bundle: &str) -> serde_json::Value {
    let change = |change: &Change| {
        json!({
            "index": change.index, "time_ms": change.time_ms, "run": change.run.map(|run| run.to_string()),
            "action": change.action, "was": change.was, "would_be": change.would_be, "why": change.why,
        })
    };
    json!({
        "version": 1,
        "bundle": bundle,
        "asked": found.asked,
        "changed": found.changed,
        "beside_policy": found.beside_policy,
        "unopened": found.unopened,
        "changes": found.changes.iter().map(change).collect::<Vec<_>>(),
    })
}

/// Changes of one kind: the same action, the same words then and now.
type Kind<'c> = (&'c str, &'static str, &'static str, &'c [String]);

/// Each kind of change once, and how many decisions were asked of `whom`.
pub(super) fn told(page: &mut Page, found: &WhatIf, whom: &str) {
    let mut kinds: BTreeMap<Kind<'_>, Vec<&Change>> = BTreeMap::new();
    for change in &found.changes {
        kinds.entry((&change.action, change.was, change.would_be, &change.why)).or_default().push(change);
    }
    for ((action, was, would_be, why), changes) in &kinds {
        page.line([
            Part::new(format!("{:>5} ", changes.len()), Tone::Strong),
            Part::new(*action, Tone::Accent),
            "  ".into(),
            Part::new(*was, tone(was)),
            " would be ".into(),
            Part::new(*would_be, tone(would_be)),
        ]);
        for words in *why {
            page.hang(["      "], &[Part::plain(words.clone())]);
        }
        let named: Vec<String> = changes
            .iter()
            .take(NAMED_MAX)
            .map(|change| format!("{} ({})", change.index, time::short(change.time_ms)))
            .collect();
        let more = changes.len().saturating_sub(NAMED_MAX);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        page.hang(
            [Part::new("      entries ", Tone::Faint)],
            &[Part::new(format!("{}{more}", named.join(", ")), Tone::Faint)],
        );
    }
    if !kinds.is_empty() {
        page.gap();
    }
    let (count, tone) = match found.changed {
        0 => ("none".to_owned(), Tone::Good),
        changed => (changed.to_string(), Tone::Warn),
    };
    page.line([
        Part::plain(format!("{} decisions asked again of {whom}: ", found.asked)),
        Part::new(count, tone),
        " would be another".into(),
    ]);
    if found.beside_policy + found.unopened > 0 {
        let beside = format!(
            "not asked: {} in which policy had no say, {} whose payload cannot be opened",
            found.beside_policy, found.unopened
        );
        page.hang([""], &[Part::new(beside, Tone::Faint)]);
    }
    page.hang(
        [""],
        &[Part::new(
            "asked with the labels and approvals of then: other contracts or classes are not part of this",
            Tone::Faint,
        )],
    );
}

fn tone(said: &str) -> Tone {
    match said {
        "permit" => Tone::Good,
        "hold" => Tone::Warn,
        _ => Tone::Bad,
    }
}
