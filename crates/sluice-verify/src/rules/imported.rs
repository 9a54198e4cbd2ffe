//! Rules on imported workflows: one file each, like those on native ones.
//!
//! Flow rules speak of a flow's end, face rules of what the text shows by itself. Findings of absence (no error handling,
//! unknown node types) are information: most real workflows have them, and they must not drown the rest.

mod actions;
mod all_rights;
mod all_secrets;
mod anonymous_trigger;
mod command_injection;
mod command_step;
mod dangerous_trigger;
mod dangling_reference;
mod destructive_step;
mod dynamic_resource;
mod endless_callback;
mod evaluated_text;
mod inert_expression;
mod kept_credentials;
mod literal_secret;
mod no_error_handling;
mod no_permissions;
mod open_entrance;
mod outsider_chooses_recipient;
mod outsider_names_object;
mod poisoned_cache;
mod poisoned_environment;
mod query_injection;
mod runs_artifact;
mod runs_outsiders_code;
mod secret_in_script;
mod secrets_inherited;
mod self_hosted_runner;
mod sensitive_egress;
mod template_injection;
mod tls_off;
mod uncaught_effect;
mod unknown_node_type;
mod unmasked_secret;
mod unpinned_action;
mod unpinned_image;
mod unpinned_official_action;
mod unresolved_workflow;
mod unsecure_commands;
mod unsecured_secret;
mod untrusted_agent_tool;
mod untrusted_document;
mod untrusted_host;
mod untrusted_html;
mod untrusted_path;
mod untrusted_privileged;
mod untrusted_prompt;
mod validated_value;
mod weak_condition;

mod wide_resource;
mod wide_write;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use sluice_core::diagnostic::{Code, Confidence, Diagnostic, FlowStop, Severity};
use sluice_core::edit::Fix;
use sluice_core::program::StepId;
use sluice_core::text::Span;
use sluice_formats::{Catalogued, Confidence as Known, Format, Import, Kind, Observation, Observed, Tier};

use super::RuleMeta;
use crate::survey::{Flow, FlowKind, Validated};

/// A rule on flows of one kind.
struct FlowRule {
    meta: RuleMeta,
    kind: FlowKind,
    /// What is said of the sink, before its name.
    says: &'static str,
    help: &'static str,
}

/// A rule on what a text shows by itself.
struct FaceRule {
    meta: RuleMeta,
    says: &'static str,
    help: &'static str,
}

const FLOW_RULES: &[&FlowRule] = &[
    &untrusted_prompt::RULE,
    &untrusted_agent_tool::RULE,
    &query_injection::RULE,
    &untrusted_host::RULE,
    &untrusted_path::RULE,
    &evaluated_text::RULE,
    &command_injection::RULE,
    &untrusted_privileged::RULE,
    &outsider_chooses_recipient::RULE,
    &outsider_names_object::RULE,
    &sensitive_egress::RULE,
    &untrusted_html::RULE,
    &untrusted_document::RULE,
    &dynamic_resource::RULE,
];

const FACE_RULES: &[&FaceRule] = &[
    &open_entrance::RULE,
    &literal_secret::RULE,
    &tls_off::RULE,
    &command_step::RULE,
    &inert_expression::RULE,
    &dangling_reference::RULE,
    &destructive_step::RULE,
    &no_error_handling::RULE,
    &unresolved_workflow::RULE,
    &unknown_node_type::RULE,
    &uncaught_effect::RULE,
    &wide_resource::RULE,
    &endless_callback::RULE,
    &anonymous_trigger::RULE,
    &unsecured_secret::RULE,
    &validated_value::RULE,
];

/// Every rule on imported workflows.
pub(super) fn all() -> impl Iterator<Item = &'static RuleMeta> {
    let mut metas: Vec<&'static RuleMeta> = FLOW_RULES.iter().map(|rule| &rule.meta).collect();
    metas.extend(FACE_RULES.iter().map(|rule| &rule.meta));
    metas.extend(actions::all());
    metas.sort_by_key(|meta| meta.code);
    metas.into_iter()
}

