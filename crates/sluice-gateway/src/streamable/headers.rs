//! What stands in the head of a request: from where it comes, what it may be answered with, and what it says of its body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use hyper::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HOST, ORIGIN};
use sluice_core::document::{Data, Node};

use super::{METHOD_HEADER, NAME_HEADER, VERSION_HEADER};
use crate::frame::{CAPABILITIES_FIELD, Frame, Kind, VERSION_FIELD};

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";
/// How a name is written that cannot stand in a header as it is.
const ENCODED: (&str, &str) = ("=?base64?", "?=");

/// A header that stands there once; `Err` if it stands there twice or is no text, which two readers would take for
/// different things.
pub(crate) fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, String> {
    let mut all = headers.get_all(name).iter();
    match (all.next(), all.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => match value.to_str() {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(format!("`{name}` is no text")),
        },
        (Some(_), Some(_)) => Err(format!("`{name}` stands there twice")),
    }
}

/// Whether a request comes from where it may: a page of another site can send one to this machine under a name of its own
/// (DNS rebinding), but not under an address, and not without saying where it comes from.
pub(super) fn is_from_here(headers: &HeaderMap, hosts: &[String]) -> bool {
    let Ok(Some(host)) = one(headers, HOST.as_str()) else { return false };
    let is_known = |authority: &str| {
        let name = bare(authority);
        name == "localhost" || is_address(name) || hosts.iter().any(|host| host == authority || host == name)
    };
    if !is_known(host) {
        return false;
    }
    match one(headers, ORIGIN.as_str()) {
        Ok(None) => true,
        Ok(Some(origin)) => {
            let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
            authority.is_some_and(|authority| authority == host || hosts.iter().any(|host| host == authority))
        }
        Err(_) => false,
    }
}

/// Without the port.
fn bare(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty() => name,
        _ => authority,
    }
}

fn is_address(name: &str) -> bool {
    let v6 = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    v6.map_or_else(|| name.parse::<std::net::Ipv4Addr>().is_ok(), |v6| v6.parse::<std::net::Ipv6Addr>().is_ok())
}

/// What a request may be answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Accepts {
    /// One message.
    pub(super) json: bool,
    /// A stream of them.
    pub(super) events: bool,
}

/// What a request says that it takes; everything if it says nothing.
pub(super) fn accepts(headers: &HeaderMap) -> Accepts {
    let mut ranges = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
    if ranges.peek().is_none() {
        return Accepts { json: true, events: true };
    }
    let ranges: Vec<String> = ranges.flat_map(|text| text.split(',')).map(media).collect();
    let has = |kind: &str, family: &str| ranges.iter().any(|range| [kind, family, "*/*"].contains(&range.as_str()));
    Accepts { json: has(JSON, "application/*"), events: has(EVENTS, "text/*") }
}

fn media(text: &str) -> String {
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether a body is JSON and nothing else.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let kind = one(headers, CONTENT_TYPE.as_str()).ok().flatten().map(media);
    kind.as_deref() == Some(JSON) && !headers.contains_key(CONTENT_ENCODING)
}

/// The revision that a message says it is of: only those without sessions do.
pub(super) fn version(frame: &Frame) -> Option<&str> {
    let field = frame.member("params")?.get("_meta")?.get(VERSION_FIELD)?;
    Some(field.as_text()?.as_ref())
}

/// Whether a request that stands alone says of itself what each must: its revision, and what its client can do.
///
/// # Errors
/// What is missing, in words.
pub(super) fn envelope(frame: &Frame) -> Result<(), String> {
    let said = frame.member("params").and_then(|params| params.get("_meta"));
    let missing = |field: &str| format!("`params._meta` must have `{field}`");
    if version(frame).is_none() {
        return Err(missing(VERSION_FIELD));
    }
    match said.and_then(|said| said.get(CAPABILITIES_FIELD)).map(|node| &node.value) {
        Some(Data::Map(_)) => Ok(()),
        _ => Err(missing(CAPABILITIES_FIELD)),
    }
}

/// Whether the head of a request says what its body says.
///
/// # Errors
/// What does not agree, in words.
pub(super) fn agree(headers: &HeaderMap, frame: &Frame) -> Result<(), String> {
    let needed = |name: &str| one(headers, name)?.ok_or_else(|| format!("`{name}` is missing"));
    let differs = |name: &str| Err(format!("`{name}` does not say what the body says"));
    if Some(needed(VERSION_HEADER)?) != version(frame) {
        return differs(VERSION_HEADER);
    }
    let Kind::Request { method, .. } = &frame.kind else { return Ok(()) };
    if needed(METHOD_HEADER)? != method {
        return differs(METHOD_HEADER);
    }
    match name_field(method) {
        Some(field) => {
            let shown = decoded(needed(NAME_HEADER)?).ok_or_else(|| format!("`{NAME_HEADER}` cannot be read"))?;
            if text_of(frame, field) == Some(shown.as_str()) { Ok(()) } else { differs(NAME_HEADER) }
        }
        // Of other requests it says nothing that could be compared, but what could be taken for their name.
        None => match one(headers, NAME_HEADER)? {
            None => Ok(()),
            Some(shown) => {
                let shown = decoded(shown).unwrap_or_default();
                let is_said = ["name", "uri", "taskId"].iter().any(|field| text_of(frame, field) == Some(&shown));
                if is_said { Ok(()) } else { differs(NAME_HEADER) }
            }
        },
    }
}

