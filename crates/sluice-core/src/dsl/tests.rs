//! One listing per construct, one refusal per code, and the table of every example and corpus file.

mod constructs;
mod corpus;
mod refusals;
mod runs;

use crate::diagnostic::Diagnostic;
use crate::dsl::{Lowered, lower};
use crate::program::Program;
use crate::text::Text;

/// A definition around the given top-level YAML (`do: …` and whatever else).
fn definition(rest: &str) -> Text {
    let head = "document: { dsl: '1.0.3', namespace: test, name: demo, version: '0.1.0' }\n";
    Text::new("demo.yaml", format!("{head}{rest}"))
}

fn program(rest: &str) -> Program {
    let text = definition(rest);
    let Lowered { program, diagnostics } = lower(&text);
    assert!(diagnostics.is_empty(), "{}", listed(&diagnostics));
    program.expect("without diagnostics there is a program")
}

/// The listing of a definition's steps, without what every workflow begins and ends with.
fn listing(rest: &str) -> String {
    let text = definition(rest);
    program(rest).render(&text)
}

fn refused(rest: &str) -> String {
    let Lowered { program, diagnostics } = lower(&definition(rest));
    assert!(program.is_none() && !diagnostics.is_empty(), "refused");
    listed(&diagnostics)
}

fn listed(diagnostics: &[Diagnostic]) -> String {
    let line = |d: &Diagnostic| format!("{} {}:{} {}", d.code, d.span.line, d.span.column, d.message);
    diagnostics.iter().map(line).collect::<Vec<_>>().join("\n")
}
