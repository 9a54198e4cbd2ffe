//! What a tool probably does, from its name, its hints and the names of its arguments.
//!
//! Hints only ever count against a tool, but for `readOnlyHint`, which counts where nothing in the name says otherwise.

use serde_json::Value as Json;
use sluice_core::gate::{Effect, Role};

use crate::tools::Tool;

/// What a tool probably does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guess {
    /// To the world.
    pub effect: Effect,
    /// Whether it destroys, pays, hands out rights or runs code.
    pub privileged: bool,
    /// What each argument decides.
    pub arguments: Vec<(String, Role)>,
    /// Of what leaves: the argument that says where to.
    pub destination: Option<String>,
    /// From what this was guessed.
    pub why: String,
}

const READ: &[&str] = &[
    "get",
    "list",
    "read",
    "search",
    "find",
    "fetch",
    "query",
    "view",
    "show",
    "lookup",
    "describe",
    "count",
    "check",
    "status",
    "info",
    "browse",
    "ls",
    "cat",
    "head",
    "tail",
    "stat",
    "tree",
    "history",
    "retrieve",
    "summarize",
    "echo",
    "diff",
    "compare",
    "whoami",
    "help",
    "calculate",
    "convert",
    "validate",
    "download",
    "open",
];
const EXECUTE: &[&str] = &[
    "run", "exec", "execute", "eval", "shell", "bash", "deploy", "apply", "invoke", "trigger", "restart", "kill",
    "install",
];
const GRANT: &[&str] =
    &["grant", "revoke", "invite", "promote", "demote", "authorize", "impersonate", "elevate", "unlock"];
/// Handing these out, or changing them, is handing out rights.
const RIGHTS: &[&str] = &[
    "role",
    "roles",
    "permission",
    "permissions",
    "member",
    "members",
    "admin",
    "password",
    "token",
    "access",
    "group",
    "owner",
    "collaborator",
    "user",
    "account",
    "policy",
    "mfa",
    "credential",
    "credentials",
    "key",
    "keys",
    "share",
];
const DESTROY: &[&str] = &[
    "delete",
    "remove",
    "drop",
    "purge",
    "erase",
    "wipe",
    "cancel",
    "destroy",
    "clear",
    "reset",
    "overwrite",
    "truncate",
    "unsubscribe",
    "disable",
    "terminate",
    "close",
    "archive",
];
const PAY: &[&str] = &[
    "pay",
    "transfer",
    "wire",
    "refund",
    "charge",
    "buy",
    "purchase",
    "withdraw",
    "deposit",
    "checkout",
    "donate",
    "payment",
    "payments",
    "transaction",
    "payout",
    "money",
    "funds",
];
const SEND: &[&str] = &[
    "send",
    "post",
    "publish",
    "email",
    "mail",
    "notify",
    "message",
    "dm",
    "tweet",
    "reply",
    "forward",
    "share",
    "upload",
    "push",
    "broadcast",
    "comment",
    "submit",
    "export",
    "sync",
    "sms",
    "announce",
];
const WRITE: &[&str] = &[
    "create",
    "update",
    "set",
    "write",
    "edit",
    "add",
    "save",
    "schedule",
    "move",
    "rename",
    "mark",
    "label",
    "insert",
    "append",
    "put",
    "patch",
    "modify",
    "change",
    "replace",
    "copy",
    "make",
    "complete",
    "assign",
    "book",
    "reserve",
    "accept",
    "decline",
    "enable",
    "subscribe",
    "import",
    "toggle",
    "merge",
    "commit",
    "register",
    "store",
    "upsert",
    "simulate",
    "start",
    "stop",
];

/// Why something counts as reading that has no name which says so.
pub(super) const SAID_TO_READ: &str = "its server says that it only reads";

/// What a tool probably does.
#[must_use]
pub fn guess(tool: &Tool) -> Guess {
    let words = words(&tool.name);
    let arguments: Vec<(String, Role)> =
        tool.arguments().map(|(name, schema)| (name.to_owned(), role(name, schema))).collect();
    let (effect, privileged, why) = effect(tool, &words, &arguments);
    let place = |wanted: Role| arguments.iter().find(|(_, role)| *role == wanted).map(|(name, _)| name.clone());
    let destination =
        if effect.is_outbound() { place(Role::Destination).or_else(|| place(Role::Recipient)) } else { None };
    match (effect.is_outbound(), &destination) {
        // Nothing says where to: it stays with the server, which may show it to anybody.
        (true, None) => Guess { effect: Effect::Write, privileged, arguments, destination, why },
        _ => Guess { effect, privileged, arguments, destination, why },
    }
}

