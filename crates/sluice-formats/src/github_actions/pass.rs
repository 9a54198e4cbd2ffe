//! Past the conditions of jobs and steps: who is left, and which contexts are held to constants.

use std::collections::BTreeSet;

use sluice_core::expression::Path;
use sluice_core::label::{Label, Name};
use sluice_core::program::{PlaceId, StepId};

use super::expression::Ast;
use super::holds::{Happened, Held, holds};
use super::lower::Lowering;
use super::scope::{Heard, Scope};
use crate::guard::{Admits, Guard, Past, Who};

/// Contexts that stay what they are while a step runs, and that its own variables do not hide.
const STEADY: [&str; 4] = ["github.", "inputs.", "needs.", "steps."];

impl Lowering<'_, '_> {
    /// Keeps the events that a condition lets through, as it lets them through. Returns the contexts that it holds to
    /// constants, whichever of them it was.
    pub(super) fn pass(&mut self, admitted: &mut Vec<Heard>, guard: Option<&Ast>, by: StepId) -> BTreeSet<String> {
        let Some(guard) = guard else { return BTreeSet::new() };
        let mut listed: Option<BTreeSet<String>> = None;
        for heard in std::mem::take(admitted) {
            let Some(happened) = self.events.get(heard.event).map(|event| event.happened.clone()) else { continue };
            let Some(held) = holds(guard, &happened) else { continue };
            let of = |held: &Held| if let Held::Listed(path) = held { Some(path.clone()) } else { None };
            let own: BTreeSet<String> = held.iter().filter_map(of).collect();
            listed = Some(listed.map_or_else(|| own.clone(), |listed| &listed & &own));
            admitted.push(self.vouched(heard, &held, &happened, by));
        }
        listed.unwrap_or_default()
    }

    fn vouched(&mut self, mut heard: Heard, held: &BTreeSet<Held>, happened: &Happened, by: StepId) -> Heard {
        let who = match held.contains(&Held::Insider) {
            true => Some(Who::Insider),
            false => happened.is_asked(held).then_some(Who::Asked),
        };
        if let Some(who) = who.filter(|who| Some(*who) > heard.who)
            && let Some(place) = self.past(heard.event, by, who)
        {
            (heard.place, heard.who) = (place, Some(who));
        }
        if heard.is_insiders() {
            heard.parts.clear();
            return heard;
        }
        let parts = held.iter().filter_map(|held| if let Held::Part(part) = held { Some(part) } else { None });
        let new: Vec<&String> = parts.filter(|part| !heard.parts.contains_key(*part)).collect();
        if let Some(place) = (!new.is_empty()).then(|| self.past(heard.event, by, Who::Insider)).flatten() {
            heard.parts.extend(new.into_iter().map(|part| (part.clone(), place)));
        }
        heard
    }

    /// Where what an event carries lies once it is past a condition on who sent it.
    fn past(&mut self, event: usize, by: StepId, who: Who) -> Option<PlaceId> {
        let source = self.events.get(event)?.step;
        let span = self.wires.code.steps.get(source.0 as usize)?.span;
        let word = if who == Who::Insider { "sent by insiders" } else { "asked for" };
        let name: Name = format!("{}, {word} past {}", self.name(source), self.name(by)).into();
        let origin = self.wires.past(&name, Past { source, by, who })?;
        let place = self.wires.code.place(format!("what {name} carries"));
        let at = std::mem::replace(&mut self.wires.code.step, source);
        self.wires.receive(&name, (Label::BOTTOM, origin), place, span);
        self.wires.code.step = at;
        Some(place)
    }

    /// Puts what is held to constants into places of its own, where that is known of it.
    pub(super) fn list(&mut self, listed: BTreeSet<String>, by: StepId, scope: &mut Scope<'_>) {
        for dotted in listed {
            let path: Vec<String> = dotted.split('.').map(str::to_owned).collect();
            let value = scope
                .context(&path, self.wires.code.steps.get(by.0 as usize).map_or_else(Default::default, |s| s.span));
            let is_steady = STEADY.iter().any(|start| dotted.starts_with(start));
            if !is_steady || scope.listed.contains_key(&dotted) || value.variables().is_empty() {
                continue;
            }
            let place = self.wires.code.place(dotted.clone());
            self.wires.checked([Guard { step: by, place, path: Path::new(), admits: Admits::ListedInAnyCase }]);
            self.set(place, value);
            scope.listed.insert(dotted, place);
        }
    }
}
