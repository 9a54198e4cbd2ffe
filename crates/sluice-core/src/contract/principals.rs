//! The principals register: who there is, who belongs to what, who manages whom, who may vouch for what.
//!
//! It stands outside the signed bundle, because people come and go without anybody reviewing a policy;
//! every decision records the slice of it that it used.

use std::collections::BTreeSet;

use crate::contract::codes::{BAD_KEY, BAD_MAIL, DUPLICATE, UNKNOWN_REFERENCE};
use crate::contract::identity::{Identity, identities};
use crate::contract::key::PublicKey;
use crate::contract::read::{Located, Register, id, names, text, version};
use crate::diagnostic::Diagnostic;
use crate::document::{Entry, Fields, Node, closest};
use crate::label::Name;

/// The file's path in a workspace.
pub const PRINCIPALS_FILE: &str = "registers/principals.yaml";

/// The class of references to groups that give power over systems.
pub const PRIVILEGED_GROUP: &str = "privileged-group";

/// Everybody and everything that can act.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Principals {
    /// Human beings.
    pub persons: Register<Person>,
    /// Groups of persons, services and other groups.
    pub groups: Register<Group>,
    /// Machines with an identity of their own.
    pub services: Register<Service>,
    /// Models that propose workflows or answer in steps.
    pub models: Register<Model>,
}

/// What somebody is trusted with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Origins that they may vouch for.
    pub vouches: Vec<Located<Name>>,
    /// Classes of data that they may read, beside what they own.
    pub reads: Vec<Located<Name>>,
}

/// A human being.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// For people.
    pub name: Option<Name>,
    /// A person.
    pub manager: Option<Located<Name>>,
    /// Public keys that stand for them in `demo` and `test` workspaces.
    pub keys: Vec<Located<PublicKey>>,
    /// What identity providers call them.
    pub identities: Vec<Located<Identity>>,
    /// Where they are told that something waits for them. No login goes by it.
    pub mail: Option<Located<Name>>,
    /// What they are trusted with.
    pub standing: Standing,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// For people.
    pub description: Option<Name>,
    /// Persons, services and groups.
    pub members: Vec<Located<Name>>,
    /// Whether membership gives power over systems: `class: privileged`.
    pub privileged: bool,
    /// What every member is trusted with.
    pub standing: Standing,
}

/// A machine with an identity of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// For people.
    pub description: Option<Name>,
    /// A person or group who answers for it.
    pub owner: Option<Located<Name>>,
    /// What identity providers call it.
    pub identities: Vec<Located<Identity>>,
}

/// A model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// For people.
    pub description: Option<Name>,
}

/// What a name of the register is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A human being.
    Person,
    /// A group.
    Group,
    /// A machine.
    Service,
    /// A model.
    Model,
}

impl Kind {
    /// With its article.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Person => "a person",
            Self::Group => "a group",
            Self::Service => "a service",
            Self::Model => "a model",
        }
    }
}

impl Principals {
    /// What a name is.
    #[must_use]
    pub fn kind(&self, id: &str) -> Option<Kind> {
        let found = [
            (self.persons.entries.contains_key(id), Kind::Person),
            (self.groups.entries.contains_key(id), Kind::Group),
            (self.services.entries.contains_key(id), Kind::Service),
            (self.models.entries.contains_key(id), Kind::Model),
        ];
        found.into_iter().find(|(there, _)| *there).map(|(_, kind)| kind)
    }

    /// The person or service that an identity provider means by a name.
    #[must_use]
    pub fn identified(&self, issuer: &str, subject: &str) -> Option<&Name> {
        let is_meant =
            |identity: &Located<Identity>| &*identity.value.issuer == issuer && &*identity.value.subject == subject;
        self.identities().find(|(_, identity)| is_meant(identity)).map(|(name, _)| name)
    }

