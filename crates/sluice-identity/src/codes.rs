//! What the codes of identities mean.

use sluice_core::document::CodeInfo;

/// Every code from 980 on.
pub const CODES: &[CodeInfo] = &[
    CodeInfo::new(
        980,
        "no-issuer",
        "What was named as an identity provider is no address of one. Write `https://` and its address exactly as its tokens have it in `iss`; plain HTTP is taken only of this very machine.",
    ),
    CodeInfo::new(
        981,
        "issuer-unreachable",
        "The identity provider cannot be asked for its keys. Check its address, the network and the certificate; until it answers no token of it counts.",
    ),
    CodeInfo::new(
        982,
        "issuer-answer",
        "The identity provider's metadata or keys are not what a provider says of itself. Open the address that the message names: its `issuer` must be the very text that was configured.",
    ),
    CodeInfo::new(
        983,
        "token-refused",
        "An access token is not signed by the configured provider, was given for another service, has expired, or is bound to a key that its bearer did not show. Ask the provider for one whose audience is this resource.",
    ),
    CodeInfo::new(
        984,
        "token-of-nobody",
        "A token counts, but no person or service of the principals register lists the provider's name for its subject. Add it under `identities` if it is one of yours.",
    ),
    CodeInfo::new(
        985,
        "passkey-refused",
        "A passkey's answer is a word over another statement, was given at another address or without verifying the person, or its key did not sign it. Ask the person again, at the console's own address.",
    ),
    CodeInfo::new(
        986,
        "login-refused",
        "The identity provider's answer logs nobody in: the code was used, the token is not signed by it, is for another program, or answers another login. Begin again; if it stays so, compare the provider's settings of this program with `sluice serve`'s.",
    ),
    CodeInfo::new(
        987,
        "login-setting",
        "What was said about the identity provider cannot be used to log in. Its address begins with `https://`, and it sends people back to the console's address with `/login/provider/back`.",
    ),
    CodeInfo::new(
        988,
        "login-too-weak",
        "What somebody wants to do needs a login of a level that the identity provider did not give (`acr`). Log in again in the way that the provider asks for; if it cannot give that level, the policies in `policies/console/` name another.",
    ),
    CodeInfo::new(
        989,
        "login-not-fresh",
        "The identity provider was asked to ask the person again, and did not say that it did (`auth_time`). Log out at the provider and begin again; a provider that cannot say it is none by which a first passkey is made.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_lists_every_code_and_no_other() {
        let page = include_str!("../../../docs/identity.md");
        let table = page.split("## Codes").nth(1).unwrap();
        let listed: Vec<u16> =
            table.lines().filter_map(|line| line.strip_prefix("| SL")?.split(' ').next()?.parse().ok()).collect();
        assert_eq!(listed, CODES.iter().map(|info| info.code).collect::<Vec<_>>());
    }
}
