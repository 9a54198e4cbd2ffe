//! Who somebody is.
//!
//! An identity provider's word counts as far as its own keys reach, for the audience that it was given for, and it means the
//! one person or service of the register that lists the provider's name for them.
//!
//! Not here: what they may then do (`sluice-policy`, the registers), and how they showed it (`sluice-gateway`'s faces).

pub mod access;
mod codes;
pub mod issuer;
pub mod login;
mod reach;

pub use access::{Access, AccessError, AccessTokens};
pub use codes::CODES;
pub use issuer::{Issuer, IssuerError};
pub use login::{LoginError, Logins};
