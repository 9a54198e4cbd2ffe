//! The pages of rules and codes, as SARIF's rules.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use sluice_core::diagnostic::{Code, Diagnostic, Severity};
use sluice_verify::rules;

use super::level;
use crate::commands::explain::codes;

/// One rule of the tool.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rule {
    #[serde(rename = "id", serialize_with = "shown")]
    pub(super) code: Code,
    name: String,
    short_description: Words,
    full_description: Words,
    help: Help,
    default_configuration: Configuration,
    properties: Properties,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn shown<S: Serializer>(code: &Code, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(code)
}

#[derive(Debug, Serialize)]
struct Words {
    text: String,
}

#[derive(Debug, Serialize)]
struct Help {
    text: String,
    markdown: String,
}

#[derive(Debug, Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Debug, Serialize)]
struct Properties {
    #[serde(rename = "security-severity")]
    security_severity: &'static str,
    precision: &'static str,
    tags: [&'static str; 1],
}

/// Every rule of the verifier, and the codes of texts that were found, in the order of their codes.
pub(super) fn of<'a>(found: impl Iterator<Item = &'a Diagnostic>) -> Vec<Rule> {
    let mut by_code: BTreeMap<Code, Rule> = rules::all().map(|meta| (meta.code, Rule::of_rule(meta))).collect();
    for diagnostic in found {
        by_code.entry(diagnostic.code).or_insert_with(|| Rule::of_code(diagnostic));
    }
    by_code.into_values().collect()
}

impl Rule {
    fn of_rule(meta: &rules::RuleMeta) -> Self {
        let page = meta.page();
        let (first, rest) = page.split_once("\n\n").unwrap_or((&page, ""));
        let prose = rest.split("```").next().unwrap_or_default().trim().replace('\n', " ");
        let full = if prose.is_empty() { first.replace('\n', " ") } else { prose };
        let short = first.to_owned();
        let help = Help { markdown: markdown(&page), text: page };
        Self::new(meta.code, meta.name, meta.severity, meta.confidence.name(), &short, full, help)
    }

    /// A code that has no page of its own: its name and what to do. What is wrong with a text is no guess.
    fn of_code(found: &Diagnostic) -> Self {
        let info = codes().find(|info| Code(info.code) == found.code && info.name == found.name);
        let help = info.map_or_else(|| found.name.replace('-', " "), |info| info.help.to_owned());
        let short = found.name.replace('-', " ");
        let severity = found.severity;
        Self::new(
            found.code,
            found.name,
            severity,
            "very-high",
            &short,
            help.clone(),
            Help { markdown: help.clone(), text: help },
        )
    }

    fn new(
        code: Code,
        name: &str,
        severity: Severity,
        precision: &'static str,
        short: &str,
        full: String,
        help: Help,
    ) -> Self {
        Self {
            code,
            name: pascal(name),
            short_description: Words { text: short.replace('\n', " ") },
            full_description: Words { text: full },
            help,
            default_configuration: Configuration { level: level(severity) },
            properties: Properties { security_severity: score(severity), precision, tags: ["security"] },
        }
    }
}

/// Names of rules are in Pascal case (§3.49.7).
fn pascal(name: &str) -> String {
    let upper = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    };
    name.split('-').map(upper).collect()
}

/// Code hosts sort by a number from 0 to 10: over 9 is critical, from 7 high, from 4 medium.
const fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
        Severity::Info => "0.0",
    }
}

/// A page's examples under headings; their fences are YAML.
fn markdown(page: &str) -> String {
    page.replace("```bad\n", "\n**Bad**\n```yaml\n").replace("```good\n", "\n**Good**\n```yaml\n")
}
