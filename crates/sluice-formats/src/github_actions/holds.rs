//! What is surely so of a run once a condition has let it pass: who started it, who wrote a part of its event, what a text is.
//!
//! A condition counts only for what it asks about. The author of a comment vouches for the comment, and not for the title of
//! the issue below it; `github.actor` is whoever acted last, and vouches for nothing.

use std::collections::BTreeSet;

use sluice_core::document::{Data, Node as Tree};

use super::expression::Ast;
use super::read;

/// Relations to the repository that give rights in it. A contributor once had something merged.
const INSIDERS: [&str; 3] = ["owner", "member", "collaborator"];
/// Parts of an event that have an author.
const AUTHORED: [&str; 5] = ["comment", "issue", "pull_request", "review", "discussion"];
/// Types of event under which a fork that a pull request comes from is there. One that was deleted is `null`, which equals
/// `false`.
const FORK_IS_THERE: [&str; 3] = ["opened", "synchronize", "reopened"];
/// Events that start runs of the repository's own commits alone.
const OWN_RUNS: [&str; 3] = ["push", "schedule", "workflow_dispatch"];

/// One thing that is surely so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Held {
    /// Somebody with rights in the repository made what the event is about.
    Insider,
    /// Such a person wrote this part of it.
    Part(String),
    /// What this context holds is one of the author's constants, in capitals or not.
    Listed(String),
    /// It has a label, which only people with rights give.
    Labelled,
    /// A label was given or taken just now.
    JustLabelled,
    /// A label was given just now, if any.
    GivesLabel,
}

/// An event that starts a workflow, as conditions see it.
#[derive(Clone, Debug)]
pub(super) struct Happened {
    pub(super) name: String,
    /// The types that start it; `None` of every one.
    types: Option<Vec<String>>,
}

impl Happened {
    pub(super) fn of(event: &read::Event<'_>) -> Self {
        let listed = |tree: &Tree| match &tree.value {
            Data::Text(one) => vec![one.to_lowercase()],
            Data::List(items) => items.iter().filter_map(|item| Some(item.as_text()?.to_lowercase())).collect(),
            _ => Vec::new(),
        };
        let given = event.tree.and_then(|tree| tree.get("types")).map(listed);
        let default = || FORK_IS_THERE.map(str::to_owned).to_vec();
        let has_default = matches!(event.name.as_ref(), "pull_request" | "pull_request_target");
        Self { name: event.name.to_string(), types: given.or_else(|| has_default.then(default)) }
    }

    fn is_only(&self, types: &[&str]) -> bool {
        self.types.as_ref().is_some_and(|own| own.iter().all(|own| types.contains(&own.as_str())))
    }

    fn is_pull(&self) -> bool {
        self.name.starts_with("pull_request")
    }

    /// Whether a person with rights has asked for the run, by a label that nobody can have given to something older. An
    /// issue can have one from the form that its author has filled in.
    pub(super) fn is_asked(&self, held: &BTreeSet<Held>) -> bool {
        if !self.is_pull() {
            return false;
        }
        let gives = held.contains(&Held::GivesLabel) || self.is_only(&["labeled"]);
        let never_taken = self.types.as_ref().is_some_and(|types| !types.iter().any(|own| own == "unlabeled"));
        held.contains(&Held::Labelled) && gives || held.contains(&Held::JustLabelled) && (gives || never_taken)
    }
}

/// What holds once a condition is met; `None` where an event of this kind never meets it.
pub(super) fn holds(condition: &Ast, event: &Happened) -> Option<BTreeSet<Held>> {
    where_it_is(true, condition, event)
}

fn where_it_is(wanted: bool, ast: &Ast, event: &Happened) -> Option<BTreeSet<Held>> {
    match (ast, wanted) {
        (Ast::Not(inner), _) => where_it_is(!wanted, inner, event),
        (Ast::And(a, b), true) | (Ast::Or(a, b), false) => {
            let (a, b) = (where_it_is(wanted, a, event)?, where_it_is(wanted, b, event)?);
            Some(&a | &b)
        }
        (Ast::Or(a, b), true) | (Ast::And(a, b), false) => {
            match (where_it_is(wanted, a, event), where_it_is(wanted, b, event)) {
                (Some(a), Some(b)) => Some(on_both(&a, &b)),
                (one, other) => one.or(other),
            }
        }
        (Ast::Bool(value), _) => (*value == wanted).then(BTreeSet::new),
        (Ast::Compare(sign @ ("==" | "!="), a, b), _) => {
            let is_equal = (*sign == "==") == wanted;
            let (left, right) = (compared(is_equal, a, b, event)?, compared(is_equal, b, a, event)?);
            Some(&left | &right)
        }
        (Ast::Call(name, arguments), _) if name == "contains" => match arguments.as_slice() {
            [list, needle] => contained(wanted, list, needle, event),
            _ => Some(BTreeSet::new()),
        },
        // `null`, where the fork was deleted, is no better than `false`.
        (Ast::Member(..), false) if is_fork(ast, event) => Some([Held::Insider].into()),
        _ => Some(BTreeSet::new()),
    }
}

