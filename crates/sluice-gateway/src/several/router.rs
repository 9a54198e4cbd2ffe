//! Which message goes where between an agent and several servers. Pure: the same messages and times give the same steps.
//!
//! A request of the agent keeps its id on its way to one server. One that several servers answer gets an id of our own
//! there, so that an answer that comes too late is no answer to anything else. What servers ask the agent gets an id that
//! says whose it is, for two of them may choose the same.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use sluice_core::document::Node;
use sluice_core::label::Name;

use super::gather::{Asked, Gather, cursors};
use super::names::Names;
use super::outward::{List, Outward, items};
use super::said::Said;
use super::splice::Splice;
use super::{asking::Asking, inward};
use crate::frame::{Frame, Id, Kind};
use crate::proxy::{ENDED, UNREADABLE};
use crate::reply;
use crate::stray::Stray;

/// How long servers may take to greet: a launcher may have to fetch one.
const GREET_WITHIN: Duration = Duration::from_secs(30);
/// How much longer all of them may take where none has greeted in time.
const GREET_AGAIN_WITHIN: Duration = Duration::from_secs(1);
/// How long each may take for its part of a list.
const LIST_WITHIN: Duration = Duration::from_secs(10);
/// The same of one that was too slow the last time: the others must not wait for it.
const LIST_AGAIN_WITHIN: Duration = Duration::from_secs(1);
/// How often an agent is told to ask again because a server was late: one that always is would keep it asking.
const LATE_MAX: u32 = 3;
/// How the ids begin under which we ask several servers.
const OWN: &str = "sluice:several:";

const INVALID_PARAMS: i64 = -32_602;
const METHOD_NOT_FOUND: i64 = -32_601;
const SERVER_ERROR: i64 = -32_000;
const TOOLS_CHANGED: &str = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    ToAgent {
        line: String,
        said: Said,
    },
    ToServer {
        server: usize,
        line: String,
        /// Of a request.
        id: Option<Id>,
    },
    /// For people.
    Note(String),
}

/// How it is with a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Fine,
    /// It has not greeted in time.
    Silent,
    /// It does not speak the agent's protocol.
    LeftOut,
    Gone,
}

pub(super) struct Router {
    names: Names,
    standing: Vec<Standing>,
    /// Those that let a list wait.
    slow: BTreeSet<usize>,
    /// How often each gave its part of a list too late, and the agent was told to ask again.
    late: BTreeMap<usize, u32>,
    /// Requests of the agent with the one server that answers.
    open: BTreeMap<Id, usize>,
    /// Subscriptions, with the servers that have not ended theirs.
    listening: BTreeMap<Id, BTreeSet<usize>>,
    gathers: BTreeMap<u64, (Gather, BTreeMap<usize, Instant>)>,
    next: u64,
    /// The gather that greets.
    hello: Option<u64>,
    /// The agent's word that it has begun.
    begun: Option<String>,
    asking: Asking,
}

impl Router {
    pub(super) fn of(names: Names) -> Self {
        Self {
            standing: vec![Standing::Fine; names.count()],
            slow: BTreeSet::new(),
            late: BTreeMap::new(),
            open: BTreeMap::new(),
            listening: BTreeMap::new(),
            gathers: BTreeMap::new(),
            next: 0,
            hello: None,
            begun: None,
            asking: Asking::default(),
            names,
        }
    }

