//! What can be mended without thinking in a workflow of GitHub Actions, as edits of its text.
//!
//! Nothing is offered that could change what a working file does: where it is not certain that a credential or a right is not
//! needed, or how a shell reads what is pasted, there is no fix, and a person decides.

mod layout;
mod pasted;
mod quiet;

use sluice_core::document::Data;
use sluice_core::document::Node as Tree;
use sluice_core::edit::Fix;
use sluice_core::program::StepId;

use super::lower::{Lowering, Writing};
use super::read::{Step, entries};
use crate::import::Mends;
use layout::Layout;

impl<'t> Lowering<'_, 't> {
    /// How what is found in a step is mended.
    pub(super) fn mend_step(&mut self, step: &Step<'t>, id: StepId, writing: &Writing<'_, 't>) {
        if !self.is_own() {
            return;
        }
        if let Some(fix) = pasted::fix(step, writing, self.workflow) {
            self.mends.insert((id, Mends::Pasted), fix);
        }
        if let Some(fix) = self.without_credentials(step, writing) {
            self.mends.insert((id, Mends::KeptCredentials), fix);
        }
    }

    /// `persist-credentials: false`, where nothing later in the job can need the credentials.
    fn without_credentials(&self, step: &Step<'t>, writing: &Writing<'_, 't>) -> Option<Fix> {
        let is_checkout = |uses: &&Tree| {
            let name = uses.as_text().and_then(|text| text.split('@').next().map(str::to_lowercase));
            name.as_deref() == Some("actions/checkout")
        };
        let uses = step.uses.filter(is_checkout).filter(|_| !self.workflow.is_action)?;
        let with = step.tree.get("with");
        let own_key = ["token", "ssh-key", "persist-credentials"];
        if entries(with).iter().any(|entry| own_key.iter().any(|key| entry.key.eq_ignore_ascii_case(key))) {
            return None;
        }
        let at = writing.job.steps.iter().position(|other| std::ptr::eq(other.tree, step.tree))?;
        let mut later = writing.job.steps.get(at + 1..)?.iter();
        later.all(|step| quiet::is_quiet(step, self.knowledge)).then_some(())?;
        let layout = Layout::of(self.file);
        let line = "persist-credentials: false";
        let edit = match with {
            Some(with) => layout.first_in(with, line)?,
            None if layout.is_flow(step.tree) => layout.behind(uses, &format!(", with: {{ {line} }}"))?,
            None => layout.below(step.tree.entry("uses")?, &["with:", &format!("  {line}")])?,
        };
        Some(Fix { edits: vec![edit] })
    }

    /// `permissions: contents: read` for the whole workflow, where each job without a block of its own needs no more.
    pub(super) fn mend_rights(&mut self) {
        if !self.is_own() || self.workflow.is_action || self.workflow.tree.get("permissions").is_some() {
            return;
        }
        let mut open = self.workflow.jobs.iter().filter(|job| job.tree.get("permissions").is_none());
        let is_quiet = open.all(|job| {
            job.tree.get("uses").is_none() && job.steps.iter().all(|step| quiet::is_quiet(step, self.knowledge))
        });
        if !is_quiet || names_token(self.workflow.tree) {
            return;
        }
        let layout = Layout::of(self.file);
        let edit = self.workflow.tree.entry("jobs").filter(|jobs| jobs.key_span.column == 1);
        let lines = ["permissions:", "  contents: read", ""];
        if let Some(edit) = edit.and_then(|jobs| layout.above(jobs, &lines)) {
            self.mends.insert((self.root, Mends::NoPermissions), Fix { edits: vec![edit] });
        }
    }
}

/// Whether any text of a workflow names the token.
fn names_token(tree: &Tree) -> bool {
    let mut open = vec![tree];
    while let Some(node) = open.pop() {
        match &node.value {
            Data::Text(text) => {
                let text = text.to_lowercase();
                let names = ["github_token", "github.token", "github['token']", "tojson(github)", "tojson(secrets)"];
                if names.iter().any(|name| text.contains(name)) {
                    return true;
                }
            }
            Data::List(items) => open.extend(items),
            Data::Map(entries) => open.extend(entries.iter().map(|entry| &entry.value)),
            _ => {}
        }
    }
    false
}
