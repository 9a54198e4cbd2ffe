//! `${{ … }}` as jq: contexts, operators, functions.

use std::sync::Arc;

use sluice_core::document::{Data, Node as Tree};

use super::super::expression::{Ast, parse};
use super::super::read::entries;
use super::super::template::{self, pieces};
use super::{INPUTS, REF, Sight, Writer};
use crate::javascript::jq::truthy;
use crate::native::{EXPRESSION_MAX, Piece, Refused, Value, member, quoted};
use crate::refusal;

/// Variables that name variables that name variables.
const DEPTH_MAX: usize = 8;

const CASE: &str = "texts are compared without regard to capital letters of ASCII, and of no other letters";

impl<'t> Writer<'_, 't> {
    /// The value of a text.
    pub(super) fn value(&mut self, name: &Arc<str>, tree: &Tree, sight: &Sight<'t>) -> Result<Value, Refused> {
        match self.words(tree, sight, 0) {
            Ok(value) => {
                self.desk.short_enough(name, value.to_jq(), tree.span)?;
                Ok(value)
            }
            Err(what) => {
                let code = &refusal::EXPRESSION_WITHOUT_EQUIVALENT;
                Err(self.desk.gap(name, code, tree.span, &what, ""))
            }
        }
    }

    fn words(&mut self, tree: &Tree, sight: &Sight<'t>, depth: usize) -> Result<Value, String> {
        let Data::Text(text) = &tree.value else { return Ok(Value::Constant(tree.to_json())) };
        let (mut made, mut length) = (Vec::new(), 0);
        for piece in pieces(self.text, tree, text) {
            match piece {
                template::Piece::Literal(text) => Piece::Literal(text.to_owned()).push(&mut made),
                template::Piece::Expression(source, _) => {
                    let ast = parse(source).ok_or_else(|| "an expression that cannot be read".to_owned())?;
                    let jq = self.of(&ast, source, sight, depth)?;
                    // A variable that is named again and again is written out each time.
                    length += jq.len();
                    if length > EXPRESSION_MAX {
                        return Err("an expression that is too long".to_owned());
                    }
                    Piece::of_jq(jq).push(&mut made);
                }
            }
        }
        Ok(match made.as_slice() {
            [] => Value::Constant("".into()),
            [Piece::Literal(only)] => Value::Constant(only.as_str().into()),
            _ => Value::Text(made),
        })
    }

    /// An expression as jq; `source` is its text, for names as they were spelled.
    pub(super) fn of(&mut self, ast: &Ast, source: &str, sight: &Sight<'t>, depth: usize) -> Result<String, String> {
        if let Some(path) = ast.path() {
            let path: Vec<String> = path.iter().map(|key| spelled(source, key)).collect();
            return self.context(&path, sight, depth);
        }
        Ok(match ast {
            Ast::Text(text) => quoted(text),
            Ast::Bool(holds) => holds.to_string(),
            Ast::Plain => return Err("a number, or `null`, in an expression".to_owned()),
            Ast::Member(base, key) => member(&self.of(base, source, sight, depth)?, &spelled(source, key)),
            Ast::Element(_, None) => return Err("a field of each of a list (`*`)".to_owned()),
            Ast::Element(base, Some(key)) => {
                format!("{}[{}]", self.of(base, source, sight, depth)?, self.of(key, source, sight, depth)?)
            }
            Ast::And(a, b) | Ast::Or(a, b) => {
                let left = self.of(a, source, sight, depth)?;
                let right = self.of(b, source, sight, depth)?;
                let (yes, no) =
                    if matches!(ast, Ast::And(..)) { (right.as_str(), "$left") } else { ("$left", right.as_str()) };
                format!("({left} as $left | if {} then {yes} else {no} end)", truthy("$left"))
            }
            Ast::Call(name, arguments) if !is_test(name) => self.call(name, arguments, source, sight, depth)?,
            _ => self.holds(ast, source, sight, depth)?,
        })
    }

    /// Whether an expression holds, as jq that is true or false.
    pub(super) fn holds(&mut self, ast: &Ast, source: &str, sight: &Sight<'t>, depth: usize) -> Result<String, String> {
        Ok(match ast {
            Ast::And(a, b) | Ast::Or(a, b) => {
                let word = if matches!(ast, Ast::And(..)) { "and" } else { "or" };
                let (left, right) = (self.holds(a, source, sight, depth)?, self.holds(b, source, sight, depth)?);
                match (word, left.as_str(), right.as_str()) {
                    ("and", "true", only) | ("and", only, "true") => only.to_owned(),
                    _ => format!("({left} {word} {right})"),
                }
            }
            Ast::Not(inner) => format!("({} | not)", self.holds(inner, source, sight, depth)?),
            Ast::Bool(holds) => holds.to_string(),
            Ast::Compare(sign @ ("==" | "!="), a, b) => {
                let (left, right) = (self.of(a, source, sight, depth)?, self.of(b, source, sight, depth)?);
                if matches!(a.as_ref(), Ast::Bool(_)) || matches!(b.as_ref(), Ast::Bool(_)) {
                    return Ok(format!("({left} {sign} {right})"));
                }
                self.desk.note(CASE);
                format!("({} {sign} {})", small(&left), small(&right))
            }
            Ast::Compare(..) => return Err("an order of values".to_owned()),
            Ast::Call(name, arguments) if is_test(name) => match (name.as_str(), arguments.as_slice()) {
                ("contains", [list, part]) => {
                    let (list, part) = (self.of(list, source, sight, depth)?, self.of(part, source, sight, depth)?);
                    self.desk.note(CASE);
                    format!(
                        "({} as $part | {list} | if type == \"array\" then any(.[]; {} == $part) else {} | contains($part) end)",
                        small(&part),
                        small("."),
                        small(".")
                    )
                }
                ("startswith" | "endswith", [text, part]) => {
                    let (text, part) = (self.of(text, source, sight, depth)?, self.of(part, source, sight, depth)?);
                    self.desk.note(CASE);
                    format!("({} as $part | {} | {name}($part))", small(&part), small(&text))
                }
                ("success", []) => "true".to_owned(),
                _ => return Err(format!("a call of `{name}`: what runs where a step before it failed")),
            },
            other => truthy(&self.of(other, source, sight, depth)?),
        })
    }

    fn call(
        &mut self,
        name: &str,
        arguments: &[Ast],
        source: &str,
        sight: &Sight<'t>,
        depth: usize,
    ) -> Result<String, String> {
        let mut given = Vec::new();
        for argument in arguments {
            given.push(self.of(argument, source, sight, depth)?);
        }
        match (name, given.as_slice()) {
            ("tojson", [value]) => Ok(format!("({value} | tojson)")),
            ("fromjson", [text]) => Ok(format!("({text} | fromjson)")),
            ("join", [list]) => Ok(format!("({list} | join(\",\"))")),
            ("join", [list, by]) => Ok(format!("({list} | join({by}))")),
            ("format", [template, values @ ..]) => formatted(template, values),
            _ => Err(format!("a call of `{name}`")),
        }
    }

    fn context(&mut self, path: &[String], sight: &Sight<'t>, depth: usize) -> Result<String, String> {
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        let lower: Vec<String> = path.iter().map(|word| word.to_lowercase()).collect();
        let low: Vec<&str> = lower.iter().map(String::as_str).collect();
        let behind = |n: usize| words.get(n..).unwrap_or_default();
        match low.as_slice() {
            ["github", "event", "inputs", ..] => Ok(self.inputs(behind(3))),
            ["inputs", ..] => Ok(self.inputs(behind(1))),
            ["github", "event", ..] => Ok(self.event_at(behind(2))),
            ["github", "event_name"] => Ok(quoted(&self.event.name)),
            ["github", "actor"] => Ok(self.event_at(&["sender", "login"])),
            ["github", "repository"] => Ok(self.event_at(&["repository", "full_name"])),
            ["github", "repository_owner"] => Ok(self.event_at(&["repository", "owner", "login"])),
            ["github", "head_ref"] => Ok(self.event_at(&["pull_request", "head", "ref"])),
            ["github", "base_ref"] => Ok(self.event_at(&["pull_request", "base", "ref"])),
            ["github", "ref" | "ref_name"] if self.import.step_named(REF).is_some() => {
                self.desk.read.insert(REF.to_owned());
                Ok(member(&member("$context", REF), low.last().copied().unwrap_or_default()))
            }
            ["github", "token"] | ["secrets", ..] => {
                Err("a secret in a text, which belongs into the credential of a connector,".to_owned())
            }
            ["github", fact, ..] => Err(format!("`github.{fact}`, a fact of the engine,")),
            ["env", name] => self.variable(name, sight, depth),
            ["steps", id, "outputs", ..] => match sight.steps.get(*id).cloned() {
                Some(step) => Ok(self.kept(&step, behind(3))),
                None => Err(format!("a reference to the step `{id}`, which has not run there,")),
            },
            ["needs", job, "outputs", ..] => match self.outputs.get(*job).cloned() {
                Some(job) => Ok(self.kept(&job, behind(3))),
                None => Err(format!("a reference to the job `{job}`, which is not there,")),
            },
            ["steps" | "needs", ..] => Err("how a step or a job ended".to_owned()),
            ["matrix", ..] => Err("a value of a matrix".to_owned()),
            ["vars", name, ..] => Err(format!("`vars.{name}`, a variable of the repository,")),
            [root, ..] => Err(format!("the context `{root}`")),
            [] => Err("an expression that cannot be read".to_owned()),
        }
    }

    fn event_at(&mut self, path: &[&str]) -> String {
        let event = self.event.name.clone();
        self.kept(&event, path)
    }

    /// An input of a caller, or of whoever starts the workflow by hand; of other events there are none.
    fn inputs(&mut self, path: &[&str]) -> String {
        let has = matches!(self.event.name.as_ref(), "workflow_call" | "workflow_dispatch");
        if !has || self.import.step_named(INPUTS).is_none() {
            return "null".to_owned();
        }
        self.kept(INPUTS, path)
    }

    fn kept(&mut self, name: &str, path: &[&str]) -> String {
        self.desk.read.insert(name.to_owned());
        path.iter().fold(member("$context", name), |base, key| member(&base, key))
    }

    /// A variable, by the text that its level gives it.
    fn variable(&mut self, name: &str, sight: &Sight<'t>, depth: usize) -> Result<String, String> {
        if depth >= DEPTH_MAX {
            return Err("variables that name each other too often".to_owned());
        }
        let levels = sight.env.iter().enumerate().rev();
        let found = levels.into_iter().find_map(|(n, env)| {
            entries(Some(env)).iter().find(|entry| entry.key.eq_ignore_ascii_case(name)).map(|entry| (n, &entry.value))
        });
        let Some((level, tree)) = found else {
            return Err(format!("`env.{name}`, which a machine has or a step sets,"));
        };
        // A variable is made of those around it.
        let outer = Sight { env: sight.env.iter().take(level).copied().collect(), ..sight.clone() };
        Ok(self.words(tree, &outer, depth + 1)?.to_jq())
    }
}

