//! Reads a contract file. Every error at once; a key that nothing reads is an error.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::{Argument, CallLimits, Idempotency, Pattern, ReplyRule};
use crate::contract::codes::{BAD_BASE, BAD_PLACE, CONTRADICTION, EMPTY_LIST, MISPLACED, MODEL_CLAIM};
use crate::contract::connector::{
    ActionContract, Contract, Credential, DestinationRule, FileFormat, HttpTransport, McpTransport, Output, Shown,
    Transport, Trust, Undeclared, Variable,
};
use crate::contract::digest::Digest;
use crate::contract::principals::description;
use crate::contract::read::{Located, bytes, check_id, id, is_variable, millis, names, only, pattern, text, version};
use crate::contract::request;
use crate::contract::sandbox::sandbox;
use crate::contract::ticket::ticket;
use crate::diagnostic::Diagnostic;
use crate::document::{self, Data, Entry, Fields, Node};
use crate::gate::{Effect, Role};
use crate::label::Name;
use crate::text::Text;

/// What can be said of a contract file: the contract as far as it could be read, and what is wrong.
pub(super) type Parsed = (Option<Contract>, Vec<Diagnostic>);

impl Contract {
    /// Reads a contract on its own; references to registers are checked by [`crate::contract::resolve`].
    ///
    /// # Errors
    /// Everything that is wrong with the text: `SL1xx` where it is no YAML or has unknown, missing or mistyped
    /// keys, `SL7xx` where what it says cannot be meant.
    pub fn parse(text: &Text) -> Result<Self, Vec<Diagnostic>> {
        match read(text) {
            (Some(contract), out) if out.is_empty() => Ok(contract),
            (_, out) => Err(out),
        }
    }
}

pub(super) fn read(text: &Text) -> Parsed {
    let node = match document::read(text) {
        Ok(node) => node,
        Err(out) => return (None, out),
    };
    let mut out = Vec::new();
    let contract = Fields::of(&node, "a contract", &mut out).and_then(|fields| contract(text, fields, &mut out));
    (contract, out)
}

fn contract(file: &Text, mut fields: Fields<'_>, out: &mut Vec<Diagnostic>) -> Option<Contract> {
    if !version(&mut fields, out) {
        return None;
    }
    let connector = fields.required("connector", out).and_then(|n| id(n, "connector", out));
    let named = connector.as_ref().map(|c| c.value.clone()).unwrap_or_default();
    let transport = fields.required("transport", out).and_then(|n| transport(n, &named, out));
    let credential = fields.optional("credential").and_then(|n| credential(n, out));
    let region = fields.optional("region").and_then(|n| id(n, "region", out));
    let owner = fields.optional("owner").and_then(|n| id(n, "owner", out));
    let entries = fields.required("actions", out).and_then(|n| n.expect_map("actions", out)).unwrap_or_default();
    let actions = entries.iter().filter_map(|e| Some((e.key.clone(), action(e, transport.as_ref(), out)?))).collect();
    fields.finish(out);
    Some(Contract {
        file: file.name.clone(),
        digest: Digest::of(file.content.as_bytes()),
        connector: connector?,
        transport: transport?,
        credential,
        region,
        owner,
        actions,
    })
}

fn transport(node: &Node, connector: &Name, out: &mut Vec<Diagnostic>) -> Option<Transport> {
    let mut fields = Fields::of(node, "a transport", out)?;
    let http = fields.optional("http");
    let sql = fields.optional("sql");
    let files = fields.optional("files");
    let model = fields.optional("model");
    let mcp = fields.optional("mcp");
    fields.finish(out);
    match (http, sql, files, model, mcp) {
        (None, None, None, None, Some(node)) => mcp_transport(node, out).map(Transport::Mcp),
        (Some(node), None, None, None, None) => {
            let mut fields = Fields::of(node, "an http transport", out)?;
            let http = http_transport(&mut fields, out);
            fields.finish(out);
            http.map(Transport::Http)
        }
        (None, Some(node), None, None, None) => {
            let mut fields = Fields::of(node, "an sql transport", out)?;
            let database = fields.required("database", out).and_then(|n| id(n, "database", out));
            fields.finish(out);
            Some(Transport::Sql { database: database?.value })
        }
        (None, None, Some(node), None, None) => files_transport(node, out),
        (None, None, None, Some(node), None) => {
            let mut fields = Fields::of(node, "a model transport", out)?;
            let name = fields.optional("name").map_or(Some(connector.clone()), |n| Some(id(n, "name", out)?.value));
            let http = http_transport(&mut fields, out);
            fields.finish(out);
            Some(Transport::Model { name: name?, http: http? })
        }
        _ => {
            let message = "a transport is exactly one of `http`, `sql`, `files`, `model` and `mcp`";
            out.push(CONTRADICTION.at(node.span, message));
            None
        }
    }
}

