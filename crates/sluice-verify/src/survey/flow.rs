//! Flows of an imported workflow: from where data enters to the action that it gets to.

use std::collections::{BTreeMap, BTreeSet};

use sluice_core::catalogue::{Action, Usage};
use sluice_core::diagnostic::FlowStop;
use sluice_core::gate::Effect;
use sluice_core::label::{Atom, Label, Name};
use sluice_core::program::{CallTarget, NodeId, NodeKind, StepId};
use sluice_core::transfer::Prepared;
use sluice_core::value::Value;
use sluice_formats::guard::{Past, Who};
use sluice_formats::{Catalogued, Import, Kind, Tier};

use super::guarded::Guarded;
use crate::analysis::{Analysis, reachable};
use crate::provenance::{Provenance, Sink};

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
    /// An outsider chooses which function, queue, bucket or workflow is called.
    Resource,
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
            Self::Resource => "resource",
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

/// An outsider's words that get to an action only after a check.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Validated {
    /// Where they act.
    pub sink: StepId,
    /// What they would do there.
    pub kind: FlowKind,
    /// Where they enter.
    pub source: StepId,
    /// The parameter.
    pub parameter: Name,
    /// The steps that check them, one on each way.
    pub by: BTreeSet<StepId>,
}

/// What was searched for.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) flows: Vec<Flow>,
    pub(super) validated: Vec<Validated>,
    /// Of steps that fetch any URL: how easily an outsider chose it, if one did.
    pub(super) fetched: BTreeMap<StepId, Option<Tier>>,
}

type Key = (NodeId, StepId, FlowKind);

/// Most flows whose way is searched, times the nodes of the program: a search may visit every node. Real workflows stay far
/// below; a text made of a thousand alike flows would hold the check up for minutes.
const WAYS_WORK_MAX: usize = 1_000_000;

/// Every flow, in the order of the program.
pub(super) fn flows(import: &Import, analysis: &Analysis) -> Found {
    let guarded = Guarded::of(import, analysis);
    let mut search = Search {
        import,
        analysis,
        guarded,
        steps: steps_by_name(import),
        fetched: BTreeMap::new(),
        validated: BTreeSet::new(),
    };
    search.fetched = search.fetched();
    let mut found: BTreeMap<Key, (Flow, Label)> = BTreeMap::new();
    for (id, node) in import.program.nodes() {
        let NodeKind::Call { target: CallTarget::Action { connector, action }, .. } = &node.kind else { continue };
        let Some(action) = import.catalogue.action(connector, action).filter(|a| !a.arguments.is_empty()) else {
            continue;
        };
        let Some(prepared) = analysis.prepared(id) else { continue };
        search.at(id, node.step, action, prepared, &mut found);
    }
    search.mark_replies(&mut found);
    let mut seen = BTreeSet::new();
    let of = |flow: &Flow| (flow.source, flow.sink, flow.kind);
    let unasked: BTreeSet<_> =
        found.values().filter(|(flow, _)| flow.gate.is_none()).map(|(flow, _)| of(flow)).collect();
    let worst = found.into_iter().filter(|(_, (flow, _))| flow.gate.is_none() || !unasked.contains(&of(flow)));
    let unique = worst.filter(|(_, (flow, _))| seen.insert(of(flow)));
    let most = WAYS_WORK_MAX / import.program.nodes().count().max(1);
    let ways = Provenance::of(&import.program, &import.catalogue, analysis);
    let way = |(n, ((id, ..), (flow, atoms))): (usize, (Key, (Flow, Label)))| {
        if n < most { search.with_path(&ways, id, flow, atoms) } else { flow }
    };
    let flows: Vec<Flow> = unique.enumerate().map(way).collect();
    // By another parameter, or on another call of the step, the same words may come unchecked.
    let open: BTreeSet<_> = flows.iter().map(|flow| (flow.source, flow.sink, flow.kind)).collect();
    let validated = search.validated.into_iter().filter(|v| !open.contains(&(v.source, v.sink, v.kind)));
    Found { flows, validated: validated.collect(), fetched: search.fetched }
}

fn steps_by_name(import: &Import) -> BTreeMap<Name, StepId> {
    let steps = (0..).map(StepId).zip(&import.program.steps);
    steps.map(|(id, step)| (step.name.clone(), id)).collect()
}

