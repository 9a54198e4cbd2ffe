//! "Did you mean": the known word closest to an unknown one.

/// The word of `known` closest to `word`, if any is close enough to be meant.
#[must_use]
pub fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Long words are never typing errors of short ones, and the distance below is quadratic.
    const CHARS_MAX: usize = 64;
    let length = word.chars().count();
    if length > CHARS_MAX {
        return None;
    }
    // One edit turns any word of two letters into another.
    let allowed = length / 3;
    let distances = known.into_iter().map(|k| (distance(&word.to_lowercase(), &k.to_lowercase()), k));
    distances.filter(|(d, _)| *d <= allowed).min_by_key(|(d, _)| *d).map(|(_, k)| k)
}

/// Edits (insert, drop, replace) from one word to the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut next = vec![i + 1];
        for ((b, above), diagonal) in to.iter().zip(row.iter().skip(1)).zip(&row) {
            let left = next.last().copied().unwrap_or_default();
            next.push((left + 1).min(above + 1).min(diagonal + usize::from(a != *b)));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
