//! The facts of an imported workflow, under the field names that outside checks read.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value as Json, json};
use sluice_core::program::StepId;
use sluice_formats::{Catalogued, Import, Kind, Observed};

use super::Survey;
use super::flow::Flow;

/// `"facts"` of `sluice check --facts`.
#[derive(Clone, Debug, Serialize)]
pub struct Facts {
    untrusted_sources: Vec<Json>,
    sensitive_sources: Vec<Json>,
    egress_sinks: Vec<Json>,
    /// Those that begin and end in this very file.
    flows: Vec<Json>,
    /// Those that begin or end in another file, which the name there says.
    linked_flows: Vec<Json>,
    agents: Vec<Json>,
    unauthenticated_entrypoints: Vec<String>,
    hardcoded_secrets: Vec<Json>,
    tls_disabled: Vec<String>,
    code_nodes: Vec<String>,
    command_nodes: Vec<String>,
    destructive_nodes: Vec<String>,
    error_handling: &'static str,
    inert_expressions: Vec<Json>,
    human_gate: Vec<String>,
    pinned_data: Vec<String>,
    disabled_nodes: Vec<String>,
    dangling_references: Vec<String>,
    unresolved_subworkflows: Vec<String>,
    unknown_node_types: Vec<String>,
    steps: usize,
    opaque_expressions: usize,
}

impl Facts {
    /// The facts of a workflow that was surveyed.
    pub(super) fn of(import: &Import, survey: &Survey) -> Self {
        let view = View { import, survey };
        let is_own = |flow: &&Flow| import.is_own(flow.source) && import.is_own(flow.sink);
        let (own, linked): (Vec<&Flow>, Vec<&Flow>) = survey.flows.iter().partition(is_own);
        Self {
            untrusted_sources: view.untrusted(),
            sensitive_sources: view.sensitive(),
            egress_sinks: view.sinks(),
            flows: own.into_iter().map(|flow| view.flow(flow)).collect(),
            linked_flows: linked.into_iter().map(|flow| view.flow(flow)).collect(),
            agents: view.agents(),
            unauthenticated_entrypoints: view.named(|f| !f.disabled && f.entrance.is_some_and(|e| e.open)),
            hardcoded_secrets: view.parameters(&Observed::HardCodedSecret),
            tls_disabled: view.observed(|o| *o == Observed::TlsOff),
            code_nodes: view.named(|f| f.kind == Kind::Code),
            command_nodes: view.named(|f| f.kind == Kind::Command),
            destructive_nodes: view.named(|f| f.destructive && f.reachable),
            error_handling: view.error_handling(),
            inert_expressions: view.parameters(&Observed::InertExpression),
            human_gate: view.named(|f| f.human_gate && !f.disabled),
            pinned_data: view.observed(|o| *o == Observed::PinnedData),
            disabled_nodes: view.named(|f| f.disabled),
            dangling_references: view.dangling(),
            unresolved_subworkflows: view.observed(|o| {
                use Observed::{AmbiguousSubWorkflow, ExternalWorkflow, MissingFile, UnresolvedSubWorkflow};
                let (ambiguous, missing) = (matches!(o, AmbiguousSubWorkflow { .. }), matches!(o, MissingFile { .. }));
                *o == UnresolvedSubWorkflow || ambiguous || missing || matches!(o, ExternalWorkflow { .. })
            }),
            unknown_node_types: view.observed(|o| *o == Observed::UnknownNodeType),
            steps: import.steps.keys().filter(|step| import.is_own(**step)).count(),
            opaque_expressions: import.opaque,
        }
    }
}

struct View<'a> {
    import: &'a Import,
    survey: &'a Survey,
}

impl View<'_> {
    /// What is known of the steps of this very file; those of others are in the facts of theirs.
    fn own(&self) -> impl Iterator<Item = (&StepId, &Catalogued)> {
        self.import.steps.iter().filter(|(step, _)| self.import.is_own(**step))
    }

    fn name(&self, step: StepId) -> String {
        self.import.program.steps.get(step.0 as usize).map(|s| s.name.to_string()).unwrap_or_default()
    }

    fn named(&self, keep: impl Fn(&Catalogued) -> bool) -> Vec<String> {
        self.own().filter(|(_, fact)| keep(fact)).map(|(step, _)| self.name(*step)).collect()
    }

    fn observed(&self, keep: impl Fn(&Observed) -> bool) -> Vec<String> {
        let found = self.import.observations.iter().filter(|o| keep(&o.what)).map(|o| self.name(o.step));
        found.collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn parameters(&self, wanted: &Observed) -> Vec<Json> {
        let found = self.import.observations.iter().filter(|o| o.what == *wanted);
        found.map(|o| json!({ "node": self.name(o.step), "param": o.parameter })).collect()
    }

    fn dangling(&self) -> Vec<String> {
        let name = |what: &Observed| match what {
            Observed::DanglingReference { name } => Some(name.clone()),
            _ => None,
        };
        let found: BTreeSet<String> = self.import.observations.iter().filter_map(|o| name(&o.what)).collect();
        found.into_iter().collect()
    }

    fn untrusted(&self) -> Vec<Json> {
        let sources = self.own().filter(|(_, fact)| fact.reachable);
        sources
            .filter_map(|(step, fact)| {
                let source = fact.source.as_ref()?;
                let tier = self.survey.fetched.get(step).copied().unwrap_or(Some(source.tier))?;
                Some(json!({ "node": self.name(*step), "kind": source.kind, "tier": tier.name() }))
            })
            .collect()
    }

    fn sensitive(&self) -> Vec<Json> {
        let sources = self.own().filter(|(_, fact)| fact.reachable);
        sources
            .flat_map(|(step, fact)| fact.categories.iter().map(move |class| (step, class)))
            .map(|(step, class)| json!({ "node": self.name(*step), "category": class }))
            .collect()
    }

    fn sinks(&self) -> Vec<Json> {
        let sinks = self.own().filter(|(_, fact)| fact.reachable);
        let classed = sinks.filter_map(|(step, fact)| fact.sink.as_ref().map(|class| (step, class)));
        classed.map(|(step, class)| json!({ "node": self.name(*step), "class": class })).collect()
    }

    fn flow(&self, flow: &Flow) -> Json {
        let path: Vec<&str> = flow.path.iter().map(|stop| stop.step.as_str()).collect();
        json!({
            "source": self.name(flow.source),
            "sink": self.name(flow.sink),
            "kind": flow.kind.name(),
            "tier": flow.tier.name(),
            "path": path,
            "categories": flow.categories,
            "human_gate": flow.gate.map(|step| self.name(step)),
        })
    }

    fn agents(&self) -> Vec<Json> {
        let agents = self.own().filter(|(_, fact)| fact.kind == Kind::Agent && fact.reachable);
        agents
            .map(|(step, fact)| {
                let acts = |tool: &&StepId| self.import.steps.get(*tool).is_some_and(|f| f.side_effect && !f.disabled);
                let names = |tools: Vec<&StepId>| tools.into_iter().map(|t| self.name(*t)).collect::<Vec<_>>();
                json!({
                    "node": self.name(*step),
                    "tools": names(fact.tools.iter().collect()),
                    "side_effecting_tools": names(fact.tools.iter().filter(acts).collect()),
                })
            })
            .collect()
    }

    fn error_handling(&self) -> &'static str {
        let has = |wanted: &Observed| self.import.observations.iter().any(|o| o.what == *wanted);
        match (has(&Observed::ErrorWorkflow), has(&Observed::HandlesErrors)) {
            (true, _) => "present",
            (false, true) => "partial",
            (false, false) => "none",
        }
    }
}
