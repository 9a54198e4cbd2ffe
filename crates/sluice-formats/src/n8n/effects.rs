//! Calls: what a node sends, and what comes back.
//!
//! A call and its reply are two nodes: what an outsider wrote can choose what is looked up, but the reply of a service
//! is the service's own word. (Of a fetched URL it is not: whoever chooses the host writes the reply.)

use std::sync::Arc;

use sluice_core::catalogue::{ReplyRule, Usage};
use sluice_core::document::{Data, Node as Tree};
use sluice_core::expression::Expression;
use sluice_core::gate::Effect;
use sluice_core::label::{Label, Name};
use sluice_core::program::PlaceId;
use sluice_core::text::Span;

use super::lower::{Lowering, Sight};
use super::parameters::{Leaf, is_expression};
use super::read::Node;
use crate::wiring::{Does, Sent, place_variable};

impl Lowering<'_, '_> {
    /// A node that calls a service.
    pub(super) fn effect(&mut self, i: usize, sight: Sight) {
        let span = self.span(i);
        let sent = self.sent(i, sight);
        let is_open = self.workflow.nodes.get(i).is_some_and(fetches);
        let is_model =
            self.workflow.nodes.get(i).and_then(url_text).is_some_and(|url| !keeps_files(url)) && self.asks_model(i);
        let is_made_of = |sent: &&Sent| match sent.usage {
            // Whoever chooses the host writes the reply.
            Usage::Url => is_open,
            // A model answers with its prompt in other words.
            usage => is_model && matches!(usage, Usage::Prompt | Usage::Payload | Usage::Document),
        };
        let made_of: Vec<Expression> = sent.iter().filter(is_made_of).map(|s| s.value.clone()).collect();
        self.call(i, sent, sight);
        self.reply(i, sight, made_of, span);
    }

    /// Everything that a node sends, by parameter; what is injected as it stands apart from what merely travels.
    pub(super) fn sent(&mut self, i: usize, sight: Sight) -> Vec<Sent> {
        let mut sent = Vec::new();
        for leaf in self.leaves_of(i).iter() {
            self.send(i, leaf, sight, &mut sent);
        }
        let span = self.span(i);
        if self.sends_item(i) {
            let usage = if self.asks_model(i) && !self.only_writes_down(i) { Usage::Prompt } else { Usage::Payload };
            sent.push(Sent { name: "item".into(), usage, value: Expression::input(span) });
        }
        if let Some(words) = sight.words.filter(|_| self.changes_something(i)) {
            let words = place_variable(words, span);
            sent.push(Sent { name: "agent".into(), usage: Usage::Agent, value: words });
        }
        if self.is_powerful(i) {
            let events = self.started_by(i).into_iter().map(|t| place_variable(self.room(t).out, span)).collect();
            sent.push(Sent { name: "trigger".into(), usage: Usage::Trigger, value: Expression::opaque(events, span) });
        }
        sent
    }

    fn send(&mut self, i: usize, leaf: &Leaf<'_>, sight: Sight, sent: &mut Vec<Sent>) {
        let Some(text) = leaf.text().cloned() else { return };
        let usage = self.usage(i, leaf);
        let always = self.is_always_evaluated(i, leaf);
        let Some(usage) = usage else { return };
        let usage = self.within_host(i, leaf, usage);
        if is_expression(&text) || always {
            let translated = self.translate(i, leaf.tree, always, sight);
            if !matches!(usage, Usage::Payload | Usage::Prompt | Usage::Recipient | Usage::Agent) {
                let value = translated.injectable();
                let name: Name = format!("{} (as text)", leaf.path).into();
                match value.text_before("/").filter(|_| usage == Usage::Url) {
                    // What stands before the first slash chooses the host, and nothing behind it does.
                    Some((host, path)) => {
                        sent.push(Sent { name: name.clone(), usage, value: host });
                        sent.push(Sent { name: format!("{name} (path)").into(), usage: Usage::Path, value: path });
                    }
                    None => sent.push(Sent { name, usage, value }),
                }
                sent.push(Sent { name: leaf.path.clone(), usage: Usage::Payload, value: translated.expression });
            } else {
                sent.push(Sent { name: leaf.path.clone(), usage, value: translated.expression });
            }
        } else if matches!(usage, Usage::Url | Usage::Host | Usage::Query | Usage::Command)
            || usage == Usage::Path && self.is_filled(i, &text)
        {
            let constant = Expression::literal(&serde_json::Value::String(text.to_string()), leaf.tree.span);
            sent.push(Sent { name: leaf.path.clone(), usage, value: self.with_model_words(i, &text, constant, sight) });
        }
    }

