//! What the words that a tool says to a model tell of it, where what it does is written in a workflow that is not here.

use sluice_core::gate::Effect;

use super::patterns::Patterns;

/// Most words of a description that are looked at.
const WORDS_MAX: usize = 400;
/// How far behind a verb, or before the word for what is done, the word stands that goes with it.
const NEAR: usize = 5;
/// Verbs of what every tool does: it is called, and it answers.
const OF_ANY_TOOL: [&str; 10] =
    ["call", "use", "run", "perform", "execute", "start", "answer", "respond", "reply", "write"];
/// What is made by writing it: the agent gets it back, and nothing is changed.
const WORDS_ALONE: [&str; 24] = [
    "post", "posts", "blog", "content", "email", "emails", "letter", "letters", "text", "summary", "draft", "drafts",
    "thoughts", "article", "articles", "script", "caption", "prompt", "report", "plan", "outline", "answer",
    "response", "ideas",
];

impl Patterns {
    /// Whether a description says of a tool that it changes something: it is there `to schedule …`, it `sends …`, or it is for any
    /// actions of a kind.
    pub(super) fn says_that_it_acts(&self, description: &str) -> bool {
        let words = description.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let words: Vec<String> = words.take(WORDS_MAX).map(str::to_lowercase).collect();
        words.iter().enumerate().any(|(at, word)| match word.as_str() {
            "action" | "actions" => words.iter().take(at).rev().take(NEAR).any(|before| before == "any"),
            _ => self.is_deed(
                word,
                at.checked_sub(1).and_then(|at| words.get(at)),
                words.get(at + 1..).unwrap_or_default(),
            ),
        })
    }

    fn is_deed(&self, word: &str, before: Option<&String>, behind: &[String]) -> bool {
        let stem = match before.map(String::as_str) {
            None | Some("to") => word,
            Some("tool" | "and" | "it") => match word.strip_suffix('s') {
                Some(stem) => stem,
                None => return false,
            },
            Some(_) => return false,
        };
        let is_of_words = stem == "create" && behind.iter().take(NEAR).any(|word| WORDS_ALONE.contains(&word.as_str()));
        let verb = self.verbs.get(stem).or_else(|| self.verbs.get(word));
        !is_of_words && !OF_ANY_TOOL.contains(&stem) && verb.is_some_and(|verb| verb.effect != Effect::Read)
    }
}

#[cfg(test)]
mod tests {
    use crate::n8n::NodeCatalogue;

    #[test]
    fn a_tool_does_what_its_words_say() {
        let acts = |text: &str| NodeCatalogue::built_in().says_that_it_acts(text);
        for said in [
            "Call this tool for any calendar actions.",
            "Use this to save an expense.",
            "Call this tool to create a meeting with the guests that are named.",
            "This tool sends the text to the customer.",
            "Schedule a visit.",
            "Looks the order up and cancels it.",
        ] {
            assert!(acts(said), "{said}");
        }
        for said in [
            "Call this tool to search the handbook.",
            "Get the tracking number of an order.",
            "Call this tool to create blog posts.",
            "Use it when the user asks for email sequences or wants to know which action is next.",
            "Call this to perform a reverse image search.",
            "",
        ] {
            assert!(!acts(said), "{said}");
        }
    }
}
