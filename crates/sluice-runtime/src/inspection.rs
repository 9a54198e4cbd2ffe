//! What inspection of a reply means: which labels rise, and whether a contract was broken.
//!
//! Whatever is found only raises labels. Where a *signed* contract says which classes of data come and another one came, that
//! is a breach. A draft claims nothing, and neither does a contract whose output has no `labels`, or says `undeclared: raise`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use sluice_core::catalogue::{Action, Catalogue, ReplyRule};
use sluice_core::contract::Governance;
use sluice_core::contract::connector::{Transport, Undeclared};
use sluice_core::found::{Finder, Found};
use sluice_core::label::{Atom, Label, Universe};
use sluice_inspect::{Hit, inspect};

use crate::incident::Broken;

/// One reply, and what it is held against.
pub(crate) struct Looked<'a> {
    /// What people signed.
    pub(crate) signed: &'a Governance,
    /// What can be called: the signed rules, or those with drafts.
    pub(crate) catalogue: &'a Catalogue,
    /// What was called; `None` if nothing describes it.
    pub(crate) action: Option<&'a Action>,
    /// With what.
    pub(crate) arguments: &'a Json,
    /// What every part of the reply carries in any case.
    pub(crate) base: Label,
    /// Whether the contract's paths speak of it; else every path counts for every place.
    pub(crate) has_places: bool,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    /// What the labels of its places do not say. It raises them.
    pub(crate) found: Vec<Found>,
    /// How the contract was broken.
    pub(crate) broken: Vec<Broken>,
}

impl Looked<'_> {
    /// Looks through a reply.
    pub(crate) fn judge(&self, reply: &Json) -> Judged {
        let Some(action) = self.action else { return Judged::default() };
        let findings = &self.catalogue.findings;
        let everywhere = action.labels.predicted(self.base).deep_label();
        let repeats = matches!(action.reply, ReplyRule::Echo | ReplyRule::Merge);
        let mut given: Option<BTreeSet<String>> = None;
        let mut undeclared: BTreeMap<(Finder, &'static str, String), u64> = BTreeMap::new();
        let claims = self.claims(action);
        let mut is_expected = |hit: &Hit<'_>| {
            let Some(raises) = findings.raises(hit.finder) else { return true };
            let path = hit.path();
            let label = if self.has_places { action.labels.at(&path).join(self.base) } else { everywhere };
            if raises.flows_to(label) {
                return true;
            }
            // What the reply repeats of its arguments keeps their labels, which it has already.
            let mut is_given = || given.get_or_insert_with(|| texts_of(self.arguments)).contains(hit.text);
            if repeats && !hit.text.is_empty() && is_given() {
                return true;
            }
            if claims && !categories(&self.catalogue.universe, raises).flows_to(everywhere) {
                let at = action.labels.pattern_of(&path).filter(|_| self.has_places);
                let at = at.map(ToString::to_string).unwrap_or_default();
                *undeclared.entry((hit.finder, hit.rule, at)).or_default() += 1;
            }
            false
        };
        let found = if findings.is_empty() { Vec::new() } else { inspect(reply, &mut is_expected) };
        let mut broken = Vec::new();
        for ((finder, rule, at), count) in undeclared {
            broken.push(Broken::Undeclared { finder, rule: rule.into(), at, count });
        }
        broken.extend(self.volume(action, reply));
        Judged { found, broken }
    }

    /// Whether people signed that nothing comes but what the contract says.
    fn claims(&self, action: &Action) -> bool {
        let written = written(self.signed, action);
        written.is_some_and(|(_, written)| {
            !written.output.labels.is_empty() && written.output.undeclared == Undeclared::Stops
        })
    }

    /// A tool's reply that is larger than the contract allows. Other transports read no further than that.
    fn volume(&self, action: &Action, reply: &Json) -> Option<Broken> {
        let (transport, written) = written(self.signed, action)?;
        let limit = written.limits.bytes.filter(|_| matches!(transport, Transport::Mcp(_)))?;
        (bytes_of(reply) > limit).then_some(Broken::Volume { limit })
    }
}

/// The signed contract of an action.
fn written<'a>(
    signed: &'a Governance,
    action: &Action,
) -> Option<(&'a Transport, &'a sluice_core::contract::connector::ActionContract)> {
    let contract = signed.contracts.iter().find(|contract| contract.connector.value == action.connector)?;
    Some((&contract.transport, contract.actions.get(&action.name)?))
}

fn categories(universe: &Universe, label: Label) -> Label {
    label.meet(universe.select(|atom| matches!(atom, Atom::Category { .. })))
}

/// Everything that inspection finds in the arguments of a call.
fn texts_of(arguments: &Json) -> BTreeSet<String> {
    let mut texts = BTreeSet::new();
    inspect(arguments, &mut |hit| {
        texts.insert(hit.text.to_owned());
        true
    });
    texts
}

fn bytes_of(reply: &Json) -> u64 {
    struct Count(u64);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Counting cannot fail, and what cannot be written as JSON did not come as JSON.
    let _ = serde_json::to_writer(&mut count, reply);
    count.0
}

/// What a person says that came back: it raises what it raises, and breaks no contract.
pub(crate) fn found_in(reply: &Json) -> Vec<Found> {
    inspect(reply, &mut |_| false)
}