    /// A URL whose host the text names is open only behind it; and what an HTTP body calls a prompt is one.
    pub(super) fn within_host(&self, i: usize, leaf: &Leaf<'_>, usage: Usage) -> Usage {
        match usage {
            Usage::Url if self.workflow.nodes.get(i).is_some_and(|node| fixed_host(node).is_some()) => Usage::Path,
            Usage::Payload | Usage::Document if is_http(self, i) && self.is_prompt(i, leaf) => Usage::Prompt,
            other => other,
        }
    }

    /// Whether what a node sends goes to a model.
    fn asks_model(&self, i: usize) -> bool {
        self.known(i).and_then(|k| k.sink.clone()).is_some_and(|sink| sink.as_ref() == "llm")
            || self.workflow.nodes.get(i).and_then(url_text).is_some_and(|url| names_model_api(url))
    }

    /// Whether a model writes down what is said in a recording: nothing in it is followed.
    pub(super) fn only_writes_down(&self, i: usize) -> bool {
        let url = self.workflow.nodes.get(i).and_then(url_text);
        let action = self.known(i).map(|known| known.action.as_ref()).unwrap_or_default();
        matches!(action, "audio/transcribe" | "audio/translate" | "speech/transcribe")
            || url.is_some_and(|url| url.contains("/audio/transcriptions") || url.contains("/speech-to-text"))
    }

    fn is_prompt(&self, i: usize, leaf: &Leaf<'_>) -> bool {
        let to_model = self.asks_model(i) && !self.only_writes_down(i);
        let named = leaf.path.strip_suffix("value").map(|before| format!("{before}name"));
        let leaves = self.leaves_of(i);
        let name = named.and_then(|path| leaves.iter().find(|l| l.path.as_ref() == path.as_str()));
        let is_named = name.and_then(Leaf::text).is_some_and(|n| matches!(n.as_ref(), "prompt" | "messages"));
        let is_body = leaf.key().to_lowercase().contains("body") || leaf.path.to_lowercase().contains("body");
        is_named || to_model && is_body
    }

    /// `{name}` of a tool's text is filled by the model.
    fn with_model_words(&self, i: usize, text: &str, constant: Expression, sight: Sight) -> Expression {
        let Some(words) = sight.words.filter(|_| self.is_filled(i, text)) else { return constant };
        let span = constant.span;
        let (before, _) = text.split_once('{').unwrap_or((text, ""));
        let parts = vec![
            sluice_core::expression::TextPart::Literal(before.into()),
            sluice_core::expression::TextPart::Expression(place_variable(words, span)),
        ];
        Expression::text(parts, span)
    }

    fn is_filled(&self, i: usize, text: &str) -> bool {
        self.short_type(i) == "toolHttpRequest" && text.contains('{')
    }

    /// Writes the call of a node, and the action that it calls.
    pub(super) fn call(&mut self, i: usize, sent: Vec<Sent>, sight: Sight) {
        let known = self.known(i);
        let (effect, privileged) =
            known.map_or((Effect::Read, false), |k| (k.effect, k.privileged || k.effect.is_privileged()));
        let (name, span) = (self.action_name(i), self.span(i));
        self.wires.call(&name, Does { effect, privileged }, sent, sight.item, span);
    }

    /// Writes what a node puts out after its call.
    pub(super) fn reply(&mut self, i: usize, sight: Sight, made_of: Vec<Expression>, span: Span) {
        let out = self.room(i).out;
        let from = self.known(i).map_or(ReplyRule::Replace, |known| known.output);
        if from == ReplyRule::Echo {
            self.assign(out, Expression::input(span), sight);
            return;
        }
        self.receive(i, out, span);
        if made_of.is_empty() && from == ReplyRule::Replace {
            return;
        }
        let mut parts = vec![place_variable(out, span)];
        if !made_of.is_empty() {
            parts.push(Expression::opaque(made_of, span));
        }
        let came = Expression::one_of(parts, span);
        let value = if from == ReplyRule::Merge { Expression::input(span).merged(came) } else { came };
        self.assign(out, value, sight);
    }

    /// The reply alone: the service's own word, or an outsider's, as the catalogue has it.
    pub(super) fn receive(&mut self, i: usize, place: PlaceId, span: Span) {
        let name = self.name(i);
        let whole = super::classify::of_whole(self, i);
        let categories = self.wires.categories(&name, &whole);
        let mut parts = Vec::new();
        for (field, classes) in super::classify::of_fields(self, i) {
            let label = self.wires.categories(&name, &classes);
            parts.extend(field.patterns().into_iter().map(|pattern| (pattern, label)));
        }
        let origin = match self.source(i) {
            Some(_) => self.wires.origin(&name),
            None => Label::BOTTOM,
        };
        let action = self.action_name(i);
        self.wires.receive_object(&action, (categories, origin), parts, place, span);
    }

