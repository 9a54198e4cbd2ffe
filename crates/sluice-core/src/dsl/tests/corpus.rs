//! Every example of the specification and every file of the corpus is lowered, or refused with a place and a reason.
//! The table in `docs/formats-native.md` is written by this test.

#![expect(clippy::disallowed_methods, reason = "the test reads files and writes the table; the core does neither")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::dsl::lower_bytes;

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The definitions of a folder beside the project.
fn files(folder: &str) -> Option<Vec<PathBuf>> {
    let folder = project().join("../shared").join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "yaml" || e == "json"))
        .collect();
    files.sort();
    Some(files)
}

#[derive(Default)]
struct Count {
    files: usize,
    lowered: usize,
    /// By code and name: the files that it stops.
    refused: BTreeMap<(String, &'static str), usize>,
    /// Files stopped by constructs that are not supported yet, and nothing else.
    not_yet: usize,
}

fn count(files: &[PathBuf]) -> Count {
    let mut count = Count { files: files.len(), ..Count::default() };
    for path in files {
        let bytes = std::fs::read(path).unwrap();
        let lowered = lower_bytes(path.display().to_string(), &bytes);
        let found = &lowered.diagnostics;
        assert_eq!(lowered.program.is_some(), found.is_empty(), "{}", path.display());
        located(path, &bytes, found);
        count.lowered += usize::from(found.is_empty());
        count.not_yet += usize::from(!found.is_empty() && found.iter().all(|d| (130..150).contains(&d.code.0)));
        let codes: std::collections::BTreeSet<_> = found.iter().map(|d| (d.code.to_string(), d.name)).collect();
        for code in codes {
            *count.refused.entry(code).or_default() += 1;
        }
    }
    count
}

/// Every diagnostic stands in the text, and says something.
fn located(path: &Path, bytes: &[u8], found: &[Diagnostic]) {
    for d in found {
        let inside = d.span.line >= 1 && d.span.column >= 1 && d.span.end <= bytes.len() && d.span.start <= d.span.end;
        assert!(inside && !d.message.is_empty() && !d.help.is_empty(), "{}: {d:?}", path.display());
    }
}

fn table(sets: &[(&str, &Count)]) -> String {
    let mut text = String::new();
    let row = |text: &mut String, name: &str, of: &dyn Fn(&Count) -> usize| {
        let cells: Vec<String> = sets.iter().map(|(_, c)| of(c).to_string()).collect();
        let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
    };
    let names: Vec<&str> = sets.iter().map(|(name, _)| *name).collect();
    let _ = writeln!(text, "| | {} |\n|---|{}", names.join(" | "), "--:|".repeat(sets.len()));
    row(&mut text, "files", &|c| c.files);
    row(&mut text, "lowered", &|c| c.lowered);
    row(&mut text, "refused", &|c| c.files - c.lowered);
    row(&mut text, "… only for what is not supported yet", &|c| c.not_yet);
    let mut codes: Vec<_> = sets.iter().flat_map(|(_, c)| c.refused.keys().cloned()).collect();
    codes.sort();
    codes.dedup();
    for key in codes {
        row(&mut text, &format!("{} `{}`", key.0, key.1), &|c| c.refused.get(&key).copied().unwrap_or_default());
    }
    text
}

#[test]
fn the_table_in_the_docs_is_true() {
    const START: &str =
        "<!-- table: written by the test `the_table_in_the_docs_is_true`; UPDATE_DOCS=1 rewrites it -->\n";
    const END: &str = "<!-- end of table -->";
    let sets = [("specification examples", "spec/open-workflow/examples"), ("corpus", "corpus/serverlessworkflow")];
    let found: Option<Vec<_>> = sets.iter().map(|(name, folder)| Some((*name, count(&files(folder)?)))).collect();
    let Some(found) = found else {
        println!("skipped: the specification and the corpus are not beside the project");
        return;
    };
    let expected = table(&found.iter().map(|(name, c)| (*name, c)).collect::<Vec<_>>());
    println!("{expected}");
    let page = project().join("docs/formats-native.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let (before, rest) = text.split_once(START).unwrap();
    let (written, after) = rest.split_once(END).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(page, format!("{before}{START}{expected}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(written, expected, "run the test with UPDATE_DOCS=1 and read the change");
}
