//! `call: http`: the contract action that a method and an endpoint name.
//!
//! An endpoint is a constant, or a constant template whose parameters are values of their own. So which action is
//! called is known before the run, and each parameter keeps its label: it becomes an argument and says nothing
//! about the others. Only where a parameter stands against a fixed part of a contract's path does its value choose.

use std::sync::Arc;

use crate::catalogue::{Action, Catalogue};
use crate::label::Label;
use crate::transfer::call::Breach;
use crate::value::{Data, Kinds, Value};

/// `call: http` must match exactly one action; path, query and body become its arguments.
pub(super) fn find(catalogue: &Catalogue, arguments: Value) -> (Option<&Action>, Value, Option<Breach>) {
    let part = |name: &str| arguments.child(name);
    let method = part("method").and_then(|v| v.as_text().map(str::to_owned));
    let endpoint = part("endpoint").and_then(|v| v.as_text().map(str::to_owned));
    let (Some(method), Some(url)) = (method, endpoint) else {
        return (None, arguments, Some(Breach::UnknownEndpoint));
    };
    let template = Template { parameters: part("parameters") };
    let (bare, inline_query) = url.split_once('?').unwrap_or((&url, ""));
    let Search { chosen, matching } = template.search(catalogue, &method, bare);
    let (action, path) = match <[_; 1]>::try_from(matching) {
        Ok([Match { action, path, certain: true }]) => (action, path),
        Ok(_) => return (None, with_choice(arguments, chosen), Some(Breach::UnknownEndpoint)),
        Err(matching) => {
            let breach = match matching.as_slice() {
                [] => Breach::Uncatalogued { what: format!("{} {bare}", method.to_uppercase()) },
                several if several.iter().all(|m| m.certain) => {
                    Breach::Ambiguous { actions: several.iter().map(|m| m.action.full_name()).collect() }
                }
                _ => Breach::UnknownEndpoint,
            };
            return (None, with_choice(arguments, chosen), Some(breach));
        }
    };
    let url_label = part("endpoint").map_or(Label::BOTTOM, |v| v.deep_label()).join(chosen);
    let mut fields: Vec<(Arc<str>, Value)> = path.into_iter().map(|(n, v)| (n, v.raised(url_label))).collect();
    for (name, value) in inline_query.split('&').filter_map(|pair| pair.split_once('=')) {
        fields.push((name.into(), template.expanded(value).raised(url_label)));
    }
    let mut sent = Sent { fields, shape: Label::BOTTOM, breach: None };
    for name in ["query", "body"] {
        let whole = name == "body" && action.arguments.contains_key("body");
        if let Some(value) = part(name) {
            sent.add(action, name, value, whole);
        }
    }
    if part("headers").is_some_and(|h| !matches!(h.data, Data::Null)) {
        // Headers carry credentials and routing: the contract sets them, never the definition.
        sent.breach = Some(Breach::UnknownArgument { argument: "headers".to_owned() });
    }
    let method_label = part("method").map_or(Label::BOTTOM, |v| v.deep_label());
    let label = Label::join_all([arguments.label, method_label, url_label, sent.shape]);
    (Some(action), Value::object(label, sent.fields), sent.breach)
}

/// The parts of a call as arguments of its contract.
struct Sent {
    fields: Vec<(Arc<str>, Value)>,
    /// What decided which arguments there are.
    shape: Label,
    breach: Option<Breach>,
}

impl Sent {
    /// Adds the query or the body: as the one argument `body`, or each of its fields as an argument of its own.
    fn add(&mut self, action: &Action, name: &str, value: Value, whole: bool) {
        match &value.data {
            // Also if it is `null`: where its label stands must not depend on what it is.
            _ if whole => self.add_field("body".into(), value),
            Data::Null => self.shape = self.shape.join(value.label),
            Data::Object(inner) => {
                self.shape = self.shape.join(value.label);
                for (key, field) in inner.iter() {
                    self.add_field(key.clone(), field.clone().raised(value.label));
                }
            }
            Data::Unknown(shape) if !shape.kinds.and(Kinds::OBJECT).is_empty() => {
                self.shape = self.shape.join(value.label);
                // Nothing but a handle fills an argument that takes a secret, and a run holds that against it.
                for (key, _) in action.arguments.iter().filter(|(_, argument)| argument.secret.is_none()) {
                    if let Some(field) = value.child(key).filter(|_| !self.has(key)) {
                        self.fields.push((key.clone(), field));
                    }
                }
                // It may have other fields too, or be something else.
                self.breach = Some(Breach::UnknownValue { argument: name.into() });
            }
            _ => self.breach = Some(Breach::UnknownArgument { argument: name.to_owned() }),
        }
    }

    /// An argument has one value: a second one would be sent instead of that which the endpoint was found by.
    fn add_field(&mut self, key: Arc<str>, value: Value) {
        if self.has(&key) {
            self.breach = Some(Breach::UnknownArgument { argument: key.to_string() });
        } else {
            self.fields.push((key, value));
        }
    }

