//! An open workspace: a signed bundle, its catalogue and policies, its keys.
//!
//! What a bundle says counts only once its signatures have been checked against the signers that are
//! pinned outside the folder. There is no way to a [`Workspace`] around that check.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sluice_core::contract::bundle::{
    self, BundleDigest, BundleError, BundleFiles, BundleSignature, SIGNATURES_FILE, SignedBundle, Signers,
};
use sluice_core::contract::canonical::Encoder;
use sluice_core::contract::governance::POLICIES_FOLDER;
use sluice_core::contract::key::SecretKey;
use sluice_core::contract::lock::{LOCK_FILE, Lock};
use sluice_core::contract::principals::PRINCIPALS_FILE;
use sluice_core::contract::{Digest, Governance, Principals};
use sluice_core::diagnostic::{Code, Diagnostic, Severity};
use sluice_core::label::Name;
use sluice_core::text::Text;
use sluice_policy::own::{CONSOLE_FOLDER, OwnRules};
use sluice_policy::{Bundle as Policies, PolicyInfo, TicketRule};
use thiserror::Error;

use crate::clock::now_ms;
use crate::home::{Home, HomeError};
use crate::memberships::Memberships;

/// The folder of everything that Sluice writes in a workspace.
pub const STATE_FOLDER: &str = ".sluice";
/// The ledger's file.
pub const LEDGER_FILE: &str = ".sluice/ledger.db";
/// The sealed secrets.
pub const SECRETS_FILE: &str = ".sluice/secrets.sealed";
/// The folder of the bundle with schema, policies and entities of other applications, for which AuthZEN's questions are answered.
pub const APPLICATIONS_FOLDER: &str = "policies/authzen/";
/// Most files of a bundle, and the largest one: more is no bundle that people can read.
const BUNDLE_FILES_MAX: usize = 2_000;
const BUNDLE_FILE_BYTES_MAX: u64 = 4 << 20;

/// How many workspaces were opened in this process.
static OPENED: AtomicU64 = AtomicU64::new(0);

/// A workspace whose bundle is signed.
pub struct Workspace {
    serial: u64,
    folder: PathBuf,
    home: Home,
    bundle: SignedBundle,
    governance: Governance,
    policies: Policies,
    own: OwnRules,
}

/// Something wrong in a file of the workspace, with the text it is in.
#[derive(Clone, Debug)]
pub struct FileProblem {
    /// The file.
    pub text: Text,
    /// What is wrong.
    pub diagnostic: Diagnostic,
}

/// Why a workspace cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Keys or id.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// SL536. Nobody is pinned.
    #[error("SL536: no signers are pinned for this workspace in `{}`: whoever may change its bundle is unknown here. `sluice init` pins you; on another machine, copy the signers file from a person you trust", file.display())]
    NoSigners {
        /// Where they would be.
        file: PathBuf,
    },
    /// The bundle does not count.
    #[error("{}: the bundle of this workspace does not count: {source}. `sluice policy sign` signs what is there now", source.code())]
    Bundle {
        /// Why not.
        #[source]
        source: BundleError,
    },
    /// Files that cannot be understood.
    #[error("{} in the workspace's files", count(problems.len()))]
    Files {
        /// Each of them.
        problems: Vec<FileProblem>,
    },
    /// SL537. A file or folder cannot be read.
    #[error("SL537: cannot read `{}`: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// SL538. Too much for one bundle.
    #[error("SL538: `{}` is too much for a bundle (at most {BUNDLE_FILES_MAX} files of {BUNDLE_FILE_BYTES_MAX} bytes)", path.display())]
    TooMuch {
        /// The file or folder that is too much.
        path: PathBuf,
    },
}

fn count(problems: usize) -> String {
    if problems == 1 { "1 problem".to_owned() } else { format!("{problems} problems") }
}

