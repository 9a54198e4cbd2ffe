//! What the arguments of a held step carry, and which of them are shown to whoever may see that it is held.
//!
//! The console masks the others, the API leaves their values out. What is shown is the same at both.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use sluice_core::gate::Role;
use sluice_core::label::Name;
use sluice_policy::{AtomSet, AtomsOf, GateRequest};
use sluice_runtime::workspace::Workspace;

/// One argument of a held step, as the question about it tells it.
#[derive(Clone, Debug)]
pub struct Argument<'s> {
    /// Its name.
    pub name: &'s str,
    /// What it is for.
    pub role: Option<Role>,
    /// The classes of data in it.
    pub classes: BTreeSet<Name>,
    /// Whose words are in it.
    pub origins: BTreeSet<Name>,
    /// Its value, whole.
    pub value: &'s Json,
    is_known: bool,
}

impl Argument<'_> {
    /// Whether a person decides about this very value: who gets it, where it goes, which object, how much. It is never masked.
    #[must_use]
    pub const fn is_decided_about(&self) -> bool {
        matches!(self.role, Some(Role::Recipient | Role::Destination | Role::Reference | Role::Amount))
    }

    /// Whether somebody owns data in it. Of what no label is known, somebody may.
    #[must_use]
    pub fn has_owner(&self) -> bool {
        !self.classes.is_empty() || !self.is_known
    }
}

/// The arguments of a held step. `request` is the gate's question, if it can still be read.
#[must_use]
pub fn arguments<'s>(
    workspace: &Workspace,
    action: &str,
    sent: &'s Json,
    request: Option<&GateRequest>,
) -> Vec<Argument<'s>> {
    let catalogue = &workspace.governance().catalogue;
    let known = action.split_once('.').and_then(|(connector, action)| catalogue.action(connector, action));
    let Some(fields) = sent.as_object() else { return Vec::new() };
    let one = |(name, value): (&'s String, &'s Json)| {
        let role = known.and_then(|action| action.arguments.get(name.as_str())?.role);
        // Without a role an argument may carry whatever any of them does.
        let of = role.map_or(AtomsOf::Arguments, AtomsOf::Role);
        let atoms = request.map(|request| request.atoms(of));
        let is_known = atoms.as_ref().is_some_and(|atoms| !atoms.unknown);
        let AtomSet { categories, origins, .. } = atoms.unwrap_or_default();
        let classes = categories.into_iter().map(|category| category.class).collect();
        Argument { name, role, classes, origins, value, is_known }
    };
    fields.iter().map(one).collect()
}
