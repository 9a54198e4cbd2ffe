//! The signed bundle: contracts, registers and policies count only with their signers' word.
//!
//! Two people change it; one in a *solo* workspace. Who they are is pinned in a [`Signers`] file **outside** the
//! workspace folder, so that whoever can write the folder cannot also name its signers, nor make it solo.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use thiserror::Error;

use crate::contract::canonical::Encoder;
use crate::contract::digest::{Digest, from_hex, to_hex};
use crate::contract::governance::{CONNECTORS_FOLDER, Governance, POLICIES_FOLDER, REGISTERS_FOLDER};
use crate::contract::key::{KeyError, PublicKey, SecretKey, Signature};
use crate::contract::lock::LOCK_FILE;
use crate::contract::principals::PRINCIPALS_FILE;
use crate::contract::read::{Problem, is_id};
use crate::contract::workspace::{WORKSPACE_FILE, Workspace};
use crate::diagnostic::Code;
use crate::label::Name;
use crate::text::Text;

/// The text that starts the canonical bytes of the files.
pub const BUNDLE_DOMAIN: &str = "sluice bundle 1";
/// The text that starts the statement that a signer signs.
pub const BUNDLE_SIGNATURE_DOMAIN: &str = "sluice bundle signature 1";
/// The file of signatures in a workspace: one line each.
pub const SIGNATURES_FILE: &str = "bundle.signatures";

const SIGNATURE_LINE: &str = "sluice-bundle-signature-1";

/// The digest of a bundle's files.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BundleDigest(pub Digest);

impl fmt::Display for BundleDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for BundleDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BundleDigest({})", self.0)
    }
}

/// The files of a bundle, sorted by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BundleFiles(BTreeMap<Name, Vec<u8>>);

impl BundleFiles {
    /// Keeps the files that belong to a bundle; paths are relative to the workspace and use `/`.
    #[must_use]
    pub fn of(files: impl IntoIterator<Item = (Name, Vec<u8>)>) -> Self {
        Self(files.into_iter().filter(|(path, _)| Self::belongs(path)).collect())
    }

    /// Whether a path is part of the bundle: `workspace.yaml`, `sluice.lock` and everything under `connectors/`,
    /// `registers/` and `policies/`, except the principals register.
    #[must_use]
    pub fn belongs(path: &str) -> bool {
        let folders = [CONNECTORS_FOLDER, REGISTERS_FOLDER, POLICIES_FOLDER];
        let is_inside = folders.iter().any(|folder| path.starts_with(folder));
        path == WORKSPACE_FILE || path == LOCK_FILE || (path != PRINCIPALS_FILE && is_inside)
    }

    /// Every file, by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(path, bytes)| (path.as_ref(), bytes.as_slice()))
    }

    /// One file.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.0.get(path).map(Vec::as_slice)
    }

    /// SHA-256 over the canonical bytes: domain, count, then path and bytes of each file in order of path.
    #[must_use]
    pub fn digest(&self) -> BundleDigest {
        let mut out = Encoder::new(BUNDLE_DOMAIN);
        out.list(self.0.len());
        for (path, bytes) in &self.0 {
            out.text(path).bytes(bytes);
        }
        BundleDigest(out.digest())
    }
}

/// One signer's word for one bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleSignature {
    /// What is signed.
    pub digest: BundleDigest,
    /// Who signs.
    pub signer: Name,
    /// Their key.
    pub key: PublicKey,
    /// Over the statement.
    pub signature: Signature,
}

impl BundleSignature {
    /// Signs a bundle.
    #[must_use]
    pub fn sign(digest: BundleDigest, key: &SecretKey) -> Self {
        let signature = key.sign(&statement(digest, key.name()));
        Self { digest, signer: key.name().clone(), key: key.public(), signature }
    }

    /// Its line in [`SIGNATURES_FILE`].
    #[must_use]
    pub fn to_line(&self) -> String {
        let (key, signature) = (to_hex(&self.key.0), to_hex(&self.signature.0));
        format!("{SIGNATURE_LINE} {} {} {key} {signature}", self.signer, self.digest)
    }

