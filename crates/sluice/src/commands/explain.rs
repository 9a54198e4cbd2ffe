//! `sluice explain`: the page of a rule, the meaning of a code, a policy in full.

use sluice_core::document::CodeInfo;
use sluice_core::{contract, document, dsl};
use sluice_policy::Bundle;
use sluice_verify::rules;

use crate::cli::Explain;
use crate::failure::{Exit, Failure};
use crate::place::upwards;
use crate::render::{Page, Part, Tone};
use crate::served;

/// Explains a code, a name or a policy; without one, lists the rules.
///
/// # Errors
/// [`Failure`] if nothing is called so.
pub fn run(arguments: &Explain) -> Result<Exit, Failure> {
    let mut page = Page::of_stdout();
    match &arguments.code {
        None => list(&mut page),
        Some(code) => one(&mut page, code, arguments)?,
    }
    page.print();
    Ok(Exit::Fine)
}

fn list(page: &mut Page) {
    let rows = rules::all().map(|rule| {
        let first = rule.page().lines().next().unwrap_or_default().to_owned();
        vec![Part::new(rule.code.to_string(), Tone::Accent), Part::new(rule.name, Tone::Strong), Part::plain(first)]
    });
    page.table(0, &rows.collect::<Vec<_>>());
    page.gap();
    page.line([Part::new(
        "`sluice explain CODE` says more about one; codes of texts and policies have pages too",
        Tone::Faint,
    )]);
}

fn one(page: &mut Page, code: &str, arguments: &Explain) -> Result<(), Failure> {
    let wanted = code.to_uppercase();
    if let Some(rule) = rules::all().find(|r| r.name == code || r.code.to_string() == wanted) {
        page.line([
            Part::new(rule.code.to_string(), Tone::Accent),
            " ".into(),
            Part::new(rule.name, Tone::Strong),
            Part::new(format!("  {}", rule.severity), Tone::Faint),
        ]);
        page.gap();
        prose(page, &rule.page());
        return Ok(());
    }
    let infos: Vec<&CodeInfo> =
        codes().filter(|info| format!("SL{:03}", info.code) == wanted || info.name == code).collect();
    if !infos.is_empty() {
        for info in infos {
            page.gap();
            page.line([
                Part::new(format!("SL{:03}", info.code), Tone::Accent),
                " ".into(),
                Part::new(info.name, Tone::Strong),
            ]);
            page.hang(["  "], &[info.help.into()]);
        }
        return Ok(());
    }
    if policy(page, code, arguments)? {
        return Ok(());
    }
    let pages = rules::all().map(|r| r.name).chain(codes().map(|info| info.name));
    let near = document::closest(code, pages);
    let near = near.map_or_else(String::new, |name| format!("; do you mean `{name}`?"));
    Err(Failure::usage(format!("nothing is called `{code}`; `sluice explain` lists the rules{near}")))
}

/// Codes that belong to texts rather than to rules.
pub(crate) fn codes() -> impl Iterator<Item = &'static CodeInfo> {
    document::CODES
        .iter()
        .chain(&dsl::CODES)
        .chain(contract::CODES)
        .chain(sluice_api::CODES)
        .chain(&sluice_policy::cases::CODES)
        .chain(sluice_formats::CODES)
        .chain(sluice_gateway::CODES)
        .chain(sluice_identity::CODES)
        .chain(served::CODES)
}

/// A policy by its id, of the workspace or of the default bundle.
fn policy(page: &mut Page, id: &str, arguments: &Explain) -> Result<bool, Failure> {
    let here = std::env::current_dir().ok();
    let folder = arguments.place.workspace.clone().or_else(|| here.and_then(|here| upwards(&here)));
    let bundle: Bundle = match folder {
        Some(folder) => sluice_runtime::workspace::read_policies(&sluice_runtime::workspace::read_bundle(&folder)?)?,
        None => match Bundle::load(&sluice_policy::DEFAULT_SOURCES) {
            Ok(bundle) => bundle,
            Err(_) => return Ok(false),
        },
    };
    let Some(info) = bundle.policies().find(|info| info.id.0.as_ref() == id) else { return Ok(false) };
    let kind = if info.permits { Part::new("permits", Tone::Good) } else { Part::new("forbids", Tone::Bad) };
    page.line([Part::new(id, Tone::Strong), "  ".into(), kind, Part::new(format!("  {}", info.text), Tone::Faint)]);
    page.gap();
    page.hang(["  "], &[info.why.as_str().into()]);
    if let Some(remedy) = &info.remedy {
        page.hang(["  what lifts it: "], &[remedy.as_str().into()]);
    }
    page.gap();
    for line in info.source.lines() {
        page.line([Part::new(format!("  {line}"), Tone::Faint)]);
    }
    Ok(true)
}

/// A rule's page: paragraphs wrapped, examples as they stand.
fn prose(page: &mut Page, text: &str) {
    let mut paragraph = String::new();
    let mut example: Option<&str> = None;
    let flush = |page: &mut Page, paragraph: &mut String| {
        if !paragraph.is_empty() {
            page.hang(["  "], &[paragraph.as_str().into()]);
            paragraph.clear();
        }
    };
    for line in text.lines() {
        if let Some(kind) = line.strip_prefix("```") {
            flush(page, &mut paragraph);
            example = if example.is_some() { None } else { Some(kind) };
            if let Some(kind) = example {
                page.gap();
                let tone = if kind == "bad" { Tone::Bad } else { Tone::Good };
                page.line([Part::new(format!("  {kind}"), tone)]);
            }
        } else if example.is_some() {
            page.line([format!("    {line}")]);
        } else if line.is_empty() {
            flush(page, &mut paragraph);
            page.gap();
        } else {
            paragraph.push_str(if paragraph.is_empty() { "" } else { " " });
            paragraph.push_str(line);
        }
    }
    flush(page, &mut paragraph);
}
