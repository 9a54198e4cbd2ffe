//! `sluice draw`: a workflow as a picture.

use sluice_core::limits::{IMPORT_BYTES_MAX, TEXT_BYTES_MAX};
use sluice_formats::{Opened, Siblings, open_with};
use sluice_runtime::admit::Proposed;
use sluice_runtime::check::Rules;
use sluice_verify::Assumptions;
use sluice_verify::survey::survey;

use crate::cli::{Draw, DrawTheme};
use crate::commands::check::rulebook::catalogues_in;
use crate::commands::check::{FileCheck, name_of, put};
use crate::failure::{Exit, Failure};
use crate::place::{folder_above, read_up_to};
use crate::render::draw::{DRAWN_STEPS_MAX, Sketch, Theme};
use crate::render::{Page, Part, Tone, check};

/// Draws one workflow: a native one under the rules of the workspace that it lies in, one of another engine as its own
/// nodes and connections, by what the workspace's signed catalogues say of them.
///
/// # Errors
/// [`Failure`] if the file or a workspace cannot be read, or there is too much to draw.
pub fn run(arguments: &Draw) -> Result<Exit, Failure> {
    let bytes = read_up_to(&arguments.file, "workflow", IMPORT_BYTES_MAX as u64)?;
    let folder = match &arguments.place.workspace {
        Some(_) => Some(arguments.place.folder()?),
        None => folder_above(&arguments.file),
    };
    let name = name_of(&arguments.file);
    let (catalogues, unsigned) = catalogues_in(folder.as_deref())?;
    if let Opened::Foreign { text, import, .. } = open_with(&name, &bytes, &Siblings::default(), &catalogues) {
        tell(&unsigned);
        return match import {
            Ok(import) => draw(arguments, Sketch::of_import(&import, &survey(&import).findings)),
            Err(errors) => Ok(refused(&FileCheck::native(text, Err(errors)))),
        };
    }
    let bytes = read_up_to(&arguments.file, "workflow", TEXT_BYTES_MAX as u64)?;
    let rules = match folder {
        Some(folder) => Rules::of(&folder)?,
        None => Rules::built_in()?,
    };
    let proposed = match Proposed::read(&name, &bytes) {
        Ok(proposed) => proposed,
        Err((text, errors)) => return Ok(refused(&FileCheck::native(text, Err(errors)))),
    };
    let assumptions =
        Assumptions { signed: rules.asks_for_signature(), solo: rules.is_solo(), ..Assumptions::default() };
    let report = rules.check(&proposed, &assumptions);
    draw(arguments, Sketch::of(proposed.program(), &report.steps, &report.findings))
}

fn draw(arguments: &Draw, sketch: Option<Sketch>) -> Result<Exit, Failure> {
    let sketch = sketch.ok_or_else(|| {
        Failure::usage(format!(
            "this workflow has more than {DRAWN_STEPS_MAX} steps or too many connections, which no picture shows; \
             `check` it"
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

/// Says which files of the workspace do not count, beside the picture.
fn tell(unsigned: &[String]) {
    let mut page = Page::of_stderr();
    for words in unsigned {
        page.hang(Vec::<Part>::new(), &[Part::new(words.clone(), Tone::Warn)]);
    }
    page.print_error();
}

/// What cannot be read cannot be drawn: the reasons, as `check` shows them.
fn refused(checked: &FileCheck) -> Exit {
    let mut page = Page::of_stderr();
    check::findings(&mut page, &checked.page());
    page.print_error();
    Exit::Findings
}
