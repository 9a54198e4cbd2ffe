//! A file whose text is replaced: at once or not at all, and only if it is what was read.

use std::fs::{Metadata, Permissions};
use std::io::{self, Write as _};
use std::path::Path;

use sluice_core::limits::IMPORT_BYTES_MAX;

use crate::commands::check::rulebook::folder_of;
use crate::place::read_up_to;

/// A file that may be replaced.
pub(super) struct Target<'a> {
    path: &'a Path,
    /// What was read from it.
    before: &'a str,
    permissions: Permissions,
}

impl<'a> Target<'a> {
    /// An ordinary file of this text that its owner may write, under one name.
    ///
    /// # Errors
    /// Why it is not replaced, and what to do.
    pub(super) fn of(path: &'a Path, before: &'a str) -> Result<Self, String> {
        let about = path.symlink_metadata().map_err(|error| cannot(&error))?;
        if about.is_symlink() {
            return Err("it is a symbolic link; name the file that it leads to".to_owned());
        }
        if !about.is_file() {
            return Err("it is no ordinary file".to_owned());
        }
        if about.permissions().readonly() {
            return Err("it may only be read; allow it to be written first".to_owned());
        }
        if has_other_names(&about) {
            return Err(
                "it has a second name (a hard link), which would keep the old text; change it by hand".to_owned()
            );
        }
        let now =
            read_up_to(path, "workflow", IMPORT_BYTES_MAX as u64).map_err(|failure| failure.message().to_owned())?;
        if now != before.as_bytes() {
            return Err("it has changed since it was read; check again".to_owned());
        }
        Ok(Self { path, before, permissions: about.permissions() })
    }

    /// Writes a new file beside it and gives that its name and its permissions.
    ///
    /// # Errors
    /// Why not; then it is what it was.
    pub(super) fn replace(self, text: &str) -> Result<(), String> {
        let folder = folder_of(self.path).map_err(|failure| failure.message().to_owned())?;
        let write = || -> io::Result<tempfile::NamedTempFile> {
            let mut file = tempfile::Builder::new().prefix(".sluice-fix-").tempfile_in(&folder)?;
            file.write_all(text.as_bytes())?;
            file.as_file().set_permissions(self.permissions.clone())?;
            file.as_file().sync_all()?;
            Ok(file)
        };
        let file = write().map_err(|error| cannot(&error))?;
        // Somebody may have saved it while the new text was checked and written.
        Self::of(self.path, self.before)?;
        file.persist(self.path).map(drop).map_err(|error| cannot(&error.error))
    }
}

fn cannot(error: &io::Error) -> String {
    format!("it cannot be written: {error}")
}

#[cfg(unix)]
fn has_other_names(about: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(about) > 1
}

#[cfg(not(unix))]
const fn has_other_names(_: &Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn a_file_that_changed_since_it_was_read_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("e.json");
        let changed = "it has changed since it was read; check again";
        std::fs::write(&file, "now").unwrap();
        assert_eq!(Target::of(&file, "before").err().as_deref(), Some(changed));
        let target = Target::of(&file, "now").unwrap();
        std::fs::write(&file, "saved meanwhile").unwrap();
        assert_eq!(target.replace("mended").err().as_deref(), Some(changed));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "saved meanwhile");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no other file is left beside it");
    }
}
