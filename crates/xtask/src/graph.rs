//! The crate graph: read from cargo, held against `ARCHITECTURE.md`, and checked for what must be absent.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use crate::root::root;

/// Normal dependencies among the crates of the workspace, by crate.
pub(crate) type Arrows = BTreeMap<String, BTreeSet<String>>;

/// Prints the graph in the form of the block in `ARCHITECTURE.md`.
pub(crate) fn print() -> Result<(), String> {
    for (name, needs) in arrows(&metadata()?) {
        let needs: Vec<String> = needs.into_iter().collect();
        println!("{name} -> {}", needs.join(" "));
    }
    Ok(())
}

/// `cargo metadata` of the workspace's own crates: quick, and works offline.
pub(crate) fn metadata() -> Result<Value, String> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--no-deps"])
        .current_dir(root())
        .output()
        .map_err(|e| format!("cannot run cargo metadata: {e}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|e| format!("cannot read cargo's metadata: {e}"))
}

/// The arrows between the workspace's own crates.
pub(crate) fn arrows(metadata: &Value) -> Arrows {
    let packages = metadata.get("packages").and_then(Value::as_array).cloned().unwrap_or_default();
    let name = |p: &Value| p.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let own: BTreeSet<String> = packages.iter().map(name).collect();
    let needs = |p: &Value| -> BTreeSet<String> {
        let all = p.get("dependencies").and_then(Value::as_array).cloned().unwrap_or_default();
        all.iter().filter(|d| d.get("kind").is_none_or(Value::is_null)).map(name).filter(|n| own.contains(n)).collect()
    };
    packages.iter().map(|p| (name(p), needs(p))).collect()
}

/// Every package that a build of `package` alone reaches by normal dependencies.
///
/// `cargo tree` and not the metadata: there, features that only other members' tests ask for are joined in.
#[cfg(test)]
fn reached(package: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "-p", package, "-e", "normal", "--prefix", "none", "--format", "{p}"])
        .current_dir(root())
        .output()
        .expect("cargo tree runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The block between ```crates and ``` in `ARCHITECTURE.md`.
    fn written() -> Arrows {
        let page = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md is there");
        let block = page.split("```crates\n").nth(1).and_then(|b| b.split("```").next()).expect("a ```crates block");
        block
            .lines()
            .filter_map(|l| l.split_once("->"))
            .map(|(name, needs)| (name.trim().to_owned(), needs.split_whitespace().map(str::to_owned).collect()))
            .collect()
    }

    #[test]
    fn the_crate_graph_is_the_one_in_architecture_md() {
        let real = arrows(&metadata().unwrap());
        assert_eq!(
            written(),
            real,
            "run `cargo run -p xtask -- graph` and think about the new arrow before you write it down"
        );
    }

    #[test]
    fn the_pure_crates_reach_neither_a_runtime_nor_a_database_nor_the_network() {
        let pure = [
            "sluice-formats",
            "sluice-core",
            "sluice-inspect",
            "sluice-ledger",
            "sluice-passkey",
            "sluice-policy",
            "sluice-verify",
            "sluice-engine",
        ];
        for pure in pure.into_iter().filter(|name| root().join("crates").join(name).exists()) {
            let reached = reached(pure);
            assert!(reached.len() > 3, "{pure}: the walk found nothing");
            for banned in ["tokio", "mio", "socket2", "hyper", "reqwest", "rusqlite", "axum", "getrandom", "cap-std"] {
                assert!(!reached.contains(banned), "{pure} reaches {banned}");
            }
        }
    }
}
