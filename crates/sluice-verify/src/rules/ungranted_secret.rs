//! A secret goes where no contract lets it go.
//!
//! A definition names secrets and never sees one: only a connector opens a handle. Where each may go is the contract's to
//! say, argument by argument (`arguments: { key: { secret: crm-key } }`). Otherwise whoever writes a definition could send
//! any secret of the store to a place of their choice. Such an argument takes that handle and no value: data that looks
//! like a handle is data.
//! ```bad
//! use: { secrets: [crm-key] }
//! do:
//!   - find: { call: crm.accounts.find, with: { q: "${ $secrets.crm-key }" } }
//! ```
//! ```bad
//! use: { secrets: [mail-key] }
//! do:
//!   - count: { call: crm.accounts.count, with: { key: "${ $secrets.mail-key }" } }
//! ```
//! ```bad
//! do:
//!   - count: { call: crm.accounts.count, with: { key: "${ .key }" } }
//! ```
//! ```good
//! use: { secrets: [crm-key] }
//! do:
//!   - count: { call: crm.accounts.count, with: { key: "${ $secrets.crm-key }" } }
//! ```

use sluice_core::program::NodeKind;
use sluice_core::text::Span;
use sluice_core::transfer::Breach;

use super::{Code, Confidence, Context, Diagnostic, RuleMeta, Severity};
use crate::site::Site;

pub(super) const META: RuleMeta = RuleMeta {
    code: Code(223),
    name: "ungranted-secret",
    severity: Severity::High,
    confidence: Confidence::High,
    page: include_str!("ungranted_secret.rs"),
};

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for site in cx.sites {
        let Some(action) = site.action else { continue };
        for breach in &site.prepared.breaches {
            let (argument, help) = match breach {
                Breach::SecretNotGranted { argument, secret } => {
                    let granting = action.arguments.iter().find(|(_, a)| a.secret.as_ref() == Some(secret));
                    let help = match granting {
                        Some((granted, _)) => format!("this contract lets it fill `{granted}` and nothing else"),
                        None => "leave it out; what a service is called with is its contract's `credential`".to_owned(),
                    };
                    (argument, help)
                }
                Breach::SecretFromData { argument, secret } => (
                    argument,
                    format!("write `${{ $secrets.{secret} }}` as the whole argument, with `{secret}` in `use.secrets`"),
                ),
                _ => continue,
            };
            let message = format!("{breach} (`{}`)", action.full_name());
            findings.push(META.finding(span_of(site, argument), message, help).at_step(site.step.path.to_string()));
        }
    }
}

/// Where the handle stands, or the call if there is none.
fn span_of(site: &Site<'_>, argument: &str) -> Span {
    let NodeKind::Call { handles, .. } = &site.node.kind else { return site.span() };
    handles.iter().find(|handle| handle.argument.as_ref() == argument).map_or_else(|| site.span(), |handle| handle.span)
}