fn effect(tool: &Tool, words: &[String], arguments: &[(String, Role)]) -> (Effect, bool, String) {
    let word = |list: &[&str]| words.iter().find(|word| list.contains(&word.as_str()));
    let destroys = tool.hint("destructiveHint") == Some(true);
    let changes =
        word(WRITE).or_else(|| word(DESTROY)).or_else(|| word(PAY)).or_else(|| word(SEND)).or_else(|| word(GRANT));
    let says = |word: &str, what: &str| format!("`{word}` in its name {what}");
    if let Some(found) = word(EXECUTE) {
        return (Effect::Execute, true, says(found, "runs something"));
    }
    // `list_users` reads them: only together with a word of change.
    let rights = changes.and_then(|_| word(RIGHTS));
    if let Some(found) = word(GRANT).or(rights) {
        return (Effect::Grant, true, says(found, "hands out rights"));
    }
    if let Some(found) = word(PAY)
        .filter(|found| PAY.iter().take(11).any(|verb| verb == found) || changes.is_some() && word(READ).is_none())
    {
        return (Effect::Export, true, says(found, "moves money"));
    }
    if let Some(found) = word(DESTROY) {
        return (Effect::Write, true, says(found, "destroys something"));
    }
    if let Some(found) = word(SEND).filter(|found| is_verb(words, found)) {
        return (Effect::Export, destroys, says(found, "sends something"));
    }
    if let Some(found) = word(WRITE) {
        return (Effect::Write, destroys, says(found, "changes something"));
    }
    let is_said = tool.hint("readOnlyHint") == Some(true);
    let read = word(READ).map(|found| says(found, "reads, and nothing in it changes anything"));
    let read = read.or_else(|| is_said.then(|| SAID_TO_READ.to_owned()));
    match read.filter(|_| !destroys) {
        Some(_) if arguments.iter().any(|(_, role)| *role == Role::Destination) => (
            Effect::Export,
            false,
            "it reads from a place that its caller names, and so can tell that place anything".to_owned(),
        ),
        Some(why) => (Effect::Read, false, why),
        None => (Effect::Write, true, "nothing says what it does, so it may do anything".to_owned()),
    }
}

/// Whether a word that is also a thing is what is done here: `list_messages` reads them.
fn is_verb(words: &[String], found: &str) -> bool {
    let reads = words.iter().position(|word| READ.contains(&word.as_str()));
    let at = words.iter().position(|word| word == found);
    reads.is_none_or(|reads| at.is_some_and(|at| at < reads))
}

const RECIPIENT: &[&str] = &[
    "to",
    "recipient",
    "recipients",
    "cc",
    "bcc",
    "email",
    "emails",
    "participants",
    "attendees",
    "invitees",
    "user",
    "users",
    "username",
    "member",
    "members",
    "phone",
    "channel",
    "channels",
    "chat",
    "room",
    "account",
    "iban",
    "beneficiary",
    "payee",
    "address",
    "audience",
    "person",
    "contact",
    "receiver",
    "assignee",
    "reviewer",
    "reviewers",
];
const DESTINATION: &[&str] = &[
    "url", "urls", "uri", "link", "host", "hostname", "domain", "endpoint", "webhook", "server", "site", "website",
    "bucket", "remote", "callback",
];
const QUERY: &[&str] =
    &["query", "q", "search", "filter", "where", "sql", "pattern", "keyword", "keywords", "expression"];
const COMMAND: &[&str] = &["command", "cmd", "code", "script", "shell", "program", "statement", "args"];
const AMOUNT: &[&str] = &["amount", "price", "sum", "total", "quantity", "budget"];
const REFERENCE: &[&str] = &[
    "id",
    "ids",
    "path",
    "paths",
    "file",
    "files",
    "filename",
    "folder",
    "directory",
    "key",
    "repo",
    "repository",
    "branch",
    "ticket",
    "issue",
    "event",
    "group",
    "role",
    "table",
    "document",
    "page",
    "source",
    "name",
];

