//! A workflow as a picture: its steps, how control goes between them, what its calls carry, where something was found.

mod foreign;
mod layout;
mod picture;

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, PreEscaped, html};
use sluice_core::control::{caught_by, normal_successors};
use sluice_core::diagnostic::{Diagnostic, Severity};
use sluice_core::program::{CallTarget, Node, NodeId, NodeKind, Program};
use sluice_verify::StepReport;

use self::picture::Picture;
use super::escape::Escaped;
use super::markup::Seen;

/// Steps drawn at most: nobody reads a larger picture, and its layout takes longer than linear time.
pub const DRAWN_STEPS_MAX: usize = 400;

const STYLE: &str = include_str!("draw/style.css");
const LIGHT: &str = include_str!("draw/light.css");
const DARK: &str = include_str!("draw/dark.css");

/// Whose colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// The reader's.
    Reader,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    fn style(self) -> String {
        match self {
            Self::Light => format!(":root{{{LIGHT}}}{STYLE}"),
            Self::Dark => format!(":root{{{DARK}}}{STYLE}"),
            Self::Reader => format!(":root{{{LIGHT}}}@media(prefers-color-scheme:dark){{:root{{{DARK}}}}}{STYLE}"),
        }
    }
}

/// The style of pictures in a page: the reader's colours, and for nothing else on the page. On paper the light ones.
#[must_use]
pub fn page_style() -> String {
    format!(
        "svg.drawn{{{LIGHT}}}@media(prefers-color-scheme:dark){{svg.drawn{{{DARK}}}}}@media print{{svg.drawn{{{LIGHT}}}}}\
         svg.drawn{{--page:var(--card);{STYLE}}}"
    )
}

/// One step as it is drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Box {
    pub(super) title: String,
    /// Its action, or its kind.
    pub(super) detail: String,
    pub(super) path: String,
    /// Classes of data that its call carries.
    pub(super) categories: BTreeSet<String>,
    /// Whether words of outsiders reach its call.
    pub(super) is_untrusted: bool,
    /// The worst finding, and how many there are.
    pub(super) found: Option<(Severity, usize)>,
    /// What a screen reader says of it.
    pub(super) told: String,
    /// Start or end of the run.
    pub(super) is_terminal: bool,
    /// What it is to trust.
    pub(super) role: Role,
    /// Whether its classes are what it reads, not what its call carries.
    pub(super) reads: bool,
}

/// What a step is to trust.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// Nothing of its own.
    #[default]
    Plain,
    /// Outsiders' words come in here.
    Enters,
    /// It acts outside, or sends something there.
    Acts,
    /// A person answers before the run goes on.
    Person,
}

impl Role {
    /// For a screen reader.
    const fn told(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Enters => "; outsiders' words come in here",
            Self::Acts => "; it acts outside",
            Self::Person => "; a person answers here",
        }
    }
}

/// What an arrow means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    /// The run goes on there.
    Next,
    /// Only when something fails.
    Error,
    /// A model, memory or tool of an agent.
    Part,
    /// Data gets there beside all connections: an expression names the step.
    Beside,
}

/// From one box to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Arrow {
    pub(super) from: usize,
    pub(super) to: usize,
    /// What it means.
    pub(super) way: Way,
    /// The worst finding about a value that goes this way.
    pub(super) found: Option<Severity>,
}

/// What there is to draw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sketch {
    title: String,
    pub(super) boxes: Vec<Box>,
    pub(super) arrows: Vec<Arrow>,
}

