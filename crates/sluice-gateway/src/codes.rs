//! What the gateway's codes mean, for the person to whom an agent tells one.

use sluice_core::document::CodeInfo;

/// Every code from 900 on.
pub const CODES: &[CodeInfo] = &[
    CodeInfo::new(
        900,
        "no-message",
        "What was sent is no message of the protocol: it is not JSON, has a key twice, is too deep or too long, or is neither request nor answer. Look at the agent's host or the server.",
    ),
    CodeInfo::new(
        902,
        "server-not-started",
        "The server's program cannot be started. Check the command after `--`, and that it is in the search path.",
    ),
    CodeInfo::new(903, "pipe-broke", "The agent's host closed the pipe in the middle of a message."),
    CodeInfo::new(
        904,
        "id-in-use",
        "The agent used the id of a request that has no answer yet, or one of the gateway's own.",
    ),
    CodeInfo::new(905, "too-many-requests", "Too many requests have no answer yet. Wait for the server."),
    CodeInfo::new(
        906,
        "not-recorded",
        "The ledger takes no entry, and so nothing is called. Check the disk and the workspace; `sluice audit verify` says more.",
    ),
    CodeInfo::new(
        907,
        "unreadable-answer",
        "The server's answer cannot be read. Whether the call took effect is not known.",
    ),
    CodeInfo::new(
        908,
        "server-ended",
        "The server ended before it answered. Whether the call took effect is not known.",
    ),
    CodeInfo::new(
        909,
        "no-list",
        "The server does not list its tools, or not in time, so that nobody can say what a call would do.",
    ),
    CodeInfo::new(
        910,
        "too-many-held",
        "More calls of the session wait for people than anybody would read. Decide some, or end the session.",
    ),
    CodeInfo::new(911, "person-denied", "A person denied this very call. It is not asked about again in this session."),
    CodeInfo::new(912, "too-many-tools", "The server lists more tools than are looked at."),
    CodeInfo::new(
        913,
        "no-draft",
        "No contract can be drafted of the server's tools. `sluice connector add mcp` says why.",
    ),
    CodeInfo::new(
        914,
        "secret-is-no-text",
        "A secret that the contract puts into the server's environment is no text.",
    ),
    CodeInfo::new(
        915,
        "unjudged-parameter",
        "The call has parameters that are neither its arguments nor the protocol's own. What is not judged is not sent on.",
    ),
    CodeInfo::new(
        916,
        "servers-alike",
        "Servers stand behind one gateway under names that could be taken for each other. Give one of them another connector.",
    ),
    CodeInfo::new(
        917,
        "no-such-server",
        "A name, URI or task is of none of the servers behind the gateway, or that server does not speak with this agent.",
    ),
    CodeInfo::new(
        918,
        "shadowing",
        "A tool has a name that would pass for another server's tool. Have its server call it otherwise.",
    ),
    CodeInfo::new(
        920,
        "plan-too-late",
        "The agent wanted to lay down a plan after it had read something: it would be the plan of whoever wrote that.",
    ),
    CodeInfo::new(921, "second-plan", "The session has a plan already, and it stands."),
    CodeInfo::new(922, "malformed-plan", "The plan is written wrongly; the message says where."),
    CodeInfo::new(923, "unbounded-amount", "The plan leaves an amount open. Give the hole a `max`."),
    CodeInfo::new(924, "plan-refused", "Policy would refuse a call of the plan whatever fills its holes."),
    CodeInfo::new(
        925,
        "off-the-plan",
        "The call stands in no plan. Nobody is asked about it: it may be what an attacker wishes for. A new session can plan anew.",
    ),
    CodeInfo::new(
        930,
        "drifted",
        "The tool is not as it was pinned, or changed while the agent worked with it. `sluice connector diff NAME` shows how, `sluice connector pin NAME` takes the new one.",
    ),
    CodeInfo::new(
        931,
        "hidden-instructions",
        "The tool's words hold what only an attack needs. Read them; `sluice connector pin NAME TOOL` offers it all the same.",
    ),
    CodeInfo::new(932, "server-ended-early", "The server ended before it said what tools it has."),
    CodeInfo::new(933, "server-is-silent", "The server does not say what tools it has in time."),
    CodeInfo::new(934, "server-refuses", "The server refuses to say what tools it has."),
    CodeInfo::new(935, "no-mcp-server", "The program does not speak the Model Context Protocol."),
    CodeInfo::new(936, "ambiguous-list", "The server lists two tools of one name, or more than are looked at."),
    CodeInfo::new(937, "no-openapi", "The file is no OpenAPI description of version 3."),
    CodeInfo::new(
        938,
        "no-address",
        "The OpenAPI description does not say where the service is. Name it with `--base`.",
    ),
    CodeInfo::new(
        939,
        "secret-in-answer",
        "The server repeats a secret that it was given. What it said is withheld and recorded nowhere, and the connector is stopped. Replace the secret, and look at the server.",
    ),
    CodeInfo::new(
        948,
        "not-confined",
        "The contract of the server has a `sandbox`, and the server cannot be confined so: `bubblewrap` is missing, this is not Linux, or a path is not there. It was not started.",
    ),
    CodeInfo::new(
        949,
        "undeclared-host",
        "A confined server tried to reach a host that its contract does not name; nothing left. Add the host to `sandbox` if it belongs to the service.",
    ),
    CodeInfo::new(
        950,
        "cannot-listen",
        "The HTTP face cannot listen there. Another program may: choose with `--listen`.",
    ),
    CodeInfo::new(
        951,
        "no-token",
        "The request shows no token of this gateway, or one that expired or was revoked. `sluice gateway token add NAME` gives one out.",
    ),
    CodeInfo::new(952, "other-connector", "The token is not for this connector."),
    CodeInfo::new(953, "no-such-request", "No action of a contract has this method and path."),
    CodeInfo::new(
        954,
        "no-place",
        "Something in the request has no place in the contract: a parameter, a field, a part of the path.",
    ),
    CodeInfo::new(955, "body-too-long", "The request's body is too long."),
    CodeInfo::new(956, "too-many-executions", "Too many executions are under way at once."),
    CodeInfo::new(957, "service-refused", "The service refused the call, or could not be reached: it was not made."),
    CodeInfo::new(
        958,
        "in-doubt",
        "Nobody knows whether the call took effect. Look at the service before it is made again.",
    ),
    CodeInfo::new(
        959,
        "tokens-unreadable",
        "The file of tokens cannot be used. Restore it, or remove it and give out new ones.",
    ),
    CodeInfo::new(960, "token-exists", "There is a token of this name. Revoke it first."),
    CodeInfo::new(
        961,
        "no-such-token",
        "There is no token of this name; `sluice gateway token list` shows which there are.",
    ),
    CodeInfo::new(
        962,
        "token-unknowable",
        "Whose the access token is cannot be known now, because its provider's keys cannot be had; the gateway's own output says why. Ask again later.",
    ),
    CodeInfo::new(
        970,
        "foreign-place",
        "The request comes from a page of another site, or asks for a host that this gateway is not. `sluice gateway http --host NAME` says by which names it is called.",
    ),
    CodeInfo::new(
        971,
        "no-such-session",
        "There is no session of this id for this token: it is over, or was another's. The agent's host begins a new one.",
    ),
    CodeInfo::new(
        972,
        "head-and-body-differ",
        "What the request's head says of its body is not so: another revision, method or name. Whoever stands between would take it for another request.",
    ),
    CodeInfo::new(
        973,
        "no-such-media",
        "The body is no plain JSON, or the answer may be neither JSON nor a stream of events.",
    ),
    CodeInfo::new(
        974,
        "server-not-reached",
        "The server at the URL cannot be reached, or its address may not be: nothing was sent. What the gateway writes to its standard error says why.",
    ),
    CodeInfo::new(
        975,
        "request-refused",
        "The server at the URL refuses the request and does not say why in the protocol's words. Its HTTP status says the rest: 401 and 403 are about credentials.",
    ),
    CodeInfo::new(
        976,
        "unfollowed-mark",
        "The schema of a tool wants an argument in the head of requests (`x-mcp-header`), and says so as nobody can follow: not by the name of a header, twice, of something that is no text, whole number or truth value, or where the argument is not sure to be.",
    ),
    CodeInfo::new(
        977,
        "no-schema",
        "The file is no schema of a database: `CREATE TABLE` with the columns of each table, of any dialect, whole and within bounds.",
    ),
    CodeInfo::new(
        978,
        "no-envelope",
        "A request of the revision in which each stands alone does not say its revision or what its client can do, or wants to begin a session. Update the client, or let it speak an older revision.",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_page_lists_every_code_and_no_other() {
        let page = include_str!("../../../docs/gateway.md");
        let table = page.split("## Codes").nth(1).unwrap();
        let mut listed = BTreeSet::new();
        for line in table.lines().filter(|line| line.starts_with("| SL")) {
            let cell = line.split('|').nth(1).unwrap();
            for part in cell.split(',') {
                let numbers: Vec<u16> =
                    part.split('–').map(|code| code.trim().trim_start_matches("SL").parse().unwrap()).collect();
                listed.extend(numbers[0]..=*numbers.last().unwrap());
            }
        }
        let known: BTreeSet<u16> = CODES.iter().map(|info| info.code).collect();
        assert_eq!(listed.into_iter().filter(|code| *code >= 900).collect::<BTreeSet<_>>(), known);
        assert_eq!(CODES.iter().map(|info| info.name).collect::<BTreeSet<_>>().len(), CODES.len());
    }
}
