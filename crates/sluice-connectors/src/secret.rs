//! Secrets: a value that cannot be printed, and the sealed file that holds them.
//!
//! `secrets.sealed` is readable by anyone and useless without the workspace's key, which is kept outside the workspace
//! folder. Every secret is sealed on its own (XChaCha20-Poly1305, a fresh random nonce each time) with the store's id and
//! its own name as associated data, so that no entry can be moved to another name or another store; a seal over the whole
//! file makes leaving one out, or putting an old one back, as visible as changing one. Going back to an old copy of the
//! *whole* file is not detected here: that takes a memory outside the file.
//!
//! ```text
//! file   = "sluice secrets" version:u8 id:[16] check:[16] count:u32be entry* nonce:[24] seal:[16]
//! entry  = name_len:u8 name nonce:[24] sealed_len:u32be sealed
//! check  = seal of nothing, zero nonce, with "check" and id     says "another key" apart from "changed"
//! seal   = seal of nothing with "file" and everything before the nonce
//! key    = HKDF-SHA-256 of the workspace's key, info "sluice secrets v1"
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sluice_core::diagnostic::Code;
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

/// Longest secret: a private key with its chain fits.
pub const SECRET_BYTES_MAX: usize = 64 << 10;
/// Longest name of a secret.
pub const NAME_BYTES_MAX: usize = 128;
/// Most secrets in one store.
pub const SECRETS_MAX: usize = 4096;

const MAGIC: &[u8] = b"sluice secrets";
const VERSION: u8 = 1;
const KEY_BYTES: usize = 32;
const ID_BYTES: usize = 16;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
const STORE_BYTES_MAX: u64 = 64 << 20;

/// A value that only a connector can read, at the moment of a call.
///
/// It has no way to be shown, compared or serialised: what prints it prints `[secret]`. Its memory is wiped when it goes.
/// The copies that the network library makes on the way out are not.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes a value over.
    #[must_use]
    pub fn new(value: Vec<u8>) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The value. Not public: only a connector of this crate opens a secret.
    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// The key that seals a workspace's secrets: 32 random bytes in a file outside the workspace folder.
pub struct WorkspaceKey(Zeroizing<[u8; KEY_BYTES]>);

impl fmt::Debug for WorkspaceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[workspace key]")
    }
}

impl WorkspaceKey {
    /// A key from bytes that the caller has kept safe.
    #[must_use]
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Makes a new key file, readable by its owner alone. An existing file is never overwritten.
    ///
    /// # Errors
    /// [`SecretError::Io`] if the file exists or cannot be written.
    pub fn create(path: &Path) -> Result<Self, SecretError> {
        let key = Self(Zeroizing::new(random("make a key")?));
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(SecretError::io("create the key file"))?;
        file.write_all(key.0.as_slice())
            .and_then(|()| file.sync_all())
            .map_err(SecretError::io("write the key file"))?;
        Ok(key)
    }

    /// Reads a key file: exactly 32 bytes, a regular file, readable by its owner alone, and not inside `workspace`, from
    /// where it would travel with every copy of what it protects.
    ///
    /// # Errors
    /// [`SecretError::KeyFile`] says which of these does not hold; [`SecretError::Io`] if it cannot be read.
    pub fn read(path: &Path, workspace: &Path) -> Result<Self, SecretError> {
        let fault = |why| SecretError::KeyFile { path: path.display().to_string(), why };
        let mut file = File::open(path).map_err(SecretError::io("open the key file"))?;
        let about = file.metadata().map_err(SecretError::io("read the key file"))?;
        if !about.is_file() {
            return Err(fault("it is not a regular file"));
        }
        if about.mode() & 0o077 != 0 {
            return Err(fault("others than its owner may read or write it"));
        }
        let real = |path: &Path| path.canonicalize().map_err(SecretError::io("find the key file"));
        if real(path)?.starts_with(real(workspace)?) {
            return Err(fault("it is inside the workspace folder"));
        }
        if about.len() != KEY_BYTES as u64 {
            return Err(fault("it is not 32 bytes long"));
        }
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        file.read_exact(bytes.as_mut_slice()).map_err(SecretError::io("read the key file"))?;
        Ok(Self(bytes))
    }

