//! What Sluice tells an author about a text: findings and errors share one shape.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::edit::Fix;
use crate::text::Span;

/// A stable code, such as `SL201`. Codes are never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub u16);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SL{:03}", self.0)
    }
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Worth mending some day.
    Low,
    /// Worth mending before it runs.
    Medium,
    /// A stranger gains something.
    High,
    /// A stranger gains everything.
    Critical,
}

impl Severity {
    /// The word people and machines read.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How sure it is that a finding is one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// It rests on a guess: what a node of this name does, what lies outside of the text.
    Low,
    /// It is so in most texts that look like this one.
    Medium,
    /// It follows from the text.
    #[default]
    High,
}

impl Confidence {
    /// The word people and machines read.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// One level less.
    #[must_use]
    pub const fn lower(self) -> Self {
        match self {
            Self::High => Self::Medium,
            Self::Medium | Self::Low => Self::Low,
        }
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One stop of a flow: a step of the workflow, and what happens to the value there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowStop {
    /// The step's path in the definition, such as `do/0/fetch`.
    pub step: String,
    /// In words.
    pub what: String,
    /// The file it stands in, where that is another one than the finding's.
    pub file: Option<Arc<str>>,
    /// Where in the text.
    pub span: Span,
}

/// Something that is true of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable code.
    pub code: Code,
    /// Stable kebab-case name of what was found.
    pub name: &'static str,
    /// How much it matters. What stops a text from being analysed is at least [`Severity::High`].
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// Lower case, no full stop, the author's words in backticks.
    pub message: String,
    /// What to do.
    pub help: String,
    /// Where.
    pub span: Span,
    /// The step it is about.
    pub step: Option<String>,
    /// Other places that matter, each with a short note.
    pub annotations: Vec<(Span, String)>,
    /// The path of a value from where it enters to where it acts.
    pub flow: Vec<FlowStop>,
    /// How it is mended without thinking, where it can be.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// A diagnostic without step, annotations, flow and fix.
    pub fn new(
        code: Code,
        name: &'static str,
        severity: Severity,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            code,
            name,
            severity,
            confidence: Confidence::High,
            message: message.into(),
            help: help.into(),
            span,
            step: None,
            annotations: Vec::new(),
            flow: Vec::new(),
            fix: None,
        }
    }

    /// Names the step it is about.
    #[must_use]
    pub fn at_step(mut self, step: impl Into<String>) -> Self {
        self.step = Some(step.into());
        self
    }

    /// Adds another place with a note.
    #[must_use]
    pub fn also(mut self, span: Span, note: impl Into<String>) -> Self {
        self.annotations.push((span, note.into()));
        self
    }
}
