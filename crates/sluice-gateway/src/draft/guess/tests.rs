//! What listings are drafted as.

use serde_json::{Value as Json, json};

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
fn what_a_description_says_in_so_many_words_counts_against_a_name_that_reads() {
    let effect = |name: &str, description: &str, arguments: Json| {
        let definition = json!({
            "description": description,
            "inputSchema": { "properties": arguments },
            "annotations": { "readOnlyHint": true },
        });
        guess(&Tool { name: name.to_owned(), definition }).effect
    };
    let id = || json!({ "id": { "type": "string" } });
    for description in [
        "Finds free slots. The best ones are put on everybody's calendar.",
        "Returns the report and emails it to the owner.",
        "Looks up the person; creates them if they are missing.",
        "The record is archived once it was read.",
        "Opening a page: the customer gets notified.",
        "Sends what was found.",
        "Finds or creates a customer.",
        "This tool books the best slot.",
        "Finds slots \u{2014} books them.",
        "Gets data! Sends it.",
        "The slot is then booked.",
        "The answer is sent to whoever asked, and then publishes the list.",
    ] {
        assert_ne!(effect("get_slots", description, id()), Effect::Read, "{description}");
        assert_ne!(effect("check_slots", description, id()), Effect::Read, "{description}");
    }
    for description in [
        "Retrieves users with their names, emails and types.",
        "Sheets are exported as CSV.",
        "Issues that somebody created, closed or merged.",
        "Get a user by id; the date when it was created is part of it.",
        "List orders and invoices, and posts of customers.",
    ] {
        assert_eq!(effect("get_slots", description, id()), Effect::Read, "{description}");
    }
    // A word that is said of deeds too needs more: nothing for people to read, and nothing that is ensured.
    assert_eq!(effect("check_slots", "Whether any is free.", id()), Effect::Read);
    let note = json!({ "id": { "type": "string" }, "note": { "type": "string" } });
    assert_ne!(effect("check_slots", "Whether any is free.", note.clone()), Effect::Read);
    assert_ne!(effect("show_message", "", json!({ "user": {}, "text": {} })), Effect::Read);
    let ensured = json!({ "spender": { "type": "string" }, "ensureAmount": { "type": "string" } });
    assert_ne!(effect("checkAllowance", "How much may be drawn.", ensured), Effect::Read);
}

