//! Tasks of a definition before they are text.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value as Json;

/// One task.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) name: Arc<str>,
    /// What a person should know where it stands.
    pub(crate) comments: Vec<String>,
    /// `if`: jq.
    pub(crate) condition: Option<String>,
    pub(crate) kind: TaskKind,
    /// `input.from`: jq.
    pub(crate) input: Option<String>,
    /// `output.as`: jq; `.` is what the task made, `$input` what it was given.
    pub(crate) output: Option<String>,
    /// Under which names `$context` keeps something, and the jq of each; `.` is the output.
    pub(crate) export: Vec<(String, String)>,
    /// After so many milliseconds it has failed.
    pub(crate) timeout_ms: Option<u64>,
    /// Where it goes on, if not with the next one of its list.
    pub(crate) then: Option<Then>,
}

/// Where a task goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// With a task of the same list.
    To(Arc<str>),
    /// Nowhere: its list ends.
    Exit,
    /// Nowhere: the run ends.
    End,
}

/// One way of a switch.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// jq; the one without is taken where no other is.
    pub(crate) when: Option<String>,
    pub(crate) then: Then,
}

/// What is done where something failed and is not, or no longer, tried again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catch {
    /// Only of errors for which this jq is true.
    pub(crate) when: Option<String>,
    pub(crate) tasks: Vec<Task>,
    pub(crate) then: Option<Then>,
}

/// What a task does.
#[derive(Clone, Debug)]
pub(crate) enum TaskKind {
    /// `connector.action` with its arguments.
    Call { action: String, with: Vec<(String, Value)> },
    /// A value.
    Set(Value),
    /// A list inside of the list.
    Do(Vec<Task>),
    /// Once for each element of what the jq gives.
    For { each: String, items: String, tasks: Vec<Task> },
    /// The first way whose condition holds.
    Switch(Vec<Case>),
    /// All of them at once; the output is the list of theirs.
    Fork(Vec<Task>),
    /// With what is done where it fails.
    Try { tasks: Vec<Task>, retry: Option<Retry>, catch: Option<Catch> },
    /// An error of the author's own.
    Raise { title: Value, detail: Option<Value> },
    /// So many milliseconds.
    Wait(u64),
}

/// How often something is tried again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Retry {
    pub(crate) times: u64,
    pub(crate) delay_ms: u64,
    /// Whether each delay is twice the one before.
    pub(crate) doubles: bool,
    /// Only of errors for which this jq is true.
    pub(crate) when: Option<String>,
}

/// A value in a definition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// The same in every run.
    Constant(Json),
    /// A text with expressions in it; one that is nothing but an expression keeps that one's type.
    Text(Vec<Piece>),
    /// By key, in order.
    Map(Vec<(String, Value)>),
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece {
    Literal(String),
    /// jq.
    Jq(String),
}

impl Value {
    /// A whole expression.
    pub(crate) fn jq(source: impl Into<String>) -> Self {
        Self::Text(vec![Piece::Jq(source.into())])
    }

    /// The same as one jq expression.
    pub(crate) fn to_jq(&self) -> String {
        match self {
            Self::Constant(json) => spelled(json),
            Self::Text(pieces) => match pieces.as_slice() {
                [Piece::Jq(source)] => source.clone(),
                pieces => {
                    let parts: Vec<String> = pieces.iter().map(Piece::to_jq).collect();
                    format!("([{}] | join(\"\"))", parts.join(", "))
                }
            },
            Self::Map(entries) => {
                let fields: Vec<String> =
                    entries.iter().map(|(k, v)| format!("{}: {}", quoted(k), v.to_jq())).collect();
                format!("{{{}}}", fields.join(", "))
            }
        }
    }
}

impl Piece {
    /// An expression in the middle of a text: what is the same in every run is a part of the text.
    pub(crate) fn of_jq(jq: String) -> Self {
        match serde_json::from_str(&jq) {
            Ok(Json::String(text)) => Self::Literal(text),
            Ok(number @ Json::Number(_)) => Self::Literal(number.to_string()),
            _ => Self::Jq(jq),
        }
    }

    /// One piece after the others; two literals are one.
    pub(crate) fn push(self, pieces: &mut Vec<Self>) {
        match (pieces.last_mut(), self) {
            (_, Self::Literal(text)) if text.is_empty() => {}
            (Some(Self::Literal(known)), Self::Literal(text)) => known.push_str(&text),
            (_, piece) => pieces.push(piece),
        }
    }