    fn identities(&self) -> impl Iterator<Item = (&Name, &Located<Identity>)> {
        let of = |(name, found)| std::iter::repeat(name).zip(found);
        let persons = self.persons.entries.iter().map(|(name, person)| (name, &person.value.identities));
        let services = self.services.entries.iter().map(|(name, service)| (name, &service.value.identities));
        persons.chain(services).flat_map(of)
    }

    /// Every group that somebody is in, also through other groups.
    #[must_use]
    pub fn groups_of(&self, id: &str) -> BTreeSet<Name> {
        let mut found = BTreeSet::new();
        let mut open: Vec<Name> = vec![id.into()];
        while let Some(member) = open.pop() {
            for (name, group) in &self.groups.entries {
                let inside = group.value.members.iter().any(|m| m.value == member);
                if inside && found.insert(name.clone()) {
                    open.push(name.clone());
                }
            }
        }
        found
    }

    /// The persons of a group, also through other groups; of a person, that person. Services are no persons.
    #[must_use]
    pub fn persons_of(&self, id: &str) -> BTreeSet<Name> {
        let (mut found, mut seen) = (BTreeSet::new(), BTreeSet::new());
        let mut open: Vec<Name> = vec![id.into()];
        while let Some(name) = open.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            if self.persons.entries.contains_key(&name) {
                found.insert(name.clone());
            }
            if let Some(group) = self.groups.get(&name) {
                open.extend(group.members.iter().map(|m| m.value.clone()));
            }
        }
        found
    }

    /// What policy should know of an object that an argument refers to: `privileged-group` for a group that is marked so, or
    /// that this register does not know (nobody said that it is harmless).
    #[must_use]
    pub fn reference_classes(&self, kind: &str, id: &str) -> BTreeSet<Name> {
        let privileged = kind == "group" && self.groups.get(id).is_none_or(|group| group.privileged);
        if privileged { [PRIVILEGED_GROUP.into()].into() } else { BTreeSet::new() }
    }

    /// The manager of a person.
    #[must_use]
    pub fn manager_of(&self, person: &str) -> Option<&Name> {
        self.persons.get(person)?.manager.as_ref().map(|m| &m.value)
    }

    /// Whoever answers for what is done in somebody's name: of a person that person and their manager, of a service its
    /// owners.
    #[must_use]
    pub fn in_charge_of(&self, id: &str) -> BTreeSet<Name> {
        if let Some(service) = self.services.get(id) {
            return service.owner.as_ref().map(|owner| self.persons_of(&owner.value)).unwrap_or_default();
        }
        let person = self.persons.entries.get_key_value(id).map(|(name, _)| name.clone());
        person.into_iter().chain(self.manager_of(id).cloned()).collect()
    }

    /// Origins that a person or group may vouch for, groups' included.
    #[must_use]
    pub fn vouches(&self, id: &str) -> BTreeSet<Name> {
        self.standings(id).into_iter().flat_map(|s| &s.vouches).map(|l| l.value.clone()).collect()
    }

    /// Classes that a person or group is listed as reading, groups' included.
    #[must_use]
    pub fn reads(&self, id: &str) -> BTreeSet<Name> {
        self.standings(id).into_iter().flat_map(|s| &s.reads).map(|l| l.value.clone()).collect()
    }

    fn standings(&self, id: &str) -> Vec<&Standing> {
        let person = self.persons.get(id).map(|p| &p.standing);
        let own = self.groups.get(id).map(|g| &g.standing);
        let groups = self.groups_of(id);
        let through = groups.iter().filter_map(|g| self.groups.get(g)).map(|g| &g.standing);
        person.into_iter().chain(own).chain(through).collect()
    }

    /// Whether a name may own data, destinations or rules: a person or a group, or one whose entry has errors of its own.
    pub(super) fn may_own(&self, id: &str) -> bool {
        self.persons.knows(id) || self.groups.knows(id)
    }

    /// The names that may own, for "did you mean".
    pub(super) fn owners(&self) -> impl Iterator<Item = &str> {
        self.persons.ids().chain(self.groups.ids())
    }

    /// Reads the register.
    pub(super) fn read(file: &Name, node: &Node, out: &mut Vec<Diagnostic>) -> Option<Self> {
        let mut fields = Fields::of(node, "the principals register", out)?;
        if !version(&mut fields, out) {
            return None;
        }
        let persons = Register::read(file, fields.optional("persons"), "persons", out, person);
        let groups = Register::read(file, fields.optional("groups"), "groups", out, group);
        let services = Register::read(file, fields.optional("services"), "services", out, service);
        let models = Register::read(file, fields.optional("models"), "models", out, model);
        fields.finish(out);
        let principals = Self { persons, groups, services, models };
        principals.check(out);
        Some(principals)
    }

    /// Checks the references inside the register.
    fn check(&self, out: &mut Vec<Diagnostic>) {
        self.check_names_are_distinct(out);
        self.check_keys_are_distinct(out);
        self.check_identities_are_distinct(out);
        for person in self.persons.entries.values() {
            if let Some(manager) = &person.value.manager {
                self.expect(manager, "a person", self.persons.knows(&manager.value), self.persons.ids(), out);
            }
        }
        for service in self.services.entries.values() {
            if let Some(owner) = &service.value.owner {
                self.expect(owner, "a person or group", self.may_own(&owner.value), self.owners(), out);
            }
        }
        for member in self.groups.entries.values().flat_map(|g| &g.value.members) {
            let known = self.may_own(&member.value) || self.services.knows(&member.value);
            let ids = self.owners().chain(self.services.ids());
            self.expect(member, "a person, group or service", known, ids, out);
        }
    }

    fn expect<'a>(
        &self,
        name: &Located<Name>,
        wanted: &str,
        known: bool,
        ids: impl Iterator<Item = &'a str>,
        out: &mut Vec<Diagnostic>,
    ) {
        if known {
            return;
        }
        let found = match self.kind(&name.value) {
            Some(kind) => format!("`{}` is {}, not {wanted}", name.value, kind.name()),
            None => unknown(&name.value, &format!("is not {wanted} of the principals register"), ids),
        };
        out.push(UNKNOWN_REFERENCE.at(name.span, found));
    }

    fn check_names_are_distinct(&self, out: &mut Vec<Diagnostic>) {
        let mut seen = BTreeSet::new();
        let persons = self.persons.entries.iter().map(|(id, e)| (id, e.span));
        let groups = self.groups.entries.iter().map(|(id, e)| (id, e.span));
        let services = self.services.entries.iter().map(|(id, e)| (id, e.span));
        let models = self.models.entries.iter().map(|(id, e)| (id, e.span));
        for (id, span) in persons.chain(groups).chain(services).chain(models) {
            if !seen.insert(id) {
                out.push(DUPLICATE.at(span, format!("`{id}` names two principals")));
            }
        }
    }

    /// One key for two people would let one of them be a quorum of two.
    fn check_keys_are_distinct(&self, out: &mut Vec<Diagnostic>) {
        let mut seen = BTreeSet::new();
        for key in self.persons.entries.values().flat_map(|p| &p.value.keys) {
            if !seen.insert(key.value) {
                out.push(DUPLICATE.at(key.span, "this key is listed twice"));
            }
        }
    }

    /// Whoever logs in with it would be two people.
    fn check_identities_are_distinct(&self, out: &mut Vec<Diagnostic>) {
        let mut seen = BTreeSet::new();
        for (_, identity) in self.identities() {
            if !seen.insert(&identity.value) {
                out.push(DUPLICATE.at(identity.span, "this identity is listed twice"));
            }
        }
    }
}

