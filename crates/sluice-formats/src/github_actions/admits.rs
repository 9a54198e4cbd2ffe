//! Which events a condition lets through: `if: github.event_name == 'push'` keeps strangers' pull requests out.

use super::expression::{Ast, parse};

/// What a condition says of a run that an outsider's event starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    Yes,
    No,
    Maybe,
}

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

/// Whether an outsider's run of this event may get past the condition.
pub(super) fn admits(condition: &Ast, event: &str) -> bool {
    says(condition, event) != Says::No
}

/// Whether a condition asks for runs whose needs failed or were skipped.
pub(super) fn ignores_needs(condition: &Ast) -> bool {
    condition
        .any(&|part| matches!(part, Ast::Call(name, _) if matches!(name.as_str(), "always" | "failure" | "cancelled")))
}

fn says(ast: &Ast, event: &str) -> Says {
    match ast {
        Ast::Not(inner) => match says(inner, event) {
            Says::Yes => Says::No,
            Says::No => Says::Yes,
            Says::Maybe => Says::Maybe,
        },
        Ast::And(a, b) => match (says(a, event), says(b, event)) {
            (Says::No, _) | (_, Says::No) => Says::No,
            (Says::Yes, Says::Yes) => Says::Yes,
            _ => Says::Maybe,
        },
        Ast::Or(a, b) => match (says(a, event), says(b, event)) {
            (Says::Yes, _) | (_, Says::Yes) => Says::Yes,
            (Says::No, Says::No) => Says::No,
            _ => Says::Maybe,
        },
        Ast::Compare(sign, a, b) => {
            compared(sign, a, b, event).or_else(|| compared(sign, b, a, event)).unwrap_or(Says::Maybe)
        }
        Ast::Member(..) if is_fork(ast) && is_pull(event) => Says::Yes,
        _ => Says::Maybe,
    }
}

fn compared(sign: &str, left: &Ast, right: &Ast, event: &str) -> Option<Says> {
    let path = left.path()?.join(".");
    let (is_equal, is_other) = match sign {
        "==" => (Says::Yes, Says::No),
        "!=" => (Says::No, Says::Yes),
        _ => return None,
    };
    match right {
        Ast::Text(text) if path == "github.event_name" => {
            Some(if text.eq_ignore_ascii_case(event) { is_equal } else { is_other })
        }
        // The outsider's repository is never the one that the workflow lies in.
        right if is_pull(event) && is_other_repository(&path) => {
            let own = right.path()?.join(".");
            (own == "github.repository" || own == "github.event.repository.full_name").then_some(is_other)
        }
        _ => None,
    }
}

fn is_other_repository(path: &str) -> bool {
    path.ends_with("head.repo.full_name") || path.ends_with("head_repository.full_name")
}

fn is_fork(ast: &Ast) -> bool {
    ast.path().is_some_and(|path| path.join(".") == "github.event.pull_request.head.repo.fork")
}

fn is_pull(event: &str) -> bool {
    event.starts_with("pull_request") || event == "workflow_run"
}
