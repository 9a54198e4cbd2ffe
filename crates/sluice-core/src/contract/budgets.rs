//! The budgets register: how often people may be asked, and how many calls may pass, in a window of time.
//!
//! A person who is asked without end approves without reading. So what one outsider's words, one kind of data, one
//! dataset or one destination can ask for is bounded; beyond the bound a call is refused instead of held.

use std::collections::BTreeMap;

use crate::contract::codes::BAD_BUDGET;
use crate::contract::principals::description;
use crate::contract::read::{Located, Register, text};
use crate::diagnostic::Diagnostic;
use crate::document::{Entry, Fields};
use crate::label::Name;

/// The register's path in a workspace.
pub const BUDGETS_FILE: &str = "registers/budgets.yaml";
/// How often an hour people may be asked about calls of an agent that one origin's words reached, where no budget says
/// otherwise: far more than honest work asks for, and an end to a flood.
pub const ASKS_PER_HOUR: u64 = 500;

/// A bound on calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetEntry {
    /// What is counted together.
    pub of: BudgetOf,
    /// How often people may be asked in a window, on behalf of one requester.
    pub asks: Option<u64>,
    /// How many calls may pass in a window, whoever makes them.
    pub calls: Option<u64>,
    /// How long a window is.
    pub per: Window,
    /// For people.
    pub description: Option<Name>,
}

/// What is counted together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BudgetOf {
    /// Each of them for itself, but for those that have a budget of their own.
    Each(Kind),
    /// This one.
    One(Kind, Located<Name>),
}

/// By what calls are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Whose untrusted words reached the call.
    Origin,
    /// Which classes of data reached it.
    Class,
    /// Which datasets they came from.
    Dataset,
    /// Where it goes: the destination, or the dataset that it changes.
    Destination,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Origin, Self::Class, Self::Dataset, Self::Destination];

    /// The word in the file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Origin => "origin",
            Self::Class => "class",
            Self::Dataset => "dataset",
            Self::Destination => "destination",
        }
    }
}

/// How long is counted. Windows begin with the clock's: an hour's with the hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Window {
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day of universal time.
    Day,
}

impl Window {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

    /// The word in the file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// The number of the window that a time is in.
    #[must_use]
    pub const fn of(self, time_ms: u64) -> u64 {
        const MINUTE_MS: u64 = 60_000;
        time_ms
            / match self {
                Self::Minute => MINUTE_MS,
                Self::Hour => 60 * MINUTE_MS,
                Self::Day => 24 * 60 * MINUTE_MS,
            }
    }
}

/// What is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// That a person is asked.
    Ask,
    /// That a call passes.
    Call,
}

impl BudgetEntry {
    const fn limit(&self, of: Use) -> Option<u64> {
        match of {
            Use::Ask => self.asks,
            Use::Call => self.calls,
        }
    }
}

/// The bounds that hold for one name, by window: its own, else those of each of its kind. Of several the smallest.
#[must_use]
pub fn limits(budgets: &Register<BudgetEntry>, of: Use, kind: Kind, name: &str) -> BTreeMap<Window, u64> {
    let own = |entry: &BudgetEntry| matches!(&entry.of, BudgetOf::One(k, n) if *k == kind && *n.value == *name);
    let each = |entry: &BudgetEntry| entry.of == BudgetOf::Each(kind);
    let found = smallest(budgets, of, own);
    if found.is_empty() { smallest(budgets, of, each) } else { found }
}

/// The names of a kind that have a bound of their own.
pub fn named(budgets: &Register<BudgetEntry>, of: Use, kind: Kind) -> impl Iterator<Item = &Name> {
    budgets.entries.values().filter(move |entry| entry.value.limit(of).is_some()).filter_map(move |entry| match &entry
        .value
        .of
    {
        BudgetOf::One(k, name) if *k == kind => Some(&name.value),
        _ => None,
    })
}

fn smallest(budgets: &Register<BudgetEntry>, of: Use, holds: impl Fn(&BudgetEntry) -> bool) -> BTreeMap<Window, u64> {
    let mut limits = BTreeMap::new();
    for entry in budgets.entries.values().map(|entry| &entry.value).filter(|entry| holds(entry)) {
        if let Some(limit) = entry.limit(of) {
            let known = limits.entry(entry.per).or_insert(limit);
            *known = limit.min(*known);
        }
    }
    limits
}

pub(super) fn budget(entry: &Entry, out: &mut Vec<Diagnostic>) -> Option<BudgetEntry> {
    let mut fields = Fields::of(&entry.value, "a budget", out)?;
    let of = of(&mut fields, entry, out);
    let mut count = |key| fields.optional(key).map(|node| node.expect_count(key, out));
    let (asks, calls) = (count("asks"), count("calls"));
    let windows = Window::ALL.map(|window| (window.name(), window));
    let per = fields.required("per", out).and_then(|node| node.expect_word("per", &windows, out));
    let description = description(&mut fields, "description", out);
    fields.finish(out);
    if asks.is_none() && calls.is_none() {
        out.push(BAD_BUDGET.at(entry.key_span, format!("`{}` bounds neither `asks` nor `calls`", entry.key)));
        return None;
    }
    // A number that is none is a problem already, and never no bound.
    let (asks, calls) = (asks.map_or(Some(None), |n| n.map(Some))?, calls.map_or(Some(None), |n| n.map(Some))?);
    Some(BudgetEntry { of: of?, asks, calls, per: per?, description })
}

fn of(fields: &mut Fields<'_>, entry: &Entry, out: &mut Vec<Diagnostic>) -> Option<BudgetOf> {
    let each = fields.optional("each");
    let ones: Vec<_> = Kind::ALL.into_iter().filter_map(|kind| Some((kind, fields.optional(kind.name())?))).collect();
    match (each, ones.as_slice()) {
        (Some(node), []) => {
            let kinds = Kind::ALL.map(|kind| (kind.name(), kind));
            node.expect_word("each", &kinds, out).map(BudgetOf::Each)
        }
        (None, [(kind, node)]) => text(node, kind.name(), out).map(|name| BudgetOf::One(*kind, name)),
        _ => {
            let message = format!("`{}` must say of what it is a budget, once", entry.key);
            out.push(BAD_BUDGET.at(entry.key_span, message));
            None
        }
    }
}
