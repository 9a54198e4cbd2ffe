//! One story under one seed: driven, killed, recovered, driven on, until it ends.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use serde_json::{Value as Json, json};
use sluice_core::catalogue::Catalogue;
use sluice_core::label::{Label, Name};
use sluice_core::program::Program;
use sluice_core::value::{Kinds, Value};
use sluice_engine::{
    Call, CallOutcome, EffectKey, Event, Fact, GateAnswer, Hold, INTERPRETER_VERSION, Permitted, Plan, Prediction,
    Question, Record, Resolution, RunState, Start, Status, ValueQuestion, replay,
};
use sluice_ledger::RunId;
use sluice_runtime::driver::{DriveError, Host, NotCommitted, drive};
use sluice_runtime::host::HostError;
use sluice_runtime::run_log::new_record;
use sluice_store::{
    AppendError, Commit, Conflict, Durability, Expect, Fault, Mode, PayloadKeys, Random, RandomError, Records,
    RunExpect, Sync, verify_all,
};
use sluice_verify::Analysis;
use sluice_verify::analysis::Entry;

use crate::simulator::services::{Kind, Services};

/// A workflow with what it needs.
#[derive(Clone)]
pub struct Story {
    /// For messages.
    pub name: String,
    /// What runs.
    pub program: Arc<Program>,
    /// What its calls mean.
    pub catalogue: Arc<Catalogue>,
    /// What it is given.
    pub input: Json,
}

/// What may go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Faults {
    /// Nothing.
    None,
    /// The process dies around the commit with this number: before it is durable, or after.
    CrashAt {
        /// Which commit, over all lives of the process.
        commit: u64,
        /// Whether the entries are durable.
        durable: bool,
    },
    /// The process dies inside the call with this number: before the effect, or after.
    CrashInCall {
        /// Which call, over all lives of the process.
        call: u64,
        /// Whether the effect happened.
        happened: bool,
    },
    /// Anything, at random.
    Random,
}

/// How often each fault struck.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage(pub BTreeMap<&'static str, u64>);

impl Coverage {
    fn hit(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    /// Adds another's counts.
    pub fn add(&mut self, other: &Self) {
        for (what, count) in &other.0 {
            *self.0.entry(what).or_default() += count;
        }
    }
}

/// Something that must never be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding(pub String);

/// One seed.
pub struct Simulation {
    /// Draws every choice.
    pub seed: u64,
    /// What may go wrong.
    pub faults: Faults,
}

/// How a simulated story ended.
pub struct Ended {
    /// How the run stands.
    pub status: Status,
    /// What was applied.
    pub services: Services,
    /// How often the store committed.
    pub commits: u64,
    /// How many calls were made.
    pub calls: u64,
    /// What struck.
    pub coverage: Coverage,
}

impl Simulation {
    /// Runs a story to its end through every fault, and checks what must hold.
    ///
    /// # Errors
    /// [`Finding`]: what did not hold; the seed reproduces it.
    pub fn run(&self, story: &Story) -> Result<Ended, Finding> {
        let finding = |what: String| Finding(format!("{} (seed {}, {:?}): {what}", story.name, self.seed, self.faults));
        let folder = tempfile::tempdir().map_err(|e| finding(e.to_string()))?;
        let world = World::new(self, story, folder.path().into());
        let plan = plan(story);
        let run = RunId::from_bytes(world.dice.borrow_mut().bytes());
        const LIVES_MAX: usize = 200;
        for life in 0..LIVES_MAX {
            let (state, events, next_seq) = world.wake(&plan, story, run, life).map_err(&finding)?;
            if *state.status() != Status::Running {
                return world.ended(&plan, run, &state).map_err(&finding);
            }
            world.next_seq.set(next_seq);
            match world.live(&plan, state, events).map_err(&finding)? {
                Some(state) if *state.status() != Status::Running => {
                    return world.ended(&plan, run, &state).map_err(&finding);
                }
                // Held, in doubt, or dead: people and the next process go on.
                Some(_) | None => {}
            }
        }
        Err(finding("the run does not end".to_owned()))
    }
}

/// Bottom for everything: the simulator is about durability, the laws are about labels.
fn plan(story: &Story) -> Plan {
    let universe = story.catalogue.universe.clone();
    let entry = Entry {
        universe: universe.clone(),
        input: Value::unknown(Label::BOTTOM, Kinds::ALL),
        id: Value::unknown(Label::BOTTOM, Kinds::TEXT),
        base: Label::BOTTOM,
    };
    let analysis = Analysis::of(&story.program, &story.catalogue, &entry);
    Plan {
        program: Arc::clone(&story.program),
        catalogue: Arc::clone(&story.catalogue),
        universe: Arc::new(universe),
        base: Label::BOTTOM,
        input_label: Label::BOTTOM,
        prediction: Arc::new(Predicted(analysis)),
    }
}

struct Predicted(Analysis);

impl Prediction for Predicted {
    fn breach(
        &self,
        node: sluice_core::program::NodeId,
        state: &sluice_core::transfer::State,
    ) -> Option<sluice_core::program::PlaceId> {
        match self.0.state(node) {
            Some(predicted) => predicted.breach(state),
            None => Some(sluice_core::program::PlaceId(0)),
        }
    }
}

/// SplitMix64: small, seeded, the same everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.next().is_multiple_of(n)
    }

    fn bytes(&mut self) -> [u8; 16] {
        let (a, b) = (self.next().to_be_bytes(), self.next().to_be_bytes());
        let mut bytes = [0; 16];
        for (slot, byte) in bytes.iter_mut().zip(a.into_iter().chain(b)) {
            *slot = byte;
        }
        bytes
    }
}

