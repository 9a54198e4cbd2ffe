//! Exports of n8n: which fields of what outsiders send are personal, where what they attach goes on, and what stays the author's own.

use serde_json::{Value as Json, json};

use super::foreign::{facts, flows};
use super::n8n::{Node, export};

fn form(labels: &[&str]) -> Node<'static> {
    let values: Vec<Json> = labels.iter().map(|label| json!({ "fieldLabel": label })).collect();
    ("Form", "formTrigger", json!({ "formFields": { "values": values } }))
}

fn ask(text: &str) -> Node<'_> {
    ("Ask", "chainLlm", json!({ "promptType": "define", "text": text }))
}

fn has(text: &str, flow: &str) -> bool {
    flows(text).contains(&flow.to_owned())
}

#[test]
fn how_somebody_is_reached_is_in_the_field_that_says_so() {
    let leaves = |labels: &[&str], read: &str| {
        let text = export(&[form(labels), ask(read)], &["Form -> Ask"]);
        has(&text, "Form -> Ask: egress (direct)")
    };
    let asked = ["Name", "E-mail", "How do we get in touch with you?", "Your message"];
    for told in ["Name", "E-mail", "How do we get in touch with you?"] {
        assert!(leaves(&asked, &format!("={{{{ $json['{told}'] }}}}")), "{told}");
    }
    assert!(!leaves(&asked, "={{ $json['Your message'] }}"));
    assert!(leaves(&asked, "={{ JSON.stringify($json) }}"), "the whole form has the address in it");
    assert!(!leaves(&["Favourite colour"], "={{ JSON.stringify($json) }}"));
}

#[test]
fn a_later_page_of_a_form_and_its_title_say_what_it_brings_in() {
    let page = (
        "More",
        "form",
        json!({ "formFields": { "values": [{ "fieldLabel": "Last Name" }, { "fieldLabel": "Wishes" }] } }),
    );
    let leaves = |read: &str| {
        let text = export(&[form(&["Topic"]), page.clone(), ask(read)], &["Form -> More", "More -> Ask"]);
        has(&text, "More -> Ask: egress (direct)")
    };
    assert!(leaves("={{ $json['Last Name'] }}"));
    assert!(!leaves("={{ $json.Wishes }}"));
    let titled = |title: &str| {
        let values = json!([{ "fieldLabel": "Upload", "fieldType": "file" }]);
        let form = ("Form", "formTrigger", json!({ "formTitle": title, "formFields": { "values": values } }));
        has(&export(&[form, ask("={{ $json.text }}")], &["Form -> Ask"]), "Form -> Ask: egress (direct)")
    };
    assert!(titled("Upload your CV"));
    assert!(!titled("Upload a picture"));
}

#[test]
fn the_fields_that_are_read_say_what_a_webhook_brings_in() {
    let leaves = |read: &str| {
        let hook = ("Hook", "webhook", json!({ "path": "a", "httpMethod": "POST" }));
        let other =
            ("Mail", "emailSend", json!({ "toEmail": "={{ $('Hook').item.json.body.email }}", "text": "hello" }));
        let text = export(&[hook, ask(read), other], &["Hook -> Ask", "Ask -> Mail"]);
        has(&text, "Hook -> Ask: egress (direct)")
    };
    assert!(leaves("={{ $json.body.email }}"));
    assert!(leaves("={{ $('Hook').first().json.query.phone }}"));
    assert!(!leaves("={{ $json.body.text }}"));
    // Who writes to a messenger is known to it anyway.
    let chat = ("Chat", "telegramTrigger", json!({}));
    let text = export(&[chat, ask("={{ $json.message.from.first_name }}")], &["Chat -> Ask"]);
    assert!(!has(&text, "Chat -> Ask: egress (direct)"));
}

