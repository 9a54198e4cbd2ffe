//! Another set of people who may change the bundle: a change counts only with the word of those who may now.
//!
//! It names the very signers that it replaces, so it can be used once, and on every machine where they are pinned. As many of
//! *them* as must sign a bundle must sign it; those who come have no say in it.
//!
//! ```text
//! sluice-signers-change-1 <digest of the signers that are pinned now>
//! serial 1
//! sluice-public-key-1 ana ed25519 <64 hexadecimal digits>
//! sluice-public-key-1 eve ed25519 <64 hexadecimal digits>
//! sluice-signers-signature-1 ana <signature, 128 hexadecimal digits>
//! ```

use std::collections::BTreeMap;

use thiserror::Error;

use crate::contract::bundle::{BundleError, Signers};
use crate::contract::canonical::Encoder;
use crate::contract::digest::{Digest, from_hex, to_hex};
use crate::contract::key::{SecretKey, Signature};
use crate::contract::read::is_id;
use crate::diagnostic::Code;
use crate::label::Name;

/// The file of a proposed change in a workspace. It is no part of the bundle.
pub const SIGNERS_CHANGE_FILE: &str = "signers.change";
/// The text that starts the statement that a signer signs.
pub const SIGNERS_CHANGE_DOMAIN: &str = "sluice signers change 1";

const HEAD: &str = "sluice-signers-change-1";
const SIGNATURE: &str = "sluice-signers-signature-1";

/// A proposed set of signers, and who of those that are pinned agreed to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignersChange {
    from: Digest,
    to: Signers,
    signatures: BTreeMap<Name, Signature>,
}

/// Why a change of the signers does not count.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SignersError {
    /// SL433. Help: propose the change anew from the signers that are pinned here.
    #[error("the change was made for other signers than those that are pinned here")]
    OtherSigners,
    /// SL434. Help: say who comes or goes.
    #[error("the change changes nothing")]
    NoChange,
    /// SL435. Help: a bundle needs as many signatures; add a signer, or make the workspace solo.
    #[error("{signers} people could not sign a bundle that needs {needed}")]
    TooFew {
        /// How many there would be.
        signers: usize,
        /// How many a bundle needs.
        needed: usize,
    },
    /// SL436. Help: remove the file, or restore it.
    #[error("line {line} of `{SIGNERS_CHANGE_FILE}` cannot be read")]
    Line {
        /// From 1.
        line: usize,
    },
    /// SL437. Help: let another of the pinned signers run `sluice policy signers sign`.
    #[error("{found} of {needed} needed people agreed to the change of the signers")]
    Unsigned {
        /// How many did.
        found: usize,
        /// How many must.
        needed: usize,
    },
    /// SL421, SL422, SL427, SL428: a signature or a key line, as of a bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

impl SignersError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::OtherSigners => Code(433),
            Self::NoChange => Code(434),
            Self::TooFew { .. } => Code(435),
            Self::Line { .. } => Code(436),
            Self::Unsigned { .. } => Code(437),
            Self::Bundle(error) => error.code(),
        }
    }
}

impl SignersChange {
    /// A change from the signers that are pinned, which nobody signed yet.
    ///
    /// # Errors
    /// [`SignersError::NoChange`], or [`SignersError::TooFew`] if nobody could sign a bundle any more.
    pub fn new(pinned: &Signers, to: Signers) -> Result<Self, SignersError> {
        let (signers, needed) = (to.names().count(), to.needed());
        if signers < needed {
            return Err(SignersError::TooFew { signers, needed });
        }
        if to.are_same(pinned) {
            return Err(SignersError::NoChange);
        }
        Ok(Self { from: digest(pinned), to: to.following(pinned), signatures: BTreeMap::new() })
    }

    /// Who may sign once it counts.
    #[must_use]
    pub const fn to(&self) -> &Signers {
        &self.to
    }

    /// Who agreed to it, as the file says: [`accepted`](Self::accepted) checks it.
    pub fn signed_by(&self) -> impl Iterator<Item = &Name> {
        self.signatures.keys()
    }

