//! The known functions of values: each a total function of its input and arguments.
//!
//! A function says what it looks at: the root of its arguments (a scalar, a length, the keys) or all
//! of them. That is the label of its result, and of the question whether it fails. What it cannot
//! compute because something is unknown becomes an unknown of the kinds it can give.

use std::sync::Arc;

use crate::label::Label;
use crate::value::{Data, Kinds, Value};

use super::access;
use super::json;
use super::kinds::{self, as_float, cases, compare, is_known, kind_name};
use super::operator::split;
use super::stream::Outcome;

/// A function of its input and up to two arguments, all of them values.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Function {
    Not,
    Length,
    Utf8ByteLength,
    Keys,
    KeysUnsorted,
    Has,
    Contains,
    Indices,
    Type,
    IsKind(Kinds),
    ToText,
    ToJson,
    FromJson,
    ToNumber,
    ToBoolean,
    Lower,
    Upper,
    StartsWith,
    EndsWith,
    TrimStart,
    TrimEnd,
    Trim,
    StripPrefix,
    StripSuffix,
    Split,
    Join,
    Explode,
    Implode,
    Reverse,
    Sort,
    Flatten,
    FlattenTo,
    ToEntries,
    Floor,
    Ceil,
    Round,
    SquareRoot,
    Fabs,
    Uri,
    Base64,
    Base64Decode,
    Html,
    Shell,
}

/// How far into its arguments a function looks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Looks {
    Root,
    Deep,
}

impl Function {
    /// Whether it can fail.
    pub(super) fn fails(&self) -> bool {
        !matches!(
            self,
            Self::Not | Self::Type | Self::IsKind(_) | Self::ToText | Self::ToJson | Self::Contains | Self::Html
        )
    }

    fn looks(&self) -> Looks {
        match self {
            Self::Contains | Self::Indices | Self::ToText | Self::ToJson | Self::Join | Self::Implode => Looks::Deep,
            Self::Sort | Self::Flatten | Self::FlattenTo => Looks::Deep,
            Self::Uri | Self::Base64 | Self::Base64Decode | Self::Html | Self::Shell => Looks::Deep,
            _ => Looks::Root,
        }
    }

    /// The kinds of its results.
    fn kinds(&self) -> Kinds {
        match self {
            Self::Not | Self::Has | Self::Contains | Self::IsKind(_) | Self::ToBoolean => Kinds::BOOL,
            Self::StartsWith | Self::EndsWith => Kinds::BOOL,
            Self::Length | Self::Utf8ByteLength | Self::ToNumber => Kinds::NUMBER,
            Self::Floor | Self::Ceil | Self::Round | Self::SquareRoot | Self::Fabs => Kinds::NUMBER,
            Self::Keys | Self::KeysUnsorted | Self::Split | Self::Explode | Self::Reverse => Kinds::ARRAY,
            Self::Sort | Self::Flatten | Self::ToEntries => Kinds::ARRAY,
            Self::Indices => Kinds::ARRAY,
            Self::FromJson | Self::FlattenTo => Kinds::ALL,
            Self::Type | Self::ToText | Self::ToJson | Self::Lower | Self::Upper => Kinds::TEXT,
            Self::TrimStart | Self::TrimEnd | Self::Trim | Self::StripPrefix | Self::StripSuffix => Kinds::TEXT,
            Self::Join | Self::Implode => Kinds::TEXT,
            Self::Uri | Self::Base64 | Self::Base64Decode | Self::Html | Self::Shell => Kinds::TEXT,
        }
    }

    /// The labels that the result, and whether there is one, depend on.
    pub(super) fn looks_at(&self, arguments: &[Value]) -> Label {
        Label::join_all(arguments.iter().map(|v| match self.looks() {
            Looks::Root => v.label,
            Looks::Deep => v.deep_label(),
        }))
    }

