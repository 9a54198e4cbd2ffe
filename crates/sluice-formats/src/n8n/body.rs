//! What each kind of node is written as.

use std::collections::BTreeSet;
use std::sync::Arc;

use sluice_core::catalogue::Usage;
use sluice_core::document::Node as Tree;
use sluice_core::expression::Expression;
use sluice_core::label::Name;
use sluice_core::program::StepId;

use sluice_core::catalogue::ReplyRule as From;

use super::catalogue::Found;
use super::lower::{Lowering, Room, Sight};
use super::parameters::{Leaf, text_at};
use crate::import::{Kind, Source, Tier};
use crate::javascript::Mode;
use crate::wiring::{Sent, place_variable};

impl<'a, 't> Lowering<'a, 't> {
    /// Writes a node that items get to.
    pub(super) fn body(&mut self, i: usize) {
        let span = self.span(i);
        let sight = Sight { item: self.room(i).item, words: None };
        let out = self.room(i).out;
        if self.is_off(i) {
            self.wires.copies();
            self.assign(out, Expression::input(span), sight);
            return;
        }
        match self.kind(i) {
            _ if self.is_store(i) => self.part(i, sight),
            Kind::Trigger => self.trigger(i, sight),
            Kind::Flow => self.reshape(i, sight),
            Kind::Code => self.code_node(i, sight),
            Kind::Model | Kind::Agent => self.model(i, sight),
            Kind::Part => self.part(i, sight),
            Kind::SubWorkflow => self.sub_workflow(i, sight),
            Kind::Action | Kind::Command => self.effect(i, sight),
        }
    }

    fn trigger(&mut self, i: usize, sight: Sight) {
        let span = self.span(i);
        let out = self.room(i).out;
        let sent = self.sent(i, sight);
        self.call(i, sent, sight);
        if !self.workflow.is_own(i) {
            // Nobody starts another file's entry but whoever calls it.
            let called = self.called(i);
            self.assign(out, place_variable(called, span), sight);
            return;
        }
        self.receive(i, out, span);
        self.offered(i, sight);
        if self.is_called_by_workflows(i) {
            let called = self.called(i);
            let either = Expression::one_of(vec![place_variable(out, span), place_variable(called, span)], span);
            self.assign(out, either, sight);
        }
    }

    /// A program: what it returns, and whether it evaluates text as a program.
    pub(super) fn code_node(&mut self, i: usize, sight: Sight) {
        let span = self.span(i);
        let out = self.room(i).out;
        let mut made = Vec::new();
        let mut evaluated = Vec::new();
        for (tree, language) in self.programs(i) {
            let mode = self.mode(i, &language, sight);
            let translated = self.program(i, tree, mode, sight);
            if translated.calls.iter().any(|call| matches!(call.name.as_ref(), "eval" | "Function")) {
                evaluated.push(translated.expression.clone());
            }
            made.push(translated.expression);
        }
        let mut sent = self.sent(i, sight);
        sent.retain(|s| matches!(s.usage, Usage::Agent | Usage::Trigger));
        for (n, value) in evaluated.into_iter().enumerate() {
            sent.push(Sent { name: format!("evaluated {n}").into(), usage: Usage::Code, value });
        }
        if let Some(words) = sight.words {
            made.push(place_variable(words, span));
        }
        self.call(i, sent, sight);
        let value = match made.len() {
            0 => Expression::opaque(vec![Expression::input(span)], span),
            1 => made.remove(0),
            _ => Expression::opaque(made, span),
        };
        self.assign(out, value, sight);
    }

    /// The program texts of a code node and their languages.
    fn programs(&self, i: usize) -> Vec<(&'t Tree, String)> {
        let Some(parameters) = self.parameters(i) else { return Vec::new() };
        let language = text_at(Some(parameters), "language").unwrap_or_else(|| "javaScript".to_owned());
        let keys = ["jsCode", "functionCode", "pythonCode", "code"];
        let texts = keys.iter().filter_map(|key| parameters.get(key).map(|tree| (*key, tree)));
        texts
            .filter(|(_, tree)| tree.as_text().is_some())
            .map(|(key, tree)| (tree, if key == "pythonCode" { "python".to_owned() } else { language.clone() }))
            .collect()
    }

    /// How a program is run; `None` of one that is not JavaScript.
    pub(super) fn mode(&self, i: usize, language: &str, sight: Sight) -> Option<Mode> {
        if language.starts_with("python") {
            return None;
        }
        Some(match self.short_type(i) {
            "function" => Mode::Function,
            "functionItem" => Mode::FunctionItem,
            _ if sight.words.is_some() => Mode::Tool,
            _ => match text_at(self.parameters(i), "mode").as_deref() {
                Some("runOnceForEachItem") => Mode::EachItem,
                _ => Mode::AllItems,
            },
        })
    }

