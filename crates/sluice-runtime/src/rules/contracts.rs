//! What changed in the contracts: what can be called, what is believed of it, and where it reaches.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use sluice_core::contract::Contract;
use sluice_core::contract::bundle::BundleFiles;
use sluice_core::document;
use sluice_core::label::Name;
use sluice_policy::{Aspect, Growth};

use super::{Change, How, Rules};

/// What words there are for a place of a contract, and which way it grows.
///
/// The paths are those of the file, `*` for a name of its author's choice. The first that fits counts; what none fits may
/// allow more, for nobody has said that it does not.
const PLACES: [(&[&str], Grows); 19] = [
    (&["description"], Grows::Never),
    (&["actions", "*", "description"], Grows::Never),
    (&["actions", "*", "limits", "*"], Grows::WithTheNumber),
    (&["actions", "*", "privileged"], Grows::WhenFalse),
    (&["actions", "*", "effect"], Grows::Always),
    (&["actions", "*", "destination"], Grows::Always),
    (&["actions", "*", "ticket"], Grows::Always),
    (&["actions", "*", "output", "trust", "*"], Grows::WhenTrusted),
    (&["actions", "*", "output", "labels", "*"], Grows::WhenLess),
    (&["actions", "*", "output", "undeclared"], Grows::Always),
    (&["actions", "*", "output", "from"], Grows::Always),
    (&["actions", "*", "arguments", "*", "allow"], Grows::WithTheList),
    (&["credential", "scopes"], Grows::WhenMore),
    (&["credential"], Grows::UnlessGone),
    (&["transport", "mcp", "sandbox", "*"], Grows::WhenMore),
    (&["transport", "mcp", "sandbox"], Grows::WhenGone),
    (&["transport"], Grows::Always),
    (&["owner"], Grows::Unknown),
    (&["region"], Grows::Unknown),
];

/// Which change of a place allows more.
#[derive(Clone, Copy)]
enum Grows {
    Always,
    Never,
    Unknown,
    /// Of something that confines.
    WhenGone,
    UnlessGone,
    /// A larger number, or none at all.
    WithTheNumber,
    /// A longer list, or none at all: without one everything goes.
    WithTheList,
    WhenFalse,
    /// Of whose words a part of a reply is.
    WhenTrusted,
    /// A list of classes that says less, or about a part that was unknown until now.
    WhenLess,
    /// A list that says more.
    WhenMore,
}

pub(super) fn changes(before: &Rules, after: &Rules) -> Vec<Change> {
    let by_name = |rules: &'_ Rules| -> BTreeMap<Name, (Contract, Json)> {
        let contract = |contract: &Contract| {
            (contract.connector.value.clone(), (contract.clone(), text_of(&rules.files, &contract.file)))
        };
        rules.governance.contracts.iter().map(contract).collect()
    };
    let (old, new) = (by_name(before), by_name(after));
    let names: BTreeSet<&Name> = old.keys().chain(new.keys()).collect();
    let mut changes = Vec::new();
    for name in names {
        let (was, is) = (old.get(name), new.get(name));
        let aspects = match (was, is) {
            (Some((_, was)), Some((_, is))) => {
                let mut out = Vec::new();
                compare(&mut Vec::new(), was, is, &mut out);
                out
            }
            (None, Some((contract, _))) => actions(contract, Growth::Yes),
            (Some(_), None) => vec![Aspect::new("nothing of it can be called any more", Growth::No)],
            (None, None) => Vec::new(),
        };
        if !aspects.is_empty() {
            let how = How::of(was.is_some(), is.is_some());
            changes.push(Change { about: "contract", name: name.to_string(), how, aspects });
        }
    }
    changes
}

fn text_of(files: &BundleFiles, file: &str) -> Json {
    let bytes = files.get(file).unwrap_or_default();
    document::read_bytes(file, bytes).map_or(Json::Null, |(_, node)| node.to_json())
}

fn actions(contract: &Contract, growth: Growth) -> Vec<Aspect> {
    let action = |(name, action): (&Name, &sluice_core::contract::connector::ActionContract)| {
        let privileged = if action.privileged { ", privileged" } else { "" };
        Aspect::new(format!("`{name}` can be called: {}{privileged}", action.effect), growth)
    };
    contract.actions.iter().map(action).collect()
}

