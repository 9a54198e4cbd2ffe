//! Checking a text against rules: those of a workspace, signed or not, or the built-in ones where there is none.
//!
//! A check starts nothing, so it may read rules that nobody signed, and its report says so. Nothing here leads
//! to a standing: what runs comes from [`crate::admit`], which takes a [`Workspace`] and nothing less.

use std::path::Path;

use sluice_core::contract::bundle::{BundleDigest, BundleFiles};
use sluice_core::contract::governance::{CATALOGUE_FOLDERS, Governance};
use sluice_core::label::Name;
use sluice_policy::Bundle as Policies;
use sluice_verify::{Assumptions, Report, verify};

use crate::admit::{Proposed, closure_of};
use crate::home::HomeError;
use crate::workspace::{OpenError, Workspace, read_bundle, read_governance, read_policies, read_principals};

/// What a text is checked against.
pub struct Rules {
    governance: Governance,
    policies: Policies,
    digest: BundleDigest,
    source: Source,
    /// [`BASELINE_FILE`], as it was signed.
    baseline: Option<Vec<u8>>,
    /// The files under [`CATALOGUE_FOLDERS`].
    catalogues: Vec<(Name, Vec<u8>)>,
}

/// Where a workspace lists the findings that its people know of: a part of the signed bundle.
pub const BASELINE_FILE: &str = "policies/baseline.json";

/// Whose word the rules have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Those who sign in the workspace.
    Signed,
    /// Nobody's that this machine knows: no signers are pinned here. A run would be refused.
    Unsigned,
    /// There is no workspace: default policies, no contracts, no registers.
    BuiltIn,
}

const BUILT_IN: &str = "version: 1\nname: built-in\nmode: test\nsolo: true\n";

impl Rules {
    /// The rules of the workspace in `folder`. Where signers are pinned, only what they signed is read.
    ///
    /// # Errors
    /// [`OpenError`] as [`Workspace::open`] gives it, but for a folder that has no signers on this machine.
    pub fn of(folder: &Path) -> Result<Self, OpenError> {
        match Workspace::open(folder) {
            Ok(workspace) => {
                let digest = workspace.bundle().digest();
                let baseline = workspace.bundle().files().get(BASELINE_FILE).map(<[u8]>::to_vec);
                let catalogues = catalogues(workspace.bundle().files());
                let (governance, policies) = workspace.into_rules();
                Ok(Self { governance, policies, digest, source: Source::Signed, baseline, catalogues })
            }
            Err(OpenError::NoSigners { .. } | OpenError::Home(HomeError::NoWorkspace { .. } | HomeError::NoHome)) => {
                Self::unsigned(folder)
            }
            Err(error) => Err(error),
        }
    }

    fn unsigned(folder: &Path) -> Result<Self, OpenError> {
        let files = read_bundle(folder)?;
        let governance = read_governance(&files, &read_principals(folder)?)?;
        Ok(Self {
            governance,
            policies: read_policies(&files)?,
            digest: files.digest(),
            source: Source::Unsigned,
            baseline: None,
            catalogues: catalogues(&files),
        })
    }

    /// The default policies over nothing.
    ///
    /// # Errors
    /// [`OpenError::Files`] if the built-in texts cannot be read, which is a defect.
    pub fn built_in() -> Result<Self, OpenError> {
        let policies = sluice_policy::DEFAULT_SOURCES
            .into_iter()
            .map(|(name, text)| (format!("policies/{name}").into(), text.as_bytes().to_vec()));
        let workspace = ("workspace.yaml".into(), BUILT_IN.as_bytes().to_vec());
        let files = sluice_core::contract::bundle::BundleFiles::of(policies.chain([workspace]));
        let governance = read_governance(&files, b"version: 1\n")?;
        Ok(Self {
            governance,
            policies: read_policies(&files)?,
            digest: files.digest(),
            source: Source::BuiltIn,
            baseline: None,
            catalogues: Vec::new(),
        })
    }

    /// Contracts, registers and what they mean.
    #[must_use]
    pub const fn governance(&self) -> &Governance {
        &self.governance
    }

    /// The policies.
    #[must_use]
    pub const fn policies(&self) -> &Policies {
        &self.policies
    }

    /// Whose word they have.
    #[must_use]
    pub const fn source(&self) -> Source {
        self.source
    }

    /// The workspace's list of known findings; `None` if there is none, or nobody signed it.
    #[must_use]
    pub fn baseline(&self) -> Option<&[u8]> {
        self.baseline.as_deref()
    }

    /// The workspace's own catalogues of what the nodes of other engines do, by path. Where nobody signed the rules, nobody
    /// answers for them: they must not count.
    pub fn catalogues(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.catalogues.iter().map(|(path, bytes)| (path.as_ref(), bytes.as_slice()))
    }

    /// Whether one person alone may change them.
    #[must_use]
    pub const fn is_solo(&self) -> bool {
        self.governance.workspace.solo
    }

    /// Whether somebody must sign definitions before they run.
    #[must_use]
    pub const fn asks_for_signature(&self) -> bool {
        self.governance.workspace.definitions.is_some()
    }

    /// What a definition could do under these rules. What the rules themselves leave open is in the report.
    #[must_use]
    pub fn check(&self, proposed: &Proposed, assumptions: &Assumptions) -> Report {
        let closure = closure_of(proposed, &self.governance, self.digest);
        let principals = &self.governance.registers.principals;
        let catalogue = &self.governance.catalogue;
        let verification =
            verify(proposed.program(), catalogue, principals, &self.policies, assumptions, closure.digest());
        let mut report = verification.report;
        match self.source {
            Source::Signed if self.is_solo() => {
                report.not_shown.push("that a second person agreed to the rules: this workspace is solo".to_owned());
            }
            Source::Signed => {}
            Source::Unsigned => report.not_shown.push(
                "that anybody signed the rules: no signers of this workspace are pinned on this machine, and a run is refused"
                    .to_owned(),
            ),
            Source::BuiltIn => {
                report.not_shown.push("what your services read, reveal and change: there is no workspace".to_owned());
            }
        }
        report
    }
}

fn catalogues(files: &BundleFiles) -> Vec<(Name, Vec<u8>)> {
    let is_catalogue = |path: &str| CATALOGUE_FOLDERS.iter().any(|folder| path.starts_with(folder));
    let found = files.iter().filter(|(path, _)| is_catalogue(path));
    found.map(|(path, bytes)| (path.into(), bytes.to_vec())).collect()
}
