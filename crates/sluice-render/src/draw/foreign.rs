//! The sketch of a workflow of another engine: its own nodes and connections, not the program that they were lowered to.

use std::collections::{BTreeMap, BTreeSet};

use sluice_core::diagnostic::Diagnostic;
use sluice_core::program::StepId;
use sluice_formats::{Catalogued, Import, LinkKind, Tier};

use super::{Box, DRAWN_STEPS_MAX, Role, Sketch, Way, arrows, worst};
use crate::escape::Escaped;

/// Connections drawn at most; more hide each other, and their layout takes longer than linear time.
const DRAWN_LINKS_MAX: usize = 1_200;

impl Sketch {
    /// The nodes of the file that a run can pass or that something was found in. `None` if there are too many.
    #[must_use]
    pub fn of_import(import: &Import, findings: &[Diagnostic]) -> Option<Self> {
        let mut links: BTreeMap<(StepId, StepId), Way> = BTreeMap::new();
        for link in &import.links {
            links.entry((link.from, link.to)).or_insert(match link.kind {
                LinkKind::Next => Way::Next,
                LinkKind::OnError => Way::Error,
                LinkKind::Part => Way::Part,
            });
        }
        let linked: BTreeSet<StepId> = links.keys().flat_map(|(from, to)| [*from, *to]).collect();
        let tools = import.steps.iter().flat_map(|(agent, fact)| fact.tools.iter().map(|tool| (*tool, *agent)));
        links.extend(tools.filter(|(tool, _)| !linked.contains(tool)).map(|ends| (ends, Way::Part)));
        let named: BTreeMap<&str, StepId> =
            (0..).map(StepId).zip(&import.program.steps).map(|(id, step)| (&*step.name, id)).collect();
        let told = findings.iter().flat_map(|f| f.step.iter().chain(f.flow.iter().map(|stop| &stop.step)));
        let mut drawn: BTreeSet<StepId> = told.filter_map(|step| named.get(step.as_str()).copied()).collect();
        drawn.extend(links.keys().flat_map(|(from, to)| [*from, *to]));
        if links.is_empty() {
            drawn.extend(import.steps.keys());
        }
        if drawn.len() > DRAWN_STEPS_MAX || links.len() > DRAWN_LINKS_MAX {
            return None;
        }
        let reached = reached(findings);
        let boxes: Vec<Box> = drawn.iter().map(|step| a_box(import, *step, findings, &reached)).collect();
        let index: BTreeMap<StepId, usize> = drawn.iter().enumerate().map(|(at, step)| (*step, at)).collect();
        let place = |(from, to): (StepId, StepId)| Some((*index.get(&from)?, *index.get(&to)?));
        let ways = links.into_iter().filter_map(|(ends, way)| Some((place(ends)?, way)));
        let ways: BTreeMap<(usize, usize), Way> = ways.filter(|((from, to), _)| from != to).collect();
        let title = import.program.document.name.clone();
        Some(Self { title, arrows: arrows(findings, &boxes, ways, true), boxes })
    }
}

/// The steps that outsiders' words get to on a way that a finding tells of.
fn reached(findings: &[Diagnostic]) -> BTreeSet<&str> {
    findings.iter().flat_map(|f| f.flow.iter().skip(1)).map(|stop| stop.step.as_str()).collect()
}

fn a_box(import: &Import, step: StepId, findings: &[Diagnostic], reached: &BTreeSet<&str>) -> Box {
    let about = import.program.steps.get(step.0 as usize);
    let name = about.map(|about| about.name.to_string()).unwrap_or_default();
    let fact = import.steps.get(&step);
    let kind = about.map(|about| about.kind).unwrap_or_default();
    let detail = fact.map(|fact| short(&fact.node_type)).filter(|own| !own.is_empty()).unwrap_or(kind);
    let role = fact.map_or(Role::Plain, role);
    let categories: BTreeSet<String> =
        fact.into_iter().flat_map(|fact| &fact.categories).map(|class| class.replace('_', " ")).collect();
    let found = worst(findings.iter().filter(|found| found.step.as_deref() == Some(&name)));
    let is_untrusted = role == Role::Enters || reached.contains(name.as_str());
    let mut told = format!("step {}: {}", Escaped(&name), Escaped(detail));
    told.push_str(role.told());
    if !categories.is_empty() {
        let names: Vec<&str> = categories.iter().map(String::as_str).collect();
        told.push_str(&format!("; reads {}", Escaped(&names.join(", "))));
    }
    told.push_str(if is_untrusted && role != Role::Enters { "; a flow that was found passes it" } else { "" });
    if let Some((severity, count)) = found {
        told.push_str(&format!("; {count} found, worst {severity}"));
    }
    let is_off = fact.is_some_and(|fact| fact.disabled);
    let detail = if is_off { format!("{detail} (off)") } else { detail.to_owned() };
    Box {
        title: name.clone(),
        detail,
        path: name,
        categories,
        is_untrusted,
        found,
        told,
        role,
        reads: true,
        ..Box::default()
    }
}

fn role(fact: &Catalogued) -> Role {
    if fact.human_gate {
        Role::Person
    } else if fact.source.as_ref().is_some_and(|source| source.tier > Tier::Internal) && !fact.fetches {
        Role::Enters
    } else if fact.side_effect || fact.sink.is_some() || fact.privileged || fact.destructive {
        Role::Acts
    } else {
        Role::Plain
    }
}

/// `gmail` of `n8n-nodes-base.gmail`: the package is the same for most.
fn short(node_type: &str) -> &str {
    let own = ["n8n-nodes-base.", "@n8n/n8n-nodes-langchain."];
    own.iter().find_map(|package| node_type.strip_prefix(package)).unwrap_or(node_type)
}
