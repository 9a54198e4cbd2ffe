//! Contracts of a workspace: drafted from descriptions, audited, listed as a bill of materials.

use serde_json::{Value as Json, json};

use crate::sandbox::Sandbox;

const SHOP: &str = r##"
openapi: 3.0.3
info: { title: Shop, version: "1" }
servers: [{ url: "https://shop.example/v1" }]
paths:
  /orders:
    get:
      operationId: listOrders
      parameters: [{ name: q, in: query, schema: { type: string } }]
      responses:
        200: { description: ok }
  /orders/{id}/mail:
    post:
      operationId: sendReceipt
      requestBody: { content: { application/json: { schema: { type: object, properties: { to: { type: string } } } } } }
  /report.{format}:
    get: { operationId: report }
components: { securitySchemes: { token: { type: http, scheme: bearer } } }
"##;

const SERVER: &str = "version: 1
connector: mail
transport:
  mcp:
    command: [npx, -y, \"@example/mail\", --api-key, s3cr3t, --token=s3cr3t, --folder, x]
    environment: { MAIL_TOKEN: \"s3cr3t\", MAIL_KEY: { inherit: true }, MAIL_FOLDER: inbox }
actions:
  search: { effect: read, request: { tool: search } }
";
const REPORTS: &str = "version: 1
connector: reports
transport: { http: { base: \"https://reports.example.com\" } }
credential: { secret: reports-token, scopes: [\"reports:write\", admin] }
actions:
  list: { effect: read, request: { method: GET, path: /reports } }
";

#[test]
fn a_description_becomes_a_contract_that_is_in_force_once_it_is_signed() {
    let sandbox = Sandbox::with_workspace();
    let file = sandbox.write("ws/shop.yaml", SHOP);
    let added = sandbox.sluice(&["connector", "add", "openapi", "shop", &file, "--format", "json"]).with(0).json();
    let actions = added["actions"].as_array().unwrap();
    let told: Vec<_> = actions.iter().map(|a| (a["action"].as_str().unwrap(), a["effect"].as_str().unwrap())).collect();
    assert_eq!(told, [("listOrders", "read"), ("sendReceipt", "export")]);
    assert_eq!(added["withheld"][0]["operation"], "GET /report.{format}");
    sandbox.sign("ana").with(0);
    let listed = sandbox.sluice(&["connector", "list"]).with(0).out;
    assert!(listed.contains("shop.listOrders") && listed.contains("shop.sendReceipt"), "{listed}");
    let again = sandbox.sluice(&["connector", "add", "openapi", "shop", &file]).with(2);
    assert!(again.err.contains("connectors/shop.yaml"), "{}", again.err);
    let second =
        sandbox.sluice(&["connector", "add", "openapi", "second", &file, "--base", "https://b.example/"]).with(0);
    assert!(
        second.out.contains("GET /report.{format}") && second.out.contains("sluice secret set second-token"),
        "{}",
        second.out
    );
}

#[test]
fn a_description_that_cannot_be_read_is_refused_at_its_place_and_writes_nothing() {
    let sandbox = Sandbox::with_workspace();
    for (content, said) in [
        ("openapi: [\n", "bad.yaml:"),
        ("a: 1\na: 2\n", "SL102"),
        ("swagger: '2.0'\n", "SL937"),
        ("openapi: 3.1.0\n", "SL938"),
    ] {
        let file = sandbox.write("ws/bad.yaml", content);
        let refused = sandbox.sluice(&["connector", "add", "openapi", "bad", &file]).with(2);
        assert!(refused.err.contains(said), "{said}: {}", refused.err);
        assert!(!sandbox.path("ws/connectors/bad.yaml").exists());
    }
}

fn rules(audit: &Json) -> Vec<(String, String)> {
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    audit["found"].as_array().unwrap().iter().map(|f| (text(&f["connector"]), text(&f["rule"]))).collect()
}

#[test]
fn an_audit_finds_what_is_wide_unpinned_unsigned_and_unused() {
    let sandbox = Sandbox::with_workspace();
    sandbox.sluice(&["run", "workflows/hello.yaml", "--author", "ana"]);
    let clean = sandbox.sluice(&["connector", "audit", "--format", "json"]).with(0).json();
    let greetings = clean["calls"].as_array().unwrap();
    assert!(greetings.iter().any(|call| call["calls"] == 1), "the run called one: {clean}");
    assert!(rules(&clean).iter().all(|(_, rule)| rule == "unused"), "{clean}");

    sandbox.write("ws/connectors/mail.yaml", SERVER);
    sandbox.write("ws/connectors/reports.yaml", REPORTS);
    sandbox.write("ws/sluice.lock", r#"{"version": 1, "connectors": {"gone": {"tools": {}}}}"#);
    let audit = sandbox.sluice(&["connector", "audit", "--format", "json"]).with(1).json();
    let found = rules(&audit);
    for (connector, rule) in [
        ("", "unsigned"),
        ("mail", "unpinned-package"),
        ("mail", "no-pins"),
        ("mail", "clear-secret"),
        ("mail", "inherited-secret"),
        ("reports", "unneeded-scope"),
        ("reports", "wide-scope"),
        ("gone", "stale-pins"),
    ] {
        assert!(found.contains(&(connector.to_owned(), rule.to_owned())), "{connector} {rule}: {audit}");
    }
    assert_eq!(found.iter().filter(|(_, rule)| rule == "clear-secret").count(), 3, "{audit}");
    assert_eq!(found.len(), 10, "{audit}");
    assert!(!audit.to_string().contains("s3cr3t"));
    let said = sandbox.sluice(&["connector", "audit"]).with(1).out;
    assert!(said.contains("unpinned-package") && said.contains("9 to mend, 1 to know"), "{said}");
}

#[test]
fn a_bill_of_materials_fits_the_schema_that_cyclonedx_publishes() {
    let sandbox = Sandbox::with_workspace();
    sandbox.write("ws/connectors/mail.yaml", SERVER);
    sandbox.write("ws/connectors/reports.yaml", REPORTS);
    let bill = sandbox.sluice(&["connector", "sbom"]).with(0);
    assert_eq!(bill.out, sandbox.sluice(&["connector", "sbom"]).with(0).out, "the same files, the same bytes");
    let bill = bill.json();
    is_cyclonedx(&bill);
    assert!(!bill.to_string().contains("s3cr3t"), "what a server is given is nobody else's");
    let component = |reference: &str| {
        let of = bill["components"].as_array().unwrap().iter().find(|component| component["bom-ref"] == reference);
        of.unwrap_or_else(|| panic!("{reference} in {bill}")).clone()
    };
    assert_eq!(component("connector/mail")["purl"], "pkg:npm/%40example/mail");
    assert_eq!(component("file/connectors/mail.yaml")["hashes"][0]["content"].as_str().unwrap().len(), 64);
    let reports = bill["services"].as_array().unwrap().iter().find(|s| s["bom-ref"] == "connector/reports").unwrap();
    assert_eq!(
        (&reports["endpoints"], &reports["authenticated"]),
        (&json!(["https://reports.example.com"]), &json!(true))
    );
    assert_eq!(bill["metadata"]["component"]["properties"][1], json!({ "name": "sluice:signed", "value": "false" }));
    let mut other = bill.clone();
    other["components"][0]["type"] = json!("thing");
    assert!(std::panic::catch_unwind(|| is_cyclonedx(&other)).is_err(), "the schema is really read");
}

fn is_cyclonedx(bill: &Json) {
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    for (name, text) in [
        ("bom-1.6.schema.json", include_str!("../schemas/cyclonedx-1.6.json")),
        ("spdx.SNAPSHOT.schema.json", include_str!("../schemas/cyclonedx-spdx.json")),
        ("jsf-0.82.SNAPSHOT.schema.json", include_str!("../schemas/cyclonedx-jsf-0.82.json")),
    ] {
        compiler
            .add_resource(&format!("http://cyclonedx.org/schema/{name}"), serde_json::from_str(text).unwrap())
            .unwrap();
    }
    let index = compiler.compile("http://cyclonedx.org/schema/bom-1.6.schema.json", &mut schemas).unwrap();
    if let Err(error) = schemas.validate(bill, index) {
        panic!("{error:#}");
    }
}
