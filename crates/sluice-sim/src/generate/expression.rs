//! Random jq expressions of the translated fragment.

use proptest::prelude::*;

/// The variables that programs keep in their data and in `$context`.
pub(super) const VARIABLES: usize = 3;
/// The fields of a reply, and of every generated object.
pub(super) const FIELDS: [&str; 4] = ["pub", "sec", "list", "n"];
/// The texts that occur; the first two are in the lists of releases.
pub(super) const WORDS: [&str; 3] = ["red", "blue", "green"];

/// Where a value is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// `.`
    Data,
    /// `$context`
    Context,
    /// `$input`
    Input,
    /// `$workflow.input`
    Workflow,
}

/// An expression.
#[derive(Clone, Debug)]
pub enum Expr {
    /// A number.
    Number(u8),
    /// One of [`WORDS`].
    Word(usize),
    /// `null`.
    Null,
    /// A variable, or a field of it. `strict` raises where there is none.
    Read {
        /// Where.
        source: Source,
        /// Which variable.
        variable: usize,
        /// Which field of it.
        field: Option<usize>,
        /// Whether it raises.
        strict: bool,
    },
    /// `$item`, or a field of it; `0` outside of loops.
    Item(Option<usize>),
    /// `$index`; `0` outside of loops.
    Index,
    /// `$error.status` or `$error.detail`; `0` outside of handlers.
    Error(bool),
    /// An object with some of [`FIELDS`].
    Object(Vec<(usize, Expr)>),
    /// A list.
    List(Vec<Expr>),
    /// A conditional.
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// Equality.
    Equal(Box<Expr>, Box<Expr>),
    /// How many.
    Length(Box<Expr>),
    /// Text with a value in it.
    Text(Box<Expr>),
    /// A field of each element.
    Map(Box<Expr>, usize),
    /// An object with one computed key.
    Keyed(Box<Expr>, Box<Expr>),
}

/// What an expression may name where it stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scope {
    pub(super) item: bool,
    pub(super) error: bool,
    pub(super) input: bool,
    pub(super) context: bool,
}

/// What the first step has read, or the part of it that is most often secret.
pub(super) fn secret() -> impl Strategy<Value = Expr> {
    prop::option::of(1..3_usize).prop_map(|field| Expr::Read {
        source: Source::Data,
        variable: 0,
        field,
        strict: false,
    })
}

/// The list of what the second step has read: how long it is, is most often secret.
pub(super) fn secret_list() -> impl Strategy<Value = Expr> {
    Just(Expr::Read { source: Source::Data, variable: 1, field: Some(2), strict: false })
}

pub(super) fn expression() -> impl Strategy<Value = Expr> {
    let source = prop_oneof![
        5 => Just(Source::Data),
        3 => Just(Source::Context),
        2 => Just(Source::Input),
        2 => Just(Source::Workflow),
    ];
    let field = prop::option::weighted(0.6, prop_oneof![1 => 0..FIELDS.len(), 1 => 1..3_usize]);
    let read = (source, prop_oneof![1 => Just(0), 1 => 0..VARIABLES], field.clone(), prop::bool::weighted(0.15))
        .prop_map(|(source, variable, field, strict)| Expr::Read { source, variable, field, strict });
    let leaf = prop_oneof![
        1 => (0..4_u8).prop_map(Expr::Number),
        1 => (0..WORDS.len()).prop_map(Expr::Word),
        1 => Just(Expr::Null),
        8 => read,
        2 => field.prop_map(Expr::Item),
        1 => Just(Expr::Index),
        1 => any::<bool>().prop_map(Expr::Error),
    ];
    leaf.prop_recursive(3, 10, 3, |inner| {
        let boxed = || inner.clone().prop_map(Box::new);
        prop_oneof![
            2 => prop::collection::vec((0..FIELDS.len(), inner.clone()), 0..3).prop_map(Expr::Object),
            1 => prop::collection::vec(inner.clone(), 0..3).prop_map(Expr::List),
            3 => (boxed(), boxed(), boxed()).prop_map(|(c, a, b)| Expr::If(c, a, b)),
            2 => (boxed(), boxed()).prop_map(|(a, b)| Expr::Equal(a, b)),
            2 => boxed().prop_map(Expr::Length),
            1 => boxed().prop_map(Expr::Text),
            1 => (boxed(), 0..FIELDS.len()).prop_map(|(e, field)| Expr::Map(e, field)),
            1 => (boxed(), boxed()).prop_map(|(key, value)| Expr::Keyed(key, value)),
        ]
    })
}

pub(super) fn jq(e: &Expr, scope: Scope) -> String {
    let inner = |e: &Expr| jq(e, scope);
    let named = |field: &usize| FIELDS.get(*field).copied().unwrap_or("pub");
    match e {
        Expr::Number(n) => n.to_string(),
        Expr::Word(w) => format!("\"{}\"", WORDS.get(*w).copied().unwrap_or("red")),
        Expr::Null => "null".to_owned(),
        Expr::Read { source, variable, field, strict } => {
            let root = match source {
                Source::Context if scope.context => "$context",
                Source::Input if scope.input => "$input",
                Source::Workflow => "$workflow.input",
                _ => "",
            };
            let variable = format!("{root}.v{variable}");
            match (field.as_ref().map(named), strict) {
                (Some(field), true) => format!("{variable}.{field}"),
                (None, true) => variable,
                (Some(field), false) => format!("({variable}?.{field}? // 0)"),
                (None, false) => format!("({variable}? // 0)"),
            }
        }
        Expr::Item(_) if !scope.item => "0".to_owned(),
        Expr::Item(None) => "$item".to_owned(),
        Expr::Item(Some(field)) => format!("($item | .{}? // 0)", named(field)),
        Expr::Index if scope.item => "$index".to_owned(),
        Expr::Index => "0".to_owned(),
        Expr::Error(_) if !scope.error => "0".to_owned(),
        Expr::Error(true) => "$error.status".to_owned(),
        Expr::Error(false) => "$error.detail".to_owned(),
        Expr::Object(fields) => {
            let fields: Vec<String> = fields.iter().map(|(f, e)| format!("{}: {}", named(f), inner(e))).collect();
            format!("{{{}}}", fields.join(", "))
        }
        Expr::List(items) => format!("[{}]", items.iter().map(inner).collect::<Vec<_>>().join(", ")),
        Expr::If(c, a, b) => format!("(if {} then {} else {} end)", inner(c), inner(a), inner(b)),
        Expr::Equal(a, b) => format!("({} == {})", inner(a), inner(b)),
        Expr::Length(e) => format!("({} | if type == \"boolean\" then 1 else length end)", inner(e)),
        Expr::Text(e) => format!("({} | tostring)", inner(e)),
        Expr::Map(e, field) => format!("[{} | .[]? | .{}? // 0]", inner(e), named(field)),
        Expr::Keyed(key, value) => format!("{{({} | tostring): {}}}", inner(key), inner(value)),
    }
}
