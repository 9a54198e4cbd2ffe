//! Changes of an author's text, as data: who finds something says how it is mended, and somebody else does it.

/// Some bytes of a text, and what stands there afterwards.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// What stands there now. Where it is something else, the edit is not made.
    pub was: String,
    /// What stands there afterwards.
    pub text: String,
}

/// What mends one finding, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fix {
    /// All of them, or none.
    pub edits: Vec<Edit>,
}

/// The text with every edit made; all else stays byte for byte. `None` if one does not fit the text, or two overlap.
#[must_use]
pub fn applied<'e>(text: &str, edits: impl IntoIterator<Item = &'e Edit>) -> Option<String> {
    let mut edits: Vec<&Edit> = edits.into_iter().collect();
    edits.sort();
    let (mut changed, mut at) = (String::with_capacity(text.len()), 0);
    for edit in edits {
        // No stretch goes backwards: that is where two edits overlap.
        changed.push_str(text.get(at..edit.start)?);
        if text.get(edit.start..edit.end)? != edit.was {
            return None;
        }
        changed.push_str(&edit.text);
        at = edit.end;
    }
    changed.push_str(text.get(at..)?);
    Some(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(text: &str, edits: &[(usize, &str, &str)]) -> Option<String> {
        let edit = |(start, was, text): &(usize, &str, &str)| {
            let (was, text) = ((*was).to_owned(), (*text).to_owned());
            Edit { start: *start, end: *start + was.len(), was, text }
        };
        applied(text, &edits.iter().map(edit).collect::<Vec<_>>())
    }

    #[test]
    fn edits_count_from_the_text_before_all_of_them_in_any_order() {
        assert_eq!(edited("š a b", &[(5, "b", "bb"), (3, "a", "")]).as_deref(), Some("š  bb"));
        assert_eq!(edited("ab", &[(1, "", "-"), (2, "", "!")]).as_deref(), Some("a-b!"));
    }

    #[test]
    fn an_edit_that_does_not_fit_changes_nothing() {
        assert_eq!(edited("true", &[(0, "false", "x")]), None, "something else stands there");
        assert_eq!(edited("true", &[(4, "e", "x")]), None, "past the end");
        assert_eq!(edited("š", &[(1, "", "x")]), None, "inside of a character");
        assert_eq!(edited("true", &[(0, "tru", "x"), (2, "ue", "y")]), None, "two overlap");
        let backwards = Edit { start: 2, end: 1, was: String::new(), text: String::new() };
        assert_eq!(applied("true", [&backwards]), None);
    }
}
