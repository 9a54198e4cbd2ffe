//! The expressions of real files: the specification's examples and published workflows.

use std::path::{Path, PathBuf};

use super::parsed;
use crate::document::{Data, Node, read};
use crate::expression::ProblemKind;
use crate::text::Text;

/// Keys whose text is an expression even without `${ }`.
const BARE: [&str; 10] = ["from", "as", "in", "when", "exceptWhen", "if", "while", "until", "expect", "with"];

fn folders() -> [PathBuf; 2] {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    [shared.join("corpus/serverlessworkflow"), shared.join("spec/open-workflow/examples")]
}

/// The expressions of a node: what stands in `${ }`, and what the keys above say is one.
fn expressions(key: &str, node: &Node, found: &mut Vec<String>) {
    match &node.value {
        Data::Text(text) => {
            let inside = interpolated(text);
            let bare = text.starts_with(['.', '$']) && BARE.contains(&key);
            if inside.is_empty() && bare {
                found.push(text.to_string());
            }
            found.extend(inside);
        }
        Data::List(items) => items.iter().for_each(|item| expressions(key, item, found)),
        Data::Map(entries) => entries.iter().for_each(|entry| expressions(&entry.key, &entry.value, found)),
        _ => {}
    }
}

/// The insides of each `${ }`, braces and texts inside it balanced.
fn interpolated(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("${") {
        let (mut depth, mut quoted, mut escaped) = (1, false, false);
        let end = after.char_indices().find(|(_, c)| {
            match (c, quoted, escaped) {
                (_, _, true) => escaped = false,
                ('\\', true, _) => escaped = true,
                ('"', _, _) => quoted = !quoted,
                ('{', false, _) => depth += 1,
                ('}', false, _) => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let Some((inside, following)) = end.and_then(|(end, _)| after.split_at_checked(end)) else { break };
        found.push(inside.to_owned());
        rest = following;
    }
    found
}

#[test]
fn every_expression_of_real_files_is_translated_or_reads_a_clock_or_a_secret() {
    let mut all = Vec::new();
    let mut unread = 0;
    for folder in folders() {
        let Ok(files) = std::fs::read_dir(&folder) else {
            println!("skipped: {} is absent", folder.display());
            return;
        };
        for file in files.flatten().map(|f| f.path()).filter(|p| p.extension().is_some_and(|e| e == "yaml")) {
            let content = content(&file);
            match read(&Text::new("file", content.as_str())) {
                Ok(node) => expressions("", &node, &mut all),
                // A text that is refused as a whole still has its interpolations.
                Err(_) => {
                    unread += 1;
                    all.extend(interpolated(&content));
                }
            }
        }
    }
    let (mut translated, mut clocks, mut secrets, mut wrong) = (0, 0, 0, Vec::new());
    for source in &all {
        match parsed(source) {
            Ok(e) if e.variables().iter().any(|(name, _)| matches!(name.as_ref(), "secret" | "secrets")) => {
                secrets += 1
            }
            Ok(_) => translated += 1,
            Err(problems) if problems.iter().all(|p| p.kind == ProblemKind::Clock) => clocks += 1,
            Err(problems) => wrong.push(format!("`{source}`: {}", problems[0].message)),
        }
    }
    println!(
        "{} expressions: {translated} translated, {secrets} read secrets, {clocks} read the clock, {} not translated; {unread} files refused",
        all.len(),
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(all.len() > 100, "only {} expressions found", all.len());
}

#[expect(clippy::disallowed_methods, reason = "the corpus lies beside the project")]
fn content(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap()
}
