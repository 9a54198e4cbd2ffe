//! Findings as SARIF 2.1.0, which code hosts and editors read.
//!
//! Only what is written here is typed here: a crate for all of SARIF generates its types with a Rust parser in its build.
//!
//! Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0"; sections are named where they matter.

mod rule;

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use sluice_core::diagnostic::{Code, Confidence, Diagnostic, Severity};
use sluice_core::text::Span;

use self::rule::Rule;
use super::check::FilePage;
use super::escape::Escaped;
use crate::baseline::Fingerprint;
use crate::failure::Exit;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
const VERSION: &str = "2.1.0";
/// What relative paths start from: code hosts put the root of the repository there.
const ROOT: &str = "%SRCROOT%";
/// What stands for itself in a path of a URI.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The whole file.
#[derive(Debug, Serialize)]
pub struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

impl Log {
    /// One run over all files, which ended as `exit` says.
    #[must_use]
    pub fn of(files: &[FilePage<'_>], exit: Exit) -> Self {
        let found = || files.iter().flat_map(|file| file.findings);
        let rules = rule::of(found());
        let index: BTreeMap<Code, usize> = rules.iter().enumerate().map(|(at, rule)| (rule.code, at)).collect();
        let results =
            files.iter().flat_map(|file| file.sorted().into_iter().map(|found| Finding::of(file, found, &index)));
        let run = Run {
            tool: Tool { driver: Driver { name: "sluice", version: env!("CARGO_PKG_VERSION"), rules } },
            // §3.14.17: columns of ours count characters, as `Span` does.
            column_kind: "unicodeCodePoints",
            invocations: [Invocation { execution_successful: true, exit_code: exit as u8 }],
            artifacts: files.iter().map(Artifact::of).collect(),
            results: results.collect(),
        };
        Self { schema: SCHEMA, version: VERSION, runs: [run] }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    column_kind: &'static str,
    invocations: [Invocation; 1],
    artifacts: Vec<Artifact>,
    results: Vec<Finding>,
}

#[derive(Debug, Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    version: &'static str,
    rules: Vec<Rule>,
}

/// No command line and no folder: they would tell of the machine.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    exit_code: u8,
}

