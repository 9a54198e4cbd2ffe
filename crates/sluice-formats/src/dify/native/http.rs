//! `http-request`: a contract per method and path of a host that the text names.

use sluice_core::catalogue::Usage;
use sluice_core::document::{Data, Node as Tree};

use super::super::effects::{is_reference, method_effect};
use super::super::read::{at, list, text_at, word};
use super::super::refer::refers;
use super::{Sight, Writer};
use crate::native::{ActionDraft, Header, Piece, Reached, Refused, Request, Task, Untold, Value, is_method, slug};

impl<'t> Writer<'_, 't> {
    pub(super) fn http(&mut self, i: usize, sight: &Sight) -> Result<Vec<Task>, Refused> {
        let data = self.data(i)?;
        let method = text_at(data, &["method"]).map_or("GET".to_owned(), |method| method.to_uppercase());
        if !is_method(&method) {
            let help = "call it with a method that a contract can name";
            return Err(self.refuse(i, "a method that no contract has", help));
        }
        if at(data, &["ssl_verify"]).is_some_and(|verify| verify.value == Data::Bool(false)) {
            return Err(self.refuse(i, "a request that trusts any certificate", "let it check certificates"));
        }
        let mut request = Request::default();
        let pieces = match data.get("url").map(|url| self.text(i, url, sight)).transpose()? {
            Some(Value::Constant(serde_json::Value::String(text))) => vec![Piece::Literal(text)],
            Some(Value::Text(pieces)) => pieces,
            _ => Vec::new(),
        };
        let (base, host) = request.url(&pieces).map_err(|untold| self.untold(i, untold))?;
        for (name, value, tree) in pairs(data.get("params")) {
            let value = self.words(i, &value, tree.span, sight)?;
            request.queried(&name, Some(Usage::Payload), value).map_err(|untold| self.untold(i, untold))?;
        }
        for (name, value, tree) in pairs(data.get("headers")) {
            let value = self.words(i, &value, tree.span, sight)?;
            let made = request.header(&name, Some(Usage::Payload), value);
            self.header(i, &name, made)?;
        }
        if text_at(data, &["authorization", "type"]).is_some_and(|kind| kind.as_ref() != "no-auth") {
            request.has_credential = true;
            self.dropped(i, "its authorization is not carried over; keep its value with `sluice secret set`, as the connector's credential");
        }
        if data.get("timeout").is_some_and(|timeout| matches!(&timeout.value, Data::Map(times) if !times.is_empty())) {
            self.dropped(i, "its times to wait are not carried over");
        }
        self.body(i, data, &method, &mut request, sight)?;
        request.sending.told.exact = true;
        let name = request.action(&method);
        let draft = ActionDraft {
            path: request.path.clone(),
            query: request.query,
            headers: request.headers,
            body: request.body,
            method,
            ..self.draft(i, method_effect(data), &request.sending)
        };
        let connector = slug(&host);
        if self.desk.contracts.is_ambiguous(&connector, &draft) {
            let what = "a request to the method and path of another one, which differs from it in its data";
            return Err(self.refuse(i, what, "write one action that fits both, and call it twice"));
        }
        let action = self.desk.contracts.add(&connector, &Reached::At(base), request.has_credential, &name, draft);
        self.call(i, action, request.sending, sight)
    }

    fn untold(&mut self, i: usize, untold: Untold) -> Refused {
        self.refuse(i, untold.what, untold.help)
    }

    fn dropped(&mut self, i: usize, words: &str) {
        let name = self.low.name(i);
        self.desk.note(format!("`{name}`: {words}"));
    }

    fn header(&mut self, i: usize, name: &str, made: Result<Header, Untold>) -> Result<(), Refused> {
        let words = match made {
            Ok(Header::Sent | Header::Framing) => return Ok(()),
            Ok(Header::Credential) => {
                "is not carried over; keep its value with `sluice secret set`, as the connector's credential"
            }
            Ok(Header::Dropped) => "is not carried over",
            Err(untold) => return Err(self.untold(i, untold)),
        };
        self.dropped(i, &format!("the header `{name}` {words}"));
        Ok(())
    }

    /// A JSON body that is the same in every run, or one value alone.
    fn body(
        &mut self,
        i: usize,
        data: &Tree,
        method: &str,
        request: &mut Request,
        sight: &Sight,
    ) -> Result<(), Refused> {
        let kind = text_at(data, &["body", "type"]).map_or("none", AsRef::as_ref);
        if kind == "none" {
            return Ok(());
        }
        if kind != "json" || matches!(method, "GET" | "HEAD") {
            let help = "send JSON, or call the service by an action of your own";
            return Err(self.refuse(i, "a body that is no JSON: a contract sends JSON", help));
        }
        let Some(body) = at(data, &["body", "data"]) else { return Ok(()) };
        let listed = list(Some(body)).first().and_then(|item| item.get("value"));
        let Some(text) = listed.unwrap_or(body).as_text() else { return Ok(()) };
        let span = listed.unwrap_or(body).span;
        if text.trim().is_empty() {
            return Ok(());
        }
        let value = if is_reference(text) {
            let jq = self.words(i, text.trim(), span, sight)?.to_jq();
            Value::jq(format!("{jq} | if type == \"string\" then fromjson else . end"))
        } else if refers(text) {
            let help = "make the body one value, so that nobody's text can change what it says";
            return Err(self.unlike(i, span, "a JSON body that text is pasted into", help));
        } else {
            match serde_json::from_str(text) {
                Ok(json) => Value::Constant(json),
                Err(_) => return Err(self.unlike(i, span, "a body that is no JSON", "")),
            }
        };
        request.body = Some(request.sending.add("body", Some(Usage::Payload), value));
        Ok(())
    }
}

/// Lines of `name: value`, or a list of pairs.
fn pairs(tree: Option<&Tree>) -> Vec<(String, String, &Tree)> {
    let Some(tree) = tree else { return Vec::new() };
    let of_line = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_owned(), value.trim().to_owned(), tree))
    };
    let listed = list(Some(tree)).iter().filter_map(|item| {
        let value = item.get("value").and_then(word).unwrap_or_default();
        Some((item.get("key").and_then(word)?, value, item))
    });
    let lines = tree.as_text().into_iter().flat_map(|text| text.lines()).filter_map(of_line);
    lines.chain(listed).filter(|(name, ..)| !name.is_empty()).collect()
}
