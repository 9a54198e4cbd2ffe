//! A call of the program with all that is known of it.

use sluice_core::catalogue::{Action, Catalogue};
use sluice_core::label::Name;
use sluice_core::program::{CallTarget, Node, NodeId, NodeKind, Step};
use sluice_core::text::Span;
use sluice_core::transfer::Prepared;

use crate::verdict::{Predicted, World, predict};

/// One call that some run may get to.
#[derive(Clone, Debug)]
pub(crate) struct Site<'a> {
    pub(crate) id: NodeId,
    pub(crate) node: &'a Node,
    pub(crate) step: &'a Step,
    pub(crate) action: Option<&'a Action>,
    pub(crate) prepared: &'a Prepared,
    pub(crate) predicted: Predicted,
}

impl Site<'_> {
    /// The action for people: `crm.accounts.list`, or what the text calls.
    pub(crate) fn name(&self) -> String {
        match (self.action, &self.node.kind) {
            (Some(action), _) => action.full_name(),
            (None, NodeKind::Call { target: CallTarget::Action { connector, action }, .. }) => {
                format!("{connector}.{action}")
            }
            (None, NodeKind::Call { target: CallTarget::Builtin(function), .. }) => function.name().to_owned(),
            (None, _) => "http".to_owned(),
        }
    }

    pub(crate) const fn span(&self) -> Span {
        self.node.span
    }

    /// The destination, if the call has a known one.
    pub(crate) fn destination(&self) -> Option<&Name> {
        self.prepared.resource.as_ref()
    }
}

/// Every call at a gate, in the order of the program.
pub(crate) fn sites<'a>(world: &World<'a>) -> Vec<Site<'a>> {
    let program = world.program;
    let calls = program.nodes().filter(|(_, node)| matches!(node.kind, NodeKind::Call { .. }));
    calls
        .filter_map(|(id, node)| {
            let prepared = world.analysis.prepared(id)?;
            let action = action_of(world.catalogue, prepared);
            let predicted = predict(world, id, action, prepared);
            Some(Site { id, node, step: program.step_of(id)?, action, prepared, predicted })
        })
        .collect()
}

fn action_of<'a>(catalogue: &'a Catalogue, prepared: &Prepared) -> Option<&'a Action> {
    let (connector, action) = prepared.action.as_ref()?;
    catalogue.action(connector, action)
}
