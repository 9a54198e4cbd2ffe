//! URI templates: `https://example.com/pets/{petId}`, each variable a field of the task's input.
//!
//! Source: RFC 6570 §3.2.2 (simple string expansion), DSL reference "URI Template".

use crate::document::Node;
use crate::dsl::codes::EXPRESSION_SYNTAX;
use crate::dsl::expression::Sight;
use crate::dsl::locate::Locator;
use crate::dsl::template::whole;
use crate::dsl::workflow::Lower;
use crate::expression::{Expression, TextPart};

impl Lower<'_> {
    /// An endpoint's URI: an expression, or a template.
    pub(super) fn uri(&mut self, node: &Node, sight: &Sight) -> Option<Expression> {
        let text = node.expect_name("endpoint", &mut self.out)?;
        if whole(&text).is_some() || text.contains("${") || !text.contains(['{', '}']) {
            return self.text(node, &text, sight);
        }
        let locator = Locator::of(self.text, node);
        let mut parts = Vec::new();
        let mut rest = text.as_ref();
        while let Some((literal, after)) = rest.split_once('{') {
            let at = text.len() - after.len();
            parts.push(TextPart::Literal(literal.into()));
            let Some((name, after)) = after.split_once('}').filter(|(name, _)| is_name(name)) else {
                let span = locator.span(at - 1, at);
                self.out.push(EXPRESSION_SYNTAX.at(span, "a URI template has `{name}` here"));
                return None;
            };
            let span = locator.span(at, at + name.len());
            parts.push(TextPart::Expression(self.parsed(&expansion(name), &|_, _| span)?));
            rest = after;
        }
        parts.push(TextPart::Literal(rest.into()));
        Some(Expression::text(parts, node.span))
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '$'))
}

/// One variable, percent-encoded, so that its value cannot become another path; nothing becomes the empty text.
fn expansion(name: &str) -> String {
    let key = serde_json::Value::from(name);
    format!(
        "(.[{key}] | if type == \"object\" or type == \"array\" then error(\"a URI takes no {{{name}}} that is a structure\") \
         elif . == null then \"\" else tostring | @uri end)"
    )
}