impl Sketch {
    /// The steps of a native workflow that control passes, with what `steps` and `findings` say of them. `None` if there are too many.
    #[must_use]
    pub fn of(program: &Program, steps: &[StepReport], findings: &[Diagnostic]) -> Option<Self> {
        let named = |step: u32| program.steps.get(step as usize).map(|about| &*about.path);
        let is_found = |step: u32| findings.iter().any(|f| f.step.is_some() && f.step.as_deref() == named(step));
        let is_drawn = |step: &u32| is_found(*step) || !is_frame(program, *step);
        let all: BTreeSet<u32> = program.nodes().filter(|(id, _)| *id != program.exit).map(|(_, n)| n.step.0).collect();
        let drawn: BTreeSet<u32> = all.into_iter().filter(is_drawn).collect();
        if drawn.len() > DRAWN_STEPS_MAX {
            return None;
        }
        let mut boxes = vec![terminal("start"), terminal("end")];
        let mut index: BTreeMap<u32, usize> = BTreeMap::new();
        for step in drawn {
            let Some(about) = program.steps.get(step as usize) else { continue };
            index.insert(step, boxes.len());
            let action = program.nodes.iter().filter(|node| node.step.0 == step).find_map(action);
            let calls: Vec<&StepReport> = steps.iter().filter(|call| call.step == *about.path).collect();
            let found = findings.iter().filter(|found| found.step.as_deref() == Some(&about.path));
            boxes.push(a_box(&about.name, &about.path, action.as_deref().unwrap_or(about.kind), &calls, found));
        }
        let places = |id: NodeId| through(program, &index, id);
        // The first box is the start, the second the end.
        let mut ways: BTreeMap<(usize, usize), Way> = BTreeMap::new();
        ways.extend(places(program.entry).into_iter().map(|first| ((0, first), Way::Next)));
        for (_, node) in program.nodes().filter(|(id, _)| *id != program.exit) {
            let Some(from) = index.get(&node.step.0).copied() else { continue };
            for to in normal_successors(&node.kind).into_iter().flat_map(places).filter(|to| *to != from) {
                ways.insert((from, to), Way::Next);
            }
            let caught = caught_by(program, node).into_iter().filter_map(|handler| program.handler(handler));
            for to in caught.flat_map(|handler| places(handler.entry)).filter(|to| *to != from) {
                ways.entry((from, to)).or_insert(Way::Error);
            }
        }
        let title = program.document.name.clone();
        Some(Self { title, arrows: arrows(findings, &boxes, ways, false), boxes })
    }

    /// The picture, as a file.
    ///
    /// # Errors
    /// If the layout could not be found, in words.
    pub fn svg(&self, theme: Theme) -> Result<String, String> {
        let placed = layout::place(self)?;
        let picture = Picture::of(self, &placed, "");
        let (width, height) = picture.size();
        let markup: Markup = html! {
            svg xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {width:.0} {height:.0}"))
                width=(format!("{width:.0}")) height=(format!("{height:.0}")) role="img" aria-labelledby="title about" {
                title id="title" { "Workflow " (Seen(&self.title)) }
                desc id="about" { (self.told()) }
                style { (PreEscaped(theme.style())) }
                (picture.markup())
            }
        };
        Ok(markup.into_string())
    }

    /// The picture, inside of a page that has [`page_style`]. `ids`: what its ids begin with.
    ///
    /// # Errors
    /// If the layout could not be found, in words.
    pub fn inline(&self, ids: &str) -> Result<Markup, String> {
        let placed = layout::place(self)?;
        let picture = Picture::of(self, &placed, ids);
        let (width, height) = picture.size();
        Ok(html! {
            svg.drawn viewBox=(format!("0 0 {width:.0} {height:.0}")) width=(format!("{width:.0}"))
                height=(format!("{height:.0}")) role="img" aria-labelledby={ (ids) "title " (ids) "about" } {
                title id={ (ids) "title" } { "Workflow " (Seen(&self.title)) }
                desc id={ (ids) "about" } { (self.told()) }
                (picture.markup())
            }
        })
    }

    /// How many steps are in the picture, not counting where the run begins and ends.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.boxes.iter().filter(|shown| !shown.is_terminal).count()
    }

    fn told(&self) -> String {
        format!("{} steps; {}", self.steps(), self.counted())
    }

    fn counted(&self) -> String {
        match self.boxes.iter().filter(|shown| shown.found.is_some()).count() {
            0 => "nothing found in any of them".to_owned(),
            1 => "something was found in 1 of them".to_owned(),
            count => format!("something was found in {count} of them"),
        }
    }

    /// Every class of data, in one order for colours.
    pub(super) fn categories(&self) -> Vec<&str> {
        let all: BTreeSet<&str> = self.boxes.iter().flat_map(|shown| &shown.categories).map(String::as_str).collect();
        all.into_iter().collect()
    }
}