fn http_transport(fields: &mut Fields<'_>, out: &mut Vec<Diagnostic>) -> Option<HttpTransport> {
    let allow_private = fields.optional("allow_private").map_or(Some(false), |n| n.expect_bool("allow_private", out));
    let pin = fields.optional("pin").map_or(Some(None), |n| pin(n, out).map(Some));
    let base = fields.required("base", out).and_then(|n| text(n, "base", out));
    let base = base.and_then(|written| base_url("base", written, allow_private == Some(true), out));
    Some(HttpTransport { base: base?, pin: pin?, allow_private: allow_private? })
}

fn pin(node: &Node, out: &mut Vec<Diagnostic>) -> Option<Digest> {
    let text = node.expect_text("pin", out)?;
    let digest = text.strip_prefix("sha256:").and_then(Digest::parse);
    if digest.is_none() {
        out.push(BAD_PLACE.at(node.span, "`pin` must be `sha256:` and 64 lower-case hexadecimal digits"));
    }
    digest
}

/// A base without anything that two readers could take for different hosts.
fn base_url(key: &str, written: Located<Name>, private: bool, out: &mut Vec<Diagnostic>) -> Option<Located<Name>> {
    let Located { value: url, span } = written;
    let mut refuse = |why: &str| {
        out.push(BAD_BASE.at(span, format!("`{key}` is `{url}`: {why}")));
        None
    };
    let (rest, default_port) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (rest, "443"),
        (None, Some(rest)) if private => (rest, "80"),
        (None, Some(_)) => return refuse("plain `http` reaches private addresses only"),
        (None, None) => return refuse("it is no `https` address"),
    };
    let (authority, path) = rest.split_once('/').map_or((rest, ""), |(host, path)| (host, path));
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '@' | '\\' | '{' | '}' | '%');
    if !url.chars().all(plain) {
        return refuse("it holds more than scheme, host, port and path");
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if host.is_empty() || host.chars().any(|c| c.is_ascii_uppercase()) {
        return refuse("the host must be there, in lower case");
    }
    if port.is_some_and(|port| port.parse::<u16>().is_err() || port.starts_with('0') || port == default_port) {
        return refuse("the port must be a number other than the scheme's own");
    }
    if path.split('/').any(|segment| matches!(segment, "." | "..")) || path.contains("//") {
        return refuse("the path holds empty or dot segments");
    }
    Some(Located::new(url.trim_end_matches('/').into(), span))
}

fn mcp_transport(node: &Node, out: &mut Vec<Diagnostic>) -> Option<McpTransport> {
    let mut fields = Fields::of(node, "an mcp transport", out)?;
    if let Some(url) = fields.optional("url") {
        return mcp_url(fields, url, out);
    }
    let written = fields.required("command", out);
    let command: Vec<Name> = names(written, "command", out).into_iter().map(|word| word.value).collect();
    if let Some(node) = written.filter(|node| matches!(&node.value, Data::List(items) if items.is_empty())) {
        out.push(EMPTY_LIST.at(node.span, "`command` names no program"));
    }
    let given = fields.optional("environment").and_then(|n| n.expect_map("environment", out)).unwrap_or_default();
    let environment = given.iter().filter_map(|e| Some((e.key.clone(), variable(e, out)?))).collect();
    let sandbox = fields.optional("sandbox").map(|n| sandbox(n, out));
    fields.finish(out);
    Some(McpTransport::Command { command, environment, sandbox: sandbox.map_or(Some(None), |read| read.map(Some))? })
}

fn mcp_url(mut fields: Fields<'_>, url: &Node, out: &mut Vec<Diagnostic>) -> Option<McpTransport> {
    let allow_private = fields.optional("allow_private").map_or(Some(false), |n| n.expect_bool("allow_private", out));
    let pin = fields.optional("pin").map_or(Some(None), |n| pin(n, out).map(Some));
    let base = text(url, "url", out).and_then(|written| base_url("url", written, allow_private == Some(true), out));
    let given = fields.optional("headers").and_then(|n| n.expect_map("headers", out)).unwrap_or_default();
    let headers = given.iter().filter_map(|e| Some((e.key.clone(), shown(e, out)?))).collect();
    fields.finish(out);
    let http = HttpTransport { base: base?, pin: pin?, allow_private: allow_private? };
    Some(McpTransport::Url { http, headers })
}

