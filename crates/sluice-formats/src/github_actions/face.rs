//! What a workflow shows by itself: rights, pins, secrets, runners.

use sluice_core::document::{Data, Node as Tree};
use sluice_core::program::StepId;
use sluice_core::text::Span;

use super::admits::weakness;
use super::lower::{At, Lowering, Writing};
use super::read::{Job, Step, entries};
use super::template::{Piece, pieces};
use crate::import::{Catalogued, Observed};

/// What only workflows of GitHub Actions show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActionsFace {
    /// A step builds or runs an outsider's commit with the repository's rights.
    RunsOutsidersCode,
    /// Somebody else's action by a name that its owner can move.
    UnpinnedAction,
    /// The host's own action by a name that it can move.
    UnpinnedOfficialAction,
    /// Every right of the token is given.
    AllRights,
    /// Nothing says which rights the token has.
    NoPermissions,
    /// A secret is pasted into a script.
    SecretInScript,
    /// All secrets are handed over at once.
    AllSecrets,
    /// Another repository's workflow gets every secret.
    SecretsInherited,
    /// A step builds or runs the artifact of a run that an outsider started.
    RunsArtifact,
    /// Outsiders' events run on machines of the owner.
    SelfHosted,
    /// Commands in the output of any program change the environment.
    UnsecureCommands,
    /// The token stays in the workspace.
    KeptCredentials,
    /// An event that gives outsiders' runs the repository's rights.
    DangerousTrigger,
    /// A part of a secret, which logs do not hide.
    UnmaskedSecret,
    /// A container image by a name that its owner can move.
    UnpinnedImage,
    /// Rights to write, for every job at once.
    WideWrite,
    /// A cache that other runs have filled goes into what is published.
    PoisonedCache,
    /// A condition that does not keep out what it seems to.
    WeakCondition,
}

