//! Lists in pages: how long one is, and where the next one begins.

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::Problem;

/// Things of a page, if nothing else is said, and at most.
const LIMIT: usize = 50;
const LIMIT_MAX: u32 = 200;

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct Listed<T> {
    /// What is on it.
    pub(crate) items: Vec<T>,
    /// Where the next page begins; none after the last one.
    pub(crate) next: Option<String>,
}

/// How many things are asked for.
pub(crate) fn limit(asked: Option<u32>) -> Result<usize, Problem> {
    match asked {
        None => Ok(LIMIT),
        Some(n @ 1..=LIMIT_MAX) => Ok(n as usize),
        Some(_) => Err(Problem::malformed(format!("`limit` is a number from 1 to {LIMIT_MAX}"))),
    }
}

/// A cursor of a list, behind one of its things.
pub(crate) fn written(list: &str, last: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}:{last}"))
}

/// The thing that a cursor of a list stands behind.
pub(crate) fn read(list: &str, cursor: Option<&str>) -> Result<Option<String>, Problem> {
    let Some(cursor) = cursor else { return Ok(None) };
    let text = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let last = text.and_then(|text| Some(text.strip_prefix(list)?.strip_prefix(':')?.to_owned()));
    last.map(Some).ok_or_else(foreign)
}

/// A cursor that stands nowhere.
pub(crate) fn foreign() -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        479,
        "this `cursor` is none that this list gave out; begin without one",
    )
}

/// A page of what is seen of `all`, behind the thing that the cursor names. `named` names a thing; `seen` shows it, or nothing
/// to whoever may not see it.
pub(crate) fn page<R, T>(
    list: &str,
    asked: (Option<u32>, Option<&str>),
    all: impl IntoIterator<Item = R>,
    named: impl Fn(&R) -> String,
    mut seen: impl FnMut(&R) -> Result<Option<T>, Problem>,
) -> Result<Listed<T>, Problem> {
    let (limit, behind) = (limit(asked.0)?, read(list, asked.1)?);
    let mut rest = all.into_iter();
    if let Some(behind) = behind
        && !rest.by_ref().any(|row| named(&row) == behind)
    {
        return Err(foreign());
    }
    let (mut items, mut last) = (Vec::new(), None);
    for row in rest {
        let Some(item) = seen(&row)? else { continue };
        if items.len() == limit {
            return Ok(Listed { items, next: last.map(|last: String| written(list, &last)) });
        }
        items.push(item);
        last = Some(named(&row));
    }
    Ok(Listed { items, next: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_without_a_gap_and_hide_what_is_not_seen() {
        let seen = |n: &u32| Ok((n.is_multiple_of(2)).then_some(*n));
        let (mut cursor, mut all) = (None::<String>, Vec::new());
        loop {
            let page = page("numbers", (Some(3), cursor.as_deref()), 0..20_u32, u32::to_string, seen);
            let page = page.unwrap_or_else(|problem| panic!("{problem:?}"));
            all.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(all, (0..20).step_by(2).collect::<Vec<_>>());
        for wrong in ["", "x", "bnVtYmVyczo5OQ", "cnVuczoz"] {
            assert!(page("numbers", (None, Some(wrong)), 0..20_u32, u32::to_string, seen).is_err(), "{wrong}");
        }
        assert!(limit(Some(0)).is_err() && limit(Some(201)).is_err());
    }
}
