//! What changed in the files that are neither policies, contracts nor registers: tests, pins, baselines, catalogues.

use std::collections::BTreeSet;

use sluice_core::contract::governance::{CATALOGUE_FOLDERS, POLICIES_FOLDER};
use sluice_core::contract::lock::LOCK_FILE;
use sluice_core::label::Name;
use sluice_policy::own::CONSOLE_FOLDER;
use sluice_policy::{Aspect, Growth};

use super::{Change, How, Rules, listed};
use crate::policy_tests::{TESTS_FOLDER, TestFile, of_bundle};

pub(super) fn changes(before: &Rules, after: &Rules) -> Vec<Change> {
    let mut changes = tests(before, after);
    changes.extend(pins(before, after));
    let is_else = |path: &str| {
        // What is said of the console is no policy about calls, and nobody compares it in words.
        let is_policy = path.ends_with(".cedar") && !path.starts_with(CONSOLE_FOLDER);
        let is_known = is_policy || path.starts_with(TESTS_FOLDER);
        CATALOGUE_FOLDERS.iter().any(|folder| path.starts_with(folder))
            || path.starts_with(POLICIES_FOLDER) && !is_known
    };
    let paths: BTreeSet<&str> =
        before.files.iter().chain(after.files.iter()).map(|(path, _)| path).filter(|path| is_else(path)).collect();
    for path in paths {
        let (was, is) = (before.files.get(path), after.files.get(path));
        if was == is {
            continue;
        }
        let how = How::of(was.is_some(), is.is_some());
        let words = if path.starts_with(CONSOLE_FOLDER) {
            "who sees and decides what at the console, and after which login"
        } else if path.starts_with(POLICIES_FOLDER) {
            "what checks are told to know already"
        } else {
            "what checks know of the nodes of other engines"
        };
        changes.push(Change {
            about: "file",
            name: path.to_owned(),
            how,
            aspects: vec![Aspect::new(words, Growth::May)],
        });
    }
    changes
}

/// Promises that are no longer made: a policy that stops less can hide behind a test that went with it.
fn tests(before: &Rules, after: &Rules) -> Vec<Change> {
    let read = |rules: &Rules| of_bundle(&rules.files, &rules.policies).unwrap_or_default();
    let (old, new) = (read(before), read(after));
    let names = |files: &[TestFile]| -> BTreeSet<Name> {
        files.iter().flat_map(|file| file.suite.cases.iter().map(|case| case.name.clone())).collect()
    };
    let (old, new) = (names(&old), names(&new));
    let told = |words: &str, name: &Name| Aspect::new(format!("{words}: {name}"), Growth::No);
    let gone = old.difference(&new).map(|name| told("nothing shows any more", name));
    let came = new.difference(&old).map(|name| told("a test shows", name));
    let aspects: Vec<Aspect> = gone.chain(came).collect();
    if aspects.is_empty() {
        return Vec::new();
    }
    vec![Change {
        about: "tests",
        name: TESTS_FOLDER.to_owned(),
        how: How::of(!old.is_empty(), !new.is_empty()),
        aspects,
    }]
}

/// Definitions of tools that people have seen.
fn pins(before: &Rules, after: &Rules) -> Vec<Change> {
    let (old, new) = (&before.governance.lock.connectors, &after.governance.lock.connectors);
    let connectors: BTreeSet<&Name> = old.keys().chain(new.keys()).collect();
    let mut changes = Vec::new();
    for connector in connectors {
        let (was, is) = (old.get(connector), new.get(connector));
        let of = |tools: Option<&sluice_core::contract::lock::Pins>, name: &Name| {
            tools.and_then(|pins| pins.tools.get(name)).map(sluice_core::contract::lock::Pin::digest)
        };
        let tools: BTreeSet<&Name> = was.into_iter().chain(is).flat_map(|pins| pins.tools.keys()).collect();
        let (mut came, mut other, mut gone) = (Vec::new(), Vec::new(), Vec::new());
        for tool in tools {
            match (of(was, tool), of(is, tool)) {
                (None, Some(_)) => came.push(tool),
                (Some(_), None) => gone.push(tool),
                (Some(a), Some(b)) if a != b => other.push(tool),
                _ => {}
            }
        }
        let all = [
            (came, "agents are offered", Growth::Yes),
            (other, "what the server says is another of", Growth::May),
            (gone, "agents are no longer offered", Growth::No),
        ];
        let aspects: Vec<Aspect> = all
            .into_iter()
            .filter(|(names, ..)| !names.is_empty())
            .map(|(names, words, growth)| Aspect::new(format!("{words} {}", listed(names)), growth))
            .collect();
        if !aspects.is_empty() {
            let how = How::of(was.is_some(), is.is_some());
            changes.push(Change { about: "pins", name: format!("{LOCK_FILE}: {connector}"), how, aspects });
        }
    }
    changes
}
