//! The JSON of `sluice check`, version 1: what outside checks read.

use serde::Serialize;
use sluice_core::diagnostic::{Confidence, Diagnostic, Severity};
use sluice_core::gate::Verdict;
use sluice_core::text::Span;

use crate::report::{Report, StepReport};
use crate::survey::Facts;

/// The version of [`CheckReport`].
pub const CHECK_VERSION: u32 = 1;

/// All files of one `check`.
#[derive(Clone, Debug, Serialize)]
pub struct CheckReport<F = Vec<FileReport>> {
    /// [`CHECK_VERSION`].
    pub version: u32,
    /// In the order they were named.
    pub files: F,
}

impl<F> CheckReport<F> {
    /// The files under the version that this program writes: a list of [`FileReport`], or what is written as one.
    #[must_use]
    pub const fn new(files: F) -> Self {
        Self { version: CHECK_VERSION, files }
    }
}

impl CheckReport {
    /// Whether anything is worth mending before it runs: exit code 1.
    #[must_use]
    pub fn is_alarming(&self) -> bool {
        self.files.iter().flat_map(|file| &file.findings).any(|finding| finding.severity >= Severity::Medium)
    }
}

/// Whether a text could be analysed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It was analysed.
    Checked,
    /// It could not be read, lowered or analysed.
    Refused,
}

/// One file.
#[derive(Clone, Debug, Serialize)]
pub struct FileReport {
    /// As it was named.
    pub path: String,
    /// Which format it has: `open-workflow`, …
    pub format: String,
    /// Whether it could be analysed.
    pub status: Status,
    /// What is true of it.
    pub findings: Vec<Finding>,
    /// Its calls.
    pub steps: Vec<StepLine>,
    /// What was not shown.
    pub not_shown: Vec<String>,
    /// Of an imported workflow, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
}

impl FileReport {
    /// A file that was analysed.
    #[must_use]
    pub fn checked(path: impl Into<String>, format: impl Into<String>, report: &Report) -> Self {
        Self {
            path: path.into(),
            format: format.into(),
            status: Status::Checked,
            findings: report.findings.iter().map(Finding::of).collect(),
            steps: report.steps.iter().map(StepLine::of).collect(),
            not_shown: report.not_shown.clone(),
            facts: None,
        }
    }

    /// A file that could not be read or lowered.
    #[must_use]
    pub fn refused(path: impl Into<String>, format: impl Into<String>, errors: &[Diagnostic]) -> Self {
        Self {
            path: path.into(),
            format: format.into(),
            status: Status::Refused,
            findings: errors.iter().map(Finding::of).collect(),
            steps: Vec::new(),
            not_shown: Vec::new(),
            facts: None,
        }
    }
}

/// One finding.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// `SL201`.
    pub code: String,
    /// Its stable name.
    pub name: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// What.
    pub message: String,
    /// What to do.
    pub help: String,
    /// Where.
    pub span: Place,
    /// The step's path; `null` for what is about the whole text.
    pub step: Option<String>,
    /// From where it enters to where it acts.
    pub flow: Vec<Stop>,
}

impl Finding {
    /// A diagnostic as the interface writes it.
    #[must_use]
    pub fn of(diagnostic: &Diagnostic) -> Self {
        let stop = |s: &sluice_core::diagnostic::FlowStop| Stop {
            step: s.step.clone(),
            what: s.what.clone(),
            file: s.file.as_deref().map(str::to_owned),
            span: Place::of(s.span),
        };
        Self {
            code: diagnostic.code.to_string(),
            name: diagnostic.name,
            severity: diagnostic.severity,
            confidence: diagnostic.confidence,
            message: diagnostic.message.clone(),
            help: diagnostic.help.clone(),
            span: Place::of(diagnostic.span),
            step: diagnostic.step.clone(),
            flow: diagnostic.flow.iter().map(stop).collect(),
        }
    }
}

/// A place in the text: lines and columns from 1, the end exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Line of the first character.
    pub line: u32,
    /// Column of the first character.
    pub column: u32,
    /// Line of the character after the last.
    pub end_line: u32,
    /// Column of the character after the last.
    pub end_column: u32,
}

impl Place {
    const fn of(span: Span) -> Self {
        Self { line: span.line, column: span.column, end_line: span.end_line, end_column: span.end_column }
    }
}

/// One stop of a flow.
#[derive(Clone, Debug, Serialize)]
pub struct Stop {
    /// The step's path.
    pub step: String,
    /// What happens there.
    pub what: String,
    /// The file it stands in, where that is another one than the finding's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Where in the text.
    pub span: Place,
}

/// One call.
#[derive(Clone, Debug, Serialize)]
pub struct StepLine {
    /// The step's path.
    pub step: String,
    /// What is called.
    pub action: String,
    /// What policy is predicted to say.
    pub verdict: Verdict,
    /// Labels by name.
    pub labels: Vec<String>,
    /// The determining policies in words.
    pub policies: Vec<String>,
    /// Who must agree.
    pub approvals: Vec<String>,
}

impl StepLine {
    fn of(step: &StepReport) -> Self {
        Self {
            step: step.step.clone(),
            action: step.action.clone(),
            verdict: step.verdict,
            labels: step.labels.clone(),
            policies: step.policies.clone(),
            approvals: step.approvals.clone(),
        }
    }
}
