//! The language between `${{` and `}}`: literals, contexts, operators, calls.
//!
//! Source: GitHub's documentation of workflow expressions. Names compare without case, as there.

use std::iter::Peekable;
use std::str::Chars;

/// Deepest nesting; deeper text is opaque.
const DEPTH_MAX: usize = 50;

/// What stands in an expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ast {
    /// A text.
    Text(String),
    /// `true` or `false`.
    Bool(bool),
    /// `null` or a number.
    Plain,
    /// A context or function argument by its name, in lower case.
    Name(String),
    /// `base.key`, `base['key']`.
    Member(Box<Self>, String),
    /// `base[key]`, and `base.*`, which has no key.
    Element(Box<Self>, Option<Box<Self>>),
    /// `name(…)`, the name in lower case.
    Call(String, Vec<Self>),
    Not(Box<Self>),
    Compare(&'static str, Box<Self>, Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Text(String),
    Number,
    Name(String),
    Sign(&'static str),
}

const SIGNS: [&str; 16] = ["&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "(", ")", "[", "]", ".", ",", "*"];

/// Reads an expression; `None` of what is none.
pub(super) fn parse(text: &str) -> Option<Ast> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
    let ast = parser.or()?;
    (parser.at == parser.tokens.len()).then_some(ast)
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(c) = rest.chars().next() {
        let (token, left) = if c == '\'' {
            quoted(rest)?
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            (Token::Sign(sign), rest.strip_prefix(sign)?)
        } else if c.is_ascii_digit() || matches!(c, '-' | '+') {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).unwrap_or(rest.len());
            (Token::Number, rest.get(end..)?)
        } else if c.is_alphabetic() || c == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').unwrap_or(rest.len());
            (Token::Name(rest.get(..end)?.to_lowercase()), rest.get(end..)?)
        } else {
            return None;
        };
        found.push(token);
        rest = left.trim_start();
    }
    Some(found)
}

/// A text in single quotes, in which two stand for one.
fn quoted(text: &str) -> Option<(Token, &str)> {
    let mut value = String::new();
    let mut chars: Peekable<Chars<'_>> = text.get(1..)?.chars().peekable();
    let mut read = 1;
    while let Some(c) = chars.next() {
        read += c.len_utf8();
        if c != '\'' {
            value.push(c);
        } else if chars.peek() == Some(&'\'') {
            chars.next();
            read += 1;
            value.push('\'');
        } else {
            return Some((Token::Text(value), text.get(read..)?));
        }
    }
    None
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn takes(&mut self, sign: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some(Token::Sign(s)) if *s == sign);
        self.at += usize::from(found);
        found
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn or(&mut self) -> Option<Ast> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        let mut left = self.and()?;
        while self.takes("||") {
            left = Ast::Or(Box::new(left), Box::new(self.and()?));
        }
        self.depth -= 1;
        Some(left)
    }

    fn and(&mut self) -> Option<Ast> {
        let mut left = self.comparison()?;
        while self.takes("&&") {
            left = Ast::And(Box::new(left), Box::new(self.comparison()?));
        }
        Some(left)
    }

    fn comparison(&mut self) -> Option<Ast> {
        let mut left = self.unary()?;
        while let Some(sign) = ["==", "!=", "<=", ">=", "<", ">"].into_iter().find(|sign| self.takes(sign)) {
            left = Ast::Compare(sign, Box::new(left), Box::new(self.unary()?));
        }
        Some(left)
    }

    fn unary(&mut self) -> Option<Ast> {
        let mut nots = 0_usize;
        while self.takes("!") {
            nots += 1;
        }
        let inner = self.postfix()?;
        // `!` twice is a boolean that says what the expression says.
        Some(match nots {
            0 => inner,
            n if n.is_multiple_of(2) => Ast::Not(Box::new(Ast::Not(Box::new(inner)))),
            _ => Ast::Not(Box::new(inner)),
        })
    }

    fn postfix(&mut self) -> Option<Ast> {
        let mut base = self.primary()?;
        // Chains nest to the left: their length counts as depth.
        let before = self.depth;
        loop {
            self.depth += 1;
            if self.depth > DEPTH_MAX {
                return None;
            }
            base = if self.takes(".") {
                if self.takes("*") {
                    Ast::Element(Box::new(base), None)
                } else {
                    let Token::Name(key) = self.next()? else { return None };
                    Ast::Member(Box::new(base), key)
                }
            } else if self.takes("[") {
                if self.takes("*") {
                    self.closes("]")?;
                    Ast::Element(Box::new(base), None)
                } else {
                    let key = self.or()?;
                    self.closes("]")?;
                    match key {
                        Ast::Text(key) => Ast::Member(Box::new(base), key.to_lowercase()),
                        key => Ast::Element(Box::new(base), Some(Box::new(key))),
                    }
                }
            } else {
                self.depth = before;
                return Some(base);
            };
        }
    }

    fn closes(&mut self, sign: &str) -> Option<()> {
        self.takes(sign).then_some(())
    }

    fn primary(&mut self) -> Option<Ast> {
        if self.takes("(") {
            let inner = self.or()?;
            self.closes(")")?;
            return Some(inner);
        }
        match self.next()? {
            Token::Text(text) => Some(Ast::Text(text)),
            Token::Number => Some(Ast::Plain),
            Token::Name(name) if matches!(name.as_str(), "true" | "false") => Some(Ast::Bool(name == "true")),
            Token::Name(name) if matches!(name.as_str(), "null" | "infinity" | "nan") => Some(Ast::Plain),
            Token::Name(name) if self.takes("(") => Some(Ast::Call(name, self.arguments()?)),
            Token::Name(name) => Some(Ast::Name(name)),
            Token::Sign(_) => None,
        }
    }

    fn arguments(&mut self) -> Option<Vec<Ast>> {
        let mut found = Vec::new();
        if self.takes(")") {
            return Some(found);
        }
        loop {
            found.push(self.or()?);
            if self.takes(")") {
                return Some(found);
            }
            self.closes(",")?;
        }
    }
}

impl Ast {
    /// The path of a context, if this is one: `github`, `event`, `issue`, `title`.
    pub(super) fn path(&self) -> Option<Vec<String>> {
        match self {
            Self::Name(name) => Some(vec![name.clone()]),
            Self::Member(base, key) => {
                let mut path = base.path()?;
                path.push(key.clone());
                Some(path)
            }
            _ => None,
        }
    }

    /// The same where lists are walked through: `github.event.commits.*.id` has the path of its keys alone.
    pub(super) fn keys(&self) -> Option<Vec<String>> {
        match self {
            Self::Element(base, _) => base.keys(),
            Self::Member(base, key) => {
                let mut path = base.keys()?;
                path.push(key.clone());
                Some(path)
            }
            _ => self.path(),
        }
    }

    /// The direct parts.
    pub(super) fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Text(_) | Self::Bool(_) | Self::Plain | Self::Name(_) => Vec::new(),
            Self::Member(base, _) | Self::Element(base, None) | Self::Not(base) => vec![base],
            Self::Element(a, Some(b)) | Self::Compare(_, a, b) | Self::And(a, b) | Self::Or(a, b) => vec![a, b],
            Self::Call(_, arguments) => arguments.iter().collect(),
        }
    }

    /// Whether any part fits.
    pub(super) fn any(&self, fits: &dyn Fn(&Self) -> bool) -> bool {
        fits(self) || self.parts().into_iter().any(|part| part.any(fits))
    }
}
