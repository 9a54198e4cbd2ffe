//! `switch`: the first case whose condition holds says where control goes.

use crate::document::{Fields, Node};
use crate::dsl::list::Directive;
use crate::dsl::task::Task;
use crate::dsl::workflow::Lower;
use crate::program::{Arm, NodeKind};

impl<'t> Lower<'t> {
    pub(super) fn switch(&mut self, task: &Task<'_, 't>, node: &'t Node) {
        let Some((cases, default)) = self.cases(task, node) else { return };
        let plain = Self::is_plain(task);
        if plain {
            self.pass(task);
        }
        // Where nothing happens on the way, the arms go straight to where they lead.
        let mut arms = Vec::new();
        let mut ways = Vec::new();
        for (when, directive) in cases {
            let to = match directive {
                Directive::Goto(label) if plain => label,
                other => {
                    let label = self.graph.label();
                    ways.push((label, other));
                    label
                }
            };
            if let Some(guard) = self.condition(when, "when", &task.sight) {
                arms.push(Arm { guard, to });
            }
        }
        let default = match default {
            Some(directive) => directive,
            None => self.own_then(task),
        };
        let otherwise = match default {
            Directive::Goto(label) if plain => label,
            other => {
                let label = self.graph.label();
                ways.push((label, other));
                label
            }
        };
        self.graph.emit(NodeKind::Branch { arms, otherwise }, task.span);
        for (label, directive) in ways {
            self.graph.bind(label);
            if !plain {
                self.pass(task);
            }
            self.finish(task, Some(directive));
        }
        self.check_then(task);
    }

    /// The cases in order, and where control goes if none holds.
    #[expect(clippy::type_complexity, reason = "one list and one exception, named in the doc")]
    fn cases(
        &mut self,
        task: &Task<'_, 't>,
        node: &'t Node,
    ) -> Option<(Vec<(&'t Node, Directive)>, Option<Directive>)> {
        let items = node.expect_list("switch", &mut self.out)?;
        let (mut cases, mut default) = (Vec::new(), None);
        let entries: Vec<_> = items.iter().filter_map(|item| self.single(item)).collect();
        for entry in entries {
            let Some(mut fields) = Fields::of(&entry.value, "a case", &mut self.out) else { continue };
            let when = fields.optional("when");
            let then = fields.required("then", &mut self.out);
            fields.finish(&mut self.out);
            let directive = self.directive(then, task.scope, task.flow);
            match when {
                Some(when) => cases.push((when, directive)),
                None if default.is_some() => self.bad(entry.key_span, "only one case may have no `when`"),
                None => default = Some(directive),
            }
        }
        if items.is_empty() {
            self.bad(node.span, "`switch` has no case");
        }
        Some((cases, default))
    }
}
