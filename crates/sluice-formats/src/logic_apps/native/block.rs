//! Blocks: actions in their order, ways that are taken, loops.

use sluice_core::document::{Data, Node as Tree};

use super::super::blocks::{is_chain, order};
use super::super::read::{Action, Arm, at, key};
use super::after::Endings;
use super::{Sight, Writer};
use crate::native::{Case, Refused, Task, TaskKind, Then, Value};

/// How often an `Until` goes round where it does not say.
const ROUNDS: i64 = 60;

impl<'t> Writer<'_, 't> {
    /// The actions of a block, one after the other.
    pub(super) fn block(&mut self, actions: &[Action<'t>], sight: &Sight) -> Vec<Task> {
        let mut endings = Endings::of(actions);
        if !is_chain(actions) {
            self.desk.note(
                "actions that nothing orders run at the same time in the original; here they run one after the other, and an error of one \
                 ends what comes after it, too",
            );
        }
        let mut tasks = Vec::new();
        for action in order(actions) {
            let name = self.name(action);
            self.desk.reach(&name);
            let awaited = endings.is_awaited(action);
            let inside = Sight { is_tried: sight.is_tried || awaited, ..sight.clone() };
            let made = match self.action(action, &inside) {
                Ok(made) => made,
                Err(Refused) => vec![self.desk.missing(&name, &action.kind)],
            };
            tasks.extend(if endings.matter { self.minded(&mut endings, action, made) } else { made });
        }
        let begin = self.forgotten(&endings, sight);
        begin.into_iter().chain(tasks).collect()
    }

    /// A block inside another.
    fn inner(&mut self, actions: &[Action<'t>], sight: &Sight) -> Vec<Task> {
        let sight = Sight { is_alone: sight.is_alone && is_chain(actions), ..sight.clone() };
        self.block(actions, &sight)
    }

    pub(super) fn scope(&mut self, action: &Action<'t>, sight: &Sight) -> Vec<Task> {
        let tasks = action.blocks.iter().flat_map(|block| self.inner(block, sight)).collect();
        vec![Task::new(self.name(action), TaskKind::Do(tasks))]
    }

    /// `If` and `Switch`: it is decided once, and then one list is done.
    pub(super) fn ways(&mut self, action: &Action<'t>, sight: &Sight) -> Result<Vec<Task>, Refused> {
        let name = self.name(action);
        let when = self.conditions(action, sight);
        let mut cases = Vec::new();
        let mut otherwise = Then::Exit;
        let mut blocks = Vec::new();
        for (n, (block, arm)) in action.blocks.iter().zip(&action.arms).enumerate() {
            let word = match arm {
                Arm::Body => "true".to_owned(),
                Arm::Else => "false".to_owned(),
                Arm::Default => "otherwise".to_owned(),
                Arm::Case(_) | Arm::Tool => format!("case {}", n + 1),
            };
            let inner = self.desk.free(&format!("{name} ({word})"));
            let tasks = self.inner(block, sight);
            let then = Then::To(inner.clone());
            match when.as_ref().ok().and_then(|when| when.get(n).cloned().flatten()) {
                Some(when) => cases.push(Case { when: Some(when), then }),
                None => otherwise = then,
            }
            let mut task = Task::new(inner, TaskKind::Do(tasks));
            task.then = Some(Then::Exit);
            blocks.push(task);
        }
        // The steps inside are told, too.
        when?;
        if cases.is_empty() && otherwise == Then::Exit {
            return Ok(vec![Task::new(name, TaskKind::Do(Vec::new()))]);
        }
        cases.push(Case { when: None, then: otherwise });
        let which = Task::new(self.desk.free(&format!("which of {name}")), TaskKind::Switch(cases));
        let tasks = std::iter::once(which).chain(blocks).collect();
        Ok(vec![Task::new(name, TaskKind::Do(tasks))])
    }

    /// When each block is done, as jq; the one that is done where no other is has none.
    fn conditions(&mut self, action: &Action<'t>, sight: &Sight) -> Result<Vec<Option<String>>, Refused> {
        let Some(expression) = action.get("expression") else {
            return Err(self.unlike(action, action.span, "a way that nothing decides", ""));
        };
        if action.kind == "if" {
            let holds = self.condition(action, expression, sight)?;
            let of = |arm: &Arm<'_>| match arm {
                Arm::Body => Some(holds.clone()),
                _ if action.arms.len() > 1 => None,
                _ => Some(format!("({holds} | not)")),
            };
            return Ok(action.arms.iter().map(of).collect());
        }
        let subject = self.jq(action, expression, sight)?;
        let mut found = Vec::new();
        for arm in &action.arms {
            found.push(match arm {
                Arm::Case(Some(case)) => Some(format!("{subject} == {}", self.jq(action, case, sight)?)),
                Arm::Case(None) => return Err(self.unlike(action, action.span, "a case of no value", "")),
                _ => None,
            });
        }
        Ok(found)
    }

    pub(super) fn each(&mut self, action: &Action<'t>, sight: &Sight) -> Result<Vec<Task>, Refused> {
        let name = self.name(action);
        let n = sight.items.len() + 1;
        let variable = if n == 1 { "item".to_owned() } else { format!("item_{n}") };
        let mut inside = Sight { is_repeated: true, is_alone: false, ..sight.clone() };
        inside.items.push((key(&action.name), variable.clone()));
        let tasks = action.blocks.iter().flat_map(|block| self.block(block, &inside)).collect();
        let Some(items) = action.get("foreach") else {
            return Err(self.unlike(action, action.span, "a loop over nothing", ""));
        };
        let items = self.jq(action, items, sight)?;
        self.desk
            .note("a `for` goes through its items one after the other; a `Foreach` may go through several at once");
        Ok(vec![Task::new(name, TaskKind::For { each: variable, items, tasks })])
    }

    /// `Until`: its actions, until the condition holds or it went round often enough.
    pub(super) fn until(&mut self, action: &Action<'t>, sight: &Sight) -> Result<Vec<Task>, Refused> {
        let name = self.name(action);
        let inside = Sight { is_repeated: true, is_alone: false, ..sight.clone() };
        let tasks: Vec<Task> = action.blocks.iter().flat_map(|block| self.block(block, &inside)).collect();
        let Some(expression) = action.get("expression") else {
            return Err(self.unlike(action, action.span, "a loop that nothing ends", ""));
        };
        let holds = self.condition(action, expression, sight)?;
        let rounds = match at(action.tree, &["limit", "count"]).map(|tree| &tree.value) {
            None => ROUNDS,
            Some(Data::Int(rounds)) => *rounds,
            Some(_) => return Err(self.unlike(action, action.span, "a limit of rounds that is computed", "")),
        };
        if at(action.tree, &["limit", "timeout"]).is_some() {
            self.desk.note(format!(
                "`{name}`: the time after which the loop ends is not carried over; its {rounds} rounds are"
            ));
        }
        let kept = self.desk.free(&format!("rounds of {name}")).to_string();
        let count = self.reads(&kept);
        let mut begin = Task::new(self.desk.free(&format!("begin {name}")), TaskKind::Set(Value::Map(Vec::new())));
        begin.export = vec![(kept.clone(), "0".to_owned())];
        let mut once = Task::new(self.desk.free(&format!("once {name}")), TaskKind::Do(tasks));
        once.export = vec![(kept, format!("({count} + 1)"))];
        let again = once.name.clone();
        let case = Case { when: Some(format!("{holds} or {count} >= {rounds}")), then: Then::Exit };
        let cases = vec![case, Case { when: None, then: Then::To(again) }];
        let enough = Task::new(self.desk.free(&format!("until {name}")), TaskKind::Switch(cases));
        Ok(vec![Task::new(name, TaskKind::Do(vec![begin, once, enough]))])
    }

    /// A list that is made of another one: `from`, and what is done with each.
    pub(super) fn listed(&mut self, action: &Action<'t>, sight: &Sight) -> Result<Value, Refused> {
        let Some(from) = action.inputs().and_then(|inputs| inputs.get("from")) else {
            return Err(self.unlike(action, action.span, "a list that is made of nothing", ""));
        };
        let from = self.jq(action, from, sight)?;
        let inside = Sight { row: Some("row".to_owned()), ..sight.clone() };
        let inputs = |key: &str| action.inputs().and_then(|inputs: &Tree| inputs.get(key));
        Ok(Value::jq(match action.kind.as_str() {
            "select" => {
                let Some(select) = inputs("select") else { return Ok(Value::jq(from)) };
                let made = self.jq(action, select, &inside)?;
                format!("{from} | map(. as $row | {made})")
            }
            "query" => {
                let Some(test) = inputs("where") else { return Ok(Value::jq(from)) };
                let test = self.condition(action, test, &inside)?;
                format!("{from} | map(. as $row | select({test}))")
            }
            _ => {
                let by = inputs("joinWith").and_then(Tree::as_text).map_or(",", |by| by);
                format!("{from} | join({})", crate::native::quoted(by))
            }
        }))
    }
}
