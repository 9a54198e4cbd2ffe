//! What the operations of services do, as data: for formats whose steps call a service's operation by its name.
//!
//! A file names services and, of each, operations: effect, what each parameter decides, whose words the reply carries.
//! An operation that no file names goes by the verb that its name begins with; a service that no file names is then
//! [`Confidence::Assumed`].
//!
//! In scope: reading the files, looking one operation up. The schema is `docs/formats-services.md`.
//! Out of scope: which service and operation a step calls (the importers).

mod read;

use std::collections::{BTreeMap, BTreeSet};

use sluice_core::catalogue::Usage;
use sluice_core::contract::Problem;
use sluice_core::diagnostic::Diagnostic;
use sluice_core::document;
use sluice_core::gate::Effect;
use sluice_core::label::Name;
use sluice_core::text::Text;

use crate::catalogues::words::Verb;
use crate::import::{Catalogued, Confidence, Kind, Source};

/// What is known of services.
#[derive(Clone, Debug, Default)]
pub(crate) struct Services {
    /// By name in lower case, their other names too.
    services: BTreeMap<Name, Service>,
    /// By word, in lower case.
    verbs: BTreeMap<Name, Verb>,
    /// The names that a workspace's own files have, in lower case.
    own: BTreeSet<Name>,
    /// Whether they have verbs, too.
    has_own_verbs: bool,
}

/// A service.
#[derive(Clone, Debug, Default)]
struct Service {
    name: Option<Name>,
    sink: Option<Name>,
    privileged: bool,
    arguments: Vec<Argument>,
    /// Of operations that only read and say nothing of their reply themselves.
    read: Reply,
    /// By name in lower case.
    operations: BTreeMap<Name, Operation>,
}

/// One operation.
#[derive(Clone, Debug, Default)]
struct Operation {
    kind: Option<Kind>,
    effect: Option<Effect>,
    /// `Some(None)`: it sends nothing outside, although its service does.
    sink: Option<Option<Name>>,
    privileged: Option<bool>,
    destructive: Option<bool>,
    human_gate: bool,
    arguments: Vec<Argument>,
    output: Option<Reply>,
}

/// Whose words a reply carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reply {
    /// Outsiders' words.
    pub(crate) source: Option<Source>,
    /// Kinds of sensitive data.
    pub(crate) labels: BTreeSet<Name>,
    /// Whether names of fields and tables tell more kinds.
    pub(crate) classify: bool,
    /// Whether it is made from what was sent.
    pub(crate) made_from_sent: bool,
}

/// What a parameter decides: a path of keys, in lower case, that stands anywhere in the parameter's own path.
#[derive(Clone, Debug)]
struct Argument {
    path: Vec<Name>,
    usage: Option<Usage>,
}

/// What is known of one operation.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) service: Name,
    pub(crate) kind: Kind,
    pub(crate) effect: Effect,
    pub(crate) sink: Option<Name>,
    pub(crate) privileged: bool,
    pub(crate) destructive: bool,
    pub(crate) human_gate: bool,
    pub(crate) reply: Reply,
    pub(crate) confidence: Confidence,
    arguments: Vec<Argument>,
}

impl Services {
    /// The catalogue of some files.
    ///
    /// # Errors
    /// Every error of every file, with its place; a service that two entries name.
    pub(crate) fn of(files: &[(&str, &str)], format: &'static str) -> Result<Self, Vec<Diagnostic>> {
        let mut services = Self::default();
        let mut out = Vec::new();
        for (name, content) in files {
            match document::read(&Text::new(*name, *content)) {
                Ok(tree) => services.add(&tree, format, &mut out),
                Err(errors) => out.extend(errors),
            }
        }
        if out.is_empty() { Ok(services) } else { Err(out) }
    }

