//! Steps: actions that have nothing but what they are given are calls, everything else has no equivalent.

use sluice_core::catalogue::Usage;
use sluice_core::document::{Data, Node as Tree};
use sluice_core::gate::Effect;
use sluice_core::text::Span;

use super::super::knowledge::{Does, Knowledge, Outputs};
use super::super::read::{Job, Step, entries};
use super::{Sight, Writer, draft, reference};
use crate::native::{ActionDraft, Reached, Refused, Sending, Task, TaskKind, Value, member, slug};

/// Actions that only make a machine ready, or work on what lies there.
const MACHINES: [&str; 5] = ["setup-", "cache", "checkout", "-artifact", "pages"];

/// Most inputs and variables of one step: those of a workflow are given to each of its steps.
const ARGUMENTS_MAX: usize = 200;

impl<'a, 't> Writer<'a, 't> {
    pub(super) fn step(
        &mut self,
        job: &Job<'t>,
        step: &'a Step<'t>,
        sight: &mut Sight<'t>,
        has_files: &mut bool,
    ) -> Vec<Task> {
        let kind = if step.run.is_some() { "run" } else { "uses" };
        let name = self.named(kind, step.span, &format!("{} / {}", job.id, step.name));
        self.desk.reach(&name);
        let mut own = sight.clone();
        own.env.extend(step.tree.get("env"));
        let condition = self.condition(&name, step.tree, &own);
        let made = self.called(&name, step, &own, has_files).and_then(|mut task| {
            task.timeout_ms = self.minutes(step.tree, &name)?;
            Ok(task)
        });
        if let Some(id) = &step.id {
            sight.steps.insert(id.clone(), name.clone());
        }
        let mut task = match (made, &condition) {
            (Ok(task), Ok(_)) => task,
            _ => self.desk.missing(&name, kind),
        };
        task.condition = condition.ok().flatten();
        vec![self.goes_on(step.tree, task)]
    }

    /// The call of an action.
    fn called(
        &mut self,
        name: &std::sync::Arc<str>,
        step: &Step<'t>,
        sight: &Sight<'t>,
        has_files: &mut bool,
    ) -> Result<Task, Refused> {
        let Some(uses) = step.uses.filter(|_| step.run.is_none()) else {
            *has_files = true;
            let help = "write what the script does as calls of connectors, or leave it to a machine and let the definition start it";
            return Err(self.desk.refuse(name, step.span, "a script, which runs on a machine", help));
        };
        let (action, version) = reference(step);
        let known = Knowledge::built_in().action(&action).cloned();
        let (what, help) = match &known {
            _ if action.starts_with("./") => {
                ("an action of this repository, which runs on a machine", "write what it does as calls of connectors")
            }
            _ if action.starts_with("docker://") || !action.contains('/') => {
                ("a container, which runs on a machine", "write what it does as calls of connectors")
            }
            Some(known) if known.does != Does::Nothing => self.works_on_files(),
            _ if MACHINES.iter().any(|word| action.contains(word)) => self.works_on_files(),
            Some(known) if !known.code.is_empty() || !known.command.is_empty() => {
                ("a program", "write what it computes as jq in a `set`, or as an action of a service of yours")
            }
            _ if *has_files => (
                "an action that may work on the files which the steps before it left",
                "put it into a job of its own, if all that it needs are its inputs",
            ),
            _ => {
                let outputs = known.map(|known| (known.outputs, known.prompt)).unwrap_or_default();
                return self.action(name, (&action, &version), uses.span, step, sight, outputs);
            }
        };
        *has_files = true;
        Err(self.desk.refuse(name, uses.span, what, help))
    }

    const fn works_on_files(&self) -> (&'static str, &'static str) {
        ("an action that works on the files of a machine", "read and write files by a connector")
    }

    fn action(
        &mut self,
        name: &std::sync::Arc<str>,
        (action, version): (&str, &str),
        span: Span,
        step: &Step<'t>,
        sight: &Sight<'t>,
        (outputs, prompts): (Outputs, std::collections::BTreeSet<String>),
    ) -> Result<Task, Refused> {
        let given = sight.env.iter().copied().chain(step.tree.get("with")).map(|tree| entries(Some(tree)).len());
        if given.sum::<usize>() > ARGUMENTS_MAX {
            let help = "give the action what it needs, and nothing else";
            return Err(self.desk.refuse(name, span, &format!("more than {ARGUMENTS_MAX} inputs and variables"), help));
        }
        let mut sending = Sending::default();
        let mut refused = None;
        let inputs = entries(step.tree.get("with")).iter().map(|entry| (entry, false));
        let variables = sight.env.iter().rev().flat_map(|env| entries(Some(env))).map(|entry| (entry, true));
        let mut seen = std::collections::BTreeSet::new();
        // Of two variables of one name the nearest counts.
        for (entry, is_variable) in inputs.chain(variables).filter(|(entry, is)| seen.insert((*is, &entry.key))) {
            if self.is_secret(&entry.value) {
                self.desk.note(format!(
                    "`{name}`: the secret in `{}` is not carried over; keep it with `sluice secret set`, as the connector's credential",
                    entry.key
                ));
                continue;
            }
            let is_prompt = !is_variable && prompts.iter().any(|prompt| prompt.eq_ignore_ascii_case(&entry.key));
            let usage = if is_prompt { Usage::Prompt } else { Usage::Payload };
            let argument = if is_variable { format!("env.{}", entry.key) } else { entry.key.to_string() };
            match self.value(name, &entry.value, sight) {
                Ok(value) => {
                    sending.add(&argument, Some(usage), value);
                }
                Err(gone) => refused = Some(gone),
            }
        }
        if let Some(gone) = refused {
            return Err(gone);
        }
        // An action reads the event by itself.
        let event = self.event.name.to_string();
        self.desk.read.insert(event.clone());
        sending.add("event", None, Value::jq(member("$context", &event)));
        sending.told.exact = true;
        let (owner, rest) = action.split_once('/').unwrap_or(("action", action));
        let id = |words: &str, usual: &str| {
            let made = slug(words);
            if made.is_empty() { usual.to_owned() } else { made }
        };
        let fact = self.fact(name);
        let draft = ActionDraft { keeps: outputs != Outputs::Nothing, ..draft(Effect::Execute, &fact, &sending) };
        let (connector, action) = (id(owner, "action"), id(rest, "run"));
        let action = self.desk.contracts.add(&connector, &Reached::Unknown, true, &action, draft);
        self.desk.told.insert(name.clone(), sending.told);
        let mut task = Task::new(name.clone(), TaskKind::Call { action, with: sending.with }).kept_as(name);
        let at = if version.is_empty() { String::new() } else { format!(" (`{version}`, line {})", span.line) };
        task.comments = vec![format!(
            "What the action does{at} stands in its code, which is not in the original: read it before you sign the contract."
        )];
        Ok(task)
    }

    /// Whether a value is a secret and nothing else.
    fn is_secret(&self, tree: &Tree) -> bool {
        let Data::Text(text) = &tree.value else { return false };
        let inner = text.trim().strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}"));
        let inner = inner.map(|inner| inner.trim().to_lowercase()).unwrap_or_default();
        let plain = inner.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
        plain && (inner.starts_with("secrets.") || inner == "github.token")
    }
}
