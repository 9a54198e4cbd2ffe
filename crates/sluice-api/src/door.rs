//! What opens the door once: codes by which a person enrols their first passkey, and the challenges of logins.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sluice_core::label::Name;
use sluice_identity::login::OpenLogin;
use sluice_runtime::clock::now_ms;
use sluice_runtime::ledger::{LedgerError, random};

use crate::token::{Kept, code, fresh, kept};

/// How long a code that was printed counts.
const CODE_MS: u64 = 60 * 60 * 1_000;
/// How long somebody may take to answer a challenge.
const CHALLENGE_MS: u64 = 5 * 60 * 1_000;
/// How long somebody may stay at the identity provider.
const LOGIN_MS: u64 = 10 * 60 * 1_000;
/// Most challenges that wait for an answer: strangers can ask for them.
const CHALLENGES_MAX: usize = 4_096;

/// What a challenge is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To log in, whoever it is.
    Login,
    /// To make a passkey for this person, who has its one-time code.
    Enrol(Name),
    /// To show once more who sits there: a device of theirs that verifies them.
    Confirm(Name),
    /// To make one more passkey for this person, who showed just now who they are.
    Another(Name),
    /// To make the first passkey of this person, who logged in for that just now.
    First(Name),
}

/// A question to a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What it is for.
    pub purpose: Purpose,
    /// The random bytes that the device must sign.
    pub challenge: [u8; 32],
}

/// Somebody who was sent to the identity provider, and comes back.
struct Away {
    open: OpenLogin,
    /// Where they go on: a page of ours.
    to: String,
    /// The browser that went.
    browser: Kept,
    until_ms: u64,
}

/// Codes and challenges that were given out.
#[derive(Default)]
pub struct Door {
    away: Mutex<HashMap<Kept, Away>>,
    codes: Mutex<HashMap<Kept, (Name, u64)>>,
    asked: Mutex<HashMap<Kept, (Asked, u64)>>,
}

impl Door {
    /// A one-time code by which `person` enrols a passkey.
    ///
    /// # Errors
    /// [`LedgerError::Random`] without random bytes.
    pub fn invite(&self, person: &Name) -> Result<String, LedgerError> {
        let code = code()?;
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now_ms();
        // A newer code takes the place of an older one.
        codes.retain(|_, (whose, until)| whose != person && *until > now);
        codes.insert(kept(&code), (person.clone(), now.saturating_add(CODE_MS)));
        Ok(code)
    }

    /// Whose code it is, if it still counts.
    #[must_use]
    pub fn whose(&self, code: &str) -> Option<Name> {
        let codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        codes.get(&kept(code)).filter(|(_, until)| *until > now_ms()).map(|(person, _)| person.clone())
    }

    /// Uses a code up.
    #[must_use]
    pub fn take(&self, code: &str) -> Option<Name> {
        let taken = self.codes.lock().unwrap_or_else(PoisonError::into_inner).remove(&kept(code));
        taken.filter(|(_, until)| *until > now_ms()).map(|(person, _)| person)
    }

    /// Somebody goes to the identity provider with `state`, and on to our page `to` when they are back; gives the text by which their browser is known again.
    ///
    /// # Errors
    /// [`LedgerError::Random`] without random bytes.
    pub fn sent_away(&self, state: &str, open: OpenLogin, to: String) -> Result<String, LedgerError> {
        let (browser, now) = (fresh()?, now_ms());
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        if away.len() >= CHALLENGES_MAX {
            away.retain(|_, one| one.until_ms > now);
        }
        if away.len() >= CHALLENGES_MAX {
            let oldest = away.iter().min_by_key(|(_, one)| one.until_ms).map(|(key, _)| *key);
            oldest.map(|key| away.remove(&key));
        }
        away.insert(kept(state), Away { open, to, browser: kept(&browser), until_ms: now.saturating_add(LOGIN_MS) });
        Ok(browser)
    }

    /// What the answer is checked with of whoever comes back with `state`, in the browser that went, and where they go on.
    /// It serves once.
    #[must_use]
    pub fn came_back(&self, state: &str, browser: &str) -> Option<(OpenLogin, String)> {
        let one = self.away.lock().unwrap_or_else(PoisonError::into_inner).remove(&kept(state))?;
        (one.browser == kept(browser) && one.until_ms > now_ms()).then_some((one.open, one.to))
    }

    /// A new challenge, and the text under which its answer must come.
    ///
    /// # Errors
    /// [`LedgerError::Random`] without random bytes.
    pub fn ask(&self, purpose: Purpose) -> Result<(String, Asked), LedgerError> {
        let (text, asked) = (fresh()?, Asked { purpose, challenge: random()? });
        let now = now_ms();
        let mut all = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= CHALLENGES_MAX {
            all.retain(|_, (_, until)| *until > now);
        }
        if all.len() >= CHALLENGES_MAX {
            let oldest = all.iter().min_by_key(|(_, (_, until))| *until).map(|(key, _)| *key);
            oldest.map(|key| all.remove(&key));
        }
        all.insert(kept(&text), (asked.clone(), now.saturating_add(CHALLENGE_MS)));
        Ok((text, asked))
    }

    /// The challenge that was given out under a text. It serves once.
    #[must_use]
    pub fn answered(&self, text: &str) -> Option<Asked> {
        let taken = self.asked.lock().unwrap_or_else(PoisonError::into_inner).remove(&kept(text));
        taken.filter(|(_, until)| *until > now_ms()).map(|(asked, _)| asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_opens_once_and_for_one_person() {
        let door = Door::default();
        let first = door.invite(&"ben".into()).unwrap();
        let second = door.invite(&"ben".into()).unwrap();
        assert_eq!(door.whose(&first), None, "a newer code takes its place");
        assert_eq!(door.whose(&second).as_deref(), Some("ben"));
        assert_eq!(door.take(&second).as_deref(), Some("ben"));
        assert_eq!(door.take(&second), None);
    }

    #[test]
    fn a_challenge_is_answered_once_and_strangers_do_not_fill_the_memory() {
        let door = Door::default();
        let (text, asked) = door.ask(Purpose::Login).unwrap();
        assert_eq!(door.answered(&text), Some(asked));
        assert_eq!(door.answered(&text), None);
        for _ in 0..CHALLENGES_MAX + 10 {
            door.ask(Purpose::Login).unwrap();
        }
        assert!(door.asked.lock().unwrap().len() <= CHALLENGES_MAX);
    }
}
