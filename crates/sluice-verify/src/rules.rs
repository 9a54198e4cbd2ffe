//! One rule, one file: what it finds and why, a bad and a good example, the check.
//!
//! Each file is also the page that `sluice explain CODE` prints, and a shared test runs its examples: the bad one raises
//! its code, the good one raises nothing.

use std::collections::BTreeSet;

use sluice_core::diagnostic::{Code, Confidence, Diagnostic, FlowStop, Severity};
use sluice_core::gate::{Role, Verdict};
use sluice_core::label::{Atom, Label, Name};
use sluice_core::text::Span;
use sluice_policy::Acting;

use crate::change;
use crate::provenance::{Provenance, Sink};
use crate::site::Site;
use crate::verdict::World;

mod analysis_bound;
mod contract_breach;
mod dead_step;
mod destination_not_cleared;
mod forbidden_purpose;
mod forbidden_region;
mod hard_coded_secret;
mod held_by_policy;
pub(crate) mod imported;
mod ineffective_release;
mod missing_purpose;
mod over_privileged_export;
mod refused_by_policy;
mod repeated_effect;
mod unbounded_loop;
mod uncatalogued_call;
mod unclassified_export;
mod ungranted_secret;
mod untrusted_command;
mod untrusted_privileged_action;
mod untrusted_query;
mod untrusted_recipient;
mod untrusted_url;

#[cfg(test)]
mod tests;

/// What a rule is called, and its page.
#[derive(Clone, Copy, Debug)]
pub struct RuleMeta {
    /// Stable code.
    pub code: Code,
    /// Stable name: what it finds.
    pub name: &'static str,
    /// How much a finding matters. One that policy permits matters little.
    pub severity: Severity,
    /// How sure a finding is, unless it rests on a guess of its own.
    pub confidence: Confidence,
    /// The rule's own file.
    page: &'static str,
}

impl RuleMeta {
    /// The rule's page: its file's opening comment, without the comment marks.
    #[must_use]
    pub fn page(&self) -> String {
        let lines = self.page.lines().map_while(|line| line.strip_prefix("//!"));
        lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
    }

    fn finding(&self, span: Span, message: impl Into<String>, help: impl Into<String>) -> Diagnostic {
        let found = Diagnostic::new(self.code, self.name, self.severity, span, message, help);
        Diagnostic { confidence: self.confidence, ..found }
    }
}

struct Rule {
    meta: &'static RuleMeta,
    check: fn(&Context<'_>, &mut Vec<Diagnostic>),
}

macro_rules! rules {
    ($($file:ident),* $(,)?) => {
        const RULES: &[Rule] = &[$(Rule { meta: &$file::META, check: $file::check }),*];
    };
}

rules! {
    over_privileged_export,
    unclassified_export,
    destination_not_cleared,
    untrusted_privileged_action,
    untrusted_recipient,
    untrusted_query,
    untrusted_command,
    untrusted_url,
    uncatalogued_call,
    contract_breach,
    hard_coded_secret,
    missing_purpose,
    forbidden_purpose,
    forbidden_region,
    repeated_effect,
    dead_step,
    unbounded_loop,
    refused_by_policy,
    held_by_policy,
    analysis_bound,
    ineffective_release,
    ungranted_secret,
}

/// Every rule: those on native workflows in the order of their codes, then those on imported ones.
pub fn all() -> impl Iterator<Item = &'static RuleMeta> {
    native().chain(imported::all())
}

fn native() -> impl Iterator<Item = &'static RuleMeta> {
    RULES.iter().map(|rule| rule.meta)
}

/// The page of a rule: by its code, such as `SL204`, or its name.
#[must_use]
pub fn explain(code_or_name: &str) -> Option<String> {
    let wanted = |meta: &&RuleMeta| meta.name == code_or_name || meta.code.to_string() == code_or_name.to_uppercase();
    let meta = all().find(wanted)?;
    let head = format!("{} {} ({}, confidence {})", meta.code, meta.name, meta.severity, meta.confidence);
    Some(format!("{head}\n\n{}", meta.page()))
}

/// Runs every rule.
pub(crate) fn check(world: &World<'_>, sites: &[Site<'_>]) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    // What follows from an unfinished analysis would be false.
    let runnable = |rule: &&Rule| world.analysis.is_complete() || rule.meta.code == analysis_bound::META.code;
    for rule in RULES.iter().filter(runnable) {
        let cx = Context { world: *world, sites, named: &findings.clone() };
        (rule.check)(&cx, &mut findings);
    }
    findings.sort_by_key(|f| (f.span.start, f.code));
    findings
}

/// What a rule looks at.
struct Context<'a> {
    world: World<'a>,
    sites: &'a [Site<'a>],
    /// What the rules before it have found.
    named: &'a [Diagnostic],
}