fn compare(at: &mut Vec<String>, was: &Json, is: &Json, out: &mut Vec<Aspect>) {
    if was == is {
        return;
    }
    if let (Json::Object(old), Json::Object(new)) = (was, is) {
        let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for key in keys {
            at.push(key.clone());
            match (old.get(key), new.get(key)) {
                (Some(old), Some(new)) => compare(at, old, new, out),
                (old, new) => out.push(told(at, old, new)),
            }
            at.pop();
        }
        return;
    }
    out.push(told(at, Some(was), Some(is)));
}

/// One place that is another, in words.
fn told(at: &[String], was: Option<&Json>, is: Option<&Json>) -> Aspect {
    if let [actions, action] = at
        && actions == "actions"
    {
        let effect = is.and_then(|is| is.get("effect")).and_then(Json::as_str).unwrap_or("?");
        return match is {
            Some(_) => Aspect::new(format!("`{action}` can be called: {effect}"), Growth::Yes),
            None => Aspect::new(format!("`{action}` can no longer be called"), Growth::No),
        };
    }
    let place = match at {
        [actions, action, rest @ ..] if actions == "actions" => format!("`{}` of `{action}`", rest.join(" ")),
        _ => format!("`{}`", at.join(" ")),
    };
    let words = match (was, is) {
        (Some(was), Some(is)) => format!("{place} was {}, and is {}", short(was), short(is)),
        (Some(was), None) => format!("{place} is gone; it was {}", short(was)),
        (None, Some(is)) => format!("{place} is new: {}", short(is)),
        (None, None) => place,
    };
    Aspect::new(words, growth(at, was, is))
}

/// A value on one line; of a long one the beginning.
fn short(value: &Json) -> String {
    const CHARS_MAX: usize = 200;
    let text = value.to_string();
    if text.chars().count() <= CHARS_MAX {
        return text;
    }
    text.chars().take(CHARS_MAX).chain(['…']).collect()
}

fn growth(at: &[String], was: Option<&Json>, is: Option<&Json>) -> Growth {
    let fits =
        |path: &[&str]| at.len() >= path.len() && at.iter().zip(path).all(|(key, part)| *part == "*" || key == part);
    let Some((_, grows)) = PLACES.iter().find(|(path, _)| fits(path)) else { return Growth::May };
    let yes = |is: bool| if is { Growth::Yes } else { Growth::No };
    match grows {
        Grows::Always => Growth::Yes,
        Grows::Never => Growth::No,
        Grows::Unknown => Growth::May,
        Grows::WithTheNumber => match (was.and_then(Json::as_f64), is.map(Json::as_f64)) {
            (_, None) => Growth::Yes,
            (None, Some(_)) if was.is_none() => Growth::No,
            (Some(old), Some(Some(new))) => yes(new > old),
            // A size such as `64KiB`: two texts.
            _ => Growth::May,
        },
        Grows::WhenFalse => yes(is != Some(&Json::Bool(true))),
        Grows::WhenGone => yes(is.is_none()),
        Grows::UnlessGone => yes(is.is_some()),
        Grows::WithTheList => yes(is.is_none() || was.is_some() && !says_all(was, is)),
        // Without a rule of its own the part is what a wider rule says of it.
        Grows::WhenTrusted if is.is_none() => yes(was.and_then(Json::as_str) != Some("trusted")),
        Grows::WhenTrusted => yes(is.and_then(Json::as_str) == Some("trusted")),
        Grows::WhenLess => yes(was.is_none() || !says_all(is, was)),
        Grows::WhenMore => yes(!says_all(was, is)),
    }
}

/// Whether one list has everything that another has.
fn says_all(one: Option<&Json>, other: Option<&Json>) -> bool {
    let items = |value: Option<&Json>| match value {
        None | Some(Json::Null) => Some(Vec::new()),
        Some(Json::Array(items)) => Some(items.clone()),
        _ => None,
    };
    match (items(one), items(other)) {
        (Some(one), Some(other)) => other.iter().all(|item| one.contains(item)),
        // What is no list cannot be compared so.
        _ => false,
    }
}
