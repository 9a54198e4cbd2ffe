//! `sluice init --from FILE`: contracts and categories drafted from what a service, a database or a server says of itself.
//!
//! Everything that is written is a guess for people to read, each with its reason, and everything unknown is taken at its
//! most careful. The file says which of the three it is; nothing is reached.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use sluice_core::contract::governance::CONNECTORS_FOLDER;
use sluice_core::contract::is_id;
use sluice_core::contract::lock::{LOCK_FILE, Lock, Pin, Pins, Server};
use sluice_core::contract::registers::CLASSIFICATION_FILE;
use sluice_core::diagnostic::Diagnostic;
use sluice_core::document::{Duplicates, JsonRules, decode_within, read_json_with};
use sluice_core::label::Name;
use sluice_core::limits::IMPORT_BYTES_MAX;
use sluice_core::text::Text;
use sluice_gateway::draft::schema::Class;
use sluice_gateway::draft::{self, openapi, schema};
use sluice_gateway::scan;
use sluice_gateway::tools::Tool;
use sluice_runtime::workspace::{FileProblem, OpenError};

use crate::failure::Failure;
use crate::place::read_up_to;
use crate::render::{Page, Part, Tone};

/// Where a service is taken to be whose description does not say it: a name that no machine can have.
const NOWHERE: &str = "https://say-where-it-is.invalid";

/// What was drafted, before any of it is written.
#[derive(Default)]
pub(super) struct Drafts {
    of: Vec<Draft>,
    classes: BTreeSet<Class>,
    lock: Lock,
}

struct Draft {
    name: String,
    text: String,
    what: String,
    /// What the contract does not say, and what is still to be said.
    notes: Vec<String>,
}

impl Drafts {
    /// Reads every file. `taken` are connectors that a new workspace has already.
    pub(super) fn of(files: &[PathBuf], taken: &[(String, String)]) -> Result<Self, Failure> {
        let mut drafts = Self::default();
        for file in files {
            let name = name_of(file)?;
            let path = format!("{CONNECTORS_FOLDER}{name}.yaml");
            if taken.iter().any(|(known, _)| *known == path) || drafts.of.iter().any(|draft| draft.name == name) {
                return Err(Failure::usage(format!(
                    "`{}` would be the connector `{name}`, which there is already: rename the file",
                    file.display()
                )));
            }
            let draft = drafts.one(file, name)?;
            drafts.of.push(draft);
        }
        Ok(drafts)
    }

    fn one(&mut self, file: &Path, name: String) -> Result<Draft, Failure> {
        let bytes = read_up_to(file, "description", IMPORT_BYTES_MAX as u64)?;
        let shown = file.display().to_string();
        let problems = |found: Vec<Diagnostic>| problems(&shown, &bytes, found);
        let text = decode_within(shown.as_str(), &bytes, IMPORT_BYTES_MAX).map_err(|found| problems(vec![*found]))?;
        let is_sql = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("sql"));
        if is_sql {
            return self.database(name, &text.content);
        }
        if let Some(tools) = tools(&text) {
            return Ok(self.server(name, &tools));
        }
        let root = match openapi::read(&text) {
            Ok(root) if root.get("openapi").is_some() || root.get("swagger").is_some() => return service(name, &root),
            other => other,
        };
        if schema::is_schema(&text.content) {
            return self.database(name, &text.content);
        }
        root.map_err(problems).and_then(|_| {
            Err(Failure::usage(format!(
                "`{shown}` is no OpenAPI description (`openapi: 3…`), no schema of a database (`CREATE TABLE`) and no list of \
                 tools (`{{\"tools\": […]}}`)"
            )))
        })
    }

    fn database(&mut self, name: String, text: &str) -> Result<Draft, Failure> {
        let described = schema::contract(&name, text).map_err(|error| Failure::usage(error.to_string()))?;
        self.classes.extend(&described.classes);
        let mut notes = withheld(&described.withheld);
        notes.push(format!("the database is the file `data/{name}.db` of the workspace; put it there"));
        let what = format!("{} actions that read a database", described.actions.len());
        Ok(Draft { name, text: described.text, what, notes })
    }

    fn server(&mut self, name: String, tools: &[Tool]) -> Draft {
        let (mut offered, mut left_out): (Vec<Tool>, Vec<(String, String)>) = (Vec::new(), Vec::new());
        let mut names = BTreeSet::new();
        for tool in tools {
            let is_second = !names.insert(tool.name.as_str());
            let why = is_second.then(|| "another tool has its name".to_owned());
            match why.or_else(|| scan::withheld(tool)).or_else(|| draft::unfit(tool)) {
                Some(why) => left_out.push((tool.name.clone(), why)),
                None => offered.push(tool.clone()),
            }
        }
        let command = format!("say-how-{name}-is-started");
        let transport = draft::command(std::slice::from_ref(&command), &BTreeMap::new());
        let drafted = draft::contract(&name, &transport, &offered);
        let pins = offered.iter().map(|tool| (Name::from(tool.name.as_str()), Pin::of(&tool.definition))).collect();
        self.lock.connectors.insert(name.as_str().into(), Pins { server: Server::default(), tools: pins });
        let mut notes = withheld(&left_out);
        notes.push(format!(
            "a list of tools does not say how their server is started: put its command (or `url`) in place of `{command}`"
        ));
        let what = format!("{} of {} tools, pinned in {LOCK_FILE}", offered.len(), tools.len());
        Draft { name, text: drafted.text, what, notes }
    }

    /// The files of the workspace with what was drafted.
    pub(super) fn add_to(&self, files: &mut Vec<(String, String)>) {
        files.extend(
            self.of.iter().map(|draft| (format!("{CONNECTORS_FOLDER}{}.yaml", draft.name), draft.text.clone())),
        );
        if !self.lock.connectors.is_empty() {
            files.push((LOCK_FILE.to_owned(), self.lock.to_text()));
        }
        let register = files.iter_mut().find(|(path, _)| path == CLASSIFICATION_FILE);
        if let Some((_, text)) = register.filter(|_| !self.classes.is_empty()) {
            text.push_str("\n  # Drafted from the names of columns. Say who owns each, and what its owner allows.\n");
            for class in &self.classes {
                text.push_str(&format!(
                    "  {}:\n    owner: owners\n    description: \"{}\"\n",
                    class.name(),
                    class.description()
                ));
            }
        }
    }

    /// Whether there is nothing to tell.
    pub(super) const fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    pub(super) fn tell(&self, page: &mut Page) {
        for draft in &self.of {
            let file = format!("{CONNECTORS_FOLDER}{}.yaml", draft.name);
            page.hang(
                [Part::new("drafted ", Tone::Good), Part::new(file, Tone::Accent), "  ".into()],
                &[Part::plain(&draft.what)],
            );
            for note in &draft.notes {
                page.hang(["  - "], &[Part::plain(note)]);
            }
        }
        if !self.classes.is_empty() {
            let names: Vec<&str> = self.classes.iter().map(|class| class.name()).collect();
            page.hang(
                [Part::new("drafted ", Tone::Good), Part::new(CLASSIFICATION_FILE, Tone::Accent), "  ".into()],
                &[Part::plain(names.join(", "))],
            );
        }
        page.hang(
            [Part::new("read them: ", Tone::Warn)],
            &["every line is a guess with its reason beside it, and it is signed as it is: correct it, and sign anew"
                .into()],
        );
    }
}

