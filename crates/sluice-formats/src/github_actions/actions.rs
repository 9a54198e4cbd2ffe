//! Steps: scripts and actions, what they are given and what they leave behind.

use sluice_core::catalogue::Usage;
use sluice_core::document::Node as Tree;
use sluice_core::expression::Expression;
use sluice_core::gate::Effect;
use sluice_core::text::Span;

use super::enter::Leads;
use super::face::ActionsFace;
use super::knowledge::{Action, Does as Doing, Outputs};
use super::lower::{At, Lowering, Writing};
use super::read::{Step, entries};
use super::script;
use crate::import::{Catalogued, Confidence, Kind, Observed};
use crate::wiring::{Does, Sent, place_variable};

/// What a script is handed to by its end.
const EVALUATED: &str = " (evaluated)";

impl<'a, 't> Lowering<'a, 't> {
    /// A script: `${{ }}` is pasted into it before any shell reads it.
    pub(super) fn run(&mut self, step: &Step<'t>, run: &Tree, at: &At<'_>, writing: &mut Writing<'_, 't>) {
        let Some(text) = run.as_text().cloned() else { return };
        let span = run.span;
        let read = writing.scope.text(run);
        self.unread(&read.unread);
        let shell = shell(step, writing, self.workflow.tree);
        let mut sent = vec![Sent { name: "run".into(), usage: shell_usage(&shell), value: read.whole.clone() }];
        if let Some(tree) = step.tree.get("shell").filter(|tree| tree.as_text().is_some_and(|t| t.contains("${{"))) {
            sent.push(Sent { name: "shell".into(), usage: Usage::Command, value: writing.scope.text(tree).whole });
        }
        for name in script::evaluated(&text) {
            let value = writing.scope.variable(Some(&name), span);
            sent.push(Sent { name: format!("{name}{EVALUATED}").into(), usage: Usage::Command, value });
        }
        let reads = self.reads(&text, &read.parts, writing, span);
        if let Some(written) = self.written(&text, run, &reads, writing) {
            sent.push(Sent { name: "GITHUB_ENV".into(), usage: Usage::Code, value: written.clone() });
            let before = place_variable(writing.scope.written, span);
            self.set(writing.scope.written, Expression::opaque(vec![before, written], span));
        }
        let known = Catalogued {
            node_type: "run".into(),
            kind: Kind::Command,
            side_effect: true,
            reachable: true,
            confidence: Confidence::Known,
            ..Catalogued::default()
        };
        self.runs(script::runs_workspace(&text), at, writing, span);
        self.act(at.id, Does { effect: Effect::Execute, privileged: false }, sent, known, span);
        self.set(at.outputs, Expression::opaque(reads, span));
        self.scripted_files(&text, at, writing, span);
    }

    /// Everything that a script can read: what is pasted, its environment, files, and the event where it asks for it.
    fn reads(&self, text: &str, pasted: &[Expression], writing: &Writing<'_, '_>, span: Span) -> Vec<Expression> {
        let mut reads = pasted.to_vec();
        reads.push(writing.scope.environment(span));
        reads.push(place_variable(writing.scope.workspace, span));
        if self.knowledge.mentions("reads_event", text) {
            reads.push(writing.scope.event(span));
        }
        reads
    }

    /// What a script writes for later steps' environments.
    fn written(&self, text: &str, run: &Tree, reads: &[Expression], writing: &Writing<'_, '_>) -> Option<Expression> {
        let lines = script::environment_lines(text);
        if lines.is_empty() {
            return None;
        }
        let is_simple = |line: &&str| {
            let echoes = ["echo ", "printf ", "Write-Output "].iter().any(|word| line.contains(word));
            echoes && !line.contains("$(") && !line.contains('`')
        };
        if !lines.iter().all(is_simple) {
            return Some(Expression::opaque(reads.to_vec(), run.span));
        }
        let mut parts = Vec::new();
        for line in lines {
            parts.extend(writing.scope.within(run, line).parts);
            let names = script::variables(line);
            // What the shell set itself may come from anything that the script reads.
            let is_own = |name: &String| text.contains(&format!("{name}=")) || text.contains(&format!("read {name}"));
            if names.iter().any(is_own) {
                parts.extend(reads.iter().cloned());
            }
            parts.extend(names.iter().map(|name| writing.scope.variable(Some(name), run.span)));
        }
        Some(Expression::opaque(parts, run.span))
    }

