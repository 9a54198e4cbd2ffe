//! How what outsiders wrote is shown: one escaping type per output, and workflows as pictures.
//!
//! Not here: what is said about it (`sluice`'s commands, `sluice-console`'s pages).

pub mod draw;
pub mod escape;
pub mod markup;
pub mod time;
