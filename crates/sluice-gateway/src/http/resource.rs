//! The gateway as a protected resource of OAuth (RFC 9728): where its tokens come from, and what they must be for.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use hyper::{HeaderMap, Method, Response, StatusCode};
use serde_json::json;
use sluice_core::contract::Governance;
use sluice_identity::AccessTokens;

use crate::streamable::place::At;

/// Where a resource says what it is.
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";
/// The scope of whoever may call every connector; `sluice:NAME` is that of one.
pub(super) const EVERYTHING: &str = "sluice";

/// What the resource says of itself, if that is what is asked for. Clients put the path of what they called behind it.
pub(super) fn metadata(
    access: Option<&AccessTokens>,
    governance: &Governance,
    method: &Method,
    path: &str,
) -> Option<Response<Full<Bytes>>> {
    let access = access?;
    let rest = path.strip_prefix(WELL_KNOWN)?;
    if method != Method::GET || !(rest.is_empty() || rest.starts_with('/')) {
        return None;
    }
    let one = |name: &str| format!("{EVERYTHING}:{name}");
    let connectors = governance.contracts.iter().map(|contract| one(&contract.connector.value));
    let scopes: Vec<String> = std::iter::once(EVERYTHING.to_owned()).chain(connectors).collect();
    let body = json!({
        "resource": access.resource(),
        "resource_name": "Sluice gateway",
        "authorization_servers": [access.issuer().name()],
        "bearer_methods_supported": ["header"],
        "scopes_supported": scopes,
    });
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Some(response)
}

/// Tells whoever is let in by nothing where a token comes from (RFC 6750 §3, RFC 9728 §5.1).
pub(super) fn challenge<B>(response: &mut Response<B>, access: Option<&AccessTokens>, has_shown_one: bool) {
    let error = match response.status() {
        StatusCode::UNAUTHORIZED if has_shown_one => ", error=\"invalid_token\"",
        StatusCode::UNAUTHORIZED => "",
        _ => return,
    };
    let text = access.map_or_else(
        || format!("Bearer realm=\"sluice\"{error}"),
        |access| format!("Bearer resource_metadata=\"{}\"{error}", metadata_url(access.resource())),
    );
    insert(response.headers_mut(), &text);
}

/// What a token lacks, where it is not for what is there.
pub(super) fn lacks<B>(response: &mut Response<B>, access: Option<&AccessTokens>, at: &At) {
    if let Some(access) = access {
        let url = metadata_url(access.resource());
        let scope = match at {
            At::Connector(connector) => format!("{EVERYTHING}:{connector}"),
            At::All => EVERYTHING.to_owned(),
        };
        let text = format!("Bearer resource_metadata=\"{url}\", error=\"insufficient_scope\", scope=\"{scope}\"");
        insert(response.headers_mut(), &text);
    }
}

fn insert(headers: &mut HeaderMap, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(WWW_AUTHENTICATE, value);
    }
}

/// The well-known part stands between the host and the path (RFC 9728 §3.1).
fn metadata_url(resource: &str) -> String {
    let after_scheme = resource.find("://").map_or(0, |at| at.saturating_add(3));
    let path = resource.get(after_scheme..).and_then(|rest| rest.find('/'));
    let at = path.map_or(resource.len(), |at| after_scheme.saturating_add(at));
    let (origin, path) = resource.split_at_checked(at).unwrap_or((resource, ""));
    format!("{origin}{WELL_KNOWN}{}", path.strip_suffix('/').unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_part_stands_between_host_and_path() {
        for (resource, url) in [
            ("https://gw.example.com", "https://gw.example.com/.well-known/oauth-protected-resource"),
            ("https://gw.example.com/", "https://gw.example.com/.well-known/oauth-protected-resource"),
            ("https://gw.example.com:8443/a/b", "https://gw.example.com:8443/.well-known/oauth-protected-resource/a/b"),
        ] {
            assert_eq!(metadata_url(resource), url);
        }
    }
}