/// Whether a step only holds others: with a box of its own, control would seem to come back to it.
fn is_frame(program: &Program, step: u32) -> bool {
    let mut nodes = program.nodes.iter().filter(|node| node.step.0 == step);
    let only_passes = nodes.all(|node| {
        matches!(node.kind, NodeKind::Assign { .. } | NodeKind::Arm { .. } | NodeKind::Disarm { .. } | NodeKind::Exit)
    });
    only_passes && program.steps.get(step as usize).is_some_and(|about| matches!(about.kind, "workflow" | "do" | "try"))
}

/// The boxes that control comes to next at a node, through steps that have none.
fn through(program: &Program, index: &BTreeMap<u32, usize>, from: NodeId) -> BTreeSet<usize> {
    let (mut seen, mut open, mut found) = (BTreeSet::from([from]), vec![from], BTreeSet::new());
    while let Some(id) = open.pop() {
        let Some(node) = program.node(id) else { continue };
        if id == program.exit {
            found.insert(1);
        } else if let Some(at) = index.get(&node.step.0) {
            found.insert(*at);
        } else {
            open.extend(normal_successors(&node.kind).into_iter().filter(|next| seen.insert(*next)));
        }
    }
    found
}

fn terminal(title: &str) -> Box {
    Box { title: title.to_owned(), told: format!("{title} of the run"), is_terminal: true, ..Box::default() }
}

fn action(node: &Node) -> Option<String> {
    let NodeKind::Call { target, .. } = &node.kind else { return None };
    Some(match target {
        CallTarget::Action { connector, action } => format!("{connector}.{action}"),
        CallTarget::Http => "http".to_owned(),
        CallTarget::Builtin(function) => function.name().to_owned(),
    })
}

fn a_box<'a>(
    name: &str,
    path: &str,
    detail: &str,
    calls: &[&StepReport],
    found: impl Iterator<Item = &'a Diagnostic>,
) -> Box {
    let labels = || calls.iter().flat_map(|call| &call.labels);
    let categories: BTreeSet<String> =
        labels().filter_map(|label| label.strip_prefix("category:")).map(str::to_owned).collect();
    let is_untrusted = labels().filter_map(|label| label.strip_prefix("origin:")).any(is_outside);
    let found = worst(found);
    let mut told = format!("step {}: {}", Escaped(path), Escaped(detail));
    if !categories.is_empty() {
        let names: Vec<&str> = categories.iter().map(String::as_str).collect();
        told.push_str(&format!("; carries {}", Escaped(&names.join(", "))));
    }
    told.push_str(if is_untrusted { "; words of outsiders reach it" } else { "" });
    if let Some((severity, count)) = found {
        told.push_str(&format!("; {count} found, worst {severity}"));
    }
    Box {
        title: name.to_owned(),
        detail: detail.to_owned(),
        path: path.to_owned(),
        categories,
        is_untrusted,
        found,
        told,
        ..Box::default()
    }
}

/// The worst of some findings, and how many there are.
fn worst<'a>(found: impl Iterator<Item = &'a Diagnostic>) -> Option<(Severity, usize)> {
    found.fold(None, |worst: Option<(Severity, usize)>, found| {
        Some(worst.map_or((found.severity, 1), |(severity, count)| (severity.max(found.severity), count + 1)))
    })
}

/// The author's own words are what is being judged, and a person who signed in is known.
fn is_outside(origin: &str) -> bool {
    origin != "author" && origin != "requester" && !origin.starts_with("person:")
}

