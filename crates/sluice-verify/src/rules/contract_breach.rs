//! A call does not fit its contract.
//!
//! The contract says which arguments there are, which are required and which values they may take. A call outside of
//! that is refused at the gate, whatever policy says.
//! ```bad
//! do:
//!   - ticket: { call: tickets.get, with: { identity: "T-1" } }
//! ```
//! ```good
//! do:
//!   - ticket: { call: tickets.get, with: { id: "T-1" } }
//! ```

use sluice_core::transfer::Breach;

use super::{Code, Confidence, Context, Diagnostic, RuleMeta, Severity};

pub(super) const META: RuleMeta = RuleMeta {
    code: Code(210),
    name: "contract-breach",
    severity: Severity::High,
    confidence: Confidence::High,
    page: include_str!("contract_breach.rs"),
};

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for site in cx.sites {
        let Some(action) = site.action else { continue };
        let arguments: Vec<String> = action.arguments.keys().map(|name| format!("`{name}`")).collect();
        // Secrets have a finding of their own.
        let of_secrets = |b: &&Breach| matches!(b, Breach::SecretNotGranted { .. } | Breach::SecretFromData { .. });
        for breach in site.prepared.breaches.iter().filter(|b| b.is_certain() && !of_secrets(b)) {
            let help = match breach {
                Breach::NotAllowed { argument, .. } => {
                    let allowed = action.arguments.get(argument).and_then(|a| a.allow.as_ref());
                    let list = allowed.into_iter().flatten().map(|v| format!("`{v}`")).collect::<Vec<_>>();
                    format!("it allows {}", list.join(", "))
                }
                _ if arguments.is_empty() => format!("`{}` takes no arguments", action.full_name()),
                _ => format!("`{}` takes {}", action.full_name(), arguments.join(", ")),
            };
            let message = format!("{breach} (`{}`)", action.full_name());
            findings.push(META.finding(site.span(), message, help).at_step(site.step.path.to_string()));
        }
    }
}
