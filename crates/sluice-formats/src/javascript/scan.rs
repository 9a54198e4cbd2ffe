//! What a text names, found without understanding it.

use super::term::Term;
use super::{Called, Root};

/// Which names stand for data besides those that start with `$`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// None: an expression.
    Expression,
    /// `items`, `item`, `query` and the like, and Python's with `_`.
    Program,
}

const CALLS: [&str; 12] = [
    "eval",
    "Function",
    "require",
    "import",
    "fetch",
    "httpRequest",
    "httpRequestWithAuthentication",
    "exec",
    "spawn",
    "execSync",
    "encodeURIComponent",
    "open",
];

/// Anything, made from every root that the text names, in strings and comments too. `offset` is where it stands.
pub(super) fn opaque(text: &str, offset: usize, names: Names) -> Term {
    let mut found = Vec::new();
    // An escape in an identifier spells a name that no scan sees.
    if text.contains("\\u") {
        found.push(Term::Place(Root::Unknown, (offset, offset + text.len())));
    }
    for (start, word) in words(text) {
        let rest = text.get(start + word.len()..).unwrap_or_default();
        found.extend(
            roots(word, rest, names)
                .into_iter()
                .map(|root| Term::Place(root, (offset + start, offset + start + word.len()))),
        );
    }
    Term::opaque(found)
}

/// The calls of note that the text names.
pub(super) fn calls(text: &str, offset: usize) -> Vec<Called> {
    let called = |(start, word): (usize, &str)| {
        let next = text.get(start + word.len()..).unwrap_or_default().trim_start();
        (CALLS.contains(&word) && (next.starts_with('(') || word == "import"))
            .then(|| (word.into(), (offset + start, offset + start + word.len())))
    };
    words(text).filter_map(called).collect()
}

/// Whether a call of this name is of note.
pub(super) fn is_of_note(name: &str) -> bool {
    CALLS.contains(&name.rsplit('.').next().unwrap_or(name))
}

fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let mut at = 0;
    text.split(move |c: char| !part_of_name(c)).filter_map(move |word| {
        let start = at;
        // The separator is one character, of as many bytes as it has.
        at += word.len();
        at += text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        (!word.is_empty()).then_some((start, word))
    })
}

/// What a name followed by `rest` can read.
pub(super) fn roots(word: &str, rest: &str, names: Names) -> Vec<Root> {
    let python = word.strip_prefix('_').filter(|_| names == Names::Program);
    let name = match (word.strip_prefix('$'), python) {
        (Some(name), _) | (None, Some(name)) => name,
        (None, None) => {
            let data = matches!(word, "items" | "item" | "query" | "this" | "getInputData");
            return if data && names == Names::Program { plain(word) } else { Vec::new() };
        }
    };
    match name {
        "json" | "data" | "input" | "items_" | "item" => vec![Root::Item],
        "binary" => vec![Root::Binary],
        "" | "node" => vec![constant(rest).map_or(Root::Unknown, Root::Node)],
        "items" if word.starts_with('_') => vec![Root::Item],
        "items" => match (constant(rest), rest.trim_start().strip_prefix('(')) {
            (Some(node), _) => vec![Root::Node(node)],
            (None, Some(inside)) if inside.trim_start().starts_with(')') => vec![Root::Item],
            _ => vec![Root::Unknown],
        },
        "fromAI" | "fromai" | "fromAi" => vec![constant(rest).map_or(Root::Unknown, Root::FromAi)],
        "parameter" => vec![Root::Parameter(constant(rest).unwrap_or_else(|| "".into()))],
        "env" | "vars" | "secrets" | "credentials" => vec![Root::Env(constant(rest).unwrap_or_else(|| "".into()))],
        "getWorkflowStaticData" => vec![Root::StaticData],
        "response" | "request" => vec![Root::ResponseOf],
        _ if python.is_some() => Vec::new(),
        _ => known(word).map_or_else(|| vec![Root::Unknown], |root| root.into_iter().collect()),
    }
}

fn plain(word: &str) -> Vec<Root> {
    match word {
        "query" => vec![Root::FromAi("query".into())],
        "this" | "getInputData" => vec![Root::Item],
        _ => vec![Root::Item, Root::Binary],
    }
}

/// What is known of a name with `$`: no root at all for functions, or facts of the engine; none for an unknown name.
pub(super) fn known(word: &str) -> Option<Option<Root>> {
    match word {
        "$workflow" | "$execution" | "$executionId" | "$runIndex" | "$itemIndex" | "$now" | "$today" | "$prevNode"
        | "$mode" | "$position" | "$pageCount" | "$nodeVersion" | "$nodeId" | "$resumeWebhookUrl" | "$webhookId"
        | "$agentInfo" | "$thisItemIndex" | "$thisRunIndex" => Some(Some(Root::Workflow)),
        "$if" | "$ifEmpty" | "$min" | "$max" | "$average" | "$not" | "$jmespath" | "$jmesPath" | "$helpers"
        | "$items" | "$fromAI" => Some(None),
        _ => None,
    }
}

/// The constant in `('X')`, `["X"]` or `.X`.
fn constant(rest: &str) -> Option<std::sync::Arc<str>> {
    let rest = rest.trim_start();
    if let Some(name) = rest.strip_prefix('.') {
        let end = name.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(name.len());
        return name.get(..end).filter(|n| !n.is_empty()).map(Into::into);
    }
    let inside = rest.strip_prefix(['(', '['])?.trim_start();
    let quote = inside.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let (name, after) = inside.get(1..)?.split_once(quote)?;
    let closed = after.trim_start().starts_with([')', ']', ',']);
    (closed && !name.contains('\\') && !name.contains("${")).then(|| name.into())
}
