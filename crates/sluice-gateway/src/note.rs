//! What is told to people: hosts keep what servers write to their standard error.

use sluice_core::text::is_unseen;

/// Tells it, without what they would not see.
pub(crate) fn note(text: &str) {
    let safe: String = text.chars().map(|c| if is_unseen(c) { '\u{fffd}' } else { c }).collect();
    eprintln!("sluice gateway: {safe}");
}
