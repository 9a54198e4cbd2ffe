//! JSONPath as Amazon States Language has it, and its intrinsic functions.
//!
//! `$.a['b c'][0]` is read exactly. Wildcards, slices, filters and descents are made from whatever stands before them;
//! a text that is neither a path nor a call is made from everything that it could see.

use sluice_core::expression::{Expression, TextPart};
use sluice_core::text::Span;

use super::scope::{Read, Scope};

/// Deepest nesting of calls.
const DEPTH_MAX: usize = 32;

/// Reads the text of a `….$` field, or of `InputPath` and its like.
pub(super) fn read(text: &str, scope: &Scope, span: Span) -> Read {
    let mut parser = Parser { rest: text.trim(), scope, span, is_opaque: false };
    match parser.argument(0) {
        Some(expression) if parser.rest.trim().is_empty() => Read { expression, is_opaque: parser.is_opaque },
        _ => Read { expression: Expression::opaque(scope.everything(span), span), is_opaque: true },
    }
}

/// The names of a reference path `$.a['b']`: what `ResultPath` may be.
pub(super) fn reference(text: &str) -> Option<Vec<String>> {
    let (segments, rest) = segments(text.trim().strip_prefix('$')?)?;
    let name = |segment| match segment {
        Segment::Name(name) => Some(name),
        Segment::Index(_) | Segment::Several => None,
    };
    let names: Option<Vec<String>> = segments.into_iter().map(name).collect();
    names.filter(|_| rest.is_empty())
}

#[derive(Debug, PartialEq)]
pub(super) enum Segment {
    Name(String),
    Index(i64),
    /// Whatever else: `[*]`, `..`, `[1:2]`, `[?(…)]`, `[0,1]`.
    Several,
}

/// The segments behind the root, up to the first character that can be of no path.
pub(super) fn segments(text: &str) -> Option<(Vec<Segment>, &str)> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        if let Some(after) = rest.strip_prefix("..") {
            found.push(Segment::Several);
            rest = after.trim_start_matches(|c: char| c == '*' || is_name(c));
        } else if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(|c: char| !is_name(c)).unwrap_or(after.len());
            let (name, after) = after.split_at_checked(end)?;
            match after.strip_prefix('*').filter(|_| name.is_empty()) {
                Some(after) => {
                    found.push(Segment::Several);
                    rest = after;
                }
                None if name.is_empty() => return None,
                // `$.a.length()`: a function of the path library.
                None if after.starts_with("()") => {
                    found.push(Segment::Several);
                    rest = after.get(2..).unwrap_or_default();
                }
                None => {
                    found.push(Segment::Name(name.to_owned()));
                    rest = after;
                }
            }
        } else if let Some(after) = rest.strip_prefix('[') {
            let (inside, after) = bracket(after)?;
            found.push(bracketed(inside));
            rest = after;
        } else {
            return Some((found, rest));
        }
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '@' | ':' | '{' | '}' | '$')
}

/// What stands in brackets, quotes and inner brackets respected, and what follows.
fn bracket(text: &str) -> Option<(&str, &str)> {
    let mut depth = 1_usize;
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(q), _) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '[' | '(') => depth += 1,
            (None, ']' | ')') => {
                depth -= 1;
                if depth == 0 {
                    return Some((text.get(..at)?, text.get(at + 1..)?));
                }
            }
            _ => {}
        }
    }
    None
}

fn bracketed(inside: &str) -> Segment {
    let inside = inside.trim();
    if let Ok(index) = inside.parse::<i64>() {
        return if index >= 0 { Segment::Index(index) } else { Segment::Several };
    }
    let quoted = |q: char| inside.strip_prefix(q).and_then(|rest| rest.strip_suffix(q));
    match quoted('\'').or_else(|| quoted('"')) {
        Some(name) if !name.contains(['\'', '"', '\\']) => Segment::Name(name.to_owned()),
        _ => Segment::Several,
    }
}

struct Parser<'s> {
    rest: &'s str,
    scope: &'s Scope,
    span: Span,
    is_opaque: bool,
}

