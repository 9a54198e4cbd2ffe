//! What earns a program its standing, under which assumptions, and what is left open.

use sluice_core::gate::Verdict;
use sluice_core::label::Label;
use sluice_core::program::NodeId;
use sluice_core::transfer::State;
use sluice_core::value::Value;
use sluice_policy::Acting;

use crate::wire::{CheckReport, FileReport};
use crate::workspace::{check, check_as};
use crate::{Assumptions, Refused};

const GRANT: &str = "do:
  - grant: { call: directory.groups.add, with: { group: readers, person: \"${ .who }\" } }
";
const HELD: &str = "do:
  - fetch: { call: crm.accounts.list, with: {} }
  - send: { call: sheets.rows.append, with: { sheet: us-sheets, rows: \"${ map({ balance }) }\" } }
";

fn verdicts(text: &str, assumptions: &Assumptions) -> Vec<Verdict> {
    check_as(text, assumptions).report.steps.iter().map(|step| step.verdict).collect()
}

#[test]
fn a_hold_does_not_refuse_and_a_forbid_does() {
    let held = check(HELD).standing.expect("a hold is no refusal");
    assert_eq!(held.report().steps.last().map(|s| s.verdict), Some(Verdict::Hold));
    let refused = check("do:\n  - run: { call: nowhere.todo, with: {} }\n").standing.unwrap_err();
    assert_eq!(refused, Refused::Forbidden { steps: vec!["`do/0/run`".to_owned()] });
}

#[test]
fn a_definition_that_nobody_signs_keeps_its_author_as_origin() {
    let unsigned = Assumptions { signed: false, author: Acting::Model { id: "m".into() }, ..Assumptions::default() };
    assert_eq!(verdicts(GRANT, &Assumptions::default()), [Verdict::Permit]);
    assert_eq!(verdicts(GRANT, &unsigned), [Verdict::Hold]);
    let report = check_as(GRANT, &unsigned).report;
    assert!(report.steps[0].labels.contains(&"origin:model:m".to_owned()), "{:?}", report.steps);
    let person = Assumptions { author: Acting::Person { id: "ana".into() }, ..unsigned };
    assert_eq!(verdicts(GRANT, &person), [Verdict::Permit]);
}

#[test]
fn a_named_requester_is_the_origin_of_the_input() {
    let ana = Assumptions { requester: Some("ana".into()), ..Assumptions::default() };
    let report = check_as(GRANT, &ana).report;
    assert_eq!(report.steps[0].labels, ["origin:person:ana"]);
    assert!(!report.not_shown.iter().any(|line| line.starts_with("who starts the run")));
}

#[test]
fn an_unknown_destination_is_asked_for_every_one_and_left_to_the_run() {
    let report = check(
        "do:
  - fetch: { call: crm.accounts.list, with: {} }
  - send: { call: sheets.rows.append, with: { sheet: \"${ $workflow.input.sheet }\", rows: [1] } }
",
    )
    .report;
    let send = report.steps.last().expect("a step");
    assert_eq!(send.verdict, Verdict::Runtime);
    assert!(report.not_shown.contains(&"`do/1/send`: which destination is known only at run time".to_owned()));
    assert_eq!(report.authority.destinations.len(), 3, "{:?}", report.authority);
}

#[test]
fn the_authority_lists_what_a_run_may_use() {
    let authority = check(HELD).report.authority;
    let words = |set: Vec<&str>| set.into_iter().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(
        authority.actions.into_iter().collect::<Vec<_>>(),
        words(vec!["crm.accounts.list", "sheets.rows.append"])
    );
    assert_eq!(authority.destinations.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), ["us-sheets"]);
    assert_eq!(authority.categories.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), ["financial", "internal"]);
    let bound = authority.bounds.get(&("sheets.rows.append".to_owned(), "sheet".into())).expect("a bound");
    assert_eq!(bound.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), ["us-sheets"]);
}

#[test]
fn a_run_that_leaves_its_prediction_is_caught() {
    let verified = check(HELD).standing.expect("verified");
    let (program, entry) = (verified.program(), verified.program().entry);
    let start = |label: Label| State::start(program, Value::int(label, 1), Value::null(Label::BOTTOM), Label::BOTTOM);
    let predicted = verified.analysis().state(entry).expect("the entry is reached");
    assert_eq!(verified.breach(entry, predicted), None);
    assert_eq!(verified.breach(entry, &start(Label::TOP)), Some(program.input));
    assert!(verified.breach(NodeId(u32::MAX), predicted).is_some());
}

#[test]
fn the_json_has_the_shape_that_outside_checks_rely_on() {
    let report = CheckReport::new(vec![FileReport::checked("a.yaml", "open-workflow", &check(HELD).report)]);
    assert!(report.is_alarming());
    let json = serde_json::to_value(&report).expect("it serializes");
    let keys = |value: &serde_json::Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    let file = &json["files"][0];
    assert_eq!(json["version"], 1);
    assert_eq!(keys(file), ["path", "format", "status", "findings", "steps", "not_shown"]);
    let finding = &file["findings"][0];
    assert_eq!(keys(finding), ["code", "name", "severity", "confidence", "message", "help", "span", "step", "flow"]);
    assert_eq!(keys(&finding["span"]), ["line", "column", "end_line", "end_column"]);
    assert_eq!(finding["severity"], "high");
    assert_eq!(file["steps"][1]["verdict"], "hold");
    assert_eq!(file["status"], "checked");
}
