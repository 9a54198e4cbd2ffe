//! `sluice propose`: puts a definition before the people who must sign it.

use serde_json::json;
use sluice_core::contract::Digest;
use sluice_core::gate::Verdict;
use sluice_core::limits::TEXT_BYTES_MAX;
use sluice_runtime::admit::Proposed;
use sluice_runtime::approvals::{definition_requirement, in_words};
use sluice_runtime::proposal::{Proposer, author_in_words};
use sluice_verify::Assumptions;

use crate::cli::{Format, Propose};
use crate::commands::check::imported::refuse_foreign;
use crate::commands::check::{FileCheck, name_of};
use crate::failure::{Exit, Failure};
use crate::place::{known, read, read_up_to, say_solo};
use crate::render::{Page, Part, Tone, check, json as out};
use crate::served;

/// Records the proposal. One that policy would refuse in every run is not put before anybody.
///
/// # Errors
/// [`Failure`] if a file or the workspace cannot be used.
pub fn run(arguments: &Propose) -> Result<Exit, Failure> {
    if let Some(served) = arguments.server.served()? {
        return served::propose::propose(&served, arguments);
    }
    let opened = arguments.place.open_with_ledger()?;
    let workspace = &opened.workspace;
    let named = arguments.requester.as_deref();
    let named = named.ok_or_else(|| Failure::usage("say on whose behalf it will run: `--as PRINCIPAL`"))?;
    let requester = known(workspace.principals(), named)?;
    let author = arguments.author.acting(workspace.principals())?;
    let prompt = match &arguments.prompt_file {
        Some(file) => Some(Digest::of(&read(file, "prompt file")?).to_string()),
        None => None,
    };
    let bytes = read_up_to(&arguments.file, "workflow", TEXT_BYTES_MAX as u64)?;
    let name = name_of(&arguments.file);
    refuse_foreign(&arguments.file, &bytes, "proposed")?;
    let proposed = match Proposed::read(&name, &bytes) {
        Ok(proposed) => proposed,
        Err((text, errors)) => return Ok(refused(&FileCheck::native(text, Err(errors)), "it cannot be read")),
    };
    let needed = definition_requirement(workspace);
    let assumptions = Assumptions {
        requester: Some(requester.clone()),
        author: author.clone(),
        signed: needed.is_some(),
        solo: workspace.is_solo(),
    };
    let proposal = Proposer::new(workspace, &opened.ledger);
    let text = proposed.text().clone();
    let checked = proposed.verify(workspace, &assumptions);
    if let Err(why) = &checked.standing {
        return Ok(refused(&FileCheck::native(text, Ok(checked.report)), &why.to_string()));
    }
    let recorded = proposal.propose(&checked.proposed, &author, prompt, &requester)?;
    let held = checked.report.steps.iter().filter(|step| step.verdict == Verdict::Hold).count();
    if arguments.format == Format::Json {
        out::print(&json!({
            "proposal": recorded.id,
            "digest": recorded.closure.to_string(),
            "author": author_in_words(&recorded.author),
            "requester": recorded.requester,
            "needs": needed.as_ref().map(in_words),
            "held_steps": held,
        }))?;
        return Ok(Exit::Fine);
    }
    let mut page = Page::of_stdout();
    check::findings(&mut page, &FileCheck::native(text, Ok(checked.report)).page());
    page.gap();
    page.line([
        Part::new("proposed", Tone::Good),
        "  ".into(),
        Part::new(&recorded.id, Tone::Strong),
        "  ".into(),
        Part::new(&recorded.name, Tone::Accent),
    ]);
    let row = |word: &str, text: String| vec![Part::new(word, Tone::Faint), Part::plain(text)];
    let mut rows =
        vec![row("written by", author_in_words(&recorded.author)), row("asked by", recorded.requester.to_string())];
    rows.push(row(
        "signs",
        needed.as_ref().map_or_else(|| "nobody: this workspace asks nobody to sign definitions".to_owned(), in_words),
    ));
    if held > 0 {
        rows.push(row("will wait", format!("{held} of its steps, each for its own approval")));
    }
    page.table(2, &rows);
    say_solo(&mut page, workspace.is_solo());
    page.print();
    Ok(Exit::Fine)
}

fn refused(file: &FileCheck, why: &str) -> Exit {
    let mut page = Page::of_stdout();
    check::findings(&mut page, &file.page());
    page.gap();
    page.hang(
        [Part::new("refused  ", Tone::Bad)],
        &[Part::plain(format!("`{}` was not proposed: {why}", file.text.name))],
    );
    page.print();
    Exit::Refused
}
