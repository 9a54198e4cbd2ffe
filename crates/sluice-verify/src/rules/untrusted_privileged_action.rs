//! Words that an outsider or a model wrote decide about a step that hands out rights or runs code.
//!
//! A ticket may ask for anything. Who is added to which group must come from somebody who may say so.
//! ```bad
//! do:
//!   - ticket: { call: tickets.get, with: { id: "T-1" } }
//!   - grant:
//!       call: directory.groups.add
//!       with: { group: "${ .body }", person: "ana" }
//! ```
//! ```good
//! do:
//!   - ticket: { call: tickets.get, with: { id: "T-1" } }
//!   - chosen: { call: endorse, with: { entry: ordinary-groups, value: "${ .body }" } }
//!   - grant:
//!       call: directory.groups.add
//!       with: { group: "${ . }", person: "ana" }
//! ```

use super::{Code, Confidence, Context, Diagnostic, End, Label, Role, RuleMeta, Severity, Sink};

pub(super) const META: RuleMeta = RuleMeta {
    code: Code(204),
    name: "untrusted-privileged-action",
    severity: Severity::Critical,
    confidence: Confidence::High,
    page: include_str!("untrusted_privileged_action.rs"),
};

/// What decides about a privileged step. A payload or a query is the matter of other rules.
const DECIDING: [Role; 4] = [Role::Reference, Role::Recipient, Role::Destination, Role::Amount];

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for site in cx.sites.iter().filter(|site| site.action.is_some_and(|a| a.privileged)) {
        let role = |role: &Role| site.prepared.roles.get(role).copied().unwrap_or_default();
        let control = cx.outside(site.prepared.control);
        let chosen = DECIDING.into_iter().find(|r| cx.outside(role(r)) != Label::BOTTOM);
        let (sink, atoms, what) = match chosen {
            Some(chosen) => (Sink::Role(chosen), cx.outside(role(&chosen)), format!("chooses its {chosen}")),
            None if control != Label::BOTTOM => (Sink::Control, control, "decides whether it runs".to_owned()),
            None => continue,
        };
        let message =
            format!("text from {} reaches the privileged `{}` and {what}", cx.origins_in_words(atoms), site.name());
        let end = End {
            sink,
            roles: &DECIDING,
            atoms,
            otherwise: "take the value from the requester or a register instead; no entry of this workspace vouches \
                        for it",
        };
        findings.push(cx.flow_finding(&META, site, end, message));
    }
}
