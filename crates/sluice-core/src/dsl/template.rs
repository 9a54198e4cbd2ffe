//! Texts with expressions in them: `${ .name }`, `Hello ${ .name }!`.

/// A part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'s> {
    /// As it stands.
    Literal(&'s str),
    /// What is between `${` and `}`, and its offset in the text.
    Expression(&'s str, usize),
    /// `${` without its `}`, at this offset.
    Open(usize),
}

/// Splits a text. One without `${` is one literal.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(open) = text.get(at..).and_then(|rest| rest.find("${")).map(|i| at + i) {
        if let Some(literal) = text.get(at..open).filter(|l| !l.is_empty()) {
            parts.push(Part::Literal(literal));
        }
        let start = open + 2;
        let Some(end) = closing(text, start) else {
            parts.push(Part::Open(open));
            return parts;
        };
        parts.push(Part::Expression(text.get(start..end).unwrap_or_default(), start));
        at = end + 1;
    }
    if let Some(literal) = text.get(at..).filter(|l| !l.is_empty()) {
        parts.push(Part::Literal(literal));
    }
    parts
}

/// The one expression of a text that is nothing else but `${ … }`, and its offset.
pub(super) fn whole(text: &str) -> Option<(&str, usize)> {
    let trimmed = text.trim();
    let before = text.len() - text.trim_start().len();
    match parts(trimmed).as_slice() {
        [Part::Expression(source, at)] => Some((source, at + before)),
        _ => None,
    }
}

/// The offset of the `}` that closes what opened before `start`; braces inside jq strings do not count,
/// those of `\( … )` inside them do.
fn closing(text: &str, start: usize) -> Option<usize> {
    #[derive(PartialEq)]
    enum In {
        Brace,
        Text,
        Interpolation,
        Parenthesis,
    }
    let mut stack = vec![In::Brace];
    let mut chars = text.get(start..)?.char_indices().peekable();
    while let Some((i, c)) = chars.next() {
        let inside_text = stack.last() == Some(&In::Text);
        match c {
            '\\' if inside_text => {
                if matches!(chars.next(), Some((_, '('))) {
                    stack.push(In::Interpolation);
                }
            }
            '"' if inside_text => drop(stack.pop()),
            '"' => stack.push(In::Text),
            _ if inside_text => {}
            '{' => stack.push(In::Brace),
            '(' => stack.push(In::Parenthesis),
            ')' => {
                if matches!(stack.last(), Some(In::Parenthesis | In::Interpolation)) {
                    stack.pop();
                }
            }
            '}' => {
                if stack.last() == Some(&In::Brace) {
                    stack.pop();
                }
                if stack.is_empty() {
                    return Some(start + i);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_inside_strings_do_not_close() {
        assert_eq!(whole(r#"${ { a: "}" } }"#), Some((r#" { a: "}" } "#, 2)));
        assert_eq!(whole(r#"${ "PT\(.delay | {a: "}"}.a)S" }"#), Some((r#" "PT\(.delay | {a: "}"}.a)S" "#, 2)));
        assert_eq!(whole("${{a: 1}}"), Some(("{a: 1}", 2)));
        assert_eq!(whole(" ${ . } \n"), Some((" . ", 3)));
        assert_eq!(whole("${ .a } ${ .b }"), None);
    }

    #[test]
    fn a_text_is_split_at_its_expressions() {
        assert_eq!(
            parts("Hello ${ .name }!"),
            [Part::Literal("Hello "), Part::Expression(" .name ", 8), Part::Literal("!")]
        );
        assert_eq!(parts("costs $5 {x}"), [Part::Literal("costs $5 {x}")]);
        assert_eq!(parts("a ${ .b"), [Part::Literal("a "), Part::Open(2)]);
        assert_eq!(parts(""), []);
    }
}