/// What the rules find, in the order of the text; apart from it what ends in another file, with the name of that.
pub(crate) fn check(
    import: &Import,
    flows: &[Flow],
    validated: &[Validated],
) -> (Vec<Diagnostic>, Vec<(Arc<str>, Diagnostic)>) {
    let cx = Context { import };
    let (pasted, flows) = actions::split(import, flows);
    let mut found: Vec<(StepId, Diagnostic)> = FLOW_RULES.iter().flat_map(|rule| cx.on_flows(rule, &flows)).collect();
    for (rule, flows) in &pasted {
        found.extend(cx.on_flows(rule, flows));
    }
    let (mut findings, mut elsewhere) = (Vec::new(), Vec::new());
    found.extend(cx.on_faces());
    for (sink, finding) in found {
        match import.linked.steps.get(&sink) {
            None => findings.push(finding),
            Some(file) => elsewhere.push((file.clone(), finding)),
        }
    }
    // What is held back in another file is told with that one.
    let own = validated.iter().filter(|validated| import.is_own(validated.sink));
    findings.extend(own.map(|validated| cx.on_validated(validated)));
    findings.sort_by_key(|f| (std::cmp::Reverse(f.severity), f.span.start, f.code));
    (findings, elsewhere)
}

struct Context<'a> {
    import: &'a Import,
}