/// What holds on either of two ways; what somebody with rights started needs nobody to ask for it.
fn on_both(a: &BTreeSet<Held>, b: &BTreeSet<Held>) -> BTreeSet<Held> {
    let implied = |held: &Held, by: &BTreeSet<Held>| {
        by.contains(held) || (by.contains(&Held::Insider) && !matches!(held, Held::Listed(_)))
    };
    let (left, right) = (a.iter().filter(|held| implied(held, b)), b.iter().filter(|held| implied(held, a)));
    left.chain(right).cloned().collect()
}

fn compared(is_equal: bool, left: &Ast, right: &Ast, event: &Happened) -> Option<BTreeSet<Held>> {
    if let Ast::Bool(value) = right
        && *value != is_equal
        && is_fork(left, event)
    {
        return Some([Held::Insider].into());
    }
    let Some(path) = dotted(left) else { return Some(BTreeSet::new()) };
    match right {
        Ast::Text(text) => one_of(is_equal, &path, std::slice::from_ref(text), event),
        right => {
            let other = dotted(right).unwrap_or_default();
            let is_own = is_equal && is_own(&path, &other, event);
            let by_owner = is_equal && other == "github.repository_owner";
            let author = author_of(&path, "user.login").filter(|_| by_owner).map(Held::Part);
            Some(is_own.then_some(Held::Insider).into_iter().chain(author).collect())
        }
    }
}

/// What holds where a context is one of these texts, or none of them.
fn one_of(is_one: bool, path: &str, texts: &[String], event: &Happened) -> Option<BTreeSet<Held>> {
    if path == "github.event_name" {
        let is_this = |text: &String| text.eq_ignore_ascii_case(&event.name);
        let can_be = if is_one { texts.iter().any(is_this) } else { !texts.iter().any(is_this) };
        return can_be.then(BTreeSet::new);
    }
    if !is_one || texts.is_empty() {
        return Some(BTreeSet::new());
    }
    let every = |fits: &dyn Fn(&str) -> bool| texts.iter().all(|text| fits(&text.to_lowercase()));
    let mut held = BTreeSet::from([Held::Listed(path.to_owned())]);
    let by_relation = author_of(path, "author_association").filter(|_| every(&|text| INSIDERS.contains(&text)));
    // What a bot writes is made of what others wrote.
    let by_name = author_of(path, "user.login").filter(|_| every(&|text| !text.is_empty() && !text.ends_with("[bot]")));
    held.extend(by_relation.or(by_name).map(Held::Part));
    match path {
        "github.event.workflow_run.event"
            if event.name == "workflow_run" && every(&|text| OWN_RUNS.contains(&text)) =>
        {
            held.insert(Held::Insider);
        }
        "github.event.label.name" if every(&|text| !text.is_empty()) => _ = held.insert(Held::JustLabelled),
        "github.event.action" if every(&|text| text == "labeled") => _ = held.insert(Held::GivesLabel),
        _ => {}
    }
    Some(held)
}

/// `contains` of a list that is written out, or of the names of labels. Of a text it finds any part, and shows nothing.
fn contained(wanted: bool, list: &Ast, needle: &Ast, event: &Happened) -> Option<BTreeSet<Held>> {
    let nothing = Some(BTreeSet::new());
    if let (Ast::Text(text), true) = (needle, wanted) {
        let keys = list.keys().unwrap_or_default().join(".");
        let is_labels = keys == "github.event.pull_request.labels.name" || keys == "github.event.issue.labels.name";
        let is_each = matches!(list, Ast::Member(base, _) if matches!(base.as_ref(), Ast::Element(_, None)));
        return Some((is_labels && is_each && !text.is_empty()).then_some(Held::Labelled).into_iter().collect());
    }
    let Ast::Call(name, arguments) = list else { return nothing };
    let (true, [Ast::Text(json)], Some(path)) = (name == "fromjson", arguments.as_slice(), dotted(needle)) else {
        return nothing;
    };
    match serde_json::from_str::<Vec<String>>(json) {
        Ok(texts) => one_of(wanted, &path, &texts, event),
        Err(_) => nothing,
    }
}

/// A path in one text; `None` where a key has a dot in it.
fn dotted(ast: &Ast) -> Option<String> {
    ast.path().filter(|path| path.iter().all(|key| !key.contains('.'))).map(|path| path.join("."))
}

/// The part of an event whose author a path tells by this field: `github.event.comment.author_association`.
fn author_of(path: &str, field: &str) -> Option<String> {
    let part = path.strip_prefix("github.event.")?.strip_suffix(field)?.strip_suffix('.')?;
    AUTHORED.contains(&part).then(|| part.to_owned())
}

/// Whether a repository or its owner is compared with that of the workflow.
fn is_own(path: &str, other: &str, event: &Happened) -> bool {
    let about = match event.name.as_str() {
        "workflow_run" => "github.event.workflow_run.head_repository",
        _ if event.is_pull() => "github.event.pull_request.head.repo",
        _ => return false,
    };
    let Some(field) = path.strip_prefix(about) else { return false };
    match field {
        ".full_name" => matches!(other, "github.repository" | "github.event.repository.full_name"),
        ".owner.login" => matches!(other, "github.repository_owner" | "github.event.repository.owner.login"),
        _ => false,
    }
}

fn is_fork(ast: &Ast, event: &Happened) -> bool {
    let is_path = dotted(ast).as_deref() == Some("github.event.pull_request.head.repo.fork");
    let has_it = matches!(event.name.as_str(), "pull_request" | "pull_request_target");
    is_path && has_it && event.is_only(&FORK_IS_THERE)
}
