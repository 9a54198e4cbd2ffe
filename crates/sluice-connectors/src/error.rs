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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    /// Every file that gives codes, as text: what is written in them is what the manual says.
    const FILES: [&str; 6] = [
        include_str!("error.rs"),
        include_str!("egress/error.rs"),
        include_str!("http.rs"),
        include_str!("sql/error.rs"),
        include_str!("files/error.rs"),
        include_str!("secret.rs"),
    ];

    #[test]
    fn every_code_is_written_once_and_given_by_its_variant() {
        let mut given = BTreeMap::new();
        for text in FILES {
            let mut variants = BTreeMap::new();
            let mut lines = text.lines().map(str::trim);
            while let Some(line) = lines.next() {
                let Some(code) = line.strip_prefix("/// SL").and_then(|rest| rest.strip_suffix('.')) else { continue };
                let message =
                    lines.next().and_then(|line| line.strip_prefix("#[error(\"")).expect("a message follows its code");
                assert!(!message.starts_with(char::is_uppercase) && !message.contains(".\""), "{message}");
                let variant =
                    lines.find(|line| !line.starts_with('#')).and_then(|line| line.split([' ', ',']).next()).unwrap();
                assert_eq!(given.insert(code.to_owned(), variant.to_owned()), None, "SL{code} is given twice");
                variants.insert(variant.to_owned(), code.to_owned());
            }
            assert!(!variants.is_empty());
            for (variant, code) in variants {
                let arms = [format!("Self::{variant} {{ .. }} => {code},"), format!("Self::{variant} => {code},")];
                let arms =
                    arms.into_iter().chain([format!("{{ .. }} => Code({code})"), format!("{variant} => Code({code})")]);
                assert!(arms.into_iter().any(|arm| text.contains(&arm)), "`{variant}` does not give SL{code}");
            }
        }
        assert!(given.len() >= 56, "{given:?}");
        assert!(given.keys().all(|code| code.starts_with('7') && code.len() == 3), "{given:?}");
    }
}
