//! What the tests of every importer do with a text.

use std::path::Path;

use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::{self, JsonRules, Node};
use sluice_core::text::Text;
use sluice_formats::{Format, Import};

use crate::rules;
use crate::survey::{Survey, survey};

fn tree(text: &Text) -> Result<Node, Vec<Diagnostic>> {
    if text.content.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[']) {
        document::read_json_with(text, JsonRules::IMPORT).map(|(tree, _)| tree)
    } else {
        document::read(text)
    }
}

/// The import of a text of a known format.
pub(super) fn imported(content: &str) -> Result<Import, Vec<Diagnostic>> {
    let text = Text::new("t", content);
    let tree = tree(&text)?;
    let format = sluice_formats::recognise(&tree).unwrap_or_else(|| panic!("no known format: {content}"));
    sluice_formats::import(format, &text, &tree)
}

pub(super) fn surveyed(content: &str) -> Survey {
    survey(&imported(content).unwrap_or_else(|e| panic!("refused: {e:#?}\n{content}")))
}

/// The facts of a text, as `--facts` writes them.
pub(super) fn facts(content: &str) -> serde_json::Value {
    let import = imported(content).unwrap_or_else(|e| panic!("refused: {e:#?}\n{content}"));
    serde_json::to_value(survey(&import).facts(&import)).unwrap()
}

/// Every flow of a text: `source -> sink: kind (tier)`.
pub(super) fn flows(content: &str) -> Vec<String> {
    flows_of(&imported(content).unwrap_or_else(|e| panic!("refused: {e:#?}\n{content}")))
}

fn flows_of(import: &Import) -> Vec<String> {
    let name = |step: sluice_core::program::StepId| import.program.steps[step.0 as usize].name.clone();
    let flows = survey(import).flows;
    let line = |f: &crate::survey::Flow| {
        format!("{} -> {}: {} ({})", name(f.source), name(f.sink), f.kind.name(), f.tier.name())
    };
    flows.iter().map(line).collect()
}

/// What stands in the way of a flow of this kind: `held by` whom, or `open`.
pub(super) fn standing(text: &str, kind: &str) -> String {
    let survey = surveyed(text);
    let is_open = survey.flows.iter().any(|flow| flow.kind.name() == kind);
    let said = survey.findings.iter().find(|f| f.code.0 == 245 && f.message.contains(&kind.replace('_', " ")));
    match (is_open, said) {
        (true, None) => "open".to_owned(),
        (false, Some(said)) => {
            let by = said.message.split(": ").nth(1).unwrap_or_default();
            format!("held by {}", by.split(" checks").next().unwrap_or_default().replace('`', ""))
        }
        other => panic!("{other:?}\n{:#?}\n{text}", survey.flows),
    }
}

/// The bad examples of some rules' pages raise their codes, and the good ones raise nothing worth acting on.
pub(super) fn raises_by_page(codes: &[u16]) {
    for code in codes {
        let meta = rules::all().find(|meta| meta.code.0 == *code).unwrap_or_else(|| panic!("no SL{code}"));
        let page = meta.page();
        let examples = |kind: &str| -> Vec<String> {
            let opening = format!("```{kind}\n");
            page.split(&opening).skip(1).filter_map(|rest| rest.split("```").next()).map(str::to_owned).collect()
        };
        let (bad, good) = (examples("bad"), examples("good"));
        assert!(!bad.is_empty() && !good.is_empty(), "{} has no examples", meta.name);
        for text in bad {
            let findings = surveyed(&text).findings;
            assert!(findings.iter().any(|f| f.code == meta.code), "{} is not raised by\n{text}", meta.name);
        }
        for text in good {
            let findings = surveyed(&text).findings;
            assert!(!findings.iter().any(|f| f.code == meta.code), "{} is raised by\n{text}", meta.name);
        }
    }
}

/// A run over folders of the corpus.
pub(super) struct Run {
    pub(super) imports: Vec<Import>,
    pub(super) refused: usize,
}

/// Surveys every file of some folders of the corpus, prints the counts, and checks that each refusal has a place.
/// `None` where the corpus is not there.
#[expect(clippy::disallowed_methods, reason = "the corpus lies beside the repository")]
pub(super) fn corpus(folders: &[&str], format: Format) -> Option<Run> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let mut run = Run { imports: Vec::new(), refused: 0 };
    let (mut findings, mut count, mut unfinished) = (std::collections::BTreeMap::new(), 0, 0);
    for folder in folders {
        let Ok(entries) = std::fs::read_dir(root.join(folder)) else {
            println!("skipped: there is no {folder} beside the repository");
            return None;
        };
        let mut files: Vec<_> = entries.flatten().map(|e| e.path()).collect();
        files.sort();
        for file in files {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let bytes = std::fs::read(&file).unwrap();
            let text = Text::new(name.as_str(), String::from_utf8_lossy(&bytes).as_ref());
            let found = tree(&text).and_then(|tree| {
                let found = sluice_formats::recognise(&tree);
                assert_eq!(found, Some(format), "{name}");
                sluice_formats::import(format, &text, &tree)
            });
            match found {
                Ok(import) => {
                    let survey = survey(&import);
                    let mut written = flows_of(&import);
                    let mut sorted = flows(&tree(&text).unwrap().to_json().to_string());
                    written.sort();
                    sorted.sort();
                    assert_eq!(
                        written, sorted,
                        "{name}: on one line, its keys in another order, it means something else"
                    );
                    count += survey.flows.len();
                    unfinished += usize::from(survey.not_shown.iter().any(|n| n.starts_with("anything")));
                    for finding in &survey.findings {
                        *findings
                            .entry(format!("{} {} {}", finding.code, finding.severity, finding.name))
                            .or_insert(0) += 1;
                    }
                    run.imports.push(import);
                }
                Err(errors) => {
                    assert!(errors.iter().all(|e| e.span.line > 0), "{name}: {errors:?}");
                    println!("refused: {name}: {}: {} at {}", errors[0].code, errors[0].message, errors[0].span.line);
                    run.refused += 1;
                }
            }
        }
    }
    let assumed = run.imports.iter().flat_map(|i| &i.assumed);
    let opaque: usize = assumed
        .filter_map(|a| a.strip_suffix(": they count as anything made from what they name"))
        .filter_map(|a| a.split(' ').next()?.parse::<usize>().ok())
        .sum();
    let unknown = run.imports.iter().flat_map(|i| i.steps.values());
    let unknown = unknown.filter(|f| f.confidence == sluice_formats::Confidence::Assumed).count();
    let steps: usize = run.imports.iter().map(|i| i.steps.len()).sum();
    println!(
        "{}: {} lowered, {} refused, {unfinished} unfinished; {steps} steps, {unknown} unknown; {opaque} opaque; {count} flows",
        format.name(),
        run.imports.len(),
        run.refused
    );
    println!("{findings:#?}");
    Some(run)
}
