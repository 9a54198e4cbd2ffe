//! From a text to something that may run: `Proposed`, `Verified`, `Approved`, `Runnable`.
//!
//! Each standing is a type made in one place from evidence. After a restart they are earned again.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;
use sluice_core::contract::bundle::BundleDigest;
use sluice_core::contract::closure::{Closure, ClosureDigest, ConnectorElement};
use sluice_core::contract::{Digest, Governance};
use sluice_core::diagnostic::Diagnostic;
use sluice_core::dsl;
use sluice_core::label::{Label, Name};
use sluice_core::program::{CallTarget, NodeId, NodeKind, PlaceId, Program};
use sluice_core::text::Text;
use sluice_core::transfer::State;
use sluice_engine::{Event, Login, Plan, Prediction, RunState, Start};
use sluice_ledger::RunId;
use sluice_policy::Acting;
use sluice_verify::{Assumptions, Refused, Report, Verified, verify};

use crate::workspace::Workspace;

/// A definition that was read. Nothing is known about its safety.
pub struct Proposed {
    text: Text,
    program: Program,
    /// What is worth knowing of the text, though it can be analysed.
    warnings: Vec<Diagnostic>,
}

impl Proposed {
    /// Reads a definition.
    ///
    /// # Errors
    /// Everything that is wrong with the text, and the text itself as far as it could be read.
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, (Text, Vec<Diagnostic>)> {
        let lowered = dsl::lower_bytes(name, bytes);
        let text = Text::new(name, String::from_utf8_lossy(bytes).into_owned());
        match lowered.program {
            Some(program) => Ok(Self { text, program, warnings: lowered.diagnostics }),
            None => Err((text, lowered.diagnostics)),
        }
    }

    /// The text.
    #[must_use]
    pub const fn text(&self) -> &Text {
        &self.text
    }

    /// The program.
    #[must_use]
    pub const fn program(&self) -> &Program {
        &self.program
    }

    /// What is worth knowing of the text.
    #[must_use]
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// All that a run of it depends on.
    #[must_use]
    pub fn closure(&self, workspace: &Workspace) -> Closure {
        closure_of(self, workspace.governance(), workspace.bundle().digest())
    }

    /// Analyses it.
    #[must_use]
    pub fn verify(self, workspace: &Workspace, assumptions: &Assumptions) -> Checked {
        let closure = self.closure(workspace);
        let governance = workspace.governance();
        let verification = verify(
            &self.program,
            &governance.catalogue,
            workspace.principals(),
            workspace.policies(),
            assumptions,
            closure.digest(),
        );
        Checked { proposed: self, closure, report: verification.report, standing: verification.standing }
    }
}

/// All that a run of a definition depends on under rules.
pub(crate) fn closure_of(proposed: &Proposed, governance: &Governance, bundle: BundleDigest) -> Closure {
    Closure {
        definition: Digest::of(proposed.text.content.as_bytes()),
        sub_workflows: BTreeMap::new(),
        connectors: connectors(&proposed.program, governance),
        bundle,
        template: None,
        ticket: None,
        step: None,
    }
}

/// The connectors that a program can call; all of them where a call's endpoint is known only at run time.
fn connectors(program: &Program, governance: &Governance) -> BTreeMap<Name, ConnectorElement> {
    let mut named: Vec<&Name> = Vec::new();
    let mut any = false;
    for node in &program.nodes {
        match &node.kind {
            NodeKind::Call { target: CallTarget::Action { connector, .. }, .. } => named.push(connector),
            NodeKind::Call { target: CallTarget::Http, .. } => any = true,
            _ => {}
        }
    }
    let element = |contract: &sluice_core::contract::Contract| ConnectorElement {
        contract: contract.digest,
        connector: Digest::of(concat!("sluice ", env!("CARGO_PKG_VERSION")).as_bytes()),
        scopes: contract.credential.as_ref().map(|c| c.scopes.clone()).unwrap_or_default(),
    };
    let contracts = governance.contracts.iter().filter(|c| any || named.contains(&&c.connector.value));
    contracts.map(|c| (c.connector.value.clone(), element(c))).collect()
}

/// Analysed: the report, and the standing if it was earned.
pub struct Checked {
    /// What was read.
    pub proposed: Proposed,
    /// All that a run depends on.
    pub closure: Closure,
    /// What was found.
    pub report: Report,
    /// Verified, or why not.
    pub standing: Result<Verified, Refused>,
}

/// Verified, approved by as many people as the workspace asks for (perhaps none), and permitted to start as of a time.
///
/// The engine's [`Plan`] is made from nothing less.
pub struct Runnable {
    verified: Arc<Verified>,
    closure: Closure,
    governance: Arc<Governance>,
    /// Whether a person signed the definition's digest.
    is_signed: bool,
    requester: Name,
}

impl Runnable {
    /// `is_signed` is the caller's evidence that people signed this closure: see [`crate::approvals::Approvals`].
    pub(crate) fn new(
        verified: Verified,
        closure: Closure,
        workspace: &Workspace,
        requester: Name,
        is_signed: bool,
    ) -> Self {
        Self {
            verified: Arc::new(verified),
            closure,
            governance: Arc::new(workspace.governance().clone()),
            is_signed,
            requester,
        }
    }

    /// What it depends on.
    #[must_use]
    pub const fn closure(&self) -> &Closure {
        &self.closure
    }

    /// The digest of that.
    #[must_use]
    pub fn digest(&self) -> ClosureDigest {
        self.closure.digest()
    }

    /// The verified program.
    #[must_use]
    pub fn verified(&self) -> &Verified {
        &self.verified
    }

    /// On whose behalf.
    #[must_use]
    pub const fn requester(&self) -> &Name {
        &self.requester
    }

    /// Whether a person signed the definition.
    #[must_use]
    pub const fn is_signed(&self) -> bool {
        self.is_signed
    }

    /// Who wrote it.
    #[must_use]
    pub fn author(&self) -> &Acting {
        &self.verified.assumptions().author
    }

    /// The state and the first event of a new run with this id. `login` is how the requester came in to start it.
    #[must_use]
    pub fn begin(&self, run: [u8; 16], input: Json, login: Option<Login>) -> (RunState, Vec<Event>) {
        let start = Start {
            run,
            input,
            definition: sluice_verify::analysis::definition_json(self.verified.program()),
            closure: self.digest().0.0,
            interpreter: sluice_engine::INTERPRETER_VERSION,
            requester: self.requester.to_string(),
            login,
        };
        (RunState::new(RunId::from_bytes(run)), vec![Event::Started(Box::new(start))])
    }

    /// What the engine reads.
    ///
    /// # Errors
    /// If the atoms of author and requester do not fit beside the catalogue's: the verifier said so before.
    pub fn plan(&self) -> Result<Plan, sluice_core::label::TooManyAtoms> {
        let entry = self.verified.assumptions().entry(&self.governance.catalogue, self.verified.program())?;
        Ok(Plan {
            program: Arc::new(self.verified.program().clone()),
            catalogue: Arc::new(self.governance.catalogue.clone()),
            universe: Arc::new(entry.universe),
            base: entry.base,
            input_label: entry.input.deep_label().join(Label::BOTTOM),
            prediction: Arc::new(Held(Arc::clone(&self.verified))),
        })
    }
}

struct Held(Arc<Verified>);

impl Prediction for Held {
    fn breach(&self, node: NodeId, state: &State) -> Option<PlaceId> {
        self.0.breach(node, state)
    }
}