impl<'t> Lowering<'_, 't> {
    fn sees(&mut self, step: StepId, face: ActionsFace, parameter: Option<&str>, span: Span) {
        // What another file shows is told there, but for what its callers make of it.
        if self.is_own() || face == ActionsFace::SelfHosted {
            self.wires.observe(step, Observed::Actions(face), parameter, span);
        }
    }

    pub(super) fn describe_workflow(&mut self) {
        let (root, workflow) = (self.root, self.workflow);
        self.wires.steps.insert(root, Catalogued { node_type: "workflow".into(), ..Catalogued::default() });
        if workflow.is_action {
            return;
        }
        for event in &workflow.events {
            if self.knowledge.event(&event.name).head {
                self.sees(root, ActionsFace::DangerousTrigger, Some(&event.name), event.span);
            }
        }
        self.unsecure(workflow.tree.get("env"), root);
        match workflow.tree.entry("permissions") {
            Some(entry) => self.rights(&entry.value, root, true),
            None => {
                let open = workflow.jobs.iter().find(|job| job.tree.get("permissions").is_none());
                if let Some(job) = open {
                    self.sees(root, ActionsFace::NoPermissions, None, job.span);
                }
            }
        }
    }

    fn rights(&mut self, tree: &Tree, step: StepId, for_all: bool) {
        if tree.as_text().is_some_and(|text| text.as_ref() == "write-all") {
            self.sees(step, ActionsFace::AllRights, None, tree.span);
        }
        let several = self.workflow.jobs.len() > 1;
        for entry in entries(Some(tree)).iter().filter(|_| for_all && several) {
            if entry.value.as_text().is_some_and(|right| right.as_ref() == "write") {
                self.sees(step, ActionsFace::WideWrite, Some(&entry.key), entry.key_span);
            }
        }
    }

    pub(super) fn describe_job(&mut self, writing: &Writing<'_, 't>) {
        let (job, id) = (writing.job, writing.step);
        self.wires.steps.entry(id).or_insert_with(|| Catalogued { node_type: "job".into(), ..Catalogued::default() });
        self.condition(job.tree, id);
        if let Some(tree) = job.tree.get("permissions") {
            self.rights(tree, id, false);
        }
        self.unsecure(job.tree.get("env"), id);
        let outsiders = writing.admitted.iter().filter(|heard| !heard.is_insiders());
        let is_open = outsiders.filter_map(|heard| self.events.get(heard.event)).any(|event| event.known.open);
        if is_open && job.tree.get("environment").is_some() {
            self.assume(format!(
                "whether a person is asked before `{}` runs: its environment may require that, which the file does not say",
                job.id
            ));
        }
        if let Some(tree) = job.tree.get("runs-on").filter(|tree| is_open && is_self_hosted(tree)) {
            self.sees(id, ActionsFace::SelfHosted, None, tree.span);
        }
        if let Some(uses) = job.tree.get("uses") {
            self.pin(id, uses);
            let inherits = job.tree.get("secrets").filter(|s| s.as_text().is_some_and(|t| t.as_ref() == "inherit"));
            let is_foreign = uses.as_text().is_some_and(|text| !text.starts_with("./"));
            if let Some(secrets) = inherits.filter(|_| is_foreign) {
                self.sees(id, ActionsFace::SecretsInherited, None, secrets.span);
            }
        }
        self.images(job, id);
        self.secrets(job.tree.get("env"), id);
    }

    fn condition(&mut self, tree: &Tree, id: StepId) {
        let Some(condition) = tree.get("if") else { return };
        if let Some(why) = condition.as_text().and_then(|text| weakness(text)) {
            self.sees(id, ActionsFace::WeakCondition, Some(why), condition.span);
        }
    }

    fn images(&mut self, job: &Job<'_>, id: StepId) {
        let container = job.tree.get("container");
        let services = entries(job.tree.get("services")).iter().map(|entry| &entry.value);
        for tree in container.into_iter().chain(services) {
            let image = tree.get("image").unwrap_or(tree);
            if image.as_text().is_some_and(|text| is_open_image(text)) {
                let name = image.as_text().cloned();
                self.sees(id, ActionsFace::UnpinnedImage, name.as_deref(), image.span);
            }
            for row in image.as_text().map(|text| rows(job, text)).unwrap_or_default() {
                self.sees(id, ActionsFace::UnpinnedImage, row.as_text().map(AsRef::as_ref), row.span);
            }
            let password = tree.get("credentials").and_then(|credentials| credentials.get("password"));
            if let Some(password) = password.filter(|p| p.as_text().is_some_and(|text| !text.contains("${{"))) {
                self.observe(id, Observed::HardCodedSecret, Some("credentials.password"), password.span);
            }
        }
    }

    pub(super) fn describe_step(&mut self, step: &Step<'t>, at: &At<'_>, writing: &Writing<'_, 't>) {
        if let Some(uses) = step.uses {
            self.pin(at.id, uses);
        }
        self.unsecure(step.tree.get("env"), at.id);
        for key in ["env", "with"] {
            self.secrets(step.tree.get(key), at.id);
        }
        if let Some(run) = step.run {
            self.secrets_of(run, "run", true, at.id);
        }
        self.condition(step.tree, at.id);
        self.credentials(step, at, writing);
        self.cache(step, at);
    }

    /// `actions/checkout` leaves the token in `.git` unless it is told not to.
    fn credentials(&mut self, step: &Step<'_>, at: &At<'_>, writing: &Writing<'_, '_>) {
        let Some(uses) = step.uses.filter(|uses| names(uses, "actions/checkout")) else { return };
        let kept = step.tree.get("with").and_then(|with| with.get("persist-credentials"));
        let is_off = kept.is_some_and(|kept| match &kept.value {
            Data::Bool(on) => !on,
            Data::Text(text) => text.as_ref() == "false",
            _ => false,
        });
        if !is_off {
            let upload =
                writing.job.steps.iter().find(|s| s.uses.is_some_and(|uses| names(uses, "actions/upload-artifact")));
            let where_to = upload.map(|upload| upload.name.clone());
            self.sees(at.id, ActionsFace::KeptCredentials, where_to.as_deref(), uses.span);
        }
    }

    /// A cache in a workflow that publishes.
    fn cache(&mut self, step: &Step<'_>, at: &At<'_>) {
        let Some(uses) = step.uses else { return };
        let with = |key: &str| step.tree.get("with").and_then(|with| with.get(key));
        let text = uses.as_text().map(|text| text.to_lowercase()).unwrap_or_default();
        let asks =
            text.contains("/setup-") && with("cache").is_some_and(|cache| !matches!(cache.value, Data::Bool(false)));
        if !(names(uses, "actions/cache") || asks) || !self.publishes() {
            return;
        }
        self.sees(at.id, ActionsFace::PoisonedCache, None, uses.span);
    }

    /// Whether a release or a pushed tag starts it.
    fn publishes(&self) -> bool {
        self.workflow.events.iter().any(|event| match event.name.as_ref() {
            "release" => true,
            "push" => event.tree.is_some_and(|tree| tree.get("tags").is_some()),
            _ => false,
        })
    }

    fn pin(&mut self, id: StepId, uses: &Tree) {
        let Some(text) = uses.as_text().cloned() else { return };
        if text.starts_with("./") || text.contains("${{") {
            return;
        }
        if let Some(image) = text.strip_prefix("docker://") {
            if is_open_image(image) {
                self.sees(id, ActionsFace::UnpinnedImage, Some(&text), uses.span);
            }
            return;
        }
        let is_pinned =
            text.split_once('@').is_some_and(|(_, at)| at.len() >= 40 && at.bytes().all(|b| b.is_ascii_hexdigit()));
        if !is_pinned {
            let is_official = text.starts_with("actions/") || text.starts_with("github/");
            let face = if is_official { ActionsFace::UnpinnedOfficialAction } else { ActionsFace::UnpinnedAction };
            self.sees(id, face, Some(&text), uses.span);
        }
    }

    fn unsecure(&mut self, env: Option<&Tree>, id: StepId) {
        for entry in entries(env).iter().filter(|e| e.key.as_ref() == "ACTIONS_ALLOW_UNSECURE_COMMANDS") {
            let is_off = match &entry.value.value {
                Data::Bool(on) => !on,
                Data::Text(text) => text.as_ref() == "false" || text.is_empty(),
                Data::Null => true,
                _ => false,
            };
            if !is_off {
                self.sees(id, ActionsFace::UnsecureCommands, Some(&entry.key), entry.key_span);
            }
        }
    }

    fn secrets(&mut self, map: Option<&Tree>, id: StepId) {
        for entry in entries(map) {
            self.secrets_of(&entry.value, &entry.key, false, id);
        }
    }

    fn secrets_of(&mut self, tree: &Tree, parameter: &str, is_script: bool, id: StepId) {
        let Some(text) = tree.as_text() else { return };
        for (source, span) in expressions(self.file, tree, text) {
            let tight: String = source.to_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
            let indexed = tight.contains("secrets[") && !tight.contains("secrets['");
            if tight.contains("tojson(secrets)") || indexed {
                self.sees(id, ActionsFace::AllSecrets, Some(parameter), span);
            } else if tight.contains("fromjson(secrets") {
                self.sees(id, ActionsFace::UnmaskedSecret, Some(parameter), span);
            }
            if is_script && tight.contains("secrets.") {
                self.sees(id, ActionsFace::SecretInScript, Some(parameter), span);
            }
        }
    }
}

