//! An export carries more kinds of data than its destination is cleared for, in parts that could be left out.
//!
//! A whole record is easy to ask for and hard to take back: the balance was wanted, the position and the health note
//! came along. Select what the receiver needs.
//! ```bad
//! do:
//!   - fetch: { call: crm.accounts.list, with: {} }
//!   - send:
//!       call: sheets.rows.append
//!       with: { sheet: us-sheets, rows: "${ map({ id, balance, last_position, health_note }) }" }
//! ```
//! ```good
//! do:
//!   - fetch: { call: crm.accounts.list, with: {} }
//!   - send:
//!       call: sheets.rows.append
//!       with: { sheet: eu-sheets, rows: "${ map({ id, balance }) }" }
//! ```

use super::{Code, Confidence, Context, Diagnostic, End, Label, Role, RuleMeta, Severity, Sink, change, one_atom};

pub(super) const META: RuleMeta = RuleMeta {
    code: Code(201),
    name: "over-privileged-export",
    severity: Severity::High,
    confidence: Confidence::High,
    page: include_str!("over_privileged_export.rs"),
};

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for site in cx.outbound().filter(|site| !site.prepared.joined.is_unknown()) {
        let payload = site.prepared.roles.get(&Role::Payload).copied().unwrap_or_default();
        let uncleared = cx.uncleared(site, payload);
        // One kind alone is not more than was meant; whether it may go there is `destination-not-cleared`'s matter.
        let several = one_atom(&cx.world, uncleared).nth(1).is_some();
        let parts = change::parts(site, |role| role == Role::Payload, uncleared);
        let is_field = |part: &change::Part| part.len() > 1 && part.last().is_some_and(|key| key.as_ref() != "*");
        let separable = parts.len() > 1 && parts.iter().all(is_field);
        if !several || !separable || uncleared == Label::BOTTOM {
            continue;
        }
        let classes = cx.classes_in_words(uncleared);
        let place = site.destination().map_or_else(|| "an unknown destination".to_owned(), |d| format!("`{d}`"));
        let message = format!("`{}` sends {classes} to {place} in {}", site.name(), change::shown(&parts));
        let end = End {
            sink: Sink::Role(Role::Payload),
            roles: &[Role::Payload],
            atoms: uncleared,
            otherwise: "select only the fields that the receiver needs",
        };
        findings.push(cx.flow_finding(&META, site, end, message));
    }
}
