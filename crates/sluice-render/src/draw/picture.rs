//! A sketch and its places as markup.

use std::collections::BTreeSet;

use maud::{Markup, html};
use sluice_core::diagnostic::Severity;
use unicode_width::UnicodeWidthStr as _;

use super::layout::{DETAIL_COLUMN, Place, Placed, clipped};
use super::{Arrow, Box, Role, Sketch, Way};

/// Around the picture.
const MARGIN: f64 = 24.0;
/// Colours for classes of data; with more classes they come again, and names tell them apart.
const COLOURS: usize = 8;
const LEGEND_LINE: f64 = 22.0;
const LEGEND_WIDTH: f64 = 250.0;
const LEGEND_INDENT: f64 = 34.0;

pub(super) struct Picture<'a> {
    /// What its ids begin with: a page may hold several pictures.
    ids: &'a str,
    sketch: &'a Sketch,
    placed: &'a Placed,
    categories: Vec<&'a str>,
}

impl<'a> Picture<'a> {
    pub(super) fn of(sketch: &'a Sketch, placed: &'a Placed, ids: &'a str) -> Self {
        Self { ids, sketch, placed, categories: sketch.categories() }
    }

    /// Left, top, right and bottom of everything that was laid out: arrows may pass outside of every box.
    fn bounds(&self) -> (f64, f64, f64, f64) {
        let ends = |p: &Place| {
            let (x, y) = (p.width / 2.0, p.height / 2.0);
            [(p.x - x, p.y - y), (p.x + x, p.y + y)]
        };
        let boxes = self.placed.boxes.iter().flat_map(ends);
        let points = self.placed.arrows.iter().flatten().copied();
        boxes.chain(points).fold((0.0, 0.0, 0.0, 0.0), |(left, top, right, bottom), (x, y)| {
            (f64::min(left, x), f64::min(top, y), f64::max(right, x), f64::max(bottom, y))
        })
    }

    pub(super) fn size(&self) -> (f64, f64) {
        let (left, top, right, bottom) = self.bounds();
        let legend = LEGEND_LINE * self.legend().len() as f64 + 12.0;
        ((right - left).max(self.legend_width()) + 2.0 * MARGIN, bottom - top + legend + 2.0 * MARGIN)
    }

    /// Classes of data have names of any length; the other lines are ours.
    fn legend_width(&self) -> f64 {
        let width =
            |category: &&str| LEGEND_INDENT + (self.verb().len() + clipped(category).width()) as f64 * DETAIL_COLUMN;
        self.categories.iter().map(width).fold(LEGEND_WIDTH, f64::max)
    }

