//! Which action of which contract a request means, and what its arguments are.
//!
//! What was judged is what is sent: the connector makes the request anew from these arguments, so whatever has no place in the
//! contract (a header, a parameter, a part of the path) is refused here and not dropped.

use std::collections::BTreeMap;

use hyper::Uri;
use hyper::http::request::Parts;
use percent_encoding::percent_decode_str;
use serde_json::Value as Json;
use sluice_core::contract::Governance;
use sluice_core::contract::connector::{ActionContract, HttpRequest, Placement, Request};
use sluice_core::document::{Duplicates, JsonRules, read_json_with};
use sluice_core::label::Name;
use sluice_core::text::Text;

use super::{BODY_BYTES_MAX, answer::Refusal};

const BODY_NODES_MAX: usize = 1_000_000;

/// A call, as its contract names it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Route {
    pub(super) connector: Name,
    pub(super) action: Name,
    pub(super) arguments: Json,
}

/// Finds the one action that a request means.
///
/// # Errors
/// [`Refusal`]: none, several, or what has no place in it.
pub(super) fn of(governance: &Governance, head: &Parts, body: &[u8], is_json: bool) -> Result<Route, Refusal> {
    let mut segments = segments(&head.uri)?;
    let named = segments.first().cloned().ok_or(Refusal::NoAction)?;
    segments.remove(0);
    let contract = governance.contracts.iter().find(|contract| *contract.connector.value == *named);
    let contract = contract.filter(|contract| contract.transport.http().is_some()).ok_or(Refusal::NoAction)?;
    let fits = |(name, action): (&Name, &ActionContract)| {
        let Some(Request::Http(request)) = action.request.as_ref().map(|request| &request.value) else { return None };
        let path = matched(&request.path, &segments).filter(|_| request.method.as_ref() == head.method.as_str())?;
        Some((name.clone(), request.clone(), path))
    };
    let found: Vec<_> = contract.actions.iter().filter_map(fits).collect();
    let Ok([(action, request, path)]) = <[_; 1]>::try_from(found) else { return Err(Refusal::NoAction) };
    let mut arguments: BTreeMap<String, Json> = path.into_iter().map(|(name, value)| (name, value.into())).collect();
    query(&head.uri, &request, &mut arguments)?;
    headers(head, &request, &mut arguments);
    body_fields(body, is_json, &request, &mut arguments)?;
    let arguments = Json::Object(arguments.into_iter().collect());
    Ok(Route { connector: contract.connector.value.clone(), action, arguments })
}

fn malformed(why: impl Into<String>) -> Refusal {
    Refusal::Malformed(why.into())
}

/// The path's segments, decoded once. One that would mean another path to the next reader is refused.
fn segments(uri: &Uri) -> Result<Vec<String>, Refusal> {
    let path = uri.path().strip_prefix('/').ok_or(Refusal::NoAction)?;
    let decode = |segment: &str| {
        let text = percent_decode_str(segment).decode_utf8().map_err(|_| malformed("the path is not UTF-8"))?;
        let is_plain =
            !matches!(&*text, "" | "." | "..") && !text.contains(['/', '\\']) && !text.chars().any(char::is_control);
        if is_plain {
            Ok(text.into_owned())
        } else {
            Err(malformed("a part of the path is empty, or means another path"))
        }
    };
    path.split('/').map(decode).collect()
}

/// The arguments that a path gives, if it fits the template.
fn matched(template: &str, segments: &[String]) -> Option<Vec<(String, String)>> {
    let parts: Vec<&str> = template.strip_prefix('/')?.split('/').collect();
    if parts.len() != segments.len() {
        return None;
    }
    let mut arguments = Vec::new();
    for (part, segment) in parts.iter().zip(segments) {
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) => arguments.push((name.to_owned(), segment.clone())),
            None if part == segment => {}
            None => return None,
        }
    }
    Some(arguments)
}

fn query(uri: &Uri, request: &HttpRequest, arguments: &mut BTreeMap<String, Json>) -> Result<(), Refusal> {
    for pair in uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decode = |text: &str| {
            let spaced = text.replace('+', " ");
            percent_decode_str(&spaced)
                .decode_utf8()
                .map(|text| text.into_owned())
                .map_err(|_| malformed("the query is not UTF-8"))
        };
        let (name, value) = (decode(name)?, decode(value)?);
        if request.placement.get(name.as_str()) != Some(&Placement::Query) {
            return Err(malformed(format!("the contract has no query parameter `{name}`")));
        }
        if arguments.insert(name.clone(), value.into()).is_some() {
            return Err(malformed(format!("`{name}` stands twice")));
        }
    }
    Ok(())
}

/// Headers that the contract places. Others frame and route the request, and are not passed on.
fn headers(head: &Parts, request: &HttpRequest, arguments: &mut BTreeMap<String, Json>) {
    for (name, place) in &request.placement {
        if let Placement::Header(header) = place
            && let Some(value) = head.headers.get(header.as_ref()).and_then(|value| value.to_str().ok())
        {
            arguments.insert(name.to_string(), value.into());
        }
    }
}

