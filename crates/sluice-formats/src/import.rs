//! What an importer makes of a text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use sluice_core::catalogue::Catalogue;
use sluice_core::diagnostic::Diagnostic;
use sluice_core::edit::Fix;
use sluice_core::label::Name;
use sluice_core::program::{Program, StepId};
use sluice_core::text::Span;

use crate::allow::Allow;
use crate::github_actions::ActionsFace;
use crate::guard::Guards;
use crate::links::Link;

/// A workflow of another engine, ready for the verifier.
#[derive(Clone, Debug)]
pub struct Import {
    /// Which engine's.
    pub format: Format,
    /// Its steps are the nodes of the file, under the names that they have there.
    pub program: Program,
    /// One action per calling step: the connector is the format's name, the action the step's.
    pub catalogue: Catalogue,
    /// What is known of each step's kind of node, by step.
    pub steps: BTreeMap<StepId, Catalogued>,
    /// What the text shows on its face.
    pub observations: Vec<Observation>,
    /// How the steps hang together for whoever drew them.
    pub links: Vec<Link>,
    /// What the conditions of the workflow hold back.
    pub guards: Guards,
    /// What was not understood, in words for the report: opaque expressions, assumed node types.
    pub assumed: Vec<String>,
    /// How many texts of the file count as anything made from what they name, because nothing better is known.
    pub opaque: usize,
    /// What its author asks to be set aside.
    pub allows: Vec<Allow>,
    /// What is odd about the text itself: keys that stand twice.
    pub warnings: Vec<Diagnostic>,
    /// How it and others call each other.
    pub calls: Calls,
    /// The steps that stand in other files.
    pub linked: Linked,
    /// How what is found is mended without thinking, where the importer knows.
    pub mends: BTreeMap<(StepId, Mends), Fix>,
}

/// What a fix mends at its step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mends {
    /// Credentials that stay behind a checkout.
    KeptCredentials,
    /// Nothing says which rights the token has.
    NoPermissions,
    /// Text that is pasted into a script.
    Pasted,
}

/// By which names a workflow is called, and which it calls itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// What others call it by.
    pub id: Option<Arc<str>>,
    /// What it calls others by, where the text says it.
    pub calls: BTreeSet<Arc<str>>,
    /// What `./` means in `calls`.
    pub top: Top,
}

/// The folder that calls by path start from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Top {
    /// Workflows of this engine are not called by path.
    #[default]
    NoPaths,
    /// The path of the file does not tell.
    Unknown,
    /// This one; ids are paths from it on.
    At(Arc<str>),
}

/// Which steps of a program stand in other files than the one that was asked about.
///
/// Their names start with that file's: `exports/b.json: Send`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Linked {
    /// The file that was asked about.
    pub root: Arc<str>,
    /// The files of the other steps.
    pub steps: BTreeMap<StepId, Arc<str>>,
}

impl Import {
    /// Whether a step stands in the file that was asked about.
    #[must_use]
    pub fn is_own(&self, step: StepId) -> bool {
        !self.linked.steps.contains_key(&step)
    }

    /// The file of a step, if not all of them stand in one.
    #[must_use]
    pub fn file_of(&self, step: StepId) -> Option<&Arc<str>> {
        if self.linked.steps.is_empty() {
            return None;
        }
        Some(self.linked.steps.get(&step).unwrap_or(&self.linked.root))
    }

    /// The step of this name.
    #[must_use]
    pub fn step_named(&self, name: &str) -> Option<StepId> {
        let at = self.program.steps.iter().position(|step| step.name.as_ref() == name)?;
        u32::try_from(at).ok().map(StepId)
    }

    /// A step's name without that of its file.
    #[must_use]
    pub fn own_name(&self, step: StepId) -> Name {
        let name = self.program.steps.get(step.0 as usize).map_or_else(|| "".into(), |s| s.name.clone());
        let behind = self.linked.steps.get(&step).and_then(|file| name.strip_prefix(file.as_ref())?.strip_prefix(": "));
        behind.map_or(name.clone(), Into::into)
    }

    /// A step's name for somebody who reads the file of `reader`: with its own file's, if that is another one. The folder is
    /// left out: findings are known again by their words, whichever way a check names the files.
    #[must_use]
    pub fn name_for(&self, step: StepId, reader: StepId) -> Name {
        match self.file_of(step) {
            Some(file) if Some(file) != self.file_of(reader) => {
                let file = file.rsplit(['/', '\\']).next().unwrap_or(file);
                format!("{file}: {}", self.own_name(step)).into()
            }
            _ => self.own_name(step),
        }
    }
}

/// A foreign format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// n8n's JSON export.
    N8n,
    /// A GitHub Actions workflow.
    GithubActions,
    /// Amazon States Language.
    StepFunctions,
    /// Azure Logic Apps and Power Automate.
    LogicApps,
    /// A Dify app.
    Dify,
}

