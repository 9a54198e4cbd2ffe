//! A listing of the program for each construct.

use insta::assert_snapshot;

use super::{listing, program};

#[test]
fn an_empty_workflow_passes_its_input_through() {
    let text = r#"do: []"#;
    assert_snapshot!(listing(text), @r#"
    workflow (workflow)
       0  [data] := [workflow input]
       1  [$context] := [data]
       2  [workflow output] := [data]
       3  exit
    "#);
}

#[test]
fn a_workflow_transforms_both_its_ends() {
    let text = r#"input: { from: .order }
output: { as: { id: '${ .id }', by: sluice } }
do: []"#;
    assert_snapshot!(listing(text), @r#"
    workflow (workflow)
       0  [data] := {[workflow input] | .order}
       1  [$context] := [data]
       2  [workflow output] := {[data] | { id: '${ .id }', by: sluice }}
       3  exit
    "#);
}

#[test]
fn a_task_transforms_exports_and_is_skipped() {
    let text = r#"do:
- a:
    if: .wanted
    input: { from: .x }
    set: { y: '${ . }', z: [1, '${ $input }'] }
    output: { as: '{ r: .y }' }
    export: { as: '$context + $output' }
- b: { set: '${ $context }' }"#;
    assert_snapshot!(listing(text), @r#"
    workflow (workflow)
       0  [data] := [workflow input]
       1  [$context] := [data]
    do/0/a (set)
       2  if {[data] | .wanted} → 3 else → 7
       3  [input of a] := {[data] | .x}
       4  [raw output of a] := {[input of a] | { y: '${ . }', z: [1, '${ $input }'] }}
       5  [data] := {[raw output of a] | { r: .y }}
       6  [$context] := {[data] | $context + $output}
    do/1/b (set)
       7  [input of b] := [data]
       8  [data] := {[input of b] | $context}
    workflow (workflow)
       9  [workflow output] := [data]
      10  exit
    "#);
}

#[test]
fn gotos_lead_both_ways() {
    let text = r#"do:
- a: { set: { n: 1 } }
- b: { if: .n > 3, set: { n: 2 }, then: end }
- c: { set: { n: 3 }, then: a }
- d: { set: { n: 4 }, then: exit }"#;
    assert_snapshot!(listing(text), @r#"
    workflow (workflow)
       0  [data] := [workflow input]
       1  [$context] := [data]
    do/0/a (set)
       2  [input of a] := [data]
       3  [data] := {"n":1}
    do/1/b (set)
       4  if {[data] | .n > 3} → 5 else → 7
       5  [input of b] := [data]
       6  [data] := {"n":2}  → 11
    do/2/c (set)
       7  [input of c] := [data]
       8  [data] := {"n":3}  → 2
    do/3/d (set)
       9  [input of d] := [data]
      10  [data] := {"n":4}
    workflow (workflow)
      11  [workflow output] := [data]
      12  exit
    "#);
}

#[test]
fn a_nested_list_has_data_of_its_own_and_end_hands_it_out() {
    let text = r#"do:
- outer:
    do:
    - inner: { set: { a: 1 }, then: end }
    - other: { set: { b: 2 } }
    output: { as: .b }"#;
    assert_snapshot!(listing(text), @r#"
    workflow (workflow)
       0  [data] := [workflow input]
       1  [$context] := [data]
    do/0/outer (do)
       2  [input of outer] := [data]
       3  [data of outer] := [input of outer]
    do/0/outer/do/0/inner (set)
       4  [input of inner] := [data of outer]
       5  [data of outer] := {"a":1}
       6  [data] := [data of outer]  → 11
    do/0/outer/do/1/other (set)
       7  [input of other] := [data of outer]
       8  [data of outer] := {"b":2}
    do/0/outer (do)
       9  [raw output of outer] := [data of outer]
      10  [data] := {[raw output of outer] | .b}
    workflow (workflow)
      11  [workflow output] := [data]
      12  exit
    "#);
}

#[test]
fn an_action_takes_what_its_contract_names() {
    let text = r#"use: { secrets: [token] }
do:
- list:
    call: crm.accounts.list
    with: { fields: [id, name], who: '${ .who }', key: '${ $secrets.token }', note: 'Dear ${ .who }!' }
- none: { call: crm.ping }"#;
    assert_snapshot!(listing(text), @r#"
    workflow (workflow)
       0  [data] := [workflow input]
       1  [$context] := [data]
    do/0/list (call)
       2  [input of list] := [data]
       3  [data] := call crm.accounts.list {[input of list] | { fields: [id, name], who: '${ .who }', key: '${ $secrets.token }', note: 'Dear ${ .who }!' }}
    do/1/none (call)
       4  [input of none] := [data]
       5  [data] := call crm.ping {}
    workflow (workflow)
       6  [workflow output] := [data]
       7  exit
    "#);
}

#[test]
fn http_expands_uri_templates_with_care() {
    let text = r#"do:
- get:
    call: http
    with:
      method: get
      endpoint: https://pets.example.com/{petId}?q={q}
      headers: { accept: application/json }
      query: '${ .query }'
      output: content
- put:
    call: http
    with: { method: put, endpoint: { uri: '${ .uri }' }, body: { a: '${ . }' } }"#;
    assert_snapshot!(listing(text), @r#"
    workflow (workflow)
       0  [data] := [workflow input]
       1  [$context] := [data]
    do/0/get (call)
       2  [input of get] := [data]
       3  [data] := call http {[input of get] | method: get endpoint: https://pets.example.com/{petId}?q={q} headers: { accept: application/json } …}
    do/1/put (call)
       4  [input of put] := [data]
       5  [data] := call http {[input of put] | { method: put, endpoint: { uri: '${ .uri }' }, body: { a: '${ . }' } }}
    workflow (workflow)
       6  [workflow output] := [data]
       7  exit
    "#);
}

#[test]
fn catalogued_functions_name_a_fixed_entry() {
    let text = r#"do:
- r: { call: redact, with: { entry: drop-phi, value: '${ . }' } }
- s: { call: release, with: { entry: report, value: '${ . }' } }
- e: { call: endorse, with: { entry: payees, value: '${ .to }' } }"#;
    assert_snapshot!(listing(text), @r#"
    workflow (workflow)
       0  [data] := [workflow input]
       1  [$context] := [data]
    do/0/r (call)
       2  [input of r] := [data]
       3  [data] := call redact {[input of r] | { entry: drop-phi, value: '${ . }' }}
    do/1/s (call)
       4  [input of s] := [data]
       5  [data] := call release {[input of s] | { entry: report, value: '${ . }' }}
    do/2/e (call)
       6  [input of e] := [data]
       7  [data] := call endorse {[input of e] | { entry: payees, value: '${ .to }' }}
    workflow (workflow)
       8  [workflow output] := [data]
       9  exit
    "#);
}

#[test]
fn a_switch_goes_to_its_first_case() {
    let text = r#"do:
- s:
    switch:
    - one: { when: .n == 1, then: b }
    - two: { when: '${ .n == 2 }', then: end }
    - rest: { then: exit }
- a: { set: { a: 1 } }
- b: { set: { b: 1 } }"#;
    assert_snapshot!(listing(text), @r#"
    workflow (workflow)
       0  [data] := [workflow input]
       1  [$context] := [data]
    do/0/s (switch)
       2  [input of s] := [data]
       3  if {[input of s] | .n == 1} → 6, if {[input of s] | .n == 2} → 8 else → 8
    do/1/a (set)
       4  [input of a] := [data]
       5  [data] := {"a":1}
    do/2/b (set)
       6  [input of b] := [data]
       7  [data] := {"b":1}
    workflow (workflow)
       8  [workflow output] := [data]
       9  exit
    "#);
}

#[test]
fn a_switch_without_default_uses_its_own_then() {
    let text = r#"do:
- s:
    switch:
    - one: { when: .n == 1, then: b }
    export: { as: .n }
    then: end
- b: { set: { b: 1 } }"#;
    assert_snapshot!(listing(text), @r#"
    workflow (workflow)
       0  [data] := [workflow input]
       1  [$context] := [data]
    do/0/s (switch)
       2  [input of s] := [data]
       3  if {[input of s] | .n == 1} → 4 else → 5
       4  [$context] := {[data] | .n}  → 6
       5  [$context] := {[data] | .n}  → 8
    do/1/b (set)
       6  [input of b] := [data]
       7  [data] := {"b":1}
    workflow (workflow)
       8  [workflow output] := [data]
       9  exit
    "#);
}

#[test]
fn a_loop_carries_its_data() {
    let text = r#"do:
- sum:
    for: { each: pet, in: .pets, at: i }
    while: .total < 10
    do:
    - add: { set: { total: '${ .total + $pet.weight + $i }' } }
    output: { as: .total }"#;
    assert_snapshot!(listing(text), @r#"
    workflow (workflow)
       0  [data] := [workflow input]
       1  [$context] := [data]
    do/0/sum (for)
       2  [input of sum] := [data]
       3  [items of sum] := {[input of sum] | .pets}
       4  [cursor of sum] := 0
       5  [data of sum] := [input of sum]
       6  next [$pet], [$i] of [items of sum] at [cursor of sum] → 7 else → 10
       7  if {[data of sum] | .total < 10} → 8 else → 10
    do/0/sum/do/0/add (set)
       8  [input of add] := [data of sum]
       9  [data of sum] := {[input of add] | { total: '${ .total + $pet.weight + $i }' }}  → 6
    do/0/sum (for)
      10  [raw output of sum] := [data of sum]
      11  [data] := {[raw output of sum] | .total}
    workflow (workflow)
      12  [workflow output] := [data]
      13  exit
    "#);
}

#[test]
fn a_loop_over_an_inline_list_has_default_names() {
    let text = r#"do:
- each:
    for: { in: [{ name: red }, { name: blue }] }
    do:
    - add: { set: { seen: '${ .seen + [$item.name] }', at: '${ $index }' } }"#;
    assert_snapshot!(listing(text), @r#"
    workflow (workflow)
       0  [data] := [workflow input]
       1  [$context] := [data]
    do/0/each (for)
       2  [input of each] := [data]
       3  [items of each] := [{"name":"red"},{"name":"blue"}]
       4  [cursor of each] := 0
       5  [data of each] := [input of each]
       6  next [$item], [$index] of [items of each] at [cursor of each] → 7 else → 9
    do/0/each/do/0/add (set)
       7  [input of add] := [data of each]
       8  [data of each] := {[input of add] | { seen: '${ .seen + [$item.name] }', at: '${ $index }' }}  → 6
    do/0/each (for)
       9  [data] := [data of each]
    workflow (workflow)
      10  [workflow output] := [data]
      11  exit
    "#);
}

#[test]
fn a_handler_filters_and_goes_on() {
    let text = r#"do:
- t:
    try:
    - get: { call: crm.get }
    catch:
      errors: { with: { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/communication', status: 404 } }
      as: err
      when: $err.detail != null
      exceptWhen: .fatal
      do:
      - note: { set: { error: '${ $err }' } }
      then: b
- a: { set: { a: 1 } }
- b: { set: { b: 1 } }"#;
    assert_snapshot!(listing(text), @r#"
    workflow (workflow)
       0  [data] := [workflow input]
       1  [$context] := [data]
    do/0/t (try)
       2  [input of t] := [data]
       3  [data of t] := [input of t]
    do/0/t/try/0/get (call)
       4  [input of get] := [data of t]  ⚡[$err] → 7
       5  [data of t] := call crm.get {}  ⚡[$err] → 7
    do/0/t (try)
       6  [data] := [data of t]  → 15
       7  if {[$err] | { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/communication', status: 404 }} → 8 else → 14
       8  if {[input of t] | $err.detail != null} → 9 else → 14
       9  if {[input of t] | .fatal} → 14 else → 10
      10  [data of catch of t] := [input of t]
    do/0/t/catch/do/0/note (set)
      11  [input of note] := [data of catch of t]
      12  [data of catch of t] := {[input of note] | { error: '${ $err }' }}
    do/0/t (try)
      13  [data] := [data of catch of t]  → 17
      14  raise [$err]
    do/1/a (set)
      15  [input of a] := [data]
      16  [data] := {"a":1}
    do/2/b (set)
      17  [input of b] := [data]
      18  [data] := {"b":1}
    workflow (workflow)
      19  [workflow output] := [data]
      20  exit
    "#);
}

#[test]
fn a_retry_repeats_the_block_and_gives_up() {
    let text = r#"use:
  retries:
    often: { delay: PT1S, backoff: { exponential: {} }, limit: { attempt: { count: 3 } }, when: $error.status == 503 }
do:
- t:
    try:
    - get: { call: crm.get }
    catch: { retry: often }
- u:
    try:
    - get: { call: crm.get }
    catch: { retry: { delay: { seconds: 2 } }, do: [{ note: { set: { gave: up } } }] }"#;
    assert_snapshot!(listing(text), @r#"
    workflow (workflow)
       0  [data] := [workflow input]
       1  [$context] := [data]
    do/0/t (try)
       2  [input of t] := [data]
       3  [attempts of t] := 0
       4  [data of t] := [input of t]
    do/0/t/try/0/get (call)
       5  [input of get #9] := [data of t]  ⚡[$error #8] → 8
       6  [data of t] := call crm.get {}  ⚡[$error #8] → 8
    do/0/t (try)
       7  [data] := [data of t]  → 11
       8  if {[input of t] | $error.status == 503} → 9 else → 10
       9  retry [attempts of t] at most 3 times, exponential 1000 ms → 4 else → 10
      10  raise [$error #8]
    do/1/u (try)
      11  [input of u] := [data]
      12  [attempts of u] := 0
      13  [data of u] := [input of u]
    do/1/u/try/0/get (call)
      14  [input of get #14] := [data of u]  ⚡[$error #13] → 17
      15  [data of u] := call crm.get {}  ⚡[$error #13] → 17
    do/1/u (try)
      16  [data] := [data of u]  → 22
      17  retry [attempts of u] at most 5 times, constant 2000 ms → 13 else → 18
      18  [data of catch of u] := [input of u]
    do/1/u/catch/do/0/note (set)
      19  [input of note] := [data of catch of u]
      20  [data of catch of u] := {"gave":"up"}
    do/1/u (try)
      21  [data] := [data of catch of u]
    workflow (workflow)
      22  [workflow output] := [data]
      23  exit
    "#);
}

#[test]
fn nested_handlers_raise_on_to_the_outer_one() {
    let text = r#"do:
- outer:
    try:
    - inner:
        try:
        - get: { call: crm.get }
        catch: { errors: { with: { status: 404 } } }
    catch: { do: [{ note: { set: { e: '${ $error.status }' } } }] }"#;
    assert_snapshot!(listing(text), @r#"
    workflow (workflow)
       0  [data] := [workflow input]
       1  [$context] := [data]
    do/0/outer (try)
       2  [input of outer] := [data]
       3  [data of outer] := [input of outer]
    do/0/outer/try/0/inner (try)
       4  [input of inner] := [data of outer]  ⚡[$error #7] → 13
       5  [data of inner] := [input of inner]  ⚡[$error #7] → 13
    do/0/outer/try/0/inner/try/0/get (call)
       6  [input of get] := [data of inner]  ⚡[$error #10] → 9
       7  [data of inner] := call crm.get {}  ⚡[$error #10] → 9
    do/0/outer/try/0/inner (try)
       8  [data of outer] := [data of inner]  → 12  ⚡[$error #7] → 13
       9  if {[$error #10] | { status: 404 }} → 10 else → 11  ⚡[$error #7] → 13
      10  [data of outer] := [input of inner]  → 12  ⚡[$error #7] → 13
      11  raise [$error #10]  ⚡[$error #7] → 13
    do/0/outer (try)
      12  [data] := [data of outer]  → 17
      13  [data of catch of outer] := [input of outer]
    do/0/outer/catch/do/0/note (set)
      14  [input of note] := [data of catch of outer]
      15  [data of catch of outer] := {[input of note] | { e: '${ $error.status }' }}
    do/0/outer (try)
      16  [data] := [data of catch of outer]
    workflow (workflow)
      17  [workflow output] := [data]
      18  exit
    "#);
}

#[test]
fn an_error_is_raised_with_its_task_as_instance() {
    let text = r#"use:
  errors:
    late: { type: 'https://example.com/late', status: 408, detail: '${ "after \(.n)" }' }
do:
- a: { if: .late, raise: { error: late } }
- b: { raise: { error: { type: 'https://example.com/x', status: 400, title: X, instance: /here } }, then: end }"#;
    assert_snapshot!(listing(text), @r#"
    workflow (workflow)
       0  [data] := [workflow input]
       1  [$context] := [data]
    do/0/a (raise)
       2  if {[data] | .late} → 3 else → 5
       3  [input of a] := [data]
       4  raise {[input of a] | { type: 'https://example.com/late', status: 408, detail: '${ "after \(.n)" }' }}
    do/1/b (raise)
       5  [input of b] := [data]
       6  raise {"type":"https://example.com/x","status":400,"title":"X","instance":"/here"}
    workflow (workflow)
       7  [workflow output] := [data]
       8  exit
    "#);
}

#[test]
fn branches_have_places_of_their_own_and_errors_wait_at_the_join() {
    let text = r#"do:
- f:
    fork:
      branches:
      - a: { call: crm.get }
      - b:
          do:
          - c: { set: { n: '${ .n }' }, then: exit }
          - d: { wait: PT1S }
    timeout: { after: PT1M }
    output: { as: '.[0]' }"#;
    assert_snapshot!(listing(text), @r#"
    workflow (workflow)
       0  [data] := [workflow input]
       1  [$context] := [data]
    do/0/f (fork)
       2  [input of f] := [data]
       3  arm ⏱0
       4  [error of branch a] := null  ⏱0
       5  [error of branch b] := null  ⏱0
       6  fork → 7 10, join 18  ⏱0
       7  [data of branch a] := [input of f]  ⚡[error of branch a] → 18
    do/0/f/fork/branches/0/a (call)
       8  [input of a] := [data of branch a]  ⚡[error of branch a] → 18
       9  [data of branch a] := call crm.get {}  → 18  ⚡[error of branch a] → 18
    do/0/f (fork)
      10  [data of branch b] := [input of f]  ⚡[error of branch b] → 18
    do/0/f/fork/branches/1/b (do)
      11  [input of b] := [data of branch b]  ⚡[error of branch b] → 18
      12  [data of b] := [input of b]  ⚡[error of branch b] → 18
    do/0/f/fork/branches/1/b/do/0/c (set)
      13  [input of c] := [data of b]  ⚡[error of branch b] → 18
      14  [data of b] := {[input of c] | { n: '${ .n }' }}  → 17  ⚡[error of branch b] → 18
    do/0/f/fork/branches/1/b/do/1/d (wait)
      15  [input of d] := [data of b]  ⚡[error of branch b] → 18
      16  wait 1000 ms  ⚡[error of branch b] → 18
    do/0/f/fork/branches/1/b (do)
      17  [data of branch b] := [data of b]  ⚡[error of branch b] → 18
    do/0/f (fork)
      18  join  ⏱0
      19  if {[error of branch a] | … } → 20 else → 21  ⏱0
      20  raise [error of branch a]  ⏱0
      21  if {[error of branch b] | … } → 22 else → 23  ⏱0
      22  raise [error of branch b]  ⏱0
      23  [raw output of f] := {[input of f] | … [data of branch a] [data of branch b]}  ⏱0
      24  [data] := {[raw output of f] | .[0]}  ⏱0
      25  disarm ⏱0
    workflow (workflow)
      26  [workflow output] := [data]
      27  exit
    ⏱0 after 60000 ms: the run ends
    "#);
}

#[test]
fn waits_and_timeouts_take_durations() {
    let text = r#"use: { timeouts: { short: { after: { seconds: 5 } } } }
timeout: { after: PT1H }
do:
- w: { wait: { minutes: 1, seconds: 30 } }
- x: { wait: '${ .pause }', timeout: short }
- t:
    try:
    - y:
        do:
        - z: { call: crm.get, then: end }
        timeout: { after: '${ .limit }' }
    catch: {}"#;
    assert_snapshot!(listing(text), @r#"
    workflow (workflow)
       0  [data] := [workflow input]
       1  [$context] := [data]
       2  arm ⏱0
    do/0/w (wait)
       3  [input of w] := [data]  ⏱0
       4  wait 90000 ms  ⏱0
    do/1/x (wait)
       5  [input of x] := [data]  ⏱0
       6  arm ⏱1  ⏱0
       7  wait {[input of x] | .pause}  ⏱1
       8  disarm ⏱1  ⏱0
    do/2/t (try)
       9  [input of t] := [data]  ⏱0
      10  [data of t] := [input of t]  ⏱0
    do/2/t/try/0/y (do)
      11  [input of y] := [data of t]  ⚡[$error] → 21  ⏱0
      12  arm ⏱2  ⚡[$error] → 21  ⏱0
      13  [data of y] := [input of y]  ⚡[$error] → 21  ⏱2
    do/2/t/try/0/y/do/0/z (call)
      14  [input of z] := [data of y]  ⚡[$error] → 21  ⏱2
      15  [data of y] := call crm.get {}  ⚡[$error] → 21  ⏱2
      16  disarm ⏱2  ⚡[$error] → 21  ⏱0
      17  [data] := [data of y]  → 22  ⚡[$error] → 21  ⏱0
    do/2/t/try/0/y (do)
      18  [data of t] := [data of y]  ⚡[$error] → 21  ⏱2
      19  disarm ⏱2  ⚡[$error] → 21  ⏱0
    do/2/t (try)
      20  [data] := [data of t]  → 22  ⏱0
      21  [data] := [input of t]  ⏱0
    workflow (workflow)
      22  disarm ⏱0
      23  [workflow output] := [data]
      24  exit
    ⏱0 after 3600000 ms: the run ends
    ⏱1 after 5000 ms: the run ends
    ⏱2 after {[input of y] | .limit}: [$error] → 21
    "#);
}

#[test]
fn descriptors_are_values() {
    let text = r#"do:
- a: { set: { t: '${ $task.name }', r: '${ $runtime.name }', w: '${ $workflow.definition.document.name }' } }"#;
    assert_snapshot!(listing(text), @r#"
    workflow (workflow)
       0  [$runtime] := {"name":"sluice","version":"0.1.0"}
       1  [data] := [workflow input]
       2  [$context] := [data]
    do/0/a (set)
       3  [$task of a] := {"name":"a","reference":"/do/0/a","definition":{"set":{"t":"${ $task.name }","r":"${ $runtime.name …
       4  [input of a] := [data]
       5  [data] := {[input of a] | { t: '${ $task.name }', r: '${ $runtime.name }', w: '${ $workflow.definition.document.name }' }}
    workflow (workflow)
       6  [workflow output] := [data]
       7  exit
    "#);
}

#[test]
fn every_node_of_a_large_program_points_into_it() {
    let text = "do:\n- f:\n    fork:\n      branches:\n      - a: { for: { in: . }, do: [{ b: { call: crm.get, then: exit } }] }\n      - c: { try: [{ d: { wait: PT1S } }], catch: { retry: {} } }\n    timeout: { after: PT1S }";
    let program = program(text);
    let count = u32::try_from(program.nodes.len()).unwrap();
    for (_, node) in program.nodes() {
        assert!(crate::control::normal_successors(&node.kind).iter().all(|id| id.0 < count));
        assert!(node.span.line > 0 && (node.step.0 as usize) < program.steps.len());
    }
    assert!(program.handlers.iter().all(|h| h.entry.0 < count));
    assert!(matches!(program.node(program.exit).unwrap().kind, crate::program::NodeKind::Exit));
}
