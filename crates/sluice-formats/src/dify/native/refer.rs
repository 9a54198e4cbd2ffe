//! References and templates as jq.

use sluice_core::document::{Data, Node as Tree};
use sluice_core::text::Span;

use super::super::jinja::{self, Part};
use super::super::nodes::Is;
use super::super::read::{list, word};
use super::super::refer::{self, pieces};
use super::{Sight, Writer};
use crate::native::{Piece, Refused, Value, member};
use crate::refusal;

/// Most words of a reference behind the node and what it puts out.
const PATH_MAX: usize = 16;

const PASTED: &str =
    "in the middle of a text, a list or an object ends the run with an error where the original writes it out";

impl<'t> Writer<'_, 't> {
    /// A text with references; one that is a reference alone keeps the kind of its value.
    pub(super) fn text(&mut self, i: usize, tree: &Tree, sight: &Sight) -> Result<Value, Refused> {
        match tree.as_text() {
            Some(text) => self.words(i, text, tree.span, sight),
            None => Ok(Value::Constant(tree.to_json())),
        }
    }

    pub(super) fn words(&mut self, i: usize, text: &str, span: Span, sight: &Sight) -> Result<Value, Refused> {
        let made = self.pieces(i, text, span, sight)?;
        self.joined(i, made, span)
    }

    /// The parts of a text.
    pub(super) fn pieces(&mut self, i: usize, text: &str, span: Span, sight: &Sight) -> Result<Vec<Piece>, Refused> {
        let mut made = Vec::new();
        for piece in pieces(text) {
            let piece = match piece {
                refer::Piece::Literal(text) => Piece::Literal(text.to_owned()),
                refer::Piece::Reference { path, .. } => Piece::of_jq(self.reference(i, &path, span, sight)?),
            };
            piece.push(&mut made);
        }
        Ok(made)
    }

    /// Pieces as one value.
    pub(super) fn joined(&mut self, i: usize, pieces: Vec<Piece>, span: Span) -> Result<Value, Refused> {
        let value = match pieces.as_slice() {
            [] => Value::Constant("".into()),
            [Piece::Literal(text)] => Value::Constant(text.as_str().into()),
            [_] => Value::Text(pieces),
            _ => {
                self.desk.note(PASTED);
                Value::Text(pieces)
            }
        };
        let name = self.low.name(i);
        self.desk.short_enough(&name, value.to_jq(), span)?;
        Ok(value)
    }

    /// What a selector names; `None` of an empty one.
    pub(super) fn selected(
        &mut self,
        i: usize,
        selector: Option<&Tree>,
        sight: &Sight,
    ) -> Result<Option<String>, Refused> {
        let words: Vec<String> = list(selector).iter().filter_map(word).collect();
        let path: Vec<&str> = words.iter().map(String::as_str).collect();
        match selector {
            Some(selector) if !path.is_empty() => self.reference(i, &path, selector.span, sight).map(Some),
            _ => Ok(None),
        }
    }

    fn reference(&mut self, i: usize, path: &[&str], span: Span, sight: &Sight) -> Result<String, Refused> {
        match self.named(path, sight) {
            Ok(jq) => Ok(jq),
            Err(what) => {
                let name = self.low.name(i);
                Err(self.desk.gap(&name, &refusal::EXPRESSION_WITHOUT_EQUIVALENT, span, &what, ""))
            }
        }
    }

    fn named(&mut self, path: &[&str], sight: &Sight) -> Result<String, String> {
        let low = self.low;
        let [root, name, rest @ ..] = path else { return Err("a reference of one word".to_owned()) };
        if rest.len() > PATH_MAX {
            return Err("a reference that is too long".to_owned());
        }
        match (*root, *name) {
            ("sys", "query" | "files") => {
                let entry = low.name(self.entry);
                Ok(members(member(&self.reads(&entry), name), rest))
            }
            ("sys", fact) => Err(format!("`sys.{fact}`, a fact of the engine,")),
            ("conversation", name) => Err(format!("`{name}`, which is kept from message to message,")),
            ("env", name) => self.environment(name),
            _ => {
                let node = low.app.by_id.get(*root).copied();
                let node = node.ok_or_else(|| format!("a reference to `{}`, which is not there,", path.join(".")))?;
                self.output(node, name, rest, sight)
            }
        }
    }

    /// An environment variable: what the file says that it is.
    fn environment(&self, name: &str) -> Result<String, String> {
        let variable = self.low.app.environment.iter().find(|variable| variable.name.as_ref() == name);
        match variable.map(|variable| (variable.is_secret, variable.value)) {
            Some((false, Some(value))) => Ok(Value::Constant(value.to_json()).to_jq()),
            Some((true, _)) => Err(format!("the secret `{name}`, which belongs into the credential of a connector,")),
            _ => Err(format!("the variable `{name}`, whose value does not stand in the file,")),
        }
    }

    /// What a node puts out under a name.
    fn output(&mut self, node: usize, name: &str, rest: &[&str], sight: &Sight) -> Result<String, String> {
        let low = self.low;
        let title = low.name(node);
        if let Some((n, (_, variable))) = sight.items.iter().enumerate().find(|(_, (around, _))| *around == node) {
            return match name {
                "item" => Ok(members(format!("${variable}"), rest)),
                "index" if n + 1 == sight.items.len() => Ok("$index".to_owned()),
                _ => Err(format!("`{name}` of the iteration `{title}` from inside of it")),
            };
        }
        if low.app.nodes.get(node).is_some_and(|n| n.parent.is_some()) && !self.is_inside(node, sight) {
            return Err(format!("what `{title}` puts out, read from outside of the loop around it,"));
        }
        let failed = matches!(name, "error_message" | "error_type");
        match low.is(node) {
            _ if failed => {}
            Is::Http if name == "body" => {
                self.desk.note("the body of a reply is JSON that is read, and written anew where it is used as a text");
                return Ok(format!("({} | tostring)", self.reads(&title)));
            }
            Is::Http => return Err(format!("`{name}` of a reply")),
            Is::Model if name != "text" => return Err(format!("`{name}` of what a model says")),
            Is::Flow => return Err(format!("what `{title}` puts out, which is no value,")),
            _ => {}
        }
        Ok(members(member(&self.reads(&title), name), rest))
    }

    /// Whether what is looked at stands in the same loop.
    fn is_inside(&self, node: usize, sight: &Sight) -> bool {
        let app = self.low.app;
        let parent = app.nodes.get(node).and_then(|node| node.parent.as_ref()).and_then(|id| app.by_id.get(id));
        parent.is_some_and(|parent| sight.items.iter().any(|(around, _)| around == parent))
    }

    /// A Jinja template over the variables that a node declares, as far as it only names them.
    pub(super) fn template(
        &mut self,
        i: usize,
        template: &Tree,
        variables: Option<&Tree>,
        sight: &Sight,
    ) -> Result<Value, Refused> {
        let Some(text) = template.as_text() else { return Ok(Value::Constant(template.to_json())) };
        let mut made = Vec::new();
        for part in jinja::parts(text) {
            made.push(match part {
                Part::Literal(text) => Piece::Literal(text.to_owned()),
                Part::Path(path) => {
                    let [name, rest @ ..] = path.as_slice() else { continue };
                    let declared =
                        list(variables).iter().find(|v| v.get("variable").and_then(word).as_deref() == Some(name));
                    let selector = declared.and_then(|declared| declared.get("value_selector"));
                    // What is not declared is empty.
                    let Some(jq) = self.selected(i, selector, sight)? else { continue };
                    Piece::Jq(members(jq, rest))
                }
                Part::Computed => {
                    let (name, code) = (self.low.name(i), &refusal::EXPRESSION_WITHOUT_EQUIVALENT);
                    let help = "name variables in the template, and nothing else, or write it in jq";
                    return Err(self.desk.gap(&name, code, template.span, "a template that computes something", help));
                }
            });
        }
        self.desk.note("a template writes nothing where there is nothing, and truth values in small letters");
        // A template is a text, whatever is in it.
        if let [Piece::Jq(only)] = made.as_slice() {
            made = vec![Piece::Jq(format!("([{only}] | join(\"\"))"))];
        }
        self.joined(i, made, template.span)
    }

    /// `{type: mixed | constant | variable, value}`, or the value itself.
    pub(super) fn argument(&mut self, i: usize, tree: &Tree, sight: &Sight) -> Result<Value, Refused> {
        let value = tree.get("value").filter(|_| tree.get("type").is_some()).unwrap_or(tree);
        match &value.value {
            Data::List(items) if tree.get("type").and_then(word).as_deref() == Some("variable") => {
                match self.selected(i, Some(value), sight)? {
                    Some(jq) => Ok(Value::jq(jq)),
                    None if items.is_empty() => Ok(Value::Constant(serde_json::Value::Null)),
                    None => Err(self.unlike(i, value.span, "a list that names nothing", "")),
                }
            }
            Data::List(_) | Data::Map(_) => {
                let names = holds_reference(value);
                if names {
                    return Err(self.unlike(
                        i,
                        value.span,
                        "a value with references inside of it",
                        "give each by itself",
                    ));
                }
                Ok(Value::Constant(value.to_json()))
            }
            _ => self.text(i, value, sight),
        }
    }
}

/// Whether a text in it is a reference.
fn holds_reference(tree: &Tree) -> bool {
    let mut open = vec![tree];
    while let Some(tree) = open.pop() {
        match &tree.value {
            Data::Text(text) if refer::refers(text) => return true,
            Data::List(items) => open.extend(items),
            Data::Map(entries) => open.extend(entries.iter().map(|entry| &entry.value)),
            _ => {}
        }
    }
    false
}

/// `base.a[0]`
fn members(base: String, path: &[&str]) -> String {
    path.iter().fold(base, |base, key| match key.parse::<u32>() {
        Ok(index) => format!("{base}[{index}]"),
        Err(_) => member(&base, key),
    })
}
