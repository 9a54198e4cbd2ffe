//! Which kinds of sensitive data the names of fields, tables and endpoints give away.

use std::collections::{BTreeMap, BTreeSet};

use sluice_core::label::Name;

/// Kinds of data by the words of names.
#[derive(Clone, Debug, Default)]
pub struct Lexicon {
    /// By category, as read: an override replaces a category whole.
    categories: BTreeMap<Name, Vec<Vec<Name>>>,
    /// Categories by the first word of a phrase, each with the words that must follow.
    phrases: BTreeMap<Name, Vec<(Vec<Name>, Name)>>,
}

impl Lexicon {
    /// The categories that any of some names belongs to.
    ///
    /// A name is read as words (`birth_date`, `birthDate`, `Birth Date` are all `birth date`), and a phrase of the
    /// lexicon must stand in it as whole words, the last one perhaps in the plural.
    #[must_use]
    pub fn classify(&self, names: &[&str]) -> BTreeSet<Name> {
        names.iter().flat_map(|name| self.classify_one(&words(name))).collect()
    }

    fn classify_one(&self, words: &[String]) -> Vec<Name> {
        let mut found = Vec::new();
        for at in 0..words.len() {
            let rest = words.get(at..).unwrap_or_default();
            let Some(first) = rest.first() else { break };
            let singular = first.strip_suffix('s').unwrap_or(first);
            for phrases in [first.as_str(), singular].iter().filter_map(|word| self.phrases.get(*word)) {
                let fits = phrases.iter().filter(|(phrase, _)| begins(rest, phrase));
                found.extend(fits.map(|(_, category)| category.clone()));
            }
        }
        found
    }

    /// Every category that it can give.
    pub fn categories(&self) -> impl Iterator<Item = &Name> {
        self.categories.keys()
    }

    pub(super) fn add(&mut self, fields: BTreeMap<Name, Vec<Name>>) {
        for (category, phrases) in fields {
            let phrases = phrases.iter().map(|p| words(p).into_iter().map(Name::from).collect()).collect();
            self.categories.insert(category, phrases);
        }
        self.phrases.clear();
        for (category, phrases) in &self.categories {
            for phrase in phrases {
                if let Some(first) = phrase.first() {
                    self.phrases.entry(first.clone()).or_default().push((phrase.clone(), category.clone()));
                }
            }
        }
    }
}

/// Whether some words begin with a phrase, its last word perhaps in the plural.
fn begins(words: &[String], phrase: &[Name]) -> bool {
    let Some((last, before)) = phrase.split_last() else { return false };
    let Some(word) = words.get(before.len()) else { return false };
    let fits = word.as_str() == last.as_ref() || word.strip_suffix('s') == Some(last);
    fits && words.iter().zip(before).all(|(word, wanted)| word.as_str() == wanted.as_ref())
}

/// The words of a name, in lower case: split where case or kind of character changes.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut characters = name.chars().peekable();
    let mut before = ' ';
    while let Some(c) = characters.next() {
        let begins_word = c.is_uppercase() && (before.is_lowercase() || before.is_numeric());
        let ends_acronym =
            c.is_uppercase() && before.is_uppercase() && characters.peek().is_some_and(|next| next.is_lowercase());
        if (begins_word || ends_acronym || !c.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}
