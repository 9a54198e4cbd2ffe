//! Why a file was not read or written.

use std::io;

use sluice_core::diagnostic::Code;
use thiserror::Error;

/// Why a file was not read or written. No variant carries a row or the text of an argument.
#[derive(Debug, Error)]
pub enum FilesError {
    /// SL740.
    #[error("`{path}` is not a path of plain names below the folder")]
    Contract {
        /// The contract's path.
        path: String,
    },
    /// SL741.
    #[error("the argument `{}` {why}", .name.escape_debug())]
    Argument {
        /// Its name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// SL742.
    #[error("there is no file `{path}`")]
    Missing {
        /// The path below the folder.
        path: String,
    },
    /// SL743.
    #[error("`{path}` is not a regular file")]
    NotAFile {
        /// The path below the folder.
        path: String,
    },
    /// SL744.
    #[error("the file is larger than {bytes_max} bytes")]
    Bytes {
        /// The bound.
        bytes_max: usize,
    },
    /// SL745.
    #[error("there are more than {rows_max} rows")]
    Rows {
        /// The bound.
        rows_max: usize,
    },
    /// SL746.
    #[error("row {row} {why}")]
    Row {
        /// Which one, counted from 1.
        row: usize,
        /// What is wrong with it.
        why: String,
    },
    /// SL747.
    #[error("cannot {deed}: {source}")]
    Io {
        /// What was being done.
        deed: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// SL748.
    #[error("the file is written, and may not outlast a power cut: {source}")]
    Unsettled {
        /// What the system said.
        source: io::Error,
    },
    /// SL749.
    #[error("the first line of `{path}` names other columns than the contract")]
    Columns {
        /// The path below the folder.
        path: String,
    },
}

impl FilesError {
    pub(super) fn io(deed: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { deed, source }
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        Code(match self {
            Self::Contract { .. } => 740,
            Self::Argument { .. } => 741,
            Self::Missing { .. } => 742,
            Self::NotAFile { .. } => 743,
            Self::Bytes { .. } => 744,
            Self::Rows { .. } => 745,
            Self::Row { .. } => 746,
            Self::Io { .. } => 747,
            Self::Unsettled { .. } => 748,
            Self::Columns { .. } => 749,
        })
    }

    /// What to do.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Contract { .. } => "write the path like `reports/{month}.csv`: no `..`, no leading slash or dot",
            Self::Argument { .. } => "give the arguments that the contract of the action names",
            Self::Missing { .. } => "check the path; a file is read only where one is",
            Self::NotAFile { .. } => "folders, pipes and devices are neither read nor written",
            Self::Bytes { .. } | Self::Rows { .. } => "use less at once, or raise the bound in the contract",
            Self::Row { .. } => "give each row the columns that the contract names, with plain values",
            Self::Io { .. } => "check that the folder exists and who may read and write it; nothing was changed",
            Self::Unsettled { .. } => "look at the disk; repeating the call under the same key is harmless",
            Self::Columns { .. } => "move the file away, or correct the columns in the contract",
        }
    }
}