    /// Reads every line of a signatures file; empty lines and lines that start with `#` are skipped.
    ///
    /// # Errors
    /// [`BundleError::SignatureLine`] at the first line that is none.
    pub fn from_lines(text: &str) -> Result<Vec<Self>, BundleError> {
        let line = |(number, line): (usize, &str)| {
            Self::from_line(line).ok_or(BundleError::SignatureLine { line: number + 1 })
        };
        lines(text).map(line).collect()
    }

    fn from_line(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [SIGNATURE_LINE, signer, digest, key, signature] = words.as_slice() else { return None };
        Some(Self {
            digest: BundleDigest(Digest::parse(digest)?),
            signer: Some(*signer).filter(|s| is_id(s))?.into(),
            key: PublicKey(from_hex(key)?),
            signature: Signature(from_hex(signature)?),
        })
    }
}

/// What a signer signs: the digest under their own name, apart from everything else that a key may sign.
fn statement(digest: BundleDigest, signer: &str) -> Vec<u8> {
    let mut out = Encoder::new(BUNDLE_SIGNATURE_DOMAIN);
    out.bytes(&digest.0.0).text(signer);
    out.finish()
}

/// Lines with content, and their numbers from 0.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
}

/// Who may sign, pinned outside the workspace folder.
///
/// ```text
/// # ~/.config/sluice/signers/<workspace>: one public key line per signer
/// solo
/// serial 2
/// sluice-public-key-1 ana ed25519 <64 hexadecimal digits>
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signers {
    keys: BTreeMap<Name, PublicKey>,
    solo: bool,
    /// How often they were changed: a set of people who come back are not the same signers, so that no change counts twice.
    serial: u64,
}

impl Signers {
    /// From names and keys.
    ///
    /// # Errors
    /// [`BundleError::SameKey`] if two names have one key: one person would be two.
    pub fn new(keys: impl IntoIterator<Item = (Name, PublicKey)>, solo: bool) -> Result<Self, BundleError> {
        let mut signers = Self { keys: BTreeMap::new(), solo, serial: 0 };
        for (name, key) in keys {
            let same_key = signers.keys.iter().find(|(_, known)| **known == key).map(|(other, _)| other.clone());
            if let Some(other) = same_key {
                return Err(BundleError::SameKey { name, other });
            }
            if signers.keys.insert(name.clone(), key).is_some() {
                return Err(BundleError::SameKey { other: name.clone(), name });
            }
        }
        Ok(signers)
    }

    /// Reads a signers file.
    ///
    /// # Errors
    /// [`BundleError::SignersLine`] at the first line that is none, [`BundleError::SameKey`] for two names with one key.
    pub fn parse(text: &str) -> Result<Self, BundleError> {
        let (mut keys, mut solo, mut serial) = (Vec::new(), false, 0);
        for (number, line) in lines(text) {
            if line.trim() == "solo" {
                solo = true;
                continue;
            }
            if let Some(number) = line.trim().strip_prefix("serial ").and_then(|number| number.parse().ok()) {
                serial = number;
                continue;
            }
            keys.push(
                PublicKey::from_line(line).map_err(|error| BundleError::SignersLine { line: number + 1, error })?,
            );
        }
        Ok(Self { serial, ..Self::new(keys, solo)? })
    }

    /// The same people as the signers that come after `earlier`.
    #[must_use]
    pub const fn following(mut self, earlier: &Self) -> Self {
        self.serial = earlier.serial.saturating_add(1);
        self
    }

    /// Whether the same people may sign under the same rule, whenever that was.
    #[must_use]
    pub fn are_same(&self, other: &Self) -> bool {
        self.keys == other.keys && self.solo == other.solo
    }

    /// The text of a signers file.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = if self.solo { "solo\n".to_owned() } else { String::new() };
        if self.serial > 0 {
            text.push_str(&format!("serial {}\n", self.serial));
        }
        for (name, key) in &self.keys {
            text.push_str(&key.to_line(name));
            text.push('\n');
        }
        text
    }

    /// Everyone who may sign.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.keys.keys()
    }

    /// The key of one who may sign.
    #[must_use]
    pub fn key(&self, name: &str) -> Option<&PublicKey> {
        self.keys.get(name)
    }

    /// Whether one signature is enough.
    #[must_use]
    pub const fn is_solo(&self) -> bool {
        self.solo
    }

    /// How many different people must sign.
    #[must_use]
    pub const fn needed(&self) -> usize {
        if self.solo { 1 } else { 2 }
    }
}

