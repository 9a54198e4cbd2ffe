//! What a workspace needs and must not hold: keys and the names of those who may change its bundle.
//!
//! A folder outside the workspace, one per workspace: `$SLUICE_HOME`, else `$XDG_CONFIG_HOME/sluice`, else
//! `~/.config/sluice`, and in it `workspaces/<id>`. Whoever can write the workspace folder can write neither.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// The file in a workspace that names its home.
pub const ID_FILE: &str = ".sluice/id";
const ID_HEX: usize = 32;

/// The folder outside the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    folder: PathBuf,
}

/// Why a home cannot be used.
#[derive(Debug, Error)]
pub enum HomeError {
    /// SL530. The workspace has no id.
    #[error("SL530: `{}` is not a workspace: it has no `{ID_FILE}`", folder.display())]
    NoWorkspace {
        /// The folder that was looked at.
        folder: PathBuf,
    },
    /// SL531. The id is not one that Sluice wrote.
    #[error("SL531: `{}` does not hold a workspace id (32 hexadecimal digits)", file.display())]
    BadId {
        /// The id file.
        file: PathBuf,
    },
    /// SL532. Nowhere to keep keys.
    #[error("SL532: there is no place for keys: set SLUICE_HOME to a folder outside the workspace")]
    NoHome,
    /// SL533. A key file is missing.
    #[error("SL533: the key file `{}` is missing; without it nothing sealed can be opened. restore it from a backup", file.display())]
    NoKey {
        /// The file.
        file: PathBuf,
    },
    /// SL534. Keys inside the workspace could be changed by whoever changes the workspace.
    #[error("SL534: the folder for keys, `{}`, lies inside the workspace; set SLUICE_HOME to one outside it", folder.display())]
    Inside {
        /// The folder.
        folder: PathBuf,
    },
    /// SL535. The disk said no.
    #[error("SL535: cannot {deed} `{}`: {source}", path.display())]
    Io {
        /// What was tried.
        deed: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl Home {
    /// The home of the workspace in `folder`.
    ///
    /// # Errors
    /// [`HomeError::NoWorkspace`], [`HomeError::BadId`] or [`HomeError::NoHome`].
    pub fn of(workspace: &Path) -> Result<Self, HomeError> {
        let id = id_of(workspace)?;
        Self::at(&base_folder().ok_or(HomeError::NoHome)?, workspace, &id)
    }

    /// The same below a folder that the caller chose, whatever the environment says.
    ///
    /// # Errors
    /// [`HomeError::NoWorkspace`], [`HomeError::BadId`] or [`HomeError::Inside`].
    pub fn under(base: &Path, workspace: &Path) -> Result<Self, HomeError> {
        Self::at(base, workspace, &id_of(workspace)?)
    }

    fn at(base: &Path, workspace: &Path, id: &str) -> Result<Self, HomeError> {
        let folder = base.join("workspaces").join(id);
        if let (Ok(inner), Ok(outer)) = (base.canonicalize(), workspace.canonicalize())
            && inner.starts_with(&outer)
        {
            return Err(HomeError::Inside { folder });
        }
        Ok(Self { folder })
    }

    /// Gives a new workspace its id and its home.
    ///
    /// # Errors
    /// [`HomeError::Io`] if a file or folder cannot be made; an existing id is kept.
    pub fn create(workspace: &Path, id: [u8; 16]) -> Result<Self, HomeError> {
        Self::create_under(&base_folder().ok_or(HomeError::NoHome)?, workspace, id)
    }

    /// The same below a folder that the caller chose, whatever the environment says.
    ///
    /// # Errors
    /// As [`Home::create`].
    pub fn create_under(base: &Path, workspace: &Path, id: [u8; 16]) -> Result<Self, HomeError> {
        let file = workspace.join(ID_FILE);
        if !file.exists() {
            let text: String = id.iter().map(|b| format!("{b:02x}")).collect();
            let parent = file.parent().unwrap_or(workspace);
            make_folder(parent)?;
            write_new(&file, format!("{text}\n").as_bytes())?;
        }
        let home = Self::under(base, workspace)?;
        make_folder(&home.folder)?;
        // Once more: only a folder that exists can be told to lie inside the workspace.
        Self::under(base, workspace)
    }

    /// A file in it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The pinned signers of the bundle.
    #[must_use]
    pub fn signers(&self) -> PathBuf {
        self.file("signers")
    }

    /// The key under which secrets are sealed.
    #[must_use]
    pub fn workspace_key(&self) -> PathBuf {
        self.file("workspace.key")
    }

    /// The keys of sealed payloads and the pseudonyms.
    #[must_use]
    pub fn payload_keys(&self) -> PathBuf {
        self.file("payloads.keys")
    }

    /// The key that signs checkpoints.
    #[must_use]
    pub fn ledger_key(&self) -> PathBuf {
        self.file("ledger.key")
    }

    /// The public half of it, in the C2SP text form: what an auditor pins.
    #[must_use]
    pub fn ledger_verifier(&self) -> PathBuf {
        self.file("ledger.vkey")
    }

    /// The folder itself.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

fn id_of(workspace: &Path) -> Result<String, HomeError> {
    let file = workspace.join(ID_FILE);
    let id = match std::fs::read_to_string(&file) {
        Ok(text) => text.trim().to_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(HomeError::NoWorkspace { folder: workspace.to_path_buf() });
        }
        Err(source) => return Err(HomeError::Io { deed: "read", path: file, source }),
    };
    // The id becomes a folder's name: nothing but digits may stand in it.
    if id.len() != ID_HEX || !id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        return Err(HomeError::BadId { file });
    }
    Ok(id)
}

/// Where the key file of a person belongs: beside the homes of workspaces, one for all of them.
///
/// # Errors
/// [`HomeError::NoHome`].
pub fn person_key(person: &str) -> Result<PathBuf, HomeError> {
    Ok(base_folder().ok_or(HomeError::NoHome)?.join("keys").join(format!("{person}.key")))
}

fn base_folder() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    set("SLUICE_HOME")
        .or_else(|| set("XDG_CONFIG_HOME").map(|p| p.join("sluice")))
        .or_else(|| set("HOME").map(|p| p.join(".config/sluice")))
}

/// A folder that only its owner may enter.
fn make_folder(path: &Path) -> Result<(), HomeError> {
    let made = std::fs::create_dir_all(path).and_then(|()| restrict(path, 0o700));
    made.map_err(|source| HomeError::Io { deed: "make the folder", path: path.to_path_buf(), source })
}

/// A new file that only its owner may read. Never replaces one.
///
/// # Errors
/// [`HomeError::Io`] if it exists or cannot be written.
pub fn write_new(path: &Path, content: &[u8]) -> Result<(), HomeError> {
    let write = || {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().map_err(|source| HomeError::Io { deed: "write", path: path.to_path_buf(), source })
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> io::Result<()> {
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))
}

#[cfg(not(unix))]
fn restrict(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}
