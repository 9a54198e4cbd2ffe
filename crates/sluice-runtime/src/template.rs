//! Templates: definitions with typed holes, signed once for every value within the types.

use sluice_core::contract::Digest;
use sluice_core::contract::closure::{Closure, StepElement};
use sluice_core::hole::{HoleFault, Holes};
use sluice_core::label::{Label, Name, Universe};
use sluice_core::program::Program;
use sluice_core::value::Value;
use sluice_ledger::EntryKind;
use sluice_store::{FIELD_APPROVAL, Page, Query};

use crate::admit::Proposed;
use crate::approvals::{definition_requirement, is_signed};
use crate::ledger::Ledger;
use crate::proposal::{Proposal, ProposalError};
use crate::workspace::Workspace;

/// The text that starts the bytes of what fills a template.
const DOMAIN: &[u8] = b"sluice filled template 1\n";
/// How many proposals are looked through, from the latest on.
const LOOKED_THROUGH: u64 = 5_000;

/// The input of a run: of a template every hole filled, of any other definition what was given.
///
/// # Errors
/// Every [`HoleFault`]: nothing starts with such an input.
pub fn filled(program: &Program, input: serde_json::Value) -> Result<serde_json::Value, Vec<HoleFault>> {
    let holes = &program.document.holes;
    if holes.is_empty() { Ok(input) } else { holes.fill(&input) }
}

/// Why a template is not filled, in words.
#[must_use]
pub fn in_words(faults: &[HoleFault]) -> String {
    let all: Vec<String> = faults.iter().map(ToString::to_string).collect();
    format!("{}; `sluice template show` says what each hole takes", all.join("; "))
}

/// What the steps of a run depend on: of a filled template the values too.
pub(crate) fn closure_of(program: &Program, closure: &Closure, input: &serde_json::Value) -> Closure {
    if program.document.holes.is_empty() {
        return closure.clone();
    }
    let (name, value) = (Name::from("values"), Value::from_json(input, Label::BOTTOM));
    let values = StepElement::arguments([(&name, &value)], &Universe::new()).unwrap_or_default();
    let values = values.into_values().next().unwrap_or_default();
    let bytes = [DOMAIN, &closure.definition.0, &values].concat();
    Closure { template: Some(Digest::of(&bytes)), ..closure.clone() }
}

/// A template that was put before people.
pub struct Template {
    /// As it was recorded.
    pub proposal: Proposal,
    /// As it reads today.
    pub proposed: Proposed,
    /// Whether it may be filled now: signed by as many people as the workspace asks, or nobody is asked.
    pub is_open: bool,
}

impl Template {
    /// What it takes.
    #[must_use]
    pub fn holes(&self) -> &Holes {
        &self.proposed.program().document.holes
    }
}

/// The templates among what was proposed, latest first. What cannot be read under the rules of today is none.
///
/// # Errors
/// [`ProposalError`] if the ledger cannot be read.
pub fn templates(workspace: &Workspace, ledger: &Ledger) -> Result<Vec<Template>, ProposalError> {
    let wanted = Query { kind: Some(EntryKind::PROPOSAL), ..Query::default() };
    let page = Page { before: None, count: LOOKED_THROUGH };
    let mut found = Vec::new();
    for recorded in ledger.look(|records| records.find_page(&wanted, page))? {
        let Some(id) = recorded.entry.body.get(FIELD_APPROVAL).and_then(|id| id.as_text()) else { continue };
        found.extend(template(workspace, ledger, id)?);
    }
    Ok(found)
}

/// The template of that id; `None` if there is none.
///
/// # Errors
/// [`ProposalError`] if the ledger cannot be read.
pub fn template(workspace: &Workspace, ledger: &Ledger, id: &str) -> Result<Option<Template>, ProposalError> {
    let proposal = match Proposal::find(ledger, id) {
        Ok(Some(proposal)) => proposal,
        Ok(None) | Err(ProposalError::Unreadable { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let Ok(proposed) = Proposed::read(&proposal.name, proposal.text.as_bytes()) else { return Ok(None) };
    if proposed.program().document.holes.is_empty() {
        return Ok(None);
    }
    let closure = proposed.closure(workspace).digest();
    let is_open = closure == proposal.closure
        && (definition_requirement(workspace).is_none()
            || is_signed(workspace, ledger, id, closure, &proposal.requester)?);
    Ok(Some(Template { proposal, proposed, is_open }))
}
