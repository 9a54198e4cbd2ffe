//! Opening a file of ours: telling apart missing, foreign, cut and newer ones before SQLite is asked.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::error::{File, StoreError};

/// Whether a file is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It must not be there yet.
    Create,
    /// It must be there.
    Existing,
}

/// Whether a commit waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sync {
    /// A commit is on the disk when it returns.
    Full,
    /// A commit survives the end of the process, but not of the machine: for simulations only.
    None,
}

/// What a database of ours is called, and how it is laid out.
pub(crate) struct Layout {
    /// `the ledger` or `the key file`.
    pub(crate) what: &'static str,
    /// Tells our files from everybody else's (`PRAGMA application_id`).
    pub(crate) application_id: i64,
    /// The layout that is read and written here (`PRAGMA user_version`).
    pub(crate) version: i64,
    pub(crate) tables: &'static str,
    /// To find rows by. What a file of an older program lacks is made when it is opened for writing.
    pub(crate) indexes: &'static str,
}

/// How long another process may hold the file before we give up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// The WAL is written back into the database after so many pages: often enough to stay small,
/// seldom enough not to be felt in each commit.
const WAL_PAGES: u32 = 4_000;

const SQLITE_HEADER: &[u8; 16] = b"SQLite format 3\0";

pub(crate) fn open(
    path: &Path,
    layout: &Layout,
    mode: Mode,
    sync: Sync,
    first_rows: impl FnOnce(&Connection) -> rusqlite::Result<()>,
) -> Result<(Connection, File), StoreError> {
    let file = File { path: path.to_path_buf(), what: layout.what };
    match mode {
        Mode::Create => make_private(&file)?,
        Mode::Existing => check_existing(&file)?,
    }
    let conn = connect(&file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    if mode == Mode::Create {
        create(&conn, &file, layout, sync, first_rows)?;
    } else {
        check_layout(&conn, &file, layout)?;
    }
    conn.execute_batch(layout.indexes).map_err(file.deed("set up"))?;
    let level = match sync {
        Sync::Full => "FULL",
        Sync::None => "OFF",
    };
    conn.pragma_update(None, "synchronous", level)
        .and_then(|()| conn.pragma_update(None, "wal_autocheckpoint", WAL_PAGES))
        .map_err(file.deed("set up"))?;
    Ok((conn, file))
}

/// Opens for reading only: an auditor's look changes no byte.
pub(crate) fn open_for_reading(path: &Path, layout: &Layout) -> Result<(Connection, File), StoreError> {
    let file = File { path: path.to_path_buf(), what: layout.what };
    check_existing(&file)?;
    let conn = connect(&file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    check_layout(&conn, &file, layout)?;
    Ok((conn, file))
}

fn connect(file: &File, access: OpenFlags) -> Result<Connection, StoreError> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(&file.path, flags).map_err(file.deed("open"))?;
    conn.busy_timeout(BUSY_TIMEOUT)
        .and_then(|()| conn.pragma_update(None, "foreign_keys", true))
        // A file that somebody prepared must not run functions through its schema.
        .and_then(|()| conn.pragma_update(None, "trusted_schema", false))
        // Without it a statement is compiled anew whenever the first value it is asked with differs from the last.
        .and_then(|()| conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop))
        .map_err(file.deed("open"))?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}

/// Makes an empty file that only its owner can read, before SQLite writes a byte into it.
fn make_private(file: &File) -> Result<(), StoreError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(&file.path).map(drop).map_err(|error| file.io("create", &error))?;
    let is_new = size_of(file)? == 0;
    // A crash may have come between the file and its tables: such a file is still to be made.
    if is_new || (has_header(file)? && is_blank(file)?) {
        Ok(())
    } else {
        Err(StoreError::Exists { path: file.path.clone() })
    }
}

fn is_blank(file: &File) -> Result<bool, StoreError> {
    let conn = connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    conn.query_row("SELECT count(*) = 0 FROM sqlite_schema", (), |row| row.get(0)).map_err(file.deed("open"))
}

