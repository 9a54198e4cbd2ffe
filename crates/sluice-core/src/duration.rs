//! The DSL's durations: ISO 8601 text or an object of units.

use serde_json::Value;

const SECOND_MS: u64 = 1_000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// Milliseconds of `"PT1M30S"` or `{"minutes": 1, "seconds": 30}`; `None` for anything else.
///
/// Years and months have no fixed length and are refused, weeks only stand alone, as the standard says.
#[must_use]
pub fn millis(json: &Value) -> Option<u64> {
    match json {
        Value::String(text) => iso(text),
        Value::Object(units) if !units.is_empty() => units.iter().try_fold(0_u64, |sum, (unit, count)| {
            let unit = match unit.as_str() {
                "days" => DAY_MS,
                "hours" => HOUR_MS,
                "minutes" => MINUTE_MS,
                "seconds" => SECOND_MS,
                "milliseconds" => 1,
                _ => return None,
            };
            sum.checked_add(count.as_u64()?.checked_mul(unit)?)
        }),
        _ => None,
    }
}

/// Source: ISO 8601-1:2019 §5.5.2.3, designators D H M S and W.
fn iso(text: &str) -> Option<u64> {
    let rest = text.strip_prefix('P')?;
    let (date, time) = match rest.split_once('T') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None => (rest, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    if let Some(weeks) = date.strip_suffix('W').filter(|_| time.is_empty()) {
        return weeks.parse::<u64>().ok()?.checked_mul(7 * DAY_MS);
    }
    designators(date, &[('D', DAY_MS)])?
        .checked_add(designators(time, &[('H', HOUR_MS), ('M', MINUTE_MS), ('S', SECOND_MS)])?)
}

/// Numbers, each followed by its designator, in the given order, each at most once.
fn designators(text: &str, units: &[(char, u64)]) -> Option<u64> {
    let mut rest = text;
    let mut sum = 0_u64;
    for (designator, unit) in units {
        if let Some((number, after)) = rest.split_once(*designator) {
            sum = sum.checked_add(amount(number, *unit)?)?;
            rest = after;
        }
    }
    rest.is_empty().then_some(sum)
}

/// A whole number of units, or a decimal fraction of them down to the millisecond.
fn amount(number: &str, unit: u64) -> Option<u64> {
    let digits = |s: &str| (!s.is_empty() && s.bytes().all(|b| b.is_ascii_digit())).then(|| s.parse::<u64>().ok())?;
    match number.split_once(['.', ',']) {
        None => digits(number)?.checked_mul(unit),
        Some((whole, fraction)) => {
            let scale = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
            let part = digits(fraction)?.checked_mul(unit)? / scale;
            digits(whole)?.checked_mul(unit)?.checked_add(part)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_and_objects_give_milliseconds() {
        for (json, expected) in [
            (json!("PT1M30S"), Some(90_000)),
            (json!("P1DT2H"), Some(93_600_000)),
            (json!("PT0.5S"), Some(500)),
            (json!("P2W"), Some(1_209_600_000)),
            (json!({"minutes": 1, "seconds": 30}), Some(90_000)),
            (json!("P1Y"), None),
            (json!("P1M"), None),
            (json!("PT"), None),
            (json!("P"), None),
            (json!("PT1S1M"), None),
            (json!("PT-1S"), None),
            (json!("PT99999999999999999999S"), None),
            (json!({}), None),
            (json!({"years": 1}), None),
            (json!(5), None),
        ] {
            assert_eq!(millis(&json), expected, "{json}");
        }
    }
}
