//! Policy refuses a step in every run.
//!
//! No approval lifts it: the policies that say so name no remedy, or nothing permits the step. The workflow cannot be
//! verified with it.
//! ```bad
//! document: { dsl: "1.0.0", namespace: test, name: example, version: "1.0.0", metadata: { purpose: reporting } }
//! do:
//!   - send:
//!       call: sheets.rows.append
//!       with: { sheet: nowhere, rows: [1] }
//! ```
//! ```good
//! document: { dsl: "1.0.0", namespace: test, name: example, version: "1.0.0", metadata: { purpose: reporting } }
//! do:
//!   - send:
//!       call: sheets.rows.append
//!       with: { sheet: eu-sheets, rows: [1] }
//! ```

use sluice_core::gate::Verdict;

use super::{Code, Confidence, Context, Diagnostic, RuleMeta, Severity};

pub(super) const META: RuleMeta = RuleMeta {
    code: Code(218),
    name: "refused-by-policy",
    severity: Severity::High,
    confidence: Confidence::High,
    page: include_str!("refused_by_policy.rs"),
};

pub(super) fn check(cx: &Context<'_>, findings: &mut Vec<Diagnostic>) {
    for site in cx.sites.iter().filter(|site| site.predicted.verdict == Verdict::Forbid) {
        // A breach of contract has its own finding, which says the same and more.
        if site.predicted.request.is_none() {
            continue;
        }
        let why: Vec<&str> = site.predicted.reasons.iter().map(|r| r.words.as_str()).collect();
        let message = format!("policy refuses `{}`: {}", site.name(), why.join("; "));
        let known = cx.named.iter().find(|f| f.step.as_deref() == Some(site.step.path.as_ref()));
        let help = match known {
            Some(finding) => format!("see {}: {}", finding.code, finding.help),
            None => "change the step until policy permits it; no approval lifts this".to_owned(),
        };
        findings.push(META.finding(site.span(), message, help).at_step(site.step.path.to_string()));
    }
}