struct SeededRandom(Dice);

impl Random for SeededRandom {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomError> {
        for chunk in bytes.chunks_mut(8) {
            for (slot, byte) in chunk.iter_mut().zip(self.0.next().to_le_bytes()) {
                *slot = byte;
            }
        }
        Ok(())
    }
}

/// Shared with the store's fault hook.
#[derive(Default)]
struct Commits {
    made: u64,
    crash_before: Option<u64>,
    crash_after: Option<u64>,
    random: Option<Dice>,
    struck: Vec<&'static str>,
}

struct Hook(Arc<std::sync::Mutex<Commits>>);

impl Durability for Hook {
    fn before_commit(&mut self, _: Commit) -> Fault {
        let Ok(mut commits) = self.0.lock() else { return Fault::Crash };
        let now = commits.made;
        let random = commits.random.as_mut().is_some_and(|d| d.one_in(12));
        if commits.crash_before == Some(now) || random {
            commits.made += 1;
            commits.struck.push("commit lost");
            return Fault::Crash;
        }
        Fault::None
    }

    fn after_commit(&mut self, _: Commit) -> Fault {
        let Ok(mut commits) = self.0.lock() else { return Fault::Crash };
        let now = commits.made;
        commits.made += 1;
        let random = commits.random.as_mut().is_some_and(|d| d.one_in(12));
        if commits.crash_after == Some(now) || random {
            commits.struck.push("commit durable, nobody told");
            return Fault::Crash;
        }
        Fault::None
    }
}

struct World {
    faults: Faults,
    folder: PathBuf,
    dice: RefCell<Dice>,
    clock: Cell<u64>,
    commits: Arc<std::sync::Mutex<Commits>>,
    services: RefCell<Services>,
    records: RefCell<Option<Records>>,
    next_seq: Cell<u64>,
    calls: Cell<u64>,
    is_dead: Cell<bool>,
    approved: RefCell<BTreeSet<String>>,
    coverage: RefCell<Coverage>,
    seed: u64,
}

impl World {
    fn new(simulation: &Simulation, story: &Story, folder: PathBuf) -> Self {
        let mut commits = Commits::default();
        match simulation.faults {
            Faults::CrashAt { commit, durable: false } => commits.crash_before = Some(commit),
            Faults::CrashAt { commit, durable: true } => commits.crash_after = Some(commit),
            Faults::Random => commits.random = Some(Dice(simulation.seed ^ 0xD15C)),
            Faults::None | Faults::CrashInCall { .. } => {}
        }
        Self {
            faults: simulation.faults,
            folder,
            dice: RefCell::new(Dice(simulation.seed)),
            clock: Cell::new(1_800_000_000_000),
            commits: Arc::new(std::sync::Mutex::new(commits)),
            services: RefCell::new(Services::of(&story.catalogue)),
            records: RefCell::new(None),
            next_seq: Cell::new(0),
            calls: Cell::new(0),
            is_dead: Cell::new(false),
            approved: RefCell::default(),
            coverage: RefCell::default(),
            seed: simulation.seed,
        }
    }