/// Functions that say whether something is so.
fn is_test(name: &str) -> bool {
    matches!(name, "contains" | "startswith" | "endswith" | "success" | "always" | "failure" | "cancelled")
}

/// A value as a text in small letters: nothing is the empty text.
fn small(jq: &str) -> String {
    match serde_json::from_str::<String>(jq) {
        Ok(text) => quoted(&text.to_ascii_lowercase()),
        Err(_) => format!("([{jq}] | join(\"\") | ascii_downcase)"),
    }
}

/// `format('a {0} b', x)`: `{{` and `}}` are brackets.
fn formatted(template: &str, values: &[String]) -> Result<String, String> {
    let template: String =
        serde_json::from_str(template).map_err(|_| "a template of `format` that is computed".to_owned())?;
    let no_template = || "a template of `format` like this one".to_owned();
    if template.contains("{{") || template.contains("}}") {
        return Err(no_template());
    }
    let mut parts = Vec::new();
    let mut rest = template.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        let (number, behind) = after.split_once('}').ok_or_else(no_template)?;
        let value = number.parse::<usize>().ok().and_then(|n| values.get(n)).ok_or_else(no_template)?;
        parts.push(quoted(before));
        parts.push(value.clone());
        rest = behind;
    }
    parts.push(quoted(rest));
    Ok(format!("([{}] | join(\"\"))", parts.join(", ")))
}

/// A name as the text spells it: expressions compare names without case, events do not.
fn spelled(source: &str, name: &str) -> String {
    let at = source.to_ascii_lowercase().find(name);
    at.and_then(|at| source.get(at..at + name.len())).unwrap_or(name).to_owned()
}
