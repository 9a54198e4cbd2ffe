//! `sluice policy diff`: what two bundles do not have alike, what of it allows more, and which recorded decisions would be others.

use std::path::Path;

use serde_json::json;
use sluice_core::label::Name;
use sluice_policy::Growth;
use sluice_runtime::rules::{Change, How, Rules};
use sluice_runtime::what_if::{WhatIf, what_if};

use super::replay;
use crate::cli::{DiffPolicies, Format};
use crate::failure::{Exit, Failure};
use crate::render::{Page, Part, Tone, json as out};

/// Compares. Exit code 1 if something allows or may allow more, or a recorded decision would be another.
///
/// # Errors
/// [`Failure`] if a bundle or the ledger cannot be read.
pub(super) fn run(arguments: &DiffPolicies) -> Result<Exit, Failure> {
    let folder = arguments.place.folder()?;
    let later = Rules::in_folder(is_bundle(arguments.bundle.as_deref().unwrap_or(&folder))?, &folder)?;
    let earlier = match &arguments.against {
        Some(other) => Rules::in_folder(is_bundle(other)?, &folder)?,
        None => Rules::last_in_force(&folder)?.ok_or_else(|| {
            Failure::usage("the ledger has kept no bundle yet: name the earlier one with --against DIR")
        })?,
    };
    let changes = earlier.differences(&later);
    let since_ms = arguments.since.map_or(0, |span| replay::now_ms().saturating_sub(span.0));
    let found = what_if(&folder, &later.policies, since_ms)?;
    match arguments.format {
        Format::Json => out::print(&wire(&earlier, &later, &changes, &found))?,
        Format::Text => {
            let mut page = Page::of_stdout();
            told(&mut page, &earlier, &later);
            page.gap();
            replay::told(&mut page, &found, "the later policies");
            page.print();
        }
    }
    let grows = changes.iter().any(|change| change.growth() > Growth::No);
    Ok(if grows || found.changed > 0 { Exit::Findings } else { Exit::Fine })
}

fn is_bundle(folder: &Path) -> Result<&Path, Failure> {
    if folder.join("policies").is_dir() {
        return Ok(folder);
    }
    Err(Failure::usage(format!("`{}` is no workspace: there is no folder `policies` in it", folder.display())))
}

fn wire(earlier: &Rules, later: &Rules, changes: &[Change], found: &WhatIf) -> serde_json::Value {
    let change = |change: &Change| {
        let aspects = change.aspects.iter().map(|a| json!({ "words": a.words, "grows": a.growth.name() }));
        json!({
            "about": change.about, "name": change.name, "how": change.how.name(), "grows": change.growth().name(),
            "aspects": aspects.collect::<Vec<_>>(),
        })
    };
    let mut all = replay::wire(found, &later.files.digest().to_string());
    if let Some(all) = all.as_object_mut() {
        all.insert("against".to_owned(), earlier.files.digest().to_string().into());
        let files = earlier.changed_files(later);
        let file = |(path, how): &(Name, How)| json!({ "path": path, "how": how.name() });
        all.insert("files".to_owned(), files.iter().map(file).collect());
        all.insert("differences".to_owned(), changes.iter().map(change).collect());
        let grows = changes.iter().map(Change::growth).max().unwrap_or(Growth::No);
        all.insert("grows".to_owned(), grows.name().into());
    }
    all
}

/// Every change: what allows more first.
pub(super) fn told(page: &mut Page, earlier: &Rules, later: &Rules) {
    let changes = earlier.differences(later);
    let mut sorted: Vec<&Change> = changes.iter().collect();
    sorted.sort_by_key(|change| std::cmp::Reverse(change.growth()));
    for change in sorted {
        let tone = match change.how {
            How::Added => Tone::Good,
            How::Removed => Tone::Bad,
            How::Changed => Tone::Warn,
        };
        page.line([
            Part::new(change.about, Tone::Faint),
            " ".into(),
            Part::new(&change.name, Tone::Strong),
            "  ".into(),
            Part::new(change.how.name(), tone),
        ]);
        for aspect in &change.aspects {
            let (mark, tone) = match aspect.growth {
                Growth::Yes => ("  allows more  ", Tone::Bad),
                Growth::May => ("  may allow    ", Tone::Warn),
                Growth::No => ("               ", Tone::Plain),
            };
            page.hang([Part::new(mark, tone)], &[aspect.words.as_str().into()]);
        }
    }
    page.gap();
    let count = |growth| changes.iter().filter(|change| change.growth() == growth).count();
    let words = match (changes.len(), count(Growth::Yes), count(Growth::May)) {
        (0, ..) => "no difference that counts".to_owned(),
        (1, 0, 0) => "1 difference, which allows nothing more".to_owned(),
        (1, yes, _) => format!("1 difference, which {} more", if yes == 1 { "allows" } else { "may allow" }),
        (all, 0, 0) => format!("{all} differences, none of which allows more"),
        (all, yes, may) => format!("{all} differences: {yes} allow more, {may} may"),
    };
    let tone = if count(Growth::Yes) > 0 { Tone::Bad } else { Tone::Strong };
    page.line([Part::new(words, tone)]);
    let file = |(path, how): &(Name, How)| format!("{path} ({})", how.name());
    let files: Vec<String> = earlier.changed_files(later).iter().map(file).collect();
    if !files.is_empty() {
        page.hang([Part::new("files: ", Tone::Faint)], &[Part::new(files.join(", "), Tone::Faint)]);
    }
}
