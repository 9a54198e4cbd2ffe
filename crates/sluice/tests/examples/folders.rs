//! The files of a workspace by path.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) type Files = BTreeMap<String, String>;

/// The folders under `examples/`.
pub(crate) const NAMES: [&str; 3] = ["basics", "report", "ticket"];

/// The project's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A workspace of `examples/`.
pub(crate) fn example(name: &str) -> Files {
    let mut files = Files::new();
    let folder = root().join("examples").join(name);
    read(&folder, &folder, &mut files);
    files
}

/// What `sluice init` writes.
pub(crate) fn fresh() -> Files {
    sluice::init::files().into_iter().map(|(path, text)| (path, text.to_owned())).collect()
}

fn read(root: &Path, folder: &Path, files: &mut Files) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            // Where a run would keep its things; no part of the example.
            if !path.ends_with(".sluice") {
                read(root, &path, files);
            }
            continue;
        }
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
        files.insert(name, fs::read_to_string(&path).unwrap());
    }
}
