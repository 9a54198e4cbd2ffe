//! What a check says of every workflow: the stories as their readers meet them, the rest in a line each.

use insta::assert_snapshot;
use sluice_core::contract::Digest;
use sluice_core::contract::closure::ClosureDigest;
use sluice_core::diagnostic::Severity;
use sluice_core::dsl;
use sluice_verify::{Assumptions, Verification, verify};

use super::folders::{Files, example, fresh};
use super::read::{bundle, governance};

/// Checks a workflow of a workspace, on behalf of a person or of anybody.
fn check(files: &Files, workflow: &str, requester: Option<&str>) -> Verification {
    check_text(files, &files[&format!("workflows/{workflow}.yaml")], requester)
}

fn check_text(files: &Files, text: &str, requester: Option<&str>) -> Verification {
    let program = dsl::lower_bytes("workflow.yaml", text.as_bytes()).program.unwrap();
    let governance = governance(files).unwrap();
    let assumptions =
        Assumptions { requester: requester.map(Into::into), solo: governance.workspace.solo, ..Assumptions::default() };
    let digest = ClosureDigest(Digest::of(text.as_bytes()));
    verify(&program, &governance.catalogue, &governance.registers.principals, &bundle(files), &assumptions, digest)
}

/// Verdicts with labels, policies and approvals, then findings with their way and their help.
fn told(name: &str, workflow: &str, requester: Option<&str>) -> String {
    let checked = check(&example(name), workflow, requester);
    let mut lines = Vec::new();
    for step in &checked.report.steps {
        lines.push(format!("{} {}: {} [{}]", step.step, step.action, step.verdict, step.labels.join(", ")));
        lines.extend(step.policies.iter().map(|policy| format!("    {policy}")));
        lines.extend(step.open.iter().map(|open| format!("    open: {open}")));
    }
    for finding in &checked.report.findings {
        lines.push(format!("{} {} {}: {}", finding.code, finding.name, finding.severity, finding.message));
        lines.extend(finding.flow.iter().map(|stop| format!("    {}: {}", stop.step, stop.what)));
        lines.push(format!("    help: {}", finding.help));
    }
    lines.push(match &checked.standing {
        Ok(_) => "verified".to_owned(),
        Err(refused) => format!("{} {refused}", refused.code()),
    });
    lines.join("\n")
}

