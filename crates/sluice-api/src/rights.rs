//! What a person may do here.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use sluice_core::contract::approval::{Party, Requirement};
use sluice_core::label::Name;
use sluice_ledger::RunId;
use sluice_policy::own::{Asking, Deciding, Deed, Entry};
use sluice_runtime::approvals::{About, Approver, Broken, Waiting, definition_requirement};
use sluice_runtime::ledger::{Ledger, LedgerError};
use sluice_runtime::proposal::Proposal;
use sluice_runtime::stop::Stop;
use sluice_runtime::workspace::Workspace;

/// Everybody whom something that waits concerns: who asked, who is asked, who has spoken, and of a step whoever may break the
/// glass for it.
#[must_use]
pub fn concerned(workspace: &Workspace, waiting: &Waiting) -> BTreeSet<Name> {
    let principals = workspace.principals();
    let mut people = principals.in_charge_of(&waiting.requester);
    people.insert(waiting.requester.clone());
    people.extend(waiting.asked.iter().cloned());
    if let (About::Step { .. }, Some(glass)) = (&waiting.about, &workspace.bundle().workspace().break_glass) {
        people.extend(principals.persons_of(glass));
    }
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

/// Whether somebody may see what concerns these people, by the workspace's own policies.
#[must_use]
pub fn may_see(workspace: &Workspace, person: &Name, concerned: &BTreeSet<Name>) -> bool {
    may(workspace, person, Deed::See, concerned)
}

/// What one person may see, for whoever asks about many things at once: what concerns the same people is judged once.
pub struct Sight<'w> {
    workspace: &'w Workspace,
    person: &'w Name,
    judged: RefCell<HashMap<BTreeSet<Name>, bool>>,
}

impl<'w> Sight<'w> {
    /// Of a person, by the rules of this moment. It is for one answer and never kept.
    #[must_use]
    pub fn of(workspace: &'w Workspace, person: &'w Name) -> Self {
        Self { workspace, person, judged: RefCell::default() }
    }

    /// [`may_see`].
    #[must_use]
    pub fn may_see(&self, concerned: BTreeSet<Name>) -> bool {
        if let Some(judged) = self.judged.borrow().get(&concerned) {
            return *judged;
        }
        let may = may_see(self.workspace, self.person, &concerned);
        self.judged.borrow_mut().insert(concerned, may);
        may
    }

    /// [`may_see_run`], of a run that asked people for these.
    #[must_use]
    pub fn may_see_run(&self, requester: &Name, asked: &[Waiting]) -> bool {
        let mut people = self.workspace.principals().in_charge_of(requester);
        people.insert(requester.clone());
        people.extend(asked.iter().flat_map(|waiting| concerned(self.workspace, waiting)));
        self.may_see(people)
    }
}

/// Whether somebody may see the whole ledger.
#[must_use]
pub fn may_see_ledger(workspace: &Workspace, person: &Name) -> bool {
    may(workspace, person, Deed::SeeLedger, &BTreeSet::new())
}

/// Whether somebody may invite people, and remove passkeys of others.
#[must_use]
pub fn may_manage_people(workspace: &Workspace, person: &Name) -> bool {
    may(workspace, person, Deed::ManagePeople, &BTreeSet::new())
}

/// Whether somebody may stop this: anybody of the register, unless the workspace's own policies forbid it.
#[must_use]
pub fn may_stop(workspace: &Workspace, person: &Name, what: &Stop) -> bool {
    is_person(workspace, person) && may(workspace, person, Deed::Stop, &answering(workspace, what))
}

/// Whether somebody may let this go on: whoever the workspace's own policies permit it, by default those who sign the rules.
#[must_use]
pub fn may_let_go_on(workspace: &Workspace, person: &Name, what: &Stop) -> bool {
    is_person(workspace, person) && may(workspace, person, Deed::GoOn, &answering(workspace, what))
}

/// Whether somebody may end a run: whoever it is for, who answers for them, and who manages people here.
#[must_use]
pub fn may_end_run(workspace: &Workspace, who: &Name, requester: &Name) -> bool {
    let is_in_charge = || workspace.principals().in_charge_of(requester).contains(who);
    who == requester || is_in_charge() || (is_person(workspace, who) && may_manage_people(workspace, who))
}

fn is_person(workspace: &Workspace, name: &Name) -> bool {
    workspace.principals().persons.entries.contains_key(name)
}

/// The people who answer for what is stopped.
fn answering(workspace: &Workspace, what: &Stop) -> BTreeSet<Name> {
    let principals = workspace.principals();
    match what {
        Stop::Everything | Stop::Workflow(_) => BTreeSet::new(),
        Stop::Principal(name) | Stop::Author(name) => principals.in_charge_of(name),
        Stop::Connector(connector) | Stop::Action(connector, _) => {
            let mut contracts = workspace.governance().contracts.iter();
            let contract = contracts.find(|contract| contract.connector.value == *connector);
            let owner = contract.and_then(|contract| contract.owner.as_ref());
            owner.map(|owner| principals.persons_of(&owner.value)).unwrap_or_default()
        }
    }
}

