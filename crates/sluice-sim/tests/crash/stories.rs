//! Workflows with every construct that waits, calls or jumps.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;
use sluice_core::catalogue::{Action, CallLimits, Catalogue, Idempotency, LabelTree, Pattern, ReplyRule, Resource};
use sluice_core::gate::Effect;
use sluice_core::label::{Label, Name, Universe};
use sluice_core::text::Text;
use sluice_sim::simulator::Story;

const SEQUENCE: &str = "
  - one: { call: keyed.put, with: { n: 1 } }
  - two: { call: looked-up.put, with: { n: '${ .n }' } }
  - three: { call: natural.get, with: { n: '${ .n }' } }
  - four: { call: blind.put, with: { n: '${ .n }' } }
";

const LOOPS: &str = "
  - start: { set: { total: 0 } }
  - outer:
      for: { each: row, in: '${ [[1, 2], [3]] }' }
      do:
        - inner:
            for: { each: cell, in: '${ $row }' }
            do:
              - put: { call: keyed.put, with: { n: '${ $cell }' }, output: { as: '${ {total: .n} }' } }
";

const RETRY: &str = "
  - attempt:
      try:
        - put: { call: keyed.put, with: { n: 4 }, output: { as: '${ . + {round: 1} }' } }
        - fail: { if: '${ .n == 5 and $context == null }', raise: { error: { type: 'https://example.com/no', status: 503 } }, then: exit }
      catch:
        errors: { with: { status: 503 } }
        retry: { delay: { seconds: 2 }, backoff: { exponential: {} }, limit: { attempt: { count: 2 } } }
        do:
          - after: { call: keyed.put, with: { n: 9 } }
";

const GOTO: &str = "
  - init: { set: { n: 0 } }
  - again: { call: keyed.put, with: { n: '${ .n }' } }
  - more: { switch: [ { low: { when: '${ .n < 4 }', then: again } }, { else: { then: continue } } ] }
  - last: { call: looked-up.put, with: { n: '${ .n }' } }
";

const FORK: &str = "
  - both:
      fork:
        branches:
          - left:
              do:
                - a: { call: keyed.put, with: { n: 1 } }
                - b: { call: blind.put, with: { n: '${ .n }' } }
          - right:
              do:
                - c: { wait: { seconds: 5 } }
                - d: { call: looked-up.put, with: { n: 7 } }
  - sum: { call: keyed.put, with: { n: '${ [.[] | .n] | add }' } }
";

const HELD: &str = "
  - ask: { call: keyed.held, with: { n: 1 } }
  - nap: { wait: { minutes: 30 } }
  - ask2: { call: blind.held, with: { n: '${ .n }' } }
";

const TIMEOUT: &str = "
  - slow:
      try:
        - inner:
            timeout: { after: { seconds: 3 } }
            do:
              - put: { call: keyed.put, with: { n: 1 } }
              - nap: { wait: { seconds: 10 } }
              - never: { call: keyed.put, with: { n: 2 } }
      catch:
        do:
          - late: { call: keyed.put, with: { n: 3 } }
";

pub(crate) fn all() -> Vec<Story> {
    [
        ("sequence", SEQUENCE),
        ("loops", LOOPS),
        ("retry", RETRY),
        ("goto", GOTO),
        ("fork", FORK),
        ("held", HELD),
        ("timeout", TIMEOUT),
    ]
    .map(|(name, steps)| story(name, steps))
    .into()
}

fn story(name: &str, steps: &str) -> Story {
    let text = format!("document: {{ dsl: '1.0.0', namespace: sim, name: {name}, version: '1.0.0' }}\ndo:{steps}");
    let lowered = sluice_core::dsl::lower(&Text::new(name, text));
    let program = lowered.program.unwrap_or_else(|| panic!("{name}: {:#?}", lowered.diagnostics));
    Story { name: name.into(), program: Arc::new(program), catalogue: Arc::new(catalogue()), input: Json::Null }
}

fn catalogue() -> Catalogue {
    let mut actions = BTreeMap::new();
    for (connector, idempotency) in [
        ("keyed", Idempotency::Key("Idempotency-Key".into())),
        ("looked-up", Idempotency::Lookup("find".into())),
        ("natural", Idempotency::Natural),
        ("blind", Idempotency::None),
    ] {
        for name in ["put", "get", "held"] {
            let key: (Name, Name) = (connector.into(), name.into());
            actions.insert(key, action(connector, name, idempotency.clone()));
        }
    }
    Catalogue { universe: Universe::new(), actions, ..Catalogue::default() }
}

fn action(connector: &str, name: &str, idempotency: Idempotency) -> Action {
    Action {
        connector: connector.into(),
        name: name.into(),
        effect: Effect::Write,
        privileged: false,
        arguments: BTreeMap::from([("n".into(), sluice_core::catalogue::Argument::default())]),
        endpoint: None,
        reply: ReplyRule::Replace,
        labels: LabelTree { labels: vec![(Pattern::default(), Label::BOTTOM)], ..LabelTree::default() },
        source: Label::BOTTOM,
        subject: None,
        idempotency,
        resource: Resource::Dataset { name: "d".into(), owner: None, region: None },
        region: None,
        stored: Label::BOTTOM,
        limits: CallLimits::default(),
    }
}
