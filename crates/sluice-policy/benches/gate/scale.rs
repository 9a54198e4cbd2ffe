//! A decision by the number of policies and entities: 20 % forbids, 20 % permits of one resource, 60 % permits of one
//! group, with five conditions each; persons in one to four groups. Times are of the thread's processor, so that other
//! programs on the machine count only for what they do to its caches.
//!
//! Whether a slow decision is slow because of what was asked, or because of the moment in which it was, is told by the column
//! `req. p99`: each request is asked in every round, and of the medians of the requests 99 % lie below it.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::str::FromStr;

use cedar_policy::{Entities, Entity, PolicySet, Request};
use rustix::time::{ClockId, clock_gettime};
use sluice_core::gate::{Effect, Role};
use sluice_core::label::Name;
use sluice_policy::{AtomSet, Bundle, Category, GateRequest, PolicyId, Question, Said};

use super::{
    Answer, Bare, BareAtoms, BareRequest, CedarDecision, SCHEMA, Schema, at, bare_resource, dataset, destination,
    request, uid,
};

const REQUESTS: usize = 400;
const ROUNDS: usize = 15;
/// Bare Cedar takes milliseconds at the larger sizes.
const BARE_ROUNDS: usize = 2;

/// A line for each size.
pub(super) fn run() -> Answer<()> {
    println!("\nby size; {REQUESTS} requests, {ROUNDS} rounds, µs of the thread's processor");
    println!("                  |        decide only        | build  |   gate, whole   |    bare Cedar     |");
    println!(
        "policies entities |   p50     p99   req. p99  |  p50   |   p50     p99   |    p50      p99   | bare / decide"
    );
    for entities in [10, 1_000] {
        for policies in [20, 200, 2_000] {
            Size { policies, entities }.run()?;
        }
    }
    Ok(())
}

struct Size {
    policies: usize,
    entities: usize,
}

impl Size {
    fn run(&self) -> Answer<()> {
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        let world = World::of(self.entities);
        let text: String = (0..self.policies).map(|i| world.policy(i, &mut dice)).collect();
        let bundle = Bundle::load(&[("scale.cedar", &text)]).map_err(|flaws| format!("{flaws:?}"))?;
        let bare = Bare { set: PolicySet::from_str(&text)?, schema: Schema::from_cedarschema_str(SCHEMA)?.0 };
        let groups: Vec<Vec<String>> = (0..world.persons).map(|_| world.groups_of_a_person(&mut dice)).collect();
        let entities = world.entities(&groups, &bare.schema)?;
        let asked =
            (0..REQUESTS).map(|_| world.request(&groups, &mut dice, &bare.schema)).collect::<Answer<Vec<_>>>()?;
        let questions = asked.iter().map(|(request, _)| Question::of(request)).collect::<Result<Vec<_>, _>>()?;
        for (question, (_, theirs)) in questions.iter().zip(&asked) {
            bare.compare(&bundle.evaluate(question), theirs, &entities)?;
        }
        let mut decide = timed(ROUNDS, &questions, |question| drop(black_box(bundle.evaluate(question))));
        let mut build = timed(ROUNDS, &asked, |(request, _)| drop(black_box(Question::of(request))));
        let mut gate = timed(ROUNDS, &asked, |(request, _)| drop(black_box(bundle.decide(request))));
        let mut bare_decide = timed(BARE_ROUNDS, &asked, |(_, theirs)| drop(black_box(bare.ask(theirs, &entities))));
        let mut of_requests = medians(&decide);
        println!(
            "{:>8} {:>8} | {:>6.1}  {:>6.1}   {:>6.1}    | {:>5.1}  | {:>6.1}  {:>6.1}   | {:>7.1}  {:>7.1}  | {:>6.1}×",
            self.policies,
            self.entities,
            at(&mut decide, 0.5),
            at(&mut decide, 0.99),
            at(&mut of_requests, 0.99),
            at(&mut build, 0.5),
            at(&mut gate, 0.5),
            at(&mut gate, 0.99),
            at(&mut bare_decide, 0.5),
            at(&mut bare_decide, 0.99),
            at(&mut bare_decide, 0.5) / at(&mut decide, 0.5),
        );
        Ok(())
    }
}

/// The times of each call, after a round that warms up.
fn timed<T>(rounds: usize, asked: &[T], call: impl Fn(&T)) -> Vec<f64> {
    asked.iter().for_each(&call);
    let mut times = Vec::with_capacity(rounds * asked.len());
    for one in std::iter::repeat_n(asked, rounds).flatten() {
        let start = now();
        call(one);
        times.push(now() - start);
    }
    times
}

/// The median of each request over all rounds.
fn medians(times: &[f64]) -> Vec<f64> {
    let of_one = |request: usize| times.iter().skip(request).step_by(REQUESTS).copied().collect::<Vec<_>>();
    (0..REQUESTS).map(|request| at(&mut of_one(request), 0.5)).collect()
}

/// Microseconds of processor that this thread has used.
fn now() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    #[expect(clippy::cast_precision_loss, reason = "a bench runs for seconds")]
    let micros = time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3;
    micros
}

impl Bare {
    fn compare(&self, said: &Said, request: &Request, entities: &Entities) -> Answer<()> {
        let (decision, ids) = self.ask(request, entities);
        let named = |ids: &[PolicyId]| ids.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        let same = match said {
            Said::Allow(permits) => decision == CedarDecision::Allow && named(permits) == ids,
            Said::Deny(forbids) => decision == CedarDecision::Deny && named(forbids) == ids,
            Said::Failed(_) => false,
        };
        if same { Ok(()) } else { Err(format!("the gate says {said:?}, bare Cedar {decision:?} {ids:?}").into()) }
    }
}

