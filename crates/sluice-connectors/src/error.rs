//! One error for every transport: a code, words, and what to do.

use sluice_core::diagnostic::Code;
use thiserror::Error;

use crate::egress::EgressError;
use crate::files::FilesError;
use crate::http::HttpError;
use crate::secret::SecretError;
use crate::sql::SqlError;

/// Why a call gave no reply. None of its words hold an argument's value, a reply or a secret, with one exception that is
/// an outsider's text and shown escaped: where a redirect leads.
#[derive(Debug, Error)]
pub enum ConnectorError {
    /// SL760.
    #[error("the contract of `{connector}` has no action `{action}`")]
    UnknownAction {
        /// The connector.
        connector: String,
        /// The action that was asked for.
        action: String,
    },
    /// SL761.
    #[error("the call was interrupted on this machine")]
    Interrupted,
    /// The way out.
    #[error(transparent)]
    Egress(#[from] EgressError),
    /// The HTTP transport.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The SQL transport.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// The file transport.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The sealed store.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl ConnectorError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::UnknownAction { .. } => Code(760),
            Self::Interrupted => Code(761),
            Self::Egress(error) => error.code(),
            Self::Http(error) => error.code(),
            Self::Sql(error) => error.code(),
            Self::Files(error) => error.code(),
            Self::Secret(error) => error.code(),
        }
    }

    /// What to do.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::UnknownAction { .. } => "`sluice connector list` shows the actions that contracts declare",
            Self::Interrupted => "look at the other side before the call is repeated: it may have acted",
            Self::Egress(error) => error.help(),
            Self::Http(error) => error.help(),
            Self::Sql(error) => error.help(),
            Self::Files(error) => error.help(),
            Self::Secret(error) => error.help(),
        }
    }
}
