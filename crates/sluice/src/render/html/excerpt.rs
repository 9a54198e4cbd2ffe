//! The author's lines around a finding, its places marked.

use std::collections::BTreeSet;

use maud::{Markup, html};
use sluice_core::diagnostic::Diagnostic;
use sluice_core::text::Text;

use super::super::diagnostic::{Lines, Mark, window};
use super::super::markup::{Message, Seen};

/// Lines shown before and after a place.
const AROUND: usize = 1;
/// Places marked at most: a finding of a generated text may name thousands.
const MARKS_MAX: usize = 20;

/// The lines of every place, with gaps where lines are left out.
pub(super) fn of(text: &Text, found: &Diagnostic) -> Markup {
    let lines = Lines::of(&text.content);
    let mut marks = vec![Mark::new(&lines, found.span, "", true)];
    let others = found.annotations.iter().take(MARKS_MAX);
    marks.extend(others.map(|(span, note)| Mark::new(&lines, *span, note, false)));
    marks.sort_by_key(|mark| (mark.line, mark.start));
    let last = lines.count().saturating_sub(1);
    let shown: BTreeSet<usize> =
        marks.iter().flat_map(|mark| mark.line.saturating_sub(AROUND)..=(mark.line + AROUND).min(last)).collect();
    let mut before: Option<usize> = None;
    html! {
        div.excerpt tabindex="0" role="region" aria-label="Excerpt of the text" {
            @for line in shown {
                @if before.is_some_and(|before| before + 1 < line) { div.gap aria-hidden="true" { "⋯" } }
                @let marks = marks.iter().filter(|mark| mark.line == line).collect::<Vec<_>>();
                (row(&lines, line, &marks))
                ({ before = Some(line); "" })
            }
        }
    }
}

fn row(lines: &Lines<'_>, line: usize, marks: &[&Mark]) -> Markup {
    let (start, content) = lines.get(line);
    let first = marks.first().map_or(0, |mark| mark.start.saturating_sub(start));
    let (from, to) = window(content, first);
    let mut at = from;
    let mut pieces: Vec<(&str, Option<&Mark>)> = Vec::new();
    for mark in marks {
        let (begin, end) =
            (mark.start.saturating_sub(start).clamp(at, to), mark.end.saturating_sub(start).clamp(at, to));
        pieces.push((content.get(at..begin).unwrap_or_default(), None));
        pieces.push((content.get(begin..end).unwrap_or_default(), Some(mark)));
        at = end;
    }
    pieces.push((content.get(at..to).unwrap_or_default().trim_end_matches('\r'), None));
    html! {
        div class=(if marks.iter().any(|mark| mark.is_primary) { "row here" } else { "row" }) {
            span.number { (line + 1) }
            code {
                @if from > 0 { "…" }
                @for (piece, mark) in &pieces {
                    @let piece = piece.replace('\t', "    ");
                    @match mark {
                        Some(mark) if mark.is_primary => mark { (Seen(&piece)) },
                        Some(_) => mark.also { (Seen(&piece)) },
                        None => (Seen(&piece)),
                    }
                }
                @if to < content.len() { "…" }
            }
        }
        @for mark in marks.iter().filter(|mark| !mark.note.is_empty()) {
            div.note { "↑ " (Message(&mark.note)) }
        }
    }
}