struct Search<'a> {
    import: &'a Import,
    analysis: &'a Analysis,
    guarded: Guarded<'a>,
    steps: BTreeMap<Name, StepId>,
    /// Of steps that fetch any URL: how easily an outsider chose it, if one did.
    fetched: BTreeMap<StepId, Option<Tier>>,
    validated: BTreeSet<Validated>,
}

impl<'a> Search<'a> {
    fn at(
        &mut self,
        id: NodeId,
        step: StepId,
        action: &Action,
        prepared: &Prepared,
        found: &mut BTreeMap<Key, (Flow, Label)>,
    ) {
        let Some(fact) = self.import.steps.get(&step) else { return };
        for (name, argument) in &action.arguments {
            let (Some(usage), Some(value)) = (argument.usage, prepared.arguments.child(name)) else { continue };
            if value.is_concrete() {
                // The same in every run, whatever its label says of how it came there: nobody chooses it, and it tells nothing.
                continue;
            }
            for (kind, label) in acts(usage, &value, fact, action) {
                let origins = self.import.catalogue.universe.origins(label);
                let sources = self.sources(origins);
                let rest = self.guarded.rest(id, name, kind).filter(|_| !sources.is_empty());
                for (source, atom, past) in sources {
                    match (&rest, past) {
                        (Some(rest), _) if !atom.flows_to(rest.label) => {
                            self.checked(source, step, kind, name, &rest.by);
                        }
                        (_, Some(Past { by, who: Who::Insider, .. })) => {
                            self.checked(source, step, kind, name, &[*by].into());
                        }
                        _ => {
                            let asked = past.map(|past| past.by);
                            self.add(found, (id, source, kind), (step, name), atom, (None, asked));
                        }
                    }
                }
            }
            if fact.sink.is_some() && !matches!(usage, Usage::Trigger | Usage::Agent) {
                // To whom a message goes is an address by its nature: what leaves with it is what it says.
                let is_address = |class: &Name| usage == Usage::Recipient && class.as_ref() == "contact_pii";
                let leaves = |(source, class, _): &(StepId, Name, Label)| {
                    !is_address(class) && !self.goes_back(*source, step, action)
                };
                for (source, class, atom) in self.sensitive(value.deep_label()).into_iter().filter(leaves) {
                    self.add(found, (id, source, FlowKind::Egress), (step, name), atom, (Some(class), None));
                }
            }
        }
    }

    /// Whether a step writes into the very system that the data was read of. A message goes to people, wherever it is kept.
    fn goes_back(&self, source: StepId, sink: StepId, action: &Action) -> bool {
        let systems = |step: StepId| self.import.steps.get(&step).map(|fact| &fact.systems);
        let (Some(from), Some(to)) = (systems(source), systems(sink)) else { return false };
        let is_message = action.arguments.values().any(|argument| argument.usage == Some(Usage::Recipient));
        source != sink && !is_message && from.intersection(to).next().is_some()
    }

    fn add(
        &self,
        found: &mut BTreeMap<Key, (Flow, Label)>,
        key: Key,
        (sink, parameter): (StepId, &Name),
        atom: Label,
        (class, asked): (Option<Name>, Option<StepId>),
    ) {
        let (_, source, kind) = key;
        if source == sink && kind != FlowKind::Egress {
            return;
        }
        let tier = match kind {
            FlowKind::Egress => Tier::Direct,
            _ => match self.tier(source) {
                Some(tier) => tier,
                None => return,
            },
        };
        let (flow, atoms) = found.entry(key).or_insert_with(|| {
            let flow = Flow {
                source,
                sink,
                kind,
                tier,
                parameters: BTreeSet::new(),
                categories: BTreeSet::new(),
                path: Vec::new(),
                gate: asked,
            };
            (flow, Label::BOTTOM)
        });
        // What comes past nobody comes past nobody, whatever else does.
        flow.gate = flow.gate.filter(|_| asked.is_some());
        *atoms = atoms.join(atom);
        flow.parameters.insert(named(parameter));
        flow.categories.extend(class);
    }