#[test]
fn a_field_is_personal_where_it_stands_however_deep() {
    let leaves = |program: &str, read: &str| {
        let hook = ("Hook", "webhook", json!({ "path": "a", "httpMethod": "POST" }));
        let code = ("Code", "code", json!({ "jsCode": program }));
        let text = export(&[hook, code, ask(read)], &["Hook -> Code", "Code -> Ask"]);
        has(&text, "Hook -> Ask: egress (direct)")
    };
    let read = "const body = $json.body;\nreturn [{ json: { to: body.customer.email, total: body.order.total } }];";
    assert!(leaves(read, "={{ $json.to }}"));
    assert!(!leaves(read, "={{ $json.total }}"));
    // A name is a person's beside how they can be reached, and else anything's.
    let named =
        |beside: &str| format!("const g = $json.body.guest;\nreturn [{{ json: {{ who: g.name, {beside} }} }}];");
    assert!(leaves(&named("at: g.phone"), "={{ $json.who }}"));
    assert!(!leaves(&named("at: g.size"), "={{ $json.who }}"));
}

#[test]
fn a_model_behind_plain_http_answers_with_its_prompt_in_other_words() {
    let goes_on = |url: &str| {
        let mail = ("Mail", "emailReadImap", json!({}));
        let body =
            "={ \"messages\": [{ \"role\": \"user\", \"content\": \"{{ encodeURIComponent($json.textPlain) }}\" }] }";
        let parameters =
            json!({ "url": url, "method": "POST", "sendBody": true, "specifyBody": "json", "jsonBody": body });
        let tell = ("Tell", "slack", json!({ "text": "={{ $json.choices[0].message.content }}" }));
        let text = export(&[mail, ("Model", "httpRequest", parameters), tell], &["Mail -> Model", "Model -> Tell"]);
        has(&text, "Mail -> Tell: egress (direct)")
    };
    assert!(goes_on("https://openrouter.ai/api/v1/chat/completions"));
    assert!(goes_on("http://localhost:11434/api/generate"));
    assert!(!goes_on("https://api.openai.com/v1/files"), "what a service calls a file is its own word");
    assert!(!goes_on("https://api.example.com/v1/things"));
}

#[test]
fn a_field_that_an_outsider_has_no_part_in_stays_free_of_them() {
    let hook = ("Hook", "webhook", json!({ "path": "a", "httpMethod": "POST" }));
    let program = "const day = (d) => { if (!d) return 'none'; return new Date(d).toISOString(); };\n\
                   return [{ json: { name: $json.body.a.b, id: 'T-' + Date.now(), on: day($json.body.on) } }];";
    let text = |read: &str| {
        let url = format!("=https://qr.example.com/make/{{{{ $json.{read} }}}}");
        let picture = ("Picture", "httpRequest", json!({ "url": url }));
        export(
            &[hook.clone(), ("Code", "code", json!({ "jsCode": program })), picture],
            &["Hook -> Code", "Code -> Picture"],
        )
    };
    assert!(!has(&text("id"), "Hook -> Picture: url_path (direct)"));
    assert!(has(&text("name"), "Hook -> Picture: url_path (direct)"));
    assert!(has(&text("on"), "Hook -> Picture: url_path (direct)"));
}

#[test]
fn a_constant_that_is_put_into_an_outsiders_item_stays_one() {
    let called = |keeps: Json, url: &str| {
        let hook = ("Hook", "webhook", json!({ "path": "a", "httpMethod": "POST" }));
        let get = ("Get", "httpRequest", json!({ "url": url }));
        flows(&export(&[hook, ("Set", "set", keeps), get], &["Hook -> Set", "Set -> Get"]))
    };
    let fields = json!([{ "name": "base", "value": "https://api.example.com", "type": "string" }]);
    let new = json!({ "includeOtherFields": true, "assignments": { "assignments": fields } });
    let old =
        json!({ "typeVersion": 1, "values": { "string": [{ "name": "base", "value": "https://api.example.com" }] } });
    let told = "Hook -> Get: url_host (direct)".to_owned();
    for keeps in [new, old] {
        assert!(!called(keeps.clone(), "={{ $json.base }}/pages").contains(&told), "{keeps}");
        assert!(called(keeps.clone(), "={{ $json.body.base }}/pages").contains(&told), "{keeps}");
    }
}

