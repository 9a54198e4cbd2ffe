//! Crashes: after every commit and in every call for the written stories, at random for many seeds.
//!
//! `SLUICE_SIM_SEEDS` sets how many random seeds are tried (2,000 unless told; `./test --long` takes 100,000).

#![expect(clippy::panic, clippy::expect_used, reason = "a simulation reports what it found by panicking")]

mod generated;
mod stories;

use sluice_engine::{EffectKey, Status};
use sluice_sim::simulator::{Coverage, Ended, Faults, Finding, Kind, Simulation};

fn check(result: Result<sluice_sim::simulator::Ended, Finding>) -> Ended {
    result.unwrap_or_else(|Finding(what)| panic!("{what}"))
}

/// The effects that happened. Branches of a fork may take turns in any order, so the keys are sorted.
fn keys(ended: &Ended) -> Vec<EffectKey> {
    let mut keys: Vec<EffectKey> = ended.services.applied.iter().map(|e| e.key).collect();
    keys.sort();
    keys
}

#[test]
fn every_story_completes_without_faults_in_one_commit_more_than_it_has_effects() {
    for story in stories::all() {
        let ended = check(Simulation { seed: 1, faults: Faults::None }.run(&story));
        assert!(matches!(ended.status, Status::Completed { .. }), "{}: {:?}", story.name, ended.status);
        if story.name == "sequence" {
            assert_eq!((ended.calls, ended.commits), (4, 5), "N sequential effects cost N+1 commits");
        }
    }
}

#[test]
fn no_crash_around_any_commit_loses_or_repeats_an_effect() {
    for story in stories::all() {
        let calm = check(Simulation { seed: 1, faults: Faults::None }.run(&story));
        for commit in 0..calm.commits + 3 {
            for durable in [false, true] {
                let ended = check(Simulation { seed: 1, faults: Faults::CrashAt { commit, durable } }.run(&story));
                assert_eq!(ended.status, calm.status, "{}: commit {commit}, durable {durable}", story.name);
                let (keys, calm_keys) = (keys(&ended), keys(&calm));
                assert_eq!(keys, calm_keys, "{}: commit {commit}, durable {durable}", story.name);
            }
        }
    }
}

#[test]
fn no_crash_in_any_call_loses_or_repeats_an_effect() {
    for story in stories::all() {
        let calm = check(Simulation { seed: 1, faults: Faults::None }.run(&story));
        for call in 0..calm.calls {
            for happened in [false, true] {
                let ended = check(Simulation { seed: 1, faults: Faults::CrashInCall { call, happened } }.run(&story));
                assert_eq!(ended.status, calm.status, "{}: call {call}, happened {happened}", story.name);
                assert_eq!(keys(&ended), keys(&calm), "{}: call {call}, happened {happened}", story.name);
            }
        }
    }
}

#[test]
fn generated_programs_survive_random_faults() {
    // A tenth of the seeds: a generated program takes some ten times as long as a written story.
    let seeds = seeds().div_ceil(10);
    let (mut compared, mut crashed) = (0, 0);
    for seed in 0..seeds {
        let story = generated::story(seed);
        let calm = check(Simulation { seed, faults: Faults::None }.run(&story));
        assert!(
            !matches!(&calm.status, Status::Refused { code, .. } if code == "SL502" || code == "SL509"),
            "{}",
            story.name
        );
        let ended = check(Simulation { seed, faults: Faults::Random }.run(&story));
        crashed += u64::from(ended.coverage.0.contains_key("recovered"));
        // Late replies move timeouts; everything else ends as if nothing had happened.
        if story.program.deadlines.is_empty() {
            assert_eq!(ended.status, calm.status, "{} (seed {seed})", story.name);
            assert_eq!(keys(&ended), keys(&calm), "{} (seed {seed})", story.name);
            compared += 1;
        }
    }
    println!("{seeds} generated programs, {crashed} of them crashed, {compared} compared with a calm run");
    assert!(compared * 4 >= seeds && crashed * 4 >= seeds, "the faults hardly ever met a program");
}

fn seeds() -> u64 {
    std::env::var("SLUICE_SIM_SEEDS").ok().and_then(|s| s.parse().ok()).unwrap_or(2_000)
}

#[test]
fn thousands_of_seeds_lose_nothing_and_repeat_nothing() {
    let seeds = seeds();
    let stories = stories::all();
    let calm: Vec<Status> =
        stories.iter().map(|s| check(Simulation { seed: 1, faults: Faults::None }.run(s)).status).collect();
    let mut coverage = Coverage::default();
    let mut kinds = std::collections::BTreeMap::<Kind, u64>::new();
    for seed in 0..seeds {
        let which = usize::try_from(seed).unwrap_or(0) % stories.len();
        let ended = check(Simulation { seed, faults: Faults::Random }.run(&stories[which]));
        // Time may pass differently under faults: only stories without timeouts must end alike.
        if !stories[which].name.contains("timeout") {
            assert_eq!(ended.status, calm[which], "{} (seed {seed})", stories[which].name);
        }
        coverage.add(&ended.coverage);
        for effect in &ended.services.applied {
            *kinds.entry(effect.kind).or_default() += 1;
        }
    }
    println!("{seeds} seeds over {} stories", stories.len());
    for (what, count) in &coverage.0 {
        println!("{count:>8}  {what}");
    }
    for (kind, count) in &kinds {
        println!("{count:>8}  effects of {kind:?} services");
    }
    if seeds >= 2_000 {
        for what in [
            "a count moved",
            "a budget was spent elsewhere",
            "a version was read first",
            "approved by a person",
            "clock jumped back",
            "commit durable, nobody told",
            "commit lost",
            "died after the effect",
            "died before the effect",
            "held",
            "in doubt, a person looked",
            "look-up failed",
            "looked up",
            "not sent",
            "recovered",
            "reply late",
            "reply lost",
            "request doubled",
        ] {
            assert!(coverage.0.get(what).is_some_and(|n| *n >= 10), "`{what}` hardly ever struck");
        }
    }
}