    /// Words that would act, had they not been checked; a step's own act nowhere in itself.
    fn checked(&mut self, source: StepId, sink: StepId, kind: FlowKind, parameter: &Name, by: &BTreeSet<StepId>) {
        if source != sink && self.tier(source).is_some_and(|tier| tier > Tier::Internal) {
            let parameter = named(parameter);
            self.validated.insert(Validated { sink, kind, source, parameter, by: by.clone() });
        }
    }

    /// Whoever wrote gets the answer: no choice of a recipient, unless the answer carries what is the owner's.
    fn mark_replies(&self, found: &mut BTreeMap<Key, (Flow, Label)>) {
        const OWNERS: [&str; 4] = ["communications", "calendar", "internal_docs", "credentials"];
        let egress = found.iter().filter(|((_, _, kind), _)| *kind == FlowKind::Egress);
        let carries: BTreeSet<(NodeId, StepId)> = egress
            .filter(|(_, (flow, _))| flow.categories.iter().any(|class| OWNERS.contains(&class.as_ref())))
            .map(|((id, source, _), _)| (*id, *source))
            .collect();
        for ((id, source, kind), (flow, _)) in found.iter_mut() {
            let gives_away = carries.iter().any(|(at, from)| at == id && from != source);
            if *kind == FlowKind::Recipient && self.answers(flow) && !gives_away {
                flow.tier = Tier::Internal;
            }
            // What happened names what it happened to: the service chose that name, and no sender.
            if *kind == FlowKind::ObjectRef && self.answers(flow) && !self.is_open(flow.source) {
                flow.tier = Tier::Internal;
            }
        }
    }

    fn is_open(&self, step: StepId) -> bool {
        self.import.steps.get(&step).is_some_and(|fact| fact.entrance.is_some_and(|entrance| entrance.open))
    }

    /// Whether a message goes out by the service on which the source's came in.
    fn answers(&self, flow: &Flow) -> bool {
        let fact = |step: StepId| self.import.steps.get(&step);
        let (Some(source), Some(sink)) = (fact(flow.source), fact(flow.sink)) else { return false };
        source.kind == Kind::Trigger && source.service.is_some() && source.service == sink.service
    }

    /// How easily an outsider delivers what comes in at a step; `None` where nobody can.
    fn tier(&self, step: StepId) -> Option<Tier> {
        match self.fetched.get(&step) {
            Some(fetched) => *fetched,
            None => self.import.steps.get(&step)?.source.as_ref().map(|source| source.tier),
        }
    }

    /// What lies at a URL is an outsider's if one chose it; at one of a list of one's own it is a third party's.
    fn fetched(&self) -> BTreeMap<StepId, Option<Tier>> {
        let mut found = BTreeMap::new();
        for (id, node) in self.import.program.nodes() {
            let NodeKind::Call { target: CallTarget::Action { connector, action }, .. } = &node.kind else { continue };
            if !self.import.steps.get(&node.step).is_some_and(|fact| fact.fetches) {
                continue;
            }
            let Some(action) = self.import.catalogue.action(connector, action) else { continue };
            let Some(prepared) = self.analysis.prepared(id) else { continue };
            let urls = action.arguments.iter().filter(|(_, a)| a.usage == Some(Usage::Url));
            for (name, _) in urls {
                let Some(value) = prepared.arguments.child(name) else { continue };
                let origins = self.import.catalogue.universe.origins(value.deep_label());
                let chosen = self.sources(origins).into_iter().filter(|(source, ..)| *source != node.step);
                let tiers =
                    chosen.filter_map(|(source, ..)| self.import.steps.get(&source)?.source.as_ref().map(|s| s.tier));
                let tier = tiers.max().map(|tier| tier.max(Tier::Indirect));
                let slot = found.entry(node.step).or_insert(None);
                *slot = (*slot).max(tier);
            }
        }
        found
    }

