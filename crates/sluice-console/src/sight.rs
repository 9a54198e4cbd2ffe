//! What of a held step's arguments a person sees: data that has owners is masked until somebody entitled asks to see it.

use serde_json::{Map, Value as Json};
use sluice_api::rights::may_read;
use sluice_api::sight;
use sluice_core::gate::Role;
use sluice_core::label::Name;
use sluice_policy::GateRequest;
use sluice_runtime::workspace::Workspace;

/// Elements of a list that are shown while it is masked.
const SAMPLE: usize = 3;

/// One argument as it is shown.
pub(crate) struct Argument {
    pub(crate) name: String,
    /// What it is for: `payload`, `destination`.
    pub(crate) role: Option<&'static str>,
    /// The classes of data in it.
    pub(crate) classes: Vec<Name>,
    /// Origins of outsiders in it.
    pub(crate) origins: Vec<Name>,
    pub(crate) value: Json,
    pub(crate) is_masked: bool,
    /// How many elements of its lists are left out, while it is masked.
    pub(crate) left_out: usize,
}

/// The arguments of a held step, masked where they carry classes of data, unless they were `revealed`.
pub(crate) fn arguments(
    workspace: &Workspace,
    action: &str,
    arguments: &Json,
    request: Option<&GateRequest>,
    revealed: bool,
) -> Vec<Argument> {
    let shown = sight::arguments(workspace, action, arguments, request).into_iter().map(|argument| {
        let is_masked = !revealed && !argument.is_decided_about() && argument.has_owner();
        let mut left_out = 0;
        Argument {
            name: argument.name.to_owned(),
            role: argument.role.map(Role::name),
            value: if is_masked { masked(argument.value, &mut left_out) } else { argument.value.clone() },
            classes: argument.classes.into_iter().collect(),
            origins: argument.origins.into_iter().filter(|origin| is_outside(origin)).collect(),
            is_masked,
            left_out,
        }
    });
    shown.collect()
}

/// Whether a person may see all of these arguments.
pub(crate) fn may_reveal(workspace: &Workspace, person: &Name, arguments: &[Argument]) -> bool {
    let masked = arguments.iter().filter(|argument| argument.is_masked);
    let mut classes = masked.flat_map(|argument| &argument.classes).peekable();
    classes.peek().is_some() && classes.all(|class| may_read(workspace, person, class))
}

fn is_outside(origin: &str) -> bool {
    origin != "author" && origin != "requester" && !origin.starts_with("person:")
}

/// The shape of a value: how long texts are, what objects have, the first of a list.
pub(crate) fn masked(value: &Json, left_out: &mut usize) -> Json {
    match value {
        Json::Null | Json::Bool(_) => value.clone(),
        Json::Number(_) => "•••".into(),
        Json::String(text) => mask(text).into(),
        Json::Array(items) => {
            *left_out += items.len().saturating_sub(SAMPLE);
            items.iter().take(SAMPLE).map(|item| masked(item, left_out)).collect()
        }
        Json::Object(fields) => {
            let shown: Map<String, Json> =
                fields.iter().map(|(name, value)| (name.clone(), masked(value, left_out))).collect();
            Json::Object(shown)
        }
    }
}

/// The first letter of each word, so that a row is told from the next one.
fn mask(text: &str) -> String {
    let first =
        |word: &str| word.chars().take(1).filter(|c| c.is_alphabetic()).chain("•••".chars()).collect::<String>();
    let words = text.split_whitespace().take(4).map(first);
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::masked;

    #[test]
    fn a_masked_value_has_its_shape_and_no_word_of_it() {
        let rows = json!([
            { "name": "Lena Fischer", "balance": 1204.5, "iban": "12 ab", "note": null },
            { "name": "x", "paid": true }, { "name": "y" }, { "name": "z" }, { "name": "w" },
        ]);
        let mut left_out = 0;
        let shown = masked(&rows, &mut left_out);
        assert_eq!(left_out, 2);
        assert_eq!(shown[0], json!({ "name": "L••• F•••", "balance": "•••", "iban": "••• a•••", "note": null }));
        assert_eq!(shown.as_array().unwrap().len(), 3);
    }
}
