//! The rules of a workspace as a whole, and what two of them do not have alike.
//!
//! A change is told in words, with what of it allows more: destinations, clearances, actions, trust, policies that stop less.
//! What the code here has no words for is told as it stands in the files, and counts as what may allow more.

mod contracts;
mod files;
mod registers;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value as Json;
use sluice_core::contract::Governance;
use sluice_core::contract::bundle::BundleFiles;
use sluice_core::contract::principals::PRINCIPALS_FILE;
use sluice_core::label::Name;
use sluice_ledger::EntryKind;
use sluice_policy::{Aspect, Bundle as Policies, Growth};
use sluice_store::{Query, Recorded};

use crate::audit::AuditError;
use crate::home::Home;
use crate::ledger::open_records;
use crate::workspace::{
    OpenError, check_tickets, read_bundle, read_governance, read_own_rules, read_policies, read_principals,
};

/// A bundle, signed or not, and what it says.
#[derive(Debug)]
pub struct Rules {
    /// Its files.
    pub files: BundleFiles,
    /// Contracts and registers.
    pub governance: Governance,
    /// Policies.
    pub policies: Policies,
}

impl Rules {
    /// Understands a bundle beside the register of principals.
    ///
    /// # Errors
    /// [`OpenError::Files`] with every problem.
    pub fn read(files: BundleFiles, principals: &[u8]) -> Result<Self, OpenError> {
        let governance = read_governance(&files, principals)?;
        let policies = read_policies(&files)?;
        read_own_rules(&files)?;
        check_tickets(&governance, &policies, &files)?;
        Ok(Self { files, governance, policies })
    }

    /// The rules in a folder, as they are on the disk. Where it has no register of principals, that of `workspace` counts.
    ///
    /// # Errors
    /// [`OpenError`] if a file cannot be read or understood.
    pub fn in_folder(folder: &Path, workspace: &Path) -> Result<Self, OpenError> {
        let own = if folder.join(PRINCIPALS_FILE).is_file() { folder } else { workspace };
        Self::read(read_bundle(folder)?, &read_principals(own)?)
    }

    /// The rules that were in force last, as the ledger kept them; `None` if it kept none.
    ///
    /// # Errors
    /// [`AuditError`] if the ledger cannot be read, or its latest bundle no longer makes sense beside the principals of today.
    pub fn last_in_force(workspace: &Path) -> Result<Option<Self>, AuditError> {
        let records = open_records(workspace, &Home::of(workspace)?)?;
        let found = records.find(&Query { kind: Some(EntryKind::BUNDLE_CHANGED), ..Query::default() })?;
        let Some(index) = found.last() else { return Ok(None) };
        let Some(files) = kept_files(&records.entry(*index)?) else { return Ok(None) };
        Ok(Some(Self::read(files, &read_principals(workspace)?)?))
    }

    /// What `later` does not have alike, in the order of what it is about.
    #[must_use]
    pub fn differences(&self, later: &Self) -> Vec<Change> {
        let mut changes = policies(&self.policies, &later.policies);
        changes.extend(contracts::changes(self, later));
        changes.extend(registers::changes(&self.governance, &later.governance));
        changes.extend(files::changes(self, later));
        changes
    }

    /// Every file whose bytes are others, whether or not that means anything: nobody signs a file unseen.
    #[must_use]
    pub fn changed_files(&self, later: &Self) -> Vec<(Name, How)> {
        let paths: BTreeSet<&str> = self.files.iter().chain(later.files.iter()).map(|(path, _)| path).collect();
        let changed = paths.into_iter().filter(|path| self.files.get(path) != later.files.get(path));
        changed
            .map(|path| {
                let how = How::of(self.files.get(path).is_some(), later.files.get(path).is_some());
                (Name::from(path), how)
            })
            .collect()
    }
}

/// A bundle that the log kept.
pub(crate) fn kept_files(recorded: &Recorded) -> Option<BundleFiles> {
    let payload: Json = serde_json::from_slice(recorded.payload.opened()?).ok()?;
    let text = |(path, content): (&String, &Json)| Some((path.as_str().into(), content.as_str()?.as_bytes().to_vec()));
    let files: Vec<(Name, Vec<u8>)> = payload.get("files")?.as_object()?.iter().map(text).collect::<Option<_>>()?;
    Some(BundleFiles::of(files))
}

/// Something that two bundles do not have alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it is: `policy`, `contract`, `destination`.
    pub about: &'static str,
    /// Which.
    pub name: String,
    /// Whether it came, went or is another.
    pub how: How,
    /// What is another about it.
    pub aspects: Vec<Aspect>,
}

/// How something changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is another.
    Changed,
}

impl How {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }

    const fn of(was: bool, is: bool) -> Self {
        match (was, is) {
            (false, _) => Self::Added,
            (true, false) => Self::Removed,
            (true, true) => Self::Changed,
        }
    }
}

impl Change {
    /// Whether it allows more.
    #[must_use]
    pub fn growth(&self) -> Growth {
        self.aspects.iter().map(|aspect| aspect.growth).max().unwrap_or(Growth::No)
    }
}

fn policies(before: &Policies, after: &Policies) -> Vec<Change> {
    let change = |difference: sluice_policy::PolicyDifference| Change {
        about: "policy",
        name: difference.id.to_string(),
        how: How::of(difference.was, difference.is),
        aspects: difference.aspects,
    };
    before.differences(after).into_iter().map(change).collect()
}

/// Words between commas; `nothing` for none.
fn listed<'n>(names: impl IntoIterator<Item = &'n Name>) -> String {
    let names: Vec<&str> = names.into_iter().map(AsRef::as_ref).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}
