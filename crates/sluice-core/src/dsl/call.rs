//! `call`: actions of connectors, HTTP, and the catalogued functions that change labels.

use std::sync::Arc;

use crate::document::{CodeInfo, Data, Fields, Node, closest};
use crate::dsl::codes::{
    AUTHENTICATION, CALL_A2A, CALL_ASYNCAPI, CALL_GRPC, CALL_MCP, CALL_OPENAPI, FUNCTION, HTTP_OPTION,
    UNKNOWN_REFERENCE,
};
use crate::dsl::task::Task;
use crate::dsl::uri::Uri;
use crate::dsl::workflow::Lower;
use crate::expression::Expression;
use crate::program::{Builtin, CallTarget, Handle, NodeKind, Use};

/// The protocols of the DSL that have no connector yet.
const PROTOCOLS: [(&str, &CodeInfo); 5] = [
    ("asyncapi", &CALL_ASYNCAPI),
    ("grpc", &CALL_GRPC),
    ("openapi", &CALL_OPENAPI),
    ("mcp", &CALL_MCP),
    ("a2a", &CALL_A2A),
];

const BUILTINS: [Builtin; 3] = [Builtin::Redact, Builtin::Release, Builtin::Endorse];

impl<'t> Lower<'t> {
    pub(super) fn call(&mut self, task: &Task<'_, 't>, node: &'t Node, fields: &mut Fields<'t>) {
        let with = fields.optional("with");
        let target = self.fixed(node, "call").and_then(|name| self.target(node, &name));
        let mut handles = Vec::new();
        let arguments = match &target {
            None => None,
            Some(CallTarget::Http) => self.http(task, with, &mut handles),
            Some(CallTarget::Builtin(_)) => self.builtin(task, with),
            Some(CallTarget::Action { .. }) => self.arguments(task, with, &mut handles),
        };
        if let (Some(target), Some(arguments)) = (target, arguments) {
            let reply = task.raw;
            self.graph.then(node.span, |next| NodeKind::Call { target, arguments, handles, reply, next });
        }
        self.finish(task, None);
    }

    fn target(&mut self, node: &Node, name: &str) -> Option<CallTarget> {
        if name == "http" {
            return Some(CallTarget::Http);
        }
        if let Some(builtin) = BUILTINS.into_iter().find(|b| b.name() == name) {
            return Some(CallTarget::Builtin(builtin));
        }
        if let Some((_, code)) = PROTOCOLS.iter().find(|(protocol, _)| *protocol == name) {
            self.out.push(code.at(node.span, format!("`call: {name}` is not supported")));
            return None;
        }
        let defined = self.components.functions.iter().any(|f| f.key.as_ref() == name);
        if defined || name.contains(['@', ':', '/']) {
            self.out.push(FUNCTION.at(node.span, format!("function `{name}` is not supported")));
            return None;
        }
        match name.split_once('.') {
            Some((connector, action)) if !connector.is_empty() && !action.is_empty() => {
                Some(CallTarget::Action { connector: connector.into(), action: action.into() })
            }
            _ => {
                let mut message = format!("`{name}` is no function, and no action `connector.action`");
                let mut known: Vec<&str> = self.components.functions.iter().map(|f| f.key.as_ref()).collect();
                known.push("http");
                for builtin in BUILTINS {
                    known.push(builtin.name());
                }
                if let Some(word) = closest(name, known) {
                    message.push_str(&format!("; did you mean `{word}`?"));
                }
                self.out.push(UNKNOWN_REFERENCE.at(node.span, message));
                None
            }
        }
    }

    /// The arguments of an action: whatever its contract names.
    fn arguments(&mut self, task: &Task<'_, 't>, with: Option<&'t Node>, handles: &mut Vec<Handle>) -> Option<Use> {
        match with {
            None => Some(Self::constant(&serde_json::json!({}), task.input, task.span)),
            Some(node) => {
                let arguments = self.filled("with", node, handles)?;
                self.bound(arguments, &task.sight)
            }
        }
    }

    /// A map of arguments. Handles are read here and nowhere deeper: a contract grants a secret to a whole argument.
    fn filled(&mut self, what: &str, node: &Node, handles: &mut Vec<Handle>) -> Option<Expression> {
        let entries = node.expect_map(what, &mut self.out)?;
        let fields: Vec<_> =
            entries.iter().map(|e| Some((e.key.clone(), self.handle_or_value(&e.key, &e.value, handles)?))).collect();
        Some(Expression::object(fields.into_iter().collect::<Option<_>>()?, node.span))
    }

