//! A page of text for a terminal: wrapped to its width, coloured only where that is wanted.
//!
//! Callers hand over words and tones; line ends and colours are made here and nowhere else, and every word goes
//! through [`Escaped`]. So nothing that an outsider wrote can reach a terminal unescaped.

use std::io::{self, IsTerminal, Write as _};

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr as _;

use super::escape::Escaped;

/// Where nothing says how wide: a pipe, a file.
const WIDTH_DEFAULT: usize = 100;
const WIDTH_MIN: usize = 40;
/// Wider lines are hard to read.
const WIDTH_MAX: usize = 140;
/// Between the columns of a table.
const GAP: usize = 2;

/// How words look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As the terminal writes.
    Plain,
    /// What the eye should find first.
    Strong,
    /// What can be skipped.
    Faint,
    /// All is well.
    Good,
    /// Somebody must look.
    Warn,
    /// Stopped.
    Bad,
    /// A name, a frame.
    Accent,
}

impl Tone {
    const fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new().bold(),
            Self::Faint => Style::new().dimmed(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Warn => AnsiColor::Yellow.on_default(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Accent => AnsiColor::Cyan.on_default(),
        }
    }
}

/// Words in one tone. Escaped on the way in.
#[derive(Clone, Debug)]
pub struct Part {
    text: String,
    tone: Tone,
}

impl Part {
    /// Words in a tone.
    pub fn new(text: impl AsRef<str>, tone: Tone) -> Self {
        Self { text: Escaped(text.as_ref()).to_string(), tone }
    }

    /// Plain words.
    pub fn plain(text: impl AsRef<str>) -> Self {
        Self::new(text, Tone::Plain)
    }

    fn width(&self) -> usize {
        self.text.width()
    }
}

impl From<&str> for Part {
    fn from(text: &str) -> Self {
        Self::plain(text)
    }
}

impl From<String> for Part {
    fn from(text: String) -> Self {
        Self::plain(text)
    }
}

/// Text under construction.
#[derive(Clone, Debug)]
pub struct Page {
    text: String,
    is_coloured: bool,
    width: usize,
}

impl Page {
    /// How something of this tone is styled by other renderers.
    pub(super) const fn style(tone: Tone) -> Style {
        tone.style()
    }

    /// For the standard output.
    #[must_use]
    pub fn of_stdout() -> Self {
        let is_coloured = anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
        Self { text: String::new(), is_coloured, width: width(io::stdout().is_terminal()) }
    }

    /// For the standard error.
    #[must_use]
    pub fn of_stderr() -> Self {
        let is_coloured = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
        Self { text: String::new(), is_coloured, width: width(io::stderr().is_terminal()) }
    }

    /// Without colours, of a width: for files and tests.
    #[must_use]
    pub const fn plain(width: usize) -> Self {
        Self { text: String::new(), is_coloured: false, width }
    }

    /// An empty page of another width that looks the same.
    #[must_use]
    pub const fn of_width(&self, width: usize) -> Self {
        Self { text: String::new(), is_coloured: self.is_coloured, width }
    }

    /// How many columns there are.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Whether there is little room: long cells should be short then.
    #[must_use]
    pub const fn is_narrow(&self) -> bool {
        self.width < 100
    }

    /// Whether colours are wanted.
    #[must_use]
    pub const fn is_coloured(&self) -> bool {
        self.is_coloured
    }

    /// What is written so far.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// An empty line; never two, and none at the top.
    pub fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// One line, however long.
    pub fn line<P: Into<Part>>(&mut self, parts: impl IntoIterator<Item = P>) {
        for part in parts {
            self.put(&part.into());
        }
        self.end_line();
    }

    /// Words wrapped at the page's width, under a first part that stays free below it.
    pub fn hang<P: Into<Part>>(&mut self, lead: impl IntoIterator<Item = P>, words: &[Part]) {
        let lead: Vec<Part> = lead.into_iter().map(Into::into).collect();
        let indent = lead.iter().map(Part::width).sum();
        lead.iter().for_each(|part| self.put(part));
        self.wrap(indent, words);
    }

