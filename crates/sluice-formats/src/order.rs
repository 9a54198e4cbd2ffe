//! The order in which the nodes of a graph are written.

use std::collections::BTreeSet;

/// The nodes that can be got to from the entries, each before what it leads to where there is no circle.
pub(crate) fn each_before_what_follows(entries: &[usize], next: &dyn Fn(usize) -> Vec<usize>) -> Vec<usize> {
    let (mut seen, mut finished) = (BTreeSet::new(), Vec::new());
    for entry in entries {
        // Depth first with a stack of our own: chains are long.
        let mut stack = vec![(*entry, false)];
        while let Some((node, done)) = stack.pop() {
            if done {
                finished.push(node);
            } else if seen.insert(node) {
                stack.push((node, true));
                stack.extend(next(node).into_iter().map(|to| (to, false)));
            }
        }
    }
    finished.reverse();
    finished
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_comes_before_what_it_leads_to_and_once() {
        let edges = [vec![1, 2], vec![3], vec![3], vec![], vec![5], vec![4]];
        let order = |entries: &[usize]| each_before_what_follows(entries, &|node| edges[node].clone());
        assert_eq!(order(&[0]), [0, 1, 2, 3]);
        assert_eq!(order(&[4]), [4, 5], "a circle begins where it is entered");
        assert_eq!(order(&[3, 0]), [0, 1, 2, 3]);
        let long: Vec<usize> = (0..100_000).collect();
        assert_eq!(each_before_what_follows(&[0], &|node| long.get(node + 1).copied().into_iter().collect()), long);
    }
}