/// The parameter that names what a request is about.
pub(super) fn name_field(method: &str) -> Option<&'static str> {
    match method {
        "tools/call" | "prompts/get" => Some("name"),
        "resources/read" => Some("uri"),
        "tasks/get" | "tasks/update" | "tasks/cancel" => Some("taskId"),
        _ => None,
    }
}

/// A text among the parameters.
pub(super) fn text_of<'a>(frame: &'a Frame, field: &str) -> Option<&'a str> {
    frame.member("params")?.get(field).and_then(Node::as_text).map(AsRef::as_ref)
}

/// A name as a header shows it: what cannot stand there as it is, or could pass for something else, is encoded.
pub(crate) fn encoded(name: &str) -> String {
    let is_plain = name.bytes().all(|byte| (0x20..0x7f).contains(&byte)) && name.trim() == name && !name.is_empty();
    let is_like = name.starts_with(ENCODED.0) && name.ends_with(ENCODED.1);
    if is_plain && !is_like { name.to_owned() } else { format!("{}{}{}", ENCODED.0, STANDARD.encode(name), ENCODED.1) }
}

/// The name that a header shows; `None` if that cannot be read.
pub(crate) fn decoded(shown: &str) -> Option<String> {
    match shown.strip_prefix(ENCODED.0).and_then(|rest| rest.strip_suffix(ENCODED.1)) {
        Some(inner) => String::from_utf8(STANDARD.decode(inner).ok()?).ok(),
        None => Some(shown.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    fn head(lines: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::try_from(*name).unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        headers
    }

    #[test]
    fn a_request_comes_from_here_or_is_refused() {
        let hosts = ["gateway.example.com".to_owned()];
        let fits = |lines: &[(&str, &str)]| is_from_here(&head(lines), &hosts);
        for host in ["localhost:8642", "127.0.0.1:8642", "[::1]:8642", "10.0.0.7", "gateway.example.com"] {
            assert!(fits(&[("host", host)]), "{host}");
            let origin = format!("http://{host}");
            assert!(fits(&[("host", host), ("origin", &origin)]), "{origin}");
        }
        assert!(fits(&[("host", "127.0.0.1"), ("origin", "https://gateway.example.com")]));
        for host in
            ["evil.example.com", "evil.example.com:8642", "localhost.evil.com", "127.0.0.1.evil.com", "", "2130706433"]
        {
            assert!(!fits(&[("host", host)]), "{host}");
        }
        for origin in
            ["http://evil.example.com", "http://localhost", "http://localhost:1", "null", "", "localhost:8642"]
        {
            assert!(!fits(&[("host", "localhost:8642"), ("origin", origin)]), "{origin}");
        }
        assert!(!fits(&[]), "no host");
        assert!(!fits(&[("host", "localhost"), ("host", "localhost")]), "two");
    }

    #[test]
    fn an_answer_is_of_a_kind_that_is_accepted() {
        let both = Accepts { json: true, events: true };
        for (shown, accepted) in [
            (None, both),
            (Some("*/*"), both),
            (Some("application/json, text/event-stream"), both),
            (Some("text/event-stream;q=0.5,  APPLICATION/JSON ; charset=utf-8"), both),
            (Some("application/json"), Accepts { json: true, events: false }),
            (Some("text/*"), Accepts { json: false, events: true }),
            (Some("text/html"), Accepts { json: false, events: false }),
        ] {
            let lines: Vec<_> = shown.map(|shown| ("accept", shown)).into_iter().collect();
            assert_eq!(accepts(&head(&lines)), accepted, "{shown:?}");
        }
    }

    #[test]
    fn a_name_comes_back_as_it_was() {
        for (name, shown) in [
            ("us-west1", "us-west1"),
            ("größe", "=?base64?Z3LDtsOfZQ==?="),
            (" x", "=?base64?IHg=?="),
            ("a\nb", "=?base64?YQpi?="),
            ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
            ("", "=?base64??="),
        ] {
            assert_eq!((encoded(name).as_str(), decoded(shown).as_deref()), (shown, Some(name)));
        }
    }

    #[test]
    fn what_the_head_says_of_the_body_must_be_so() {
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"_meta":{{"{VERSION_FIELD}":"2026-07-28"}},"name":"größe","arguments":{{}}}}}}"#
        );
        let frame = Frame::read(body.as_bytes()).unwrap();
        let version = (VERSION_HEADER, "2026-07-28");
        let method = (METHOD_HEADER, "tools/call");
        let name = (NAME_HEADER, "=?base64?Z3LDtsOfZQ==?=");
        assert_eq!(agree(&head(&[version, method, name]), &frame), Ok(()));
        for lines in [
            vec![],
            vec![version, method],
            vec![version, name],
            vec![method, name],
            vec![version, method, name, name],
            vec![version, version, method, name],
            vec![(VERSION_HEADER, "2025-11-25"), method, name],
            vec![version, (METHOD_HEADER, "TOOLS/CALL"), name],
            vec![version, (METHOD_HEADER, "tools/list"), name],
            vec![version, method, (NAME_HEADER, "read")],
            vec![version, method, (NAME_HEADER, "Z3LDtsOfZQ==")],
            vec![version, method, (NAME_HEADER, "=?base64?Z3LDt!?=")],
            vec![version, method, (NAME_HEADER, "größe")],
        ] {
            assert!(agree(&head(&lines), &frame).is_err(), "{lines:?}");
        }
        let list = body.replace("tools/call", "tools/list");
        let frame = Frame::read(list.as_bytes()).unwrap();
        let method = (METHOD_HEADER, "tools/list");
        assert_eq!(agree(&head(&[version, method]), &frame), Ok(()));
        assert!(agree(&head(&[version, method, (NAME_HEADER, "other")]), &frame).is_err());
    }
}
