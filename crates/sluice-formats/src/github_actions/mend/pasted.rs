//! Expressions that are pasted into a shell's script become variables of the step.

mod shell;

use std::collections::BTreeMap;

use sluice_core::document::Node as Tree;
use sluice_core::edit::{Edit, Fix};

use super::layout::Layout;
use crate::github_actions::expression::parse;
use crate::github_actions::lower::Writing;
use crate::github_actions::read::{Step, Workflow, entries};
use crate::github_actions::template::{Piece, pieces};
use shell::Quoted;

/// How names start that shells, loaders, interpreters and runners give a meaning.
const TAKEN: [&str; 23] = [
    "GITHUB_", "RUNNER_", "ACTIONS_", "INPUT_", "BASH_", "LD_", "DYLD_", "GIT_", "GH_", "NODE_", "NPM_", "PYTHON",
    "PERL", "RUBY", "JAVA_", "LC_", "SSH_", "SSL_", "DOCKER_", "CURL", "HTTP", "ALL_", "NO_",
];

/// Hands each expression that somebody writes to the script as a variable; `None` where one stands where that is not plain.
pub(super) fn fix(step: &Step<'_>, writing: &Writing<'_, '_>, workflow: &Workflow<'_>) -> Option<Fix> {
    let run = step.run?;
    let script = run.as_text()?;
    if !script.contains("${{") || !is_posix(step, writing, workflow) {
        return None;
    }
    let file = writing.scope.file;
    let raw = |start: usize, end: usize| file.content.get(start..end);
    let found = pieces(file, run, script);
    let quoted = shell::quoted(&found)?;
    let is_single = raw(run.span.start, run.span.end)?.starts_with('\'');
    let is_double = raw(run.span.start, run.span.end)?.starts_with('"');
    let mut names = Names::of(script, writing);
    let mut edits = Vec::new();
    let expressions = found.iter().filter_map(|piece| match piece {
        Piece::Expression(source, span) => Some((*source, *span)),
        Piece::Literal(_) => None,
    });
    for ((source, span), quoted) in expressions.zip(quoted) {
        if writing.scope.expression(source, span)?.variables().is_empty() {
            continue;
        }
        let was = raw(span.start, span.end).filter(|was| *was == format!("${{{{{source}}}}}"))?;
        let name = names.of_expression(source.trim())?;
        let text = match quoted? {
            Quoted::Double => format!("${{{name}}}"),
            Quoted::Single => format!("'\"${{{name}}}\"'"),
            Quoted::Bare => format!("\"${{{name}}}\""),
        };
        if is_single && text.contains('\'') || is_double && text.contains('"') {
            return None;
        }
        edits.push(Edit { start: span.start, end: span.end, was: was.to_owned(), text });
    }
    if edits.is_empty() {
        return None;
    }
    edits.extend(variables(step.tree, &names.given, &Layout::of(file))?);
    Some(Fix { edits })
}

/// The entries of `env`; none if every expression was a variable already.
fn variables(step: &Tree, given: &BTreeMap<String, String>, layout: &Layout<'_>) -> Option<Option<Edit>> {
    if given.is_empty() {
        return Some(None);
    }
    let is_flow = layout.is_flow(step) || step.get("env").is_some_and(|env| layout.is_flow(env));
    let quote = |source: &str| match is_flow || source.contains(": ") || source.contains(" #") {
        true => (!source.contains(['"', '\\'])).then(|| format!("\"${{{{ {source} }}}}\"")),
        false => Some(format!("${{{{ {source} }}}}")),
    };
    let lines: Vec<String> =
        given.iter().map(|(source, name)| Some(format!("{name}: {}", quote(source)?))).collect::<Option<_>>()?;
    let edit = match step.get("env") {
        Some(env) if layout.is_flow(env) => layout.first_in(env, &lines.join(", "))?,
        Some(env) => {
            let first = entries(Some(env)).first()?;
            layout.above(first, &lines.iter().map(String::as_str).collect::<Vec<_>>())?
        }
        None if layout.is_flow(step) => layout.first_in(step, &format!("env: {{ {} }}", lines.join(", ")))?,
        None => {
            let lines: Vec<String> =
                std::iter::once("env:".to_owned()).chain(lines.iter().map(|line| format!("  {line}"))).collect();
            layout.above(step.entry("run")?, &lines.iter().map(String::as_str).collect::<Vec<_>>())?
        }
    };
    Some(Some(edit))
}

