//! Places on the globe: pairs of fields, points of GeoJSON, and pairs of decimal numbers in texts.
//!
//! Sources: RFC 7946 (GeoJSON), RFC 5870 (`geo:` URIs). Four decimal places are some ten metres: with fewer, and no names, two
//! numbers are just numbers.

use serde_json::{Map, Value as Json};
use sluice_core::found::Finder;

use crate::Tell;
use crate::digits::is_word;

/// Digits of the shortest pair.
pub(crate) const DIGITS_MIN: usize = 10;
const DECIMALS_MIN: usize = 4;

const LATITUDES: [&str; 4] = ["lat", "latitude", "geo_lat", "gps_lat"];
const LONGITUDES: [&str; 6] = ["lon", "lng", "long", "longitude", "geo_lng", "gps_lng"];

/// The fields of an object that name a place, if two of them do.
pub(crate) fn of(fields: &Map<String, Json>) -> Option<Vec<&str>> {
    if let (Some("Point"), Some(Json::Array(pair))) =
        (fields.get("type").and_then(Json::as_str), fields.get("coordinates"))
    {
        let is_point = matches!(pair.as_slice(), [x, y, ..] if is_degrees(x, 180.0) && is_degrees(y, 90.0));
        return is_point.then(|| vec!["coordinates"]);
    }
    let named = |names: &[&str], most: f64| {
        let is_it = |(key, value): &(&String, &Json)| {
            names.iter().any(|name| key.eq_ignore_ascii_case(name)) && is_degrees(value, most)
        };
        fields.iter().find(is_it)
    };
    let (latitude, longitude) = (named(&LATITUDES, 90.0)?, named(&LONGITUDES, 180.0)?);
    // Two whole numbers are a grid, or nothing yet.
    let has_point = |value: &Json| value.to_string().contains('.');
    (has_point(latitude.1) || has_point(longitude.1)).then(|| vec![latitude.0.as_str(), longitude.0.as_str()])
}

fn is_degrees(value: &Json, most: f64) -> bool {
    let degrees = match value {
        Json::Number(number) => number.as_f64(),
        Json::String(text) if text.len() <= 24 => text.trim().parse().ok(),
        _ => None,
    };
    degrees.is_some_and(|degrees: f64| degrees.abs() <= most)
}

pub(crate) fn look(text: &str, tell: &mut Tell<'_>) {
    let mut at = 0;
    let mut before: Option<Decimal> = None;
    // Longer lists of numbers are no places: a pair stands alone.
    let mut listed = 0;
    while let Some(number) = next(text, at) {
        let is_joined = before.as_ref().is_some_and(|before| joins(text, before.to, number.from));
        listed = if is_joined { listed + 1 } else { 0 };
        let follows = next(text, number.to).is_some_and(|after| joins(text, number.to, after.from));
        if let (Some(first), 1, false) = (before.as_ref().filter(|_| is_joined), listed, follows)
            && first.is_exact
            && number.is_exact
            && first.degrees.abs() <= 90.0
            && number.degrees.abs() <= 180.0
        {
            tell(Finder::Coordinates, "pair", text.get(first.from..number.to).unwrap_or_default());
        }
        at = number.to;
        before = Some(number);
    }
}

/// A number in a text.
struct Decimal {
    from: usize,
    to: usize,
    degrees: f64,
    /// Whether it has as many decimal places as a place needs.
    is_exact: bool,
}

/// The next number from `at` on that is no part of a word.
fn next(text: &str, at: usize) -> Option<Decimal> {
    let bytes = text.as_bytes();
    let mut at = at;
    loop {
        let digit = at + bytes.get(at..)?.iter().position(u8::is_ascii_digit)?;
        let count =
            |from: usize| bytes.get(from..).map_or(0, |rest| rest.iter().take_while(|b| b.is_ascii_digit()).count());
        let whole = count(digit);
        let point = digit + whole;
        let decimals = if bytes.get(point) == Some(&b'.') { count(point + 1) } else { 0 };
        let to = if decimals > 0 { point + 1 + decimals } else { point };
        let signed = digit.checked_sub(1).filter(|i| matches!(bytes.get(*i), Some(b'-' | b'+'))).unwrap_or(digit);
        let leads_in = signed.checked_sub(1).and_then(|i| bytes.get(i)).is_some_and(|b| is_word(*b) || *b == b'.');
        let goes_on = bytes.get(to).is_some_and(|b| is_word(*b))
            || bytes.get(to) == Some(&b'.') && bytes.get(to + 1).is_some_and(|b| is_word(*b));
        if leads_in || goes_on {
            at = to;
            continue;
        }
        let degrees = text.get(signed..to).and_then(|text| text.parse().ok()).unwrap_or(f64::INFINITY);
        return Some(Decimal { from: signed, to, degrees, is_exact: decimals >= DECIMALS_MIN });
    }
}

/// Whether nothing but a comma, a semicolon or a blank stands between two numbers.
fn joins(text: &str, from: usize, to: usize) -> bool {
    let between = text.get(from..to).unwrap_or("x");
    between.len() <= 3 && matches!(between.trim(), "," | ";" | "") && !between.contains('\n')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn places(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        look(text, &mut |_, _, text| found.push(text.to_owned()));
        found
    }

    #[test]
    fn a_pair_of_exact_numbers_is_a_place() {
        for (text, place) in [
            ("48.20849, 16.37208", "48.20849, 16.37208"),
            ("geo:48.2010,16.3695", "48.2010,16.3695"),
            ("at -33.8568 151.2153!", "-33.8568 151.2153"),
            ("https://maps.example/@48.85837,2.294481,17z", "48.85837,2.294481"),
        ] {
            assert_eq!(places(text), [place], "{text}");
        }
    }

    #[test]
    fn other_numbers_are_none() {
        for text in [
            "48.2, 16.3",
            "1.23456",
            "0.1234, 0.5678, 0.9012",
            "98.1234, 16.1234",
            "v48.20849, 16.37208",
            "48.20849.1, 16.37208",
            "10.0.0.1234 10.0.0.5678",
            "48.20849 and 16.37208",
            "48.20849, 190.1234",
        ] {
            assert_eq!(places(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn fields_and_points_are_places() {
        for (object, keys) in [
            (json!({"lat": 48.2, "lng": 16.3}), vec!["lat", "lng"]),
            (json!({"name": "x", "Longitude": "16.3", "Latitude": "48.2"}), vec!["Latitude", "Longitude"]),
            (json!({"type": "Point", "coordinates": [16.3, 48.2]}), vec!["coordinates"]),
        ] {
            assert_eq!(of(object.as_object().unwrap()), Some(keys), "{object}");
        }
        for object in [
            json!({"lat": 48.2}),
            json!({"lat": 98.2, "lng": 16.3}),
            json!({"lat": 1, "lng": 2}),
            json!({"lat": "north", "lng": "16.3"}),
            json!({"type": "Line", "coordinates": [1.5, 2.5]}),
            json!({"type": "Point", "coordinates": [200.5, 2.5]}),
            json!({"latency": 1.5, "longest": 2.5}),
        ] {
            assert_eq!(of(object.as_object().unwrap()), None, "{object}");
        }
    }
}