impl Format {
    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::N8n => "n8n",
            Self::GithubActions => "github-actions",
            Self::StepFunctions => "step-functions",
            Self::LogicApps => "logic-apps",
            Self::Dify => "dify",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a catalogue says of the kind of node that a step is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogued {
    /// The node's own type: `n8n-nodes-base.gmail`.
    pub node_type: Arc<str>,
    /// What kind of node it is.
    pub kind: Kind,
    /// The service behind it, where several node types share one: `gmail`.
    pub service: Option<Name>,
    /// Where outsiders' words come in.
    pub source: Option<Source>,
    /// Whether it is a source only if somebody else chose the URL that it fetches.
    pub fetches: bool,
    /// Kinds of sensitive data that it reads.
    pub categories: BTreeSet<Name>,
    /// The class of system outside the engine that it sends data to: `email`, `llm`, `spreadsheet`.
    pub sink: Option<Name>,
    /// The systems that it talks to, as far as the text names them. What goes back into the system that it came from does
    /// not leave it.
    pub systems: BTreeSet<Arc<str>>,
    /// Whether it changes anything outside.
    pub side_effect: bool,
    /// Whether it changes rights, money or infrastructure.
    pub privileged: bool,
    /// Whether it deletes for good.
    pub destructive: bool,
    /// Whether a person answers before the run goes on.
    pub human_gate: bool,
    /// How outsiders start it, of an entry.
    pub entrance: Option<Entrance>,
    /// Whether the author switched it off.
    pub disabled: bool,
    /// Whether any run can get to it.
    pub reachable: bool,
    /// The steps that an agent may call.
    pub tools: Vec<StepId>,
    /// How well it is known.
    pub confidence: Confidence,
}

/// Kinds of node that rules tell apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An entry.
    Trigger,
    /// One call of a service.
    #[default]
    Action,
    /// Passes or reshapes items.
    Flow,
    /// One call of a model.
    Model,
    /// A model that may call tools.
    Agent,
    /// A program in the file.
    Code,
    /// A shell command.
    Command,
    /// Another workflow.
    SubWorkflow,
    /// A part of an agent: model, memory, parser, store.
    Part,
}

/// Outsiders' words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// `webhook`, `email`, `web_content`, …
    pub kind: Name,
    /// How easily an outsider delivers them.
    pub tier: Tier,
}

/// How easily an outsider delivers content on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// By colleagues or the host itself.
    Internal,
    /// Only if something outside the file is so.
    Conditional,
    /// Through pages, feeds, shared documents.
    Indirect,
    /// On purpose, at once.
    Direct,
}

impl Tier {
    /// The word in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Conditional => "conditional",
            Self::Indirect => "indirect",
            Self::Direct => "direct",
        }
    }
}

/// How a run is started from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entrance {
    /// Whether anybody may, without showing who they are.
    pub open: bool,
    /// Whether anything behind it may call, change or read something: else whoever comes in gains nothing.
    pub leads: bool,
}

/// How well the kind of a node is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// Guessed by a pattern of its name: listed as assumed.
    #[default]
    Assumed,
    /// In the catalogue.
    Known,
}

/// Something that the text shows by itself, without following data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// What.
    pub what: Observed,
    /// In which step.
    pub step: StepId,
    /// The parameter, as a path: `values.string[1].value`.
    pub parameter: Option<String>,
    /// Where.
    pub span: Span,
}

/// What a text can show by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed {
    /// A literal secret.
    HardCodedSecret,
    /// Certificates are not checked.
    TlsOff,
    /// `{{ … }}` that is sent as it stands.
    InertExpression,
    /// A reference to a node that is not in the file.
    DanglingReference {
        /// The name.
        name: String,
    },
    /// A workflow that is not among the files.
    UnresolvedSubWorkflow,
    /// A file of the same repository that is not among those that were read.
    MissingFile {
        /// As it is called.
        name: String,
    },
    /// A workflow of another repository.
    ExternalWorkflow {
        /// As it is called.
        name: String,
    },
    /// A workflow that several of the files could be.
    AmbiguousSubWorkflow {
        /// These.
        files: Vec<Arc<str>>,
    },
    /// A node type that no catalogue knows.
    UnknownNodeType,
    /// Errors are handled here.
    HandlesErrors,
    /// The workflow names another one for its errors.
    ErrorWorkflow,
    /// Sample data that replaces the node's own in the editor.
    PinnedData,
    /// What only workflows of GitHub Actions show.
    Actions(ActionsFace),
    /// A change outside whose failure nothing catches; so many further ones are in the file.
    UncaughtEffect {
        /// The further ones.
        others: usize,
    },
    /// A `*` where a resource, an action or a principal should be named.
    WideResource,
    /// Whoever has the address may start it: nothing else is asked.
    AnonymousTrigger,
    /// It handles a secret, and the history of runs shows it: `inputs` or `outputs`.
    UnsecuredSecret,
    /// It waits for a callback, and for how long is not said.
    EndlessCallback,
}
