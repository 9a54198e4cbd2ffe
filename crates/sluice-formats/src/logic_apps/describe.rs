//! What the report knows of each action beside the program, and what a definition shows on its face.

use std::collections::BTreeSet;

use sluice_core::credential::suspicion;
use sluice_core::document::{Data, Node as Tree};
use sluice_core::label::Name;
use sluice_core::program::StepId;

use super::effects::leaves;
use super::expression::is_expression;
use super::lower::Lowering;
use super::read::{Action, at, entries, key, list};
use crate::import::{Catalogued, Confidence, Entrance, Kind, Observed, Source, Tier};
use crate::n8n::NodeCatalogue;

/// Most secrets that texts are searched for.
const SECRETS_MAX: usize = 64;

impl<'t> Lowering<'t> {
    /// Describes every trigger and action, and looks at its face.
    pub(super) fn describe(&mut self) {
        let workflow = self.workflow;
        let secrets = self.secret_steps();
        let mut stack: Vec<&Action<'_>> = workflow.triggers.iter().chain(&workflow.block).rev().collect();
        while let Some(action) = stack.pop() {
            self.describe_one(action);
            self.look_at(action, &secrets);
            stack.extend(action.blocks.iter().flatten().rev());
        }
        for parameter in entries(workflow.definition.get("parameters")) {
            let is_secure = parameter.value.get("type").and_then(Tree::as_text).is_some_and(|t| is_secure(t));
            let default = parameter.value.get("defaultValue").and_then(|d| Some((d.as_text()?, d.span)));
            let literal = default.filter(|(text, _)| !text.is_empty() && !text.starts_with(['[', '@']));
            if let (Some((text, span)), Some(room)) = (literal, self.rooms.first())
                && (is_secure || suspicion(&parameter.key, text).is_some())
            {
                let step = room.step;
                let path = format!("parameters.{}", parameter.key);
                self.wires.observe(step, Observed::HardCodedSecret, Some(&path), span);
            }
        }
    }

    fn describe_one(&mut self, action: &Action<'_>) {
        let Some(room) = self.room(action) else { return };
        let step = room.step;
        let node_type = match room.called.service.as_str() {
            "built-in" => action.kind.clone(),
            service => format!("{service}/{}", room.called.operation),
        };
        let mut fact = room.found.facts(&node_type);
        if room.found.reply.classify {
            fact.categories.extend(categories(action));
        }
        fact.reachable = true;
        if action.is_trigger {
            fact.kind = Kind::Trigger;
            fact.side_effect = false;
            fact.sink = None;
            if action.kind == "request" {
                request(action, &mut fact);
            }
        }
        if self.fetches(action) {
            fact.fetches = true;
            fact.source = Some(Source { kind: "web_content".into(), tier: Tier::Indirect });
        }
        fact.tools = if fact.kind == Kind::Agent { self.tools(action) } else { Vec::new() };
        if fact.confidence == Confidence::Assumed {
            self.wires.assumed.insert(format!("what `{node_type}` does: the catalogue does not know it"));
            self.wires.observe(step, Observed::UnknownNodeType, None, action.span);
        }
        if fact.kind == Kind::SubWorkflow {
            self.wires.observe(step, Observed::UnresolvedSubWorkflow, None, action.span);
        }
        if action.after.iter().any(|(_, success)| !success) {
            self.wires.observe(step, Observed::HandlesErrors, None, action.span);
        }
        self.wires.steps.insert(step, fact);
    }

    fn tools(&self, action: &Action<'_>) -> Vec<StepId> {
        let inner = self.room(action).map(|room| room.inner.clone()).unwrap_or_default();
        inner.into_iter().filter_map(|i| self.rooms.get(i)).map(|room| room.step).collect()
    }

