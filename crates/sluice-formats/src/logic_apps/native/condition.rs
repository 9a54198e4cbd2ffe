//! Conditions of `If`, `Until` and `Query`, as trees and as expressions.

use sluice_core::document::Node as Tree;

use super::super::read::{Action, entries, list};
use super::function::called;
use super::{Sight, Writer};
use crate::native::Refused;
use crate::refusal;

/// Deepest conditions in each other.
const DEPTH_MAX: usize = 32;

impl<'t> Writer<'_, 't> {
    /// When a condition holds.
    pub(super) fn condition(&mut self, action: &Action<'t>, tree: &Tree, sight: &Sight) -> Result<String, Refused> {
        let jq = self.stated(action, tree, sight, 0)?;
        let name = self.name(action);
        self.desk.short_enough(&name, jq, tree.span)
    }

    /// `{"and": […]}`, `{"equals": […]}`, or a value.
    fn stated(&mut self, action: &Action<'t>, tree: &Tree, sight: &Sight, depth: usize) -> Result<String, Refused> {
        let name = self.name(action);
        let [only] = entries(Some(tree)) else { return self.jq(action, tree, sight) };
        let code = &refusal::EXPRESSION_WITHOUT_EQUIVALENT;
        if depth > DEPTH_MAX {
            return Err(self.desk.gap(&name, code, tree.span, "a condition that lies too deep in others", ""));
        }
        let word = only.key.to_lowercase();
        let inner = match list(Some(&only.value)) {
            [] => std::slice::from_ref(&only.value),
            listed => listed,
        };
        let mut parts = Vec::new();
        for part in inner {
            parts.push(match word.as_str() {
                "and" | "or" | "not" => self.stated(action, part, sight, depth + 1)?,
                _ => self.jq(action, part, sight)?,
            });
        }
        match called(&only.key, &parts) {
            Ok((jq, note)) => {
                note.into_iter().for_each(|note| self.desk.note(note));
                Ok(jq)
            }
            Err(what) => Err(self.desk.gap(&name, code, tree.span, &what, "compare in another way")),
        }
    }
}
