//! The conditions of policies in the form in which the gate evaluates them: the same values, the same errors, less work.
//!
//! Cedar copies every value that it passes on its way to an attribute. The gate reads what is plain by itself, without a
//! copy: attributes of the context, constants, comparisons of the two, and what `&&`, `||` and `!` make of them. All
//! else is Cedar's to say, above all every failure: what is not plainly true or false here is evaluated there.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use cedar_policy_core::ast::{
    BinaryOp, Context, Expr, ExprBuilder, ExprKind, Literal, Request, Set, SlotEnv, UnaryOp, Value, ValueKind, Var,
};
use cedar_policy_core::evaluator::Evaluator;
use cedar_policy_core::expr_builder::ExprBuilder as _;

use crate::polarity;

/// How deep an expression is read here. Cedar watches its stack, and this recursion does not.
const DEPTH_MAX: usize = 32;

/// Most constants of a list that is spelled out: beyond that building the set is the lesser work.
const SPELLED_MAX: usize = 16;

/// What all must hold for a policy to apply, besides its scope.
pub(crate) struct Condition(Vec<Arc<Expr>>);

/// What the conditions of a bundle are made of, each part once: thousands of policies ask for the same few attributes,
/// and what a processor has near at hand it finds ten times as fast.
#[derive(Default)]
pub(crate) struct Parts(HashMap<Expr, Arc<Expr>, BuildHasherDefault<DefaultHasher>>);

impl Parts {
    /// The condition that holds where this expression does; everywhere, if there is none.
    pub(crate) fn condition(&mut self, expression: Option<&Expr>) -> Condition {
        let mut parts = Vec::new();
        let mut rest = expression;
        // `a && b && c` is `(a && b) && c`: from the last to the first.
        while let Some(e) = rest {
            rest = None;
            let part = if let ExprKind::And { left, right } = e.expr_kind() {
                rest = Some(left);
                right
            } else {
                e
            };
            parts.push(self.shared(part, DEPTH_MAX));
        }
        parts.reverse();
        Condition(parts)
    }

    fn shared(&mut self, e: &Expr, depth: usize) -> Arc<Expr> {
        let bare = self.bare(e, depth);
        self.kept(bare)
    }

    fn kept(&mut self, e: Expr) -> Arc<Expr> {
        self.0.entry(e).or_insert_with_key(|e| Arc::new(e.clone())).clone()
    }

    /// The same expression, cheaper to evaluate.
    ///
    /// Without its places in the text: Cedar copies the place of every part that it evaluates into the value, a count on
    /// the one text which threads that ask at the same time pass back and forth. No message of an evaluation says a place.
    /// And with lists of constants spelled out: Cedar builds such a set anew each time.
    fn bare(&mut self, e: &Expr, depth: usize) -> Expr {
        let Some(depth) = depth.checked_sub(1) else { return e.clone() };
        if let Some(spelled) = self.spelled_out(e, depth) {
            return spelled;
        }
        let mut part = |e: &Arc<Expr>| self.shared(e, depth);
        let kind = match e.expr_kind() {
            ExprKind::If { test_expr, then_expr, else_expr } => {
                ExprKind::If { test_expr: part(test_expr), then_expr: part(then_expr), else_expr: part(else_expr) }
            }
            ExprKind::And { left, right } => ExprKind::And { left: part(left), right: part(right) },
            ExprKind::Or { left, right } => ExprKind::Or { left: part(left), right: part(right) },
            ExprKind::UnaryApp { op, arg } => ExprKind::UnaryApp { op: *op, arg: part(arg) },
            ExprKind::BinaryApp { op, arg1, arg2 } => {
                ExprKind::BinaryApp { op: *op, arg1: part(arg1), arg2: part(arg2) }
            }
            ExprKind::GetAttr { expr, attr } => ExprKind::GetAttr { expr: part(expr), attr: attr.clone() },
            ExprKind::HasAttr { expr, attr } => ExprKind::HasAttr { expr: part(expr), attr: attr.clone() },
            ExprKind::ExtHasAttr { expr, attrs } => ExprKind::ExtHasAttr { expr: part(expr), attrs: attrs.clone() },
            ExprKind::Like { expr, pattern } => ExprKind::Like { expr: part(expr), pattern: pattern.clone() },
            ExprKind::Is { expr, entity_type } => ExprKind::Is { expr: part(expr), entity_type: entity_type.clone() },
            ExprKind::Set(parts) => ExprKind::Set(Arc::new(parts.iter().map(|e| self.bare(e, depth)).collect())),
            rare => rare.clone(),
        };
        of_kind(kind)
    }

