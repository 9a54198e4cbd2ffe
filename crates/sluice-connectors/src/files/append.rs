//! Adding rows to a file, once per effect key.
//!
//! Beside `name` lies `.name.keys`: one line per effect, `key start length sha256`, written and synced **before** the rows
//! are. It says where the rows of that effect are or were about to be. Asked for the same effect again, we look: if those
//! very bytes are there, it is done; if not, the earlier attempt did not get through, and it is done now. Rows that a
//! crash tore are cut off before anything else is added. So a crash at any point, followed by a repetition under the same
//! key, leaves the rows there exactly once.
//!
//! The file is meant to be changed through its connector alone: a person who moves bytes in it moves them away from where
//! their key says they are.

use std::io::{Read, Seek, SeekFrom, Write};

use cap_std::fs::{Dir, File, OpenOptions};
use serde_json::{Value, json};
use sluice_core::contract::Digest;

use super::{FilesAction, FilesConnector, FilesError, sync_folder};
use crate::IdempotencyKey;

/// Largest file of keys: some 300,000 effects on one file.
const KEYS_BYTES_MAX: u64 = 64 << 20;

/// Where the rows of one effect are.
struct Line {
    key: String,
    start: usize,
    length: usize,
    sha256: String,
}

pub(super) fn append(
    connector: &FilesConnector,
    path: &str,
    action: &FilesAction,
    rows: &[Value],
    key: &IdempotencyKey,
) -> Result<Value, FilesError> {
    let (parent, name) = connector.parent(path)?;
    let mut keys = Keys::open(&parent, name)?;
    let mut content = connector.read(path, action)?.unwrap_or_default();
    let done = |added: bool| Ok(json!({ "rows": rows.len(), "added": added }));

    if keys.is_done(key, &content) {
        return done(false);
    }
    let mut torn_at = None;
    if let Some(last) = keys.lines.last().filter(|last| !last.is_in(&content)) {
        // The last effect was not finished, and nothing was added since.
        torn_at = (last.start < content.len()).then_some(last.start);
    }
    content.truncate(torn_at.unwrap_or(content.len()));
    if !action.format.continues(&content) {
        // Rows under other names would read as the wrong columns.
        return Err(FilesError::Columns { path: path.to_owned() });
    }
    let mut added = action.format.to_bytes(rows, content.is_empty())?;
    if content.last().is_some_and(|last| *last != b'\n') {
        added.insert(0, b'\n');
    }
    if content.len() + added.len() > action.bytes_max {
        return Err(FilesError::Bytes { bytes_max: action.bytes_max });
    }
    keys.note(key, content.len(), &added)?;
    sync_folder(&parent).map_err(FilesError::io("write the keys"))?;

    let mut file = parent
        .open_with(name, OpenOptions::new().write(true).create(true).truncate(false))
        .map_err(FilesError::io("open the file"))?;
    let start = u64::try_from(content.len()).unwrap_or(u64::MAX);
    let written = (|| {
        file.set_len(start)?;
        file.seek(SeekFrom::Start(start))?;
        file.write_all(&added)?;
        file.sync_all()?;
        sync_folder(&parent)
    })();
    written.map_err(|source| FilesError::Unsettled { source })?;
    done(true)
}

impl Line {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        let (key, start, length, sha256) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let line =
            Self { key: key.into(), start: start.parse().ok()?, length: length.parse().ok()?, sha256: sha256.into() };
        parts.next().is_none().then_some(line)
    }

    fn is_in(&self, content: &[u8]) -> bool {
        let end = self.start.checked_add(self.length);
        let bytes = end.and_then(|end| content.get(self.start..end));
        bytes.is_some_and(|bytes| Digest::of(bytes).to_string() == self.sha256)
    }
}

/// The file of keys, locked against other processes for as long as it is open.
struct Keys {
    file: std::fs::File,
    lines: Vec<Line>,
}

impl Keys {
    fn open(parent: &Dir, name: &str) -> Result<Self, FilesError> {
        let io = FilesError::io;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let opened: File = parent.open_with(format!(".{name}.keys"), &options).map_err(io("open the keys"))?;
        let mut file = opened.into_std();
        file.lock().map_err(io("lock the keys"))?;
        let mut text = String::new();
        (&mut file).take(KEYS_BYTES_MAX).read_to_string(&mut text).map_err(io("read the keys"))?;
        // A line without its end was torn: the rows it speaks of were never begun.
        let whole = text.rfind('\n').map_or(0, |at| at + 1);
        file.set_len(u64::try_from(whole).unwrap_or(u64::MAX)).map_err(io("read the keys"))?;
        file.seek(SeekFrom::End(0)).map_err(io("read the keys"))?;
        let lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).map(Line::parse);
        let lines = lines.collect::<Option<Vec<_>>>().ok_or_else(|| {
            io("read the keys")(std::io::Error::new(std::io::ErrorKind::InvalidData, "a line is none of ours"))
        })?;
        Ok(Self { file, lines })
    }

    fn is_done(&self, key: &IdempotencyKey, content: &[u8]) -> bool {
        let key = key.to_string();
        let Some(at) = self.lines.iter().rposition(|line| line.key == key) else { return false };
        let Some((line, later)) = self.lines.get(at..).and_then(<[Line]>::split_first) else { return false };
        // An effect that began where this one did found nothing of it there, even if it wrote the very same bytes.
        line.is_in(content) && later.iter().all(|later| later.start >= line.start + line.length)
    }

    fn note(&mut self, key: &IdempotencyKey, start: usize, added: &[u8]) -> Result<(), FilesError> {
        let line = format!("{key} {start} {} {}\n", added.len(), Digest::of(added));
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_all());
        written.map_err(FilesError::io("write the keys"))
    }
}
