//! Codes are never given twice: what a code says is looked up for years.

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::{Path, PathBuf};

    use crate::root::root;

    fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
        let Ok(listed) = std::fs::read_dir(folder) else { return };
        for entry in listed.flatten() {
            let path = entry.path();
            if path.is_dir() {
                sources(&path, out);
            } else if path.extension().is_some_and(|e| e == "rs") {
                out.push(path);
            }
        }
    }

    /// Codes that a file gives out: error variants (`/// SL601. Help…`), code tables (`NAME = 762 "name"`), rules (`code: Code(201)`).
    fn given(text: &str) -> BTreeSet<String> {
        let digits = |s: &str| s.get(..3).filter(|d| d.bytes().all(|b| b.is_ascii_digit())).map(str::to_owned);
        let from = |line: &str| {
            let line = line.trim_start();
            if let Some(rest) = line.strip_prefix("/// SL") {
                return digits(rest).filter(|_| rest.get(3..4) == Some("."));
            }
            if let Some((_, rest)) = line.split_once("code: Code(") {
                return digits(rest);
            }
            let (name, rest) = line.split_once(" = ")?;
            let is_constant = !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
            digits(rest).filter(|_| is_constant && rest.get(3..5) == Some(" \""))
        };
        text.lines().filter_map(from).collect()
    }

    #[test]
    fn every_code_is_given_out_by_one_crate_only() {
        let mut files = Vec::new();
        sources(&root().join("crates"), &mut files);
        let mut places: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        // Inside one crate, its own tests see to it.
        for file in files.iter().filter(|f| f.components().any(|c| c.as_os_str() == "src")) {
            let text = std::fs::read_to_string(file).unwrap_or_default();
            let inner = file.strip_prefix(root().join("crates")).unwrap_or(file);
            let name = inner.iter().next().unwrap_or_default().to_string_lossy().into_owned();
            if name == "xtask" {
                continue;
            }
            for code in given(&text) {
                places.entry(code).or_default().insert(name.clone());
            }
        }
        // One meaning, told by two types on purpose.
        let shared = ["110"];
        places.retain(|code, files| files.len() > 1 && !shared.contains(&code.as_str()));
        assert!(places.is_empty(), "codes given out twice: {places:#?}");
    }
}
