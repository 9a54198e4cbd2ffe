//! Plain scalars by the YAML 1.2 core schema, minus what YAML 1.1 readers take for something else.
//!
//! Source: YAML 1.2.2 §10.3.2 (core schema), YAML 1.1 type repository (`bool`, `int`, `float`).

use super::Data;

/// What a plain scalar is.
pub(super) enum Plain {
    /// Every reader agrees.
    Value(Data),
    /// Readers disagree, or the value has no exact form; in words.
    Ambiguous(String),
}

pub(super) fn plain(text: &str) -> Plain {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Plain::Value(Data::Null),
        "true" | "True" | "TRUE" => return Plain::Value(Data::Bool(true)),
        "false" | "False" | "FALSE" => return Plain::Value(Data::Bool(false)),
        _ => {}
    }
    if is_old_boolean(text) {
        return Plain::Ambiguous(format!("`{text}` is text in YAML 1.2 and a boolean in YAML 1.1"));
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return Plain::Value(Data::Text(text.into()));
    }
    number(text)
}

fn is_old_boolean(text: &str) -> bool {
    const WORDS: [&str; 6] = ["y", "n", "yes", "no", "on", "off"];
    text.len() <= 3 && WORDS.contains(&text.to_ascii_lowercase().as_str())
}

fn number(text: &str) -> Plain {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() {
        return Plain::Value(Data::Text(text.into()));
    }
    let all = |s: &str, fits: fn(&u8) -> bool| !s.is_empty() && s.bytes().all(|b| fits(&b));
    if let Some(hex) = digits.strip_prefix("0x").filter(|h| all(h, u8::is_ascii_hexdigit)) {
        let signed = i64::from_str_radix(hex, 16);
        return match signed {
            Ok(value) if digits == text => Plain::Value(Data::Int(value)),
            _ => Plain::Ambiguous(format!("`{text}` is not a number that every reader takes for the same")),
        };
    }
    if matches!(digits.to_ascii_lowercase().as_str(), ".inf" | ".nan") {
        return Plain::Ambiguous(format!("`{text}` is a number that JSON does not have"));
    }
    let octal = digits.strip_prefix("0o").is_some_and(|o| all(o, u8::is_ascii_digit));
    let binary = digits.strip_prefix("0b").is_some_and(|b| all(b, |b| matches!(b, b'0' | b'1' | b'_')));
    let leading_zero = digits.len() > 1 && digits.starts_with('0') && all(digits, u8::is_ascii_digit);
    let underscored = digits.contains('_') && is_number(&digits.replace('_', ""));
    if octal || binary || leading_zero || underscored || is_sexagesimal(digits) {
        return Plain::Ambiguous(format!("`{text}` is read as different values by YAML 1.1 and YAML 1.2"));
    }
    if all(digits, u8::is_ascii_digit) {
        return match text.parse() {
            Ok(value) => Plain::Value(Data::Int(value)),
            Err(_) => Plain::Ambiguous(format!("`{text}` is outside the whole numbers of 64 bits")),
        };
    }
    if !is_number(digits) {
        return Plain::Value(Data::Text(text.into()));
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Plain::Value(Data::Float(value)),
        _ => Plain::Ambiguous(format!("`{text}` is outside the numbers of 64 bits")),
    }
}

/// `(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_number(digits: &str) -> bool {
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((m, e)) => (m, Some(e.strip_prefix(['+', '-']).unwrap_or(e))),
        None => (digits, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits_only = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let some = !(whole.is_empty() && fraction.is_empty());
    some && digits_only(whole) && digits_only(fraction) && exponent.is_none_or(|e| !e.is_empty() && digits_only(e))
}

/// `12:30`, which YAML 1.1 reads as 750.
fn is_sexagesimal(digits: &str) -> bool {
    let mut parts = digits.split(':');
    let first = parts.next().is_some_and(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()));
    let mut more = false;
    let rest = parts.all(|p| {
        more = true;
        let small = p.split('.').next().unwrap_or_default();
        (1..=2).contains(&small.len())
            && small.parse::<u8>().is_ok_and(|n| n < 60)
            && p.bytes().all(|b| b.is_ascii_digit() || b == b'.')
    });
    first && more && rest
}
