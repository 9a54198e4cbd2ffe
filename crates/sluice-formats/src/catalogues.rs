//! The catalogues of what the nodes of other engines do: those of this release, and what a workspace lays over them.
//!
//! A workspace's own files lie under `connectors/n8n`, `connectors/step-functions` and `connectors/logic-apps`. What an entry
//! of theirs names replaces the built-in one whole. Whoever reads them says first whether they count.

pub(crate) mod words;

use sluice_core::contract::Problem;
use sluice_core::contract::governance::{CATALOGUE_FOLDERS, CONNECTORS_FOLDER};
use sluice_core::document;
use sluice_core::text::Text;

use crate::import::Format;
use crate::n8n::NodeCatalogue;
use crate::services::Services;
use crate::{logic_apps, step_functions};

/// What is known of the nodes of each engine. The default is what comes with this release.
#[derive(Clone, Debug, Default)]
pub struct Catalogues {
    n8n: Option<NodeCatalogue>,
    step_functions: Option<Services>,
    logic_apps: Option<Services>,
}

impl Catalogues {
    /// The built-in ones with a workspace's files over them, by their paths in it; other files are left alone.
    ///
    /// # Errors
    /// Every problem of every file: what it cannot mean, what two of them name.
    pub fn with<'f>(files: impl IntoIterator<Item = (&'f str, &'f [u8])>) -> Result<Self, Vec<Problem>> {
        let (mut problems, mut texts) = (Vec::new(), Vec::new());
        for (path, bytes) in files {
            let Some(format) = format_of(path) else { continue };
            match document::decode(path, bytes) {
                Ok(text) => texts.push((format, text)),
                Err(diagnostic) => problems.push(Problem { file: path.into(), diagnostic: *diagnostic }),
            }
        }
        let of = |wanted: Format| -> Vec<Text> {
            texts.iter().filter(|(format, _)| *format == wanted).map(|(_, text)| text.clone()).collect()
        };
        let mut found = Self::default();
        let (n8n, steps, apps) = (of(Format::N8n), of(Format::StepFunctions), of(Format::LogicApps));
        if !n8n.is_empty() {
            found.n8n = NodeCatalogue::with(&n8n).map_err(|more| problems.extend(more)).ok();
        }
        for (texts, built_in, format, slot) in [
            (steps, step_functions::built_in(), Format::StepFunctions, &mut found.step_functions),
            (apps, logic_apps::built_in(), Format::LogicApps, &mut found.logic_apps),
        ] {
            if !texts.is_empty() {
                *slot = built_in.with(&texts, format.name()).map_err(|more| problems.extend(more)).ok();
            }
        }
        if problems.is_empty() { Ok(found) } else { Err(problems) }
    }

    /// Whether a path in a workspace is a catalogue's.
    #[must_use]
    pub fn belongs(path: &str) -> bool {
        format_of(path).is_some()
    }

    pub(crate) fn n8n(&self) -> &NodeCatalogue {
        self.n8n.as_ref().unwrap_or_else(|| NodeCatalogue::built_in())
    }

    pub(crate) fn step_functions(&self) -> &Services {
        self.step_functions.as_ref().unwrap_or_else(|| step_functions::built_in())
    }

    pub(crate) fn logic_apps(&self) -> &Services {
        self.logic_apps.as_ref().unwrap_or_else(|| logic_apps::built_in())
    }
}

fn format_of(path: &str) -> Option<Format> {
    let is_yaml = [".yaml", ".yml", ".json"].iter().any(|end| path.ends_with(end));
    let folder = CATALOGUE_FOLDERS.iter().find(|folder| path.starts_with(**folder)).filter(|_| is_yaml)?;
    let name = folder.strip_prefix(CONNECTORS_FOLDER)?.strip_suffix('/')?;
    [Format::N8n, Format::StepFunctions, Format::LogicApps].into_iter().find(|format| format.name() == name)
}

/// Says that the workspace's word counts for a node.
pub(crate) fn by_own_entry(entry: &str) -> String {
    format!("that `{entry}` does what the workspace's own catalogue says of it, in place of what comes with Sluice")
}

/// Says that its words for any node count.
pub(crate) fn by_own_words(format: Format) -> String {
    format!("that what the workspace's own catalogue says of verbs, names and hosts holds for each node of {format}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_of_a_catalogue_is_that_of_a_format() {
        for folder in CATALOGUE_FOLDERS {
            assert!(Catalogues::belongs(&format!("{folder}own.yaml")), "{folder}");
            assert!(!Catalogues::belongs(&format!("{folder}README.md")), "{folder}");
        }
        assert!(!Catalogues::belongs("connectors/crm.yaml") && !Catalogues::belongs("policies/n8n/own.yaml"));
    }

    #[test]
    fn what_a_file_cannot_mean_is_told_with_its_name_and_place() {
        let files: [(&str, &[u8]); 4] = [
            ("connectors/n8n/a.yaml", b"version: 1\nformat: n8n\nnode: {}\n"),
            (
                "connectors/step-functions/b.yaml",
                b"version: 1\nformat: step-functions\nservices:\n  ses: { sinc: x }\n",
            ),
            ("connectors/logic-apps/c.yaml", b"version: 1\nformat: step-functions\n"),
            ("connectors/logic-apps/d.yaml", b"\xff"),
        ];
        let problems = Catalogues::with(files).unwrap_err();
        let told: Vec<String> = problems
            .iter()
            .map(|p| {
                format!("{}:{}:{} {}", p.file, p.diagnostic.span.line, p.diagnostic.span.column, p.diagnostic.code)
            })
            .collect();
        assert_eq!(
            told,
            [
                "connectors/logic-apps/d.yaml:1:1 SL109",
                "connectors/n8n/a.yaml:3:1 SL117",
                "connectors/step-functions/b.yaml:4:10 SL117",
                "connectors/logic-apps/c.yaml:2:9 SL119",
            ]
        );
    }

    #[test]
    fn a_service_that_two_files_name_is_an_error_and_one_that_comes_with_sluice_is_replaced() {
        let ses = |sink: &str| format!("version: 1\nformat: step-functions\nservices:\n  SES: {{ sink: {sink} }}\n");
        let (one, two) = (ses("own"), ses("other"));
        let found = Catalogues::with([("connectors/step-functions/a.yaml", one.as_bytes())]).unwrap();
        let services = found.step_functions();
        assert_eq!(services.look_up("ses", "sendEmail").sink.as_deref(), Some("own"));
        assert_eq!(services.own_entry("ses").map(AsRef::as_ref), Some("SES"));
        assert_eq!(services.own_entry("sns"), None);
        assert!(services.has("sns", "publish"));
        let both = Catalogues::with([
            ("connectors/step-functions/a.yaml", one.as_bytes()),
            ("connectors/step-functions/b.yaml", two.as_bytes()),
        ]);
        let problems = both.unwrap_err();
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].file.as_ref(), "connectors/step-functions/b.yaml");
    }
}