    /// Adds a pinned signer's word.
    ///
    /// # Errors
    /// [`SignersError::OtherSigners`] if it was made for others, [`BundleError::UnknownSigner`] if this is none of them.
    pub fn sign(&mut self, pinned: &Signers, key: &SecretKey) -> Result<(), SignersError> {
        if self.from != digest(pinned) {
            return Err(SignersError::OtherSigners);
        }
        if pinned.key(key.name()) != Some(&key.public()) {
            return Err(BundleError::UnknownSigner { signer: key.name().clone() }.into());
        }
        self.signatures.insert(key.name().clone(), key.sign(&self.statement(key.name())));
        Ok(())
    }

    /// The signers that count from now on, if as many of the pinned ones agreed as must.
    ///
    /// # Errors
    /// [`SignersError`]: the first reason why it does not count. One signature that does not hold spoils all.
    pub fn accepted(&self, pinned: &Signers) -> Result<&Signers, SignersError> {
        if self.from != digest(pinned) {
            return Err(SignersError::OtherSigners);
        }
        for (signer, signature) in &self.signatures {
            let key = pinned.key(signer).ok_or_else(|| BundleError::UnknownSigner { signer: signer.clone() })?;
            if !key.verifies(&self.statement(signer), signature) {
                return Err(BundleError::BadSignature { signer: signer.clone() }.into());
            }
        }
        let (found, needed) = (self.signatures.len(), pinned.needed());
        if found < needed {
            return Err(SignersError::Unsigned { found, needed });
        }
        // Also of a file that somebody else wrote: the next signers, and no set that was pinned before.
        if Self::new(pinned, self.to.clone())?.to != self.to {
            return Err(SignersError::OtherSigners);
        }
        Ok(&self.to)
    }

    /// What a signer signs: who it is from and to, under their own name.
    fn statement(&self, signer: &str) -> Vec<u8> {
        let mut out = Encoder::new(SIGNERS_CHANGE_DOMAIN);
        out.bytes(&self.from.0).text(&self.to.to_text()).text(signer);
        out.finish()
    }

    /// The text of its file.
    #[must_use]
    pub fn to_text(&self) -> String {
        let signature =
            |(signer, signature): (&Name, &Signature)| format!("{SIGNATURE} {signer} {}\n", to_hex(&signature.0));
        let signatures: String = self.signatures.iter().map(signature).collect();
        format!("{HEAD} {}\n{}{signatures}", self.from, self.to.to_text())
    }

    /// Reads its file.
    ///
    /// # Errors
    /// [`SignersError::Line`] at the first line that is none of its own, [`SignersError::Bundle`] at a bad key line.
    pub fn parse(text: &str) -> Result<Self, SignersError> {
        let (mut from, mut signatures, mut signers) = (None, BTreeMap::new(), String::new());
        for (number, line) in text.lines().enumerate() {
            let bad = SignersError::Line { line: number + 1 };
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                [] => {}
                [HEAD, digest] if from.is_none() => from = Some(Digest::parse(digest).ok_or(bad)?),
                [SIGNATURE, signer, signature] if is_id(signer) => {
                    let signature = Signature(from_hex(signature).ok_or_else(|| bad.clone())?);
                    if signatures.insert(Name::from(*signer), signature).is_some() {
                        return Err(bad);
                    }
                }
                _ if from.is_some() && signatures.is_empty() => {
                    Signers::parse(line).map_err(|_| bad)?;
                    signers.push_str(line);
                    signers.push('\n');
                }
                _ => return Err(bad),
            }
        }
        let from = from.ok_or(SignersError::Line { line: 1 })?;
        Ok(Self { from, to: Signers::parse(&signers)?, signatures })
    }
}

