//! What a tool probably does, from its name, its hints, its description and its arguments.
//!
//! Hints only ever count against a tool, but for `readOnlyHint`, which counts where nothing else speaks against it. A tool
//! that reads and tells somebody else, or asks somebody outside the house, does more than read.

#[cfg(test)]
mod tests;

use sluice_core::gate::{Effect, Role};

use super::argument::{self, Argument};
use super::described::{says_that_it_acts, speaks_of_change};
use super::lexicon::{
    CHECKS, CODE, DESTROY, ENDINGS, EXECUTE, GRANT, LOOKS, List, MONEY, NOUNS, OUTSIDE, PAY, PHRASES, RIGHTS, SEND,
    STANDING, STATES, SWITCHED, SWITCHES, THINGS, WRITE,
};
use crate::tools::Tool;

/// What a tool probably does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guess {
    /// To the world.
    pub effect: Effect,
    /// Whether it destroys, pays, hands out rights or runs code.
    pub privileged: bool,
    /// What each argument decides.
    pub arguments: Vec<(String, Role)>,
    /// Of what leaves: the argument that says where to.
    pub destination: Option<String>,
    /// From what this was guessed.
    pub why: String,
}

/// Why something counts as reading that has no name which says so.
pub(super) const SAID_TO_READ: &str = "its server says that it only reads";

/// What a tool probably does.
#[must_use]
pub fn guess(tool: &Tool) -> Guess {
    let arguments = argument::of(tool);
    let Does { effect, is_privileged: privileged, is_followed, why } = does(tool, &arguments);
    let place = |wanted: Role| arguments.iter().find(|a| a.role == wanted).map(|a| a.name.clone());
    let destination =
        if effect.is_outbound() { place(Role::Destination).or_else(|| place(Role::Recipient)) } else { None };
    let effect = match (effect.is_outbound(), &destination) {
        // Nothing says where to: it stays with the server, which may show it to anybody.
        (true, None) => Effect::Write,
        _ => effect,
    };
    // What nobody knows better decides which, where much hangs on it.
    let role = |a: &Argument| match a.role {
        // What a rule or a note of a memory says is done later.
        Role::Payload if is_followed => Role::Command,
        Role::Payload if privileged && !a.is_text() => Role::Reference,
        known => known,
    };
    let arguments = arguments.iter().map(|a| (a.name.clone(), role(a))).collect();
    Guess { effect, privileged, arguments, destination, why }
}

const UNKNOWN: &str = "nothing says what it does, so it may do anything";

struct Does {
    effect: Effect,
    is_privileged: bool,
    /// Whether what it says is done later, again and again.
    is_followed: bool,
    why: String,
}

impl Does {
    fn new(effect: Effect, is_privileged: bool, why: String) -> Self {
        Self { effect, is_privileged, is_followed: false, why }
    }
}

fn does(tool: &Tool, arguments: &[Argument]) -> Does {
    let operation = operation(&tool.name);
    let destroys = tool.hint("destructiveHint") == Some(true);
    let named = named(&words(&tool.name), &operation, destroys);
    let statement = arguments.iter().find(|a| a.is_statement() || a.role == Role::Command && runs(tool));
    if let Some(any) = statement.filter(|_| named.as_ref().is_none_or(|does| !does.is_privileged)) {
        return Does::new(Effect::Execute, true, format!("it runs what its caller writes into `{}`", any.name));
    }
    if let Some(does) = named {
        return does;
    }
    let is_read =
        clauses(&operation).all(|clause| reads(clause).is_some_and(|found| is_borne_out(&found, tool, arguments)));
    let read = clauses(&operation).find_map(reads).filter(|_| is_read);
    let read = read.map(|found| said(&found, "reads, and nothing in it changes anything"));
    let Some(why) = read.or_else(|| said_to_read(tool, arguments)).filter(|_| !destroys) else {
        return Does::new(Effect::Write, true, UNKNOWN.to_owned());
    };
    if let Some((argument, is_grave)) = arguments.iter().find_map(switched_on) {
        return Does::new(
            Effect::Write,
            is_grave,
            format!("it changes something where its caller says so in `{argument}`"),
        );
    }
    if arguments.iter().any(|a| a.role == Role::Destination) {
        let why = "it reads from a place that its caller names, and so can tell that place anything";
        return Does::new(Effect::Export, false, why.to_owned());
    }
    if let Some(told) = arguments.iter().find(|a| a.tells()) {
        return Does::new(
            Effect::Export,
            false,
            format!("it reads, and tells whom its caller names in `{}`", told.name),
        );
    }
    if let Some(outside) = outside(tool, arguments) {
        return Does::new(Effect::Export, false, format!("it reads, and {outside}, who so learns what is asked"));
    }
    Does::new(Effect::Read, false, why)
}

