//! What the codes of the console and the API mean.

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
    CodeInfo::new(
        468,
        "denial-not-answered",
        "A proposal came with a denial of AuthZEN that it does not answer: its token is none of this process or too old, somebody else was denied, or the definition does not call what was denied. Ask again, or propose without it.",
    ),
    CodeInfo::new(
        470,
        "no-token",
        "A request of the API shows no token that counts: none, one that expired or was revoked, or one of a principal who left the register. `sluice token add` gives one out; a session of the console is for looking only.",
    ),
    CodeInfo::new(
        471,
        "not-for-that",
        "The token has not the scope that this needs, or its principal is of a kind that may not: only people approve and stop, a model proposes and reads. Give out a token with that scope, to somebody who may.",
    ),
    CodeInfo::new(
        472,
        "not-there",
        "There is nothing at this address, or nothing that whoever asks may see; which of both is not said.",
    ),
    CodeInfo::new(473, "other-method", "This address takes other methods; the header `Allow` says which."),
    CodeInfo::new(474, "not-json", "Bodies are JSON, and say so: `Content-Type: application/json`."),
    CodeInfo::new(475, "body-too-long", "The body, or the definition in it, is longer than it may be. Send less."),
    CodeInfo::new(
        476,
        "unfit-request",
        "The request is not what the specification of the API says: `/api/v1/openapi.json`. Nothing was done.",
    ),
    CodeInfo::new(
        477,
        "other-request-same-key",
        "An `Idempotency-Key` came with another request before, or the same one is still being answered. A new request has a new key.",
    ),
    CodeInfo::new(
        478,
        "too-often",
        "Too many requests in the name of one principal. Ask again after the seconds in `Retry-After`; `sluice serve --per-minute` says how many are answered.",
    ),
    CodeInfo::new(
        479,
        "foreign-cursor",
        "The cursor is none that this list gave out, or what it stood behind is gone. Begin without one.",
    ),
    CodeInfo::new(
        480,
        "scope-not-for-principal",
        "A token is given out with scopes that there are, and that are for its principal: `approve`, `stop` and `go-on` for people, `run` and `evaluate` for people and services.",
    ),
    CodeInfo::new(
        481,
        "foreign-policies",
        "The policies of other applications in `policies/authzen/` cannot be used: AuthZEN's questions about them are denied until they can. The message says which file and why.",
    ),
    CodeInfo::new(
        482,
        "definition-refused",
        "The definition cannot be read, or policy would refuse it in every run. It was put before nobody; the report says why.",
    ),
    CodeInfo::new(
        483,
        "may-not-run",
        "The run may not start or go on now: its definition waits for signatures, is refused, or what it depends on has changed.",
    ),
    CodeInfo::new(
        487,
        "needs-a-stronger-login",
        "A policy in `policies/console/` lets people decide this, or start it, only when they logged in at a level that it names. The console's page leads to the provider and back; through the API nobody can.",
    ),
    CodeInfo::new(
        488,
        "may-not-decide",
        "A policy in `policies/console/` does not let this person decide this, or start it, in whichever way they log in.",
    ),
    CodeInfo::new(
        489,
        "not-now",
        "The API cannot answer now: rules that do not count, a ledger that cannot be read, an engine that has ended. Look at what `sluice serve` prints.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_list_every_code_and_no_other() {
        let pages = [include_str!("../../../docs/console.md"), include_str!("../../../docs/api.md")];
        let tables = pages.map(|page| page.split("## Codes").nth(1).unwrap());
        let lines = tables.iter().flat_map(|table| table.lines());
        let listed: Vec<u16> =
            lines.filter_map(|line| line.strip_prefix("| SL")?.split(' ').next()?.parse().ok()).collect();
        assert_eq!(listed, CODES.iter().map(|info| info.code).collect::<Vec<_>>());
    }
}
