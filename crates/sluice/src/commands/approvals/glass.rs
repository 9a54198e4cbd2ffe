//! `sluice approvals break-glass`, `reviews` and `review`: what could not wait, and who looks at it afterwards.

use serde_json::{Value as Json, json};
use sluice_runtime::approvals::{About, Approver, Broken, open_review};

use crate::cli::{BreakGlass, Format, List, Review};
use crate::failure::{Exit, Failure};
use crate::place::key_of;
use crate::render::time::short;
use crate::render::{Page, Part, Tone, json as out};

/// Lets one held step pass at once.
pub(super) fn break_glass(arguments: &BreakGlass) -> Result<Exit, Failure> {
    let opened = arguments.place.open_with_ledger()?;
    let key = key_of(&arguments.person, &arguments.key)?;
    let approver = Approver::new(&opened.workspace, &opened.ledger);
    let waiting = approver.break_glass_with(&arguments.id, &key, &arguments.because)?;
    let mut page = Page::of_stdout();
    page.line([Part::new("broke the glass", Tone::Bad), "  ".into(), Part::new(&waiting.id, Tone::Strong)]);
    let told = waiting.glass.iter().flat_map(|broken| &broken.told).map(ToString::to_string).collect::<Vec<_>>();
    page.hang(
        ["  "],
        &[format!("{} are told, and nobody breaks it again before somebody reviewed it", told.join(" and ")).into()],
    );
    if waiting.is_agents {
        page.line([Part::new("  the agent calls again with the same arguments, and this passes once", Tone::Faint)]);
    } else if let About::Step { run, .. } = &waiting.about {
        let run: String = run.to_string().chars().take(8).collect();
        page.line([Part::new(format!("  sluice resume {run}   goes on, within the hour"), Tone::Faint)]);
    }
    page.print();
    Ok(Exit::Fine)
}

/// What nobody has looked at.
pub(super) fn reviews(arguments: &List) -> Result<Exit, Failure> {
    let opened = arguments.place.open_with_ledger()?;
    let open = open_review(&opened.ledger)?;
    if arguments.format == Format::Json {
        out::print(&open.iter().map(wire).collect::<Vec<_>>())?;
        return Ok(Exit::Fine);
    }
    let mut page = Page::of_stdout();
    match &open {
        None => page.line(["no review is open"]),
        Some(broken) => {
            page.hang([Part::new(&broken.approval, Tone::Strong), "  ".into()], &[in_words(broken).into()]);
            let told: Vec<&str> = broken.told.iter().map(AsRef::as_ref).collect();
            let row = |word: &str, text: String| vec![Part::new(word, Tone::Faint), Part::plain(text)];
            let asked_by = broken.statement.requester.to_string();
            page.table(4, &[row("asked by", asked_by), row("told", told.join(" and "))]);
        }
    }
    page.print();
    Ok(Exit::Fine)
}

/// Closes the review.
pub(super) fn review(arguments: &Review) -> Result<Exit, Failure> {
    let opened = arguments.place.open_with_ledger()?;
    let key = key_of(&arguments.person, &arguments.key)?;
    let approver = Approver::new(&opened.workspace, &opened.ledger);
    approver.review_with(&arguments.id, &key, &arguments.finding)?;
    let mut page = Page::of_stdout();
    page.line([Part::new("reviewed", Tone::Good), "  ".into(), Part::new(&arguments.id, Tone::Strong)]);
    page.print();
    Ok(Exit::Fine)
}

/// How the glass was broken, and who looked at it.
pub(super) fn in_words(broken: &Broken) -> String {
    let how = format!("broken by {} at {}: {}", broken.statement.approver, short(broken.at_ms), broken.reason);
    match &broken.review {
        Some(review) => format!("{how}; reviewed by {}: {}", review.by, review.finding),
        None => format!("{how}; nobody has reviewed it"),
    }
}

pub(super) fn wire(broken: &Broken) -> Json {
    json!({
        "approval": broken.approval,
        "by": broken.statement.approver,
        "requester": broken.statement.requester,
        "because": broken.reason,
        "told": broken.told,
        "at_ms": broken.at_ms,
        "entry": broken.entry,
        "review": broken.review.as_ref().map(|review| {
            json!({ "by": review.by, "finding": review.finding, "at_ms": review.at_ms })
        }),
    })
}