#[test]
fn the_report_waits_for_every_owner_of_what_is_not_cleared() {
    assert_snapshot!(told("report", "report", Some("lena.fischer")), @"
    do/0/fetchAccounts crm.accounts.list: permit [origin:person:lena.fischer]
        analysed-workflows-may-read: reading is allowed to every workflow that was analysed
    do/1/exportToSheet sheets.rows.write: hold [category:financial@finance-office, category:internal@it-office, category:location@customer-office, category:phi@health-office, category:pii@customer-office, dataset:crm.accounts, origin:crm, origin:person:lena.fischer, purposes:finance-office only {billing, reporting}, regions:customer-office only {eu}, regions:health-office only {eu}]
        destination-not-cleared: `sheets-us` is not cleared for financial, location, phi
        region-forbidden: an owner of the data keeps it out of this region
        needs approval by the data owner `customer-office` and the data owner `finance-office` and the data owner `health-office`
    SL201 over-privileged-export high: `sheets.rows.write` sends `financial`, `location`, `phi` to `sheets-us` in `rows/*/balance`, `rows/*/health_note` and `rows/*/last_position`
        do/0/fetchAccounts: `crm.accounts.list` returns it at /accounts/*/balance, /accounts/*/health_note, /accounts/*/last_position
        do/1/exportToSheet: it reaches `sheets.rows.write` as payload
        help: leave out `rows/*/balance`, `rows/*/health_note` and `rows/*/last_position`; or pass it through `call: redact` with entries `without-health-notes` and `without-positions` first (what is left still needs an answer of its own); or run it as it is and get approval by the data owner `customer-office` and the data owner `finance-office` and the data owner `health-office`
    SL203 destination-not-cleared high: `sheets-us` is not cleared for `financial`, `location`, `phi`, which `sheets.rows.write` sends there
        do/0/fetchAccounts: `crm.accounts.list` returns it at /accounts/*/balance, /accounts/*/health_note, /accounts/*/last_position
        do/1/exportToSheet: it reaches `sheets.rows.write`
        help: leave out `rows/*/balance`, `rows/*/health_note` and `rows/*/last_position`; or pass it through `call: redact` with entries `without-health-notes` and `without-positions` first (what is left still needs an answer of its own); or run it as it is and get approval by the data owner `customer-office` and the data owner `finance-office` and the data owner `health-office`
    SL214 forbidden-region high: `sheets.rows.write` takes data to region `us`, against the rules of `customer-office` and `health-office`
        do/0/fetchAccounts: `crm.accounts.list` returns it at /accounts/*/health_note, /accounts/*/last_position
        do/1/exportToSheet: it reaches `sheets.rows.write`
        help: leave out `rows/*/health_note` and `rows/*/last_position` (what is left still needs an answer of its own); or pass it through `call: redact` with entries `without-health-notes` and `without-positions` first; or run it as it is and get approval by the data owner `customer-office` and the data owner `finance-office` and the data owner `health-office`
    SL219 held-by-policy info: `sheets.rows.write` waits for approval by the data owner `customer-office` and the data owner `finance-office` and the data owner `health-office`
        help: `sheets-us` is not cleared for financial, location, phi; an owner of the data keeps it out of this region; needs approval by the data owner `customer-office` and the data owner `finance-office` and the data owner `health-office`
    verified
    ");
}

#[test]
fn the_reduced_report_waits_for_the_owner_of_the_balances_alone() {
    assert_snapshot!(told("report", "report-reduced", Some("lena.fischer")), @r"
    do/0/fetchAccounts crm.accounts.list: permit [origin:person:lena.fischer]
        analysed-workflows-may-read: reading is allowed to every workflow that was analysed
    do/1/exportToSheet sheets.rows.write: hold [category:financial@finance-office, category:internal@it-office, category:pii@customer-office, dataset:crm.accounts, origin:person:lena.fischer, purposes:finance-office only {billing, reporting}]
        destination-not-cleared: `sheets-us` is not cleared for financial
        needs approval by the data owner `finance-office`
    SL203 destination-not-cleared high: `sheets-us` is not cleared for `financial`, which `sheets.rows.write` sends there
        do/0/fetchAccounts: `crm.accounts.list` returns it at /accounts/*/balance
        do/1/exportToSheet: it reaches `sheets.rows.write`
        help: leave out `rows/*/balance`; or run it as it is and get approval by the data owner `finance-office`
    SL219 held-by-policy info: `sheets.rows.write` waits for approval by the data owner `finance-office`
        help: `sheets-us` is not cleared for financial; needs approval by the data owner `finance-office`
    verified
    ");
}

#[test]
fn the_redacted_report_waits_for_the_owner_of_the_balances_alone() {
    assert_snapshot!(told("report", "report-redacted", Some("lena.fischer")), @r"
    do/0/fetchAccounts crm.accounts.list: permit [origin:person:lena.fischer]
        analysed-workflows-may-read: reading is allowed to every workflow that was analysed
    do/1/removeHealthNotes redact: permit [category:financial@finance-office, category:internal@it-office, category:location@customer-office, category:pii@customer-office, dataset:crm.accounts, origin:person:lena.fischer, purposes:finance-office only {billing, reporting}, regions:customer-office only {eu}]
        an entry of the signed bundle
    do/2/removePositions redact: permit [category:financial@finance-office, category:internal@it-office, category:pii@customer-office, dataset:crm.accounts, origin:person:lena.fischer, purposes:finance-office only {billing, reporting}]
        an entry of the signed bundle
    do/3/exportToSheet sheets.rows.write: hold [category:financial@finance-office, category:internal@it-office, category:pii@customer-office, dataset:crm.accounts, origin:person:lena.fischer, purposes:finance-office only {billing, reporting}]
        destination-not-cleared: `sheets-us` is not cleared for financial
        needs approval by the data owner `finance-office`
    SL203 destination-not-cleared high: `sheets-us` is not cleared for `financial`, which `sheets.rows.write` sends there
        do/0/fetchAccounts: `crm.accounts.list` returns it at /accounts/*/balance
        do/1/removeHealthNotes: it passes through `redact`
        do/2/removePositions: it passes through `redact`
        do/3/exportToSheet: it reaches `sheets.rows.write`
        help: leave out `rows/*/balance`; or run it as it is and get approval by the data owner `finance-office`
    SL219 held-by-policy info: `sheets.rows.write` waits for approval by the data owner `finance-office`
        help: `sheets-us` is not cleared for financial; needs approval by the data owner `finance-office`
    verified
    ");
}

#[test]
fn which_group_a_ticket_names_is_known_at_run_time() {
    assert_snapshot!(told("ticket", "ticket", Some("priya.nair")), @r"
    do/0/readTicket tickets.show: permit [origin:person:priya.nair]
        analysed-workflows-may-read: reading is allowed to every workflow that was analysed
    do/1/askModel assistant.answer: permit [category:internal@it-office, category:pii@it-office, dataset:tickets.open, origin:person:priya.nair, origin:tickets]
        analysed-workflows-may-read: reading is allowed to every workflow that was analysed
    do/2/changeDirectory directory.members.add: runtime [category:internal@it-office, category:pii@it-office, dataset:tickets.open, origin:model:recorded-1, origin:person:priya.nair, origin:tickets]
        untrusted-origin-decides-privileged-step: model:recorded-1, tickets had a part in a step that hands out rights or runs code
        needs approval by the manager of `priya.nair`, who vouches for model:recorded-1, tickets
        outsider-chooses-privileged-group: a privileged group was chosen under the influence of model:recorded-1, tickets
        open: the answer differs by requester or object
        open: which group `group` names is known only at run time
    SL204 untrusted-privileged-action critical: text from `model:recorded-1` and `tickets` reaches the privileged `directory.members.add` and chooses its reference
        do/0/readTicket: `tickets.show` returns it at /*, /body, /requester, /subject
        do/1/askModel: `assistant.answer` answers from it
        do/2/changeDirectory: it reaches `directory.members.add` as reference
        help: run it, and where policy holds it get approval by the manager of `priya.nair`, who vouches for model:recorded-1, tickets
    verified
    ");
}

/// The verdict on the grant, and who could lift it, if the model always names this group.
fn grant_of(group: &str, requester: &str) -> String {
    let files = example("ticket");
    let answer = "'${ .answer.group }'";
    let workflow = &files["workflows/ticket.yaml"];
    assert!(workflow.contains(answer));
    // Known before the run, and still chosen by whoever wrote the answer.
    let named = format!("'${{ if .answer.group then \"{group}\" else \"{group}\" end }}'");
    let report = check_text(&files, &workflow.replace(answer, &named), Some(requester)).report;
    let grant = report.steps.iter().find(|step| step.action == "directory.members.add").unwrap();
    format!("{}: {}", grant.verdict, grant.approvals.join("; "))
}

#[test]
fn a_privileged_group_is_refused_and_an_ordinary_one_waits_for_the_requesters_manager() {
    assert_eq!(grant_of("domain-admins", "jonas.weber"), "forbid: ");
    let marc = "hold: approval by the manager of `priya.nair`, who vouches for model:recorded-1, tickets";
    assert_eq!(grant_of("vpn-users", "priya.nair"), marc);
}

#[test]
fn a_group_that_is_not_registered_is_refused() {
    assert_eq!(grant_of("root-keys", "priya.nair"), "forbid: ");
}

#[test]
fn every_basic_workflow_in_a_line() {
    let files = example("basics");
    let workflows = files.keys().filter_map(|path| path.strip_prefix("workflows/")?.strip_suffix(".yaml"));
    let line = |workflow: &str| {
        let report = check(&files, workflow, Some("ana")).report;
        let steps = report.steps.iter().map(|step| format!("{} {}", step.action, step.verdict));
        let findings = report.findings.iter().map(|finding| format!("{} {}", finding.code, finding.name));
        format!("{workflow}: {}", steps.chain(findings).collect::<Vec<_>>().join(", "))
    };
    assert_snapshot!(workflows.map(line).collect::<Vec<_>>().join("\n"), @r"
    call: notes.read permit
    data: 
    do: 
    endorse: notes.read permit, endorse permit, notes.append permit
    for: 
    fork: notes.read permit
    if: 
    raise: 
    redact: notes.read permit, redact permit
    retry: notes.read permit
    set: 
    switch: 
    then: notes.read permit
    timeout: 
    try: notes.read permit
    uncatalogued-call: http forbid, SL209 uncatalogued-call
    wait: 
    while:
    ");
}

#[test]
fn a_fresh_workspace_checks_clean() {
    let checked = check(&fresh(), "hello", None);
    let alarming = checked.report.findings.iter().filter(|finding| finding.severity >= Severity::Medium);
    assert_eq!(alarming.count(), 0, "{:#?}", checked.report.findings);
    assert!(checked.standing.is_ok());
    let verdicts: Vec<String> = checked.report.steps.iter().map(|step| step.verdict.to_string()).collect();
    assert_eq!(verdicts, ["permit"]);
}
