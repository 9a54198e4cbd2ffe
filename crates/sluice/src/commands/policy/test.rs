//! `sluice policy test`: questions with the answers that people expect, asked of the policies as they are on the disk.

use std::path::Path;

use serde_json::json;
use sluice_policy::cases::{Case, Judged, needs, untested};
use sluice_policy::{Bundle, Decision, PolicyId};
use sluice_runtime::policy_tests::{TESTS_FOLDER, TestFile, of_bundle, of_path};
use sluice_runtime::workspace::{read_bundle, read_policies};

use crate::cli::{Format, TestPolicies};
use crate::failure::{Exit, Failure};
use crate::render::{Page, Part, Tone, json as out};

/// Asks every question. Exit code 1 if an answer is another one than expected.
///
/// # Errors
/// [`Failure`] if policies or tests cannot be read, or there are no tests.
pub(super) fn run(arguments: &TestPolicies) -> Result<Exit, Failure> {
    let folder = arguments.place.folder()?;
    let files = read_bundle(&folder)?;
    let policies = read_policies(&files)?;
    let tests = match &arguments.path {
        None => of_bundle(&files, &policies)?,
        Some(path) if path.exists() => of_path(path, &policies)?,
        Some(path) => return Err(Failure::usage(format!("`{}` is missing", path.display()))),
    };
    let tested = Tested::of(&tests, &policies);
    if tested.files.iter().all(|(_, judged)| judged.is_empty()) {
        // A run without tests must not look like one in which all passed.
        let place = arguments.path.as_deref().unwrap_or(Path::new(TESTS_FOLDER));
        return Err(Failure::usage(format!("there are no tests in `{}`", place.display())));
    }
    match arguments.format {
        Format::Json => out::print(&tested.wire(&files.digest().to_string()))?,
        Format::Text => tested.shown(&policies).print(),
    }
    Ok(if tested.failed() == 0 { Exit::Fine } else { Exit::Findings })
}

/// What came of the tests of a bundle.
pub(super) struct Tested<'t> {
    files: Vec<(&'t TestFile, Vec<(&'t Case, Judged)>)>,
    untested: Vec<PolicyId>,
}

impl<'t> Tested<'t> {
    pub(super) fn of(tests: &'t [TestFile], policies: &Bundle) -> Self {
        let judged = |file: &'t TestFile| file.suite.cases.iter().map(|case| (case, case.judge(policies))).collect();
        let files: Vec<(&TestFile, Vec<(&Case, Judged)>)> = tests.iter().map(|file| (file, judged(file))).collect();
        let answers = files.iter().flat_map(|(_, cases)| cases.iter().map(|(_, judged)| &judged.answer));
        let untested = untested(policies, answers);
        Self { files, untested }
    }

    fn cases(&self) -> impl Iterator<Item = &(&'t Case, Judged)> {
        self.files.iter().flat_map(|(_, cases)| cases)
    }

    pub(super) fn count(&self) -> usize {
        self.cases().count()
    }

    pub(super) fn failed(&self) -> usize {
        self.cases().filter(|(_, judged)| !judged.misses.is_empty()).count()
    }

    fn wire(&self, bundle: &str) -> serde_json::Value {
        let case = |file: &TestFile, case: &Case, judged: &Judged| {
            let decision = &judged.answer.decision;
            json!({
                "file": &*file.text.name, "line": case.span.line, "case": case.name,
                "passed": judged.misses.is_empty(), "misses": judged.misses,
                "expected": { "decision": case.expect.verdict, "by": case.expect.by, "needs": case.expect.needs },
                "said": {
                    "decision": decision.verdict(),
                    "by": decision.policies().iter().map(|id| &id.0).collect::<Vec<_>>(),
                    "needs": needs(decision),
                    "why": judged.answer.reasons.iter().map(|reason| &reason.words).collect::<Vec<_>>(),
                },
            })
        };
        let cases = self.files.iter().flat_map(|(file, cases)| cases.iter().map(|(c, judged)| case(file, c, judged)));
        json!({
            "version": 1,
            "bundle": bundle,
            "passed": self.count() - self.failed(),
            "failed": self.failed(),
            "cases": cases.collect::<Vec<_>>(),
            "untested": self.untested.iter().map(|id| &id.0).collect::<Vec<_>>(),
        })
    }

    fn shown(&self, policies: &Bundle) -> Page {
        let mut page = Page::of_stdout();
        for (file, cases) in &self.files {
            let about = file.suite.about.as_deref().unwrap_or_default();
            page.line([Part::new(&*file.text.name, Tone::Accent), Part::new(format!("  {about}"), Tone::Faint)]);
            for (case, judged) in cases.iter().filter(|(_, judged)| !judged.misses.is_empty()) {
                failure(&mut page, case, judged);
            }
            let passed = cases.iter().filter(|(_, judged)| judged.misses.is_empty()).count();
            page.line([Part::new(
                format!("  {passed} pass"),
                if passed == cases.len() { Tone::Good } else { Tone::Plain },
            )]);
        }
        page.gap();
        let (count, failed) = (self.count(), self.failed());
        let (words, tone) = match failed {
            0 => ("all pass".to_owned(), Tone::Good),
            1 => ("1 fails".to_owned(), Tone::Bad),
            _ => (format!("{failed} fail"), Tone::Bad),
        };
        let tests = if count == 1 { "1 test".to_owned() } else { format!("{count} tests") };
        page.line([
            Part::plain(format!("{tests} of {} policies: ", policies.policies().count())),
            Part::new(words, tone),
        ]);
        if !self.untested.is_empty() {
            let ids: Vec<String> = self.untested.iter().map(|id| format!("`{id}`")).collect();
            let words = format!("no test makes {} decide", ids.join(", "));
            page.hang([Part::new("note: ", Tone::Warn)], &[words.into()]);
        }
        page
    }
}

fn failure(page: &mut Page, case: &Case, judged: &Judged) {
    page.hang(
        [Part::new("  fails ", Tone::Bad)],
        &[Part::new(&*case.name, Tone::Strong), Part::new(format!(" (line {})", case.span.line), Tone::Faint)],
    );
    for miss in &judged.misses {
        page.hang(["        "], &[miss.as_str().into()]);
    }
    let decision = &judged.answer.decision;
    let by: Vec<String> = decision.policies().iter().map(|id| format!("`{id}`")).collect();
    let by = match decision {
        Decision::Forbid { policies, .. } if policies.is_empty() => "by default".to_owned(),
        _ => format!("by {}", by.join(", ")),
    };
    page.hang([Part::new("        said ", Tone::Faint)], &[format!("{} {by}", decision.verdict()).into()]);
    for reason in &judged.answer.reasons {
        page.hang([Part::new("          ", Tone::Faint)], &[Part::new(&reason.words, Tone::Faint)]);
    }
}
