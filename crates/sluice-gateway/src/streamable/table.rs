//! The sessions of agents that speak HTTP, each with servers of its own behind it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use sluice_connectors::secret::SecretStore;
use sluice_core::label::Name;
use sluice_runtime::ledger::{Ledger, random};
use sluice_runtime::session::Mandate;
use sluice_runtime::workspace::Workspace;
use tokio::sync::mpsc::UnboundedSender;

use super::pipes::{LinesOut, ToAgent};
use super::place::Place;
use super::reply::Refusal;
use super::session::{Era, Session};
use crate::confined::Beside;
use crate::http::caller::Caller;
use crate::mirrored::Heads;
use crate::note::note;
use crate::proxy::{self, ProxyError, Setup, Terms};
use crate::several::{self, Names, Unstarted};
use crate::upstream::{self, Upstream};

/// Most sessions at once: behind each are processes.
const SESSIONS_MAX: usize = 1_000;

/// What runs as long as its session does.
pub(crate) type Task<'a> = LocalBoxFuture<'a, ()>;

/// Every session that is under way.
pub(super) struct Table<'a> {
    pub(super) workspace: &'a Workspace,
    ledger: &'a Ledger,
    secrets: &'a SecretStore,
    /// The address of a console where people decide, if there is one.
    console: Option<String>,
    /// Those that have an id, by it.
    named: RefCell<BTreeMap<String, Held>>,
    /// Those that are of all that a caller does in one execution.
    shared: RefCell<BTreeMap<(Owner, String), Rc<Session>>>,
    /// Where what runs is handed over: at most one for each session.
    start: UnboundedSender<Task<'a>>,
}

/// The caller and the place that a session is of.
type Owner = (String, Place);

struct Held {
    session: Rc<Session>,
    owner: Owner,
}

impl<'a> Table<'a> {
    pub(super) fn new(
        workspace: &'a Workspace,
        ledger: &'a Ledger,
        secrets: &'a SecretStore,
        console: Option<String>,
        start: UnboundedSender<Task<'a>>,
    ) -> Rc<Self> {
        Rc::new(Self {
            workspace,
            ledger,
            secrets,
            console,
            named: RefCell::default(),
            shared: RefCell::default(),
            start,
        })
    }

    /// Begins a session with an id, which nobody can guess.
    ///
    /// # Errors
    /// [`Refusal`].
    pub(super) fn begin(self: &Rc<Self>, caller: &Caller, place: &Place) -> Result<(String, Rc<Session>), Refusal> {
        self.check_room()?;
        let bytes: [u8; 32] = random().map_err(|_| Refusal::unrecorded())?;
        let mut id = String::with_capacity(64);
        for byte in bytes {
            // Writing into a String cannot fail.
            let _ = write!(id, "{byte:02x}");
        }
        let session = self.start(Era::WithSessions, caller, place, &caller.name)?;
        let owner = (caller.name.clone(), place.clone());
        self.named.borrow_mut().insert(id.clone(), Held { session: Rc::clone(&session), owner });
        Ok((id, session))
    }

    /// The session of an id, if it is this caller's and of this connector: of any other it is not said that there is one.
    pub(super) fn find(&self, id: &str, caller: &Caller, place: &Place) -> Option<Rc<Session>> {
        let named = self.named.borrow();
        let held = named.get(id).filter(|held| held.owner.0 == caller.name && held.owner.1 == *place)?;
        (!held.session.is_over()).then(|| Rc::clone(&held.session))
    }

    /// The session of all that a caller does in the execution that it names.
    ///
    /// # Errors
    /// [`Refusal`].
    pub(super) fn shared(self: &Rc<Self>, caller: &Caller, named: &str, place: &Place) -> Result<Rc<Session>, Refusal> {
        let key = ((caller.name.clone(), place.clone()), named.to_owned());
        if let Some(session) = self.shared.borrow().get(&key).filter(|session| !session.is_over()) {
            return Ok(Rc::clone(session));
        }
        self.check_room()?;
        let session = self.start(Era::WithoutSessions, caller, place, &format!("{} {named}", caller.name))?;
        self.shared.borrow_mut().insert(key, Rc::clone(&session));
        Ok(session)
    }

