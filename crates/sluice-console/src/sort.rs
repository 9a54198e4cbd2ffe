//! Lists that people sort: by which column, which way round, and the links that say so. A link holds all of it, so it can be shared.

use std::cmp::Reverse;

use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Rows of a page.
pub(crate) const PAGE: usize = 50;

/// By what a list is sorted: `?sort=requester`, or the other way round `?sort=-requester`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sorting<'f> {
    path: &'static str,
    /// What else is chosen.
    kept: Vec<(&'static str, &'f str)>,
    /// The column, if one is chosen that the list has.
    key: Option<&'static str>,
    is_down: bool,
}

impl<'f> Sorting<'f> {
    /// The list at `path` that has these columns, as it was asked for. A column that it has not is none.
    pub(crate) fn of(
        path: &'static str,
        asked: &str,
        keys: &[&'static str],
        kept: impl IntoIterator<Item = (&'static str, &'f str)>,
    ) -> Self {
        let (word, is_down) = asked.strip_prefix('-').map_or((asked, false), |word| (word, true));
        let key = keys.iter().find(|key| **key == word).copied();
        Self { path, kept: kept.into_iter().collect(), key, is_down: is_down && key.is_some() }
    }

    /// The column by which it is sorted, if one was chosen.
    pub(crate) const fn key(&self) -> Option<&'static str> {
        self.key
    }

