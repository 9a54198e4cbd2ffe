//! How an agent's host hears that a call waits for a person: the first rung that its client can stand on.
//!
//! A client of the protocol without sessions that opens URLs is answered `input_required`, and asks again; one that knows
//! tasks gets a task (`tasks`); one of the older era is asked to open the URL while its call waits; any other gets an error
//! that says what to do. What a client answers
//! is never consent: an agent can answer it by itself. Only our own store of approvals decides.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use sluice_core::contract::Digest;
use sluice_core::document::{Data, Node};
use sluice_core::label::Name;
use sluice_runtime::approvals::statements;
use sluice_runtime::ledger::random;
use sluice_runtime::session::{SessionError, Verdict};
use tokio::io::AsyncWrite;

use super::tasks::{Era, era_of};
use super::{Proxy, ProxyError};
use crate::frame::{CAPABILITIES_FIELD, Frame, Id, VERSION_FIELD};
use crate::pending::Awaited;
use crate::reply;

/// How long the answer to a client that asks again may wait for a person: clients ask a few times and no more.
const AGAIN_WITHIN: Duration = Duration::from_secs(20);
/// How long a call waits while a client shows the URL: below the time after which clients give up.
const SHOWN_WITHIN: Duration = Duration::from_secs(45);
/// How often the store is looked at.
pub(super) const LOOKS_EVERY: Duration = Duration::from_millis(500);
/// How often a client that wants to hear of progress does.
const TELLS_EVERY: Duration = Duration::from_secs(5);
/// Most calls that wait in this way at once: further ones are told at once.
const WAITING_MAX: usize = 32;
/// How the state begins that a client brings back.
const STATE: &str = "sluice.";
/// How the ids of our own questions to a client begin.
const ASKS: &str = "sluice:ask:";

/// What is known of the client and of where people decide.
pub(super) struct Ladder {
    /// The address of a console.
    console: Option<String>,
    /// With which the states are sealed that clients bring back to this process.
    key: [u8; 32],
    /// Whether a client of the older era said that it opens URLs.
    opens_urls: Cell<bool>,
    next: Cell<u64>,
    /// Our questions that have no answer yet, and those that were declined.
    asked: RefCell<BTreeSet<Id>>,
    declined: RefCell<BTreeSet<Id>>,
    /// Calls that begin to wait.
    pub(super) held: RefCell<Vec<HeldCall>>,
    waiting: Cell<usize>,
}

/// A call that waits for a person while its client waits for it.
pub(super) struct HeldCall {
    pub(super) frame: Frame,
    pub(super) id: Id,
    pub(super) asked: Asked,
    pub(super) approval: String,
    pub(super) until: Instant,
    /// Our question to the client, in the older era.
    pub(super) question: Option<Id>,
    /// The task that it is, if its client asks about one.
    pub(super) task: Option<(String, Era)>,
}

/// What is asked for.
pub(super) struct Asked {
    /// As the agent calls it.
    pub(super) tool: String,
    pub(super) connector: Name,
    pub(super) action: Name,
    pub(super) arguments: Json,
}

enum Rung {
    Input,
    Task(Era),
    Elicit,
    Told,
}

impl Ladder {
    pub(super) fn of(console: Option<String>) -> Result<Self, SessionError> {
        Ok(Self {
            console,
            key: random()?,
            opens_urls: Cell::new(false),
            next: Cell::new(0),
            asked: RefCell::default(),
            declined: RefCell::default(),
            held: RefCell::default(),
            waiting: Cell::new(0),
        })
    }

    /// What a client of the older era says of itself.
    pub(super) fn greets(&self, hello: &Frame) {
        let url = hello.member("params").and_then(|params| params.get("capabilities")?.get("elicitation")?.get("url"));
        self.opens_urls.set(url.is_some());
    }

    /// Whether an answer of the client is to a question of ours.
    pub(super) fn hears(&self, id: &Id, answer: &Frame) -> bool {
        if !self.asked.borrow_mut().remove(id) {
            return false;
        }
        let action = answer.member("result").and_then(|result| result.get("action")?.as_text());
        if action.is_none_or(|action| &**action != "accept") {
            self.declined.borrow_mut().insert(id.clone());
        }
        true
    }

    /// Where a person decides.
    pub(super) fn link(&self, approval: &str) -> Option<String> {
        let console = self.console.as_ref()?;
        Some(format!("{}/approvals/{approval}", console.trim_end_matches('/')))
    }

