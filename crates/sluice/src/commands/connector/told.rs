//! What is told of a connector in more than one command.

use serde_json::{Map, Value as Json, json};
use sluice_core::contract::lock::Server;
use sluice_gateway::scan::{Found, Kind};

use crate::render::{Page, Part, Tone};

/// Something that was found in the words of a tool, for programs.
pub(super) fn found(found: &Found) -> Json {
    json!({
        "place": found.place,
        "kind": found.kind.name(),
        "withholds": found.kind.withholds(),
        "excerpt": found.excerpt,
        "explanation": found.kind.explanation(),
    })
}

/// What a server says of itself, for programs.
pub(super) fn server(server: &Server) -> Json {
    let Server { name, version, protocol } = server;
    let said = [("name", name), ("version", version), ("protocol", protocol)];
    said.into_iter().map(|(key, value)| (key.to_owned(), json!(value.as_deref()))).collect::<Map<_, _>>().into()
}

/// What was found in the words of tools, each with its place and what it means.
pub(super) fn findings<'a>(page: &mut Page, tools: impl Iterator<Item = (&'a str, &'a [Found])>) {
    let all: Vec<(&str, &Found)> =
        tools.flat_map(|(tool, found)| found.iter().map(move |found| (tool, found))).collect();
    if all.is_empty() {
        return;
    }
    page.gap();
    page.line([Part::new("found in the words of the server", Tone::Strong)]);
    for (tool, found) in &all {
        let tone = if found.kind.withholds() { Tone::Bad } else { Tone::Warn };
        let place = format!("{tool}: {}", found.place);
        page.hang(
            [Part::plain("  "), Part::new(found.kind.name(), tone), "  ".into()],
            &[Part::new(place, Tone::Accent), Part::plain(format!(" {}", found.excerpt))],
        );
    }
    page.gap();
    for kind in Kind::ALL.into_iter().filter(|kind| all.iter().any(|(_, found)| found.kind == *kind)) {
        page.hang(
            [Part::new(format!("  {}: ", kind.name()), Tone::Faint)],
            &[Part::new(kind.explanation(), Tone::Faint)],
        );
    }
}

/// What comes next.
pub(super) fn next(page: &mut Page, steps: &[&str]) {
    page.gap();
    page.line([Part::new("next", Tone::Strong)]);
    for step in steps {
        page.hang(["  - "], &[Part::plain(*step)]);
    }
}