/// The images of a matrix that `${{ matrix.image }}` may name and that are not pinned.
fn rows<'t>(job: &Job<'t>, image: &str) -> Vec<&'t Tree> {
    let inner = image.trim().strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}"));
    let Some(key) = inner.and_then(|inner| inner.trim().strip_prefix("matrix.")) else { return Vec::new() };
    let Some(matrix) = job.tree.get("strategy").and_then(|strategy| strategy.get("matrix")) else { return Vec::new() };
    let listed = |tree: Option<&'t Tree>| match tree.map(|tree| &tree.value) {
        Some(Data::List(items)) => items.as_slice(),
        _ => &[],
    };
    let own = listed(matrix.get(key)).iter();
    let included = listed(matrix.get("include")).iter().filter_map(|row| row.get(key));
    own.chain(included).filter(|row| row.as_text().is_some_and(|text| is_open_image(text))).collect()
}

fn expressions<'x>(file: &sluice_core::text::Text, tree: &Tree, text: &'x str) -> Vec<(&'x str, Span)> {
    let of = |piece: Piece<'x>| match piece {
        Piece::Expression(source, span) => Some((source, span)),
        Piece::Literal(_) => None,
    };
    pieces(file, tree, text).into_iter().filter_map(of).collect()
}

fn names(uses: &Tree, action: &str) -> bool {
    let name = uses.as_text().and_then(|text| text.split('@').next());
    name.is_some_and(|name| name.eq_ignore_ascii_case(action))
}

fn is_self_hosted(tree: &Tree) -> bool {
    let is = |tree: &Tree| tree.as_text().is_some_and(|text| text.as_ref() == "self-hosted");
    match &tree.value {
        Data::List(items) => items.iter().any(is),
        Data::Map(_) => tree.get("group").is_some() || tree.get("labels").is_some_and(is_self_hosted),
        _ => is(tree),
    }
}

fn is_open_image(image: &str) -> bool {
    !image.is_empty() && !image.contains("@sha256:") && !image.contains("${{")
}
