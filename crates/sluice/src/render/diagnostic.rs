//! One diagnostic for people: what, where in their own text, the way data takes, what to do.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use sluice_core::diagnostic::{Confidence, Diagnostic, FlowStop, Severity};
use sluice_core::text::{Span, Text};

use super::escape::Escaped;
use super::page::{Page, Part, Tone};

/// Other places further away than this are left to the path below the excerpt.
const LINES_MAX: usize = 60;
/// Furthest that another place on the same line may lie from the finding's, in bytes.
const COLUMNS_MAX: usize = 400;
/// Of a line that no screen could hold, what is shown around the place.
const BEFORE_BYTES: usize = 60;
const LINE_BYTES_MAX: usize = 400;

/// Writes a diagnostic about `text`.
pub fn write(page: &mut Page, text: &Text, found: &Diagnostic) {
    let head = format!("{}[{}]: ", found.severity, found.code);
    let mut words = vec![Part::new(head, tone(found.severity)), Part::new(&found.message, Tone::Strong)];
    if found.confidence < Confidence::High {
        words.push(Part::new(format!(" (confidence {})", found.confidence), Tone::Faint));
    }
    page.hang(Vec::<Part>::new(), &words);
    let gutter = excerpt(page, text, found);
    way(page, gutter, &found.flow);
    if !found.help.is_empty() {
        let lead = [Part::plain(" ".repeat(gutter)), Part::new("= ", Tone::Accent), Part::new("help: ", Tone::Strong)];
        page.hang(lead, &[Part::plain(&found.help)]);
    }
}

/// How a severity looks.
#[must_use]
pub const fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::Critical | Severity::High => Tone::Bad,
        Severity::Medium => Tone::Warn,
        Severity::Low | Severity::Info => Tone::Accent,
    }
}

/// The way of a value as a small tree; one stop alone says nothing that the excerpt does not.
fn way(page: &mut Page, gutter: usize, stops: &[FlowStop]) {
    if stops.len() < 2 {
        return;
    }
    let indent = " ".repeat(gutter);
    page.line([Part::plain(&indent), Part::new("= ", Tone::Accent), Part::new("the way it takes:", Tone::Strong)]);
    for (number, stop) in stops.iter().enumerate() {
        let branch = if number + 1 == stops.len() { "└─ " } else { "├─ " };
        let lead = [Part::plain(format!("{indent}  ")), Part::new(branch, Tone::Accent)];
        let file = stop.file.as_ref().map(|file| format!("{file}, ")).unwrap_or_default();
        let place = Part::new(format!("{} ({file}line {})", stop.step, stop.span.line), Tone::Accent);
        page.hang(lead, &[place, Part::plain(format!(": {}", stop.what))]);
    }
}

/// The author's lines with the places underlined. Gives the width of the line numbers.
fn excerpt(page: &mut Page, text: &Text, found: &Diagnostic) -> usize {
    let lines = Lines::of(&text.content);
    let mut marks = vec![Mark::new(&lines, found.span, "", true)];
    let first = marks.first().map_or(0, |m| m.line);
    let others = found.annotations.iter().map(|(span, note)| Mark::new(&lines, *span, note, false));
    // In a text on one line, two places far apart would show all that is between them.
    let start = marks.first().map_or(0, |mark| mark.start);
    let is_near = |mark: &Mark| mark.line != first || mark.start.abs_diff(start) < COLUMNS_MAX;
    marks.extend(others.filter(|mark| mark.line.abs_diff(first) < LINES_MAX && is_near(mark)));
    let from = marks.iter().map(|m| m.line).min().unwrap_or_default();
    let to = marks.iter().map(|m| m.line).max().unwrap_or_default();
    let source = Excerpt::of(&lines, from, to, &marks);
    let labels: Vec<String> = marks.iter().map(|m| Escaped(&m.note).to_string()).collect();
    let path = Escaped(&text.name).to_string();
    let mut snippet = Snippet::source(source.text.as_str()).line_start(from + 1).path(path.as_str());
    for ((mark, range), label) in marks.iter().zip(&source.ranges).zip(&labels) {
        let kind = if mark.is_primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        let annotation = kind.span(range.0..range.1);
        snippet = snippet.annotation(if label.is_empty() { annotation } else { annotation.label(label.as_str()) });
    }
    let renderer = if page.is_coloured() { coloured(found.severity) } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(page.width());
    let rendered = renderer.render(&[Group::with_level(Level::NOTE).element(snippet)]);
    // Of a long line a part is shown, and its columns are counted there; the place is that in the file.
    let shown = source.ranges.first().map_or(1, |range| column_of(&source.text, range.0));
    let at = |column: usize| format!("{path}:{}:{column}", first + 1);
    page.rendered(&rendered.replacen(&at(shown), &at(column_of(&text.content, start)), 1));
    (to + 1).to_string().len() + 1
}

