//! The only way out: what Sluice does in the world, it does in this crate.
//!
//! A connector performs one call whose arguments are resolved and whose gate has permitted it, and says what became of
//! the *effect* ([`Outcome`]). In scope: the egress client ([`egress`]), the HTTP, SQL and file transports ([`http`],
//! [`sql`], [`files`]) and the sealed store of secrets ([`secret`]), which only these transports open. Not in scope:
//! whether a call may be made (the engine's gate), what its values carry (the labels of `sluice-core`), what is recorded
//! (the ledger), and repeating a call (the engine, under the same key).
//!
//! Nothing here decides. What a connector may reach is handed to it when it is made, from a signed contract: a host and a
//! path, a database and its statements, a folder and its files. Arguments fill holes in that and never choose it.
//!
//! The runtime makes a [`Prepared`] from the engine's `Permitted<Call>` and from nothing else.

pub mod address;
pub mod canary;
pub mod egress;
mod error;
pub mod files;
pub mod http;
pub mod json;
pub mod mail;
pub mod mcp;
pub mod path;
pub mod sandbox;
pub mod secret;
pub mod sql;
pub mod tls;

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

pub use crate::error::ConnectorError;

/// A call that may be made: the runtime's form of the engine's `Permitted<Call>`.
///
/// Not `Clone`: one permit is one call.
pub struct Prepared {
    /// The connector's name in its contract.
    pub connector: String,
    /// The action's name in its contract.
    pub action: String,
    /// The resolved arguments, an object.
    pub arguments: Value,
    /// The effect's key: the same for every attempt at the same effect.
    pub idempotency_key: IdempotencyKey,
    /// The run, for the other side's log.
    pub run: String,
}

impl Prepared {
    pub(crate) fn unknown_action(&self) -> ConnectorError {
        ConnectorError::UnknownAction { connector: self.connector.clone(), action: self.action.clone() }
    }
}

impl fmt::Debug for Prepared {
    // Arguments may be anybody's data, and stay out of every log that prints this.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} for run {}, key {}", self.connector, self.action, self.run, self.idempotency_key)
    }
}

/// The key of one effect; sent as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(pub [u8; 32]);

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// What became of a call's effect.
pub enum Outcome {
    /// It happened, and this came back.
    Reply {
        /// The HTTP status, where there is one.
        status: Option<u16>,
        /// What came back, to be labelled as the contract says.
        value: Value,
    },
    /// It reached the other side and surely did not happen, or was a reading that gave nothing.
    Rejected {
        /// The HTTP status, where there is one.
        status: Option<u16>,
        /// Why.
        why: ConnectorError,
    },
    /// It may have happened. Only the other side knows.
    InDoubt {
        /// Why that is not known.
        why: ConnectorError,
    },
    /// Nothing left this process.
    NotSent {
        /// Why.
        why: ConnectorError,
    },
}

impl fmt::Debug for Outcome {
    // A reply may hold anything, so it is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reply { status, .. } => write!(f, "Reply(status {status:?})"),
            Self::Rejected { status, why } => write!(f, "Rejected(status {status:?}, {}: {why})", why.code()),
            Self::InDoubt { why } => write!(f, "InDoubt({}: {why})", why.code()),
            Self::NotSent { why } => write!(f, "NotSent({}: {why})", why.code()),
        }
    }
}

/// One thing outside, as its contract describes it.
#[derive(Clone, Debug)]
pub enum Connector {
    /// A service behind HTTP.
    Http(Arc<http::HttpConnector>),
    /// A database.
    Sql(Arc<sql::SqlConnector>),
    /// A folder.
    Files(Arc<files::FilesConnector>),
}

impl Connector {
    /// Performs one call, once.
    ///
    /// Databases and files block, so they run on the runtime's threads for that. If this future is dropped before it is
    /// ready, the call is in doubt.
    pub async fn call(&self, call: Prepared) -> Outcome {
        match self {
            Self::Http(http) => http.call(&call).await,
            Self::Sql(sql) => {
                let sql = Arc::clone(sql);
                blocking(move || sql.call(&call)).await
            }
            Self::Files(files) => {
                let files = Arc::clone(files);
                blocking(move || files.call(&call)).await
            }
        }
    }
}

async fn blocking(work: impl FnOnce() -> Outcome + Send + 'static) -> Outcome {
    // A worker that died may have died before or after its effect.
    tokio::task::spawn_blocking(work).await.unwrap_or(Outcome::InDoubt { why: ConnectorError::Interrupted })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_worker_that_dies_leaves_its_call_in_doubt() {
        let outcome = blocking(|| panic!("as if the disk driver had done it")).await;
        assert!(matches!(&outcome, Outcome::InDoubt { why } if why.code().0 == 761), "{outcome:?}");
    }

    #[test]
    fn a_key_is_sixty_four_digits() {
        assert_eq!(IdempotencyKey([0x0a; 32]).to_string(), "0a".repeat(32));
    }
}
