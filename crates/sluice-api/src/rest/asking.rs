//! A request of somebody who may make it, with the rules that hold for it.

use std::sync::Arc;

use sluice_runtime::workspace::Workspace;

use super::asker::Asker;
use super::problem::Problem;
use super::scope::Scope;
use crate::house::House;
use crate::rights::{may_manage_people, may_see_ledger};

/// A request, under the rules of this moment.
pub(crate) struct Asking {
    pub(crate) house: Arc<House>,
    pub(crate) workspace: Arc<Workspace>,
    pub(crate) asker: Asker,
}

/// Does what somebody asks with a scope, where reading the ledger holds nobody up. There is no other way to the rules.
pub(crate) async fn asked<T: Send + 'static>(
    house: Arc<House>,
    asker: Asker,
    scope: Scope,
    deed: impl FnOnce(&Asking) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    asker.may(scope)?;
    let done = tokio::task::spawn_blocking(move || {
        let workspace = house.workspace().map_err(|why| Problem::broken(&why))?;
        deed(&Asking { house, workspace, asker })
    });
    let broke = || Err(Problem::broken("this could not be answered; what was tried is in the ledger, if anything was"));
    done.await.unwrap_or_else(|_| broke())
}

impl Asking {
    /// Whether a person asks who manages people here.
    pub(crate) fn is_steward(&self) -> bool {
        self.asker.is_person() && may_manage_people(&self.workspace, &self.asker.principal)
    }

    /// Whether a person asks who may see the whole ledger.
    pub(crate) fn sees_ledger(&self) -> bool {
        self.asker.is_person() && may_see_ledger(&self.workspace, &self.asker.principal)
    }
}