/// In characters, from 1.
fn column_of(text: &str, byte: usize) -> usize {
    let before = text.get(..byte).unwrap_or_default();
    before.rsplit('\n').next().unwrap_or_default().chars().count() + 1
}

/// Without a title of its own an excerpt is a note, whatever its level; so every level looks as the severity does.
fn coloured(severity: Severity) -> Renderer {
    let (mark, frame) = (Page::style(tone(severity)), Page::style(Tone::Accent));
    Renderer::styled().error(mark).warning(mark).note(mark).info(mark).context(frame).line_num(Page::style(Tone::Faint))
}

/// A place on one line: what a span covers of its first.
pub(super) struct Mark {
    pub(super) line: usize,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) note: String,
    pub(super) is_primary: bool,
}

impl Mark {
    pub(super) fn new(lines: &Lines<'_>, span: Span, note: &str, is_primary: bool) -> Self {
        let line = lines.of_byte(span.start);
        let (from, content) = lines.get(line);
        let last = from + content.trim_end().len();
        let start = lines.boundary(span.start.clamp(from, from + content.len()));
        let end = lines.boundary(span.end.clamp(start, last.max(start)));
        Self { line, start, end, note: note.to_owned(), is_primary }
    }
}

/// The lines of a text by number, from 0.
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(ends).collect() }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.starts.len()
    }

    fn of_byte(&self, byte: usize) -> usize {
        self.starts.partition_point(|start| *start <= byte.min(self.text.len())).saturating_sub(1)
    }

    /// The nearest place before `byte` that is not inside of a character: a span of other bytes may lead there.
    fn boundary(&self, byte: usize) -> usize {
        boundary(self.text, byte)
    }

    /// Where a line starts, and the line without its end.
    pub(super) fn get(&self, line: usize) -> (usize, &'a str) {
        let start = self.starts.get(line).copied().unwrap_or(self.text.len());
        let end = self.starts.get(line + 1).map_or(self.text.len(), |next| next - 1);
        (start, self.text.get(start..end).unwrap_or_default())
    }
}

/// Lines escaped for the terminal, and where in them the marks are now.
struct Excerpt {
    text: String,
    ranges: Vec<(usize, usize)>,
}

impl Excerpt {
    fn of(lines: &Lines<'_>, from: usize, to: usize, marks: &[Mark]) -> Self {
        let mut text = String::new();
        let mut ranges = vec![(0, 0); marks.len()];
        for line in from..=to {
            let (start, content) = lines.get(line);
            let on_line = || marks.iter().filter(|mark| mark.line == line);
            let first = on_line().map(|m| m.start).min().unwrap_or(start);
            let window = window(content, first - start.min(first));
            if window.0 > 0 {
                text.push('…');
            }
            let place = |byte: usize, text: &str| {
                let shown =
                    content.get(window.0..(byte - start.min(byte)).clamp(window.0, window.1)).unwrap_or_default();
                text.len() + expanded(shown).len()
            };
            for (mark, range) in marks.iter().zip(&mut ranges).filter(|(mark, _)| mark.line == line) {
                *range = (place(mark.start, &text), place(mark.end, &text));
            }
            text.push_str(&expanded(content.get(window.0..window.1).unwrap_or_default()));
            if window.1 < content.len() {
                text.push('…');
            }
            if line < to {
                text.push('\n');
            }
        }
        Self { text, ranges }
    }
}

