//! Runs told event by event: what each one leads to, and that the records alone give the same state.

use std::collections::BTreeMap;
use std::sync::Arc;

use insta::assert_snapshot;
use serde_json::{Value as Json, json};
use sluice_core::catalogue::{
    Action, Argument, CallLimits, Catalogue, Idempotency, LabelTree, Pattern, ReplyRule, Resource,
};
use sluice_core::gate::Effect;
use sluice_core::label::{Label, Universe};
use sluice_core::program::{NodeId, PlaceId};
use sluice_core::text::Text;
use sluice_core::transfer::State;
use sluice_ledger::RunId;

use crate::{
    CallOutcome, Command, EffectKey, Event, Fact, GateAnswer, Hold, INTERPRETER_VERSION, Plan, Prediction, Record,
    Resolution, RunState, Start, TokenId, apply, replay,
};

const RUN: [u8; 16] = [7; 16];

/// An event, as far as a test cares: all of them are about the one line of control, and its latest call.
#[derive(Clone, Copy, Debug)]
enum Say {
    Start,
    StartOfAnotherRun,
    Permit,
    Hold,
    Forbid,
    Committed,
    Replied,
    RepliedToAnotherCall,
    Failed,
    InDoubt,
    Breach,
    Happened,
    Repeat,
    Abandon,
    Recheck,
    Deny,
    /// The clock moves to this many milliseconds, and tells.
    Time(u64),
    Recovered,
    Cancel,
}

use Say::{
    Abandon, Breach, Cancel, Committed, Deny, Failed, Forbid, Happened, InDoubt, Permit, Recheck, Recovered, Repeat,
    Replied, RepliedToAnotherCall, Start as Starts, StartOfAnotherRun, Time,
};

/// What became of a run that was told some events.
#[derive(Default)]
struct Told {
    /// One line per event: the event, and the commands that followed.
    lines: Vec<String>,
    /// The keys of its calls, in order.
    keys: Vec<EffectKey>,
    commits: usize,
}

impl Told {
    fn text(&self) -> String {
        self.lines.join("\n")
    }
}

/// Tells a run of `steps` these events. Ends at the first that does not fit; else replay must agree with the state.
#[track_caller]
fn told(steps: &str, says: &[Say]) -> Told {
    let plan = plan(steps);
    let mut state = RunState::new(RunId::from_bytes(RUN));
    let mut now_ms = 1_000;
    let mut records: Vec<Record> = Vec::new();
    let mut told = Told::default();
    for say in says {
        if let Time(ms) = say {
            now_ms = *ms;
        }
        let event = event(*say, told.keys.last().copied());
        let applied = match apply(&plan, state, now_ms, event) {
            Ok(applied) => applied,
            Err(error) => {
                told.lines.push(format!("{say:?}: {error}"));
                return told;
            }
        };
        state = applied.state;
        let mut words = Vec::new();
        for command in &applied.commands {
            words.push(in_words(command));
            match command {
                Command::Append(record) => records.push((**record).clone()),
                Command::Commit => told.commits += 1,
                Command::Call(call) => told.keys.push(call.peek().key),
                _ => {}
            }
        }
        told.lines.push(format!("{say:?}: {}", words.join(", ")));
    }
    assert_eq!(replay(&plan, state.run(), &records).unwrap(), state, "replay: {}", told.text());
    told
}

fn event(say: Say, key: Option<EffectKey>) -> Event {
    let token = TokenId(0);
    let finished = |key: Option<EffectKey>, outcome| Event::Finished {
        token,
        key: key.unwrap_or(EffectKey::from_bytes([0; 32])),
        outcome,
    };
    let decided = |answer| Event::Decided { token, answer };
    let resolved = |resolution| Event::Resolved { token, resolution, by: Some("ana".to_owned()) };
    let reply = json!({ "n": 2 });
    match say {
        Say::Start => started(RUN),
        StartOfAnotherRun => started([8; 16]),
        Permit => decided(GateAnswer::Permit { receipt: Json::Null }),
        Say::Hold => {
            let hold =
                Hold { approval: "A-1".to_owned(), why: "somebody must agree".to_owned(), digest: [1; 32], salt: None };
            decided(GateAnswer::Hold { receipt: Json::Null, hold })
        }
        Forbid => {
            decided(GateAnswer::Forbid { receipt: Json::Null, code: "SL330".to_owned(), why: "not here".to_owned() })
        }
        Committed => Event::Committed,
        Replied => finished(key, CallOutcome::replied(reply)),
        RepliedToAnotherCall => finished(None, CallOutcome::replied(reply)),
        Failed => finished(key, CallOutcome::Failed { detail: json!("down") }),
        InDoubt => finished(key, CallOutcome::InDoubt { why: "the line was cut".to_owned() }),
        Breach => finished(key, CallOutcome::Breach { why: "too long".to_owned() }),
        Happened => resolved(Resolution::happened(reply)),
        Repeat => resolved(Resolution::Repeat),
        Abandon => resolved(Resolution::Abandon),
        Recheck => Event::Recheck { token },
        Deny => Event::Denied { token, why: "no".to_owned() },
        Time(_) => Event::Time,
        Recovered => Event::Recovered,
        Cancel => Event::Cancelled { why: "enough".to_owned() },
    }
}

