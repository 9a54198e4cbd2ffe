//! How deep a text can nest, known before a recursive parser sees it.

/// More than any text of a person.
const NESTING_MAX: usize = 320;
/// What an open bracket weighs: a recursive parser descends through every precedence for it.
const BRACKET: usize = 2;

/// The longest text that is parsed.
pub(super) const SOURCE_BYTES_MAX: usize = 256 << 10;

/// Words that nest without brackets.
const PREFIXES: [&str; 23] = [
    "typeof",
    "new",
    "await",
    "void",
    "delete",
    "yield",
    "if",
    "else",
    "for",
    "while",
    "do",
    "in",
    "instanceof",
    "function",
    "class",
    "extends",
    "async",
    "return",
    "throw",
    "of",
    "case",
    "try",
    "with",
];

/// Whether the parser may see it: short enough, and nowhere nested deeper than its stack bears.
///
/// Nesting is counted from above: open brackets plus, at each of them, the operators since the last separator. Where the
/// end of a regular expression is in doubt, and with it what is text and what is code, the answer is no.
pub(super) fn is_parsable(text: &str) -> bool {
    if text.len() > SOURCE_BYTES_MAX {
        return false;
    }
    let few = text.bytes().filter(|b| b.is_ascii_punctuation()).count() + text.split_ascii_whitespace().count();
    few <= NESTING_MAX / BRACKET || Scan::new(text.as_bytes()).run()
}

struct Scan<'t> {
    text: &'t [u8],
    at: usize,
    /// For each open bracket: the operators since its last separator, and whether it is a template's `${`.
    open: Vec<(usize, bool)>,
    run: usize,
    sum: usize,
    /// Whether a `/` here divides.
    after_value: bool,
    after_closer: bool,
}

impl<'t> Scan<'t> {
    fn new(text: &'t [u8]) -> Self {
        Self { text, at: 0, open: Vec::new(), run: 0, sum: 0, after_value: false, after_closer: false }
    }

    fn run(mut self) -> bool {
        while let Some(byte) = self.text.get(self.at).copied() {
            if !self.step(byte) || self.open.len() * BRACKET + self.sum + self.run > NESTING_MAX {
                return false;
            }
        }
        true
    }

    fn next_is(&self, with: &[u8]) -> bool {
        self.text.get(self.at..).is_some_and(|rest| rest.starts_with(with))
    }

    fn step(&mut self, byte: u8) -> bool {
        match byte {
            b'\n' => {
                self.at += 1;
                if self.ends_statement() {
                    self.run = 0;
                }
            }
            b' ' | b'\t' | b'\r' => self.at += 1,
            b'"' | b'\'' => return self.quoted(byte),
            b'`' => {
                self.at += 1;
                return self.template();
            }
            b'/' if self.next_is(b"//") => self.skip_to(b"\n"),
            b'/' if self.next_is(b"/*") => {
                self.at += 2;
                self.skip_to(b"*/");
            }
            b'/' => return self.slash(),
            b'(' | b'[' | b'{' => self.opener(false),
            b')' | b']' | b'}' => return self.closer(byte),
            b',' | b';' => {
                self.run = 0;
                self.operator(0);
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' | b'0'..=b'9' | 0x80.. => self.word(),
            _ => self.operator(1),
        }
        true
    }

    fn operator(&mut self, weight: usize) {
        self.at += 1;
        self.run += weight;
        (self.after_value, self.after_closer) = (false, false);
    }

    fn word(&mut self) {
        let part = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$' | 0x80..);
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.iter().take_while(part).count();
        let prefix = rest.get(..length).is_some_and(|w| PREFIXES.iter().any(|p| p.as_bytes() == w));
        self.at += length;
        self.run += usize::from(prefix);
        (self.after_value, self.after_closer) = (!prefix, false);
    }

    fn opener(&mut self, template: bool) {
        self.at += 1;
        self.open.push((self.run, template));
        self.sum += self.run;
        self.run = 0;
        (self.after_value, self.after_closer) = (false, false);
    }

    fn closer(&mut self, byte: u8) -> bool {
        let Some((run, template)) = self.open.pop() else { return false };
        self.sum -= run;
        self.run = run;
        self.at += 1;
        if template {
            return self.template();
        }
        (self.after_value, self.after_closer) = (true, true);
        if byte == b'}' && !self.goes_on() {
            self.run = 0;
        } else {
            // What is called or indexed nests from its end.
            self.run += 1;
        }
        true
    }

    /// Whether what a `}` ends may go on: an `else`, or an operator behind an object.
    fn goes_on(&self) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default().trim_ascii_start();
        let word = |b: &u8| b.is_ascii_alphabetic() || matches!(b, b'}' | b'$' | b'_');
        let ended = rest.first().is_none_or(word);
        !ended || [&b"else"[..], b"in", b"while"].iter().any(|w| rest.starts_with(w))
    }

    /// Whether a line ends here whose next one can only be another statement.
    fn ends_statement(&self) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default().trim_ascii_start();
        self.after_value
            && !self.after_closer
            && rest.first().is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'$' | b'_'))
            && ![&b"in"[..], b"else", b"while", b"of"].iter().any(|w| rest.starts_with(w))
    }

    fn skip_to(&mut self, end: &[u8]) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let found = rest.windows(end.len()).position(|w| w == end);
        self.at += found.map_or(rest.len(), |i| i + end.len());
    }

    fn quoted(&mut self, quote: u8) -> bool {
        self.at += 1;
        while let Some(byte) = self.text.get(self.at) {
            match byte {
                b'\\' => self.at += 2,
                b'\n' => return false,
                byte => {
                    self.at += 1;
                    if *byte == quote {
                        (self.after_value, self.after_closer) = (true, false);
                        return true;
                    }
                }
            }
        }
        false
    }

    fn template(&mut self) -> bool {
        while let Some(byte) = self.text.get(self.at) {
            match byte {
                b'\\' => self.at += 2,
                b'`' => {
                    self.at += 1;
                    (self.after_value, self.after_closer) = (true, false);
                    return true;
                }
                b'$' if self.next_is(b"${") => {
                    self.at += 1;
                    self.opener(true);
                    return true;
                }
                _ => self.at += 1,
            }
        }
        false
    }

    fn slash(&mut self) -> bool {
        let line = self.text.get(self.at + 1..).unwrap_or_default();
        let line = line.split(|b| *b == b'\n').next().unwrap_or_default();
        if self.after_value {
            // Behind a closing bracket both are possible, unless no second slash follows.
            let doubtful = self.after_closer && line.contains(&b'/') && line.iter().any(|b| b"\"'`([{".contains(b));
            self.operator(1);
            return !doubtful;
        }
        let (mut escaped, mut class) = (false, false);
        for (i, byte) in line.iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'[' => class = true,
                b']' => class = false,
                b'/' if !class => {
                    self.at += i + 2;
                    (self.after_value, self.after_closer) = (true, false);
                    return true;
                }
                _ => {}
            }
        }
        false
    }
}
