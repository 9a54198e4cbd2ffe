//! `sluice propose --server`: a definition before the people of a served Sluice.

use serde::Deserialize;
use serde_json::json;
use sluice_core::limits::TEXT_BYTES_MAX;

use super::Served;
use crate::cli::{Format, Propose};
use crate::commands::check::imported::refuse_foreign;
use crate::commands::check::name_of;
use crate::failure::{Exit, Failure};
use crate::place::read_up_to;
use crate::render::{Page, Part, Tone, json as out};

#[derive(Deserialize)]
struct Proposal {
    id: String,
    digest: String,
    name: String,
    author: String,
    requester: String,
    needs: Option<String>,
    report: Option<Report>,
}

#[derive(Default, Deserialize)]
struct Report {
    findings: Vec<Finding>,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Finding {
    code: String,
    severity: String,
    message: String,
    line: u32,
}

#[derive(Deserialize)]
struct Step {
    verdict: String,
}

/// Proposes it in the name of whoever the token is for; a model's token names with `--as` whom it is for.
///
/// # Errors
/// [`Failure`] if it cannot be read, or is refused.
pub fn propose(served: &Served, arguments: &Propose) -> Result<Exit, Failure> {
    if arguments.author.author.is_some() {
        return Err(Failure::usage("with `--server`, the author is whoever the token is for, or `--model`"));
    }
    let bytes = read_up_to(&arguments.file, "workflow", TEXT_BYTES_MAX as u64)?;
    refuse_foreign(&arguments.file, &bytes, "proposed")?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::usage("the workflow is no UTF-8 text"))?;
    let body = json!({
        "name": name_of(&arguments.file),
        "text": text,
        "model": arguments.author.model,
        "on_behalf_of": arguments.requester,
    });
    let told: Proposal = served.post("/proposals", None, body)?;
    let report = told.report.unwrap_or_default();
    let held = report.steps.iter().filter(|step| step.verdict == "hold").count();
    if arguments.format == Format::Json {
        out::print(&json!({
            "proposal": told.id,
            "digest": told.digest,
            "author": told.author,
            "requester": told.requester,
            "needs": told.needs,
            "held_steps": held,
        }))?;
        return Ok(Exit::Fine);
    }
    let mut page = Page::of_stdout();
    for found in &report.findings {
        let lead = Part::new(format!("{} {} line {}  ", found.severity, found.code, found.line), Tone::Warn);
        page.hang([lead], &[Part::plain(&found.message)]);
    }
    page.line([
        Part::new("proposed", Tone::Good),
        "  ".into(),
        Part::new(&told.id, Tone::Strong),
        "  ".into(),
        Part::new(&told.name, Tone::Accent),
    ]);
    let row = |word: &str, text: String| vec![Part::new(word, Tone::Faint), Part::plain(text)];
    let mut rows = vec![row("written by", told.author), row("asked by", told.requester)];
    rows.push(row(
        "signs",
        told.needs.unwrap_or_else(|| "nobody: this workspace asks nobody to sign definitions".to_owned()),
    ));
    if held > 0 {
        rows.push(row("will wait", format!("{held} of its steps, each for its own approval")));
    }
    rows.push(row("seen at", served.link(&format!("/workflows/{}", told.id))));
    page.table(2, &rows);
    page.print();
    Ok(Exit::Fine)
}
