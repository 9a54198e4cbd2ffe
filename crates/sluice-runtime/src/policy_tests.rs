//! The tests of a workspace's policies, from the files beside them.

use std::path::{Path, PathBuf};

use sluice_core::contract::bundle::BundleFiles;
use sluice_core::text::Text;
use sluice_policy::Bundle as Policies;
use sluice_policy::cases::Suite;

use crate::workspace::{FileProblem, OpenError, read_file};

/// The folder of tests in a workspace. It is part of the bundle: who signs the rules signs what they are said to do.
pub const TESTS_FOLDER: &str = "policies/tests/";

/// A file of tests that was read.
#[derive(Clone, Debug)]
pub struct TestFile {
    /// Its text.
    pub text: Text,
    /// What it says.
    pub suite: Suite,
}

/// The tests in a bundle.
///
/// # Errors
/// [`OpenError::Files`] with every problem of every file.
pub fn of_bundle(files: &BundleFiles, policies: &Policies) -> Result<Vec<TestFile>, OpenError> {
    let tests = files.iter().filter(|(path, _)| path.starts_with(TESTS_FOLDER) && is_tests(path));
    read(tests.map(|(path, bytes)| (path.to_owned(), bytes.to_vec())), policies)
}

/// The tests in one file, or in the files of a folder.
///
/// # Errors
/// [`OpenError::Io`] if one cannot be read, [`OpenError::Files`] with every problem of every file.
pub fn of_path(path: &Path, policies: &Policies) -> Result<Vec<TestFile>, OpenError> {
    let io = |source| OpenError::Io { path: path.to_path_buf(), source };
    let mut paths: Vec<PathBuf> = Vec::new();
    if path.is_dir() {
        for entry in std::fs::read_dir(path).map_err(io)? {
            let inner = entry.map_err(io)?.path();
            if inner.is_file() && is_tests(&inner.to_string_lossy()) {
                paths.push(inner);
            }
        }
        paths.sort();
    } else {
        paths.push(path.to_path_buf());
    }
    let named = |path: PathBuf| Ok((path.display().to_string(), read_file(&path)?));
    let files: Vec<(String, Vec<u8>)> = paths.into_iter().map(named).collect::<Result<_, OpenError>>()?;
    read(files, policies)
}

fn is_tests(path: &str) -> bool {
    [".yaml", ".yml", ".json"].iter().any(|end| path.ends_with(end))
}

fn read(files: impl IntoIterator<Item = (String, Vec<u8>)>, policies: &Policies) -> Result<Vec<TestFile>, OpenError> {
    let (mut tests, mut problems) = (Vec::new(), Vec::new());
    for (path, bytes) in files {
        let lossy = Text::new(path.as_str(), String::from_utf8_lossy(&bytes).into_owned());
        let decoded = sluice_core::document::decode(path, &bytes).map_err(|refusal| vec![*refusal]);
        match decoded.and_then(|text| Suite::read(&text, policies).map(|suite| TestFile { text, suite })) {
            Ok(file) => tests.push(file),
            Err(found) => {
                problems.extend(found.into_iter().map(|diagnostic| FileProblem { text: lossy.clone(), diagnostic }));
            }
        }
    }
    if problems.is_empty() { Ok(tests) } else { Err(OpenError::Files { problems }) }
}
