//! The file transport: CSV and JSON Lines in one declared folder.
//!
//! The folder is opened once as a directory handle, and every path is opened relative to it (`cap-std`): a `..`, an absolute
//! path or a symbolic link cannot lead out, whatever is moved meanwhile. Paths come from the contract; an argument may
//! fill a hole in a file's name with letters, digits, `-`, `_` and `.`, and with nothing that begins with a dot.
//!
//! - **write** puts a whole file in place: a new file beside it, `fsync`, rename, `fsync` of the folder. A reader sees the
//!   old file or the new one, and doing it again changes nothing: it is naturally idempotent.
//! - **append** adds rows once per effect key: see [`append`](self) in `files/append.rs`.
//! - **read** gives a list of objects.
//!
//! In CSV a text that a spreadsheet would run as a formula (`=`, `+`, `-`, `@` first) gets a leading apostrophe, unless the
//! contract says [`Formulas::Keep`]: an outsider's words must not become a program in the reader's hands.

mod append;
mod error;
mod format;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};
use serde_json::{Value, json};

pub use self::error::FilesError;
pub use self::format::{Format, Formulas};
use crate::{ConnectorError, Outcome, Prepared};

/// Longest text that fills a hole of a path.
const HOLE_BYTES_MAX: usize = 100;

/// What an action does with its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Gives the rows of a file.
    Read,
    /// Puts a whole file in place of an earlier one; the argument `rows` is its content.
    Write,
    /// Adds the argument `rows` to a file.
    Append,
}

/// One action on files, from its contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilesAction {
    /// What it does.
    pub deed: Deed,
    /// The file, such as `reports/{month}.csv`; each hole is an argument.
    pub path: String,
    /// How its rows are written.
    pub format: Format,
    /// The largest file that is read, and the largest that is made.
    pub bytes_max: usize,
    /// Most rows of a file.
    pub rows_max: usize,
}

/// A folder and what may be done in it.
#[derive(Debug)]
pub struct FilesConnector {
    folder: Dir,
    actions: BTreeMap<String, FilesAction>,
}

impl FilesConnector {
    /// Opens a folder, once: what is later put in its place is not followed.
    ///
    /// # Errors
    /// [`FilesError::Io`] if it is not a folder that can be opened, [`FilesError::Contract`] if an action's path is not one
    /// below it.
    pub fn open(folder: &Path, actions: BTreeMap<String, FilesAction>) -> Result<Self, FilesError> {
        let folder = Dir::open_ambient_dir(folder, ambient_authority()).map_err(FilesError::io("open the folder"))?;
        for action in actions.values() {
            check_template(&action.path)?;
        }
        Ok(Self { folder, actions })
    }

    /// Performs one call. Blocks.
    #[must_use]
    pub fn call(&self, call: &Prepared) -> Outcome {
        let Some(action) = self.actions.get(&call.action) else {
            return Outcome::NotSent { why: call.unknown_action() };
        };
        match self.perform(action, call) {
            Ok(value) => Outcome::Reply { status: None, value },
            Err(why @ FilesError::Unsettled { .. }) => Outcome::InDoubt { why: why.into() },
            Err(why) => Outcome::NotSent { why: ConnectorError::from(why) },
        }
    }

    fn perform(&self, action: &FilesAction, call: &Prepared) -> Result<Value, FilesError> {
        let path = fill(action, &call.arguments)?;
        match action.deed {
            Deed::Read => {
                let bytes = self.read(&path, action)?.ok_or(FilesError::Missing { path })?;
                action.format.parse(&bytes, action.rows_max).map(Value::Array)
            }
            Deed::Write => {
                let rows = rows(&call.arguments, action)?;
                let bytes = action.format.to_bytes(rows, true)?;
                self.replace(&path, &bytes, action)?;
                Ok(json!({ "rows": rows.len(), "bytes": bytes.len() }))
            }
            Deed::Append => append::append(self, &path, action, rows(&call.arguments, action)?, &call.idempotency_key),
        }
    }

