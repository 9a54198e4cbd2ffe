//! A check as one page: it asks nobody for anything, runs no script, and prints well.

mod excerpt;

use std::collections::BTreeMap;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use sluice_core::diagnostic::{Confidence, Diagnostic, FlowStop, Severity};
use sluice_core::gate::Verdict;
use sluice_verify::StepReport;

use super::check::{FilePage, labels, verdict};
use super::markup::{Message, Seen, style_source};

const STYLE: &str = include_str!("html/style.css");
/// The worst first.
const SEVERITIES: [Severity; 5] = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info];

/// The page. `notes` say what was left out.
#[must_use]
pub fn page(files: &[FilePage<'_>], notes: &[String]) -> String {
    let policy = format!("default-src 'none'; style-src {}; base-uri 'none'; form-action 'none'", style_source(STYLE));
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { "Sluice check" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (header(files, notes))
                main {
                    @for (number, file) in files.iter().enumerate() { (section(number, file)) }
                    @if files.is_empty() { p.none { "No workflow found: no file has " code { "document: { dsl: … }" } "." } }
                }
                footer {
                    p { "Made by " code { "sluice check" } " " (env!("CARGO_PKG_VERSION")) ". Nothing was run. "
                        code { "sluice explain CODE" } " says more about a finding." }
                }
            }
        }
    };
    markup.into_string()
}

