//! The workflow definition language's expressions as jq.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::function::called;
use crate::native::{EXPRESSION_MAX, Piece, Value, member, quoted};

/// Deepest nesting of calls.
const DEPTH_MAX: usize = 32;

/// Most steps of a path.
const STEPS_MAX: usize = 100;

/// What differs wherever a path is read.
const ABSENT: &str = "a path that leads to nothing gives `null`, as if it were written with `?`";

const PASTED: &str = "in the middle of a text, a list or an object ends the run with an error where the original writes its JSON, and truth values \
                      are written in small letters";

/// What a function that reads the run gives.
#[derive(Clone, Debug)]
pub(super) enum Root {
    /// A value, and the name of `$context` that it reads.
    Value(String, Option<String>),
    /// A reply under `body`, beside its status and headers, which no call gives.
    Reply(String, Option<String>),
}

/// What the functions of an expression read; `Err` says what has no equivalent.
pub(super) type Roots<'r> = &'r dyn Fn(&str, Option<&str>) -> Result<Root, String>;

/// A text as a value.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) value: Value,
    /// Names of `$context` that it reads.
    pub(super) reads: BTreeSet<String>,
    pub(super) notes: BTreeSet<&'static str>,
}

/// The value of a text.
///
/// # Errors
/// What of it has no equivalent.
pub(super) fn value(text: &str, roots: Roots<'_>) -> Result<Told, String> {
    let mut parser = Parser { rest: "", roots, reads: BTreeSet::new(), notes: BTreeSet::new() };
    let value = parser.whole(text)?;
    Ok(Told { value, reads: parser.reads, notes: parser.notes })
}

struct Parser<'s, 'r> {
    rest: &'s str,
    roots: Roots<'r>,
    reads: BTreeSet<String>,
    notes: BTreeSet<&'static str>,
}

/// A value on the way.
enum Is {
    Jq(String),
    /// What a reply is, but for the `body` that must be picked from it.
    Reply(String),
}

fn unread<T>() -> Result<T, String> {
    Err("an expression that cannot be read".to_owned())
}