fn digest(signers: &Signers) -> Digest {
    Digest::of(signers.to_text().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str, seed: u8) -> SecretKey {
        SecretKey::from_seed(name, [seed; 32])
    }

    fn signers(names: &[(&str, u8)], solo: bool) -> Signers {
        Signers::new(names.iter().map(|(name, seed)| (Name::from(*name), key(name, *seed).public())), solo).unwrap()
    }

    fn pinned() -> Signers {
        signers(&[("ana", 1), ("ben", 2)], false)
    }

    fn change(by: &[(&str, u8)]) -> SignersChange {
        let mut change = SignersChange::new(&pinned(), signers(&[("ana", 1), ("eve", 3)], false)).unwrap();
        for (name, seed) in by {
            change.sign(&pinned(), &key(name, *seed)).unwrap();
        }
        change
    }

    #[test]
    fn two_of_those_who_are_pinned_change_who_is() {
        let whole = change(&[("ana", 1), ("ben", 2)]);
        assert_eq!(whole.accepted(&pinned()), Ok(whole.to()));
        assert_eq!(SignersChange::parse(&whole.to_text()), Ok(whole.clone()));
        // Once: the signers that it replaces are no longer pinned then, also where the same people are again.
        assert_eq!(whole.accepted(whole.to()), Err(SignersError::OtherSigners));
        let back = pinned().following(whole.to());
        assert_eq!(whole.accepted(&back), Err(SignersError::OtherSigners));
        assert_eq!(Signers::parse(&back.to_text()), Ok(back));
    }

    #[test]
    fn neither_one_alone_nor_one_who_comes_changes_it() {
        let needed = Err(SignersError::Unsigned { found: 1, needed: 2 });
        assert_eq!(change(&[("ana", 1)]).accepted(&pinned()), needed);
        assert_eq!(change(&[("ana", 1), ("ana", 1)]).accepted(&pinned()), needed);
        for (name, seed) in [("eve", 3), ("ben", 9)] {
            let refused = change(&[("ana", 1)]).sign(&pinned(), &key(name, seed)).unwrap_err();
            assert_eq!(refused.code(), Code(421), "{name}");
        }
    }

    #[test]
    fn what_was_signed_is_what_counts() {
        let text = change(&[("ana", 1), ("ben", 2)]).to_text();
        let eve = key("eve", 3).public().to_line("eve");
        for (from, to, code) in [
            (eve.as_str(), key("eve", 4).public().to_line("eve").as_str(), 422),
            (eve.as_str(), key("eve", 3).public().to_line("eva").as_str(), 422),
            (eve.as_str(), &format!("{eve}\nsolo"), 422),
            ("sluice-signers-signature-1 ben", "sluice-signers-signature-1 eve", 421),
        ] {
            let other = SignersChange::parse(&text.replace(from, to)).unwrap();
            assert_eq!(other.accepted(&pinned()).unwrap_err().code(), Code(code), "{to}");
        }
    }

    #[test]
    fn nobody_is_left_without_the_people_that_a_bundle_needs() {
        let refused = |to: Signers| SignersChange::new(&pinned(), to).unwrap_err().code();
        assert_eq!(refused(signers(&[("ana", 1)], false)), Code(435));
        assert_eq!(refused(signers(&[], true)), Code(435));
        assert_eq!(refused(pinned()), Code(434));
        // One of the signers of a solo workspace is enough to make it one of two.
        let solo = signers(&[("ana", 1)], true);
        let mut change = SignersChange::new(&solo, pinned()).unwrap();
        change.sign(&solo, &key("ana", 1)).unwrap();
        assert!(change.accepted(&solo).unwrap().are_same(&pinned()));
    }

    #[test]
    fn a_file_that_is_none_is_refused_with_its_line() {
        let text = change(&[("ana", 1)]).to_text();
        assert_eq!(SignersChange::parse("").unwrap_err(), SignersError::Line { line: 1 });
        assert_eq!(SignersChange::parse("x").unwrap_err(), SignersError::Line { line: 1 });
        for (added, line) in [("x\n", 6), ("solo\n", 6), ("sluice-signers-change-1 00\n", 6)] {
            assert_eq!(SignersChange::parse(&format!("{text}{added}")).unwrap_err(), SignersError::Line { line });
        }
        let twice = format!("{text}{}", text.lines().last().unwrap());
        assert_eq!(SignersChange::parse(&twice).unwrap_err(), SignersError::Line { line: 6 });
    }
}