impl Context<'_> {
    fn name(&self, step: StepId) -> String {
        self.import.program.steps.get(step.0 as usize).map(|s| s.name.to_string()).unwrap_or_default()
    }

    fn span(&self, step: StepId) -> Span {
        self.import.program.steps.get(step.0 as usize).map(|s| s.span).unwrap_or_default()
    }

    /// One finding for each sink: several sources are one thing to mend.
    fn on_flows(&self, rule: &FlowRule, flows: &[&Flow]) -> Vec<(StepId, Diagnostic)> {
        let mut by_sink: BTreeMap<StepId, Vec<&Flow>> = BTreeMap::new();
        for flow in flows.iter().copied().filter(|flow| flow.kind == rule.kind && flow.tier > Tier::Internal) {
            by_sink.entry(flow.sink).or_default().push(flow);
        }
        by_sink.into_iter().filter_map(|(sink, flows)| Some((sink, self.on_sink(rule, &flows)?))).collect()
    }

    fn on_sink(&self, rule: &FlowRule, flows: &[&Flow]) -> Option<Diagnostic> {
        let worst = flows.iter().max_by_key(|flow| (flow.tier, flow.gate.is_none(), !flow.path.is_empty()))?;
        let name = |step: StepId| self.import.name_for(step, worst.sink);
        let mut sources: Vec<String> = flows.iter().map(|flow| format!("`{}`", name(flow.source))).collect();
        sources.dedup();
        let what = match rule.kind {
            FlowKind::Egress => {
                let classes: std::collections::BTreeSet<_> = flows.iter().flat_map(|f| f.categories.iter()).collect();
                let classes: Vec<String> = classes.into_iter().map(|c| c.replace('_', " ")).collect();
                format!(" ({})", classes.join(", "))
            }
            _ => String::new(),
        };
        let gate = worst.gate.map(|step| format!("; `{}` asks a person on the way", name(step))).unwrap_or_default();
        let from = sources.join(", ");
        let message = format!("{} `{}`, from {from}{what}{gate}", rule.says, name(worst.sink));
        let mut finding = rule.meta.finding(self.span(worst.sink), message, rule.help).at_step(&*name(worst.sink));
        finding.flow = worst.path.iter().map(|stop| self.seen_from(stop, worst.sink)).collect();
        finding.severity = severity(rule.meta.severity, worst);
        finding.confidence = self.confidence(rule.meta.confidence, worst);
        finding.fix = actions::fix_of_flows(self.import, rule, flows);
        if let Some(source) = finding.flow.first().cloned().filter(|s| s.span != finding.span && s.file.is_none()) {
            finding = finding.also(source.span, "it enters here");
        }
        Some(finding)
    }

    /// A stop for somebody who reads the file of `reader`.
    fn seen_from(&self, stop: &FlowStop, reader: StepId) -> FlowStop {
        let Some(step) = self.import.step_named(&stop.step).filter(|_| !self.import.linked.steps.is_empty()) else {
            return stop.clone();
        };
        let file = self.import.file_of(step).filter(|file| Some(*file) != self.import.file_of(reader));
        FlowStop { step: self.import.own_name(step).to_string(), file: file.cloned(), ..stop.clone() }
    }

    /// That nothing is found, and why.
    fn on_validated(&self, validated: &Validated) -> Diagnostic {
        let (rule, sink) = (&validated_value::RULE, self.name(validated.sink));
        let by: Vec<String> = validated.by.iter().map(|step| format!("`{}`", self.name(*step))).collect();
        let (source, parameter) = (self.name(validated.source), &validated.parameter);
        let kind = validated.kind.name().replace('_', " ");
        let message = format!(
            "{} ({kind}): {} checks what `{source}` brings to `{sink}`, in `{parameter}`",
            rule.says,
            by.join(" or ")
        );
        let mut finding = rule.meta.finding(self.span(validated.sink), message, rule.help).at_step(sink);
        for step in validated.by.iter().filter(|step| self.import.is_own(**step)) {
            finding = finding.also(self.span(*step), "it is checked here");
        }
        finding
    }

    fn on_faces(&self) -> Vec<(StepId, Diagnostic)> {
        let mut findings = Vec::new();
        for (step, fact) in self.import.steps.iter().filter(|(step, _)| self.import.is_own(**step)) {
            let rules = [
                (&open_entrance::RULE, !fact.disabled && fact.entrance.is_some_and(|e| e.open)),
                (&command_step::RULE, fact.kind == Kind::Command && fact.reachable && !is_script(self.import)),
                (&destructive_step::RULE, fact.destructive && fact.reachable && !fact.human_gate),
            ];
            let holding = rules.into_iter().filter(|(_, holds)| *holds);
            findings.extend(holding.map(|(rule, _)| (*step, self.on_step(rule, *step, fact))));
        }
        for observation in &self.import.observations {
            if let Some(rule) = rule_of(&observation.what) {
                let found = self.at(rule, observation.step, Some(observation));
                findings.push((observation.step, Diagnostic { fix: fix_of(self.import, observation), ..found }));
            }
        }
        findings.extend(self.absences());
        findings
    }

    fn on_step(&self, rule: &FaceRule, step: StepId, fact: &Catalogued) -> Diagnostic {
        let mut found = self.at(rule, step, None);
        if found.code == open_entrance::RULE.meta.code && fact.entrance.is_some_and(|entrance| !entrance.leads) {
            found.severity = Severity::Low;
            found.message.push_str(", and nothing is seen behind it that calls, changes or reads anything");
        }
        found
    }

    fn absences(&self) -> Option<(StepId, Diagnostic)> {
        // A step that fails ends its job, and somebody is told.
        if is_script(self.import) {
            return None;
        }
        let handled = |o: &Observation| matches!(o.what, Observed::HandlesErrors | Observed::ErrorWorkflow);
        let acts = |fact: &Catalogued| fact.side_effect && fact.reachable;
        let mut own = self.import.steps.iter().filter(|(step, _)| self.import.is_own(**step));
        let first = own.find(|(_, fact)| acts(fact)).map(|(step, _)| *step)?;
        let none = !self.import.observations.iter().any(handled);
        none.then(|| (first, self.at(&no_error_handling::RULE, first, None)))
    }

    fn at(&self, rule: &FaceRule, step: StepId, observation: Option<&Observation>) -> Diagnostic {
        let span = observation.map_or_else(|| self.span(step), |o| o.span);
        let detail = match observation.map(|o| (&o.what, &o.parameter)) {
            Some((
                Observed::DanglingReference { name }
                | Observed::MissingFile { name }
                | Observed::ExternalWorkflow { name },
                _,
            )) => format!(": `{name}`"),
            Some((Observed::AmbiguousSubWorkflow { files }, _)) => {
                let files: Vec<String> = files.iter().map(|file| format!("`{file}`")).collect();
                format!(": {} answer to the id that is called", files.join(" and "))
            }
            Some((Observed::UncaughtEffect { others: 1 }, _)) => ", nor has another one".to_owned(),
            Some((Observed::UncaughtEffect { others }, _)) if *others > 1 => format!(", nor have {others} others"),
            Some((_, Some(parameter))) => format!(", in `{parameter}`"),
            _ => String::new(),
        };
        let says = match observation.map(|o| &o.what) {
            Some(Observed::AmbiguousSubWorkflow { .. }) => "which workflow is called is not certain",
            Some(Observed::MissingFile { .. }) => {
                "the file of this repository that is called is not among those that were read"
            }
            Some(Observed::ExternalWorkflow { .. }) => {
                "a workflow of another repository is called, and not looked into"
            }
            _ => rule.says,
        };
        let help = match observation.map(|o| &o.what) {
            Some(Observed::ExternalWorkflow { .. }) => "read it at the commit that is called, and pin that",
            _ => rule.help,
        };
        // For whoever reads the file that the step stands in.
        let name = self.import.own_name(step);
        let message = format!("{says} (`{name}`){detail}");
        let mut finding = rule.meta.finding(span, message, help).at_step(&*name);
        // That a type is unknown is no guess.
        if self.is_guessed(step) && finding.code != unknown_node_type::RULE.meta.code {
            finding.confidence = finding.confidence.lower();
        }
        finding
    }

    /// A flow is as sure as what is known of its ends and of who delivers it.
    fn confidence(&self, most: Confidence, flow: &Flow) -> Confidence {
        let most = if self.is_guessed(flow.source) || self.is_guessed(flow.sink) { most.lower() } else { most };
        if flow.tier == Tier::Conditional { most.lower() } else { most }
    }

    /// Whether what a step does was guessed from its name.
    fn is_guessed(&self, step: StepId) -> bool {
        self.import.steps.get(&step).is_some_and(|fact| fact.confidence == Known::Assumed)
    }
}