    /// One key per use: what seals secrets seals nothing else.
    fn cipher(&self) -> Result<XChaCha20Poly1305, SecretError> {
        let mut derived = Zeroizing::new([0; KEY_BYTES]);
        hkdf::Hkdf::<sha2::Sha256>::new(None, self.0.as_slice())
            .expand(b"sluice secrets v1", derived.as_mut_slice())
            .map_err(|_| SecretError::Seal)?;
        XChaCha20Poly1305::new_from_slice(derived.as_slice()).map_err(|_| SecretError::Seal)
    }
}

/// Why a secret was not opened or kept. No variant carries a value.
#[derive(Debug, Error)]
pub enum SecretError {
    /// SL750.
    #[error("cannot use the key file `{path}`: {why}")]
    KeyFile {
        /// The file.
        path: String,
        /// What does not hold.
        why: &'static str,
    },
    /// SL751.
    #[error("the secret store `{path}` was sealed with another key")]
    WrongKey {
        /// The store.
        path: String,
    },
    /// SL752.
    #[error("the secret store `{path}` was changed, cut short or put together from others")]
    Damaged {
        /// The store.
        path: String,
    },
    /// SL753.
    #[error("`{path}` is not a secret store of version {VERSION}")]
    Foreign {
        /// The store.
        path: String,
    },
    /// SL754.
    #[error("there is no secret `{name}`")]
    Unknown {
        /// The name that was asked for.
        name: String,
    },
    /// SL755.
    #[error("`{name}` is no name for a secret")]
    Name {
        /// The name that was given.
        name: String,
    },
    /// SL756.
    #[error("the secret `{name}` is empty, longer than {SECRET_BYTES_MAX} bytes, or one more than {SECRETS_MAX}")]
    Bound {
        /// Its name.
        name: String,
    },
    /// SL757.
    #[error("cannot {deed}: {source}")]
    Io {
        /// What was being done.
        deed: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// SL758.
    #[error("cannot seal the secret store")]
    Seal,
}

impl SecretError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        Code(match self {
            Self::KeyFile { .. } => 750,
            Self::WrongKey { .. } => 751,
            Self::Damaged { .. } => 752,
            Self::Foreign { .. } => 753,
            Self::Unknown { .. } => 754,
            Self::Name { .. } => 755,
            Self::Bound { .. } => 756,
            Self::Io { .. } => 757,
            Self::Seal => 758,
        })
    }

    /// What to do.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::KeyFile { .. } => "keep the 32-byte key file outside the workspace and give it mode 0600",
            Self::WrongKey { .. } => "give the key file that this workspace was made with",
            Self::Damaged { .. } => "put a good copy of the file back, or remove it and set the secrets again",
            Self::Foreign { .. } => "check the path, and that the file was not made by a newer version",
            Self::Unknown { .. } => "`sluice secret list` shows the names; `sluice secret set` adds one",
            Self::Name { .. } => "use lower-case letters, digits, `.`, `_` and `-`, at most 128 of them",
            Self::Bound { .. } => "keep large material in a file or a vault, and its access token here",
            Self::Io { .. } => "check that the file exists and who may read and write it",
            Self::Seal => "this should not happen; please report it",
        }
    }

    fn io(deed: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { deed, source }
    }
}

/// The sealed file of one workspace.
#[derive(Debug)]
pub struct SecretStore {
    path: PathBuf,
    key: WorkspaceKey,
}

