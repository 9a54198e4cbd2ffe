//! Words that an outsider or a model wrote choose who receives something.
//!
//! An address found in a mail, a ticket or a model's answer is the writer's choice, not the requester's.
//! ```bad
//! do:
//!   - ticket: { call: tickets.get, with: { id: "T-1" } }
//!   - tell:
//!       call: mail.send
//!       with: { to: "${ .body }", text: "done" }
//! ```
//! ```good
//! do:
//!   - ticket: { call: tickets.get, with: { id: "T-1" } }
//!   - tell:
//!       call: mail.send
//!       with: { to: "desk@example.com", text: "done" }
//! ```

use super::{Code, Confidence, Context, Diagnostic, End, Label, Role, RuleMeta, Severity, Sink};

pub(super) const META: RuleMeta = RuleMeta {
    code: Code(205),
    name: "untrusted-recipient",
    severity: Severity::High,
    confidence: Confidence::High,
    page: include_str!("untrusted_recipient.rs"),
};

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for site in cx.outbound() {
        for role in [Role::Recipient, Role::Destination] {
            let label = site.prepared.roles.get(&role).copied().unwrap_or_default();
            let atoms = cx.outside(label);
            if atoms == Label::BOTTOM {
                continue;
            }
            let message = format!("the {role} of `{}` is chosen by {}", site.name(), cx.origins_in_words(atoms));
            let end = End {
                sink: Sink::Role(role),
                roles: &[role],
                atoms,
                otherwise: "name the receiver in the definition or take it from the requester; no entry of this \
                            workspace vouches for it",
            };
            findings.push(cx.flow_finding(&META, site, end, message));
        }
    }
}
