//! Path templates: `/accounts/{id}`.
//!
//! A template has literal segments and holes, and a hole is always one whole segment. What fills a hole is percent-encoded
//! down to the unreserved characters, and may not change the shape of the path: no `.` or `..`, no slash of either kind
//! (encoded ones are decoded by some servers before they route), no control character, and never empty.

use std::collections::BTreeMap;
use std::fmt;

/// Longest path that is sent, encoded: what common servers accept in one request line.
pub const PATH_BYTES_MAX: usize = 4 << 10;

/// A path of a contract, with holes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathTemplate {
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Hole(String),
}

/// Why a path or a template was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathFault {
    /// The template itself is malformed.
    Template,
    /// No value for this hole.
    Missing(String),
    /// The value for this hole would change the path's shape.
    Shape(String),
    /// Longer than [`PATH_BYTES_MAX`].
    TooLong,
}

impl PathTemplate {
    /// Reads a template: `/`-led, literal segments of unreserved characters, holes as `{name}`.
    ///
    /// # Errors
    /// [`PathFault::Template`] if it is anything else.
    pub fn parse(text: &str) -> Result<Self, PathFault> {
        let rest = text.strip_prefix('/').ok_or(PathFault::Template)?;
        if rest.is_empty() {
            return Ok(Self { segments: Vec::new() });
        }
        let segments = rest.split('/').map(parse_segment).collect::<Option<Vec<_>>>().ok_or(PathFault::Template)?;
        let mut names: Vec<_> = segments.iter().filter_map(Segment::hole).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
            return Err(PathFault::Template);
        }
        Ok(Self { segments })
    }

    /// This template below another one without holes, such as the path of a connector's base address.
    #[must_use]
    pub fn under(&self, base: &Self) -> Self {
        Self { segments: base.segments.iter().chain(&self.segments).cloned().collect() }
    }

    /// The names of the holes, in order.
    pub fn holes(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(Segment::hole)
    }

    /// Fills the holes.
    ///
    /// # Errors
    /// [`PathFault::Missing`] or [`PathFault::Shape`] with the hole's name, [`PathFault::TooLong`].
    pub fn fill(&self, values: &BTreeMap<String, String>) -> Result<String, PathFault> {
        let mut path = String::new();
        for segment in &self.segments {
            path.push('/');
            match segment {
                Segment::Literal(text) => path.push_str(text),
                Segment::Hole(name) => {
                    let value = values.get(name).ok_or_else(|| PathFault::Missing(name.clone()))?;
                    if !keeps_shape(value.as_bytes()) {
                        return Err(PathFault::Shape(name.clone()));
                    }
                    encode_into(&mut path, value);
                }
            }
        }
        if path.is_empty() {
            path.push('/');
        }
        if path.len() > PATH_BYTES_MAX { Err(PathFault::TooLong) } else { Ok(path) }
    }

    /// Whether an encoded path is one that this template can give.
    #[must_use]
    pub fn admits(&self, path: &str) -> bool {
        let Some(rest) = path.strip_prefix('/') else { return false };
        if self.segments.is_empty() {
            return rest.is_empty();
        }
        let mut given = rest.split('/');
        let all = self.segments.iter().all(|segment| match (segment, given.next()) {
            (Segment::Literal(text), Some(part)) => text == part,
            (Segment::Hole(_), Some(part)) => is_encoded(part) && decode(part).is_some_and(|bytes| keeps_shape(&bytes)),
            (_, None) => false,
        });
        all && given.next().is_none() && path.len() <= PATH_BYTES_MAX
    }
}

impl fmt::Display for PathTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.segments.is_empty() {
            return f.write_str("/");
        }
        self.segments.iter().try_for_each(|segment| match segment {
            Segment::Literal(text) => write!(f, "/{text}"),
            Segment::Hole(name) => write!(f, "/{{{name}}}"),
        })
    }
}

impl Segment {
    fn hole(&self) -> Option<&str> {
        match self {
            Self::Hole(name) => Some(name),
            Self::Literal(_) => None,
        }
    }
}

fn parse_segment(text: &str) -> Option<Segment> {
    if let Some(name) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        return is_name.then(|| Segment::Hole(name.to_owned()));
    }
    // A trailing slash is an empty last segment; some services tell `/a` from `/a/`, so it stays.
    let is_literal =
        text.bytes().all(|b| is_unreserved(b) || b":@!$&'()*+,;=".contains(&b)) && !matches!(text, "." | "..");
    is_literal.then(|| Segment::Literal(text.to_owned()))
}

