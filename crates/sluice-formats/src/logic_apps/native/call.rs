//! Actions that call a service, and the event that starts a run.

use std::collections::{BTreeMap, BTreeSet};

use sluice_core::catalogue::Usage;
use sluice_core::document::{Data, Node as Tree};
use sluice_core::gate::{Effect, Role};

use super::super::effects::{is_plumbing, leaves};
use super::super::expression::is_expression;
use super::super::lower::Room;
use super::super::read::{Action, at, list};
use super::{Sight, Writer};
use crate::native::{
    ActionDraft, Case, Piece, Reached, Refused, Retry, Sending, Task, TaskKind, Then, Value, name_of, slug, words_of,
};

impl<'t> Writer<'_, 't> {
    /// What starts a run: the clock, with nothing; else an event, which is read of the connector that keeps it.
    pub(super) fn start(&mut self) -> Vec<Task> {
        let trigger = self.trigger;
        let name = self.name(trigger);
        self.desk.reach(&name);
        let mut tasks = Vec::new();
        match trigger.kind.as_str() {
            "recurrence" | "slidingwindow" => {
                self.event = Err("the time at which the workflow was started".to_owned());
                self.desk.note(format!(
                    "`{name}` starts the original by the clock; a definition does not say when it runs: start it with `sluice run`"
                ));
                tasks.push(Task::new(name.clone(), TaskKind::Set(Value::Map(Vec::new()))));
            }
            _ => {
                self.event = Ok(name.to_string());
                tasks.extend(self.event_task());
            }
        }
        if trigger.get("splitOn").is_some() {
            self.desk.note(format!(
                "`{name}` starts the original once for each item; the event that a run reads is one item"
            ));
        }
        for condition in list(trigger.get("conditions")) {
            let expression = condition.get("expression").unwrap_or(condition);
            match self.condition(trigger, expression, &Sight::default()) {
                Ok(holds) => {
                    let stop = Case { when: Some(format!("({holds} | not)")), then: Then::End };
                    let task = self.desk.free(&format!("{name} (condition)"));
                    tasks.push(Task::new(task, TaskKind::Switch(vec![stop])));
                }
                Err(Refused) => tasks = vec![self.desk.missing(&name, "trigger")],
            }
        }
        tasks
    }

    fn event_task(&mut self) -> Option<Task> {
        let trigger = self.trigger;
        let name = self.name(trigger);
        let room = self.low.room(trigger)?;
        let connector = match room.called.service.as_str() {
            "built-in" => format!("{}s", trigger.kind),
            service => service.to_owned(),
        };
        let connector = id(&connector, "events");
        let mut sending = Sending::default();
        sending.add("event", None, Value::jq("$workflow.input.event"));
        sending.roles.insert("event".to_owned(), Some(Role::Reference));
        let draft = ActionDraft {
            method: "GET".to_owned(),
            effect: Effect::Read,
            description: format!("an event of {}, as it came", self.node_type(trigger)),
            leaves: false,
            ..self.draft(trigger, room, &sending)
        };
        let has_credential = room.called.service != "built-in";
        let action = self.desk.contracts.add(&connector, &Reached::Unknown, has_credential, "event", draft);
        self.desk.note(format!(
            "`{name}` starts the original; a definition is started by `sluice run`, and reads the event that its input names, as `event`, \
             of the connector `{connector}`: `body`, and `headers` and `queries` where the original has them"
        ));
        self.desk.told.insert(name.clone(), sending.told);
        Some(Task::new(name.clone(), TaskKind::Call { action, with: sending.with }).kept_as(&name))
    }

    fn node_type(&self, action: &Action<'_>) -> String {
        match self.low.room(action).map(|room| (room.called.service.as_str(), room.called.operation.as_str())) {
            Some(("built-in", _)) | None => action.kind.clone(),
            Some((service, operation)) => format!("{service}/{operation}"),
        }
    }

    /// An action whose inputs are the arguments of one call.
    pub(super) fn service(&mut self, action: &Action<'t>, sight: &Sight) -> Result<Vec<Task>, Refused> {
        self.settings(action)?;
        if action.kind == "http" {
            return self.http(action, sight);
        }
        let Some(room) = self.low.room(action) else { return Err(Refused) };
        let sending = self.sending(action, room, sight)?;
        let answers = action.kind == "response";
        let (connector, operation) = match room.called.service.as_str() {
            _ if answers => ("requests".to_owned(), "respond".to_owned()),
            "built-in" => (id(&action.kind, "service"), "call".to_owned()),
            service => (id(service, "service"), id(&room.called.operation, "call")),
        };
        let mut draft = self.draft(action, room, &sending);
        if answers {
            draft.effect = Effect::Export;
        }
        let has_credential = room.called.service != "built-in";
        let call = self.desk.contracts.add(&connector, &Reached::Unknown, has_credential, &operation, draft);
        self.call(action, call, sending)
    }

    /// The task of a call, tried again where the original does so.
    pub(super) fn call(&mut self, action: &Action<'t>, call: String, sending: Sending) -> Result<Vec<Task>, Refused> {
        let name = self.name(action);
        let retry = self.retry(action)?;
        let timeout = self.timeout(action)?;
        self.desk.told.insert(name.clone(), sending.told);
        let mut task = Task::new(name.clone(), TaskKind::Call { action: call, with: sending.with }).kept_as(&name);
        task.timeout_ms = timeout;
        let Some(retry) = retry else { return Ok(vec![task]) };
        let again = self.desk.free(&format!("{name} (tried again)"));
        Ok(vec![Task::new(again, TaskKind::Try { tasks: vec![task], retry: Some(retry), catch: None })])
    }

    /// Each scalar of the inputs under its path.
    fn sending(&mut self, action: &Action<'t>, room: &Room, sight: &Sight) -> Result<Sending, Refused> {
        let mut sending = Sending::default();
        let mut refused = None;
        for leaf in leaves(action).into_iter().filter(|leaf| !is_plumbing(&leaf.path)) {
            if is_expression(&leaf.path) {
                let help = "name each field";
                refused = Some(self.unlike(action, leaf.tree.span, "a field whose name is computed", help));
                continue;
            }
            let value = match self.template(action, leaf.tree, sight) {
                Ok(value) => value,
                Err(gone) => {
                    refused = Some(gone);
                    continue;
                }
            };
            if leaf.path == "path" && action.kind.starts_with("apiconnection") {
                in_path(value, &mut sending);
                continue;
            }
            let path = leaf.path.strip_prefix("parameters.").unwrap_or(&leaf.path);
            let path = if path.is_empty() { "inputs" } else { path };
            let name = path.replace('[', ".").replace(']', "");
            let usage = room.found.usage(if leaf.path.is_empty() { "inputs" } else { &leaf.path });
            sending.add(&name, usage, value);
        }
        sending.told.powerful = room.found.is_powerful();
        refused.map_or(Ok(sending), Err)
    }

    pub(super) fn draft(&self, action: &Action<'_>, room: &Room, sending: &Sending) -> ActionDraft {
        let fact = self.low.wires.steps.get(&room.step).cloned().unwrap_or_default();
        ActionDraft {
            description: self.node_type(action),
            effect: room.found.effect,
            privileged: fact.privileged,
            method: "POST".to_owned(),
            path: String::new(),
            query: BTreeSet::new(),
            headers: BTreeMap::new(),
            body: None,
            arguments: sending.roles.clone(),
            outsiders: fact.source.is_some(),
            labels: fact.categories.iter().map(ToString::to_string).collect(),
            leaves: fact.sink.is_some(),
            keeps: room.found.reply.made_from_sent,
        }
    }

    /// `retryPolicy`. Without one the original tries again by itself.
    fn retry(&mut self, action: &Action<'t>) -> Result<Option<Retry>, Refused> {
        let policy = at(action.tree, &["inputs", "retryPolicy"]).or_else(|| action.get("retryPolicy"));
        let Some(policy) = policy else {
            self.desk
                .note("where a service does not answer, the original tries again some times; here a call is made once");
            return Ok(None);
        };
        let text = |key: &str| policy.get(key).and_then(Tree::as_text).map(|text| text.to_lowercase());
        let count = match policy.get("count").map(|tree| &tree.value) {
            Some(Data::Int(count)) => u64::try_from(*count).ok(),
            _ => None,
        };
        let delay_ms = text("interval").and_then(|text| duration_ms(&text));
        match (text("type").as_deref(), count, delay_ms) {
            (Some("none"), ..) => Ok(None),
            (Some("fixed"), Some(times), Some(delay_ms)) => {
                Ok((times > 0).then_some(Retry { times, delay_ms, ..Retry::default() }))
            }
            _ => {
                let help = "let the policy be `fixed`, with a count and an interval, or `none`";
                Err(self.unlike(action, policy.span, "a `retryPolicy` whose delays grow by chance", help))
            }
        }
    }

    fn timeout(&mut self, action: &Action<'t>) -> Result<Option<u64>, Refused> {
        let Some(tree) = at(action.tree, &["limit", "timeout"]) else { return Ok(None) };
        match tree.as_text().and_then(|text| duration_ms(&text.to_lowercase())) {
            Some(ms) => Ok(Some(ms)),
            None => Err(self.unlike(
                action,
                tree.span,
                "a `timeout` that is no duration of days, hours, minutes and seconds",
                "",
            )),
        }
    }
}