#[test]
fn a_model_that_sorts_items_passes_them_on_as_they_are() {
    let sorts = (
        "Sort",
        "textClassifier",
        json!({ "inputText": "={{ $json.Message }}", "categories": { "categories": [{ "category": "a" }] } }),
    );
    let sheet = |read: &str| {
        (
            "Sheet",
            "googleSheets",
            json!({ "operation": "append", "columns": { "mappingMode": "defineBelow", "value": { "A": read } } }),
        )
    };
    let leaves = |read: &str| {
        // Its package is that of models.
        let text =
            export(&[form(&["Email", "Message"]), sorts.clone(), sheet(read)], &["Form -> Sort", "Sort -> Sheet"]);
        let text = text.replace("n8n-nodes-base.textClassifier", "@n8n/n8n-nodes-langchain.textClassifier");
        flows(&text)
    };
    let told = "Form -> Sheet: egress (direct)".to_owned();
    assert!(leaves("={{ $json.Email }}").contains(&told));
    assert!(leaves("={{ $('Sort').item.json.Email }}").contains(&told));
    assert!(!leaves("={{ $json.Message }}").contains(&told));
}

#[test]
fn a_model_of_ones_own_is_asked_and_nothing_leaves() {
    let asked = |url: &str| {
        let mail = ("Mail", "gmailTrigger", json!({}));
        let http = (
            "Http",
            "httpRequest",
            json!({ "method": "POST", "url": url, "sendBody": true, "specifyBody": "json", "jsonBody": "={{ { prompt: $json.text } }}" }),
        );
        flows(&export(&[mail, http], &["Mail -> Http"]))
    };
    let (prompt, egress) = ("Mail -> Http: prompt (direct)".to_owned(), "Mail -> Http: egress (direct)".to_owned());
    for api in ["/api/generate", "/api/chat", "/v1/chat/completions"] {
        let found = asked(&format!("http://localhost:11434{api}"));
        assert!(found.contains(&prompt) && !found.contains(&egress), "{api}: {found:?}");
    }
    let found = asked("https://models.example.com/v1/chat/completions");
    assert!(found.contains(&prompt) && found.contains(&egress));
    assert!(!asked("http://localhost:8080/api/tickets").contains(&prompt));
}

#[test]
fn what_is_attached_to_a_message_is_the_senders() {
    let chat = ("Chat", "whatsAppTrigger", json!({}));
    let media = (
        "Media",
        "whatsApp",
        json!({ "resource": "media", "operation": "mediaUrlGet", "mediaGetId": "={{ $json.image.id }}" }),
    );
    let download = |account: &str| {
        (
            "Download",
            "httpRequest",
            json!({ "url": "={{ $json.url }}", "authentication": "predefinedCredentialType", "nodeCredentialType": account }),
        )
    };
    let look = (
        "Look",
        "chainLlm",
        json!({ "promptType": "define", "text": "Describe it", "messages": { "messageValues": [{ "messageType": "imageBinary" }] } }),
    );
    let links = ["Chat -> Media", "Media -> Download", "Download -> Look"];
    let found = |account: &str| flows(&export(&[chat.clone(), media.clone(), download(account), look.clone()], &links));
    let told = "Download -> Look: prompt (direct)".to_owned();
    assert!(found("whatsAppApi").contains(&told));
    assert!(!found("someOtherApi").contains(&told));
    let chat = ("Chat", "telegramTrigger", json!({}));
    let kept =
        ("Kept", "httpRequest", json!({ "url": "=https://api.telegram.org/file/botX/{{ $json.message.photo }}" }));
    let text = export(&[chat, kept, ask("={{ $json.data }}")], &["Chat -> Kept", "Kept -> Ask"]);
    assert!(has(&text, "Kept -> Ask: prompt (direct)"));
}

