//! `if` of jobs and steps.

use std::sync::Arc;

use sluice_core::document::{Data, Node as Tree};

use super::super::admits;
use super::{Sight, Writer};
use crate::native::Refused;
use crate::refusal;

impl<'t> Writer<'_, 't> {
    /// When a job or a step runs; `None` if it always does where those before it ended well.
    pub(super) fn condition(
        &mut self,
        name: &Arc<str>,
        tree: &Tree,
        sight: &Sight<'t>,
    ) -> Result<Option<String>, Refused> {
        let Some(condition) = tree.get("if") else { return Ok(None) };
        let text = match &condition.value {
            Data::Bool(true) => return Ok(None),
            Data::Bool(false) => return Ok(Some("false".to_owned())),
            Data::Text(text) => text,
            _ => return Err(self.untold(name, condition, "a condition that is no text")),
        };
        if admits::weakness(text).is_some_and(|why| why.contains("always true")) {
            return Err(self.untold(
                name,
                condition,
                "a condition with text around its expression, which is always met,",
            ));
        }
        let source = text.trim().strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}")).unwrap_or(text);
        let Some(ast) = super::super::expression::parse(source) else {
            return Err(self.untold(name, condition, "a condition that cannot be read"));
        };
        match self.holds(&ast, source, sight, 0) {
            Ok(jq) if jq == "true" => Ok(None),
            Ok(jq) => self.desk.short_enough(name, jq, condition.span).map(Some),
            Err(what) => Err(self.untold(name, condition, &what)),
        }
    }

    fn untold(&mut self, name: &Arc<str>, condition: &Tree, what: &str) -> Refused {
        self.desk.gap(name, &refusal::EXPRESSION_WITHOUT_EQUIVALENT, condition.span, what, "")
    }
}
