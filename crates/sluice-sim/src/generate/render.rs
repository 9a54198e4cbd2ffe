//! Generated definitions as YAML.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::catalogue::CatalogueSpec;
use super::definition::{Definition, Length, Output, Step, Target, Task};
use super::expression::{Expr, Scope, jq};

/// Gives an object whatever the data is.
const OBJECT: &str = "if type == \"object\" then . else {} end";

/// The text of a definition.
#[must_use]
pub fn render(definition: &Definition, catalogue: &CatalogueSpec) -> String {
    let place = Place { context: true, ..Place::default() };
    let render = Render { catalogue };
    let mut text = json!({
        "document": {
            "dsl": "1.0.1",
            "namespace": "laws",
            "name": "generated",
            "version": "0.1.0",
            "metadata": { "purpose": "reporting" },
        },
    });
    let top = Scope { context: true, ..Scope::default() };
    if definition.input {
        set(&mut text, "input", json!({ "from": "${ {v0: .v0, v1: .v1, v2: .v0} }" }));
    }
    if let Some(timeout) = definition.timeout {
        set(&mut text, "timeout", json!({ "after": { "milliseconds": timeout } }));
    }
    set(&mut text, "do", render.list(&definition.steps, "t", place));
    if let Some(output) = &definition.output {
        set(&mut text, "output", json!({ "as": whole(&jq(output, top)) }));
    }
    let mut yaml = String::new();
    block(&text, 0, &mut yaml);
    yaml
}

/// Where a list of steps stands.
#[derive(Clone, Copy, Default)]
struct Place {
    item: bool,
    error: bool,
    /// Whether `$context` may be written.
    context: bool,
    forked: bool,
}

struct Render<'a> {
    catalogue: &'a CatalogueSpec,
}

fn set(map: &mut Value, key: &str, value: Value) {
    if let Value::Object(fields) = map {
        fields.insert(key.to_owned(), value);
    }
}

fn whole(jq: &str) -> String {
    format!("${{ {jq} }}")
}

impl Place {
    fn scope(self, input: bool) -> Scope {
        Scope { item: self.item, error: self.error, input, context: true }
    }

    fn jq(self, e: &Expr) -> String {
        jq(e, self.scope(true))
    }

    fn expression(self, e: &Expr) -> String {
        whole(&self.jq(e))
    }

    /// Of `if` and `input.from`, which see no `$input`.
    fn before(self, e: &Expr) -> String {
        jq(e, self.scope(false))
    }
}

