//! `sluice template`: definitions with typed holes, which are signed once and filled often.

use serde_json::{Map, Value as Json, json};
use sluice_core::hole::{Hole, Holes};
use sluice_core::limits::TEXT_BYTES_MAX;
use sluice_runtime::admit::Proposed;
use sluice_runtime::run::Executor;
use sluice_runtime::template::{Template, template, templates};

use super::run::{block_on, parsed, tell};
use crate::cli::{Fill, Format, List, ShowTemplate, Templates};
use crate::commands::check::name_of;
use crate::failure::{Exit, Failure};
use crate::place::{Opened, read, read_up_to};
use crate::render::{Page, Part, Tone, json as out};

/// Does what was asked.
///
/// # Errors
/// [`Failure`] if a file or the workspace cannot be used.
pub fn run(command: &Templates) -> Result<Exit, Failure> {
    match command {
        Templates::List(arguments) => list(arguments),
        Templates::Show(arguments) => show(arguments),
        Templates::Run(arguments) => fill(arguments),
    }
}

fn list(arguments: &List) -> Result<Exit, Failure> {
    let opened = arguments.place.open_with_ledger()?;
    let all = templates(&opened.workspace, &opened.ledger)?;
    if arguments.format == Format::Json {
        out::print(&all.iter().map(|one| wire(one.holes(), Some(one))).collect::<Vec<_>>())?;
        return Ok(Exit::Fine);
    }
    let mut page = Page::of_stdout();
    if all.is_empty() {
        page.line([Part::new("no template was proposed; one is a definition with `metadata.holes`", Tone::Faint)]);
    }
    let row = |one: &Template| {
        let (state, tone) = if one.is_open { ("open", Tone::Good) } else { ("waits for signatures", Tone::Warn) };
        vec![
            Part::new(&one.proposal.id, Tone::Strong),
            Part::new(&one.proposal.name, Tone::Accent),
            Part::plain(format!("for {}", one.proposal.requester)),
            Part::new(state, tone),
            Part::new(names(one.holes()), Tone::Faint),
        ]
    };
    page.table(0, &all.iter().map(row).collect::<Vec<_>>());
    page.print();
    Ok(Exit::Fine)
}

fn show(arguments: &ShowTemplate) -> Result<Exit, Failure> {
    let (recorded, proposed);
    let (holes, one) = if arguments.template.starts_with("P-") {
        let opened = arguments.place.open_with_ledger()?;
        recorded = of_id(&opened, &arguments.template)?;
        (recorded.holes(), Some(&recorded))
    } else {
        let path = std::path::Path::new(&arguments.template);
        let bytes = read_up_to(path, "template", TEXT_BYTES_MAX as u64)?;
        proposed = Proposed::read(&name_of(path), &bytes).map_err(|(_, errors)| {
            let why = errors.first().map_or_else(String::new, |first| format!(": {} {}", first.code, first.message));
            Failure::usage(format!("`{}` is no definition{why}; `sluice check` says all", arguments.template))
        })?;
        (&proposed.program().document.holes, None)
    };
    if arguments.format == Format::Json {
        out::print(&wire(holes, one))?;
        return Ok(Exit::Fine);
    }
    let mut page = Page::of_stdout();
    if holes.is_empty() {
        page.line([Part::new("this definition has no holes: it is no template", Tone::Faint)]);
    }
    let row = |(name, hole): (&sluice_core::label::Name, &Hole)| {
        let default = hole.default.as_ref().map_or_else(String::new, |default| format!("; else {default}"));
        vec![
            Part::new(name, Tone::Strong),
            Part::plain(format!("{}{default}", hole.kind.in_words())),
            Part::new(format!("by {}", fillers(hole).join(", ")), Tone::Faint),
            Part::new(hole.description.as_deref().unwrap_or_default(), Tone::Faint),
        ]
    };
    page.table(0, &holes.0.iter().map(row).collect::<Vec<_>>());
    page.print();
    Ok(Exit::Fine)
}

/// Fills a template that was proposed, and runs it.
fn fill(arguments: &Fill) -> Result<Exit, Failure> {
    let opened = arguments.place.open_with_ledger()?;
    let one = of_id(&opened, &arguments.template)?;
    let mut values = match &arguments.values {
        Some(file) => match parsed(&read(file, "values")?, &file.display().to_string())? {
            Json::Object(values) => values,
            _ => return Err(Failure::usage(format!("`{}` is no object of holes and values", file.display()))),
        },
        None => Map::new(),
    };
    for set in &arguments.set {
        let (name, text) = set
            .split_once('=')
            .ok_or_else(|| Failure::usage(format!("`{set}` is no value of a hole: write `--set name=value`")))?;
        let hole = one.holes().0.get(name);
        values.insert(name.to_owned(), hole.map_or_else(|| text.into(), |hole| hole.kind.typed(text)));
    }
    let Template { proposal, proposed, .. } = one;
    let executor = Executor::open(&opened.workspace, &opened.ledger)?;
    let started = executor.start(proposed, Json::Object(values), &proposal.requester, proposal.author.clone());
    tell(&block_on(started)??, arguments.format, opened.workspace.is_solo())
}

fn of_id(opened: &Opened, id: &str) -> Result<Template, Failure> {
    template(&opened.workspace, &opened.ledger, id)?.ok_or_else(|| {
        Failure::usage(format!("SL455: no template called `{id}` was proposed; `sluice template list` shows them"))
    })
}

fn names(holes: &Holes) -> String {
    holes.0.keys().map(AsRef::as_ref).collect::<Vec<&str>>().join(", ")
}

fn fillers(hole: &Hole) -> Vec<&str> {
    std::iter::once("requester").chain(hole.models.iter().map(AsRef::as_ref)).collect()
}

fn wire(holes: &Holes, one: Option<&Template>) -> Json {
    let holes = holes.0.iter().map(|(name, hole)| {
        json!({
            "name": name,
            "takes": hole.kind.in_words(),
            "by": fillers(hole),
            "default": hole.default,
            "description": hole.description,
        })
    });
    json!({
        "template": one.map(|one| &one.proposal.id),
        "name": one.map(|one| &one.proposal.name),
        "requester": one.map(|one| &one.proposal.requester),
        "open": one.map(|one| one.is_open),
        "holes": holes.collect::<Vec<_>>(),
    })
}
