//! The way through a reply, and what is kept of what was found.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use sluice_core::catalogue::Pattern;
use sluice_core::found::{Finder, Found};

use crate::place::{Hit, Step};
use crate::{INNER_MAX, PLACES_MAX, card, coordinates, look, national_id};

/// Looks through a reply, and gives what was found where it is not expected. `is_expected` is asked about each hit.
///
/// Indexes of lists stand as `*`, so that a thousand rows with an address each are one finding; at most
/// [`PLACES_MAX`] are told apart, and one more counts for the whole reply.
pub fn inspect(reply: &Json, is_expected: &mut dyn FnMut(&Hit<'_>) -> bool) -> Vec<Found> {
    let mut walk = Walk { is_expected, found: BTreeMap::new() };
    walk.value(reply, "", &mut Vec::new(), 0);
    let found = |((finder, rule, at), count): ((Finder, &'static str, Pattern), u64)| Found {
        finder,
        rule: rule.into(),
        at,
        count,
    };
    walk.found.into_iter().map(found).collect()
}

struct Walk<'w> {
    is_expected: &'w mut dyn FnMut(&Hit<'_>) -> bool,
    found: BTreeMap<(Finder, &'static str, Pattern), u64>,
}

impl Walk<'_> {
    /// `named` is the key that led here; `inner` how many texts of JSON were opened on the way.
    fn value<'a>(&mut self, value: &'a Json, named: &'a str, at: &mut Vec<Step<'a>>, inner: usize) {
        match value {
            Json::Null | Json::Bool(_) => {}
            Json::Number(number) => {
                // A number that has a point is no number of anything.
                if let Some(digits) = whole(number) {
                    self.text(&digits, named, at);
                }
            }
            Json::String(text) => {
                self.text(text, named, at);
                if inner < INNER_MAX
                    && let Some(inside) = opened(text)
                {
                    self.inside(&inside, named, at, inner + 1);
                }
            }
            Json::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    at.push(Step::Index(index));
                    self.value(item, named, at, inner);
                    at.pop();
                }
            }
            Json::Object(fields) => {
                for (key, field) in fields {
                    self.text(key, "", at);
                    at.push(Step::Key(key));
                    self.value(field, key, at, inner);
                    at.pop();
                }
                for key in coordinates::of(fields).into_iter().flatten() {
                    at.push(Step::Key(key));
                    self.tell(Finder::Coordinates, "fields", "", at);
                    at.pop();
                }
            }
        }
    }

    /// What stands in JSON in a text stands in that text.
    fn inside(&mut self, value: &Json, named: &str, at: &[Step<'_>], inner: usize) {
        let Self { is_expected, found } = self;
        let mut outside = |hit: &Hit<'_>| is_expected(&Hit { steps: at, ..*hit });
        let mut walk = Walk { is_expected: &mut outside, found: BTreeMap::new() };
        walk.value(value, named, &mut Vec::new(), inner);
        let pattern = Hit { finder: Finder::Secret, rule: "", text: "", steps: at }.pattern();
        for ((finder, rule, _), count) in walk.found {
            keep(found, finder, rule, pattern.clone(), count);
        }
    }

    fn text(&mut self, text: &str, named: &str, at: &[Step<'_>]) {
        look(text, named, &mut |finder, rule, hit| self.tell(finder, rule, hit, at));
    }

    fn tell(&mut self, finder: Finder, rule: &'static str, text: &str, steps: &[Step<'_>]) {
        let hit = Hit { finder, rule, text, steps };
        if !(self.is_expected)(&hit) {
            keep(&mut self.found, finder, rule, hit.pattern(), 1);
        }
    }
}

fn keep(
    found: &mut BTreeMap<(Finder, &'static str, Pattern), u64>,
    finder: Finder,
    rule: &'static str,
    pattern: Pattern,
    count: u64,
) {
    let is_full = found.len() >= PLACES_MAX && !found.contains_key(&(finder, rule, pattern.clone()));
    let pattern = if is_full { Pattern::default() } else { pattern };
    let sum = found.entry((finder, rule, pattern)).or_default();
    *sum = sum.saturating_add(count);
}

/// The digits of a number that may be the number of something.
fn whole(number: &serde_json::Number) -> Option<String> {
    let digits = number.as_u64()?.to_string();
    (digits.len() >= card::DIGITS_MIN.min(national_id::DIGITS_MIN)).then_some(digits)
}

/// The JSON that a text is, if it is an object or a list.
fn opened(text: &str) -> Option<Json> {
    let bare = text.trim();
    let is_closed = bare.starts_with('{') && bare.ends_with('}') || bare.starts_with('[') && bare.ends_with(']');
    if is_closed { serde_json::from_str(bare).ok() } else { None }
}
