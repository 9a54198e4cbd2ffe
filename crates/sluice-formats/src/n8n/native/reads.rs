//! What expressions of a node can read, and what several items are.

use super::super::effects::is_http;
use super::{State, Writer};
use crate::import::Kind;
use crate::javascript::Root;
use crate::javascript::jq::Which;
use crate::native::slug;

impl Writer<'_, '_> {
    /// The jq of a root.
    pub(super) fn root(&self, i: usize, root: &Root, which: Which, state: &State) -> Result<String, String> {
        match root {
            Root::Item => {
                let known = state.item.clone()?;
                self.note_read(&known);
                Ok(known.jq)
            }
            Root::Node(name) => self.node_read(i, name, which, state),
            Root::Binary => Err("a file of an item".to_owned()),
            Root::FromAi(_) => Err("a value that a model chooses".to_owned()),
            Root::Parameter(_) => Err("a reference to a node's own parameter".to_owned()),
            Root::ParametersOf(name) => Err(format!("a reference to the parameters of `{name}`")),
            Root::Workflow => Err("a fact of the engine: a time, a counter, the execution's id".to_owned()),
            Root::Env(_) => Err("a variable of the installation".to_owned()),
            Root::StaticData => Err("data that is kept between runs".to_owned()),
            Root::ResponseOf => Err("the paging of a request".to_owned()),
            Root::Unknown => Err("a name that is not known".to_owned()),
        }
    }

    pub(super) fn node_read(&self, i: usize, name: &str, which: Which, state: &State) -> Result<String, String> {
        let Some(node) = self.low.workflow.named(i, name) else {
            return Err(format!("a reference to `{name}`, which is no node of this file"));
        };
        let in_loop = self.kept.get(&node).is_some_and(|(_, loops)| !loops.is_empty()) || state.loops.contains(&node);
        if which == Which::End && (in_loop || self.is_many(node)) {
            return Err(format!("a reference to the first or last item of `{name}`"));
        }
        let known = match state.seen.get(&node) {
            Some(known) => known,
            None => match self.kept.get(&node) {
                Some((known, loops)) if state.loops.starts_with(loops) => known,
                Some(_) => return Err(format!("a reference to `{name}`, whose loop is over")),
                None => return Err(format!("a reference to `{name}`, which has put out nothing there")),
            },
        };
        self.note_read(known);
        Ok(known.jq.clone())
    }

    /// Whether several items may come out for one that goes in.
    pub(super) fn is_many(&self, i: usize) -> bool {
        const MANY: [&str; 14] = [
            "getall",
            "getmany",
            "list",
            "search",
            "lookup",
            "read",
            "query",
            "executequery",
            "select",
            "find",
            "aggregate",
            "getrows",
            "getallrows",
            "batchget",
        ];
        if self.low.is_off(i) || !matches!(self.kind(i), Kind::Action) {
            return self.low.short_type(i) == "splitOut" && !self.low.is_off(i);
        }
        let action = self.low.known(i).map(|k| k.action.to_ascii_lowercase()).unwrap_or_default();
        let verb = action.rsplit('/').next().unwrap_or_default();
        let is_feed = self.low.short_type(i).starts_with("rssFeed");
        is_http(self.low, i) || is_feed || MANY.iter().any(|many| verb.starts_with(many))
    }

    /// A new name for the variable of a loop.
    pub(super) fn variable(&self, i: usize, state: &State) -> String {
        let words = slug(&self.short(i)).replace('-', "_");
        let plain = words.starts_with(|c: char| c.is_ascii_alphabetic());
        let base = if plain { format!("{words}_item") } else { "item".to_owned() };
        let taken = |name: &str| state.seen.values().any(|known| known.jq == format!("${name}"));
        let mut names = std::iter::once(base.clone()).chain((2..).map(|n| format!("{base}_{n}")));
        names.find(|name| !taken(name)).unwrap_or(base)
    }
}
