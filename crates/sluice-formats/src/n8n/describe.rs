//! What the report knows of each node beside the program.

use super::lower::Lowering;
use super::parameters::{is_expression, text_at};
use super::system;
use crate::import::{Catalogued, Confidence, Entrance, Kind, Observed};

/// Nodes that pass items on, and neither read nor change anything else.
const PASSING: [&str; 16] = [
    "aggregate",
    "filter",
    "if",
    "itemLists",
    "limit",
    "merge",
    "noOp",
    "renameKeys",
    "set",
    "sort",
    "splitInBatches",
    "splitOut",
    "stickyNote",
    "stopAndError",
    "summarize",
    "switch",
];

/// Workflows within workflows that are looked into; what lies deeper may do anything.
const NESTED_MAX: usize = 4;

impl Lowering<'_, '_> {
    /// Describes every node, and looks at its face.
    pub(super) fn describe(&mut self, order: &[usize]) {
        let mut reachable = vec![false; self.workflow.nodes.len()];
        for i in order {
            if let Some(flag) = reachable.get_mut(*i) {
                *flag = true;
            }
        }
        for i in 0..self.workflow.nodes.len() {
            let Some(node) = self.workflow.nodes.get(i) else { continue };
            let (node_type, disabled) = (node.node_type.clone(), node.disabled);
            let fact = Catalogued {
                node_type: node_type.clone(),
                kind: self.kind(i),
                disabled,
                reachable: reachable.get(i).copied().unwrap_or_default() && !disabled,
                tools: self.tools_of(i),
                source: self.source(i),
                fetches: self.fetches(i) && !self.takes_sent_file(i),
                ..self.by_catalogue(i)
            };
            let own = self.workflow.is_own(i);
            if own && fact.confidence == Confidence::Assumed && self.short_type(i) != "stickyNote" {
                self.wires.assumed.insert(format!("what `{node_type}` does: the catalogue does not know it"));
            }
            let step = self.room(i).step;
            self.wires.steps.insert(step, fact);
            if own {
                self.look_at(i);
            }
        }
        if self.workflow.error_workflow {
            self.observe(0, Observed::ErrorWorkflow, None, self.workflow.span);
        }
    }

    fn by_catalogue(&self, i: usize) -> Catalogued {
        let Some(known) = self.known(i) else { return Catalogued::default() };
        Catalogued {
            service: known.service.clone(),
            sink: known.sink.clone().filter(|_| !self.is_own_store(i)),
            systems: self.workflow.nodes.get(i).map(|node| system::of(node, known)).unwrap_or_default(),
            // A search is asked by POST as often as by GET.
            side_effect: self.acts(i, NESTED_MAX) && known.sink.as_deref().is_none_or(|sink| sink != "search"),
            privileged: (known.privileged || known.effect.is_privileged()) && known.kind != Kind::SubWorkflow,
            destructive: known.destructive || super::face::is_destructive_command(self, i),
            human_gate: known.human_gate,
            entrance: known.entrance.map(|entrance| Entrance { leads: self.leads(i), ..entrance }),
            confidence: known.confidence,
            ..Catalogued::default()
        }
    }

    /// Whether a node changes something, by itself or by what it calls: another workflow's nodes, an agent's tools.
    fn acts(&self, i: usize, depth: usize) -> bool {
        let Some(left) = depth.checked_sub(1) else { return true };
        let acts = |n: &usize| *n != i && !self.is_off(*n) && self.acts(*n, left);
        match (self.kind(i), self.entry_called(i)) {
            (Kind::Agent, _) => self.graph.parts_of(i, "ai_tool").iter().any(acts),
            (Kind::SubWorkflow, Some(entry)) => self.graph.reachable([entry]).iter().any(acts),
            (Kind::SubWorkflow, None) if self.is_elsewhere(i) => {
                let said = text_at(self.parameters(i), "description");
                said.is_some_and(|said| self.catalogue.says_that_it_acts(&said))
            }
            (Kind::SubWorkflow, None) => self.changes_something(i),
            _ => self.changes_something(i),
        }
    }

    /// Whether an entrance leads to more than nodes that are known to pass items on, and programs in which nothing is seen that
    /// reaches out of them.
    fn leads(&self, i: usize) -> bool {
        let behind = self.graph.reachable([i]);
        let leads = |n: &usize| match self.kind(*n) {
            Kind::Trigger => *n != i,
            Kind::Flow if self.short_type(*n) == "respondToWebhook" => self.computes(*n) || self.names_secrets(*n),
            Kind::Flow => !PASSING.contains(&self.short_type(*n)) || self.names_secrets(*n),
            Kind::Code => self.reaches_out(*n),
            _ => true,
        };
        self.workflow.error_workflow || behind.iter().filter(|n| !self.is_off(**n)).any(leads)
    }

    fn computes(&self, i: usize) -> bool {
        self.leaves_of(i).iter().any(|leaf| leaf.text().is_some_and(|text| is_expression(text)))
    }

    fn names_secrets(&self, i: usize) -> bool {
        self.has_any(i, &["$env", "$vars", "$secrets", "StaticData"])
    }

    /// Whether a program may call somebody or read what is not the item's: by the engine's helpers, a library, or words
    /// with which others can be written.
    fn reaches_out(&self, i: usize) -> bool {
        const WORDS: [&str; 14] = [
            "helpers",
            "fetch",
            "require",
            "import",
            "eval",
            "process",
            "globalThis",
            "this",
            "Function",
            "Socket",
            "XMLHttp",
            "constructor",
            "getCredentials",
            "python",
        ];
        self.short_type(i) != "code" || self.names_secrets(i) || self.has_any(i, &WORDS)
    }

    fn has_any(&self, i: usize, words: &[&str]) -> bool {
        let leaves = self.leaves_of(i);
        leaves.iter().filter_map(|leaf| leaf.text()).any(|text| words.iter().any(|word| text.contains(word)))
    }

    /// Categories are known once every text was read.
    pub(super) fn describe_categories(&mut self) {
        for i in 0..self.workflow.nodes.len() {
            let categories = self.categories(i);
            let step = self.room(i).step;
            if let Some(fact) = self.wires.steps.get_mut(&step) {
                fact.categories = categories;
            }
        }
    }
}
