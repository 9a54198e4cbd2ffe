//! JSON for other programs. What a terminal would obey or hide stands as `\u` escapes in it, which mean the same.

use std::io::{self, BufWriter, Write};

use serde::Serialize;
use sluice_core::text::is_unseen;

/// Writes a value to the standard output, indented. A reader that went away is no error.
///
/// # Errors
/// If it cannot be written as JSON.
pub fn print(value: &impl Serialize) -> Result<(), serde_json::Error> {
    let mut to = BufWriter::with_capacity(PIECE_BYTES, io::stdout().lock());
    match write(&mut to, value) {
        Err(error) if !error.is_io() => return Err(error),
        _ => {}
    }
    let _ = to.write_all(b"\n").and_then(|()| to.flush());
    Ok(())
}

/// A value as text, indented.
///
/// # Errors
/// If it cannot be written as JSON.
pub fn written(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let mut text = Vec::new();
    write(&mut text, value)?;
    String::from_utf8(text).map_err(serde::ser::Error::custom)
}

/// Writes a value, indented.
///
/// # Errors
/// If it cannot be written as JSON, or not at all.
pub fn write(to: &mut impl Write, value: &impl Serialize) -> Result<(), serde_json::Error> {
    // `serde_json` writes word by word; looked at is a piece at once.
    let mut pieces = BufWriter::with_capacity(PIECE_BYTES, Shown { to, last: [0; 2] });
    serde_json::to_writer_pretty(&mut pieces, value)?;
    pieces.flush().map_err(serde_json::Error::io)
}

/// How much is looked at and written at once.
pub const PIECE_BYTES: usize = 256 << 10;

/// JSON on its way out, in which what a terminal would obey or hide is escaped. Such characters stand only inside of strings:
/// between them JSON has plain space and line ends.
struct Shown<'w, W> {
    to: &'w mut W,
    /// The last two bytes that went out.
    last: [u8; 2],
}

impl<W: Write> Shown<'_, W> {
    fn put(&mut self, text: &str) -> io::Result<()> {
        match text.as_bytes() {
            [] => {}
            [one] => self.last = [self.last[1], *one],
            [.., before, one] => self.last = [*before, *one],
        }
        self.to.write_all(text.as_bytes())
    }

    fn put_special(&mut self, special: char) -> io::Result<()> {
        if is_unseen(special) && special != '\n' {
            let mut units = [0; 2];
            return special.encode_utf16(&mut units).iter().try_for_each(|unit| self.put(&format!("\\u{unit:04x}")));
        }
        // A runner of GitHub Actions obeys `##[` wherever in a line it stands.
        if special == '[' && self.last == *b"##" {
            return self.put("\\u005b");
        }
        self.put(special.encode_utf8(&mut [0; 4]))
    }
}

impl<W: Write> Write for Shown<'_, W> {
    /// Takes whole characters: `serde_json` writes such, and a buffer before it takes none of its writes apart.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        while let Some((plain, special, behind)) = up_to_special(rest) {
            self.put(plain)?;
            self.put_special(special)?;
            rest = behind;
        }
        self.put(rest)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
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
        let text = super::written(&words).unwrap();
        assert_eq!(text, r#""a\u009b2J \u202eb \udb40\udc41 \u007fč ##\u005bx]""#);
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), words);
    }
}
