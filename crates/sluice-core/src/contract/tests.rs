//! Contracts and registers, from the files of `docs/contracts.md`.

mod budgets;
mod errors;
mod resolution;
mod schemas;

use std::collections::BTreeMap;

use super::*;

const PAGE: &str = include_str!("../../../../docs/contracts.md");

/// The files of a workspace by path.
type Files = BTreeMap<String, String>;

/// The workspace of the reference page: every block that names a file.
fn workspace() -> Files {
    let blocks = PAGE.split("```yaml file=").skip(1).filter_map(|rest| {
        let (path, rest) = rest.split_once('\n')?;
        let (content, _) = rest.split_once("```")?;
        Some((path.to_owned(), content.to_owned()))
    });
    blocks.collect()
}

fn read(files: &Files) -> Result<Governance, Vec<Problem>> {
    Governance::read(files.iter().map(|(path, text)| (path.as_str(), text.as_bytes())))
}

/// The page's workspace with replacements, each `(file, from, to)`.
fn edited(edits: &[(&str, &str, &str)]) -> Files {
    let mut files = workspace();
    for (file, from, to) in edits {
        let text = files.get_mut(*file).unwrap();
        assert!(text.contains(from), "`{from}` is not in {file}");
        *text = text.replacen(from, to, 1);
    }
    files
}

/// Every problem, one per line.
fn problems(files: &Files) -> String {
    let shown = |p: &Problem| {
        let d = &p.diagnostic;
        format!("{} {}:{}:{} {}", d.code, p.file, d.span.line, d.span.column, d.message)
    };
    match read(files) {
        Ok(_) => "no problem".to_owned(),
        Err(problems) => problems.iter().map(shown).collect::<Vec<_>>().join("\n"),
    }
}

#[test]
fn the_workspace_of_the_page_resolves() {
    assert_eq!(problems(&workspace()), "no problem");
    assert_eq!(read(&workspace()).unwrap().catalogue.actions.len(), 10);
}

#[test]
fn the_page_lists_every_code() {
    let listed: Vec<&str> =
        PAGE.lines().filter(|line| line.starts_with("| SL7") || line.starts_with("| SL4")).collect();
    let expected: Vec<String> = CODES.iter().map(|c| format!("| SL{} | {} | {} |", c.code, c.name, c.help)).collect();
    assert_eq!(listed, expected);
    assert!(CODES.windows(2).all(|pair| pair[0].code < pair[1].code));
}
