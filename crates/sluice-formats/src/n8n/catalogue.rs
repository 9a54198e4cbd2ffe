//! What n8n's nodes do: a catalogue that is data.
//!
//! The files under `connectors/n8n` say of each node type what contracts say of a connector's actions: effect, what each
//! parameter decides, whose words the reply carries. A node type that no file names is understood by patterns of its
//! name, its operation's verb and its credentials, and is then [`Confidence::Assumed`].
//!
//! In scope: reading the files, looking one node up, the lexicon of field names. The schema is
//! `docs/formats-n8n-catalogue.md`.
//! Out of scope: nodes, expressions and the graph of a workflow; the lowering asks here about one node at a time.

mod files;
mod found;
mod lexicon;
mod node;
mod patterns;
mod read;
mod said;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use sluice_core::contract::Problem;
use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::{self, Data, Entry};
use sluice_core::label::Name;
use sluice_core::text::Text;

pub use self::files::FILES;
pub use self::found::{Found, Host};
pub use self::lexicon::Lexicon;
use self::node::Node;
use self::patterns::Patterns;
use self::read::File;
use crate::catalogues::words::Verb;
use crate::import::Confidence;

/// What a text says, or what is wrong with it.
type Tree = Result<document::Node, Vec<Diagnostic>>;

/// The trees of texts, in their order. Two threads read them: the built-in files are most of what a check of one file costs, and
/// whoever checks a folder waits for them.
fn trees(texts: &[Text]) -> Vec<Tree> {
    let every_second = |from: usize| texts.iter().skip(from).step_by(2).map(document::read).collect::<Vec<_>>();
    let (even, odd) = std::thread::scope(|scope| {
        let other = std::thread::Builder::new().spawn_scoped(scope, || every_second(1));
        let even = every_second(0);
        (even, other.ok().and_then(|other| other.join().ok()).unwrap_or_else(|| every_second(1)))
    });
    let (mut even, mut odd) = (even.into_iter(), odd.into_iter());
    let turns = (0..texts.len()).filter_map(|turn| if turn % 2 == 0 { even.next() } else { odd.next() });
    turns.collect()
}

/// What is known of node types.
#[derive(Clone, Debug, Default)]
pub struct NodeCatalogue {
    nodes: BTreeMap<Name, Arc<Node>>,
    /// Full names by the name behind the package: a fork of a package keeps that.
    short: BTreeMap<Name, Name>,
    patterns: Patterns,
    lexicon: Lexicon,
    hosts: BTreeMap<Name, Host>,
    /// The node types that a workspace's own files name.
    own: BTreeSet<Name>,
    /// Whether they say more: of words, names and hosts.
    has_own_words: bool,
}

