//! Where boxes stand and which way arrows take, by dagre's layered layout.

use std::panic::{AssertUnwindSafe, catch_unwind};

use dagre::graph::{Graph, GraphOptions};
use dagre::{EdgeLabel, LayoutOptions, NodeLabel};
use unicode_width::UnicodeWidthStr as _;

use super::super::escape::Escaped;
use super::{Box, Role, Sketch, Way};

/// Columns of a name that are shown; the title of the box holds all of it.
const COLUMNS_MAX: usize = 30;
const COLUMN: f64 = 8.2;
pub(super) const DETAIL_COLUMN: f64 = 6.9;

/// A box's middle and size.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// Everything in its place.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) boxes: Vec<Place>,
    /// By arrow: the points that it passes.
    pub(super) arrows: Vec<Vec<(f64, f64)>>,
}

/// Lays a sketch out.
pub(super) fn place(sketch: &Sketch) -> Result<Placed, String> {
    // The shape of the graph is an outsider's, and the library states many things about it that it does not return.
    let placed = catch_unwind(AssertUnwindSafe(|| dagre(sketch)));
    placed.map_err(|_| "no layout was found for the steps of this workflow".to_owned())
}

fn dagre(sketch: &Sketch) -> Placed {
    let mut graph: Graph<NodeLabel, EdgeLabel> =
        Graph::with_options(GraphOptions { directed: true, multigraph: false, compound: false });
    let sizes: Vec<(f64, f64)> = sketch.boxes.iter().map(size).collect();
    for (at, (width, height)) in sizes.iter().enumerate() {
        let label = NodeLabel { width: *width, height: *height, ..NodeLabel::default() };
        graph.set_node(at.to_string(), Some(label));
    }
    for arrow in &sketch.arrows {
        // What happens in most runs stands straight below each other.
        let label = EdgeLabel { weight: if arrow.way == Way::Next { 3 } else { 1 }, ..EdgeLabel::default() };
        graph.set_edge(arrow.from.to_string(), arrow.to.to_string(), Some(label), None);
    }
    let options = LayoutOptions { nodesep: 36.0, ranksep: 40.0, edgesep: 18.0, ..LayoutOptions::default() };
    dagre::layout(&mut graph, Some(options));
    let boxes = sizes.iter().enumerate().map(|(at, (width, height))| {
        let node = graph.node(&at.to_string());
        let coordinate = |get: fn(&NodeLabel) -> Option<f64>| node.and_then(get).unwrap_or_default();
        Place { x: coordinate(|n| n.x), y: coordinate(|n| n.y), width: *width, height: *height }
    });
    let arrows = sketch.arrows.iter().map(|arrow| {
        let edge = graph.edge(&arrow.from.to_string(), &arrow.to.to_string(), None);
        edge.map(|edge| edge.points.iter().map(|point| (point.x, point.y)).collect()).unwrap_or_default()
    });
    Placed { boxes: boxes.collect(), arrows: arrows.collect() }
}

fn size(shown: &Box) -> (f64, f64) {
    if shown.is_terminal {
        return (64.0, 28.0);
    }
    let width = |text: &str, column: f64| clipped(text).width() as f64 * column;
    (
        width(&shown.title, COLUMN).max(width(&shown.detail, DETAIL_COLUMN)).max(72.0)
            + if shown.role >= Role::Acts { 56.0 } else { 40.0 },
        50.0,
    )
}

/// What is shown of a name.
pub(super) fn clipped(text: &str) -> String {
    let text = Escaped(text).to_string();
    if text.width() <= COLUMNS_MAX {
        return text;
    }
    let mut short = String::new();
    for c in text.chars() {
        if short.width() + 2 > COLUMNS_MAX {
            break;
        }
        short.push(c);
    }
    short + "…"
}