    /// Applies it; the first of the arguments is the input.
    pub(super) fn apply(&self, arguments: &[Value]) -> Outcome {
        let label = self.looks_at(arguments);
        let known = arguments.iter().all(|v| match self.looks() {
            Looks::Root => is_known(v),
            Looks::Deep => v.is_concrete(),
        });
        if known {
            return self.compute(arguments, label).raised(label);
        }
        if let (Self::ToText, [text]) = (self, arguments)
            && text.kinds() == Kinds::TEXT
        {
            return Outcome::value(text.clone());
        }
        if let (Looks::Root, [input, rest @ ..]) = (self.looks(), arguments) {
            return self.by_case(input, rest, label).raised(label);
        }
        self.unknown(label)
    }

    /// Something of the right kinds, or a failure.
    fn unknown(&self, label: Label) -> Outcome {
        let error = self.fails().then(|| Value::unknown(label, Kinds::TEXT));
        Outcome { value: Some(Value::unknown(label, self.kinds())), error }
    }

    /// The result for an input of which only the kinds are known.
    fn by_case(&self, input: &Value, rest: &[Value], label: Label) -> Outcome {
        let mut all = Outcome::default();
        for case in cases(input) {
            let kind = case.kinds();
            all = all.or(match self {
                Self::Type | Self::IsKind(_) => self.compute(&[case], label),
                Self::Not if kind.and(Kinds::NULL.or(Kinds::BOOL)).is_empty() => {
                    Outcome::value(Value::bool(label, false))
                }
                Self::Keys | Self::KeysUnsorted => access::keys(&case, *self == Self::Keys),
                Self::Reverse if kind == Kinds::ARRAY => {
                    Outcome::value(kinds::each(label, Kinds::ARRAY, case.any_child()))
                }
                Self::ToEntries => entries_of_unknown(&case, label),
                Self::Has => rest.first().map_or_else(Outcome::default, |key| access::has(&case, key)),
                Self::FromJson if kind != Kinds::TEXT => self.compute(&[case], label),
                _ if is_known(&case) && rest.iter().all(is_known) => {
                    let arguments: Vec<Value> = std::iter::once(&case).chain(rest).cloned().collect();
                    self.compute(&arguments, label)
                }
                _ => self.unknown(label),
            });
        }
        all
    }

    /// The result for arguments that are known as far as it looks.
    fn compute(&self, arguments: &[Value], label: Label) -> Outcome {
        let null = Value::null(label);
        let mut arguments = arguments.iter();
        let input = arguments.next().unwrap_or(&null);
        let argument = arguments.next().unwrap_or(&null);
        match self.result(input, argument, label) {
            Ok(data) => Outcome::value(Value::new(label, data)),
            Err(message) => Outcome::error(message, label),
        }
    }