/// The author's line as it is shown: tabs as spaces, what cannot be seen spelled out.
fn expanded(line: &str) -> String {
    Escaped(&line.trim_end_matches('\r').replace('\t', "    ")).to_string()
}

/// The part of a line around byte `at`: all of it, unless it is longer than anybody reads.
pub(super) fn window(line: &str, at: usize) -> (usize, usize) {
    if line.len() <= LINE_BYTES_MAX {
        return (0, line.len());
    }
    let from = boundary(line, at.saturating_sub(BEFORE_BYTES));
    (from, boundary(line, from + LINE_BYTES_MAX))
}

fn boundary(text: &str, mut byte: usize) -> usize {
    byte = byte.min(text.len());
    while !text.is_char_boundary(byte) {
        byte -= 1;
    }
    byte
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;
    use sluice_core::diagnostic::{Code, Diagnostic, FlowStop, Severity};
    use sluice_core::text::{Span, Text};

    use super::super::page::Page;

    fn found(text: &Text, words: &str) -> Diagnostic {
        let start = text.content.find(words).unwrap();
        let span = text.span(start, start + words.len());
        Diagnostic::new(Code(203), "x", Severity::High, span, "`phi` leaves", "leave out `note`")
    }

    fn shown(text: &Text, found: &Diagnostic) -> String {
        let mut page = Page::plain(60);
        super::write(&mut page, text, found);
        page.text().to_owned()
    }

    #[test]
    fn the_place_is_underlined_in_the_authors_own_words() {
        let text = Text::new("a.yaml", "do:\n\t- š: { call: crm.list }\n  - b: { call: sheets.write }\n");
        let mut finding = found(&text, "sheets.write");
        let source = text.span(text.content.find("crm").unwrap(), text.content.find("crm").unwrap() + 8);
        finding = finding.also(source, "it enters here");
        let stop =
            |step: &str, span: Span| FlowStop { step: step.to_owned(), what: "it passes".to_owned(), file: None, span };
        finding.flow = vec![stop("do/0/š", source), stop("do/1/b", finding.span)];
        assert_snapshot!(shown(&text, &finding), @r"
        high[SL203]: `phi` leaves
         --> a.yaml:3:16
          |
        2 |     - š: { call: crm.list }
          |                  -------- it enters here
        3 |   - b: { call: sheets.write }
          |                ^^^^^^^^^^^^
          = the way it takes:
            ├─ do/0/š (line 2): it passes
            └─ do/1/b (line 3): it passes
          = help: leave out `note`
        ");
    }

    #[test]
    fn what_is_escaped_before_the_place_does_not_move_the_line_under_it() {
        let text = Text::new("a\x1b.yaml", "\x1b[2J \u{202e} here: there\n");
        assert_snapshot!(shown(&text, &found(&text, "here")), @r"
        high[SL203]: `phi` leaves
         --> a\x1b.yaml:1:8
          |
        1 | \x1b[2J \u{202e} here: there
          |                  ^^^^
          = help: leave out `note`
        ");
    }

    #[test]
    fn a_line_that_no_screen_holds_is_cut_around_the_place() {
        let text = Text::new("a.yaml", format!("{}here{}", "x".repeat(5_000), "y".repeat(5_000)));
        let shown = shown(&text, &found(&text, "here"));
        assert!(shown.lines().all(|line| line.chars().count() <= 80) && shown.contains("here"), "{shown}");
    }

    proptest! {
        #[test]
        fn no_text_and_no_span_stops_the_renderer(content in "[a-zčš\u{202e}\u{1b}\u{fffd}👩 \t\r\n]{0,80}", places in prop::collection::vec((0_usize..300, 0_usize..300), 1..4)) {
            let text = Text::new("a.yaml", content);
            let span = |(start, end): (usize, usize)| Span { start, end, line: 1, column: 1, end_line: 1, end_column: 1 };
            let mut finding = Diagnostic::new(Code(1), "x", Severity::Low, span(places[0]), "m", "h");
            for place in &places {
                finding = finding.also(span(*place), "note");
            }
            let shown = shown(&text, &finding);
            prop_assert!(!shown.contains(['\u{1b}', '\u{202e}', '\t', '\r']), "{shown:?}");
        }
    }
}