/// Every way as an arrow; those on the shortest way from each stop of a finding's flow to the next are marked. Where
/// there is none and values may move `beside` the connections, the flow gets an arrow of its own.
fn arrows(findings: &[Diagnostic], boxes: &[Box], ways: BTreeMap<(usize, usize), Way>, beside: bool) -> Vec<Arrow> {
    let by_path: BTreeMap<&str, usize> =
        boxes.iter().enumerate().filter(|(_, b)| !b.is_terminal).map(|(at, b)| (b.path.as_str(), at)).collect();
    // What an agent says gets to its tools, and what they say to the agent.
    let back = ways.iter().filter(|(_, way)| **way == Way::Part).map(|((from, to), _)| (*to, *from));
    let passable: BTreeSet<(usize, usize)> = ways.keys().copied().chain(back).collect();
    let mut found: BTreeMap<(usize, usize), Severity> = BTreeMap::new();
    for (stops, severity) in stops(findings, &by_path) {
        let mut way = shortest(&passable, stops.0, stops.1);
        if way.is_empty() && beside {
            way.push(stops);
        }
        for (from, to) in way {
            let is_back = !ways.contains_key(&(from, to)) && ways.contains_key(&(to, from));
            let worst = found.entry(if is_back { (to, from) } else { (from, to) }).or_insert(severity);
            *worst = (*worst).max(severity);
        }
    }
    let extra: Vec<(usize, usize)> = found.keys().filter(|ends| !ways.contains_key(ends)).copied().collect();
    let all = ways.into_iter().chain(extra.into_iter().map(|ends| (ends, Way::Beside)));
    all.map(|((from, to), way)| Arrow { from, to, way, found: found.get(&(from, to)).copied() }).collect()
}

/// Each pair of stops that follow each other, with the worst finding that tells of it.
fn stops(findings: &[Diagnostic], by_path: &BTreeMap<&str, usize>) -> BTreeMap<(usize, usize), Severity> {
    let mut all: BTreeMap<(usize, usize), Severity> = BTreeMap::new();
    for found in findings {
        for pair in found.flow.windows(2) {
            let [from, to] = pair else { continue };
            let (Some(from), Some(to)) = (by_path.get(from.step.as_str()), by_path.get(to.step.as_str())) else {
                continue;
            };
            if from != to {
                let worst = all.entry((*from, *to)).or_insert(found.severity);
                *worst = (*worst).max(found.severity);
            }
        }
    }
    all
}

/// Breadth first; nothing if there is no way.
fn shortest(arrows: &BTreeSet<(usize, usize)>, from: usize, to: usize) -> Vec<(usize, usize)> {
    let mut before: BTreeMap<usize, usize> = BTreeMap::from([(from, from)]);
    let mut open = std::collections::VecDeque::from([from]);
    while let Some(at) = open.pop_front().filter(|at| *at != to) {
        for (_, next) in arrows.range((at, 0)..=(at, usize::MAX)) {
            if !before.contains_key(next) {
                before.insert(*next, at);
                open.push_back(*next);
            }
        }
    }
    let mut way = Vec::new();
    let mut at = to;
    while let Some(previous) = before.get(&at).copied().filter(|previous| *previous != at) {
        way.push((previous, at));
        at = previous;
    }
    way
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Arrow, Box, Sketch, Theme, terminal};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn every_graph_is_laid_out(
            count in 1_usize..24,
            ends in prop::collection::btree_set((0_usize..26, 0_usize..26), 0..60),
        ) {
            let mut boxes = vec![terminal("start"), terminal("end")];
            boxes.extend((0..count).map(|at| Box { title: at.to_string(), ..Box::default() }));
            let ends = ends.into_iter().filter(|(from, to)| from != to && *from < boxes.len() && *to < boxes.len());
            let arrows = ends.map(|(from, to)| Arrow { from, to, way: super::Way::Next, found: None }).collect();
            let svg = Sketch { title: String::new(), arrows, boxes }.svg(Theme::Light);
            prop_assert!(svg.is_ok_and(|svg| !svg.contains("NaN")));
        }
    }
}
