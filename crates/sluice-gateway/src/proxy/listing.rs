//! The server's list of tools, asked for in the gateway's own name but in the protocol that the agent speaks.

use sluice_core::document::{Data, Node};
use sluice_runtime::session::AgentSession;
use tokio::io::AsyncWrite;
use tokio::sync::oneshot;

use super::offer::OfferError;
use super::{LISTS_AGAIN_WITHIN, LISTS_WITHIN, PAGES_MAX, Proxy, Terms};
use crate::frame::{Frame, Id};
use crate::pending::Awaited;
use crate::tools::{self, Tool};

impl<W: AsyncWrite + Unpin, S: AsyncWrite + Unpin> Proxy<'_, W, S> {
    /// Lists the server's tools, if it is not known what they are, and begins the session with the first list.
    pub(super) async fn know_tools(&self, call: &Frame) -> Result<(), OfferError> {
        // Before the list: what changes while it is read makes it stale again.
        if !self.is_stale.replace(false) {
            return Ok(());
        }
        let learned = match tokio::time::timeout(self.patience.get(), self.list_all(call)).await {
            Ok(Ok(listed)) => self.learn(&listed).await,
            Ok(Err(error)) => Err(error),
            Err(_) => {
                self.asked.borrow_mut().forget_own();
                self.patience.set(LISTS_AGAIN_WITHIN);
                Err(OfferError::NotListed)
            }
        };
        match &learned {
            Ok(()) => self.patience.set(LISTS_WITHIN),
            Err(_) => self.is_stale.set(true),
        }
        learned
    }

    /// Every page of the list.
    pub(super) async fn list_all(&self, call: &Frame) -> Result<Vec<Tool>, OfferError> {
        let mut listed = Vec::new();
        let mut cursor = None;
        for _ in 0..PAGES_MAX {
            let answer = self.list(call, cursor.as_deref()).await?;
            let page = tools::page(&answer).ok_or(OfferError::NotListed)?;
            listed.extend(page.tools);
            cursor = page.next;
            if cursor.is_none() {
                return Ok(listed);
            }
        }
        Err(OfferError::TooMany)
    }

    pub(super) async fn learn(&self, listed: &[Tool]) -> Result<(), OfferError> {
        let governance = self.offers.borrow_mut().list(self.terms.workspace, listed)?;
        self.note_withheld();
        let mut session = self.session.lock().await;
        match session.as_mut() {
            Some(session) => session.offer(&governance).map_err(|_| OfferError::NotListed)?,
            None => {
                let Terms { workspace, ledger, mandate, .. } = &self.terms;
                let connectors = self.offers.borrow().connectors();
                let begun = AgentSession::begin(workspace, ledger, &governance, &connectors, mandate.clone()).await;
                let mut begun = begun.map_err(|error| OfferError::NotRecorded(error.to_string()))?;
                self.has_read.borrow().iter().for_each(|connector| begun.has_read(connector));
                *session = Some(begun);
            }
        }
        Ok(())
    }

    /// One page of the list, asked for in the gateway's own name but in the protocol that the agent speaks.
    pub(super) async fn list(&self, call: &Frame, cursor: Option<&str>) -> Result<Frame, OfferError> {
        let id = Id::own(self.own.replace(self.own.get() + 1));
        let meta = call.member("params").and_then(|params| params.get("_meta")).filter(|meta| speaks(meta));
        let meta = meta.map(|meta| format!(r#""_meta":{}"#, without_progress(call, meta)));
        let cursor = cursor.map(|cursor| format!(r#""cursor":{cursor}"#));
        let params = meta.into_iter().chain(cursor).collect::<Vec<_>>().join(",");
        let request =
            format!(r#"{{"jsonrpc":"2.0","id":{},"method":"tools/list","params":{{{params}}}}}"#, id.as_json());
        let (tell, told) = oneshot::channel();
        let opened = self.asked.borrow_mut().open(id, Awaited::Own(tell));
        if self.has_left.get() || opened.is_err() || self.tell_server(&request).await.is_err() {
            return Err(OfferError::NotListed);
        }
        told.await.map_err(|_| OfferError::NotListed)
    }
}

/// Whether this is what the protocol without sessions puts into every request.
fn speaks(meta: &Node) -> bool {
    meta.get("io.modelcontextprotocol/protocolVersion").is_some()
}

/// The same without the token under which progress of the agent's own request is told.
fn without_progress(call: &Frame, meta: &Node) -> String {
    let Data::Map(entries) = &meta.value else { return "{}".to_owned() };
    let kept = entries.iter().filter(|entry| entry.key.starts_with("io.modelcontextprotocol/"));
    let pairs: Vec<String> =
        kept.map(|entry| format!("{}:{}", serde_json::Value::from(&*entry.key), call.slice(&entry.value))).collect();
    format!("{{{}}}", pairs.join(","))
}
