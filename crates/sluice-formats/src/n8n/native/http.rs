//! HTTP requests: a contract per method and path of a host that the text names.

use sluice_core::catalogue::Usage;
use sluice_core::document::Data;

use super::super::effects::fixed_host;
use super::super::parameters::{Leaf, at, is_expression, leaves, text_at};

use super::node::Follows;
use super::{Refused, State, Writer};
use crate::native::{ActionDraft, Header, Piece, Reached, Request, Task, Value, is_method, slug};
use crate::refusal;

impl<'t> Writer<'_, 't> {
    pub(super) fn http(&mut self, i: usize, state: &State, out: &mut Vec<Task>) -> Result<Follows, Refused> {
        let Some(node) = self.low.workflow.nodes.get(i) else { return Err(Refused) };
        let Some(known) = self.low.known.get(i).cloned() else { return Err(Refused) };
        let method =
            ["method", "requestMethod"].iter().find_map(|key| self.word(i, key)).unwrap_or_else(|| "GET".to_owned());
        let method = method.to_uppercase();
        if !is_method(&method) {
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
        let action = request.action(&method);
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

    /// The base of the host; path and query go into the request.
    fn url(&mut self, i: usize, host: &str, state: &State, request: &mut Request) -> Result<String, Refused> {
        let Some(tree) = self.low.parameters(i).and_then(|p| p.get("url")) else { return Err(Refused) };
        let pieces = match self.value(i, tree, false, state)? {
            Value::Constant(serde_json::Value::String(text)) => vec![Piece::Literal(text)],
            Value::Text(pieces) => pieces,
            _ => Vec::new(),
        };
        match request.url(&pieces) {
            Ok((base, named)) if named == host => Ok(base),
            Ok(_) => Err(self.refuse(i, "a URL that a contract cannot name", "write it as `https://host/path`")),
            Err(untold) => Err(self.refuse(i, untold.what, untold.help)),
        }
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
                request.queried(&name, usage, value).map_err(|untold| self.refuse(i, untold.what, untold.help))?;
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
        let value = self.value(i, leaf.tree, false, state)?;
        let words = match request.header(name, usage, value) {
            Ok(Header::Sent | Header::Framing) => return Ok(()),
            Ok(Header::Credential) => {
                "is not carried over; keep its value with `sluice secret set`, as the connector's credential"
            }
            Ok(Header::Dropped) => "is not carried over",
            Err(untold) => return Err(self.refuse(i, untold.what, untold.help)),
        };
        self.notes.push(format!("`{}`: the header `{name}` {words}", self.short(i)));
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
        for leaf in all.iter() {
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
            let leaves = self.low.leaves_of(i);
            let leaf = leaves.iter().find(|leaf| leaf.path.as_ref() == key);
            let Some(leaf) = leaf else { return Ok(()) };
            if leaf.text().is_some_and(|text| text.trim().is_empty()) {
                return Ok(());
            }
            let usage = self.low.usage(i, leaf).map(|usage| self.low.within_host(i, leaf, usage));
            let value = self.json(i, leaf.tree, state)?;
            request.body = Some(request.sending.add("body", usage, value));
            return Ok(());
        }
        let mut fields = Vec::new();
        for (name, leaf) in self.named(i, "body")? {
            let usage = self.low.usage(i, &leaf).map(|usage| self.low.within_host(i, &leaf, usage));
            fields.push((name, usage, self.value(i, leaf.tree, false, state)?));
        }
        request.fields(method, fields);
        Ok(())
    }
}
