//! What the ledger answers about a run: who, which categories, which policies, what left.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use sluice_core::contract::Digest;
use sluice_core::contract::closure::ClosureDigest;
use sluice_engine::{Fact, GateAnswer, Start};
use sluice_ledger::RunId;
use sluice_policy::GateRequest;
use sluice_runtime::approvals::statements;
use sluice_runtime::proposal::{Proposal, author_in_words, proposal_id};
use sluice_runtime::{audit, run};

use super::house::{House, name_of};
use super::told::{does, expect};
use crate::failure::Failure;
use crate::render::{Page, Part, Tone};

/// What was found about one action of a run.
#[derive(Default)]
struct Found {
    requester: String,
    author: String,
    approvers: BTreeSet<String>,
    categories: BTreeSet<String>,
    policies: BTreeSet<String>,
    sent: Option<Json>,
}

/// Tells it from the entries alone.
///
/// # Errors
/// [`Failure`] if they do not answer.
pub(super) fn trail(page: &mut Page, house: &House<'_>, id: RunId, action: &str) -> Result<(), Failure> {
    let entries = house.ledger.run(id)?;
    let mut found = Found::default();
    for record in run::facts(&entries)? {
        found.read(house, action, &record.fact)?;
    }
    let lines = audit::show(&house.ledger, id)?.len();
    let short: String = id.to_string().chars().take(8).collect();
    does(page, "sluice audit show", &[format!("{short} answers from {lines} entries").into()]);
    let sent = found.sent.as_ref().and_then(|arguments| arguments.get("rows")).and_then(Json::as_array);
    let rows = sent.ok_or_else(|| Failure::unexpected("the ledger says what was sent"))?;
    let columns: BTreeSet<&str> =
        rows.iter().filter_map(Json::as_object).flat_map(|row| row.keys().map(String::as_str)).collect();
    let list = |set: &BTreeSet<String>| set.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let answers = [
        ("who asked", name_of(&found.requester).to_owned()),
        ("who wrote it", found.author.clone()),
        ("who agreed", list(&found.approvers)),
        ("which data", list(&found.categories)),
        ("which policies", list(&found.policies)),
        (
            "what left",
            format!("{} rows of {} to sheets-us", rows.len(), columns.into_iter().collect::<Vec<_>>().join(", ")),
        ),
    ];
    expect(answers.iter().all(|(_, answer)| !answer.is_empty()), "the ledger answers every question")?;
    let row = |(question, answer): (&str, String)| vec![Part::new(question, Tone::Faint), Part::plain(answer)];
    page.table(2, &answers.map(row));
    Ok(())
}

impl Found {
    fn read(&mut self, house: &House<'_>, wanted: &str, fact: &Fact) -> Result<(), Failure> {
        match fact {
            Fact::Started(start) => self.started(house, start)?,
            Fact::Decided { action, answer, .. } if action == wanted => self.decided(house, answer)?,
            Fact::Intended { action, arguments, .. } if action == wanted => self.sent = Some(arguments.clone()),
            _ => {}
        }
        Ok(())
    }

    /// The proposal that the run's start names by its digest, and who signed it.
    fn started(&mut self, house: &House<'_>, start: &Start) -> Result<(), Failure> {
        self.requester.clone_from(&start.requester);
        let id = proposal_id(ClosureDigest(Digest(start.closure)), &start.requester);
        if let Some(proposal) = Proposal::find(&house.ledger, &id)? {
            let said = statements(&house.ledger, &id)?;
            let signers: Vec<&str> = said.iter().map(|said| name_of(&said.statement.approver)).collect();
            self.author = format!("{}; signed by {}", author_in_words(&proposal.author), signers.join(", "));
        }
        Ok(())
    }

    fn decided(&mut self, house: &House<'_>, answer: &GateAnswer) -> Result<(), Failure> {
        let receipt = answer.receipt();
        let policies = receipt.get("policies").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
        let verb = if matches!(answer, GateAnswer::Permit { .. }) { "permits" } else { "held" };
        self.policies.extend(policies.map(|policy| format!("{policy} ({verb})")));
        if let GateAnswer::Hold { hold, .. } = answer {
            let said = statements(&house.ledger, &hold.approval)?;
            self.approvers.extend(said.iter().map(|said| name_of(&said.statement.approver).to_owned()));
        }
        let request = receipt.get("request").and_then(Json::as_str).unwrap_or_default();
        if let Ok(request) = GateRequest::from_bytes(request.as_bytes()) {
            let categories = request.roles.values().flat_map(|atoms| &atoms.categories);
            self.categories.extend(categories.map(|category| format!("{} of {}", category.class, category.owner)));
        }
        Ok(())
    }
}