/// The computed segments of a connector's path. Encoded or not, each chooses what is opened.
fn in_path(value: Value, sending: &mut Sending) {
    let Value::Text(pieces) = value else { return };
    for piece in pieces.into_iter().filter(|piece| matches!(piece, Piece::Jq(_))) {
        let name = name_of(std::slice::from_ref(&piece));
        let name = sending.add(&name, Some(Usage::Path), Value::Text(vec![piece]));
        sending.told.also.insert(name, Usage::Object);
    }
}

fn id(words: &str, usual: &str) -> String {
    let made = slug(&words_of(words));
    if made.is_empty() { usual.to_owned() } else { made }
}

/// `pt1h30m`, `p1dt2s`, in milliseconds.
fn duration_ms(text: &str) -> Option<u64> {
    let (days, time) = text.strip_prefix('p')?.split_once('t').map_or((text.strip_prefix('p')?, ""), |both| both);
    let mut seconds: u64 = match days {
        "" => 0,
        days => days.strip_suffix('d')?.parse::<u64>().ok()?.checked_mul(86_400)?,
    };
    let mut number = String::new();
    for c in time.chars() {
        let unit = match c {
            'h' => 3_600,
            'm' => 60,
            's' => 1,
            digit => {
                number.push(digit);
                continue;
            }
        };
        seconds = seconds.checked_add(std::mem::take(&mut number).parse::<u64>().ok()?.checked_mul(unit)?)?;
    }
    if number.is_empty() { seconds.checked_mul(1_000) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_days_hours_minutes_and_seconds() {
        for (text, ms) in [
            ("pt30s", Some(30_000)),
            ("pt1h30m", Some(5_400_000)),
            ("p1d", Some(86_400_000)),
            ("p1dt2s", Some(86_402_000)),
            ("p1m", None),
            ("pt5", None),
            ("5", None),
            ("pt99999999999999999999s", None),
        ] {
            assert_eq!(duration_ms(text), ms, "{text}");
        }
    }
}