fn role(name: &str, schema: &Json) -> Role {
    let words = words(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let is_url = schema.get("format").and_then(Json::as_str).is_some_and(|format| format.starts_with("uri"));
    let is_whole = schema.get("type").and_then(Json::as_str) == Some("integer");
    if has(DESTINATION) || is_url {
        Role::Destination
    } else if has(RECIPIENT) {
        Role::Recipient
    } else if has(COMMAND) {
        Role::Command
    } else if has(AMOUNT) && is_whole {
        Role::Amount
    } else if has(QUERY) {
        Role::Query
    } else if has(REFERENCE) {
        Role::Reference
    } else {
        Role::Payload
    }
}

/// The words of a name in small letters: `sendEmail`, `send_email`, `HTTPGet`.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let letters: Vec<char> = name.chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let after = letters.get(at + 1);
        let is_first = letter.is_uppercase()
            && (before.is_some_and(|b| b.is_lowercase() || b.is_numeric())
                || before.is_some_and(|b| b.is_uppercase()) && after.is_some_and(|a| a.is_lowercase()));
        if !letter.is_alphanumeric() || is_first {
            words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty()));
        }
        if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        }
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(name: &str, arguments: &[&str]) -> Guess {
        let properties: serde_json::Map<String, Json> =
            arguments.iter().map(|name| ((*name).to_owned(), json!({ "type": "string" }))).collect();
        guess(&Tool {
            name: name.to_owned(),
            definition: json!({ "name": name, "inputSchema": { "properties": properties } }),
        })
    }

    #[test]
    fn names_say_what_tools_do() {
        for (effect, privileged, names) in [
            (
                Effect::Read,
                false,
                "get_balance list_users readFile search_emails find-contacts HTTPGet get_most_recent_transactions list_messages read_channel_messages get_user_info view_permissions search_calendar_events",
            ),
            (
                Effect::Write,
                false,
                "create_event updateTicket write_file rename_folder mark_as_read add_label set_status",
            ),
            (Effect::Export, false, "send_email postMessage reply_to_ticket publish_page upload_file forward_email"),
            (Effect::Export, true, "send_money pay_invoice transfer_funds schedule_transaction refund"),
            (
                Effect::Grant,
                true,
                "grant_access invite_user add_user_to_channel update_password create_api_token set_role add_member share_file",
            ),
            (Effect::Execute, true, "run_command exec_sql deploy_service execute_workflow"),
            (Effect::Write, true, "delete_file cancel_event remove_tag reset_counter frobnicate do_it"),
        ] {
            for name in names.split(' ') {
                let guess = of(name, &["to"]);
                assert_eq!((guess.effect, guess.privileged), (effect, privileged), "{name}: {}", guess.why);
            }
        }
    }

    #[test]
    fn who_names_the_place_that_is_read_from_can_tell_it_anything() {
        assert_eq!(of("fetch_page", &["url"]).effect, Effect::Export);
        assert_eq!(of("get_webpage", &["link"]).effect, Effect::Export);
        assert_eq!(of("get_page", &["page_id"]).effect, Effect::Read);
    }

    #[test]
    fn names_of_arguments_say_what_they_decide() {
        let roles: Vec<Role> = of("x", &["to", "cc_emails", "body", "file_id", "webhookUrl", "sql", "cmd", "amount"])
            .arguments
            .into_iter()
            .map(|(_, role)| role)
            .collect();
        let (who, place, what) = (Role::Recipient, Role::Destination, Role::Reference);
        assert_eq!(roles, [who, who, Role::Payload, what, place, Role::Query, Role::Command, Role::Payload]);
    }

    #[test]
    fn a_hint_that_it_only_reads_counts_where_its_name_does_not_speak_against_it() {
        let hinted = |name: &str, hint: &str, is: bool| {
            guess(&Tool { name: name.to_owned(), definition: json!({ "annotations": { hint: is } }) })
        };
        assert_eq!(hinted("frobnicate", "readOnlyHint", true).effect, Effect::Read);
        assert_eq!(hinted("delete_all", "readOnlyHint", true).effect, Effect::Write);
        assert_eq!(hinted("send_email", "readOnlyHint", true).effect, Effect::Write);
        assert!(hinted("update_page", "destructiveHint", true).privileged);
    }
}