impl Workspace {
    /// Opens the workspace in `folder`.
    ///
    /// # Errors
    /// [`OpenError`]: the first reason why it cannot be trusted or understood; of files, every reason.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        Self::open_with(folder, Home::of(folder)?)
    }

    /// The same with the home that the caller found.
    ///
    /// # Errors
    /// As [`Workspace::open`].
    pub fn open_with(folder: &Path, home: Home) -> Result<Self, OpenError> {
        let files = read_bundle(folder)?;
        let signers = read_signers(&home)?;
        let signatures = read_signatures(folder)?;
        let bundle = bundle::verify(files, &signatures, &signers).map_err(|source| OpenError::Bundle { source })?;
        let mut governance = read_governance(bundle.files(), &read_principals(folder)?)?;
        if let Some(mapping) = &bundle.workspace().login_groups {
            let members = Memberships::read(folder).at(now_ms());
            members.add_to(&mut governance.registers.principals, mapping);
        }
        let policies = read_policies(bundle.files())?;
        let own = read_own_rules(bundle.files())?;
        check_tickets(&governance, &policies, bundle.files())?;
        let serial = OPENED.fetch_add(1, Ordering::Relaxed);
        Ok(Self { serial, folder: folder.to_path_buf(), home, bundle, governance, policies, own })
    }

    /// Which of all that were opened in this process it is: one that was opened again, by other rules or another register, has
    /// another.
    #[must_use]
    pub const fn serial(&self) -> u64 {
        self.serial
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where its keys are.
    #[must_use]
    pub const fn home(&self) -> &Home {
        &self.home
    }

    /// What was signed.
    #[must_use]
    pub const fn bundle(&self) -> &SignedBundle {
        &self.bundle
    }

    /// Contracts, registers and what they mean.
    #[must_use]
    pub const fn governance(&self) -> &Governance {
        &self.governance
    }

    /// Who there is.
    #[must_use]
    pub const fn principals(&self) -> &Principals {
        &self.governance.registers.principals
    }

    /// The policies in force about Sluice itself.
    #[must_use]
    pub const fn own_rules(&self) -> &OwnRules {
        &self.own
    }

    /// The policies in force.
    #[must_use]
    pub const fn policies(&self) -> &Policies {
        &self.policies
    }

    /// What the bundle says with more contracts, which nobody signed: each its path, as if it were of the bundle, and its text.
    ///
    /// # Errors
    /// [`OpenError::Files`] if one of them is none.
    pub fn governance_with(&self, contracts: &[(String, String)]) -> Result<Governance, OpenError> {
        let is_replaced = |path: &str| contracts.iter().any(|(file, _)| file == path);
        let files = self.bundle.files().iter().filter(|(path, _)| !is_replaced(path));
        let mut files: Vec<(Name, Vec<u8>)> = files.map(|(path, bytes)| (path.into(), bytes.to_vec())).collect();
        files.extend(contracts.iter().map(|(file, text)| (file.as_str().into(), text.as_bytes().to_vec())));
        read_governance(&BundleFiles::of(files), &read_principals(&self.folder)?)
    }

    /// Whether one person governs it: every report and entry says so.
    #[must_use]
    pub const fn is_solo(&self) -> bool {
        self.bundle.is_solo()
    }

    /// Contracts, registers and policies, for a check.
    #[must_use]
    pub fn into_rules(self) -> (Governance, Policies) {
        (self.governance, self.policies)
    }

    /// The ledger's file.
    #[must_use]
    pub fn ledger_file(&self) -> PathBuf {
        self.folder.join(LEDGER_FILE)
    }
}

/// Signs the bundle that is in `folder` now. Signatures of other pinned people over the same bytes are kept, all else dropped.
///
/// # Errors
/// [`OpenError`] if a file cannot be read or written, or the signer is not pinned.
pub fn sign(folder: &Path, key: &SecretKey) -> Result<BundleFiles, OpenError> {
    sign_with(folder, &Home::of(folder)?, key)
}

/// Signs the bundle in `folder` if it is still the one that the signer has seen.
///
/// # Errors
/// As [`sign`]; [`BundleError::OtherDigest`] if a file changed meanwhile, and nothing is signed then.
pub fn sign_seen(folder: &Path, key: &SecretKey, seen: BundleDigest) -> Result<(), OpenError> {
    let (files, home) = (read_bundle(folder)?, Home::of(folder)?);
    let found = files.digest();
    if found != seen {
        let source = BundleError::OtherDigest { signer: key.name().clone(), signed: seen, found };
        return Err(OpenError::Bundle { source });
    }
    put_signature(folder, &home, key, found)
}

/// The same with the home that the caller found.
///
/// # Errors
/// As [`sign`].
pub fn sign_with(folder: &Path, home: &Home, key: &SecretKey) -> Result<BundleFiles, OpenError> {
    let files = read_bundle(folder)?;
    put_signature(folder, home, key, files.digest())?;
    Ok(files)
}

fn put_signature(folder: &Path, home: &Home, key: &SecretKey, digest: BundleDigest) -> Result<(), OpenError> {
    let signers = read_signers(home)?;
    if !signers.names().any(|name| name == key.name()) {
        let source = BundleError::UnknownSigner { signer: key.name().clone() };
        return Err(OpenError::Bundle { source });
    }
    let mut signatures = read_signatures(folder).unwrap_or_default();
    // Of somebody who is pinned no longer, the line alone would keep the bundle from counting.
    signatures.retain(|s| s.digest == digest && s.signer != *key.name() && signers.key(&s.signer).is_some());
    signatures.push(BundleSignature::sign(digest, key));
    let text: String = signatures.iter().map(|s| s.to_line() + "\n").collect();
    let path = folder.join(SIGNATURES_FILE);
    replace(&path, text.as_bytes()).map_err(|source| OpenError::Io { path, source })
}

