//! Whom an identity provider means by a name of its own.

use crate::contract::codes::BAD_ISSUER;
use crate::contract::read::{Located, text};
use crate::diagnostic::Diagnostic;
use crate::document::{Fields, Node};
use crate::label::Name;

/// A name that an identity provider has for somebody. Two providers may have the same one for different people, so it
/// means nothing without the provider.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// The provider: the `iss` of its tokens, compared letter by letter.
    pub issuer: Name,
    /// Its name for them: the `sub` of its tokens.
    pub subject: Name,
}

/// Reads `identities`.
pub(super) fn identities(node: Option<&Node>, out: &mut Vec<Diagnostic>) -> Vec<Located<Identity>> {
    let Some(items) = node.and_then(|node| node.expect_list("identities", out)) else { return Vec::new() };
    items.iter().filter_map(|item| identity(item, out)).collect()
}

fn identity(node: &Node, out: &mut Vec<Diagnostic>) -> Option<Located<Identity>> {
    let mut fields = Fields::of(node, "an identity", out)?;
    let issuer = fields.required("issuer", out).and_then(|node| text(node, "issuer", out));
    let subject = fields.required("subject", out).and_then(|node| text(node, "subject", out));
    fields.finish(out);
    let (issuer, subject) = (issuer?, subject?);
    let is_address = ["https://", "http://"].iter().any(|scheme| issuer.value.starts_with(scheme));
    if !is_address || issuer.value.contains(['?', '#', '@', '{', '}', '%', '\\', ' ']) {
        out.push(BAD_ISSUER.at(issuer.span, format!("`{}` is no issuer", issuer.value)));
        return None;
    }
    Some(Located::new(Identity { issuer: issuer.value, subject: subject.value }, node.span))
}
