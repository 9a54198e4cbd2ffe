//! Whether two programs have the same flows: a workflow, and the native definition that was written of it.

use std::collections::BTreeSet;

use sluice_formats::Import;
use sluice_formats::native::{Definition, Files, Unreadable, read_back};

use super::{FlowKind, survey};

/// A flow by names: from where, to where, what it does there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// The step where it enters.
    pub source: String,
    /// The step where it acts.
    pub sink: String,
    /// What it does there.
    pub kind: FlowKind,
}

/// The flows of a definition beside those of the original.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Flows of both.
    pub shared: BTreeSet<Named>,
    /// Flows of the original alone: the definition says less.
    pub lost: BTreeSet<Named>,
    /// Flows of the definition alone: it is judged more strictly.
    pub added: BTreeSet<Named>,
}

/// Reads what was written, and holds its flows against those of the original.
///
/// A flow that a check holds back counts like any other: a check changes no label. Of the original only what `definition`
/// starts counts, for a definition has one start.
///
/// # Errors
/// [`Unreadable`] if what was written cannot be read.
pub fn compare(original: &Import, definition: &Definition, files: &Files) -> Result<Compared, Unreadable> {
    let written = read_back(definition, files, original)?;
    let before = flows(original);
    let after = flows(&written);
    let of_both = |named: &&Named| definition.has_step(&named.source) && definition.has_step(&named.sink);
    let before: BTreeSet<Named> = before.iter().filter(of_both).cloned().collect();
    Ok(Compared {
        shared: before.intersection(&after).cloned().collect(),
        lost: before.difference(&after).cloned().collect(),
        added: after.difference(&before).cloned().collect(),
    })
}

fn flows(import: &Import) -> BTreeSet<Named> {
    let survey = survey(import);
    let name = |step| import.own_name(step).to_string();
    let open = survey.flows.iter().map(|flow| (flow.source, flow.sink, flow.kind));
    let held = survey.validated.iter().map(|held| (held.source, held.sink, held.kind));
    open.chain(held).map(|(source, sink, kind)| Named { source: name(source), sink: name(sink), kind }).collect()
}