    fn handle_or_value(&mut self, argument: &Arc<str>, node: &Node, handles: &mut Vec<Handle>) -> Option<Expression> {
        let Some(secret) = self.handle(node) else { return self.value(node) };
        let shown = Expression::literal(&Handle::shown(&secret), node.span);
        handles.push(Handle { argument: argument.clone(), secret, span: node.span });
        Some(shown)
    }

    fn builtin(&mut self, task: &Task<'_, 't>, with: Option<&'t Node>) -> Option<Use> {
        let Some(node) = with else {
            self.bad(task.span, "the call needs `with: { entry, value }`");
            return None;
        };
        let mut fields = Fields::of(node, "`with`", &mut self.out)?;
        let entry = fields.required("entry", &mut self.out);
        let value = fields.required("value", &mut self.out);
        fields.finish(&mut self.out);
        let name = entry.and_then(|node| self.fixed(node, "entry"));
        (value.is_some() && name.is_some()).then_some(())?;
        self.structure(node, &task.sight)
    }

    /// `{method, endpoint, parameters?, headers?, query?, body?}`.
    fn http(&mut self, task: &Task<'_, 't>, with: Option<&'t Node>, handles: &mut Vec<Handle>) -> Option<Use> {
        let Some(node) = with else {
            self.bad(task.span, "`call: http` needs `with: { method, endpoint }`");
            return None;
        };
        let mut fields = Fields::of(node, "`with`", &mut self.out)?;
        let method = fields.required("method", &mut self.out).and_then(|n| self.method(n));
        let endpoint = fields.required("endpoint", &mut self.out).and_then(|n| self.endpoint(n));
        let mut arguments = vec![method];
        match endpoint {
            None => arguments.push(None),
            Some(uri) => {
                arguments.push(Some(("endpoint".into(), uri.endpoint)));
                arguments.extend(uri.parameters.map(|parameters| Some(("parameters".into(), parameters))));
            }
        }
        for name in ["headers", "query", "body"] {
            if let Some(node) = fields.optional(name) {
                let is_map = matches!(node.value, Data::Map(_));
                // Their fields are the contract's arguments; so is a body that is one argument as a whole.
                let value = match name {
                    _ if is_map => self.filled(name, node, handles),
                    "body" => self.handle_or_value(&name.into(), node, handles),
                    _ => self.value(node),
                };
                arguments.push(value.map(|value| (name.into(), value)));
            }
        }
        self.http_options(&mut fields);
        fields.finish(&mut self.out);
        let arguments = arguments.into_iter().collect::<Option<Vec<_>>>()?;
        self.bound(Expression::object(arguments, node.span), &task.sight)
    }

    fn method(&mut self, node: &Node) -> Option<(Arc<str>, Expression)> {
        node.expect_name("method", &mut self.out)?;
        Some(("method".into(), self.value(node)?))
    }

    fn endpoint(&mut self, node: &'t Node) -> Option<Uri> {
        let uri = if node.as_text().is_some() {
            node
        } else {
            let mut fields = Fields::of(node, "an endpoint", &mut self.out)?;
            let uri = fields.required("uri", &mut self.out);
            if let Some(entry) = fields.entry("authentication") {
                self.out.push(AUTHENTICATION.at(entry.key_span, "`authentication` is not supported"));
            }
            fields.finish(&mut self.out);
            uri?
        };
        self.uri(uri)
    }

    /// Options that change what a reply is: only their defaults are supported.
    fn http_options(&mut self, fields: &mut Fields<'t>) {
        if let Some(node) = fields.optional("output") {
            let words = [("raw", false), ("content", true), ("response", false)];
            if node.expect_word("output", &words, &mut self.out) == Some(false) {
                self.out.push(HTTP_OPTION.at(node.span, "only `output: content` is supported"));
            }
        }
        if let Some(node) = fields.optional("redirect")
            && node.expect_bool("redirect", &mut self.out) == Some(true)
        {
            self.out.push(HTTP_OPTION.at(node.span, "`redirect: true` is not supported"));
        }
    }
}