impl SecretStore {
    /// The store at `path`; a file that does not exist yet is an empty store.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, key: WorkspaceKey) -> Self {
        Self { path: path.into(), key }
    }

    /// The names, sorted. Values stay sealed, but the file's seal is checked.
    ///
    /// # Errors
    /// [`SecretError`] if the file is not a whole store sealed with this key.
    pub fn list(&self) -> Result<Vec<String>, SecretError> {
        Ok(self.read()?.map(|sealed| sealed.entries.into_keys().collect()).unwrap_or_default())
    }

    /// Opens one secret.
    ///
    /// # Errors
    /// [`SecretError::Unknown`] if there is none of this name, others if the file is not a whole store of this key.
    pub fn open(&self, name: &str) -> Result<Secret, SecretError> {
        let unknown = || SecretError::Unknown { name: name.to_owned() };
        let sealed = self.read()?.ok_or_else(unknown)?;
        let entry = sealed.entries.get(name).ok_or_else(unknown)?;
        let payload = Payload { msg: &entry.sealed, aad: &entry_data(&sealed.id, name) };
        let value = self.key.cipher()?.decrypt(&XNonce::from(entry.nonce), payload).map_err(|_| self.damaged())?;
        Ok(Secret::new(value))
    }

    /// Keeps a secret, in place of an earlier one of the same name. The file is replaced in one step.
    ///
    /// # Errors
    /// [`SecretError::Name`], [`SecretError::Bound`], or why the file could not be read or replaced.
    pub fn set(&self, name: &str, secret: &Secret) -> Result<(), SecretError> {
        let is_name = !name.is_empty()
            && name.len() <= NAME_BYTES_MAX
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b));
        if !is_name {
            return Err(SecretError::Name { name: name.to_owned() });
        }
        let _lock = self.lock()?;
        let mut store = match self.read()? {
            Some(store) => store,
            None => Sealed { id: random("make a store")?, entries: BTreeMap::new() },
        };
        let is_new = !store.entries.contains_key(name);
        let length = secret.expose().len();
        if length == 0 || length > SECRET_BYTES_MAX || (is_new && store.entries.len() >= SECRETS_MAX) {
            return Err(SecretError::Bound { name: name.to_owned() });
        }
        let nonce = random("seal a secret")?;
        let payload = Payload { msg: secret.expose(), aad: &entry_data(&store.id, name) };
        let sealed = self.key.cipher()?.encrypt(&XNonce::from(nonce), payload).map_err(|_| SecretError::Seal)?;
        store.entries.insert(name.to_owned(), Entry { nonce, sealed });
        self.replace(&store)
    }

    /// Forgets a secret.
    ///
    /// # Errors
    /// [`SecretError::Unknown`] if there is none of this name, or why the file could not be read or replaced.
    pub fn remove(&self, name: &str) -> Result<(), SecretError> {
        let unknown = || SecretError::Unknown { name: name.to_owned() };
        let _lock = self.lock()?;
        let mut store = self.read()?.ok_or_else(unknown)?;
        store.entries.remove(name).ok_or_else(unknown)?;
        self.replace(&store)
    }

    fn damaged(&self) -> SecretError {
        SecretError::Damaged { path: self.path.display().to_string() }
    }

    /// Two processes that set secrets at once would each write the store without the other's.
    fn lock(&self) -> Result<File, SecretError> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(self.beside("lock"))
            .map_err(SecretError::io("lock the secret store"))?;
        file.lock().map_err(SecretError::io("lock the secret store"))?;
        Ok(file)
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".");
        name.push(suffix);
        PathBuf::from(name)
    }

    fn read(&self) -> Result<Option<Sealed>, SecretError> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(SecretError::io("open the secret store")(error)),
        };
        let mut bytes = Vec::new();
        file.take(STORE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(SecretError::io("read the secret store"))?;
        let foreign = || SecretError::Foreign { path: self.path.display().to_string() };
        let mut rest = bytes.strip_prefix(MAGIC).and_then(|rest| rest.strip_prefix(&[VERSION])).ok_or_else(foreign)?;
        let head = (|| Some((take::<ID_BYTES>(&mut rest)?, take::<TAG_BYTES>(&mut rest)?)))();
        let (id, check) = head.ok_or_else(|| self.damaged())?;
        let cipher = self.key.cipher()?;
        if cipher.decrypt(&XNonce::default(), Payload { msg: &check, aad: &check_data(&id) }).is_err() {
            return Err(SecretError::WrongKey { path: self.path.display().to_string() });
        }
        let (body, nonce, seal) = split_seal(&bytes).ok_or_else(|| self.damaged())?;
        let payload = Payload { msg: &seal, aad: &file_data(body) };
        cipher.decrypt(&XNonce::from(nonce), payload).map_err(|_| self.damaged())?;
        let entries = parse_entries(rest).ok_or_else(|| self.damaged())?;
        Ok(Some(Sealed { id, entries }))
    }

    fn replace(&self, store: &Sealed) -> Result<(), SecretError> {
        let bytes = store.to_bytes(&self.key.cipher()?)?;
        let next = self.beside("next");
        let write = || {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&next)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            std::fs::rename(&next, &self.path)?;
            // Without this, a power cut may bring the old file back after we said that the new one is kept.
            let folder = self.path.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
            File::open(folder)?.sync_all()
        };
        write().map_err(SecretError::io("replace the secret store"))
    }
}

/// A store as read: names in clear, values still sealed.
struct Sealed {
    id: [u8; ID_BYTES],
    entries: BTreeMap<String, Entry>,
}

struct Entry {
    nonce: [u8; NONCE_BYTES],
    sealed: Vec<u8>,
}

