//! Contracts of a workspace, drafted from descriptions.

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