impl Render<'_> {
    fn list(&self, steps: &[Step], prefix: &str, place: Place) -> Value {
        let step = |(i, step)| {
            let name = format!("{prefix}{i}");
            let body = self.step(step, &name, prefix, (i, steps.len()), place);
            json!({ name: body })
        };
        Value::Array(steps.iter().enumerate().map(step).collect())
    }

    fn step(&self, step: &Step, name: &str, prefix: &str, at: (usize, usize), place: Place) -> Value {
        let mut body = self.task(&step.task, name, prefix, at, place);
        if let (Task::Back(..), true) = (&step.task, place.context) {
            return body;
        }
        if let Some(guard) = &step.guard {
            set(&mut body, "if", whole(&place.before(guard)).into());
        }
        if let Some((variable, e)) = &step.input {
            let from = format!("(. | {OBJECT}) + {{v{variable}: {}}}", place.before(e));
            set(&mut body, "input", json!({ "from": whole(&from) }));
        }
        let takes = matches!(step.task, Task::Call(..) | Task::Http { .. } | Task::Release(..) | Task::Fork(_));
        if let (Output::Into(variable), true) = (step.output, takes) {
            let into = format!("($input | {OBJECT}) + {{v{variable}: .}}");
            set(&mut body, "output", json!({ "as": whole(&into) }));
        }
        if let (Some((variable, e)), true) = (&step.export, place.context) {
            let export = format!("$context + {{v{variable}: {}}}", place.jq(e));
            set(&mut body, "export", json!({ "as": whole(&export) }));
        }
        if let Some(timeout) = &step.timeout {
            set(&mut body, "timeout", json!({ "after": Self::length(timeout, place) }));
        }
        if let Some(then) = Self::target(step.then, prefix, at, place) {
            set(&mut body, "then", then.into());
        }
        body
    }

    fn target(target: Target, prefix: &str, (i, length): (usize, usize), place: Place) -> Option<String> {
        match target {
            Target::Next => None,
            Target::Forward(by) if i + by < length => Some(format!("{prefix}{}", i + by)),
            Target::End if !place.forked => Some("end".to_owned()),
            Target::Forward(_) | Target::Exit | Target::End => Some("exit".to_owned()),
        }
    }

    fn length(length: &Length, place: Place) -> Value {
        match length {
            Length::Fixed(ms) => json!({ "milliseconds": ms }),
            Length::Computed(e) => whole(&format!("{{milliseconds: (if {} then 10 else 2 end)}}", place.jq(e))).into(),
        }
    }

    fn task(&self, task: &Task, name: &str, prefix: &str, at: (usize, usize), place: Place) -> Value {
        match task {
            Task::Set(v, e) => json!({ "set": whole(&format!("(. | {OBJECT}) + {{v{v}: {}}}", place.jq(e))) }),
            Task::Replace(fields) => {
                let fields = fields.iter().map(|(v, e)| (format!("v{v}"), Value::from(place.expression(e))));
                json!({ "set": Value::Object(fields.collect()) })
            }
            Task::Call(action, with) => self.call(*action, with, place),
            Task::Http { post, id, sent } => Self::http(*post, id.as_ref(), sent.as_ref(), place),
            Task::Release(entry, value, fits) => {
                let Some(entry) = self.catalogue.releases.iter().cycle().nth(*entry) else { return Value::Null };
                let value = match *fits && entry.is_list() {
                    true => format!("({} | if . == \"red\" then . else \"blue\" end)", place.jq(value)),
                    false => place.jq(value),
                };
                json!({ "call": entry.function(), "with": { "entry": entry.name, "value": whole(&value) } })
            }
            Task::Switch(cases, default) => {
                let then = |target| Self::target(target, prefix, at, place).unwrap_or_else(|| "continue".to_owned());
                let case = |(i, (when, target)): (usize, &(Expr, Target))| json!({ format!("c{i}"): { "when": place.expression(when), "then": then(*target) } });
                let mut cases: Vec<Value> = cases.iter().enumerate().map(case).collect();
                cases.push(json!({ "otherwise": { "then": then(*default) } }));
                json!({ "switch": cases })
            }
            Task::For { list, condition, body } => {
                let inside = Place { item: true, ..place };
                let list = format!("({} | if type == \"array\" then . else [.] end)", place.jq(list));
                let mut task = json!({
                    "for": { "each": "item", "in": whole(&list), "at": "index" },
                    "do": self.list(body, &format!("{name}f"), inside),
                });
                if let Some(e) = condition {
                    set(&mut task, "while", inside.expression(e).into());
                }
                task
            }
            Task::Try { .. } => self.attempt(task, name, place),
            Task::Raise(status, detail) => {
                let detail = format!("{} | tostring", place.jq(detail));
                json!({ "raise": { "error": {
                    "type": "https://laws.example/raised", "status": status, "detail": whole(&detail),
                } } })
            }
            Task::Fork(branches) => {
                let inside = Place { context: place.context && branches.len() == 1, forked: true, ..place };
                let branch = |(i, steps): (usize, &Vec<Step>)| json!({ format!("{name}b{i}"): { "do": self.list(steps, &format!("{name}b{i}s"), inside) } });
                json!({ "fork": { "branches": branches.iter().enumerate().map(branch).collect::<Vec<_>>() } })
            }
            Task::Wait(length) => json!({ "wait": Self::length(length, place) }),
            Task::Do(steps) => json!({ "do": self.list(steps, &format!("{name}d"), place) }),
            Task::Back(by, when) if place.context => {
                let counter = format!("k{name}");
                let when = when.as_ref().map_or_else(|| "true".to_owned(), |e| place.before(e));
                let count = format!("(($context.{counter} // 0) + 1)");
                json!({
                    "if": whole(&format!("($context.{counter} // 0) < 2 and ({when})")),
                    "set": "${ . }",
                    "export": { "as": whole(&format!("$context + {{{counter}: {count}}}")) },
                    "then": format!("{prefix}{}", at.0.saturating_sub(*by)),
                })
            }
            Task::Back(..) => json!({ "set": "${ . }" }),
        }
    }

    fn call(&self, action: usize, with: &[Option<Expr>; 3], place: Place) -> Value {
        let Some(action) = self.catalogue.actions.iter().cycle().nth(action) else { return Value::Null };
        let given = action.arguments.iter().zip(with);
        let with = given.filter_map(|(name, e)| Some(((*name).to_owned(), Value::from(place.expression(e.as_ref()?)))));
        json!({ "call": action.full_name(), "with": Value::Object(with.collect()) })
    }

    fn http(post: bool, id: Option<&Expr>, sent: Option<&Expr>, place: Place) -> Value {
        let base = "https://web.example/items/";
        let endpoint = match id {
            None => format!("{base}1"),
            Some(e) => whole(&format!("\"{base}\" + (if {} then \"1\" else \"2\" end)", place.jq(e))),
        };
        let mut with = json!({ "method": if post { "POST" } else { "GET" }, "endpoint": endpoint });
        if let Some(e) = sent {
            let object = format!("({} | if type == \"object\" then {{q: .pub}} else {{}} end)", place.jq(e));
            set(
                &mut with,
                if post { "body" } else { "query" },
                if post { place.expression(e) } else { whole(&object) }.into(),
            );
        }
        json!({ "call": "http", "with": with })
    }

    fn attempt(&self, task: &Task, name: &str, place: Place) -> Value {
        let Task::Try { body, filter, when, retry, handler } = task else { return Value::Null };
        let inside = Place { error: true, ..place };
        let mut catch = json!({});
        if let Some(status) = filter {
            set(&mut catch, "errors", json!({ "with": { "status": status } }));
        }
        if let Some(e) = when {
            set(&mut catch, "when", inside.expression(e).into());
        }
        if let Some((limit, when)) = retry {
            let mut policy = json!({ "delay": { "milliseconds": 1 }, "limit": { "attempt": { "count": limit } } });
            if let Some(e) = when {
                set(&mut policy, "when", inside.expression(e).into());
            }
            set(&mut catch, "retry", policy);
        }
        if let Some(steps) = handler {
            set(&mut catch, "do", self.list(steps, &format!("{name}h"), inside));
        }
        json!({ "try": self.list(body, &format!("{name}y"), place), "catch": catch })
    }
}

/// Block style, every text quoted.
fn block(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                let _ = write!(out, "{:indent$}{key}:", "");
                nested(value, indent, out);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                let _ = write!(out, "{:indent$}-", "");
                nested(item, indent, out);
            }
        }
        scalar => {
            let _ = writeln!(out, " {scalar}");
        }
    }
}

fn nested(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            out.push('\n');
            block(value, indent + 2, out);
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            block(value, indent + 2, out);
        }
        scalar => block(scalar, indent, out),
    }
}
