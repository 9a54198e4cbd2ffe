//! Which files a workflow calls, and what it is called by: paths in its repository.
//!
//! `./` in `uses` is the top of the repository, whichever file says it. A workflow lies in `.github/workflows` and tells the
//! top by that; an action is called by its folder, and tells it only below `.github`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sluice_core::document::Node as Tree;
use sluice_core::text::Text;

use super::read::{self, Workflow};
use super::template;
use crate::import::{Calls, Top};
use crate::siblings::{Sibling, Siblings};

/// A file that another one calls.
pub(super) struct Called<'t> {
    pub(super) text: &'t Text,
    pub(super) workflow: Workflow<'t>,
}

impl Called<'_> {
    /// Whether its steps are in the file: other actions are programs elsewhere.
    pub(super) fn is_composite(&self) -> bool {
        let using = self.workflow.tree.get("runs").and_then(|runs| runs.get("using")).and_then(Tree::as_text);
        self.workflow.is_action && using.is_some_and(|using| using.as_ref() == "composite")
    }

    /// What it says of its inputs and outputs.
    pub(super) fn face(&self) -> Option<&Tree> {
        match self.workflow.is_action {
            true => Some(self.workflow.tree),
            false => called_by_others(&self.workflow),
        }
    }
}

/// Files by how they are called from the top of the repository.
pub(super) struct Files<'t> {
    found: BTreeMap<Arc<str>, Called<'t>>,
    several: BTreeMap<Arc<str>, Vec<Arc<str>>>,
}

impl<'t> Files<'t> {
    /// What a workflow calls, and what that calls in turn, as far as it is at hand.
    pub(super) fn of(root: &Workflow<'_>, siblings: &'t Siblings) -> Self {
        let mut files = Self { found: BTreeMap::new(), several: BTreeMap::new() };
        let mut open: Vec<Arc<str>> = references(root).into_iter().collect();
        while let Some(reference) = open.pop() {
            if files.found.contains_key(&reference) {
                continue;
            }
            match siblings.get(&reference) {
                Some(Sibling::One { text, tree }) => {
                    let readable = read::workflow(tree).ok().filter(|_| template::within_bounds(tree).is_ok());
                    let Some(workflow) = readable else { continue };
                    open.extend(references(&workflow));
                    files.found.insert(reference, Called { text, workflow });
                }
                Some(Sibling::Several(names)) => {
                    files.several.insert(reference, names.clone());
                }
                None => {}
            }
        }
        files
    }

    pub(super) fn get(&self, reference: &str) -> Option<&Called<'t>> {
        self.found.get(reference)
    }

    /// The files of which a reference may mean each.
    pub(super) fn several(&self, reference: &str) -> Option<&Vec<Arc<str>>> {
        self.several.get(reference)
    }
}

/// What a file is called by and what it calls, by its own path and text.
pub(super) fn calls(name: &str, workflow: &Workflow<'_>) -> Calls {
    let path = path(name);
    let parts: Vec<&str> = path.split('/').collect();
    let folder_of = |n: usize| parts.get(..n).map(|parts| Arc::<str>::from(parts.join("/")));
    let (id, top) = if workflow.is_action {
        let is_named_so = matches!(parts.last(), Some(&("action.yml" | "action.yaml")));
        let hidden = parts.iter().rposition(|part| *part == ".github");
        (folder_of(parts.len() - 1).filter(|_| is_named_so), hidden.and_then(folder_of))
    } else {
        let callable = called_by_others(workflow).is_some() || is_called_bare(workflow);
        let top = match parts.as_slice() {
            [.., ".github", "workflows", _] => folder_of(parts.len() - 3),
            _ => None,
        };
        (callable.then(|| path.as_str().into()), top)
    };
    let mut calls = references(workflow);
    if let (Some(id), Some(top)) = (&id, &top) {
        let own = id.strip_prefix(top.as_ref()).map(|rest| format!(".{rest}"));
        calls.retain(|reference| Some(reference.as_ref()) != own.as_deref());
    }
    Calls { id, calls, top: top.map_or(Top::Unknown, Top::At) }
}

/// How a file is called from the top of its repository, where both are known.
pub(super) fn own_reference(calls: &Calls) -> Option<Arc<str>> {
    let Top::At(top) = &calls.top else { return None };
    Some(format!(".{}", calls.id.as_ref()?.strip_prefix(top.as_ref())?).into())
}

/// `on.workflow_call` with its inputs and outputs.
fn called_by_others<'t>(workflow: &Workflow<'t>) -> Option<&'t Tree> {
    workflow.events.iter().find(|event| event.name.as_ref() == "workflow_call").and_then(|event| event.tree)
}