    /// What boxes have to do with the classes in them.
    fn verb(&self) -> &'static str {
        if self.sketch.boxes.iter().any(|shown| shown.reads) { "reads " } else { "a call that carries " }
    }

    pub(super) fn markup(&self) -> Markup {
        let (width, height) = self.size();
        let (left, top, _, bottom) = self.bounds();
        let (x, y) = (MARGIN - left, MARGIN - top);
        html! {
            defs {
                @for kind in self.kinds() {
                    marker class=(kind) id={ (self.ids) "to-" (kind) } viewBox="0 0 8 8" refX="7" refY="4" markerWidth="11" markerHeight="11" markerUnits="userSpaceOnUse"
                        orient="auto-start-reverse" { path d="M0 0 8 4 0 8z" {} }
                }
            }
            rect class="page" width=(format!("{width:.0}")) height=(format!("{height:.0}")) {}
            g transform=(format!("translate({x:.0} {y:.0})")) {
                @for (arrow, points) in self.sketch.arrows.iter().zip(&self.placed.arrows) { (self.arrow(arrow, points)) }
                @for (shown, place) in self.sketch.boxes.iter().zip(&self.placed.boxes) { (self.step(shown, *place)) }
                g class="legend" transform=(format!("translate({left:.0} {:.0})", bottom + 28.0)) {
                    @for (number, line) in self.legend().into_iter().enumerate() {
                        g transform=(format!("translate(0 {:.0})", LEGEND_LINE * number as f64)) { (line) }
                    }
                }
            }
        }
    }

    /// The kinds of arrows that there are: each has a head of its colour.
    fn kinds(&self) -> BTreeSet<&'static str> {
        self.sketch.arrows.iter().map(kind).collect()
    }

    fn arrow(&self, arrow: &Arrow, points: &[(f64, f64)]) -> Markup {
        let kind = kind(arrow);
        let dashed = dashes(arrow.way);
        html! {
            path class=(format!("arrow{} {kind}{dashed}", if arrow.found.is_some() { " found" } else { "" })) d=(curve(points)) marker-end=(format!("url(#{}to-{kind})", self.ids)) {
                title { (self.arrow_told(arrow)) }
            }
        }
    }

    fn arrow_told(&self, arrow: &Arrow) -> String {
        let name = |at: usize| self.sketch.boxes.get(at).map(|shown| clipped(&shown.title)).unwrap_or_default();
        let (from, to) = (name(arrow.from), name(arrow.to));
        let found = arrow.found.map(|severity| format!("; a flow that was found, {severity}")).unwrap_or_default();
        match arrow.way {
            Way::Next => format!("from {from} to {to}{found}"),
            Way::Error => format!("from {from} to {to}, if it fails{found}"),
            Way::Part => format!("{from} is a part of {to}{found}"),
            Way::Beside => format!("from {from} to {to}, beside the connections{found}"),
        }
    }

    fn step(&self, shown: &Box, place: Place) -> Markup {
        let (x, y) = (place.x - place.width / 2.0, place.y - place.height / 2.0);
        let radius = if shown.is_terminal { place.height / 2.0 } else { 8.0 };
        let class = class(shown);
        html! {
            g class=(class) transform=(format!("translate({x:.1} {y:.1})")) role="img" aria-label=(shown.told) {
                title { (shown.told) }
                rect class="box" width=(format!("{:.1}", place.width)) height=(format!("{:.1}", place.height)) rx=(radius) {}
                @if shown.is_terminal {
                    text class="name" x=(format!("{:.1}", place.width / 2.0)) y="19" text-anchor="middle" { (shown.title) }
                } @else {
                    (self.stripes(shown, place.height))
                    (sign(shown.role, place))
                    text class="name" x="20" y="21" { (clipped(&shown.title)) }
                    text class="detail" x="20" y="38" { (clipped(&shown.detail)) }
                }
                @if let Some((severity, count)) = shown.found { (badge(severity, count, place.width)) }
            }
        }
    }

    /// One stripe per class of data, from top to bottom along the left side.
    fn stripes(&self, shown: &Box, height: f64) -> Markup {
        let each = (height - 12.0) / shown.categories.len().max(1) as f64;
        html! {
            @for (number, category) in shown.categories.iter().enumerate() {
                rect class=(self.colour(category)) x="7" y=(format!("{:.1}", 6.0 + each * number as f64)) width="6"
                    height=(format!("{each:.1}")) rx="2" {}
            }
        }
    }

    fn colour(&self, category: &str) -> String {
        let number = self.categories.iter().position(|known| *known == category).unwrap_or_default();
        format!("data c{}", number % COLOURS)
    }

    /// Only what is in the picture.
    fn legend(&self) -> Vec<Markup> {
        let any = |is: fn(&Arrow) -> bool| self.sketch.arrows.iter().any(is);
        let reads = self.sketch.boxes.iter().any(|shown| shown.reads);
        let line = |kind: &str, words: &str| {
            html! {
                path class={ "arrow " (kind) } d="M0 0H24" {}
                text x="34" y="4" { (words) }
            }
        };
        let mut lines: Vec<Markup> = self
            .categories
            .iter()
            .map(|category| {
                html! {
                    rect class=(self.colour(category)) x="9" y="-8" width="6" height="16" rx="2" {}
                    text x="34" y="4" { (self.verb()) (clipped(category)) }
                }
            })
            .collect();
        let roles: BTreeSet<Role> = self.sketch.boxes.iter().map(|shown| shown.role).collect();
        if roles.contains(&Role::Enters) {
            lines.push(boxed("step enters", "outsiders' words come in here"));
        }
        if self.sketch.boxes.iter().any(|shown| shown.is_untrusted && shown.role != Role::Enters) {
            let words = if reads { "a flow that was found passes it" } else { "outsiders' words reach it" };
            lines.push(boxed("step untrusted", words));
        }
        for (role, words) in [(Role::Acts, "acts or sends outside"), (Role::Person, "a person answers here")] {
            if roles.contains(&role) {
                let place = Place { x: 0.0, y: 0.0, width: 34.0, height: 34.0 };
                lines.push(html! {
                    g transform="translate(0 -17)" { (sign(role, place)) }
                    text x="34" y="4" { (words) }
                });
            }
        }
        if let Some(worst) = self.sketch.boxes.iter().filter_map(|shown| shown.found).max() {
            lines.push(html! {
                g class=(worst.0.name()) { circle class="badge" cx="12" cy="0" r="8" {} }
                text x="34" y="4" { "findings, by their worst" }
            });
        }
        let found: BTreeSet<Severity> = self.sketch.arrows.iter().filter_map(|arrow| arrow.found).collect();
        for severity in found.into_iter().rev() {
            lines.push(line(&format!("found {severity}"), &format!("the way that a finding tells of: {severity}")));
        }
        if any(|arrow| arrow.way == Way::Error) {
            lines.push(line("plain dashed", "if it fails"));
        }
        if any(|arrow| arrow.way == Way::Part) {
            lines.push(line("plain dotted", "a model, memory or tool of it"));
        }
        if any(|arrow| arrow.way == Way::Beside) {
            lines.push(line("plain loose", "named in an expression"));
        }
        lines
    }
}

