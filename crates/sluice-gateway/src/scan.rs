//! Hidden instructions in what a server says of its tools.
//!
//! A model reads names, descriptions and schemas as it reads a person's request, and people rarely see them. The scan looks
//! for characters that nobody sees, for words that are meant for the model and not for the reader of a manual, and for
//! things worth a look. What only an attack needs withholds the tool, until a person has seen that very definition and
//! pinned it; the rest is told. It finds what is plain. A clever description passes it, which is why every call is gated.

mod characters;
mod folded;
mod words;

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::tools::Tool;

/// Most characters of one text that are looked at: nobody reads a longer one.
const TEXT_CHARS_MAX: usize = 50_000;
/// Longest description that a person reads to its end.
const DESCRIPTION_CHARS_MAX: usize = 4_000;
/// Most characters around what was found that are shown.
const EXCERPT_CHARS_MAX: usize = 80;

/// What was found, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Its place in the definition: `inputSchema.properties.to.description`.
    pub place: String,
    /// What it is.
    pub kind: Kind,
    /// The words, as they stand there.
    pub excerpt: String,
}

/// What can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Characters without a form.
    Invisible,
    /// Characters that turn the order of others around.
    Bidirectional,
    /// Characters that commanded terminals.
    Control,
    /// Words far below or beside what is seen first.
    FarAway,
    /// A text that nobody reads to its end.
    Endless,
    /// Marks by which models tell who speaks.
    Marker,
    /// A word against the rules that the model was given.
    Override,
    /// A word that something should be kept from the person.
    Conceal,
    /// An order to hand over what no argument is for.
    HandOver,
    /// An order that changes what another tool is given, or where it sends.
    Redirect,
    /// An order to the model, as many harmless servers give.
    Order,
    /// Another tool of the same server by its name.
    OtherTool,
    /// A file in which secrets are kept.
    SecretFile,
    /// A long stretch that is no words.
    Encoded,
    /// A word of letters from two scripts that look alike.
    MixedScript,
    /// A long description.
    Long,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 16] = [
        Self::Invisible,
        Self::Bidirectional,
        Self::Control,
        Self::FarAway,
        Self::Endless,
        Self::Marker,
        Self::Override,
        Self::Conceal,
        Self::HandOver,
        Self::Redirect,
        Self::Order,
        Self::OtherTool,
        Self::SecretFile,
        Self::Encoded,
        Self::MixedScript,
        Self::Long,
    ];

    /// Its name for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// Whether a tool is withheld for it until a person has seen it.
    #[must_use]
    pub const fn withholds(self) -> bool {
        self.row().1
    }

    /// What it means, for people.
    #[must_use]
    pub const fn explanation(self) -> &'static str {
        self.row().2
    }

    const fn row(self) -> (&'static str, bool, &'static str) {
        match self {
            Self::Invisible => ("invisible", true, "characters that nobody sees and a model reads"),
            Self::Bidirectional => {
                ("bidirectional", true, "what a person sees stands in another order than what a model reads")
            }
            Self::Control => {
                ("control", true, "characters that no description needs and that can hide words on a terminal")
            }
            Self::FarAway => ("far-away", true, "words after so much empty space that nobody sees them"),
            Self::Endless => ("endless", true, "longer than anybody reads"),
            Self::Marker => ("marker", true, "marks by which a model tells whose words it reads"),
            Self::Override => ("override", true, "it speaks against the instructions that the model was given"),
            Self::Conceal => ("conceal", true, "something should be kept from the person"),
            Self::HandOver => ("hand-over", true, "the model should hand over what the tool has no use for"),
            Self::Redirect => {
                ("redirect", true, "the model should use other tools differently, or send things elsewhere")
            }
            Self::Order => ("order", false, "it tells the model what to do, as many harmless servers do"),
            Self::OtherTool => ("other-tool", false, "it speaks of another tool of the server"),
            Self::SecretFile => ("secret-file", false, "secrets are kept in files of this name"),
            Self::Encoded => ("encoded", false, "a long stretch that people cannot read"),
            Self::MixedScript => ("mixed-script", false, "a word of letters from two scripts that look alike"),
            Self::Long => ("long", false, "few people read so much to its end"),
        }
    }
}