    // What is known of a node.

    pub(super) fn room(&self, i: usize) -> &Room {
        self.rooms.get(i).unwrap_or(&self.lost)
    }

    pub(super) fn known(&self, i: usize) -> Option<&Found> {
        self.known.get(i).map(AsRef::as_ref)
    }

    pub(super) fn kind(&self, i: usize) -> Kind {
        self.known(i).map_or(Kind::Action, |known| known.kind)
    }

    pub(super) fn name(&self, i: usize) -> Name {
        self.workflow.nodes.get(i).map_or_else(|| "".into(), |node| node.name.clone())
    }

    pub(super) fn version(&self, i: usize) -> f64 {
        self.workflow.nodes.get(i).map_or(1.0, |node| node.version)
    }

    pub(super) fn parameters(&self, i: usize) -> Option<&'t Tree> {
        self.workflow.nodes.get(i).and_then(|node| node.parameters)
    }

    pub(super) fn leaves_of(&self, i: usize) -> Arc<[Leaf<'t>]> {
        self.leaves.get(i).cloned().unwrap_or_default()
    }

    pub(super) fn is_off(&self, i: usize) -> bool {
        self.workflow.nodes.get(i).is_some_and(|node| node.disabled)
    }

    /// The type without its package, and without the `Tool` of a node that is used as one.
    pub(super) fn short_type(&self, i: usize) -> &'a str {
        let whole = self.workflow.nodes.get(i).map(|node| node.node_type.as_ref()).unwrap_or_default();
        whole.rsplit('.').next().unwrap_or_default()
    }

    /// The triggers whose events can get to a node, or to a node that it hangs on.
    pub(super) fn started_by(&self, i: usize) -> Vec<usize> {
        self.started_by.get(i).cloned().unwrap_or_default()
    }

    /// The nodes that items come from.
    pub(super) fn before(&self, i: usize) -> Vec<usize> {
        let owners = self.graph.owners.get(i).into_iter().flatten().copied().filter(|owner| *owner != i);
        self.graph.before(i).chain(owners.flat_map(|owner| self.graph.before(owner))).collect()
    }

    /// Whether what comes in goes out, alone or beside something else.
    pub(super) fn passes_on(&self, i: usize) -> bool {
        self.passes_item(i) || self.known(i).is_some_and(|k| k.output == From::Merge)
    }

    /// Whether what comes in goes out, and nothing else.
    pub(super) fn passes_item(&self, i: usize) -> bool {
        self.is_off(i) || self.known(i).is_some_and(|k| k.output == From::Echo) || matches!(self.kind(i), Kind::Flow)
    }

    pub(super) fn source(&self, i: usize) -> Option<Source> {
        let known = self.known(i)?;
        if self.takes_sent_file(i) {
            return Some(Source { kind: "messaging".into(), tier: Tier::Direct });
        }
        let fetched = || Source { kind: "web_content".into(), tier: Tier::Indirect };
        known.source.clone().or_else(|| self.fetches(i).then(fetched))
    }

    /// Whether a node downloads what somebody has sent to a messenger.
    pub(super) fn takes_sent_file(&self, i: usize) -> bool {
        self.workflow.nodes.get(i).is_some_and(super::effects::takes_sent_file)
    }

    /// Whether a node reads whatever lies at a URL that its text does not name.
    pub(super) fn fetches(&self, i: usize) -> bool {
        self.workflow.nodes.get(i).is_some_and(super::effects::fetches)
    }

    pub(super) fn categories(&self, i: usize) -> BTreeSet<Name> {
        super::classify::categories(self, i)
    }

    pub(super) fn changes_something(&self, i: usize) -> bool {
        self.known(i).is_some_and(|k| k.effect != sluice_core::gate::Effect::Read)
    }

    /// Whether an outsider must not be the one who sets it off.
    pub(super) fn is_powerful(&self, i: usize) -> bool {
        if self.kind(i) == Kind::SubWorkflow || self.kind(i) == Kind::Code {
            return false;
        }
        if self.kind(i) == Kind::Command
            && super::classify::command(self, i).is_some_and(|text| super::shell::only_reads(&text))
        {
            return false;
        }
        let by_effect = self.known(i).is_some_and(|k| k.privileged || k.destructive || k.effect.is_privileged());
        by_effect || super::face::is_bulk_change(self, i)
    }

    pub(super) fn is_store(&self, i: usize) -> bool {
        self.short_type(i).starts_with("vectorStore") || self.short_type(i) == "toolVectorStore"
    }

    pub(super) fn store_type(&self, i: usize) -> String {
        // Older versions have one type for writing and one for reading.
        self.short_type(i).trim_end_matches("Insert").trim_end_matches("Load").to_owned()
    }

    pub(super) fn default_mode(&self, i: usize) -> String {
        let short = self.short_type(i);
        if short.ends_with("Insert") { "insert".to_owned() } else { "retrieve".to_owned() }
    }

    /// What the other side does with a parameter.
    pub(super) fn usage(&self, i: usize, leaf: &Leaf<'_>) -> Option<Usage> {
        self.known(i)?.usage(&leaf.segments())
    }

    /// Whether a text is evaluated although no `=` says so: SQL of later versions, HTML templates.
    pub(super) fn is_always_evaluated(&self, i: usize, leaf: &Leaf<'_>) -> bool {
        let text = leaf.text().is_some_and(|t| t.contains("{{"));
        let short = self.short_type(i);
        text && match (short, leaf.key()) {
            ("postgres" | "mySql" | "postgresTool" | "mySqlTool", "query") => self.version(i) >= 2.0,
            ("microsoftSql" | "snowflake" | "questDb" | "crateDb" | "timescaleDb" | "oracleDatabase", "query") => true,
            ("merge", "query") => true,
            ("html", "html") | ("htmlExtract", "html") => true,
            _ => false,
        }
    }

    /// Whether the whole item is sent although no expression names it.
    pub(super) fn sends_item(&self, i: usize) -> bool {
        super::classify::sends_item(self, i)
    }

    pub(super) fn is_called_by_workflows(&self, i: usize) -> bool {
        self.short_type(i) == "executeWorkflowTrigger"
    }

    /// The entry that a node calls: of this very file, or of one that is at hand.
    pub(super) fn entry_called(&self, i: usize) -> Option<usize> {
        let node = self.workflow.nodes.get(i)?;
        let written = ["workflowId", "workflowId.value"].iter().find_map(|path| text_at(node.parameters, path));
        if written.is_some_and(|text| text.contains("$workflow.id")) {
            return self.entry_of(node.file);
        }
        let reference = super::link::reference(node)?;
        self.entry_of(self.workflow.files.iter().position(|file| file.id.as_ref() == Some(&reference))?)
    }

    /// Where a file's workflow starts if another one calls it. Those of old start where a person would start them.
    pub(super) fn entry_of(&self, file: usize) -> Option<usize> {
        let nodes = self.workflow.nodes.iter().enumerate().filter(|(_, node)| node.file == file);
        let on: Vec<usize> = nodes.map(|(i, _)| i).filter(|i| !self.is_off(*i)).collect();
        let by_hand = |i: &usize| matches!(self.short_type(*i), "start" | "manualTrigger");
        let meant = on.iter().copied().find(|i| self.is_called_by_workflows(*i));
        meant.or_else(|| on.into_iter().find(|i| file > 0 && by_hand(i)))
    }

    /// The files that a call could mean, where nothing says which.
    pub(super) fn could_be(&self, i: usize) -> Option<Vec<Arc<str>>> {
        let reference = super::link::reference(self.workflow.nodes.get(i)?)?;
        self.workflow.ambiguous.get(&reference).cloned()
    }

    /// Whether what a node does is written in a workflow that is not here.
    pub(super) fn is_elsewhere(&self, i: usize) -> bool {
        self.kind(i) == Kind::SubWorkflow && self.entry_called(i).is_none() && !self.calls_inline(i)
    }

    /// A workflow that stands in the parameters themselves.
    pub(super) fn calls_inline(&self, i: usize) -> bool {
        text_at(self.parameters(i), "source").is_some_and(|source| source == "parameter")
    }

    /// The last nodes that items get to from an entry: what a workflow returns.
    pub(super) fn ends_behind(&self, entry: usize) -> Vec<usize> {
        let reached = self.graph.reachable([entry]);
        let is_end = |n: &usize| self.graph.targets(*n).next().is_none() && !self.graph.is_part(*n);
        reached.into_iter().filter(is_end).collect()
    }

    pub(super) fn tell(&mut self, i: usize, reachable: bool) {
        let step: StepId = self.room(i).step;
        if let Some(fact) = self.wires.steps.get_mut(&step) {
            fact.reachable |= reachable;
        }
    }

    pub(super) fn tools_of(&self, i: usize) -> Vec<StepId> {
        self.graph.parts_of(i, "ai_tool").iter().map(|t| self.room(*t).step).collect()
    }
}
