//! What the codes of commands with `--server` mean.

use sluice_core::document::CodeInfo;

/// From 796 to 799.
pub const CODES: &[CodeInfo] = &[
    CodeInfo::new(
        796,
        "server-unreached",
        "With `--server`, nothing answered at the address, or not in time. The message says whether anything can have left; look whether `sluice serve` runs there, and whether TLS ends in front of it.",
    ),
    CodeInfo::new(
        797,
        "no-sluice",
        "With `--server`, something else than a served Sluice answered: a redirect, a page, a refusal that is no problem document. Redirects are not followed: name the address that people type.",
    ),
    CodeInfo::new(
        798,
        "other-version",
        "With `--server`, an answer is JSON and not what this version understands. Use the version of `sluice` that is served.",
    ),
    CodeInfo::new(
        799,
        "no-token-here",
        "With `--server`, a token is needed: `sluice token add NAME --for PRINCIPAL --scope read` at the workspace gives one out, and `SLUICE_TOKEN` or `--token-file` holds it here.",
    ),
];