impl NodeCatalogue {
    /// The catalogue of this release, read once.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the files are part of the program, and a test reads each of them")]
    pub fn built_in() -> &'static Self {
        static BUILT_IN: OnceLock<NodeCatalogue> = OnceLock::new();
        BUILT_IN.get_or_init(|| {
            let texts: Vec<Text> = FILES.iter().map(|(name, content)| Text::new(*name, *content)).collect();
            Self::default().layered(&texts).expect("the files of this release have no error")
        })
    }

    /// The built-in catalogue with a workspace's own files over it: a node type, verb, type pattern, credential or
    /// category that they name replaces the built-in one whole.
    ///
    /// # Errors
    /// Every error of every file, with its place; a node type that two of the files name.
    pub fn with(overrides: &[Text]) -> Result<Self, Vec<Problem>> {
        let mut with = Self::built_in().clone().layered(overrides)?;
        for text in overrides {
            let Ok(tree) = document::read(text) else { continue };
            let Data::Map(entries) = &tree.value else { continue };
            for Entry { key, value, .. } in entries {
                match (key.as_ref(), &value.value) {
                    ("nodes", Data::Map(nodes)) => with.own.extend(nodes.iter().map(|node| node.key.clone())),
                    ("version" | "format" | "nodes", _) => {}
                    _ => with.has_own_words = true,
                }
            }
        }
        Ok(with)
    }

    fn layered(mut self, texts: &[Text]) -> Result<Self, Vec<Problem>> {
        let mut out = Vec::new();
        let mut seen = BTreeMap::new();
        for (text, tree) in texts.iter().zip(trees(texts)) {
            let mut errors = Vec::new();
            match tree {
                Ok(tree) => {
                    if let Some(file) = File::read(&text.name, &tree, &mut seen, &mut errors) {
                        self.add(file);
                    }
                }
                Err(found) => errors.extend(found),
            }
            out.extend(errors.into_iter().map(|diagnostic| Problem { file: text.name.clone(), diagnostic }));
        }
        // Actions that a node's entry does not spell out are resolved by verbs, which any file may change.
        let resolved = self.nodes.iter().map(|(name, node)| (name.clone(), Arc::new(node.resolved(&self.patterns))));
        self.nodes = resolved.collect();
        if out.is_empty() { Ok(self) } else { Err(out) }
    }

    fn add(&mut self, file: File) {
        self.patterns.add(file.patterns);
        self.lexicon.add(file.fields);
        self.hosts.extend(file.hosts);
        for (name, node) in file.nodes {
            self.short.entry(short_name(&name).to_ascii_lowercase().into()).or_insert_with(|| name.clone());
            self.nodes.insert(name, Arc::new(node));
        }
    }

    /// What is known of one node: its type, and its parameters as text (`None` of one that is absent, which n8n
    /// means as its default).
    ///
    /// `type_version` tells layouts apart that reuse a word; 0 if the file has none.
    #[must_use]
    pub fn look_up(
        &self,
        node_type: &str,
        type_version: f64,
        parameter: &dyn Fn(&str) -> Option<String>,
    ) -> Arc<Found> {
        if let Some(node) = self.node(node_type) {
            return node.found(&self.patterns, type_version, parameter);
        }
        let mut found = match self.relative(node_type) {
            Some(node) => Arc::unwrap_or_clone(node.found(&self.patterns, type_version, parameter)),
            None => self.patterns.guess(node_type, parameter),
        };
        found.confidence = Confidence::Assumed;
        Arc::new(found)
    }

    /// The workspace's own entry that counts for a node type, if it is one.
    #[must_use]
    pub fn own_entry(&self, node_type: &str) -> Option<&Name> {
        if self.own.is_empty() {
            return None;
        }
        let named =
            [Some(node_type), tool_of(node_type)].into_iter().flatten().find(|name| self.nodes.contains_key(*name));
        self.own.get(named.or_else(|| self.relative_name(node_type).map(AsRef::as_ref))?)
    }

    /// Whether the workspace's own files say something of words, names or hosts, which counts for any node.
    #[must_use]
    pub const fn has_own_words(&self) -> bool {
        self.has_own_words
    }

    /// The entry itself, or that of the node whose tool variant this is.
    fn node(&self, node_type: &str) -> Option<&Node> {
        let own = self.nodes.get(node_type);
        let node = own.or_else(|| self.nodes.get(tool_of(node_type)?));
        node.map(AsRef::as_ref)
    }

    /// A node of another package with the same name.
    fn relative(&self, node_type: &str) -> Option<&Node> {
        self.nodes.get(self.relative_name(node_type)?).map(AsRef::as_ref)
    }

    fn relative_name(&self, node_type: &str) -> Option<&Name> {
        let short = short_name(node_type).to_ascii_lowercase();
        self.short.get(short.as_str()).or_else(|| self.short.get(short.strip_suffix("tool")?))
    }

    /// Whether an entry names this type or the node whose tool variant it is.
    #[must_use]
    pub fn knows(&self, node_type: &str) -> bool {
        self.node(node_type).is_some()
    }

    /// Every node type that an entry names, in order.
    pub fn node_types(&self) -> impl Iterator<Item = &str> {
        self.nodes.keys().map(AsRef::as_ref)
    }

    /// The service that a credential type opens: `slackOAuth2Api` is `slack`.
    #[must_use]
    pub fn service_of_credential(&self, credential: &str) -> Option<Name> {
        self.patterns.service_of_credential(credential)
    }

    /// What is known of a host, or of the nearest domain above it.
    #[must_use]
    pub fn host(&self, host: &str) -> Option<&Host> {
        let mut rest = host;
        loop {
            if let Some(found) = self.hosts.get(rest) {
                return Some(found);
            }
            rest = rest.split_once('.')?.1;
        }
    }

    /// Whether the words that a tool says to a model tell that it changes something.
    #[must_use]
    pub(super) fn says_that_it_acts(&self, description: &str) -> bool {
        self.patterns.says_that_it_acts(description)
    }

    /// What the name of an endpoint does, if it moves money, hands out rights or destroys: `refunds`, `suspend`.
    pub(super) fn grave(&self, endpoint: &str) -> Option<Verb> {
        self.patterns.grave(endpoint)
    }

    /// The lexicon of field, table and endpoint names.
    #[must_use]
    pub fn lexicon(&self) -> &Lexicon {
        &self.lexicon
    }
}

/// `gmail` of `n8n-nodes-base.gmail`.
fn short_name(node_type: &str) -> &str {
    node_type.rsplit('.').next().unwrap_or(node_type)
}

/// `gmail` of `gmailTool`: n8n offers nearly every node to agents under such a name.
fn tool_of(node_type: &str) -> Option<&str> {
    node_type.strip_suffix("Tool").filter(|rest| !rest.ends_with('.'))
}

#[cfg(test)]
mod tests;
