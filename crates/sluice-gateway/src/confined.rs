//! What confined servers try to reach and may not: told to people.

use std::convert::Infallible;

use futures_util::future::join_all;
use sluice_connectors::sandbox::Attempts;
use sluice_core::label::Name;

use crate::proxy::note;

/// Tells each attempt, and never ends.
pub(crate) async fn watch(servers: Vec<(Name, Attempts)>) -> Infallible {
    let each = servers.into_iter().map(|(connector, mut attempts)| async move {
        while let Some(attempt) = attempts.recv().await {
            note(&format!("SL949: `{connector}` tried to reach {attempt}, which its contract does not name"));
        }
    });
    join_all(each).await;
    std::future::pending().await
}
