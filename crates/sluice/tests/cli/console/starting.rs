//! Runs that people start at the console, in their own name.

use reqwest::Method;
use serde_json::json;

use super::provider::{Provider, now};
use super::surety::{serve, with_provider};
use super::visitor::{Console, Got, Person, got, value};
use super::{ana, becomes, invited, refused, status_of, three_people};
use crate::api::token;
use crate::sandbox::Sandbox;

const GOLD_TO_START: &str = r#"
permit (principal, action in [Action::"see", Action::"decide"], resource) when { resource.concerned.contains(principal) };
permit (principal, action, resource) when { principal.signs };
@step_up("urn:gold")
forbid (principal, action == Action::"start", resource) unless { context.acr == "urn:gold" };
"#;

fn proposed_by(sandbox: &Sandbox, person: &str) -> String {
    let proposed = sandbox.sluice(&["propose", "workflows/hello.yaml", "--as", person, "--format", "json"]);
    proposed.json()["proposal"].as_str().unwrap().to_owned()
}

/// Sends the form of a page with some of its fields changed.
async fn started(who: &Person<'_>, proposal: &str, changed: &[(&str, &str)]) -> Got {
    let page = who.get(&format!("/workflows/{proposal}")).await;
    let mut said = vec![("form", value(&page.text, "form")), ("once", "1".to_owned()), ("input", "{}".to_owned())];
    for (name, new) in changed {
        said.iter_mut().find(|(field, _)| field == name).unwrap().1 = (*new).to_owned();
    }
    who.post(&format!("/workflows/{proposal}/runs"), &said).await
}

#[tokio::test]
async fn whoever_asked_for_a_definition_starts_it_once_for_each_form() {
    let sandbox = three_people();
    let proposal = proposed_by(&sandbox, "ben");
    let console = Console::start(&sandbox, Some("ana"));
    let ana = ana(&console).await;
    let ben = invited(&console, &ana, "ben", 8).await;
    let page = ben.get(&format!("/workflows/{proposal}")).await;
    assert!(page.text.contains(&format!("action=\"/workflows/{proposal}/runs\"")), "{}", page.text);
    let got = started(&ben, &proposal, &[]).await;
    assert_eq!(got.status, 303, "{got:?}");
    let run = got.to.strip_prefix("/runs/").unwrap().to_owned();
    assert_eq!(started(&ben, &proposal, &[]).await.to, got.to, "the same form is the same run");
    assert_ne!(started(&ben, &proposal, &[("once", "2")]).await.to, got.to);
    becomes(&sandbox, &run, "held");
    assert_eq!(ben.get(&got.to).await.status, 200);

    refused(&started(&ben, &proposal, &[("once", "3"), ("input", "[1]")]).await, 403, "SL476");
    refused(&started(&ben, &proposal, &[("once", "1"), ("input", "{\"a\":1}")]).await, 403, "SL477");
    refused(&started(&ben, &proposal, &[("form", "0")]).await, 403, "");
    // Who may look at it, and signs the rules, starts nothing in his name.
    let page = ana.get(&format!("/workflows/{proposal}")).await;
    assert!(page.status == 200 && !page.text.contains(&format!("{proposal}/runs")), "{}", page.text);
    refused(&started(&ana, &proposal, &[("form", &value(&page.text, "form"))]).await, 403, "SL471");
    let dora = invited(&console, &ana, "dora", 9).await;
    let form = value(&dora.get("/").await.text, "form");
    let said = [("form", form), ("once", "1".to_owned()), ("input", "{}".to_owned())];
    refused(&dora.post(&format!("/workflows/{proposal}/runs"), &said).await, 404, "nothing that you may see");
    let rows = sandbox.sluice(&["runs", "list", "--format", "json"]).with(0).json();
    assert_eq!(rows.as_array().unwrap().len(), 2, "{rows}");
}

/// A template: its holes are asked for one by one, and what was typed is read as each of them takes it.
const GREETING: &str = r#"document:
  dsl: '1.0.3'
  namespace: t
  name: greeting
  version: '1.0.0'
  metadata:
    holes:
      shift: { type: text, enum: [day, night], description: "which <b>shift</b>" }
      who: { type: text, max_chars: 20 }
      times: { type: integer, minimum: 1, maximum: 3, default: 2 }
      loud: { type: boolean, default: false }
do:
  - keep: { set: { all: '${ $workflow.input }' } }
"#;

