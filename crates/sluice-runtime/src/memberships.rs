//! Who is in which group by the word of an identity provider, until when.
//!
//! The register says who there is. Beside it a login can add members to groups that the signed workspace maps from the
//! provider's, and to no other: what a login said takes the place of what the one before said, and lapses by itself. It
//! takes nobody out of a group, and makes nobody a person whom the register does not have.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sluice_core::contract::workspace::LoginGroups;
use sluice_core::contract::{Located, Principals};
use sluice_core::label::Name;
use sluice_core::text::Span;

use crate::workspace::{OpenError, read_file, replace};

/// The file's path in a workspace.
pub const MEMBERSHIPS_FILE: &str = ".sluice/memberships.json";
const VERSION: u32 = 1;

/// What logins said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memberships {
    version: u32,
    people: BTreeMap<Name, Membership>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Membership {
    /// The provider.
    issuer: String,
    /// As the provider calls them: what they mean is asked of the signed mapping each time.
    groups: BTreeSet<Name>,
    until_ms: u64,
}

impl Default for Memberships {
    fn default() -> Self {
        Self { version: VERSION, people: BTreeMap::new() }
    }
}

impl Memberships {
    /// What stands in a workspace. What cannot be read makes nobody a member.
    #[must_use]
    pub fn read(folder: &Path) -> Self {
        let path = folder.join(MEMBERSHIPS_FILE);
        let bytes = if path.exists() { read_file(&path).ok() } else { None };
        let read = bytes.and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok());
        read.filter(|read| read.version == VERSION).unwrap_or_default()
    }

    /// What counts at `now_ms`.
    #[must_use]
    pub fn at(mut self, now_ms: u64) -> Self {
        self.people.retain(|_, membership| membership.until_ms > now_ms);
        self
    }

    /// A login of somebody: what it says takes the place of what was said before.
    ///
    /// # Errors
    /// [`OpenError::Io`] if it cannot be written.
    pub fn logged_in(
        folder: &Path,
        person: &Name,
        issuer: &str,
        groups: BTreeSet<Name>,
        (now_ms, until_ms): (u64, u64),
    ) -> Result<(), OpenError> {
        let mut all = Self::read(folder).at(now_ms);
        let before = all.people.remove(person);
        if groups.is_empty() && before.is_none() {
            return Ok(());
        }
        if !groups.is_empty() {
            all.people.insert(person.clone(), Membership { issuer: issuer.to_owned(), groups, until_ms });
        }
        let path = folder.join(MEMBERSHIPS_FILE);
        let text = serde_json::to_vec_pretty(&all).unwrap_or_default();
        replace(&path, &text).map_err(|source| OpenError::Io { path, source })
    }

    /// The groups of the register in which a login of somebody makes them a member, by a mapping.
    #[must_use]
    pub fn mapped(mapping: &LoginGroups, said: &BTreeSet<Name>) -> BTreeSet<Name> {
        said.iter().filter_map(|group| mapping.groups.get(group)).cloned().collect()
    }

    /// Adds the members to a register. Who is no person there stays out, and so does a group that is none there.
    pub fn add_to(&self, principals: &mut Principals, mapping: &LoginGroups) {
        for (person, membership) in &self.people {
            if principals.persons.get(person).is_none() {
                continue;
            }
            for group in Self::mapped(mapping, &membership.groups) {
                let Some(entry) = principals.groups.entries.get_mut(&group) else { continue };
                let members = &mut entry.value.members;
                if !members.iter().any(|member| member.value == *person) {
                    members.push(Located::new(person.clone(), Span::default()));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(names: &[&str]) -> BTreeSet<Name> {
        names.iter().map(|name| Name::from(*name)).collect()
    }

    #[test]
    fn the_last_login_counts_until_it_lapses_and_what_cannot_be_read_makes_nobody_a_member() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(".sluice")).unwrap();
        let login = |said: &[&str], until| {
            Memberships::logged_in(folder.path(), &"ben".into(), "https://login", groups(said), (10, until)).unwrap();
        };
        let of_ben = |now| Memberships::read(folder.path()).at(now).people.get("ben").map(|one| one.groups.clone());
        login(&[], 100);
        assert!(!folder.path().join(MEMBERSHIPS_FILE).exists(), "nothing to say");
        login(&["a", "b"], 100);
        assert_eq!(of_ben(99), Some(groups(&["a", "b"])));
        assert_eq!(of_ben(100), None);
        login(&["b"], 200);
        assert_eq!(of_ben(150), Some(groups(&["b"])));
        login(&[], 300);
        assert_eq!(of_ben(150), None);
        login(&["b"], 200);
        std::fs::write(folder.path().join(MEMBERSHIPS_FILE), "{}").unwrap();
        assert_eq!(of_ben(150), None);
    }
}
