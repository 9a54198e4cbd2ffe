//! Importers: workflows of other engines, lowered to the one [`Program`](sluice_core::program::Program).
//!
//! Most workflows that a model wrote do not live in our language. Each importer reads one foreign format into an
//! [`Import`]: a program whose calls name one action each of a catalogue made for this very text, and what the text shows
//! on its face. The verifier then follows data through it with the same fixpoint, evaluator and transfer table as
//! through a native definition.
//!
//! In scope: recognising a format by its content, reading it, the catalogues of what foreign nodes do, translating
//! foreign expressions, and writing [`native`] definitions of foreign workflows.
//! Out of scope: running anything (an imported program is verified and never run), rules (`sluice-verify`), output.
//! What an importer does not understand is *opaque*: anything at all, made from everything that it names.
//! Nothing here reads a clock, file, network or random source.

mod allow;
mod catalogues;
pub mod dify;
pub mod github_actions;
pub mod guard;
mod host;
mod import;
pub mod javascript;
mod links;
mod locate;
pub mod logic_apps;
pub mod n8n;
pub mod native;
mod order;
mod refusal;
mod services;
mod siblings;
pub mod step_functions;
mod wiring;

use std::path::Path;

use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::{self, JsonRules, Node};
use sluice_core::limits::IMPORT_BYTES_MAX;
use sluice_core::text::Text;

pub use refusal::CODES;

pub use allow::Allow;
pub use catalogues::Catalogues;
pub use links::{Link, LinkKind};

pub use import::{
    Calls, Catalogued, Confidence, Entrance, Format, Import, Kind, Linked, Mends, Observation, Observed, Source, Tier,
    Top,
};
pub use siblings::{Sibling, Siblings};

/// The format of a tree, by its content.
#[must_use]
pub fn recognise(tree: &Node) -> Option<Format> {
    type Fits = fn(&Node) -> bool;
    let fits: [(Format, Fits); 5] = [
        (Format::N8n, n8n::is_workflow),
        (Format::StepFunctions, step_functions::is_machine),
        (Format::LogicApps, logic_apps::is_workflow),
        (Format::Dify, dify::is_app),
        (Format::GithubActions, github_actions::is_workflow),
    ];
    fits.into_iter().find(|(_, fits)| fits(tree)).map(|(format, _)| format)
}

/// Lowers a tree of a format that [`recognise`] named.
///
/// # Errors
/// Why it is no workflow of that format, or cannot be analysed; each with its place.
pub fn import(format: Format, text: &Text, tree: &Node) -> Result<Import, Vec<Diagnostic>> {
    import_with(format, text, tree, &Siblings::default(), &Catalogues::default())
}

/// Lowers a tree together with the workflows that it calls, where they are at hand, by what `catalogues` say of its nodes.
///
/// # Errors
/// Those of [`import`]; what is wrong with another file is told there.
pub fn import_with(
    format: Format,
    text: &Text,
    tree: &Node,
    siblings: &Siblings,
    catalogues: &Catalogues,
) -> Result<Import, Vec<Diagnostic>> {
    match format {
        Format::N8n => n8n::import_with(text, tree, catalogues.n8n(), siblings),
        Format::GithubActions => github_actions::import_with(text, tree, siblings),
        Format::StepFunctions => step_functions::import_with(text, tree, siblings, catalogues.step_functions()),
        Format::LogicApps => logic_apps::import_with(tree, catalogues.logic_apps()),
        Format::Dify => dify::import(text, tree),
    }
}

/// A text that was looked at.
#[derive(Debug)]
pub enum Opened {
    /// A workflow of another engine.
    Foreign {
        /// Its text.
        text: Text,
        /// Which engine's.
        format: Format,
        /// What became of it.
        import: Result<Box<Import>, Vec<Diagnostic>>,
    },
    /// Nothing that an importer knows: a native definition, another document, or no text at all.
    Other,
}

/// Reads bytes, and lowers what is a workflow of another engine.
#[must_use]
pub fn open(name: &str, bytes: &[u8]) -> Opened {
    open_with(name, bytes, &Siblings::default(), &Catalogues::default())
}

/// Reads bytes, and lowers what is a workflow of another engine together with the workflows that it calls, by what
/// `catalogues` say of its nodes.
#[must_use]
pub fn open_with(name: &str, bytes: &[u8], siblings: &Siblings, catalogues: &Catalogues) -> Opened {
    let Some(read) = read(name, bytes) else { return Opened::Other };
    let Some(format) = recognise(&read.tree) else { return Opened::Other };
    let Read { text, tree, warnings, problems } = read;
    if !problems.is_empty() {
        return Opened::Foreign { text, format, import: Err(problems) };
    }
    let import = import_with(format, &text, &tree, siblings, catalogues).map(|mut import| {
        import.warnings = warnings;
        allow::read(&text, &tree, &mut import);
        Box::new(import)
    });
    Opened::Foreign { text, format, import }
}