/// The class of an arrow and its head.
fn kind(arrow: &Arrow) -> &'static str {
    match (arrow.found, arrow.way) {
        (Some(severity), _) => severity.name(),
        (None, Way::Error) => "error",
        (None, _) => "plain",
    }
}

const fn dashes(way: Way) -> &'static str {
    match way {
        Way::Next => "",
        Way::Error => " dashed",
        Way::Part => " dotted",
        Way::Beside => " loose",
    }
}

const fn class(shown: &Box) -> &'static str {
    match (shown.is_terminal, shown.role, shown.is_untrusted) {
        (true, ..) => "step terminal",
        (false, Role::Enters, _) => "step enters",
        (false, Role::Person, _) => "step person",
        (false, _, true) => "step untrusted",
        (false, _, false) => "step",
    }
}

/// What a role looks like without its colour: an arrow that leaves the box, a head and shoulders.
fn sign(role: Role, place: Place) -> Markup {
    let at = format!("translate({:.1} {:.1})", place.width - 22.0, place.height / 2.0 - 7.0);
    html! {
        @match role {
            Role::Acts => g class="sign acts" transform=(at) { path d="M1 7H11M7 2.5 11.5 7 7 11.5" {} },
            Role::Person => g class="sign person" transform=(at) {
                circle cx="7" cy="4" r="3" {}
                path d="M1.5 13C1.5 6.5 12.5 6.5 12.5 13" {}
            },
            _ => {}
        }
    }
}

fn boxed(class: &str, words: &str) -> Markup {
    html! {
        g class=(class) { rect class="box" y="-8" width="24" height="16" rx="4" {} }
        text x="34" y="4" { (words) }
    }
}

fn badge(severity: Severity, count: usize, width: f64) -> Markup {
    html! {
        g class=(severity.name()) {
            circle class="badge" cx=(format!("{width:.1}")) cy="0" r="10" {}
            text class="count" x=(format!("{width:.1}")) y="4" text-anchor="middle" {
                @if count > 99 { "99" } @else { (count) }
            }
        }
    }
}

/// Through all points, rounded at each: half-way between two points the line is straight.
fn curve(points: &[(f64, f64)]) -> String {
    let (Some((x, y)), Some(last)) = (points.first(), points.last()) else { return String::new() };
    let mut path = format!("M{x:.1} {y:.1}");
    for pair in points.windows(2).skip(1) {
        let [(x, y), (next_x, next_y)] = pair else { continue };
        path.push_str(&format!("Q{x:.1} {y:.1} {:.1} {:.1}", f64::midpoint(*x, *next_x), f64::midpoint(*y, *next_y)));
    }
    path.push_str(&format!("L{:.1} {:.1}", last.0, last.1));
    path
}
