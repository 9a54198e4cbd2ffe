//! The house in which the stories play: its people with their keys, and a workspace with what is done in it.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value as Json;
use sluice_connectors::secret::{Secret, SecretStore, WorkspaceKey};
use sluice_core::contract::approval::{Decision, Party};
use sluice_core::contract::key::SecretKey;
use sluice_core::label::Name;
use sluice_ledger::RunId;
use sluice_policy::Acting;
use sluice_runtime::admit::Proposed;
use sluice_runtime::approvals::{Approver, Waiting};
use sluice_runtime::home::Home;
use sluice_runtime::init::{adopt_with, write_files};
use sluice_runtime::ledger::{Ledger, random};
use sluice_runtime::proposal::Proposer;
use sluice_runtime::run::{Executor, RunOutcome};
use sluice_runtime::workspace::{SECRETS_FILE, Workspace};
use sluice_verify::{Assumptions, Report};

use super::services::Services;
use super::services::directory::PEOPLE;
use super::services::model::MODEL;
use super::workspaces::{SECRETS, Story};
use crate::failure::Failure;

/// Who signs the workspaces' rules, and may sign definitions.
const SIGNERS: [&str; 2] = ["dana.okafor", "sofia.lindqvist"];

/// Who signs the definitions of both stories.
pub(super) const WORKFLOW_OWNER: &str = "sofia.lindqvist";

/// Everybody's keys. They live as long as the demo, and only in its memory.
pub(super) struct Keys {
    signers: Vec<SecretKey>,
    others: Vec<SecretKey>,
}

impl Keys {
    /// New keys for everybody of the directory.
    ///
    /// # Errors
    /// [`Failure`] if the machine has no random bytes.
    pub(super) fn new() -> Result<Self, Failure> {
        let key = |id: &str| Ok::<_, Failure>(SecretKey::from_seed(id, random()?));
        let others = PEOPLE.iter().filter(|person| !SIGNERS.contains(&person.id));
        Ok(Self {
            signers: SIGNERS.iter().map(|id| key(id)).collect::<Result<_, _>>()?,
            others: others.map(|person| key(person.id)).collect::<Result<_, _>>()?,
        })
    }

    fn of(&self, person: &str) -> Result<&SecretKey, Failure> {
        let mut all = self.signers.iter().chain(&self.others);
        let found = all.find(|key| key.name().as_ref() == person);
        found.ok_or_else(|| Failure::unexpected(format!("`{person}` has no key")))
    }

    /// The same keys once more, for a console over the stories.
    ///
    /// # Errors
    /// [`Failure`] if a key is none, which is a defect.
    pub(super) fn copies(&self) -> Result<Vec<SecretKey>, Failure> {
        let copy = |key: &SecretKey| SecretKey::from_line(&key.to_line()).map_err(|error| Failure::internal(&error));
        self.signers.iter().chain(&self.others).map(copy).collect()
    }

    fn public_lines(&self) -> BTreeMap<&'static str, String> {
        let line = |id: &'static str| Some((id, self.of(id).ok()?.public().to_line(id)));
        PEOPLE.iter().filter_map(|person| line(person.id)).collect()
    }
}

/// A story's workspace, open, with everybody's keys at hand.
pub(super) struct House<'a> {
    pub(super) workspace: Workspace,
    pub(super) ledger: Ledger,
    keys: &'a Keys,
}

impl<'a> House<'a> {
    /// Makes the story's workspace in `folder`, with its keys below `base`, against `services`.
    ///
    /// # Errors
    /// [`Failure`]: what could not be written, or is wrong with the files.
    pub(super) fn build(
        story: Story,
        folder: &Path,
        base: &Path,
        services: &Services,
        keys: &'a Keys,
    ) -> Result<Self, Failure> {
        let addresses = services.servers().iter().map(|server| (server.name(), server.url())).collect();
        write_files(folder, &story.filled(&addresses, &keys.public_lines()))?;
        let home = Home::create_under(base, folder, random()?)?;
        let (workspace, ledger) = adopt_with(folder, home, &keys.signers, false)?;
        let secrets =
            SecretStore::new(folder.join(SECRETS_FILE), WorkspaceKey::read(&workspace.home().workspace_key(), folder)?);
        for (service, secret) in SECRETS {
            let server = services.servers().into_iter().find(|server| server.name() == service);
            if let Some(server) = server {
                secrets.set(secret, &Secret::new(server.token().as_bytes().to_vec()))?;
            }
        }
        Ok(Self { workspace, ledger, keys })
    }

