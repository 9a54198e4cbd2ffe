//! What each construct does to labels on the way to a call.

use crate::workspace::check;

/// The labels that reach the last call of a definition, without lineage and owners' rules.
fn reaching(text: &str) -> Vec<String> {
    let report = check(text).report;
    let last = report.steps.last().expect("a call");
    let told = |label: &&String| label.starts_with("category:") || label.starts_with("origin:") || *label == "unknown";
    last.labels.iter().filter(told).cloned().collect()
}

#[test]
fn a_branch_joins_the_labels_of_both_arms_and_of_its_guard() {
    let labels = reaching(
        "do:
  - ticket: { call: tickets.get, with: { id: T-1 } }
  - choose:
      switch:
        - one: { when: \"${ .urgent }\", then: fetch }
        - other: { then: plain }
  - fetch: { call: crm.accounts.list, with: {}, output: { as: \"${ map(.balance) }\" }, then: send }
  - plain: { set: { nothing: true } }
  - send: { call: sheets.rows.append, with: { sheet: eu-sheets, rows: \"${ . }\" } }
",
    );
    assert_eq!(labels, ["category:financial@finance", "category:internal@it", "origin:tickets"]);
}

#[test]
fn what_a_branch_did_not_write_tells_of_its_guard_too() {
    let labels = reaching(
        "do:
  - start: { set: { flag: false }, export: { as: \"${ {flag: false} }\" } }
  - ticket: { call: tickets.get, with: { id: T-1 } }
  - maybe: { if: \"${ .urgent }\", set: { a: 1 }, export: { as: \"${ {flag: true} }\" } }
  - send: { call: sheets.rows.append, with: { sheet: eu-sheets, rows: \"${ [$context.flag] }\" } }
",
    );
    assert_eq!(labels, ["category:internal@it", "origin:tickets"]);
}

#[test]
fn a_loop_carries_labels_from_round_to_round() {
    let labels = reaching(
        "do:
  - start: { set: {}, export: { as: \"${ {last: null, before: null} }\" } }
  - fetch: { call: crm.accounts.list, with: {} }
  - each:
      for: { each: row, in: \"${ . }\" }
      do:
        - keep: { set: {}, export: { as: \"${ {last: $row.health_note, before: $context.last} }\" } }
  - send: { call: sheets.rows.append, with: { sheet: eu-sheets, rows: \"${ [$context.before] }\" } }
",
    );
    assert!(labels.contains(&"category:phi@health".to_owned()), "{labels:?}");
}

#[test]
fn a_handler_learns_what_made_its_block_fail() {
    let labels = reaching(
        "do:
  - attempt:
      try:
        - ticket: { call: tickets.get, with: { id: T-1 } }
      catch:
        as: error
        do:
          - tell: { call: mail.send, with: { to: desk@example.com, text: failed } }
",
    );
    assert_eq!(labels, ["category:internal@it", "origin:tickets"]);
}

#[test]
fn branches_of_a_fork_keep_to_themselves_until_they_join() {
    let text = "do:
  - both:
      fork:
        branches:
          - left:
              do:
                - ticket: { call: tickets.get, with: { id: T-1 } }
          - right:
              do:
                - fetch: { call: crm.accounts.list, with: {} }
                - send:
                    call: sheets.rows.append
                    with: { sheet: eu-sheets, rows: \"${ map(.balance) }\" }
";
    assert_eq!(reaching(text), ["category:financial@finance", "category:internal@it"]);
    let after =
        format!("{text}  - tell: {{ call: mail.send, with: {{ to: desk@example.com, text: \"${{ . }}\" }} }}\n");
    let labels = reaching(&after);
    assert!(labels.contains(&"origin:tickets".to_owned()), "{labels:?}");
}

#[test]
fn a_redaction_takes_away_what_it_drops_and_nothing_else() {
    let redacted = |entry: &str, fields: &str| {
        reaching(&format!(
            "do:
  - fetch: {{ call: crm.accounts.list, with: {{}} }}
  - clean: {{ call: redact, with: {{ entry: {entry}, value: \"${{ map({{ {fields} }}) }}\" }} }}
  - send: {{ call: sheets.rows.append, with: {{ sheet: eu-sheets, rows: \"${{ . }}\" }} }}
"
        ))
    };
    let both = "balance, health_note";
    assert_eq!(redacted("no-health", both), ["category:financial@finance", "category:internal@it"]);
    assert_eq!(redacted("plain-balance", "balance"), ["category:internal@it"]);
    // Whoever wrote the health note may have steered what is released, and `finance` accepts nobody.
    let all = ["category:financial@finance", "category:internal@it", "category:phi@health", "origin:crm"];
    assert_eq!(redacted("plain-balance", both), all);
}

#[test]
fn an_endorsement_clears_the_origins_that_its_entry_names_and_no_others() {
    let text = |call: &str| {
        format!(
            "do:
  - {call}
  - chosen: {{ call: endorse, with: {{ entry: ordinary-groups, value: \"${{ .group }}\" }} }}
  - grant: {{ call: directory.groups.add, with: {{ group: \"${{ . }}\", person: ana }} }}
"
        )
    };
    assert_eq!(reaching(&text("read: { call: tickets.get, with: { id: T-1 } }")), ["category:internal@it"]);
    let model = reaching(&text("ask: { call: assistant.answer, with: { prompt: x } }"));
    assert_eq!(model, ["origin:model:recorded-1"]);
}

#[test]
fn a_model_answers_with_everything_that_it_was_told() {
    let labels = reaching(
        "do:
  - fetch: { call: crm.accounts.list, with: {} }
  - ask: { call: assistant.answer, with: { prompt: \"${ map(.health_note) }\" } }
  - tell: { call: mail.send, with: { to: desk@example.com, text: \"${ . }\" } }
",
    );
    assert_eq!(labels, ["category:internal@it", "category:phi@health", "origin:crm", "origin:model:recorded-1"]);
}

#[test]
fn a_reply_without_a_contracts_word_is_top() {
    let labels = reaching(
        "do:
  - fetch: { call: crm.accounts.raw, with: {} }
  - tell: { call: mail.send, with: { to: desk@example.com, text: \"${ . }\" } }
",
    );
    assert_eq!(labels, ["unknown"]);
}

#[test]
fn a_timeout_tells_its_handler_what_was_waited_for() {
    let labels = reaching(
        "do:
  - attempt:
      try:
        - slow: { call: tickets.get, with: { id: T-1 }, timeout: { after: { seconds: 5 } } }
      catch:
        errors: { with: { type: https://serverlessworkflow.io/spec/1.0.0/errors/timeout } }
        do:
          - tell: { call: mail.send, with: { to: desk@example.com, text: late } }
",
    );
    assert_eq!(labels, ["category:internal@it", "origin:tickets"]);
}

#[test]
fn a_goto_cycle_comes_to_its_fixpoint() {
    let labels = reaching(
        "do:
  - start: { set: { n: 0, seen: [] } }
  - round:
      set: { n: \"${ .n + 1 }\", seen: \"${ [.seen] }\" }
  - enough:
      switch:
        - yes: { when: \"${ .n > 5 }\", then: ticket }
        - no: { then: round }
  - ticket: { call: tickets.get, with: { id: T-1 } }
",
    );
    assert_eq!(labels, [""; 0]);
}
