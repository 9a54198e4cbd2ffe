//! A step will wait for people.
//!
//! Nothing is wrong with it; the run stops there until they agree, and whoever starts it should know.
//! ```bad
//! document: { dsl: "1.0.0", namespace: test, name: example, version: "1.0.0", metadata: { purpose: reporting } }
//! do:
//!   - fetch: { call: crm.accounts.list, with: {} }
//!   - send:
//!       call: sheets.rows.append
//!       with: { sheet: us-sheets, rows: "${ map({ id, balance }) }" }
//! ```
//! ```good
//! document: { dsl: "1.0.0", namespace: test, name: example, version: "1.0.0", metadata: { purpose: reporting } }
//! do:
//!   - fetch: { call: crm.accounts.list, with: {} }
//!   - send:
//!       call: sheets.rows.append
//!       with: { sheet: eu-sheets, rows: "${ map({ id, balance }) }" }
//! ```

use sluice_core::gate::Verdict;

use super::{Code, Confidence, Context, Diagnostic, RuleMeta, Severity};

pub(super) const META: RuleMeta = RuleMeta {
    code: Code(219),
    name: "held-by-policy",
    severity: Severity::Info,
    confidence: Confidence::High,
    page: include_str!("held_by_policy.rs"),
};

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for site in cx.sites.iter().filter(|site| site.predicted.verdict == Verdict::Hold) {
        let needed: Vec<String> = site.predicted.remedies.iter().map(ToString::to_string).collect();
        let message = format!("`{}` waits for {}", site.name(), needed.join(" and "));
        let why: Vec<&str> = site.predicted.reasons.iter().map(|r| r.words.as_str()).collect();
        findings.push(META.finding(site.span(), message, why.join("; ")).at_step(site.step.path.to_string()));
    }
}