#[tokio::test]
async fn a_template_is_filled_in_its_form() {
    let sandbox = three_people();
    let file = sandbox.write("ws/greeting.yaml", GREETING);
    let proposed = sandbox.sluice(&["propose", &file, "--as", "ben", "--format", "json"]);
    let proposal = proposed.json()["proposal"].as_str().unwrap().to_owned();
    let console = Console::start(&sandbox, Some("ana"));
    let ana = ana(&console).await;
    let ben = invited(&console, &ana, "ben", 8).await;
    let page = ben.get(&format!("/workflows/{proposal}")).await.text;
    for shown in [
        "<option value=\"night\">night</option>",
        "type=\"number\" step=\"1\" min=\"1\" max=\"3\" value=\"2\"",
        "which &lt;b&gt;shift&lt;/b&gt;",
        "a text of at most 20 characters",
        "<option value=\"false\" selected>",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(!page.contains("name=\"input\""));
    let send = async |once: &str, holes: &[(&'static str, &str)]| {
        let mut said = vec![("form", value(&page, "form")), ("once", once.to_owned())];
        said.extend(holes.iter().map(|(name, text)| (*name, (*text).to_owned())));
        ben.post(&format!("/workflows/{proposal}/runs"), &said).await
    };
    let filled = [("hole-shift", "night"), ("hole-who", "7"), ("hole-times", "3"), ("hole-loud", "true")];
    let got = send("1", &filled).await;
    assert_eq!(got.status, 303, "{got:?}");
    let run = got.to.strip_prefix("/runs/").unwrap().to_owned();
    becomes(&sandbox, &run, "completed");
    let entries = sandbox.sluice(&["audit", "show", &run, "--format", "json"]).with(0).out;
    assert!(entries.contains("\"loud\": true") || entries.contains("\"loud\":true"), "{entries}");
    assert!(entries.contains("\"who\": \"7\"") || entries.contains("\"who\":\"7\""), "{entries}");
    refused(&send("2", &[("hole-shift", "noon"), ("hole-who", "eve")]).await, 403, "takes one of");
    refused(&send("3", &[("hole-shift", "day")]).await, 403, "is not filled");
    refused(&send("4", &[("hole-shift", "day"), ("hole-who", "eve"), ("hole-times", "9")]).await, 403, "from 1 to 3");
    refused(&send("5", &[("hole-shift", "day"), ("hole-who", "eve"), ("hole-other", "x")]).await, 403, "no hole");
}

#[tokio::test]
async fn who_is_known_less_surely_than_policy_asks_starts_nothing_until_they_logged_in_again() {
    let provider = Provider::start();
    let sandbox = with_provider(&provider);
    sandbox.edit("ws/registers/principals.yaml", |text| {
        let known = format!(
            "dora: {{ name: \"Dora\", identities: [{{ issuer: \"{}\", subject: 0oa1ana }}] }}",
            provider.issuer
        );
        text.replacen("subject: 0oa1ana", "subject: 0oa1signer", 1).replace("dora: { name: \"Dora\" }", &known)
    });
    sandbox.write("ws/policies/console/own.cedar", GOLD_TO_START);
    sandbox.sign("ana").with(0);
    let proposal = proposed_by(&sandbox, "dora");
    let console = serve(&sandbox, &provider, None);
    let asked = provider.go(&console, "/login/provider", "").await;
    let (_, session) = provider.back(&console, &asked, "", json!({})).await;
    let dora = Person { cookie: session, ..console.stranger(7) };
    let path = format!("/workflows/{proposal}");
    let page = dora.get(&path).await;
    assert!(page.text.contains("SL487") && page.text.contains(&format!("{path}/again")), "{}", page.text);
    assert!(!page.text.contains(&format!("{path}/runs")), "{}", page.text);
    refused(&started(&dora, &proposal, &[]).await, 403, "SL487");
    // A token shows no level at all.
    let token = token(&sandbox, "hers", "dora", &["read", "run"]);
    let wish = json!({ "proposal": proposal, "input": {} });
    let by_token = console.ask(Method::POST, "/api/v1/runs").bearer_auth(&token).json(&wish);
    refused(&got(by_token).await, 403, "SL487");
    let asked = provider.go(&console, &format!("{path}/again"), &dora.cookie).await;
    assert_eq!(asked.levels.as_deref(), Some("urn:gold"));
    refused(&provider.back(&console, &asked, &dora.cookie, json!({ "auth_time": now() })).await.0, 403, "SL988");
    let asked = provider.go(&console, &format!("{path}/again"), &dora.cookie).await;
    let gold = json!({ "auth_time": now(), "acr": "urn:gold" });
    let (got, session) = provider.back(&console, &asked, &dora.cookie, gold).await;
    assert_eq!((got.status, got.to.as_str()), (303, path.as_str()), "{got:?}");
    let dora = Person { cookie: session, ..dora };
    let got = started(&dora, &proposal, &[]).await;
    assert_eq!(got.status, 303, "{got:?}");
    let run = got.to.strip_prefix("/runs/").unwrap();
    assert!(!status_of(&sandbox, run).is_empty());
    // How she came in is part of the run; her colleagues read it on its page.
    let log = sandbox.sluice(&["audit", "log", "--last", "100", "--format", "json"]).with(0).json();
    let began = log["entries"].as_array().unwrap().iter().find(|line| line["kind"] == "run-started").unwrap();
    assert_eq!(began["payload"]["login"], json!({ "by": "provider", "acr": "urn:gold" }), "{began}");
    let page = dora.get(&got.to).await;
    assert!(
        page.text.contains("on behalf of dora, who came in by provider at level &quot;urn:gold&quot;"),
        "{}",
        page.text
    );
}