impl Parser<'_> {
    fn argument(&mut self, depth: usize) -> Option<Expression> {
        self.rest = self.rest.trim_start();
        if depth > DEPTH_MAX {
            return None;
        }
        if self.rest.starts_with('$') {
            return self.path();
        }
        if let Some(after) = self.rest.strip_prefix('\'') {
            return self.text(after).map(|text| Expression::literal(&serde_json::Value::String(text), self.span));
        }
        if let Some(after) = self.rest.strip_prefix("States.") {
            return self.call(after, depth);
        }
        let end = self.rest.find([',', ')']).unwrap_or(self.rest.len());
        let (word, after) = self.rest.split_at_checked(end)?;
        let value: serde_json::Value = serde_json::from_str(word.trim()).ok()?;
        self.rest = after;
        Some(Expression::literal(&value, self.span))
    }

    fn path(&mut self) -> Option<Expression> {
        let span = self.span;
        let behind = self.rest.strip_prefix('$')?;
        let (root, behind) = if let Some(behind) = behind.strip_prefix('$') {
            (Root::Context, behind)
        } else {
            let end = behind.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(behind.len());
            let (name, behind) = behind.split_at_checked(end)?;
            (if name.is_empty() { Root::Input } else { Root::Variable(name) }, behind)
        };
        let (segments, rest) = segments(behind)?;
        let several = segments.iter().position(|s| *s == Segment::Several);
        let exact = segments.get(..several.unwrap_or(segments.len()))?;
        let names = exact.iter().map_while(|s| if let Segment::Name(n) = s { Some(n.clone()) } else { None });
        let names: Vec<String> = names.collect();
        let (base, done) = match root {
            Root::Context => (self.scope.context(&names, span), names.len()),
            Root::Variable(name) => match self.scope.variables.get(name) {
                Some(place) => (crate::wiring::place_variable(*place, span), 0),
                None => (Expression::opaque(Vec::new(), span), 0),
            },
            Root::Input => match names.first() {
                Some(first) => (self.scope.input.field(first, span), 1),
                None => (self.scope.input.all(span), 0),
            },
        };
        let found = exact.iter().skip(done).fold(base, |e, segment| match segment {
            Segment::Name(name) => Expression::member(e, name),
            Segment::Index(index) => Expression::element(e, *index),
            Segment::Several => e,
        });
        let consumed = behind.len().saturating_sub(rest.len());
        let own = behind.get(..consumed).unwrap_or_default();
        self.rest = rest;
        if several.is_none() {
            return Some(found);
        }
        self.is_opaque = true;
        // A filter may compare with another path.
        let mut parts = vec![found];
        if own.contains('$') {
            parts.extend(self.scope.everything(span));
        }
        Some(Expression::opaque(parts, span))
    }

    /// A quoted text, its escapes undone.
    fn text(&mut self, after: &str) -> Option<String> {
        let mut text = String::new();
        let mut escaped = false;
        for (at, c) in after.char_indices() {
            match c {
                _ if escaped => {
                    if matches!(c, '{' | '}') {
                        // `\{` is a brace of the text, not a hole of `States.Format`.
                        text.push('\\');
                    }
                    text.push(c);
                    escaped = false;
                }
                '\\' => escaped = true,
                '\'' => {
                    let used = self.rest.len().saturating_sub(after.len()) + at + 1;
                    self.rest = self.rest.get(used..)?;
                    return Some(text);
                }
                _ => text.push(c),
            }
        }
        None
    }

    fn call(&mut self, after: &str, depth: usize) -> Option<Expression> {
        let open = after.find('(')?;
        let name = after.get(..open)?.trim().to_owned();
        let used = self.rest.len().saturating_sub(after.len()) + open + 1;
        self.rest = self.rest.get(used..)?.trim_start();
        let mut arguments = Vec::new();
        let mut first_text = None;
        while !self.rest.starts_with(')') {
            let argument = self.argument(depth + 1)?;
            if arguments.is_empty() {
                first_text = argument.constant().and_then(|c| c.as_str().map(str::to_owned));
            }
            arguments.push(argument);
            self.rest = self.rest.trim_start();
            match self.rest.strip_prefix(',') {
                Some(rest) => self.rest = rest.trim_start(),
                None if self.rest.starts_with(')') => {}
                None => return None,
            }
        }
        self.rest = self.rest.strip_prefix(')')?;
        Some(self.called(&name, arguments, first_text))
    }

    fn called(&mut self, name: &str, mut arguments: Vec<Expression>, first_text: Option<String>) -> Expression {
        let span = self.span;
        match (name, first_text) {
            ("Format", Some(template)) => formatted(&template, arguments.split_off(1.min(arguments.len())), span),
            ("Array", _) => self.scope.list(arguments, span),
            ("ArrayGetItem", _) => {
                let index = arguments.get(1).and_then(Expression::constant).and_then(|c| c.as_i64());
                match (index, arguments.first()) {
                    (Some(index), Some(list)) if index >= 0 => Expression::element(list.clone(), index),
                    _ => Expression::opaque(arguments, span),
                }
            }
            ("UUID", _) => Expression::opaque(Vec::new(), span),
            ("JsonMerge", _) if arguments.len() >= 2 => {
                let second = arguments.get(1).cloned();
                match (arguments.into_iter().next(), second) {
                    (Some(first), Some(second)) => first.merged(second),
                    _ => Expression::opaque(Vec::new(), span),
                }
            }
            // Their result is another value that is made from their arguments.
            _ => Expression::opaque(arguments, span),
        }
    }
}

#[derive(Clone, Copy)]
enum Root<'s> {
    Input,
    Context,
    Variable(&'s str),
}

/// `States.Format('a {} b', x)`: each hole is the next argument, unescaped.
fn formatted(template: &str, arguments: Vec<Expression>, span: Span) -> Expression {
    let mut parts = Vec::new();
    let mut rest = template;
    let mut arguments = arguments.into_iter();
    while let Some(at) = rest.find("{}") {
        let before = rest.get(..at).unwrap_or_default();
        rest = rest.get(at + 2..).unwrap_or_default();
        parts.push(TextPart::Literal(before.replace('\\', "").into()));
        if let Some(argument) = arguments.next() {
            parts.push(TextPart::Expression(argument));
        }
    }
    parts.push(TextPart::Literal(rest.replace('\\', "").into()));
    parts.extend(arguments.map(TextPart::Expression));
    Expression::text(parts, span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_path_is_its_names() {
        for (text, names) in [
            ("$", Some(vec![])),
            ("$.a", Some(vec!["a"])),
            ("$.a['b c'].d-e", Some(vec!["a", "b c", "d-e"])),
            ("$.a[0]", None),
            ("$.a[*]", None),
            ("$..a", None),
            ("a.b", None),
            ("$.a b", None),
        ] {
            let expected = names.map(|n: Vec<&str>| n.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(reference(text), expected, "{text}");
        }
    }
}