    fn scripted_files(&mut self, text: &str, at: &At<'_>, writing: &mut Writing<'_, '_>, span: Span) {
        if self.is_risky(at.admitted) && self.knowledge.mentions("fetches_head", text) {
            self.bring(at, writing, false, span);
            self.runs(script::runs_workspace(text), at, writing, span);
        } else if self.follows_a_run(at.admitted) && self.knowledge.mentions("fetches_artifact", text) {
            self.bring(at, writing, true, span);
        }
    }

    /// Says that a step runs an outsider's files, if it does.
    fn runs(&mut self, does_run: bool, at: &At<'_>, writing: &Writing<'_, '_>, span: Span) {
        let Some((from, is_artifact)) = writing.foreign.filter(|_| does_run) else { return };
        let face = if is_artifact { ActionsFace::RunsArtifact } else { ActionsFace::RunsOutsidersCode };
        let from = self.name_for(from, at.id);
        self.wires.observe(at.id, Observed::Actions(face), Some(&from), span);
    }

    /// An action.
    pub(super) fn uses(&mut self, step: &Step<'t>, uses: &Tree, at: &At<'_>, writing: &mut Writing<'a, 't>) {
        let reference = uses.as_text().cloned().unwrap_or_else(|| "".into());
        let is_local = reference.starts_with("./");
        if is_local {
            // Whoever brought the files brought the action.
            self.runs(true, at, writing, uses.span);
            let leads = self.leads(&reference, true);
            if let Leads::Here(called, name) = leads {
                return self.composite(step, (called, name), at, writing, uses.span);
            }
            self.tell(&leads, &reference, at.id, uses.span);
        }
        let name = reference.split('@').next().unwrap_or_default();
        let known = self.knowledge.action(name).cloned();
        let (sent, given) = self.given(step.tree.get("with"), known.as_ref(), writing);
        let confidence = if known.is_some() { Confidence::Known } else { Confidence::Assumed };
        if known.is_none() && !reference.is_empty() {
            self.assume(format!("that the outputs of `{name}` are made of what it is given"));
        }
        let action = known.unwrap_or_default();
        let is_code = !action.code.is_empty();
        let described = Catalogued {
            node_type: name.into(),
            kind: if is_code { Kind::Code } else { Kind::Action },
            side_effect: true,
            reachable: true,
            confidence,
            ..Catalogued::default()
        };
        self.runs(action.does == Doing::Runs, at, writing, uses.span);
        self.act(at.id, Does { effect: Effect::Execute, privileged: false }, sent, described, uses.span);
        let outputs = match action.outputs {
            Outputs::Nothing => Self::nothing(uses.span),
            Outputs::Inputs => Expression::opaque(self.left(given, writing, uses.span), uses.span),
            Outputs::Event => {
                let mut parts = self.left(given, writing, uses.span);
                parts.push(writing.scope.event(uses.span));
                Expression::opaque(parts, uses.span)
            }
        };
        self.set(at.outputs, outputs);
        self.moves_files(&action, step, at, writing, uses.span);
    }

    /// What an action can make its outputs of.
    fn left(&self, mut given: Vec<Expression>, writing: &Writing<'_, '_>, span: Span) -> Vec<Expression> {
        given.push(writing.scope.environment(span));
        given.push(place_variable(writing.scope.workspace, span));
        given
    }

    /// The inputs of an action: what it does with each.
    fn given(
        &mut self,
        with: Option<&Tree>,
        known: Option<&Action>,
        writing: &Writing<'_, '_>,
    ) -> (Vec<Sent>, Vec<Expression>) {
        let (mut sent, mut parts) = (Vec::new(), Vec::new());
        for entry in entries(with) {
            let read = writing.scope.text(&entry.value);
            self.unread(&read.unread);
            let has = |pick: fn(&Action) -> &std::collections::BTreeSet<String>| {
                known.is_some_and(|action| pick(action).iter().any(|key| key.eq_ignore_ascii_case(&entry.key)))
            };
            let usage = match () {
                () if has(|action| &action.code) => Usage::Code,
                () if has(|action| &action.command) => Usage::Command,
                () if has(|action| &action.prompt) => Usage::Prompt,
                () => Usage::Payload,
            };
            parts.extend(read.parts);
            sent.push(Sent { name: entry.key.clone(), usage, value: read.whole });
        }
        (sent, parts)
    }

