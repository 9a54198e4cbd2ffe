//! `sluice approvals delegate`, `delegations` and `undelegate`: who speaks in whose place.

use serde_json::json;
use sluice_core::label::Name;
use sluice_runtime::delegation::{Given, draft, draft_end, in_force, record};

use crate::cli::{Delegate, Format, List, Undelegate};
use crate::failure::{Exit, Failure};
use crate::place::{key_of, known};
use crate::render::time::short;
use crate::render::{Page, Part, Tone, json as out};

/// Lets somebody else speak in one's place, until a date.
pub(super) fn delegate(arguments: &Delegate) -> Result<Exit, Failure> {
    let opened = arguments.place.open_with_ledger()?;
    let (workspace, ledger) = (&opened.workspace, &opened.ledger);
    let key = key_of(&arguments.person, &arguments.key)?;
    let to = known(workspace.principals(), &arguments.to)?;
    let role = arguments.of.as_deref().map(Name::from);
    let delegation = draft(workspace, ledger, key.name(), &to, role, arguments.until.0)?;
    let id = record(workspace, ledger, &delegation.sign(&key), &arguments.reason)?;
    let mut page = Page::of_stdout();
    page.line([Part::new("delegated", Tone::Good), "  ".into(), Part::new(id, Tone::Strong)]);
    let of = arguments.of.as_deref().map_or_else(|| "all that they are asked".to_owned(), |role| format!("`{role}`"));
    let words = format!("{to} speaks for {} of {of}, until {}", arguments.person, short(arguments.until.0));
    page.hang(["  "], &[words.into()]);
    page.print();
    Ok(Exit::Fine)
}

/// Who speaks in whose place now.
pub(super) fn list(arguments: &List) -> Result<Exit, Failure> {
    let opened = arguments.place.open_with_ledger()?;
    let given = in_force(&opened.workspace, &opened.ledger)?;
    if arguments.format == Format::Json {
        let wire = |one: &Given| {
            json!({
                "delegation": one.id(),
                "by": one.delegated.by,
                "to": one.delegated.to,
                "of": one.delegated.role,
                "from_ms": one.delegated.from_ms,
                "until_ms": one.delegated.until_ms,
                "reason": one.reason,
            })
        };
        out::print(&given.iter().map(wire).collect::<Vec<_>>())?;
        return Ok(Exit::Fine);
    }
    let mut page = Page::of_stdout();
    if given.is_empty() {
        page.line(["nobody speaks in anybody's place"]);
    }
    let row = |one: &Given| {
        let of = one.delegated.role.as_deref().unwrap_or("all that they are asked").to_owned();
        vec![
            Part::new(one.id(), Tone::Strong),
            Part::plain(format!("{} for {}", one.delegated.to, one.delegated.by)),
            Part::new(of, Tone::Accent),
            Part::new(format!("until {}", short(one.delegated.until_ms)), Tone::Faint),
        ]
    };
    page.table(0, &given.iter().map(row).collect::<Vec<_>>());
    page.print();
    Ok(Exit::Fine)
}

/// Takes a delegation back.
pub(super) fn undelegate(arguments: &Undelegate) -> Result<Exit, Failure> {
    let opened = arguments.place.open_with_ledger()?;
    let key = key_of(&arguments.person, &arguments.key)?;
    let delegation = draft_end(&opened.workspace, &opened.ledger, key.name(), &arguments.id)?;
    let id = record(&opened.workspace, &opened.ledger, &delegation.sign(&key), &arguments.reason)?;
    let mut page = Page::of_stdout();
    page.line([Part::new("taken back", Tone::Good), "  ".into(), Part::new(id, Tone::Strong)]);
    page.print();
    Ok(Exit::Fine)
}
