//! One case: a program, its contracts, its prediction; and the runner of many.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::{
    Config, FileFailurePersistence, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner,
};
use serde_json::Value as Json;
use sluice_core::catalogue::Catalogue;
use sluice_core::dsl;
use sluice_core::label::{Label, Universe};
use sluice_core::program::{NodeId, PlaceId, Program};
use sluice_core::text::Text;
use sluice_core::transfer::State;
use sluice_core::value::{Kinds, Value};
use sluice_engine::Plan;
use sluice_sim::generate::{Atoms, CatalogueSpec, Definition, catalogue, definition, render};
use sluice_sim::run::Watch;
use sluice_verify::analysis::{Analysis, Entry, definition_json};

/// A program and all it depends on.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) text: String,
    pub(crate) program: Arc<Program>,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) universe: Arc<Universe>,
}

impl Case {
    pub(crate) fn of(definition: &Definition, spec: &CatalogueSpec) -> Self {
        Self::from_text(render(definition, spec), spec)
    }

    pub(crate) fn from_text(text: String, spec: &CatalogueSpec) -> Self {
        let lowered = dsl::lower(&Text::new("generated.yaml", text.as_str()));
        let program = lowered.program.unwrap_or_else(|| panic!("{:#?}\n{text}", lowered.diagnostics));
        let catalogue = spec.resolved();
        let universe = Arc::new(catalogue.universe.clone());
        Self { text, program: Arc::new(program), catalogue: Arc::new(catalogue), universe }
    }

    pub(crate) fn requester(&self) -> Label {
        self.universe.label(&Atoms::requester())
    }

    pub(crate) fn analysis(&self) -> Analysis {
        let entry = Entry {
            universe: (*self.universe).clone(),
            input: Value::unknown(self.requester(), Kinds::ALL),
            id: Value::unknown(Label::BOTTOM, Kinds::TEXT),
            base: Label::BOTTOM,
        };
        let analysis = Analysis::of(&self.program, &self.catalogue, &entry);
        assert!(analysis.is_complete(), "the analysis met its bound\n{}", self.text);
        analysis
    }

    /// What the engine gets, watched by `watch` wherever it goes.
    pub(crate) fn plan(&self, watch: impl Fn(NodeId, &State) -> Option<PlaceId> + Send + Sync + 'static) -> Plan {
        Plan {
            program: self.program.clone(),
            catalogue: self.catalogue.clone(),
            universe: self.universe.clone(),
            base: Label::BOTTOM,
            input_label: self.requester(),
            prediction: Arc::new(Watch(watch)),
        }
    }

    /// The definition's part of `$workflow`.
    pub(crate) fn definition(&self) -> Json {
        definition_json(&self.program)
    }

    /// The program and its text, for a failure.
    pub(crate) fn shown(&self) -> String {
        format!("{}\n{}", self.program.render(&Text::new("generated.yaml", self.text.as_str())), self.text)
    }
}

/// A definition with its contracts.
pub(crate) type Generated = (Definition, CatalogueSpec);

pub(crate) fn generated(size: usize) -> impl Strategy<Value = Generated> {
    (definition(size, 9, 5), catalogue())
}

/// How many cases: `default`, or what the environment says.
pub(crate) fn cases(default: u32) -> u32 {
    std::env::var("SLUICE_LAW_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

/// Holds `law` against `default` cases. The same ones each time, unless the environment asks for others.
pub(crate) fn hold<S: Strategy>(default: u32, strategy: S, law: impl Fn(S::Value) -> Result<(), String>)
where
    S::Value: std::fmt::Debug,
{
    let config = Config {
        cases: cases(default),
        failure_persistence: None::<Box<FileFailurePersistence>>.map(|b| b as _),
        max_shrink_iters: 3_000,
        ..Config::default()
    };
    let seed = std::env::var("SLUICE_LAW_SEED").unwrap_or_default();
    let mut bytes = [17_u8; 32];
    for (slot, byte) in bytes.iter_mut().zip(seed.bytes()) {
        *slot = byte;
    }
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let outcome = runner.run(&strategy, |value| law(value).map_err(TestCaseError::fail));
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(why, _)) => panic!("{why}"),
        Err(TestError::Abort(why)) => panic!("aborted: {why}"),
    }
}