#[test]
fn the_fields_of_a_models_answer_name_no_people() {
    let http = |host: &str| {
        (
            "Http",
            "httpRequest",
            json!({ "method": "POST", "url": format!("https://{host}/v1/run"), "sendBody": true, "specifyBody": "json", "jsonBody": "{}" }),
        )
    };
    let start = || ("Start", "scheduleTrigger", json!({}));
    let leaves = |host: &str| {
        let text =
            export(&[start(), http(host), ask("={{ $json.candidates[0].text }}")], &["Start -> Http", "Http -> Ask"]);
        flows(&text).iter().any(|flow| flow.starts_with("Http -> Ask: egress"))
    };
    assert!(leaves("api.example.com"));
    assert!(!leaves("generativelanguage.googleapis.com"));
}

#[test]
fn what_an_outsider_names_is_told_by_what_it_does() {
    let hook = || ("Hook", "webhook", json!({ "path": "a", "httpMethod": "POST" }));
    let row = (
        "Row",
        "supabase",
        json!({ "operation": "get", "tableId": "t", "filters": { "conditions": [{ "keyName": "id", "keyValue": "={{ $json.query.id }}" }] } }),
    );
    assert!(has(&export(&[hook(), row], &["Hook -> Row"]), "Hook -> Row: object_ref (direct)"));
    let order = (
        "Order",
        "shopify",
        json!({ "resource": "order", "operation": "create", "limeItemsUi": { "lineItemValues": [{ "price": "={{ $json.body.price }}" }] } }),
    );
    assert!(has(&export(&[hook(), order], &["Hook -> Order"]), "Hook -> Order: privileged (direct)"));
    let release = ("Release", "github", json!({ "resource": "release", "releaseTag": "={{ $json.body.tag }}" }));
    assert!(has(&export(&[hook(), release], &["Hook -> Release"]), "Hook -> Release: privileged (direct)"));
}

#[test]
fn a_file_goes_where_a_node_takes_it_by_itself() {
    let text = |to: Node<'static>| export(&[form(&["Upload your invoice"]), to], &["Form -> To"]);
    let leaves = |to: Node<'static>| has(&text(to), "Form -> To: egress (direct)");
    assert!(leaves(("To", "awsTextract", json!({}))));
    assert!(leaves(("To", "googleDrive", json!({ "operation": "upload" }))));
    assert!(leaves(("To", "awsS3", json!({ "operation": "upload" }))));
    assert!(!leaves(("To", "awsS3", json!({ "operation": "upload", "binaryData": false, "fileContent": "x" }))));
    let seen = ("To", "googleGemini", json!({ "resource": "image", "operation": "analyze", "inputType": "binary" }));
    assert!(has(&text(seen), "Form -> To: prompt (direct)"));
}

#[test]
fn a_letter_leaves_also_by_the_account_that_it_came_to() {
    let account = "gmail";
    let mail = ("Mail", account, json!({ "operation": "getAll" }));
    let forward = ("To", account, json!({ "sendTo": "books@example.com", "message": "={{ $json.html }}" }));
    assert!(has(&export(&[mail.clone(), forward], &["Mail -> To"]), "Mail -> To: egress (direct)"));
    let label = ("To", account, json!({ "operation": "addLabels", "messageId": "={{ $json.id }}" }));
    assert!(!has(&export(&[mail, label], &["Mail -> To"]), "Mail -> To: egress (direct)"));
}

