//! Whose word about something that waits is still needed.

use sluice_core::contract::Principals;
use sluice_core::contract::approval::Decision;
use sluice_core::label::Name;

use super::Waiting;

impl Waiting {
    /// The last thing that somebody said of it.
    #[must_use]
    pub fn last_word_of(&self, person: &str) -> Option<Decision> {
        self.said.iter().rfind(|(who, _)| **who == *person).map(|(_, decision)| *decision)
    }

    /// Whether it waits for this person: they are asked, and nothing that they said stands.
    #[must_use]
    pub fn awaits(&self, principals: &Principals, person: &Name) -> bool {
        let is_asked = self.needs.iter().any(|needed| needed.asks(principals, &self.requester, person));
        let has_said = matches!(self.last_word_of(person), Some(Decision::Approve | Decision::Deny));
        is_asked && !has_said && !self.is_satisfied && self.superseded.is_none()
    }
}
