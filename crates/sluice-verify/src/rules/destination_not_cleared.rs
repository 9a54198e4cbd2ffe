//! Data goes to a destination that the register has not cleared for it.
//!
//! The destinations register says which kinds of data each place may receive. That something was sent at all tells
//! what decided it, so a guard on uncleared data counts as well.
//! ```bad
//! do:
//!   - fetch: { call: crm.accounts.list, with: {} }
//!   - send:
//!       call: sheets.rows.append
//!       with: { sheet: us-sheets, rows: "${ map({ id, balance }) }" }
//! ```
//! ```good
//! do:
//!   - fetch: { call: crm.accounts.list, with: {} }
//!   - send:
//!       call: sheets.rows.append
//!       with: { sheet: eu-sheets, rows: "${ map({ id, balance }) }" }
//! ```

use super::{Code, Confidence, Context, Diagnostic, End, Label, Role, RuleMeta, Severity, Sink};

pub(super) const META: RuleMeta = RuleMeta {
    code: Code(203),
    name: "destination-not-cleared",
    severity: Severity::High,
    confidence: Confidence::High,
    page: include_str!("destination_not_cleared.rs"),
};

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    // What nobody classified is `unclassified-export`'s matter.
    for site in cx.outbound().filter(|site| !site.prepared.joined.is_unknown()) {
        let arguments = Label::join_all(site.prepared.roles.values().copied());
        let sent = cx.uncleared(site, arguments);
        let decided = cx.uncleared(site, site.prepared.control);
        let (sink, atoms, how) = match (sent == Label::BOTTOM, decided == Label::BOTTOM) {
            (true, true) => continue,
            (false, _) => (Sink::Arguments, sent, format!("which `{}` sends there", site.name())),
            (true, false) => (Sink::Control, decided, format!("which decides whether `{}` is called", site.name())),
        };
        let classes = cx.classes_in_words(atoms);
        let place = site.destination().map_or_else(|| "an unknown destination".to_owned(), |d| format!("`{d}`"));
        let message = format!("{place} is not cleared for {classes}, {how}");
        let end = End {
            sink,
            roles: &Role::ALL,
            atoms,
            otherwise: "leave the data out, or have the destination cleared for it in the register",
        };
        findings.push(cx.flow_finding(&META, site, end, message));
    }
}