#[test]
fn names_say_what_tools_do() {
    for (effect, privileged, names) in [
        (
            Effect::Read,
            false,
            "get_balance list_users readFile search_emails find-contacts HTTPGet get_most_recent_transactions list_messages read_channel_messages get_user_info view_permissions search_calendar_events",
        ),
        (Effect::Write, false, "create_event updateTicket write_file rename_folder mark_as_read add_label set_status"),
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
fn a_name_that_reads_and_acts_acts() {
    for (effect, names) in [
        (Effect::Write, "get_or_create_page view_and_acknowledge_alert check_in_guest openVisit read-then-archive"),
        (Effect::Grant, "getOrCreatePortalAccount get-or-create-token iam.bindings.set approve_request"),
        (Effect::Execute, "reports.run runReport execute sql_query search_and_execute"),
        (Effect::Write, "webhooks.subscribe createInboxRule dns.records.upsert merge-pull-request get_and_frob"),
    ] {
        for name in names.split(' ') {
            let guess = of(name, &["x"]);
            assert_eq!(guess.effect, effect, "{name}: {}", guess.why);
        }
    }
    for name in ["webhooks.update", "dns.records.upsert", "merge-pull-request", "get_and_frob", "orders.place"] {
        assert!(of(name, &["x"]).privileged, "{name}");
    }
    for name in
        ["get_issue", "mail_search", "list_orders", "logs.query", "get-pull-request", "searchFlights", "files.read"]
    {
        assert_eq!(of(name, &["x"]).effect, Effect::Read, "{name}");
    }
}

#[test]
fn what_reads_and_tells_others_does_more_than_read() {
    let listed = |name: &str, description: &str, properties: Json| {
        let hints = json!({ "readOnlyHint": true, "openWorldHint": false });
        let schema = json!({ "properties": properties, "$defs": { "who": { "properties": { "email": {} } } } });
        let definition = json!({ "description": description, "annotations": hints, "inputSchema": schema });
        guess(&Tool { name: name.to_owned(), definition })
    };
    let plain = json!({ "id": {} });
    assert_eq!(listed("get_report", "A report.", plain.clone()).effect, Effect::Read);
    assert_eq!(listed("find_drug", "Looks it up at MediFind (external).", plain.clone()).effect, Effect::Write);
    assert_eq!(listed("find_price", "Asks shops on the internet.", plain).effect, Effect::Write);
    let deep = json!({ "options": { "properties": { "notify": { "items": { "$ref": "#/$defs/who" } } } } });
    let told = listed("get_report", "A report.", deep);
    assert_eq!((told.effect, &told.arguments[..]), (Effect::Export, &[("options".to_owned(), Role::Recipient)][..]));
    assert_eq!(listed("get_rows", "Rows.", json!({ "sql": {} })).effect, Effect::Execute);
    let open = |kind: &str| {
        let schema = json!({ "properties": { "parcel": { "type": kind } } });
        json!({ "annotations": { "openWorldHint": true }, "inputSchema": schema })
    };
    let effect = |definition| guess(&Tool { name: "search_prices".to_owned(), definition }).effect;
    assert_eq!((effect(open("string")), effect(open("integer"))), (Effect::Write, Effect::Read));
    // A schema that goes in circles ends.
    let circle = json!({ "a": { "$ref": "#/properties/a" }, "b": { "items": { "$ref": "#" } } });
    assert_eq!(listed("get_tree", "A tree.", circle).effect, Effect::Read);
}

#[test]
fn what_its_server_says_only_reads_is_not_believed_where_it_takes_or_says_more() {
    let hinted = |name: &str, description: &str, properties: Json| {
        let (hints, schema) = (json!({ "readOnlyHint": true }), json!({ "properties": properties }));
        let definition = json!({ "description": description, "annotations": hints, "inputSchema": schema });
        let guess = guess(&Tool { name: name.to_owned(), definition });
        (guess.effect, guess.privileged)
    };
    let (read, unknown) = ((Effect::Read, false), (Effect::Write, true));
    assert_eq!(hinted("forecast", "The weather of a city.", json!({ "city": {} })), read);
    assert_eq!(hinted("line.divert", "Shows diverts.", json!({ "to": {} })), unknown);
    assert_eq!(hinted("cycle_count", "Checks a bin. The variance is posted.", json!({ "bin": {} })), unknown);
    assert_eq!(hinted("profile", "Shows or sets it.", json!({})), unknown);
    assert_eq!(hinted("profile", "About a person.", json!({ "note": {} })), unknown);
    // Also a name that reads is not believed then.
    assert_eq!(hinted("get_plan", "A plan.", json!({ "dry_run": { "type": "boolean" } })), (Effect::Write, false));
    let read_and_delete = json!({ "delete_after_reading": { "type": "boolean" } });
    assert_eq!(hinted("get_messages", "Messages.", read_and_delete), unknown);
    let kept = json!({ "store": { "description": "A path, or an upload URL" } });
    assert_eq!(hinted("get_snapshot", "A still.", kept).0, Effect::Export);
}

#[test]
fn what_an_argument_runs_is_run_whatever_the_name_says() {
    for (name, argument) in [("write_query", "sql"), ("read_query", "sql"), ("get_shell_output", "command")] {
        let guess = of(name, &[argument]);
        assert_eq!((guess.effect, guess.privileged), (Effect::Execute, true), "{name}: {}", guess.why);
    }
    let described = |description: &str| {
        let schema = json!({ "properties": { "code": { "type": "string" } } });
        let definition = json!({ "description": description, "inputSchema": schema });
        guess(&Tool { name: "get_result".to_owned(), definition }).effect
    };
    assert_eq!(described("Runs Python and returns what it prints."), Effect::Execute);
    assert_eq!(described("The country of a code."), Effect::Read);
    // As servers write it that have one model for all arguments.
    let model = json!({ "$defs": { "In": { "properties": { "url": {}, "sql": {} } } }, "properties": { "params": { "$ref": "#/$defs/In" } } });
    let inside = guess(&Tool { name: "query_db".to_owned(), definition: json!({ "inputSchema": model }) });
    assert_eq!(inside.effect, Effect::Execute);
}

#[test]
fn what_is_done_by_a_word_that_nobody_thought_of_is_done_all_the_same() {
    let described = |description: &str| {
        let definition = json!({ "description": description, "annotations": { "readOnlyHint": true } });
        guess(&Tool { name: "get_code".to_owned(), definition }).effect
    };
    for acts in [
        "The code of a door. If there is none yet, a new one is programmed into the lock.",
        "Compares the locks with a profile. A lock that deviates from the profile is then brought in line with it.",
        "The sheet of a guest. The lights are silently dimmed.",
        "The sheet of a guest. A lapsed card is permanently disabled, and the lights are then all dimmed.",
        "The code of a door. If there is none a new one will be programmed.",
        "The code of a door. A new one is\nprogrammed where there is none.",
        "The code of a door, which is reprogrammed.",
        "The lease of a flat. It is auto-renewed; the old one is overwritten.",
        "Get a message and mark it as read.",
        "Returns the guest's code, creating one if there is none yet.",
    ] {
        assert_ne!(described(acts), Effect::Read, "{acts}");
    }
    for reads in [
        "Shows changes that are staged.",
        "Codes, newest first; those of years ago are returned last and are not dimmed.",
        "Says whether the door is jammed. What is dimmed in the app is listed too.",
        "Codes can be programmed by the owner. Long lists are truncated, sorted and ordered by their date.",
        "This tool is designed to read codes. If a code is not known, an empty list is returned.",
    ] {
        assert_eq!(described(reads), Effect::Read, "{reads}");
    }
}

#[test]
fn a_word_that_is_also_a_thing_is_done_where_it_comes_first() {
    for name in [
        "run_query",
        "run_select_search",
        "start_search",
        "update_saved_search",
        "schedule_lookup",
        "status_update",
        "scan_start",
    ] {
        assert_ne!(of(name, &["x"]).effect, Effect::Read, "{name}");
    }
    for name in [
        "get_workflow_run",
        "list_deploy_previews",
        "github_list_issues",
        "get_last_update",
        "order_lookup",
        "resolve-library-id",
    ] {
        let read = of(name, &["x"]).effect == Effect::Read;
        assert_eq!(read, name != "resolve-library-id", "{name}: {}", of(name, &["x"]).why);
    }
}

#[test]
fn a_listing_that_means_harm_costs_little_and_is_believed_nothing() {
    let many: Vec<Json> = (0..200).map(|_| json!({ "$ref": "#/$defs/x" })).collect();
    let schema = json!({ "$defs": { "x": { "allOf": many } }, "properties": { "a": { "$ref": "#/$defs/x" } } });
    let definition = json!({ "inputSchema": schema });
    assert_eq!(guess(&Tool { name: "get_it".to_owned(), definition }).effect, Effect::Read);
    let wide: serde_json::Map<String, Json> = (0..9_000).map(|n| (format!("a{n}"), json!({}))).collect();
    let schema = json!({ "properties": { "a": { "properties": wide } } });
    let guess = guess(&Tool { name: "get_it".to_owned(), definition: json!({ "inputSchema": schema }) });
    assert_eq!(guess.effect, Effect::Export, "what is too much to read may be anything");
}

#[test]
fn amounts_are_bounded_in_whatever_form_and_asked_about_where_they_are_text() {
    let role = |name: &str, schema: Json| {
        let definition = json!({ "inputSchema": { "properties": { "amount": schema } } });
        guess(&Tool { name: name.to_owned(), definition }).arguments[0].1
    };
    assert_eq!(role("pay_bill", json!({ "type": "number" })), Role::Amount);
    assert_eq!(role("pay_bill", json!({ "anyOf": [{ "type": "number" }, { "type": "null" }] })), Role::Amount);
    assert_eq!(role("pay_bill", json!({ "type": "string" })), Role::Reference);
}

#[test]
fn what_is_followed_later_decides_like_a_command() {
    let roles = of("create_rule", &["text"]).arguments;
    assert_eq!(roles, [("text".to_owned(), Role::Command)]);
}

#[test]
fn of_what_nobody_knows_every_argument_decides() {
    let roles: Vec<Role> = of("frobnicate", &["widget", "body", "to"]).arguments.into_iter().map(|(_, r)| r).collect();
    assert_eq!(roles, [Role::Reference, Role::Payload, Role::Recipient]);
}

#[test]
fn names_of_arguments_say_what_they_decide() {
    let roles: Vec<Role> = of("send", &["to", "cc_emails", "body", "file_id", "webhookUrl", "sql", "cmd", "amount"])
        .arguments
        .into_iter()
        .map(|(_, role)| role)
        .collect();
    let (who, place, what) = (Role::Recipient, Role::Destination, Role::Reference);
    // Whoever sends by SQL or a command runs it, and much hangs on every argument of that.
    assert_eq!(roles, [who, who, Role::Payload, what, place, Role::Query, Role::Command, what]);
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
