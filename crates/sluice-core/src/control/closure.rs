//! Regions: everything between a node and its post-dominator, as the closure of direct control dependence.
//!
//! What can be reached from a successor `s` of a node before its post-dominator `e` is, for each node of the
//! path from `s` to `e` in the tree of post-dominators, that node and its own region. So a region is what can be
//! reached over these *direct* dependences, and one pass over their strongly connected components finds all
//! regions with a union of bitsets for each dependence: no walk of the program per node.
//!
//! A path of more than one node that several nodes depend on (an error handler) is a vertex of its own, so
//! that it is walked once.
//!
//! Source: Ferrante, Ottenstein and Warren, "The Program Dependence Graph and Its Use in Optimization", 1987.

use std::collections::HashMap;

use super::bits::{Bits, Row};
use super::graph::{Graph, NONE, at, put};

/// Regions and the places written in them, by component.
pub(super) struct Closure {
    /// By node.
    components: Vec<u32>,
    regions: Vec<Row>,
    writes: Vec<Row>,
    pub(super) work: u64,
}

impl Closure {
    /// `written` are the places that each node writes, of `places` in all.
    pub(super) fn of(graph: &Graph, written: &[Vec<u32>], places: usize) -> Self {
        let dependence = Dependence::of(graph);
        let mut search = Search::new(&dependence, written, places);
        for vertex in 0..dependence.length() {
            if at(&search.entered, vertex) == NONE {
                search.run(vertex);
            }
        }
        let work = search.work + search.inner.work + search.places.work + graph.work;
        Self { components: search.components, regions: search.regions, writes: search.writes, work }
    }

    /// Which of the rows is a node's.
    pub(super) fn component(&self, node: u32) -> u32 {
        at(&self.components, node)
    }

    /// By component: the nodes of the region and the places written there.
    pub(super) fn rows(self) -> (Vec<Row>, Vec<Row>) {
        (self.regions, self.writes)
    }
}

/// The graph of direct dependences: the nodes of the program, then the shared paths.
struct Dependence<'g> {
    graph: &'g Graph,
    /// By node.
    edges: Vec<Vec<u32>>,
    /// Where each path starts and which node ends it, outside.
    paths: Vec<(u32, u32)>,
}

impl<'g> Dependence<'g> {
    fn of(graph: &'g Graph) -> Self {
        let mut dependence = Self { graph, edges: Vec::new(), paths: Vec::new() };
        let mut known = HashMap::new();
        for (id, successors) in (0..).zip(&graph.successors) {
            let end = graph.post_dominator(id);
            let edges = successors.iter().filter(|s| **s != end);
            let edges = edges.map(|start| dependence.vertex(*start, end, &mut known)).collect();
            dependence.edges.push(edges);
        }
        dependence
    }

    /// The vertex of the path from `start` to `end`.
    fn vertex(&mut self, start: u32, end: u32, known: &mut HashMap<(u32, u32), u32>) -> u32 {
        let after = self.graph.post_dominator(start);
        if after == end || after == NONE {
            return start;
        }
        *known.entry((start, end)).or_insert_with(|| {
            self.paths.push((start, end));
            index(self.graph.successors.len() + self.paths.len() - 1)
        })
    }

    fn length(&self) -> u32 {
        index(self.graph.successors.len() + self.paths.len())
    }

    fn is_node(&self, vertex: u32) -> bool {
        (vertex as usize) < self.graph.successors.len()
    }

    fn path(&self, vertex: u32) -> Option<(u32, u32)> {
        self.paths.get((vertex as usize).checked_sub(self.graph.successors.len())?).copied()
    }

    /// The vertices that one depends on directly decide.
    fn successors(&self, vertex: u32) -> Successors {
        Successors { vertex, cursor: self.path(vertex).map_or(0, |(start, _)| start) }
    }

