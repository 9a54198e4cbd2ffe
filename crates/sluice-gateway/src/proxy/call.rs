//! Calls of tools and reads of resources and prompts: asked about before they are sent on. And the plan.

use sluice_core::document::{Data, Node};
use sluice_runtime::session::{Tools, Verdict};
use tokio::io::AsyncWrite;

use super::ladder::Asked;
use super::{HEADER_MISMATCH, INVALID_PARAMS, Proxy, ProxyError, SERVER_ERROR};
use crate::frame::{Frame, Id};
use crate::pending::Awaited;
use crate::{mirrored, planning, reply};

impl<W: AsyncWrite + Unpin, S: AsyncWrite + Unpin> Proxy<'_, W, S> {
    pub(super) async fn call(&self, frame: Frame, id: Id) -> Result<(), ProxyError> {
        let head = self.heads.as_ref().map(|heads| heads.take(&id));
        let (frame, is_again) = self.ladder.opened(frame);
        let params = frame.member("params");
        let named = params.and_then(|params| params.get("name")?.as_text().cloned());
        let arguments = match params.and_then(|params| params.get("arguments")) {
            None => Some(serde_json::json!({})),
            Some(node) if matches!(node.value, Data::Map(_)) => Some(node.to_json()),
            Some(_) => None,
        };
        let node = params.and_then(|params| params.get("arguments"));
        if frame.has_half_characters() || node.is_some_and(|node| frame.has_longer_numbers(node)) {
            let why = "SL900: half a character, or a number with more digits than readers keep: these are taken for \
                       different things";
            return self.tell_agent(&reply::error(Some(&id), INVALID_PARAMS, why)).await;
        }
        let (Some(name), Some(arguments)) = (named, arguments) else {
            let why = "a call names its tool, and its arguments are an object";
            return self.tell_agent(&reply::error(Some(&id), INVALID_PARAMS, &format!("SL900: {why}"))).await;
        };
        if let Some(member) = params.and_then(|params| self.unjudged(params)) {
            let why = format!("SL915: `{member}` has no place in a call: what is not judged is not sent on");
            return self.tell_agent(&reply::error(Some(&id), INVALID_PARAMS, &why)).await;
        }
        if let Err(error) = self.know_tools(&frame).await {
            self.note(&error.to_string());
            return self.tell_agent(&reply::denied(&frame, &id, error.code())).await;
        }
        if self.is_withdrawn(&id) {
            return Ok(());
        }
        let arguments_of = frame.member("params").and_then(|params| params.get("arguments"));
        let agreed = head.map(|head| mirrored::agree(&head, self.offers.borrow().mirrored(&name), arguments_of));
        if let Some(Err(why)) = agreed {
            return self.tell_agent(&reply::error(Some(&id), HEADER_MISMATCH, &format!("SL972: {why}"))).await;
        }
        // Before a permit, which is recorded: one that cannot be used would look like a call in doubt.
        if self.asked.borrow().is_full() {
            return self.too_many(&id).await;
        }
        if &*name == planning::PLAN && self.terms.mandate.request.is_some() {
            return self.plan(&frame, &id, &arguments).await;
        }
        let (connector, action) = self.offers.borrow().action_of(&name);
        let verdict = match self.ask(&connector, &action, &arguments).await {
            Ok(verdict) => verdict,
            Err(error) => {
                self.tell_agent(&reply::denied(&frame, &id, "SL906")).await?;
                return Err(error);
            }
        };
        match verdict {
            Verdict::Permitted(call) => {
                let token = call.take().token;
                self.forward(&frame, id, Awaited::Call(token)).await
            }
            Verdict::Held { approval, why } => {
                self.note(&format!("held: `{name}` waits for a person ({approval}): {why}"));
                let asked = Asked { tool: name.to_string(), connector, action, arguments };
                self.hold(frame, id, asked, approval, is_again).await
            }
            Verdict::Denied { code, why } => {
                let (code, why) = self.offers.borrow().refusal(&name).unwrap_or((code, why));
                self.note(&format!("denied: `{name}`: {code}: {why}"));
                self.tell_agent(&reply::denied(&frame, &id, &code)).await
            }
        }
    }

    /// A member of a call's parameters that is neither judged nor the protocol's own. What a server asked for in the middle
    /// of a call comes with the next attempt, and only once it has asked.
    fn unjudged(&self, params: &Node) -> Option<String> {
        let Data::Map(members) = &params.value else { return None };
        let is_known = |key: &str| match key {
            "name" | "arguments" | "_meta" | "task" => true,
            "inputResponses" | "requestState" => self.wants_input.get(),
            _ => false,
        };
        members.iter().find(|member| !is_known(&member.key)).map(|member| member.key.to_string())
    }

    /// A resource or a prompt is read: a call like any other, of an action that every server has.
    pub(super) async fn read(&self, frame: Frame, id: Id, method: &str) -> Result<(), ProxyError> {
        let refused = |text: &str| reply::error(Some(&id), SERVER_ERROR, text);
        if let Err(error) = self.know_tools(&frame).await {
            self.note(&error.to_string());
            let is_begun = self.session.lock().await.is_some();
            // A server may have resources and no tools: then nothing but reading is at stake, and no plan.
            return if is_begun {
                self.tell_agent(&refused(&format!("denied by policy: {}", error.code()))).await
            } else {
                self.forward(&frame, id, Awaited::Words).await
            };
        }
        if self.is_withdrawn(&id) {
            return Ok(());
        }
        if self.asked.borrow().is_full() {
            return self.too_many(&id).await;
        }
        let what = without_meta(frame.member("params").map(Node::to_json).unwrap_or_default());
        let whose = self.offers.borrow().read_of(method, what);
        let Some((connector, what)) = whose else {
            let why = "SL917: no server of this gateway has that";
            return self.tell_agent(&reply::error(Some(&id), INVALID_PARAMS, why)).await;
        };
        let verdict = match self.ask(&connector, method, &what).await {
            Ok(verdict) => verdict,
            Err(error) => {
                self.tell_agent(&refused("denied by policy: SL906")).await?;
                return Err(error);
            }
        };
        match verdict {
            Verdict::Permitted(call) => {
                let token = call.take().token;
                self.forward(&frame, id, Awaited::Call(token)).await
            }
            Verdict::Held { approval, .. } => {
                self.tell_agent(&refused(&format!("approval required: approval_id={approval}"))).await
            }
            Verdict::Denied { code, why } => {
                self.note(&format!("denied: `{method}`: {code}: {why}"));
                self.tell_agent(&refused(&format!("denied by policy: {code}"))).await
            }
        }
    }

    /// The agent lays down its plan.
    pub(super) async fn plan(&self, frame: &Frame, id: &Id, arguments: &serde_json::Value) -> Result<(), ProxyError> {
        let laid = {
            let mut session = self.session.lock().await;
            let Some(session) = session.as_mut() else {
                return self.tell_agent(&reply::denied(frame, id, "SL906")).await;
            };
            let by_name = |tool: &str| self.offers.borrow().action_of(tool);
            let of_connector = |connector: &str, tool: &str| self.offers.borrow().action_at(connector, tool);
            session.lay_down(arguments, &Tools { by_name: &by_name, of_connector: &of_connector }).await?
        };
        let (text, is_error) = planning::told(&laid);
        self.tell_agent(&reply::result(frame, id, &text, is_error)).await
    }

    /// Nobody else may wait for the session once this returns: whoever then writes to the server may wait for it to read.
    pub(super) async fn ask(
        &self,
        connector: &str,
        action: &str,
        arguments: &serde_json::Value,
    ) -> Result<Verdict, ProxyError> {
        let mut session = self.session.lock().await;
        let Some(session) = session.as_mut() else {
            return Ok(Verdict::Denied { code: "SL906".to_owned(), why: "there is no session".to_owned() });
        };
        Ok(session.ask(connector, action, arguments).await?)
    }
}

/// The parameters that a server reads; what stands in `_meta` is the protocol's own.
fn without_meta(mut params: serde_json::Value) -> serde_json::Value {
    if let Some(fields) = params.as_object_mut() {
        fields.remove("_meta");
    }
    params
}
