//! Who is logged in. A session is a cookie's random text; what is kept is its digest, in memory only: whoever restarts the
//! console asks everybody to log in again.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use sluice_core::label::Name;
use sluice_identity::login::Surety;
use sluice_policy::own::Entry;
use sluice_runtime::clock::now_ms;
use sluice_runtime::ledger::LedgerError;

use crate::token::{Kept, fresh, kept};

/// A session that nobody uses ends after this time.
const IDLE_MS: u64 = 30 * 60 * 1_000;
/// A session ends after this time in any case.
pub(crate) const WHOLE_MS: u64 = 10 * 60 * 60 * 1_000;
/// So long after a login that was asked for anew somebody counts as having just shown who they are.
const FRESH_MS: u64 = 5 * 60 * 1_000;
/// Most sessions of one person: the oldest makes room.
const SESSIONS_MAX: usize = 16;

/// How somebody showed who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// With a passkey: a device that verified them.
    Passkey,
    /// An identity provider said so.
    Provider,
    /// With the link that a demo prints. Only in workspaces marked `demo`.
    DemoLink,
}

impl Login {
    /// In words.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Passkey => "a passkey",
            Self::Provider => "the identity provider",
            Self::DemoLink => "the demo's link",
        }
    }
}

impl Caller {
    /// How they have come in, as policies about the console see it.
    #[must_use]
    pub fn entry(&self) -> Entry {
        let login = match self.login {
            Login::Passkey => "passkey",
            Login::Provider => "provider",
            Login::DemoLink => "demo",
        };
        let Surety { level, methods, .. } = &self.proofs.surety;
        Entry { login, acr: level.clone().unwrap_or_default(), amr: methods.clone() }
    }
}

/// What the identity provider said of a login; nothing for any other one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proofs {
    /// How surely it knows them.
    pub surety: Surety,
    /// The groups of the register that its groups stand for.
    pub groups: BTreeSet<Name>,
}

/// Who is asking, for the time of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// A person of the register.
    pub person: Name,
    /// How they showed it.
    pub login: Login,
    /// What the identity provider said of it.
    pub proofs: Proofs,
    /// Whether they showed who they are for this login and within the last minutes.
    pub is_fresh: bool,
    /// What their forms must bring along.
    pub form_token: String,
    /// The session's key in the table.
    pub(crate) session: Kept,
}

struct Session {
    person: Name,
    login: Login,
    proofs: Proofs,
    form_token: String,
    began_ms: u64,
    used_ms: u64,
    /// Which of all sessions it is.
    number: u64,
}

/// Everybody who is logged in.
#[derive(Default)]
pub struct Sessions(Mutex<Table>);

#[derive(Default)]
struct Table {
    begun: u64,
    all: HashMap<Kept, Session>,
}

impl Sessions {
    /// Begins a session, and gives the text of its cookie. It is always a new one: nobody can bring their own.
    ///
    /// # Errors
    /// [`LedgerError::Random`] without random bytes.
    pub fn begin(&self, person: &Name, login: Login, proofs: Proofs) -> Result<String, LedgerError> {
        let (text, form_token) = (fresh()?, fresh()?);
        let now = now_ms();
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.begun += 1;
        let number = table.begun;
        let person = person.clone();
        let session = Session { person, login, proofs, form_token, began_ms: now, used_ms: now, number };
        let all = &mut table.all;
        all.retain(|_, session| session.is_alive(now));
        let of_person = all.iter().filter(|(_, other)| other.person == session.person);
        let mut theirs: Vec<(u64, u64, Kept)> = of_person.map(|(key, s)| (s.used_ms, s.number, *key)).collect();
        theirs.sort_unstable();
        for (.., key) in theirs.iter().take((theirs.len() + 1).saturating_sub(SESSIONS_MAX)) {
            all.remove(key);
        }
        all.insert(kept(&text), session);
        Ok(text)
    }

    /// Who has this cookie, if it still counts.
    #[must_use]
    pub fn caller(&self, cookie: &str) -> Option<Caller> {
        let (key, now) = (kept(cookie), now_ms());
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let session = table.all.get_mut(&key)?;
        if !session.is_alive(now) {
            table.all.remove(&key);
            return None;
        }
        session.used_ms = now;
        Some(Caller {
            person: session.person.clone(),
            login: session.login,
            proofs: session.proofs.clone(),
            is_fresh: session.is_fresh(now),
            form_token: session.form_token.clone(),
            session: key,
        })
    }

    /// Ends a session.
    pub fn end(&self, caller: &Caller) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).all.remove(&caller.session);
    }

    /// Ends every session of a person.
    pub fn end_all_of(&self, person: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).all.retain(|_, session| &*session.person != person);
    }
}

impl Session {
    /// A login that was kept for hours says little of who sits there now.
    const fn is_fresh(&self, now_ms: u64) -> bool {
        self.proofs.surety.is_fresh && now_ms.saturating_sub(self.began_ms) < FRESH_MS
    }

    const fn is_alive(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.used_ms) < IDLE_MS && now_ms.saturating_sub(self.began_ms) < WHOLE_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_one_that_was_given_out_until_its_session_ends() {
        let sessions = Sessions::default();
        let cookie = sessions.begin(&"ben".into(), Login::Passkey, Proofs::default()).unwrap();
        let caller = sessions.caller(&cookie).unwrap();
        assert_eq!((&*caller.person, caller.login), ("ben", Login::Passkey));
        assert_eq!(sessions.caller(&cookie.replace(|c: char| c.is_ascii_digit(), "f")), None);
        assert_eq!(sessions.caller(""), None);
        sessions.end(&caller);
        assert_eq!(sessions.caller(&cookie), None);
    }

    #[test]
    fn one_person_cannot_fill_the_table() {
        let sessions = Sessions::default();
        let other = sessions.begin(&"dora".into(), Login::Passkey, Proofs::default()).unwrap();
        let first = sessions.begin(&"ben".into(), Login::Passkey, Proofs::default()).unwrap();
        for _ in 0..SESSIONS_MAX {
            sessions.begin(&"ben".into(), Login::Passkey, Proofs::default()).unwrap();
        }
        assert_eq!(sessions.caller(&first), None);
        assert!(sessions.caller(&other).is_some());
        sessions.end_all_of("ben");
        assert_eq!(sessions.0.lock().unwrap().all.len(), 1);
    }

    #[test]
    fn a_session_ends_by_itself() {
        let session = |began_ms, used_ms| Session {
            person: "ben".into(),
            login: Login::Passkey,
            proofs: Proofs { surety: Surety { is_fresh: true, ..Surety::default() }, ..Proofs::default() },
            form_token: String::new(),
            began_ms,
            used_ms,
            number: 0,
        };
        assert!(session(0, 0).is_alive(IDLE_MS - 1));
        assert!(!session(0, 0).is_alive(IDLE_MS));
        assert!(session(0, WHOLE_MS - 1).is_alive(WHOLE_MS - 1));
        assert!(!session(0, WHOLE_MS - 1).is_alive(WHOLE_MS));
        assert!(session(0, 0).is_fresh(FRESH_MS - 1) && !session(0, FRESH_MS).is_fresh(FRESH_MS));
    }
}
