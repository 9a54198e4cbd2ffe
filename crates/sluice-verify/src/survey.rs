//! What an imported workflow could do: the same fixpoint as for native ones, asked what rules on foreign formats ask.
//!
//! There is no policy here and nothing is admitted: an imported program is never run. The questions are which outsider's
//! words get to which action, and which sensitive data leaves.

mod facts;
mod flow;
mod guarded;
mod same;
#[cfg(test)]
mod tests_dify;

pub use facts::Facts;
pub use flow::{Flow, FlowKind, Validated};
pub use same::{Compared, Named, compare};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sluice_core::diagnostic::Diagnostic;
use sluice_core::label::Label;
use sluice_core::program::StepId;
use sluice_core::value::Value;
use sluice_formats::{Import, Tier};

use crate::analysis::{Analysis, Entry};
use crate::report::Report;
use crate::rules::imported;

/// What was found out about an imported workflow.
#[derive(Clone, Debug)]
pub struct Survey {
    /// What a person would act on, and what is worth knowing.
    pub findings: Vec<Diagnostic>,
    /// The same, in workflows of other files that it calls: what gets there only through this one.
    pub elsewhere: Vec<(Arc<str>, Diagnostic)>,
    /// Every flow that ends in an action.
    pub flows: Vec<Flow>,
    /// What would be flows, but for a check that every way passes.
    pub validated: Vec<Validated>,
    /// Of steps that fetch any URL: how easily an outsider chose it, if one did.
    pub fetched: BTreeMap<StepId, Option<Tier>>,
    /// What was not shown.
    pub not_shown: Vec<String>,
}

/// Follows data through an imported workflow.
#[must_use]
pub fn survey(import: &Import) -> Survey {
    let entry = Entry {
        universe: import.catalogue.universe.clone(),
        input: Value::null(Label::BOTTOM),
        id: Value::null(Label::BOTTOM),
        base: Label::BOTTOM,
    };
    let analysis = Analysis::of(&import.program, &import.catalogue, &entry);
    let found = if analysis.is_complete() { flow::flows(import, &analysis) } else { flow::Found::default() };
    let flow::Found { mut flows, validated, fetched } = found;
    flows.retain(|flow| concerns(import, flow));
    let (findings, elsewhere) = imported::check(import, &flows, &validated);
    let not_shown = not_shown(import, &analysis, &flows);
    Survey { findings, elsewhere, flows, validated, fetched, not_shown }
}

/// Whether a flow is told with this file: one that stays in those that it calls is told with them.
fn concerns(import: &Import, flow: &Flow) -> bool {
    let on_way = || flow.path.iter().any(|stop| import.step_named(&stop.step).is_some_and(|step| import.is_own(step)));
    import.is_own(flow.source) || import.is_own(flow.sink) || on_way()
}

fn not_shown(import: &Import, analysis: &Analysis, flows: &[Flow]) -> Vec<String> {
    let mut list = vec![
        "what a branch tells: which way a run takes is not followed as data, only what moves along it".to_owned(),
        "that services answer by themselves: a reply counts as the service's own word, also where outsiders chose what \
         was asked"
            .to_owned(),
    ];
    if !analysis.is_complete() {
        list.push("anything: the analysis was stopped".to_owned());
    }
    if flows.iter().any(|flow| flow.path.is_empty()) {
        list.push("the way of every flow: there are too many, and some end without one".to_owned());
    }
    let assumed: BTreeSet<&String> = import.assumed.iter().collect();
    list.extend(assumed.into_iter().cloned());
    list
}

impl Survey {
    /// The facts of the workflow.
    #[must_use]
    pub fn facts(&self, import: &Import) -> Facts {
        Facts::of(import, self)
    }

    /// The same as a report, for the outputs that native workflows have.
    #[must_use]
    pub fn report(&self) -> Report {
        Report { findings: self.findings.clone(), not_shown: self.not_shown.clone(), ..Report::default() }
    }
}
