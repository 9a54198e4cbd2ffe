//! What a browser says that it was asked, and by whom (§5.8.1).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::{Checked, PasskeyError};

/// What a device is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ceremony {
    /// A new passkey.
    Create,
    /// A word over a statement.
    Get,
}

impl Ceremony {
    const fn name(self) -> &'static str {
        match self {
            Self::Create => "webauthn.create",
            Self::Get => "webauthn.get",
        }
    }
}

/// Further members are browsers' own and say nothing to us; one that stands twice is an error.
#[derive(Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    ceremony: String,
    challenge: String,
    origin: String,
    #[serde(rename = "crossOrigin", default)]
    is_framed: bool,
    #[serde(rename = "topOrigin")]
    top: Option<String>,
}

pub(super) fn check(bytes: &[u8], ceremony: Ceremony, challenge: &[u8], origin: &str) -> Checked<()> {
    let data: ClientData =
        serde_json::from_slice(bytes).map_err(|_| PasskeyError("the browser's part cannot be read"))?;
    if data.ceremony != ceremony.name() {
        return Err(PasskeyError("it is an answer to something else"));
    }
    if data.challenge != URL_SAFE_NO_PAD.encode(challenge) {
        return Err(PasskeyError("it is a word over another statement"));
    }
    if data.origin != origin {
        return Err(PasskeyError("it was given at another address"));
    }
    // Whoever frames our page decides what is seen around it.
    if data.is_framed || data.top.is_some() {
        return Err(PasskeyError("it was given in a page within another's page"));
    }
    Ok(())
}
