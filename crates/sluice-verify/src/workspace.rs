//! The workspace that this crate's tests check workflows in: small, with something of every kind.

use std::sync::OnceLock;

use sluice_core::contract::closure::ClosureDigest;
use sluice_core::contract::{Digest, Governance};
use sluice_core::dsl;
use sluice_core::program::Program;
use sluice_core::text::Text;
use sluice_policy::Bundle;

use crate::{Assumptions, Verification, verify};

const FILES: &[(&str, &str)] = &[
    ("workspace.yaml", "version: 1\nname: tests\nmode: test\n"),
    (
        "registers/principals.yaml",
        "
version: 1
persons:
  ana: { manager: max, vouches: [tickets], reads: [internal] }
  max: {}
  hana: {}
  finn: {}
groups:
  it: { members: [max], vouches: [tickets], reads: [internal] }
  sales: { members: [ana] }
  finance: { members: [finn] }
  health: { members: [hana] }
  readers: {}
  domain-admins: { class: privileged }
",
    ),
    (
        "registers/classification.yaml",
        "
version: 1
categories:
  internal: { owner: it }
  pii: { owner: sales }
  location: { owner: sales, regions: { only: [eu] } }
  financial: { owner: finance, regions: { only: [eu] } }
  phi: { owner: health, regions: { only: [eu] }, purposes: { only: [care] } }
",
    ),
    ("registers/purposes.yaml", "version: 1\npurposes: { reporting: {}, marketing: {}, care: {} }\n"),
    ("registers/regions.yaml", "version: 1\nregions: { eu: {}, us: {} }\n"),
    (
        "registers/destinations.yaml",
        "
version: 1
destinations:
  eu-sheets: { owner: finance, region: eu, cleared: [internal, financial] }
  us-sheets: { owner: finance, region: us, cleared: [internal] }
  desk-mail: { owner: it, region: eu, cleared: [internal] }
",
    ),
    (
        "registers/releases.yaml",
        "
version: 1
releases:
  no-health: { by: health, clears: { categories: [phi] }, drop: [\"/*/health_note\"] }
  plain-balance: { by: finance, clears: { categories: [financial] }, mask: [\"/*/balance\"] }
  ordinary-groups: { by: it, clears: { origins: [tickets] }, allow: [readers] }
",
    ),
    (
        "connectors/crm.yaml",
        "
version: 1
connector: crm
transport: { http: { base: \"https://crm.example.com\" } }
region: eu
owner: sales
actions:
  accounts.list:
    effect: read
    request: { method: GET, path: /accounts }
    output:
      from: replace
      trust: { \"\": trusted, \"/*/health_note\": origin }
      dataset: crm.accounts
      labels:
        \"\": [internal]
        \"/*/balance\": [financial]
        \"/*/last_position\": [location]
        \"/*/health_note\": [phi]
  accounts.find:
    effect: read
    request: { method: GET, path: /search }
    arguments: { q: { role: query, required: true } }
    output: { from: replace, trust: { \"\": trusted }, labels: { \"\": [internal] } }
  accounts.count:
    effect: read
    request: { method: GET, path: /count, headers: { X-Key: key } }
    arguments: { key: { secret: crm-key } }
    output: { from: replace, trust: { \"\": trusted }, labels: { \"\": [internal] } }
  accounts.raw:
    effect: read
    request: { method: GET, path: /raw }
",
    ),
    (
        "connectors/sheets.yaml",
        "
version: 1
connector: sheets
transport: { http: { base: \"https://sheets.example.com\" } }
actions:
  rows.append:
    effect: export
    request: { method: POST, path: \"/sheets/{sheet}/rows\", body: [rows] }
    idempotency: { key: Idempotency-Key }
    arguments:
      sheet: { role: destination, required: true }
      rows: { role: payload, required: true }
    output: { from: replace, trust: { \"\": trusted }, labels: { \"\": [] } }
",
    ),
    (
        "connectors/tickets.yaml",
        "
version: 1
connector: tickets
transport: { http: { base: \"https://tickets.example.com\" } }
region: eu
actions:
  get:
    effect: read
    request: { method: GET, path: \"/tickets/{id}\" }
    arguments: { id: { role: reference, required: true } }
    output: { from: replace, trust: { \"/id\": trusted }, labels: { \"\": [internal] } }
",
    ),
    (
        "connectors/directory.yaml",
        "
version: 1
connector: directory
transport: { http: { base: \"https://directory.example.com\" } }
region: eu
owner: it
actions:
  groups.add:
    effect: grant
    request: { method: POST, path: \"/groups/{group}\" }
    arguments:
      group: { role: reference, reference: group, required: true }
      person: { role: recipient, required: true }
    output: { from: replace, trust: { \"\": trusted }, labels: { \"\": [] }, dataset: directory.groups }
",
    ),
    (
        "connectors/mail.yaml",
        "
version: 1
connector: mail
transport: { http: { base: \"https://mail.example.com\" } }
actions:
  send:
    effect: notify
    request: { method: POST, path: /send }
    arguments: { to: { role: recipient, required: true }, text: { role: payload } }
    destination: desk-mail
    output: { from: replace, trust: { \"\": trusted }, labels: { \"\": [] } }
",
    ),
    (
        "connectors/runner.yaml",
        "
version: 1
connector: runner
transport: { http: { base: \"https://runner.example.com\" } }
region: eu
owner: it
actions:
  exec:
    effect: execute
    request: { method: POST, path: /exec }
    arguments: { command: { role: command, required: true } }
    output: { from: replace, trust: { \"\": trusted }, labels: { \"\": [] } }
",
    ),
    (
        "connectors/shop.yaml",
        "
version: 1
connector: shop
transport: { http: { base: \"https://shop.example.com\" } }
region: eu
owner: finance
actions:
  orders.create:
    effect: write
    request: { method: POST, path: /orders }
    arguments: { item: { role: payload, required: true } }
    output: { from: replace, trust: { \"\": trusted }, labels: { \"\": [internal] }, dataset: shop.orders }
",
    ),
    (
        "connectors/assistant.yaml",
        "
version: 1
connector: assistant
transport: { model: { name: recorded-1, base: \"https://model.example.com\" } }
actions:
  answer:
    effect: read
    request: { method: POST, path: /v1/answer }
    arguments: { prompt: { role: payload, required: true } }
",
    ),
];

/// Stands before an example that has no `document` of its own.
const DOCUMENT: &str =
    "document: { dsl: '1.0.0', namespace: test, name: example, version: '1.0.0', metadata: { purpose: reporting } }\n";

/// The workspace, read once.
pub(crate) fn governance() -> &'static Governance {
    static READ: OnceLock<Governance> = OnceLock::new();
    READ.get_or_init(|| {
        let files = FILES.iter().map(|(path, text)| (*path, text.as_bytes()));
        Governance::read(files).unwrap_or_else(|problems| {
            let told = |p: &sluice_core::contract::Problem| {
                format!("{} {}: {}", p.file, p.diagnostic.span.line, p.diagnostic.message)
            };
            panic!("{}", problems.iter().map(told).collect::<Vec<_>>().join("\n"))
        })
    })
}

/// The default policies.
pub(crate) fn bundle() -> &'static Bundle {
    static READ: OnceLock<Bundle> = OnceLock::new();
    READ.get_or_init(|| Bundle::default_bundle().unwrap_or_else(|flaws| panic!("{flaws:#?}")))
}

/// A program from the `do` of a definition, or a whole one.
pub(crate) fn program(text: &str) -> Program {
    let whole = if text.contains("document:") { text.to_owned() } else { format!("{DOCUMENT}{text}") };
    let lowered = dsl::lower(&Text::new("example.yaml", whole.as_str()));
    lowered.program.unwrap_or_else(|| {
        let told = lowered.diagnostics.iter().map(|d| format!("{} {}: {}", d.span.line, d.span.column, d.message));
        panic!("{}\n{whole}", told.collect::<Vec<_>>().join("\n"))
    })
}

/// Checks a definition as anybody of the register would start it.
pub(crate) fn check(text: &str) -> Verification {
    check_as(text, &Assumptions::default())
}

/// Checks a definition under other assumptions.
pub(crate) fn check_as(text: &str, assumptions: &Assumptions) -> Verification {
    let governance = governance();
    let digest = ClosureDigest(Digest::of(text.as_bytes()));
    let principals = &governance.registers.principals;
    verify(&program(text), &governance.catalogue, principals, bundle(), assumptions, digest)
}

/// A report as tests read it: verdicts, then findings with flow and help.
pub(crate) fn shown(text: &str) -> String {
    shown_as(text, &Assumptions::default())
}

pub(crate) fn shown_as(text: &str, assumptions: &Assumptions) -> String {
    let checked = check_as(text, assumptions);
    let mut lines = Vec::new();
    for step in &checked.report.steps {
        lines.push(format!("{} {}: {} [{}]", step.step, step.action, step.verdict, step.labels.join(", ")));
    }
    for finding in &checked.report.findings {
        let step = finding.step.as_deref().unwrap_or("-");
        lines.push(format!("{} {} {} at {step}: {}", finding.code, finding.name, finding.severity, finding.message));
        lines.extend(finding.flow.iter().map(|stop| format!("    {}: {}", stop.step, stop.what)));
        lines.push(format!("    help: {}", finding.help));
    }
    if let Err(refused) = &checked.standing {
        lines.push(format!("refused {}: {refused}", refused.code()));
    }
    lines.join("\n")
}
