//! A check as one page: it asks nobody for anything, runs no script, and prints well.

mod excerpt;

use std::collections::BTreeMap;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use sluice_core::diagnostic::{Confidence, Diagnostic, FlowStop, Severity};
use sluice_core::gate::Verdict;
use sluice_verify::StepReport;

use super::check::{FilePage, labels, verdict};
use super::draw::{DRAWN_STEPS_MAX, Sketch, page_style};
use super::markup::{Message, Seen, style_source};

const STYLE: &str = include_str!("html/style.css");
/// The worst first.
const SEVERITIES: [Severity; 5] = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info];

/// The picture of a file.
#[derive(Clone, Debug, Default)]
pub enum Drawn {
    /// Nothing to draw, or nobody asked for it.
    #[default]
    Nothing,
    /// There is too much to draw.
    TooMuch,
    /// What there is.
    Sketch(Box<Sketch>),
}

impl Drawn {
    /// What there is, if it is not too much.
    #[must_use]
    pub fn of(sketch: Option<Sketch>) -> Self {
        sketch.map_or(Self::TooMuch, |sketch| Self::Sketch(Box::new(sketch)))
    }
}

/// The page. `drawn`: the picture of each file; `notes` say what was left out.
#[must_use]
pub fn page(files: &[FilePage<'_>], drawn: &[Drawn], notes: &[String]) -> String {
    let has_pictures = drawn.iter().any(|drawn| matches!(drawn, Drawn::Sketch(_)));
    let style = if has_pictures { format!("{STYLE}{}", page_style()) } else { STYLE.to_owned() };
    let policy = format!("default-src 'none'; style-src {}; base-uri 'none'; form-action 'none'", style_source(&style));
    let is_only = files.len() == 1;
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
                style { (PreEscaped(style)) }
            }
            body {
                (header(files, notes))
                main {
                    @for (number, file) in files.iter().enumerate() {
                        (section(number, file, &picture(number, drawn.get(number), is_only)))
                    }
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

/// The picture of a file: of the only one it is shown at once.
fn picture(at: usize, drawn: Option<&Drawn>, is_only: bool) -> Markup {
    match drawn {
        None | Some(Drawn::Nothing) => html! {},
        Some(Drawn::TooMuch) => html! {
            p.faint { "No picture: it has more than " (DRAWN_STEPS_MAX) " steps, or too many connections." }
        },
        Some(Drawn::Sketch(sketch)) => html! {
            @match sketch.inline(&format!("p{at}-")) {
                Ok(svg) => details.picture open[is_only] {
                    summary { "Picture " span.faint { "(" (number(sketch.steps(), "step")) ")" } }
                    div.drawing tabindex="0" { (svg) }
                },
                Err(why) => p.faint { "No picture: " (Message(&why)) "." },
            }
        },
    }
}

fn section(at: usize, file: &FilePage<'_>, picture: &Markup) -> Markup {
    html! {
        section id=(format!("file-{at}")) {
            h2 {
                (Seen(&file.text.name))
                @if file.report.is_none() { " " span.badge.high { "refused" } }
            }
            (picture)
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

    use sluice_formats::{Opened, open};
    use sluice_verify::survey::survey;

    use super::super::check::FilePage;
    use super::super::draw::Sketch;
    use super::Drawn;

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
        let page = super::page(&[file(), file()], &[], &notes);
        assert!(!page.contains("<img") && !page.contains('\u{202e}'), "{page}");
        assert_eq!(page.matches("</title>").count(), 1);
        for outside in ["http:", "https:", "//", "<script", "url(", "@import", " style=", " onerror=alert(1)>"] {
            assert!(!page.contains(outside), "{outside} in the page");
        }
        assert!(page.contains("default-src &#39;none&#39;") || page.contains("default-src 'none'"));
    }
    #[test]
    fn a_picture_asks_nobody_and_shares_nothing_with_another() {
        let evil = "</svg><img src=x onerror=alert(1)> url(https://evil.example) \u{202e}";
        let node = |name: &str, kind: &str| serde_json::json!({ "name": name, "type": format!("n8n-nodes-base.{kind}"), "parameters": {}, "typeVersion": 1, "position": [0, 0] });
        let connections = serde_json::json!({ "In": { "main": [[{ "node": evil, "type": "main", "index": 0 }]] } });
        let export = serde_json::json!({ "name": evil, "nodes": [node("In", "webhook"), node(evil, "slack")], "connections": connections });
        let Opened::Foreign { text, import: Ok(import), .. } = open("export.json", export.to_string().as_bytes())
        else {
            panic!("it is an export");
        };
        let findings = survey(&import).findings;
        let drawn = || Drawn::of(Sketch::of_import(&import, &findings));
        let file = || FilePage { text: &text, findings: &[], report: None };
        let page = super::page(&[file(), file(), file()], &[drawn(), drawn(), Drawn::TooMuch], &[]);
        assert_eq!(page.matches("<svg").count(), 2);
        assert!(page.contains("more than 400 steps"));
        assert!(!page.contains("<img") && !page.contains('\u{202e}') && !page.contains("xmlns"), "{page}");
        for outside in ["<script", "<image", "<use", "href=\"h", "@import", " style="] {
            assert!(!page.contains(outside), "{outside} in the page");
        }
        let urls: Vec<&str> = page.split("=\"url(").skip(1).collect();
        assert!(!urls.is_empty() && urls.iter().all(|url| url.starts_with("#p")), "{page}");
        let mut ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "each id stands for one thing");
        assert_eq!(page.matches("<style").count(), 1, "the only style is the one that the policy names");
        let style = page.split("<style>").nth(1).and_then(|rest| rest.split("</style>").next()).unwrap();
        let named = super::style_source(style);
        assert!(page.contains(&named) || page.contains(&named.replace('\'', "&#39;")), "{named}");
    }
}