/// A file that was looked at, also if nothing was found in it.
#[derive(Debug, Serialize)]
struct Artifact {
    location: ArtifactLocation,
    roles: [&'static str; 1],
    properties: About,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct About {
    status: &'static str,
    not_shown: Vec<String>,
}

impl Artifact {
    fn of(file: &FilePage<'_>) -> Self {
        let not_shown = file.report.map(|report| report.not_shown.clone()).unwrap_or_default();
        let status = if file.report.is_some() { "checked" } else { "refused" };
        Self {
            location: ArtifactLocation::of(&file.text.name),
            roles: ["analysisTarget"],
            properties: About { status, not_shown },
        }
    }
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

impl ArtifactLocation {
    fn of(path: &str) -> Self {
        let path = path.replace('\\', "/");
        let encoded = utf8_percent_encode(&path, PATH).to_string();
        if path.starts_with('/') {
            Self { uri: format!("file://{encoded}"), uri_base_id: None }
        } else {
            Self { uri: encoded, uri_base_id: Some(ROOT) }
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    rule_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: Message,
    locations: [Location; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    code_flows: Vec<CodeFlow>,
    partial_fingerprints: BTreeMap<&'static str, String>,
    /// §3.27.25: of results, which first. From 0 to 100.
    rank: f64,
    properties: Extra,
}

/// What SARIF has no place for.
#[derive(Debug, Serialize)]
struct Extra {
    severity: Severity,
    confidence: Confidence,
    help: String,
}

impl Finding {
    fn of(file: &FilePage<'_>, found: &Diagnostic, index: &BTreeMap<Code, usize>) -> Self {
        let within =
            |name: &str, span: Span| Place { artifact_location: ArtifactLocation::of(name), region: Region::of(span) };
        let at = |span: Span| within(&file.text.name, span);
        let help = if found.help.is_empty() { String::new() } else { format!("\nhelp: {}", Words(&found.help)) };
        let related = (1..).zip(&found.annotations).map(|(id, (span, note))| Location {
            id: Some(id),
            physical_location: at(*span),
            message: Some(Message::of(note)).filter(|m| !m.text.is_empty()),
            logical_locations: Vec::new(),
        });
        let stops = (1..).zip(&found.flow).map(|(execution_order, stop)| Stop {
            execution_order,
            location: Location {
                id: None,
                physical_location: within(stop.file.as_ref().unwrap_or(&file.text.name), stop.span),
                message: Some(Message::of(&stop.what)),
                logical_locations: vec![Logical::step(&stop.step)],
            },
        });
        let stops: Vec<Stop> = stops.collect();
        Self {
            rule_id: found.code.to_string(),
            rule_index: index.get(&found.code).copied(),
            level: level(found.severity),
            message: Message { text: format!("{}{help}", Words(&found.message)) },
            locations: [Location {
                id: None,
                physical_location: at(found.span),
                message: None,
                logical_locations: found.step.iter().map(|step| Logical::step(step)).collect(),
            }],
            related_locations: related.collect(),
            code_flows: if stops.is_empty() {
                Vec::new()
            } else {
                vec![CodeFlow { thread_flows: [ThreadFlow { locations: stops }] }]
            },
            partial_fingerprints: BTreeMap::from([("sluiceFinding/v1", Fingerprint::of(found).to_string())]),
            rank: rank(found),
            properties: Extra { severity: found.severity, confidence: found.confidence, help: found.help.clone() },
        }
    }
}

/// What matters more comes first; of two that matter the same, the surer one.
fn rank(found: &Diagnostic) -> f64 {
    f64::from(found.severity as u8).mul_add(20.0, f64::from(found.confidence as u8) * 10.0)
}

/// How a severity is called in SARIF.
const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u32>,
    physical_location: Place,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logical_locations: Vec<Logical>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    artifact_location: ArtifactLocation,
    region: Region,
}

/// Lines and columns from 1, the end exclusive (§3.30.8), exactly as a span has them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
}

impl Region {
    /// What is about a whole text may have no place: SARIF counts from 1.
    fn of(span: Span) -> Self {
        let (start_line, start_column) = (span.line.max(1), span.column.max(1));
        Self { start_line, start_column, end_line: span.end_line.max(start_line), end_column: span.end_column.max(1) }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Logical {
    fully_qualified_name: String,
    kind: &'static str,
}

impl Logical {
    fn step(path: &str) -> Self {
        Self { fully_qualified_name: path.to_owned(), kind: "member" }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CodeFlow {
    thread_flows: [ThreadFlow; 1],
}

#[derive(Debug, Serialize)]
struct ThreadFlow {
    locations: Vec<Stop>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Stop {
    execution_order: u32,
    location: Location,
}

#[derive(Debug, Serialize)]
struct Message {
    text: String,
}

impl Message {
    fn of(text: &str) -> Self {
        Self { text: Words(text).to_string() }
    }
}

/// Text of outsiders in a message. JSON's own escapes are serde's; but a reader of SARIF makes `[words](target)` a link
/// (§3.11.6), and shows what it is given. So nothing in it is a link, and nothing is hidden.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a>(pub &'a str);

impl std::fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = Escaped(self.0).to_string();
        // Most readers show the backslash too, so it stands only where it is needed.
        if shown.contains("](") {
            return f.write_str(&shown.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]"));
        }
        f.write_str(&shown)
    }
}

#[cfg(test)]
mod tests {
    use super::{ArtifactLocation, Words};

    #[test]
    fn words_of_outsiders_are_no_links_and_hide_nothing() {
        assert_eq!(Words("`.rows[0]`").to_string(), "`.rows[0]`");
        assert_eq!(Words("[pay](https://x.example)").to_string(), r"\[pay\](https://x.example)");
        assert_eq!(Words("a\u{202e}b\x1b[2J").to_string(), r"a\u{202e}b\x1b[2J");
    }

    #[test]
    fn a_path_is_a_uri() {
        let uri = |path: &str| ArtifactLocation::of(path).uri;
        assert_eq!(uri("flows/a b#?%č.yaml"), "flows/a%20b%23%3F%25%C4%8D.yaml");
        assert_eq!(uri("/tmp/a.yaml"), "file:///tmp/a.yaml");
        // A colon in the first segment would make a scheme of it.
        assert_eq!(uri("javascript:x"), "javascript%3Ax");
    }
}
