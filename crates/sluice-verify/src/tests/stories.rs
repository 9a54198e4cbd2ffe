//! The two stories of the demo, and their variants.

use insta::assert_snapshot;

use crate::workspace::shown;

/// The report: an AI-written export of accounts, with what is sent and where.
fn report(destination: &str, rows: &str) -> String {
    shown(&format!(
        "do:
  - fetch: {{ call: crm.accounts.list, with: {{}} }}
  - send:
      call: sheets.rows.append
      with: {{ sheet: {destination}, rows: \"${{ {rows} }}\" }}
"
    ))
}

/// The ticket: a model reads it and names a group.
fn ticket(group: &str) -> String {
    shown(&format!(
        "do:
  - read: {{ call: tickets.get, with: {{ id: T-1 }} }}
  - ask: {{ call: assistant.answer, with: {{ prompt: \"${{ .body }}\" }} }}
  - grant: {{ call: directory.groups.add, with: {{ group: \"{group}\", person: ana }} }}
"
    ))
}

#[test]
fn the_report_with_everything_in_it_is_held_and_shows_the_way() {
    assert_snapshot!(report("us-sheets", "map({ id, balance, last_position, health_note })"), @"
    do/0/fetch crm.accounts.list: permit []
    do/1/send sheets.rows.append: hold [category:financial@finance, category:internal@it, category:location@sales, category:phi@health, dataset:crm.accounts, origin:crm, purposes:health only {care}, regions:finance only {eu}, regions:health only {eu}, regions:sales only {eu}]
    SL201 over-privileged-export high at do/1/send: `sheets.rows.append` sends `financial`, `location`, `phi` to `us-sheets` in `rows/*/balance`, `rows/*/health_note` and `rows/*/last_position`
        do/0/fetch: `crm.accounts.list` returns it at /*/balance, /*/health_note, /*/last_position
        do/1/send: it reaches `sheets.rows.append` as payload
        help: leave out `rows/*/balance`, `rows/*/health_note` and `rows/*/last_position`; or pass it through `call: redact` with entry `no-health` first (what is left still needs an answer of its own); or run it as it is and get approval by the data owner `finance` and the data owner `health` and the data owner `sales`
    SL203 destination-not-cleared high at do/1/send: `us-sheets` is not cleared for `financial`, `location`, `phi`, which `sheets.rows.append` sends there
        do/0/fetch: `crm.accounts.list` returns it at /*/balance, /*/health_note, /*/last_position
        do/1/send: it reaches `sheets.rows.append`
        help: leave out `rows/*/balance`, `rows/*/health_note` and `rows/*/last_position`; or pass it through `call: redact` with entry `no-health` first (what is left still needs an answer of its own); or run it as it is and get approval by the data owner `finance` and the data owner `health` and the data owner `sales`
    SL213 forbidden-purpose high at do/1/send: data in `sheets.rows.append` is used for `reporting`, against the rules of `health`
        do/0/fetch: `crm.accounts.list` returns it at /*/health_note
        do/1/send: it reaches `sheets.rows.append`
        help: leave out `rows/*/health_note` (what is left still needs an answer of its own); or pass it through `call: redact` with entry `no-health` first; or run it as it is and get approval by the data owner `finance` and the data owner `health` and the data owner `sales`
    SL214 forbidden-region high at do/1/send: `sheets.rows.append` takes data to region `us`, against the rules of `finance` and `health` and `sales`
        do/0/fetch: `crm.accounts.list` returns it at /*/balance, /*/health_note, /*/last_position
        do/1/send: it reaches `sheets.rows.append`
        help: leave out `rows/*/balance`, `rows/*/health_note` and `rows/*/last_position`; or pass it through `call: redact` with entry `no-health` first (what is left still needs an answer of its own); or run it as it is and get approval by the data owner `finance` and the data owner `health` and the data owner `sales`
    SL219 held-by-policy info at do/1/send: `sheets.rows.append` waits for approval by the data owner `finance` and the data owner `health` and the data owner `sales`
        help: `us-sheets` is not cleared for financial, location, phi; an owner of the data does not allow it for this purpose: reporting; an owner of the data keeps it out of this region; needs approval by the data owner `finance` and the data owner `health` and the data owner `sales`
    ");
}

#[test]
fn the_report_without_the_sensitive_fields_waits_for_the_balances_owner_alone() {
    assert_snapshot!(report("us-sheets", "map({ id, balance })"), @"
    do/0/fetch crm.accounts.list: permit []
    do/1/send sheets.rows.append: hold [category:financial@finance, category:internal@it, dataset:crm.accounts, regions:finance only {eu}]
    SL203 destination-not-cleared high at do/1/send: `us-sheets` is not cleared for `financial`, which `sheets.rows.append` sends there
        do/0/fetch: `crm.accounts.list` returns it at /*/balance
        do/1/send: it reaches `sheets.rows.append`
        help: leave out `rows/*/balance`; or pass it through `call: redact` with entry `plain-balance` first; or send it to `eu-sheets`, which may have it; or run it as it is and get approval by the data owner `finance`
    SL214 forbidden-region high at do/1/send: `sheets.rows.append` takes data to region `us`, against the rules of `finance`
        do/0/fetch: `crm.accounts.list` returns it at /*/balance
        do/1/send: it reaches `sheets.rows.append`
        help: leave out `rows/*/balance`; or pass it through `call: redact` with entry `plain-balance` first; or send it to `eu-sheets`, which may have it; or run it as it is and get approval by the data owner `finance`
    SL219 held-by-policy info at do/1/send: `sheets.rows.append` waits for approval by the data owner `finance`
        help: `us-sheets` is not cleared for financial; an owner of the data keeps it out of this region; needs approval by the data owner `finance`
    ");
}

#[test]
fn the_report_to_a_cleared_destination_passes() {
    assert_snapshot!(report("eu-sheets", "map({ id, balance })"), @"
    do/0/fetch crm.accounts.list: permit []
    do/1/send sheets.rows.append: permit [category:financial@finance, category:internal@it, dataset:crm.accounts, regions:finance only {eu}]
    ");
}

#[test]
fn the_report_redacted_by_an_entry_of_the_bundle_passes() {
    let text = "do:
  - fetch: { call: crm.accounts.list, with: {} }
  - clean: { call: redact, with: { entry: no-health, value: \"${ map({ id, balance, health_note }) }\" } }
  - send: { call: sheets.rows.append, with: { sheet: eu-sheets, rows: \"${ . }\" } }
";
    assert_snapshot!(shown(text), @"
    do/0/fetch crm.accounts.list: permit []
    do/1/clean redact: permit [category:financial@finance, category:internal@it, dataset:crm.accounts, regions:finance only {eu}]
    do/2/send sheets.rows.append: permit [category:financial@finance, category:internal@it, dataset:crm.accounts, regions:finance only {eu}]
    ");
}

#[test]
fn a_group_that_a_model_names_may_be_a_privileged_one() {
    assert_snapshot!(ticket("${ .group }"), @"
    do/0/read tickets.get: permit []
    do/1/ask assistant.answer: permit [category:internal@it, origin:tickets]
    do/2/grant directory.groups.add: runtime [category:internal@it, origin:model:recorded-1, origin:tickets]
    SL204 untrusted-privileged-action critical at do/2/grant: text from `tickets` and `model:recorded-1` reaches the privileged `directory.groups.add` and chooses its reference
        do/0/read: `tickets.get` returns what others wrote
        do/1/ask: `assistant.answer` answers from it
        do/2/grant: it reaches `directory.groups.add` as reference
        help: run it, and where policy holds it get approval by the manager of `requester`, who vouches for model:recorded-1, tickets
    ");
}

#[test]
fn a_constant_privileged_group_is_not_chosen_by_the_ticket() {
    assert_snapshot!(ticket("domain-admins"), @"
    do/0/read tickets.get: permit []
    do/1/ask assistant.answer: permit [category:internal@it, origin:tickets]
    do/2/grant directory.groups.add: permit []
    ");
}

#[test]
fn a_privileged_group_under_a_branch_on_the_ticket_is_refused() {
    let text = "do:
  - read: { call: tickets.get, with: { id: T-1 } }
  - choose:
      switch:
        - wanted: { when: \"${ .wants_admin }\", then: grant }
        - other: { then: end }
  - grant: { call: directory.groups.add, with: { group: domain-admins, person: ana } }
";
    assert_snapshot!(shown(text), @"
    do/0/read tickets.get: permit []
    do/2/grant directory.groups.add: forbid [category:internal@it, origin:tickets]
    SL204 untrusted-privileged-action critical at do/2/grant: text from `tickets` reaches the privileged `directory.groups.add` and decides whether it runs
        do/0/read: `tickets.get` returns what others wrote
        do/1/choose: it decides which way the run takes
        do/2/grant: it decides whether `directory.groups.add` is called
        help: pass what decides through `call: endorse` with entry `ordinary-groups`, which lets only `readers` through
    SL218 refused-by-policy high at do/2/grant: policy refuses `directory.groups.add`: a privileged group was chosen under the influence of tickets
        help: see SL204: pass what decides through `call: endorse` with entry `ordinary-groups`, which lets only `readers` through
    refused SL221: policy refuses `do/2/grant` in every run
    ");
}

#[test]
fn an_ordinary_group_under_a_branch_on_the_ticket_is_held_for_the_manager() {
    let text = "do:
  - read: { call: tickets.get, with: { id: T-1 } }
  - choose:
      switch:
        - wanted: { when: \"${ .wants_reading }\", then: grant }
        - other: { then: end }
  - grant: { call: directory.groups.add, with: { group: readers, person: ana } }
";
    assert_snapshot!(shown(text), @"
    do/0/read tickets.get: permit []
    do/2/grant directory.groups.add: hold [category:internal@it, origin:tickets]
    SL204 untrusted-privileged-action critical at do/2/grant: text from `tickets` reaches the privileged `directory.groups.add` and decides whether it runs
        do/0/read: `tickets.get` returns what others wrote
        do/1/choose: it decides which way the run takes
        do/2/grant: it decides whether `directory.groups.add` is called
        help: pass what decides through `call: endorse` with entry `ordinary-groups`, which lets only `readers` through; or run it as it is and get approval by the manager of `requester`, who vouches for tickets
    SL219 held-by-policy info at do/2/grant: `directory.groups.add` waits for approval by the manager of `requester`, who vouches for tickets
        help: tickets had a part in a step that hands out rights or runs code; needs approval by the manager of `requester`, who vouches for tickets
    ");
}
