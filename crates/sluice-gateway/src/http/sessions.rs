//! The executions that callers name, each a session of its own.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use sluice_core::label::Name;
use sluice_runtime::ledger::Ledger;
use sluice_runtime::session::{AgentSession, Mandate, SessionError};
use sluice_runtime::workspace::Workspace;
use tokio::sync::Mutex;

use super::answer::Refusal;
use super::caller::Caller;

/// The header in which a caller names its execution.
pub(crate) const SESSION_HEADER: &str = "sluice-session";
/// Longest name of an execution.
const NAME_CHARS_MAX: usize = 200;
/// Most executions that are known at once.
const SESSIONS_MAX: usize = 10_000;
/// After how long without a call an execution is over.
const IDLE_MS: u64 = 60 * 60 * 1_000;

type Key = (String, String);

/// Whether an execution can have this name.
///
/// # Errors
/// [`Refusal::Malformed`] if not.
pub(crate) fn check_name(named: &str) -> Result<(), Refusal> {
    if named.chars().count() > NAME_CHARS_MAX || named.chars().any(char::is_control) {
        return Err(Refusal::Malformed(format!("`{SESSION_HEADER}` is longer than {NAME_CHARS_MAX} characters")));
    }
    Ok(())
}

/// Every execution that is under way.
pub(super) struct Sessions<'a> {
    workspace: &'a Workspace,
    ledger: &'a Ledger,
    open: RefCell<BTreeMap<Key, Open<'a>>>,
    /// Held while one begins: two requests of one execution must not begin it twice.
    begins: Mutex<()>,
}

struct Open<'a> {
    session: Rc<Mutex<AgentSession<'a>>>,
    used_ms: u64,
}

impl<'a> Sessions<'a> {
    pub(super) fn new(workspace: &'a Workspace, ledger: &'a Ledger) -> Self {
        Self { workspace, ledger, open: RefCell::default(), begins: Mutex::new(()) }
    }

    /// The session of an execution: that of the token as a whole if it names none.
    ///
    /// # Errors
    /// [`Refusal`] if there are too many, or it cannot be recorded.
    pub(super) async fn of(
        &self,
        caller: &Caller,
        named: Option<&str>,
        now_ms: u64,
    ) -> Result<Rc<Mutex<AgentSession<'a>>>, Refusal> {
        let named = named.unwrap_or_default();
        check_name(named)?;
        let key = (caller.name.clone(), named.to_owned());
        let _one_at_a_time = self.begins.lock().await;
        self.forget_idle(now_ms).await?;
        if let Some(open) = self.open.borrow_mut().get_mut(&key) {
            open.used_ms = now_ms;
            return Ok(Rc::clone(&open.session));
        }
        if self.open.borrow().len() >= SESSIONS_MAX {
            return Err(Refusal::Busy);
        }
        let governance = self.workspace.governance();
        let offered = governance.contracts.iter().map(|contract| contract.connector.value.clone());
        let connectors = offered.filter(|connector: &Name| caller.may_call(connector)).collect();
        let client = format!("{} {named}", caller.name);
        let mandate = Mandate { principal: caller.principal.as_str().into(), request: None, client: Some(client) };
        let begun = AgentSession::begin(self.workspace, self.ledger, governance, &connectors, mandate).await;
        let session = Rc::new(Mutex::new(begun.map_err(|error| Refusal::Ledger(error.to_string()))?));
        self.open.borrow_mut().insert(key, Open { session: Rc::clone(&session), used_ms: now_ms });
        Ok(session)
    }

    async fn forget_idle(&self, now_ms: u64) -> Result<(), Refusal> {
        let idle =
            |open: &Open<'_>| now_ms.saturating_sub(open.used_ms) > IDLE_MS && Rc::strong_count(&open.session) == 1;
        let keys: Vec<Key> =
            self.open.borrow().iter().filter(|(_, open)| idle(open)).map(|(key, _)| key.clone()).collect();
        for key in keys {
            let gone = self.open.borrow_mut().remove(&key);
            if let Some(session) = gone.and_then(|open| Rc::into_inner(open.session)) {
                session.into_inner().end().await.map_err(|error| Refusal::Ledger(error.to_string()))?;
            }
        }
        Ok(())
    }

    /// All of them are over.
    ///
    /// # Errors
    /// [`SessionError`] if that cannot be recorded.
    pub(super) async fn end(self) -> Result<(), SessionError> {
        for open in self.open.into_inner().into_values() {
            if let Some(session) = Rc::into_inner(open.session) {
                session.into_inner().end().await?;
            }
        }
        Ok(())
    }
}
