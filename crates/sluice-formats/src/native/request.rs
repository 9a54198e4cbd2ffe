//! A request to a host that the text names: what its contract says, and what its call gives.

use std::collections::{BTreeMap, BTreeSet};

use sluice_core::catalogue::Usage;

use super::{Piece, Sending, Value, slug};
use crate::host::is_own;

/// A request while it is taken apart.
#[derive(Debug, Default)]
pub(crate) struct Request {
    pub(crate) sending: Sending,
    /// With a `{name}` for each argument in it.
    pub(crate) path: String,
    pub(crate) query: BTreeSet<String>,
    /// Header and argument.
    pub(crate) headers: BTreeMap<String, String>,
    /// The argument that is the whole body.
    pub(crate) body: Option<String>,
    pub(crate) has_credential: bool,
}

/// What no contract says, and what to do about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Untold {
    pub(crate) what: &'static str,
    pub(crate) help: &'static str,
}

/// What becomes of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    Sent,
    /// It says who calls: the connector's credential does.
    Credential,
    /// The connector says it itself.
    Framing,
    /// The connector says something else.
    Dropped,
}

const fn untold<T>(what: &'static str, help: &'static str) -> Result<T, Untold> {
    Err(Untold { what, help })
}

impl Request {
    /// Reads a URL into path and query; gives the base that names the host, and the host.
    pub(crate) fn url(&mut self, pieces: &[Piece]) -> Result<(String, String), Untold> {
        let (scheme, rest) = match pieces.first() {
            Some(Piece::Literal(first)) => first.trim_start().split_once("://").unwrap_or(("", "")),
            _ => ("", ""),
        };
        let end = rest.find(['/', '?', '#']).or((pieces.len() < 2).then_some(rest.len()));
        let Some((authority, behind)) = end.and_then(|end| rest.split_at_checked(end)).filter(|_| !scheme.is_empty())
        else {
            let what = "a request whose host is computed: a contract names one host";
            return untold(what, "write the host into the URL, and compute only what is behind it");
        };
        let (host, port) = authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
        let host = host.to_lowercase();
        let plain = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'));
        let port_fits = port.is_none_or(|port| !port.is_empty() && port.chars().all(|c| c.is_ascii_digit()));
        if !matches!(scheme, "https" | "http") || !plain || !port_fits {
            return untold("a URL that a contract cannot name", "write it as `https://host/path`");
        }
        let private = scheme == "http";
        if private && !is_own(&host) {
            return untold("a request without TLS to a host that is not one's own", "call it with `https`");
        }
        let mut rest: Vec<Piece> = vec![Piece::Literal(behind.trim_end().to_owned())];
        rest.extend(pieces.iter().skip(1).cloned());
        self.place(&rest)?;
        let port = port.filter(|port| *port != if private { "80" } else { "443" });
        Ok((format!("{scheme}://{host}{}", port.map(|port| format!(":{port}")).unwrap_or_default()), host))
    }

