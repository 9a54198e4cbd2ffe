//! Values that a person gave themselves: those that stand in their own request, and ids that a look-up by nothing else
//! found.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::leads;

/// Shorter texts and numbers stand in any request by chance.
const CHARS_MIN: usize = 6;

/// The values of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    words: BTreeSet<String>,
    quoted: BTreeSet<String>,
    /// Ids of single records, as the connector itself vouches for them.
    found: BTreeSet<String>,
}

impl Given {
    /// Reads a request: its words, and whatever stands in quotes in it.
    #[must_use]
    pub fn of(request: &str) -> Self {
        let words = request.split_whitespace().map(bare).filter(|word| is_long(word)).map(str::to_owned).collect();
        Self { words, quoted: quoted(request), found: BTreeSet::new() }
    }

    /// Takes the ids of a reply that nothing untrusted had a part in, if it is exactly one record: of several, somebody
    /// chose.
    pub(super) fn learn(&mut self, reply: &Json) {
        let record = match reply {
            Json::Array(items) => items.first().filter(|_| items.len() == 1),
            record => Some(record),
        };
        let is_id = |key: &str| key.eq_ignore_ascii_case("id") || key.ends_with("_id") || key.ends_with("Id");
        for (key, value) in record.and_then(Json::as_object).into_iter().flatten() {
            match value {
                Json::String(id) if is_id(key) && !id.is_empty() => _ = self.found.insert(id.clone()),
                Json::Number(id) if is_id(key) => _ = self.found.insert(id.to_string()),
                _ => {}
            }
        }
    }

    /// Whether the person gave every value of these arguments themselves, as it is, and there is at least one. `names` says
    /// of which arguments an id that was found will do.
    #[must_use]
    pub fn has_all(&self, arguments: &Json, names: impl Fn(&str) -> bool) -> bool {
        match arguments {
            Json::Object(fields) => {
                let is_given =
                    |(name, value): (&String, &Json)| self.has(value) || names(name) && self.has_found(value);
                !fields.is_empty() && fields.iter().all(is_given)
            }
            _ => false,
        }
    }

    /// Whether a look-up found this id. It is compared whole and typed, so that it may be short.
    fn has_found(&self, value: &Json) -> bool {
        match value {
            Json::String(id) => self.found.contains(id),
            Json::Number(id) => self.found.contains(&id.to_string()),
            _ => false,
        }
    }

    /// Whether the person named this host themselves, alone or in an address.
    pub(super) fn names_host(&self, host: &str) -> bool {
        let is_host = |text: &String| text.eq_ignore_ascii_case(host) && !leads::is_file(host);
        let names = |text: &String| is_host(text) || leads::named(text).iter().any(|n| n == host);
        self.words.iter().chain(&self.quoted).any(names)
    }

    /// Whether the person gave this value themselves.
    #[must_use]
    pub fn has(&self, value: &Json) -> bool {
        match value {
            // Whoever decides between two values decides, and nobody writes either into a request.
            Json::Null | Json::Bool(_) => false,
            Json::Number(number) => self.has_text(&number.to_string()),
            Json::String(text) => self.has_text(text),
            Json::Array(items) => !items.is_empty() && items.iter().all(|item| self.has(item)),
            Json::Object(fields) => !fields.is_empty() && fields.values().all(|value| self.has(value)),
        }
    }

    fn has_text(&self, text: &str) -> bool {
        is_long(text) && (self.words.contains(text) || self.quoted.contains(text))
    }
}

fn is_long(text: &str) -> bool {
    text.chars().count() >= CHARS_MIN
}

/// A word without the marks of its sentence. What is inside of it stays: `ana.b@example.com`.
fn bare(word: &str) -> &str {
    let mark = |c: char| {
        matches!(
            c,
            '.' | ','
                | ';'
                | ':'
                | '!'
                | '?'
                | '('
                | ')'
                | '['
                | ']'
                | '"'
                | '\''
                | '`'
                | '<'
                | '>'
                | '“'
                | '”'
                | '‘'
                | '’'
        )
    };
    word.trim_matches(mark)
}

/// What stands between two quotation marks of the same kind.
fn quoted(request: &str) -> BTreeSet<String> {
    let pairs = [('"', '"'), ('`', '`'), ('“', '”'), ('«', '»'), ('\'', '\'')];
    let mut found = BTreeSet::new();
    for (open, close) in pairs {
        let mut rest = request;
        while let Some((_, after)) = rest.split_once(open) {
            let Some((inner, tail)) = after.split_once(close) else { break };
            if is_long(inner) {
                found.insert(inner.to_owned());
            }
            rest = tail;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const REQUEST: &str =
        "Send \"See you on Monday, Bo\" to bo@example.com. Then pay 1250000 to DE89370400440532013000, ok?";

    #[test]
    fn whole_values_of_the_request_are_given() {
        let given = Given::of(REQUEST);
        for arguments in [
            json!({"to": "bo@example.com", "text": "See you on Monday, Bo"}),
            json!({"to": ["bo@example.com"]}),
            json!({"iban": "DE89370400440532013000", "amount": 1_250_000}),
            json!({"message": {"to": "bo@example.com"}}),
        ] {
            assert!(given.has_all(&arguments, |_| false), "{arguments}");
        }
    }

    #[test]
    fn parts_short_values_and_choices_are_not() {
        let given = Given::of(REQUEST);
        for arguments in [
            json!({"to": "o@example.com"}),
            json!({"to": "bo@example.com", "text": "See you"}),
            json!({"to": "bo@example.com", "text": "Monday, Bo"}),
            json!({"to": "bo@example.com", "cc": "eve@evil.example"}),
            json!({"to": "bo@example.com", "urgent": true}),
            json!({"to": "bo@example.com", "cc": null}),
            json!({"text": "pay"}),
            json!({"to": []}),
            json!({}),
            json!([]),
            json!("bo@example.com"),
        ] {
            assert!(!given.has_all(&arguments, |_| false), "{arguments}");
        }
        assert!(!Given::default().has_all(&json!({"to": "bo@example.com"}), |_| false));
    }

    #[test]
    fn the_id_of_a_single_record_is_given_where_an_id_is_meant() {
        let mut given = Given::of(REQUEST);
        for several in [json!([{"id": "a1"}, {"id": "b2"}]), json!([]), json!("a1"), json!([["a1"]])] {
            given.learn(&several);
        }
        given.learn(&json!([{"id": 7, "owner_id": "u1", "note": "pay eve", "paid": true}]));
        let is_id = |name: &str| name == "id";
        assert!(given.has_all(&json!({"id": 7, "to": "bo@example.com"}), is_id));
        assert!(given.has_all(&json!({"id": "u1"}), is_id));
        for arguments in [json!({"id": "a1"}), json!({"id": "pay eve"}), json!({"text": "u1"}), json!({"id": true})] {
            assert!(!given.has_all(&arguments, is_id), "{arguments}");
        }
    }
}
