//! What a server says: answers to what was asked, and what it asks and tells by itself.

use sluice_core::document::{Data, Node};
use sluice_engine::{CallOutcome, TokenId};
use sluice_runtime::incident::Broken;
use sluice_runtime::session::CameBack;
use tokio::io::{AsyncBufRead, AsyncWrite};

use super::agent::withdrawn;
use super::{Proxy, ProxyError, REPEATS_A_SECRET, SERVER_ERROR, UNREADABLE, words};
use crate::frame::{Frame, Id, Kind};
use crate::lines::{self, Line};
use crate::pending::Awaited;
use crate::several::said::Said;
use crate::stray::Stray;
use crate::{reply, tools};

impl<W: AsyncWrite + Unpin, S: AsyncWrite + Unpin> Proxy<'_, W, S> {
    pub(super) async fn listen_to_server(&self, mut from: impl AsyncBufRead + Unpin) -> Result<(), ProxyError> {
        loop {
            // A pipe that breaks is a server that left.
            let line = lines::next(&mut from).await.unwrap_or(Line::End);
            let said = self.saying.next();
            match line {
                Line::End => return Ok(()),
                Line::TooLong(stray) => self.unreadable(&stray, "it is too long").await?,
                Line::Whole(bytes) => match Frame::read(&bytes) {
                    Ok(frame) if frame.any_text(&|text| self.canary.is_in(text)) => self.leaks(&frame, &said).await?,
                    Ok(frame) => self.server_says(frame, &said).await?,
                    // Why it cannot be read may quote it.
                    Err(error) if self.canary.is_in(&bytes) => self.unreadable(&error.stray, "-").await?,
                    Err(error) => self.unreadable(&error.stray, &error.why).await?,
                },
            }
        }
    }

    /// Whoever waits for an answer that cannot be read is told so, and not left waiting.
    pub(super) async fn unreadable(&self, stray: &Stray, why: &str) -> Result<(), ProxyError> {
        self.note(&format!("the server sent something that cannot be read, and it was dropped: {why}"));
        // Its own question, whose id says nothing of the agent's.
        if stray.asks {
            return Ok(());
        }
        for id in &stray.ids {
            let awaited = self.asked.borrow_mut().close(id);
            if let Some(awaited) = awaited {
                self.unanswered(id, awaited, UNREADABLE).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn unanswered(&self, id: &Id, awaited: Awaited, why: &str) -> Result<(), ProxyError> {
        if let Awaited::Call(token) | Awaited::Task(token, _) = &awaited
            && let Some(session) = self.session.lock().await.as_mut()
        {
            let outcome = CallOutcome::InDoubt { why: why.to_owned() };
            session.finished(*token, CameBack { outcome, labelled: None, broken: None })?;
        }
        if let Awaited::Task(_, task) = &awaited {
            return self.task_failed(task, why).await;
        }
        // The gateway's own request: whoever made it learns that it is gone.
        if id.is_own() {
            return Ok(());
        }
        self.tell_agent(&reply::error(Some(id), SERVER_ERROR, why)).await
    }

    /// What repeats a secret of the server goes nowhere: not to the agent, not into an entry, not into what people are told.
    async fn leaks(&self, frame: &Frame, said: &Said) -> Result<(), ProxyError> {
        self.note("the server repeats a secret that it was given; what it said was dropped");
        let answered = match &frame.kind {
            Kind::Response { id, .. } => Some(id),
            Kind::Request { .. } | Kind::Notification { .. } => None,
        };
        let awaited = answered.and_then(|id| self.asked.borrow_mut().close(id));
        let is_awaited = awaited.is_some();
        if let Some(Awaited::Task(_, task)) = &awaited {
            self.task_failed(task, REPEATS_A_SECRET).await?;
        }
        if let Some(Awaited::Call(token) | Awaited::Task(token, _)) = awaited {
            let outcome = CallOutcome::Breach { why: Broken::Secret.to_string() };
            self.finished(token, CameBack { outcome, labelled: None, broken: Some(Broken::Secret) }).await?;
        } else if let Some(session) = self.session.lock().await.as_ref() {
            for connector in &said.by {
                session.broke(connector, Broken::Secret)?;
            }
        }
        match answered.filter(|id| is_awaited && !id.is_own()) {
            Some(id) => self.tell_agent(&reply::error(Some(id), SERVER_ERROR, REPEATS_A_SECRET)).await,
            None => Ok(()),
        }
    }

    pub(super) async fn server_says(&self, frame: Frame, said: &Said) -> Result<(), ProxyError> {
        match frame.kind.clone() {
            Kind::Notification { method } => {
                if method == "notifications/tools/list_changed" {
                    self.is_stale.set(true);
                }
                if let Some(id) = withdrawn(&method, &frame) {
                    self.asking.borrow_mut().close(&id);
                }
                if words::are_told(&method, &frame) {
                    self.has_read(said).await;
                }
                self.tell_agent(frame.raw()).await
            }
            Kind::Request { id, .. } if id.is_own() => {
                self.note("the server asked under an id of the gateway's own; it was dropped");
                Ok(())
            }
            Kind::Request { id, method } => {
                let awaited =
                    if matches!(method.as_str(), "ping" | "roots/list") { Awaited::Plain } else { Awaited::Words };
                if matches!(awaited, Awaited::Words) {
                    self.has_read(said).await;
                }
                let opened = self.asking.borrow_mut().open(id, awaited);
                if opened.is_err() {
                    self.note("the server asked too much, or twice under one id; it was dropped");
                    return Ok(());
                }
                self.tell_agent(frame.raw()).await
            }
            Kind::Response { id, .. } => {
                let awaited = self.asked.borrow_mut().close(&id);
                match awaited {
                    Some(awaited) => match said.lost {
                        Some(why) => self.unanswered(&id, awaited, why).await,
                        None => self.answer(frame, awaited, said).await,
                    },
                    None => {
                        self.note("the server answered what nobody asked, or answered twice; it was dropped");
                        Ok(())
                    }
                }
            }
        }
    }

    pub(super) async fn answer(&self, frame: Frame, awaited: Awaited, said: &Said) -> Result<(), ProxyError> {
        match awaited {
            Awaited::Own(tell) => {
                // Whoever asked has given up.
                let _ = tell.send(frame);
                return Ok(());
            }
            Awaited::Call(token) => {
                if wants_input(&frame) {
                    self.wants_input.set(true);
                }
                self.finished(token, came_back(&frame)).await?;
            }
            Awaited::Task(token, task) => {
                self.finished(token, came_back(&frame)).await?;
                return self.task_answered(&task, &frame).await;
            }
            Awaited::Tools => {
                let page = tools::page(&frame);
                if page.as_ref().is_some_and(|page| self.offers.borrow_mut().see(&page.tools)) {
                    self.is_stale.set(true);
                }
                let is_last = page.is_some_and(|page| page.next.is_none());
                let own = (is_last && self.terms.mandate.request.is_some()).then(|| self.offers.borrow().plan());
                self.note_withheld();
                let shown = {
                    let offers = self.offers.borrow();
                    tools::offered(&frame, |name| offers.has(name), own.as_ref())
                };
                return self.tell_agent(&shown).await;
            }
            Awaited::Words => self.has_read(said).await,
            Awaited::Listed => {
                if words::are_listed(&frame) {
                    self.has_read(said).await;
                }
            }
            Awaited::Plain => {}
        }
        self.tell_agent(frame.raw()).await
    }

    /// A call is over, and people are told if its server broke its contract.
    async fn finished(&self, token: TokenId, came: CameBack) -> Result<(), ProxyError> {
        let incident = match self.session.lock().await.as_mut() {
            Some(session) => session.finished(token, came)?,
            None => None,
        };
        if let Some(incident) = incident {
            self.note(&incident.to_string());
        }
        Ok(())
    }

    pub(super) async fn has_read(&self, said: &Said) {
        match self.session.lock().await.as_mut() {
            Some(session) => said.by.iter().for_each(|connector| session.has_read(connector)),
            None => self.has_read.borrow_mut().extend(said.by.iter().cloned()),
        }
    }
}

/// Whether a server asks for something before it answers.
fn wants_input(answer: &Frame) -> bool {
    let kind = answer.member("result").and_then(|result| result.get("resultType")?.as_text().cloned());
    kind.is_some_and(|kind| &*kind == "input_required")
}

/// What came back, and the part of it that a contract's paths speak of.
fn came_back(answer: &Frame) -> CameBack {
    let Some(result) = answer.member("result") else {
        let detail = answer.member("error").map(Node::to_json).unwrap_or_default();
        return CameBack { outcome: CallOutcome::Failed { detail }, labelled: None, broken: None };
    };
    CameBack { outcome: CallOutcome::replied(result.to_json()), labelled: labelled(result), broken: None }
}

/// The value that a reply is, if it is one: structured content, or one text that is JSON or nothing else.
fn labelled(result: &Node) -> Option<serde_json::Value> {
    let structured = result.get("structuredContent").map(Node::to_json);
    let texts: Vec<&Node> = match result.get("content").map(|content| &content.value) {
        Some(Data::List(items)) => items.iter().collect(),
        Some(_) => return None,
        None => Vec::new(),
    };
    match (structured, texts.as_slice()) {
        (Some(value), []) => Some(value),
        (structured, [one]) => {
            let text = one.get("text")?.as_text()?;
            let read: serde_json::Value =
                serde_json::from_str(text).unwrap_or_else(|_| serde_json::Value::from(text.as_ref()));
            // Words beside the structured part are read as well.
            structured.is_none_or(|value| value == read).then_some(read)
        }
        _ => None,
    }
}