    fn look_at(&mut self, action: &Action<'_>, secrets: &BTreeSet<String>) {
        let Some(step) = self.room(action).map(|room| room.step) else { return };
        if action.is_trigger && is_anonymous(action) {
            self.wires.observe(step, Observed::AnonymousTrigger, None, action.span);
        }
        let mut uses_secret = false;
        for leaf in leaves(action) {
            let Some(text) = leaf.tree.as_text() else { continue };
            let last = leaf.path.rsplit(['.', '/']).next().unwrap_or_default();
            let is_program = is_expression(text) || text.starts_with('[');
            if !is_program && (suspicion(last, text).is_some() || is_password(&leaf.path, text)) {
                self.wires.observe(step, Observed::HardCodedSecret, Some(&leaf.path), leaf.tree.span);
            }
            uses_secret |= is_expression(text) && self.names_secret(text, secrets);
        }
        let reads_secret = secrets.contains(&key(&action.name));
        let unsecured = (reads_secret && !secures(action, "outputs")) || (uses_secret && !secures(action, "inputs"));
        if unsecured {
            let which = if reads_secret { "outputs" } else { "inputs" };
            self.wires.observe(step, Observed::UnsecuredSecret, Some(which), action.span);
        }
    }

    /// The steps that read secrets, by what expressions call them.
    fn secret_steps(&self) -> BTreeSet<String> {
        let reads = |room: &&super::lower::Room| room.found.reply.labels.iter().any(|l| l.as_ref() == "credentials");
        self.rooms.iter().filter(reads).map(|room| key(&room.name)).collect()
    }

    /// Whether an expression reads a secret: of a step, or a secure parameter.
    fn names_secret(&self, text: &str, secrets: &BTreeSet<String>) -> bool {
        let lower = text.to_lowercase();
        let parameters = entries(self.workflow.definition.get("parameters")).iter();
        let secure = parameters.filter(|p| p.value.get("type").and_then(Tree::as_text).is_some_and(|t| is_secure(t)));
        let mut named =
            secure.take(SECRETS_MAX).filter(|p| !p.key.starts_with('$')).map(|p| format!("parameters('{}')", p.key));
        named.any(|call| lower.contains(&call.to_lowercase()))
            || secrets.iter().take(SECRETS_MAX).any(|name| lower.contains(&format!("('{name}')")))
    }
}

fn is_secure(kind: &str) -> bool {
    kind.eq_ignore_ascii_case("securestring") || kind.eq_ignore_ascii_case("secureobject")
}

/// A literal password of an `authentication` block.
fn is_password(path: &str, text: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or_default();
    path.starts_with("authentication.") && matches!(last, "password" | "secret" | "pfx" | "value") && !text.is_empty()
}

/// Whether the run history hides a side of an action.
fn secures(action: &Action<'_>, side: &str) -> bool {
    let properties = at(action.tree, &["runtimeConfiguration", "secureData", "properties"]);
    list(properties).iter().filter_map(Tree::as_text).any(|p| p.as_ref() == side)
}

/// Whether whoever has the address may start it.
fn is_anonymous(action: &Action<'_>) -> bool {
    let authentication = action.text(&["inputs", "triggerAuthenticationType"]);
    action.kind == "request" && is_http(action) && authentication.is_none_or(|a| a.eq_ignore_ascii_case("all"))
}

fn is_http(action: &Action<'_>) -> bool {
    action.text(&["kind"]).is_none_or(|kind| kind.eq_ignore_ascii_case("http"))
}

/// Who starts a request trigger.
fn request(action: &Action<'_>, fact: &mut Catalogued) {
    let kind = action.text(&["kind"]).map(|k| k.to_lowercase()).unwrap_or_default();
    let (source, tier) = match kind.as_str() {
        "" | "http" if is_anonymous(action) => ("webhook", Tier::Direct),
        "" | "http" => ("webhook", Tier::Conditional),
        "button" => ("button", Tier::Internal),
        "powerapp" | "powerappv2" => ("app", Tier::Internal),
        "teamswebhook" => ("webhook", Tier::Direct),
        _ => ("caller", Tier::Conditional),
    };
    fact.source = Some(Source { kind: source.into(), tier });
    // The address holds a signature: it is not open to whoever finds the host.
    fact.entrance = Some(Entrance { open: false, leads: true });
}

/// Kinds of sensitive data that the names in a reading action tell.
fn categories(action: &Action<'_>) -> BTreeSet<Name> {
    let mut words = Vec::new();
    for leaf in leaves(action).iter().filter(|leaf| !leaf.path.starts_with("host")) {
        words.push(leaf.path.rsplit(['.', '/']).next().unwrap_or_default().to_owned());
        if let Data::Text(text) = &leaf.tree.value
            && !is_expression(text)
        {
            words.extend(text.split(|c: char| !(c.is_alphanumeric() || c == '_')).map(str::to_owned));
        }
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    NodeCatalogue::built_in().lexicon().classify(&words)
}
