//! Conditions as texts: how GitHub reads them, and what makes one weaker than it looks. What one holds back is in `holds`.

use super::expression::{Ast, parse};

/// A condition; `None` of one that is always met or cannot be read.
pub(super) fn condition(text: &str) -> Option<Ast> {
    match text.strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}")) {
        Some(inner) if !inner.contains("${{") => parse(inner),
        Some(_) => None,
        None if text.contains("${{") => None,
        None => parse(text.trim()),
    }
}

/// Why a condition does not keep out what it seems to, if so.
pub(super) fn weakness(text: &str) -> Option<&'static str> {
    let inner = text.strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}"));
    if text.contains("${{") && inner.is_none_or(|inner| inner.contains("${{")) {
        // Text around `${{ }}`, be it a line break, makes a text that is not empty: always true.
        return Some("text around an expression: always true");
    }
    let ast = condition(text)?;
    if ast.any(&is_substring_test) {
        return Some("contains of a text: any part of it will do");
    }
    ast.any(&is_actor_test).then_some("github.actor: whoever acted last")
}

/// `contains('main develop', github.ref_name)`: `a` is a part of it, too.
fn is_substring_test(ast: &Ast) -> bool {
    let Ast::Call(name, arguments) = ast else { return false };
    let (Some(Ast::Text(_)), Some(needle)) = (arguments.first(), arguments.get(1)) else { return false };
    let path = needle.path().unwrap_or_default().join(".");
    let is_chosen =
        ["github.ref", "github.head_ref", "github.base_ref", "github.actor", "github.event.", "inputs.", "env.github_"];
    name == "contains" && is_chosen.iter().any(|start| path.starts_with(start))
}

/// `github.actor == 'dependabot[bot]'`: the last to push counts, not who wrote what is pushed.
fn is_actor_test(ast: &Ast) -> bool {
    let Ast::Compare("==", a, b) = ast else { return false };
    let names = |part: &Ast, wanted: &str| part.path().is_some_and(|path| path.join(".") == wanted);
    let is_bot = |part: &Ast| matches!(part, Ast::Text(text) if text.ends_with("[bot]"));
    let either =
        |one: &Ast, other: &Ast| (names(one, "github.actor") && is_bot(other)) || names(one, "github.actor_id");
    either(a, b) || either(b, a)
}

/// Whether a condition asks for runs whose needs failed or were skipped.
pub(super) fn ignores_needs(condition: &Ast) -> bool {
    condition
        .any(&|part| matches!(part, Ast::Call(name, _) if matches!(name.as_str(), "always" | "failure" | "cancelled")))
}