/// Whether a POSIX shell reads the script: it says so, or it is the default of machines that have one.
fn is_posix(step: &Step<'_>, writing: &Writing<'_, '_>, workflow: &Workflow<'_>) -> bool {
    let default = |tree: &Tree| tree.get("defaults")?.get("run")?.get("shell").cloned();
    let own = step.tree.get("shell").cloned();
    let said = own.or_else(|| default(writing.job.tree)).or_else(|| default(workflow.tree));
    match said {
        Some(shell) => {
            let word = shell.as_text().and_then(|text| text.split_whitespace().next().map(str::to_owned));
            matches!(word.as_deref(), Some("bash" | "sh"))
        }
        None => {
            let machine = writing.job.tree.get("runs-on").and_then(Tree::as_text);
            machine.is_some_and(|name| ["ubuntu-", "macos-"].iter().any(|start| name.starts_with(start)))
        }
    }
}

/// Names of new variables, by the expressions that they hold.
struct Names {
    given: BTreeMap<String, String>,
    /// What is written already: no new name is in it.
    known: String,
}

impl Names {
    fn of(script: &str, writing: &Writing<'_, '_>) -> Self {
        let levels = writing.scope.env.iter().flat_map(|level| level.named.keys());
        let known = levels.fold(script.to_uppercase(), |all, name| format!("{all} {}", name.to_uppercase()));
        Self { given: BTreeMap::new(), known }
    }

    fn of_expression(&mut self, source: &str) -> Option<String> {
        if source.contains(['\n', '\r', '\t']) {
            return None;
        }
        let ast = parse(source)?;
        let path = ast.path().unwrap_or_default();
        if path.first().is_some_and(|root| root == "env") {
            // It is a variable of the script already, and may be one that only a step's script sees.
            let name = source.split('.').nth(1).filter(|_| path.len() == 2)?.trim();
            return is_name(name).then(|| name.to_owned());
        }
        // In `env` of a step its own variables are not seen yet.
        if ast.any(&|part| part.path().is_some_and(|path| path.first().is_some_and(|root| root == "env"))) {
            return None;
        }
        if let Some(name) = self.given.get(source) {
            return Some(name.clone());
        }
        let name = self.new_name(&path)?;
        self.given.insert(source.to_owned(), name.clone());
        Some(name)
    }

    /// The last two words of a path: `ISSUE_TITLE`.
    fn new_name(&self, path: &[String]) -> Option<String> {
        let words = path.iter().filter(|key| !matches!(key.as_str(), "github" | "event" | "outputs"));
        let words: Vec<String> = words.map(|key| key.to_uppercase()).collect();
        let last = words.get(words.len().saturating_sub(2)..).unwrap_or_default().join("_");
        let plain: String = last.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let is_taken = !plain.contains('_') || TAKEN.iter().any(|start| plain.starts_with(start));
        let base = if plain.is_empty() || is_taken { format!("VALUE_{plain}") } else { plain };
        let base = base.trim_end_matches('_').to_owned();
        let names = std::iter::once(base.clone()).chain((2..100).map(|n| format!("{base}_{n}")));
        let is_new =
            |name: &String| !self.known.contains(name.as_str()) && !self.given.values().any(|given| given == name);
        names.into_iter().find(|name| is_name(name) && is_new(name))
    }
}

fn is_name(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
