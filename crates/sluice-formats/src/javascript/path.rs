//! Plain paths, read without the parser: four of five expressions of real files are one.

use super::Root;
use super::term::Term;

/// Longer paths are nobody's, and nest too deep.
const STEPS_MAX: usize = 32;

/// The term of a text that is nothing but a path from a known root; none if it is, or might be, more than that.
pub(super) fn read(text: &str, offset: usize) -> Option<Term> {
    let mut path = Path { text, at: 0 };
    path.blank();
    let start = path.at;
    let mut term = path.root(start, offset)?;
    for _ in 0..STEPS_MAX {
        match path.peek() {
            Some(b'?') if path.starts("?.[") => {
                path.at += 2;
                term = path.bracket(term)?;
            }
            Some(b'?') if path.starts("?.") => {
                path.at += 2;
                term = path.named(term)?;
            }
            Some(b'.') => {
                path.at += 1;
                term = path.named(term)?;
            }
            Some(b'[') => term = path.bracket(term)?,
            _ => break,
        }
    }
    path.blank();
    // A handle that no step follows is left to the translation proper.
    (path.at == text.len()).then_some(term)
}

struct Path<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Path<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn starts(&self, with: &str) -> bool {
        self.rest().starts_with(with)
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, what: &str) -> Option<()> {
        self.starts(what).then(|| self.at += what.len())
    }

    fn identifier(&mut self) -> Option<&'t str> {
        let name = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_' || *b == b'$';
        let rest = self.rest();
        let length = rest.as_bytes().iter().take_while(|b| name(b)).count();
        let found = rest.get(..length)?;
        let starts_well = found.bytes().next().is_some_and(|b| !b.is_ascii_digit());
        starts_well.then(|| self.at += length)?;
        Some(found)
    }

    /// A text in quotes, without escapes.
    fn quoted(&mut self) -> Option<&'t str> {
        let quote = self.peek().filter(|q| matches!(q, b'"' | b'\''))?;
        let inner = self.text.get(self.at + 1..)?;
        let end = inner.bytes().position(|b| matches!(b, b'\\' | b'\n' | b'\r') || b == quote)?;
        (inner.as_bytes().get(end) == Some(&quote)).then(|| self.at += end + 2)?;
        inner.get(..end)
    }

    fn root(&mut self, start: usize, offset: usize) -> Option<Term> {
        let name = self.identifier()?;
        let at = |end: usize| (offset + start, offset + end);
        match name {
            "$json" => Some(Term::Place(Root::Item, at(self.at))),
            "$input" if self.peek() == Some(b'.') => Some(Term::Handle(Root::Item, at(self.at))),
            "$" => {
                self.eat("(")?;
                let node = self.quoted()?;
                self.eat(")")?;
                (self.peek() == Some(b'.')).then(|| Term::Handle(Root::Node(node.into()), at(self.at)))
            }
            "$node" => {
                let node = if self.eat("[").is_some() {
                    let node = self.quoted()?;
                    self.eat("]")?;
                    node
                } else {
                    self.eat(".")?;
                    self.identifier()?
                };
                (self.peek() == Some(b'.')).then(|| Term::Handle(Root::Node(node.into()), at(self.at)))
            }
            _ => None,
        }
    }

    fn named(&mut self, term: Term) -> Option<Term> {
        let name = self.identifier()?;
        if name == "constructor" || name == "__proto__" {
            return None;
        }
        if self.peek() != Some(b'(') {
            return Some(term.member(name));
        }
        let called = term.items_call(name).filter(|_| matches!(name, "first" | "last" | "all"))?;
        self.eat("()")?;
        Some(called)
    }

    fn bracket(&mut self, term: Term) -> Option<Term> {
        self.eat("[")?;
        let term = if let Some(key) = self.quoted() {
            if key == "constructor" || key == "__proto__" {
                return None;
            }
            term.member(key)
        } else {
            let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
            let number = self.rest().get(..digits).filter(|d| d.len() < 10 && (d.len() == 1 || !d.starts_with('0')))?;
            let index = number.parse().ok()?;
            self.at += digits;
            term.element(index)
        };
        self.eat("]")?;
        Some(term)
    }
}
