//! The order in which the worklist visits nodes.

use sluice_core::control::{caught_by, normal_successors};
use sluice_core::program::Program;

/// A rank per node: reverse postorder of a depth-first walk, so that but for loops a node is visited after all that lead
/// to it, and once.
pub(super) fn ranks(program: &Program) -> Vec<u32> {
    let mut ranks = vec![u32::MAX; program.nodes.len()];
    let mut seen = vec![false; program.nodes.len()];
    let mut open = vec![(program.entry, false)];
    let mut left = u32::try_from(program.nodes.len()).unwrap_or(u32::MAX);
    while let Some((at, is_done)) = open.pop() {
        let index = at.0 as usize;
        if is_done {
            left = left.saturating_sub(1);
            if let Some(rank) = ranks.get_mut(index) {
                *rank = left;
            }
            continue;
        }
        match seen.get_mut(index) {
            Some(seen) if !*seen => *seen = true,
            _ => continue,
        }
        open.push((at, true));
        let Some(node) = program.node(at) else { continue };
        let errors = caught_by(program, node).into_iter().filter_map(|id| Some(program.handler(id)?.entry));
        open.extend(errors.chain(normal_successors(&node.kind)).map(|next| (next, false)));
    }
    ranks
}

#[cfg(test)]
mod tests {
    use sluice_core::dsl;
    use sluice_core::program::NodeId;
    use sluice_core::text::Text;

    use super::*;

    fn program(tasks: &str) -> Program {
        let head = "document: { dsl: 1.0.3, namespace: test, name: order, version: 1.0.0 }\ndo:\n";
        let text = Text::new("order.yaml", format!("{head}{tasks}"));
        dsl::lower(&text).program.expect("a definition")
    }

    fn edges(program: &Program) -> impl Iterator<Item = (NodeId, NodeId)> {
        program.nodes().flat_map(|(id, node)| normal_successors(&node.kind).into_iter().map(move |next| (id, next)))
    }

    #[test]
    fn a_node_comes_after_all_that_lead_to_it() {
        let program = program(
            "  - a: { set: { x: 1 }, then: c }\n  - b: { set: { x: 2 }, then: d }\n\
             \x20 - c: { switch: [ { one: { when: \"${ .x > 1 }\", then: d } } ], then: b }\n\
             \x20 - d: { set: { x: 3 } }\n",
        );
        let ranks = ranks(&program);
        let rank = |id: NodeId| ranks[id.0 as usize];
        assert!(edges(&program).any(|(from, to)| from > to), "the numbers themselves go another way");
        assert!(edges(&program).filter(|(from, _)| rank(*from) != u32::MAX).all(|(from, to)| rank(from) < rank(to)));
    }

    #[test]
    fn every_node_of_a_loop_has_a_rank_of_its_own() {
        let program = program("  - a: { for: { in: \"${ [1, 2] }\" }, do: [ { b: { set: { x: 1 } } } ] }\n");
        let mut ranks: Vec<u32> = ranks(&program).into_iter().filter(|rank| *rank != u32::MAX).collect();
        let all = ranks.len();
        ranks.sort_unstable();
        ranks.dedup();
        assert!(all > 3 && ranks.len() == all);
    }
}