    fn hit(&self, what: &'static str) {
        self.coverage.borrow_mut().hit(what);
    }

    fn is_random(&self) -> bool {
        self.faults == Faults::Random
    }

    fn chance(&self, n: u64) -> bool {
        self.is_random() && self.dice.borrow_mut().one_in(n)
    }

    /// A new process: opens the ledger, rebuilds the run, and does what people did meanwhile.
    fn wake(&self, plan: &Plan, story: &Story, run: RunId, life: usize) -> Result<(RunState, Vec<Event>, u64), String> {
        self.is_dead.set(false);
        *self.records.borrow_mut() = None;
        let mode = |path: &PathBuf| if path.exists() { Mode::Existing } else { Mode::Create };
        let (keys_path, path) = (self.folder.join("keys"), self.folder.join("ledger.db"));
        let random = SeededRandom(Dice(self.seed ^ (life as u64) << 32));
        let keys = PayloadKeys::open_with(&keys_path, mode(&keys_path), Box::new(random), Sync::None)
            .map_err(|e| e.to_string())?;
        let mut records = Records::open_with(&path, keys, mode(&path), Sync::None).map_err(|e| e.to_string())?;
        records.inject(Box::new(Hook(Arc::clone(&self.commits))));
        let entries = records.run(run).map_err(|e| e.to_string())?;
        *self.records.borrow_mut() = Some(records);
        let facts = sluice_runtime::run::facts(&entries).map_err(|e| e.to_string())?;
        let next_seq = facts.len() as u64;
        if facts.is_empty() {
            let start = Start {
                run: *run.as_bytes(),
                input: story.input.clone(),
                definition: sluice_verify::analysis::definition_json(&story.program),
                closure: [0; 32],
                interpreter: INTERPRETER_VERSION,
                requester: "ana".to_owned(),
                login: None,
            };
            return Ok((RunState::new(run), vec![Event::Started(Box::new(start))], 0));
        }
        if life > 0 {
            self.hit("recovered");
        }
        let state = replay(plan, run, &facts).map_err(|e| e.to_string())?;
        let mut events = Vec::new();
        if *state.status() == Status::Running && !state.is_waiting_for_people() {
            events.push(Event::Recovered);
        }
        for (token, _, hold) in state.held() {
            self.hit("approved by a person");
            self.approved.borrow_mut().insert(hold.approval.clone());
            events.push(Event::Recheck { token });
        }
        for (token, _, key) in state.in_doubt() {
            if events.contains(&Event::Recovered) {
                break;
            }
            self.hit("in doubt, a person looked");
            let resolution = self
                .services
                .borrow()
                .reply_to(key)
                .map_or(Resolution::Repeat, |reply| Resolution::happened(reply.clone()));
            events.push(Event::Resolved { token, resolution, by: Some("ana".to_owned()) });
        }
        Ok((state, events, next_seq))
    }

    /// One life of the process: until the run ends, only people can move it, or the process dies.
    fn live(&self, plan: &Plan, state: RunState, events: Vec<Event>) -> Result<Option<RunState>, String> {
        let mut future = pin!(drive(plan, state, events, self));
        let mut context = Context::from_waker(Waker::noop());
        const POLLS_MAX: usize = 100_000;
        for _ in 0..POLLS_MAX {
            match future.as_mut().poll(&mut context) {
                Poll::Ready(Ok(state)) => return Ok(Some(state)),
                Poll::Ready(Err(DriveError::Commit(_))) => {
                    for what in self.commits.lock().map(|mut c| std::mem::take(&mut c.struck)).unwrap_or_default() {
                        self.hit(what);
                    }
                    return Ok(None);
                }
                Poll::Ready(Err(error)) => return Err(error.to_string()),
                Poll::Pending if self.is_dead.get() => return Ok(None),
                Poll::Pending => {}
            }
        }
        Err("the driver waits for nothing".to_owned())
    }