/// Headers that frame a message, route it, or are the protocol's own: the gateway sets them, or nobody.
const OWN_HEADERS: [&str; 14] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "last-event-id",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

fn shown(entry: &Entry, out: &mut Vec<Diagnostic>) -> Option<Shown> {
    let name = entry.key.to_ascii_lowercase();
    let is_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let is_own = OWN_HEADERS.contains(&name.as_str())
        || [
            "mcp-",
            "proxy-",
            "sec-",
            "x-sluice",
            "x-forwarded",
            "x-http-method",
            "x-original",
            "x-rewrite",
            "forwarded",
            "keep-alive",
        ]
        .iter()
        .any(|prefix| name.starts_with(prefix));
    if name.is_empty() || !name.chars().all(is_token) || is_own {
        let message = format!("`{}` is no header that a contract sets", entry.key);
        out.push(BAD_PLACE.at(entry.key_span, message));
        return None;
    }
    if let Data::Text(text) = &entry.value.value {
        let lets_in = matches!(name.as_str(), "authorization" | "cookie");
        if lets_in || !text.chars().all(|c| c == ' ' || c.is_ascii_graphic()) {
            let message =
                format!("what `{}` shows is a secret of the store, or plain text that lets nobody in", entry.key);
            out.push(CONTRADICTION.at(entry.value.span, message));
            return None;
        }
        return Some(Shown::Text(text.clone()));
    }
    let mut fields = Fields::of(&entry.value, "a header", out)?;
    let secret = fields.required("secret", out).and_then(|n| id(n, "secret", out));
    fields.finish(out);
    Some(Shown::Secret(secret?.value))
}

fn variable(entry: &Entry, out: &mut Vec<Diagnostic>) -> Option<Variable> {
    let name = &entry.key;
    if !is_variable(name) {
        out.push(BAD_PLACE.at(entry.key_span, format!("`{name}` is no name of a variable")));
        return None;
    }
    if let Data::Text(text) = &entry.value.value {
        return Some(Variable::Text(text.clone()));
    }
    let mut fields = Fields::of(&entry.value, "a variable", out)?;
    let secret = fields.optional("secret").map(|n| id(n, "secret", out).map(|s| Variable::Secret(s.value)));
    let inherit = fields.optional("inherit").map(|n| n.expect_bool("inherit", out));
    fields.finish(out);
    match (secret, inherit) {
        (Some(secret), None) => secret,
        (None, Some(Some(true))) => Some(Variable::Inherited),
        (None, Some(None)) => None,
        _ => {
            out.push(
                CONTRADICTION.at(entry.value.span, "a variable is a text, or one of `secret` and `inherit: true`"),
            );
            None
        }
    }
}

fn files_transport(node: &Node, out: &mut Vec<Diagnostic>) -> Option<Transport> {
    let mut fields = Fields::of(node, "a files transport", out)?;
    let folder = fields.required("folder", out).and_then(|n| {
        let folder = text(n, "folder", out)?;
        let inside = folder.value.split('/').all(|s| !matches!(s, "" | "." | "..")) && !folder.value.contains('\\');
        if !inside {
            out.push(BAD_PLACE.at(n.span, "`folder` must be a plain path inside the workspace"));
        }
        inside.then_some(folder.value)
    });
    let formats = [("csv", FileFormat::Csv), ("jsonl", FileFormat::JsonLines)];
    let format = fields.required("format", out).and_then(|n| n.expect_word("format", &formats, out));
    fields.finish(out);
    Some(Transport::Files { folder: folder?, format: format? })
}

fn credential(node: &Node, out: &mut Vec<Diagnostic>) -> Option<Credential> {
    let mut fields = Fields::of(node, "a credential", out)?;
    let secret = fields.required("secret", out).and_then(|n| id(n, "secret", out));
    let scopes = names(fields.optional("scopes"), "scopes", out).into_iter().map(|s| s.value).collect();
    fields.finish(out);
    Some(Credential { secret: secret?, scopes })
}

