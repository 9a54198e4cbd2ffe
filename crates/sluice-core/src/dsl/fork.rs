//! `fork`: branches that run at once, each on places of its own.

use crate::document::{Entry, Fields, Node};
use crate::dsl::codes::{FORK_COMPETE, FORK_CONTEXT, LEAVES_FORK};
use crate::dsl::list::Flow;
use crate::dsl::task::{End, Scope, Task};
use crate::dsl::workflow::Lower;
use crate::program::assemble::{Label, uses};
use crate::program::{Arm, NodeKind, PlaceId};
use crate::text::Span;

/// A branch and its places.
struct Branch<'t> {
    entry: &'t Entry,
    start: Label,
    /// Its data, and at the end its output.
    data: PlaceId,
    /// The error that it does not catch, else null.
    error: PlaceId,
}

impl<'t> Lower<'t> {
    pub(super) fn fork(&mut self, task: &Task<'_, 't>, node: &'t Node) {
        let Some(branches) = self.branches(node) else { return };
        for branch in &branches {
            let null = Self::constant(&serde_json::Value::Null, task.input, branch.entry.key_span);
            self.graph.assign(branch.error, null, branch.entry.key_span);
        }
        let join = self.graph.label();
        let starts = branches.iter().map(|b| b.start).collect();
        self.graph.emit(NodeKind::Fork { branches: starts, join }, task.span);
        let mut context = Vec::new();
        for (i, branch) in branches.iter().enumerate() {
            let before = self.graph.length();
            self.branch(task, branch, i, join);
            context.push(self.context_use(before));
        }
        self.disjoint(&branches, &context);

        self.graph.bind(join);
        self.graph.then(task.span, |next| NodeKind::Join { next });
        for branch in &branches {
            self.raise_uncaught(branch);
        }
        self.collect(task, &branches);
        self.finish(task, None);
    }

    fn branches(&mut self, node: &'t Node) -> Option<Vec<Branch<'t>>> {
        let mut fields = Fields::of(node, "`fork`", &mut self.out)?;
        let list = fields.required("branches", &mut self.out);
        if let Some(node) = fields.optional("compete")
            && node.expect_bool("compete", &mut self.out) == Some(true)
        {
            self.out.push(FORK_COMPETE.at(node.span, "`compete: true` is not supported"));
        }
        fields.finish(&mut self.out);
        let list = list?;
        let items = list.expect_list("branches", &mut self.out)?;
        if items.is_empty() {
            self.bad(list.span, "a fork has at least one branch");
        }
        let entries: Vec<&Entry> = items.iter().filter_map(|item| self.single(item)).collect();
        let branches = entries.into_iter().map(|entry| Branch {
            entry,
            start: self.graph.label(),
            data: self.graph.place(format!("data of branch {}", entry.key)),
            error: self.graph.place(format!("error of branch {}", entry.key)),
        });
        let branches: Vec<Branch<'t>> = branches.collect();
        Some(branches)
    }

    /// One branch. Its uncaught error becomes a value at the join; timeouts outside wait at the join too, for
    /// neither may jump out while other branches run.
    fn branch(&mut self, task: &Task<'_, 't>, branch: &Branch<'t>, i: usize, join: Label) {
        let outer = (self.graph.handler, self.graph.deadline);
        self.graph.handler = Some(self.graph.handler(branch.error, join));
        self.graph.deadline = None;
        self.graph.bind(branch.start);
        let span = branch.entry.key_span;
        self.graph.assign(branch.data, Self::identity(task.input, span), span);
        if let Some(then) =
            branch.entry.value.get("then").filter(|t| t.as_text().is_none_or(|t| t.as_ref() != "continue"))
        {
            self.out.push(LEAVES_FORK.at(then.span, "`then` of a branch would leave the fork"));
        } else {
            let scope = Scope { end: End::Fork, ..task.scope.with_data(branch.data) };
            let flow = Flow { steps: [(branch.entry.key.clone(), branch.start)].into(), next: join, exit: join };
            self.task(branch.entry, &format!("{}/fork/branches/{i}/{}", task.path, branch.entry.key), &scope, &flow);
        }
        (self.graph.handler, self.graph.deadline) = outer;
    }

    /// Where the nodes since `before` write and read `$context`.
    fn context_use(&self, before: usize) -> (Option<Span>, Option<Span>) {
        let nodes = self.graph.since(before);
        let writes = |kind: &NodeKind| matches!(kind, NodeKind::Assign { target, .. } if *target == self.context);
        let written = nodes.iter().find(|node| writes(&node.kind)).map(|node| node.span);
        let read = nodes.iter().find(|node| uses(node).iter().any(|u| u.reads().any(|p| p == self.context)));
        (written, read.map(|node| node.span))
    }

    /// A branch that writes `$context` is the only one that uses it.
    fn disjoint(&mut self, branches: &[Branch<'t>], context: &[(Option<Span>, Option<Span>)]) {
        for (i, (writer, (written, _))) in branches.iter().zip(context).enumerate() {
            let Some(written) = written else { continue };
            for (j, (other, (writes, reads))) in branches.iter().zip(context).enumerate() {
                let Some(used) = (*writes).or(*reads).filter(|_| i != j) else { continue };
                let message =
                    format!("branch `{}` writes `$context`, which branch `{}` uses", writer.entry.key, other.entry.key);
                self.out.push(FORK_CONTEXT.at(*written, message).also(used, "it is used here"));
            }
        }
    }

    fn raise_uncaught(&mut self, branch: &Branch<'t>) {
        let span = branch.entry.key_span;
        let sight = crate::dsl::expression::Sight { input: branch.error, variables: std::collections::BTreeMap::new() };
        let Some(guard) = self.generated(". != null", &sight, span) else { return };
        let (raising, next) = (self.graph.label(), self.graph.label());
        self.graph.emit(NodeKind::Branch { arms: vec![Arm { guard, to: raising }], otherwise: next }, span);
        self.graph.bind(raising);
        self.graph.emit(NodeKind::Raise { error: Self::identity(branch.error, span) }, span);
        self.graph.bind(next);
    }

    /// The outputs of the branches, in their order.
    fn collect(&mut self, task: &Task<'_, 't>, branches: &[Branch<'t>]) {
        let mut sight = task.sight.clone();
        let mut names = Vec::new();
        for (i, branch) in branches.iter().enumerate() {
            names.push(format!("$branch{i}"));
            sight = sight.and(format!("branch{i}"), branch.data);
        }
        if let Some(outputs) = self.generated(&format!("[{}]", names.join(", ")), &sight, task.span) {
            self.graph.assign(task.raw, outputs, task.span);
        }
    }
}
