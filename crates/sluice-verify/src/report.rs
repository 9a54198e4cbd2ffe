//! What is told about a program, and the standing that it earns.

use std::collections::{BTreeMap, BTreeSet};

use sluice_core::catalogue::{Argument, Catalogue, Resource};
use sluice_core::contract::Principals;
use sluice_core::contract::closure::ClosureDigest;
use sluice_core::diagnostic::{Code, Diagnostic, Severity};
use sluice_core::gate::Verdict;
use sluice_core::label::{Atom, Name, TooManyAtoms, Universe};
use sluice_core::program::{NodeId, PlaceId, Program};
use sluice_core::text::Span;
use sluice_core::transfer::State;
use sluice_policy::{Bundle, Remedy};
use thiserror::Error;

use crate::analysis::Analysis;
use crate::assumptions::Assumptions;
use crate::builtin;
use crate::rules;
use crate::site::{Site, sites};
use crate::verdict::World;

/// What the verifier says of a program.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What is true of it and matters, in the order of the text.
    pub findings: Vec<Diagnostic>,
    /// Every call that some run may get to, in the order of the text.
    pub steps: Vec<StepReport>,
    /// What was not shown, and why.
    pub not_shown: Vec<String>,
    /// All that a run may use.
    pub authority: Authority,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepReport {
    /// The step's path.
    pub step: String,
    /// Where it stands.
    pub span: Span,
    /// `connector.action`, or the built-in function.
    pub action: String,
    /// What policy is predicted to say.
    pub verdict: Verdict,
    /// What its arguments and the decision to call it carry, by name.
    pub labels: Vec<String>,
    /// Why, in words: each with the policy it comes from.
    pub policies: Vec<String>,
    /// Who must agree, in words.
    pub approvals: Vec<String>,
    /// The same for machines.
    pub remedies: Vec<Remedy>,
    /// What the verdict leaves open.
    pub open: Vec<String>,
}

/// All that a run of the program may use. Credentials are minted from this list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authority {
    /// `connector.action`.
    pub actions: BTreeSet<String>,
    /// Destinations by id.
    pub destinations: BTreeSet<Name>,
    /// Datasets that are read or written.
    pub datasets: BTreeSet<Name>,
    /// Classes of data that reach a call.
    pub categories: BTreeSet<Name>,
    /// Bounds on arguments, by action and argument.
    pub bounds: BTreeMap<(String, Name), BTreeSet<Name>>,
}

/// A program that was analysed, and whose every predicted verdict is no `forbid`. Only [`verify`] makes one.
#[derive(Clone, Debug)]
pub struct Verified {
    program: Program,
    report: Report,
    analysis: Analysis,
    assumptions: Assumptions,
    digest: ClosureDigest,
}

impl Verified {
    /// What was analysed.
    #[must_use]
    pub const fn program(&self) -> &Program {
        &self.program
    }

    /// What was said of it.
    #[must_use]
    pub const fn report(&self) -> &Report {
        &self.report
    }

    /// What can be true at every point of it.
    #[must_use]
    pub const fn analysis(&self) -> &Analysis {
        &self.analysis
    }

    /// What was taken for given.
    #[must_use]
    pub const fn assumptions(&self) -> &Assumptions {
        &self.assumptions
    }

    /// The digest of all that it depends on.
    #[must_use]
    pub const fn digest(&self) -> ClosureDigest {
        self.digest
    }

    /// The first place where a run is not below its prediction at `node`; `None` if all is well.
    ///
    /// At a node that no run was predicted to reach, and where the run's control label is higher than predicted, that
    /// is the place of the run's context.
    #[must_use]
    pub fn breach(&self, node: NodeId, run: &State) -> Option<PlaceId> {
        let Some(predicted) = self.analysis.state(node) else { return Some(self.program.context) };
        let control = run.control(&self.program, node);
        if !control.flows_to(predicted.control(&self.program, node)) {
            return Some(self.program.context);
        }
        predicted.breach(run)
    }
}

/// Why a program is not verified. Its report says more.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// SL221. Help: see the findings at these steps.
    #[error("policy refuses {} in every run", .steps.join(", "))]
    Forbidden {
        /// The paths of the steps.
        steps: Vec<String>,
    },
    /// SL220. Help: split the definition into several workflows.
    #[error("the analysis was stopped before it was done")]
    Unfinished,
    /// SL110. Help: use fewer connectors in one workspace.
    #[error(transparent)]
    TooManyAtoms(#[from] TooManyAtoms),
}

impl Refused {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        Code(match self {
            Self::Forbidden { .. } => 221,
            Self::Unfinished => 220,
            Self::TooManyAtoms(_) => 110,
        })
    }
}

/// What [`verify`] gives: always a report, and the standing if it was earned.
#[derive(Clone, Debug)]
pub struct Verification {
    /// What was found.
    pub report: Report,
    /// The program's new standing.
    pub standing: Result<Verified, Refused>,
}

