//! The registers of the signed bundle: classification, purposes, regions, destinations, releases; budgets have a file of their own.
//!
//! One file each under `registers/`; a file that is absent declares nothing. References between them are
//! checked by [`crate::contract::resolve`], which sees them all.

use std::collections::BTreeMap;

use crate::catalogue::{Pattern, ReleaseKind};
use crate::contract::budgets::{BUDGETS_FILE, BudgetEntry, budget};
use crate::contract::codes::{CONTRADICTION, EMPTY_LIST};
use crate::contract::principals::{Principals, description};
use crate::contract::read::{Located, Register, id, names, only, patterns, version};
use crate::diagnostic::Diagnostic;
use crate::document::{Entry, Fields, Node};
use crate::found::Finder;
use crate::label::Name;

/// The classification register's path in a workspace.
pub const CLASSIFICATION_FILE: &str = "registers/classification.yaml";
/// The purposes register's path.
pub const PURPOSES_FILE: &str = "registers/purposes.yaml";
/// The regions register's path.
pub const REGIONS_FILE: &str = "registers/regions.yaml";
/// The destinations register's path.
pub const DESTINATIONS_FILE: &str = "registers/destinations.yaml";
/// The releases register's path.
pub const RELEASES_FILE: &str = "registers/releases.yaml";

/// Every register of a workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registers {
    /// Kinds of data, their owners and the owners' rules.
    pub classification: Register<Category>,
    /// Which classes inspection's findings are, where the register says so.
    pub inspection: BTreeMap<Finder, Vec<Located<Name>>>,
    /// Reasons for which data may be used.
    pub purposes: Register<Described>,
    /// Where data can lie.
    pub regions: Register<Described>,
    /// Where data can be sent.
    pub destinations: Register<DestinationEntry>,
    /// What `redact`, `release` and `endorse` may name.
    pub releases: Register<ReleaseEntry>,
    /// How often people may be asked, and how many calls may pass.
    pub budgets: Register<BudgetEntry>,
    /// Who there is. Outside the bundle.
    pub principals: Principals,
}

/// A kind of data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// The person or group it belongs to.
    pub owner: Located<Name>,
    /// For people.
    pub description: Option<Name>,
    /// Regions that the owner allows; `None` for any.
    pub regions: Option<Vec<Located<Name>>>,
    /// Purposes that the owner allows; `None` for any.
    pub purposes: Option<Vec<Located<Name>>>,
}

/// An entry that only needs a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    /// For people.
    pub description: Option<Name>,
}

/// A place that data can be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestinationEntry {
    /// Who answers for it.
    pub owner: Located<Name>,
    /// Where it lies.
    pub region: Located<Name>,
    /// Classes it may receive.
    pub cleared: Vec<Located<Name>>,
    /// For people.
    pub description: Option<Name>,
}

/// An entry that `redact`, `release` or `endorse` may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseEntry {
    /// The person or group who vouches.
    pub by: Located<Name>,
    /// Classes it clears, and their owners' rules with them.
    pub categories: Vec<Located<Name>>,
    /// Origins it clears.
    pub origins: Vec<Located<Name>>,
    /// Origins that may have steered what is released; `None` for all that `by` may vouch for.
    pub accepts: Option<Vec<Located<Name>>>,
    /// What it does.
    pub kind: ReleaseKindEntry,
    /// For people.
    pub description: Option<Name>,
}

/// What a release does to the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReleaseKindEntry {
    /// Removes parts.
    Drop(Vec<Pattern>),
    /// Replaces parts by a constant.
    Mask(Vec<Pattern>),
    /// Lets only these texts through.
    Allow(Vec<Located<Name>>),
    /// A person vouches for each value.
    Approval,
}

impl ReleaseKindEntry {
    /// What it does, without places in the text.
    #[must_use]
    pub fn resolved(&self) -> ReleaseKind {
        match self {
            Self::Drop(patterns) => ReleaseKind::Drop(patterns.clone()),
            Self::Mask(patterns) => ReleaseKind::Mask(patterns.clone()),
            Self::Allow(texts) => ReleaseKind::AllowList(texts.iter().map(|t| t.value.clone()).collect()),
            Self::Approval => ReleaseKind::Approval,
        }
    }
}

impl Registers {
    /// Reads one register file into its place; `false` if the path names no register.
    pub(super) fn read(&mut self, file: &Name, node: Option<&Node>, out: &mut Vec<Diagnostic>) -> bool {
        match file.as_ref() {
            CLASSIFICATION_FILE => {
                let found = &mut self.inspection;
                let also = |fields: &mut Fields<'_>, out: &mut Vec<Diagnostic>| {
                    *found = fields.optional("inspection").map(|node| inspection(node, out)).unwrap_or_default();
                };
                let what = "the classification register";
                self.classification = table_and(file, node, "categories", what, also, out, category);
            }
            PURPOSES_FILE => self.purposes = table(file, node, "purposes", "the purposes register", out, described),
            REGIONS_FILE => self.regions = table(file, node, "regions", "the regions register", out, described),
            DESTINATIONS_FILE => {
                self.destinations = table(file, node, "destinations", "the destinations register", out, destination);
            }
            RELEASES_FILE => self.releases = table(file, node, "releases", "the releases register", out, release),
            BUDGETS_FILE => self.budgets = table(file, node, "budgets", "the budgets register", out, budget),
            crate::contract::principals::PRINCIPALS_FILE => {
                match node.and_then(|node| Principals::read(file, node, out)) {
                    Some(principals) => self.principals = principals,
                    None => self.principals.persons = Register::unreadable(file),
                }
            }
            _ => return false,
        }
        true
    }
}

