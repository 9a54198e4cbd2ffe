//! A definition as it is judged now: what it may do, as a picture, and what of that nobody approved before.

use std::collections::BTreeSet;

use maud::{Markup, html};
use sluice_api::House;
use sluice_core::contract::Digest;
use sluice_core::contract::closure::ClosureDigest;
use sluice_engine::Fact;
use sluice_ledger::RunId;
use sluice_render::draw::{DRAWN_STEPS_MAX, Sketch};
use sluice_render::markup::{Message, Seen};
use sluice_runtime::admit::Proposed;
use sluice_runtime::approvals::definition_requirement;
use sluice_runtime::proposal::{Proposal, proposal_id};
use sluice_runtime::run::facts;
use sluice_runtime::workspace::Workspace;
use sluice_verify::{Assumptions, Authority, Report};

use crate::problem::Problem;

/// How many earlier proposals are looked through for the last approved version.
const EARLIER_MAX: usize = 200;

/// A proposed definition, read and judged.
pub(crate) struct Reading {
    pub(crate) proposal: Proposal,
    pub(crate) title: String,
    pub(crate) report: Report,
    sketch: Option<Sketch>,
}

/// The proposal that a run is of; `None` for an agent's session.
pub(crate) fn proposal_of(house: &House, run: RunId) -> Result<Option<Proposal>, Problem> {
    let entries = house.ledger().look(|records| records.run_from(run, 0))?;
    let first = facts(entries.get(..1).unwrap_or_default())?;
    let Some(Fact::Started(start)) = first.first().map(|record| &record.fact) else { return Ok(None) };
    let closure = ClosureDigest(Digest(start.closure));
    Ok(Proposal::find(house.ledger(), &proposal_id(closure, &start.requester))?)
}

impl Reading {
    /// Judges it. `at`: the one action whose flows are lit; all of them if there is none.
    pub(crate) fn of(workspace: &Workspace, proposal: Proposal, at: Option<&str>) -> Option<Self> {
        let proposed = Proposed::read(&proposal.name, proposal.text.as_bytes()).ok()?;
        let title = format!("{}/{}", proposed.program().document.namespace, proposed.program().document.name);
        let assumptions = Assumptions {
            requester: Some(proposal.requester.clone()),
            author: proposal.author.clone(),
            signed: definition_requirement(workspace).is_some(),
            solo: workspace.is_solo(),
        };
        let checked = proposed.verify(workspace, &assumptions);
        let report = checked.report;
        let steps: Vec<&str> = match at {
            Some(action) => report.steps.iter().filter(|s| s.action == action).map(|s| s.step.as_str()).collect(),
            None => Vec::new(),
        };
        let lit = report
            .findings
            .iter()
            .filter(|found| at.is_none() || found.step.as_deref().is_some_and(|step| steps.contains(&step)));
        let lit: Vec<_> = lit.cloned().collect();
        let sketch = Sketch::of(checked.proposed.program(), &report.steps, &lit);
        Some(Self { proposal, title, sketch, report })
    }

    /// The picture, with what matters lit.
    pub(crate) fn picture(&self) -> Markup {
        let drawn = self.sketch.as_ref().map(|sketch| sketch.inline("flow-"));
        html! {
            @match drawn {
                Some(Ok(svg)) => div.drawing tabindex="0" role="group" aria-label="The workflow as a picture" { (svg) },
                Some(Err(why)) => p.faint { "No picture: " (Message(&why)) "." },
                None => p.faint { "No picture: it has more than " (DRAWN_STEPS_MAX) " steps, or too many connections." },
            }
        }
    }

    /// The same as a table: what each call carries, and what policy is predicted to say.
    pub(crate) fn calls(&self) -> Markup {
        html! {
            div.scroll tabindex="0" role="group" aria-label="What each step calls" {
                table {
                    thead { tr { th scope="col" { "Step" } th scope="col" { "Calls" } th scope="col" { "Predicted" } th scope="col" { "Carries" } } }
                    tbody {
                        @for step in &self.report.steps {
                            tr {
                                td { (Seen(step.step.rsplit('/').next().unwrap_or(&step.step))) }
                                td { code { (Seen(&step.action)) } }
                                td { span class={ "tag " (tone(step.verdict)) } { (step.verdict) } }
                                td.faint { (Seen(&step.labels.join(", "))) }
                            }
                        }
                    }
                }
            }
        }
    }

    /// What it may do that its last approved version might not.
    pub(crate) fn growth(&self, house: &House, workspace: &Workspace) -> Result<Markup, Problem> {
        let before = self.last_approved(house, workspace)?;
        let now = &self.report.authority;
        let rows = match &before {
            Some(before) => rows(now, &before.report.authority),
            None => rows(now, &Authority::default()),
        };
        Ok(html! {
            @match &before {
                Some(before) => p { "Compared with " a href={ "/workflows/" (before.proposal.id) } { (before.proposal.id) } ", which was approved last:" },
                None => p { "No version of " strong { (Seen(&self.title)) } " was approved before, so all of this is new:" },
            }
            @if rows.iter().all(|row| row.added.is_empty() && row.gone.is_empty()) {
                p { span.tag.good { "same authority" } " It may do what it might before, and nothing else." }
            } @else {
                dl.growth {
                    @for row in &rows {
                        @if !row.added.is_empty() || !row.gone.is_empty() {
                            dt { (row.what) }
                            dd {
                                @for new in &row.added { span.added { span.sr { "new: " } "+ " (Seen(new)) } " " }
                                @for old in &row.gone { span.gone { span.sr { "no longer: " } "− " (Seen(old)) } " " }
                            }
                        }
                    }
                }
            }
        })
    }

    /// The last approved proposal of a workflow of this name, other than this one.
    fn last_approved(&self, house: &House, workspace: &Workspace) -> Result<Option<Self>, Problem> {
        let mut rows = house.ledger().look(|records| records.approvals())?;
        rows.retain(|row| row.id.starts_with("P-") && row.approved > 0 && row.id != self.proposal.id);
        for row in rows.into_iter().rev().take(EARLIER_MAX) {
            let Ok(Some(proposal)) = Proposal::find(house.ledger(), &row.id) else { continue };
            if let Some(reading) = Self::of(workspace, proposal, None).filter(|reading| reading.title == self.title) {
                return Ok(Some(reading));
            }
        }
        Ok(None)
    }
}

/// One kind of authority: what came, what went.
struct Row {
    what: &'static str,
    added: Vec<String>,
    gone: Vec<String>,
}

fn rows(now: &Authority, before: &Authority) -> [Row; 4] {
    fn row<T: Ord + ToString>(what: &'static str, now: &BTreeSet<T>, before: &BTreeSet<T>) -> Row {
        let list = |one: &BTreeSet<T>, other: &BTreeSet<T>| one.difference(other).map(ToString::to_string).collect();
        Row { what, added: list(now, before), gone: list(before, now) }
    }
    [
        row("actions", &now.actions, &before.actions),
        row("destinations", &now.destinations, &before.destinations),
        row("data it reads or writes", &now.datasets, &before.datasets),
        row("classes of data in calls", &now.categories, &before.categories),
    ]
}

const fn tone(verdict: sluice_core::gate::Verdict) -> &'static str {
    use sluice_core::gate::Verdict;
    match verdict {
        Verdict::Permit => "good",
        Verdict::Hold => "warn",
        Verdict::Forbid => "bad",
        Verdict::Runtime => "",
    }
}