    fn rung(&self, call: &Frame) -> Rung {
        let can_show = self.console.is_some() && self.waiting.get() < WAITING_MAX;
        let meta = call.member("params").and_then(|params| params.get("_meta"));
        let said = |key: &str| meta.and_then(|meta| meta.get(key));
        let url = said(CAPABILITIES_FIELD).and_then(|capabilities| capabilities.get("elicitation")?.get("url"));
        match (said(VERSION_FIELD), era_of(call)) {
            (Some(_), _) if can_show && url.is_some() => Rung::Input,
            (_, Some(era)) => Rung::Task(era),
            (None, None) if can_show && self.opens_urls.get() => Rung::Elicit,
            _ => Rung::Told,
        }
    }

    /// A state that only this process can have made, for a client to bring back.
    fn sealed(&self, approval: &str) -> String {
        let inner = Digest::of(&[&self.key[..], approval.as_bytes()].concat());
        // Twice, so that nobody can go on from the first one.
        let seal = Digest::of(&[&self.key[..], &inner.0[..]].concat());
        format!("{STATE}{approval}.{seal}")
    }

    /// A call without the state that we gave its client, and whether it had one.
    pub(super) fn opened(&self, call: Frame) -> (Frame, bool) {
        let state = call.member("params").and_then(|params| params.get("requestState")?.as_text());
        let approval = state.and_then(|state| state.strip_prefix(STATE)?.split_once('.')).map(|(approval, _)| approval);
        let is_ours = approval.zip(state).is_some_and(|(approval, state)| self.sealed(approval) == **state);
        let bare = if is_ours { without(&call, &["requestState", "inputResponses"]) } else { None };
        match bare.and_then(|text| Frame::read(text.as_bytes()).ok()) {
            Some(bare) => (bare, true),
            None => (call, false),
        }
    }
}