    /// The steps whose words are in a label, and who has let them pass.
    fn sources(&self, origins: Label) -> Vec<(StepId, Label, Option<&'a Past>)> {
        let universe = &self.import.catalogue.universe;
        let of = |atom: &Atom| match atom {
            Atom::Origin(name) => {
                let past = self.import.guards.past.get(name);
                let source = past.map(|past| past.source).or_else(|| self.steps.get(name).copied())?;
                Some((source, Label::of(universe.id(atom)?), past))
            }
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

    fn with_path(&self, ways: &Provenance<'_>, id: NodeId, mut flow: Flow, atoms: Label) -> Flow {
        flow.path = ways.flow(id, Sink::Arguments, atoms);
        in_words(&mut flow);
        flow.gate = self.gate(&flow, id).or(flow.gate);
        flow
    }

    /// Who is asked on every way from the source to the call; a way around them all is nobody's.
    fn gate(&self, flow: &Flow, call: NodeId) -> Option<StepId> {
        let ends = [flow.source, flow.sink];
        let beside =
            |step: &StepId| self.import.guards.beside.get(step).is_some_and(|steps| steps.contains(&flow.sink));
        let asks = |step: &StepId, fact: &Catalogued| {
            fact.human_gate && !fact.disabled && !ends.contains(step) && !beside(step)
        };
        let gates = self.import.steps.iter().filter(|(step, fact)| asks(step, fact)).map(|(step, _)| *step);
        let gates: BTreeSet<StepId> = gates.collect();
        if gates.is_empty() {
            return None;
        }
        let nodes = self.import.program.nodes().filter(|(_, node)| node.step == flow.source).map(|(id, _)| id);
        let starts: Vec<NodeId> = nodes.filter(|id| self.analysis.reaches(*id)).collect();
        let step_of = |id: NodeId| self.import.program.node(id).map(|node| node.step);
        let without = |closed: &dyn Fn(StepId) -> bool| {
            reachable(self.analysis, starts.iter().copied(), &|id| step_of(id).is_some_and(closed))
        };
        if without(&|step| gates.contains(&step)).contains(&call) {
            return None;
        }
        // The one that is on all ways, or the first of those that share them.
        let alone = gates.iter().copied().find(|gate| !without(&|step| step == *gate).contains(&call));
        let passed = || without(&|_| false).into_iter().filter_map(step_of).filter(|step| gates.contains(step)).min();
        alone.or_else(passed)
    }
}

/// The ends of a way, in the words of the file: actions are named for its steps already.
fn in_words(flow: &mut Flow) {
    let parameters: Vec<String> = flow.parameters.iter().map(|name| format!("`{name}`")).collect();
    if let Some(last) = flow.path.last_mut() {
        last.what = format!("it is used in {}", parameters.join(", "));
    }
    if let Some(first) = flow.path.first_mut().filter(|first| first.what.contains(" (reply)`")) {
        "it comes in here".clone_into(&mut first.what);
    }
    for stop in &mut flow.path {
        if stop.what.starts_with("it becomes the ") {
            "it goes on from here".clone_into(&mut stop.what);
        }
    }
}

/// A parameter as its author knows it.
fn named(parameter: &Name) -> Name {
    parameter.strip_suffix(" (as text)").unwrap_or(parameter).into()
}

/// What an argument does, and the label that counts for it.
fn acts(usage: Usage, value: &Value, fact: &Catalogued, action: &Action) -> Vec<(FlowKind, Label)> {
    let all = value.deep_label();
    let powerful = fact.privileged || fact.destructive;
    let mut found = Vec::new();
    match usage {
        Usage::Prompt => found.push((FlowKind::Prompt, all)),
        Usage::Agent if fact.side_effect => found.push((FlowKind::AgentTool, all)),
        Usage::Query => found.push((FlowKind::QueryInjection, all)),
        Usage::Host => found.push((FlowKind::UrlHost, all)),
        Usage::Path => found.push((FlowKind::UrlPath, all)),
        Usage::Url => found.push(url(value)),
        Usage::Command => found.push((FlowKind::Command, all)),
        Usage::Code => found.push((FlowKind::Code, all)),
        Usage::Recipient => found.push((FlowKind::Recipient, all)),
        Usage::Object if action.effect == Effect::Read => found.push((FlowKind::ObjectRef, all)),
        Usage::Resource => found.push((FlowKind::Resource, all)),
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

/// Who writes the host writes all of it; behind a host that is the same in every run, an outsider writes the rest.
fn url(value: &Value) -> (FlowKind, Label) {
    let (head, _) = value.head();
    let known = head.split_once("://").is_some_and(|(_, rest)| rest.contains(['/', '?', '#']));
    (if known { FlowKind::UrlPath } else { FlowKind::UrlHost }, value.deep_label())
}