fn service(name: String, root: &sluice_core::document::Node) -> Result<Draft, Failure> {
    let mut notes = Vec::new();
    let described = match openapi::contract(&name, root, None) {
        Err(openapi::DescriptionError::NoBase(why)) => {
            notes.push(format!("where the service is, is not said ({why}): put its address in place of `{NOWHERE}`"));
            openapi::contract(&name, root, Some(NOWHERE))
        }
        other => other,
    };
    let described = described.map_err(|error| Failure::usage(error.to_string()))?;
    let mut told = withheld(&described.withheld);
    told.extend(described.notes);
    told.extend(notes);
    let what = format!("{} actions of an HTTP service", described.actions.len());
    Ok(Draft { name, text: described.text, what, notes: told })
}

fn withheld(left_out: &[(String, String)]) -> Vec<String> {
    left_out.iter().map(|(what, why)| format!("left out `{what}`: {why}")).collect()
}

/// The tools of an answer to `tools/list`, of its result, or of the list alone.
fn tools(text: &Text) -> Option<Vec<Tool>> {
    let rules = JsonRules { duplicates: Duplicates::Refuse, ..JsonRules::IMPORT };
    let (root, _) = read_json_with(text, rules).ok()?;
    let whole = root.to_json();
    let inside = whole.get("result").unwrap_or(&whole);
    let listed = inside.get("tools").unwrap_or(inside).as_array()?;
    let tool = |definition: &serde_json::Value| {
        let name = definition.get("name")?.as_str()?.to_owned();
        definition.get("inputSchema")?;
        Some(Tool { name, definition: definition.clone() })
    };
    listed.iter().map(tool).collect::<Option<Vec<_>>>().filter(|tools| !tools.is_empty())
}

/// A file's name up to its first dot, as far as a connector can have it.
fn name_of(file: &Path) -> Result<String, Failure> {
    let whole = file.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let stem = whole.split('.').next().unwrap_or_default();
    let fit = |c: char| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '-' };
    let name: String = stem.chars().map(fit).collect();
    let name = name.trim_matches(['-', '_']);
    if is_id(name) {
        return Ok(name.to_owned());
    }
    Err(Failure::usage(format!("no connector can be called after `{}`: rename the file", file.display())))
}

fn problems(name: &str, bytes: &[u8], found: Vec<Diagnostic>) -> Failure {
    let text = Text::new(name, String::from_utf8_lossy(bytes).as_ref());
    let problems = found.into_iter().map(|diagnostic| FileProblem { text: text.clone(), diagnostic }).collect();
    OpenError::Files { problems }.into()
}
