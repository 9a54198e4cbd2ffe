//! Every refusal, with its place.

use insta::assert_snapshot;

use super::{definition, listed, refused};
use crate::dsl::{CODES, lower, lower_bytes};
use crate::text::Text;

#[test]
fn every_error_is_reported_at_once() {
    let text = r#"do:
- a: { set: { x: '${ .a + }' }, then: nowhere }
- a: { st: {} }
- b: { set: 1, wait: PT1S }
- c: { wait: soon, thn: d }
- d: { call: crm }
- e: { if: 5, set: { a: '${ .x' } }
- f
- g: { call: crm.get, with: { a: '${ $ipnut }' } }"#;
    assert_snapshot!(refused(text), @r#"
    SL120 3:27 expected a value such as `.field`, `$name` or a literal, found the end
    SL125 3:39 this list has no task `nowhere`
    SL126 4:3 this list has two tasks named `a`
    SL129 4:3 task `a` does not say what it does
    SL129 5:3 task `b` has both `set` and `wait`
    SL119 6:14 `wait` is no duration of a fixed length, such as `PT1M30S` or `minutes: 1`
    SL117 6:20 unknown key `thn` in a task; did you mean `then`?
    SL127 7:14 `crm` is no function, and no action `connector.action`
    SL118 8:12 `if` must be text, found a number
    SL120 8:26 `${` has no `}`
    SL119 9:3 a list item must be `name: …`, found text
    SL124 10:38 `$ipnut` is not known here
    "#);
}

#[test]
fn a_definition_needs_its_parts() {
    let text = r#"use: { secret: [] }
scheduel: {}"#;
    assert_snapshot!(refused(text), @r#"
    SL116 1:1 a definition has no `do`
    SL117 2:8 unknown key `secret` in `use`; did you mean `secrets`?
    SL117 3:1 unknown key `scheduel` in a definition; did you mean `schedule`?
    "#);
}

#[test]
fn clocks_and_secrets_stay_outside() {
    let text = r#"use: { secrets: [key] }
do:
- a: { set: { t: '${ $task.startedAt.epoch }', w: '${ $workflow.startedAt }', n: '${ now }' } }
- b: { set: { k: '${ $secrets.key }' } }
- c: { call: crm.get, with: { k: '${ $secrets.other }', l: 'Bearer ${ $secrets.key }', m: '${ $secrets.key.part }', n: '${ "a \($secrets.key)" }' } }
- d: { call: release, with: { entry: e, value: '${ $secrets.key }' } }
- e: { call: crm.get, with: { a: { b: '${ $secrets.key }' }, c: ['${ $secrets.key }'] } }
- f: { call: http, with: { method: get, endpoint: 'https://a.example/{b}?c=${ $secrets.key }', query: '${ $secrets.key }' } }"#;
    assert_snapshot!(refused(text), @r#"
    SL122 4:22 `$task.startedAt.epoch` is a clock
    SL122 4:55 `$workflow.startedAt` is a clock
    SL122 4:86 `now` reads or formats the time
    SL123 5:22 `$secrets.key` is no declared secret, or cannot be read here
    SL123 6:38 `$secrets.other` is no declared secret, or cannot be read here
    SL123 6:71 `$secrets.key` is no declared secret, or cannot be read here
    SL123 6:95 `$secrets.key.part` is no declared secret, or cannot be read here
    SL123 6:129 `$secrets.key` is no declared secret, or cannot be read here
    SL123 7:52 `$secrets.key` is no declared secret, or cannot be read here
    SL123 8:43 `$secrets.key` is no declared secret, or cannot be read here
    SL123 8:70 `$secrets.key` is no declared secret, or cannot be read here
    SL123 9:79 `$secrets.key` is no declared secret, or cannot be read here
    SL123 9:107 `$secrets.key` is no declared secret, or cannot be read here
    "#);
}

#[test]
fn descriptors_that_a_run_does_not_have_are_named() {
    let text = r#"do:
- a: { set: { i: '${ $task.input }', d: '${ $workflow.definition.do }', a: '${ $authorization.scheme }', w: '${ $workflow }' } }"#;
    assert_snapshot!(refused(text), @r#"
    SL146 3:22 `$task.input` is not supported
    SL146 3:45 `$workflow.definition.do` is not supported
    SL146 3:80 `$authorization` is not supported
    SL146 3:113 `$workflow` is not supported
    "#);
}

#[test]
fn then_leads_only_into_its_own_list() {
    let text = r#"do:
- a:
    do:
    - b: { set: {}, then: c }
- c: { set: { x: 1 }, then: b }
- d: { switch: [{ one: { when: .x, then: cc } }, { two: { then: a } }, { three: { then: a } }] }"#;
    assert_snapshot!(refused(text), @r#"
    SL125 5:27 this list has no task `c`
    SL125 6:29 this list has no task `b`
    SL125 7:42 this list has no task `cc`
    SL119 7:74 only one case may have no `when`
    "#);
}

#[test]
fn references_must_be_defined() {
    let text = r#"use: { errors: { late: { type: a, status: 1 } }, retries: { often: { delay: P1Y } } }
do:
- a: { raise: { error: lat } }
- b: { try: [], catch: { retry: oftn } }
- c: { set: { a: 1 }, timeout: short }"#;
    assert_snapshot!(refused(text), @r#"
    SL119 2:77 `delay` is no duration of a fixed length, such as `PT1M30S` or `minutes: 1`
    SL127 4:24 error `lat` is not defined; did you mean `late`?
    SL127 5:33 retry policy `oftn` is not defined; did you mean `often`?
    SL127 6:32 timeout `short` is not defined
    "#);
}

#[test]
fn protocols_and_functions_are_not_supported_each_by_name() {
    let text = r#"use: { functions: { f: { set: {} } } }
do:
- a: { call: grpc, with: {} }
- b: { call: openapi, with: {} }
- c: { call: asyncapi, with: {} }
- d: { call: mcp, with: {} }
- e: { call: a2a, with: {} }
- f: { call: f }
- g: { call: 'log:1.0.0@default' }
- h: { call: 'https://example.com/f.yaml' }
- i: { call: htp }"#;
    assert_snapshot!(refused(text), @r#"
    SL131 2:21 function `f` is not supported
    SL130 4:14 `call: grpc` is not supported
    SL130 5:14 `call: openapi` is not supported
    SL130 6:14 `call: asyncapi` is not supported
    SL130 7:14 `call: mcp` is not supported
    SL130 8:14 `call: a2a` is not supported
    SL131 9:14 function `f` is not supported
    SL131 10:14 function `log:1.0.0@default` is not supported
    SL131 11:14 function `https://example.com/f.yaml` is not supported
    SL127 12:14 `htp` is no function, and no action `connector.action`; did you mean `http`?
    "#);
}

#[test]
fn other_constructs_are_not_supported_each_by_name() {
    let text = r#"schedule: { cron: '* * * * *' }
input: { schema: {} }
evaluate: { language: js, mode: loose }
use: { authentications: {}, extensions: [], catalogs: {} }
do:
- a: { listen: { to: {} }, foreach: {} }
- b: { emit: { event: {} } }
- c: { run: { shell: {} } }
- d: { fork: { compete: true, branches: [{ x: { set: { a: 1 } } }] } }
- e: { set: { a: 1 }, output: { schema: {} }, export: { schema: {} }, input: { schema: {} } }
- g: { call: http, with: { method: get, endpoint: { uri: 'https://a.example', authentication: {} }, output: raw, redirect: true } }
- h: { try: [], catch: { retry: { jitter: {}, delay: '${ .d }', backoff: { linear: { increment: 1 } }, limit: { attempt: { duration: PT1S }, duration: { minutes: 5 } } } } }"#;
    assert_snapshot!(refused(text), @r#"
    SL138 2:1 `schedule` is not supported
    SL139 3:10 `schema` of an input is not supported
    SL145 4:23 language `js` is not supported
    SL145 4:33 mode `loose` is not supported
    SL140 5:8 `use.authentications` is not supported
    SL141 5:29 `use.extensions` is not supported
    SL142 5:45 `use.catalogs` is not supported
    SL135 7:8 `listen` is not supported
    SL136 8:8 `emit` is not supported
    SL137 9:8 `run` is not supported
    SL132 10:25 `compete: true` is not supported
    SL139 11:33 `schema` of an output is not supported
    SL139 11:57 `schema` of an export is not supported
    SL139 11:80 `schema` of an input is not supported
    SL140 12:79 `authentication` is not supported
    SL144 12:109 only `output: content` is supported
    SL144 12:124 `redirect: true` is not supported
    SL143 13:35 `jitter` is not supported
    SL143 13:54 a computed `delay` is not supported
    SL143 13:86 `increment` of a backoff is not supported
    SL143 13:124 a limit on one attempt is not supported
    SL147 13:142 `duration` of a retry limit is not supported
    "#);
}

#[test]
fn branches_may_not_leave_their_fork_or_share_the_context() {
    let text = r#"do:
- f:
    fork:
      branches:
      - a: { set: { a: 1 }, export: { as: . } }
      - b: { set: { b: '${ $context }' } }
      - c: { do: [{ d: { set: { x: 1 }, then: end } }] }
      - e: { set: { x: 1 }, then: exit }"#;
    assert_snapshot!(refused(text), @r#"
    SL133 6:43 branch `a` writes `$context`, which branch `b` uses
    SL134 8:47 `end` inside a branch would leave the fork
    SL134 9:35 `then` of a branch would leave the fork
    "#);
}

#[test]
fn variables_are_known_only_where_the_dsl_gives_them() {
    let text = r#"do:
- a: { if: $input.x, set: { o: '${ $output }' } }
- l: { for: { in: ., each: context }, do: [{ b: { set: { i: '${ $itm }' } } }] }
- m: { set: { i: '${ $item }' } }"#;
    assert_snapshot!(refused(text), @r#"
    SL124 3:12 `$input` is not known here
    SL124 3:36 `$output` is not known here
    SL119 4:28 `context` cannot name a variable
    SL124 4:65 `$itm` is not known here
    SL124 5:22 `$item` is not known here
    "#);
}

#[test]
fn shapes_are_checked() {
    let text = r#"do:
- a: { set: text }
- b: { set: { x: 1 }, timeout: {} }
- c: { raise: { error: { type: a, status: '400', detial: x } } }
- d: { try: [], catch: { errors: { with: { status: '404', details: x } } } }
- e: { try: [], catch: { errors: { with: {} } } }
- f: { call: http }
- g: { call: http, with: { method: get, endpoint: 'https://a/{b' } }
- h: { call: redact, with: { entry: '${ .e }', value: 1 } }
- i: { for: { in: ., each: 'a b' } }
- j: { switch: [] }
- k: { wait: { seconds: -1 } }
- l: { fork: { branches: [] } }
- m: { set: { a: 1 }, x: { y: 1 } }
- n: { one: 1 }
  o: { two: 2 }"#;
    assert_snapshot!(refused(text), @r#"
    SL119 3:13 `set` must be a map or one expression `${ … }`
    SL116 4:32 a timeout has no `after`
    SL119 5:43 `status` of an error is a whole number
    SL117 5:50 unknown key `detial` in an error; did you mean `detail`?
    SL119 6:42 an error filter names at least one property
    SL119 6:52 `status` of an error filter is fixed text, and `status` a whole number
    SL117 6:59 unknown key `details` in an error filter; did you mean `detail`?
    SL119 7:42 an error filter names at least one property
    SL119 8:8 `call: http` needs `with: { method, endpoint }`
    SL120 9:62 a URI template has `{name}` here
    SL119 10:37 `entry` must be fixed text, found an expression
    SL116 11:6 a task has no `do`
    SL119 11:28 `a b` cannot name a variable
    SL119 12:16 `switch` has no case
    SL118 13:25 `seconds` must be a whole number of 0 or more, found a number
    SL119 14:26 a fork has at least one branch
    SL117 15:23 unknown key `x` in a task
    SL119 16:3 a list item names one thing, found 2 keys
    "#);
}

#[test]
fn versions_other_than_1_0_are_refused() {
    let with = |version: &str| {
        let head = format!("document: {{ dsl: '{version}', namespace: a, name: a, version: '1' }}\ndo: []");
        listed(&lower(&Text::new("t", head)).diagnostics)
    };
    for version in ["1.0.0", "1.0.3", "1.0.0-alpha5"] {
        assert_eq!(with(version), "");
    }
    for version in ["0.8", "1.1.0", "2.0.0", "1.0", "1.0.x", "1.0.0-", "01.0.0"] {
        assert!(with(version).starts_with("SL128 1:18"), "{version}");
    }
}

#[test]
fn too_many_steps_are_refused() {
    let tasks: String = (0..=crate::limits::STEPS_MAX).map(|i| format!("- t{i}: {{ set: {{ a: 1 }} }}\n")).collect();
    let found = refused(&format!("do:\n{tasks}"));
    assert!(found.starts_with("SL107"), "{found}");
}

#[test]
fn bad_input_is_refused_with_its_place() {
    let code = |bytes: &[u8]| {
        let lowered = lower_bytes("bad.yaml", bytes);
        assert!(lowered.program.is_none());
        lowered.diagnostics.first().map(|d| (d.code.0, d.span.line)).unwrap()
    };
    assert_eq!(code(&vec![b' '; 100 << 20]), (104, 1));
    assert_eq!(code("[".repeat(100_000).as_bytes()), (105, 1));
    assert_eq!(code("{\"a\":".repeat(100_000).as_bytes()), (105, 1));
    assert_eq!(code(b"document:\n  dsl: \xC3\x28"), (109, 2));
    assert_eq!(code(b""), (118, 1));
    assert_eq!(code(b"[1, 2]"), (118, 1));
    assert_eq!(code(b"a: [\n"), (101, 1));
    let deep = format!("do:\n- a: {{ set: {} }}", "[".repeat(60) + &"]".repeat(60));
    assert!(lower(&definition(&deep)).program.is_some(), "what is read can be lowered");
}

#[test]
fn circles_without_work_still_have_nodes() {
    let text = definition("do:\n- a: { do: [], then: b }\n- b: { do: [], then: a }");
    assert!(lower(&text).program.is_some());
}

#[test]
fn codes_are_in_order_and_named_apart() {
    assert!(CODES.is_sorted_by_key(|c| c.code));
    let names: std::collections::BTreeSet<_> = CODES.iter().map(|c| c.name).collect();
    assert_eq!(names.len(), CODES.len());
}
