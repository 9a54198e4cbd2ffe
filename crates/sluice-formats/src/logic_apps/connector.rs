//! Which connector and operation an action calls.

use sluice_core::document::Node as Tree;

use super::read::{Action, Workflow, at};
use crate::services::Services;

/// Called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Called {
    /// `office365`.
    pub(super) service: String,
    /// `SendEmailV2`, or `post /v2/mail` where no operation is named.
    pub(super) operation: String,
}

impl Called {
    fn new(service: &str, operation: &str) -> Self {
        Self { service: service.to_owned(), operation: operation.to_owned() }
    }
}

/// What a trigger or action calls.
pub(super) fn called(action: &Action<'_>, workflow: &Workflow<'_>, services: &Services) -> Called {
    let operation = [
        &["inputs", "host", "operationId"] as &[&str],
        &["inputs", "serviceProviderConfiguration", "operationId"],
        &["metadata", "flowSystemMetadata", "swaggerOperationId"],
    ];
    let operation = operation.iter().find_map(|path| action.text(path)).map(ToString::to_string);
    let Some(service) = service(action, workflow) else {
        return Called::new("built-in", &operation_of(&action.kind, action.is_trigger));
    };
    match operation {
        Some(operation) => Called { service, operation },
        None => by_path(service, action, services),
    }
}

fn operation_of(kind: &str, is_trigger: bool) -> String {
    if is_trigger { format!("{kind} trigger") } else { kind.to_owned() }
}

/// The connector's name, without what makes a connection's name unique.
fn service(action: &Action<'_>, workflow: &Workflow<'_>) -> Option<String> {
    if let Some(provider) = action.text(&["inputs", "serviceProviderConfiguration", "serviceProviderId"]) {
        return Some(last_segment(provider).to_lowercase());
    }
    let host = at(action.tree, &["inputs", "host"])?;
    if let Some(api) = host.get("apiId").and_then(Tree::as_text) {
        return Some(plain(last_segment(api)));
    }
    if let Some(url) = at(host, &["api", "runtimeUrl"]).and_then(Tree::as_text) {
        return Some(plain(last_segment(url)));
    }
    let paths: [&[&str]; 3] = [&["connection", "referenceName"], &["connection", "name"], &["connectionName"]];
    let name = paths.iter().find_map(|path| at(host, path)).and_then(Tree::as_text)?;
    let name = match name.split_once("'$connections')['") {
        Some((_, rest)) => rest.split('\'').next().unwrap_or_default(),
        None => name,
    };
    let reference = workflow.references.and_then(|r| r.get(name));
    let paths: [&[&str]; 3] = [&["api", "name"], &["api", "id"], &["id"]];
    let api = reference.and_then(|r| paths.iter().find_map(|path| at(r, path))).and_then(Tree::as_text);
    let api = api.filter(|api| !api.starts_with(['[', '@']));
    Some(plain(api.map_or(name, |api| last_segment(api))))
}

fn last_segment(text: &str) -> &str {
    text.trim_end_matches('/').rsplit('/').next().unwrap_or(text)
}

/// `office365` of `shared_office365_1`, `office365-2`, `office365_#workflowname#`.
fn plain(name: &str) -> String {
    let name = name.to_lowercase();
    let name = name.strip_prefix("shared_").unwrap_or(&name);
    let name = name.split("_#").next().unwrap_or(name);
    let name = name.strip_suffix("-connection").unwrap_or(name);
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let bare = bare.strip_suffix(['-', '_']).filter(|_| bare.len() < name.len()).unwrap_or(name);
    bare.to_owned()
}

/// An operation by method and path: the path as it stands, its last literal part, or the method alone.
fn by_path(service: String, action: &Action<'_>, services: &Services) -> Called {
    let text = |path: &[&str]| action.text(path).map(|t| t.to_lowercase());
    let paths: [&[&str]; 4] = [
        &["inputs", "path"],
        &["inputs", "pathTemplate", "template"],
        &["inputs", "subscribe", "pathTemplate", "template"],
        &["inputs", "subscribe", "path"],
    ];
    let path = literal_path(&paths.iter().find_map(|p| text(p)).unwrap_or_default());
    let method = text(&["inputs", "method"]);
    let default = if action.is_trigger { "on" } else { "post" };
    let method = method.unwrap_or_else(|| if action.is_trigger { "on".to_owned() } else { default.to_owned() });
    let method = if action.is_trigger { "on".to_owned() } else { method };
    let last = path.split('/').rfind(|part| !part.is_empty() && !part.contains('{')).unwrap_or_default();
    let whole = format!("{method} {path}");
    let candidates = [whole.clone(), format!("{method} {last}")];
    let known = candidates.into_iter().find(|operation| services.has(&service, operation));
    Called { operation: known.unwrap_or(whole), service }
}

/// A path in which each expression is `{}`.
fn literal_path(path: &str) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once("@{") {
        out.push_str(before);
        out.push_str("{}");
        let mut depth = 1_usize;
        let end = after.char_indices().find(|(_, c)| {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        rest = end.and_then(|(at, _)| after.get(at + 1..)).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_connection_tells_its_connector() {
        for (name, connector) in [
            ("shared_office365_1", "office365"),
            ("office365-2", "office365"),
            ("office365", "office365"),
            ("teams_#workflowname#", "teams"),
            ("azureopenai-2", "azureopenai"),
            ("cosmosdb-connection_#workflowname#", "cosmosdb"),
        ] {
            assert_eq!(plain(name), connector, "{name}");
        }
        assert_eq!(literal_path("/a/@{f('{x}')}/b/@{g()}"), "/a/{}/b/{}");
    }
}
