//! E-mail addresses, as people and programs write them: not all that RFC 5321 allows.

use sluice_core::found::Finder;

use crate::Tell;

/// Longest part before the `@`, and longest domain (RFC 5321 §4.5.3.1).
const LOCAL_MAX: usize = 64;
const DOMAIN_MAX: usize = 253;
/// How far back a URL's beginning is looked for.
const BACK_MAX: usize = 256;

/// What ends the names of files and not of domains: `logo@2x.png`.
const FILE_ENDINGS: [&str; 14] =
    ["css", "gif", "ico", "jpeg", "jpg", "js", "json", "map", "md", "png", "scss", "svg", "ts", "webp"];

pub(crate) fn look(text: &str, tell: &mut Tell<'_>) {
    let bytes = text.as_bytes();
    for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'@') {
        if let Some(address) = address(text, at) {
            tell(Finder::Email, "address", address);
        }
    }
}

/// The address whose `@` is at `at`, if it is one.
fn address(text: &str, at: usize) -> Option<&str> {
    let bytes = text.as_bytes();
    let before = bytes.get(at.saturating_sub(LOCAL_MAX + 1)..at)?;
    let count = before.iter().rev().take_while(|byte| is_local(**byte)).count();
    let dots = before.iter().rev().take(count).rev().take_while(|byte| matches!(byte, b'.' | b'-' | b'\'')).count();
    let (start, local) = (at - count + dots, count.saturating_sub(dots));
    let is_whole = start.checked_sub(1).and_then(|i| bytes.get(i)).is_none_or(|byte| byte.is_ascii() && *byte != b'@');
    if local == 0 || local > LOCAL_MAX || !is_whole || bytes.get(at - 1) == Some(&b'.') || is_user_of_url(bytes, start)
    {
        return None;
    }
    let after = bytes.get(at + 1..bytes.len().min(at + 2 + DOMAIN_MAX))?;
    let reach = after.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')).count();
    let domain = text.get(at + 1..at + 1 + reach)?.trim_end_matches(['.', '-']);
    let end = at + 1 + domain.len();
    // `git@host:path` is how programs name a repository, and what goes on after the domain is another thing.
    let is_place = bytes.get(end) == Some(&b':') && bytes.get(end + 1).is_some_and(|byte| !byte.is_ascii_whitespace());
    let goes_on = bytes.get(end).is_some_and(|byte| matches!(byte, b'@' | b'_') || !byte.is_ascii());
    (is_domain(domain) && !is_place && !goes_on).then(|| text.get(start..end))?
}

const fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-' | b'\'')
}

/// At least two labels, the last one of letters, and none of them like a version's number.
fn is_domain(domain: &str) -> bool {
    let labels: Vec<&str> = domain.split('.').collect();
    let is_label =
        |label: &&str| !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-');
    let digits_first =
        |label: Option<&&str>| label.is_some_and(|label| label.starts_with(|c: char| c.is_ascii_digit()));
    let is_version = labels.first().is_some_and(|first| first.bytes().all(|byte| byte.is_ascii_digit()))
        && digits_first(labels.get(1));
    let last = labels.last().copied().unwrap_or_default();
    let is_top = (2..=24).contains(&last.len()) && last.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_file = FILE_ENDINGS.iter().any(|ending| last.eq_ignore_ascii_case(ending));
    labels.len() >= 2 && labels.iter().all(is_label) && is_top && !is_file && !is_version && domain.len() <= DOMAIN_MAX
}

/// `https://user:password@host`: no address, though it looks like one.
fn is_user_of_url(bytes: &[u8], start: usize) -> bool {
    let before = bytes.get(start.saturating_sub(BACK_MAX)..start).unwrap_or_default();
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'"' | b'\'' | b'<' | b'>' | b'?');
    before.iter().rposition(is_end).is_some_and(|at| before.get(..=at).is_some_and(|to| to.ends_with(b"://")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        look(text, &mut |_, _, text| found.push(text.to_owned()));
        found
    }

    #[test]
    fn addresses_are_found_in_any_sentence() {
        for (text, address) in [
            ("bo@example.com", "bo@example.com"),
            ("Write to Bo.Larsen+x@mail.example.co.uk.", "Bo.Larsen+x@mail.example.co.uk"),
            ("<a_b@example.com>, or", "a_b@example.com"),
            ("mailto:bo@example.com?subject=x", "bo@example.com"),
            ("https://example.com/?to=bo@example.com", "bo@example.com"),
            ("bo@example.com: hello", "bo@example.com"),
            ("'bo@example.com'", "bo@example.com"),
            ("...bo@example.com...", "bo@example.com"),
            ("1@2.example", "1@2.example"),
        ] {
            assert_eq!(addresses(text), [address], "{text}");
        }
        assert_eq!(addresses("a@b.example,c@d.example;e@f.example").len(), 3);
    }

    #[test]
    fn what_only_has_an_at_sign_is_none() {
        for text in [
            "@bo",
            "a @ b.com",
            "bo@localhost",
            "pkg@1.2.3",
            "pkg@1.2.3-rc.beta",
            "@scope/pkg@4.0.0",
            "logo@2x.png",
            "git@github.com:owner/repo.git",
            "https://user@example.com/",
            "ftp://user:word@example.com",
            "@user@social.example",
            "a@b@c.example",
            "a@-b.example",
            "a@b..example",
            "a@b.c",
            ".@b.example",
            "a.@b.example",
            "é@b.example",
            "a@b.exämple",
        ] {
            assert_eq!(addresses(text), [""; 0], "{text}");
        }
    }
}
