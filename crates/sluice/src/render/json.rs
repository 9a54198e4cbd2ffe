//! JSON for other programs. What a terminal would obey or hide stands as `\u` escapes in it, which mean the same.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use serde::Serialize;
use sluice_core::text::is_unseen;

/// Writes a value to the standard output, indented. A reader that went away is no error.
///
/// # Errors
/// If it cannot be written as JSON.
pub fn print(value: &impl Serialize) -> Result<(), serde_json::Error> {
    let text = written(value)?;
    let _ = writeln!(io::stdout(), "{text}");
    Ok(())
}

/// A value as text, indented.
///
/// # Errors
/// If it cannot be written as JSON.
pub fn written(value: &impl Serialize) -> Result<String, serde_json::Error> {
    Ok(shown(&serde_json::to_string_pretty(value)?))
}

/// Such characters stand only inside of strings: between them JSON has plain space and line ends.
fn shown(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let mut rest = json;
    while let Some((plain, c, behind)) = up_to_special(rest) {
        text.push_str(plain);
        rest = behind;
        if is_unseen(c) && c != '\n' {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        } else if c == '[' && text.ends_with("##") {
            // A runner of GitHub Actions obeys `##[` wherever in a line it stands.
            text.push_str("\\u005b");
        } else {
            text.push(c);
        }
    }
    text.push_str(rest);
    text
}

/// The next character that may have to be written otherwise, and what stands on both sides of it. Nearly all others are plain.
fn up_to_special(json: &str) -> Option<(&str, char, &str)> {
    let at = json.bytes().position(|b| b == b'[' || b >= 0x7f || b < b' ' && b != b'\n')?;
    let (plain, behind) = json.split_at_checked(at)?;
    let mut behind = behind.chars();
    let special = behind.next()?;
    Some((plain, special, behind.as_str()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn escapes_mean_what_they_stand_for() {
        let words = "a\u{9b}2J \u{202e}b \u{e0041} \u{7f}č ##[x]";
        let text = super::shown(&serde_json::to_string(words).unwrap());
        assert_eq!(text, r#""a\u009b2J \u202eb \udb40\udc41 \u007fč ##\u005bx]""#);
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), words);
    }
}