fn action(entry: &Entry, transport: Option<&Transport>, out: &mut Vec<Diagnostic>) -> Option<ActionContract> {
    let mut fields = Fields::of(&entry.value, "an action", out)?;
    let is_id = check_id(&entry.key, entry.key_span, out);
    let effects = Effect::ALL.map(|effect| (effect.name(), effect));
    let effect = fields.required("effect", out).and_then(|n| n.expect_word("effect", &effects, out));
    let privileged = fields.optional("privileged").map(|n| (n.span, n.expect_bool("privileged", out)));
    let given = fields.optional("arguments").and_then(|n| n.expect_map("arguments", out)).unwrap_or_default();
    let mut arguments: BTreeMap<Name, Located<Argument>> =
        given.iter().filter_map(|e| Some((e.key.clone(), Located::new(argument(e, out)?, e.key_span)))).collect();
    // A broken argument is named all the same: its placement is not a second error.
    let declared: BTreeSet<Name> = given.iter().map(|e| e.key.clone()).collect();
    let request_node = fields.optional("request");
    let request = request::read(request_node, entry.key_span, transport, &declared, &mut arguments, out);
    let idempotency = fields.optional("idempotency").and_then(|n| idempotency(n, out));
    let output = fields.optional("output").and_then(|n| output(n, transport, out));
    let destination = fields.optional("destination").and_then(|n| destination(n, out));
    let limits = fields.optional("limits").map_or_else(CallLimits::default, |n| limits(n, out));
    let ticket = fields.optional("ticket").and_then(|n| ticket(n, out));
    let description = description(&mut fields, "description", out);
    fields.finish(out);
    // One that cannot be read is a problem already; its other keys are checked all the same.
    let effect = effect.unwrap_or(Effect::Read);
    let privileged = match privileged {
        Some((span, Some(false))) if effect.is_privileged() => {
            out.push(CONTRADICTION.at(span, format!("`{effect}` is privileged by what it does")));
            true
        }
        Some((_, said)) => said.unwrap_or(true) || effect.is_privileged(),
        None => effect.is_privileged(),
    };
    is_id.then(|| ActionContract {
        effect,
        privileged,
        request,
        idempotency: idempotency.unwrap_or_else(|| Located::new(default_idempotency(effect), entry.key_span)),
        arguments,
        output: output.unwrap_or_default(),
        destination,
        limits,
        ticket,
        description,
        span: entry.key_span,
    })
}

/// A repeated read changes nothing; of anything else nothing is known.
const fn default_idempotency(effect: Effect) -> Idempotency {
    match effect {
        Effect::Read => Idempotency::Natural,
        _ => Idempotency::None,
    }
}

fn argument(entry: &Entry, out: &mut Vec<Diagnostic>) -> Option<Argument> {
    let mut fields = Fields::of(&entry.value, "an argument", out)?;
    let is_id = check_id(&entry.key, entry.key_span, out);
    let roles = Role::ALL.map(|role| (role.name(), role));
    let role = fields.optional("role").map_or(Some(None), |n| n.expect_word("role", &roles, out).map(Some));
    let required = fields.optional("required").map_or(Some(false), |n| n.expect_bool("required", out));
    let allow = fields.optional("allow").map(|n| {
        let allowed: BTreeSet<Name> = names(Some(n), "allow", out).into_iter().map(|a| a.value).collect();
        if matches!(&n.value, Data::List(items) if items.is_empty()) {
            out.push(EMPTY_LIST.at(n.span, "`allow` lists nothing"));
        }
        allowed
    });
    let resolve = fields.optional("resolve").map_or(Some(None), |n| Some(Some(id(n, "resolve", out)?.value)));
    let reference = fields.optional("reference").map_or(Some(None), |n| Some(Some(id(n, "reference", out)?.value)));
    let version = fields.optional("version").map_or(Some(None), |n| Some(Some(id(n, "version", out)?.value)));
    let secret = fields.optional("secret").map_or(Some(None), |n| Some(Some(id(n, "secret", out)?.value)));
    if fields.has("secret")
        && let Some(key) = ["role", "allow", "resolve", "reference", "version"].into_iter().find(|key| fields.has(key))
    {
        let message = format!("an argument that a secret fills has no value of its own, and so no `{key}`");
        out.push(CONTRADICTION.at(entry.key_span, message));
    }
    fields.finish(out);
    is_id.then_some(Argument {
        role: role?,
        required: required?,
        allow,
        reference: reference?,
        version: version?,
        resolve: resolve?,
        secret: secret?,
        usage: None,
    })
}

fn idempotency(node: &Node, out: &mut Vec<Diagnostic>) -> Option<Located<Idempotency>> {
    let found = if let Data::Map(_) = node.value {
        let mut fields = Fields::of(node, "idempotency", out)?;
        let key = fields.optional("key").map(|n| text(n, "key", out).map(|k| Idempotency::Key(k.value)));
        let lookup = fields.optional("lookup").map(|n| text(n, "lookup", out).map(|k| Idempotency::Lookup(k.value)));
        fields.finish(out);
        match (key, lookup) {
            (Some(key), None) => key,
            (None, Some(lookup)) => lookup,
            _ => {
                out.push(CONTRADICTION.at(node.span, "`idempotency` is exactly one of `key` and `lookup`"));
                None
            }
        }
    } else {
        let words = [("natural", Idempotency::Natural), ("none", Idempotency::None)];
        let words: Vec<(&str, &Idempotency)> = words.iter().map(|(word, kind)| (*word, kind)).collect();
        node.expect_word("idempotency", &words, out).cloned()
    };
    found.map(|value| Located::new(value, node.span))
}

