//! Every rule's page runs, and the list of rules is sound.

use std::collections::BTreeSet;

use sluice_core::diagnostic::Diagnostic;
use sluice_formats::Opened;

use super::{all, explain, imported, native};
use crate::survey::survey;
use crate::workspace::{check, shown};

/// The fenced examples of a page: `bad` ones and `good` ones.
fn examples<'a>(page: &'a str, kind: &str) -> Vec<&'a str> {
    let opening = format!("```{kind}\n");
    page.split(&opening).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn the_bad_examples_raise_their_code_and_the_good_ones_nothing() {
    for meta in native() {
        let page = meta.page();
        let (bad, good) = (examples(&page, "bad"), examples(&page, "good"));
        // An analysis that needs millions of visits is no example.
        assert!(meta.name == "analysis-bound" || !(bad.is_empty() || good.is_empty()), "{} has no examples", meta.name);
        for text in bad {
            let findings = check(text).report.findings;
            let finding = findings.iter().find(|f| f.code == meta.code);
            let finding = finding.unwrap_or_else(|| panic!("{} not raised by\n{text}\n{}", meta.name, shown(text)));
            assert!(!finding.help.is_empty() && finding.step.is_some(), "{}", meta.name);
        }
        for text in good {
            let findings = check(text).report.findings;
            assert!(findings.is_empty(), "{}: {}\n{text}", meta.name, shown(text));
        }
    }
}

#[test]
fn the_bad_examples_on_imported_workflows_raise_their_code_and_the_good_ones_do_not() {
    for meta in imported::all() {
        let page = meta.page();
        let (bad, good) = (examples(&page, "bad"), examples(&page, "good"));
        assert!(!(bad.is_empty() || good.is_empty()), "{} has no examples", meta.name);
        for text in bad {
            let findings = surveyed(text);
            let finding = findings.iter().find(|f| f.code == meta.code);
            let finding = finding.unwrap_or_else(|| panic!("{} not raised by\n{text}\n{findings:#?}", meta.name));
            assert!(!finding.help.is_empty() && finding.step.is_some(), "{}: {finding:#?}", meta.name);
        }
        for text in good {
            let findings = surveyed(text);
            assert!(findings.iter().all(|f| f.code != meta.code), "{}\n{text}\n{findings:#?}", meta.name);
        }
    }
}

fn surveyed(text: &str) -> Vec<Diagnostic> {
    match sluice_formats::open("example", text.as_bytes()) {
        Opened::Foreign { import: Ok(import), .. } => survey(&import).findings,
        other => panic!("no workflow: {other:?}\n{text}"),
    }
}

#[test]
fn codes_and_names_are_unique_and_in_order() {
    let codes: Vec<_> = all().map(|meta| meta.code).collect();
    let own: Vec<_> = native().map(|meta| meta.code).collect();
    assert!(own.is_sorted() && codes.iter().collect::<BTreeSet<_>>().len() == codes.len(), "{codes:?}");
    let names: BTreeSet<_> = all().map(|meta| meta.name).collect();
    assert_eq!(names.len(), codes.len());
}

#[test]
fn every_flow_finding_of_a_page_shows_its_way() {
    for meta in all().filter(|meta| (201..=208).contains(&meta.code.0)) {
        for text in examples(&meta.page(), "bad") {
            for finding in check(text).report.findings.into_iter().filter(|f| f.code == meta.code) {
                assert!(finding.flow.len() >= 2, "{}: {finding:#?}", meta.name);
            }
        }
    }
}

#[test]
fn a_rule_is_explained_by_code_and_by_name() {
    let page = explain("sl205").unwrap();
    assert!(page.starts_with("SL205 untrusted-recipient (high, confidence high)\n\nWords that an outsider"), "{page}");
    assert_eq!(explain("untrusted-recipient"), Some(page));
    assert_eq!(explain("SL999"), None);
}