/// Whether a description says that something is run: `code` alone may be that of a country.
fn runs(tool: &Tool) -> bool {
    const RUNS: List =
        List::of("run runs execute executes executed evaluate evaluates python javascript snippet interpreter");
    words(description(tool)).iter().any(|word| RUNS.has(word))
}

/// The word by which what is done only reads.
fn reads(clause: &[String]) -> Option<String> {
    let first = clause.first().filter(|word| LOOKS.has(word) || CHECKS.has(word) || STATES.has(word));
    // Behind the name of a service, or of what is looked through.
    let at = clause.iter().position(|word| LOOKS.has(word));
    let later = at.filter(|at| {
        let before = clause.get(..*at).unwrap_or_default();
        let is_quiet = before.iter().all(|word| NOUNS.has(word) || !is_deed(word));
        is_quiet && (at + 1 < clause.len() || clause.get(*at).is_some_and(|word| ENDINGS.has(word)))
    });
    first.or_else(|| clause.get(later?)).cloned()
}

pub(super) fn is_deed(word: &str) -> bool {
    CHANGES.iter().any(|list| list.has(word))
}

/// Whether a word of reading is all that there is. `check` and its like are said of deeds too, so of them nothing else may
/// speak of more; what `get` and its like are said of only reads, unless its description says in so many words what it does.
fn is_borne_out(found: &str, tool: &Tool, arguments: &[Argument]) -> bool {
    if LOOKS.has(found) { !says_that_it_acts(description(tool)) } else { is_quiet(tool, arguments, &[Role::Command]) }
}

/// Why a tool reads of which only its server says so: nothing that it takes or says of itself speaks of more.
fn said_to_read(tool: &Tool, arguments: &[Argument]) -> Option<String> {
    let is_said = tool.hint("readOnlyHint") == Some(true);
    (is_said && is_quiet(tool, arguments, &[Role::Command, Role::Recipient])).then(|| SAID_TO_READ.to_owned())
}

/// Whether nothing that a tool takes or says of itself speaks of more than reading: words for people, or one of these roles.
fn is_quiet(tool: &Tool, arguments: &[Argument], more: &[Role]) -> bool {
    let takes_more = |a: &Argument| more.contains(&a.role) || a.is_text();
    let said = description(tool);
    !arguments.iter().any(takes_more) && !speaks_of_change(said) && !says_that_it_acts(said)
}

/// An argument by which a caller makes a tool that reads do more, and whether that destroys something.
fn switched_on(argument: &Argument) -> Option<(&str, bool)> {
    let acting = argument.switches().find(|(words, is_switch)| {
        let is_deed = |word: &str| [DESTROY, SEND, PAY, GRANT, SWITCHED].iter().any(|list| list.has(word));
        let deed = |(at, word): (usize, &String)| is_deed(word) && (at == 0 || !THINGS.has(word));
        words.iter().any(|word| SWITCHES.has(word)) || *is_switch && words.iter().enumerate().any(deed)
    });
    acting.map(|(words, is_switch)| {
        (argument.name.as_str(), is_switch && words.iter().any(|word| DESTROY.has(word) && !THINGS.has(word)))
    })
}

const CHANGES: [List; 6] = [WRITE, DESTROY, SEND, PAY, GRANT, EXECUTE];

/// What the words of a name say that is done, but for reading.
fn named(words: &[String], operation: &[String], destroys: bool) -> Option<Does> {
    let verb = |list: List| verb(operation, list).or_else(|| verb_alone(words, operation, list));
    let changes = [WRITE, DESTROY, PAY, SEND, GRANT].into_iter().find_map(&verb);
    let thing = |list: List| words.iter().find(|word| list.has(word)).cloned();
    let in_name = |found: &String, what: &str| said(found, what);
    if let Some(found) = verb(EXECUTE) {
        return Some(Does::new(Effect::Execute, true, in_name(&found, "runs something")));
    }
    // `list_users` reads them: only together with a word of change.
    let money = changes.as_ref().and_then(|_| thing(MONEY));
    if let Some(found) = verb(PAY).or(money) {
        return Some(Does::new(Effect::Export, true, in_name(&found, "moves money")));
    }
    // Who is sent something gets no rights by that, but who is shared with does.
    let hands_out = verb(WRITE).or_else(|| verb(DESTROY)).or_else(|| changes.clone().filter(|word| word == "share"));
    let rights = hands_out.and_then(|_| thing(RIGHTS));
    if let Some(found) = verb(GRANT).or(rights) {
        return Some(Does::new(Effect::Grant, true, in_name(&found, "hands out rights")));
    }
    if let Some(found) = verb(DESTROY) {
        return Some(Does::new(Effect::Write, true, in_name(&found, "destroys something")));
    }
    if let Some(found) = verb(CODE) {
        return Some(Does::new(Effect::Write, true, in_name(&found, "changes what is run later")));
    }
    let sent = verb(SEND);
    if let Some(found) = changes.as_ref().filter(|_| sent.is_none()).and_then(|_| thing(STANDING)) {
        let why = in_name(&found, "goes on acting after it was changed");
        return Some(Does { is_followed: true, ..Does::new(Effect::Write, true, why) });
    }
    if let Some(found) = sent {
        return Some(Does::new(Effect::Export, false, in_name(&found, "sends something")));
    }
    let phrase = |pair: &&[&str; 2]| operation.windows(2).any(|two| two == pair.as_slice());
    let found = verb(WRITE).or_else(|| PHRASES.iter().find(phrase).map(|pair| pair.join("_")));
    found.map(|found| Does::new(Effect::Write, destroys, in_name(&found, "changes something")))
}

