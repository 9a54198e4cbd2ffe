//! Effect keys: the name of one effect of one run, the same on every repetition and in every process.

use std::fmt;

use sha2::{Digest, Sha256};
use sluice_core::program::NodeId;
use sluice_ledger::RunId;

/// `SHA-256("sluice effect 1" ‖ run ‖ node ‖ visit ‖ generation)`, sent to the target as its idempotency key.
///
/// `visit` counts the times that the run came to the node, so nested loops and backward gotos get
/// different keys; `generation` counts the retries of the run, so a DSL `retry` is a new effect while a
/// repetition after a crash is the same one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EffectKey([u8; 32]);

impl EffectKey {
    /// The key of one visit.
    #[must_use]
    pub fn of(run: RunId, node: NodeId, visit: u64, generation: u64) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"sluice effect 1");
        hash.update(run.as_bytes());
        hash.update(node.0.to_be_bytes());
        hash.update(visit.to_be_bytes());
        hash.update(generation.to_be_bytes());
        Self(hash.finalize().into())
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key that these bytes spell.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

/// Reads the hex form back.
pub(crate) fn parse(hex: &str) -> Option<EffectKey> {
    let mut bytes = [0_u8; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (slot, i) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *slot = u8::from_str_radix(hex.get(i..i + 2)?, 16).ok()?;
    }
    Some(EffectKey(bytes))
}

impl fmt::Display for EffectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for EffectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EffectKey({self})")
    }
}