/// `` `x` is not …; did you mean `y`? ``
pub(super) fn unknown<'a>(name: &str, what: &str, ids: impl Iterator<Item = &'a str>) -> String {
    match closest(name, ids) {
        Some(word) => format!("`{name}` {what}; did you mean `{word}`?"),
        None => format!("`{name}` {what}"),
    }
}

fn standing(fields: &mut Fields<'_>, out: &mut Vec<Diagnostic>) -> Standing {
    Standing {
        vouches: names(fields.optional("vouches"), "vouches", out),
        reads: names(fields.optional("reads"), "reads", out),
    }
}

pub(super) fn description(fields: &mut Fields<'_>, key: &'static str, out: &mut Vec<Diagnostic>) -> Option<Name> {
    fields.optional(key).and_then(|n| text(n, key, out)).map(|t| t.value)
}

fn person(entry: &Entry, out: &mut Vec<Diagnostic>) -> Option<Person> {
    let mut fields = Fields::of(&entry.value, "a person", out)?;
    let name = description(&mut fields, "name", out);
    let manager = fields.optional("manager").and_then(|n| id(n, "manager", out));
    let keys = names(fields.optional("keys"), "keys", out).into_iter().filter_map(|line| key(&entry.key, &line, out));
    let keys = keys.collect();
    let identities = identities(fields.optional("identities"), out);
    let mail = fields.optional("mail").and_then(|n| mail(n, out));
    let standing = standing(&mut fields, out);
    fields.finish(out);
    Some(Person { name, manager, keys, identities, mail, standing })
}

