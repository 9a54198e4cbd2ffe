//! A listing of a program that people can read: one line per node, grouped by step.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::expression::Expression;
use crate::program::{Backoff, CallTarget, Duration, Node, NodeId, NodeKind, PlaceId, Program, StepId, Use};
use crate::text::Text;

impl Program {
    /// The listing; `text` is the definition, from which expressions are quoted.
    ///
    /// A node that goes on to the next line does not say so; `else`, `→` and `⚡` say where control goes
    /// otherwise: `⚡` is where an error goes, `⏱` the innermost timeout.
    #[must_use]
    pub fn render(&self, text: &Text) -> String {
        let listing = Listing::of(self, text);
        let mut out = String::new();
        let mut step: Option<StepId> = None;
        for (id, node) in self.nodes() {
            if step != Some(node.step) {
                let shown = self.steps.get(node.step.0 as usize);
                let heading = shown.map(|s| format!("{} ({})", s.path, s.kind)).unwrap_or_default();
                let _ = writeln!(out, "{heading}");
                step = Some(node.step);
            }
            let _ = writeln!(out, "{:>4}  {}", id.0, listing.node(id, node));
        }
        for (i, deadline) in self.deadlines.iter().enumerate() {
            let after = listing.duration(&deadline.after);
            let to = deadline.handler.and_then(|h| self.handler(h));
            let to =
                to.map_or_else(|| "the run ends".to_owned(), |h| format!("{} → {}", listing.place(h.error), h.entry.0));
            let _ = writeln!(out, "⏱{i} after {after}: {to}");
        }
        out
    }
}

struct Listing<'p> {
    program: &'p Program,
    text: &'p Text,
    /// Names that several places share, which are then told apart by number.
    shared: BTreeMap<&'p str, usize>,
}

impl<'p> Listing<'p> {
    fn of(program: &'p Program, text: &'p Text) -> Self {
        let mut shared = BTreeMap::new();
        for place in &program.places {
            *shared.entry(place.name.as_ref()).or_insert(0) += 1;
        }
        Self { program, text, shared }
    }

    fn node(&self, id: NodeId, node: &Node) -> String {
        let mut line = self.kind(id, &node.kind);
        if let Some(handler) = node.handler.and_then(|h| self.program.handler(h)) {
            let _ = write!(line, "  ⚡{} → {}", self.place(handler.error), handler.entry.0);
        }
        if let Some(deadline) = node.deadline {
            let _ = write!(line, "  ⏱{}", deadline.0);
        }
        line
    }

    fn kind(&self, id: NodeId, kind: &NodeKind) -> String {
        let on = |next: &NodeId| if next.0 == id.0 + 1 { String::new() } else { format!("  → {}", next.0) };
        match kind {
            NodeKind::Assign { target, value, next } => {
                format!("{} := {}{}", self.place(*target), self.value(value), on(next))
            }
            NodeKind::Branch { arms, otherwise } => {
                let arms: Vec<String> =
                    arms.iter().map(|a| format!("if {} → {}", self.value(&a.guard), a.to.0)).collect();
                format!("{} else → {}", arms.join(", "), otherwise.0)
            }
            NodeKind::Next { items, cursor, item, index, body, done } => {
                let [items, cursor, item, index] = [items, cursor, item, index].map(|p| self.place(*p));
                format!("next {item}, {index} of {items} at {cursor} → {} else → {}", body.0, done.0)
            }
            NodeKind::Call { target, arguments, reply, next, .. } => {
                format!("{} := call {} {}{}", self.place(*reply), target_name(target), self.value(arguments), on(next))
            }
            NodeKind::Fork { branches, join } => {
                let starts: Vec<String> = branches.iter().map(|b| b.0.to_string()).collect();
                format!("fork → {}, join {}", starts.join(" "), join.0)
            }
            NodeKind::Join { next } => format!("join{}", on(next)),
            NodeKind::Wait { duration, next } => format!("wait {}{}", self.duration(duration), on(next)),
            NodeKind::Raise { error } => format!("raise {}", self.value(error)),
            NodeKind::Retry { policy, attempts, again, exhausted } => {
                let backoff = match policy.backoff {
                    Backoff::Constant => "constant",
                    Backoff::Linear => "linear",
                    Backoff::Exponential => "exponential",
                };
                format!(
                    "retry {} at most {} times, {backoff} {} ms → {} else → {}",
                    self.place(*attempts),
                    policy.attempts_max,
                    policy.delay_ms,
                    again.0,
                    exhausted.0
                )
            }
            NodeKind::Arm { deadline, next } => format!("arm ⏱{}{}", deadline.0, on(next)),
            NodeKind::Disarm { deadline, next } => format!("disarm ⏱{}{}", deadline.0, on(next)),
            NodeKind::Exit => "exit".to_owned(),
        }
    }

    /// `{[data] | .name + $item}`: what `.` is, and the expression in the author's words; a constant as JSON.
    fn value(&self, value: &Use) -> String {
        let span = value.expression.span;
        if *value.expression == Expression::input(span) {
            return self.place(value.input);
        }
        if let Some(constant) = value.expression.constant() {
            return shortened(&constant.to_string());
        }
        let written = self.text.content.get(span.start..span.end).unwrap_or_default();
        let words = shortened(&written.split_whitespace().collect::<Vec<_>>().join(" "));
        // What the lowering adds itself stands at the name of a task.
        if words.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-')) {
            let reads: Vec<String> = value.variables.values().map(|p| self.place(*p)).collect();
            return format!("{{{} | … {}}}", self.place(value.input), reads.join(" "));
        }
        format!("{{{} | {words}}}", self.place(value.input))
    }

    fn duration(&self, duration: &Duration) -> String {
        match duration {
            Duration::Millis(ms) => format!("{ms} ms"),
            Duration::Expression(value) => self.value(value),
        }
    }

    fn place(&self, id: PlaceId) -> String {
        let name = self.program.places.get(id.0 as usize).map_or("?", |p| p.name.as_ref());
        match self.shared.get(name) {
            Some(n) if *n > 1 => format!("[{name} #{}]", id.0),
            _ => format!("[{name}]"),
        }
    }
}

fn target_name(target: &CallTarget) -> String {
    match target {
        CallTarget::Action { connector, action } => format!("{connector}.{action}"),
        CallTarget::Http => "http".to_owned(),
        CallTarget::Builtin(builtin) => builtin.name().to_owned(),
    }
}

fn shortened(words: &str) -> String {
    const CHARS_MAX: usize = 100;
    if words.chars().count() <= CHARS_MAX {
        return words.to_owned();
    }
    words.chars().take(CHARS_MAX - 1).chain(['…']).collect()
}
