//! The workspace as it is served: opened once, read again when its files change, never believed without its signatures.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use sluice_core::contract::approval::Delegation;
use sluice_core::contract::key::SecretKey;
use sluice_core::contract::workspace::Mode;
use sluice_core::label::Name;
use sluice_engine::Login;
use sluice_identity::Logins;
use sluice_identity::login::LoggedIn;
use sluice_ledger::RunId;
use sluice_passkey::RelyingParty;
use sluice_runtime::clock::now_ms;
use sluice_runtime::home::Home;
use sluice_runtime::ledger::{Ledger, LedgerError};
use sluice_runtime::memberships::Memberships;
use sluice_runtime::workspace::{self, OpenError, Workspace};
use tokio::sync::mpsc::UnboundedSender;

use crate::authzen::{Binding, Guests};
use crate::door::Door;
use crate::drafts::Drafts;
use crate::rest::Answers;
use crate::rest::pace::{PER_MINUTE, Pace};
use crate::session::{Sessions, WHOLE_MS};
use crate::token::code;

/// How long what was read of the files is taken for what they say.
const FRESH: Duration = Duration::from_secs(1);

/// The workspace, its ledger, and everybody who is in.
pub struct House {
    folder: PathBuf,
    home: Home,
    seen: Mutex<Seen>,
    ledger: Ledger,
    party: RelyingParty,
    engine: UnboundedSender<Deed>,
    provider: Option<Logins>,
    /// Who is logged in.
    pub sessions: Sessions,
    /// Who may come in.
    pub door: Door,
    /// What people were shown and may sign.
    pub drafts: Drafts,
    /// What they would sign about who speaks in their place.
    pub delegations: Drafts<Delegation>,
    /// How often programs may ask.
    pub(crate) pace: Pace,
    /// What programs were answered that may ask again.
    pub(crate) answers: Answers,
    /// The policies of other applications.
    pub(crate) guests: Guests,
    /// What binds proposals to the denials that they answer.
    pub(crate) binding: Binding,
    /// Key files of a demo's people, who have no passkeys yet. They count in `demo` workspaces only.
    demo_keys: BTreeMap<Name, SecretKey>,
    /// Texts of links by which a demo's people come in.
    demo_links: BTreeMap<String, Name>,
}

/// Something for the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Go on with a run, if it can.
    GoOn(RunId),
    /// Start a run of a recorded proposal.
    Start(Box<Beginning>),
}

/// A run that is to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// The id that nobody has yet.
    pub run: RunId,
    /// `P-…`.
    pub proposal: String,
    /// Its input.
    pub input: serde_json::Value,
    /// How whoever asked for it came in.
    pub login: Login,
}

/// The files as they were read last.
struct Seen {
    at: Instant,
    stamp: [u8; 32],
    workspace: Arc<Workspace>,
    /// Why what is there now does not count, if it does not.
    broken: Option<String>,
}

impl House {
    /// Serves a workspace to people at `origin`, as browsers write it: `https://sluice.example.com`.
    ///
    /// # Errors
    /// [`OpenError`] if its files cannot be read.
    pub fn new(
        workspace: Workspace,
        ledger: Ledger,
        origin: &Origin,
        engine: UnboundedSender<Deed>,
    ) -> Result<Self, OpenError> {
        let (folder, home) = (workspace.folder().to_path_buf(), workspace.home().clone());
        let stamp = stamp(&folder, &home)?;
        Ok(Self {
            seen: Mutex::new(Seen { at: Instant::now(), stamp, workspace: Arc::new(workspace), broken: None }),
            folder,
            home,
            ledger,
            party: RelyingParty { id: origin.host().to_owned(), origin: origin.text().to_owned() },
            engine,
            provider: None,
            sessions: Sessions::default(),
            door: Door::default(),
            drafts: Drafts::default(),
            delegations: Drafts::default(),
            pace: Pace::new(PER_MINUTE),
            answers: Answers::default(),
            guests: Guests::default(),
            binding: Binding::default(),
            demo_keys: BTreeMap::new(),
            demo_links: BTreeMap::new(),
        })
    }

    /// The same with an identity provider at which people log in.
    #[must_use]
    pub fn with_provider(mut self, provider: Logins) -> Self {
        self.provider = Some(provider);
        self
    }

    /// Where people log in, if there is such a place.
    #[must_use]
    pub const fn provider(&self) -> Option<&Logins> {
        self.provider.as_ref()
    }

    /// The same with another pace for programs: so many requests a minute for each principal.
    #[must_use]
    pub fn with_pace(mut self, per_minute: u32) -> Self {
        self.pace = Pace::new(per_minute);
        self
    }

    /// The same with the key files of a demo's people, who come in by links. In other workspaces it changes nothing.
    ///
    /// # Errors
    /// [`LedgerError::Random`] without random bytes.
    pub fn with_demo(mut self, keys: impl IntoIterator<Item = SecretKey>) -> Result<Self, LedgerError> {
        let is_demo = self.workspace().is_ok_and(|open| open.bundle().workspace().mode == Mode::Demo);
        for key in keys.into_iter().filter(|_| is_demo) {
            self.demo_links.insert(code()?, key.name().clone());
            self.demo_keys.insert(key.name().clone(), key);
        }
        Ok(self)
    }

    /// The texts of a demo's links, each with who comes in by it.
    pub fn demo_links(&self) -> impl Iterator<Item = (&str, &Name)> {
        self.demo_links.iter().map(|(text, person)| (text.as_str(), person))
    }

