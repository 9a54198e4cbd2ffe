//! Jinja templates: the literal text and the variables that they name.
//!
//! `{{ name.path }}` stays what it names. Any other expression, and everything from the first `{% %}` on, is anything made
//! from the variables that the template is given: which of its words are data is not followed there.

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part<'t> {
    /// Text as it stands.
    Literal(&'t str),
    /// A variable and what is read of it.
    Path(Vec<&'t str>),
    /// Something computed from any of the variables.
    Computed,
}

/// The parts of a template.
pub(super) fn parts(template: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        let (before, inside) = (rest.get(..open).unwrap_or_default(), rest.get(open..).unwrap_or_default());
        let Some((closing, is_block)) = opened(inside) else {
            parts.push(Part::Literal(rest.get(..=open).unwrap_or_default()));
            rest = rest.get(open + 1..).unwrap_or_default();
            continue;
        };
        parts.push(Part::Literal(before));
        let end = inside.find(closing);
        if is_block || end.is_none() {
            parts.push(Part::Computed);
            return tidy(parts);
        }
        let body = end.and_then(|end| inside.get(2..end)).unwrap_or_default();
        if closing == "}}" {
            parts.push(path(body.trim_matches(['-', '+', ' ', '\t', '\n', '\r'])).map_or(Part::Computed, Part::Path));
        }
        rest = end.and_then(|end| inside.get(end + 2..)).unwrap_or_default();
    }
    parts.push(Part::Literal(rest));
    tidy(parts)
}

/// What ends the tag that begins here, and whether it is a block.
fn opened(text: &str) -> Option<(&'static str, bool)> {
    match text.get(..2)? {
        "{{" => Some(("}}", false)),
        "{#" => Some(("#}", false)),
        "{%" => Some(("%}", true)),
        _ => None,
    }
}

fn path(body: &str) -> Option<Vec<&str>> {
    let names: Vec<&str> = body.split('.').collect();
    let is_name = |name: &&str| {
        name.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    names.iter().all(is_name).then_some(names)
}

fn tidy(parts: Vec<Part<'_>>) -> Vec<Part<'_>> {
    parts.into_iter().filter(|part| *part != Part::Literal("")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_read_up_to_its_first_block() {
        use Part::{Computed, Literal, Path};
        for (template, expected) in [
            ("", vec![]),
            ("a {b} c", vec![Literal("a {"), Literal("b} c")]),
            ("Hi {{ name }}!", vec![Literal("Hi "), Path(vec!["name"]), Literal("!")]),
            ("{{- user.mail -}}", vec![Path(vec!["user", "mail"])]),
            ("{{ name | upper }}.", vec![Computed, Literal(".")]),
            ("a{# note #}b", vec![Literal("a"), Literal("b")]),
            ("<ul>{% for x in list %}{{ x }}{% endfor %}", vec![Literal("<ul>"), Computed]),
            ("x {{ broken", vec![Literal("x "), Computed]),
            ("{", vec![Literal("{")]),
            ("é{{é}}{", vec![Literal("é"), Path(vec!["é"]), Literal("{")]),
        ] {
            assert_eq!(parts(template), expected, "{template}");
        }
    }
}