    /// When something is overdue.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.gathers.values().flat_map(|(_, due)| due.values()).min().copied()
    }

    /// Goes on without those that did not answer in time.
    pub(super) fn overdue(&mut self, now: Instant) -> Vec<Step> {
        let mut late = Vec::new();
        for (number, (gather, due)) in &mut self.gathers {
            // Where nobody has greeted there are no others to go on with: one server alone is waited for, too.
            if self.hello == Some(*number) && gather.answers.is_empty() {
                due.values_mut().filter(|at| **at <= now).for_each(|at| *at = now + GREET_AGAIN_WITHIN);
                continue;
            }
            late.extend(due.iter().filter(|(_, at)| **at <= now).map(|(server, _)| (*number, *server)));
        }
        let mut steps = Vec::new();
        for (number, server) in late {
            let what = if self.hello == Some(number) {
                self.stand(server, Standing::Silent);
                "greet"
            } else {
                self.slow.insert(server);
                "answer"
            };
            steps.push(Step::Note(format!("`{}` did not {what} in time: the others go on", self.connector(server))));
            steps.extend(self.answered(number, server, None));
        }
        steps
    }

    pub(super) fn agent_says(&mut self, frame: &Frame, now: Instant) -> Vec<Step> {
        match frame.kind.clone() {
            Kind::Request { id, method } => self.agent_asks(frame, id, &method, now),
            Kind::Notification { method } => self.agent_tells(frame, &method),
            Kind::Response { id, .. } => match self.asking.close(&id) {
                Some((server, inner)) => {
                    let mut splice = Splice::of(frame);
                    if let Some(node) = frame.member("id") {
                        splice.replace(node, inner.as_json());
                    }
                    vec![Step::ToServer { server, line: splice.message(), id: None }]
                }
                None => Vec::new(),
            },
        }
    }

    fn agent_asks(&mut self, frame: &Frame, id: Id, method: &str, now: Instant) -> Vec<Step> {
        let asked = match (List::asked(method), method) {
            (Some(list), _) => Asked::List(list),
            (None, "initialize") => Asked::Hello,
            (None, "server/discover") => Asked::Discover,
            (None, "logging/setLevel") => Asked::Plain,
            (None, "subscriptions/listen") => return self.listen(frame, id),
            (None, "ping") => {
                return vec![own(format!(r#"{{"jsonrpc":"2.0","id":{},"result":{{}}}}"#, id.as_json()))];
            }
            (None, _) => return self.ask_one(frame, id, method),
        };
        self.ask_all(frame, id, asked, now)
    }

    fn ask_one(&mut self, frame: &Frame, id: Id, method: &str) -> Vec<Step> {
        let Some((server, line)) = inward::routed(&self.names, frame, method) else {
            let (code, why) = match method {
                "tools/call" | "prompts/get" | "completion/complete" => (INVALID_PARAMS, "name"),
                "resources/read" | "resources/subscribe" | "resources/unsubscribe" => (INVALID_PARAMS, "URI"),
                _ if method.starts_with("tasks/") => (INVALID_PARAMS, "task"),
                _ => return vec![own(reply::error(Some(&id), METHOD_NOT_FOUND, "Method not found"))],
            };
            return vec![own(reply::error(Some(&id), code, &format!("SL917: no server has this {why}")))];
        };
        let connector = self.connector(server);
        let why = match self.standing_of(server) {
            Standing::Fine => {
                self.open.insert(id.clone(), server);
                return vec![Step::ToServer { server, line, id: Some(id) }];
            }
            Standing::Silent => format!("SL917: `{connector}` has not greeted yet"),
            Standing::LeftOut => format!("SL917: `{connector}` does not speak the protocol of this agent"),
            Standing::Gone => format!("SL908: `{connector}` ended"),
        };
        vec![own(reply::error(Some(&id), SERVER_ERROR, &why))]
    }

    fn ask_all(&mut self, frame: &Frame, id: Id, asked: Asked, now: Instant) -> Vec<Step> {
        let cursor = frame.member("params").and_then(|params| params.get("cursor"));
        let Ok(at) = cursor.map(|cursor| cursors(cursor).ok_or(())).transpose() else {
            return vec![own(reply::error(Some(&id), INVALID_PARAMS, "SL917: no list goes on there"))];
        };
        let is_asked = |server: &usize| at.as_ref().is_none_or(|at| at.contains_key(server));
        let servers: BTreeSet<usize> = self.fine().filter(is_asked).collect();
        let number = self.next;
        self.next = self.next.saturating_add(1);
        if asked == Asked::Hello {
            self.hello = Some(number);
        }
        let inner = Id::Text(format!("{OWN}{number}").into());
        let mut steps = Vec::new();
        for server in servers.iter().copied() {
            let mut splice = Splice::of(frame);
            if let Some(node) = frame.member("id") {
                splice.replace(node, inner.as_json());
            }
            if let (Some(node), Some((there, _))) = (cursor, at.as_ref().and_then(|at| at.get(&server))) {
                splice.replace(node, there.clone());
            }
            steps.push(Step::ToServer { server, line: splice.message(), id: Some(inner.clone()) });
        }
        let within = |server: &usize| match asked {
            Asked::Hello => GREET_WITHIN,
            _ if self.slow.contains(server) => LIST_AGAIN_WITHIN,
            _ => LIST_WITHIN,
        };
        let due: BTreeMap<usize, Instant> = servers.iter().map(|server| (*server, now + within(server))).collect();
        let pages = at.into_iter().flatten().map(|(server, (_, page))| (server, page)).collect();
        let gather = Gather { asked, id, answers: BTreeMap::new(), pages };
        self.gathers.insert(number, (gather, due));
        steps.extend(self.gathered(number));
        steps
    }

    /// A subscription is one of each server. We say at once what is agreed to, for all of them: that is ours to pass on.
    fn listen(&mut self, frame: &Frame, id: Id) -> Vec<Step> {
        let wanted = frame.member("params").and_then(|params| params.get("notifications"));
        let mut steps = Vec::new();
        let agreed = wanted.map_or("{}", |wanted| frame.slice(wanted));
        let meta = format!(r#"{{"io.modelcontextprotocol/subscriptionId":{}}}"#, id.as_json());
        steps.push(own(format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{{"notifications":{agreed},"_meta":{meta}}}}}"#
        )));
        let servers: BTreeSet<usize> = self.fine().collect();
        for server in servers.iter().copied() {
            let mut splice = Splice::of(frame);
            self.narrow(wanted, "resourceSubscriptions", server, &mut splice);
            self.narrow(wanted, "taskIds", server, &mut splice);
            steps.push(Step::ToServer { server, line: splice.message(), id: Some(id.clone()) });
        }
        self.listening.insert(id, servers);
        steps
    }

    /// Of a list of URIs or tasks those that are this server's, as it knows them.
    fn narrow(&self, wanted: Option<&Node>, key: &str, server: usize, splice: &mut Splice<'_>) {
        let Some(listed) = wanted.and_then(|wanted| wanted.get(key)) else { return };
        let inside = |node: &Node| {
            let outside = node.as_text()?;
            let found = if key == "taskIds" { self.names.split(outside) } else { self.names.split_uri(outside) };
            found.filter(|(of, _)| *of == server).map(|(_, inside)| serde_json::Value::from(inside))
        };
        splice.replace(listed, serde_json::Value::from_iter(items(Some(listed)).iter().filter_map(inside)).to_string());
    }

    fn agent_tells(&mut self, frame: &Frame, method: &str) -> Vec<Step> {
        let param = |key: &str| frame.member("params").and_then(|params| params.get(key));
        let to = |server: usize, line: String| Step::ToServer { server, line, id: None };
        match method {
            "notifications/cancelled" => {
                let Some(id) = param("requestId").and_then(Id::of) else { return Vec::new() };
                let one = self.open.get(&id).copied();
                let servers = one.into_iter().chain(self.listening.get(&id).into_iter().flatten().copied());
                servers.map(|server| to(server, frame.raw().to_owned())).collect()
            }
            "notifications/progress" => {
                let Some(node) = param("progressToken") else { return Vec::new() };
                let Some((server, token)) = Id::of(node).and_then(|id| self.asking.token(&id)) else {
                    return Vec::new();
                };
                let mut splice = Splice::of(frame);
                splice.replace(node, token);
                vec![to(server, splice.message())]
            }
            // Whose task of the agent it is the servers' own requests would have to say.
            "notifications/tasks/status" => Vec::new(),
            _ => {
                if method == "notifications/initialized" {
                    self.begun = Some(frame.raw().to_owned());
                }
                self.fine().map(|server| to(server, frame.raw().to_owned())).collect()
            }
        }
    }

    pub(super) fn server_says(&mut self, server: usize, frame: Frame) -> Vec<Step> {
        let outward = Outward { names: &self.names, server };
        match frame.kind.clone() {
            Kind::Response { id, is_error } => self.server_answers(server, frame, &id, is_error),
            // What several agree to was said already.
            Kind::Notification { method } if method == "notifications/subscriptions/acknowledged" => Vec::new(),
            Kind::Notification { method } => {
                let mut splice = Splice::of(&frame);
                if method == "notifications/cancelled" {
                    let node = frame.member("params").and_then(|params| params.get("requestId"));
                    let Some((node, inner)) = node.and_then(|node| Some((node, Id::of(node)?))) else {
                        return Vec::new();
                    };
                    let Some(outer) = self.asking.withdraw(server, &inner) else { return Vec::new() };
                    splice.replace(node, outer.as_json());
                }
                outward.told(&frame, &method, &mut splice);
                vec![self.of_server(server, splice.message())]
            }
            Kind::Request { id, method } => {
                let token = frame.member("params").and_then(|params| params.get("_meta")?.get("progressToken"));
                let inner_token = token.map(|token| frame.slice(token).to_owned());
                let Some(outer) = self.asking.open(server, self.names.prefix(server), id, inner_token) else {
                    let connector = self.connector(server);
                    return vec![Step::Note(format!(
                        "`{connector}` asked too much, or twice under one id; it was dropped"
                    ))];
                };
                let mut splice = Splice::of(&frame);
                if let Some(node) = frame.member("id") {
                    splice.replace(node, outer.as_json());
                }
                if let Some(node) = token {
                    splice.replace(node, outer.as_json());
                }
                outward.told(&frame, &method, &mut splice);
                vec![self.of_server(server, splice.message())]
            }
        }
    }

    fn server_answers(&mut self, server: usize, frame: Frame, id: &Id, is_error: bool) -> Vec<Step> {
        let was_slow = self.slow.remove(&server);
        if let Some(number) = own_number(id) {
            let is_hello = self.hello == Some(number);
            let is_awaited = self.gathers.get(&number).is_some_and(|(_, due)| due.contains_key(&server));
            let mut steps = Vec::new();
            if is_hello && is_error && self.standing_of(server) != Standing::Gone {
                self.stand(server, Standing::LeftOut);
                let connector = self.connector(server);
                steps.push(Step::Note(format!("SL917: `{connector}` does not speak the protocol of this agent")));
            }
            if is_awaited {
                steps.extend(self.answered(number, server, Some(frame)));
            } else if is_hello && self.standing_of(server) == Standing::Silent {
                self.stand(server, Standing::Fine);
                let begun = self.begun.clone();
                steps.extend(begun.map(|line| Step::ToServer { server, line, id: None }));
                steps.push(own(TOOLS_CHANGED.to_owned()));
            } else if was_slow && self.is_told_of(server) {
                steps.push(own(TOOLS_CHANGED.to_owned()));
            }
            return steps;
        }
        if self.open.get(id) == Some(&server) {
            self.open.remove(id);
            let line = Outward { names: &self.names, server }.answer(&frame);
            return vec![self.of_server(server, line)];
        }
        if let Some(servers) = self.listening.get_mut(id)
            && servers.remove(&server)
        {
            // It is over once it is over for all of them.
            if !servers.is_empty() {
                return Vec::new();
            }
            self.listening.remove(id);
            return vec![self.of_server(server, frame.raw().to_owned())];
        }
        let connector = self.connector(server);
        vec![Step::Note(format!("`{connector}` answered what nobody asked, or answered twice; it was dropped"))]
    }

    /// Whether the agent hears that a late server has answered.
    fn is_told_of(&mut self, server: usize) -> bool {
        let late = self.late.entry(server).or_default();
        *late = late.saturating_add(1);
        *late <= LATE_MAX
    }

    /// Something of a server that is no message: what it was meant to answer will have no answer.
    pub(super) fn unreadable(&mut self, server: usize, stray: &Stray, why: &str) -> Vec<Step> {
        let connector = self.connector(server);
        let mut steps =
            vec![Step::Note(format!("`{connector}` sent something that cannot be read, and it was dropped: {why}"))];
        for id in stray.ids.iter().filter(|_| !stray.asks) {
            steps.extend(self.unanswered(server, id, UNREADABLE));
        }
        steps
    }

    /// A request that could not be sent: nothing came of it.
    pub(super) fn not_sent(&mut self, server: usize, id: &Id) -> Vec<Step> {
        let why = format!("SL905: `{}` does not read what it is sent", self.connector(server));
        if self.open.get(id) == Some(&server) {
            self.open.remove(id);
            return vec![own(reply::error(Some(id), SERVER_ERROR, &why))];
        }
        let mut steps = vec![Step::Note(why)];
        steps.extend(self.unanswered(server, id, UNREADABLE));
        steps
    }

    /// A server ended: whoever waits for it is told, and the others go on.
    pub(super) fn server_left(&mut self, server: usize) -> Vec<Step> {
        self.stand(server, Standing::Gone);
        let mut steps = Vec::new();
        let open: Vec<Id> = self.open.iter().filter(|(_, of)| **of == server).map(|(id, _)| id.clone()).collect();
        let listening = self.listening.keys().cloned().collect::<Vec<_>>();
        let own_ids: Vec<Id> = self.gathers.keys().map(|number| Id::Text(format!("{OWN}{number}").into())).collect();
        for id in open.iter().chain(&listening).chain(&own_ids) {
            steps.extend(self.unanswered(server, id, ENDED));
        }
        for outer in self.asking.forget(server) {
            let params = format!(r#"{{"requestId":{}}}"#, outer.as_json());
            let line = format!(r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{params}}}"#);
            steps.push(own(line));
        }
        steps
    }

    fn unanswered(&mut self, server: usize, id: &Id, why: &'static str) -> Vec<Step> {
        if let Some(number) = own_number(id) {
            return self.answered(number, server, None);
        }
        let is_lost = if self.open.get(id) == Some(&server) {
            self.open.remove(id).is_some()
        } else if let Some(servers) = self.listening.get_mut(id) {
            let was_last = servers.remove(&server) && servers.is_empty();
            was_last && self.listening.remove(id).is_some()
        } else {
            false
        };
        if !is_lost {
            return Vec::new();
        }
        let line = reply::error(Some(id), SERVER_ERROR, why);
        vec![Step::ToAgent { line, said: Said { by: Vec::new(), lost: Some(why) } }]
    }

    /// A part of an answer is there, or will not come.
    fn answered(&mut self, number: u64, server: usize, answer: Option<Frame>) -> Vec<Step> {
        let Some((gather, due)) = self.gathers.get_mut(&number) else { return Vec::new() };
        if due.remove(&server).is_some() {
            gather.answers.extend(answer.map(|answer| (server, answer)));
        }
        self.gathered(number)
    }

    /// The one answer, once all parts of it are there.
    fn gathered(&mut self, number: u64) -> Vec<Step> {
        if self.gathers.get(&number).is_none_or(|(_, due)| !due.is_empty()) {
            return Vec::new();
        }
        let Some((gather, _)) = self.gathers.remove(&number) else { return Vec::new() };
        let gathered = gather.gathered(&self.names);
        let by = gathered.by.into_iter().map(|server| self.connector(server)).collect();
        let mut steps: Vec<Step> = gathered.notes.into_iter().map(Step::Note).collect();
        steps.push(Step::ToAgent { line: gathered.line, said: Said { by, lost: None } });
        steps
    }

    fn of_server(&self, server: usize, line: String) -> Step {
        Step::ToAgent { line, said: Said { by: vec![self.connector(server)], lost: None } }
    }

    pub(super) fn connector(&self, server: usize) -> Name {
        self.names.connector(server).cloned().unwrap_or_else(|| "?".into())
    }

    /// Those that can be asked.
    fn fine(&self) -> impl Iterator<Item = usize> {
        self.standing.iter().enumerate().filter(|(_, standing)| **standing == Standing::Fine).map(|(at, _)| at)
    }

    fn standing_of(&self, server: usize) -> Standing {
        self.standing.get(server).copied().unwrap_or(Standing::Gone)
    }

    fn stand(&mut self, server: usize, standing: Standing) {
        if let Some(there) = self.standing.get_mut(server) {
            *there = standing;
        }
    }
}

/// What we say ourselves.
fn own(line: String) -> Step {
    Step::ToAgent { line, said: Said::default() }
}

fn own_number(id: &Id) -> Option<u64> {
    match id {
        Id::Text(text) => text.strip_prefix(OWN)?.parse().ok(),
        Id::Number(_) => None,
    }
}

#[cfg(test)]
mod tests;