/// The engine whose workflow some bytes are, if they are one; none if they are one with a mistake in its JSON.
#[must_use]
pub fn format_of(name: &str, bytes: &[u8]) -> Option<Format> {
    read(name, bytes).filter(|read| read.problems.is_empty()).and_then(|read| recognise(&read.tree))
}

/// What stands in some bytes.
struct Read {
    text: Text,
    tree: Node,
    warnings: Vec<Diagnostic>,
    /// What is wrong with JSON that YAML takes nevertheless: it would be another engine's workflow without it.
    problems: Vec<Diagnostic>,
}

/// JSON by its own reader, anything else as YAML.
///
/// YAML takes JSON with a comma too many, with comments, and with bare words. Engines whose exports are JSON do not: theirs are
/// recognised all the same, so that the mistake is told at its place.
fn read(name: &str, bytes: &[u8]) -> Option<Read> {
    let start = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let first = start.iter().find(|b| !b.is_ascii_whitespace())?;
    if !matches!(first, b'{' | b'[') {
        let (text, tree) = document::read_bytes(name, bytes).ok()?;
        return Some(Read { text, tree, warnings: Vec::new(), problems: Vec::new() });
    }
    let text = document::decode_within(name, bytes, IMPORT_BYTES_MAX).ok()?;
    match document::read_json_with(&text, JsonRules::IMPORT) {
        Ok((tree, warnings)) => Some(Read { text, tree, warnings, problems: Vec::new() }),
        Err(problems) => {
            let (text, tree) = document::read_bytes(name, bytes).ok()?;
            let problems = if is_yaml(name, &tree) { Vec::new() } else { problems };
            Some(Read { text, tree, warnings: Vec::new(), problems })
        }
    }
}

/// Whether what is no JSON is YAML by right: a format that is written in it, in a file that does not claim otherwise.
fn is_yaml(name: &str, tree: &Node) -> bool {
    let ends_as = |end: &str| Path::new(name).extension().is_some_and(|found| found.eq_ignore_ascii_case(end));
    let is_json = ends_as("json") || ends_as("asl");
    !is_json && !matches!(recognise(tree), Some(Format::N8n | Format::LogicApps))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The targets of the links of a page.
    fn links(page: &str) -> Vec<&str> {
        page.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()).collect()
    }

    /// What is said of a text that is opened: its format, and where and what is wrong.
    fn told(name: &str, content: &str) -> String {
        match open(name, content.as_bytes()) {
            Opened::Foreign { format, import: Ok(_), .. } => format!("{format}"),
            Opened::Foreign { format, import: Err(problems), .. } => {
                let first = &problems[0];
                let at = &first.span;
                format!("{format} {}:{} {} {}", at.line, at.column, first.code, first.message)
            }
            Opened::Other => "other".into(),
        }
    }

    #[test]
    fn a_mistake_in_an_export_of_json_is_told_at_its_place_though_yaml_takes_it() {
        let n8n = |end: &str| {
            format!(
                "{{\"nodes\": [{{\"name\": \"A\", \"type\": \"n8n-nodes-base.set\"}}{end}], \"connections\": {{}}}}"
            )
        };
        assert_eq!(told("a.json", &n8n("")), "n8n");
        assert_eq!(told("a.json", &n8n(",\n")), "n8n 1:55 SL101 one `,` too many before the closing `]`");
        assert_eq!(
            told("a.yaml", &n8n(",\n")),
            "n8n 1:55 SL101 one `,` too many before the closing `]`",
            "whatever its name"
        );
        assert_eq!(format_of("a.json", n8n(",").as_bytes()), None);
        let machine = "{\"StartAt\": \"A\", \"States\": {\"A\": {\"Type\": \"Pass\", \"End\": true,}}}";
        assert!(told("a.json", machine).starts_with("step-functions 1:"), "{}", told("a.json", machine));
        assert_eq!(told("a.yaml", machine), "step-functions", "states are written in YAML as well");
        assert_eq!(told("a.yml", "{on: push, jobs: {a: {runs-on: x, steps: [{run: ls}]}}}"), "github-actions");
        assert_eq!(told("a.json", "{a: 1}"), "other");
        assert_eq!(told("a.json", "{\"nodes\": ["), "other", "neither reads it: whoever asks for a definition is told");
    }

    #[test]
    fn the_page_of_all_formats_leads_to_each_of_them() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        let page = std::fs::read_to_string(docs.join("formats.md")).unwrap();
        let linked = links(&page);
        for target in &linked {
            assert!(docs.join(target).is_file(), "`{target}` is not there");
        }
        for entry in std::fs::read_dir(&docs).unwrap() {
            let name = entry.unwrap().file_name().to_string_lossy().into_owned();
            assert!(!name.starts_with("formats-") || linked.contains(&name.as_str()), "`{name}` is not linked");
        }
        let readme = std::fs::read_to_string(docs.join("../README.md")).unwrap();
        assert!(links(&readme).contains(&"docs/formats.md"));
        assert!(page.contains("cargo xtask corpus"), "the rows come from a command");
    }
}