/// Analyses a program and says what it could do.
///
/// `digest` is that of all that a run of it depends on. A predicted `forbid` refuses; a predicted `hold` does not.
#[must_use]
pub fn verify(
    program: &Program,
    catalogue: &Catalogue,
    principals: &Principals,
    bundle: &Bundle,
    assumptions: &Assumptions,
    digest: ClosureDigest,
) -> Verification {
    let entry = match assumptions.entry(catalogue, program) {
        Ok(entry) => entry,
        Err(error) => return unnameable(program, error),
    };
    let analysis = Analysis::of(program, catalogue, &entry);
    let world = World { program, catalogue, principals, bundle, assumptions, analysis: &analysis };
    let sites = if analysis.is_complete() { sites(&world) } else { Vec::new() };
    let steps = steps(&world, &sites);
    let report = Report {
        findings: rules::check(&world, &sites),
        not_shown: not_shown(&world, &sites, &steps),
        steps,
        authority: authority(&world, &sites),
    };
    let forbidden = report.steps.iter().filter(|step| step.verdict == Verdict::Forbid);
    let forbidden: Vec<String> = forbidden.map(|step| format!("`{}`", step.step)).collect();
    let standing = match (analysis.is_complete(), forbidden.is_empty()) {
        (false, _) => Err(Refused::Unfinished),
        (true, false) => Err(Refused::Forbidden { steps: forbidden }),
        (true, true) => Ok(Verified {
            program: program.clone(),
            report: report.clone(),
            analysis,
            assumptions: assumptions.clone(),
            digest,
        }),
    };
    Verification { report, standing }
}

fn unnameable(program: &Program, error: TooManyAtoms) -> Verification {
    let finding = Diagnostic::new(
        Code(110),
        "too-many-atoms",
        Severity::High,
        program.document.span,
        error.to_string(),
        "use fewer connectors and categories in one workspace",
    );
    let report =
        Report { findings: vec![finding], steps: Vec::new(), not_shown: Vec::new(), authority: Authority::default() };
    Verification { report, standing: Err(error.into()) }
}

fn steps(world: &World<'_>, sites: &[Site<'_>]) -> Vec<StepReport> {
    let universe = world.analysis.universe();
    let mut steps: Vec<StepReport> = sites.iter().map(|site| of_site(universe, site)).collect();
    steps.extend(builtin::steps(world));
    steps.sort_by_key(|step| step.span.start);
    steps
}

fn of_site(universe: &Universe, site: &Site<'_>) -> StepReport {
    let words = |r: &sluice_policy::Reason| match &r.policy {
        Some(policy) => format!("{policy}: {}", r.words),
        None => r.words.clone(),
    };
    StepReport {
        step: site.step.path.to_string(),
        span: site.span(),
        action: site.name(),
        verdict: site.predicted.verdict,
        labels: universe.names(site.prepared.joined),
        policies: site.predicted.reasons.iter().map(words).collect(),
        approvals: site.predicted.remedies.iter().map(ToString::to_string).collect(),
        remedies: site.predicted.remedies.clone(),
        open: site.predicted.open.clone(),
    }
}

/// What no prediction of this kind covers, and what this one left open.
fn not_shown(world: &World<'_>, sites: &[Site<'_>], steps: &[StepReport]) -> Vec<String> {
    let mut list = vec![
        "timing: how long a run takes may tell an observer something".to_owned(),
        "that contracts are right, and that connectors do what they say".to_owned(),
    ];
    if !world.analysis.is_complete() {
        list.push("anything: the analysis was stopped".to_owned());
    }
    if world.assumptions.signed {
        list.push("that a person signs this definition: its own words are trusted on that assumption".to_owned());
    }
    if world.assumptions.requester.is_none() {
        list.push("who starts the run: it was asked for anybody of the register".to_owned());
    }
    for step in steps {
        list.extend(step.open.iter().map(|open| format!("`{}`: {open}", step.step)));
    }
    for site in sites {
        if site.prepared.joined.is_unknown() {
            list.push(format!("`{}`: what the unclassified data in it is", site.step.path));
        }
    }
    list
}

fn authority(world: &World<'_>, sites: &[Site<'_>]) -> Authority {
    let mut authority = Authority::default();
    for site in sites {
        let Some(action) = site.action else { continue };
        authority.actions.insert(action.full_name());
        for shows in
            action.arguments.values().filter_map(|a| world.catalogue.action(&action.connector, a.version.as_ref()?))
        {
            authority.actions.insert(shows.full_name());
            if let Resource::Dataset { name, .. } = &shows.resource {
                authority.datasets.insert(name.clone());
            }
        }
        match &action.resource {
            Resource::Dataset { name, .. } => authority.datasets.insert(name.clone()),
            Resource::Destination(id) => authority.destinations.insert(id.clone()),
            Resource::DestinationArgument(_) => match &site.prepared.resource {
                Some(id) => authority.destinations.insert(id.clone()),
                None => {
                    authority.destinations.extend(world.catalogue.destinations.keys().cloned());
                    true
                }
            },
        };
        let class = |atom: &Atom| if let Atom::Category { class, .. } = atom { Some(class.clone()) } else { None };
        authority.categories.extend(world.analysis.universe().atoms(site.prepared.joined).filter_map(class));
        for (name, argument) in &action.arguments {
            if let Some(bound) = bound(site, name, argument) {
                authority.bounds.entry((action.full_name(), name.clone())).or_default().extend(bound);
            }
        }
    }
    authority
}

/// The values that an argument may take: the one that is known, else the contract's list.
fn bound(site: &Site<'_>, name: &Name, argument: &Argument) -> Option<BTreeSet<Name>> {
    match site.prepared.arguments.child(name)?.as_text() {
        Some(text) if argument.role.is_some() => Some([text.into()].into()),
        _ => argument.allow.clone(),
    }
}