fn output(node: &Node, transport: Option<&Transport>, out: &mut Vec<Diagnostic>) -> Option<Output> {
    let mut fields = Fields::of(node, "an output", out)?;
    let rules = [("echo", ReplyRule::Echo), ("replace", ReplyRule::Replace), ("merge", ReplyRule::Merge)];
    let from_node = fields.optional("from");
    let from = from_node.map_or(Some(ReplyRule::Merge), |n| n.expect_word("from", &rules, out));
    let trusts = [("trusted", Trust::Trusted), ("origin", Trust::Origin)];
    let trust = by_path(fields.optional("trust"), "trust", out, |n, out| n.expect_word("trust", &trusts, out));
    let dataset = fields.optional("dataset").and_then(|n| id(n, "dataset", out));
    let labels = by_path(fields.optional("labels"), "labels", out, |n, out| {
        n.expect_list("labels", out)?;
        Some(names(Some(n), "labels", out))
    });
    let subject = fields.optional("subject").and_then(|n| pattern(&n.expect_text("subject", out)?, n.span, out));
    let regions = only(fields.optional("regions"), "regions", out);
    let purposes = only(fields.optional("purposes"), "purposes", out);
    let words = [("stop", Undeclared::Stops), ("raise", Undeclared::Raises)];
    let undeclared = fields.optional("undeclared").and_then(|n| n.expect_word("undeclared", &words, out));
    if let Some(Transport::Model { .. }) = transport {
        refuse_claims(&fields, node, from_node, from, &trust, out);
    }
    fields.finish(out);
    let undeclared = undeclared.unwrap_or_default();
    Some(Output { from: from?, trust, dataset, labels, subject, regions, purposes, undeclared })
}

/// A model repeats what it was told and says what it likes: a contract that claims otherwise is wrong.
fn refuse_claims(
    fields: &Fields<'_>,
    node: &Node,
    from_node: Option<&Node>,
    from: Option<ReplyRule>,
    trust: &[(Pattern, Trust)],
    out: &mut Vec<Diagnostic>,
) {
    if from == Some(ReplyRule::Replace) {
        let span = from_node.map_or(node.span, |n| n.span);
        out.push(MODEL_CLAIM.at(span, "a model's reply cannot `replace` its prompt"));
    }
    if trust.iter().any(|(_, trust)| *trust == Trust::Trusted) {
        let span = node.get("trust").map_or(node.span, |n| n.span);
        out.push(MODEL_CLAIM.at(span, "a model's reply cannot be `trusted`"));
    }
    if fields.has("dataset") {
        let span = node.get("dataset").map_or(node.span, |n| n.span);
        out.push(MISPLACED.at(span, "a model keeps no dataset"));
    }
}

/// A map from path patterns to something.
fn by_path<T>(
    node: Option<&Node>,
    what: &str,
    out: &mut Vec<Diagnostic>,
    mut read: impl FnMut(&Node, &mut Vec<Diagnostic>) -> Option<T>,
) -> Vec<(Pattern, T)> {
    let Some(entries) = node.and_then(|n| n.expect_map(what, out)) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries {
        let pattern = pattern(&entry.key, entry.key_span, out);
        if let (Some(pattern), Some(value)) = (pattern, read(&entry.value, out)) {
            found.push((pattern, value));
        }
    }
    found
}

fn destination(node: &Node, out: &mut Vec<Diagnostic>) -> Option<DestinationRule> {
    if let Data::Map(_) = node.value {
        let mut fields = Fields::of(node, "a destination", out)?;
        let argument = fields.required("argument", out).and_then(|n| text(n, "argument", out));
        fields.finish(out);
        return argument.map(DestinationRule::Argument);
    }
    id(node, "destination", out).map(DestinationRule::Fixed)
}

fn limits(node: &Node, out: &mut Vec<Diagnostic>) -> CallLimits {
    let Some(mut fields) = Fields::of(node, "limits", out) else { return CallLimits::default() };
    let per_hour = fields.optional("per_hour").and_then(|n| n.expect_count("per_hour", out));
    let bytes = fields.optional("bytes").and_then(|n| bytes(n, "bytes", out));
    let timeout_ms = fields.optional("timeout").and_then(|n| millis(n, "timeout", out));
    fields.finish(out);
    CallLimits { per_hour, bytes, timeout_ms }
}
