//! How an operation is called: the `request` of an action.
//!
//! Every declared argument must have exactly one place, and every place a declared argument: what the gate
//! judges and what is sent must be the same things.

mod files;

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::Argument;
use crate::contract::codes::{BAD_PATTERN, BAD_STATEMENT, MISSING_REQUEST, PLACEMENT};
use crate::contract::connector::{HttpRequest, Placement, Request, Transport};
use crate::contract::principals::unknown;
use crate::contract::read::{Located, names, text};
use crate::diagnostic::Diagnostic;
use crate::document::{Data, Fields, Node};
use crate::label::Name;
use crate::text::Span;

const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/// What a reader of requests needs to know of its action.
struct Action<'a> {
    declared: &'a BTreeSet<Name>,
    arguments: &'a mut BTreeMap<Name, Located<Argument>>,
}

pub(super) fn read(
    node: Option<&Node>,
    action: Span,
    transport: Option<&Transport>,
    declared: &BTreeSet<Name>,
    arguments: &mut BTreeMap<Name, Located<Argument>>,
    out: &mut Vec<Diagnostic>,
) -> Option<Located<Request>> {
    let transport = transport?;
    let Some(node) = node else {
        out.push(MISSING_REQUEST.at(action, "the action has no `request`"));
        return None;
    };
    let mut fields = Fields::of(node, "a request", out)?;
    let mut cx = Action { declared, arguments };
    let request = match transport {
        Transport::Http(_) | Transport::Model { .. } => cx.http(&mut fields, node, out),
        Transport::Sql { .. } => cx.sql(&mut fields, out),
        Transport::Files { format, .. } => cx.files(&mut fields, node.span, *format, out),
        Transport::Mcp(_) => fields
            .required("tool", out)
            .and_then(|n| text(n, "tool", out))
            .map(|name| Request::Tool { name: name.value }),
    };
    fields.finish(out);
    if let Some(request) = &request {
        check_secrets(transport, request, cx.arguments, out);
    }
    request.map(|request| Located::new(request, node.span))
}

/// Addresses are logged everywhere, models repeat what they are told, and databases and files keep it.
fn check_secrets(
    transport: &Transport,
    request: &Request,
    arguments: &BTreeMap<Name, Located<Argument>>,
    out: &mut Vec<Diagnostic>,
) {
    for (name, argument) in arguments.iter().filter(|(_, argument)| argument.value.secret.is_some()) {
        let place = match request {
            Request::Http(http) => http.placement.get(name),
            Request::Sql { .. } | Request::Files { .. } | Request::Tool { .. } => None,
        };
        let fits = match place {
            Some(Placement::Header(_)) => true,
            Some(Placement::Body) => matches!(transport, Transport::Http(_)),
            Some(Placement::Path | Placement::Query | Placement::WholeBody) | None => false,
        };
        if !fits {
            let message = format!("the secret of `{name}` may fill a header, or a field of a body that no model reads");
            out.push(PLACEMENT.at(argument.span, message));
        }
    }
}

