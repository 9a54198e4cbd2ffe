//! The YAML of a definition: what a person reviews, and what the reader of definitions reads the same.

use std::fmt::Write as _;

use serde_json::Value as Json;

use super::task::{Case, Catch, Piece, Retry, Task, TaskKind, Then, Value, quoted};
use super::{Definition, NO_EQUIVALENT};

/// Longer texts with line ends are written as blocks.
const BLOCK_MIN: usize = 60;

pub(super) fn definition(definition: &Definition) -> String {
    let mut page = Yaml { text: String::new(), read: &definition.read };
    page.comment(0, &format!("Written by `sluice import` from {}.", definition.file));
    if !definition.gaps.is_empty() {
        let (steps, equivalent) = (definition.steps, definition.equivalent);
        let words = format!(
            "NOT COMPLETE: {equivalent} of {steps} steps have an equivalent. The others call `{NO_EQUIVALENT}`, which no \
             contract names: nothing of this definition runs until each is replaced."
        );
        page.comment(0, &words);
    }
    for note in &definition.notes {
        page.comment(0, &format!("Note: {note}."));
    }
    let title = text(&definition.title, 0);
    let name = slug(&definition.title);
    let _ = write!(
        page.text,
        "document:\n  dsl: '1.0.3'\n  namespace: imported\n  name: {}\n  version: '1.0.0'\n  title: {title}\n",
        key(if name.is_empty() { "workflow" } else { &name }),
    );
    page.text
        .push_str("# What the one who starts a run says is not data of the workflow: events come from connectors.\n");
    page.text.push_str("input: { from: '${ {} }' }\n");
    page.list("do", 0, &definition.tasks);
    page.text
}

/// A name in camel case as words: `getAll` as `get All`.
pub(crate) fn words_of(name: &str) -> String {
    let mut made = String::new();
    let mut before = ' ';
    for c in name.chars() {
        if c.is_ascii_uppercase() && before.is_ascii_lowercase() {
            made.push(' ');
        }
        made.push(c);
        before = c;
    }
    made
}

/// Lower-case words with `-` between them.
pub(crate) fn slug(words: &str) -> String {
    let mut made = String::new();
    for c in words.chars() {
        if c.is_ascii_alphanumeric() {
            made.push(c.to_ascii_lowercase());
        } else if !made.is_empty() && !made.ends_with('-') {
            made.push('-');
        }
    }
    made.truncate(60);
    made.trim_matches('-').to_owned()
}

struct Yaml<'a> {
    text: String,
    read: &'a std::collections::BTreeSet<String>,
}