fn check_existing(file: &File) -> Result<(), StoreError> {
    if !file.path.exists() {
        return Err(StoreError::NoFile { path: file.path.clone(), what: file.what });
    }
    if size_of(file)? == 0 {
        return Err(file.damaged("it is empty"));
    }
    if !has_header(file)? {
        return Err(StoreError::Foreign { path: file.path.clone(), what: file.what });
    }
    check_length(file)
}

fn size_of(file: &File) -> Result<u64, StoreError> {
    fs::metadata(&file.path).map(|metadata| metadata.len()).map_err(|error| file.io("read", &error))
}

fn header<const N: usize>(file: &File) -> Result<Option<[u8; N]>, StoreError> {
    let mut bytes = [0; N];
    let opened = fs::File::open(&file.path).map_err(|error| file.io("read", &error))?;
    let mut read = opened.take(N as u64);
    let mut whole = Vec::new();
    read.read_to_end(&mut whole).map_err(|error| file.io("read", &error))?;
    if whole.len() < N {
        return Ok(None);
    }
    bytes.copy_from_slice(&whole);
    Ok(Some(bytes))
}

fn has_header(file: &File) -> Result<bool, StoreError> {
    Ok(header::<16>(file)?.is_some_and(|start| start == *SQLITE_HEADER))
}

/// Compares the file's length with what its header says.
///
/// A crash while the WAL is written back can leave a shorter file than its first page says, so a
/// file with a WAL beside it is left to SQLite, which completes it.
///
/// Source: the SQLite file format, §1.3.
fn check_length(file: &File) -> Result<(), StoreError> {
    let Some(header) = header::<100>(file)? else {
        return Err(file.damaged("it is cut short"));
    };
    let page_size = match (header.get(16), header.get(17)) {
        (Some(0), Some(1)) => 65_536,
        (Some(high), Some(low)) => u64::from(*high) << 8 | u64::from(*low),
        _ => 0,
    };
    let pages = header.get(28..32).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_be_bytes);
    let has_wal = fs::metadata(beside(&file.path, "-wal")).is_ok_and(|wal| wal.len() > 0);
    if !has_wal && size_of(file)? < page_size * u64::from(pages) {
        return Err(file.damaged("it is cut short"));
    }
    Ok(())
}

/// SQLite's own files beside a database.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn create(
    conn: &Connection,
    file: &File,
    layout: &Layout,
    sync: Sync,
    first_rows: impl FnOnce(&Connection) -> rusqlite::Result<()>,
) -> Result<(), StoreError> {
    let deed = file.deed("create");
    if sync == Sync::None {
        conn.pragma_update(None, "synchronous", "OFF").map_err(&deed)?;
    }
    conn.pragma_update(None, "journal_mode", "WAL").map_err(&deed)?;
    let tx = rusqlite::Transaction::new_unchecked(conn, TransactionBehavior::Immediate).map_err(&deed)?;
    if application_id(&tx).map_err(&deed)? != 0 {
        return Err(StoreError::Exists { path: file.path.clone() });
    }
    tx.execute_batch(layout.tables)
        .and_then(|()| first_rows(&tx))
        .and_then(|()| tx.pragma_update(None, "application_id", layout.application_id))
        .and_then(|()| tx.pragma_update(None, "user_version", layout.version))
        .and_then(|()| tx.commit())
        // From the first day on the file says by itself whose it is, without its WAL.
        .and_then(|()| conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())))
        .map_err(&deed)
}

fn application_id(conn: &Connection) -> rusqlite::Result<i64> {
    conn.query_row("PRAGMA application_id", (), |row| row.get(0))
}

fn check_layout(conn: &Connection, file: &File, layout: &Layout) -> Result<(), StoreError> {
    let deed = file.deed("open");
    if application_id(conn).map_err(&deed)? != layout.application_id {
        return Err(StoreError::Foreign { path: file.path.clone(), what: file.what });
    }
    let version: i64 = conn.query_row("PRAGMA user_version", (), |row| row.get(0)).map_err(&deed)?;
    if version != layout.version {
        return Err(StoreError::Layout { path: file.path.clone(), version });
    }
    Ok(())
}
