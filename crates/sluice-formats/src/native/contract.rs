//! The contracts of what a definition calls, as drafts that a person completes.
//!
//! What an action does to data is known of the foreign node and is written down. How the service is called is not in the
//! foreign file, but where it names a URL: elsewhere the address is one that reaches nobody (`.invalid`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use sluice_core::catalogue::Usage;
use sluice_core::gate::{Effect, Role};

use super::yaml::key;

/// Contracts by connector.
#[derive(Clone, Debug, Default)]
pub(crate) struct Contracts {
    connectors: BTreeMap<String, Connector>,
}

/// How a connector is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    /// The file names it: `https://api.example.com`.
    At(String),
    /// It does not.
    Unknown,
    /// A model of this name; where it answers is not said.
    Model(String),
}

#[derive(Clone, Debug)]
struct Connector {
    reached: Reached,
    has_credential: bool,
    actions: BTreeMap<String, ActionDraft>,
}

/// One action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ActionDraft {
    pub(crate) description: String,
    pub(crate) effect: Effect,
    pub(crate) privileged: bool,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: BTreeSet<String>,
    /// Header and argument.
    pub(crate) headers: BTreeMap<String, String>,
    /// The argument that is the whole body.
    pub(crate) body: Option<String>,
    /// What each argument decides.
    pub(crate) arguments: BTreeMap<String, Option<Role>>,
    /// Whether an outsider's words come back.
    pub(crate) outsiders: bool,
    /// Kinds of sensitive data that come back.
    pub(crate) labels: BTreeSet<String>,
    /// Whether data leaves by it.
    pub(crate) leaves: bool,
    /// Whether what comes back is made from what was sent, too.
    pub(crate) keeps: bool,
}

impl ActionDraft {
    /// Whether calls of the other one are calls of this one.
    fn is_like(&self, other: &Self) -> bool {
        let same_roles = self.arguments.iter().all(|(name, role)| other.arguments.get(name).is_none_or(|r| r == role));
        let face =
            |d: &Self| (d.effect, d.privileged, d.outsiders, d.leaves, d.keeps, d.labels.clone(), d.body.clone());
        let place = |d: &Self| (d.method.clone(), d.path.clone());
        same_roles && face(self) == face(other) && place(self) == place(other)
    }

    fn joined(&mut self, other: Self) {
        self.arguments.extend(other.arguments);
        self.query.extend(other.query);
        self.headers.extend(other.headers);
    }
}

/// What policy asks about an argument that the other side uses like this.
pub(crate) const fn role_of(usage: Usage) -> Option<Role> {
    Some(match usage {
        Usage::Recipient => Role::Recipient,
        Usage::Url | Usage::Host => Role::Destination,
        Usage::Query => Role::Query,
        Usage::Command | Usage::Code => Role::Command,
        Usage::Object | Usage::Resource | Usage::Path => Role::Reference,
        Usage::Amount => Role::Amount,
        Usage::Prompt | Usage::Payload | Usage::Html | Usage::Document => Role::Payload,
        Usage::Agent | Usage::Trigger => return None,
    })
}

impl Contracts {
    /// Adds an action, or finds the one that is the same; gives `connector.action` as a call names it.
    pub(crate) fn add(
        &mut self,
        connector: &str,
        reached: &Reached,
        has_credential: bool,
        name: &str,
        draft: ActionDraft,
    ) -> String {
        let connector = self.connector(connector, reached);
        let Some(known) = self.connectors.get_mut(&connector) else { return format!("{connector}.{name}") };
        known.has_credential |= has_credential;
        let names = std::iter::once(name.to_owned()).chain((2..).map(|n| format!("{name}-{n}")));
        for name in names {
            let draft = if *reached == Reached::Unknown {
                ActionDraft { path: format!("/{name}"), ..draft.clone() }
            } else {
                draft.clone()
            };
            match known.actions.get_mut(&name) {
                Some(other) if !other.is_like(&draft) => {}
                Some(other) => {
                    other.joined(draft);
                    return format!("{connector}.{name}");
                }
                None => {
                    known.actions.insert(name.clone(), draft);
                    return format!("{connector}.{name}");
                }
            }
        }
        format!("{connector}.{name}")
    }

    /// Whether the host has another action already that a request could mean, too: a contract may not have both.
    pub(crate) fn is_ambiguous(&self, connector: &str, draft: &ActionDraft) -> bool {
        let actions = self.connectors.get(connector).into_iter().flat_map(|known| known.actions.values());
        actions
            .into_iter()
            .any(|known| known.method == draft.method && overlap(&known.path, &draft.path) && !known.is_like(draft))
    }

    /// The name of the connector: of two that are reached in different ways, the later one is numbered.
    fn connector(&mut self, name: &str, reached: &Reached) -> String {
        let names = std::iter::once(name.to_owned()).chain((2..1000).map(|n| format!("{name}-{n}")));
        for name in names {
            match self.connectors.get(&name) {
                Some(known) if known.reached != *reached => {}
                Some(_) => return name,
                None => {
                    let made = Connector { reached: reached.clone(), has_credential: false, actions: BTreeMap::new() };
                    self.connectors.insert(name.clone(), made);
                    return name;
                }
            }
        }
        name.to_owned()
    }

