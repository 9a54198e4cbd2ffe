//! Where the stories are shown: how wide, in which colours, and whether somebody is there to press Enter.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::render::{Page, Part, Tone};

/// From here on there is room for two columns.
const WIDE: usize = 110;

/// Longer lines are tiring where nothing stands beside them.
const TEXT_WIDTH_MAX: usize = 100;

/// Between two columns: ` │ `.
const GAP: usize = 3;

/// Time to read a part of a story; Enter ends it.
const PAUSE: Duration = Duration::from_secs(4);

/// A visitor's line is cut here; a terminal hands over no more than 4 KiB.
const LINE_BYTES_MAX: u64 = 64 << 10;

/// The place where it is shown.
pub(super) struct Stage {
    look: Page,
    visitor: Option<mpsc::Receiver<String>>,
}

impl Stage {
    /// The standard output. Somebody is there if it and the standard input are a terminal.
    pub(super) fn of_terminal() -> Self {
        let is_attended = io::stdin().is_terminal() && io::stdout().is_terminal();
        Self { look: Page::of_stdout(), visitor: is_attended.then(listen) }
    }

    /// Whether somebody can answer.
    pub(super) const fn is_attended(&self) -> bool {
        self.visitor.is_some()
    }

    /// A page as wide as text should be.
    pub(super) fn page(&self) -> Page {
        self.look.of_width(self.look.width().min(TEXT_WIDTH_MAX))
    }

    /// A page for one of two columns; as wide as text where there is room for one only.
    pub(super) fn column(&self) -> Page {
        if self.is_wide() { self.look.of_width((self.look.width() - GAP) / 2) } else { self.page() }
    }

    /// Shows what happened twice: side by side, or one below the other.
    pub(super) fn compare(&self, left: (&str, Tone, &Page), right: (&str, Tone, &Page)) {
        let (left, right) = (titled(left), titled(right));
        let mut page = self.look.of_width(self.look.width());
        if self.is_wide() {
            page.beside(&left, &right);
        } else {
            page.append(&left);
            page.gap();
            page.append(&right);
        }
        page.gap();
        page.print();
    }

    /// A heading across the whole width.
    pub(super) fn heading(&self, text: &str) {
        let mut page = self.look.of_width(self.look.width());
        let line = "━".repeat(self.look.width().saturating_sub(text.chars().count() + 4));
        page.line([
            Part::new("━━ ", Tone::Accent),
            Part::new(text, Tone::Strong),
            Part::new(format!(" {line}"), Tone::Accent),
        ]);
        page.gap();
        page.print();
    }

    /// Shows a page.
    pub(super) fn show(&self, mut page: Page) {
        page.gap();
        page.print();
    }

    /// Leaves time to read; without a visitor none is needed.
    pub(super) async fn pause(&mut self) {
        let Some(lines) = &mut self.visitor else { return };
        let mut hint = self.look.of_width(self.look.width());
        hint.line([Part::new("  … Enter", Tone::Faint)]);
        print!("{}", hint.text().trim_end());
        let _ = io::stdout().flush();
        let typed = tokio::time::timeout(PAUSE, lines.recv()).await;
        // Enter has moved on to the next line already. Either way the hint's line is cleared.
        print!("{}", if typed.is_ok() { "\x1b[1A\r\x1b[2K" } else { "\r\x1b[2K" });
        let _ = io::stdout().flush();
    }

    /// Leaves the line that the visitor interrupted.
    pub(super) fn leave_line(&self) {
        if self.is_attended() {
            println!();
        }
    }

    /// What the visitor types at a prompt; `None` for an empty line, or if nobody is there any more.
    pub(super) async fn ask(&mut self, prompt: &str) -> Option<String> {
        let lines = self.visitor.as_mut()?;
        // What was typed to skip a pause is no answer.
        while lines.try_recv().is_ok() {}
        print!("{prompt}");
        let _ = io::stdout().flush();
        lines.recv().await.filter(|line| !line.trim().is_empty())
    }

    fn is_wide(&self) -> bool {
        self.look.width() >= WIDE
    }
}

fn titled((title, tone, body): (&str, Tone, &Page)) -> Page {
    let mut page = body.of_width(body.width());
    page.line([Part::new(title, tone)]);
    page.line([Part::new("─".repeat(title.chars().count()), Tone::Faint)]);
    page.append(body);
    page
}

/// Lines from the standard input, read beside the story. Its thread ends with the process.
fn listen() -> mpsc::Receiver<String> {
    let (send, receive) = mpsc::channel(16);
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        loop {
            let mut line = Vec::new();
            match (&mut input).take(LINE_BYTES_MAX).read_until(b'\n', &mut line) {
                Ok(read) if read > 0 => {}
                _ => return,
            }
            let text = String::from_utf8_lossy(&line);
            if send.blocking_send(text.trim_end_matches(['\n', '\r']).to_owned()).is_err() {
                return;
            }
        }
    });
    receive
}
