//! Text that an outsider wrote, shown so that it can do nothing to a terminal or to a reader's eye.
//!
//! A definition, a ticket or a file's name may hold control characters that recolour or rewrite lines, and marks that
//! turn the order of words around. They are shown for what they are; nothing is dropped, so that what is read is all
//! that is there.

use std::fmt::{self, Write as _};

use sluice_core::text::is_unseen;

/// Shows `.0` on one line, with everything invisible or commanding spelled out: `\n`, `\x1b`, `\u{202e}`.
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a>(pub &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut hashes = 0;
        for c in self.0.chars() {
            match c {
                // A runner of GitHub Actions obeys `##[` wherever in a line it stands.
                '[' if hashes > 1 => f.write_str("\\x5b")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                c if c.is_ascii_control() => write!(f, "\\x{:02x}", u32::from(c))?,
                c if is_unseen(c) => write!(f, "\\u{{{:04x}}}", u32::from(c))?,
                c => f.write_char(c)?,
            }
            hashes = if c == '#' { hashes + 1 } else { 0 };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Escaped;

    #[test]
    fn what_commands_a_terminal_or_turns_words_around_is_shown() {
        let shown = |text: &str| Escaped(text).to_string();
        assert_eq!(shown("a\x1b[31mred\x07\nb\t"), r"a\x1b[31mred\x07\nb\t");
        assert_eq!(shown("pay \u{202e}evil\u{202c} \u{9b}2J"), r"pay \u{202e}evil\u{202c} \u{009b}2J");
        assert_eq!(
            shown("zero\u{200b}width\u{feff} \u{2066}x\u{2069} \u{e0041}"),
            r"zero\u{200b}width\u{feff} \u{2066}x\u{2069} \u{e0041}"
        );
        assert_eq!(shown("\r\u{7f}"), r"\r\x7f");
        assert_eq!(shown("# [a] ##[error]b ###[group]c"), r"# [a] ##\x5berror]b ###\x5bgroup]c");
    }

    #[test]
    fn ordinary_words_of_any_script_stay_as_they_are() {
        for text in ["Tomáš Hrubý", "受取人", "שלום", "naïve – “quoted”", "👩"] {
            assert_eq!(Escaped(text).to_string(), text);
        }
    }
}
