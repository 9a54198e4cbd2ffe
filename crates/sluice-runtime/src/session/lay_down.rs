//! How a session takes a plan: in time, once, and only if its gates would let it happen.

use serde_json::Value as Json;
use sluice_core::label::{Atom, Label, Name};
use sluice_core::program::NodeId;
use sluice_core::transfer::{Prepared, prepare_action};
use sluice_engine::{EffectKey, GateAnswer, Question, TokenId};
use sluice_policy::Standing;

use super::{AgentSession, MODEL, Plan, PlanError, SessionError, Tools, Where};

/// What policy will probably say of a plan's calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreseen {
    /// For each of them: whether a person will be asked, if outsiders' words fill its holes.
    pub asks: Vec<bool>,
}

impl AgentSession<'_> {
    /// Takes a plan, which from here on says what may be called.
    ///
    /// # Errors
    /// [`SessionError`] if it cannot be recorded; the inner error if the plan is none, or comes too late.
    pub async fn lay_down(
        &mut self,
        written: &Json,
        tools: &Tools<'_>,
    ) -> Result<Result<Foreseen, PlanError>, SessionError> {
        let read = || {
            if self.plan.is_some() {
                return Err(PlanError::Standing);
            }
            if self.is_tainted() {
                return Err(PlanError::TooLate);
            }
            let plan = Plan::read(written, &self.catalogue, tools)?;
            let foreseen = self.foresee(&plan)?;
            Ok((plan, foreseen))
        };
        let (plan, foreseen) = match read() {
            Ok(read) => read,
            Err(error) => return Ok(Err(error)),
        };
        let record = self.session.planned(written.clone(), self.log.ledger().clock().now_ms());
        self.log.write(&[record]).await?;
        self.plan = Some(plan);
        Ok(Ok(foreseen))
    }

    /// What the gate would say of each call of a plan, its holes filled with words of whatever the plan reads.
    fn foresee(&self, plan: &Plan) -> Result<Foreseen, PlanError> {
        let reply = |(connector, action, _): (&Name, &Name, Json)| {
            let action = self.catalogue.action(connector, action)?;
            Some(action.labels.predicted(action.source).deep_label())
        };
        let read = Label::join_all(plan.calls().filter_map(reply));
        let mut asks = Vec::new();
        for (index, (connector, action, arguments)) in plan.calls().enumerate() {
            let Some(action) = self.catalogue.action(connector, action) else { continue };
            let labelled = plan.labelled(index, &arguments, &self.given, self.model(), read);
            match self.predict(prepare_action(&self.universe, action, labelled, Label::BOTTOM)) {
                GateAnswer::Forbid { code, .. } => {
                    return Err(PlanError::Refused { at: Where { call: index + 1, argument: None }, code });
                }
                answer => asks.push(matches!(answer, GateAnswer::Hold { .. })),
            }
        }
        Ok(Foreseen { asks })
    }

    /// The gate's answer about a call that nobody makes.
    fn predict(&self, prepared: Prepared) -> GateAnswer {
        let key = EffectKey::from_bytes([0; 32]);
        let question = Question { token: TokenId(u32::MAX), node: NodeId(0), prepared, key, calls: 0, before: None };
        self.answer(&question, Standing::Planned)
    }

    /// The label of what the model made up itself.
    pub(super) fn model(&self) -> Label {
        self.universe.label(&Atom::Origin(MODEL.into()))
    }
}
