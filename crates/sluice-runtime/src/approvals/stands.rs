//! Whose word about something that waits is still needed.

use sluice_core::contract::approval::Decision;
use sluice_core::label::Name;

use super::Waiting;

impl Waiting {
    /// The last thing that somebody said of it.
    #[must_use]
    pub fn last_word_of(&self, person: &str) -> Option<Decision> {
        self.said.iter().rfind(|(who, _)| **who == *person).map(|(_, decision)| *decision)
    }

    /// Whether it waits for this person: they are asked, for themselves or in somebody's place, and nothing that they said
    /// stands.
    #[must_use]
    pub fn awaits(&self, person: &Name) -> bool {
        let is_asked = self.asked.contains(person);
        let has_said = matches!(self.last_word_of(person), Some(Decision::Approve | Decision::Deny));
        is_asked && !has_said && !self.is_satisfied && self.superseded.is_none()
    }
}