    /// Rows whose columns stand under each other; the last column is wrapped.
    pub fn table(&mut self, indent: usize, rows: &[Vec<Part>]) {
        let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
        let width_of =
            |column: usize| rows.iter().filter_map(|r| r.get(column)).map(Part::width).max().unwrap_or_default();
        let widths: Vec<usize> = (0..columns).map(width_of).collect();
        for row in rows {
            let mut at = indent;
            self.text.push_str(&" ".repeat(indent));
            for (column, (part, width)) in row.iter().zip(&widths).enumerate() {
                if column + 1 == row.len() {
                    self.wrap(at, std::slice::from_ref(part));
                } else {
                    self.put(part);
                    self.text.push_str(&" ".repeat(width.saturating_sub(part.width()) + GAP));
                    at += width + GAP;
                }
            }
        }
    }

    /// Two pages side by side, a thin line between them.
    pub fn beside(&mut self, left: &Self, right: &Self) {
        let (mut lefts, mut rights) = (left.text.lines(), right.text.lines());
        loop {
            let (of_left, of_right) = (lefts.next(), rights.next());
            if of_left.is_none() && of_right.is_none() {
                return;
            }
            let of_left = of_left.unwrap_or_default();
            // Every escape sequence in a page is a colour that the page itself put there.
            let shown = anstream::adapter::strip_str(of_left).to_string().width();
            self.text.push_str(of_left);
            self.text.push_str(&" ".repeat(left.width.saturating_sub(shown)));
            self.put(&Part::new(" │", Tone::Faint));
            if let Some(of_right) = of_right.filter(|line| !line.is_empty()) {
                self.text.push(' ');
                self.text.push_str(of_right);
            }
            self.end_line();
        }
    }

    /// Somebody's words, each line behind a bar: wrapped, not joined, and still unable to leave their place.
    pub fn quote(&mut self, text: &str, tone: Tone) {
        let (margin, mut body) = (self.of_width(1), self.of_width(self.width.saturating_sub(4)));
        for line in text.lines() {
            body.hang(Vec::<Part>::new(), &[Part::new(line.trim_end(), tone)]);
        }
        self.beside(&margin, &body);
    }

    /// Adds what a page of the same look holds.
    pub fn append(&mut self, other: &Self) {
        self.text.push_str(&other.text);
    }

    /// Adds what a renderer made of escaped text.
    pub(super) fn rendered(&mut self, text: &str) {
        for line in text.lines() {
            self.text.push_str(line);
            self.end_line();
        }
    }

    /// Writes it out. A reader that went away is no error.
    pub fn print(&self) {
        let _ = io::stdout().write_all(self.text.as_bytes()).and_then(|()| io::stdout().flush());
    }

    /// Writes it to the standard error.
    pub fn print_error(&self) {
        let _ = io::stderr().write_all(self.text.as_bytes());
    }

    fn wrap(&mut self, indent: usize, words: &[Part]) {
        let room = self.width.saturating_sub(indent).max(1);
        let mut line: Vec<Part> = Vec::new();
        let mut at = 0;
        for word in tokens(words) {
            let width: usize = word.iter().map(Part::width).sum();
            if at > 0 && at + 1 + width > room {
                self.put_line(&line);
                self.text.push_str(&" ".repeat(indent));
                (line, at) = (Vec::new(), 0);
            }
            if at > 0 {
                // A space between two words of one tone has that tone: one stretch, one colour code.
                let tone = word.first().filter(|w| line.last().is_some_and(|l| l.tone == w.tone));
                line.push(Part { text: " ".to_owned(), tone: tone.map_or(Tone::Plain, |word| word.tone) });
                at += 1;
            }
            at += width;
            line.extend(word);
        }
        self.put_line(&line);
    }

    fn put_line(&mut self, parts: &[Part]) {
        for stretch in parts.chunk_by(|a, b| a.tone == b.tone) {
            let text: String = stretch.iter().map(|part| part.text.as_str()).collect();
            self.put(&Part { text, tone: stretch.first().map_or(Tone::Plain, |part| part.tone) });
        }
        self.end_line();
    }

    fn put(&mut self, part: &Part) {
        let style = part.tone.style();
        if self.is_coloured && !part.text.is_empty() && part.tone != Tone::Plain {
            self.text.push_str(&format!("{style}{}{style:#}", part.text));
        } else {
            self.text.push_str(&part.text);
        }
    }

    /// A runner of GitHub Actions obeys a line that starts with `::`, and a name or a word that was wrapped may stand there.
    fn disarm(&mut self) {
        let start = self.text.rfind('\n').map_or(0, |end| end + 1);
        let at = start + first_seen(self.text.get(start..).unwrap_or_default());
        if self.text.get(at..).is_some_and(|rest| rest.starts_with("::")) {
            self.text.replace_range(at..=at, "\\x3a");
        }
    }