impl<W: AsyncWrite + Unpin, S: AsyncWrite + Unpin> Proxy<'_, W, S> {
    /// Tells that a call waits for a person, or lets it wait.
    pub(super) async fn hold(
        &self,
        frame: Frame,
        id: Id,
        asked: Asked,
        approval: String,
        is_again: bool,
    ) -> Result<(), ProxyError> {
        let link = self.ladder.link(&approval);
        let (within, question) = match (self.ladder.rung(&frame), link) {
            (Rung::Task(era), link) if self.takes_task(era, &asked) => {
                let held = self.begin_task((frame, id), asked, approval, link.as_deref(), era).await?;
                self.ladder.held.borrow_mut().push(held);
                return Ok(());
            }
            (Rung::Input, Some(_)) if is_again => (AGAIN_WITHIN, None),
            (Rung::Input, Some(link)) => {
                return self.tell_agent(&self.input_required(&id, &asked, &approval, &link)).await;
            }
            (Rung::Elicit, Some(link)) => {
                let number = self.ladder.next.replace(self.ladder.next.get().saturating_add(1));
                let question = Id::Text(format!("{ASKS}{number}").into());
                self.ladder.asked.borrow_mut().insert(question.clone());
                let params = elicitation(&asked, &approval, &link);
                let line = format!(
                    r#"{{"jsonrpc":"2.0","id":{},"method":"elicitation/create","params":{params}}}"#,
                    question.as_json()
                );
                self.tell_agent(&line).await?;
                (SHOWN_WITHIN, Some(question))
            }
            (_, link) => return self.tell_agent(&reply::held(&frame, &id, &approval, link.as_deref())).await,
        };
        let until = Instant::now() + within;
        self.ladder.waiting.set(self.ladder.waiting.get().saturating_add(1));
        self.ladder.held.borrow_mut().push(HeldCall { frame, id, asked, approval, until, question, task: None });
        Ok(())
    }

    fn input_required(&self, id: &Id, asked: &Asked, approval: &str, link: &str) -> String {
        let request = json!({ "method": "elicitation/create", "params": elicitation(asked, approval, link) });
        let state = self.ladder.sealed(approval);
        let result = json!({
            "resultType": "input_required", "inputRequests": { "sluice-approval": request }, "requestState": state,
        });
        format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#, id.as_json())
    }

    /// Until a person decides, or it is told that it waits still.
    pub(super) async fn wait(&self, held: HeldCall) -> Result<(), ProxyError> {
        if let Some((task, era)) = &held.task {
            return self.wait_as_task(&held, task, *era).await;
        }
        let told = self.wait_for_people(&held).await;
        if let Some(question) = &held.question {
            self.ladder.declined.borrow_mut().remove(question);
            if self.ladder.asked.borrow_mut().remove(question) {
                let params =
                    json!({ "requestId": question_text(question), "reason": "it is decided, or waits elsewhere" });
                let line = format!(r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{params}}}"#);
                self.tell_agent(&line).await?;
            }
        }
        self.ladder.waiting.set(self.ladder.waiting.get().saturating_sub(1));
        self.waiting.borrow_mut().remove(&held.id);
        told
    }

    async fn wait_for_people(&self, held: &HeldCall) -> Result<(), ProxyError> {
        let HeldCall { frame, id, asked, approval, until, question, .. } = held;
        let mut said = 0;
        let mut progress = 0_u64;
        let mut tells_at = Instant::now() + TELLS_EVERY;
        while Instant::now() < *until {
            let is_declined =
                question.as_ref().is_some_and(|question| self.ladder.declined.borrow().contains(question));
            if is_declined {
                break;
            }
            if self.is_withdrawn(id) {
                return Ok(());
            }
            let count = statements(self.terms.ledger, approval).map_err(SessionError::from)?.len();
            if count > said {
                said = count;
                let verdict = match self.ask(&asked.connector, &asked.action, &asked.arguments).await {
                    Ok(verdict) => verdict,
                    Err(error) => {
                        self.tell_agent(&reply::denied(frame, id, "SL906")).await?;
                        return Err(error);
                    }
                };
                match verdict {
                    Verdict::Permitted(call) => {
                        return self.forward(frame, id.clone(), Awaited::Call(call.take().token)).await;
                    }
                    Verdict::Denied { code, why } => {
                        self.note(&format!("denied: `{}`: {code}: {why}", asked.tool));
                        return self.tell_agent(&reply::denied(frame, id, &code)).await;
                    }
                    // More people must decide.
                    Verdict::Held { approval: same, .. } if same == *approval => {}
                    // The same call passed meanwhile, under the approval that this one waited for.
                    Verdict::Held { approval: another, .. } => {
                        let link = self.ladder.link(&another);
                        return self.tell_agent(&reply::held(frame, id, &another, link.as_deref())).await;
                    }
                }
            }
            if Instant::now() >= tells_at {
                progress = progress.saturating_add(1);
                tells_at = Instant::now() + TELLS_EVERY;
                self.tell_progress(frame, progress).await?;
            }
            tokio::time::sleep(LOOKS_EVERY).await;
        }
        let link = self.ladder.link(approval);
        match (question, link) {
            (None, Some(link)) => self.tell_agent(&self.input_required(id, asked, approval, &link)).await,
            (_, link) => self.tell_agent(&reply::held(frame, id, approval, link.as_deref())).await,
        }
    }

    /// A client that hears of progress waits longer.
    async fn tell_progress(&self, call: &Frame, progress: u64) -> Result<(), ProxyError> {
        let token = call.member("params").and_then(|params| params.get("_meta")?.get("progressToken"));
        let Some(token) = token else { return Ok(()) };
        let params = format!(r#"{{"progressToken":{},"progress":{progress}}}"#, call.slice(token));
        self.tell_agent(&format!(r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{params}}}"#)).await
    }
}

/// What a client is to show a person. Never a form: whoever fills it may be the agent.
fn elicitation(asked: &Asked, approval: &str, link: &str) -> Json {
    let message = format!("A person must decide about this call of `{}` ({approval}).", asked.tool);
    json!({ "mode": "url", "elicitationId": approval, "url": link, "message": message })
}

fn question_text(id: &Id) -> Json {
    match id {
        Id::Text(text) => Json::from(&**text),
        Id::Number(number) => Json::from(*number),
    }
}

/// A request without some of its parameters; every other byte of the others stays.
pub(super) fn without(call: &Frame, left_out: &[&str]) -> Option<String> {
    let params = call.member("params")?;
    let Data::Map(entries) = &params.value else { return None };
    let raw = call.raw();
    let kept = entries.iter().filter(|entry| !left_out.contains(&&*entry.key));
    let kept = kept.map(|entry| raw.get(entry.key_span.start..entry.value.span.end)).collect::<Option<Vec<_>>>()?;
    let Node { span, .. } = params;
    Some(format!("{}{{{}}}{}", raw.get(..span.start)?, kept.join(","), raw.get(span.end..)?))
}