    fn result(&self, input: &Value, argument: &Value, label: Label) -> Result<Data, String> {
        let wrong = |doing: &str| Err(format!("cannot {doing} {}", kind_name(input)));
        let bool = |b: bool| Ok(Data::Bool(b));
        let text = |t: String| Ok(Data::Text(t.into()));
        match self {
            Self::Not => bool(kinds::truth(input) == Some(false)),
            Self::Length => length(input),
            Self::Utf8ByteLength => scalar_text(input, "count the bytes of").and_then(|t| count(t.len())),
            Self::Keys | Self::KeysUnsorted => taken(access::keys(input, *self == Self::Keys)),
            Self::Has => taken(access::has(input, argument)),
            Self::Contains => bool(contains(input, argument)),
            Self::Indices => indices(input, argument, label),
            Self::Type => text(type_name(input).to_owned()),
            Self::IsKind(kinds) => bool(kinds.has(input.kinds())),
            Self::ToText => text(json::to_text(input)),
            Self::ToJson => text(json::to_json(input)),
            Self::FromJson => scalar_text(input, "parse").and_then(|t| Ok(json::parse(t, label)?.data)),
            Self::ToNumber => to_number(input),
            Self::ToBoolean => match &input.data {
                Data::Bool(b) => bool(*b),
                Data::Text(t) if matches!(t.as_ref(), "true" | "false") => bool(t.as_ref() == "true"),
                _ => wrong("read as a boolean"),
            },
            Self::Lower => text(scalar_text(input, "lower the case of")?.to_ascii_lowercase()),
            Self::Upper => text(scalar_text(input, "raise the case of")?.to_ascii_uppercase()),
            Self::StartsWith => bool(texts(input, argument)?.0.starts_with(texts(input, argument)?.1)),
            Self::EndsWith => bool(texts(input, argument)?.0.ends_with(texts(input, argument)?.1)),
            Self::Trim => text(scalar_text(input, "trim")?.trim().to_owned()),
            Self::TrimStart => text(scalar_text(input, "trim")?.trim_start().to_owned()),
            Self::TrimEnd => text(scalar_text(input, "trim")?.trim_end().to_owned()),
            Self::StripPrefix => {
                let (t, prefix) = texts(input, argument)?;
                text(t.strip_prefix(prefix).unwrap_or(t).to_owned())
            }
            Self::StripSuffix => {
                let (t, suffix) = texts(input, argument)?;
                text(t.strip_suffix(suffix).unwrap_or(t).to_owned())
            }
            Self::Split => texts(input, argument).map(|(t, by)| split(t, by, label).data),
            Self::Join => join(input, argument),
            Self::Explode => {
                let characters = scalar_text(input, "explode")?.chars();
                let codes = characters.map(|c| Value::int(label, i64::from(u32::from(c))));
                Ok(Data::Array(Arc::new(codes.collect())))
            }
            Self::Implode => implode(input),
            Self::Reverse => {
                let items = elements(input, "reverse")?;
                Ok(Data::Array(Arc::new(items.iter().rev().cloned().collect())))
            }
            Self::Sort => {
                let mut items = elements(input, "sort")?.to_vec();
                items.sort_by(compare);
                Ok(Data::Array(Arc::new(items)))
            }
            Self::Flatten => {
                let mut flat = Vec::new();
                flatten(input, &mut flat);
                Ok(Data::Array(Arc::new(flat)))
            }
            Self::FlattenTo => flatten_to(input, argument),
            Self::ToEntries => entries(input, label),
            Self::Floor => rounded(input, f64::floor),
            Self::Ceil => rounded(input, f64::ceil),
            Self::Round => rounded(input, f64::round),
            Self::SquareRoot => number(input).and_then(|n| finite(as_float(n).sqrt())),
            Self::Fabs => number(input).and_then(|n| finite(as_float(n).abs())),
            Self::Uri => text(json::uri(&json::to_text(input))),
            Self::Base64 => text(json::base64(json::to_text(input).as_bytes())),
            Self::Base64Decode => json::base64_decode(&json::to_text(input)).map(|t| Data::Text(t.into())),
            Self::Html => text(json::html(&json::to_text(input))),
            Self::Shell => shell(input).map(|t| Data::Text(t.into())),
        }
    }
}

fn taken(outcome: Outcome) -> Result<Data, String> {
    match (outcome.value, outcome.error) {
        (Some(value), _) => Ok(value.data),
        (None, error) => Err(error.and_then(|e| e.as_text().map(str::to_owned)).unwrap_or_default()),
    }
}

fn count(n: usize) -> Result<Data, String> {
    i64::try_from(n).map(Data::Int).map_err(|_| "the count is no number that fits".to_owned())
}

fn finite(n: f64) -> Result<Data, String> {
    if n.is_finite() { Ok(Data::Float(n)) } else { Err("the result is no number that fits".to_owned()) }
}

fn scalar_text<'v>(value: &'v Value, doing: &str) -> Result<&'v str, String> {
    value.as_text().ok_or_else(|| format!("cannot {doing} {}", kind_name(value)))
}

fn texts<'v>(a: &'v Value, b: &'v Value) -> Result<(&'v str, &'v str), String> {
    Ok((scalar_text(a, "compare the ends of")?, scalar_text(b, "compare with the end")?))
}

fn number(value: &Value) -> Result<&Data, String> {
    match &value.data {
        data @ (Data::Int(_) | Data::Float(_)) => Ok(data),
        _ => Err(format!("cannot calculate with {}", kind_name(value))),
    }
}

