//! Findings as workflow commands of GitHub Actions, which shows them beside the lines of a change.
//!
//! A runner obeys every line that starts with `::`. So there is one line per finding, our own words stand first in it,
//! and what the author wrote comes through [`Escape`].
//!
//! Source: GitHub, "Workflow commands for GitHub Actions"; the runner's own escapes are in `actions/toolkit`.

use std::fmt::{self, Write as _};

use sluice_core::diagnostic::{Confidence, Diagnostic, Severity};

use super::check::FilePage;
use super::escape::Escaped;

/// One command per finding, those that matter most first, and one for each of `notes`.
#[must_use]
pub fn commands(files: &[FilePage<'_>], notes: &[String]) -> String {
    let mut out = String::new();
    for file in files {
        for found in file.sorted() {
            let _ = writeln!(out, "{}", Command { path: &file.text.name, found });
        }
    }
    for note in notes {
        let _ = writeln!(out, "::notice title=sluice::{}", Escape::data(note));
    }
    out
}

struct Command<'a> {
    path: &'a str,
    found: &'a Diagnostic,
}

impl fmt::Display for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Diagnostic { code, name, severity, confidence, message, help, span, flow, .. } = self.found;
        let sure = if *confidence == Confidence::High { String::new() } else { format!(", confidence {confidence}") };
        let title = format!("{code} {name} ({severity}{sure})");
        write!(f, "::{} file={}", word(*severity), Escape::property(self.path))?;
        write!(f, ",line={},endLine={}", span.line.max(1), last_line(self.found).max(1))?;
        // A column is shown only for places of one line.
        if span.line == span.end_line {
            write!(f, ",col={},endColumn={}", span.column.max(1), span.end_column.max(1))?;
        }
        write!(f, ",title={}::{}", Escape::property(&title), Escape::data(message))?;
        if flow.len() > 1 {
            f.write_str("%0Athe way it takes:")?;
            for stop in flow {
                write!(f, "%0A- {} (line {}): {}", Escape::data(&stop.step), stop.span.line, Escape::data(&stop.what))?;
            }
        }
        if !help.is_empty() {
            write!(f, "%0Ahelp: {}", Escape::data(help))?;
        }
        Ok(())
    }
}

/// The line of the last character; a span that ends before the first of a line does not cover that line.
const fn last_line(found: &Diagnostic) -> u32 {
    let span = found.span;
    if span.end_line > span.line && span.end_column <= 1 { span.end_line - 1 } else { span.end_line }
}

const fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "notice",
    }
}

/// Text of outsiders in a command: nothing in it ends the line, the property or the command, and nothing is hidden.
#[derive(Clone, Copy, Debug)]
pub struct Escape<'a> {
    text: &'a str,
    is_property: bool,
}

impl<'a> Escape<'a> {
    /// As the value of a property.
    #[must_use]
    pub const fn property(text: &'a str) -> Self {
        Self { text, is_property: true }
    }

    /// As a part of the message.
    #[must_use]
    pub const fn data(text: &'a str) -> Self {
        Self { text, is_property: false }
    }
}

impl fmt::Display for Escape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in Escaped(self.text).to_string().chars() {
            match c {
                '%' => f.write_str("%25")?,
                // `Escaped` leaves none of these two; a runner must not depend on that.
                '\r' => f.write_str("%0D")?,
                '\n' => f.write_str("%0A")?,
                ':' if self.is_property => f.write_str("%3A")?,
                ',' if self.is_property => f.write_str("%2C")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;
    use sluice_core::diagnostic::{Code, Diagnostic, FlowStop, Severity};
    use sluice_core::text::Text;

    use super::super::check::FilePage;

    fn shown(name: &str, words: &str) -> String {
        let text = Text::new(name, "do:\n  - a: { call: b }\n");
        let span = text.span(6, 20);
        let mut found = Diagnostic::new(Code(204), "untrusted", Severity::Critical, span, words, words);
        found.flow = vec![FlowStop { step: words.to_owned(), what: words.to_owned(), file: None, span }; 2];
        super::commands(&[FilePage { text: &text, findings: &[found], report: None }], &[])
    }

    #[test]
    fn a_finding_is_one_command_with_its_way_and_help() {
        assert_snapshot!(shown("flows/a.yaml", "50 % leaves"), @"::error file=flows/a.yaml,line=2,endLine=2,col=3,endColumn=17,title=SL204 untrusted (critical)::50 %25 leaves%0Athe way it takes:%0A- 50 %25 leaves (line 2): 50 %25 leaves%0A- 50 %25 leaves (line 2): 50 %25 leaves%0Ahelp: 50 %25 leaves");
    }

    #[test]
    fn a_name_cannot_add_a_property_or_end_the_command() {
        let shown = shown("a,line=9::x\n::stop-commands::t%0A.yaml", "x\r\n::add-mask::y");
        assert!(
            shown.starts_with("::error file=a%2Cline=9%3A%3Ax\\n%3A%3Astop-commands%3A%3At%250A.yaml,line=2"),
            "{shown}"
        );
        assert_eq!(shown.lines().count(), 1, "{shown}");
    }

    proptest! {
        #[test]
        fn nothing_an_outsider_writes_starts_a_line(name in "\\PC{0,20}|[:,%\r\n#\\[\\]a\u{202e}\u{1b}]{0,30}", words in "[:,%\r\n#\\[\\]a \u{202e}\u{85}\u{2028}]{0,40}") {
            let shown = shown(&name, &words);
            prop_assert_eq!(shown.matches('\n').count(), 1);
            let is_hidden = shown.contains(['\r', '\u{85}', '\u{2028}', '\u{202e}', '\u{1b}']);
            prop_assert!(!is_hidden, "{shown:?}");
            prop_assert!(shown.starts_with("::error file="));
        }
    }
}
