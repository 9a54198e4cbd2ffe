//! Where keys, nonces and salts come from.

use thiserror::Error;

/// A source of random bytes: the machine's in production, a seeded one in the simulator.
pub trait Random: Send {
    /// Fills `bytes`.
    ///
    /// # Errors
    /// [`RandomError`] if there are none to be had; nothing may be sealed then.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomError>;
}

/// The operating system's random source.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsRandom;

impl Random for OsRandom {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomError> {
        getrandom::fill(bytes).map_err(|_| RandomError)
    }
}

/// SL669. Help: the operating system has no random bytes to give; nothing is sealed without them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the random source gives no bytes")]
pub struct RandomError;

/// An array of random bytes.
pub(crate) fn draw<const N: usize>(random: &mut dyn Random) -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    random.fill(&mut bytes)?;
    Ok(bytes)
}
