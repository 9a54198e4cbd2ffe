//! `call: http` must match exactly one action: two that one URL could mean are refused.

use std::collections::BTreeMap;

use super::Resolver;
use crate::contract::codes::AMBIGUOUS_ENDPOINT;
use crate::contract::connector::{Contract, Request};
use crate::label::Name;
use crate::text::Span;

struct Endpoint<'a> {
    method: &'a Name,
    /// Base and path together: two bases of one host may overlap.
    url: String,
    file: &'a Name,
    action: String,
    span: Span,
}

pub(super) fn check(cx: &mut Resolver<'_>, contracts: &[Contract]) {
    let mut by_size: BTreeMap<(&Name, usize), Vec<Endpoint<'_>>> = BTreeMap::new();
    for endpoint in contracts.iter().flat_map(endpoints) {
        let key = (endpoint.method, endpoint.url.split('/').count());
        let others = by_size.entry(key).or_default();
        if let Some(other) = others.iter().find(|other| overlap(&other.url, &endpoint.url)) {
            let message = format!(
                "`{}` and `{}` ({}) both match `{} {}`",
                endpoint.action, other.action, other.file, endpoint.method, endpoint.url
            );
            let mut diagnostic = AMBIGUOUS_ENDPOINT.at(endpoint.span, message);
            if other.file == endpoint.file {
                diagnostic = diagnostic.also(other.span, "the other one");
            }
            cx.report(endpoint.file, diagnostic);
        }
        others.push(endpoint);
    }
}

fn endpoints(contract: &Contract) -> impl Iterator<Item = Endpoint<'_>> {
    let base = contract.transport.http().map(|http| &http.base.value);
    contract.actions.iter().filter_map(move |(name, action)| {
        let request = action.request.as_ref()?;
        let Request::Http(http) = &request.value else { return None };
        Some(Endpoint {
            method: &http.method,
            url: format!("{}{}", base?, http.path),
            file: &contract.file,
            action: format!("{}.{name}", contract.connector.value),
            span: request.span,
        })
    })
}

/// Whether one URL can match both templates.
fn overlap(a: &str, b: &str) -> bool {
    let free = |s: &str| s.starts_with('{');
    a.split('/').zip(b.split('/')).all(|(a, b)| a == b || (free(a) && !b.is_empty()) || (free(b) && !a.is_empty()))
}