/// Puts a whole file in place of an earlier one: readers see the old one or the new one.
///
/// # Errors
/// The disk's own.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = path.with_file_name(name);
    std::fs::write(&beside, content)?;
    std::fs::File::open(&beside)?.sync_all()?;
    std::fs::rename(&beside, path)
}

fn problem(file: &Name, bytes: Option<&[u8]>, diagnostic: Diagnostic) -> FileProblem {
    let content = String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
    FileProblem { text: Text::new(file.clone(), content), diagnostic }
}

/// Contracts and registers of a bundle, with the register of principals that stands outside of it. The bytes are believed.
///
/// # Errors
/// [`OpenError::Files`] with every problem.
pub fn read_governance(files: &BundleFiles, principals: &[u8]) -> Result<Governance, OpenError> {
    Governance::read(files.iter().chain([(PRINCIPALS_FILE, principals)])).map_err(|problems| {
        let problems = problems.into_iter().map(|p| {
            let bytes = if p.file.as_ref() == PRINCIPALS_FILE { Some(principals) } else { files.get(&p.file) };
            problem(&p.file, bytes, p.diagnostic)
        });
        OpenError::Files { problems: problems.collect() }
    })
}

/// A digest of all that the rules are read from: the bundle, its signatures, who may sign, and the principals. It tells
/// whether they are worth reading again, and nothing of whether they count.
///
/// # Errors
/// [`OpenError`] if a file cannot be read.
pub fn stamp(folder: &Path, home: &Home) -> Result<Digest, OpenError> {
    let mut all = Encoder::new("sluice rules as read 1");
    all.bytes(&read_bundle(folder)?.digest().0.0);
    all.bytes(&read_principals(folder)?);
    for file in [folder.join(SIGNATURES_FILE), home.signers()] {
        all.bytes(&std::fs::read(&file).unwrap_or_default());
    }
    Ok(all.digest())
}

/// The bytes of the register of principals.
///
/// # Errors
/// [`OpenError`] if it cannot be read.
pub fn read_principals(folder: &Path) -> Result<Vec<u8>, OpenError> {
    read_file(&folder.join(PRINCIPALS_FILE))
}

/// The pins of a bundle; none if it has no lock. The bytes are believed.
///
/// # Errors
/// [`OpenError::Files`] with every problem.
pub fn read_lock(files: &BundleFiles) -> Result<Lock, OpenError> {
    let Some(bytes) = files.get(LOCK_FILE) else { return Ok(Lock::default()) };
    let read = sluice_core::document::decode(LOCK_FILE, bytes).map_err(|refusal| vec![*refusal]);
    read.and_then(|text| Lock::parse(&text)).map_err(|found| OpenError::Files {
        problems: found.into_iter().map(|d| problem(&LOCK_FILE.into(), Some(bytes), d)).collect(),
    })
}

/// Puts the pins in place of the earlier ones. The bundle must be signed anew then.
///
/// # Errors
/// [`OpenError::Io`].
pub fn write_lock(folder: &Path, lock: &Lock) -> Result<(), OpenError> {
    let path = folder.join(LOCK_FILE);
    replace(&path, lock.to_text().as_bytes()).map_err(|source| OpenError::Io { path, source })
}

/// The policies of a bundle.
///
/// # Errors
/// [`OpenError::Files`] with every flaw.
pub fn read_policies(files: &BundleFiles) -> Result<Policies, OpenError> {
    // Those about the console and those of other applications decide no call.
    let is_ours = |path: &str| {
        let others = [CONSOLE_FOLDER, APPLICATIONS_FOLDER];
        path.starts_with(POLICIES_FOLDER) && !others.iter().any(|folder| path.starts_with(folder))
    };
    let is_policy = |path: &str| is_ours(path) && path.ends_with(".cedar");
    let sources: Vec<(&str, String)> = files
        .iter()
        .filter(|(path, _)| is_policy(path))
        .map(|(path, bytes)| (path, String::from_utf8_lossy(bytes).into_owned()))
        .collect();
    Policies::load(&sources).map_err(|flaws| {
        let problems = flaws.into_iter().map(|flaw| problem(&flaw.text, files.get(&flaw.text), flaw.diagnostic));
        OpenError::Files { problems: problems.collect() }
    })
}