fn started(run: [u8; 16]) -> Event {
    Event::Started(Box::new(Start {
        run,
        input: json!({ "n": 1 }),
        definition: Json::Null,
        closure: [0; 32],
        interpreter: INTERPRETER_VERSION,
        requester: "ana".to_owned(),
        login: None,
    }))
}

fn in_words(command: &Command) -> String {
    match command {
        Command::Ask(question) => {
            let (connector, action) = question.prepared.action.clone().unwrap();
            format!("ask {connector}.{action} after {}", question.calls)
        }
        Command::AskForWord(question) => format!("ask for a word about {}", question.vouching.entry),
        Command::Append(record) => match &record.fact {
            Fact::Refused { code, .. } => format!("run-refused {code}"),
            fact => fact.kind().name().unwrap().to_owned(),
        },
        Command::Commit => "commit".to_owned(),
        Command::Call(call) => {
            let call = call.peek();
            let again = if call.repeated { " again" } else { "" };
            format!("call {}.{}{again}", call.connector, call.action)
        }
        Command::LookUp { action, .. } => format!("look up by {action}"),
        Command::WakeAt { at_ms } => format!("wake at {at_ms}"),
        Command::Ended => "ended".to_owned(),
    }
}

struct Anything;

impl Prediction for Anything {
    fn breach(&self, _: NodeId, _: &State) -> Option<PlaceId> {
        None
    }
}

fn plan(steps: &str) -> Plan {
    let text = format!("document: {{ dsl: '1.0.3', namespace: t, name: t, version: '1.0.0' }}\ndo:\n{steps}");
    let lowered = sluice_core::dsl::lower(&Text::new("t.yaml", text));
    let actions = [
        ("natural", Idempotency::Natural),
        ("keyed", Idempotency::Key("key".into())),
        ("looked-up", Idempotency::Lookup("find".into())),
        ("blind", Idempotency::None),
    ];
    let actions: BTreeMap<_, _> = actions.map(|(name, how)| ((name.into(), "put".into()), action(name, how))).into();
    Plan {
        program: Arc::new(lowered.program.unwrap_or_else(|| panic!("{:#?}", lowered.diagnostics))),
        catalogue: Arc::new(Catalogue { actions, ..Catalogue::default() }),
        universe: Arc::new(Universe::new()),
        base: Label::BOTTOM,
        input_label: Label::BOTTOM,
        prediction: Arc::new(Anything),
    }
}

fn action(connector: &str, idempotency: Idempotency) -> Action {
    Action {
        connector: connector.into(),
        name: "put".into(),
        effect: Effect::Write,
        privileged: false,
        arguments: BTreeMap::from([("n".into(), Argument::default())]),
        endpoint: None,
        reply: ReplyRule::Replace,
        labels: LabelTree { labels: vec![(Pattern::default(), Label::BOTTOM)], ..LabelTree::default() },
        source: Label::BOTTOM,
        idempotency,
        resource: Resource::Dataset { name: "d".into(), owner: None, region: None },
        region: None,
        stored: Label::BOTTOM,
        limits: CallLimits::default(),
        subject: None,
    }
}

const KEYED: &str = "  - one: { call: keyed.put, with: { n: 1 } }\n";
const NATURAL: &str = "  - one: { call: natural.put, with: { n: 1 } }\n";
const LOOKED_UP: &str = "  - one: { call: looked-up.put, with: { n: 1 } }\n";
const BLIND: &str = "  - one: { call: blind.put, with: { n: 1 } }\n";