impl Context<'_> {
    /// The origins that are no authenticated person: what "untrusted" means to the rules.
    fn outside(&self, label: Label) -> Label {
        let author_is_person = matches!(self.world.assumptions.author, Acting::Person { .. });
        let universe = self.world.analysis.universe();
        let persons = universe.select(|atom| match atom {
            Atom::Origin(origin) => origin.starts_with("person:") || (origin.as_ref() == "author" && author_is_person),
            _ => false,
        });
        universe.origins(label).without(persons)
    }

    /// Origins for people: `tickets`, `model:m`, and `nobody knows where` for what has no contract's word.
    fn origins_in_words(&self, label: Label) -> String {
        if label.is_unknown() {
            return "something that no contract vouches for".to_owned();
        }
        let name = |atom: &Atom| if let Atom::Origin(o) = atom { Some(format!("`{o}`")) } else { None };
        let names: Vec<String> = self.world.analysis.universe().atoms(label).filter_map(name).collect();
        names.join(" and ")
    }

    /// The categories of a label whose class `keep` wants.
    fn categories(&self, label: Label, keep: impl Fn(&Name) -> bool) -> Label {
        let wanted = |atom: &Atom| matches!(atom, Atom::Category { class, .. } if keep(class));
        label.meet(self.world.analysis.universe().select(wanted))
    }

    /// Classes for people.
    fn classes_in_words(&self, label: Label) -> String {
        let class = |atom: &Atom| if let Atom::Category { class, .. } = atom { Some(class.clone()) } else { None };
        let classes: BTreeSet<Name> = self.world.analysis.universe().atoms(label).filter_map(class).collect();
        classes.iter().map(|c| format!("`{c}`")).collect::<Vec<_>>().join(", ")
    }

    /// The owners of rules for people.
    fn rule_owners_in_words(&self, label: Label) -> String {
        let owner = |atom: &Atom| match atom {
            Atom::PurposesOnly { owner, .. } | Atom::RegionsOnly { owner, .. } => Some(owner.clone()),
            _ => None,
        };
        let owners: BTreeSet<Name> = self.world.analysis.universe().atoms(label).filter_map(owner).collect();
        owners.iter().map(|o| format!("`{o}`")).collect::<Vec<_>>().join(" and ")
    }

    /// What the destination of a call is not cleared for. An unknown destination is cleared for nothing.
    fn uncleared(&self, site: &Site<'_>, label: Label) -> Label {
        let known = site.destination().and_then(|id| self.world.catalogue.destinations.get(id));
        self.categories(label, |class| known.is_none_or(|d| !d.cleared.contains(class)))
    }

    /// The outbound calls.
    fn outbound(&self) -> impl Iterator<Item = &Site<'_>> {
        self.sites.iter().filter(|site| site.action.is_some_and(|a| a.effect.is_outbound()))
    }

    /// A finding about a flow into a call: its path, and the smallest change that would admit it.
    fn flow_finding(&self, meta: &RuleMeta, site: &Site<'_>, end: End<'_>, message: String) -> Diagnostic {
        let ways = change::admitting(&self.world, site, end.roles, end.atoms);
        let help = change::in_words(&ways, end.otherwise);
        let mut finding = meta.finding(site.span(), message, help).at_step(site.step.path.to_string());
        finding.flow = self.way(site, end.sink, end.atoms);
        if let Some(source) = finding.flow.first().cloned().filter(|s| s.span != site.span()) {
            finding = finding.also(source.span, "it enters here");
        }
        // Policy has the last word on what is dangerous here; the path stays worth knowing.
        if site.predicted.verdict == Verdict::Permit {
            finding.severity = finding.severity.min(Severity::Low);
        }
        finding
    }

    /// The way that tells most. The nearest source may only repeat what an outsider said to it: where one of the atoms
    /// enters earlier (a ticket, before the model that answers it), its way is shown.
    fn way(&self, site: &Site<'_>, sink: Sink, atoms: Label) -> Vec<FlowStop> {
        let World { program, catalogue, analysis, .. } = self.world;
        let ways = Provenance::of(program, catalogue, analysis);
        let of = |atoms: Label| ways.flow(site.id, sink, atoms);
        let nearest = of(atoms);
        if atoms.is_unknown() {
            return nearest;
        }
        one_atom(&self.world, atoms).map(of).fold(nearest, |most, way| if way.len() > most.len() { way } else { most })
    }
}

/// Where a flow ends, for [`Context::flow_finding`].
struct End<'a> {
    sink: Sink,
    roles: &'a [Role],
    atoms: Label,
    /// What helps when nothing in this workspace would.
    otherwise: &'static str,
}

/// The atoms of a label one by one, the unknown one first.
fn one_atom(world: &World<'_>, label: Label) -> impl Iterator<Item = Label> {
    let universe = world.analysis.universe();
    let unknown = Some(Label::UNKNOWN).filter(|_| label.is_unknown());
    let known = universe.atoms(label).filter_map(|atom| universe.id(atom)).map(Label::of).collect::<Vec<_>>();
    unknown.into_iter().chain(known)
}
