//! The syntactic check that more label never helps.
//!
//! Every attribute that carries a label grows with it. So a forbid whose condition only grows with those attributes,
//! and a permit whose condition only shrinks, are antitone; a set of such policies is too. The check walks the
//! condition and tracks how each part moves: not at all, up, down, or in a way that the shape does not show. It may
//! fail to show what is true (`prove` asks a solver), and never shows what is false.
//!
//! A policy that looks at labels and can also fail to evaluate is not shown: with one label it might stop before the
//! part that fails, and with less label fail, which forbids.

use cedar_policy::Policy;
use cedar_policy_core::ast::{self, BinaryOp, Expr, ExprKind, Literal, UnaryOp, Var};
use sluice_core::text::{Span, Text};

use crate::answer::PolicyId;
use crate::bundle::PolicyInfo;
use crate::cedar::LABELLED;
use crate::words::source;

/// Whether more label can turn a refusal into a permit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Polarity {
    /// It cannot.
    Antitone,
    /// The shape of a policy does not show that it cannot.
    NotShown {
        /// The policy.
        policy: PolicyId,
        /// In words.
        why: String,
        /// The place in the policy's text.
        span: Span,
    },
}

/// How the value of an expression moves when labels grow. For booleans `false < true`, for sets inclusion, for records
/// field by field.
enum Moves {
    Not,
    Up,
    Down,
    /// Not shown, and the expression at fault.
    Unclear(String, Span),
}

use Moves::{Down, Not, Unclear, Up};

/// The polarity of one policy.
pub(crate) fn of(text: &Text, info: &PolicyInfo, policy: &Policy) -> Polarity {
    let policy: &ast::Policy = policy.as_ref();
    let Some(condition) = policy.non_scope_constraints() else { return Polarity::Antitone };
    let shown = |why: String, span| Polarity::NotShown { policy: info.id.clone(), why, span };
    let place = |e: &Expr| e.source_loc().map_or(info.span, |loc| text.span(loc.start(), loc.end()));
    match moves(condition, &place) {
        Not => return Polarity::Antitone,
        Unclear(why, span) => return shown(why, span),
        Up if info.permits => {
            return shown("it permits more when the label grows".to_owned(), place(condition));
        }
        Down if !info.permits => {
            return shown("it forbids less when the label grows".to_owned(), place(condition));
        }
        Up | Down => {}
    }
    match condition.subexpressions().find(|e| can_fail(e)) {
        Some(e) => shown(format!("`{}` can fail to evaluate beside a label", source(e)), place(e)),
        None => Polarity::Antitone,
    }
}

fn moves(e: &Expr, place: &dyn Fn(&Expr) -> Span) -> Moves {
    let unclear = |why: &str| Unclear(format!("`{}` {why}", source(e)), place(e));
    let still = |parts: Vec<Moves>, why: &str| match parts.into_iter().find(|part| !matches!(part, Not)) {
        None => Not,
        Some(Unclear(why, span)) => Unclear(why, span),
        Some(_) => unclear(why),
    };
    match e.expr_kind() {
        ExprKind::Lit(_) => Not,
        ExprKind::Var(Var::Context) => unclear("uses the whole context as a value"),
        ExprKind::Var(_) => Not,
        ExprKind::GetAttr { expr, attr } if is_context(expr) => {
            if LABELLED.contains(&attr.as_str()) {
                Up
            } else {
                Not
            }
        }
        ExprKind::GetAttr { expr, .. } => moves(expr, place),
        // Which attributes there are does not depend on labels.
        ExprKind::HasAttr { expr, .. } if is_context(expr) => Not,
        ExprKind::And { left, right } | ExprKind::Or { left, right } => {
            both(moves(left, place), moves(right, place), || unclear("moves both ways with the label"))
        }
        ExprKind::UnaryApp { op: UnaryOp::Not | UnaryOp::IsEmpty, arg } => flip(moves(arg, place)),
        ExprKind::BinaryApp { op, arg1, arg2 } => {
            let (left, right) = (moves(arg1, place), moves(arg2, place));
            let both_ways = || unclear("moves both ways with the label");
            match op {
                BinaryOp::Contains => match right {
                    Not => left,
                    Unclear(why, span) => Unclear(why, span),
                    Up | Down => unclear("looks for something that depends on the label"),
                },
                BinaryOp::ContainsAny => both(left, right, both_ways),
                BinaryOp::ContainsAll => both(left, flip(right), both_ways),
                BinaryOp::Eq => match (truth(arg1), truth(arg2)) {
                    (Some(true), _) => right,
                    (_, Some(true)) => left,
                    (Some(false), _) => flip(right),
                    (_, Some(false)) => flip(left),
                    _ => still(vec![left, right], "compares a label"),
                },
                _ => still(vec![left, right], "computes with a label"),
            }
        }
        ExprKind::If { test_expr, then_expr, else_expr } => match moves(test_expr, place) {
            Not => both(moves(then_expr, place), moves(else_expr, place), || unclear("moves both ways with the label")),
            Unclear(why, span) => Unclear(why, span),
            Up | Down => unclear("chooses by the label"),
        },
        ExprKind::Like { expr, .. }
        | ExprKind::Is { expr, .. }
        | ExprKind::HasAttr { expr, .. }
        | ExprKind::ExtHasAttr { expr, .. } => still(vec![moves(expr, place)], "tests a label in a way not followed"),
        ExprKind::UnaryApp { op: UnaryOp::Neg, arg } => still(vec![moves(arg, place)], "computes with a label"),
        ExprKind::Set(parts) => still(parts.iter().map(|p| moves(p, place)).collect(), "builds a set from a label"),
        ExprKind::Record(parts) => {
            still(parts.values().map(|p| moves(p, place)).collect(), "builds a record from a label")
        }
        ExprKind::ExtensionFunctionApp { args, .. } => {
            still(args.iter().map(|p| moves(p, place)).collect(), "computes with a label")
        }
        ExprKind::Slot(_) | ExprKind::Unknown(_) => unclear("has no value yet"),
    }
}

fn both(left: Moves, right: Moves, unclear: impl FnOnce() -> Moves) -> Moves {
    match (left, right) {
        (Unclear(why, span), _) | (_, Unclear(why, span)) => Unclear(why, span),
        (Not, other) | (other, Not) => other,
        (Up, Up) => Up,
        (Down, Down) => Down,
        (Up, Down) | (Down, Up) => unclear(),
    }
}

fn flip(moves: Moves) -> Moves {
    match moves {
        Up => Down,
        Down => Up,
        other => other,
    }
}

fn is_context(e: &Expr) -> bool {
    matches!(e.expr_kind(), ExprKind::Var(Var::Context))
}

fn truth(e: &Expr) -> Option<bool> {
    match e.expr_kind() {
        ExprKind::Lit(Literal::Bool(value)) => Some(*value),
        _ => None,
    }
}

/// Whether a well-typed expression can still fail: numbers overflow, an entity named in the text may not be there.
fn can_fail(e: &Expr) -> bool {
    match e.expr_kind() {
        ExprKind::BinaryApp { op: BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::GetTag, .. }
        | ExprKind::UnaryApp { op: UnaryOp::Neg, .. }
        | ExprKind::ExtensionFunctionApp { .. } => true,
        ExprKind::GetAttr { expr, .. } => !is_rooted(expr),
        _ => false,
    }
}

/// Whether attributes of it are always there once the policy is strictly valid.
pub(crate) fn is_rooted(e: &Expr) -> bool {
    match e.expr_kind() {
        ExprKind::Var(_) => true,
        ExprKind::GetAttr { expr, .. } => is_rooted(expr),
        _ => false,
    }
}