struct World {
    persons: usize,
    groups: usize,
    destinations: usize,
    datasets: usize,
}

impl World {
    const fn of(entities: usize) -> Self {
        Self { persons: entities * 2 / 5, groups: entities / 5, destinations: entities / 5, datasets: entities / 5 }
    }

    fn resource(&self, dice: &mut Dice) -> (&'static str, String) {
        if dice.below(2) == 0 {
            ("Destination", format!("out-{}", dice.below(self.destinations)))
        } else {
            ("Dataset", format!("store-{}", dice.below(self.datasets)))
        }
    }

    fn policy(&self, i: usize, dice: &mut Dice) -> String {
        let (word, one_resource) = match i % 10 {
            0 => ("forbid", true),
            1 => ("forbid", false),
            2 | 3 => ("permit", true),
            _ => ("permit", false),
        };
        let scope = if one_resource {
            let (kind, id) = self.resource(dice);
            format!("principal, {}, resource == {kind}::\"{id}\"", actions(dice))
        } else {
            let kind = dice.one_of("Destination", &["Dataset"]);
            let group = dice.below(self.groups);
            format!("principal in Group::\"g-{group}\", {}, resource is {kind}", actions(dice))
        };
        let rare = if word == "forbid" {
            format!("context.facts.calls_this_hour > {}", dice.below(100))
        } else {
            format!("context.facts.calls_this_hour < {}", 1 + dice.below(100))
        };
        format!(
            "@id(\"p-{i}\") @why(\"y\") {word} ({scope})\n\
             when {{ context.standing == \"verified\" && !context.solo }}\n\
             when {{ [\"monthly-report\", \"billing\", \"audit-{i}\"].contains(context.purpose) }}\n\
             when {{ !context.arguments.categories.containsAny([\"class-{i}\", \"phi\"]) }}\n\
             unless {{ context.control.outside.contains(\"origin-{i}\") }}\n\
             when {{ {rare} }};\n"
        )
    }

    fn groups_of_a_person(&self, dice: &mut Dice) -> Vec<String> {
        let count = 1 + dice.below(4);
        let groups: BTreeSet<usize> = (0..count).map(|_| dice.below(self.groups)).collect();
        groups.into_iter().map(|group| format!("g-{group}")).collect()
    }

    fn entities(&self, persons: &[Vec<String>], schema: &Schema) -> Answer<Entities> {
        let group = |id: &String| uid("Group", id);
        let mut all = Vec::new();
        for (i, groups) in persons.iter().enumerate() {
            let groups = groups.iter().map(group).collect::<Answer<_>>()?;
            all.push(Entity::new_no_attrs(uid("Person", &format!("person-{i}"))?, groups));
        }
        for i in 0..self.groups {
            all.push(Entity::new_no_attrs(group(&format!("g-{i}"))?, [].into()));
        }
        for i in 0..self.destinations {
            all.push(bare_resource("Destination", &format!("out-{i}"))?);
        }
        for i in 0..self.datasets {
            all.push(bare_resource("Dataset", &format!("store-{i}"))?);
        }
        Ok(Entities::from_entities(all, Some(schema))?)
    }

    /// The gate's form and bare Cedar's.
    fn request(&self, persons: &[Vec<String>], dice: &mut Dice, schema: &Schema) -> Answer<(GateRequest, Request)> {
        let person = dice.below(persons.len());
        let groups = persons.get(person).cloned().unwrap_or_default();
        let person = format!("person-{person}");
        let (kind, id) = self.resource(dice);
        let effect = dice.one_of(Effect::Read, &Effect::ALL);
        let financial = Category { class: "financial".into(), owner: "finance-lead".into() };
        let payload = AtomSet { categories: [financial].into(), ..AtomSet::default() };
        let mut ours = request(effect, [(Role::Payload, payload)]);
        ours.principal.id = Name::from(&*person);
        ours.principal.groups = groups.iter().map(|group| Name::from(&**group)).collect();
        ours.resource = if kind == "Dataset" { dataset(&id) } else { destination(&id) };
        let uncleared: &[&str] = if kind == "Dataset" { &["financial"] } else { &[] };
        let seen =
            BareAtoms { categories: &["financial"], owners: &["finance-lead"], uncleared, ..BareAtoms::default() };
        let theirs = BareRequest {
            person,
            groups,
            resource: Some((kind, id)),
            effect: effect.name(),
            roles: vec![("payload", seen)],
            arguments: seen,
            ..BareRequest::default()
        };
        Ok((ours, theirs.build(Some(schema))?.0))
    }
}

fn actions(dice: &mut Dice) -> String {
    let first = dice.below(Effect::ALL.len());
    let names: Vec<String> = (0..3)
        .filter_map(|i| Effect::ALL.get((first + i * 2) % Effect::ALL.len()))
        .map(|effect| format!("Action::\"{effect}\""))
        .collect();
    format!("action in [{}]", names.join(", "))
}

/// The same numbers each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % count.max(1)
    }

    fn one_of<T: Copy>(&mut self, first: T, others: &[T]) -> T {
        others.get(self.below(others.len() + 1)).copied().unwrap_or(first)
    }
}
