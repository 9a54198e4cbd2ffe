//! `ticket`: how an action of a connector shows a ticket to a gate that asks for one.

use std::collections::BTreeSet;

use super::connector::{ActionContract, Contract, Trust};
use crate::catalogue::{Pattern, Segment};
use crate::contract::codes::BAD_TICKET;
use crate::contract::principals::unknown;
use crate::contract::read::{Located, id, names, pattern, text};
use crate::diagnostic::Diagnostic;
use crate::document::{Fields, Node};
use crate::gate::Effect;
use crate::label::Name;
use crate::ticket::Ticket;

/// Reads the mark of an action.
pub(super) fn ticket(node: &Node, out: &mut Vec<Diagnostic>) -> Option<Located<Ticket>> {
    let mut fields = Fields::of(node, "a ticket", out)?;
    let argument = fields.required("id", out).and_then(|n| id(n, "id", out));
    let open = names(fields.required("open", out), "open", out).into_iter().map(|state| state.value);
    let open: BTreeSet<Name> = open.collect();
    let mut place = |key: &'static str, out: &mut Vec<Diagnostic>| {
        fields.required(key, out).and_then(|n| pattern(&n.expect_text(key, out)?, n.span, out))
    };
    let (status, subject) = (place("status", out), place("subject", out));
    let requester = place("requester", out);
    let issuer = fields.optional("issuer").map_or(Some(None), |n| text(n, "issuer", out).map(Some));
    fields.finish(out);
    if open.is_empty() {
        out.push(BAD_TICKET.at(node.span, "`open` names no state, so no ticket would ever count"));
        return None;
    }
    let issuer = issuer?.map(|issuer| issuer.value);
    let argument = argument?.value;
    Some(Located::new(
        Ticket { argument, status: status?, open, subject: subject?, requester: requester?, issuer },
        node.span,
    ))
}

/// Why an action cannot show a ticket as its mark says.
pub(super) fn wrong(contract: &Contract, action: &ActionContract, ticket: &Ticket) -> Option<String> {
    if action.effect != Effect::Read {
        return Some(format!("this action is `{}`: looking at a ticket must change nothing", action.effect));
    }
    let Some(argument) = action.arguments.get(&ticket.argument) else {
        let ids = action.arguments.keys().map(AsRef::as_ref);
        return Some(unknown(&ticket.argument, "is not an argument of this action", ids));
    };
    if argument.value.secret.is_some() {
        return Some(format!("a secret fills `{}`, and no ticket's id", ticket.argument));
    }
    let mut others = action.arguments.iter().filter(|(name, _)| **name != ticket.argument);
    if let Some((name, _)) = others.find(|(_, other)| other.value.required) {
        return Some(format!("it requires `{name}`, which no gate can give"));
    }
    let told = [("status", &ticket.status), ("requester", &ticket.requester)];
    let (what, _) = told.into_iter().find(|(_, place)| !is_trusted(&action.output.trust, place))?;
    let connector = &contract.connector.value;
    Some(format!("`{what}` is an outsider's word here: `trust` must say that `{connector}` vouches for it"))
}

/// Whether the connector vouches for what stands at a place, as labels are found: the longest pattern wins.
fn is_trusted(trust: &[(Pattern, Trust)], place: &Pattern) -> bool {
    // A key that no pattern names: it meets `*` only.
    const OTHER: &str = "\u{0}other";
    let key = |segment: &Segment| match segment {
        Segment::Key(key) => key.clone(),
        Segment::Any => OTHER.into(),
    };
    let path: Vec<Name> = place.0.iter().map(key).collect();
    let best = trust.iter().filter(|(pattern, _)| pattern.covers(&path)).max_by_key(|(pattern, _)| pattern.weight());
    best.is_some_and(|(_, trust)| *trust == Trust::Trusted)
}
