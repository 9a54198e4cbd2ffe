//! Flows of an imported workflow: from where data enters to the action that it gets to.

use std::collections::{BTreeMap, BTreeSet};

use sluice_core::catalogue::{Action, Usage};
use sluice_core::diagnostic::FlowStop;
use sluice_core::gate::Effect;
use sluice_core::label::{Atom, Label, Name};
use sluice_core::program::{CallTarget, NodeId, NodeKind, StepId};
use sluice_core::transfer::Prepared;
use sluice_core::value::Value;
use sluice_formats::{Catalogued, Import, Tier};

use crate::analysis::Analysis;
use crate::provenance::{self, Sink};

/// What a flow does where it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FlowKind {
    /// Untrusted text in a prompt.
    Prompt,
    /// Untrusted text in the words of an agent that may call this tool.
    AgentTool,
    /// Untrusted text in a query.
    QueryInjection,
    /// An outsider chooses the host.
    UrlHost,
    /// An outsider writes a part of the path or query.
    UrlPath,
    /// Untrusted text is evaluated as a program.
    Code,
    /// Untrusted text is in a shell command.
    Command,
    /// An outsider sets off or shapes a change of rights, money, or what cannot be undone.
    Privileged,
    /// An outsider chooses who gets a message.
    Recipient,
    /// An outsider names the object that is read.
    ObjectRef,
    /// Sensitive data leaves.
    Egress,
    /// Untrusted text is rendered as HTML.
    Html,
    /// Untrusted text is pasted into a JSON or XML document.
    BodyInject,
}

impl FlowKind {
    /// The word in facts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prompt => "prompt",
            Self::AgentTool => "agent_tool",
            Self::QueryInjection => "query_injection",
            Self::UrlHost => "url_host",
            Self::UrlPath => "url_path",
            Self::Code => "code",
            Self::Command => "command",
            Self::Privileged => "privileged",
            Self::Recipient => "recipient",
            Self::ObjectRef => "object_ref",
            Self::Egress => "egress",
            Self::Html => "html",
            Self::BodyInject => "body_inject",
        }
    }
}

/// One flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Where it enters.
    pub source: StepId,
    /// Where it acts.
    pub sink: StepId,
    /// What it does there.
    pub kind: FlowKind,
    /// How easily an outsider delivers it; of sensitive data always direct.
    pub tier: Tier,
    /// The parameters that it ends in.
    pub parameters: BTreeSet<Name>,
    /// The kinds of sensitive data, of an egress.
    pub categories: BTreeSet<Name>,
    /// The way, from the source to the sink; empty where there are too many flows to search each one's.
    pub path: Vec<FlowStop>,
    /// A person who answers on the way.
    pub gate: Option<StepId>,
}

type Key = (NodeId, StepId, FlowKind);

/// Most flows whose way is searched, times the nodes of the program: a search may visit every node. Real workflows stay far
/// below; a text made of a thousand alike flows would hold the check up for minutes.
const WAYS_WORK_MAX: usize = 1_000_000;

/// Every flow, in the order of the program.
pub(super) fn flows(import: &Import, analysis: &Analysis) -> Vec<Flow> {
    let search = Search { import, analysis, steps: steps_by_name(import) };
    let mut found: BTreeMap<Key, (Flow, Label)> = BTreeMap::new();
    for (id, node) in import.program.nodes() {
        let NodeKind::Call { target: CallTarget::Action { connector, action }, .. } = &node.kind else { continue };
        let Some(action) = import.catalogue.action(connector, action).filter(|a| !a.arguments.is_empty()) else {
            continue;
        };
        let Some(prepared) = analysis.prepared(&import.program, &import.catalogue, id) else { continue };
        search.at(id, node.step, action, &prepared, &mut found);
    }
    let mut seen = BTreeSet::new();
    let unique = found.into_iter().filter(|(_, (flow, _))| seen.insert((flow.source, flow.sink, flow.kind)));
    let most = WAYS_WORK_MAX / import.program.nodes().count().max(1);
    let way = |(n, ((id, ..), (flow, atoms))): (usize, (Key, (Flow, Label)))| {
        if n < most { search.with_path(id, flow, atoms) } else { flow }
    };
    unique.enumerate().map(way).collect()
}

fn steps_by_name(import: &Import) -> BTreeMap<Name, StepId> {
    let steps = (0..).map(StepId).zip(&import.program.steps);
    steps.map(|(id, step)| (step.name.clone(), id)).collect()
}

struct Search<'a> {
    import: &'a Import,
    analysis: &'a Analysis,
    steps: BTreeMap<Name, StepId>,
}