    /// The action of a node. Names of nodes are unique but where a file is broken; then the later ones are numbered.
    pub(super) fn action_name(&self, i: usize) -> Name {
        let name = self.name(i);
        let node = self.workflow.nodes.get(i);
        let last = node.and_then(|node| self.workflow.file_of(i)?.by_name.get(&node.short));
        let is_first = last.is_none_or(|known| *known == i);
        if is_first { name } else { format!("{name} #{i}").into() }
    }
}

/// Whether a node calls any host.
pub(super) fn is_http(lowering: &Lowering<'_, '_>, i: usize) -> bool {
    let short = lowering.short_type(i);
    short.starts_with("httpRequest") || short == "toolHttpRequest"
}

/// Whether a URL is of an API that many servers of models have in common: on one's own machine, or behind a proxy.
fn names_model_api(url: &str) -> bool {
    const APIS: [&str; 6] =
        ["/api/generate", "/api/chat", "/chat/completions", "/v1/completions", "/v1/responses", ":generateContent"];
    let path = url.split(['?', '#']).next().unwrap_or_default().trim_end_matches(['/', ' ', '"', '\'', '`']);
    APIS.iter().any(|api| path.ends_with(api))
}

/// Whether a URL is where a service keeps files: what it answers is what it calls them.
fn keeps_files(url: &str) -> bool {
    url.split(['?', '#']).next().unwrap_or_default().split('/').any(|part| matches!(part, "files" | "uploads"))
}

/// Whether a node downloads what somebody has sent to a messenger: from where it keeps files, or with its account from a URL
/// that it gave.
pub(super) fn takes_sent_file(node: &Node<'_>) -> bool {
    const KEPT: [&str; 2] = ["api.telegram.org/file/", "files.slack.com/"];
    const ACCOUNTS: [&str; 6] =
        ["whatsAppApi", "telegramApi", "slackApi", "slackOAuth2Api", "discordBotApi", "microsoftTeamsOAuth2Api"];
    let Some(url) = url_text(node) else { return false };
    let method = ["method", "requestMethod"].iter().find_map(|key| super::parameters::text_at(node.parameters, key));
    let account = super::parameters::text_at(node.parameters, "nodeCredentialType");
    let is_given = is_expression(url) && fixed_host(node).is_none();
    method.is_none_or(|method| method == "GET")
        && (KEPT.iter().any(|place| url.contains(place))
            || is_given && account.is_some_and(|account| ACCOUNTS.contains(&account.as_str())))
}

/// The URL of a node that calls any host.
fn url_text<'n>(node: &'n Node<'_>) -> Option<&'n Arc<str>> {
    let short = node.node_type.rsplit('.').next().unwrap_or_default();
    let is_http = short.starts_with("httpRequest") || short == "toolHttpRequest";
    node.parameters.filter(|_| is_http)?.get("url").and_then(Tree::as_text)
}

/// The host that a node's URL names, in lower case, where no expression writes a part of it.
pub(super) fn fixed_host(node: &Node<'_>) -> Option<String> {
    let text = url_text(node)?;
    let head = text.trim_start_matches('=').split("{{").next().unwrap_or_default();
    let whole = !text.starts_with('=') || !text.contains("{{");
    let (_, rest) = head.split_once("://")?;
    let end = rest.find(['/', '?', '#', ':']).or(whole.then_some(rest.len()))?;
    rest.get(..end).map(str::to_lowercase)
}

/// What a request asks for as its text writes it out: the parts of the path behind the host, and the `Action` of services
/// that have one path for all.
pub(super) fn endpoint<'n>(node: &'n Node<'_>) -> impl Iterator<Item = &'n str> {
    let text = url_text(node).map(AsRef::as_ref).unwrap_or_default();
    let behind = text.split_once("://").map_or(text, |(_, rest)| rest);
    let path = behind.split(['?', '#']).next().unwrap_or_default();
    let parts = path.split('/').skip(1).filter(|part| !part.contains(['{', '}', '$', '(']));
    parts.chain(["bodyParameters", "queryParameters"].into_iter().filter_map(|list| action_of(node, list)))
}

fn action_of<'n>(node: &'n Node<'_>, list: &str) -> Option<&'n str> {
    let listed = node.parameters?.get(list)?.get("parameters")?;
    let Data::List(pairs) = &listed.value else { return None };
    let is_action = |pair: &&Tree| pair.get("name").and_then(Tree::as_text).is_some_and(|n| n.as_ref() == "Action");
    pairs.iter().find(is_action)?.get("value").and_then(Tree::as_text).map(AsRef::as_ref)
}

/// Whether a node calls a host that its text does not name.
pub(super) fn fetches(node: &Node<'_>) -> bool {
    url_text(node).is_some_and(|text| is_expression(text)) && fixed_host(node).is_none()
}
