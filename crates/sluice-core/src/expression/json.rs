//! Values as text: JSON as jaq writes it, and the `@formats`.

use std::fmt::Write;

use crate::label::Label;
use crate::value::{Data, Value};

/// A text as it is; anything else as JSON.
pub(super) fn to_text(value: &Value) -> String {
    match &value.data {
        Data::Text(t) => t.to_string(),
        _ => to_json(value),
    }
}

/// Compact JSON, keys in their own order.
pub(super) fn to_json(value: &Value) -> String {
    let mut out = String::new();
    write_json(value, &mut out);
    out
}

fn write_json(value: &Value, out: &mut String) {
    match &value.data {
        // An unknown value is never written: the caller asks only for concrete ones.
        Data::Null | Data::Unknown(_) => out.push_str("null"),
        Data::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Data::Int(i) => {
            let _ = write!(out, "{i}");
        }
        Data::Float(f) => match serde_json::Number::from_f64(*f) {
            // jaq writes the exponent without a plus.
            Some(n) => out.push_str(&n.to_string().replace("e+", "e")),
            None => out.push_str("null"),
        },
        Data::Text(t) => write_text(t, out),
        Data::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_json(item, out);
            }
            out.push(']');
        }
        Data::Object(fields) => {
            out.push('{');
            for (i, (key, item)) in fields.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_text(key, out);
                out.push(':');
                write_json(item, out);
            }
            out.push('}');
        }
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..='\u{1f}' | '\u{7f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// One JSON value, every node under `label`.
pub(super) fn parse(text: &str, label: Label) -> Result<Value, String> {
    let json: serde_json::Value =
        serde_json::from_str(text).map_err(|_| "cannot parse this text as JSON".to_owned())?;
    Ok(Value::from_json(&json, label))
}

/// Percent encoding of all but the unreserved characters of RFC 3986.
pub(super) fn uri(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// `@html`.
pub(super) fn html(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\'' => out.push_str("&apos;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Standard base64 with padding (RFC 4648 §4).
pub(super) fn base64(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let digit = usize::try_from(bits >> (18 - 6 * i) & 63).unwrap_or(0);
            let letter = BASE64.get(digit).copied().map_or('A', char::from);
            out.push(if i <= chunk.len() { letter } else { '=' });
        }
    }
    out
}

/// The text behind standard base64; strict about padding, as jaq is.
pub(super) fn base64_decode(text: &str) -> Result<String, String> {
    let wrong = || "cannot decode this text as base64".to_owned();
    let bytes = text.as_bytes();
    if !bytes.len().is_multiple_of(4) {
        return Err(wrong());
    }
    let padding = bytes.iter().rev().take_while(|b| **b == b'=').count();
    if padding > 2 {
        return Err(wrong());
    }
    let mut out = Vec::new();
    let (mut bits, mut have) = (0_u32, 0_u32);
    for byte in bytes.iter().take(bytes.len() - padding) {
        let digit = BASE64.iter().position(|b| b == byte).ok_or_else(wrong)?;
        bits = bits << 6 | u32::try_from(digit).map_err(|_| wrong())?;
        have += 6;
        if have >= 8 {
            have -= 8;
            out.push(u8::try_from(bits >> have & 0xff).map_err(|_| wrong())?);
            bits &= (1 << have) - 1;
        }
    }
    if bits != 0 {
        return Err(wrong());
    }
    String::from_utf8(out).map_err(|_| wrong())
}
