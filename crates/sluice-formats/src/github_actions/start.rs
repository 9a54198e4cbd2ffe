//! What starts a workflow: its events, the branch that some of them name, and its inputs.

use sluice_core::document::Node as Tree;
use sluice_core::label::{Label, Name};
use sluice_core::program::{PlaceId, StepId};
use sluice_core::text::Span;

use super::holds::Happened;
use super::lower::{Lowering, Started};
use super::read::{Event, entries};
use super::scope::Inputs;
use crate::import::{Catalogued, Confidence, Kind, Source, Tier};

impl Lowering<'_, '_> {
    /// Forks into the events, each of which says what it carries.
    pub(super) fn start(&mut self) {
        let span = self.workflow.tree.span;
        let hub = self.wires.code.label();
        let events: Vec<&Event<'_>> = self.workflow.events.iter().collect();
        let labels: Vec<_> = events.iter().map(|_| self.wires.code.label()).collect();
        self.wires.code.step = self.root;
        self.wires.fork(&labels, hub, span);
        for (event, label) in events.into_iter().zip(labels) {
            self.wires.code.bind(label);
            let known = self.knowledge.event(&event.name);
            let (place, step) = self.source(&event.name, &event.name, known.tier, event.span);
            self.events.push(Started { name: event.name.clone(), known, place, happened: Happened::of(event), step });
            self.wires.code.goto(hub);
        }
        self.wires.code.bind(hub);
    }

    /// A step that words of others come from, and the place that they come to.
    fn source(&mut self, name: &str, kind: &str, tier: Tier, span: Span) -> (PlaceId, StepId) {
        let step = self.step(name, "trigger", span);
        let name: Name = self.name(step).into();
        self.wires.code.step = step;
        let place = self.wires.code.place(format!("what {name} carries"));
        let origin = self.wires.origin(&name);
        self.wires.receive(&name, (Label::BOTTOM, origin), place, span);
        self.wires.steps.insert(
            step,
            Catalogued {
                node_type: format!("on.{kind}").into(),
                kind: Kind::Trigger,
                source: Some(Source { kind: kind.into(), tier }),
                reachable: true,
                confidence: Confidence::Known,
                ..Catalogued::default()
            },
        );
        (place, step)
    }

    pub(super) fn refs(&mut self) -> Option<PlaceId> {
        let span = self.events.iter().find(|event| event.known.refs).map(|event| event.step)?;
        let span = self.wires.code.steps.get(span.0 as usize).map(|step| step.span).unwrap_or_default();
        Some(self.source("github.ref", "ref", Tier::Conditional, span).0)
    }

    /// The place of inputs, and the names of those that can only be fixed words.
    pub(super) fn inputs(&mut self) -> Inputs {
        let mut fixed = Vec::new();
        let mut first = None;
        for event in &self.workflow.events {
            if !matches!(event.name.as_ref(), "workflow_call" | "workflow_dispatch") {
                continue;
            }
            first = first.or(Some(event.span));
            for input in entries(event.tree.and_then(|tree| tree.get("inputs"))) {
                let kind = input.value.get("type").and_then(Tree::as_text).map(AsRef::as_ref);
                if matches!(kind, Some("boolean" | "number" | "choice" | "environment")) {
                    fixed.push(input.key.to_lowercase());
                }
            }
        }
        let all = first.map(|span| self.source("inputs", "inputs", Tier::Conditional, span).0);
        Inputs { all, fixed, ..Inputs::default() }
    }
}