fn said(found: &str, what: &str) -> String {
    format!("`{found}` in its name {what}")
}

/// The words of the last part of a name: `calendar.list_events` lists them, `git_status` tells one.
fn operation(name: &str) -> Vec<String> {
    let parts = name.rsplit(['.', '/', ':']).map(words);
    let mut operation: Vec<String> = parts.into_iter().find(|words| !words.is_empty()).unwrap_or_default();
    if operation.len() > 1 && operation.first().is_some_and(|word| word == "git") {
        operation.remove(0);
    }
    operation
}

/// What is done one after the other, or one or the other: `get_or_create`.
fn clauses(words: &[String]) -> impl Iterator<Item = &[String]> {
    words.split(|word| matches!(word.as_str(), "and" | "or" | "then")).filter(|clause| !clause.is_empty())
}

/// A word of a list that is what is done here. A word that is also a thing is none behind a word of reading
/// (`list_messages`) or before one that ends (`mail_search`); nothing that is read is run.
fn verb(operation: &[String], list: List) -> Option<String> {
    clauses(operation).find_map(|clause| {
        let reads = clause.iter().position(|word| LOOKS.has(word));
        let reads = reads.or_else(|| clause.first().filter(|word| CHECKS.has(word)).map(|_| 0));
        let ends_in_look = clause.len() > 1 && clause.last().is_some_and(|word| ENDINGS.has(word));
        let is_thing = |at: usize, word: &str| match reads {
            Some(reads) if reads < at => THINGS.has(word) || EXECUTE.has(word),
            _ => ends_in_look && NOUNS.has(word),
        };
        let found = clause.iter().enumerate().find(|(at, word)| list.has(word) && !is_thing(*at, word));
        found.map(|(_, word)| word.clone())
    })
}

/// A verb in the parts before the last, where that says nothing: `delete.file`.
fn verb_alone(words: &[String], operation: &[String], list: List) -> Option<String> {
    let lists = [LOOKS, CHECKS, STATES, EXECUTE, GRANT, PAY, DESTROY, SEND, WRITE];
    let says = operation.iter().any(|word| lists.iter().any(|list| list.has(word)));
    if says { None } else { verb(words, list) }
}

fn description(tool: &Tool) -> &str {
    tool.definition.get("description").and_then(serde_json::Value::as_str).unwrap_or_default()
}

/// Whom outside the house a tool asks, as its server says.
fn outside(tool: &Tool, arguments: &[Argument]) -> Option<String> {
    // Servers of services say that of all that they do: somebody is told something by words alone.
    let takes_words = arguments.iter().any(Argument::takes_words);
    if tool.hint("openWorldHint") == Some(true) && takes_words {
        return Some("its server says that it asks others".to_owned());
    }
    let name = words(&tool.name);
    if name.iter().any(|word| word == "public") {
        return Some("`public` in its name says that it asks others".to_owned());
    }
    let text = format!(" {} {} ", name.join(" "), words(description(tool)).join(" "));
    let found = OUTSIDE.phrases().find(|phrase| text.contains(&format!(" {phrase} ")));
    found.map(|phrase| format!("`{phrase}` in its description says that it asks others"))
}

/// Longest text whose words are looked at: a listing is somebody else's.
const WORDS_CHARS_MAX: usize = 4_000;

/// The words of a name in small letters: `sendEmail`, `send_email`, `HTTPGet`.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let letters: Vec<char> = name.chars().take(WORDS_CHARS_MAX).collect();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let after = letters.get(at + 1);
        let is_first = letter.is_uppercase()
            && (before.is_some_and(|b| b.is_lowercase() || b.is_numeric())
                || before.is_some_and(|b| b.is_uppercase())
                    && after.is_some_and(|a| a.is_lowercase())
                    && !ends_acronym(letters.get(at + 1..).unwrap_or_default()));
        if !letter.is_alphanumeric() || is_first {
            words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty()));
        }
        if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        }
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}

/// `URLs` is one word.
fn ends_acronym(rest: &[char]) -> bool {
    rest.first() == Some(&'s') && rest.get(1).is_none_or(|next| !next.is_lowercase())
}