impl Yaml<'_> {
    fn line(&mut self, indent: usize, words: &str) {
        let _ = writeln!(self.text, "{:indent$}{words}", "");
    }

    /// A comment, wrapped; whatever an author wrote in it cannot end it.
    fn comment(&mut self, indent: usize, words: &str) {
        const WIDTH: usize = 116;
        let shown: String = words.chars().map(|c| if is_plain(c) { c } else { ' ' }).collect();
        let shown = shown.replace("##[", "# #[");
        let mut line = String::new();
        for word in shown.split_whitespace() {
            if !line.is_empty() && line.chars().count() + word.chars().count() + 1 > WIDTH {
                self.line(indent, &format!("# {line}"));
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.line(indent, &format!("# {line}"));
    }

    fn list(&mut self, name: &str, indent: usize, tasks: &[Task]) {
        if tasks.is_empty() {
            self.line(indent, &format!("{name}: []"));
            return;
        }
        self.line(indent, &format!("{name}:"));
        for task in tasks {
            self.task(indent + 2, task);
        }
    }

    fn task(&mut self, indent: usize, task: &Task) {
        for comment in &task.comments {
            self.comment(indent, comment);
        }
        self.line(indent, &format!("- {}:", key(&task.name)));
        let inner = indent + 4;
        if let Some(condition) = &task.condition {
            self.line(inner, &format!("if: {}", expression(condition)));
        }
        if let Some(from) = &task.input {
            self.line(inner, &format!("input: {{ from: {} }}", expression(from)));
        }
        self.kind(inner, &task.kind);
        if let Some(made) = &task.output {
            self.line(inner, &format!("output: {{ as: {} }}", expression(made)));
        }
        let kept = task.export.iter().filter(|(name, _)| self.read.contains(name));
        let kept: Vec<String> = kept.map(|(name, made)| format!("{}: {made}", quoted(name))).collect();
        if !kept.is_empty() {
            let kept = expression(&format!("$context + {{{}}}", kept.join(", ")));
            self.line(inner, &format!("export: {{ as: {kept} }}"));
        }
        if let Some(ms) = task.timeout_ms {
            self.line(inner, &format!("timeout: {{ after: {{ milliseconds: {ms} }} }}"));
        }
        if let Some(then) = &task.then {
            self.line(inner, &format!("then: {}", directive(then)));
        }
    }

    fn kind(&mut self, indent: usize, kind: &TaskKind) {
        match kind {
            TaskKind::Call { action, with } => {
                self.line(indent, &format!("call: {}", text(action, indent)));
                if !with.is_empty() {
                    self.map("with", indent, with);
                }
            }
            TaskKind::Set(Value::Map(entries)) if !entries.is_empty() => self.map("set", indent, entries),
            TaskKind::Set(Value::Map(_)) => self.line(indent, "set: {}"),
            TaskKind::Set(value) => self.line(indent, &format!("set: {}", whole(value))),
            TaskKind::Do(tasks) => self.list("do", indent, tasks),
            TaskKind::For { each, items, tasks } => {
                self.line(indent, &format!("for: {{ each: {each}, in: {} }}", expression(items)));
                self.list("do", indent, tasks);
            }
            TaskKind::Try { tasks, retry, catch } => {
                self.list("try", indent, tasks);
                self.catch(indent, retry.as_ref(), catch.as_ref());
            }
            TaskKind::Switch(cases) => self.switch(indent, cases),
            TaskKind::Fork(branches) => {
                self.line(indent, "fork:");
                self.list("branches", indent + 2, branches);
            }
            TaskKind::Raise { title, detail } => {
                self.line(indent, "raise:");
                self.line(indent + 2, "error:");
                self.line(indent + 4, "type: https://serverlessworkflow.io/spec/1.0.0/errors/runtime");
                self.line(indent + 4, "status: 500");
                self.value("title", indent + 4, title);
                if let Some(detail) = detail {
                    self.value("detail", indent + 4, detail);
                }
            }
            TaskKind::Wait(ms) => self.line(indent, &format!("wait: {{ milliseconds: {ms} }}")),
        }
    }

    fn switch(&mut self, indent: usize, cases: &[Case]) {
        self.line(indent, "switch:");
        for (n, case) in cases.iter().enumerate() {
            match &case.when {
                Some(when) => {
                    self.line(indent + 2, &format!("- case {}:", n + 1));
                    self.line(indent + 6, &format!("when: {}", expression(when)));
                }
                None => self.line(indent + 2, "- otherwise:"),
            }
            self.line(indent + 6, &format!("then: {}", directive(&case.then)));
        }
    }

    fn catch(&mut self, indent: usize, retry: Option<&Retry>, catch: Option<&Catch>) {
        self.line(indent, "catch:");
        if let Some(when) = catch.and_then(|catch| catch.when.as_ref()) {
            self.line(indent + 2, &format!("when: {}", expression(when)));
        }
        if let Some(Retry { times, delay_ms, doubles, when }) = retry {
            self.line(indent + 2, "retry:");
            if let Some(when) = when {
                self.line(indent + 4, &format!("when: {}", expression(when)));
            }
            self.line(indent + 4, &format!("delay: {{ milliseconds: {delay_ms} }}"));
            let backoff = if *doubles { "exponential" } else { "constant" };
            self.line(indent + 4, &format!("backoff: {{ {backoff}: {{}} }}"));
            self.line(indent + 4, &format!("limit: {{ attempt: {{ count: {times} }} }}"));
        }
        if let Some(catch) = catch {
            self.list("do", indent + 2, &catch.tasks);
            if let Some(then) = &catch.then {
                self.line(indent + 2, &format!("then: {}", directive(then)));
            }
        }
    }

    fn map(&mut self, name: &str, indent: usize, entries: &[(String, Value)]) {
        self.line(indent, &format!("{name}:"));
        for (name, value) in entries {
            self.value(name, indent + 2, value);
        }
    }

    fn value(&mut self, name: &str, indent: usize, value: &Value) {
        match value {
            Value::Map(entries) if !entries.is_empty() => self.map(&key(name), indent, entries),
            Value::Map(_) => self.line(indent, &format!("{}: {{}}", key(name))),
            Value::Constant(json) => {
                let written = constant(json, indent);
                self.line(indent, &format!("{}: {written}", key(name)));
            }
            Value::Text(pieces) => {
                let written = text_of(pieces, indent);
                self.line(indent, &format!("{}: {written}", key(name)));
            }
        }
    }
}

fn directive(then: &Then) -> String {
    match then {
        Then::To(name) => key(name),
        Then::Exit => "exit".to_owned(),
        Then::End => "end".to_owned(),
    }
}

/// A value that must be one expression.
fn whole(value: &Value) -> String {
    expression(&value.to_jq())
}

/// `'${ … }'`
fn expression(jq: &str) -> String {
    scalar(&format!("${{ {jq} }}"))
}

fn text_of(pieces: &[Piece], indent: usize) -> String {
    let mut written = String::new();
    for piece in pieces {
        match piece {
            // What only looks like an expression becomes one that gives this very text.
            Piece::Literal(text) if text.contains("${") || text.ends_with('$') => {
                let _ = write!(written, "${{ {} }}", quoted(text));
            }
            Piece::Literal(text) => written.push_str(text),
            // Nothing is written where there is nothing, as the original engine does.
            Piece::Jq(jq) if pieces.len() > 1 => {
                let _ = write!(written, "${{ [{jq}] | join(\"\") }}");
            }
            Piece::Jq(jq) => {
                let _ = write!(written, "${{ {jq} }}");
            }
        }
    }
    text(&written, indent)
}

/// A constant: texts that hold `${` as an expression, whatever is nested as JSON, which is YAML.
fn constant(json: &Json, indent: usize) -> String {
    match json {
        Json::String(text) => text_of(&[Piece::Literal(text.clone())], indent),
        Json::Null | Json::Bool(_) | Json::Number(_) => json.to_string(),
        nested if nested.to_string().contains("${") => expression(&nested.to_string()),
        nested => shown(&nested.to_string()),
    }
}

/// A text as a scalar; long ones with lines as a block.
fn text(value: &str, indent: usize) -> String {
    let block = value.len() >= BLOCK_MIN
        && value.contains('\n')
        && !value.starts_with([' ', '\n'])
        && !value.ends_with('\n')
        && value.chars().all(|c| c == '\n' || is_plain(c))
        && !is_obeyed(value)
        && value.lines().all(|line| line.trim_end() == line);
    if !block {
        return scalar(value);
    }
    let pad = " ".repeat(indent + 2);
    let lines: Vec<String> =
        value.split('\n').map(|line| if line.is_empty() { String::new() } else { format!("{pad}{line}") }).collect();
    format!("|-\n{}", lines.join("\n"))
}

/// A text on one line: plain where nobody can take it for something else, else in quotes.
fn scalar(value: &str) -> String {
    if is_word(value) {
        return value.to_owned();
    }
    if value.chars().all(is_plain) && !is_obeyed(value) {
        return format!("'{}'", value.replace('\'', "''"));
    }
    shown(&quoted(value))
}

/// A key.
pub(super) fn key(name: &str) -> String {
    scalar(name)
}

/// JSON in which what cannot be seen is spelled out.
fn shown(json: &str) -> String {
    let mut written = String::new();
    for c in json.chars() {
        if c == '[' && written.ends_with("##") {
            written.push_str("\\u005b");
        } else if is_plain(c) {
            written.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(written, "\\u{unit:04x}");
            }
        }
    }
    written
}