impl Search<'_> {
    fn at(
        &self,
        id: NodeId,
        step: StepId,
        action: &Action,
        prepared: &Prepared,
        found: &mut BTreeMap<Key, (Flow, Label)>,
    ) {
        let Some(fact) = self.import.steps.get(&step) else { return };
        for (name, argument) in &action.arguments {
            let (Some(usage), Some(value)) = (argument.usage, prepared.arguments.child(name)) else { continue };
            for (kind, label) in acts(usage, &value, fact, action) {
                let origins = self.import.catalogue.universe.origins(label);
                for (source, atom) in self.sources(origins) {
                    self.add(found, (id, source, kind), step, name, atom, None);
                }
            }
            if fact.sink.is_some() && !matches!(usage, Usage::Trigger | Usage::Agent) {
                for (source, class, atom) in self.sensitive(value.deep_label()) {
                    self.add(found, (id, source, FlowKind::Egress), step, name, atom, Some(class));
                }
            }
        }
    }

    fn add(
        &self,
        found: &mut BTreeMap<Key, (Flow, Label)>,
        key: Key,
        sink: StepId,
        parameter: &Name,
        atom: Label,
        class: Option<Name>,
    ) {
        let (_, source, kind) = key;
        if source == sink && kind != FlowKind::Egress {
            return;
        }
        let told = self.import.steps.get(&source).and_then(|fact| fact.source.as_ref()).map(|s| s.tier);
        let tier = if kind == FlowKind::Egress { Tier::Direct } else { told.unwrap_or(Tier::Conditional) };
        let (flow, atoms) = found.entry(key).or_insert_with(|| {
            let flow = Flow {
                source,
                sink,
                kind,
                tier,
                parameters: BTreeSet::new(),
                categories: BTreeSet::new(),
                path: Vec::new(),
                gate: None,
            };
            (flow, Label::BOTTOM)
        });
        *atoms = atoms.join(atom);
        flow.parameters.insert(parameter.strip_suffix(" (as text)").unwrap_or(parameter).into());
        flow.categories.extend(class);
    }

    /// The steps whose words are in a label.
    fn sources(&self, origins: Label) -> Vec<(StepId, Label)> {
        let universe = &self.import.catalogue.universe;
        let of = |atom: &Atom| match atom {
            Atom::Origin(name) => Some((*self.steps.get(name)?, Label::of(universe.id(atom)?))),
            _ => None,
        };
        universe.atoms(origins).filter_map(of).collect()
    }

    /// The steps whose sensitive data is in a label.
    fn sensitive(&self, label: Label) -> Vec<(StepId, Name, Label)> {
        let universe = &self.import.catalogue.universe;
        let of = |atom: &Atom| match atom {
            Atom::Category { owner, class } => {
                Some((*self.steps.get(owner)?, class.clone(), Label::of(universe.id(atom)?)))
            }
            _ => None,
        };
        universe.atoms(label).filter_map(of).collect()
    }

    fn with_path(&self, id: NodeId, mut flow: Flow, atoms: Label) -> Flow {
        let Import { program, catalogue, steps, .. } = self.import;
        flow.path = provenance::flow(program, catalogue, self.analysis, id, Sink::Arguments, atoms);
        let on_way = flow.path.iter().filter_map(|stop| self.steps.get(stop.step.as_str()));
        let between = on_way.filter(|step| **step != flow.sink);
        flow.gate = between.copied().find(|step| steps.get(step).is_some_and(|fact| fact.human_gate));
        flow
    }
}

/// What an argument does, and the label that counts for it.
fn acts(usage: Usage, value: &Value, fact: &Catalogued, action: &Action) -> Vec<(FlowKind, Label)> {
    let all = value.deep_label();
    let powerful = fact.privileged || fact.destructive || action.privileged;
    let mut found = Vec::new();
    match usage {
        Usage::Prompt => found.push((FlowKind::Prompt, all)),
        Usage::Agent if fact.side_effect => found.push((FlowKind::AgentTool, all)),
        Usage::Query => found.push((FlowKind::QueryInjection, all)),
        Usage::Host => found.push((FlowKind::UrlHost, all)),
        Usage::Path => found.push((FlowKind::UrlPath, all)),
        Usage::Url => found.extend(url(value)),
        Usage::Command => found.push((FlowKind::Command, all)),
        Usage::Code => found.push((FlowKind::Code, all)),
        Usage::Recipient => found.push((FlowKind::Recipient, all)),
        Usage::Object if action.effect == Effect::Read => found.push((FlowKind::ObjectRef, all)),
        Usage::Html => found.push((FlowKind::Html, all)),
        Usage::Document => found.push((FlowKind::BodyInject, all)),
        Usage::Trigger => found.push((FlowKind::Privileged, all)),
        _ => {}
    }
    let shapes = matches!(usage, Usage::Object | Usage::Amount | Usage::Query | Usage::Payload | Usage::Recipient);
    if powerful && shapes {
        found.push((FlowKind::Privileged, all));
    }
    found
}

/// Who writes the host writes all of it; behind a known host, an outsider writes the rest.
fn url(value: &Value) -> Option<(FlowKind, Label)> {
    let (head, label) = value.head();
    let known = head.split_once("://").is_some_and(|(_, rest)| rest.contains(['/', '?', '#'])) || value.is_concrete();
    if known && label == Label::BOTTOM {
        return Some((FlowKind::UrlPath, value.deep_label()));
    }
    Some((FlowKind::UrlHost, value.deep_label()))
}