    pub(super) fn files(&self) -> BTreeMap<String, String> {
        let file = |(name, connector): (&String, &Connector)| (format!("connectors/{name}.yaml"), connector.file(name));
        self.connectors.iter().map(file).collect()
    }

    pub(super) fn classes(&self) -> BTreeSet<String> {
        self.actions().flat_map(|(_, action)| action.labels.iter().cloned()).collect()
    }

    pub(super) fn destinations(&self) -> BTreeSet<String> {
        self.actions().filter(|(_, action)| action.needs_destination()).map(|(name, _)| name.clone()).collect()
    }

    fn actions(&self) -> impl Iterator<Item = (&String, &ActionDraft)> {
        self.connectors
            .iter()
            .flat_map(|(name, connector)| connector.actions.values().map(move |action| (name, action)))
    }
}

/// Whether two templates of paths can mean one path.
fn overlap(one: &str, other: &str) -> bool {
    let (one, other): (Vec<&str>, Vec<&str>) = (one.split('/').collect(), other.split('/').collect());
    one.len() == other.len() && one.iter().zip(&other).all(|(a, b)| a == b || a.starts_with('{') || b.starts_with('{'))
}

impl Connector {
    fn file(&self, name: &str) -> String {
        let mut text = "# Drafted by `sluice import`: read it before you sign it.\n".to_owned();
        let nobody = format!("https://{name}.invalid");
        let transport = match &self.reached {
            Reached::At(base) if base.starts_with("http:") => {
                format!("http: {{ base: {base:?}, allow_private: true }}")
            }
            Reached::At(base) => format!("http: {{ base: {base:?} }}"),
            Reached::Unknown => format!("http: {{ base: {nobody:?} }}"),
            Reached::Model(model) => format!("model: {{ base: {nobody:?}, name: {} }}", key(model)),
        };
        if !matches!(self.reached, Reached::At(_)) {
            text.push_str("# Where it answers and how it is called does not stand in the original: `base`, and each `request`, are yours\n");
            text.push_str("# to write. Until then calls reach nobody.\n");
        }
        let _ = write!(text, "version: 1\nconnector: {}\ntransport: {{ {transport} }}\n", key(name));
        if self.has_credential {
            let _ = writeln!(text, "credential: {{ secret: {} }}", key(name));
        }
        text.push_str("actions:\n");
        let is_model = matches!(self.reached, Reached::Model(_));
        for (action, draft) in &self.actions {
            draft.write(&mut text, name, action, is_model);
        }
        text
    }
}

impl ActionDraft {
    fn needs_destination(&self) -> bool {
        let sends = matches!(self.effect, Effect::Export | Effect::Notify);
        sends && !self.arguments.values().any(|role| *role == Some(Role::Destination))
    }

    fn write(&self, text: &mut String, connector: &str, name: &str, is_model: bool) {
        let _ = writeln!(text, "  {}:", key(name));
        // A type of a step may be no word at all.
        let words = self.description.trim();
        let _ =
            writeln!(text, "    description: {}", key(if words.is_empty() { "a step of the original" } else { words }));
        let _ = writeln!(text, "    effect: {}", self.effect.name());
        if self.privileged && !self.effect.is_privileged() {
            text.push_str("    privileged: true\n");
        }
        let list = |names: &BTreeSet<String>| names.iter().map(|name| key(name)).collect::<Vec<_>>().join(", ");
        let mut request = format!("method: {}, path: {:?}", self.method, self.path);
        if !self.query.is_empty() {
            let _ = write!(request, ", query: [{}]", list(&self.query));
        }
        if !self.headers.is_empty() {
            let pairs = self.headers.iter().map(|(header, argument)| format!("{}: {}", key(header), key(argument)));
            let _ = write!(request, ", headers: {{ {} }}", pairs.collect::<Vec<_>>().join(", "));
        }
        if let Some(body) = &self.body {
            let _ = write!(request, ", body: {}", key(body));
        }
        let _ = writeln!(text, "    request: {{ {request} }}");
        if !self.arguments.is_empty() {
            text.push_str("    arguments:\n");
        }
        for (argument, role) in &self.arguments {
            let role = role.map_or_else(|| "{}".to_owned(), |role| format!("{{ role: {} }}", role.name()));
            let _ = writeln!(text, "      {}: {role}", key(argument));
        }
        if self.needs_destination() {
            let _ = writeln!(text, "    destination: {}", key(connector));
        }
        if !is_model {
            let trust = if self.outsiders { "origin" } else { "trusted" };
            let from = if self.keeps { "merge" } else { "replace" };
            let labels = list(&self.labels);
            let _ = writeln!(
                text,
                "    output: {{ from: {from}, trust: {{ \"\": {trust} }}, labels: {{ \"\": [{labels}] }} }}"
            );
        }
    }
}