    fn append(&self, records: &[Record]) -> Result<(), HostError> {
        let run = records.first().map_or(RunId::from_bytes([0; 16]), |r| r.run);
        let count = records.len() as u64;
        let records = records.iter().map(|r| new_record(r, "sim")).collect::<Result<Vec<_>, _>>()?;
        let mut expect = Expect::ANYTHING;
        expect.runs = vec![RunExpect { run, next_seq: Some(self.next_seq.get()), epoch: None }];
        let mut store = self.records.borrow_mut();
        store.as_mut().map_or(Err(AppendError::Stopped), |store| store.append(&records, &expect))?;
        self.next_seq.set(self.next_seq.get() + count);
        Ok(())
    }

    /// What must hold at the end.
    fn ended(&self, plan: &Plan, run: RunId, state: &RunState) -> Result<Ended, String> {
        let records = self.records.borrow_mut().take().ok_or("no store")?;
        let entries = records.run(run).map_err(|e| e.to_string())?;
        drop(records);
        let facts = sluice_runtime::run::facts(&entries).map_err(|e| e.to_string())?;
        let again = replay(plan, run, &facts).map_err(|e| format!("replay: {e}"))?;
        if again.status() != state.status() {
            return Err(format!("replay gives {:?}, live was {:?}", again.status(), state.status()));
        }
        let report = verify_all(&self.folder.join("ledger.db"), None, &[]).map_err(|e| e.to_string())?;
        if !report.agrees() {
            return Err(format!("the log does not verify: {:?}", report.first_misfit));
        }
        self.intents_and_effects(&facts)?;
        let services = self.services.take();
        let commits = self.commits.lock().map(|c| c.made).unwrap_or_default();
        Ok(Ended {
            status: state.status().clone(),
            services,
            commits,
            calls: self.calls.get(),
            coverage: self.coverage.take(),
        })
    }

    /// Nothing without its intent, nothing twice, and everything that was answered happened.
    fn intents_and_effects(&self, facts: &[Record]) -> Result<(), String> {
        let intents: BTreeSet<String> = facts
            .iter()
            .filter_map(|r| if let Fact::Intended { key, .. } = &r.fact { Some(key.clone()) } else { None })
            .collect();
        let services = self.services.borrow();
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for effect in &services.applied {
            let key = effect.key.to_string();
            if !intents.contains(&key) {
                return Err(format!("effect {key} happened without a durable intent"));
            }
            *counts.entry(key.clone()).or_default() += 1;
            if counts.get(&key).copied() > Some(1) {
                return Err(format!("effect {key} of a {:?} service happened twice", effect.kind));
            }
        }
        for record in facts {
            if let Fact::Finished { key, outcome: CallOutcome::Replied { .. }, .. } = &record.fact
                && !counts.contains_key(key)
            {
                return Err(format!("effect {key} was answered and never happened"));
            }
        }
        Ok(())
    }
}

impl World {
    fn wants_person(&self, question: &Question) -> bool {
        question.prepared.action.as_ref().is_some_and(|(_, a)| a.contains("held"))
    }

    fn answer(&self, question: &Question) -> GateAnswer {
        if self.wants_person(question) && !self.approved.borrow().contains(&format!("A-{}", question.key)) {
            // It takes of a budget that has room for all of them.
            let charge = json!({ "key": "budget/asks/day/0/origin/outside", "limit": u64::from(u32::MAX) });
            return self.hold(question.key, json!({ "more": { "budgets": [charge] } }));
        }
        GateAnswer::Permit { receipt: json!({}) }
    }

    fn hold(&self, key: EffectKey, receipt: serde_json::Value) -> GateAnswer {
        self.hit("held");
        let (approval, why) = (format!("A-{key}"), "a person must look".to_owned());
        let hold = Hold { approval, why, digest: *key.as_bytes(), salt: None };
        GateAnswer::Hold { receipt, hold }
    }
}

