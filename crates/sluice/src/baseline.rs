//! Findings that people know of: a list in a file, and which findings of a check are on it.
//!
//! A baseline hides findings, so it counts only with somebody's word: in a workspace that of those who sign its rules
//! ([`BASELINE_FILE`](sluice_runtime::check::BASELINE_FILE) is a part of the bundle), elsewhere that of the person who names it on the command line.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};
use sluice_core::contract::canonical::Encoder;
use sluice_core::diagnostic::{Code, Diagnostic};

/// The version of the file.
pub const BASELINE_VERSION: u32 = 1;
/// The text that starts the canonical bytes of a fingerprint.
const DOMAIN: &str = "sluice finding 1";
/// Codes that say that something was not analysed. No list makes that green.
const UNANALYSED: [Code; 2] = [Code(110), Code(220)];

/// What stays of a finding when lines move: its code, its step, its message without line numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// SHA-256 over the canonical bytes of the three.
    #[must_use]
    pub fn of(found: &Diagnostic) -> Self {
        let mut out = Encoder::new(DOMAIN);
        out.text(&found.code.to_string()).text(found.step.as_deref().unwrap_or_default());
        out.text(&without_lines(&found.message));
        Self(out.digest().to_string())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `line 12` and `lines 12` without the number.
fn without_lines(message: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    for word in message.split(' ') {
        let after_line = words.last().is_some_and(|last| matches!(last.trim_start_matches('('), "line" | "lines"));
        words.push(if after_line { word.trim_start_matches(|c: char| c.is_ascii_digit()) } else { word });
    }
    words.join(" ")
}

/// Whether a finding may be left out of a count at all.
#[must_use]
pub fn can_be_known(found: &Diagnostic) -> bool {
    !UNANALYSED.contains(&found.code)
}

/// A file of known findings.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    version: u32,
    findings: BTreeSet<Known>,
}

/// One finding. What it says is there for the people who sign it; what counts is path and fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    path: String,
    fingerprint: Fingerprint,
    code: String,
    step: Option<String>,
    message: String,
}

impl Baseline {
    /// Findings by the path of their file.
    pub fn of<'a>(findings: impl Iterator<Item = (String, &'a Diagnostic)>) -> Self {
        let known = findings.filter(|(_, found)| can_be_known(found)).map(|(path, found)| Known {
            path,
            fingerprint: Fingerprint::of(found),
            code: found.code.to_string(),
            step: found.step.clone(),
            message: without_lines(&found.message),
        });
        Self { version: BASELINE_VERSION, findings: known.collect() }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let read: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if read.version == BASELINE_VERSION {
            Ok(read)
        } else {
            Err(format!("it has version {}, and this program reads {BASELINE_VERSION}", read.version))
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.findings.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }

    /// Whether a finding of the file at `path` is on the list: of that very file, for another with the same step is
    /// somebody else's workflow.
    #[must_use]
    pub fn holds(&self, path: &str, found: &Diagnostic) -> bool {
        let (path, fingerprint) = (path.to_owned(), Fingerprint::of(found));
        // The least of all entries with this path and fingerprint.
        let least = Known { path, fingerprint, code: String::new(), step: None, message: String::new() };
        let next = self.findings.range(&least..).next();
        can_be_known(found)
            && next.is_some_and(|known| known.path == least.path && known.fingerprint == least.fingerprint)
    }
}

/// A file's path as a baseline names it: from the folder that it speaks of, with `/`. Both must be absolute.
#[must_use]
pub fn path_from(folder: &Path, file: &Path) -> String {
    let below = file.strip_prefix(folder).unwrap_or(file);
    let names = below.components().filter(|part| !matches!(part, Component::RootDir));
    let names: Vec<String> = names.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    if below.is_absolute() { format!("/{}", names.join("/")) } else { names.join("/") }
}

#[cfg(test)]
mod tests {
    use sluice_core::diagnostic::Severity;
    use sluice_core::text::Span;

    use super::*;

    fn found(code: u16, line: u32, message: &str) -> Diagnostic {
        let span = Span { line, ..Span::default() };
        Diagnostic::new(Code(code), "x", Severity::High, span, message, "help").at_step("do/0/a")
    }

    #[test]
    fn a_fingerprint_stays_when_lines_move_and_changes_with_what_is_said() {
        let of = |found: &Diagnostic| Fingerprint::of(found).to_string();
        assert_eq!(of(&found(203, 3, "as line 4 says, `a`")), of(&found(203, 9, "as line 12 says, `a`")));
        assert_ne!(of(&found(203, 3, "`a`")), of(&found(203, 3, "`b`")));
        assert_ne!(of(&found(203, 3, "`a`")), of(&found(204, 3, "`a`")));
        assert_ne!(of(&found(203, 3, "`a`")), of(&found(203, 3, "`a`").at_step("do/1/a")));
        assert_eq!(of(&found(203, 3, "`a`")).len(), 64);
    }

    #[test]
    fn what_was_written_is_read_and_holds_for_its_own_file_only() {
        let known = found(203, 3, "`a`");
        let written = Baseline::of([("flows/a.yaml".to_owned(), &known)].into_iter());
        let read = Baseline::parse(&serde_json::to_vec(&written).unwrap()).unwrap();
        assert!(read.holds("flows/a.yaml", &known));
        assert!(!read.holds("flows/b.yaml", &known));
        assert!(!read.holds("flows/a.yaml", &found(203, 3, "`b`")));
    }

    #[test]
    fn what_says_that_nothing_was_analysed_is_never_known() {
        let unfinished = found(220, 3, "stopped");
        let mut written = serde_json::to_value(Baseline::of([("a".to_owned(), &unfinished)].into_iter())).unwrap();
        assert_eq!(written["findings"].as_array().unwrap().len(), 0);
        written["findings"] = serde_json::json!([{ "path": "a", "fingerprint": Fingerprint::of(&unfinished), "code": "SL220", "step": null, "message": "" }]);
        assert!(!Baseline::parse(written.to_string().as_bytes()).unwrap().holds("a", &unfinished));
    }

    #[test]
    fn a_file_of_another_kind_is_refused() {
        for bytes in
            [&b"{}"[..], b"\xff", b"{\"version\":2,\"findings\":[]}", b"{\"version\":1,\"findings\":[],\"x\":1}"]
        {
            assert!(Baseline::parse(bytes).is_err());
        }
    }
}
