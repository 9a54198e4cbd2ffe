use sluice_core::contract::Contract;
use sluice_core::gate::Effect;

use super::*;

const SHOP: &str = r##"
openapi: 3.0.3
info: { title: Shop, version: "1" }
servers: [{ url: "https://{region}.shop.example/v1/", variables: { region: { default: eu } } }, { url: "https://us.shop.example" }]
security: [{ oauth: [orders.read] }]
paths:
  /orders:
    parameters: [{ $ref: "#/components/parameters/Tenant" }]
    get:
      operationId: listOrders
      parameters: [{ name: q, in: query, schema: { type: string } }, { name: trace, in: cookie }]
      responses:
        200: { description: ok }
    post:
      operationId: orders/place
      security: [{ oauth: [orders.write] }]
      requestBody: { required: true, content: { application/json: { schema: { $ref: "#/components/schemas/Order" } } } }
      responses: { "201": { description: ok } }
  /orders/{id}:
    delete: { parameters: [{ name: id, in: path, required: true, schema: { type: string } }] }
    get: { operationId: showOrder }
  /orders/latest:
    get: { operationId: latest }
  /orders/{id}/mail:
    post:
      operationId: sendReceipt
      requestBody: { content: { application/json: { schema: { type: object, properties: { to: { type: string }, text: {} }, required: [to] } } } }
  /files/{name}.pdf:
    get: {}
  /upload:
    post: { operationId: upload, requestBody: { content: { multipart/form-data: {} } } }
  /far:
    get: { parameters: [{ $ref: "other.yaml#/x" }] }
  /batch:
    put: { operationId: batch, requestBody: { content: { application/json: { schema: { type: array } } } } }
components:
  parameters:
    Tenant: { name: X-Tenant, in: header, required: true, schema: { type: string } }
  schemas:
    Base: { type: object, required: [item], properties: { item: { type: string }, id: { type: string, readOnly: true } } }
    Order: { allOf: [{ $ref: "#/components/schemas/Base" }, { properties: { amount: { type: integer } } }] }
  securitySchemes:
    oauth: { type: oauth2 }
    key: { type: apiKey, in: header, name: X-Key }
webhooks: {}
"##;

fn described(text: &str, base: Option<&str>) -> Result<Described, DescriptionError> {
    contract("shop", &read(&Text::new("shop.yaml", text)).unwrap(), base)
}

fn parsed(described: &Described) -> Contract {
    Contract::parse(&Text::new("connectors/shop.yaml", described.text.as_str()))
        .unwrap_or_else(|found| panic!("{found:?}\n{}", described.text))
}

#[test]
fn operations_become_actions_of_a_contract_that_is_read() {
    let described = described(SHOP, None).unwrap();
    let contract = parsed(&described);
    assert_eq!(contract.transport.http().unwrap().base.value.as_ref(), "https://eu.shop.example/v1");
    let effects: Vec<(&str, Effect, bool)> =
        contract.actions.iter().map(|(name, action)| (name.as_ref(), action.effect, action.privileged)).collect();
    assert_eq!(
        effects,
        [
            ("batch", Effect::Write, true),
            ("delete_orders_id", Effect::Write, true),
            ("listOrders", Effect::Read, false),
            ("orders_place", Effect::Write, true),
            ("sendReceipt", Effect::Export, false),
            ("showOrder", Effect::Read, false),
        ]
    );
    let credential = contract.credential.as_ref().unwrap();
    assert_eq!(credential.scopes.iter().map(AsRef::as_ref).collect::<Vec<_>>(), ["orders.read", "orders.write"]);
    let place = |action: &str| {
        described.text.split(&format!("\"{action}\":")).nth(1).unwrap().split("output:").next().unwrap().to_owned()
    };
    for (action, words) in [
        ("listOrders", "query: [\"q\"], headers: { \"X-Tenant\": \"X-Tenant\" }"),
        ("orders_place", "body: [\"amount\", \"item\"]"),
        ("orders_place", "\"item\": { role: reference, required: true }"),
        ("orders_place", "\"amount\": { role: amount }"),
        ("sendReceipt", "destination: { argument: \"to\" }"),
        ("batch", "body: \"body\""),
        ("showOrder", "# `show` in its name reads"),
        ("delete_orders_id", "path: \"/orders/{id}\""),
    ] {
        assert!(place(action).contains(words), "{words} in {}", place(action));
    }
}

#[test]
fn what_a_contract_cannot_write_is_told() {
    let described = described(SHOP, None).unwrap();
    let withheld: BTreeMap<&str, &str> =
        described.withheld.iter().map(|(what, why)| (what.as_str(), why.as_str())).collect();
    for (what, why) in [
        ("GET /orders/latest", "one call could mean it and `GET /orders/{id}` as well"),
        ("GET /files/{name}.pdf", "parameters are whole segments"),
        ("POST /upload", "its body is no JSON: multipart/form-data"),
        ("GET /far", "`other.yaml#/x` is nothing in this file"),
    ] {
        assert!(withheld.get(what).is_some_and(|said| said.contains(why)), "{what}: {withheld:?}");
    }
    assert_eq!(withheld.len(), 4, "{withheld:?}");
    let notes = described.notes.join("\n");
    for words in
        ["of 2 servers the first one", "`trace` (cookie) is left out", "puts a key into the header `X-Key`", "webhooks"]
    {
        assert!(notes.contains(words), "{words} in {notes}");
    }
}

#[test]
fn what_is_no_description_or_nowhere_is_refused() {
    for (text, said) in [
        ("swagger: '2.0'\n", "SL937"),
        ("openapi: 4.0.0\n", "SL937"),
        ("paths: {}\n", "SL937"),
        ("openapi: 3.1.0\n", "SL938"),
        ("openapi: 3.1.0\nservers: [{ url: /api }]\n", "SL938"),
        ("openapi: 3.1.0\nservers: [{ url: 'http://a.example' }]\n", "SL938"),
    ] {
        assert!(described(text, None).unwrap_err().to_string().starts_with(said), "{text}");
    }
    let empty = described("openapi: 3.1.0\n", Some("https://a.example/")).unwrap();
    assert_eq!(parsed(&empty).transport.http().unwrap().base.value.as_ref(), "https://a.example");
}

#[test]
fn json_is_read_as_well_and_circles_end() {
    let text = r##"{"openapi": "3.1.0", "paths": {"/a": {"get": {"parameters": [{"$ref": "#/components/parameters/A"}]}}}, "components": {"parameters": {"A": {"$ref": "#/components/parameters/A"}}}}"##;
    let described = described(text, Some("https://a.example")).unwrap();
    assert_eq!(described.withheld, [("GET /a".to_owned(), "its references lead in a circle".to_owned())]);
    let nested = "openapi: 3.1.0\npaths: { /a: { post: { requestBody: { content: { application/json: { schema: { $ref: '#/components/schemas/A' } } } } } } }\ncomponents: { schemas: { A: { allOf: [{ $ref: '#/components/schemas/A' }] } } }\n";
    let described = super::tests::described(nested, Some("https://a.example")).unwrap();
    assert!(described.text.contains("body: \"body\""), "{}", described.text);
}
