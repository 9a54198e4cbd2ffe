//! Who signed the last checkpoint: this workspace's own key, and witnesses if any did.

use maud::{Markup, html};
use sluice_render::markup::Seen;

/// The signatures of a note, in order.
struct Signatures<'n> {
    /// The log's name, which its own key has too.
    origin: &'n str,
    names: Vec<&'n str>,
}

impl<'n> Signatures<'n> {
    /// Who a note names as its signers. Nothing is checked: `sluice audit verify` does that with the pinned key.
    fn of(note: &'n str) -> Self {
        let origin = note.lines().next().unwrap_or_default();
        let lines = note.split_once("\n\n").map_or("", |(_, lines)| lines).lines();
        let names = lines.filter_map(|line| line.strip_prefix("— ")?.split_once(' ').map(|(name, _)| name)).collect();
        Self { origin, names }
    }

    fn witnesses(&self) -> impl Iterator<Item = &'n str> {
        let origin = self.origin;
        self.names.iter().copied().filter(move |name| *name != origin)
    }
}

/// Who signed it, and what is missing.
pub(crate) fn told(note: &str) -> Markup {
    let signatures = Signatures::of(note);
    let witnesses: Vec<&str> = signatures.witnesses().collect();
    html! {
        dt { "signed by" } dd {
            @for (number, name) in signatures.names.iter().enumerate() { @if number > 0 { ", " } code { (Seen(name)) } }
            @if signatures.names.is_empty() { span.tag.bad { "nobody" } }
        }
        dt { "cosigned by" } dd {
            @if witnesses.is_empty() { span.tag.warn { "no witness" } }
            @else { @for name in &witnesses { span.tag.good { (Seen(name)) } " " } }
        }
    }
}

/// How to get a witness, where there is none.
pub(crate) fn advice(note: Option<&str>) -> Markup {
    let has_witness = note.is_some_and(|note| Signatures::of(note).witnesses().next().is_some());
    html! {
        @if !has_witness {
            details {
                summary { "How to have it witnessed" }
                p { "A witness keeps the checkpoints that it was shown, and signs only what grew out of them. Without one, nobody outside can tell whether an older log was put back as a whole." }
                @if note.is_some() {
                    p { "Give somebody " a href="/health/checkpoint" download { "the signed note" } ", again and again: a witness that speaks C2SP tlog-witness, a service that stamps the time, or people who "
                        "only keep it, on a machine that this one cannot write to. " code { "sluice audit verify" } " says whether the log agrees with its own." }
                } @else {
                    p { "The first checkpoint is made as soon as something is recorded while " code { "sluice serve" } " or a run is at work." }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn witnesses_are_told_from_the_logs_own_key() {
        let alone = "example/log\n12\nroot\n\n— example/log AAAA\n";
        assert_eq!((Signatures::of(alone).names, Signatures::of(alone).witnesses().count()), (vec!["example/log"], 0));
        let two = format!("{alone}— witness.example BBBB\n");
        assert_eq!(Signatures::of(&two).witnesses().collect::<Vec<_>>(), ["witness.example"]);
        for odd in ["", "x", "a\n\n—\n— \n"] {
            assert_eq!(Signatures::of(odd).names, Vec::<&str>::new(), "{odd}");
        }
        assert!(told(&two).into_string().contains("witness.example") && advice(Some(&two)).into_string().is_empty());
        assert!(advice(Some(alone)).into_string().contains("/health/checkpoint"));
    }
}