impl Sealed {
    fn to_bytes(&self, cipher: &XChaCha20Poly1305) -> Result<Vec<u8>, SecretError> {
        let seal_nothing = |nonce: &XNonce, aad: &[u8]| {
            cipher.encrypt(nonce, Payload { msg: &[], aad }).map_err(|_| SecretError::Seal)
        };
        let mut bytes = [MAGIC, &[VERSION], &self.id].concat();
        bytes.extend(seal_nothing(&XNonce::default(), &check_data(&self.id))?);
        bytes.extend(length(self.entries.len())?);
        for (name, entry) in &self.entries {
            bytes.push(u8::try_from(name.len()).map_err(|_| SecretError::Seal)?);
            bytes.extend(name.as_bytes());
            bytes.extend(entry.nonce);
            bytes.extend(length(entry.sealed.len())?);
            bytes.extend(&entry.sealed);
        }
        let nonce: [u8; NONCE_BYTES] = random("seal the store")?;
        let seal = seal_nothing(&XNonce::from(nonce), &file_data(&bytes))?;
        bytes.extend(nonce);
        bytes.extend(seal);
        Ok(bytes)
    }
}

fn length(n: usize) -> Result<[u8; 4], SecretError> {
    u32::try_from(n).map(u32::to_be_bytes).map_err(|_| SecretError::Seal)
}

fn entry_data(id: &[u8; ID_BYTES], name: &str) -> Vec<u8> {
    [b"entry".as_slice(), id, name.as_bytes()].concat()
}

fn check_data(id: &[u8; ID_BYTES]) -> Vec<u8> {
    [b"check".as_slice(), id].concat()
}

fn file_data(body: &[u8]) -> Vec<u8> {
    [b"file".as_slice(), body].concat()
}

fn split_seal(bytes: &[u8]) -> Option<(&[u8], [u8; NONCE_BYTES], [u8; TAG_BYTES])> {
    let (body, mut tail) = bytes.split_at_checked(bytes.len().checked_sub(NONCE_BYTES + TAG_BYTES)?)?;
    Some((body, take(&mut tail)?, take(&mut tail)?))
}

/// The entries between head and seal. The seal has been checked: this only guards against our own mistakes.
fn parse_entries(mut rest: &[u8]) -> Option<BTreeMap<String, Entry>> {
    let count = u32::from_be_bytes(take(&mut rest)?);
    let mut entries = BTreeMap::new();
    for _ in 0..count {
        let [name_bytes] = take(&mut rest)?;
        let name = std::str::from_utf8(take_slice(&mut rest, usize::from(name_bytes))?).ok()?.to_owned();
        let nonce = take(&mut rest)?;
        let sealed_bytes = usize::try_from(u32::from_be_bytes(take(&mut rest)?)).ok()?;
        let sealed = take_slice(&mut rest, sealed_bytes)?.to_vec();
        entries.insert(name, Entry { nonce, sealed });
    }
    (rest.len() == NONCE_BYTES + TAG_BYTES).then_some(entries)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    take_slice(rest, N)?.try_into().ok()
}

fn take_slice<'a>(rest: &mut &'a [u8], n: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(n)?;
    *rest = tail;
    Some(head)
}

