//! HTTP requests: a contract per method and path of a host that the text names.

use sluice_core::catalogue::Usage;
use sluice_core::document::Data;

use super::super::effects::fixed_host;
use super::super::parameters::{Leaf, at, is_expression, leaves, text_at};

use super::node::Follows;
use super::{Refused, State, Writer};
use crate::native::{ActionDraft, Piece, Reached, Sending, Task, Value, slug};
use crate::refusal;

/// Where the arguments of a request go.
#[derive(Default)]
struct Request {
    sending: Sending,
    path: String,
    query: std::collections::BTreeSet<String>,
    headers: std::collections::BTreeMap<String, String>,
    body: Option<String>,
    has_credential: bool,
}

impl<'t> Writer<'_, 't> {
    pub(super) fn http(&mut self, i: usize, state: &State, out: &mut Vec<Task>) -> Result<Follows, Refused> {
        let Some(node) = self.low.workflow.nodes.get(i) else { return Err(Refused) };
        let Some(known) = self.low.known.get(i).cloned() else { return Err(Refused) };
        let method =
            ["method", "requestMethod"].iter().find_map(|key| self.word(i, key)).unwrap_or_else(|| "GET".to_owned());
        let method = method.to_uppercase();
        if !["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].contains(&method.as_str()) {
            return Err(self.refuse(
                i,
                "a method that no contract has",
                "call it with a method that a contract can name",
            ));
        }
        let Some(host) = fixed_host(node) else {
            let what = "a request whose host is computed: a contract names one host";
            return Err(self.refuse(i, what, "write the host into the URL, and compute only what is behind it"));
        };
        self.options(i)?;
        let mut request = Request { has_credential: self.has_credential(i), ..Request::default() };
        let base = self.url(i, &host, state, &mut request)?;
        self.pairs(i, "query", state, &mut request)?;
        self.pairs(i, "header", state, &mut request)?;
        self.body(i, state, &method, &mut request)?;
        request.sending.told.powerful = self.low.is_powerful(i);
        let connector = slug(&host);
        let words: Vec<&str> = request.path.split('/').filter(|s| !s.is_empty() && !s.starts_with('{')).collect();
        let action = slug(&format!("{} {}", method.to_lowercase(), words.join(" ")));
        let draft = ActionDraft {
            method,
            path: request.path.clone(),
            query: request.query,
            headers: request.headers,
            body: request.body,
            ..self.draft(i, &known, known.effect, &request.sending)
        };
        if self.contracts.is_ambiguous(&connector, &draft) {
            let what = "a request to the method and path of another one, which differs from it in its data";
            return Err(self.refuse(i, what, "write one action that fits both, and call it twice"));
        }
        let call = self.contracts.add(&connector, &Reached::At(base), request.has_credential, &action, draft);
        self.call(i, call, request.sending, state, out)
    }

    /// What changes the request or its reply in ways that a contract does not say.
    fn options(&mut self, i: usize) -> Result<(), Refused> {
        const LOUD: [&str; 5] = ["pagination", "response", "batching", "proxy", "allowUnauthorizedCerts"];
        const QUIET: [&str; 6] =
            ["timeout", "redirect", "queryParameterArrays", "lowercaseHeaders", "splitIntoItems", "fullResponse"];
        let options = at(self.low.parameters(i), "options");
        let Some(Data::Map(entries)) = options.map(|o| &o.value) else { return Ok(()) };
        let mut refused = false;
        for entry in entries {
            let key = entry.key.as_ref();
            let is_json = key == "response"
                && leaves(Some(&entry.value)).iter().all(|leaf| {
                    let text = text_at(Some(&entry.value), &leaf.path);
                    matches!(
                        (leaf.key(), text.as_deref()),
                        ("responseFormat", Some("json" | "autodetect"))
                            | ("fullResponse" | "neverError", Some("false"))
                    )
                });
            if is_json || key == "batching" && leaves(Some(&entry.value)).is_empty() {
                continue;
            }
            if LOUD.contains(&key) || key == "fullResponse" {
                let message = format!("in `{}`, the option `{key}` has no equivalent", self.short(i));
                let info = &refusal::PARAMETER_WITHOUT_EQUIVALENT;
                self.gap(i, info, entry.key_span, message, info.help);
                refused = true;
            } else if QUIET.contains(&key) || !leaves(Some(&entry.value)).is_empty() {
                self.notes.push(format!("`{}`: the option `{key}` is not carried over", self.short(i)));
            }
        }
        if refused { Err(Refused) } else { Ok(()) }
    }

    /// The base of the host, and the path with its arguments.
    fn url(&mut self, i: usize, host: &str, state: &State, request: &mut Request) -> Result<String, Refused> {
        let Some(tree) = self.low.parameters(i).and_then(|p| p.get("url")) else { return Err(Refused) };
        let value = self.value(i, tree, false, state)?;
        let pieces = match value {
            Value::Constant(serde_json::Value::String(text)) => vec![Piece::Literal(text)],
            Value::Text(pieces) => pieces,
            _ => Vec::new(),
        };
        let (scheme, rest) = match pieces.first() {
            Some(Piece::Literal(first)) => first.trim_start().split_once("://").unwrap_or(("", "")),
            _ => ("", ""),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, behind) = rest.split_at_checked(end).unwrap_or_default();
        let private = scheme == "http";
        let names_it = authority.split(':').next().is_some_and(|name| name.eq_ignore_ascii_case(host));
        let plain = host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'));
        if !matches!(scheme, "https" | "http") || !names_it || !plain || authority.contains(['@', '%']) {
            return Err(self.refuse(i, "a URL that a contract cannot name", "write it as `https://host/path`"));
        }
        if private && !super::super::system::is_own(host) {
            return Err(self.refuse(
                i,
                "a request without TLS to a host that is not one's own",
                "call it with `https`",
            ));
        }
        let port =
            authority.split_once(':').map(|(_, port)| port).filter(|port| *port != if private { "80" } else { "443" });
        let mut rest: Vec<Piece> = vec![Piece::Literal(behind.to_owned())];
        rest.extend(pieces.iter().skip(1).cloned());
        self.place(i, &rest, request)?;
        Ok(format!("{scheme}://{host}{}", port.map(|port| format!(":{port}")).unwrap_or_default()))
    }

    /// What stands behind the host: segments of the path, and pairs of the query.
    fn place(&mut self, i: usize, pieces: &[Piece], request: &mut Request) -> Result<(), Refused> {
        let mut parts: Vec<(char, Vec<Piece>)> = vec![('/', Vec::new())];
        let mut query = false;
        for piece in pieces {
            let Piece::Literal(text) = piece else {
                if let Some((_, part)) = parts.last_mut() {
                    part.push(piece.clone());
                }
                continue;
            };
            for c in text.chars() {
                let cuts = match c {
                    '/' => !query,
                    '?' => !query,
                    '&' => query,
                    _ => false,
                };
                query |= c == '?';
                match parts.last_mut() {
                    _ if cuts => parts.push((c, Vec::new())),
                    Some((_, part)) => match part.last_mut() {
                        Some(Piece::Literal(known)) => known.push(c),
                        _ => part.push(Piece::Literal(c.to_string())),
                    },
                    None => {}
                }
            }
        }
        for (n, (kind, part)) in parts.into_iter().enumerate() {
            let is_query = matches!(kind, '?' | '&');
            match (is_query, n) {
                (false, 0) if part.is_empty() => {}
                (false, _) => self.segment(i, part, request)?,
                (true, _) => self.query_pair(i, part, request)?,
            }
        }
        if request.path.is_empty() {
            request.path.push('/');
        }
        Ok(())
    }

    fn segment(&mut self, i: usize, part: Vec<Piece>, request: &mut Request) -> Result<(), Refused> {
        request.path.push('/');
        match part.as_slice() {
            [] => {}
            [Piece::Literal(text)] => {
                let plain = text.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '#' | '\\' | '%' | '{' | '}'));
                if !plain || matches!(text.as_str(), "." | "..") {
                    return Err(self.refuse(
                        i,
                        "a path with characters that no contract has",
                        "give the path as plain segments",
                    ));
                }
                request.path.push_str(text);
            }
            _ => {
                let name = name_of(&part);
                let name = request.sending.add(&name, Some(Usage::Path), text(part));
                request.path.push_str(&format!("{{{name}}}"));
            }
        }
        Ok(())
    }

    fn query_pair(&mut self, i: usize, part: Vec<Piece>, request: &mut Request) -> Result<(), Refused> {
        let Some(Piece::Literal(first)) = part.first() else {
            if part.is_empty() {
                return Ok(());
            }
            return Err(self.refuse(i, "a query whose names are computed", "name each parameter of the query"));
        };
        let (name, rest) = first.split_once('=').unwrap_or((first.as_str(), ""));
        if name.contains(['%', '+', '#']) || rest.contains(['%', '+', '#']) || !is_id(name) {
            return Err(self.refuse(
                i,
                "a query with encoded characters, or names that no contract has",
                "give it as query parameters",
            ));
        }
        let mut pieces: Vec<Piece> = if rest.is_empty() { Vec::new() } else { vec![Piece::Literal(rest.to_owned())] };
        pieces.extend(part.iter().skip(1).cloned());
        let given = request.sending.add(name, Some(Usage::Path), text(pieces));
        self.queried(i, name, given, request)
    }

    /// A parameter of the query has the name of its argument.
    fn queried(&mut self, i: usize, name: &str, given: String, request: &mut Request) -> Result<(), Refused> {
        if given != name {
            return Err(self.refuse(
                i,
                "two arguments of one name, or a name that no contract has",
                "name each parameter once",
            ));
        }
        request.query.insert(given);
        Ok(())
    }

    /// `{name, value}` pairs of the query or the headers.
    fn pairs(&mut self, i: usize, what: &str, state: &State, request: &mut Request) -> Result<(), Refused> {
        let (is_sent, is_json) = match what {
            "query" => ("sendQuery", ["specifyQuery", "jsonQuery", "queryParametersJson"]),
            _ => ("sendHeaders", ["specifyHeaders", "jsonHeaders", "headerParametersJson"]),
        };
        let is_new = self.low.version(i) >= 3.0;
        if is_new && self.word(i, is_sent).is_none_or(|sent| sent != "true") {
            return Ok(());
        }
        let as_json = is_new && self.word(i, is_json[0]).is_some_and(|how| how == "json")
            || !is_new
                && self.word(i, "jsonParameters").is_some_and(|on| on == "true")
                && self.word(i, is_json[2]).is_some_and(|text| !text.trim().is_empty());
        if as_json {
            let words = format!("a {what} that is one JSON text");
            return Err(self.refuse(i, &words, "give it as pairs of names and values"));
        }
        for (name, leaf) in self.named(i, what)? {
            let usage = self.low.usage(i, &leaf).map(|usage| self.low.within_host(i, &leaf, usage));
            if what == "query" {
                let value = self.value(i, leaf.tree, false, state)?;
                let given = request.sending.add(&name, usage, value);
                self.queried(i, &name, given, request)?;
            } else {
                self.header(i, &name, &leaf, usage, state, request)?;
            }
        }
        Ok(())
    }

    fn header(
        &mut self,
        i: usize,
        name: &str,
        leaf: &Leaf<'_>,
        usage: Option<Usage>,
        state: &State,
        request: &mut Request,
    ) -> Result<(), Refused> {
        const FRAMES: [&str; 8] =
            ["content-type", "accept", "content-length", "host", "connection", "te", "transfer-encoding", "upgrade"];
        let lower = name.to_ascii_lowercase();
        let value = self.value(i, leaf.tree, false, state)?;
        let constant = matches!(value, Value::Constant(_));
        if matches!(lower.as_str(), "authorization" | "cookie" | "proxy-authorization") {
            if !constant {
                return Err(self.refuse(
                    i,
                    "a header of authentication that is computed",
                    "keep it as the connector's credential",
                ));
            }
            request.has_credential = true;
            self.notes.push(format!(
                "`{}`: the header `{name}` is not carried over; keep its value with `sluice secret set`, as the connector's credential",
                self.short(i)
            ));
            return Ok(());
        }
        if FRAMES.contains(&lower.as_str()) && constant {
            let is_json = matches!(&value, Value::Constant(json) if json.as_str().is_some_and(|v| v.contains("json") || v == "*/*"));
            if !is_json {
                self.notes.push(format!("`{}`: the header `{name}` is not carried over", self.short(i)));
            }
            return Ok(());
        }
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(self.refuse(i, "a header whose name no contract has", "name the header with letters and `-`"));
        }
        let given = request.sending.add(name, usage, value);
        request.headers.insert(name.to_owned(), given);
        Ok(())
    }

    /// Pairs of every version, with constant names.
    fn named(&mut self, i: usize, what: &str) -> Result<Vec<(String, Leaf<'t>)>, Refused> {
        let lists = match what {
            "query" => ["queryParameters.parameters[", "queryParametersUi.parameter["],
            "header" => ["headerParameters.parameters[", "headerParametersUi.parameter["],
            _ => ["bodyParameters.parameters[", "bodyParametersUi.parameter["],
        };
        let all = self.low.leaves_of(i);
        let mut found = Vec::new();
        for leaf in &all {
            let is_listed = lists.iter().any(|list| leaf.path.starts_with(list));
            let Some(before) = leaf.path.strip_suffix(".value").filter(|_| is_listed) else { continue };
            let name = all.iter().find(|other| other.path.strip_suffix(".name") == Some(before));
            let name = name.and_then(|leaf| leaf.text().cloned()).unwrap_or_default();
            if is_expression(&name) {
                return Err(self.refuse(i, "a parameter whose name is computed", "name each parameter of the request"));
            }
            if !name.is_empty() {
                found.push((name.to_string(), leaf.clone()));
            }
        }
        Ok(found)
    }

    /// The body: fields as arguments, or one argument that is all of it.
    fn body(&mut self, i: usize, state: &State, method: &str, request: &mut Request) -> Result<(), Refused> {
        let is_new = self.low.version(i) >= 3.0;
        let is_sent = if is_new {
            self.word(i, "sendBody").is_some_and(|sent| sent == "true")
        } else {
            !matches!(method, "GET" | "HEAD")
        };
        if !is_sent {
            return Ok(());
        }
        let kind = if is_new { self.word(i, "contentType") } else { self.word(i, "options.bodyContentType") };
        let is_file = self.word(i, "sendBinaryData").is_some_and(|sends| sends == "true");
        if kind.is_some_and(|kind| kind != "json") || is_file || matches!(method, "GET" | "HEAD") {
            return Err(self.refuse(
                i,
                "a body that is no JSON: a contract sends JSON",
                "send JSON, or call the service by an action of your own",
            ));
        }
        let as_json = match is_new {
            true => self.word(i, "specifyBody").is_some_and(|how| how == "json"),
            false => self.word(i, "jsonParameters").is_some_and(|on| on == "true"),
        };
        if as_json {
            let key = if is_new { "jsonBody" } else { "bodyParametersJson" };
            let leaf = self.low.leaves_of(i).into_iter().find(|leaf| leaf.path.as_ref() == key);
            let Some(leaf) = leaf else { return Ok(()) };
            if leaf.text().is_some_and(|text| text.trim().is_empty()) {
                return Ok(());
            }
            let usage = self.low.usage(i, &leaf).map(|usage| self.low.within_host(i, &leaf, usage));
            let value = self.json(i, leaf.tree, state)?;
            request.body = Some(request.sending.add("body", usage, value));
            return Ok(());
        }
        let mut fields = Vec::new();
        for (name, leaf) in self.named(i, "body")? {
            let usage = self.low.usage(i, &leaf).map(|usage| self.low.within_host(i, &leaf, usage));
            fields.push((name, usage, self.value(i, leaf.tree, false, state)?));
        }
        let names: std::collections::BTreeSet<&String> = fields.iter().map(|(name, ..)| name).collect();
        let taken = |name: &&String| request.sending.roles.contains_key(*name);
        let plain = names.len() == fields.len() && names.iter().all(|name| is_id(name)) && !names.iter().any(taken);
        if plain && method != "DELETE" {
            for (name, usage, value) in fields {
                request.sending.add(&name, usage, value);
            }
        } else if !fields.is_empty() {
            let usage = fields.iter().filter_map(|(_, usage, _)| *usage).max();
            let value = Value::Map(fields.into_iter().map(|(name, _, value)| (name, value)).collect());
            request.body = Some(request.sending.add("body", usage, value));
        }
        Ok(())
    }
}

/// A name for an argument: that of the last field that it reads.
fn name_of(part: &[Piece]) -> String {
    let jq = part.iter().rev().find_map(|piece| if let Piece::Jq(jq) = piece { Some(jq.as_str()) } else { None });
    let words =
        jq.unwrap_or_default().rsplit(['.', '"']).find(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()));
    let name = slug(words.unwrap_or_default());
    if name.is_empty() { "segment".to_owned() } else { name }
}

fn text(pieces: Vec<Piece>) -> Value {
    match pieces.as_slice() {
        [] => Value::Constant("".into()),
        [Piece::Literal(text)] => Value::Constant(text.as_str().into()),
        _ => Value::Text(pieces),
    }
}

fn is_id(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}