/// Reads `version: 1` and one map of entries.
fn table<T>(
    file: &Name,
    node: Option<&Node>,
    key: &'static str,
    what: &'static str,
    out: &mut Vec<Diagnostic>,
    entry: impl FnMut(&Entry, &mut Vec<Diagnostic>) -> Option<T>,
) -> Register<T> {
    table_and(file, node, key, what, |_, _| {}, out, entry)
}

/// The same with what else stands in the file.
fn table_and<T>(
    file: &Name,
    node: Option<&Node>,
    key: &'static str,
    what: &'static str,
    also: impl FnOnce(&mut Fields<'_>, &mut Vec<Diagnostic>),
    out: &mut Vec<Diagnostic>,
    entry: impl FnMut(&Entry, &mut Vec<Diagnostic>) -> Option<T>,
) -> Register<T> {
    let Some(mut fields) = node.and_then(|node| Fields::of(node, what, out)) else { return Register::unreadable(file) };
    if !version(&mut fields, out) {
        return Register::unreadable(file);
    }
    let entries = fields.required(key, out);
    also(&mut fields, out);
    fields.finish(out);
    if entries.is_none() { Register::unreadable(file) } else { Register::read(file, entries, key, out, entry) }
}

/// Which classes each finder's findings are: a list that is empty says that they are nothing.
fn inspection(node: &Node, out: &mut Vec<Diagnostic>) -> BTreeMap<Finder, Vec<Located<Name>>> {
    let Some(mut fields) = Fields::of(node, "inspection", out) else { return BTreeMap::new() };
    let mut found = BTreeMap::new();
    for finder in Finder::ALL {
        if let Some(node) = fields.optional(finder.name()) {
            found.insert(finder, names(Some(node), finder.name(), out));
        }
    }
    fields.finish(out);
    found
}

fn category(entry: &Entry, out: &mut Vec<Diagnostic>) -> Option<Category> {
    let mut fields = Fields::of(&entry.value, "a category", out)?;
    let owner = fields.required("owner", out).and_then(|n| id(n, "owner", out));
    let description = description(&mut fields, "description", out);
    let regions = only(fields.optional("regions"), "regions", out);
    let purposes = only(fields.optional("purposes"), "purposes", out);
    fields.finish(out);
    Some(Category { owner: owner?, description, regions, purposes })
}

fn described(entry: &Entry, out: &mut Vec<Diagnostic>) -> Option<Described> {
    let mut fields = Fields::of(&entry.value, "an entry", out)?;
    let description = description(&mut fields, "description", out);
    fields.finish(out);
    Some(Described { description })
}

fn destination(entry: &Entry, out: &mut Vec<Diagnostic>) -> Option<DestinationEntry> {
    let mut fields = Fields::of(&entry.value, "a destination", out)?;
    let owner = fields.required("owner", out).and_then(|n| id(n, "owner", out));
    let region = fields.required("region", out).and_then(|n| id(n, "region", out));
    let cleared = names(fields.required("cleared", out), "cleared", out);
    let description = description(&mut fields, "description", out);
    fields.finish(out);
    Some(DestinationEntry { owner: owner?, region: region?, cleared, description })
}

fn release(entry: &Entry, out: &mut Vec<Diagnostic>) -> Option<ReleaseEntry> {
    let mut fields = Fields::of(&entry.value, "a release", out)?;
    let by = fields.required("by", out).and_then(|n| id(n, "by", out));
    let (categories, origins) = match fields.required("clears", out) {
        Some(node) => clears(node, out)?,
        None => (Vec::new(), Vec::new()),
    };
    let accepts = fields.optional("accepts").map(|n| names(Some(n), "accepts", out));
    let kind = kind(&mut fields, entry, out);
    let description = description(&mut fields, "description", out);
    fields.finish(out);
    Some(ReleaseEntry { by: by?, categories, origins, accepts, kind: kind?, description })
}

type Cleared = (Vec<Located<Name>>, Vec<Located<Name>>);

fn clears(node: &Node, out: &mut Vec<Diagnostic>) -> Option<Cleared> {
    let mut fields = Fields::of(node, "clears", out)?;
    let categories = names(fields.optional("categories"), "categories", out);
    let origins = names(fields.optional("origins"), "origins", out);
    let given = fields.has("categories") || fields.has("origins");
    fields.finish(out);
    if given && categories.is_empty() && origins.is_empty() {
        out.push(EMPTY_LIST.at(node.span, "`clears` names nothing"));
    }
    Some((categories, origins))
}

fn kind(fields: &mut Fields<'_>, entry: &Entry, out: &mut Vec<Diagnostic>) -> Option<ReleaseKindEntry> {
    let drop = fields.optional("drop");
    let mask = fields.optional("mask");
    let allow = fields.optional("allow");
    let kind = fields.optional("kind");
    match (drop, mask, allow, kind) {
        (Some(node), None, None, None) => patterns(node, "drop", out).map(ReleaseKindEntry::Drop),
        (None, Some(node), None, None) => patterns(node, "mask", out).map(ReleaseKindEntry::Mask),
        (None, None, Some(node), None) => Some(ReleaseKindEntry::Allow(names(Some(node), "allow", out))),
        (None, None, None, Some(node)) => {
            node.expect_word("kind", &[("approval", ())], out).map(|()| ReleaseKindEntry::Approval)
        }
        _ => {
            let message = format!("`{}` must have exactly one of `drop`, `mask`, `allow` and `kind`", entry.key);
            out.push(CONTRADICTION.at(entry.key_span, message));
            None
        }
    }
}