    fn moves_files(
        &mut self,
        action: &Action,
        step: &Step<'_>,
        at: &At<'_>,
        writing: &mut Writing<'_, '_>,
        span: Span,
    ) {
        let (workspace, artifacts) = (writing.scope.workspace, self.artifacts);
        match action.does {
            Doing::Checkout if self.is_risky(at.admitted) && self.takes_head(step, writing) => {
                self.bring(at, writing, false, span)
            }
            Doing::Upload => {
                let both = vec![place_variable(artifacts, span), place_variable(workspace, span)];
                self.set(artifacts, Expression::opaque(both, span));
            }
            Doing::Download => {
                if self.follows_a_run(at.admitted) && fetches_other_run(step) {
                    self.bring(at, writing, true, span);
                }
                let both = vec![place_variable(workspace, span), place_variable(artifacts, span)];
                self.set(workspace, Expression::opaque(both, span));
            }
            _ => {}
        }
    }

    /// Whether a checkout takes an outsider's commit.
    fn takes_head(&self, step: &Step<'_>, writing: &Writing<'_, '_>) -> bool {
        let with = step.tree.get("with");
        let texts = ["ref", "repository"].iter().filter_map(|key| with?.get(key)?.as_text());
        let mut texts = texts.map(|text| writing.scope.with_inputs(text));
        texts.any(|text| self.knowledge.mentions("heads", &text) || names_outputs(&text))
    }

    /// A job that is another workflow.
    pub(super) fn reusable(&mut self, writing: &mut Writing<'a, 't>) {
        let Some(uses) = writing.job.tree.get("uses") else { return };
        let reference = uses.as_text().cloned().unwrap_or_else(|| "".into());
        let leads = self.leads(&reference, false);
        if let Leads::Here(called, name) = leads {
            return self.called_workflow((called, name), writing, uses.span);
        }
        self.tell(&leads, &reference, writing.step, uses.span);
        let (sent, mut given) = self.given(writing.job.tree.get("with"), None, writing);
        given.push(writing.scope.environment(uses.span));
        let known =
            Catalogued { node_type: reference, kind: Kind::SubWorkflow, reachable: true, ..Catalogued::default() };
        let id = writing.step;
        self.act(id, Does { effect: Effect::Execute, privileged: false }, sent, known, uses.span);
        self.set(writing.scope.all_steps, Expression::opaque(given, uses.span));
    }
}

/// A `ref` that an earlier step or job has looked up.
fn names_outputs(text: &str) -> bool {
    text.contains("steps.") || text.contains("needs.")
}

fn fetches_other_run(step: &Step<'_>) -> bool {
    let uses = step.uses.and_then(Tree::as_text).map(|text| text.to_lowercase()).unwrap_or_default();
    !uses.starts_with("actions/") || step.tree.get("with").is_some_and(|with| with.get("run-id").is_some())
}

/// The shell of a script: its own, or the default of its job or workflow.
fn shell(step: &Step<'_>, writing: &Writing<'_, '_>, workflow: &Tree) -> String {
    let default = |tree: &Tree| tree.get("defaults")?.get("run")?.get("shell")?.as_text().cloned();
    let own = step.tree.get("shell").and_then(Tree::as_text).cloned();
    let found = own.or_else(|| default(writing.job.tree)).or_else(|| default(workflow));
    found.map(|text| text.to_string()).unwrap_or_default()
}

/// Shells take commands; other interpreters take programs.
fn shell_usage(shell: &str) -> Usage {
    let word = shell.split_whitespace().next().unwrap_or_default();
    if ["python", "node", "perl", "ruby", "deno"].iter().any(|name| word.starts_with(name)) {
        Usage::Code
    } else {
        Usage::Command
    }
}