    /// The same with a workspace's own files over it: what they name replaces what is here whole.
    ///
    /// # Errors
    /// Every error of every file, with its place; a service or a verb that two entries name.
    pub(crate) fn with(&self, files: &[Text], format: &'static str) -> Result<Self, Vec<Problem>> {
        let (mut own, mut problems) = (Self::default(), Vec::new());
        for text in files {
            let mut errors = Vec::new();
            match document::read(text) {
                Ok(tree) => own.add(&tree, format, &mut errors),
                Err(found) => errors.extend(found),
            }
            problems.extend(errors.into_iter().map(|diagnostic| Problem { file: text.name.clone(), diagnostic }));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut with = self.clone();
        with.own.extend(own.services.keys().cloned());
        with.has_own_verbs |= !own.verbs.is_empty();
        with.services.extend(own.services);
        with.verbs.extend(own.verbs);
        Ok(with)
    }

    /// The workspace's own entry of a service, if it has one.
    pub(crate) fn own_entry(&self, service: &str) -> Option<&Name> {
        let name = self.own.get(service.to_lowercase().as_str())?;
        self.services.get(name)?.name.as_ref()
    }

    /// Whether the workspace's own files have verbs, which count for any service.
    pub(crate) const fn has_own_words(&self) -> bool {
        self.has_own_verbs
    }

    /// What is known of an operation of a service.
    pub(crate) fn look_up(&self, service: &str, operation: &str) -> Found {
        let known = self.services.get(service.to_lowercase().as_str());
        let verb = self.verb(operation);
        let fallback = Service::default();
        let of = known.unwrap_or(&fallback);
        let entry = of.operations.get(operation.to_lowercase().as_str());
        let named = entry.cloned().unwrap_or_default();
        // What nobody knows may change something.
        let effect = named.effect.or(verb.map(|v| v.effect)).unwrap_or(Effect::Write);
        let changes = effect != Effect::Read;
        let sink = named.sink.clone().unwrap_or_else(|| of.sink.clone().filter(|_| changes));
        let reply = named.output.clone().unwrap_or_else(|| if changes { Reply::default() } else { of.read.clone() });
        let is_known = entry.is_some() || (known.is_some() && verb.is_some());
        let by_verb = |flag: fn(Verb) -> bool| entry.is_none_or(|e| e.effect.is_none()) && verb.is_some_and(flag);
        Found {
            service: of.name.clone().unwrap_or_else(|| service.into()),
            kind: named.kind.unwrap_or(Kind::Action),
            effect,
            sink,
            privileged: changes && named.privileged.unwrap_or(of.privileged || by_verb(|v| v.privileged)),
            destructive: changes && named.destructive.unwrap_or_else(|| by_verb(|v| v.destructive)),
            human_gate: named.human_gate,
            reply,
            confidence: if is_known { Confidence::Known } else { Confidence::Assumed },
            arguments: named.arguments.into_iter().chain(of.arguments.iter().cloned()).collect(),
        }
    }

    /// Whether an entry names this service.
    #[cfg(test)]
    pub(crate) fn knows(&self, service: &str) -> bool {
        self.services.contains_key(service.to_lowercase().as_str())
    }

    /// Whether an entry names this operation of this service.
    pub(crate) fn has(&self, service: &str, operation: &str) -> bool {
        let service = self.services.get(service.to_lowercase().as_str());
        service.is_some_and(|s| s.operations.contains_key(operation.to_lowercase().as_str()))
    }

    /// The verb that a name begins with: the longest that the catalogue has (`batch get` before `batch`).
    fn verb(&self, operation: &str) -> Option<Verb> {
        let words = words(operation);
        let two = words.get(..2).map(|w| w.join(" "));
        let one = words.first().cloned();
        [two, one].into_iter().flatten().find_map(|word| self.verbs.get(word.as_str()).copied())
    }
}

impl Found {
    /// What a parameter decides: by the longest path that fits, of equal ones the operation's own.
    pub(crate) fn usage(&self, path: &str) -> Option<Usage> {
        let path: Vec<String> =
            path.split(['.', '[', ']', '/']).filter(|part| !part.is_empty()).map(str::to_lowercase).collect();
        let mut best: Option<&Argument> = None;
        for argument in &self.arguments {
            let wider = best.is_none_or(|b| argument.path.len() > b.path.len());
            if wider && stands_in(&argument.path, &path) {
                best = Some(argument);
            }
        }
        match best {
            Some(argument) => argument.usage,
            None => self.changes().then_some(Usage::Payload),
        }
    }

