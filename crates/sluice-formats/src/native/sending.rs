//! What a call sends, argument by argument.

use std::collections::BTreeMap;

use sluice_core::catalogue::Usage;
use sluice_core::gate::Role;

use super::{Told, Value, role_of};

/// A call before it is a task.
#[derive(Debug, Default)]
pub(crate) struct Sending {
    pub(crate) with: Vec<(String, Value)>,
    pub(crate) roles: BTreeMap<String, Option<Role>>,
    pub(crate) told: Told,
}

impl Sending {
    /// Adds an argument; gives the name that it has, which is one that a contract may have.
    pub(crate) fn add(&mut self, name: &str, usage: Option<Usage>, value: Value) -> String {
        let plain: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' })
            .collect();
        let plain = plain.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        let plain: String = plain.chars().take(70).collect();
        let base = if plain.is_empty() { "argument".to_owned() } else { plain };
        let mut names = std::iter::once(base.clone()).chain((2..).map(|n| format!("{base}-{n}")));
        let name = names.find(|name| !self.roles.contains_key(name)).unwrap_or(base);
        self.roles.insert(name.clone(), usage.and_then(role_of));
        if let Some(usage) = usage {
            self.told.usages.insert(name.clone(), usage);
        }
        self.with.push((name.clone(), value));
        name
    }
}
