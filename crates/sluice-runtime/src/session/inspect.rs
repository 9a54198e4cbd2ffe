//! What a session's replies hold.

use sluice_core::label::Name;
use sluice_engine::{CallOutcome, TokenId};

use super::{AgentSession, CameBack, SessionError};
use crate::incident::{Broken, Incident};
use crate::inspection::{Judged, Looked};

/// The action in an incident of what was no reply to a call.
const NO_CALL: &str = "(no call)";

impl AgentSession<'_> {
    /// A connector broke its contract by something that was no reply to a call.
    ///
    /// # Errors
    /// [`SessionError`] if that cannot be recorded.
    pub fn broke(&self, connector: &Name, broken: Broken) -> Result<(), SessionError> {
        let (action, run) = (NO_CALL.into(), self.log.run());
        let incident = Incident { connector: connector.clone(), action, run, broken: vec![broken] };
        Ok(incident.record(self.log.ledger())?)
    }

    /// Looks through what came back, and leaves in the outcome what was found. An error is a reply too.
    pub(super) fn inspect(&self, token: TokenId, came: &mut CameBack) -> Judged {
        let Some(prepared) = self.session.prepared(token) else { return Judged::default() };
        let action = prepared.action.as_ref().and_then(|(c, a)| self.catalogue.action(c, a));
        let arguments = prepared.arguments.to_json().unwrap_or_default();
        let keeps = action.map(|action| action.reply.keeps(&self.universe, prepared.joined).join(action.source));
        let looked = Looked {
            signed: self.workspace.governance(),
            catalogue: &self.catalogue,
            action,
            arguments: &arguments,
            base: keeps.unwrap_or_default(),
            has_places: came.labelled.is_some(),
        };
        match (&mut came.outcome, &came.labelled) {
            (CallOutcome::Replied { found, .. }, Some(reply)) => {
                let judged = looked.judge(reply);
                found.clone_from(&judged.found);
                judged
            }
            (CallOutcome::Replied { reply, found }, None) => {
                let judged = looked.judge(reply);
                found.clone_from(&judged.found);
                judged
            }
            (CallOutcome::Failed { detail }, _) => looked.judge(detail),
            (CallOutcome::InDoubt { .. } | CallOutcome::Breach { .. }, _) => Judged::default(),
        }
    }
}
