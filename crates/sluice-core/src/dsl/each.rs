//! `for`: the tasks of a list once for each element, each iteration starting from the data of the one before.

use std::sync::Arc;

use crate::document::{Fields, Node};
use crate::dsl::task::Task;
use crate::dsl::workflow::Lower;
use crate::program::{Arm, NodeKind};

impl<'t> Lower<'t> {
    pub(super) fn each(&mut self, task: &Task<'_, 't>, node: &'t Node, fields: &mut Fields<'t>) {
        let condition = fields.optional("while");
        let body = fields.required("do", &mut self.out);
        let Some(mut head) = Fields::of(node, "`for`", &mut self.out) else { return };
        let item_name = self.variable(&mut head, "each", "item");
        let index_name = self.variable(&mut head, "at", "index");
        let collection = head.required("in", &mut self.out);
        head.finish(&mut self.out);
        let (Some(body), Some(collection)) = (body, collection) else { return };

        let [items, cursor, data] =
            ["items of", "cursor of", "data of"].map(|what| self.graph.place(format!("{what} {}", task.name)));
        let item = self.graph.place(format!("${item_name}"));
        let index = self.graph.place(format!("${index_name}"));
        let value = self.transformed(Some(collection), "in", &task.sight, collection.span);
        self.graph.assign(items, value, collection.span);
        self.graph.assign(cursor, Self::constant(&0.into(), task.input, task.span), task.span);
        self.graph.assign(data, Self::identity(task.input, task.span), task.span);

        let (inside, done) = (self.graph.label(), self.graph.label());
        let head = self.here();
        self.graph.emit(NodeKind::Next { items, cursor, item, index, body: inside, done }, task.span);
        self.graph.bind(inside);
        if let Some(node) = condition {
            let sight = task.sight.of(data).and(item_name.clone(), item).and(index_name.clone(), index);
            if let Some(guard) = self.condition(node, "while", &sight) {
                let goes_on = self.graph.label();
                self.graph
                    .emit(NodeKind::Branch { arms: vec![Arm { guard, to: goes_on }], otherwise: done }, node.span);
                self.graph.bind(goes_on);
            }
        }
        let scope = task.scope.with_data(data).and(item_name, item).and(index_name, index);
        self.list(body, &format!("{}/do", task.path), &scope, head);
        self.graph.bind(done);
        self.graph.assign(task.raw, Self::identity(data, task.span), task.span);
        self.finish(task, None);
    }

    /// The name of a variable that a task introduces.
    pub(super) fn variable(&mut self, fields: &mut Fields<'t>, key: &'static str, default: &str) -> Arc<str> {
        const RESERVED: [&str; 9] =
            ["context", "input", "output", "secrets", "secret", "authorization", "task", "workflow", "runtime"];
        let Some(node) = fields.optional(key) else { return default.into() };
        let Some(name) = node.expect_name(key, &mut self.out) else { return default.into() };
        let word = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !word || name.starts_with(|c: char| c.is_ascii_digit()) || RESERVED.contains(&name.as_ref()) {
            self.bad(node.span, format!("`{name}` cannot name a variable"));
        }
        name
    }
}