impl Action<'_> {
    fn http(&mut self, fields: &mut Fields<'_>, node: &Node, out: &mut Vec<Diagnostic>) -> Option<Request> {
        let methods = METHODS.map(|method| (method, method));
        let method = fields.required("method", out).and_then(|n| n.expect_word("method", &methods, out));
        let path = fields.required("path", out).and_then(|n| text(n, "path", out));
        let path = path.filter(|path| check_path(path, out));
        let mut placement = Places::default();
        for parameter in path.iter().flat_map(|path| parameters(&path.value)) {
            let span = path.as_ref().map_or(node.span, |p| p.span);
            self.place(&mut placement, &Located::new(parameter.into(), span), Placement::Path, out);
        }
        for name in names(fields.optional("query"), "query", out) {
            self.place(&mut placement, &name, Placement::Query, out);
        }
        for entry in fields.optional("headers").and_then(|n| n.expect_map("headers", out)).unwrap_or_default() {
            if let Some(name) = text(&entry.value, "headers", out) {
                if is_header(&entry.key) {
                    self.place(&mut placement, &name, Placement::Header(entry.key.clone()), out);
                } else {
                    let message = format!("`{}` is no header that an argument may fill", entry.key);
                    out.push(PLACEMENT.at(entry.key_span, message));
                }
            }
        }
        if let Some(body) = fields.optional("body") {
            match &body.value {
                Data::Text(_) => {
                    if let Some(name) = text(body, "body", out) {
                        self.place(&mut placement, &name, Placement::WholeBody, out);
                    }
                }
                _ => {
                    for name in names(Some(body), "body", out) {
                        self.place(&mut placement, &name, Placement::Body, out);
                    }
                }
            }
        }
        let (method, path) = (method?, path?);
        self.place_the_rest(&mut placement, method, out);
        self.require_path_arguments(&placement.0);
        let has_body = placement.0.values().any(|p| matches!(p, Placement::Body | Placement::WholeBody));
        if has_body && matches!(method, "GET" | "HEAD") {
            out.push(PLACEMENT.at(node.span, format!("`{method}` has no body")));
        }
        Some(Request::Http(HttpRequest { method: method.into(), path: path.value, placement: placement.0 }))
    }

    /// The default place of an argument that none was given: query where there is no body, else body.
    fn place_the_rest(&self, placement: &mut Places, method: &str, out: &mut Vec<Diagnostic>) {
        let default = if matches!(method, "GET" | "HEAD" | "DELETE") { Placement::Query } else { Placement::Body };
        let whole = placement.0.values().any(|p| *p == Placement::WholeBody);
        for (name, argument) in self.arguments.iter() {
            if placement.0.contains_key(name) {
                continue;
            }
            if whole && default == Placement::Body {
                let message = format!("`{name}` has no place: the whole body is another argument");
                out.push(PLACEMENT.at(argument.span, message));
            } else {
                placement.0.insert(name.clone(), default.clone());
            }
        }
        let fields = placement.0.values().any(|p| *p == Placement::Body);
        if whole
            && fields
            && let Some((name, argument)) =
                self.arguments.iter().find(|(name, _)| placement.0.get(*name) == Some(&Placement::Body))
        {
            let message = format!("`{name}` is a field of a body that is another argument as a whole");
            out.push(PLACEMENT.at(argument.span, message));
        }
    }

    fn require_path_arguments(&mut self, placement: &BTreeMap<Name, Placement>) {
        for name in placement.iter().filter(|(_, p)| **p == Placement::Path).map(|(name, _)| name) {
            if let Some(argument) = self.arguments.get_mut(name) {
                argument.value.required = true;
            }
        }
    }

    fn place(&self, placement: &mut Places, name: &Located<Name>, place: Placement, out: &mut Vec<Diagnostic>) {
        if !self.declared.contains(&name.value) {
            let ids = self.declared.iter().map(AsRef::as_ref);
            out.push(PLACEMENT.at(name.span, unknown(&name.value, "is not an argument of this action", ids)));
        } else if placement.0.insert(name.value.clone(), place).is_some() {
            out.push(PLACEMENT.at(name.span, format!("`{}` has two places", name.value)));
        }
    }

    fn sql(&mut self, fields: &mut Fields<'_>, out: &mut Vec<Diagnostic>) -> Option<Request> {
        let statement = fields.required("statement", out).and_then(|n| text(n, "statement", out))?;
        match statement_parameters(&statement.value) {
            Ok(parameters) => self.match_parameters(&parameters, statement.span, "the statement", out),
            Err(why) => out.push(BAD_STATEMENT.at(statement.span, why)),
        }
        Some(Request::Sql { statement: statement.value })
    }

    fn match_parameters(&self, found: &BTreeSet<&str>, span: Span, whose: &str, out: &mut Vec<Diagnostic>) {
        for parameter in found.iter().filter(|p| !self.declared.contains(**p)) {
            let ids = self.declared.iter().map(AsRef::as_ref);
            out.push(PLACEMENT.at(span, unknown(parameter, "is not an argument of this action", ids)));
        }
        for (name, argument) in self.arguments.iter().filter(|(name, _)| !found.contains(name.as_ref())) {
            out.push(PLACEMENT.at(argument.span, format!("`{name}` has no place in {whose}")));
        }
    }
}