/// Why a bundle does not count.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BundleError {
    /// SL420. Help: the files changed after they were signed; review the change and sign again with `sluice policy sign`.
    #[error("`{signer}` signed {signed}, the files are {found}")]
    OtherDigest {
        /// Who signed.
        signer: Name,
        /// What they signed.
        signed: BundleDigest,
        /// What is there.
        found: BundleDigest,
    },
    /// SL421. Help: existing signers add a signer; the pinned file stands outside the workspace.
    #[error("`{signer}` is no pinned signer of this workspace, or signed with another key")]
    UnknownSigner {
        /// Who claims to have signed.
        signer: Name,
    },
    /// SL422. Help: sign again with `sluice policy sign`.
    #[error("the signature of `{signer}` does not fit")]
    BadSignature {
        /// Who claims to have signed.
        signer: Name,
    },
    /// SL423. Help: let another signer run `sluice policy sign`.
    #[error("{found} of {needed} needed people signed the bundle")]
    TooFewSigners {
        /// How many did.
        found: usize,
        /// How many must.
        needed: usize,
    },
    /// SL424. Help: `solo` in `workspace.yaml` and in the pinned signers file must agree; two people change either.
    #[error("the workspace says solo is {workspace}, the pinned signers file says {pinned}")]
    SoloDisagrees {
        /// What the bundle says.
        workspace: bool,
        /// What is pinned.
        pinned: bool,
    },
    /// SL425. Help: correct `workspace.yaml`; `sluice init` writes one.
    #[error("`workspace.yaml` is missing or cannot be read")]
    NoWorkspace,
    /// SL426. Help: remove the line, or restore the file.
    #[error("line {line} is no bundle signature")]
    SignatureLine {
        /// From 1.
        line: usize,
    },
    /// SL427. Help: a signers file has one public key line per signer, and perhaps `solo`.
    #[error("line {line} of the signers file: {error}")]
    SignersLine {
        /// From 1.
        line: usize,
        /// What is wrong with it.
        error: KeyError,
    },
    /// SL428. Help: give every signer one key of their own.
    #[error("`{name}` and `{other}` have the same key or name")]
    SameKey {
        /// One of them.
        name: Name,
        /// The other.
        other: Name,
    },
}

impl BundleError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        Code(match self {
            Self::OtherDigest { .. } => 420,
            Self::UnknownSigner { .. } => 421,
            Self::BadSignature { .. } => 422,
            Self::TooFewSigners { .. } => 423,
            Self::SoloDisagrees { .. } => 424,
            Self::NoWorkspace => 425,
            Self::SignatureLine { .. } => 426,
            Self::SignersLine { .. } => 427,
            Self::SameKey { .. } => 428,
        })
    }
}

/// Files that as many pinned people signed as must. Only [`verify`] makes one.
#[derive(Clone, Debug)]
pub struct SignedBundle {
    files: BundleFiles,
    digest: BundleDigest,
    signers: BTreeSet<Name>,
    workspace: Workspace,
}

impl SignedBundle {
    /// The files.
    #[must_use]
    pub const fn files(&self) -> &BundleFiles {
        &self.files
    }

    /// What was signed.
    #[must_use]
    pub const fn digest(&self) -> BundleDigest {
        self.digest
    }

    /// Who signed.
    #[must_use]
    pub const fn signers(&self) -> &BTreeSet<Name> {
        &self.signers
    }

    /// Whether one person governs it: every report and entry says so.
    #[must_use]
    pub const fn is_solo(&self) -> bool {
        self.workspace.solo
    }

    /// What the workspace is.
    #[must_use]
    pub const fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// Reads contracts and registers; `principals` are the bytes of the register that stands outside the bundle.
    ///
    /// # Errors
    /// As [`Governance::read`].
    pub fn governance(&self, principals: &[u8]) -> Result<Governance, Vec<Problem>> {
        Governance::read(self.files.iter().chain([(PRINCIPALS_FILE, principals)]))
    }
}