fn random<const N: usize>(deed: &'static str) -> Result<[u8; N], SecretError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        bytes.zeroize();
        SecretError::Io { deed, source: io::Error::other(error.to_string()) }
    })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANARY: &[u8] = b"canary-4b1d-secret-value";

    fn store(folder: &Path, key: u8) -> SecretStore {
        SecretStore::new(folder.join("secrets.sealed"), WorkspaceKey::from_bytes([key; 32]))
    }

    fn code<T>(result: Result<T, SecretError>) -> u16 {
        result.err().expect("it must be refused").code().0
    }

    #[test]
    fn what_is_set_is_opened_and_listed() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path(), 1);
        assert_eq!(store.list().unwrap(), Vec::<String>::new());
        assert_eq!(code(store.open("crm-token")), 754);
        store.set("crm-token", &Secret::new(b"old".to_vec())).unwrap();
        store.set("ad-token", &Secret::new(b"ad".to_vec())).unwrap();
        store.set("crm-token", &Secret::new(CANARY.to_vec())).unwrap();
        assert_eq!(store.list().unwrap(), ["ad-token", "crm-token"]);
        assert_eq!(store.open("crm-token").unwrap().expose(), CANARY);
        store.remove("crm-token").unwrap();
        assert_eq!(code(store.open("crm-token")), 754);
        assert_eq!(code(store.remove("crm-token")), 754);
        assert_eq!(store.open("ad-token").unwrap().expose(), b"ad");
    }

    #[test]
    fn another_key_is_told_apart_from_damage() {
        let folder = tempfile::tempdir().unwrap();
        store(folder.path(), 1).set("a", &Secret::new(CANARY.to_vec())).unwrap();
        let other = store(folder.path(), 2);
        assert_eq!(code(other.open("a")), 751);
        assert_eq!(code(other.list()), 751);
        assert_eq!(code(other.set("b", &Secret::new(b"b".to_vec()))), 751);
    }

    #[test]
    fn every_changed_or_missing_byte_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path(), 1);
        store.set("a", &Secret::new(CANARY.to_vec())).unwrap();
        store.set("b", &Secret::new(b"b".to_vec())).unwrap();
        let good = std::fs::read(&store.path).unwrap();
        assert!(!good.windows(CANARY.len()).any(|window| window == CANARY));
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            std::fs::write(&store.path, &bad).unwrap();
            assert!((751..=753).contains(&code(store.open("a"))), "byte {at}");
            std::fs::write(&store.path, &good[..at]).unwrap();
            assert!((751..=753).contains(&code(store.open("a"))), "cut at {at}");
        }
        std::fs::write(&store.path, [&good[..], b"x"].concat()).unwrap();
        assert_eq!(code(store.open("a")), 752);
        std::fs::write(&store.path, b"SQLite format 3\0").unwrap();
        assert_eq!(code(store.open("a")), 753);
    }

    #[test]
    fn an_entry_counts_only_under_its_own_name_and_store() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path(), 1);
        store.set("a", &Secret::new(CANARY.to_vec())).unwrap();
        store.set("b", &Secret::new(b"b".to_vec())).unwrap();
        let mut sealed = store.read().unwrap().unwrap();
        let moved = sealed.entries.remove("a").unwrap();
        sealed.entries.insert("b".into(), moved);
        store.replace(&sealed).unwrap();
        assert_eq!(code(store.open("b")), 752);
    }

    #[test]
    fn names_and_sizes_are_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path(), 1);
        let long = "x".repeat(129);
        for name in ["", "A", "a b", "../a", "a\n", "ä", &long] {
            assert_eq!(code(store.set(name, &Secret::new(b"x".to_vec()))), 755, "{name:?}");
        }
        for bytes in [0, SECRET_BYTES_MAX + 1] {
            assert_eq!(code(store.set("a", &Secret::new(vec![1; bytes]))), 756, "{bytes}");
        }
    }

    #[test]
    fn a_key_file_is_private_whole_and_elsewhere() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (workspace, path) = (folder.path().join("workspace"), folder.path().join("key"));
        std::fs::create_dir(&workspace).unwrap();
        let made = WorkspaceKey::create(&path).unwrap();
        assert_eq!(WorkspaceKey::read(&path, &workspace).unwrap().0, made.0);
        assert_eq!(code(WorkspaceKey::create(&path)), 757);
        assert_eq!(code(WorkspaceKey::read(&folder.path().join("none"), &workspace)), 757);
        let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        for open in [0o640, 0o604, 0o620, 0o644] {
            mode(open);
            assert_eq!(code(WorkspaceKey::read(&path, &workspace)), 750, "{open:o}");
        }
        mode(0o600);
        std::fs::write(&path, [0; 31]).unwrap();
        assert_eq!(code(WorkspaceKey::read(&path, &workspace)), 750);
        WorkspaceKey::create(&workspace.join("key")).unwrap();
        assert_eq!(code(WorkspaceKey::read(&workspace.join("key"), &workspace)), 750);
        std::os::unix::fs::symlink(workspace.join("key"), folder.path().join("link")).unwrap();
        assert_eq!(code(WorkspaceKey::read(&folder.path().join("link"), &workspace)), 750);
    }

    #[test]
    fn nothing_that_can_be_printed_holds_a_value() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path(), b'K');
        let secret = Secret::new(CANARY.to_vec());
        let shown = format!("{secret:?} {:?} {store:?} {:?}", store.key, store.open("x").unwrap_err());
        assert!(!shown.contains("canary") && !shown.contains("KKKK") && !shown.contains("75, 75"), "{shown}");
    }
}