#[test]
fn a_call_is_made_when_its_intent_is_durable_and_not_before() {
    assert_snapshot!(told(KEYED, &[Starts, Permit, Committed, Replied, ]).text(), @r"
    Start: run-started, ask keyed.put after 0
    Permit: decision, intent, commit
    Committed: call keyed.put
    Replied: outcome, run-completed, commit, ended
    ");
    assert_snapshot!(told(KEYED, &[Starts, Committed]).text(), @r"
    Start: run-started, ask keyed.put after 0
    Committed:
    ");
}

#[test]
fn an_event_that_does_not_fit_is_refused() {
    let refused = [
        told(KEYED, &[Permit]),
        told(KEYED, &[StartOfAnotherRun]),
        told(KEYED, &[Starts, Starts]),
        told(KEYED, &[Starts, Replied]),
        told(KEYED, &[Starts, Recheck]),
        told(KEYED, &[Starts, Deny]),
        told(KEYED, &[Starts, Happened]),
        told(KEYED, &[Starts, Permit, Permit]),
        told(KEYED, &[Starts, Permit, Replied]),
        told(KEYED, &[Starts, Permit, Committed, RepliedToAnotherCall]),
        told(KEYED, &[Starts, Permit, Committed, Happened]),
        told(KEYED, &[Starts, Permit, Committed, Replied, Replied]),
        told(KEYED, &[Starts, Forbid, Permit]),
        told(KEYED, &[Starts, Say::Hold, Replied]),
        told(KEYED, &[Starts, Cancel, Recovered]),
    ];
    let last: Vec<&str> = refused.iter().map(|told| told.lines.last().unwrap().as_str()).collect();
    assert_snapshot!(last.join("\n"), @r"
    Permit: SL501: the event `decided` does not fit the state of the run: there is no such line of control
    StartOfAnotherRun: SL501: the event `started` does not fit the state of the run: it is another run's
    Start: SL501: the event `started` does not fit the state of the run: the run has started before
    Replied: SL501: the event `finished` does not fit the state of the run: no call is under way
    Recheck: SL501: the event `recheck` does not fit the state of the run: it is not held
    Deny: SL501: the event `denied` does not fit the state of the run: it is not held
    Happened: SL501: the event `resolved` does not fit the state of the run: the call is not in doubt
    Permit: SL501: the event `decided` does not fit the state of the run: nothing was asked
    Replied: SL501: the event `finished` does not fit the state of the run: no call is under way
    RepliedToAnotherCall: SL501: the event `finished` does not fit the state of the run: it answers another call
    Happened: SL501: the event `resolved` does not fit the state of the run: the call is not in doubt
    Replied: SL501: the event `any` does not fit the state of the run: the run is over
    Permit: SL501: the event `any` does not fit the state of the run: the run is over
    Replied: SL501: the event `finished` does not fit the state of the run: no call is under way
    Recovered: SL501: the event `any` does not fit the state of the run: the run is over
    ");
}

#[test]
fn effects_one_after_another_cost_one_commit_each_and_one_at_the_end() {
    for effects in 0..5 {
        let steps: String =
            (0..effects).map(|n| format!("  - s{n}: {{ call: keyed.put, with: {{ n: {n} }} }}\n")).collect();
        let steps = if effects == 0 { "  - s: { set: { n: 1 } }\n" } else { &steps };
        let says: Vec<Say> =
            [Starts].into_iter().chain((0..effects).flat_map(|_| [Permit, Committed, Replied])).collect();
        let told = told(steps, &says);
        assert_eq!((told.keys.len(), told.commits), (effects, effects + 1), "{}", told.text());
    }
}

#[test]
fn a_held_call_asks_again_and_waiting_leaves_no_entries() {
    let says = [Starts, Say::Hold, Recheck, Say::Hold, Recovered, Recheck, Permit, Committed, Replied];
    assert_snapshot!(told(KEYED, &says).text(), @r"
    Start: run-started, ask keyed.put after 0
    Hold: held, approval-requested, commit
    Recheck: ask keyed.put after 0
    Hold: 
    Recovered: recovery, commit
    Recheck: ask keyed.put after 0
    Permit: decision, resumed, intent, commit
    Committed: call keyed.put
    Replied: outcome, run-completed, commit, ended
    ");
    assert_snapshot!(told(KEYED, &[Starts, Say::Hold, Recheck, Forbid]).text(), @r"
    Start: run-started, ask keyed.put after 0
    Hold: held, approval-requested, commit
    Recheck: ask keyed.put after 0
    Forbid: decision, run-refused SL330, commit, ended
    ");
    assert_snapshot!(told(KEYED, &[Starts, Say::Hold, Deny]).text(), @r"
    Start: run-started, ask keyed.put after 0
    Hold: held, approval-requested, commit
    Deny: denied, run-refused SL506, commit, ended
    ");
}

#[test]
fn a_refusal_passes_every_handler() {
    let caught = "  - all: { try: [ { one: { call: keyed.put, with: { n: 1 } } } ], catch: { do: [ { two: { set: { n: 2 } } } ] } }\n";
    assert_snapshot!(told(caught, &[Starts, Forbid]).text(), @r"
    Start: run-started, ask keyed.put after 0
    Forbid: decision, run-refused SL330, commit, ended
    ");
    assert_snapshot!(told(caught, &[Starts, Permit, Committed, Breach]).text(), @r"
    Start: run-started, ask keyed.put after 0
    Permit: decision, intent, commit
    Committed: call keyed.put
    Breach: outcome, run-refused SL508, commit, ended
    ");
    assert_snapshot!(told(caught, &[Starts, Permit, Committed, Failed]).text(), @r"
    Start: run-started, ask keyed.put after 0
    Permit: decision, intent, commit
    Committed: call keyed.put
    Failed: outcome, run-completed, commit, ended
    ");
}

#[test]
fn a_retry_is_a_new_effect_and_a_repetition_is_the_same_one() {
    let retried = "  - all: { try: [ { one: { call: keyed.put, with: { n: 1 } } } ], catch: { retry: { delay: { seconds: 2 }, limit: { attempt: { count: 2 } } } } }\n";
    let says = [Starts, Permit, Committed, InDoubt, Failed, Time(1_500), Time(3_000), Permit, Committed, Replied];
    let told = told(retried, &says);
    assert_snapshot!(told.text(), @r"
    Start: run-started, ask keyed.put after 0
    Permit: decision, intent, commit
    Committed: call keyed.put
    InDoubt: in-doubt, commit, call keyed.put again
    Failed: outcome, wake at 3000
    Time(1500): wake at 3000
    Time(3000): timer-fired, ask keyed.put after 1
    Permit: decision, intent, commit
    Committed: call keyed.put
    Replied: outcome, run-completed, commit, ended
    ");
    assert_eq!(told.keys.len(), 3);
    assert!(told.keys[0] == told.keys[1] && told.keys[1] != told.keys[2], "{:?}", told.keys);
}

#[test]
fn a_call_in_doubt_is_repeated_only_where_its_contract_says_that_it_is_harmless() {
    let called = [Starts, Permit, Committed];
    let doubted = |steps, more: &[Say]| told(steps, &[&called, more].concat()).lines[3..].join("\n");
    assert_snapshot!(doubted(KEYED, &[InDoubt, InDoubt, InDoubt, InDoubt, Happened]), @r"
    InDoubt: in-doubt, commit, call keyed.put again
    InDoubt: in-doubt, commit, call keyed.put again
    InDoubt: in-doubt, commit, call keyed.put again
    InDoubt: in-doubt, commit
    Happened: in-doubt-resolved, commit, run-completed, commit, ended
    ");
    assert_snapshot!(doubted(NATURAL, &[InDoubt, Replied]), @r"
    InDoubt: in-doubt, commit, call natural.put again
    Replied: outcome, run-completed, commit, ended
    ");
    assert_snapshot!(doubted(LOOKED_UP, &[InDoubt, Repeat, Committed, Replied]), @r"
    InDoubt: in-doubt, commit, look up by find
    Repeat: in-doubt-resolved, commit
    Committed: call looked-up.put again
    Replied: outcome, run-completed, commit, ended
    ");
    assert_snapshot!(doubted(BLIND, &[InDoubt, Abandon]), @r"
    InDoubt: in-doubt, commit
    Abandon: in-doubt-resolved, run-faulted, commit, ended, commit
    ");
    assert_snapshot!(doubted(BLIND, &[InDoubt, Repeat, Committed, Replied]), @r"
    InDoubt: in-doubt, commit
    Repeat: in-doubt-resolved, commit
    Committed: call blind.put again
    Replied: outcome, run-completed, commit, ended
    ");
}

#[test]
fn a_process_that_ends_in_a_call_leaves_it_in_doubt() {
    let called = [Starts, Permit, Committed, Recovered];
    let recovered = |steps, more: &[Say]| told(steps, &[&called, more].concat()).lines[3..].join("\n");
    assert_snapshot!(recovered(KEYED, &[Replied]), @r"
    Recovered: recovery, call keyed.put again, commit
    Replied: outcome, run-completed, commit, ended
    ");
    assert_snapshot!(recovered(LOOKED_UP, &[Happened]), @r"
    Recovered: recovery, look up by find, commit
    Happened: in-doubt-resolved, commit, run-completed, commit, ended
    ");
    assert_snapshot!(recovered(BLIND, &[Happened]), @r"
    Recovered: recovery, commit
    Happened: in-doubt-resolved, commit, run-completed, commit, ended
    ");
}

#[test]
fn a_clock_that_jumps_back_fires_no_timer_and_moves_none() {
    let waits = "  - nap: { wait: { seconds: 2 } }\n";
    assert_snapshot!(told(waits, &[Starts, Time(2_000), Time(10), Time(3_000)]).text(), @r"
    Start: run-started, wake at 3000
    Time(2000): wake at 3000
    Time(10): wake at 3000
    Time(3000): timer-fired, run-completed, commit, ended
    ");
}
