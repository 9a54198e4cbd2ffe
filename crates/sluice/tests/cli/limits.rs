//! A contract's limit holds over all runs, also over those that ask at the same moment in other processes.

use std::fs;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::sandbox::{Ended, Sandbox};

const PER_HOUR: usize = 3;
const RUNS: usize = 8;

fn hour() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 3_600
}

/// A workspace whose greetings are limited, and which of so many runs at once were let.
fn raced(tasks: &str) -> (Sandbox, Vec<Ended>) {
    let sandbox = Sandbox::with_workspace();
    sandbox
        .edit("ws/connectors/greetings.yaml", |text| text.replace("per_hour: 1000", &format!("per_hour: {PER_HOUR}")));
    sandbox.sluice(&["policy", "sign", "--as", "ana", "--key", &sandbox.key()]).with(0);
    let file = sandbox.workflow("race.yaml", tasks);
    let run = ["run", &file, "--as", "ana", "--author", "ana", "--format", "json"];
    let started = hour();
    let ended = thread::scope(|scope| {
        let runs: Vec<_> = (0..RUNS).map(|_| scope.spawn(|| sandbox.sluice(&run))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    // A new hour has a limit of its own.
    if hour() == started { (sandbox, ended) } else { raced(tasks) }
}

fn lines(sandbox: &Sandbox) -> usize {
    fs::read_to_string(sandbox.path("ws/data/greetings.jsonl")).unwrap().lines().count()
}

#[test]
fn runs_that_race_for_what_is_left_of_a_limit_never_overshoot_it() {
    let (sandbox, ended) = raced("  - keep: { call: greetings.append, with: { rows: [{ greeting: hello }] } }\n");
    let (let_through, refused): (Vec<&Ended>, Vec<&Ended>) = ended.iter().partition(|ended| ended.code == 0);
    assert_eq!((let_through.len(), lines(&sandbox)), (PER_HOUR, PER_HOUR), "{ended:?}");
    for run in refused {
        assert_eq!((run.code, &run.json()["refusal"]["code"]), (5, &"SL515".into()), "{run:?}");
    }
    sandbox.sluice(&["audit", "verify"]).with(0);
}

#[test]
fn branches_of_one_run_share_a_limit_with_all_others() {
    let branch =
        |n| format!("          - b{n}: {{ call: greetings.append, with: {{ rows: [{{ greeting: hello }}] }} }}\n");
    let branches: String = (0..2).map(branch).collect();
    let (sandbox, ended) = raced(&format!("  - both:\n      fork:\n        branches:\n{branches}"));
    assert!(lines(&sandbox) <= PER_HOUR, "{ended:?}");
    assert!(ended.iter().any(|run| run.code == 0) && ended.iter().any(|run| run.code == 5), "{ended:?}");
    sandbox.sluice(&["audit", "verify"]).with(0);
}
