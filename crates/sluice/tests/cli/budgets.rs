//! Budgets hold over all runs of workflows, also over those that ask at the same moment in other processes.

use std::fs;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::sandbox::{Ended, Sandbox};

const ASKS: usize = 3;
const RUNS: usize = 8;

fn day() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 86_400
}

/// What became of so many runs at once of an author who is not known, which wait for an owner, where people are asked so often a day.
fn raced(tasks: &str) -> (Sandbox, Vec<Ended>) {
    let sandbox = Sandbox::with_two_people();
    sandbox.edit("ws/registers/budgets.yaml", |text| {
        text.replace("asks: 500, per: hour", &format!("asks: {ASKS}, per: day"))
    });
    sandbox.sluice(&["policy", "sign", "--as", "ana", "--key", &sandbox.key()]).with(0);
    let file = sandbox.workflow("race.yaml", tasks);
    let run = ["run", &file, "--as", "ben", "--format", "json"];
    let started = day();
    let ended = thread::scope(|scope| {
        let runs: Vec<_> = (0..RUNS).map(|_| scope.spawn(|| sandbox.sluice(&run))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    // A new day has a budget of its own.
    if day() == started { (sandbox, ended) } else { raced(tasks) }
}

fn questions(ended: &[Ended]) -> usize {
    ended.iter().map(|run| run.json()["held"].as_array().map_or(0, Vec::len)).sum()
}

#[test]
fn runs_that_race_for_a_question_to_people_never_ask_more_than_the_budget() {
    let (sandbox, ended) = raced("  - keep: { call: greetings.append, with: { rows: [{ greeting: hello }] } }\n");
    assert_eq!(questions(&ended), ASKS, "{ended:?}");
    for run in ended.iter().filter(|run| run.code != 4) {
        assert_eq!((run.code, &run.json()["refusal"]["code"]), (5, &"SL525".into()), "{run:?}");
    }
    // A question that waits is not asked for again by whoever comes back to it.
    let held = ended.iter().find(|run| run.code == 4).unwrap().json();
    sandbox.sluice(&["resume", held["run"].as_str().unwrap()]).with(4);
    let approval = held["held"][0]["approval"].as_str().unwrap();
    sandbox.sluice(&["approvals", "approve", approval, "--as", "ana", "--key", &sandbox.key()]).with(0);
    sandbox.sluice(&["resume", held["run"].as_str().unwrap()]).with(0);
    sandbox.sluice(&["audit", "verify"]).with(0);
    let log: Vec<u8> = ["ws/.sluice/ledger.db", "ws/.sluice/ledger.db-wal"]
        .into_iter()
        .flat_map(|file| fs::read(sandbox.path(file)).unwrap_or_default())
        .collect();
    let has = |text: &str| log.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(has("/origin/author/") && !has("/origin/author/ben"), "the open log names nobody");
}

#[test]
fn branches_of_one_run_share_a_budget_with_all_others() {
    let branch =
        |n| format!("          - b{n}: {{ call: greetings.append, with: {{ rows: [{{ greeting: hello }}] }} }}\n");
    let branches: String = (0..2).map(branch).collect();
    let (sandbox, ended) = raced(&format!("  - both:\n      fork:\n        branches:\n{branches}"));
    assert!(questions(&ended) <= ASKS, "{ended:?}");
    assert!(ended.iter().any(|run| run.code == 4) && ended.iter().any(|run| run.code == 5), "{ended:?}");
    sandbox.sluice(&["audit", "verify"]).with(0);
}