/// Checks that every ticket which a policy asks for is one that some contract shows: the gate would stay closed for ever.
///
/// # Errors
/// [`OpenError::Files`] with every policy that asks for another.
pub fn check_tickets(governance: &Governance, policies: &Policies, files: &BundleFiles) -> Result<(), OpenError> {
    let shown = &governance.catalogue.tickets;
    let is_unknown = |rule: &TicketRule| !shown.contains_key(&(rule.connector.clone(), rule.action.clone()));
    let told = |(info, rule): (&PolicyInfo, &TicketRule)| {
        let message = format!(
            "`{}` asks for a ticket that `{}.{}` shows, and no contract marks it",
            info.id, rule.connector, rule.action
        );
        let known: Vec<String> = shown.keys().map(|(connector, action)| format!("`{connector}.{action}`")).collect();
        let help = match known.as_slice() {
            [] => "mark the action of a contract that reads a ticket with `ticket:`".to_owned(),
            known => format!("contracts mark {}", known.join(", ")),
        };
        let diagnostic = Diagnostic::new(Code(453), "unknown-ticket", Severity::High, info.span, message, help);
        problem(&info.text, files.get(&info.text), diagnostic)
    };
    let problems: Vec<FileProblem> = policies.tickets().filter(|(_, rule)| is_unknown(rule)).map(told).collect();
    if problems.is_empty() { Ok(()) } else { Err(OpenError::Files { problems }) }
}

/// The policies of a bundle about Sluice itself.
///
/// # Errors
/// [`OpenError::Files`] with every flaw.
pub fn read_own_rules(files: &BundleFiles) -> Result<OwnRules, OpenError> {
    let is_own = |path: &str| path.starts_with(CONSOLE_FOLDER) && path.ends_with(".cedar");
    let sources: Vec<(&str, String)> = files
        .iter()
        .filter(|(path, _)| is_own(path))
        .map(|(path, bytes)| (path, String::from_utf8_lossy(bytes).into_owned()))
        .collect();
    OwnRules::load(&sources).map_err(|flaws| {
        let problems = flaws.into_iter().map(|flaw| problem(&flaw.text, files.get(&flaw.text), flaw.diagnostic));
        OpenError::Files { problems: problems.collect() }
    })
}

/// The files of the bundle in `folder`, signed or not.
///
/// # Errors
/// [`OpenError`] if one cannot be read, or there is too much.
pub fn read_bundle(folder: &Path) -> Result<BundleFiles, OpenError> {
    let mut files: Vec<(Name, Vec<u8>)> = Vec::new();
    let mut open = vec![String::new()];
    while let Some(at) = open.pop() {
        let path = folder.join(&at);
        let listed = std::fs::read_dir(&path).map_err(|source| OpenError::Io { path: path.clone(), source })?;
        for entry in listed {
            let entry = entry.map_err(|source| OpenError::Io { path: path.clone(), source })?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let inner = if at.is_empty() { name } else { format!("{at}/{name}") };
            let kind = entry.file_type().map_err(|source| OpenError::Io { path: entry.path(), source })?;
            if kind.is_dir() && BundleFiles::belongs(&format!("{inner}/x")) {
                open.push(inner);
            } else if kind.is_file() && BundleFiles::belongs(&inner) {
                files.push((inner.into(), read_file(&entry.path())?));
            }
            if files.len() > BUNDLE_FILES_MAX {
                return Err(OpenError::TooMuch { path });
            }
        }
    }
    Ok(BundleFiles::of(files))
}

pub(crate) fn read_signers(home: &Home) -> Result<Signers, OpenError> {
    let file = home.signers();
    if !file.exists() {
        return Err(OpenError::NoSigners { file });
    }
    let text = String::from_utf8_lossy(&read_file(&file)?).into_owned();
    Signers::parse(&text).map_err(|source| OpenError::Bundle { source })
}

pub(crate) fn read_signatures(folder: &Path) -> Result<Vec<BundleSignature>, OpenError> {
    let path = folder.join(SIGNATURES_FILE);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = String::from_utf8_lossy(&read_file(&path)?).into_owned();
    BundleSignature::from_lines(&text).map_err(|source| OpenError::Bundle { source })
}

/// A file of bounded size.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, OpenError> {
    let io = |source| OpenError::Io { path: path.to_path_buf(), source };
    if std::fs::metadata(path).map_err(io)?.len() > BUNDLE_FILE_BYTES_MAX {
        return Err(OpenError::TooMuch { path: path.to_path_buf() });
    }
    std::fs::read(path).map_err(io)
}