    /// `["a", "b"].contains(x)` as `x == "a" || x == "b"`, `x.containsAny(["a", "b"])` as `x.contains("a") ||
    /// x.contains("b")`, `x.containsAll(["a", "b"])` with `&&`.
    ///
    /// Only if `x` is a plain attribute, so that looking again costs little, and of a list with something in it: an empty
    /// one says nothing of `x`, and what cannot be evaluated must stay so.
    fn spelled_out(&mut self, e: &Expr, depth: usize) -> Option<Expr> {
        let ExprKind::BinaryApp { op, arg1, arg2 } = e.expr_kind() else { return None };
        let (list, x) = if *op == BinaryOp::Contains { (arg1, arg2) } else { (arg2, arg1) };
        let ExprKind::Set(constants) = list.expr_kind() else { return None };
        let is_constant = |e: &Expr| matches!(e.expr_kind(), ExprKind::Lit(_));
        if constants.len() > SPELLED_MAX || !constants.iter().all(is_constant) || !polarity::is_rooted(x) {
            return None;
        }
        let x = self.shared(x, depth);
        let (compare, all) = match op {
            BinaryOp::Contains => (BinaryOp::Eq, false),
            BinaryOp::ContainsAny => (BinaryOp::Contains, false),
            BinaryOp::ContainsAll => (BinaryOp::Contains, true),
            _ => return None,
        };
        let mut whole = None;
        for constant in constants.iter() {
            let arg2 = self.shared(constant, depth);
            let one = of_kind(ExprKind::BinaryApp { op: compare, arg1: x.clone(), arg2 });
            whole = Some(match whole {
                None => one,
                Some(rest) => {
                    let (left, right) = (self.kept(rest), self.kept(one));
                    of_kind(if all { ExprKind::And { left, right } } else { ExprKind::Or { left, right } })
                }
            });
        }
        whole
    }
}

fn of_kind(kind: ExprKind) -> Expr {
    ExprBuilder::new().with_expr_kind(kind)
}

impl Condition {
    /// Whether it holds of a request, or in words why that cannot be said.
    pub(crate) fn holds(&self, request: &Request, evaluator: &Evaluator<'_>) -> Result<bool, String> {
        for part in &self.0 {
            let plain = plainly(part, request.context(), DEPTH_MAX);
            if !plain.map_or_else(|| holds(evaluator, part), Ok)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether an expression holds as Cedar evaluates it, or in words why that cannot be said.
pub(crate) fn holds(evaluator: &Evaluator<'_>, condition: &Expr) -> Result<bool, String> {
    match evaluator.interpret(condition, &SlotEnv::new()) {
        Ok(value) => match value.value {
            ValueKind::Lit(Literal::Bool(holds)) => Ok(holds),
            _ => Err("its condition is neither true nor false".to_owned()),
        },
        Err(e) => Err(e.to_string()),
    }
}

/// A value that is there already.
enum Plain<'a> {
    Lit(&'a Literal),
    Set(&'a Set),
    Record(&'a Value),
}

/// Whether an expression holds, if that can be read off; `None` if Cedar must say.
fn plainly(e: &Expr, context: Option<&Context>, depth: usize) -> Option<bool> {
    let depth = depth.checked_sub(1)?;
    let part = |e: &Expr| plainly(e, context, depth);
    let value = |e| value(e, context, depth);
    match e.expr_kind() {
        ExprKind::And { left, right } => Some(part(left)? && part(right)?),
        ExprKind::Or { left, right } => Some(part(left)? || part(right)?),
        ExprKind::UnaryApp { op: UnaryOp::Not, arg } => Some(!part(arg)?),
        ExprKind::UnaryApp { op: UnaryOp::IsEmpty, arg } => match value(arg)? {
            Plain::Set(set) => Some(set.is_empty()),
            Plain::Lit(_) | Plain::Record(_) => None,
        },
        ExprKind::BinaryApp { op, arg1, arg2 } => match (op, value(arg1)?, value(arg2)?) {
            (BinaryOp::Eq, Plain::Lit(one), Plain::Lit(other)) => Some(one == other),
            (BinaryOp::Less, Plain::Lit(Literal::Long(one)), Plain::Lit(Literal::Long(other))) => Some(one < other),
            (BinaryOp::LessEq, Plain::Lit(Literal::Long(one)), Plain::Lit(Literal::Long(other))) => Some(one <= other),
            (BinaryOp::Contains, Plain::Set(set), Plain::Lit(one)) => Some(set.fast.as_ref()?.contains(one)),
            _ => None,
        },
        ExprKind::Lit(_) | ExprKind::GetAttr { .. } => match value(e)? {
            Plain::Lit(Literal::Bool(holds)) => Some(*holds),
            _ => None,
        },
        _ => None,
    }
}

/// A constant or an attribute of the context.
fn value<'a>(e: &'a Expr, context: Option<&'a Context>, depth: usize) -> Option<Plain<'a>> {
    let depth = depth.checked_sub(1)?;
    match e.expr_kind() {
        ExprKind::Lit(constant) => Some(Plain::Lit(constant)),
        ExprKind::GetAttr { expr, attr } => {
            let found = if let ExprKind::Var(Var::Context) = expr.expr_kind() {
                let Some(Context::Value(attributes)) = context else { return None };
                attributes.get(attr)?
            } else {
                let Plain::Record(Value { value: ValueKind::Record(attributes), .. }) = value(expr, context, depth)?
                else {
                    return None;
                };
                attributes.get(attr)?
            };
            match &found.value {
                ValueKind::Lit(constant) => Some(Plain::Lit(constant)),
                ValueKind::Set(set) => Some(Plain::Set(set)),
                ValueKind::Record(_) => Some(Plain::Record(found)),
                ValueKind::ExtensionValue(_) => None,
            }
        }
        _ => None,
    }
}
