//! Stories that nobody wrote: programs of the laws' generator, under services of every kind.

use std::sync::Arc;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;
use sluice_core::catalogue::Idempotency;
use sluice_core::text::Text;
use sluice_sim::generate::{catalogue, definition, render};
use sluice_sim::simulator::Story;

/// The story of a number.
pub(crate) fn story(number: u64) -> Story {
    let mut seed = [0; 32];
    for (slot, byte) in seed.iter_mut().zip(number.to_be_bytes()) {
        *slot = byte;
    }
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let spec = catalogue().new_tree(&mut runner).expect("a catalogue").current();
    let strategy = definition(8, spec.actions.len(), spec.releases.len());
    let definition = strategy.new_tree(&mut runner).expect("a definition").current();
    let text = render(&definition, &spec);
    let lowered = sluice_core::dsl::lower(&Text::new("generated.yaml", text.as_str()));
    let program = lowered.program.unwrap_or_else(|| panic!("{:#?}\n{text}", lowered.diagnostics));
    let mut catalogue = spec.resolved();
    let kinds =
        [Idempotency::Key("k".into()), Idempotency::Lookup("find".into()), Idempotency::Natural, Idempotency::None];
    for (action, kind) in catalogue.actions.values_mut().zip(kinds.into_iter().cycle()) {
        action.idempotency = kind;
    }
    let name = format!("generated program {number}");
    Story { name, program: Arc::new(program), catalogue: Arc::new(catalogue), input: json!({ "a": 1, "list": [1, 2] }) }
}