    /// Who comes in by a link of the demo.
    #[must_use]
    pub fn demo_visitor(&self, text: &str) -> Option<&Name> {
        self.demo_links.get(text)
    }

    /// The rules in force. Where the files have changed since, they are read and their signatures checked again.
    ///
    /// # Errors
    /// Why what is there now does not count: then nothing is decided by what was there before either.
    pub fn workspace(&self) -> Result<Arc<Workspace>, String> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.at.elapsed() >= FRESH {
            self.look_again(&mut seen);
        }
        match &seen.broken {
            Some(why) => Err(why.clone()),
            None => Ok(Arc::clone(&seen.workspace)),
        }
    }

    fn look_again(&self, seen: &mut Seen) {
        match stamp(&self.folder, &self.home) {
            Ok(now) if now == seen.stamp && seen.broken.is_none() => {}
            Ok(now) => match Workspace::open_with(&self.folder, self.home.clone()) {
                Ok(workspace) => {
                    (seen.workspace, seen.stamp, seen.broken) = (Arc::new(workspace), now, None);
                }
                Err(error) => seen.broken = Some(error.to_string()),
            },
            Err(error) => seen.broken = Some(error.to_string()),
        }
        seen.at = Instant::now();
    }

    /// Somebody logged in at the provider: the groups of the register that they are in by its word from now on.
    ///
    /// # Errors
    /// Why it cannot be written down; nobody is in then.
    pub fn logged_in_with(
        &self,
        workspace: &Workspace,
        person: &Name,
        who: &LoggedIn,
    ) -> Result<BTreeSet<Name>, String> {
        let Some(mapping) = &workspace.bundle().workspace().login_groups else { return Ok(BTreeSet::new()) };
        // What nothing maps is not kept.
        let said = who.texts(&mapping.claim).into_iter().map(Name::from);
        let said: BTreeSet<Name> = said.filter(|group| mapping.groups.contains_key(group)).collect();
        let groups = Memberships::mapped(mapping, &said);
        let now = now_ms();
        let issuer = self.provider.as_ref().map(Logins::issuer).unwrap_or_default();
        // One login at a time: two that write at once would lose one.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        Memberships::logged_in(&self.folder, person, issuer, said, (now, now.saturating_add(WHOLE_MS)))
            .map_err(|error| error.to_string())?;
        self.look_again(&mut seen);
        Ok(groups)
    }

    /// Where entries go.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// For whom passkeys are made here.
    #[must_use]
    pub const fn party(&self) -> &RelyingParty {
        &self.party
    }

    /// The demo's key file of a person, if this is a demo.
    #[must_use]
    pub fn demo_key(&self, person: &str) -> Option<&SecretKey> {
        self.demo_keys.get(person)
    }

    /// Asks the engine to do something; `false` if it has ended.
    pub(crate) fn tell(&self, deed: Deed) -> bool {
        self.engine.send(deed).is_ok()
    }

    /// Asks the engine to go on with a run. Where it has ended, the next start finds the run.
    pub fn go_on(&self, run: RunId) {
        let _ = self.engine.send(Deed::GoOn(run));
    }
}

/// Where people reach the console: what browsers call its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    text: String,
    host: String,
}

impl Origin {
    /// Reads it. Plain HTTP is taken only of this very machine: a passkey works nowhere else without TLS.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| Err(format!("`{text}` is no address of a console: {why}"));
        let text = text.trim_end_matches('/');
        let (is_tls, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return wrong("it begins with https://"),
        };
        let (host, port) = rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port)));
        let is_named = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        if host.is_empty() || !host.chars().all(is_named) {
            return wrong("after it stands a host name in small letters, and a port if it is an unusual one");
        }
        if host.parse::<std::net::IpAddr>().is_ok() {
            return wrong("passkeys are for names, not for numbers; on this machine it is `http://localhost:PORT`");
        }
        let usual = if is_tls { 443 } else { 80 };
        if port.is_some_and(|port| port.parse::<u16>().map_or(true, |port| port == usual || port == 0)) {
            return wrong("the port is none, or goes without saying");
        }
        if !is_tls && host != "localhost" {
            return wrong("without TLS it can only be `http://localhost:PORT`");
        }
        Ok(Self { text: text.to_owned(), host: host.to_owned() })
    }

    /// As browsers write it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The host's name.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }
}

/// What all files say by which decisions are made: the rules, and who is in which group by a login's word.
fn stamp(folder: &Path, home: &Home) -> Result<[u8; 32], OpenError> {
    let mut hash = Sha256::new();
    hash.update(workspace::stamp(folder, home)?.0);
    // What lapsed is another register too.
    let members = serde_json::to_vec(&Memberships::read(folder).at(now_ms())).unwrap_or_default();
    hash.update(Sha256::digest(members));
    Ok(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::Origin;

    #[test]
    fn an_origin_is_what_browsers_write_and_nothing_else() {
        for good in ["https://sluice.example.com", "https://sluice.example.com:8443", "http://localhost:7080"] {
            assert_eq!(Origin::parse(good).unwrap().text(), good);
        }
        assert_eq!(Origin::parse("https://a.b/").unwrap().text(), "https://a.b");
        for bad in [
            "sluice.example.com",
            "http://sluice.example.com",
            "https://",
            "https://a.b:443",
            "http://localhost:80",
            "https://a.b:0",
            "https://a.b:99999",
            "https://A.b",
            "https://a.b/path",
            "https://user@a.b",
            "http://127.0.0.1:7080",
            "https://10.0.0.1",
        ] {
            assert!(Origin::parse(bad).is_err(), "{bad}");
        }
    }
}
