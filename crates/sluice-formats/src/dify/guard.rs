//! Conditions of `if-else`: what is surely true of the values behind each way out.
//!
//! Read is what holds values back: equality to constants, membership in a list of them, comparisons of numbers. That a text
//! contains, starts or ends with something, or is not empty, says nothing. A variable of a conversation or a loop is no
//! subject: a branch beside it could write it behind the check.

use std::collections::BTreeMap;
use std::sync::Arc;

use sluice_core::document::{Data, Node as Tree};

use super::lower::Lowering;
use super::read::{handle, list, text_at, word};
use super::refer::refers;
use crate::guard::{self, Admits, InOrder, Known};
use crate::wiring::{Part, part_of};

type Condition = guard::Condition<Part>;

/// The way out where no case fits.
const OTHERWISE: &str = "false";

impl Lowering<'_, '_> {
    /// By way out: what is known behind it.
    pub(super) fn known_behind(&mut self, i: usize) -> BTreeMap<Arc<str>, Known<Part>> {
        let mut behind = BTreeMap::new();
        let Some(node) = self.app.nodes.get(i).filter(|node| node.node_type.as_ref() == "if-else") else {
            return behind;
        };
        let mut ways = InOrder::new();
        // The first versions had one case, and its conditions stood in the node.
        let cases = list(node.data.get("cases"));
        let cases: Vec<(Option<String>, &Tree)> = if cases.is_empty() {
            vec![(Some("true".to_owned()), node.data)]
        } else {
            cases.iter().map(|case| (case.get("case_id").and_then(handle), case)).collect()
        };
        for (name, case) in cases {
            let known = ways.next(&self.case(i, case));
            let Some(name) = name else { continue };
            // Two cases of one name are one way out.
            let taken = behind.insert(name.as_str().into(), known.clone());
            if let Some(other) = taken {
                behind.insert(name.into(), guard::either(other, known));
            }
        }
        let otherwise = ways.otherwise();
        let taken = behind.remove(OTHERWISE);
        behind
            .insert(OTHERWISE.into(), taken.map_or_else(|| otherwise.clone(), |t| guard::either(t, otherwise.clone())));
        behind
    }

    fn case(&mut self, i: usize, case: &Tree) -> Condition {
        let each = list(case.get("conditions")).iter().map(|condition| self.condition(i, condition)).collect();
        match text_at(case, &["logical_operator"]).map(AsRef::as_ref) {
            None | Some("and") => Condition::All(each),
            _ => Condition::Any(each),
        }
    }

    fn condition(&mut self, i: usize, condition: &Tree) -> Condition {
        let operator = text_at(condition, &["comparison_operator"]).map(AsRef::as_ref);
        let with = condition.get("value");
        // What a list's items are like is said below.
        let is_about_items = condition.get("sub_variable_condition").is_some_and(|c| !matches!(c.value, Data::Null));
        let constant = with.is_some_and(is_constant) && !is_about_items;
        let number = constant && with.and_then(word).is_some_and(|text| text.trim().parse::<f64>().is_ok());
        match operator {
            Some("is") => self.holds(i, condition, Admits::Listed).filter(constant),
            Some("is not") => self.holds(i, condition, Admits::Listed).filter(constant).not(),
            Some("in") => self.holds(i, condition, Admits::Listed).filter(!is_about_items && with.is_some_and(is_list)),
            Some("not in") => {
                self.holds(i, condition, Admits::Listed).filter(!is_about_items && with.is_some_and(is_list)).not()
            }
            // Of anything but numbers these fail, and the run with them.
            Some("=" | ">" | "<" | "≥" | "≤") => self.holds(i, condition, Admits::Number).filter(number),
            Some("≠") => self.holds(i, condition, Admits::Number).filter(number).not(),
            _ => Condition::Unknown,
        }
    }

    fn holds(&mut self, i: usize, condition: &Tree, admits: Admits) -> Condition {
        let selected = condition.get("variable_selector").and_then(|selector| self.selected(i, selector));
        let part = selected.as_ref().and_then(part_of);
        match part.filter(|(place, _)| !self.variables.values().any(|variable| variable == place)) {
            Some(part) => Condition::Is(part, admits),
            None => Condition::Unknown,
        }
    }
}

/// Whether a value is compared as it stands.
fn is_constant(value: &Tree) -> bool {
    match &value.value {
        Data::Text(text) => !refers(text),
        Data::Int(_) | Data::Float(_) | Data::Bool(_) => true,
        _ => false,
    }
}

fn is_list(value: &Tree) -> bool {
    matches!(&value.value, Data::List(items) if !items.is_empty() && items.iter().all(is_constant))
}
