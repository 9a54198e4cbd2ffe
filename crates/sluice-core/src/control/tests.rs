//! The regions against their definition, on any graph, and the work that large definitions take.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{Control, caught_by, normal_successors, written_on_edges};
use crate::expression::Expression;
use crate::label::Name;
use crate::program::{
    Arm, CallTarget, Document, Handler, HandlerId, Node, NodeId, NodeKind, Place, PlaceId, Program, StepId, Use,
};
use crate::text::{Span, Text};

/// A node of a test graph: what it is, where it goes, what it writes, and its handler.
type Sketch = (u8, [u32; 3], u32, Option<u32>);

const PLACES: u32 = 8;

fn program(sketches: &[Sketch]) -> Program {
    let exit = u32::try_from(sketches.len()).unwrap();
    let to = |id: &u32| NodeId(id % (exit + 1));
    let span = Span::default();
    let what = || Use { expression: Expression::input(span).into(), input: PlaceId(0), variables: Default::default() };
    let node = |kind, handler| Node { kind, step: StepId(0), span, handler, deadline: None };
    let mut nodes: Vec<Node> = sketches
        .iter()
        .map(|(kind, next, place, handler)| {
            let [a, b, c] = [to(&next[0]), to(&next[1]), to(&next[2])];
            let target = PlaceId(place % PLACES);
            let kind = match kind % 6 {
                0 | 1 => NodeKind::Assign { target, value: what(), next: a },
                2 => NodeKind::Branch {
                    arms: vec![Arm { guard: what(), to: a }, Arm { guard: what(), to: b }],
                    otherwise: c,
                },
                3 => {
                    let name = Name::from("x");
                    let call = CallTarget::Action { connector: name.clone(), action: name };
                    NodeKind::Call { target: call, arguments: what(), handles: Vec::new(), reply: target, next: a }
                }
                4 => NodeKind::Fork { branches: vec![a, b], join: c },
                _ => NodeKind::Raise { error: what() },
            };
            node(kind, handler.map(|h| HandlerId(h % 2)))
        })
        .collect();
    nodes.push(node(NodeKind::Exit, None));
    let handlers = [(0, 1), (1, 3)]
        .map(|(error, entry)| Handler { error: PlaceId(error), entry: NodeId(entry % (exit + 1)) })
        .to_vec();
    Program {
        document: Document::default(),
        steps: Vec::new(),
        places: (0..PLACES).map(|_| Place { name: "p".into() }).collect(),
        nodes,
        handlers,
        deadlines: Vec::new(),
        entry: NodeId(0),
        exit: NodeId(exit),
        input: PlaceId(0),
        output: PlaceId(0),
        context: PlaceId(0),
        workflow: PlaceId(0),
        control: Control::default(),
    }
}

/// By the words of the definition: walks, and nothing clever.
struct Naive {
    successors: Vec<BTreeSet<u32>>,
    exit: u32,
}

impl Naive {
    fn of(program: &Program) -> Self {
        let successors = program.nodes.iter().map(|node| {
            let entries = caught_by(program, node).into_iter().map(|h| program.handler(h).unwrap().entry);
            normal_successors(&node.kind).into_iter().chain(entries).map(|id| id.0).collect()
        });
        Self { successors: successors.collect(), exit: program.exit.0 }
    }

    fn reach(&self, starts: impl IntoIterator<Item = u32>, without: Option<u32>) -> BTreeSet<u32> {
        let (mut seen, mut open) = (BTreeSet::new(), Vec::from_iter(starts));
        while let Some(id) = open.pop() {
            if Some(id) != without && seen.insert(id) {
                open.extend(&self.successors[id as usize]);
            }
        }
        seen
    }

    /// Every node on all ways from `node` to the exit.
    fn post_dominators(&self, node: u32) -> BTreeSet<u32> {
        if !self.reach([node], None).contains(&self.exit) {
            return BTreeSet::new();
        }
        let ids = 0..=self.exit;
        ids.filter(|id| *id != node && !self.reach([node], Some(*id)).contains(&self.exit)).collect()
    }

    /// The first of them.
    fn immediate(&self, node: u32) -> Option<u32> {
        let all = self.post_dominators(node);
        all.iter().copied().find(|d| all.iter().all(|other| other == d || self.post_dominators(*d).contains(other)))
    }

    fn region(&self, node: u32) -> BTreeSet<u32> {
        self.reach(self.successors[node as usize].iter().copied(), self.immediate(node))
    }
}

