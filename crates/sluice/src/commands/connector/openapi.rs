//! `sluice connector add openapi`: a contract drafted from a service's own description.

use serde_json::{Value as Json, json};
use sluice_core::document::decode_within;
use sluice_core::limits::IMPORT_BYTES_MAX;
use sluice_gateway::draft::openapi::{self, Described};
use sluice_runtime::workspace::{FileProblem, OpenError};

use super::add::{Free, guessed};
use super::told;
use crate::cli::{AddOpenapi, Format};
use crate::failure::{Exit, Failure};
use crate::place::read_up_to;
use crate::render::{Page, Part, Tone, json as out};

/// Reads a description and drafts its contract.
pub(super) fn add(arguments: &AddOpenapi) -> Result<Exit, Failure> {
    let place = Free::at(&arguments.place.folder()?, &arguments.name)?;
    let bytes = read_up_to(&arguments.file, "description", IMPORT_BYTES_MAX as u64)?;
    let name = arguments.file.display().to_string();
    let text = decode_within(name.as_str(), &bytes, IMPORT_BYTES_MAX)
        .map_err(|found| problems(&name, &bytes, vec![*found]))?;
    let root = openapi::read(&text).map_err(|found| problems(&name, &bytes, found))?;
    let described = openapi::contract(&arguments.name, &root, arguments.base.as_deref())
        .map_err(|error| Failure::usage(error.to_string()))?;
    place.write(&described.text, None)?;
    match arguments.format {
        Format::Json => out::print(&wire(&arguments.name, &place.file(), &described))?,
        Format::Text => tell(&arguments.name, &place.file(), &described),
    }
    Ok(Exit::Fine)
}

fn problems(name: &str, bytes: &[u8], found: Vec<sluice_core::diagnostic::Diagnostic>) -> Failure {
    let text = sluice_core::text::Text::new(name, String::from_utf8_lossy(bytes).as_ref());
    let problems = found.into_iter().map(|diagnostic| FileProblem { text: text.clone(), diagnostic }).collect();
    OpenError::Files { problems }.into()
}

fn wire(name: &str, file: &str, described: &Described) -> Json {
    let action = |(name, guess): &(String, sluice_gateway::draft::Guess)| {
        let roles: serde_json::Map<String, Json> =
            guess.arguments.iter().map(|(name, role)| (name.clone(), role.name().into())).collect();
        json!({ "action": name, "effect": guess.effect.name(), "privileged": guess.privileged, "arguments": roles, "why": guess.why })
    };
    let withheld = |(what, why): &(String, String)| json!({ "operation": what, "why": why });
    json!({
        "version": 1,
        "connector": name,
        "contract": file,
        "actions": described.actions.iter().map(action).collect::<Vec<_>>(),
        "withheld": described.withheld.iter().map(withheld).collect::<Vec<_>>(),
        "notes": described.notes,
    })
}

fn tell(name: &str, file: &str, described: &Described) {
    let mut page = Page::of_stdout();
    page.line([Part::new("drafted ", Tone::Good), Part::new(file, Tone::Accent)]);
    page.gap();
    page.table(2, &described.actions.iter().map(|(name, guess)| guessed(name, guess)).collect::<Vec<_>>());
    if !described.withheld.is_empty() || !described.notes.is_empty() {
        page.gap();
        page.line([Part::new("what the contract does not say", Tone::Strong)]);
    }
    for (what, why) in &described.withheld {
        page.hang(["  - "], &[Part::new(what, Tone::Accent), Part::plain(format!(" {why}"))]);
    }
    for note in &described.notes {
        page.hang(["  - "], &[Part::plain(note)]);
    }
    told::next(
        &mut page,
        &[
            &format!(
                "read `{file}` and correct it: every line is a guess; say whose words its replies are, and what data"
            ),
            &format!("`sluice secret set {name}-token` keeps its token, if it has one"),
            "`sluice policy sign --as PERSON --key FILE` puts it in force",
        ],
    );
    page.print();
}