/// Whether every step is a command, so that one more is nothing to tell.
fn is_script(import: &Import) -> bool {
    import.format == Format::GithubActions
}

fn rule_of(what: &Observed) -> Option<&'static FaceRule> {
    Some(match what {
        Observed::HardCodedSecret => &literal_secret::RULE,
        Observed::TlsOff => &tls_off::RULE,
        Observed::InertExpression => &inert_expression::RULE,
        Observed::DanglingReference { .. } => &dangling_reference::RULE,
        Observed::UnresolvedSubWorkflow
        | Observed::AmbiguousSubWorkflow { .. }
        | Observed::MissingFile { .. }
        | Observed::ExternalWorkflow { .. } => &unresolved_workflow::RULE,
        Observed::UnknownNodeType => &unknown_node_type::RULE,
        Observed::Actions(face) => actions::rule_of(*face),
        Observed::UncaughtEffect { .. } => &uncaught_effect::RULE,
        Observed::WideResource => &wide_resource::RULE,
        Observed::EndlessCallback => &endless_callback::RULE,
        Observed::AnonymousTrigger => &anonymous_trigger::RULE,
        Observed::UnsecuredSecret => &unsecured_secret::RULE,
        Observed::HandlesErrors | Observed::ErrorWorkflow | Observed::PinnedData => return None,
    })
}

/// How what the text shows is mended without thinking: by the rule that finds it, and only in the file that is asked about.
fn fix_of(import: &Import, observation: &Observation) -> Option<Fix> {
    match observation.what {
        Observed::TlsOff if import.is_own(observation.step) => tls_off::fix(import.format, observation.span),
        Observed::Actions(face) => import.mends.get(&(observation.step, actions::mended(face)?)).cloned(),
        _ => None,
    }
}

/// Indirect words count less than those that an outsider delivers on purpose; a person on the way, too.
fn severity(most: Severity, flow: &Flow) -> Severity {
    let by_tier = match flow.tier {
        Tier::Direct => most,
        Tier::Indirect => most.min(Severity::Medium),
        Tier::Conditional => most.min(Severity::Low),
        Tier::Internal => Severity::Info,
    };
    if flow.gate.is_some() { by_tier.min(Severity::Low) } else { by_tier }
}
