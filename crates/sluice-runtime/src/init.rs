//! A new workspace: its files, its keys outside of it, its ledger with who may change the bundle.

use std::path::{Path, PathBuf};

use sluice_connectors::secret::{SecretError, WorkspaceKey};
use sluice_core::contract::bundle::{BundleError, Signers};
use sluice_core::contract::key::SecretKey;
use thiserror::Error;

use crate::home::{Home, HomeError, write_new};
use crate::ledger::{Ledger, LedgerError, random};
use crate::workspace::{OpenError, Workspace, sign_with};

/// Why a workspace was not made.
#[derive(Debug, Error)]
pub enum InitError {
    /// SL546. There is one already.
    #[error("SL546: `{}` is there already; `sluice init` never replaces a file", path.display())]
    Exists {
        /// The file that is in the way.
        path: PathBuf,
    },
    /// SL547. The disk said no.
    #[error("SL547: cannot write `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Keys and id.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The key of secrets.
    #[error("{code}: {0}", code = .0.code())]
    Secret(#[from] SecretError),
    /// The signers.
    #[error("{code}: {0}", code = .0.code())]
    Signers(#[from] BundleError),
    /// The files do not make a workspace.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Makes a workspace of `files` (paths relative to `folder`), governed by `signers`, and signs its bundle with `keys`.
///
/// Nothing that exists is replaced. The first of `keys` is written nowhere here: see [`new_key`].
///
/// # Errors
/// [`InitError`]: what was in the way, or what is wrong with the files.
pub fn create(
    folder: &Path,
    files: &[(String, String)],
    keys: &[SecretKey],
    solo: bool,
) -> Result<(Workspace, Ledger), InitError> {
    write_files(folder, files)?;
    adopt(folder, keys, solo)
}

/// Writes `files` (paths relative to `folder`), none of which may be there.
///
/// # Errors
/// [`InitError::Exists`] or [`InitError::Io`].
pub fn write_files(folder: &Path, files: &[(String, String)]) -> Result<(), InitError> {
    for (path, _) in files {
        let path = folder.join(path);
        if path.exists() {
            return Err(InitError::Exists { path });
        }
    }
    for (path, content) in files {
        let path = folder.join(path);
        let write = || {
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(&path, content)
        };
        write().map_err(|source| InitError::Io { path: path.clone(), source })?;
    }
    Ok(())
}

/// Gives the workspace files in `folder` an id, keys, pinned signers, signatures and a ledger.
///
/// # Errors
/// As [`create`].
pub fn adopt(folder: &Path, keys: &[SecretKey], solo: bool) -> Result<(Workspace, Ledger), InitError> {
    let home = Home::create(folder, random()?)?;
    adopt_with(folder, home, keys, solo)
}

/// The same with the home that the caller made for it.
///
/// # Errors
/// As [`create`].
pub fn adopt_with(folder: &Path, home: Home, keys: &[SecretKey], solo: bool) -> Result<(Workspace, Ledger), InitError> {
    let signers = Signers::new(keys.iter().map(|k| (k.name().clone(), k.public())), solo)?;
    write_new(&home.signers(), signers.to_text().as_bytes())?;
    WorkspaceKey::create(&home.workspace_key())?;
    for key in keys {
        sign_with(folder, &home, key)?;
    }
    let workspace = Workspace::open_with(folder, home)?;
    let name = workspace.bundle().workspace().name.value.clone();
    let ledger = Ledger::create(folder, workspace.home(), &name, &signers)?;
    Ok((workspace, ledger))
}

/// A new key of a person, and the file it is in.
///
/// # Errors
/// [`InitError::Home`] if a file of that name exists or cannot be written, [`InitError::Ledger`] without random bytes.
pub fn new_key(person: &str, file: &Path) -> Result<SecretKey, InitError> {
    let key = SecretKey::from_seed(person, random()?);
    if let Some(parent) = file.parent() {
        std::fs::create_dir_all(parent).map_err(|source| InitError::Io { path: parent.to_path_buf(), source })?;
    }
    write_new(file, format!("{}\n", key.to_line()).as_bytes())?;
    Ok(key)
}

/// Records which bundle is in force from now on, and who signed it.
///
/// # Errors
/// [`LedgerError`] if the ledger takes no entry.
pub fn record_bundle(workspace: &Workspace, ledger: &Ledger) -> Result<(), LedgerError> {
    ledger.keep_bundle(workspace.bundle())
}
