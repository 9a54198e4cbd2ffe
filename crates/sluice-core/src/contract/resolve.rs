//! From contracts and registers to the catalogue: names become atoms, and every reference is checked.
//!
//! A problem anywhere refuses the whole: half a catalogue would label half of the data.

mod actions;
mod overlap;
mod references;
mod releases;

use std::collections::BTreeMap;

use crate::catalogue::{Catalogue, Destination};
use crate::contract::connector::Contract;
use crate::contract::principals::unknown;
use crate::contract::read::{Located, Problem};
use crate::contract::registers::Registers;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::found::{Finder, Findings};
use crate::label::{Atom, Label, Name, Universe};
use crate::limits::ATOMS_MAX;
use crate::text::Span;
use crate::ticket::Ticket;

/// Resolves contracts and registers.
///
/// Categories become atoms with their owners, and carry the owners' rules on regions and purposes; parts of a
/// reply that are not trusted carry the connector (of a model: `model:<name>`) as origin; what no path covers
/// is ⊤; a dataset becomes lineage of whatever is read from it.
///
/// # Errors
/// Every reference that names nothing, every two actions that one call could mean, every release that its
/// owner may not give, each with file and place.
pub fn resolve(contracts: &[Contract], registers: &Registers) -> Result<Catalogue, Vec<Problem>> {
    resolve_read(contracts, registers, Complete::Yes)
}

/// Whether every contract could be read: a name that points at none may mean one that could not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Complete {
    Yes,
    No,
}

pub(super) fn resolve_read(
    contracts: &[Contract],
    registers: &Registers,
    complete: Complete,
) -> Result<Catalogue, Vec<Problem>> {
    let mut resolver = Resolver { registers, complete, universe: Universe::new(), problems: Vec::new() };
    references::check(&mut resolver, contracts);
    overlap::check(&mut resolver, contracts);
    resolver.intern_categories();
    let mut actions = BTreeMap::new();
    for contract in contracts {
        for (name, written) in &contract.actions {
            let action = resolver.action(contract, name, written);
            actions.insert((contract.connector.value.clone(), name.clone()), action);
        }
    }
    actions::fill_stored(&mut actions, contracts);
    let tickets = tickets(contracts);
    let releases = resolver.releases();
    let findings = resolver.findings();
    let destinations = destinations(registers);
    let Resolver { universe, problems, .. } = resolver;
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Catalogue {
        universe,
        actions,
        destinations,
        regions: registers.regions.entries.keys().cloned().collect(),
        purposes: registers.purposes.entries.keys().cloned().collect(),
        releases,
        findings,
        tickets,
    })
}

/// The actions that show a ticket.
fn tickets(contracts: &[Contract]) -> BTreeMap<(Name, Name), Ticket> {
    let of = |contract: &Contract| {
        let connector = contract.connector.value.clone();
        let marked = contract.actions.iter().filter_map(|(name, action)| Some((name, action.ticket.as_ref()?)));
        let marked: Vec<_> = marked.map(|(name, t)| ((connector.clone(), name.clone()), t.value.clone())).collect();
        marked
    };
    contracts.iter().flat_map(of).collect()
}

struct Resolver<'a> {
    registers: &'a Registers,
    complete: Complete,
    universe: Universe,
    problems: Vec<Problem>,
}

