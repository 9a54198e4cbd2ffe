//! Writing: the only spelling of a value.

use super::map::Key;
use super::value::{Integer, Value};

/// Writes a value; two values are equal exactly if their bytes are.
#[must_use]
pub fn encode(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out, value);
    out
}

/// The major types of RFC 8949 §3.1 that the subset uses.
mod major {
    pub(super) const UNSIGNED: u8 = 0;
    pub(super) const NEGATIVE: u8 = 1;
    pub(super) const BYTES: u8 = 2;
    pub(super) const TEXT: u8 = 3;
    pub(super) const ARRAY: u8 = 4;
    pub(super) const MAP: u8 = 5;
}

const FALSE: u8 = 0xf4;
const TRUE: u8 = 0xf5;
const NULL: u8 = 0xf6;

fn write(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.push(NULL),
        Value::Bool(false) => out.push(FALSE),
        Value::Bool(true) => out.push(TRUE),
        Value::Int(number) => write_integer(out, *number),
        Value::Bytes(bytes) => {
            head(out, major::BYTES, bytes.len() as u64);
            out.extend_from_slice(bytes);
        }
        Value::Text(text) => write_text(out, text),
        Value::Array(values) => {
            head(out, major::ARRAY, values.len() as u64);
            values.iter().for_each(|value| write(out, value));
        }
        Value::Map(map) => {
            head(out, major::MAP, map.len() as u64);
            for (key, value) in map.iter() {
                match key {
                    Key::Int(number) => head(out, major::UNSIGNED, *number),
                    Key::Text(text) => write_text(out, text),
                }
                write(out, value);
            }
        }
    }
}

fn write_integer(out: &mut Vec<u8>, number: Integer) {
    match number.as_u64() {
        Some(number) => head(out, major::UNSIGNED, number),
        // −1−n stands for a negative number, and that is what the complement of its bits gives.
        None => head(out, major::NEGATIVE, !number.get() as u64),
    }
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    head(out, major::TEXT, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// A major type and its number in the fewest bytes.
fn head(out: &mut Vec<u8>, major: u8, number: u64) {
    let major = major << 5;
    if let Ok(small) = u8::try_from(number) {
        if small < 24 {
            out.push(major | small);
        } else {
            out.extend([major | 24, small]);
        }
    } else if let Ok(number) = u16::try_from(number) {
        out.push(major | 25);
        out.extend(number.to_be_bytes());
    } else if let Ok(number) = u32::try_from(number) {
        out.push(major | 26);
        out.extend(number.to_be_bytes());
    } else {
        out.push(major | 27);
        out.extend(number.to_be_bytes());
    }
}