    /// Sorts rows by the chosen column; without one they stay as they are.
    pub(crate) fn sort<T, K: Ord>(&self, rows: &mut [T], key: impl Fn(&T, &'static str) -> K) {
        // What is alike keeps its order, whichever way round.
        match self.key {
            None => {}
            Some(chosen) if self.is_down => rows.sort_by_cached_key(|row| Reverse(key(row, chosen))),
            Some(chosen) => rows.sort_by_cached_key(|row| key(row, chosen)),
        }
    }

    /// A link to this list, sorted as it is now, with something else about it.
    pub(crate) fn link(&self, more: &[(&str, &str)]) -> String {
        let sort = self.key.map(|key| if self.is_down { format!("-{key}") } else { key.to_owned() });
        self.written(sort.as_deref(), more)
    }

    fn written(&self, sort: Option<&str>, more: &[(&str, &str)]) -> String {
        let instead = |name: &str| more.iter().find(|(other, _)| *other == name).map(|(_, value)| *value);
        let kept = self.kept.iter().map(|(name, value)| (*name, instead(name).unwrap_or(value)));
        let new = more.iter().copied().filter(|(name, _)| !self.kept.iter().any(|(kept, _)| kept == name));
        let pairs = kept.chain(sort.map(|sort| ("sort", sort))).chain(new).filter(|(_, value)| !value.is_empty());
        let pairs = pairs.map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
        let query = pairs.collect::<Vec<_>>().join("&");
        if query.is_empty() { self.path.to_owned() } else { format!("{}?{query}", self.path) }
    }

    /// The head of a column: a link that sorts by it, and the other way round if it is sorted so.
    pub(crate) fn heading(&self, key: &'static str, word: &str) -> Markup {
        let is_chosen = self.key == Some(key);
        let turned = if is_chosen && !self.is_down { format!("-{key}") } else { key.to_owned() };
        let state = match (is_chosen, self.is_down) {
            (false, _) => None,
            (true, false) => Some("ascending"),
            (true, true) => Some("descending"),
        };
        html! {
            th scope="col" aria-sort=[state] {
                a.sort href=(self.written(Some(&turned), &[])) {
                    (word)
                    span.mark aria-hidden="true" { (match state { None => "↕", Some("ascending") => "▲", Some(_) => "▼" }) }
                }
            }
        }
    }

    /// The same for a list without columns: one link for each way it can be sorted, the first one as it is without.
    pub(crate) fn choices(&self, unsorted: &str, all: &[(&'static str, &str)]) -> Markup {
        html! {
            nav.filter.sorted aria-label="Sorted by" {
                span.faint aria-hidden="true" { "sorted by" }
                a href=(self.written(None, &[])) aria-current=[self.key.is_none().then_some("true")] { (unsorted) }
                @for (key, word) in all {
                    @let is_chosen = self.key == Some(*key);
                    @let turned = if is_chosen && !self.is_down { format!("-{key}") } else { (*key).to_owned() };
                    a href=(self.written(Some(&turned), &[])) aria-current=[is_chosen.then_some("true")] {
                        (word)
                        @if is_chosen {
                            span.mark aria-hidden="true" { @if self.is_down { " ▼" } @else { " ▲" } }
                            span.sr { @if self.is_down { ", the last first" } @else { ", the first first" } }
                        }
                    }
                }
            }
        }
    }

    /// Links to the pages before and after one of a sorted list that has `count` rows.
    pub(crate) fn pager(&self, page: usize, count: usize) -> Markup {
        let last = count.div_ceil(PAGE).max(1);
        html! {
            @if last > 1 {
                nav.pager aria-label="Pages" {
                    @if page > 1 { a rel="prev" href=(self.link(&[("page", &(page - 1).to_string())])) { "Before" } }
                    span.faint { "page " (page.min(last)) " of " (last) }
                    @if page < last { a rel="next" href=(self.link(&[("page", &(page + 1).to_string())])) { "After" } }
                }
            }
        }
    }
}

/// The rows of a page, from 1 on.
pub(crate) fn paged<T>(rows: Vec<T>, page: usize) -> Vec<T> {
    rows.into_iter().skip(page.saturating_sub(1).saturating_mul(PAGE)).take(PAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<'f>(sort: &str, status: &'f str) -> Sorting<'f> {
        Sorting::of("/runs", sort, &["what", "began"], [("status", status)])
    }

    #[test]
    fn a_link_says_all_that_was_chosen_and_a_heading_turns_it_round() {
        assert_eq!(of("-began", "held").link(&[("page", "2")]), "/runs?status=held&sort=%2Dbegan&page=2");
        assert_eq!(of("", "").link(&[]), "/runs");
        let head = |sort: &str| of(sort, "held").heading("began", "Began").into_string();
        assert!(head("").contains("href=\"/runs?status=held&amp;sort=began\"") && !head("").contains("aria-sort"));
        assert!(head("began").contains("aria-sort=\"ascending\"") && head("began").contains("sort=%2Dbegan"));
        assert!(head("-began").contains("aria-sort=\"descending\"") && head("-began").contains("sort=began"));
    }

    #[test]
    fn what_the_list_has_not_sorts_nothing_and_is_in_no_link() {
        for odd in ["nothing", "-", "--began", "began&x=1", "\"><script>"] {
            let sorting = of(odd, "");
            assert_eq!((sorting.key(), sorting.link(&[])), (None, "/runs".to_owned()), "{odd}");
        }
        let odd = Sorting::of("/ledger", "", &[], [("code", "\"&x=1")]);
        assert_eq!(odd.link(&[]), "/ledger?code=%22%26x%3D1");
    }

    #[test]
    fn rows_are_sorted_and_cut_into_pages() {
        let mut rows = vec![3, 1, 2];
        of("", "").sort(&mut rows, |n, _| *n);
        assert_eq!(rows, [3, 1, 2]);
        of("-what", "").sort(&mut rows, |n, _| *n);
        assert_eq!(rows, [3, 2, 1]);
        let mut alike = vec![(1, 'a'), (1, 'b'), (2, 'c')];
        of("-what", "").sort(&mut alike, |(n, _), _| *n);
        assert_eq!(alike, [(2, 'c'), (1, 'a'), (1, 'b')]);
        let all: Vec<usize> = (0..120).collect();
        assert_eq!((paged(all.clone(), 3).len(), paged(all.clone(), 3)[0], paged(all, usize::MAX).len()), (20, 100, 0));
    }
}