    fn to_jq(&self) -> String {
        match self {
            Self::Literal(text) => quoted(text),
            Self::Jq(source) => source.clone(),
        }
    }
}

impl Task {
    /// How many lists lie inside each other.
    pub(crate) fn depth(&self) -> usize {
        let deepest = |tasks: &[Self]| tasks.iter().map(Self::depth).max().unwrap_or_default();
        1 + match &self.kind {
            TaskKind::Do(tasks) | TaskKind::For { tasks, .. } => deepest(tasks),
            // A branch stands a level deeper than a task of a list.
            TaskKind::Fork(tasks) => 1 + deepest(tasks),
            TaskKind::Try { tasks, catch, .. } => {
                deepest(tasks).max(1 + catch.as_ref().map(|catch| deepest(&catch.tasks)).unwrap_or_default())
            }
            _ => 0,
        }
    }

    /// Whether it goes through items, or something in it does.
    pub(crate) fn has_loop(&self) -> bool {
        match &self.kind {
            TaskKind::For { .. } => true,
            TaskKind::Do(tasks) | TaskKind::Fork(tasks) => tasks.iter().any(Self::has_loop),
            TaskKind::Try { tasks, catch, .. } => {
                tasks.iter().chain(catch.iter().flat_map(|catch| &catch.tasks)).any(Self::has_loop)
            }
            _ => false,
        }
    }

    /// What it keeps under one of these names is added to a list there.
    pub(crate) fn gather(&mut self, names: &BTreeSet<String>) {
        for (name, made) in &mut self.export {
            if made == "." && names.contains(name) {
                *made = format!("(({} // []) + [.])", member("$context", name));
            }
        }
        for list in self.lists() {
            list.iter_mut().for_each(|task| task.gather(names));
        }
    }

    /// The lists of tasks in it.
    fn lists(&mut self) -> Vec<&mut [Self]> {
        match &mut self.kind {
            TaskKind::Do(tasks) | TaskKind::For { tasks, .. } | TaskKind::Fork(tasks) => vec![tasks],
            TaskKind::Try { tasks, catch, .. } => {
                let caught = catch.as_mut().map(|catch| catch.tasks.as_mut_slice());
                std::iter::once(tasks.as_mut_slice()).chain(caught).collect()
            }
            _ => Vec::new(),
        }
    }

    pub(crate) fn new(name: impl Into<Arc<str>>, kind: TaskKind) -> Self {
        Self {
            name: name.into(),
            comments: Vec::new(),
            condition: None,
            kind,
            input: None,
            output: None,
            export: Vec::new(),
            timeout_ms: None,
            then: None,
        }
    }

    /// Its output is kept under a name.
    pub(crate) fn kept_as(self, name: &str) -> Self {
        Self { export: vec![(name.to_owned(), ".".to_owned())], ..self }
    }

    /// Only where the jq is true.
    pub(crate) fn only_if(self, condition: impl Into<String>) -> Self {
        Self { condition: Some(condition.into()), ..self }
    }
}

/// Gives each task of a list a name of its own: a later one that has the name of another is numbered.
pub(crate) fn with_own_names(tasks: &mut [Task]) {
    let mut taken: BTreeSet<Arc<str>> = BTreeSet::new();
    for task in tasks {
        let names = std::iter::once(task.name.clone()).chain((2..).map(|n| format!("{} ({n})", task.name).into()));
        for name in names {
            if taken.insert(name.clone()) {
                task.name = name;
                break;
            }
        }
        task.lists().into_iter().for_each(with_own_names);
    }
}

/// A text as a literal of jq.
pub(crate) fn quoted(text: &str) -> String {
    spelled(&Json::from(text))
}

/// A constant as jq. What reads like one of the DSL's own variables is spelled out: the reader of definitions looks for them
/// in texts, too.
fn spelled(json: &Json) -> String {
    const OWN: [&str; 5] = ["$workflow", "$task", "$runtime", "$secrets", "$authorization"];
    let json = json.to_string();
    if OWN.iter().any(|own| json.contains(own)) { json.replace('$', "\\u0024") } else { json }
}

/// `base.key`, or `base["a key"]`.
pub(crate) fn member(base: &str, key: &str) -> String {
    const WORDS: [&str; 16] = [
        "and", "as", "catch", "def", "elif", "else", "end", "foreach", "if", "import", "include", "label", "or",
        "reduce", "then", "try",
    ];
    let starts = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let plain = starts && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !WORDS.contains(&key);
    if plain { format!("{base}.{key}") } else { format!("{base}[{}]", quoted(key)) }
}