    /// Whether it changes anything outside.
    pub(crate) fn changes(&self) -> bool {
        self.effect != Effect::Read
    }

    /// Whether an outsider must not be the one who sets it off.
    pub(crate) fn is_powerful(&self) -> bool {
        self.privileged || self.destructive || self.effect.is_privileged()
    }

    /// The facts of a step that calls it.
    pub(crate) fn facts(&self, node_type: &str) -> Catalogued {
        Catalogued {
            node_type: node_type.into(),
            kind: self.kind,
            service: Some(self.service.clone()),
            source: self.reply.source.clone(),
            categories: self.reply.labels.clone(),
            sink: self.sink.clone(),
            side_effect: self.changes(),
            privileged: self.privileged || self.effect.is_privileged(),
            destructive: self.destructive,
            human_gate: self.human_gate,
            confidence: self.confidence,
            ..Catalogued::default()
        }
    }
}

fn stands_in(wanted: &[Name], path: &[String]) -> bool {
    !wanted.is_empty()
        && path.windows(wanted.len()).any(|at| at.iter().zip(wanted).all(|(a, b)| a.as_str() == b.as_ref()))
}

/// `["put", "item"]` of `putItem`, `PutItem`, `put_item`; a run of capitals is one word.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = ' ';
    for c in name.chars() {
        let begins = !c.is_alphanumeric() || (c.is_uppercase() && !before.is_uppercase()) || !before.is_alphanumeric();
        if begins {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn services() -> Services {
        let file = "version: 1\nformat: test\nverbs:\n  - { words: [get, batch get], effect: read }\n  - { words: [delete], effect: write, destructive: true }\nservices:\n  Mail:\n    names: [post]\n    sink: email\n    arguments: { to: recipient }\n    operations:\n      send: { effect: notify, arguments: { message.body: html, body: payload } }\n";
        Services::of(&[("t", file)], "test").unwrap()
    }

    #[test]
    fn an_operation_is_known_by_name_by_verb_or_not_at_all() {
        let services = services();
        for (service, operation, effect, known) in [
            ("mail", "Send", Effect::Notify, true),
            ("POST", "send", Effect::Notify, true),
            ("mail", "batchGetInbox", Effect::Read, true),
            ("mail", "frobnicate", Effect::Write, false),
            ("other", "getThing", Effect::Read, false),
        ] {
            let found = services.look_up(service, operation);
            assert_eq!((found.effect, found.confidence == Confidence::Known), (effect, known), "{service} {operation}");
        }
        assert!(services.look_up("mail", "deleteAll").destructive);
        assert_eq!(services.look_up("mail", "getAll").sink, None, "what only reads sends nothing");
    }

    #[test]
    fn the_longest_path_decides_what_a_parameter_does() {
        let found = services().look_up("mail", "send");
        for (path, usage) in [
            ("To", Some(Usage::Recipient)),
            ("message/body", Some(Usage::Html)),
            ("a.body[0]", Some(Usage::Payload)),
            ("other", Some(Usage::Payload)),
        ] {
            assert_eq!(found.usage(path), usage, "{path}");
        }
    }

    #[test]
    fn a_catalogue_file_tells_what_it_cannot_mean() {
        for (file, message) in [
            ("version: 2\nformat: test\n", "`version` must be `1`"),
            (
                "version: 1\nformat: test\nservices:\n  a: { operations: { b: { effect: magic } } }\n",
                "`effect` is `magic`",
            ),
            ("version: 1\nformat: test\nservices:\n  a: {}\n  b: { names: [A] }\n", "`A` is in the catalogue already"),
            ("version: 1\nformat: test\nservices:\n  a: { sinc: x }\n", "unknown key `sinc`"),
        ] {
            let errors = Services::of(&[("t", file)], "test").unwrap_err();
            assert!(errors.iter().any(|e| e.message.contains(message)), "{file}: {errors:?}");
        }
    }
}
