//! Which workspace a command is about, and what of it is open.

use std::path::{Path, PathBuf};

use sluice_core::contract::Principals;
use sluice_core::contract::key::SecretKey;
use sluice_core::contract::workspace::WORKSPACE_FILE;
use sluice_core::label::Name;
use sluice_policy::Acting;
use sluice_runtime::ledger::Ledger;
use sluice_runtime::workspace::Workspace;

use crate::cli::{Author, Place};
use crate::failure::Failure;
use crate::render::time::span;
use crate::render::{Page, Part, Tone};

/// Largest file that a command reads for a person: an input, a prompt, a reply.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// A workspace with its ledger.
pub struct Opened {
    /// Its signed rules.
    pub workspace: Workspace,
    /// Its log.
    pub ledger: Ledger,
}

impl Place {
    /// The workspace's folder: the named one, or the nearest upwards.
    ///
    /// # Errors
    /// [`Failure`] if there is none.
    pub fn folder(&self) -> Result<PathBuf, Failure> {
        if let Some(folder) = &self.workspace {
            return if folder.join(WORKSPACE_FILE).is_file() {
                Ok(folder.clone())
            } else {
                Err(Failure::usage(format!(
                    "`{}` is no workspace: it has no `{WORKSPACE_FILE}`; `sluice init` makes one",
                    folder.display()
                )))
            };
        }
        let here = std::env::current_dir().map_err(|error| Failure::internal(&error))?;
        upwards(&here).ok_or_else(|| {
            Failure::usage(format!(
                "there is no workspace in `{}` or above it; name one with --workspace, or make one with `sluice init`",
                here.display()
            ))
        })
    }

    /// The workspace, its signatures checked.
    ///
    /// # Errors
    /// [`Failure`] if there is none, or it cannot be trusted.
    pub fn open(&self) -> Result<Workspace, Failure> {
        Ok(Workspace::open(&self.folder()?)?)
    }

    /// The workspace and its ledger.
    ///
    /// # Errors
    /// As [`Place::open`]; or if the ledger or its keys are missing or damaged.
    pub fn open_with_ledger(&self) -> Result<Opened, Failure> {
        let workspace = self.open()?;
        let ledger = Ledger::open(workspace.folder(), workspace.home())?;
        say_behind(ledger.clock().is_behind_by_ms());
        Ok(Opened { workspace, ledger })
    }
}

/// The nearest folder upwards from `from` that holds a workspace.
#[must_use]
pub fn upwards(from: &Path) -> Option<PathBuf> {
    let from = from.canonicalize().ok()?;
    from.ancestors().find(|folder| folder.join(WORKSPACE_FILE).is_file()).map(Path::to_path_buf)
}

/// The nearest workspace above a file.
#[must_use]
pub fn folder_above(file: &Path) -> Option<PathBuf> {
    file.parent().map(|p| if p.as_os_str().is_empty() { Path::new(".") } else { p }).and_then(upwards)
}

/// A principal whom the register knows.
///
/// # Errors
/// [`Failure`] if it does not, with the nearest name.
pub fn known(principals: &Principals, id: &str) -> Result<Name, Failure> {
    if principals.kind(id).is_some() {
        return Ok(id.into());
    }
    let persons = principals.persons.entries.keys().chain(principals.services.entries.keys());
    let near = sluice_core::document::closest(id, persons.map(AsRef::as_ref));
    let near = near.map_or_else(String::new, |name| format!("; do you mean `{name}`?"));
    Err(Failure::usage(format!("`{id}` is not in `registers/principals.yaml`{near}")))
}

impl Author {
    /// Who wrote it, as gates are asked: a person or model of the register, or nobody said.
    ///
    /// # Errors
    /// [`Failure`] if the register does not know them.
    pub fn acting(&self, principals: &Principals) -> Result<Acting, Failure> {
        let unknown =
            |id: &str, what: &str| Failure::usage(format!("`{id}` is no {what} of `registers/principals.yaml`"));
        match (&self.author, &self.model) {
            (Some(id), _) if principals.persons.entries.contains_key(id.as_str()) => {
                Ok(Acting::Person { id: id.as_str().into() })
            }
            (Some(id), _) => Err(unknown(id, "person")),
            (None, Some(id)) if principals.models.entries.contains_key(id.as_str()) => {
                Ok(Acting::Model { id: id.as_str().into() })
            }
            (None, Some(id)) => Err(unknown(id, "model")),
            (None, None) => Ok(Acting::Unknown),
        }
    }
}

/// The key of `person` in `file`.
///
/// # Errors
/// [`Failure`] if the file is missing, no key, or somebody else's.
pub fn key_of(person: &str, file: &Path) -> Result<SecretKey, Failure> {
    let text = String::from_utf8(read(file, "key file")?).unwrap_or_default();
    let key = SecretKey::from_line(text.trim())
        .map_err(|error| Failure::usage(format!("{}: `{}`: {error}", error.code(), file.display())))?;
    if key.name().as_ref() == person {
        Ok(key)
    } else {
        Err(Failure::usage(format!("`{}` is the key of `{}`, not of `{person}`", file.display(), key.name())))
    }
}

/// A file that a person named, of bounded size.
///
/// # Errors
/// [`Failure`] if it cannot be read or is too large.
pub fn read(file: &Path, what: &str) -> Result<Vec<u8>, Failure> {
    read_up_to(file, what, FILE_BYTES_MAX).and_then(|bytes| {
        if bytes.len() as u64 > FILE_BYTES_MAX {
            let message = format!("the {what} `{}` is larger than {FILE_BYTES_MAX} bytes", file.display());
            return Err(Failure::usage(message));
        }
        Ok(bytes)
    })
}

/// A file's first bytes: all of it, or one more than `max`.
///
/// # Errors
/// [`Failure`] if it cannot be read.
pub fn read_up_to(file: &Path, what: &str, max: u64) -> Result<Vec<u8>, Failure> {
    use std::io::Read as _;
    let cannot = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::usage(format!("the {what} `{}` is missing", file.display())),
        _ => Failure::usage(format!("cannot read the {what} `{}`: {error}", file.display())),
    };
    // A folder opens on some systems and fails only when it is read.
    let opened = std::fs::File::open(file).map_err(cannot)?;
    // As much as it has now, and one more to see its end; what it says of itself may be wrong.
    let has = opened.metadata().map_or(0, |about| about.len()).min(max).saturating_add(1);
    let mut bytes = Vec::with_capacity(usize::try_from(has).unwrap_or_default());
    opened.take(max.saturating_add(1)).read_to_end(&mut bytes).map_err(cannot)?;
    Ok(bytes)
}

/// Says that the machine's clock jumped back, on the standard error: results stay what programs read.
fn say_behind(by_ms: u64) {
    // Two processes of one machine may write a little out of order.
    const TOLERATED_MS: u64 = 1_000;
    if by_ms <= TOLERATED_MS {
        return;
    }
    let words = format!(
        "this machine's clock is {} behind the ledger's latest entry. until it has caught up, entries get that entry's time, and what expired stays expired",
        span(by_ms)
    );
    let mut page = Page::of_stderr();
    page.hang([Part::new("note: ", Tone::Warn)], &[Part::plain(words)]);
    page.print_error();
}

/// Says that one person governs here, where that is so.
pub fn say_solo(page: &mut Page, is_solo: bool) {
    if is_solo {
        let words = "solo workspace: one person alone may change its rules";
        page.hang(Vec::<Part>::new(), &[Part::new(words, Tone::Faint)]);
    }
}
