//! What a person may do here.

use std::collections::BTreeSet;

use sluice_core::contract::approval::{Party, Requirement};
use sluice_core::label::Name;
use sluice_ledger::RunId;
use sluice_runtime::approvals::{Approver, Waiting, definition_requirement};
use sluice_runtime::ledger::{Ledger, LedgerError};
use sluice_runtime::proposal::Proposal;
use sluice_runtime::workspace::Workspace;

/// Everybody whom something that waits concerns: who asked, who is asked, who has spoken.
#[must_use]
pub fn concerned(workspace: &Workspace, waiting: &Waiting) -> BTreeSet<Name> {
    let principals = workspace.principals();
    let mut people = principals.in_charge_of(&waiting.requester);
    people.insert(waiting.requester.clone());
    people.extend(waiting.needs.iter().flat_map(|needed| asked(workspace, needed, &waiting.requester)));
    people.extend(waiting.said.iter().map(|(person, _)| person.clone()));
    people
}

/// The people whose word counts for a requirement.
#[must_use]
pub fn asked(workspace: &Workspace, needed: &Requirement, requester: &Name) -> BTreeSet<Name> {
    let principals = workspace.principals();
    let people = needed.parties.iter().flat_map(|party| match party {
        Party::Principal(id) => principals.persons_of(id),
        Party::ManagerOf(person) => principals.manager_of(person).cloned().into_iter().collect(),
        Party::InChargeOf(id) => principals.in_charge_of(id),
    });
    people.filter(|person| person != requester).collect()
}

/// Whether somebody may see what concerns these people: one of them, or whoever signs the rules.
#[must_use]
pub fn may_see(workspace: &Workspace, person: &Name, concerned: &BTreeSet<Name>) -> bool {
    concerned.contains(person) || is_steward(workspace, person)
}

/// Whether somebody signs the rules of this workspace: they may see all that happens under them.
#[must_use]
pub fn is_steward(workspace: &Workspace, person: &Name) -> bool {
    workspace.bundle().signers().iter().any(|signer| signer == person)
}

/// Whether somebody may see a run: who started it or answers for it, who is asked about it, and whoever signs the rules.
///
/// # Errors
/// [`LedgerError`] if the ledger cannot be read.
pub fn may_see_run(
    workspace: &Workspace,
    ledger: &Ledger,
    person: &Name,
    run: RunId,
    requester: &Name,
) -> Result<bool, LedgerError> {
    if person == requester
        || is_steward(workspace, person)
        || workspace.principals().in_charge_of(requester).contains(person)
    {
        return Ok(true);
    }
    let asked = ledger.look(|records| records.approvals_of(run))?;
    let approver = Approver::new(workspace, ledger);
    let concerns = |waiting: Waiting| concerned(workspace, &waiting).contains(person);
    Ok(asked.iter().any(|row| approver.show(&row.id).is_ok_and(concerns)))
}

/// Whether somebody may see a proposal: who asked or answers for it, who may sign definitions, and whoever signs the rules.
#[must_use]
pub fn may_see_proposal(workspace: &Workspace, person: &Name, proposal: &Proposal) -> bool {
    let signs = definition_requirement(workspace)
        .is_some_and(|needed| needed.asks(workspace.principals(), &proposal.requester, person));
    *person == proposal.requester
        || signs
        || is_steward(workspace, person)
        || workspace.principals().in_charge_of(&proposal.requester).contains(person)
}

/// Whether somebody may read data of a class: its owner, a member of the owning group, or who is listed as reading it.
#[must_use]
pub fn may_read(workspace: &Workspace, person: &Name, class: &str) -> bool {
    let principals = workspace.principals();
    let category = workspace.governance().registers.classification.get(class);
    let owns = category.is_some_and(|category| principals.persons_of(&category.owner.value).contains(person));
    owns || principals.reads(person).contains(class)
}
