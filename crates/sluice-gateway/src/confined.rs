//! What is known of servers beside their pipes: the secrets that they were given, and what those that are confined tried
//! to reach and may not.

use std::time::Duration;

use futures_util::future::try_join_all;
use sluice_connectors::canary::Canary;
use sluice_connectors::sandbox::Attempts;
use sluice_core::label::Name;
use sluice_runtime::incident::Broken;
use tokio::io::AsyncWrite;

use crate::mirrored::Heads;
use crate::proxy::{Proxy, ProxyError};

/// How often it is looked whether there is a session that an attempt can be told to.
const LOOKS_EVERY: Duration = Duration::from_millis(200);

/// What a server was given, and what it does beside its pipe.
#[derive(Default)]
pub struct Beside {
    /// The secrets, none of which it may repeat.
    pub canary: Canary,
    /// Of those that are confined: what they tried to reach.
    pub attempts: Vec<(Name, Attempts)>,
    /// What the heads of an agent's calls say, where there are heads.
    pub(crate) heads: Option<Heads>,
}

impl<W: AsyncWrite + Unpin, S: AsyncWrite + Unpin> Proxy<'_, W, S> {
    /// Records each attempt as a broken contract, which stops its connector. Ends only if that cannot be recorded.
    pub(crate) async fn watch(&self, attempts: Vec<(Name, Attempts)>) -> Result<(), ProxyError> {
        try_join_all(attempts.into_iter().map(|(connector, attempts)| self.watch_one(connector, attempts))).await?;
        std::future::pending().await
    }

    async fn watch_one(&self, connector: Name, mut attempts: Attempts) -> Result<(), ProxyError> {
        let mut is_recorded = false;
        while let Some(attempt) = attempts.recv().await {
            self.note(&format!("SL949: `{connector}` tried to reach {attempt}, which its contract does not name"));
            while !is_recorded {
                if let Some(session) = self.session.lock().await.as_ref() {
                    session.broke(&connector, Broken::Elsewhere)?;
                    is_recorded = true;
                    continue;
                }
                // Before the first list of tools there is none, and nothing can be called.
                tokio::time::sleep(LOOKS_EVERY).await;
            }
        }
        Ok(())
    }
}
