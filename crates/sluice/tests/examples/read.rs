//! Every workspace is read without a problem, its policies load, and its workflows lower.

use sluice_core::contract::Governance;
use sluice_core::dsl;
use sluice_policy::{Bundle, DEFAULT_SOURCES};

use super::folders::{Files, NAMES, example, fresh};

pub(crate) fn governance(files: &Files) -> Result<Governance, String> {
    Governance::read(files.iter().map(|(path, text)| (path.as_str(), text.as_bytes()))).map_err(|problems| {
        let shown = problems.iter().map(|p| format!("{}:{} {}", p.file, p.diagnostic.span.line, p.diagnostic.message));
        shown.collect::<Vec<_>>().join("\n")
    })
}

/// The policies by file.
fn policies(files: &Files) -> Vec<(&str, &str)> {
    let policies = files.iter().filter_map(|(path, text)| Some((path.strip_prefix("policies/")?, text.as_str())));
    policies.filter(|(name, _)| name.ends_with(".cedar")).collect()
}

pub(crate) fn bundle(files: &Files) -> Bundle {
    Bundle::load(&policies(files)).unwrap_or_else(|flaws| panic!("{flaws:#?}"))
}

/// All the workspaces by name.
pub(crate) fn all() -> Vec<(&'static str, Files)> {
    NAMES.into_iter().map(|name| (name, example(name))).chain([("init", fresh())]).collect()
}

#[test]
fn every_workspace_is_read_without_a_problem() {
    for (name, files) in all() {
        let read = governance(&files).unwrap_or_else(|problems| panic!("{name}:\n{problems}"));
        assert!(!read.contracts.is_empty(), "{name} has no contract");
    }
}

#[test]
fn every_workspace_has_policies_that_load() {
    for (name, files) in all() {
        let bundle = Bundle::load(&policies(&files)).unwrap_or_else(|flaws| panic!("{name}: {flaws:#?}"));
        assert!(bundle.policies().count() > 10, "{name}");
    }
}

#[test]
fn the_examples_have_the_default_policies() {
    for name in NAMES {
        let files = example(name);
        assert!(policies(&files) == DEFAULT_SOURCES, "run `cp policies/*.cedar examples/{name}/policies/`");
    }
}

#[test]
fn every_workflow_lowers_to_a_program() {
    for (name, files) in all() {
        let mut count = 0;
        for (path, text) in files.iter().filter(|(path, _)| path.starts_with("workflows/")) {
            let lowered = dsl::lower_bytes(path.as_str(), text.as_bytes());
            assert!(lowered.program.is_some(), "{name}/{path}: {:#?}", lowered.diagnostics);
            count += 1;
        }
        assert!(count > 0, "{name} has no workflow");
    }
}

#[test]
fn schema_lines_point_to_files_that_exist() {
    let root = super::folders::root();
    for (name, files) in all() {
        for (path, text) in &files {
            let Some(schema) = text.lines().next().and_then(|line| line.split_once("$schema=")).map(|(_, to)| to)
            else {
                let needs = path.ends_with(".yaml") && !path.starts_with("workflows/");
                assert!(!needs, "{name}/{path} names no schema");
                continue;
            };
            let depth = path.matches('/').count();
            let climbs = schema.matches("../").count();
            let target = schema.trim_start_matches("../");
            match target.strip_prefix(".sluice/schemas/") {
                Some(_) => assert!(climbs == depth && files.contains_key(target), "{name}/{path}: {schema}"),
                None => assert!(climbs == depth + 2 && root.join(target).is_file(), "{name}/{path}: {schema}"),
            }
        }
    }
}

#[test]
fn the_readme_of_the_basics_names_every_workflow() {
    let files = example("basics");
    let readme = &files["README.md"];
    for path in files.keys() {
        if let Some(name) = path.strip_prefix("workflows/").and_then(|file| file.strip_suffix(".yaml")) {
            assert!(readme.contains(&format!("`{name}`")), "{name}");
        }
    }
}