    /// A workflow of the workspace, read.
    ///
    /// # Errors
    /// [`Failure`] if it is not there or cannot be read.
    pub(super) fn proposed(&self, workflow: &str) -> Result<Proposed, Failure> {
        let name = format!("workflows/{workflow}.yaml");
        let bytes = std::fs::read(self.workspace.folder().join(&name)).map_err(|error| Failure::internal(&error))?;
        Proposed::read(&name, &bytes).map_err(|_| Failure::unexpected(format!("`{name}` cannot be read")))
    }

    /// What `sluice check --as REQUESTER --model MODEL` says of it.
    ///
    /// # Errors
    /// As [`House::proposed`].
    pub(super) fn check(&self, workflow: &str, requester: &str) -> Result<Report, Failure> {
        let assumptions = Assumptions {
            requester: Some(requester.into()),
            author: author(),
            signed: true,
            solo: self.workspace.is_solo(),
        };
        Ok(self.proposed(workflow)?.verify(&self.workspace, &assumptions).report)
    }

    /// Proposes the definition on somebody's behalf, and has its owner sign it.
    ///
    /// # Errors
    /// [`Failure`] if the signature does not count.
    pub(super) fn sign_definition(&self, workflow: &str, requester: &str) -> Result<Waiting, Failure> {
        let proposer = Proposer::new(&self.workspace, &self.ledger);
        let proposal = proposer.propose(&self.proposed(workflow)?, &author(), None, &Name::from(requester))?;
        self.decide(&proposal.id, WORKFLOW_OWNER, Decision::Approve, "read; what it does is for its gates")
    }

    /// Runs it as far as it goes.
    ///
    /// # Errors
    /// [`Failure`] if work was not done; a refusal is an outcome.
    pub(super) async fn run(&self, workflow: &str, input: Json, requester: &str) -> Result<RunOutcome, Failure> {
        let executor = Executor::open(&self.workspace, &self.ledger)?;
        Ok(executor.start(self.proposed(workflow)?, input, &Name::from(requester), author()).await?)
    }

    /// Goes on with a run.
    ///
    /// # Errors
    /// [`Failure`] if work was not done; a refusal is an outcome.
    pub(super) async fn resume(&self, run: RunId) -> Result<RunOutcome, Failure> {
        Ok(Executor::open(&self.workspace, &self.ledger)?.resume(run).await?)
    }

    /// What a person sees who is asked.
    ///
    /// # Errors
    /// [`Failure`] if nothing of this name waits.
    pub(super) fn waiting(&self, id: &str) -> Result<Waiting, Failure> {
        Ok(Approver::new(&self.workspace, &self.ledger).show(id)?)
    }

    /// A person signs a decision with their key.
    ///
    /// # Errors
    /// [`Failure`] if their word does not count.
    pub(super) fn decide(&self, id: &str, person: &str, decision: Decision, why: &str) -> Result<Waiting, Failure> {
        let key = self.keys.of(person)?;
        Ok(Approver::new(&self.workspace, &self.ledger).decide(id, decision, key, why)?)
    }

    /// Who may decide, by name: `finance-office (Inès Moreau)`.
    pub(super) fn deciders(&self, waiting: &Waiting) -> Vec<String> {
        let principals = self.workspace.principals();
        let of = |party: &Party| match party {
            Party::Principal(id) => match principals.groups.get(id) {
                Some(group) => {
                    let members: Vec<&str> = group.members.iter().map(|member| name_of(&member.value)).collect();
                    format!("{id} ({})", members.join(", "))
                }
                None => name_of(id).to_owned(),
            },
            Party::ManagerOf(id) => {
                let manager = principals.manager_of(id).map_or("nobody", |manager| name_of(manager));
                format!("{manager}, manager of {}", name_of(id))
            }
            Party::InChargeOf(id) => {
                let people = principals.in_charge_of(id);
                people.iter().map(|person| name_of(person)).collect::<Vec<_>>().join(" or ")
            }
        };
        waiting.needs.iter().flat_map(|need| need.parties.iter().map(of)).collect()
    }
}

/// The definitions of both stories are a model's.
pub(super) fn author() -> Acting {
    Acting::Model { id: MODEL.into() }
}

/// What people call somebody.
pub(super) fn name_of(id: &str) -> &str {
    PEOPLE.iter().find(|person| person.id == id).map_or(id, |person| person.name)
}