/// What there is in all, and boxes that hide and show by severity.
fn header(files: &[FilePage<'_>], notes: &[String]) -> Markup {
    let mut counts: BTreeMap<Severity, usize> = BTreeMap::new();
    for found in files.iter().flat_map(|file| file.findings) {
        *counts.entry(found.severity).or_default() += 1;
    }
    let total: usize = counts.values().sum();
    let refused = files.iter().filter(|file| file.report.is_none()).count();
    html! {
        header {
            h1 { "Sluice check" }
            p.sum {
                (number(files.len(), "file")) ", "
                @if total == 0 { "nothing found" } @else { (number(total, "finding")) }
                @if refused > 0 { ", " strong { (refused) " could not be analysed" } }
            }
            @if total > 0 {
                fieldset.filter {
                    legend { "Show" }
                    @for severity in SEVERITIES.into_iter().filter(|severity| counts.contains_key(severity)) {
                        label class=(severity.name()) {
                            input type="checkbox" id=(format!("show-{severity}")) checked autocomplete="off";
                            span.count { (counts.get(&severity).copied().unwrap_or_default()) } " " (severity)
                        }
                    }
                }
            }
            @for note in notes { p.left { (Message(note)) } }
            @if files.len() > 1 {
                nav aria-label="Files" {
                    ul {
                        @for (at, file) in files.iter().enumerate() {
                            @let worst = file.findings.iter().map(|found| found.severity).max();
                            li {
                                span class={ "dot " (worst.map_or("fine", Severity::name)) } aria-hidden="true" {}
                                a href=(format!("#file-{at}")) { (Seen(&file.text.name)) }
                                " " span.faint { (told(file)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn told(file: &FilePage<'_>) -> String {
    match (file.findings.iter().map(|found| found.severity).max(), file.findings.len()) {
        (Some(worst), 1) => format!("1 {worst}"),
        (Some(worst), count) => format!("{count}, worst {worst}"),
        (None, _) => "nothing found".to_owned(),
    }
}

fn number(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn section(at: usize, file: &FilePage<'_>) -> Markup {
    html! {
        section id=(format!("file-{at}")) {
            h2 {
                (Seen(&file.text.name))
                @if file.report.is_none() { " " span.badge.high { "refused" } }
            }
            @if file.findings.is_empty() { p.none { "Nothing found." } }
            @for found in file.sorted() { (finding(file, found)) }
            @if let Some(report) = file.report {
                (steps(&report.steps))
                @if !report.not_shown.is_empty() {
                    details {
                        summary { "Not shown " span.faint { "(" (report.not_shown.len()) ")" } }
                        ul { @for item in &report.not_shown { li { (Message(item)) } } }
                    }
                }
            }
        }
    }
}

fn finding(file: &FilePage<'_>, found: &Diagnostic) -> Markup {
    html! {
        article class=(found.severity.name()) {
            p.kind {
                span class={ "badge " (found.severity) } { (found.severity) }
                " " span.code { (found.code) }
                " " span.faint { (found.name) }
                @if found.confidence < Confidence::High { " " span.faint { "confidence " (found.confidence) } }
            }
            h3 { (Message(&found.message)) }
            p.place {
                "line " (found.span.line.max(1)) ", column " (found.span.column.max(1))
                @if let Some(step) = &found.step { ", step " code { (Seen(step)) } }
            }
            (excerpt::of(file.text, found))
            (way(&found.flow))
            @if !found.help.is_empty() { p.help { strong { "What to do: " } (Message(&found.help)) } }
        }
    }
}

/// The way of a value; one stop alone says nothing that the excerpt does not.
fn way(stops: &[FlowStop]) -> Markup {
    html! {
        @if stops.len() > 1 {
            p.way { "The way it takes" }
            ol.way {
                @for stop in stops {
                    li {
                        span.step { (Seen(&stop.step)) } " "
                        span.faint { @if let Some(file) = &stop.file { (Seen(file)) ", " } "line " (stop.span.line) }
                        br;
                        (Message(&stop.what))
                    }
                }
            }
        }
    }
}

/// Every call with its verdict, what it carries, and why.
fn steps(steps: &[StepReport]) -> Markup {
    html! {
        @if !steps.is_empty() {
            details {
                summary { "Steps that call something " span.faint { "(" (steps.len()) ")" } }
                ul.steps {
                    @for step in steps {
                        li {
                            p {
                                span class={ "verdict " (tone(step.verdict)) } { (verdict(step.verdict).0) }
                                " " strong { (Seen(&step.action)) }
                                " " span.faint { (Seen(&step.step)) ", line " (step.span.line) }
                            }
                            dl { (rows(step)) }
                        }
                    }
                }
            }
        }
    }
}

fn rows(step: &StepReport) -> Markup {
    let carries = labels(&step.labels);
    let reasons = step.policies.iter().filter(|reason| !reason.starts_with("needs "));
    let reasons: Vec<&String> = if step.verdict == Verdict::Permit { Vec::new() } else { reasons.collect() };
    html! {
        @if !carries.is_empty() { dt { "carries" } dd { (Message(&carries)) } }
        @for reason in reasons { dt { "because" } dd { (Message(reason)) } }
        @for who in &step.approvals { dt { "needs" } dd { (Message(who)) } }
        @for open in &step.open { dt { "open" } dd { (Message(open)) } }
    }
}

const fn tone(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Permit => "good",
        Verdict::Hold => "medium",
        Verdict::Forbid => "high",
        Verdict::Runtime => "low",
    }
}

#[cfg(test)]
mod tests {
    use sluice_core::diagnostic::{Code, Diagnostic, FlowStop, Severity};
    use sluice_core::text::Text;

    use super::super::check::FilePage;

    #[test]
    fn the_page_has_no_markup_but_ours() {
        let evil = "</title><img src=x onerror=alert(1)>\u{202e}";
        let text = Text::new(evil, format!("do: '{evil}'\n  - a: {{ call: \"{evil}\" }}\n"));
        let span = text.span(4, 20);
        let mut found = Diagnostic::new(Code(204), "untrusted", Severity::Critical, span, evil, evil);
        found = found.at_step(evil).also(text.span(60, 70), evil);
        found.flow = vec![FlowStop { step: evil.to_owned(), what: evil.to_owned(), file: None, span }; 2];
        let notes = [evil.to_owned()];
        let file = || FilePage { text: &text, findings: std::slice::from_ref(&found), report: None };
        let page = super::page(&[file(), file()], &notes);
        assert!(!page.contains("<img") && !page.contains('\u{202e}'), "{page}");
        assert_eq!(page.matches("</title>").count(), 1);
        for outside in ["http:", "https:", "//", "<script", "url(", "@import", " style=", " onerror=alert(1)>"] {
            assert!(!page.contains(outside), "{outside} in the page");
        }
        assert!(page.contains("default-src &#39;none&#39;") || page.contains("default-src 'none'"));
    }
}
