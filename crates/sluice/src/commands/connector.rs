//! `sluice connector`: what workflows and agents of a workspace can call, as its contracts say; and where contracts come from.

mod add;
mod audit;
mod openapi;
mod package;
mod pins;
mod sbom;
mod told;

use serde_json::json;
use sluice_core::catalogue::{Action, Resource};
use sluice_runtime::check::Rules;

use crate::cli::{AddConnector, Connector, Format, List};
use crate::failure::{Exit, Failure};
use crate::render::{Page, Part, Tone, json as out};

/// Lists actions, drafts contracts, compares and pins.
///
/// # Errors
/// [`Failure`] if the workspace cannot be read or trusted, a server does not answer, or a file is in the way.
pub fn run(command: &Connector) -> Result<Exit, Failure> {
    match command {
        Connector::List(arguments) => list(arguments),
        Connector::Add(AddConnector::Mcp(arguments)) => add::mcp(arguments),
        Connector::Add(AddConnector::Openapi(arguments)) => openapi::add(arguments),
        Connector::Diff(arguments) => pins::diff(arguments),
        Connector::Pin(arguments) => pins::pin(arguments),
        Connector::Audit(arguments) => audit::run(arguments),
        Connector::Sbom(place) => sbom::run(place),
    }
}

fn list(arguments: &List) -> Result<Exit, Failure> {
    let rules = Rules::of(&arguments.place.folder()?)?;
    let mut actions: Vec<&Action> = rules.governance().catalogue.actions.values().collect();
    actions.sort_by_key(|action| action.full_name());
    if arguments.format == Format::Json {
        let wire = actions.iter().map(|action| {
            json!({
                "action": action.full_name(),
                "effect": action.effect.name(),
                "resource": resource(action),
                "arguments": action.arguments.keys().collect::<Vec<_>>(),
            })
        });
        out::print(&wire.collect::<Vec<_>>())?;
        return Ok(Exit::Fine);
    }
    let mut page = Page::of_stdout();
    if actions.is_empty() {
        page.line(["no contract declares an action: put one under `connectors/`, as docs/contracts.md shows"]);
    }
    let rows = actions.iter().map(|action| {
        let arguments: Vec<&str> = action.arguments.keys().map(AsRef::as_ref).collect();
        let tone = if action.effect.is_outbound() { Tone::Warn } else { Tone::Plain };
        vec![
            Part::new(action.full_name(), Tone::Strong),
            Part::new(action.effect.name(), tone),
            Part::new(resource(action), Tone::Accent),
            Part::new(arguments.join(", "), Tone::Faint),
        ]
    });
    page.table(0, &rows.collect::<Vec<_>>());
    page.print();
    Ok(Exit::Fine)
}

/// What it acts on.
fn resource(action: &Action) -> String {
    match &action.resource {
        Resource::Destination(id) => id.to_string(),
        Resource::DestinationArgument(argument) => format!("the destination in `{argument}`"),
        Resource::Dataset { name, .. } => name.to_string(),
    }
}
