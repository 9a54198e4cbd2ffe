//! `sluice draw`: a workflow as a picture.

use sluice_core::limits::TEXT_BYTES_MAX;
use sluice_runtime::admit::Proposed;
use sluice_runtime::check::Rules;
use sluice_verify::Assumptions;

use crate::cli::{Draw, DrawTheme};
use crate::commands::check::imported::refuse_foreign;
use crate::commands::check::{FileCheck, name_of, put};
use crate::failure::{Exit, Failure};
use crate::place::{folder_above, read_up_to};
use crate::render::draw::{DRAWN_STEPS_MAX, Sketch, Theme};
use crate::render::{Page, check};

/// Draws one workflow under the rules of the workspace that it lies in.
///
/// # Errors
/// [`Failure`] if the file or a workspace cannot be read, or there is too much to draw.
pub fn run(arguments: &Draw) -> Result<Exit, Failure> {
    let bytes = read_up_to(&arguments.file, "workflow", TEXT_BYTES_MAX as u64)?;
    let folder = match &arguments.place.workspace {
        Some(_) => Some(arguments.place.folder()?),
        None => folder_above(&arguments.file),
    };
    let rules = match folder {
        Some(folder) => Rules::of(&folder)?,
        None => Rules::built_in()?,
    };
    refuse_foreign(&arguments.file, &bytes, "drawn")?;
    let proposed = match Proposed::read(&name_of(&arguments.file), &bytes) {
        Ok(proposed) => proposed,
        Err((text, errors)) => return Ok(refused(&FileCheck::native(text, Err(errors)))),
    };
    let assumptions =
        Assumptions { signed: rules.asks_for_signature(), solo: rules.is_solo(), ..Assumptions::default() };
    let report = rules.check(&proposed, &assumptions);
    let sketch = Sketch::of(proposed.program(), &report.steps, &report.findings);
    let sketch = sketch.ok_or_else(|| {
        Failure::usage(format!(
            "this workflow has more than {DRAWN_STEPS_MAX} steps, which no picture shows; `check` it"
        ))
    })?;
    let theme = match arguments.theme {
        DrawTheme::Auto => Theme::Reader,
        DrawTheme::Light => Theme::Light,
        DrawTheme::Dark => Theme::Dark,
    };
    let svg = sketch.svg(theme).map_err(Failure::usage)?;
    put(arguments.output.as_deref(), &svg)?;
    Ok(Exit::Fine)
}

/// What cannot be read cannot be drawn: the reasons, as `check` shows them.
fn refused(checked: &FileCheck) -> Exit {
    let mut page = Page::of_stderr();
    check::findings(&mut page, &checked.page());
    page.print_error();
    Exit::Findings
}