fn elements<'v>(value: &'v Value, doing: &str) -> Result<&'v [Value], String> {
    match &value.data {
        Data::Array(items) => Ok(items),
        _ => Err(format!("cannot {doing} {}", kind_name(value))),
    }
}

fn length(value: &Value) -> Result<Data, String> {
    match &value.data {
        Data::Null => Ok(Data::Int(0)),
        Data::Int(i) => i.checked_abs().map(Data::Int).ok_or_else(|| "the length does not fit".to_owned()),
        Data::Float(f) => Ok(Data::Float(f.abs())),
        Data::Text(t) => count(t.chars().count()),
        Data::Array(items) => count(items.len()),
        Data::Object(fields) => count(fields.len()),
        Data::Bool(_) | Data::Unknown(_) => Err(format!("{} has no length", kind_name(value))),
    }
}

fn type_name(value: &Value) -> &'static str {
    match value.kinds() {
        Kinds::NULL => "null",
        Kinds::BOOL => "boolean",
        Kinds::NUMBER => "number",
        Kinds::TEXT => "string",
        Kinds::ARRAY => "array",
        _ => "object",
    }
}

fn contains(a: &Value, b: &Value) -> bool {
    match (&a.data, &b.data) {
        (Data::Text(x), Data::Text(y)) => x.contains(y.as_ref()),
        (Data::Array(x), Data::Array(y)) => y.iter().all(|theirs| x.iter().any(|mine| contains(mine, theirs))),
        (Data::Object(x), Data::Object(y)) => {
            y.iter().all(|(key, theirs)| x.get(key).is_some_and(|mine| contains(mine, theirs)))
        }
        _ => compare(a, b).is_eq(),
    }
}

fn indices(value: &Value, part: &Value, label: Label) -> Result<Data, String> {
    let numbers = |at: Vec<usize>| {
        let items = at.into_iter().filter_map(|i| i64::try_from(i).ok()).map(|i| Value::int(label, i));
        Ok(Data::Array(Arc::new(items.collect())))
    };
    match (&value.data, &part.data) {
        (Data::Text(t), Data::Text(p)) => {
            let starts = t.char_indices().enumerate();
            let found = starts.filter(|(_, (at, _))| t.get(*at..).is_some_and(|rest| rest.starts_with(p.as_ref())));
            numbers(if p.is_empty() { Vec::new() } else { found.map(|(i, _)| i).collect() })
        }
        (Data::Array(_), Data::Array(_)) => taken(access::places(value, part)),
        (Data::Array(items), _) => {
            let found = items.iter().enumerate().filter(|(_, item)| compare(item, part).is_eq());
            numbers(found.map(|(i, _)| i).collect())
        }
        _ => Err(format!("cannot look for {} in {}", kind_name(part), kind_name(value))),
    }
}

fn to_number(value: &Value) -> Result<Data, String> {
    match &value.data {
        data @ (Data::Int(_) | Data::Float(_)) => Ok(data.clone()),
        Data::Text(t) => match json::parse(t, value.label)?.data {
            data @ (Data::Int(_) | Data::Float(_)) => Ok(data),
            _ => Err("cannot read this text as a number".to_owned()),
        },
        _ => Err(format!("cannot read {} as a number", kind_name(value))),
    }
}

fn join(value: &Value, separator: &Value) -> Result<Data, String> {
    let items = elements(value, "join")?;
    let separator = match &separator.data {
        Data::Text(t) => t.as_ref(),
        Data::Null => "",
        _ if items.len() < 2 => "",
        _ => return Err(format!("cannot join with {}", kind_name(separator))),
    };
    let parts: Vec<String> = items.iter().map(json::to_text).collect();
    Ok(Data::Text(parts.join(separator).into()))
}

fn implode(value: &Value) -> Result<Data, String> {
    let character = |code: &Value| match &code.data {
        Data::Int(i) => u32::try_from(*i).ok().and_then(char::from_u32),
        _ => None,
    };
    let characters: Option<String> = elements(value, "implode")?.iter().map(character).collect();
    characters.map(|t| Data::Text(t.into())).ok_or_else(|| "a text is made of code points".to_owned())
}