impl Resolver<'_> {
    fn report(&mut self, file: &Name, diagnostic: Diagnostic) {
        self.problems.push(Problem { file: file.clone(), diagnostic });
    }

    /// Reports what only matters where nothing else is wrong: a name that means nothing has no owner either.
    fn report_unless_another(&mut self, file: &Name, diagnostic: Diagnostic) {
        if !self.problems.iter().any(|p| p.file == *file && p.diagnostic.span == diagnostic.span) {
            self.report(file, diagnostic);
        }
    }

    /// The label of an atom; ⊤ and one problem at the bound, so that running out of bits cannot launder.
    fn atom(&mut self, atom: Atom, file: &Name, span: Span) -> Label {
        if let Ok(id) = self.universe.intern(atom) {
            return Label::of(id);
        }
        let code = Code(110);
        if !self.problems.iter().any(|p| p.diagnostic.code == code) {
            let message =
                format!("contracts and registers need more than {ATOMS_MAX} categories, origins, rules and datasets");
            let help = "use fewer classes with rules of their own, or split the workspace";
            self.report(file, Diagnostic::new(code, "too-many-atoms", Severity::High, span, message, help));
        }
        Label::TOP
    }

    /// What inspection's findings mean: the classes that the register says, else the one that has the default name.
    fn findings(&mut self) -> Findings {
        let registers = self.registers;
        let raises = Finder::ALL.into_iter().filter_map(|finder| {
            let default = || registers.classification.entries.get_key_value(finder.default_class());
            let classes: Vec<&Name> = match registers.inspection.get(&finder) {
                Some(classes) => classes.iter().map(|class| &class.value).collect(),
                None => default().map(|(class, _)| class).into_iter().collect(),
            };
            let label = classes.iter().fold(Label::BOTTOM, |label, class| label.join(self.class(class)));
            (!classes.is_empty()).then_some((finder, label))
        });
        Findings::new(raises.collect::<Vec<_>>())
    }

    /// What a class of data means: its category and its owner's rules. ⊤ if it is unknown, which is a problem already.
    fn class(&mut self, class: &str) -> Label {
        self.category(class).join(self.rules(class))
    }

    fn category(&mut self, class: &str) -> Label {
        let register = &self.registers.classification;
        let Some(entry) = register.entries.get(class) else { return Label::TOP };
        let atom = Atom::Category { owner: entry.value.owner.value.clone(), class: class.into() };
        self.atom(atom, &register.file, entry.span)
    }

    fn rules(&mut self, class: &str) -> Label {
        let register = &self.registers.classification;
        let Some(entry) = register.entries.get(class) else { return Label::BOTTOM };
        let category = &entry.value;
        let (owner, file) = (&category.owner.value, &register.file);
        self.rule(owner, category.regions.as_deref(), category.purposes.as_deref(), file, entry.span)
    }

    /// An owner's rules as atoms.
    fn rule(
        &mut self,
        owner: &Name,
        regions: Option<&[Located<Name>]>,
        purposes: Option<&[Located<Name>]>,
        file: &Name,
        span: Span,
    ) -> Label {
        let set = |list: &[Located<Name>]| list.iter().map(|l| l.value.clone()).collect();
        let regions = regions.map(|list| Atom::RegionsOnly { owner: owner.clone(), allowed: set(list) });
        let purposes = purposes.map(|list| Atom::PurposesOnly { owner: owner.clone(), allowed: set(list) });
        let atoms = regions.into_iter().chain(purposes);
        atoms.fold(Label::BOTTOM, |label, atom| label.join(self.atom(atom, file, span)))
    }

    /// Interns every category, also one that no contract uses yet: releases and clearances name them.
    fn intern_categories(&mut self) {
        for class in self.registers.classification.entries.keys() {
            self.class(class);
        }
    }
}

fn destinations(registers: &Registers) -> BTreeMap<Name, Destination> {
    let resolved = |(id, entry): (&Name, &Located<crate::contract::registers::DestinationEntry>)| {
        let destination = Destination {
            id: id.clone(),
            owner: entry.value.owner.value.clone(),
            region: entry.value.region.value.clone(),
            cleared: entry.value.cleared.iter().map(|c| c.value.clone()).collect(),
        };
        (id.clone(), destination)
    };
    registers.destinations.entries.iter().map(resolved).collect()
}

/// Message of a reference that names nothing.
fn nothing<'a>(name: &str, register: &str, ids: impl Iterator<Item = &'a str>) -> String {
    unknown(name, &format!("is not in the {register} register"), ids)
}