#[test]
fn an_endpoint_says_what_is_done_where_no_catalogue_knows_the_service() {
    let acts = |method: &str, url: &str| {
        let hook = ("Hook", "webhook", json!({ "path": "a", "httpMethod": "POST" }));
        let call = ("To", "httpRequest", json!({ "method": method, "url": url }));
        has(&export(&[hook, call], &["Hook -> To"]), "Hook -> To: privileged (direct)")
    };
    assert!(acts("POST", "=https://id.example.com/users/{{ $json.body.user }}/lifecycle/suspend"));
    assert!(acts("POST", "https://shop.example.com/api/refunds"));
    assert!(acts("POST", "https://api.stripe.com/v1/anything"), "where money is kept");
    assert!(!acts("GET", "https://shop.example.com/api/refunds"));
    assert!(!acts("POST", "https://shop.example.com/api/notes"));
    let of = |parameters: Json| {
        let hook = ("Hook", "webhook", json!({ "path": "a", "httpMethod": "POST" }));
        facts(&export(&[hook, ("To", "httpRequest", parameters)], &["Hook -> To"]))
    };
    let actions = json!({ "parameters": [{ "name": "Action", "value": "TerminateInstances" }] });
    let one_path = json!({ "method": "POST", "url": "https://ec2.example.com", "bodyParameters": actions });
    assert_eq!(of(one_path)["destructive_nodes"], json!(["To"]));
    let wipe = json!({ "method": "POST", "url": "http://qdrant/collections/all/points/delete" });
    assert_eq!(of(wipe)["destructive_nodes"], json!(["To"]), "also on one's own machine");
}

#[test]
fn a_tool_of_a_server_does_what_its_name_says() {
    let called = |tool: &str| {
        let hook = ("Hook", "webhook", json!({ "path": "a", "httpMethod": "POST" }));
        let parameters = json!({ "operation": "executeTool", "toolName": tool, "toolParameters": "={{ $json.body }}" });
        flows(&export(&[hook, ("To", "n8n-nodes-mcp.mcpClient", parameters)], &["Hook -> To"]))
    };
    let (reads, acts) = ("Hook -> To: object_ref (direct)".to_owned(), "Hook -> To: privileged (direct)".to_owned());
    assert!(called("listPods").contains(&reads) && !called("listPods").contains(&acts));
    assert!(called("helmInstall").contains(&acts));
}

#[test]
fn the_parameters_of_a_node_are_the_authors_own() {
    let hook = ("Hook", "webhook", json!({ "path": "a", "httpMethod": "POST" }));
    let kept = |value: &str| ("Kept", "set", json!({ "values": { "string": [{ "name": "base", "value": value }] } }));
    let url = r#"={{ $node["Kept"].parameter["values"]["string"][0]["value"] }}/api/things"#;
    let chosen = |value: &str| {
        let nodes = [hook.clone(), kept(value), ("To", "httpRequest", json!({ "method": "POST", "url": url }))];
        has(&export(&nodes, &["Hook -> Kept", "Kept -> To"]), "Hook -> To: url_host (direct)")
    };
    assert!(!chosen("https://shop.example.com"));
    assert!(chosen("={{ $json.body.base }}"));
}

#[test]
fn what_stands_before_the_first_slash_chooses_the_host() {
    let called = |base: &str| {
        let hook = ("Hook", "webhook", json!({ "path": "a", "httpMethod": "POST" }));
        let kept = json!({ "assignments": { "assignments": [{ "name": "base", "value": base, "type": "string" }] }, "includeOtherFields": true });
        let url = "={{ $('Kept').item.json.base }}/search?q={{ $('Hook').item.json.body.q.replace(/x/g, '') }}";
        let nodes = [hook, ("Kept", "set", kept), ("To", "httpRequest", json!({ "url": url }))];
        flows(&export(&nodes, &["Hook -> Kept", "Kept -> To"]))
    };
    let (host, path) = ("Hook -> To: url_host (direct)".to_owned(), "Hook -> To: url_path (direct)".to_owned());
    let fixed = called("https://shop.example.com");
    assert!(!fixed.contains(&host) && fixed.contains(&path), "{fixed:?}");
    assert!(called("={{ $json.body.base }}").contains(&host));
}