    fn check_room(&self) -> Result<(), Refusal> {
        let open = self.named.borrow().len() + self.shared.borrow().len();
        if open < SESSIONS_MAX { Ok(()) } else { Err(Refusal::busy("SL956: too many sessions at once")) }
    }

    fn start(self: &Rc<Self>, era: Era, caller: &Caller, place: &Place, client: &str) -> Result<Rc<Session>, Refusal> {
        let contracts = &self.workspace.governance().contracts;
        let server = |connector: &Name| {
            let contract = contracts.iter().find(|contract| contract.connector.value == *connector);
            Some((connector.clone(), contract.and_then(Upstream::of)?))
        };
        let servers =
            place.connectors().into_iter().map(server).collect::<Option<Vec<_>>>().ok_or_else(Refusal::ended)?;
        if servers.len() > 1 {
            Names::of(servers.iter().map(|(connector, _)| connector.clone())).map_err(|why| Refusal::alike(&why))?;
        }
        let mandate =
            Mandate { principal: caller.principal.as_str().into(), request: None, client: Some(client.to_owned()) };
        let Self { workspace, ledger, .. } = **self;
        let terms = Terms { workspace, ledger, mandate, console: self.console.clone() };
        let session = Session::new(era);
        let (table, running) = (Rc::clone(self), Rc::clone(&session));
        let task = async move {
            if let Err(error) = run(terms, servers, table.secrets, &running).await {
                note(&error.to_string());
            }
            running.end();
            table.forget(&running);
        };
        self.start.send(Box::pin(task)).map_err(|_| Refusal::ended())?;
        Ok(session)
    }

    pub(super) fn forget(&self, session: &Rc<Session>) {
        self.named.borrow_mut().retain(|_, held| !Rc::ptr_eq(&held.session, session));
        self.shared.borrow_mut().retain(|_, held| !Rc::ptr_eq(held, session));
    }

    /// No agent says any more.
    pub(super) fn close(&self) {
        self.named.borrow().values().for_each(|held| held.session.close());
        self.shared.borrow().values().for_each(|session| session.close());
    }
}

/// Stands between a session and its servers, until either of them leaves or nobody has said anything for long.
async fn run(
    terms: Terms<'_>,
    servers: Vec<(Name, Upstream)>,
    secrets: &SecretStore,
    session: &Rc<Session>,
) -> Result<(), ProxyError> {
    let agent = (LinesOut::of(Rc::clone(&session.inbox)), ToAgent::of(Rc::clone(session)));
    let mut running = std::pin::pin!(between(terms, servers, secrets, session.heads(), agent));
    tokio::select! {
        ended = &mut running => return ended,
        () = session.idle() => session.close(),
    }
    running.await
}

async fn between(
    terms: Terms<'_>,
    servers: Vec<(Name, Upstream)>,
    secrets: &SecretStore,
    heads: Option<Heads>,
    agent: (LinesOut, ToAgent),
) -> Result<(), ProxyError> {
    match <[_; 1]>::try_from(servers) {
        Ok([(connector, upstream)]) => {
            let (name, server) = (connector.clone(), upstream.clone());
            let Terms { workspace, ledger, mandate, console } = terms;
            let setup = Setup { workspace, ledger, connector, upstream, mandate, console };
            let guarded = async move |from, to, beside| {
                proxy::guarded(setup, Beside { heads, ..beside }, agent, (from, to)).await
            };
            upstream::with(&name, &server, secrets, guarded).await?
        }
        Err(servers) => several::run_with(terms, servers, secrets, (Unstarted::IsLeftOut, heads), agent).await,
    }
}
