//! The secrets that a program was started with, looked for in whatever it says: what repeats one goes no further.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::secret::Secret;

/// What is shorter than this is not searched for: it would be found by chance.
pub(crate) const BYTES_MIN: usize = 8;
/// The same of one line of a secret that has several: a key's last one may be a few letters.
const LINE_BYTES_MIN: usize = 16;
/// What stands in place of a secret.
const HIDDEN: &[u8] = b"[secret]";

/// Secrets that are looked for. It cannot be asked for them.
#[derive(Clone, Default)]
pub struct Canary(Arc<Vec<Zeroizing<Vec<u8>>>>);

impl fmt::Debug for Canary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Canary")
    }
}

impl Canary {
    /// Of these secrets: each as it is, as it stands in JSON, and line by line.
    #[must_use]
    pub fn of<'s>(secrets: impl IntoIterator<Item = &'s Secret>) -> Self {
        let mut parts = Vec::new();
        for secret in secrets {
            let whole = secret.expose();
            parts.extend(
                [Zeroizing::new(whole.to_vec()), as_in_json(whole)].into_iter().filter(|p| p.len() >= BYTES_MIN),
            );
            // The first and the last line of a key say only that it is one.
            let is_own = |line: &&[u8]| line.len() >= LINE_BYTES_MIN && !line.starts_with(b"-----");
            let lines = whole.split(|byte| matches!(byte, b'\n' | b'\r')).filter(is_own);
            parts.extend(lines.filter(|line| line.len() < whole.len()).map(|line| Zeroizing::new(line.to_vec())));
        }
        // The longest first: what is hidden leaves nothing of it behind.
        parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
        parts.dedup();
        Self(Arc::new(parts))
    }

    /// The same and those of another.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let mut parts: Vec<_> = self.0.iter().chain(other.0.iter()).cloned().collect();
        parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
        Self(Arc::new(parts))
    }

    /// Whether there is nothing to look for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them stands there.
    #[must_use]
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        self.0.iter().any(|part| position(bytes, part).is_some())
    }

    /// The same bytes with `[secret]` in place of each.
    #[must_use]
    pub fn hidden(&self, bytes: &[u8]) -> Vec<u8> {
        let mut shown = bytes.to_vec();
        for part in self.0.iter() {
            let mut rest = std::mem::take(&mut shown);
            while let Some(at) = position(&rest, part) {
                let after = rest.split_off(at + part.len());
                rest.truncate(at);
                shown.append(&mut rest);
                shown.extend_from_slice(HIDDEN);
                rest = after;
            }
            shown.append(&mut rest);
        }
        shown
    }
}

pub(crate) fn contains(bytes: &[u8], part: &[u8]) -> bool {
    position(bytes, part).is_some()
}

fn position(bytes: &[u8], part: &[u8]) -> Option<usize> {
    if part.is_empty() { None } else { bytes.windows(part.len()).position(|window| window == part) }
}

/// A secret as it would stand inside a JSON text; nothing if it is no text.
pub(crate) fn as_in_json(secret: &[u8]) -> Zeroizing<Vec<u8>> {
    let text = std::str::from_utf8(secret).ok().and_then(|text| serde_json::to_vec(text).ok()).map(Zeroizing::new);
    let inner = text.as_deref().and_then(|text| text.strip_prefix(b"\"")?.strip_suffix(b"\""));
    Zeroizing::new(inner.unwrap_or_default().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canary(secrets: &[&str]) -> Canary {
        let secrets: Vec<Secret> = secrets.iter().map(|text| Secret::new(text.as_bytes().to_vec())).collect();
        Canary::of(&secrets)
    }

    #[test]
    fn a_secret_is_found_as_it_is_as_json_and_line_by_line() {
        let key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIE\nIAbc\n-----END PRIVATE KEY-----";
        let canary = canary(&["a-\"quoted\"-word", key, "short"]);
        for (text, is_in) in [
            ("x a-\"quoted\"-word y", true),
            (r#"{"t":"a-\"quoted\"-word"}"#, true),
            ("MC4CAQAwBQYDK2VwBCIE", true),
            ("-----BEGIN PRIVATE KEY-----", false),
            ("IAbc", false),
            ("short", false),
            ("a-quoted-word", false),
            ("", false),
        ] {
            assert_eq!(canary.is_in(text.as_bytes()), is_in, "{text}");
        }
        assert!(!Canary::default().is_in(b"anything") && Canary::default().is_empty());
        assert!(!format!("{canary:?}").contains("quoted"));
    }

    #[test]
    fn what_is_hidden_leaves_nothing_of_it() {
        let canary = canary(&["canary-1234", "canary-1234-longer"]);
        let shown = canary.hidden(b"a canary-1234-longer b canary-1234, canary-1234");
        assert_eq!(String::from_utf8(shown).unwrap(), "a [secret] b [secret], [secret]");
        assert_eq!(canary.hidden(b"nothing"), b"nothing");
    }
}
