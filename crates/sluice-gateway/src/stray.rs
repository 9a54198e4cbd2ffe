//! A message that cannot be taken: whose it was meant to be, so that whoever waits for it is told, and not left waiting.
//!
//! A scan of bytes that are no JSON, too deep or too many. It keeps what stands at the message's own top and nothing
//! else, and nothing is done because of it but to say that an answer will not come.

use crate::frame::Id;

/// Most bytes of a key or value at the top that are looked at.
const TOKEN_BYTES_MAX: usize = 1_024;
/// Most ids that one message can claim.
const IDS_MAX: usize = 8;

/// What was read past.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stray {
    /// Every id at its top: more than one if a key stands twice.
    pub ids: Vec<Id>,
    /// Whether it has a method: then its ids are its sender's own, and it was no answer.
    pub asks: bool,
}

impl Stray {
    /// Scans a whole message.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut scan = Scan::default();
        scan.feed(bytes);
        scan.end()
    }
}

/// A scan that is fed piece by piece: the message need not fit into memory.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    depth: usize,
    in_text: bool,
    escaped: bool,
    /// What stands at the top since the last bracket, colon or comma.
    token: Vec<u8>,
    is_cut: bool,
    key: Option<String>,
    found: Stray,
}

impl Scan {
    /// Reads on.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.step(*byte));
    }

    /// What was found.
    pub(crate) fn end(self) -> Stray {
        self.found
    }

    fn step(&mut self, byte: u8) {
        if self.in_text {
            self.keep(byte);
            (self.in_text, self.escaped) = (self.escaped || byte != b'"', !self.escaped && byte == b'\\');
            return;
        }
        match byte {
            b'"' => {
                self.in_text = true;
                self.keep(byte);
            }
            b'{' | b'[' => {
                if self.depth <= 1 {
                    self.forget();
                }
                self.depth = self.depth.saturating_add(1);
            }
            b'}' | b']' => {
                self.value();
                self.depth = self.depth.saturating_sub(1);
            }
            b':' if self.depth == 1 => {
                self.key = if self.is_cut { None } else { serde_json::from_slice(&self.token).ok() };
                self.found.asks |= self.key.as_deref() == Some("method");
                self.forget();
            }
            b',' => self.value(),
            _ => self.keep(byte),
        }
    }

    fn keep(&mut self, byte: u8) {
        if self.depth != 1 || self.is_cut {
            return;
        }
        if self.token.len() < TOKEN_BYTES_MAX {
            self.token.push(byte);
        } else {
            self.is_cut = true;
        }
    }

    /// A value at the top is over.
    fn value(&mut self) {
        if self.depth != 1 {
            return;
        }
        let is_id = self.key.take().as_deref() == Some("id") && !self.is_cut;
        if let Some(id) = Id::from_json(&self.token).filter(|_| is_id && self.found.ids.len() < IDS_MAX) {
            self.found.ids.push(id);
        }
        self.forget();
    }

    fn forget(&mut self) {
        self.token.clear();
        self.is_cut = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_at_the_top_of_whatever_it_is_and_nowhere_else() {
        let deep = format!(r#"{{"result":{}1{},"jsonrpc":"2.0","id":5}}"#, "[".repeat(9_000), "]".repeat(9_000));
        for (text, ids, asks) in [
            (r#"{"jsonrpc":"2.0","id":3,"result":{"con"#, &["3"][..], false),
            (r#"{"id":"a\u0062","result":{"id":7,"x":["id",{"id":8}]}}"#, &[r#""ab""#], false),
            (r#"{"id":1,"id":2,"result":{}}"#, &["1", "2"], false),
            (r#"{"i\u0064":1,"method":"m","params":[]}"#, &["1"], true),
            (r#"{"x":"\"id\":4,\\","result":{"method":"m"},"id":5}"#, &["5"], false),
            (&deep, &["5"], false),
            ("running 1 test", &[], false),
            (r#"{"id":1.5}"#, &[], false),
            (r#"[{"id":1}]"#, &[], false),
            (r#"}}}{"id":null,"id":true,"id":[1],"id":{"id":2},"id":"x"}"#, &[r#""x""#], false),
        ] {
            let found = Stray::of(text.as_bytes());
            let shown: Vec<String> = found.ids.iter().map(Id::as_json).collect();
            assert_eq!(
                (shown.as_slice(), found.asks),
                (&ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>()[..], asks),
                "{text}"
            );
        }
        let long = format!(r#"{{"id":"{}","result":1}}"#, "x".repeat(TOKEN_BYTES_MAX));
        assert_eq!(Stray::of(long.as_bytes()).ids, []);
    }
}