fn sketches() -> impl Strategy<Value = Vec<Sketch>> {
    let near = |at: u32| prop_oneof![3 => Just(at + 1), 2 => at..at + 4, 1 => 0..40_u32];
    proptest::collection::vec(any::<(u8, u32, Option<u32>)>(), 1..24).prop_flat_map(move |rows| {
        let each = rows.into_iter().zip(0..).map(move |((kind, place, handler), at)| {
            let next = [near(at), near(at), near(at)];
            next.prop_map(move |next| (kind, next, place, handler.filter(|h| h % 3 == 0)))
        });
        each.collect::<Vec<_>>()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn regions_and_writes_are_what_their_definition_says(sketches in sketches()) {
        let program = program(&sketches);
        let (control, naive) = (Control::of(&program), Naive::of(&program));
        let written = |id: u32| written_on_edges(&program, program.node(NodeId(id)).unwrap());
        let mut guards = vec![Vec::new(); program.nodes.len()];
        for (id, node) in program.nodes() {
            // An error's way counts as one of its own, even to the very next node.
            let ways = normal_successors(&node.kind).into_iter().collect::<BTreeSet<_>>().len();
            let ways = ways + caught_by(&program, node).len();
            let decides = ways > 1 && !matches!(node.kind, NodeKind::Fork { .. });
            prop_assert_eq!(control.decides(id), decides);
            let mut expected = BTreeSet::new();
            if decides {
                let region = naive.region(id.0);
                region.iter().for_each(|inner| guards[*inner as usize].push(id));
                expected = region.into_iter().chain([id.0]).flat_map(written).collect();
            }
            let writes: Vec<PlaceId> = control.writes(id).collect();
            prop_assert_eq!(writes.len(), expected.len(), "each once");
            prop_assert_eq!(writes.into_iter().collect::<BTreeSet<_>>(), expected);
        }
        for (id, _) in program.nodes() {
            prop_assert_eq!(control.guards(id).collect::<Vec<_>>(), guards[id.0 as usize].clone());
        }
    }
}

/// How many steps the control dependences of a definition took, and how many nodes it has.
fn work(tasks: impl Iterator<Item = String>, wrap: impl Fn(String) -> String) -> (u64, u64) {
    let head = "document: { dsl: '1.0.3', namespace: t, name: d, version: '0.1.0' }\n";
    let text = Text::new("d.yaml", format!("{head}{}", wrap(tasks.collect())));
    let lowered = crate::dsl::lower(&text);
    let program = lowered.program.unwrap_or_else(|| panic!("{:?}", lowered.diagnostics));
    (Control::measured(&program).1, program.nodes.len() as u64)
}

fn is_small((work, nodes): (u64, u64)) {
    // A row of nodes and one of places, each read and written once per node; a walk per node would be `nodes²`.
    let bound = 40 * nodes + nodes * nodes / 16;
    assert!(work < bound, "{work} steps for {nodes} nodes; the bound is {bound}");
}

#[test]
fn a_try_around_a_thousand_calls_takes_no_walk_per_call() {
    let calls = (0..1_000).map(|i| format!("    - c{i}: {{ call: crm.get }}\n"));
    is_small(work(calls, |tasks| {
        format!("do:\n- t:\n    try:\n{tasks}    catch: {{ do: [{{ h: {{ set: {{ x: 1 }} }} }}] }}\n")
    }));
}

#[test]
fn a_web_of_a_thousand_gotos_takes_no_walk_per_goto() {
    let tasks = (0..1_000_u64).map(|i| {
        let (a, b) = (i * 7_919 % 1_000, i * 104_729 % 1_000);
        format!("- s{i}: {{ switch: [{{ a: {{ when: '.x == {i}', then: s{a} }} }}, {{ b: {{ then: s{b} }} }}] }}\n")
    });
    is_small(work(tasks, |tasks| format!("do:\n{tasks}")));
}

#[test]
fn ladders_of_switches_into_one_line_take_no_walk_per_switch() {
    let rungs = (0..500).map(|i| {
        let next = if i == 499 { "t0".to_owned() } else { format!("s{}", i + 1) };
        format!(
            "- s{i}: {{ switch: [{{ a: {{ when: '.x == {i}', then: t{} }} }}, {{ b: {{ then: {next} }} }}] }}\n",
            499 - i
        )
    });
    let line = (0..500).map(|i| format!("- t{i}: {{ if: .y, set: {{ x: 1 }} }}\n"));
    is_small(work(rungs.chain(line), |tasks| format!("do:\n{tasks}")));
}