fn body_fields(
    body: &[u8],
    is_json: bool,
    request: &HttpRequest,
    arguments: &mut BTreeMap<String, Json>,
) -> Result<(), Refusal> {
    let whole = request.placement.iter().find(|(_, place)| **place == Placement::WholeBody).map(|(name, _)| name);
    if body.is_empty() {
        return Ok(());
    }
    if !is_json {
        return Err(malformed("the body is no JSON"));
    }
    let text = std::str::from_utf8(body).map_err(|_| malformed("the body is not UTF-8"))?;
    let rules = JsonRules { bytes_max: BODY_BYTES_MAX, nodes_max: BODY_NODES_MAX, duplicates: Duplicates::Refuse };
    let read = read_json_with(&Text::new("body", text), rules);
    let (root, _) =
        read.map_err(|_| malformed("the body is no JSON, or two readers could take it for different things"))?;
    let value = root.to_json();
    if let Some(name) = whole {
        arguments.insert(name.to_string(), value);
        return Ok(());
    }
    let Json::Object(fields) = value else { return Err(malformed("the body is no object")) };
    for (name, value) in fields {
        if request.placement.get(name.as_str()) != Some(&Placement::Body) {
            return Err(malformed(format!("the contract has no field `{name}` in the body")));
        }
        arguments.insert(name, value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FILES: [(&str, &str); 3] = [
        ("workspace.yaml", "version: 1\nname: w\nmode: test\n"),
        ("registers/principals.yaml", "version: 1\n"),
        (
            "connectors/crm.yaml",
            "version: 1\nconnector: crm\ntransport: { http: { base: \"https://crm.example.com/v2\" } }\nactions:\n  \
             get: { effect: read, request: { method: GET, path: \"/accounts/{id}\", query: [fields], headers: { X-Tenant: tenant } }, \
             arguments: { id: { role: reference }, fields: { role: query }, tenant: { role: reference } } }\n  \
             put: { effect: write, request: { method: PUT, path: \"/accounts/{id}\", body: [name, tags] }, \
             arguments: { id: { role: reference }, name: { role: payload }, tags: { role: payload } } }\n  \
             log: { effect: write, request: { method: POST, path: /log, body: entry }, arguments: { entry: { role: payload } } }\n",
        ),
    ];

    fn route(method: &str, uri: &str, body: &str) -> Result<Route, Refusal> {
        let governance = Governance::read(FILES.map(|(path, text)| (path, text.as_bytes()))).unwrap();
        let request = hyper::Request::builder().method(method).uri(uri).header("x-tenant", "t-1").body(()).unwrap();
        of(&governance, &request.into_parts().0, body.as_bytes(), true)
    }

    #[test]
    fn a_request_means_one_action_and_all_of_it_is_an_argument() {
        for (method, uri, body, action, arguments) in [
            (
                "GET",
                "/crm/accounts/7?fields=id%2Cname",
                "",
                "get",
                json!({"fields": "id,name", "id": "7", "tenant": "t-1"}),
            ),
            ("GET", "/crm/accounts/a%20b", "", "get", json!({"id": "a b", "tenant": "t-1"})),
            (
                "PUT",
                "/crm/accounts/7",
                r#"{"name": "Ana", "tags": [1]}"#,
                "put",
                json!({"id": "7", "name": "Ana", "tags": [1]}),
            ),
            ("POST", "/crm/log", r#"[1, {"a": null}]"#, "log", json!({"entry": [1, {"a": null}]})),
        ] {
            let found = route(method, uri, body).unwrap();
            assert_eq!((&*found.connector, &*found.action, &found.arguments), ("crm", action, &arguments), "{uri}");
        }
    }

    #[test]
    fn what_the_contract_has_no_place_for_is_refused() {
        for (method, uri, body) in [
            ("GET", "/", ""),
            ("GET", "/crm", ""),
            ("GET", "/erp/accounts/7", ""),
            ("DELETE", "/crm/accounts/7", ""),
            ("GET", "/crm/accounts/7/notes", ""),
            ("GET", "/crm/accounts/", ""),
            ("GET", "/crm/accounts/..", ""),
            ("GET", "/crm/accounts/%2e%2e", ""),
            ("GET", "/crm/accounts/7%2fnotes", ""),
            ("GET", "/crm/accounts/%ff", ""),
            ("GET", "/crm/accounts/7?admin=1", ""),
            ("GET", "/crm/accounts/7?fields=id&fields=name", ""),
            ("PUT", "/crm/accounts/7", r#"{"name": "Ana", "role": "admin"}"#),
            ("PUT", "/crm/accounts/7", r#"{"name": "Ana", "name": "Eve"}"#),
            ("PUT", "/crm/accounts/7", r#"{"name": "Ana", "id": "8"}"#),
            ("PUT", "/crm/accounts/7", "[]"),
            ("PUT", "/crm/accounts/7", "name=Ana"),
            ("GET", "/crm/accounts/7", "{\"id\": \"8\"}"),
        ] {
            assert!(route(method, uri, body).is_err(), "{method} {uri} {body}");
        }
    }
}