/// Checks that pinned people signed exactly these files.
///
/// Every signature given must hold: a signatures file with a stale or foreign line is a file that somebody should look at.
///
/// # Errors
/// [`BundleError`]: the first reason why the bundle does not count.
pub fn verify(
    files: BundleFiles,
    signatures: &[BundleSignature],
    signers: &Signers,
) -> Result<SignedBundle, BundleError> {
    let digest = files.digest();
    let mut people = BTreeSet::new();
    for signature in signatures {
        let signer = || signature.signer.clone();
        if signers.keys.get(&signature.signer) != Some(&signature.key) {
            return Err(BundleError::UnknownSigner { signer: signer() });
        }
        if signature.digest != digest {
            return Err(BundleError::OtherDigest { signer: signer(), signed: signature.digest, found: digest });
        }
        if !signature.key.verifies(&statement(digest, &signature.signer), &signature.signature) {
            return Err(BundleError::BadSignature { signer: signer() });
        }
        people.insert(signer());
    }
    let (found, needed) = (people.len(), signers.needed());
    if found < needed {
        return Err(BundleError::TooFewSigners { found, needed });
    }
    let workspace = workspace(&files).ok_or(BundleError::NoWorkspace)?;
    if workspace.solo != signers.solo {
        return Err(BundleError::SoloDisagrees { workspace: workspace.solo, pinned: signers.solo });
    }
    Ok(SignedBundle { files, digest, signers: people, workspace })
}

/// The pinned people whose signature over exactly these files holds; what does not hold is nobody's. Whether the bundle counts
/// is [`verify`]'s to say.
#[must_use]
pub fn signed_by(files: &BundleFiles, signatures: &[BundleSignature], signers: &Signers) -> BTreeSet<Name> {
    let digest = files.digest();
    let holds = |signature: &&BundleSignature| {
        signature.digest == digest
            && signers.key(&signature.signer) == Some(&signature.key)
            && signature.key.verifies(&statement(digest, &signature.signer), &signature.signature)
    };
    signatures.iter().filter(holds).map(|signature| signature.signer.clone()).collect()
}