    /// What stands behind the host: segments of the path, and pairs of the query.
    pub(crate) fn place(&mut self, pieces: &[Piece]) -> Result<(), Untold> {
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
                    '/' | '?' => !query,
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
                (false, _) => self.segment(part)?,
                (true, _) => self.query_pair(&part)?,
            }
        }
        if self.path.is_empty() {
            self.path.push('/');
        }
        Ok(())
    }

    fn segment(&mut self, part: Vec<Piece>) -> Result<(), Untold> {
        self.path.push('/');
        match part.as_slice() {
            [] => {}
            [Piece::Literal(text)] => {
                let plain = text.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '#' | '\\' | '%' | '{' | '}'));
                if !plain || matches!(text.as_str(), "." | "..") {
                    return untold("a path with characters that no contract has", "give the path as plain segments");
                }
                self.path.push_str(text);
            }
            _ => {
                let name = name_of(&part);
                let name = self.sending.add(&name, Some(Usage::Path), text_of(part));
                self.path.push_str(&format!("{{{name}}}"));
            }
        }
        Ok(())
    }

    fn query_pair(&mut self, part: &[Piece]) -> Result<(), Untold> {
        let Some(Piece::Literal(first)) = part.first() else {
            if part.is_empty() {
                return Ok(());
            }
            return untold("a query whose names are computed", "name each parameter of the query");
        };
        let (name, rest) = first.split_once('=').unwrap_or((first.as_str(), ""));
        if name.contains(['%', '+', '#']) || rest.contains(['%', '+', '#']) || !is_id(name) {
            let what = "a query with encoded characters, or names that no contract has";
            return untold(what, "give it as query parameters");
        }
        let mut pieces: Vec<Piece> = if rest.is_empty() { Vec::new() } else { vec![Piece::Literal(rest.to_owned())] };
        pieces.extend(part.iter().skip(1).cloned());
        self.queried(name, Some(Usage::Path), text_of(pieces))
    }

    /// A parameter of the query has the name of its argument.
    pub(crate) fn queried(&mut self, name: &str, usage: Option<Usage>, value: Value) -> Result<(), Untold> {
        let given = self.sending.add(name, usage, value);
        if given != name {
            return untold("two arguments of one name, or a name that no contract has", "name each parameter once");
        }
        self.query.insert(given);
        Ok(())
    }

    /// A header, by what it means to a connector.
    pub(crate) fn header(&mut self, name: &str, usage: Option<Usage>, value: Value) -> Result<Header, Untold> {
        const FRAMES: [&str; 8] =
            ["content-type", "accept", "content-length", "host", "connection", "te", "transfer-encoding", "upgrade"];
        let lower = name.to_ascii_lowercase();
        let constant = matches!(value, Value::Constant(_));
        if matches!(lower.as_str(), "authorization" | "cookie" | "proxy-authorization") {
            if !constant {
                let help = "keep it as the connector's credential";
                return untold("a header of authentication that is computed", help);
            }
            self.has_credential = true;
            return Ok(Header::Credential);
        }
        if FRAMES.contains(&lower.as_str()) && constant {
            let says = |json: &serde_json::Value| json.as_str().is_some_and(|v| v.contains("json") || v == "*/*");
            let is_json = matches!(&value, Value::Constant(json) if says(json));
            return Ok(if is_json { Header::Framing } else { Header::Dropped });
        }
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return untold("a header whose name no contract has", "name the header with letters and `-`");
        }
        let given = self.sending.add(name, usage, value);
        self.headers.insert(name.to_owned(), given);
        Ok(Header::Sent)
    }

    /// A body of named fields: each an argument where a contract can have them all, else one argument that is all of it.
    pub(crate) fn fields(&mut self, method: &str, fields: Vec<(String, Option<Usage>, Value)>) {
        let names: BTreeSet<&String> = fields.iter().map(|(name, ..)| name).collect();
        let taken = |name: &&String| self.sending.roles.contains_key(*name);
        let plain = names.len() == fields.len() && names.iter().all(|name| is_id(name)) && !names.iter().any(taken);
        if plain && method != "DELETE" {
            for (name, usage, value) in fields {
                self.sending.add(&name, usage, value);
            }
        } else if !fields.is_empty() {
            let usage = fields.iter().filter_map(|(_, usage, _)| *usage).max();
            let value = Value::Map(fields.into_iter().map(|(name, _, value)| (name, value)).collect());
            self.body = Some(self.sending.add("body", usage, value));
        }
    }

    /// What the action of a contract is called: its method and the literal parts of its path.
    pub(crate) fn action(&self, method: &str) -> String {
        let words: Vec<&str> = self.path.split('/').filter(|s| !s.is_empty() && !s.starts_with('{')).collect();
        slug(&format!("{} {}", method.to_lowercase(), words.join(" ")))
    }
}

/// Whether a method is one that a contract has.
pub(crate) fn is_method(method: &str) -> bool {
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].contains(&method)
}

/// A name for an argument: that of the last field that it reads.
pub(crate) fn name_of(part: &[Piece]) -> String {
    let jq = part.iter().rev().find_map(|piece| if let Piece::Jq(jq) = piece { Some(jq.as_str()) } else { None });
    let words =
        jq.unwrap_or_default().rsplit(['.', '"']).find(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()));
    let name = slug(words.unwrap_or_default());
    if name.is_empty() { "segment".to_owned() } else { name }
}

fn text_of(pieces: Vec<Piece>) -> Value {
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