    /// The bytes of a file, or `None` if there is none.
    fn read(&self, path: &str, action: &FilesAction) -> Result<Option<Vec<u8>>, FilesError> {
        // Before it is opened: opening a pipe would wait for whoever writes into it.
        match self.folder.metadata(path) {
            Ok(about) if about.is_file() => {}
            Ok(_) => return Err(FilesError::NotAFile { path: path.to_owned() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(FilesError::io("open the file")(error)),
        }
        let file = self.folder.open(path).map_err(FilesError::io("open the file"))?;
        let bytes_max = action.bytes_max;
        let mut bytes = Vec::new();
        let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
        file.take(limit).read_to_end(&mut bytes).map_err(FilesError::io("read the file"))?;
        if bytes.len() > bytes_max { Err(FilesError::Bytes { bytes_max }) } else { Ok(Some(bytes)) }
    }

    fn replace(&self, path: &str, bytes: &[u8], action: &FilesAction) -> Result<(), FilesError> {
        if bytes.len() > action.bytes_max {
            return Err(FilesError::Bytes { bytes_max: action.bytes_max });
        }
        let (parent, name) = self.parent(path)?;
        let mut random = [0; 8];
        getrandom::fill(&mut random)
            .map_err(|error| FilesError::io("name a new file")(io::Error::other(error.to_string())))?;
        let next = format!(".{name}.{:016x}", u64::from_be_bytes(random));
        let written = (|| {
            let mut file = parent.open_with(&next, OpenOptions::new().write(true).create_new(true))?;
            file.write_all(bytes)?;
            file.sync_all()?;
            parent.rename(&next, &parent, name)
        })();
        if let Err(error) = written {
            // Left behind it would only lie there, hidden; that it cannot be removed changes nothing for the caller.
            let _ = parent.remove_file(&next);
            return Err(FilesError::io("write the file")(error));
        }
        // The new file is in place; only a power cut could still bring the old one back.
        sync_folder(&parent).map_err(|source| FilesError::Unsettled { source })
    }

    fn parent<'a>(&self, path: &'a str) -> Result<(Dir, &'a str), FilesError> {
        let (folder, name) = path.rsplit_once('/').unwrap_or((".", path));
        let parent = self.folder.open_dir(folder).map_err(FilesError::io("open the file's folder"))?;
        Ok((parent, name))
    }
}

fn sync_folder(folder: &Dir) -> io::Result<()> {
    folder.open(".")?.sync_all()
}

/// A contract's path: relative, of plain segments, with holes.
fn check_template(path: &str) -> Result<(), FilesError> {
    let sample: String = pieces(path).map(|piece| piece.unwrap_or("x")).collect();
    if sample.split('/').all(is_name) && !sample.contains(['{', '}']) {
        Ok(())
    } else {
        Err(FilesError::Contract { path: path.to_owned() })
    }
}

/// The path's literal pieces (`Some`) and holes (`None`), in turn.
fn pieces(path: &str) -> impl Iterator<Item = Option<&str>> {
    path.split('{').enumerate().flat_map(|(at, part)| match (at, part.split_once('}')) {
        (0, _) => [Some(part), Some("")],
        (_, Some((_, rest))) => [None, Some(rest)],
        // An open hole is shown to `check_template` as the brace that it is.
        (_, None) => [Some("{"), Some(part)],
    })
}

fn holes(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name)
}

/// A segment that no system reads as anything but a name. A leading dot is ours: new files and keys.
fn is_name(segment: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_. ".contains(&b);
    !segment.is_empty() && !segment.starts_with('.') && segment.bytes().all(is_plain)
}

/// Fills the holes of the path; every argument must be one of them, or `rows`.
fn fill(action: &FilesAction, arguments: &Value) -> Result<String, FilesError> {
    let refuse = |name: &str, why| FilesError::Argument { name: name.to_owned(), why };
    let Value::Object(given) = arguments else { return Err(refuse("arguments", "are not an object")) };
    let names: BTreeSet<&str> = holes(&action.path).collect();
    let is_known = |name: &str| names.contains(name) || (action.deed != Deed::Read && name == "rows");
    if let Some(name) = given.keys().find(|name| !is_known(name)) {
        return Err(refuse(name, "is not one of this action"));
    }
    let mut path = action.path.clone();
    for name in names {
        let value = given.get(name).ok_or_else(|| refuse(name, "is missing"))?;
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return Err(refuse(name, "is not a text or a number")),
        };
        if text.len() > HOLE_BYTES_MAX || !is_name(&text) {
            return Err(refuse(name, "is not part of a file's name: letters, digits, `-`, `_` and inner dots"));
        }
        path = path.replace(&format!("{{{name}}}"), &text);
    }
    Ok(path)
}

fn rows<'a>(arguments: &'a Value, action: &FilesAction) -> Result<&'a [Value], FilesError> {
    let refuse = |why| FilesError::Argument { name: "rows".to_owned(), why };
    let rows = arguments.get("rows").ok_or_else(|| refuse("is missing"))?;
    let rows = rows.as_array().ok_or_else(|| refuse("is not a list"))?;
    if rows.len() > action.rows_max { Err(FilesError::Rows { rows_max: action.rows_max }) } else { Ok(rows) }
}
