//! Entries that `redact`, `release` and `endorse` may name, with what their owner may do.

use std::collections::{BTreeMap, BTreeSet};

use super::Resolver;
use crate::catalogue::Release;
use crate::contract::codes::NOT_OWNED;
use crate::contract::read::Located;
use crate::contract::registers::ReleaseEntry;
use crate::label::{Atom, Label, Name};
use crate::text::Span;

impl Resolver<'_> {
    pub(super) fn releases(&mut self) -> BTreeMap<Name, Release> {
        let entries = self.registers.releases.entries.clone();
        entries.iter().map(|(name, entry)| (name.clone(), self.release(name, entry))).collect()
    }

    fn release(&mut self, name: &Name, entry: &Located<ReleaseEntry>) -> Release {
        let (written, by) = (&entry.value, &entry.value.by.value);
        let (owned, vouched) = (self.owned(by), self.registers.principals.vouches(by));
        self.check_authority(written, &vouched);
        let vouches = self.origins(vouched.iter(), entry.span);
        let accepts = match &written.accepts {
            Some(listed) => self.origins(listed.iter().map(|l| &l.value), entry.span).meet(vouches),
            None => vouches,
        };
        let categories =
            Label::join_all(written.categories.iter().map(|c| self.category(&c.value)).collect::<Vec<_>>());
        let origins = self.origins(written.origins.iter().map(|l| &l.value), entry.span);
        let reads = self.registers.principals.reads(by);
        let readable = Label::join_all(reads.iter().map(|class| self.category(class)).collect::<Vec<_>>());
        Release {
            name: name.clone(),
            by: by.clone(),
            clears: categories.join(origins).join(self.rules_of_cleared(written)),
            authority: owned.join(vouches),
            accepts,
            readable: readable.join(owned),
            kind: written.kind.resolved(),
        }
    }

    /// Atoms that somebody owns: their categories and rules, those of their groups included.
    fn owned(&mut self, by: &Name) -> Label {
        let owners = self.owners(by);
        self.universe.select(|atom| match atom {
            Atom::Category { owner, .. } | Atom::PurposesOnly { owner, .. } | Atom::RegionsOnly { owner, .. } => {
                owners.contains(owner)
            }
            Atom::Origin(_) | Atom::Dataset(_) => false,
        })
    }

    fn owners(&self, by: &Name) -> BTreeSet<Name> {
        let mut owners = self.registers.principals.groups_of(by);
        owners.insert(by.clone());
        owners
    }

    fn origins<'n>(&mut self, places: impl Iterator<Item = &'n Name>, span: Span) -> Label {
        let file = self.registers.releases.file.clone();
        places.fold(Label::BOTTOM, |label, place| label.join(self.atom(Atom::Origin(place.clone()), &file, span)))
    }

    /// The rules that go with cleared categories. A rule that another category shares stays: the value may hold that one too.
    fn rules_of_cleared(&mut self, written: &ReleaseEntry) -> Label {
        let cleared: BTreeSet<&str> = written.categories.iter().map(|c| c.value.as_ref()).collect();
        let registers = self.registers;
        let classes = || registers.classification.entries.keys();
        let going = classes().filter(|c| cleared.contains(c.as_ref()));
        let staying = classes().filter(|c| !cleared.contains(c.as_ref()));
        let going = going.fold(Label::BOTTOM, |label, class| label.join(self.rules(class)));
        let staying = staying.fold(Label::BOTTOM, |label, class| label.join(self.rules(class)));
        going.without(staying)
    }

    fn check_authority(&mut self, written: &ReleaseEntry, vouched: &BTreeSet<Name>) {
        let (by, file) = (&written.by.value, self.registers.releases.file.clone());
        let owners = self.owners(by);
        for class in &written.categories {
            let owner = self.registers.classification.get(&class.value).map(|c| c.owner.value.clone());
            let known =
                |owner: &Name| self.registers.principals.may_own(owner) && self.registers.principals.may_own(by);
            if let Some(owner) = owner.filter(|owner| known(owner) && !owners.contains(owner)) {
                let message = format!("`{by}` cannot release `{}`, which `{owner}` owns", class.value);
                self.report_unless_another(&file, NOT_OWNED.at(class.span, message));
            }
        }
        for place in written.origins.iter().chain(written.accepts.iter().flatten()) {
            if !vouched.contains(&place.value) {
                let message = format!("`{by}` may not vouch for `{}`", place.value);
                self.report_unless_another(&file, NOT_OWNED.at(place.span, message));
            }
        }
    }
}
