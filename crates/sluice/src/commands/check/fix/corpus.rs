//! Every fix that is offered in the corpus of GitHub Actions is made, in memory.

use std::collections::BTreeMap;
use std::path::Path;

use sluice_core::text::Text;
use sluice_verify::Report;

use super::super::FileCheck;
use super::{fixes_of, mended_text, seen};

fn checked(name: &str, text: &str) -> Option<FileCheck> {
    let findings = seen(name, text).ok()?.survey.findings;
    let outcome = Ok(Report { findings, ..Report::default() });
    Some(FileCheck {
        text: Text::new(name, text),
        format: "github-actions",
        outcome,
        facts: None,
        allows: Vec::new(),
        subject: None,
    })
}

/// `mended_text` itself refuses a text in which anything else is found than before, but for what is mended.
#[test]
fn every_fix_in_the_corpus_takes_its_finding_away_and_brings_no_other_and_none_is_offered_again() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/github-actions");
    let Ok(files) = std::fs::read_dir(&folder) else {
        println!("skipped: there is no corpus beside this repository");
        return;
    };
    let mut made: BTreeMap<String, usize> = BTreeMap::new();
    for path in files.filter_map(Result::ok).map(|file| file.path()) {
        let name = path.file_name().unwrap().to_string_lossy().to_string();
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let Some(before) = checked(&name, &text).filter(|check| !fixes_of(check).is_empty()) else { continue };
        let mended = mended_text(&before).unwrap_or_else(|why| panic!("{name}: {why}"));
        for found in before.findings().iter().filter(|found| found.fix.is_some()) {
            *made.entry(found.code.to_string()).or_default() += 1;
        }
        let removed = text.lines().filter(|line| !mended.contains(line)).count();
        assert!(
            removed <= fixes_of(&before).iter().map(|fix| fix.edits.len()).sum::<usize>(),
            "{name}: {removed} lines changed"
        );
        let after = checked(&name, &mended).unwrap_or_else(|| panic!("{name}: refused\n{mended}"));
        assert!(fixes_of(&after).is_empty(), "{name} is not done: {:?}\n{mended}", fixes_of(&after));
    }
    println!("made: {made:?}");
}
