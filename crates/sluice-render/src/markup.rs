//! Text of outsiders in HTML and SVG: none of it is markup, and nothing is hidden.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{Escaper, Markup, Render, html};
use sluice_core::contract::Digest;

use super::escape::Escaped;

/// Shows `.0` on one line, in an element or a quoted attribute.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a>(pub &'a str);

impl Render for Seen<'_> {
    fn render_to(&self, buffer: &mut String) {
        let _ = write!(Escaper::new(buffer), "{}", Escaped(self.0));
    }
}

/// A message of ours: what stands in backticks is set as code.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a>(pub &'a str);

impl Render for Message<'_> {
    fn render(&self) -> Markup {
        let parts: Vec<&str> = self.0.split('`').collect();
        // With an odd backtick somewhere it is not clear which words are whose.
        if parts.len().is_multiple_of(2) {
            return html! { (Seen(self.0)) };
        }
        html! {
            @for (number, part) in parts.iter().enumerate() {
                @if number % 2 == 1 { code { (Seen(part)) } } @else { (Seen(part)) }
            }
        }
    }
}

/// What a content security policy calls a style by: only that very text is obeyed.
#[must_use]
pub fn style_source(style: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Digest::of(style.as_bytes()).0))
}

#[cfg(test)]
mod tests {
    use maud::{Render, html};

    use super::{Message, Seen, style_source};

    #[test]
    fn nothing_an_outsider_writes_is_markup_or_hidden() {
        let evil = "<script>\"'&\u{202e}\x1b\u{0}</script>";
        let shown = html! { p title=(Seen(evil)) { (Seen(evil)) } }.into_string();
        let escaped = "&lt;script&gt;&quot;'&amp;\\u{202e}\\x1b\\x00&lt;/script&gt;";
        assert_eq!(shown, format!("<p title=\"{escaped}\">{escaped}</p>"));
        assert_eq!(Message("a `<b>` c").render().into_string(), "a <code>&lt;b&gt;</code> c");
        assert_eq!(Message("a `<b> c").render().into_string(), "a `&lt;b&gt; c");
    }

    #[test]
    fn a_style_is_named_by_its_digest() {
        assert_eq!(style_source(""), "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='");
    }
}
