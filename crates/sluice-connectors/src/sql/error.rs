//! Why a statement gave nothing.

use sluice_core::diagnostic::Code;
use thiserror::Error;

/// Why a statement gave nothing. No variant carries an argument's value or a row.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SqlError {
    /// SL730.
    #[error("cannot open the database: {why}")]
    Open {
        /// What SQLite said.
        why: String,
    },
    /// SL731.
    #[error("the statement {what}, which its contract does not say")]
    Forbidden {
        /// What it does.
        what: String,
    },
    /// SL732.
    #[error("the statement cannot be prepared: {why}")]
    Malformed {
        /// What is wrong with it.
        why: String,
    },
    /// SL733.
    #[error("the argument `{}` {why}", .name.escape_debug())]
    Argument {
        /// Its name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// SL734.
    #[error("the statement gives more than {max} {what}")]
    Bound {
        /// Rows or bytes.
        what: &'static str,
        /// The bound.
        max: usize,
    },
    /// SL735.
    #[error("the statement's time ran out")]
    Time,
    /// SL736.
    #[error("the database refused the write: {why}")]
    Constraint {
        /// The constraint.
        why: String,
    },
    /// SL737.
    #[error("the column `{column}` holds what JSON cannot say: bytes, infinity or broken text")]
    Value {
        /// The column.
        column: String,
    },
    /// SL738.
    #[error("the database failed: {why}")]
    Failed {
        /// What SQLite said.
        why: String,
    },
    /// SL739.
    #[error("the write was made and its commit failed: {why}")]
    Commit {
        /// What SQLite said.
        why: String,
    },
}

impl SqlError {
    pub(super) fn open(error: impl ToString) -> Self {
        Self::Open { why: error.to_string() }
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        Code(match self {
            Self::Open { .. } => 730,
            Self::Forbidden { .. } => 731,
            Self::Malformed { .. } => 732,
            Self::Argument { .. } => 733,
            Self::Bound { .. } => 734,
            Self::Time => 735,
            Self::Constraint { .. } => 736,
            Self::Value { .. } => 737,
            Self::Failed { .. } => 738,
            Self::Commit { .. } => 739,
        })
    }

    /// What to do.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Open { .. } => "check that the database file exists, who may use it, and who keeps it locked",
            Self::Forbidden { .. } => {
                "declare a writing statement as one; other files, pragmas and the schema stay closed"
            }
            Self::Malformed { .. } => {
                "correct the statement in the contract: one statement, with parameters as `:name`"
            }
            Self::Argument { .. } => "give the arguments that the statement names",
            Self::Bound { .. } => "ask for less, or raise the bound in the contract",
            Self::Time => "ask for less, or raise the time in the contract",
            Self::Constraint { .. } => "nothing was written; correct the values",
            Self::Value { .. } => "convert the column in the statement, for example with `hex()`",
            Self::Failed { .. } => "nothing was written; look at the database",
            Self::Commit { .. } => "look at the database before the call is repeated: the write may be there",
        }
    }

    /// Whether the statement had begun to run.
    pub(super) const fn is_after_start(&self) -> bool {
        match self {
            Self::Open { .. } | Self::Forbidden { .. } | Self::Malformed { .. } | Self::Argument { .. } => false,
            Self::Bound { .. }
            | Self::Time
            | Self::Constraint { .. }
            | Self::Value { .. }
            | Self::Failed { .. }
            | Self::Commit { .. } => true,
        }
    }

    /// Whether a write may be there.
    pub(super) const fn is_in_doubt(&self) -> bool {
        matches!(self, Self::Commit { .. })
    }
}
