//! The rung of tasks: a call that waits for a person is a task of the gateway's own, which its client asks about until it
//! is over.
//!
//! Clients of 2026-07-28 declare the extension `io.modelcontextprotocol/tasks` with the call; those of 2025-11-25 call with
//! `task`. Once a person has approved, the call is made in the gateway's name: nobody waits for its answer under the id that
//! it came with. What the server would ask in the middle of it, or make a task of itself, the gateway does not declare.
//! Sources: the tasks extension of 2026-07-28; Model Context Protocol 2025-11-25, "Tasks".

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use sluice_core::document::{Data, Node};
use sluice_engine::TokenId;
use sluice_runtime::approvals::statements;
use sluice_runtime::ledger::random;
use sluice_runtime::session::{SessionError, Verdict};
use tokio::io::AsyncWrite;

use super::ladder::{Asked, HeldCall, LOOKS_EVERY, without};
use super::{INVALID_PARAMS, METHOD_NOT_FOUND, Proxy, ProxyError, SERVER_ERROR, UNREADABLE};
use crate::frame::{CAPABILITIES_FIELD, Frame, Id};
use crate::pending::Awaited;
use crate::reply;
use crate::several::splice::Splice;

/// How the names of our tasks begin.
const PREFIX: &str = "sluice-task-";
/// The extension's name, as clients declare it.
const EXTENSION: &str = "io.modelcontextprotocol/tasks";
/// How long a task waits for people, and is kept for its client.
const TTL_MS: u64 = 3_600_000;
/// How often a client should ask.
const POLL_MS: u64 = 2_000;
/// Most tasks of one session that are kept: further calls are told at once.
const TASKS_MAX: usize = 100;
/// The extension's code for a client that does not say that it knows tasks.
const MISSING_CAPABILITY: i64 = -32_021;

/// How a client speaks of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Era {
    /// By the extension of 2026-07-28.
    Extension,
    /// As 2025-11-25 has it.
    Core,
}

/// The tasks of one session.
#[derive(Default)]
pub(super) struct Tasks(RefCell<BTreeMap<String, Task>>);

struct Task {
    era: Era,
    state: State,
    /// For people and models.
    message: String,
    created_ms: u64,
    updated_ms: u64,
    ttl_ms: u64,
    /// Requests for its result that wait for it.
    listeners: Vec<Id>,
}

/// How a task stands; results and errors as JSON.
#[derive(Clone, Debug)]
enum State {
    /// For people.
    Waiting,
    /// For the server, under this id.
    Calling(Id),
    /// There is a result, which may be one that says what went wrong.
    Done { result: String, is_error: bool },
    /// An error of the protocol.
    Failed { error: String },
    /// Its client takes no interest any more.
    Cancelled,
}

/// In which era a call asks for a task, if it does.
pub(super) fn era_of(call: &Frame) -> Option<Era> {
    let params = call.member("params")?;
    let meta = params.get("_meta");
    if meta.is_some_and(|meta| meta.get("io.modelcontextprotocol/protocolVersion").is_some()) {
        return declares(call).then_some(Era::Extension);
    }
    matches!(params.get("task")?.value, Data::Map(_)).then_some(Era::Core)
}

fn declares(request: &Frame) -> bool {
    let meta = request.member("params").and_then(|params| params.get("_meta"));
    let extensions = meta.and_then(|meta| meta.get(CAPABILITIES_FIELD)?.get("extensions"));
    extensions.is_some_and(|extensions| extensions.get(EXTENSION).is_some())
}

impl Tasks {
    /// Whether no more can be kept; what is over and past its time is forgotten first.
    fn is_full(&self, now_ms: u64) -> bool {
        let mut tasks = self.0.borrow_mut();
        tasks.retain(|_, task| !(task.is_over() && task.created_ms.saturating_add(task.ttl_ms) <= now_ms));
        tasks.len() >= TASKS_MAX
    }

    fn is_waiting(&self, id: &str) -> bool {
        self.0.borrow().get(id).is_some_and(|task| matches!(task.state, State::Waiting))
    }