/// Longest address that a relay takes (RFC 5321 §4.5.3.1.3).
const MAIL_BYTES_MAX: usize = 254;

/// One plain address. Names, comments, quotes and lists beside it are refused: what is read twice can be read in two ways.
fn mail(node: &Node, out: &mut Vec<Diagnostic>) -> Option<Located<Name>> {
    let address = text(node, "mail", out)?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".!#$%&'*+-/=?^_`{|}~".contains(c);
    let is_host = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
    let is_dotted = |part: &str| !part.is_empty() && part.split('.').all(|word| !word.is_empty());
    let parts = address.value.split_once('@').filter(|_| address.value.len() <= MAIL_BYTES_MAX);
    if parts.is_some_and(|(who, host)| {
        is_dotted(who) && is_dotted(host) && who.chars().all(is_plain) && host.chars().all(is_host)
    }) {
        return Some(address);
    }
    out.push(BAD_MAIL.at(address.span, format!("`{}` is no mail address", address.value)));
    None
}

/// A key line names its holder; one that names somebody else was pasted into the wrong entry.
fn key(person: &str, line: &Located<Name>, out: &mut Vec<Diagnostic>) -> Option<Located<PublicKey>> {
    match PublicKey::from_line(&line.value) {
        Ok((name, key)) if name.as_ref() == person => Some(Located::new(key, line.span)),
        Ok((name, _)) => {
            out.push(BAD_KEY.at(line.span, format!("this is the key of `{name}`, listed under `{person}`")));
            None
        }
        Err(error) => {
            out.push(BAD_KEY.at(line.span, error.to_string()));
            None
        }
    }
}

fn group(entry: &Entry, out: &mut Vec<Diagnostic>) -> Option<Group> {
    let mut fields = Fields::of(&entry.value, "a group", out)?;
    let description = description(&mut fields, "description", out);
    let members = names(fields.optional("members"), "members", out);
    let classes = [("privileged", true), ("ordinary", false)];
    let privileged = fields.optional("class").map_or(Some(false), |n| n.expect_word("class", &classes, out));
    let standing = standing(&mut fields, out);
    fields.finish(out);
    Some(Group { description, members, privileged: privileged?, standing })
}

fn service(entry: &Entry, out: &mut Vec<Diagnostic>) -> Option<Service> {
    let mut fields = Fields::of(&entry.value, "a service", out)?;
    let description = description(&mut fields, "description", out);
    let owner = fields.optional("owner").and_then(|n| id(n, "owner", out));
    let identities = identities(fields.optional("identities"), out);
    fields.finish(out);
    Some(Service { description, owner, identities })
}

fn model(entry: &Entry, out: &mut Vec<Diagnostic>) -> Option<Model> {
    let mut fields = Fields::of(&entry.value, "a model", out)?;
    let description = description(&mut fields, "description", out);
    fields.finish(out);
    Some(Model { description })
}
