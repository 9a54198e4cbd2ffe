//! Times as text, for people and for services.

use std::time::{SystemTime, UNIX_EPOCH};

const SECONDS_PER_DAY: u64 = 86_400;

/// Now, in UTC, to the second: `2026-09-14T08:12:00Z`.
#[must_use]
pub fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    written(since.as_secs())
}

/// Seconds since 1970 in UTC: `2026-09-14T08:12:00Z`.
#[must_use]
pub fn written(seconds: u64) -> String {
    let (year, month, day) = civil(seconds / SECONDS_PER_DAY);
    let of_day = seconds % SECONDS_PER_DAY;
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month and day of the Gregorian calendar, `days` after 1970-01-01.
///
/// Counts from 0000-03-01, so that the leap day is the last of its year and of its 400-year era.
///
/// Source: H. Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

/// Milliseconds since 1970, for lists: `2026-09-14 08:12:00`.
#[must_use]
pub fn short(ms: u64) -> String {
    written(ms / 1_000).replace('T', " ").trim_end_matches('Z').to_owned()
}

/// The beginning of a day in UTC, `2026-09-14`, in milliseconds since 1970; `None` if it is none.
#[must_use]
pub fn day_ms(text: &str) -> Option<u64> {
    let mut parts = text.split('-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() || !(1970..=9_999).contains(&year) || !(1..=12).contains(&month) || text.len() != 10 {
        return None;
    }
    // The inverse of `civil`, from the same source: `days_from_civil`.
    let shifted = year - u64::from(month <= 2);
    let (era, year_of_era) = (shifted / 400, shifted % 400);
    let month_from_march = (month + 9) % 12;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100
        + (153 * month_from_march + 2) / 5
        + day.checked_sub(1)?;
    let days = (era * 146_097 + day_of_era).checked_sub(719_468)?;
    (civil(days) == (year, month, day)).then_some(days * SECONDS_PER_DAY * 1_000)
}

/// How long, in the largest unit that fits: `40 s`, `3 h`.
#[must_use]
pub fn span(ms: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")];
    let unit = UNITS.iter().find(|(unit, _)| ms >= *unit);
    unit.map_or_else(|| format!("{ms} ms"), |(unit, name)| format!("{} {name}", ms / unit))
}

#[cfg(test)]
mod tests {
    use super::{day_ms, written};

    #[test]
    fn a_day_is_read_as_it_is_written_and_nothing_else_is() {
        for days in (0..60_000_u64).step_by(17) {
            let text = written(days * 86_400);
            let (day, _) = text.split_once('T').unwrap();
            assert_eq!(day_ms(day), Some(days * 86_400_000), "{text}");
        }
        for none in ["", "2026", "2026-02-29", "2026-13-01", "2026-00-01", "2026-1-1", "1969-12-31", "2026-01-00"] {
            assert_eq!(day_ms(none), None, "{none}");
        }
    }

    #[test]
    fn days_around_leap_days_are_written_as_the_calendar_has_them() {
        assert_eq!(written(0), "1970-01-01T00:00:00Z");
        assert_eq!(written(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(written(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(written(951_868_800), "2000-03-01T00:00:00Z");
        assert_eq!(written(1_767_225_599), "2025-12-31T23:59:59Z");
        assert_eq!(written(4_107_542_400), "2100-03-01T00:00:00Z");
    }
}
