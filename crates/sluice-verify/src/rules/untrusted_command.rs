//! Words that an outsider or a model wrote are executed.
//!
//! ```bad
//! do:
//!   - ticket: { call: tickets.get, with: { id: "T-1" } }
//!   - run: { call: runner.exec, with: { command: "${ .body }" } }
//! ```
//! ```good
//! do:
//!   - run: { call: runner.exec, with: { command: "rotate-logs" } }
//! ```

use super::{Code, Confidence, Context, Diagnostic, End, Label, Role, RuleMeta, Severity, Sink};

pub(super) const META: RuleMeta = RuleMeta {
    code: Code(207),
    name: "untrusted-command",
    severity: Severity::Critical,
    confidence: Confidence::High,
    page: include_str!("untrusted_command.rs"),
};

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for site in cx.sites {
        let label = site.prepared.roles.get(&Role::Command).copied().unwrap_or_default();
        let atoms = cx.outside(label);
        if site.action.is_none() || atoms == Label::BOTTOM {
            continue;
        }
        let message = format!("`{}` executes what {} wrote", site.name(), cx.origins_in_words(atoms));
        let end = End {
            sink: Sink::Role(Role::Command),
            roles: &[Role::Command],
            atoms,
            otherwise: "execute a command that the definition names",
        };
        findings.push(cx.flow_finding(&META, site, end, message));
    }
}
