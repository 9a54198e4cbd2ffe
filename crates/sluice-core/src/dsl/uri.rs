//! URI templates: `https://example.com/pets/{petId}`, each variable a field of the task's input.
//!
//! Source: RFC 6570 §3.2.2 (simple string expansion), DSL reference "URI Template".

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::document::Node;
use crate::dsl::codes::EXPRESSION_SYNTAX;
use crate::dsl::locate::Locator;
use crate::dsl::template::whole;
use crate::dsl::workflow::Lower;
use crate::expression::{Expression, TextPart};

/// An endpoint: a text, or a constant template with its parameters.
pub(super) struct Uri {
    pub(super) endpoint: Expression,
    /// An object: one text per parameter.
    pub(super) parameters: Option<Expression>,
}

impl Lower<'_> {
    /// An endpoint's URI: an expression, or a template.
    pub(super) fn uri(&mut self, node: &Node) -> Option<Uri> {
        let text = node.expect_name("endpoint", &mut self.out)?;
        if whole(&text).is_some() || text.contains("${") || !text.contains(['{', '}']) {
            return Some(Uri { endpoint: self.text(node, &text)?, parameters: None });
        }
        let path = path_of(&text);
        let locator = Locator::of(self.text, node);
        let mut parts = Vec::new();
        let mut parameters: BTreeMap<&str, Expression> = BTreeMap::new();
        let mut computed_host = false;
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
            let is_segment = path.contains(&at);
            computed_host |= at < path.start;
            let value = self.parsed(&expansion(name, is_segment), &|_, _| span)?;
            parts.push(TextPart::Expression(
                self.parsed(&format!("{} | @uri", expansion(name, is_segment)), &|_, _| span)?,
            ));
            if is_segment || !parameters.contains_key(name) {
                parameters.insert(name, value);
            }
            rest = after;
        }
        if computed_host {
            // Whom it would talk to is not known before the run, whatever its path is.
            parts.push(TextPart::Literal(rest.into()));
            return Some(Uri { endpoint: Expression::text(parts, node.span), parameters: None });
        }
        let parameters = parameters.into_iter().map(|(name, value)| (Arc::from(name), value)).collect();
        Some(Uri {
            endpoint: Expression::literal(&text.as_ref().into(), node.span),
            parameters: Some(Expression::object(parameters, node.span)),
        })
    }
}

/// Where the path of a URI stands in it.
fn path_of(text: &str) -> std::ops::Range<usize> {
    let authority = text.find("://").map_or(0, |at| at + 3);
    let rest = text.get(authority..).unwrap_or_default();
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    let start = rest.find('/').unwrap_or(end).min(end);
    authority + start..authority + end
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '$'))
}

/// One variable as a text; nothing becomes the empty text. What would make a segment another path is an error.
fn expansion(name: &str, is_segment: bool) -> String {
    let key = serde_json::Value::from(name);
    let text = format!(
        "(.[{key}] | if type == \"object\" or type == \"array\" then error(\"a URI takes no {{{name}}} that is a structure\") \
         elif . == null then \"\" else tostring end)"
    );
    if !is_segment {
        return text;
    }
    format!(
        "({text} | if . == \"\" or . == \".\" or . == \"..\" or contains(\"/\") \
         then error(\"{{{name}}} is no segment of a path\") else . end)"
    )
}