/// A lower-case name that no reader of YAML takes for a number, a truth value or nothing.
fn is_word(value: &str) -> bool {
    const TAKEN: [&str; 10] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan"];
    let starts = value.starts_with(|c: char| c.is_ascii_alphabetic());
    let plain = value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    starts && plain && !TAKEN.contains(&value.to_ascii_lowercase().as_str())
}

/// What a runner of GitHub Actions takes for a command, where a definition is shown in its log.
fn is_obeyed(value: &str) -> bool {
    value.contains("##[") || value.lines().any(|line| line.trim_start().starts_with("::"))
}

/// What a person sees as it is: no control, no mark that turns or hides text.
fn is_plain(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' | '\u{2028}' | '\u{2029}')
        && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        && !matches!(c, '\u{e0000}'..='\u{e0fff}' | '\u{fff9}'..='\u{ffff}')
}

#[cfg(test)]
mod tests {
    use sluice_core::document;
    use sluice_core::text::Text;

    use super::*;

    #[test]
    fn every_text_is_read_as_it_was() {
        for words in [
            "plain",
            "on",
            "Yes",
            "1",
            "1.5",
            "~",
            "",
            " a",
            "a: b",
            "# c",
            "it's",
            "\"q\"",
            "a\nb",
            "tab\there",
            "\u{202e}x",
            "12:30",
            "0x1",
            "- a",
            "{a}",
            "[a]",
            "&a",
            "*a",
            "!t",
            "|",
            ">",
            "%",
            "@a",
            "`a`",
            "nan",
            "🚀",
            "a\\b",
            "\u{85}x",
            "##[group]",
            "::warning::x",
            "line one is long enough to be a block\nand so\n\n  is indented line two, which goes on and on",
        ] {
            for written in [scalar(words), text(words, 2), text_of(&[Piece::Literal(words.to_owned())], 2)] {
                let whole = format!("a:\n  b: {written}\n  c: 1\n");
                let tree = document::read(&Text::new("t", whole.as_str())).unwrap_or_else(|e| panic!("{whole}\n{e:?}"));
                let read = tree.get("a").and_then(|a| a.get("b")).and_then(|b| b.as_text()).map(ToString::to_string);
                assert_eq!(read.as_deref(), Some(words), "{whole}");
            }
        }
    }

    #[test]
    fn what_looks_like_an_expression_stays_a_text() {
        assert_eq!(constant(&"costs ${5}".into(), 0), r#"'${ "costs ${5}" }'"#);
        assert_eq!(constant(&serde_json::json!(["${x}"]), 0), r#"'${ ["${x}"] }'"#);
    }
}