/// Looks at everything that a server says of a tool.
#[must_use]
pub fn scan(tool: &Tool) -> Vec<Found> {
    let mut found = BTreeSet::new();
    each_text(&tool.definition, "", &mut |place, text| look(place, text, &mut found));
    found.into_iter().collect()
}

/// Looks at a text that a server says to the model beside its tools.
#[must_use]
pub fn scan_text(place: &str, text: &str) -> Vec<Found> {
    let mut found = BTreeSet::new();
    look(place, text, &mut found);
    found.into_iter().collect()
}

/// Where a tool speaks of others by their names.
#[must_use]
pub fn mentions<'n>(tool: &Tool, names: impl IntoIterator<Item = &'n str>) -> Vec<Found> {
    let names: Vec<&str> = names.into_iter().filter(|name| *name != tool.name && is_telling(name)).collect();
    let mut found = BTreeSet::new();
    each_text(&tool.definition, "", &mut |place, text| {
        let text = first(text);
        // Most names are one word, and are looked up: a server may list thousands.
        let words: BTreeSet<&str> = folded::plain_words(text).collect();
        let is_named = |name: &&&str| match folded::plain_words(name).next() {
            Some(word) if word.len() == name.len() => words.contains(word),
            Some(word) => words.contains(word) && folded::stands_alone(text, name),
            None => false,
        };
        let named = names.iter().filter(is_named);
        found.extend(named.map(|name| Found {
            place: place.to_owned(),
            kind: Kind::OtherTool,
            excerpt: (*name).to_owned(),
        }));
    });
    found.into_iter().collect()
}

/// Why a tool is withheld, if it is: the first reason, in words.
#[must_use]
pub fn withheld(tool: &Tool) -> Option<String> {
    let found = scan(tool);
    let worst = found.iter().filter(|found| found.kind.withholds()).min_by_key(|found| found.kind)?;
    Some(format!("in its `{}`: {} ({})", worst.place, worst.kind.explanation(), worst.kind.name()))
}

/// A name that is a word of every language is no mention of a tool.
fn is_telling(name: &str) -> bool {
    let inner = name.get(1..).unwrap_or_default();
    name.len() >= 4 && (name.contains(['_', '-', '.', '/']) || inner.chars().any(char::is_uppercase))
}

fn look(place: &str, text: &str, out: &mut BTreeSet<Found>) {
    let seen = first(text);
    let mut put = |kind: Kind, at: std::ops::Range<usize>| {
        out.insert(Found { place: place.to_owned(), kind, excerpt: excerpt(seen, at) });
    };
    if seen.len() < text.len() {
        put(Kind::Endless, 0..seen.len());
    } else if place.ends_with("description") && seen.chars().count() > DESCRIPTION_CHARS_MAX {
        put(Kind::Long, 0..seen.len());
    }
    characters::look(seen, &mut put);
    words::look(seen, &mut put);
}

fn first(text: &str) -> &str {
    let end = text.char_indices().nth(TEXT_CHARS_MAX).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or_default()
}

/// What stands there, not too much of it.
fn excerpt(text: &str, at: std::ops::Range<usize>) -> String {
    let stretch = text.get(at).unwrap_or_default();
    let mut shown: String = stretch.chars().take(EXCERPT_CHARS_MAX).collect();
    if shown.len() < stretch.len() {
        shown.push('…');
    }
    shown
}

/// Every key and every text of a definition, with its place.
fn each_text(value: &Json, place: &str, look: &mut impl FnMut(&str, &str)) {
    match value {
        Json::String(text) => look(place, text),
        Json::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                each_text(item, &format!("{place}[{number}]"), look);
            }
        }
        Json::Object(fields) => {
            for (key, value) in fields {
                let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
                look(&place, key);
                each_text(value, &place, look);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

#[cfg(test)]
mod tests;
