//! What the codes of the console mean.

use sluice_core::document::CodeInfo;

/// Every code from 460 on.
pub const CODES: &[CodeInfo] = &[
    CodeInfo::new(
        460,
        "other-address",
        "The console was called by a name that is not its own. Passkeys and sessions are for one address: open that one, or say with `sluice serve --origin` which it is.",
    ),
    CodeInfo::new(
        461,
        "sent-from-elsewhere",
        "A form or call reached the console from another site's page, or without saying from where. Nothing was done. Send it from the console's own pages.",
    ),
    CodeInfo::new(
        462,
        "form-of-another-session",
        "A form was sent that was not shown in this session. Open the page again and send it from there.",
    ),
    CodeInfo::new(
        463,
        "page-too-old",
        "What would be signed was shown too long ago, in another session, or its word was given already. Open the page again: it shows what is asked now.",
    ),
    CodeInfo::new(
        464,
        "data-of-others",
        "Masked data is shown only to its owner and to whoever the register lists as reading it (`reads`). What is approved is the whole of it, whatever was shown.",
    ),
    CodeInfo::new(
        465,
        "opens-nothing",
        "A link, code or passkey opens nothing here: it was used, is too old, or is of nobody in the register. Ask whoever signs the rules for a new link.",
    ),
    CodeInfo::new(
        466,
        "passkey-known",
        "This passkey was enrolled before. One passkey stands for one person; make another one.",
    ),
    CodeInfo::new(
        467,
        "whole-ledger",
        "The whole ledger is for those who sign the rules of the workspace. Everybody sees the runs and approvals that concern them.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_lists_every_code_and_no_other() {
        let page = include_str!("../../../docs/console.md");
        let table = page.split("## Codes").nth(1).unwrap();
        let listed: Vec<u16> =
            table.lines().filter_map(|line| line.strip_prefix("| SL")?.split(' ').next()?.parse().ok()).collect();
        assert_eq!(listed, CODES.iter().map(|info| info.code).collect::<Vec<_>>());
    }
}