/// `on: workflow_call`, with nothing said of it.
pub(super) fn is_called_bare(workflow: &Workflow<'_>) -> bool {
    workflow.events.iter().any(|event| event.name.as_ref() == "workflow_call")
}

/// The files of the repository that a workflow's jobs and steps name.
fn references(workflow: &Workflow<'_>) -> BTreeSet<Arc<str>> {
    let jobs = workflow.jobs.iter().filter_map(|job| job.tree.get("uses"));
    let steps = workflow.jobs.iter().flat_map(|job| &job.steps).filter_map(|step| step.uses);
    jobs.chain(steps).filter_map(|uses| local(uses.as_text()?)).collect()
}

/// `./a/../b/` as `./b`; `None` of what is no path in the repository.
pub(super) fn local(uses: &str) -> Option<Arc<str>> {
    let rest = uses.strip_prefix("./").filter(|rest| !rest.contains("${{"))?;
    let mut parts = Vec::new();
    for part in rest.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop()?,
            part => parts.push(part),
        }
    }
    Some(std::iter::once(".").chain(parts).collect::<Vec<_>>().join("/").into())
}

/// The path of a file, one for each place: from `/`, or from `.` where it is relative.
fn path(name: &str) -> String {
    let name = name.replace(std::path::MAIN_SEPARATOR, "/");
    let mut parts: Vec<&str> = vec![if name.starts_with('/') { "" } else { "." }];
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.len() > 1 && parts.last() != Some(&"..") => _ = parts.pop(),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use sluice_core::document;

    use super::*;

    /// `ID in TOP calls …`
    fn told(name: &str, text: &str) -> String {
        let text = Text::new(name, text);
        let tree = document::read(&text).unwrap();
        let Calls { id, calls, top } = calls(name, &read::workflow(&tree).unwrap());
        let top = match &top {
            Top::At(top) => format!("`{top}`"),
            Top::Unknown => "?".to_owned(),
            Top::NoPaths => unreachable!("workflows of GitHub call by path"),
        };
        let calls: Vec<&str> = calls.iter().map(AsRef::as_ref).collect();
        format!("{} in {top} calls {}", id.as_deref().unwrap_or("-"), calls.join(" "))
    }

    const CALLED: &str = "on: workflow_call\njobs:\n  a: { uses: ./.github/workflows/b.yml }\n";
    const ACTION: &str = "runs: { using: composite, steps: [{ uses: ./x/ }, { uses: './a/../b' }, { uses: ./../c }] }";

    #[test]
    fn a_file_is_called_by_its_path_whichever_way_it_is_named() {
        let calls = "calls ./.github/workflows/b.yml";
        let w = |name: &str| told(name, CALLED);
        assert_eq!(w(".github/workflows/a.yml"), format!("./.github/workflows/a.yml in `.` {calls}"));
        assert_eq!(w("./r//s/../.github/workflows/a.yml"), format!("./r/.github/workflows/a.yml in `./r` {calls}"));
        assert_eq!(w("../r/.github/workflows/a.yml"), format!("./../r/.github/workflows/a.yml in `./../r` {calls}"));
        assert_eq!(w("/r/.github/workflows/a.yml"), format!("/r/.github/workflows/a.yml in `/r` {calls}"));
        assert_eq!(w("/.github/workflows/a.yml"), format!("/.github/workflows/a.yml in `` {calls}"));
        assert_eq!(w("workflows/a.yml"), format!("./workflows/a.yml in ? {calls}"));
        assert_eq!(w(".github/workflows/sub/a.yml"), format!("./.github/workflows/sub/a.yml in ? {calls}"));
        assert_eq!(w(".github/workflows/b.yml"), "./.github/workflows/b.yml in `.` calls ", "itself is no other file");
        let not_callable = told(".github/workflows/a.yml", &CALLED.replace("workflow_call", "push"));
        assert_eq!(not_callable, format!("- in `.` {calls}"));
    }

    #[test]
    fn an_action_is_called_by_its_folder() {
        let a = |name: &str| told(name, ACTION);
        assert_eq!(a("r/.github/actions/a/action.yml"), "./r/.github/actions/a in `./r` calls ./b ./x");
        assert_eq!(a("r/act/action.yaml"), "./r/act in ? calls ./b ./x");
        assert_eq!(a("action.yml"), ". in ? calls ./b ./x");
        assert_eq!(a("r/act/other.yml"), "- in ? calls ./b ./x");
    }

    #[test]
    fn only_paths_in_the_repository_are_local() {
        let cases = [("./", Some(".")), ("./a//b/.", Some("./a/b")), ("./a/../..", None), ("a/b@v1", None)];
        for (uses, expected) in cases.into_iter().chain([("../a", None), ("./${{ matrix.a }}", None), ("", None)]) {
            assert_eq!(local(uses).as_deref(), expected, "{uses}");
        }
    }
}
