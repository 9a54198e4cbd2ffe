//! `Http`: a contract per method and path of a host that the text names.

use sluice_core::catalogue::Usage;
use sluice_core::document::{Data, Node as Tree};

use super::super::expression::is_expression;
use super::super::read::{Action, entries};
use super::{Sight, Writer};
use crate::native::{ActionDraft, Header, Piece, Reached, Refused, Request, Task, Untold, Value, is_method, slug};

impl<'t> Writer<'_, 't> {
    pub(super) fn http(&mut self, action: &Action<'t>, sight: &Sight) -> Result<Vec<Task>, Refused> {
        let (Some(room), Some(inputs)) = (self.low.room(action), action.inputs()) else { return Err(Refused) };
        let method = inputs.get("method").and_then(Tree::as_text).map_or("GET".to_owned(), |m| m.to_uppercase());
        if !is_method(&method) {
            let help = "call it with a method that a contract can name";
            return Err(self.refuse(action, action.span, "a method that no contract has", help));
        }
        let mut request = Request::default();
        let pieces = match inputs.get("uri").map(|uri| self.template(action, uri, sight)).transpose()? {
            Some(Value::Constant(serde_json::Value::String(text))) => vec![Piece::Literal(text)],
            Some(Value::Text(pieces)) => pieces,
            _ => Vec::new(),
        };
        let (base, host) = request.url(&pieces).map_err(|untold| self.untold(action, untold))?;
        for entry in entries(inputs.get("queries")) {
            let value = self.template(action, &entry.value, sight)?;
            let usage = room.found.usage("queries");
            request.queried(&entry.key, usage, value).map_err(|untold| self.untold(action, untold))?;
        }
        for entry in entries(inputs.get("headers")) {
            let value = self.template(action, &entry.value, sight)?;
            let header = request.header(&entry.key, room.found.usage("headers"), value);
            self.header(action, &entry.key, header)?;
        }
        if inputs.get("authentication").is_some() {
            request.has_credential = true;
            let name = self.name(action);
            self.desk.note(format!(
                "`{name}`: its authentication is not carried over; keep what it calls with by `sluice secret set`, as the connector's \
                 credential"
            ));
        }
        self.body(action, &method, &mut request, sight)?;
        request.sending.told.powerful = room.found.is_powerful();
        let name = request.action(&method);
        let draft = ActionDraft {
            path: request.path.clone(),
            query: request.query,
            headers: request.headers,
            body: request.body,
            method,
            ..self.draft(action, room, &request.sending)
        };
        let connector = slug(&host);
        if self.desk.contracts.is_ambiguous(&connector, &draft) {
            let what = "a request to the method and path of another one, which differs from it in its data";
            return Err(self.refuse(action, action.span, what, "write one action that fits both, and call it twice"));
        }
        let call = self.desk.contracts.add(&connector, &Reached::At(base), request.has_credential, &name, draft);
        self.call(action, call, request.sending)
    }

    fn untold(&mut self, action: &Action<'_>, untold: Untold) -> Refused {
        self.refuse(action, action.span, untold.what, untold.help)
    }

    fn header(&mut self, action: &Action<'_>, header: &str, made: Result<Header, Untold>) -> Result<(), Refused> {
        let words = match made {
            Ok(Header::Sent | Header::Framing) => return Ok(()),
            Ok(Header::Credential) => {
                "is not carried over; keep its value with `sluice secret set`, as the connector's credential"
            }
            Ok(Header::Dropped) => "is not carried over",
            Err(untold) => return Err(self.untold(action, untold)),
        };
        let name = self.name(action);
        self.desk.note(format!("`{name}`: the header `{header}` {words}"));
        Ok(())
    }

    /// The body: fields as arguments, or one argument that is all of it.
    fn body(&mut self, action: &Action<'t>, method: &str, request: &mut Request, sight: &Sight) -> Result<(), Refused> {
        let Some(body) = action.inputs().and_then(|inputs| inputs.get("body")) else { return Ok(()) };
        let is_json = match &body.value {
            Data::Text(text) => is_expression(text) && !text.contains("@{"),
            Data::Null => return Ok(()),
            _ => true,
        };
        if !is_json || matches!(method, "GET" | "HEAD") {
            let help = "send JSON, or call the service by an action of your own";
            return Err(self.refuse(action, body.span, "a body that is no JSON: a contract sends JSON", help));
        }
        let usage = Some(Usage::Payload);
        match self.template(action, body, sight)? {
            Value::Map(fields) => {
                let fields = fields.into_iter().map(|(name, value)| (name, usage, value)).collect();
                request.fields(method, fields);
            }
            value => request.body = Some(request.sending.add("body", usage, value)),
        }
        Ok(())
    }
}
