//! Mutants: small patches that break one rule each. The test that guards the rule must fail.
//!
//! A mutant is a file `NAME.patch`: a unified diff whose first line is `# killed-by: PACKAGE TEST`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::root::root;

/// Runs one mutant or all.
pub(crate) fn run(only: Option<&str>) -> Result<(), String> {
    let patches = patches(&root().join("crates/xtask/mutants"), only)?;
    if patches.is_empty() {
        return Err("no such mutant".to_owned());
    }
    let copy = root().join("target/mutants");
    let mut survivors = Vec::new();
    for patch in &patches {
        let name = patch.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let killed = attempt(patch, &copy).map_err(|e| format!("{name}: {e}"))?;
        println!("{:<45} {}", name, if killed { "killed" } else { "SURVIVED" });
        if !killed {
            survivors.push(name);
        }
    }
    let killed = patches.len() - survivors.len();
    println!("{killed} passed, {} failed", survivors.len());
    if survivors.is_empty() { Ok(()) } else { Err(format!("mutants that no test kills: {}", survivors.join(", "))) }
}

/// The patches of a folder, in the order of their names.
fn patches(folder: &Path, only: Option<&str>) -> Result<Vec<PathBuf>, String> {
    let mut patches: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(|e| format!("cannot list {}: {e}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "patch"))
        .filter(|path| only.is_none_or(|name| path.file_stem().is_some_and(|s| s == name)))
        .collect();
    patches.sort();
    Ok(patches)
}

/// Whether the named test fails under the patch. The tree itself is never touched.
fn attempt(patch: &Path, copy: &Path) -> Result<bool, String> {
    let text = std::fs::read_to_string(patch).map_err(|e| e.to_string())?;
    let guard = text.lines().next().and_then(|l| l.strip_prefix("# killed-by: ")).ok_or("no `# killed-by:` line")?;
    let (package, test) = guard.split_once(' ').ok_or("`# killed-by: PACKAGE TEST`")?;
    refresh(copy)?;
    let applied = Command::new("git")
        .args(["apply", "--whitespace=nowarn"])
        .arg(patch)
        .current_dir(copy)
        .output()
        .map_err(|e| format!("cannot run git apply: {e}"))?;
    if !applied.status.success() {
        return Err(format!("the patch does not apply: {}", String::from_utf8_lossy(&applied.stderr)));
    }
    let build = cargo(copy, &["test", "--quiet", "-p", package, "--no-run"])?;
    if !build.status.success() {
        return Err(format!("the mutant does not build:\n{}", String::from_utf8_lossy(&build.stderr)));
    }
    let tested = cargo(copy, &["test", "--quiet", "-p", package, "--", test])?;
    let output = String::from_utf8_lossy(&tested.stdout).into_owned();
    if !output.contains("running ") || output.lines().all(|l| !l.contains("running ") || l.contains("running 0 tests"))
    {
        return Err(format!("no test is called `{test}`"));
    }
    Ok(!tested.status.success())
}

fn cargo(copy: &Path, arguments: &[&str]) -> Result<std::process::Output, String> {
    Command::new(env!("CARGO"))
        .args(arguments)
        .env("CARGO_TARGET_DIR", root().join("target/mutants-build"))
        .current_dir(copy)
        .output()
        .map_err(|e| format!("cannot run cargo: {e}"))
}

/// A fresh copy of every file that git knows, so that patches never meet each other.
fn refresh(copy: &Path) -> Result<(), String> {
    let listed = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root())
        .output()
        .map_err(|e| format!("cannot run git ls-files: {e}"))?;
    for name in String::from_utf8_lossy(&listed.stdout).split('\0').filter(|n| !n.is_empty()) {
        let (from, to) = (root().join(name), copy.join(name));
        let content = std::fs::read(&from).map_err(|e| format!("cannot read {}: {e}", from.display()))?;
        // An unchanged file keeps its time, so cargo rebuilds only what the patches touched.
        if std::fs::read(&to).is_ok_and(|old| old == content) {
            continue;
        }
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder).map_err(|e| e.to_string())?;
        }
        std::fs::write(&to, content).map_err(|e| format!("cannot write {}: {e}", to.display()))?;
    }
    if !copy.join(".git").exists() {
        // `git apply` needs to see a repository top, or it skips paths of the outer one.
        Command::new("git").args(["init", "--quiet"]).current_dir(copy).status().map_err(|e| e.to_string())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_patch_still_applies_and_names_its_test() {
        let folder = root().join("crates/xtask/mutants");
        let patches = patches(&folder, None).unwrap();
        assert!(patches.len() >= 18, "patches are missing: {patches:?}");
        for patch in patches {
            let text = std::fs::read_to_string(&patch).unwrap();
            let first = text.lines().next().and_then(|line| line.strip_prefix("# killed-by: "));
            assert!(first.is_some_and(|guard| guard.contains(' ')), "{}: `# killed-by: PACKAGE TEST`", patch.display());
            let checked =
                Command::new("git").args(["apply", "--check"]).arg(&patch).current_dir(root()).output().unwrap();
            assert!(checked.status.success(), "{}: {}", patch.display(), String::from_utf8_lossy(&checked.stderr));
        }
    }
}