    fn next(&self, of: &mut Successors) -> Option<u32> {
        match self.path(of.vertex) {
            None => {
                let found = self.edges.get(of.vertex as usize)?.get(of.cursor as usize).copied();
                of.cursor += 1;
                found
            }
            Some((_, end)) => {
                let found = Some(of.cursor).filter(|node| *node != end && *node != NONE)?;
                of.cursor = self.graph.post_dominator(found);
                Some(found)
            }
        }
    }
}

struct Successors {
    vertex: u32,
    cursor: u32,
}

/// Tarjan's search for strongly connected components. They are closed after all that they lead to.
struct Search<'d> {
    dependence: &'d Dependence<'d>,
    written: &'d [Vec<u32>],
    /// By vertex: when it was entered.
    entered: Vec<u32>,
    /// By vertex: the earliest vertex of the stack that it leads to.
    low: Vec<u32>,
    /// By vertex; [`NONE`] until it is closed.
    components: Vec<u32>,
    stack: Vec<u32>,
    clock: u32,
    inner: Bits,
    places: Bits,
    regions: Vec<Row>,
    writes: Vec<Row>,
    work: u64,
}

impl<'d> Search<'d> {
    fn new(dependence: &'d Dependence<'d>, written: &'d [Vec<u32>], places: usize) -> Self {
        let none = || vec![NONE; dependence.length() as usize];
        Self {
            dependence,
            written,
            entered: none(),
            low: none(),
            components: none(),
            stack: Vec::new(),
            clock: 0,
            inner: Bits::new(written.len()),
            places: Bits::new(places),
            regions: Vec::new(),
            writes: Vec::new(),
            work: 0,
        }
    }

    fn run(&mut self, start: u32) {
        let mut open = vec![self.enter(start)];
        while let Some(mut successors) = open.pop() {
            let vertex = successors.vertex;
            self.work += 1;
            match self.dependence.next(&mut successors) {
                Some(next) => {
                    open.push(successors);
                    if at(&self.entered, next) == NONE {
                        open.push(self.enter(next));
                    } else if at(&self.components, next) == NONE {
                        self.lower(vertex, at(&self.entered, next));
                    }
                }
                None => {
                    if at(&self.low, vertex) == at(&self.entered, vertex) {
                        self.close(vertex);
                    } else if let Some(caller) = open.last() {
                        self.lower(caller.vertex, at(&self.low, vertex));
                    }
                }
            }
        }
    }

    fn enter(&mut self, vertex: u32) -> Successors {
        put(&mut self.entered, vertex, self.clock);
        put(&mut self.low, vertex, self.clock);
        self.clock += 1;
        self.stack.push(vertex);
        self.dependence.successors(vertex)
    }

    fn lower(&mut self, vertex: u32, to: u32) {
        let low = at(&self.low, vertex).min(to);
        put(&mut self.low, vertex, low);
    }

    /// The vertices on the stack from `root` on are one component: what they lead to is the region of each.
    fn close(&mut self, root: u32) {
        let component = index(self.regions.len());
        let from = self.stack.iter().rposition(|v| *v == root).unwrap_or_default();
        let members = self.stack.split_off(from);
        for member in &members {
            put(&mut self.components, *member, component);
        }
        for member in members {
            let mut successors = self.dependence.successors(member);
            while let Some(next) = self.dependence.next(&mut successors) {
                self.work += 1;
                self.add(next, component);
            }
        }
        self.regions.push(self.inner.take());
        self.writes.push(self.places.take());
    }

    fn add(&mut self, vertex: u32, component: u32) {
        if self.dependence.is_node(vertex) {
            if !self.inner.insert(vertex) {
                // It came with a set that holds all that it leads to, or leads back to this component.
                return;
            }
            for place in self.written.get(vertex as usize).into_iter().flatten() {
                self.places.insert(*place);
            }
        }
        let other = at(&self.components, vertex);
        if other == component {
            return;
        }
        if let (Some(region), Some(writes)) = (self.regions.get(other as usize), self.writes.get(other as usize)) {
            self.inner.union(region);
            self.places.union(writes);
        }
    }
}

fn index(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(NONE)
}
