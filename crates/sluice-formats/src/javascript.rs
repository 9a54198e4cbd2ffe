//! stub
use std::sync::Arc;
use sluice_core::{expression::Expression, text::Span};
pub enum Root { Item, Binary, Node(Arc<str>), FromAi(Arc<str>), Parameter(Arc<str>), Workflow, Env(Arc<str>), Unknown, StaticData, ResponseOf }
pub struct Reading { pub root: Root, pub span: Span }
pub struct Call { pub name: Arc<str>, pub span: Span }
pub struct Translated { pub expression: Expression, pub reads: Vec<Reading>, pub opaque: bool, pub calls: Vec<Call> }
impl Translated { pub fn injectable(&self) -> Expression { self.expression.clone() } }
pub type Resolve<'a> = dyn Fn(&Root) -> Option<Expression> + 'a;
pub enum Mode { AllItems, EachItem, Function, FunctionItem, Tool, Python }
pub fn parameter(_t: &str, _a: bool, l: &dyn Fn(usize, usize) -> Span, _r: &Resolve<'_>) -> Translated { Translated { expression: Expression::input(l(0,0)), reads: vec![], opaque: false, calls: vec![] } }
pub fn program(_t: &str, _m: Mode, l: &dyn Fn(usize, usize) -> Span, _r: &Resolve<'_>) -> Translated { Translated { expression: Expression::input(l(0,0)), reads: vec![], opaque: false, calls: vec![] } }