    fn end_line(&mut self) {
        let kept = self.text.trim_end_matches(' ').len();
        self.text.truncate(kept);
        self.disarm();
        self.text.push('\n');
    }
}

/// Where in a line its first character is that is seen: behind spaces and colours.
fn first_seen(line: &str) -> usize {
    let mut at = 0;
    loop {
        let rest = line.get(at..).unwrap_or_default();
        let next = match rest.strip_prefix("\x1b[") {
            Some(colour) => colour.find('m').map(|end| end + 3),
            None => rest.starts_with(' ').then_some(1),
        };
        match next {
            Some(length) => at += length,
            None => return at,
        }
    }
}

/// What must not be torn apart, split at spaces. One may be made of several parts: a name and the comma behind it.
fn tokens(parts: &[Part]) -> Vec<Vec<Part>> {
    let mut tokens: Vec<Vec<Part>> = vec![Vec::new()];
    for part in parts {
        for (number, text) in part.text.split(' ').enumerate() {
            if number > 0 {
                tokens.push(Vec::new());
            }
            if let (Some(last), false) = (tokens.last_mut(), text.is_empty()) {
                last.push(Part { text: text.to_owned(), tone: part.tone });
            }
        }
    }
    tokens.retain(|token| !token.is_empty());
    tokens
}

fn width(is_terminal: bool) -> usize {
    let said = || std::env::var("COLUMNS").ok()?.parse::<usize>().ok();
    let terminal = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    let found = if is_terminal { terminal().or_else(said) } else { said() };
    found.filter(|width| *width > 0).unwrap_or(WIDTH_DEFAULT).clamp(WIDTH_MIN, WIDTH_MAX)
}

#[cfg(test)]
mod tests {
    use super::{Page, Part, Tone};

    #[test]
    fn words_wrap_under_what_leads_them() {
        let mut page = Page::plain(30);
        page.hang(
            ["  help: "],
            &[
                "send it to a place that is cleared for ".into(),
                Part::new("`phi`", Tone::Accent),
                ", or drop it".into(),
            ],
        );
        insta::assert_snapshot!(page.text(), @r"
          help: send it to a place
                that is cleared for
                `phi`, or drop it
        ");
    }

    #[test]
    fn columns_stand_under_each_other_in_any_script() {
        let mut page = Page::plain(30);
        page.table(
            2,
            &[vec!["受取人".into(), "one".into()], vec!["abc".into(), "two three four five six seven".into()]],
        );
        insta::assert_snapshot!(page.text(), @r"
          受取人  one
          abc     two three four five
                  six seven
        ");
    }

    #[test]
    fn two_pages_stand_beside_each_other() {
        let mut page = Page { is_coloured: true, ..Page::plain(30) };
        let (mut left, mut right) = (page.of_width(10), page.of_width(17));
        left.line([Part::new("受取人", Tone::Bad)]);
        left.hang(["- "], &["one two three".into()]);
        right.line(["right"]);
        page.beside(&left, &right);
        insta::assert_snapshot!(anstream::adapter::strip_str(page.text()), @r"
        受取人     │ right
        - one two  │
          three    │
        ");
        assert!(page.text().contains("\x1b[31m"), "the colours are kept");
    }

    #[test]
    fn a_stretch_of_one_tone_has_one_colour_code() {
        let mut page = Page { is_coloured: true, ..Page::plain(80) };
        page.hang(["a "], &[Part::new("one two", Tone::Bad), ", three".into()]);
        assert_eq!(page.text(), "a \x1b[1m\x1b[31mone two\x1b[0m, three\n");
    }

    #[test]
    fn no_line_starts_with_what_a_runner_obeys() {
        for is_coloured in [false, true] {
            let mut page = Page { is_coloured, ..Page::plain(12) };
            page.line(["::error::a"]);
            page.hang(["  "], &[Part::new("one two ::set-env::x", Tone::Bad)]);
            page.rendered(" ::group::y");
            let shown = anstream::adapter::strip_str(page.text()).to_string();
            insta::allow_duplicates! {
                insta::assert_snapshot!(shown, @r"
                \x3a:error::a
                  one two
                  \x3a:set-env::x
                 \x3a:group::y
                ");
            }
        }
    }

    #[test]
    fn nothing_in_a_part_ends_a_line_or_colours_it() {
        let mut page = Page::plain(80);
        page.line(["a\nb", "\x1b[2J"]);
        assert_eq!(page.text(), "a\\nb\\x1b[2J\n");
    }
}