impl Host for World {
    type Error = HostError;

    fn now_ms(&self) -> u64 {
        if self.chance(20) {
            self.hit("clock jumped back");
            return self.clock.get().saturating_sub(3_600_000);
        }
        self.clock.get()
    }

    fn ask(&self, question: &Question) -> Option<GateAnswer> {
        if self.wants_person(question) && self.chance(2) {
            self.hit("a version was read first");
            return None;
        }
        Some(self.answer(question))
    }

    async fn read_and_ask(&self, question: &Question) -> GateAnswer {
        if self.chance(10) {
            self.hit("died before the answer");
            self.is_dead.set(true);
            return std::future::pending().await;
        }
        self.answer(question)
    }

    fn ask_for_word(&self, question: &ValueQuestion) -> GateAnswer {
        let vouching = &question.vouching;
        if !vouching.is_allowed || !vouching.is_needed {
            return GateAnswer::Unchanged { receipt: json!({}), why: "nothing to ask".to_owned() };
        }
        if !self.approved.borrow().contains(&format!("A-{}", question.key)) {
            return self.hold(question.key, json!({}));
        }
        self.hit("vouched for");
        GateAnswer::Permit { receipt: json!({}) }
    }

    async fn commit(&self, records: &[Record]) -> Result<(), NotCommitted<HostError>> {
        let permits = records.iter().any(|record| matches!(record.fact, Fact::Intended { .. }));
        if permits && self.chance(10) {
            self.hit("a count moved");
            let moved = Conflict::Fact { key: "per-hour".to_owned(), found: 1 };
            return Err(NotCommitted::Moved(AppendError::Conflict(moved).into()));
        }
        let counts = |record: &Record| match &record.fact {
            Fact::Decided { answer: GateAnswer::Hold { receipt, .. }, .. } => receipt.get("more").is_some(),
            _ => false,
        };
        let asks = records.iter().any(counts);
        if asks && self.chance(10) {
            self.hit("a budget was spent elsewhere");
            let moved = Conflict::Fact { key: "budget".to_owned(), found: 1 };
            return Err(NotCommitted::Moved(AppendError::Conflict(moved).into()));
        }
        Ok(self.append(records)?)
    }

    async fn call(&self, call: Permitted<Call>) -> CallOutcome {
        let call = call.take();
        let number = self.calls.get();
        self.calls.set(number + 1);
        let (mut dies, mut happens) = match self.faults {
            Faults::CrashInCall { call, happened } if call == number => (true, happened),
            _ => (false, true),
        };
        if self.chance(10) {
            (dies, happens) = (true, self.chance(2));
        }
        if !happens {
            self.hit("died before the effect");
            self.is_dead.set(true);
            return std::future::pending().await;
        }
        if self.chance(10) {
            self.hit("not sent");
            // A service that is gone for good would change the story; the engine is told that nobody knows.
            return CallOutcome::InDoubt { why: "the request was lost".to_owned() };
        }
        let reply = self.services.borrow_mut().apply(&call);
        if dies {
            self.hit("died after the effect");
            self.is_dead.set(true);
            return std::future::pending().await;
        }
        let kind = self.services.borrow().kind(&call);
        if kind != Kind::Blind && self.chance(8) {
            self.hit("request doubled");
            self.services.borrow_mut().apply(&call);
        }
        if self.chance(8) {
            self.hit("reply lost");
            return CallOutcome::InDoubt { why: "the reply was lost".to_owned() };
        }
        if self.chance(8) {
            self.hit("reply late");
            self.clock.set(self.clock.get() + 5_000);
        }
        CallOutcome::replied(reply)
    }

    async fn look_up(&self, _: Name, call: Call) -> Option<Resolution> {
        self.hit("looked up");
        if self.chance(6) {
            self.hit("look-up failed");
            return None;
        }
        let services = self.services.borrow();
        Some(services.reply_to(call.key).map_or(Resolution::Repeat, |reply| Resolution::happened(reply.clone())))
    }

    async fn sleep_until(&self, at_ms: u64) {
        self.clock.set(self.clock.get().max(at_ms));
    }
}
