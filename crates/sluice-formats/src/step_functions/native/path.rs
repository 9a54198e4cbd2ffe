//! JSONPath and intrinsic functions as jq.

use std::collections::BTreeSet;

use super::super::lower::CALLER;
use super::super::path::{Segment, segments};
use crate::native::{member, quoted};

/// Deepest nesting of calls.
const DEPTH_MAX: usize = 16;

/// What an expression sees.
#[derive(Clone, Debug)]
pub(super) struct Sight {
    /// The jq of `$`.
    pub(super) input: String,
    /// Whether a `Map` is around.
    pub(super) in_map: bool,
    /// The state's name.
    pub(super) state: String,
}

/// An expression as jq.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) jq: String,
    /// Names of `$context` that it reads.
    pub(super) reads: BTreeSet<String>,
    pub(super) notes: BTreeSet<&'static str>,
}

/// What differs wherever a path is read.
const ABSENT: &str = "a path that leads to nothing gives `null`; the original fails there";

/// The jq of a text; else what of it has no equivalent.
pub(super) fn jq(text: &str, sight: &Sight) -> Result<Told, String> {
    let mut parser = Parser { rest: text.trim(), sight, told: Told::default() };
    let made = parser.argument(0)?;
    if !parser.rest.trim().is_empty() {
        return Err("a text that is neither a path nor a call".to_owned());
    }
    Ok(Told { jq: made.jq, ..parser.told })
}

/// Whether a path leads to something, as jq.
pub(super) fn present(text: &str, sight: &Sight) -> Result<Told, String> {
    let mut parser = Parser { rest: text.trim(), sight, told: Told::default() };
    let (mut base, segments) = parser.root()?;
    if !parser.rest.trim().is_empty() {
        return Err("a text that is no path".to_owned());
    }
    let mut tests = Vec::new();
    for segment in segments {
        match &segment {
            Segment::Name(name) => tests.push(format!("({base} | type == \"object\" and has({}))", quoted(name))),
            Segment::Index(index) => tests.push(format!("({base} | type == \"array\" and length > {index})")),
            Segment::Several => {}
        }
        base = stepped(&base, &segment)?;
    }
    let jq = if tests.is_empty() { "true".to_owned() } else { tests.join(" and ") };
    // Whether something is there is what is asked: nothing differs.
    Ok(Told { jq, reads: parser.told.reads, notes: BTreeSet::new() })
}

/// An expression that may stand in a larger one.
pub(super) fn atom(jq: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '$' | '_' | '.' | '[' | ']');
    let is_path = jq.starts_with(['$', '.']) && jq.chars().all(plain);
    if is_path || jq.starts_with('(') && closes_at_end(jq) { jq.to_owned() } else { format!("({jq})") }
}

/// Whether the bracket that a text begins with is closed by its last one, as far as a glance tells.
fn closes_at_end(jq: &str) -> bool {
    !jq.contains('"') && jq.ends_with(')') && jq.matches('(').count() == 1
}

/// A field of the input.
pub(super) fn field(name: &str) -> String {
    let made = member("", name);
    if made.starts_with('[') { format!(".{made}") } else { made }
}

fn stepped(base: &str, segment: &Segment) -> Result<String, String> {
    match segment {
        Segment::Name(name) if base == "." => Ok(field(name)),
        Segment::Name(name) => Ok(member(base, name)),
        Segment::Index(index) => Ok(format!("{base}[{index}]")),
        Segment::Several => Err("a path that leads to several values".to_owned()),
    }
}

/// An argument of a call.
struct Argument {
    jq: String,
    /// Of a quoted text: its characters, and whether each was escaped.
    text: Option<Vec<(char, bool)>>,
    index: Option<i64>,
}

impl Argument {
    fn of(jq: String) -> Self {
        Self { jq, text: None, index: None }
    }
}

struct Parser<'s> {
    rest: &'s str,
    sight: &'s Sight,
    told: Told,
}

