//! Why a command did not do its work, and with which exit code it says so.

use std::error::Error;
use std::process::ExitCode;

use sluice_connectors::secret::SecretError;
use sluice_runtime::approvals::ApprovalError;
use sluice_runtime::audit::{ApprovalProofError, AuditError};
use sluice_runtime::home::HomeError;
use sluice_runtime::init::InitError;
use sluice_runtime::ledger::LedgerError;
use sluice_runtime::proposal::ProposalError;
use sluice_runtime::run::RunError;
use sluice_runtime::workspace::{FileProblem, OpenError};

use crate::render::{Page, Part, Tone, diagnostic};

/// How a command ended. A refused run never looks green.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Fine = 0,
    /// Something was found that should be mended first.
    Findings = 1,
    /// What was typed, or a file that it names, cannot be used.
    Usage = 2,
    /// The work could not be done.
    Internal = 3,
    /// A run waits for people.
    Held = 4,
    /// A run, or an approval, was refused.
    Refused = 5,
    /// A run ended in an error that nothing caught.
    Faulted = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not do its work.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    message: String,
    problems: Vec<FileProblem>,
}

impl Failure {
    /// Of what was typed or named.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into(), problems: Vec::new() }
    }

    /// An error with what caused it.
    #[must_use]
    pub fn internal(error: &dyn Error) -> Self {
        Self::of(Exit::Internal, error)
    }

    /// A fault of this program, in words.
    pub(crate) fn broken(message: impl Into<String>) -> Self {
        Self { exit: Exit::Internal, message: message.into(), problems: Vec::new() }
    }

    /// Something that was asked for was not granted.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self { exit: Exit::Refused, message: message.into(), problems: Vec::new() }
    }

    /// SL795. The demo showed something else than it tells.
    pub(crate) fn unexpected(what: impl AsRef<str>) -> Self {
        let message = format!("SL795: the demo did not go as its story says: {}", what.as_ref());
        Self { exit: Exit::Internal, message, problems: Vec::new() }
    }

    /// Somebody ended the demo before its end.
    pub(crate) fn stopped() -> Self {
        let message = "stopped: nothing of it is left running or on the disk".to_owned();
        Self { exit: Exit::Internal, message, problems: Vec::new() }
    }

    fn of(exit: Exit, error: &dyn Error) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(lower) = cause {
            let text = lower.to_string();
            // Most errors tell their cause in their own words.
            if !message.contains(&text) {
                message = format!("{message}: {text}");
            }
            cause = lower.source();
        }
        Self { exit, message, problems: Vec::new() }
    }

    /// With which code the process ends.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        self.exit
    }

    /// What happened, on one line.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Writes it to the standard error: problems in files first, each in its text.
    pub fn print(&self) {
        let mut page = Page::of_stderr();
        for problem in &self.problems {
            diagnostic::write(&mut page, &problem.text, &problem.diagnostic);
            page.gap();
        }
        let coded = self.message.split_once(": ").filter(|(code, _)| is_code(code));
        let (head, rest) = match coded {
            Some((code, rest)) => (format!("error[{code}]: "), rest),
            None => ("error: ".to_owned(), self.message.as_str()),
        };
        page.hang(Vec::<Part>::new(), &[Part::new(head, Tone::Bad), Part::new(rest, Tone::Strong)]);
        page.print_error();
    }
}

fn is_code(text: &str) -> bool {
    text.strip_prefix("SL").is_some_and(|digits| digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit()))
}

const fn home(error: &HomeError) -> Exit {
    match error {
        HomeError::NoWorkspace { .. } | HomeError::BadId { .. } | HomeError::NoHome | HomeError::Inside { .. } => {
            Exit::Usage
        }
        HomeError::NoKey { .. } | HomeError::Io { .. } => Exit::Internal,
    }
}

const fn ledger(error: &LedgerError) -> Exit {
    match error {
        LedgerError::Home(error) => home(error),
        _ => Exit::Internal,
    }
}

impl From<HomeError> for Failure {
    fn from(error: HomeError) -> Self {
        Self::of(home(&error), &error)
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let exit = match &error {
            OpenError::Home(error) => home(error),
            OpenError::Io { .. } => Exit::Internal,
            _ => Exit::Usage,
        };
        let failure = Self::of(exit, &error);
        match error {
            OpenError::Files { problems } => Self { problems, ..failure },
            _ => failure,
        }
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        Self::of(ledger(&error), &error)
    }
}

impl From<ProposalError> for Failure {
    fn from(error: ProposalError) -> Self {
        Self::internal(&error)
    }
}

impl From<ApprovalError> for Failure {
    fn from(error: ApprovalError) -> Self {
        let exit = match &error {
            ApprovalError::Unknown { .. } | ApprovalError::NoReview { .. } | ApprovalError::NoDelegation { .. } => {
                Exit::Usage
            }
            ApprovalError::ReviewOpen { .. }
            | ApprovalError::NoGlass { .. }
            | ApprovalError::TooFewToTell { .. }
            | ApprovalError::NotReviewer { .. }
            | ApprovalError::Refused { .. }
            | ApprovalError::NotAsked { .. }
            | ApprovalError::Superseded { .. }
            | ApprovalError::Erased { .. } => Exit::Refused,
            ApprovalError::Ledger(error) => ledger(error),
            _ => Exit::Internal,
        };
        Self::of(exit, &error)
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let exit = match &error {
            RunError::Unknown { .. } | RunError::NotInDoubt { .. } | RunError::Connect(_) => Exit::Usage,
            RunError::Drifted { .. } => Exit::Held,
            RunError::NotVerified { .. } => Exit::Refused,
            RunError::Ledger(error) => ledger(error),
            _ => Exit::Internal,
        };
        Self::of(exit, &error)
    }
}

impl From<AuditError> for Failure {
    fn from(error: AuditError) -> Self {
        let exit = match &error {
            AuditError::Home(error) => home(error),
            AuditError::Ledger(error) => ledger(error),
            AuditError::NoCheckpoint { .. } => Exit::Usage,
            _ => Exit::Internal,
        };
        let failure = Self::of(exit, &error);
        match error {
            AuditError::Bundle(OpenError::Files { problems }) => Self { problems, ..failure },
            _ => failure,
        }
    }
}

impl From<ApprovalProofError> for Failure {
    fn from(error: ApprovalProofError) -> Self {
        match error {
            ApprovalProofError::Audit(error) => error.into(),
            error => Self::usage(error.to_string()),
        }
    }
}

impl From<InitError> for Failure {
    fn from(error: InitError) -> Self {
        match error {
            InitError::Open(error) => error.into(),
            InitError::Exists { .. } => Self::of(Exit::Usage, &error),
            InitError::Home(error) => error.into(),
            error => Self::internal(&error),
        }
    }
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        let exit = match &error {
            SecretError::Name { .. } | SecretError::Bound { .. } | SecretError::Unknown { .. } => Exit::Usage,
            _ => Exit::Internal,
        };
        let failure = Self::of(exit, &error);
        Self { message: format!("{}: {}", error.code(), failure.message), ..failure }.with_help(error.help())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::internal(&error)
    }
}

impl Failure {
    fn with_help(mut self, help: &str) -> Self {
        if !help.is_empty() {
            self.message = format!("{}. {help}", self.message);
        }
        self
    }
}