impl<'s> Parser<'s, '_> {
    fn whole(&mut self, text: &'s str) -> Result<Value, String> {
        if let Some(rest) = text.strip_prefix("@@") {
            return Ok(Value::Constant(format!("@{rest}").into()));
        }
        if let Some(rest) = text.strip_prefix('@').filter(|rest| !rest.starts_with('{')) {
            self.rest = rest;
            let jq = self.expression(0)?;
            return if self.rest.trim().is_empty() {
                Ok(same(&jq).map_or_else(|| Value::jq(jq), Value::Constant))
            } else {
                unread()
            };
        }
        self.interpolated(text)
    }

    fn interpolated(&mut self, text: &'s str) -> Result<Value, String> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once("@{") {
            // `@@{` is the text `@{`.
            if let Some(escaped) = before.strip_suffix('@') {
                Piece::Literal(format!("{escaped}@{{")).push(&mut pieces);
                rest = after;
                continue;
            }
            Piece::Literal(before.to_owned()).push(&mut pieces);
            self.rest = after;
            let jq = self.expression(0)?;
            rest = self.rest.trim_start().strip_prefix('}').ok_or_else(|| "a bracket without an end".to_owned())?;
            Piece::of_jq(jq).push(&mut pieces);
        }
        Piece::Literal(rest.to_owned()).push(&mut pieces);
        if pieces.iter().any(|piece| matches!(piece, Piece::Jq(_))) {
            self.notes.insert(PASTED);
        }
        Ok(match pieces.as_slice() {
            [] => Value::Constant("".into()),
            [Piece::Literal(only)] => Value::Constant(only.as_str().into()),
            // It is a text, whatever is in it.
            [Piece::Jq(only)] => Value::jq(format!("([{only}] | join(\"\"))")),
            _ => Value::Text(pieces),
        })
    }

    fn expression(&mut self, depth: usize) -> Result<String, String> {
        match self.value(depth)? {
            Is::Jq(jq) => Ok(jq),
            Is::Reply(_) => Err("the status or the headers of a reply".to_owned()),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Is, String> {
        if depth > DEPTH_MAX {
            return Err("a call that lies too deep in others".to_owned());
        }
        self.rest = self.rest.trim_start();
        if let Some(rest) = self.rest.strip_prefix('\'') {
            let text = self.quoted(rest)?;
            return self.behind(Is::Jq(quoted(&text)), depth);
        }
        let end = self.rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$' | '-' | '+' | '.')));
        let (word, after) = self.rest.split_at_checked(end.unwrap_or(self.rest.len())).unwrap_or_default();
        if word.is_empty() {
            return unread();
        }
        if let Some(inside) = after.trim_start().strip_prefix('(') {
            self.rest = inside;
            let found = self.call(word, depth)?;
            return self.behind(found, depth);
        }
        let word = word.to_lowercase();
        let json: Json = serde_json::from_str(&word).map_err(|_| format!("the word `{word}`"))?;
        self.rest = after;
        Ok(Is::Jq(if word.starts_with('-') { format!("({json})") } else { json.to_string() }))
    }

    /// `'it''s'`
    fn quoted(&mut self, mut rest: &'s str) -> Result<String, String> {
        let mut text = String::new();
        while let Some((before, after)) = rest.split_once('\'') {
            text.push_str(before);
            match after.strip_prefix('\'') {
                Some(more) => {
                    text.push('\'');
                    rest = more;
                }
                None => {
                    self.rest = after;
                    return Ok(text);
                }
            }
        }
        Err("a text without an end".to_owned())
    }

    /// `?['a']`, `.b`, `[0]`.
    fn behind(&mut self, base: Is, depth: usize) -> Result<Is, String> {
        let (mut found, mut steps) = (base, 0);
        loop {
            let rest = self.rest.trim_start();
            let rest = rest.strip_prefix('?').unwrap_or(rest);
            let key = if let Some(inside) = rest.strip_prefix('[') {
                self.rest = inside;
                let key = self.expression(depth + 1)?;
                self.rest =
                    self.rest.trim_start().strip_prefix(']').ok_or_else(|| "a bracket without an end".to_owned())?;
                key
            } else if let Some(after) = rest.strip_prefix('.') {
                let end = after.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'))).unwrap_or(after.len());
                let (name, after) = after.split_at_checked(end).unwrap_or_default();
                if name.is_empty() {
                    return unread();
                }
                self.rest = after;
                quoted(name)
            } else {
                return Ok(found);
            };
            self.notes.insert(ABSENT);
            steps += 1;
            if steps > STEPS_MAX || key.len() > EXPRESSION_MAX {
                return Err("a path that is too long".to_owned());
            }
            found = picked(found, &key)?;
        }
    }

    fn call(&mut self, name: &str, depth: usize) -> Result<Is, String> {
        let mut arguments = Vec::new();
        self.rest = self.rest.trim_start();
        while !self.rest.starts_with(')') {
            arguments.push(self.expression(depth + 1)?);
            self.rest = self.rest.trim_start();
            match self.rest.strip_prefix(',') {
                Some(rest) => self.rest = rest.trim_start(),
                None if self.rest.starts_with(')') => {}
                None => return unread(),
            }
        }
        self.rest = self.rest.strip_prefix(')').unwrap_or_default();
        let lower = name.to_lowercase();
        if !super::super::expression::is_root(&lower) {
            let (jq, notes) = called(name, &arguments)?;
            self.notes.extend(notes);
            return Ok(Is::Jq(jq));
        }
        let first: Option<String> = arguments.first().and_then(|jq| serde_json::from_str(jq).ok());
        if arguments.len() > 1 || first.is_none() && !arguments.is_empty() {
            return Err(format!("a call of `{name}` with a name that is computed, or with several"));
        }
        let (found, read) = match (self.roots)(&lower, first.as_deref())? {
            Root::Value(jq, read) => (Is::Jq(jq), read),
            Root::Reply(jq, read) => (Is::Reply(jq), read),
        };
        self.reads.extend(read);
        Ok(found)
    }
}

/// What is the same in every run.
fn same(jq: &str) -> Option<Json> {
    serde_json::from_str(jq).ok()
}

/// `base[key]`.
fn picked(base: Is, key: &str) -> Result<Is, String> {
    let name: Option<String> = serde_json::from_str(key).ok();
    match (base, name) {
        (Is::Reply(jq), Some(name)) if name == "body" => Ok(Is::Jq(jq)),
        (_, Some(name)) if name.matches('/').count() > STEPS_MAX => Err("a path that is too long".to_owned()),
        (Is::Reply(jq), Some(name)) => match name.strip_prefix("body/") {
            Some(path) => Ok(Is::Jq(path.split('/').fold(jq, |jq, name| member(&jq, name)))),
            None => Err("the status or the headers of a reply".to_owned()),
        },
        // `triggerOutputs()?['body/from']`: flows name a field of the body so.
        (Is::Jq(jq), Some(name)) if name.starts_with("body/") => {
            Ok(Is::Jq(name.split('/').fold(jq, |jq, name| member(&jq, name))))
        }
        (Is::Jq(jq), Some(name)) => Ok(Is::Jq(member(&jq, &name))),
        (Is::Jq(jq), None) => Ok(Is::Jq(format!("{jq}[{key}]"))),
        (Is::Reply(_), None) => Err("a part of a reply whose name is computed".to_owned()),
    }
}