#[derive(Default)]
struct Places(BTreeMap<Name, Placement>);

/// A header that carries data, not one that frames the message, routes it or authenticates.
fn is_header(name: &str) -> bool {
    const RESERVED: [&str; 9] = [
        "authorization",
        "connection",
        "content-length",
        "cookie",
        "host",
        "proxy-authorization",
        "te",
        "transfer-encoding",
        "upgrade",
    ];
    let token = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    token && !RESERVED.contains(&name.to_ascii_lowercase().as_str())
}

fn check_path(path: &Located<Name>, out: &mut Vec<Diagnostic>) -> bool {
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '\\' | '%');
    let whole = |s: &str| {
        let inner = s.strip_prefix('{').and_then(|s| s.strip_suffix('}'));
        inner.map_or(!s.contains(['{', '}']), |name| !name.is_empty() && !name.contains(['{', '}']))
    };
    let mut segments = path.value.split('/');
    let fits = segments.next() == Some("")
        && path.value.chars().all(plain)
        && segments.all(|s| whole(s) && !matches!(s, "." | ".."));
    if !fits {
        let message =
            format!("`path` is `{}`: it must be `/segments` in which `{{argument}}` is a whole one", path.value);
        out.push(BAD_PATTERN.at(path.span, message));
    }
    fits
}

/// Arguments of a path template: whole segments.
fn parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|s| s.strip_prefix('{')?.strip_suffix('}'))
}

/// `:name` parameters of one statement, outside quotes and comments.
fn statement_parameters(statement: &str) -> Result<BTreeSet<&str>, &'static str> {
    let (mut found, mut rest) = (BTreeSet::new(), statement);
    while let Some(at) = rest.find([':', '\'', '"', '`', '[', ';', '-', '/', '?', '@', '$']) {
        let (tail, after) = (rest.get(at..).unwrap_or_default(), rest.get(at + 1..).unwrap_or_default());
        let closing = |close: char| after.split_once(close).map(|(_, rest)| rest).ok_or("a quote is never closed");
        rest = match tail.as_bytes().first() {
            Some(b'\'') => closing('\'')?,
            Some(b'"') => closing('"')?,
            Some(b'`') => closing('`')?,
            Some(b'[') => closing(']')?,
            Some(b';') if !after.trim().is_empty() => return Err("it holds more than one statement"),
            Some(b'-') if after.starts_with('-') => return Err("comments are not read: they can hide a statement"),
            Some(b'/') if after.starts_with('*') => return Err("comments are not read: they can hide a statement"),
            Some(b'?' | b'@' | b'$') => return Err("parameters are written `:name`"),
            Some(b':') => {
                let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
                match after.split_at_checked(end) {
                    Some((name, rest)) if !name.is_empty() => {
                        found.insert(name);
                        rest
                    }
                    _ => after,
                }
            }
            _ => after,
        };
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_a_statement_are_found_outside_quotes_only() {
        let found = |s| statement_parameters(s).map(|p| p.into_iter().collect::<Vec<_>>());
        assert_eq!(
            found("SELECT a - b, ':no', \"x:y\" FROM t WHERE id = :id AND n > :min_n;"),
            Ok(vec!["id", "min_n"])
        );
        assert_eq!(found("SELECT 1; DROP TABLE t"), Err("it holds more than one statement"));
        assert_eq!(found("SELECT 'x"), Err("a quote is never closed"));
        assert!(found("SELECT 1 -- :x").is_err() && found("SELECT /* */ 1").is_err() && found("SELECT ?1").is_err());
    }
}
