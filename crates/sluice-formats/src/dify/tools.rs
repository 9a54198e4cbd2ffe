//! What Dify's tools do: a table that is data, `connectors/dify/tools.yaml`.
//!
//! Tools are plugins that anybody can write. One that no entry fits is understood by its verb, and is assumed.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use sluice_core::catalogue::Usage;
use sluice_core::document::{self, Data, Node as Tree};
use sluice_core::gate::Effect;
use sluice_core::label::Name;
use sluice_core::text::Text;

use super::read::{is_on, list, text_at};
use crate::import::{Confidence, Kind, Source, Tier};

const TABLE: &str = include_str!("../../../../connectors/dify/tools.yaml");

/// What is known of a tool.
#[derive(Clone, Debug)]
pub(super) struct Known {
    words: Vec<Arc<str>>,
    /// Words one of which must be in the name of the tool itself.
    verbs: Vec<Arc<str>>,
    pub(super) kind: Kind,
    pub(super) effect: Effect,
    pub(super) privileged: bool,
    pub(super) sink: Option<Name>,
    pub(super) source: Option<Source>,
    pub(super) labels: Vec<Name>,
    parameters: BTreeMap<Name, Option<Usage>>,
    pub(super) confidence: Confidence,
}

impl Known {
    /// What the other side does with a parameter; `None` if nothing leaves.
    pub(super) fn usage(&self, parameter: &str) -> Option<Usage> {
        self.parameters.get(parameter).copied().unwrap_or(Some(Usage::Payload))
    }

    /// Whether it changes anything outside.
    pub(super) fn changes(&self) -> bool {
        self.effect != Effect::Read
    }
}

/// What is known of the tool of a provider.
pub(super) fn look_up(provider: &str, tool: &str) -> Known {
    let (provider, tool) = (provider.to_lowercase(), tool.to_lowercase());
    let whole = format!("{provider}/{tool}");
    let fits = |known: &&Known| {
        let named = known.words.iter().any(|word| has_word(&whole, word));
        named && (known.verbs.is_empty() || known.verbs.iter().any(|verb| has_word(&tool, verb)))
    };
    table().iter().find(fits).cloned().unwrap_or_else(|| assumed(&tool))
}

/// Whether the name holds the word, not as a part of another.
fn has_word(name: &str, word: &str) -> bool {
    let ends = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphabetic());
    name.match_indices(word).any(|(at, _)| {
        let before = name.get(..at).and_then(|s| s.chars().next_back());
        let after = name.get(at + word.len()..).and_then(|s| s.chars().next());
        ends(before) && ends(after)
    })
}

/// By its verb.
fn assumed(tool: &str) -> Known {
    const WRITES: [&str; 14] = [
        "create", "update", "delete", "remove", "write", "add", "send", "post", "upload", "insert", "publish", "set",
        "append", "execute",
    ];
    let writes = WRITES.iter().any(|verb| has_word(tool, verb));
    Known {
        words: Vec::new(),
        verbs: Vec::new(),
        kind: Kind::Action,
        effect: if writes { Effect::Write } else { Effect::Read },
        privileged: false,
        sink: writes.then(|| "http".into()),
        source: None,
        labels: Vec::new(),
        parameters: BTreeMap::new(),
        confidence: Confidence::Assumed,
    }
}

#[expect(clippy::expect_used, reason = "the table is part of the program, and a test reads it")]
fn table() -> &'static [Known] {
    static TOOLS: OnceLock<Vec<Known>> = OnceLock::new();
    TOOLS.get_or_init(|| {
        let tree = document::read(&Text::new("connectors/dify/tools.yaml", TABLE)).expect("the table is YAML");
        list(tree.get("tools")).iter().map(|tree| entry(tree).expect("every word of the table is known")).collect()
    })
}

fn entry(tree: &Tree) -> Option<Known> {
    let words = |key: &str| list(tree.get(key)).iter().filter_map(|t| t.as_text().cloned()).collect();
    let effect =
        Effect::ALL.into_iter().find(|e| text_at(tree, &["effect"]).is_some_and(|t| t.as_ref() == e.name()))?;
    let source = match (text_at(tree, &["source"]), text_at(tree, &["trust"])) {
        (Some(kind), Some(trust)) => Some(Source { kind: kind.clone(), tier: tier(trust)? }),
        _ => None,
    };
    let mut parameters = BTreeMap::new();
    if let Some(Data::Map(entries)) = tree.get("parameters").map(|p| &p.value) {
        for entry in entries {
            parameters.insert(entry.key.clone(), usage(entry.value.as_text()?)?);
        }
    }
    Some(Known {
        words: words("words"),
        verbs: words("verbs"),
        kind: if text_at(tree, &["kind"]).is_some() { Kind::Command } else { Kind::Action },
        effect,
        privileged: is_on(tree, &["privileged"]),
        sink: text_at(tree, &["sink"]).cloned(),
        source,
        labels: words("labels"),
        parameters,
        confidence: Confidence::Known,
    })
}

fn tier(word: &str) -> Option<Tier> {
    [Tier::Internal, Tier::Conditional, Tier::Indirect, Tier::Direct].into_iter().find(|tier| tier.name() == word)
}

fn usage(word: &str) -> Option<Option<Usage>> {
    Some(Some(match word {
        "none" => return Some(None),
        "recipient" => Usage::Recipient,
        "url" => Usage::Url,
        "query" => Usage::Query,
        "command" => Usage::Command,
        "code" => Usage::Code,
        "prompt" => Usage::Prompt,
        "object" => Usage::Object,
        "payload" => Usage::Payload,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_found_by_words_of_their_names() {
        for (provider, tool, effect, confidence) in [
            ("tavily", "tavily_search", Effect::Read, Confidence::Known),
            ("langgenius/email/email", "send_mail", Effect::Notify, Confidence::Known),
            ("gmail", "list_messages", Effect::Read, Confidence::Known),
            ("code", "simple_code", Effect::Execute, Confidence::Known),
            ("timely", "blackboard", Effect::Read, Confidence::Assumed),
            ("acme", "delete_user", Effect::Write, Confidence::Assumed),
        ] {
            let known = look_up(provider, tool);
            assert_eq!((known.effect, known.confidence), (effect, confidence), "{provider}/{tool}");
        }
        assert_eq!(look_up("code", "simple_code").usage("code"), Some(Usage::Code));
        assert_eq!(look_up("slack", "post").usage("hook_key"), None);
    }
}