/// Whether a decoded segment stays one segment on every server, also on one that decodes twice.
fn keeps_shape(decoded: &[u8]) -> bool {
    let is_plain = |bytes: &[u8]| {
        !bytes.is_empty()
            && bytes != b"."
            && bytes != b".."
            && !bytes.starts_with(b"..;")
            && !bytes.iter().any(|b| matches!(b, b'/' | b'\\' | 0x7f) || *b < 0x20)
    };
    if std::str::from_utf8(decoded).is_err() || !is_plain(decoded) {
        return false;
    }
    match std::str::from_utf8(decoded).ok().and_then(decode) {
        Some(twice) if twice != decoded => is_plain(&twice),
        _ => true,
    }
}

const fn is_unreserved(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~')
}

/// Whether nothing in it has a meaning of its own: no `?`, `#`, space or the like.
fn is_encoded(part: &str) -> bool {
    part.bytes().all(|b| is_unreserved(b) || b == b'%')
}

/// Percent-encodes all but the unreserved characters (RFC 3986 §2.3).
pub(crate) fn encode_into(out: &mut String, text: &str) {
    for b in text.bytes() {
        if is_unreserved(b) {
            out.push(char::from(b));
        } else {
            out.push('%');
            for nibble in [b >> 4, b & 15] {
                out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
}

/// Undoes percent-encoding; `None` if an escape is broken.
fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(b) = bytes.next() {
        if b != b'%' {
            out.push(b);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        out.push(u8::try_from(high * 16 + low).ok()?);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fill(template: &str, value: &str) -> Result<String, PathFault> {
        PathTemplate::parse(template).unwrap().fill(&BTreeMap::from([("id".to_owned(), value.to_owned())]))
    }

    #[test]
    fn a_hole_is_one_encoded_segment() {
        assert_eq!(fill("/accounts/{id}", "a b?c#d%41"), Ok("/accounts/a%20b%3Fc%23d%2541".into()));
        assert_eq!(fill("/accounts/{id}/notes", "ü"), Ok("/accounts/%C3%BC/notes".into()));
        assert_eq!(fill("/", "x"), Ok("/".into()));
        assert_eq!(fill("/a/", "x"), Ok("/a/".into()));
    }

    #[test]
    fn a_value_never_changes_the_shape_of_the_path() {
        for value in [
            "", ".", "..", "a/b", "a\\b", "../x", "%2e%2e", "%2F", "a%2fb", "%5c", "..;", "a\nb", "a\0b", "\u{7f}",
            "%00",
        ] {
            assert_eq!(fill("/accounts/{id}", value), Err(PathFault::Shape("id".into())), "{value:?}");
        }
        assert_eq!(fill("/{other}", "x"), Err(PathFault::Missing("other".into())));
        assert_eq!(fill("/{id}", &"x".repeat(PATH_BYTES_MAX)), Err(PathFault::TooLong));
    }

    #[test]
    fn a_template_is_literal_segments_and_whole_holes() {
        for text in [
            "", "a", "/a{b}", "/{a}b", "/{}", "/{a/b}", "/../a", "/./a", "/a?b", "/a#b", "/%2e", "/{a}/{a}", "/a b",
            "/{a b}",
        ] {
            assert_eq!(PathTemplate::parse(text), Err(PathFault::Template), "{text}");
        }
        for text in ["/", "/a", "/a/{b}", "/v1.0/users/{id}/memberOf", "/a/"] {
            assert_eq!(PathTemplate::parse(text).map(|t| t.to_string()), Ok(text.into()));
        }
    }

    #[test]
    fn only_what_the_template_can_give_is_admitted() {
        let template = PathTemplate::parse("/accounts/{id}").unwrap();
        assert!(template.admits("/accounts/1%20a"));
        for path in [
            "/accounts",
            "/accounts/",
            "/accounts/1/2",
            "/accounts/..",
            "/accounts/%2e%2e",
            "/accounts/a%2Fb",
            "/admin/1",
            "accounts/1",
            "/accounts/%252e%252e",
            "/accounts/%zz",
            "/accounts/%ff",
            "/accounts/a%5Cb",
            "//accounts/1",
        ] {
            assert!(!template.admits(path), "{path}");
        }
        let base = PathTemplate::parse("/api/v1").unwrap();
        assert!(template.under(&base).admits("/api/v1/accounts/7"));
        assert!(!template.under(&base).admits("/accounts/7"));
    }

    proptest! {
        #[test]
        fn what_fills_a_template_is_admitted_by_it(value in "\\PC{1,20}") {
            let template = PathTemplate::parse("/a/{id}/b").unwrap();
            if let Ok(path) = template.fill(&BTreeMap::from([("id".to_owned(), value)])) {
                prop_assert!(template.admits(&path));
                prop_assert_eq!(path.split('/').count(), 4);
            }
        }
    }
}
