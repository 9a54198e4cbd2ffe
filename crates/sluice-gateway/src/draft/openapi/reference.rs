//! References inside of a description: `{ $ref: "#/components/schemas/Pet" }`.

use sluice_core::document::Node;

/// Most references in a row.
const STEPS_MAX: usize = 16;

/// A description as a whole.
pub(super) struct Document<'n> {
    root: &'n Node,
}

impl<'n> Document<'n> {
    pub(super) const fn new(root: &'n Node) -> Self {
        Self { root }
    }

    pub(super) const fn root(&self) -> &'n Node {
        self.root
    }

    /// What a node stands for: itself, or what it refers to.
    pub(super) fn resolved(&self, node: &'n Node) -> Result<&'n Node, String> {
        let mut node = node;
        for _ in 0..STEPS_MAX {
            let Some(reference) = node.get("$ref").and_then(Node::as_text) else { return Ok(node) };
            node = self.find(reference).ok_or_else(|| format!("`{reference}` is nothing in this file"))?;
        }
        Err("its references lead in a circle".to_owned())
    }

    fn find(&self, reference: &str) -> Option<&'n Node> {
        let path = reference.strip_prefix("#/")?;
        path.split('/').try_fold(self.root, |node, segment| node.get(&segment.replace("~1", "/").replace("~0", "~")))
    }
}