    /// Takes a state, unless the task is over; gives whoever waits for its result, if it is over now.
    fn set(&self, id: &str, state: State, message: &str, now_ms: u64) -> Vec<Id> {
        let mut tasks = self.0.borrow_mut();
        let Some(task) = tasks.get_mut(id).filter(|task| !task.is_over()) else { return Vec::new() };
        (task.state, task.updated_ms) = (state, now_ms);
        message.clone_into(&mut task.message);
        if task.is_over() { std::mem::take(&mut task.listeners) } else { Vec::new() }
    }
}

impl Task {
    const fn is_over(&self) -> bool {
        !matches!(self.state, State::Waiting | State::Calling(_))
    }

    const fn status(&self) -> &'static str {
        match (&self.state, self.era) {
            (State::Waiting | State::Calling(_), _) => "working",
            // A tool's own error is a result there, and a failure here.
            (State::Done { is_error: true, .. }, Era::Core) | (State::Failed { .. }, _) => "failed",
            (State::Done { .. }, _) => "completed",
            (State::Cancelled, _) => "cancelled",
        }
    }

    fn fields(&self, id: &str) -> Json {
        let (ttl, poll) = match self.era {
            Era::Extension => ("ttlMs", "pollIntervalMs"),
            Era::Core => ("ttl", "pollInterval"),
        };
        json!({
            "taskId": id, "status": self.status(), "statusMessage": self.message,
            "createdAt": time(self.created_ms), "lastUpdatedAt": time(self.updated_ms),
            ttl: self.ttl_ms, poll: POLL_MS,
        })
    }

    /// What its client hears of it when it begins.
    fn begun(&self, id: &str) -> Json {
        match self.era {
            Era::Extension => with(self.fields(id), "resultType", "task"),
            Era::Core => json!({ "task": self.fields(id) }),
        }
    }

    /// What its client hears who asks about it.
    fn shown(&self, id: &str) -> String {
        if self.era == Era::Core {
            return self.fields(id).to_string();
        }
        let whole = with(self.fields(id), "resultType", "complete").to_string();
        let open = whole.strip_suffix('}').unwrap_or_default();
        match &self.state {
            State::Done { result, .. } => format!(r#"{open},"result":{result}}}"#),
            State::Failed { error } => format!(r#"{open},"error":{error}}}"#),
            _ => whole,
        }
    }

    /// The answer to a request for its result, once it is over.
    fn told(&self, id: &str, request: &Id) -> String {
        let id_json = request.as_json();
        match &self.state {
            State::Done { result, .. } => {
                format!(r#"{{"jsonrpc":"2.0","id":{id_json},"result":{}}}"#, related(result, id))
            }
            State::Failed { error } => format!(r#"{{"jsonrpc":"2.0","id":{id_json},"error":{error}}}"#),
            State::Waiting | State::Calling(_) | State::Cancelled => {
                reply::error(Some(request), INVALID_PARAMS, "the task was cancelled")
            }
        }
    }
}

impl<W: AsyncWrite + Unpin, S: AsyncWrite + Unpin> Proxy<'_, W, S> {
    /// Whether one more call may wait as a task: there is room, and its server would make it without one.
    pub(super) fn takes_task(&self, era: Era, asked: &Asked) -> bool {
        let is_bound = era == Era::Core && self.offers.borrow().is_only_a_task(&asked.tool);
        !is_bound && !self.tasks.is_full(self.now_ms())
    }

    fn now_ms(&self) -> u64 {
        self.terms.ledger.clock().now_ms()
    }

    /// Makes a task of a call, and tells its client.
    pub(super) async fn begin_task(
        &self,
        (frame, id): (Frame, Id),
        asked: Asked,
        approval: String,
        link: Option<&str>,
        era: Era,
    ) -> Result<HeldCall, ProxyError> {
        let bytes: [u8; 16] = random().map_err(SessionError::from)?;
        let name: String = PREFIX.chars().chain(bytes.iter().flat_map(|byte| hex(*byte))).collect();
        let wanted = frame.member("params").and_then(|params| params.get("task")?.get("ttl"));
        let ttl_ms = match wanted.map(|ttl| &ttl.value) {
            Some(Data::Int(ttl)) => u64::try_from(*ttl).unwrap_or(TTL_MS).min(TTL_MS),
            _ => TTL_MS,
        };
        let now_ms = self.now_ms();
        let task = Task {
            era,
            state: State::Waiting,
            message: reply::waits(&approval, link),
            created_ms: now_ms,
            updated_ms: now_ms,
            ttl_ms,
            listeners: Vec::new(),
        };
        let begun = task.begun(&name);
        self.tasks.0.borrow_mut().insert(name.clone(), task);
        self.tell_agent(&format!(r#"{{"jsonrpc":"2.0","id":{},"result":{begun}}}"#, id.as_json())).await?;
        let until = Instant::now() + Duration::from_millis(ttl_ms);
        Ok(HeldCall { frame, id, asked, approval, until, question: None, task: Some((name, era)) })
    }

    /// Until a person decides, its client gives up, or its time is over.
    pub(super) async fn wait_as_task(&self, held: &HeldCall, task: &str, era: Era) -> Result<(), ProxyError> {
        let HeldCall { frame, asked, approval, until, .. } = held;
        let is_stateless = era == Era::Extension;
        let mut said = 0;
        while Instant::now() < *until {
            if !self.tasks.is_waiting(task) {
                return Ok(());
            }
            let count = statements(self.terms.ledger, approval).map_err(SessionError::from)?.len();
            // Before a permit, which is recorded: one that cannot be used would look like a call in doubt.
            if count > said && !self.asked.borrow().is_full() {
                said = count;
                match self.ask(&asked.connector, &asked.action, &asked.arguments).await {
                    Ok(Verdict::Permitted(call)) => return self.call_as_task(frame, call.take().token, task).await,
                    Ok(Verdict::Denied { code, why }) => {
                        self.note(&format!("denied: `{}`: {code}: {why}", asked.tool));
                        let result = reply::tool_result(is_stateless, &reply::denial(&code), true).to_string();
                        return self.end_task(task, State::Done { result, is_error: true }, "denied by policy").await;
                    }
                    Ok(Verdict::Held { approval: same, .. }) if same == *approval => {}
                    // The same call passed meanwhile, under the approval that this one waited for.
                    Ok(Verdict::Held { approval: another, .. }) => {
                        let text = reply::waits(&another, self.ladder.link(&another).as_deref());
                        let result = reply::tool_result(is_stateless, &text, true).to_string();
                        return self.end_task(task, State::Done { result, is_error: true }, "approval required").await;
                    }
                    Err(error) => {
                        let result = reply::tool_result(is_stateless, &reply::denial("SL906"), true).to_string();
                        self.end_task(task, State::Done { result, is_error: true }, "denied by policy").await?;
                        return Err(error);
                    }
                }
            }
            tokio::time::sleep(LOOKS_EVERY).await;
        }
        let text = format!("nobody decided in time. {}", reply::waits(approval, self.ladder.link(approval).as_deref()));
        self.end_task(task, failed(&text), "nobody decided in time").await
    }

    /// Makes the call of a task in the gateway's own name.
    async fn call_as_task(&self, frame: &Frame, token: TokenId, task: &str) -> Result<(), ProxyError> {
        let id = Id::own(self.own.replace(self.own.get() + 1));
        let awaited = Awaited::Task(token, task.to_owned());
        self.tasks.set(task, State::Calling(id.clone()), "a person approved the call; it is under way", self.now_ms());
        match plain_call(frame, &id).and_then(|text| Frame::read(text.as_bytes()).ok()) {
            Some(call) => self.forward(&call, id, awaited).await,
            None => self.unanswered(&id, awaited, UNREADABLE).await,
        }
    }

    /// The call of a task is answered.
    pub(super) async fn task_answered(&self, task: &str, answer: &Frame) -> Result<(), ProxyError> {
        let state = match (answer.member("result"), answer.member("error")) {
            (Some(result), _) => {
                let kind = result.get("resultType").and_then(Node::as_text).map_or("complete", AsRef::as_ref);
                let is_error = result.get("isError").is_some_and(|is_error| is_error.value == Data::Bool(true));
                match kind {
                    "complete" => State::Done { result: answer.slice(result).to_owned(), is_error },
                    _ => failed("SL907: the server wants what a call that waited for a person cannot give"),
                }
            }
            (None, Some(error)) => State::Failed { error: answer.slice(error).to_owned() },
            (None, None) => failed(UNREADABLE),
        };
        self.end_task(task, state, "the call was made").await
    }

    /// The call of a task has no answer that could be shown.
    pub(super) async fn task_failed(&self, task: &str, why: &str) -> Result<(), ProxyError> {
        self.end_task(task, failed(why), why).await
    }

    async fn end_task(&self, task: &str, state: State, message: &str) -> Result<(), ProxyError> {
        let listeners = self.tasks.set(task, state, message, self.now_ms());
        for request in listeners {
            let told = self.tasks.0.borrow().get(task).map(|over| over.told(task, &request));
            if let Some(told) = told {
                self.tell_agent(&told).await?;
            }
        }
        Ok(())
    }

    /// Answers a request about a task of ours; `false` if it is about another's.
    pub(super) async fn asks_about_task(&self, frame: &Frame, id: &Id, method: &str) -> Result<bool, ProxyError> {
        let named = frame.member("params").and_then(|params| params.get("taskId")?.as_text().cloned());
        let Some(name) = named.filter(|name| name.starts_with(PREFIX)) else { return Ok(false) };
        let told = self.task_told(frame, id, method, &name).await?;
        if let Some(told) = told {
            self.tell_agent(&told).await?;
        }
        Ok(true)
    }

    async fn task_told(&self, frame: &Frame, id: &Id, method: &str, name: &str) -> Result<Option<String>, ProxyError> {
        let era = self.tasks.0.borrow().get(name).map(|task| task.era);
        let Some(era) = era else {
            return Ok(Some(reply::error(Some(id), INVALID_PARAMS, "SL917: there is no such task")));
        };
        if era == Era::Extension && !declares(frame) {
            let why = format!("the request does not declare `{EXTENSION}`");
            return Ok(Some(reply::error(Some(id), MISSING_CAPABILITY, &why)));
        }
        let acknowledged =
            || format!(r#"{{"jsonrpc":"2.0","id":{},"result":{{"resultType":"complete"}}}}"#, id.as_json());
        match (method, era) {
            ("tasks/get", _) => Ok(self.task_shown(name, id)),
            // The gateway asks nothing through a task: what a client answers is nobody's consent.
            ("tasks/update", Era::Extension) => Ok(Some(acknowledged())),
            ("tasks/cancel", _) => {
                let is_over = self.tasks.0.borrow().get(name).is_some_and(Task::is_over);
                if is_over && era == Era::Core {
                    return Ok(Some(reply::error(Some(id), INVALID_PARAMS, "the task is over")));
                }
                self.cancel_task(name).await?;
                Ok(if era == Era::Core { self.task_shown(name, id) } else { Some(acknowledged()) })
            }
            ("tasks/result", Era::Core) => {
                let mut tasks = self.tasks.0.borrow_mut();
                let Some(task) = tasks.get_mut(name) else { return Ok(None) };
                if task.is_over() {
                    return Ok(Some(task.told(name, id)));
                }
                task.listeners.push(id.clone());
                Ok(None)
            }
            _ => Ok(Some(reply::error(Some(id), METHOD_NOT_FOUND, "Method not found"))),
        }
    }

    fn task_shown(&self, name: &str, id: &Id) -> Option<String> {
        let tasks = self.tasks.0.borrow();
        let shown = tasks.get(name)?.shown(name);
        Some(format!(r#"{{"jsonrpc":"2.0","id":{},"result":{shown}}}"#, id.as_json()))
    }

    /// A call that waits is not made then; of one that is under way the server is told.
    async fn cancel_task(&self, name: &str) -> Result<(), ProxyError> {
        let under_way = match self.tasks.0.borrow().get(name).map(|task| task.state.clone()) {
            Some(State::Calling(call)) => Some(call),
            _ => None,
        };
        self.end_task(name, State::Cancelled, "its client cancelled it").await?;
        if let Some(call) = under_way {
            let params = format!(r#"{{"requestId":{}}}"#, call.as_json());
            let line = format!(r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{params}}}"#);
            self.tell_server(&line).await?;
        }
        Ok(())
    }
}

fn failed(why: &str) -> State {
    State::Failed { error: json!({ "code": SERVER_ERROR, "message": why }).to_string() }
}

fn with(mut fields: Json, key: &str, value: &str) -> Json {
    if let Some(fields) = fields.as_object_mut() {
        fields.insert(key.to_owned(), value.into());
    }
    fields
}

/// The call under another id, without what asks for a task, for progress, or for questions in the middle of it.
fn plain_call(call: &Frame, id: &Id) -> Option<String> {
    let bare = Frame::read(without(call, &["task"])?.as_bytes()).ok()?;
    let mut splice = Splice::of(&bare);
    splice.replace(bare.member("id")?, id.as_json());
    if let Some(meta) = bare.member("params").and_then(|params| params.get("_meta")) {
        let Data::Map(entries) = &meta.value else { return None };
        let pair = |entry: &sluice_core::document::Entry| {
            let value = if &*entry.key == CAPABILITIES_FIELD { "{}" } else { bare.slice(&entry.value) };
            format!("{}:{value}", Json::from(&*entry.key))
        };
        let kept: Vec<String> = entries.iter().filter(|entry| &*entry.key != "progressToken").map(pair).collect();
        splice.replace(meta, format!("{{{}}}", kept.join(",")));
    }
    Some(splice.message())
}

/// A result that says of which task it is, as 2025-11-25 has it; one with words of its own there is left as it is.
fn related(result: &str, task: &str) -> String {
    let rest = result.trim_start().strip_prefix('{');
    let has_meta = serde_json::from_str::<Json>(result).is_ok_and(|result| result.get("_meta").is_some());
    match rest.filter(|_| !has_meta) {
        Some(rest) => {
            let meta = json!({ "io.modelcontextprotocol/related-task": { "taskId": task } });
            let comma = if rest.trim_start().starts_with('}') { "" } else { "," };
            format!(r#"{{"_meta":{meta}{comma}{rest}"#)
        }
        None => result.to_owned(),
    }
}

fn hex(byte: u8) -> [char; 2] {
    [byte >> 4, byte & 15].map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or('0'))
}

/// A time of the clock as ISO 8601 writes it.
fn time(ms: u64) -> String {
    const DAY_S: u64 = 86_400;
    // Days are counted in eras of 400 years that begin on 1 March of the year 0: a leap day ends its year there.
    const DAYS_TO_1970: u64 = 719_468;
    const ERA_DAYS: u64 = 146_097;
    let (seconds, days) = ((ms / 1_000) % DAY_S, ms / 1_000 / DAY_S + DAYS_TO_1970);
    let (era, day_of_era) = (days / ERA_DAYS, days % ERA_DAYS);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_clocks_show_it() {
        for (seconds, shown) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_785_196_799, "2026-07-27T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(time(seconds * 1_000 + 999), shown);
        }
    }

    #[test]
    fn the_call_of_a_task_keeps_its_arguments_byte_for_byte() {
        let arguments = r#"{ "n":1.50,"é":"\u00e9" , "task":{"x":1} }"#;
        let meta = |capabilities: &str, token: &str| {
            format!(
                r#"{{"{CAPABILITIES_FIELD}":{capabilities}{token},"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}"#
            )
        };
        let call = |id: &str, meta: &str, task: &str| {
            format!(
                r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"x","arguments":{arguments},"_meta":{meta}{task}}}}}"#
            )
        };
        let asked = call("7", &meta(r#"{"extensions":{}}"#, r#","progressToken":1"#), r#","task":{"ttl":1}"#);
        let frame = Frame::read(asked.as_bytes()).unwrap();
        assert_eq!(plain_call(&frame, &Id::own(3)).unwrap(), call(r#""sluice:3""#, &meta("{}", ""), ""));
    }

    #[test]
    fn a_result_says_of_which_task_it_is() {
        let meta = r#""_meta":{"io.modelcontextprotocol/related-task":{"taskId":"t"}}"#;
        for (result, told) in [
            ("{}", format!("{{{meta}}}")),
            (r#" {"content":[]}"#, format!(r#"{{{meta},"content":[]}}"#)),
            (r#"{"_meta":{}}"#, r#"{"_meta":{}}"#.to_owned()),
        ] {
            assert_eq!(related(result, "t"), told);
        }
    }
}