fn workspace(files: &BundleFiles) -> Option<Workspace> {
    let content = std::str::from_utf8(files.get(WORKSPACE_FILE)?).ok()?;
    Workspace::parse(&Text::new(WORKSPACE_FILE, content)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKSPACE: &str = "version: 1\nname: w\nmode: test\nsolo: false\n";

    fn key(name: &str, seed: u8) -> SecretKey {
        SecretKey::from_seed(name, [seed; 32])
    }

    fn files(edit: impl FnOnce(&mut BTreeMap<Name, Vec<u8>>)) -> BundleFiles {
        let of = |path: &str, text: &str| (Name::from(path), text.as_bytes().to_vec());
        let mut map = BTreeMap::from([
            of("workspace.yaml", WORKSPACE),
            of("connectors/crm.yaml", "connector: crm\n"),
            of("policies/base.cedar", "permit(principal, action, resource);\n"),
            of("registers/principals.yaml", "persons: {}\n"),
            of("flows/report.yaml", "do: []\n"),
        ]);
        edit(&mut map);
        BundleFiles::of(map)
    }

    fn signers(solo: bool) -> Signers {
        Signers::new([("ana".into(), key("ana", 1).public()), ("ben".into(), key("ben", 2).public())], solo).unwrap()
    }

    fn judged(files: BundleFiles, keys: &[SecretKey], signed: &BundleFiles, solo: bool) -> Result<Vec<String>, u16> {
        let signatures: Vec<_> = keys.iter().map(|key| BundleSignature::sign(signed.digest(), key)).collect();
        let verified = verify(files, &signatures, &signers(solo));
        verified.map(|b| b.signers().iter().map(ToString::to_string).collect()).map_err(|e| e.code().0)
    }

    #[test]
    fn two_pinned_people_make_a_bundle_count() {
        let same = files(|_| {});
        let ana_and_ben = Ok(vec!["ana".to_owned(), "ben".to_owned()]);
        assert_eq!(judged(same.clone(), &[key("ana", 1), key("ben", 2)], &same, false), ana_and_ben);
    }

    #[test]
    fn every_other_bundle_is_refused() {
        let same = || files(|_| {});
        let both = || [key("ana", 1), key("ben", 2)];
        let changed = files(|f| f.get_mut("connectors/crm.yaml").unwrap()[0] ^= 1);
        assert_eq!(judged(changed, &both(), &same(), false), Err(420));
        let added = files(|f| _ = f.insert("policies/x.cedar".into(), Vec::new()));
        assert_eq!(judged(added, &both(), &same(), false), Err(420));
        assert_eq!(judged(same(), &[key("ana", 1), key("eve", 3)], &same(), false), Err(421));
        assert_eq!(judged(same(), &[key("ana", 1), key("ben", 3)], &same(), false), Err(421));
        assert_eq!(judged(same(), &[key("ana", 1)], &same(), false), Err(423));
        assert_eq!(judged(same(), &[key("ana", 1), key("ana", 1)], &same(), false), Err(423));
        assert_eq!(judged(same(), &[], &same(), false), Err(423));
        let empty = files(BTreeMap::clear);
        assert_eq!(judged(empty.clone(), &both(), &empty, false), Err(425));
    }

    #[test]
    fn a_signature_counts_for_its_signer_only() {
        let files = files(|_| {});
        let mut forged = BundleSignature::sign(files.digest(), &key("ana", 1));
        forged.signature.0[5] ^= 1;
        let verified = verify(files, &[forged], &signers(false));
        assert_eq!(verified.unwrap_err().code(), Code(422));
    }

    #[test]
    fn a_bundle_cannot_make_its_own_workspace_solo() {
        let solo = files(|f| {
            f.insert("workspace.yaml".into(), WORKSPACE.replace("false", "true").into_bytes());
        });
        assert_eq!(judged(solo.clone(), &[key("ana", 1)], &solo, false), Err(423));
        assert_eq!(judged(solo.clone(), &[key("ana", 1), key("ben", 2)], &solo, false), Err(424));
        assert_eq!(judged(solo.clone(), &[key("ana", 1)], &solo, true), Ok(vec!["ana".to_owned()]));
        let same = files(|_| {});
        assert_eq!(judged(same.clone(), &[key("ana", 1)], &same, true), Err(424));
    }

    #[test]
    fn pins_of_tools_are_inside_the_bundle() {
        let pinned = files(|f| _ = f.insert(LOCK_FILE.into(), b"{}".to_vec()));
        assert_ne!(pinned.digest(), files(|_| {}).digest());
        let elsewhere = files(|f| _ = f.insert("flows/sluice.lock".into(), b"{}".to_vec()));
        assert_eq!(elsewhere.digest(), files(|_| {}).digest());
    }

    #[test]
    fn principals_and_definitions_are_outside_the_bundle() {
        let same = files(|_| {});
        let other = files(|f| {
            f.insert("registers/principals.yaml".into(), Vec::new());
            f.insert("flows/report.yaml".into(), Vec::new());
        });
        assert_eq!(same.digest(), other.digest());
        assert_eq!(
            same.iter().map(|(path, _)| path).collect::<Vec<_>>(),
            ["connectors/crm.yaml", "policies/base.cedar", "workspace.yaml"]
        );
    }

    #[test]
    fn the_files_of_signatures_and_signers_are_read_as_written() {
        let signature = BundleSignature::sign(files(|_| {}).digest(), &key("ana", 1));
        let text = format!("# why\n\n{}\n", signature.to_line());
        assert_eq!(BundleSignature::from_lines(&text), Ok(vec![signature]));
        assert_eq!(BundleSignature::from_lines("x\n").unwrap_err().code(), Code(426));
        assert_eq!(Signers::parse(&signers(true).to_text()), Ok(signers(true)));
        assert_eq!(
            Signers::parse("solo\nx\n").unwrap_err().to_string(),
            "line 2 of the signers file: this is no Sluice key line"
        );
        let line = |name| key("ana", 1).public().to_line(name);
        let twice = format!("{}\n{}\n", line("ana"), line("ben"));
        assert_eq!(Signers::parse(&twice).unwrap_err().code(), Code(428));
    }
}
