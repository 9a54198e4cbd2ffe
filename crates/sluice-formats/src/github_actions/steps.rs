//! The steps of the program and what is said of them: each by the file that it stands in.

use std::sync::Arc;

use sluice_core::program::{Step as ProgramStep, StepId};
use sluice_core::text::Span;

use super::lower::Lowering;
use crate::import::Observed;

impl Lowering<'_, '_> {
    /// A step of the program; of a file that is called, one for all of its callers.
    pub(super) fn step(&mut self, name: &str, kind: &'static str, span: Span) -> StepId {
        let made = self.made;
        self.made += 1;
        let Some(reference) = self.inside.last().filter(|_| !self.is_own()).cloned() else {
            return self.new_step(name, kind, span);
        };
        if let Some(known) = self.repeated.get(&(reference.clone(), made)) {
            return *known;
        }
        let step = self.new_step(&format!("{}: {name}", self.file.name), kind, span);
        self.repeated.insert((reference, made), step);
        self.elsewhere.insert(step, self.file.name.clone());
        step
    }

    /// A step under a name that no other has.
    fn new_step(&mut self, name: &str, kind: &'static str, span: Span) -> StepId {
        let mut unique = name.to_owned();
        let mut n = 2;
        while !self.names.insert(unique.clone()) {
            unique = format!("{name} #{n}");
            n += 1;
        }
        let name: Arc<str> = unique.into();
        self.wires.code.step(ProgramStep { name: name.clone(), path: name, kind, span, purpose: None })
    }

    pub(super) fn name(&self, step: StepId) -> String {
        self.wires.code.steps.get(step.0 as usize).map(|step| step.name.to_string()).unwrap_or_default()
    }

    /// A step's name for somebody who reads the file of another step.
    pub(super) fn name_for(&self, step: StepId, reader: StepId) -> String {
        let (name, file) = (self.name(step), self.elsewhere.get(&step));
        let own = file.and_then(|file| name.strip_prefix(file.as_ref())?.strip_prefix(": ")).unwrap_or(&name);
        if file == self.elsewhere.get(&reader) {
            return own.to_owned();
        }
        let root = self.root_file.clone();
        let file = file.unwrap_or(&root);
        format!("{}: {own}", file.rsplit(['/', '\\']).next().unwrap_or(file))
    }

    /// Says which texts were not understood.
    pub(super) fn unread(&mut self, sources: &[String]) {
        self.wires.opaque += sources.len();
        for source in sources {
            self.assume(format!("that `${{{{ {source} }}}}` may be made of every context that it names"));
        }
    }

    /// Says what is taken for given; what is of another file is told there.
    pub(super) fn assume(&mut self, what: String) {
        if self.is_own() {
            self.wires.assumed.insert(what);
        }
    }

    /// The same of what the text shows.
    pub(super) fn observe(&mut self, step: StepId, what: Observed, parameter: Option<&str>, span: Span) {
        if self.is_own() {
            self.wires.observe(step, what, parameter, span);
        }
    }
}