/// Whether somebody who has come in like that may give their word on what concerns these people, by the workspace's own
/// policies. Whether it counts is the gate's to say.
#[must_use]
pub fn may_decide(workspace: &Workspace, person: &Name, entry: &Entry, concerned: &BTreeSet<Name>) -> Deciding {
    may_as(workspace, person, (Deed::Decide, entry), concerned)
}

/// Whether somebody who has come in like that may start a run of what they asked for, by the workspace's own policies. What
/// it does is the gate's to judge.
#[must_use]
pub fn may_start(workspace: &Workspace, requester: &Name, entry: &Entry) -> Deciding {
    let mut people = workspace.principals().in_charge_of(requester);
    people.insert(requester.clone());
    may_as(workspace, requester, (Deed::Start, entry), &people)
}

fn may_as(workspace: &Workspace, person: &Name, (deed, entry): (Deed, &Entry), concerned: &BTreeSet<Name>) -> Deciding {
    let groups = workspace.principals().groups_of(person);
    let signs = workspace.bundle().signers().iter().any(|signer| signer == person);
    workspace.own_rules().allow_as(Asking { person, groups: &groups, signs }, deed, entry, concerned)
}

/// Why somebody may not decide, in words; `None` if they may.
#[must_use]
pub fn why_undecided(deciding: &Deciding) -> Option<String> {
    why_not(deciding, "decide this")
}

/// Why somebody may not start a run, in words; `None` if they may.
#[must_use]
pub fn why_not_started(deciding: &Deciding) -> Option<String> {
    why_not(deciding, "start this")
}

fn why_not(deciding: &Deciding, deed: &str) -> Option<String> {
    match deciding {
        Deciding::Yes => None,
        Deciding::StepUp(levels) => {
            let levels = levels.iter().map(|level| format!("`{level}`")).collect::<Vec<_>>().join(" or ");
            Some(format!("SL487: to {deed} you log in again, at the level {levels}"))
        }
        Deciding::No => Some(format!("SL488: the policies about the console do not let you {deed}")),
    }
}

fn may(workspace: &Workspace, person: &Name, deed: Deed, concerned: &BTreeSet<Name>) -> bool {
    let groups = workspace.principals().groups_of(person);
    let signs = workspace.bundle().signers().iter().any(|signer| signer == person);
    workspace.own_rules().allow(Asking { person, groups: &groups, signs }, deed, concerned)
}

/// Whether somebody may see how the glass was broken: it concerns who broke it, who was told, who would have had to approve, who
/// asked and who answers for that.
#[must_use]
pub fn may_see_broken(workspace: &Workspace, person: &Name, broken: &Broken) -> bool {
    let mut people = workspace.principals().in_charge_of(&broken.statement.requester);
    people.extend([&broken.statement.requester, &broken.statement.approver].into_iter().chain(&broken.told).cloned());
    people.extend(broken.asked.iter().cloned());
    may_see(workspace, person, &people)
}

/// Whether somebody may see a run: it concerns who started it or answers for that, and who is asked about it.
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
    let mut people = workspace.principals().in_charge_of(requester);
    people.insert(requester.clone());
    // What it asked of people is read only where that decides it.
    if may_see(workspace, person, &people) {
        return Ok(true);
    }
    let asked = ledger.look(|records| records.approvals_of(run))?;
    let approver = Approver::new(workspace, ledger);
    let waiting = asked.iter().filter_map(|row| approver.show(&row.id).ok());
    people.extend(waiting.flat_map(|waiting| concerned(workspace, &waiting)));
    Ok(may_see(workspace, person, &people))
}

/// Whether somebody may see a proposal: it concerns who asked or answers for that, and who may sign definitions.
#[must_use]
pub fn may_see_proposal(workspace: &Workspace, person: &Name, proposal: &Proposal) -> bool {
    let mut people = workspace.principals().in_charge_of(&proposal.requester);
    people.insert(proposal.requester.clone());
    if let Some(needed) = definition_requirement(workspace) {
        people.extend(asked(workspace, &needed, &proposal.requester));
    }
    may_see(workspace, person, &people)
}

/// Whether somebody may read data of a class: its owner, a member of the owning group, or who is listed as reading it.
#[must_use]
pub fn may_read(workspace: &Workspace, person: &Name, class: &str) -> bool {
    let principals = workspace.principals();
    let category = workspace.governance().registers.classification.get(class);
    let owns = category.is_some_and(|category| principals.persons_of(&category.owner.value).contains(person));
    owns || principals.reads(person).contains(class)
}