fn flatten(value: &Value, flat: &mut Vec<Value>) {
    match &value.data {
        Data::Array(items) => items.iter().for_each(|item| flatten(item, flat)),
        _ => flat.push(value.clone()),
    }
}

/// `flatten(depth)` as jaq defines it: null for an empty array, the input itself at depth 0.
fn flatten_to(value: &Value, depth: &Value) -> Result<Data, String> {
    let depth = match &depth.data {
        Data::Int(i) => *i,
        _ => return Err("the depth must be a whole number".to_owned()),
    };
    if depth <= 0 {
        return Ok(value.data.clone());
    }
    let items: Vec<&Value> = match &value.data {
        Data::Array(items) => items.iter().collect(),
        Data::Object(fields) => fields.values().collect(),
        _ => return Err(format!("cannot flatten {}", kind_name(value))),
    };
    if items.is_empty() {
        return Ok(Data::Null);
    }
    let mut flat = Vec::new();
    for item in items {
        flatten_item(item, depth - 1, &mut flat)?;
    }
    Ok(Data::Array(Arc::new(flat)))
}

fn flatten_item(item: &Value, depth: i64, flat: &mut Vec<Value>) -> Result<(), String> {
    match &item.data {
        Data::Array(items) if depth > 0 => items.iter().try_for_each(|inner| flatten_item(inner, depth - 1, flat)),
        Data::Array(items) => {
            flat.extend(items.iter().cloned());
            Ok(())
        }
        _ => {
            flat.push(item.clone());
            Ok(())
        }
    }
}

fn entries(value: &Value, label: Label) -> Result<Data, String> {
    let entry =
        |key: Value, value: &Value| Value::object(label, [("key".into(), key), ("value".into(), value.clone())]);
    let items: Vec<Value> = match &value.data {
        Data::Object(fields) => {
            fields.iter().map(|(key, value)| entry(Value::text(label, key.clone()), value)).collect()
        }
        Data::Array(items) => {
            let numbered = (0_i64..).zip(items.iter());
            numbered.map(|(i, value)| entry(Value::int(label, i), value)).collect()
        }
        _ => return Err(format!("{} has no entries", kind_name(value))),
    };
    Ok(Data::Array(Arc::new(items)))
}

fn entries_of_unknown(case: &Value, label: Label) -> Outcome {
    let key = match case.kinds() {
        Kinds::OBJECT => Kinds::TEXT,
        Kinds::ARRAY => Kinds::NUMBER,
        _ => return Outcome::error(format!("{} has no entries", kind_name(case)), label),
    };
    let entry = case
        .any_child()
        .map(|value| Value::object(label, [("key".into(), Value::unknown(label, key)), ("value".into(), value)]));
    Outcome::value(kinds::each(label, Kinds::ARRAY, entry))
}

fn rounded(value: &Value, round: impl Fn(f64) -> f64) -> Result<Data, String> {
    match number(value)? {
        Data::Float(f) => {
            let rounded = round(*f);
            // Every float in this range is an integer of 64 bits.
            let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&rounded);
            #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
            let whole = rounded as i64;
            if fits { Ok(Data::Int(whole)) } else { Err("the result is no number that fits".to_owned()) }
        }
        data => Ok(data.clone()),
    }
}

/// `@sh`: texts quoted for a shell, separated by spaces.
fn shell(value: &Value) -> Result<String, String> {
    let words: Vec<Value> = match &value.data {
        Data::Array(items) => items.to_vec(),
        _ => vec![value.clone()],
    };
    let quoted = words.iter().map(|word| match &word.data {
        Data::Text(t) => Ok(format!("'{}'", t.replace('\'', "'\\''"))),
        Data::Array(_) | Data::Object(_) => Err(format!("cannot quote {} for a shell", kind_name(word))),
        _ => Ok(json::to_text(word)),
    });
    Ok(quoted.collect::<Result<Vec<String>, String>>()?.join(" "))
}
