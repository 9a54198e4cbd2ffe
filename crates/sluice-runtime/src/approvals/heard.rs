//! By what statements are judged at this moment: whose passkeys count, and who may speak in whose place.

use std::collections::BTreeSet;
use std::sync::Arc;

use sluice_core::contract::approval::{Delegated, Enrolled, Known, Nonce, Question};
use sluice_core::contract::closure::ClosureDigest;
use sluice_core::label::Name;

use super::Waiting;
use crate::delegation::{self, delegated};
use crate::enrolment::{self, passkeys};
use crate::ledger::{Ledger, LedgerError};
use crate::workspace::Workspace;

/// What stands for people now, and who may speak in whose place.
#[derive(Clone)]
pub(crate) struct Heard {
    passkeys: Vec<Enrolled>,
    pub(super) delegations: Vec<Delegated>,
}

impl Heard {
    /// The same for whoever only looks: it is read again once another entry tells of passkeys or delegations, a key is
    /// destroyed, or the workspace was opened again.
    pub(super) fn kept(workspace: &Workspace, ledger: &Ledger) -> Result<Arc<Self>, LedgerError> {
        let stands = ledger.look(|records| {
            Ok([records.stand(None, Some(enrolment::TOPIC))?, records.stand(None, Some(delegation::TOPIC))?])
        })?;
        if let Some(heard) = ledger.kept().heard.get(&workspace.serial(), &stands) {
            return Ok(heard);
        }
        let heard = Arc::new(Self::now(workspace, ledger)?);
        let bytes = 512 * (heard.passkeys.len() + heard.delegations.len());
        ledger.kept().heard.put(workspace.serial(), &stands, &heard, bytes);
        Ok(heard)
    }

    pub(super) fn now(workspace: &Workspace, ledger: &Ledger) -> Result<Self, LedgerError> {
        let passkeys: Vec<Enrolled> = passkeys(ledger)?.into_iter().map(|listed| listed.enrolled).collect();
        let (mode, principals) = (workspace.bundle().workspace().mode, workspace.principals());
        let delegations = delegated(ledger, &Known { mode, principals, passkeys: &passkeys })?;
        Ok(Self { passkeys, delegations })
    }

    /// The same without delegations that are over: a word in somebody's place is taken only while they let one.
    pub(super) fn in_force(mut self, now_ms: u64) -> Self {
        self.delegations.retain(|one| one.is_in_force(now_ms));
        self
    }

    /// By what statements about a closure are judged now.
    pub(super) fn asking<'q>(
        &'q self,
        workspace: &'q Workspace,
        ledger: &Ledger,
        closure: ClosureDigest,
        requester: &'q Name,
    ) -> Question<'q> {
        const NOBODY: &BTreeSet<Nonce> = &BTreeSet::new();
        Question {
            closure,
            requester,
            mode: workspace.bundle().workspace().mode,
            principals: workspace.principals(),
            passkeys: &self.passkeys,
            delegations: &self.delegations,
            glass: None,
            seen: NOBODY,
            now_ms: ledger.clock().now_ms(),
        }
    }

    /// Everybody whose word counts, and those who may speak in their place now.
    pub(super) fn asked(&self, workspace: &Workspace, ledger: &Ledger, waiting: &Waiting) -> BTreeSet<Name> {
        let (requester, now_ms) = (&waiting.requester, ledger.clock().now_ms());
        let mut all = BTreeSet::new();
        for needed in &waiting.needs {
            let people: BTreeSet<Name> =
                needed.people(workspace.principals(), requester).into_iter().flatten().collect();
            let speak = |one: &&Delegated| {
                one.is_in_force(now_ms) && one.covers(&needed.role) && people.contains(&one.by) && one.to != *requester
            };
            all.extend(self.delegations.iter().filter(speak).map(|one| one.to.clone()));
            all.extend(people);
        }
        all
    }
}