    fn has(&self, key: &str) -> bool {
        self.fields.iter().any(|(k, _)| k.as_ref() == key)
    }
}

/// What chose the endpoint is known of the endpoint.
fn with_choice(arguments: Value, chosen: Label) -> Value {
    match (&arguments.data, arguments.child("endpoint")) {
        (Data::Object(fields), Some(endpoint)) => {
            let mut fields = (**fields).clone();
            fields.insert("endpoint".into(), endpoint.raised(chosen));
            Value::new(arguments.label, Data::Object(Arc::new(fields)))
        }
        _ => arguments,
    }
}

struct Search<'a> {
    /// The labels of parameters whose value decided, or may decide, whether an action matches.
    chosen: Label,
    matching: Vec<Match<'a>>,
}

struct Match<'a> {
    action: &'a Action,
    path: Vec<(Arc<str>, Value)>,
    /// Whether it matches whatever is not known yet.
    certain: bool,
}

/// How one segment meets one of a contract.
enum Meeting {
    Same,
    Argument(Arc<str>, Value),
    /// Only a run can tell.
    Perhaps,
    Different,
}

struct Template {
    /// By name; `None` if the endpoint is no template, and braces in it are only characters.
    parameters: Option<Value>,
}

impl Template {
    fn search<'a>(&self, catalogue: &'a Catalogue, method: &str, url: &str) -> Search<'a> {
        let mut search = Search { chosen: Label::BOTTOM, matching: Vec::new() };
        for action in catalogue.actions.values() {
            let Some(endpoint) = &action.endpoint else { continue };
            let path = url.strip_prefix(endpoint.base.as_ref());
            let Some(path) = path.filter(|_| endpoint.method.eq_ignore_ascii_case(method)) else { continue };
            let path = path.split('#').next().unwrap_or_default();
            search.matching.extend(self.matched(action, &endpoint.path, path, &mut search.chosen));
        }
        search
    }

    fn matched<'a>(&self, action: &'a Action, wanted: &str, given: &str, chosen: &mut Label) -> Option<Match<'a>> {
        let (wanted, given): (Vec<&str>, Vec<&str>) = (wanted.split('/').collect(), given.split('/').collect());
        let mut found = Match { action, path: Vec::new(), certain: wanted.len() == given.len() };
        found.certain.then_some(())?;
        // Constants first: a parameter decides nothing where they differ already.
        let met = wanted.into_iter().zip(given).map(|(wanted, given)| self.meet(wanted, given));
        let met: Vec<(Meeting, Label)> = met.collect();
        let fixed =
            |(meeting, label): &(Meeting, Label)| matches!(meeting, Meeting::Different) && *label == Label::BOTTOM;
        if met.iter().any(fixed) {
            return None;
        }
        for (_, label) in &met {
            *chosen = chosen.join(*label);
        }
        for (meeting, _) in met {
            match meeting {
                Meeting::Same => {}
                Meeting::Argument(name, value) => found.path.push((name, value)),
                Meeting::Perhaps => found.certain = false,
                Meeting::Different => return None,
            }
        }
        Some(found)
    }

    /// How a segment meets one of a contract, and the label of what decided it.
    fn meet(&self, wanted: &str, given: &str) -> (Meeting, Label) {
        let computed = self.is_computed(given);
        let value = self.expanded(given);
        let name = wanted.strip_prefix('{').and_then(|w| w.strip_suffix('}'));
        match (name, value.as_text()) {
            // A dot segment or a slash would name another path than the one that was matched.
            (Some(_), Some(text)) if matches!(text, "" | "." | "..") || text.contains('/') => {
                (Meeting::Different, value.label)
            }
            (Some(name), _) => (Meeting::Argument(name.into(), value), Label::BOTTOM),
            (None, _) if !computed && given == wanted => (Meeting::Same, Label::BOTTOM),
            (None, Some(text)) if computed && text == wanted => (Meeting::Same, value.label),
            (None, None) => (Meeting::Perhaps, value.label),
            (None, Some(_)) => (Meeting::Different, value.label),
        }
    }

    fn is_computed(&self, text: &str) -> bool {
        self.parameters.is_some() && text.contains('{')
    }

    /// A part of the endpoint with its parameters' values, under their labels.
    fn expanded(&self, text: &str) -> Value {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(parameters) = &self.parameters
            && let Some((before, after)) = rest.split_once('{')
            && let Some((name, after)) = after.split_once('}')
        {
            let parameter = parameters.child(name).unwrap_or_else(|| Value::unknown(Label::TOP, Kinds::TEXT));
            parts.extend([decoded(before), parameter]);
            rest = after;
        }
        parts.push(decoded(rest));
        let label = Label::join_all(parts.iter().map(Value::deep_label));
        match parts.iter().map(Value::as_text).collect::<Option<String>>() {
            Some(text) => Value::text(label, text),
            None => Value::unknown(label, Kinds::TEXT),
        }
    }
}

fn decoded(text: &str) -> Value {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
    Value::text(Label::BOTTOM, decoded.unwrap_or(text.into()))
}

#[cfg(test)]
pub(crate) mod tests;