impl Parser<'_> {
    fn argument(&mut self, depth: usize) -> Result<Argument, String> {
        self.rest = self.rest.trim_start();
        if depth > DEPTH_MAX {
            return Err("a call that lies too deep in others".to_owned());
        }
        if self.rest.starts_with('$') {
            return self.path().map(Argument::of);
        }
        if let Some(after) = self.rest.strip_prefix('\'') {
            return self.text(after);
        }
        if let Some(after) = self.rest.strip_prefix("States.") {
            return self.call(after, depth);
        }
        let end = self.rest.find([',', ')']).unwrap_or(self.rest.len());
        let (word, after) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        let value: serde_json::Value =
            serde_json::from_str(word.trim()).map_err(|_| "a text that is neither a path nor a call".to_owned())?;
        self.rest = after;
        Ok(Argument { index: value.as_i64(), ..Argument::of(value.to_string()) })
    }

    fn path(&mut self) -> Result<String, String> {
        let (base, segments) = self.root()?;
        if !segments.is_empty() {
            self.told.notes.insert(ABSENT);
        }
        segments.iter().try_fold(base, |base, segment| stepped(&base, segment))
    }

    /// What a path starts with, and what follows.
    fn root(&mut self) -> Result<(String, Vec<Segment>), String> {
        let behind = self.rest.strip_prefix('$').ok_or_else(|| "a text that is no path".to_owned())?;
        let (is_context, behind) = behind.strip_prefix('$').map_or((false, behind), |behind| (true, behind));
        if !is_context && behind.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            return Err("a variable".to_owned());
        }
        let (segments, rest) = segments(behind).ok_or_else(|| "a path that cannot be read".to_owned())?;
        self.rest = rest;
        if is_context { self.context(segments) } else { Ok((atom(&self.sight.input), segments)) }
    }

    /// `$$`: what the engine knows of the execution.
    fn context(&mut self, segments: Vec<Segment>) -> Result<(String, Vec<Segment>), String> {
        let names: Vec<&str> =
            segments.iter().map_while(|s| if let Segment::Name(n) = s { Some(n.as_str()) } else { None }).collect();
        let (base, count) = match names.as_slice() {
            ["Execution", "Input", ..] => {
                self.told.reads.insert(CALLER.to_owned());
                (member("$context", CALLER), 2)
            }
            ["Map", "Item", "Value", ..] if self.sight.in_map => ("$item".to_owned(), 3),
            ["Map", "Item", "Index"] if self.sight.in_map => ("$index".to_owned(), 3),
            ["State", "Name"] => (quoted(&self.sight.state), 2),
            ["Task", "Token"] => return Err("the token of a task".to_owned()),
            _ => return Err("a fact of the engine: a time, a counter, the execution's id".to_owned()),
        };
        Ok((base, segments.into_iter().skip(count).collect()))
    }

    /// A quoted text.
    fn text(&mut self, after: &str) -> Result<Argument, String> {
        let mut text = Vec::new();
        let mut escaped = false;
        for (at, c) in after.char_indices() {
            match c {
                _ if escaped => {
                    text.push((c, true));
                    escaped = false;
                }
                '\\' => escaped = true,
                '\'' => {
                    let used = self.rest.len().saturating_sub(after.len()) + at + 1;
                    self.rest = self.rest.get(used..).unwrap_or_default();
                    let plain: String = text.iter().map(|(c, _)| *c).collect();
                    return Ok(Argument { text: Some(text), ..Argument::of(quoted(&plain)) });
                }
                _ => text.push((c, false)),
            }
        }
        Err("a text without an end".to_owned())
    }

    fn call(&mut self, after: &str, depth: usize) -> Result<Argument, String> {
        let no_call = || "a text that is neither a path nor a call".to_owned();
        let open = after.find('(').ok_or_else(no_call)?;
        let name = after.get(..open).unwrap_or_default().trim().to_owned();
        let used = self.rest.len().saturating_sub(after.len()) + open + 1;
        self.rest = self.rest.get(used..).unwrap_or_default().trim_start();
        let mut arguments = Vec::new();
        while !self.rest.starts_with(')') {
            arguments.push(self.argument(depth + 1)?);
            self.rest = self.rest.trim_start();
            match self.rest.strip_prefix(',') {
                Some(rest) => self.rest = rest.trim_start(),
                None if self.rest.starts_with(')') => {}
                None => return Err(no_call()),
            }
        }
        self.rest = self.rest.strip_prefix(')').unwrap_or_default();
        called(&name, &arguments).map(Argument::of)
    }
}

/// An intrinsic function, where jq has the same.
fn called(name: &str, arguments: &[Argument]) -> Result<String, String> {
    let jq = |argument: &Argument| atom(&argument.jq);
    match (name, arguments) {
        ("Format", [template, values @ ..]) => formatted(template, values),
        ("Array", values) => Ok(format!("[{}]", values.iter().map(jq).collect::<Vec<_>>().join(", "))),
        ("ArrayGetItem", [list, Argument { index: Some(index), .. }]) if *index >= 0 => {
            Ok(format!("({} | .[{index}])", jq(list)))
        }
        ("ArrayLength", [list]) => Ok(format!("({} | length)", jq(list))),
        ("ArrayContains", [list, value]) => {
            Ok(format!("({} as $value | {} | any(.[]; . == $value))", jq(value), jq(list)))
        }
        ("StringToJson", [text]) => Ok(format!("({} | fromjson)", jq(text))),
        ("JsonToString", [value]) => Ok(format!("({} | tojson)", jq(value))),
        ("JsonMerge", [one, other, Argument { jq: shallow, .. }]) if shallow == "false" => {
            Ok(format!("({} + {})", jq(one), jq(other)))
        }
        ("MathAdd", [one, other]) => Ok(format!("({} + {})", jq(one), jq(other))),
        // Each character of the second splits; what is empty is left out.
        ("StringSplit", [text, Argument { text: Some(by), jq: by_jq, .. }]) if by.len() == 1 => {
            Ok(format!("({} | split({by_jq}) | map(select(. != \"\")))", jq(text)))
        }
        (name, _) => Err(format!("a call of `States.{name}` like this one")),
    }
}

/// `States.Format('a {} b', x)`: each hole is the next value.
fn formatted(template: &Argument, values: &[Argument]) -> Result<String, String> {
    let Some(text) = &template.text else { return Err("a template of `States.Format` that is computed".to_owned()) };
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut values = values.iter();
    let mut open = text.iter().peekable();
    while let Some((c, escaped)) = open.next() {
        let is_hole = *c == '{' && !escaped && open.peek().is_some_and(|next| **next == ('}', false));
        if !is_hole {
            literal.push(*c);
            continue;
        }
        open.next();
        let Some(value) = values.next() else { return Err("a template with more holes than values".to_owned()) };
        parts.push(quoted(&std::mem::take(&mut literal)));
        parts.push(format!("({} | tostring)", atom(&value.jq)));
    }
    if values.next().is_some() {
        return Err("a template with more values than holes".to_owned());
    }
    parts.push(quoted(&literal));
    parts.retain(|part| part != "\"\"");
    Ok(if parts.is_empty() { "\"\"".to_owned() } else { format!("({})", parts.join(" + ")) })
}
