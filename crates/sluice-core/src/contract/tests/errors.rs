//! What is wrong is said where it is wrong, all of it at once.

use insta::assert_snapshot;

use super::*;

fn crm(from: &str, to: &str) -> String {
    problems(&edited(&[("connectors/crm.yaml", from, to)]))
}

#[test]
fn a_contract_of_another_version_is_refused_before_its_other_keys_are_read() {
    assert_snapshot!(crm("version: 1\nconnector: crm", "version: 2\nconector: crm"), @"SL762 connectors/crm.yaml:1:10 this release reads version 1, found version 2");
    assert_snapshot!(crm("version: 1", "version: \"1\""), @"SL762 connectors/crm.yaml:1:10 this release reads version 1, found version `1`");
    assert_snapshot!(problems(&edited(&[("registers/regions.yaml", "version: 1", "version: 7")])), @"SL762 registers/regions.yaml:1:10 this release reads version 1, found version 7");
}

#[test]
fn a_misspelled_allow_is_no_silent_permission() {
    assert_snapshot!(crm("allow: [id", "alow: [id"), @"SL117 connectors/crm.yaml:12:46 unknown key `alow` in an argument; did you mean `allow`?");
}

#[test]
fn every_problem_of_every_file_is_shown_at_once() {
    let files = edited(&[
        ("connectors/crm.yaml", "effect: read", "effect: reed"),
        ("connectors/crm.yaml", "[financial]", "[finacial]"),
        ("connectors/crm.yaml", "region: eu", "region: mars"),
        ("connectors/sheets.yaml", "destination: sheets-us", "destination: sheets-eu"),
        ("registers/classification.yaml", "owner: health-office", "owner: helth-office"),
        ("registers/principals.yaml", "manager: cleo", "manager: domain-admins"),
        ("workspace.yaml", "mode: test", "mode: prod"),
    ]);
    assert_snapshot!(problems(&files), @r"
    SL119 connectors/crm.yaml:9:13 `effect` is `reed`; allowed are `read`, `write`, `export`, `grant`, `execute`, `notify`
    SL764 registers/principals.yaml:3:38 `domain-admins` is a group, not a person
    SL119 workspace.yaml:3:7 `mode` is `prod`; allowed are `demo`, `test`, `production`
    SL764 registers/classification.yaml:8:17 `helth-office` is not a person or group of the principals register; did you mean `health-office`?
    SL764 connectors/crm.yaml:5:9 `mars` is not in the regions register
    SL764 connectors/crm.yaml:22:33 `finacial` is not in the classification register; did you mean `financial`?
    SL764 connectors/sheets.yaml:13:18 `sheets-eu` is not in the destinations register; did you mean `sheets-us`?
    ");
}

#[test]
fn an_entry_with_errors_of_its_own_is_not_reported_again_where_it_is_named() {
    let files = edited(&[("registers/classification.yaml", "owner: finance, purposes", "ownr: finance, purposes")]);
    assert_snapshot!(problems(&files), @r"
    SL116 registers/classification.yaml:6:14 a category has no `owner`
    SL117 registers/classification.yaml:6:16 unknown key `ownr` in a category; did you mean `owner`?
    ");
    let files = edited(&[("registers/regions.yaml", "version: 1", "version: 1\nbad: [")]);
    assert_snapshot!(problems(&files), @"SL101 registers/regions.yaml:4:5 while parsing a flow mapping, did not find expected ',' or '}'");
}

#[test]
fn two_actions_that_one_url_could_mean_are_refused() {
    let second = "  accounts.show:\n    effect: read\n    request: { method: GET, path: \"/{kind}\" }\n    arguments: { kind: {} }\n";
    assert_snapshot!(crm("  accounts.list:\n", &format!("{second}  accounts.list:\n")), @"SL766 connectors/crm.yaml:10:14 `crm.accounts.show` and `crm.accounts.list` (connectors/crm.yaml) both match `GET https://crm.example.com/{kind}`");
    let files = edited(&[
        ("connectors/sheets.yaml", "https://sheets.example.com/v1", "https://directory.example.com"),
        ("connectors/sheets.yaml", "/sheets/{name}/rows", "/groups/{name}/{rows}"),
        ("connectors/sheets.yaml", ", body: [rows]", ""),
    ]);
    assert_snapshot!(problems(&files), @"SL766 connectors/sheets.yaml:8:14 `sheets.rows.write` and `directory.members.add` (connectors/directory.yaml) both match `POST https://directory.example.com/groups/{name}/{rows}`");
    let other_method = second.replace("GET", "HEAD");
    assert_eq!(crm("  accounts.list:\n", &format!("{other_method}  accounts.list:\n")), "no problem");
}

#[test]
fn arguments_have_exactly_one_place() {
    let request = "request: { method: GET, path: /accounts }";
    assert_snapshot!(crm(request, "request: { method: GET, path: \"/accounts/{acount}\" }"), @"SL767 connectors/crm.yaml:10:35 `acount` is not an argument of this action");
    assert_snapshot!(crm(request, "request: { method: GET, path: /accounts, query: [month, fields, month] }"), @"SL767 connectors/crm.yaml:10:69 `month` has two places");
    assert_snapshot!(crm(request, "request: { method: GET, path: /accounts, headers: { Authorization: month } }"), @"SL767 connectors/crm.yaml:10:57 `Authorization` is no header that an argument may fill");
    assert_snapshot!(crm(request, "request: { method: GET, path: /accounts, body: [month] }"), @"SL767 connectors/crm.yaml:10:14 `GET` has no body");
    assert_snapshot!(crm(request, "request: { method: POST, path: /accounts, body: fields }"), @r"
    SL767 connectors/crm.yaml:14:7 `limit` has no place: the whole body is another argument
    SL767 connectors/crm.yaml:13:7 `month` has no place: the whole body is another argument
    ");
    assert_snapshot!(crm(request, "request: { method: GET, path: \"/a{month}/x\" }"), @"SL768 connectors/crm.yaml:10:35 `path` is `/a{month}/x`: it must be `/segments` in which `{argument}` is a whole one");
    let sql = |from, to| problems(&edited(&[("connectors/ledgers.yaml", from, to)]));
    assert_snapshot!(sql("month = :month", "month = :moth"), @r"
    SL767 connectors/ledgers.yaml:9:27 `moth` is not an argument of this action; did you mean `month`?
    SL767 connectors/ledgers.yaml:10:18 `month` has no place in the statement
    ");
    assert_snapshot!(sql("month = :month", "month = :month; DELETE FROM totals"), @"SL783 connectors/ledgers.yaml:9:27 it holds more than one statement");
    let files = |from, to| problems(&edited(&[("connectors/archive.yaml", from, to)]));
    assert_snapshot!(files("{month}.jsonl", "../{month}.jsonl"), @"SL768 connectors/archive.yaml:9:22 `../{month}.jsonl` must be a plain path inside the folder");
    assert_snapshot!(files("{month}.jsonl", "{moth}.jsonl"), @r"
    SL767 connectors/archive.yaml:9:22 `moth` is not an argument of this action; did you mean `month`?
    SL767 connectors/archive.yaml:10:18 `month` has no place: the file's name does not hold it, and only `rows` is written
    ");
}

#[test]
fn csv_is_written_under_columns_that_the_contract_lists() {
    let files = |request: &str, arguments: &str| {
        problems(&edited(&[
            ("connectors/archive.yaml", "format: jsonl", "format: csv"),
            ("connectors/archive.yaml", "{ file: \"{month}.jsonl\", operation: append }", request),
            (
                "connectors/archive.yaml",
                "{ month: { role: reference }, rows: { role: payload, required: true } }",
                arguments,
            ),
        ]))
    };
    let arguments = "{ month: {}, rows: { role: payload } }";
    let columns =
        |listed: &str| files(&format!("{{ file: \"{{month}}.csv\", operation: append, {listed} }}"), arguments);
    assert_eq!(columns("columns: [id, name]"), "no problem");
    assert_eq!(columns("columns: [id, name], formulas: keep"), "no problem");
    assert_snapshot!(columns("formulas: quote"), @"SL785 connectors/archive.yaml:9:14 CSV cannot be written without `columns`");
    assert_snapshot!(columns("columns: []"), @"SL785 connectors/archive.yaml:9:65 `columns` lists nothing");
    assert_snapshot!(columns("columns: id"), @"SL118 connectors/archive.yaml:9:65 `columns` must be a list, found text");
    assert_snapshot!(columns("columns: [id, id, =1, \" x\", \"a\\nb\", \"\"], formulas: maybe"), @r"
    SL119 connectors/archive.yaml:9:107 `formulas` is `maybe`; allowed are `quote`, `keep`
    SL119 connectors/archive.yaml:9:92 `columns` is empty
    SL785 connectors/archive.yaml:9:70 the column `id` is listed twice
    SL785 connectors/archive.yaml:9:74 the column `=1` starts like a formula
    SL785 connectors/archive.yaml:9:78 the column ` x` has blanks around it or characters that cannot be seen
    SL785 connectors/archive.yaml:9:84 the column `a\nb` has blanks around it or characters that cannot be seen
    ");
    assert_snapshot!(files("{ file: \"{month}.csv\", operation: read, columns: [id] }", "{ month: {} }"), @"SL779 connectors/archive.yaml:9:63 only what writes CSV names columns and formulas");
    assert_snapshot!(files("{ file: \"{rows}.csv\", operation: replace, columns: [id] }", arguments), @r"
    SL767 connectors/archive.yaml:10:18 `month` has no place: the file's name does not hold it, and only `rows` is written
    SL767 connectors/archive.yaml:9:14 `rows` has two places: the file's name and its content
    ");
    assert_snapshot!(files("{ file: a.csv, operation: replace, columns: [id] }", "{ records: { role: payload } }"), @r"
    SL767 connectors/archive.yaml:10:18 `records` has no place: the file's name does not hold it, and only `rows` is written
    SL767 connectors/archive.yaml:9:14 what writes a file has the argument `rows`, and it is not declared
    ");
    let lines = edited(&[("connectors/archive.yaml", "operation: append", "operation: append, columns: [id]")]);
    assert_snapshot!(problems(&lines), @"SL779 connectors/archive.yaml:9:67 only what writes CSV names columns and formulas");
}

#[test]
fn a_secret_fills_a_header_or_a_field_and_has_no_value_of_its_own() {
    let sheets = |request: &str, key: &str| {
        let arguments = format!("arguments:\n      key: {key}");
        problems(&edited(&[
            ("connectors/sheets.yaml", "body: [rows] }", request),
            ("connectors/sheets.yaml", "arguments:", &arguments),
        ]))
    };
    let key = "{ secret: sheet-key, required: true }";
    assert_eq!(sheets("headers: { X-Key: key }, body: [rows] }", key), "no problem");
    assert_eq!(sheets("body: [rows, key] }", key), "no problem");
    let refused = "SL767 connectors/sheets.yaml:11:7 the secret of `key` may fill a header, or a field of a body that no model reads";
    for request in ["query: [key] }", "body: key, query: [rows] }"] {
        assert_eq!(sheets(request, key), refused, "{request}");
    }
    for (file, from) in [
        ("connectors/assistant.yaml", "prompt: { role: payload, required: true }"),
        ("connectors/ledgers.yaml", "month: { role: query, required: true }"),
        ("connectors/archive.yaml", "month: { role: reference }"),
        ("connectors/tickets.yaml", "id: { role: reference }"),
    ] {
        let name = from.split(':').next().unwrap();
        let found = problems(&edited(&[(file, from, &format!("{name}: {{ secret: s }}"))]));
        let refused = format!("the secret of `{name}` may fill a header, or a field of a body that no model reads");
        assert!(found.starts_with("SL767") && found.ends_with(&refused), "{found}");
    }
    for (key, has) in
        [("role: payload", "role"), ("allow: [x]", "allow"), ("resolve: d", "resolve"), ("reference: r", "reference")]
    {
        let found = sheets("body: [rows, key] }", &format!("{{ secret: s, {key} }}"));
        let refused = format!(
            "SL776 connectors/sheets.yaml:11:7 an argument that a secret fills has no value of its own, and so no `{has}`"
        );
        assert_eq!(found, refused);
    }
    assert!(sheets("body: [rows, key] }", "{ secret: \"a b\" }").starts_with("SL763"));
}

#[test]
fn an_export_goes_somewhere() {
    let without = problems(&edited(&[("connectors/sheets.yaml", "    destination: sheets-us\n", "")]));
    assert_snapshot!(without, @"SL769 connectors/sheets.yaml:6:3 an action that is `export` sends data nowhere");
    let argument = |name: &str| {
        let to = format!("destination: {{ argument: {name} }}");
        problems(&edited(&[("connectors/sheets.yaml", "destination: sheets-us", &to)]))
    };
    assert_snapshot!(argument("nam"), @"SL767 connectors/sheets.yaml:13:30 `nam` is not an argument of this action; did you mean `name`?");
    assert_eq!(argument("name"), "no problem");
}

#[test]
fn a_base_means_one_host_to_every_reader() {
    let base = |to: &str| crm("\"https://crm.example.com\"", to);
    for bad in [
        "\"ftp://crm.example.com\"",
        "\"http://crm.example.com\"",
        "\"https://CRM.example.com\"",
        "\"https://crm.example.com:443\"",
        "\"https://crm.example.com:080\"",
        "\"https://user@crm.example.com\"",
        "\"https://crm.example.com?x\"",
        "\"https://crm.example.com/a/../b\"",
        "\"https://\"",
        "\"https://crm.example.com/č\"",
    ] {
        let found = base(bad);
        assert!(found.starts_with("SL770 connectors/crm.yaml:3:28"), "{bad}: {found}");
    }
    assert_eq!(base("\"https://crm.example.com:8443/v2/\""), "no problem");
    assert_eq!(base("\"http://127.0.0.1:4100\", allow_private: true"), "no problem");
    assert_eq!(base("\"http://[::1]:4100\", allow_private: true"), "no problem");
}

#[test]
fn a_model_cannot_be_vouched_for() {
    let with = |output: &str| {
        let to = format!("arguments: {{ prompt: {{ role: payload, required: true }} }}\n    output: {output}");
        problems(&edited(&[(
            "connectors/assistant.yaml",
            "arguments: { prompt: { role: payload, required: true } }",
            &to,
        )]))
    };
    assert_snapshot!(with("{ from: replace, trust: { \"/x\": trusted }, dataset: d }"), @r"
    SL771 connectors/assistant.yaml:9:21 a model's reply cannot `replace` its prompt
    SL771 connectors/assistant.yaml:9:37 a model's reply cannot be `trusted`
    SL779 connectors/assistant.yaml:9:65 a model keeps no dataset
    ");
    assert_eq!(with("{ from: merge, trust: { \"\": origin }, labels: { \"\": [internal] } }"), "no problem");
}

#[test]
fn contradictions_and_slips_are_refused() {
    assert_snapshot!(problems(&edited(&[("connectors/directory.yaml", "effect: grant", "effect: grant\n    privileged: false")])), @"SL776 connectors/directory.yaml:9:17 `grant` is privileged by what it does");
    assert_snapshot!(crm("transport: { http:", "transport: { sql: { database: d }, http:"), @"SL776 connectors/crm.yaml:3:12 a transport is exactly one of `http`, `sql`, `files`, `model` and `mcp`");
    assert_snapshot!(crm("allow: [id, name, balance, last_position, health_note]", "allow: []"), @"SL780 connectors/crm.yaml:12:53 `allow` lists nothing");
    assert_snapshot!(crm("\"/accounts/*/name\"", "\"accounts/*/name\""), @"SL768 connectors/crm.yaml:21:9 `accounts/*/name` is no path");
    assert_snapshot!(crm("limit: { role: amount }", "limit: { role: amount }\n    idempotency: { key: K, lookup: accounts.list }"), @"SL776 connectors/crm.yaml:15:18 `idempotency` is exactly one of `key` and `lookup`");
    assert_snapshot!(problems(&edited(&[("connectors/sheets.yaml", "idempotency: { key: Idempotency-Key }", "idempotency: { lookup: rows.write }")])), @"SL772 connectors/sheets.yaml:9:18 `rows.write` is `export`: asking whether an effect happened must not cause one");
    assert_snapshot!(problems(&edited(&[("connectors/sheets.yaml", "bytes: 1MiB, timeout: 30s", "bytes: 1 mile, timeout: 30")])), @r"
    SL777 connectors/sheets.yaml:15:37 `bytes` cannot be `1 mile`
    SL777 connectors/sheets.yaml:15:54 `timeout` cannot be `30`
    ");
    assert_snapshot!(problems(&edited(&[("connectors/archive.yaml", "owner: sales\n", "")])), @"SL773 connectors/archive.yaml:10:126 `archive` has a rule on its output and no owner");
    assert_snapshot!(problems(&edited(&[("connectors/archive.yaml", "folder: data/archive", "folder: ../archive")])), @"SL782 connectors/archive.yaml:3:31 `folder` must be a plain path inside the workspace");
    assert_snapshot!(problems(&edited(&[("registers/classification.yaml", "only: [eu, us]", "only: []")])), @"SL780 registers/classification.yaml:5:72 `only` lists nothing");
    assert_snapshot!(crm("connector: crm", "connector: \"c:rm\""), @"SL763 connectors/crm.yaml:2:12 `c:rm` cannot be a name");
    assert_snapshot!(crm("connector: crm", "connector: sheets"), @"SL765 connectors/sheets.yaml:2:12 two contracts describe connector `sheets`");
}

#[test]
fn a_version_is_found_by_a_read_of_the_same_connector() {
    let directory = |from, to| problems(&edited(&[("connectors/directory.yaml", from, to)]));
    assert_snapshot!(directory("version: groups.show", "version: group.show"), @"SL786 connectors/directory.yaml:12:7 `group.show` is not an action of `directory`; did you mean `groups.show`?");
    assert_snapshot!(directory("version: groups.show", "version: members.add"), @"SL786 connectors/directory.yaml:12:7 `members.add` is `grant`: finding a version must change nothing");
    assert_snapshot!(directory("reference: group, version", "version"), @"SL786 connectors/directory.yaml:12:7 `group` has a `version` and no `reference`: it refers to nothing");
    assert_snapshot!(directory("arguments: { group: { role: reference } }", "arguments: { group: { role: reference }, page: { required: true } }"), @"SL786 connectors/directory.yaml:12:7 `groups.show` requires `page`, which this action does not have");
    assert_snapshot!(directory("path: \"/groups/{group}\" }\n    arguments: { group: { role: reference } }", "path: \"/groups/{group}\", headers: { X-Key: key } }\n    arguments: { group: { role: reference }, key: { required: true, secret: desk } }"), @"SL786 connectors/directory.yaml:12:7 `groups.show` requires `key`, which only a handle in a definition's text fills");
    assert_snapshot!(directory("path: \"/groups/{group}\" }\n    arguments: { group: { role: reference } }", "path: /groups }"), @"SL786 connectors/directory.yaml:12:7 `groups.show` takes no `group`, so it cannot tell that object's version");
}

#[test]
fn nobody_releases_what_is_not_theirs() {
    let release = |from, to| problems(&edited(&[("registers/releases.yaml", from, to)]));
    assert_snapshot!(release("by: health-office", "by: it"), @"SL774 registers/releases.yaml:5:28 `it` cannot release `phi`, which `health-office` owns");
    assert_snapshot!(release("clears: { origins: [tickets", "clears: { origins: [crm"), @"SL774 registers/releases.yaml:9:25 `it` may not vouch for `crm`");
    assert_snapshot!(release("accepts: []", "accepts: [author]"), @"SL774 registers/releases.yaml:10:15 `it` may not vouch for `author`");
    assert_snapshot!(release("kind: approval", "kind: aproval"), @"SL119 registers/releases.yaml:15:11 `kind` is `aproval`; allowed are `approval`");
    assert_snapshot!(release("kind: approval", "kind: approval\n    mask: [\"\"]"), @"SL776 registers/releases.yaml:12:3 `seen-words` must have exactly one of `drop`, `mask`, `allow` and `kind`");
    assert_snapshot!(release("drop: [\"/*/health_note\"]", "drop: [\"/*/health_note\"]\n    mask: [\"\"]"), @"SL776 registers/releases.yaml:3:3 `without-health` must have exactly one of `drop`, `mask`, `allow` and `kind`");
    assert_snapshot!(release("origins: [tickets, \"model:recorded-1\"]", "origins: [ticket, \"model:recorded-2\", \"person:eve\"]"), @r"
    SL764 registers/releases.yaml:9:25 `ticket` is no origin; did you mean `tickets`?
    SL764 registers/releases.yaml:9:33 `recorded-2` is no model that a contract reaches; did you mean `recorded-1`?
    SL764 registers/releases.yaml:9:53 `eve` is not a person of the principals register
    ");
}

#[test]
fn principals_are_distinct_and_their_keys_their_own() {
    let key = |name, seed| key::SecretKey::from_seed(name, [seed; 32]).public().to_line(name);
    let with = |ana: String, ben: String| {
        let (to_ana, to_ben) = (format!("ana: {{ keys: [\"{ana}\"],"), format!("ben: {{ keys: [\"{ben}\"],"));
        let edits = [
            ("registers/principals.yaml", "ana: {", to_ana.as_str()),
            ("registers/principals.yaml", "ben: {", to_ben.as_str()),
        ];
        problems(&edited(&edits))
    };
    assert_eq!(with(key("ana", 1), key("ben", 2)), "no problem");
    assert_snapshot!(with(key("ana", 1), key("ana", 2)), @"SL778 registers/principals.yaml:4:17 this is the key of `ana`, listed under `ben`");
    assert_snapshot!(with(key("ana", 1), key("ben", 1)), @"SL765 registers/principals.yaml:4:17 this key is listed twice");
    assert_snapshot!(with(key("ana", 1), "sluice-public-key-1 ben".to_owned()), @"SL778 registers/principals.yaml:4:17 this is no Sluice key line");
    let principals = |from, to| problems(&edited(&[("registers/principals.yaml", from, to)]));
    assert_snapshot!(principals("backup: { owner: it", "ben: { owner: it"), @r"
    SL765 registers/principals.yaml:13:3 `ben` names two principals
    SL764 registers/principals.yaml:11:54 `backup` is not a person, group or service of the principals register
    ");
    assert_snapshot!(principals("members: [ana, cleo]", "members: [ana, recorded-1]"), @"SL764 registers/principals.yaml:7:27 `recorded-1` is a model, not a person, group or service");
}

#[test]
fn a_mail_address_is_one_and_nothing_beside_it() {
    let with = |mail: &str| {
        let to = format!("cleo: {{ mail: {mail},");
        problems(&edited(&[("registers/principals.yaml", "cleo: {", &to)]))
    };
    for good in ["ben@example.com", "ben.osei+sluice@mail.example.com", "root@localhost"] {
        assert_eq!(with(good), "no problem", "{good}");
    }
    let long = format!("{}@example.com", "b".repeat(260));
    let odd = [
        "ben",
        "\"ben@\"",
        "\"@example.com\"",
        "ben@ex@ample.com",
        "\"Ben <ben@example.com>\"",
        "\"ben@example.com, eve@evil.example\"",
        "\"ben@example.com\\nBcc: eve@evil.example\"",
        "ben@example..com",
        ".ben@example.com",
        "\"ben@exämple.com\"",
        &long,
    ];
    for odd in odd {
        assert!(with(odd).starts_with("SL759 registers/principals.yaml:5:17 "), "{odd}: {}", with(odd));
    }
}

#[test]
fn an_identity_is_one_name_at_one_provider_and_somebodys_own() {
    let principals = |to: &str| problems(&edited(&[("registers/principals.yaml", "ben: {", to)]));
    let with = |issuer: &str, subject: &str| {
        principals(&format!("ben: {{ identities: [{{ issuer: \"{issuer}\", subject: {subject} }}],"))
    };
    assert_eq!(with("https://login.example.com", "00u2ben"), "no problem");
    assert_eq!(with("https://id.example.com", "00u1ana"), "no problem");
    assert_snapshot!(with("https://login.example.com", "00u1ana"), @"SL765 registers/principals.yaml:4:23 this identity is listed twice");
    assert_snapshot!(with("login.example.com", "00u2ben"), @"SL788 registers/principals.yaml:4:33 `login.example.com` is no issuer");
    assert_snapshot!(with("https://login.example.com/?a=b", "00u2ben"), @"SL788 registers/principals.yaml:4:33 `https://login.example.com/?a=b` is no issuer");
    assert_snapshot!(principals("ben: { identities: [{ subject: x }],"), @"SL116 registers/principals.yaml:4:23 an identity has no `issuer`");
}

#[test]
fn a_workspace_says_what_it_is() {
    let mut files = workspace();
    files.remove("workspace.yaml");
    assert_snapshot!(problems(&files), @"SL775 workspace.yaml:1:1 `workspace.yaml` is missing");
    let mut files = workspace();
    files.insert("registers/destination.yaml".to_owned(), "version: 1\n".to_owned());
    assert_snapshot!(problems(&files), @"SL764 registers/destination.yaml:1:1 `registers/destination.yaml` is no register");
}

#[test]
fn bytes_that_are_no_text_are_refused_with_their_place() {
    let files = [("workspace.yaml", b"version: 1\nname: \xff".as_slice())];
    let found = Governance::read(files).unwrap_err();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].diagnostic.code.0, found[0].diagnostic.span.line), (109, 2));
}

proptest::proptest! {
    #[test]
    fn damaged_files_are_problems_and_never_a_panic(
        file in 0_usize..14, at in proptest::prelude::any::<proptest::sample::Index>(), cut in 0_usize..40, put in "[\\PC\n]{0,6}",
    ) {
        let mut files = workspace();
        let text = files.values_mut().nth(file).unwrap();
        let chars: Vec<char> = text.chars().collect();
        let at = at.index(chars.len());
        let (head, tail) = (&chars[..at], chars.get(at + cut..).unwrap_or_default());
        *text = head.iter().copied().chain(put.chars()).chain(tail.iter().copied()).collect();
        if let Err(problems) = read(&files) {
            proptest::prop_assert!(!problems.is_empty());
            proptest::prop_assert!(problems.iter().all(|p| p.diagnostic.span.line > 0 && !p.diagnostic.message.is_empty()));
        }
    }
}

#[test]
fn a_sandbox_names_hosts_and_whole_paths() {
    let mailbox = |from: &str, to: &str| problems(&edited(&[("connectors/mailbox.yaml", from, to)]));
    for host in
        ["https://mail.example.com", "mail.example.com:0", "Mail.example.com", "mail.example.com/x", "*.example.com"]
    {
        let said = mailbox("[mail.example.com,", &format!("[\"{host}\","));
        assert!(said.starts_with("SL770 connectors/mailbox.yaml:7:24") && said.contains(host), "{said}");
    }
    for path in ["opt/mail-server", "/opt/../etc", "/", "/opt//x", "~/x"] {
        let said = mailbox("/opt/mail-server", &format!("\"{path}\""));
        assert!(said.starts_with("SL782 connectors/mailbox.yaml:7:") && said.contains(path), "{said}");
    }
    assert_snapshot!(mailbox("write: [", "writes: ["), @"SL117 connectors/mailbox.yaml:7:115 unknown key `writes` in a sandbox; did you mean `write`?");
}
